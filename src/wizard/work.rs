//! What the engine works on: a creation, its rollback, or a change. One state for all: rows with what, state and time, how
//! it stands as a whole, and what can be done once it rests.

mod change;
mod creation;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

pub use change::{ChangeJob, Turn};
pub use creation::CreationJob;

use super::secret_text::SecretText;
use crate::change::{Change, Proposal};
use crate::cloud::retry::Pause;
use crate::cloud::{Error, Id};
use crate::engine::Direction;
use crate::engine::{Made, Standing, Task};

/// One row of the progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// An object of a half, or a step in words.
    pub what: What,
    pub state: RowState,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Object(Task),
    Step(String),
}

/// How far a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowState {
    /// Its turn has not come.
    Waiting,
    /// Since then, by [`super::Shell::now`].
    Running(Duration),
    RollingBack(Duration),
    /// Done; how long that took, if it was done just now.
    Done(Outcome, Option<Duration>),
    Failed(Duration),
    /// It could not be deleted.
    Stays,
    RolledBack,
    /// The answer to its request was lost, and what it did could not be found out.
    InDoubt,
}

/// What a row has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Created(Id),
    /// The object of a lost request.
    Found,
    Reused,
    There,
    Existed,
    Changed,
    Gone,
    Kept(String),
    /// Done, and the agent did not pick it up.
    Unnoticed,
}

/// What is done at the moment, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Working,
    Watching,
    Ended(End),
}

/// How work has ended, for the time being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Active,
    /// Created, and not ACTIVE when the wait was over.
    NotYet(Standing),
    /// Created, and its status can no longer be read.
    Lost(Box<Error>),
    Failed(usize, Box<Error>),
    Stopped,
    /// Done, but a lost request may still be carried out: until when, if that is known, and why that could not be looked
    /// for, if it could not.
    Unsettled(Option<Timestamp>, Option<Box<Error>>),
    /// Some of it could not be deleted.
    Left(Vec<(Made, Error)>),
    NotBegun(Vec<String>),
    /// That row needs the key of the user's own, which is not stored anywhere.
    KeyNeeded(usize),
    /// It cannot be rolled back any more.
    TooLate,
}

/// What can be done when the engine rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Finish,
    Retry,
    RollBack,
    Leave,
    /// Wait for ACTIVE again.
    KeepWaiting,
    /// Back to the answers; nothing exists any more.
    ChangeAnswers,
    /// Recreate the policies with the profile `modern`, and do the rest.
    UseModern,
    ShowVpn,
    YourVpns,
    /// Look again what a lost request may have done.
    LookAgain,
    EnterKey,
}

impl Button {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Finish => "Finish",
            Self::Retry => "Retry",
            Self::RollBack => "Roll back",
            Self::Leave => "Leave",
            Self::KeepWaiting => "Keep waiting",
            Self::ChangeAnswers => "Change answers",
            Self::UseModern => "Use modern",
            Self::ShowVpn => "Show VPN",
            Self::YourVpns => "Your VPNs",
            Self::LookAgain => "Look again",
            Self::EnterKey => "Enter key",
        }
    }
}

/// What was asked for while the engine was at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Leave,
    RollBack,
}

/// What the work is for.
#[derive(Clone, Debug)]
pub enum Job {
    Creation(Box<CreationJob>),
    Change(Box<ChangeJob>),
}

/// One piece of work of the engine.
#[derive(Clone, Debug)]
pub struct Work {
    pub job: Job,
    pub direction: Direction,
    /// In order.
    pub rows: Vec<Row>,
    pub stage: Stage,
    /// The row whose request is sent again after a while.
    pub pause: Option<(usize, Pause)>,
    /// By [`super::Shell::now`].
    pub begun: Duration,
    pub ended: Option<Duration>,
    pub focus: usize,
    /// What follows once the engine rests.
    pub then: Option<Then>,
}

impl Work {
    fn of(job: Job, direction: Direction, rows: Vec<Row>, now: Duration) -> Self {
        let stage = Stage::Working;
        Self { job, direction, rows, stage, pause: None, begun: now, ended: None, focus: 0, then: None }
    }

    pub const fn is_working(&self) -> bool {
        matches!(self.stage, Stage::Working | Stage::Watching)
    }

    /// How it ended, once it has.
    pub const fn end(&self) -> Option<&End> {
        if let Stage::Ended(end) = &self.stage { Some(end) } else { None }
    }

    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Ended(End::Done))
    }

    pub const fn creation(&self) -> Option<&CreationJob> {
        if let Job::Creation(job) = &self.job { Some(job) } else { None }
    }

    pub(super) const fn creation_mut(&mut self) -> Option<&mut CreationJob> {
        if let Job::Creation(job) = &mut self.job { Some(job) } else { None }
    }

    pub const fn change(&self) -> Option<&ChangeJob> {
        if let Job::Change(job) = &self.job { Some(job) } else { None }
    }

    pub(super) const fn change_mut(&mut self) -> Option<&mut ChangeJob> {
        if let Job::Change(job) = &mut self.job { Some(job) } else { None }
    }

    /// The VPN or the change, and how far it is.
    pub fn heading(&self) -> String {
        match &self.job {
            Job::Creation(job) => self.heading_of_creation(job),
            Job::Change(job) => self.heading_of_change(job),
        }
    }

    /// What can be done now; the first is the sensible one.
    pub fn buttons(&self) -> Vec<Button> {
        let Some(end) = self.end() else { return Vec::new() };
        match &self.job {
            Job::Creation(job) => self.buttons_of_creation(job, end),
            Job::Change(job) => self.buttons_of_change(job, end),
        }
    }

    pub fn focused(&self) -> Option<Button> {
        self.buttons().get(self.focus).copied()
    }

    fn set(&mut self, row: usize, state: RowState) {
        if let Some(row) = self.rows.get_mut(row) {
            row.state = state;
        }
    }

    /// The engine rests. Of what it has not told the end of it, `known` knows it.
    fn rest(&mut self, end: End, now: Duration, known: impl Fn(&Self, usize) -> RowState) {
        for row in 0..self.rows.len() {
            if let RowState::Running(since) | RowState::RollingBack(since) = self.rows[row].state {
                let state = match &end {
                    End::Failed(failed, _) if *failed == row => RowState::Failed(now.saturating_sub(since)),
                    _ => known(self, row),
                };
                self.set(row, state);
            }
        }
        self.stage = Stage::Ended(end);
        self.pause = None;
        self.ended = Some(now);
        self.focus = 0;
    }

    pub(super) fn go_on(&mut self, stage: Stage, direction: Direction, now: Duration) {
        (self.stage, self.direction) = (stage, direction);
        (self.ended, self.then) = (None, None);
        if let Job::Creation(job) = &mut self.job {
            job.go_on(matches!(self.stage, Stage::Watching), direction, now);
        }
    }
}

/// The work of a session: what is in progress or rests on the screen, what was done before, and what is still to be begun.
#[derive(Debug, Default)]
pub struct WorkList {
    /// On the screen, or the last that was.
    pub current: Option<Work>,
    pub earlier: Vec<Work>,
    /// What was agreed to together with the current change and has not begun.
    pub queue: VecDeque<Proposal>,
    pub(super) agreed: usize,
    /// The queue is not begun because the user stopped, not because one failed.
    pub is_stopped: bool,
    /// What was agreed to and left without being begun, and whether because the user stopped.
    pub left: Vec<(Change, bool)>,
    /// The key an interrupted change lacks, while it is typed.
    pub missing_key: SecretText,
}

impl WorkList {
    pub(super) fn begin(&mut self, work: Work) {
        self.earlier.extend(self.current.replace(work));
    }

    pub fn creation(&self) -> Option<&Work> {
        self.current.as_ref().filter(|work| work.creation().is_some())
    }

    pub fn change(&self) -> Option<&Work> {
        self.current.as_ref().filter(|work| work.change().is_some())
    }

    pub(super) fn working(&mut self) -> Option<&mut Work> {
        self.current.as_mut().filter(|work| work.is_working())
    }

    pub(super) fn is_animating(&self) -> bool {
        self.is_working() || self.creation().and_then(Work::creation).is_some_and(|job| job.verifying)
    }

    pub fn is_working(&self) -> bool {
        self.current.as_ref().is_some_and(Work::is_working)
    }

    /// All changes of this session, in order.
    pub fn changes(&self) -> impl Iterator<Item = (&Work, &ChangeJob)> {
        self.earlier.iter().chain(&self.current).filter_map(|work| Some((work, work.change()?)))
    }

    /// How many of the earlier changes were agreed to together with the current one.
    fn count_before(&self) -> usize {
        let turn = self.change().and_then(|work| work.change()?.turn);
        turn.map_or(0, |turn| turn.number.saturating_sub(1)).min(self.earlier.len())
    }

    pub fn done_before(&self) -> &[Work] {
        &self.earlier[self.earlier.len() - self.count_before()..]
    }

    pub(super) fn of_this_turn(&mut self) -> impl Iterator<Item = &mut Work> {
        let first = self.earlier.len() - self.count_before();
        self.earlier[first..].iter_mut().chain(&mut self.current)
    }
}
