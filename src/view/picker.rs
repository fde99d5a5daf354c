//! A list to choose from. Only the lines that are on the screen are looked at, so its length does not matter.
//!
//! ```text
//! │ heading                                    │  heading
//! │ note, or the filter and its matches        │  note
//! │ › 1 [x] private-subnet   10.0.0.0/24       │  list        │ detail
//! │   2 [ ] lonely-subnet    172.20.0.0/24     │              │
//! │         ✗ is not attached to border-router │              │
//! │ ↓ 12 more                                  │              │
//! │ ────────────────────────────────────────── │
//! │ detail of the line under the cursor        │   (at 110 columns and more)
//! ```

use std::borrow::Cow;
use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::area::Area;
use super::text::{fit, pad, scrolled, width, wrap};
use super::{Scene, detail, remote};
use crate::cloud::Id;
use crate::plan::Severity;
use crate::wizard::Model;
use crate::wizard::gesture::Spot;
use crate::wizard::picker::{Choice, Line as Candidate, Picker, Tally, worst};
use crate::wizard::remote::Remote;
use crate::wizard::screen::Screen;

/// From this width of the content on, details stand beside the list.
const WIDE: u16 = 73;
/// The rows of the details, with the line above them, that no list takes.
const LEAST: u16 = 3;
/// From this height on, an empty row sets the list apart.
const ROOMY: u16 = 16;

/// Draws the list and the details of the line under the cursor. Gives back how far the details can be scrolled.
pub(super) fn draw(scene: Scene<'_>, picker: &Picker, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let (top, area) = area.split_top(1);
    if picker.lines().is_empty() {
        remote::draw(scene, scene.model.screen(), area, frame);
        return 0;
    }
    note(scene, picker, top, frame);
    let (_, area) = area.split_top(u16::from(area.height > ROOMY));
    // A VPN's line names both its sides.
    let wide = if scene.model.screen() == Screen::Vpns { 2 * WIDE } else { WIDE };
    if area.width >= wide {
        let (left, right) = area.split_left(area.width / 2);
        let tall = is_tall(picker, left.height);
        list(scene, picker, tall, left.split_left(left.width.saturating_sub(1)).0, frame);
        return detail::draw(scene, picker, true, right, frame);
    }
    // A short list leaves its rows to the details; a long one leaves them two fifths, less for the sake of its reasons.
    let usual = area.height - (area.height * 2 / 5).min(area.height);
    let most = if is_tall(picker, area.height.saturating_sub(LEAST)) { usual.max(tall_rows(picker)) } else { usual };
    let tall = is_tall(picker, most);
    let total = u16::try_from(picker.lines().len()).unwrap_or(u16::MAX);
    let rows = if tall {
        let spare = area.height.saturating_sub(detail_rows(scene, picker, area.width));
        // Whatever the list cuts of a reason, the details say in full.
        let least = reason_rows(scene, picker, area.width).clamp(LEAST, LEAST.max(area.height / 2));
        whole_rows(scene, picker, usize::from(area.width))
            .min(spare)
            .max(tall_rows(picker))
            .min(area.height.saturating_sub(least))
    } else {
        total
    };
    let rows = rows.min(most);
    let (above, below) = area.split_top(rows);
    list(scene, picker, tall, above, frame);
    detail::draw(scene, picker, false, below, frame)
}

fn tall_rows(picker: &Picker) -> u16 {
    u16::try_from(picker.lines().len() + picker.tally().with_reason).unwrap_or(u16::MAX)
}

/// The rows that the details of no line that can be taken exceed, so that moving the cursor does not move the list. Of the
/// others the list says the most.
fn detail_rows(scene: Scene<'_>, picker: &Picker, room: u16) -> u16 {
    let rows = picker
        .lines()
        .iter()
        .filter(|line| line.is_open())
        .map(|line| detail::lines(scene, line, usize::from(room)).len() + 1);
    rows.max().map_or(LEAST, |rows| u16::try_from(rows).unwrap_or(u16::MAX))
}

/// The rows that the name of no line and all that speaks for or against it exceed, with the line above them and the mark
/// of more below.
fn reason_rows(scene: Scene<'_>, picker: &Picker, room: u16) -> u16 {
    let rows = picker.lines().iter().map(|line| detail::reasons(scene, line, usize::from(room)).len() + 2);
    rows.max().and_then(|rows| u16::try_from(rows).ok()).unwrap_or(u16::MAX)
}

/// The rows of a short list with every reason in full.
fn whole_rows(scene: Scene<'_>, picker: &Picker, room: usize) -> u16 {
    let columns = Columns::of(picker, room, true);
    let of_reason = |(_, text): (Severity, String)| wrap(&text, room.saturating_sub(columns.lead + 2)).len();
    let rows = picker.lines().iter().map(|line| 1 + reason(scene, line).map_or(0, of_reason));
    u16::try_from(rows.sum::<usize>()).unwrap_or(u16::MAX)
}

/// Whether there is room for all reasons below their lines. It goes by the whole list, so that filtering does not change
/// the looks of a line.
fn is_tall(picker: &Picker, height: u16) -> bool {
    tall_rows(picker) <= height
}

pub(super) fn note(scene: Scene<'_>, picker: &Picker, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let room = usize::from(area.width);
    if let Some(filter) = picker.filter() {
        let found = format!("  {} of {}", picker.shown(), picker.lines().len());
        let field = room.saturating_sub(2 + width(&found));
        let gone = filter.visual_scroll(field.saturating_sub(1));
        let text = pad(theme, scrolled(filter.value(), gone), field);
        let spans = vec![Span::styled("/ ", theme.accent()), Span::raw(text), Span::styled(found, theme.dim())];
        frame.render_widget(Paragraph::new(Line::from(spans)), area);
        let column = u16::try_from(2 + filter.visual_cursor().saturating_sub(gone)).unwrap_or(u16::MAX);
        if model.shell.dialog.is_none() && column < area.width && area.height > 0 {
            frame.set_cursor_position(Position::new(area.x + column, area.y));
        }
        return;
    }
    let mut line = above(scene, picker);
    if let [text] = line.spans.as_mut_slice() {
        text.content = fit(theme, &text.content, room).into();
    }
    frame.render_widget(Paragraph::new(line), area);
}

/// What stands above a list.
pub(super) fn above(scene: Scene<'_>, picker: &Picker) -> Line<'static> {
    let Scene { model, theme, .. } = scene;
    if let Some(line) = remote::signing_in(scene) {
        return line;
    }
    if let Screen::Router(half) | Screen::Subnets(half) = model.screen()
        && model.new_vpn.is_list_awaited(half, model.screen())
        && let Some(line) = remote::reading(scene, half)
    {
        return line;
    }
    if let (Screen::Vpns, Some(since)) = (model.screen(), model.vpns.seen.since()) {
        return remote::waiting(scene, "Reading all regions", since);
    }
    let marked = picker.marked().filter(|_| !theme.is_still).map(|marked| taking(model, picker, marked));
    let Tally { open, pending, .. } = picker.tally();
    let only = model.only_choice();
    let text = match (model.screen(), marked) {
        _ if picker.current().is_some_and(|line| line.choice == Choice::Others) => match model.screen() {
            Screen::Router(_) => "Enter lists all subnets.".to_owned(),
            _ => "Enter shows them.".to_owned(),
        },
        _ if open == 0 && model.screen() != Screen::Vpns => "None of these can be selected; each says why.".to_owned(),
        (_, Some(marked)) => marked,
        (Screen::Region(_) | Screen::Router(_), None) if pending == 0 && only.is_some() => {
            let kind = if matches!(model.screen(), Screen::Region(_)) { "region" } else { "router" };
            let title = only.map_or("", |line| line.title.as_str());
            if picker.current() == only {
                format!("The only {kind} that can be used; it is selected.")
            } else {
                format!("The only {kind} that can be used is {title}.")
            }
        }
        (Screen::Region(_), None) => {
            let all = picker.lines().len();
            if pending > 0 { format!("{} of {all} read", all - pending) } else { String::new() }
        }
        (Screen::Vpns, None) => vpns(model),
        (Screen::Mode, None) => {
            let current = picker.current().map(|line| &line.choice);
            model.new_vpn.first_page_note(current, &model.shell.labels).to_owned()
        }
        (screen, None) => screen.about().note.to_owned(),
    };
    Line::from(Span::styled(text, theme.dim()))
}

/// How many VPNs there are, and whether that is all.
fn vpns(model: &Model) -> String {
    let Some(seen) = model.vpns.seen() else { return String::new() };
    if let Some(hidden) = seen.inspection.hidden() {
        return format!("{hidden}.");
    }
    let count = match seen.inspection.vpns.len() {
        0 => "There is no VPN in this project.".to_owned(),
        1 => "1 VPN.".to_owned(),
        count => format!("{count} VPNs."),
    };
    match seen.inspection.unread.len() {
        0 => count,
        1 => format!("{count} One region could not be read; its objects are missing."),
        unread => format!("{count} {unread} regions could not be read; their objects are missing."),
    }
}

fn taking(model: &Model, picker: &Picker, marked: &[Choice]) -> String {
    let taken = picker.taken();
    let name = picker.first_taken().map_or("", |line| line.title.as_str());
    if let Some(line) = picker.current().filter(|line| !line.is_open() && taken.contains(&line.choice)) {
        return format!("{} cannot be taken", line.title);
    }
    if let Some(router) =
        picker.current().filter(|line| taken.contains(&line.choice)).and_then(|line| model.router_with(line))
    {
        return format!("Enter takes {name} and its router, {router}");
    }
    let ids: Vec<&Id> = taken.iter().filter_map(Choice::id).collect();
    match (taken.len(), marked.len()) {
        _ if matches!(model.screen(), Screen::NewSubnets(half) if model.vpns.are_present(half, &ids)) => {
            "Space marks one more. Nothing is changed yet.".to_owned()
        }
        (1, 1) if taken.as_slice() != marked => format!("Enter takes {name} alone; Space adds it"),
        (1, 1) => format!("Enter takes {name}; Space marks several"),
        (count, 1..) => format!("Enter takes the {count} marked"),
        _ => format!("Nothing is marked; Enter takes {name}"),
    }
}

struct Columns {
    lead: usize,
    title: usize,
    aside: usize,
    room: usize,
    tall: bool,
}

impl Columns {
    fn of(picker: &Picker, room: usize, tall: bool) -> Self {
        let lead = if picker.marked().is_some() { 8 } else { 4 };
        let Tally { widest, with_reason, .. } = picker.tally();
        // Beside its line, a reason needs room for its glyph at least.
        let reasons = if tall || with_reason == 0 { 0 } else { 5 };
        let (title, aside) = share(widest.0, widest.1, room.saturating_sub(lead + 2 + reasons));
        Self { lead, title, aside, room, tall }
    }
}

fn list(scene: Scene<'_>, picker: &Picker, tall: bool, area: Rect, frame: &mut Frame<'_>) {
    let theme = scene.theme;
    let height = usize::from(area.height);
    if picker.shown() == 0 {
        let text = Line::styled("No line matches; Esc ends the filter.", theme.dim());
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let rows_of = |line: &Candidate| 1 + usize::from(tall && line.worst.is_some() && !line.pending);
    let shown = if tall {
        let rows: Vec<usize> = picker.window(0, picker.shown()).map(|(_, line)| rows_of(line)).collect();
        window_of_rows(&rows, picker.cursor(), height)
    } else {
        window(picker.shown(), picker.cursor(), height)
    };
    let columns = Columns::of(picker, usize::from(area.width), tall);
    let mut rows = Vec::with_capacity(height);
    if shown.start > 0 {
        rows.push(Line::styled(format!("  {} {} more", theme.glyphs.up, shown.start), theme.dim()));
    }
    let lines: Vec<(Spot, CandidateRows)> = picker
        .window(shown.start, shown.len())
        .map(|(place, line)| (Spot::Line(line.choice.clone()), row(scene, picker, place, line, &columns)))
        .collect();
    let below = picker.shown() - shown.end;
    let needed = lines.iter().map(|(_, row)| 1 + row.reason.len().min(1)).sum::<usize>();
    let mut spare = height.saturating_sub(needed + rows.len() + usize::from(below > 0));
    for (spot, row) in lines {
        let row = row.drawn(scene, &columns, &mut spare);
        let beneath = area.split_top(u16::try_from(rows.len()).unwrap_or(u16::MAX)).1;
        scene.spots.put_rows(beneath, [(row.len(), spot)]);
        rows.extend(row);
    }
    if below > 0 {
        rows.push(Line::styled(format!("  {} {below} more", theme.glyphs.down), theme.dim()));
    }
    frame.render_widget(Paragraph::new(rows), area);
}

/// A line of the list, and the reason below it, in as many rows as it takes.
struct CandidateRows {
    first: Line<'static>,
    glyph: Span<'static>,
    reason: Vec<String>,
}

impl CandidateRows {
    /// A reason has one row at least, and more as long as there are spare ones.
    fn drawn(self, scene: Scene<'_>, columns: &Columns, spare: &mut usize) -> Vec<Line<'static>> {
        let Self { first, glyph, mut reason } = self;
        let given = reason.len().min(1 + *spare);
        *spare -= given.saturating_sub(1);
        if given < reason.len() {
            let rest = reason.split_off(given - 1).join(" ");
            reason.push(fit(scene.theme, &rest, columns.room.saturating_sub(columns.lead + 2)));
        }
        let margin = " ".repeat(columns.lead);
        let mut lead = vec![Span::raw(margin.clone()), glyph];
        let mut rows = vec![first];
        for text in reason {
            lead.push(Span::styled(text, scene.theme.text()));
            rows.push(Line::from(std::mem::replace(&mut lead, vec![Span::raw(format!("{margin}  "))])));
        }
        rows
    }
}

/// Room for titles and asides: as much as both want, or else at least half for either.
fn share(title: usize, aside: usize, room: usize) -> (usize, usize) {
    let aside = aside.min(room.saturating_sub(title).max(room / 2));
    (title.min(room.saturating_sub(aside)), aside)
}

/// Which of `count` lines are on the screen: the cursor's with as many around it as fit, a row at either end given up
/// for the mark that tells of more.
pub(super) fn window(count: usize, cursor: usize, height: usize) -> Range<usize> {
    if count <= height {
        return 0..count;
    }
    if cursor + 2 <= height {
        return 0..height.saturating_sub(1).max(1).min(count);
    }
    if cursor + height > count {
        return (count + 1).saturating_sub(height).min(cursor)..count;
    }
    let inner = height.saturating_sub(2).max(1);
    let start = cursor.saturating_sub(inner / 2);
    start..(start + inner).min(count)
}

/// The same of lines that take several rows. The view moves no further than the cursor and the line below it need.
fn window_of_rows(rows: &[usize], cursor: usize, height: usize) -> Range<usize> {
    let count = rows.len();
    let taken = |range: Range<usize>| {
        let marks = usize::from(range.start > 0) + usize::from(range.end < count);
        rows.get(range).map_or(usize::MAX, |rows| rows.iter().sum::<usize>().saturating_add(marks))
    };
    let wanted = (cursor + 2).min(count);
    let start = (0..cursor).find(|start| taken(*start..wanted) <= height).unwrap_or(cursor.min(count));
    let end = (start..=count).rev().find(|end| taken(start..*end) <= height).unwrap_or(start);
    start..end.max((start + 1).min(count))
}

fn row(scene: Scene<'_>, picker: &Picker, place: usize, line: &Candidate, columns: &Columns) -> CandidateRows {
    let theme = scene.theme;
    let at_cursor = place == picker.cursor();
    let pointer = if at_cursor { theme.glyphs.pointer } else { " " };
    let number = match place {
        // While filtering, digits are text.
        0..9 if picker.filter().is_none() => (place + 1).to_string(),
        _ => " ".to_owned(),
    };
    let mark = match picker.marked() {
        None => "",
        Some(_) if line.choice == Choice::Others => "    ",
        Some(_) if picker.is_marked(&line.choice) => "[x] ",
        Some(_) => "[ ] ",
    };
    let style = match (at_cursor, line.is_open() && !line.pending) {
        (true, _) => theme.cursor(),
        (false, true) => theme.text(),
        (false, false) => theme.dim(),
    };
    let unread = scene.model.unread_subnets(line).filter(|_| line.worst.is_none());
    let is_bare = line.pending && line.aside.is_empty();
    let aside = if is_bare { String::new() } else { pad(theme, &line.aside, columns.aside) };
    let title = if line.choice == Choice::Others { line.title.clone() } else { pad(theme, &line.title, columns.title) };
    let text = format!("{pointer} {number} {mark}{title}  {aside}");
    let whole = if line.choice == Choice::Others || columns.tall && !line.pending && unread.is_none() {
        columns.room
    } else {
        columns.lead + 2 + columns.title + width(&aside)
    };
    let text = pad(theme, &text, whole.min(columns.room));
    let used = width(&text);
    let mut first = vec![Span::styled(text, style)];
    let plain = |first: Vec<Span<'static>>| CandidateRows {
        first: Line::from(first),
        glyph: Span::default(),
        reason: Vec::new(),
    };
    if let Some(unread) = unread {
        let text = match unread {
            Remote::Loading { .. } => format!("  {} reading subnets", remote::spinner(scene)),
            Remote::Failed(_) => format!("  {} not read", theme.glyphs.warning),
            _ => String::new(),
        };
        first.push(Span::styled(fit(theme, &text, columns.room.saturating_sub(used)), theme.dim()));
        return plain(first);
    }
    if line.pending {
        let gap = if is_bare { "" } else { "  " };
        first.push(Span::styled(format!("{gap}{}", pending(scene, line)), theme.dim()));
        return plain(first);
    }
    let Some((severity, reason)) = reason(scene, line) else { return plain(first) };
    let glyph = Span::styled(format!("{} ", theme.severity_glyph(severity)), theme.severity(severity));
    if columns.tall {
        let reason = wrap(&reason, columns.room.saturating_sub(columns.lead + 2));
        return CandidateRows { first: Line::from(first), glyph, reason };
    }
    let reason = fit(theme, &reason, columns.room.saturating_sub(used + 4));
    first.extend([Span::raw("  "), glyph, Span::styled(reason, theme.text())]);
    plain(first)
}

/// The worst that speaks against a line, in words.
fn reason(scene: Scene<'_>, line: &Candidate) -> Option<(Severity, String)> {
    let findings = if line.worst.is_some() { scene.model.findings(line) } else { Cow::default() };
    let worst = worst(&findings)?;
    let text = match worst.severity {
        Severity::Warning => format!("warning: {}", worst.text),
        Severity::Refusal | Severity::Notice => worst.text.clone(),
    };
    Some((worst.severity, text))
}

pub(super) fn pending(scene: Scene<'_>, line: &Candidate) -> String {
    let region = match &line.choice {
        Choice::Region(id) => scene.model.new_vpn.region(id),
        _ => None,
    };
    let first = || scene.model.new_vpn.regions.iter().filter_map(|region| region.inventory.since()).min();
    let since = match &line.choice {
        Choice::Best => first(),
        _ => region.and_then(|region| region.inventory.since()),
    };
    let waited = since.map_or_else(String::new, |since| remote::waited(scene, since));
    format!("{} reading{waited}", remote::spinner(scene))
}
