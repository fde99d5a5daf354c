//! A run from the review on, with the engine's events given by hand.

use std::time::Duration;

use jiff::Timestamp;
use osvpn::change::{Change, Step};
use osvpn::cloud::retry::Pause;
use osvpn::cloud::{Error, Id, Status};
use osvpn::engine::interruption::{Interruption, State};
use osvpn::engine::{ChangeError, Changed, Course, Direction, End, Event, Made, Origin, Step as Object, Task};
use osvpn::plan::{Half, VpnId, VpnName};
use osvpn::wizard::Message;
use osvpn::wizard::screen::Screen;

use super::inventories::{hamilton, porirua};
use super::journey::Journey;

/// A creation that was interrupted, of which so many objects exist and so many more may.
pub fn cut_off_creation(name: &str, id: &str, (exist, may_exist): (usize, usize), state: State) -> Interruption {
    let name = VpnName::try_from(name.to_owned()).unwrap();
    let halves = [(Half::A, hamilton()), (Half::B, porirua())].into();
    let mut course = Course::new(Change::of_halves(&VpnId::new(id), &name, &halves, None));
    let tasks: Vec<Task> = course.change.steps().iter().filter_map(Step::task).collect();
    for (number, task) in tasks.into_iter().enumerate() {
        let object = Object::ALL.iter().position(|object| *object == task.step).unwrap();
        if number < exist {
            course.progress.record(Run::object(task.half, object));
        } else if number < exist + may_exist {
            course.progress.doubt(task);
        }
    }
    let began = "2026-11-24T02:13:00Z".parse().unwrap();
    Interruption { journal: format!("/state/{id}.json").into(), course, direction: Direction::Forward, began, state }
}

/// A change that was interrupted.
pub fn cut_off_change(journal: &str, course: Course) -> Interruption {
    let began = "2026-11-24T02:13:00Z".parse().unwrap();
    let (direction, state) = (Direction::Forward, State::Interrupted);
    Interruption { journal: journal.into(), course, direction, began, state }
}

/// Something of a change may have been done.
pub fn begun(course: &mut Course) {
    course.progress.lose(0, Timestamp::UNIX_EPOCH);
}

/// A change is past rolling back.
pub fn past_rolling_back(course: &mut Course) {
    let steps = course.change.steps().iter();
    let deletion = steps.enumerate().find(|(_, step)| matches!(step, Step::Delete(..))).map(|(number, _)| number);
    course.progress.finish(deletion.unwrap(), End::Gone);
    assert!(!course.is_reversible());
}

pub struct Run {
    pub journey: Journey,
    /// How far it is, as the engine would tell.
    pub course: Course,
}

impl Run {
    /// Create was pressed 20 s after the start.
    pub fn begun(size: (u16, u16)) -> Self {
        Self::begun_from(Journey::discovered_on(size))
    }

    /// The same with some of the answers given.
    pub fn begun_from(mut journey: Journey) -> Self {
        journey.to(Screen::Review);
        journey.after(20.0).press("Enter");
        assert_eq!(journey.model.screen(), Screen::Work);
        let course = Course::new(journey.model.work.current.as_ref().unwrap().change().clone());
        Self { journey, course }
    }

    /// Everything is made, and the watch begins.
    pub fn created(size: (u16, u16)) -> Self {
        Self::created_from(Journey::discovered_on(size))
    }

    /// The same with some of the answers given.
    pub fn created_from(journey: Journey) -> Self {
        let mut run = Self::begun_from(journey);
        for object in 0..6 {
            run.made(Half::A, object, 0.4).made(Half::B, object, 0.6);
        }
        let made = run.rested(Ok(Changed::Done));
        run.journey.after(24.0).send(made);
        run
    }

    /// One half is made, and the watch begins.
    pub fn created_single(journey: Journey) -> Self {
        let mut run = Self::begun_from(journey);
        for object in 0..6 {
            run.made(Half::A, object, 0.4);
        }
        let made = run.rested(Ok(Changed::Done));
        run.journey.after(24.0).send(made);
        run
    }

    /// The engine rests.
    pub fn rested(&self, result: Result<Changed, ChangeError>) -> Message {
        Message::Rested(result, Box::new(self.course.clone()))
    }

    fn step(&self, half: Half, object: usize) -> usize {
        self.course.change.step_of(Task { half, step: Object::ALL[object] }).unwrap()
    }

    fn object(half: Half, object: usize) -> Made {
        let task = Task { half, step: Object::ALL[object] };
        Made {
            task,
            region: if half == Half::A { hamilton() } else { porirua() },
            id: Id::new(format!("{half}{object}7f3c21-5a4e-4d0b-9b1e-2f6a8c3d4e5f").to_lowercase()),
            name: format!("hlz-por_{}", task.step.object()),
            origin: Origin::Created,
            external_v4: None,
            external_v6: None,
        }
    }

    pub fn tell(&mut self, event: Event) -> &mut Self {
        self.journey.send(Message::Event(event));
        self
    }

    pub fn started(&mut self, half: Half, object: usize) -> &mut Self {
        self.tell(Event::Started(self.step(half, object)))
    }

    pub fn made(&mut self, half: Half, object: usize, seconds: f64) -> &mut Self {
        let made = Self::object(half, object);
        self.course.progress.record(made.clone());
        self.started(half, object).tell(Event::Made(made, Duration::from_secs_f64(seconds)))
    }

    /// A task fails, and creation with it.
    pub fn failed(&mut self, half: Half, object: usize, error: Error) -> &mut Self {
        let step = self.step(half, object);
        self.started(half, object).tell(Event::Failed(step, error.clone(), Duration::from_millis(1200)));
        let failed = self.rested(Err(ChangeError::Failed(step, Box::new(error))));
        self.journey.after(23.0).send(failed);
        self
    }

    /// The answer to the request for an object was lost, and a look right after found nothing.
    pub fn lost(&mut self, half: Half, object: usize) -> &mut Self {
        let until: Timestamp = "2026-03-01T11:52:30Z".parse().unwrap();
        self.course.progress.lose(self.step(half, object), until);
        self
    }

    /// A request that was lost has made a second one of those objects.
    pub fn twin(&mut self, half: Half, object: usize) -> Made {
        let twin = Made { id: Id::new("0e1d2c3b-4a59-4687-9a0b-1c2d3e4f5a6b"), ..Self::object(half, object) };
        self.tell(Event::Found(twin.clone()));
        twin
    }

    /// A request is tried again after a while.
    pub fn waiting(&mut self, half: Half, object: usize, error: Error) -> &mut Self {
        let pause = Pause { error, wait: Duration::from_secs(7), attempt: 2, of: 5 };
        self.tell(Event::Waiting(self.step(half, object), Box::new(pause)))
    }

    pub fn polled(&mut self, a: Status, b: Status) -> &mut Self {
        self.tell(Event::Polled([(Half::A, a), (Half::B, b)].into()))
    }

    pub fn deleting(&mut self, half: Half, object: usize) -> &mut Self {
        let made = Self::object(half, object);
        self.tell(Event::Deleting(made))
    }

    pub fn deleted(&mut self, half: Half, object: usize) -> &mut Self {
        let made = Self::object(half, object);
        self.course.progress.remove(&made.id);
        self.tell(Event::Deleted(made))
    }

    pub fn kept(&mut self, half: Half, object: usize, error: Error) -> (Made, Error) {
        let made = Self::object(half, object);
        self.tell(Event::Kept(made.clone(), error.clone()));
        (made, error)
    }

    pub fn end_undo(&mut self, result: Result<Changed, ChangeError>) -> &mut Self {
        let rested = self.rested(result);
        self.journey.send(rested);
        self
    }
}
