//! The settings of one cloud under openstacksdk's names, whichever way they came.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The settings that mean something here, with the older names they also go by. All else in a file is passed over unread.
const KNOWN: [(&str, &[&str]); 27] = [
    ("auth_type", &[]),
    ("auth_url", &[]),
    ("auth_methods", &[]),
    ("username", &["user_name"]),
    ("user_id", &[]),
    ("password", &[]),
    ("passcode", &[]),
    ("token", &["auth_token"]),
    ("application_credential_id", &[]),
    ("application_credential_name", &[]),
    ("application_credential_secret", &[]),
    ("project_id", &["tenant_id"]),
    ("project_name", &["tenant_name"]),
    ("domain_id", &[]),
    ("domain_name", &[]),
    ("user_domain_id", &[]),
    ("user_domain_name", &[]),
    ("project_domain_id", &[]),
    ("project_domain_name", &[]),
    ("region_name", &["region"]),
    ("interface", &["endpoint_type"]),
    ("verify", &[]),
    ("insecure", &[]),
    ("cacert", &[]),
    ("cert", &[]),
    ("key", &[]),
    ("profile", &["cloud"]),
];

/// Those whose values nobody else may know.
const PROOFS: [&str; 4] = ["password", "passcode", "token", "application_credential_secret"];

fn canonical(key: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(name, aliases)| *name == key || aliases.contains(&key)).map(|(name, _)| *name)
}

/// The settings of one cloud. Any of them may be a secret, so all are kept as one.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    auth: BTreeMap<&'static str, SecretString>,
    own: BTreeMap<&'static str, SecretString>,
    regions: Vec<String>,
}

impl Settings {
    /// Sets one by any of its names; an empty value counts as none.
    pub fn set(&mut self, key: &str, value: &str) {
        Self::put(&mut self.own, key, value);
    }

    fn put(map: &mut BTreeMap<&'static str, SecretString>, key: &str, value: &str) {
        if let (Some(name), false) = (canonical(key), value.trim().is_empty()) {
            // An older name never displaces the present one, in whatever order the two stand.
            if name == key || !map.contains_key(name) {
                map.insert(name, SecretString::from(value));
            }
        }
    }

    /// Lays those on top: key by key, those under `auth` too.
    pub fn overlay(&mut self, upper: Self) {
        self.auth.extend(upper.auth);
        self.own.extend(upper.own);
        if !upper.regions.is_empty() {
            self.regions = upper.regions;
        }
    }

    /// Takes that region before all others.
    pub fn prefer_region(&mut self, region: &str) {
        self.auth.remove("region_name");
        self.set("region_name", region);
    }

    /// The profile to build upon.
    pub fn profile(&self) -> Option<&str> {
        self.get("profile")
    }

    /// One of them, without white space around it.
    pub fn get(&self, key: &'static str) -> Option<&str> {
        self.secret(key).map(|value| value.expose_secret().trim())
    }

    /// One of them, exactly as it was written; what stands under `auth` goes before what stands beside it.
    pub fn secret(&self, key: &'static str) -> Option<&SecretString> {
        self.auth.get(key).or_else(|| self.own.get(key))
    }

    /// A copy of [`Self::get`].
    pub fn text(&self, key: &'static str) -> Option<String> {
        self.get(key).map(str::to_owned)
    }

    /// The names of all that are set, as they are written in a file, sorted.
    pub fn names(&self) -> Vec<String> {
        let auth = self.auth.keys().map(|name| format!("auth.{name}"));
        let own = self.own.keys().map(|name| (*name).to_owned());
        auth.chain(own).chain((!self.regions.is_empty()).then(|| "regions".to_owned())).collect()
    }

    /// The values of those that prove who somebody is.
    pub fn secrets(&self) -> Vec<SecretString> {
        let all = self.auth.iter().chain(&self.own);
        all.filter(|(name, _)| PROOFS.contains(name)).map(|(_, value)| value.clone()).collect()
    }

    /// The first of the list `regions`.
    pub fn first_region(&self) -> Option<&str> {
        self.regions.first().map(String::as_str)
    }
}

/// Reads a cloud of a file. Known settings are asked for as text, so that `password: 0123` keeps its nought.
impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cloud;
        impl<'de> Visitor<'de> for Cloud {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut settings = Settings::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "auth" => {
                            if let Some(Settings { own, .. }) = map.next_value::<Option<Settings>>()? {
                                settings.auth = own;
                            }
                        }
                        "auth_methods" => {
                            let methods = map.next_value::<Option<Methods>>()?;
                            settings.set(&key, &methods.unwrap_or_default().0.join(","));
                        }
                        "regions" => {
                            let regions = map.next_value::<Option<Vec<Region>>>()?.unwrap_or_default();
                            settings.regions = regions.into_iter().map(|Region(name)| name).collect();
                        }
                        known if canonical(known).is_some() => {
                            settings.set(&key, &map.next_value::<Option<String>>()?.unwrap_or_default());
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(settings)
            }
        }
        deserializer.deserialize_map(Cloud)
    }
}

/// `auth_methods`: a list, or, as `OS_AUTH_METHODS` has it, the same in one text with commas between.
#[derive(Default)]
struct Methods(Vec<String>);

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Methods;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of ways to sign in, or their names with commas between")
            }

            fn visit_str<E>(self, names: &str) -> Result<Methods, E> {
                Ok(Methods(vec![names.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Methods, A::Error> {
                let mut methods = Methods::default();
                while let Some(name) = names.next_element()? {
                    methods.0.push(name);
                }
                Ok(methods)
            }
        }
        deserializer.deserialize_any(List)
    }
}

/// An entry of `regions`: a name, or a mapping with `name` and settings of that region, which are passed over.
struct Region(String);

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = Region;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a region")
            }

            fn visit_str<E>(self, name: &str) -> Result<Region, E> {
                Ok(Region(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Region, A::Error> {
                let mut region = Region(String::new());
                while let Some(key) = map.next_key::<String>()? {
                    if key == "name" {
                        region.0 = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(region)
            }
        }
        deserializer.deserialize_any(Entry)
    }
}
