//! Prose for a terminal of 80 columns. A command is broken only where a backslash tells the shell that it goes on.

use unicode_width::UnicodeWidthStr;

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

/// A command behind a first column. One that is too long goes on in further lines, and can be copied with them.
pub(super) fn command_in(columns: usize, first: &str, command: &str) -> String {
    let margin = " ".repeat(first.len() - first.trim_start().len() + 2);
    let (mut text, mut line, mut is_begun) = (String::new(), first.to_owned(), false);
    for word in words(command) {
        if is_begun && line.width() + word.width() + 3 > columns {
            text.push_str(&line);
            text.push_str(" \\\n");
            line = format!("{margin}{word}");
        } else {
            line.push_str(if is_begun { " " } else { "" });
            line.push_str(word);
        }
        is_begun = true;
    }
    format!("{text}{line}\n")
}

/// The words of a command as a shell reads them, with their quotes. A remark at its end is one.
fn words(command: &str) -> Vec<&str> {
    let (mut words, mut begin, mut quote, mut is_escaped) = (Vec::new(), 0, None, false);
    for (at, character) in command.char_indices() {
        match (character, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', None | Some('"')) => is_escaped = true,
            ('\'' | '"', None) => quote = Some(character),
            (_, Some(open)) if character == open => quote = None,
            ('#', None) if at == begin => break,
            (' ', None) => {
                words.extend(command.get(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    words.extend(command.get(begin..));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_goes_on_after_a_backslash_and_its_quoted_words_stay_whole() {
        let command =
            "openstack --os-region-name nz-hlz-1 show 'it'\\''s a name' -c 'Pre-shared Key' # a remark that is long";
        let text = command_in(40, "  ", command);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "  openstack --os-region-name nz-hlz-1 \\",
                "    show 'it'\\''s a name' -c \\",
                "    'Pre-shared Key' \\",
                "    # a remark that is long"
            ]
        );
        assert_eq!(command_in(200, "To see it:  ", command), format!("To see it:  {command}\n"));
    }

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
