//! Files of a run that only this user may read: each is replaced as a whole, and one process at a time works on it.

use std::cmp::Reverse;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use atomic_write_file::unix::OpenOptionsExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::one_line;
use crate::plan::VpnId;
use crate::plan::shell::osvpn;
use crate::system::state::{self, PRIVATE_FILE};

/// More than any journal has, in bytes. What is longer ends in the middle.
const LARGEST: u64 = 16 << 20;
/// How much of the parser's words is passed on, in characters.
const LONGEST_REASON: usize = 200;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no directory to write it to.
    #[error("there is no home directory for the journal of the run")]
    NoHome,
    /// Reading or writing failed.
    #[error("the journal {0} cannot be used: {1}")]
    File(PathBuf, #[source] io::Error),
    /// Another process works on this VPN.
    #[error("another osvpn{} is working on this VPN right now; wait for it, or end it first", process(*.0))]
    Busy(Option<u32>),
    /// A run or a change of this VPN was interrupted, and comes first.
    #[error(
        "{what} was interrupted and comes first: {finish} finishes it, {back} rolls it back",
        what = .1,
        finish = osvpn("resume").operand(.0),
        back = osvpn("rollback").operand(.0)
    )]
    Unfinished(String, String),
    /// The file is no journal, or one of a newer program.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, String),
}

/// Puts this in the place of what the file holds. On return it is on the disk.
pub(super) fn write(path: &Path, content: &impl Serialize) -> Result<(), JournalError> {
    let written = || {
        // One write: a serializer that writes to a file makes a system call for each word of it.
        let mut text = serde_json::to_vec_pretty(content)?;
        text.push(b'\n');
        let mut file = AtomicWriteFile::options().mode(PRIVATE_FILE).preserve_mode(false).open(path)?;
        file.write_all(&text)?;
        file.commit()
    };
    written().map_err(|error| JournalError::File(path.to_owned(), error))
}

/// Reads a file of that version of its format, or of one before.
pub(super) fn read<T>(
    path: &Path,
    known: u32,
    parse: impl FnOnce(u32, &[u8]) -> serde_json::Result<T>,
) -> Result<T, JournalError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    // The parser may repeat a part of the file.
    let unreadable = |why: String| JournalError::Unreadable(path.to_owned(), one_line(&why, LONGEST_REASON));
    let mut text = Vec::new();
    let read =
        state::open(path, OpenOptions::new().read(true)).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
    read.map_err(|error| JournalError::File(path.to_owned(), error))?;
    let Versioned { version } = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    if version > known {
        return Err(unreadable(format!("it has format {version}, and this osvpn knows {known}; use the newer one")));
    }
    parse(version, &text).map_err(|error| unreadable(error.to_string()))
}

/// Refuses a file that is not called after the VPN it is about.
pub(super) fn check_name(path: &Path, stem: &str) -> Result<(), JournalError> {
    if path.file_stem().is_some_and(|found| found == stem) {
        return Ok(());
    }
    let why = format!("it is a copy: the journal of VPN {stem} is called after its id; delete the copy");
    Err(JournalError::Unreadable(path.to_owned(), why))
}

/// The files of a directory whose names end like that. A directory that does not exist has none.
fn list(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, JournalError> {
    let entries = match state::check(directory).and_then(|()| fs::read_dir(directory)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(JournalError::File(directory.to_owned(), error)),
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}

/// A file in a directory, and what it says.
pub(super) type FileRead<T> = (PathBuf, Result<T, JournalError>);

/// Reads the files of a directory whose names end like that, the one that was begun last first. None of them is locked.
pub(super) fn read_all<T>(
    directory: &Path,
    extension: &str,
    read: impl Fn(&Path) -> Result<T, JournalError>,
    began: impl Fn(&T) -> Timestamp,
) -> Result<Vec<FileRead<T>>, JournalError> {
    let mut all: Vec<FileRead<T>> =
        list(directory, extension)?.into_iter().map(|path| (path.clone(), read(&path))).collect();
    all.sort_by_key(|(path, read)| (Reverse(read.as_ref().ok().map(&began)), path.clone()));
    Ok(all)
}

/// The file itself is replaced at every writing, so the lock is on one beside it: the same for all files of that name,
/// whatever they end in.
fn lock_path(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// Keeps other processes away for as long as the file is open.
pub(super) fn lock(path: &Path) -> Result<File, JournalError> {
    let path = lock_path(path);
    let failed = |error| JournalError::File(path.clone(), error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(PRIVATE_FILE);
    let mut file = loop {
        let mut file = state::open(&path, &mut options).map_err(failed)?;
        match file.try_lock() {
            // Its holder may have removed the file after this process opened it; that lock would exclude no process.
            Ok(()) if file.metadata().map_err(failed)?.nlink() == 0 => {}
            Ok(()) => break file,
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is helps the user; that somebody has it is what counts.
                let _ = file.read_to_string(&mut holder);
                return Err(JournalError::Busy(holder.trim().parse().ok()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    };
    // A full disk is no reason not to undo something.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

/// The right to work on a VPN, to the exclusion of other processes of this machine as long as it lives.
#[derive(Debug)]
pub struct Claim {
    /// Where its journal is, or would be.
    pub(super) path: PathBuf,
    /// Held, not used.
    _lock: File,
}

impl Claim {
    /// Claims the VPN of a journal, whether or not there is one.
    ///
    /// # Errors
    /// If another process has it, or the directory cannot be used.
    pub fn of(directory: &Path, vpn: &VpnId) -> Result<Self, JournalError> {
        state::make_private(directory).map_err(|error| JournalError::File(directory.to_owned(), error))?;
        Self::at(directory.join(format!("{vpn}.json")))
    }

    pub(super) fn at(path: PathBuf) -> Result<Self, JournalError> {
        Ok(Self { _lock: lock(&path)?, path })
    }

    /// Whether there is a journal, readable or not.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.path.exists()
    }

    /// Removes the journal, and what is beside it.
    pub(super) fn remove_journal(&self) -> Result<(), JournalError> {
        fs::remove_file(&self.path).map_err(|error| JournalError::File(self.path.clone(), error))?;
        self.release();
        Ok(())
    }

    /// Removes the lock, and what a killed process has left beside the journal.
    pub(super) fn release(&self) {
        // A process that was killed while it wrote has left what it had by then. The holder of the lock writes alone.
        let unfinished = self.path.file_name().map(|name| format!(".{}.", name.display()));
        let entries = self.path.parent().and_then(|directory| fs::read_dir(directory).ok()).into_iter().flatten();
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().display().to_string();
            if unfinished.as_ref().is_some_and(|start| name.starts_with(start)) {
                let _ = fs::remove_file(entry.path());
            }
        }
        // Left behind it does no harm. A process that has opened it finds no journal.
        let _ = fs::remove_file(lock_path(&self.path));
    }
}

fn process(id: Option<u32>) -> String {
    id.map_or_else(String::new, |id| format!(" (process {id})"))
}
