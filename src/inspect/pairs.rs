//! Which connections are the two halves of one VPN: by what they say of each other. A marker decides only among equals,
//! for a description can be copied; and where nothing decides, nothing is guessed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::evidence::Evidence;
use super::nearby::Nearby;
use super::vpn::{address_of, name_of};
use super::{ConnectionName, EqualKeys, OtherHalf, Side, Vpn, outside};
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Id, RegionId, SiteConnection, Subnet, Survey, VpnService};
use crate::plan::checks::Tunnelled;
use crate::plan::sharing::is_same_identity;
use crate::plan::{Half, VpnId};

/// Every connection as a half of a VPN, alone or with its partner; by name, then region and id.
pub(super) fn match_up(surveys: &BTreeMap<RegionId, Survey>, keys: &EqualKeys) -> Vec<Vpn> {
    let sides = sides(surveys);
    let nearby = Nearby::of(&sides);
    let matching = Matching::of(&nearby, |edge| Evidence::of(edge, &nearby, keys));
    let mut vpns: Vec<Vpn> = matching.pairs.iter().map(|(a, b)| pair(sides[*a].clone(), sides[*b].clone())).collect();
    let taken: BTreeSet<Id> =
        vpns.iter().flat_map(|vpn| vpn.sides().map(|(_, side)| side.connection.id.clone())).collect();
    let whole: BTreeSet<(VpnId, Half)> =
        vpns.iter().flat_map(|vpn| vpn.sides().filter_map(|(_, side)| side.mark.clone())).collect();
    for (place, side) in sides.iter().enumerate() {
        if !taken.contains(&side.connection.id) {
            let across = match matching.tied.get(&place) {
                Some(candidates) => {
                    OtherHalf::Ambiguous(candidates.iter().map(|place| ConnectionName::of(&sides[*place])).collect())
                }
                None => missing(side, surveys, &taken, &whole).unwrap_or(OtherHalf::Outside),
            };
            vpns.push(single(side.clone(), across));
        }
    }
    tell_doubles(&mut vpns);
    tell_names(&mut vpns);
    vpns.sort_by(|a, b| (&a.name, &a.a.region, &a.a.connection.id).cmp(&(&b.name, &b.a.region, &b.a.connection.id)));
    vpns
}

/// The connections whose partner depends on more than what they say of each other: their keys are worth reading.
pub(super) fn contested(surveys: &BTreeMap<RegionId, Survey>) -> Vec<(RegionId, Id)> {
    let sides = sides(surveys);
    let nearby = Nearby::of(&sides);
    let keys = EqualKeys::default();
    let matching = Matching::of(&nearby, |edge| Evidence::of(edge, &nearby, &keys).map(Evidence::of_content));
    matching.tied.keys().map(|place| (sides[*place].region.clone(), sides[*place].connection.id.clone())).collect()
}

/// Which of some connections belong together, by their places.
#[derive(Default)]
struct Matching {
    pairs: Vec<(usize, usize)>,
    paired: BTreeSet<usize>,
    /// Those of which nothing tells which of several is the partner, with these.
    tied: BTreeMap<usize, BTreeSet<usize>>,
}

impl Matching {
    /// The surest pairs first. A connection that several fit equally well is left unpaired.
    fn of(nearby: &Nearby<'_>, evidence: impl Fn((usize, usize)) -> Option<Evidence>) -> Self {
        let mut levels: BTreeMap<Reverse<Evidence>, Vec<(usize, usize)>> = BTreeMap::new();
        for edge in nearby.edges() {
            if let Some(evidence) = evidence(edge) {
                levels.entry(Reverse(evidence)).or_default().push(edge);
            }
        }
        let mut matching = Self::default();
        for (Reverse(evidence), edges) in levels {
            let free: Vec<(usize, usize)> = edges.into_iter().filter(|edge| matching.are_free(*edge)).collect();
            let partners = free.iter().flat_map(|(one, other)| [*one, *other]).counts();
            let is_clear = |(one, other): &(usize, usize)| partners[one] == 1 && partners[other] == 1;
            let (clear, tied): (Vec<_>, Vec<_>) = free.into_iter().partition(is_clear);
            for edge in clear {
                matching.pair(edge);
            }
            for edge @ (one, other) in tied {
                if !evidence.is_of_equals() {
                    matching.tied.entry(one).or_default().insert(other);
                    matching.tied.entry(other).or_default().insert(one);
                } else if matching.are_free(edge) {
                    matching.pair(edge);
                }
            }
        }
        matching
    }

    fn pair(&mut self, (one, other): (usize, usize)) {
        self.pairs.push((one, other));
        self.paired.extend([one, other]);
    }

    fn are_free(&self, (one, other): (usize, usize)) -> bool {
        let is_taken = |place| self.tied.contains_key(&place) || self.paired.contains(&place);
        !is_taken(one) && !is_taken(other)
    }
}

/// In an order of their own, whatever the lists' order was.
fn sides(surveys: &BTreeMap<RegionId, Survey>) -> Vec<Side> {
    let sides = surveys.iter().flat_map(|(region, survey)| {
        survey.inventory.connections.iter().map(|connection| side(region, survey, connection))
    });
    sides.sorted_by(|a, b| (&a.region, &a.connection.id).cmp(&(&b.region, &b.connection.id))).collect()
}

/// A connection as a half of a VPN, with everything around it.
pub(super) fn side(region: &RegionId, survey: &Survey, connection: &SiteConnection) -> Side {
    let inventory = &survey.inventory;
    let service = inventory.services.iter().find(|service| service.id == connection.service).cloned();
    let router = service.as_ref().and_then(|service| inventory.router(&service.router)).cloned();
    let group = |id: &Option<Id>| survey.groups.iter().find(|group| Some(&group.id) == id.as_ref());
    let legacy = service.as_ref().and_then(|service| service.legacy_subnet.clone());
    let Tunnelled { local, remote, .. } = Tunnelled::of(connection, inventory, &survey.groups);
    let serves = |subnet: &Subnet| router.as_ref().is_some_and(|router| router.serves(&subnet.id) == Some(true));
    let subnets: Vec<Id> = match (&connection.local_group, group(&connection.local_group)) {
        (Some(_), Some(group)) if group.kind == "cidr" => {
            let is_listed = |subnet: &&Subnet| local.iter().flatten().any(|range| *range == subnet.cidr);
            inventory.subnets.iter().filter(is_listed).filter(|one| serves(one)).map(|one| one.id.clone()).collect()
        }
        (Some(_), Some(group)) => group.endpoints.iter().map(|id| Id::new(id.as_str())).collect(),
        (Some(_), None) => Vec::new(),
        (None, _) => legacy.into_iter().collect(),
    };
    let is_rival = |other: &&SiteConnection| {
        other.id != connection.id
            && other.service == connection.service
            && is_one_peer(connection, other, service.as_ref())
    };
    Side {
        region: region.clone(),
        ike: survey.ike_policies.iter().find(|policy| policy.id == connection.ike_policy).cloned(),
        ipsec: survey.ipsec_policies.iter().find(|policy| policy.id == connection.ipsec_policy).cloned(),
        local: local.filter(|ranges| !ranges.is_empty()).map(in_order),
        remote: in_order(remote),
        mark: VpnId::of_description(&connection.description),
        rivals: inventory.connections.iter().filter(is_rival).map(|other| other.id.clone()).collect(),
        connection: connection.clone(),
        subnets,
        service,
        router,
    }
}

/// Whether two connections of one service go to the same peer under the same two identities.
fn is_one_peer(one: &SiteConnection, other: &SiteConnection, service: Option<&VpnService>) -> bool {
    let own = |connection: &SiteConnection| match (connection.local_id.as_str(), service) {
        ("", Some(service)) => address_of(service, connection).map_or_else(String::new, |own| own.to_string()),
        (id, _) => id.to_owned(),
    };
    is_same_identity(&one.peer_address, &other.peer_address)
        && is_same_identity(&one.peer_id, &other.peer_id)
        && is_same_identity(&own(one), &own(other))
}

/// Ranges as a [`Side`] has them: in order, each once.
pub fn in_order(ranges: impl IntoIterator<Item = IpNet>) -> Vec<IpNet> {
    ranges.into_iter().sorted_unstable().dedup().collect()
}

fn pair(one: Side, other: Side) -> Vpn {
    let is_turned = one.mark.as_ref().is_some_and(|(_, half)| *half == Half::B)
        || other.mark.as_ref().is_some_and(|(_, half)| *half == Half::A) && one.mark.is_none();
    let (a, b) = if is_turned { (other, one) } else { (one, other) };
    // The half that has a marker, or else A, names it.
    let named = if a.mark.is_none() && b.mark.is_some() { &b } else { &a };
    // A marker can be copied: on one half alone it does not make the VPN that of its id.
    let is_on_both = |id: &&VpnId| [&a, &b].into_iter().all(|side| side.mark.as_ref().is_some_and(|(of, _)| of == *id));
    let id = named.mark.as_ref().map(|(id, _)| id).filter(is_on_both).cloned();
    vpn(name_of(&named.connection.name), id, a, OtherHalf::Found(Box::new(b)))
}

fn single(side: Side, other_half: OtherHalf) -> Vpn {
    let id = side.mark.as_ref().map(|(id, _)| id.clone());
    vpn(name_of(&side.connection.name), id, side, other_half)
}

const fn vpn(name: String, id: Option<VpnId>, a: Side, other_half: OtherHalf) -> Vpn {
    Vpn { name, is_named_alone: false, id, a, other_half, doubles: Vec::new() }
}

/// Tells each VPN whether its name means it alone.
fn tell_names(vpns: &mut [Vpn]) {
    let words = |vpn: &Vpn| -> Vec<String> {
        let connections =
            vpn.sides().flat_map(|(_, side)| [side.connection.name.clone(), side.connection.id.to_string()]);
        connections.chain([vpn.name.clone()]).unique().collect()
    };
    let counts = vpns.iter().flat_map(words).counts();
    for vpn in vpns {
        let is_like_an_id =
            vpn.name.chars().all(|c| c.is_ascii_hexdigit() || c == '-') || VpnId::of_word(&vpn.name).is_some();
        vpn.is_named_alone = counts.get(&vpn.name) == Some(&1) && !is_like_an_id;
    }
}

/// Tells each VPN which other connections carry the marker of one of its halves, and leaves the id to the one VPN that has
/// the best claim to it: what is done to another is not done to the VPN of that id.
fn tell_doubles(vpns: &mut [Vpn]) {
    let marked: Vec<(usize, (VpnId, Half), ConnectionName)> = vpns
        .iter()
        .enumerate()
        .flat_map(|(place, vpn)| {
            vpn.sides().filter_map(move |(_, side)| Some((place, side.mark.clone()?, ConnectionName::of(side))))
        })
        .collect();
    let claims: Vec<Option<(VpnId, usize)>> = vpns.iter().map(claim).collect();
    let mut of_mark: BTreeMap<&(VpnId, Half), Vec<(usize, &ConnectionName)>> = BTreeMap::new();
    for (place, mark, name) in &marked {
        of_mark.entry(mark).or_default().push((*place, name));
    }
    let mut of_id: BTreeMap<&VpnId, Vec<(usize, usize)>> = BTreeMap::new();
    for (place, claim) in claims.iter().enumerate() {
        if let Some((id, strength)) = claim {
            of_id.entry(id).or_default().push((place, *strength));
        }
    }
    for (place, vpn) in vpns.iter_mut().enumerate() {
        let own: BTreeSet<(VpnId, Half)> = vpn.sides().filter_map(|(_, side)| side.mark.clone()).collect();
        let others = own.iter().flat_map(|mark| of_mark[mark].iter().map(move |(of, name)| (*of, mark.1, *name)));
        let others = others.filter(|(of, ..)| *of != place).sorted_by_key(|(of, ..)| *of);
        vpn.doubles = others.map(|(_, half, name)| (half, name.clone())).collect();
        let is_outdone = claims[place]
            .as_ref()
            .is_some_and(|(id, strength)| of_id[id].iter().any(|(of, theirs)| *of != place && theirs >= strength));
        if is_outdone {
            vpn.id = None;
        }
    }
}

/// The id a VPN goes by, and how many of its halves carry it as they should.
fn claim(vpn: &Vpn) -> Option<(VpnId, usize)> {
    let id = vpn.id.clone()?;
    let halves =
        vpn.sides().filter_map(|(_, side)| side.mark.as_ref()).filter(|(of, _)| *of == id).map(|(_, half)| half);
    Some((id.clone(), halves.unique().count()))
}

/// Whether the other half should be in this project, and what tells so.
///
/// `whole` are the markers of halves that have their partner: what is left of those VPNs lacks nothing.
fn missing(
    side: &Side,
    surveys: &BTreeMap<RegionId, Survey>,
    taken: &BTreeSet<Id>,
    whole: &BTreeSet<(VpnId, Half)>,
) -> Option<OtherHalf> {
    let at = |region: &RegionId, because: String| Some(OtherHalf::Missing { region: Some(region.clone()), because });
    if side.points_at_itself() {
        let because = format!("its peer address {} is its own", side.connection.peer_address);
        return Some(OtherHalf::Missing { region: None, because });
    }
    if let Some((id, half)) = side.mark.as_ref().filter(|mark| !whole.contains(mark)) {
        let other = id.mark(half.other());
        for (region, survey) in surveys {
            let services = survey.inventory.services.iter().map(|one| &one.description);
            let policies = survey.ike_policies.iter().chain(&survey.ipsec_policies).map(|one| &one.description);
            let groups = survey.groups.iter().map(|one| &one.description);
            if services.chain(policies).chain(groups).any(|description| is_marked(description, &other)) {
                return at(region, format!("objects of its half {} are there", half.other()));
            }
        }
        if *half == Half::B {
            return Some(OtherHalf::Missing {
                region: None,
                because: "it is marked as the second of two halves".to_owned(),
            });
        }
    }
    let peer = side.connection.peer_address.parse::<IpAddr>().ok()?;
    for (region, survey) in surveys {
        let inventory = &survey.inventory;
        for service in &inventory.services {
            let has = service.addresses().any(|address| address == peer);
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
