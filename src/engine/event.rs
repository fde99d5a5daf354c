//! What happens while the engine works. There is one kind of event inside; a creation is told of by what it makes, every other
//! change by its steps.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::{ChangeEvent, End};
use super::{Event, Events, Made, Task};
use crate::change::{Change, Step};
use crate::cloud::retry::Pause;
use crate::cloud::{Error, Id};

/// Steps are counted from 0.
#[derive(Clone, Debug)]
pub(super) enum StepEvent {
    Started(usize),
    Finished(usize, End, Duration),
    /// A step of a creation is done: its object exists.
    Made(Made, Duration),
    Failed(usize, Error, Duration),
    Waiting(usize, Box<Pause>),
    RollingBack(usize),
    RolledBack(usize, Duration),
    /// Nothing needs this object, and it is deleted.
    Removed(usize, Id),
    /// A lost request of a creation has made this after all.
    Found(Made),
    /// It has the marker of the VPN and is not what was sent: it stays.
    LeftAlone(Made),
    /// No request of the step can take effect any more.
    Settled(usize),
    Deleting(Made),
    Deleted(Made),
    Kept(Made, Error),
    Settling(Timestamp),
}

/// Who is told. A closed receiver is no reason to stop: the work goes on, and the result still tells all.
#[derive(Clone, Debug)]
pub(super) enum Listener {
    Change(UnboundedSender<ChangeEvent>),
    /// With the task of each step.
    Creation(Events, Arc<[Task]>),
}

impl Listener {
    pub fn of_creation(events: &Events, change: &Change) -> Self {
        let task = |step: &Step| if let Step::Create(create) = step { create.task() } else { None };
        Self::Creation(events.clone(), change.steps().iter().filter_map(task).collect())
    }

    pub fn tell(&self, event: StepEvent) {
        match self {
            Self::Change(events) => {
                if let Some(event) = of_change(event) {
                    let _ = events.send(event);
                }
            }
            Self::Creation(events, tasks) => {
                if let Some(event) = of_creation(event, tasks) {
                    let _ = events.send(event);
                }
            }
        }
    }
}

fn of_change(event: StepEvent) -> Option<ChangeEvent> {
    Some(match event {
        StepEvent::Started(step) => ChangeEvent::Started(step),
        StepEvent::Finished(step, end, took) => ChangeEvent::Finished(step, end, took),
        StepEvent::Failed(step, error, took) => ChangeEvent::Failed(step, error, took),
        StepEvent::Waiting(step, pause) => ChangeEvent::Waiting(step, pause),
        StepEvent::RollingBack(step) => ChangeEvent::RollingBack(step),
        StepEvent::RolledBack(step, took) => ChangeEvent::RolledBack(step, took),
        StepEvent::Removed(step, id) => ChangeEvent::Removed(step, id),
        StepEvent::Settling(until) => ChangeEvent::Settling(until),
        StepEvent::Made(..)
        | StepEvent::Found(_)
        | StepEvent::LeftAlone(_)
        | StepEvent::Settled(_)
        | StepEvent::Deleting(_)
        | StepEvent::Deleted(_)
        | StepEvent::Kept(..) => return None,
    })
}

fn of_creation(event: StepEvent, tasks: &[Task]) -> Option<Event> {
    let task = |step: usize| tasks.get(step).copied();
    Some(match event {
        StepEvent::Started(step) => Event::Started(task(step)?),
        StepEvent::Made(made, took) => Event::Finished(made, took),
        StepEvent::Failed(step, error, took) => Event::Failed(task(step)?, error, took),
        StepEvent::Waiting(step, pause) => Event::Waiting(task(step)?, pause),
        StepEvent::Found(made) => Event::Found(made),
        StepEvent::LeftAlone(made) => Event::LeftAlone(made),
        StepEvent::Settled(step) => Event::Settled(task(step)?),
        StepEvent::Deleting(made) => Event::Deleting(made),
        StepEvent::Deleted(made) => Event::Deleted(made),
        StepEvent::Kept(made, error) => Event::Kept(made, error),
        StepEvent::Finished(..)
        | StepEvent::RollingBack(_)
        | StepEvent::RolledBack(..)
        | StepEvent::Removed(..)
        | StepEvent::Settling(_) => return None,
    })
}
