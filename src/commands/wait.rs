//! Waiting for a VPN that is made: nothing is created, and nothing of it is deleted.

use std::time::Duration;

use super::attend::audience;
use super::{CommandError, lines};
use crate::cloud::Cloud;
use crate::engine::discover::Found;
use crate::engine::{Changing, Pace, Watched};
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
    let mut changing = Changing::of_markers(found, None);
    let (mut audience, bench) = audience(&found.change, cloud, signals);
    lines::waiting(wait);
    match audience.attend(Box::pin(changing.watch(Pace::lasting(wait), &bench.work()))).await {
        Some(Watched::Active | Watched::NotYet(_)) => {}
        Some(Watched::Lost(error)) => {
            return Err(CommandError::failed("asking for the status of the connections", &error));
        }
        Some(Watched::Stopped) | None => return Err(CommandError::stopped()),
    }
    let examined = audience.attend(examine(cloud, &found.vpn, &found.change.halves())).await;
    let examined = examined.ok_or_else(CommandError::stopped)?;
    let examined = examined.map_err(|error| CommandError::failed("reading the VPN", &error))?;
    Ok(Health::new(&examined.vpn, &examined.diagnosis).of_the_halves().unchanged())
}
