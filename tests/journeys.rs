//! Whole journeys through the wizard as a pure function: what the user does, what the wizard asks for, where they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by panicking")]

#[path = "journeys/answers.rs"]
mod answers;
#[path = "journeys/asked.rs"]
mod asked;
#[path = "journeys/enter.rs"]
mod enter;
#[path = "support/inventories.rs"]
mod inventories;
#[path = "support/journey.rs"]
mod journey;
#[path = "journeys/keys.rs"]
mod keys;
#[path = "journeys/lists.rs"]
mod lists;
#[path = "support/pair.rs"]
mod pair;
#[path = "journeys/run.rs"]
mod run;
#[path = "journeys/start.rs"]
mod start;
#[path = "support/surveys.rs"]
mod surveys;
#[path = "journeys/vpns.rs"]
mod vpns;

use std::collections::BTreeMap;
use std::time::Duration;

use crossterm::event::KeyCode;
use inventories::*;
use journey::{Journey, KEY};
use osvpn::cloud::{Error, ErrorKind, Id, Status};
use osvpn::engine::handover::KeyOrigin;
use osvpn::engine::{CreateError, Event, Ledger, Made, Origin, Step as Object, Task, Undone, Watched};
use osvpn::plan::fields::PolicyField;
use osvpn::plan::file::PlanFile;
use osvpn::plan::{Half, PeerAddress, Profile};
use osvpn::sign_in::Problem;
use osvpn::wizard::fields::Field;
use osvpn::wizard::picker::Choice;
use osvpn::wizard::progress::{Button, Phase, Progress, TaskState};
use osvpn::wizard::remote::RequestId;
use osvpn::wizard::screen::{Mode, Screen};
use osvpn::wizard::{Content, Effect, Ending, Message, Session, Start, TakenUp, Unfinished};

fn made(half: Half, step: Object) -> Made {
    let region = if half == Half::A { hamilton() } else { porirua() };
    let id = Id::new(format!("{half}-{}", step.object()));
    let (name, task) = (format!("hlz-por_{}", step.object()), Task { half, step });
    Made { task, region, id, name, origin: Origin::Created, external_v4: None, external_v6: None }
}

fn everything() -> Ledger {
    let mut ledger = Ledger::default();
    for half in [Half::A, Half::B] {
        for step in Object::ALL {
            ledger.record(made(half, step));
        }
    }
    ledger
}

fn standing(a: Status, b: Status) -> BTreeMap<Half, Status> {
    [(Half::A, a), (Half::B, b)].into()
}

fn running() -> Journey {
    let mut journey = Journey::at_review();
    journey.enter().at(Screen::Run);
    journey
}

fn buttons(journey: &Journey) -> Vec<Button> {
    journey.model.run.as_ref().unwrap().buttons()
}
