//! Waiting for a VPN that is made: nothing is created, and nothing of it is deleted.

use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::creation::Audience;
use super::lines::{self, ProgressLines};
use crate::cloud::Cloud;
use crate::engine::discover::Found;
use crate::engine::journal::Keeper;
use crate::engine::{Ledger, Pace, Step, Watched, Work, watch};
use crate::inspect::examine;
use crate::report::Health;
use crate::system::signals::Signals;

/// Asks the connections of a VPN for their status until all are ACTIVE or the wait is over, and says how it stands then.
pub(super) async fn wait_for(
    found: &Found,
    cloud: &Cloud,
    wait: Duration,
    signals: &mut Signals,
) -> Result<Health, CommandError> {
    let mut connections = Ledger::default();
    for made in found.ledger.made().iter().filter(|made| made.task.step == Step::Connection) {
        connections.record(made.clone());
    }
    let (events, received) = unbounded_channel();
    let lines = ProgressLines::of_regions(&found.marks.regions);
    let mut audience = Audience { cloud, events: received, signals, stop: CancellationToken::new(), lines };
    let (keeper, stop) = (Keeper::default(), audience.stop.clone());
    let work = Work { cloud, keeper: &keeper, events: &events, stop: &stop };
    lines::waiting(wait);
    match audience.attend(Box::pin(watch(&found.marks, &mut connections, Pace::lasting(wait), &work))).await {
        Some(Watched::Active | Watched::NotYet(_)) => {}
        Some(Watched::Lost(error)) => {
            return Err(CommandError::failed("asking for the status of the connections", &error));
        }
        Some(Watched::Stopped) | None => return Err(CommandError::stopped()),
    }
    let examined = audience.attend(examine(cloud, &found.marks.vpn, &found.marks.regions)).await;
    let examined = examined.ok_or_else(CommandError::stopped)?;
    let examined = examined.map_err(|error| CommandError::failed("reading the VPN", &error))?;
    Ok(Health::new(&examined.vpn, &examined.diagnosis).of_the_halves().unchanged())
}
