//! The system that stands on the far side of a new VPN: which policy it takes, and what it does not.

use super::NewVpn;
use super::picker::{Choice, Line};
use super::screen::Mode;
use super::sheet::format_line;
use crate::plan::{Finding, PolicyScope, Profile, cidr};
use crate::sheet::{FarSide, Objection, PeerFormat, Remedy, Sheet};

/// What stands in the list in the place of any system.
pub(super) const SOMETHING_ELSE: &str = "something else";

impl NewVpn {
    pub(super) fn system_lines() -> Vec<Line> {
        let mut lines: Vec<Line> =
            PeerFormat::all().unwrap_or_default().iter().map(|one| format_line(one, None)).collect();
        lines.iter_mut().take(1).for_each(|line| SOMETHING_ELSE.clone_into(&mut line.title));
        lines
    }

    pub(super) fn chosen_system(&self) -> Option<Choice> {
        let format = self.answers.system.or_else(|| PeerFormat::all().ok()?.first())?;
        Some(Choice::Word(format.word))
    }

    pub(super) fn take_system(&mut self, word: &str) {
        let systems = PeerFormat::all().unwrap_or_default().iter().skip(1);
        self.answers.system = systems.into_iter().find(|format| format.word == word);
    }

    fn system(&self) -> Option<&'static PeerFormat> {
        self.answers.system.filter(|_| self.answers.mode == Mode::Single)
    }

    /// The profile to suggest for that scope: the first that the system takes, too, where there is one.
    pub(super) fn recommended_in(&self, scope: &PolicyScope<'_>) -> (Profile, Option<String>) {
        let (profile, reason) = scope.recommended(&self.profiles);
        let is_taken = |profile: &Profile| self.objections(*profile).is_empty();
        let Some(system) = self.system().filter(|_| !is_taken(&profile)) else { return (profile, reason) };
        let is_stored = |profile: &&Profile| {
            self.profiles.get(**profile).is_some_and(|policy| !policy.findings(scope).iter().any(Finding::is_refusal))
        };
        let other = Profile::NAMED.iter().filter(is_stored).find(|profile| is_taken(profile));
        other.map_or((profile, reason), |other| (*other, Some(format!("{} takes it", system.title()))))
    }

    /// What the system has against a policy and the ranges.
    fn objections(&self, profile: Profile) -> Vec<Objection> {
        let policy = self.profiles.get(profile).unwrap_or(&self.answers.custom);
        let behind = cidr::parse_list(self.answers.peer_cidrs.value()).unwrap_or_default();
        let side = FarSide::negotiating(policy, self.local_ranges(), behind);
        let refused = self.system().and_then(|system| Sheet::check(system, &side, None).err());
        refused.map(|refused| refused.reasons).unwrap_or_default()
    }

    /// Why the system does not take the ranges that are typed.
    pub(super) fn ranges_problem_of_system(&self) -> Option<String> {
        let mut reasons = self.objections(Profile::Modern).into_iter();
        reasons.find(|reason| reason.instead == Some(Remedy::Ranges)).map(|reason| reason.why)
    }

    /// Why the system does not take the key that is typed.
    pub(super) fn key_problem_of_system(&self) -> Option<String> {
        self.system()?.key_problem(self.answers.key.psk()?.secret()).map(|reason| reason.why)
    }
}
