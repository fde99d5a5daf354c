//! The keys of connections between the same two ends as the new VPN, which has to have the same.

use super::remote::{Remote, RequestId};
use super::review::Review;
use super::shell::Shell;
use super::{Content, Effect, NewVpn};
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

    /// Asks for the keys the plan in review has to share, if they are not known.
    pub(super) fn ask_shared_keys(&mut self, shell: &mut Shell, content: &Content) {
        let Content::Review(Review { plan, confirming, .. }) = content else { return };
        if plan.is_ok() && !confirming {
            return;
        }
        let Some(sharers) = self.missing_shared_keys(&shell.labels) else { return };
        if self.shared_keys.of == sharers && self.shared_keys.keys.is_loading() {
            return;
        }
        let request = shell.out.request();
        self.shared_keys = SharedKeys { of: sharers.clone(), keys: Remote::NotAsked };
        self.shared_keys.keys.ask(request, shell.now);
        shell.out.push(Effect::ReadSharedKeys(request, sharers));
    }

    /// Takes the keys; false if others are waited for.
    pub(super) fn shared_keys_read(&mut self, request: RequestId, keys: Vec<SharedKey>) -> bool {
        self.shared_keys.keys.answer(request, Ok(keys))
    }
}
