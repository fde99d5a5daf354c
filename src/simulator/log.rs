//! What was asked of the simulator, to count requests and round trips.

use std::time::Instant;

/// One request as it arrived. Bodies and header values are not kept: they hold secrets.
#[derive(Clone, Debug)]
pub struct LoggedRequest {
    /// Position in order of arrival, from 0.
    pub sequence: usize,
    pub method: String,
    pub path: String,
    /// The region whose Neutron was asked; none for Keystone.
    pub region: Option<String>,
    /// The HTTP status; none while it is being answered, or if the connection was closed instead.
    pub status: Option<u16>,
    /// When its head and body had been read.
    pub started: Instant,
    /// When its answer was handed over for sending; none if it hangs or its sender went away.
    pub finished: Option<Instant>,
    /// Whether it carried an `X-Auth-Token`.
    pub authenticated: bool,
}

/// How many round trips deep these requests are: the length of the longest chain of them in which each one began only
/// when the one before it had been answered. Requests that ran side by side count once; unanswered ones not at all.
pub fn depth(requests: &[LoggedRequest]) -> usize {
    let mut spans: Vec<_> = requests.iter().filter_map(|request| Some((request.finished?, request.started))).collect();
    spans.sort_unstable();
    let mut last: Option<Instant> = None;
    let mut depth = 0;
    for (finished, started) in spans {
        if last.is_none_or(|last| started >= last) {
            last = Some(finished);
            depth += 1;
        }
    }
    depth
}
