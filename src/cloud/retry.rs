//! Repeats a read that failed for a reason that may pass. Writes are never repeated here: whoever ordered them must
//! first find out what became of them.

use std::future::Future;
use std::time::Duration;

use super::error::{Error, ErrorKind};
use super::http::Limits;

/// The longest `Retry-After` that is sat out; a longer one is the caller's to show.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Runs `attempt` until it succeeds, fails for a lasting reason, or has failed [`Limits::tries`] times.
///
/// A time-out is not repeated: the user has then waited for [`Limits::total`] already.
pub async fn reading<T, F, Fut>(limits: &Limits, mut attempt: F) -> Result<T, Error>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let mut failures = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        failures += 1;
        match pause(&error, failures, limits) {
            Some(wait) if failures < limits.tries => {
                tracing::debug!(kind = ?error.kind, failures, wait_ms = wait.as_millis(), "reading again");
                tokio::time::sleep(wait).await;
            }
            _ => return Err(error),
        }
    }
}

/// How long to wait before the next try; none if there is no point in one.
fn pause(error: &Error, failures: u32, limits: &Limits) -> Option<Duration> {
    match error.kind {
        ErrorKind::RateLimited(Some(wait)) => (wait <= LONGEST_WAIT).then_some(wait),
        ErrorKind::Timeout => None,
        // Six parallel reads fail together; without jitter they would also come back together.
        _ if error.is_transient() => {
            let longest = limits.back_off.saturating_mul(2_u32.saturating_pow(failures - 1));
            Some(longest.mul_f64(rand::random_range(0.5..=1.0)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_retry_after_is_sat_out_to_the_second_and_a_long_one_is_reported() {
        let wait = |seconds| {
            let error = Error::new(ErrorKind::RateLimited(Some(Duration::from_secs(seconds))), "");
            pause(&error, 1, &Limits::default())
        };
        assert_eq!(wait(30), Some(Duration::from_secs(30)));
        assert_eq!(wait(31), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_tried_three_times_and_a_lasting_failure_only_once() {
        for (kind, expected) in [(ErrorKind::Interrupted, 3), (ErrorKind::Forbidden, 1), (ErrorKind::Timeout, 1)] {
            let mut tries = 0;
            let failed: Result<(), _> = reading(&Limits::default(), || {
                tries += 1;
                std::future::ready(Err(Error::new(kind.clone(), "no")))
            })
            .await;
            assert_eq!((failed.unwrap_err().kind, tries), (kind, expected));
        }
    }
}
