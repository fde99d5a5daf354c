//! Every screen in its states, drawn at two sizes and kept as text. `SCREENS_TO=DIR` also writes each as a picture.

mod dialogs_and_sizes;
mod first_page;
mod forms;
mod in_lines;
mod lists;
mod review;
mod run;
mod sign_in;
mod start;
mod styles;
mod upgrades;
mod vpns;

use crate::support::{drawn, inventories, journey, pair, runs, surveys, svg};
use drawn::{Drawn, drawn};
use inventories::*;
use journey::{Journey, session, wellington};
use osvpn::cloud::{Detail, Error, ErrorKind, Id, Inventory, Quota, Status};
use osvpn::engine::interruption::State;
use osvpn::engine::{ChangeError, Changed, Course, End, Event, Watched};
use osvpn::inspect::Exposures;
use osvpn::plan::Half;
use osvpn::sign_in::{ListedCloud, ListedCloudState, Login, Problem};
use osvpn::view::Theme;
use osvpn::wizard::screen::Screen;
use osvpn::wizard::{Effect, Message, Session, Which};
use ratatui::style::Modifier;
use runs::{Run, begun, cut_off_change, cut_off_creation};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);
const COLOR: Theme = Theme::new(true, true);

/// Draws a screen at both sizes and compares it with what it was. Whatever a screen shows, it must say the same without
/// colour, and in ASCII alone if the names in it are ASCII.
fn screen(name: &str, journey: &mut Journey) {
    for (columns, rows) in [SMALL, LARGE] {
        journey.send(Message::Resize(columns, rows));
        kept(&format!("{name}@{columns}x{rows}"), journey);
    }
}

/// The same at the smallest size and at a large one, too.
fn screen_at_every_size(name: &str, journey: &mut Journey) {
    screen(name, journey);
    for (columns, rows) in [(200, 60), (60, 18)] {
        journey.send(Message::Resize(columns, rows));
        kept(&format!("{name}@{columns}x{rows}"), journey);
    }
}

/// Compares a screen with what it was, in `tests/snapshots`.
fn kept(name: &str, journey: &Journey) {
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, look(name, journey).text);
    });
}

fn look(name: &str, journey: &Journey) -> Drawn {
    let here = drawn(&journey.model, &COLOR);
    assert_eq!(here.text, drawn(&journey.model, &Theme::new(false, true)).text, "{name} says more in colour");
    let ascii = drawn(&journey.model, &Theme::new(true, false)).text;
    assert!(name.contains("wide") || ascii.is_ascii(), "{name} is not ASCII:\n{ascii}");
    if let Ok(directory) = std::env::var("SCREENS_TO") {
        let picture = svg::draw(&here.buffer, here.cursor, &svg::DARK);
        std::fs::write(format!("{directory}/{name}.svg"), picture).unwrap();
    }
    here
}

fn at(step: Screen) -> Journey {
    let mut journey = Journey::discovered_on(SMALL);
    journey.to(step);
    journey
}

fn unreachable() -> Error {
    let mut error = Error::new(ErrorKind::Unreachable, "no connection to network.nz-hlz-1.example:9696: refused");
    error.region = Some(hamilton());
    error.request = Some("GET /v2.0/routers".to_owned());
    error
}

fn server_error() -> Error {
    let mut error =
        Error::new(ErrorKind::Server, "Request Failed: internal server error while processing your request.");
    error.region = Some(porirua());
    error.request = Some("POST /v2.0/vpn/ikepolicies".to_owned());
    error.status = Some(500);
    error.neutron_type = Some("HTTPInternalServerError".to_owned());
    error.request_id = Some("req-4f6f3f36-1f0b-4e6a-9a57-9a3a5a3f8f11".to_owned());
    error
}
