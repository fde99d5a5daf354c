//! What cannot work between this VPN and such a system: said before anybody types it in.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Sheet;
use super::format::PeerFormat;
use super::values::FarSide;
use crate::plan::{Finding, Place, Plan, ShellCommand};

/// Why a sheet would describe something that cannot work: every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetRefused {
    title: String,
    pub reasons: Vec<Objection>,
}

/// One reason, and what would work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    pub why: String,
    pub instead: Option<Remedy>,
}

/// What of the VPN has to be another for a sheet to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// The profile `modern`.
    Modern,
    /// A policy with other algorithms.
    Policy,
    Key,
    /// One range that covers those of a side.
    Ranges,
}

impl Remedy {
    /// What brings it about, given how a command of this program is called for the VPN.
    pub fn command(self, of: impl Fn(&'static str) -> ShellCommand) -> ShellCommand {
        match self {
            Self::Modern => of("upgrade").words("--profile modern"),
            Self::Policy => of("upgrade").words("--policy FILE"),
            Self::Key => of("rotate-psk"),
            Self::Ranges => of("set-subnets").words("A=SUBNET"),
        }
    }
}

impl Objection {
    /// Why, and the command that helps, given how one is called for the VPN.
    pub fn told(&self, of: impl Fn(&'static str) -> ShellCommand) -> String {
        match self.instead {
            Some(remedy) => format!("{}. It works after: {}", self.why, remedy.command(of)),
            None => format!("{}.", self.why),
        }
    }

    pub(super) fn no_word(title: &str, phase: &str, attribute: &str, word: &str) -> Self {
        let phase = if phase == "ike" { "IKE" } else { "IPsec" };
        let what = match attribute {
            "pfs" => "group",
            "auth_algorithm" => "integrity algorithm",
            _ => "cipher",
        };
        Self { why: format!("{title} does not have the {what} {word} ({phase} policy)"), instead: Some(Remedy::Policy) }
    }
}

impl SheetRefused {
    pub(super) fn new(title: &str, reasons: Vec<Objection>) -> Self {
        Self { title: title.to_owned(), reasons }
    }

    /// The file of the format is at fault; a test writes a sheet of each.
    pub(super) fn broken(title: &str, error: &minijinja::Error) -> Self {
        Self::new(title, vec![Objection { why: format!("its template is broken: {error:#}"), instead: None }])
    }

    pub fn title(&self) -> &str {
        &self.title
    }
}

impl fmt::Display for SheetRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<&str> = self.reasons.iter().map(|reason| reason.why.as_str()).collect();
        f.write_str(&reasons.join("; "))
    }
}

impl std::error::Error for SheetRefused {}

/// Holds a VPN against what a system takes.
pub(super) fn check(format: &PeerFormat, side: &FarSide, key: Option<&SecretString>) -> Result<(), SheetRefused> {
    let mut reasons: Vec<Objection> = format.broken_rules(side).collect();
    let (local, remote) = (side.local.networks.len(), side.remote.networks.len());
    if !side.ike_version.carries(local, remote) {
        reasons.push(Objection { why: crate::plan::policy::ONE_PAIR_ONLY.to_owned(), instead: Some(Remedy::Modern) });
    }
    if side.word("ipsec.encapsulation_mode") == "transport" {
        reasons.push(Objection {
            why: "transport mode carries nothing of the ranges behind the two ends".to_owned(),
            instead: Some(Remedy::Policy),
        });
    }
    if side.word("ipsec.transform_protocol") != "esp" && !format.takes_ah() {
        reasons.push(Objection {
            why: format!("{} cannot be given AH by such a text, and AH does not encrypt", format.title()),
            instead: Some(Remedy::Policy),
        });
    }
    if !format.takes_ipv6() && side.local.networks.iter().chain(&side.remote.networks).any(|one| one.addr().is_ipv6()) {
        reasons.push(Objection {
            why: format!("{} is told of ranges of IPv4 alone by such a text", format.title()),
            instead: None,
        });
    }
    if !side.is_ikev2() && side.mode == "aggressive" {
        reasons.push(Objection {
            why: "the cloud refuses aggressive mode with a pre-shared key".to_owned(),
            instead: Some(Remedy::Policy),
        });
    }
    if format.takes_one_pair_only() && local * remote > 1 {
        reasons.push(Objection {
            why: format!("{} carries one range of each side, and this VPN has {local} and {remote}", format.title()),
            instead: Some(Remedy::Ranges),
        });
    }
    reasons.extend(key.and_then(|key| key_problem(format, key)));
    if reasons.is_empty() { Ok(()) } else { Err(SheetRefused::new(format.title(), reasons)) }
}

impl PeerFormat {
    /// Why the system does not take a key as it is. The key itself is in no message.
    pub fn key_problem(&self, key: &SecretString) -> Option<Objection> {
        key_problem(self, key)
    }
}

/// Why the system does not take a key as it is. The key itself is in no message.
fn key_problem(format: &PeerFormat, key: &SecretString) -> Option<Objection> {
    let (rule, key) = (format.key_rule(), key.expose_secret());
    // Any other character could end a quoted text somewhere.
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let why = if !is_plain {
        "the key holds characters that cannot be written safely in a configuration".to_owned()
    } else if !(rule.shortest..=rule.longest).contains(&key.len()) {
        format!("{} takes keys of {} to {} characters", format.title(), rule.shortest, rule.longest)
    } else {
        let first = rule.not_first.iter().find(|first| key.starts_with(first.as_str()))?;
        format!("{} reads a key that begins with {first} in another way", format.title())
    };
    Some(Objection { why, instead: Some(Remedy::Key) })
}

/// A plan whose peer's system takes it, as far as that is known.
///
/// # Errors
/// What stands in the way of a sheet for the system, and what would help.
pub fn fitting(plan: Plan) -> Result<Plan, Vec<Finding>> {
    let format = plan.peer().and_then(|peer| PeerFormat::of(Some(peer.system?)));
    let Some((format, side)) = format.zip(FarSide::planned(&plan, None)) else { return Ok(plan) };
    let finding = |reason: Objection| {
        let (place, way) = match reason.instead {
            Some(Remedy::Modern) => (Place::Policy(None), "the policy modern would do, if the region stores it"),
            Some(Remedy::Policy) | None => (Place::Policy(None), "choose another policy"),
            Some(Remedy::Key) => (Place::Key, "choose another key"),
            Some(Remedy::Ranges) => (Place::PeerCidrs, "choose one range of each side that covers all of it"),
        };
        Finding::refusal(place, format!("{}; {way}, or another system", reason.why))
    };
    let checked = Sheet::check(format, &side, Some(plan.psk().secret()));
    checked.map_err(|refused| refused.reasons.into_iter().map(finding).collect()).map(|()| plan)
}
