//! `osvpn bug-report`: what a ticket needs, in one text that holds no secret and that its owner can read before giving it
//! away.
//!
//! Nothing in it is required: it is made without credentials, without a network, from a log that is missing and journals
//! that are broken, and says so. Every secret this process can find is taken out of the whole text in the end, wherever
//! it may have come from.

mod cloud;
mod local;
mod redaction;

use std::fmt::Write as _;
use std::io::{self, Write, stderr};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::options::CloudArgs;
use super::{print_whole, with_runtime};
use crate::cloud::credentials::{Sources, outlines};
use crate::cloud::printable;
use crate::report::ExitStatus;
use crate::system::private_file::write_new;
use redaction::Redaction;

const EXAMPLES: &str = "\
Examples:
  osvpn bug-report                    a file to read, then to attach
  osvpn bug-report -o -               on standard output
  osvpn bug-report --offline          without asking the cloud anything";

/// Collect what a ticket about osvpn needs into one text file that you can read first.
///
/// In it are the versions of osvpn and the system, the names of the OS_* variables that are set and of the settings in
/// clouds.yaml (no values of secret ones), the API extensions of your regions if a sign-in works, the journals of
/// unfinished runs, and the log. It holds no key, no password and no token.
///
/// It needs neither credentials nor a network. A log is there if osvpn was run with OSVPN_LOG=debug.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct BugReportArgs {
    /// The file to write, which must not exist; - prints the report [default: osvpn-bug-report-TIME.txt here].
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Send nothing: leave out what only the cloud can tell.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

impl BugReportArgs {
    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        with_runtime(self.report())
    }

    /// A file that exists is never overwritten.
    async fn report(&self) -> io::Result<ExitStatus> {
        let sources = Sources::from_process();
        let (files, secrets) = outlines(&sources);
        let redaction = Redaction::new(&sources, secrets);
        let sections = vec![
            local::program(),
            local::settings(&sources, &files),
            cloud::section(self).await,
            local::journals(),
            local::log(),
        ];
        let text = redaction.apply(&whole(&sections));
        if self.output.as_deref() == Some(Path::new("-")) {
            return print_whole(text.as_bytes());
        }
        let path = write(self.output.as_deref(), &text)?;
        let mut said =
            format!("Written to {}, which only you can read ({} lines):\n", path.display(), text.lines().count());
        for section in &sections {
            let _ = writeln!(said, "  {:<9} {}", section.title, redaction.apply(&section.summary));
        }
        said.push_str(
            "It holds no key, no password and no token, but names of your regions, networks and VPN objects.\n\
             Read it before you attach it to a ticket.\n",
        );
        let _ = stderr().write_all(said.as_bytes());
        Ok(ExitStatus::Done)
    }
}

struct Section {
    title: &'static str,
    /// What is in it, in a few words.
    summary: String,
    text: String,
}

const PREAMBLE: &str = "\
Read this before you give it away. It names your regions, networks and VPN objects, and holds no key, no password and
no token.
";

/// The report as a text, of which no line of a log or journal can do a terminal harm.
fn whole(sections: &[Section]) -> String {
    let now = Timestamp::now().strftime("%F %H:%M:%S UTC");
    let mut text = format!("osvpn bug report, {now}\n\n{PREAMBLE}");
    for section in sections {
        let _ = writeln!(text, "\n== {} ==", section.title);
        for line in section.text.lines() {
            text.push_str(&printable(&line.replace('\t', " ")));
            text.push('\n');
        }
    }
    text
}

/// Writes a file that is not there yet: the one that was named, or one named after the time.
fn write(wanted: Option<&Path>, text: &str) -> io::Result<PathBuf> {
    let usual = || PathBuf::from(format!("osvpn-bug-report-{}.txt", Timestamp::now().strftime("%Y%m%d-%H%M%S")));
    let path = wanted.map_or_else(usual, Path::to_owned);
    write_new(&path, text.as_bytes())
        .map_err(|error| io::Error::new(error.kind(), format!("{} cannot be written: {error}", path.display())))?;
    Ok(path)
}
