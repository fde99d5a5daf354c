//! Where a change is kept while it goes on.

use std::fs;
use std::path::{Path, PathBuf};

use super::Progress;
use super::journal::{Claim, JournalError, Record, comes_first, path_of, read};
use crate::change::Change;
use crate::cloud::Cloud;
use crate::plan::Plan;
use crate::plan::file;
use crate::system::state;

#[derive(Debug)]
pub(super) enum Kept {
    /// Nowhere: the demo's cloud ends with the program, or the markers in the cloud tell it all. Others are kept off as long as
    /// there is a claim.
    Nowhere(Option<Claim>),
    File(Box<Held>),
}

/// A journal, written or not, and the lock on it.
#[derive(Debug)]
pub(super) struct Held {
    directory: Option<PathBuf>,
    claim: Option<Claim>,
    record: Record,
    is_written: bool,
    /// Whether what is on the disk is this record.
    is_current: bool,
}

impl Claim {
    /// Claims a VPN for a change that begins.
    fn to_begin(directory: &Path, change: &Change) -> Result<Self, JournalError> {
        state::make_private(directory).map_err(|error| JournalError::File(directory.to_owned(), error))?;
        let claim = Self::at(path_of(directory, change))?;
        comes_first(directory, change)?;
        Ok(claim)
    }
}

impl Held {
    /// Where it is, or will be.
    fn claimed(&mut self) -> Result<&Path, JournalError> {
        if self.claim.is_none() {
            let directory = self.directory.as_deref().ok_or(JournalError::NoHome)?;
            self.claim = Some(Claim::to_begin(directory, &self.record.change)?);
        }
        self.claim.as_ref().map(|claim| claim.path.as_path()).ok_or(JournalError::NoHome)
    }
}

impl Kept {
    /// From the first request on. The VPN is locked from now on.
    pub fn begin(change: &Change, cloud: &Cloud, directory: &Path) -> Result<Self, JournalError> {
        let claim = Claim::to_begin(directory, change)?;
        Ok(Self::held(Some(claim), Some(directory.to_owned()), Record::new(cloud, change.clone())))
    }

    /// A creation, from the moment its first request is announced: nobody else knows of the VPN.
    pub fn planned(directory: Option<PathBuf>, record: Record) -> Self {
        Self::held(None, directory, record)
    }

    /// A creation that was known by its markers alone, in a journal from now on.
    pub fn claimed(claim: Claim, record: Record) -> Result<Self, JournalError> {
        let directory = claim.path.parent().map(Path::to_owned);
        comes_first(directory.as_deref().ok_or(JournalError::NoHome)?, &record.change)?;
        Ok(Self::held(Some(claim), directory, record))
    }

    fn held(claim: Option<Claim>, directory: Option<PathBuf>, record: Record) -> Self {
        Self::File(Box::new(Held { directory, claim, record, is_written: false, is_current: false }))
    }

    pub fn open(claim: Claim) -> Result<(Self, Record), JournalError> {
        let record = read(&claim.path)?;
        let directory = claim.path.parent().map(Path::to_owned);
        let held = Held { directory, claim: Some(claim), record: record.clone(), is_written: true, is_current: true };
        Ok((Self::File(Box::new(held)), record))
    }

    /// What the journal says, or will.
    pub fn record(&self) -> Option<&Record> {
        if let Self::File(held) = self { Some(&held.record) } else { None }
    }

    /// The file, if there is one.
    pub fn journal(&self) -> Option<&Path> {
        match self {
            Self::File(held) if held.is_written => held.claim.as_ref().map(|claim| claim.path.as_path()),
            Self::Nowhere(_) | Self::File(_) => None,
        }
    }

    /// The plan of a creation is this one from now on.
    pub fn replan(&mut self, plan: &Plan) {
        if let Self::File(held) = self
            && let Some(planned) = &mut held.record.planned
        {
            (planned.file, planned.is_checked) = (file::write(plan), false);
            held.is_current = false;
        }
    }

    /// Writes what [`Self::replan`] has changed, if there is a journal.
    pub fn renew(&mut self, change: &Change, progress: &Progress) -> Result<(), JournalError> {
        if self.journal().is_some() { self.keep(change, progress) } else { Ok(()) }
    }

    /// Notes how far it is. On return it is on the disk.
    pub fn keep(&mut self, change: &Change, progress: &Progress) -> Result<(), JournalError> {
        let Self::File(held) = self else { return Ok(()) };
        held.is_current &= held.record.progress == *progress && held.record.change == *change;
        if held.is_written && held.is_current {
            return Ok(());
        }
        held.record.change.clone_from(change);
        held.record.progress.clone_from(progress);
        let path = held.claimed()?.to_owned();
        super::state_file::write(&path, &held.record)?;
        (held.is_written, held.is_current) = (true, true);
        Ok(())
    }

    /// The same where going on from what is on the disk already would be right, too.
    pub fn note(&mut self, change: &Change, progress: &Progress) {
        if self.journal().is_some()
            && let Err(error) = self.keep(change, progress)
        {
            tracing::warn!(%error, "the journal was not written");
        }
    }

    /// Every object of a creation exists, and nobody else has made the same: removes the journal, so that any process may work
    /// on the VPN, unless an answer is outstanding.
    pub fn finish_made(&mut self, change: &Change, progress: &Progress) {
        if !progress.is_outstanding() {
            self.finish();
        }
        let is_written = self.journal().is_some();
        if let Self::File(held) = self
            && let Some(planned) = &mut held.record.planned
        {
            held.is_current &= std::mem::replace(&mut planned.is_checked, true);
        }
        if is_written && let Err(error) = self.keep(change, progress) {
            tracing::warn!(%error, "the journal was not written");
        }
    }

    /// Removes the journal: there is nothing to finish or to roll back. A VPN that exists stays locked; one that was made or
    /// is gone is free for others, and another change begins a new journal.
    pub fn finish(&mut self) {
        let held = match self {
            Self::Nowhere(Some(claim)) => return claim.release(),
            Self::Nowhere(None) => return,
            Self::File(held) => held,
        };
        let Some(claim) = &held.claim else { return };
        if claim.has_journal()
            && let Err(error) = fs::remove_file(&claim.path)
        {
            tracing::warn!(%error, "the journal was not removed");
        }
        held.is_written = false;
        if let Some(planned) = &mut held.record.planned {
            planned.is_checked = false;
            claim.release();
            held.claim = None;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.as_ref().filter(|claim| !claim.has_journal()) {
            claim.release();
        }
    }
}
