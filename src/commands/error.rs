//! The one error of all commands: any other becomes one by `?`.

use std::fmt::{Display, Write as _};

use itertools::Itertools;
use serde_json::{Value, json};

use crate::change;
use crate::cloud::{Error, Hidden, printable};
use crate::engine::interruption::Interruption;
use crate::engine::journal::JournalError;
use crate::engine::prepare::{PrepareError, refusals};
use crate::engine::resume::KeyError;
use crate::plan::ShellCommand;
use crate::plan::file::FileError;
use crate::report::{ExitStatus, FailureReport, ListedInterruption, hanging};
use crate::sign_in::Problem;

/// The places that were searched, in as few lines as they need: what is there, then what is not.
pub(super) fn searched_in_words(looked_for: &[(String, bool)]) -> String {
    let line = |is_there: bool, what: &str| {
        let places = looked_for.iter().filter(|(_, there)| *there == is_there).map(|(place, _)| place).join(", ");
        if places.is_empty() { String::new() } else { hanging("", &format!("{what}: {places}")) }
    };
    line(true, "Found, but of no use") + &line(false, "Looked for, and not there")
}

#[derive(Debug)]
pub(crate) struct CommandError {
    pub(super) status: ExitStatus,
    details: Box<Details>,
}

#[derive(Debug, Default)]
struct Details {
    problems: Vec<String>,
    hints: Vec<String>,
    /// Places that were looked at for credentials, and whether something was there.
    looked_for: Vec<(String, bool)>,
    failure: Option<FailureReport>,
    go_on: Option<ShellCommand>,
}

impl CommandError {
    pub(super) fn new(status: ExitStatus, problems: impl IntoIterator<Item = String>) -> Self {
        Self { status, details: Box::new(Details { problems: problems.into_iter().collect(), ..Details::default() }) }
    }

    /// Arguments, plan file, key or credentials cannot be used.
    pub(super) fn unusable(problem: impl Display) -> Self {
        Self::new(ExitStatus::Usage, [problem.to_string()])
    }

    pub(super) fn refused(problem: impl Display) -> Self {
        Self::new(ExitStatus::Refused, [problem.to_string()])
    }

    /// Unknown, because this sign-in is not shown VPN objects.
    pub(super) fn hidden(hidden: Hidden) -> Self {
        Self::new(ExitStatus::Failed, [hidden.to_string()])
    }

    /// A request failed before anything was changed.
    pub(super) fn failed(doing: impl Into<String>, error: &Error) -> Self {
        let mut failed = Self::new(ExitStatus::Failed, []);
        failed.details.failure = Some(FailureReport::new(doing, error));
        failed
    }

    /// The user stopped it before anything was changed.
    pub(super) fn stopped() -> Self {
        Self::new(ExitStatus::Stopped, ["stopped".to_owned()])
    }

    /// The program itself is at fault.
    pub(super) fn internal(error: impl Display) -> Self {
        let problem = format!("internal error: {error}; please report it: osvpn bug-report collects what is needed");
        Self::new(ExitStatus::Failed, [problem])
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.details.hints.push(hint.into());
        self
    }

    /// With the command to try again with, if only a stop or a failed request was in its way.
    pub(super) fn go_on_with(mut self, command: ShellCommand) -> Self {
        if matches!(self.status, ExitStatus::Stopped | ExitStatus::Failed) {
            self.details.go_on = Some(command);
        }
        self
    }

    /// What went wrong, for one line: without advice.
    pub(super) fn in_short(&self) -> String {
        let Details { problems, failure, .. } = &*self.details;
        let failure = failure.as_ref().map(|failure| format!("{} failed: {}", failure.what, failure.message));
        failure.into_iter().chain(problems.iter().cloned()).join("; ")
    }

    pub(super) fn reasons(&self) -> String {
        self.details.problems.join("; ")
    }

    /// What it says and what to do, in the lines of a terminal: arguments and names of files are repeated in it.
    fn problems(&self) -> impl Iterator<Item = String> {
        let Details { problems, hints, .. } = &*self.details;
        problems.iter().chain(hints).map(|text| text.lines().map(printable).join("\n"))
    }

    /// As a person reads it; after the reasons comes what is as it was.
    pub(super) fn text(&self, untouched: &str) -> String {
        let Details { looked_for, failure, go_on, .. } = &*self.details;
        let mut text: String = self.problems().map(|line| line + "\n").collect();
        if let Some(failure) = failure {
            let _ = write!(text, "{failure}");
        }
        text.push_str(&searched_in_words(looked_for));
        if !untouched.is_empty() {
            let _ = writeln!(text, "{untouched}");
        }
        if let Some(command) = go_on {
            let _ = writeln!(text, "To continue:  {command}");
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let Details { looked_for, failure, go_on, .. } = &*self.details;
        let outcome = match self.status {
            ExitStatus::Usage => "unusable",
            ExitStatus::Refused => "refused",
            ExitStatus::Stopped => "stopped",
            _ => "failed",
        };
        let mut json = json!({ "outcome": outcome, "problems": self.problems().collect::<Vec<_>>() });
        if !looked_for.is_empty() {
            json["looked_for"] = json!(looked_for);
        }
        if let Some(failure) = failure {
            json["failure"] = json!(failure);
        }
        if let Some(command) = go_on {
            json["go_on"] = json!(command);
        }
        json
    }
}

impl From<PrepareError> for CommandError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Request { doing, error } => Self::failed(doing, &error),
            PrepareError::Hidden(hidden) => Self::refused(hidden),
            PrepareError::Refused(findings) => Self::new(ExitStatus::Refused, refusals(&findings)),
            PrepareError::File(errors) => errors.into(),
            PrepareError::BuiltIn(error) => error.into(),
            PrepareError::NoSuchRegion { .. }
            | PrepareError::Journal(_)
            | PrepareError::Key(_)
            | PrepareError::Untold { .. } => Self::unusable(error),
        }
    }
}

/// The plan names what is not there, or cannot be read at all.
impl From<Vec<FileError>> for CommandError {
    fn from(errors: Vec<FileError>) -> Self {
        let is_unreadable = errors.iter().any(FileError::is_unreadable);
        let status = if is_unreadable { ExitStatus::Usage } else { ExitStatus::Refused };
        Self::new(status, errors.iter().map(ToString::to_string))
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        Self::unusable(error)
    }
}

impl From<KeyError> for CommandError {
    fn from(error: KeyError) -> Self {
        Self::unusable(error)
    }
}

impl From<change::Refused> for CommandError {
    fn from(change::Refused(problems): change::Refused) -> Self {
        Self::new(ExitStatus::Refused, problems)
    }
}

/// A creation or a change was interrupted, which comes first.
impl From<&Interruption> for CommandError {
    fn from(interruption: &Interruption) -> Self {
        Self::refused(ListedInterruption::new(interruption))
    }
}

/// Without a failed request there is nothing to sign in with.
impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        if let Some(error) = &problem.error {
            let mut failed = Self::failed("signing in", error);
            // Which cloud, user and project were tried.
            failed.details.problems.extend(problem.text.into_iter().next());
            return failed;
        }
        let mut unusable = Self::new(ExitStatus::Usage, problem.text);
        unusable.details.looked_for = problem.looked_for;
        unusable
    }
}

/// The program's own tables are broken.
impl From<toml::de::Error> for CommandError {
    fn from(error: toml::de::Error) -> Self {
        Self::internal(error)
    }
}
