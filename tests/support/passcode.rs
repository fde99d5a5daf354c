//! Passcodes as an authenticator computes them: RFC 6238 with SHA-1, six digits, a new one every half minute.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

/// In base 32, as a credential of type `totp` holds it; `tests/openstack/seed.py` gives this one to the user demo-mfa.
pub const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
/// The seconds a passcode is shown for.
pub const STEP: u64 = 30;

/// The passcode an authenticator shows that many steps after now; before, if it is negative.
pub fn passcode(steps: i64) -> String {
    at(SECRET, (seconds() / STEP).checked_add_signed(steps).unwrap())
}

/// For how many seconds more it is shown.
#[allow(dead_code, reason = "the tests of one program wait for it, those of the other do not")]
pub fn left() -> u64 {
    STEP - seconds() % STEP
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The passcode of a step, counted from 1970 on.
fn at(secret: &str, step: u64) -> String {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &decoded(secret));
    let hash = sign(&key, &step.to_be_bytes());
    let hash = hash.as_ref();
    let start = usize::from(hash[hash.len() - 1] & 15);
    let number = u32::from_be_bytes(hash[start..start + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Base 32 (RFC 4648) without padding.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|&one| one == letter).unwrap();
        bits = (bits << 5 | u32::try_from(value).unwrap()) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn passcodes_are_those_of_the_rfc() {
    // Appendix B, of whose eight digits these are the last six; its secret is "12345678901234567890".
    for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
        assert_eq!(at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", time / STEP), code);
    }
}
