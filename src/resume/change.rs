//! Changes of VPNs that were cut off: finished or taken back from their journals.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::apply::{Answer, Conclusion, Refusal, ask, input, signed_in};
use crate::carry::{Proving, carry};
use crate::cli::{CloudArgs, ResumeArgs, RollbackArgs};
use crate::plan::VpnId;
use crate::plan::shell::osvpn;
use crate::provision::change::{ChangeRecord, Changing, Direction, unfinished};
use crate::provision::journal;
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
    let Some(directory) = state::directory() else { return Ok(None) };
    let changes = unfinished(&directory).map_err(|error| Refusal::unusable(vec![error.to_string()]))?;
    let mut meant: Vec<CutOff> = Vec::new();
    let mut unreadable = Vec::new();
    for (journal, record) in changes {
        match record {
            Ok(record) if wanted.is_none_or(|wanted| answers_to(&record, wanted)) => {
                meant.push(CutOff { journal, record });
            }
            Err(error) if wanted.is_none_or(|wanted| is_called(&journal, wanted)) => unreadable.push(error.to_string()),
            Ok(_) | Err(_) => {}
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
    let runs = if wanted.is_some() { 0 } else { journal::unfinished(&directory).map_or(0, |runs| runs.len()) };
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

fn answers_to(record: &ChangeRecord, wanted: &str) -> bool {
    record.change.label == wanted || record.change.subject.is_called(wanted)
}

/// Whether the journal is that of the VPN with this id.
fn is_called(journal: &Path, wanted: &str) -> bool {
    journal.file_stem().is_some_and(|stem| stem == id_in(wanted).as_str())
}

/// The id in a word that may be a whole mark.
fn id_in(wanted: &str) -> String {
    let marked = VpnId::of_mark(wanted).map(|(id, _)| id.to_string());
    marked.unwrap_or_else(|| wanted.trim_start_matches("osvpn:").to_owned())
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
