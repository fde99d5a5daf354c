//! Every field of a custom policy as data: its name, what it may hold, how it is read and set. The form that edits a
//! policy and the messages that name a field both come from here.

use super::policy::strength::{Graded, Lifetime, Strength};
use super::policy::{
    AuthAlgorithm, DhGroup, DpdAction, EncapsulationMode, EncryptionAlgorithm, IkeVersion, Initiator, LARGEST_NUMBER,
    Phase1Mode, Policy, TransformProtocol,
};
use crate::cloud::Extensions;

/// One field of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyField {
    /// `ikepolicy.ike_version`
    IkeVersion,
    /// `ikepolicy.phase1_negotiation_mode`
    Phase1Mode,
    /// `ikepolicy.auth_algorithm`
    IkeAuth,
    /// `ikepolicy.encryption_algorithm`
    IkeEncryption,
    /// `ikepolicy.pfs`
    IkePfs,
    /// `ikepolicy.lifetime.value`, seconds
    IkeLifetime,
    /// `ipsecpolicy.transform_protocol`
    TransformProtocol,
    /// `ipsecpolicy.encapsulation_mode`
    EncapsulationMode,
    /// `ipsecpolicy.auth_algorithm`
    IpsecAuth,
    /// `ipsecpolicy.encryption_algorithm`
    IpsecEncryption,
    /// `ipsecpolicy.pfs`
    IpsecPfs,
    /// `ipsecpolicy.lifetime.value`, seconds
    IpsecLifetime,
    /// `ipsec_site_connection.dpd.action`
    DpdAction,
    /// `ipsec_site_connection.dpd.interval`, seconds
    DpdInterval,
    /// `ipsec_site_connection.dpd.timeout`, seconds
    DpdTimeout,
    /// `ipsec_site_connection.mtu`, bytes
    Mtu,
    /// `ipsec_site_connection.initiator`
    Initiator,
}

/// A value of a field, weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grade {
    /// How strong it is among the values of that field.
    pub strength: Strength,
    /// Whether it works and protects.
    pub is_sound: bool,
}

impl Grade {
    fn of<T: Graded>(value: T) -> Self {
        Self { strength: value.strength(), is_sound: value.is_sound() }
    }
}

/// What a field may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// One of these words.
    Words(Vec<&'static str>),
    /// A whole number, in that unit.
    Number(&'static str),
}

macro_rules! all_words {
    ($type:ty) => {
        Domain::Words(<$type>::ALL.iter().map(|word| word.as_str()).collect())
    };
}

impl PolicyField {
    /// All of them, in the order of the form.
    pub const ALL: &[Self] = &[
        Self::IkeVersion,
        Self::Phase1Mode,
        Self::IkeAuth,
        Self::IkeEncryption,
        Self::IkePfs,
        Self::IkeLifetime,
        Self::TransformProtocol,
        Self::EncapsulationMode,
        Self::IpsecAuth,
        Self::IpsecEncryption,
        Self::IpsecPfs,
        Self::IpsecLifetime,
        Self::DpdAction,
        Self::DpdInterval,
        Self::DpdTimeout,
        Self::Mtu,
        Self::Initiator,
    ];

    /// The object it belongs to and its name, as a person reads them.
    #[must_use]
    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::IkeVersion => ("IKE", "version"),
            Self::Phase1Mode => ("IKE", "phase 1 mode"),
            Self::IkeAuth => ("IKE", "authentication"),
            Self::IkeEncryption => ("IKE", "encryption"),
            Self::IkePfs => ("IKE", "DH group"),
            Self::IkeLifetime => ("IKE", "lifetime"),
            Self::TransformProtocol => ("IPsec", "protocol"),
            Self::EncapsulationMode => ("IPsec", "encapsulation"),
            Self::IpsecAuth => ("IPsec", "authentication"),
            Self::IpsecEncryption => ("IPsec", "encryption"),
            Self::IpsecPfs => ("IPsec", "PFS group"),
            Self::IpsecLifetime => ("IPsec", "lifetime"),
            Self::DpdAction => ("DPD", "action"),
            Self::DpdInterval => ("DPD", "interval"),
            Self::DpdTimeout => ("DPD", "timeout"),
            Self::Mtu => ("Connection", "MTU"),
            Self::Initiator => ("Connection", "initiator"),
        }
    }

    /// What it may hold.
    #[must_use]
    pub fn domain(self) -> Domain {
        match self {
            Self::IkeVersion => all_words!(IkeVersion),
            Self::Phase1Mode => all_words!(Phase1Mode),
            Self::IkeAuth | Self::IpsecAuth => all_words!(AuthAlgorithm),
            Self::IkeEncryption | Self::IpsecEncryption => all_words!(EncryptionAlgorithm),
            Self::IkePfs | Self::IpsecPfs => all_words!(DhGroup),
            Self::TransformProtocol => all_words!(TransformProtocol),
            Self::EncapsulationMode => all_words!(EncapsulationMode),
            Self::DpdAction => all_words!(DpdAction),
            Self::Initiator => all_words!(Initiator),
            Self::IkeLifetime | Self::IpsecLifetime | Self::DpdInterval | Self::DpdTimeout => Domain::Number("seconds"),
            Self::Mtu => Domain::Number("bytes"),
        }
    }

    /// The fields of the IKE and the IPsec policy, which both halves of a VPN must have alike.
    pub const OF_POLICIES: [Self; 12] = [
        Self::IkeVersion,
        Self::Phase1Mode,
        Self::IkeAuth,
        Self::IkeEncryption,
        Self::IkePfs,
        Self::IkeLifetime,
        Self::TransformProtocol,
        Self::EncapsulationMode,
        Self::IpsecAuth,
        Self::IpsecEncryption,
        Self::IpsecPfs,
        Self::IpsecLifetime,
    ];

    /// The name of its attribute in the API's object.
    #[must_use]
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::IkeVersion => "ike_version",
            Self::Phase1Mode => "phase1_negotiation_mode",
            Self::IkeAuth | Self::IpsecAuth => "auth_algorithm",
            Self::IkeEncryption | Self::IpsecEncryption => "encryption_algorithm",
            Self::IkePfs | Self::IpsecPfs => "pfs",
            Self::IkeLifetime | Self::IpsecLifetime => "lifetime",
            Self::TransformProtocol => "transform_protocol",
            Self::EncapsulationMode => "encapsulation_mode",
            Self::DpdAction => "action",
            Self::DpdInterval => "interval",
            Self::DpdTimeout => "timeout",
            Self::Mtu => "mtu",
            Self::Initiator => "initiator",
        }
    }

    /// How strong a value of it is. None if this program does not know the word, or the field has nothing to do with
    /// strength.
    #[must_use]
    pub fn grade(self, word: &str) -> Option<Grade> {
        Some(match self {
            Self::IkeVersion => Grade::of(word.parse::<IkeVersion>().ok()?),
            Self::Phase1Mode => Grade::of(word.parse::<Phase1Mode>().ok()?),
            Self::IkeAuth | Self::IpsecAuth => Grade::of(word.parse::<AuthAlgorithm>().ok()?),
            Self::IkeEncryption | Self::IpsecEncryption => Grade::of(word.parse::<EncryptionAlgorithm>().ok()?),
            Self::IkePfs | Self::IpsecPfs => Grade::of(word.parse::<DhGroup>().ok()?),
            Self::IkeLifetime | Self::IpsecLifetime => Grade::of(Lifetime(word.parse().ok()?)),
            Self::TransformProtocol => Grade::of(word.parse::<TransformProtocol>().ok()?),
            Self::EncapsulationMode => Grade::of(word.parse::<EncapsulationMode>().ok()?),
            Self::DpdAction | Self::DpdInterval | Self::DpdTimeout | Self::Mtu | Self::Initiator => return None,
        })
    }

    /// Whether a region stores that value of it. What this program does not know it takes for stored.
    #[must_use]
    pub fn is_stored_by(self, word: &str, region: &Extensions) -> bool {
        match self {
            Self::IkeAuth | Self::IpsecAuth => {
                word.parse::<AuthAlgorithm>().map_or(true, |value| value.is_stored_by(region))
            }
            Self::IkeEncryption | Self::IpsecEncryption => {
                word.parse::<EncryptionAlgorithm>().map_or(true, |value| value.is_stored_by(region))
            }
            Self::IkePfs | Self::IpsecPfs => word.parse::<DhGroup>().map_or(true, |value| value.is_stored_by(region)),
            _ => true,
        }
    }

    /// Its value in a policy, as the API writes it.
    #[must_use]
    pub fn get(self, policy: &Policy) -> String {
        match self {
            Self::IkeVersion => policy.ike.ike_version.to_string(),
            Self::Phase1Mode => policy.ike.phase1_negotiation_mode.to_string(),
            Self::IkeAuth => policy.ike.auth_algorithm.to_string(),
            Self::IkeEncryption => policy.ike.encryption_algorithm.to_string(),
            Self::IkePfs => policy.ike.pfs.to_string(),
            Self::IkeLifetime => policy.ike.lifetime.to_string(),
            Self::TransformProtocol => policy.ipsec.transform_protocol.to_string(),
            Self::EncapsulationMode => policy.ipsec.encapsulation_mode.to_string(),
            Self::IpsecAuth => policy.ipsec.auth_algorithm.to_string(),
            Self::IpsecEncryption => policy.ipsec.encryption_algorithm.to_string(),
            Self::IpsecPfs => policy.ipsec.pfs.to_string(),
            Self::IpsecLifetime => policy.ipsec.lifetime.to_string(),
            Self::DpdAction => policy.dpd.action.to_string(),
            Self::DpdInterval => policy.dpd.interval.to_string(),
            Self::DpdTimeout => policy.dpd.timeout.to_string(),
            Self::Mtu => policy.mtu.to_string(),
            Self::Initiator => policy.initiator.to_string(),
        }
    }

    /// Puts a value into a policy, which stays as it is when the value does not fit.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn set(self, policy: &mut Policy, text: &str) -> Result<(), String> {
        fn word<T: std::str::FromStr<Err: std::fmt::Display>>(slot: &mut T, text: &str) -> Result<(), String> {
            *slot = text.parse().map_err(|error: T::Err| error.to_string())?;
            Ok(())
        }
        fn number(slot: &mut u32, text: &str, unit: &str) -> Result<(), String> {
            let text = text.trim();
            let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
            let fits = text.parse().ok().filter(|number| *number <= LARGEST_NUMBER);
            *slot = fits.filter(|_| is_number).ok_or_else(|| {
                if is_number {
                    format!("at most {LARGEST_NUMBER} {unit}; the cloud stores no more")
                } else {
                    format!("a whole number of {unit} goes here")
                }
            })?;
            Ok(())
        }
        match self {
            Self::IkeVersion => word(&mut policy.ike.ike_version, text),
            Self::Phase1Mode => word(&mut policy.ike.phase1_negotiation_mode, text),
            Self::IkeAuth => word(&mut policy.ike.auth_algorithm, text),
            Self::IkeEncryption => word(&mut policy.ike.encryption_algorithm, text),
            Self::IkePfs => word(&mut policy.ike.pfs, text),
            Self::IkeLifetime => number(&mut policy.ike.lifetime, text, "seconds"),
            Self::TransformProtocol => word(&mut policy.ipsec.transform_protocol, text),
            Self::EncapsulationMode => word(&mut policy.ipsec.encapsulation_mode, text),
            Self::IpsecAuth => word(&mut policy.ipsec.auth_algorithm, text),
            Self::IpsecEncryption => word(&mut policy.ipsec.encryption_algorithm, text),
            Self::IpsecPfs => word(&mut policy.ipsec.pfs, text),
            Self::IpsecLifetime => number(&mut policy.ipsec.lifetime, text, "seconds"),
            Self::DpdAction => word(&mut policy.dpd.action, text),
            Self::DpdInterval => number(&mut policy.dpd.interval, text, "seconds"),
            Self::DpdTimeout => number(&mut policy.dpd.timeout, text, "seconds"),
            Self::Mtu => number(&mut policy.mtu, text, "bytes"),
            Self::Initiator => word(&mut policy.initiator, text),
        }
    }
}
