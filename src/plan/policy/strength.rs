//! What is stronger than what, for each attribute of a policy: written once, for everything that has to choose between two
//! values or to say that one is weak.
//!
//! The sources, attribute by attribute:
//!
//! * ciphers, by the bits of the key (NIST SP 800-57 Part 1 Rev. 5, table 2: 3DES 112, AES 128, 192, 256); among equal
//!   keys by mode, as RFC 8221 §5 and RFC 8247 §2.1 rate them: GCM and CCM with a whole tag before CBC, CBC before CTR,
//!   and the shortened tags last, which are easier to forge (NIST SP 800-38D, appendix C). 3DES is disallowed since 2024
//!   (NIST SP 800-131A Rev. 2) and stored by no region from 2026.2 on;
//! * integrity, by RFC 8247 §2.3 and RFC 8221 §6: SHA-1 is on its way out ("MUST-"), XCBC and CMAC have tags of 96 bits,
//!   SHA-2 goes by its length;
//! * groups, by the bits of security they give: NIST SP 800-57, table 2, for MODP (RFC 3526) and the NIST curves
//!   (RFC 5903), RFC 6954 for Brainpool, RFC 8031 for Curve25519. Below 112 bits nothing is acceptable, and RFC 8247 §2.4
//!   rules 2, 5 and 22 to 24 out, these three for their small subgroups whatever their size says;
//! * IKEv2 before IKEv1, which is historic (RFC 9395); main mode before aggressive mode, which shows a hash of the key to
//!   anybody (RFC 9395 too, and strongSwan refuses it);
//! * ESP before AH, which does not encrypt (RFC 8221 §4 has AH as MAY); tunnel before transport mode, which carries
//!   nothing of the subnets behind the peers (RFC 4301 §4.1);
//! * lifetimes: sound are ten minutes to a day ([`SOUND_LIFETIME`]). Shorter ones make gaps, seen with strongSwan; longer
//!   ones keep one key for too long. Of two sound ones the shorter is the stronger; it is also the one that counts.

use std::ops::RangeInclusive;

use super::{
    AuthAlgorithm, DhGroup, EncapsulationMode, EncryptionAlgorithm, IkeVersion, Phase1Mode, TransformProtocol,
};
use crate::cloud::Extensions;

/// The lifetimes of an SA that are neither too short nor too long, in seconds. With less renewal begins before the tunnel
/// has settled, and traffic fails each time: 60 s on both halves cost 4 to 8 s in every minute with strongSwan.
pub(crate) const SOUND_LIFETIME: RangeInclusive<u32> = 600..=86_400;

/// The bits of security below which nothing is acceptable (NIST SP 800-131A Rev. 2).
const ACCEPTABLE: u16 = 112;

/// How strong a value is: comparable with other values of the same attribute, and with nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Strength {
    /// Bits of security, or a rank where bits say nothing.
    first: u32,
    second: u16,
}

impl Strength {
    const fn of(first: u16, second: u16) -> Self {
        Self { first: first as u32, second }
    }
}

/// A value of an attribute that two halves have to agree upon.
pub(crate) trait Graded: Copy + PartialEq {
    fn strength(self) -> Strength;

    /// Whether it may be chosen where the choice is ours: it works, and protects.
    fn is_sound(self) -> bool;

    fn is_stored_by(self, _region: &Extensions) -> bool {
        true
    }
}

impl Graded for EncryptionAlgorithm {
    fn strength(self) -> Strength {
        let word = self.as_str();
        let key = [256, 192, 128].into_iter().find(|bits| word.contains(&bits.to_string())).unwrap_or(ACCEPTABLE);
        let mode = match word {
            _ if word.contains("gcm-16") => 6,
            _ if word.contains("ccm-16") => 5,
            _ if word.contains("ctr") => 3,
            _ if word.ends_with("cm-12") => 2,
            _ if word.ends_with("cm-8") => 1,
            // CBC, which has no name of its own.
            _ => 4,
        };
        Strength::of(key, mode)
    }

    fn is_sound(self) -> bool {
        self != Self::TripleDes
    }

    fn is_stored_by(self, region: &Extensions) -> bool {
        (self != Self::TripleDes || region.stores_sha1()) && (!self.is_new() || region.stores_new_algorithms())
    }
}

impl Graded for AuthAlgorithm {
    fn strength(self) -> Strength {
        Strength::of(
            match self {
                Self::Sha1 => 1,
                Self::AesXcbc => 2,
                Self::AesCmac => 3,
                Self::Sha256 => 4,
                Self::Sha384 => 5,
                Self::Sha512 => 6,
            },
            0,
        )
    }

    fn is_sound(self) -> bool {
        true
    }

    fn is_stored_by(self, region: &Extensions) -> bool {
        (self != Self::Sha1 || region.stores_sha1()) && (!self.is_new() || region.stores_new_algorithms())
    }
}

impl Graded for DhGroup {
    fn strength(self) -> Strength {
        // Bits of security, then what is preferred among equals: curves are as strong and faster, and a group that RFC 8247
        // rules out comes last whatever its size.
        let (bits, preferred) = match self {
            Self::Group22 => (0, 0),
            Self::Group23 | Self::Group24 => (0, 1),
            Self::Group2 => (80, 0),
            Self::Group5 => (90, 0),
            Self::Group25 => (96, 0),
            Self::Group14 => (112, 1),
            Self::Group26 | Self::Group27 => (112, 0),
            Self::Group15 => (128, 1),
            Self::Group28 => (128, 0),
            Self::Group19 => (128, 2),
            Self::Group31 => (128, 3),
            Self::Group16 => (152, 0),
            Self::Group17 => (176, 0),
            Self::Group29 => (192, 0),
            Self::Group20 => (192, 1),
            Self::Group18 => (200, 0),
            Self::Group30 => (256, 0),
            Self::Group21 => (256, 1),
        };
        Strength::of(bits, preferred)
    }

    fn is_sound(self) -> bool {
        self.strength() >= Strength::of(ACCEPTABLE, 0)
    }

    fn is_stored_by(self, region: &Extensions) -> bool {
        !self.is_new() || region.stores_new_algorithms()
    }
}

impl Graded for IkeVersion {
    fn strength(self) -> Strength {
        Strength::of(u16::from(self == Self::V2), 0)
    }

    fn is_sound(self) -> bool {
        true
    }
}

impl Graded for Phase1Mode {
    fn strength(self) -> Strength {
        Strength::of(u16::from(self == Self::Main), 0)
    }

    fn is_sound(self) -> bool {
        self == Self::Main
    }
}

impl Graded for TransformProtocol {
    fn strength(self) -> Strength {
        Strength::of(u16::from(self == Self::Esp), 0)
    }

    fn is_sound(self) -> bool {
        self == Self::Esp
    }
}

impl Graded for EncapsulationMode {
    fn strength(self) -> Strength {
        Strength::of(u16::from(self == Self::Tunnel), 0)
    }

    fn is_sound(self) -> bool {
        self == Self::Tunnel
    }
}

/// Seconds until an SA is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime(pub u32);

impl Graded for Lifetime {
    fn strength(self) -> Strength {
        let first = if self.is_sound() { SOUND_LIFETIME.end() - self.0 + 1 } else { 0 };
        Strength { first, second: 0 }
    }

    fn is_sound(self) -> bool {
        SOUND_LIFETIME.contains(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each attribute's words from the weakest to the strongest, as the documents have it.
    #[test]
    fn the_order_is_that_of_the_documents() {
        fn rises<T: Graded + std::str::FromStr>(words: &str)
        where
            T::Err: std::fmt::Debug,
        {
            let values: Vec<Strength> =
                words.split_whitespace().map(|word| word.parse::<T>().expect("a word of the API").strength()).collect();
            assert!(values.is_sorted_by(|weaker, stronger| weaker < stronger), "{words}: {values:?}");
        }
        rises::<EncryptionAlgorithm>(
            "3des aes-128-ccm-8 aes-128-gcm-12 aes-128-ctr aes-128 aes-128-ccm-16 aes-128-gcm-16 aes-192 aes-192-gcm-16 \
             aes-256-gcm-8 aes-256 aes-256-ccm-16 aes-256-gcm-16",
        );
        rises::<AuthAlgorithm>("sha1 aes-xcbc aes-cmac sha256 sha384 sha512");
        rises::<DhGroup>(
            "group22 group23 group2 group5 group25 group26 group14 group28 group15 group19 group31 group16 group17 group20 \
             group18 group21",
        );
        rises::<IkeVersion>("v1 v2");
        rises::<Phase1Mode>("aggressive main");
        rises::<TransformProtocol>("ah esp");
        rises::<EncapsulationMode>("transport tunnel");
        let lifetimes = [60, 86_400, 14_400, 3600, 600].map(|seconds| Lifetime(seconds).strength());
        assert!(lifetimes.is_sorted(), "{lifetimes:?}");
        assert_eq!(Lifetime(599).strength(), Lifetime(86_401).strength());
    }

    #[test]
    fn what_is_ruled_out_is_not_sound() {
        let unsound: Vec<&str> =
            DhGroup::ALL.iter().filter(|group| !group.is_sound()).map(|group| group.as_str()).collect();
        assert_eq!(unsound, ["group2", "group5", "group22", "group23", "group24", "group25"]);
        let unsound: Vec<&str> =
            EncryptionAlgorithm::ALL.iter().filter(|word| !word.is_sound()).map(|word| word.as_str()).collect();
        assert_eq!(unsound, ["3des"]);
    }
}
