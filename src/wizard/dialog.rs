//! Questions that come before everything else. The dialog is the same for all; what its buttons do is data.

use super::shell::beside;
use super::vpns::Intent;
use crate::engine::change::Direction;

/// What a dialog's button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing; back to where the user was.
    Close,
    /// Leave without having made anything.
    Leave,
    /// Stop the engine after what is under way, and keep what exists.
    StopAndKeep,
    /// Stop the engine after what is under way, and delete what was made.
    StopAndUndo,
    /// Delete what was made.
    Undo,
    /// Create the rest of the VPN whose creation was interrupted.
    FinishRun,
    /// Delete what the interrupted creation made.
    UndoRun,
    /// Leave the interrupted creation as it is, and never ask again.
    ForgetRun,
    /// Do what is proposed.
    Carry,
    /// Propose that instead.
    Rather(Intent),
    /// Ask for a key of the user's own.
    OwnKey,
    /// Roll back what the change has done.
    TakeBack,
    /// Go on with the change that was interrupted.
    GoOnWithChange(Direction),
}

impl Act {
    /// Whether nothing comes of it but another screen.
    #[must_use]
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Close | Self::Rather(_) | Self::OwnKey)
    }

    /// Whether it changes something in the cloud, or gives it up for good.
    #[must_use]
    pub const fn is_grave(self) -> bool {
        match self {
            Self::Close | Self::Leave | Self::StopAndKeep | Self::Rather(_) | Self::OwnKey => false,
            Self::StopAndUndo
            | Self::Undo
            | Self::FinishRun
            | Self::UndoRun
            | Self::ForgetRun
            | Self::Carry
            | Self::TakeBack
            | Self::GoOnWithChange(_) => true,
        }
    }
}

/// A question with buttons; the first is the safe one and has the focus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// What it is about.
    pub title: String,
    /// What there is to know, a paragraph a line.
    pub text: Vec<String>,
    /// The ways out. None where something is waited for: only Esc closes it.
    pub buttons: Vec<(&'static str, Act)>,
    /// Which one Enter presses.
    pub focus: usize,
    /// Whether it shows the keys of the screen below it too.
    pub is_help: bool,
    /// Whether its lines are long: names and ids.
    pub is_wide: bool,
    /// How far it is scrolled, in lines.
    pub scroll: u16,
}

impl Dialog {
    /// A question.
    pub fn new(title: impl Into<String>, text: Vec<String>, buttons: Vec<(&'static str, Act)>) -> Self {
        Self { title: title.into(), text, buttons, focus: 0, is_help: false, is_wide: false, scroll: 0 }
    }

    /// The focused button's act.
    #[must_use]
    pub fn act(&self) -> Act {
        self.buttons.get(self.focus).map_or(Act::Close, |(_, act)| *act)
    }

    /// Whether one of its buttons does that.
    #[must_use]
    pub fn has(&self, act: Act) -> bool {
        self.buttons.iter().any(|(_, does)| *does == act)
    }

    /// Moves the focus around.
    pub fn turn(&mut self, forward: bool) {
        self.focus = beside(self.focus, self.buttons.len(), forward);
    }
}
