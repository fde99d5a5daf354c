use super::{Case, Check, Fix, Verdict, Weight};
use crate::plan::shell::openstack;

pub const MTU: Check = Check { id: "mtu", label: "both halves have one MTU", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let Some([(a, one, other), (b, ..)]) = case.both() else { return Verdict::good("") };
    let (ours, theirs) = (one.connection.mtu, other.connection.mtu);
    // 0 is what a cloud leaves out.
    if ours == theirs || ours == 0 || theirs == 0 {
        return Verdict::good(if ours == 0 { String::new() } else { format!("{ours} bytes") });
    }
    let (larger, smaller) = if ours > theirs { (one, theirs) } else { (other, ours) };
    Verdict::bad(
        Weight::Warns,
        format!("the MTU is {ours} in {} and {theirs} in {}", case.place(a), case.place(b)),
        "where LibreSwan runs, packets that one side sends may be too large for the other; strongSwan ignores it",
        Fix::ByHand(vec![
            openstack(&larger.region, "vpn ipsec site connection set --mtu")
                .value(smaller)
                .operand(&larger.connection.id)
                .into(),
        ]),
    )
}
