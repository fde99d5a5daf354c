//! What a run has made so far. Everything that continues or undoes a run works from it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::{LostRequests, StepState};
use super::{Step, Task};
use crate::cloud::{Id, Limits, RegionId, harmless};
use crate::plan::{Half, Outer};

/// How an object came to be part of the VPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The task it fulfils.
    pub task: Task,
    /// Where it is.
    pub region: RegionId,
    /// Its id.
    pub id: Id,
    /// Its name.
    #[serde(deserialize_with = "harmless")]
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

/// An object that may exist, or come to exist, without being in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The task it was asked for by.
    pub task: Task,
    /// If the cloud was looked at and it was not there: until when it may still appear. None if the look failed.
    pub until: Option<Timestamp>,
}

/// The objects of a VPN that exist, and the requests whose outcome is in doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    made: Vec<Made>,
    /// What failed requests left behind: of no use, and to be deleted.
    debris: Vec<Made>,
    /// Tasks whose objects have not been looked for since an answer was lost.
    doubtful: BTreeSet<Task>,
    /// Tasks that may get an object, or a second one, although the last look found none.
    #[serde(with = "pairs")]
    late: BTreeMap<Task, LostRequests>,
    /// Requests that are about to be sent or not answered yet, since when. Only a journal is ever read with any in it.
    #[serde(with = "pairs")]
    intents: BTreeMap<Task, Timestamp>,
    /// What carries the marker of the VPN and is none of this run's: it stays.
    #[serde(skip)]
    left_alone: Vec<Made>,
    /// Ids that only a journal vouches for: before one of them is deleted, the object is looked at.
    #[serde(skip)]
    unverified: BTreeSet<Id>,
}

impl Made {
    /// The address its peers must use, if it is a VPN service that has one.
    #[must_use]
    pub fn external(&self, outer: Outer) -> Option<IpAddr> {
        match outer {
            Outer::V4 => self.external_v4.map(IpAddr::V4),
            Outer::V6 => self.external_v6.map(IpAddr::V6),
        }
    }
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

    /// What failed requests have left, which the VPN does not use.
    #[must_use]
    pub fn leftovers(&self) -> Vec<Made> {
        in_order_of_deletion(self.debris.iter())
    }

    /// What undoing would delete, in the order of deletion: connections first, services last.
    #[must_use]
    pub fn removable(&self) -> Vec<Made> {
        in_order_of_deletion(self.made.iter().filter(|made| made.origin != Origin::Reused).chain(&self.debris))
    }

    /// What carries the marker of the VPN and was not sent for it, as far as it was come across.
    #[must_use]
    pub fn left_alone(&self) -> &[Made] {
        &self.left_alone
    }

    /// Notes what is left alone. Returns what of it was not known.
    pub fn leave_alone(&mut self, others: impl IntoIterator<Item = Made>) -> Vec<Made> {
        let is_known = |ledger: &Self, made: &Made| {
            let all = ledger.made.iter().chain(&ledger.debris).chain(&ledger.left_alone);
            all.into_iter().any(|other| other.id == made.id)
        };
        let new: Vec<Made> = others.into_iter().filter(|made| !is_known(self, made)).collect();
        self.left_alone.extend(new.iter().cloned());
        new
    }

    /// Whether everything a VPN consists of exists for sure in each of these halves: the connection, which is made last
    /// and holds the rest. It may then become ACTIVE unwatched.
    pub fn is_complete(&self, halves: impl IntoIterator<Item = Half>) -> bool {
        halves.into_iter().map(|half| Task { half, step: Step::Connection }).all(|connection| {
            self.get(connection.half, connection.step).is_some() && !self.doubtful.contains(&connection)
        })
    }

    /// Whether every object of each of these halves exists, so that nothing is left to create.
    pub fn is_made(&self, halves: impl IntoIterator<Item = Half>) -> bool {
        let mut halves = halves.into_iter().peekable();
        halves.peek().is_some() && halves.all(|half| Step::ALL.into_iter().all(|step| self.get(half, step).is_some()))
    }

    /// Whether a request may still make an object that has no use, or has made one that is still there.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        !(self.is_settled() && self.intents.is_empty() && self.debris.is_empty())
    }

    /// Whether nothing of this run exists or may come to exist.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.is_settled() && self.removable().is_empty()
    }

    /// Whether it holds all there is and will be.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.doubtful.is_empty() && self.late.is_empty()
    }

    /// What may exist, or come to exist, besides what it holds.
    #[must_use]
    pub fn doubts(&self) -> Vec<Doubt> {
        let tasks: BTreeSet<Task> = self.doubtful.iter().chain(self.late.keys()).copied().collect();
        let until = |task| self.late.get(&task).filter(|_| !self.doubtful.contains(&task)).map(|late| late.until);
        tasks.into_iter().map(|task| Doubt { task, until: until(task) }).collect()
    }

    pub(super) fn debris_of(&self, task: Task) -> Vec<Made> {
        self.debris.iter().filter(|made| made.task == task).cloned().collect()
    }

    pub(super) fn late_of(&self, task: Task) -> Option<LostRequests> {
        self.late.get(&task).copied()
    }

    pub(super) fn intent_of(&self, task: Task) -> Option<Timestamp> {
        self.intents.get(&task).copied()
    }

    pub(super) fn is_doubtful(&self, task: Task) -> bool {
        self.doubtful.contains(&task)
    }

    /// What is known of the steps of a creation, with what of this one no step is about.
    pub(super) fn with(&self, steps: impl IntoIterator<Item = (Task, StepState)>) -> Self {
        let mut ledger = self.clone();
        for (task, state) in steps {
            if state.object().is_none_or(|made| !ledger.made.contains(made)) {
                ledger.made.retain(|made| made.task != task);
                ledger.made.extend(state.object().cloned());
            }
            ledger.debris.retain(|made| made.task != task);
            ledger.debris.extend(state.left().iter().cloned());
            ledger.doubtful.remove(&task);
            ledger.late.remove(&task);
            ledger.intents.remove(&task);
            if state.is_lost() {
                ledger.doubtful.insert(task);
            }
            ledger.late.extend(state.late().map(|late| (task, late)));
            ledger.intents.extend(state.sent().map(|at| (task, at)));
        }
        ledger
    }

    /// Ids that only a journal vouches for.
    pub(super) const fn unverified(&self) -> &BTreeSet<Id> {
        &self.unverified
    }

    /// Notes an object of use.
    pub fn record(&mut self, made: Made) {
        self.intents.remove(&made.task);
        self.debris.retain(|left| left.id != made.id);
        self.made.retain(|earlier| earlier.task != made.task);
        self.made.push(made);
    }

    /// Notes that it is not known whether the cloud has acted: the wait for what was in progress was given up.
    pub fn doubt(&mut self, task: Task) {
        self.doubtful.insert(task);
    }

    /// Takes over from a process that is no more: the answers to its last requests are lost, and what it says it made is
    /// not known from an answer of the cloud.
    pub fn take_over(&mut self, limits: &Limits) {
        self.take_over_at(limits, Clock::read());
    }

    fn take_over_at(&mut self, limits: &Limits, clock: Clock) {
        let reach = limits.reach();
        for (task, announced) in std::mem::take(&mut self.intents) {
            self.lose(task, clock.end_of(announced, reach));
        }
        for late in self.late.values_mut() {
            late.until = clock.end(late.until, reach);
        }
        self.unverified = self.made.iter().chain(&self.debris).map(|made| made.id.clone()).collect();
    }

    /// Notes that the answer to a request was lost, which can take effect until then.
    pub fn lose(&mut self, task: Task, until: Timestamp) {
        self.intents.remove(&task);
        self.doubtful.insert(task);
        let late = self.late.entry(task).or_insert(LostRequests { requests: 0, until });
        late.requests += 1;
        late.until = late.until.max(until);
    }

    /// Takes all objects that carry a task's mark and name, as they were at that time. What it does not hold is what
    /// lost requests have made: debris, until the task has a use for it.
    pub fn looked(&mut self, task: Task, at: Timestamp, found: impl IntoIterator<Item = Made>) {
        let known =
            |ledger: &Self, made: &Made| ledger.made.iter().chain(&ledger.debris).any(|other| other.id == made.id);
        let mut surprises = 0;
        for made in found {
            if !known(self, &made) {
                self.debris.push(made);
                surprises += 1;
            }
        }
        self.doubtful.remove(&task);
        if let Some(late) = self.late.get_mut(&task) {
            late.requests = late.requests.saturating_sub(surprises);
            if late.requests == 0 || at >= late.until {
                self.late.remove(&task);
            }
        }
    }

    /// Rolls back the use of everything a policy decides: the policies, and the connections that hang on them. What still
    /// fits the plan when it is made gets its use back; the rest is deleted then.
    pub fn reconsider_policies(&mut self) {
        let is_concerned =
            |made: &Made| matches!(made.task.step, Step::IkePolicy | Step::IpsecPolicy | Step::Connection);
        let (concerned, rest) = std::mem::take(&mut self.made).into_iter().partition(is_concerned);
        self.made = rest;
        let concerned: Vec<Made> = concerned;
        self.debris.extend(concerned.into_iter().filter(|made| made.origin != Origin::Reused));
    }

    /// The tasks a look could settle now.
    pub(super) fn open(&self) -> Vec<Task> {
        self.doubts().into_iter().map(|doubt| doubt.task).collect()
    }

    /// Whether there is a task that a look at that time would settle.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.doubts().iter().any(|doubt| doubt.until.is_none_or(|until| until <= now))
    }

    /// Notes an object that a failed request left behind.
    pub fn leave(&mut self, made: Made) {
        if !self.made.iter().chain(&self.debris).any(|other| other.id == made.id) {
            self.debris.push(made);
        }
    }

    /// Notes that no request of the task can take effect any more.
    pub fn settle(&mut self, task: Task) {
        self.doubtful.remove(&task);
        self.late.remove(&task);
    }

    /// Notes that an object is gone.
    pub fn remove(&mut self, id: &Id) {
        self.made.retain(|made| made.id != *id);
        self.debris.retain(|made| made.id != *id);
    }
}

pub(super) fn in_order_of_deletion<'a>(all: impl Iterator<Item = &'a Made>) -> Vec<Made> {
    let mut all: Vec<Made> = all.cloned().collect();
    all.sort_by_key(|made| std::cmp::Reverse(made.task.step));
    all
}

/// Maps by task as lists of pairs: the keys of JSON are texts.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Task;

    pub fn serialize<V: Serialize, S: Serializer>(map: &BTreeMap<Task, V>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Task, V>, D::Error> {
        Vec::<(Task, V)>::deserialize(deserializer).map(BTreeMap::from_iter)
    }
}
