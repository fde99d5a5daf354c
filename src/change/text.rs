//! Changes and their steps in words.

use std::fmt;

use super::{
    Change, ConnectionEdits, CopyKey, Create, Deletable, Edits, HalfObject, New, Object, ServiceEdits, SetKey, Step,
    Subject, Update,
};
use crate::cloud::{Id, Kind};

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
