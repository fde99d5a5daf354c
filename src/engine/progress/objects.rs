//! The objects of a new VPN: which exist, which are left over, which may still come to exist.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{End, LostRequests, Progress, Request, StepState, StepStatus};
use crate::change::{HalfObject, Task};
use crate::cloud::{Id, RegionId, harmless};
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

/// An object of a new VPN that may exist, or come to exist, without being known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub task: Task,
    /// If the cloud was looked at and it was not there: until when it may still appear. None if nobody could look.
    pub until: Option<Timestamp>,
}

impl Progress {
    /// Every object that exists and is of use.
    pub fn objects(&self) -> impl Iterator<Item = &Made> {
        self.steps.iter().filter_map(|state| state.object.as_ref())
    }

    /// The object of a half, once it exists.
    #[must_use]
    pub fn get(&self, half: Half, step: HalfObject) -> Option<&Made> {
        self.of(Task { half, step })?.object.as_ref()
    }

    pub(super) fn of(&self, task: Task) -> Option<&StepState> {
        self.steps.iter().find(|state| state.task == Some(task))
    }

    fn of_mut(&mut self, task: Task) -> Option<&mut StepState> {
        self.steps.iter_mut().find(|state| state.task == Some(task))
    }

    pub fn connections(&self) -> impl Iterator<Item = &Made> {
        self.objects().filter(|made| made.task.step == HalfObject::Connection)
    }

    /// What lost requests have left, in the order of deletion.
    #[must_use]
    pub fn leftovers(&self) -> Vec<Made> {
        in_order_of_deletion(self.steps.iter().flat_map(|state| &state.left))
    }

    /// What rolling back deletes, in the order of deletion: connections first, services last.
    #[must_use]
    pub fn removable(&self) -> Vec<Made> {
        in_order_of_deletion(self.steps.iter().flat_map(StepState::own))
    }

    /// The same of one step.
    pub(in crate::engine) fn removable_of(&self, step: usize) -> Vec<Made> {
        self.steps[step].own().cloned().collect()
    }

    /// What carries the marker of the VPN and was not sent for it, as far as it was come across.
    #[must_use]
    pub fn left_alone(&self) -> &[Made] {
        &self.left_alone
    }

    /// Notes what is left alone. False if it is known.
    pub fn leave_alone(&mut self, made: &Made) -> bool {
        let is_new = !self.holds(&made.id) && self.left_alone.iter().all(|other| other.id != made.id);
        self.left_alone.extend(is_new.then(|| made.clone()));
        is_new
    }

    /// Whether every connection exists for sure: it is made last and holds the rest. It may then become ACTIVE unwatched.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let connection = |state: &&StepState| state.task.is_some_and(|task| task.step == HalfObject::Connection);
        let mut connections = self.steps.iter().filter(connection).peekable();
        connections.peek().is_some() && connections.all(|state| state.object.is_some() && !state.is_lost())
    }

    /// Whether every object exists, so that nothing is left to create.
    #[must_use]
    pub fn is_made(&self) -> bool {
        let mut objects = self.steps.iter().filter(|state| state.task.is_some()).peekable();
        objects.peek().is_some() && objects.all(|state| state.object.is_some())
    }

    /// Whether a request may still make an object that has no use, or has made one that is still there.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        !self.doubts().is_empty() || self.steps.iter().any(|state| !state.left.is_empty())
    }

    /// Whether nothing of it exists or may come to exist.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.is_settled() && self.steps.iter().all(|state| state.own().next().is_none())
    }

    /// Whether it holds all there is and will be.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.doubts().is_empty()
    }

    /// What may exist, or come to exist, besides what it holds.
    #[must_use]
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts: Vec<Doubt> = self.steps.iter().filter_map(StepState::doubt).collect();
        doubts.sort_by_key(|doubt| doubt.task);
        doubts
    }

    /// Whether there is an object that a look at that time would settle.
    pub(in crate::engine) fn is_due(&self, now: Timestamp) -> bool {
        self.doubts().iter().any(|doubt| doubt.until.is_none_or(|until| until <= now))
    }

    /// How many requests are announced and have no answer yet.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.steps.iter().filter(|state| matches!(state.stand, StepStatus::Sent(..))).count()
    }

    /// Notes an object of use.
    pub fn record(&mut self, made: Made) {
        let Some(state) = self.of_mut(made.task) else { return };
        state.left.retain(|left| left.id != made.id);
        (state.stand, state.before) = (StepStatus::Done(End::Made(made.id.clone())), StepStatus::Open);
        state.object = Some(made);
    }

    /// Notes an object that a failed request left behind.
    pub fn leave(&mut self, made: Made) {
        if !self.holds(&made.id)
            && let Some(state) = self.of_mut(made.task)
        {
            state.left.push(made);
        }
    }

    /// Notes that it is not known whether the cloud has acted: the wait for what was in progress was given up.
    pub fn doubt(&mut self, task: Task) {
        if let Some(state) = self.of_mut(task) {
            state.stand = StepStatus::Lost(Request::Create);
        }
    }

    /// Notes a request that a process without a further word has announced.
    pub(in crate::engine) fn announced(&mut self, task: Task, at: Timestamp) {
        if let Some(state) = self.of_mut(task) {
            state.stand = StepStatus::Sent(Request::Create, at);
        }
    }

    /// Notes requests that were lost.
    pub(in crate::engine) fn may_come(&mut self, task: Task, late: LostRequests) {
        if let Some(state) = self.of_mut(task) {
            state.late = Some(late);
        }
    }

    /// Notes that no request of a step can take effect any more.
    pub fn settle(&mut self, step: usize) {
        if let Some(state) = self.steps.get_mut(step) {
            state.late = None;
            if state.is_lost() {
                (state.stand, state.before) = (StepStatus::Open, StepStatus::Open);
            }
        }
    }

    /// Rolls back the use of everything a policy decides: the policies, and the connections that hang on them. What still
    /// fits the plan when it is made gets its use back; the rest is deleted then.
    pub fn reconsider_policies(&mut self) {
        use HalfObject::{Connection, IkePolicy, IpsecPolicy};
        for state in &mut self.steps {
            if !state.task.is_some_and(|task| matches!(task.step, IkePolicy | IpsecPolicy | Connection)) {
                continue;
            }
            if let Some(made) = state.object.take() {
                (state.stand, state.before) = (StepStatus::Open, StepStatus::Open);
                state.left.extend((made.origin != Origin::Reused).then_some(made));
            }
        }
    }

    /// What lost requests have left that a step without an object may have a use for.
    pub(in crate::engine) fn candidates(&self, step: usize) -> Vec<Made> {
        let state = &self.steps[step];
        if state.object.is_some() { Vec::new() } else { state.left.clone() }
    }

    /// Whether a request of the step may have made something that was not looked for, or not for long enough.
    pub(in crate::engine) fn is_unsettled(&self, step: usize) -> bool {
        self.steps[step].is_lost() || self.steps[step].late.is_some()
    }

    /// Takes everything that was found of a step as it was at that time. What is not known is what lost requests have made:
    /// it is left, until the step has a use for it.
    pub(in crate::engine) fn looked_for(&mut self, step: usize, at: Timestamp, found: impl IntoIterator<Item = Made>) {
        let mut surprises = 0;
        for made in found {
            if !self.holds(&made.id) {
                self.steps[step].left.push(made);
                surprises += 1;
            }
        }
        if self.steps[step].is_lost() {
            self.reopen(step);
        }
        self.looked(step, at, surprises);
    }

    /// Whether an object is known to be there.
    pub(in crate::engine) fn holds(&self, id: &Id) -> bool {
        self.steps.iter().any(|state| state.holds(id))
    }

    /// Notes that an object is gone.
    pub fn remove(&mut self, id: &Id) {
        for state in &mut self.steps {
            state.left.retain(|made| made.id != *id);
            if state.object.as_ref().is_some_and(|made| made.id == *id) {
                state.object = None;
                if matches!(state.stand, StepStatus::Done(_)) {
                    (state.stand, state.before) = (StepStatus::Open, StepStatus::Open);
                }
            }
        }
    }
}

fn in_order_of_deletion<'a>(all: impl Iterator<Item = &'a Made>) -> Vec<Made> {
    let mut all: Vec<Made> = all.cloned().collect();
    all.sort_by_key(|made| Reverse(made.task.step));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Change;
    use crate::plan::{VpnId, VpnName};

    #[test]
    fn what_was_announced_and_never_answered_is_in_doubt() -> Result<(), &'static str> {
        let region = RegionId::new("nz-hlz-1");
        let halves = [(Half::A, region.clone())].into();
        let name = VpnName::try_from("vpn".to_owned()).map_err(|_| "a name")?;
        let change = Change::of_halves(&VpnId::new("0badcafe"), &name, &halves, None);
        let mut progress = Progress::new(&change);
        let task = |step| Task { half: Half::A, step };
        for step in 0..3 {
            progress.announce(step, Request::Create, Timestamp::UNIX_EPOCH);
        }
        let service = Made {
            task: task(HalfObject::Service),
            region,
            id: Id::new("s-1"),
            name: "vpn_vpn_service".to_owned(),
            origin: Origin::Created,
            external_v4: None,
            external_v6: None,
        };
        progress.record(service.clone());
        progress.refused(1);
        assert_eq!(progress.objects().collect::<Vec<_>>(), [&service]);
        assert_eq!(progress.doubts(), [Doubt { task: task(HalfObject::IpsecPolicy), until: None }]);
        Ok(())
    }
}
