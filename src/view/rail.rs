//! The steps, what was answered, and where the user is. In the review its answers can be gone back to.
//!
//! ```text
//! │ ✓ Mode       site-to-site │
//! │ ✓ Region A   Hamilton     │
//! │ ● Router A                │
//! │ ○ Subnets A               │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::area::Area;
use super::text::{fit, pad, width as columns};
use super::{Scene, review};
use crate::plan::Severity;
use crate::wizard::gesture::Spot;
use crate::wizard::review::Review;
use crate::wizard::screen::Screen;
use crate::wizard::work::End;
use crate::wizard::{Content, Model, Shell};

/// The columns it takes on a screen of that width, the line at its right among them. On a narrow screen the steps need the
/// width for themselves, and in the review the plan does until the focus goes up into the answers. VPNs that exist have
/// none.
pub(super) fn width(model: &Model, screen: u16) -> u16 {
    match screen {
        // What exists is no answer to a question, and on the first page there is none yet.
        _ if !model.is_at_new_vpn() || model.screen() == Screen::Mode => 0,
        0..80 => u16::from(review::focused(model).is_some()) * 23,
        _ => Shell::rail_columns(screen),
    }
}

/// Where a step stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    Done,
    /// Answered, and something speaks against the answer.
    Doubtful,
    Here,
    Ahead,
}

pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let steps = model.rail();
    let names = steps.iter().map(|step| columns(&step.name(model.new_vpn.answers.mode))).max().unwrap_or_default();
    let here = if model.screen() == Screen::Values { Screen::Custom } else { model.screen() };
    let at = steps.iter().position(|step| *step == here).unwrap_or_default();
    let height = usize::from(area.height);
    let first = (at + 2).saturating_sub(height).min(steps.len().saturating_sub(height));
    let (rail, _) = area.split_left(area.width.saturating_sub(1));
    let room = usize::from(rail.width);
    let focused = review::focused(model).map(|answer| answer.screen);
    if let Content::Review(_) = model.content() {
        let shown = steps.iter().skip(first);
        scene.spots.put_rows(rail, shown.map(|step| (1, Spot::Step(*step))));
    }
    let lines =
        steps.iter().enumerate().skip(first).take(height).map(|(place, step)| {
            line(scene, *step, stand(model, *step, place, at), focused == Some(*step), names, room)
        });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), rail);
    let edge: Vec<Line<'_>> = (0..height).map(|_| Line::styled(theme.glyphs.vertical, theme.dim())).collect();
    frame.render_widget(Paragraph::new(edge), area.split_left(area.width.saturating_sub(1)).1);
}

fn stand(model: &Model, step: Screen, place: usize, at: usize) -> Stand {
    let asks = !matches!(step, Screen::Review | Screen::Work);
    let creation = model.work.creation();
    let over = creation.is_some_and(|work| work.end() == Some(&End::Active));
    if step == Screen::Work && over || step == Screen::Review && creation.is_some() {
        Stand::Done
    } else if place == at {
        Stand::Here
    } else if (place < at || model.new_vpn.returning.is_some() && asks) && model.is_answered(step) {
        if is_doubtful(model, step) { Stand::Doubtful } else { Stand::Done }
    } else {
        Stand::Ahead
    }
}

/// Whether the review warns of the answer.
fn is_doubtful(model: &Model, step: Screen) -> bool {
    let Content::Review(Review { plan: Ok(plan), .. }) = model.content() else { return false };
    let route = model.new_vpn.route(&model.shell);
    let mut findings = plan.findings().iter().filter(|finding| finding.severity == Severity::Warning);
    findings.any(|finding| Screen::of(finding.place, route) == step)
}

fn line(scene: Scene<'_>, step: Screen, stand: Stand, focused: bool, names: usize, room: usize) -> Line<'static> {
    let Scene { model, theme, .. } = scene;
    let (glyph, style) = match stand {
        Stand::Done => (theme.glyphs.done, theme.good()),
        Stand::Doubtful => (theme.glyphs.warning, theme.warning()),
        Stand::Here => (theme.glyphs.here, theme.accent()),
        Stand::Ahead => (theme.glyphs.ahead, theme.dim()),
    };
    let name = match stand {
        Stand::Done | Stand::Doubtful => theme.text(),
        Stand::Here => theme.accent(),
        Stand::Ahead => theme.dim(),
    };
    let left = room.saturating_sub(3 + names + 1);
    let value = if matches!(stand, Stand::Done | Stand::Doubtful) { short(scene, step, left) } else { String::new() };
    let why = model.answer_source(step).filter(|_| !value.is_empty()).unwrap_or_default();
    let why = [format!("  {why}"), " (only)".to_owned()]
        .into_iter()
        .take(if why.is_empty() { 0 } else { 1 + usize::from(model.is_only_candidate(step)) })
        .find(|why| columns(&value) + columns(why) <= left)
        .unwrap_or_default();
    let mut line = Line::from(vec![
        Span::styled(format!(" {glyph} "), style),
        Span::styled(format!("{} ", pad(theme, &step.name(model.new_vpn.answers.mode), names)), name),
        Span::raw(value.clone()),
        Span::styled(pad(theme, &why, left.saturating_sub(columns(&value))), theme.dim()),
    ]);
    if focused {
        line.spans.iter_mut().for_each(|span| span.style = theme.cursor());
        if let Some(first) = line.spans.first_mut() {
            first.content = format!("{}{glyph} ", theme.glyphs.pointer).into();
        }
    }
    line
}

/// An answer in the columns there are: of several ranges the first and how many more.
fn short(scene: Scene<'_>, step: Screen, room: usize) -> String {
    let text = scene.model.answer_text(step);
    if columns(&text) <= room {
        return text;
    }
    let mut parts = text.split(", ");
    let first = parts.next().unwrap_or_default();
    match (step, parts.count()) {
        (Screen::Subnets(_), more @ 1..) => {
            let more = format!(" +{more}");
            format!("{}{more}", fit(scene.theme, first, room.saturating_sub(columns(&more))))
        }
        _ => first.to_owned(),
    }
}
