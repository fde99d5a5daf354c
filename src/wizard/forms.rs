//! Filling in forms: what is typed, and going on.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use secrecy::{ExposeSecret, SecretString};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::fields::Field;
use super::keymap::Action;
use super::screen::{Kind, Screen};
use super::secret_text::SecretText;
use super::shell::beside;
use super::{Content, Effect, Model};
use crate::plan::cidr;
use crate::plan::fields::{Allowed, PolicyField};

/// More than any answer needs, in bytes; a text that grows without end would slow every frame down.
const LONGEST_TEXT: usize = 1024;

/// A form's own state; the texts are where its fields say.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub fields: Vec<Field>,
    pub focus: usize,
    /// Whether nothing was typed since the focus came: a digit then begins another number.
    is_fresh: bool,
    /// Fields whose text was found wrong; they are checked again at every key.
    pub(super) blamed: Vec<Field>,
}

impl Form {
    pub(super) fn of(fields: impl IntoIterator<Item = Field>) -> Self {
        Self { fields: fields.into_iter().collect(), focus: 0, is_fresh: true, blamed: Vec::new() }
    }

    pub fn field(&self) -> Option<Field> {
        self.fields.get(self.focus).copied()
    }

    fn blame(&mut self, field: Option<Field>) {
        self.blamed.extend(field.filter(|field| !self.blamed.contains(field)));
    }
}

impl Screen {
    /// The fields it asks for, if it is a form.
    pub(super) fn fields(self) -> Vec<Field> {
        match self.about().kind {
            Kind::Form(fields, _) => fields.to_vec(),
            Kind::PolicyForm => PolicyField::ALL.iter().copied().map(Field::Policy).collect(),
            _ => Vec::new(),
        }
    }
}

impl Model {
    /// Whether nothing is wrong with any field of a form.
    pub(super) fn is_filled_in(&self, screen: Screen) -> bool {
        screen.fields().into_iter().all(|field| self.check(field).is_none())
    }

    fn field(&self) -> Option<Field> {
        match &self.content {
            Content::Form(form) => form.field(),
            _ => None,
        }
    }

    fn secret_field(&mut self) -> Option<&mut SecretText> {
        self.field().and_then(|field| self.secret_mut(field))
    }

    fn text_field(&mut self) -> Option<&mut Input> {
        self.field().and_then(|field| self.input_mut(field))
    }

    pub(super) fn form_action(&mut self, action: Action) {
        match action {
            Action::Accept => self.accept_form(),
            Action::Back => self.back(),
            Action::Down => self.leave_field(true),
            Action::Up => self.leave_field(false),
            Action::Right | Action::Left => self.change_word(action == Action::Right),
            Action::Filter => self.list_values(),
            Action::Reveal => self.shell.reveal(),
            Action::OpenVpn => self.open_existing_vpn(),
            Action::Generate => self.shell.out.push(Effect::Generate),
            Action::PasteText => self.enter(Screen::Paste),
            Action::ChooseSystem => self.enter(Screen::System),
            _ => {}
        }
    }

    /// Moves on to the next field; what was left is checked from now on.
    fn leave_field(&mut self, forward: bool) {
        let Content::Form(form) = &mut self.content else { return };
        form.blame(form.field());
        form.focus = beside(form.focus, form.fields.len(), forward);
        form.is_fresh = true;
    }

    fn accept_form(&mut self) {
        self.take_networks();
        let Content::Form(form) = &self.content else { return };
        let wrong: Vec<usize> = (0..form.fields.len()).filter(|at| self.check(form.fields[*at]).is_some()).collect();
        let Some(first) = wrong.first().copied() else {
            return match self.screen.about().kind {
                Kind::Form(_, accept) => accept(self),
                _ => self.advance(),
            };
        };
        // Enter in a form of several text fields goes to the next one that still needs something. A field the user has
        // not been at yet is shown with its help, not with a reproach.
        let Content::Form(form) = &mut self.content else { return };
        if wrong.contains(&form.focus) {
            form.blame(form.field());
        } else {
            form.focus = wrong.into_iter().find(|at| *at > form.focus).unwrap_or(first);
        }
    }

    /// Takes the networks of the addresses that were typed for them, and says so.
    fn take_networks(&mut self) {
        let Some(field @ (Field::PeerCidrs | Field::NewRanges)) = self.field() else { return };
        let Some(input) = self.input_mut(field) else { return };
        if let Some(networks) = cidr::networks(input.value()) {
            *input = Input::new(networks);
            let networks = input.value().to_owned();
            self.shell.say(format!("Taken as {networks}: the network of what was typed."));
        }
    }

    /// Opens the list of all values of the field, with its filter to type into.
    fn list_values(&mut self) {
        let Some(Field::Policy(field)) = self.field() else { return };
        if let Allowed::Words(_) = field.allowed() {
            self.new_vpn.field = Some(field);
            self.enter(Screen::Values);
            if let Content::List(picker) = &mut self.content {
                picker.start_filter();
            }
        }
    }

    fn change_word(&mut self, forward: bool) {
        let Some(Field::Policy(field)) = self.field() else { return };
        let answers = &mut self.new_vpn.answers;
        match field.allowed() {
            Allowed::Words(words) => {
                let at = words.iter().position(|word| *word == field.get(&answers.custom)).unwrap_or_default();
                if let Some(word) = words.get(beside(at, words.len(), forward)) {
                    // A word of the field's own list is always taken.
                    let _ = field.set(&mut answers.custom, word);
                    answers.custom_edited = true;
                }
            }
            Allowed::Number(_) => {
                let request = if forward { InputRequest::GoToNextChar } else { InputRequest::GoToPrevChar };
                if let Some(input) = self.text_field() {
                    input.handle(request);
                }
            }
        }
    }

    pub(super) fn edit_field(&mut self, event: &KeyEvent) {
        match self.field() {
            Some(field) if field.is_secret() => self.edit_secret(event),
            Some(Field::Policy(field)) if matches!(field.allowed(), Allowed::Words(_)) => {}
            Some(field) => {
                let digits_only = matches!(field, Field::Policy(_));
                let typed = matches!(event.code, KeyCode::Char(c) if !c.is_ascii_digit()) && event.modifiers.is_empty();
                if digits_only && typed {
                    return self.shell.warn("Only digits go here.");
                }
                let is_fresh = match &mut self.content {
                    Content::Form(form) => std::mem::take(&mut form.is_fresh),
                    _ => false,
                };
                if digits_only && is_fresh && matches!(event.code, KeyCode::Char(c) if c.is_ascii_digit()) {
                    self.text_field().into_iter().for_each(Input::reset);
                }
                if let Some(input) = self.input_mut(field)
                    && (input.value().len() < LONGEST_TEXT || !matches!(event.code, KeyCode::Char(_)))
                {
                    input.handle_event(&TerminalEvent::Key(*event));
                }
                self.store_number();
            }
            None => {}
        }
    }

    fn edit_secret(&mut self, event: &KeyEvent) {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let is_text = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let Some(secret) = self.secret_field() else { return };
        match event.code {
            KeyCode::Char('u' | 'w') if control => secret.clear(),
            KeyCode::Char(character) if is_text => secret.push(character),
            KeyCode::Backspace => secret.backspace(),
            _ => {}
        }
    }

    fn store_number(&mut self) {
        let Some(Field::Policy(field)) = self.field() else { return };
        let answers = &mut self.new_vpn.answers;
        if let Some(input) = answers.numbers.get(&field.into()) {
            // What does not parse stays visible in its field, with the reason; the policy keeps its last number.
            let _ = field.set(&mut answers.custom, input.value());
            answers.custom_edited = true;
        }
    }

    /// Takes pasted text: line ends and spaces around it are dropped, and it submits nothing.
    pub(super) fn paste(&mut self, text: &SecretString) {
        let text = text.expose_secret();
        self.shell.notice = None;
        if self.shell.question.is_some() {
            return self.shell.paste_answer(text);
        }
        if self.shell.dialog.is_some() {
            return;
        }
        self.vpns.drop_intent();
        if self.takes_text(text) {
            return;
        }
        let clean: String =
            text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
        if self.field().is_some_and(Field::is_secret) {
            self.paste_secret(text);
        } else if let Content::List(picker) = &mut self.content {
            picker.edit_filter(|input| type_in(input, &clean));
        } else if let Some(input) = self.text_field() {
            type_in(input, &clean);
            self.store_number();
        }
    }

    /// As in a file: what is not one line is no key, and lines that were joined would be another.
    fn paste_secret(&mut self, text: &str) {
        if let Some(control) = text.trim().chars().find(|character| character.is_control()) {
            let what = if matches!(control, '\n' | '\r') { "a line break" } else { "a control character" };
            self.shell.warn(format!("Ignored: the pasted text contains {what}. A key is one line."));
        } else if let Some(secret) = self.secret_field() {
            secret.clear();
            secret.insert(text);
        }
    }
}

fn type_in(input: &mut Input, text: &str) {
    for character in text.chars() {
        input.handle(InputRequest::InsertChar(character));
    }
}
