//! Draws the wizard: a pure function of the [`Model`], one file for each part of the screen.
//!
//! ```text
//! ┌ header ────────────────────────────────────────────────────┐
//! │ osvpn  project vpn-demo  user demo           OS_* variables │
//! │─────────────────────────────┬──────────────────────────────│
//! │ rail                        │ heading               4 of 11 │
//! │ ✓ Mode      site-to-site    │                               │
//! │ ✓ Region A  Hamilton        │ picker | form | policy form | │
//! │ ● Router A                  │ review | progress             │
//! │ ○ Subnets A                 │                               │
//! │ notice ─────────────────────────────────────────────────────│
//! │ footer: the keys that do something now                      │
//! └─────────────────────────────────────────────────────────────┘
//! ```
//!
//! The problem screen has neither rail nor heading. A dialog stands over everything else, and over that what the sign-in
//! asks.
//!
//! Every part may be given an area of any size, also none: rows and columns are taken from an area with `Area`, which
//! never leaves it.

mod account;
mod area;
mod change;
mod detail;
mod dialog;
mod document;
mod first_page;
mod footer;
mod form;
mod header;
mod heading;
pub mod lines;
mod outcome;
mod picker;
mod policy_form;
mod problem;
mod rail;
mod remote;
mod review;
mod sheet;
mod sides;
mod sign_in_question;
mod spots;
mod text;
pub mod theme;
mod vpn;
mod work;

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::wizard::screen::Screen;
use crate::wizard::{Content, Model, SMALLEST, Start};

use area::Area;
pub use spots::Spots;
pub use theme::Theme;

/// What every part of the screen is drawn from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    model: &'a Model,
    theme: &'a Theme,
    spots: &'a Spots,
}

/// How long nothing is said of time that only passes, where lines are appended.
const STEP: u64 = 30;

impl Scene<'_> {
    /// How long ago that was.
    fn elapsed(self, since: Duration) -> Duration {
        let time = self.model.shell.now.saturating_sub(since);
        if self.theme.is_still { Duration::from_secs(time.as_secs() / STEP * STEP) } else { time }
    }
}

/// Draws the wizard as it is now. Neither this nor anything it calls keeps state, reads a clock or panics, whatever the
/// size of the terminal.
///
/// Gives back how many lines of what is on top do not fit, for [`crate::wizard::Message::Overflow`]: only here is it known
/// how many lines a text takes.
pub fn view(model: &Model, theme: &Theme, frame: &mut Frame<'_>) -> u16 {
    view_with_spots(model, theme, &Spots::default(), frame)
}

/// As [`view`], and tells where something takes a click.
pub fn view_with_spots(model: &Model, theme: &Theme, spots: &Spots, frame: &mut Frame<'_>) -> u16 {
    let area = frame.area();
    let scene = Scene { model, theme, spots };
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(scene, area, frame);
        return 0;
    }
    let (top, rest) = area.split_top(2);
    let (body, bottom) = rest.split_bottom(footer::height(scene, area.width));
    footer::draw(scene, bottom, frame);
    let limit = if let Start::Problem(problem) = &model.shell.start {
        header::draw(scene, top, None, frame);
        problem::draw(scene, problem, body, frame)
    } else {
        let (left, content) = body.split_left(rail::width(model, area.width));
        header::draw(scene, top, (left.width > 0).then_some(left.width), frame);
        rail::draw(scene, left, frame);
        draw_step(scene, content.inside(1, 0), frame)
    };
    let limit = model.shell.dialog.as_ref().map_or(limit, |dialog| dialog::draw(scene, dialog, area, frame));
    if let Some(asked) = &model.shell.question {
        spots.cover();
        sign_in_question::draw(scene, asked, area, frame);
    }
    limit
}

fn draw_step(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let (top, area) = area.split_top(1);
    heading::draw(scene, top, frame);
    match scene.model.content() {
        Content::List(picker) if scene.model.screen() == Screen::Mode => {
            return first_page::draw(scene, picker, area, frame);
        }
        Content::List(picker) => return picker::draw(scene, picker, area, frame),
        Content::Form(form) if scene.model.screen() == Screen::Custom => policy_form::draw(scene, form, area, frame),
        Content::Form(form) => form::draw(scene, form, area, frame),
        Content::Review(review) => return review::draw(scene, review, area, frame),
        Content::None => {
            return match scene.model.screen() {
                Screen::Work => work::draw(scene, area, frame),
                Screen::Sheet => sheet::draw(scene, area, frame),
                _ => vpn::draw(scene, area, frame),
            };
        }
    }
    0
}

/// What the terminal lacks; below that, as far as there is room, what goes on meanwhile and what is asked.
fn too_small(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let (columns, rows) = SMALLEST;
    let mut lines = vec![format!("osvpn needs {columns}x{rows}; this is {}x{}", area.width, area.height)];
    if model.work.is_working() {
        lines.push(heading::text(model));
    }
    let asked = model.shell.question.as_ref().map(|asked| asked.question.title());
    if let Some(title) = asked.or(model.shell.dialog.as_ref().map(|dialog| dialog.title.as_str())) {
        lines.push(format!("Waiting for an answer: {title}"));
    }
    lines.extend(model.way_out_unseen().map(str::to_owned));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let area = area.split_top(area.height.saturating_sub(height) / 2).1;
    let lines = lines.iter().map(|line| Line::raw(text::fit(theme, line, usize::from(area.width))).centered());
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}
