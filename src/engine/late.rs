//! What becomes of requests whose answers were lost.
//!
//! A server may act on a request long after its sender has given up. So one look that finds nothing settles nothing: it
//! is looked again, until the request can take effect no more ([`Limits::settling`](crate::cloud::Limits)).

use jiff::{SignedDuration, Timestamp};

use super::undo::verify;
use super::{Event, Ledger, Made, Marks, Origin, Step, Task, Work, delete_made};
use crate::cloud::vpnaas::{Formed, Marked};
use crate::cloud::{Error, Limits, Region, RegionId};

/// Until when a request that failed like that may take effect. A plain 500 is the server's last word: what it has not
/// done by then it never does.
pub(super) fn until(error: &Error, limits: &Limits) -> Timestamp {
    let now = Timestamp::now();
    let is_last_word = !error.is_doubtful() || error.status == Some(500);
    let settling = SignedDuration::try_from(limits.settling).unwrap_or(SignedDuration::MAX);
    if is_last_word { now } else { now.checked_add(settling).unwrap_or(Timestamp::MAX) }
}

/// What a look at a region has shown.
pub(super) struct Look {
    pub(super) at: Timestamp,
    /// What requests of the task have made.
    pub(super) ours: Vec<Made>,
    /// What carries the marker besides: somebody has copied a description, or changed what a request has made.
    pub(super) others: Vec<Made>,
}

impl Look {
    /// Notes it. What is not ours is told once.
    pub(super) fn note(self, ledger: &mut Ledger, task: Task, work: &Work<'_>) {
        ledger.looked(task, self.at, self.ours);
        for made in ledger.leave_alone(self.others) {
            work.tell(Event::LeftAlone(made));
        }
    }
}

/// Everything in the region with this VPN's marker that the task may have made: what the ledger has is left as it is.
pub(super) async fn look(marks: &Marks, ledger: &Ledger, region: &Region, task: Task) -> Result<Look, Error> {
    let at = Timestamp::now();
    let kind = task.step.kind();
    let marked = region.formed(kind, &marks.vpn.mark(task.half)).await?;
    let of_step = |one: &Formed| Step::of(kind, one.object.endpoints.as_deref()) == Some(task.step);
    let (ours, others): (Vec<Formed>, Vec<Formed>) =
        marked.into_iter().filter(of_step).partition(|one| marks.sent(ledger, task, one));
    let made = |all: Vec<Formed>| all.into_iter().map(|one| adopted(task, region.id(), one.object)).collect();
    Ok(Look { at, ours: made(ours), others: made(others) })
}

/// An object that was not known from an answer.
pub(super) fn adopted(task: Task, region: &RegionId, object: Marked) -> Made {
    Made {
        task,
        region: region.clone(),
        id: object.id,
        name: object.name,
        origin: Origin::Adopted,
        external_v4: None,
        external_v6: None,
    }
}

/// Looks for what every open task may have got by now. What is found becomes debris. The first look that failed, if one
/// did: such a task stays as open as it was.
pub(super) async fn look_for_all(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) -> Option<Error> {
    let mut failed = None;
    for task in ledger.open() {
        let Some(region) = marks.regions.get(&task.half) else { continue };
        let looked = match work.region(region, task) {
            Ok(region) => look(marks, ledger, &region, task).await,
            Err(error) => Err(error),
        };
        match looked {
            Ok(look) => {
                let before = ledger.leftovers();
                look.note(ledger, task, work);
                for made in ledger.leftovers().into_iter().filter(|made| !before.contains(made)) {
                    work.tell(Event::Found(made));
                }
                if !ledger.is_open(task) {
                    work.tell(Event::Settled(task));
                }
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed
}

/// Deletes what requests given up have made after all. What cannot be deleted stays in the ledger. A stop ends it where
/// it is: of a deletion that is cut off the ledger still holds the object.
pub(super) async fn sweep(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) {
    tokio::select! {
        biased;
        () = work.stop.cancelled() => {}
        () = sweep_all(marks, ledger, work) => {}
    }
}

async fn sweep_all(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) {
    look_for_all(marks, ledger, work).await;
    work.keeper.note(ledger);
    for left in ledger.leftovers() {
        let Ok(region) = work.region(&left.region, left.task) else { continue };
        if verify(&region, marks, ledger, &left).await.is_ok() && delete_made(&region, &left).await.is_ok() {
            ledger.remove(&left.id);
            work.keeper.note(ledger);
            work.tell(Event::Deleted(left));
        }
    }
}
