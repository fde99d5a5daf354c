//! The screens of the wizard. Each is described here, once: its name, heading, help, what it asks for and what its answer
//! says; and one table has their order.

use itertools::Itertools;

use super::fields::Field;
use super::vpns::Intent;
use super::work::Work;
use super::{Model, Start};
use crate::change::Sas;
use crate::inspect::diagnosis::agents_report;
use crate::plan::psk::KeyOrigin;
use crate::plan::psk::psk_rule;
use crate::plan::{Half, Place};
use crate::sign_in::Login;

/// One screen of the wizard that asks, shows or works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    Cloud,
    Mode,
    Region(Half),
    Router(Half),
    Subnets(Half),
    Peer,
    Key,
    Policy,
    Custom,
    Name,
    Review,
    Work,
    Vpns,
    Vpn,
    NewSubnets(Half),
    NewRanges,
    NewKey,
    MissingKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    SiteToSite,
    Single,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    List,
    /// Fields to fill in, and what Enter does once nothing is wrong with them.
    Form(&'static [Field], fn(&mut Model)),
    PolicyForm,
    Review,
    Vpn,
    Work,
}

/// The description of a screen. Where it is of no half, the functions are given [`Half::A`].
pub(crate) struct ScreenText {
    /// In the rail, and where the review names the answer.
    name: &'static str,
    heading: fn(&Model, Half) -> String,
    help: &'static [&'static str],
    pub(crate) kind: Kind,
    /// Above a list that needs no other words.
    pub(crate) note: &'static str,
    answer: fn(&Model, Half) -> String,
    is_answered: fn(&Model, Half) -> bool,
    /// Why the answer is what it is, where the user did not choose it.
    source: fn(&Model) -> Option<String>,
}

/// A list that is no question about a new VPN.
const PLAIN: ScreenText = ScreenText {
    name: "",
    heading: |_, _| String::new(),
    help: &[],
    kind: Kind::List,
    note: "",
    answer: |_, _| String::new(),
    is_answered: |_, _| false,
    source: |_| None,
};

const CLOUD: ScreenText = ScreenText {
    name: "Cloud",
    heading: |_, _| "Which cloud of clouds.yaml?".to_owned(),
    help: &["Your clouds.yaml names several clouds. Choose the one to work in, or start with --cloud NAME."],
    note: "--cloud NAME answers this beforehand.",
    answer: |model, _| match &model.shell.login {
        Login::Named(name) => name.clone(),
        Login::Demo => "demo".to_owned(),
        Login::Default => String::new(),
    },
    is_answered: |_, _| true,
    ..PLAIN
};

const MODE: ScreenText = ScreenText {
    name: "Mode",
    heading: |_, _| "What should be connected?".to_owned(),
    help: &[
        "Site-to-site connects two regions of this project; osvpn creates both halves.",
        "Single creates the half in one region; the other end is an external peer, for instance an office firewall.",
        "Your VPNs lists all VPNs of the project, including those not created by osvpn: the status of each, why one is \
         down, and what you can do.",
    ],
    answer: |model, _| match model.new_vpn.answers.mode {
        Mode::SiteToSite => "site-to-site".to_owned(),
        Mode::Single => "single".to_owned(),
    },
    is_answered: |_, _| true,
    ..PLAIN
};

const REGION: ScreenText = ScreenText {
    name: "Region",
    heading: |model, half| match (half, model.new_vpn.answers.mode) {
        (Half::A, Mode::SiteToSite) => "Which is the first region?".to_owned(),
        (Half::A, Mode::Single) => "Which region?".to_owned(),
        (Half::B, _) => format!("Which region is {} connected with?", model.place(Half::A)),
    },
    help: &[
        "All regions of the catalogue with a network service are read at once. A region without VPNaaS, or one that \
             does not answer, is shown with the reason; the others go on.",
    ],
    answer: |model, half| {
        let region = model.new_vpn.answers.region.get(half);
        region.as_ref().map_or_else(String::new, |id| model.shell.labels.name(id))
    },
    is_answered: |model, half| {
        let region = &model.new_vpn.answers.region;
        region.get(half).is_some() && (half == Half::A || region.a != region.b)
    },
    ..PLAIN
};

const ROUTER: ScreenText = ScreenText {
    name: "Router",
    heading: |model, half| format!("Which router of {}?", model.place(half)),
    help: &[
        "The VPN ends on a router with an external gateway; its external address is what the other end connects to.",
        "A router can hold one VPN service only. An existing one is reused; a legacy one cannot be.",
    ],
    note: "The other end connects to its external address.",
    answer: |model, half| {
        let router = model.new_vpn.answers.router_of(half);
        let router = router.and_then(|id| model.new_vpn.inventory_of(half)?.router(id));
        router.map_or_else(String::new, |router| router.name.clone())
    },
    is_answered: |model, half| model.new_vpn.answers.router_of(half).is_some(),
    ..PLAIN
};

const SUBNETS: ScreenText = ScreenText {
    name: "Subnets",
    heading: |model, half| format!("Which subnets of {}?", model.place(half)),
    help: &[
        "Only these subnets are reachable from the other side, and only from the ranges chosen there. Enter takes \
             the one at the cursor or, once Space has marked some, those. Ranges that exist on both sides are refused: \
             they cannot be told apart.",
    ],
    answer: |model, half| {
        let inventory = model.new_vpn.inventory_of(half);
        let subnets = model.new_vpn.answers.subnets_of(half).iter().filter_map(|id| inventory?.subnet(id));
        subnets.map(|subnet| subnet.cidr).join(", ")
    },
    is_answered: |model, half| !model.new_vpn.answers.subnets_of(half).is_empty(),
    ..PLAIN
};

const PEER: ScreenText = ScreenText {
    name: "Peer",
    heading: |_, _| "Who is the external peer?".to_owned(),
    help: &[
        "Address: where the peer answers. Id: how it identifies itself, nearly always its address; ask its owner if \
             it is behind NAT. CIDRs: the networks behind it, separated by commas.",
    ],
    kind: Kind::Form(&[Field::PeerAddress, Field::PeerId, Field::PeerCidrs], Model::advance),
    answer: |model, _| {
        let cidrs = model.new_vpn.answers.peer_cidrs.value().trim();
        let address = model.new_vpn.answers.peer_address.value().trim();
        if cidrs.is_empty() { address.to_owned() } else { format!("{address}, {cidrs}") }
    },
    ..PLAIN
};

const KEY: ScreenText = ScreenText {
    name: "Key",
    heading: |_, _| "The pre-shared key".to_owned(),
    help: &[concat!(
        "The pre-shared key is the shared password of both ends: ",
        psk_rule!(),
        ". A new one has been generated for you. Type or paste to use your own. Keep it like a password, and never in \
         version control."
    )],
    kind: Kind::Form(&[Field::Key], Model::advance),
    answer: |model, _| model.key_text(),
    ..PLAIN
};

const POLICY: ScreenText = ScreenText {
    name: "Policy",
    heading: |_, _| "Which policy?".to_owned(),
    help: &["The policies say how the two ends encrypt; both ends must agree. catalyst has the values of Catalyst \
             Cloud's guide, modern has IKEv2 and SHA-256, custom opens every field."],
    note: "How both ends encrypt; they must agree.",
    answer: |model, _| model.new_vpn.profile().as_str().to_owned(),
    is_answered: |_, _| true,
    source: |model| {
        let recommended = || model.new_vpn.recommended().1.unwrap_or_else(|| "the guide's values".to_owned());
        model.new_vpn.answers.profile.is_none().then(recommended)
    },
    ..PLAIN
};

const CUSTOM: ScreenText = ScreenText {
    name: "Fields",
    heading: |_, _| "The policy, field by field".to_owned(),
    help: &["Left and right change a value; digits are typed. What is wrong with a value is shown next to it."],
    kind: Kind::PolicyForm,
    answer: |model, _| model.new_vpn.answers.custom.ike_text(),
    ..PLAIN
};

const NAME: ScreenText = ScreenText {
    name: "Name",
    heading: |_, _| "The name of the VPN".to_owned(),
    help: &["All objects are named after it: NAME_vpn_service, NAME_ike_policy and so on. Names need not be unique."],
    kind: Kind::Form(&[Field::Name], Model::advance),
    answer: |model, _| model.new_vpn.name_text(),
    source: |model| model.new_vpn.answers.name.is_none().then(|| "suggested".to_owned()),
    ..PLAIN
};

const REVIEW: ScreenText = ScreenText {
    name: "Review",
    heading: |model, _| format!("Review of {}", model.new_vpn.name_text()),
    help: &[
        "Nothing exists yet. Enter on Create creates it; Enter on a line goes back to that answer and returns here.",
        "s saves the answers as a plan for `osvpn apply`, without the key.",
    ],
    kind: Kind::Review,
    ..PLAIN
};

const WORK: ScreenText = ScreenText {
    name: "Create",
    heading: |model, _| model.work.current.as_ref().map_or_else(String::new, Work::heading),
    help: &[concat!(
        "Services come first, because their addresses are the peer addresses, then policies and endpoint groups, then \
         both connections. A service alone stays PENDING_CREATE, and connection A is DOWN until connection B exists: \
         both are normal. ACTIVE may show late: ",
        agents_report!(),
        "."
    )],
    kind: Kind::Work,
    is_answered: |model, _| model.work.creation().is_some(),
    ..PLAIN
};

const RUN_OF_ONE: &[&str] = &[concat!(
    "The service comes first, because its address is what the peer connects to, then policies and endpoint groups, then \
     the connection. It stays DOWN until the peer is set up with the values for its owner: that is normal. ACTIVE may \
     show late: ",
    agents_report!(),
    "."
)];

const VPNS: ScreenText = ScreenText {
    name: "VPNs",
    heading: |_, _| "Your VPNs".to_owned(),
    help: &[
        "Every connection of the project, in all regions. Two that point at each other are one VPN. A connection whose \
         other half is missing and one to an external peer are shown as such.",
        "The line about public keys finds every VPN that still has the key create-vpn.sh gave to everybody, and \
         replaces it in all of them after one question.",
        "The last line has unused objects: they keep subnets and routers from being deleted.",
    ],
    ..PLAIN
};

const VPN: ScreenText = ScreenText {
    name: "VPN",
    heading: |model, _| model.vpns.open.as_ref().map_or_else(String::new, |open| open.name.clone()),
    help: &[
        "A status of ACTIVE does not prove that traffic flows, and DOWN does not say why. osvpn compares both halves \
         field by field; the likeliest cause comes first. A digit chooses another one to fix.",
        "Keys are compared in memory and never shown. Everything that changes something shows its steps and asks first. \
         The statuses are read every few seconds.",
    ],
    kind: Kind::Vpn,
    ..PLAIN
};

const NEW_SUBNETS: ScreenText = ScreenText {
    name: "Subnets",
    heading: |model, half| {
        let place = model.vpns.vpn().and_then(|vpn| vpn.side(half)).map(|side| model.shell.labels.name(&side.region));
        format!("Which subnets of {} from now on?", place.unwrap_or_default())
    },
    help: &["What is marked is tunnelled from then on, and nothing else. Both halves get new endpoint groups, the \
             connections are switched to them, and the old ones are deleted."],
    ..PLAIN
};

const NEW_RANGES: ScreenText = ScreenText {
    name: "Ranges",
    heading: |_, _| "What is behind the external peer from now on?".to_owned(),
    help: &["The networks behind the external peer, separated by commas. Its owner has to set the same on that side."],
    kind: Kind::Form(&[Field::NewRanges], Model::accept_new_ranges),
    ..PLAIN
};

const NEW_KEY: ScreenText = ScreenText {
    name: "Key",
    heading: |model, _| {
        format!("A key of your own for {}", model.vpns.open.as_ref().map_or("", |open| open.name.as_str()))
    },
    help: &[concat!(
        psk_rule!(),
        ". Where the peer is external, take the key its owner has agreed to: with another one the tunnel fails at its next \
         negotiation. It goes to the cloud and is stored nowhere else; a change that is interrupted needs it once more."
    )],
    kind: Kind::Form(&[Field::NewKey], |model| model.want(Intent::NewKey(Sas::Keep, KeyOrigin::Given))),
    ..PLAIN
};

const CHANGE: &[&str] = &[
    "Each step is written down before it is sent, so an interrupted change can be resumed or, until something is deleted \
     or both halves have a new key, rolled back: here, or with osvpn resume and rollback.",
];

const MISSING_KEY: ScreenText = ScreenText {
    name: "Key",
    heading: |_, _| "The key of your own, once more".to_owned(),
    help: &["The interrupted change was given a key, which osvpn does not store; one half at most has it. Enter it \
             again, or a new one: both halves will be set to it. Where the peer is external, it must be the key its \
             owner has agreed to."],
    kind: Kind::Form(&[Field::MissingKey], Model::give_missing_key),
    ..PLAIN
};

const SIGN_IN_HELP: &[&str] = &[
    "Signing in takes the cloud of OS_CLOUD or --cloud NAME from clouds.yaml, or else the OS_* variables of an openrc file \
     that was sourced in this shell: a password, a token (OS_TOKEN) or an application credential.",
    "A token expires. r tries again with the same variables; for new ones leave, source the openrc file again, and start \
     osvpn again.",
];

impl Screen {
    pub(crate) const fn about(self) -> &'static ScreenText {
        match self {
            Self::Cloud => &CLOUD,
            Self::Mode => &MODE,
            Self::Region(_) => &REGION,
            Self::Router(_) => &ROUTER,
            Self::Subnets(_) => &SUBNETS,
            Self::Peer => &PEER,
            Self::Key => &KEY,
            Self::Policy => &POLICY,
            Self::Custom => &CUSTOM,
            Self::Name => &NAME,
            Self::Review => &REVIEW,
            Self::Vpns => &VPNS,
            Self::Vpn => &VPN,
            Self::NewSubnets(_) => &NEW_SUBNETS,
            Self::NewRanges => &NEW_RANGES,
            Self::NewKey => &NEW_KEY,
            Self::Work => &WORK,
            Self::MissingKey => &MISSING_KEY,
        }
    }

    const fn half(self) -> Option<Half> {
        match self {
            Self::Region(half) | Self::Router(half) | Self::Subnets(half) | Self::NewSubnets(half) => Some(half),
            _ => None,
        }
    }

    /// The screen that has the answer a finding is about.
    #[must_use]
    pub const fn of(place: Place, route: Route) -> Self {
        match place {
            Place::Region(half) => Self::Region(half),
            Place::Router(half) => Self::Router(half),
            Place::Subnets(half) => Self::Subnets(half),
            Place::PeerAddress | Place::PeerId | Place::PeerCidrs => Self::Peer,
            Place::Key => Self::Key,
            Place::Policy(Some(_)) if route.custom => Self::Custom,
            Place::Policy(_) => Self::Policy,
            Place::Name => Self::Name,
        }
    }

    pub fn name(self, mode: Mode) -> String {
        let name = self.about().name;
        match (self, self.half()) {
            (Self::Region(_) | Self::Router(_) | Self::Subnets(_), Some(half)) if mode == Mode::SiteToSite => {
                format!("{name} {half}")
            }
            _ => name.to_owned(),
        }
    }

    /// Whether it asks for a part of a new VPN.
    pub const fn is_question(self) -> bool {
        !matches!(self, Self::Cloud | Self::Review | Self::Work) && !self.is_of_existing()
    }

    pub const fn is_of_existing(self) -> bool {
        self.is_of_one_vpn() || matches!(self, Self::Vpns | Self::MissingKey)
    }

    pub const fn is_of_one_vpn(self) -> bool {
        matches!(self, Self::Vpn | Self::NewSubnets(_) | Self::NewRanges | Self::NewKey)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub mode: Mode,
    pub custom: bool,
    pub clouds: bool,
}

impl Route {
    /// The screens of a new VPN, in order.
    pub fn screens(self) -> Vec<Screen> {
        use Screen::{Cloud, Custom, Key, Mode as Modes, Name, Peer, Policy, Region, Review, Router, Subnets, Work};
        let sides: &[Screen] = match self.mode {
            Mode::SiteToSite => &[
                Region(Half::A),
                Region(Half::B),
                Router(Half::A),
                Subnets(Half::A),
                Router(Half::B),
                Subnets(Half::B),
            ],
            Mode::Single => &[Region(Half::A), Router(Half::A), Subnets(Half::A), Peer],
        };
        let first = self.clouds.then_some(Cloud).into_iter().chain([Modes]).chain(sides.iter().copied());
        let last = [Key, Policy].into_iter().chain(self.custom.then_some(Custom)).chain([Name, Review, Work]);
        first.chain(last).collect()
    }

    pub fn next(self, screen: Screen) -> Option<Screen> {
        self.screens().into_iter().tuple_windows().find(|(before, _)| *before == screen).map(|(_, next)| next)
    }

    pub fn previous(self, screen: Screen) -> Option<Screen> {
        use Screen::{MissingKey, NewKey, NewRanges, NewSubnets, Vpn, Vpns, Work};
        let of_existing: &[&[Screen]] = &[
            &[Screen::Mode, Vpns, Vpn, NewSubnets(Half::A), NewSubnets(Half::B)],
            &[NewSubnets(Half::A), NewRanges],
            &[Vpn, NewKey],
            &[Work, MissingKey],
        ];
        let new = self.screens();
        let ways = [new.as_slice()].into_iter().chain(of_existing.iter().copied());
        ways.flat_map(|way| way.windows(2)).find(|pair| pair[1] == screen).map(|pair| pair[0])
    }
}

impl Model {
    pub fn is_at_new_vpn(&self) -> bool {
        !self.screen.is_of_existing() && (self.screen != Screen::Work || self.work.change().is_none())
    }

    pub fn heading(&self) -> String {
        (self.screen.about().heading)(self, self.screen.half().unwrap_or(Half::A))
    }

    pub fn help(&self) -> &'static [&'static str] {
        match self.screen {
            screen if self.shell.session().is_none() && screen != Screen::Mode => SIGN_IN_HELP,
            // There is no question yet.
            _ if matches!(self.shell.start, Start::Problem(_)) => SIGN_IN_HELP,
            Screen::Work if self.work.change().is_some() => CHANGE,
            Screen::Work if self.new_vpn.answers.mode == Mode::Single => RUN_OF_ONE,
            screen => screen.about().help,
        }
    }

    /// The answer of a screen in few words; empty before there is one.
    pub fn answer_text(&self, screen: Screen) -> String {
        (screen.about().answer)(self, screen.half().unwrap_or(Half::A))
    }

    pub(super) fn answer_source(&self, screen: Screen) -> Option<String> {
        (screen.about().source)(self)
    }

    pub fn is_answered(&self, screen: Screen) -> bool {
        match screen.about().kind {
            Kind::Form(..) | Kind::PolicyForm => screen.is_question() && self.is_filled_in(screen),
            _ => (screen.about().is_answered)(self, screen.half().unwrap_or(Half::A)),
        }
    }
}
