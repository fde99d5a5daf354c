//! Text by screen columns: cut, padded and wrapped without splitting a character.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;

/// The columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The places between the characters of a text, and how many of them stand behind less than is asked for. A text a user
/// types can be long, so that it is not measured again for each of them.
fn places(text: &str, is_less: impl Fn(usize) -> bool) -> (Vec<usize>, usize) {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let count = places.partition_point(|at| text.get(..*at).is_some_and(|start| is_less(start.width())));
    (places, count)
}

/// The longest beginning that takes no more than that many columns.
pub(super) fn beginning(text: &str, columns: usize) -> &str {
    let (places, count) = places(text, |width| width <= columns);
    places.get(count.saturating_sub(1)).and_then(|end| text.get(..*end)).unwrap_or_default()
}

/// A text cut to that many columns, with a mark where it was cut.
pub(super) fn fit(theme: &Theme, text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mark = theme.glyphs.ellipsis;
    match columns.checked_sub(mark.width()) {
        Some(room) => format!("{}{mark}", beginning(text, room)),
        None => beginning(text, columns).to_owned(),
    }
}

/// A text cut or padded to exactly that many columns.
pub(super) fn pad(theme: &Theme, text: &str, columns: usize) -> String {
    let mut text = fit(theme, text, columns);
    let missing = columns.saturating_sub(text.width());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// What is left of a text when that many columns have gone out to the left.
pub(super) fn scrolled(text: &str, columns: usize) -> &str {
    let (places, count) = places(text, |width| width < columns);
    places.get(count).and_then(|start| text.get(*start..)).unwrap_or_default()
}

/// A text broken into lines at spaces, and inside words only where one is longer than a line. Spaces it begins with
/// indent all its lines.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
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
        while word.width() > room {
            let mut start = beginning(word, room);
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

/// A wrapped paragraph in one style.
pub(super) fn paragraph(text: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, columns).into_iter().map(|line| Line::styled(line, style)).collect()
}

/// A wrapped paragraph whose further lines stand under the text, not under what leads it.
pub(super) fn hanging(lead: Span<'static>, text: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    let indent = lead.width();
    let mut lead = Some(lead);
    let lines = wrap(text, columns.saturating_sub(indent)).into_iter();
    lines
        .map(|line| {
            let margin = lead.take().unwrap_or_else(|| Span::raw(" ".repeat(indent)));
            Line::from(vec![margin, Span::styled(line, style)])
        })
        .collect()
}

/// A row of a small table: a dim label, and its value wrapped beside it.
pub(super) fn labelled(
    theme: &Theme,
    label: &str,
    value: &str,
    columns: usize,
    label_columns: usize,
) -> Vec<Line<'static>> {
    let label = Span::styled(format!("{} ", pad(theme, label, label_columns)), theme.dim());
    hanging(label, value, columns, theme.text())
}

/// How long something took: `0.4 s`, then as [`clock`].
pub(super) fn seconds(time: Duration) -> String {
    if time.as_secs() < 10 { format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100) } else { clock(time) }
}

/// A time in whole seconds, for what still runs: `7 s`, `1 min 05 s`.
pub(super) fn clock(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 { format!("{whole} s") } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapped_lines_are_never_too_wide_and_lose_no_word(text in "( {0,3}[a-z0-9é漢字👩‍🚀./-]{1,12}){0,12}", columns in 2_usize..40) {
            let lines = wrap(&text, columns);
            for line in &lines {
                prop_assert!(width(line) <= columns, "{line:?} in {columns}");
            }
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeeze(&lines.join(" ")), squeeze(&text));
        }

        #[test]
        fn a_padded_text_takes_exactly_its_columns(text in "\\PC{0,40}", columns in 0_usize..30) {
            for unicode in [true, false] {
                prop_assert_eq!(width(&pad(&Theme::new(true, unicode), &text, columns)), columns);
            }
        }
    }
}
