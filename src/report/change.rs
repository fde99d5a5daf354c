//! How a change ended.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use serde::Serialize;

use super::wrap::hanging;
use super::{Conclude, ExitStatus, FailureReport, Health};
use crate::change::{Change, LeftVpn, Proposal, Verb};
use crate::cloud::ErrorKind;
use crate::engine::{Caveat, Course, Direction, End, WorkEnd};
use crate::plan::ShellCommand;
use crate::plan::shell::{osvpn, remove_file};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeOutcome {
    Done,
    RolledBack,
    Unchanged,
    /// It was only to be shown.
    DryRun,
    /// It is done, but a request whose answer was lost may still take effect.
    Unsettled,
    Failed,
    /// Another run changed the same at the same time; this change is rolled back.
    Overtaken,
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    Done,
    /// It was done, and not seen to take effect.
    Unnoticed,
    /// Something else uses the object, so it is still there.
    Kept,
    /// It is not done, or rolled back.
    Open,
}

#[derive(Clone, Debug, Serialize)]
pub struct CaveatReport {
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<ShellCommand>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ChangeReport {
    pub outcome: ChangeOutcome,
    #[serde(skip)]
    pub direction: Direction,
    /// Whether the user has asked to stop while it was at work.
    #[serde(skip)]
    pub is_stop_wanted: bool,
    #[serde(skip)]
    pub is_begun: bool,
    pub verb: Verb,
    pub name: String,
    /// The word that names it alone.
    pub id: String,
    /// That of a VPN that has got markers by it.
    #[serde(skip)]
    pub new_id: Option<String>,
    pub steps: Vec<StepReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReport>,
    /// Until when a request whose answer was lost may still take effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsettled_until: Option<String>,
    pub notes: Vec<String>,
    /// The other VPNs that it interrupts, by name, where that is known before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<CaveatReport>,
    pub is_reversible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go_on: Option<ShellCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Health>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    pub step: String,
    pub outcome: StepOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl ChangeReport {
    #[must_use]
    pub fn new(course: &Course, ended: &WorkEnd, direction: Direction) -> Self {
        let change = &course.change;
        let done = if direction == Direction::Back { ChangeOutcome::RolledBack } else { ChangeOutcome::Done };
        let step = |number: usize| change.steps().get(number).map(ToString::to_string).unwrap_or_default();
        let mut unsettled = None;
        let (outcome, failure) = match ended {
            WorkEnd::Done | WorkEnd::Active | WorkEnd::NotYet(_) => (done, None),
            WorkEnd::Unsettled(until, error) => {
                unsettled = Some(*until);
                let what = "looking for the effect of a lost request";
                (ChangeOutcome::Unsettled, error.as_ref().map(|error| FailureReport::new(what, error)))
            }
            WorkEnd::Failed(number, error) => {
                let is_over = error.kind == ErrorKind::Overtaken && !course.is_begun();
                let outcome = if is_over { ChangeOutcome::Overtaken } else { ChangeOutcome::Failed };
                (outcome, Some(FailureReport::new(step(*number), error)))
            }
            WorkEnd::Stopped | WorkEnd::Lost(_) => (ChangeOutcome::Stopped, None),
            WorkEnd::NotBegun(why) => {
                (ChangeOutcome::Failed, Some(FailureReport::plain(change.to_string(), &why.join("; "))))
            }
            WorkEnd::KeyNeeded(number) => {
                let text = "you typed the key, and osvpn stores it nowhere; give it again with --psk-file PATH, or in OSVPN_PSK";
                (ChangeOutcome::Failed, Some(FailureReport::plain(step(*number), text)))
            }
            WorkEnd::TooLate => {
                let why = course.why_final().unwrap_or_default();
                let text = format!("it cannot be rolled back any more: {why}");
                (ChangeOutcome::Failed, Some(FailureReport::plain(format!("rolling back {change}"), &text)))
            }
        };
        let ends = course.ends();
        let steps = ends.iter().enumerate().map(|(number, end)| StepReport {
            step: step(number),
            outcome: match end {
                None => StepOutcome::Open,
                Some(End::Kept(_)) => StepOutcome::Kept,
                Some(End::Unnoticed(_)) => StepOutcome::Unnoticed,
                Some(End::Made(_) | End::Existed | End::Changed | End::Gone) => StepOutcome::Done,
            },
            why: if let Some(End::Kept(why)) = end { Some(why.clone()) } else { None },
        });
        let go_on = course.journal.is_some().then(|| course.go_on(direction));
        let caveat = |caveat: &Caveat| CaveatReport { text: caveat.text(go_on.as_ref()), command: caveat.command() };
        Self {
            outcome,
            direction,
            is_stop_wanted: false,
            is_begun: !matches!(ended, WorkEnd::NotBegun(_)),
            verb: change.verb,
            name: change.label.clone(),
            id: change.subject.to_string(),
            new_id: change.new_id.as_ref().map(ToString::to_string),
            steps: steps.collect(),
            failure,
            unsettled_until: unsettled.map(clock),
            notes: Vec::new(),
            interrupts: None,
            caveats: course.caveats.iter().map(caveat).collect(),
            is_reversible: course.is_reversible(),
            go_on,
            journal: course.journal.as_ref().map(|journal| journal.display().to_string()),
            after: None,
        }
    }

    #[must_use]
    pub fn unchanged(change: Change, why: Vec<String>) -> Self {
        let report = Self::new(&Course::new(change), &WorkEnd::Done, Direction::Forward);
        Self { outcome: ChangeOutcome::Unchanged, notes: why, is_reversible: false, ..report }
    }

    /// Of a change that could not even begin, and why.
    #[must_use]
    pub fn not_begun(change: Change, why: &str) -> Self {
        Self::new(&Course::new(change), &WorkEnd::NotBegun(vec![why.to_owned()]), Direction::Forward)
    }

    /// Of a change that was agreed to together with one before, which is not done, or after which the user has stopped.
    #[must_use]
    pub fn left(change: Change, broken: Option<&Self>, is_stopped: bool) -> Self {
        if is_stopped {
            let outcome = ChangeOutcome::Stopped;
            return Self { outcome, ..Self::not_begun(change, "not begun, because you stopped before it") };
        }
        let Some(broken) = broken.filter(|broken| broken.is_done()) else {
            return Self::not_begun(change, "The one before is not done.");
        };
        let look = osvpn("doctor").operand(broken.id_now());
        let why = format!("{} is not up; once it is ({look}), the same command goes on.", broken.name);
        Self::not_begun(change, &why)
    }

    /// Of a change that is shown and not begun.
    #[must_use]
    pub fn proposed(proposal: Proposal) -> Self {
        if proposal.is_empty() {
            return Self::unchanged(proposal.change, proposal.notes);
        }
        let notes = proposal.all_notes();
        let interrupts = proposal.impact.map(|impact| impact.interrupts);
        Self { outcome: ChangeOutcome::DryRun, interrupts, ..Self::unchanged(proposal.change, notes) }
    }

    /// Notes that the VPN could not be read afterwards.
    pub(crate) fn unseen(&mut self, why: &str) {
        let text = format!("The VPN could not be read afterwards: {why}.");
        self.caveats.push(CaveatReport { text, command: Some(osvpn("status").operand(self.id_now())) });
    }

    /// The word that names it alone now.
    pub(crate) fn id_now(&self) -> &str {
        self.new_id.as_deref().filter(|_| self.outcome == ChangeOutcome::Done).unwrap_or(&self.id)
    }

    pub fn is_done(&self) -> bool {
        use ChangeOutcome::{Done, DryRun, RolledBack, Unchanged};
        matches!(self.outcome, Done | RolledBack | Unchanged | DryRun)
    }
}

/// Of one that is done: how the VPN stands afterwards, if it was looked at; a caveat is a failure.
impl Conclude for ChangeReport {
    fn exit_status(&self) -> ExitStatus {
        match self.outcome {
            ChangeOutcome::Stopped => ExitStatus::Stopped,
            ChangeOutcome::Failed | ChangeOutcome::Unsettled => ExitStatus::Failed,
            ChangeOutcome::Overtaken => ExitStatus::Refused,
            ChangeOutcome::Done | ChangeOutcome::RolledBack | ChangeOutcome::Unchanged | ChangeOutcome::DryRun => {
                let after = self.after.as_ref().map_or(ExitStatus::Done, Conclude::exit_status);
                if after == ExitStatus::Done && !self.caveats.is_empty() { ExitStatus::Failed } else { after }
            }
        }
    }
}

/// The changes of all VPNs of a kind, however many these are.
#[derive(Debug, Serialize)]
pub struct ChangeReports {
    changes: Vec<ChangeReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<ChangeOutcome>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
    /// VPNs that are not changed though they might need it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<LeftReport>,
    /// All of it in short.
    #[serde(skip)]
    shown: Option<String>,
}

#[derive(Debug, Serialize)]
struct LeftReport {
    name: String,
    why: String,
}

impl ChangeReports {
    #[must_use]
    pub fn new(changes: Vec<ChangeReport>, of_none: &'static str) -> Self {
        let (outcome, notes) =
            if changes.is_empty() { (Some(ChangeOutcome::Unchanged), vec![of_none]) } else { (None, Vec::new()) };
        Self { changes, outcome, notes, left: Vec::new(), shown: None }
    }

    /// With those that stay as they are.
    #[must_use]
    pub fn with_left(mut self, left: Vec<LeftVpn>) -> Self {
        self.left = left.into_iter().map(|LeftVpn { name, why }| LeftReport { name, why }).collect();
        self
    }

    /// What is only shown, in a text that is short enough for all of them.
    #[must_use]
    pub fn shown_as(self, text: String, left: Vec<LeftVpn>) -> Self {
        Self { shown: Some(text), ..self.with_left(left) }
    }

    /// What is not done counts more than how something that is done stands. None of none.
    pub fn exit_status_of(changes: &[ChangeReport]) -> Option<ExitStatus> {
        let undone = changes.iter().find(|change| !change.is_done()).map(Conclude::exit_status);
        undone.or_else(|| changes.iter().map(Conclude::exit_status).max())
    }
}

impl Conclude for ChangeReports {
    fn exit_status(&self) -> ExitStatus {
        Self::exit_status_of(&self.changes).unwrap_or(ExitStatus::Done)
    }
}

impl Display for ChangeReports {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.notes.iter().try_for_each(|note| writeln!(f, "Unchanged. {note}"))?;
        if let Some(shown) = &self.shown {
            let first = if self.changes.is_empty() { "" } else { "Not done, only shown. " };
            return write!(f, "{first}{shown}");
        }
        // The command that continues is the last thing said.
        let (last, first): (Vec<_>, Vec<_>) = self.changes.iter().partition(|change| change.go_on.is_some());
        f.write_str(&first.into_iter().chain(last).map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }
}

fn clock(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl Display for ChangeReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&hanging("", &self.headline()))?;
        if self.outcome == ChangeOutcome::DryRun {
            // What matters comes before the many steps of an upgrade.
            let (first, last) =
                if self.interrupts.is_some() { (&self.notes[..], &[][..]) } else { (&[][..], &self.notes[..]) };
            first.iter().try_for_each(|note| f.write_str(&hanging("  ", note)))?;
            if !first.is_empty() {
                f.write_str("Steps:\n")?;
            }
            self.steps.iter().try_for_each(|step| f.write_str(&hanging("  ", &step.step)))?;
            last.iter().try_for_each(|note| f.write_str(&hanging("note: ", note)))?;
        }
        if self.outcome == ChangeOutcome::Unchanged {
            self.notes.iter().try_for_each(|note| f.write_str(&hanging("  ", note)))?;
        }
        if let Some(failure) = self.failure.as_ref().filter(|_| self.outcome != ChangeOutcome::Stopped) {
            if self.is_begun {
                write!(f, "\n{failure}")?;
            } else {
                f.write_str(&hanging("  ", &failure.message))?;
            }
        }
        for caveat in &self.caveats {
            write!(f, "\n{}", hanging("warning: ", &caveat.text))?;
            caveat.command.iter().try_for_each(|command| writeln!(f, "  {command}"))?;
        }
        let open = self.steps.iter().filter(|step| step.outcome == StepOutcome::Open).count();
        for step in self.steps.iter().filter(|step| step.outcome == StepOutcome::Kept) {
            writeln!(f, "kept, because something else uses it: {}", step.step)?;
        }
        if !self.is_done() && open < self.steps.len() {
            writeln!(f, "{}", self.steps_done())?;
            if open > 0 && self.go_on.is_some() && !self.is_reversible && self.direction == Direction::Forward {
                writeln!(f, "It cannot be rolled back any more. Until it is continued, {} may be down.", self.name)?;
            }
        }
        self.way_on(f)?;
        if let Some(after) = &self.after {
            write!(f, "\n{after}")?;
        }
        Ok(())
    }
}

impl ChangeReport {
    pub(super) fn headline(&self) -> String {
        let (name, what) = (&self.name, format!("{} {}", self.verb.noun(), self.name));
        let (done, failed) = match self.direction {
            Direction::Forward => ("Done", "Failed"),
            Direction::Back => ("Rolled back", "Not rolled back"),
        };
        match self.outcome {
            ChangeOutcome::Done => match self.verb {
                Verb::Delete => format!("Deleted {name}."),
                Verb::Repair => format!("Created the missing half of {name}."),
                Verb::AdmitTraffic => format!("Added the security-group rules of {name}."),
                _ => format!("{done}: {what}."),
            },
            ChangeOutcome::RolledBack => format!("{done}: {what}."),
            ChangeOutcome::Unchanged => format!("Unchanged: {name}."),
            ChangeOutcome::DryRun => format!("Not done, only shown: {what}."),
            ChangeOutcome::Stopped if self.failure.is_some() => {
                format!("Not begun, because you stopped before it: {what}.")
            }
            ChangeOutcome::Stopped if self.direction == Direction::Back => format!("Stopped: rolling back {what}."),
            ChangeOutcome::Stopped => format!("Stopped: {what}."),
            ChangeOutcome::Unsettled => format!(
                "{done}: {what}. But an answer was lost, and the cloud may still process that request until {}.",
                self.unsettled_until.as_deref().unwrap_or("later")
            ),
            ChangeOutcome::Overtaken => format!("Not done: {what}."),
            ChangeOutcome::Failed if !self.is_begun => format!("Not begun: {what}."),
            ChangeOutcome::Failed => format!("{failed}: {what}."),
        }
    }

    pub(super) fn steps_done(&self) -> String {
        let open = self.steps.iter().filter(|step| step.outcome == StepOutcome::Open).count();
        let done = format!("{} of {} steps are done.", self.steps.len() - open, self.steps.len());
        let is_final = self.direction == Direction::Forward && !self.is_reversible;
        if is_final { format!("{done} It cannot be rolled back any more.") } else { done }
    }

    /// The next commands; the last one continues.
    pub(super) fn ways(&self) -> Vec<(&'static str, ShellCommand)> {
        // What has no VPN has no name either.
        let called =
            |command: ShellCommand| if self.verb.leaves_a_vpn() { command.called(&self.name) } else { command };
        let mut ways = Vec::new();
        let is_wrong = |after: &&Health| after.exit_status() != ExitStatus::Done;
        let wrong = self.after.as_ref().filter(is_wrong);
        ways.extend(wrong.map(|after| ("What it means and what to do:", called(after.doctor()))));
        if let Some(go_on) = &self.go_on {
            if self.is_reversible && self.direction == Direction::Forward {
                ways.push(("To roll back:", called(osvpn("rollback").operand(&self.id))));
            }
            ways.push(("To continue:", called(go_on.clone())));
        }
        ways
    }

    /// Without a journal there is nothing to continue, and the commands would find the VPN itself.
    fn way_on(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(go_on) = &self.go_on else { return Ok(()) };
        writeln!(f, "\nTo continue:   {go_on}")?;
        if self.is_reversible && self.direction == Direction::Forward {
            writeln!(f, "To roll back:  {}", osvpn("rollback").operand(&self.id))?;
        }
        if let (ChangeOutcome::Failed, Some(journal)) = (self.outcome, &self.journal) {
            writeln!(f, "To leave it as it is, and forget the change:\n  {}", remove_file(journal))?;
        }
        Ok(())
    }
}
