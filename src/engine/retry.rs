//! A request that makes or changes something: announced, sent, and if its answer is lost looked for before it is sent again.

use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::lost_requests::may_act_until;
use super::progress::Request;
use super::{Changing, Work};
use crate::change::Task;
use crate::cloud::retry::{Patience, Pause, TRIES, pass};
use crate::cloud::{Error, ErrorKind};

/// How often a request is sent in all that is refused because an agent has not reported yet: 25 s with the default limits. The
/// first report of a connection comes within seconds, or not at all.
const TRIES_FOR_AGENTS: u32 = 8;

/// How a request of a step is sent.
pub(super) struct Sender<'a> {
    changing: &'a Changing,
    step: usize,
    request: Request,
    work: &'a Work<'a>,
    stop: &'a CancellationToken,
    pub is_lost: fn(&Error) -> bool,
}

impl Sender<'_> {
    /// Sends a request until it is known that what it is for is there.
    ///
    /// After a lost answer there is a pause, then a look, then another try: the later the look, the more it tells. The look
    /// says what it found, or an error if it failed, and then the request is not repeated.
    ///
    /// # Errors
    /// Why the request failed last. That a look failed stands in the journal.
    pub async fn send_until_known<T, S, L>(&self, send: impl Fn() -> S, look: impl Fn() -> L) -> Result<T, Error>
    where
        S: Future<Output = Result<T, Error>>,
        L: Future<Output = Result<Option<T>, Error>>,
    {
        let patience = || self.work.patience(self.step, self.stop.clone());
        let mut failures = 0;
        loop {
            self.changing.announce(self.step, self.request)?;
            let error = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            if error.is_pending() {
                self.refused(&error);
                if self.work.wait_for_agent(&patience(), &error, failures).await {
                    continue;
                }
                return Err(error);
            }
            if !(self.is_lost)(&error) {
                self.refused(&error);
                return Err(error);
            }
            self.changing.lose(self.step, &error, self.work);
            let again = self.may_pass(&error) && patience().pause(&error, failures, self.work.limits()).await;
            match look().await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) if again => {}
                Ok(None) | Err(_) => return Err(error),
            }
        }
    }

    /// Of a creation.
    fn task(&self) -> Option<Task> {
        self.changing.marked_step(self.step).map(|marked| marked.task)
    }

    /// Nothing came of it.
    fn refused(&self, error: &Error) {
        if let Some(task) = self.task() {
            self.changing.forget_what_is_gone(task, error);
        }
        // The step does not stand where it stood before: the service is still to be switched on.
        if self.request != Request::SwitchOn {
            self.changing.refused(self.step);
        }
    }

    /// Whether it is of use to send it again after this. A plain 500 would come again. A creation is only tried again where
    /// something in front of the cloud has answered for it: after a lost connection the user is asked.
    fn may_pass(&self, error: &Error) -> bool {
        error.is_of_gateway() || error.kind == ErrorKind::Interrupted && self.task().is_none()
    }
}

impl Changing {
    /// Announces a request. Without that in the journal it must not be sent.
    pub(super) fn announce(&self, step: usize, request: Request) -> Result<(), Error> {
        let mut progress = self.progress();
        let before = progress.clone();
        progress.announce(step, request, Timestamp::now());
        self.kept().keep(&self.change, &progress).map_err(|error| {
            *progress = before;
            Error::new(ErrorKind::Journal, error.to_string())
        })
    }

    /// Notes that a request was lost, which may take effect until then.
    pub(super) fn lose(&self, step: usize, error: &Error, work: &Work<'_>) {
        self.progress().lose(step, may_act_until(error, work.limits()));
        self.note();
    }

    /// How requests of a step are sent, which that wish ends.
    pub(super) fn sender<'a>(
        &'a self,
        step: usize,
        request: Request,
        work: &'a Work<'_>,
        wish: &'a CancellationToken,
    ) -> Sender<'a> {
        Sender { changing: self, step, request, work, stop: wish, is_lost: Error::is_doubtful }
    }

    /// Notes that the request announced last was refused: the step stands where it stood before.
    pub(super) fn refused(&self, step: usize) {
        self.progress().refused(step);
        self.note();
    }
}

impl Work<'_> {
    /// Pauses while an agent has not reported yet on the object to change. False if it is of no use to try again.
    pub(super) async fn wait_for_agent(&self, patience: &Patience, error: &Error, failures: u32) -> bool {
        if failures >= TRIES_FOR_AGENTS || patience.stop.is_cancelled() {
            return false;
        }
        let wait = self.limits().back_off_after(failures).min(std::time::Duration::from_secs(5));
        (patience.told)(Pause { error: error.clone(), wait, attempt: failures + 1, of: TRIES_FOR_AGENTS });
        pass(wait, &patience.stop).await
    }
}

/// As patient as the engine is, telling of its pauses.
pub(super) fn patience(told: impl Fn(Pause) + Send + Sync + 'static, stop: CancellationToken) -> Patience {
    Patience { tries: TRIES, told: Arc::new(told), sent_late: Arc::new(|| {}), stop }
}
