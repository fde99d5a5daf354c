//! What can be done to a VPN that exists, as a [`Change`]: pure. It is built from what [`inspect`](crate::inspect) has
//! seen, shown to the user with what to know about it, and carried out by
//! [`engine`](crate::engine).

use itertools::Itertools;

use super::impact::Impact;
use crate::change::{Change, Object, Subject, Verb};
use crate::inspect::{Side, Vpn};
use crate::plan::Half;

/// A change that is ready to be carried out, with what the user should know before agreeing to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub change: Change,
    /// What stays, what is interrupted, what to do afterwards; a sentence each.
    pub notes: Vec<String>,
    /// Of an upgrade.
    pub impact: Option<Impact>,
}

impl Proposal {
    pub(super) const fn new(change: Change, notes: Vec<String>) -> Self {
        Self { change, notes, impact: None }
    }

    /// Nothing to do, and why.
    pub(super) fn nothing(change: Change, why: impl Into<String>) -> Self {
        Self::new(change, vec![why.into()])
    }

    /// Everything there is to know of it, a sentence each.
    pub fn all_notes(&self) -> Vec<String> {
        let mut all: Vec<String> = self.impact.iter().flat_map(|impact| impact.sentences(&self.change.label)).collect();
        all.extend(self.notes.iter().cloned());
        all
    }

    /// Whether there is nothing to do: everything is as it should be.
    pub fn is_empty(&self) -> bool {
        self.change.steps().is_empty()
    }
}

/// Why a change is not proposed: every reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct Refused(pub Vec<String>);

impl Refused {
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self(vec![why.into()])
    }
}

/// Why nothing is changed about a VPN that lacks a half, and what makes it.
pub(super) fn one_half(vpn: &Vpn) -> String {
    format!("{} has only one half; create the other one first: {}", vpn.name, vpn.command("repair"))
}

/// An empty change of that VPN.
pub(super) fn begin(verb: Verb, vpn: &Vpn) -> Change {
    let mut change = Change::new(verb, subject(vpn), vpn.name.clone());
    let connection = |side: &Side| object(side, &side.connection.id, &side.connection.name);
    change.connections = vpn.sides().map(|(_, side)| connection(side)).collect();
    change
}

/// What the lock and the journal of a VPN's changes are called by.
fn subject(vpn: &Vpn) -> Subject {
    match &vpn.id {
        Some(id) => Subject::Marked(id.clone()),
        None => Subject::Unmarked(vpn.a.connection.id.clone()),
    }
}

/// Whether a change of that subject is one of that VPN.
pub fn is_of(subject: &Subject, vpn: &Vpn) -> bool {
    match subject {
        Subject::Marked(id) => vpn.id.as_ref() == Some(id),
        Subject::Unmarked(id) => vpn.sides().any(|(_, side)| side.connection.id == *id),
    }
}

/// Switches a half's service off and on. strongSwan reads new values of a connection while it runs, and goes on with what
/// it was told before.
///
/// One that its owner has switched off stays off, and takes everything up when it is switched on.
pub(super) fn restart(change: &mut Change, side: &Side) {
    if let Some(service) = side.service.as_ref().filter(|service| service.admin_state_up) {
        change.restart(object(side, &service.id, &service.name));
    }
}

/// The notes of a change that restarts services.
pub(super) fn interruption() -> String {
    "The VPN services are switched off and on again: every tunnel of their routers is down for some seconds.".to_owned()
}

pub(super) fn object(side: &Side, id: &crate::cloud::Id, name: &str) -> Object {
    Object { region: side.region.clone(), id: id.clone(), name: name.to_owned() }
}

/// The word in the description of what is made for a half besides its VPN objects: by it a later deletion finds it.
pub fn belonging(vpn: &Vpn, half: Half) -> String {
    match &vpn.id {
        Some(id) => id.mark(half),
        None => former(vpn),
    }
}

const FORMER: &str = "osvpn-for:";

/// That of a VPN without a marker.
pub(super) fn former(vpn: &Vpn) -> String {
    format!("{FORMER}{}", vpn.a.connection.id)
}

/// That, and those from before its first connection was replaced, which the description of that one has kept.
pub(super) fn belongings(vpn: &Vpn, half: Half) -> Vec<String> {
    let kept = vpn.a.connection.description.split(' ').filter(|word| word.starts_with(FORMER));
    std::iter::once(belonging(vpn, half)).chain(kept.map(str::to_owned)).unique().collect()
}
