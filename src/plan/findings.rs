//! What the checks have to say, and about which answer.

use std::fmt;

use super::fields::PolicyField;
use super::names::Half;

/// The answer a finding is about; it is also where the user goes to change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Region(Half),
    Router(Half),
    Subnets(Half),
    PeerAddress,
    PeerId,
    PeerCidrs,
    Key,
    Policy(Option<PolicyField>),
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot work, or would break something that does.
    Refusal,
    Warning,
    Notice,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    pub place: Place,
    pub severity: Severity,
    /// What is the matter and what to do; starts in lower case, ends without a full stop.
    pub text: String,
}

impl Finding {
    pub fn refusal(place: Place, text: impl Into<String>) -> Self {
        Self { place, severity: Severity::Refusal, text: text.into() }
    }

    pub fn warning(place: Place, text: impl Into<String>) -> Self {
        Self { place, severity: Severity::Warning, text: text.into() }
    }

    pub fn notice(place: Place, text: impl Into<String>) -> Self {
        Self { place, severity: Severity::Notice, text: text.into() }
    }

    pub fn is_refusal(&self) -> bool {
        self.severity == Severity::Refusal
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}
