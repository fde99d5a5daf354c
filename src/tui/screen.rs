//! The wizard on the whole screen.

use std::io;

use crossterm::event::KeyEventKind;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Rect;

use super::{FrontEnd, Input, Tty};
use crate::view::{Theme, view};
use crate::wizard::{Message, Model};

/// Draws every state of the model, and takes keys.
#[derive(Debug)]
pub struct Screen<'a, B: Backend, T> {
    terminal: &'a mut Terminal<B>,
    tty: T,
    theme: &'a Theme,
    /// The size that was drawn for last.
    size: (u16, u16),
}

impl<'a, B: Backend, T: Tty> Screen<'a, B, T> {
    pub fn new(terminal: &'a mut Terminal<B>, tty: T, theme: &'a Theme) -> Self {
        let size = tty.size();
        Self { terminal, tty, theme, size }
    }
}

impl<B: Backend, T: Tty> FrontEnd for Screen<'_, B, T> {
    type Console = T;

    fn console(&mut self) -> &mut T {
        &mut self.tty
    }

    fn hear(&mut self, input: Input, _: &Model) -> Vec<Message> {
        match input {
            Input::Key(key) if key.kind != KeyEventKind::Release => vec![Message::Key(key)],
            Input::Paste(text) => vec![Message::Paste(text)],
            _ => Vec::new(),
        }
    }

    fn show(&mut self, model: &Model, is_unknown: bool) -> io::Result<u16> {
        let size = model.shell.size;
        if is_unknown || size != self.size {
            // Unlike `clear`, this asks the terminal nothing; its answer would come in between the keys.
            self.terminal.resize(Rect::new(0, 0, size.0, size.1)).map_err(failed)?;
            self.size = size;
        }
        let mut limit = 0;
        self.terminal.draw(|frame| limit = view(model, self.theme, frame)).map_err(failed)?;
        Ok(limit)
    }
}

fn failed(error: impl std::error::Error) -> io::Error {
    io::Error::other(error.to_string())
}
