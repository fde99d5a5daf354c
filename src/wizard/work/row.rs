//! The rows of the progress: one for each step.

use std::time::Duration;

use super::Work;
use crate::change::Step;
use crate::cloud::Id;
use crate::engine::{Direction, Made, Origin, Task};

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
    /// Since then, by [`crate::wizard::Shell::now`].
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

fn there(made: &Made) -> RowState {
    RowState::Done(if made.origin == Origin::Reused { Outcome::Reused } else { Outcome::There }, None)
}

impl Row {
    pub(super) fn of(step: &Step) -> Self {
        let what = step.task().map_or_else(|| What::Step(format!("{step:.0}")), What::Object);
        Self { what, state: RowState::Waiting }
    }
}

impl Work {
    /// What is known of a row, where nothing of it is in progress.
    pub(super) fn known(&self, row: usize) -> RowState {
        let progress = &self.course.progress;
        let Some(task) = self.task(row) else {
            return progress.end(row).map_or(RowState::Waiting, |end| RowState::Done(end.clone().into(), None));
        };
        match progress.get(task.half, task.step) {
            Some(made) => there(made),
            None if self.end().is_none() => RowState::Waiting,
            None if progress.doubts().iter().any(|doubt| doubt.task == task) => RowState::InDoubt,
            None if self.direction == Direction::Back => RowState::RolledBack,
            None => RowState::Waiting,
        }
    }

    pub(super) fn set(&mut self, row: usize, state: RowState) {
        if let Some(row) = self.rows.get_mut(row) {
            row.state = state;
        }
    }
}
