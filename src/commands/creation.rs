//! A creation, or what is missing of one: the engine at work, its events as lines, and how that ended.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::attend::Attendance;
use super::lines::{self, ProgressLines};
use crate::cloud::Cloud;
use crate::engine::handover::KeyOrigin;
use crate::engine::journal::Keeper;
use crate::engine::{CreateError, Event, Ledger, Marks, Pace, Standing, Watched, Work, create, watch};
use crate::inspect::examine;
use crate::plan::{Plan, Severity};
use crate::report::{CreationEnd, CreationReport};
use crate::system::signals::Signals;

pub(super) struct Creation<'a> {
    pub(super) plan: &'a Plan,
    pub(super) cloud: &'a Cloud,
    pub(super) keeper: &'a Keeper,
    /// Where the key came from, for the owner of a peer.
    pub(super) key: KeyOrigin,
    pub(super) wait: Duration,
}

impl Creation<'_> {
    /// Makes what the ledger does not hold yet and watches it, and says how that ended.
    pub(super) async fn make(&self, mut ledger: Ledger, signals: &mut Signals) -> CreationReport {
        let Self { plan, cloud, keeper, key, wait } = *self;
        let (events, received) = unbounded_channel();
        let mut audience = Audience {
            cloud,
            events: received,
            signals,
            stop: CancellationToken::new(),
            lines: ProgressLines::new(plan),
        };
        let stop = audience.stop.clone();
        let work = Work { cloud, keeper, events: &events, stop: &stop };
        // The report comes when it is too late to think about them.
        for finding in plan.findings().iter().filter(|finding| finding.severity == Severity::Warning) {
            lines::warn(&finding.to_string());
        }
        let report = |ledger: &Ledger, end: CreationEnd<'_>, lines: &ProgressLines| {
            CreationReport::new(plan, ledger, end, key).with_pauses(plan, lines.pauses())
        };
        let created = audience.attend(Box::pin(create(plan, &mut ledger, &work))).await;
        audience.lines.complete(&mut ledger);
        match created {
            Some(Ok(())) if !stop.is_cancelled() => {}
            Some(Ok(()) | Err(CreateError::Stopped)) | None => {
                return report(&ledger, CreationEnd::Stopped(&Standing::new()), &audience.lines);
            }
            Some(Err(CreateError::Failed(task, error))) => {
                return report(&ledger, CreationEnd::Failed(task, &error), &audience.lines);
            }
        }
        lines::waiting(wait);
        let marks = Marks::from(plan);
        let watched = audience.attend(Box::pin(watch(&marks, &mut ledger, Pace::lasting(wait), &work))).await;
        // ACTIVE does not prove that traffic flows, and DOWN does not say why.
        let examined = match watched {
            Some(Watched::Active | Watched::NotYet(_)) => {
                audience.attend(examine(cloud, &marks.vpn, &marks.regions)).await
            }
            _ => None,
        };
        let examined = examined.and_then(Result::ok);
        let lines = &audience.lines;
        match watched {
            Some(Watched::Active) => report(&ledger, CreationEnd::Active, lines).with_health(examined.as_ref()),
            Some(Watched::NotYet(standing)) => {
                report(&ledger, CreationEnd::NotActive(&standing), lines).with_health(examined.as_ref())
            }
            Some(Watched::Lost(error)) => report(&ledger, CreationEnd::Lost(lines.standing(), &error), lines),
            Some(Watched::Stopped) | None => report(&ledger, CreationEnd::Stopped(lines.standing()), lines),
        }
    }
}

pub(super) struct Audience<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) events: UnboundedReceiver<Event>,
    pub(super) signals: &'a mut Signals,
    pub(super) stop: CancellationToken,
    pub(super) lines: ProgressLines,
}

impl Audience<'_> {
    /// Tells what happens while a piece of work is done. None if it did not come to rest in time after a signal.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let Self { cloud, events, signals, stop, lines } = self;
        Attendance { cloud, events, signals, stop }.attend(work, |event| lines.tell(event)).await
    }
}
