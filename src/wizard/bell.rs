//! A sign for whoever has turned away: once, when something is over that took long.

use std::time::Duration;

use super::{Effect, Model};

/// Whoever waits for less stays.
const LONG: Duration = Duration::from_secs(60);

impl Model {
    pub(super) fn ring_when_over(&mut self) {
        let is_awaited = self.work.is_working() || self.vpns.open.as_ref().is_some_and(|open| open.waiting.is_some());
        let now = self.shell.now;
        if is_awaited {
            self.shell.awaited.get_or_insert(now);
        } else if let Some(since) = self.shell.awaited.take()
            && now.saturating_sub(since) > LONG
            && self.shell.ending.is_none()
        {
            self.shell.out.push(Effect::Ring(self.heading()));
        }
    }
}
