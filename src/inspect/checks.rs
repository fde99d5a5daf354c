//! The checks of the doctor, one file each. A check knows its word in JSON, what holds if it passes, how it is proved and what
//! fixes it; [`ALL`] is the one list of them, in the order in which a tunnel comes up. Of two faults that matter
//! equally, the one whose check stands first here is the likelier cause.
//!
//! ACTIVE alone proves none of it: strongSwan appends its own proposals to those of the policies, and narrows ranges to what
//! both sides name.

mod admin_state;
mod dpd;
mod endpoint_groups;
mod halves;
mod initiator;
mod keys;
mod lifetimes;
mod mtu;
mod negotiable;
mod neighbours;
mod one_service;
mod pairs;
mod peer;
mod peer_address;
mod peer_id;
pub(super) mod policies;
mod ranges;
mod routers;
mod security_groups;
mod service_address;
mod services;
mod strength;

use std::fmt::{self, Debug, Formatter};

use super::case::Case;
use super::fix::{Advice, Fix, PeerValue};
use super::verdict::{FaultRole, Verdict, Weight};

pub use admin_state::ADMIN_STATE;
pub use dpd::DPD;
pub use endpoint_groups::ENDPOINT_GROUPS;
pub use halves::HALVES;
pub use initiator::INITIATOR;
pub use keys::{KEY, KEY_SECRECY};
pub use lifetimes::LIFETIMES;
pub use mtu::MTU;
pub use negotiable::NEGOTIABLE;
pub use neighbours::NEIGHBOURS;
pub use one_service::ONE_SERVICE;
pub use pairs::PAIRS;
pub use peer::PEER;
pub use peer_address::PEER_ADDRESS;
pub use peer_id::PEER_ID;
pub use policies::{IKE_POLICY, IPSEC_POLICY};
pub use ranges::RANGES;
pub use routers::ROUTERS;
pub use security_groups::SECURITY_GROUPS;
pub use service_address::SERVICE_ADDRESS;
pub use services::SERVICES;
pub use strength::STRENGTH;

/// Every check, in the order in which a tunnel comes up.
pub const ALL: [Check; 24] = [
    HALVES,
    ADMIN_STATE,
    SERVICES,
    ONE_SERVICE,
    SERVICE_ADDRESS,
    PEER_ADDRESS,
    PEER_ID,
    KEY,
    KEY_SECRECY,
    IKE_POLICY,
    IPSEC_POLICY,
    NEGOTIABLE,
    STRENGTH,
    LIFETIMES,
    RANGES,
    PAIRS,
    INITIATOR,
    DPD,
    MTU,
    ENDPOINT_GROUPS,
    ROUTERS,
    NEIGHBOURS,
    SECURITY_GROUPS,
    PEER,
];

/// One check. Two are the same if their ids are.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its word in JSON.
    pub id: &'static str,
    /// What holds if it passes.
    pub label: &'static str,
    natures: &'static [Nature],
    prove: fn(&Case<'_>) -> Verdict,
}

/// What the diagnosis has to know of a check besides its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// Both ends have to agree on it before there is a tunnel. Some daemons hide a difference that others refuse.
    Negotiated,
    /// The owner of an external peer compares it with what the peer has.
    SharedWithPeer,
    /// It is about who else can join or read.
    Security,
    /// One half shows it in full, even if its peer is external.
    OneSided,
    /// It is about the instances behind the tunnel, and no part of the VPN. It needs [`Exposures`](super::Exposures).
    Instances,
    /// Only an external peer has it.
    PeerOnly,
}

impl Check {
    /// The verdict, if the check applies to this VPN and what it needs was read.
    pub(super) fn prove(&self, case: &Case<'_>) -> Option<Verdict> {
        let applies = (!self.is(Nature::Instances) || !case.exposures.is_empty())
            && (!self.is(Nature::PeerOnly) || case.is_outside());
        applies.then(|| (self.prove)(case))
    }

    fn is(&self, nature: Nature) -> bool {
        self.natures.contains(&nature)
    }

    pub(super) fn is_negotiated(&self) -> bool {
        self.is(Nature::Negotiated)
    }

    pub(crate) fn is_shared_with_peer(&self) -> bool {
        self.is(Nature::SharedWithPeer)
    }

    pub(super) fn is_security(&self) -> bool {
        self.is(Nature::Security)
    }

    /// Whether the condition of a VPN is unclear while this one is open. Of an external peer little can be read by nature.
    pub(super) fn must_be_known(&self, is_outside: bool) -> bool {
        !self.is(Nature::Instances) && (!is_outside || self.is(Nature::OneSided))
    }

    /// Its place in [`ALL`].
    pub(super) fn place(&self) -> usize {
        ALL.iter().position(|check| check == self).unwrap_or(ALL.len())
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Check {}

impl Debug for Check {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_checks_have_one_id_or_label() {
        for (at, one) in ALL.iter().enumerate() {
            assert!(ALL[at + 1..].iter().all(|other| other.id != one.id && other.label != one.label), "{one:?}");
        }
    }
}
