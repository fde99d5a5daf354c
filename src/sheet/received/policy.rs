//! The policy that the other side and the cloud both take.

use super::{Received, ReceivedPolicy, Transforms};
use crate::plan::fields::PolicyField;
use crate::plan::policy::strength::Graded;
use crate::plan::policy::{AuthAlgorithm, EncryptionAlgorithm, IkeVersion, LARGEST_NUMBER, Phase1Mode, Policy};
use crate::plan::{Finding, Place};

/// What of a policy is from the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedPolicy {
    /// Open where nothing is said, or nothing that the cloud takes: there it is as it was.
    pub policy: Policy,
    /// What the cloud does not take of the text.
    pub refusals: Vec<Finding>,
    /// What the text does not say.
    pub unsaid: Vec<&'static str>,
}

/// Whether the cloud stores a word of a field.
type Stores<'s> = &'s dyn Fn(PolicyField, &str) -> bool;

struct PhaseFields {
    name: &'static str,
    encryption: PolicyField,
    auth: PolicyField,
    group: PolicyField,
}

const IKE: PhaseFields = PhaseFields {
    name: "IKE",
    encryption: PolicyField::IkeEncryption,
    auth: PolicyField::IkeAuth,
    group: PolicyField::IkePfs,
};

const IPSEC: PhaseFields = PhaseFields {
    name: "IPsec",
    encryption: PolicyField::IpsecEncryption,
    auth: PolicyField::IpsecAuth,
    group: PolicyField::IpsecPfs,
};

impl PhaseFields {
    fn kind(&self, field: PolicyField) -> &'static str {
        match field {
            _ if field == self.encryption => "encryption",
            _ if field == self.auth => "integrity algorithm",
            _ => "DH group",
        }
    }
}

impl Received {
    /// The best policy of those the text takes, on the ground of another one.
    pub fn policy(&self, ground: &Policy, stores: Stores<'_>) -> AgreedPolicy {
        let said = &self.policy;
        let mut agreed = AgreedPolicy { policy: ground.clone(), refusals: Vec::new(), unsaid: Vec::new() };
        match said.ike_version {
            Some(version) => agreed.policy.ike.ike_version = version,
            None => agreed.unsaid.push("IKE version"),
        }
        if agreed.policy.ike.ike_version == IkeVersion::V1 && said.mode == Some(Phase1Mode::Aggressive) {
            agreed.refuse(
                PolicyField::Phase1Mode,
                "the text has aggressive mode, which the cloud refuses with a key; agree on main",
            );
        }
        let is_v1 = agreed.policy.ike.ike_version == IkeVersion::V1;
        agreed.take(&IKE, &said.ike, stores, is_v1);
        agreed.take(&IPSEC, &said.ipsec, stores, false);
        said.times(&mut agreed);
        agreed
    }
}

impl ReceivedPolicy {
    fn times(&self, agreed: &mut AgreedPolicy) {
        let policy = &mut agreed.policy;
        let fits = |number: &Option<u32>, least: u32| number.filter(|number| (least..=LARGEST_NUMBER).contains(number));
        for (said, place, what) in [
            (fits(&self.ike_lifetime, 60), &mut policy.ike.lifetime, "IKE lifetime"),
            (fits(&self.ipsec_lifetime, 60), &mut policy.ipsec.lifetime, "IPsec lifetime"),
        ] {
            match said {
                Some(seconds) => *place = seconds,
                None => agreed.unsaid.push(what),
            }
        }
        // Dead peer detection need not be equal on both sides.
        policy.dpd.interval = fits(&self.dpd_interval, 1).unwrap_or(policy.dpd.interval);
        policy.dpd.timeout = fits(&self.dpd_timeout, 2).unwrap_or(policy.dpd.timeout);
        if policy.dpd.timeout <= policy.dpd.interval {
            policy.dpd.timeout = policy.dpd.interval.saturating_mul(10).min(LARGEST_NUMBER);
        }
        policy.dpd.action = self.dpd_action.unwrap_or(policy.dpd.action);
        policy.mtu = fits(&self.mtu, 1280).unwrap_or(policy.mtu);
    }
}

impl AgreedPolicy {
    fn refuse(&mut self, field: PolicyField, text: impl Into<String>) {
        self.refusals.push(Finding::refusal(Place::Policy(Some(field)), text));
    }

    /// Takes the strongest that the cloud stores.
    fn take(&mut self, fields: &PhaseFields, said: &[Transforms], stores: Stores<'_>, is_v1: bool) {
        let mut best = None;
        let mut unfit: Vec<(PolicyField, String)> = Vec::new();
        for one in said {
            let encryption =
                strongest(&one.encryption, |it| stores(fields.encryption, it.as_str()) && !(is_v1 && it.needs_ikev2()));
            let is_aead = encryption.is_some_and(EncryptionAlgorithm::is_aead);
            let auth = strongest(&one.auth, |it| stores(fields.auth, it.as_str()));
            // A cipher with an integrity of its own needs none; the cloud wants a word all the same.
            let auth = auth.or_else(|| (is_aead && one.auth.is_empty()).then_some(AuthAlgorithm::Sha256));
            let group = strongest(&one.groups, |it| stores(fields.group, it.as_str()));
            let words = |list: Vec<&str>| {
                let all: Vec<&str> = list.into_iter().chain(one.unknown.iter().map(String::as_str)).collect();
                all.join(", ")
            };
            match (encryption, auth, group) {
                (Some(encryption), Some(auth), Some(group)) => {
                    let rank = (encryption.strength(), auth.strength(), group.strength());
                    if best.as_ref().is_none_or(|(there, _)| *there < rank) {
                        best = Some((rank, [encryption.as_str(), auth.as_str(), group.as_str()]));
                    }
                }
                (None, ..) => {
                    unfit.push((fields.encryption, words(one.encryption.iter().map(|it| it.as_str()).collect())));
                }
                (_, None, _) => unfit.push((fields.auth, words(one.auth.iter().map(|it| it.as_str()).collect()))),
                (.., None) => unfit.push((fields.group, words(one.groups.iter().map(|it| it.as_str()).collect()))),
            }
        }
        match (best, unfit.first()) {
            (Some((_, [encryption, auth, group])), _) => {
                // Words of the fields' own lists are always taken.
                let _ = fields.encryption.set(&mut self.policy, encryption);
                let _ = fields.auth.set(&mut self.policy, auth);
                let _ = fields.group.set(&mut self.policy, group);
            }
            (None, Some((field, words))) => {
                let field = *field;
                let text = match words.as_str() {
                    "" if field == PolicyField::IpsecPfs => {
                        "the text has no PFS, and the cloud needs a group of it".to_owned()
                    }
                    "" => format!("the text names no {}; ask for it", fields.kind(field)),
                    words => format!("the text has {words}, and the cloud takes none of that; agree on another"),
                };
                self.refuse(field, text);
            }
            (None, None) => self.unsaid.push(if fields.name == "IKE" { "IKE algorithms" } else { "IPsec algorithms" }),
        }
    }
}

fn strongest<T: Graded>(list: &[T], is_taken: impl Fn(T) -> bool) -> Option<T> {
    list.iter().copied().filter(|one| is_taken(*one)).max_by_key(|one| (one.is_sound(), one.strength()))
}
