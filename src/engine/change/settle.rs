//! What becomes of requests whose answers were lost, once the change is done or taken back. A server may act on a request
//! long after its sender has given up, and then what it did is put right.

use jiff::Timestamp;
use tokio::time::sleep;

use super::{ChangeError, ChangeEvent, ChangeWork, Changed, Changing, Direction};
use crate::change::Step;
use crate::cloud::Error;
use crate::plan::Psk;

impl Changing {
    /// Carries the change out or takes it back, and stays until no request whose answer was lost can take effect any more;
    /// where it fails, until none can switch a service off. The wish to stop ends that wait too.
    ///
    /// # Errors
    /// As [`Self::carry_out`] and [`Self::take_back`].
    pub async fn see_through(
        &mut self,
        direction: Direction,
        key: Option<&Psk>,
        work: &ChangeWork<'_>,
    ) -> Result<Changed, ChangeError> {
        loop {
            let ended = match direction {
                Direction::Forward => self.carry_out(key, work).await,
                Direction::Back => self.take_back(work).await,
            };
            let until = match &ended {
                Ok(Changed::Unsettled(until, None)) => Some(*until),
                Err(ChangeError::Failed(..)) => self.progress().unsettled_restart(&self.change),
                Ok(_) | Err(_) => None,
            };
            let Some(until) = until.filter(|_| !work.stop.is_cancelled()) else { return ended };
            work.tell(ChangeEvent::Settling(until));
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
    async fn settle_restarts(&self, work: &ChangeWork<'_>) {
        for step in 0..self.change.steps().len() {
            let is_due = matches!(self.change.steps()[step], Step::Restart(_)) && self.progress().late(step).is_some();
            if is_due && let Err(error) = self.settle_step(step, work).await {
                tracing::warn!(%error, "it could not be seen whether the service is on");
            }
        }
    }

    /// Looks at everything a lost request may have changed since. Without such requests the journal goes.
    pub(super) async fn settle(&self, work: &ChangeWork<'_>) -> Changed {
        let mut failed = None;
        for step in 0..self.change.steps().len() {
            if self.progress().late(step).is_some()
                && let Err(error) = self.settle_step(step, work).await
            {
                failed = failed.or(Some(error));
            }
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

    async fn settle_step(&self, step: usize, work: &ChangeWork<'_>) -> Result<(), Error> {
        let direction = self.progress().direction;
        match self.change.steps()[step].clone() {
            Step::Create(create) if direction == Direction::Back => self.remove_made(step, &create, work).await,
            Step::Create(create) => {
                let region = work.region(&create.region, step)?;
                self.find(step, &create, &region, work).await.map(drop)
            }
            Step::Update(update) if direction == Direction::Back => {
                let region = work.region(&update.region, step)?;
                self.see_to(step, &update, &region).await
            }
            Step::SetKey(set_key) => self.see_that_keys_are_equal(step, &set_key, work).await,
            Step::CopyKey(copy_key) => self.see_that_key_is_copied(step, &copy_key, work).await,
            Step::Restart(service) => {
                let region = work.region(&service.region, step)?;
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
