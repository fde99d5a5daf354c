use super::{Case, Check, Fix, Nature, Verdict, Weight};
use crate::inspect::Side;
use crate::inspect::exposure::Admission;
use crate::plan::cidr;

pub const SECURITY_GROUPS: Check = Check {
    id: "security-groups",
    label: "security groups allow traffic from the other side",
    natures: &[Nature::Instances],
    prove,
};

/// What the gates of both halves come to.
fn prove(case: &Case<'_>) -> Verdict {
    let (mut closed, mut narrow, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (half, gate) in &case.gates {
        let place = case.place(*half);
        if gate.closed > 0 {
            let mut names: Vec<&str> = gate.missing.iter().map(|rule| rule.name.as_str()).collect();
            names.dedup();
            let group = if names.len() == 1 { "security group" } else { "security groups" };
            closed.push(format!("{} of {} in {place} ({group} {})", gate.closed, gate.ports, names.join(", ")));
        } else if gate.groups.iter().any(|group| group.admits == Admission::Some) {
            narrow.push(place);
        } else {
            seen.push(match gate.ports {
                0 => format!("no instance in {place} yet"),
                count => format!("{count} ports in {place}"),
            });
        }
    }
    if !closed.is_empty() {
        let fix = if case.gates.values().any(|gate| !gate.missing.is_empty()) {
            Fix::Admit
        } else {
            Fix::ByHand(vec![
                "these ports have no security group at all; give each one that allows traffic from the other side"
                    .into(),
            ])
        };
        return Verdict::bad(
            Weight::Warns,
            format!("instance ports block traffic from the other side: {}", closed.join(", ")),
            "these instances do not answer the other side, however well the tunnel is",
            fix,
        );
    }
    let failure = |side: &Side| case.exposures.get(&side.region)?.as_ref().err();
    if let Some((half, error)) = case.sides().find_map(|(half, side)| Some((half, failure(side)?))) {
        return Verdict::Open(format!("those of {} could not be read: {error}", case.place(half)));
    }
    if case.sides().any(|(_, side)| side.remote.iter().any(cidr::is_everything)) {
        return Verdict::Open("the remote range is everything; decide which of it instances should allow".to_owned());
    }
    if !narrow.is_empty() {
        return Verdict::good(format!("only some protocols or ports in {}", narrow.join(" and ")));
    }
    Verdict::good(seen.join(", "))
}
