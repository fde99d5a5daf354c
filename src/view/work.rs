//! The engine at work, and what came of it. A creation is a table of both halves, a change a list of steps. While a
//! creation is at work its rows stand first; otherwise what they mean does.
//!
//! ```text
//! │ Creating hlz-por                             12 s │
//! │                                                   │
//! │                       A Hamilton     B Porirua    │
//! │ VPN service           ✓ created 0.4 s ✓ reused    │
//! │ IKE policy            ⠋ creating 1 s ○ waiting    │
//! │ ...                                               │
//! │ status                DOWN           -            │
//! │                                                   │
//! │ what that means now                               │
//! │                                                   │
//! │ [ Retry ]    Roll back    Leave                   │
//! ```

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::account::Account;
use super::area::Area;
use super::outcome;
use super::text::{clock, fit, hanging, pad, seconds, width};
use super::{Scene, change, document, remote};
use crate::engine::Direction;
use crate::engine::{Step, Task};
use crate::plan::Half;
use crate::wizard::gesture::Spot;
use crate::wizard::work::{Outcome, Row, RowState, Stage, Then, What, Work};

/// In a narrower table the names of the objects are shortened.
const SHORT_BELOW: usize = 60;
const WIDEST_HALF: usize = 26;
/// Wider lines of text are hard to read.
const WIDEST: u16 = 110;

pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let Some(work) = &scene.model.work.current else { return 0 };
    let (_, mut area) = area.split_top(1);
    if !work.is_creation() {
        area = area.split_left(WIDEST).0;
    }
    let columns = usize::from(area.width);
    let labels: Vec<_> = work.buttons().into_iter().map(|button| (button.label(), None)).collect();
    if !labels.is_empty() {
        let rows = document::lettered_buttons(scene, &labels, Some(work.focus), columns);
        scene.spots.put_buttons(&rows, area, work.buttons().into_iter().map(Spot::Work));
        area = document::button_rows(rows, area, frame);
    }
    let text = text(scene, work, columns);
    let gap = vec![Line::default(); usize::from(!text.is_empty())];
    let above = text.len() + gap.len();
    let lines = match work.is_creation() {
        // What its peer needs is waited for by somebody.
        true if work.is_working() && !(work.stage == Stage::Watching && work.has_sheet()) => {
            [table(scene, work, columns), gap, text].concat()
        }
        true => [text, gap, table(scene, work, columns)].concat(),
        false => [text, gap, list(scene, work, columns)].concat(),
    };
    document::draw(scene, &lines, scroll(scene, work, above, area.height), ("Up", "Down"), area, frame)
}

/// What the work means at this moment, and what there is to do.
pub(super) fn text(scene: Scene<'_>, work: &Work, columns: usize) -> Vec<Line<'static>> {
    let mut text = Account::new(scene, columns);
    match work.then {
        Some(Then::Leave) => text.say("Stopping: the request in progress is finished first. What exists is kept."),
        Some(Then::RollBack) => {
            text.say("Stopping: the request in progress is finished first. Then it is rolled back.");
        }
        None => {}
    }
    if let Some((row, pause)) = &work.pause {
        text.warning(&format!("{}: {pause}.", name(work, *row)));
    }
    if work.is_creation() {
        outcome::lines(&mut text, work);
    } else {
        change::lines(&mut text, work);
    }
    text.lines
}

fn name(work: &Work, row: usize) -> String {
    match work.rows.get(row).map(|row| &row.what) {
        Some(What::Object(task)) => format!("{} of {}", task.step.label(), work.label(task.half)),
        Some(What::Step(step)) => step.clone(),
        None => String::new(),
    }
}

/// Every row that has come to something, in words; one that is still at work only where that takes long.
pub(super) fn sentences(scene: Scene<'_>, work: &Work) -> Vec<String> {
    let is_over = |state: &RowState| match state {
        RowState::Waiting => false,
        RowState::Running(since) | RowState::RollingBack(since) => !scene.elapsed(*since).is_zero(),
        _ => true,
    };
    let sentence = |at: usize, row: &Row| {
        let (state, time) = progress_of(scene, work, &row.state);
        let said = [state, time].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        let mark = glyph(scene, &row.state).0;
        if said.is_empty() {
            format!("{mark} {}", name(work, at))
        } else {
            format!("{mark} {}: {said}", name(work, at))
        }
    };
    let rows = work.rows.iter().enumerate().filter(|(_, row)| is_over(&row.state));
    rows.map(|(at, row)| sentence(at, row)).collect()
}

/// A line for each step, and how far it is at its end. Only what is kept, and why, takes more.
fn list(scene: Scene<'_>, work: &Work, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let row = |row: &Row| {
        let What::Step(step) = &row.what else { return Vec::new() };
        let (glyph, style) = glyph(scene, &row.state);
        let is_ahead = row.state == RowState::Waiting;
        let text = if is_ahead { theme.dim() } else { theme.text() };
        let (state, time) = progress_of(scene, work, &row.state);
        let said = [state, time].into_iter().filter(|text| !text.is_empty() && !is_ahead).collect::<Vec<_>>().join(" ");
        let is_long = width(&said) > columns / 3;
        let beside = if is_long { "" } else { said.as_str() };
        let room = columns.saturating_sub(2 + width(beside) + 2);
        let mut lines = vec![Line::from(vec![
            Span::styled(format!("{glyph} "), style),
            Span::styled(pad(theme, step, room), text),
            Span::styled(format!("  {beside}"), theme.dim()),
        ])];
        if is_long {
            lines.extend(hanging(Span::raw("    "), &said, columns, theme.dim()));
        }
        lines
    };
    work.rows.iter().flat_map(row).collect()
}

/// How far the lines are scrolled: as the user did, else so that the running step is in sight while the engine is at work.
fn scroll(scene: Scene<'_>, work: &Work, above: usize, height: u16) -> u16 {
    let by_hand = scene.model.shell.scroll;
    let is_running = |row: &Row| matches!(row.state, RowState::Running(_) | RowState::RollingBack(_));
    if by_hand > 0 || !work.is_working() || work.is_creation() {
        return by_hand;
    }
    let running = work.rows.iter().rposition(is_running).unwrap_or_default();
    // Two of the rows below it stay in sight, too.
    u16::try_from(above + running + 4).unwrap_or(u16::MAX).saturating_sub(height)
}

fn table(scene: Scene<'_>, work: &Work, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let name = if columns < SHORT_BELOW { short } else { Step::label };
    let names = Step::ALL.iter().map(|step| name(*step).len()).max().unwrap_or(0) + 1;
    let halves = work.halves();
    let each = (columns.saturating_sub(names) / halves.len().max(1)).min(WIDEST_HALF);
    let cell = |(text, style): (String, Style)| {
        Span::styled(pad(theme, &fit(theme, &text, each.saturating_sub(1)), each), style)
    };
    let row = |name: &str, cells: &dyn Fn(Half) -> (String, Style)| {
        let name = Span::styled(pad(theme, name, names), theme.dim());
        Line::from([name].into_iter().chain(halves.iter().map(|half| cell(cells(*half)))).collect::<Vec<_>>())
    };
    let head = halves
        .iter()
        .map(|half| Span::styled(pad(theme, &format!("{half} {}", work.label(*half)), each), theme.title()));
    let mut lines = vec![Line::from([Span::raw(" ".repeat(names))].into_iter().chain(head).collect::<Vec<_>>())];
    lines.extend(Step::ALL.map(|step| {
        row(name(step), &|half| {
            work.state(Task { half, step }).map_or_else(Default::default, |state| {
                let (glyph, style) = glyph(scene, state);
                let (state, time) = progress_of(scene, work, state);
                (format!("{glyph} {state} {time}").trim_end().to_owned(), style)
            })
        })
    }));
    lines.push(row("status", &|half| {
        work.watch.standing.get(&half).filter(|_| work.is_made(half)).map_or_else(
            || ("-".to_owned(), theme.dim()),
            |status| {
                let (glyph, style) = theme.status(status);
                (format!("{glyph} {status}"), style)
            },
        )
    }));
    lines
}

const fn short(step: Step) -> &'static str {
    match step {
        Step::Service => "VPN service",
        Step::IkePolicy => "IKE policy",
        Step::IpsecPolicy => "IPsec policy",
        Step::LocalGroup => "local group",
        Step::PeerGroup => "peer group",
        Step::Connection => "connection",
    }
}

fn glyph(scene: Scene<'_>, state: &RowState) -> (&'static str, Style) {
    let theme = scene.theme;
    let glyphs = theme.glyphs;
    match state {
        RowState::Waiting => (glyphs.ahead, theme.dim()),
        RowState::Running(_) | RowState::RollingBack(_) => (remote::spinner(scene), theme.accent()),
        RowState::Done(Outcome::Kept(_) | Outcome::Unnoticed, _) | RowState::InDoubt => {
            (glyphs.warning, theme.warning())
        }
        RowState::Done(..) => (glyphs.done, theme.good()),
        RowState::Failed(_) | RowState::Stays => (glyphs.bad, theme.bad()),
        RowState::RolledBack => (glyphs.done, theme.dim()),
    }
}

/// How far a row is, and since when or how long that took.
fn progress_of(scene: Scene<'_>, work: &Work, state: &RowState) -> (String, String) {
    let is_change = !work.is_creation();
    let since = |since: &Duration| clock(scene.elapsed(*since));
    let (said, time) = match state {
        RowState::Waiting if work.stage == Stage::Working && work.direction == Direction::Forward => {
            ("waiting", String::new())
        }
        RowState::Waiting => ("not created", String::new()),
        RowState::Running(begun) => (if is_change { "" } else { "creating" }, since(begun)),
        RowState::RollingBack(begun) => (if is_change { "rolling back" } else { "deleting" }, since(begun)),
        RowState::Done(outcome, took) => {
            let took = took.map_or_else(String::new, seconds);
            let said = match outcome {
                Outcome::Kept(why) => return (format!("kept, because something else uses it: {why}"), String::new()),
                Outcome::Created(_) => "created",
                Outcome::Found => "found",
                Outcome::Reused => "reused",
                Outcome::There => "exists",
                Outcome::Existed => "existed already",
                Outcome::Changed => "done",
                Outcome::Gone => "deleted",
                Outcome::Unnoticed => "done, but the agent did not pick it up",
            };
            (said, took)
        }
        RowState::Failed(took) => ("failed", seconds(*took)),
        RowState::Stays => ("still exists", String::new()),
        RowState::RolledBack => (if is_change { "rolled back" } else { "deleted" }, String::new()),
        RowState::InDoubt => ("may exist", String::new()),
    };
    (said.to_owned(), time)
}
