//! The VPN that is exactly as a plan has it, so that there is nothing to create.

use std::collections::BTreeSet;

use super::{Inspection, OtherHalf, Side, Vpn, in_order};
use crate::cloud::Id;
use crate::plan::checks::existing::goes_to;
use crate::plan::fields::PolicyField;
use crate::plan::policy::{IkeVersion, Policy};
use crate::plan::{self, Far, Peer, PlanDraft};

impl Inspection {
    /// The VPN of that name with exactly those ends and that policy. Keys are not looked at.
    pub fn existing(&self, draft: &PlanDraft) -> Option<&Vpn> {
        self.vpns.iter().find(|vpn| vpn.name == draft.name.as_str() && is_same(vpn, draft))
    }
}

fn is_same(vpn: &Vpn, draft: &PlanDraft) -> bool {
    let has_ends = match (&draft.far, &vpn.other_half) {
        (Far::Half(far), OtherHalf::Found(other)) => {
            let other = &**other;
            let is_mirrored = |one: &Side, other: &Side| other.local.as_ref() == Some(&one.remote);
            let are_crossed = is_mirrored(&vpn.a, other) && is_mirrored(other, &vpn.a);
            let is_pair = |one: &Side, two: &Side| one.is_end(&draft.a) && two.is_end(far);
            are_crossed && (is_pair(&vpn.a, other) || is_pair(other, &vpn.a))
        }
        (Far::Peer(peer), OtherHalf::Outside) => vpn.a.is_end(&draft.a) && vpn.a.goes_to(peer),
        _ => false,
    };
    has_ends && vpn.sides().all(|(_, side)| side.has(&draft.policy))
}

impl Side {
    fn is_end(&self, wanted: &plan::HalfDraft) -> bool {
        let set = |ids: &[Id]| ids.iter().cloned().collect::<BTreeSet<Id>>();
        self.region == wanted.region
            && self.router.as_ref().is_some_and(|router| router.id == wanted.router)
            && set(&self.subnets) == set(&wanted.subnets)
    }

    fn goes_to(&self, peer: &Peer) -> bool {
        goes_to(&self.connection, &peer.address)
            && self.connection.peer_id == peer.id
            && self.remote == in_order(peer.cidrs.iter().copied())
    }

    fn has(&self, policy: &Policy) -> bool {
        // Only IKEv1 has modes to negotiate in.
        let is_idle = |field| field == PolicyField::Phase1Mode && policy.ike.ike_version == IkeVersion::V2;
        PolicyField::ALL.iter().all(|field| is_idle(*field) || self.stored(*field) == Some(field.get(policy)))
    }
}
