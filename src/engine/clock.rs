//! Times in a journal, which another clock may have given: that of this machine before it was set right, or before it was
//! started again.

use std::fs;

use jiff::{SignedDuration, Timestamp};

/// What time it is, and since when this machine has run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub now: Timestamp,
    /// None where the system does not tell.
    pub booted: Option<Timestamp>,
}

impl Clock {
    pub fn read() -> Self {
        let now = Timestamp::now();
        let uptime = fs::read_to_string("/proc/uptime").ok();
        let uptime = uptime.and_then(|text| text.split_whitespace().next()?.parse().ok());
        let uptime = uptime.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
        Self { now, booted: uptime.and_then(|uptime| now.checked_sub(uptime).ok()) }
    }

    /// When a request can take effect no more that was announced then and reaches that far. A time that lies ahead, or
    /// before this machine was started, tells nothing: it counts from now.
    pub fn end_of(self, announced: Timestamp, reach: SignedDuration) -> Timestamp {
        let is_known = announced <= self.now && self.booted.is_none_or(|booted| booted <= announced);
        let from = if is_known { announced } else { self.now };
        from.checked_add(reach).unwrap_or(Timestamp::MAX)
    }

    /// The same of an end that was worked out before.
    pub fn end(self, until: Timestamp, reach: SignedDuration) -> Timestamp {
        let latest = self.end_of(self.now, reach);
        let is_known = until <= latest && self.booted.is_none_or(|booted| booted <= until);
        if is_known { until } else { latest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_request_reaches_no_further_than_from_now_and_no_less_if_its_date_means_nothing() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap_or_default();
        let reach = SignedDuration::from_secs(240);
        let clock = Clock { now: at(0), booted: Some(at(-1000)) };
        for (announced, end) in [(-100, 140), (0, 240), (13 * 3600, 240), (-13 * 3600, 240)] {
            assert_eq!(clock.end_of(at(announced), reach), at(end), "announced {announced} s from now");
        }
        for (until, end) in [(100, 100), (-5, -5), (13 * 3600, 240), (-13 * 3600, 240)] {
            assert_eq!(clock.end(at(until), reach), at(end), "until {until} s from now");
        }
    }
}
