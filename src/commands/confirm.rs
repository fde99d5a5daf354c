//! The one question before something is done.

use std::io::{self, BufRead, IsTerminal, Write};

use super::CommandError;
use crate::report::{ExitStatus, hanging};
use crate::sign_in::aside::Asking;
use crate::system::signals::Signals;

/// Whether a person reads what is printed, and can answer.
pub(super) fn can_be_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal() && io::stdout().is_terminal()
}

/// What the person types to agree.
#[derive(Clone, Debug)]
pub(super) enum Assent {
    Yes,
    /// The name of what is in use.
    Name(String),
}

impl Assent {
    fn prompt(&self) -> String {
        match self {
            Self::Yes => " [y/N] ".to_owned(),
            Self::Name(name) => format!(" It is ACTIVE. To do it, type {name}: "),
        }
    }

    fn is_given(&self, answer: &str) -> bool {
        match self {
            Self::Yes => matches!(answer, "y" | "Y" | "yes"),
            Self::Name(name) => answer == name.trim(),
        }
    }
}

/// Shows what is about to be done, and asks.
/// Errors: if no terminal is there, or a signal comes first.
pub(super) async fn confirm(
    shown: &str,
    question: &str,
    assent: Assent,
    signals: &mut Signals,
) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let mut problems = vec!["not a terminal: pass --yes to proceed without confirmation:".to_owned()];
        problems.extend(fitting(shown).lines().map(str::to_owned));
        return Err(CommandError::new(ExitStatus::Usage, problems));
    }
    let question = format!("{}{question}{}", fitting(shown), assent.prompt());
    // A question can be left by a signal; the thread that reads the answer ends with the program.
    let answer = tokio::select! {
        answer = tokio::task::spawn_blocking(move || ask(&question)) => {
            answer.map_err(CommandError::internal)?.map_err(CommandError::internal)?
        }
        Some(_) = signals.recv() => {
            let _ = writeln!(io::stderr());
            return Err(CommandError::stopped());
        }
    };
    let is_given = assent.is_given(&answer);
    match assent {
        Assent::Name(name) if !is_given && !answer.is_empty() => {
            Err(CommandError::new(ExitStatus::Stopped, [format!("what you typed is not its name, {name}")]))
        }
        _ => Ok(is_given),
    }
}

/// The lines in as many columns as a terminal has at least; what a step goes on with stands further in.
pub(super) fn fitting(shown: &str) -> String {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        let (first, rest) = line.split_at(indent);
        match rest.split_once(": ").filter(|(word, _)| *word == "note") {
            Some((_, note)) => hanging("note: ", note),
            None => hanging(first, rest),
        }
    };
    shown.lines().map(line).collect()
}

fn ask(question: &str) -> io::Result<String> {
    let _asking = Asking::begin();
    let mut err = io::stderr();
    write!(err, "{question}")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}
