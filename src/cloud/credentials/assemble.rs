//! From settings to credentials, or to exactly what is missing.

use secrecy::SecretString;

use super::address;
use super::find_error::FindError;
use super::settings::{Setting, Settings};
use super::sources::Sources;
use super::values::fault;
use super::{
    ApplicationCredential, ClientCertificate, CredentialOrigin, Credentials, Domain, Method, Named, NamedFile,
    NetworkEndpoint, Tls,
};
use crate::cloud::inventory::RegionId;
use crate::cloud::printable::{one_line, printable};

impl Settings {
    pub fn credentials(
        &self,
        sources: &Sources,
        origin: &CredentialOrigin,
        warnings: &mut Vec<String>,
    ) -> Result<Credentials, FindError> {
        let mut needs = Needs { settings: self, origin, missing: Vec::new(), fault: None };
        let region = needs.get("region_name").map(ToOwned::to_owned);
        let region = region.as_deref().and_then(|list| list.split(',').map(str::trim).find(|name| !name.is_empty()));
        let region = region.or_else(|| self.regions().first().map(|listed| listed.name.as_str()));
        let auth_url = needs.text("auth_url").replace("{region_name}", region.unwrap_or_default());
        let method = needs.method(warnings)?;
        // A password that is all that is missing can be asked for.
        if !needs.missing.is_empty() && matches!(method, Method::PasswordToAsk { .. }) {
            needs.lacks(&["password"]);
        }
        let project = match method {
            Method::ApplicationCredential { .. } => None,
            _ => needs.named("project_id", "project_name", "project_domain_id", "project_domain_name"),
        };
        needs.scope(project.is_some(), warnings);
        let network_endpoints = needs.network_endpoints(region, warnings)?;
        let interface = needs.interface()?;
        let tls = needs.tls(sources, warnings)?;
        needs.outcome()?;
        if self.get("identity_api_version").is_some_and(|version| version.starts_with('2')) {
            let name = self.name("identity_api_version", origin);
            warnings.push(format!("{name} asks for Identity v2, which no longer exists; version 3 is used."));
        }
        if self.get("api_timeout").is_some() {
            let name = self.name("api_timeout", origin);
            warnings.push(format!("{name} is not used: a request has 60 s, and a connection 10 s."));
        }
        Ok(Credentials {
            auth_url: address::keystone(&auth_url, warnings)
                .map_err(|problem| self.unusable(origin, "auth_url", problem.to_string()))?,
            method,
            project,
            region: region.map(RegionId::new),
            interface,
            network_endpoints,
            tls,
            in_file: matches!(origin, CredentialOrigin::Cloud { .. }),
        })
    }

    pub fn name(&self, key: &str, origin: &CredentialOrigin) -> String {
        self.setting(key).map_or_else(|| written(origin, key), |setting| setting.key.clone())
    }

    fn unusable(&self, origin: &CredentialOrigin, key: &str, reason: String) -> FindError {
        let setting = self.setting(key);
        let place = match (origin, setting.and_then(Setting::place)) {
            (CredentialOrigin::Cloud { name, .. }, Some(place)) => format!("cloud `{name}` in {place}"),
            (CredentialOrigin::Cloud { .. }, None) if setting.is_some() => CredentialOrigin::Environment.to_string(),
            _ => origin.to_string(),
        };
        FindError::Unusable { place, key: Some(self.name(key, origin)), reason }
    }
}

/// A setting's name as it is written where the others came from.
pub fn written(origin: &CredentialOrigin, key: &str) -> String {
    match origin {
        CredentialOrigin::Environment => format!("OS_{}", key.to_ascii_uppercase()),
        CredentialOrigin::Cloud { .. }
            if matches!(key, "verify" | "insecure" | "cacert" | "auth_type" | "interface") =>
        {
            key.to_owned()
        }
        CredentialOrigin::Cloud { .. } => format!("auth.{key}"),
    }
}

/// Takes settings that must be there and notes those that are not, and the first that is plainly no value.
struct Needs<'a> {
    settings: &'a Settings,
    origin: &'a CredentialOrigin,
    missing: Vec<String>,
    fault: Option<FindError>,
}

impl<'a> Needs<'a> {
    fn outcome(self) -> Result<(), FindError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.missing.is_empty() {
            return Ok(());
        }
        let empty = ["auth_url", "username", "password", "token", "application_credential_secret"];
        let note = self.settings.empty_note(&empty).or_else(|| self.settings.left_out.clone());
        Err(FindError::Missing { origin: self.origin.clone(), missing: self.missing, note })
    }

    fn lacks(&mut self, keys: &[&str]) {
        self.missing.push(keys.iter().map(|key| written(self.origin, key)).collect::<Vec<_>>().join(" or "));
    }

    fn setting(&mut self, key: &str) -> Option<&'a Setting> {
        let setting = self.settings.setting(key)?;
        if let (None, Some(reason)) = (&self.fault, fault(key, setting)) {
            self.fault = Some(self.settings.unusable(self.origin, key, reason));
        }
        Some(setting)
    }

    fn get(&mut self, key: &str) -> Option<&'a str> {
        self.setting(key).map(Setting::text)
    }

    fn text(&mut self, key: &str) -> String {
        self.get(key).map(str::to_owned).unwrap_or_else(|| {
            self.lacks(&[key]);
            String::new()
        })
    }

    fn secret(&mut self, key: &str) -> SecretString {
        self.setting(key).map(Setting::secret).unwrap_or_else(|| {
            self.lacks(&[key]);
            SecretString::default()
        })
    }

    fn named(&mut self, id: &str, name: &str, domain_id: &str, domain_name: &str) -> Option<Named> {
        if let Some(id) = self.get(id) {
            return Some(Named::Id(id.to_owned()));
        }
        let name = self.get(name)?.to_owned();
        // The shorthands `domain_id` and `domain_name` stand for both, and without any the `openstack` command takes
        // the domain `default`.
        let domains = [
            (domain_id, true),
            (domain_name, false),
            ("domain_id", true),
            ("domain_name", false),
            ("default_domain", true),
            ("default_domain_name", false),
        ];
        let domain = domains.into_iter().find_map(|(key, is_id)| Some((self.get(key)?.to_owned(), is_id)));
        let domain = match domain {
            Some((name, false)) => Domain::Name(name),
            Some((id, true)) => Domain::Id(id),
            None => Domain::Id("default".to_owned()),
        };
        Some(Named::Name { name, domain })
    }

    /// A VPN belongs to a project: other scopes are named, and not silently left out.
    fn scope(&mut self, has_project: bool, warnings: &mut Vec<String>) {
        let (settings, origin) = (self.settings, self.origin);
        if self.get("trust_id").is_some() {
            let reason =
                "trusts are not supported; use an application credential of the user who gave the trust".to_owned();
            self.fault.get_or_insert(settings.unusable(origin, "trust_id", reason));
        }
        match (self.get("system_scope").is_some(), has_project) {
            (true, true) => {
                let name = settings.name("system_scope", origin);
                warnings.push(format!("{name} is not used: a VPN belongs to a project, and one is named."));
            }
            (true, false) => {
                let name = written(origin, "project_name");
                let reason = format!("a VPN belongs to a project; leave this out and name one ({name})");
                self.fault.get_or_insert(settings.unusable(origin, "system_scope", reason));
            }
            (false, _) => {}
        }
    }

    fn network_endpoints(
        &mut self,
        region: Option<&str>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<NetworkEndpoint>, FindError> {
        const KEY: &str = "network_endpoint_override";
        let mut found = Vec::new();
        if let Some(text) = self.get(KEY) {
            let text = text.replace("{region_name}", region.unwrap_or_default());
            let reason = || "this is not the http:// or https:// address of a network service".to_owned();
            let url = address::network(&text).ok_or_else(|| self.settings.unusable(self.origin, KEY, reason()))?;
            found.push(NetworkEndpoint { region: region.map(RegionId::new), url });
        }
        // A mistake in a region that is not worked in must not keep anybody from signing in.
        for (region, setting) in &self.settings.elsewhere {
            let url = address::network(setting.text()).filter(|_| fault(KEY, setting).is_none());
            let name = printable(region);
            if let Some(url) = url {
                found.push(NetworkEndpoint { region: Some(RegionId::new(name)), url });
            } else {
                let place = setting.place().unwrap_or_default();
                warnings.push(format!("The {KEY} of region {name} ({place}) is no address and is not used."));
            }
        }
        Ok(found)
    }

    fn interface(&mut self) -> Result<String, FindError> {
        let key = if self.settings.get("network_interface").is_some() { "network_interface" } else { "interface" };
        let text = self.get(key).unwrap_or("public").to_ascii_lowercase();
        let word = text.trim_end_matches("url");
        if self.fault.is_none() && !matches!(word, "public" | "internal" | "admin") {
            let reason = "this must be public, internal or admin".to_owned();
            return Err(self.settings.unusable(self.origin, key, reason));
        }
        Ok(word.to_owned())
    }

    fn tls(&mut self, sources: &Sources, warnings: &mut Vec<String>) -> Result<Tls, FindError> {
        let insecure = self.flag("insecure")? == Some(true) || self.flag("verify")? == Some(false);
        if insecure {
            warnings.push(
                "Certificates are not checked: anyone on the network path can read the password and the token."
                    .to_owned(),
            );
        }
        let mut file = |key: &str| {
            let setting = self.setting(key)?;
            let place = setting.place().map(|place| format!(" ({place})")).unwrap_or_default();
            Some(NamedFile { setting: format!("{}{place}", setting.key), path: sources.path(setting.text()) })
        };
        let (authorities, certificate, key) = (file("cacert"), file("cert"), file("key"));
        if let (None, Some(NamedFile { setting, .. })) = (&certificate, &key) {
            let text =
                format!("{setting} is not used: it is the key of a client certificate, and there is no certificate.");
            warnings.push(text);
        }
        let client = certificate.map(|certificate| ClientCertificate { certificate, key });
        Ok(Tls { authorities, insecure, client })
    }

    fn flag(&mut self, key: &str) -> Result<Option<bool>, FindError> {
        match self.get(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "on" | "1" | "y" | "t") => Ok(Some(true)),
            Some("false" | "no" | "off" | "0" | "n" | "f") => Ok(Some(false)),
            Some(_) if self.fault.is_some() => Ok(None),
            Some(other) => {
                let more = if other.contains(['/', '.']) { "; a file of certificates belongs into cacert" } else { "" };
                Err(self.settings.unusable(self.origin, key, format!("this must be true or false{more}")))
            }
        }
    }

    fn known_user(&mut self) -> Option<Named> {
        self.named("user_id", "username", "user_domain_id", "user_domain_name")
    }

    fn user(&mut self) -> Named {
        self.known_user().unwrap_or_else(|| {
            self.lacks(&["username", "user_id"]);
            Named::Id(String::new())
        })
    }

    fn method(&mut self, warnings: &mut Vec<String>) -> Result<Method, FindError> {
        let asked = self.get("auth_type").map(kind_of);
        if let Some(token) = self.setting("token") {
            let has_password = self.settings.get("password").is_some();
            if asked.as_deref().is_some_and(|kind| kind != "token") || has_password {
                let name = &token.key;
                warnings
                    .push(format!("{name} is set, so the token is used and nothing else; unset it to sign in again."));
            }
            return Ok(Method::Token { token: token.text().into(), user: self.known_user() });
        }
        let kind = asked.unwrap_or_else(|| {
            let has = |key| self.settings.get(key).is_some();
            let credential = has("application_credential_id") || has("application_credential_name");
            if credential || has("application_credential_secret") { "applicationcredential" } else { "password" }
                .to_owned()
        });
        self.by_kind(&kind, warnings)
    }

    fn by_kind(&mut self, kind: &str, warnings: &mut Vec<String>) -> Result<Method, FindError> {
        Ok(match kind {
            "password" | "v2password" => {
                if kind == "v2password" {
                    let name = self.settings.name("auth_type", self.origin);
                    warnings.push(format!("{name} asks for Identity v2, which no longer exists; version 3 is used."));
                }
                match (self.user(), self.setting("password")) {
                    (user, Some(password)) => Method::Password { user, password: password.secret() },
                    (user, None) => Method::PasswordToAsk { user },
                }
            }
            "totp" => Method::Totp { user: self.user(), passcode: self.secret("passcode") },
            "token" | "v2token" => Method::Token { token: self.secret("token"), user: self.known_user() },
            "applicationcredential" => self.application_credential(),
            "multifactor" => return self.multi_factor(warnings),
            _ => {
                let written = self.settings.get("auth_type").unwrap_or(kind);
                let reason = unsupported(kind, written, self.origin);
                return Err(self.settings.unusable(self.origin, "auth_type", reason));
            }
        })
    }

    fn application_credential(&mut self) -> Method {
        let by_id = self.get("application_credential_id").map(|id| ApplicationCredential::Id(id.to_owned()));
        let by_name = if by_id.is_none() { self.get("application_credential_name").map(str::to_owned) } else { None };
        let which = match (by_id, by_name) {
            (Some(by_id), _) => by_id,
            (None, Some(name)) => ApplicationCredential::Name { name, user: self.user() },
            (None, None) => {
                self.lacks(&["application_credential_id", "application_credential_name"]);
                ApplicationCredential::Id(String::new())
            }
        };
        Method::ApplicationCredential { which, secret: self.secret("application_credential_secret") }
    }

    fn multi_factor(&mut self, warnings: &mut Vec<String>) -> Result<Method, FindError> {
        let list = self.text("auth_methods");
        // One within another would not end.
        let kinds = list.split(',').map(kind_of).filter(|kind| !kind.is_empty() && kind != "multifactor");
        let mut kinds: Vec<_> = kinds.collect();
        // A passcode is seldom written down: Keystone asks for it once the password is right.
        if kinds.iter().any(|kind| kind == "password") && self.settings.get("passcode").is_none() {
            kinds.retain(|kind| kind != "totp");
        }
        if let [only] = kinds.as_slice() {
            return self.by_kind(only, warnings);
        }
        let factors = kinds.iter().map(|kind| self.by_kind(kind, warnings)).collect::<Result<Vec<_>, _>>()?;
        if factors.iter().any(|factor| matches!(factor, Method::PasswordToAsk { .. })) {
            self.lacks(&["password"]);
        }
        Ok(Method::MultiFactor(factors))
    }
}

/// `v3password` is `password`, and `v3_application_credential` is `applicationcredential`.
fn kind_of(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    text.strip_prefix("v3").unwrap_or(&text).replace(['_', '-'], "")
}

fn unsupported(kind: &str, written_as: &str, origin: &CredentialOrigin) -> String {
    let what = match kind {
        kind if kind.starts_with("oidc") || kind.contains("websso") => "signing in by OpenID Connect is",
        kind if kind.contains("saml") || kind.contains("adfs") => "signing in by SAML is",
        "kerberos" => "signing in by Kerberos is",
        "oauth1" | "oauth2clientcredential" | "oauth2mtlsclientcredential" => "signing in by OAuth is",
        "none" | "noauth" | "admintoken" | "httpbasic" => "a cloud without Keystone is",
        _ => "this way to sign in is",
    };
    let kind = one_line(written_as, 40);
    let (token, project) = (written(origin, "token"), written(origin, "project_id"));
    format!(
        "{what} not supported ({kind}); create an application credential in the dashboard (Identity, Application \
         Credentials) and use that, or take a token where you can sign in (openstack token issue -f value -c id) and give \
         it as {token}, with the project ({project}); password and multi-factor sign-in work too"
    )
}
