//! Prose for a terminal of 80 columns.

use unicode_width::UnicodeWidthStr;

pub(super) use crate::plan::wrap::command_in;
use crate::plan::wrap::{LongWords, wrap};

const COLUMNS: usize = 79;

/// The text behind a first column, its further lines below its first one.
pub fn hanging(first: &str, text: &str) -> String {
    hanging_in(COLUMNS, first, text)
}

/// The same in that many columns.
pub(super) fn hanging_in(columns: usize, first: &str, text: &str) -> String {
    let lines = wrap(text, columns.saturating_sub(first.width()), LongWords::Whole);
    format!("{first}{}\n", lines.join(&format!("\n{}", " ".repeat(first.width()))))
}

pub(super) fn wrapped(columns: usize, text: &str) -> String {
    hanging_in(columns, "", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_lines_stand_below_the_first_and_no_word_is_lost() {
        let text = "word ".repeat(40);
        let wrapped = hanging("   means  ", &text);
        assert!(wrapped.lines().all(|line| line.width() <= COLUMNS), "{wrapped}");
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("          word")), "{wrapped}");
        assert_eq!(wrapped.matches("word").count(), 40);
        assert_eq!(hanging("1. ", "short"), "1. short\n");
        assert_eq!(hanging("  ", ""), "  \n");
    }
}
