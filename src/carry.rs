//! A change without a screen: carried out or taken back with its events as lines, and what came of it proven.

mod lines;
mod proof;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::apply::attend::Attendance;
use crate::cloud::Cloud;
use crate::engine::change::{ChangeError, ChangeWork, Changing, Direction};
use crate::plan::Psk;
use crate::report::ChangeReport;
use crate::signals::Signal;

pub(crate) use crate::sign_in::aside::say;
pub(crate) use proof::Proving;

/// Does what is missing of a change, or takes it back, and waits until no lost request can take effect any more.
pub(crate) async fn carry(
    mut changing: Changing,
    key: Option<&Psk>,
    cloud: &Cloud,
    signals: &mut UnboundedReceiver<Signal>,
    direction: Direction,
) -> ChangeReport {
    let (events, mut received) = unbounded_channel();
    let stop = CancellationToken::new();
    let work = ChangeWork { cloud, events: &events, stop: &stop };
    let change = changing.change().clone();
    let attendance = Attendance { cloud, events: &mut received, signals, stop: &stop };
    let seen_through = changing.see_through(direction, key, &work);
    let ended = attendance.attend(seen_through, |event| lines::tell(&change, &event)).await;
    let report = ChangeReport::new(&changing.course(), ended.unwrap_or(Err(ChangeError::Stopped)), direction);
    ChangeReport { is_stop_wanted: stop.is_cancelled(), ..report }
}
