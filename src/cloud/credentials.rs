//! Finds out who the user is: from clouds.yaml, secure.yaml and clouds-public.yaml, or from `OS_*` variables as an
//! openrc file exports them.
//!
//! Search order and rules of choice are openstacksdk's (`openstack/config/loader.py`), so that whatever works for
//! `openstack` works here. They differ where openstacksdk leaves people in the dark:
//!
//! * a clouds.yaml that is not valid YAML is an error, and not a reason to read the next one;
//! * a token is used wherever there is one, even if `auth_type` is missing or says something else: Catalyst's
//!   multi-factor openrc exports `OS_TOKEN` and leaves `OS_USERNAME` behind;
//! * an application credential is recognised without `auth_type`;
//! * the profiles bundled with openstacksdk are not used. Its `catalyst` names an Identity v2 address and regions that no
//!   longer exist.

pub(in crate::cloud) mod address;
mod assemble;
mod clouds_file;
mod clouds_yaml;
mod encoding;
mod environment;
mod find_error;
mod regions;
mod settings;
mod sources;
mod values;
mod yaml_error;

use std::fmt;
use std::path::PathBuf;

use itertools::Itertools;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

pub(crate) use self::clouds_yaml::{Outline, cloud_names, outlines};
pub use self::environment::SECRET as SECRET_VARIABLES;
pub use self::find_error::{FindError, SearchOutcome, Searched, SearchedPlace};
use self::settings::Settings;
pub use self::sources::Sources;
use super::error::{Proof, Signed};
use super::inventory::RegionId;
use super::printable::printable;

/// All that is needed to sign in. No secret shows in its `Debug`.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Where Keystone is; always ends in `/v3`.
    pub auth_url: String,
    pub method: Method,
    /// The project to work in. None leaves it to Keystone: the user's default project, or that of the application
    /// credential, with which no scope may be sent. A token has a project of its own; this is then for signing in again.
    pub project: Option<Named>,
    /// The region the user works in as a rule: `region_name`, or the first of `regions`. All regions of the catalogue are
    /// offered; this one comes first.
    pub region: Option<RegionId>,
    /// Which endpoints of the catalogue to use: `public`, `internal` or `admin`.
    pub interface: String,
    pub network_endpoints: Vec<NetworkEndpoint>,
    pub tls: Tls,
    /// Whether they come from a clouds.yaml, and not from variables: what is wrong with them is changed there.
    pub in_file: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkEndpoint {
    /// The region it is for; none if none is named.
    pub region: Option<RegionId>,
    /// Ends in `/v2.0`.
    pub url: Url,
}

/// How far servers are trusted, and what they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Authorities besides the system's: a PEM file, or a directory of such.
    pub authorities: Option<NamedFile>,
    /// Accept any certificate. Anyone on the network path can then read the password and the token.
    pub insecure: bool,
    pub client: Option<ClientCertificate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// As it is written: `OS_CACERT`, `cacert`.
    pub setting: String,
    pub path: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub certificate: NamedFile,
    /// Its private key, unless that stands in the same file.
    pub key: Option<NamedFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Id(String),
    Name { name: String, domain: Domain },
}

impl Named {
    /// How a person calls it, for a screen: its name, or its id if that is all that is known.
    pub fn text(&self) -> String {
        match self {
            Self::Id(id) => printable(id),
            Self::Name { name, .. } => printable(name),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    Id(String),
    Name(String),
}

#[derive(Clone, Debug)]
pub enum Method {
    /// `v3password`.
    Password {
        user: Named,
        /// Their password; with Catalyst's multi-factor plug-in, the passcode follows it directly.
        password: SecretString,
    },
    /// `v3password` without the password, which has to be asked for.
    PasswordToAsk { user: Named },
    /// `v3token`: a token that exists already. It is used as it is, and cannot be renewed.
    Token {
        token: SecretString,
        /// Who can sign in again when it has expired, as far as the settings tell: the token may be another user's.
        user: Option<Named>,
    },
    /// `v3applicationcredential`.
    ApplicationCredential { which: ApplicationCredential, secret: SecretString },
    /// `v3totp`: a passcode of six digits, valid in its half minute and the one after, at some clouds only once.
    Totp { user: Named, passcode: SecretString },
    /// `v3multifactor`: several at once.
    MultiFactor(Vec<Method>),
}

impl Method {
    /// The kind of proof and whose it is, without the proof.
    pub fn in_words(&self) -> String {
        match self {
            Self::Password { user, .. } | Self::PasswordToAsk { user } => {
                format!("the password of user {}", user.text())
            }
            Self::Token { .. } => "a token".to_owned(),
            Self::ApplicationCredential { which: ApplicationCredential::Id(id), .. } => {
                format!("application credential {}", printable(id))
            }
            Self::ApplicationCredential { which: ApplicationCredential::Name { name, .. }, .. } => {
                format!("application credential {}", printable(name))
            }
            Self::Totp { user, .. } => format!("a passcode of user {}", user.text()),
            Self::MultiFactor(methods) => methods.iter().map(Self::in_words).join(" and "),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationCredential {
    Id(String),
    Name { name: String, user: Named },
}

impl Method {
    /// Whether quotes stand around its password, which may be the password's own, or a shell's that were left.
    pub fn is_quoted(&self) -> bool {
        match self {
            Self::Password { password, .. } => {
                let text = password.expose_secret();
                let within = |quote| text.len() > 2 && text.starts_with(quote) && text.ends_with(quote);
                within('"') || within('\'')
            }
            Self::MultiFactor(methods) => methods.iter().any(Self::is_quoted),
            _ => false,
        }
    }

    /// Whether it can be used again when the token has expired.
    pub(crate) fn can_repeat(&self) -> bool {
        matches!(self, Self::Password { .. } | Self::ApplicationCredential { .. })
    }
}

impl FoundCredentials {
    /// What has to be asked for before these can be used, said to those who cannot be asked.
    pub fn lacks(&self) -> Option<FindError> {
        matches!(self.credentials.method, Method::PasswordToAsk { .. }).then(|| FindError::Missing {
            origin: self.origin.clone(),
            missing: vec![assemble::written(&self.origin, "password")],
            note: self.no_password.clone(),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialOrigin {
    Cloud {
        name: String,
        /// The file, with `~` for the home directory.
        file: String,
    },
    /// `OS_*` variables.
    Environment,
}

impl fmt::Display for CredentialOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cloud { name, file } => write!(f, "cloud `{name}` in {file}"),
            Self::Environment => f.write_str("OS_* variables"),
        }
    }
}

impl Credentials {
    pub(super) fn signed(&self) -> Signed {
        let by = match &self.method {
            Method::Token { .. } => Proof::Token,
            Method::ApplicationCredential { .. } => Proof::ApplicationCredential,
            _ => Proof::Password,
        };
        Signed { by, in_file: self.in_file, is_sound: false }
    }
}

#[derive(Clone, Debug)]
pub struct FoundCredentials {
    pub credentials: Credentials,
    pub origin: CredentialOrigin,
    /// What the user should know about them, one sentence each, without secrets.
    pub warnings: Vec<String>,
    /// What speaks against using them unasked: somebody else may have said where they are sent.
    pub doubt: Option<String>,
    /// Why there is no password, if one seems to have been meant.
    no_password: Option<String>,
}

impl Credentials {
    /// Finds the credentials: the cloud named by `choice`, else the one `OS_CLOUD` names, else the `OS_*` variables, else
    /// the only cloud of the first clouds.yaml that can be read. Sends nothing.
    pub fn find(sources: &Sources, choice: Option<&str>) -> Result<FoundCredentials, FindError> {
        let wanted = choice.filter(|name| !name.is_empty()).or_else(|| sources.var("OS_CLOUD"));
        let of_environment = sources.var("OS_CLOUD_NAME").unwrap_or("envvars");
        let mut warnings = Vec::new();
        if wanted.is_none_or(|name| name == of_environment)
            && let Some(settings) = environment::settings(sources, &mut warnings)
        {
            // A user or a password alone is no openrc: it is for the cloud of the clouds.yaml, if there is one.
            let only = || clouds_yaml::choose(sources, None, &mut Vec::new()).is_ok();
            let is_for_file = wanted.is_none() && environment::is_partial(sources) && only();
            if !is_for_file {
                return Self::assemble(sources, &settings, CredentialOrigin::Environment, warnings, None);
            }
        }
        let mut chosen = clouds_yaml::choose(sources, wanted, &mut warnings)?;
        environment::complete(&mut chosen, sources);
        let clouds_yaml::ChosenCloud { name, file, settings, doubt, .. } = chosen;
        Self::assemble(sources, &settings, CredentialOrigin::Cloud { name, file }, warnings, doubt)
    }

    fn assemble(
        sources: &Sources,
        settings: &Settings,
        origin: CredentialOrigin,
        mut warnings: Vec<String>,
        doubt: Option<String>,
    ) -> Result<FoundCredentials, FindError> {
        let credentials = settings.credentials(sources, &origin, &mut warnings)?;
        let no_password = settings.empty_note(&["password"]).or_else(|| {
            let is_left = matches!(origin, CredentialOrigin::Cloud { .. }) && environment::has_password_alone(sources);
            is_left.then(|| {
                "OS_PASSWORD is set, but not used for a clouds.yaml that was found in the current directory; if it is yours, \
                 name it in OS_CLIENT_CONFIG_FILE."
                    .to_owned()
            })
        });
        Ok(FoundCredentials { credentials, origin, warnings, doubt, no_password })
    }
}

#[cfg(test)]
impl Credentials {
    /// Of some Keystone, without what a test does not need.
    pub(super) fn with(method: Method) -> Self {
        Self {
            auth_url: "https://keystone.example/v3".to_owned(),
            method,
            project: None,
            region: None,
            interface: "public".to_owned(),
            network_endpoints: Vec::new(),
            tls: Tls::default(),
            in_file: false,
        }
    }
}
