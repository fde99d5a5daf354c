//! The connections that are there already, and how a new one gets on with them.

use ipnet::IpNet;
use itertools::Itertools;

use super::Known;
use crate::cloud::{EndpointGroup, Id, Router, SiteConnection};
use crate::plan::HalfPlan;
use crate::plan::cidr;
use crate::plan::findings::{Finding, Place};
use crate::plan::peer::PeerAddress;
use crate::plan::shell::osvpn;

/// An existing connection and what it carries.
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
        let on_router = |connection: &&SiteConnection| {
            inventory.services.iter().any(|service| service.id == connection.service && service.router == *router)
        };
        let carried = |connection| Tunnelled {
            connection,
            local: self.local_ranges(connection),
            remote: self.remote_ranges(connection),
        };
        inventory.connections.iter().filter(on_router).map(carried).collect()
    }

    fn local_ranges(&self, connection: &SiteConnection) -> Option<Vec<IpNet>> {
        let subnets: Vec<Id> = if let Some(group) = &connection.local_group {
            let group = self.group(group)?;
            if group.kind == "cidr" {
                return group
                    .endpoints
                    .iter()
                    .map(|range| range.parse::<IpNet>().ok().map(|range| range.trunc()))
                    .collect();
            }
            group.endpoints.iter().map(|endpoint| Id::new(endpoint.as_str())).collect()
        } else {
            let service = self.inventory.services.iter().find(|service| service.id == connection.service)?;
            vec![service.legacy_subnet.clone()?]
        };
        subnets.iter().map(|id| self.inventory.subnet(id).map(|subnet| subnet.cidr)).collect()
    }

    fn remote_ranges(&self, connection: &SiteConnection) -> Vec<IpNet> {
        let group = connection.peer_group.as_ref().and_then(|group| self.group(group));
        let endpoints =
            group.into_iter().flat_map(|group| &group.endpoints).filter_map(|endpoint| endpoint.parse::<IpNet>().ok());
        connection.peer_cidrs.iter().copied().chain(endpoints.map(|range| range.trunc())).collect()
    }

    fn group(&self, id: &Id) -> Option<&'a EndpointGroup> {
        self.detail?.groups.iter().find(|group| group.id == *id)
    }
}

/// What is said of ranges that an existing connection of the router carries, other than their own: the same pair of a local and a remote range
/// can be in one tunnel only, but a remote range can be reached from different subnets through different ones.
pub(super) fn same_ranges(
    known: &Known<'_>,
    router: &Router,
    local: &[Id],
    remote: &[IpNet],
    own: Option<&Id>,
    place: Place,
) -> Vec<Finding> {
    let local: Vec<IpNet> = local.iter().filter_map(|id| known.inventory.subnet(id)).map(|own| own.cidr).collect();
    let finding = |existing: &Tunnelled<'_>| {
        let what = format!("{}, which {}", existing.overlap(remote)?, existing.text(router));
        Some(match existing.shares(&local) {
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
    let overlap = existing.overlap(&half.remote)?;
    matches!(existing.shares(&half.local_ranges()), Shares::Yes).then(|| format!("tunnels the same ranges: {overlap}"))
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
