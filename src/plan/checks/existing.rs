//! The connections that are there already, and how a new one gets on with them.

use ipnet::IpNet;
use itertools::Itertools;

use super::Known;
use crate::cloud::{Id, Router, SiteConnection};
use crate::plan::cidr;
use crate::plan::findings::{Finding, Place};
use crate::plan::peer::PeerAddress;

/// An existing connection and what it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnelled<'a> {
    /// The connection.
    pub connection: &'a SiteConnection,
    /// The ranges on this side; none if not all of them can be known.
    pub local: Option<Vec<IpNet>>,
    /// The ranges behind its peer.
    pub remote: Vec<IpNet>,
}

impl<'a> Known<'a> {
    /// The existing connections of a router with the ranges each carries.
    #[must_use]
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
            self.endpoints(group)?.iter().map(|endpoint| Id::new(endpoint.as_str())).collect()
        } else {
            let service = self.inventory.services.iter().find(|service| service.id == connection.service)?;
            vec![service.legacy_subnet.clone()?]
        };
        subnets.iter().map(|id| self.inventory.subnet(id).map(|subnet| subnet.cidr)).collect()
    }

    fn remote_ranges(&self, connection: &SiteConnection) -> Vec<IpNet> {
        let endpoints = connection.peer_group.as_ref().and_then(|group| self.endpoints(group)).unwrap_or_default();
        let endpoints = endpoints.iter().filter_map(|endpoint| endpoint.parse::<IpNet>().ok());
        connection.peer_cidrs.iter().copied().chain(endpoints.map(|range| range.trunc())).collect()
    }

    fn endpoints(&self, group: &Id) -> Option<&'a [String]> {
        let group = self.detail?.groups.iter().find(|candidate| candidate.id == *group)?;
        Some(&group.endpoints)
    }
}

/// What is said of ranges that an existing connection of the router carries: the same pair of a local and a remote range
/// can be in one tunnel only, but a remote range can be reached from different subnets through different ones.
pub(super) fn same_ranges(
    known: &Known<'_>,
    router: &Router,
    local: &[Id],
    remote: &[IpNet],
    place: Place,
) -> Vec<Finding> {
    let local: Vec<IpNet> = local.iter().filter_map(|id| known.inventory.subnet(id)).map(|own| own.cidr).collect();
    let finding = |existing: &Tunnelled<'_>| {
        let (ours, theirs) = cidr::first_overlap(remote, &existing.remote)?;
        let what = format!(
            "{ours} overlaps {theirs}, which {} tunnels already with connection {} ({})",
            router.name, existing.connection.name, existing.connection.status
        );
        Some(match &existing.local {
            Some(others) if cidr::first_overlap(&local, others).is_some() => {
                Finding::refusal(place, format!("{what}; take other ranges, or delete that connection first"))
            }
            Some(others) => {
                let others = others.iter().join(", ");
                Finding::warning(place, format!("{what}, though for other subnets ({others})"))
            }
            None => Finding::warning(
                place,
                format!("{what} for subnets that cannot be seen; if they are the same, only one of the two works"),
            ),
        })
    };
    known.tunnelled(&router.id).iter().filter_map(finding).collect()
}

/// What is said of a peer that a connection of the router goes to already.
#[must_use]
pub fn same_peer(known: &Known<'_>, router: &Router, peer: &PeerAddress, place: Place) -> Vec<Finding> {
    let is_same = |existing: &&Tunnelled<'_>| match peer {
        PeerAddress::Ip(address) => existing.connection.peer_address.parse() == Ok(*address),
        PeerAddress::Name(name) => existing.connection.peer_address.eq_ignore_ascii_case(name),
    };
    let finding = |existing: &Tunnelled<'_>| {
        let text = format!(
            "{} goes to {peer} already with connection {} ({}); two connections to one peer fight over its IKE SA unless \
             key and policies are the same; put all ranges into one connection, or delete the other",
            router.name, existing.connection.name, existing.connection.status
        );
        Finding::warning(place, text)
    };
    known.tunnelled(&router.id).iter().filter(is_same).map(finding).collect()
}
