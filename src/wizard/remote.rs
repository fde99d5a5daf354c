//! Data that comes from the network: asked for, on its way, here, or not to be had.

use std::time::Duration;

use crate::cloud::Error;

/// The number of one question. An answer with another number than the one waited for is too late, and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Remote data and its state.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Remote<T> {
    #[default]
    NotAsked,
    Loading {
        request: RequestId,
        /// When it was asked, by the clock of the model.
        since: Duration,
        /// What was known before, if it is asked for again.
        before: Option<Box<T>>,
    },
    Ready(T),
    /// Not to be had, for now.
    Failed(Error),
}

impl<T> Remote<T> {
    /// The data, if it is here; what was known before while it is asked for again.
    pub fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(data) => Some(data),
            Self::Loading { before, .. } => before.as_deref(),
            Self::NotAsked | Self::Failed(_) => None,
        }
    }

    pub fn ready_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Ready(data) => Some(data),
            Self::Loading { before, .. } => before.as_deref_mut(),
            Self::NotAsked | Self::Failed(_) => None,
        }
    }

    /// Why it could not be had.
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    pub const fn is_loading(&self) -> bool {
        matches!(self, Self::Loading { .. })
    }

    pub const fn since(&self) -> Option<Duration> {
        match self {
            Self::Loading { since, .. } => Some(*since),
            _ => None,
        }
    }

    /// Waits no longer: what was known before is known, else it is not to be had for that reason.
    pub(super) fn give_up(&mut self, why: impl FnOnce() -> Error) {
        if let Self::Loading { before, .. } = self {
            *self = before.take().map_or_else(|| Self::Failed(why()), |before| Self::Ready(*before));
        }
    }

    /// Waits for an answer from now on, and for no earlier one.
    pub fn ask(&mut self, request: RequestId, since: Duration) {
        let before = match std::mem::take(self) {
            Self::Ready(data) => Some(Box::new(data)),
            Self::Loading { before, .. } => before,
            Self::NotAsked | Self::Failed(_) => None,
        };
        *self = Self::Loading { request, since, before };
    }

    /// Takes what is known of an answer that is still on its way, unless it is no longer expected. Says whether it was
    /// taken.
    pub fn part(&mut self, request: RequestId, part: T) -> bool {
        match self {
            Self::Loading { request: awaited, before, .. } if *awaited == request => {
                *before = Some(Box::new(part));
                true
            }
            _ => false,
        }
    }

    /// Takes an answer, unless it is no longer expected. Says whether it was taken.
    pub fn answer(&mut self, request: RequestId, answer: Result<T, Error>) -> bool {
        if !matches!(self, Self::Loading { request: awaited, .. } if *awaited == request) {
            return false;
        }
        *self = match answer {
            Ok(data) => Self::Ready(data),
            Err(error) => Self::Failed(error),
        };
        true
    }
}
