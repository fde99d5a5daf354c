//! Waiting for ACTIVE.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Event, Events, Ledger, Made, Standing, Step, late, no_region, patient, tell};
use crate::cloud::{Cloud, Error, ErrorKind, Status};
use crate::plan::{Half, Plan};

/// How often the connections are asked, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two questions.
    pub every: Duration,
    /// Until the watch gives up; that is not a failure.
    pub wait: Duration,
}

impl Pace {
    /// Every two seconds for that long: agents report every 60 s, so asking more often only costs requests.
    #[must_use]
    pub const fn lasting(wait: Duration) -> Self {
        Self { every: Duration::from_secs(2), wait }
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

/// Asks the ledger's connections for their status until all are ACTIVE. Failures that may pass are told and waited out.
///
/// Meanwhile it goes on looking for what requests given up may still make, and deletes it.
pub async fn watch(
    plan: &Plan,
    ledger: &mut Ledger,
    cloud: &Cloud,
    pace: Pace,
    events: &Events,
    stop: &CancellationToken,
) -> Watched {
    let watched = poll(plan, ledger, cloud, pace, events, stop).await;
    if matches!(watched, Watched::Active | Watched::NotYet(_)) && !ledger.is_settled() {
        late::sweep(plan, ledger, cloud, events, stop).await;
    }
    watched
}

async fn poll(
    plan: &Plan,
    ledger: &mut Ledger,
    cloud: &Cloud,
    pace: Pace,
    events: &Events,
    stop: &CancellationToken,
) -> Watched {
    let connections: Vec<Made> =
        ledger.made().iter().filter(|made| made.task.step == Step::Connection).cloned().collect();
    let deadline = Instant::now() + pace.wait;
    let mut standing: Standing = connections.iter().map(|made| (made.task.half, Status::PendingCreate)).collect();
    // However short the wait, each half is asked once.
    let mut is_first = true;
    loop {
        // Reads may be given up at any time: a hanging one holds up neither the user nor the end of the wait.
        let answers = tokio::select! {
            answers = join_all(connections.iter().map(|made| ask(cloud, made, events, stop))) => answers,
            () = stop.cancelled() => return Watched::Stopped,
            () = sleep_until(deadline), if !is_first => return Watched::NotYet(standing),
        };
        is_first = false;
        let mut all_answered = true;
        for (half, answer) in answers {
            match answer {
                Ok(status) => {
                    standing.insert(half, status);
                }
                Err(error)
                    if error.is_gone() || matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::Forbidden) =>
                {
                    return Watched::Lost(Box::new(error));
                }
                Err(error) => {
                    all_answered = false;
                    tell(events, Event::PollFailed(half, error));
                }
            }
        }
        tell(events, Event::Polled(standing.clone()));
        let is_active = !standing.is_empty() && standing.values().all(|status| *status == Status::Active);
        // A status from an earlier round says nothing of now.
        if is_active && all_answered {
            return Watched::Active;
        }
        if ledger.is_due(Timestamp::now()) {
            late::sweep(plan, ledger, cloud, events, stop).await;
        }
        let pause = pace.every.min(deadline.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => return Watched::Stopped,
        }
        if Instant::now() >= deadline {
            return Watched::NotYet(standing);
        }
    }
}

async fn ask(cloud: &Cloud, made: &Made, events: &Events, stop: &CancellationToken) -> (Half, Result<Status, Error>) {
    let status = match cloud.region(&made.region) {
        Some(region) => patient(region, made.task, events, stop).connection_status(&made.id).await,
        None => Err(no_region(&made.region)),
    };
    (made.task.half, status)
}
