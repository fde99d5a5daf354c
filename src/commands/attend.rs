//! The engine at work in front of a terminal: its events are printed, a signal asks it to stop.

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::lines;
use crate::cloud::Cloud;
use crate::system::signals::{SETTLING, Signals};

pub(super) struct Attendance<'a, E> {
    pub(super) cloud: &'a Cloud,
    pub(super) events: &'a mut UnboundedReceiver<E>,
    pub(super) signals: &'a mut Signals,
    pub(super) stop: &'a CancellationToken,
}

impl<E> Attendance<'_, E> {
    /// None if the work did not end in time after a signal.
    pub(super) async fn attend<T>(self, work: impl Future<Output = T>, mut tell: impl FnMut(E)) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut deadline = None;
        let now = Instant::now();
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => tell(event),
                result = &mut work => {
                    while let Ok(event) = self.events.try_recv() {
                        tell(event);
                    }
                    return Some(result);
                }
                Some(_) = self.signals.recv() => {
                    self.stop.cancel();
                    self.cloud.ask_no_more();
                    lines::stopping();
                    deadline.get_or_insert_with(|| Instant::now() + SETTLING);
                }
                () = sleep_until(deadline.unwrap_or(now)), if deadline.is_some() => return None,
            }
        }
    }
}
