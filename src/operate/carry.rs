//! A change from the question to its end: asked, carried out with its events as lines, watched until ACTIVE, proven.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Seen, Signals, ask, lines, refused};
use crate::apply::{Conclusion, Lines, Refusal};
use crate::change::Change;
use crate::cloud::Cloud;
use crate::inspect::diagnosis::Exposures;
use crate::inspect::{Inspection, Vpn, inspect};
use crate::plan::Psk;
use crate::provision::change::{ChangeError, ChangeEvent, ChangeWork, Changing, Direction};
use crate::report::{ChangeReport, Health};
use crate::signals::SETTLING;
use crate::state;
use crate::upkeep::Proposal;

/// How often a VPN is looked at while it comes up.
const LOOK: Duration = Duration::from_secs(3);

/// What is needed to carry a change out.
pub(super) struct Carrier<'a> {
    pub seen: &'a Seen,
    /// The user's key, for a change of keys.
    pub key: Option<Psk>,
    /// How long to wait for ACTIVE afterwards.
    pub wait: Duration,
    /// Whether nobody has to be asked any more.
    pub is_agreed: bool,
}

impl Carrier<'_> {
    /// Asks, unless that was done, and carries the change out.
    pub async fn carry_out(self, proposal: Proposal, signals: Signals) -> Conclusion {
        self.carry_out_all(vec![proposal], signals).await
    }

    /// Several, one after the other, agreed to at once. The first that is not done ends it.
    pub async fn carry_out_all(mut self, proposals: Vec<Proposal>, mut signals: Signals) -> Conclusion {
        if self.is_agreed {
            for proposal in &proposals {
                lines::say(proposal.to_string().trim_end());
            }
        } else {
            match ask::agreed("", &proposals, &mut signals).await {
                Ok(true) => {}
                Ok(false) => return refused(Refusal::stopped()),
                Err(refusal) => return refused(refusal),
            }
        }
        let mut reports = Vec::new();
        for Proposal { change, notes } in proposals {
            let changing = match self.begin(change) {
                Ok(changing) => changing,
                Err(refusal) => return refused(refusal),
            };
            let key = self.key.take();
            let mut report = run(changing, key.as_ref(), self.seen.cloud(), &mut signals, Direction::Forward).await;
            self.key = key;
            report.notes = notes;
            let is_done = report.is_done();
            reports.push(report);
            if !is_done {
                break;
            }
        }
        self.after(&mut reports, &mut signals).await;
        Conclusion::Changes(reports)
    }

    fn begin(&self, change: Change) -> Result<Changing, Refusal> {
        if self.seen.signed_in.simulator.is_some() {
            return Ok(Changing::unkept(change));
        }
        let directory = state::directory()
            .ok_or_else(|| Refusal::unusable(vec!["there is no home directory for the journal".to_owned()]))?;
        Changing::begin(change, self.seen.cloud(), &directory)
            .map_err(|error| Refusal::unusable(vec![error.to_string()]))
    }

    /// Looks again until the VPNs are ACTIVE, or the wait is over, and says how each stands.
    async fn after(&self, reports: &mut [ChangeReport], signals: &mut Signals) {
        let wanted: Vec<&mut ChangeReport> =
            reports.iter_mut().filter(|report| report.is_done() && report.verb.is_about_a_vpn()).collect();
        if wanted.is_empty() || self.wait.is_zero() {
            return;
        }
        lines::say(&format!("waiting up to {} s for ACTIVE", self.wait.as_secs()));
        let deadline = Instant::now() + self.wait;
        let mut inspection;
        loop {
            inspection = tokio::select! {
                inspection = inspect(self.seen.cloud()) => inspection,
                Some(_) = signals.recv() => return,
            };
            let is_up = |report: &&mut ChangeReport| of(&inspection, report).is_none_or(Vpn::is_active);
            if wanted.iter().all(is_up) || Instant::now() >= deadline {
                break;
            }
            tokio::select! {
                () = sleep(LOOK.min(deadline.saturating_duration_since(Instant::now()))) => {}
                Some(_) = signals.recv() => return,
            }
        }
        for report in wanted {
            if let Some(vpn) = of(&inspection, report).cloned() {
                let diagnosis = inspection.diagnosis(self.seen.cloud(), &vpn, &Exposures::new()).await;
                report.after = Some(Health::new(&vpn, &diagnosis).without_surroundings().brief());
            }
        }
    }
}

/// The VPN that a change was of, as it is now. A connection that was made anew has another id, but a VPN is still known by
/// its name.
fn of<'a>(inspection: &'a Inspection, report: &ChangeReport) -> Option<&'a Vpn> {
    inspection.select(&report.id).or_else(|_| inspection.select(&report.name)).ok()
}

/// Does what is missing of a change, or takes it back, and waits until no lost request can take effect any more.
pub(crate) async fn run(
    mut changing: Changing,
    key: Option<&Psk>,
    cloud: &Cloud,
    signals: &mut Signals,
    direction: Direction,
) -> ChangeReport {
    let (events, mut received) = unbounded_channel();
    let stop = CancellationToken::new();
    let work = ChangeWork { cloud, events: &events, stop: &stop };
    let change = changing.change().clone();
    let seen_through = changing.see_through(direction, key, &work);
    let ended = attend(seen_through, &change, &mut received, signals, &stop, cloud).await;
    ChangeReport::new(&changing.course(), ended.unwrap_or(Err(ChangeError::Stopped)), direction)
}

/// Tells what happens while a piece of work is done, and passes a signal on as the wish to stop. None if the work did not
/// come to rest in time after that.
async fn attend<T>(
    work: impl Future<Output = T>,
    change: &Change,
    events: &mut UnboundedReceiver<ChangeEvent>,
    signals: &mut Signals,
    stop: &CancellationToken,
    cloud: &Cloud,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut deadline = None;
    let now = Instant::now();
    loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => lines::tell(change, &event),
            result = &mut work => {
                while let Ok(event) = events.try_recv() {
                    lines::tell(change, &event);
                }
                return Some(result);
            }
            Some(_) = signals.recv() => {
                stop.cancel();
                cloud.ask_no_more();
                Lines::stopping();
                deadline.get_or_insert_with(|| Instant::now() + SETTLING);
            }
            () = sleep_until(deadline.unwrap_or(now)), if deadline.is_some() => return None,
        }
    }
}
