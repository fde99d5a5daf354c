//! What is known of the pre-shared keys of a VPN, but never the keys.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::cloud::{Error, Id};
use crate::plan::psk::{self, LONGEST, SHORTEST};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// Not read yet.
    #[default]
    Unread,
    Unreadable(Box<Error>),
    Read {
        /// Whether both halves have the same; none where there is one half.
        equal: Option<bool>,
        /// The worst weakness of one of them.
        weakness: Option<Weakness>,
        /// The connections of [`Side::rivals`](super::Side::rivals) that have another key than the half beside them.
        rivals: Vec<Id>,
    },
}

/// Why a key is no secret, or not a sound one. The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakness {
    Empty,
    /// A public guide or script gives it to everybody.
    Public,
    /// It is one character over and over.
    Repeated,
    /// Under [`SHORTEST`]; how many characters it has.
    Short(usize),
    /// Over [`LONGEST`]; how many characters it has.
    Long(usize),
    /// It has characters other than letters and digits.
    Alphabet,
}

impl Weakness {
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        let length = key.chars().count();
        let first = key.chars().next();
        if key.trim().is_empty() {
            Some(Self::Empty)
        } else if psk::is_public(key) {
            Some(Self::Public)
        } else if key.chars().all(|letter| Some(letter) == first) {
            Some(Self::Repeated)
        } else if length < SHORTEST {
            Some(Self::Short(length))
        } else if length > LONGEST {
            Some(Self::Long(length))
        } else if key.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            None
        } else {
            Some(Self::Alphabet)
        }
    }

    /// Whether the key is known to others or easily guessed.
    pub(crate) const fn is_known_to_others(self) -> bool {
        matches!(self, Self::Empty | Self::Public | Self::Repeated)
    }

    pub const fn means(self) -> &'static str {
        match self {
            Self::Empty | Self::Public | Self::Repeated => {
                "anyone who reaches the routers can pose as the other end, and anyone between them can read the traffic"
            }
            Self::Short(_) => "who records a negotiation can try all keys of that length in peace",
            Self::Long(_) | Self::Alphabet => "some peers refuse such keys or read them otherwise",
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pre-shared key is empty"),
            Self::Public => f.write_str("the pre-shared key is public: guides and scripts give this word to everybody"),
            Self::Repeated => f.write_str("the pre-shared key is one character, repeated"),
            Self::Short(length) => {
                write!(
                    f,
                    "the pre-shared key is short: {length} characters, and the guide asks for {SHORTEST} at least"
                )
            }
            Self::Long(length) => {
                write!(f, "the pre-shared key is long: {length} characters, and the guide allows {LONGEST}")
            }
            Self::Alphabet => f.write_str("the pre-shared key has characters other than letters and digits"),
        }
    }
}

impl Keys {
    /// Compares the keys of one half or two.
    #[must_use]
    pub fn compare<'a>(keys: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let keys: Vec<&SecretString> = keys.into_iter().collect();
        Self::Read {
            equal: (keys.len() > 1).then(|| keys.iter().all(|key| are_equal(key, keys[0]))),
            weakness: keys.iter().filter_map(|key| Weakness::of(key.expose_secret())).min(),
            rivals: Vec::new(),
        }
    }

    /// The same, where those rivals have another.
    pub(super) fn beside(self, others: Vec<Id>) -> Self {
        match self {
            Self::Read { equal, weakness, .. } => Self::Read { equal, weakness, rivals: others },
            unread => unread,
        }
    }

    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }

    /// Whether a new key is called for: the halves have different ones, or one is no secret or breaks the rule.
    pub const fn call_for_another(&self) -> bool {
        matches!(self, Self::Read { weakness: Some(_), .. } | Self::Read { equal: Some(false), .. })
    }

    /// Whether a key is known to others who were never told it.
    pub const fn is_public(&self) -> bool {
        matches!(self, Self::Read { weakness: Some(Weakness::Public), .. })
    }
}

pub(super) fn are_equal(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_key_the_worst_is_told_and_never_the_key() {
        let letter = "a".repeat(24);
        let long = "aB3".repeat(14);
        for (key, expected) in [
            ("", Some(Weakness::Empty)),
            ("   ", Some(Weakness::Empty)),
            ("my-secret", Some(Weakness::Public)),
            (&letter, Some(Weakness::Repeated)),
            ("Tr0ub4dor", Some(Weakness::Short(9))),
            (&long, Some(Weakness::Long(42))),
            ("Kx7.Kx7_Kx7.Kx7_Kx7.abcd", Some(Weakness::Alphabet)),
            ("Str0ngKey4711Str0ngKey4711abcd", None),
        ] {
            assert_eq!(Weakness::of(key), expected);
            let told = expected.map(|weakness| weakness.to_string()).unwrap_or_default();
            assert!(key.trim().is_empty() || !told.contains(key), "{told}");
        }
        let keys = ["Tr0ub4dor", "secret"].map(SecretString::from);
        assert!(Keys::compare(&keys).is_public(), "the worst of both counts");
    }
}

/// Which connections have the same key, as far as their keys were read: a number each, equal for equal keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EqualKeys(BTreeMap<Id, usize>);

impl EqualKeys {
    #[must_use]
    pub fn compare(keys: &[(Id, SecretString)]) -> Self {
        let first_like = |key: &SecretString| keys.iter().position(|(_, one)| are_equal(one, key));
        Self(keys.iter().filter_map(|(id, key)| Some((id.clone(), first_like(key)?))).collect())
    }

    /// Whether two connections have the same key; none if that is not known.
    pub(super) fn are_equal(&self, one: &Id, other: &Id) -> Option<bool> {
        Some(self.0.get(one)? == self.0.get(other)?)
    }

    /// What is known of either. Numbers of two readings cannot be compared: the later one is taken where it says anything.
    pub(super) fn or(self, before: &Self) -> Self {
        if self.0.is_empty() { before.clone() } else { self }
    }
}
