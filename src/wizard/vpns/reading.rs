//! Reading the VPNs that exist, diagnosing the one on the screen, and watching its statuses.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::message::Overview;
use super::super::remote::{Remote, RequestId};
use super::super::screen::Screen;
use super::super::{Effect, Model};
use super::open::{Around, Open};
use crate::cloud::{Error, Id, RegionId};
use crate::engine::pace::{FRESH, PATIENCE, POLL, poll_after};
use crate::inspect::diagnosis::agents_report;
use crate::inspect::{Diagnosis, Exposures, HalfStatus, Keys, Vpn};
use crate::plan::Half;

fn connections(vpn: &Vpn) -> Vec<(RegionId, Id)> {
    vpn.sides().map(|(_, side)| (side.region.clone(), side.connection.id.clone())).collect()
}

impl Model {
    /// Opens the list, and reads it if that is due: not before there is a sign-in.
    pub(in crate::wizard) fn open_vpns(&mut self) {
        let is_fresh = self.vpns.seen().is_some() && !self.is_stale();
        if self.shell.session().is_some() && !is_fresh && !self.vpns.seen.is_loading() {
            self.read_vpns();
        }
        self.enter(Screen::Vpns);
    }

    pub(in crate::wizard) fn is_stale(&self) -> bool {
        self.shell.now.saturating_sub(self.vpns.as_of) > FRESH
    }

    /// Reads all regions. What was known stays in view until the answer.
    pub(in crate::wizard) fn read_vpns(&mut self) {
        let request = self.shell.out.request();
        self.vpns.seen.ask(request, self.shell.now);
        self.shell.out.push(Effect::Inspect(request));
    }

    /// The same by hand: not twice within a moment, but a read that hangs is asked for again.
    pub(in crate::wizard) fn read_vpns_again(&mut self) {
        let since = self.vpns.seen.since();
        if since.is_some_and(|since| self.shell.now.saturating_sub(since) < PATIENCE) {
            self.shell.say("It is being read already.");
            return;
        }
        self.read_vpns();
    }

    pub(in crate::wizard) fn inspected(&mut self, request: RequestId, seen: Overview) {
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

    pub(in crate::wizard) fn open_vpn(&mut self, handle: &str) {
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

    pub(in crate::wizard) fn diagnosed(&mut self, request: RequestId, keys: Keys, exposures: Exposures) {
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
    pub(super) fn note_after(&mut self, vpn: &Vpn, diagnosis: &Diagnosis) {
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

    pub(in crate::wizard) fn looked(&mut self, request: RequestId, result: Result<BTreeMap<Half, HalfStatus>, Error>) {
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
