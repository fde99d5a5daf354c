//! Every field of a custom policy, a row each, with what is the matter with it.
//!
//! ```text
//! │   IKE version           v2                          │
//! │ › IKE authentication    ‹ sha256 ›           2 of 6 │
//! │ ✗ IKE lifetime          10 seconds   at least 60    │
//! │ ↓ 3 more                                            │
//! │ ─────────────────────────────────────────────────── │
//! │ the focused field: what is wrong, or how to change  │
//! ```

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::area::Area;
use super::text::{fit, pad, paragraph, width};
use super::{Scene, document};
use crate::plan::fields::{Allowed, PolicyField};
use crate::wizard::Form;
use crate::wizard::fields::Field;
use crate::wizard::gesture::Spot;

/// Columns before the value: glyph, label, and room for what stands around a word.
const LEAD: usize = 2 + 20 + 2 + 2;

/// Draws the rows around the focused one, and what there is to say about it.
pub(super) fn draw(scene: Scene<'_>, form: &Form, area: Rect, frame: &mut Frame<'_>) {
    let theme = scene.theme;
    let (_, area) = area.split_top(1);
    let (list, below) = area.split_bottom(5.min(area.height / 3));
    let fields: Vec<PolicyField> = form
        .fields
        .iter()
        .filter_map(|field| match field {
            Field::Policy(field) => Some(*field),
            _ => None,
        })
        .collect();
    let (height, room) = (usize::from(list.height), usize::from(list.width));
    let shown = super::picker::window(fields.len(), form.focus, height);
    let mut rows = Vec::with_capacity(height);
    if shown.start > 0 {
        rows.push(Line::styled(format!("  {} {} more", theme.glyphs.up, shown.start), theme.dim()));
    }
    let above = rows.len();
    for (at, field) in fields.iter().enumerate().skip(shown.start).take(shown.len()) {
        scene.spots.put(list.row(u16::try_from(rows.len()).unwrap_or(u16::MAX)), Spot::Field(at));
        rows.push(row(scene, *field, at == form.focus, room));
    }
    if shown.end < fields.len() {
        rows.push(Line::styled(format!("  {} {} more", theme.glyphs.down, fields.len() - shown.end), theme.dim()));
    }
    frame.render_widget(Paragraph::new(rows), list);
    let Some(field) = fields.get(form.focus).copied() else { return };
    let row = u16::try_from(form.focus.saturating_sub(shown.start) + above).unwrap_or(u16::MAX);
    put_cursor(scene, field, list.row(row), frame);
    let (rule, below) = below.split_top(1);
    let line = theme.glyphs.horizontal.repeat(usize::from(rule.width));
    frame.render_widget(Paragraph::new(Line::styled(line, theme.dim())), rule);
    frame.render_widget(Paragraph::new(about(scene, field, usize::from(below.width))), below);
}

fn put_cursor(scene: Scene<'_>, field: PolicyField, area: Rect, frame: &mut Frame<'_>) {
    let Allowed::Number(_) = field.allowed() else { return };
    let Some(input) = scene.model.input(Field::Policy(field)) else { return };
    let column = u16::try_from(LEAD + input.visual_cursor()).unwrap_or(u16::MAX);
    if scene.model.shell.dialog.is_none() && column < area.width && area.height > 0 {
        frame.set_cursor_position(Position::new(area.x + column, area.y));
    }
}

fn row(scene: Scene<'_>, field: PolicyField, focused: bool, room: usize) -> Line<'static> {
    let Scene { model, theme, .. } = scene;
    let finding = model.policy_finding(field);
    let (object, name) = field.label();
    let glyph = match &finding {
        Some(finding) => Span::styled(theme.severity_glyph(finding.severity), theme.severity(finding.severity)),
        None if focused => Span::styled(theme.glyphs.pointer, theme.accent()),
        None => Span::raw(" "),
    };
    let (left, right) = theme.glyphs.turn;
    let value = field.get(&model.new_vpn.answers.custom);
    let (value, place) = match field.allowed() {
        Allowed::Words(words) => {
            let at = words.iter().position(|word| *word == value).unwrap_or_default();
            let text = if focused { format!("{left} {value} {right}") } else { format!("  {value}") };
            (text, format!("  {} of {}", at + 1, words.len()))
        }
        Allowed::Number(unit) => {
            let typed = model.input(Field::Policy(field)).map_or(value, |input| input.value().to_owned());
            (format!("  {typed} {unit}"), String::new())
        }
    };
    let label = format!("{object} {name}");
    let style = if focused { theme.cursor() } else { theme.dim() };
    let mut spans = vec![
        glyph,
        Span::raw(" "),
        Span::styled(pad(theme, &label, LEAD - 6), style),
        Span::raw("  "),
        Span::styled(value, if focused { theme.title() } else { theme.text() }),
    ];
    match field.blemish(&field.get(&model.new_vpn.answers.custom)) {
        Some(old @ "old") => spans.push(Span::styled(format!("  {} {old}", theme.glyphs.notice), theme.dim())),
        Some(weak) => spans.push(Span::styled(format!("  {} {weak}", theme.glyphs.warning), theme.warning())),
        None => {}
    }
    let used = spans.iter().map(Span::width).sum::<usize>();
    let left = room.saturating_sub(used);
    match finding {
        Some(finding) if left > 8 => {
            spans.push(Span::styled(format!("  {}", fit(theme, &finding.text, left - 2)), theme.text()));
        }
        None if focused && width(&place) <= left => spans.push(Span::styled(place, theme.dim())),
        _ => {}
    }
    Line::from(spans)
}

/// A field, its value and what is the matter with it.
pub(super) fn text(scene: Scene<'_>, field: PolicyField) -> String {
    let (object, name) = field.label();
    let value = scene.model.input(Field::Policy(field)).map(|input| input.value().to_owned());
    let value = value.unwrap_or_else(|| field.get(&scene.model.new_vpn.answers.custom));
    let unit = if let Allowed::Number(unit) = field.allowed() { format!(" {unit}") } else { String::new() };
    let finding = scene.model.policy_finding(field).map(|finding| format!("  {}", finding.text)).unwrap_or_default();
    let blemish = field.blemish(&value).map(|word| format!("  {word}")).unwrap_or_default();
    format!("{object} {name}: {value}{unit}{blemish}{finding}")
}

fn about(scene: Scene<'_>, field: PolicyField, columns: usize) -> Vec<Line<'static>> {
    if let Some(finding) = scene.model.policy_finding(field) {
        return document::finding(scene, finding.severity, &finding.text, columns);
    }
    let how = match field.allowed() {
        Allowed::Words(_) => "Left and right change it; / lists all values.",
        Allowed::Number(_) => "Type a whole number.",
    };
    let mut lines = paragraph(field.help(), columns, scene.theme.text());
    lines.extend(paragraph(how, columns, scene.theme.dim()));
    lines
}
