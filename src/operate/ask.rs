//! The one question before a change.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::apply::Refusal;
use crate::upkeep::Proposal;

use super::Signals;

/// Whether somebody is there to be asked.
pub fn can_be_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal() && io::stdout().is_terminal()
}

/// Prints a text on standard output, for whoever is asked afterwards.
pub fn say(text: &str) {
    let _ = write!(io::stdout(), "{text}").and_then(|()| io::stdout().flush());
}

/// Shows what is to be done and asks whether it should be.
///
/// # Errors
/// If nobody is there to be asked, or a signal comes first.
pub async fn agreed(title: &str, proposals: &[Proposal], signals: &mut Signals) -> Result<bool, Refusal> {
    let shown: String = proposals.iter().map(ToString::to_string).collect();
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let mut problems = vec!["nobody is here to agree to this; say --yes to do it without being asked:".to_owned()];
        problems.extend(shown.lines().map(str::to_owned));
        return Err(Refusal::unusable(problems));
    }
    let question = format!("{title}{shown}Do this? [y/N] ");
    // A question can be left by a signal; the thread that reads the answer ends with the program.
    tokio::select! {
        answer = tokio::task::spawn_blocking(move || ask(&question)) => {
            answer.map_err(|error| Refusal::internal(&error))?.map_err(|error| Refusal::internal(&error))
        }
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    }
}

fn ask(question: &str) -> io::Result<bool> {
    let mut err = io::stderr();
    write!(err, "{question}")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
