//! What stands around a VPN: its routers and subnets, other connections, the security groups of the instances.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::Exposures;
use crate::cloud::{Router, SiteConnection, Status, Subnet};
use crate::inspect::exposure::{Admission, Gate};
use crate::inspect::proof::{Case, Fix, Verdict, Weight};
use crate::inspect::{Keys, Side, of_another, pairs};
use crate::plan::shell::{openstack, osvpn};
use crate::plan::{Half, cidr};

impl Case<'_> {
    pub(super) fn endpoint_groups(&self) -> Verdict {
        let old: Vec<String> =
            self.vpn.sides().filter(|(_, side)| side.is_legacy()).map(|(half, _)| self.place(half)).collect();
        if old.is_empty() {
            return Verdict::good("");
        }
        let halves = if old.len() == 1 { "the half in" } else { "both halves, in" };
        let are = if old.len() == 1 { "is" } else { "are" };
        Verdict::bad(
            Weight::Warns,
            format!(
                "{halves} {} {are} of the old kind, tied to one subnet, as create-vpn.sh makes it",
                old.join(" and ")
            ),
            "its subnets cannot be changed, and its router takes no VPN of the new kind beside it",
            Fix::ByHand(vec![
                self.vpn.command("delete").into(),
                osvpn("").remark("recreates it; the tunnel is down meanwhile").into(),
            ]),
        )
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
                    return self.detached(half, side, router, subnet);
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
        let mut verdicts = self.vpn.sides().filter_map(|(half, side)| self.neighbour(half, side)).collect::<Vec<_>>();
        // What stops counts more than what hides; of equals the first half's.
        verdicts.sort_by_key(|verdict| match verdict {
            Verdict::Bad(fault) => Some(fault.weight),
            Verdict::Good(_) | Verdict::Open(_) => None,
        });
        if let Some(Verdict::Bad(fault)) = verdicts.first()
            && fault.weight == Weight::Stops
        {
            return Verdict::Bad(fault.clone());
        }
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
        }
        verdicts.into_iter().next().unwrap_or_else(|| Verdict::good(""))
    }

    /// A subnet that is not on the router which tunnels it.
    fn detached(&self, half: Half, side: &Side, router: &Router, subnet: &Subnet) -> Verdict {
        let place = self.place(half);
        let routers = self.survey(side).map_or(&[][..], |survey| &survey.inventory.routers);
        let gateway = routers.iter().find(|other| {
            other.interfaces.iter().any(|foot| foot.subnet == subnet.id && subnet.gateway == Some(foot.address))
        });
        let seen =
            format!("{} ({}) is not attached to the router {} in {place}", subnet.name, subnet.cidr, router.name);
        let means = "what comes across for it goes nowhere";
        // A subnet's gateway address can be on one router only, and the instances answer to that.
        let Some(gateway) = gateway else {
            let command = openstack(&side.region, "router add subnet").operand(&router.id).operand(&subnet.id);
            return Verdict::bad(Weight::Hides, seen, means, Fix::ByHand(vec![command.into()]));
        };
        let out = if side.subnets.len() > 1 {
            self.vpn.command("set-subnets").operand(format_args!("{half}-={}", subnet.id))
        } else {
            self.vpn.command("delete")
        };
        Verdict::bad(
            Weight::Hides,
            format!("{seen}; its gateway is the router {}", gateway.name),
            means,
            Fix::ByHand(vec![
                format!("make a VPN on the router {} for it, and take it out of this one:", gateway.name).into(),
                out.into(),
            ]),
        )
    }

    /// The ranges that a half and another connection both claim: local ones, and remote ones.
    fn contested(ours: &Side, theirs: &Side) -> Option<(IpNet, IpNet)> {
        let local = |side: &Side| side.local.clone().unwrap_or_default();
        cidr::first_overlap(&local(ours), &local(theirs))?;
        let (ours, theirs) = cidr::first_overlap(&ours.remote, &theirs.remote)?;
        Some((*ours, *theirs))
    }

    /// Another connection of the same service that goes to the same peer with another key, or carries the same.
    fn neighbour(&self, half: Half, side: &Side) -> Option<Verdict> {
        let survey = self.survey(side)?;
        let is_other =
            |other: &&SiteConnection| other.id != side.connection.id && other.service == side.connection.service;
        let others = || survey.inventory.connections.iter().filter(is_other);
        let with_another_key = |other: &&SiteConnection| matches!(self.keys, Keys::Read { rivals, .. } if side.rivals.contains(&other.id) && rivals.contains(&other.id));
        // Of several, one that is up has the key that works.
        let rival = others().filter(with_another_key).max_by_key(|other| other.status == Status::Active);
        if let Some(rival) = rival {
            return Some(self.another_key(half, side, rival));
        }
        others().find_map(|other| {
            let theirs = pairs::side(&side.region, survey, other);
            let attributes = |side: &Side| side.ike.as_ref().map(|policy| policy.attributes.clone());
            let Some((ours, shared)) = Self::contested(side, &theirs) else {
                let is_rival = side.rivals.contains(&other.id);
                return (is_rival && attributes(side) != attributes(&theirs))
                    .then(|| self.another_policy(half, side, other));
            };
            Some(Verdict::bad(
                Weight::Hides,
                format!(
                    "connection {} ({}) in {} carries {shared} for the same subnets, which overlaps {ours}",
                    other.name,
                    other.status,
                    self.place(half)
                ),
                "only one of the two gets that traffic",
                Fix::ByHand(vec![
                    format!(
                        "it is of {}. Only if that VPN is not needed, delete it by its id",
                        of_another(&side.region, other)
                    )
                    .into(),
                ]),
            ))
        })
    }

    fn another_policy(&self, half: Half, side: &Side, rival: &SiteConnection) -> Verdict {
        Verdict::bad(
            Weight::Warns,
            format!(
                "connection {} ({}) in {} goes to the same peer {} with another IKE policy",
                rival.name,
                rival.status,
                self.place(half),
                rival.peer_address
            ),
            "both share one IKE SA, so whichever is negotiated first decides for the other",
            Fix::ByHand(vec![
                format!(
                    "it is of {}. Only if that VPN is not needed, delete it by its id",
                    of_another(&side.region, rival)
                )
                .into(),
            ]),
        )
    }

    /// Where strongSwan runs, it finds a key by the two identities alone.
    fn another_key(&self, half: Half, side: &Side, rival: &SiteConnection) -> Verdict {
        let place = self.place(half);
        let weight = if self.vpn.is_active() { Weight::Hides } else { Weight::Stops };
        let shown =
            openstack(&side.region, "vpn ipsec site connection show -f value -c 'Pre-shared Key'").operand(&rival.id);
        let taken = self.vpn.command("rotate-psk").words("--renew --yes --psk-file -");
        Verdict::bad(
            weight,
            format!(
                "connection {} ({}) in {place} goes to the same peer {} with another key",
                rival.name, rival.status, rival.peer_address
            ),
            "strongSwan finds a key by the two identities, which are the same for both: it takes one key for both, and the \
             connection with the other key is refused at each negotiation",
            Fix::ByHand(vec![
                format!("give this VPN the key of {}; it is not shown:", rival.name).into(),
                shown.piped_into(taken).into(),
            ]),
        )
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
            Weight::Warns,
            format!("instance ports admit nothing from across: {}", closed.join(", ")),
            "these instances do not answer the other side, however well the tunnel is",
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
