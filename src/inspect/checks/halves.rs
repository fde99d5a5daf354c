use itertools::Itertools;

use super::{Case, Check, FaultRole, Fix, Nature, Verdict, Weight};
use crate::inspect::OtherHalf;
use crate::plan::shell::openstack;

pub const HALVES: Check = Check { id: "halves", label: "both halves exist", natures: &[Nature::OneSided], prove };

fn prove(case: &Case<'_>) -> Verdict {
    if let Some(doubled) = case.vpn.doubled() {
        let means = "that id does not tell which of them is meant, so changes by it are refused";
        let fix = "name a connection by its own id, or change the description of the one that is not of this VPN";
        return Verdict::bad(Weight::Warns, doubled, means, Fix::ByHand(vec![fix.into()])).in_role(FaultRole::Doubt);
    }
    match &case.vpn.other_half {
        OtherHalf::Found(_) => Verdict::good(""),
        OtherHalf::Ambiguous(_) => Verdict::bad(
            Weight::Warns,
            case.vpn.ambiguity().map(|ambiguity| ambiguity.to_string()).unwrap_or_default(),
            "nothing that is seen of one of them is known to be true of this VPN",
            Fix::ByHand(vec![
                "give the two connections of each VPN a name that no other has:".into(),
                openstack(&case.vpn.a.region, "vpn ipsec site connection set --name NAME")
                    .operand(&case.vpn.a.connection.id)
                    .into(),
            ]),
        )
        .in_role(FaultRole::Doubt),
        // What is wrong with it is said of its peer address.
        OtherHalf::Missing { because, .. } if case.vpn.a.points_at_itself() => {
            Verdict::Open(format!("{because}, so its other half is unknown"))
        }
        OtherHalf::Outside if case.unread.is_empty() => Verdict::good("one; its peer is external"),
        OtherHalf::Outside => {
            let regions = unread_regions(case);
            Verdict::Open(format!("its peer is external, or its other half in {regions}, of which nothing is known"))
        }
        OtherHalf::Missing { region: None, .. } if !case.unread.is_empty() => {
            Verdict::Open(format!("its other half may be in {}, of which nothing is known", unread_regions(case)))
        }
        // A half that points at itself is not half a VPN: it has the wrong address.
        OtherHalf::Missing { .. } if case.vpn.a.points_at(&case.vpn.a) => {
            Verdict::Open("its own address does not tell where the other half is".to_owned())
        }
        OtherHalf::Missing { region, because } => {
            let place = region.as_ref().map_or_else(|| "another region".to_owned(), ToString::to_string);
            Verdict::bad(
                Weight::Stops,
                if region.as_ref() == Some(&case.vpn.a.region) {
                    format!("there is no second connection in {place} for this one: {because}")
                } else {
                    format!("there is no connection in {place} for the one in {}: {because}", case.vpn.a.region)
                },
                "nobody answers; a tunnel needs both halves",
                Fix::Repair,
            )
        }
    }
}

fn unread_regions(case: &Case<'_>) -> String {
    case.unread.iter().join(", ")
}
