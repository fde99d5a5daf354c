//! Tries a request again that failed for a reason that may pass.
//!
//! Every read is tried [`Limits::tries`] times. A region with [`Patience`] reports its pauses, can be stopped in them, and
//! also repeats deletions and what the cloud has certainly not acted upon. The pauses of other reads go to the listener of
//! the cloud. A doubtful request is never repeated here: the caller must first find out what became of it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::{Error, ErrorKind};
use super::http::Limits;
use super::inventory::RegionId;

/// How often a request that fails for a reason that may pass is tried in all.
pub(crate) const TRIES: u32 = 5;

/// The longest `Retry-After` that is sat out; a longer one is the caller's to show. Clouds that limit requests by the minute
/// ask for up to 60 s.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Receives the pauses of reads without a [`Patience`] of their own, with their region. What several reads wait for at once
/// it is told once.
#[derive(Clone, Default)]
pub(super) struct PauseListeners(Arc<Listened>);

#[derive(Default)]
struct Listened {
    listener: std::sync::OnceLock<PauseListener>,
    /// The last pause of each region, by its try, and until when it lasts.
    told: Mutex<BTreeMap<RegionId, (u32, Instant)>>,
}

type PauseListener = Box<dyn Fn(&RegionId, &Pause) + Send + Sync>;

impl fmt::Debug for PauseListeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PauseListeners").finish_non_exhaustive()
    }
}

impl PauseListeners {
    pub(super) fn set(&self, told: impl Fn(&RegionId, &Pause) + Send + Sync + 'static) {
        let _ = self.0.listener.set(Box::new(told));
    }

    pub(super) fn patience(&self, region: &RegionId, limits: &Limits) -> Patience {
        let (listener, region) = (self.clone(), region.clone());
        let told = move |pause| {
            if let Some(told) = listener.0.listener.get().filter(|_| listener.0.is_news(&region, &pause)) {
                told(&region, &pause);
            }
        };
        Patience::telling(limits, Arc::new(told))
    }
}

impl Listened {
    fn is_news(&self, region: &RegionId, pause: &Pause) -> bool {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = told.get(region).is_some_and(|(attempt, until)| *attempt == pause.attempt && now < *until);
        if !is_known {
            told.insert(region.clone(), (pause.attempt, now + pause.wait));
        }
        !is_known
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub error: Error,
    pub wait: Duration,
    /// The number of the coming try, from 2 on.
    pub attempt: u32,
    pub of: u32,
}

impl fmt::Display for Pause {
    /// "429 from the cloud; retrying in 7.0 s (2 of 5)"
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, wait, attempt, of } = self;
        match (error.status, &error.kind) {
            _ if error.is_in_use() => f.write_str("still in use")?,
            _ if error.is_pending() => f.write_str("its agent has not reported yet")?,
            (Some(status), _) => write!(f, "{status} from the cloud")?,
            (None, ErrorKind::Unreachable) => f.write_str("cannot reach the cloud")?,
            (None, _) => f.write_str("no answer from the cloud")?,
        }
        write!(f, "; retrying in {:.1} s ({attempt} of {of})", wait.as_secs_f64())
    }
}

/// How often requests are tried, what receives the pauses between, and what ends them early.
#[derive(Clone)]
pub(crate) struct Patience {
    pub tries: u32,
    pub told: Arc<dyn Fn(Pause) + Send + Sync>,
    /// Called when a request that changes something is sent later than it was asked for, because its host was left alone.
    pub sent_late: Arc<dyn Fn() + Send + Sync>,
    pub stop: CancellationToken,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("tries", &self.tries).finish_non_exhaustive()
    }
}

impl Patience {
    /// As often as every request is tried; nothing cuts it short.
    pub(crate) fn telling(limits: &Limits, told: Arc<dyn Fn(Pause) + Send + Sync>) -> Self {
        Self { tries: limits.tries, told, sent_late: Arc::new(|| {}), stop: CancellationToken::new() }
    }

    /// The same, without a listener.
    pub(crate) fn quiet(limits: &Limits) -> Self {
        Self::telling(limits, Arc::new(|_| {}))
    }

    /// Pauses after that many failures if there is a point in another try. False if there is none.
    pub async fn pause(&self, error: &Error, failures: u32, limits: &Limits) -> bool {
        let Some(wait) = wait(error, failures, limits).filter(|_| failures < self.tries && !self.stop.is_cancelled())
        else {
            return false;
        };
        (self.told)(Pause { error: error.clone(), wait, attempt: failures + 1, of: self.tries });
        pass(wait, &self.stop).await
    }
}

/// Waits that long. False if the user asked to stop before.
pub(crate) async fn pass(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(wait) => true,
        () = stop.cancelled() => false,
    }
}

/// Runs `attempt` until it succeeds, fails for a lasting reason, or has failed as often as it may.
///
/// A time-out is not repeated: the user has then waited for [`Limits::total`] already.
pub(crate) async fn repeating<T, F, Fut>(limits: &Limits, patience: &Patience, mut attempt: F) -> Result<T, Error>
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
        if !patience.pause(&error, failures, limits).await {
            return Err(error);
        }
        tracing::debug!(kind = ?error.kind, failures, "trying again");
    }
}

/// How long to wait before the next try; none if there is no point in one. After a 429 the request itself has waited.
fn wait(error: &Error, failures: u32, limits: &Limits) -> Option<Duration> {
    if !error.is_transient() || matches!(error.kind, ErrorKind::Timeout | ErrorKind::RateLimited) {
        return None;
    }
    // Requests sent at once fail together; without jitter they would also come back together.
    let jitter = rand::random_range(0.5..=1.0);
    match error.retry_after {
        Some(asked) => (asked <= LONGEST_WAIT).then(|| asked + limits.back_off.mul_f64(jitter)),
        None => Some(limits.back_off_after(failures).mul_f64(jitter)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_retry_after_is_sat_out_and_a_long_one_is_reported() {
        let limits = Limits::default();
        let wait = |seconds| {
            let mut error = Error::new(ErrorKind::Server, "");
            error.status = Some(503);
            error.retry_after = Some(Duration::from_secs(seconds));
            wait(&error, 1, &limits)
        };
        for asked in [Duration::from_secs(40), LONGEST_WAIT] {
            assert!((asked..=asked + limits.back_off).contains(&wait(asked.as_secs()).unwrap()));
        }
        assert_eq!(wait(LONGEST_WAIT.as_secs() + 1), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_tried_five_times_and_a_lasting_failure_only_once() {
        for (kind, expected) in [(ErrorKind::Interrupted, 5), (ErrorKind::Forbidden, 1), (ErrorKind::Timeout, 1)] {
            let mut tries = 0;
            let failed: Result<(), _> = repeating(&Limits::default(), &Patience::quiet(&Limits::default()), || {
                tries += 1;
                std::future::ready(Err(Error::new(kind.clone(), "no")))
            })
            .await;
            assert_eq!((failed.unwrap_err().kind, tries), (kind, expected));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_pause_is_told_and_a_stop_allows_no_more() {
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let told_of = Arc::new(move |pause: Pause| sender.send(pause).unwrap());
        let patience = Patience { stop: stop.clone(), ..Patience::telling(&Limits::default(), told_of) };
        let mut error = Error::new(ErrorKind::Server, "slow down");
        (error.status, error.retry_after) = (Some(503), Some(Duration::from_secs(7)));
        let failed: Result<(), _> = repeating(&Limits::default(), &patience, || {
            if told.try_recv().is_ok_and(|pause| pause.attempt == 3) {
                stop.cancel();
            }
            std::future::ready(Err(error.clone()))
        })
        .await;
        assert_eq!(failed, Err(error.clone()));
        assert!(told.try_recv().is_err(), "the third try was the last");
        let pause = Pause { error, wait: Duration::from_secs(7), attempt: 2, of: 5 };
        assert_eq!(pause.to_string(), "503 from the cloud; retrying in 7.0 s (2 of 5)");
    }
}
