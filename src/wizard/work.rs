//! What the engine works on: a change, forward or back, the creation of a VPN among them. One state for all: rows with what,
//! state and time, how it stands as a whole, and what can be done once it rests.

mod buttons;
mod events;
mod list;
mod row;

use std::time::Duration;

use itertools::Itertools;
use jiff::Timestamp;

use crate::change::{self, Change, Proposal, Step};
use crate::cloud::retry::Pause;
use crate::cloud::{Error, Id};
use crate::engine::{Course, Direction, Made, Standing, Step as HalfObject, Task, WorkEnd};
use crate::inspect::{Diagnosis, Examined, Vpn};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Plan, Profiles, Psk, ShellCommand};

pub use crate::engine::WorkEnd as End;
pub use buttons::{Button, capitalised};
pub use list::WorkList;
pub use row::{Outcome, Row, RowState, What};

/// What is done at the moment, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Working,
    Watching,
    Ended(WorkEnd),
}

/// What was asked for while the engine was at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Leave,
    RollBack,
}

/// The place of a change among several that were agreed to at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Counted from 1.
    pub number: usize,
    pub of: usize,
}

/// One piece of work of the engine.
#[derive(Clone, Debug)]
pub struct Work {
    /// How far it is, as the engine last told.
    pub course: Course,
    pub direction: Direction,
    /// One for each step.
    pub rows: Vec<Row>,
    pub stage: Stage,
    /// The row whose request is sent again after a while.
    pub pause: Option<(usize, Pause)>,
    /// Every pause before a request was sent again.
    pub pauses: Vec<(usize, Pause)>,
    /// By [`super::Shell::now`].
    pub begun: Duration,
    pub ended: Option<Duration>,
    pub focus: usize,
    /// What follows once the engine rests.
    pub then: Option<Then>,
    pub notes: Vec<String>,
    pub turn: Option<Turn>,
    /// Until when a lost request may still be carried out, while only that is waited for.
    pub settling: Option<Timestamp>,
    /// Objects that lost requests had created, and that were deleted.
    pub removed: Vec<Id>,
    pub has_vpn: bool,
    /// The VPN after a change, once it was read and compared.
    pub after: Option<Box<(Vpn, Diagnosis)>>,
    /// Of a creation. None of one that is only rolled back, for which its journal is enough.
    pub plan: Option<Plan>,
    /// Where the key of that plan came from.
    pub key: KeyOrigin,
    pub watch: Watch,
    /// Whether it is what a new VPN lacked, so that its creation ends with it.
    pub completes_creation: bool,
}

/// What only a new VPN has.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// The statuses of the connections; empty before the first answer.
    pub standing: Standing,
    /// A status that could not be read, until all can.
    pub problem: Option<(Half, Error)>,
    has_failed: bool,
    pub since: Option<Duration>,
    pub wait: Duration,
    /// The comparison of both halves, or why there is none.
    pub examined: Option<Result<Box<Examined>, Error>>,
    pub(super) is_verifying: bool,
}

impl Work {
    /// A change that begins now, or goes on.
    #[must_use]
    pub fn new(course: Course, direction: Direction, now: Duration) -> Self {
        let mut work = Self {
            rows: course.change.steps().iter().map(Row::of).collect(),
            course,
            direction,
            stage: Stage::Working,
            pause: None,
            pauses: Vec::new(),
            begun: now,
            ended: None,
            focus: 0,
            then: None,
            notes: Vec::new(),
            turn: None,
            settling: None,
            removed: Vec::new(),
            has_vpn: false,
            after: None,
            plan: None,
            key: KeyOrigin::Generated,
            watch: Watch::default(),
            completes_creation: false,
        };
        for row in 0..work.rows.len() {
            let state = work.known(row);
            work.set(row, state);
        }
        work
    }

    /// The creation of a plan.
    #[must_use]
    pub fn create(plan: Option<Plan>, course: Course, direction: Direction, now: Duration, wait: Duration) -> Self {
        let watch = Watch { wait, ..Watch::default() };
        Self { plan, watch, ..Self::new(course, direction, now) }
    }

    #[must_use]
    pub const fn change(&self) -> &Change {
        &self.course.change
    }

    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.course.is_creation()
    }

    pub const fn is_working(&self) -> bool {
        matches!(self.stage, Stage::Working | Stage::Watching)
    }

    /// How it ended, once it has.
    #[must_use]
    pub const fn end(&self) -> Option<&WorkEnd> {
        if let Stage::Ended(end) = &self.stage { Some(end) } else { None }
    }

    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Ended(WorkEnd::Done))
    }

    /// Whether it is a change of that VPN: by its subject, or by its name if that is no other one's.
    #[must_use]
    pub fn is_of(&self, vpn: &Vpn, all: &[Vpn]) -> bool {
        let Change { verb, subject, label, .. } = self.change();
        let is_known = || all.iter().any(|vpn| change::is_of(subject, vpn));
        let is_about_it = verb.is_about_a_vpn() || self.completes_creation;
        is_about_it && (change::is_of(subject, vpn) || *label == vpn.name && !is_known())
    }

    /// Whether some of a new VPN could not be deleted.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.direction == Direction::Back && self.end().is_some() && !self.course.not_deleted.is_empty()
    }

    fn is_untouched(state: &RowState) -> bool {
        matches!(state, RowState::Waiting | RowState::RolledBack)
    }

    fn has_begun(&self) -> bool {
        match &self.stage {
            // Once the engine rests it has told what it knows.
            Stage::Ended(_) => self.course.is_begun(),
            _ => self.rows.iter().any(|row| !Self::is_untouched(&row.state)),
        }
    }

    #[must_use]
    pub fn is_reversible(&self) -> bool {
        let is_final = |step: &Step| matches!(step, Step::Delete(..) | Step::SetKey(_));
        let mut steps = self.change().steps().iter().zip(&self.rows);
        let is_over = self.is_working() && steps.any(|(step, row)| is_final(step) && !Self::is_untouched(&row.state));
        self.course.is_reversible() && !is_over
    }

    /// Whether something of a change is left to be done.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        match &self.stage {
            Stage::Working | Stage::Watching | Stage::Ended(WorkEnd::Unsettled(..)) => true,
            Stage::Ended(WorkEnd::NotBegun(_) | WorkEnd::Done) => false,
            Stage::Ended(_) => self.has_begun(),
        }
    }

    /// The command that goes on from the journal of a change.
    #[must_use]
    pub fn command(&self) -> Option<ShellCommand> {
        let is_there = self.course.journal.is_some() && !self.is_creation();
        is_there.then(|| self.course.go_on(self.direction))
    }

    pub(super) const fn way_on(&self) -> Direction {
        if matches!(self.stage, Stage::Ended(WorkEnd::TooLate)) { Direction::Forward } else { self.direction }
    }

    /// What adds the security-group rules that a new VPN is known to lack.
    #[must_use]
    pub fn admission(&self) -> Option<Proposal> {
        let Examined { vpn, diagnosis } = &**self.watch.examined.as_ref()?.as_ref().ok()?;
        let is_known = diagnosis.gates.len() == vpn.sides().count();
        Some(change::admit(vpn, diagnosis)).filter(|proposal| is_known && !proposal.is_empty())
    }

    /// Whether it has made a connection to an outside peer, whose owner has to be told how it is set.
    #[must_use]
    pub fn has_sheet(&self) -> bool {
        let is_outside = self.plan.as_ref().is_some_and(|plan| plan.peer().is_some());
        is_outside && self.is_made(Half::A) && self.direction == Direction::Forward
    }

    /// Where a half of a new VPN is, as a person calls it.
    #[must_use]
    pub fn label(&self, half: Half) -> String {
        let planned = self.plan.as_ref().and_then(|plan| plan.half(half)).map(|half| half.label.clone());
        planned.or_else(|| self.change().halves().get(&half).map(ToString::to_string)).unwrap_or_default()
    }

    /// The halves of a new VPN.
    #[must_use]
    pub fn halves(&self) -> Vec<Half> {
        self.change().halves().into_keys().collect()
    }

    /// Everything that exists of a new VPN, for the clipboard: region, kind, name and id, a line each.
    #[must_use]
    pub fn ids_text(&self) -> String {
        let line = |made: &Made| format!("{} {} {} {}", made.region, made.task.step.label(), made.name, made.id);
        self.course.progress.objects().map(line).join("\n")
    }

    /// The name and the key of a VPN that was created, as long as something of it exists.
    #[must_use]
    pub fn key_to_save(&self) -> Option<(&str, &Psk)> {
        let is_there = self.end().is_some() && self.course.progress.is_made() && self.direction == Direction::Forward;
        let plan = self.plan.as_ref().filter(|_| is_there)?;
        Some((plan.name().as_str(), plan.psk()))
    }

    #[must_use]
    pub fn task(&self, row: usize) -> Option<Task> {
        self.change().steps().get(row)?.task()
    }

    #[must_use]
    pub fn state(&self, task: Task) -> Option<&RowState> {
        self.change().step_of(task).and_then(|row| self.rows.get(row)).map(|row| &row.state)
    }

    /// Whether the connection of a half exists.
    #[must_use]
    pub fn is_made(&self, half: Half) -> bool {
        matches!(self.state(Task { half, step: HalfObject::Connection }), Some(RowState::Done(..)))
    }

    /// The creation goes on with the policy of the profile `modern`.
    pub(super) fn modernize(&mut self, profiles: &Profiles) {
        self.plan = self.plan.take().map(|plan| plan.with_modern(profiles));
        self.course.progress.reconsider_policies();
        for row in 0..self.rows.len() {
            if self.task(row).is_some_and(|task| self.course.progress.get(task.half, task.step).is_none()) {
                self.set(row, RowState::Waiting);
            }
        }
    }

    /// The engine rests. What it has not told the end of has none, and nothing runs any more.
    pub(super) fn rest(&mut self, end: WorkEnd, now: Duration) {
        let failed = if let WorkEnd::Failed(row, _) = &end { Some(*row) } else { None };
        let is_begun = !matches!(end, WorkEnd::NotBegun(_));
        self.stage = Stage::Ended(end);
        for row in 0..self.rows.len() {
            if let RowState::Running(since) | RowState::RollingBack(since) = self.rows[row].state {
                let state = match failed {
                    Some(failed) if failed == row => RowState::Failed(now.saturating_sub(since)),
                    _ if is_begun => self.known(row),
                    _ => RowState::Waiting,
                };
                self.set(row, state);
            }
        }
        (self.pause, self.settling, self.ended, self.focus) = (None, None, Some(now), 0);
    }

    /// Takes how far it is, and how it ended.
    pub(super) fn rest_at(&mut self, end: WorkEnd, course: Course, now: Duration) {
        self.course = course;
        self.rest(end, now);
    }

    /// A new VPN is made, and the wait for ACTIVE begins.
    pub(super) fn begin_watch(&mut self, course: Course, now: Duration) {
        self.course = course;
        (self.stage, self.watch.since) = (Stage::Watching, Some(now));
    }

    pub(super) fn go_on(&mut self, stage: Stage, direction: Direction, now: Duration) {
        (self.ended, self.then) = (None, None);
        (self.watch.examined, self.watch.is_verifying) = (None, false);
        if stage == Stage::Watching {
            self.watch.since = Some(now);
        }
        if direction == Direction::Back {
            self.watch.standing.clear();
        }
        (self.stage, self.direction) = (stage, direction);
    }
}
