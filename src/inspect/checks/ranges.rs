use ipnet::IpNet;
use itertools::Itertools;

use super::{Case, Check, Fix, Nature, Verdict, Weight};
use crate::plan::cidr;

pub const RANGES: Check = Check {
    id: "ranges",
    label: "local CIDRs are the peer's remote CIDRs",
    natures: &[Nature::Negotiated, Nature::SharedWithPeer],
    prove,
};

fn prove(case: &Case<'_>) -> Verdict {
    let Some(both) = case.both() else {
        let side = &case.vpn.a;
        let own = side.local.as_deref().map_or_else(|| "not all can be read".to_owned(), |own| own.iter().join(", "));
        return Verdict::Open(format!(
            "see that the peer has {} as its local and {own} as its remote ranges",
            side.remote.iter().join(", ")
        ));
    };
    let mut seen = Vec::new();
    let mut partial = None;
    for (half, side, other) in both {
        let Some(local) = &other.local else {
            return Verdict::Open(format!("not all subnets of {} can be seen", case.place(half.other())));
        };
        if side.remote == *local {
            seen.push(local.iter().join(", "));
            continue;
        }
        let what = format!(
            "{} expects {} on the other side, and {} tunnels {}",
            case.place(half),
            if side.remote.is_empty() { "nothing".to_owned() } else { side.remote.iter().join(", ") },
            case.place(half.other()),
            local.iter().join(", ")
        );
        let fix = Fix::MirrorRanges { half };
        if cidr::first_overlap(&side.remote, local).is_none() {
            let means = "they have no range in common, so no traffic is agreed upon";
            return Verdict::bad(Weight::Stops, what, means, fix);
        }
        if IpNet::aggregate(&side.remote) == IpNet::aggregate(local) {
            let means =
                "the same addresses in other pieces: strongSwan takes that, other daemons want one list on both sides";
            partial.get_or_insert_with(|| Verdict::bad(Weight::Warns, what, means, fix));
            continue;
        }
        let means = "where strongSwan runs, the tunnel comes up for what both name, says ACTIVE, and does not carry the rest; \
                     where LibreSwan runs, it stays down";
        partial.get_or_insert_with(|| Verdict::bad(Weight::Hides, what, means, fix));
    }
    if both.iter().any(|(_, side, _)| side.remote.iter().any(cidr::is_everything)) {
        seen.push("the remote range is everything, so all that leaves these subnets goes into the tunnel".to_owned());
    }
    partial.unwrap_or_else(|| Verdict::good(seen.join(" and ")))
}
