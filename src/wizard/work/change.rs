//! A change of VPNs that exist, or its way back, as work.

use std::time::Duration;

use jiff::Timestamp;

use super::{Button, End, Job, Outcome, Row, RowState, Stage, What, Work};
use crate::change::{self, Change, Step};
use crate::cloud::Id;
use crate::engine::{self, ChangeError, ChangeEvent, Changed, Course, Direction};
use crate::inspect::{Diagnosis, Vpn};
use crate::plan::ShellCommand;
use crate::wizard::vpn::capitalised;

/// The place of a change among several that were agreed to at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Counted from 1.
    pub number: usize,
    pub of: usize,
}

/// What only a change has.
#[derive(Clone, Debug)]
pub struct ChangeJob {
    pub course: Course,
    pub notes: Vec<String>,
    pub turn: Option<Turn>,
    /// Until when a lost request may still be carried out, while only that is waited for.
    pub settling: Option<Timestamp>,
    /// Objects that lost requests had created, and that were deleted.
    pub removed: Vec<Id>,
    pub has_vpn: bool,
    /// The VPN afterwards, once it was read and compared.
    pub after: Option<Box<(Vpn, Diagnosis)>>,
}

impl ChangeJob {
    pub const fn change(&self) -> &Change {
        &self.course.change
    }

    /// Whether it is a change of that VPN: by its subject, or by its name if that is no other one's.
    pub fn is_of(&self, vpn: &Vpn, all: &[Vpn]) -> bool {
        let Change { verb, subject, label, .. } = self.change();
        let is_known = || all.iter().any(|vpn| change::is_of(subject, vpn));
        verb.is_about_a_vpn() && (change::is_of(subject, vpn) || *label == vpn.name && !is_known())
    }
}

impl From<engine::End> for Outcome {
    fn from(end: engine::End) -> Self {
        match end {
            engine::End::Made(id) => Self::Created(id),
            engine::End::Existed => Self::Existed,
            engine::End::Changed => Self::Changed,
            engine::End::Gone => Self::Gone,
            engine::End::Kept(why) => Self::Kept(why),
            engine::End::Unnoticed(_) => Self::Unnoticed,
        }
    }
}

fn ended(end: Option<&engine::End>) -> RowState {
    end.map_or(RowState::Waiting, |end| RowState::Done(end.clone().into(), None))
}

impl Work {
    #[must_use]
    pub fn change_vpn(course: Course, notes: Vec<String>, direction: Direction, now: Duration) -> Self {
        let steps = course.change.steps().iter().zip(&course.ends);
        let row = |(step, end): (&Step, &Option<engine::End>)| Row {
            what: What::Step(step.to_string()),
            state: ended(end.as_ref()),
        };
        let rows = steps.map(row).collect();
        let job =
            ChangeJob { course, notes, turn: None, settling: None, removed: Vec::new(), has_vpn: false, after: None };
        Self::of(Job::Change(Box::new(job)), direction, rows, now)
    }

    pub(super) fn heading_of_change(&self, job: &ChangeJob) -> String {
        let what = job.change().to_string();
        let turn = job.turn.map(|Turn { number, of }| format!(" ({number} of {of})")).unwrap_or_default();
        let named = capitalised(what.trim_start_matches("the ")) + &turn;
        let state = match (&self.stage, self.direction) {
            (Stage::Working | Stage::Watching, _) if job.settling.is_some() => "checking the lost request",
            (Stage::Working | Stage::Watching, Direction::Forward) => "in progress",
            (Stage::Working | Stage::Watching, Direction::Back) => "being rolled back",
            (Stage::Ended(End::NotBegun(_)), _) => "not begun",
            (Stage::Ended(End::Done), Direction::Forward) => "done",
            (Stage::Ended(End::Done), Direction::Back) => "rolled back",
            (Stage::Ended(End::Unsettled(..)), _) => "done, one request unconfirmed",
            (Stage::Ended(End::Stopped), _) => "stopped",
            (Stage::Ended(_), _) => "stopped at a failure",
        };
        format!("{named}: {state}")
    }

    pub(super) fn buttons_of_change(&self, job: &ChangeJob, end: &End) -> Vec<Button> {
        let back = Some(if job.has_vpn { Button::ShowVpn } else { Button::YourVpns });
        let roll_back = (self.is_reversible() && self.has_begun()).then_some(Button::RollBack);
        let buttons = match end {
            End::NotBegun(_) | End::Done => [back, None, None],
            End::Unsettled(..) => [Some(Button::LookAgain), back, None],
            End::KeyNeeded(_) => [Some(Button::EnterKey), roll_back, back],
            _ => [Some(Button::Retry), roll_back.filter(|_| self.direction == Direction::Forward), back],
        };
        buttons.into_iter().flatten().collect()
    }

    fn is_untouched(state: &RowState) -> bool {
        matches!(state, RowState::Waiting | RowState::RolledBack)
    }

    fn has_begun(&self) -> bool {
        match (&self.stage, self.change()) {
            // Once the engine rests it has told what it knows.
            (Stage::Ended(_), Some(job)) => job.course.is_begun,
            _ => self.rows.iter().any(|row| !Self::is_untouched(&row.state)),
        }
    }

    pub fn is_reversible(&self) -> bool {
        let Some(job) = self.change() else { return true };
        let is_final = |step: &Step| matches!(step, Step::Delete(..) | Step::SetKey(_));
        let mut steps = job.change().steps().iter().zip(&self.rows);
        let is_over = self.is_working() && steps.any(|(step, row)| is_final(step) && !Self::is_untouched(&row.state));
        job.course.is_reversible && !is_over
    }

    /// Whether something of a change is left to be done.
    pub fn is_unfinished(&self) -> bool {
        match &self.stage {
            Stage::Working | Stage::Watching | Stage::Ended(End::Unsettled(..)) => true,
            Stage::Ended(End::NotBegun(_) | End::Done) => false,
            Stage::Ended(_) => self.has_begun(),
        }
    }

    pub fn command(&self) -> Option<ShellCommand> {
        let course = &self.change()?.course;
        course.journal.is_some().then(|| course.go_on(self.direction))
    }

    pub(in crate::wizard) const fn way_on(&self) -> Direction {
        if matches!(self.stage, Stage::Ended(End::TooLate)) { Direction::Forward } else { self.direction }
    }

    pub(in crate::wizard) fn change_event(&mut self, event: ChangeEvent, now: Duration) {
        self.pause = None;
        let Job::Change(job) = &mut self.job else { return };
        if !matches!(event, ChangeEvent::Waiting(..)) {
            job.settling = None;
        }
        match event {
            ChangeEvent::Waiting(step, pause) => self.pause = Some((step, *pause)),
            ChangeEvent::Started(step) => self.set(step, RowState::Running(now)),
            ChangeEvent::Finished(step, end, took) => {
                if let Some(slot) = job.course.ends.get_mut(step) {
                    *slot = Some(end.clone());
                }
                self.set(step, RowState::Done(end.into(), Some(took)));
            }
            ChangeEvent::Failed(step, _, took) => self.set(step, RowState::Failed(took)),
            ChangeEvent::RollingBack(step) => self.set(step, RowState::RollingBack(now)),
            ChangeEvent::RolledBack(step, _) => {
                if let Some(slot) = job.course.ends.get_mut(step) {
                    *slot = None;
                }
                self.set(step, RowState::RolledBack);
            }
            ChangeEvent::Removed(_, id) => job.removed.push(id),
            ChangeEvent::Settling(until) => job.settling = Some(until),
        }
    }

    pub(in crate::wizard) fn changed(&mut self, result: Result<Changed, ChangeError>, course: Course, now: Duration) {
        let Some(job) = self.change_mut() else { return };
        job.settling = None;
        job.course = course;
        let ends = job.course.ends.clone();
        let end = match result {
            Ok(Changed::Done) => End::Done,
            Ok(Changed::Unsettled(until, error)) => End::Unsettled(Some(until), error),
            Err(ChangeError::Failed(step, error)) => End::Failed(step, error),
            Err(ChangeError::Stopped) => End::Stopped,
            Err(ChangeError::KeyNeeded(step)) => End::KeyNeeded(step),
            Err(ChangeError::TooLate) => End::TooLate,
        };
        // A request that was given up has no answer, and nothing runs any more.
        self.rest(end, now, |_, row| ended(ends.get(row).and_then(Option::as_ref)));
    }

    /// It could not even begin.
    pub(in crate::wizard) fn refuse(&mut self, why: Vec<String>, now: Duration) {
        if let Some(job) = self.change_mut() {
            job.settling = None;
        }
        self.rest(End::NotBegun(why), now, |_, _| RowState::Waiting);
    }
}
