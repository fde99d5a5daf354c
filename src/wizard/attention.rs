//! An Enter that was not meant: one that comes before what it would confirm can have been read, one of a key that is held
//! down, one of a text that was pasted.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::dialog::{Dialog, DialogButton};
use super::keymap::Action;
use super::screen::Screen;
use super::work::{Button, Work};
use super::{Content, Model, Start};

/// How long something has to be on the screen before Enter can confirm it.
pub(super) const MOMENT: Duration = Duration::from_millis(700);
/// A held key repeats faster than this, and a person presses it again more slowly.
const REPEAT: Duration = Duration::from_millis(250);
/// No person presses Enter so soon after a letter; a text that is pasted arrives like that.
const PASTE: Duration = Duration::from_millis(40);

/// What is in front of the user, as far as that decides what Enter means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Front {
    Hidden,
    Question,
    Dialog {
        title: String,
        buttons: Vec<DialogButton>,
    },
    Problem,
    /// A step, whether there is something to confirm in it, and the button that has the focus.
    Screen(Screen, bool, Option<&'static str>),
}

impl Front {
    fn of(model: &Model) -> Self {
        if model.shell.is_too_small() {
            return Self::Hidden;
        }
        if model.shell.question.is_some() {
            return Self::Question;
        }
        if let Some(Dialog { title, buttons, .. }) = &model.shell.dialog {
            return Self::Dialog { title: title.clone(), buttons: buttons.clone() };
        }
        match (&model.shell.start, &model.content) {
            (Start::Problem(_), _) => Self::Problem,
            (_, Content::Review(review)) => Self::Screen(model.screen, review.plan.is_ok(), None),
            _ => Self::Screen(model.screen, model.button().is_some(), model.button()),
        }
    }

    /// Whether it is the same but for the button that has the focus.
    fn is_beside(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Screen(one, true, _), Self::Screen(other, true, _)) => one == other,
            _ => false,
        }
    }
}

/// Since when what is in front is there, and what was pressed last.
#[derive(Debug)]
pub(super) struct Attention {
    front: Front,
    since: Duration,
    /// Whether a key has brought it, and not an answer of the cloud.
    by_key: bool,
    enter: Option<Duration>,
    text: Option<Duration>,
    /// Whether the next Enter may be meant for the name of a plan file that is saved without asking for one.
    is_for_file: bool,
}

impl Default for Attention {
    fn default() -> Self {
        let front = Front::Screen(Screen::Mode, false, None);
        Self { front, since: Duration::ZERO, by_key: false, enter: None, text: None, is_for_file: false }
    }
}

impl Attention {
    /// Takes note of a key, and tells whether it was pressed by itself: not held down, nor part of a paste.
    pub(super) fn hears(&mut self, key: &KeyEvent, now: Duration) -> bool {
        let is_soon = |last: Option<Duration>, gap| last.is_some_and(|last| now.saturating_sub(last) < gap);
        let after_text = if key.code == KeyCode::Enter { PASTE } else { REPEAT };
        let is_alone =
            key.kind == KeyEventKind::Press && !is_soon(self.enter, REPEAT) && !is_soon(self.text, after_text);
        match key.code {
            KeyCode::Enter => self.enter = Some(now),
            KeyCode::Char(_) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                self.text = Some(now);
            }
            _ => {}
        }
        is_alone
    }

    pub(super) const fn saves(&mut self) {
        self.is_for_file = true;
    }

    /// What is in front may have been out of sight.
    pub(super) const fn begins_anew(&mut self, now: Duration) {
        (self.since, self.by_key) = (now, false);
    }
}

/// What Enter would do that should not happen by accident.
struct Stake {
    what: String,
    /// Whether it matters even where the user has just asked for the screen it is on.
    is_grave: bool,
}

impl Model {
    pub(super) fn attend(&mut self, by_key: bool) {
        let front = Front::of(self);
        if front != self.shell.attention.front {
            // Whoever goes to another button knows what it is.
            if by_key && front.is_beside(&self.shell.attention.front) {
                self.shell.attention.front = front;
                return;
            }
            (self.shell.attention.front, self.shell.attention.since) = (front, self.shell.now);
            (self.shell.attention.by_key, self.shell.attention.is_for_file) = (by_key, false);
            self.shell.clicked = None;
        }
    }

    /// Why an Enter, or the letter of a button, is not taken, in a sentence that says what one more does. None if it is taken.
    pub(super) fn unmeant(&mut self, action: Action, is_alone: bool) -> Option<String> {
        let (key, at) = match action {
            Action::Accept => (self.shell.way("Enter was", "Your answer was"), None),
            Action::Press(at) => (self.shell.way("The key was", "Your answer was"), Some(at)),
            _ => return None,
        };
        let stake = self.at_stake(at)?;
        let is_new = self.shell.now.saturating_sub(self.shell.attention.since) < MOMENT;
        if self.shell.attention.by_key && !stake.is_grave {
            return None;
        }
        let is_for_file = std::mem::take(&mut self.shell.attention.is_for_file);
        let why = if is_new {
            "it came too soon after the question"
        } else if !is_alone {
            "it was held down or pasted"
        } else if is_for_file {
            "the plan file needs no name"
        } else {
            return None;
        };
        let again = self.shell.way("Press it again", "Type it again");
        Some(format!("{key} ignored: {why}. {again} to {}.", stake.what))
    }

    /// What Enter would do, or the button of that place.
    fn at_stake(&self, button: Option<usize>) -> Option<Stake> {
        let choose = |label: &str| format!("choose \"{label}\"");
        // What a sign-in asks is typed, often by a program for passwords.
        if self.shell.question.is_some() {
            return None;
        }
        if let Some(dialog) = &self.shell.dialog {
            let DialogButton { label, act, .. } = dialog.buttons.get(button.unwrap_or(dialog.focus))?;
            return (!act.is_harmless()).then(|| Stake { what: choose(label), is_grave: act.is_grave() });
        }
        match (&self.shell.start, &self.content) {
            (Start::Problem(_), _) => Some(Stake { what: "try again".to_owned(), is_grave: false }),
            (_, Content::Review(review)) if review.focus == 0 && review.plan.is_ok() => {
                Some(Stake { what: format!("create {}", self.new_vpn.name_text()), is_grave: true })
            }
            // It goes on with a change at once.
            (_, Content::Form(_)) if self.screen == Screen::MissingKey => {
                self.work.missing_key.check().is_ok().then(|| Stake { what: "go on".to_owned(), is_grave: true })
            }
            _ => self.button().map(|label| Stake { what: choose(label), is_grave: true }),
        }
    }

    fn button(&self) -> Option<&'static str> {
        let work = self.work.current.as_ref().filter(|_| self.screen == Screen::Work);
        work.and_then(Work::focused).map(Button::label)
    }
}
