//! A change from the question to its end.

use std::time::Duration;

use super::{Seen, Signals, ask, refused};
use crate::apply::{Conclusion, Refusal};
use crate::carry::{carry, prove, say};
use crate::change::Change;
use crate::plan::Psk;
use crate::provision::change::{Changing, Direction};
use crate::report::ChangeReport;
use crate::state;
use crate::upkeep::Proposal;

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

    /// Several, one after the other, agreed to at once. After one that is not done no other is begun.
    pub async fn carry_out_all(mut self, proposals: Vec<Proposal>, mut signals: Signals) -> Conclusion {
        if self.is_agreed {
            for proposal in &proposals {
                say(proposal.to_string().trim_end());
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
            if reports.iter().any(|report: &ChangeReport| !report.is_done()) {
                reports.push(ChangeReport::not_begun(change, "not begun, because the one before is not done"));
                continue;
            }
            let changing = match self.begin(change.clone()) {
                Ok(changing) => changing,
                Err(refusal) if reports.is_empty() => return refused(refusal),
                Err(refusal) => {
                    reports.push(ChangeReport::not_begun(change, &refusal.problems.join("; ")));
                    continue;
                }
            };
            let key = self.key.take();
            let mut report = carry(changing, key.as_ref(), self.seen.cloud(), &mut signals, Direction::Forward).await;
            self.key = key;
            report.notes = notes;
            reports.push(report);
        }
        prove(&mut reports, self.seen.cloud(), self.wait, &mut signals).await;
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
}
