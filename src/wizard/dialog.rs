//! Questions that come before everything else. The dialog is the same for all; what its buttons do is data.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::remote::RequestId;
use super::shell::beside;
use super::vpns::Intent;
use crate::change::Proposal;
use crate::engine::Direction;
use crate::engine::interruption::Interruption;

/// In bytes, as long as Neutron takes one.
const LONGEST_NAME: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Close,
    Leave,
    StopAndKeep,
    StopAndRollBack,
    RollBack,
    Resume(Direction),
    /// Asks about what was interrupted no more.
    Forget,
    Confirm,
    Instead(Intent),
    OwnKey,
    /// Sends the text of the dialog to the clipboard.
    Copy,
}

impl Act {
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Close | Self::Instead(_) | Self::OwnKey | Self::Copy)
    }

    /// Whether it matters even where the user has just asked for the question.
    pub const fn is_grave(self) -> bool {
        !self.is_harmless() && !matches!(self, Self::Leave | Self::StopAndKeep)
    }
}

/// What a dialog is about, for its buttons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogSubject {
    Screen,
    /// What was sent so far, and what comes meanwhile.
    Requests,
    Proposals(Vec<Proposal>),
    Interrupted(Box<Interruption>),
    /// A creation that is being read, to go that way.
    Reading(RequestId, Direction, Box<Interruption>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogButton {
    pub label: String,
    pub act: Act,
    /// The key that presses it.
    pub letter: Option<char>,
}

/// The name that has to be typed before anything but the safe button can be pressed, and what is typed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedName {
    pub name: String,
    pub text: String,
}

impl TypedName {
    pub fn is_right(&self) -> bool {
        self.text.trim() == self.name.trim()
    }
}

/// A text with buttons below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// In the border.
    pub title: String,
    pub text: Vec<String>,
    /// The first is the safe one.
    pub buttons: Vec<DialogButton>,
    pub typed: Option<TypedName>,
    pub focus: usize,
    pub is_help: bool,
    /// It has long lines, such as commands.
    pub is_wide: bool,
    /// Lines its text is scrolled by.
    pub scroll: u16,
    pub(super) about: DialogSubject,
}

impl Dialog {
    pub fn new<L: Into<String>>(title: impl Into<String>, text: Vec<String>, buttons: Vec<(L, Act)>) -> Self {
        let mut dialog = Self {
            title: title.into(),
            text,
            buttons: Vec::with_capacity(buttons.len()),
            typed: None,
            focus: 0,
            is_help: false,
            is_wide: false,
            scroll: 0,
            about: DialogSubject::Screen,
        };
        let buttons = buttons.into_iter().map(|(label, act)| DialogButton { label: label.into(), act, letter: None });
        dialog.buttons.extend(buttons);
        // These two answer it already.
        let mut taken = if dialog.yes().is_some() { vec!['y', 'n'] } else { Vec::new() };
        for button in &mut dialog.buttons {
            button.letter = letter_of(&button.label, &taken);
            taken.extend(button.letter);
        }
        dialog
    }

    pub(super) fn wide(self) -> Self {
        Self { is_wide: true, ..self }
    }

    /// A text to read and to take away.
    pub(super) fn to_copy(title: impl Into<String>, text: Vec<String>) -> Self {
        let mut dialog = Self::new(title, text, vec![("Close", Act::Close), ("Copy", Act::Copy)]).wide();
        dialog.buttons.iter_mut().filter(|button| button.act == Act::Copy).for_each(|button| button.letter = Some('y'));
        dialog
    }

    pub(super) fn about(self, about: DialogSubject) -> Self {
        Self { about, ..self }
    }

    /// What is typed is the name now, so no letter presses a button.
    pub(super) fn asking_for(mut self, name: &str) -> Self {
        self.typed = Some(TypedName { name: name.to_owned(), text: String::new() });
        self.buttons.iter_mut().for_each(|button| button.letter = None);
        self
    }

    pub fn act(&self) -> Act {
        self.buttons.get(self.focus).map_or(Act::Close, |button| button.act)
    }

    pub fn has(&self, act: Act) -> bool {
        self.buttons.iter().any(|button| button.act == act)
    }

    /// The button that y presses, where the question has a yes and a no; the first is the no then.
    pub fn yes(&self) -> Option<usize> {
        let is_yes = |act: Act| matches!(act, Act::Confirm | Act::RollBack | Act::Leave);
        let is_no = self.buttons.first().is_some_and(|first| first.act == Act::Close);
        let mut yes = self.buttons.iter().enumerate().filter(|(_, button)| is_yes(button.act)).map(|(at, _)| at);
        let only = yes.next().filter(|_| yes.next().is_none());
        only.filter(|_| is_no && self.typed.is_none())
    }

    /// Why the focused button cannot be pressed yet.
    pub(super) fn lacks(&self) -> Option<String> {
        let typed = self.typed.as_ref().filter(|typed| !typed.is_right())?;
        if !self.act().is_harmless() {
            return Some(format!("Type {} first.", typed.name));
        }
        // Whoever goes on typing must not press the buttons of the page behind it.
        let differs = || format!("Nothing was done: the name is {}. Type on, or Esc closes the question.", typed.name);
        (!typed.text.trim().is_empty()).then(differs)
    }

    /// Takes a letter of the name. With the whole of it typed, Enter is the answer it was typed for.
    pub(super) fn edit(&mut self, event: &KeyEvent) {
        let Some(typed) = &mut self.typed else { return };
        let is_text = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match event.code {
            KeyCode::Char(character) if is_text && typed.text.len() < LONGEST_NAME => typed.text.push(character),
            KeyCode::Char('u' | 'w') => typed.text.clear(),
            KeyCode::Backspace => drop(typed.text.pop()),
            _ => {}
        }
        self.focus = usize::from(typed.is_right());
    }

    /// Takes the whole text where a name is asked for.
    pub(super) fn fill(&mut self, text: &str) {
        if let Some(typed) = &mut self.typed {
            text.clone_into(&mut typed.text);
            self.focus = usize::from(typed.is_right());
        }
    }

    pub(super) fn turn(&mut self, forward: bool) {
        self.focus = beside(self.focus, self.buttons.len(), forward);
    }
}

/// A letter for a button: its first one, else the first of another of its words, else any of them.
pub(super) fn letter_of(label: &str, taken: &[char]) -> Option<char> {
    let initials = label.split(' ').filter(|word| *word != "and").filter_map(|word| word.chars().next());
    let mut letters =
        initials.chain(label.chars()).filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase());
    letters.find(|letter| !taken.contains(letter))
}
