//! `osvpn bug-report`: what a ticket needs, in one text that holds no secret and that its owner can read before giving it
//! away.
//!
//! Nothing in it is needed: it is made without credentials, without a network, from a log that is missing and journals
//! that are broken, and says so. Every secret this process can find is taken out of the whole text in the end, wherever
//! it may have come from.

mod cloud;
mod local;
mod redaction;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::BugReportArgs;
use crate::cloud::credentials::{Sources, outlines};
use crate::cloud::printable;
use redaction::Redaction;

/// One part of the report.
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

/// Collects the report and writes it to a new file, or to the output; what it says to the user goes to `err`.
///
/// # Errors
/// If it cannot be written. A file that is there is never overwritten.
pub async fn bug_report(args: &BugReportArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
    let sources = Sources::from_process();
    let (files, secrets) = outlines(&sources);
    let redaction = Redaction::new(&sources, secrets);
    let sections = vec![
        local::program(),
        local::settings(&sources, &files),
        cloud::section(args).await,
        local::journals(),
        local::log(),
    ];
    let text = redaction.apply(&whole(&sections));
    if args.output.as_deref() == Some(Path::new("-")) {
        return out.write_all(text.as_bytes());
    }
    let path = write(args.output.as_deref(), &text)?;
    writeln!(err, "Written to {}, which only you can read ({} lines):", path.display(), text.lines().count())?;
    for section in &sections {
        writeln!(err, "  {:<9} {}", section.title, redaction.apply(&section.summary))?;
    }
    writeln!(err, "It holds no key, no password and no token, but names of your regions, networks and VPN objects.")?;
    writeln!(err, "Read it before you attach it to a ticket.")
}

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
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{} cannot be written: {error}", path.display())))?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}
