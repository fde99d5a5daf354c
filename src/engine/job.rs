//! What a change is carried out with.

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{ChangeWork, Failure};
use crate::cloud::retry::Patience;
use crate::cloud::{Cloud, Error, ErrorKind, Region, RegionId};
use crate::engine::event::{Listener, StepEvent};
use crate::engine::retry;
use crate::plan::Psk;

/// What the engine works with, and whom it tells.
#[derive(Clone, Debug)]
pub(super) struct Job<'a> {
    pub cloud: &'a Cloud,
    pub told: Listener,
    pub stop: &'a CancellationToken,
    /// For what gets a key: the user's, or that of a new VPN.
    pub key: Option<&'a Psk>,
}

impl<'a> Job<'a> {
    /// Of a change of a VPN that exists.
    pub fn of(work: &ChangeWork<'a>, key: Option<&'a Psk>) -> Self {
        Self { cloud: work.cloud, told: Listener::Change(work.events.clone()), stop: work.stop, key }
    }
}

impl Job<'_> {
    /// The region with patience: pauses between tries are told as that step's.
    pub(super) fn region(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, self.stop.clone())))
    }

    /// The same for what must not be left half-done, even after a wish to stop.
    pub(super) fn steadfast(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, CancellationToken::new())))
    }

    pub(super) fn patience(&self, step: usize, wish: CancellationToken) -> Patience {
        let told = self.told.clone();
        retry::patience(move |pause| told.tell(StepEvent::Waiting(step, Box::new(pause))), wish)
    }

    /// Pauses while an agent has not reported yet on what is to be changed.
    pub(super) async fn wait_for_agent(&self, step: usize, error: &Error, failures: u32) -> bool {
        retry::wait_for_agent(&self.patience(step, self.stop.clone()), self.cloud.limits(), error, failures).await
    }

    pub(super) fn tell(&self, event: StepEvent) {
        self.told.tell(event);
    }

    /// Who was overtaken tells of that otherwise.
    pub(super) fn tell_failure(&self, step: usize, failure: &Failure, begun: Instant) {
        if let Failure::Error(error) = failure
            && error.kind != ErrorKind::Overtaken
        {
            self.tell(StepEvent::Failed(step, (**error).clone(), begun.elapsed()));
        }
    }
}
