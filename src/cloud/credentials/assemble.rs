//! From settings to credentials, or to exactly what is missing.

use secrecy::SecretString;

use super::find_error::FindError;
use super::settings::Settings;
use super::sources::Sources;
use super::{ApplicationCredential, Credentials, Domain, Method, Named, Origin, Tls};
use crate::cloud::inventory::RegionId;

impl Settings {
    /// What these settings amount to, or exactly what is missing of it.
    pub fn credentials(
        &self,
        sources: &Sources,
        origin: &Origin,
        warnings: &mut Vec<String>,
    ) -> Result<Credentials, FindError> {
        let region =
            self.get("region_name").and_then(|list| list.split(',').map(str::trim).find(|name| !name.is_empty()));
        let region = region.or_else(|| self.first_region());
        let mut needs = Needs { settings: self, origin, missing: Vec::new() };
        let auth_url = needs.text("auth_url").replace("{region_name}", region.unwrap_or_default());
        let method = needs.method(warnings)?;
        // A password that is all that is missing can be asked for.
        if !needs.missing.is_empty() && matches!(method, Method::PasswordToAsk { .. }) {
            needs.lacks(&["password"]);
        }
        let missing = needs.missing;
        if !missing.is_empty() {
            // A profile that was left out is likely to be where the rest was expected to come from.
            let note = warnings.iter().find(|text| text.starts_with("The profile")).cloned();
            return Err(FindError::Missing { origin: origin.clone(), missing, note });
        }
        let project = match method {
            Method::ApplicationCredential { .. } => None,
            _ => self.named("project_id", "project_name", "project_domain_id", "project_domain_name"),
        };
        if self.get("cert").is_some() {
            warnings
                .push("A client certificate (`cert`) is set; client certificates are not supported yet.".to_owned());
        }
        Ok(Credentials {
            auth_url: self.endpoint(&auth_url, origin, warnings)?,
            method,
            project,
            region: region.map(RegionId::new),
            interface: self.get("interface").map_or("public", |text| text.trim_end_matches("URL")).to_owned(),
            tls: self.tls(sources, origin, warnings)?,
        })
    }

    /// The Identity v3 address, with or without `/v3` in the setting.
    fn endpoint(&self, text: &str, origin: &Origin, warnings: &mut Vec<String>) -> Result<String, FindError> {
        let refuse = |reason| Err(unusable(origin, "auth_url", reason));
        let Ok(mut url) = reqwest::Url::parse(text) else { return refuse("this is not a URL") };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("this is neither an http:// nor an https:// address");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("a user name and password do not belong into the address");
        }
        let local = url.host_str().is_none_or(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() == "http" && !local && self.get("token").is_none() {
            warnings.push("The auth_url is not https: whoever is in between can read the password.".to_owned());
        }
        let path = url.path().trim_end_matches('/');
        let stem = path.strip_suffix("/v2.0").inspect(|_| {
            warnings.push("The auth_url ends in /v2.0; Identity v2 is no more, and /v3 is used.".to_owned());
        });
        let whole = match stem.unwrap_or(path) {
            path if path.ends_with("/v3") => path.to_owned(),
            path => format!("{path}/v3"),
        };
        url.set_path(&whole);
        url.set_query(None);
        url.set_fragment(None);
        Ok(url.to_string())
    }

    fn tls(&self, sources: &Sources, origin: &Origin, warnings: &mut Vec<String>) -> Result<Tls, FindError> {
        let flag = |key: &'static str| match self.get(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "on" | "1") => Ok(Some(true)),
            Some("false" | "no" | "off" | "0") => Ok(Some(false)),
            Some(_) => Err(unusable(origin, key, "this must be true or false")),
        };
        let insecure = flag("insecure")? == Some(true) || flag("verify")? == Some(false);
        if insecure {
            warnings
                .push("Certificates are not checked: whoever is in between can read password and token.".to_owned());
        }
        Ok(Tls { ca_file: self.get("cacert").map(|text| sources.path(text)), insecure })
    }

    fn named(
        &self,
        id: &'static str,
        name: &'static str,
        domain_id: &'static str,
        domain_name: &'static str,
    ) -> Option<Named> {
        if let Some(id) = self.text(id) {
            return Some(Named::Id(id));
        }
        // The shorthands `domain_id` and `domain_name` stand for both, and without any the `openstack` command takes
        // the domain `default`.
        let by_id = |key| self.text(key).map(Domain::Id);
        let by_name = |key| self.text(key).map(Domain::Name);
        let domain = by_id(domain_id)
            .or_else(|| by_name(domain_name))
            .or_else(|| by_id("domain_id"))
            .or_else(|| by_name("domain_name"))
            .unwrap_or_else(|| Domain::Id("default".to_owned()));
        Some(Named::Name { name: self.text(name)?, domain })
    }
}

fn unusable(origin: &Origin, key: &'static str, reason: &str) -> FindError {
    FindError::Unusable { place: origin.to_string(), key: Some(written(origin, key)), reason: reason.to_owned() }
}

/// A setting's name as it is written where the others came from.
pub fn written(origin: &Origin, key: &str) -> String {
    match origin {
        Origin::Environment => format!("OS_{}", key.to_ascii_uppercase()),
        Origin::Cloud { .. } if matches!(key, "verify" | "insecure" | "cacert" | "auth_type") => key.to_owned(),
        Origin::Cloud { .. } => format!("auth.{key}"),
    }
}

/// Takes settings that must be there and notes those that are not.
struct Needs<'a> {
    settings: &'a Settings,
    origin: &'a Origin,
    missing: Vec<String>,
}

impl Needs<'_> {
    fn lacks(&mut self, keys: &[&'static str]) {
        let names: Vec<_> = keys.iter().map(|key| written(self.origin, key)).collect();
        self.missing.push(names.join(" or "));
    }

    fn secret(&mut self, key: &'static str) -> SecretString {
        self.settings.secret(key).cloned().unwrap_or_else(|| {
            self.lacks(&[key]);
            SecretString::default()
        })
    }

    fn text(&mut self, key: &'static str) -> String {
        let text = self.settings.text(key);
        text.unwrap_or_else(|| {
            self.lacks(&[key]);
            String::new()
        })
    }

    fn known_user(&self) -> Option<Named> {
        self.settings.named("user_id", "username", "user_domain_id", "user_domain_name")
    }

    fn user(&mut self) -> Named {
        self.known_user().unwrap_or_else(|| {
            self.lacks(&["username", "user_id"]);
            Named::Id(String::new())
        })
    }

    fn method(&mut self, warnings: &mut Vec<String>) -> Result<Method, FindError> {
        let asked = self.settings.get("auth_type").map(str::to_ascii_lowercase);
        let asked = asked.as_deref().map(|kind| kind.strip_prefix("v3").unwrap_or(kind).replace('_', ""));
        if let Some(token) = self.settings.secret("token") {
            if asked.as_deref().is_some_and(|kind| kind != "token") || self.settings.get("password").is_some() {
                let name = written(self.origin, "token");
                warnings
                    .push(format!("{name} is set, so the token is used and nothing else; unset it to sign in anew."));
            }
            return Ok(Method::Token { token: token.clone(), user: self.known_user() });
        }
        let kind = asked.unwrap_or_else(|| {
            let has = |key| self.settings.get(key).is_some();
            let credential = has("application_credential_id") || has("application_credential_name");
            if credential || has("application_credential_secret") { "applicationcredential" } else { "password" }
                .to_owned()
        });
        self.by_kind(&kind)
    }

    fn by_kind(&mut self, kind: &str) -> Result<Method, FindError> {
        Ok(match kind {
            "password" => match (self.user(), self.settings.secret("password")) {
                (user, Some(password)) => Method::Password { user, password: password.clone() },
                (user, None) => Method::PasswordToAsk { user },
            },
            "totp" => Method::Totp { user: self.user(), passcode: self.secret("passcode") },
            "token" => Method::Token { token: self.secret("token"), user: self.known_user() },
            "applicationcredential" => {
                let by_id = self.settings.text("application_credential_id").map(ApplicationCredential::Id);
                let which = match (by_id, self.settings.text("application_credential_name")) {
                    (Some(by_id), _) => by_id,
                    (None, Some(name)) => ApplicationCredential::Name { name, user: self.user() },
                    (None, None) => {
                        self.lacks(&["application_credential_id", "application_credential_name"]);
                        ApplicationCredential::Id(String::new())
                    }
                };
                Method::ApplicationCredential { which, secret: self.secret("application_credential_secret") }
            }
            "multifactor" => {
                let list = self.text("auth_methods").to_ascii_lowercase();
                let kinds = list.split(',').map(|kind| kind.trim().trim_start_matches("v3").replace('_', ""));
                // One within another would not end.
                let mut kinds: Vec<_> = kinds.filter(|kind| !kind.is_empty() && kind != "multifactor").collect();
                // A passcode is seldom written down: Keystone asks for it once the password is right.
                if kinds.iter().any(|kind| kind == "password") && self.settings.secret("passcode").is_none() {
                    kinds.retain(|kind| kind != "totp");
                }
                if let [only] = kinds.as_slice() {
                    return self.by_kind(only);
                }
                let factors = kinds.iter().map(|kind| self.by_kind(kind)).collect::<Result<Vec<_>, _>>()?;
                if factors.iter().any(|factor| matches!(factor, Method::PasswordToAsk { .. })) {
                    self.lacks(&["password"]);
                }
                Method::MultiFactor(factors)
            }
            _ => {
                let reason = "this way to sign in is not supported; use password, token or v3applicationcredential";
                return Err(unusable(self.origin, "auth_type", reason));
            }
        })
    }
}
