//! The wizard as a pure function: a [`Model`], [`Message`]s that change it, [`Effect`]s that come of it. No I/O, no
//! clock, no drawing: the loop in [`crate::tui`] carries out the effects, and [`crate::view`] draws the model.
//!
//! ```text
//! keys, paste, resize ─┐                                   ┌─► view(&Model)
//! answers of the cloud ├─► Message ─► update(&mut Model) ──┤
//! events of the engine ┘                                   └─► Effect ─► the loop
//! ```
//!
//! The model has parts: the [`Shell`] around every screen, a [`NewVpn`], [`YourVpns`], and the [`work::Work`] of the engine.
//! A part handles what is its own; the model has it done, and goes from screen to screen. Each [`screen::Screen`] and each
//! [`fields::Field`] is described once, in its module.

pub mod answers;
mod attention;
mod bell;
mod beside;
mod choices;
pub mod dialog;
pub mod fields;
mod forms;
pub mod gesture;
mod interfaces;
mod interrupted;
mod kept_enter;
pub mod keymap;
pub mod lacks;
mod lists;
mod message;
mod navigate;
mod new_vpn;
mod objects;
mod only_candidate;
mod outbox;
pub mod picker;
mod prefill;
mod proposals;
mod received;
pub mod remote;
pub mod review;
pub mod screen;
pub mod secret_text;
mod session;
mod shared_keys;
pub mod sheet;
mod shell;
pub mod sign_in_question;
mod stopping;
mod system;
mod update;
mod upgrade_first;
pub mod vpns;
pub mod work;
mod working;

use std::iter;

use crate::plan::Half;

pub use forms::Form;
pub use message::{Beginning, Effect, Message, Order, Overview, ResumedCreation, Session, VpnsMessage, Which};
pub use new_vpn::{NewVpn, RegionState};
use picker::{Choice, Picker};
use review::Review;
use screen::Screen;
use sheet::SheetPage;
pub use shell::{Ending, Notice, SMALLEST, Shell, Start};
pub use update::update;
use vpns::YourVpns;
use work::WorkList;

/// What the screen keeps besides the parts of the model.
#[derive(Clone, Debug)]
pub enum Content {
    List(Picker),
    /// Fields to fill in.
    Form(Form),
    Review(Review),
    None,
}

/// The whole state of the wizard.
#[derive(Debug)]
pub struct Model {
    /// What surrounds every screen.
    pub shell: Shell,
    pub new_vpn: NewVpn,
    /// The VPNs that exist.
    pub vpns: YourVpns,
    /// What the engine does, and what it has done.
    pub work: WorkList,
    pub sheet: SheetPage,
    screen: Screen,
    content: Content,
    kept_enter: Option<kept_enter::KeptEnter>,
}

impl Model {
    /// The wizard before anything happened, and what to do first.
    #[must_use]
    pub fn new(beginning: Beginning) -> (Self, Vec<Effect>) {
        let mut model = Self {
            shell: Shell::new(&beginning),
            new_vpn: NewVpn::new(beginning),
            vpns: YourVpns::default(),
            work: WorkList::default(),
            sheet: SheetPage::default(),
            screen: Screen::Mode,
            content: Content::None,
            kept_enter: None,
        };
        model.enter(Screen::Mode);
        model.shell.sign_in();
        let effects = model.shell.out.take();
        (model, effects)
    }

    pub const fn screen(&self) -> Screen {
        self.screen
    }

    /// What the screen keeps.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// What decides which screens there are, now.
    pub fn route(&self) -> screen::Route {
        self.new_vpn.route(&self.shell)
    }

    /// The screen Esc leads to.
    pub fn previous_screen(&self) -> Option<Screen> {
        match self.screen {
            Screen::Values => return Some(Screen::Custom),
            Screen::Sheet => return self.sheet.from(),
            Screen::SheetFormat => return Some(Screen::Sheet),
            Screen::Paste => return Some(Screen::Peer),
            Screen::System if self.new_vpn.returning != Some(Screen::System) => return Some(Screen::Peer),
            Screen::Received => return Some(self.new_vpn.before_received()),
            _ => {}
        }
        if self.new_vpn.returning.is_some() && !self.screen.is_of_existing() {
            return Some(Screen::Review);
        }
        // Whoever took a whole VPN was asked nothing in between.
        if self.screen == Screen::Review && matches!(self.new_vpn.begun_with, None | Some(Choice::Proposal(..))) {
            return Some(Screen::Mode);
        }
        let route = self.route();
        let before = iter::successors(route.previous(self.screen), |screen| route.previous(*screen));
        // Where there was nothing to choose, nobody was.
        before.into_iter().find(|screen| !self.new_vpn.only_candidate.contains_key(screen))
    }

    /// Whether something moves, so that time should pass.
    pub fn is_animating(&self) -> bool {
        matches!(self.shell.start, Start::SigningIn { .. })
            || self.new_vpn.regions.iter().any(|region| region.is_loading() || region.is_reading_interfaces())
            || self.work.is_animating()
            || self.vpns.is_animating()
            || self.shell.is_revealed()
    }

    /// The name of a half's region; `region A` before it is chosen.
    pub fn place(&self, half: Half) -> String {
        self.new_vpn.place(half, &self.shell.labels)
    }
}
