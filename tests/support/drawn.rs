//! A model as it looks on a terminal of its size.

use osvpn::view::{Theme, view};
use osvpn::wizard::Model;
use ratatui::Terminal;
use ratatui::backend::{Backend, TestBackend};
use ratatui::buffer::Buffer;

pub struct Drawn {
    pub buffer: Buffer,
    pub text: String,
    pub cursor: Option<(u16, u16)>,
}

/// Draws a model. The cursor is there only if the screen asked for it.
pub fn drawn(model: &Model, theme: &Theme) -> Drawn {
    let (columns, rows) = model.shell.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal
        .draw(|frame| {
            view(model, theme, frame);
        })
        .unwrap();
    let backend = terminal.backend_mut();
    let position = backend.get_cursor_position().unwrap();
    let cursor = backend.cursor_visible().then_some((position.x, position.y));
    let buffer = backend.buffer().clone();
    let rows = (0..rows).map(|row| {
        let mut line = String::new();
        let mut column = 0;
        while column < columns {
            let symbol = buffer[(column, row)].symbol();
            line.push_str(symbol);
            column += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol).max(1)).unwrap();
        }
        line.trim_end().to_owned()
    });
    let text = rows.collect::<Vec<_>>().join("\n");
    Drawn { buffer, text, cursor }
}
