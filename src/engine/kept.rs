//! The journal of a change: `<vpn-id>.change` beside the journals of runs, under the same lock as that VPN's run; for a VPN
//! without a mark the id is that of its first connection. It is there from the first request that is announced until there
//! is nothing to finish or to roll back, and holds no secret.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state_file::JournalError;
use super::{Course, Direction, Progress};
use super::{journal, state_file};
use crate::change::{Change, Step, Subject};
use crate::cloud::{Cloud, harmless};
use crate::engine::Ledger;
use crate::engine::journal::{Claim, Keeper};
use crate::plan::VpnId;

/// The format this program reads and writes.
const VERSION: u32 = 1;
pub(super) const EXTENSION: &str = "change";

/// What is known of a change without asking the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    version: u32,
    /// The program that wrote it.
    #[serde(deserialize_with = "harmless")]
    pub program: String,
    /// When the change began, by this machine's clock.
    pub began: Timestamp,
    /// Which Keystone it was signed in at, for a person to recognise.
    #[serde(deserialize_with = "harmless")]
    pub auth_url: String,
    /// The project of the VPN.
    #[serde(deserialize_with = "harmless")]
    pub project: String,
    /// What it is to do.
    pub change: Change,
    pub(super) progress: Progress,
}

impl ChangeRecord {
    /// Whether it is a change in that cloud's project. One project can be reached by several URLs.
    #[must_use]
    pub fn is_of(&self, cloud: &Cloud) -> bool {
        self.project == cloud.project_id()
    }

    /// Whether it can be rolled back.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        self.progress.is_reversible(&self.change)
    }

    /// Whether a key is still to be set, so that the user's is of use.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        let mut steps = self.change.steps().iter().enumerate();
        steps.any(|(number, step)| matches!(step, Step::SetKey(_)) && !self.progress.is_done(number))
    }

    /// Which way it went last.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.progress.direction
    }

    /// How far it is, by what this journal tells.
    #[must_use]
    pub fn course(&self, journal: &Path) -> Course {
        Course::of(&self.change, &self.progress, Some(journal.to_owned()))
    }
}

/// Where a change is kept while it goes on.
#[derive(Debug)]
pub(super) enum Kept {
    Nowhere,
    /// In the journal of a creation, with what it said at first.
    Creation(Keeper, Box<Ledger>),
    File(Box<Held>),
}

/// A journal, written or not, and the lock on it.
#[derive(Debug)]
pub(super) struct Held {
    claim: Claim,
    record: ChangeRecord,
    is_written: bool,
}

impl Kept {
    pub fn begin(change: &Change, cloud: &Cloud, directory: &Path) -> Result<Self, JournalError> {
        crate::system::state::make_private(directory)
            .map_err(|error| JournalError::File(directory.to_owned(), error))?;
        let path = directory.join(stem(&change.subject)).with_extension(EXTENSION);
        let claim = Claim::at(path.clone())?;
        let unfinished = |what: &str| Err(JournalError::Unfinished(change.subject.to_string(), what.to_owned()));
        if path.exists() {
            return unfinished("another change of this VPN");
        }
        if journal::is_interrupted(&path)? {
            return unfinished("creating this VPN");
        }
        let record = ChangeRecord {
            version: VERSION,
            program: format!("osvpn {}", env!("CARGO_PKG_VERSION")),
            began: Timestamp::now(),
            auth_url: cloud.auth_url().to_owned(),
            project: cloud.project_id().to_owned(),
            change: change.clone(),
            progress: Progress::of(change),
        };
        Ok(Self::File(Box::new(Held { claim, record, is_written: false })))
    }

    pub fn open(path: &Path) -> Result<(Self, ChangeRecord), JournalError> {
        // The lock comes first: the process that had it may have finished the change and removed the journal.
        let claim = Claim::at(path.to_owned())?;
        let record = read(path)?;
        let held = Held { claim, record: record.clone(), is_written: true };
        Ok((Self::File(Box::new(held)), record))
    }

    pub fn is_of(&self, cloud: &Cloud) -> bool {
        match self {
            Self::Nowhere | Self::Creation(..) => true,
            Self::File(held) => held.record.is_of(cloud),
        }
    }

    /// The file, if there is one.
    pub fn journal(&self) -> Option<&Path> {
        match self {
            Self::File(held) if held.is_written => Some(&held.claim.path),
            Self::Nowhere | Self::Creation(..) | Self::File(_) => None,
        }
    }

    /// Notes how far it is. On return it is on the disk.
    pub fn keep(&mut self, change: &Change, progress: &Progress) -> Result<(), JournalError> {
        let held = match self {
            Self::Nowhere => return Ok(()),
            Self::Creation(keeper, base) => return keeper.keep(&progress.ledger(change, base)),
            Self::File(held) => held,
        };
        if held.is_written && held.record.progress == *progress {
            return Ok(());
        }
        let record = ChangeRecord { change: change.clone(), progress: progress.clone(), ..held.record.clone() };
        state_file::write(&held.claim.path, &record)?;
        (held.record, held.is_written) = (record, true);
        Ok(())
    }

    /// The same where going on from what is on the disk already would be right, too.
    pub fn note(&mut self, change: &Change, progress: &Progress) {
        match self {
            Self::Creation(keeper, base) => return keeper.note(&progress.ledger(change, base)),
            Self::File(held) if !held.is_written => return,
            Self::Nowhere | Self::File(_) => {}
        }
        if let Err(error) = self.keep(change, progress) {
            tracing::warn!(%error, "the journal of the change was not written");
        }
    }

    /// Notes that every object of a creation exists, and that nobody else has made the same.
    pub fn finish_made(&self, change: &Change, progress: &Progress) {
        if let Self::Creation(keeper, base) = self {
            keeper.finish_made(&progress.ledger(change, base));
        }
    }

    /// Removes the journal: there is nothing to finish or to roll back. The VPN stays locked.
    pub fn finish(&mut self) {
        let held = match self {
            Self::Nowhere => return,
            Self::Creation(keeper, _) => return keeper.finish(),
            Self::File(held) => held,
        };
        if held.is_written
            && let Err(error) = fs::remove_file(&held.claim.path)
        {
            tracing::warn!(%error, "the journal of the change was not removed");
        }
        held.is_written = false;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.claim.has_journal() {
            self.claim.release();
        }
    }
}

/// A journal in a directory, and what it says.
pub type ListedChange = (PathBuf, Result<ChangeRecord, JournalError>);

/// Every journal of a change in a directory, the latest first, with those that cannot be read. None of them is locked.
///
/// # Errors
/// If the directory cannot be read. One that does not exist holds none.
pub fn unfinished(directory: &Path) -> Result<Vec<ListedChange>, JournalError> {
    state_file::read_all(directory, EXTENSION, read, |record| record.began)
}

/// The journal of a change of that VPN, if there is one.
#[must_use]
pub fn unfinished_of(directory: &Path, vpn: &VpnId) -> Option<ListedChange> {
    let path = directory.join(stem(&Subject::Marked(vpn.clone()))).with_extension(EXTENSION);
    path.exists().then(|| (path.clone(), read(&path)))
}

fn read(path: &Path) -> Result<ChangeRecord, JournalError> {
    let record: ChangeRecord = state_file::read(path, VERSION)?;
    state_file::check_name(path, &stem(&record.change.subject))?;
    if !record.progress.fits(&record.change) {
        return Err(JournalError::Unreadable(
            path.to_owned(),
            "it tells of other steps than the change has".to_owned(),
        ));
    }
    Ok(record)
}

/// What the files of a VPN are called. An id is the cloud's to choose, and must not lead elsewhere.
fn stem(subject: &Subject) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    subject.to_string().chars().take(64).map(plain).collect()
}
