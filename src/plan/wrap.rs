//! Prose broken into lines by screen columns. A command is broken only where a backslash tells the shell that it goes on.

use unicode_width::UnicodeWidthStr;

/// What becomes of a word that is longer than a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LongWords {
    Broken,
    /// A part of a command can be copied only in one piece.
    Whole,
}

/// The places between the characters of a text, and how many of them stand behind less than is asked for. A text a user
/// types can be long, so that it is not measured again for each of them.
pub(crate) fn places(text: &str, is_less: impl Fn(usize) -> bool) -> (Vec<usize>, usize) {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let count = places.partition_point(|at| text.get(..*at).is_some_and(|start| is_less(start.width())));
    (places, count)
}

/// The longest beginning that takes no more than that many columns.
pub(crate) fn beginning(text: &str, columns: usize) -> &str {
    let (places, count) = places(text, |width| width <= columns);
    places.get(count.saturating_sub(1)).and_then(|end| text.get(..*end)).unwrap_or_default()
}

/// A text broken into lines at spaces. Spaces it begins with indent all its lines.
pub(crate) fn wrap(text: &str, columns: usize, long: LongWords) -> Vec<String> {
    let columns = columns.max(1);
    let indent = (text.len() - text.trim_start_matches(' ').len()).min(columns / 2).min(columns.saturating_sub(2));
    let room = columns - indent;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word = word;
        // A line may hold text that takes no column, such as a joiner; it needs its space all the same.
        let (last, is_begun) = lines.last().map_or((0, false), |line| (line.width(), !line.is_empty()));
        if is_begun && last + 1 + word.width() > room {
            lines.push(String::new());
        }
        while long == LongWords::Broken && word.width() > room {
            let mut start = beginning(word, room);
            // A path stays readable if its parts stay whole.
            if let Some(slash) = start.rfind('/').filter(|slash| *slash > 0) {
                start = start.get(..=slash).unwrap_or(start);
            }
            if start.is_empty() {
                // A character wider than the whole line is drawn as far as it goes.
                start = word.get(..word.chars().next().map_or(0, char::len_utf8)).unwrap_or_default();
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(start);
            }
            lines.push(String::new());
            word = word.get(start.len()..).unwrap_or_default();
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if indent > 0 {
        let margin = " ".repeat(indent);
        for line in &mut lines {
            line.insert_str(0, &margin);
        }
    }
    lines
}

/// A command behind a first column. One that is too long goes on in further lines, and can be copied with them.
pub(crate) fn command_in(columns: usize, first: &str, command: &str) -> String {
    let margin = " ".repeat(first.len() - first.trim_start().len() + 2);
    let (mut text, mut line, mut is_begun) = (String::new(), first.to_owned(), false);
    for word in words(command) {
        if is_begun && line.width() + word.width() + 3 > columns {
            text.push_str(&line);
            // A remark is a line of its own.
            text.push_str(if word.starts_with('#') { "\n" } else { " \\\n" });
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapped_lines_are_never_too_wide_and_lose_no_word(text in "( {0,3}[a-z0-9é漢字👩‍🚀./-]{1,12}){0,12}", columns in 2_usize..40) {
            let lines = wrap(&text, columns, LongWords::Broken);
            for line in &lines {
                prop_assert!(line.width() <= columns, "{line:?} in {columns}");
            }
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeeze(&lines.join(" ")), squeeze(&text));
        }
    }

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
                "    'Pre-shared Key'",
                "    # a remark that is long"
            ]
        );
        assert_eq!(command_in(200, "To see it:  ", command), format!("To see it:  {command}\n"));
    }
}
