//! The journal of a run: a file that knows at every moment what the run may have made, so that another process can
//! finish or undo it after this one has died.
//!
//! It is written before the requests of a wave are sent (their tasks are in doubt from then on) and after each answer.
//! Every writing replaces the whole file at once and reaches the disk before the run goes on. It holds no secret: the
//! key is read back from a connection of the VPN, or asked for.
//!
//! A journal is there for exactly as long as there is something to finish or to undo: until every object exists, and no
//! request whose answer was lost can make another ([`Stage`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Ledger;
use super::handover::KeyOrigin;
use super::kept;
use super::state_file;
pub use super::state_file::{Claim, JournalError};
use crate::cloud::{Cloud, harmless};
use crate::plan::file::{self, FileError, PlanFile};
use crate::plan::{Half, Plan, VpnId, VpnName};

/// The format this program reads and writes.
const VERSION: u32 = 1;

/// What a journal is still needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Objects are missing, or it is not known yet whether another run made the same VPN: creating it was interrupted.
    Interrupted,
    /// Every object exists, so the VPN is made. A request whose answer was lost may still make a second object, or has
    /// made one to delete.
    Outstanding,
    /// Every object exists, and nothing else does: the journal is of no use.
    Made,
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
    /// Whether creation came to its end, with the look for others who made the same VPN at the same time. An earlier osvpn
    /// did not note it.
    #[serde(default = "noted_by_none")]
    is_checked: bool,
}

const fn noted_by_none() -> bool {
    true
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
            is_checked: false,
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

    /// How far the run came.
    #[must_use]
    pub fn stage(&self) -> Stage {
        // What a plan that cannot be read wants is not known to exist.
        let halves = self.plan().map_or(0, |file| file.regions().len());
        match self.is_checked && self.ledger.is_made([Half::A, Half::B].into_iter().take(halves)) {
            false => Stage::Interrupted,
            true if self.ledger.is_outstanding() => Stage::Outstanding,
            true => Stage::Made,
        }
    }
}

impl Claim {
    fn begin(self, record: Record) -> Result<Journal, JournalError> {
        if self.path.with_extension(kept::EXTENSION).exists() {
            return Err(JournalError::Unfinished(record.vpn.to_string(), "another change of this VPN".to_owned()));
        }
        if self.has_journal() {
            return Err(JournalError::Unreadable(
                self.path,
                "it is in the way of a new journal of this VPN".to_owned(),
            ));
        }
        let journal = Journal { claim: self, record };
        journal.write()?;
        Ok(journal)
    }
}

/// The journal of one run, locked as long as it is held.
#[derive(Debug)]
pub struct Journal {
    claim: Claim,
    record: Record,
}

impl Journal {
    /// Resumes the journal of an earlier run.
    ///
    /// # Errors
    /// If another process has it, or it is gone or unreadable.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // The lock comes first: its holder may have finished the run and removed the journal.
        Self::of(Claim::at(path.to_owned())?)
    }

    /// Resumes the journal of a VPN that is claimed.
    ///
    /// # Errors
    /// If it is gone or unreadable.
    pub fn of(claim: Claim) -> Result<Self, JournalError> {
        Ok(Self { record: read(&claim.path)?, claim })
    }

    /// What it says.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
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
        state_file::write(&self.claim.path, &self.record)
    }

    fn remove(&self) -> Result<(), JournalError> {
        let path = &self.claim.path;
        fs::remove_file(path).map_err(|error| JournalError::File(path.clone(), error))?;
        self.claim.release();
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
    /// Nowhere, because the marks in the cloud tell it all; others are kept off.
    Claimed(Claim),
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

    /// Keeps a run that is known by its marks alone in a new journal, from now on.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn begun(claim: Claim, record: Record) -> Result<Self, JournalError> {
        Ok(Self::of(claim.begin(record)?))
    }

    /// Keeps nothing, but others off as long as it lives.
    #[must_use]
    pub fn claiming(claim: Claim) -> Self {
        Self(Arc::new(Mutex::new(Keeping::Claimed(claim))))
    }

    /// Notes what exists and what is in doubt. On return it is on the disk.
    ///
    /// # Errors
    /// If that cannot be written. What was written before is still there then.
    pub fn keep(&self, ledger: &Ledger) -> Result<(), JournalError> {
        let mut keeping = self.keeping();
        if let Keeping::Planned(directory, record) = &*keeping {
            let record = Record { ledger: ledger.clone(), ..(**record).clone() };
            let directory = directory.as_deref().ok_or(JournalError::NoHome)?;
            *keeping = Keeping::Journal(Box::new(Claim::of(directory, &record.vpn)?.begin(record)?));
        }
        match &mut *keeping {
            Keeping::Journal(journal) => journal.keep(ledger),
            Keeping::Nowhere | Keeping::Planned(..) | Keeping::Claimed(_) => Ok(()),
        }
    }

    /// Makes the plan of a run this one, with what of the ledger is of use to it, if it has been another so far.
    ///
    /// # Errors
    /// If that cannot be written. What was written before is still there then.
    pub fn revise(&self, plan: &Plan, ledger: &Ledger) -> Result<(), JournalError> {
        let text = file::write(plan);
        match &mut *self.keeping() {
            Keeping::Planned(_, record) => (record.plan, record.is_checked) = (text, false),
            Keeping::Journal(journal) if journal.record.plan != text => {
                let record = Record { plan: text, ledger: ledger.clone(), is_checked: false, ..journal.record.clone() };
                let before = std::mem::replace(&mut journal.record, record);
                return journal.write().inspect_err(|_| journal.record = before);
            }
            Keeping::Nowhere | Keeping::Journal(_) | Keeping::Claimed(_) => {}
        }
        Ok(())
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

    /// Every object exists, and no other run has made the same: removes the journal, so that any process may work on the VPN,
    /// unless an answer is outstanding.
    pub(super) fn finish_made(&self, ledger: &Ledger) {
        if !ledger.is_outstanding() {
            self.finish();
        }
        let written = match &mut *self.keeping() {
            Keeping::Planned(_, record) => {
                record.is_checked = true;
                return;
            }
            Keeping::Journal(journal) if !journal.record.is_checked => {
                journal.record.is_checked = true;
                journal.write()
            }
            Keeping::Nowhere | Keeping::Journal(_) | Keeping::Claimed(_) => Ok(()),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the journal was not written");
        }
        self.note(ledger);
    }

    /// Removes the journal: there is nothing to finish or to undo any more. Another run of the VPN begins a new one.
    pub fn finish(&self) {
        let mut keeping = self.keeping();
        let journal = match &*keeping {
            Keeping::Journal(journal) => journal,
            Keeping::Claimed(claim) => return claim.release(),
            Keeping::Nowhere | Keeping::Planned(..) => return,
        };
        if let Err(error) = journal.remove() {
            tracing::warn!(%error, "the journal was not removed");
        }
        let directory = journal.claim.path.parent().map(Path::to_owned);
        let record = Record { ledger: Ledger::default(), is_checked: false, ..journal.record.clone() };
        *keeping = Keeping::Planned(directory, Box::new(record));
    }

    fn keeping(&self) -> MutexGuard<'_, Keeping> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A journal in a directory, and what it says.
pub type Listed = (PathBuf, Result<Record, JournalError>);

/// Every journal of a run with something to finish or to undo, the latest run first, with those that cannot be read. None
/// of them is locked. One whose VPN is made is removed: an earlier osvpn kept it until the VPN was ACTIVE.
///
/// # Errors
/// If the directory cannot be read. One that does not exist holds none.
pub fn unfinished(directory: &Path) -> Result<Vec<Listed>, JournalError> {
    let (made, unfinished) = listed(directory)?
        .into_iter()
        .partition(|(_, record): &Listed| matches!(record, Ok(record) if record.stage() == Stage::Made));
    let made: Vec<Listed> = made;
    for (path, _) in made {
        // The process that has it removes it.
        let _ = Claim::at(path).and_then(remove_if_made);
    }
    Ok(unfinished)
}

/// Every journal in a directory, as it is.
///
/// # Errors
/// If the directory cannot be read. One that does not exist holds none.
pub fn listed(directory: &Path) -> Result<Vec<Listed>, JournalError> {
    state_file::read_all(directory, "json", read, |record| record.began)
}

/// Whether the journal beside a file says that creating its VPN was interrupted. The caller has the lock of both. One
/// whose VPN is made is removed.
pub(super) fn is_interrupted(beside: &Path) -> Result<bool, JournalError> {
    let path = beside.with_extension("json");
    if !path.exists() {
        return Ok(false);
    }
    let stage = read(&path)?.stage();
    if stage == Stage::Made {
        fs::remove_file(&path).map_err(|error| JournalError::File(path, error))?;
    }
    Ok(stage == Stage::Interrupted)
}

fn remove_if_made(claim: Claim) -> Result<(), JournalError> {
    let journal = Journal::of(claim)?;
    if journal.record.stage() == Stage::Made { journal.remove() } else { Ok(()) }
}

/// Removes a journal whose run is to stay as it is.
///
/// # Errors
/// If another process has it, or as the file system says.
pub fn forget(path: &Path) -> Result<(), JournalError> {
    Journal::open(path)?.remove()
}

fn read(path: &Path) -> Result<Record, JournalError> {
    let record: Record = state_file::read(path, VERSION)?;
    // The lock goes by the file's name, so a copy would let two processes work on one VPN.
    state_file::check_name(path, &record.vpn.to_string())?;
    Ok(record)
}
