//! Changes of VPNs that were cut off: finished or taken back from their journals.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc::UnboundedReceiver;

use super::signed_in;
use crate::apply::{Answer, Conclusion, Refusal, input};
use crate::cli::{CloudArgs, ResumeArgs, RollbackArgs};
use crate::operate::carry::run;
use crate::provision::change::{ChangeRecord, Changing, Direction, unfinished};
use crate::provision::journal;
use crate::sign_in::terminal::AtTerminal;
use crate::signals::Signal;
use crate::state;

/// The journal of the change that is meant: of the VPN that was named, or the only thing unfinished here. None if a run is
/// meant, or nothing is unfinished.
///
/// # Errors
/// If it is not clear which one.
pub fn meant(wanted: Option<&str>) -> Result<Option<PathBuf>, Refusal> {
    let Some(directory) = state::directory() else { return Ok(None) };
    let changes = unfinished(&directory).map_err(|error| Refusal::unusable(vec![error.to_string()]))?;
    let readable = changes.into_iter().filter_map(|(path, record)| Some((path, record.ok()?)));
    let mut meant: Vec<(PathBuf, ChangeRecord)> =
        readable.filter(|(_, record)| wanted.is_none_or(|wanted| answers_to(record, wanted))).collect();
    let runs = if wanted.is_some() { 0 } else { journal::unfinished(&directory).map_or(0, |runs| runs.len()) };
    match (meant.as_slice(), runs) {
        ([], _) => Ok(None),
        ([_], 0) => Ok(meant.pop().map(|(path, _)| path)),
        (several, _) => {
            let mut problems = vec!["several things are unfinished; name the VPN you mean by its id:".to_owned()];
            problems.extend(several.iter().map(|(_, record)| {
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
    record.change.label == wanted || record.change.subject.to_string() == wanted.trim_start_matches("osvpn:")
}

/// Does what is missing of it.
pub async fn resume(path: &Path, args: &ResumeArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let key = match input::given_key(args.psk_file.as_deref()) {
        Ok(key) => key,
        Err(refusal) => return refused(refusal, Vec::new()),
    };
    let mut warnings = Vec::new();
    let terminal = AtTerminal::find();
    let opened = tokio::select! {
        opened = open(path, &args.cloud, terminal.as_ref(), &mut warnings) => opened,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    match opened {
        Ok((changing, signed_in)) => {
            let report = run(changing, key.as_ref(), &signed_in.cloud, &mut signals, Direction::Forward).await;
            Answer { conclusion: Conclusion::Changes(vec![report]), sign_in_warnings: warnings }
        }
        Err(refusal) => refused(refusal, warnings),
    }
}

/// Takes back what it has done, if that can be done any more.
pub async fn rollback(path: &Path, args: &RollbackArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let mut warnings = Vec::new();
    let terminal = AtTerminal::find();
    let opened = tokio::select! {
        opened = open(path, &args.cloud, terminal.as_ref(), &mut warnings) => opened,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let (changing, signed_in) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return refused(refusal, warnings),
    };
    if !changing.is_reversible() {
        let change = changing.change();
        let problem = format!(
            "{change} cannot be taken back any more: something is deleted, or both halves may have the new key; osvpn resume \
             {} finishes it",
            change.subject
        );
        return refused(Refusal::refused(vec![problem]), warnings);
    }
    if !args.yes {
        let question = format!("This takes back {}, as far as it was done. Do this? [y/N] ", changing.change());
        let agreed = tokio::select! {
            agreed = tokio::task::spawn_blocking(move || agreed(&question)) => {
                agreed.unwrap_or_else(|error| Err(Refusal::internal(&error)))
            }
            Some(_) = signals.recv() => Err(Refusal::stopped()),
        };
        if let Err(refusal) = agreed {
            return refused(refusal, warnings);
        }
    }
    let report = run(changing, None, &signed_in.cloud, &mut signals, Direction::Back).await;
    Answer { conclusion: Conclusion::Changes(vec![report]), sign_in_warnings: warnings }
}

async fn open(
    path: &Path,
    cloud: &CloudArgs,
    terminal: Option<&AtTerminal>,
    warnings: &mut Vec<String>,
) -> Result<(Changing, crate::sign_in::SignedIn), Refusal> {
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

fn agreed(question: &str) -> Result<(), Refusal> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Refusal::unusable(vec!["nobody is here to agree to this; say --yes to do it unasked".to_owned()]));
    }
    let ask = || {
        let mut err = io::stderr();
        write!(err, "{question}")?;
        err.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok::<_, io::Error>(matches!(answer.trim(), "y" | "Y" | "yes"))
    };
    match ask() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refusal::stopped()),
        Err(error) => Err(Refusal::internal(&error)),
    }
}

fn refused(refusal: Refusal, sign_in_warnings: Vec<String>) -> Answer {
    Answer { conclusion: Conclusion::Refused(Box::new(refusal.resuming())), sign_in_warnings }
}
