//! What a sign-in asks, over everything else.
//!
//! ```text
//! ┌ Your sign-in has expired ────────────────────┐
//! │ text                                         │
//! │                                              │
//! │ ┏ Password ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓ │
//! │ ┃••••••                                    ┃ │
//! │ ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛ │
//! │ Enter signs in, Esc leaves it                │
//! └──────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use super::Scene;
use super::area::Area;
use super::text::{hanging, paragraph};
use crate::cloud::person::Wanted;
use crate::wizard::gesture::Spot;
use crate::wizard::sign_in_question::{Asked, Entry};

pub(super) fn draw(scene: Scene<'_>, asked: &Asked, screen: Rect, frame: &mut Frame<'_>) {
    let theme = scene.theme;
    let across = 68.min(screen.width.saturating_sub(4));
    let columns = usize::from(across.saturating_sub(4));
    let lines = text(scene, asked, columns);
    let fields = u16::try_from(asked.fields.len() * 3).unwrap_or(u16::MAX);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(fields).saturating_add(3);
    let area = screen.middle(across, rows.min(screen.height.saturating_sub(2)));
    frame.render_widget(Clear, area);
    let block = Block::bordered()
        .border_set(theme.glyphs.border)
        .padding(Padding::horizontal(1))
        .title(Line::styled(format!(" {} ", asked.question.title()), theme.title()));
    frame.render_widget(block, area);
    // The fields and the last row come first: on a small screen it is the text that is cut.
    let (rest, last) = area.inside(2, 1).split_bottom(1);
    let (rest, mut place) = rest.split_bottom(fields);
    frame.render_widget(Paragraph::new(lines), rest);
    for (at, field) in asked.fields.iter().enumerate() {
        let (top, below) = place.split_top(3);
        scene.spots.put(top, Spot::Field(at));
        entry(scene, field, at == asked.focus && !asked.is_sent, top, frame);
        place = below;
    }
    frame.render_widget(Paragraph::new(Line::styled(ways(asked), theme.dim())), last);
}

pub(super) fn text(scene: Scene<'_>, asked: &Asked, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let mut lines = Vec::new();
    if let Some(refused) = &asked.question.refused {
        let glyph = Span::styled(format!("{} ", theme.glyphs.bad), theme.bad());
        lines.extend(hanging(glyph, refused, columns, theme.title()));
        lines.push(Line::default());
    }
    for text in asked.question.text() {
        lines.extend(paragraph(&text, columns, theme.text()));
    }
    lines.push(Line::default());
    lines
}

fn ways(asked: &Asked) -> &'static str {
    match asked {
        Asked { is_sent: true, .. } => "Signing in. Esc goes back to the screen meanwhile.",
        Asked { is_empty_blamed: true, .. } => "Nothing is typed yet. Esc leaves it unanswered.",
        Asked { fields, focus, .. } if focus + 1 < fields.len() => "Enter goes on to the next field. Esc: not now.",
        Asked { question, .. } if question.wanted == Wanted::Consent => "Enter goes on. Esc: not now.",
        _ => "Enter signs in. Esc: not now.",
    }
}

fn entry(scene: Scene<'_>, field: &Entry, focused: bool, area: Rect, frame: &mut Frame<'_>) {
    let theme = scene.theme;
    let (set, style) =
        if focused { (theme.glyphs.focused_border, theme.accent()) } else { (theme.glyphs.border, theme.dim()) };
    let title = Line::styled(format!(" {} ", field.part.label()), if focused { theme.accent() } else { theme.text() });
    let mut block = Block::bordered().border_set(set).border_style(style).title(title);
    if field.chars() > 0 {
        block = block.title(Line::styled(format!(" {} characters ", field.chars()), theme.dim()).right_aligned());
    }
    let inner = area.inside(1, 1);
    frame.render_widget(block, area);
    let shown = field.chars().min(usize::from(inner.width.saturating_sub(1)));
    frame.render_widget(Paragraph::new(Line::styled(theme.glyphs.mask.repeat(shown), theme.text())), inner);
    let column = u16::try_from(shown).unwrap_or(u16::MAX);
    if focused && column < inner.width && inner.height > 0 {
        frame.set_cursor_position(Position::new(inner.x + column, inner.y));
    }
}
