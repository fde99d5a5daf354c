//! Whole journeys through the wizard as a pure function: what the user does, what the wizard asks for, where they are.

mod answers;
mod dialogs;
mod enter;
mod first_page;
mod four_keys;
mod interfaces;
mod keys;
mod lists;
mod mouse;
mod plan_file;
mod run;
mod short_way;
mod sign_in;
mod start;
mod vpns;

use crate::support::{inventories, journey, pair, runs, script, surveys};
use std::collections::BTreeMap;
use std::time::Duration;

use crossterm::event::KeyCode;
use inventories::*;
use journey::{Journey, KEY, drawn_text, session};
use osvpn::cloud::{Error, ErrorKind, Id, Status};
use osvpn::engine::handover::KeyOrigin;
use osvpn::engine::interruption::{Interruption, State};
use osvpn::engine::{ChangeError, Changed, Course, Event, Made, Origin, Step as Object, Task, Watched};
use osvpn::plan::fields::PolicyField;
use osvpn::plan::file::PlanFile;
use osvpn::plan::{Half, PeerAddress, Profile};
use osvpn::sign_in::Problem;
use osvpn::wizard::fields::Field;
use osvpn::wizard::picker::Choice;
use osvpn::wizard::remote::RequestId;
use osvpn::wizard::screen::{Mode, Screen};
use osvpn::wizard::work::{Button, End, Outcome, RowState};
use osvpn::wizard::{Content, Effect, Ending, Message, Order, ResumedCreation, Session, Start, VpnsMessage, Which};
use runs::{begun, cut_off_change, cut_off_creation, past_rolling_back};
use script::in_both;

fn made(half: Half, step: Object) -> Made {
    let region = if half == Half::A { hamilton() } else { porirua() };
    let id = Id::new(format!("{half}-{}", step.object()));
    let (name, task) = (format!("hlz-por_{}", step.object()), Task { half, step });
    Made { task, region, id, name, origin: Origin::Created, external_v4: None, external_v6: None }
}

/// A creation of which nothing exists.
fn nothing() -> Course {
    Course::new(running().model.work.creation().unwrap().change().clone())
}

fn everything() -> Course {
    let mut course = nothing();
    for half in [Half::A, Half::B] {
        for step in Object::ALL {
            course.progress.record(made(half, step));
        }
    }
    course
}

fn step_of(half: Half, step: Object) -> usize {
    nothing().change.step_of(Task { half, step }).unwrap()
}

/// The engine rests.
fn rested(result: Result<Changed, ChangeError>, course: Course) -> Message {
    Message::Rested(result, Box::new(course))
}

fn standing(a: Status, b: Status) -> BTreeMap<Half, Status> {
    [(Half::A, a), (Half::B, b)].into()
}

fn running() -> Journey {
    let mut journey = Journey::at_review();
    journey.enter().at(Screen::Work);
    journey
}

fn buttons(journey: &Journey) -> Vec<Button> {
    journey.model.work.creation().unwrap().buttons()
}
