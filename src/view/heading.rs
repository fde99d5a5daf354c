//! What the step asks, and how far the user has come.
//!
//! ```text
//! │ Which router of Hamilton?                                        4 of 11 │
//! ```

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{fit, width};
use super::{Scene, rail};
use crate::engine::Direction;
use crate::wizard::Model;
use crate::wizard::screen::Screen;
use crate::wizard::work::{RowState, Stage};

pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let right = right(model);
    let room = usize::from(area.width).saturating_sub(width(&right) + 2);
    frame.render_widget(Paragraph::new(Line::from(Span::styled(fit(theme, &text(model), room), theme.title()))), area);
    frame.render_widget(Paragraph::new(Line::styled(right, theme.dim())).alignment(Alignment::Right), area);
}

/// How far a run is, and its time; else the place of the step among those that ask.
fn right(model: &Model) -> String {
    match (model.screen(), &model.work.current) {
        (Screen::Work, Some(work)) => {
            let time = super::text::clock(work.ended.unwrap_or(model.shell.now).saturating_sub(work.begun));
            let done = work.rows.iter().filter(|row| matches!(row.state, RowState::Done(..))).count();
            let is_forward = work.stage == Stage::Working && work.direction == Direction::Forward;
            return if is_forward { format!("{done} of {}  {time}", work.rows.len()) } else { time };
        }
        (Screen::Mode, _) => return String::new(),
        (Screen::Vpn, _) => return model.vpns.vpn().map_or_else(String::new, |vpn| vpn.status().to_string()),
        _ => {}
    }
    let steps: Vec<Screen> = model.route().screens().into_iter().filter(|step| *step != Screen::Work).collect();
    let Some(at) = steps.iter().position(|step| *step == model.screen()) else { return String::new() };
    let place = format!("{} of {}", at + 1, steps.len());
    // In place of the rail that there is no room for.
    let is_alone = rail::width(model, model.shell.size.0) == 0;
    if is_alone { format!("{}, {place}", model.screen().name(model.new_vpn.answers.mode)) } else { place }
}

/// The heading, also while the screen itself cannot be shown.
pub(super) fn text(model: &Model) -> String {
    model.heading()
}
