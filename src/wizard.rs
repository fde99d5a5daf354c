//! The wizard as a pure function: a [`Model`], [`Message`]s that change it, [`Effect`]s that come of it. No I/O, no
//! clock, no drawing: the loop in [`crate::tui`] carries out the effects, and [`crate::view`] draws the model.
//!
//! ```text
//! keys, paste, resize ─┐                                   ┌─► view(&Model)
//! answers of the cloud ├─► Message ─► update(&mut Model) ──┤
//! events of the engine ┘                                   └─► Effect ─► the loop
//! ```

pub mod answers;
mod attention;
pub mod carried;
mod changing;
pub mod choices;
pub mod dialog;
pub mod fields;
mod forms;
pub mod keymap;
mod message;
mod navigate;
mod outbox;
pub mod picker;
pub mod progress;
pub mod question;
pub mod remote;
pub mod review;
mod run;
pub mod screen;
mod session;
mod shared_keys;
pub mod takeup;
mod update;
pub mod vpn;
pub mod vpns;

use std::time::Duration;

use crate::cloud::{Detail, Inventory, RegionId};
use crate::engine::change::Direction;
use crate::plan::{Half, Labels, Profiles, VpnId};
use crate::sign_in::{Login, Problem};

use answers::Answers;
use attention::Attention;
use dialog::Dialog;
use fields::Field;
use keymap::Action;
pub use message::{Beginning, Effect, Interrupted, Message, Overview, Session, TakenUp, Unfinished, Which};
use outbox::Outbox;
use picker::Picker;
use progress::Progress;
use question::Asked;
use remote::{Remote, RequestId};
use review::Review;
use screen::{Route, Screen};
use shared_keys::SharedKeys;
use update::scrolled;
pub use update::update;
use vpns::Vpns;

/// The smallest terminal the wizard can be used in, in columns and rows. In a smaller one it shows nothing, and takes no
/// answer.
pub const SMALLEST: (u16, u16) = (60, 18);

/// How long a key stays on the screen in clear.
const REVEALED: Duration = Duration::from_secs(60);

/// One region as far as it is known.
#[derive(Clone, Debug)]
pub struct RegionState {
    /// Which one.
    pub id: RegionId,
    /// What discovery found.
    pub inventory: Remote<Inventory>,
    /// What was read once it was chosen.
    pub detail: Remote<Detail>,
    /// When the oldest of that was asked for, by [`Model::now`].
    pub as_of: Duration,
}

/// What happens before the first question.
#[derive(Clone, Debug)]
pub enum Start {
    /// Waiting for Keystone.
    SigningIn {
        /// Which answer is waited for.
        request: RequestId,
        /// Since when, by [`Model::now`].
        since: Duration,
    },
    /// clouds.yaml has several clouds, and one has to be chosen.
    Choosing,
    /// There is no sign-in, and why.
    Problem(Problem),
    /// Signed in.
    Ready(Session),
}

/// What the current step keeps for its screen.
#[derive(Clone, Debug)]
pub enum Content {
    /// A list to choose from.
    List(Picker),
    /// Fields to fill in.
    Form(Form),
    /// The review.
    Review(Review),
    /// The engine at work.
    Run,
    /// One VPN that exists; its state is in [`Model::vpns`].
    Vpn,
    /// A change of it at work.
    Change,
}

/// A form's own state; the texts are in [`Answers`].
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Its fields, in order.
    pub fields: Vec<Field>,
    /// The field being edited.
    pub focus: usize,
    /// Fields whose text was found wrong; they are checked again at every key.
    pub blamed: Vec<Field>,
}

/// A line for the user that goes away with the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// Whether it is about something that went wrong.
    pub is_problem: bool,
}

/// How the wizard ended; what is printed and returned afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Before anything was made.
    Left,
    /// After a run or a change; their state is in [`Model::run`] and [`Model::vpns`].
    AfterRun,
}

/// The whole state of the wizard.
#[derive(Debug)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Time since the start; it moves only with [`Message::Tick`].
    pub now: Duration,
    /// How the session stands.
    pub start: Start,
    /// Which cloud it is for.
    pub login: Login,
    /// Every region, sorted.
    pub regions: Vec<RegionState>,
    /// What people call the regions.
    pub labels: Labels,
    /// The ready-made policies.
    pub profiles: Profiles,
    /// Everything answered.
    pub answers: Answers,
    /// The current step.
    pub screen: Screen,
    /// What the current step keeps for its screen.
    pub content: Content,
    /// A question before everything else.
    pub dialog: Option<Dialog>,
    /// What the sign-in asks, before even that.
    pub question: Option<Asked>,
    /// A line that goes away with the next key.
    pub notice: Option<Notice>,
    /// The answer that is changed from the review; accepting a step returns there.
    pub returning: Option<Screen>,
    /// The id of the VPN to be made.
    pub vpn: VpnId,
    /// The keys it has to share with connections that exist.
    shared_keys: SharedKeys,
    /// The run, once it has begun.
    pub run: Option<Progress>,
    /// The VPNs that exist.
    pub vpns: Vpns,
    /// How long a run waits for ACTIVE.
    pub wait: Duration,
    /// The clouds of clouds.yaml, when one had to be chosen.
    pub clouds: Vec<String>,
    /// Set when the wizard is over.
    pub ending: Option<Ending>,
    /// How far the screen's text is scrolled, in lines; a dialog has its own.
    pub scroll: u16,
    /// How far what is on top can be scrolled, as the last drawing found.
    pub scroll_limit: u16,
    /// Whether the screen must be drawn anew from nothing.
    pub repaint: bool,
    /// The answer about a run that was cut off that is waited for, and what it is for.
    taking_up: Option<(RequestId, Direction)>,
    attention: Attention,
    /// Since when a key is shown in clear.
    revealed: Option<Duration>,
    out: Outbox,
}

impl Model {
    /// The wizard before anything happened, and what to do first.
    #[must_use]
    pub fn new(beginning: Beginning) -> (Self, Vec<Effect>) {
        let mut answers = Answers::new(beginning.profiles.modern.clone());
        answers.key = fields::SecretText::generated(&beginning.psk);
        answers.profile = beginning.profile;
        let mut model = Self {
            size: beginning.size,
            now: Duration::ZERO,
            start: Start::Choosing,
            login: beginning.login,
            regions: Vec::new(),
            labels: beginning.labels,
            profiles: beginning.profiles,
            answers,
            screen: Screen::Mode,
            content: Content::List(Picker::default()),
            dialog: None,
            question: None,
            notice: None,
            returning: None,
            vpn: beginning.vpn,
            shared_keys: SharedKeys::default(),
            run: None,
            vpns: Vpns::default(),
            wait: beginning.wait,
            clouds: Vec::new(),
            ending: None,
            scroll: 0,
            scroll_limit: 0,
            repaint: false,
            taking_up: None,
            attention: Attention::default(),
            revealed: None,
            out: Outbox::default(),
        };
        model.enter(Screen::Mode);
        model.sign_in();
        let effects = model.out.take();
        (model, effects)
    }

    /// What decides which steps there are, now.
    #[must_use]
    pub fn route(&self) -> Route {
        let custom = self.profile() == crate::plan::Profile::Custom;
        Route { mode: self.answers.mode, custom, clouds: !self.clouds.is_empty() }
    }

    /// The step Esc leads to.
    #[must_use]
    pub fn previous_step(&self) -> Option<Screen> {
        match self.screen {
            Screen::Vpns => Some(Screen::Mode),
            Screen::Vpn => Some(Screen::Vpns),
            Screen::NewSubnets(Half::A) | Screen::NewKey => Some(Screen::Vpn),
            Screen::MissingKey => Some(Screen::Change),
            Screen::NewSubnets(Half::B) | Screen::NewRanges => Some(Screen::NewSubnets(Half::A)),
            _ if self.returning.is_some() => Some(Screen::Review),
            step => self.route().previous(step),
        }
    }

    /// Whether the simulated cloud can be offered instead.
    #[must_use]
    pub fn can_demo(&self) -> bool {
        self.login != Login::Demo
    }

    /// Whether something moves, so that time should pass.
    #[must_use]
    pub fn is_animating(&self) -> bool {
        let loading = |region: &RegionState| region.inventory.is_loading() || region.detail.is_loading();
        matches!(self.start, Start::SigningIn { .. })
            || self.regions.iter().any(loading)
            || self.run.as_ref().is_some_and(|run| run.is_working() || run.verifying)
            || self.vpns.is_animating()
            || self.revealed.is_some()
    }

    /// Whether the terminal is too small to show anything.
    #[must_use]
    pub const fn is_too_small(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    /// Shows no key in clear any more.
    fn hide_keys(&mut self) {
        self.revealed = None;
        self.answers.key.is_revealed = false;
        self.vpns.missing_key.is_revealed = false;
        if let Some(open) = &mut self.vpns.open {
            open.key.is_revealed = false;
        }
    }

    /// The session, once signed in.
    #[must_use]
    pub const fn session(&self) -> Option<&Session> {
        match &self.start {
            Start::Ready(session) => Some(session),
            _ => None,
        }
    }

    /// A region's state.
    #[must_use]
    pub fn region(&self, id: &RegionId) -> Option<&RegionState> {
        self.regions.iter().find(|region| region.id == *id)
    }

    /// The state of a half's region.
    #[must_use]
    pub fn region_of(&self, half: Half) -> Option<&RegionState> {
        self.answers.region.get(half).as_ref().and_then(|id| self.region(id))
    }

    /// What a half's region is called; `region A` before it is chosen.
    #[must_use]
    pub fn place(&self, half: Half) -> String {
        self.answers.region.get(half).as_ref().map_or_else(|| format!("region {half}"), |id| self.labels.name(id))
    }

    /// Scrolls the screen's text, as far as there is more.
    fn scroll(&mut self, action: Action) {
        let page = self.page();
        scrolled(&mut self.scroll, action, page, self.scroll_limit);
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), is_problem: false });
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), is_problem: true });
    }

    /// How many rows a page of a list has: the screen without header, footer and what stands around the list.
    fn page(&self) -> isize {
        isize::try_from(self.size.1.saturating_sub(12).max(1)).unwrap_or(1)
    }
}
