//! What can go wrong between this program and a cloud, in words a person can act on.

mod hints;

use std::fmt;
use std::time::Duration;

use super::inventory::{Id, RegionId};

const UUID_LENGTH: usize = 36;

/// The cause of an [`Error`], as far as the program acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    Credentials,
    /// Keystone refused the sign-in, or a token is no longer valid (401).
    Unauthorized,
    /// Keystone wants a second factor; the receipt answers for the first.
    SecondFactor,
    /// What signing in needs was asked for and not given. The request it was for was not let in.
    Unanswered,
    Forbidden,
    NotFound,
    /// The request is at odds with what exists (409, quota excepted).
    Conflict,
    Quota,
    /// The API does not take the request as it is (400).
    Invalid,
    RateLimited,
    /// The cloud failed (5xx).
    Server,
    /// No connection could be made: refused, no route, no such host.
    Unreachable,
    Certificate,
    /// The connection broke, or the answer was cut, after the request may have been acted upon.
    Interrupted,
    /// No answer in time. The request may have been acted upon.
    Timeout,
    /// The answer is not what the API promises.
    Unexpected,
    /// The journal of the run cannot be written. Nothing was sent.
    Journal,
    /// A key would have been sent in clear text without consent. Nothing was sent.
    ClearText,
    /// The user waits no longer for the answer.
    Stopped,
    /// Somebody else has changed what this was about at the same time. No request failed.
    Overtaken,
}

/// What the hint of an [`Error`] depends on beyond its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorDetail {
    /// The token is for no project, and none was asked for.
    NoProject,
    /// The token is for no project, although one was asked for.
    ProjectNotGiven,
    /// The catalogue has the network service, but not with the interface asked for.
    OtherInterfaces,
    /// The catalogue has a network endpoint without region, and a region was asked for.
    NoRegionInCatalog,
    /// The catalogue has no network service that can be used.
    NoNetworkService,
    CertificateFile,
    /// A redirection from http:// to https://.
    MovedToTls,
    NoTls,
    BehindProxy,
    NamesNoHost,
    OtherNames,
    /// The certificate has expired or was revoked.
    OutOfDate,
    /// The issuer is not among the authorities the user has given.
    OtherAuthorities,
}

/// One failed request, or one that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    pub kind: ErrorKind,
    /// What the cloud said, or what was found; one or two sentences, no secret, no control character.
    pub message: String,
    pub region: Option<RegionId>,
    /// Method and path of the request (`POST /v2.0/vpn/ikepolicies`), without query and without a secret.
    pub request: Option<String>,
    pub status: Option<u16>,
    /// `NeutronError.type`, if the answer had one.
    pub neutron_type: Option<String>,
    /// The cloud's own number for the request, for its operator's logs.
    pub request_id: Option<String>,
    /// How long the cloud asks to wait before the next try (429, 503).
    pub retry_after: Option<Duration>,
    /// How the user is signed in, where that decides what to do about it.
    pub signed: Option<Signed>,
    /// What else decides what to do about it.
    pub detail: Option<ErrorDetail>,
}

/// How a user is signed in, as far as a hint needs it: it must not ask for what is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    pub by: Proof,
    /// Whether the credentials come from a clouds.yaml, and not from variables.
    pub in_file: bool,
    /// Whether Keystone holds the token that was refused for good, and the role for one that may do this: then the cloud
    /// is at odds with itself.
    pub is_sound: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Password,
    ApplicationCredential,
    Token,
}

/// The longest wait a cloud can mean: limits are by the day at most. Longer ones come of a wrong clock or a wrong unit.
const LONGEST_MEANT: Duration = Duration::from_secs(24 * 60 * 60);

pub fn wait_in_words(seconds: u64) -> String {
    let how_long =
        if seconds > LONGEST_MEANT.as_secs() { "a very long time".to_owned() } else { format!("{seconds} s") };
    format!("{how_long}, as the cloud asks")
}

impl Error {
    /// An error without a request behind it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            region: None,
            request: None,
            status: None,
            neutron_type: None,
            request_id: None,
            retry_after: None,
            signed: None,
            detail: None,
        }
    }

    pub(super) fn with_detail(self, detail: impl Into<Option<ErrorDetail>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    pub(super) fn no_region(region: &RegionId) -> Self {
        let message = format!("{region} is not in the catalogue of this sign-in");
        Self { region: Some(region.clone()), ..Self::new(ErrorKind::NotFound, message) }
    }

    pub fn is_of_sign_in(&self) -> bool {
        self.request.as_deref().is_some_and(|request| request.ends_with("/auth/tokens"))
    }

    pub(super) fn signed(mut self, signed: Signed) -> Self {
        self.signed = Some(signed);
        self
    }

    /// One or two sentences on what it means and what to do about it, for a reader who does not know Neutron. None if the
    /// message says it all.
    pub fn hint(&self) -> Option<&'static str> {
        hints::hint(self)
    }

    /// Whether the same request may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::RateLimited | ErrorKind::Unreachable | ErrorKind::Interrupted | ErrorKind::Timeout
        ) || self.is_of_gateway()
    }

    /// Whether something in front of the cloud answered for it.
    pub(crate) const fn is_of_gateway(&self) -> bool {
        matches!(self.status, Some(502..=504))
    }

    /// Whether the object asked for is not there (any more). Neutron has a type of its own for each kind of object;
    /// `HTTPNotFound` is its word for a path it does not know, and a 404 without a type is somebody else's.
    pub fn is_gone(&self) -> bool {
        self.kind == ErrorKind::NotFound && self.neutron_type.as_deref().is_some_and(|kind| kind != "HTTPNotFound")
    }

    /// The id of an object that is not there (any more), which Neutron names only in its message.
    pub(crate) fn gone_id(&self) -> Option<Id> {
        let is_of_id = |c: char| c.is_ascii_hexdigit() || c == '-';
        let mut words = self.message.split(|c| !is_of_id(c));
        words.find(|word| self.is_gone() && word.len() == UUID_LENGTH).map(Id::new)
    }

    /// Whether an object was not deleted because something uses it. For an endpoint group that is a 400.
    pub fn is_in_use(&self) -> bool {
        self.neutron_type.as_deref().is_some_and(|kind| kind.ends_with("InUse"))
    }

    /// Whether an object could not be changed because it is still being made.
    pub fn is_pending(&self) -> bool {
        self.neutron_type.as_deref() == Some("VPNStateInvalidToUpdate")
    }

    /// Whether the request may have been acted upon although it failed. Before it is repeated, the cloud must be asked
    /// whether the object exists. A sign-in that fails leaves nothing in doubt: the request it was for has not been let
    /// in.
    pub fn is_doubtful(&self) -> bool {
        !self.is_of_sign_in()
            && matches!(
                self.kind,
                ErrorKind::Server | ErrorKind::Interrupted | ErrorKind::Timeout | ErrorKind::Unexpected
            )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_that_is_gone_has_its_id_in_the_message() {
        let id = "0badcafe-1111-4222-8333-444455556666";
        let mut error = Error::new(ErrorKind::NotFound, format!("IKEPolicy {id} could not be found"));
        assert_eq!(error.gone_id(), None, "nobody knows who says so");
        error.neutron_type = Some("IKEPolicyNotFound".to_owned());
        assert_eq!(error.gone_id(), Some(Id::new(id)));
        error.kind = ErrorKind::Conflict;
        assert_eq!(error.gone_id(), None);
    }
}
