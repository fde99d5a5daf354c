//! Fields to fill in. What is wrong stands in the place of the help, so nothing moves when something is.
//!
//! ```text
//! │ ┏ Address ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓ │
//! │ ┃198.51.100.7                                 ┃ │
//! │ ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛ │
//! │  help, or what is wrong                          │
//! │                                                  │
//! │ ┌ Id ─────────────────────────────────────────┐ │
//! ```

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use tui_input::Input;

use super::area::Area;
use super::text::{beginning, fit, hanging, paragraph, scrolled, width};
use super::{Scene, document};
use crate::engine;
use crate::plan::{Severity, VpnName, psk};
use crate::wizard::Form;
use crate::wizard::fields::Field;
use crate::wizard::gesture::Spot;
use crate::wizard::screen::Screen;
use crate::wizard::secret_text::characters;

/// Wider fields are no easier to read.
const WIDEST: u16 = 76;

/// Draws the fields one below the other, then what the form is about.
pub(super) fn draw(scene: Scene<'_>, form: &Form, area: Rect, frame: &mut Frame<'_>) {
    let mut rest = area.split_left(WIDEST).0.split_top(1).1;
    if form.fields == [Field::Text] {
        return text_box(scene, rest, frame);
    }
    let fields = u16::try_from(form.fields.len()).unwrap_or(u16::MAX).max(1);
    let below = (rest.height / fields).saturating_sub(3).clamp(1, 3);
    for (at, field) in form.fields.iter().enumerate() {
        let (place, next) = rest.split_top(3);
        scene.spots.put(place, Spot::Field(at));
        text_field(scene, *field, at == form.focus, place, frame);
        let (place, next) = next.split_top(below + u16::from(field.is_secret()));
        help(scene, *field, place.inside(1, 0), frame);
        rest = next;
    }
    if scene.model.screen() == Screen::Name {
        frame.render_widget(Paragraph::new(names(scene, usize::from(rest.width))), rest);
    }
}

/// A text of many lines, of which the last are seen.
fn text_box(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let columns = usize::from(area.width);
    let below = match model.problem(Field::Text) {
        Some(problem) => {
            hanging(Span::styled(format!("{} ", theme.glyphs.bad), theme.bad()), &problem, columns, theme.title())
        }
        None => paragraph(model.field_help(Field::Text), columns, theme.dim()),
    };
    let height = area.height.saturating_sub(u16::try_from(below.len()).unwrap_or(u16::MAX)).max(3);
    let (place, rest) = area.split_top(height);
    let block = Block::bordered().border_set(theme.glyphs.focused_border).border_style(theme.accent());
    frame.render_widget(block.title(Line::styled(format!(" {} ", Field::Text.label()), theme.accent())), place);
    let inner = place.inside(1, 1);
    let shown = model.new_vpn.pasted_shown(usize::from(inner.height));
    let lines: Vec<Line<'_>> =
        shown.iter().map(|line| Line::styled(fit(theme, line, usize::from(inner.width)), theme.text())).collect();
    frame.render_widget(Paragraph::new(lines), inner);
    frame.render_widget(Paragraph::new(below), rest);
}

struct Shown {
    text: String,
    cursor: usize,
    /// Whether it is not an answer, but what no answer means.
    is_placeholder: bool,
}

fn shown(scene: Scene<'_>, field: Field, room: usize) -> Shown {
    let model = scene.model;
    let of = |input: &Input| {
        let gone = input.visual_scroll(room.saturating_sub(1));
        let text = beginning(scrolled(input.value(), gone), room).to_owned();
        Shown { text, cursor: input.visual_cursor().saturating_sub(gone), is_placeholder: false }
    };
    if let Some(secret) = model.secret(field) {
        let mask = || scene.theme.glyphs.mask.repeat(secret.chars());
        return of(&Input::new(if model.shell.is_revealed() { secret.expose().to_owned() } else { mask() }));
    }
    let suggestion = model.suggestion(field);
    match model.input(field) {
        None => of(&Input::new(suggestion)),
        Some(input) if input.value().is_empty() && !suggestion.is_empty() => {
            Shown { text: fit(scene.theme, &suggestion, room), cursor: 0, is_placeholder: true }
        }
        Some(input) => of(input),
    }
}

fn text_field(scene: Scene<'_>, field: Field, focused: bool, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let (set, style) =
        if focused { (theme.glyphs.focused_border, theme.accent()) } else { (theme.glyphs.border, theme.dim()) };
    let title = Line::styled(format!(" {} ", field.label()), if focused { theme.accent() } else { theme.text() });
    let mut block = Block::bordered().border_set(set).border_style(style).title(title);
    if let Some(origin) = model.origin(field) {
        block = block.title(Line::styled(format!(" {origin} "), theme.dim()).right_aligned());
    }
    let inner = area.inside(1, 1);
    frame.render_widget(block, area);
    let shown = shown(scene, field, usize::from(inner.width));
    let style = if shown.is_placeholder { theme.dim() } else { theme.text() };
    frame.render_widget(Paragraph::new(Line::styled(shown.text, style)), inner);
    let column = u16::try_from(shown.cursor).unwrap_or(u16::MAX);
    if focused
        && model.shell.dialog.is_none()
        && model.shell.question.is_none()
        && column < inner.width
        && inner.height > 0
    {
        frame.set_cursor_position(Position::new(inner.x + column, inner.y));
    }
}

/// The help of a field, or in its place what is wrong with it. The key's length is above either.
fn help(scene: Scene<'_>, field: Field, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let mut area = area;
    if let Some(secret) = model.secret(field) {
        let (top, rest) = area.split_top(1);
        frame.render_widget(Paragraph::new(meter(scene, secret.chars())), top);
        area = rest;
    }
    let columns = usize::from(area.width);
    let lines = match model.problem(field) {
        Some(problem) => {
            hanging(Span::styled(format!("{} ", theme.glyphs.bad), theme.bad()), &problem, columns, theme.title())
        }
        None => match model.remark(field) {
            Some(remark) => document::finding(scene, Severity::Warning, &remark, columns),
            None => paragraph(model.field_help(field), columns, theme.dim()),
        },
    };
    frame.render_widget(Paragraph::new(lines), area);
}

/// How long the key is, against how long it may be.
fn meter(scene: Scene<'_>, count: usize) -> Line<'static> {
    const CELLS: usize = psk::LONGEST / 2;
    let theme = scene.theme;
    let filled = count.div_ceil(2).min(CELLS);
    let fits = (psk::SHORTEST..=psk::LONGEST).contains(&count);
    let style = if fits { theme.good() } else { theme.warning() };
    let (full, empty) = theme.glyphs.meter;
    Line::from(vec![
        Span::styled(full.repeat(filled), style),
        Span::styled(empty.repeat(CELLS - filled), theme.dim()),
        Span::styled(format!(" {} ({} to {})", characters(count), psk::SHORTEST, psk::LONGEST), theme.dim()),
    ])
}

/// The names that result, as far as the name is one.
fn names(scene: Scene<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let Ok(name) = VpnName::parse(&scene.model.new_vpn.name_text()) else { return Vec::new() };
    let labels = engine::Step::ALL.iter().map(|step| width(step.label())).max().unwrap_or(0);
    let line = |step: &engine::Step| {
        let label = super::text::pad(theme, step.label(), labels.min(columns / 2));
        let object = fit(theme, &name.of(step.object()), columns.saturating_sub(labels + 3));
        Line::from(vec![Span::styled(format!(" {label}  "), theme.dim()), Span::raw(object)])
    };
    engine::Step::ALL.iter().map(line).collect()
}
