//! The ranges that the ends of a tunnel carry: one list of rules, for a new VPN and for new ranges of an existing one.

use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::{Known, outside, remote, sides, subnet, together};
use crate::cloud::{Id, Router, Subnet};
use crate::plan::findings::{Finding, Place};
use crate::plan::names::Half;

#[derive(Clone, Copy, Debug)]
pub(crate) struct TunnelEnd<'a> {
    pub known: &'a Known<'a>,
    pub router: &'a Router,
    pub own: &'a [IpAddr],
    /// The address of its peer, if that is known, and the answer that comes from.
    pub peer: (Option<IpAddr>, Place),
    pub local: &'a [Subnet],
    pub remote: &'a [IpNet],
    pub remote_at: Place,
    /// The connection that is to carry them, if it is there already: it is not in its own way.
    pub connection: Option<&'a Id>,
}

/// The chosen subnets of a half, each once, and what speaks against tunnelling them from that router.
pub fn local(known: &Known<'_>, router: &Router, chosen: &[Id], half: Half) -> (Vec<Subnet>, Vec<Finding>) {
    let place = Place::Subnets(half);
    let (mut local, mut found): (Vec<Subnet>, Vec<Finding>) = (Vec::new(), Vec::new());
    let subnets = known.inventory.subnets_by_id();
    for id in chosen.iter().unique() {
        match subnets.get(id) {
            Some(&one) => {
                let named = |mut finding: Finding| {
                    finding.text = format!("{} ({}) {}", one.name, one.cidr, finding.text);
                    finding
                };
                found.extend(subnet(known, router, one, half).into_iter().map(named));
                local.push(one.clone());
            }
            None => found.push(Finding::refusal(place, format!("{id} is not a subnet of {}", known.region))),
        }
    }
    if local.is_empty() {
        found.push(Finding::refusal(place, "at least one subnet is needed"));
    }
    found.extend(together(&local.iter().collect::<Vec<_>>(), half));
    (local, found)
}

/// What speaks for or against carrying that: of the first end, and of the second where it is in this project too.
pub fn carried(a: &TunnelEnd<'_>, b: Option<&TunnelEnd<'_>>) -> Vec<Finding> {
    let ranges: Vec<IpNet> = a.local.iter().map(|subnet| subnet.cidr).collect();
    let mut found = sides(&ranges, a.remote, a.remote_at);
    found.extend(std::iter::once(a).chain(b).flat_map(TunnelEnd::findings));
    found
}

impl TunnelEnd<'_> {
    fn findings(&self) -> Vec<Finding> {
        let local: Vec<Id> = self.local.iter().map(|subnet| subnet.id.clone()).collect();
        let mut found = remote(self.known, self.router, &local, self.remote, self.connection, self.remote_at);
        let (peer, at) = self.peer;
        found.extend(outside::captured(self.remote, self.router, self.own, peer, self.remote_at));
        let ranges: Vec<IpNet> = self.local.iter().map(|subnet| subnet.cidr).collect();
        found.extend(peer.into_iter().flat_map(|peer| outside::peer(peer, self.router, self.own, &ranges, at)));
        found
    }
}
