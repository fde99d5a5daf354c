//! How systems write algorithms. Each spelling is read, whichever system it is of: no word means two things.

use crate::plan::policy::{AuthAlgorithm, DhGroup, EncryptionAlgorithm};
use crate::sheet::PeerFormat;

/// The algorithms of which a system takes one of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transforms {
    pub encryption: Vec<EncryptionAlgorithm>,
    pub auth: Vec<AuthAlgorithm>,
    pub groups: Vec<DhGroup>,
    /// What `VPNaaS` has no word for, as it is written.
    pub unknown: Vec<String>,
}

impl Transforms {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads words of any kind, as strongSwan joins them.
    pub(super) fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut found = Self::default();
        let mut functions = Vec::new();
        for word in words {
            if let Some(function) = word.strip_prefix("prf") {
                functions.extend(integrity(function));
            } else if !found.take_cipher(word) && !found.take_integrity(word) && !found.take_group(word) {
                let says_nothing = ["", "null", "esn", "noesn", "default", "non_auth", "modpnone"];
                found.unknown.extend(Some(word.to_owned()).filter(|word| !says_nothing.contains(&word.as_str())));
            }
        }
        // With a cipher that has an integrity of its own, the policy's says the PRF.
        if found.auth.is_empty() {
            found.auth = functions;
        }
        found
    }

    pub(super) fn take_cipher(&mut self, word: &str) -> bool {
        self.encryption.extend(cipher(word));
        cipher(word).is_some()
    }

    pub(super) fn take_integrity(&mut self, word: &str) -> bool {
        self.auth.extend(integrity(word));
        integrity(word).is_some()
    }

    pub(super) fn take_group(&mut self, word: &str) -> bool {
        self.groups.extend(group(word));
        group(word).is_some()
    }

    /// Reads a word of one kind; what is not known is kept as it is written.
    pub(super) fn take(&mut self, word: &str, as_kind: fn(&mut Self, &str) -> bool) {
        if !as_kind(self, word) {
            self.unknown.push(word.trim().to_owned());
        }
    }
}

/// Letters and digits in small letters, up to a remark in brackets.
fn plain(word: &str) -> String {
    let word = word.split('(').next().unwrap_or_default();
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn numbers(word: &str) -> impl Iterator<Item = u32> + '_ {
    word.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}

fn cipher(word: &str) -> Option<EncryptionAlgorithm> {
    let word = plain_apart(word);
    let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect();
    if matches!(letters.as_str(), "des" | "descbc" | "espdes") && numbers(&word).eq([3]) {
        return Some(EncryptionAlgorithm::TripleDes);
    }
    let mode = match letters.as_str() {
        "aes" | "aescbc" | "espaes" => "",
        "aesctr" => "-ctr",
        "aesgcm" | "aesgcmtagofbytes" | "espgcm" => "-gcm",
        "aesccm" | "aesccmtagofbytes" => "-ccm",
        _ => return None,
    };
    let mut numbers: Vec<u32> = numbers(&word).collect();
    let key = numbers.iter().position(|number| [128, 192, 256].contains(number)).map(|at| numbers.remove(at));
    let key = key.unwrap_or(128);
    let tag = match (mode, numbers.as_slice()) {
        ("" | "-ctr", []) => String::new(),
        ("-gcm" | "-ccm", [] | [16 | 128]) => "-16".to_owned(),
        ("-gcm" | "-ccm", [12 | 96]) => "-12".to_owned(),
        ("-gcm" | "-ccm", [8 | 64]) => "-8".to_owned(),
        _ => return None,
    };
    format!("aes-{key}{mode}{tag}").parse().ok()
}

/// In small letters, with a blank where something else than letters and digits is.
fn plain_apart(word: &str) -> String {
    let word = word.split('(').next().unwrap_or_default();
    word.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect()
}

fn integrity(word: &str) -> Option<AuthAlgorithm> {
    let word = plain(word);
    let word = word.strip_prefix("esp").unwrap_or(&word);
    let word = word.strip_prefix("hmac").unwrap_or(word);
    Some(match word.strip_suffix("hmac").unwrap_or(word) {
        "sha" | "sha1" | "sha196" => AuthAlgorithm::Sha1,
        "sha256" | "sha2256" | "sha256128" | "sha2256128" => AuthAlgorithm::Sha256,
        "sha384" | "sha2384" | "sha384192" | "sha2384192" => AuthAlgorithm::Sha384,
        "sha512" | "sha2512" | "sha512256" | "sha2512256" => AuthAlgorithm::Sha512,
        "aesxcbc" | "aesxcbc96" | "aes128xcbc" => AuthAlgorithm::AesXcbc,
        "aescmac" | "aescmac96" | "aes128cmac" => AuthAlgorithm::AesCmac,
        _ => return None,
    })
}

fn group(word: &str) -> Option<DhGroup> {
    let word = plain(word);
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let is_number = ["", "group", "dh", "dhgroup", "diffiehellman", "diffiehellmangroup", "pfsgroup"]
        .contains(&&word[..word.len() - digits.len()]);
    if is_number && !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
        return format!("group{digits}").parse().ok();
    }
    if word == "x25519" {
        return Some(DhGroup::Group31);
    }
    let strongswan = PeerFormat::all().ok()?.iter().find(|format| format.word == "swanctl")?;
    strongswan.group_called(&word)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_every_format_is_read_as_what_it_stands_for() {
        let read_by = ["values", "swanctl", "ipsec-conf", "libreswan", "fortios", "ios-xe", "aws"];
        for format in PeerFormat::all().unwrap().iter().filter(|format| read_by.contains(&format.word)) {
            for (phase, what, api, word) in format.vocabulary() {
                let read = match what {
                    "encryption" => cipher(word).map(|one| one.to_string()),
                    "auth" | "prf" => integrity(word.strip_prefix("prf").unwrap_or(word)).map(|one| one.to_string()),
                    _ => group(word).map(|one| one.to_string()),
                };
                assert_eq!(read.as_deref(), Some(api), "{} {phase} {what} {word}", format.word);
            }
        }
        for (word, api) in [
            ("aes", "aes-128"),
            ("AES-256-CBC", "aes-256"),
            ("aes_gcm256", "aes-256-gcm-16"),
            ("aes128gcm96", "aes-128-gcm-12"),
        ] {
            assert_eq!(cipher(word).map(EncryptionAlgorithm::as_str), Some(api), "{word}");
        }
        for word in ["des", "aes257", "blowfish256", "aes256gcm7", "camellia256"] {
            assert_eq!(cipher(word), None, "{word}");
        }
        for word in ["1", "group1", "32", "modp768", "", "Group", "sha256"] {
            assert_eq!(group(word), None, "{word}");
        }
        assert_eq!((integrity("md5"), integrity("sha256-96")), (None, None), "another length is another algorithm");
    }
}
