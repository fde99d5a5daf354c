//! Creating a VPN and rolling that back: changes like all others, told of by what they make.

use super::event::Listener;
use super::journal::JournalError;
use super::{ChangeError, Changed, Changing, Job};
use super::{Ledger, Made, Marks, Step, Task, Work};
use crate::change::Change;
use crate::cloud::{Error, ErrorKind};
use crate::plan::{Half, Plan, Psk};

/// Why not everything was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateError {
    /// A request failed. What the ledger holds exists; calling again does the rest.
    Failed(Task, Box<Error>),
    /// The user asked to stop; what was in progress is settled.
    Stopped,
}

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

/// A creation in progress. The ledger is true whenever this ends, also where nobody waits for the end.
struct Creating<'a> {
    changing: Changing,
    ledger: &'a mut Ledger,
}

impl Drop for Creating<'_> {
    fn drop(&mut self) {
        *self.ledger = self.changing.ledger(self.ledger);
    }
}

impl<'a> Work<'a> {
    fn job(self, change: &Change, key: Option<&'a Psk>) -> Job<'a> {
        Job { cloud: self.cloud, told: Listener::of_creation(self.events, change), stop: self.stop, key }
    }
}

/// Makes whatever of the plan the ledger does not hold yet.
///
/// A request whose answer was lost is never repeated blindly: the region is first asked for an object with this VPN's
/// marker. The ledger is true after every return, also after an error.
///
/// # Errors
/// The first failed request, or the wish to stop.
pub async fn create(plan: &Plan, ledger: &mut Ledger, work: &Work<'_>) -> Result<(), CreateError> {
    // The plan the journal began with may have had another policy.
    work.keeper.revise(plan, ledger).map_err(|error| {
        let task = Task { half: Half::A, step: Step::Service };
        CreateError::Failed(task, Box::new(Error::new(ErrorKind::Journal, error.to_string())))
    })?;
    let changing = Changing::of_plan(plan, ledger, work.keeper);
    let job = work.job(changing.change(), Some(plan.psk()));
    let creating = Creating { changing, ledger };
    let error = match creating.changing.forward(&job).await {
        Ok(Changed::Done | Changed::Unsettled(..)) => return Ok(()),
        Err(error) => error,
    };
    Err(match error {
        ChangeError::Failed(step, error) => CreateError::Failed(task(creating.changing.change(), step), error),
        ChangeError::KeyNeeded(step) => {
            let error = Error::new(ErrorKind::Unexpected, "a VPN needs a key");
            CreateError::Failed(task(creating.changing.change(), step), Box::new(error))
        }
        ChangeError::Stopped | ChangeError::TooLate => CreateError::Stopped,
    })
}

fn task(change: &Change, step: usize) -> Task {
    let task = match change.steps().get(step) {
        Some(crate::change::Step::Create(create)) => create.task(),
        _ => None,
    };
    task.unwrap_or(Task { half: Half::A, step: Step::Service })
}

/// Deletes what this run made, connections first, because everything else is held by them. What was reused stays. What
/// is gone already counts as deleted. What requests in doubt may have made is looked up by its marker first.
pub async fn undo(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) -> Undone {
    if let Err(error) = begin(ledger, work) {
        return Undone::Left(ledger.removable().into_iter().map(|made| (made, error.clone())).collect());
    }
    let changing = Changing::of_marks(marks, ledger, work.keeper);
    let job = work.job(changing.change(), None);
    let creating = Creating { changing, ledger };
    let rolled_back = creating.changing.backward(&job).await;
    let left = creating.changing.not_deleted();
    match rolled_back {
        Err(ChangeError::Stopped) => Undone::Stopped,
        _ if !left.is_empty() => Undone::Left(left),
        Ok(Changed::Done) => Undone::Clean,
        Ok(Changed::Unsettled(_, unseen)) => Undone::Unsettled(unseen),
        Err(ChangeError::Failed(_, error)) => Undone::Unsettled(Some(error)),
        Err(ChangeError::KeyNeeded(_) | ChangeError::TooLate) => Undone::Unsettled(None),
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

/// Deletes what lost requests of a VPN have made after all. What cannot be deleted stays in the ledger.
pub(super) async fn sweep(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) {
    let changing = Changing::of_marks(marks, ledger, work.keeper);
    let job = work.job(changing.change(), None);
    let creating = Creating { changing, ledger };
    creating.changing.sweep(&job).await;
}
