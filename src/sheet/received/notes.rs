//! What is said of a text besides what was taken from it. No secret is in any of it.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::cloud::one_line;

/// How much of a line is repeated, in characters.
const LONGEST_LINE: usize = 70;
/// A word of so many characters may be a secret.
const SECRET: usize = 16;
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

    /// How one end proves who it is, which here a key does.
    pub(super) fn authentication(&mut self, line: usize, name: &str, value: &str) {
        if !["psk", "secret", "pre-share", "pre-shared-key"].contains(&value) {
            self.of_line(line, format!("{name} is {}, and this cloud takes a pre-shared key", masked(value)));
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
        let (name, value) = word.split_once(['=', ':']).unwrap_or((word, ""));
        if is_secret || !is_plain(name) || is_named && name.contains(|c: char| c.is_ascii_digit()) {
            shown.push(MASK.to_owned());
        } else if is_named && !value.is_empty() {
            shown.push(format!("{name}={MASK}"));
        } else if !is_plain(value) && !is_plain(word) {
            shown.push(MASK.to_owned());
        } else {
            shown.push(word.to_owned());
        }
        is_secret |= is_named;
    }
    shown.dedup_by(|one, other| one == MASK && other == MASK);
    one_line(&shown.join(" "), LONGEST_LINE)
}

/// Whether a word is an address, or words and numbers of a usual length: nothing that was made to be guessed by nobody.
fn is_plain(word: &str) -> bool {
    let is_words = word.chars().all(|c| c.is_ascii_alphabetic() || "-_.=:".contains(c));
    let longest = word.split(|c: char| !c.is_ascii_alphabetic()).map(str::len).max().unwrap_or(0);
    let length = word.chars().count();
    let is_short = if is_words { longest < SECRET } else { length < SECRET };
    is_short || word.parse::<IpAddr>().is_ok() || word.parse::<IpNet>().is_ok()
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
            ("from 2001:db8:1234:5678::/64", "from 2001:db8:1234:5678::/64"),
            ("Geheimnis: MySecretVpn2024Frankfurt", "Geheimnis: ***"),
            ("monkeyBusinessVpnKey", "***"),
            ("tokenKey2026 and more", "***"),
            ("code Xk9-$mQ2!vR7#pL4", "code ***"),
            ("set security-association idle-time 600", "set security-association idle-time 600"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }
}
