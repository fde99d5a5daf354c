//! What the checks of a VPN go by.

use std::collections::BTreeMap;

use super::exposure::{InstanceGate, gate};
use super::fix::{Advice, Fix};
use super::{Agreement, Exposures, Inspection, Keys, OtherHalf, Side, Vpn, of_another};
use crate::cloud::{Inventory, RegionId, SiteConnection, Survey};
use crate::plan::Half;
use crate::plan::ShellCommand;
use crate::plan::shell::osvpn;

pub(super) struct Case<'a> {
    pub vpn: &'a Vpn,
    surveys: &'a BTreeMap<RegionId, Survey>,
    /// Regions that could not be read, or are not read yet.
    pub unread: Vec<RegionId>,
    pub keys: &'a Keys,
    pub exposures: &'a Exposures,
    pub gates: BTreeMap<Half, InstanceGate>,
}

impl<'a> Case<'a> {
    pub fn new(seen: &'a Inspection, vpn: &'a Vpn, keys: &'a Keys, exposures: &'a Exposures) -> Self {
        let gate = |(half, side): (Half, &Side)| Some((half, gate(side, exposures.get(&side.region)?.as_ref().ok()?)?));
        let gates = vpn.sides().filter_map(gate).collect();
        Self { vpn, surveys: &seen.surveys, unread: seen.unknown(), keys, exposures, gates }
    }

    pub fn both(&self) -> Option<[(Half, &'a Side, &'a Side); 2]> {
        let (a, b) = (&self.vpn.a, self.vpn.b()?);
        Some([(Half::A, a, b), (Half::B, b, a)])
    }

    pub fn sides(&self) -> impl Iterator<Item = (Half, &'a Side)> + use<'a> {
        self.vpn.sides()
    }

    pub fn place(&self, half: Half) -> String {
        self.vpn.place(half)
    }

    pub fn is_outside(&self) -> bool {
        matches!(self.vpn.other_half, OtherHalf::Outside)
    }

    pub fn survey(&self, side: &Side) -> Option<&'a Survey> {
        self.surveys.get(&side.region)
    }

    pub fn agreement(&self) -> Agreement {
        Agreement::between(self.vpn, self.surveys)
    }

    /// A service keeps the address and the state it was made with: it takes a new one. Where more hangs on it than this
    /// connection, or its new address cannot be known before it is made, that is the user's to decide.
    pub fn rebuild(&self, half: Half, side: &Side) -> Fix {
        let inventory = self.survey(side).map(|survey| &survey.inventory);
        let on_it = |inventory: &'a Inventory| {
            inventory.connections.iter().filter(|one| one.service == side.connection.service)
        };
        let others: Vec<&SiteConnection> =
            inventory.into_iter().flat_map(on_it).filter(|one| one.id != side.connection.id).collect();
        let is_ours = inventory.is_some_and(|inventory| !inventory.extensions.is_ovn());
        if is_ours && others.is_empty() && !side.is_legacy() && self.vpn.b().is_some() {
            return Fix::Rebuild { half };
        }
        let others = others.iter().map(|other| {
            Advice::from(format!("the same service carries {}: delete it first", of_another(&side.region, other)))
        });
        let steps = [
            self.vpn.command("delete").remark("deletes the service with the VPN"),
            osvpn("").remark("recreates them; if that fails too, the cloud's operator has to look"),
        ];
        Fix::ByHand(others.chain(steps.map(Advice::from)).collect())
    }

    /// Where a half is missing, what needs both comes after it is made.
    pub fn after_repair(&self, then: ShellCommand) -> Option<Fix> {
        self.vpn.is_missing_a_half().then(|| {
            let first = "create the half that is missing first:".into();
            Fix::ByHand(vec![first, self.vpn.command("repair").into(), then.into()])
        })
    }

    /// The profile modern on both halves; where the peer is external, its owner has to agree first.
    pub fn modernise(&self) -> Fix {
        if self.vpn.b().is_some() {
            return if self.sides().any(|(_, side)| side.is_legacy()) { Fix::Upgrade } else { Fix::Modernise };
        }
        if let Some(fix) = self.after_repair(self.vpn.command("upgrade")) {
            return fix;
        }
        Fix::ByHand(vec![
            "agree upon other policies with the owner of the peer, who has to change them at the same time; then"
                .into(),
            self.vpn.command("upgrade").words("--profile modern").into(),
        ])
    }
}
