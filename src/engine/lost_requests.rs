//! What becomes of requests whose answers were lost, once the change is done or rolled back. A server may act on a request
//! long after its sender has given up, and then what it did is put right.

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::{ChangeError, Changed, Changing, Direction, Work};
use crate::change::Step;
use crate::cloud::{Error, Limits};
use crate::engine::Event;
use crate::plan::Psk;

impl Changing {
    /// Carries the change out or takes it back, and stays until no request whose answer was lost can take effect any more;
    /// where it fails, until none can switch a service off. The wish to stop ends that wait too.
    ///
    /// # Errors
    /// As [`Self::carry_out`] and [`Self::roll_back`].
    pub async fn see_through(
        &mut self,
        direction: Direction,
        key: Option<&Psk>,
        work: &Work<'_>,
    ) -> Result<Changed, ChangeError> {
        self.take_key(key);
        loop {
            let ended = match direction {
                Direction::Forward => self.forward(work).await,
                Direction::Back => self.backward(work).await,
            };
            let until = match &ended {
                Ok(Changed::Unsettled(until, None)) => Some(*until),
                Err(ChangeError::Failed(..)) => self.progress().unsettled_restart(&self.change),
                Ok(_) | Err(_) => None,
            };
            let Some(until) = until.filter(|_| !work.stop.is_cancelled()) else { return ended };
            work.tell(Event::Settling(until));
            let left = until.duration_since(Timestamp::now()).try_into().unwrap_or_default();
            tokio::select! {
                () = sleep(left) => {}
                () = work.stop.cancelled() => return ended,
            }
            if let Err(error) = ended {
                self.settle_restarts(work).await;
                return Err(self.give_up(error));
            }
        }
    }

    /// Switches on what a lost request has switched off since. What cannot be looked at stays in doubt.
    async fn settle_restarts(&self, work: &Work<'_>) {
        for step in 0..self.change.steps().len() {
            let is_due = matches!(self.change.steps()[step], Step::Restart(_)) && self.progress().late(step).is_some();
            if is_due && let Err(error) = self.settle_step(step, work).await {
                tracing::warn!(%error, "it could not be checked whether the service is on");
            }
        }
    }

    /// The same of what is rolled back. Of a creation everything was looked for before; why that failed, if it did.
    pub(super) async fn settle_back(&self, unseen: Option<Error>, work: &Work<'_>) -> Changed {
        match self.settle(work).await {
            Changed::Unsettled(until, None) => Changed::Unsettled(until, unseen.map(Box::new)),
            changed => changed,
        }
    }

    /// Looks at everything a lost request may have changed since. Without such requests the journal goes.
    pub(super) async fn settle(&self, work: &Work<'_>) -> Changed {
        let mut failed = None;
        let is_forward = self.progress().direction == Direction::Forward;
        let is_creation = self.marked_steps().next().is_some();
        if is_creation && is_forward {
            self.sweep(work).await;
        }
        for step in 0..self.change.steps().len() {
            if self.progress().late(step).is_some()
                && !self.is_of_creation(step)
                && let Err(error) = self.settle_step(step, work).await
            {
                failed = failed.or(Some(error));
            }
        }
        if is_creation && is_forward {
            let progress = self.progress().clone();
            self.kept().finish_made(&self.change, &progress);
        }
        let unsettled = self.progress().unsettled();
        match unsettled {
            None => {
                self.kept().finish();
                Changed::Done
            }
            Some(until) => {
                self.note();
                Changed::Unsettled(until, failed.map(Box::new))
            }
        }
    }

    async fn settle_step(&self, step: usize, work: &Work<'_>) -> Result<(), Error> {
        let direction = self.progress().direction;
        match self.change.steps()[step].clone() {
            Step::Create(create) if direction == Direction::Back => self.remove_made(step, &create, work).await,
            Step::Create(create) => {
                let region = self.region(step, &create.region, work)?;
                self.find(step, &create, &region, work).await.map(drop)
            }
            Step::Update(update) if direction == Direction::Back => {
                let region = self.region(step, &update.region, work)?;
                self.see_to(step, &update, &region).await
            }
            Step::SetKey(set_key) => self.see_that_keys_are_equal(step, &set_key, work).await,
            Step::CopyKey(copy_key) => self.see_that_key_is_copied(step, &copy_key, work).await,
            Step::Restart(restarted) => {
                let Some(service) = self.restarted(&restarted) else { return Ok(()) };
                let region = self.region(step, &service.region, work)?;
                self.see_that_it_is_on(step, &service, &region).await
            }
            // Sent late, these do what was done already.
            Step::Update(_) | Step::Delete(..) => {
                self.progress().calm(step);
                Ok(())
            }
        }
    }
}

/// A plain 500 is the server's last word: what it has not done by then it never does.
pub(super) fn may_act_until(error: &Error, limits: &Limits) -> Timestamp {
    let now = Timestamp::now();
    let is_last_word = !error.is_doubtful() || error.status == Some(500);
    let settling = SignedDuration::try_from(limits.settling).unwrap_or(SignedDuration::MAX);
    if is_last_word { now } else { now.checked_add(settling).unwrap_or(Timestamp::MAX) }
}
