//! Whole journeys through the wizard as a pure function: what the user does, what the wizard asks for, where they are.

mod answers;
mod enter;
mod interfaces;
mod keys;
mod lists;
mod run;
mod sign_in;
mod start;
mod vpns;

use crate::support::{inventories, journey, pair, surveys};
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
use osvpn::wizard::remote::RequestId;
use osvpn::wizard::screen::{Mode, Screen};
use osvpn::wizard::work::{Button, CreationJob, End, Job, Outcome, RowState, Work};
use osvpn::wizard::{Content, Effect, Ending, InterruptedCreation, Message, ResumedCreation, Session, Start};

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
    journey.enter().at(Screen::Work);
    journey
}

fn buttons(journey: &Journey) -> Vec<Button> {
    journey.model.work.creation().unwrap().buttons()
}
