//! Filling in forms: what is typed, what is wrong with it, and going on.

use std::net::IpAddr;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::fields::{Field, SecretText};
use super::keymap::Action;
use super::screen::Screen;
use super::vpns::Intent;
use super::{Content, Effect, Form, Model};
use crate::change::Sas;
use crate::plan::checks::{self, outside};
use crate::plan::fields::{Allowed, PolicyField};
use crate::plan::peer::{PeerAddress, check_id};
use crate::plan::psk::{KeyOrigin, PskProblem};
use crate::plan::{Finding, Half, Place, PolicyScope, VpnName, cidr};

/// More than any answer needs, in bytes; a text that grows without end would slow every frame down.
const LONGEST_TEXT: usize = 1024;

impl Form {
    /// The form of a step.
    #[must_use]
    pub fn of(step: Screen) -> Self {
        let fields = match step {
            Screen::Peer => vec![Field::PeerAddress, Field::PeerId, Field::PeerCidrs],
            Screen::Key => vec![Field::Key],
            Screen::Name => vec![Field::Name],
            Screen::NewRanges => vec![Field::NewRanges],
            Screen::NewKey => vec![Field::NewKey],
            Screen::MissingKey => vec![Field::MissingKey],
            Screen::Custom => PolicyField::ALL.iter().copied().map(Field::Policy).collect(),
            _ => Vec::new(),
        };
        Self { fields, focus: 0, blamed: Vec::new() }
    }

    /// The field being edited.
    #[must_use]
    pub fn field(&self) -> Option<Field> {
        self.fields.get(self.focus).copied()
    }
}

impl Model {
    /// What is wrong with a field as it stands, whether or not the user has been told.
    #[must_use]
    pub fn check(&self, field: Field) -> Option<String> {
        match field {
            Field::PeerAddress => match PeerAddress::parse(self.answers.peer_address.value()) {
                Err(problem) => Some(problem.to_string()),
                Ok(PeerAddress::Ip(address)) => self.own_side(address),
                Ok(_) => None,
            },
            Field::PeerId => {
                let typed = self.answers.peer_id.value().trim();
                if typed.is_empty() { None } else { check_id(typed).err().map(|problem| problem.to_string()) }
            }
            Field::PeerCidrs => ranges_problem(self.input(field)?.value(), &self.local_ranges()),
            Field::NewRanges => self.other_ranges_problem(self.input(field)?.value()),
            Field::Key | Field::NewKey | Field::MissingKey => match self.secret(field)?.check().err()? {
                PskProblem::Empty if field != Field::Key => Some("type or paste the key".to_owned()),
                problem => Some(problem.to_string()),
            },
            Field::Name => VpnName::parse(&self.name_text()).err().map(|problem| problem.to_string()),
            Field::Policy(field) => self.policy_finding(field).filter(Finding::is_refusal).map(|finding| finding.text),
        }
    }

    /// The typed text of a field, for those that are edited as text.
    #[must_use]
    pub fn input(&self, field: Field) -> Option<&Input> {
        match field {
            Field::NewRanges => self.vpns.open.as_ref().map(|open| &open.ranges),
            field => self.answers.input(field),
        }
    }

    /// The typed text of a secret field.
    #[must_use]
    pub fn secret(&self, field: Field) -> Option<&SecretText> {
        match field {
            Field::Key => Some(&self.answers.key),
            Field::NewKey => self.vpns.open.as_ref().map(|open| &open.key),
            Field::MissingKey => Some(&self.vpns.missing_key),
            _ => None,
        }
    }

    /// The secret field that takes what is typed now.
    fn secret_field(&mut self) -> Option<&mut SecretText> {
        let Content::Form(form) = &self.content else { return None };
        match form.field()? {
            Field::Key => Some(&mut self.answers.key),
            Field::NewKey => self.vpns.open.as_mut().map(|open| &mut open.key),
            Field::MissingKey => Some(&mut self.vpns.missing_key),
            _ => None,
        }
    }

    /// The text field that takes what is typed now.
    fn text_field(&mut self) -> Option<&mut Input> {
        if self.dialog.is_some() {
            return None;
        }
        let suggested = self.suggested_name();
        match &self.content {
            Content::Form(form) => {
                let field = *form.fields.get(form.focus)?;
                match field {
                    Field::NewRanges => self.vpns.open.as_mut().map(|open| &mut open.ranges),
                    field => self.answers.input_mut(field, &suggested),
                }
            }
            _ => None,
        }
    }

    /// The ranges chosen on this side.
    fn local_ranges(&self) -> Vec<IpNet> {
        let inventory = self.region_of(Half::A).and_then(|region| region.inventory.ready());
        let chosen = self.answers.subnets_of(Half::A).iter().filter_map(|id| inventory?.subnet(id));
        chosen.map(|subnet| subnet.cidr).collect()
    }

    /// Why an address cannot be a peer's: it is of this side.
    fn own_side(&self, address: IpAddr) -> Option<String> {
        let inventory = self.region_of(Half::A)?.inventory.ready()?;
        let router = inventory.router(self.answers.router_of(Half::A)?)?;
        let service = inventory.services.iter().find(|service| service.router == router.id);
        let own = outside::own_addresses(router, service);
        let findings = outside::peer(address, router, &own, &self.local_ranges(), Place::PeerAddress);
        findings.into_iter().find(Finding::is_refusal).map(|finding| finding.text)
    }

    /// The problem to show at a field: while typing only where the user has been told before, or the rule is checked
    /// as it is typed.
    #[must_use]
    pub fn problem(&self, field: Field) -> Option<String> {
        let Content::Form(form) = &self.content else { return None };
        let at_once = match field {
            Field::NewKey | Field::MissingKey => self.secret(field).is_some_and(|secret| secret.chars() > 0),
            field => matches!(field, Field::Key | Field::Policy(_)),
        };
        if at_once || form.blamed.contains(&field) { self.check(field) } else { None }
    }

    /// What there is to say about a field of the custom policy.
    #[must_use]
    pub fn policy_finding(&self, field: PolicyField) -> Option<Finding> {
        if let (Allowed::Number(_), Some(input)) = (field.allowed(), self.answers.input(Field::Policy(field)))
            && let Err(why) = field.set(&mut self.answers.custom.clone(), input.value())
        {
            return Some(Finding::refusal(Place::Policy(Some(field)), why));
        }
        let setting: PolicyScope<'_> = self.setting();
        let findings = self.answers.custom.findings(&setting);
        findings.into_iter().find(|finding| finding.place == Place::Policy(Some(field)))
    }

    pub(super) fn custom_problems(&self) -> Vec<PolicyField> {
        let is_refused = |field: &PolicyField| self.policy_finding(*field).is_some_and(|finding| finding.is_refusal());
        PolicyField::ALL.iter().copied().filter(is_refused).collect()
    }

    pub(super) fn form_action(&mut self, action: Action) {
        self.vpns.wish = None;
        match action {
            Action::Accept => return self.accept_form(),
            Action::Back => return self.back(),
            Action::Down => self.leave_field(true),
            Action::Up => self.leave_field(false),
            Action::Right | Action::Left => self.change_word(action == Action::Right),
            Action::Reveal => {
                let now = self.now;
                if let Some(secret) = self.secret_field() {
                    secret.is_revealed = !secret.is_revealed;
                    self.revealed = secret.is_revealed.then_some(now);
                }
            }
            Action::Generate => return self.out.push(Effect::Generate),
            _ => {}
        }
    }

    /// Moves on to the next field; what was left is checked from now on.
    fn leave_field(&mut self, forward: bool) {
        let Content::Form(form) = &mut self.content else { return };
        if let Some(field) = form.field()
            && !form.blamed.contains(&field)
        {
            form.blamed.push(field);
        }
        let count = form.fields.len().max(1);
        form.focus = if forward { (form.focus + 1) % count } else { (form.focus + count - 1) % count };
    }

    fn accept_form(&mut self) {
        let Content::Form(form) = &self.content else { return };
        let (fields, focus) = (form.fields.clone(), form.focus);
        // Enter in a form of several text fields goes to the next one that still needs something.
        let wrong: Vec<usize> = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| self.check(**field).is_some())
            .map(|(place, _)| place)
            .collect();
        let Some(first) = wrong.first().copied() else {
            return match self.screen {
                Screen::NewRanges => self.accept_other_ranges(),
                Screen::NewKey => self.wish(Intent::NewKey(Sas::Keep, KeyOrigin::Given)),
                Screen::MissingKey => self.give_missing_key(),
                _ => self.advance(),
            };
        };
        let Content::Form(form) = &mut self.content else { return };
        let here = wrong.contains(&focus);
        let next = wrong.iter().copied().find(|place| *place > focus);
        form.focus = if here { focus } else { next.unwrap_or(first) };
        // A field the user has not been at yet is shown with its help, not with a reproach.
        let blamed = if here { fields.get(focus) } else { None };
        if let Some(field) = blamed
            && !form.blamed.contains(field)
        {
            form.blamed.push(*field);
        }
    }

    fn change_word(&mut self, forward: bool) {
        let Content::Form(form) = &self.content else { return };
        let Some(Field::Policy(field)) = form.field() else { return };
        match field.allowed() {
            Allowed::Words(words) => {
                let at = words.iter().position(|word| *word == field.get(&self.answers.custom)).unwrap_or_default();
                let count = words.len().max(1);
                let to = if forward { (at + 1) % count } else { (at + count - 1) % count };
                if let Some(word) = words.get(to) {
                    // A word of the field's own list is always taken.
                    let _ = field.set(&mut self.answers.custom, word);
                    self.answers.custom_edited = true;
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
        self.vpns.wish = None;
        let Content::Form(form) = &self.content else { return };
        match form.field() {
            Some(field) if field.is_secret() => self.edit_secret(event),
            Some(Field::Policy(field)) if matches!(field.allowed(), Allowed::Words(_)) => {}
            Some(field) => {
                let digits_only = matches!(field, Field::Policy(_));
                let typed = matches!(event.code, KeyCode::Char(c) if !c.is_ascii_digit()) && event.modifiers.is_empty();
                if digits_only && typed {
                    self.warn("Only digits go here.");
                    return;
                }
                if let Some(input) = self.text_field()
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
            KeyCode::Char(character) if is_text => {
                let mut text = [0; 4];
                secret.insert(character.encode_utf8(&mut text));
            }
            KeyCode::Backspace => secret.backspace(),
            _ => {}
        }
    }

    /// Puts a number that parses into the custom policy.
    fn store_number(&mut self) {
        let Content::Form(form) = &self.content else { return };
        let Some(Field::Policy(field)) = form.field() else { return };
        if let Some(text) = self.answers.input(Field::Policy(field)).map(|input| input.value().to_owned()) {
            // What does not parse stays visible in its field, with the reason; the policy keeps its last number.
            let _ = field.set(&mut self.answers.custom, &text);
            self.answers.custom_edited = true;
        }
    }

    /// Takes pasted text: line ends and spaces around it are dropped, and it submits nothing.
    pub(super) fn paste(&mut self, text: &SecretString) {
        let text = text.expose_secret();
        (self.notice, self.vpns.wish) = (None, None);
        if self.question.is_some() {
            self.paste_answer(text);
            return;
        }
        if self.dialog.is_some() {
            return;
        }
        let clean: String =
            text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
        if let Some(secret) = self.secret_field() {
            // As in a file: what is not one line is no key, and lines that were joined would be another.
            if let Some(control) = text.trim().chars().find(|character| character.is_control()) {
                let what = if matches!(control, '\n' | '\r') { "a line break" } else { "a control character" };
                self.warn(format!("Not taken: what was pasted has {what} in it. A key is one line."));
                return;
            }
            secret.clear();
            secret.insert(text);
            return;
        }
        if let Content::List(picker) = &mut self.content {
            picker.edit_filter(|input| type_in(input, &clean));
        } else if let Some(input) = self.text_field() {
            type_in(input, &clean);
            self.store_number();
        }
    }
}

/// Why a text is no list of what can be behind a peer of this side.
fn ranges_problem(text: &str, own: &[IpNet]) -> Option<String> {
    match cidr::parse_list(text) {
        Err(problem) => Some(problem.to_string()),
        Ok(ranges) => {
            let findings = checks::sides(own, &ranges, Place::PeerCidrs);
            findings.into_iter().find(Finding::is_refusal).map(|finding| finding.text)
        }
    }
}

fn type_in(input: &mut Input, text: &str) {
    for character in text.chars() {
        input.handle(InputRequest::InsertChar(character));
    }
}
