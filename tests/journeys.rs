//! Whole journeys through the wizard as a pure function: what the user does, what the wizard asks for, where they are.

/// Journeys that are made in both front ends.
macro_rules! in_both {
    ($($journey:ident),+ $(,)?) => {
        mod in_both {
            $(#[test]
            fn $journey() {
                crate::support::front_end::in_both(super::$journey);
            })+
        }
    };
}

/// Journeys that only a screen has, each with the reason.
macro_rules! on_a_screen {
    ($($journey:ident: $why:literal),+ $(,)?) => {
        mod on_a_screen {
            $(#[test]
            fn $journey() {
                super::$journey();
            })+
        }
    };
}

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
mod received;
mod requests;
mod run;
mod sheets;
mod short_way;
mod sign_in;
mod start;
mod upgrades;
mod vpns;

use crate::support::{inventories, journey, pair, runs, surveys};
use std::collections::BTreeMap;
use std::time::Duration;

use crossterm::event::KeyCode;
use inventories::*;
use journey::{Journey, KEY, drawn_text, session, shows};
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

/// How many journeys only a screen has.
const ONLY_ON_A_SCREEN: usize = 17;

#[test]
fn every_journey_is_made_in_both_front_ends_but_the_few_that_only_a_screen_has() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journeys");
    let mut counts = [0, 0];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("#[test]"), "{}: a journey stands in in_both! or in on_a_screen!", path.display());
        for (count, list) in counts.iter_mut().zip(["in_both! {", "on_a_screen! {"]) {
            let listed = text.lines().skip_while(|line| *line != list).skip(1).take_while(|line| *line != "}");
            *count += listed.filter(|line| line.trim_end().ends_with(',')).count();
        }
    }
    let [both, only] = counts;
    println!("{both} journeys in both front ends, {only} on a screen alone");
    assert!(only <= ONLY_ON_A_SCREEN && both >= 130, "{both} in both, {only} on a screen alone");
}
