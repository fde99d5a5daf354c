//! The engine: carries a change out, forward or back, and watches until the tunnel is up. It is the only writer, and has no
//! screen: it tells what happens as events. Creating a VPN is a change, too ([`Plan::to_change`](crate::plan::Plan::to_change)).
//!
//! The order of a creation is that of the guide within each half. Across the halves:
//!
//! ```text
//! 1  VPN services of both halves are looked at again, unless they were      (their addresses are the peer addresses)
//!    just listed, then made or reused
//! 2  policies and endpoint groups of both halves, all at once               (whatever a region refuses shows here);
//!    meanwhile each router is looked at once more                           (two runs at once would make two services),
//!    and each router's connections                                          (somebody else may have made this VPN)
//! 3  the site connections of both halves
//! 4  each router's connections are looked at once more                       (two runs at once would make two VPNs)
//! 5  poll both connections until they are ACTIVE
//! ```
//!
//! Policies and endpoint groups beside the services would save nothing: the look in 2 comes after the services and before the
//! connections in any case, and takes a round trip of its own that they share.
//!
//! [`Changing`] does all of it, and each of its functions can be called again: what is missing is done.

mod adopt;
mod changing;
mod clock;
pub mod commands;
mod contention;
mod create;
mod delete;
mod deletion;
pub mod discover;
mod equal_keys;
mod event;
mod forward;
pub mod handover;
pub mod interruption;
pub mod journal;
mod kept;
mod key;
mod lost_requests;
mod marked;
mod old_journal;
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
mod service;
mod shared_keys;
mod state_file;
mod status;
mod twins;
mod update;
mod watch;
mod work;
mod work_end;

use std::collections::BTreeMap;

use crate::cloud::{Error, Status};
use crate::plan::{Half, Plan};

pub use crate::change::{HalfObject as Step, Task};
use changing::Failure;
pub use changing::{ChangeError, Changed, Changing};
pub use event::{Event, Events};
use marked::adopted;
pub use pace::DEFAULT_WAIT;
use progress::Request;
pub use progress::{Direction, Doubt, End, Made, Origin, Progress};
pub use shared_keys::read_shared_keys;
pub use status::{Caveat, Course};
pub use watch::{Pace, Watched};
pub use work::Work;
pub use work_end::WorkEnd;

/// Where both connections stand.
pub type Standing = BTreeMap<Half, Status>;

/// Whether a task failed because its region no longer stores an algorithm of the plan's policy, which it shows as a plain
/// 500 (sha1 and 3des from 2026.2 on). The profile `modern` has none of these.
#[must_use]
pub fn is_cured_by_modern(plan: &Plan, task: Task, error: &Error) -> bool {
    let is_policy = matches!(task.step, Step::IkePolicy | Step::IpsecPolicy);
    is_policy && error.status == Some(500) && plan.policy().is_outdated()
}

/// How often it is looked whether somebody who works at the same time gives way; with the default pauses for 12 s.
const ROUNDS: u32 = 6;
