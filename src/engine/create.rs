//! Making what is missing.

mod adopt;
mod post;
mod rivals;
mod service;

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::ledger::{Ledger, Made, Origin};
use super::retry::{Sender, send_until_known};
use super::{Event, Marks, Step, Task, Work, late};
use crate::cloud::retry::Patience;
use crate::cloud::{Error, ErrorKind, Id, Limits, Region};
use crate::plan::{Half, HalfPlan, Plan};
use rivals::Rival;

/// Why not everything was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateError {
    /// A request failed. What the ledger holds exists; calling again does the rest.
    Failed(Task, Box<Error>),
    /// The user asked to stop; what was under way is settled.
    Stopped,
}

/// Makes whatever of the plan the ledger does not hold yet.
///
/// A request whose answer was lost is never repeated blindly: the region is first asked for an object with this VPN's
/// mark. The ledger is true after every return, also after an error.
///
/// # Errors
/// The first failed request, or the wish to stop.
pub async fn create(plan: &Plan, ledger: &mut Ledger, work: &Work<'_>) -> Result<(), CreateError> {
    let created = match waves(plan, ledger, work).await {
        Ok(None) => Ok(()),
        Ok(Some(rival)) => {
            let (task, error) = rivals::withdraw(&plan.into(), &rival, ledger, work).await;
            let is_stopped = work.stop.is_cancelled() && !ledger.is_clean();
            Err(if is_stopped { CreateError::Stopped } else { CreateError::Failed(task, Box::new(error)) })
        }
        Err(error) => Err(error),
    };
    if created.is_ok() {
        work.keeper.finish_made(ledger);
    } else if ledger.is_clean() {
        work.keeper.finish();
    }
    created
}

/// Makes everything, unless somebody else is found to have made the same meanwhile.
async fn waves(plan: &Plan, ledger: &mut Ledger, work: &Work<'_>) -> Result<Option<Rival>, CreateError> {
    let run = Run { plan, marks: plan.into(), work, ledger: Mutex::new(ledger) };
    let halves: Vec<Half> = plan.halves().map(|half| half.half).collect();
    let parts = [Step::IkePolicy, Step::IpsecPolicy, Step::LocalGroup, Step::PeerGroup];
    let at_once: [Vec<Task>; 2] = [
        halves.iter().map(|&half| Task { half, step: Step::Service }).collect(),
        halves.iter().flat_map(|&half| parts.map(|step| Task { half, step })).collect(),
    ];
    let one_by_one = halves.iter().map(|&half| vec![Task { half, step: Step::Connection }]);
    run.may_send_keys().await?;
    run.revise()?;
    run.make_room(&halves).await?;
    for (at, wave) in at_once.into_iter().chain(one_by_one).enumerate() {
        if work.stop.is_cancelled() {
            return Err(CreateError::Stopped);
        }
        // The looks whether the services of the first wave are alone, and whether somebody else has made this VPN, cost no
        // round trip of their own beside the second.
        let looked = async {
            if at == 1 { tokio::join!(run.all_alone(&halves), run.overtaken_before()) } else { (Ok(()), Ok(None)) }
        };
        let (made, (alone, overtaken)) = tokio::join!(run.wave(&wave), looked);
        made.and(alone).map_err(|error| stopped_or(error, work))?;
        if let Some(rival) = overtaken.map_err(|error| run.unseen(error))? {
            return Ok(Some(rival));
        }
    }
    if let Some(rival) = run.overtaken_after().await.map_err(|error| run.unseen(error))? {
        return Ok(Some(rival));
    }
    let ledger = run.ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
    late::sweep(&run.marks, ledger, work).await;
    Ok(None)
}

/// Without the wish to stop it might have been tried again, or the user asked.
fn stopped_or(error: CreateError, work: &Work<'_>) -> CreateError {
    match error {
        CreateError::Failed(_, why)
            if work.stop.is_cancelled() && (why.is_transient() || why.kind == ErrorKind::Unanswered) =>
        {
            CreateError::Stopped
        }
        error => error,
    }
}

struct Run<'a> {
    plan: &'a Plan,
    marks: Marks,
    work: &'a Work<'a>,
    /// Each task of a wave notes at once what it knows; the lock is never held while something is waited for.
    ledger: Mutex<&'a mut Ledger>,
}

impl<'a> Run<'a> {
    fn ledger(&self) -> MutexGuard<'_, &'a mut Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key goes to every region of the VPN in the end: if it may not, nothing is made.
    async fn may_send_keys(&self) -> Result<(), CreateError> {
        for half in self.plan.halves() {
            let Ok(region) = self.work.cloud.region(&half.region) else { continue };
            let task = Task { half: half.half, step: Step::Connection };
            region.may_take_keys().await.map_err(|error| CreateError::Failed(task, Box::new(error)))?;
        }
        Ok(())
    }

    async fn wave(&self, tasks: &[Task]) -> Result<(), CreateError> {
        let is_missing = |task: &Task| self.ledger().get(task.half, task.step).is_none();
        let missing: Vec<Task> = tasks.iter().copied().filter(is_missing).collect();
        let ended = join_all(missing.into_iter().map(|task| self.task(task))).await;
        ended.into_iter().collect()
    }

    async fn task(&self, task: Task) -> Result<(), CreateError> {
        self.work.tell(Event::Started(task));
        let begun = Instant::now();
        match self.make(task).await {
            Ok(made) => {
                self.note(|ledger| ledger.record(made.clone()));
                self.work.tell(Event::Finished(made, begun.elapsed()));
                Ok(())
            }
            Err(error) => {
                self.note(|ledger| ledger.answered(task));
                self.work.tell(Event::Failed(task, error.clone(), begun.elapsed()));
                Err(CreateError::Failed(task, Box::new(error)))
            }
        }
    }

    async fn make(&self, task: Task) -> Result<Made, Error> {
        let half =
            self.plan.half(task.half).ok_or_else(|| Error::new(ErrorKind::Unexpected, "this plan has one half"))?;
        let region = self.work.region(&half.region, task)?;
        match task.step {
            Step::Service => self.service(&region, half, task).await,
            _ => self.part(&region, half, task).await,
        }
    }

    /// Notes something, in the journal too. If that cannot be written, what it says already is enough: a request that is
    /// announced there is looked for, whatever became of it.
    fn note<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self.ledger();
        let changed = change(&mut ledger);
        self.work.keeper.note(&ledger);
        changed
    }

    /// Announces a request that will make something. Without that in the journal it must not be sent.
    fn announce(&self, task: Task) -> Result<(), Error> {
        let mut ledger = self.ledger();
        ledger.intend(task, Timestamp::now());
        self.work.keeper.keep(&ledger).map_err(|error| {
            ledger.answered(task);
            Error::new(ErrorKind::Journal, error.to_string())
        })
    }

    /// Sees to it that the journal is about this plan: the one it began with may have had another policy.
    fn revise(&self) -> Result<(), CreateError> {
        self.work.keeper.revise(self.plan, &self.ledger()).map_err(|error| {
            let task = Task { half: Half::A, step: Step::Service };
            CreateError::Failed(task, Box::new(Error::new(ErrorKind::Journal, error.to_string())))
        })
    }

    /// It was not seen whether somebody else has made this VPN.
    fn unseen(&self, mut error: Error) -> CreateError {
        let is_here = |half: &&HalfPlan| error.region.as_ref() == Some(&half.region);
        let half = self.plan.halves().find(is_here).map_or(Half::A, |half| half.half);
        error.message =
            format!("Whether somebody else has made this VPN meanwhile could not be seen: {}", error.message);
        stopped_or(CreateError::Failed(Task { half, step: Step::Connection }, Box::new(error)), self.work)
    }

    /// Makes anything but a VPN service.
    async fn part(&self, region: &Region, half: &HalfPlan, task: Task) -> Result<Made, Error> {
        let may_be_there = {
            let ledger = self.ledger();
            ledger.is_open(task) || !ledger.candidates(task).is_empty()
        };
        if may_be_there && let Some(made) = self.find(region, task).await? {
            return Ok(made);
        }
        let draft = self.draft(half, task).await?;
        let sender = TaskSender { run: self, half, task, is_lost: Error::is_doubtful };
        let send = async || {
            let id = self.post(region, &draft).await?;
            Ok(self.made(half, task, id, Origin::Created))
        };
        send_until_known(&sender, send, || self.find(region, task)).await
    }

    fn made(&self, half: &HalfPlan, task: Task, id: Id, origin: Origin) -> Made {
        let name = self.plan.name().of(task.step.object());
        Made { task, region: half.region.clone(), id, name, origin, external_v4: None, external_v6: None }
    }

    /// Takes what the cloud says is not there any more out of the ledger, so that a retry makes it again.
    fn forget_what_is_gone(&self, half: &HalfPlan, error: &Error) {
        if !error.is_gone() {
            return;
        }
        let is_it = |made: &&Made| made.task.half == half.half && error.message.contains(made.id.as_str());
        self.note(|ledger| {
            if let Some(gone) = ledger.made().iter().find(is_it).map(|made| made.id.clone()) {
                ledger.remove(&gone);
            }
        });
    }
}

/// How the request of a task is sent.
struct TaskSender<'a, 'run> {
    run: &'a Run<'run>,
    half: &'a HalfPlan,
    task: Task,
    is_lost: fn(&Error) -> bool,
}

impl Sender for TaskSender<'_, '_> {
    fn announce(&self) -> Result<(), Error> {
        self.run.announce(self.task)
    }

    fn refused(&self, error: &Error) {
        self.run.forget_what_is_gone(self.half, error);
    }

    fn lost(&self, error: &Error) {
        let until = late::until(error, self.run.work.cloud.limits());
        self.run.note(|ledger| ledger.lose(self.task, until));
    }

    fn is_lost(&self, error: &Error) -> bool {
        (self.is_lost)(error)
    }

    /// Only where something in front of the cloud has answered for it: after a lost connection the user is asked.
    fn may_pass(&self, error: &Error) -> bool {
        matches!(error.status, Some(502..=504))
    }

    fn patience(&self) -> Patience {
        self.run.work.patience(self.task)
    }

    fn limits(&self) -> &Limits {
        self.run.work.cloud.limits()
    }
}
