//! Carries out a [`Change`] of a VPN that exists, finishes one that was cut off, or takes one back.
//!
//! It keeps the promises of a creation: what is about to be sent is in the journal first, what came of it right after.
//! What a step makes carries a word that no other object has, so it is looked for before it is asked for again; what a
//! step changes or deletes can be sent again without harm. Of a request whose answer was lost it is remembered until when
//! it may still take effect, and until then a change that is done is not called settled.
//!
//! * [`Changing::carry_out`] and [`Changing::take_back`] can each be called again after every return, also by another
//!   process with [`Changing::open`]. They do what is missing.
//! * A change can be taken back until something was deleted, or both halves may have a new key.

mod contention;
mod course;
mod create;
mod delete;
mod journal;
mod key;
mod progress;
mod replaced;
mod restart;
mod settle;
mod update;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::late;
use super::private::JournalError;
use super::retry::{self, Sender};
use crate::change::{Change, ChangeId, Step};
use crate::cloud::retry::{Patience, Pause};
use crate::cloud::{Cloud, Error, ErrorKind, Id, Limits, Region, RegionId};
use crate::plan::Psk;

use contention::Overtaken;
use journal::Kept;
use progress::{Progress, Request};

pub use course::{Caveat, Course};
pub(super) use journal::EXTENSION;
pub use journal::{ChangeRecord, unfinished, unfinished_of};
pub use progress::{Direction, End};

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

/// What happens while a change is carried out or taken back. Steps are counted from 0.
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
    /// What a step did is being taken back.
    TakingBack(usize),
    /// What a step did is taken back.
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
    /// It cannot be taken back any more: something is deleted, or both halves may have the new key.
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
        Self { progress: Mutex::new(progress), change, kept: Mutex::new(kept), notes: Mutex::default() }
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

    /// Takes up the journal of a change that was cut off.
    ///
    /// # Errors
    /// If another process has it, or it is gone or unreadable by now.
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

    /// Whether it can be taken back by now.
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
        self.set_out(Direction::Forward, work);
        if let Err((step, error)) = self.may_send_keys(work).await {
            return Err(self.fail(step, Failure::Error(Box::new(error)), Instant::now(), work));
        }
        let mut is_looked_at = false;
        for step in 0..self.change.steps().len() {
            if self.progress().is_done(step) {
                continue;
            }
            // With a key of their own, some of the connections between two ends would stay down.
            let may_stop = !matches!(self.change.steps()[step], Step::CopyKey(_));
            if may_stop && work.stop.is_cancelled() {
                return Err(self.give_up(ChangeError::Stopped));
            }
            // Right after what was changed, and before anything is deleted: a restart takes its time.
            let wants_a_look = match self.change.steps()[step] {
                Step::Restart(_) if is_one_of_several(&self.change, step) => false,
                Step::Restart(_) | Step::Delete(..) => !std::mem::replace(&mut is_looked_at, true),
                Step::Create(_) | Step::Update(_) | Step::SetKey(_) | Step::CopyKey(_) => false,
            };
            if wants_a_look && let Err(overtaken) = self.look_once_more(work).await {
                return Err(self.give_way(overtaken, work).await);
            }
            work.tell(ChangeEvent::Started(step));
            let begun = Instant::now();
            match self.forward(step, key, work).await {
                Ok(end) => {
                    // What was made for the change may be of no use by the end of a restart.
                    is_looked_at &= !matches!(self.change.steps()[step], Step::Restart(_) | Step::Update(_));
                    self.progress().finish(step, end.clone());
                    self.note();
                    work.tell(ChangeEvent::Finished(step, end, begun.elapsed()));
                }
                Err(Failure::Overtaken(overtaken)) => return Err(self.give_way(*overtaken, work).await),
                Err(Failure::Error(error)) if error.kind == ErrorKind::Overtaken => {
                    return Err(self.give_way(Overtaken { step, by: None, error: *error }, work).await);
                }
                Err(error) => return Err(self.fail(step, error, begun, work)),
            }
        }
        if !is_looked_at && let Err(overtaken) = self.look_once_more(work).await {
            return Err(self.give_way(overtaken, work).await);
        }
        if let Err(overtaken) = self.look_at_connections(work).await {
            return Err(self.give_way(overtaken, work).await);
        }
        Ok(self.settle(work).await)
    }

    /// A key that may not be sent is no reason to be left half-way: the first step that has one, and why not.
    async fn may_send_keys(&self, work: &ChangeWork<'_>) -> Result<(), (usize, Error)> {
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

    /// Takes back what the change has done so far, the last step first; services are restarted once more as soon as what
    /// they take up is as it was.
    ///
    /// # Errors
    /// [`ChangeError::TooLate`], or the first step that could not be taken back, or the wish to stop.
    pub async fn take_back(&mut self, work: &ChangeWork<'_>) -> Result<Changed, ChangeError> {
        self.roll_back(work).await
    }

    async fn roll_back(&self, work: &ChangeWork<'_>) -> Result<Changed, ChangeError> {
        if !self.is_reversible() {
            return Err(ChangeError::TooLate);
        }
        self.set_out(Direction::Back, work);
        self.outdate_restarts();
        for step in self.way_back() {
            if self.progress().is_untouched(step) {
                continue;
            }
            if work.stop.is_cancelled() {
                return Err(ChangeError::Stopped);
            }
            work.tell(ChangeEvent::TakingBack(step));
            let begun = Instant::now();
            match self.back(step, work).await {
                Ok(()) => {
                    self.progress().reopen(step);
                    self.note();
                    work.tell(ChangeEvent::TakenBack(step, begun.elapsed()));
                }
                Err(error) => return Err(self.fail(step, error, begun, work)),
            }
        }
        Ok(self.settle(work).await)
    }

    async fn forward(&self, step: usize, key: Option<&Psk>, work: &ChangeWork<'_>) -> Result<End, Failure> {
        match self.change.steps()[step].clone() {
            Step::Create(create) => Ok(self.create(step, &create, work).await?),
            Step::Update(update) => self.update(step, &update, Direction::Forward, work).await,
            Step::SetKey(set_key) => self.set_key(step, &set_key, key, work).await,
            Step::CopyKey(copy_key) => self.copy_key(step, &copy_key, work).await,
            Step::Restart(service) => Ok(self.restart(step, &service, work).await?),
            Step::Delete(what, object) => self.delete(step, what, &object, work).await,
        }
    }

    async fn back(&self, step: usize, work: &ChangeWork<'_>) -> Result<(), Failure> {
        match self.change.steps()[step].clone() {
            Step::Create(create) => self.remove_made(step, &create, work).await?,
            Step::Update(update) => self.restore(step, &update, work).await?,
            Step::SetKey(set_key) => self.put_key_back(step, &set_key, work).await?,
            Step::Restart(service) if self.takes_something_up() => {
                if let End::Unnoticed(router) = self.restart(step, &service, work).await? {
                    self.notes().unnoticed.insert(step, router);
                }
            }
            Step::Restart(service) => self.switch_on(step, &service, work).await?,
            // Nothing was sent that could have deleted it, or it would not be taken back; nor is a key copied before the new one
            // is there for good.
            Step::Delete(..) | Step::CopyKey(_) => {}
        }
        Ok(())
    }

    /// What was restarted before something was taken back has to be restarted after it, whichever way it goes on.
    fn outdate_restarts(&self) {
        for (number, step) in self.change.steps().iter().enumerate() {
            if matches!(step, Step::Restart(_)) && self.progress().is_done(number) {
                self.progress().outdate(number);
            }
        }
    }

    /// The order in which steps are taken back. What was made goes last: until then something may use it.
    fn way_back(&self) -> Vec<usize> {
        let steps = self.change.steps();
        let mut order: Vec<usize> = (0..steps.len()).rev().collect();
        order.sort_by_key(|&step| match steps[step] {
            Step::Update(_) | Step::SetKey(_) | Step::CopyKey(_) | Step::Delete(..) => 0,
            Step::Restart(_) => 1,
            Step::Create(_) => 2,
        });
        order
    }

    /// Whether the restarts are for something that is taken back.
    fn takes_something_up(&self) -> bool {
        self.change.steps().iter().any(|step| matches!(step, Step::Update(_)))
    }

    /// What was under way when the last process, or the last call, was cut off has no answer any more.
    fn set_out(&self, direction: Direction, work: &ChangeWork<'_>) {
        self.progress().direction = direction;
        self.progress().take_over(work.cloud.limits());
    }

    fn fail(&self, step: usize, failure: Failure, begun: Instant, work: &ChangeWork<'_>) -> ChangeError {
        match failure {
            Failure::KeyNeeded => self.give_up(ChangeError::KeyNeeded(step)),
            Failure::Overtaken(overtaken) => self.give_up(ChangeError::Failed(step, Box::new(overtaken.error))),
            Failure::Error(error) => {
                work.tell(ChangeEvent::Failed(step, (*error).clone(), begun.elapsed()));
                // Without the wish to stop it might have been tried again.
                let may_pass = error.is_transient() || error.is_in_use() || error.is_pending();
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
    fn lose(&self, step: usize, error: &Error, work: &ChangeWork<'_>) {
        self.progress().lose(step, late::until(error, work.cloud.limits()));
        self.note();
    }

    /// How requests of a step are sent, which that wish ends.
    const fn sender<'a>(
        &'a self,
        step: usize,
        request: Request,
        work: &'a ChangeWork<'_>,
        stop: &'a CancellationToken,
    ) -> StepSender<'a> {
        StepSender { changing: self, step, request, work, stop }
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
    work: &'a ChangeWork<'a>,
    stop: &'a CancellationToken,
}

impl Sender for StepSender<'_> {
    fn announce(&self) -> Result<(), Error> {
        self.changing.announce(self.step, self.request)
    }

    fn refused(&self, _: &Error) {
        // The step does not stand where it stood before: the service is still to be switched on.
        if self.request != Request::SwitchOn {
            self.changing.refused(self.step);
        }
    }

    fn lost(&self, error: &Error) {
        self.changing.lose(self.step, error, self.work);
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

impl ChangeWork<'_> {
    /// The region with patience: pauses between tries are told as that step's.
    fn region(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, self.stop.clone())))
    }

    /// The same for what must not be left half-done, whoever wants to stop.
    fn steadfast(&self, id: &RegionId, step: usize) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(step, CancellationToken::new())))
    }

    fn patience(&self, step: usize, wish: CancellationToken) -> Patience {
        let events = self.events.clone();
        let told = move |pause| {
            let _ = events.send(ChangeEvent::Waiting(step, Box::new(pause)));
        };
        retry::patience(told, wish)
    }

    /// Pauses while an agent has not reported yet on what is to be changed.
    async fn wait_for_agent(&self, step: usize, error: &Error, failures: u32) -> bool {
        retry::wait_for_agent(&self.patience(step, self.stop.clone()), self.cloud.limits(), error, failures).await
    }

    fn tell(&self, event: ChangeEvent) {
        let _ = self.events.send(event);
    }
}
