//! Text by screen columns: cut, padded and wrapped without splitting a character.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
pub(super) use crate::plan::wrap::beginning;
use crate::plan::wrap::{self, LongWords, places};

pub(super) fn width(text: &str) -> usize {
    text.width()
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

pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap::wrap(text, columns, LongWords::Broken)
}

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
    // An id that is broken cannot be copied.
    if !value.contains(' ') && label.width() + value.width() > columns && value.width() <= columns {
        return vec![Line::from(label), Line::styled(value.to_owned(), theme.text())];
    }
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
        fn a_padded_text_takes_exactly_its_columns(text in "\\PC{0,40}", columns in 0_usize..30) {
            for unicode in [true, false] {
                prop_assert_eq!(width(&pad(&Theme::new(true, unicode), &text, columns)), columns);
            }
        }
    }
}
