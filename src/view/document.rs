//! Lines that may be more than fit, the buttons below them, and what a finding or an error looks like as lines.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Scene;
use super::area::Area;
use super::text::{hanging, labelled, paragraph};
use crate::cloud::Error;
use crate::cloud::error::wait_in_words;
use crate::plan::Severity;

/// Draws as many lines as fit, from `scroll` on; says at the edges how many more there are, and which key shows them. A
/// scroll beyond the end shows the end. Gives back the scroll that shows the end.
pub(super) fn draw(
    scene: Scene<'_>,
    lines: &[Line<'_>],
    scroll: u16,
    keys: (&str, &str),
    area: Rect,
    frame: &mut Frame<'_>,
) -> u16 {
    let height = usize::from(area.height);
    if lines.len() <= height {
        frame.render_widget(Paragraph::new(lines.to_vec()), area);
        return 0;
    }
    let glyphs = scene.theme.glyphs;
    // The mark above takes a row, so the first step down hides two lines, and the view moves by one.
    let last = (lines.len() + 1).saturating_sub(height);
    let first = if scroll == 0 { 0 } else { usize::from(scroll).saturating_add(1).min(last) };
    let marks_above = first > 0;
    let room = height.saturating_sub(usize::from(marks_above));
    let left = lines.len() - first;
    let marks_below = left > room;
    let room = room.saturating_sub(usize::from(marks_below));
    let mut shown: Vec<Line<'_>> = Vec::with_capacity(height);
    if marks_above {
        shown.push(Line::styled(format!("{} {first} more  {}", glyphs.up, keys.0), scene.theme.dim()));
    }
    shown.extend(lines.iter().skip(first).take(room).cloned());
    if marks_below {
        shown.push(Line::styled(format!("{} {} more  {}", glyphs.down, left - room, keys.1), scene.theme.dim()));
    }
    frame.render_widget(Paragraph::new(shown), area);
    u16::try_from(last.saturating_sub(1)).unwrap_or(u16::MAX)
}

/// A row of buttons; the focused one stands in brackets and is reversed.
pub(super) fn buttons(scene: Scene<'_>, labels: &[&str], focus: Option<usize>) -> Line<'static> {
    let buttons: Vec<_> = labels.iter().map(|label| (*label, None)).collect();
    lettered_buttons(scene, &buttons, focus, usize::MAX).into_iter().next().unwrap_or_default()
}

/// The same with the letters that press them underlined, in as many rows as they need.
pub(super) fn lettered_buttons(
    scene: Scene<'_>,
    buttons: &[(&str, Option<char>)],
    focus: Option<usize>,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut rows = vec![Line::default()];
    for (at, (label, letter)) in buttons.iter().enumerate() {
        let is_focused = focus == Some(at);
        let style = if is_focused { scene.theme.cursor().patch(scene.theme.title()) } else { Style::default() };
        let (open, close) = if is_focused { ("[ ", " ]") } else { ("  ", "  ") };
        let place = letter.and_then(|letter| label.to_ascii_lowercase().find(letter));
        let (before, rest) = label.split_at(place.unwrap_or(label.len()));
        let (key, after) = rest.split_at(rest.chars().next().map_or(0, char::len_utf8));
        let button = [
            Span::styled(format!("{open}{before}"), style),
            Span::styled(key.to_owned(), style.add_modifier(Modifier::UNDERLINED)),
            Span::styled(format!("{after}{close}"), style),
        ];
        let taken = rows.last().map_or(0, Line::width);
        let width: usize = button.iter().map(Span::width).sum();
        if taken > 0 && taken + 2 + width > columns {
            rows.push(Line::default());
        }
        if let Some(row) = rows.last_mut() {
            if row.width() > 0 {
                row.push_span("  ");
            }
            row.spans.extend(button);
        }
    }
    rows
}

/// Buttons in the last row, with an empty row above; gives back what is left.
pub(super) fn button_row(line: Line<'static>, area: Rect, frame: &mut Frame<'_>) -> Rect {
    button_rows(vec![line], area, frame)
}

/// The same for several rows.
pub(super) fn button_rows(lines: Vec<Line<'static>>, area: Rect, frame: &mut Frame<'_>) -> Rect {
    let rows = u16::try_from(lines.len()).unwrap_or(1);
    let (rest, bottom) = area.split_bottom(rows.saturating_add(1));
    frame.render_widget(Paragraph::new(lines), bottom.split_top(1).1);
    rest
}

/// A finding in full: glyph, and its text led by a word where it stops nothing.
pub(super) fn finding(scene: Scene<'_>, severity: Severity, text: &str, columns: usize) -> Vec<Line<'static>> {
    let glyph = Span::styled(format!("{} ", scene.theme.severity_glyph(severity)), scene.theme.severity(severity));
    let text = match severity {
        // What a refusal says is a reason already.
        Severity::Refusal | Severity::Notice => text.to_owned(),
        Severity::Warning => format!("warning: {text}"),
    };
    hanging(glyph, &text, columns, scene.theme.text())
}

/// A failed request in full: what the cloud said, what to do, and what its operator needs to know.
pub(super) fn error(scene: Scene<'_>, error: &Error, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let mut lines =
        hanging(Span::styled(format!("{} ", theme.glyphs.bad), theme.bad()), &error.message, columns, theme.text());
    if let Some(hint) = error.hint() {
        lines.push(Line::default());
        lines.extend(paragraph(hint, columns, theme.text()));
    }
    let answer = match (error.status, &error.neutron_type) {
        (Some(status), Some(kind)) => Some(format!("{status} {kind}")),
        (Some(status), None) => Some(status.to_string()),
        (None, _) => None,
    };
    let rows = [
        ("Region", error.region.as_ref().map(ToString::to_string)),
        ("Request", error.request.clone()),
        ("Answer", answer),
        ("Wait", error.retry_after.map(|wait| wait_in_words(wait.as_secs()))),
        // Hints ask for the request number; with a longer label it would not fit beside the rail of 80 columns.
        ("Number", error.request_id.clone()),
    ];
    if rows.iter().any(|(_, value)| value.is_some()) {
        lines.push(Line::default());
    }
    for (label, value) in rows {
        lines.extend(value.into_iter().flat_map(|value| labelled(theme, label, &value, columns, 7)));
    }
    lines
}
