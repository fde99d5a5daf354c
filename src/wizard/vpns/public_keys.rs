//! All VPNs that have the key everybody knows: found by reading every key, and given new ones after one question.

use super::super::carried::Carried;
use super::super::remote::{Remote, RequestId};
use super::super::{Effect, Model};
use super::Intent;
use crate::change::{Refused, Rescue, Sas, is_of, rotate_public_keys};
use crate::inspect::diagnosis::Exposures;
use crate::inspect::{Condition, Diagnosis, Inspection, Keys, Vpn};
use crate::plan::psk::NONE_PUBLIC;

impl Model {
    /// Begins with the keys as they are now.
    pub(in crate::wizard) fn want_no_public_keys(&mut self) {
        self.vpns.keys = Remote::NotAsked;
        self.want(Intent::PublicKeys(Sas::Keep))
    }

    /// Reads the keys of all VPNs. One that cannot be seen would keep the public key unnoticed.
    pub(in crate::wizard) fn compare_keys(&mut self) {
        let Some(Inspection { vpns, unread, .. }) = self.vpns.seen().map(|seen| &seen.inspection) else {
            return;
        };
        if let Some((region, why)) = unread.first() {
            let region = self.shell.labels.name(region);
            let text = format!("{region} could not be read, and what is there would be missed: {why}");
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
            self.proven(&keys);
            return;
        }
        if self.vpns.keys.answer(request, Ok(keys)) {
            self.grant();
        }
    }

    /// Has the VPNs proven that were changed one after the other, once everything is read again.
    pub(in crate::wizard) fn prove_several(&mut self) {
        let vpns = &self.vpns;
        let (Some(seen), Some(change)) = (vpns.seen(), &vpns.change) else { return };
        if change.turn.is_none() || change.is_working() {
            return;
        }
        let is_proven =
            |carried: &Carried| carried.after.as_ref().is_some_and(|after| after.1.condition == Condition::Proven);
        let unproven =
            || vpns.done_before().iter().chain([change]).filter(|carried| carried.is_done() && !is_proven(carried));
        let is_unproven = |vpn: &&Vpn| unproven().any(|carried| is_of(&carried.change().subject, vpn));
        let vpns: Vec<Vpn> = seen.inspection.vpns.iter().filter(is_unproven).cloned().collect();
        if vpns.is_empty() {
            return;
        }
        let request = self.shell.out.request();
        self.vpns.proving = Some(request);
        self.shell.out.push(Effect::CompareKeys(request, vpns));
    }

    fn proven(&mut self, keys: &[(String, Keys)]) {
        let Some(inspection) = self.vpns.seen().map(|seen| &seen.inspection) else { return };
        let prove = |(handle, keys): &(String, Keys)| {
            let vpn = inspection.select(handle).ok()?;
            Some((vpn.clone(), inspection.diagnose(vpn, keys, &Exposures::new())))
        };
        let proofs: Vec<(Vpn, Diagnosis)> = keys.iter().filter_map(prove).collect();
        for (vpn, diagnosis) in proofs {
            self.vpns.note_proof(&vpn, &diagnosis);
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
