//! How long things are waited for and how often they are looked at: every such time that a user notices, once.

use std::time::Duration;

/// How long to wait for ACTIVE when nothing else is said, after something was made and after something was changed. Agents
/// report every 60 s, each on its own beat, so two reports of both ends fit in well.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(300);

/// Between two looks at the statuses of a VPN that is to become ACTIVE. Agents report once a minute, so looking more often
/// only costs requests.
pub const LOOK_CLOSELY: Duration = Duration::from_secs(2);

/// Between two looks at a VPN that stands on the screen.
pub const LOOK: Duration = Duration::from_secs(5);

/// Before something is proposed everything is read once more if what is known is older than this.
pub const FRESH: Duration = Duration::from_secs(60);

/// A read that has not been answered within this may be asked again by hand.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a region that hangs may keep the others from being shown.
pub const TOGETHER: Duration = Duration::from_secs(3);
