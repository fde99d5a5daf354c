use super::{Case, Check, Fix, Verdict, Weight};
use crate::plan::shell::osvpn;

pub const ENDPOINT_GROUPS: Check =
    Check { id: "endpoint-groups", label: "it uses endpoint groups", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let old: Vec<String> =
        case.sides().filter(|(_, side)| side.is_legacy()).map(|(half, _)| case.place(half)).collect();
    if old.is_empty() {
        return Verdict::good("");
    }
    let halves = match old.as_slice() {
        [place] => format!("the half in {place} is"),
        places => format!("both halves ({}) are", places.join(" and ")),
    };
    Verdict::bad(
        Weight::Warns,
        format!("{halves} of the old kind, tied to one subnet, as create-vpn.sh creates it"),
        "its subnets cannot be changed, and its router takes no VPN of the new kind beside it",
        if case.vpn.is_missing_a_half() {
            Fix::ByHand(vec![
                case.vpn.command("delete").into(),
                osvpn("").remark("recreates it; the tunnel is down meanwhile").into(),
            ])
        } else {
            Fix::Upgrade
        },
    )
}
