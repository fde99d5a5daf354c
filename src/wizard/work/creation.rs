//! The creation of a VPN, its wait for ACTIVE, and its rollback, as work.

use std::collections::BTreeMap;
use std::time::Duration;

use itertools::Itertools;

use super::{Button, End, Job, Outcome, Row, RowState, Stage, What, Work};
use crate::cloud::Error;
use crate::cloud::retry::Pause;
use crate::engine::Direction;
use crate::engine::{
    CreateError, Event, Ledger, Made, Marks, Origin, Standing, Step, Task, Undone, Watched, is_cured_by_modern,
};
use crate::inspect::Examined;
use crate::plan::{Half, Plan, Profiles};

/// What only a creation has.
#[derive(Clone, Debug)]
pub struct CreationJob {
    /// None of one that is only rolled back, for which its markers are enough.
    pub plan: Option<Plan>,
    pub marks: Marks,
    /// What exists, as the engine last told.
    pub ledger: Ledger,
    /// The statuses of the connections; empty before the first answer.
    pub standing: Standing,
    /// A status that could not be read, until all can.
    pub poll_problem: Option<(Half, Error)>,
    poll_failed: bool,
    /// Every pause before a request was sent again.
    pub pauses: Vec<(Task, Pause)>,
    /// The comparison of both halves, or why there is none.
    pub examined: Option<Result<Box<Examined>, Error>>,
    pub(in crate::wizard) verifying: bool,
    pub watching_since: Option<Duration>,
    pub wait: Duration,
}

impl CreationJob {
    pub(super) fn go_on(&mut self, is_watching: bool, direction: Direction, now: Duration) {
        (self.examined, self.verifying) = (None, false);
        if is_watching {
            self.watching_since = Some(now);
        }
        if direction == Direction::Back {
            self.standing.clear();
        }
    }

    pub fn label(&self, half: Half) -> String {
        let planned = self.plan.as_ref().and_then(|plan| plan.half(half)).map(|half| half.label.clone());
        planned.or_else(|| self.marks.regions.get(&half).map(ToString::to_string)).unwrap_or_default()
    }

    /// Everything that exists, for the clipboard: region, kind, name and id, a line each.
    pub fn ids_text(&self) -> String {
        let line = |made: &Made| format!("{} {} {} {}", made.region, made.task.step.label(), made.name, made.id);
        self.ledger.made().iter().map(line).join("\n")
    }
}

fn done(made: &Made) -> Outcome {
    match made.origin {
        Origin::Created => Outcome::Created(made.id.clone()),
        Origin::Adopted => Outcome::Found,
        Origin::Reused => Outcome::Reused,
    }
}

fn there(made: &Made) -> RowState {
    RowState::Done(if made.origin == Origin::Reused { Outcome::Reused } else { Outcome::There }, None)
}

impl Work {
    /// A creation that begins now, or goes on with what its ledger has.
    #[must_use]
    pub fn create(plan: Plan, ledger: Ledger, now: Duration, wait: Duration) -> Self {
        let marks = Marks::from(&plan);
        Self::on_ledger(Some(plan), marks, ledger, Direction::Forward, (now, wait))
    }

    /// A creation that is rolled back now, whether or not its plan would still do.
    #[must_use]
    pub fn roll_back(marks: Marks, plan: Option<Plan>, ledger: Ledger, now: Duration, wait: Duration) -> Self {
        Self::on_ledger(plan, marks, ledger, Direction::Back, (now, wait))
    }

    fn on_ledger(
        plan: Option<Plan>,
        marks: Marks,
        ledger: Ledger,
        direction: Direction,
        (now, wait): (Duration, Duration),
    ) -> Self {
        let tasks = marks.regions.keys().flat_map(|&half| Step::ALL.map(|step| Task { half, step }));
        let row = |task: Task| {
            let state = ledger.get(task.half, task.step).map_or(RowState::Waiting, there);
            Row { what: What::Object(task), state }
        };
        let rows = tasks.map(row).collect();
        let job = CreationJob {
            plan,
            marks,
            ledger,
            standing: BTreeMap::new(),
            poll_problem: None,
            poll_failed: false,
            pauses: Vec::new(),
            examined: None,
            verifying: false,
            watching_since: None,
            wait,
        };
        Self::of(Job::Creation(Box::new(job)), direction, rows, now)
    }

    pub(super) fn heading_of_creation(&self, job: &CreationJob) -> String {
        let name = &job.marks.name;
        match (&self.stage, self.direction) {
            (Stage::Working, Direction::Forward) => format!("Creating {name}"),
            (Stage::Working, Direction::Back) => format!("Rolling back {name}"),
            (Stage::Watching, _) => format!("{name}: waiting for ACTIVE"),
            (Stage::Ended(end), _) => match end {
                End::Active => format!("{name} is ACTIVE"),
                End::NotYet(_) => format!("{name} is created, but not ACTIVE yet"),
                End::Lost(_) => format!("{name}: its status can no longer be read"),
                End::Done => format!("{name} is rolled back"),
                End::Unsettled(..) => format!("{name}: rolled back, one request unconfirmed"),
                End::Left(_) => format!("{name} is not rolled back completely"),
                End::Stopped => format!("{name}: stopped"),
                _ => format!("{name}: creation stopped at a failure"),
            },
        }
    }

    pub(super) fn buttons_of_creation(&self, job: &CreationJob, end: &End) -> Vec<Button> {
        let roll_back = (!job.ledger.is_clean()).then_some(Button::RollBack);
        let retry = job.plan.is_some().then_some(Button::Retry);
        let leave = Some(Button::Leave);
        let buttons = match end {
            End::Failed(row, error) => {
                let cured = self.task(*row).zip(job.plan.as_ref());
                let modern = cured.is_some_and(|(task, plan)| is_cured_by_modern(plan, task, error));
                let modern = modern.then_some(Button::UseModern);
                let answers = (roll_back.is_none() && modern.is_none()).then_some(Button::ChangeAnswers);
                [modern, retry, roll_back.or(answers), leave]
            }
            End::Active => [Some(Button::Finish), roll_back, None, None],
            End::NotYet(_) | End::Lost(_) => [Some(Button::KeepWaiting), leave, roll_back, None],
            End::Done => [job.plan.is_some().then_some(Button::ChangeAnswers), leave, None, None],
            End::Left(_) | End::Unsettled(..) => [roll_back, leave, None, None],
            _ => [retry, roll_back, leave, None],
        };
        buttons.into_iter().flatten().collect()
    }

    pub fn task(&self, row: usize) -> Option<Task> {
        match self.rows.get(row)?.what {
            What::Object(task) => Some(task),
            What::Step(_) => None,
        }
    }

    fn row(&self, task: Task) -> Option<usize> {
        self.rows.iter().position(|row| row.what == What::Object(task))
    }

    pub fn state(&self, task: Task) -> Option<&RowState> {
        self.row(task).map(|row| &self.rows[row].state)
    }

    pub fn is_made(&self, half: Half) -> bool {
        matches!(self.state(Task { half, step: Step::Connection }), Some(RowState::Done(..)))
    }

    /// The creation goes on with the policy of the profile `modern`.
    pub(in crate::wizard) fn modernize(&mut self, profiles: &Profiles) {
        let Job::Creation(job) = &mut self.job else { return };
        job.plan = job.plan.take().map(|plan| plan.with_modern(profiles));
        job.ledger.reconsider_policies();
        for row in &mut self.rows {
            if let What::Object(task) = row.what
                && job.ledger.get(task.half, task.step).is_none()
            {
                row.state = RowState::Waiting;
            }
        }
    }

    pub(in crate::wizard) fn engine_event(&mut self, event: Event, now: Duration) {
        if let Event::Waiting(task, pause) = event {
            self.pause = self.row(task).map(|row| (row, (*pause).clone()));
            if let Some(job) = self.creation_mut() {
                job.pauses.push((task, *pause));
            }
            return;
        }
        let ends =
            self.pause.as_ref().and_then(|(row, _)| self.task(*row)).is_some_and(|task| ends_pause(&event, task));
        if ends {
            self.pause = None;
        }
        let Job::Creation(job) = &mut self.job else { return };
        match event {
            Event::Waiting(..) => {}
            Event::Found(made) => job.ledger.leave(made),
            Event::LeftAlone(made) => drop(job.ledger.leave_alone([made])),
            Event::Settled(task) => job.ledger.settle(task),
            Event::Polled(standing) => {
                job.standing = standing;
                if !std::mem::take(&mut job.poll_failed) {
                    job.poll_problem = None;
                }
            }
            Event::PollFailed(half, error) => {
                job.poll_problem = Some((half, error));
                job.poll_failed = true;
            }
            Event::Started(task) => self.set_task(task, RowState::Running(now)),
            Event::Finished(made, took) => {
                let state = RowState::Done(done(&made), Some(took));
                let task = made.task;
                job.ledger.record(made);
                self.set_task(task, state);
            }
            Event::Failed(task, _, took) => self.set_task(task, RowState::Failed(took)),
            Event::Deleting(made) => self.set_if_own(&made, RowState::RollingBack(now)),
            Event::Deleted(made) => {
                self.set_if_own(&made, RowState::RolledBack);
                if let Some(job) = self.creation_mut() {
                    job.ledger.remove(&made.id);
                }
            }
            Event::Kept(made, _) => self.set_if_own(&made, RowState::Stays),
        }
    }

    fn set_task(&mut self, task: Task, state: RowState) {
        if let Some(row) = self.row(task) {
            self.set(row, state);
        }
    }

    /// What happens to a second object of a lost request says nothing of the one the row has.
    fn set_if_own(&mut self, made: &Made, state: RowState) {
        let own = self.creation().and_then(|job| job.ledger.get(made.task.half, made.task.step));
        if own.is_none_or(|own| own.id == made.id) {
            self.set_task(made.task, state);
        }
    }

    /// Takes the end of creating. True when the wait for ACTIVE begins now.
    pub(in crate::wizard) fn created(
        &mut self,
        result: Result<(), CreateError>,
        ledger: Ledger,
        now: Duration,
    ) -> bool {
        let end = match result {
            Ok(()) => {
                if let Some(job) = self.creation_mut() {
                    (job.ledger, job.watching_since) = (ledger, Some(now));
                }
                self.stage = Stage::Watching;
                return true;
            }
            Err(CreateError::Failed(task, error)) => End::Failed(self.row(task).unwrap_or_default(), error),
            Err(CreateError::Stopped) => End::Stopped,
        };
        self.rest_with(end, Some(ledger), now);
        false
    }

    pub(in crate::wizard) fn watched(&mut self, watched: Watched, now: Duration) {
        let end = match watched {
            Watched::Active => End::Active,
            Watched::NotYet(standing) => End::NotYet(standing),
            Watched::Lost(error) => End::Lost(error),
            Watched::Stopped => End::Stopped,
        };
        self.rest_with(end, None, now);
    }

    pub(in crate::wizard) fn rolled_back(&mut self, undone: Undone, ledger: Ledger, now: Duration) {
        let end = match undone {
            Undone::Clean => End::Done,
            Undone::Unsettled(error) => End::Unsettled(None, error),
            Undone::Left(left) => End::Left(left),
            Undone::Stopped => End::Stopped,
        };
        self.rest_with(end, Some(ledger), now);
    }

    fn rest_with(&mut self, end: End, ledger: Option<Ledger>, now: Duration) {
        let Some(job) = self.creation_mut() else { return };
        job.ledger = ledger.unwrap_or_else(|| job.ledger.clone());
        let (ledger, doubts) = (job.ledger.clone(), job.ledger.doubts());
        self.rest(end, now, |work, row| match work.task(row) {
            Some(task) => match ledger.get(task.half, task.step) {
                Some(made) => there(made),
                None if doubts.iter().any(|doubt| doubt.task == task) => RowState::InDoubt,
                None if work.direction == Direction::Back => RowState::RolledBack,
                None => RowState::Waiting,
            },
            None => RowState::Waiting,
        });
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
