//! Taking back what a run made, and nothing else.

use std::collections::BTreeSet;

use super::delete::{self, Freed};
use super::journal::JournalError;
use super::{Event, Ledger, Made, Marks, Step, Work, late};
use crate::change::Deletable;
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Error, ErrorKind, Id, Region};

/// How an undo ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// Everything this run made is gone, and nothing more can come of it.
    Clean,
    /// Everything of this run that exists is gone. Of some requests the answers were lost, and what they ask for may
    /// still appear ([`Ledger::doubts`]); the error tells why it could not be looked for, if it could not.
    Unsettled(Option<Box<Error>>),
    /// Some of it is still there, each with the reason; the ledger still holds it.
    Left(Vec<(Made, Error)>),
    /// The user asked to stop.
    Stopped,
}

/// Deletes what this run made, connections first, because everything else is held by them. What was reused stays. What
/// is gone already counts as deleted. What requests in doubt may have made is looked up by its mark first.
pub async fn undo(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) -> Undone {
    if let Err(error) = begin(ledger, work) {
        return Undone::Left(ledger.removable().into_iter().map(|made| (made, error.clone())).collect());
    }
    let unknown = tokio::select! {
        unknown = late::look_for_all(marks, ledger, work) => unknown,
        () = work.stop.cancelled() => return Undone::Stopped,
    };
    work.keeper.note(ledger);
    let mut left = Vec::new();
    let mut torn_down = BTreeSet::new();
    for made in ledger.removable() {
        if work.stop.is_cancelled() {
            return Undone::Stopped;
        }
        work.tell(Event::Deleting(made.clone()));
        let deleted = match work.region(&made.region, made.task) {
            Ok(region) => match verify(&region, marks, ledger, &made).await {
                Ok(()) => free_and_delete(&region, &made, &torn_down, work).await,
                foreign => foreign,
            },
            Err(error) => Err(error),
        };
        match deleted {
            Ok(()) => {
                ledger.remove(&made.id);
                work.keeper.note(ledger);
                if made.task.step == Step::Connection {
                    torn_down.insert(made.id.clone());
                }
                work.tell(Event::Deleted(made));
            }
            Err(error) => {
                work.tell(Event::Kept(made.clone(), error.clone()));
                left.push((made, error));
            }
        }
    }
    match () {
        () if !left.is_empty() => Undone::Left(left),
        () if !ledger.is_settled() => Undone::Unsettled(unknown.map(Box::new)),
        () => {
            work.keeper.finish();
            Undone::Clean
        }
    }
}

/// A VPN that is made has no journal any more; while it is deleted it has one. A disk that cannot be written is no reason
/// not to undo something, but another process at work on the VPN is.
fn begin(ledger: &Ledger, work: &Work<'_>) -> Result<(), Error> {
    match if ledger.is_clean() { Ok(()) } else { work.keeper.keep(ledger) } {
        Ok(()) => Ok(()),
        Err(error @ (JournalError::NoHome | JournalError::File(..))) => {
            tracing::warn!(%error, "the journal was not written");
            Ok(())
        }
        Err(error) => Err(Error::new(ErrorKind::Invalid, error.to_string())),
    }
}

/// Looks at an object before it is deleted that only a journal says is this VPN's: it has the marker, or the name it was
/// given.
///
/// # Errors
/// If it has neither, or cannot be read. What is gone has nothing to be looked at.
pub(super) async fn verify(region: &Region, marks: &Marks, ledger: &Ledger, made: &Made) -> Result<(), Error> {
    if !ledger.is_unverified(&made.id) {
        return Ok(());
    }
    let shown = match region.show(made.task.step.kind(), &made.id, &["name", "description"]).await {
        Err(error) if error.is_gone() => return Ok(()),
        shown => shown?,
    };
    let text = |attribute: &str| shown[attribute].as_str().unwrap_or_default().to_owned();
    let mark = marks.vpn.mark(made.task.half);
    if is_marked(&text("description"), &mark) || text("name") == marks.name.of(made.task.step.object()) {
        return Ok(());
    }
    let what = format!("it has neither the marker {mark} nor the name osvpn gave it, so it is not deleted");
    Err(Error::new(ErrorKind::Invalid, what))
}

/// Deletes an object, once no connection that was deleted holds it any more.
pub(super) async fn free_and_delete(
    region: &Region,
    made: &Made,
    torn_down: &BTreeSet<Id>,
    work: &Work<'_>,
) -> Result<(), Error> {
    let (what, patience) = (Deletable::Vpn(made.task.step.kind()), work.patience(made.task));
    match delete::free_and_delete(region, what, &made.id, |id| torn_down.contains(id), &patience).await? {
        Freed::Gone => Ok(()),
        Freed::InUse(error) => Err(error),
    }
}
