//! The VPN on the screen.

use std::time::Duration;

use tui_input::Input;

use super::super::remote::{Remote, RequestId};
use super::super::secret_text::SecretText;
use crate::change::NewSubnets;
use crate::cloud::{Error, Id, RegionId};
use crate::engine::pace::{POLL, poll_after};
use crate::inspect::{Check, Diagnosis, Exposures, Keys};

#[derive(Debug)]
pub struct Open {
    pub handle: String,
    /// Its name: a connection that is recreated has another id.
    pub name: String,
    pub connections: Vec<(RegionId, Id)>,
    pub around: Remote<Around>,
    /// What speaks for and against it.
    pub diagnosis: Option<Diagnosis>,
    /// Whether it is behind today's standard, and can be upgraded.
    pub is_behind: bool,
    /// Whether its peer is external and the tunnel is not up: the owner of the peer is waited for.
    pub awaits_peer: bool,
    /// The finding to fix, if the user has chosen one.
    pub chosen: Option<Check>,
    /// Whether the page begins at that finding: what is scrolled is counted from there.
    pub begins_there: bool,
    pub focus: VpnButton,
    pub looking: Option<RequestId>,
    /// Why the statuses could not be read last.
    pub look_problem: Option<Error>,
    /// Since when it is waited for ACTIVE after a change, by the clock of the model.
    pub waiting: Option<Duration>,
    pub subnets: NewSubnets,
    pub ranges: Input,
    pub key: SecretText,
}

/// What a diagnosis needs besides the survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    pub keys: Keys,
    pub exposures: Exposures,
}

/// What can be done to the VPN on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VpnButton {
    Fix,
    NewKey,
    Subnets,
    Admit,
    Upgrade,
    /// What its far side has to be set to.
    Sheet,
    Delete,
}

impl VpnButton {
    /// The key that presses it; it is in the label.
    pub const fn letter(self) -> char {
        match self {
            Self::Fix => 'f',
            Self::NewKey => 'n',
            Self::Subnets => 's',
            Self::Admit => 'a',
            Self::Upgrade => 'u',
            Self::Sheet => 'p',
            Self::Delete => 'd',
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Fix => "Fix",
            Self::NewKey => "New key",
            Self::Subnets => "Subnets",
            Self::Admit => "Admit traffic",
            Self::Upgrade => "Upgrade",
            Self::Sheet => "Peer sheet",
            Self::Delete => "Delete",
        }
    }
}

impl Open {
    /// The VPN of that word and name, of which nothing is known yet.
    pub(super) fn of(handle: String, name: String) -> Self {
        Self {
            handle,
            name,
            connections: Vec::new(),
            around: Remote::NotAsked,
            diagnosis: None,
            is_behind: false,
            awaits_peer: false,
            chosen: None,
            begins_there: false,
            focus: VpnButton::Fix,
            looking: None,
            look_problem: None,
            waiting: None,
            subnets: NewSubnets::default(),
            ranges: Input::default(),
            key: SecretText::default(),
        }
    }

    pub(super) fn forget(&mut self) {
        (self.subnets, self.ranges, self.key) = (NewSubnets::default(), Input::default(), SecretText::default());
    }

    /// How long to wait before its statuses are looked at again.
    pub(super) fn pause(&self, now: Duration) -> Duration {
        self.waiting.map_or(POLL, |since| poll_after(now.saturating_sub(since)))
    }

    /// What can be done now, the likeliest first.
    pub fn buttons(&self) -> Vec<VpnButton> {
        let diagnosis = self.diagnosis.as_ref();
        let fix = self.is_fixable().then_some(VpnButton::Fix);
        let admit = diagnosis.is_some_and(|diagnosis| !diagnosis.rules().is_empty()).then_some(VpnButton::Admit);
        let upgrade = self.is_behind.then_some(VpnButton::Upgrade);
        let (first, last) =
            if self.awaits_peer { (Some(VpnButton::Sheet), None) } else { (None, Some(VpnButton::Sheet)) };
        let always = [VpnButton::NewKey, VpnButton::Subnets].map(Some);
        let rest = [admit, upgrade, last, Some(VpnButton::Delete)];
        [fix, first].into_iter().chain(always).chain(rest).flatten().collect()
    }

    /// Whether the finding to fix is one that this program can fix.
    fn is_fixable(&self) -> bool {
        let finding = self.finding().and_then(|at| self.diagnosis.as_ref()?.findings.get(at)?.fault());
        finding.is_some_and(|fault| fault.fix.is_ours())
    }

    pub fn focused(&self) -> Option<VpnButton> {
        let buttons = self.buttons();
        buttons.iter().find(|button| **button == self.focus).or(buttons.first()).copied()
    }

    /// The finding to fix, by its place: the chosen one, else the first that can be fixed, else the first.
    pub fn finding(&self) -> Option<usize> {
        let diagnosis = self.diagnosis.as_ref()?;
        let chosen = self.chosen.and_then(|check| diagnosis.findings.iter().position(|finding| finding.check == check));
        chosen.or_else(|| diagnosis.first_fixable()).or((!diagnosis.findings.is_empty()).then_some(0))
    }
}
