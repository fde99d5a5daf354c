//! Whether a policy fits the regions it is stored in and the subnets it carries, and which profile does.

use super::fields::PolicyField as Field;
use super::findings::{Finding, Place};
use super::policy::strength::{Graded, SOUND_LIFETIME};
use super::policy::{
    AuthAlgorithm, EncapsulationMode, EncryptionAlgorithm, IkeVersion, Initiator, LARGEST_NUMBER, Phase1Mode, Policy,
    Profile, TransformProtocol,
};
use crate::cloud::{Extensions, RegionId};

/// What a policy has to cope with.
#[derive(Clone, Debug, Default)]
pub struct Setting<'a> {
    /// The regions it will be stored in, one a half, with what each can do.
    pub regions: Vec<(&'a RegionId, &'a Extensions)>,
    /// The most local and the most remote ranges any half has.
    pub ranges: (usize, usize),
    /// Whether those ranges are IPv6. The addresses the tunnel itself runs between bind nothing: Neutron holds the MTU
    /// to the local subnets alone (seen with 2026.1 and 2026.2; `vpn_validator.py`).
    pub ipv6: bool,
}

impl Setting<'_> {
    /// The profile to preselect, and why when it is not the guide's.
    #[must_use]
    pub fn recommended(&self) -> (Profile, Option<String>) {
        if let Some((region, _)) = self.regions.iter().find(|(_, extensions)| !extensions.stores_sha1()) {
            return (
                Profile::Modern,
                Some(format!("{region} no longer stores SHA-1, which the catalyst profile uses")),
            );
        }
        if !IkeVersion::V1.carries(self.ranges.0, self.ranges.1) {
            let reason = "with more than one subnet pair IKEv1 tunnels only the first";
            return (Profile::Modern, Some(reason.to_owned()));
        }
        (Profile::Catalyst, None)
    }
}

impl Policy {
    /// What is impossible or unwise about this policy in that setting. Refusals first.
    #[must_use]
    pub fn findings(&self, setting: &Setting<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut refuse = |field: Field, text: String| found.push(Finding::refusal(Place::Policy(Some(field)), text));
        let v1 = self.ike.ike_version == IkeVersion::V1;
        if !self.ike.ike_version.carries(setting.ranges.0, setting.ranges.1) {
            let text =
                "IKEv1 tunnels only the first subnet pair and the rest silently fails; take v2, or one subnet a side";
            refuse(Field::IkeVersion, text.into());
        }
        if v1 && self.ike.encryption_algorithm.needs_ikev2() {
            refuse(
                Field::IkeEncryption,
                format!("{} in the IKE policy needs IKE version v2", self.ike.encryption_algorithm),
            );
        }
        if self.dpd.timeout <= self.dpd.interval {
            refuse(Field::DpdTimeout, format!("must be more than the interval ({} s)", self.dpd.interval));
        }
        for (field, lifetime) in [(Field::IkeLifetime, self.ike.lifetime), (Field::IpsecLifetime, self.ipsec.lifetime)]
        {
            if lifetime < 60 {
                refuse(field, "the API takes 60 seconds or more".into());
            }
        }
        if setting.ipv6 && self.mtu < 1280 {
            refuse(Field::Mtu, "with IPv6 subnets the API takes 1280 bytes or more".into());
        } else if self.mtu < 68 {
            refuse(Field::Mtu, "the API takes 68 bytes or more (1280 with IPv6 subnets)".into());
        }
        for (field, number, unit) in [
            (Field::IkeLifetime, self.ike.lifetime, "seconds"),
            (Field::IpsecLifetime, self.ipsec.lifetime, "seconds"),
            (Field::DpdInterval, self.dpd.interval, "seconds"),
            (Field::DpdTimeout, self.dpd.timeout, "seconds"),
            (Field::Mtu, self.mtu, "bytes"),
        ] {
            if number > LARGEST_NUMBER {
                refuse(field, format!("at most {LARGEST_NUMBER} {unit}; the cloud stores no more"));
            }
        }
        if v1 && self.ike.phase1_negotiation_mode == Phase1Mode::Aggressive {
            refuse(Field::Phase1Mode, "strongSwan refuses aggressive mode with a pre-shared key; take main".into());
        }
        for (region, extensions) in &setting.regions {
            self.storable(region, extensions, &mut refuse);
        }
        let mut warn =
            |field: Field, text: &str| found.push(Finding::warning(Place::Policy(Some(field)), text.to_owned()));
        for (field, lifetime) in [(Field::IkeLifetime, self.ike.lifetime), (Field::IpsecLifetime, self.ipsec.lifetime)]
        {
            let shortest = SOUND_LIFETIME.start();
            if (60..*shortest).contains(&lifetime) {
                let text =
                    format!("under {shortest} s renewal starts before the tunnel has settled; take {shortest} or more");
                warn(field, &text);
            }
        }
        if self.ike.lifetime < self.ipsec.lifetime {
            let text = "is shorter than the IPsec lifetime, and an IKE SA that ends may take its IPsec SAs along; give IKE the longer";
            warn(Field::IkeLifetime, text);
        }
        for (field, group) in [(Field::IkePfs, self.ike.pfs), (Field::IpsecPfs, self.ipsec.pfs)] {
            if !group.is_sound() {
                warn(field, "is weak, and many peers no longer offer it");
            }
        }
        if self.ipsec.encapsulation_mode == EncapsulationMode::Transport {
            warn(
                Field::EncapsulationMode,
                "transport carries only traffic between the two peers themselves, not the subnets behind them",
            );
        }
        if self.ipsec.transform_protocol == TransformProtocol::Ah {
            warn(Field::TransformProtocol, "AH does not encrypt, and does not pass NAT");
        }
        // A cloud that runs strongSwan ignores this attribute, one that runs LibreSwan does not; nothing tells which it is.
        if self.initiator == Initiator::ResponseOnly {
            let text = if setting.regions.len() > 1 {
                "both halves wait for the other to start; where the cloud heeds this (LibreSwan) the tunnel stays DOWN; \
                 take bi-directional"
            } else {
                "only the peer starts the tunnel; it must be set to initiate, or take bi-directional"
            };
            warn(Field::Initiator, text);
        }
        found
    }

    fn storable(&self, region: &RegionId, extensions: &Extensions, refuse: &mut impl FnMut(Field, String)) {
        let auths = [(Field::IkeAuth, self.ike.auth_algorithm), (Field::IpsecAuth, self.ipsec.auth_algorithm)];
        let ciphers = [
            (Field::IkeEncryption, self.ike.encryption_algorithm),
            (Field::IpsecEncryption, self.ipsec.encryption_algorithm),
        ];
        let groups = [(Field::IkePfs, self.ike.pfs), (Field::IpsecPfs, self.ipsec.pfs)];
        if !extensions.stores_sha1() {
            for (field, auth) in auths {
                if auth == AuthAlgorithm::Sha1 {
                    refuse(field, format!("{region} no longer stores sha1 and would answer 500; take sha256"));
                }
            }
            for (field, cipher) in ciphers {
                if cipher == EncryptionAlgorithm::TripleDes {
                    refuse(field, format!("{region} no longer stores 3des and would answer 500; take aes-256"));
                }
            }
        }
        if !extensions.stores_new_algorithms() {
            let new = auths.iter().filter(|(_, word)| word.is_new()).map(|(field, word)| (*field, word.as_str()));
            let new = new
                .chain(ciphers.iter().filter(|(_, word)| word.is_new()).map(|(field, word)| (*field, word.as_str())));
            let new =
                new.chain(groups.iter().filter(|(_, word)| word.is_new()).map(|(field, word)| (*field, word.as_str())));
            for (field, word) in new {
                refuse(field, format!("{region} does not store {word}; that came with OpenStack 2025.1"));
            }
        }
    }
}
