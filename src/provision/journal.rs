//! The journal of a run: a file that knows at every moment what the run may have made, so that another process can
//! finish or undo it after this one has died.
//!
//! It is written before the requests of a wave are sent (their tasks are in doubt from then on) and after each answer.
//! Every writing replaces the whole file at once and reaches the disk before the run goes on. It holds no secret: the
//! key is read back from a connection of the VPN, or asked for.
//!
//! A journal is there for exactly as long as there is something to finish or to undo.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atomic_write_file::AtomicWriteFile;
use atomic_write_file::unix::OpenOptionsExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Ledger;
use super::handover::KeyOrigin;
use crate::cloud::{Cloud, harmless, one_line};
use crate::plan::file::{self, FileError, PlanFile};
use crate::plan::{Plan, VpnId, VpnName};

/// The format this program reads and writes.
const VERSION: u32 = 1;
const PRIVATE: u32 = 0o600;
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
    /// The file is no journal, or one of a newer program.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, String),
}

/// What is known of a run without asking the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// The program that wrote it.
    #[serde(deserialize_with = "harmless")]
    pub program: String,
    /// The id in the marks.
    pub vpn: VpnId,
    /// What every object's name starts with.
    pub name: VpnName,
    /// When the run began, by this machine's clock.
    pub began: Timestamp,
    /// Which Keystone it was signed in at, for a person to recognise.
    #[serde(deserialize_with = "harmless")]
    pub auth_url: String,
    /// The project it was made in.
    #[serde(deserialize_with = "harmless")]
    pub project: String,
    /// Whether the key was made by the program, so that another is as good as long as no connection has it.
    pub key: KeyOrigin,
    /// The plan, as a plan file.
    plan: String,
    /// What exists, and what is in doubt.
    pub ledger: Ledger,
}

impl Record {
    /// Of a run that begins now.
    #[must_use]
    pub fn new(cloud: &Cloud, plan: &Plan, key: KeyOrigin) -> Self {
        Self {
            version: VERSION,
            program: format!("osvpn {}", env!("CARGO_PKG_VERSION")),
            vpn: plan.id().clone(),
            name: plan.name().clone(),
            began: Timestamp::now(),
            auth_url: cloud.auth_url().to_owned(),
            project: cloud.project_id().to_owned(),
            key,
            plan: file::write(plan),
            ledger: Ledger::default(),
        }
    }

    /// The plan as it was when the run began.
    ///
    /// # Errors
    /// If it was not written by this program.
    pub fn plan(&self) -> Result<PlanFile, FileError> {
        PlanFile::parse(&self.plan)
    }

    /// Whether it is a run in that cloud's project. One project can be reached by several URLs.
    #[must_use]
    pub fn is_of(&self, cloud: &Cloud) -> bool {
        self.project == cloud.project_id()
    }
}

/// The journal of one run, locked as long as it is held.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Held, not used.
    _lock: File,
    record: Record,
}

impl Journal {
    /// Takes up the journal of an earlier run.
    ///
    /// # Errors
    /// If another process has it, or it is gone or unreadable by now.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // The lock comes first: whoever had it may have finished the run and removed the journal.
        let lock = lock(path)?;
        Ok(Self { record: read(path)?, path: path.to_owned(), _lock: lock })
    }

    /// What it says.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    fn begin(directory: &Path, record: Record) -> Result<Self, JournalError> {
        crate::state::make_private(directory).map_err(|error| JournalError::File(directory.to_owned(), error))?;
        let path = directory.join(format!("{}.json", record.vpn));
        if path.exists() {
            return Err(JournalError::Unreadable(path, "it is in the way of a new journal of this VPN".to_owned()));
        }
        let journal = Self { _lock: lock(&path)?, path, record };
        journal.write()?;
        Ok(journal)
    }

    fn keep(&mut self, ledger: &Ledger) -> Result<(), JournalError> {
        if self.record.ledger == *ledger {
            return Ok(());
        }
        // What could not be written must not count as written the next time.
        let before = std::mem::replace(&mut self.record.ledger, ledger.clone());
        self.write().inspect_err(|_| self.record.ledger = before)
    }

    fn write(&self) -> Result<(), JournalError> {
        let written = || {
            let mut file = AtomicWriteFile::options().mode(PRIVATE).preserve_mode(false).open(&self.path)?;
            serde_json::to_writer_pretty(&mut file, &self.record)?;
            file.write_all(b"\n")?;
            file.commit()
        };
        written().map_err(|error| JournalError::File(self.path.clone(), error))
    }

    fn remove(&self) -> Result<(), JournalError> {
        fs::remove_file(&self.path).map_err(|error| JournalError::File(self.path.clone(), error))?;
        // Left behind it does no harm. Whoever has opened it by now finds no journal.
        let _ = fs::remove_file(lock_path(&self.path));
        Ok(())
    }
}

/// Where a ledger is kept while it changes.
#[derive(Clone, Debug, Default)]
pub struct Keeper(Arc<Mutex<Keeping>>);

#[derive(Debug, Default)]
enum Keeping {
    /// Nowhere: the demo's cloud ends with the program.
    #[default]
    Nowhere,
    /// In a journal that begins when there is something to say.
    Planned(Option<PathBuf>, Box<Record>),
    /// In that journal.
    Journal(Box<Journal>),
}

impl Keeper {
    /// Keeps a new run in a directory, from the moment its first request is announced.
    #[must_use]
    pub fn planned(directory: Option<PathBuf>, record: Record) -> Self {
        Self(Arc::new(Mutex::new(Keeping::Planned(directory, Box::new(record)))))
    }

    /// Goes on in the journal of an earlier run.
    #[must_use]
    pub fn of(journal: Journal) -> Self {
        Self(Arc::new(Mutex::new(Keeping::Journal(Box::new(journal)))))
    }

    /// Notes what exists and what is in doubt by now. On return it is on the disk.
    ///
    /// # Errors
    /// If that cannot be written. What was written before is still there then.
    pub fn keep(&self, ledger: &Ledger) -> Result<(), JournalError> {
        let mut keeping = self.keeping();
        if let Keeping::Planned(directory, record) = &*keeping {
            let record = Record { ledger: ledger.clone(), ..(**record).clone() };
            let directory = directory.as_deref().ok_or(JournalError::NoHome)?;
            *keeping = Keeping::Journal(Box::new(Journal::begin(directory, record)?));
        }
        match &mut *keeping {
            Keeping::Journal(journal) => journal.keep(ledger),
            Keeping::Nowhere | Keeping::Planned(..) => Ok(()),
        }
    }

    /// Notes a ledger where going on from what is on the disk already would be right, too.
    pub fn note(&self, ledger: &Ledger) {
        if matches!(&*self.keeping(), Keeping::Planned(..)) {
            return;
        }
        if let Err(error) = self.keep(ledger) {
            tracing::warn!(%error, "the journal was not written");
        }
    }

    /// Removes the journal: there is nothing to finish or to undo any more. Another run of the VPN begins a new one.
    pub fn finish(&self) {
        let mut keeping = self.keeping();
        let Keeping::Journal(journal) = &*keeping else { return };
        if let Err(error) = journal.remove() {
            tracing::warn!(%error, "the journal was not removed");
        }
        let directory = journal.path.parent().map(Path::to_owned);
        let record = Record { ledger: Ledger::default(), ..journal.record.clone() };
        *keeping = Keeping::Planned(directory, Box::new(record));
    }

    fn keeping(&self) -> MutexGuard<'_, Keeping> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A journal in a directory, and what it says.
pub type Listed = (PathBuf, Result<Record, JournalError>);

/// Every journal in a directory, the latest run first, with those that cannot be read. None of them is locked.
///
/// # Errors
/// If the directory cannot be read. One that does not exist holds none.
pub fn unfinished(directory: &Path) -> Result<Vec<Listed>, JournalError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(JournalError::File(directory.to_owned(), error)),
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let journals = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut read: Vec<_> = journals.map(|path| (path.clone(), read(&path))).collect();
    read.sort_by_key(|(path, record)| {
        (std::cmp::Reverse(record.as_ref().ok().map(|record| record.began)), path.clone())
    });
    Ok(read)
}

/// Removes a journal whose run is to stay as it is.
///
/// # Errors
/// If another process has it, or as the file system says.
pub fn forget(path: &Path) -> Result<(), JournalError> {
    Journal::open(path)?.remove()
}

fn read(path: &Path) -> Result<Record, JournalError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    // The parser may repeat a part of the file.
    let unreadable = |why: String| JournalError::Unreadable(path.to_owned(), one_line(&why, LONGEST_REASON));
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
    read.map_err(|error| JournalError::File(path.to_owned(), error))?;
    let Versioned { version } = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    if version != VERSION {
        return Err(unreadable(format!("it has format {version}, and this osvpn knows {VERSION}; use the newer one")));
    }
    serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))
}

fn process(id: Option<u32>) -> String {
    id.map_or_else(String::new, |id| format!(" (process {id})"))
}

/// The journal itself is replaced at every writing, so the lock is on a file beside it.
fn lock_path(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let path = lock_path(path);
    let failed = |error| JournalError::File(path.clone(), error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(PRIVATE);
    let mut file = options.open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who it is helps the user; that somebody has it is what counts.
            let _ = file.read_to_string(&mut holder);
            return Err(JournalError::Busy(holder.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    // A full disk is no reason not to undo something.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}
