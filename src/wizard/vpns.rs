//! The VPNs there are: what was read of them, as a list, and the one on the screen.

mod lines;
mod public_keys;

use std::collections::BTreeMap;
use std::time::Duration;

use tui_input::Input;

use super::message::Overview;
use super::remote::{Remote, RequestId};
use super::screen::Screen;
use super::secret_text::SecretText;
use super::{Effect, Model};
use crate::change::{NewSubnets, Sas, is_of};
use crate::cloud::{Error, Id, RegionId};
use crate::engine::interruption::Interruption;
use crate::engine::pace::{FRESH, PATIENCE, POLL, poll_after};
use crate::inspect::Exposures;
use crate::inspect::diagnosis::agents_report;
use crate::inspect::{Check, Diagnosis, HalfStatus, Keys, Vpn};
use crate::plan::Half;
use crate::plan::psk::KeyOrigin;

pub use lines::ranges;

/// Everything the wizard knows of the VPNs that exist.
#[derive(Debug, Default)]
pub struct YourVpns {
    pub seen: Remote<Overview>,
    /// When that was answered, by the clock of the model.
    pub as_of: Duration,
    pub open: Option<Open>,
    /// The action to propose as soon as enough is known.
    pub intent: Option<Intent>,
    /// The keys of all VPNs, if they are being compared.
    pub keys: Remote<Vec<(String, Keys)>>,
    /// The answer that is to prove several VPNs whose changes are over.
    pub proving: Option<RequestId>,
    pub offers: Vec<Interruption>,
}

#[derive(Debug)]
pub struct Open {
    pub handle: String,
    /// Its name: a connection that is recreated has another id.
    pub name: String,
    pub connections: Vec<(RegionId, Id)>,
    pub around: Remote<Around>,
    /// What speaks for and against it.
    pub diagnosis: Option<Diagnosis>,
    /// The finding to fix, if the user has chosen one.
    pub chosen: Option<Check>,
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
    Delete,
}

impl VpnButton {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Fix => "Fix",
            Self::NewKey => "New key",
            Self::Subnets => "Subnets",
            Self::Admit => "Allow traffic",
            Self::Delete => "Delete",
        }
    }
}

/// A change that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Fix(Check),
    NewKey(Sas, KeyOrigin),
    Subnets,
    Admit,
    Delete,
    DeleteUnused,
    /// A new key for every VPN that has the one everybody knows.
    PublicKeys(Sas),
}

impl Intent {
    pub const fn is_of_a_vpn(self) -> bool {
        !matches!(self, Self::DeleteUnused | Self::PublicKeys(_))
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
            chosen: None,
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

    /// What can be done now, the likeliest first.
    pub fn buttons(&self) -> Vec<VpnButton> {
        let diagnosis = self.diagnosis.as_ref();
        let fix = diagnosis.is_some_and(|diagnosis| !diagnosis.findings.is_empty()).then_some(VpnButton::Fix);
        let admit = diagnosis.is_some_and(|diagnosis| !diagnosis.rules().is_empty()).then_some(VpnButton::Admit);
        [fix, Some(VpnButton::NewKey), Some(VpnButton::Subnets), admit, Some(VpnButton::Delete)]
            .into_iter()
            .flatten()
            .collect()
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

impl YourVpns {
    /// What was read, while it is read again too.
    pub fn seen(&self) -> Option<&Overview> {
        self.seen.ready()
    }

    pub fn vpn(&self) -> Option<&Vpn> {
        self.seen()?.inspection.select(&self.open.as_ref()?.handle).ok()
    }

    /// The change of the VPN on the screen that was interrupted and comes first.
    pub fn interrupted(&self) -> Option<&Interruption> {
        let vpn = self.vpn()?;
        self.seen()?.changes().find(|interrupted| is_of(interrupted.vpn(), vpn))
    }

    /// After another action it is not asked about again.
    pub(super) const fn drop_intent(&mut self) {
        self.intent = None;
    }

    /// Whether something of it is on its way, so that time should pass.
    pub fn is_animating(&self) -> bool {
        let open = self.open.as_ref();
        self.seen.is_loading()
            || self.keys.is_loading()
            || open.is_some_and(|open| open.around.is_loading() || open.waiting.is_some())
    }

    fn vpn_mut(&mut self) -> Option<&mut Vpn> {
        let handle = &self.open.as_ref()?.handle;
        let seen = match &mut self.seen {
            Remote::Ready(seen) => seen,
            Remote::Loading { before: Some(seen), .. } => &mut **seen,
            _ => return None,
        };
        seen.inspection.vpns.iter_mut().find(|vpn| vpn.handle() == *handle)
    }
}

fn connections(vpn: &Vpn) -> Vec<(RegionId, Id)> {
    vpn.sides().map(|(_, side)| (side.region.clone(), side.connection.id.clone())).collect()
}

impl Model {
    /// Opens the list, and reads it if that is due: not before there is a sign-in.
    pub(super) fn open_vpns(&mut self) {
        let is_fresh = self.vpns.seen().is_some() && !self.is_stale();
        if self.shell.session().is_some() && !is_fresh && !self.vpns.seen.is_loading() {
            self.read_vpns();
        }
        self.enter(Screen::Vpns);
    }

    pub(super) fn is_stale(&self) -> bool {
        self.shell.now.saturating_sub(self.vpns.as_of) > FRESH
    }

    /// Reads all regions. What was known stays in view until the answer.
    pub(super) fn read_vpns(&mut self) {
        let request = self.shell.out.request();
        self.vpns.seen.ask(request, self.shell.now);
        self.shell.out.push(Effect::Inspect(request));
    }

    /// The same by hand: not twice within a moment, but a read that hangs is asked for again.
    pub(super) fn read_vpns_again(&mut self) {
        let since = self.vpns.seen.since();
        if since.is_some_and(|since| self.shell.now.saturating_sub(since) < PATIENCE) {
            self.shell.say("It is being read already.");
            return;
        }
        self.read_vpns();
    }

    pub(super) fn inspected(&mut self, request: RequestId, seen: Overview) {
        if !seen.inspection.awaited.is_empty() {
            return self.inspected_in_part(request, seen);
        }
        if !self.vpns.seen.answer(request, Ok(seen)) {
            return;
        }
        self.vpns.as_of = self.shell.now;
        self.vpns.keys = Remote::NotAsked;
        self.reopen();
        if matches!(self.screen, Screen::Vpns | Screen::NewSubnets(_)) {
            self.refresh();
        }
        self.propose_once_known();
        self.verify_several();
    }

    /// Shows what is known while a region keeps the others waiting. Of one that is still awaited that is what was known
    /// before.
    fn inspected_in_part(&mut self, request: RequestId, seen: Overview) {
        let mut part = seen;
        if let Some(before) = self.vpns.seen() {
            part.inspection = part.inspection.beside(&before.inspection);
        }
        if !self.vpns.seen.part(request, part) {
            return;
        }
        if matches!(self.screen, Screen::Vpns | Screen::NewSubnets(_)) {
            self.refresh();
        }
        let is_another = |vpn: &Vpn| self.vpns.open.as_ref().is_some_and(|open| open.connections != connections(vpn));
        match self.look_for_open() {
            Some(vpn) if is_another(&vpn) => self.diagnose(vpn),
            _ => {}
        }
    }

    /// The VPN on the screen, in what was read.
    fn look_for_open(&self) -> Option<Vpn> {
        let (open, inspection) = (self.vpns.open.as_ref()?, &self.vpns.seen()?.inspection);
        let by_connection = || open.connections.iter().find_map(|(_, id)| inspection.select(id.as_str()).ok());
        let found = inspection.select(&open.handle).ok().or_else(by_connection);
        found.or_else(|| inspection.select(&open.name).ok()).cloned()
    }

    /// Finds the VPN on the screen in what was read again, and diagnoses it.
    fn reopen(&mut self) {
        let found = self.look_for_open();
        let (Some(open), Some(seen)) = (&self.vpns.open, self.vpns.seen()) else { return };
        let inspection = &seen.inspection;
        let Some(vpn) = found else {
            let text = match inspection.unread.first() {
                Some((region, _)) => format!("{} cannot be shown: {region} did not answer.", open.name),
                None => format!("{} no longer exists.", open.name),
            };
            self.vpns.open = None;
            self.vpns.intent = None;
            if self.screen.is_of_one_vpn() {
                self.enter(Screen::Vpns);
                self.shell.warn(text);
            } else if let Some(work) = &mut self.work.current {
                work.has_vpn = false;
            }
            return;
        };
        self.diagnose(vpn);
    }

    pub(super) fn open_vpn(&mut self, handle: &str) {
        let Some(vpn) = self.vpns.seen().and_then(|seen| seen.inspection.select(handle).ok()).cloned() else {
            return;
        };
        self.vpns.open = Some(Open::of(vpn.handle(), vpn.name.clone()));
        self.vpns.intent = None;
        self.enter(Screen::Vpn);
        // What is being read is diagnosed as it is known, and once more then.
        if self.vpns.seen.is_loading() || !self.is_stale() { self.diagnose(vpn) } else { self.read_vpns() }
    }

    /// Reads what a diagnosis needs, and begins to watch the statuses.
    fn diagnose(&mut self, vpn: Vpn) {
        let (request, looking) = (self.shell.out.request(), self.shell.out.request());
        let pause = self.pause();
        let now = self.shell.now;
        let connections = connections(&vpn);
        let Some(open) = &mut self.vpns.open else { return };
        (open.handle, open.name) = (vpn.handle(), vpn.name.clone());
        let is_another = !open.connections.is_empty() && open.connections != connections;
        if is_another {
            // Nothing that was found out by half is true of it.
            (open.around, open.diagnosis) = (Remote::NotAsked, None);
            open.forget();
            self.vpns.intent = None;
            if self.screen.is_of_one_vpn() && self.screen != Screen::Vpn {
                self.enter(Screen::Vpn);
                self.shell.warn("More of this VPN is known now; choose again what to do.");
            }
        }
        let Some(open) = &mut self.vpns.open else { return };
        open.connections = connections;
        open.around.ask(request, now);
        open.looking = Some(looking);
        self.shell.out.push(Effect::Diagnose(request, Box::new(vpn.clone())));
        self.shell.out.push(Effect::Look(looking, Box::new(vpn), pause));
    }

    fn pause(&self) -> Duration {
        let since = self.vpns.open.as_ref().and_then(|open| open.waiting);
        since.map_or(POLL, |since| poll_after(self.shell.now.saturating_sub(since)))
    }

    pub(super) fn diagnosed(&mut self, request: RequestId, keys: Keys, exposures: Exposures) {
        let Some(open) = &mut self.vpns.open else { return };
        if !open.around.answer(request, Ok(Around { keys, exposures })) {
            return;
        }
        self.conclude();
        self.give_up_waiting();
        self.propose_once_known();
    }

    /// What a known cause keeps down, whatever the agents do, is not waited for.
    fn give_up_waiting(&mut self) {
        let Some(vpn) = self.vpns.vpn().cloned() else { return };
        let Some(open) = self.vpns.open.as_mut().filter(|open| open.waiting.is_some()) else { return };
        let cause = open.diagnosis.as_ref().and_then(|diagnosis| diagnosis.keeps_down());
        let Some(cause) = cause.filter(|_| !vpn.is_active()).map(|fault| fault.seen.clone()) else { return };
        open.waiting = None;
        self.shell.say(format!("Not waiting for ACTIVE, because {} stays down as it is: {cause}.", vpn.name));
    }

    /// What a change has led to, once that was compared.
    fn note_after(&mut self, vpn: &Vpn, diagnosis: &Diagnosis) {
        let Some(Overview { inspection, .. }) = self.vpns.seen.ready() else { return };
        for work in self.work.of_this_turn().filter(|work| work.is_done()) {
            if !work.is_creation() && work.is_of(vpn, &inspection.vpns) {
                work.after = Some(Box::new((vpn.clone(), diagnosis.clone())));
            }
        }
    }

    fn conclude(&mut self) {
        let vpns = &self.vpns;
        let (Some(seen), Some(vpn), Some(open)) = (vpns.seen(), vpns.vpn(), &vpns.open) else { return };
        let Some(around) = open.around.ready() else { return };
        let diagnosis = seen.inspection.diagnose(vpn, &around.keys, &around.exposures);
        let vpn = vpn.clone();
        self.note_after(&vpn, &diagnosis);
        if let Some(open) = &mut self.vpns.open {
            open.diagnosis = Some(diagnosis);
        }
    }

    pub(super) fn looked(&mut self, request: RequestId, result: Result<BTreeMap<Half, HalfStatus>, Error>) {
        let now = self.shell.now;
        let wait = self.shell.wait;
        let Some(open) = &mut self.vpns.open else { return };
        if open.looking.take_if(|awaited| *awaited == request).is_none() {
            return;
        }
        match result {
            Ok(seen) => {
                open.look_problem = None;
                if let Some(vpn) = self.vpns.vpn_mut() {
                    vpn.set_statuses(&seen);
                }
                self.conclude();
            }
            // Somebody has deleted it, or has made it again.
            Err(error) if error.is_gone() => {
                if !self.vpns.seen.is_loading() {
                    self.read_vpns();
                }
                return;
            }
            Err(error) => open.look_problem = Some(error),
        }
        let Some(vpn) = self.vpns.vpn().cloned() else { return };
        let Some(open) = &mut self.vpns.open else { return };
        if open.waiting.is_some() && vpn.is_active() {
            open.waiting = None;
            let text = format!("{} is ACTIVE.", vpn.name);
            self.diagnose(vpn);
            return self.shell.say(text);
        }
        if open.waiting.is_some_and(|since| now.saturating_sub(since) > wait) {
            open.waiting = None;
            let text = format!("{} is not ACTIVE yet. That is no failure: {}.", vpn.name, agents_report!());
            self.shell.say(text);
        }
        let looking = self.shell.out.request();
        let pause = self.pause();
        if let Some(open) = &mut self.vpns.open {
            open.looking = Some(looking);
        }
        self.shell.out.push(Effect::Look(looking, Box::new(vpn), pause));
    }
}
