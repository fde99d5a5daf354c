//! The engine at work in front of a terminal: its events are told, a signal is the wish to stop.

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::progress::Lines;
use crate::cloud::Cloud;
use crate::signals::{SETTLING, Signal};

/// Who listens while the engine works.
pub struct Attendance<'a, E> {
    pub cloud: &'a Cloud,
    pub events: &'a mut UnboundedReceiver<E>,
    pub signals: &'a mut UnboundedReceiver<Signal>,
    pub stop: &'a CancellationToken,
}

impl<E> Attendance<'_, E> {
    /// Tells what happens while a piece of work is done, and passes a signal on as the wish to stop. None if the work did
    /// not come to rest in time after that.
    pub async fn attend<T>(self, work: impl Future<Output = T>, mut tell: impl FnMut(E)) -> Option<T> {
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
                    Lines::stopping();
                    deadline.get_or_insert_with(|| Instant::now() + SETTLING);
                }
                () = sleep_until(deadline.unwrap_or(now)), if deadline.is_some() => return None,
            }
        }
    }
}
