//! The first page: whole VPNs, then the other ways. What they connect stands below a pair's names where one row is too narrow.
//!
//! ```text
//! │ What should be connected?                                        │
//! │ › 1 Hamilton <-> Porirua                                         │
//! │     border-router 10.0.0.0/24 <-> border-router 10.20.30.0/24    │
//! │   2 Wellington  ⠋ reading  4 s                                   │
//! │   3 choose step by step             two regions                  │
//! │   4 one region and an outside peer                               │
//! │   5 your VPNs                       3 up, 1 down                 │
//! │ ──────────────────────────────────────────────────────────────── │
//! │ details of the line under the cursor                             │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::area::Area;
use super::text::{fit, hanging, pad, width};
use super::{Scene, detail, document, picker, remote};
use crate::plan::Severity;
use crate::wizard::gesture::Spot;
use crate::wizard::picker::{Line as Candidate, Picker, worst};

/// Pointer and number.
const LEAD: usize = 4;
/// Wider lines are hard to read.
const WIDEST: u16 = 110;

/// Gives back how far what is cut can be scrolled: why nothing can be connected, else the details.
pub(super) fn draw(scene: Scene<'_>, list: &Picker, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let area = area.split_left(WIDEST).0;
    let columns = usize::from(area.width);
    let (top, mut area) = area.split_top(1);
    picker::note(scene, list, top, frame);
    let mut lines = lacks(scene, columns);
    let has_lacks = !lines.is_empty();
    let mut overflow = 0;
    if has_lacks {
        lines.push(Line::default());
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let needed = u16::try_from(list.shown()).unwrap_or(u16::MAX);
        let (above, below) = area.split_top(height.min(area.height.saturating_sub(needed).max(area.height / 2)));
        overflow = document::draw(scene, &lines, scene.model.shell.scroll, detail::SCROLL_KEYS, above, frame);
        area = below;
    }
    let titles = list.window(0, list.shown()).map(|(_, line)| width(&line.title)).max().unwrap_or(0);
    let titles = titles.min(columns.saturating_sub(LEAD) / 2);
    let least = if has_lacks { 0 } else { area.height * 2 / 5 };
    let most = usize::from(area.height.saturating_sub(least));
    let rows = |is_tall| {
        let row = |(place, line)| row(scene, list, (place, line), (titles, columns), is_tall);
        list.window(0, list.shown()).map(row).collect::<Vec<_>>()
    };
    let tall = rows(true);
    let lines = || list.window(0, list.shown()).map(|(_, line)| Spot::Line(line.choice.clone()));
    let shown: Vec<Line<'_>> = if tall.iter().map(Vec::len).sum::<usize>() <= most {
        scene.spots.put_rows(area, tall.iter().map(Vec::len).zip(lines()));
        tall.concat()
    } else {
        let window = picker::window(list.shown(), list.cursor(), most);
        let theme = scene.theme;
        let more = |glyph: &str, count: usize| {
            (count > 0).then(|| Line::styled(format!("  {glyph} {count} more"), theme.dim()))
        };
        let (above, below) = (window.start, list.shown() - window.end);
        let (_, place) = area.split_top(u16::from(above > 0));
        scene.spots.put_rows(place, lines().skip(window.start).take(window.len()).map(|spot| (1, spot)));
        let inside = rows(false).into_iter().skip(window.start).take(window.len()).flatten();
        more(theme.glyphs.up, above).into_iter().chain(inside).chain(more(theme.glyphs.down, below)).collect()
    };
    let (above, below) = area.split_top(u16::try_from(shown.len()).unwrap_or(u16::MAX));
    frame.render_widget(Paragraph::new(shown), above);
    let of_details = detail::draw(scene, list, false, below, frame);
    if has_lacks { overflow } else { of_details }
}

/// Why nothing can be connected, and what helps.
pub(super) fn lacks(scene: Scene<'_>, columns: usize) -> Vec<Line<'static>> {
    let lacks = scene.model.new_vpn.nothing_to_connect(&scene.model.shell.labels);
    let mut lines: Vec<Line<'_>> = lacks.iter().flat_map(|lack| remote::lack(scene, lack, columns)).collect();
    if !lines.is_empty() {
        lines.push(Line::raw("r reads the regions again."));
    }
    lines
}

fn row(
    scene: Scene<'_>,
    list: &Picker,
    (place, line): (usize, &Candidate),
    (titles, columns): (usize, usize),
    is_tall: bool,
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let at_cursor = place == list.cursor();
    let pointer = if at_cursor { theme.glyphs.pointer } else { " " };
    let number = if place < 9 && list.filter().is_none() { (place + 1).to_string() } else { " ".to_owned() };
    let style = match (at_cursor, line.is_open() && !line.pending) {
        (true, _) => theme.cursor(),
        (false, true) => theme.text(),
        (false, false) => theme.dim(),
    };
    let lead = format!("{pointer} {number} ");
    if line.pending {
        let title = Span::styled(format!("{lead}{}", line.title), style);
        return vec![Line::from(vec![title, Span::styled(format!("  {}", picker::pending(scene, line)), theme.dim())])];
    }
    let findings = scene.model.findings(line);
    let refusal = worst(&findings).filter(|finding| finding.severity == Severity::Refusal);
    let (glyph, said) = match refusal {
        Some(finding) => (Some(theme.severity_glyph(Severity::Refusal)), finding.text.clone()),
        None => (None, line.aside.clone()),
    };
    let mark = glyph.map(|glyph| Span::styled(format!("{glyph} "), theme.severity(Severity::Refusal)));
    let room = columns.saturating_sub(LEAD + titles + 2);
    let needed = width(&said) + mark.as_ref().map_or(0, Span::width);
    let quiet = if at_cursor && mark.is_none() { style } else { theme.dim() };
    if !is_tall || said.is_empty() || needed <= room && width(&line.title) <= titles {
        let title = if said.is_empty() { line.title.clone() } else { pad(theme, &line.title, titles) + "  " };
        let mut row = vec![Span::styled(fit(theme, &format!("{lead}{title}"), columns), style)];
        let room = room.saturating_sub(mark.as_ref().map_or(0, Span::width));
        row.extend(mark);
        row.push(Span::styled(fit(theme, &said, room), quiet));
        return vec![Line::from(row)];
    }
    let title = Line::styled(format!("{lead}{}", fit(theme, &line.title, columns.saturating_sub(LEAD))), style);
    let margin = Span::raw(" ".repeat(LEAD));
    let below = match mark {
        Some(mark) => {
            let reason = hanging(Span::raw("  "), &said, columns.saturating_sub(LEAD), theme.dim());
            let mut reason = reason.into_iter();
            let first = reason.next().map(|first| {
                let text = first.spans.into_iter().skip(1);
                Line::from([margin.clone(), mark].into_iter().chain(text).collect::<Vec<_>>())
            });
            let rest = reason.map(|row| Line::from([vec![margin.clone()], row.spans].concat()));
            first.into_iter().chain(rest).collect()
        }
        None => hanging(margin, &said, columns, theme.text()),
    };
    [vec![title], below].concat()
}
