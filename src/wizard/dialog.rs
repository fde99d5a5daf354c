//! Questions that come before everything else. The dialog is the same for all; what its buttons do is data.

use super::remote::RequestId;
use super::shell::beside;
use super::vpns::Intent;
use crate::change::Proposal;
use crate::engine::Direction;
use crate::engine::interruption::Interruption;

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
}

impl Act {
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Close | Self::Instead(_) | Self::OwnKey)
    }

    /// Whether it matters even where the user has just asked for the question.
    pub const fn is_grave(self) -> bool {
        !self.is_harmless() && !matches!(self, Self::Leave | Self::StopAndKeep)
    }
}

/// What a dialog is about, for its buttons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Screen,
    Proposals(Vec<Proposal>),
    Interrupted(Box<Interruption>),
    /// A creation that is being read, to go that way.
    Reading(RequestId, Direction, Box<Interruption>),
}

/// A text with buttons below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// In the border.
    pub title: String,
    pub text: Vec<String>,
    /// The first is the safe one.
    pub buttons: Vec<(&'static str, Act)>,
    pub focus: usize,
    pub is_help: bool,
    /// It has long lines, such as commands.
    pub is_wide: bool,
    /// Lines its text is scrolled by.
    pub scroll: u16,
    pub(super) about: About,
}

impl Dialog {
    pub fn new(title: impl Into<String>, text: Vec<String>, buttons: Vec<(&'static str, Act)>) -> Self {
        let title = title.into();
        Self { title, text, buttons, focus: 0, is_help: false, is_wide: false, scroll: 0, about: About::Screen }
    }

    pub(super) fn wide(self) -> Self {
        Self { is_wide: true, ..self }
    }

    pub(super) fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    pub fn act(&self) -> Act {
        self.buttons.get(self.focus).map_or(Act::Close, |(_, act)| *act)
    }

    pub fn has(&self, act: Act) -> bool {
        self.buttons.iter().any(|(_, does)| *does == act)
    }

    pub fn turn(&mut self, forward: bool) {
        self.focus = beside(self.focus, self.buttons.len(), forward);
    }
}
