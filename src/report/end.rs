//! How a run ended, and where its key came from.

use serde::Serialize;

use super::ExitStatus;
use crate::cloud::Error;
use crate::engine::{Made, Standing, Task};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreationOutcome {
    /// Everything exists and every connection is ACTIVE.
    Active,
    /// Everything exists; the wait was over before every connection was ACTIVE.
    NotActive,
    Failed,
    /// Another run created the same at the same time; what this run created was deleted.
    Overtaken,
    /// The user or a signal stopped it.
    Stopped,
    Undone,
}

impl CreationOutcome {
    pub(super) const fn exit_status(self) -> ExitStatus {
        match self {
            Self::Active => ExitStatus::Done,
            Self::Failed => ExitStatus::Failed,
            Self::NotActive => ExitStatus::NotActive,
            Self::Overtaken => ExitStatus::Refused,
            Self::Stopped | Self::Undone => ExitStatus::Stopped,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum CreationEnd<'a> {
    Active,
    /// The wait was over; where each connection stood.
    NotActive(&'a Standing),
    Failed(Task, &'a Error),
    /// The connections could not be watched any more; where each stood last.
    Lost(&'a Standing, &'a Error),
    /// Stopped before the end; where each connection stood last, as far as they were watched.
    Stopped(&'a Standing),
    Undone,
    /// Everything of this run that exists was deleted, but lost requests may still make something; why that could not be
    /// looked for, if it could not.
    Unsettled(Option<&'a Error>),
    Left(&'a [(Made, Error)]),
}
