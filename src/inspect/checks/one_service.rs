use std::cmp::Reverse;

use itertools::Itertools;

use super::{Advice, Case, Check, Fix, Verdict, Weight};
use crate::cloud::{Inventory, SiteConnection, VpnService};
use crate::inspect::unused::is_pending;
use crate::inspect::{Inspection, Side, Vpn, of_another};
use crate::plan::shell::osvpn;
use crate::plan::{Half, VpnId};

pub const ONE_SERVICE: Check =
    Check { id: "one-service", label: "each router holds one VPN service", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let doubled: Vec<Doubled<'_>> = case.sides().filter_map(|(half, side)| doubled(case, half, side)).collect();
    // One that carries a connection is worse than an unused one.
    let Some(worst) = doubled.iter().max_by_key(|one| one.connections.len()) else { return Verdict::good("") };
    let seen = doubled.iter().map(|one| one.text(case)).join("; ");
    if worst.connections.is_empty() {
        let means = "no connection uses the other one, so it does no harm yet; but the next connection created on it would take \
                     the configuration of this VPN away";
        // A run that is not done yet may be about to use it.
        let fix = match mark_of_another(worst.other, case.vpn) {
            None if is_pending(&worst.other.status) => {
                let seen = format!("{seen}, which is {}: somebody may be creating it, so it stays", worst.other.status);
                let delete = osvpn("delete --strays --of").value(&worst.other.id);
                let fix = Fix::ByHand(vec![delete.remark("if nobody is creating it").into()]);
                return Verdict::bad(Weight::Warns, seen, means, fix);
            }
            Some(id) => {
                let way = |verb| osvpn(verb).operand(&id).remark("whichever of the two applies").into();
                Fix::ByHand(vec![way("resume"), way("rollback")])
            }
            None => Fix::RemoveService { half: worst.half, id: worst.other.id.clone() },
        };
        return Verdict::bad(Weight::Warns, seen, means, fix);
    }
    let again = case.vpn.command("doctor").words("--fix").remark("if the tunnel does not come up by itself");
    let region = case.vpn.side(worst.half).map_or(&case.vpn.a.region, |side| &side.region);
    let others = worst
        .connections
        .iter()
        .map(|other| Advice::from(format!("service {} carries {}", worst.other.id.short(), of_another(region, other))));
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
fn doubled<'a>(case: &Case<'a>, half: Half, side: &'a Side) -> Option<Doubled<'a>> {
    let (survey, own) = (case.survey(side)?, side.service.as_ref()?);
    let on_it = |service: &VpnService| {
        let connections = survey.inventory.connections.iter().filter(|one| one.service == service.id);
        connections.collect::<Vec<_>>()
    };
    let others = || survey.inventory.services_on(&own.router).filter(|other| other.id != own.id);
    // Of the unused ones, one that can be deleted.
    let order = |other: &&VpnService| (on_it(other).len(), !is_pending(&other.status), Reverse(other.id.clone()));
    let other = others().max_by_key(order)?;
    Some(Doubled { half, other, count: others().count() + 1, connections: on_it(other) })
}

struct Doubled<'a> {
    half: Half,
    other: &'a VpnService,
    count: usize,
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
    /// The services beside a half's own that no connection uses, nor an unfinished run, and that are not under construction.
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
