//! What each screen is called, asks for and says, in the order of the wizard.

use itertools::Itertools;

use super::super::Model;
use super::super::fields::Field;
use super::super::system::SOMETHING_ELSE;
use super::super::vpns::{Intent, YourVpns};
use super::super::work::Work;
use super::{Kind, Mode, Screen, ScreenText};
use crate::change::Sas;
use crate::inspect::diagnosis::agents_report;
use crate::plan::Half;
use crate::plan::psk::{KeyOrigin, psk_rule};
use crate::sign_in::Login;

/// A list that is no question about a new VPN.
const PLAIN: ScreenText = ScreenText {
    name: "",
    heading: |_, _| String::new(),
    help: &[],
    kind: Kind::List,
    note: "",
    answer: |_, _| String::new(),
    is_answered: |_, _| false,
    source: |_, _| None,
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
        "Each VPN that could be made between two regions stands here, the best one first. Enter shows everything it creates; \
         nothing is created before you agree to that, and each answer can be changed there.",
        "Step by step asks for the regions, routers and subnets. With an outside peer, osvpn creates the half in one region; \
         the other end is for instance an office firewall.",
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
    source: |model, screen| model.new_vpn.only_candidate.get(&screen).cloned(),
    ..PLAIN
};

const ROUTER: ScreenText = ScreenText {
    name: "Router",
    heading: |model, half| format!("Which router of {}?", model.place(half)),
    help: &[
        "The VPN ends on a router with an external gateway; its external address is what the other end connects to.",
        "A router can hold one VPN service only. An existing one is reused; one of the old kind is upgraded first.",
    ],
    note: "The other end connects to its external address.",
    answer: |model, half| {
        let router = model.new_vpn.answers.router_of(half);
        let router = router.and_then(|id| model.new_vpn.inventory_of(half)?.router(id));
        router.map_or_else(String::new, |router| router.name.clone())
    },
    is_answered: |model, half| model.new_vpn.answers.router_of(half).is_some(),
    source: |model, screen| model.new_vpn.only_candidate.get(&screen).cloned(),
    ..PLAIN
};

const SUBNETS: ScreenText = ScreenText {
    name: "Subnets",
    heading: |model, half| format!("Which subnets of {}?", model.place(half)),
    help: &[
        "Only these subnets are reachable from the other side, and only from the ranges chosen there. Enter takes \
             the one at the cursor or, once some are marked, those. Ranges that exist on both sides are refused: \
             they cannot be told apart.",
    ],
    answer: |model, half| {
        let inventory = model.new_vpn.inventory_of(half);
        let subnets = model.new_vpn.answers.subnets_of(half).iter().filter_map(|id| inventory?.subnet(id));
        subnets.map(|subnet| subnet.cidr).join(", ")
    },
    is_answered: |model, half| !model.new_vpn.answers.subnets_of(half).is_empty(),
    source: |model, screen| model.new_vpn.only_candidate.get(&screen).cloned(),
    ..PLAIN
};

const PEER: ScreenText = ScreenText {
    name: "Peer",
    heading: |model, _| match model.new_vpn.answers.system {
        Some(system) => format!("Who is the external peer ({})?", system.title()),
        None => "Who is the external peer?".to_owned(),
    },
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
    source: |model, _| model.new_vpn.profile_in(&model.new_vpn.setting()).1,
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

const VALUES: ScreenText = ScreenText {
    name: "Fields",
    heading: |model, _| {
        model.new_vpn.field.map_or_else(String::new, |field| format!("{} {}", field.label().0, field.label().1))
    },
    help: &["All values of the field, the strongest first. Type a part of one to find it."],
    note: "The strongest first.",
    ..PLAIN
};

const NAME: ScreenText = ScreenText {
    name: "Name",
    heading: |_, _| "The name of the VPN".to_owned(),
    help: &["All objects are named after it: NAME_vpn_service, NAME_ike_policy and so on. Names need not be unique."],
    kind: Kind::Form(&[Field::Name], Model::advance),
    answer: |model, _| model.new_vpn.name_text(),
    source: |model, _| model.new_vpn.answers.name.is_none().then(|| "suggested".to_owned()),
    ..PLAIN
};

const REVIEW: ScreenText = ScreenText {
    name: "Review",
    heading: |model, _| format!("Review of {}", model.new_vpn.name_text()),
    help: &[
        "Nothing exists yet. Enter on Create creates it; Enter on a line goes back to that answer and returns here.",
        "A plan is saved for `osvpn apply`, without the key.",
    ],
    kind: Kind::Review,
    ..PLAIN
};

const WORK: ScreenText = ScreenText {
    name: "Create",
    heading: |model, _| model.work.current.as_ref().map_or_else(String::new, Work::heading),
    help: &[concat!(
        "Services come first, because their addresses are the peer addresses, then policies and endpoint groups, then \
         both connections. A service alone stays PENDING_CREATE, and a connection is DOWN until the other half has one: \
         both are normal. ACTIVE may show late: ",
        agents_report!(),
        "."
    )],
    kind: Kind::Work,
    is_answered: |model, _| model.work.creation().is_some(),
    ..PLAIN
};

pub(super) const RUN_OF_ONE: &[&str] = &[concat!(
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
        "Where VPNs still have the key create-vpn.sh gave to everybody, a line gives each of them a new one after one \
         question.",
        "Unused objects, if there are any, have a line: they keep subnets and routers from being deleted.",
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
    kind: Kind::Form(&[Field::NewRanges], |model| model.of_vpns(YourVpns::accept_ranges)),
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
    kind: Kind::Form(&[Field::NewKey], |model| {
        model.of_vpns(|vpns, wizard| vpns.want(Intent::NewKey(Sas::Keep, KeyOrigin::Given), wizard));
    }),
    ..PLAIN
};

pub(super) const CHANGE: &[&str] = &[
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

const SYSTEM: ScreenText = ScreenText {
    name: "System",
    heading: |_, _| "What is on the other side?".to_owned(),
    help: &[
        "Where the system is known, a policy that it takes is suggested, its limits are kept, and the sheet for its owner \
             is written in its words.",
    ],
    note: "The sheet for its owner is written for it.",
    answer: |model, _| {
        let system = model.new_vpn.answers.system;
        system.map_or_else(|| SOMETHING_ELSE.to_owned(), |system| system.title().to_owned())
    },
    is_answered: |_, _| true,
    ..PLAIN
};

const PASTE: ScreenText = ScreenText {
    name: "Peer",
    heading: |_, _| "What has the other side sent?".to_owned(),
    help: &[
        "Paste a swanctl.conf or ipsec.conf, AWS's download for \"Generic\", a part of the configuration of FortiOS or Cisco \
         IOS, or a sheet of osvpn. It fills in the peer, the policy and the key; what is not understood is listed, and \
         nothing is guessed. osvpn --from FILE reads it from a file.",
    ],
    kind: Kind::Form(&[Field::Text], Model::take_pasted),
    ..PLAIN
};

const RECEIVED: ScreenText = ScreenText {
    name: "Peer",
    heading: |_, _| "Which end of the text is the peer?".to_owned(),
    help: &[
        "A text has two ends, of which one is this cloud's. The addresses of your routers tell which, or else the kind of \
         the text; where neither does, it is yours to say. Each line shows what it would fill in.",
    ],
    note: "What it fills in can be changed in the review.",
    ..PLAIN
};

const SHEET: ScreenText = ScreenText {
    name: "Sheet",
    heading: |model, _| model.sheet.heading(),
    help: &[
        "What the owner of the far side has to set there, in the words of that system, with how to test it and how to undo it. \
         The sheet says how far it was tried.",
        "The pre-shared key is left out unless you show it; then Copy and Write take it along. It is hidden again after a \
         minute, and when you leave the page.",
    ],
    kind: Kind::Sheet,
    ..PLAIN
};

const SHEET_FORMAT: ScreenText = ScreenText {
    name: "System",
    heading: |_, _| "What stands on the far side?".to_owned(),
    help: &["The sheet is written for that system. Any system: the values alone, for whatever there is."],
    note: "The sheet is written in its words.",
    ..PLAIN
};

pub(super) const SIGN_IN_HELP: &[&str] = &[
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
            Self::Values => &VALUES,
            Self::Name => &NAME,
            Self::Review => &REVIEW,
            Self::Vpns => &VPNS,
            Self::Vpn => &VPN,
            Self::NewSubnets(_) => &NEW_SUBNETS,
            Self::NewRanges => &NEW_RANGES,
            Self::NewKey => &NEW_KEY,
            Self::Work => &WORK,
            Self::MissingKey => &MISSING_KEY,
            Self::System => &SYSTEM,
            Self::Paste => &PASTE,
            Self::Received => &RECEIVED,
            Self::Sheet => &SHEET,
            Self::SheetFormat => &SHEET_FORMAT,
        }
    }
}
