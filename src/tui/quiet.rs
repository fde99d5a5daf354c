//! What is drawn on: a terminal that is written to only when something on it changes. Over ssh each write is a packet.

use std::io::{self, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cursor {
    /// Something was written since it was placed, or by another program.
    Anywhere,
    At(Position),
    Hidden,
}

/// A terminal that shows each frame at once, and is sent nothing for a frame like the one before.
#[derive(Debug)]
pub struct QuietBackend<W: Write> {
    terminal: CrosstermBackend<W>,
    cursor: Cursor,
    /// Whether a part of the frame has been written.
    is_begun: bool,
}

impl<W: Write> QuietBackend<W> {
    pub(super) const fn new(to: W) -> Self {
        Self { terminal: CrosstermBackend::new(to), cursor: Cursor::Anywhere, is_begun: false }
    }

    /// Begins the frame, which the terminal shows when it is complete.
    fn begun(&mut self) -> io::Result<&mut CrosstermBackend<W>> {
        if !self.is_begun {
            self.is_begun = true;
            queue!(self.terminal, BeginSynchronizedUpdate)?;
        }
        Ok(&mut self.terminal)
    }
}

impl<W: Write> Backend for QuietBackend<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        if self.cursor != Cursor::Hidden {
            self.cursor = Cursor::Anywhere;
        }
        self.begun()?.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor != Cursor::Hidden {
            self.begun()?.hide_cursor()?;
            self.cursor = Cursor::Hidden;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        // The call that follows sets its position.
        if !matches!(self.cursor, Cursor::At(_)) {
            self.begun()?.show_cursor()?;
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.terminal.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor != Cursor::At(position) {
            self.begun()?.set_cursor_position(position)?;
            self.cursor = Cursor::At(position);
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    /// Who clears does not know what is on the terminal; nor is it known what became of the cursor.
    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.cursor = Cursor::Anywhere;
        self.begun()?.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.terminal.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_begun) {
            queue!(self.terminal, EndSynchronizedUpdate)?;
            Backend::flush(&mut self.terminal)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use ratatui::layout::Rect;
    use ratatui::widgets::Paragraph;
    use ratatui::{Frame, Terminal};

    use super::super::terminal::canvas;
    use super::*;

    #[derive(Clone, Default)]
    struct Sent(Rc<RefCell<Vec<u8>>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_like_the_one_before_sends_nothing() {
        let sent = Sent::default();
        let mut terminal = canvas(sent.clone()).unwrap();
        let frame = |terminal: &mut Terminal<QuietBackend<Sent>>, text: &str, cursor: Option<Position>| {
            sent.0.borrow_mut().clear();
            let draw = |frame: &mut Frame<'_>| {
                frame.render_widget(Paragraph::new(text), frame.area());
                if let Some(cursor) = cursor {
                    frame.set_cursor_position(cursor);
                }
            };
            terminal.draw(draw).unwrap();
            String::from_utf8(sent.0.borrow().clone()).unwrap()
        };
        let first = frame(&mut terminal, "one", None);
        assert!(
            first.starts_with("\x1b[?2026h") && first.ends_with("\x1b[?2026l") && first.contains("one"),
            "{first:?}"
        );
        assert_eq!(frame(&mut terminal, "one", None), "");
        let at = Some(Position::new(3, 0));
        assert!(frame(&mut terminal, "one", at).contains("\x1b[?25h"), "the cursor shows");
        assert_eq!(frame(&mut terminal, "one", at), "");
        assert!(frame(&mut terminal, "two", at).contains("\x1b[1;4H"), "drawing has moved it");
        assert!(frame(&mut terminal, "two", Some(Position::new(1, 0))).contains("\x1b[1;2H"));
        assert!(frame(&mut terminal, "two", None).contains("\x1b[?25l"), "and it is hidden");
        terminal.resize(Rect::new(0, 0, 80, 24)).unwrap();
        let whole = frame(&mut terminal, "two", None);
        assert!(
            whole.contains("two") && whole.contains("\x1b[?25l"),
            "what another program left is drawn over: {whole:?}"
        );
    }
}
