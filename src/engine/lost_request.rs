//! Until when a request whose answer was lost may take effect.
//!
//! A server may act on a request long after its sender has given up. So one look that finds nothing settles nothing: it
//! is looked again, until the request can take effect no more ([`Limits::settling`]).

use jiff::{SignedDuration, Timestamp};

use crate::cloud::{Error, Limits};

/// A plain 500 is the server's last word: what it has not done by then it never does.
pub(super) fn until(error: &Error, limits: &Limits) -> Timestamp {
    let now = Timestamp::now();
    let is_last_word = !error.is_doubtful() || error.status == Some(500);
    let settling = SignedDuration::try_from(limits.settling).unwrap_or(SignedDuration::MAX);
    if is_last_word { now } else { now.checked_add(settling).unwrap_or(Timestamp::MAX) }
}
