//! The wizard in lines: what is new is appended, and an answer is a line that the terminal edits.

use std::io::{self, Write};

use super::{FrontEnd, Input, Tty};
use crate::view::Theme;
use crate::view::lines::{NewLines, Transcript};
use crate::wizard::gesture::Gesture;
use crate::wizard::keymap::Action;
use crate::wizard::{Message, Model};

/// A terminal that lines are read from.
pub trait LineTty: Tty {
    /// The columns there are to write in.
    fn columns(&self) -> u16;

    /// Shows what is typed from now on, or not. What was typed unseen before it was asked for is forgotten.
    fn show_typing(&mut self, is_shown: bool) -> io::Result<()>;
}

/// Appends what is new in every state of the model, and takes lines.
#[derive(Debug)]
pub struct Lines<W: Write, T> {
    out: W,
    tty: T,
    theme: Theme,
    transcript: Transcript,
    /// What the cursor stands behind; none at the beginning of a line.
    prompt: Option<String>,
    is_secret: bool,
}

impl<W: Write, T: LineTty> Lines<W, T> {
    pub fn new(out: W, tty: T, theme: Theme) -> Self {
        Self { out, tty, theme, transcript: Transcript::default(), prompt: None, is_secret: false }
    }

    fn write(&mut self, said: &NewLines, is_unknown: bool) -> io::Result<()> {
        let NewLines { lines, prompt, is_secret } = said;
        if *is_secret != self.is_secret || is_unknown {
            self.tty.show_typing(!is_secret)?;
            self.is_secret = *is_secret;
        }
        if lines.is_empty() && self.prompt.as_ref() == Some(prompt) && !is_unknown {
            return Ok(());
        }
        if self.prompt.take().is_some_and(|prompt| !prompt.is_empty()) {
            writeln!(self.out)?;
        }
        for line in lines {
            writeln!(self.out, "{line}")?;
        }
        write!(self.out, "{prompt}")?;
        self.prompt = Some(prompt.clone());
        self.out.flush()
    }
}

/// What is said at the end begins on a line of its own. A terminal that is gone needs none.
impl<W: Write, T> Drop for Lines<W, T> {
    fn drop(&mut self) {
        if self.prompt.take().is_some_and(|prompt| !prompt.is_empty()) {
            let _ = writeln!(self.out).and_then(|()| self.out.flush());
        }
    }
}

impl<W: Write, T: LineTty> FrontEnd for Lines<W, T> {
    type Console = T;

    fn console(&mut self) -> &mut T {
        &mut self.tty
    }

    fn hear(&mut self, input: Input, model: &Model) -> Vec<Message> {
        match input {
            Input::Line(line) => {
                // The terminal has ended the line.
                self.prompt = None;
                self.transcript.hear(model, &line)
            }
            Input::End => self.interrupted().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn interrupted(&mut self) -> Option<Message> {
        Some(Message::Gesture(Gesture::Act(Action::Quit)))
    }

    fn show(&mut self, model: &Model, is_unknown: bool) -> io::Result<u16> {
        let columns = usize::from(self.tty.columns());
        let said = self.transcript.say(model, &self.theme, columns);
        self.write(&said, is_unknown)?;
        Ok(0)
    }
}
