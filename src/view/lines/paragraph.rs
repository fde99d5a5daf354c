//! A text as it is said, broken into the lines there is room for.

use crate::plan::wrap::{LongWords, command_in, wrap};

/// What stands on a line of its own needs no shorter ones.
const NARROWEST: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paragraph {
    pub(super) lead: String,
    /// Its further lines stand under its first one.
    pub(super) text: String,
    pub(super) kind: TextKind,
}

/// How a text is broken into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextKind {
    Prose,
    /// Only where a backslash tells the shell that it goes on.
    Command,
    /// Not at all: it is for another system.
    Whole,
}

impl Paragraph {
    pub(super) fn led(lead: String, text: &str) -> Self {
        Self { lead, text: text.to_owned(), kind: TextKind::Prose }
    }

    pub(super) fn wrapped(&self, columns: usize) -> Vec<String> {
        let (lead, text) = (&self.lead, shown(&self.text));
        match self.kind {
            TextKind::Prose => {}
            TextKind::Whole => return vec![format!("{lead}{text}")],
            TextKind::Command => {
                let command = text.trim_start();
                let margin = &text[..text.len() - command.len()];
                return command_in(columns, margin, command).lines().map(str::to_owned).collect();
            }
        }
        let columns = columns.max(NARROWEST).saturating_sub(lead.len());
        let lines = wrap(&text, columns, LongWords::Whole).into_iter().enumerate();
        let below = " ".repeat(lead.len());
        lines.map(|(at, line)| format!("{}{line}", if at == 0 { lead } else { &below })).collect()
    }
}

/// A line as it can be written: nothing of it moves the cursor.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

pub(super) fn plain(text: impl AsRef<str>) -> Paragraph {
    Paragraph::led(String::new(), text.as_ref())
}

pub(super) fn marked(text: &str) -> Paragraph {
    Paragraph::led("! ".to_owned(), text)
}
