//! What becomes of requests whose answers were lost.
//!
//! A server may act on a request long after its sender has given up. So one look that finds nothing settles nothing: it
//! is looked again, until the request can take effect no more ([`Limits::settling`](crate::cloud::Limits)).

use jiff::{SignedDuration, Timestamp};

use super::{Event, Events, Ledger, Made, Origin, Task, delete, no_region, patient, tell};
use crate::cloud::{Cloud, Error, Id, Limits, Region};
use crate::plan::{HalfPlan, Plan};
use tokio_util::sync::CancellationToken;

/// Until when a request that failed like that may take effect. A plain 500 is the server's last word: what it has not
/// done by then it never does.
pub(super) fn until(error: &Error, limits: &Limits) -> Timestamp {
    let now = Timestamp::now();
    let is_last_word = !error.is_doubtful() || error.status == Some(500);
    let settling = SignedDuration::try_from(limits.settling).unwrap_or(SignedDuration::MAX);
    if is_last_word { now } else { now.checked_add(settling).unwrap_or(Timestamp::MAX) }
}

/// Everything in the region with this VPN's mark and the task's name.
pub(super) async fn look(
    plan: &Plan,
    half: &HalfPlan,
    region: &Region,
    task: Task,
) -> Result<(Timestamp, Vec<Made>), Error> {
    let at = Timestamp::now();
    let name = plan.name().of(task.step.object());
    let marked = region.marked(task.step.kind(), &plan.id().mark(task.half)).await?;
    let ours = marked.into_iter().filter(|object| object.name == name);
    let made = |id: Id| Made {
        task,
        region: half.region.clone(),
        id,
        name: name.clone(),
        origin: Origin::Adopted,
        external_v4: None,
        external_v6: None,
    };
    Ok((at, ours.map(|object| made(object.id)).collect()))
}

/// Looks for what every open task may have got by now. What is found becomes debris. The first look that failed, if one
/// did: such a task stays as open as it was.
pub(super) async fn look_for_all(
    plan: &Plan,
    ledger: &mut Ledger,
    cloud: &Cloud,
    events: &Events,
    stop: &CancellationToken,
) -> Option<Error> {
    let mut failed = None;
    for task in ledger.open() {
        let Some(half) = plan.half(task.half) else { continue };
        let looked = match cloud.region(&half.region) {
            Some(region) => look(plan, half, &patient(region, task, events, stop), task).await,
            None => Err(no_region(&half.region)),
        };
        match looked {
            Ok((at, found)) => {
                let before = ledger.leftovers();
                ledger.looked(task, at, found);
                for made in ledger.leftovers().into_iter().filter(|made| !before.contains(made)) {
                    tell(events, Event::Found(made));
                }
                if !ledger.is_open(task) {
                    tell(events, Event::Settled(task));
                }
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed
}

/// Deletes what requests given up have made after all. What cannot be deleted stays in the ledger. A stop ends it where
/// it is: of a deletion that is cut off the ledger still holds the object.
pub(super) async fn sweep(plan: &Plan, ledger: &mut Ledger, cloud: &Cloud, events: &Events, stop: &CancellationToken) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = sweep_all(plan, ledger, cloud, events, stop) => {}
    }
}

async fn sweep_all(plan: &Plan, ledger: &mut Ledger, cloud: &Cloud, events: &Events, stop: &CancellationToken) {
    look_for_all(plan, ledger, cloud, events, stop).await;
    for left in ledger.leftovers() {
        let Some(region) = cloud.region(&left.region) else { continue };
        if delete(&patient(region, left.task, events, stop), &left).await.is_ok() {
            ledger.remove(&left.id);
            tell(events, Event::Deleted(left));
        }
    }
}
