//! The one question before something is done.

use std::io::{self, BufRead, IsTerminal, Write};

use super::CommandError;
use crate::report::ExitStatus;
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
        problems.extend(shown.lines().map(str::to_owned));
        return Err(CommandError::new(ExitStatus::Usage, problems));
    }
    let question = format!("{shown}{question}");
    // A question can be left by a signal; the thread that reads the answer ends with the program.
    tokio::select! {
        answer = tokio::task::spawn_blocking(move || ask(&question, &assent)) => {
            answer.map_err(CommandError::internal)?.map_err(CommandError::internal)
        }
        Some(_) = signals.recv() => Err(CommandError::stopped()),
    }
}

fn ask(question: &str, assent: &Assent) -> io::Result<bool> {
    let _asking = Asking::begin();
    let mut err = io::stderr();
    write!(err, "{question}{}", assent.prompt())?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(assent.is_given(answer.trim()))
}
