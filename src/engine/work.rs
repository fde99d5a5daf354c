//! What a change is carried out with.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::retry::patience;
use super::{Changing, Event, Events, Failure};
use crate::cloud::retry::Patience;
use crate::cloud::{Cloud, Error, ErrorKind, Limits, Region, RegionId};
use crate::plan::Half;

/// What the engine works with, and whom it tells.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The sign-ins of half A and half B.
    sessions: [&'a Cloud; 2],
    events: &'a Events,
    /// The wish to stop. What is in progress is settled first.
    pub stop: &'a CancellationToken,
}

impl<'a> Work<'a> {
    /// With one sign-in for all.
    #[must_use]
    pub const fn new(cloud: &'a Cloud, events: &'a Events, stop: &'a CancellationToken) -> Self {
        Self::of_halves([cloud; 2], events, stop)
    }

    /// With a sign-in for each half.
    #[must_use]
    pub const fn of_halves(sessions: [&'a Cloud; 2], events: &'a Events, stop: &'a CancellationToken) -> Self {
        Self { sessions, events, stop }
    }

    /// The same with another wish to stop.
    pub(super) const fn until<'b>(self, stop: &'b CancellationToken) -> Work<'b>
    where
        'a: 'b,
    {
        Work { sessions: self.sessions, events: self.events, stop }
    }

    /// The sign-in that a half is worked on with; where a step names none, the first that has the region.
    pub(super) fn session(&self, half: Option<Half>, region: &RegionId) -> &'a Cloud {
        let [a, b] = self.sessions;
        match half {
            Some(Half::B) => b,
            None if a.region(region).is_err() => b,
            Some(Half::A) | None => a,
        }
    }

    pub(super) fn limits(&self) -> &'a Limits {
        self.sessions[0].limits()
    }

    /// How long people were asked to sign in again.
    pub(super) fn asked_for(&self) -> Duration {
        self.sessions.map(Cloud::asked_for).into_iter().max().unwrap_or_default()
    }

    pub(super) fn patience(&self, step: usize, wish: CancellationToken) -> Patience {
        let events = self.events.clone();
        let told = move |pause| {
            let _ = events.send(Event::Waiting(step, Box::new(pause)));
        };
        patience(told, wish)
    }

    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Who was overtaken tells of that otherwise.
    pub(super) fn tell_failure(&self, step: usize, failure: &Failure, begun: Instant) {
        if let Failure::Error(error) = failure
            && error.kind != ErrorKind::Overtaken
        {
            self.tell(Event::Failed(step, (**error).clone(), begun.elapsed()));
        }
    }
}

impl Changing {
    /// The sign-in for a step.
    pub(super) fn session<'a>(&self, step: usize, region: &RegionId, work: &Work<'a>) -> &'a Cloud {
        work.session(self.change.steps().get(step).and_then(crate::change::Step::half), region)
    }

    /// The region of a step with patience: pauses between tries are told as that step's.
    pub(super) fn region(&self, step: usize, id: &RegionId, work: &Work<'_>) -> Result<Region, Error> {
        let patience = self.dating(step, work.patience(step, work.stop.clone()));
        Ok(self.session(step, id, work).region(id)?.patient(patience))
    }

    /// The same for what must not be left half-done, even after a wish to stop.
    pub(super) fn steadfast(&self, step: usize, id: &RegionId, work: &Work<'_>) -> Result<Region, Error> {
        let patience = self.dating(step, work.patience(step, CancellationToken::new()));
        Ok(self.session(step, id, work).region(id)?.patient(patience))
    }
}
