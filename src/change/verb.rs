//! What a change does, as a whole, and how that is called.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a change does, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Makes it, from a plan.
    Create,
    /// Deletes the VPN.
    Delete,
    /// Deletes objects that no VPN uses.
    DeleteStrays,
    /// Deletes VPN services beside its own that no connection uses.
    RemoveService,
    /// Gives it another key.
    RotatePsk,
    /// Tunnels other subnets.
    SetSubnets,
    /// Makes the policies of its halves the same.
    EqualisePolicies,
    /// Points a half to where its peer is.
    SetPeer,
    /// Corrects the dead peer detection.
    SetDpd,
    /// Has a half begin to negotiate.
    SetInitiator,
    /// Recreates a VPN service with its connection.
    RebuildService,
    /// Brings it to the current model, sound policies and a key of its own.
    Upgrade,
    /// Makes the half that is missing.
    Repair,
    /// Switches on what is switched off.
    SwitchOn,
    /// Makes the agents configure a router again.
    Nudge,
    /// Ends the running SAs, so that they are renegotiated.
    Restart,
    /// Allows traffic from the other side to the instances.
    AdmitTraffic,
}

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
            Self::Create => (named("Create"), "Do not create"),
            Self::Delete => (named("Delete"), "Keep it"),
            Self::DeleteStrays => ("Delete the objects".to_owned(), "Keep them"),
            Self::RemoveService => ("Delete the services".to_owned(), "Keep them"),
            Self::RotatePsk => ("Set a new key".to_owned(), "Keep the key"),
            Self::RebuildService => ("Recreate the service".to_owned(), "Keep the service"),
            Self::Upgrade => (named("Upgrade"), "Keep it as it is"),
            Self::Repair => ("Create the half".to_owned(), "Keep it as it is"),
            Self::SwitchOn => (format!("Switch {name} on"), "Leave it off"),
            Self::Nudge => (format!("Configure {name} again"), "Keep it as it is"),
            Self::Restart => (named("Restart"), "Keep it as it is"),
            Self::AdmitTraffic => ("Admit traffic".to_owned(), "Keep the rules"),
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
