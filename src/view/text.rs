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

/// Broken at spaces, and before an id rather than within it: an id in two parts cannot be read. Where a line has no room
/// for a whole one, its beginning stands for it.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let fits = |word: &str| word.width() <= columns || id_in(word).is_none();
    if text.split(' ').all(fits) {
        return wrap::wrap(text, columns, LongWords::Broken);
    }
    let words = text.split(' ').map(|word| match id_in(word).filter(|_| word.width() > columns) {
        Some((before, id, after)) if id.width() + after.width() <= columns => format!("{before} {id}{after}"),
        Some((before, id, after)) => format!("{before}{}..{after}", beginning(id, ID_BEGINNING)),
        None => word.to_owned(),
    });
    wrap::wrap(&words.collect::<Vec<_>>().join(" "), columns, LongWords::Broken)
}

/// How long an id of OpenStack is (a UUID), and what of it tells one from another.
const ID: usize = 36;
const ID_BEGINNING: usize = 8;

/// What stands before an id, the id, and what stands behind it.
fn id_in(word: &str) -> Option<(&str, &str, &str)> {
    let is_id = |text: &str| {
        let at = |(place, character): (usize, char)| match place {
            8 | 13 | 18 | 23 => character == '-',
            _ => character.is_ascii_hexdigit(),
        };
        text.char_indices().all(at)
    };
    (0..=word.len().checked_sub(ID)?).find_map(|start| {
        let id = word.get(start..start + ID).filter(|text| is_id(text))?;
        Some((word.get(..start)?, id, word.get(start + ID..)?))
    })
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

    #[test]
    fn an_id_is_never_broken_over_lines() {
        let id = "84316507-5610-4f2f-b14f-75f5077495db";
        let text = format!("is on router {id}, and DELETE /v2.0/vpn/ikepolicies/{id} fails (see {id})");
        for columns in 20..100 {
            let lines = wrap(&text, columns);
            let whole = lines.iter().filter(|line| line.contains(id)).count();
            let begun = lines.iter().filter(|line| line.contains("84316507..")).count();
            assert!(lines.iter().all(|line| width(line) <= columns), "{columns}: {lines:?}");
            assert!(whole + begun > 0 && lines.concat().matches("84316507").count() == 3, "{columns}: {lines:?}");
            assert_eq!(lines.iter().filter(|line| line.contains("84316507-5610") && !line.contains(id)).count(), 0);
        }
    }

    proptest! {
        #[test]
        fn a_padded_text_takes_exactly_its_columns(text in "\\PC{0,40}", columns in 0_usize..30) {
            for unicode in [true, false] {
                prop_assert_eq!(width(&pad(&Theme::new(true, unicode), &text, columns)), columns);
            }
        }
    }
}
