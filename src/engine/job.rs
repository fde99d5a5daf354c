//! What a change is carried out with.

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::retry;
use super::{Event, Events, Failure};
use crate::cloud::retry::Patience;
use crate::cloud::{Cloud, Error, ErrorKind, Region, RegionId};
use crate::plan::Psk;

/// What the engine works with, and whom it tells.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    pub cloud: &'a Cloud,
    pub events: &'a Events,
    /// The wish to stop. What is in progress is settled first.
    pub stop: &'a CancellationToken,
}

/// The same with the key, for what gets one: the user's, or that of a new VPN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub cloud: &'a Cloud,
    pub events: &'a Events,
    pub stop: &'a CancellationToken,
    pub key: Option<&'a Psk>,
}

impl<'a> Job<'a> {
    pub fn of(work: &Work<'a>, key: Option<&'a Psk>) -> Self {
        Self { cloud: work.cloud, events: work.events, stop: work.stop, key }
    }
}

impl Job<'_> {
    /// The region with patience: pauses between tries are told as that step's.
    pub fn region(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, self.stop.clone())))
    }

    /// The same for what must not be left half-done, even after a wish to stop.
    pub fn steadfast(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, CancellationToken::new())))
    }

    pub fn patience(&self, step: usize, wish: CancellationToken) -> Patience {
        let events = self.events.clone();
        let told = move |pause| {
            let _ = events.send(Event::Waiting(step, Box::new(pause)));
        };
        retry::patience(told, wish)
    }

    /// Pauses while an agent has not reported yet on what is to be changed.
    pub async fn wait_for_agent(&self, step: usize, error: &Error, failures: u32) -> bool {
        retry::wait_for_agent(&self.patience(step, self.stop.clone()), self.cloud.limits(), error, failures).await
    }

    pub fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Who was overtaken tells of that otherwise.
    pub fn tell_failure(&self, step: usize, failure: &Failure, begun: Instant) {
        if let Failure::Error(error) = failure
            && error.kind != ErrorKind::Overtaken
        {
            self.tell(Event::Failed(step, (**error).clone(), begun.elapsed()));
        }
    }
}
