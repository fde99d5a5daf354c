//! What happens while the engine works.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::{End, Made, Standing};
use crate::cloud::retry::Pause;
use crate::cloud::{Error, Id};
use crate::plan::Half;

/// What happens while a change is carried out or rolled back, and while a new VPN is watched. Steps are counted from 0; what
/// concerns an object of a new VPN names the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step has begun.
    Started(usize),
    /// A step is done.
    Finished(usize, End, Duration),
    /// A step that makes an object of a new VPN is done: the object exists.
    Made(Made, Duration),
    /// A step, or rolling it back, has failed. What is said of the VPN still holds; other steps in progress are still
    /// settled.
    Failed(usize, Error, Duration),
    /// A request of that step failed for a reason that may pass, and is tried again after a pause.
    Waiting(usize, Box<Pause>),
    /// What a step did is being rolled back.
    RollingBack(usize),
    RolledBack(usize, Duration),
    /// A request whose answer was lost had made this object after all, or somebody else had given it to a VPN that is deleted;
    /// nothing needs it, and it is deleted.
    Removed(usize, Id),
    /// A request whose answer was lost has made this object of a new VPN after all. If there is no use for it, it is deleted.
    Found(Made),
    /// This carries the marker of the new VPN, and is not what was sent: it stays.
    LeftAlone(Made),
    /// No request of this step can take effect any more without being noticed.
    Settled(usize),
    Deleting(Made),
    Deleted(Made),
    /// It could not be deleted.
    Kept(Made, Error),
    /// What was wanted is so; until that time a request whose answer was lost may still take effect, and is waited for.
    Settling(Timestamp),
    /// The connections were asked for their status.
    Polled(Standing),
    /// A status could not be read; the watch goes on.
    PollFailed(Half, Error),
}

/// Where events go. A closed receiver is no reason to stop: the work goes on, and the result still tells all.
pub type Events = UnboundedSender<Event>;
