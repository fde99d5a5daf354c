//! How long is waited and how often is polled: every such time that a user notices, once.

use std::time::Duration;

/// How long to wait for ACTIVE when nothing else is said, after something was made and after something was changed. Agents
/// report every 60 s, each on its own beat, so two reports of both ends fit in well.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(300);

/// Between two polls of the VPN on the screen, and of one that has not become ACTIVE soon.
pub const POLL: Duration = Duration::from_secs(5);

/// Between the first polls of a VPN that should become ACTIVE. Agents report once a minute, and at once what is new.
const FIRST_POLLS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Until the next poll of a VPN that has been waited for that long.
#[must_use]
pub fn poll_after(waited: Duration) -> Duration {
    let mut begins = Duration::ZERO;
    let is_next = |pause: &&Duration| {
        begins += **pause;
        waited < begins
    };
    FIRST_POLLS.iter().find(is_next).copied().unwrap_or(POLL)
}

/// Between two polls of `osvpn status --watch` when nothing else is said: agents report once a minute, and a cloud that is asked
/// too often answers 429.
pub const WATCH: Duration = Duration::from_secs(30);

/// After so long a watch reads everything again: policies, groups and keys are in no poll.
pub const WATCH_ALL: Duration = Duration::from_secs(600);

/// Before something is proposed everything is read once more if what is known is older than this.
pub const FRESH: Duration = Duration::from_secs(60);

/// What was listed before a plan was checked is relied on for that long when its first step is done.
pub(super) const JUST_READ: Duration = Duration::from_secs(2);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_polls_come_soon_and_the_others_every_five_seconds() {
        let mut waited = Duration::ZERO;
        let pauses: Vec<u128> = (0..7)
            .map(|_| {
                let pause = poll_after(waited);
                waited += pause;
                pause.as_millis()
            })
            .collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 5000, 5000, 5000]);
    }
}
