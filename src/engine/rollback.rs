//! Rolling a change back, the last step first.

use std::cmp::Reverse;

use tokio::time::Instant;

use super::journal::JournalError;
use super::{ChangeError, Changed, Changing, Direction, End, Failure, Work};
use crate::change::Step;
use crate::cloud::{Error, ErrorKind};
use crate::engine::Event;

impl Changing {
    pub(super) async fn backward(&self, work: &Work<'_>) -> Result<Changed, ChangeError> {
        if !self.is_reversible() {
            return Err(ChangeError::TooLate);
        }
        self.set_out(Direction::Back, work);
        self.outdate_restarts();
        self.notes().not_deleted.clear();
        if let Err(error) = self.begin_again() {
            let left = self.progress().removable().into_iter().map(|made| (made, error.clone()));
            self.notes().not_deleted.extend(left);
            return Err(ChangeError::Failed(0, Box::new(error)));
        }
        let unseen = tokio::select! {
            unseen = self.look_for_all(work) => unseen,
            () = work.stop.cancelled() => return Err(ChangeError::Stopped),
        };
        let mut failed = None;
        for step in self.way_back() {
            if self.progress().is_untouched(step) {
                continue;
            }
            if work.stop.is_cancelled() {
                return Err(ChangeError::Stopped);
            }
            // Deletions of a new VPN are reported object by object.
            let is_of_creation = self.is_of_creation(step);
            let tell = |event| {
                if !is_of_creation {
                    work.tell(event);
                }
            };
            tell(Event::RollingBack(step));
            let begun = Instant::now();
            match self.back(step, work).await {
                Ok(()) => {
                    if !is_of_creation {
                        self.progress().reopen(step);
                    }
                    self.note();
                    tell(Event::RolledBack(step, begun.elapsed()));
                }
                // The rest does not hang on it.
                Err(Failure::Error(error)) if is_of_creation => failed = failed.or(Some((step, error))),
                Err(failure) => {
                    work.tell_failure(step, &failure, begun);
                    return Err(self.fail(step, failure, work));
                }
            }
        }
        match failed {
            Some((step, error)) => Err(ChangeError::Failed(step, error)),
            None if work.stop.is_cancelled() && !self.progress().removable().is_empty() => Err(ChangeError::Stopped),
            None => Ok(self.settle_back(unseen, work).await),
        }
    }

    /// A VPN that is made has no journal any more; while it is deleted it has one. A disk that cannot be written is no reason
    /// not to delete something, but another process at work on the VPN is.
    fn begin_again(&self) -> Result<(), Error> {
        if self.marked_steps().next().is_none() || self.progress().is_clean() {
            return Ok(());
        }
        match self.keep() {
            Ok(()) => Ok(()),
            Err(error @ (JournalError::NoHome | JournalError::File(..))) => {
                tracing::warn!(%error, "the journal was not written");
                Ok(())
            }
            Err(error) => Err(Error::new(ErrorKind::Invalid, error.to_string())),
        }
    }

    pub(super) async fn back(&self, step: usize, work: &Work<'_>) -> Result<(), Failure> {
        match self.change.steps()[step].clone() {
            Step::Create(create) if create.task().is_some() => self.remove_marked(step, work).await?,
            Step::Create(create) => self.remove_made(step, &create, work).await?,
            Step::Update(update) => self.restore(step, &update, work).await?,
            Step::SetKey(set_key) => self.put_key_back(step, &set_key, work).await?,
            Step::Restart(restarted) => {
                let Some(service) = self.restarted(&restarted) else { return Ok(()) };
                if !self.takes_something_up() {
                    self.switch_on(step, &service, work).await?;
                } else if let End::Unnoticed(router) = self.restart(step, &service, work).await? {
                    self.notes().unnoticed.insert(step, router);
                }
            }
            // Nothing was sent that could have deleted it, or it would not be rolled back; nor is a key copied before the new one
            // is there for good.
            Step::Delete(..) | Step::CopyKey(_) => {}
        }
        Ok(())
    }

    /// What was restarted before something was rolled back has to be restarted after it, whichever way it goes on.
    pub(super) fn outdate_restarts(&self) {
        for (number, step) in self.change.steps().iter().enumerate() {
            if matches!(step, Step::Restart(_)) && self.progress().is_done(number) {
                self.progress().outdate(number);
            }
        }
    }

    /// The order in which steps are rolled back. What was made goes last: until then something may use it.
    pub(super) fn way_back(&self) -> Vec<usize> {
        let steps = self.change.steps();
        let mut order: Vec<usize> = (0..steps.len()).rev().collect();
        order.sort_by_key(|&step| match &steps[step] {
            Step::Update(_) | Step::SetKey(_) | Step::CopyKey(_) | Step::Delete(..) => (0, None),
            Step::Restart(_) => (1, None),
            // What uses the rest goes first.
            Step::Create(create) => (2, create.task().map(|task| Reverse(task.step))),
        });
        order
    }

    /// Whether the restarts are for something that is rolled back.
    pub(super) fn takes_something_up(&self) -> bool {
        self.change.steps().iter().any(|step| matches!(step, Step::Update(_)))
    }
}
