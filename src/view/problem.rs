//! There is no sign-in: why, what was looked for, and the ways on.
//!
//! ```text
//! │ ✗ No credentials were found                         │
//! │ the cause and what to do                            │
//! │ Looked for                                          │
//! │   - not there  OS_CLOUD                             │
//! │   ✓ found      ~/.config/openstack/clouds.yaml      │
//! │ r  try again    d  demo cloud    q  quit            │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::area::Area;
use super::text::{hanging, paragraph};
use super::{Scene, document};
use crate::sign_in::Problem;
use crate::wizard::keymap::{self, Action};

/// Wider lines are hard to read.
const WIDEST: u16 = 96;

pub(super) fn draw(scene: Scene<'_>, problem: &Problem, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let area = area.split_left(WIDEST).0.inside(1, 1);
    let mut lines = text(scene, problem, usize::from(area.width));
    lines.push(Line::default());
    for binding in keymap::screen_bindings(scene.model)
        .iter()
        .filter(|binding| binding.in_footer && binding.action != Action::Help)
    {
        let keys = Span::styled(format!("{:<9}", binding.keys_label()), scene.theme.accent());
        lines.push(Line::from(vec![keys, Span::raw(binding.label)]));
    }
    document::draw(scene, &lines, scene.model.shell.scroll, ("Up", "Down"), area, frame)
}

/// Why there is no sign-in, and what was looked for.
pub(super) fn text(scene: Scene<'_>, problem: &Problem, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let glyph = Span::styled(format!("{} ", theme.glyphs.bad), theme.bad());
    let mut lines = hanging(glyph, &problem.title, columns, theme.title());
    for text in &problem.text {
        lines.push(Line::default());
        lines.extend(paragraph(text, columns, theme.text()));
    }
    if let Some(error) = &problem.error {
        lines.push(Line::default());
        lines.extend(document::error(scene, error, columns));
    }
    if !problem.looked_for.is_empty() {
        lines.extend([Line::default(), Line::styled("Looked for", theme.title())]);
    }
    for (what, is_there) in &problem.looked_for {
        let (glyph, word, style) = if *is_there {
            (theme.glyphs.done, "found    ", theme.good())
        } else {
            (theme.glyphs.ahead, "not there", theme.dim())
        };
        lines.extend(hanging(Span::styled(format!("  {glyph} {word}  "), style), what, columns, theme.text()));
    }
    lines
}
