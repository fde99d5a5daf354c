//! The engine at work, and what came of it. While it works the objects stand first; when it rests, what came of it does.
//!
//! ```text
//! │ Creating hlz-por                             12 s │
//! │                                                   │
//! │                       A Hamilton     B Porirua    │
//! │ VPN service           ✓ made 0.4 s   ✓ reused     │
//! │ IKE policy            ⠋ making 1 s   ○ waiting    │
//! │ ...                                               │
//! │ status                DOWN           -            │
//! │                                                   │
//! │ what that means now                               │
//! │                                                   │
//! │ [ Retry ]    Undo      Leave                      │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::area::Area;
use super::text::{clock, fit, pad, seconds};
use super::{Scene, document, outcome, remote};
use crate::engine::{Origin, Step, Task};
use crate::plan::Half;
use crate::wizard::progress::{Button, Phase, Progress, TaskState};

/// Below this width the objects have their short names.
const SHORT_BELOW: usize = 60;
/// Wider columns only move the halves apart.
const WIDEST: usize = 26;

/// Draws the run.
pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let Some(run) = &scene.model.run else { return 0 };
    let (_, mut area) = area.split_top(1);
    let columns = usize::from(area.width);
    let labels: Vec<&str> = run.buttons().into_iter().map(Button::label).collect();
    if !labels.is_empty() {
        area = document::button_row(document::buttons(scene, &labels, Some(run.focus)), area, frame);
    }
    let table = table(scene, run, columns);
    let text = outcome::lines(scene, run, columns);
    let lines = if run.is_working() {
        [table, vec![Line::default()], text].concat()
    } else {
        [text, vec![Line::default()], table].concat()
    };
    document::draw(scene, &lines, scene.model.shell.scroll, ("Up", "Down"), area, frame)
}

fn table(scene: Scene<'_>, run: &Progress, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let name = if columns < SHORT_BELOW { short } else { Step::label };
    let names = Step::ALL.iter().map(|step| name(*step).len()).max().unwrap_or(0) + 1;
    let halves: Vec<Half> = run.marks.regions.keys().copied().collect();
    let each = (columns.saturating_sub(names) / halves.len().max(1)).min(WIDEST);
    let mut head = vec![Span::raw(" ".repeat(names))];
    for half in &halves {
        head.push(Span::styled(pad(theme, &format!("{half} {}", run.label(*half)), each), theme.title()));
    }
    let mut lines = vec![Line::from(head)];
    for step in Step::ALL {
        let mut row = vec![Span::styled(pad(theme, name(step), names), theme.dim())];
        for half in &halves {
            let (text, style) =
                run.state(Task { half: *half, step }).map_or_else(Default::default, |state| task(scene, run, state));
            row.push(Span::styled(pad(theme, &fit(theme, &text, each.saturating_sub(1)), each), style));
        }
        lines.push(Line::from(row));
    }
    let mut row = vec![Span::styled(pad(theme, "status", names), theme.dim())];
    for half in &halves {
        let (text, style) = run.standing.get(half).filter(|_| run.is_made(*half)).map_or_else(
            || ("-".to_owned(), theme.dim()),
            |status| {
                let (glyph, style) = scene.theme.status(status);
                (format!("{glyph} {status}"), style)
            },
        );
        row.push(Span::styled(pad(theme, &fit(theme, &text, each.saturating_sub(1)), each), style));
    }
    lines.push(Line::from(row));
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

fn task(scene: Scene<'_>, run: &Progress, state: &TaskState) -> (String, Style) {
    let theme = scene.theme;
    let glyphs = theme.glyphs;
    match state {
        TaskState::Waiting if run.phase == Phase::Creating => (format!("{} waiting", glyphs.ahead), theme.dim()),
        TaskState::Waiting => (format!("{} not made", glyphs.ahead), theme.dim()),
        TaskState::Running(since) => {
            let verb = if run.phase == Phase::Undoing { "deleting" } else { "making" };
            let time = clock(scene.model.shell.now.saturating_sub(*since));
            (format!("{} {verb} {time}", remote::spinner(scene)), theme.accent())
        }
        TaskState::There(made) => {
            let word = if made.origin == Origin::Reused { "reused" } else { "there" };
            (format!("{} {word}", glyphs.done), theme.good())
        }
        TaskState::Done(made, took) => {
            let word = match made.origin {
                Origin::Created => "made",
                Origin::Adopted => "found",
                Origin::Reused => "reused",
            };
            (format!("{} {word} {}", glyphs.done, seconds(*took)), theme.good())
        }
        TaskState::Kept(_) => (format!("{} still there", glyphs.bad), theme.bad()),
        TaskState::Failed(_, took) => (format!("{} failed {}", glyphs.bad, seconds(*took)), theme.bad()),
        TaskState::Undone => (format!("{} deleted", glyphs.done), theme.dim()),
        TaskState::InDoubt => (format!("{} may exist", glyphs.warning), theme.warning()),
    }
}
