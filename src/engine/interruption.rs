//! What was interrupted in a project, as the journals of this machine tell.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::journal::{self, JournalError, Record, Stage};
use super::{Course, Direction, state_file};
use crate::change::{ChangeId, Create, New, Step, Subject, Unfinished};
use crate::cloud::{Cloud, Id};
use crate::inspect::Inspection;
use crate::plan::file::PlanFile;
use crate::plan::{VpnId, meant};

/// A change that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    pub journal: PathBuf,
    /// How far it is; of a creation with what is in doubt since it was interrupted.
    pub course: Course,
    /// Which way it went last.
    pub direction: Direction,
    pub began: Timestamp,
    pub state: State,
}

/// Whether somebody goes on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No process does.
    Interrupted,
    /// Another process is doing it now.
    Running,
    /// The VPN is made. Only a second object that a lost request may make has to be looked for, and deleted.
    Outstanding,
}

impl Interruption {
    #[must_use]
    pub const fn vpn(&self) -> &Subject {
        &self.course.change.subject
    }

    /// What the VPN is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.course.change.label
    }

    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.course.is_creation()
    }

    /// Whether the VPN lacks objects.
    #[must_use]
    pub fn is_unmade(&self) -> bool {
        self.is_creation() && self.state != State::Outstanding
    }

    /// The routers a creation puts its VPN services on.
    pub fn routers(&self) -> impl Iterator<Item = &Id> {
        self.course.change.steps().iter().filter_map(|step| match step {
            Step::Create(Create { object: New::SoleService { router, .. } | New::Service(router), .. }) => Some(router),
            _ => None,
        })
    }

    /// When it began, for people.
    #[must_use]
    pub fn began(&self) -> String {
        self.began.strftime("%F %H:%M UTC").to_string()
    }

    /// How many objects of a new VPN exist: "7 objects exist, and 1 more may".
    pub fn objects(&self) -> String {
        let exist = match self.course.progress.removable().len() {
            1 => "1 object exists".to_owned(),
            count => format!("{count} objects exist"),
        };
        match self.course.progress.doubts().len() {
            0 => exist,
            count => format!("{exist}, and {count} more may"),
        }
    }

    /// Whether it is of that VPN: the one with that marker, or one of these connections.
    pub fn is_of<'a>(&self, marker: Option<&VpnId>, connections: impl IntoIterator<Item = &'a Id>) -> bool {
        match self.vpn() {
            Subject::Marked(id) => marker == Some(id),
            Subject::Unmarked(id) => {
                let new = self.course.change.new_id.as_ref();
                new.is_some() && marker == new || connections.into_iter().any(|connection| connection == id)
            }
        }
    }

    /// The connections it replaces, each with the one that is made in its place.
    fn pairs(&self) -> impl Iterator<Item = (&Id, Option<&Id>)> {
        let Course { change, progress, .. } = &self.course;
        change.steps().iter().enumerate().filter_map(|(number, step)| match step {
            Step::Create(Create { object: New::Connection(new), .. }) => Some((&new.like, progress.made(number))),
            _ => None,
        })
    }

    /// Whether it replaces the connection with that id, or made it.
    #[must_use]
    pub fn replaces(&self, wanted: &str) -> bool {
        self.pairs().any(|(old, new)| old.as_str() == wanted || new.is_some_and(|new| new.as_str() == wanted))
    }

    /// The connections that stand beside others in whose place they are, or which take theirs: both are there in the middle of
    /// a change, and one of the two is the VPN's. That is the old one until the first of them is deleted.
    fn beside_others(&self, inspection: &Inspection) -> Vec<Id> {
        let there = || inspection.surveys.values().flat_map(|survey| &survey.inventory.connections);
        let exists = |id: &Id| there().any(|connection| connection.id == *id);
        if self.pairs().all(|(old, _)| exists(old)) {
            // One whose answer was lost has its word, too.
            let is_new =
                |description: &str| ChangeId::of_description(description).as_ref() == Some(self.course.change.id());
            let new = there().filter(|connection| is_new(&connection.description));
            return new.map(|connection| connection.id.clone()).collect();
        }
        let done = self.pairs().filter(|(old, new)| exists(old) && new.is_some_and(exists));
        done.map(|(old, _)| old.clone()).collect()
    }

    /// Those of which a word means the VPN: by the id, or the whole marker, or else by the name.
    #[must_use]
    pub fn meant<'a>(all: impl IntoIterator<Item = &'a Self>, wanted: &str) -> Vec<&'a Self> {
        meant(wanted, all, &[&|one| one.vpn().is_called(wanted), &|one| one.name() == wanted])
    }

    fn of(journal: PathBuf, mut record: Record, cloud: &Cloud) -> Self {
        let state = match record.stage() {
            Stage::Interrupted => state(&journal),
            Stage::Outstanding | Stage::Made => State::Outstanding,
        };
        let direction = record.direction();
        if record.change.is_creation() {
            record.progress.take_over(cloud.limits());
        }
        Self { course: record.course(&journal), journal, direction, began: record.began, state }
    }
}

/// What is not done in the cloud's project, the latest first: creations, then changes. A journal that cannot be read tells
/// of nothing.
#[must_use]
pub fn interruptions(directory: &Path, cloud: &Cloud) -> Vec<Interruption> {
    let ours = readable(directory).filter(|(_, record)| record.is_of(cloud));
    ours.map(|(path, record)| Interruption::of(path, record, cloud)).collect()
}

/// The creation of a plan file's VPN, begun on this machine in the cloud's project, that is not done.
#[must_use]
pub fn begun(directory: &Path, cloud: &Cloud, file: &PlanFile) -> Option<Interruption> {
    let is_same = |record: &Record| record.is_of(cloud) && record.plan().is_ok_and(|plan| plan.is_of_same_vpn(file));
    let same = readable(directory).filter(|(_, record)| is_same(record));
    same.map(|(path, record)| Interruption::of(path, record, cloud)).find(Interruption::is_unmade)
}

/// The journals that are not done and can be read.
fn readable(directory: &Path) -> impl Iterator<Item = (PathBuf, Record)> {
    let records = journal::unfinished(directory).unwrap_or_default();
    records.into_iter().filter_map(|(path, record)| Some((path, record.ok()?)))
}

/// What was read, without the connections that only the middle of a change has.
#[must_use]
pub fn set_aside(inspection: Inspection, interruptions: &[Interruption]) -> Inspection {
    let changes = interruptions.iter().filter(|one| !one.is_creation());
    let beside: BTreeSet<Id> = changes.flat_map(|change| change.beside_others(&inspection)).collect();
    inspection.without(&beside)
}

/// What unused objects may still be needed for.
#[must_use]
pub fn needed(interruptions: &[Interruption]) -> Unfinished {
    let mut needed = Unfinished::default();
    for interruption in interruptions.iter().filter(|one| one.state != State::Outstanding) {
        let Course { change, progress, .. } = &interruption.course;
        needed.vpns.push(change.subject.clone());
        needed.vpns.extend(change.new_id.clone().map(Subject::Marked));
        if change.is_creation() {
            needed.objects.extend(progress.removable().into_iter().map(|made| made.id));
        } else {
            needed.changes.push(change.id().clone());
            // What it deletes, it deletes itself; until then it may have to be put back.
            needed.objects.extend(change.steps().iter().filter_map(|step| match step {
                Step::Delete(_, object) => Some(object.id.clone()),
                _ => None,
            }));
        }
    }
    needed
}

/// Whether another process has the lock beside a journal.
fn state(path: &Path) -> State {
    match state_file::lock(path) {
        Err(JournalError::Busy(_)) => State::Running,
        Ok(_) | Err(_) => State::Interrupted,
    }
}
