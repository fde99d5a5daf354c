//! Which connections are the two halves of one VPN: by their marks, else by what they say of each other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::{Across, Side, Vpn, name_of, outside};
use crate::cloud::{EndpointGroup, Id, RegionId, SiteConnection, Status, Survey};
use crate::plan::{Half, VpnId};

/// Every connection as a half of a VPN, alone or with its partner; by name, then region and id.
pub(super) fn match_up(surveys: &BTreeMap<RegionId, Survey>) -> Vec<Vpn> {
    let mut alone: Vec<Side> = surveys
        .iter()
        .flat_map(|(region, survey)| {
            survey.inventory.connections.iter().map(|connection| side(region, survey, connection))
        })
        .collect();
    let all = alone.clone();
    let mut vpns = by_mark(&mut alone);
    let mut known: BTreeSet<VpnId> = vpns.iter().filter_map(|vpn| vpn.id.clone()).collect();
    // A half that is there twice: what is done to the second is not done to the VPN of that id.
    let mut once = |vpn: Vpn| Vpn { id: vpn.id.filter(|id| known.insert(id.clone())), ..vpn };
    vpns.extend(by_content(&mut alone, &all).into_iter().map(&mut once));
    let taken: BTreeSet<Id> =
        vpns.iter().flat_map(|vpn| vpn.sides().map(|(_, side)| side.connection.id.clone())).collect();
    alone.sort_by(|one, other| one.connection.id.cmp(&other.connection.id));
    vpns.extend(alone.into_iter().map(|side| once(single(side, surveys, &taken))));
    vpns.sort_by(|a, b| (&a.name, &a.a.region, &a.a.connection.id).cmp(&(&b.name, &b.a.region, &b.a.connection.id)));
    vpns
}

fn side(region: &RegionId, survey: &Survey, connection: &SiteConnection) -> Side {
    let inventory = &survey.inventory;
    let service = inventory.services.iter().find(|service| service.id == connection.service).cloned();
    let router = service.as_ref().and_then(|service| inventory.router(&service.router)).cloned();
    let group = |id: &Option<Id>| survey.groups.iter().find(|group| Some(&group.id) == id.as_ref());
    let legacy = service.as_ref().and_then(|service| service.legacy_subnet.clone());
    let subnets: Vec<Id> = match (&connection.local_group, group(&connection.local_group)) {
        (Some(_), Some(group)) => group.endpoints.iter().map(|id| Id::new(id.as_str())).collect(),
        (Some(_), None) => Vec::new(),
        (None, _) => legacy.into_iter().collect(),
    };
    let ranges: Option<Vec<IpNet>> = subnets.iter().map(|id| inventory.subnet(id).map(|subnet| subnet.cidr)).collect();
    let remote = group(&connection.peer_group).map(ranges_of).unwrap_or_default();
    Side {
        region: region.clone(),
        ike: survey.ike_policies.iter().find(|policy| policy.id == connection.ike_policy).cloned(),
        ipsec: survey.ipsec_policies.iter().find(|policy| policy.id == connection.ipsec_policy).cloned(),
        local: ranges.filter(|ranges| !ranges.is_empty()).map(in_order),
        remote: in_order(connection.peer_cidrs.iter().copied().chain(remote)),
        mark: connection.description.split_whitespace().find_map(VpnId::of_mark),
        connection: connection.clone(),
        subnets,
        service,
        router,
    }
}

fn ranges_of(group: &EndpointGroup) -> Vec<IpNet> {
    group.endpoints.iter().filter_map(|text| text.parse::<IpNet>().ok()).map(|range| range.trunc()).collect()
}

/// Ranges as a [`Side`] has them: in order, each once.
pub fn in_order(ranges: impl IntoIterator<Item = IpNet>) -> Vec<IpNet> {
    ranges.into_iter().sorted_unstable().dedup().collect()
}

/// Takes out of `alone` the halves whose marks name each other.
fn by_mark(alone: &mut Vec<Side>) -> Vec<Vpn> {
    let marked: BTreeSet<VpnId> = alone.iter().filter_map(|side| side.mark.clone()).map(|(id, _)| id).collect();
    let mut vpns = Vec::new();
    for id in marked {
        // Of a half that is there twice always the same one is taken, in whatever order a cloud lists them.
        let place = |half| {
            let marked = alone.iter().enumerate().filter(|(_, side)| side.mark == Some((id.clone(), half)));
            marked.min_by_key(|(_, side)| &side.connection.id).map(|(place, _)| place)
        };
        let (Some(a), Some(b)) = (place(Half::A), place(Half::B)) else { continue };
        let (first, second) = (a.max(b), a.min(b));
        let (later, earlier) = (alone.remove(first), alone.remove(second));
        vpns.push(if a > b { pair(later, earlier) } else { pair(earlier, later) });
    }
    vpns
}

fn pair(a: Side, b: Side) -> Vpn {
    // Of an unmarked pair the half that has a mark, or else A, names it.
    let named = if a.mark.is_none() && b.mark.is_some() { &b } else { &a };
    let id = named.mark.as_ref().map(|(id, _)| id.clone());
    Vpn { name: name_of(&named.connection.name), id, a, across: Across::Half(Box::new(b)) }
}

/// Takes out of `alone` the halves that say the same of each other, the surest pairs first.
fn by_content(alone: &mut Vec<Side>, all: &[Side]) -> Vec<Vpn> {
    let mut likely = Vec::new();
    for (i, a) in alone.iter().enumerate() {
        for (j, b) in alone.iter().enumerate().skip(i + 1) {
            let likelihood = likelihood(a, b, all);
            if likelihood > 0 {
                likely.push((likelihood, i, j));
            }
        }
    }
    // Of equally sure pairs always the same ones are taken, in whatever order a cloud lists them.
    let ids = |i: usize, j: usize| {
        let (i, j) = (&alone[i].connection.id, &alone[j].connection.id);
        (i.min(j).clone(), i.max(j).clone())
    };
    likely.sort_by_key(|(likelihood, i, j)| (Reverse(*likelihood), ids(*i, *j)));
    let mut partner = BTreeMap::new();
    for (_, i, j) in likely {
        if !partner.contains_key(&i) && !partner.contains_key(&j) {
            partner.insert(i, j);
            partner.insert(j, i);
        }
    }
    let mut sides: BTreeMap<usize, Side> = std::mem::take(alone).into_iter().enumerate().collect();
    let mut vpns = Vec::new();
    for (i, j) in partner.into_iter().filter(|(i, j)| i < j) {
        if let (Some(a), Some(b)) = (sides.remove(&i), sides.remove(&j)) {
            let is_turned = a.mark.as_ref().is_some_and(|(_, half)| *half == Half::B);
            vpns.push(if is_turned { pair(b, a) } else { pair(a, b) });
        }
    }
    alone.extend(sides.into_values());
    vpns
}

/// How likely two connections are halves of one VPN; 0 for not at all. Crossed addresses settle it. With only one
/// pointing at the other, or with ranges alone, it takes that the rest is nobody else's: then one of them is wrong, and
/// that is what is to be found out.
fn likelihood(a: &Side, b: &Side, all: &[Side]) -> u32 {
    let router = |side: &Side| side.service.as_ref().map(|service| service.router.clone());
    if a.region == b.region && router(a) == router(b) {
        return 0;
    }
    // Marks say for sure whose half is whose.
    if let (Some((of_a, half_a)), Some((of_b, half_b))) = (&a.mark, &b.mark)
        && (of_a != of_b || half_a == half_b)
    {
        return 0;
    }
    let (ab, ba) = (a.points_at(b), b.points_at(a));
    let mirrors = |one: &Side, other: &Side| one.local.as_ref().is_some_and(|local| *local == other.remote);
    let mirrored = u32::from(mirrors(a, b)) + u32::from(mirrors(b, a));
    // What osvpn or a script made has one name on both sides.
    let sure = 2 * mirrored + u32::from(name_of(&a.connection.name) == name_of(&b.connection.name));
    // One that is up has found its peer, wherever that is; unless these two have all their ranges in common, and nobody has
    // looked since an address changed.
    let is_astray = |side: &Side| {
        (side.connection.status != Status::Active || mirrored == 2)
            && !all.iter().any(|other| other.connection.id != side.connection.id && side.points_at(other))
    };
    match (ab, ba) {
        (true, true) => 20 + sure,
        (true, false) if is_astray(b) => 10 + sure,
        (false, true) if is_astray(a) => 10 + sure,
        (false, false) if mirrored == 2 && is_astray(a) && is_astray(b) => sure,
        _ => 0,
    }
}

/// A connection without a partner: its peer is outside, or its other half is missing.
fn single(side: Side, surveys: &BTreeMap<RegionId, Survey>, taken: &BTreeSet<Id>) -> Vpn {
    let across = missing(&side, surveys, taken).unwrap_or(Across::Outside);
    let id = side.mark.as_ref().map(|(id, _)| id.clone());
    Vpn { name: name_of(&side.connection.name), id, a: side, across }
}

/// Whether the other half should be in this project, and what tells so.
fn missing(side: &Side, surveys: &BTreeMap<RegionId, Survey>, taken: &BTreeSet<Id>) -> Option<Across> {
    let at = |region: &RegionId, because: String| Some(Across::Missing { region: Some(region.clone()), because });
    if let Some((id, half)) = &side.mark {
        let other = id.mark(half.other());
        let is_marked = |description: &str| description.split_whitespace().any(|word| word == other);
        for (region, survey) in surveys {
            let services = survey.inventory.services.iter().map(|one| &one.description);
            let policies = survey.ike_policies.iter().chain(&survey.ipsec_policies).map(|one| &one.description);
            let groups = survey.groups.iter().map(|one| &one.description);
            if services.chain(policies).chain(groups).any(|description| is_marked(description)) {
                return at(region, format!("objects of its half {} are there", half.other()));
            }
        }
        if *half == Half::B {
            return Some(Across::Missing {
                region: None,
                because: "it is marked as the second of two halves".to_owned(),
            });
        }
    }
    let peer = side.connection.peer_address.parse::<IpAddr>().ok()?;
    for (region, survey) in surveys {
        let inventory = &survey.inventory;
        for service in &inventory.services {
            let has =
                service.external_v4.map(IpAddr::V4) == Some(peer) || service.external_v6.map(IpAddr::V6) == Some(peer);
            if has && side.connection.service != service.id {
                let others = inventory.connections.iter().filter(|one| one.service == service.id);
                let what = match others.filter(|one| taken.contains(&one.id)).count() {
                    0 => "has no connection back",
                    _ => "has connections, but none back that is not part of another VPN",
                };
                return at(region, format!("{peer} is the VPN service {} of this project, which {what}", service.name));
            }
        }
        if let Some(router) = inventory.routers.iter().find(|router| outside(router).any(|address| address == peer))
            && side.router.as_ref().is_none_or(|own| own.id != router.id)
        {
            return at(region, format!("{peer} is the router {} of this project", router.name));
        }
    }
    None
}
