//! Which interrupted creation is meant.

use std::path::PathBuf;

use itertools::Itertools;

use super::super::CommandError;
use crate::cloud::{Cloud, Hidden};
use crate::engine::discover::{self, Found};
use crate::engine::journal::{Claim, Journal, JournalError, Record, unfinished};
use crate::engine::resume::Resumable;
use crate::engine::{Marks, kept};
use crate::plan::shell::osvpn;
use crate::plan::{VpnId, meant};
use crate::report::ExitStatus;
use crate::system::state;

/// What can be said without asking the cloud.
pub(in super::super) enum Chosen {
    Journal(Box<Journal>),
    /// No journal is here of the VPN of that name or id, but for those that cannot be read.
    Named(String, Vec<String>),
}

/// Refuses to roll back a complete VPN: its creation was not interrupted, and a mistake would cost a VPN that works.
/// Errors: with the command that deletes it.
pub(in super::super) fn refuse_made(interrupted: &Resumable) -> Result<(), CommandError> {
    if !interrupted.is_made() {
        return Ok(());
    }
    let marks = interrupted.marks();
    let problem = format!(
        "creating {} was not interrupted: it has all its connections, and no journal on this machine tells of an \
         interrupted change. There is nothing to roll back",
        marks.name
    );
    let hint = format!("to delete the whole VPN: {}", osvpn("delete").operand(&marks.vpn));
    Err(CommandError::refused(problem).hint(hint))
}

/// Claims a VPN that was found by its marker, so that no other process resumes it meanwhile.
fn claimed(found: Found, cloud: &Cloud) -> Result<Resumable, CommandError> {
    if let [first, ..] = found.doubled().as_slice() {
        let mut problems = vec![format!(
            "half {} of {} exists more than once: its marker does not tell which connection is the right one. Delete one \
             by its own id (osvpn delete ID), or change its description:",
            first.task.half, found.marks.vpn
        )];
        problems.extend(found.doubled().iter().map(|made| format!("  {} {} ({})", made.region, made.name, made.id)));
        return Err(CommandError::new(ExitStatus::Refused, problems));
    }
    let directory = state::directory().ok_or(JournalError::NoHome);
    let vpn = &found.marks.vpn;
    // It may have been named otherwise than its journal names it.
    if let Some((path, record)) = directory.as_ref().ok().and_then(|directory| kept::unfinished_of(directory, vpn)) {
        let error =
            record.map_or_else(|error| error, |_| JournalError::Unfinished(vpn.to_string(), "a change".to_owned()));
        return Err(CommandError::from(error).hint(format!("its journal is {}", path.display())));
    }
    match directory.and_then(|directory| Claim::of(&directory, vpn)) {
        Err(error @ JournalError::Busy(_)) => Err(CommandError::from(error)),
        // It could not be read, or was begun only now. It goes before the markers: it may know of requests whose
        // answers are outstanding.
        Ok(claim) if claim.has_journal() => match Journal::of(claim) {
            Ok(journal) => take_journal(Box::new(journal), cloud),
            Err(error) => {
                Err(CommandError::from(error).hint("to go by the markers in the cloud alone, move that file away"))
            }
        },
        // A disk that cannot be written is no reason not to undo something.
        claim => Ok(Resumable::Found(Box::new(found), claim)),
    }
}

pub(in super::super) fn has_id(wanted: &str, vpn: &VpnId) -> bool {
    VpnId::of_word(wanted).as_ref() == Some(vpn)
}

/// Claims the journal to resume: the only one, or that of the named VPN.
/// Errors: if it is not clear which one, or another process has it.
pub(in super::super) fn local(wanted: Option<&str>) -> Result<Chosen, CommandError> {
    let journals = match state::directory().map(|directory| unfinished(&directory)) {
        Some(Ok(journals)) => journals,
        Some(Err(error)) => return Err(CommandError::from(error)),
        None => Vec::new(),
    };
    let mut unreadable = Vec::new();
    let mut readable: Vec<(PathBuf, Record)> = Vec::new();
    for (path, record) in journals {
        match record {
            Ok(record) => readable.push((path, record)),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let meant = match wanted {
        None => readable,
        Some(wanted) => meant(
            wanted,
            readable,
            &[&|(_, record)| has_id(wanted, &record.vpn), &|(_, record)| record.name.as_str() == wanted],
        ),
    };
    match (meant.as_slice(), wanted) {
        ([(path, _)], _) => {
            let journal = Journal::open(path).map_err(CommandError::from)?;
            Ok(Chosen::Journal(Box::new(journal)))
        }
        ([], Some(wanted)) => Ok(Chosen::Named(wanted.to_owned(), unreadable)),
        ([], None) => {
            let mut problems = vec![
                "nothing was interrupted: this machine knows of no interrupted creation or change".to_owned(),
                "if one was begun elsewhere, or its journal is lost, name its VPN: osvpn then looks for its marker in the \
                 cloud. To wait for a VPN that exists, name it, too"
                    .to_owned(),
            ];
            problems.extend(unreadable);
            Err(CommandError::new(ExitStatus::Usage, problems))
        }
        (several, _) => {
            let mut problems =
                vec!["the creation of several VPNs was interrupted; name the one you mean by its id:".to_owned()];
            problems.extend(several.iter().map(|(_, record)| {
                format!(
                    "  {}  {}, begun {} at {}",
                    record.vpn,
                    record.name,
                    record.began.strftime("%F %H:%M UTC"),
                    record.auth_url
                )
            }));
            Err(CommandError::new(ExitStatus::Usage, problems))
        }
    }
}

fn take_journal(journal: Box<Journal>, cloud: &Cloud) -> Result<Resumable, CommandError> {
    if journal.record().is_of(cloud) {
        return Ok(Resumable::Journal(journal));
    }
    let record = journal.record();
    let text = format!(
        "{} was begun in another project (id {}, signed in at {}); this sign-in is for {} (id {}). Source that project's \
         openrc, or name its cloud with --cloud",
        record.name,
        record.project,
        record.auth_url,
        cloud.project_name(),
        cloud.project_id()
    );
    Err(CommandError::unusable(text))
}

/// Compares the journal with the cloud that was signed in to, or looks for the VPN by its marker.
/// Errors: if it belongs elsewhere, or there is none.
pub(in super::super) async fn take_up(chosen: Chosen, cloud: &Cloud) -> Result<Resumable, CommandError> {
    let (wanted, unreadable) = match chosen {
        Chosen::Journal(journal) => return take_journal(journal, cloud),
        Chosen::Named(wanted, unreadable) => (wanted, unreadable),
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
        &[&|found| has_id(&wanted, &found.marks.vpn), &|found| found.marks.name.as_str() == wanted],
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
            problems.extend(found.iter().map(|found| {
                let Marks { vpn, regions, .. } = &found.marks;
                let state = if found.is_made() { "complete" } else { "not complete" };
                format!("  {vpn}  {}, {} objects, {state}", regions.values().join(" to "), found.ledger.made().len())
            }));
            Err(CommandError::new(ExitStatus::Usage, problems))
        }
    }
}
