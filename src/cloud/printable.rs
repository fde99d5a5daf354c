//! Text from a cloud, made harmless before anything else sees it.
//!
//! Whoever may name a router in the project can put any character into that name. A terminal obeys some of them, and
//! bidirectional marks make a line read as something it is not, so both are taken out where the answers are read.

use serde::{Deserialize, Deserializer};

/// The text without control characters, line and paragraph separators, and bidirectional marks.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().filter(|&c| !is_hostile(c)).collect()
}

/// The same for a message of several lines: each run of white space becomes one space, and the end of what is longer
/// than `limit` characters is cut off.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let joined = text.split_whitespace().map(printable).collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &joined[..end]),
        None => joined,
    }
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
}

/// A string of an answer, with [`printable`] applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Ok(Self(if raw.contains(is_hostile) { printable(&raw) } else { raw }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_carry_a_terminal_escape_or_turn_the_reading_direction() {
        let text: Text = serde_json::from_str(r#""a\u001b[2Jb\u009b31mc\u202ed\u2028e""#).unwrap();
        assert_eq!(text.0, "a[2Jb31mcde");
    }

    #[test]
    fn a_long_message_is_one_short_line() {
        assert_eq!(one_line("a\n\tb  c", 10), "a b c");
        assert_eq!(one_line("äöüäöü", 3), "äöü…");
    }
}
