//! Whether a policy fits the regions it is stored in and the subnets it carries, and which profile does.

use super::fields::{Allowed, FieldProblem, PolicyField as Field};
use super::findings::{Finding, Place};
use super::policy::strength::{Graded, SOUND_LIFETIME};
use super::policy::{
    EncapsulationMode, IkeVersion, Initiator, LARGEST_NUMBER, ONE_PAIR_ONLY, Phase1Mode, Policy, Profile, Profiles,
    TransformProtocol,
};
use crate::cloud::{Extensions, RegionId};

/// The shortest lifetime that the API takes, in seconds.
const SHORTEST_LIFETIME: u32 = 60;

#[derive(Clone, Debug, Default)]
pub struct PolicyScope<'a> {
    /// The regions it will be stored in, one a half, with what each can do.
    pub regions: Vec<(&'a RegionId, &'a Extensions)>,
    /// The most local and the most remote ranges any half has.
    pub ranges: (usize, usize),
    /// Whether those ranges are IPv6. The addresses the tunnel itself runs between bind nothing: Neutron holds the MTU
    /// to the local subnets alone (seen with 2026.1 and 2026.2; `vpn_validator.py`).
    pub ipv6: bool,
    /// Whether the other end is outside this cloud.
    pub has_external_peer: bool,
}

impl PolicyScope<'_> {
    /// The profile to preselect, and why when it is not the first.
    pub(crate) fn recommended(&self, profiles: &Profiles) -> (Profile, Option<String>) {
        let mut reason = None;
        for profile in Profile::NAMED {
            match profiles.get(*profile).and_then(|policy| self.reason_against(*profile, policy)) {
                None => return (*profile, reason),
                Some(text) => reason = reason.or(Some(text)),
            }
        }
        (Profile::Modern, reason)
    }

    fn reason_against(&self, profile: Profile, policy: &Policy) -> Option<String> {
        if let Some((region, _, word)) = self.unstored(policy).next() {
            return Some(format!("{region} {}, which the {profile} profile uses", does_not_store(&word)));
        }
        let is_carried = policy.ike.ike_version.carries(self.ranges.0, self.ranges.1);
        if !is_carried {
            return Some("with more than one subnet pair IKEv1 tunnels only the first".to_owned());
        }
        // RFC 9395 has deprecated IKEv1; only an old half in this cloud is a reason to keep it.
        let is_deprecated = self.has_external_peer && policy.ike.ike_version == IkeVersion::V1;
        is_deprecated.then(|| "IKEv1 and SHA-1 are deprecated, and the peer's owner can set either".to_owned())
    }

    fn unstored(&self, policy: &Policy) -> impl Iterator<Item = (&RegionId, Field, String)> {
        self.regions.iter().flat_map(move |(region, extensions)| {
            let values = Field::of_policies().map(|field| (field, field.get(policy)));
            let unstored = values.filter(|(field, word)| !field.is_stored_by(word, extensions));
            unstored.map(|(field, word)| (*region, field, word))
        })
    }
}

fn does_not_store(word: &str) -> String {
    format!("{} {word}", if matches!(word, "sha1" | "3des") { "no longer stores" } else { "does not store" })
}

impl Policy {
    /// What is impossible or unwise about this policy in that setting. Refusals first.
    pub fn findings(&self, setting: &PolicyScope<'_>) -> Vec<Finding> {
        let at = |field: Field| Place::Policy(Some(field));
        let refusals = self.refusals(setting).into_iter().map(|(field, text)| Finding::refusal(at(field), text));
        let warnings = self.warnings(setting).into_iter().map(|(field, text)| Finding::warning(at(field), text));
        refusals.chain(warnings).collect()
    }

    fn refusals(&self, setting: &PolicyScope<'_>) -> Vec<(Field, String)> {
        let mut found = Vec::new();
        let mut refuse = |field: Field, text: &str| found.push((field, text.to_owned()));
        let Self { ike, ipsec, dpd, mtu, .. } = self;
        let is_v1 = ike.ike_version == IkeVersion::V1;
        if !ike.ike_version.carries(setting.ranges.0, setting.ranges.1) {
            refuse(
                Field::IkeVersion,
                &format!("{ONE_PAIR_ONLY}, and traffic of the others is lost; take v2, or one subnet a side"),
            );
        }
        if is_v1 && ike.encryption_algorithm.needs_ikev2() {
            refuse(
                Field::IkeEncryption,
                &format!("{} in the IKE policy needs IKE version v2", ike.encryption_algorithm),
            );
        }
        if dpd.timeout <= dpd.interval {
            refuse(Field::DpdTimeout, &format!("must be more than the interval ({} s)", dpd.interval));
        }
        for (field, lifetime) in [(Field::IkeLifetime, ike.lifetime), (Field::IpsecLifetime, ipsec.lifetime)] {
            if lifetime < SHORTEST_LIFETIME {
                refuse(field, &format!("the API takes {SHORTEST_LIFETIME} seconds or more"));
            }
        }
        if setting.ipv6 && *mtu < 1280 {
            refuse(Field::Mtu, "with IPv6 subnets the API takes 1280 bytes or more");
        } else if *mtu < 68 {
            refuse(Field::Mtu, "the API takes 68 bytes or more (1280 with IPv6 subnets)");
        }
        for field in Field::ALL {
            if let Allowed::Number(unit) = field.allowed()
                && field.get(self).parse::<u32>().is_ok_and(|number| number > LARGEST_NUMBER)
            {
                refuse(*field, &FieldProblem::TooLarge(unit).to_string());
            }
        }
        if is_v1 && ike.phase1_negotiation_mode == Phase1Mode::Aggressive {
            refuse(Field::Phase1Mode, "strongSwan refuses aggressive mode with a pre-shared key; take main");
        }
        for (region, field, word) in setting.unstored(self) {
            let rest = match word.as_str() {
                "sha1" => " and would answer 500; take sha256",
                "3des" => " and would answer 500; take aes-256",
                _ => "; that came with OpenStack 2025.1",
            };
            refuse(field, &format!("{region} {}{rest}", does_not_store(&word)));
        }
        found
    }

    fn warnings(&self, setting: &PolicyScope<'_>) -> Vec<(Field, String)> {
        let mut found = Vec::new();
        let mut warn = |field: Field, text: &str| found.push((field, text.to_owned()));
        let Self { ike, ipsec, .. } = self;
        let shortest = *SOUND_LIFETIME.start();
        for (field, lifetime) in [(Field::IkeLifetime, ike.lifetime), (Field::IpsecLifetime, ipsec.lifetime)] {
            if (SHORTEST_LIFETIME..shortest).contains(&lifetime) {
                warn(
                    field,
                    &format!(
                        "under {shortest} s renewal starts before the tunnel has settled; take {shortest} or more"
                    ),
                );
            }
        }
        if ike.lifetime < ipsec.lifetime {
            warn(
                Field::IkeLifetime,
                "is shorter than the IPsec lifetime, and an IKE SA that ends may take its IPsec SAs along; give IKE the \
                 longer",
            );
        }
        for (field, group) in [(Field::IkePfs, ike.pfs), (Field::IpsecPfs, ipsec.pfs)] {
            if !group.is_sound() {
                warn(field, "is weak, and many peers no longer offer it");
            }
        }
        if ipsec.encapsulation_mode == EncapsulationMode::Transport {
            warn(
                Field::EncapsulationMode,
                "transport carries only traffic between the two peers themselves, not the subnets behind them",
            );
        }
        if ipsec.transform_protocol == TransformProtocol::Ah {
            warn(Field::TransformProtocol, "AH does not encrypt, and does not pass NAT");
        }
        // A cloud that runs strongSwan ignores this attribute, one that runs LibreSwan does not; nothing tells which it is.
        if self.initiator == Initiator::ResponseOnly {
            warn(
                Field::Initiator,
                if setting.regions.len() > 1 {
                    "both halves wait for the other to start; where the cloud obeys this (LibreSwan) the tunnel stays DOWN; \
                     take bi-directional"
                } else {
                    "only the peer starts the tunnel; it must be set to initiate, or take bi-directional"
                },
            );
        }
        found
    }
}
