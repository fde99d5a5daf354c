//! Walks the wizard without terminal, network or clock: messages in, effects out, the cloud's answers given by hand.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use osvpn::cloud::{Detail, Error, Extensions, Id, Inventory, RegionId};
use osvpn::engine::DEFAULT_WAIT;
use osvpn::inspect::Exposures;
use osvpn::inspect::Vpn;
use osvpn::plan::file::PlanFile;
use osvpn::plan::{Finding, Labels, Plan, Profiles, Psk, VpnId};
use osvpn::sheet::received::Received;
use osvpn::sign_in::{ListedCloud, ListedCloudState, Login, Problem};
use osvpn::view::Theme;
use osvpn::wizard::picker::{Choice, Line, worst};
use osvpn::wizard::remote::RequestId;
use osvpn::wizard::screen::{Mode, Screen};
use osvpn::wizard::{Beginning, Content, Effect, Message, Model, Overview, RegionState, Session, VpnsMessage, update};
use secrecy::ExposeSecret;

use super::front_end::{FrontEnd, note, note_answers, unnoted};
use super::inventories::{hamilton, hamilton_detail, hamilton_inventory, porirua, porirua_detail, porirua_inventory};
use super::surveys::equal_keys;
use super::typist::{self, Typed, Typist};

pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";

/// How long a person looks at something before Enter.
const LOOK: Duration = Duration::from_secs(2);

/// A region without VPNaaS.
pub fn wellington() -> RegionId {
    RegionId::new("nz-wlg-2")
}

/// What a region without VPNaaS has.
pub fn without_vpn() -> Inventory {
    Inventory { extensions: Extensions::new(["router", "quotas"]), ..Inventory::default() }
}

/// Clouds of a clouds.yaml that tell nothing but their names.
pub fn clouds(names: &[&str]) -> Vec<ListedCloud> {
    let unusable = || ListedCloudState::Unusable("it lacks auth.auth_url".to_owned());
    names.iter().map(|name| ListedCloud { name: (*name).to_owned(), state: unusable() }).collect()
}

pub fn session() -> Session {
    Session {
        project: "vpn-demo".to_owned(),
        user: "demo".to_owned(),
        place: "keystone.example:5000".to_owned(),
        home: Some(hamilton()),
        regions: vec![hamilton(), porirua(), wellington()],
        ..Session::default()
    }
}

pub struct Journey {
    pub model: Model,
    /// What was asked for and not answered.
    pub effects: Vec<Effect>,
    /// Whether it is left to the test to answer where routers stand. Else they stand where they did.
    pub keeps_interfaces: bool,
    pub(super) front_end: FrontEnd,
    pub(super) typist: Typist,
    looked: Duration,
}

impl Journey {
    /// Before any answer of the cloud.
    pub fn begun(size: (u16, u16)) -> Self {
        Self::begun_with(size, None, None)
    }

    /// The same with the answers of a plan file.
    pub fn begun_with_plan(plan: PlanFile) -> Self {
        Self::begun_with((80, 24), Some(Box::new(plan)), None)
    }

    /// The same with what the other side has sent.
    pub fn begun_from(text: &str) -> Self {
        Self::begun_with((80, 24), None, Some(Box::new(Received::read(text).unwrap())))
    }

    fn begun_with(size: (u16, u16), plan: Option<Box<PlanFile>>, received: Option<Box<Received>>) -> Self {
        let (model, effects) = Model::new(Beginning {
            login: Login::Default,
            size,
            in_lines: FrontEnd::present() == FrontEnd::Lines,
            profiles: Profiles::built_in().unwrap(),
            labels: Labels::built_in().unwrap(),
            vpn: VpnId::new("0badcafe"),
            psk: Psk::parse(KEY).unwrap(),
            profile: None,
            plan,
            received,
            wait: DEFAULT_WAIT,
        });
        let (front_end, mut typist) = (FrontEnd::present(), Typist::default());
        if front_end == FrontEnd::Lines {
            typist.listen(&model);
        }
        Self { model, effects, keeps_interfaces: false, front_end, typist, looked: Duration::ZERO }
    }

    pub fn begin() -> Self {
        Self::begun((80, 24))
    }

    /// Signed in, with no region read yet.
    pub fn on_screen(size: (u16, u16)) -> Self {
        let mut journey = Self::begun(size);
        journey.answer_sign_in(Ok(session()));
        journey
    }

    /// Signed in to a cloud with those regions, none of which has answered yet, at the first page as it comes.
    pub fn on_first_page(regions: &[RegionId]) -> Self {
        let mut journey = Self::begin();
        let home = regions.first().cloned();
        journey.answer_sign_in(Ok(Session { home, regions: regions.to_vec(), ..session() }));
        journey
    }

    /// The same, with the cursor at the way step by step.
    pub fn signed_in(regions: &[RegionId]) -> Self {
        let mut journey = Self::on_first_page(regions);
        journey.goes_to(&Choice::Mode(Mode::SiteToSite));
        journey
    }

    /// At the first page with what both regions propose.
    pub fn proposing() -> Self {
        let mut journey = Self::on_first_page(&[hamilton(), porirua()]);
        journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
        journey
    }

    /// Moves the cursor of a list to that line.
    #[track_caller]
    pub fn goes_to(&mut self, choice: &Choice) -> &mut Self {
        let Content::List(picker) = self.model.content() else { panic!("a list") };
        let wanted = picker.lines().iter().position(|line| line.choice == *choice);
        let wanted = wanted.unwrap_or_else(|| panic!("{choice:?} is not in {:?}", picker.lines()));
        if self.front_end == FrontEnd::Lines {
            self.typist.points_at(&self.model, wanted);
            return self;
        }
        let at = picker.cursor();
        for _ in 0..at.abs_diff(wanted) {
            self.at_once(if wanted < at { KeyCode::Up } else { KeyCode::Down });
        }
        self
    }

    /// From the first page on, step by step.
    #[track_caller]
    pub fn stepwise(&mut self) -> &mut Self {
        self.goes_to(&Choice::Mode(Mode::SiteToSite)).press("Enter")
    }

    /// From the first page on, for one region and an outside peer.
    #[track_caller]
    pub fn single(&mut self) -> &mut Self {
        self.goes_to(&Choice::Mode(Mode::Single)).press("Enter")
    }

    /// From the first page to the VPNs that exist.
    #[track_caller]
    pub fn lists_vpns(&mut self) -> &mut Self {
        self.goes_to(&Choice::Vpns).press("Enter")
    }

    /// Signed in, with all regions read, one of them without VPNaaS.
    pub fn discovered_on(size: (u16, u16)) -> Self {
        let mut journey = Self::on_screen(size);
        journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
        journey.discovered(&wellington(), Ok(without_vpn()));
        journey
    }

    /// Both regions have answered everything that is asked while the user goes on.
    pub fn ready() -> Self {
        let mut journey = Self::signed_in(&[hamilton(), porirua()]);
        journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
        journey
    }

    /// At the review of a site-to-site VPN, by Enter alone.
    pub fn at_review() -> Self {
        let mut journey = Self::ready();
        for _ in 0..5 {
            journey.enter();
        }
        journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
        journey.at(Screen::Review);
        journey
    }

    /// The plan of all answers.
    pub fn plan(&self) -> Result<Box<Plan>, Vec<Finding>> {
        note_answers(&self.model);
        self.model.new_vpn.plan(&self.model.shell.labels)
    }

    #[track_caller]
    pub fn send(&mut self, message: Message) -> &mut Self {
        if self.front_end == FrontEnd::Lines {
            match message {
                Message::Key(event) => return self.instead_of(&event),
                Message::Paste(text) => {
                    self.typist.pastes(&self.model, text.expose_secret());
                    return self;
                }
                _ => {}
            }
        }
        let mut effects = update(&mut self.model, message);
        if !self.keeps_interfaces {
            let asked: Vec<Effect> =
                effects.extract_if(.., |effect| matches!(effect, Effect::ReadInterfaces(..))).collect();
            for effect in asked {
                let Effect::ReadInterfaces(request, region, routers) = effect else { continue };
                let known = self.model.new_vpn.region(&region).and_then(RegionState::known).unwrap();
                let stands = |id: &Id| known.inventory.router(id).unwrap().interfaces.clone().unwrap_or_default();
                let read = routers.into_iter().map(|id| (id.clone(), stands(&id))).collect();
                effects.extend(update(&mut self.model, Message::InterfacesRead(region, request, Ok(read))));
            }
        }
        note(&effects);
        self.effects.extend(effects);
        if self.front_end == FrontEnd::Lines {
            self.typist.listen(&self.model);
        }
        self
    }

    /// Types what does the same as that key.
    #[track_caller]
    fn instead_of(&mut self, event: &KeyEvent) -> &mut Self {
        for typed in self.typist.typed_for(&self.model, event) {
            match typed {
                Typed::Line(line) => self.type_line(&line),
                Typed::Interrupt => self.quits(),
            }
        }
        self
    }

    /// Answers what was asked last about routers of a region, as that inventory has them.
    #[track_caller]
    pub fn interfaces_read(&mut self, region: &RegionId, result: Result<&Inventory, Error>) -> Vec<Id> {
        let (request, routers) = self.taken("interfaces", |effect| match effect {
            Effect::ReadInterfaces(request, asked, routers) if asked == region => Some((*request, routers.clone())),
            _ => None,
        });
        let read = result.map(|inventory| {
            let stands = |id: &Id| (id.clone(), inventory.router(id).unwrap().interfaces.clone().unwrap());
            routers.iter().map(stands).collect()
        });
        self.send(Message::InterfacesRead(region.clone(), request, read));
        routers
    }

    /// Presses a key that is neither typed nor held: a person looks at the screen before it.
    #[track_caller]
    pub fn key(&mut self, code: KeyCode) -> &mut Self {
        self.passes(1000).at_once(code)
    }

    /// Presses a key right after what came before it.
    #[track_caller]
    pub fn at_once(&mut self, code: KeyCode) -> &mut Self {
        self.send(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    #[track_caller]
    pub fn control(&mut self, character: char) -> &mut Self {
        self.send(Message::Key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::CONTROL)))
    }

    pub fn is_in_lines(&self) -> bool {
        self.front_end == FrontEnd::Lines
    }

    /// Does that where there is a screen.
    pub fn on_a_screen(&mut self, does: impl FnOnce(&mut Self)) -> &mut Self {
        if self.front_end == FrontEnd::Screen {
            unnoted(|| does(self));
        }
        self
    }

    #[track_caller]
    pub fn enter(&mut self) -> &mut Self {
        self.key(KeyCode::Enter)
    }

    /// From the first screen to the peer outside, by what every step offers.
    #[track_caller]
    pub fn at_peer(&mut self) -> &mut Self {
        self.single().to(Screen::Peer)
    }

    #[track_caller]
    pub fn esc(&mut self) -> &mut Self {
        self.key(KeyCode::Esc)
    }

    #[track_caller]
    pub fn types(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            self.at_once(KeyCode::Char(character));
        }
        self
    }

    /// Presses keys, by the names the help has for them. A person looks at what Enter confirms, for as long as a spinner
    /// turns a whole number of times.
    #[track_caller]
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            let event = key_event(key);
            let confirms = self.model.shell.dialog.is_some()
                || !matches!(self.model.content(), Content::List(_) | Content::Form(_))
                    && self.model.screen() != Screen::Vpn;
            if event.code == KeyCode::Enter && confirms {
                self.looked += LOOK;
                self.send(Message::Tick(self.model.shell.now + LOOK));
            }
            self.send(Message::Key(event));
        }
        self
    }

    /// Lets so many milliseconds pass.
    pub fn passes(&mut self, milliseconds: u64) -> &mut Self {
        self.send(Message::Tick(self.model.shell.now + Duration::from_millis(milliseconds)))
    }

    /// That long after the start, not counting what a person took to look.
    pub fn after(&mut self, seconds: f64) -> &mut Self {
        self.send(Message::Tick(self.looked + Duration::from_secs_f64(seconds)))
    }

    #[track_caller]
    pub fn at(&mut self, screen: Screen) -> &mut Self {
        assert_eq!(self.model.screen(), screen, "{:?}", self.model.shell.notice);
        note_answers(&self.model);
        self
    }

    /// What stands beside a line of the list on the screen.
    pub fn reason(&self, line: &Line) -> String {
        worst(&self.model.findings(line)).map(|finding| finding.text.clone()).unwrap_or_default()
    }

    /// Presses Enter until that screen is reached. What the way does not lead to is opened from the review.
    #[track_caller]
    pub fn to(&mut self, screen: Screen) -> &mut Self {
        for _ in 0..20 {
            if self.model.screen() == screen {
                return self;
            }
            if self.model.screen() == Screen::Mode {
                self.goes_to(&Choice::Mode(Mode::SiteToSite));
            }
            let answers = self.model.answer_lines();
            let above = answers.iter().rev().position(|answer| answer.screen == screen);
            if let (Screen::Review, Some(above)) = (self.model.screen(), above) {
                return self.press(&format!("End{} Enter", " Up".repeat(above + 1))).at(screen);
            }
            self.press("Enter").details();
        }
        panic!("Enter alone does not lead to {screen:?}; it stays at {:?}", self.model.screen());
    }

    /// Takes the last effect of a kind.
    #[track_caller]
    pub fn taken<T>(&mut self, what: &str, wanted: impl Fn(&Effect) -> Option<T>) -> T {
        let found = self.effects.iter().enumerate().rev().find_map(|(at, effect)| Some((at, wanted(effect)?)));
        let Some((at, found)) = found else { panic!("nobody asks for {what}: {:?}", self.effects) };
        self.effects.remove(at);
        found
    }

    #[track_caller]
    pub fn answer_sign_in(&mut self, result: Result<Session, Problem>) -> &mut Self {
        let request = self.taken("the sign-in", |effect| match effect {
            Effect::SignIn(request, _) => Some(*request),
            _ => None,
        });
        self.send(Message::SignedIn(request, result)).regions_described(&[])
    }

    /// Answers what Keystone says of its regions, if that is asked.
    pub fn regions_described(&mut self, descriptions: &[(RegionId, &str)]) -> &mut Self {
        let is_asked = |effect: &Effect| match effect {
            Effect::DescribeRegions(request) => Some(*request),
            _ => None,
        };
        let Some(request) = self.effects.iter().find_map(is_asked) else { return self };
        self.effects.retain(|effect| is_asked(effect).is_none());
        let described = descriptions.iter().map(|(region, text)| (region.clone(), (*text).to_owned())).collect();
        self.send(Message::RegionsDescribed(request, described))
    }

    #[track_caller]
    pub fn discovered(&mut self, region: &RegionId, result: Result<Inventory, Error>) -> &mut Self {
        let request = self.taken(region.as_str(), |effect| match effect {
            Effect::Discover(request, asked) if asked == region => Some(*request),
            _ => None,
        });
        self.send(Message::Discovered(region.clone(), request, result))
    }

    #[track_caller]
    pub fn detailed(&mut self, region: &RegionId, result: Result<Detail, Error>) -> &mut Self {
        let request = self.taken("details", |effect| match effect {
            Effect::Detail(request, asked) if asked == region => Some(*request),
            _ => None,
        });
        self.send(Message::Detailed(region.clone(), request, result))
    }

    /// Answers every question about details.
    pub fn details(&mut self) -> &mut Self {
        let asked = self.effects.extract_if(.., |effect| matches!(effect, Effect::Detail(..)));
        for effect in asked.collect::<Vec<_>>() {
            let Effect::Detail(request, region) = effect else { continue };
            let detail = match region.as_str() {
                "nz-hlz-1" => hamilton_detail(),
                "nz-por-1" => porirua_detail(),
                _ => Detail::default(),
            };
            self.send(Message::Detailed(region, request, Ok(detail)));
        }
        self
    }

    /// Answers the read of all regions.
    #[track_caller]
    pub fn inspected(&mut self, seen: Box<Overview>) -> &mut Self {
        let request = self.taken("the regions", |effect| match effect {
            Effect::Inspect(request) => Some(*request),
            _ => None,
        });
        self.send(Message::Vpns(VpnsMessage::Inspected(request, seen)))
    }

    /// The VPN that is to be diagnosed.
    #[track_caller]
    pub fn asked(&mut self) -> (RequestId, Box<Vpn>) {
        self.taken("a diagnosis", |effect| match effect {
            Effect::Diagnose(request, vpn) => Some((*request, vpn.clone())),
            _ => None,
        })
    }

    #[track_caller]
    pub fn diagnosed(&mut self, exposures: Exposures) -> &mut Self {
        let (request, _) = self.asked();
        self.send(Message::Vpns(VpnsMessage::Diagnosed(request, Box::new(equal_keys()), Box::new(exposures))))
    }
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

/// Whether that is in front of the user, in the words of either front end.
pub fn shows(journey: &Journey, on_screen: &str, in_lines: &str) -> bool {
    let text = if journey.front_end == FrontEnd::Lines { in_lines } else { on_screen };
    drawn_text(journey).contains(text)
}

/// The line that Enter would take.
#[track_caller]
pub fn current_line(journey: &Journey) -> Line {
    let Content::List(picker) = journey.model.content() else { panic!("a list") };
    let title = pointed(journey).unwrap();
    let current = picker.current().filter(|line| line.title == title);
    current.or_else(|| picker.lines().iter().find(|line| line.title == title)).unwrap().clone()
}

/// What Enter would take, by its name.
pub fn pointed(journey: &Journey) -> Option<String> {
    journey.typist.pointed(&journey.model)
}

/// What the screen shows, or what is said where there is none.
pub fn drawn_text(journey: &Journey) -> String {
    if journey.front_end == FrontEnd::Lines {
        return typist::page(&journey.model);
    }
    super::drawn::drawn(&journey.model, &Theme::new(true, true)).text
}
