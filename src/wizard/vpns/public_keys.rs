//! All VPNs that have the key everybody knows: found by reading every key, and given new ones after one question.

use super::super::remote::{Remote, RequestId};
use super::super::{Effect, Model};
use super::Wish;
use crate::inspect::{Inspection, Keys};
use crate::upkeep::{Refused, Rescue, Sas, rotate_public_keys};

impl Model {
    /// Begins with the keys as they are now.
    pub(in crate::wizard) fn want_no_public_keys(&mut self) -> Vec<Effect> {
        self.vpns.keys = Remote::NotAsked;
        self.wish(Wish::PublicKeys(Sas::Keep))
    }

    /// Reads the keys of all VPNs. One that cannot be seen would keep the public key unnoticed.
    pub(in crate::wizard) fn compare_keys(&mut self) -> Vec<Effect> {
        let Some(Inspection { vpns, unread, .. }) = self.vpns.seen().map(|seen| seen.inspection.clone()) else {
            return Vec::new();
        };
        if let Some((region, why)) = unread.first() {
            self.vpns.wish = None;
            let region = self.labels.name(region);
            self.refuse(&Refused(vec![format!(
                "{region} could not be read, and what is there would be missed: {why}"
            )]));
            return Vec::new();
        }
        let request = self.request();
        self.vpns.keys.ask(request, self.now);
        self.say("Reading the key of each VPN; a moment.");
        vec![Effect::CompareKeys(request, vpns)]
    }

    pub(in crate::wizard) fn keys_compared(&mut self, request: RequestId, keys: Vec<(String, Keys)>) -> Vec<Effect> {
        if self.vpns.keys.answer(request, Ok(keys)) { self.grant() } else { Vec::new() }
    }

    /// Asks whether to give new keys to those that need one.
    pub(in crate::wizard) fn propose_new_keys(&mut self, sas: Sas) {
        let (Some(seen), Some(keys)) = (self.vpns.seen(), self.vpns.keys.ready()) else { return };
        let known = keys.iter().filter_map(|(handle, keys)| Some((seen.inspection.select(handle).ok()?, keys)));
        match rotate_public_keys(known, sas) {
            Ok(rescue) => {
                let warnings = rescue.warnings().collect();
                let Rescue { proposals, .. } = rescue;
                self.ask_whether(proposals, warnings, Wish::PublicKeys(sas));
            }
            Err(refused) => self.refuse(&refused),
        }
    }
}
