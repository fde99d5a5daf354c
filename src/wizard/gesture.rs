//! What a person asks for other than with a key: with a line that is typed, or with the mouse. Each is one message.

use std::time::Duration;

use crossterm::event::KeyCode;
use secrecy::{ExposeSecret, SecretString};
use tui_input::Input;

use super::dialog::Act;
use super::fields::Field;
use super::keymap::Action;
use super::picker::{Choice, Line};
use super::screen::{Kind, Screen};
use super::sheet::SheetButton;
use super::update::{accept, act};
use super::vpns::VpnButton;
use super::work::Button;
use super::{Content, Model};
use crate::plan::fields::Allowed;

/// A place that takes a choice, as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A line of the list.
    Line(Choice),
    /// Create, on the review.
    Create,
    /// A button of work, wherever it stands by now.
    Work(Button),
    /// A button of a VPN's page.
    Vpn(VpnButton),
    /// A button of the page with the sheet.
    Sheet(SheetButton),
    /// A button of a dialog, by what it does: another dialog may stand there by now.
    Answer(Act),
    /// A field of the form, by its place.
    Field(usize),
    /// An answer of the review.
    Step(Screen),
}

#[derive(Debug)]
pub enum Gesture {
    Act(Action),
    /// Goes there; accepts what the focus is on already, unless that is a field.
    Click(Spot),
    Scroll {
        is_up: bool,
    },
    Go(Spot),
    /// Goes there and accepts.
    Take(Spot),
    /// Marks those lines of a list of several, and no others, and takes them.
    Mark(Vec<Choice>),
    /// The whole text of the field with the focus; goes on if nothing is wrong with it.
    Fill(SecretString),
    /// Shows only the lines with that text; all of them if it is empty.
    Filter(String),
    /// A line that means nothing here. Whoever types one no longer waits for what was asked for before.
    Misunderstood,
}

/// How long a second click on a button counts as such.
const SECOND_CLICK: Duration = Duration::from_secs(5);

/// The button that was clicked last.
#[derive(Debug)]
pub(super) struct Clicked {
    spot: Spot,
    at: Duration,
}

impl Model {
    /// Whatever accepts is taken as an Enter that is pressed now, and ignored where that would be.
    pub(super) fn gesture(&mut self, gesture: Gesture) {
        let clicked = self.shell.clicked.take();
        if let Gesture::Scroll { is_up } = gesture {
            return self.scroll(is_up);
        }
        self.shell.notice = None;
        self.kept_enter = None;
        if self.shell.is_too_small() {
            return;
        }
        match gesture {
            Gesture::Act(action @ (Action::Accept | Action::Press(_))) => self.accept_now(action),
            Gesture::Act(action) => act(self, action),
            Gesture::Click(spot @ (Spot::Create | Spot::Work(_) | Spot::Vpn(_) | Spot::Sheet(_) | Spot::Answer(_))) => {
                self.click_button(spot, clicked.as_ref());
            }
            Gesture::Click(spot) => match self.focus(&spot) {
                Some(true) if !matches!(spot, Spot::Field(_)) => self.accept_now(Action::Accept),
                Some(false) => {
                    self.shell.attention.hears(&KeyCode::Enter.into(), self.shell.now);
                }
                Some(true) | None => {}
            },
            Gesture::Go(spot) => {
                self.focus(&spot);
            }
            Gesture::Scroll { .. } | Gesture::Misunderstood => {}
            Gesture::Take(Spot::Line(choice)) if self.is_uncovered() && self.refuses(std::slice::from_ref(&choice)) => {
            }
            Gesture::Take(spot) => {
                if self.focus(&spot).is_some() {
                    self.accept_now(Action::Accept);
                }
            }
            Gesture::Mark(choices) => self.mark(choices),
            Gesture::Fill(text) => self.fill(&text),
            Gesture::Filter(text) => {
                if self.is_uncovered()
                    && let Content::List(picker) = &mut self.content
                {
                    picker.filter_by(&text);
                    self.show_others();
                }
            }
        }
    }

    /// A button takes two clicks, the second soon: the first one may have gone astray.
    fn click_button(&mut self, spot: Spot, before: Option<&Clicked>) {
        if self.focus(&spot).is_none() {
            return;
        }
        let at = self.shell.now;
        if before.is_some_and(|before| before.spot == spot && at.saturating_sub(before.at) < SECOND_CLICK) {
            return self.accept_now(Action::Accept);
        }
        self.shell.attention.hears(&KeyCode::Enter.into(), at);
        self.shell.clicked = Some(Clicked { spot, at });
        self.shell.say("Click it once more to press it.");
    }

    /// The lines of a list one by one, a text by three.
    fn scroll(&mut self, is_up: bool) {
        let action = if is_up { Action::Up } else { Action::Down };
        match (&self.shell.dialog, &mut self.content) {
            _ if self.shell.question.is_some() || self.shell.is_too_small() => {}
            (None, Content::List(picker)) => {
                picker.step(if is_up { -1 } else { 1 });
                self.shell.scroll = 0;
                self.vpns.drop_intent();
            }
            (None, Content::Form(_)) => {}
            // As with keys, the page then begins at its top again, and not at the chosen finding.
            (None, Content::None) if self.screen == Screen::Vpn => {
                (0..3).for_each(|_| self.of_vpns(|vpns, wizard| vpns.act(action, wizard)));
            }
            _ => (0..3).for_each(|_| self.shell.scroll_by(action)),
        }
    }

    fn mark(&mut self, choices: Vec<Choice>) {
        if !self.is_uncovered() || self.refuses(&choices) {
            return;
        }
        // That line is never marked: it opens.
        if choices.contains(&Choice::Others) {
            return self.show_others();
        }
        if let Content::List(picker) = &mut self.content {
            picker.mark(choices);
            self.accept_now(Action::Accept);
        }
    }

    /// Says why one of those lines cannot be taken. The cursor stays where it was: what Enter takes is not that line.
    fn refuses(&mut self, choices: &[Choice]) -> bool {
        let Content::List(picker) = &self.content else { return false };
        let is_refused = |line: &&Line| !line.is_open() && choices.contains(&line.choice);
        let why = picker.lines().iter().find(is_refused).and_then(|line| self.refusal_text(line));
        let is_refused = why.is_some();
        if let Some(why) = why {
            self.shell.warn(why);
        }
        is_refused
    }

    fn accept_now(&mut self, action: Action) {
        let is_alone = self.shell.attention.hears(&KeyCode::Enter.into(), self.shell.now);
        accept(self, action, is_alone);
    }

    const fn is_uncovered(&self) -> bool {
        self.shell.dialog.is_none() && self.shell.question.is_none()
    }

    /// Goes to a place that is shown, and tells whether the focus was there. None if there is no such place now.
    fn focus(&mut self, spot: &Spot) -> Option<bool> {
        if let Some(asked) = &mut self.shell.question {
            let Spot::Field(at) = *spot else { return None };
            return (at < asked.fields.len()).then(|| std::mem::replace(&mut asked.focus, at) == at);
        }
        if let Some(dialog) = &mut self.shell.dialog {
            let Spot::Answer(act) = spot else { return None };
            let at = dialog.buttons.iter().position(|button| button.act == *act)?;
            // An answer that is named is meant, whatever was typed before.
            if act.is_harmless() {
                dialog.fill("");
            }
            return Some(std::mem::replace(&mut dialog.focus, at) == at);
        }
        let is_answer = |screen: &Screen| self.answer_lines().iter().any(|line| line.screen == *screen);
        let review_focus = match spot {
            Spot::Step(screen) if is_answer(screen) => Some(self.review_focus(*screen)),
            _ => None,
        };
        match (spot, &mut self.content) {
            (Spot::Line(choice), Content::List(picker)) => {
                self.shell.scroll = 0;
                picker.point(choice)
            }
            (Spot::Field(at), Content::Form(form)) if *at < form.fields.len() => {
                Some(std::mem::replace(&mut form.focus, *at) == *at)
            }
            (Spot::Create, Content::Review(review)) => Some(std::mem::take(&mut review.focus) == 0),
            (Spot::Step(_), Content::Review(review)) => {
                let focus = review_focus?;
                Some(std::mem::replace(&mut review.focus, focus) == focus)
            }
            (Spot::Work(button), Content::None) if self.screen == Screen::Work => {
                let work = self.work.current.as_mut()?;
                let at = work.buttons().iter().position(|one| one == button)?;
                Some(std::mem::replace(&mut work.focus, at) == at)
            }
            (Spot::Sheet(button), Content::None) if self.screen == Screen::Sheet => {
                let at = self.sheet.buttons().iter().position(|one| one == button)?;
                Some(std::mem::replace(&mut self.sheet.focus, at) == at)
            }
            (Spot::Vpn(button), Content::None) if !matches!(self.screen, Screen::Work | Screen::Sheet) => {
                let open = self.vpns.open.as_mut().filter(|open| open.buttons().contains(button))?;
                let was = open.focused() == Some(*button);
                open.focus = *button;
                Some(was)
            }
            _ => None,
        }
    }

    /// Takes the text of the field with the focus, in place of what was there.
    fn fill(&mut self, text: &SecretString) {
        if self.shell.question.is_some() {
            self.shell.paste_answer(text.expose_secret());
            return self.accept_now(Action::Accept);
        }
        if let Some(dialog) = &mut self.shell.dialog {
            dialog.fill(text.expose_secret());
            return self.accept_now(Action::Accept);
        }
        let Content::Form(form) = &self.content else { return };
        let (Some(field), at) = (form.field(), form.focus) else { return };
        self.vpns.drop_intent();
        if field == Field::Text {
            return self.take_line(text.expose_secret());
        }
        self.set_text(field, text.expose_secret());
        if matches!(self.screen.about().kind, Kind::PolicyForm) {
            return;
        }
        let is_wrong = self.check(field).is_some();
        match &mut self.content {
            Content::Form(form) if !is_wrong && at + 1 < form.fields.len() => form.focus += 1,
            _ => self.accept_now(Action::Accept),
        }
    }

    fn set_text(&mut self, field: Field, text: &str) {
        let text = text.trim();
        if let Some(secret) = self.secret_mut(field) {
            secret.clear();
            secret.insert(text);
            return;
        }
        if let Field::Policy(of_policy) = field {
            let answers = &mut self.new_vpn.answers;
            match (of_policy.set(&mut answers.custom, text), of_policy.allowed()) {
                (Ok(()), _) => answers.custom_edited = true,
                (Err(why), Allowed::Words(_)) => return self.shell.warn(why.to_string()),
                (Err(_), Allowed::Number(_)) => {}
            }
        }
        let clean: String = text.chars().filter(|character| !character.is_control()).collect();
        if let Some(input) = self.input_mut(field) {
            *input = Input::new(clean);
        }
    }
}
