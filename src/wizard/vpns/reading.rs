//! Reading the VPNs that exist, diagnosing the one on the screen, and watching its statuses.

use std::collections::BTreeMap;

use super::super::Effect;
use super::super::message::{Overview, VpnsMessage};
use super::super::remote::{Remote, RequestId};
use super::super::screen::Screen;
use super::super::shell::Shell;
use super::super::work::Work;
use super::open::{Around, Open};
use super::upgrades::is_behind;
use super::{Surroundings, YourVpns};
use crate::change::{Change, Verb};
use crate::cloud::{Error, Id, RegionId};
use crate::engine::Direction;
use crate::engine::pace::{FRESH, PATIENCE};
use crate::inspect::diagnosis::agents_report;
use crate::inspect::{HalfStatus, OtherHalf, Vpn};
use crate::plan::Half;

fn connections(vpn: &Vpn) -> Vec<(RegionId, Id)> {
    vpn.sides().map(|(_, side)| (side.region.clone(), side.connection.id.clone())).collect()
}

impl YourVpns {
    pub(in crate::wizard) fn update(&mut self, message: VpnsMessage, wizard: &mut Surroundings<'_>) {
        match message {
            VpnsMessage::Inspected(request, seen) => self.inspected(request, *seen, wizard),
            VpnsMessage::Diagnosed(request, keys, exposures) => {
                self.diagnosed(request, Around { keys: *keys, exposures: *exposures }, wizard);
            }
            VpnsMessage::KeysCompared(request, keys) => self.keys_compared(request, keys, wizard),
            VpnsMessage::Looked(request, result) => self.looked(request, result, wizard),
        }
    }

    /// Opens the list, and reads it if that is due: not before there is a sign-in.
    pub(in crate::wizard) fn open_list(&mut self, wizard: &mut Surroundings<'_>) {
        let is_fresh = self.seen().is_some() && !self.is_stale(wizard.shell);
        if wizard.shell.session().is_some() && !is_fresh && !self.seen.is_loading() {
            self.read(wizard.shell);
        }
        wizard.lead(Screen::Vpns);
    }

    pub(super) fn is_stale(&self, shell: &Shell) -> bool {
        shell.now.saturating_sub(self.as_of) > FRESH
    }

    /// Reads all regions. What was known stays in view until the answer.
    pub(in crate::wizard) fn read(&mut self, shell: &mut Shell) {
        let request = shell.out.request();
        self.seen.ask(request, shell.now);
        shell.out.push(Effect::Inspect(request));
    }

    /// The same by hand: not twice within a moment, but a read that hangs is asked for again.
    pub(in crate::wizard) fn read_again(&mut self, shell: &mut Shell) {
        let since = self.seen.since();
        if since.is_some_and(|since| shell.now.saturating_sub(since) < PATIENCE) {
            shell.say("It is being read already.");
            return;
        }
        self.read(shell);
    }

    fn inspected(&mut self, request: RequestId, seen: Overview, wizard: &mut Surroundings<'_>) {
        if !seen.inspection.awaited.is_empty() {
            return self.inspected_in_part(request, seen, wizard);
        }
        if !self.seen.answer(request, Ok(seen)) {
            return;
        }
        self.as_of = wizard.shell.now;
        self.keys = Remote::NotAsked;
        self.reopen(wizard);
        wizard.refresh_lists();
        self.propose_once_known(wizard);
        if matches!(self.keys, Remote::NotAsked) {
            self.compare_keys(wizard.shell);
        }
        self.verify_several(wizard);
    }

    /// Shows what is known while a region keeps the others waiting. Of one that is still awaited that is what was known
    /// before.
    fn inspected_in_part(&mut self, request: RequestId, seen: Overview, wizard: &mut Surroundings<'_>) {
        let mut part = seen;
        if let Some(before) = self.seen() {
            part.inspection = part.inspection.beside(&before.inspection);
        }
        if !self.seen.part(request, part) {
            return;
        }
        wizard.refresh_lists();
        let is_another = |vpn: &Vpn| self.open.as_ref().is_some_and(|open| open.connections != connections(vpn));
        match self.look_for_open() {
            Some(vpn) if is_another(&vpn) => self.diagnose(vpn, wizard),
            _ => {}
        }
    }

    /// The VPN on the screen, in what was read.
    fn look_for_open(&self) -> Option<Vpn> {
        let (open, inspection) = (self.open.as_ref()?, &self.seen()?.inspection);
        let by_connection = || open.connections.iter().find_map(|(_, id)| inspection.select(id.as_str()).ok());
        let found = inspection.select(&open.handle).ok().or_else(by_connection);
        found.or_else(|| inspection.select(&open.name).ok()).cloned()
    }

    /// Finds the VPN on the screen in what was read again, and diagnoses it.
    fn reopen(&mut self, wizard: &mut Surroundings<'_>) {
        let found = self.look_for_open();
        let (Some(open), Some(seen)) = (&self.open, self.seen()) else { return };
        if let Some(vpn) = found {
            return self.diagnose(vpn, wizard);
        }
        let text = match seen.inspection.unread.first() {
            Some((region, _)) => format!("{} cannot be shown: {region} did not answer.", open.name),
            None => format!("{} no longer exists.", open.name),
        };
        (self.open, self.intent) = (None, None);
        if wizard.screen.is_of_one_vpn() {
            wizard.lead(Screen::Vpns);
            wizard.shell.warn(text);
        } else if let Some(work) = &mut wizard.work.current {
            work.has_vpn = false;
        }
    }

    pub(in crate::wizard) fn open(&mut self, handle: &str, wizard: &mut Surroundings<'_>) {
        let Some(vpn) = self.seen().and_then(|seen| seen.inspection.select(handle).ok()).cloned() else {
            return;
        };
        self.open = Some(Open::of(vpn.handle(), vpn.name.clone()));
        self.intent = None;
        wizard.lead(Screen::Vpn);
        // What is being read is diagnosed as it is known, and once more then.
        if self.seen.is_loading() || !self.is_stale(wizard.shell) {
            self.diagnose(vpn, wizard);
        } else {
            self.read(wizard.shell);
        }
    }

    /// Opens one that may not have been read yet with everything that belongs to it.
    pub(in crate::wizard) fn open_once_read(&mut self, vpn: &Vpn, wizard: &mut Surroundings<'_>) {
        let handle = vpn.handle();
        if self.seen().is_some_and(|seen| seen.inspection.select(&handle).is_ok()) {
            return self.open(&handle, wizard);
        }
        let connections = connections(vpn);
        self.open = Some(Open { connections, ..Open::of(handle, vpn.name.clone()) });
        self.intent = None;
        wizard.lead(Screen::Vpn);
        if !self.seen.is_loading() {
            self.read(wizard.shell);
        }
    }

    /// The VPN of that change is the one whose page is opened next.
    pub(in crate::wizard) fn open_new(&mut self, change: &Change) {
        self.open = Some(Open::of(change.subject.to_string(), change.label.clone()));
        self.intent = None;
    }

    /// Reads what a diagnosis needs, and begins to watch the statuses.
    fn diagnose(&mut self, vpn: Vpn, wizard: &mut Surroundings<'_>) {
        let (request, looking) = (wizard.shell.out.request(), wizard.shell.out.request());
        let Some(open) = &mut self.open else { return };
        let pause = open.pause(wizard.shell.now);
        let connections = connections(&vpn);
        (open.handle, open.name) = (vpn.handle(), vpn.name.clone());
        let is_another = !open.connections.is_empty() && open.connections != connections;
        if is_another {
            // Nothing that was found out by half is true of it.
            (open.around, open.diagnosis) = (Remote::NotAsked, None);
            open.forget();
            self.intent = None;
            if wizard.screen.is_of_one_vpn() && wizard.screen != Screen::Vpn {
                wizard.lead(Screen::Vpn);
                wizard.shell.warn("More of this VPN is known now; choose again what to do.");
            }
        }
        open.connections = connections;
        open.around.ask(request, wizard.shell.now);
        open.looking = Some(looking);
        wizard.shell.out.push(Effect::Diagnose(request, Box::new(vpn.clone())));
        wizard.shell.out.push(Effect::Look(looking, Box::new(vpn), pause));
    }

    fn diagnosed(&mut self, request: RequestId, found: Around, wizard: &mut Surroundings<'_>) {
        let Some(open) = &mut self.open else { return };
        if !open.around.answer(request, Ok(found)) {
            return;
        }
        self.conclude(wizard);
        self.give_up_waiting(wizard.shell);
        self.propose_once_known(wizard);
    }

    /// What a known cause keeps down, whatever the agents do, is not waited for.
    fn give_up_waiting(&mut self, shell: &mut Shell) {
        let Some(vpn) = self.vpn().cloned() else { return };
        let Some(open) = self.open.as_mut().filter(|open| open.waiting.is_some()) else { return };
        let cause = open.diagnosis.as_ref().and_then(|diagnosis| diagnosis.keeps_down());
        let Some(cause) = cause.filter(|_| !vpn.is_active()).map(|fault| fault.seen.clone()) else { return };
        open.waiting = None;
        shell.say(format!("Not waiting for ACTIVE, because {} stays down as it is: {cause}.", vpn.name));
    }

    fn conclude(&mut self, wizard: &mut Surroundings<'_>) {
        let (Some(seen), Some(vpn), Some(open)) = (self.seen(), self.vpn(), &self.open) else { return };
        let Some(found) = open.around.ready() else { return };
        let diagnosis = seen.inspection.diagnose(vpn, &found.keys, &found.exposures);
        wizard.work.note_after(vpn, &diagnosis, &seen.inspection.vpns);
        let is_behind = is_behind(vpn, &found.keys);
        let awaits_peer = matches!(vpn.other_half, OtherHalf::Outside) && !vpn.is_active();
        if let Some(open) = &mut self.open {
            (open.diagnosis, open.is_behind, open.awaits_peer) = (Some(diagnosis), is_behind, awaits_peer);
        }
    }

    fn looked(
        &mut self,
        request: RequestId,
        result: Result<BTreeMap<Half, HalfStatus>, Error>,
        wizard: &mut Surroundings<'_>,
    ) {
        let Some(open) = &mut self.open else { return };
        if open.looking.take_if(|awaited| *awaited == request).is_none() {
            return;
        }
        match result {
            Ok(seen) => {
                open.look_problem = None;
                if let Some(vpn) = self.vpn_mut() {
                    vpn.set_statuses(&seen);
                }
                self.conclude(wizard);
            }
            // Somebody has deleted it, or has made it again.
            Err(error) if error.is_gone() => {
                if !self.seen.is_loading() {
                    self.read(wizard.shell);
                }
                return;
            }
            Err(error) => open.look_problem = Some(error),
        }
        let Some(vpn) = self.vpn().cloned() else { return };
        let Some(open) = &mut self.open else { return };
        if open.waiting.is_some() && vpn.is_active() {
            open.waiting = None;
            let text = format!("{} is ACTIVE.", vpn.name);
            self.diagnose(vpn, wizard);
            return wizard.shell.say(text);
        }
        let Shell { now, wait, .. } = *wizard.shell;
        if open.waiting.is_some_and(|since| now.saturating_sub(since) > wait) {
            open.waiting = None;
            let text = format!("{} is not ACTIVE yet. That is no failure: {}.", vpn.name, agents_report!());
            wizard.shell.say(text);
        }
        let looking = wizard.shell.out.request();
        open.looking = Some(looking);
        wizard.shell.out.push(Effect::Look(looking, Box::new(vpn), open.pause(now)));
    }

    /// The engine begins to change the VPN on the screen: until it rests, its statuses are not looked at.
    pub(in crate::wizard) const fn stop_looking(&mut self) {
        if let Some(open) = &mut self.open {
            (open.looking, open.waiting) = (None, None);
        }
    }

    /// Reads what a change has led to, and waits for ACTIVE. After several the list tells more than any one VPN.
    pub(in crate::wizard) fn changed(&mut self, work: &Work, shell: &mut Shell) {
        let Change { verb, subject, label, .. } = work.change();
        if *verb == Verb::Delete && work.direction == Direction::Forward {
            self.open = None;
        }
        let is_of_one = verb.is_about_a_vpn();
        if self.open.is_none() && is_of_one && work.turn.is_none() {
            self.open = Some(Open::of(subject.to_string(), label.clone()));
        }
        if let Some(open) = &mut self.open {
            open.around = Remote::NotAsked;
            (open.diagnosis, open.chosen, open.begins_there) = (None, None, false);
            open.forget();
            open.waiting = is_of_one.then_some(shell.now);
        }
        self.read(shell);
    }
}
