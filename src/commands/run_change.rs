//! A change from the question to its end: carried out or rolled back with its events as lines, and what came of it verified.

use std::collections::BTreeSet;
use std::time::Duration;

use super::attend::audience;
use super::confirm::{Assent, confirm, fitting};
use super::look::{ProjectVpns, look_to_change};
use super::options::ChangeArgs;
use super::verify::Verification;
use super::{CommandError, Conclusion, SignInContext, until_signal};
use crate::change::{Change, Proposal, Together, Verb, is_of};
use crate::cloud::{Cloud, RegionId};
use crate::engine::journal::JournalError;
use crate::engine::{ChangeError, Changing, Direction};
use crate::inspect::{Background, Inquiry};
use crate::plan::Psk;
use crate::plan::psk::NONE_PUBLIC;
use crate::report::{ChangeReport, ChangeReports, ExitStatus};
use crate::sign_in::aside::say;
use crate::system::signals::Signals;
use crate::system::state;

/// Does what is missing of a change, or rolls it back, and waits until no lost request can take effect any more.
pub(super) async fn run_change(
    mut changing: Changing,
    key: Option<&Psk>,
    cloud: &Cloud,
    signals: &mut Signals,
    direction: Direction,
) -> ChangeReport {
    let (mut audience, bench) = audience(changing.change(), cloud, signals);
    let ended = audience.attend(Box::pin(changing.see_through(direction, key, &bench.work()))).await;
    let ended = ended.unwrap_or(Err(ChangeError::Stopped)).into();
    let report = ChangeReport::new(&changing.course(), &ended, direction);
    ChangeReport { is_stop_wanted: bench.stop.is_cancelled(), ..report }
}

/// How a command wants its change to be carried out.
pub(super) struct RunOptions<'a> {
    pub(super) change: &'a ChangeArgs,
    pub(super) wait: Duration,
    pub(super) key: Option<Psk>,
    /// Only shows it.
    pub(super) is_dry_run: bool,
}

impl<'a> RunOptions<'a> {
    pub(super) const fn new(change: &'a ChangeArgs, wait: Duration) -> Self {
        Self { change, wait, key: None, is_dry_run: false }
    }

    pub(super) fn of<'s>(&self, seen: &'s ProjectVpns) -> ChangeRun<'s> {
        ChangeRun { seen, key: self.key.clone(), wait: self.wait, is_confirmed: self.change.yes }
    }

    /// Signs in, looks, proposes, asks, and runs the change.
    pub(super) async fn propose_and_run(
        self,
        sign_in: &mut SignInContext,
        signals: &mut Signals,
        inquiry: Inquiry<'_>,
        propose: impl AsyncFnOnce(&ProjectVpns, Background) -> Result<Proposal, CommandError>,
    ) -> Result<Conclusion, CommandError> {
        let proposed = look_to_change(&self.change.answer.cloud, sign_in, inquiry, propose);
        let (seen, proposal) = until_signal(signals, proposed).await?;
        if self.is_dry_run {
            return Ok(ChangeReport::proposed(proposal).into());
        }
        self.of(&seen).run(proposal, signals).await
    }
}

pub(super) struct ChangeRun<'a> {
    pub(super) seen: &'a ProjectVpns,
    pub(super) key: Option<Psk>,
    pub(super) wait: Duration,
    pub(super) is_confirmed: bool,
}

impl ChangeRun<'_> {
    /// Asks, unless that was done, and carries the change out.
    pub(super) async fn run(self, proposal: Proposal, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        if proposal.is_empty() {
            return Ok(ChangeReport::proposed(proposal).into());
        }
        self.confirm(std::slice::from_ref(&proposal), signals).await?;
        let mut report = self.one(proposal, signals).await?;
        self.verify(std::slice::from_mut(&mut report), signals).await;
        Ok(report.into())
    }

    /// Several, one after the other, agreed to at once. After one that is not done, or a stop, no other is begun.
    pub(super) async fn run_all(
        self,
        proposals: Vec<Proposal>,
        signals: &mut Signals,
    ) -> Result<Conclusion, CommandError> {
        if proposals.is_empty() {
            return Ok(ChangeReports::new(Vec::new(), NONE_PUBLIC).into());
        }
        self.confirm(&proposals, signals).await?;
        let turns = proposals.into_iter().map(|proposal| (proposal.change.clone(), proposal)).collect();
        let run = async |proposal, _: bool, signals: &mut Signals| {
            let report = self.one(proposal, signals).await?;
            Ok(Turned { goes_on: report.is_done(), report })
        };
        let mut reports = in_turn(turns, run, signals).await?;
        self.verify(&mut reports, signals).await;
        Ok(ChangeReports::new(reports, NONE_PUBLIC).into())
    }

    pub(super) async fn verify(&self, reports: &mut [ChangeReport], signals: &mut Signals) {
        if !self.wait.is_zero() {
            self.verify_within(self.wait, reports, signals).await;
        }
    }

    /// Looks once, whatever the state is then, if it waits at all.
    pub(super) async fn look_once(&self, reports: &mut [ChangeReport], signals: &mut Signals) {
        if !self.wait.is_zero() {
            self.verify_within(Duration::ZERO, reports, signals).await;
        }
    }

    async fn verify_within(&self, wait: Duration, reports: &mut [ChangeReport], signals: &mut Signals) {
        let inspection = &self.seen.inspection;
        let of = |report: &ChangeReport| inspection.regions_of(inspection.select(&report.id).ok()?);
        let regions: Option<Vec<BTreeSet<RegionId>>> = reports.iter().map(of).collect();
        let regions = regions.map(|regions| regions.into_iter().flatten().collect());
        Verification { cloud: self.seen.cloud(), regions, wait }.verify(reports, signals).await;
    }

    async fn confirm(&self, proposals: &[Proposal], signals: &mut Signals) -> Result<(), CommandError> {
        self.confirm_shown(&format!("{:#.8}", Together(proposals)), proposals, signals).await
    }

    /// Shows that text, and asks unless that was done.
    pub(super) async fn confirm_shown(
        &self,
        shown: &str,
        proposals: &[Proposal],
        signals: &mut Signals,
    ) -> Result<(), CommandError> {
        if self.is_confirmed {
            say(fitting(shown).trim_end());
            return Ok(());
        }
        let active = self.deleted_while_active(proposals);
        let assent = active.map_or(Assent::Yes, |name| Assent::Name(name.to_owned()));
        let is_confirmed = confirm(shown, &Together(proposals).question(), assent, signals).await?;
        if is_confirmed { Ok(()) } else { Err(CommandError::stopped()) }
    }

    /// The name of a VPN that is to be deleted though it may carry traffic.
    fn deleted_while_active(&self, proposals: &[Proposal]) -> Option<&str> {
        let [Proposal { change, .. }] = proposals else { return None };
        let vpn = self.seen.inspection.vpns.iter().find(|vpn| is_of(&change.subject, vpn))?;
        (change.verb == Verb::Delete && vpn.is_active()).then_some(vpn.name.as_str())
    }

    pub(super) async fn one(&self, proposal: Proposal, signals: &mut Signals) -> Result<ChangeReport, CommandError> {
        let notes = proposal.all_notes();
        let changing = self.begin(proposal.change)?;
        let report = run_change(changing, self.key.as_ref(), self.seen.cloud(), signals, Direction::Forward).await;
        Ok(ChangeReport { notes, ..report })
    }

    fn begin(&self, change: Change) -> Result<Changing, CommandError> {
        if self.seen.signed_in.simulator.is_some() {
            return Ok(Changing::unkept(change));
        }
        let directory = state::directory().ok_or(JournalError::NoHome)?;
        Ok(Changing::begin(change, self.seen.cloud(), &directory)?)
    }
}

/// What one of several changes came to, and whether the next one is begun.
pub(super) struct Turned {
    pub(super) report: ChangeReport,
    pub(super) goes_on: bool,
}

/// Changes that were agreed to together, one after the other. After one that does not go on, or a stop, no other is begun. What
/// was done before an error is told all the same. Whether a turn is the first is told to what carries it out.
pub(super) async fn in_turn<T>(
    turns: Vec<(Change, T)>,
    mut carry_out: impl AsyncFnMut(T, bool, &mut Signals) -> Result<Turned, CommandError>,
    signals: &mut Signals,
) -> Result<Vec<ChangeReport>, CommandError> {
    let mut reports: Vec<ChangeReport> = Vec::new();
    let mut broken = None;
    for (change, turn) in turns {
        let is_stopped = reports.iter().any(|report| report.is_stop_wanted) || signals.try_recv().is_ok();
        if is_stopped || broken.is_some() {
            let broken = broken.and_then(|place: usize| reports.get(place));
            reports.push(ChangeReport::left(change, broken, is_stopped));
            continue;
        }
        match carry_out(turn, reports.is_empty(), signals).await {
            Ok(Turned { report, goes_on }) => {
                broken = (!goes_on).then_some(reports.len());
                reports.push(report);
            }
            Err(error) if reports.is_empty() => return Err(error),
            Err(error) => {
                broken = Some(reports.len());
                reports.push(if error.status == ExitStatus::Stopped {
                    ChangeReport::left(change, None, true)
                } else {
                    ChangeReport::not_begun(change, &error.reasons())
                });
            }
        }
    }
    Ok(reports)
}
