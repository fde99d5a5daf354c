//! Where the program keeps what outlives it: the log and the journals.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// `$XDG_STATE_HOME/osvpn`, by default `~/.local/state/osvpn`. None without a home directory.
#[must_use]
pub fn directory() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir()?.join("osvpn"))
}

/// Makes a directory that only its owner can look into, unless it is there.
///
/// # Errors
/// As the file system says.
pub fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}
