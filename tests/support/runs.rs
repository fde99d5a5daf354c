//! A run from the review on, with the engine's events given by hand.

use std::time::Duration;

use jiff::Timestamp;
use osvpn::cloud::retry::Pause;
use osvpn::cloud::{Error, Id, Status};
use osvpn::engine::{CreateError, Event, Ledger, Made, Origin, Step as Object, Task, Undone};
use osvpn::plan::Half;
use osvpn::wizard::Message;
use osvpn::wizard::screen::Screen;

use super::inventories::{hamilton, porirua};
use super::journey::Journey;

pub struct Run {
    pub journey: Journey,
    pub ledger: Ledger,
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
        assert_eq!(journey.model.screen, Screen::Work);
        Self { journey, ledger: Ledger::default() }
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
        let ledger = run.ledger.clone();
        run.journey.after(24.0).send(Message::Created(Ok(()), ledger));
        run
    }

    /// One half is made, and the watch begins.
    pub fn created_single(journey: Journey) -> Self {
        let mut run = Self::begun_from(journey);
        for object in 0..6 {
            run.made(Half::A, object, 0.4);
        }
        let ledger = run.ledger.clone();
        run.journey.after(24.0).send(Message::Created(Ok(()), ledger));
        run
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
        self.journey.send(Message::CreationEvent(event));
        self
    }

    pub fn started(&mut self, half: Half, object: usize) -> &mut Self {
        self.tell(Event::Started(Task { half, step: Object::ALL[object] }))
    }

    pub fn made(&mut self, half: Half, object: usize, seconds: f64) -> &mut Self {
        let made = Self::object(half, object);
        self.ledger.record(made.clone());
        self.started(half, object).tell(Event::Finished(made, Duration::from_secs_f64(seconds)))
    }

    /// A task fails, and creation with it.
    pub fn failed(&mut self, half: Half, object: usize, error: Error) -> &mut Self {
        let task = Task { half, step: Object::ALL[object] };
        self.started(half, object).tell(Event::Failed(task, error.clone(), Duration::from_millis(1200)));
        let ledger = self.ledger.clone();
        self.journey.after(23.0).send(Message::Created(Err(CreateError::Failed(task, Box::new(error))), ledger));
        self
    }

    /// The answer to the request for an object was lost, and a look right after found nothing.
    pub fn lost(&mut self, half: Half, object: usize) -> &mut Self {
        let task = Task { half, step: Object::ALL[object] };
        let until: Timestamp = "2026-03-01T11:52:30Z".parse().unwrap();
        self.ledger.lose(task, until);
        self.ledger.looked(task, Timestamp::UNIX_EPOCH, []);
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
        self.tell(Event::Waiting(Task { half, step: Object::ALL[object] }, Box::new(pause)))
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
        let left = self.ledger.made().iter().filter(|other| other.task != made.task).cloned().collect::<Vec<_>>();
        self.ledger = Ledger::default();
        for made in left {
            self.ledger.record(made);
        }
        self.tell(Event::Deleted(made))
    }

    pub fn kept(&mut self, half: Half, object: usize, error: Error) -> (Made, Error) {
        let made = Self::object(half, object);
        self.tell(Event::Kept(made.clone(), error.clone()));
        (made, error)
    }

    pub fn end_undo(&mut self, undone: Undone) -> &mut Self {
        let ledger = self.ledger.clone();
        self.journey.send(Message::RolledBack(undone, ledger));
        self
    }
}
