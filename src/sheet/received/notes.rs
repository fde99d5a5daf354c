//! What is said of a text besides what was taken from it. No secret is in any of it.

use std::fmt;

use crate::cloud::one_line;

/// How much of a line is repeated, in characters.
const LONGEST_LINE: usize = 70;
/// So many lines are told of.
const MOST: usize = 40;
/// What stands where something may be secret.
const MASK: &str = "***";

/// What was not taken, or has to be known of what was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedNote {
    /// Counted from 1, if it is about one line.
    pub line: Option<usize>,
    pub text: String,
}

impl fmt::Display for ReceivedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct ReceivedNotes {
    notes: Vec<ReceivedNote>,
    left_out: usize,
    contradictions: Vec<String>,
}

impl ReceivedNotes {
    fn note(&mut self, line: Option<usize>, text: String) {
        if self.notes.len() < MOST {
            self.notes.push(ReceivedNote { line, text });
        } else {
            self.left_out += 1;
        }
    }

    /// A line that was not understood.
    pub(super) fn unread(&mut self, line: usize, text: &str) {
        self.note(Some(line), format!("not understood: {}", masked(text)));
    }

    pub(super) fn of_line(&mut self, line: usize, text: impl Into<String>) {
        self.note(Some(line), text.into());
    }

    pub(super) fn of_all(&mut self, text: impl Into<String>) {
        self.note(None, text.into());
    }

    /// Two things that cannot both be so.
    pub(super) fn contradict(&mut self, text: String) {
        self.contradictions.push(text);
    }

    /// Takes a value, unless it is there already; another one contradicts it.
    pub(super) fn put<T: PartialEq + fmt::Display>(
        &mut self,
        line: usize,
        what: &str,
        place: &mut Option<T>,
        value: T,
    ) {
        match place {
            Some(there) if *there != value => {
                let (there, value) = (one_line(&there.to_string(), 40), one_line(&value.to_string(), 40));
                self.contradict(format!("line {line}: {what} is {value}, and {there} before that"));
            }
            _ => *place = Some(value),
        }
    }

    /// The notes, or what contradicts.
    pub(super) fn end(mut self) -> Result<Vec<ReceivedNote>, Vec<String>> {
        if self.left_out > 0 {
            let text = format!("{} more lines were not understood", self.left_out);
            self.notes.push(ReceivedNote { line: None, text });
        }
        if self.contradictions.is_empty() { Ok(self.notes) } else { Err(self.contradictions) }
    }
}

/// A line without anything in it that could be a secret: what follows a word for one, and what has no other reason to be so
/// long.
pub(crate) fn masked(line: &str) -> String {
    let mut shown = Vec::new();
    let mut is_secret = false;
    for word in one_line(line, LONGEST_LINE * 2).split(' ') {
        let is_named = is_word_of_a_secret(word);
        let longest = word.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=_".contains(c)).map(str::len).max();
        if is_named && let Some((name, _)) = word.split_once(['=', ':']) {
            shown.push(format!("{name}={MASK}"));
        } else if is_secret || (!is_named && longest.is_some_and(|longest| longest >= 16)) {
            shown.push(MASK.to_owned());
        } else {
            shown.push(word.to_owned());
        }
        is_secret |= is_named;
    }
    shown.dedup_by(|one, other| one == MASK && other == MASK);
    one_line(&shown.join(" "), LONGEST_LINE)
}

fn is_word_of_a_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["psk", "secret", "password", "passwd", "pass", "key", "rsa", "xauth", "token"]
        .iter()
        .any(|name| word.contains(name))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_may_be_secret_is_not_repeated() {
        for (line, shown) in [
            ("set password-policy \"Hunter2 and more\"", "set password-policy ***"),
            ("  PSK=abc def", "PSK=*** ***"),
            ("foo QWxhZGRpbjpvcGVuIHNlc2FtZQ== bar", "foo *** bar"),
            ("rekey_fuzz = 10%", "rekey_fuzz ***"),
            ("split-include 10.0.0.0/24", "split-include 10.0.0.0/24"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }
}
