//! What can be said about a router, a subnet or two sides before anything is made. The wizard's lists and the plan ask
//! the same functions, so what a list offers is what a plan accepts.

mod carried;
pub mod existing;
pub mod outside;

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::cidr;
use super::findings::{Finding, Place};
use super::names::{Half, VpnName};
use super::shell::openstack;
use crate::cloud::{Detail, Id, Interfaces, Inventory, Kind, RegionId, Router, Status, Subnet, VpnService};

pub(crate) use carried::{TunnelEnd, carried, local};
pub(crate) use existing::Tunnelled;

#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub region: &'a RegionId,
    pub inventory: &'a Inventory,
    /// What was read once it was chosen; without it, ranges tunnelled already and quotas are not known.
    pub detail: Option<&'a Detail>,
    /// The legacy VPN services that are upgraded before anything is created, each with the name of its VPN.
    pub upgrades: Option<&'a BTreeMap<Id, String>>,
}

impl Known<'_> {
    /// The VPN of a legacy service that is upgraded before anything is created.
    fn upgraded_first(&self, service: &VpnService) -> Option<&str> {
        self.upgrades?.get(&service.id).map(String::as_str)
    }

    /// Whether a VPN of today's kind can be on that service.
    pub(super) fn can_hold(&self, service: &VpnService) -> bool {
        service.legacy_subnet.is_none() || self.upgraded_first(service).is_some()
    }
}

pub fn router(known: &Known<'_>, router: &Router, half: Half) -> Vec<Finding> {
    let place = Place::Router(half);
    let mut found = Vec::new();
    if !router.has_gateway() {
        let text = format!(
            "has no external gateway; set one with: {}",
            openstack(known.region, "router set --external-gateway NETWORK").operand(&router.id)
        );
        found.push(Finding::refusal(place, text));
    } else if router.external_v4.is_empty() && router.external_v6.is_empty() {
        found.push(Finding::refusal(place, "has a gateway, but no address on it"));
    }
    if !router.admin_state_up {
        found.push(Finding::refusal(
            place,
            format!(
                "is disabled; enable it with: {}",
                openstack(known.region, "router set --enable").operand(&router.id)
            ),
        ));
    } else if router.status != Status::Active {
        let text = format!("is {}, so no tunnel will come up before the cloud has it ACTIVE", router.status);
        found.push(Finding::warning(place, text));
    }
    found.extend(services(known, router, place));
    if let [first, _, ..] = router.external_v4.as_slice() {
        let all = router.external_v4.iter().join(", ");
        found.push(Finding::warning(
            place,
            format!("has several IPv4 addresses ({all}); the cloud chooses, usually {first}"),
        ));
    } else if router.has_gateway() && router.external_v4.is_empty() && !router.external_v6.is_empty() {
        found.push(Finding::warning(place, "has only IPv6 outside; the other end must have IPv6 too"));
    }
    if let Some(address) = router.external_v4.first().filter(|address| cidr::is_private(IpAddr::V4(**address))) {
        let text = format!(
            "its address {address} is private: an end outside this cloud's network reaches it only through NAT"
        );
        found.push(Finding::warning(place, text));
    }
    found
}

fn services(known: &Known<'_>, router: &Router, place: Place) -> Vec<Finding> {
    // A second service on a router takes the first one's configuration away, and this may be the first.
    if let Some(unfit) = known.inventory.unfit_of(Kind::VpnService).next() {
        let text = format!("may hold a VPN service that cannot be read ({unfit}); delete that one first");
        return vec![Finding::refusal(place, text)];
    }
    let services: Vec<_> = known.inventory.services_on(&router.id).collect();
    let [service] = services.as_slice() else {
        if services.is_empty() {
            return Vec::new();
        }
        let ids = services.iter().map(|service| service.id.as_str()).join(", ");
        let text = format!(
            "holds {} VPN services, of which only one can work; delete the others first: {ids}",
            services.len()
        );
        return vec![Finding::refusal(place, text)];
    };
    if service.legacy_subnet.is_some() {
        let Some(vpn) = known.upgraded_first(service) else {
            let is_used = known.inventory.connections.iter().any(|connection| connection.service == service.id);
            let what = if is_used {
                "upgrade its VPN first (osvpn upgrade; osvpn list names it)".to_owned()
            } else {
                format!("delete it first: {}", openstack(known.region, "vpn service delete").operand(&service.id))
            };
            let text = format!(
                "holds a legacy VPN service ({}, tied to one subnet, as create-vpn.sh creates it) that takes no endpoint \
                 groups; choose another router, or {what}",
                service.name
            );
            return vec![Finding::refusal(place, text)];
        };
        let text = format!(
            "holds the legacy VPN {vpn}, which is upgraded first: every tunnel of the router is down for some seconds then"
        );
        return vec![Finding::warning(place, text)];
    }
    if service.status == Status::Error {
        let text = format!(
            "holds a VPN service in ERROR; delete it first: {}",
            openstack(known.region, "vpn service delete").operand(&service.id)
        );
        return vec![Finding::refusal(place, text)];
    }
    let mut found = Vec::new();
    if !service.admin_state_up {
        let text = format!(
            "its VPN service is disabled; enable it with: {}",
            openstack(known.region, "vpn service set --enable").operand(&service.id)
        );
        found.push(Finding::warning(place, text));
    }
    let others = known.inventory.connections.iter().filter(|connection| connection.service == service.id).count();
    let text =
        format!("holds the VPN service {} already ({others} connection{}); it is reused", service.name, plural(others));
    found.push(Finding::notice(place, text));
    found
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// That a VPN of that name exists: commands name a VPN by it.
pub fn name(name: &VpnName, known: &[Known<'_>]) -> Option<Finding> {
    let prefix = format!("{name}_");
    let same =
        |known: &&Known<'_>| known.inventory.connections.iter().any(|connection| connection.name.starts_with(&prefix));
    let known = known.iter().find(same)?;
    let text = format!(
        "{} already has a connection whose name starts with {prefix}; another name would tell them apart",
        known.region
    );
    Some(Finding::warning(Place::Name, text))
}

pub fn subnet(known: &Known<'_>, router: &Router, subnet: &Subnet, half: Half) -> Vec<Finding> {
    let place = Place::Subnets(half);
    let Some(interfaces) = &router.interfaces else {
        return vec![Finding::refusal(place, format!("the subnets of {} have not been read", router.name))];
    };
    let Some(interface) = interfaces.in_subnet(&subnet.id).first() else {
        let stands_on = |other: &&Router| other.id != router.id && other.serves(&subnet.id) == Some(true);
        // The address of its gateway is taken there.
        let text = match known.inventory.routers.iter().find(stands_on) {
            Some(other) => {
                format!("is on {}, and not on {}; a VPN tunnels the subnets of its own router", other.name, router.name)
            }
            None => format!(
                "is not attached to {}; attach it with: {}",
                router.name,
                openstack(known.region, "router add subnet").operand(&router.id).operand(&subnet.id)
            ),
        };
        return vec![Finding::refusal(place, text)];
    };
    match subnet.gateway {
        Some(gateway) if gateway != interface.address => {
            let text = format!(
                "sends its traffic to {gateway}, not to this router ({}); its instances need a host route through the VPN",
                interface.address
            );
            vec![Finding::warning(place, text)]
        }
        None => vec![Finding::warning(place, "has no gateway; its instances need a host route through the VPN")],
        Some(_) => Vec::new(),
    }
}

/// What speaks against carrying a remote range from that router to these local subnets: what is tunnelled there already,
/// and the router's own subnets.
fn remote(
    known: &Known<'_>,
    router: &Router,
    local: &[Id],
    ranges: &[IpNet],
    own: Option<&Id>,
    place: Place,
) -> Vec<Finding> {
    let mut found = existing::same_ranges(known, router, local, ranges, own, place);
    let (subnets, local) = (known.inventory.subnets_by_id(), HashSet::<&Id>::from_iter(local));
    let interfaces = router.interfaces.iter().flat_map(Interfaces::iter);
    for interface in interfaces.filter(|interface| !local.contains(&interface.subnet)) {
        let Some(own) = subnets.get(&interface.subnet) else { continue };
        let mut named = ranges.iter().filter(|range| !cidr::is_everything(range));
        if let Some(range) = named.find(|range| cidr::overlap(range, &own.cidr)) {
            let text = format!(
                "{range} overlaps {} ({}) on {}: that subnet would lose its own addresses to the tunnel",
                own.cidr, own.name, router.name
            );
            found.push(Finding::warning(place, text));
        }
    }
    found
}

/// What speaks against connecting these local ranges with those remote ones. A remote default route does not: it
/// is no claim to the local ranges; [`outside::captured`] says what it leads to.
pub fn sides(local: &[IpNet], remote: &[IpNet], place: Place) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some((a, b)) = cidr::on_both_sides(local, remote) {
        let text = if a == b {
            format!("{a} is on both sides; a tunnel cannot carry the same range on both sides")
        } else {
            format!("{b} overlaps {a} on the other side; a tunnel cannot carry both")
        };
        found.push(Finding::refusal(place, text));
    }
    if let (Some(a), Some(b)) = (local.first(), remote.first())
        && a.addr().is_ipv4() != b.addr().is_ipv4()
    {
        found.push(Finding::refusal(
            place,
            format!("{b} and {a} are of different IP versions; both sides need the same"),
        ));
    }
    found
}

pub fn together(subnets: &[&Subnet], half: Half) -> Vec<Finding> {
    let first = subnets.first();
    let odd =
        first.and_then(|first| subnets.iter().find(|other| other.cidr.addr().is_ipv4() != first.cidr.addr().is_ipv4()));
    match (first, odd) {
        (Some(first), Some(odd)) => {
            let text = format!(
                "{} and {} are of different IP versions; one connection carries only one",
                first.cidr, odd.cidr
            );
            vec![Finding::refusal(Place::Subnets(half), text)]
        }
        _ => Vec::new(),
    }
}

/// What the region's quota and capabilities have to say, if that many objects of each kind are created.
pub(crate) fn capacity(known: &Known<'_>, needed: &[(&str, u64)], half: Half) -> Vec<Finding> {
    let place = Place::Region(half);
    if !known.inventory.extensions.has_vpnaas() {
        return vec![Finding::refusal(
            place,
            format!("{} has no VPN service (VPNaaS with endpoint groups)", known.region),
        )];
    }
    let Some(detail) = known.detail else { return Vec::new() };
    let full = |(kind, more): &(&str, u64)| {
        let quota = detail.quotas.get(*kind)?;
        let limit = quota.limit.filter(|_| !quota.allows(*more))?;
        Some(Finding::refusal(
            place,
            format!(
                "the quota of {} for {kind} is used up ({} of {limit}); ask for more, or delete what is unused",
                known.region, quota.used
            ),
        ))
    };
    needed.iter().filter_map(full).collect()
}
