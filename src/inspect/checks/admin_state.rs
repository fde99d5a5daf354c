use itertools::Itertools;

use super::{Case, Check, Fix, Verdict, Weight};
use crate::cloud::SiteConnection;
use crate::inspect::Side;
use crate::plan::Half;

pub const ADMIN_STATE: Check =
    Check { id: "admin-state", label: "connections and services are switched on", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let off = |half: Half, side: &Side| {
        let service = side.service.as_ref().is_some_and(|service| !service.admin_state_up);
        let what = match (service, side.connection.admin_state_up) {
            (true, false) => "VPN service and connection",
            (true, true) => "the VPN service",
            (false, false) => "the connection",
            (false, true) => return None,
        };
        Some((half, format!("{what} in {}", case.place(half))))
    };
    let found: Vec<(Half, String)> = case.sides().filter_map(|(half, side)| off(half, side)).collect();
    let Some((half, _)) = found.first() else { return Verdict::good("") };
    let what = found.iter().map(|(_, what)| what).join(", and ");
    let fix = Fix::SwitchOn { half: *half };
    let seen = format!("switched off (admin_state_up is false): {what}");
    // strongSwan's driver leaves a connection out only together with its whole service.
    if case.vpn.is_active() && case.sides().all(|(_, side)| has_another_on_its_service(case, side)) {
        let means = "strongSwan keeps it up beside the other connections of its service; LibreSwan, and strongSwan after a \
                     change of that service, leave it out";
        return Verdict::bad(Weight::Warns, seen, means, fix);
    }
    Verdict::bad(Weight::Stops, seen, "the agent leaves it out, so nobody answers there", fix)
}

fn has_another_on_its_service(case: &Case<'_>, side: &Side) -> bool {
    side.connection.admin_state_up || {
        let connections = case.survey(side).map_or(&[][..], |survey| &survey.inventory.connections);
        let is_other = |one: &&SiteConnection| one.service == side.connection.service && one.admin_state_up;
        side.service.as_ref().is_some_and(|service| service.admin_state_up)
            && connections.iter().any(|one| is_other(&one))
    }
}
