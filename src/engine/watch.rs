//! Waiting for ACTIVE.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until};

use super::pace::{LAST_POLL, POLL, SLACK, poll_after};
use super::{Changing, Event, Made, Standing, Work};
use crate::cloud::{Error, ErrorKind, Status};
use crate::plan::Half;

/// How often the connections are asked, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two polls, at most; the first ones follow each other faster.
    pub every: Duration,
    /// Until the watch gives up; that is not a failure.
    pub wait: Duration,
}

impl Pace {
    /// For that long.
    #[must_use]
    pub const fn lasting(wait: Duration) -> Self {
        Self { every: POLL, wait }
    }
}

/// How a watch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Every connection is ACTIVE.
    Active,
    /// The wait is over; where each connection stood last.
    NotYet(Standing),
    /// It cannot be watched any more: a connection was deleted, or the sign-in is no longer valid.
    Lost(Box<Error>),
    /// The user asked to stop.
    Stopped,
}

impl Changing {
    /// Asks the connections of a new VPN for their status until all are ACTIVE. Failures that may pass are told and waited out.
    ///
    /// Meanwhile it goes on looking for what requests given up may still make, and deletes it.
    pub async fn watch(&mut self, pace: Pace, work: &Work<'_>) -> Watched {
        let watched = self.poll(pace, work).await;
        if matches!(watched, Watched::Active | Watched::NotYet(_)) && !self.progress().is_settled() {
            self.sweep(work).await;
        }
        let progress = self.progress().clone();
        self.kept().finish_made(&self.change, &progress);
        watched
    }

    /// Looks once more for what requests of a VPN that is made have made besides it, deletes it, and removes the journal when
    /// none can make anything any more. An object that a change has replaced is not this run's to double.
    ///
    /// # Errors
    /// If a region cannot be read.
    pub async fn settle_made(&mut self, work: &Work<'_>) -> Result<(), Error> {
        self.progress().take_over(work.limits());
        for marked in self.marked_steps().filter(|marked| self.is_unsettled(marked.step)) {
            let Some(own) = self.object_of(marked.task) else { continue };
            let there =
                self.region(marked.step, &marked.create.region, work)?.described(marked.task.step.kind()).await?;
            if !there.iter().any(|object| object.id == own.id) {
                self.progress().settle(marked.step);
            }
        }
        self.sweep(work).await;
        let progress = self.progress().clone();
        self.kept().finish_made(&self.change, &progress);
        Ok(())
    }

    async fn poll(&self, pace: Pace, work: &Work<'_>) -> Watched {
        let connections: Vec<Made> = self.progress().connections().cloned().collect();
        // The time in which a person was asked to sign in again is not the cloud's.
        let (begun, asked) = (Instant::now(), work.asked_for());
        let deadline = || begun + pace.wait + work.asked_for().saturating_sub(asked);
        let mut standing: Standing = connections.iter().map(|made| (made.task.half, Status::PendingCreate)).collect();
        // However short the wait, each half is asked once; and once more if what was said last is from before a time in which
        // this process was suspended.
        let mut look = Look::First;
        loop {
            let last_look = sleep(LAST_POLL);
            // Reads may be given up at any time: a hanging one holds up neither the user nor the end of the wait.
            let answers = tokio::select! {
                biased;
                () = work.stop.cancelled() => return Watched::Stopped,
                answers = join_all(connections.iter().map(|made| self.ask(made, work))) => answers,
                () = last_look, if look == Look::Last => return Watched::NotYet(standing),
                // A wait of nothing is one look, which takes as long as it takes.
                () = passing(&deadline), if look == Look::Another || look == Look::First && pace.wait > LAST_POLL => {
                    look = Look::Last;
                    continue;
                }
            };
            let asked_last = Instant::now();
            let (mut all_answered, mut asked_to_wait) = (true, Duration::ZERO);
            for (half, answer) in answers {
                match answer {
                    Ok(status) => {
                        standing.insert(half, status);
                    }
                    Err(error)
                        if error.is_gone()
                            || matches!(
                                error.kind,
                                ErrorKind::Unauthorized | ErrorKind::Unanswered | ErrorKind::Forbidden
                            ) =>
                    {
                        return Watched::Lost(Box::new(error));
                    }
                    Err(error) => {
                        all_answered = false;
                        asked_to_wait = asked_to_wait.max(error.retry_after.unwrap_or_default());
                        work.tell(Event::PollFailed(half, error));
                    }
                }
            }
            work.tell(Event::Polled(standing.clone()));
            let is_active = !standing.is_empty() && standing.values().all(|status| *status == Status::Active);
            // A status from an earlier round says nothing of now.
            if is_active && all_answered {
                return Watched::Active;
            }
            if look == Look::Last {
                return Watched::NotYet(standing);
            }
            look = Look::Another;
            if self.progress().is_due(Timestamp::now()) {
                self.sweep(work).await;
            }
            let pause = pace.every.min(poll_after(begun.elapsed())).max(asked_to_wait);
            let pause = pause.min(deadline().saturating_duration_since(Instant::now()));
            tokio::select! {
                () = sleep(pause) => {}
                () = work.stop.cancelled() => return Watched::Stopped,
            }
            if Instant::now() >= deadline() {
                if !is_stale(asked_last.elapsed(), pace) {
                    return Watched::NotYet(standing);
                }
                look = Look::Last;
            }
        }
    }

    async fn ask(&self, made: &Made, work: &Work<'_>) -> (Half, Result<Status, Error>) {
        let step = self.change.step_of(made.task).unwrap_or_default();
        let status = match self.region(step, &made.region, work) {
            Ok(region) => region.connection_status(&made.id).await,
            Err(error) => Err(error),
        };
        (made.task.half, status)
    }
}

/// Whether what was answered that long ago, when the wait is over, is from before a time in which this process was
/// suspended.
fn is_stale(ago: Duration, pace: Pace) -> bool {
    ago > pace.every + SLACK
}

/// Which look it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    First,
    Another,
    /// The wait is over.
    Last,
}

/// Waits for a point in time that may be put off meanwhile.
async fn passing(deadline: impl Fn() -> Instant) {
    while Instant::now() < deadline() {
        sleep_until(deadline()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_suspension_the_statuses_of_before_are_not_the_last_word() {
        let pace = Pace::lasting(Duration::from_secs(60));
        let ago = |ago: Duration| is_stale(ago, pace);
        assert!(!ago(Duration::ZERO) && !ago(pace.every) && !ago(pace.every + SLACK), "nor on a busy machine");
        assert!(ago(pace.every + SLACK * 2) && ago(Duration::from_secs(200)));
    }
}
