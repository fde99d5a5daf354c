//! A change without a screen: carried out or taken back with its events as lines, and what came of it proven.

mod lines;

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::apply::attend::Attendance;
use crate::cloud::{Cloud, Status};
use crate::inspect::diagnosis::Exposures;
use crate::inspect::{Inspection, Side, Unselected, Vpn, inspect};
use crate::plan::Psk;
use crate::provision::change::{ChangeError, ChangeWork, Changing, Direction};
use crate::report::{ChangeReport, Health};
use crate::signals::Signal;

pub(crate) use lines::say;

/// How often a VPN is looked at while it comes up.
const LOOK: Duration = Duration::from_secs(3);

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

/// Looks again until the VPNs that were changed are ACTIVE, or the wait is over, and says how each stands.
pub(crate) async fn prove(
    reports: &mut [ChangeReport],
    cloud: &Cloud,
    wait: Duration,
    signals: &mut UnboundedReceiver<Signal>,
) {
    let is_stop_wanted = reports.iter().any(|report| report.is_stop_wanted);
    let wanted: Vec<&mut ChangeReport> =
        reports.iter_mut().filter(|report| report.is_done() && report.verb.is_about_a_vpn()).collect();
    if wanted.is_empty() || wait.is_zero() || is_stop_wanted {
        return;
    }
    say(&format!("waiting up to {} s for ACTIVE", wait.as_secs()));
    let deadline = Instant::now() + wait;
    let mut inspection;
    loop {
        inspection = tokio::select! {
            inspection = inspect(cloud) => inspection,
            Some(_) = signals.recv() => return,
        };
        let is_up = |report: &&mut ChangeReport| match of(&inspection, report) {
            Ok(vpn) => is_settled(vpn),
            // What is gone is not waited for; what could not be read is.
            Err(_) => inspection.unread.is_empty(),
        };
        if wanted.iter().all(is_up) || Instant::now() >= deadline {
            break;
        }
        tokio::select! {
            () = sleep(LOOK.min(deadline.saturating_duration_since(Instant::now()))) => {}
            Some(_) = signals.recv() => return,
        }
    }
    for report in wanted {
        match of(&inspection, report).cloned() {
            Ok(vpn) => {
                let diagnosis = inspection.diagnosis(cloud, &vpn, &Exposures::new()).await;
                report.after = Some(Health::new(&vpn, &diagnosis).without_surroundings().brief());
            }
            Err(why) => match inspection.unread.first() {
                Some((region, error)) => report.unseen(&format!("{region} could not be read ({error})")),
                None => report.unseen(&why.to_string()),
            },
        }
    }
}

/// Whether services and connections are all up: an agent reports on both, one after the other.
fn is_settled(vpn: &Vpn) -> bool {
    let is_up = |side: &Side| side.service.as_ref().is_none_or(|service| service.status == Status::Active);
    vpn.is_active() && vpn.sides().all(|(_, side)| is_up(side))
}

/// The VPN that a change was of, as it is now. A connection that was made anew has another id, but a VPN is still known by
/// its name.
fn of<'a>(inspection: &'a Inspection, report: &ChangeReport) -> Result<&'a Vpn, Unselected> {
    inspection.select(&report.id).or_else(|_| inspection.select(&report.name))
}
