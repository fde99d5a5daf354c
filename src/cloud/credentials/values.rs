//! What is plainly no value, and must not be sent to a Keystone that counts failed tries: text that is still encrypted, and
//! the name of something that was never put in its place.

use super::settings::{PROOFS, Setting};

/// Text that is still encrypted begins with one of these; the name of what made it.
const ENCRYPTED: [(&str, &str); 9] = [
    ("$ANSIBLE_VAULT;", "Ansible Vault"),
    ("ENC[AES256_GCM,", "SOPS"),
    ("ENC[PKCS7,", "eyaml"),
    ("ENC[GPG,", "eyaml"),
    ("ENC(", "Jasypt"),
    ("-----BEGIN PGP MESSAGE-----", "PGP"),
    ("-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    ("age-encryption.org/", "age"),
    ("\0GITCRYPT", "git-crypt"),
];
/// References to a place where a secret is kept, which another program would have resolved.
const REFERENCES: [&str; 7] = ["op://", "vault://", "ref+", "secret://", "arn:aws:", "keyring://", "pass://"];
const PATHS: [&str; 3] = ["cacert", "cert", "key"];

pub(crate) fn encrypted_by(text: &str) -> Option<&'static str> {
    ENCRYPTED.iter().find(|(start, _)| text.trim_start().starts_with(start)).map(|(_, name)| *name)
}

/// Why a setting has no value that could be sent, if it has none. Nothing of the value is in it but the name of a variable.
pub fn fault(name: &str, setting: &Setting) -> Option<String> {
    let text = setting.text();
    let is_secret = PROOFS.contains(&name);
    if let Some(by) = encrypted_by(text) {
        return Some(format!("it is still encrypted, by {by}; {}", instead(name, by, setting)));
    }
    if let Some(tag) = &setting.tag {
        let tag = tag.as_str();
        let what = if tag.contains("vault") { "a value encrypted by Ansible Vault" } else { "a value to be resolved" };
        let by = if tag.contains("vault") { "Ansible Vault" } else { "" };
        return Some(format!("the tag `{}` marks {what}; {}", shown(tag), instead(name, by, setting)));
    }
    if PATHS.contains(&name) && text.contains("-----BEGIN") {
        return Some("this is the text of a PEM file; save it to a file and give its path".to_owned());
    }
    if is_secret && text.contains("-----BEGIN ") {
        return Some("this is the text of a PEM file, not the value".to_owned());
    }
    if REFERENCES.iter().any(|start| text.starts_with(start)) && !text.contains(char::is_whitespace) {
        return Some(format!(
            "it names the place where the value is stored, and is not the value; {}",
            instead(name, "", setting)
        ));
    }
    if let Some(variable) = unexpanded(text, is_secret) {
        return Some(format!("`{}` was not replaced by its value; {}", shown(variable), instead(name, "", setting)));
    }
    if is_placeholder(text) {
        return Some(format!("this is a placeholder; {}", instead(name, "", setting)));
    }
    if name == "token" && text.contains(|c: char| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        return Some("a token is one word of letters, digits, - and _; there is more here than the token".to_owned());
    }
    None
}

fn shown(text: &str) -> String {
    crate::cloud::printable::one_line(text, 60)
}

fn instead(name: &str, by: &str, setting: &Setting) -> String {
    let view = match by {
        "Ansible Vault" => "read it with ansible-vault view, and ",
        "SOPS" => "run osvpn by sops exec-env, or ",
        _ => "",
    };
    match (name, &setting.file) {
        ("password", None) => format!("{view}set this to the password itself, or unset it to be asked"),
        ("password", Some(file)) => {
            let or = if file.contains("secure.") { "" } else { " or secure.yaml" };
            format!("{view}give the password in OS_PASSWORD{or}, or leave it out here to be asked for it")
        }
        ("passcode", _) => "leave it out here to be asked for it".to_owned(),
        _ => format!("{view}write the value itself here"),
    }
}

/// The name of a variable that was meant to be expanded. A secret may have such signs in it, so there the whole has to be
/// one: `${OS_PASSWORD}`, `$OS_PASSWORD`, `%OS_PASSWORD%`, `$env:OS_PASSWORD`, `{{ password }}`, `$(pass cloud)`.
fn unexpanded(text: &str, is_secret: bool) -> Option<&str> {
    let pairs = [("${", "}"), ("{{", "}}"), ("$(", ")"), ("%(", ")s"), ("<%=", "%>"), ("{%", "%}")];
    let whole = |(open, close): &(&str, &str)| {
        text.len() > open.len() + close.len() && text.starts_with(open) && text.ends_with(close)
    };
    if pairs.iter().any(whole) {
        return Some(text);
    }
    let word = |inner: &str| {
        let mut letters = inner.chars();
        let is_name = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
        // `$ecret1` can be a password; `$OS_PASSWORD` and `$password` cannot.
        let is_meant = |inner: &str| {
            let lower = inner.to_ascii_lowercase();
            let speaks = ["pass", "secret", "token", "pwd", "user"].iter().any(|word| lower.contains(word));
            inner.len() > 2 && (speaks || inner.contains('_') && inner == inner.to_ascii_uppercase())
        };
        is_name && (!is_secret || is_meant(inner))
    };
    let dollar = text.strip_prefix('$').is_some_and(word);
    let percent = text.strip_prefix('%').and_then(|inner| inner.strip_suffix('%')).is_some_and(word);
    // PowerShell's.
    let of_powershell = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("$env:"))
        && text[5..].chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() > 5;
    if dollar || percent || of_powershell {
        return Some(text);
    }
    // Within an address or a name.
    let at = text.find("${").or_else(|| text.find("{{")).filter(|_| !is_secret)?;
    let end = text[at..].find('}').map_or(text.len(), |length| at + length + 1);
    text.get(at..end)
}

/// `<password>`, `<YOUR_PASSWORD>`, `[your password]`; asterisks where somebody masked it.
fn is_placeholder(text: &str) -> bool {
    let within = |open: char, close: char| text.strip_prefix(open).and_then(|inner| inner.strip_suffix(close));
    let words = |inner: &str| {
        inner.len() > 2
            && inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && inner.chars().all(|c| c.is_alphabetic() || " _-.'".contains(c))
    };
    let is_masked = text.len() > 2 && text.chars().all(|c| matches!(c, '*' | '•' | '●'));
    within('<', '>').is_some_and(words) || is_masked
}
