//! All VPNs that have the key everybody knows: found by reading every key, and given new ones after one question.

use super::super::remote::{Remote, RequestId};
use super::super::work::Work;
use super::super::{Effect, Model};
use super::Intent;
use crate::change::{Refused, Rescue, Sas, is_of, rotate_public_keys};
use crate::inspect::Exposures;
use crate::inspect::{Condition, Diagnosis, Inspection, Keys, Vpn};
use crate::plan::psk::NONE_PUBLIC;

impl Model {
    pub(in crate::wizard) fn want_new_keys(&mut self) {
        self.vpns.keys = Remote::NotAsked;
        self.want(Intent::PublicKeys(Sas::Keep));
    }

    /// Reads the keys of all VPNs. One that cannot be seen would keep the public key unnoticed.
    pub(in crate::wizard) fn compare_keys(&mut self) {
        let Some(Inspection { vpns, unread, .. }) = self.vpns.seen().map(|seen| &seen.inspection) else {
            return;
        };
        if let Some((region, why)) = unread.first() {
            let region = self.shell.labels.name(region);
            let text = format!("{region} could not be read, so its VPNs would be missed: {why}");
            self.vpns.intent = None;
            self.refuse(&Refused(vec![text]));
            return;
        }
        let vpns = vpns.clone();
        let request = self.shell.out.request();
        self.vpns.keys.ask(request, self.shell.now);
        self.shell.say("Reading the key of each VPN; a moment.");
        self.shell.out.push(Effect::CompareKeys(request, vpns));
    }

    pub(in crate::wizard) fn keys_compared(&mut self, request: RequestId, keys: Vec<(String, Keys)>) {
        if self.vpns.proving.take_if(|awaited| *awaited == request).is_some() {
            self.verified(&keys);
            return;
        }
        if self.vpns.keys.answer(request, Ok(keys)) {
            self.propose_once_known();
        }
    }

    /// Has the VPNs verified that were changed one after the other, once everything is read again.
    pub(in crate::wizard) fn verify_several(&mut self) {
        let (Some(seen), Some(work)) = (self.vpns.seen(), self.work.change()) else { return };
        if work.is_working() || work.turn.is_none() {
            return;
        }
        let done = || self.work.done_before().iter().chain([work]).filter(|work| work.is_done());
        let is_verified = |work: &Work| work.after.as_ref().is_some_and(|after| after.1.condition == Condition::Proven);
        let is_open = |vpn: &&Vpn| done().any(|work| !is_verified(work) && is_of(&work.change().subject, vpn));
        let vpns: Vec<Vpn> = seen.inspection.vpns.iter().filter(is_open).cloned().collect();
        if vpns.is_empty() {
            return;
        }
        let request = self.shell.out.request();
        self.vpns.proving = Some(request);
        self.shell.out.push(Effect::CompareKeys(request, vpns));
    }

    fn verified(&mut self, keys: &[(String, Keys)]) {
        let Some(inspection) = self.vpns.seen().map(|seen| &seen.inspection) else { return };
        let prove = |(handle, keys): &(String, Keys)| {
            let vpn = inspection.select(handle).ok()?;
            Some((vpn.clone(), inspection.diagnose(vpn, keys, &Exposures::new())))
        };
        let proofs: Vec<(Vpn, Diagnosis)> = keys.iter().filter_map(prove).collect();
        for (vpn, diagnosis) in proofs {
            self.note_after(&vpn, &diagnosis);
        }
    }

    /// Asks whether to give new keys to those that need one.
    pub(in crate::wizard) fn propose_new_keys(&mut self, sas: Sas) {
        let (Some(seen), Some(keys)) = (self.vpns.seen(), self.vpns.keys.ready()) else { return };
        let known = keys.iter().filter_map(|(handle, keys)| Some((seen.inspection.select(handle).ok()?, keys)));
        match rotate_public_keys(&seen.inspection, known, &seen.unfinished, sas) {
            Ok(rescue) if rescue.proposals.is_empty() => self.nothing_to_do(vec![NONE_PUBLIC.to_owned()]),
            Ok(rescue) => {
                let warnings = rescue.warnings().collect();
                let Rescue { proposals, .. } = rescue;
                self.ask_whether(proposals, warnings, Intent::PublicKeys(sas));
            }
            Err(refused) => self.refuse(&refused),
        }
    }
}
