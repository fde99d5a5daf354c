//! How the engine's work ended, as people are told of it.

use jiff::Timestamp;

use super::{ChangeError, Changed, Standing, Watched};
use crate::cloud::Error;

/// How carrying a change out, rolling it back or watching a new VPN ended, for the time being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkEnd {
    /// The change is carried out, or rolled back.
    Done,
    /// Every connection of the new VPN is ACTIVE.
    Active,
    /// Created, and not ACTIVE when the wait was over.
    NotYet(Standing),
    /// Created, and its status can no longer be read.
    Lost(Box<Error>),
    /// At that step. What of a new VPN could not be deleted stands in the course.
    Failed(usize, Box<Error>),
    Stopped,
    /// Done, but a lost request may still be carried out: until when, and why that could not be looked for, if it could not.
    Unsettled(Timestamp, Option<Box<Error>>),
    /// It could not even begin, and why.
    NotBegun(Vec<String>),
    /// That step needs the key of the user's own, which is not stored anywhere.
    KeyNeeded(usize),
    /// It cannot be rolled back any more.
    TooLate,
}

impl From<Result<Changed, ChangeError>> for WorkEnd {
    fn from(result: Result<Changed, ChangeError>) -> Self {
        match result {
            Ok(Changed::Done) => Self::Done,
            Ok(Changed::Unsettled(until, error)) => Self::Unsettled(until, error),
            Err(ChangeError::Failed(step, error)) => Self::Failed(step, error),
            Err(ChangeError::Stopped) => Self::Stopped,
            Err(ChangeError::KeyNeeded(step)) => Self::KeyNeeded(step),
            Err(ChangeError::TooLate) => Self::TooLate,
        }
    }
}

impl From<Watched> for WorkEnd {
    fn from(watched: Watched) -> Self {
        match watched {
            Watched::Active => Self::Active,
            Watched::NotYet(standing) => Self::NotYet(standing),
            Watched::Lost(error) => Self::Lost(error),
            Watched::Stopped => Self::Stopped,
        }
    }
}
