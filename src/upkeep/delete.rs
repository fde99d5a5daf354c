//! Deleting a VPN, and what no VPN uses.

use std::collections::BTreeMap;

use itertools::Itertools;

use super::{Proposal, Refused, begin, belonging, is_of, object};
use crate::change::{Change, ChangeId, Object, Subject, UnreadRules, Verb};
use crate::cloud::exposure::SecurityGroupRule;
use crate::cloud::{Id, Kind, RegionId};
use crate::inspect::{Inspection, Side, Stray, Vpn};

/// Deletes both halves of a VPN, connections first. What other connections use stays. Of the security-group rules given
/// those go too that were made for this VPN.
#[must_use]
pub fn delete(seen: &Inspection, vpn: &Vpn, rules: &BTreeMap<RegionId, Vec<SecurityGroupRule>>) -> Proposal {
    let mut change = begin(Verb::Delete, vpn);
    let mut notes = Vec::new();
    for (_, side) in vpn.sides() {
        change.delete(Kind::SiteConnection, object(side, &side.connection.id, &side.connection.name));
    }
    for (half, side) in vpn.sides() {
        for (kind, id, name) in held(seen, side) {
            let others = seen.shared_with(vpn, &side.region, &id);
            if others.is_empty() {
                change.delete(kind, object(side, &id, &name));
            } else {
                let others = others.iter().map(|other| other.name.as_str()).join(", ");
                notes.push(format!("The {} {name} in {} stays: {others} uses it.", kind.label(), side.region));
            }
        }
        let word = belonging(vpn, half);
        for rule in rules.get(&side.region).into_iter().flatten() {
            if rule.description.split_whitespace().any(|candidate| candidate == word) {
                let name = rule.remote.map_or_else(String::new, |remote| format!("for {remote}"));
                change.delete_rule(Object { region: side.region.clone(), id: rule.id.clone(), name });
            }
        }
    }
    // What is left of a half without a connection.
    let own = |stray: &&Stray| stray.mark.as_ref().is_some_and(|(id, _)| Some(id) == vpn.id.as_ref());
    for stray in seen.strays.iter().filter(own) {
        let object = Object { region: stray.region.clone(), id: stray.id.clone(), name: stray.name.clone() };
        change.delete(stray.kind, object);
    }
    for (half, side) in vpn.sides().filter(|(_, side)| !rules.contains_key(&side.region)) {
        notes.push(format!(
            "The security-group rules in {} could not be read; those that osvpn admit has made there stay.",
            side.region
        ));
        let (region, remote, word) = (side.region.clone(), side.remote.clone(), belonging(vpn, half));
        change.unread_rules.push(UnreadRules { region, remote, word });
    }
    if vpn.b().is_none() && !vpn.is_missing_a_half() {
        notes.push(format!("The peer outside ({}) keeps its side of the tunnel.", vpn.a.connection.peer_address));
    }
    Proposal { change, notes }
}

/// What a half's connection holds, in the order in which it is deleted. Objects that cannot be seen are left out: they
/// belong to somebody else.
fn held(seen: &Inspection, side: &Side) -> Vec<(Kind, Id, String)> {
    let Some(survey) = seen.surveys.get(&side.region) else { return Vec::new() };
    let groups = [&side.connection.peer_group, &side.connection.local_group].into_iter().flatten();
    let group = |id: &Id| survey.groups.iter().find(|group| group.id == *id);
    let mut held: Vec<(Kind, Id, String)> =
        groups.filter_map(group).map(|group| (Kind::EndpointGroup, group.id.clone(), group.name.clone())).collect();
    held.extend(side.ipsec.iter().map(|policy| (Kind::IpsecPolicy, policy.id.clone(), policy.name.clone())));
    held.extend(side.ike.iter().map(|policy| (Kind::IkePolicy, policy.id.clone(), policy.name.clone())));
    held.extend(side.service.iter().map(|service| (Kind::VpnService, service.id.clone(), service.name.clone())));
    held
}

/// What is not done yet, and may still need objects that nothing uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// VPNs that are being made or changed.
    pub vpns: Vec<Subject>,
    /// Changes under way.
    pub changes: Vec<ChangeId>,
}

impl Unfinished {
    /// Whether that VPN is one of them.
    #[must_use]
    pub fn is_of(&self, vpn: &Vpn) -> bool {
        self.vpns.iter().any(|subject| is_of(subject, vpn))
    }

    fn needs(&self, stray: &Stray) -> bool {
        stray.mark.as_ref().is_some_and(|(id, _)| self.vpns.contains(&Subject::Marked(id.clone())))
            || self.changes.iter().any(|change| change.is_in(&stray.description))
    }
}

/// Deletes objects that no connection uses. Those of runs and changes that are not done yet stay.
///
/// # Errors
/// If all of them do.
pub fn delete_strays(seen: &Inspection, unfinished: &Unfinished) -> Result<Proposal, Refused> {
    let is_needed = |stray: &&Stray| unfinished.needs(stray);
    let (needed, free): (Vec<&Stray>, Vec<&Stray>) = seen.strays.iter().partition(is_needed);
    let empty = |subject: Subject| Change::new(Verb::DeleteStrays, subject, "unused objects");
    let Some(first) = free.first() else {
        return if needed.is_empty() {
            Ok(Proposal::nothing(empty(Subject::Unmarked(Id::new(""))), "There are no unused objects."))
        } else {
            Err(Refused::because(
                "what no connection uses belongs to a run that is not done yet: osvpn resume, or osvpn rollback",
            ))
        };
    };
    let mut change = empty(Subject::Unmarked(first.id.clone()));
    for stray in &free {
        let object = Object { region: stray.region.clone(), id: stray.id.clone(), name: stray.name.clone() };
        change.delete(stray.kind, object);
    }
    let mut notes = vec![
        "Somebody may be just making a VPN of them, elsewhere or with other tools; what is in use by then stays."
            .to_owned(),
    ];
    if !needed.is_empty() {
        notes.push(format!("{} more belong to a run that is not done yet, and stay.", needed.len()));
    }
    Ok(Proposal { change, notes })
}
