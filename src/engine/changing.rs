//! Carries out a [`Change`], forward or back: the creation of a VPN, and every change of one that exists.
//!
//! * What is about to be sent is in the journal first, what came of it right after. What a step makes is looked for before it
//!   is asked for again, by the word of the change or by the marker of its half; what a step changes or deletes can be sent
//!   again without harm. Of a request whose answer was lost it is remembered until when it may still take effect, and until
//!   then a change that is done is not called settled.
//! * The steps of a stage go at once. When one fails, the others are finished, and the stages that follow do not begin.
//! * [`Changing::carry_out`] and [`Changing::roll_back`] can each be called again after every return, also by another
//!   process with [`Changing::open`]. They do what is missing.
//! * A change can be rolled back until something was deleted, or both halves may have a new key. Of a creation what cannot be
//!   deleted does not keep the rest from being deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::time::Instant;

use super::contention::Overtaken;
use super::discover::Found;
use super::journal::{Claim, JournalError, Record};
use super::kept::Kept;
use super::prepare::RegionRead;
use super::progress::{Direction, Made, Progress};
use super::service::ListedServices;
use super::status::{Caveat, Course};
use super::work::Work;
use crate::change::{Change, ChangeId, Object, Restarted, Step};
use crate::cloud::retry::Patience;
use crate::cloud::{Cloud, Error, ErrorKind, Id, Limits};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Plan, Psk};

/// How a change, or rolling it back, ended.
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
    /// The user asked to stop; what was in progress is settled.
    Stopped,
    /// The key of that step is the user's, and has to be sent again: it must be given again.
    KeyNeeded(usize),
    /// It cannot be rolled back any more: something is deleted, or both halves may have the new key.
    TooLate,
}

/// A change that is carried out by this process, and by no other at the same time.
#[derive(Debug)]
pub struct Changing {
    pub(super) change: Change,
    /// The locks are never held while something is waited for.
    progress: Arc<Mutex<Progress>>,
    kept: Arc<Mutex<Kept>>,
    notes: Mutex<Notes>,
    /// What a creation is held against what others make at the same time by.
    pub(super) plan: Option<Plan>,
    /// For what gets a key: the user's, or that of a new VPN.
    pub(super) key: Option<Psk>,
}

/// What one process has come across while it carries a change out. It stands in no journal.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Connections that were deleted and may still hold what they used.
    pub torn_down: Vec<Id>,
    /// The steps that restarted a service to take something back, which its agent was not seen to notice, with its router.
    pub unnoticed: BTreeMap<usize, Option<Id>>,
    /// Connections that somebody else's change has replaced, with what they were replaced by.
    pub successors: BTreeMap<Id, Id>,
    /// The change this one gives way to.
    pub rival: Option<ChangeId>,
    /// Whether both halves had the same key when the first connection was replaced.
    pub were_equal: bool,
    /// Ids that only a journal vouches for: before one of them is deleted, the object is looked at.
    pub unverified: BTreeSet<Id>,
    /// What of a creation could not be deleted, and why.
    pub not_deleted: Vec<(Made, Error)>,
    /// The key that this change has generated for connections it makes.
    pub new_key: Option<Psk>,
    /// The VPN services there were when the plan of a creation was checked, if that was just now.
    pub listed: Option<ListedServices>,
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
        Self::new(change, Kept::Nowhere(None))
    }

    /// Begins the creation of a plan, with its journal in that directory from the first request on.
    #[must_use]
    pub fn begin_creation(plan: Plan, key: KeyOrigin, cloud: &Cloud, directory: Option<PathBuf>) -> Self {
        let record = Record::of_plan(cloud, &plan, key);
        Self { plan: Some(plan), ..Self::new(record.change.clone(), Kept::planned(directory, record)) }
    }

    /// The same without a journal.
    #[must_use]
    pub fn unkept_creation(plan: &Plan) -> Self {
        Self { plan: Some(plan.clone()), ..Self::unkept(plan.to_change()) }
    }

    /// The same where its plan was checked right before against these regions, read since then: while that is fresh, the VPN
    /// services are not looked at once more before anything is made.
    #[must_use]
    pub fn just_read(self, since: Instant, regions: Vec<RegionRead>) -> Self {
        self.notes().listed = Some(ListedServices::of(since, regions));
        self
    }

    /// A VPN that is known by its markers alone, to roll it back or to watch it. It is kept nowhere.
    #[must_use]
    pub fn of_markers(found: &Found, claim: Option<Claim>) -> Self {
        let changing = Self::new(found.change.clone(), Kept::Nowhere(claim));
        let changing = Self { progress: Arc::new(Mutex::new(found.progress.clone())), ..changing };
        changing.verify_all();
        changing
    }

    /// The same with its plan, and kept in a journal from now on.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn of_markers_kept(
        plan: Plan,
        key: KeyOrigin,
        progress: &Progress,
        cloud: &Cloud,
        claim: Claim,
    ) -> Result<Self, JournalError> {
        let record = Record::of_plan(cloud, &plan, key);
        let mut changing = Self::new(record.change.clone(), Kept::claimed(claim, record)?);
        changing.make(plan, progress);
        changing.verify_all();
        changing.keep()?;
        Ok(changing)
    }

    /// Goes on with the creation of another plan of the same VPN, of which that much is done.
    pub fn make(&mut self, plan: Plan, progress: &Progress) {
        self.change = plan.to_change();
        *self.progress() = progress.of_the_same(&self.change);
        self.kept().replan(&plan);
        self.plan = Some(plan);
    }

    /// The same with another policy. What was made with the one before is used where it fits, or deleted.
    pub fn make_with_policy(&mut self, plan: Plan) {
        let mut progress = self.progress().clone();
        progress.reconsider_policies();
        self.make(plan, &progress);
    }

    fn new(change: Change, kept: Kept) -> Self {
        let progress = Arc::new(Mutex::new(Progress::new(&change)));
        Self { progress, change, kept: Arc::new(Mutex::new(kept)), notes: Mutex::default(), plan: None, key: None }
    }

    pub(super) fn keep(&self) -> Result<(), JournalError> {
        let progress = self.progress().clone();
        self.kept().keep(&self.change, &progress)
    }

    /// What only a journal says was made is looked at before it is deleted.
    fn verify_all(&self) {
        let known = self.progress().removable().into_iter().map(|made| made.id);
        self.notes().unverified = known.collect();
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        lock(&self.notes)
    }

    /// Notes in the journal how far it is, where going on from what is on the disk already would be right, too.
    pub(super) fn note(&self) {
        let progress = self.progress().clone();
        self.kept().note(&self.change, &progress);
    }

    /// That patience, for requests of a step. What is sent later than it was announced takes effect later, too.
    pub(super) fn dating(&self, step: usize, patience: Patience) -> Patience {
        let (change, progress, kept) = (self.change.clone(), Arc::clone(&self.progress), Arc::clone(&self.kept));
        let sent_late = move || {
            let mut progress = lock(&progress);
            if progress.sent(step, Timestamp::now()) {
                lock(&kept).note(&change, &progress);
            }
        };
        Patience { sent_late: Arc::new(sent_late), ..patience }
    }

    /// Resumes the journal of a change that was interrupted. The answers to its last requests are lost.
    ///
    /// # Errors
    /// If another process has it, or it is gone or unreadable.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // The lock comes first: the process that had it may have finished the change and removed the journal.
        Ok(Self::resume(Claim::at(path.to_owned())?)?.0)
    }

    /// The same of a VPN that is claimed, with what its journal says.
    ///
    /// # Errors
    /// If its journal is gone or unreadable.
    pub fn resume(claim: Claim) -> Result<(Self, Record), JournalError> {
        let (kept, record) = Kept::open(claim)?;
        let changing = Self::new(record.change.clone(), kept);
        *changing.progress() = record.progress.clone();
        changing.verify_all();
        Ok((changing, record))
    }

    /// How far it is, where the answers to the last requests are lost.
    #[must_use]
    pub fn progress_resumed(&self, limits: &Limits) -> Progress {
        let mut progress = self.progress().clone();
        progress.take_over(limits);
        progress
    }

    /// What it is to do.
    #[must_use]
    pub const fn change(&self) -> &Change {
        &self.change
    }

    /// Whether it is a change in that cloud's project. One that leaves no journal is.
    #[must_use]
    pub fn is_of(&self, cloud: &Cloud) -> bool {
        self.kept().record().is_none_or(|record| record.is_of(cloud))
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
            if let Some(Step::Restart(restarted)) = self.change.steps().get(step)
                && let Some(service) = self.restarted(restarted)
            {
                course.caveats.push(Caveat::Unnoticed(service, router.clone()));
            }
        }
        course.not_deleted.clone_from(&self.notes().not_deleted);
        course
    }

    pub(super) fn restarted(&self, restarted: &Restarted) -> Option<Object> {
        self.progress().service(restarted)
    }

    /// Which way it went last.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.progress().direction
    }

    /// Does what is missing of the change. The key is for its [`SetKey`](crate::change::SetKey) step: none makes a new one,
    /// where any is as good. A new VPN gets that of its plan.
    ///
    /// # Errors
    /// The first step that failed, or the wish to stop.
    pub async fn carry_out(&mut self, key: Option<&Psk>, work: &Work<'_>) -> Result<Changed, ChangeError> {
        self.take_key(key);
        self.forward(work).await
    }

    pub(super) fn take_key(&mut self, key: Option<&Psk>) {
        self.key = key.or_else(|| self.plan.as_ref().map(Plan::psk)).cloned();
    }

    /// Takes back what the change has done so far, the last step first; services are restarted once more as soon as what
    /// they take up is as it was.
    ///
    /// # Errors
    /// [`ChangeError::TooLate`], or the first step that could not be rolled back, or the wish to stop.
    pub async fn roll_back(&mut self, work: &Work<'_>) -> Result<Changed, ChangeError> {
        self.backward(work).await
    }

    /// Whether a step makes an object of a new VPN, which is known by its marker.
    pub(super) fn is_of_creation(&self, step: usize) -> bool {
        self.marked_step(step).is_some()
    }

    /// Whether what a step makes is there, or may be.
    pub(super) fn may_be_made(&self, step: usize) -> bool {
        self.progress().is_done(step) || self.is_unsettled(step)
    }

    /// Whether a request of the step may have made something that was not looked for, or not for long enough.
    pub(super) fn is_unsettled(&self, step: usize) -> bool {
        self.progress().is_unsettled(step)
    }

    /// Connections to be replaced that somebody else has deleted, who then has replaced them.
    pub(super) fn lost_connections(&self) -> BTreeSet<Id> {
        self.progress().lost(&self.change)
    }

    /// What was in progress when the last process, or the last call, was interrupted has no answer any more.
    pub(super) fn set_out(&self, direction: Direction, work: &Work<'_>) {
        self.progress().direction = direction;
        self.progress().take_over(work.limits());
    }

    pub(super) fn fail(&self, step: usize, failure: Failure, work: &Work<'_>) -> ChangeError {
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
    pub(super) fn give_up(&self, error: ChangeError) -> ChangeError {
        if self.progress().is_unbegun() {
            self.kept().finish();
        } else {
            self.note();
        }
        error
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a step is not done.
pub(super) enum Failure {
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
