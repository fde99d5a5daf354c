//! `osvpn status`

mod monitor;
mod systemd;
mod watch;

use std::ffi::OsString;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use atomic_write_file::AtomicWriteFile;
use clap::{Args, ValueEnum};

use self::monitor::Monitor;
use super::options::AnswerArgs;
use super::{Answering, CommandError, Conclusion, SignInContext, answer, complain, print_whole, until_signal};
use crate::engine::pace::WATCH;
use crate::report::{Conclude as _, ExitStatus, Metrics, Monitored, NagiosLine, NagiosState};
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn status hlz-por                                  0 if it is ACTIVE and its halves match
  osvpn status --watch                                  a line for each VPN now, and for each change
  osvpn status hlz-por --watch --until active           wait until it is up
  osvpn status --format nagios                          a check of Nagios or Icinga: exit code 0, 1, 2 or 3
  osvpn status --textfile /var/lib/node/osvpn.prom      metrics for the node exporter
  osvpn status --cloud prod --print-systemd             a service and a timer that write them

A monitor signs in best with an application credential. Since OpenStack 2025.2 it needs the role member: the role reader is shown
no VPNs. Catalyst Cloud also measures VPNs itself, as network.services.vpn.

With --format nagios the exit code is 0 if all are ACTIVE and match, 1 if halves differ, the key is no secret or one
seems to wait for traffic only, 2 if one is not ACTIVE, 3 if it cannot be told. With --format prometheus it is 0 if everything was read, else 1.";

/// Show whether a VPN is up and its two halves match, with an exit code for monitoring.
///
/// Both halves are read and compared: addresses, identities, ranges, policies, keys, services. With --watch they are watched,
/// and --format prints what Nagios or Prometheus reads; these take all VPNs if none is named.
///
/// Each poll of a watch takes two requests a region. Everything is read again when more than a status has changed, and every ten
/// minutes.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", ExitStatus::help_for_monitors()))]
pub(crate) struct StatusArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections [default: the only one; all with --watch,
    /// nagios and prometheus].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    /// Print a line now and at every change (with --json an object each, on one line), until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// End the watch once all are ACTIVE, or one is not.
    #[arg(long, requires = "watch")]
    until: Option<Until>,
    /// End the watch after so many seconds. The exit code is that of the state at its end, whatever ended it.
    #[arg(long, requires = "watch", value_name = "SECS")]
    timeout: Option<u64>,
    /// Seconds between two polls of the watch.
    #[arg(long, requires = "watch", value_name = "SECS", default_value_t = WATCH.as_secs(), value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
    /// Print it for a person, as one line for Nagios and Icinga, or as metrics for Prometheus.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: Format,
    /// Write the metrics to this file, for the textfile collector of the node exporter. It is replaced as a whole, and everybody
    /// may read it.
    #[arg(long, value_name = "FILE.prom", conflicts_with = "json")]
    textfile: Option<PathBuf>,
    /// Add the metric osvpn_half_info, with ids, addresses and ranges.
    #[arg(long, conflicts_with = "json")]
    detail: bool,
    /// Print a systemd service and a timer that write the metrics, and do nothing else.
    #[arg(long, conflicts_with_all = ["json", "watch"])]
    print_systemd: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Nagios,
    Prometheus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Until {
    Active,
    Down,
}

impl StatusArgs {
    pub(crate) fn run_or_print(&self) -> io::Result<ExitStatus> {
        if self.print_systemd {
            return match systemd::units(self) {
                Ok(units) => print_whole(units.as_bytes()),
                Err(error) => {
                    complain(error.text("").trim_end());
                    Ok(error.status)
                }
            };
        }
        answer(self)
    }

    /// What is printed: a file is for metrics alone.
    fn output(&self) -> Result<Format, CommandError> {
        match (self.format, &self.textfile) {
            (Format::Text, Some(_)) => Ok(Format::Prometheus),
            (Format::Nagios, Some(_)) => Err(CommandError::unusable("--textfile is for --format prometheus")),
            (Format::Nagios, None) if self.watch => {
                Err(CommandError::unusable("--watch is not for --format nagios: a plugin is run for each check"))
            }
            (Format::Prometheus, None) if self.watch => {
                Err(CommandError::unusable("--watch with --format prometheus needs --textfile FILE"))
            }
            (format, _) => Ok(format),
        }
    }

    const fn is_for_prometheus(&self) -> bool {
        matches!(self.format, Format::Prometheus) || self.textfile.is_some()
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(self.interval)
    }

    fn metrics(&self, seen: &Monitored) -> Metrics {
        Metrics::new(seen, self.detail)
    }

    /// Prints the metrics, or puts them in the place of the file.
    fn publish(&self, metrics: Metrics) -> Result<Conclusion, CommandError> {
        let Some(path) = &self.textfile else { return Ok(metrics.into()) };
        let written = replace(path, metrics.to_string().as_bytes());
        written.map_err(|error| CommandError::unusable(format!("{} cannot be written: {error}", path.display())))?;
        Ok(Conclusion::said(metrics.exit_status()))
    }

    async fn once(&self, format: Format, sign_in: &mut SignInContext) -> Result<Conclusion, CommandError> {
        let words = Vec::from_iter(self.vpn.as_deref());
        let monitor = Monitor::read(&self.answer.cloud, sign_in, &words, format != Format::Text).await?;
        let mut seen = monitor.monitored()?;
        match format {
            Format::Nagios => Ok(NagiosLine::new(&seen).into()),
            Format::Prometheus => self.publish(self.metrics(&seen)),
            Format::Text => match (seen.vpns.pop(), seen.unmade.pop()) {
                (Some(health), _) => Ok(health.into()),
                (None, Some(unmade)) => Ok(unmade.into()),
                (None, None) => Err(CommandError::internal("no VPN was chosen")),
            },
        }
    }
}

impl Answering for StatusArgs {
    fn options(&self) -> &AnswerArgs {
        &self.answer
    }

    fn untouched(&self) -> &'static str {
        ""
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let told = match self.output() {
            Err(error) => Err(error),
            Ok(_) if self.watch => watch::run(self, sign_in, signals).await,
            Ok(format) => until_signal(signals, self.once(format, sign_in)).await,
        };
        match told {
            Err(error) if self.format == Format::Nagios => Ok(NagiosLine::unknown(&error.in_short()).into()),
            Err(error) if self.is_for_prometheus() && error.status == ExitStatus::Failed => {
                super::lines::warn(error.text("").trim_end());
                self.publish(Metrics::of_failure())
            }
            told => told,
        }
    }
}

/// A file that others may read, whatever the umask is: another user's program collects it.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = AtomicWriteFile::open(path)?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(text)?;
    file.commit()
}

/// How the process ends when its arguments cannot be used: to Nagios, the 2 of every other command would be CRITICAL.
pub(crate) fn wrong_usage(error: &clap::Error, args: impl Iterator<Item = OsString>) -> Option<ExitStatus> {
    let args: Vec<OsString> = args.collect();
    let is_asked = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "nagios";
    if !error.use_stderr() || !(args.windows(2).any(is_asked) || args.iter().any(|arg| arg == "--format=nagios")) {
        return None;
    }
    let text = error.to_string();
    let line = NagiosLine::unknown(text.lines().next().unwrap_or_default());
    print_whole(line.to_string().as_bytes()).ok();
    Some(ExitStatus::Nagios(NagiosState::Unknown))
}
