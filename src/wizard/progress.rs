//! What the engine's events add up to: tasks with their state and time, where the connections stand, what to do next.

use std::collections::BTreeMap;
use std::time::Duration;

use itertools::Itertools;

use crate::cloud::Error;
use crate::cloud::retry::Pause;
use crate::engine::{
    CreateError, Event, Ledger, Made, Marks, Standing, Step, Task, Undone, Watched, is_cured_by_modern,
};
use crate::inspect::Examined;
use crate::plan::{Half, Plan, Profiles};

/// The state of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Its turn has not come.
    Waiting,
    /// Under way since then, by [`super::Model::now`].
    Running(Duration),
    /// Its object exists since an earlier run.
    There(Made),
    /// Its object exists; how long it took.
    Done(Made, Duration),
    /// It failed; how long that took.
    Failed(Error, Duration),
    /// Its object could not be deleted.
    Kept(Error),
    /// Its object was deleted again.
    Undone,
    /// Whether its object exists is not known: the answer to its request was lost.
    InDoubt,
}

/// What the engine is doing, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Objects are being made.
    Creating,
    /// Waiting for ACTIVE.
    Watching,
    /// A request failed; nothing more happens until the user chooses.
    Failed(Task, Box<Error>),
    /// Both connections are ACTIVE.
    Active,
    /// The wait is over and they are not.
    NotYet(Standing),
    /// The connections can no longer be watched.
    Lost(Box<Error>),
    /// What was made is being deleted.
    Undoing,
    /// Nothing of this run is left.
    Undone,
    /// Nothing of this run is there, but lost requests may still make something; why that could not be looked for, if it
    /// could not.
    Unsettled(Option<Box<Error>>),
    /// Some of it is.
    Left(Vec<(Made, Error)>),
    /// The user stopped it and keeps what exists.
    Stopped,
}

/// What can be done when the engine rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Leave; the summary is printed.
    Finish,
    /// Do the failed step, and the rest.
    Retry,
    /// Delete what this run made.
    Undo,
    /// Leave and keep what exists.
    Leave,
    /// Wait for ACTIVE again.
    WaitOn,
    /// Back to the answers; nothing exists any more.
    Revise,
    /// Make the policies anew with the profile `modern`, and the rest.
    Modern,
}

impl Button {
    /// What it says.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Finish => "Finish",
            Self::Retry => "Retry",
            Self::Undo => "Undo",
            Self::Leave => "Leave",
            Self::WaitOn => "Wait on",
            Self::Revise => "Change answers",
            Self::Modern => "Use modern",
        }
    }
}

/// A run as far as the screen knows it.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is being made. None of a run that is only undone, for which its marks are enough.
    pub plan: Option<Plan>,
    /// How its objects are known.
    pub marks: Marks,
    /// Every task, in order, with its state.
    pub tasks: Vec<(Task, TaskState)>,
    /// What the engine is doing.
    pub phase: Phase,
    /// What exists, as the engine last told.
    pub ledger: Ledger,
    /// Where the connections stood last; empty before the first answer.
    pub standing: Standing,
    /// A status that could not be read, until all can.
    pub poll_problem: Option<(Half, Error)>,
    /// Whether that was in the present round of questions.
    poll_failed: bool,
    /// The pause before a request is tried again, as long as it lasts.
    pub pause: Option<(Task, Pause)>,
    /// Every such pause of the run.
    pub pauses: Vec<(Task, Pause)>,
    /// The two-sided proof, once it is there; or why there is none.
    pub examined: Option<Result<Box<Examined>, Error>>,
    /// When the run began, by [`super::Model::now`].
    pub begun: Duration,
    /// When the present wait for ACTIVE began.
    pub watching_since: Option<Duration>,
    /// How long the present wait is.
    pub wait: Duration,
    /// When the engine came to rest.
    pub ended: Option<Duration>,
    /// Which button has the focus.
    pub focus: usize,
    /// Whether the halves are being held against each other.
    pub verifying: bool,
    /// What the user wants once the engine has come to rest.
    pub then: Option<Then>,
}

/// What was asked for while the engine was at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Leave and keep what exists.
    Leave,
    /// Roll back.
    RollBack,
}

impl Progress {
    /// A run that begins now.
    #[must_use]
    pub fn new(plan: Plan, now: Duration, wait: Duration) -> Self {
        let marks = Marks::from(&plan);
        Self { plan: Some(plan), ..Self::of_marks(marks, now, wait) }
    }

    fn of_marks(marks: Marks, now: Duration, wait: Duration) -> Self {
        let tasks = marks.regions.keys().flat_map(|&half| Step::ALL.map(|step| Task { half, step }));
        Self {
            tasks: tasks.map(|task| (task, TaskState::Waiting)).collect(),
            plan: None,
            marks,
            phase: Phase::Creating,
            ledger: Ledger::default(),
            standing: BTreeMap::new(),
            poll_problem: None,
            poll_failed: false,
            pause: None,
            pauses: Vec::new(),
            examined: None,
            begun: now,
            watching_since: None,
            wait,
            ended: None,
            focus: 0,
            verifying: false,
            then: None,
        }
    }

    /// A run that was cut off and goes on now.
    #[must_use]
    pub fn taken_up(plan: Plan, ledger: Ledger, now: Duration, wait: Duration) -> Self {
        Self::new(plan, now, wait).with_ledger(ledger)
    }

    /// A run that was cut off and is undone now, whether or not its plan would still do.
    #[must_use]
    pub fn undoing(marks: Marks, plan: Option<Plan>, ledger: Ledger, now: Duration, wait: Duration) -> Self {
        let run = Self { plan, phase: Phase::Undoing, ..Self::of_marks(marks, now, wait) };
        run.with_ledger(ledger)
    }

    fn with_ledger(mut self, ledger: Ledger) -> Self {
        for (task, state) in &mut self.tasks {
            if let Some(made) = ledger.get(task.half, task.step) {
                *state = TaskState::There(made.clone());
            }
        }
        self.ledger = ledger;
        self
    }

    /// The run goes on with the policy of the profile `modern`.
    pub fn modernize(&mut self, profiles: &Profiles) {
        self.plan = self.plan.take().map(|plan| plan.with_modern(profiles));
        self.ledger.reconsider_policies();
        for (task, state) in &mut self.tasks {
            if self.ledger.get(task.half, task.step).is_none() {
                *state = TaskState::Waiting;
            }
        }
    }

    /// What people call the region of a half.
    #[must_use]
    pub fn label(&self, half: Half) -> String {
        let planned = self.plan.as_ref().and_then(|plan| plan.half(half)).map(|half| half.label.clone());
        planned.or_else(|| self.marks.regions.get(&half).map(ToString::to_string)).unwrap_or_default()
    }

    /// The VPN, and how far it is.
    #[must_use]
    pub fn heading(&self) -> String {
        let name = &self.marks.name;
        match &self.phase {
            Phase::Creating => format!("Creating {name}"),
            Phase::Watching => format!("{name}: waiting for ACTIVE"),
            Phase::Failed(..) => format!("{name}: creation stopped at a failure"),
            Phase::Active => format!("{name} is ACTIVE"),
            Phase::NotYet(_) => format!("{name} is created, but not ACTIVE yet"),
            Phase::Lost(_) => format!("{name}: its status can no longer be read"),
            Phase::Undoing => format!("Rolling back {name}"),
            Phase::Undone => format!("{name} is rolled back"),
            Phase::Unsettled(_) => format!("{name}: rolled back, one request unconfirmed"),
            Phase::Left(_) => format!("{name} is not rolled back completely"),
            Phase::Stopped => format!("{name}: stopped"),
        }
    }

    /// Whether the engine is at work.
    #[must_use]
    pub const fn is_working(&self) -> bool {
        matches!(self.phase, Phase::Creating | Phase::Watching | Phase::Undoing)
    }

    /// The task's state.
    #[must_use]
    pub fn state(&self, task: Task) -> Option<&TaskState> {
        self.tasks.iter().find(|(candidate, _)| *candidate == task).map(|(_, state)| state)
    }

    /// Whether a half's connection exists.
    #[must_use]
    pub fn is_made(&self, half: Half) -> bool {
        matches!(self.state(Task { half, step: Step::Connection }), Some(TaskState::Done(..) | TaskState::There(_)))
    }

    /// Takes an event of the engine.
    pub fn apply(&mut self, event: Event, now: Duration) {
        if let Event::Waiting(task, pause) = event {
            self.pauses.push((task, (*pause).clone()));
            self.pause = Some((task, *pause));
            return;
        }
        self.pause = self.pause.take().filter(|(task, _)| !ends_pause(&event, *task));
        match event {
            Event::Waiting(..) => {}
            Event::Started(task) => self.set(task, TaskState::Running(now)),
            Event::Found(made) => self.ledger.leave(made),
            Event::LeftAlone(made) => drop(self.ledger.leave_alone([made])),
            Event::Settled(task) => self.ledger.settle(task),
            Event::Finished(made, took) => {
                self.ledger.record(made.clone());
                self.set(made.task, TaskState::Done(made, took));
            }
            Event::Failed(task, error, took) => self.set(task, TaskState::Failed(error, took)),
            Event::Polled(standing) => {
                self.standing = standing;
                if !std::mem::take(&mut self.poll_failed) {
                    self.poll_problem = None;
                }
            }
            Event::PollFailed(half, error) => {
                self.poll_problem = Some((half, error));
                self.poll_failed = true;
            }
            Event::Deleting(made) => self.set_if_own(&made, TaskState::Running(now)),
            Event::Deleted(made) => {
                self.set_if_own(&made, TaskState::Undone);
                self.ledger.remove(&made.id);
            }
            Event::Kept(made, error) => self.set_if_own(&made, TaskState::Kept(error)),
        }
    }

    /// What happens to a twin says nothing of the object the task has.
    fn set_if_own(&mut self, made: &Made, state: TaskState) {
        let own = self.ledger.get(made.task.half, made.task.step);
        if own.is_none_or(|own| own.id == made.id) {
            self.set(made.task, state);
        }
    }

    fn set(&mut self, task: Task, state: TaskState) {
        if let Some((_, slot)) = self.tasks.iter_mut().find(|(candidate, _)| *candidate == task) {
            *slot = state;
        }
    }

    /// Takes the end of creation. True when the watch begins now.
    pub fn created(&mut self, result: Result<(), CreateError>, ledger: Ledger, now: Duration) -> bool {
        self.ledger = ledger;
        match result {
            Ok(()) => {
                self.phase = Phase::Watching;
                self.watching_since = Some(now);
                return true;
            }
            Err(CreateError::Failed(task, error)) => self.rest(Phase::Failed(task, error), now),
            Err(CreateError::Stopped) => self.rest(Phase::Stopped, now),
        }
        false
    }

    /// Takes the end of a watch.
    pub fn watched(&mut self, watched: Watched, now: Duration) {
        let phase = match watched {
            Watched::Active => Phase::Active,
            Watched::NotYet(standing) => Phase::NotYet(standing),
            Watched::Lost(error) => Phase::Lost(error),
            Watched::Stopped => Phase::Stopped,
        };
        self.rest(phase, now);
    }

    /// Takes the end of an undo.
    pub fn undone(&mut self, undone: Undone, ledger: Ledger, now: Duration) {
        self.ledger = ledger;
        let phase = match undone {
            Undone::Clean => Phase::Undone,
            Undone::Unsettled(error) => Phase::Unsettled(error),
            Undone::Left(left) => Phase::Left(left),
            Undone::Stopped => Phase::Stopped,
        };
        self.rest(phase, now);
    }

    fn rest(&mut self, phase: Phase, now: Duration) {
        self.close(&phase, now);
        self.phase = phase;
        self.pause = None;
        self.ended = Some(now);
        self.focus = 0;
    }

    /// Nothing is under way any more. Of what the engine has not told the end of the ledger knows whether it exists.
    fn close(&mut self, phase: &Phase, now: Duration) {
        let doubts = self.ledger.doubts();
        for (task, state) in &mut self.tasks {
            let TaskState::Running(since) = *state else { continue };
            *state = match (phase, self.ledger.get(task.half, task.step)) {
                (_, Some(made)) => TaskState::There(made.clone()),
                (Phase::Failed(failed, error), None) if failed == task => {
                    TaskState::Failed((**error).clone(), now.saturating_sub(since))
                }
                (_, None) if doubts.iter().any(|doubt| doubt.task == *task) => TaskState::InDoubt,
                (_, None) if self.phase == Phase::Undoing => TaskState::Undone,
                (_, None) => TaskState::Waiting,
            };
        }
    }

    /// Back to work.
    pub fn resume(&mut self, phase: Phase, now: Duration) {
        if phase == Phase::Watching {
            self.watching_since = Some(now);
        }
        self.phase = phase;
        self.ended = None;
        self.then = None;
        self.examined = None;
        self.verifying = false;
        if self.phase == Phase::Undoing {
            self.standing.clear();
        }
    }

    /// What can be done now; the first is the sensible one.
    #[must_use]
    pub fn buttons(&self) -> Vec<Button> {
        let undo = (!self.ledger.is_clean()).then_some(Button::Undo);
        let retry = self.plan.is_some().then_some(Button::Retry);
        match &self.phase {
            Phase::Failed(task, error)
                if self.plan.as_ref().is_some_and(|plan| is_cured_by_modern(plan, *task, error)) =>
            {
                [Some(Button::Modern), retry, undo, Some(Button::Leave)].into_iter().flatten().collect()
            }
            Phase::Creating | Phase::Watching | Phase::Undoing => Vec::new(),
            Phase::Active => [Some(Button::Finish), undo].into_iter().flatten().collect(),
            Phase::Failed(..) if undo.is_none() => vec![Button::Retry, Button::Revise, Button::Leave],
            Phase::Failed(..) | Phase::Stopped => [retry, undo, Some(Button::Leave)].into_iter().flatten().collect(),
            Phase::NotYet(_) | Phase::Lost(_) => {
                [Some(Button::WaitOn), Some(Button::Leave), undo].into_iter().flatten().collect()
            }
            Phase::Undone if self.plan.is_none() => vec![Button::Leave],
            Phase::Undone => vec![Button::Revise, Button::Leave],
            Phase::Left(_) | Phase::Unsettled(_) => [undo, Some(Button::Leave)].into_iter().flatten().collect(),
        }
    }

    /// Everything that exists, for the clipboard: region, kind, name and id, a line each.
    #[must_use]
    pub fn ids_text(&self) -> String {
        let line = |made: &Made| format!("{} {} {} {}", made.region, made.task.step.label(), made.name, made.id);
        self.ledger.made().iter().map(line).join("\n")
    }
}

/// Whether what happens shows that a pause of that task is over.
fn ends_pause(event: &Event, task: Task) -> bool {
    match event {
        Event::Started(other) | Event::Failed(other, ..) | Event::Settled(other) => *other == task,
        Event::Finished(made, _)
        | Event::Found(made)
        | Event::LeftAlone(made)
        | Event::Deleting(made)
        | Event::Deleted(made)
        | Event::Kept(made, _) => made.task == task,
        Event::Polled(_) => true,
        Event::PollFailed(half, _) => *half == task.half,
        Event::Waiting(..) => false,
    }
}
