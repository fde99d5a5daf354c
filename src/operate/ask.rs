//! The one question before a change.

use std::io::{self, IsTerminal, Write};

use crate::apply::{Refusal, ask};
use crate::change::{Proposal, Together};

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
    let shown = Together(proposals).to_string();
    let mut unasked = vec!["nobody is here to agree to this; say --yes to do it without being asked:".to_owned()];
    unasked.extend(shown.lines().map(str::to_owned));
    ask::agreed(format!("{title}{shown}Do this?"), unasked, signals).await
}
