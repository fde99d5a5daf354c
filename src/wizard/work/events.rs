//! What the engine tells while it works.

use std::time::Duration;

use super::{Outcome, RowState, Then, Work, WorkList};
use crate::change::Subject;
use crate::cloud::Error;
use crate::engine::{End, Event, Made, Origin, Watched, WorkEnd};
use crate::inspect::Examined;
use crate::wizard::Effect;
use crate::wizard::message::{Order, Which};
use crate::wizard::shell::Shell;

impl From<End> for Outcome {
    fn from(end: End) -> Self {
        match end {
            End::Made(id) => Self::Created(id),
            End::Existed => Self::Existed,
            End::Changed => Self::Changed,
            End::Gone => Self::Gone,
            End::Kept(why) => Self::Kept(why),
            End::Unnoticed(_) => Self::Unnoticed,
        }
    }
}

fn done(made: &Made) -> Outcome {
    match made.origin {
        Origin::Created => Outcome::Created(made.id.clone()),
        Origin::Adopted => Outcome::Found,
        Origin::Reused => Outcome::Reused,
    }
}

impl Work {
    pub(in crate::wizard) fn event(&mut self, event: Event, now: Duration) {
        if self.pause.as_ref().is_some_and(|(step, _)| self.ends_pause(&event, *step)) {
            self.pause = None;
        }
        if !matches!(event, Event::Waiting(..)) {
            self.settling = None;
        }
        let progress = &mut self.course.progress;
        match event {
            Event::Waiting(step, pause) => {
                self.pauses.push((step, (*pause).clone()));
                self.pause = Some((step, *pause));
            }
            Event::Started(step) => self.set(step, RowState::Running(now)),
            Event::Finished(step, end, took) => {
                progress.finish(step, end.clone());
                self.set(step, RowState::Done(end.into(), Some(took)));
            }
            Event::Made(made, took) => {
                let state = RowState::Done(done(&made), Some(took));
                progress.record(made.clone());
                self.set_object(&made, state);
            }
            Event::Failed(step, _, took) => self.set(step, RowState::Failed(took)),
            Event::RollingBack(step) => self.set(step, RowState::RollingBack(now)),
            Event::RolledBack(step, _) => {
                progress.reopen(step);
                self.set(step, RowState::RolledBack);
            }
            Event::Removed(_, id) => self.removed.push(id),
            Event::Found(made) => progress.leave(made),
            Event::LeftAlone(made) => drop(progress.leave_alone(&made)),
            Event::Settled(step) => progress.settle(step),
            Event::Deleting(made) => self.set_if_own(&made, RowState::RollingBack(now)),
            Event::Deleted(made) => {
                self.set_if_own(&made, RowState::RolledBack);
                self.course.progress.remove(&made.id);
            }
            Event::Kept(made, _) => self.set_if_own(&made, RowState::Stays),
            Event::Settling(until) => self.settling = Some(until),
            Event::Polled(standing) => {
                self.watch.standing = standing;
                if !std::mem::take(&mut self.watch.has_failed) {
                    self.watch.problem = None;
                }
            }
            Event::PollFailed(half, error) => {
                (self.watch.problem, self.watch.has_failed) = (Some((half, error)), true);
            }
        }
    }

    fn set_object(&mut self, made: &Made, state: RowState) {
        if let Some(row) = self.change().step_of(made.task) {
            self.set(row, state);
        }
    }

    /// What happens to a second object of a lost request says nothing of the one the row has.
    fn set_if_own(&mut self, made: &Made, state: RowState) {
        let own = self.course.progress.get(made.task.half, made.task.step);
        if own.is_none_or(|own| own.id == made.id) {
            self.set_object(made, state);
        }
    }

    /// Whether what happens shows that a pause of that step is over.
    fn ends_pause(&self, event: &Event, step: usize) -> bool {
        let is_of = |made: &Made| self.task(step) == Some(made.task);
        match event {
            Event::Started(other)
            | Event::Finished(other, ..)
            | Event::Failed(other, ..)
            | Event::RollingBack(other)
            | Event::RolledBack(other, _)
            | Event::Removed(other, _)
            | Event::Settled(other) => *other == step,
            Event::Made(made, _)
            | Event::Found(made)
            | Event::LeftAlone(made)
            | Event::Deleting(made)
            | Event::Deleted(made)
            | Event::Kept(made, _) => is_of(made),
            Event::Polled(_) | Event::Settling(_) => true,
            Event::PollFailed(half, _) => self.task(step).is_some_and(|task| task.half == *half),
            Event::Waiting(..) => false,
        }
    }
}

/// What the engine tells of the work on the screen, as far as it leads nowhere else.
impl WorkList {
    pub(in crate::wizard) fn event(&mut self, event: Event, shell: &mut Shell) {
        if let Some(work) = self.current.as_mut().filter(|work| work.is_creation() || work.is_working()) {
            work.event(event, shell.now);
        }
        self.refresh_question(shell);
    }

    pub(in crate::wizard) fn watch(&self, shell: &mut Shell) {
        if let Some(work) = &self.current {
            shell.out.push(Effect::Work(Which::Present(None), Order::Watch(work.watch.wait)));
        }
    }

    /// The watch of a new VPN is over; false if there is none. A status proves nothing: the halves are compared.
    pub(in crate::wizard) fn watched(&mut self, watched: Watched, shell: &mut Shell) -> bool {
        let Some(work) = self.current.as_mut().filter(|work| work.is_creation()) else { return false };
        work.rest(watched.into(), shell.now);
        let is_to_verify = work.then.is_none() && matches!(work.end(), Some(WorkEnd::NotYet(_) | WorkEnd::Active));
        if let (true, Subject::Marked(vpn)) = (is_to_verify, &work.change().subject) {
            shell.out.push(Effect::Verify(vpn.clone(), work.change().halves()));
            work.watch.is_verifying = true;
        }
        true
    }

    pub(in crate::wizard) fn verified(&mut self, examined: Result<Box<Examined>, Error>) {
        let Some(work) = self.current.as_mut().filter(|work| work.watch.is_verifying) else { return };
        let before = work.focused().filter(|_| work.focus > 0);
        (work.watch.examined, work.watch.is_verifying) = (Some(examined), false);
        // What is found can have a button of its own; whoever has gone to another one stays there.
        let buttons = work.buttons();
        work.focus = before.and_then(|before| buttons.iter().position(|button| *button == before)).unwrap_or(0);
    }

    pub(in crate::wizard) fn not_begun(&mut self, why: Vec<String>, shell: &mut Shell) {
        let Some(work) = self.working() else { return };
        work.rest(WorkEnd::NotBegun(why), shell.now);
        let then = work.then.take();
        self.is_stopped |= then.is_some();
        self.refresh_question(shell);
        if then == Some(Then::Leave) {
            self.leave(shell);
        }
    }
}
