//! One VPN: how each half stands, what is wrong and how to fix it, every check, and what cannot be checked.
//!
//! ```text
//! │ hlz-por                                      DOWN │
//! │                                                   │
//! │ ○ A Hamilton  DOWN    border-router  203.0.113.20 │
//! │               10.0.0.0/24                         │
//! │ ...                                               │
//! │ ✗ Not ACTIVE. The likeliest cause is first.       │
//! │ › 1 ✗ the keys differ                             │
//! │       means  what it leads to                     │
//! │       fix    a new key on both halves             │
//! │ ...                                               │
//! │ [ Fix 1 ]    New key    Subnets    Delete        │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::area::Area;
use super::text::{hanging, paragraph};
use super::{Scene, document, remote};
use crate::inspect::diagnosis::agents_report;
use crate::inspect::{Advice, CheckResult, Condition, Diagnosis, Fault, Fix, OtherHalf, Side, Verdict, Vpn, Weight};
use crate::plan::Half;
use crate::wizard::gesture::Spot;
use crate::wizard::vpns::{Open, VpnButton, behind, missing, ranges, unknown};
use crate::wizard::work::capitalised;

/// Wider lines are hard to read.
const WIDEST: u16 = 110;

pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let (_, area) = area.split_top(1);
    let (Some(open), vpn) = (&scene.model.vpns.open, scene.model.vpns.vpn()) else { return 0 };
    let area = area.split_left(WIDEST).0;
    let columns = usize::from(area.width);
    let Some(vpn) = vpn else {
        let since = scene.model.vpns.seen.since().unwrap_or(scene.model.shell.now);
        let lines = [remote::waiting(scene, "Reading all regions", since)];
        return document::draw(scene, &lines, 0, ("", ""), area, frame);
    };
    let buttons = open.buttons();
    let labels: Vec<String> = buttons.iter().map(|button| label(open, *button)).collect();
    let labels = labels.iter().zip(&buttons).map(|(label, button)| (label.as_str(), Some(button.letter())));
    // The others keep their places where there is nothing to fix by a button.
    let missing = open.finding().filter(|_| !buttons.contains(&VpnButton::Fix));
    let without = missing.map(|_| label(open, VpnButton::Fix));
    let labels: Vec<_> = without.iter().map(|label| (label.as_str(), None)).chain(labels).collect();
    let focus = open.focused().and_then(|focused| buttons.iter().position(|button| *button == focused));
    let focus = focus.map(|at| at + usize::from(missing.is_some()));
    let mut rows = document::lettered_buttons(scene, &labels, focus, columns);
    if let (Some(_), Some(row)) = (missing, rows.first_mut()) {
        row.spans.iter_mut().take(3).for_each(|span| span.style = scene.theme.dim());
    }
    // A click on one that is not there does nothing.
    let spots = missing.map(|_| VpnButton::Fix).into_iter().chain(buttons.iter().copied());
    scene.spots.put_buttons(&rows, area, spots.map(Spot::Vpn));
    let rest = document::button_rows(rows, area, frame);
    let lines = if rest.height < LOW { low(scene, open, vpn, columns) } else { lines(scene, open, vpn, columns) };
    let begin = if open.begins_there { place_of_chosen(scene, &lines) } else { 0 };
    document::draw(scene, &lines, scene.model.shell.scroll.saturating_add(begin), ("Up", "Down"), rest, frame)
}

/// How far to scroll for the chosen finding to be in the first line.
fn place_of_chosen(scene: Scene<'_>, lines: &[Line<'_>]) -> u16 {
    let is_chosen =
        |line: &Line<'_>| line.spans.first().is_some_and(|lead| lead.content.starts_with(scene.theme.glyphs.pointer));
    let place = lines.iter().position(is_chosen).unwrap_or_default();
    u16::try_from(place).unwrap_or(u16::MAX).saturating_sub(1)
}

/// In fewer rows, what is wrong stands first.
const LOW: u16 = 12;

fn low(scene: Scene<'_>, open: &Open, vpn: &Vpn, columns: usize) -> Vec<Line<'static>> {
    [state(scene, open, vpn, columns), vec![Line::default()], halves(scene, vpn, columns)].concat()
}

/// With several findings the button names the one it fixes.
pub(super) fn label(open: &Open, button: VpnButton) -> String {
    let several = open.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.findings.len() > 1);
    match (button, open.finding()) {
        (VpnButton::Fix, Some(at)) if several => format!("{} {}", button.label(), at + 1),
        _ => button.label().to_owned(),
    }
}

pub(super) fn lines(scene: Scene<'_>, open: &Open, vpn: &Vpn, columns: usize) -> Vec<Line<'static>> {
    [halves(scene, vpn, columns), vec![Line::default()], state(scene, open, vpn, columns)].concat()
}

fn halves(scene: Scene<'_>, vpn: &Vpn, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let model = scene.model;
    let mut lines = Vec::new();
    for (half, side) in vpn.sides() {
        lines.extend(of_side(scene, half, side, columns));
    }
    match &vpn.other_half {
        OtherHalf::Found(_) => {}
        OtherHalf::Missing { because, .. } => {
            let glyph = Span::styled(format!("{} ", theme.glyphs.bad), theme.bad());
            let text = match model.vpns.seen() {
                Some(seen) => missing(&model.shell.labels, &seen.inspection, vpn, because),
                None => because.clone(),
            };
            lines.extend(hanging(glyph, &text, columns, theme.text()));
        }
        OtherHalf::Ambiguous(_) => {
            let glyph = Span::styled(format!("{} ", theme.glyphs.bad), theme.bad());
            let text = vpn.ambiguity().map(|ambiguity| ambiguity.to_string()).unwrap_or_default();
            lines.extend(hanging(glyph, &text, columns, theme.text()));
        }
        OtherHalf::Outside => {
            let peer = format!("{}, {}", vpn.a.connection.peer_address, ranges(Some(&vpn.a.remote)));
            let half_seen = model.vpns.seen().filter(|seen| seen.inspection.may_lack_a_half(vpn));
            let (what, peer) = match half_seen {
                Some(seen) => {
                    ("Peer", format!("{peer}; outside, or in {}", unknown(&model.shell.labels, &seen.inspection)))
                }
                None => ("External peer", peer),
            };
            let lead = Span::styled(format!("{} {what}  ", theme.glyphs.ahead), theme.dim());
            lines.extend(hanging(lead, &peer, columns, theme.text()));
        }
    }
    lines
}

/// What is under way, and what was found.
fn state(scene: Scene<'_>, open: &Open, vpn: &Vpn, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let model = scene.model;
    let mut lines = Vec::new();
    if let Some(interrupted) = model.vpns.interrupted() {
        let glyph = Span::styled(format!("{} ", theme.glyphs.warning), theme.warning());
        let text = format!(
            "Interrupted, and comes first: {}. Each of the buttons offers to resume it.",
            interrupted.course.change
        );
        lines.extend(hanging(glyph, &text, columns, theme.title()));
    }
    if let Some(since) = open.waiting {
        lines.push(remote::waiting(scene, concat!("Waiting for ACTIVE; ", agents_report!()), since));
    }
    if let Some(error) = &open.look_problem {
        let glyph = Span::styled(format!("{} ", theme.glyphs.warning), theme.warning());
        let text = format!("The statuses could not be read, and are asked for again: {error}");
        lines.extend(hanging(glyph, &text, columns, theme.text()));
    }
    let reading = model.vpns.seen.since().map(|since| ("Reading all regions", since));
    let reading = reading.or_else(|| open.around.since().map(|since| ("Reading keys and security groups", since)));
    if let Some((text, since)) = reading {
        lines.push(remote::waiting(scene, text, since));
    }
    if let Some(diagnosis) = &open.diagnosis {
        lines.extend(diagnosed(scene, open, vpn, diagnosis, columns));
    }
    lines
}

fn of_side(scene: Scene<'_>, half: Half, side: &Side, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let status = &side.connection.status;
    let (glyph, style) = theme.status(status);
    let router = side.router.as_ref().map_or("router unknown", |router| router.name.as_str());
    let address = side.address().map_or_else(|| "no address".to_owned(), |address| address.to_string());
    let place = scene.model.shell.labels.full(&side.region);
    let lead = Span::styled(format!("{glyph} "), style);
    let mut lines = hanging(lead, &format!("{half} {place}: {status}"), columns, theme.title());
    let text = format!("    {router}, {address}, {}", ranges(side.local.as_deref()));
    lines.extend(paragraph(&text, columns, theme.text()));
    lines
}

fn diagnosed(scene: Scene<'_>, open: &Open, vpn: &Vpn, diagnosis: &Diagnosis, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let mut lines = headline(scene, open, vpn, diagnosis, columns);
    lines.extend(lag(scene, open, vpn, columns));
    let chosen = open.finding();
    for fault in diagnosis.exposed().filter_map(CheckResult::fault) {
        lines.push(Line::default());
        lines.extend(found(scene, vpn, diagnosis, fault, "   ", columns));
    }
    for (at, finding) in diagnosis.findings.iter().enumerate() {
        if let Some(fault) = finding.fault() {
            lines.push(Line::default());
            let pointer = if chosen == Some(at) && !theme.is_still { theme.glyphs.pointer } else { " " };
            lines.extend(found(scene, vpn, diagnosis, fault, &format!("{pointer} {}", at + 1), columns));
        }
    }
    if diagnosis.later().next().is_some() {
        let title = Line::styled("Once it is up (none of this keeps it down)", theme.title());
        lines.extend([Line::default(), title]);
    }
    for fault in diagnosis.later().filter_map(CheckResult::fault) {
        lines.push(Line::default());
        lines.extend(found(scene, vpn, diagnosis, fault, "   ", columns));
    }
    if !theme.is_still {
        lines.extend([Line::default(), Line::styled("All checks", theme.title())]);
        lines.extend(checks(scene, diagnosis, columns));
    }
    if !diagnosis.unseen.is_empty() {
        lines.extend([Line::default(), Line::styled("Cannot be checked from here", theme.title())]);
    }
    for what in &diagnosis.unseen {
        let glyph = Span::styled(format!("{} ", theme.glyphs.notice), theme.accent());
        lines.extend(hanging(glyph, what, columns, theme.text()));
    }
    lines.extend([
        Line::default(),
        Line::styled("To test it, and to start a tunnel that waits for traffic", theme.title()),
    ]);
    lines.extend(paragraph(&format!("  {}", diagnosis.ping), columns, theme.text()));
    lines
}

/// In what it is behind, and what helps.
fn lag(scene: Scene<'_>, open: &Open, vpn: &Vpn, columns: usize) -> Vec<Line<'static>> {
    let keys = open.around.ready().map(|around| &around.keys);
    let Some(behind) = keys.filter(|_| open.is_behind).and_then(|keys| behind(vpn, keys)) else { return Vec::new() };
    let what = if vpn.b().is_some() { "IKEv2, SHA-256, endpoint groups" } else { "endpoint groups" };
    let text = format!("{}. Upgrade brings it to today's standard: {what}.", capitalised(&behind));
    hanging(
        Span::styled(format!("{} ", scene.theme.glyphs.notice), scene.theme.accent()),
        &text,
        columns,
        scene.theme.text(),
    )
}

fn headline(scene: Scene<'_>, open: &Open, vpn: &Vpn, diagnosis: &Diagnosis, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let is_waiting = open.waiting.is_some() && diagnosis.condition == Condition::NotActive;
    let (glyph, style) = match diagnosis.condition {
        _ if is_waiting => (theme.glyphs.ahead, theme.text()),
        Condition::Proven => (theme.glyphs.done, theme.good()),
        Condition::Mismatched | Condition::Unclear => (theme.glyphs.warning, theme.warning()),
        Condition::NotActive => (theme.glyphs.bad, theme.bad()),
    };
    let text = if is_waiting {
        "Not ACTIVE yet. While it comes up, some of this resolves by itself:".to_owned()
    } else {
        diagnosis.conclusion(vpn)
    };
    hanging(Span::styled(format!("{glyph} "), style), &text, columns, theme.title())
}

fn found(
    scene: Scene<'_>,
    vpn: &Vpn,
    diagnosis: &Diagnosis,
    fault: &Fault,
    number: &str,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let (glyph, style) = match fault.weight {
        Weight::Stops | Weight::Exposes => (theme.glyphs.bad, theme.bad()),
        Weight::Hides | Weight::Warns => (theme.glyphs.warning, theme.warning()),
    };
    let lead = Span::styled(format!("{number} {glyph} "), style);
    let mut lines = hanging(lead, &fault.seen, columns, theme.title());
    let labelled = |label: &'static str, text: &str| {
        let label = if theme.is_still { format!("{}: ", label.trim_end()) } else { label.to_owned() };
        hanging(Span::styled(format!("      {label}"), theme.dim()), text, columns, theme.text())
    };
    lines.extend(labelled("means  ", &fault.means));
    lines.extend(labelled("fix    ", &fault.fix.text(vpn)));
    let commands: Vec<Advice> = match &fault.fix {
        Fix::Compare(values) => values.iter().map(|value| value.to_string().into()).collect(),
        fix => fix.steps(&diagnosis.rules()),
    };
    lines.extend(commands.iter().flat_map(|command| paragraph(&format!("        {command}"), columns, theme.dim())));
    lines
}

pub(super) fn checks(scene: Scene<'_>, diagnosis: &Diagnosis, columns: usize) -> Vec<Line<'static>> {
    diagnosis.checks.iter().flat_map(|check| row(scene, check, columns)).collect()
}

fn row(scene: Scene<'_>, check: &CheckResult, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let (glyph, style, seen) = match &check.verdict {
        Verdict::Good(seen) => (theme.glyphs.done, theme.good(), seen.as_str()),
        Verdict::Bad(fault) if fault.weight == Weight::Warns => {
            (theme.glyphs.warning, theme.warning(), fault.seen.as_str())
        }
        Verdict::Bad(fault) => (theme.glyphs.bad, theme.bad(), fault.seen.as_str()),
        Verdict::Open(what) => (theme.glyphs.notice, theme.accent(), what.as_str()),
    };
    let subject = check.check.label;
    let word = match &check.verdict {
        Verdict::Good(_) => "yes",
        Verdict::Bad(_) => "no",
        Verdict::Open(_) => "cannot be checked from here",
    };
    let text = if seen.is_empty() { format!("{subject}: {word}") } else { format!("{subject}: {word}, {seen}") };
    hanging(Span::styled(format!("{glyph} "), style), &text, columns, theme.text())
}
