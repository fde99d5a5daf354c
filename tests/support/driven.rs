//! A wizard driven by messages, as the loop would drive it, with the cloud's answers given by hand.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use osvpn::cloud::{Detail, Error, Extensions, Inventory, RegionId};
use osvpn::plan::{Labels, Profiles, Psk, VpnId};
use osvpn::sign_in::{Login, Problem};
use osvpn::wizard::screen::Screen;
use osvpn::wizard::{Beginning, Content, Effect, Message, Model, Session, update};

use super::inventories::{hamilton, hamilton_detail, hamilton_inventory, porirua, porirua_detail, porirua_inventory};

pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";

/// A region without VPNaaS.
pub fn wellington() -> RegionId {
    RegionId::new("nz-wlg-2")
}

/// How long a person looks at something before Enter.
const LOOK: Duration = Duration::from_secs(2);

pub struct Driven {
    pub model: Model,
    pub effects: Vec<Effect>,
    looked: Duration,
}

impl Driven {
    /// Before any answer of the cloud.
    pub fn begun(size: (u16, u16)) -> Self {
        let (model, effects) = Model::new(Beginning {
            login: Login::Default,
            size,
            profiles: Profiles::built_in().unwrap(),
            labels: Labels::built_in().unwrap(),
            vpn: VpnId::new("0badcafe"),
            psk: Psk::parse(KEY).unwrap(),
            profile: None,
            wait: Duration::from_secs(300),
        });
        Self { model, effects, looked: Duration::ZERO }
    }

    /// Signed in, with no region read yet.
    pub fn signed_in(size: (u16, u16)) -> Self {
        let mut journey = Self::begun(size);
        journey.answer_sign_in(Ok(session()));
        journey
    }

    /// Signed in, with all regions read.
    pub fn discovered(size: (u16, u16)) -> Self {
        let mut journey = Self::signed_in(size);
        journey.discover(&hamilton(), Ok(hamilton_inventory()));
        journey.discover(&porirua(), Ok(porirua_inventory()));
        journey.discover(&wellington(), Ok(without_vpn()));
        journey
    }

    pub fn send(&mut self, message: Message) -> &mut Self {
        let effects = update(&mut self.model, message);
        self.effects.extend(effects);
        self
    }

    /// Presses keys, by the names the help has for them. A person looks at what Enter confirms, for as long as a spinner
    /// turns a whole number of times.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            let event = key_event(key);
            let confirms = self.model.shell.dialog.is_some()
                || !matches!(self.model.content, Content::List(_) | Content::Form(_))
                    && self.model.screen != Screen::Vpn;
            if event.code == KeyCode::Enter && confirms {
                self.looked += LOOK;
                self.send(Message::Tick(self.model.shell.now + LOOK));
            }
            self.send(Message::Key(event));
        }
        self
    }

    pub fn types(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            self.send(Message::Key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE)));
        }
        self
    }

    /// That long after the start, not counting what a person took to look.
    pub fn at(&mut self, seconds: f64) -> &mut Self {
        self.send(Message::Tick(self.looked + Duration::from_secs_f64(seconds)))
    }

    pub fn answer_sign_in(&mut self, result: Result<Session, Problem>) -> &mut Self {
        let request = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::SignIn(request, _) => Some(*request),
            _ => None,
        });
        self.send(Message::SignedIn(request.expect("nobody asked to sign in"), result))
    }

    /// Answers the last question about a region.
    pub fn discover(&mut self, region: &RegionId, result: Result<Inventory, Error>) -> &mut Self {
        let request = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Discover(request, asked) if asked == region => Some(*request),
            _ => None,
        });
        self.send(Message::Discovered(region.clone(), request.expect("nobody asked for the region"), result))
    }

    /// Answers the last question about a region's details.
    pub fn detail(&mut self, region: &RegionId, result: Result<Detail, Error>) -> &mut Self {
        let request = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Detail(request, asked) if asked == region => Some(*request),
            _ => None,
        });
        self.send(Message::Detailed(region.clone(), request.expect("nobody asked for the details"), result))
    }

    /// Answers every question about details that was asked.
    pub fn details(&mut self) -> &mut Self {
        let asked: Vec<_> = self
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Detail(request, region) => Some((*request, region.clone())),
                _ => None,
            })
            .collect();
        for (request, region) in asked {
            let detail = match region.as_str() {
                "nz-hlz-1" => hamilton_detail(),
                "nz-por-1" => porirua_detail(),
                _ => Detail::default(),
            };
            self.send(Message::Detailed(region, request, Ok(detail)));
        }
        self
    }

    /// Presses Enter until that step is on the screen.
    #[track_caller]
    pub fn to(&mut self, step: Screen) -> &mut Self {
        for _ in 0..20 {
            if self.model.screen == step {
                return self;
            }
            self.press("Enter").details();
        }
        panic!("Enter alone does not lead to {step:?}; it stays at {:?}", self.model.screen);
    }
}

pub fn session() -> Session {
    Session {
        project: "vpn-demo".to_owned(),
        user: "demo".to_owned(),
        source: "OS_* variables".to_owned(),
        is_demo: false,
        home: Some(hamilton()),
        regions: vec![hamilton(), porirua(), wellington()],
        descriptions: Vec::new(),
        warnings: Vec::new(),
        creations: Vec::new(),
        changes: Vec::new(),
    }
}

/// What a region without VPNaaS has.
pub fn without_vpn() -> Inventory {
    Inventory { extensions: Extensions::new(["router", "quotas"]), ..Inventory::default() }
}

fn key_event(name: &str) -> KeyEvent {
    if let Some(character) = name.strip_prefix("Ctrl-").and_then(|rest| rest.chars().next()) {
        return KeyEvent::new(KeyCode::Char(character.to_ascii_lowercase()), KeyModifiers::CONTROL);
    }
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Shift-Tab" => KeyCode::BackTab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "Backspace" => KeyCode::Backspace,
        "F1" => KeyCode::F(1),
        "Space" => KeyCode::Char(' '),
        other => KeyCode::Char(other.chars().next().expect("a key has a name")),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}
