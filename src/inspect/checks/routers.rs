use super::{Case, Check, Fix, Verdict, Weight};
use crate::cloud::{Router, Subnet};
use crate::inspect::Side;
use crate::plan::Half;
use crate::plan::shell::openstack;

pub const ROUTERS: Check = Check { id: "routers", label: "routers and subnets pass traffic on", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    for (half, side) in case.sides() {
        let (Some(survey), Some(router)) = (case.survey(side), &side.router) else {
            return Verdict::Open(format!("the router in {} cannot be seen", case.place(half)));
        };
        let place = case.place(half);
        if !router.admin_state_up {
            return Verdict::bad(
                Weight::Stops,
                format!("the router {} in {place} is switched off", router.name),
                "nothing passes it",
                Fix::ByHand(vec![openstack(&side.region, "router set --enable").operand(&router.id).into()]),
            );
        }
        let Some(interfaces) = &router.interfaces else {
            return Verdict::Open(format!("the subnets of the router in {place} could not be read"));
        };
        for subnet in side.subnets.iter().filter_map(|id| survey.inventory.subnet(id)) {
            let feet = interfaces.in_subnet(&subnet.id);
            let Some(foot) = feet.first() else {
                return detached(case, half, side, router, subnet);
            };
            if !feet.iter().any(|foot| subnet.gateway == Some(foot.address)) {
                let gateway = subnet.gateway.map_or_else(|| "nowhere".to_owned(), |gateway| format!("to {gateway}"));
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

/// A subnet that is not on the router which tunnels it.
fn detached(case: &Case<'_>, half: Half, side: &Side, router: &Router, subnet: &Subnet) -> Verdict {
    let place = case.place(half);
    let routers = case.survey(side).map_or(&[][..], |survey| &survey.inventory.routers);
    let gateway = routers.iter().find(|other| {
        let feet = other.interfaces.iter().flat_map(|interfaces| interfaces.in_subnet(&subnet.id));
        feet.into_iter().any(|foot| subnet.gateway == Some(foot.address))
    });
    let seen = format!("{} ({}) is not attached to the router {} in {place}", subnet.name, subnet.cidr, router.name);
    let means = "traffic for it from the other side goes nowhere";
    // A subnet's gateway address can be on one router only, and the instances answer to that.
    let Some(gateway) = gateway else {
        let command = openstack(&side.region, "router add subnet").operand(&router.id).operand(&subnet.id);
        return Verdict::bad(Weight::Hides, seen, means, Fix::ByHand(vec![command.into()]));
    };
    let out = if side.subnets.len() > 1 {
        case.vpn.command("set-subnets").operand(format_args!("{half}-={}", subnet.id))
    } else {
        case.vpn.command("delete")
    };
    Verdict::bad(
        Weight::Hides,
        format!("{seen}; its gateway is the router {}", gateway.name),
        means,
        Fix::ByHand(vec![
            format!("create a VPN on the router {} for it, and remove it from this one:", gateway.name).into(),
            out.into(),
        ]),
    )
}
