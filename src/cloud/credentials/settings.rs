//! The settings of one cloud under openstacksdk's names, whichever way they came.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Spanned, Tagged};

/// The settings that mean something here, with the older names they also go by. All else in a file is passed over unread.
const KNOWN: [(&str, &[&str]); 35] = [
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
    // The `openstack` command takes an id here, whatever the name says.
    ("default_domain", &["default_domain_id"]),
    ("default_domain_name", &[]),
    ("system_scope", &[]),
    ("trust_id", &[]),
    ("region_name", &["region"]),
    ("interface", &["endpoint_type"]),
    ("network_interface", &["network_endpoint_type"]),
    ("network_endpoint_override", &["network_endpoint"]),
    ("identity_api_version", &[]),
    ("api_timeout", &[]),
    ("verify", &[]),
    ("insecure", &[]),
    ("cacert", &[]),
    ("cert", &["client_cert"]),
    ("key", &["client_key"]),
    ("profile", &["cloud"]),
];

pub(crate) const PROOFS: [&str; 4] = ["password", "passcode", "token", "application_credential_secret"];

/// openstacksdk takes a dash for an underscore.
fn canonical(key: &str) -> Option<&'static str> {
    let key = key.replace('-', "_");
    KNOWN.iter().find(|(name, aliases)| *name == key || aliases.contains(&key.as_str())).map(|(name, _)| *name)
}

pub(crate) fn is_known(variable: &str) -> bool {
    canonical(&variable.strip_prefix("OS_").unwrap_or(variable).to_ascii_lowercase()).is_some()
}

/// A setting, and where it is written. Any may be a secret, so all are kept as one.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    value: SecretString,
    /// Its name as it is written: `OS_PASSWORD`, `auth.password`.
    pub key: String,
    /// The file it stands in, as a screen shows it; none for a variable.
    pub file: Option<String>,
    /// The line there, from 1.
    pub line: u64,
    /// The tag before the value, as in `!vault`.
    pub tag: Option<String>,
}

impl Setting {
    /// Without white space around it.
    pub fn text(&self) -> &str {
        trimmed(self.value.expose_secret())
    }

    /// To the letter, but for a line end behind it: that comes from a file with DOS line ends, and no secret has one.
    pub fn secret(&self) -> SecretString {
        SecretString::from(self.value.expose_secret().trim_end_matches(['\r', '\n']))
    }

    pub fn place(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(if self.line == 0 { file.clone() } else { format!("{file}, line {}", self.line) })
    }
}

/// White space, and what editors and web pages leave behind that looks like nothing.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

#[derive(Clone, Debug, Default)]
pub struct Settings {
    auth: BTreeMap<&'static str, Setting>,
    own: BTreeMap<&'static str, Setting>,
    regions: Vec<ListedRegion>,
    /// The address of the network service in other regions, as their values have it.
    pub elsewhere: Vec<(String, Setting)>,
    /// Why the values of a profile or a region are not used: what is missing was likely to come from there.
    pub left_out: Option<String>,
    /// The lines of settings that are there without a value (`~`, or nothing).
    empty: BTreeMap<&'static str, u64>,
}

impl Settings {
    /// Sets one by any of its names, as a variable of that name has it; an empty value counts as none.
    pub(crate) fn set_variable(&mut self, variable: &str, value: &str) {
        let key = variable.strip_prefix("OS_").unwrap_or(variable).to_ascii_lowercase();
        let setting = Setting { value: value.into(), key: variable.to_owned(), file: None, line: 0, tag: None };
        self.put(&key, setting);
    }

    fn put(&mut self, key: &str, setting: Setting) {
        let Some(name) = canonical(key) else { return };
        if setting.text().is_empty() && setting.tag.is_none() {
            self.empty.insert(name, setting.line);
        } else if name == key || !self.own.contains_key(name) {
            // An older name never displaces the present one, in whatever order the two stand.
            self.own.insert(name, setting);
        }
    }

    /// Lays those on top: key by key, those under `auth` too.
    pub(crate) fn overlay(&mut self, upper: Self) {
        self.auth.extend(upper.auth);
        self.own.extend(upper.own);
        self.empty.extend(upper.empty);
        if !upper.regions.is_empty() {
            self.regions = upper.regions;
        }
    }

    /// Takes that variable before what the files say.
    pub(crate) fn prefer_variable(&mut self, variable: &str, value: &str) {
        let mut preferred = Self::default();
        preferred.set_variable(variable, value);
        self.auth.retain(|name, _| !preferred.own.contains_key(name));
        self.overlay(preferred);
    }

    /// Takes these keys from others, as far as those have them.
    pub fn complete(&mut self, others: &Self, keys: &[&str]) {
        for (name, setting) in others.own.iter().filter(|(name, _)| keys.contains(name)) {
            self.auth.remove(name);
            self.own.insert(name, setting.clone());
        }
    }

    pub(crate) fn of_file(mut self, file: &str, text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        for setting in self.auth.values_mut().chain(self.own.values_mut()) {
            setting.file = Some(file.to_owned());
            // A text of several lines (`password: |`) begins below its key.
            let key = setting.key.trim_start_matches("auth.");
            let has_key = |line: u64| {
                let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
                index.and_then(|index| lines.get(index)).is_some_and(|line| line.contains(key))
            };
            if !has_key(setting.line) && setting.line > 1 && has_key(setting.line - 1) {
                setting.line -= 1;
            }
        }
        self
    }

    /// The profile to build upon, and whether it is named by the older word `cloud`.
    pub fn profile(&self) -> Option<(&str, bool)> {
        self.setting("profile").map(|setting| (setting.text(), setting.key == "cloud"))
    }

    /// One of them, without white space around it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.setting(key).map(Setting::text)
    }

    /// One of them; what stands under `auth` goes before what stands beside it.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.auth.get(key).or_else(|| self.own.get(key))
    }

    /// What to say of the first of these that stands in a file without a value.
    pub(crate) fn empty_note(&self, keys: &[&str]) -> Option<String> {
        let line = |key: &&str| self.empty.get(key).copied().filter(|line| *line > 0 && self.setting(key).is_none());
        let (key, line) = keys.iter().find_map(|key| Some((key, line(key)?)))?;
        Some(format!(
            "`{key}` in line {line} has no value: `~` and `null` are empty values in YAML; put quotes around a text."
        ))
    }

    /// The names of all that are set, as they are written in a file, sorted.
    pub fn names(&self) -> Vec<String> {
        let auth = self.auth.keys().map(|name| format!("auth.{name}"));
        let own = self.own.keys().map(|name| (*name).to_owned());
        auth.chain(own).chain((!self.regions.is_empty()).then(|| "regions".to_owned())).collect()
    }

    pub fn secrets(&self) -> Vec<SecretString> {
        let all = self.auth.iter().chain(&self.own);
        all.filter(|(name, _)| PROOFS.contains(name)).map(|(_, setting)| setting.value.clone()).collect()
    }

    pub fn regions(&self) -> &[ListedRegion] {
        &self.regions
    }
}

/// A value as the file has it: its text, its line and its tag.
type Value = Spanned<Tagged<Option<String>>>;

/// Reads a cloud of a file. Known settings are asked for as text, so that `password: 0123` keeps its nought.
impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CloudVisitor;
        impl<'de> Visitor<'de> for CloudVisitor {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut settings = Settings::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "auth" => {
                            if let Some(Settings { own, empty, .. }) = map.next_value::<Option<Settings>>()? {
                                settings.auth = own;
                                settings.auth.values_mut().for_each(|one| one.key.insert_str(0, "auth."));
                                settings.empty.extend(empty);
                            }
                        }
                        "auth_methods" => {
                            let methods = map.next_value::<Spanned<Option<Methods>>>()?;
                            let text = match methods.value {
                                Some(Methods::List(names)) => names.join(","),
                                Some(Methods::Text(names)) => names,
                                None => String::new(),
                            };
                            settings.put(&key, written(&key, &text, methods.defined.line(), None));
                        }
                        "regions" => {
                            settings.regions = map.next_value::<Option<Vec<ListedRegion>>>()?.unwrap_or_default();
                        }
                        known if canonical(known).is_some() => {
                            let Spanned { value: Tagged(text, tag), defined, .. } = map.next_value::<Value>()?;
                            settings.put(&key, written(&key, &text.unwrap_or_default(), defined.line(), tag));
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(settings)
            }
        }
        deserializer.deserialize_map(CloudVisitor)
    }
}

fn written(key: &str, value: &str, line: u64, tag: Option<String>) -> Setting {
    // Those of YAML itself (`!!str`) say what the text is anyhow, and `!` alone says that it is one.
    let tag = tag.filter(|tag| !tag.contains("yaml.org,2002:") && !tag.starts_with("!!") && tag != "!");
    Setting { value: value.into(), key: key.to_owned(), file: None, line, tag }
}

/// `auth_methods`: a list, or, as `OS_AUTH_METHODS` has it, the same in one text with commas between.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a list of ways to sign in, or their names with commas between")]
enum Methods {
    List(Vec<String>),
    Text(String),
}

/// An entry of `regions`: a name, or a mapping with `name` and the `values` of that region.
#[derive(Clone, Debug)]
pub(crate) struct ListedRegion {
    pub name: String,
    /// Whether it has `values`, which are read for the region that is used alone.
    pub has_values: bool,
}

impl<'de> Deserialize<'de> for ListedRegion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RegionVisitor;
        impl<'de> Visitor<'de> for RegionVisitor {
            type Value = ListedRegion;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a region")
            }

            fn visit_str<E>(self, name: &str) -> Result<ListedRegion, E> {
                Ok(ListedRegion { name: name.to_owned(), has_values: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListedRegion, A::Error> {
                let mut region = ListedRegion { name: String::new(), has_values: false };
                while let Some(key) = map.next_key::<String>()? {
                    if key == "name" {
                        region.name = map.next_value::<Option<String>>()?.unwrap_or_default();
                    } else {
                        region.has_values |= key == "values";
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(region)
            }
        }
        deserializer.deserialize_any(RegionVisitor)
    }
}
