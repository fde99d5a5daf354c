//! Everything about the line under the cursor: what speaks for or against it in full, and what it is.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::area::Area;
use super::text::{labelled, paragraph, width};
use super::{Scene, document};
use crate::plan::Severity;
use crate::wizard::picker::{Choice, Line as Candidate, Picker};

pub(super) const SCROLL_KEYS: (&str, &str) = ("Shift-Up", "Shift-Down");

pub(super) fn draw(scene: Scene<'_>, picker: &Picker, beside: bool, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let theme = scene.theme;
    let area = if beside {
        let edge: Vec<Line<'_>> = (0..area.height).map(|_| Line::styled(theme.glyphs.vertical, theme.dim())).collect();
        let (left, right) = area.split_left(2);
        frame.render_widget(Paragraph::new(edge), left);
        right
    } else {
        let (rule, rest) = area.split_top(1);
        let text = theme.glyphs.horizontal.repeat(usize::from(rule.width));
        frame.render_widget(Paragraph::new(Line::styled(text, theme.dim())), rule);
        rest
    };
    let Some(line) = picker.current() else { return 0 };
    let lines = lines(scene, line, usize::from(area.width));
    document::draw(scene, &lines, scene.model.shell.scroll, SCROLL_KEYS, area, frame)
}

pub(super) fn lines(scene: Scene<'_>, line: &Candidate, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let mut lines = reasons(scene, line, columns);
    lines.extend(hint(scene, line).into_iter().flat_map(|hint| paragraph(hint, columns, theme.text())));
    let detail = scene.model.detail(line);
    let labels = detail.iter().map(|(label, _)| width(label)).max().unwrap_or(0).min(columns / 2);
    for (label, value) in detail.iter() {
        lines.extend(labelled(theme, label, value, columns, labels));
    }
    lines
}

/// What it is called, and all that speaks for or against it.
pub(super) fn reasons(scene: Scene<'_>, line: &Candidate, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let title = if line.aside.is_empty() { line.title.clone() } else { format!("{}  {}", line.title, line.aside) };
    let mut lines = paragraph(&title, columns, theme.title());
    let findings = scene.model.findings(line);
    for (at, finding) in findings.iter().enumerate() {
        // Of a policy, the same can be wrong in both of its halves.
        if findings.iter().take(at).any(|earlier| earlier.text == finding.text) {
            continue;
        }
        lines.extend(document::finding(scene, finding.severity, &finding.text, columns));
    }
    let changed = scene.model.changed_with(line);
    lines.extend(changed.iter().flat_map(|text| document::finding(scene, Severity::Warning, text, columns)));
    lines
}

/// What to do about a region that did not answer.
fn hint(scene: Scene<'_>, line: &Candidate) -> Option<&'static str> {
    let Choice::Region(id) = &line.choice else { return None };
    scene.model.new_vpn.region(id)?.inventory.error()?.hint()
}
