//! Changes and their steps in words.

use std::fmt;

use super::{
    Change, ChangeId, ConnectionEdits, CopyKey, Create, Deletable, Edits, HalfObject, New, Object, ServiceEdits,
    SetKey, Step, Subject, Update, Verb,
};
use crate::cloud::Kind;

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
            Self::SwitchOn => format!("Switch {name} on?"),
            Self::Nudge => format!("Configure {name} again?"),
            Self::Restart => format!("Restart {name}?"),
            Self::AdmitTraffic => format!("Add security-group rules for {name}?"),
        }
    }

    /// The two answers to the question before it: yes and no.
    pub const fn answers(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("Create", "Cancel"),
            Self::Delete | Self::DeleteStrays | Self::RemoveService => ("Delete", "Keep"),
            Self::RotatePsk => ("Set new key", "Keep key"),
            Self::SetSubnets | Self::EqualisePolicies | Self::SetPeer | Self::SetDpd | Self::SetInitiator => {
                ("Change", "Keep")
            }
            Self::RebuildService => ("Recreate", "Keep"),
            Self::SwitchOn => ("Switch on", "Leave off"),
            Self::Nudge => ("Configure again", "Cancel"),
            Self::Restart => ("Restart", "Cancel"),
            Self::AdmitTraffic => ("Add rules", "Cancel"),
        }
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
    /// "nz-hlz-1: make the IKE policy hlz-por_ike_policy"
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
                write!(f, "change the {} {name} ({id}): {}", object.label(), changed.join(", "))
            }
            Self::SetKey(SetKey { first, second: Some(second), .. }) => {
                write!(f, "set the new key on both halves, {first} and {second}")
            }
            Self::SetKey(SetKey { first, second: None, .. }) => write!(f, "set the new key on {first}"),
            Self::CopyKey(CopyKey { from, to }) => write!(f, "give {to} the key of {from}"),
            Self::Restart(service) => write!(f, "switch the VPN service {} off and on", service.name),
            Self::Delete(kind, object) => write!(f, "delete the {} {object}", kind.label()),
        }
    }
}

impl fmt::Display for Object {
    /// "hlz-por_ike_policy (5e5ae9cb-…)": names are not unique, and ids tell a person nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.id)
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
