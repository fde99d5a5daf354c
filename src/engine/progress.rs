//! How far a change is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Step};
use crate::cloud::{Id, Limits};
use crate::engine::clock::Clock;
use crate::engine::{Ledger, Made, Origin, Task, in_order_of_deletion};

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
pub(super) struct StepState {
    stand: StepStatus,
    /// Where it stood before the request that was announced last.
    #[serde(default, skip_serializing_if = "is_open")]
    before: StepStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<LostRequests>,
    /// What a step of a creation has made or found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<Made>,
    /// What its lost requests have left: of no use, until the step has a use for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left: Vec<Made>,
}

impl StepState {
    /// Of a step of a creation, by what a ledger holds of it.
    pub fn of(ledger: &Ledger, task: Task) -> Self {
        let mut state = Self { left: ledger.debris_of(task), late: ledger.late_of(task), ..Self::default() };
        state.stand = match (ledger.get(task.half, task.step), ledger.intent_of(task)) {
            (Some(made), _) => StepStatus::Done(End::Made(made.id.clone())),
            (None, Some(at)) => StepStatus::Sent(Request::Create, at),
            (None, None) if ledger.is_doubtful(task) => StepStatus::Lost(Request::Create),
            (None, None) => StepStatus::Open,
        };
        state.object = ledger.get(task.half, task.step).cloned();
        state
    }

    pub const fn object(&self) -> Option<&Made> {
        self.object.as_ref()
    }

    pub fn left(&self) -> &[Made] {
        &self.left
    }

    pub const fn late(&self) -> Option<LostRequests> {
        self.late
    }

    pub const fn sent(&self) -> Option<Timestamp> {
        if let StepStatus::Sent(_, at) = self.stand { Some(at) } else { None }
    }

    /// Whether nobody has looked since an answer was lost.
    pub const fn is_lost(&self) -> bool {
        matches!(self.stand, StepStatus::Lost(_))
    }

    fn holds(&self, id: &Id) -> bool {
        self.object.iter().chain(&self.left).any(|made| made.id == *id)
    }

    /// What this step has made and rolling back would delete.
    pub fn own(&self) -> impl Iterator<Item = &Made> {
        self.object.iter().filter(|made| made.origin != Origin::Reused).chain(&self.left)
    }

    fn is_reused(&self) -> bool {
        self.object.as_ref().is_some_and(|made| made.origin == Origin::Reused)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so.
fn is_open(stand: &StepStatus) -> bool {
    *stand == StepStatus::Open
}

/// How far a change is: everything that goes on with it or takes it back works from this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub direction: Direction,
    steps: Vec<StepState>,
}

impl Progress {
    pub fn of(change: &Change) -> Self {
        Self { direction: Direction::Forward, steps: vec![StepState::default(); change.steps().len()] }
    }

    /// Whether it is as long as the change, as every one is that this program wrote.
    pub fn fits(&self, change: &Change) -> bool {
        self.steps.len() == change.steps().len()
    }

    pub fn ends(&self) -> Vec<Option<End>> {
        (0..self.steps.len()).map(|step| self.end(step).cloned()).collect()
    }

    /// What a ledger says of a creation's steps.
    pub fn of_ledger(change: &Change, ledger: &Ledger) -> Self {
        let mut progress = Self::of(change);
        for (state, step) in progress.steps.iter_mut().zip(change.steps()) {
            if let Step::Create(create) = step
                && let Some(task) = create.task()
            {
                *state = StepState::of(ledger, task);
            }
        }
        progress
    }

    /// The same as a ledger, which holds what no step is about as that one does.
    pub fn ledger(&self, change: &Change, base: &Ledger) -> Ledger {
        let steps = self.steps.iter().zip(change.steps());
        let task = |step: &Step| if let Step::Create(create) = step { create.task() } else { None };
        base.with(steps.filter_map(|(state, step)| Some((task(step)?, state.clone()))))
    }

    pub fn state(&self, step: usize) -> &StepState {
        &self.steps[step]
    }

    /// What a step of a creation has made or found.
    pub fn object(&self, step: usize) -> Option<&Made> {
        self.steps.get(step)?.object.as_ref()
    }

    /// What lost requests have left that a step without an object may have a use for.
    pub fn candidates(&self, step: usize) -> Vec<Made> {
        let state = &self.steps[step];
        if state.object.is_some() { Vec::new() } else { state.left.clone() }
    }

    /// What lost requests have left, in the order of deletion.
    pub fn leftovers(&self) -> Vec<Made> {
        in_order_of_deletion(self.steps.iter().flat_map(|state| &state.left))
    }

    /// What rolling back a creation deletes, in the order of deletion.
    pub fn removable(&self) -> Vec<Made> {
        in_order_of_deletion(self.steps.iter().flat_map(StepState::own))
    }

    /// Whether a request of the step may have made something that was not looked for, or not for long enough.
    pub fn is_unsettled(&self, step: usize) -> bool {
        self.steps[step].is_lost() || self.steps[step].late.is_some()
    }

    /// Notes what a step of a creation has made or found.
    pub fn record(&mut self, step: usize, made: Made) {
        let state = &mut self.steps[step];
        state.left.retain(|left| left.id != made.id);
        (state.stand, state.before) = (StepStatus::Done(End::Made(made.id.clone())), StepStatus::Open);
        state.object = Some(made);
    }

    /// Takes everything that was found of a step as it was at that time. What is not known is what lost requests have made:
    /// it is left, until the step has a use for it.
    pub fn looked_for(&mut self, step: usize, at: Timestamp, found: impl IntoIterator<Item = Made>) {
        let mut surprises = 0;
        for made in found {
            if !self.holds(&made.id) {
                self.steps[step].left.push(made);
                surprises += 1;
            }
        }
        if self.steps[step].is_lost() {
            self.reopen(step);
        }
        self.looked(step, at, surprises);
    }

    /// Whether an object is known to be there.
    pub fn holds(&self, id: &Id) -> bool {
        self.steps.iter().any(|state| state.holds(id))
    }

    /// Notes that an object of a creation is gone.
    pub fn remove(&mut self, id: &Id) {
        for state in &mut self.steps {
            state.left.retain(|made| made.id != *id);
            if state.object.as_ref().is_some_and(|made| made.id == *id) {
                state.object = None;
                if matches!(state.stand, StepStatus::Done(_)) {
                    (state.stand, state.before) = (StepStatus::Open, StepStatus::Open);
                }
            }
        }
    }

    pub fn end(&self, step: usize) -> Option<&End> {
        if let StepStatus::Done(end) = &self.steps[step].stand { Some(end) } else { None }
    }

    pub fn stand(&self, step: usize) -> &StepStatus {
        &self.steps[step].stand
    }

    pub fn late(&self, step: usize) -> Option<LostRequests> {
        self.steps[step].late
    }

    pub fn is_done(&self, step: usize) -> bool {
        matches!(self.steps[step].stand, StepStatus::Done(_))
    }

    /// Whether nothing of a step is done, nor may have been.
    pub fn is_untouched(&self, step: usize) -> bool {
        let StepState { stand, late, left, .. } = &self.steps[step];
        (*stand == StepStatus::Open || self.steps[step].is_reused()) && late.is_none() && left.is_empty()
    }

    pub fn is_unbegun(&self) -> bool {
        (0..self.steps.len()).all(|step| self.is_untouched(step))
    }

    /// Whether the cloud must be asked before a step is begun again.
    pub fn is_in_doubt(&self, step: usize) -> bool {
        let StepState { stand, late, .. } = &self.steps[step];
        matches!(stand, StepStatus::Sent(..) | StepStatus::Lost(_)) || late.is_some()
    }

    /// What a step has made.
    pub fn made(&self, step: usize) -> Option<&Id> {
        match &self.steps.get(step)?.stand {
            StepStatus::Done(End::Made(id)) => Some(id),
            _ => None,
        }
    }

    pub fn is_reversible(&self, change: &Change) -> bool {
        self.steps.iter().zip(change.steps()).all(|(state, step)| match (step, &state.stand) {
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
        })
    }

    pub fn announce(&mut self, step: usize, request: Request, at: Timestamp) {
        let state = &mut self.steps[step];
        if !matches!(state.stand, StepStatus::Sent(..) | StepStatus::Lost(_)) {
            state.before = std::mem::take(&mut state.stand);
        }
        state.stand = StepStatus::Sent(request, at);
    }

    pub fn answered(&mut self, step: usize, request: Request) {
        self.steps[step].stand = StepStatus::After(request);
    }

    /// Notes that the request announced last has done nothing.
    pub fn refused(&mut self, step: usize) {
        let state = &mut self.steps[step];
        if matches!(state.stand, StepStatus::Sent(..) | StepStatus::Lost(_)) {
            state.stand = std::mem::take(&mut state.before);
        }
    }

    pub fn finish(&mut self, step: usize, end: End) {
        let state = &mut self.steps[step];
        (state.stand, state.before) = (StepStatus::Done(end), StepStatus::Open);
    }

    pub fn reopen(&mut self, step: usize) {
        let state = &mut self.steps[step];
        (state.stand, state.before) = (StepStatus::Open, StepStatus::Open);
    }

    /// Notes that what a step has done has to be done again.
    pub fn outdate(&mut self, step: usize) {
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
    pub fn looked(&mut self, step: usize, at: Timestamp, effects: usize) {
        let slot = &mut self.steps[step].late;
        if let Some(late) = slot {
            late.requests = late.requests.saturating_sub(effects);
            if late.requests == 0 || at >= late.until {
                *slot = None;
            }
        }
    }

    /// Notes that no request of the step can change anything any more that matters.
    pub fn calm(&mut self, step: usize) {
        self.steps[step].late = None;
    }

    /// Takes over from a process, or a call, that is no more: the answers to its last requests are lost.
    pub fn take_over(&mut self, limits: &Limits) {
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
    pub fn is_half_done(&self, step: usize) -> bool {
        let StepState { stand, late, .. } = &self.steps[step];
        matches!(stand, StepStatus::Sent(..) | StepStatus::Lost(_) | StepStatus::After(_)) || late.is_some()
    }

    /// Whether a step before that one has set a new key for good.
    pub fn has_new_key(&self, change: &Change, step: usize) -> bool {
        let before = self.steps.iter().zip(change.steps()).take(step);
        before.into_iter().any(|(state, step)| matches!((step, &state.stand), (Step::SetKey(_), StepStatus::Done(_))))
    }

    /// Until when a lost request may still switch a service off.
    pub fn unsettled_restart(&self, change: &Change) -> Option<Timestamp> {
        let restarts = self.steps.iter().zip(change.steps()).filter(|(_, step)| matches!(step, Step::Restart(_)));
        restarts.filter_map(|(state, _)| state.late).map(|late| late.until).max()
    }

    /// Until when something may still take effect.
    pub fn unsettled(&self) -> Option<Timestamp> {
        let is_in_doubt = |state: &StepState| state.is_lost() || !state.left.is_empty();
        let late = self.steps.iter().filter_map(|state| state.late).map(|late| late.until).max();
        late.or_else(|| self.steps.iter().any(is_in_doubt).then(Timestamp::now))
    }
}
