//! How the requests of a step are announced, sent and noted.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::lost_requests::may_act_until;
use super::progress::Request;
use super::{Changing, Job};
use crate::change::Task;
use crate::cloud::retry::Patience;
use crate::cloud::{Error, ErrorKind, Limits};
use crate::engine::retry::Sender;

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
    pub(super) fn lose(&self, step: usize, error: &Error, work: &Job<'_>) {
        self.progress().lose(step, may_act_until(error, work.cloud.limits()));
        self.note();
    }

    /// How requests of a step are sent, which that wish ends.
    pub(super) fn sender<'a>(
        &'a self,
        step: usize,
        request: Request,
        work: &'a Job<'_>,
        wish: &'a CancellationToken,
    ) -> StepSender<'a> {
        StepSender { changing: self, step, request, work, stop: wish, is_lost: Error::is_doubtful }
    }

    /// Notes that the request announced last was refused: the step stands where it stood before.
    pub(super) fn refused(&self, step: usize) {
        self.progress().refused(step);
        self.note();
    }
}

/// How a request of a step is sent.
pub(super) struct StepSender<'a> {
    changing: &'a Changing,
    step: usize,
    request: Request,
    work: &'a Job<'a>,
    stop: &'a CancellationToken,
    pub is_lost: fn(&Error) -> bool,
}

impl StepSender<'_> {
    /// Of a creation.
    pub(super) fn task(&self) -> Option<Task> {
        self.changing.marked_step(self.step).map(|marked| marked.task)
    }
}

impl Sender for StepSender<'_> {
    fn announce(&self) -> Result<(), Error> {
        self.changing.announce(self.step, self.request)
    }

    fn refused(&self, error: &Error) {
        if let Some(task) = self.task() {
            self.changing.forget_what_is_gone(task, error);
        }
        // The step does not stand where it stood before: the service is still to be switched on.
        if self.request != Request::SwitchOn {
            self.changing.refused(self.step);
        }
    }

    fn lost(&self, error: &Error) {
        self.changing.lose(self.step, error, self.work);
    }

    fn is_lost(&self, error: &Error) -> bool {
        (self.is_lost)(error)
    }

    /// A creation is only tried again where something in front of the cloud has answered for it: after a lost connection the
    /// user is asked.
    fn may_pass(&self, error: &Error) -> bool {
        error.is_of_gateway() || error.kind == ErrorKind::Interrupted && self.task().is_none()
    }

    fn patience(&self) -> Patience {
        self.work.patience(self.step, self.stop.clone())
    }

    fn limits(&self) -> &Limits {
        self.work.cloud.limits()
    }
}
