//! The journal of a change: a file that knows at every moment what the change may have done, so that another process can
//! finish it or roll it back after this one has died. It is called after the VPN, one without a marker after its first
//! connection: `<id>.json` for the creation of a VPN, `<id>.change` for a change of one that exists, under the same lock.
//!
//! It is written before each request that changes something and after each answer. Every writing replaces the whole file at
//! once and reaches the disk before the work goes on. It holds no secret: the key of a new VPN is read back from a connection,
//! or asked for.
//!
//! A journal is there for exactly as long as there is something to finish or to roll back: of a creation until every object
//! exists, and no request whose answer was lost can make another ([`Stage`]).

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::handover::KeyOrigin;
pub use super::state_file::{Claim, JournalError};
use super::status::Course;
use super::{Direction, Progress, old_journal, state_file};
use crate::change::{Change, Subject, Verb};
use crate::cloud::{Cloud, harmless};
use crate::plan::file::{self, FileError, PlanFile};
use crate::plan::{Plan, VpnId};

/// The format this program writes. It reads those before, too.
pub(super) const VERSION: u32 = 2;
/// What the names of journals end in: of creations, and of changes of a VPN that exists.
const EXTENSIONS: [&str; 2] = ["json", "change"];

/// What a journal is still needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Something is missing, or it is not known yet whether another run made the same VPN: the change was interrupted.
    Interrupted,
    /// Every object of the new VPN exists, so it is made. A request whose answer was lost may still make a second object, or
    /// has made one to delete.
    Outstanding,
    /// Every object exists, and nothing else does: the journal is of no use.
    Made,
}

/// What is known of a change without asking the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub(super) version: u32,
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
    pub change: Change,
    pub progress: Progress,
    /// Of a creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) planned: Option<Planned>,
}

/// What a creation was begun with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Planned {
    /// Whether the key was made by the program, so that another is as good as long as no connection has it.
    pub key: KeyOrigin,
    /// The plan, as a plan file.
    pub file: String,
    /// Whether creation came to its end, with the look for others who made the same VPN at the same time.
    pub is_checked: bool,
}

impl Record {
    /// Of a change that begins now.
    #[must_use]
    pub fn new(cloud: &Cloud, change: Change) -> Self {
        Self {
            version: VERSION,
            program: format!("osvpn {}", env!("CARGO_PKG_VERSION")),
            began: Timestamp::now(),
            auth_url: cloud.auth_url().to_owned(),
            project: cloud.project_id().to_owned(),
            progress: Progress::new(&change),
            change,
            planned: None,
        }
    }

    /// Of a creation that begins now.
    #[must_use]
    pub fn of_plan(cloud: &Cloud, plan: &Plan, key: KeyOrigin) -> Self {
        let planned = Planned { key, file: file::write(plan), is_checked: false };
        Self { planned: Some(planned), ..Self::new(cloud, plan.to_change()) }
    }

    /// The plan of a creation as it was when it began.
    ///
    /// # Errors
    /// If it was not written by this program.
    pub fn plan(&self) -> Result<PlanFile, FileError> {
        PlanFile::parse(self.planned.as_ref().map_or("", |planned| &planned.file))
    }

    /// Where the key of a new VPN came from.
    #[must_use]
    pub fn key_origin(&self) -> KeyOrigin {
        self.planned.as_ref().map_or(KeyOrigin::Given, |planned| planned.key)
    }

    /// Whether it is a change in that cloud's project. One project can be reached by several URLs.
    #[must_use]
    pub fn is_of(&self, cloud: &Cloud) -> bool {
        self.project == cloud.project_id()
    }

    /// How far it came.
    #[must_use]
    pub fn stage(&self) -> Stage {
        // What a plan that cannot be read wants is not known to exist.
        let is_checked = self.planned.as_ref().is_some_and(|planned| planned.is_checked) && self.plan().is_ok();
        match is_checked && self.progress.is_made() {
            false => Stage::Interrupted,
            true if self.progress.is_outstanding() => Stage::Outstanding,
            true => Stage::Made,
        }
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
        steps.any(|(number, step)| step.sets_key() && !self.progress.is_done(number))
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

/// Where the journal of a change is.
pub(super) fn path_of(directory: &Path, change: &Change) -> PathBuf {
    let extension = EXTENSIONS[usize::from(change.verb != Verb::Create)];
    directory.join(format!("{}.{extension}", stem(&change.subject)))
}

/// What the files of a VPN are called. An id is the cloud's to choose, and must not lead elsewhere.
fn stem(subject: &Subject) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    subject.to_string().chars().take(64).map(plain).collect()
}

/// A journal in a directory, and what it says.
pub type Listed = (PathBuf, Result<Record, JournalError>);

/// Every journal in a directory, as it is: those of creations, the latest first, then those of changes.
///
/// # Errors
/// If the directory cannot be read. One that does not exist holds none.
pub fn listed(directory: &Path) -> Result<Vec<Listed>, JournalError> {
    let mut all = Vec::new();
    for extension in EXTENSIONS {
        all.extend(state_file::read_all(directory, extension, read, |record: &Record| record.began)?);
    }
    Ok(all)
}

/// The same with something to finish or to roll back, and with those that cannot be read. None of them is locked. One whose
/// VPN is made is removed: an earlier osvpn kept it until the VPN was ACTIVE.
///
/// # Errors
/// As [`listed`].
pub fn unfinished(directory: &Path) -> Result<Vec<Listed>, JournalError> {
    let (made, unfinished) = listed(directory)?
        .into_iter()
        .partition(|(_, record): &Listed| matches!(record, Ok(record) if record.stage() == Stage::Made));
    let made: Vec<Listed> = made;
    for (path, _) in made {
        // The process that has it removes it.
        let is_made = |claim: &Claim| matches!(read(&claim.path), Ok(record) if record.stage() == Stage::Made);
        let _ = Claim::at(path).map(|claim| if is_made(&claim) { claim.remove_journal() } else { Ok(()) });
    }
    Ok(unfinished)
}

/// The journal of a change of that VPN that is not done, if there is one.
#[must_use]
pub fn unfinished_of(directory: &Path, vpn: &VpnId) -> Option<Listed> {
    let path = directory.join(format!("{vpn}.{}", EXTENSIONS[1]));
    path.exists().then(|| (path.clone(), read(&path)))
}

/// Removes a journal whose change is to stay as it is.
///
/// # Errors
/// If another process has it, or as the file system says.
pub fn forget(path: &Path) -> Result<(), JournalError> {
    Claim::at(path.to_owned())?.remove_journal()
}

/// What comes first, if anything of the same VPN does. The caller has the lock of all its journals. A creation that is done
/// is in nobody's way, and its journal is removed if it is of no use.
pub(super) fn comes_first(directory: &Path, change: &Change) -> Result<(), JournalError> {
    let unfinished = |what: &str| Err(JournalError::Unfinished(change.subject.to_string(), what.to_owned()));
    let [creation, other] =
        EXTENSIONS.map(|extension| directory.join(format!("{}.{extension}", stem(&change.subject))));
    if other.exists() {
        return unfinished("another change of this VPN");
    }
    if !creation.exists() {
        return Ok(());
    }
    if change.verb == Verb::Create {
        return Err(JournalError::Unreadable(creation, "it is in the way of a new journal of this VPN".to_owned()));
    }
    match read(&creation)?.stage() {
        Stage::Interrupted => unfinished("creating this VPN"),
        Stage::Outstanding => Ok(()),
        Stage::Made => std::fs::remove_file(&creation).map_err(|error| JournalError::File(creation, error)),
    }
}

pub(super) fn read(path: &Path) -> Result<Record, JournalError> {
    let mut record = state_file::read(path, VERSION, |version, text| match version {
        1 => old_journal::read(text),
        _ => serde_json::from_slice(text),
    })?;
    // The lock goes by the file's name, so a copy would let two processes work on one VPN.
    state_file::check_name(path, &stem(&record.change.subject))?;
    if !record.progress.fits(&record.change) || !record.change.is_staged() {
        let why = "it tells of other steps than the change has".to_owned();
        return Err(JournalError::Unreadable(path.to_owned(), why));
    }
    record.progress.know(&record.change);
    Ok(record)
}
