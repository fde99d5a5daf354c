//! What came of a change: the VPNs are waited for until they are ACTIVE, and verified.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout_at};

use super::lines;
use crate::cloud::{Cloud, RegionId, Status};
use crate::engine::pace::poll_after;
use crate::inspect::{Aspects, Background, Focus, Inquiry, Inspection, Side, Unselected, Vpn, inspect, poll};
use crate::report::{ChangeReport, Health};
use crate::sign_in::aside::say;
use crate::system::signals::Signals;

pub(super) struct Verification<'a> {
    pub(super) cloud: &'a Cloud,
    /// The regions that tell all of them; none if any may have to do with them.
    pub(super) regions: Option<BTreeSet<RegionId>>,
    pub(super) wait: Duration,
}

impl Verification<'_> {
    /// Waits until the VPNs that were changed are ACTIVE, or the wait is over, and says how each stands.
    pub(super) async fn verify(&self, reports: &mut [ChangeReport], signals: &mut Signals) {
        let is_stop_wanted = reports.iter().any(|report| report.is_stop_wanted);
        let wanted: Vec<&mut ChangeReport> =
            reports.iter_mut().filter(|report| report.is_done() && report.verb.leaves_a_vpn()).collect();
        if wanted.is_empty() || is_stop_wanted {
            return;
        }
        let names: Vec<[&str; 2]> = wanted.iter().map(|report| [report.id_now(), &report.name]).collect();
        let (inspection, mut background) = tokio::select! {
            read = settled(self, &names) => read,
            Some(_) = signals.recv() => return,
        };
        let found: Vec<Vpn> = names.iter().filter_map(|names| of(&inspection, *names).ok().cloned()).collect();
        background.complete(self.cloud, &found, Aspects::KEYS).await;
        for report in wanted {
            match of(&inspection, [report.id_now(), &report.name]).cloned() {
                Ok(vpn) => {
                    let diagnosis = inspection.diagnosis(&vpn, &background);
                    report.after = Some(Health::new(&vpn, &diagnosis).brief());
                }
                Err(why) => match inspection.unread.first() {
                    Some((region, error)) => report.unseen(&format!("{region} could not be read ({error})")),
                    None => report.unseen(&why.to_string()),
                },
            }
        }
    }

    async fn read(&self, regions: Option<&BTreeSet<RegionId>>, names: &[[&str; 2]]) -> (Inspection, Background) {
        let focus = Focus::Words(names.as_flattened());
        let inquiry = Inquiry { regions, focus, aspects: Aspects::KEYS, ..Inquiry::default() };
        inspect(self.cloud, inquiry).await
    }
}

/// Reads everything once, looks at the statuses of those VPNs alone until all are up, and reads everything of them once
/// more. One that something keeps down which no agent will change is not waited for.
async fn settled(verification: &Verification<'_>, names: &[[&str; 2]]) -> (Inspection, Background) {
    let begun = Instant::now();
    let deadline = begun + verification.wait;
    let (mut inspection, mut background) = verification.read(verification.regions.as_ref(), names).await;
    // What is gone is not waited for; what could not be read is.
    while !inspection.unread.is_empty() && pause(begun, deadline).await {
        (inspection, background) = verification.read(verification.regions.as_ref(), names).await;
    }
    let found: Vec<Vpn> = names.iter().filter_map(|names| of(&inspection, *names).ok().cloned()).collect();
    let unsettled = || found.iter().filter(|vpn| !is_settled(vpn));
    background.complete(verification.cloud, unsettled(), Aspects::KEYS).await;
    let mut waited_for = Vec::new();
    for vpn in unsettled() {
        let diagnosis = inspection.diagnosis(vpn, &background);
        match diagnosis.keeps_down() {
            Some(fault) => {
                say(&format!("not waiting for ACTIVE, because {} stays down as it is: {}", vpn.name, fault.seen));
            }
            None => waited_for.push(vpn.clone()),
        }
    }
    if waited_for.is_empty() || verification.wait.is_zero() {
        return (inspection, background);
    }
    drop(background);
    lines::waiting(verification.wait);
    while !waited_for.is_empty() && pause(begun, deadline).await {
        let looks = join_all(waited_for.iter().map(|vpn| poll(verification.cloud, vpn)));
        let Ok(looks) = timeout_at(deadline, looks).await else { break };
        let seen = waited_for.into_iter().zip(looks).filter_map(|(mut vpn, look)| match look {
            Ok(look) => {
                vpn.set_statuses(&look);
                (!is_settled(&vpn)).then_some(vpn)
            }
            // It was deleted or recreated meanwhile: the reading afterwards tells.
            Err(error) if error.is_gone() => None,
            Err(_) => Some(vpn),
        });
        waited_for = seen.collect();
    }
    let regions: Option<Vec<BTreeSet<RegionId>>> = found.iter().map(|vpn| inspection.regions_of(vpn)).collect();
    let regions = regions.map(|regions| regions.into_iter().flatten().collect());
    verification.read(regions.as_ref(), names).await
}

/// Until the next look; not if the wait is over by then.
async fn pause(begun: Instant, deadline: Instant) -> bool {
    sleep(poll_after(begun.elapsed()).min(deadline.saturating_duration_since(Instant::now()))).await;
    Instant::now() < deadline
}

/// Whether services and connections are all up: an agent reports on both, one after the other.
fn is_settled(vpn: &Vpn) -> bool {
    let is_up = |side: &Side| side.service.as_ref().is_none_or(|service| service.status == Status::Active);
    vpn.is_active() && vpn.sides().all(|(_, side)| is_up(side))
}

/// The VPN of that id or name as it is now. A connection that was recreated has another id, but a VPN is still known by its
/// name.
fn of<'a>(inspection: &'a Inspection, [id, name]: [&str; 2]) -> Result<&'a Vpn, Unselected> {
    inspection.select(id).or_else(|_| inspection.select(name))
}
