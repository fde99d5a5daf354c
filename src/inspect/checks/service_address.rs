use itertools::Itertools;

use super::{Case, Check, Fix, Verdict, Weight};
use crate::cloud::Status;
use crate::inspect::outside;
use crate::plan::shell::openstack;

pub const SERVICE_ADDRESS: Check =
    Check { id: "service-address", label: "each service has its router's address", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let mut seen = Vec::new();
    for (half, side) in case.sides() {
        let (Some(survey), Some(service), Some(router)) = (case.survey(side), &side.service, &side.router) else {
            return Verdict::Open(format!("service or router in {} cannot be seen", case.place(half)));
        };
        let place = case.place(half);
        let Some(address) = side.address() else {
            // An ACTIVE service has an address, even if the cloud does not show it.
            if side.connection.status == Status::Active {
                return Verdict::Open(format!("the VPN service {} in {place} does not show its address", service.name));
            }
            return Verdict::bad(
                Weight::Stops,
                format!("the VPN service {} in {place} has no outside address", service.name),
                "it cannot be reached; its router had no gateway, or none of the peer's IP version",
                Fix::ByHand(vec![
                    openstack(&side.region, "router set --external-gateway NETWORK")
                        .operand(&router.id)
                        .remark("then delete the VPN, and create it again")
                        .into(),
                ]),
            );
        };
        if survey.inventory.extensions.is_ovn() {
            seen.push(format!("{place} {address} (its own, OVN)"));
            continue;
        }
        if !router.has_gateway() {
            return Verdict::bad(
                Weight::Stops,
                format!("the router {} in {place} has no gateway any more", router.name),
                "nothing reaches the VPN service",
                Fix::ByHand(vec![
                    openstack(&side.region, "router set --external-gateway NETWORK").operand(&router.id).into(),
                ]),
            );
        }
        if !outside(router).any(|current| current == address) {
            let now = outside(router).map(|address| address.to_string()).join(", ");
            return Verdict::bad(
                Weight::Stops,
                format!("the VPN service in {place} still has {address}, and its router {} has {now} now", router.name),
                "the gateway was changed; a service keeps the address it was created with",
                case.rebuild(half, side),
            );
        }
        seen.push(format!("{place} {address}"));
    }
    Verdict::good(seen.join(", "))
}
