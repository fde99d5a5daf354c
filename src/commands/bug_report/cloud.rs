//! What the cloud says it is, if it can be asked.

use std::fmt::Write as _;
use std::time::Duration;

use futures::future::join_all;
use itertools::Itertools;

use super::{BugReportArgs, Section};
use crate::cloud::credentials::Method;
use crate::cloud::keystone::SignIn;
use crate::cloud::{Cloud, Error, Limits, Region};
use crate::sign_in::{Login, find};

/// The report may be about a cloud that does not answer.
const LONGEST: Duration = Duration::from_secs(15);

pub async fn section(args: &BugReportArgs) -> Section {
    let (summary, text) = match (args.offline, args.cloud.login()) {
        (true, _) => ("not asked (--offline)".to_owned(), "It was not asked.\n".to_owned()),
        (false, Login::Demo) => ("the demo".to_owned(), "The demo cloud is part of the program.\n".to_owned()),
        (false, Login::Default) => asked(None).await,
        (false, Login::Named(name)) => asked(Some(&name)).await,
    };
    Section { title: "Cloud", summary, text }
}

async fn asked(name: Option<&str>) -> (String, String) {
    let found = match find(name) {
        Ok(found) => found,
        Err(problem) => return ("no credentials to ask it with".to_owned(), problem.text.join("\n")),
    };
    let credentials = &found.credentials;
    let mut text = format!("{}, with {}, from {}\n", credentials.auth_url, kind(&credentials.method), found.origin);
    for warning in &found.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    let limits = Limits { connect: LONGEST, total: LONGEST, tries: 1, ..Limits::default() };
    let cloud = match Cloud::begin(credentials, limits).await {
        Ok(SignIn::Done(cloud)) => cloud,
        Ok(SignIn::SecondFactor(_)) => {
            text.push_str("It asks for a second factor, which this report does not.\n");
            return ("it asks for a second factor; without one only its address is in the report".to_owned(), text);
        }
        Err(error) => {
            let _ = writeln!(text, "Sign-in failed: {}", told(&error));
            return ("its address, and why the sign-in failed".to_owned(), text);
        }
    };
    let _ = match cloud.identity_version().await {
        Ok(version) => writeln!(text, "Keystone {version}"),
        Err(error) => writeln!(text, "Keystone does not tell its version: {}", told(&error)),
    };
    let regions = cloud.regions();
    let extensions = join_all(regions.iter().map(Region::extensions)).await;
    for (region, extensions) in regions.iter().zip(&extensions) {
        let _ = match extensions {
            Ok(known) => writeln!(text, "{}: {}", region.id(), known.aliases().join(" ")),
            Err(error) => writeln!(text, "{}: {}", region.id(), told(error)),
        };
    }
    (format!("Keystone's version and the API extensions of {} regions", regions.len()), text)
}

/// The way of signing in, without names.
fn kind(method: &Method) -> &'static str {
    match method {
        Method::Password { .. } => "a password",
        Method::PasswordToAsk { .. } => "a password that is asked for",
        Method::Token { .. } => "a token",
        Method::ApplicationCredential { .. } => "an application credential",
        Method::Totp { .. } => "a passcode",
        Method::MultiFactor(_) => "several factors",
    }
}

fn told(error: &Error) -> String {
    let request = error.request.as_deref().unwrap_or("no request");
    let status = error.status.map(|status| format!(", answered {status}")).unwrap_or_default();
    let id = error.request_id.as_deref().map(|id| format!(", {id}")).unwrap_or_default();
    format!("{error} ({request}{status}{id})")
}
