//! Whether everything a tunnel needs is there and switched on, and the keys.

use std::cmp::Reverse;

use itertools::Itertools;

use super::{Advice, Case, Fix, Verdict, Weight};
use crate::cloud::{Inventory, SiteConnection, VpnService};
use crate::inspect::strays::is_pending;
use crate::inspect::{Across, Inspection, Side, Vpn, of_another};
use crate::plan::shell::{openstack, osvpn};
use crate::plan::{Half, VpnId};

impl<'a> Case<'a> {
    pub(super) fn halves(&self) -> Verdict {
        if let Some(doubled) = self.vpn.doubled() {
            return Verdict::bad(
                Weight::Warns,
                doubled,
                "which of them is meant by that id cannot be told, so changes by it are refused",
                Fix::ByHand(vec![
                    "name a connection by its own id, or change the description of the one that is not of this VPN"
                        .into(),
                ]),
            );
        }
        match &self.vpn.across {
            Across::Half(_) => Verdict::good(""),
            Across::Ambiguous(_) => Verdict::bad(
                Weight::Warns,
                self.vpn.is_clear().err().unwrap_or_default(),
                "nothing that is seen of one of them is known to be true of this VPN",
                Fix::ByHand(vec![
                    "give the two connections of each VPN a name that no other has:".into(),
                    openstack(&self.vpn.a.region, "vpn ipsec site connection set --name NAME")
                        .operand(&self.vpn.a.connection.id)
                        .into(),
                ]),
            ),
            // What is wrong with it is said of its peer address.
            Across::Missing { because, .. } if self.vpn.a.points_at_itself() => {
                Verdict::Open(format!("{because}, so its other half cannot be told"))
            }
            Across::Outside if self.unread.is_empty() => Verdict::good("one; its peer is outside this project"),
            Across::Outside => {
                let regions = self.unread_regions();
                Verdict::Open(format!("its peer is outside, or its other half in {regions}, of which nothing is known"))
            }
            Across::Missing { region: None, .. } if !self.unread.is_empty() => {
                Verdict::Open(format!("its other half may be in {}, of which nothing is known", self.unread_regions()))
            }
            // Whoever looks for its peer at its own address has not half a VPN, but the wrong address.
            Across::Missing { .. } if self.vpn.a.points_at(&self.vpn.a) => {
                Verdict::Open("where the other half is cannot be told from its own address".to_owned())
            }
            Across::Missing { region, because } => {
                let place = region.as_ref().map_or_else(|| "another region".to_owned(), ToString::to_string);
                let fix = match &self.vpn.id {
                    Some(id) => Fix::Resume(id.clone()),
                    None => Fix::ByHand(vec![
                        format!("make the other half in {place}, or delete this one:").into(),
                        self.vpn.command("delete").into(),
                    ]),
                };
                Verdict::bad(
                    Weight::Stops,
                    if region.as_ref() == Some(&self.vpn.a.region) {
                        format!("there is no second connection in {place} for this one: {because}")
                    } else {
                        format!("there is no connection in {place} for the one in {}: {because}", self.vpn.a.region)
                    },
                    "nobody answers; a tunnel needs both halves",
                    fix,
                )
            }
        }
    }

    fn unread_regions(&self) -> String {
        self.unread.iter().join(", ")
    }

    pub(super) fn admin_state(&self) -> Verdict {
        let off = |half: Half, side: &Side| {
            let service = side.service.as_ref().is_some_and(|service| !service.admin_state_up);
            let what = match (service, side.connection.admin_state_up) {
                (true, false) => "VPN service and connection",
                (true, true) => "the VPN service",
                (false, false) => "the connection",
                (false, true) => return None,
            };
            Some((half, format!("{what} in {}", self.place(half))))
        };
        let found: Vec<(Half, String)> = self.sides().filter_map(|(half, side)| off(half, side)).collect();
        let Some((half, _)) = found.first() else { return Verdict::good("") };
        let what = found.iter().map(|(_, what)| what).join(", and ");
        let fix = Fix::SwitchOn { half: *half };
        let seen = format!("switched off (admin_state_up is false): {what}");
        // strongSwan's driver leaves a connection out only together with its whole service.
        if self.vpn.is_active() && self.sides().all(|(_, side)| self.has_another_on_its_service(side)) {
            let means = "strongSwan keeps it up beside the other connections of its service; LibreSwan, and strongSwan after a \
                         change of that service, leave it out";
            return Verdict::bad(Weight::Warns, seen, means, fix);
        }
        Verdict::bad(Weight::Stops, seen, "the agent leaves it out, so nobody answers there", fix)
    }

    fn has_another_on_its_service(&self, side: &Side) -> bool {
        side.connection.admin_state_up || {
            let connections = self.survey(side).map_or(&[][..], |survey| &survey.inventory.connections);
            let is_other = |one: &&SiteConnection| one.service == side.connection.service && one.admin_state_up;
            side.service.as_ref().is_some_and(|service| service.admin_state_up)
                && connections.iter().any(|one| is_other(&one))
        }
    }

    /// A service keeps the address and the state it was made with: it takes a new one. Where more hangs on it than this
    /// connection, or its new address cannot be known before it is made, that is the user's to decide.
    pub(super) fn rebuild(&self, half: Half, side: &Side) -> Fix {
        let inventory = self.survey(side).map(|survey| &survey.inventory);
        let on_it = |inventory: &'a Inventory| {
            inventory.connections.iter().filter(|one| one.service == side.connection.service)
        };
        let others: Vec<&SiteConnection> =
            inventory.into_iter().flat_map(on_it).filter(|one| one.id != side.connection.id).collect();
        let is_ours = inventory.is_some_and(|inventory| !inventory.extensions.is_ovn());
        if is_ours && others.is_empty() && !side.is_legacy() && self.vpn.b().is_some() {
            return Fix::Rebuild { half };
        }
        let others = others.iter().map(|other| {
            Advice::from(format!("the same service carries {}: delete it first", of_another(&side.region, other)))
        });
        let steps = [
            self.vpn.command("delete").remark("deletes the service with the VPN"),
            osvpn("").remark("makes them anew; if that fails too, the operator has to look"),
        ];
        Fix::ByHand(others.chain(steps.map(Advice::from)).collect())
    }

    pub(super) fn one_service(&self) -> Verdict {
        let doubled: Vec<Doubled<'_>> = self.sides().filter_map(|(half, side)| self.doubled(half, side)).collect();
        // One that carries a connection is worse than one that nobody uses.
        let Some(worst) = doubled.iter().max_by_key(|one| one.connections.len()) else { return Verdict::good("") };
        let seen = doubled.iter().map(|one| one.text(self)).join("; ");
        if worst.connections.is_empty() {
            let means = "no connection uses the other one, so no agent is told of it; but the next connection made on it would \
                         take the configuration of this VPN away";
            // A run that is not done yet may be about to use it.
            let fix = match mark_of_another(worst.other, self.vpn) {
                None if is_pending(&worst.other.status) => {
                    let seen =
                        format!("{seen}, which is {}: somebody may be creating it, so it stays", worst.other.status);
                    let delete = osvpn("delete --strays --of").value(&worst.other.id);
                    let fix = Fix::ByHand(vec![delete.remark("if nobody is creating it").into()]);
                    return Verdict::bad(Weight::Warns, seen, means, fix);
                }
                Some(id) => {
                    let way = |verb| osvpn(verb).operand(&id).remark("whichever of the two made it").into();
                    Fix::ByHand(vec![way("resume"), way("rollback")])
                }
                None => Fix::RemoveService { half: worst.half, id: worst.other.id.clone() },
            };
            return Verdict::bad(Weight::Warns, seen, means, fix);
        }
        let again = self.vpn.command("doctor").words("--fix").remark("if the tunnel does not come up by itself");
        let region = self.vpn.side(worst.half).map_or(&self.vpn.a.region, |side| &side.region);
        let others = worst.connections.iter().map(|other| {
            Advice::from(format!("service {} carries {}", worst.other.id.short(), of_another(region, other)))
        });
        let move_one = "move one of the two VPNs to the service of the other: delete the one that can be down for a while, by \
                        its own id, and create it again with osvpn, which takes the service that is there. Both run then";
        let steps = others.chain([Advice::from(move_one), again.into()]).collect();
        Verdict::bad(
            Weight::Stops,
            seen,
            "each takes the others' configuration away; whichever the agent read last works, until the next change",
            Fix::ByHand(steps),
        )
    }

    /// The other VPN service on the router of a half, if there is one: of several, one that carries a connection.
    fn doubled(&self, half: Half, side: &'a Side) -> Option<Doubled<'a>> {
        let (survey, own) = (self.survey(side)?, side.service.as_ref()?);
        let on_it = |service: &VpnService| {
            let connections = survey.inventory.connections.iter().filter(|one| one.service == service.id);
            connections.collect::<Vec<_>>()
        };
        let others = || survey.inventory.services_on(&own.router).filter(|other| other.id != own.id);
        // Of those that nobody uses, one that can be deleted.
        let order = |other: &&VpnService| (on_it(other).len(), !is_pending(&other.status), Reverse(other.id.clone()));
        let other = others().max_by_key(order)?;
        Some(Doubled { half, other, count: others().count() + 1, connections: on_it(other) })
    }

    pub(super) fn initiator(&self) -> Verdict {
        let begins = |side: &Side| side.connection.initiator != "response-only";
        let begun: Vec<String> =
            self.sides().filter(|(_, side)| begins(side)).map(|(half, _)| self.place(half)).collect();
        match (begun.as_slice(), self.vpn.b()) {
            // strongSwan's driver does not look at it: what is ACTIVE like that will be so again.
            ([], Some(_)) => Verdict::bad(
                if self.vpn.is_active() { Weight::Warns } else { Weight::Stops },
                "both halves only respond (initiator is response-only)",
                "where LibreSwan runs, each waits for the other, and no tunnel comes up; strongSwan begins all the same",
                Fix::SetInitiator { half: Half::A },
            ),
            ([], None) => Verdict::Open("this half only responds: see that the peer begins".to_owned()),
            (begun, _) => Verdict::good(begun.join(" and ")),
        }
    }

    pub(super) fn dpd(&self) -> Verdict {
        for (half, side) in self.sides() {
            let dpd = &side.connection.dpd;
            let (place, fix) = (self.place(half), Fix::SetDpd { half });
            if !matches!(dpd.action.as_str(), "hold" | "clear" | "restart") {
                return Verdict::bad(
                    Weight::Stops,
                    format!("the DPD action in {place} is {}", dpd.action),
                    "strongSwan does not know it and leaves the whole connection out",
                    fix,
                );
            }
            if dpd.timeout <= dpd.interval {
                return Verdict::bad(
                    Weight::Hides,
                    format!(
                        "the DPD timeout in {place} ({} s) is not longer than its interval ({} s)",
                        dpd.timeout, dpd.interval
                    ),
                    "a peer counts as dead before it was asked, and the tunnel flaps",
                    fix,
                );
            }
            if dpd.action == "clear" && side.connection.initiator == "response-only" {
                return Verdict::bad(
                    Weight::Warns,
                    format!("{place} clears a dead peer and only responds"),
                    "after an outage it waits for the other side to come back",
                    fix,
                );
            }
        }
        let text = |half: Half| {
            self.vpn.side(half).map(|side| {
                let dpd = &side.connection.dpd;
                format!("{} {}/{} s", dpd.action, dpd.interval, dpd.timeout)
            })
        };
        Verdict::good([text(Half::A), text(Half::B)].into_iter().flatten().join("; "))
    }
}

/// A router with more than one VPN service.
struct Doubled<'a> {
    half: Half,
    /// The service that is not this VPN's.
    other: &'a VpnService,
    count: usize,
    /// What hangs on that service.
    connections: Vec<&'a SiteConnection>,
}

impl Doubled<'_> {
    fn text(&self, case: &Case<'_>) -> String {
        let side = case.vpn.side(self.half);
        let own = side.and_then(|side| side.service.as_ref()).map_or("", |service| service.id.short());
        let router = side.and_then(|side| side.router.as_ref()).map_or("the router", |router| router.name.as_str());
        let place = case.place(self.half);
        format!("{router} in {place} holds {} VPN services: {own} and {}", self.count, self.other.id.short())
    }
}

/// The id in a service's mark if that is of another VPN: a run that is not done yet may be about to use it.
fn mark_of_another(service: &VpnService, own: &Vpn) -> Option<VpnId> {
    let (id, _) = VpnId::of_description(&service.description)?;
    (Some(&id) != own.id.as_ref()).then_some(id)
}

impl Inspection {
    /// The services beside a half's own that no connection uses, nor a run that is not done yet, nor is anybody creating.
    pub fn unused_services<'a>(&'a self, vpn: &'a Vpn, side: &'a Side) -> impl Iterator<Item = &'a VpnService> {
        let inventory = self.surveys.get(&side.region).map(|survey| &survey.inventory);
        let own = side.service.as_ref();
        let beside = inventory.zip(own).into_iter().flat_map(|(inventory, own)| {
            inventory.services_on(&own.router).filter(|other| other.id != own.id).map(move |other| (inventory, other))
        });
        let is_unused = |(inventory, other): &(&'a Inventory, &'a VpnService)| {
            !inventory.connections.iter().any(|connection| connection.service == other.id)
        };
        let is_free = |other: &&VpnService| mark_of_another(other, vpn).is_none() && !is_pending(&other.status);
        beside.filter(is_unused).map(|(_, other)| other).filter(is_free)
    }
}
