//! All work of a session.

use std::collections::VecDeque;

use super::Work;
use crate::change::{Change, Proposal, is_of};
use crate::inspect::{CheckResult, Condition, Diagnosis, Examined, Vpn, checks};
use crate::wizard::secret_text::SecretText;

/// The work of a session: what is in progress or rests on the screen, what was done before, and what is still to be begun.
#[derive(Debug, Default)]
pub struct WorkList {
    /// On the screen, or the last that was.
    pub current: Option<Work>,
    pub earlier: Vec<Work>,
    /// What was agreed to together with the current change and has not begun.
    pub queue: VecDeque<Proposal>,
    pub(in crate::wizard) agreed: usize,
    /// The queue is not begun because the user stopped, not because one failed.
    pub is_stopped: bool,
    /// What was agreed to and left without being begun, and whether because the user stopped.
    pub left: Vec<(Change, bool)>,
    /// The key an interrupted change lacks, while it is typed.
    pub missing_key: SecretText,
}

impl WorkList {
    pub(in crate::wizard) fn begin(&mut self, work: Work) {
        self.earlier.extend(self.current.replace(work));
    }

    /// All creations of this session but the one on the screen, in order.
    pub fn earlier_creations(&self) -> impl Iterator<Item = &Work> {
        self.earlier.iter().filter(|work| work.is_creation())
    }

    /// What is on the screen is left for something else.
    pub(in crate::wizard) fn put_aside(&mut self) {
        self.earlier.extend(self.current.take());
    }

    pub fn creation(&self) -> Option<&Work> {
        self.current.as_ref().filter(|work| work.is_creation())
    }

    pub fn change(&self) -> Option<&Work> {
        self.current.as_ref().filter(|work| !work.is_creation())
    }

    pub(in crate::wizard) fn working(&mut self) -> Option<&mut Work> {
        self.current.as_mut().filter(|work| work.is_working())
    }

    pub(in crate::wizard) fn is_animating(&self) -> bool {
        self.is_working() || self.current.as_ref().is_some_and(|work| work.watch.is_verifying)
    }

    pub fn is_working(&self) -> bool {
        self.current.as_ref().is_some_and(Work::is_working)
    }

    /// All changes of this session, in order.
    pub fn changes(&self) -> impl Iterator<Item = &Work> {
        self.earlier.iter().chain(&self.current).filter(|work| !work.is_creation())
    }

    /// How many of the earlier changes were agreed to together with the current one.
    fn count_before(&self) -> usize {
        let turn = self.change().and_then(|work| work.turn);
        turn.map_or(0, |turn| turn.number.saturating_sub(1)).min(self.earlier.len())
    }

    pub fn done_before(&self) -> &[Work] {
        &self.earlier[self.earlier.len() - self.count_before()..]
    }

    /// What a change has led to, once that was compared. All VPNs tell whether another one has its name.
    pub(in crate::wizard) fn note_after(&mut self, vpn: &Vpn, diagnosis: &Diagnosis, all: &[Vpn]) {
        for work in self.of_this_turn().filter(|work| work.is_done() && !work.is_creation()) {
            if work.is_of(vpn, all) {
                work.after = Some(Box::new((vpn.clone(), diagnosis.clone())));
            }
        }
        if self.change().is_some_and(|work| work.completes_creation && work.is_done())
            && let Some(created) = self.earlier.iter_mut().rfind(|work| work.is_creation())
            && is_of(&created.change().subject, vpn)
        {
            let (vpn, diagnosis) = (vpn.clone(), diagnosis.clone());
            created.watch.examined = Some(Ok(Box::new(Examined { vpn, diagnosis })));
        }
    }

    /// The rules that the new VPN lacked are there, whatever was read before.
    pub(in crate::wizard) fn admitted(&mut self) {
        let created = self.earlier.iter_mut().rfind(|work| work.is_creation());
        if let Some(Ok(examined)) = created.and_then(|work| work.watch.examined.as_mut()) {
            examined.diagnosis.gates.values_mut().for_each(|gate| gate.missing.clear());
            let is_about_rules = |result: &CheckResult| result.check == checks::SECURITY_GROUPS;
            examined.diagnosis.findings.retain(|result| !is_about_rules(result));
            examined.diagnosis.checks.retain(|result| !is_about_rules(result));
        }
    }

    /// The VPNs that were changed one after the other and not proven since, once all of that is over.
    pub(in crate::wizard) fn unproven(&self, all: &[Vpn]) -> Vec<Vpn> {
        let Some(last) = self.change().filter(|work| !work.is_working() && work.turn.is_some()) else {
            return Vec::new();
        };
        let done = || self.done_before().iter().chain([last]).filter(|work| work.is_done());
        let is_proven = |work: &Work| work.after.as_ref().is_some_and(|after| after.1.condition == Condition::Proven);
        let is_open = |vpn: &&Vpn| done().any(|work| !is_proven(work) && is_of(&work.change().subject, vpn));
        all.iter().filter(is_open).cloned().collect()
    }

    fn of_this_turn(&mut self) -> impl Iterator<Item = &mut Work> {
        let first = self.earlier.len() - self.count_before();
        self.earlier[first..].iter_mut().chain(&mut self.current)
    }
}
