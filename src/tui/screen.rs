//! The wizard on the whole screen.

use std::io;

use crossterm::event::KeyEventKind;
use ratatui::backend::Backend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

use super::{FrontEnd, Input, Tty};
use crate::view::{Spots, Theme, view_with_spots};
use crate::wizard::gesture::Gesture;
use crate::wizard::{Message, Model};

/// Draws every state of the model, and takes keys.
#[derive(Debug)]
pub struct FullScreen<'a, B: Backend, T> {
    terminal: &'a mut Terminal<B>,
    tty: T,
    theme: &'a Theme,
    /// The size that was drawn for last.
    size: (u16, u16),
    /// Where that takes a click.
    spots: Spots,
}

impl<'a, B: Backend, T: Tty> FullScreen<'a, B, T> {
    pub fn new(terminal: &'a mut Terminal<B>, tty: T, theme: &'a Theme) -> Self {
        let size = tty.size();
        Self { terminal, tty, theme, size, spots: Spots::default() }
    }
}

impl<B: Backend, T: Tty> FrontEnd for FullScreen<'_, B, T> {
    type Console = T;

    fn console(&mut self) -> &mut T {
        &mut self.tty
    }

    fn hear(&mut self, input: Input, _: &Model) -> Vec<Message> {
        match input {
            Input::Key(key) if key.kind != KeyEventKind::Release => vec![Message::Key(key)],
            Input::Click { column, row } => {
                let spot = self.spots.at(column, row);
                spot.map(|spot| Message::Gesture(Gesture::Click(spot))).into_iter().collect()
            }
            Input::Wheel { is_up } => vec![Message::Gesture(Gesture::Scroll { is_up })],
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
        let (mut limit, spots) = (0, Spots::default());
        let draw = |frame: &mut Frame<'_>| limit = view_with_spots(model, self.theme, &spots, frame);
        self.terminal.draw(draw).map_err(failed)?;
        self.spots = spots;
        Ok(limit)
    }
}

fn failed(error: impl std::error::Error) -> io::Error {
    io::Error::other(error.to_string())
}
