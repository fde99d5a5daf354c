//! What is sent to Keystone to prove who the user is, and its request for more.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cloud::credentials::{ApplicationCredential, Credentials, Domain, Method, Named};
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::http::Response;
use crate::cloud::printable::{Text, one_line};

/// Keystone's word that the first factor was right.
#[derive(Clone, Debug)]
pub struct Receipt {
    secret: SecretString,
    /// The combinations of methods Keystone accepts, each complete in itself (`[["password", "totp"]]`).
    pub accepted: Vec<Vec<String>>,
    pub(super) received: Timestamp,
    pub(super) good_for: Option<SignedDuration>,
    request_id: Option<String>,
}

impl Receipt {
    /// A 401 with a receipt asks for more; one without is a refusal.
    pub(super) fn of(answer: &Response) -> Option<Self> {
        #[derive(Deserialize)]
        struct FactorsAnswer {
            #[serde(default)]
            required_auth_methods: Vec<Vec<Text>>,
            receipt: Option<Life>,
        }
        #[derive(Deserialize)]
        struct Life {
            issued_at: Option<String>,
            expires_at: Option<String>,
        }
        let secret = answer.header("openstack-auth-receipt").filter(|_| answer.status.as_u16() == 401)?;
        let asked: Option<FactorsAnswer> = serde_json::from_slice(&answer.body).ok();
        let time = |text: Option<&String>| text.and_then(|text| text.parse::<Timestamp>().ok());
        let life = asked.as_ref().and_then(|asked| asked.receipt.as_ref());
        let good_for =
            life.and_then(|life| Some(time(life.expires_at.as_ref())?.duration_since(time(life.issued_at.as_ref())?)));
        let accepted = asked.map(|asked| asked.required_auth_methods).unwrap_or_default();
        Some(Self {
            secret: SecretString::from(secret),
            accepted: accepted.into_iter().map(in_order).collect(),
            received: Timestamp::now(),
            good_for,
            request_id: answer.request_id(),
        })
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(super) fn into_error(self) -> Error {
        let sets: Vec<_> = self.accepted.iter().map(|set| set.join(" + ")).collect();
        let wants = if sets.is_empty() { String::new() } else { format!(" ({})", one_line(&sets.join(" or "), 200)) };
        let mut error = Error::new(ErrorKind::SecondFactor, format!("Keystone asks for a second factor{wants}."));
        error.status = Some(401);
        error.request = Some("POST /v3/auth/tokens".to_owned());
        error.request_id = self.request_id;
        error
    }
}

/// Keystone holds each combination in a set, whose order differs from process to process.
fn in_order(set: Vec<Text>) -> Vec<String> {
    let names: BTreeSet<String> = set.into_iter().map(|Text(name)| name).collect();
    names.into_iter().collect()
}

impl Method {
    pub(super) fn secrets(&self) -> Vec<&SecretString> {
        match self {
            Self::Password { password: secret, .. }
            | Self::Totp { passcode: secret, .. }
            | Self::ApplicationCredential { secret, .. }
            | Self::Token { token: secret, .. } => vec![secret],
            Self::PasswordToAsk { .. } => Vec::new(),
            Self::MultiFactor(methods) => methods.iter().flat_map(Self::secrets).collect(),
        }
    }

    /// Adds its part to `identity`.
    fn describe(&self, methods: &mut Vec<Value>, parts: &mut Map<String, Value>) {
        let (name, part) = match self {
            Self::Password { user, password } => ("password", json!({"user": with(user, "password", password)})),
            Self::Totp { user, passcode } => ("totp", json!({"user": with(user, "passcode", passcode)})),
            Self::Token { token, .. } => ("token", json!({"id": token.expose_secret()})),
            // Nothing is sent before it has become a password.
            Self::PasswordToAsk { .. } => return,
            Self::ApplicationCredential { which, secret } => {
                let secret = secret.expose_secret();
                let part = match which {
                    ApplicationCredential::Id(id) => json!({"id": id, "secret": secret}),
                    ApplicationCredential::Name { name, user } => {
                        json!({"name": name, "user": named(user), "secret": secret})
                    }
                };
                ("application_credential", part)
            }
            Self::MultiFactor(list) => return list.iter().for_each(|method| method.describe(methods, parts)),
        };
        methods.push(name.into());
        parts.insert(name.to_owned(), part);
    }

    pub(super) fn user(&self) -> Option<&Named> {
        match self {
            Self::Password { user, .. } | Self::PasswordToAsk { user } | Self::Totp { user, .. } => Some(user),
            Self::MultiFactor(methods) => methods.iter().find_map(Self::user),
            Self::Token { user, .. } => user.as_ref(),
            Self::ApplicationCredential { .. } => None,
        }
    }

    pub(super) fn password(&self) -> Option<&SecretString> {
        match self {
            Self::Password { password, .. } => Some(password),
            Self::MultiFactor(methods) => methods.iter().find_map(Self::password),
            _ => None,
        }
    }
}

pub fn body(credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    enclose(&credentials.method, credentials)
}

/// The body that adds a passcode to a receipt: only what was missing, and the scope again.
pub(crate) fn passcode_body(credentials: &Credentials, passcode: &SecretString) -> Zeroizing<Vec<u8>> {
    let user = credentials.method.user().cloned().unwrap_or_else(|| Named::Id(String::new()));
    enclose(&Method::Totp { user, passcode: passcode.clone() }, credentials)
}

fn enclose(method: &Method, credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    let (mut methods, mut identity) = (Vec::new(), Map::new());
    method.describe(&mut methods, &mut identity);
    identity.insert("methods".to_owned(), methods.into());
    let mut auth = json!({"identity": identity});
    if let Some(project) = &credentials.project {
        auth["scope"] = json!({"project": named(project)});
    }
    Zeroizing::new(json!({"auth": auth}).to_string().into_bytes())
}

fn named(object: &Named) -> Value {
    match object {
        Named::Id(id) => json!({"id": id}),
        Named::Name { name, domain: Domain::Id(id) } => json!({"name": name, "domain": {"id": id}}),
        Named::Name { name, domain: Domain::Name(domain) } => json!({"name": name, "domain": {"name": domain}}),
    }
}

fn with(user: &Named, key: &str, secret: &SecretString) -> Value {
    let mut object = named(user);
    object[key] = secret.expose_secret().into();
    object
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn demo() -> Named {
        Named::Name { name: "demo".to_owned(), domain: Domain::Name("Default".to_owned()) }
    }

    #[test]
    fn an_application_credential_is_sent_without_a_scope() {
        let which = ApplicationCredential::Name { name: "ci".to_owned(), user: demo() };
        let body = body(&Credentials::with(Method::ApplicationCredential { which, secret: "s".into() }));
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            json!({"auth": {"identity": {"methods": ["application_credential"], "application_credential":
                {"name": "ci", "secret": "s", "user": {"name": "demo", "domain": {"name": "Default"}}}}}})
        );
    }

    #[test]
    fn a_passcode_follows_a_receipt_for_the_same_user_and_scope() {
        let password = Method::Password { user: demo(), password: "hunter2".into() };
        let credentials = Credentials { project: Some(Named::Id("p".to_owned())), ..Credentials::with(password) };
        assert_eq!(
            serde_json::from_slice::<Value>(&passcode_body(&credentials, &"123456".into())).unwrap(),
            json!({"auth": {"identity": {"methods": ["totp"], "totp": {"user":
                {"name": "demo", "domain": {"name": "Default"}, "passcode": "123456"}}},
                "scope": {"project": {"id": "p"}}}})
        );
    }

    #[test]
    fn only_a_401_with_a_receipt_asks_for_a_second_factor() {
        let body = br#"{"receipt": {}, "required_auth_methods": [["totp", "password"]]}"#;
        let mut answer = Response {
            label: String::new(),
            place: String::new(),
            status: StatusCode::UNAUTHORIZED,
            headers: [("openstack-auth-receipt".parse().unwrap(), "r".parse().unwrap())].into_iter().collect(),
            body: body.to_vec(),
        };
        let error = Receipt::of(&answer).unwrap().into_error();
        assert_eq!(error.kind, ErrorKind::SecondFactor);
        assert_eq!(error.message, "Keystone asks for a second factor (password + totp).");
        answer.headers.clear();
        assert!(Receipt::of(&answer).is_none());
    }
}
