//! What a sign-in asks, over whatever is on the screen. What is typed is kept only until it is sent.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use secrecy::SecretString;
use secrecy::zeroize::{Zeroize, Zeroizing};

use super::Effect;
use super::keymap::Action;
use super::shell::{Shell, Start, beside};
use crate::cloud::person::{Prompt, Question, Reply};

const CAPACITY: usize = 8192;

/// A question of the sign-in with what has been typed so far.
#[derive(Debug)]
pub struct Asked {
    pub question: Question,
    /// Its fields, in order.
    pub fields: Vec<Entry>,
    pub focus: usize,
    pub is_sent: bool,
    pub is_empty_blamed: bool,
}

/// A field whose text is not shown. Its memory never moves, and is wiped on drop.
pub struct Entry {
    pub part: Prompt,
    text: Zeroizing<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, [hidden])", self.part)
    }
}

impl Entry {
    fn new(part: Prompt) -> Self {
        Self { part, text: Zeroizing::new(String::with_capacity(CAPACITY)) }
    }

    pub fn chars(&self) -> usize {
        self.text.chars().count()
    }

    /// Appends what was typed or pasted. Line ends are none of it; spaces belong to a password alone.
    fn insert(&mut self, text: &str) {
        let text = if self.part == Prompt::Password { text.trim_matches(['\r', '\n']) } else { text.trim() };
        for character in text.chars().filter(|character| !character.is_control()) {
            if self.text.len() + character.len_utf8() <= CAPACITY {
                self.text.push(character);
            }
        }
    }

    fn clear(&mut self) {
        self.text.zeroize();
        if self.text.capacity() < CAPACITY {
            self.text.reserve_exact(CAPACITY);
        }
    }
}

impl Asked {
    fn new(question: Question) -> Self {
        let fields = question.wanted.parts().iter().copied().map(Entry::new).collect();
        Self { question, fields, focus: 0, is_sent: false, is_empty_blamed: false }
    }

    fn turn(&mut self, forward: bool) {
        self.focus = beside(self.focus, self.fields.len(), forward);
    }

    fn reply(&self) -> Reply {
        let fields = self.fields.iter().filter(|field| !field.text.is_empty());
        fields.fold(Reply::default(), |reply, field| reply.with(field.part, SecretString::from(field.text.as_str())))
    }
}

impl Shell {
    /// Puts the question over the screen. A sign-in that was given up gets no answer.
    pub(super) fn asked(&mut self, question: Question) {
        if !matches!(self.start, Start::SigningIn { .. } | Start::Ready(_)) || self.ending.is_some() {
            return self.out.push(Effect::Reply(None));
        }
        self.question = Some(Asked::new(question));
    }

    pub(super) fn question_action(&mut self, action: Action) {
        let Some(asked) = &mut self.question else { return };
        match action {
            Action::Accept if asked.is_sent => {}
            Action::Accept => {
                let reply = asked.reply();
                if reply.is_empty() {
                    asked.is_empty_blamed = true;
                    return;
                }
                // Enter in the first of two fields goes to the second, which is easily overlooked.
                if asked.focus + 1 < asked.fields.len() {
                    asked.focus += 1;
                    return;
                }
                asked.fields.iter_mut().for_each(Entry::clear);
                asked.is_sent = true;
                self.out.push(Effect::Reply(Some(reply)));
            }
            Action::Down => asked.turn(true),
            Action::Up => asked.turn(false),
            Action::Back | Action::Quit => {
                let was_sent = asked.is_sent;
                self.question = None;
                // Of what is sent the cloud has the last word; the screen below is free again.
                if !was_sent {
                    self.out.push(Effect::Reply(None));
                }
            }
            _ => {}
        }
    }

    pub(super) fn edit_question(&mut self, event: &KeyEvent) {
        let Some(asked) = self.question.as_mut().filter(|asked| !asked.is_sent) else { return };
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let is_text = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let focus = asked.focus;
        let Some(field) = asked.fields.get_mut(focus) else { return };
        match event.code {
            KeyCode::Char('u' | 'w') if control => field.clear(),
            KeyCode::Char(character) if is_text => {
                let mut text = [0; 4];
                field.insert(character.encode_utf8(&mut text));
                asked.is_empty_blamed = false;
            }
            KeyCode::Backspace => {
                field.text.pop();
            }
            _ => {}
        }
    }

    pub(super) fn paste_answer(&mut self, text: &str) {
        let Some(asked) = self.question.as_mut().filter(|asked| !asked.is_sent) else { return };
        let focus = asked.focus;
        if let Some(field) = asked.fields.get_mut(focus) {
            field.clear();
            field.insert(text);
            asked.is_empty_blamed = false;
        }
    }
}
