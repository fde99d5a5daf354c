//! Which interrupted creation or change is meant.

use std::path::Path;

use itertools::Itertools;

use super::super::CommandError;
use super::change::ChangeToResume;
use crate::cloud::{Cloud, Hidden};
use crate::engine::discover::{self, Found};
use crate::engine::journal::{Claim, JournalError, Record, unfinished, unfinished_of};
use crate::engine::resume::Resumable;
use crate::plan::shell::osvpn;
use crate::plan::{VpnId, meant};
use crate::report::ExitStatus;
use crate::system::state;

/// What can be said without asking the cloud.
pub(in super::super) enum Chosen {
    Change(Box<ChangeToResume>),
    Creation(ChosenCreation),
}

pub(in super::super) enum ChosenCreation {
    /// That of this journal, which is claimed.
    Journal(Box<Resumable>),
    /// No journal is here of the VPN of that name or id, but for those that cannot be read.
    Named(String, Vec<String>),
}

/// The creation or change that is meant: of the VPN that was named, or the only thing unfinished here.
///
/// # Errors
/// If it is not clear which one, or another process has it, or the journal of one that may be meant cannot be read.
pub(in super::super) fn choose(wanted: Option<&str>) -> Result<Chosen, CommandError> {
    if wanted.is_some_and(|wanted| wanted.trim().is_empty()) {
        return Err(CommandError::unusable("an empty name names no VPN"));
    }
    let journals = state::directory().map_or_else(|| Ok(Vec::new()), |directory| unfinished(&directory))?;
    let (mut readable, mut unreadable): (Vec<ChangeToResume>, Vec<String>) = (Vec::new(), Vec::new());
    for (journal, record) in journals {
        match record {
            Ok(record) => readable.push(ChangeToResume { journal, record }),
            Err(error) if may_be_meant(&journal, wanted) => return Err(unreadable_change(&error, wanted)),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let meant = match wanted {
        None => readable,
        Some(wanted) => {
            let has_id = |one: &ChangeToResume| one.record.change.subject.is_called(wanted);
            meant(wanted, readable, &[&has_id, &|one| one.record.change.label == wanted])
        }
    };
    let (mut creations, mut changes): (Vec<_>, Vec<_>) =
        meant.into_iter().partition(|one| one.record.change.is_creation());
    match (changes.pop(), creations.pop(), wanted) {
        // A creation of the same VPN is done, but for the answer to a request.
        (Some(change), creation, _) if changes.is_empty() && (creation.is_none() || wanted.is_some()) => {
            Ok(Chosen::Change(Box::new(change)))
        }
        (None, Some(creation), _) if creations.is_empty() => {
            let resumable = Box::new(Resumable::open(&creation.journal)?);
            Ok(Chosen::Creation(ChosenCreation::Journal(resumable)))
        }
        (None, None, Some(wanted)) => Ok(Chosen::Creation(ChosenCreation::Named(wanted.to_owned(), unreadable))),
        (None, None, None) => {
            let mut problems = vec![
                "Nothing was interrupted that this machine knows of.".to_owned(),
                "If something was begun elsewhere, or its journal is lost, name its VPN: osvpn then looks for its marker in the \
                 cloud. To wait for a VPN that exists to become ACTIVE, name it, too."
                    .to_owned(),
            ];
            problems.extend(unreadable);
            Err(CommandError::new(ExitStatus::Usage, problems))
        }
        (change, creation, _) => {
            let mut problems = vec!["several things were interrupted; name the VPN you mean by its id:".to_owned()];
            let all = creations.iter().chain(&creation).chain(&changes).chain(&change);
            problems.extend(all.map(|ChangeToResume { record: Record { change, began, auth_url, .. }, .. }| {
                let began = began.strftime("%F %H:%M UTC");
                format!("  {}  {change}, begun {began} at {auth_url}", change.subject)
            }));
            Err(CommandError::new(ExitStatus::Usage, problems))
        }
    }
}

/// Whether a journal that cannot be read is that of the change that is meant.
fn may_be_meant(journal: &Path, wanted: Option<&str>) -> bool {
    let id = |wanted: &str| VpnId::of_word(wanted).map_or_else(|| wanted.to_owned(), |id| id.to_string());
    let is_change = journal.extension().is_some_and(|extension| extension == "change");
    is_change && wanted.is_none_or(|wanted| journal.file_stem().is_some_and(|stem| stem == id(wanted).as_str()))
}

fn unreadable_change(error: &JournalError, wanted: Option<&str>) -> CommandError {
    let way = match wanted {
        Some(_) => "it is the journal of a change that was interrupted; move it away if the VPN is to stay as it is",
        None => "name the VPN you mean, or move the journal of a change that cannot be read away",
    };
    CommandError::new(ExitStatus::Usage, [error.to_string(), way.to_owned()])
}

/// Refuses to roll back a complete VPN: its creation was not interrupted, and a mistake would cost a VPN that works.
/// Errors: with the command that deletes it.
pub(in super::super) fn refuse_made(interrupted: &Resumable) -> Result<(), CommandError> {
    if !interrupted.is_made() {
        return Ok(());
    }
    let change = interrupted.change();
    let problem = format!(
        "creating {} was not interrupted: it has all its connections, and no journal on this machine tells of an \
         interrupted change. There is nothing to roll back",
        change.label
    );
    let hint = format!("to delete the whole VPN: {}", osvpn("delete").operand(&change.subject));
    Err(CommandError::refused(problem).hint(hint))
}

/// Claims a VPN that was found by its marker, so that no other process resumes it meanwhile.
fn claimed(found: Found, cloud: &Cloud) -> Result<Resumable, CommandError> {
    if let [first, ..] = found.doubled().as_slice() {
        let mut problems = vec![format!(
            "half {} of {} exists more than once: its marker does not tell which connection is the right one. Delete one \
             by its own id (osvpn delete ID), or change its description:",
            first.task.half, found.vpn
        )];
        problems.extend(found.doubled().iter().map(|made| format!("  {} {} ({})", made.region, made.name, made.id)));
        return Err(CommandError::new(ExitStatus::Refused, problems));
    }
    let directory = state::directory().ok_or(JournalError::NoHome);
    let vpn = &found.vpn;
    // It may have been named otherwise than its journal names it.
    if let Some((path, record)) = directory.as_ref().ok().and_then(|directory| unfinished_of(directory, vpn)) {
        let error =
            record.map_or_else(|error| error, |_| JournalError::Unfinished(vpn.to_string(), "a change".to_owned()));
        return Err(CommandError::from(error).hint(format!("its journal is {}", path.display())));
    }
    match directory.and_then(|directory| Claim::of(&directory, vpn)) {
        Err(error @ JournalError::Busy(_)) => Err(CommandError::from(error)),
        // It could not be read, or was begun only now. It goes before the markers: it may know of requests whose
        // answers are outstanding.
        Ok(claim) if claim.has_journal() => match Resumable::of(claim) {
            Ok(resumable) => of_this_project(resumable, cloud),
            Err(error) => {
                Err(CommandError::from(error).hint("to go by the markers in the cloud alone, move that file away"))
            }
        },
        // A disk that cannot be written is no reason not to undo something.
        claim => Ok(Resumable::Found(Box::new(found), claim)),
    }
}

fn of_this_project(resumable: Resumable, cloud: &Cloud) -> Result<Resumable, CommandError> {
    match &resumable {
        Resumable::Journal(_, record) if !record.is_of(cloud) => Err(CommandError::unusable(elsewhere(record, cloud))),
        Resumable::Journal(..) | Resumable::Found(..) => Ok(resumable),
    }
}

/// Why this sign-in is of no use.
pub(super) fn elsewhere(record: &Record, cloud: &Cloud) -> String {
    format!(
        "{} was begun in another project (id {}, signed in at {}); this sign-in is for {} (id {}). Source that project's \
         openrc, or name its cloud with --cloud",
        record.change,
        record.project,
        record.auth_url,
        cloud.project_name(),
        cloud.project_id()
    )
}

/// Compares the journal with the cloud that was signed in to, or looks for the VPN by its marker.
///
/// # Errors
/// If it belongs elsewhere, or there is none.
pub(in super::super) async fn take_up(chosen: ChosenCreation, cloud: &Cloud) -> Result<Resumable, CommandError> {
    let (wanted, unreadable) = match chosen {
        ChosenCreation::Journal(resumable) => return of_this_project(*resumable, cloud),
        ChosenCreation::Named(wanted, unreadable) => (wanted, unreadable),
    };
    let all = discover::find(cloud)
        .await
        .map_err(|error| CommandError::failed("looking for the VPN by its marker", &error))?;
    if let Some(hidden) = Hidden::from(cloud.is_reader(), !all.is_empty()) {
        return Err(CommandError::refused(hidden));
    }
    let mut found = meant(
        &wanted,
        all,
        &[&|found| VpnId::of_word(&wanted).as_ref() == Some(&found.vpn), &|found| found.name.as_str() == wanted],
    );
    match (found.pop(), found.len()) {
        (Some(found), 0) => claimed(found, cloud),
        (None, _) => {
            let text = format!(
                "no VPN {wanted} is known: there is no journal of it on this machine, and no object with its marker in any \
                 region of project {}",
                cloud.project_name()
            );
            Err(CommandError::new(ExitStatus::Usage, [vec![text], unreadable].concat()))
        }
        (Some(last), _) => {
            found.push(last);
            let mut problems = vec![format!("several VPNs are called {wanted}; name one by its id:")];
            problems.extend(found.iter().map(|Found { vpn, change, progress, .. }| {
                let state = if progress.is_complete() { "complete" } else { "not complete" };
                let regions = change.halves().values().join(" to ");
                format!("  {vpn}  {regions}, {} objects, {state}", progress.objects().count())
            }));
            Err(CommandError::new(ExitStatus::Usage, problems))
        }
    }
}
