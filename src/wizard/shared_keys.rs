//! The keys of connections between the same two ends as the new VPN, which has to have the same.

use super::remote::{Remote, RequestId};
use super::review::Review;
use super::{Content, Effect, Model, NewVpn};
use crate::plan::{Finding, KeySharer, Labels, Place, Plan, SharedKey};

#[derive(Clone, Debug, Default)]
pub struct SharedKeys {
    of: Vec<KeySharer>,
    keys: Remote<Vec<SharedKey>>,
}

impl SharedKeys {
    fn of(&self, sharers: &[KeySharer]) -> Option<&[SharedKey]> {
        self.keys.ready().filter(|_| self.of == sharers).map(Vec::as_slice)
    }
}

impl NewVpn {
    /// The plan with the key it has to share, if there is one.
    pub(super) fn shared(&self, plan: Plan) -> Result<Plan, Vec<Finding>> {
        let Some(first) = plan.key_sharers().first() else { return Ok(plan) };
        if let Some(keys) = self.shared_keys.of(plan.key_sharers()) {
            return plan.sharing(keys, self.answers.key.key_origin());
        }
        let text =
            format!("connection {} connects the same two addresses, and its key is being read; a moment", first.name);
        Err(vec![Finding::refusal(Place::Key, text)])
    }

    /// Whose keys are still to be read for the plan.
    pub(super) fn missing_shared_keys(&self, labels: &Labels) -> Option<Vec<KeySharer>> {
        let plan = self.checked(labels).ok()?;
        let is_missing = !plan.key_sharers().is_empty() && self.shared_keys.of(plan.key_sharers()).is_none();
        is_missing.then(|| plan.key_sharers().to_vec())
    }
}

impl Model {
    /// Asks for the keys the plan in review has to share, if they are not known.
    pub(super) fn ask_shared_keys(&mut self) {
        let Content::Review(Review { plan, confirming, .. }) = &self.content else { return };
        if plan.is_ok() && !confirming {
            return;
        }
        let Some(sharers) = self.new_vpn.missing_shared_keys(&self.shell.labels) else { return };
        if self.new_vpn.shared_keys.of == sharers && self.new_vpn.shared_keys.keys.is_loading() {
            return;
        }
        let request = self.shell.out.request();
        self.new_vpn.shared_keys = SharedKeys { of: sharers.clone(), keys: Remote::NotAsked };
        self.new_vpn.shared_keys.keys.ask(request, self.shell.now);
        self.shell.out.push(Effect::ReadSharedKeys(request, sharers));
    }

    pub(super) fn shared_keys_read(&mut self, request: RequestId, keys: Vec<SharedKey>) {
        if self.new_vpn.shared_keys.keys.answer(request, Ok(keys)) {
            self.learned();
        }
    }
}
