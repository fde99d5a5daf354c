//! The two-sided proof: what one half says held against what the other says, a row a question. ACTIVE alone proves none
//! of it: strongSwan appends its own proposals to those of the policies, and narrows ranges to what both sides name.

mod addresses;
mod keys;
mod policies;
mod ranges;
mod reported;
mod standing;
mod strength;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};

pub(in crate::inspect) use policies::words;

use super::{Across, Agreement, Condition, Keys, Side, Vpn};
use crate::cloud::{Id, RegionId, Survey};
use crate::plan::{Half, ShellCommand, VpnId};

/// A question of the proof or of the diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Whether both halves are there.
    Halves,
    /// Whether connections and services are switched on.
    AdminState,
    /// Whether the services run.
    Services,
    /// Whether each router holds one service.
    OneService,
    /// Whether each service has the address its router has now.
    ServiceAddress,
    /// Whether each half looks for the other where it is.
    PeerAddress,
    /// Whether each half is called what the other expects.
    PeerId,
    /// Whether the keys are equal.
    Key,
    /// Whether nobody else can know or guess the key.
    KeySecrecy,
    /// Whether the IKE policies are equal.
    IkePolicy,
    /// Whether the IPsec policies are equal.
    IpsecPolicy,
    /// Whether these policies can work at all.
    Negotiable,
    /// Whether what they negotiate cannot be broken.
    Strength,
    /// Whether renewals leave no gaps.
    Lifetimes,
    /// Whether the local ranges of one are the remote ranges of the other.
    Ranges,
    /// Whether the IKE version carries that many ranges.
    Pairs,
    /// Whether one of the two begins.
    Initiator,
    /// Whether dead peer detection has values that work.
    Dpd,
    /// Whether both halves have the same MTU.
    Mtu,
    /// Whether a peer outside has answered.
    Peer,
    /// Whether it is of the kind with endpoint groups.
    EndpointGroups,
    /// Whether the routers forward what comes out of the tunnel.
    Routers,
    /// Whether other connections of a router are in the way.
    Neighbours,
    /// Whether instances admit what comes across.
    SecurityGroups,
}

impl Subject {
    /// What is asked, so that "yes" is good.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Halves => "both halves are there",
            Self::AdminState => "connections and services are switched on",
            Self::Services => "the VPN services run",
            Self::OneService => "each router holds one VPN service",
            Self::ServiceAddress => "each service has its router's address",
            Self::PeerAddress => "peer addresses are crossed",
            Self::PeerId => "peer ids fit the other side's identity",
            Self::Key => "pre-shared keys are equal",
            Self::KeySecrecy => "the pre-shared key is secret",
            Self::IkePolicy => "IKE policies are equal",
            Self::IpsecPolicy => "IPsec policies are equal",
            Self::Negotiable => "the policies can be negotiated",
            Self::Strength => "no policy is weak",
            Self::Lifetimes => "lifetimes leave no gaps",
            Self::Ranges => "local CIDRs are the peer's remote CIDRs",
            Self::Pairs => "the IKE version carries all subnets",
            Self::Initiator => "one half begins to negotiate",
            Self::Dpd => "dead peer detection makes sense",
            Self::Mtu => "both halves have one MTU",
            Self::Peer => "the peer answers",
            Self::EndpointGroups => "it has endpoint groups",
            Self::Routers => "routers and subnets pass traffic on",
            Self::Neighbours => "no other connection is in the way",
            Self::SecurityGroups => "security groups admit the other side",
        }
    }

    /// Whether two ends have to agree upon it before there is a tunnel. Of these some daemons hide what others refuse.
    const fn is_negotiated(self) -> bool {
        matches!(self, Self::IkePolicy | Self::IpsecPolicy | Self::Negotiable | Self::Ranges | Self::Dpd)
    }

    /// Whether a peer outside has its share in it.
    pub(crate) const fn is_of_the_peer(self) -> bool {
        matches!(
            self,
            Self::PeerAddress | Self::PeerId | Self::Key | Self::IkePolicy | Self::IpsecPolicy | Self::Ranges
        )
    }

    /// Whether it is about who else can join or read.
    pub(in crate::inspect) const fn is_security(self) -> bool {
        matches!(self, Self::KeySecrecy | Self::Strength | Self::Negotiable)
    }

    /// Its word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Halves => "halves",
            Self::AdminState => "admin-state",
            Self::Services => "services",
            Self::OneService => "one-service",
            Self::ServiceAddress => "service-address",
            Self::PeerAddress => "peer-address",
            Self::PeerId => "peer-id",
            Self::Key => "key",
            Self::KeySecrecy => "key-secrecy",
            Self::IkePolicy => "ike-policy",
            Self::IpsecPolicy => "ipsec-policy",
            Self::Negotiable => "negotiable",
            Self::Strength => "strength",
            Self::Lifetimes => "lifetimes",
            Self::Ranges => "ranges",
            Self::Pairs => "pairs",
            Self::Initiator => "initiator",
            Self::Dpd => "dpd",
            Self::Mtu => "mtu",
            Self::Peer => "peer",
            Self::EndpointGroups => "endpoint-groups",
            Self::Routers => "routers",
            Self::Neighbours => "neighbours",
            Self::SecurityGroups => "security-groups",
        }
    }
}

/// One row: a question, and what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is asked.
    pub subject: Subject,
    /// What came out.
    pub verdict: Verdict,
}

/// What came out of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be; what was seen, if that is worth a word.
    Good(String),
    /// Not as it should be.
    Bad(Fault),
    /// Cannot be seen from here; what to do about it.
    Open(String),
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How much it matters.
    pub weight: Weight,
    /// What was seen.
    pub seen: String,
    /// What it leads to.
    pub means: String,
    /// What mends it.
    pub fix: Fix,
}

/// How much a fault matters, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// No tunnel comes up.
    Stops,
    /// It works for others too: somebody else can pose as an end, or read what passes.
    Exposes,
    /// The tunnel may well be ACTIVE, and some traffic fails, or will.
    Hides,
    /// It works, and should not stay so.
    Warns,
}

impl Weight {
    /// Its word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::Exposes => "exposes",
            Self::Hides => "hides",
            Self::Warns => "warns",
        }
    }

    /// Whether traffic fails, or will.
    #[must_use]
    pub const fn fails_traffic(self) -> bool {
        matches!(self, Self::Stops | Self::Hides)
    }
}

/// What mends a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// A new key on both halves.
    RotateKey,
    /// Another peer address and peer id on a half.
    SetPeer {
        /// The half that looks in the wrong place.
        half: Half,
        /// Where the other half is.
        address: String,
        /// How it names itself.
        id: String,
    },
    /// Both halves get the policies agreed upon here. The connection of one that has others is made anew for that.
    Equalise(Box<Agreement>),
    /// Both halves get the policies of the `modern` profile, and keep what is stronger. The connections are made anew for
    /// that.
    Modernise,
    /// A half's peer endpoint group gets the other half's subnets.
    MirrorRanges {
        /// The half that expects other ranges.
        half: Half,
    },
    /// A half's connection and service are switched on.
    SwitchOn {
        /// Which.
        half: Half,
    },
    /// A half's service is told to look at its connections again.
    Nudge {
        /// Which.
        half: Half,
    },
    /// A half's connection gets dead peer detection that works.
    SetDpd {
        /// Which.
        half: Half,
    },
    /// A half begins to negotiate.
    SetInitiator {
        /// Which.
        half: Half,
    },
    /// A half's service is made anew with its connection, and the other half is told its address.
    Rebuild {
        /// Which.
        half: Half,
    },
    /// A service that serves nobody is deleted.
    RemoveService {
        /// The half on whose router it is.
        half: Half,
        /// Which one.
        id: Id,
    },
    /// Security groups get the rules they lack.
    Admit,
    /// The run that made it is finished.
    Resume(VpnId),
    /// The owner of the peer compares these values with what the peer has.
    Compare(Vec<Compared>),
    /// What only the user can do, in this order.
    ByHand(Vec<Advice>),
}

/// One thing for the user to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// A command to copy.
    Run(ShellCommand),
    /// What no single command does.
    Do(String),
}

impl Display for Advice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(command) => command.fmt(f),
            Self::Do(what) => f.write_str(what),
        }
    }
}

impl Serialize for Advice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<ShellCommand> for Advice {
    fn from(command: ShellCommand) -> Self {
        Self::Run(command)
    }
}

impl From<String> for Advice {
    fn from(what: String) -> Self {
        Self::Do(what)
    }
}

impl From<&'static str> for Advice {
    fn from(what: &'static str) -> Self {
        Self::Do(what.to_owned())
    }
}

/// A value of this side, and what a peer must have for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What it is.
    pub what: &'static str,
    /// What the peer must have.
    pub peer_has: String,
}

impl Display for Compared {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.peer_has)
    }
}

impl Fix {
    /// Whether this program can do it.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        !matches!(self, Self::ByHand(_) | Self::Compare(_))
    }
}

/// A VPN and what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The VPN.
    pub vpn: &'a Vpn,
    /// Everything that was read.
    pub surveys: &'a BTreeMap<RegionId, Survey>,
    /// Regions that could not be read, or are not read yet.
    pub unread: &'a [RegionId],
    /// What came of comparing the keys.
    pub keys: &'a Keys,
}

/// Holds the halves against each other: one row for each question, in the order in which a tunnel comes up.
#[must_use]
pub fn proof(case: &Case<'_>) -> Vec<Check> {
    vec![
        Check::new(Subject::Halves, case.halves()),
        Check::new(Subject::AdminState, case.admin_state()),
        Check::new(Subject::Services, case.services()),
        Check::new(Subject::OneService, case.one_service()),
        Check::new(Subject::ServiceAddress, case.service_address()),
        Check::new(Subject::PeerAddress, case.peer_address()),
        Check::new(Subject::PeerId, case.peer_id()),
        Check::new(Subject::Key, case.key()),
        Check::new(Subject::KeySecrecy, case.key_secrecy()),
        Check::new(Subject::IkePolicy, case.ike_policies()),
        Check::new(Subject::IpsecPolicy, case.ipsec_policies()),
        Check::new(Subject::Negotiable, case.negotiable()),
        Check::new(Subject::Strength, case.strength()),
        Check::new(Subject::Lifetimes, case.lifetimes()),
        Check::new(Subject::Ranges, case.ranges()),
        Check::new(Subject::Pairs, case.pairs()),
        Check::new(Subject::Initiator, case.initiator()),
        Check::new(Subject::Dpd, case.dpd()),
        Check::new(Subject::Mtu, case.mtu()),
    ]
}

/// How a VPN stands after every check of it. What instances admit is no part of that.
#[must_use]
pub fn condition(vpn: &Vpn, checks: &[Check]) -> Condition {
    let mut faults = checks.iter().filter_map(Check::fault);
    // Of a peer outside much cannot be seen by nature; where both halves are the user's, everything can.
    let is_unclear = |check: &Check| {
        matches!(check.verdict, Verdict::Open(_))
            && check.subject != Subject::SecurityGroups
            && (vpn.b().is_some() || matches!(check.subject, Subject::Halves | Subject::Services))
    };
    let is_told = vpn.sides().all(|(_, side)| side.connection.status.is_known());
    // Of a VPN of which it is not certain which connections it consists of, nothing else is.
    if vpn.uncertainty().is_some() {
        Condition::Unclear
    } else if !vpn.is_active() {
        if is_told { Condition::NotActive } else { Condition::Unclear }
    } else if faults.any(|fault| fault.weight.fails_traffic()) {
        Condition::Mismatched
    } else if checks.iter().any(is_unclear) {
        Condition::Unclear
    } else {
        Condition::Proven
    }
}

impl Check {
    pub(in crate::inspect) const fn new(subject: Subject, verdict: Verdict) -> Self {
        Self { subject, verdict }
    }

    /// The fault, if it is one.
    #[must_use]
    pub const fn fault(&self) -> Option<&Fault> {
        match &self.verdict {
            Verdict::Bad(fault) => Some(fault),
            Verdict::Good(_) | Verdict::Open(_) => None,
        }
    }

    /// Whether it may be why there is no tunnel. What instances admit, routes and ranges that two connections share count
    /// only once there is one.
    #[must_use]
    pub fn keeps_down(&self) -> bool {
        self.fault().is_some_and(|fault| match fault.weight {
            Weight::Stops => true,
            Weight::Hides => self.subject.is_negotiated(),
            // Of a VPN whose halves are not certain nothing else is.
            Weight::Exposes | Weight::Warns => self.subject == Subject::Halves,
        })
    }
}

impl Verdict {
    pub(in crate::inspect) fn good(seen: impl Into<String>) -> Self {
        Self::Good(seen.into())
    }

    pub(in crate::inspect) fn bad(weight: Weight, seen: impl Into<String>, means: impl Into<String>, fix: Fix) -> Self {
        Self::Bad(Fault { weight, seen: seen.into(), means: means.into(), fix })
    }
}

impl<'a> Case<'a> {
    /// Both halves, where there are two.
    fn both(&self) -> Option<[(Half, &'a Side); 2]> {
        Some([(Half::A, &self.vpn.a), (Half::B, self.vpn.b()?)])
    }

    fn sides(&self) -> impl Iterator<Item = (Half, &'a Side)> + use<'a> {
        let (a, b) = (&self.vpn.a, self.vpn.b());
        std::iter::once((Half::A, a)).chain(b.map(|b| (Half::B, b)))
    }

    pub(in crate::inspect) fn place(&self, half: Half) -> String {
        self.vpn.place(half)
    }

    pub(in crate::inspect) fn is_outside(&self) -> bool {
        matches!(self.vpn.across, Across::Outside)
    }

    pub(in crate::inspect) fn survey(&self, side: &Side) -> Option<&'a Survey> {
        self.surveys.get(&side.region)
    }
}
