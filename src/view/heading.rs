//! What the step asks, and how far the user has come.
//!
//! ```text
//! │ Which router of Hamilton?                                        4 of 11 │
//! ```

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Scene;
use super::text::fit;
use crate::wizard::Model;
use crate::wizard::screen::Screen;

pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme } = scene;
    let right = right(model);
    let room = usize::from(area.width).saturating_sub(right.len() + 2);
    frame.render_widget(Paragraph::new(Line::from(Span::styled(fit(theme, &text(model), room), theme.title()))), area);
    frame.render_widget(Paragraph::new(Line::styled(right, theme.dim())).alignment(Alignment::Right), area);
}

/// The time of a run; else the place of the step among those that ask.
fn right(model: &Model) -> String {
    match (model.screen(), &model.work.current) {
        (Screen::Work, Some(work)) => {
            return super::text::clock(work.ended.unwrap_or(model.shell.now).saturating_sub(work.begun));
        }
        (Screen::Mode, _) => return String::new(),
        (Screen::Vpn, _) => return model.vpns.vpn().map_or_else(String::new, |vpn| vpn.status().to_string()),
        _ => {}
    }
    let steps: Vec<Screen> = model.route().screens().into_iter().filter(|step| *step != Screen::Work).collect();
    let at = steps.iter().position(|step| *step == model.screen());
    at.map_or_else(String::new, |at| format!("{} of {}", at + 1, steps.len()))
}

/// The heading, also while the screen itself cannot be shown.
pub(super) fn text(model: &Model) -> String {
    model.heading()
}
