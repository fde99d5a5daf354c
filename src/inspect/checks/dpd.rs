use itertools::Itertools;

use super::{Case, Check, Fix, Nature, Verdict, Weight};
use crate::plan::Half;
use crate::plan::policy::DpdAction;

pub const DPD: Check =
    Check { id: "dpd", label: "dead peer detection makes sense", natures: &[Nature::Negotiated], prove };

fn prove(case: &Case<'_>) -> Verdict {
    for (half, side) in case.sides() {
        let dpd = &side.connection.dpd;
        let (place, fix) = (case.place(half), Fix::SetDpd { half });
        if dpd.action.parse::<DpdAction>().is_err() {
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
        case.vpn.side(half).map(|side| {
            let dpd = &side.connection.dpd;
            format!("{} {}/{} s", dpd.action, dpd.interval, dpd.timeout)
        })
    };
    Verdict::good([text(Half::A), text(Half::B)].into_iter().flatten().join("; "))
}
