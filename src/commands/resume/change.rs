//! Changes that were interrupted: finished or rolled back from their journals.

use std::path::{Path, PathBuf};

use super::super::confirm::confirm;
use super::super::options::CloudArgs;
use super::super::rollback::RollbackArgs;
use super::super::run_change::run_change;
use super::super::verify::Verification;
use super::super::{CommandError, Conclusion, SignInContext, until_signal};
use super::{ResumeArgs, choose};
use crate::engine::journal;
use crate::engine::kept::{ChangeRecord, unfinished};
use crate::engine::{Changing, Direction};
use crate::plan::shell::osvpn;
use crate::plan::{self, VpnId};
use crate::report::ExitStatus;
use crate::sign_in::SignedIn;
use crate::system::signals::Signals;
use crate::system::state;

pub(in super::super) struct ChangeToResume {
    journal: PathBuf,
    record: ChangeRecord,
}

/// The change that is meant: of the VPN that was named, or the only thing unfinished here. None if a run is meant, or
/// nothing is unfinished.
/// Errors: if it is not clear which one, or the journal of one that may be meant cannot be read.
pub(in super::super) fn meant(wanted: Option<&str>) -> Result<Option<ChangeToResume>, CommandError> {
    if wanted.is_some_and(|wanted| wanted.trim().is_empty()) {
        return Err(CommandError::unusable("an empty name names no VPN"));
    }
    let Some(directory) = state::directory() else { return Ok(None) };
    let changes = unfinished(&directory)?;
    let mut readable: Vec<ChangeToResume> = Vec::new();
    let mut unreadable = Vec::new();
    for (journal, record) in changes {
        match record {
            Ok(record) => readable.push(ChangeToResume { journal, record }),
            Err(error) if wanted.is_none_or(|wanted| is_called(&journal, wanted)) => unreadable.push(error.to_string()),
            Err(_) => {}
        }
    }
    if !unreadable.is_empty() {
        let way = match wanted {
            Some(_) => {
                "it is the journal of a change that was interrupted; move it away if the VPN is to stay as it is"
            }
            None => "name the VPN you mean, or move the journal of a change that cannot be read away",
        };
        unreadable.push(way.to_owned());
        return Err(CommandError::new(ExitStatus::Usage, unreadable));
    }
    let runs = journal::unfinished(&directory).unwrap_or_default();
    let mut meant = match wanted {
        None => readable,
        Some(wanted) => {
            // The id of a run that is not done goes before the name of what a change is about.
            let is_a_run = runs.iter().any(|(_, run)| run.as_ref().is_ok_and(|run| choose::has_id(wanted, &run.vpn)));
            let has_id = |one: &ChangeToResume| one.record.change.subject.is_called(wanted);
            let is_called = |one: &ChangeToResume| !is_a_run && one.record.change.label == wanted;
            plan::meant(wanted, readable, &[&has_id, &is_called])
        }
    };
    let runs = if wanted.is_some() { 0 } else { runs.len() };
    match (meant.as_slice(), runs) {
        ([], _) => Ok(None),
        ([_], 0) => Ok(meant.pop()),
        (several, _) => {
            let mut problems = vec!["several things were interrupted; name the VPN you mean by its id:".to_owned()];
            problems.extend(several.iter().map(|ChangeToResume { record, .. }| {
                format!(
                    "  {}  {}, begun {}",
                    record.change.subject,
                    record.change,
                    record.began.strftime("%F %H:%M UTC")
                )
            }));
            if runs > 0 {
                problems.push(format!("  and the creation of {runs} more"));
            }
            Err(CommandError::new(ExitStatus::Usage, problems))
        }
    }
}

fn is_called(journal: &Path, wanted: &str) -> bool {
    let id = VpnId::of_word(wanted).map_or_else(|| wanted.to_owned(), |id| id.to_string());
    journal.file_stem().is_some_and(|stem| stem == id.as_str())
}

impl ChangeToResume {
    pub(in super::super) async fn resume(
        &self,
        args: &ResumeArgs,
        sign_in: &mut SignInContext,
        signals: &mut Signals,
    ) -> Result<Conclusion, CommandError> {
        let Self { journal, record } = self;
        if record.direction() == Direction::Back && record.is_reversible() {
            let problem = format!(
                "{} was being rolled back when it was interrupted; {} continues. To carry the change out after all, roll it \
                 back first, and then begin it again",
                record.change,
                osvpn("rollback").operand(&record.change.subject)
            );
            return Err(CommandError::refused(problem));
        }
        let key = if record.needs_key() { until_signal(signals, args.creation.key.given()).await? } else { None };
        let (changing, signed_in) = until_signal(signals, open(journal, &args.creation.answer.cloud, sign_in)).await?;
        let cloud = &signed_in.cloud;
        args.creation.clear_text.apply(cloud).await;
        let mut report = run_change(changing, key.as_ref(), cloud, signals, Direction::Forward).await;
        let verification = Verification { cloud, regions: None, wait: args.creation.wait.duration() };
        verification.verify(std::slice::from_mut(&mut report), signals).await;
        Ok(report.into())
    }

    /// Undoes what it has done, if that is still possible.
    pub(in super::super) async fn roll_back(
        &self,
        args: &RollbackArgs,
        sign_in: &mut SignInContext,
        signals: &mut Signals,
    ) -> Result<Conclusion, CommandError> {
        let (changing, signed_in) =
            until_signal(signals, open(&self.journal, &args.change.answer.cloud, sign_in)).await?;
        let change = changing.change();
        if !changing.is_reversible() {
            let problem = format!(
                "{change} cannot be rolled back any more: something is deleted, or both halves may have the new key; {} \
                 finishes it",
                osvpn("resume").operand(&change.subject)
            );
            let hint = format!("to leave the VPN as it is now, remove the journal: {}", self.journal.display());
            return Err(CommandError::refused(problem).hint(hint));
        }
        if !args.change.yes {
            let shown = format!("This rolls back {change}, as far as it was done.\n");
            if !confirm(&shown, "Roll back?", signals).await? {
                return Err(CommandError::stopped());
            }
        }
        args.clear_text.apply(&signed_in.cloud).await;
        Ok(run_change(changing, None, &signed_in.cloud, signals, Direction::Back).await.into())
    }
}

async fn open(
    path: &Path,
    cloud: &CloudArgs,
    sign_in: &mut SignInContext,
) -> Result<(Changing, SignedIn), CommandError> {
    let signed_in = sign_in.cloud(cloud).await?;
    let changing = Changing::open(path)?;
    if !changing.is_of(&signed_in.cloud) {
        let problem = format!(
            "{} was begun in another project; this sign-in is for {} (id {}). Source that project's openrc, or name its \
             cloud with --cloud",
            changing.change(),
            signed_in.cloud.project_name(),
            signed_in.cloud.project_id()
        );
        return Err(CommandError::unusable(problem));
    }
    Ok((changing, signed_in))
}
