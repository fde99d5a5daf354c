use super::{Case, Check, Fix, Nature, Verdict, Weight};
use crate::inspect::Keys;

pub const KEY: Check =
    Check { id: "key", label: "pre-shared keys are equal", natures: &[Nature::SharedWithPeer], prove: are_equal };

pub const KEY_SECRECY: Check =
    Check { id: "key-secrecy", label: "the pre-shared key is secret", natures: &[Nature::Security], prove: is_secret };

fn are_equal(case: &Case<'_>) -> Verdict {
    match case.keys {
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

fn is_secret(case: &Case<'_>) -> Verdict {
    let weakness = match case.keys {
        Keys::Unread => return Verdict::Open("it was not read".to_owned()),
        Keys::Unreadable(_) => return Verdict::Open("it could not be read".to_owned()),
        Keys::Read { weakness: None, .. } => return Verdict::good(""),
        Keys::Read { weakness: Some(weakness), .. } => *weakness,
    };
    let weight = if weakness.is_known_to_others() { Weight::Exposes } else { Weight::Warns };
    Verdict::bad(weight, weakness.to_string(), weakness.means(), new_key(case))
}

/// A new key; where the peer is external, only one that it has got.
fn new_key(case: &Case<'_>) -> Fix {
    if case.vpn.b().is_some() {
        return Fix::RotateKey;
    }
    if let Some(fix) = case.after_repair(case.vpn.command("rotate-psk").words("--renew")) {
        return fix;
    }
    Fix::ByHand(vec![
        "agree upon a new key with the owner of the peer, and once it has it:".into(),
        case.vpn.command("rotate-psk").words("--renew --psk-file PATH").into(),
    ])
}
