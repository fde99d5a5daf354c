//! What stands in the place of a list that is not there: it is on its way, could not be had, or is empty.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{clock, paragraph};
use super::{Scene, document};
use crate::plan::Half;
use crate::sign_in::Login;
use crate::wizard::lacks::Lack;
use crate::wizard::remote::Remote;
use crate::wizard::screen::Screen;
use crate::wizard::{RegionState, Start};

pub(super) fn spinner(scene: Scene<'_>) -> &'static str {
    // While a sign-in waits for the person, nothing is read.
    let is_waiting = scene.model.shell.question.as_ref().is_some_and(|asked| !asked.is_sent);
    if (!scene.theme.moves || is_waiting) && !scene.theme.is_still {
        return scene.theme.glyphs.ellipsis;
    }
    let frames = scene.theme.glyphs.spinner;
    let at = usize::try_from(scene.model.shell.now.as_millis() / 100).unwrap_or_default() % frames.len().max(1);
    frames.get(at).copied().unwrap_or_default()
}

/// How long something has been waited for; nothing within the first second, where a clock would only flicker.
pub(super) fn waited(scene: Scene<'_>, since: Duration) -> String {
    let time = scene.elapsed(since);
    if time.as_secs() == 0 { String::new() } else { format!("  {}", clock(time)) }
}

pub(super) fn waiting(scene: Scene<'_>, text: &str, since: Duration) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{} ", spinner(scene)), scene.theme.accent()),
        Span::raw(text.to_owned()),
        Span::styled(waited(scene, since), scene.theme.dim()),
    ])
}

/// What of a half's region is still on its way, if anything is.
pub(super) fn reading(scene: Scene<'_>, half: Half) -> Option<Line<'static>> {
    let region = scene.model.new_vpn.region_of(half)?;
    if let Some(since) = router_since(scene, half) {
        return Some(waiting(scene, &format!("Reading the subnets of {}", router_name(scene, half)), since));
    }
    let since = match (&region.inventory, &region.detail) {
        (Remote::Loading { since, .. }, _) | (_, Remote::Loading { since, .. }) => *since,
        _ => return None,
    };
    Some(waiting(scene, &format!("Reading {}", scene.model.shell.labels.full(&region.id)), since))
}

/// Since when the subnets of a half's router are being read, where they are what the screen shows.
fn router_since(scene: Scene<'_>, half: Half) -> Option<Duration> {
    let is_shown = scene.model.screen() != Screen::Router(half);
    scene.model.new_vpn.standing_of(half).filter(|_| is_shown).and_then(Remote::since)
}

fn router_name(scene: Scene<'_>, half: Half) -> String {
    scene.model.answer_text(Screen::Router(half))
}

/// What of the sign-in is still on its way, if anything is.
pub(super) fn signing_in(scene: Scene<'_>) -> Option<Line<'static>> {
    let Start::SigningIn { since, .. } = scene.model.shell.start else { return None };
    if scene.model.shell.question.as_ref().is_some_and(|asked| !asked.is_sent) {
        return Some(Line::raw("Waiting for your answer"));
    }
    let text = match &scene.model.shell.login {
        Login::Default => "Waiting for Keystone".to_owned(),
        Login::Named(name) => format!("Waiting for Keystone of {name}"),
        Login::Demo => "Starting the simulated cloud".to_owned(),
    };
    Some(waiting(scene, &text, since))
}

pub(super) fn draw(scene: Scene<'_>, step: Screen, area: Rect, frame: &mut Frame<'_>) {
    document::draw(scene, &lines(scene, step, usize::from(area.width)), 0, ("", ""), area, frame);
}

/// Why a step's list has no lines, and what to do about it.
pub(super) fn lines(scene: Scene<'_>, step: Screen, columns: usize) -> Vec<Line<'static>> {
    if let Some(line) = signing_in(scene) {
        return vec![line];
    }
    let back = scene.model.shell.way("Esc", "b");
    match step {
        Screen::Router(half) | Screen::Subnets(half) => match scene.model.new_vpn.region_of(half) {
            None => vec![Line::raw(format!("The region of half {half} is still to be chosen; {back} goes back."))],
            Some(region) => of_region(scene, region, half, step, columns),
        },
        Screen::Vpns => vpns(scene, columns),
        Screen::Region(_) => paragraph(
            "The catalogue of this sign-in has no region with a network service. Another project or cloud may: q leaves, \
             and start again with another openrc or --cloud NAME.",
            columns,
            scene.theme.text(),
        ),
        _ => vec![Line::raw("There is nothing to choose here.")],
    }
}

fn vpns(scene: Scene<'_>, columns: usize) -> Vec<Line<'static>> {
    if let Some(since) = scene.model.vpns.seen.since() {
        return vec![waiting(scene, "Reading all regions", since)];
    }
    let hidden = scene.model.vpns.seen().and_then(|seen| seen.inspection.hidden());
    let text = hidden.map_or_else(|| "There is no VPN in this project.".to_owned(), |why| format!("{why}."));
    paragraph(&text, columns, scene.theme.text())
}

fn of_region(scene: Scene<'_>, region: &RegionState, half: Half, step: Screen, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let place = scene.model.shell.labels.full(&region.id);
    let back = scene.model.shell.way("Esc", "b");
    match &region.inventory {
        Remote::NotAsked => vec![Line::raw(format!("{place} has not been read; r reads it."))],
        Remote::Loading { since, .. } => vec![waiting(scene, &format!("Reading {place}"), *since)],
        Remote::Failed(error) => {
            let mut lines = vec![Line::styled(format!("{place} could not be read"), theme.title()), Line::default()];
            lines.extend(document::error(scene, error, columns));
            lines
                .extend([Line::default(), Line::raw(format!("r reads it again; {back} goes back to another region."))]);
            lines
        }
        Remote::Ready(_)
            if step == Screen::Subnets(half)
                && let Some(lines) = of_router(scene, half, columns) =>
        {
            lines
        }
        Remote::Ready(_) => {
            let labels = &scene.model.shell.labels;
            let lack = match step {
                Screen::Router(_) => Lack::of_router(&region.id, labels),
                _ if scene.model.new_vpn.answers.router_of(half).is_none() => {
                    return vec![Line::raw(format!("The router of {place} is still to be chosen; {back} goes back."))];
                }
                _ => Lack::of_subnet(&region.id, labels),
            };
            let mut lines = self::lack(scene, &lack, columns);
            lines.extend([Line::default(), Line::raw("r then reads the region again.")]);
            lines
        }
    }
}

/// What there is not, and the commands that change that.
pub(super) fn lack(scene: Scene<'_>, lack: &Lack, columns: usize) -> Vec<Line<'static>> {
    let mut lines = paragraph(&lack.text, columns, scene.theme.text());
    if !lack.commands.is_empty() {
        lines.push(Line::default());
    }
    let command = |command| paragraph(&format!("  {command}"), columns, scene.theme.title());
    lines.extend(lack.commands.iter().flat_map(command));
    lines
}

/// Why the subnets of the chosen router are not known, if they are not.
fn of_router(scene: Scene<'_>, half: Half, columns: usize) -> Option<Vec<Line<'static>>> {
    let name = router_name(scene, half);
    let back = scene.model.shell.way("Esc", "b");
    match scene.model.new_vpn.standing_of(half)? {
        Remote::NotAsked | Remote::Ready(()) => None,
        Remote::Loading { since, .. } => Some(vec![waiting(scene, &format!("Reading the subnets of {name}"), *since)]),
        Remote::Failed(error) => {
            let title = Line::styled(format!("The subnets of {name} could not be read"), scene.theme.title());
            let mut lines = vec![title, Line::default()];
            lines.extend(document::error(scene, error, columns));
            lines.extend([
                Line::default(),
                Line::raw(format!("r reads them again; {back} goes back to another router.")),
            ]);
            Some(lines)
        }
    }
}
