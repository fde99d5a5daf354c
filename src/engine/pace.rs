//! How long is waited and how often is polled: every such time that a user notices, once.

use std::time::Duration;

/// How long to wait for ACTIVE when nothing else is said, after something was made and after something was changed. Agents
/// report every 60 s, each on its own beat, so two reports of both ends fit in well.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(300);

/// Between two polls of a VPN that should become ACTIVE. Agents report once a minute, so polling more often only costs
/// requests.
pub const POLL_CLOSELY: Duration = Duration::from_secs(2);

/// Between two polls of the VPN on the screen.
pub const POLL: Duration = Duration::from_secs(5);

/// Before something is proposed everything is read once more if what is known is older than this.
pub const FRESH: Duration = Duration::from_secs(60);

/// A read that has not been answered within this may be asked again by hand.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a region that hangs may keep the others from being shown.
pub const TOGETHER: Duration = Duration::from_secs(3);

/// How long the names of the regions are waited for; without them their codes are shown.
pub const DESCRIPTIONS: Duration = Duration::from_secs(2);

/// How long the last poll may take, after the wait is over.
pub const LAST_POLL: Duration = Duration::from_secs(2);

/// How much longer than it should a pause takes on a busy machine.
pub const SLACK: Duration = Duration::from_secs(1);
