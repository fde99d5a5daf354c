//! A request that makes or changes something: announced, sent, and if its answer is lost looked for before it is sent again.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::cloud::retry::{Patience, Pause, TRIES};
use crate::cloud::{Error, Limits};

/// How often a request is sent in all that is refused because an agent has not reported yet: 25 s with the default limits. The
/// first report of a connection comes within seconds, or not at all.
const TRIES_FOR_AGENTS: u32 = 8;

/// Who sends a request, and notes what becomes of it.
pub(super) trait Sender {
    /// Notes in the journal that the request is about to be sent. Without that it must not be sent.
    fn announce(&self) -> Result<(), Error>;
    /// Nothing came of it.
    fn refused(&self, error: &Error);
    /// Its answer is lost, and it may still take effect.
    fn lost(&self, error: &Error);
    fn is_lost(&self, error: &Error) -> bool;
    /// Whether it is of use to send it again after this. A plain 500 would come again.
    fn may_pass(&self, error: &Error) -> bool;
    /// How it is tried again, and who is told.
    fn patience(&self) -> Patience;
    fn limits(&self) -> &Limits;
}

/// Sends a request until it is known that what it is for is there.
///
/// After a lost answer there is a pause, then a look, then another try: the later the look, the more it tells. The look says
/// what it found, or an error if it failed, and then the request is not repeated.
///
/// # Errors
/// Why the request failed last. That a look failed stands in the journal.
pub(super) async fn send_until_known<T, S, L>(
    sender: &impl Sender,
    send: impl Fn() -> S,
    look: impl Fn() -> L,
) -> Result<T, Error>
where
    S: Future<Output = Result<T, Error>>,
    L: Future<Output = Result<Option<T>, Error>>,
{
    let mut failures = 0;
    loop {
        sender.announce()?;
        let error = match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        failures += 1;
        if error.is_pending() {
            sender.refused(&error);
            if wait_for_agent(&sender.patience(), sender.limits(), &error, failures).await {
                continue;
            }
            return Err(error);
        }
        if !sender.is_lost(&error) {
            sender.refused(&error);
            return Err(error);
        }
        sender.lost(&error);
        let again = sender.may_pass(&error) && sender.patience().pause(&error, failures, sender.limits()).await;
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) if again => {}
            Ok(None) | Err(_) => return Err(error),
        }
    }
}

/// Pauses while an agent has not reported yet on the object to change. False if it is of no use to try again.
pub(super) async fn wait_for_agent(patience: &Patience, limits: &Limits, error: &Error, failures: u32) -> bool {
    if failures >= TRIES_FOR_AGENTS || patience.stop.is_cancelled() {
        return false;
    }
    let wait = limits.back_off.saturating_mul(2_u32.saturating_pow(failures - 1));
    let wait = wait.min(std::time::Duration::from_secs(5));
    (patience.told)(Pause { error: error.clone(), wait, attempt: failures + 1, of: TRIES_FOR_AGENTS });
    pass(wait, &patience.stop).await
}

/// Waits that long. False if the user asked to stop before.
pub(super) async fn pass(wait: std::time::Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(wait) => true,
        () = stop.cancelled() => false,
    }
}

/// As patient as the engine is, telling of its pauses.
pub(super) fn patience(told: impl Fn(Pause) + Send + Sync + 'static, stop: CancellationToken) -> Patience {
    Patience { tries: TRIES, told: std::sync::Arc::new(told), stop }
}
