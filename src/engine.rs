//! The engine: carries a change out, forward or back, and watches until the tunnel is up. It is the only writer, and has no
//! screen: it tells what happens as events. Creating a VPN is a change, too ([`Plan::to_change`](crate::plan::Plan::to_change));
//! [`create`] and [`undo`] tell of it by what it makes, an [`Event`] at a time, and remember it in a [`Ledger`].
//!
//! The order of a creation is that of the guide within each half. Across the halves:
//!
//! ```text
//! 1  VPN services of both halves are looked at again, then made or reused   (their addresses are the peer addresses)
//! 2  policies and endpoint groups of both halves, all at once               (whatever a region refuses shows here);
//!    meanwhile each router is looked at once more                           (two runs at once would make two services),
//!    and each router's connections                                          (somebody else may have made this VPN)
//! 3  site connection A
//! 4  site connection B
//! 5  each router's connections are looked at once more                       (two runs at once would make two VPNs)
//! 6  poll both connections until they are ACTIVE
//! ```
//!
//! [`create`], [`watch`] and [`undo`] can each be called again with the ledger of the last call: a retry does only what
//! is missing.

mod adopt;
mod bodies;
mod changing;
mod clock;
pub mod commands;
mod contention;
mod create;
mod creation;
mod delete;
pub mod discover;
mod event;
mod forward;
pub mod handover;
pub mod interruption;
mod job;
pub mod journal;
pub mod kept;
mod key;
mod ledger;
mod lost_requests;
mod marked;
pub mod pace;
mod peer_end;
pub(crate) mod prepare;
mod progress;
mod replaced;
mod restart;
pub(crate) mod resume;
mod retry;
mod rivals;
mod rollback;
mod sender;
mod sent;
mod service;
mod shared_keys;
mod state_file;
mod status;
mod update;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::cloud::retry::{Patience, Pause};
use crate::cloud::{Cloud, Error, Id, Region, RegionId, Status};
use crate::plan::{Half, Plan, VpnId, VpnName};
use journal::Keeper;

pub use crate::change::{HalfObject as Step, Task};
use changing::Failure;
pub use changing::{ChangeError, ChangeEvent, ChangeWork, Changed, Changing};
pub use creation::{CreateError, Undone, create, undo};
use job::Job;
use ledger::in_order_of_deletion;
pub use ledger::{Doubt, Ledger, Made, Origin};
use marked::adopted;
pub use pace::DEFAULT_WAIT;
pub use progress::{Direction, End};
use progress::{LostRequests, Progress, Request, StepState};
pub use sent::Sent;
pub use shared_keys::read_shared_keys;
pub use status::{Caveat, Course};
pub use watch::{Pace, Watched, watch};

/// Whether a task failed because its region no longer stores an algorithm of the plan's policy, which it shows as a plain
/// 500 (sha1 and 3des from 2026.2 on). The profile `modern` has none of these.
#[must_use]
pub fn is_cured_by_modern(plan: &Plan, task: Task, error: &Error) -> bool {
    let is_policy = matches!(task.step, Step::IkePolicy | Step::IpsecPolicy);
    is_policy && error.status == Some(500) && plan.policy().is_outdated()
}

/// How often it is looked whether somebody who works at the same time gives way; with the default pauses for 12 s.
const ROUNDS: u32 = 6;

/// What the engine works with.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// Where.
    pub cloud: &'a Cloud,
    /// Where the ledger is kept while it changes.
    pub keeper: &'a Keeper,
    /// Who is told.
    pub events: &'a Events,
    /// The wish to stop.
    pub stop: &'a CancellationToken,
}

impl Work<'_> {
    /// The region with patience: pauses between tries are told as that task's.
    fn region(&self, id: &RegionId, task: Task) -> Result<Region, Error> {
        Ok(self.cloud.region(id)?.patient(self.patience(task)))
    }

    fn patience(&self, task: Task) -> Patience {
        let events = self.events.clone();
        retry::patience(move |pause| tell(&events, Event::Waiting(task, Box::new(pause))), self.stop.clone())
    }

    fn tell(&self, event: Event) {
        tell(self.events, event);
    }
}

/// How the objects of a VPN are known, whether or not there is a plan for it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// The id in every mark.
    pub vpn: VpnId,
    /// What every name starts with.
    pub name: VpnName,
    /// Where each half is.
    pub regions: BTreeMap<Half, RegionId>,
    /// What was, or will be, sent for each half.
    pub sent: BTreeMap<Half, Sent>,
}

impl From<&Plan> for Marks {
    fn from(plan: &Plan) -> Self {
        let regions = plan.halves().map(|half| (half.half, half.region.clone())).collect();
        let sent = plan.halves().map(|half| (half.half, Sent::of(plan, half))).collect();
        Self { vpn: plan.id().clone(), name: plan.name().clone(), regions, sent }
    }
}

/// Where both connections stand.
pub type Standing = BTreeMap<Half, Status>;

/// What happens while the engine works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task has begun.
    Started(Task),
    /// A task is done: the object exists.
    Finished(Made, Duration),
    /// A task has failed; the others that were in progress are still settled.
    Failed(Task, Error, Duration),
    /// A request for that task failed for a reason that may pass, and is tried again after a pause.
    Waiting(Task, Box<Pause>),
    /// A request whose answer was lost has made this after all. If the VPN has no use for it, it is deleted.
    Found(Made),
    /// This carries the marker of the VPN, and is not what was sent: it stays.
    LeftAlone(Made),
    /// No request of this task can take effect any more without being noticed.
    Settled(Task),
    /// The connections were asked for their status.
    Polled(Standing),
    /// A status could not be read; the watch goes on.
    PollFailed(Half, Error),
    /// An object is being deleted.
    Deleting(Made),
    /// An object is gone.
    Deleted(Made),
    /// An object could not be deleted.
    Kept(Made, Error),
}

/// Where events go. A closed receiver is no reason to stop: the work goes on, and the result still tells all.
pub type Events = UnboundedSender<Event>;

fn tell(events: &Events, event: Event) {
    let _ = events.send(event);
}

/// The object a task made, for errors that name it.
#[must_use]
pub fn describe(region: &RegionId, step: Step, id: &Id) -> String {
    format!("{region}: {} {id}", step.label())
}
