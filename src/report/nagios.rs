//! The answer of `osvpn status --format nagios`: one line, as the guidelines of the Monitoring Plugins say
//! (`STATE - text | 'label'=value;warn;crit;min;max`), and an exit code of 0 to 3.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};

use super::{Conclude, ExitStatus, Health, Monitored};
use crate::cloud::printable;
use crate::inspect::{Condition, Weight};

/// The states of a Nagios service, in the order in which the worst of several is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NagiosState {
    Ok,
    Unknown,
    Warning,
    Critical,
}

impl NagiosState {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    fn of(health: &Health) -> Self {
        match health.condition() {
            Condition::Unclear => Self::Unknown,
            // It cannot be told from a tunnel whose peer is dead.
            Condition::NotActive if health.is_idle() => Self::Warning,
            Condition::NotActive => Self::Critical,
            Condition::Mismatched => Self::Warning,
            Condition::Proven
                if health.interrupted_first().is_some() || health.weights().any(|weight| weight != Weight::Warns) =>
            {
                Self::Warning
            }
            Condition::Proven => Self::Ok,
        }
    }
}

/// A line of a plugin.
#[derive(Clone, Debug)]
pub(crate) struct NagiosLine {
    state: NagiosState,
    text: String,
    performance: String,
}

impl NagiosLine {
    pub(crate) fn new(seen: &Monitored) -> Self {
        let states: Vec<(NagiosState, String)> = seen
            .vpns
            .iter()
            .map(|health| {
                let is_current = seen.is_current(health.vpn());
                let state = if is_current { NagiosState::of(health) } else { NagiosState::Unknown };
                (state, format!("{}: {}", health.named().0, health.in_short()))
            })
            .chain(seen.unmade.iter().map(|unmade| (NagiosState::Critical, unmade.head())))
            .chain(seen.unread().map(|why| (NagiosState::Unknown, why)))
            .collect();
        let Some(worst) = states.iter().map(|(state, _)| *state).max() else {
            return Self::unknown("there is no VPN in this project");
        };
        let what: Vec<&str> =
            states.iter().filter(|(state, _)| *state == worst).map(|(_, what)| what.as_str()).collect();
        let text = match (worst, what.as_slice()) {
            (_, [only]) => (*only).to_owned(),
            (NagiosState::Ok, all) => format!("{} VPNs are ACTIVE, and their halves match", all.len()),
            (_, several) => format!("{} of {}: {}", several.len(), states.len(), several.join(", ")),
        };
        Self { state: worst, text, performance: performance(seen) }
    }

    /// It could not be told, and why.
    pub(crate) fn unknown(why: &str) -> Self {
        Self { state: NagiosState::Unknown, text: why.to_owned(), performance: String::new() }
    }
}

/// Counts, with the ranges outside of which they are worth a warning or worse.
fn performance(seen: &Monitored) -> String {
    let all = seen.vpns.len();
    let current = || seen.vpns.iter().filter(|health| seen.is_current(health.vpn()));
    let count = |is: fn(&Health) -> bool| current().filter(|health| is(health)).count();
    let active = count(|health| health.vpn().is_active());
    let (differing, idle) = (count(Health::is_mismatched), count(Health::is_idle));
    let findings: usize = current().map(|health| health.weights().count()).sum();
    format!(
        " | active={active};{all}:;{}:;0;{all} differing={differing};0;;0;{all} idle={idle};;;0;{all} findings={findings};;;0",
        all - idle
    )
}

impl Conclude for NagiosLine {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::Nagios(self.state)
    }
}

/// A bar begins the performance data, and the first line ends the text.
impl Display for NagiosLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = printable(&self.text.split_whitespace().collect::<Vec<_>>().join(" ")).replace('|', "/");
        writeln!(f, "OSVPN {} - {}{}", self.state.word(), text.trim_end_matches('.'), self.performance)
    }
}

impl Serialize for NagiosLine {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
