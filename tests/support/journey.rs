//! Walks the wizard without terminal, network or clock: messages in, effects out.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use osvpn::cloud::{Detail, Error, Inventory, RegionId};
use osvpn::engine::DEFAULT_WAIT;
use osvpn::plan::{Finding, Labels, Plan, Profiles, Psk, VpnId};
use osvpn::sign_in::Login;
use osvpn::wizard::screen::Screen;
use osvpn::wizard::{Beginning, Effect, Message, Model, Session, update};

/// A key no generator makes, so that a test can look for it.
pub const KEY: &str = "Kept0nly1nMemory2NeverWritten345";

pub struct Journey {
    pub model: Model,
    pub effects: Vec<Effect>,
}

impl Journey {
    /// Before anything answered.
    pub fn begin() -> Self {
        let (model, effects) = Model::new(Beginning {
            login: Login::Default,
            size: (80, 24),
            profiles: Profiles::built_in().unwrap(),
            labels: Labels::built_in().unwrap(),
            vpn: VpnId::new("0badcafe"),
            psk: Psk::parse(KEY).unwrap(),
            profile: None,
            wait: DEFAULT_WAIT,
        });
        Self { model, effects }
    }

    /// Signed in to a cloud with those regions, none of which has answered yet.
    pub fn signed_in(regions: &[RegionId]) -> Self {
        let mut journey = Self::begin();
        let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!("the wizard signs in first") };
        let session = Session {
            project: "vpn-demo".into(),
            user: "demo".into(),
            source: "cloud rig".into(),
            home: regions.first().cloned(),
            regions: regions.to_vec(),
            ..Session::default()
        };
        journey.send(Message::SignedIn(request, Ok(session)));
        journey
    }

    /// The plan of all answers.
    pub fn plan(&self) -> Result<Box<Plan>, Vec<Finding>> {
        self.model.new_vpn.plan(&self.model.shell.labels)
    }

    pub fn send(&mut self, message: Message) -> &mut Self {
        self.effects.extend(update(&mut self.model, message));
        self
    }

    /// Presses a key that is neither typed nor held: a person looks at the screen before it.
    pub fn key(&mut self, code: KeyCode) -> &mut Self {
        self.passes(1000).at_once(code)
    }

    /// Presses a key right after what came before it.
    pub fn at_once(&mut self, code: KeyCode) -> &mut Self {
        self.send(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    /// Lets so many milliseconds pass.
    pub fn passes(&mut self, milliseconds: u64) -> &mut Self {
        self.send(Message::Tick(self.model.shell.now + Duration::from_millis(milliseconds)))
    }

    pub fn control(&mut self, character: char) -> &mut Self {
        self.send(Message::Key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::CONTROL)))
    }

    pub fn enter(&mut self) -> &mut Self {
        self.key(KeyCode::Enter)
    }

    pub fn esc(&mut self) -> &mut Self {
        self.key(KeyCode::Esc)
    }

    pub fn types(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            self.at_once(KeyCode::Char(character));
        }
        self
    }

    #[track_caller]
    pub fn at(&mut self, step: Screen) -> &mut Self {
        assert_eq!(self.model.screen, step, "{:?}", self.model.shell.notice);
        self
    }

    /// Answers the question for a region's inventory that is still open.
    #[track_caller]
    pub fn discovered(&mut self, region: &RegionId, result: Result<Inventory, Error>) -> &mut Self {
        let place = self.effects.iter().position(|effect| matches!(effect, Effect::Discover(_, id) if id == region));
        let Some(Effect::Discover(request, id)) = place.map(|place| self.effects.remove(place)) else {
            panic!("nobody asked for {region}: {:?}", self.effects)
        };
        self.send(Message::Discovered(id, request, result))
    }

    /// Answers the question for a region's details that is still open.
    #[track_caller]
    pub fn detailed(&mut self, region: &RegionId, result: Result<Detail, Error>) -> &mut Self {
        let place = self.effects.iter().position(|effect| matches!(effect, Effect::Detail(_, id) if id == region));
        let Some(Effect::Detail(request, id)) = place.map(|place| self.effects.remove(place)) else {
            panic!("nobody asked for the details of {region}: {:?}", self.effects)
        };
        self.send(Message::Detailed(id, request, result))
    }

    /// Both regions have answered everything that is asked while the user goes on.
    pub fn ready() -> Self {
        use super::inventories::{hamilton, hamilton_inventory, porirua, porirua_inventory};
        let mut journey = Self::signed_in(&[hamilton(), porirua()]);
        journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
        journey
    }

    /// At the review of a site-to-site VPN, by Enter alone.
    pub fn at_review() -> Self {
        use super::inventories::{hamilton, hamilton_detail, porirua, porirua_detail};
        let mut journey = Self::ready();
        for _ in 0..10 {
            journey.enter();
        }
        journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
        journey.at(Screen::Review);
        journey
    }
}
