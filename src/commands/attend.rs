//! The engine at work in front of a terminal: its events are printed, a signal asks it to stop.

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::lines::{self, ProgressLines};
use crate::change::Change;
use crate::cloud::Cloud;
use crate::engine::{Event, Events, Work};
use crate::system::signals::{SETTLING, Signals};

/// What the engine works with.
pub(super) struct Bench<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) stop: CancellationToken,
    events: Events,
}

impl Bench<'_> {
    pub(super) const fn work(&self) -> Work<'_> {
        Work::new(self.cloud, &self.events, &self.stop)
    }
}

pub(super) struct Audience<'a> {
    cloud: &'a Cloud,
    events: UnboundedReceiver<Event>,
    signals: &'a mut Signals,
    stop: CancellationToken,
    replaces_connections: bool,
    pub(super) lines: ProgressLines,
}

/// The listener of a change, and what the change is carried out with.
pub(super) fn audience<'a>(change: &Change, cloud: &'a Cloud, signals: &'a mut Signals) -> (Audience<'a>, Bench<'a>) {
    let (events, received) = unbounded_channel();
    let stop = CancellationToken::new();
    let bench = Bench { cloud, stop: stop.clone(), events };
    let (lines, replaces_connections) = (ProgressLines::new(change), change.replaces_connections());
    (Audience { cloud, events: received, signals, stop, replaces_connections, lines }, bench)
}

impl Audience<'_> {
    /// Tells what happens while a piece of work is done. None if it did not come to rest in time after a signal.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut deadline = None;
        let now = Instant::now();
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => self.lines.tell(event),
                result = &mut work => {
                    while let Ok(event) = self.events.try_recv() {
                        self.lines.tell(event);
                    }
                    return Some(result);
                }
                Some(_) = self.signals.recv() => {
                    self.stop.cancel();
                    self.cloud.ask_no_more();
                    lines::stopping(self.replaces_connections);
                    deadline.get_or_insert_with(|| Instant::now() + SETTLING);
                }
                () = sleep_until(deadline.unwrap_or(now)), if deadline.is_some() => return None,
            }
        }
    }
}
