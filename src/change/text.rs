//! Changes and their steps in words.

use std::fmt;

use super::{
    Change, ChangeId, ConnectionEdits, CopyKey, Create, Deletable, Edits, HalfObject, New, Object, ServiceEdits,
    SetKey, Step, Subject, Update, Verb,
};
use crate::cloud::{Id, Kind};

impl Verb {
    /// The word of its command.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::DeleteStrays => "delete-strays",
            Self::RemoveService => "remove-service",
            Self::RotatePsk => "rotate-psk",
            Self::SetSubnets => "set-subnets",
            Self::EqualisePolicies => "equalise-policies",
            Self::SetPeer => "set-peer",
            Self::SetDpd => "set-dpd",
            Self::SetInitiator => "set-initiator",
            Self::RebuildService => "rebuild-service",
            Self::Upgrade => "upgrade",
            Self::Repair => "repair",
            Self::SwitchOn => "switch-on",
            Self::Nudge => "nudge",
            Self::Restart => "restart",
            Self::AdmitTraffic => "admit-traffic",
        }
    }

    /// What it is the act of, in front of the VPN's name: "the deletion of".
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Create => "the creation of",
            Self::Delete | Self::DeleteStrays => "the deletion of",
            Self::RemoveService => "the deletion of unused VPN services beside",
            Self::RotatePsk => "the new key of",
            Self::SetSubnets => "the new subnets of",
            Self::EqualisePolicies => "the new policies of",
            Self::SetPeer => "the new peer address of",
            Self::SetDpd => "the new dead peer detection of",
            Self::SetInitiator => "the new initiator of",
            Self::RebuildService => "the new VPN service of",
            Self::Upgrade => "the upgrade of",
            Self::Repair => "the creation of the missing half of",
            Self::SwitchOn => "the switching on of",
            Self::Nudge => "the nudge of",
            Self::Restart => "the restart of",
            Self::AdmitTraffic => "the security-group rules of",
        }
    }
}

impl Verb {
    /// The question before it, for the VPN of that name.
    pub fn question(self, name: &str) -> String {
        match self {
            Self::Create => format!("Create {name}?"),
            Self::Delete => format!("Delete {name}?"),
            Self::DeleteStrays => "Delete the unused objects?".to_owned(),
            Self::RemoveService => format!("Delete the unused VPN services beside {name}?"),
            Self::RotatePsk => format!("Set a new key for {name}?"),
            Self::SetSubnets => format!("Change the subnets of {name}?"),
            Self::EqualisePolicies => format!("Change the policies of {name}?"),
            Self::SetPeer => format!("Change the peer address of {name}?"),
            Self::SetDpd => format!("Change the dead peer detection of {name}?"),
            Self::SetInitiator => format!("Change the initiator of {name}?"),
            Self::RebuildService => format!("Recreate the VPN service of {name}?"),
            Self::Upgrade => format!("Upgrade {name}?"),
            Self::Repair => format!("Create the missing half of {name}?"),
            Self::SwitchOn => format!("Switch {name} on?"),
            Self::Nudge => format!("Configure {name} again?"),
            Self::Restart => format!("Restart {name}?"),
            Self::AdmitTraffic => format!("Admit traffic for {name}?"),
        }
    }

    /// The two answers to the question before it, for the VPN of that name: yes and no.
    pub fn answers(self, name: &str) -> (String, String) {
        let name = short_name(name);
        let named = |verb: &str| format!("{verb} {name}");
        let of = |what: &str| (format!("Change the {what}"), format!("Keep the {what}"));
        let (yes, no) = match self {
            Self::SetSubnets => return of("subnets"),
            Self::EqualisePolicies => return of("policies"),
            Self::SetPeer => return of("peer address"),
            Self::SetDpd => return of("peer detection"),
            Self::SetInitiator => return of("initiator"),
            Self::Create => (named("Create"), "Not now"),
            Self::Delete => (named("Delete"), "Keep it"),
            Self::DeleteStrays => ("Delete the objects".to_owned(), "Keep them"),
            Self::RemoveService => ("Delete the services".to_owned(), "Keep them"),
            Self::RotatePsk => ("Set a new key".to_owned(), "Keep the key"),
            Self::RebuildService => ("Recreate the service".to_owned(), "Keep the service"),
            Self::Upgrade => (named("Upgrade"), "Keep it as it is"),
            Self::Repair => ("Create the half".to_owned(), "Not now"),
            Self::SwitchOn => (format!("Switch {name} on"), "Leave it off"),
            Self::Nudge => (format!("Configure {name} again"), "Not now"),
            Self::Restart => (named("Restart"), "Not now"),
            Self::AdmitTraffic => ("Admit traffic".to_owned(), "Not now"),
        };
        (yes, no.to_owned())
    }

    /// Whether the VPN is still there afterwards.
    pub const fn leaves_a_vpn(self) -> bool {
        !matches!(self, Self::Delete | Self::DeleteStrays)
    }

    /// Whether it does something to the VPN itself, which should be up afterwards.
    pub const fn is_about_a_vpn(self) -> bool {
        self.leaves_a_vpn() && !matches!(self, Self::AdmitTraffic)
    }
}

/// A name that has room on a button.
pub(crate) fn short_name(name: &str) -> String {
    const LONGEST: usize = 24;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Subject {
    /// The id of the VPN, or of its first connection.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marked(vpn) => vpn.fmt(f),
            Self::Unmarked(id) => id.fmt(f),
        }
    }
}

impl fmt::Display for Change {
    /// "the new key of hlz-por"
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.noun(), self.label)
    }
}

impl New {
    /// What a person calls it.
    pub fn label(&self) -> &'static str {
        self.half_object().map_or_else(|| self.kind().label(), HalfObject::label)
    }
}

impl Deletable {
    /// What a person calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Vpn(kind) => kind.label(),
            Self::Rule => "security-group rule",
        }
    }
}

impl fmt::Display for Step {
    /// "nz-hlz-1: create the IKE policy hlz-por_ike_policy". With a precision, of ids only so many characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let regions: Vec<&str> = self.regions().into_iter().map(crate::cloud::RegionId::as_str).collect();
        write!(f, "{}: ", regions.join(" and "))?;
        match self {
            Self::Create(Create { name, object: New::Rule { remote, .. }, .. }) => {
                write!(f, "allow {remote} in the security group {name}")
            }
            Self::Create(Create { name, object, .. }) => write!(f, "create the {} {name}", object.label()),
            Self::Update(Update { id, name, edits, .. }) => {
                let (object, changed) = match edits {
                    Edits::Service(edits) => (Kind::VpnService, changed_of_service(edits)),
                    Edits::Connection(edits) => (Kind::SiteConnection, changed_of_connection(edits)),
                };
                write!(f, "change the {} {name}{}: {}", object.label(), in_brackets(id, f), changed.join(", "))
            }
            Self::SetKey(SetKey { second: Some(_), .. }) if f.precision().is_some() => {
                f.write_str("set the new key on both halves")
            }
            Self::SetKey(SetKey { first, second: Some(second), .. }) => {
                write!(f, "set the new key on both halves, {first} and {second}")
            }
            Self::SetKey(SetKey { first, second: None, .. }) => {
                f.write_str("set the new key on ")?;
                first.fmt(f)
            }
            Self::CopyKey(CopyKey { from, to }) => {
                f.write_str("give ")?;
                to.fmt(f)?;
                f.write_str(" the key of ")?;
                from.fmt(f)
            }
            Self::Restart(service) => write!(f, "switch the VPN service {} off and on", service.name),
            Self::Delete(kind, object) => {
                write!(f, "delete the {} ", kind.label())?;
                object.fmt(f)
            }
        }
    }
}

impl fmt::Display for Object {
    /// "hlz-por_ike_policy (5e5ae9cb-…)": names are not unique, and ids tell a person nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, in_brackets(&self.id, f))
    }
}

/// An id, or as much of it as the precision leaves of a UUID.
fn in_brackets(id: &Id, f: &fmt::Formatter<'_>) -> String {
    let id = id.as_str();
    match f.precision() {
        Some(0) => String::new(),
        Some(length) if id.len() == 36 => format!(" ({})", id.get(..length).unwrap_or(id)),
        _ => format!(" ({id})"),
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn switch(up: bool) -> String {
    format!("switched {}", if up { "on" } else { "off" })
}

fn changed_of_service(edits: &ServiceEdits) -> Vec<String> {
    let description = edits.description.as_ref().map(|edit| {
        let is_nudge = edit.before == edit.after;
        if is_nudge { "configured anew".to_owned() } else { "description".to_owned() }
    });
    [description, edits.admin_state_up.as_ref().map(|edit| switch(edit.after))].into_iter().flatten().collect()
}

fn changed_of_connection(edits: &ConnectionEdits) -> Vec<String> {
    let changed = [
        edits.peer_address.as_ref().map(|edit| format!("peer address {}", edit.after)),
        edits.peer_id.as_ref().map(|edit| format!("peer id {}", edit.after)),
        edits.local_group.as_ref().map(|_| "local endpoint group".to_owned()),
        edits.peer_group.as_ref().map(|_| "peer endpoint group".to_owned()),
        edits.dpd.as_ref().map(|edit| {
            format!("dead peer detection {}/{}/{}", edit.after.action, edit.after.interval, edit.after.timeout)
        }),
        edits.initiator.as_ref().map(|edit| format!("initiator {}", edit.after)),
        edits.admin_state_up.as_ref().map(|edit| switch(edit.after)),
    ];
    changed.into_iter().flatten().collect()
}
