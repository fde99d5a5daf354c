//! Who is signed in, and where.
//!
//! ```text
//! │ osvpn  project vpn-demo  user demo                        OS_* variables │
//! │────────────────────────────┬─────────────────────────────────────────────│
//! ```

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Scene;
use super::area::Area;
use super::text::{fit, width};
use crate::sign_in::Login;
use crate::wizard::{Model, Start};

/// Who is signed in, by what, and whether to the demo.
pub(super) fn who(model: &Model) -> (String, &str, bool) {
    match &model.shell.start {
        Start::Ready(session) => {
            let user = if session.user.is_empty() { String::new() } else { format!("  user {}", session.user) };
            let role = if session.is_reader { " (role reader)" } else { "" };
            (format!("project {}{user}{role}", session.project), session.place.as_str(), session.is_demo)
        }
        Start::SigningIn { .. } => ("not signed in yet".to_owned(), "", model.shell.login == Login::Demo),
        Start::Choosing | Start::Problem(_) => ("not signed in".to_owned(), "", false),
    }
}

/// Draws the header; `rail` is where the line down between rail and content hangs, if there is one.
pub(super) fn draw(scene: Scene<'_>, area: Rect, rail: Option<u16>, frame: &mut Frame<'_>) {
    let Scene { model, theme, .. } = scene;
    let (who, source, is_demo) = who(model);
    let row = area.row(0).inside(1, 0);
    let room = usize::from(row.width);
    let right = if is_demo {
        Span::styled(" DEMO: simulated cloud ", theme.cursor().patch(theme.title()))
    } else {
        Span::styled(fit(theme, source, room / 2), theme.dim())
    };
    let left = room.saturating_sub(7 + 2 + right.width());
    let who = if width(&who) > left { fit(theme, &who, left) } else { who };
    frame.render_widget(Paragraph::new(Line::from(vec![Span::styled("osvpn  ", theme.accent()), Span::raw(who)])), row);
    frame.render_widget(Paragraph::new(Line::from(right)).alignment(Alignment::Right), row);
    let rule = (0..area.width).map(|column| match rail {
        Some(rail) if column + 1 == rail => theme.glyphs.tee,
        _ => theme.glyphs.horizontal,
    });
    frame.render_widget(Paragraph::new(Line::styled(rule.collect::<String>(), theme.dim())), area.row(1));
}
