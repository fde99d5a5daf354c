//! How a creation ended.

use serde::Serialize;

use super::ExitStatus;
use crate::cloud::ErrorKind;
use crate::engine::{Course, Direction, WorkEnd};

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
    pub(super) fn of(course: &Course, direction: Direction, ended: &WorkEnd) -> Self {
        match (ended, direction) {
            (WorkEnd::Active, _) => Self::Active,
            (WorkEnd::NotYet(_), _) => Self::NotActive,
            (WorkEnd::Lost(_), _) => Self::Failed,
            (WorkEnd::Failed(_, error), Direction::Forward) => {
                let is_over = error.kind == ErrorKind::Overtaken && course.progress.is_clean();
                if is_over { Self::Overtaken } else { Self::Failed }
            }
            (WorkEnd::Failed(..), Direction::Back) if !course.not_deleted.is_empty() => Self::Failed,
            (WorkEnd::Failed(..) | WorkEnd::Done | WorkEnd::Unsettled(..), Direction::Back) => Self::Undone,
            _ => Self::Stopped,
        }
    }

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
