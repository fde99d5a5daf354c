//! What fixes a fault.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};

use super::exposure::MissingRule;
use super::{Agreement, Vpn};
use crate::cloud::Id;
use crate::plan::{Half, ShellCommand};

/// What to do about a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    RotateKey,
    /// Another peer address and peer id on a half.
    SetPeer {
        half: Half,
        address: String,
        id: String,
    },
    /// Both halves get the policies agreed upon here. A connection with other ones is recreated.
    Equalise(Box<Agreement>),
    /// Both halves get the policies of the `modern` profile, and keep what is stronger. The connections are
    /// recreated.
    Modernise,
    /// Both halves get endpoint groups, sound policies and, where the one there is no secret, a new key. Services of the old
    /// kind are recreated.
    Upgrade,
    /// A half's peer endpoint group gets the other half's subnets.
    MirrorRanges {
        half: Half,
    },
    /// A half's connection and service are switched on.
    SwitchOn {
        half: Half,
    },
    /// A half's agent reads its service again.
    Nudge {
        half: Half,
    },
    /// A half's connection gets dead peer detection that works.
    SetDpd {
        half: Half,
    },
    /// A half begins to negotiate.
    SetInitiator {
        half: Half,
    },
    /// A half's service and connection are recreated, and the other half gets the new address.
    Rebuild {
        half: Half,
    },
    /// An unused service is deleted.
    RemoveService {
        half: Half,
        id: Id,
    },
    Admit,
    /// The half that is missing is made.
    Repair,
    /// The owner of the peer compares these values with what the peer has.
    Compare(Vec<PeerValue>),
    /// What only the user can do, in this order.
    ByHand(Vec<Advice>),
}

/// One thing for the user to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerValue {
    pub what: &'static str,
    pub peer_has: String,
}

impl Display for PeerValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.peer_has)
    }
}

impl Fix {
    pub const fn is_ours(&self) -> bool {
        !matches!(self, Self::ByHand(_) | Self::Compare(_))
    }

    /// The command that applies it, if this program can.
    pub fn command(&self, vpn: &Vpn) -> Option<ShellCommand> {
        match self {
            Self::ByHand(_) | Self::Compare(_) => None,
            Self::Repair => Some(vpn.command("repair")),
            Self::RotateKey => Some(vpn.command("rotate-psk").words("--renew")),
            Self::Admit => Some(vpn.command("admit")),
            Self::Upgrade => Some(vpn.command("upgrade")),
            _ => Some(vpn.command("doctor").words("--fix")),
        }
    }

    /// What a person can do about it, step by step, without this program's fix.
    pub fn steps(&self, missing: &[MissingRule]) -> Vec<Advice> {
        match self {
            Self::ByHand(steps) => steps.clone(),
            Self::Admit => missing.iter().map(|rule| rule.command().into()).collect(),
            _ => Vec::new(),
        }
    }

    /// The values for the peer's owner to compare.
    pub fn compared(&self) -> &[PeerValue] {
        if let Self::Compare(values) = self { values } else { &[] }
    }

    /// What is done, in a few words.
    pub fn text(&self, vpn: &Vpn) -> String {
        match self {
            Self::RotateKey => "a new key on both halves".to_owned(),
            Self::SetPeer { half, address, id } if address == id => {
                format!("{} gets the peer address {address}", vpn.place(*half))
            }
            Self::SetPeer { half, address, id } => {
                format!("{} gets the peer address {address} and the peer id {id}", vpn.place(*half))
            }
            Self::Equalise(agreement) => format!(
                "both halves get the stronger values, and a new connection for that: {}",
                agreement.words(vpn).join("; ")
            ),
            Self::Modernise => {
                "the profile modern (IKEv2, SHA-256) on both halves, which keep what is stronger; the connections are \
                 recreated for that"
                    .to_owned()
            }
            Self::Upgrade if vpn.b().is_none() => {
                "upgrade it: endpoint groups and a new VPN service; policies and key stay".to_owned()
            }
            Self::Upgrade => {
                "upgrade it: endpoint groups, IKEv2 and SHA-256, and a new key if the one there is no secret".to_owned()
            }
            Self::MirrorRanges { half } => {
                format!("{} gets the ranges that {} tunnels", vpn.place(*half), vpn.place(half.other()))
            }
            Self::SwitchOn { half } => format!("switch it on in {}", vpn.place(*half)),
            Self::Nudge { half } => format!("have the agent in {} configure its router again", vpn.place(*half)),
            Self::SetDpd { .. } => "dead peer detection restart/15/150".to_owned(),
            Self::SetInitiator { half } => format!("have {} begin (initiator bi-directional)", vpn.place(*half)),
            Self::Rebuild { half } => {
                format!(
                    "recreate VPN service and connection in {}, and give the other half the new address",
                    vpn.place(*half)
                )
            }
            Self::RemoveService { half, id } => {
                format!("delete the service {id} in {}, which no connection uses", vpn.place(*half))
            }
            Self::Admit => "admit traffic (add the missing rules)".to_owned(),
            Self::Repair => "create the half that is missing, from what the other one says".to_owned(),
            Self::Compare(_) => "compare with the owner of the peer; it must have:".to_owned(),
            Self::ByHand(_) => "by hand:".to_owned(),
        }
    }
}
