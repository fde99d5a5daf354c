//! Carries out a [`Change`] of an existing VPN, finishes an interrupted one, or rolls one back.
//!
//! It keeps the promises of a creation: what is about to be sent is in the journal first, what came of it right after.
//! What a step makes carries a word that no other object has, so it is looked for before it is asked for again; what a
//! step changes or deletes can be sent again without harm. Of a request whose answer was lost it is remembered until when
//! it may still take effect, and until then a change that is done is not called settled.
//!
//! * [`Changing::carry_out`] and [`Changing::take_back`] can each be called again after every return, also by another
//!   process with [`Changing::open`]. They do what is missing.
//! * A change can be rolled back until something was deleted, or both halves may have a new key.

mod contention;
mod course;
mod create;
mod delete;
mod journal;
mod key;
mod marked;
mod progress;
mod replaced;
mod restart;
mod rivals;
mod service;
mod settle;
mod update;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::event::{Listener, StepEvent};
use super::journal::Keeper;
use super::private::JournalError;
use super::retry::{self, Sender};
use super::{Ledger, Made, Marks, late};
use crate::change::{Change, ChangeId, Create, Form, HalfObject, New, Step, Task};
use crate::cloud::retry::{Patience, Pause};
use crate::cloud::{Cloud, Error, ErrorKind, Id, Limits, Region, RegionId};
use crate::plan::{Plan, Psk};

use contention::Overtaken;
use journal::Kept;
use progress::{Progress, Request};
use rivals::Rival;

pub use course::{Caveat, Course};
pub(super) use journal::EXTENSION;
pub use journal::{ChangeRecord, unfinished, unfinished_of};
pub(in crate::engine) use marked::adopted;
pub use progress::{Direction, End};
pub(in crate::engine) use progress::{Late, State};

/// What a change is carried out with.
#[derive(Clone, Copy, Debug)]
pub struct ChangeWork<'a> {
    /// Where.
    pub cloud: &'a Cloud,
    /// Who is told.
    pub events: &'a UnboundedSender<ChangeEvent>,
    /// The wish to stop. What is under way is settled first.
    pub stop: &'a CancellationToken,
}

/// What the engine works with, and whom it tells.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Job<'a> {
    pub cloud: &'a Cloud,
    pub told: Listener,
    pub stop: &'a CancellationToken,
    /// For what gets a key: the user's, or that of a new VPN.
    pub key: Option<&'a Psk>,
}

/// What happens while a change is carried out or rolled back. Steps are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeEvent {
    /// A step has begun.
    Started(usize),
    /// A step is done.
    Finished(usize, End, Duration),
    /// A step, or taking it back, has failed. What is said of the VPN still holds.
    Failed(usize, Error, Duration),
    /// A request of that step failed for a reason that may pass, and is tried again after a pause.
    Waiting(usize, Box<Pause>),
    /// What a step did is being rolled back.
    TakingBack(usize),
    /// What a step did is rolled back.
    TakenBack(usize, Duration),
    /// A request whose answer was lost had made this object after all, or somebody else had given it to a VPN that is deleted;
    /// nothing needs it, and it is deleted.
    Removed(usize, Id),
    /// What was wanted is so; until that time a request whose answer was lost may still take effect, and is waited for.
    Settling(Timestamp),
}

/// How a change, or taking it back, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// For good; there is no journal any more.
    Done,
    /// What was wanted is so, but until that time a request whose answer was lost may still take effect. Calling again then
    /// puts right whatever it did. Why that could not be looked for now, if it could not.
    Unsettled(Timestamp, Option<Box<Error>>),
}

/// Why a change is not done. The journal tells what is, and calling again goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// That step failed.
    Failed(usize, Box<Error>),
    /// The user asked to stop; what was under way is settled.
    Stopped,
    /// The key of that step is the user's, and has to be sent again: it must be given again.
    KeyNeeded(usize),
    /// It cannot be rolled back any more: something is deleted, or both halves may have the new key.
    TooLate,
}

/// A change that is carried out by this process, and by no other at the same time.
#[derive(Debug)]
pub struct Changing {
    change: Change,
    /// The locks are never held while something is waited for.
    progress: Mutex<Progress>,
    kept: Mutex<Kept>,
    notes: Mutex<Notes>,
    /// What a creation is held against what others make at the same time by.
    plan: Option<Plan>,
}

/// What one process has come across while it carries a change out. It stands in no journal.
#[derive(Debug, Default)]
struct Notes {
    /// Connections that were deleted and may still hold what they used.
    torn_down: Vec<Id>,
    /// The steps that restarted a service to take something back, which its agent was not seen to notice, with its router.
    unnoticed: BTreeMap<usize, Option<Id>>,
    /// Connections that somebody else's change has replaced, with what they were replaced by.
    successors: BTreeMap<Id, Id>,
    /// The change this one gives way to.
    rival: Option<ChangeId>,
    /// Whether both halves had the same key when the first connection was replaced.
    were_equal: bool,
    /// What has the marker of the VPN and was not sent for it: it stays.
    left_alone: Vec<Made>,
    /// Ids that only a journal vouches for: before one of them is deleted, the object is looked at.
    unverified: BTreeSet<Id>,
    /// What of a creation could not be deleted, and why.
    not_deleted: Vec<(Made, Error)>,
}

impl Changing {
    /// Begins a change, with its journal in that directory from the first request on. The VPN is locked from now on.
    ///
    /// # Errors
    /// If another process works on the VPN, or a run or a change of it is unfinished, or the directory cannot be used.
    pub fn begin(change: Change, cloud: &Cloud, directory: &Path) -> Result<Self, JournalError> {
        let kept = Kept::begin(&change, cloud, directory)?;
        Ok(Self::new(change, kept))
    }

    /// Begins a change that leaves no journal: the demo's cloud ends with the program.
    #[must_use]
    pub fn unkept(change: Change) -> Self {
        Self::new(change, Kept::Nowhere)
    }

    fn new(change: Change, kept: Kept) -> Self {
        let progress = Progress::of(&change);
        Self { progress: Mutex::new(progress), change, kept: Mutex::new(kept), notes: Mutex::default(), plan: None }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes in the journal how far it is, where going on from what is on the disk already would be right, too.
    fn note(&self) {
        let progress = self.progress().clone();
        self.kept().note(&self.change, &progress);
    }

    /// Goes on with the creation of a plan, of which that much is done.
    pub(in crate::engine) fn of_plan(plan: &Plan, ledger: &Ledger, keeper: &Keeper) -> Self {
        Self { plan: Some(plan.clone()), ..Self::of_ledger(plan.to_change(), ledger, keeper) }
    }

    /// Resumes a creation of which no plan is known any more: it can be looked for and rolled back.
    pub(in crate::engine) fn of_marks(marks: &Marks, ledger: &Ledger, keeper: &Keeper) -> Self {
        let objects = marks.regions.iter().flat_map(|(&half, region)| {
            HalfObject::ALL.map(|step| {
                let sent = marks.sent.get(&half);
                let form = sent.map_or_else(Form::default, |sent| sent.form(step));
                (Task { half, step }, region.clone(), marks.name.of(step.object()), form)
            })
        });
        Self::of_ledger(Change::of_unplanned(&marks.vpn, marks.name.as_str(), objects), ledger, keeper)
    }

    fn of_ledger(change: Change, ledger: &Ledger, keeper: &Keeper) -> Self {
        let progress = Progress::of_ledger(&change, ledger);
        let notes = Notes {
            left_alone: ledger.left_alone().to_vec(),
            unverified: ledger.unverified().clone(),
            ..Notes::default()
        };
        let kept = Kept::Creation(keeper.clone(), Box::new(ledger.clone()));
        Self { progress: Mutex::new(progress), notes: Mutex::new(notes), ..Self::new(change, kept) }
    }

    /// What is known of a creation.
    pub(in crate::engine) fn ledger(&self, base: &Ledger) -> Ledger {
        let mut ledger = self.progress().ledger(&self.change, base);
        ledger.leave_alone(self.notes().left_alone.iter().cloned());
        ledger
    }

    /// What of a creation could not be deleted, and why.
    pub(in crate::engine) fn not_deleted(&self) -> Vec<(Made, Error)> {
        self.notes().not_deleted.clone()
    }

    /// Resumes the journal of a change that was interrupted.
    ///
    /// # Errors
    /// If another process has it, or it is gone or unreadable.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let (kept, record) = Kept::open(path)?;
        Ok(Self { progress: Mutex::new(record.progress), ..Self::new(record.change, kept) })
    }

    /// What it is to do.
    #[must_use]
    pub const fn change(&self) -> &Change {
        &self.change
    }

    /// Whether it is a change in that cloud's project. One that leaves no journal is.
    #[must_use]
    pub fn is_of(&self, cloud: &Cloud) -> bool {
        self.kept().is_of(cloud)
    }

    /// What came of each step, as far as it is done.
    #[must_use]
    pub fn ends(&self) -> Vec<Option<End>> {
        self.progress().ends()
    }

    /// Whether it can be rolled back.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        self.progress().is_reversible(&self.change)
    }

    /// How far it is.
    #[must_use]
    pub fn course(&self) -> Course {
        let journal = self.kept().journal().map(Path::to_owned);
        let mut course = Course::of(&self.change, &self.progress(), journal);
        for (&step, router) in &self.notes().unnoticed {
            if let Some(Step::Restart(service)) = self.change.steps().get(step) {
                course.caveats.push(Caveat::Unnoticed(service.clone(), router.clone()));
            }
        }
        course
    }

    /// Which way it went last.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.progress().direction
    }

    /// Does what is missing of the change. The key is for its [`SetKey`](crate::change::SetKey) step: none makes a new one,
    /// where any is as good.
    ///
    /// # Errors
    /// The first step that failed, or the wish to stop.
    pub async fn carry_out(&mut self, key: Option<&Psk>, work: &ChangeWork<'_>) -> Result<Changed, ChangeError> {
        self.forward(&Job::of(work, key)).await
    }

    pub(in crate::engine) async fn forward(&self, work: &Job<'_>) -> Result<Changed, ChangeError> {
        self.set_out(Direction::Forward, work);
        if let Err((step, error)) = self.may_send_keys(work).await {
            return Err(self.failed_early(step, error, work));
        }
        if let Err((step, error)) = self.make_room(work).await {
            return Err(self.failed_early(step, error, work));
        }
        let stages = self.change.stages();
        let mut is_looked_at = false;
        for (number, stage) in stages.iter().enumerate() {
            let missing: Vec<usize> = stage.clone().filter(|&step| !self.progress().is_done(step)).collect();
            let follows_services = number.checked_sub(1).is_some_and(|before| self.has_services(&stages[before]));
            if missing.is_empty() && !follows_services {
                continue;
            }
            if work.stop.is_cancelled() && !missing.iter().any(|&step| self.must_go_on(step)) {
                return Err(self.give_up(ChangeError::Stopped));
            }
            // Right after what was changed, and before anything is deleted: a restart takes its time.
            let wants_a_look = missing.iter().any(|&step| self.wants_a_look_before(step)) && !is_looked_at;
            is_looked_at |= missing.iter().any(|&step| self.wants_a_look_before(step));
            if wants_a_look && let Err(overtaken) = self.look_once_more(work).await {
                return Err(self.give_way(overtaken, work).await);
            }
            self.stage(&missing, follows_services, work).await?;
            // What was made for the change may be of no use by the end of a restart.
            let takes_time = |&step: &usize| matches!(self.change.steps()[step], Step::Restart(_) | Step::Update(_));
            is_looked_at &= !missing.iter().any(takes_time);
        }
        if !is_looked_at && let Err(overtaken) = self.look_once_more(work).await {
            return Err(self.give_way(overtaken, work).await);
        }
        if let Err(overtaken) = self.look_at_connections(work).await {
            return Err(self.give_way(overtaken, work).await);
        }
        match self.overtaken_after(work).await {
            Ok(None) => Ok(self.settle(work).await),
            Ok(Some(rival)) => Err(self.yield_to(&rival, work).await),
            Err(error) => Err(self.unseen(error, work)),
        }
    }

    /// Whether a stage holds the only services of their routers. Whether they are alone there, and whether somebody else has
    /// made this VPN, is looked at beside the stage that follows, so that it costs no round trip of its own.
    fn has_services(&self, stage: &Range<usize>) -> bool {
        let is_service = |step: &Step| matches!(step, Step::Create(Create { object: New::SoleService { .. }, .. }));
        self.change.steps()[stage.clone()].iter().any(is_service)
    }

    /// With a key of their own, some of the connections between two ends would stay down.
    fn must_go_on(&self, step: usize) -> bool {
        matches!(self.change.steps()[step], Step::CopyKey(_))
    }

    fn wants_a_look_before(&self, step: usize) -> bool {
        match self.change.steps()[step] {
            Step::Restart(_) => !is_one_of_several(&self.change, step),
            Step::Delete(..) => true,
            Step::Create(_) | Step::Update(_) | Step::SetKey(_) | Step::CopyKey(_) => false,
        }
    }

    /// Does the steps of a stage, all at once. Those that are under way when one fails are finished.
    async fn stage(&self, steps: &[usize], follows_services: bool, work: &Job<'_>) -> Result<(), ChangeError> {
        let looked = async {
            if follows_services {
                tokio::join!(self.all_alone(work), self.overtaken_before(work))
            } else {
                (Ok(()), Ok(None))
            }
        };
        let done = join_all(steps.iter().map(|&step| async move { (step, self.one_step(step, work).await) }));
        let (done, (alone, overtaken)) = tokio::join!(done, looked);
        for (step, ended) in done {
            match ended {
                Ok(()) => {}
                Err(Failure::Overtaken(overtaken)) => return Err(self.give_way(*overtaken, work).await),
                Err(Failure::Error(error)) if error.kind == ErrorKind::Overtaken => {
                    return Err(self.give_way(Overtaken { step, by: None, error: *error }, work).await);
                }
                Err(failure) => return Err(self.fail(step, failure, work)),
            }
        }
        alone.map_err(|(step, error)| self.fail(step, error.into(), work))?;
        match overtaken {
            Ok(None) => Ok(()),
            Ok(Some(rival)) => Err(self.yield_to(&rival, work).await),
            Err(error) => Err(self.unseen(error, work)),
        }
    }

    async fn one_step(&self, step: usize, work: &Job<'_>) -> Result<(), Failure> {
        work.tell(StepEvent::Started(step));
        let begun = Instant::now();
        match self.do_step(step, work).await {
            Ok(end) => {
                let object = self.progress().object(step).cloned();
                if let Some(made) = object {
                    work.tell(StepEvent::Made(made, begun.elapsed()));
                } else {
                    self.progress().finish(step, end.clone());
                    self.note();
                    work.tell(StepEvent::Finished(step, end, begun.elapsed()));
                }
                Ok(())
            }
            Err(failure) => {
                self.tell_failure(step, &failure, begun, work);
                Err(failure)
            }
        }
    }

    fn tell_failure(&self, step: usize, failure: &Failure, begun: Instant, work: &Job<'_>) {
        if let Failure::Error(error) = failure
            && error.kind != ErrorKind::Overtaken
        {
            work.tell(StepEvent::Failed(step, (**error).clone(), begun.elapsed()));
        }
    }

    fn failed_early(&self, step: usize, error: Error, work: &Job<'_>) -> ChangeError {
        work.tell(StepEvent::Failed(step, error.clone(), Duration::ZERO));
        self.fail(step, error.into(), work)
    }

    /// It was not seen whether somebody else has made this VPN.
    fn unseen(&self, mut error: Error, work: &Job<'_>) -> ChangeError {
        let is_there = |create: &Create| error.region.as_ref() == Some(&create.region);
        let steps = self.marked_steps().into_iter().filter(|(_, task, _)| task.step == HalfObject::Connection);
        let steps: Vec<(usize, &Create)> = steps.map(|(step, _, create)| (step, create)).collect();
        let here = steps.iter().find(|(_, create)| is_there(create)).or(steps.first());
        let step = here.map_or(0, |(step, _)| *step);
        error.message =
            format!("Whether somebody else has made this VPN meanwhile could not be seen: {}", error.message);
        self.fail(step, error.into(), work)
    }

    /// Rolls back a creation that somebody else was faster with.
    async fn yield_to(&self, rival: &Rival, work: &Job<'_>) -> ChangeError {
        let (step, error) = self.withdraw(rival, work).await;
        let is_stopped = work.stop.is_cancelled() && !self.progress().is_unbegun();
        if is_stopped { ChangeError::Stopped } else { ChangeError::Failed(step, Box::new(error)) }
    }

    /// A key that may not be sent is no reason to be left half-way: the first step that has one, and why not.
    async fn may_send_keys(&self, work: &Job<'_>) -> Result<(), (usize, Error)> {
        for (number, step) in self.change.steps().iter().enumerate() {
            if self.progress().is_done(number) || !step.has_key() {
                continue;
            }
            for region in step.regions().into_iter().filter_map(|region| work.cloud.region(region).ok()) {
                region.may_take_keys().await.map_err(|error| (number, error))?;
            }
        }
        Ok(())
    }

    /// Rolls back what the change has done so far, the last step first; services are restarted once more as soon as what
    /// they take up is as it was.
    ///
    /// # Errors
    /// [`ChangeError::TooLate`], or the first step that could not be rolled back, or the wish to stop.
    pub async fn take_back(&mut self, work: &ChangeWork<'_>) -> Result<Changed, ChangeError> {
        self.roll_back(&Job::of(work, None)).await
    }

    pub(in crate::engine) async fn roll_back(&self, work: &Job<'_>) -> Result<Changed, ChangeError> {
        if !self.is_reversible() {
            return Err(ChangeError::TooLate);
        }
        self.set_out(Direction::Back, work);
        self.outdate_restarts();
        self.notes().not_deleted.clear();
        let unseen = tokio::select! {
            unseen = self.look_for_all(work) => unseen,
            () = work.stop.cancelled() => return Err(ChangeError::Stopped),
        };
        let mut failed = None;
        for step in self.way_back() {
            if self.progress().is_untouched(step) {
                continue;
            }
            if work.stop.is_cancelled() {
                return Err(ChangeError::Stopped);
            }
            work.tell(StepEvent::TakingBack(step));
            let begun = Instant::now();
            match self.back(step, work).await {
                Ok(()) => {
                    if !self.is_of_creation(step) {
                        self.progress().reopen(step);
                    }
                    self.note();
                    work.tell(StepEvent::TakenBack(step, begun.elapsed()));
                }
                // The rest does not hang on it.
                Err(Failure::Error(error)) if self.is_of_creation(step) => failed = failed.or(Some((step, error))),
                Err(failure) => {
                    self.tell_failure(step, &failure, begun, work);
                    return Err(self.fail(step, failure, work));
                }
            }
        }
        match failed {
            Some((step, error)) => Err(ChangeError::Failed(step, error)),
            None if work.stop.is_cancelled() && !self.progress().removable().is_empty() => Err(ChangeError::Stopped),
            None => Ok(self.settle_back(unseen, work).await),
        }
    }

    /// Whether a step makes an object of a new VPN, which is known by its marker.
    fn is_of_creation(&self, step: usize) -> bool {
        matches!(&self.change.steps()[step], Step::Create(create) if create.task().is_some())
    }

    /// Whether a request of the step may have made something that was not looked for, or not for long enough.
    fn is_unsettled(&self, step: usize) -> bool {
        self.progress().is_unsettled(step)
    }

    async fn do_step(&self, step: usize, work: &Job<'_>) -> Result<End, Failure> {
        match self.change.steps()[step].clone() {
            Step::Create(create) => Ok(self.create(step, &create, work).await?),
            Step::Update(update) => self.update(step, &update, Direction::Forward, work).await,
            Step::SetKey(set_key) => self.set_key(step, &set_key, work).await,
            Step::CopyKey(copy_key) => self.copy_key(step, &copy_key, work).await,
            Step::Restart(service) => Ok(self.restart(step, &service, work).await?),
            Step::Delete(what, object) => self.delete(step, what, &object, work).await,
        }
    }

    async fn back(&self, step: usize, work: &Job<'_>) -> Result<(), Failure> {
        match self.change.steps()[step].clone() {
            Step::Create(create) if create.task().is_some() => self.remove_marked(step, work).await?,
            Step::Create(create) => self.remove_made(step, &create, work).await?,
            Step::Update(update) => self.restore(step, &update, work).await?,
            Step::SetKey(set_key) => self.put_key_back(step, &set_key, work).await?,
            Step::Restart(service) if self.takes_something_up() => {
                if let End::Unnoticed(router) = self.restart(step, &service, work).await? {
                    self.notes().unnoticed.insert(step, router);
                }
            }
            Step::Restart(service) => self.switch_on(step, &service, work).await?,
            // Nothing was sent that could have deleted it, or it would not be rolled back; nor is a key copied before the new one
            // is there for good.
            Step::Delete(..) | Step::CopyKey(_) => {}
        }
        Ok(())
    }

    /// What was restarted before something was rolled back has to be restarted after it, whichever way it goes on.
    fn outdate_restarts(&self) {
        for (number, step) in self.change.steps().iter().enumerate() {
            if matches!(step, Step::Restart(_)) && self.progress().is_done(number) {
                self.progress().outdate(number);
            }
        }
    }

    /// The order in which steps are rolled back. What was made goes last: until then something may use it.
    fn way_back(&self) -> Vec<usize> {
        let steps = self.change.steps();
        let mut order: Vec<usize> = (0..steps.len()).rev().collect();
        order.sort_by_key(|&step| match &steps[step] {
            Step::Update(_) | Step::SetKey(_) | Step::CopyKey(_) | Step::Delete(..) => (0, None),
            Step::Restart(_) => (1, None),
            // What uses the rest goes first.
            Step::Create(create) => (2, create.task().map(|task| Reverse(task.step))),
        });
        order
    }

    /// Whether the restarts are for something that is rolled back.
    fn takes_something_up(&self) -> bool {
        self.change.steps().iter().any(|step| matches!(step, Step::Update(_)))
    }

    /// What was under way when the last process, or the last call, was interrupted has no answer any more.
    fn set_out(&self, direction: Direction, work: &Job<'_>) {
        self.progress().direction = direction;
        self.progress().take_over(work.cloud.limits());
    }

    fn fail(&self, step: usize, failure: Failure, work: &Job<'_>) -> ChangeError {
        match failure {
            Failure::KeyNeeded => self.give_up(ChangeError::KeyNeeded(step)),
            Failure::Overtaken(overtaken) => self.give_up(ChangeError::Failed(step, Box::new(overtaken.error))),
            Failure::Error(error) => {
                // Without the wish to stop it might have been tried again, or the user asked.
                let may_pass = error.is_transient()
                    || error.is_in_use()
                    || error.is_pending()
                    || error.kind == ErrorKind::Unanswered;
                let is_stopped = work.stop.is_cancelled() && may_pass;
                self.give_up(if is_stopped { ChangeError::Stopped } else { ChangeError::Failed(step, error) })
            }
        }
    }

    /// A change that has done nothing, and of which nothing may still come, leaves no journal.
    fn give_up(&self, error: ChangeError) -> ChangeError {
        if self.progress().is_unbegun() {
            self.kept().finish();
        } else {
            self.note();
        }
        error
    }

    /// Announces a request. Without that in the journal it must not be sent.
    fn announce(&self, step: usize, request: Request) -> Result<(), Error> {
        let mut progress = self.progress();
        let before = progress.clone();
        progress.announce(step, request, Timestamp::now());
        self.kept().keep(&self.change, &progress).map_err(|error| {
            *progress = before;
            Error::new(ErrorKind::Journal, error.to_string())
        })
    }

    /// Notes that a request was lost, which may take effect until then.
    fn lose(&self, step: usize, error: &Error, work: &Job<'_>) {
        self.progress().lose(step, late::until(error, work.cloud.limits()));
        self.note();
    }

    /// How requests of a step are sent, which that wish ends.
    fn sender<'a>(
        &'a self,
        step: usize,
        request: Request,
        work: &'a Job<'_>,
        stop: &'a CancellationToken,
    ) -> StepSender<'a> {
        StepSender { changing: self, step, request, work, stop, is_lost: Error::is_doubtful }
    }

    /// Notes that the request announced last was refused: the step stands where it stood before.
    fn refused(&self, step: usize) {
        self.progress().refused(step);
        self.note();
    }
}

/// How a request of a step is sent.
struct StepSender<'a> {
    changing: &'a Changing,
    step: usize,
    request: Request,
    work: &'a Job<'a>,
    stop: &'a CancellationToken,
    is_lost: fn(&Error) -> bool,
}

impl StepSender<'_> {
    /// Of a creation.
    fn task(&self) -> Option<Task> {
        let Step::Create(create) = self.changing.change.steps().get(self.step)? else { return None };
        create.task()
    }
}

impl Sender for StepSender<'_> {
    fn announce(&self) -> Result<(), Error> {
        self.changing.announce(self.step, self.request)
    }

    fn refused(&self, error: &Error) {
        if let Some(task) = self.task() {
            self.changing.forget_what_is_gone(task, error);
        }
        // The step does not stand where it stood before: the service is still to be switched on.
        if self.request != Request::SwitchOn {
            self.changing.refused(self.step);
        }
    }

    fn lost(&self, error: &Error) {
        self.changing.lose(self.step, error, self.work);
    }

    fn is_lost(&self, error: &Error) -> bool {
        (self.is_lost)(error)
    }

    /// A creation is only tried again where something in front of the cloud has answered for it: after a lost connection the
    /// user is asked.
    fn may_pass(&self, error: &Error) -> bool {
        matches!(error.status, Some(502..=504)) || error.kind == ErrorKind::Interrupted && self.task().is_none()
    }

    fn patience(&self) -> Patience {
        self.work.patience(self.step, self.stop.clone())
    }

    fn limits(&self) -> &Limits {
        self.work.cloud.limits()
    }
}

/// Whether a restart follows another.
fn is_one_of_several(change: &Change, step: usize) -> bool {
    let before = step.checked_sub(1).and_then(|before| change.steps().get(before));
    matches!(before, Some(Step::Restart(_)))
}

/// Why a step is not done.
enum Failure {
    Error(Box<Error>),
    KeyNeeded,
    /// Somebody else was there first.
    Overtaken(Box<Overtaken>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl<'a> Job<'a> {
    /// Of a change of a VPN that exists.
    pub fn of(work: &ChangeWork<'a>, key: Option<&'a Psk>) -> Self {
        Self { cloud: work.cloud, told: Listener::Change(work.events.clone()), stop: work.stop, key }
    }
}

impl Job<'_> {
    /// The region with patience: pauses between tries are told as that step's.
    fn region(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, self.stop.clone())))
    }

    /// The same for what must not be left half-done, even when asked to stop.
    fn steadfast(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, CancellationToken::new())))
    }

    fn patience(&self, step: usize, wish: CancellationToken) -> Patience {
        let told = self.told.clone();
        retry::patience(move |pause| told.tell(StepEvent::Waiting(step, Box::new(pause))), wish)
    }

    /// Pauses while an agent has not reported yet on the object to change.
    async fn wait_for_agent(&self, step: usize, error: &Error, failures: u32) -> bool {
        retry::wait_for_agent(&self.patience(step, self.stop.clone()), self.cloud.limits(), error, failures).await
    }

    fn tell(&self, event: StepEvent) {
        self.told.tell(event);
    }
}
