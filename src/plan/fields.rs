//! Every field of a custom policy, once: one line of the table below is its name, its place in the policy and the API, what
//! it may hold and how that is weighed. The form, the messages and the comparison of two halves all come from there.

use std::fmt::Display;
use std::marker::PhantomData;

use super::policy::strength::{Graded, Lifetime, Strength};
use super::policy::{
    AuthAlgorithm, DhGroup, DpdAction, EncapsulationMode, EncryptionAlgorithm, IkeVersion, Initiator, LARGEST_NUMBER,
    Phase1Mode, Policy, TransformProtocol, UnknownWord, Vocabulary,
};
use crate::cloud::{Extensions, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grade {
    pub strength: Strength,
    pub is_sound: bool,
}

impl Grade {
    fn of<T: Graded>(value: T) -> Self {
        Self { strength: value.strength(), is_sound: value.is_sound() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    Words(Vec<&'static str>),
    Number(&'static str),
}

trait FieldValues {
    type Value: Display;

    fn allowed() -> Allowed;

    fn read(text: &str) -> Result<Self::Value, FieldProblem>;

    /// None where strength does not come into it, or the word is unknown.
    fn grade(_text: &str) -> Option<Grade> {
        None
    }

    fn is_stored_by(_text: &str, _region: &Extensions) -> bool {
        true
    }
}

struct WeighedWords<T>(PhantomData<T>);
struct PlainWords<T>(PhantomData<T>);
struct SecondsField;
struct BytesField;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    #[error(transparent)]
    Word(#[from] UnknownWord),
    #[error("a whole number of {0} goes here")]
    NotWhole(&'static str),
    #[error("at most {LARGEST_NUMBER} {0}; the cloud stores no more")]
    TooLarge(&'static str),
}

fn number(text: &str, unit: &'static str) -> Result<u32, FieldProblem> {
    let text = text.trim();
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
        return Err(FieldProblem::NotWhole(unit));
    }
    let fits = text.parse().ok().filter(|number| *number <= LARGEST_NUMBER);
    fits.ok_or(FieldProblem::TooLarge(unit))
}

impl<T: Vocabulary> FieldValues for PlainWords<T> {
    type Value = T;

    fn allowed() -> Allowed {
        Allowed::Words(T::WORDS.to_vec())
    }

    fn read(text: &str) -> Result<T, FieldProblem> {
        Ok(text.parse()?)
    }
}

impl<T: Vocabulary + Graded> FieldValues for WeighedWords<T> {
    type Value = T;

    fn allowed() -> Allowed {
        PlainWords::<T>::allowed()
    }

    fn read(text: &str) -> Result<T, FieldProblem> {
        Ok(text.parse()?)
    }

    fn grade(text: &str) -> Option<Grade> {
        text.parse().ok().map(Grade::of::<T>)
    }

    fn is_stored_by(text: &str, region: &Extensions) -> bool {
        text.parse().map_or(true, |value: T| value.is_stored_by(region))
    }
}

impl FieldValues for SecondsField {
    type Value = u32;

    fn allowed() -> Allowed {
        Allowed::Number("seconds")
    }

    fn read(text: &str) -> Result<u32, FieldProblem> {
        number(text, "seconds")
    }
}

impl FieldValues for Lifetime {
    type Value = u32;

    fn allowed() -> Allowed {
        SecondsField::allowed()
    }

    fn read(text: &str) -> Result<u32, FieldProblem> {
        SecondsField::read(text)
    }

    fn grade(text: &str) -> Option<Grade> {
        text.parse().ok().map(Self).map(Grade::of)
    }
}

impl FieldValues for BytesField {
    type Value = u32;

    fn allowed() -> Allowed {
        Allowed::Number("bytes")
    }

    fn read(text: &str) -> Result<u32, FieldProblem> {
        number(text, "bytes")
    }
}

macro_rules! policy_fields {
    ($($kind:ident [
        $($variant:ident($object:literal, $name:literal, $help:literal): $values:ty = $attribute:ident $(in $part:ident)?;)+
    ])+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PolicyField {
            $($(#[doc = concat!("`", $(stringify!($part), ".",)? stringify!($attribute), "`")] $variant,)+)+
        }

        impl PolicyField {
            pub const ALL: &[Self] = &[$($(Self::$variant),+),+];

            pub const fn kind(self) -> Kind {
                match self { $($(Self::$variant => Kind::$kind,)+)+ }
            }

            /// The object it belongs to and its name, as a person reads them.
            pub const fn label(self) -> (&'static str, &'static str) {
                match self { $($(Self::$variant => ($object, $name),)+)+ }
            }

            /// What it is for, for who has to choose a value.
            pub const fn help(self) -> &'static str {
                match self { $($(Self::$variant => $help,)+)+ }
            }

            pub const fn attribute(self) -> &'static str {
                match self { $($(Self::$variant => stringify!($attribute),)+)+ }
            }

            pub fn allowed(self) -> Allowed {
                match self { $($(Self::$variant => <$values as FieldValues>::allowed(),)+)+ }
            }

            /// How strong a value of it is. None if this program does not know the word, or the field has nothing to do
            /// with strength.
            pub fn grade(self, text: &str) -> Option<Grade> {
                match self { $($(Self::$variant => <$values as FieldValues>::grade(text),)+)+ }
            }

            /// Whether a region stores that value of it. What this program does not know it takes for stored.
            pub fn is_stored_by(self, text: &str, region: &Extensions) -> bool {
                match self { $($(Self::$variant => <$values as FieldValues>::is_stored_by(text, region),)+)+ }
            }

            pub fn get(self, policy: &Policy) -> String {
                match self { $($(Self::$variant => policy$(.$part)?.$attribute.to_string(),)+)+ }
            }

            /// Puts a value into a policy, which stays as it is when the value does not fit.
            pub fn set(self, policy: &mut Policy, text: &str) -> Result<(), FieldProblem> {
                match self { $($(Self::$variant => policy$(.$part)?.$attribute = <$values as FieldValues>::read(text)?,)+)+ }
                Ok(())
            }
        }
    };
}

impl PolicyField {
    /// Those of the IKE and the IPsec policy, which both halves of a VPN must have alike.
    pub fn of_policies() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|field| field.kind() != Kind::SiteConnection)
    }

    /// Whether a value of it is one that nobody should choose any more.
    pub fn is_weak(self, text: &str) -> bool {
        match self {
            Self::IkeAuth | Self::IpsecAuth => text == AuthAlgorithm::Sha1.as_str(),
            Self::IkeEncryption | Self::IpsecEncryption | Self::IkePfs | Self::IpsecPfs => {
                self.grade(text).is_some_and(|grade| !grade.is_sound)
            }
            _ => false,
        }
    }

    /// What speaks against a value that can be chosen, in a word: SHA-1 in an HMAC still holds.
    pub fn blemish(self, text: &str) -> Option<&'static str> {
        let is_sha1 = text == AuthAlgorithm::Sha1.as_str();
        self.is_weak(text).then_some(if is_sha1 { "old" } else { "weak" })
    }

    pub(crate) fn attributes(kind: Kind) -> Vec<&'static str> {
        Self::of_policies().filter(|field| field.kind() == kind).map(Self::attribute).collect()
    }
}

policy_fields! {
    IkePolicy [
        IkeVersion("IKE", "version",
            "v2 carries several subnets in one tunnel and is what new devices speak; v1 carries one pair."): WeighedWords<IkeVersion> = ike_version in ike;
        Phase1Mode("IKE", "phase 1 mode",
            "How IKEv1 begins; v2 ignores it. strongSwan takes main only, because aggressive shows a hash of the key."): WeighedWords<Phase1Mode> = phase1_negotiation_mode in ike;
        IkeAuth("IKE", "authentication",
            "Proves that no message of the negotiation was changed; also makes its keys (PRF)."): WeighedWords<AuthAlgorithm> = auth_algorithm in ike;
        IkeEncryption("IKE", "encryption",
            "Encrypts the negotiation itself. GCM and CCM need IKE version v2."): WeighedWords<EncryptionAlgorithm> = encryption_algorithm in ike;
        IkePfs("IKE", "DH group",
            "How the two ends agree on a secret. 14 and above are sound, 19 to 21 and 31 are curves: as strong and faster."): WeighedWords<DhGroup> = pfs in ike;
        IkeLifetime("IKE", "lifetime",
            "How long the IKE SA lasts before it is renewed. Sound are 600 to 86400."): Lifetime = lifetime in ike;
    ]
    IpsecPolicy [
        TransformProtocol("IPsec", "protocol",
            "esp encrypts; ah only signs."): WeighedWords<TransformProtocol> = transform_protocol in ipsec;
        EncapsulationMode("IPsec", "encapsulation",
            "tunnel carries networks behind the ends; transport carries the two ends alone."): WeighedWords<EncapsulationMode> = encapsulation_mode in ipsec;
        IpsecAuth("IPsec", "authentication",
            "Proves that no packet was changed. GCM and CCM do that themselves."): WeighedWords<AuthAlgorithm> = auth_algorithm in ipsec;
        IpsecEncryption("IPsec", "encryption",
            "Encrypts the traffic."): WeighedWords<EncryptionAlgorithm> = encryption_algorithm in ipsec;
        IpsecPfs("IPsec", "PFS group",
            "Perfect forward secrecy: each renewal gets a secret of its own from this group."): WeighedWords<DhGroup> = pfs in ipsec;
        IpsecLifetime("IPsec", "lifetime",
            "How long the keys of the traffic last before they are renewed. Sound are 600 to 86400."): Lifetime = lifetime in ipsec;
    ]
    SiteConnection [
        DpdAction("DPD", "action",
            "When the other end is silent: restart negotiates anew, hold does so at the next packet, clear forgets the tunnel."): PlainWords<DpdAction> = action in dpd;
        DpdInterval("DPD", "interval",
            "Seconds of silence after which the other end is asked whether it is there."): SecondsField = interval in dpd;
        DpdTimeout("DPD", "timeout",
            "Seconds without an answer after which the other end counts as dead; more than the interval."): SecondsField = timeout in dpd;
        Mtu("Connection", "MTU",
            "The largest packet, for the cloud's own bookkeeping; 68 and more for IPv4, 1280 and more for IPv6."): BytesField = mtu;
        Initiator("Connection", "initiator",
            "bi-directional: this end starts the tunnel; response-only: it waits for the other, which has to start it."): PlainWords<Initiator> = initiator;
    ]
}
