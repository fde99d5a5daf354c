//! Proposals as one question.

use std::fmt;

use itertools::Itertools;

use super::proposal::Proposal;
use super::{Change, Verb};

/// Several proposals as one question. A note that several share is said once, at the end.
#[derive(Clone, Copy, Debug)]
pub struct Together<'a>(pub &'a [Proposal]);

impl Together<'_> {
    /// The question, in a verb and its object.
    pub fn question(self) -> String {
        match self.0 {
            [one] => one.change.verb.question(&one.change.label),
            all => self.verb().question(&format!("{} VPNs", all.len())),
        }
    }

    /// The answers to it: yes and no.
    pub fn answers(self) -> (String, String) {
        match self.0 {
            [one] => one.change.verb.answers(&one.change.label),
            all => self.verb().answers(&format!("{} VPNs", all.len())),
        }
    }

    /// For some of the VPNs that are upgraded that is a new key alone.
    fn verb(self) -> Verb {
        let is_upgrade = self.0.iter().any(|proposal| proposal.impact.is_some());
        let first = self.0.first().map_or(Verb::RotatePsk, |first| first.change.verb);
        if is_upgrade { Verb::Upgrade } else { first }
    }
}

fn title(change: &Change) -> String {
    let title = change.to_string();
    let (first, rest) = title.split_at_checked(1).unwrap_or((&title, ""));
    format!("{}{rest}:", first.to_uppercase())
}

/// With a precision, of ids only so many characters. With `#`, what matters of an upgrade comes after its steps: a terminal
/// shows the end of a text.
impl fmt::Display for Together<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for proposal in self.0 {
            // What matters comes before the many steps of an upgrade; the question names it anyway.
            let notes = if proposal.impact.is_some() { proposal.all_notes() } else { Vec::new() };
            if !f.alternate() {
                notes.iter().try_for_each(|note| writeln!(f, "{note}"))?;
            }
            if notes.is_empty() {
                writeln!(f, "{}", title(&proposal.change))?;
            } else {
                f.write_str("Steps:\n")?;
            }
            for step in proposal.change.steps() {
                f.write_str("  ")?;
                step.fmt(f)?;
                f.write_str("\n")?;
            }
            if f.alternate() {
                notes.iter().try_for_each(|note| writeln!(f, "{note}"))?;
            }
        }
        let others = self.0.iter().filter(|proposal| proposal.impact.is_none());
        let notes = others.flat_map(|proposal| &proposal.notes).unique();
        notes.into_iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Together(std::slice::from_ref(self)).fmt(f)
    }
}
