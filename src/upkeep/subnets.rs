//! Tunnelling other subnets: endpoints cannot be changed, so both halves get new groups and the old ones go.

use std::collections::BTreeMap;

use ipnet::IpNet;
use itertools::Itertools;

use super::{Proposal, Refused, begin, interruption, object, restart};
use crate::change::{Change, ConnectionEdits, Create, Edit, Edits, New, Ref, Update, Verb};
use crate::cloud::{Id, Kind, Subnet};
use crate::inspect::{Inspection, Side, Vpn, in_order};
use crate::plan::{Half, cidr};

/// The subnets each half is to tunnel from now on; a half that is not in it keeps its own. For a peer outside, half B,
/// these are ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewSubnets {
    /// Ids of subnets of a half's router.
    pub local: BTreeMap<Half, Vec<Id>>,
    /// The ranges behind a peer outside.
    pub outside: Option<Vec<IpNet>>,
}

/// New endpoint groups on both halves, both connections switched to them, the old groups deleted.
///
/// # Errors
/// Every reason against it: a subnet that is not on the router, ranges that overlap, several pairs with `IKEv1`, a half of
/// the old kind.
pub fn set_subnets(seen: &Inspection, vpn: &Vpn, wanted: &NewSubnets) -> Result<Proposal, Refused> {
    let mut problems = whatever_is_chosen(vpn);
    let mut local: BTreeMap<Half, (Vec<Id>, Vec<IpNet>)> = BTreeMap::new();
    for (half, side) in vpn.sides() {
        match chosen(seen, vpn, half, side, wanted) {
            Ok(subnets) => {
                local.insert(half, subnets);
            }
            Err(more) => problems.extend(more),
        }
    }
    let (Some((_, a)), true) = (local.get(&Half::A), problems.is_empty()) else { return Err(Refused(problems)) };
    let across = match local.get(&Half::B) {
        Some((_, ranges)) => ranges.clone(),
        None => wanted.outside.clone().unwrap_or_else(|| vpn.a.remote.clone()),
    };
    problems.extend(together(vpn, a, &across));
    if !problems.is_empty() {
        return Err(Refused(problems));
    }
    let mut change = begin(Verb::SetSubnets, vpn);
    let mut switches = Vec::new();
    for (half, side) in vpn.sides() {
        let (subnets, _) = &local[&half];
        let remote = if half == Half::A { &across } else { a };
        let groups = Groups {
            local: (*subnets != side.subnets).then(|| New::LocalGroup(subnets.clone())),
            peer: (in_order(remote.iter().copied()) != side.remote).then(|| New::PeerGroup(remote.clone())),
        };
        switches.extend(groups.switch(seen, &mut change, side));
    }
    if switches.is_empty() {
        return Ok(Proposal::nothing(change, "These are the subnets it tunnels already."));
    }
    for (_, update, _) in &switches {
        change.update(update.clone());
    }
    for (side, _, _) in &switches {
        restart(&mut change, side);
    }
    for (side, _, old) in switches {
        for id in old {
            let name = group_name(seen, side, &id);
            if seen.shared_with(vpn, &side.region, &id).is_empty() {
                change.delete(Kind::EndpointGroup, object(side, &id, &name));
            }
        }
    }
    let mut notes = Vec::new();
    let place = |half| vpn.side(half).map_or("the peer outside", |side| side.region.as_str());
    notes.push(format!(
        "From then on {} with {} and {} with {} reach each other.",
        place(Half::A),
        a.iter().join(", "),
        place(Half::B),
        across.iter().join(", ")
    ));
    if vpn.b().is_none() {
        notes.push("The owner of the peer outside has to set the same there, the other way round.".to_owned());
    }
    notes.push(interruption());
    notes.push("Instances need security-group rules for what is new across: osvpn admit.".to_owned());
    Ok(Proposal { change, notes })
}

/// Whether other subnets can be tunnelled at all, whichever they are.
///
/// # Errors
/// Every reason against it.
pub fn can_set_subnets(vpn: &Vpn) -> Result<(), Refused> {
    let problems = whatever_is_chosen(vpn);
    if problems.is_empty() { Ok(()) } else { Err(Refused(problems)) }
}

fn whatever_is_chosen(vpn: &Vpn) -> Vec<String> {
    let mut problems = Vec::new();
    if vpn.is_missing_a_half() {
        problems.push(format!("{} has only one half; finish or delete it first", vpn.name));
    }
    problems.extend(vpn.sides().filter(|(_, side)| side.is_legacy()).map(|(half, _)| {
        format!(
            "the half in {} is of the old kind, tied to one subnet; delete the VPN and make it anew",
            vpn.place(half)
        )
    }));
    problems
}

/// A half's peer endpoint group made anew with other ranges, for the diagnosis.
pub(super) fn mirror(
    seen: &Inspection,
    vpn: &Vpn,
    half: Half,
    side: &Side,
    ranges: &[IpNet],
) -> Result<Proposal, Refused> {
    if side.is_legacy() {
        return Err(Refused::because("a half of the old kind has no endpoint groups; delete the VPN and make it anew"));
    }
    let mut change = begin(Verb::SetSubnets, vpn);
    let groups = Groups { local: None, peer: Some(New::PeerGroup(ranges.to_vec())) };
    if let Some((side, update, old)) = groups.switch(seen, &mut change, side) {
        change.update(update);
        restart(&mut change, side);
        for id in old.into_iter().filter(|id| seen.shared_with(vpn, &side.region, id).is_empty()) {
            change.delete(Kind::EndpointGroup, object(side, &id, &group_name(seen, side, &id)));
        }
    }
    let notes = vec![
        format!("{} is told what the other half tunnels; the other half stays as it is.", vpn.place(half)),
        interruption(),
    ];
    Ok(Proposal { change, notes })
}

struct Groups {
    local: Option<New>,
    peer: Option<New>,
}

impl Groups {
    /// Makes the new groups, and says how the connection is switched to them and which ones it leaves.
    fn switch<'a>(self, seen: &Inspection, change: &mut Change, side: &'a Side) -> Option<(&'a Side, Update, Vec<Id>)> {
        let mut edits = ConnectionEdits::default();
        let mut old = Vec::new();
        let mut make = |new: New, before: &Option<Id>| {
            let before = before.clone()?;
            let survey = seen.surveys.get(&side.region)?;
            let (name, description) = survey
                .groups
                .iter()
                .find(|group| group.id == before)
                .map(|group| (group.name.clone(), group.description.clone()))
                .unwrap_or_default();
            let made = change.create(Create { region: side.region.clone(), name, description, object: new });
            old.push(before.clone());
            Some(Edit::new(Ref::Id(before), made))
        };
        edits.local_group = self.local.and_then(|new| make(new, &side.connection.local_group));
        edits.peer_group = self.peer.and_then(|new| make(new, &side.connection.peer_group));
        if old.is_empty() {
            return None;
        }
        let update = Update {
            region: side.region.clone(),
            id: side.connection.id.clone(),
            name: side.connection.name.clone(),
            edits: Edits::Connection(Box::new(edits)),
        };
        Some((side, update, old))
    }
}

fn group_name(seen: &Inspection, side: &Side, id: &Id) -> String {
    let groups = seen.surveys.get(&side.region).map_or(&[][..], |survey| &survey.groups);
    groups.iter().find(|group| group.id == *id).map_or_else(String::new, |group| group.name.clone())
}

/// The subnets a half is to tunnel, with their ranges.
fn chosen(
    seen: &Inspection,
    vpn: &Vpn,
    half: Half,
    side: &Side,
    wanted: &NewSubnets,
) -> Result<(Vec<Id>, Vec<IpNet>), Vec<String>> {
    let place = vpn.place(half);
    let inventory = seen.surveys.get(&side.region).map(|survey| &survey.inventory);
    let find = |id: &Id| inventory.and_then(|inventory| inventory.subnet(id));
    let ids = wanted.local.get(&half).unwrap_or(&side.subnets);
    let mut problems = Vec::new();
    let mut subnets: Vec<&Subnet> = Vec::new();
    for id in ids {
        match find(id) {
            None => problems.push(format!("{id} is not a subnet of {place}")),
            Some(subnet) if subnets.iter().any(|other| other.id == subnet.id) => {}
            Some(subnet) => {
                if side.router.as_ref().is_some_and(|router| !router.serves(&subnet.id)) {
                    problems.push(format!(
                        "{} ({}) is not attached to the VPN's router in {place}",
                        subnet.name, subnet.cidr
                    ));
                }
                subnets.push(subnet);
            }
        }
    }
    if subnets.is_empty() && problems.is_empty() {
        problems.push(format!("at least one subnet of {place} is needed"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok((subnets.iter().map(|one| one.id.clone()).collect(), in_order(subnets.iter().map(|one| one.cidr))))
}

/// What speaks against tunnelling these ranges with each other.
fn together(vpn: &Vpn, a: &[IpNet], across: &[IpNet]) -> Vec<String> {
    let mut problems = Vec::new();
    let is_v1 = vpn.sides().any(|(_, side)| side.ike.as_ref().is_some_and(|ike| ike.word("ike_version") == "v1"));
    if is_v1 && (a.len() > 1 || across.len() > 1) {
        problems.push(format!(
            "its IKE policy is IKEv1, which carries only the first pair of subnets; give it IKEv2 first: {}",
            vpn.command("doctor").words("--modernise")
        ));
    }
    let all: Vec<IpNet> = a.iter().chain(across).copied().collect();
    if all.iter().any(|range| range.addr().is_ipv4()) && all.iter().any(|range| range.addr().is_ipv6()) {
        problems.push("IPv4 and IPv6 cannot go into one connection".to_owned());
    }
    if let Some((ours, theirs)) = cidr::first_overlap(a, across).filter(|(_, theirs)| !cidr::is_everything(theirs)) {
        problems.push(format!("{ours} and {theirs} overlap; they could not be told apart across the tunnel"));
    }
    problems
}
