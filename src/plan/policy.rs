//! IKE and IPsec policies: the words of the API as types, and the profiles of `assets/policies.toml`.

pub mod strength;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// An enumeration whose variants are words, of the API or of plan files.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[doc = concat!("`", $word, "`")] #[serde(rename = $word)] $variant),+ }

        impl Vocabulary for $name {
            const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
            }
        }
    };
}

pub(crate) trait Vocabulary: Copy + fmt::Display + FromStr<Err = UnknownWord> {
    const WORDS: &'static [&'static str];
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of the values this attribute takes")]
pub struct UnknownWord(pub String);

words! {
    IkeVersion { V1 = "v1", V2 = "v2" }
}
words! {
    /// `phase1_negotiation_mode`; strongSwan refuses aggressive mode with a pre-shared key.
    Phase1Mode { Main = "main", Aggressive = "aggressive" }
}
words! {
    /// `auth_algorithm`: integrity, and in IKE the PRF.
    AuthAlgorithm { Sha1 = "sha1", Sha256 = "sha256", Sha384 = "sha384", Sha512 = "sha512", AesXcbc = "aes-xcbc", AesCmac = "aes-cmac" }
}
words! {
    EncryptionAlgorithm {
        TripleDes = "3des", Aes128 = "aes-128", Aes192 = "aes-192", Aes256 = "aes-256",
        Aes128Gcm8 = "aes-128-gcm-8", Aes128Gcm12 = "aes-128-gcm-12", Aes128Gcm16 = "aes-128-gcm-16",
        Aes192Gcm8 = "aes-192-gcm-8", Aes192Gcm12 = "aes-192-gcm-12", Aes192Gcm16 = "aes-192-gcm-16",
        Aes256Gcm8 = "aes-256-gcm-8", Aes256Gcm12 = "aes-256-gcm-12", Aes256Gcm16 = "aes-256-gcm-16",
        Aes128Ccm8 = "aes-128-ccm-8", Aes128Ccm12 = "aes-128-ccm-12", Aes128Ccm16 = "aes-128-ccm-16",
        Aes192Ccm8 = "aes-192-ccm-8", Aes192Ccm12 = "aes-192-ccm-12", Aes192Ccm16 = "aes-192-ccm-16",
        Aes256Ccm8 = "aes-256-ccm-8", Aes256Ccm12 = "aes-256-ccm-12", Aes256Ccm16 = "aes-256-ccm-16",
        Aes128Ctr = "aes-128-ctr", Aes192Ctr = "aes-192-ctr", Aes256Ctr = "aes-256-ctr",
    }
}
words! {
    /// `pfs`: the Diffie-Hellman group.
    DhGroup {
        Group2 = "group2", Group5 = "group5", Group14 = "group14", Group15 = "group15", Group16 = "group16",
        Group17 = "group17", Group18 = "group18", Group19 = "group19", Group20 = "group20", Group21 = "group21",
        Group22 = "group22", Group23 = "group23", Group24 = "group24", Group25 = "group25", Group26 = "group26",
        Group27 = "group27", Group28 = "group28", Group29 = "group29", Group30 = "group30", Group31 = "group31",
    }
}
words! {
    /// `transform_protocol`. `ah-esp` is left out: the agents' driver refuses it.
    TransformProtocol { Esp = "esp", Ah = "ah" }
}
words! {
    EncapsulationMode { Tunnel = "tunnel", Transport = "transport" }
}
words! {
    /// `dpd.action`. `disabled` and `restart-by-peer` are left out: with either, strongSwan drops the whole connection.
    DpdAction { Restart = "restart", Hold = "hold", Clear = "clear" }
}
words! {
    Initiator { BiDirectional = "bi-directional", ResponseOnly = "response-only" }
}

impl AuthAlgorithm {
    /// Whether it came with 2025.1.
    pub(crate) const fn is_new(self) -> bool {
        matches!(self, Self::AesXcbc | Self::AesCmac)
    }
}

impl EncryptionAlgorithm {
    pub(crate) fn is_aead(self) -> bool {
        self.as_str().contains("cm-")
    }

    /// Whether IKE itself can use it only in version 2: `IKEv1` negotiates CBC ciphers alone.
    pub fn needs_ikev2(self) -> bool {
        self.is_aead() || self.as_str().ends_with("ctr")
    }

    /// Whether it came with 2025.1.
    pub(crate) const fn is_new(self) -> bool {
        !matches!(self, Self::TripleDes | Self::Aes128 | Self::Aes192 | Self::Aes256)
    }
}

/// Why `IKEv1` is refused for several subnets.
pub(crate) const ONE_PAIR_ONLY: &str = "IKEv1 carries only the first pair of subnets";

impl IkeVersion {
    /// Whether it carries that many local and remote ranges in one connection. With `IKEv1` strongSwan tunnels the first
    /// pair alone, and says ACTIVE all the same.
    pub const fn carries(self, local: usize, remote: usize) -> bool {
        matches!(self, Self::V2) || (local <= 1 && remote <= 1)
    }
}

impl DhGroup {
    /// Whether it came with 2025.1.
    pub(crate) const fn is_new(self) -> bool {
        !matches!(self, Self::Group2 | Self::Group5 | Self::Group14)
    }
}

/// The largest lifetime, DPD time or MTU there may be: the API bounds none of them, but the database's columns are signed
/// integers of 32 bits, and `MySQL` answers a larger value with 500.
pub(crate) const LARGEST_NUMBER: u32 = i32::MAX.cast_unsigned();

/// Reads a number that the database can hold.
fn stored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(deserializer)?;
    u32::try_from(number).ok().filter(|number| *number <= LARGEST_NUMBER).ok_or_else(|| {
        serde::de::Error::custom(format!("{number} is out of bounds; the cloud stores 0 to {LARGEST_NUMBER}"))
    })
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IkePolicy {
    pub ike_version: IkeVersion,
    pub phase1_negotiation_mode: Phase1Mode,
    pub auth_algorithm: AuthAlgorithm,
    pub encryption_algorithm: EncryptionAlgorithm,
    pub pfs: DhGroup,
    /// Seconds until the IKE SA is renewed; the API takes 60 and more.
    #[serde(deserialize_with = "stored")]
    pub lifetime: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpsecPolicy {
    pub transform_protocol: TransformProtocol,
    /// Tunnel, for networks behind the peers.
    pub encapsulation_mode: EncapsulationMode,
    pub auth_algorithm: AuthAlgorithm,
    pub encryption_algorithm: EncryptionAlgorithm,
    pub pfs: DhGroup,
    /// Seconds until the IPsec SA is renewed; the API takes 60 and more.
    #[serde(deserialize_with = "stored")]
    pub lifetime: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dpd {
    pub action: DpdAction,
    /// Seconds of silence before the peer is probed.
    #[serde(deserialize_with = "stored")]
    pub interval: u32,
    /// Seconds without an answer until the peer is dead; must be more than the interval.
    #[serde(deserialize_with = "stored")]
    pub timeout: u32,
}

/// Everything both halves must agree upon, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub initiator: Initiator,
    /// Bytes; 68 at least where the subnets are IPv4, 1280 where they are IPv6.
    #[serde(deserialize_with = "stored")]
    pub mtu: u32,
    pub ike: IkePolicy,
    pub ipsec: IpsecPolicy,
    pub dpd: Dpd,
}

impl Policy {
    /// Whether it has an algorithm that a region may no longer store: sha1 and 3des, from 2026.2 on.
    pub(crate) const fn is_outdated(&self) -> bool {
        let Self { ike, ipsec, .. } = self;
        matches!(ike.auth_algorithm, AuthAlgorithm::Sha1)
            || matches!(ipsec.auth_algorithm, AuthAlgorithm::Sha1)
            || matches!(ike.encryption_algorithm, EncryptionAlgorithm::TripleDes)
            || matches!(ipsec.encryption_algorithm, EncryptionAlgorithm::TripleDes)
    }
}

macro_rules! profiles {
    ($($variant:ident($field:ident = $word:literal): $summary:literal, $about:literal;)+) => {
        words! {
            /// Which policy the user wants, by its word on the command line and in plan files.
            Profile { $($variant = $word,)+ Custom = "custom" }
        }

        impl Profile {
            /// Those of `assets/policies.toml`; of those that fit, the first is suggested.
            pub(crate) const NAMED: &[Self] = &[$(Self::$variant),+];

            pub(crate) const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)+ Self::Custom => "every field by hand" }
            }

            pub(crate) const fn help(self) -> &'static str {
                match self { $(Self::$variant => concat!($summary, "; ", $about),)+ Self::Custom => self.summary() }
            }
        }

        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Profiles {
            $(pub $field: Policy,)+
        }

        impl Profiles {
            /// The policy of a profile; none for [`Profile::Custom`].
            pub fn get(&self, profile: Profile) -> Option<&Policy> {
                match profile { $(Profile::$variant => Some(&self.$field),)+ Profile::Custom => None }
            }
        }
    };
}

profiles! {
    Catalyst(catalyst = "catalyst"): "IKEv1, SHA-1", "the values Catalyst Cloud documents";
    Modern(modern = "modern"): "IKEv2, SHA-256", "the only one that OpenStack 2026.2 still stores";
}

impl Profiles {
    /// Reads the profiles built into the program.
    /// Errors: only if `assets/policies.toml` was broken when the program was built.
    pub fn built_in() -> Result<Self, toml::de::Error> {
        toml::from_str(include_str!("../../assets/policies.toml"))
    }

    pub(crate) fn profile_of(&self, policy: &Policy) -> Profile {
        let mut named = Profile::NAMED.iter().copied();
        named.find(|profile| self.get(*profile) == Some(policy)).unwrap_or(Profile::Custom)
    }
}
