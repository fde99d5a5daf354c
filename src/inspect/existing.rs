//! The VPN of a plan that is there already: exactly as the plan has it, or in what it differs.

use std::collections::BTreeSet;

use super::{Inspection, OtherHalf, Side, Vpn, in_order};
use crate::cloud::Id;
use crate::plan::checks::existing::goes_to;
use crate::plan::fields::PolicyField;
use crate::plan::policy::{IkeVersion, Policy};
use crate::plan::{self, Far, Half, Peer, PlanDraft};

/// In what a VPN is not as its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Its half tunnels other subnets than these.
    Subnets(Half, Vec<Id>),
    /// It expects other ranges behind its external peer.
    PeerRanges,
    PeerId,
    Policy(Vec<PolicyField>),
    /// Its halves do not match each other.
    Halves,
}

impl Inspection {
    /// The VPN of that name on those routers and with that peer, and in what it differs. Keys are not looked at.
    pub fn existing(&self, draft: &PlanDraft) -> Option<(&Vpn, Vec<Difference>)> {
        let named = self.vpns.iter().filter(|vpn| vpn.name == draft.name.as_str());
        let compared = named.filter_map(|vpn| Some((vpn, differences(vpn, draft)?)));
        compared.min_by_key(|(_, differences)| differences.len())
    }
}

/// None if it is not the VPN of that plan.
fn differences(vpn: &Vpn, draft: &PlanDraft) -> Option<Vec<Difference>> {
    let mut differences = Vec::new();
    let mut compare = |half: Half, side: &Side, wanted: &plan::HalfDraft| {
        let set = |ids: &[Id]| ids.iter().cloned().collect::<BTreeSet<Id>>();
        if set(&side.subnets) != set(&wanted.subnets) {
            differences.push(Difference::Subnets(half, wanted.subnets.clone()));
        }
    };
    match (&draft.far, &vpn.other_half) {
        (Far::Half(far), OtherHalf::Found(other)) => {
            let is_pair = |one: &plan::HalfDraft, two: &plan::HalfDraft| vpn.a.is_on(one) && other.is_on(two);
            let (a, b) = if is_pair(&draft.a, far) { (&draft.a, far) } else { (far, &draft.a) };
            if !is_pair(a, b) {
                return None;
            }
            compare(Half::A, &vpn.a, a);
            compare(Half::B, other, b);
            let is_mirrored = |one: &Side, other: &Side| other.local.as_ref() == Some(&one.remote);
            if !(is_mirrored(&vpn.a, other) && is_mirrored(other, &vpn.a)) {
                differences.push(Difference::Halves);
            }
        }
        (Far::Peer(peer), OtherHalf::Outside) => {
            if !(vpn.a.is_on(&draft.a) && goes_to(&vpn.a.connection, &peer.address)) {
                return None;
            }
            compare(Half::A, &vpn.a, &draft.a);
            differences.extend(vpn.a.differences_of(peer));
        }
        _ => return None,
    }
    let has = |field: &PolicyField| vpn.sides().all(|(_, side)| side.has(*field, &draft.policy));
    let fields: Vec<PolicyField> = PolicyField::ALL.iter().filter(|field| !has(field)).copied().collect();
    differences.extend((!fields.is_empty()).then_some(Difference::Policy(fields)));
    Some(differences)
}

impl Side {
    fn is_on(&self, wanted: &plan::HalfDraft) -> bool {
        self.region == wanted.region && self.router.as_ref().is_some_and(|router| router.id == wanted.router)
    }

    fn differences_of(&self, peer: &Peer) -> impl Iterator<Item = Difference> {
        let has_ranges = self.remote == in_order(peer.cidrs.iter().copied());
        let has_id = self.connection.peer_id == peer.id;
        [(has_ranges, Difference::PeerRanges), (has_id, Difference::PeerId)]
            .into_iter()
            .filter_map(|(is_same, difference)| (!is_same).then_some(difference))
    }

    fn has(&self, field: PolicyField, policy: &Policy) -> bool {
        // Only IKEv1 has modes to negotiate in.
        let is_idle = field == PolicyField::Phase1Mode && policy.ike.ike_version == IkeVersion::V2;
        is_idle || self.stored(field) == Some(field.get(policy))
    }
}
