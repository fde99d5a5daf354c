//! From a choice of cloud to a signed-in [`Cloud`], or to what a person can do about it. The same for the wizard and for
//! commands, which ask on the [`terminal`].

pub(crate) mod aside;
pub mod terminal;

use std::collections::BTreeMap;

use itertools::Itertools;
use jiff::{SignedDuration, Timestamp};

use crate::cloud::credentials::{
    CredentialOrigin, FindError, FoundCredentials, Named, SearchOutcome, Searched, SearchedPlace, Sources,
};
use crate::cloud::{Cloud, Credentials, Error, ErrorKind, Limits, Person};
use crate::simulator::{self, Simulator};

/// Long enough to create a VPN and wait for it: a shorter token that cannot be renewed is worth a warning.
const SHORT_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// What the role reader means.
pub(crate) const READER: &str = "Your role in this project is reader: you can look, and the cloud refuses to create, change or \
                                 delete anything. Ask the project's administrator for the role member.";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub title: String,
    /// The cause and what to do, a paragraph a line.
    pub text: Vec<String>,
    /// And whether it was there.
    pub looked_for: Vec<(String, bool)>,
    /// Of the request that failed, if one was sent.
    pub error: Option<Error>,
    /// The clouds to choose from, if that is all that is missing.
    pub clouds: Vec<ListedCloud>,
}

/// A cloud of clouds.yaml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCloud {
    pub name: String,
    pub state: ListedCloudState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedCloudState {
    Usable {
        auth_url: String,
        /// The kind of proof, and whose it is.
        proof: String,
        project: Option<String>,
    },
    /// And why.
    Unusable(String),
}

impl ListedCloud {
    fn find(sources: &Sources, name: &str) -> Self {
        let state = match Credentials::find(sources, Some(name)) {
            Ok(FoundCredentials { credentials, .. }) => ListedCloudState::Usable {
                proof: credentials.method.in_words(),
                project: credentials.project.as_ref().map(Named::text),
                auth_url: credentials.auth_url,
            },
            Err(error) => ListedCloudState::Unusable(error.to_string()),
        };
        Self { name: name.to_owned(), state }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// As environment and clouds.yaml say.
    Default,
    /// That cloud of clouds.yaml.
    Named(String),
    Demo,
}

#[derive(Debug)]
pub struct SignedIn {
    pub cloud: Cloud,
    pub source: String,
    /// Which cloud it is: its name in clouds.yaml, and the host of its Keystone.
    pub place: String,
    pub warnings: Vec<String>,
    /// The simulated cloud; it ends when this is dropped.
    pub simulator: Option<Simulator>,
}

/// Finds credentials and signs in with them. That person is asked for what is missing; without one, what is missing is an
/// error. Warnings are told as soon as they are known: those about the credentials, before these are sent.
/// Errors: [`Problem::error`] is set if a request was made and failed; without it there is nothing to sign in with.
pub async fn sign_in(
    login: &Login,
    person: Option<Person>,
    mut tell: impl FnMut(&str) + Send,
) -> Result<SignedIn, Problem> {
    let (found, simulator) = match login {
        Login::Default => (find_unhurried(None).await?, None),
        Login::Named(name) => (find_unhurried(Some(name.clone())).await?, None),
        Login::Demo => {
            let simulator = Simulator::start(simulator::SimulatorSettings::demo()).await.map_err(|error| {
                let text = format!("The demo cloud cannot listen on a loopback address: {error}.");
                failed("The demo cloud does not start", Vec::new(), Error::new(ErrorKind::Unexpected, text))
            })?;
            (of_simulator(&simulator)?, Some(simulator))
        }
    };
    let place = place(&found);
    let source = if simulator.is_some() { "demo cloud".to_owned() } else { found.origin.to_string() };
    if person.is_none()
        && let Some(lacking) = found.lacks()
    {
        return Err(unfound(&lacking));
    }
    for warning in &found.warnings {
        tell(warning);
    }
    agreed(&found, person.as_ref()).await?;
    let can_ask = person.is_some();
    let signed_in = match person {
        Some(person) => Cloud::sign_in_with(&found.credentials, Limits::default(), person).await,
        None => Cloud::sign_in(&found.credentials).await,
    };
    let cloud = signed_in.map_err(|mut error| {
        if error.kind == ErrorKind::Unauthorized && found.credentials.method.is_quoted() {
            error
                .message
                .push_str(" The password was sent with the quotes around it; if they are not part of it, remove them.");
        }
        let title = if error.kind == ErrorKind::Unanswered { "Not signed in" } else { "Sign-in failed" };
        let tried = attempt(&found.credentials, &source);
        failed(title, std::iter::once(tried).chain(found.warnings.clone()).collect(), error)
    })?;
    let mut later = Vec::new();
    if !cloud.renews_silently() {
        let left = cloud.expires_at().map(|end| end.duration_since(Timestamp::now()));
        later.extend(left.filter(|left| *left < SHORT_LIFE).map(|left| short_life(left, can_ask)));
    }
    if cloud.may_only_read() {
        later.push(READER.to_owned());
    }
    let exposed = cloud.clear_text_regions();
    if !exposed.is_empty() {
        later.push(format!(
            "The network service of {} is not https, although Keystone is: everybody in between can read the token, and \
             the keys that are read there.",
            exposed.iter().join(", ")
        ));
    }
    for warning in &later {
        tell(warning);
    }
    let warnings = [found.warnings, later].concat();
    Ok(SignedIn { cloud, source, place, warnings, simulator })
}

/// Which cloud is meant, in a few words.
fn place(found: &FoundCredentials) -> String {
    let host = host(&found.credentials.auth_url);
    match &found.origin {
        CredentialOrigin::Cloud { name, .. } => format!("{name}, {host}"),
        CredentialOrigin::Environment => host.to_owned(),
    }
}

/// The host of an address, and its port if it has one.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// Whether the credentials may be used, if somebody else may have said where they are sent.
async fn agreed(found: &FoundCredentials, person: Option<&Person>) -> Result<(), Problem> {
    let Some(why) = &found.doubt else { return Ok(()) };
    let auth_url = &found.credentials.auth_url;
    let is_agreed = match person {
        Some(person) => person.agrees(auth_url, &format!("{why} It would be sent to {auth_url}.")).await,
        None => false,
    };
    if is_agreed {
        return Ok(());
    }
    let text = vec![
        format!("{why} It was not sent to {auth_url}."),
        "To use that file, name it in OS_CLIENT_CONFIG_FILE.".to_owned(),
    ];
    let title = "Not signed in".to_owned();
    Err(Problem { title, text, looked_for: Vec::new(), error: None, clouds: Vec::new() })
}

/// Finds credentials without sending anything.
/// Errors: what was looked for, or which clouds there are to choose from.
pub fn find(name: Option<&str>) -> Result<FoundCredentials, Problem> {
    Credentials::find(&Sources::from_process(), name).map_err(|error| unfound(&error))
}

/// As [`find`]. A clouds.yaml may be a pipe that nothing is written to, so a thread reads it, which ends with the program: the
/// caller can be stopped.
async fn find_unhurried(name: Option<String>) -> Result<FoundCredentials, Problem> {
    let found = tokio::task::spawn_blocking(move || find(name.as_deref())).await;
    found.unwrap_or_else(|error| {
        let text = format!("The credentials could not be read: {error}");
        Err(failed("The credentials cannot be used", Vec::new(), Error::new(ErrorKind::Unexpected, text)))
    })
}

fn short_life(left: SignedDuration, can_ask: bool) -> String {
    let how_long = match left.as_mins() {
        ..=0 => "less than a minute".to_owned(),
        minutes => format!("{minutes} min"),
    };
    let then = if can_ask {
        "a run that takes longer waits then until you have signed in again"
    } else {
        "a run that takes longer stops half-way, and osvpn resume continues with a new one"
    };
    format!("The token expires in {how_long} and cannot be renewed by itself: {then}.")
}

fn of_simulator(simulator: &Simulator) -> Result<FoundCredentials, Problem> {
    let vars: BTreeMap<String, String> =
        simulator.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Credentials::find(&Sources { vars, ..Sources::default() }, None).map_err(|error| unfound(&error))
}

/// What was tried, so that a wrong value is seen.
fn attempt(credentials: &Credentials, source: &str) -> String {
    let project =
        credentials.project.as_ref().map_or_else(String::new, |project| format!(", project {}", project.text()));
    format!("Tried {} with {}{project}, from {source}.", credentials.auth_url, credentials.method.in_words())
}

fn failed(title: &str, text: Vec<String>, error: Error) -> Problem {
    Problem { title: title.to_owned(), text, looked_for: Vec::new(), error: Some(error), clouds: Vec::new() }
}

fn unfound(error: &FindError) -> Problem {
    let mut problem = Problem {
        title: "The credentials cannot be used".to_owned(),
        text: vec![error.to_string()],
        looked_for: Vec::new(),
        error: None,
        clouds: Vec::new(),
    };
    match error {
        FindError::NothingFound { looked } => {
            "No OpenStack credentials found".clone_into(&mut problem.title);
            problem.looked_for = looked.iter().map(looked_for).collect();
            problem.text.extend(
                [
                    "1. Source an openrc file of the dashboard (API Access): . ./openrc.sh",
                    "2. Or write a clouds.yaml into ~/.config/openstack.",
                    "3. Or look around first in a simulated cloud: osvpn --demo",
                ]
                .map(str::to_owned),
            );
        }
        FindError::SeveralClouds { names, .. } => {
            "Several clouds to choose from".clone_into(&mut problem.title);
            let sources = Sources::from_process();
            problem.clouds = names.iter().map(|name| ListedCloud::find(&sources, name)).collect();
        }
        FindError::NoSuchCloud { looked, .. } => {
            "No such cloud".clone_into(&mut problem.title);
            problem.looked_for = looked.iter().map(looked_for).collect();
        }
        FindError::Missing { .. } | FindError::Unusable { .. } => {}
    }
    problem
}

fn looked_for(looked: &Searched) -> (String, bool) {
    let place = match &looked.place {
        SearchedPlace::File(path) => path.display().to_string(),
        SearchedPlace::Variable(name) => (*name).to_owned(),
    };
    let (note, found) = match looked.outcome {
        SearchOutcome::Absent => ("", false),
        SearchOutcome::Directory => (" (is a directory)", true),
        SearchOutcome::Forbidden => (" (may not be read)", true),
        SearchOutcome::WithoutClouds => (" (describes no cloud)", true),
        SearchOutcome::Set => ("", true),
    };
    (format!("{place}{note}"), found)
}
