//! Verdicts of checks.

use serde::{Serialize, Serializer};

use super::checks::Check;
use super::fix::Fix;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    #[expect(missing_docs, reason = "the type says it")]
    pub check: Check,
    #[expect(missing_docs, reason = "the type says it")]
    pub verdict: Verdict,
}

impl CheckResult {
    pub const fn fault(&self) -> Option<&Fault> {
        match &self.verdict {
            Verdict::Bad(fault) => Some(fault),
            Verdict::Good(_) | Verdict::Open(_) => None,
        }
    }

    pub(super) fn exposes(&self) -> bool {
        self.fault().is_some_and(|fault| fault.weight == Weight::Exposes)
    }

    /// Whether it may be why there is no tunnel. Security groups, routes and ranges that two connections share count
    /// only once there is one.
    pub(super) fn may_keep_down(&self) -> bool {
        self.fault().is_some_and(|fault| match fault.weight {
            Weight::Stops => true,
            Weight::Hides => self.check.is_negotiated(),
            Weight::Exposes | Weight::Warns => fault.role == FaultRole::Doubt,
        })
    }

    /// Sorts the likeliest cause first: by weight; within each, security before convenience, causes before consequences, then
    /// in the order of the checks. Where nothing is down, what exposes the VPN comes before everything else.
    pub(super) fn likelihood(&self, is_active: bool) -> (bool, Weight, bool, FaultRole, usize) {
        let (weight, role) = self.fault().map_or((Weight::Warns, FaultRole::Cause), |fault| (fault.weight, fault.role));
        let is_security = matches!(weight, Weight::Exposes | Weight::Warns) && self.check.is_security();
        let role = match role {
            FaultRole::LastResort | FaultRole::Consequence if weight == Weight::Stops => role,
            _ => FaultRole::Cause,
        };
        (!(is_active && weight == Weight::Exposes), weight, !is_security, role, self.check.place())
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Passed; what was seen, if that is worth a word.
    Good(String),
    Bad(Fault),
    /// Cannot be checked from here; what to do about it.
    Open(String),
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub weight: Weight,
    pub seen: String,
    pub means: String,
    pub fix: Fix,
    pub(super) role: FaultRole,
}

/// How much a fault matters, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// No tunnel comes up.
    Stops,
    /// It works for others too: others can pose as an end, or read the traffic.
    Exposes,
    /// The tunnel may well be ACTIVE, and some traffic fails, or will.
    Hides,
    /// It works, and should not stay so.
    Warns,
}

impl Weight {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::Exposes => "exposes",
            Self::Hides => "hides",
            Self::Warns => "warns",
        }
    }

    /// Whether traffic fails, or will.
    pub const fn fails_traffic(self) -> bool {
        matches!(self, Self::Stops | Self::Hides)
    }
}

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

/// How a fault relates to the tunnel's being down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FaultRole {
    Cause,
    /// It is one with some daemons only: waiting may help.
    MayPass,
    /// It is the cause where no other is found, and passes when the peer's owner acts.
    LastResort,
    /// It is more often a consequence than a cause.
    Consequence,
    /// It leaves open which connections the VPN consists of, and so everything else.
    Doubt,
}

impl Verdict {
    pub(super) fn good(seen: impl Into<String>) -> Self {
        Self::Good(seen.into())
    }

    pub(super) fn bad(weight: Weight, seen: impl Into<String>, means: impl Into<String>, fix: Fix) -> Self {
        Self::Bad(Fault { weight, seen: seen.into(), means: means.into(), fix, role: FaultRole::Cause })
    }

    pub(super) fn in_role(mut self, role: FaultRole) -> Self {
        if let Self::Bad(fault) = &mut self {
            fault.role = role;
        }
        self
    }
}
