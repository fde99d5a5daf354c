//! A change from the question to its end.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Seen, Signals, ask, refused};
use crate::apply::{Conclusion, Refusal};
use crate::carry::{Proving, carry, say};
use crate::change::Change;
use crate::change::{Proposal, Together};
use crate::cloud::RegionId;
use crate::engine::change::{Changing, Direction};
use crate::plan::Psk;
use crate::report::ChangeReport;
use crate::state;

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
    pub async fn carry_out(self, proposal: Proposal, mut signals: Signals) -> Conclusion {
        if proposal.is_empty() {
            return Conclusion::Change(Box::new(ChangeReport::unchanged(proposal.change, proposal.notes)));
        }
        if let Err(refusal) = self.agree(std::slice::from_ref(&proposal), &mut signals).await {
            return refused(refusal);
        }
        match self.one(proposal, &mut signals).await {
            Ok(mut report) => {
                self.prove(std::slice::from_mut(&mut report), &mut signals).await;
                Conclusion::Change(Box::new(report))
            }
            Err(refusal) => refused(refusal),
        }
    }

    /// Several, one after the other, agreed to at once. After one that is not done, or a stop, no other is begun.
    pub async fn carry_out_all(self, proposals: Vec<Proposal>, mut signals: Signals) -> Conclusion {
        if proposals.is_empty() {
            return Conclusion::Changes(Vec::new());
        }
        if let Err(refusal) = self.agree(&proposals, &mut signals).await {
            return refused(refusal);
        }
        let mut reports: Vec<ChangeReport> = Vec::new();
        for proposal in proposals {
            let change = proposal.change.clone();
            let is_stopped = reports.iter().any(|report| report.is_stop_wanted) || signals.try_recv().is_ok();
            if is_stopped || reports.iter().any(|report| !report.is_done()) {
                reports.push(ChangeReport::left(change, is_stopped));
                continue;
            }
            match self.one(proposal, &mut signals).await {
                Ok(report) => reports.push(report),
                Err(refusal) if reports.is_empty() => return refused(refusal),
                Err(refusal) => reports.push(ChangeReport::not_begun(change, &refusal.problems.join("; "))),
            }
        }
        self.prove(&mut reports, &mut signals).await;
        Conclusion::Changes(reports)
    }

    async fn prove(&self, reports: &mut [ChangeReport], signals: &mut Signals) {
        let inspection = &self.seen.inspection;
        let of = |report: &ChangeReport| inspection.regions_of(inspection.select(&report.id).ok()?);
        let regions: Option<Vec<BTreeSet<RegionId>>> = reports.iter().map(of).collect();
        let regions = regions.map(|regions| regions.into_iter().flatten().collect());
        Proving { cloud: self.seen.cloud(), regions, wait: self.wait }.prove(reports, signals).await;
    }

    async fn agree(&self, proposals: &[Proposal], signals: &mut Signals) -> Result<(), Refusal> {
        if self.is_agreed {
            say(Together(proposals).to_string().trim_end());
            return Ok(());
        }
        if ask::agreed("", proposals, signals).await? { Ok(()) } else { Err(Refusal::stopped()) }
    }

    async fn one(&self, Proposal { change, notes }: Proposal, signals: &mut Signals) -> Result<ChangeReport, Refusal> {
        let changing = self.begin(change)?;
        let report = carry(changing, self.key.as_ref(), self.seen.cloud(), signals, Direction::Forward).await;
        Ok(ChangeReport { notes, ..report })
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
