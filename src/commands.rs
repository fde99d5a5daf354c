//! The commands: a file each, with its arguments, its help and its body. What they share is here and in the files without
//! a command of their name: the sign-in, work until a signal, the answer on standard output or the error beside it.

#![allow(clippy::doc_markdown, reason = "what --help prints has no back-ticks")]

pub(crate) mod admit;
pub(crate) mod apply;
mod attend;
pub(crate) mod bug_report;
pub(crate) mod completions;
mod confirm;
mod creation;
pub(crate) mod delete;
pub(crate) mod demo_cloud;
pub(crate) mod doctor;
mod error;
mod existing;
pub(crate) mod forecast;
mod input;
mod lines;
pub(crate) mod list;
mod look;
pub(crate) mod man;
pub(crate) mod manual;
mod names;
pub(crate) mod options;
pub(crate) mod peer;
pub(crate) mod repair;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod rotate_psk;
mod run_change;
pub(crate) mod set_subnets;
pub(crate) mod status;
pub(crate) mod upgrade;
mod verify;
mod wait;
pub mod wizard;

use std::io::{self, Write, stderr, stdout};

use secrecy::zeroize::Zeroizing;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::report::{Conclude, ExitStatus};
use crate::sign_in::terminal::AtTerminal;
use crate::sign_in::{SignedIn, sign_in};
use crate::system::signals::{self, Signals};

pub(crate) use error::CommandError;
use options::{AnswerArgs, CloudArgs};

pub(crate) trait Answering {
    fn options(&self) -> &AnswerArgs;

    /// Said after an error: what is as it was. Empty for a command that changes nothing in any case.
    fn untouched(&self) -> &'static str {
        "Nothing was changed."
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError>;
}

pub(crate) struct Conclusion {
    /// A sheet may hold a key.
    text: Zeroizing<String>,
    json: Value,
    status: ExitStatus,
}

impl Conclusion {
    /// All has been said already.
    fn said(status: ExitStatus) -> Self {
        Self { text: Zeroizing::default(), json: Value::Null, status }
    }
}

impl<T: Conclude> From<T> for Conclusion {
    fn from(report: T) -> Self {
        let json = serde_json::to_value(&report);
        let json = json.unwrap_or_else(|error| json!({ "outcome": "failed", "problems": [error.to_string()] }));
        Self { text: Zeroizing::new(report.to_string()), json, status: report.exit_status() }
    }
}

/// The sign-in of a command: who is asked, and what is odd about the credentials.
#[derive(Default)]
pub(crate) struct SignInContext {
    terminal: Option<AtTerminal>,
    warnings: Vec<String>,
}

impl SignInContext {
    /// Signs in. Warnings about the credentials are printed at once, and kept even if the rest fails.
    async fn cloud(&mut self, args: &CloudArgs) -> Result<SignedIn, CommandError> {
        self.terminal = AtTerminal::find();
        let tell = |warning: &str| {
            lines::warn(warning);
            self.warnings.push(warning.to_owned());
        };
        let signed_in = sign_in(&args.login(), self.terminal.as_ref().map(AtTerminal::person), tell).await?;
        lines::listen_to(&signed_in.cloud);
        Ok(signed_in)
    }
}

pub(crate) fn answer(command: &impl Answering) -> io::Result<ExitStatus> {
    with_runtime(async {
        let mut signals = signals::listen()?;
        let mut sign_in = SignInContext::default();
        let result = command.run(&mut sign_in, &mut signals).await;
        // The terminal is as it was before anything is printed.
        let SignInContext { terminal, warnings } = sign_in;
        drop(terminal);
        let status = result.as_ref().map_or_else(|error| error.status, |conclusion| conclusion.status);
        let printed = print(command, result, &warnings, status).and_then(|()| stdout().flush());
        match printed {
            // A reader that has gone away changes nothing about what was done; one that got less than all was told less.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                complain(&format!("the answer could not be written: {error}"));
                Ok(status.max(ExitStatus::Failed))
            }
            _ => Ok(status),
        }
    })
}

fn print(
    command: &impl Answering,
    result: Result<Conclusion, CommandError>,
    warnings: &[String],
    status: ExitStatus,
) -> io::Result<()> {
    if matches!(&result, Ok(Conclusion { json: Value::Null, .. })) {
        return Ok(());
    }
    if !command.options().json {
        return match result {
            Ok(conclusion) => write!(stdout(), "{}", *conclusion.text),
            Err(error) => {
                let untouched = command.untouched();
                write!(stderr(), "{}", error.text(untouched))
            }
        };
    }
    let json = result.map_or_else(|error| error.json(), |conclusion| conclusion.json);
    writeln!(stdout(), "{:#}", document(json, warnings, status))
}

/// Of what is printed as JSON. A field that goes or means something else raises it; a new one does not.
const SCHEMA: u8 = 1;

/// What every answer in JSON has besides.
fn document(mut json: Value, warnings: &[String], status: ExitStatus) -> Value {
    json["schema"] = json!(SCHEMA);
    json["exit_code"] = json!(status);
    json["sign_in_warnings"] = json!(warnings);
    json
}

/// Work that changes nothing yet: a signal ends it at once.
async fn until_signal<T>(
    signals: &mut Signals,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::select! {
        done = work => done,
        Some(_) = signals.recv() => Err(CommandError::stopped()),
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn with_runtime(work: impl Future<Output = io::Result<ExitStatus>>) -> io::Result<ExitStatus> {
    let runtime = runtime()?;
    let status = runtime.block_on(work);
    // A name being looked up cannot be called off, and is not worth waiting for.
    runtime.shutdown_background();
    status
}

/// Prints a text. A reader that has seen enough of it is no failure.
fn print_whole(text: &[u8]) -> io::Result<ExitStatus> {
    match stdout().write_all(text).and_then(|()| stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(ExitStatus::Done),
    }
}

/// A line about the program itself, on standard error.
pub fn complain(what: &str) {
    let _ = writeln!(stderr(), "osvpn: {what}");
}
