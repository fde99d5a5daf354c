//! Takes secrets out of a text.

use secrecy::{ExposeSecret, SecretString};

use crate::cloud::credentials::{SECRET_VARIABLES, Sources};

/// Shorter secrets are found in half of all words, and taking them out would show them by their absence.
const SHORTEST: usize = 3;
/// How a token of Keystone's usual kind begins.
const FERNET: &str = "gAAAA";

/// Every secret that can be found: none of them is expected in the text.
#[derive(Debug)]
pub struct Redaction(Vec<SecretString>);

impl Redaction {
    /// What the environment and those files hold.
    pub fn new(sources: &Sources, mut secrets: Vec<SecretString>) -> Self {
        secrets.extend(SECRET_VARIABLES.iter().filter_map(|name| sources.var(name)).map(SecretString::from));
        secrets.retain(|secret| secret.expose_secret().trim().len() >= SHORTEST);
        // One may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self(secrets)
    }

    /// The text without them, and without anything that looks like a token.
    pub fn apply(&self, text: &str) -> String {
        let mut text =
            self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret().trim(), "[hidden]"));
        while let Some(start) = text.find(FERNET) {
            let rest = text.get(start..).unwrap_or_default();
            let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_=".contains(c))).unwrap_or(rest.len());
            text.replace_range(start..start + length, "[token]");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn known_secrets_and_what_looks_like_a_token_are_taken_out() {
        let vars = BTreeMap::from([("OS_PASSWORD".to_owned(), "hunter2".to_owned())]);
        let redaction =
            Redaction::new(&Sources { vars, ..Sources::default() }, vec!["hunter2 and more".into(), "ab".into()]);
        let text = "a hunter2 b hunter2 and more c gAAAAABl-x_Y= d about";
        assert_eq!(redaction.apply(text), "a [hidden] b [hidden] c [token] d about");
        assert!(!format!("{redaction:?}").contains("hunter2"));
    }
}
