//! Taking back what a run made, and nothing else.

use tokio_util::sync::CancellationToken;

use super::{Event, Events, Ledger, Made, Origin, no_region, tell};
use crate::cloud::{Cloud, Error, Id};
use crate::plan::Plan;

/// How an undo ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// Everything this run made is gone.
    Clean,
    /// Some of it is still there, each with the reason; the ledger still holds it.
    Left(Vec<(Made, Error)>),
    /// The user asked to stop.
    Stopped,
}

/// Deletes what this run made, connections first, because everything else is held by them. What was reused stays. What
/// is gone already counts as deleted. What requests in doubt may have made is looked up by its mark first.
pub async fn undo(
    plan: &Plan,
    ledger: &mut Ledger,
    cloud: &Cloud,
    events: &Events,
    stop: &CancellationToken,
) -> Undone {
    twins(plan, ledger, cloud).await;
    let mut left = Vec::new();
    for made in ledger.removable() {
        if stop.is_cancelled() {
            return Undone::Stopped;
        }
        tell(events, Event::Deleting(made.clone()));
        let deleted = match cloud.region(&made.region) {
            Some(region) => region.delete(made.task.step.kind(), &made.id).await.map(|_| ()),
            None => Err(no_region(&made.region)),
        };
        match deleted {
            Ok(()) => {
                ledger.remove(&made.id);
                tell(events, Event::Deleted(made));
            }
            Err(error) => {
                tell(events, Event::Kept(made.clone(), error.clone()));
                left.push((made, error));
            }
        }
    }
    if left.is_empty() { Undone::Clean } else { Undone::Left(left) }
}

/// Finds what requests in doubt have made, or may have made late: everything with this VPN's mark and the task's name.
/// What the ledger does not hold becomes debris. A task that cannot be looked up stays as doubtful as it was.
pub(super) async fn twins(plan: &Plan, ledger: &mut Ledger, cloud: &Cloud) {
    for task in ledger.suspect() {
        let Some(half) = plan.half(task.half) else { continue };
        let Some(region) = cloud.region(&half.region) else { continue };
        let name = plan.name().of(task.step.object());
        let Ok(marked) = region.marked(task.step.kind(), &plan.id().mark(task.half)).await else { continue };
        let known: Vec<Id> = ledger.made().iter().map(|made| made.id.clone()).collect();
        let unknown = marked.into_iter().filter(|object| object.name == name && !known.contains(&object.id));
        for object in unknown {
            ledger.leave(Made {
                task,
                region: half.region.clone(),
                id: object.id,
                name: object.name,
                origin: Origin::Adopted,
                external_v4: None,
                external_v6: None,
            });
        }
        ledger.settle(task);
    }
}
