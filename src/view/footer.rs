//! What was just said to the user, and the keys that do something now.
//!
//! ```text
//! │ ! isolated-router has no external gateway                                │
//! │ Enter continue  Esc back  / filter  r read again  ? help  q quit         │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Scene;
use super::area::Area;
use super::text::{hanging, width};
use crate::wizard::keymap::{self, Action, Binding};
use crate::wizard::vpns::VpnButton;

/// A notice longer than this is cut; the list says the same in full.
const LONGEST_NOTICE: usize = 3;

/// The rows it takes: a notice may need several.
pub(super) fn height(scene: Scene<'_>, columns: u16) -> u16 {
    let rows = notice(scene, columns).len().clamp(1, LONGEST_NOTICE);
    u16::try_from(rows).unwrap_or(1) + 1
}

fn notice(scene: Scene<'_>, columns: u16) -> Vec<Line<'static>> {
    let Scene { model, theme, .. } = scene;
    let Some(notice) = &model.shell.notice else { return Vec::new() };
    let (glyph, style) =
        if notice.is_problem { (theme.glyphs.warning, theme.warning()) } else { (theme.glyphs.notice, theme.accent()) };
    hanging(
        Span::styled(format!("{glyph} "), style),
        &notice.text,
        usize::from(columns.saturating_sub(2)),
        theme.title(),
    )
}

pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) {
    let (top, bottom) = area.split_bottom(1);
    frame.render_widget(Paragraph::new(notice(scene, area.width)), top.inside(1, 0));
    let bottom = bottom.inside(1, 0);
    frame.render_widget(Paragraph::new(keys(scene, usize::from(bottom.width))), bottom);
}

/// The footer's keys, as many as fit. Help and leaving come before anything else: with them the others are found. Arrows
/// go first, which everybody tries; where the buttons have letters, Enter and Esc go before these, and Delete stays.
fn keys(scene: Scene<'_>, columns: usize) -> Line<'static> {
    let bindings: Vec<Binding> =
        keymap::bindings(scene.model).into_iter().filter(|binding| binding.in_footer).collect();
    let texts = bindings.iter().map(|binding| {
        let key = binding.keys.first().map_or_else(String::new, |key| key.label());
        (binding.action, key, binding.label)
    });
    let mut texts: Vec<_> = texts.collect();
    let taken = |texts: &[(Action, String, &str)]| {
        let each = texts.iter().map(|(_, key, label)| width(key) + 1 + width(label));
        each.sum::<usize>() + 2 * texts.len().saturating_sub(1)
    };
    let is_arrow = |action: &Action| matches!(action, Action::Up | Action::Down | Action::Last);
    let is_minor = |action: &Action| matches!(action, Action::Retry | Action::Copy);
    let has_letters = texts.iter().any(|(action, ..)| matches!(action, Action::Do(_)));
    let is_kept = |action: &Action| {
        matches!(action, Action::Help | Action::Quit | Action::Accept | Action::Do(VpnButton::Delete))
    };
    while taken(&texts) > columns {
        let place = |goes: &dyn Fn(&Action) -> bool| texts.iter().rposition(|(action, ..)| goes(action));
        let next = place(&is_arrow).or_else(|| {
            if !has_letters {
                return None;
            }
            let first = place(&is_minor).or_else(|| place(&|action| *action == Action::Accept));
            first.or_else(|| place(&|action| *action == Action::Back))
        });
        let Some(next) = next.or_else(|| place(&|action| !is_kept(action))) else { break };
        texts.remove(next);
    }
    let mut spans = Vec::with_capacity(texts.len() * 3);
    for (at, (_, key, label)) in texts.into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(key, scene.theme.accent()));
        spans.push(Span::styled(format!(" {label}"), scene.theme.dim()));
    }
    Line::from(spans)
}
