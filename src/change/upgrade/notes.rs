//! The notes of an upgrade, a sentence each.

use itertools::Itertools;

use super::NEW_KEY;
use super::differences::Differences;
use super::moves::{MovedConnection, Moves};
use crate::change::sharers::connections;

impl Moves<'_> {
    /// What is another one afterwards, a sentence each.
    pub fn differences(&self, wanted: &Differences) -> Vec<String> {
        let mut told = wanted.sentences.clone();
        if !self.services.is_empty() {
            let places = self.services.iter().map(|moved| moved.side.region.as_str()).join(" and ");
            told.push(format!("In {places} endpoint groups take the place of the one subnet, with a new VPN service."));
        }
        told.extend(wanted.carried.iter().map(|carried| carried.reach(self.vpn)));
        told.extend(wanted.key.is_some().then(|| NEW_KEY.to_owned()));
        told
    }

    pub fn notes(&self, wanted: &Differences) -> Vec<String> {
        let mut notes: Vec<String> =
            wanted.carried.iter().flat_map(|carried| carried.warnings.iter().cloned()).collect();
        notes.extend(self.about_companions(wanted));
        notes.extend(self.about_peer(wanted));
        notes.extend(self.about_addresses());
        notes.push("Connections are recreated with new ids.".to_owned());
        notes.push(
            "It can be rolled back until the first old connection is deleted; from then on it can only be finished."
                .to_owned(),
        );
        notes
    }

    fn about_companions(&self, wanted: &Differences) -> Vec<String> {
        let others =
            self.connections.iter().filter(|moved| !self.is_own(moved)).unique_by(|moved| &moved.vpn.a.connection.id);
        let told = others.map(|MovedConnection { vpn, has_new_key, .. }| {
            let is_namesake = vpn.name == self.vpn.name;
            let name = if is_namesake { format!("{} ({})", vpn.name, connections(vpn)) } else { vpn.name.clone() };
            match (vpn.b(), *has_new_key && wanted.key.is_some()) {
                (None, _) => format!(
                    "{name} is on the same VPN service and moves with it. Its policies and its key stay: the owner of its peer \
                     ({}) has nothing to change, and should know of the interruption.",
                    vpn.a.connection.peer_address
                ),
                (Some(_), true) => format!("{name} goes between the same two ends, so it gets the new key too."),
                (Some(_), false) => format!("{name} is on the same VPN service and moves with it. Its policies and its key stay."),
            }
        });
        told.collect()
    }

    /// What the owner of the VPN's own external peer has to know.
    fn about_peer(&self, wanted: &Differences) -> Option<String> {
        if self.vpn.b().is_some() {
            return None;
        }
        let peer = &self.vpn.a.connection.peer_address;
        let mut changes: Vec<&str> = Vec::new();
        changes.extend(wanted.policies.is_some().then_some("these policies"));
        changes.extend(wanted.key.is_some().then_some("the new key"));
        changes.extend(wanted.carried.is_some().then_some("these subnets, the other way round"));
        Some(if changes.is_empty() {
            let name = &self.vpn.name;
            format!("The policies and the key of {name} stay: the owner of its peer ({peer}) has nothing to change.")
        } else {
            format!("The owner of the external peer ({peer}) has to set at the same time: {}.", changes.join(", "))
        })
    }

    fn about_addresses(&self) -> Vec<String> {
        let moved = self.services.iter().filter(|moved| moved.may_change_address);
        let told = moved.map(|moved| {
            let now = moved.side.address().map_or_else(String::new, |address| format!(" ({address})"));
            let outside = self.connections.iter().filter(|one| one.vpn.b().is_none() && self.is_on(one.side, moved));
            let peers = outside.map(|one| one.side.connection.peer_address.as_str()).join(", ");
            let told = format!(
                "The cloud may give the new VPN service in {} another address than the present one{now}; the other half gets it.",
                moved.side.region
            );
            if peers.is_empty() { told } else { format!("{told} External peers have to be told: {peers}.") }
        });
        told.collect()
    }
}
