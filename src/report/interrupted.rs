//! What was interrupted, and the commands that continue from there.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::{Conclude, ExitStatus};
use crate::engine::interruption::{Interruption, State};
use crate::plan::shell::{ShellCommand, osvpn};

/// A run or a change that is not done, as `list`, `status` and `doctor` tell it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListedInterruption {
    name: String,
    /// The word that names it alone.
    id: String,
    /// What was being done: "creating hlz-por", "the new key of hlz-por".
    what: String,
    /// `interrupted`, `running` (in another process, right now) or `outstanding` (the VPN is made, and the answer to a
    /// request was lost).
    state: State,
    began: String,
    /// How many objects a creation is known to have made.
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<usize>,
    /// How many more it may have made.
    #[serde(skip_serializing_if = "Option::is_none")]
    may_exist: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<ShellCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback: Option<ShellCommand>,
    #[serde(skip)]
    is_of_creation: bool,
}

impl ListedInterruption {
    pub(crate) fn new(interruption: &Interruption) -> Self {
        let (id, state, course) = (interruption.vpn().to_string(), interruption.state, &interruption.course);
        let is_creation = interruption.is_creation();
        Self {
            name: interruption.name().to_owned(),
            what: if is_creation { format!("creating {}", interruption.name()) } else { course.change.to_string() },
            state,
            began: interruption.began(),
            exists: is_creation.then(|| course.progress.removable().len()),
            may_exist: is_creation.then(|| course.progress.doubts().len()),
            resume: (state != State::Running).then(|| osvpn("resume").operand(&id)),
            rollback: (state == State::Interrupted && course.is_reversible()).then(|| osvpn("rollback").operand(&id)),
            is_of_creation: interruption.is_unmade(),
            id,
        }
    }

    /// The command before which no other does anything to the VPN.
    pub(crate) fn first(&self) -> Option<&ShellCommand> {
        self.resume.as_ref().filter(|_| self.state == State::Interrupted)
    }

    pub(super) fn head(&self) -> String {
        let Self { what, began, state, name, .. } = self;
        let what = format!("{}{}", what[..1].to_uppercase(), &what[1..]);
        let objects = self.objects();
        match state {
            State::Running => format!("{what} is in progress in another osvpn (begun {began})."),
            State::Outstanding => format!(
                "{name} is complete, but an answer was lost while it was created (begun {began}): a second object may \
                 exist, or still appear."
            ),
            State::Interrupted => format!("{what} was interrupted (begun {began}{objects})."),
        }
    }

    fn objects(&self) -> String {
        let exists = match self.exists {
            None => return String::new(),
            Some(1) => "1 object exists".to_owned(),
            Some(count) => format!("{count} objects exist"),
        };
        let more = self.may_exist.filter(|count| *count > 0).map(|count| format!(", and {count} more may"));
        format!("; {exists}{}", more.unwrap_or_default())
    }
}

/// There is no whole VPN yet that could be ACTIVE.
impl Conclude for ListedInterruption {
    fn exit_status(&self) -> ExitStatus {
        if self.is_of_creation { ExitStatus::NotActive } else { ExitStatus::Done }
    }
}

impl Display for ListedInterruption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&super::wrap::hanging("", &self.head()))?;
        let (on, back) = match (self.state, self.exists) {
            (State::Outstanding, _) => ("to look for it, and delete it", ""),
            (_, Some(_)) => ("to create the rest", "to delete what was created"),
            (_, None) => ("to finish it", "to roll it back"),
        };
        let commands = [(&self.resume, on), (&self.rollback, back)].into_iter();
        let commands: Vec<(String, &str)> =
            commands.filter_map(|(command, what)| Some((command.as_ref()?.to_string(), what))).collect();
        let widest = commands.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        for (command, what) in commands {
            writeln!(f, "  {command:<widest$}  {what}")?;
        }
        Ok(())
    }
}
