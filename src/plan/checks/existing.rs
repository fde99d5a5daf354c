//! The connections that are there already, and how a new one gets on with them.

use ipnet::IpNet;
use itertools::Itertools;

use super::Known;
use crate::cloud::{EndpointGroup, Id, Inventory, Router, SiteConnection};
use crate::plan::HalfPlan;
use crate::plan::cidr;
use crate::plan::findings::{Finding, Place};
use crate::plan::peer::PeerAddress;
use crate::plan::shell::osvpn;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnelled<'a> {
    pub connection: &'a SiteConnection,
    /// The ranges on this side; none if not all of them can be known.
    pub local: Option<Vec<IpNet>>,
    pub remote: Vec<IpNet>,
}

impl<'a> Known<'a> {
    pub fn tunnelled(&self, router: &Id) -> Vec<Tunnelled<'a>> {
        let inventory = self.inventory;
        let groups = self.detail.map_or(&[][..], |detail| &detail.groups);
        let services: Vec<&Id> = inventory.services_on(router).map(|service| &service.id).collect();
        let on_router = |connection: &&SiteConnection| services.contains(&&connection.service);
        let carried = |connection| Tunnelled::of(connection, inventory, groups);
        inventory.connections.iter().filter(on_router).map(carried).collect()
    }
}

impl<'a> Tunnelled<'a> {
    /// By the inventory and the endpoint groups of its region.
    pub(crate) fn of(connection: &'a SiteConnection, inventory: &Inventory, groups: &[EndpointGroup]) -> Self {
        let group = |id: &Option<Id>| groups.iter().find(|group| Some(&group.id) == id.as_ref());
        let ranges = |group: &EndpointGroup| -> Option<Vec<IpNet>> {
            group.endpoints.iter().map(|range| Some(range.parse::<IpNet>().ok()?.trunc())).collect()
        };
        let of_subnets = |ids: &[Id]| ids.iter().map(|id| Some(inventory.subnet(id)?.cidr)).collect();
        let local = match (&connection.local_group, group(&connection.local_group)) {
            // Where the network is not Neutron's own, ranges stand where others have the ids of subnets.
            (_, Some(group)) if group.kind == "cidr" => ranges(group),
            (_, Some(group)) => of_subnets(&group.endpoints.iter().map(|id| Id::new(id.as_str())).collect::<Vec<_>>()),
            (Some(_), None) => None,
            (None, None) => {
                let service = inventory.services.iter().find(|service| service.id == connection.service);
                service.and_then(|service| of_subnets(&[service.legacy_subnet.clone()?]))
            }
        };
        let remote = group(&connection.peer_group).and_then(ranges).unwrap_or_default();
        Self { connection, local, remote: connection.peer_cidrs.iter().copied().chain(remote).collect() }
    }

    /// The remote ranges, of these and its own, that overlap, if local ones do, too: only one of the two gets that traffic.
    pub(crate) fn competes(&self, local: &[IpNet], remote: &[IpNet]) -> Option<(IpNet, IpNet)> {
        cidr::first_overlap(local, self.local.as_deref()?)?;
        cidr::first_overlap(remote, &self.remote).map(|(ours, theirs)| (*ours, *theirs))
    }
}

/// Findings about ranges that another connection of the router already carries: the same pair of a local and a remote range
/// can be in one tunnel only, but a remote range can be reached from different subnets through different tunnels.
pub(super) fn same_ranges(
    known: &Known<'_>,
    router: &Router,
    local: &[Id],
    remote: &[IpNet],
    own: Option<&Id>,
    place: Place,
) -> Vec<Finding> {
    let subnets = known.inventory.subnets_by_id();
    let local: Vec<IpNet> = local.iter().filter_map(|id| subnets.get(id)).map(|own| own.cidr).collect();
    let finding = |existing: &Tunnelled<'_>| {
        let what = format!("{}, which {}", existing.overlap(remote)?, existing.text(router));
        Some(match existing.shares(&local) {
            // Who sets up again what a script has made wants that VPN.
            Shares::Yes if existing.connection.local_group.is_none() => {
                let upgrade = osvpn("upgrade").operand(existing.word(known.inventory));
                Finding::refusal(
                    place,
                    format!("{what}. To bring that VPN up to date: {upgrade}; or take other ranges"),
                )
            }
            Shares::Yes => {
                Finding::refusal(place, format!("{what}; take other ranges, or delete that connection first"))
            }
            Shares::No(others) => Finding::warning(place, format!("{what}, though for other subnets ({others})")),
            Shares::Unknown => Finding::warning(
                place,
                format!("{what} for subnets that cannot be seen; if they are the same, only one of the two works"),
            ),
        })
    };
    let tunnelled = known.tunnelled(&router.id);
    tunnelled.iter().filter(|existing| Some(&existing.connection.id) != own).filter_map(finding).collect()
}

/// Whether one connection of a half's router tunnels what the half is to tunnel, and what.
pub(crate) fn tunnels_the_same(known: &Known<'_>, half: &HalfPlan, connection: &Id) -> Option<String> {
    let tunnelled = known.tunnelled(&half.router.id);
    let existing = tunnelled.iter().find(|existing| existing.connection.id == *connection)?;
    let (ours, theirs) = existing.competes(&half.local_ranges(), &half.remote)?;
    Some(format!("tunnels the same ranges: {ours} overlaps {theirs}"))
}

enum Shares {
    Yes,
    No(String),
    Unknown,
}

impl Tunnelled<'_> {
    fn overlap(&self, remote: &[IpNet]) -> Option<String> {
        cidr::first_overlap(remote, &self.remote).map(|(ours, theirs)| format!("{ours} overlaps {theirs}"))
    }

    fn shares(&self, local: &[IpNet]) -> Shares {
        match &self.local {
            Some(others) if cidr::first_overlap(local, others).is_some() => Shares::Yes,
            Some(others) => Shares::No(others.iter().join(", ")),
            None => Shares::Unknown,
        }
    }

    /// Its name, or its id where another connection has that name.
    fn word(&self, inventory: &Inventory) -> &str {
        let name = self.connection.name.as_str();
        let is_alone = inventory.connections.iter().filter(|other| other.name == name).count() == 1;
        if is_alone && !name.is_empty() { name } else { self.connection.id.as_str() }
    }

    fn text(&self, router: &Router) -> String {
        format!("{} tunnels already with connection {} ({})", router.name, self.connection.name, self.connection.status)
    }
}

/// What is said of a peer that a connection of the router goes to already.
pub(crate) fn same_peer(known: &Known<'_>, router: &Router, peer: &PeerAddress, place: Place) -> Vec<Finding> {
    let finding = |existing: &Tunnelled<'_>| {
        let SiteConnection { name, status, id, .. } = existing.connection;
        let text = format!(
            "{} goes to {peer} already with connection {name} ({status}); both are negotiated in one IKE SA, so give both \
             the same policies; or add the subnets to that VPN, which needs no second connection: {}",
            router.name,
            osvpn("set-subnets").operand(id).words("REGION+=SUBNET"),
        );
        Finding::warning(place, text)
    };
    known.tunnelled(&router.id).iter().filter(|existing| goes_to(existing.connection, peer)).map(finding).collect()
}

pub(crate) fn goes_to(connection: &SiteConnection, peer: &PeerAddress) -> bool {
    match peer {
        PeerAddress::Ip(address) => connection.peer_address.parse() == Ok(*address),
        PeerAddress::Name(name) => connection.peer_address.eq_ignore_ascii_case(name),
    }
}
