//! Deleting a VPN, and the objects that no connection uses.

use std::collections::BTreeMap;

use itertools::Itertools;

use super::proposal::{Proposal, Refused, begin, belonging, belongings, is_of, object};
use crate::change::{Change, ChangeId, Object, Subject, UnreadRules, Verb};
use crate::cloud::exposure::SecurityGroupRule;
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Id, Kind, RegionId, Status};
use crate::inspect::{Inspection, Side, UnusedObject, Vpn};
use crate::plan::shell::osvpn;
use crate::plan::{Half, VpnName};

/// Deletes both halves of a VPN, connections first. What other connections use stays. Of the security-group rules given
/// those go too that were made for this VPN.
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
        let rules = rules.get(&side.region).map_or(&[][..], Vec::as_slice);
        delete_rules(&mut change, &mut notes, vpn, half, side, rules);
    }
    delete_rest(&mut change, &mut notes, seen, vpn);
    for (half, side) in vpn.sides().filter(|(_, side)| !rules.contains_key(&side.region)) {
        notes.push(format!(
            "The security-group rules in {} could not be read; those that osvpn admit has added there stay.",
            side.region
        ));
        let (region, remote, word) = (side.region.clone(), side.remote.clone(), belonging(vpn, half));
        change.unread_rules.push(UnreadRules { region, remote, word });
    }
    if vpn.b().is_none() && !vpn.is_missing_a_half() {
        notes.push(format!("The external peer ({}) keeps its side of the tunnel.", vpn.a.connection.peer_address));
    }
    Proposal::new(change, notes)
}

/// The rules that this program made for a half: they carry its marker, and have the form it gives them.
fn delete_rules(
    change: &mut Change,
    notes: &mut Vec<String>,
    vpn: &Vpn,
    half: Half,
    side: &Side,
    rules: &[SecurityGroupRule],
) {
    let words = belongings(vpn, half);
    let is_its = |rule: &&SecurityGroupRule| words.iter().any(|word| is_marked(&rule.description, word));
    for rule in rules.iter().filter(is_its) {
        let name = format!("{rule} in the security group {}", rule.group_label());
        if rule.has_our_form() {
            change.delete_rule(Object { region: side.region.clone(), id: rule.id.clone(), name });
        } else {
            notes.push(format!(
                "The security-group rule {} in {} ({name}) carries the marker of this VPN, and osvpn adds no such rule. \
                 It stays.",
                rule.id, side.region
            ));
        }
    }
}

/// What is left of a half without a connection. An object that does not have a name of this program may belong to another user,
/// whatever its description says.
fn delete_rest(change: &mut Change, notes: &mut Vec<String>, seen: &Inspection, vpn: &Vpn) {
    let own = |object: &&UnusedObject| object.mark.as_ref().is_some_and(|(id, _)| Some(id) == vpn.id.as_ref());
    for object in seen.unused.iter().filter(own) {
        if VpnName::is_given(object.kind, &object.name) {
            change.delete(object.kind, unused(object));
        } else {
            notes.push(format!(
                "The {} {} ({}) in {} carries the marker of this VPN, and has no name that osvpn gives. It stays; to delete \
                 it: {}",
                object.kind.label(),
                object.name,
                object.id,
                object.region,
                by_name(&object.id)
            ));
        }
    }
}

/// What a half's connection holds, in the order in which it is deleted. Objects that cannot be seen are left out: they
/// belong to another user.
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
    /// Changes in progress.
    pub changes: Vec<ChangeId>,
    /// Objects they are known to have made.
    pub objects: Vec<Id>,
}

impl Unfinished {
    /// Whether that VPN is one of them.
    pub fn is_of(&self, vpn: &Vpn) -> bool {
        self.vpns.iter().any(|subject| is_of(subject, vpn))
    }

    /// Whether one of them may still need that object.
    pub fn needs(&self, object: &UnusedObject) -> bool {
        self.objects.contains(&object.id)
            || object.mark.as_ref().is_some_and(|(id, _)| self.vpns.contains(&Subject::Marked(id.clone())))
            || ChangeId::of_description(&object.description).is_some_and(|change| self.changes.contains(&change))
    }
}

/// Why an unused object is not deleted with the others.
#[derive(Clone, Debug, PartialEq, Eq)]
enum KeptUnused {
    /// A run or change of this machine is not done with it.
    Unfinished,
    /// It carries the marker of a VPN or a change that this machine does not know: another user may be working on it.
    Of(String),
    /// It carries the marker that was named, and has no name that this program gives.
    OtherName,
    /// It is being created.
    Pending(Status),
}

/// Why it is kept; none if it can go. `named` are ids of VPNs, changes or objects.
fn kept(object: &UnusedObject, unfinished: &Unfinished, named: &[String]) -> Option<KeptUnused> {
    let is_named = |id: &str| named.iter().any(|named| named == id);
    if unfinished.needs(object) {
        return Some(KeptUnused::Unfinished);
    }
    if is_named(object.id.as_str()) {
        return None;
    }
    match owner(object) {
        Some(owner) if !is_named(&owner) => Some(KeptUnused::Of(owner)),
        Some(_) if object.mark.is_some() && !VpnName::is_given(object.kind, &object.name) => {
            Some(KeptUnused::OtherName)
        }
        Some(_) => None,
        None => object.pending().cloned().map(KeptUnused::Pending),
    }
}

/// The VPN or the change in its description.
fn owner(object: &UnusedObject) -> Option<String> {
    let vpn = object.mark.as_ref().map(|(id, _)| id.to_string());
    vpn.or_else(|| ChangeId::of_description(&object.description).map(|change| change.to_string()))
}

/// Deletes objects that no connection uses: those that `named` names, by their own id or by that of the VPN or change in
/// their description; else all that cannot be under construction. Neutron keeps no time of creation for these kinds,
/// so an unknown marker is taken for work in progress. Those of runs and changes that are not done yet stay.
/// Errors: if there are only such as stay.
pub fn delete_strays(seen: &Inspection, unfinished: &Unfinished, named: &[String]) -> Result<Proposal, Refused> {
    let (kept, free): (Vec<_>, Vec<_>) = seen
        .unused
        .iter()
        .map(|object| (object, kept(object, unfinished, named)))
        .partition(|(_, kept)| kept.is_some());
    let chosen = |object: &UnusedObject| {
        named.is_empty() || named.iter().any(|id| object.id.as_str() == id || owner(object).as_ref() == Some(id))
    };
    let free: Vec<&UnusedObject> = free.into_iter().map(|(object, _)| object).filter(|object| chosen(object)).collect();
    let kept = kept.into_iter().filter(|(object, _)| chosen(object)).filter_map(|(object, why)| Some((object, why?)));
    let reasons = reasons(&kept.collect::<Vec<_>>());
    let empty = |subject: Subject| Change::new(Verb::DeleteStrays, subject, "unused objects");
    let Some(first) = free.first() else {
        let nothing = match named {
            [] => "There are no unused objects.".to_owned(),
            named => format!("No unused object has the id, or the marker of, {}.", named.join(", ")),
        };
        return if reasons.is_empty() {
            Ok(Proposal::nothing(empty(Subject::Unmarked(Id::new(""))), nothing))
        } else {
            Err(Refused(reasons))
        };
    };
    let mut change = empty(Subject::Unmarked(first.id.clone()));
    for object in &free {
        change.delete(object.kind, unused(object));
    }
    let mut notes =
        vec!["Another user or tool may be creating a VPN from them; objects in use by then stay.".to_owned()];
    notes.extend(reasons);
    Ok(Proposal::new(change, notes))
}

/// Each reason once, with the objects it is about.
fn reasons(kept: &[(&UnusedObject, KeptUnused)]) -> Vec<String> {
    let mut reasons: Vec<(&KeptUnused, Vec<&UnusedObject>)> = Vec::new();
    for (object, why) in kept {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, objects)) => objects.push(object),
            None => reasons.push((why, vec![object])),
        }
    }
    reasons.into_iter().map(|(why, objects)| why.reason(&objects)).collect()
}

impl KeptUnused {
    fn reason(&self, kept: &[&UnusedObject]) -> String {
        let count = kept.len();
        let (objects, carry, stay) =
            if count == 1 { ("1 object", "carries", "It stays") } else { ("objects", "carry", "They stay") };
        let objects = if count == 1 { objects.to_owned() } else { format!("{count} {objects}") };
        let listed =
            || kept.iter().map(|object| format!("{} {} ({})", object.kind.label(), object.name, object.id)).join(", ");
        match self {
            Self::Unfinished => format!(
                "{objects} of an interrupted creation or change: resume it with osvpn resume, or roll it back with osvpn \
                 rollback. {stay}."
            ),
            Self::Of(owner) => format!(
                "{objects} {carry} the marker of {owner}, which this machine does not know: somebody may be creating or \
                 changing it. {stay}; to delete what is no longer needed: {}",
                by_name(owner)
            ),
            Self::OtherName => format!(
                "{objects} {carry} that marker and no name that osvpn gives: {}. {stay}; to delete one, name its own id after \
                 --of",
                listed()
            ),
            Self::Pending(status) => format!(
                "{status}: {}. Somebody may be creating it. {stay}; to delete one, name its own id after --of",
                listed()
            ),
        }
    }
}

/// The command that deletes an unused object, or all of a VPN.
fn by_name(id: &dyn std::fmt::Display) -> String {
    osvpn("delete --strays --of").value(id).to_string()
}

fn unused(object: &UnusedObject) -> Object {
    Object { region: object.region.clone(), id: object.id.clone(), name: object.name.clone() }
}
