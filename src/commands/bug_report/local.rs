//! What this machine knows: the program, its settings, the journals and the log.

use std::env::consts::{ARCH, OS};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Section;
use crate::cloud::credentials::{Outline, SECRET_VARIABLES, Sources};
use crate::engine::journal;
use crate::system::{log, state};

/// How much of the end of a log is taken, in bytes.
const LONGEST_LOG: u64 = 1 << 20;
/// How much of a journal is taken, in bytes; a VPN's has a few thousand.
const LONGEST_JOURNAL: u64 = 256 << 10;

/// `OS_*` variables whose values matter and are no secrets.
const SHOWN: [&str; 9] = [
    "OS_AUTH_TYPE",
    "OS_AUTH_URL",
    "OS_CACERT",
    "OS_CLIENT_CONFIG_FILE",
    "OS_CLOUD",
    "OS_IDENTITY_API_VERSION",
    "OS_INSECURE",
    "OS_INTERFACE",
    "OS_REGION_NAME",
];
/// Others that change what the program does.
const OTHERS: [&str; 15] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NO_COLOR",
    "NO_MOTION",
    "OSVPN_MOTION",
    "OSVPN_PSK",
    "OSVPN_LOG",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
];

pub fn program() -> Section {
    let version = env!("CARGO_PKG_VERSION");
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or(OS).trim_matches('"');
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut text = format!("osvpn {version}{}\n", if cfg!(debug_assertions) { " (debug build)" } else { "" });
    let _ = writeln!(text, "system    {system}, {OS} {} {ARCH}", kernel.trim());
    let size = crossterm::terminal::size().map(|(columns, rows)| format!(", {columns}x{rows}")).unwrap_or_default();
    let is = if io::stdout().is_terminal() { "a terminal" } else { "no terminal" };
    let _ = writeln!(text, "output    {is}{size}");
    for name in ["TERM", "TERM_PROGRAM", "COLORTERM", "TMUX", "STY", "SSH_TTY", "LANG", "LC_ALL", "LC_CTYPE"] {
        if let Ok(value) = std::env::var(name) {
            let _ = writeln!(text, "{name:<9} {value}");
        }
    }
    Section { title: "Program", summary: format!("osvpn {version} on {system}"), text }
}

pub fn settings(sources: &Sources, files: &[Outline]) -> Section {
    let mut text = String::new();
    let set: Vec<&str> = sources.vars.keys().map(String::as_str).filter(|name| name.starts_with("OS_")).collect();
    for name in set.iter().copied().chain(OTHERS) {
        let Some(value) = sources.var(name) else { continue };
        // An address may hold a password; a proxy's often does.
        let is_shown = SHOWN.contains(&name) && !SECRET_VARIABLES.contains(&name) && !value.contains('@');
        let _ = writeln!(text, "{name} is set{}", if is_shown { format!(": {value}") } else { String::new() });
    }
    for Outline { file, entries } in files {
        match entries {
            Ok(entries) => {
                let _ =
                    writeln!(text, "{file} has {} clouds; the settings of each, without their values:", entries.len());
                for (name, settings) in entries {
                    let _ = writeln!(text, "  {name}: {}", settings.join(", "));
                }
            }
            Err(error) => {
                let _ = writeln!(text, "{file} cannot be used: {error}");
            }
        }
    }
    if text.is_empty() {
        text.push_str("There is neither an OS_* variable nor a clouds.yaml.\n");
    }
    let summary =
        format!("names of {} OS_* variables, {} clouds.yaml and the like, without values", set.len(), files.len());
    Section { title: "Settings", summary, text }
}

pub fn journals() -> Section {
    let title = "Journals";
    let Some(directory) = state::directory() else {
        return Section { title, summary: "none".to_owned(), text: "There is no home directory.\n".to_owned() };
    };
    let mut text = listing(&directory);
    let listed = match journal::unfinished(&directory) {
        Ok(listed) => listed,
        Err(error) => return Section { title, summary: "unreadable".to_owned(), text: format!("{error}\n") },
    };
    let journals: Vec<_> = listed.iter().map(|(path, record)| (path, record.as_ref().err())).collect();
    for (path, error) in &journals {
        let state = error.map(|error| format!(" (broken: {error})")).unwrap_or_default();
        let _ = writeln!(text, "\n{}{state}", path.display());
        let _ = match end_of(path, LONGEST_JOURNAL) {
            Ok(journal) => writeln!(text, "{journal}"),
            Err(error) => writeln!(text, "it cannot be read: {error}"),
        };
    }
    Section { title, summary: format!("{} of interrupted creations and changes", journals.len()), text }
}

/// What lies beside them, and who may read it.
fn listing(directory: &Path) -> String {
    let mut text = format!("{}\n", directory.display());
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        if let Ok(metadata) = entry.metadata() {
            let (mode, length) = (metadata.permissions().mode() & 0o7777, metadata.len());
            let _ = writeln!(text, "  {mode:04o} {length:>9} bytes  {}", entry.file_name().display());
        }
    }
    text
}

pub fn log() -> Section {
    let text = log::path().map(|path| (path.display().to_string(), end_of(&path, LONGEST_LOG)));
    let (summary, text) = match text {
        Some((place, Ok(log))) => {
            (format!("{} lines, every request among them", log.lines().count()), format!("{place}\n{log}"))
        }
        Some((_, Err(error))) if error.kind() == io::ErrorKind::NotFound => (
            format!("none. Repeat what went wrong with {}=debug osvpn …, then create this report again", log::VARIABLE),
            format!("There is no log: {}=debug makes one.\n", log::VARIABLE),
        ),
        Some((place, Err(error))) => (format!("unreadable: {error}"), format!("{place} cannot be read: {error}\n")),
        None => ("none".to_owned(), "There is no home directory.\n".to_owned()),
    };
    Section { title: "Log", summary, text }
}

/// The last whole lines of a file, no more than so many bytes.
fn end_of(path: &Path, most: u64) -> io::Result<String> {
    let mut file = state::open(path, OpenOptions::new().read(true))?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    if skipped == 0 {
        return Ok(text.into_owned());
    }
    let (_, whole) = text.split_once('\n').unwrap_or(("", &text));
    Ok(format!("(the first {skipped} bytes are left out)\n{whole}"))
}
