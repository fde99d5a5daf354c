//! A change at work, and what came of it: its steps in order, each with its state.
//!
//! ```text
//! │ New key of hlz-por: under way                 3 s │
//! │                                                   │
//! │ ✓ nz-hlz-1 and nz-por-1: set the new key          │
//! │     done 0.4 s                                    │
//! │ ⠋ nz-hlz-1: switch the VPN service off and on     │
//! │     2 s                                           │
//! │ ...                                               │
//! │ what that means now                               │
//! │                                                   │
//! │ [ Retry ]    Take back    Your VPNs               │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::account::{Account, hour};
use super::area::Area;
use super::text::{clock, hanging, seconds};
use super::{Scene, document, remote};
use crate::change::Step;
use crate::engine::change::{ChangeError, Changed, Direction, End};
use crate::plan::shell::osvpn;
use crate::wizard::carried::{Button, Carried, Stage, StepState};
use crate::wizard::progress::Then;
use crate::wizard::vpn::capitalised;

/// Wider lines are hard to read.
const WIDEST: u16 = 110;

/// Draws the change.
pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let Some(change) = &scene.model.vpns.change else { return 0 };
    let (_, area) = area.split_top(1);
    let mut area = area.split_left(WIDEST).0;
    let columns = usize::from(area.width);
    let labels: Vec<&str> = change.buttons().into_iter().map(Button::label).collect();
    if !labels.is_empty() {
        area = document::button_row(document::buttons(scene, &labels, Some(change.focus)), area, frame);
    }
    let steps = steps(scene, change, columns);
    let text = outcome(scene, change, columns);
    let lines = match change.stage {
        Stage::Working => [text, steps].concat(),
        Stage::NotBegun(_) | Stage::Ended(_) => [text, vec![Line::default()], steps].concat(),
    };
    document::draw(scene, &lines, scene.model.shell.scroll, ("Up", "Down"), area, frame)
}

fn steps(scene: Scene<'_>, change: &Carried, columns: usize) -> Vec<Line<'static>> {
    let steps = change.change().steps().iter().zip(&change.steps);
    steps.flat_map(|(step, state)| one(scene, step, state, columns)).collect()
}

fn one(scene: Scene<'_>, step: &Step, state: &StepState, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let glyphs = theme.glyphs;
    let since = |since: std::time::Duration| clock(scene.model.shell.now.saturating_sub(since));
    let took = |took: &Option<std::time::Duration>| took.map_or_else(String::new, |took| format!(" {}", seconds(took)));
    let (glyph, style, word) = match state {
        StepState::Waiting => (glyphs.ahead, theme.dim(), String::new()),
        StepState::Running(begun) => (remote::spinner(scene), theme.accent(), since(*begun)),
        StepState::Done(End::Kept(why), _) => {
            (glyphs.warning, theme.warning(), format!("kept, because something else uses it: {why}"))
        }
        StepState::Done(End::Unnoticed(_), time) => {
            (glyphs.warning, theme.warning(), format!("done, but not noticed by the agent{}", took(time)))
        }
        StepState::Done(end, time) => {
            let word = match end {
                End::Made(id) => format!("made {id}"),
                End::Existed => "was there already".to_owned(),
                End::Changed | End::Unnoticed(_) | End::Kept(_) => "done".to_owned(),
                End::Gone => "gone".to_owned(),
            };
            (glyphs.done, theme.good(), format!("{word}{}", took(time)))
        }
        StepState::Failed(_, time) => (glyphs.bad, theme.bad(), format!("failed {}", seconds(*time))),
        StepState::TakingBack(begun) => {
            (remote::spinner(scene), theme.accent(), format!("rolling back {}", since(*begun)))
        }
        StepState::TakenBack => (glyphs.ahead, theme.dim(), "rolled back".to_owned()),
    };
    let text = if matches!(state, StepState::Waiting) { theme.dim() } else { theme.text() };
    let mut lines = hanging(Span::styled(format!("{glyph} "), style), &step.to_string(), columns, text);
    if !word.is_empty() {
        lines.extend(hanging(Span::raw("    "), &word, columns, theme.dim()));
    }
    lines
}

fn outcome(scene: Scene<'_>, change: &Carried, columns: usize) -> Vec<Line<'static>> {
    let mut text = Account::new(scene, columns);
    for before in scene.model.vpns.done_before() {
        text.before(before);
    }
    match change.then {
        Some(Then::Leave) => text.say("Stopping: what is under way is settled first. What is done is kept."),
        Some(Then::RollBack) => text.say("Stopping: what is under way is settled first. Then it is rolled back."),
        None => {}
    }
    if let Some((step, pause)) = &change.pause {
        let what = change.change().steps().get(*step).map(ToString::to_string).unwrap_or_default();
        text.warning(&format!("{what}: {pause}."));
    }
    if let Some(until) = change.settling {
        text.warning(&format!(
            "The answer to a request was lost, and the cloud may still act on it until {}: it is looked at again then.",
            hour(until)
        ));
    }
    match &change.stage {
        Stage::Working => {}
        Stage::NotBegun(why) => {
            text.warning(if change.turn.is_some() { "This one was not begun:" } else { "Nothing was changed:" });
            for why in why {
                text.say(why);
            }
        }
        Stage::Ended(ended) => text.ended(change, ended),
    }
    if !change.is_working() && !scene.model.vpns.queue.is_empty() {
        text.gap();
        for left in &scene.model.vpns.queue {
            let why = if scene.model.vpns.is_stopped { "you stopped" } else { "this one is not done" };
            text.say(&format!("Not begun, because {why}: {}.", left.change));
        }
    }
    for id in &change.removed {
        text.say(&format!("{id}, made by a request whose answer was lost, is deleted."));
    }
    if change.is_working() && !text.lines.is_empty() {
        text.gap();
    }
    text.lines
}

impl Account<'_> {
    /// One that was agreed to together with the present one and is done.
    fn before(&mut self, before: &Carried) {
        let said = format!("{}: done.", capitalised(&before.change().to_string()));
        if before.course.caveats.is_empty() {
            return self.good(&said);
        }
        self.warning(&said);
        for caveat in &before.course.caveats {
            self.say(&caveat.text(None));
            caveat.command().iter().for_each(|command| self.say(&format!("  {command}")));
        }
    }

    fn ended(&mut self, change: &Carried, ended: &Result<Changed, ChangeError>) {
        let subject = &change.change().subject;
        match ended {
            Ok(Changed::Done) => {
                match change.direction {
                    Direction::Forward => self.good("Done."),
                    Direction::Back => self.good("Rolled back: everything is as it was."),
                }
                if change.direction == Direction::Forward {
                    for note in &change.notes {
                        self.say(note);
                    }
                }
            }
            Ok(Changed::Unsettled(until, error)) => {
                let so =
                    if change.direction == Direction::Back { "It is rolled back" } else { "What was wanted is so" };
                self.warning(&format!(
                    "{so}, but an answer was lost: until {} the cloud may still act on that request.",
                    hour(*until)
                ));
                if let Some(error) = error {
                    self.error(error);
                }
            }
            Err(ChangeError::Failed(step, error)) => {
                let what = change.change().steps().get(*step).map(ToString::to_string).unwrap_or_default();
                self.say(&format!("This failed: {what}"));
                self.error(error);
            }
            Err(ChangeError::Stopped) => self.warning("Stopped. Retry does what is still missing."),
            Err(ChangeError::KeyNeeded(_)) => {
                self.warning(
                    "The key was typed in by you and is kept nowhere, so it must be given again: here, or with",
                );
                self.say(&format!("  {}", osvpn("resume").operand(subject).words("--psk-file PATH")));
            }
            Err(ChangeError::TooLate) => self.warning(
                "It cannot be rolled back any more: something is deleted, or both halves may have the new key. Retry \
                 finishes it.",
            ),
        }
        let go_on = change.command();
        for caveat in &change.course.caveats {
            self.gap();
            self.warning(&caveat.text(go_on.as_ref()));
            caveat.command().iter().for_each(|command| self.say(&format!("  {command}")));
        }
        if let Some(go_on) = go_on.filter(|_| !matches!(ended, Err(ChangeError::KeyNeeded(_)))) {
            self.gap();
            self.say(&format!("Left as it is, it can be continued later: here, or with {go_on}."));
        }
        if let (Err(ChangeError::Failed(..) | ChangeError::TooLate), Some(journal)) = (ended, &change.course.journal) {
            self.say(&format!("To leave it for good as it is, remove {}.", journal.display()));
        }
    }
}
