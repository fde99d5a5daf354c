//! Tunnelling other subnets: endpoints cannot be changed, so both halves get new groups and the old ones go.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::proposal::{Proposal, Refused, begin, interruption, object, one_half, restart};
use crate::change::{Change, ConnectionEdits, Create, Edit, Edits, KnownBy, New, Ref, Update, Verb};
use crate::cloud::{Detail, Id, Kind, Router, Subnet, Survey};
use crate::inspect::{Inspection, Side, Vpn, in_order};
use crate::plan::checks::{self, TunnelEnd, outside};
use crate::plan::policy::{IkeVersion, ONE_PAIR_ONLY};
use crate::plan::{Finding, Half, Known, Place, Severity, cidr};

/// The subnets each half is to tunnel from now on; a half that is not in it keeps its own. For an external peer, half B,
/// these are ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewSubnets {
    /// Ids of subnets of a half's router.
    pub local: BTreeMap<Half, Vec<Id>>,
    /// The ranges behind an external peer.
    pub outside: Option<Vec<IpNet>>,
}

/// New endpoint groups on both halves, both connections switched to them, the old groups deleted.
/// Errors: every reason against it: a subnet that is not on the router, ranges that overlap, several pairs with `IKEv1`, a
/// half of the old kind.
pub fn set_subnets(seen: &Inspection, vpn: &Vpn, wanted: &NewSubnets) -> Result<Proposal, Refused> {
    can_set_subnets(vpn)?;
    let carried = carried(seen, vpn, wanted, None)?;
    let mut change = begin(Verb::SetSubnets, vpn);
    let mut switches = Vec::new();
    for (half, side) in vpn.sides() {
        let (subnets, _) = &carried.local[&half];
        let remote = carried.remote(half);
        let groups = Groups {
            local: (*subnets != side.subnets).then(|| New::LocalGroup(subnets.clone())),
            peer: (in_order(remote.iter().copied()) != side.remote).then_some(New::PeerGroup(remote)),
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
    let mut notes = carried.warnings.clone();
    notes.push(carried.reach(vpn));
    if vpn.b().is_none() {
        notes.push("The owner of the external peer has to set the same there, the other way round.".to_owned());
    }
    notes.push(interruption());
    notes.push("Instances need security-group rules for the new ranges: osvpn admit.".to_owned());
    Ok(Proposal::new(change, notes))
}

/// Whether other subnets can be tunnelled at all, whichever they are.
/// Errors: every reason against it.
pub fn can_set_subnets(vpn: &Vpn) -> Result<(), Refused> {
    let problems = whatever_is_chosen(vpn);
    if problems.is_empty() { Ok(()) } else { Err(Refused(problems)) }
}

fn whatever_is_chosen(vpn: &Vpn) -> Vec<String> {
    let mut problems = Vec::new();
    if vpn.is_missing_a_half() {
        problems.push(one_half(vpn));
    }
    problems.extend(vpn.sides().filter(|(_, side)| side.is_legacy()).map(|(half, _)| {
        format!(
            "the half in {} is of the old kind, tied to one subnet; upgrade the VPN, with the subnets at once (--upgrade) or \
             before ({})",
            vpn.place(half),
            vpn.command("upgrade")
        )
    }));
    problems
}

/// A half's peer endpoint group recreated with other ranges, for the diagnosis.
pub(super) fn mirror(
    seen: &Inspection,
    vpn: &Vpn,
    half: Half,
    side: &Side,
    ranges: &[IpNet],
) -> Result<Proposal, Refused> {
    if side.is_legacy() {
        let text =
            format!("a half of the old kind has no endpoint groups; upgrade the VPN first: {}", vpn.command("upgrade"));
        return Err(Refused::because(text));
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
        format!("{} gets the ranges that the other half tunnels; the other half stays as it is.", vpn.place(half)),
        interruption(),
    ];
    Ok(Proposal::new(change, notes))
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
            let made = change.create(Create {
                region: side.region.clone(),
                name,
                description,
                object: new,
                known_by: KnownBy::Word,
            });
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

/// What each half is to tunnel, checked.
pub(super) struct Carried {
    pub(super) local: BTreeMap<Half, (Vec<Id>, Vec<IpNet>)>,
    pub(super) across: Vec<IpNet>,
    pub(super) warnings: Vec<String>,
}

impl Carried {
    /// The ranges a half is to expect behind its peer.
    pub(super) fn remote(&self, half: Half) -> Vec<IpNet> {
        match half {
            Half::A => self.across.clone(),
            Half::B => self.local.get(&Half::A).map(|(_, ranges)| ranges.clone()).unwrap_or_default(),
        }
    }

    /// Who reaches whom from then on.
    pub(super) fn reach(&self, vpn: &Vpn) -> String {
        let place = |half| vpn.side(half).map_or("the external peer", |side| side.region.as_str());
        format!(
            "From then on {} with {} and {} with {} reach each other.",
            place(Half::A),
            self.remote(Half::B).iter().join(", "),
            place(Half::B),
            self.across.iter().join(", ")
        )
    }
}

/// Holds what is wanted against every rule that a new VPN has to keep, too; with the IKE that both halves will speak, if that
/// is another.
pub(super) fn carried(
    seen: &Inspection,
    vpn: &Vpn,
    wanted: &NewSubnets,
    ike: Option<IkeVersion>,
) -> Result<Carried, Refused> {
    let mut problems = Vec::new();
    let mut ends: Vec<(Half, &Side, Seen<'_>)> = Vec::new();
    for (half, side) in vpn.sides() {
        match (seen.surveys.get(&side.region), &side.router) {
            (Some(survey), Some(router)) => ends.push((half, side, Seen::of(survey, router))),
            _ => problems.push(format!("the router of {} cannot be seen", vpn.place(half))),
        }
    }
    if !problems.is_empty() {
        return Err(Refused(problems));
    }
    let known: Vec<Known<'_>> = ends
        .iter()
        .map(|(_, side, at)| Known {
            region: &side.region,
            inventory: &at.survey.inventory,
            detail: Some(&at.detail),
            upgrades: None,
        })
        .collect();
    let mut found = Vec::new();
    let mut local: BTreeMap<Half, (Vec<Subnet>, Vec<IpNet>)> = BTreeMap::new();
    for ((half, side, at), known) in ends.iter().zip(&known) {
        let (subnets, findings) =
            checks::local(known, at.router, wanted.local.get(half).unwrap_or(&side.subnets), *half);
        found.extend(findings);
        let ranges = in_order(subnets.iter().map(|subnet| subnet.cidr));
        local.insert(*half, (subnets, ranges));
    }
    let across = match local.get(&Half::B) {
        Some((_, ranges)) => ranges.clone(),
        None => wanted.outside.clone().unwrap_or_else(|| vpn.a.remote.clone()),
    };
    let end = |at: usize, remote, across| -> Option<TunnelEnd<'_>> {
        let (half, side, seen) = ends.get(at)?;
        let peer = (side.connection.peer_address.parse().ok(), across);
        let (router, own, local) = (seen.router, seen.own.as_slice(), local.get(half)?.0.as_slice());
        Some(TunnelEnd {
            known: &known[at],
            router,
            own,
            peer,
            local,
            remote,
            remote_at: across,
            connection: Some(&side.connection.id),
        })
    };
    let place = if vpn.b().is_some() { Place::Subnets(Half::B) } else { Place::PeerCidrs };
    if let Some(a) = end(0, &across, place) {
        let b = local.get(&Half::A).and_then(|(_, ranges)| end(1, ranges, Place::Subnets(Half::A)));
        found.extend(checks::carried(&a, b.as_ref()));
    }
    if let (None, Err(problem)) = (vpn.b(), cidr::check_list(&across)) {
        found.push(Finding::refusal(place, problem.to_string()));
    }
    let (refusals, rest): (Vec<Finding>, Vec<Finding>) =
        found.into_iter().unique().partition(|finding| finding.severity == Severity::Refusal);
    let mut problems: Vec<String> = refusals.iter().map(|finding| said(vpn, finding)).collect();
    let many = local.get(&Half::A).map_or(0, |(_, ranges)| ranges.len());
    if vpn
        .sides()
        .filter_map(|(_, side)| ike.or(side.ike_version()))
        .any(|version| !version.carries(many, across.len()))
    {
        problems.push(one_pair_only(vpn));
    }
    if !problems.is_empty() {
        return Err(Refused(problems));
    }
    let warnings = rest.iter().filter(|finding| finding.severity == Severity::Warning);
    let warnings = warnings.map(|finding| format!("{}.", said(vpn, finding))).collect();
    let ids = |subnets: Vec<Subnet>| subnets.into_iter().map(|subnet| subnet.id).collect();
    let local = local.into_iter().map(|(half, (subnets, ranges))| (half, (ids(subnets), ranges))).collect();
    Ok(Carried { local, across, warnings })
}

/// Why `IKEv1` is in the way, and what to do. The policies of an external peer are its owner's.
fn one_pair_only(vpn: &Vpn) -> String {
    match vpn.b() {
        Some(_) => format!(
            "{ONE_PAIR_ONLY}; give it IKEv2, with the subnets at once (--upgrade) or before ({})",
            vpn.command("upgrade")
        ),
        None => format!(
            "{ONE_PAIR_ONLY}, and its peer is external; agree upon IKEv2 with the owner of the peer, then upgrade the VPN: {}",
            vpn.command("upgrade").words("--profile modern")
        ),
    }
}

/// What is known around a half.
struct Seen<'a> {
    survey: &'a Survey,
    router: &'a Router,
    detail: Detail,
    own: Vec<IpAddr>,
}

impl<'a> Seen<'a> {
    fn of(survey: &'a Survey, router: &'a Router) -> Self {
        let service = survey.inventory.services_on(&router.id).next();
        let detail = Detail { groups: survey.groups.clone(), ..Detail::default() };
        Self { survey, router, detail, own: outside::own_addresses(router, service) }
    }
}

/// A finding of the checks, said of a VPN that is there.
fn said(vpn: &Vpn, finding: &Finding) -> String {
    match finding.place {
        Place::Subnets(half) => format!("{}: {}", vpn.place(half), finding.text),
        _ => finding.text.clone(),
    }
}
