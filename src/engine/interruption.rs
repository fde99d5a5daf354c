//! What was interrupted in a project, as the journals of this machine tell.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::journal::{self, JournalError, Record, Stage};
use super::{kept, state_file};
use crate::change::{ChangeId, Subject};
use crate::cloud::{Cloud, Id};
use crate::plan::file::PlanFile;
use crate::plan::{VpnId, meant};

/// A run or a change that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// The VPN.
    pub vpn: Subject,
    /// Its name.
    pub name: String,
    /// What was being done.
    pub action: Action,
    /// Whether it still is.
    pub state: State,
    /// When it began.
    pub began: Timestamp,
}

/// What was being done to a VPN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was created.
    Creating {
        /// The objects that are known to exist, but for what was there before.
        objects: Vec<Id>,
        /// How many more may exist.
        may_exist: usize,
    },
    /// It was changed.
    Changing {
        /// Which change.
        id: ChangeId,
        /// In words: "the new key of hlz-por".
        what: String,
        /// Whether it can be rolled back.
        is_reversible: bool,
    },
}

/// Whether somebody goes on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No process does.
    Interrupted,
    /// Another process is doing it now.
    Running,
    /// The VPN is made. Only a second object that a lost request may make has to be looked for, and deleted.
    Outstanding,
}

impl Interruption {
    /// Whether the VPN lacks objects.
    #[must_use]
    pub const fn is_of_creation(&self) -> bool {
        matches!(self.action, Action::Creating { .. }) && !matches!(self.state, State::Outstanding)
    }

    /// Whether it is of that VPN: the one with that marker, or one of these connections.
    pub fn is_of<'a>(&self, marker: Option<&VpnId>, connections: impl IntoIterator<Item = &'a Id>) -> bool {
        match &self.vpn {
            Subject::Marked(id) => marker == Some(id),
            Subject::Unmarked(id) => connections.into_iter().any(|connection| connection == id),
        }
    }

    /// Those of which a word means the VPN: by the id, or the whole marker, or else by the name.
    #[must_use]
    pub fn meant<'a>(all: impl IntoIterator<Item = &'a Self>, wanted: &str) -> Vec<&'a Self> {
        meant(wanted, all, &[&|one| one.vpn.is_called(wanted), &|one| one.name == wanted])
    }
}

/// What is not done in the cloud's project, the latest first: creations, then changes. A journal that cannot be read tells
/// of nothing.
#[must_use]
pub fn interruptions(directory: &Path, cloud: &Cloud) -> Vec<Interruption> {
    let runs = journal::unfinished(directory).unwrap_or_default();
    let runs = runs.into_iter().filter_map(|(path, record)| Some((path, record.ok()?)));
    let runs = runs.filter(|(_, record)| record.is_of(cloud)).map(|(path, mut record)| {
        let state = match record.stage() {
            Stage::Interrupted => state(&path),
            Stage::Outstanding | Stage::Made => State::Outstanding,
        };
        record.ledger.take_over(cloud.limits());
        Interruption {
            vpn: Subject::Marked(record.vpn),
            name: record.name.to_string(),
            action: Action::Creating {
                objects: record.ledger.removable().into_iter().map(|made| made.id).collect(),
                may_exist: record.ledger.doubts().len(),
            },
            state,
            began: record.began,
        }
    });
    let changes = kept::unfinished(directory).unwrap_or_default();
    let changes = changes.into_iter().filter_map(|(path, record)| Some((path, record.ok()?)));
    let changes = changes.filter(|(_, record)| record.is_of(cloud)).map(|(path, record)| Interruption {
        vpn: record.change.subject.clone(),
        name: record.change.label.clone(),
        action: Action::Changing {
            id: record.change.id().clone(),
            what: record.change.to_string(),
            is_reversible: record.is_reversible(),
        },
        state: state(&path),
        began: record.began,
    });
    runs.chain(changes).collect()
}

/// The creation of a plan file's VPN, begun on this machine in the cloud's project, that is not done.
#[must_use]
pub fn begun(directory: &Path, cloud: &Cloud, file: &PlanFile) -> Option<Interruption> {
    let runs = journal::unfinished(directory).unwrap_or_default();
    let is_same = |record: &Record| record.plan().is_ok_and(|plan| plan.is_of_same_vpn(file));
    let same: Vec<VpnId> =
        runs.into_iter().filter_map(|(_, record)| record.ok().filter(is_same)).map(|record| record.vpn).collect();
    let is_same = |one: &Interruption| same.iter().any(|vpn| one.is_of(Some(vpn), []));
    interruptions(directory, cloud).into_iter().find(|one| one.is_of_creation() && is_same(one))
}

/// What unused objects may still be needed for: the VPNs, the changes, and the objects that are known.
#[must_use]
pub fn needed(interruptions: &[Interruption]) -> (Vec<Subject>, Vec<ChangeId>, Vec<Id>) {
    let (mut vpns, mut changes, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for interruption in interruptions.iter().filter(|one| one.state != State::Outstanding) {
        vpns.push(interruption.vpn.clone());
        match &interruption.action {
            Action::Creating { objects, .. } => ids.extend(objects.iter().cloned()),
            Action::Changing { id, .. } => changes.push(id.clone()),
        }
    }
    (vpns, changes, ids)
}

/// Whether another process has the lock beside a journal.
fn state(path: &Path) -> State {
    match state_file::lock(path) {
        Err(JournalError::Busy(_)) => State::Running,
        Ok(_) | Err(_) => State::Interrupted,
    }
}
