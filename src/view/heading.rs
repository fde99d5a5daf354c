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
use crate::engine::change::{ChangeError, Changed, Direction};
use crate::plan::Half;
use crate::wizard::carried::{Carried, Stage, Turn};
use crate::wizard::progress::Phase;
use crate::wizard::screen::{Mode, Screen};
use crate::wizard::vpn::capitalised;
use crate::wizard::{Model, Start};

/// Draws the heading.
pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) {
    let Scene { model, theme } = scene;
    let right = right(model);
    let room = usize::from(area.width).saturating_sub(right.len() + 2);
    frame.render_widget(Paragraph::new(Line::from(Span::styled(fit(theme, &text(model), room), theme.title()))), area);
    frame.render_widget(Paragraph::new(Line::styled(right, theme.dim())).alignment(Alignment::Right), area);
}

/// The time of a run; else the place of the step among those that ask.
fn right(model: &Model) -> String {
    if let (Screen::Run, Some(run)) = (model.screen, &model.run) {
        let until = run.ended.unwrap_or(model.now);
        return super::text::clock(until.saturating_sub(run.begun));
    }
    if matches!(model.start, Start::SigningIn { .. }) {
        return String::new();
    }
    match model.screen {
        Screen::Change => {
            let change = model.vpns.change.as_ref();
            let time = |change: &Carried| change.ended.unwrap_or(model.now).saturating_sub(change.begun);
            return change.map_or_else(String::new, |change| super::text::clock(time(change)));
        }
        Screen::Vpn => return model.vpns.vpn().map_or_else(String::new, |vpn| vpn.status().to_string()),
        _ => {}
    }
    let steps: Vec<Screen> = model.route().steps().into_iter().filter(|step| *step != Screen::Run).collect();
    let at = steps.iter().position(|step| *step == model.screen);
    at.map_or_else(String::new, |at| format!("{} of {}", at + 1, steps.len()))
}

/// What it says at the left.
pub(super) fn text(model: &Model) -> String {
    if matches!(model.start, Start::SigningIn { .. }) {
        return "Signing in".to_owned();
    }
    let two = model.answers.mode == Mode::SiteToSite;
    match model.screen {
        Screen::Cloud => "Which cloud of clouds.yaml?".to_owned(),
        Screen::Mode => "What is to be connected?".to_owned(),
        Screen::Region(Half::A) if two => "Which is the first region?".to_owned(),
        Screen::Region(Half::A) => "Which region?".to_owned(),
        Screen::Region(Half::B) => format!("Which region is {} connected with?", model.place(Half::A)),
        Screen::Router(half) => format!("Which router of {}?", model.place(half)),
        Screen::Subnets(half) => format!("Which subnets of {}?", model.place(half)),
        Screen::Peer => "Who is the peer outside?".to_owned(),
        Screen::Key => "The pre-shared key".to_owned(),
        Screen::Policy => "Which policy?".to_owned(),
        Screen::Custom => "The policy, field by field".to_owned(),
        Screen::Name => "The name of the VPN".to_owned(),
        Screen::Review => format!("Review of {}", model.name_text()),
        Screen::Vpns => "Your VPNs".to_owned(),
        Screen::Vpn => model.vpns.open.as_ref().map_or_else(String::new, |open| open.name.clone()),
        Screen::NewSubnets(half) => {
            let place = model.vpns.vpn().and_then(|vpn| vpn.side(half)).map(|side| model.labels.name(&side.region));
            format!("Which subnets of {} from now on?", place.unwrap_or_default())
        }
        Screen::NewRanges => "What is behind the peer outside from now on?".to_owned(),
        Screen::NewKey => {
            let name = model.vpns.open.as_ref().map_or("", |open| open.name.as_str());
            format!("A key of your own for {name}")
        }
        Screen::MissingKey => "The key of your own, once more".to_owned(),
        Screen::Change => model.vpns.change.as_ref().map_or_else(String::new, change),
        Screen::Run => model.run.as_ref().map_or_else(String::new, |run| {
            let name = &run.marks.name;
            match &run.phase {
                Phase::Creating => format!("Creating {name}"),
                Phase::Watching => format!("{name}: waiting for ACTIVE"),
                Phase::Failed(..) => format!("{name}: creation stopped at a failure"),
                Phase::Active => format!("{name} is ACTIVE"),
                Phase::NotYet(_) => format!("{name} is there, but not ACTIVE yet"),
                Phase::Lost(_) => format!("{name}: its status can no longer be read"),
                Phase::Undoing => format!("Undoing {name}"),
                Phase::Undone => format!("{name} is undone"),
                Phase::Unsettled(_) => format!("{name} is undone, as far as can be told"),
                Phase::Left(_) => format!("{name} is not undone completely"),
                Phase::Stopped => format!("{name}: stopped"),
            }
        }),
    }
}

fn change(change: &Carried) -> String {
    let what = change.change().to_string();
    let turn = change.turn.map(|Turn { number, of }| format!(" ({number} of {of})")).unwrap_or_default();
    let named = capitalised(what.trim_start_matches("the ")) + &turn;
    match (&change.stage, change.direction) {
        (Stage::Working, _) if change.settling.is_some() => format!("{named}: waiting for certainty"),
        (Stage::Working, Direction::Forward) => format!("{named}: under way"),
        (Stage::Working, Direction::Back) => format!("{named}: being rolled back"),
        (Stage::NotBegun(_), _) => format!("{named}: not begun"),
        (Stage::Ended(Ok(Changed::Done)), Direction::Forward) => format!("{named}: done"),
        (Stage::Ended(Ok(Changed::Done)), Direction::Back) => format!("{named}: rolled back"),
        (Stage::Ended(Ok(Changed::Unsettled(..))), _) => format!("{named}: done, as far as can be told"),
        (Stage::Ended(Err(ChangeError::Stopped)), _) => format!("{named}: stopped"),
        (Stage::Ended(Err(_)), _) => format!("{named}: stopped at a failure"),
    }
}
