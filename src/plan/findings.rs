//! What the checks have to say, and about which answer.

use std::fmt;

use super::fields::PolicyField;
use super::names::Half;

/// The answer a finding is about; it is also where the user goes to change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The region of a half.
    Region(Half),
    /// The router of a half.
    Router(Half),
    /// The subnets of a half.
    Subnets(Half),
    /// The outside peer's address.
    PeerAddress,
    /// The outside peer's identity.
    PeerId,
    /// The outside peer's ranges.
    PeerCidrs,
    /// The pre-shared key.
    Key,
    /// The policy, or one field of it.
    Policy(Option<PolicyField>),
    /// The name of the VPN.
    Name,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(half) => write!(f, "region {half}"),
            Self::Router(half) => write!(f, "router {half}"),
            Self::Subnets(half) => write!(f, "subnets {half}"),
            Self::PeerAddress => f.write_str("peer address"),
            Self::PeerId => f.write_str("peer id"),
            Self::PeerCidrs => f.write_str("peer CIDRs"),
            Self::Key => f.write_str("pre-shared key"),
            Self::Policy(None) => f.write_str("policy"),
            Self::Policy(Some(field)) => {
                let (object, name) = field.label();
                write!(f, "{object} {name}")
            }
            Self::Name => f.write_str("name"),
        }
    }
}

/// Whether a finding stops the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot work, or would break something that does.
    Refusal,
    /// It may work; the user should know.
    Warning,
    /// Good to know, for instance what is reused.
    Notice,
}

/// One thing a check found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// What it is about.
    pub place: Place,
    /// Whether it stops the plan.
    pub severity: Severity,
    /// What is the matter and what to do; starts in lower case, ends without a full stop.
    pub text: String,
}

impl Finding {
    /// Something that stops the plan.
    pub fn refusal(place: Place, text: impl Into<String>) -> Self {
        Self { place, severity: Severity::Refusal, text: text.into() }
    }

    /// Something the user should know before going on.
    pub fn warning(place: Place, text: impl Into<String>) -> Self {
        Self { place, severity: Severity::Warning, text: text.into() }
    }

    /// Something good to know.
    pub fn notice(place: Place, text: impl Into<String>) -> Self {
        Self { place, severity: Severity::Notice, text: text.into() }
    }

    /// Whether it stops the plan.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.severity == Severity::Refusal
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}
