//! Why there are no credentials, typed so that a screen can offer the way out: a list of clouds to choose from, or the
//! places that were searched.

use std::fmt;
use std::path::PathBuf;

use super::CredentialOrigin;
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::printable::printable;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Searched {
    pub place: SearchedPlace,
    pub outcome: SearchOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchedPlace {
    File(PathBuf),
    Variable(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchOutcome {
    Absent,
    Directory,
    Forbidden,
    WithoutClouds,
    Set,
}

/// Why there are no credentials. No variant holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindError {
    /// Neither a clouds.yaml nor `OS_*` variables.
    NothingFound {
        /// Every place that was looked at, in order.
        looked: Vec<Searched>,
    },
    /// A clouds.yaml with several clouds, and none was chosen.
    SeveralClouds {
        /// The file, with `~` for the home directory.
        file: String,
        names: Vec<String>,
    },
    NoSuchCloud {
        name: String,
        /// The file that was read; none if there is none.
        file: Option<String>,
        names: Vec<String>,
        /// Every place that was looked at, in order.
        looked: Vec<Searched>,
    },
    Missing {
        origin: CredentialOrigin,
        /// What is missing, as it is written there (`OS_PASSWORD`, `auth.password`).
        missing: Vec<String>,
        note: Option<String>,
    },
    /// A value that cannot be used, or a file that cannot be read.
    Unusable {
        /// The file (with its line, if known) or `OS_* variables`.
        place: String,
        key: Option<String>,
        reason: String,
    },
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingFound { looked } => {
                f.write_str("No OpenStack credentials were found: ")?;
                match looked.iter().find(|one| one.outcome == SearchOutcome::WithoutClouds) {
                    Some(Searched { place: SearchedPlace::File(path), .. }) => {
                        write!(f, "{} has no cloud below `clouds:`", printable(&path.display().to_string()))?;
                    }
                    _ => f.write_str("there is no clouds.yaml")?,
                }
                f.write_str(", and no OS_* variable is set.")
            }
            Self::SeveralClouds { file, names } => {
                write!(
                    f,
                    "{file} describes several clouds ({}); choose one with --cloud or OS_CLOUD.",
                    names.join(", ")
                )
            }
            Self::NoSuchCloud { name, file: Some(file), names, .. } if names.is_empty() => {
                write!(f, "There is no cloud `{name}`: {file} has no cloud below `clouds:`.")
            }
            Self::NoSuchCloud { name, file: Some(file), names, .. } => {
                write!(
                    f,
                    "There is no cloud `{name}` in {file}; it has {}: use one with --cloud NAME.",
                    names.join(", ")
                )
            }
            Self::NoSuchCloud { name, file: None, .. } => {
                write!(f, "The cloud `{name}` was asked for, but there is no clouds.yaml that describes it.")
            }
            Self::Missing { origin, missing, note } => {
                let verb = if matches!(origin, CredentialOrigin::Environment) { "lack" } else { "lacks" };
                write!(f, "The {origin} {verb} {}.", missing.join(" and "))?;
                note.iter().try_for_each(|note| write!(f, " {note}"))
            }
            Self::Unusable { place, key: Some(key), reason } => write!(f, "{place}, `{key}`: {reason}."),
            Self::Unusable { place, key: None, reason } => write!(f, "{place}: {reason}."),
        }
    }
}

impl std::error::Error for FindError {}

impl From<FindError> for Error {
    fn from(error: FindError) -> Self {
        Self::new(ErrorKind::Credentials, error.to_string())
    }
}
