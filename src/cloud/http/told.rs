//! What was sent and what came of it, told to whoever wants to see it while it happens.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Response;
use crate::cloud::error::Error;

/// A request and its answer. It has no body, no query and no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Method and path.
    pub request: String,
    pub host: String,
    /// The status of the answer, or why there is none.
    pub outcome: Result<u16, String>,
    pub took: Duration,
    /// The number that the cloud gave it.
    pub request_id: Option<String>,
}

impl fmt::Display for Exchange {
    /// "201 0.4 s POST /v2.0/vpn/ikepolicies neutron.example req-1f2e"
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenths) = (self.took.as_secs(), self.took.subsec_millis() / 100);
        match &self.outcome {
            Ok(status) => write!(f, "{status}")?,
            Err(_) => f.write_str("---")?,
        }
        write!(f, " {whole}.{tenths} s {} {}", self.request, self.host)?;
        self.request_id.iter().try_for_each(|id| write!(f, " {id}"))?;
        self.outcome.as_ref().err().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

type WitnessFn = Box<dyn Fn(Exchange) + Send + Sync>;

/// Who is told.
#[derive(Clone, Default)]
pub(super) struct Witness(Arc<OnceLock<WitnessFn>>);

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

impl Witness {
    /// From now on and once for all.
    pub(super) fn set(&self, told: impl Fn(Exchange) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(told));
    }

    pub(super) fn tell(&self, label: &str, host: &str, took: Duration, result: &Result<Response, Error>) {
        let Some(told) = self.0.get() else { return };
        let (outcome, request_id) = match result {
            Ok(answer) => (Ok(answer.status.as_u16()), answer.request_id()),
            Err(error) => (Err(error.message.clone()), None),
        };
        told(Exchange { request: label.to_owned(), host: host.to_owned(), outcome, took, request_id });
    }
}
