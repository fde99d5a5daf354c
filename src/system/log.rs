//! The log: a file, never the screen. Off unless `OSVPN_LOG` asks for it.
//!
//! Only what this crate writes is kept: it is known to hold no secret, which cannot be promised of what the libraries
//! below it write at their most verbose.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tracing_subscriber::filter::{ParseError, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::system::state;

/// The variable that asks for a log: `debug`, or levels by module (`osvpn::cloud=debug,info`).
pub(crate) const VARIABLE: &str = "OSVPN_LOG";

/// A log that is longer when the program begins becomes the old one, in bytes: a day of checks once a minute.
const LONGEST: u64 = 8 << 20;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("{VARIABLE}: {0}")]
    Directives(#[from] ParseError),
    #[error("the log {0} cannot be written: {1}")]
    File(PathBuf, io::Error),
}

/// Where the log is: `osvpn.log` in the state directory. None without a home directory.
pub fn path() -> Option<PathBuf> {
    Some(state::directory()?.join("osvpn.log"))
}

/// Starts the log if the environment asks for it.
/// Errors: see [`LogError`]; the program can do without a log.
pub fn start() -> Result<(), LogError> {
    let directives = std::env::var(VARIABLE).unwrap_or_default();
    let (false, Some(path)) = (directives.trim().is_empty(), path()) else { return Ok(()) };
    let filter: Targets = directives.parse()?;
    let file = open(&path).map_err(|error| LogError::File(path, error))?;
    let ours = filter_fn(|metadata| metadata.target().split("::").next() == Some("osvpn"));
    let layer = fmt::layer().with_ansi(false).with_writer(file).with_filter(ours);
    // There is one already only where a test has set one.
    let _ = tracing::subscriber::set_global_default(registry().with(filter).with(layer));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), process = std::process::id(), "osvpn begins");
    Ok(())
}

/// Where what was logged before is: the one old log there is.
pub fn old(path: &Path) -> PathBuf {
    path.with_extension("log.old")
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        state::make_private(dir)?;
    }
    // A program that is at work goes on with the file it has.
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() > LONGEST) {
        fs::rename(path, old(path))?;
    }
    let file = state::open(path, OpenOptions::new().append(true).create(true).mode(state::PRIVATE_FILE))?;
    // One that was there may be open to others.
    file.set_permissions(Permissions::from_mode(state::PRIVATE_FILE))?;
    Ok(file)
}
