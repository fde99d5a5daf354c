//! What becomes of requests whose answers were lost.
//!
//! A server may act on a request long after its sender has given up. So one look that finds nothing settles nothing: it
//! is looked again, until the request can take effect no more ([`Limits::settling`](crate::cloud::Limits)).

use jiff::{SignedDuration, Timestamp};

use super::undo::verify;
use super::{Event, Ledger, Made, Marks, Origin, Step, Task, Work, delete};
use crate::cloud::vpnaas::Marked;
use crate::cloud::{Error, Limits, Region};

/// Until when a request that failed like that may take effect. A plain 500 is the server's last word: what it has not
/// done by then it never does.
pub(super) fn until(error: &Error, limits: &Limits) -> Timestamp {
    let now = Timestamp::now();
    let is_last_word = !error.is_doubtful() || error.status == Some(500);
    let settling = SignedDuration::try_from(limits.settling).unwrap_or(SignedDuration::MAX);
    if is_last_word { now } else { now.checked_add(settling).unwrap_or(Timestamp::MAX) }
}

/// Everything in the region with this VPN's marker that the task may have made, whatever it is called by now.
pub(super) async fn look(marks: &Marks, region: &Region, task: Task) -> Result<(Timestamp, Vec<Made>), Error> {
    let at = Timestamp::now();
    let kind = task.step.kind();
    let marked = region.marked(kind, &marks.vpn.mark(task.half)).await?;
    let ours = marked.into_iter().filter(|object| Step::of(kind, object.endpoints.as_deref()) == Some(task.step));
    let made = |object: Marked| Made {
        task,
        region: region.id().clone(),
        id: object.id,
        name: object.name,
        origin: Origin::Adopted,
        external_v4: None,
        external_v6: None,
    };
    Ok((at, ours.map(made).collect()))
}

/// Looks for what every open task may have got by now. What is found becomes debris. The first look that failed, if one
/// did: such a task stays as open as it was.
pub(super) async fn look_for_all(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) -> Option<Error> {
    let mut failed = None;
    for task in ledger.open() {
        let Some(region) = marks.regions.get(&task.half) else { continue };
        let looked = match work.region(region, task) {
            Ok(region) => look(marks, &region, task).await,
            Err(error) => Err(error),
        };
        match looked {
            Ok((at, found)) => {
                let before = ledger.leftovers();
                ledger.looked(task, at, found);
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
        if verify(&region, marks, ledger, &left).await.is_ok() && delete(&region, &left).await.is_ok() {
            ledger.remove(&left.id);
            work.keeper.note(ledger);
            work.tell(Event::Deleted(left));
        }
    }
}
