//! The steps, their order, and what each says of itself. Nothing else decides order.

use crate::plan::{Half, Place};

/// One screen of the wizard that asks, shows or works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// Which cloud of clouds.yaml; only when there are several and none was named.
    Cloud,
    /// Two regions, or one region and an outside peer.
    Mode,
    /// The region of a half.
    Region(Half),
    /// The router of a half.
    Router(Half),
    /// The subnets of a half.
    Subnets(Half),
    /// The outside peer.
    Peer,
    /// The pre-shared key.
    Key,
    /// The policy profile.
    Policy,
    /// Every field of a custom policy.
    Custom,
    /// The name of the VPN.
    Name,
    /// Everything at once, before anything is made.
    Review,
    /// The engine at work, and what came of it.
    Run,
    /// The VPNs there are.
    Vpns,
    /// One of them.
    Vpn,
    /// Which subnets a half of it is to tunnel from now on.
    NewSubnets(Half),
    /// Which ranges are behind its outside peer from now on.
    NewRanges,
    /// A key of the user's own for it.
    NewKey,
    /// A change of it at work, and what came of that.
    Change,
    /// The key of the user's own that such a change needs once more.
    MissingKey,
}

/// What is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Two regions of the project.
    SiteToSite,
    /// One region and an outside peer.
    Single,
}

/// What decides which steps there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The mode, as chosen or preselected.
    pub mode: Mode,
    /// Whether the policy is chosen field by field.
    pub custom: bool,
    /// Whether there was a cloud to choose.
    pub clouds: bool,
}

impl Route {
    /// The steps of this route, first to last. Steps that cannot apply are not there.
    #[must_use]
    pub fn steps(self) -> Vec<Screen> {
        let mut steps = Vec::with_capacity(14);
        if self.clouds {
            steps.push(Screen::Cloud);
        }
        steps.extend([Screen::Mode, Screen::Region(Half::A)]);
        match self.mode {
            Mode::SiteToSite => steps.extend([
                Screen::Region(Half::B),
                Screen::Router(Half::A),
                Screen::Subnets(Half::A),
                Screen::Router(Half::B),
                Screen::Subnets(Half::B),
            ]),
            Mode::Single => steps.extend([Screen::Router(Half::A), Screen::Subnets(Half::A), Screen::Peer]),
        }
        steps.extend([Screen::Key, Screen::Policy]);
        if self.custom {
            steps.push(Screen::Custom);
        }
        steps.extend([Screen::Name, Screen::Review, Screen::Run]);
        steps
    }

    /// The step after that one.
    #[must_use]
    pub fn next(self, step: Screen) -> Option<Screen> {
        let steps = self.steps();
        let at = steps.iter().position(|candidate| *candidate == step)?;
        steps.get(at + 1).copied()
    }

    /// The step before that one.
    #[must_use]
    pub fn previous(self, step: Screen) -> Option<Screen> {
        let steps = self.steps();
        let at = steps.iter().position(|candidate| *candidate == step)?;
        at.checked_sub(1).and_then(|before| steps.get(before).copied())
    }
}

/// What `?` says while nobody is signed in, a paragraph a line.
pub const SIGN_IN_HELP: &[&str] = &[
    "Signing in takes the cloud of OS_CLOUD or --cloud NAME from clouds.yaml, or else the OS_* variables of an openrc file \
     that was sourced in this shell: a password, a token (OS_TOKEN) or an application credential.",
    "A token expires. r tries again with the same variables; for new ones leave, source the openrc file again, and start \
     anew.",
];

impl Screen {
    /// Whether it is about VPNs that exist. Those are no part of a route.
    #[must_use]
    pub const fn is_upkeep(self) -> bool {
        self.is_of_a_vpn() || matches!(self, Self::Vpns | Self::Change | Self::MissingKey)
    }

    /// Whether it is about the one VPN that is open, and nothing is under way.
    #[must_use]
    pub const fn is_of_a_vpn(self) -> bool {
        matches!(self, Self::Vpn | Self::NewSubnets(_) | Self::NewRanges | Self::NewKey)
    }

    /// The step of a route where an answer that a check objects to is changed.
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

    /// Its name in the rail; at most 12 columns. With one half there is nothing to tell apart.
    #[must_use]
    pub const fn short(self, mode: Mode) -> &'static str {
        match (self, mode) {
            (Self::Region(_), Mode::Single) => "Region",
            (Self::Router(_), Mode::Single) => "Router",
            (Self::Subnets(_), Mode::Single) => "Subnets",
            (step, _) => step.of_two(),
        }
    }

    const fn of_two(self) -> &'static str {
        match self {
            Self::Cloud => "Cloud",
            Self::Mode => "Mode",
            Self::Region(Half::A) => "Region A",
            Self::Region(Half::B) => "Region B",
            Self::Router(Half::A) => "Router A",
            Self::Router(Half::B) => "Router B",
            Self::Subnets(Half::A) => "Subnets A",
            Self::Subnets(Half::B) => "Subnets B",
            Self::Peer => "Peer",
            Self::Key | Self::NewKey | Self::MissingKey => "Key",
            Self::Policy => "Policy",
            Self::Custom => "Fields",
            Self::Name => "Name",
            Self::Review => "Review",
            Self::Run => "Create",
            Self::Vpns => "VPNs",
            Self::Vpn => "VPN",
            Self::NewSubnets(_) => "Subnets",
            Self::NewRanges => "Ranges",
            Self::Change => "Change",
        }
    }

    /// What `?` says about this step, a paragraph a line.
    #[must_use]
    pub const fn help(self, mode: Mode) -> &'static [&'static str] {
        match self {
            Self::Run if matches!(mode, Mode::Single) => &[
                "The service first, because its address is what the peer connects to, then policies and endpoint groups, then \
                 the connection. It stays DOWN until the peer is set up with the values for its owner: that is normal. \
                 Agents report every 60 s, so ACTIVE may show late.",
            ],
            Self::Cloud => {
                &["Your clouds.yaml names several clouds. Choose the one to work in, or start with --cloud NAME."]
            }
            Self::Mode => &[
                "Site-to-site connects two regions of this project; osvpn makes both halves.",
                "Single makes the half in one region; the other end is a peer outside, for instance an office firewall.",
                "Your VPNs shows what there is, whoever made it: how each stands, why one is down, and what can be done.",
            ],
            Self::Vpns => &[
                "Every connection of the project, in all regions. Two that point at each other are one VPN. One whose other \
                 half should be here and is not, and one to a peer outside, are shown as such.",
                "The line about public keys finds every VPN that still has the key create-vpn.sh gave to everybody, and \
                 replaces it in all of them after one question.",
                "The last line has what no connection uses: such objects keep subnets and routers from being deleted.",
            ],
            Self::Vpn => &[
                "ACTIVE is no proof, and DOWN no answer: both halves are held against each other, field by field. What is \
                 wrong comes first, the likeliest cause at the top; a digit chooses another one to mend.",
                "Keys are compared in memory and never shown. Whatever changes something shows its steps and asks first. \
                 The statuses are read every few seconds.",
            ],
            Self::NewSubnets(_) => &[
                "What is marked is tunnelled from then on, and nothing else. Both halves get new endpoint groups, the \
                 connections are switched to them, and the old ones are deleted.",
            ],
            Self::NewRanges => &[
                "The networks behind the peer outside, separated by commas. Its owner has to set the same on that side.",
            ],
            Self::NewKey => &[
                "20 to 40 letters and digits. Where the peer is outside, take the key its owner has agreed to: with another \
                 one the tunnel fails at its next negotiation. It goes to the cloud and is kept nowhere else; a change that is \
                 interrupted needs it once more.",
            ],
            Self::MissingKey => &[
                "The key that was typed before the change was interrupted: it is kept nowhere, and one half at most has it. Both \
                 halves get the one you give now. Where the peer is outside, it must be the key its owner has agreed to.",
            ],
            Self::Change => {
                &["Each step is written down before it is sent, so an interrupted change can be resumed or, until \
                 something is deleted or both halves have a new key, rolled back: here, or with osvpn resume and rollback."]
            }
            Self::Region(_) => &[
                "Every region of the catalogue with a network service is read at once. A region without VPNaaS, or one that \
                 does not answer, is shown with the reason; the others go on.",
            ],
            Self::Router(_) => &[
                "The VPN ends on a router with an external gateway; its external address is what the other end connects to.",
                "A router can hold one VPN service only. One that is there is reused; a legacy one cannot be.",
            ],
            Self::Subnets(_) => &[
                "Only these subnets are reachable from the other side, and only from the ranges chosen there. Enter takes \
                 the one at the cursor, or, once Space has marked some, those. Ranges that are on both sides cannot be told apart and are refused.",
            ],
            Self::Peer => &[
                "Address: where the peer answers. Id: how it names itself, nearly always its address; ask its owner if it is \
                 behind NAT. CIDRs: the networks behind it, separated by commas.",
            ],
            Self::Key => &[
                "The pre-shared key is the shared password of both ends: 20 to 40 letters and digits. A new one has been made \
                 for you. Type or paste to use your own. Keep it like a password, and never in version control.",
            ],
            Self::Policy => &[
                "The policies are how the two ends encrypt; both ends must agree. catalyst has the values of Catalyst \
                 Cloud's guide, modern has IKEv2 and SHA-256, custom opens every field.",
            ],
            Self::Custom => {
                &["Left and right change a value, digits are typed. What cannot work is said beside the field."]
            }
            Self::Name => &[
                "All objects are named after it: NAME_vpn_service, NAME_ike_policy and so on. Names need not be unique.",
            ],
            Self::Review => &[
                "Nothing exists yet. Enter on Create makes it; Enter on a line goes back to that answer and returns here.",
                "s saves the answers as a plan for `osvpn apply`, without the key.",
            ],
            Self::Run => &[
                "Services first, because their addresses are the peer addresses, then policies and endpoint groups, then both \
                 connections. A service alone stays PENDING_CREATE, and connection A is DOWN until connection B exists: both \
                 are normal. Agents report every 60 s, so ACTIVE may show late.",
            ],
        }
    }
}
