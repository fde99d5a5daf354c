//! Whether both halves have the same key, and whether nobody else has it.

use super::{Case, Fix, Verdict, Weight};
use crate::inspect::Keys;

impl Case<'_> {
    pub(super) fn key(&self) -> Verdict {
        match self.keys {
            Keys::Unread => Verdict::Open("they were not read".to_owned()),
            Keys::Unreadable(error) => Verdict::Open(format!("they could not be read: {error}")),
            Keys::Read { equal: Some(false), .. } => Verdict::bad(
                Weight::Stops,
                "the two halves have different keys",
                "each refuses the other; a tunnel that is up goes down at the next re-authentication",
                Fix::RotateKey,
            ),
            Keys::Read { equal: Some(true), .. } => Verdict::good(""),
            Keys::Read { equal: None, .. } => Verdict::Open("see that the peer has the same key".to_owned()),
        }
    }

    pub(super) fn key_secrecy(&self) -> Verdict {
        let weakness = match self.keys {
            Keys::Unread => return Verdict::Open("it was not read".to_owned()),
            Keys::Unreadable(_) => return Verdict::Open("it could not be read".to_owned()),
            Keys::Read { weakness: None, .. } => return Verdict::good(""),
            Keys::Read { weakness: Some(weakness), .. } => *weakness,
        };
        let weight = if weakness.is_known_to_others() { Weight::Exposes } else { Weight::Warns };
        Verdict::bad(weight, weakness.to_string(), weakness.means(), self.new_key())
    }

    /// A new key; where the peer is outside, only one that it has got.
    fn new_key(&self) -> Fix {
        if self.vpn.b().is_some() {
            return Fix::RotateKey;
        }
        Fix::ByHand(vec![
            "agree upon a new key with the owner of the peer, and once it has it:".into(),
            self.vpn.command("rotate-psk").words("--renew --psk-file PATH").into(),
        ])
    }
}
