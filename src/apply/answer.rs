//! What `osvpn apply` says in the end, and the exit code that goes with it.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};

use itertools::Itertools;
use serde::Serialize;
use serde_json::json;

use crate::cloud::{Error, Hidden, printable};
use crate::engine::interruption::Interruption;
use crate::engine::prepare::{PrepareError, refusals};
use crate::engine::resume::KeyError;
use crate::plan::file::FileError;
use crate::plan::psk::NONE_PUBLIC;
use crate::plan::shell::osvpn;
use crate::plan::{Plan, ShellCommand};
use crate::report::change::ChangeOutcome;
use crate::report::health::worst;
use crate::report::{ChangeReport, DryRun, Existing, Failure, Health, ListedInterruption, Listing, Report, Rollback};
use crate::sign_in::Problem;

/// What came of it.
#[derive(Debug)]
pub struct Answer {
    /// How it went.
    pub conclusion: Conclusion,
    /// What is odd about the credentials; known once signed in.
    pub sign_in_warnings: Vec<String>,
}

/// How it went.
#[derive(Debug)]
pub enum Conclusion {
    /// The plan was carried out, as far as it went.
    Report(Box<Report>),
    /// The VPN of the plan is there exactly so.
    Existing(Box<Existing>),
    /// It was only checked.
    DryRun(Box<Plan>),
    /// What a run had made was deleted, as far as that went.
    Rollback(Box<Rollback>),
    /// What there is.
    Listing(Box<Listing>),
    /// How one VPN stands.
    Health(Box<Health>),
    /// What is wrong with one VPN or with each, and those whose creation was interrupted before they had a connection.
    Diagnoses(Vec<Health>, Vec<ListedInterruption>),
    /// There is no connection of the VPN yet: creating it was interrupted.
    Interrupted(Box<ListedInterruption>),
    /// A VPN that exists was changed, as far as that went.
    Change(Box<ChangeReport>),
    /// All VPNs of a kind were, however many these are.
    Changes(Vec<ChangeReport>),
    /// Nothing was made.
    Refused(Box<Refusal>),
}

/// Why nothing was made.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// `unusable`, `refused`, `failed` or `stopped`.
    pub outcome: &'static str,
    /// 2, 4, 1 or 130.
    pub exit_code: u8,
    /// Each reason.
    pub problems: Vec<String>,
    /// Places that were looked at for credentials, and whether something was there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looked_for: Vec<(String, bool)>,
    /// The request that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What is as it was, in a sentence.
    #[serde(skip)]
    unchanged: &'static str,
    /// The command that goes on from here, of a run that was begun before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go_on: Option<ShellCommand>,
}

impl Refusal {
    fn new(outcome: &'static str, exit_code: u8, problems: Vec<String>) -> Self {
        let unchanged = "Nothing was made.";
        // They repeat arguments and names of files.
        let problems = problems.into_iter().map(|text| text.lines().map(printable).join("\n")).collect();
        Self { outcome, exit_code, problems, looked_for: Vec::new(), failure: None, unchanged, go_on: None }
    }

    /// Plan file, key or credentials cannot be used.
    #[must_use]
    pub fn unusable(problems: Vec<String>) -> Self {
        Self::new("unusable", 2, problems)
    }

    /// The plan names what is not there, or is no plan for other reasons.
    #[must_use]
    pub fn unreferenced(errors: &[FileError]) -> Self {
        let problems = errors.iter().map(ToString::to_string).collect();
        if errors.iter().any(FileError::is_unreadable) { Self::unusable(problems) } else { Self::refused(problems) }
    }

    /// The same about a run that has made something before.
    #[must_use]
    pub fn resuming(self) -> Self {
        Self { unchanged: "Nothing was changed.", ..self }
    }

    /// The same of a command that changes nothing in any case, and need not say so.
    #[must_use]
    pub fn reading(self) -> Self {
        Self { unchanged: "", ..self }
    }

    /// The same, and the command to try again with if nothing but a stop or a failed request was in its way.
    #[must_use]
    pub fn resuming_with(self, command: &'static str, vpn: Option<&str>) -> Self {
        let again = matches!(self.outcome, "stopped" | "failed");
        let command = osvpn(command);
        let command = match vpn {
            Some(vpn) => command.operand(vpn),
            None => command,
        };
        Self { go_on: again.then_some(command), ..self.resuming() }
    }

    /// The checks refuse it.
    #[must_use]
    pub fn refused(problems: Vec<String>) -> Self {
        Self::new("refused", 4, problems)
    }

    /// A creation or a change was interrupted, which comes first.
    #[must_use]
    pub fn interrupted(interruption: &Interruption) -> Self {
        Self::refused(vec![ListedInterruption::new(interruption).to_string()])
    }

    /// Nobody can tell from what this sign-in is shown.
    #[must_use]
    pub fn hidden(hidden: Hidden) -> Self {
        Self::new("failed", 1, vec![hidden.to_string()])
    }

    /// A request failed before anything was made.
    pub fn failed(what: impl Into<String>, error: &Error) -> Self {
        Self { failure: Some(Failure::new(what, error)), ..Self::new("failed", 1, Vec::new()) }
    }

    /// There is no sign-in: without a failed request there is nothing to sign in with.
    #[must_use]
    pub fn not_signed_in(problem: Problem) -> Self {
        match &problem.error {
            Some(error) => Self::failed("signing in", error),
            None => Self { looked_for: problem.looked_for, ..Self::unusable(problem.text) },
        }
    }

    /// The user stopped it before anything was made.
    #[must_use]
    pub fn stopped() -> Self {
        Self::new("stopped", 130, vec!["stopped".to_owned()])
    }

    /// The program itself is at fault.
    pub fn internal(error: &dyn Display) -> Self {
        Self::new(
            "failed",
            1,
            vec![format!("internal error: {error}; please report it: osvpn bug-report collects what is needed")],
        )
    }
}

impl From<PrepareError> for Refusal {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Request { doing, error } => Self::failed(doing, &error),
            PrepareError::Hidden(hidden) => Self::refused(vec![hidden.to_string()]),
            PrepareError::Refused(findings) => Self::refused(refusals(&findings)),
            PrepareError::File(errors) => Self::unreferenced(&errors),
            PrepareError::BuiltIn(error) => Self::internal(&error),
            PrepareError::NoSuchRegion { .. }
            | PrepareError::Journal(_)
            | PrepareError::Key(_)
            | PrepareError::Untold { .. } => Self::unusable(vec![error.to_string()]),
        }
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::unusable(vec![error.to_string()])
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))?;
        if let Some(failure) = &self.failure {
            write!(f, "{failure}")?;
        }
        if !self.looked_for.is_empty() {
            writeln!(f, "Looked for:")?;
        }
        for (place, found) in &self.looked_for {
            writeln!(f, "  {}  {place}", if *found { "there   " } else { "missing " })?;
        }
        if !self.unchanged.is_empty() {
            writeln!(f, "{}", self.unchanged)?;
        }
        self.go_on.iter().try_for_each(|command| writeln!(f, "To go on from here:  {command}"))
    }
}

impl Answer {
    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match &self.conclusion {
            Conclusion::Report(report) => report.exit_code(),
            Conclusion::Existing(existing) => existing.exit_code(),
            Conclusion::DryRun(_) => 0,
            Conclusion::Rollback(rollback) => rollback.exit_code(),
            Conclusion::Listing(listing) => listing.exit_code(),
            Conclusion::Health(health) => health.exit_code(),
            Conclusion::Diagnoses(all, interrupted) => worst(all, interrupted),
            Conclusion::Interrupted(interrupted) => interrupted.exit_code(),
            Conclusion::Change(change) => change.exit_code(),
            Conclusion::Changes(changes) => ChangeReport::exit_code_of(changes).unwrap_or(0),
            Conclusion::Refused(refusal) => refusal.exit_code,
        }
    }

    /// Prints it: one JSON document on the output, or text, with refusals on the other output.
    ///
    /// # Errors
    /// As the outputs say.
    pub fn print(&self, json: bool, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
        match &self.conclusion {
            _ if json => writeln!(out, "{:#}", self.json()),
            Conclusion::Report(report) => write!(out, "{report}"),
            Conclusion::Existing(existing) => write!(out, "{existing}"),
            Conclusion::DryRun(plan) => write!(out, "{plan}\nThis was a dry run: nothing was made.\n"),
            Conclusion::Rollback(rollback) => write!(out, "{rollback}"),
            Conclusion::Listing(listing) => write!(out, "{listing}"),
            Conclusion::Health(health) => write!(out, "{health}"),
            Conclusion::Diagnoses(all, interrupted) => {
                in_paragraphs(out, all)?;
                let gap = if all.is_empty() || interrupted.is_empty() { "" } else { "\n" };
                write!(out, "{gap}").and_then(|()| in_paragraphs(out, interrupted))
            }
            Conclusion::Interrupted(interrupted) => write!(out, "{interrupted}"),
            Conclusion::Change(change) => write!(out, "{change}"),
            Conclusion::Changes(changes) if changes.is_empty() => writeln!(out, "Unchanged. {NONE_PUBLIC}"),
            Conclusion::Changes(changes) => in_paragraphs(out, changes),
            Conclusion::Refused(refusal) => write!(err, "{refusal}"),
        }
    }

    fn json(&self) -> serde_json::Value {
        let value = match &self.conclusion {
            Conclusion::Report(report) => serde_json::to_value(report),
            Conclusion::Existing(existing) => serde_json::to_value(existing),
            Conclusion::DryRun(plan) => serde_json::to_value(DryRun::new(plan)),
            Conclusion::Rollback(rollback) => serde_json::to_value(rollback),
            Conclusion::Listing(listing) => serde_json::to_value(listing),
            Conclusion::Health(health) => serde_json::to_value(health),
            Conclusion::Diagnoses(all, interrupted) => {
                let mut value = json!({ "vpns": all, "interrupted": interrupted });
                if let ([health], Some(object)) = (all.as_slice(), value.as_object_mut())
                    && let Some(outcome) = health.outcome()
                {
                    object.insert("outcome".to_owned(), json!(outcome));
                }
                Ok(value)
            }
            Conclusion::Interrupted(interrupted) => serde_json::to_value(interrupted),
            Conclusion::Change(change) => serde_json::to_value(change),
            Conclusion::Changes(all) if all.is_empty() => {
                let outcome = ChangeOutcome::Unchanged;
                serde_json::to_value(json!({ "changes": all, "outcome": outcome, "notes": [NONE_PUBLIC] }))
            }
            Conclusion::Changes(all) => serde_json::to_value(json!({ "changes": all })),
            Conclusion::Refused(refusal) => serde_json::to_value(refusal),
        };
        let mut value = value.unwrap_or_else(|error| json!({ "outcome": "failed", "problems": [error.to_string()] }));
        if let Some(object) = value.as_object_mut() {
            object.insert("exit_code".to_owned(), self.exit_code().into());
            object.insert("sign_in_warnings".to_owned(), self.sign_in_warnings.clone().into());
        }
        value
    }
}

/// One after the other, with an empty line between.
fn in_paragraphs<T: Display>(out: &mut impl Write, all: &[T]) -> io::Result<()> {
    for (number, one) in all.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        write!(out, "{one}")?;
    }
    Ok(())
}
