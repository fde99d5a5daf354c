//! What a run has made so far. Everything that continues or undoes a run works from it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::{Step, Task};
use crate::cloud::{Id, RegionId};
use crate::plan::Half;

/// How an object came to be part of the VPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// This run made it, and may delete it.
    Created,
    /// A request of this run made it although its answer was lost; found again by its mark.
    Adopted,
    /// It was there before, and stays.
    Reused,
}

/// One object of the VPN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The task it fulfils.
    pub task: Task,
    /// Where it is.
    pub region: RegionId,
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub origin: Origin,
    /// For a VPN service: the address its peers must use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_v4: Option<Ipv4Addr>,
    /// The same for IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_v6: Option<Ipv6Addr>,
}

/// The objects of a VPN that exist by now, and the requests whose outcome is in doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    made: Vec<Made>,
    /// What failed requests left behind: of no use, and to be deleted.
    debris: Vec<Made>,
    /// Tasks of which nobody knows whether the cloud has acted.
    doubtful: BTreeSet<Task>,
    /// Tasks that were in doubt once: a request given up may still take effect, later, and leave a twin.
    suspect: BTreeSet<Task>,
}

impl Ledger {
    /// Every object of use, in the order it came to be.
    #[must_use]
    pub fn made(&self) -> &[Made] {
        &self.made
    }

    /// The object of a task, once it exists.
    #[must_use]
    pub fn get(&self, half: Half, step: Step) -> Option<&Made> {
        self.made.iter().find(|made| made.task == Task { half, step })
    }

    /// What undoing would delete, in the order of deletion: connections first, services last.
    #[must_use]
    pub fn removable(&self) -> Vec<Made> {
        let ours = self.made.iter().filter(|made| made.origin != Origin::Reused);
        let mut ours: Vec<Made> = ours.chain(&self.debris).cloned().collect();
        ours.sort_by_key(|made| std::cmp::Reverse(made.task.step));
        ours
    }

    /// Whether everything a VPN consists of exists for sure in each of these halves: the connection, which is made last
    /// and holds the rest. It may then become ACTIVE with nobody watching.
    pub fn is_complete(&self, halves: impl IntoIterator<Item = Half>) -> bool {
        halves
            .into_iter()
            .map(|half| Task { half, step: Step::Connection })
            .all(|connection| self.get(connection.half, connection.step).is_some() && !self.is_doubtful(connection))
    }

    /// Whether undoing would delete anything.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.doubtful.is_empty() && self.removable().is_empty()
    }

    /// The tasks of which nobody knows yet whether the cloud has acted.
    pub fn doubtful(&self) -> impl Iterator<Item = Task> {
        self.doubtful.iter().copied()
    }

    /// Notes an object of use.
    pub fn record(&mut self, made: Made) {
        self.doubtful.remove(&made.task);
        self.made.retain(|earlier| earlier.task != made.task);
        self.made.push(made);
    }

    /// Notes that nobody knows whether the cloud has acted: the answer to the request was lost, or the wait for it was
    /// given up.
    pub fn doubt(&mut self, task: Task) {
        self.doubtful.insert(task);
        self.suspect.insert(task);
    }

    /// Notes an object that a failed request left behind.
    pub(super) fn leave(&mut self, made: Made) {
        if !self.debris.contains(&made) {
            self.debris.push(made);
        }
    }

    pub(super) fn settle(&mut self, task: Task) {
        self.doubtful.remove(&task);
    }

    pub(super) fn is_doubtful(&self, task: Task) -> bool {
        self.doubtful.contains(&task)
    }

    /// The tasks that may have left a twin.
    pub(super) fn suspect(&self) -> Vec<Task> {
        self.suspect.iter().copied().collect()
    }

    pub(super) fn clear(&mut self, task: Task) {
        self.suspect.remove(&task);
    }

    /// Notes that the object of a task is gone.
    pub fn forget(&mut self, task: Task) {
        self.made.retain(|made| made.task != task);
    }

    /// Notes that an object is gone.
    pub(super) fn remove(&mut self, id: &Id) {
        self.made.retain(|made| made.id != *id);
        self.debris.retain(|made| made.id != *id);
    }
}
