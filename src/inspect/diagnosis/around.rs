//! What stands around a VPN: its routers and subnets, other connections, the security groups of the instances.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::Exposures;
use crate::cloud::{Id, SiteConnection};
use crate::inspect::Side;
use crate::inspect::exposure::{Admission, Gate};
use crate::inspect::proof::{Case, Fix, Verdict, Weight};
use crate::plan::shell::{openstack, osvpn};
use crate::plan::{Half, cidr};

impl Case<'_> {
    pub(super) fn endpoint_groups(&self) -> Verdict {
        match self.vpn.sides().find(|(_, side)| side.is_legacy()) {
            None => Verdict::good(""),
            Some((half, _)) => Verdict::bad(
                Weight::Warns,
                format!(
                    "the half in {} is of the old kind, tied to one subnet, as create-vpn.sh makes it",
                    self.place(half)
                ),
                "its subnets cannot be changed, and its router takes no VPN of the new kind beside it",
                Fix::ByHand(vec![
                    self.vpn.command("delete").into(),
                    osvpn("").remark("makes it anew; the tunnel is down meanwhile").into(),
                ]),
            ),
        }
    }

    pub(super) fn routers(&self) -> Verdict {
        for (half, side) in self.vpn.sides() {
            let (Some(survey), Some(router)) = (self.survey(side), &side.router) else {
                return Verdict::Open(format!("the router in {} cannot be seen", self.place(half)));
            };
            let place = self.place(half);
            if !router.admin_state_up {
                return Verdict::bad(
                    Weight::Stops,
                    format!("the router {} in {place} is switched off", router.name),
                    "nothing passes it",
                    Fix::ByHand(vec![openstack(&side.region, "router set --enable").operand(&router.id).into()]),
                );
            }
            for subnet in side.subnets.iter().filter_map(|id| survey.inventory.subnet(id)) {
                let feet = || router.interfaces.iter().filter(|foot| foot.subnet == subnet.id);
                let Some(foot) = feet().next() else {
                    return Verdict::bad(
                        Weight::Hides,
                        format!(
                            "{} ({}) is not attached to the router {} in {place}",
                            subnet.name, subnet.cidr, router.name
                        ),
                        "what comes across for it goes nowhere",
                        Fix::ByHand(vec![
                            openstack(&side.region, "router add subnet").operand(&router.id).operand(&subnet.id).into(),
                        ]),
                    );
                };
                if !feet().any(|foot| subnet.gateway == Some(foot.address)) {
                    let gateway =
                        subnet.gateway.map_or_else(|| "nowhere".to_owned(), |gateway| format!("to {gateway}"));
                    return Verdict::bad(
                        Weight::Hides,
                        format!(
                            "{} ({}) in {place} sends its answers {gateway}, not to {} ({})",
                            subnet.name, subnet.cidr, router.name, foot.address
                        ),
                        "instances hear the other side and answer elsewhere, unless they have a route",
                        Fix::ByHand(
                            side.remote
                                .iter()
                                .map(|range| {
                                    openstack(&side.region, "subnet set --host-route")
                                        .value(format_args!("destination={range},gateway={}", foot.address))
                                        .operand(&subnet.id)
                                        .into()
                                })
                                .collect(),
                        ),
                    );
                }
            }
        }
        Verdict::good("")
    }

    pub(super) fn neighbours(&self) -> Verdict {
        for (half, side) in self.vpn.sides() {
            let local = side.local.as_deref().unwrap_or_default();
            if let Some((ours, theirs)) = cidr::on_both_sides(local, &side.remote) {
                return Verdict::bad(
                    Weight::Hides,
                    format!("{ours} in {} overlaps {theirs} across", self.place(half)),
                    "the two cannot be told apart, so traffic stays on this side",
                    Fix::ByHand(vec!["give one of the two networks another range; a tunnel cannot translate".into()]),
                );
            }
            if let Some(verdict) = self.neighbour(half, side) {
                return verdict;
            }
        }
        Verdict::good("")
    }

    /// The remote ranges that a half and another connection both claim for subnets both tunnel.
    fn contested(&self, side: &Side, other: &SiteConnection) -> Option<(IpNet, IpNet)> {
        let groups = &self.survey(side)?.groups;
        let endpoints = |id: &Option<Id>| groups.iter().find(|group| Some(&group.id) == id.as_ref());
        let local: Vec<&str> = endpoints(&other.local_group)
            .map(|group| group.endpoints.iter().map(String::as_str).collect())
            .unwrap_or_default();
        let remote: Vec<IpNet> = endpoints(&other.peer_group)
            .into_iter()
            .flat_map(|group| &group.endpoints)
            .filter_map(|range| range.parse().ok())
            .chain(other.peer_cidrs.iter().copied())
            .collect();
        let is_shared = side.subnets.iter().any(|subnet| local.contains(&subnet.as_str()));
        let (ours, theirs) = cidr::first_overlap(&side.remote, &remote).filter(|_| is_shared)?;
        Some((*ours, *theirs))
    }

    /// Another connection of the same service that carries the same, or goes to the same peer.
    fn neighbour(&self, half: Half, side: &Side) -> Option<Verdict> {
        let inventory = &self.survey(side)?.inventory;
        let others = inventory
            .connections
            .iter()
            .filter(|other| other.id != side.connection.id && other.service == side.connection.service);
        for other in others {
            let place = self.place(half);
            if let Some((ours, theirs)) = self.contested(side, other) {
                return Some(Verdict::bad(
                    Weight::Hides,
                    format!(
                        "connection {} ({}) in {place} carries {theirs} for the same subnets, which overlaps {ours}",
                        other.name, other.status
                    ),
                    "only one of the two gets that traffic",
                    Fix::ByHand(vec![
                        osvpn("delete").operand(&other.id).remark("or osvpn set-subnets, to part their ranges").into(),
                    ]),
                ));
            }
            let is_same_peer = other.peer_address == side.connection.peer_address;
            let is_same_groups = other.peer_group.is_some()
                && other.peer_group == side.connection.peer_group
                && other.local_group == side.connection.local_group;
            if is_same_peer {
                let weight = if is_same_groups { Weight::Hides } else { Weight::Warns };
                return Some(Verdict::bad(
                    weight,
                    format!(
                        "connection {} ({}) in {place} goes to the same peer {}",
                        other.name, other.status, other.peer_address
                    ),
                    "two connections to one peer fight over its IKE SA unless keys and policies are the same",
                    Fix::ByHand(vec![
                        osvpn("delete").operand(&other.id).remark("if that one is not needed").into(),
                        self.vpn.command("set-subnets").remark("to put all subnets into this one").into(),
                    ]),
                ));
            }
        }
        None
    }
}

/// What the gates of both halves come to.
pub(super) fn security_groups(case: &Case<'_>, gates: &BTreeMap<Half, Gate>, exposures: &Exposures) -> Verdict {
    let (mut closed, mut narrow, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (half, gate) in gates {
        let place = case.place(*half);
        if gate.closed > 0 {
            let mut names: Vec<&str> = gate.missing.iter().map(|rule| rule.name.as_str()).collect();
            names.dedup();
            let group = if names.len() == 1 { "security group" } else { "security groups" };
            closed.push(format!("{} of {} in {place} ({group} {})", gate.closed, gate.ports, names.join(", ")));
        } else if gate.groups.iter().any(|group| group.admits == Admission::Some) {
            narrow.push(place);
        } else {
            seen.push(match gate.ports {
                0 => format!("no instance in {place} yet"),
                count => format!("{count} ports in {place}"),
            });
        }
    }
    if !closed.is_empty() {
        let fix = if gates.values().any(|gate| !gate.missing.is_empty()) {
            Fix::Admit
        } else {
            Fix::ByHand(vec![
                "these ports have no security group at all; give each one that admits the other side".into(),
            ])
        };
        return Verdict::bad(
            Weight::Hides,
            format!("instance ports admit nothing from across: {}", closed.join(", ")),
            "the tunnel may be up, and these instances still do not answer",
            fix,
        );
    }
    if let Some((half, error)) = exposures.iter().find_map(|(half, seen)| Some((half, seen.as_ref().err()?))) {
        return Verdict::Open(format!("those of {} could not be read: {error}", case.place(*half)));
    }
    if case.vpn.sides().any(|(_, side)| side.remote.iter().any(cidr::is_everything)) {
        return Verdict::Open("everything is across; which of it instances should admit is yours to say".to_owned());
    }
    if !narrow.is_empty() {
        return Verdict::good(format!("only some protocols or ports in {}", narrow.join(" and ")));
    }
    Verdict::good(seen.join(", "))
}
