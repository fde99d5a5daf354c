//! How far a change is.

mod objects;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use objects::{Doubt, Made, Origin};

use crate::change::{Change, Object, Ref, Restarted, Step, Task};
use crate::cloud::{Id, Limits};
use crate::engine::clock::Clock;

/// Which way a change goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It is carried out.
    #[default]
    Forward,
    /// It is rolled back.
    Back,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It made this object.
    Made(Id),
    /// There was a rule already that says the same.
    Existed,
    /// It has the new values.
    Changed,
    /// A service was switched off and on, but its agent was not seen to notice: what runs may be what ran before. The
    /// router of the service, as far as that is known.
    Unnoticed(Option<Id>),
    /// It is gone. An object to change was deleted by someone else.
    Gone,
    /// It is still there, because something else uses it: what the cloud said.
    Kept(String),
}

/// A request that is announced before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    Create,
    Update,
    Delete,
    /// The new key for the first half, or the only one; whether both halves had the same key before.
    FirstKey {
        were_equal: bool,
    },
    /// The first half's key for the second.
    SecondKey,
    /// The old key for the first half.
    KeyBack,
    /// The key of another connection.
    CopyKey,
    SwitchOff,
    SwitchOn,
}

/// Where a step stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StepStatus {
    /// Nothing of it is done, or all of it is rolled back.
    #[default]
    Open,
    /// A request of it is about to be sent, or not answered yet, since when.
    Sent(Request, Timestamp),
    /// The answer to that request is lost.
    Lost(Request),
    /// That request was answered, and others have to follow.
    After(Request),
    /// It was done, or may have been, and has to be done again: what it was done for has changed since, or it is not known
    /// whether it took effect.
    Stale,
    /// It is done.
    Done(End),
}

/// Requests whose answers were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LostRequests {
    /// How many of them may still take effect.
    pub requests: usize,
    /// From when on none of them can any more.
    pub until: Timestamp,
}

/// How far one step is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct StepState {
    stand: StepStatus,
    /// Where it stood before the request that was announced last.
    #[serde(default, skip_serializing_if = "is_open")]
    before: StepStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<LostRequests>,
    /// Which object of a new VPN it makes. The change tells that, too.
    #[serde(skip)]
    task: Option<Task>,
    /// That object, made or found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<Made>,
    /// Whether what it was to delete had been deleted by somebody else.
    #[serde(default, skip_serializing_if = "is_false")]
    was_gone: bool,
    /// What its lost requests have left: of no use, until the step has a use for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left: Vec<Made>,
}

impl StepState {
    /// Whether nobody has looked since an answer was lost.
    const fn is_lost(&self) -> bool {
        matches!(self.stand, StepStatus::Lost(_))
    }

    fn holds(&self, id: &Id) -> bool {
        self.object.iter().chain(&self.left).any(|made| made.id == *id)
    }

    /// What this step has made and rolling back would delete.
    fn own(&self) -> impl Iterator<Item = &Made> {
        self.object.iter().filter(|made| made.origin != Origin::Reused).chain(&self.left)
    }

    fn is_reused(&self) -> bool {
        self.object.as_ref().is_some_and(|made| made.origin == Origin::Reused)
    }

    /// An object that may exist, or come to exist, without being known.
    fn doubt(&self) -> Option<Doubt> {
        let is_unseen = matches!(self.stand, StepStatus::Sent(..) | StepStatus::Lost(_));
        let until = self.late.filter(|_| !is_unseen).map(|late| late.until);
        (is_unseen || until.is_some()).then_some(Doubt { task: self.task?, until })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so.
fn is_open(stand: &StepStatus) -> bool {
    *stand == StepStatus::Open
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so.
const fn is_false(value: &bool) -> bool {
    !*value
}

/// How far a change is: everything that goes on with it or rolls it back works from this. Of a creation it knows the objects
/// that exist, and the requests whose outcome is in doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub(super) direction: Direction,
    steps: Vec<StepState>,
    /// What has the marker of the VPN and was not sent for it: it stays.
    #[serde(skip)]
    left_alone: Vec<Made>,
}

impl Progress {
    /// Of a change that has not begun.
    #[must_use]
    pub fn new(change: &Change) -> Self {
        let mut progress = Self { steps: vec![StepState::default(); change.steps().len()], ..Self::default() };
        progress.know(change);
        progress
    }

    /// Which objects its steps make stands in the change alone.
    pub(super) fn know(&mut self, change: &Change) {
        for (state, step) in self.steps.iter_mut().zip(change.steps()) {
            state.task = step.task();
        }
    }

    /// What is known of the objects of a creation, for another change that makes the same.
    pub(super) fn of_the_same(&self, change: &Change) -> Self {
        let mut progress = Self { left_alone: self.left_alone.clone(), ..Self::new(change) };
        for state in &mut progress.steps {
            if let Some(known) = state.task.and_then(|task| self.of(task)) {
                *state = known.clone();
            }
        }
        progress
    }

    /// Whether it is as long as the change, as every one is that this program wrote.
    pub(super) fn fits(&self, change: &Change) -> bool {
        self.steps.len() == change.steps().len()
    }

    #[must_use]
    pub fn ends(&self) -> Vec<Option<End>> {
        (0..self.steps.len()).map(|step| self.end(step).cloned()).collect()
    }

    /// What a step of a creation has made or found.
    pub(super) fn object(&self, step: usize) -> Option<&Made> {
        self.steps.get(step)?.object.as_ref()
    }

    #[must_use]
    pub fn end(&self, step: usize) -> Option<&End> {
        if let StepStatus::Done(end) = &self.steps.get(step)?.stand { Some(end) } else { None }
    }

    pub(super) fn stand(&self, step: usize) -> &StepStatus {
        &self.steps[step].stand
    }

    pub(super) fn late(&self, step: usize) -> Option<LostRequests> {
        self.steps[step].late
    }

    pub(super) fn is_done(&self, step: usize) -> bool {
        matches!(self.steps[step].stand, StepStatus::Done(_))
    }

    /// Whether nothing of a step is done, nor may have been.
    pub(super) fn is_untouched(&self, step: usize) -> bool {
        let StepState { stand, late, left, .. } = &self.steps[step];
        (*stand == StepStatus::Open || self.steps[step].is_reused()) && late.is_none() && left.is_empty()
    }

    /// Whether nothing of it is done, nor may have been.
    #[must_use]
    pub fn is_unbegun(&self) -> bool {
        (0..self.steps.len()).all(|step| self.is_untouched(step))
    }

    /// Whether the cloud must be asked before a step is begun again.
    pub(super) fn is_in_doubt(&self, step: usize) -> bool {
        let StepState { stand, late, .. } = &self.steps[step];
        matches!(stand, StepStatus::Sent(..) | StepStatus::Lost(_)) || late.is_some()
    }

    /// What a step has made.
    pub(super) fn made(&self, step: usize) -> Option<&Id> {
        match &self.steps.get(step)?.stand {
            StepStatus::Done(End::Made(id)) => Some(id),
            _ => None,
        }
    }

    /// The service that a step restarts; none while it is not made.
    pub(super) fn service(&self, Restarted { region, name, service }: &Restarted) -> Option<Object> {
        let id = match service {
            Ref::Id(id) => id,
            Ref::Made(step) => self.made(*step)?,
        };
        Some(Object { region: region.clone(), id: id.clone(), name: name.clone() })
    }

    /// Whether it can be rolled back.
    #[must_use]
    pub fn is_reversible(&self, change: &Change) -> bool {
        self.final_step(change).is_none()
    }

    /// The first step that cannot be rolled back.
    pub(super) fn final_step<'c>(&self, change: &'c Change) -> Option<&'c Step> {
        let can_be = |(state, step): &(&StepState, &Step)| match (step, &state.stand) {
            (Step::Delete(..), StepStatus::Sent(..) | StepStatus::Lost(_) | StepStatus::Done(End::Gone))
            | (
                Step::SetKey(_),
                StepStatus::Sent(Request::SecondKey, _)
                | StepStatus::Lost(Request::SecondKey)
                | StepStatus::After(Request::SecondKey)
                | StepStatus::Done(_),
            ) => false,
            // With one half there is nowhere to read the old key.
            (Step::SetKey(set_key), StepStatus::Sent(..) | StepStatus::Lost(_)) => set_key.second.is_some(),
            _ => true,
        };
        self.steps.iter().zip(change.steps()).find(|one| !can_be(one)).map(|(_, step)| step)
    }

    /// Why it cannot be rolled back any more, if it cannot.
    #[must_use]
    pub fn why_final(&self, change: &Change) -> Option<String> {
        Some(match self.final_step(change)? {
            Step::Delete(_, Object { name, region, .. }) => format!("{name} in {region} is deleted, or may be"),
            _ => "both halves may have the new key".to_owned(),
        })
    }

    /// Restarts that no agent has noticed are done again, if there is something left to do.
    pub(super) fn repeat_unnoticed(&mut self) {
        if self.steps.iter().all(|state| matches!(state.stand, StepStatus::Done(_))) {
            return;
        }
        for state in self.steps.iter_mut().filter(|state| matches!(state.stand, StepStatus::Done(End::Unnoticed(_)))) {
            state.stand = StepStatus::Stale;
        }
    }

    /// Notes that somebody else has deleted what a step was to delete.
    pub(super) fn was_gone(&mut self, step: usize) {
        self.steps[step].was_gone = true;
    }

    /// What somebody else has deleted of what a change deletes.
    pub(super) fn lost(&self, change: &Change) -> BTreeSet<Id> {
        let lost = self.steps.iter().zip(change.steps()).filter_map(|(state, step)| match step {
            Step::Delete(_, object) if state.was_gone => Some(object.id.clone()),
            _ => None,
        });
        lost.collect()
    }

    pub(super) fn announce(&mut self, step: usize, request: Request, at: Timestamp) {
        let state = &mut self.steps[step];
        if !matches!(state.stand, StepStatus::Sent(..) | StepStatus::Lost(_)) {
            state.before = std::mem::take(&mut state.stand);
        }
        state.stand = StepStatus::Sent(request, at);
    }

    /// Notes when the request announced last was sent, if it is not answered yet. Whether it is not.
    pub(super) fn sent(&mut self, step: usize, at: Timestamp) -> bool {
        let StepStatus::Sent(_, since) = &mut self.steps[step].stand else { return false };
        *since = at;
        true
    }

    pub(super) fn answered(&mut self, step: usize, request: Request) {
        self.steps[step].stand = StepStatus::After(request);
    }

    /// Notes that the request announced last has done nothing.
    pub(super) fn refused(&mut self, step: usize) {
        let state = &mut self.steps[step];
        if matches!(state.stand, StepStatus::Sent(..) | StepStatus::Lost(_)) {
            state.stand = std::mem::take(&mut state.before);
        }
    }

    /// Notes that a step is done.
    pub fn finish(&mut self, step: usize, end: End) {
        if let Some(state) = self.steps.get_mut(step) {
            (state.stand, state.before) = (StepStatus::Done(end), StepStatus::Open);
        }
    }

    /// Notes that nothing of a step is done any more.
    pub fn reopen(&mut self, step: usize) {
        if let Some(state) = self.steps.get_mut(step) {
            (state.stand, state.before) = (StepStatus::Open, StepStatus::Open);
        }
    }

    /// Notes that what a step has done has to be done again.
    pub(super) fn outdate(&mut self, step: usize) {
        let state = &mut self.steps[step];
        (state.stand, state.before) = (StepStatus::Stale, StepStatus::Open);
    }

    /// Notes that the answer to the request announced last is lost, and until when it can take effect.
    pub fn lose(&mut self, step: usize, until: Timestamp) {
        if let StepStatus::Sent(request, _) = self.steps[step].stand {
            self.steps[step].stand = StepStatus::Lost(request);
            // However late, these do what is wanted, or was done meanwhile.
            if matches!(request, Request::Delete | Request::SwitchOn) {
                return;
            }
        }
        let late = self.steps[step].late.get_or_insert(LostRequests { requests: 0, until });
        late.requests += 1;
        late.until = late.until.max(until);
    }

    /// Notes that the cloud was looked at, and how many lost requests had had their effect by then that had not before.
    pub(super) fn looked(&mut self, step: usize, at: Timestamp, effects: usize) {
        let slot = &mut self.steps[step].late;
        if let Some(late) = slot {
            late.requests = late.requests.saturating_sub(effects);
            if late.requests == 0 || at >= late.until {
                *slot = None;
            }
        }
    }

    /// Notes that no request of the step can change anything any more that matters.
    pub(super) fn calm(&mut self, step: usize) {
        self.steps[step].late = None;
    }

    /// Takes over from a process, or a call, that is no more: the answers to its last requests are lost.
    pub(super) fn take_over(&mut self, limits: &Limits) {
        let (reach, clock) = (limits.reach(), Clock::read());
        for step in 0..self.steps.len() {
            if let StepStatus::Sent(_, at) = self.steps[step].stand {
                self.lose(step, clock.end_of(at, reach));
            }
            if let Some(late) = &mut self.steps[step].late {
                late.until = clock.end(late.until, reach);
            }
        }
    }

    /// Whether a request of a step may be half of what belongs together, or may still take effect.
    pub(super) fn is_half_done(&self, step: usize) -> bool {
        let StepState { stand, late, .. } = &self.steps[step];
        matches!(stand, StepStatus::Sent(..) | StepStatus::Lost(_) | StepStatus::After(_)) || late.is_some()
    }

    /// Whether a step before that one has set a new key for good.
    pub(super) fn has_new_key(&self, change: &Change, step: usize) -> bool {
        let before = self.steps.iter().zip(change.steps()).take(step);
        before.into_iter().any(|(state, step)| matches!((step, &state.stand), (Step::SetKey(_), StepStatus::Done(_))))
    }

    /// Until when a lost request may still switch a service off.
    pub(super) fn unsettled_restart(&self, change: &Change) -> Option<Timestamp> {
        let restarts = self.steps.iter().zip(change.steps()).filter(|(_, step)| matches!(step, Step::Restart(_)));
        restarts.filter_map(|(state, _)| state.late).map(|late| late.until).max()
    }

    /// Until when something may still take effect.
    pub(super) fn unsettled(&self) -> Option<Timestamp> {
        let is_in_doubt = |state: &StepState| state.is_lost() || !state.left.is_empty();
        let late = self.steps.iter().filter_map(|state| state.late).map(|late| late.until).max();
        late.or_else(|| self.steps.iter().any(is_in_doubt).then(Timestamp::now))
    }
}
