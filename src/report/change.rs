//! What came of a change of a VPN that exists.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use serde::Serialize;

use super::{Failure, Health};
use crate::change::Verb;
use crate::provision::change::{ChangeError, Changed, Course, Direction, End};
use crate::wizard::carried::{Carried, Stage};

/// How a change ended.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeReport {
    /// `done`, `taken-back`, `unsettled`, `failed` or `stopped`.
    pub outcome: &'static str,
    /// What was to be done.
    pub verb: Verb,
    /// What the VPN is called.
    pub name: String,
    /// The word that names it alone.
    pub id: String,
    /// Each step and what came of it.
    pub steps: Vec<StepReport>,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Until when a request whose answer was lost may still take effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsettled_until: Option<String>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Whether it can be taken back.
    pub is_reversible: bool,
    /// How the VPN stands afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Health>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// What it is.
    pub step: String,
    /// `done`, `kept` or `open`.
    pub outcome: &'static str,
    /// Why it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl ChangeReport {
    /// Of a change that ended like that.
    #[must_use]
    pub fn new(course: &Course, ended: Result<Changed, ChangeError>, direction: Direction) -> Self {
        let change = &course.change;
        let done = if direction == Direction::Back { "taken-back" } else { "done" };
        let step = |number: usize| change.steps().get(number).map(ToString::to_string).unwrap_or_default();
        let mut unsettled = None;
        let (outcome, failure) = match ended {
            Ok(Changed::Done) => (done, None),
            Ok(Changed::Unsettled(until, error)) => {
                unsettled = Some(until);
                let what = "looking for what a lost request may have done";
                ("unsettled", error.map(|error| Failure::new(what, &error)))
            }
            Err(ChangeError::Failed(number, error)) => ("failed", Some(Failure::new(step(number), &error))),
            Err(ChangeError::Stopped) => ("stopped", None),
            Err(ChangeError::KeyNeeded(number)) => {
                let text = "the key was typed in by you and is kept nowhere; give it again with --psk-file PATH, or in \
                            OSVPN_PSK";
                ("failed", Some(Failure::plain(step(number), text)))
            }
            Err(ChangeError::TooLate) => {
                let text =
                    "it cannot be taken back any more: something is deleted, or both halves may have the new key";
                ("failed", Some(Failure::plain(format!("taking back {change}"), text)))
            }
        };
        let steps = course.ends.iter().enumerate().map(|(number, end)| StepReport {
            step: step(number),
            outcome: match end {
                None => "open",
                Some(End::Kept(_)) => "kept",
                Some(_) => "done",
            },
            why: if let Some(End::Kept(why)) = end { Some(why.clone()) } else { None },
        });
        Self {
            outcome,
            verb: change.verb,
            name: change.label.clone(),
            id: change.subject.to_string(),
            steps: steps.collect(),
            failure,
            unsettled_until: unsettled.map(clock),
            notes: Vec::new(),
            is_reversible: course.is_reversible,
            after: None,
        }
    }

    /// The report of a change in the wizard; none of one that could not even begin. One that nobody waits for any more was
    /// stopped.
    #[must_use]
    pub fn of_carried(carried: &Carried) -> Option<Self> {
        let ended = match &carried.stage {
            Stage::NotBegun(_) => return None,
            Stage::Working => Err(ChangeError::Stopped),
            Stage::Ended(ended) => ended.clone(),
        };
        let mut report = Self::new(&carried.course, ended, carried.direction);
        report.notes.clone_from(&carried.notes);
        let health = |(vpn, diagnosis): &(_, _)| Health::new(vpn, diagnosis).without_surroundings();
        report.after = carried.after.as_deref().map(health);
        Some(report)
    }

    /// Whether it is done for good.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, "done" | "taken-back")
    }

    /// 0 if it is done; then, where the VPN was looked at afterwards, the code of its condition. 130 after a stop, 1
    /// otherwise.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (self.outcome, &self.after) {
            ("done" | "taken-back", Some(after)) => after.exit_code,
            ("done" | "taken-back", None) => 0,
            ("stopped", _) => 130,
            _ => 1,
        }
    }
}

fn clock(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl Display for ChangeReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let what = format!("{} {}", self.verb.noun(), self.name);
        let what = what.trim_start_matches("the ");
        match self.outcome {
            "done" => writeln!(f, "The {what} is done.")?,
            "taken-back" => writeln!(f, "The {what} is taken back.")?,
            "stopped" => writeln!(f, "The {what} was stopped.")?,
            "unsettled" => writeln!(
                f,
                "The {what} is done, but an answer was lost: until {} the cloud may still act on it.",
                self.unsettled_until.as_deref().unwrap_or("later")
            )?,
            _ => writeln!(f, "The {what} failed.")?,
        }
        if let Some(failure) = &self.failure {
            write!(f, "\n{failure}")?;
        }
        let open = self.steps.iter().filter(|step| step.outcome == "open").count();
        for step in self.steps.iter().filter(|step| step.outcome == "kept") {
            writeln!(f, "kept, because something else uses it: {}", step.step)?;
        }
        if !self.is_done() && open < self.steps.len() {
            writeln!(f, "{} of {} steps are done.", self.steps.len() - open, self.steps.len())?;
        }
        if !self.is_done() {
            writeln!(f, "\nTo go on:      osvpn resume {}", self.id)?;
            if self.is_reversible {
                writeln!(f, "To take back:  osvpn rollback {}", self.id)?;
            }
        }
        if let Some(after) = &self.after {
            write!(f, "\n{after}")?;
        }
        Ok(())
    }
}
