//! Text from a cloud, made harmless before anything else sees it.
//!
//! A user of the project can put any character into the name of a router. A terminal obeys some of them,
//! bidirectional marks make a line read as something it is not, and characters that do not show make two names look
//! alike. Programs and terminals also disagree on how wide those are that only join or vary their neighbours. All of them
//! are taken out where the answers are read.

use itertools::Itertools;
use serde::{Deserialize, Deserializer};

/// The longest text of an answer that is kept, in characters: as long as Neutron's longest names and descriptions.
const LONGEST: usize = 255;

/// The text without control characters, line and paragraph separators, bidirectional marks, and what does not show by
/// itself: joiners, variation selectors, fillers, tags.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|&c| !is_hostile(c)).collect()
}

/// The same for a message of several lines: each run of white space becomes one space, and the end of what is longer
/// than `limit` characters is dropped.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    // Megabytes are not copied.
    let text = text.char_indices().nth(limit.saturating_mul(4)).map_or(text, |(end, _)| &text[..end]);
    cut(text.split_whitespace().map(printable).join(" "), limit)
}

fn cut(mut text: String, limit: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(limit) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A string of an answer, with [`printable`] applied and no longer than anything Neutron stores.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Ok(Self(cut(if raw.contains(is_hostile) { printable(&raw) } else { raw }, LONGEST)))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// Reads a text to be shown from the user's own files: others may have written to them.
pub fn harmless<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Text::deserialize(deserializer).map(String::from)
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
    fn two_names_that_look_alike_are_alike_and_what_shows_is_kept() {
        assert_eq!(printable("ed\u{200b}ge\u{feff}\u{e0041}"), "edge");
        assert_eq!(printable("e\u{301}漢字👩\u{200d}🚀 ü"), "e\u{301}漢字👩🚀 ü");
    }

    #[test]
    fn a_name_is_no_longer_than_neutron_lets_it_be() {
        let read = |length: usize| serde_json::from_str::<Text>(&format!("\"{}\"", "é".repeat(length))).unwrap().0;
        assert_eq!(read(LONGEST).chars().count(), LONGEST);
        assert_eq!(read(1 << 20).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_long_message_is_one_short_line() {
        assert_eq!(one_line("a\n\tb  c", 10), "a b c");
        assert_eq!(one_line("äöüäöü", 3), "äöü…");
    }
}
