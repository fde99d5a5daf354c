//! Where the program keeps what outlives it: the log and the journals. It uses nothing there that is not its user's own: a
//! link would lead to another file, a pipe would keep the program waiting, and another owner can change a file.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use rustix::fs::OFlags;
use rustix::process::geteuid;

const PRIVATE: u32 = 0o700;
/// Of a file that only its owner may read.
pub(crate) const PRIVATE_FILE: u32 = 0o600;

/// `$XDG_STATE_HOME/osvpn`, by default `~/.local/state/osvpn`. None without a home directory.
pub fn directory() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir()?.join("osvpn"))
}

/// Makes a directory that only its owner can look into, or makes one that is there such a one.
/// Errors: as the file system says, and if it is a link or belongs to another user.
pub(crate) fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE).create(directory)?;
    check(directory)?;
    let permissions = fs::metadata(directory)?.permissions();
    if permissions.mode() & 0o777 == PRIVATE {
        return Ok(());
    }
    fs::set_permissions(directory, Permissions::from_mode(PRIVATE))
}

/// Checks that a directory is one of this user's own.
/// Errors: if it is not, or not there.
pub fn check(directory: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(directory)?;
    if found.is_symlink() {
        return Err(io::Error::other("it is a link; osvpn uses only a directory"));
    }
    of_this_user(&found)
}

/// Opens a file of this user's own.
/// Errors: as the file system says, and if it is a link, no regular file, or another user's.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) { no_file() } else { error }
    })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(no_file());
    }
    of_this_user(&found)?;
    Ok(file)
}

fn no_file() -> io::Error {
    io::Error::other("it is a link or something else that is no regular file")
}

fn of_this_user(found: &Metadata) -> io::Result<()> {
    if found.uid() == geteuid().as_raw() { Ok(()) } else { Err(io::Error::other("it belongs to another user")) }
}
