//! Where the program keeps what outlives it: the log and the journals.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

const PRIVATE: u32 = 0o700;

/// `$XDG_STATE_HOME/osvpn`, by default `~/.local/state/osvpn`. None without a home directory.
#[must_use]
pub fn directory() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir()?.join("osvpn"))
}

/// Makes a directory that only its owner can look into, or makes one that is there such a one.
///
/// # Errors
/// As the file system says.
pub fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE).create(directory)?;
    let permissions = fs::metadata(directory)?.permissions();
    if permissions.mode() & 0o777 == PRIVATE {
        return Ok(());
    }
    fs::set_permissions(directory, Permissions::from_mode(PRIVATE))
}
