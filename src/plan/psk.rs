//! The pre-shared key: the guide's rule, and a generator that keeps it.

use std::fmt;

use rand::RngExt;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The word that `create-vpn.sh` gave to every VPN as its key.
pub const PUBLIC: &str = "pre_shared_key";

/// What is said where no VPN of a project has [`PUBLIC`].
pub(crate) const NONE_PUBLIC: &str = "No VPN of this project has the well-known key of create-vpn.sh.";

/// Keys that guides, scripts and examples print, and those that come to everybody's mind, as [`is_public`] compares them:
/// in small letters, without what is neither letter nor digit.
const WELL_KNOWN: &str = "
    123456 1234567 12345678 123456789 1234567890 abc123 admin blabla blablabla changeme changethis cisco
    cisco123 default demo example foobar ipsec key letmein mykey mypassword mypsk mysecret mysecretkey
    mysecretpassword openstack passw0rd password password123 presharedkey presharedsecret psk qwerty secret
    secret123 secretkey sharedkey sharedsecret strongswan supersecret supersecretkey supersecretpsk test
    test123 vpn";
/// The shortest key the guide allows, in characters.
pub(crate) const SHORTEST: usize = 20;
/// The longest key the guide allows, in characters.
pub(crate) const LONGEST: usize = 40;
const GENERATED: usize = 32;

/// The guide's rule in words.
macro_rules! psk_rule {
    () => {
        "20 to 40 letters and digits"
    };
}
pub(crate) use psk_rule;

/// A pre-shared key that keeps the guide's rule: 20 to 40 characters, letters and digits only. Wiped from memory when
/// dropped; never shown by `Debug`.
#[derive(Clone)]
pub struct Psk(SecretString);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyOrigin {
    Given,
    /// It was generated: the cloud alone can still show it.
    Generated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PskProblem {
    #[error("type or paste a key of {SHORTEST} to {LONGEST} letters and digits, or generate one")]
    Empty,
    /// Under [`SHORTEST`]; how many are there.
    #[error("{0} character{s} ({SHORTEST} to {LONGEST} needed)", s = if *.0 == 1 { "" } else { "s" })]
    TooShort(usize),
    /// Over [`LONGEST`]; how many are there.
    #[error("{0} characters (at most {LONGEST})")]
    TooLong(usize),
    /// A character other than a letter or digit, by its position from 1.
    #[error("character {0} is neither a letter (A-Z, a-z) nor a digit")]
    Alphabet(usize),
    #[error("this is the well-known key of create-vpn.sh; use another")]
    Public,
}

impl PskProblem {
    /// What to do where the other side dictates a key that breaks the rule. The region would store it, but the guide of the
    /// cloud promises letters and digits alone, and every system at the other end takes a key of its user's.
    pub const fn advice(self) -> Option<&'static str> {
        match self {
            Self::Alphabet(_) | Self::TooLong(_) | Self::TooShort(_) => Some(
                "the cloud's guide allows no other keys; if the other side dictates this one, give that side one of your \
                 own: AWS (tunnel options), Azure, Google Cloud and firewalls take it",
            ),
            Self::Empty | Self::Public => None,
        }
    }
}

impl Psk {
    /// What the other side may read into this key, if that is not the key itself.
    pub(crate) fn caution(&self) -> Option<&'static str> {
        match self.0.expose_secret().get(..2)? {
            "0x" | "0X" => Some(
                "begins with 0x: strongSwan, FortiOS and RouterOS read what follows as hexadecimal; take a key with another \
                 beginning, or see that the peer takes it as text",
            ),
            "0s" | "0S" => Some(
                "begins with 0s: strongSwan reads what follows as base64; take a key with another beginning, or see that the \
                 peer takes it as text",
            ),
            _ => None,
        }
    }

    pub fn parse(text: &str) -> Result<Self, PskProblem> {
        check(text)?;
        Ok(Self(SecretString::from(text)))
    }

    /// A new key: 32 letters and digits from the system's random numbers. It does not start with 0, because `0s` and
    /// `0x` mean an encoding to some peers.
    pub fn generate() -> Self {
        const ALPHABET: &[u8; 62] = b"123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0";
        let mut random = rand::rng();
        let mut text = Zeroizing::new(String::with_capacity(GENERATED));
        for place in 0..GENERATED {
            let letters = if place == 0 { ALPHABET.len() - 1 } else { ALPHABET.len() };
            text.push(char::from(ALPHABET[random.random_range(0..letters)]));
        }
        Self(SecretString::from(text.as_str()))
    }

    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Psk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Psk([hidden])")
    }
}

impl PartialEq for Psk {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for Psk {}

/// Whether a key is one that a public guide or script gives to everybody, in whatever case and punctuation.
pub fn is_public(key: &str) -> bool {
    let mut plain = Zeroizing::new(String::with_capacity(key.len()));
    plain.extend(key.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()));
    WELL_KNOWN.split_whitespace().any(|known| known == plain.as_str())
}

pub fn check(text: &str) -> Result<(), PskProblem> {
    if text.is_empty() {
        return Err(PskProblem::Empty);
    }
    if text == PUBLIC {
        return Err(PskProblem::Public);
    }
    if let Some(position) = text.chars().position(|c| !c.is_ascii_alphanumeric()) {
        return Err(PskProblem::Alphabet(position + 1));
    }
    match text.len() {
        n if n < SHORTEST => Err(PskProblem::TooShort(n)),
        n if n > LONGEST => Err(PskProblem::TooLong(n)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_in_words_is_the_rule() {
        assert_eq!(psk_rule!(), format!("{SHORTEST} to {LONGEST} letters and digits"));
    }

    #[test]
    fn a_word_of_a_guide_is_public_however_it_is_written() {
        for key in [PUBLIC, "secret", "my-secret", "Bla_bla_bla", "SuperSecretPSK", "PASSWORD"] {
            assert!(is_public(key), "{key}");
        }
        for key in ["", "---", "Str0ngKey4711Str0ngKey4711abcd", "secretive"] {
            assert!(!is_public(key), "{key}");
        }
    }
}
