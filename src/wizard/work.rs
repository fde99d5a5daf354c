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
use crate::engine::change::Direction;
use crate::engine::{Made, Standing, Task};

/// One row of the progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// An object of a half, or a step in words.
    pub what: What,
    /// How far it is.
    pub state: RowState,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An object of a new VPN.
    Object(Task),
    /// A step of a change.
    Step(String),
}

/// How far a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowState {
    /// Its turn has not come.
    Waiting,
    /// Since then, by [`super::Shell::now`].
    Running(Duration),
    /// The same, on the way back.
    RollingBack(Duration),
    /// Done; how long that took, if it was done just now.
    Done(Outcome, Option<Duration>),
    /// Failed after that time.
    Failed(Duration),
    /// It could not be deleted.
    Stays,
    /// What it did is undone.
    RolledBack,
    /// The answer to its request was lost, and what it did could not be found out.
    InDoubt,
}

/// What a row has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new object.
    Created(Id),
    /// The object of a lost request.
    Found,
    /// An object that was there before, and is used.
    Reused,
    /// Created by an earlier run.
    There,
    /// It was so already.
    Existed,
    /// As wanted.
    Changed,
    /// Deleted, here or elsewhere.
    Gone,
    /// Something else uses it.
    Kept(String),
    /// Done, and the agent did not pick it up.
    Unnoticed,
}

/// What is done at the moment, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The engine sends requests.
    Working,
    /// The engine waits for ACTIVE.
    Watching,
    /// The engine rests.
    Ended(End),
}

/// How work has ended, for the time being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All that was wanted is done, or rolled back.
    Done,
    /// Created, and ACTIVE.
    Active,
    /// Created, and not ACTIVE when the wait was over.
    NotYet(Standing),
    /// Created, and its status can no longer be read.
    Lost(Box<Error>),
    /// That row failed.
    Failed(usize, Box<Error>),
    /// By the user.
    Stopped,
    /// Done, but a lost request may still be carried out: until when, if that is known, and why that could not be looked
    /// for, if it could not.
    Unsettled(Option<Timestamp>, Option<Box<Error>>),
    /// Some of it could not be deleted.
    Left(Vec<(Made, Error)>),
    /// Nothing was done, and why.
    NotBegun(Vec<String>),
    /// That row needs the key of the user's own, which is not stored anywhere.
    KeyNeeded(usize),
    /// It cannot be rolled back any more.
    TooLate,
}

/// What can be done when the engine rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Leave a VPN that is ACTIVE.
    Finish,
    /// Do what failed, and the rest.
    Retry,
    /// Undo what was done.
    RollBack,
    /// Leave and keep what exists.
    Leave,
    /// Wait for ACTIVE again.
    KeepWaiting,
    /// Back to the answers; nothing exists any more.
    ChangeAnswers,
    /// Recreate the policies with the profile `modern`, and do the rest.
    UseModern,
    /// To the VPN that was changed.
    ShowVpn,
    /// To the list.
    YourVpns,
    /// Look again what a lost request may have done.
    LookAgain,
    /// Give the key that is lacking.
    EnterKey,
}

impl Button {
    /// Its label.
    #[must_use]
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
    /// Leave and keep what exists.
    Leave,
    /// Roll back.
    RollBack,
}

/// What the work is for.
#[derive(Clone, Debug)]
pub enum Job {
    /// A new VPN.
    Creation(Box<CreationJob>),
    /// A change of VPNs that exist.
    Change(Box<ChangeJob>),
}

/// One piece of work of the engine.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it is for.
    pub job: Job,
    /// Forward, or back.
    pub direction: Direction,
    /// In order.
    pub rows: Vec<Row>,
    /// How it stands as a whole.
    pub stage: Stage,
    /// The row whose request is sent again after a while.
    pub pause: Option<(usize, Pause)>,
    /// By [`super::Shell::now`].
    pub begun: Duration,
    /// When the engine came to rest.
    pub ended: Option<Duration>,
    /// The button Enter presses.
    pub focus: usize,
    /// What follows once the engine rests.
    pub then: Option<Then>,
}

impl Work {
    fn of(job: Job, direction: Direction, rows: Vec<Row>, now: Duration) -> Self {
        let stage = Stage::Working;
        Self { job, direction, rows, stage, pause: None, begun: now, ended: None, focus: 0, then: None }
    }

    /// Whether the engine is at work.
    #[must_use]
    pub const fn is_working(&self) -> bool {
        matches!(self.stage, Stage::Working | Stage::Watching)
    }

    /// How it ended, once it has.
    #[must_use]
    pub const fn end(&self) -> Option<&End> {
        if let Stage::Ended(end) = &self.stage { Some(end) } else { None }
    }

    /// Whether all that was wanted is done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Ended(End::Done))
    }

    /// The new VPN it is for.
    #[must_use]
    pub const fn creation(&self) -> Option<&CreationJob> {
        if let Job::Creation(job) = &self.job { Some(job) } else { None }
    }

    pub(super) const fn creation_mut(&mut self) -> Option<&mut CreationJob> {
        if let Job::Creation(job) = &mut self.job { Some(job) } else { None }
    }

    /// The change it is for.
    #[must_use]
    pub const fn change(&self) -> Option<&ChangeJob> {
        if let Job::Change(job) = &self.job { Some(job) } else { None }
    }

    pub(super) const fn change_mut(&mut self) -> Option<&mut ChangeJob> {
        if let Job::Change(job) = &mut self.job { Some(job) } else { None }
    }

    /// The VPN or the change, and how far it is.
    #[must_use]
    pub fn heading(&self) -> String {
        match &self.job {
            Job::Creation(job) => self.heading_of_creation(job),
            Job::Change(job) => self.heading_of_change(job),
        }
    }

    /// What can be done now; the first is the sensible one.
    #[must_use]
    pub fn buttons(&self) -> Vec<Button> {
        let Some(end) = self.end() else { return Vec::new() };
        match &self.job {
            Job::Creation(job) => self.buttons_of_creation(job, end),
            Job::Change(job) => self.buttons_of_change(job, end),
        }
    }

    /// The button Enter presses.
    #[must_use]
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

    /// Back to work.
    pub(super) fn go_on(&mut self, stage: Stage, direction: Direction, now: Duration) {
        (self.stage, self.direction) = (stage, direction);
        (self.ended, self.then) = (None, None);
        if let Job::Creation(job) = &mut self.job {
            job.go_on(matches!(self.stage, Stage::Watching), direction, now);
        }
    }
}

/// The work of a session: what is under way or rests on the screen, what was done before, and what is still to be begun.
#[derive(Debug, Default)]
pub struct WorkList {
    /// On the screen, or the last that was.
    pub current: Option<Work>,
    /// The changes before it.
    pub earlier: Vec<Work>,
    /// What was agreed to together with the current change and has not begun.
    pub queue: VecDeque<Proposal>,
    /// How many changes were agreed to together.
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

    /// The work that is a creation.
    #[must_use]
    pub fn creation(&self) -> Option<&Work> {
        self.current.as_ref().filter(|work| work.creation().is_some())
    }

    /// The work that is a change.
    #[must_use]
    pub fn change(&self) -> Option<&Work> {
        self.current.as_ref().filter(|work| work.change().is_some())
    }

    /// What the engine is at.
    pub(super) fn working(&mut self) -> Option<&mut Work> {
        self.current.as_mut().filter(|work| work.is_working())
    }

    pub(super) fn is_animating(&self) -> bool {
        self.is_working() || self.creation().and_then(Work::creation).is_some_and(|job| job.verifying)
    }

    /// Whether the engine is at work.
    #[must_use]
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

    /// Those of them that are done.
    #[must_use]
    pub fn done_before(&self) -> &[Work] {
        &self.earlier[self.earlier.len() - self.count_before()..]
    }

    pub(super) fn of_this_turn(&mut self) -> impl Iterator<Item = &mut Work> {
        let first = self.earlier.len() - self.count_before();
        self.earlier[first..].iter_mut().chain(&mut self.current)
    }
}
