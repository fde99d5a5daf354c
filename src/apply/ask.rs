//! The one question before something is done.

use std::io::{self, BufRead, IsTerminal, Write};

use tokio::sync::mpsc::UnboundedReceiver;

use super::Refusal;
use crate::sign_in::aside::Asking;
use crate::signals::Signal;

/// Asks a question that is answered with y or N.
///
/// # Errors
/// What to say where nobody is there to be asked, or a signal that comes first.
pub async fn agreed(
    question: String,
    unasked: Vec<String>,
    signals: &mut UnboundedReceiver<Signal>,
) -> Result<bool, Refusal> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Refusal::unusable(unasked));
    }
    // A question can be left by a signal; the thread that reads the answer ends with the program.
    tokio::select! {
        answer = tokio::task::spawn_blocking(move || ask(&question)) => {
            answer.map_err(|error| Refusal::internal(&error))?.map_err(|error| Refusal::internal(&error))
        }
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    }
}

fn ask(question: &str) -> io::Result<bool> {
    let _asking = Asking::begin();
    let mut err = io::stderr();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
