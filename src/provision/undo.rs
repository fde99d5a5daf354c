//! Taking back what a run made, and nothing else.

use tokio_util::sync::CancellationToken;

use super::{Event, Events, Ledger, Made, Step, no_region, tell};
use crate::cloud::{Cloud, Error};
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
/// is gone already counts as deleted. Doubtful requests are looked up by their mark first.
pub async fn undo(
    plan: &Plan,
    ledger: &mut Ledger,
    cloud: &Cloud,
    events: &Events,
    stop: &CancellationToken,
) -> Undone {
    find_doubtful(plan, ledger, cloud).await;
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
                ledger.remove(made.task);
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

async fn find_doubtful(plan: &Plan, ledger: &mut Ledger, cloud: &Cloud) {
    let doubtful: Vec<_> = ledger.doubtful().collect();
    for task in doubtful {
        let Some(half) = plan.half(task.half) else { continue };
        let Some(region) = cloud.region(&half.region) else { continue };
        let name = plan.name().of(task.step.object());
        // What cannot be asked stays in doubt; the caller sees that the ledger is not clean.
        let Ok(marked) = region.marked(task.step.kind(), &plan.id().mark(task.half)).await else { continue };
        match marked.into_iter().find(|object| object.name == name || task.step == Step::Service) {
            Some(object) => ledger.record(Made {
                task,
                region: half.region.clone(),
                id: object.id,
                name: object.name,
                origin: super::Origin::Adopted,
                external_v4: None,
                external_v6: None,
            }),
            None => ledger.settle(task),
        }
    }
}
