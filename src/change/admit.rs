//! Builds the change that adds the security-group rules a VPN needs. What such a rule looks like, by which `delete` knows it
//! again, stands in `cloud/exposure.rs`.

use super::proposal::{Proposal, begin, belonging};
use crate::change::{Create, KnownBy, New, Verb};
use crate::inspect::{Diagnosis, Vpn};

/// The security-group rules that the instances of both halves lack.
pub fn admit(vpn: &Vpn, diagnosis: &Diagnosis) -> Proposal {
    let mut change = begin(Verb::AdmitTraffic, vpn);
    let mut notes = Vec::new();
    for (half, gate) in &diagnosis.gates {
        for rule in &gate.outgoing {
            notes.push(format!(
                "Instances of {} can answer and not begin; if they should: {}",
                rule.name,
                rule.command()
            ));
        }
        for rule in &gate.missing {
            change.create(Create {
                region: rule.region.clone(),
                name: rule.name.clone(),
                description: belonging(vpn, *half),
                object: New::Rule { group: rule.group.clone(), remote: rule.remote },
                known_by: KnownBy::Word,
            });
        }
    }
    if change.steps().is_empty() {
        notes.insert(0, "Every instance port in the tunnelled subnets allows traffic from the other side.".to_owned());
        return Proposal::new(change, notes);
    }
    notes.push(
        "Every instance in these security groups can then be reached from the other side, with every protocol."
            .to_owned(),
    );
    Proposal::new(change, notes)
}
