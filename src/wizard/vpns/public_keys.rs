//! All VPNs that have the key everybody knows: found by reading every key, and given new ones after one question.

use super::super::Effect;
use super::super::remote::{Remote, RequestId};
use super::super::shell::Shell;
use super::{Intent, Surroundings, YourVpns};
use crate::change::{Refused, Rescue, Sas, rotate_public_keys};
use crate::inspect::{Exposures, Keys, Vpn};
use crate::plan::psk::NONE_PUBLIC;

impl YourVpns {
    pub(in crate::wizard) fn want_new_keys(&mut self, wizard: &mut Surroundings<'_>) {
        self.want(Intent::PublicKeys(Sas::Keep), wizard);
        if self.keys.is_loading() {
            wizard.shell.say("Reading the key of each VPN; a moment.");
        }
    }

    /// Reads the keys of all VPNs, because the list says which are no secret.
    pub(super) fn compare_keys(&mut self, shell: &mut Shell) {
        let vpns = self.seen().map(|seen| seen.inspection.vpns.clone());
        self.compare_keys_of(vpns.unwrap_or_default(), shell);
    }

    /// The same of those VPNs, before the list is opened, because the first page says how many have the public key.
    pub(in crate::wizard) fn compare_keys_once(&mut self, vpns: &[Vpn], shell: &mut Shell) {
        if matches!(self.keys, Remote::NotAsked) && !self.seen.is_loading() {
            self.compare_keys_of(vpns.to_vec(), shell);
        }
    }

    fn compare_keys_of(&mut self, vpns: Vec<Vpn>, shell: &mut Shell) {
        if !vpns.is_empty() {
            let request = shell.out.request();
            self.keys.ask(request, shell.now);
            shell.out.push(Effect::CompareKeys(request, vpns));
        }
    }

    /// How many VPNs have the key that everybody knows, as far as the keys have been read.
    pub fn public_keys(&self) -> usize {
        self.keys.ready().map_or(0, |keys| keys.iter().filter(|(_, keys)| keys.is_public()).count())
    }

    pub(super) fn keys_of(&self, vpn: &Vpn) -> &Keys {
        let handle = vpn.handle();
        let known = self.keys.ready().and_then(|keys| keys.iter().find(|(of, _)| *of == handle));
        known.map_or(&Keys::Unread, |(_, keys)| keys)
    }

    pub(super) fn keys_compared(
        &mut self,
        request: RequestId,
        keys: Vec<(String, Keys)>,
        wizard: &mut Surroundings<'_>,
    ) {
        if self.proving.take_if(|awaited| *awaited == request).is_some() {
            self.verified(&keys, wizard);
            return;
        }
        if self.keys.answer(request, Ok(keys)) {
            wizard.refresh_lists();
            self.propose_once_known(wizard);
        }
    }

    /// Has the VPNs verified that were changed one after the other, once everything is read again.
    pub(super) fn verify_several(&mut self, wizard: &mut Surroundings<'_>) {
        let Some(seen) = self.seen() else { return };
        let vpns = wizard.work.unproven(&seen.inspection.vpns);
        if vpns.is_empty() {
            return;
        }
        let request = wizard.shell.out.request();
        self.proving = Some(request);
        wizard.shell.out.push(Effect::CompareKeys(request, vpns));
    }

    fn verified(&self, keys: &[(String, Keys)], wizard: &mut Surroundings<'_>) {
        let Some(inspection) = self.seen().map(|seen| &seen.inspection) else { return };
        let prove = |(handle, keys): &(String, Keys)| {
            let vpn = inspection.select(handle).ok()?;
            Some((vpn, inspection.diagnose(vpn, keys, &Exposures::new())))
        };
        for (vpn, diagnosis) in keys.iter().filter_map(prove) {
            wizard.work.note_after(vpn, &diagnosis, &inspection.vpns);
        }
    }

    /// Asks whether to give new keys to those that need one.
    pub(super) fn propose_new_keys(&self, sas: Sas, wizard: &mut Surroundings<'_>) {
        let (Some(seen), Some(keys)) = (self.seen(), self.keys.ready()) else { return };
        // One that cannot be seen would keep the public key unnoticed.
        if let Some((region, why)) = seen.inspection.unread.first() {
            let region = wizard.shell.labels.name(region);
            let text = format!("{region} could not be read, so its VPNs would be missed: {why}");
            return wizard.refuse(Refused(vec![text]));
        }
        let known = keys.iter().filter_map(|(handle, keys)| Some((seen.inspection.select(handle).ok()?, keys)));
        match rotate_public_keys(&seen.inspection, known, &seen.unfinished, sas) {
            Ok(rescue) if rescue.proposals.is_empty() => wizard.nothing_to_do(vec![NONE_PUBLIC.to_owned()]),
            Ok(rescue) => {
                let warnings = rescue.warnings().collect();
                let Rescue { proposals, .. } = rescue;
                self.ask_whether(proposals, warnings, Intent::PublicKeys(sas), wizard);
            }
            Err(refused) => wizard.refuse(refused),
        }
    }
}
