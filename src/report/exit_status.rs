//! The exit codes: every command, the help and the README draw on this.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::{Serialize, Serializer};

use super::NagiosState;
use crate::inspect::Condition;

/// How the program ends; the larger code is the worse one of several changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// 0
    Done,
    /// 1
    Failed,
    /// 2
    Usage,
    /// 3
    NotActive,
    /// 4
    Refused,
    /// 5
    Mismatched,
    /// 101: a panic, as Rust ends with it.
    Panicked,
    /// 0 to 3, as Nagios reads them.
    Nagios(NagiosState),
    /// 130: whichever signal it was. The request in progress is finished first, so it makes no difference.
    Stopped,
}

impl ExitStatus {
    const DOCUMENTED: [Self; 7] =
        [Self::Done, Self::Failed, Self::Usage, Self::NotActive, Self::Refused, Self::Mismatched, Self::Stopped];

    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotActive => 3,
            Self::Refused => 4,
            Self::Mismatched => 5,
            Self::Panicked => 101,
            Self::Nagios(state) => state.code(),
            Self::Stopped => 130,
        }
    }

    /// After a command, and to a monitor that runs `osvpn status`.
    const fn meanings(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Done => ("done, and ACTIVE; or there was nothing to do", Some("ACTIVE, and both halves match")),
            Self::Failed => ("failed; what exists is listed", Some("unknown: something could not be read")),
            Self::Usage => {
                ("wrong usage, an unreadable plan, no credentials, or no terminal", Some("wrong usage, or no such VPN"))
            }
            Self::NotActive => ("created, but not ACTIVE within the wait (osvpn resume continues)", Some("not ACTIVE")),
            Self::Refused => ("refused by the checks, or overtaken by another run; nothing of it is left", None),
            Self::Mismatched => (
                "ACTIVE, but some traffic fails, or will",
                Some("ACTIVE, but the halves do not match: some traffic fails, or will"),
            ),
            Self::Panicked | Self::Nagios(_) => ("internal error", None),
            Self::Stopped => ("stopped by Ctrl-C or a signal", None),
        }
    }

    /// The table of `osvpn --help`.
    pub fn help() -> String {
        table(|status| Some(status.meanings().0))
    }

    /// The table of the commands that a monitor runs.
    pub fn help_for_monitors() -> String {
        table(|status| status.meanings().1)
    }

    /// The worst of several VPNs, in the order in which a monitor wants to hear of them.
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Self {
        let order = [Self::Done, Self::Failed, Self::Mismatched, Self::NotActive];
        let rank = |status: &Self| order.iter().position(|other| other == status);
        all.into_iter().max_by_key(rank).unwrap_or(Self::Done)
    }
}

fn table(meaning: impl Fn(ExitStatus) -> Option<&'static str>) -> String {
    let mut text = "Exit codes:".to_owned();
    for status in ExitStatus::DOCUMENTED {
        if let Some(meaning) = meaning(status) {
            let _ = write!(text, "\n  {:<3}  {meaning}", status.code());
        }
    }
    text
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

impl From<Condition> for ExitStatus {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Proven => Self::Done,
            Condition::Unclear => Self::Failed,
            Condition::NotActive => Self::NotActive,
            Condition::Mismatched => Self::Mismatched,
        }
    }
}

impl Serialize for ExitStatus {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_a_row_for_each_code_and_no_other() {
        let readme = include_str!("../../README.md");
        let (_, section) = readme.split_once("## Exit codes").unwrap_or_default();
        let rows = section.lines().skip(4).take_while(|line| line.starts_with('|'));
        let codes: Vec<&str> = rows.filter_map(|row| row.split('|').nth(1)).map(str::trim).collect();
        assert_eq!(codes, ExitStatus::DOCUMENTED.map(|status| status.code().to_string()));
    }
}
