use super::{Case, Check, FaultRole, Fix, Verdict, Weight};
use crate::inspect::Side;
use crate::plan::Half;

pub const INITIATOR: Check = Check { id: "initiator", label: "at least one half initiates", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let begins = |side: &Side| side.connection.initiator != "response-only";
    let begun: Vec<String> = case.sides().filter(|(_, side)| begins(side)).map(|(half, _)| case.place(half)).collect();
    match (begun.as_slice(), case.vpn.b()) {
        // strongSwan's driver does not look at it: what is ACTIVE like that will be so again.
        ([], Some(_)) => Verdict::bad(
            if case.vpn.is_active() { Weight::Warns } else { Weight::Stops },
            "both halves only respond (initiator is response-only)",
            "where LibreSwan runs, each waits for the other, and no tunnel comes up; strongSwan begins all the same",
            Fix::SetInitiator { half: Half::A },
        )
        .in_role(FaultRole::MayPass),
        ([], None) => Verdict::Open("this half only responds: see that the peer begins".to_owned()),
        (begun, _) => Verdict::good(begun.join(" and ")),
    }
}
