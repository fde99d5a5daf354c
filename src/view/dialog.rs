//! A question, or the help, over everything else.
//!
//! ```text
//! ┌ Stop? ───────────────────────────────────────┐
//! │ text                                         │
//! │                                              │
//! │ [ Go on ]  Stop and keep  Stop and roll back │
//! └──────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding};

use super::area::Area;
use super::text::{pad, paragraph, width};
use super::{Scene, document, footer};
use crate::wizard::dialog::{Dialog, TypedName};
use crate::wizard::gesture::Spot;
use crate::wizard::keymap;

const MOUSE: &str =
    "Mouse: the wheel scrolls; a click chooses, on a button the second one presses. With Shift it selects text.";

pub(super) fn draw(scene: Scene<'_>, dialog: &Dialog, screen: Rect, frame: &mut Frame<'_>) -> u16 {
    let theme = scene.theme;
    let widest = if dialog.is_help || dialog.is_wide { 84 } else { 64 };
    let across = widest.min(screen.width.saturating_sub(4));
    let columns = usize::from(across.saturating_sub(4));
    let mut lines = Vec::new();
    for (at, text) in dialog.text.iter().enumerate() {
        if dialog.is_help && at > 0 {
            lines.push(Line::default());
        }
        lines.extend(paragraph(text, columns, theme.text()));
    }
    if dialog.is_help {
        lines.push(Line::default());
        lines.extend(keys(scene, columns));
        lines.push(Line::default());
        lines.extend(paragraph(MOUSE, columns, theme.text()));
    }
    let labels = dialog.buttons.iter().map(|button| (button.label.as_str(), button.letter));
    let buttons = document::lettered_buttons(scene, &labels.collect::<Vec<_>>(), Some(dialog.focus), columns);
    let button_rows = buttons.clone();
    // What is typed stays in sight, however long the text is.
    let field = dialog.typed.iter().flat_map(|typed| name_field(scene, typed, columns));
    let buttons: Vec<Line<'_>> = field.chain(buttons).collect();
    let rows = u16::try_from(lines.len() + buttons.len()).unwrap_or(u16::MAX).saturating_add(3);
    // What is said meanwhile stands below it.
    let around = footer::height(scene, screen.width).saturating_mul(2);
    let area = screen.middle(across, rows.min(screen.height.saturating_sub(around)));
    frame.render_widget(Clear, area);
    let block = Block::bordered()
        .border_set(theme.glyphs.border)
        .padding(Padding::horizontal(1))
        .title(Line::styled(format!(" {} ", dialog.title), theme.title()));
    frame.render_widget(block, area);
    let inner = area.inside(2, 1);
    scene.spots.cover();
    scene.spots.put_buttons(&button_rows, inner, dialog.buttons.iter().map(|button| Spot::Answer(button.act)));
    let rest = document::button_rows(buttons, inner, frame);
    let keys = if dialog.buttons.len() > 1 { ("PgUp", "PgDn") } else { ("Up", "Down") };
    document::draw(scene, &lines, dialog.scroll, keys, rest, frame)
}

/// What has to be typed, and what is.
fn name_field(scene: Scene<'_>, typed: &TypedName, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let mut lines = paragraph(&format!("To do it, type {}", typed.name), columns, theme.text());
    let (glyph, style) =
        if typed.is_right() { (theme.glyphs.done, theme.good()) } else { (theme.glyphs.pointer, theme.accent()) };
    lines.push(Line::from(vec![
        Span::styled(format!("{glyph} "), style),
        Span::styled(typed.text.clone(), theme.title()),
        Span::styled("_", theme.accent()),
    ]));
    lines.push(Line::default());
    lines
}

/// Every key of the screen below, in two columns where they fit.
fn keys(scene: Scene<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let bindings = keymap::screen_bindings(scene.model);
    let told = bindings.iter().filter(|binding| !binding.label.is_empty());
    let texts: Vec<(String, &str)> = told.map(|binding| (binding.keys_label(), binding.label)).collect();
    let (first, second) = texts.split_at(texts.len().div_ceil(2));
    let widest = |texts: &[(String, &str)]| {
        let keys = texts.iter().map(|(keys, _)| width(keys)).max().unwrap_or(0);
        (keys, texts.iter().map(|(_, label)| width(label)).max().unwrap_or(0))
    };
    let cell = |text: Option<&(String, &str)>, (keys, label): (usize, usize)| {
        let (key, what) = text.map_or(("", ""), |(key, label)| (key.as_str(), *label));
        [
            Span::styled(format!("{}  ", pad(theme, key, keys)), theme.accent()),
            Span::raw(format!("{}   ", pad(theme, what, label))),
        ]
    };
    let (left, right) = (widest(first), widest(second));
    let together = left.0 + left.1 + right.0 + right.1 + 7;
    if together > columns {
        return texts.iter().map(|text| Line::from(cell(Some(text), left).to_vec())).collect();
    }
    let row = |at: usize| Line::from([cell(first.get(at), left), cell(second.get(at), right)].concat());
    (0..first.len()).map(row).collect()
}
