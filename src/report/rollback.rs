//! What a rollback deleted, and what it could not delete.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::wrap::hanging;
use super::{Conclude, DoubtReport, ExitStatus, FailureReport};
use crate::cloud::Error;
use crate::engine::{Course, Made, WorkEnd, commands};
use crate::plan::ShellCommand;
use crate::plan::shell::osvpn;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RollbackOutcome {
    Undone,
    Left,
    Stopped,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RollbackReport {
    pub(super) outcome: RollbackOutcome,
    pub(super) name: String,
    /// The id in the markers of its objects.
    id: String,
    pub(super) deleted: usize,
    pub(super) failures: Vec<FailureReport>,
    pub(super) doubtful: Vec<DoubtReport>,
    /// Objects that carry the marker and are not what this program sends, which stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) spared: Vec<String>,
    /// Commands that remove what is left, in the order that works.
    removal: Vec<ShellCommand>,
}

impl RollbackReport {
    pub(crate) fn new(course: &Course, deleted: usize, ended: &WorkEnd) -> Self {
        let lost_requests = |error| FailureReport::new("looking for objects of lost requests", error);
        let (outcome, failures) = match ended {
            WorkEnd::Done => (RollbackOutcome::Undone, Vec::new()),
            WorkEnd::Failed(_, error) if course.not_deleted.is_empty() => {
                (RollbackOutcome::Left, vec![lost_requests(error)])
            }
            WorkEnd::Failed(..) => {
                let failure = |(made, error): &(Made, Error)| {
                    let Made { region, task, id, .. } = made;
                    FailureReport::new(format!("deleting {region}: {} {id}", task.step.label()), error)
                };
                (RollbackOutcome::Left, course.not_deleted.iter().map(failure).collect())
            }
            WorkEnd::Unsettled(_, error) => {
                (RollbackOutcome::Left, error.iter().map(|error| lost_requests(error)).collect())
            }
            _ => (RollbackOutcome::Stopped, Vec::new()),
        };
        Self {
            outcome,
            name: course.change.label.clone(),
            id: course.change.subject.to_string(),
            deleted,
            failures,
            doubtful: DoubtReport::all(course),
            spared: Vec::new(),
            removal: commands::removal(&course.progress.removable()),
        }
        .sparing(course.progress.left_alone())
    }

    /// The same, where these carry the marker and were not deleted on the word of their description alone.
    pub(crate) fn sparing(mut self, renamed: &[Made]) -> Self {
        if self.outcome == RollbackOutcome::Undone && !renamed.is_empty() {
            self.outcome = RollbackOutcome::Left;
        }
        let object = |made: &Made| format!("{} {} ({})", made.region, made.name, made.id);
        self.spared.extend(renamed.iter().map(object));
        self
    }
}

impl Conclude for RollbackReport {
    fn exit_status(&self) -> ExitStatus {
        match self.outcome {
            RollbackOutcome::Undone => ExitStatus::Done,
            RollbackOutcome::Stopped => ExitStatus::Stopped,
            RollbackOutcome::Left => ExitStatus::Failed,
        }
    }
}

impl RollbackReport {
    pub(super) fn brief_headline(&self) -> String {
        self.headline(&self.name)
    }

    fn headline(&self, name: &str) -> String {
        let deleted = self.deleted;
        let objects = if deleted == 1 { "1 object is".to_owned() } else { format!("{deleted} objects are") };
        let what = match self.outcome {
            RollbackOutcome::Undone => format!("is rolled back: {objects} deleted, and nothing of it is left"),
            RollbackOutcome::Stopped => format!("is not rolled back yet, because you stopped it: {objects} deleted"),
            RollbackOutcome::Left => format!("is not rolled back completely: {objects} deleted"),
        };
        format!("VPN {name} {what}.")
    }
}

impl Display for RollbackReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { outcome, name, id, .. } = self;
        f.write_str(&hanging("", &self.headline(&format!("{name} (osvpn:{id})"))))?;
        self.failures.iter().try_for_each(|failure| write!(f, "\n{failure}"))?;
        if !self.spared.is_empty() {
            let spared = self.spared.join(", ");
            writeln!(f, "\nKept: they carry its marker, and are not as osvpn sends them: {spared}")?;
        }
        if !self.removal.is_empty() {
            writeln!(f, "\nWhat is left; to delete it by hand, in this order:")?;
        }
        self.removal.iter().try_for_each(|command| writeln!(f, "  {command}"))?;
        self.doubtful.iter().try_for_each(|doubt| write!(f, "\n{}", doubt.text("The")))?;
        match outcome {
            RollbackOutcome::Undone => Ok(()),
            _ => writeln!(f, "\nTo continue the rollback:  {}", osvpn("rollback").operand(id)),
        }
    }
}
