//! Changes of VPNs that were cut off: finished or taken back from their journals.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::UnboundedReceiver;

use super::choose;
use crate::apply::{Answer, Conclusion, Refusal, ask, input, signed_in};
use crate::carry::{Proving, carry};
use crate::cli::{CloudArgs, ResumeArgs, RollbackArgs};
use crate::engine::change::{ChangeRecord, Changing, Direction, unfinished};
use crate::engine::journal;
use crate::plan::shell::osvpn;
use crate::plan::{self, VpnId};
use crate::sign_in::SignedIn;
use crate::sign_in::terminal::AtTerminal;
use crate::signals::Signal;
use crate::state;

/// A change that was cut off.
pub struct CutOff {
    journal: PathBuf,
    record: ChangeRecord,
}

/// The change that is meant: of the VPN that was named, or the only thing unfinished here. None if a run is meant, or
/// nothing is unfinished.
///
/// # Errors
/// If it is not clear which one, or the journal of one that may be meant cannot be read.
pub fn meant(wanted: Option<&str>) -> Result<Option<CutOff>, Refusal> {
    if wanted.is_some_and(|wanted| wanted.trim().is_empty()) {
        return Err(Refusal::unusable(vec!["an empty name names no VPN".to_owned()]));
    }
    let Some(directory) = state::directory() else { return Ok(None) };
    let changes = unfinished(&directory).map_err(|error| Refusal::unusable(vec![error.to_string()]))?;
    let mut readable: Vec<CutOff> = Vec::new();
    let mut unreadable = Vec::new();
    for (journal, record) in changes {
        match record {
            Ok(record) => readable.push(CutOff { journal, record }),
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
        return Err(Refusal::unusable(unreadable));
    }
    let runs = journal::unfinished(&directory).unwrap_or_default();
    let mut meant = match wanted {
        None => readable,
        Some(wanted) => {
            // The id of a run that is not done goes before the name of what a change is about.
            let is_a_run = runs.iter().any(|(_, run)| run.as_ref().is_ok_and(|run| choose::has_id(wanted, &run.vpn)));
            let has_id = |one: &CutOff| one.record.change.subject.is_called(wanted);
            let is_called = |one: &CutOff| !is_a_run && one.record.change.label == wanted;
            plan::meant(wanted, readable, &[&has_id, &is_called])
        }
    };
    let runs = if wanted.is_some() { 0 } else { runs.len() };
    match (meant.as_slice(), runs) {
        ([], _) => Ok(None),
        ([_], 0) => Ok(meant.pop()),
        (several, _) => {
            let mut problems = vec!["several things were interrupted; name the VPN you mean by its id:".to_owned()];
            problems.extend(several.iter().map(|CutOff { record, .. }| {
                format!(
                    "  {}  {}, begun {}",
                    record.change.subject,
                    record.change,
                    record.began.strftime("%F %H:%M UTC")
                )
            }));
            if runs > 0 {
                problems.push(format!("  and the making of {runs} more"));
            }
            Err(Refusal::unusable(problems))
        }
    }
}

/// Whether the journal is that of the VPN with this id.
fn is_called(journal: &Path, wanted: &str) -> bool {
    let id = VpnId::of_word(wanted).map_or_else(|| wanted.to_owned(), |id| id.to_string());
    journal.file_stem().is_some_and(|stem| stem == id.as_str())
}

/// Does what is missing of it.
pub async fn resume(cut_off: &CutOff, args: &ResumeArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let CutOff { journal, record } = cut_off;
    if record.direction() == Direction::Back && record.is_reversible() {
        let problem = format!(
            "{} was being rolled back when that was interrupted; {} goes on with it. To carry the change out after all, \
             roll it back first, and then begin it again",
            record.change,
            osvpn("rollback").operand(&record.change.subject)
        );
        return refused(Refusal::refused(vec![problem]), Vec::new());
    }
    let given = async { if record.needs_key() { input::given_key(args.psk_file.as_deref()).await } else { Ok(None) } };
    let key = tokio::select! {
        key = given => key,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let key = match key {
        Ok(key) => key,
        Err(refusal) => return refused(refusal, Vec::new()),
    };
    let mut warnings = Vec::new();
    let terminal = AtTerminal::find();
    let opened = tokio::select! {
        opened = open(journal, &args.cloud, terminal.as_ref(), &mut warnings) => opened,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let (changing, signed_in) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return refused(refusal, warnings),
    };
    let cloud = &signed_in.cloud;
    args.clear_text.apply(cloud).await;
    let mut report = carry(changing, key.as_ref(), cloud, &mut signals, Direction::Forward).await;
    let proving = Proving { cloud, regions: None, wait: args.wait.duration() };
    proving.prove(std::slice::from_mut(&mut report), &mut signals).await;
    Answer { conclusion: Conclusion::Change(Box::new(report)), sign_in_warnings: warnings }
}

/// Takes back what it has done, if that can be done any more.
pub async fn rollback(cut_off: &CutOff, args: &RollbackArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let mut warnings = Vec::new();
    let terminal = AtTerminal::find();
    let opened = tokio::select! {
        opened = open(&cut_off.journal, &args.cloud, terminal.as_ref(), &mut warnings) => opened,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let (changing, signed_in) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return refused(refusal, warnings),
    };
    if !changing.is_reversible() {
        let change = changing.change();
        let problems = vec![
            format!(
                "{change} cannot be rolled back any more: something is deleted, or both halves may have the new key; {} \
                 finishes it",
                osvpn("resume").operand(&change.subject)
            ),
            format!("to leave the VPN as it is by now, remove the journal: {}", cut_off.journal.display()),
        ];
        return refused(Refusal::refused(problems), warnings);
    }
    if !args.yes {
        let question = format!("This takes back {}, as far as it was done. Do this?", changing.change());
        let unasked = vec!["nobody is here to agree to this; say --yes to do it unasked".to_owned()];
        match ask::agreed(question, unasked, &mut signals).await {
            Ok(true) => {}
            Ok(false) => return refused(Refusal::stopped(), warnings),
            Err(refusal) => return refused(refusal, warnings),
        }
    }
    args.clear_text.apply(&signed_in.cloud).await;
    let report = carry(changing, None, &signed_in.cloud, &mut signals, Direction::Back).await;
    Answer { conclusion: Conclusion::Change(Box::new(report)), sign_in_warnings: warnings }
}

async fn open(
    path: &Path,
    cloud: &CloudArgs,
    terminal: Option<&AtTerminal>,
    warnings: &mut Vec<String>,
) -> Result<(Changing, SignedIn), Refusal> {
    let signed_in = signed_in(&cloud.login(), terminal, warnings).await?;
    let changing = Changing::open(path).map_err(|error| Refusal::unusable(vec![error.to_string()]))?;
    if !changing.is_of(&signed_in.cloud) {
        let problem = format!(
            "{} was begun in another project; this sign-in is for {} (id {}). Source that project's openrc, or name its \
             cloud with --cloud",
            changing.change(),
            signed_in.cloud.project_name(),
            signed_in.cloud.project_id()
        );
        return Err(Refusal::unusable(vec![problem]));
    }
    Ok((changing, signed_in))
}

fn refused(refusal: Refusal, sign_in_warnings: Vec<String>) -> Answer {
    Answer { conclusion: Conclusion::Refused(Box::new(refusal.resuming())), sign_in_warnings }
}
