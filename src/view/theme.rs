//! What things mean on the screen, and how that looks. Screens ask for meanings; colours and glyphs are chosen here.
//!
//! Only the terminal's own foreground, background and ANSI colours are used, and neither white, black nor grey, so both
//! light and dark terminals stay legible. Yellow and blue are left out too: each is hard to read on one of them. Without
//! colour everything is said by bold, dim and reversed, because `NO_COLOR` must not cost the cursor. No meaning is in a
//! colour alone: a glyph or a word always says the same.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::cloud::Status;
use crate::plan::Severity;

/// The characters that are not letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub done: &'static str,
    pub here: &'static str,
    /// Not begun yet.
    pub ahead: &'static str,
    pub bad: &'static str,
    pub warning: &'static str,
    pub notice: &'static str,
    pub pointer: &'static str,
    pub mask: &'static str,
    pub ellipsis: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub turn: (&'static str, &'static str),
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub tee: &'static str,
    pub tunnel: &'static str,
    pub arrow: &'static str,
    /// The filled and the empty part of a meter.
    pub meter: (&'static str, &'static str),
    pub spinner: &'static [&'static str],
    pub border: border::Set<'static>,
    pub focused_border: border::Set<'static>,
}

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

const UNICODE: Glyphs = Glyphs {
    done: "✓",
    here: "●",
    ahead: "○",
    bad: "✗",
    warning: "!",
    notice: "i",
    pointer: "›",
    mask: "•",
    ellipsis: "…",
    up: "↑",
    down: "↓",
    turn: ("‹", "›"),
    horizontal: "─",
    vertical: "│",
    tee: "┬",
    tunnel: "═",
    arrow: "→",
    meter: ("━", "─"),
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    border: border::PLAIN,
    focused_border: border::THICK,
};

const ASCII: Glyphs = Glyphs {
    done: "+",
    here: "*",
    ahead: "-",
    bad: "x",
    warning: "!",
    notice: "i",
    pointer: ">",
    mask: "*",
    ellipsis: "..",
    up: "^",
    down: "v",
    turn: ("<", ">"),
    horizontal: "-",
    vertical: "|",
    tee: "+",
    tunnel: "=",
    arrow: "->",
    meter: ("#", "-"),
    spinner: &["|", "/", "-", "\\"],
    border: ASCII_BORDER,
    focused_border: border::Set { horizontal_top: "=", horizontal_bottom: "=", ..ASCII_BORDER },
};

/// What stands for a moving sign where nothing moves.
const STILL: &[&str] = &["..."];
const UNICODE_LINES: Glyphs = Glyphs { spinner: STILL, pointer: ">", tunnel: "=", ..UNICODE };
const ASCII_LINES: Glyphs = Glyphs { spinner: STILL, ..ASCII };

#[derive(Clone, Copy, Debug)]
pub struct Theme {
    color: bool,
    /// Whether it is for lines that are only appended to: nothing moves, and time passes in steps.
    pub(super) is_still: bool,
    /// Whether signs may move on a screen.
    pub(super) moves: bool,
    /// The characters that are not letters.
    pub glyphs: &'static Glyphs,
}

impl Theme {
    /// With or without colours (`NO_COLOR`), with or without characters beyond ASCII (the locale's encoding).
    #[must_use]
    pub const fn new(color: bool, unicode: bool) -> Self {
        Self { color, is_still: false, moves: true, glyphs: if unicode { &UNICODE } else { &ASCII } }
    }

    /// For a text of lines.
    #[must_use]
    pub const fn of_lines(unicode: bool) -> Self {
        Self { color: false, is_still: true, moves: false, glyphs: if unicode { &UNICODE_LINES } else { &ASCII_LINES } }
    }

    /// The same without anything that moves, if that is not wanted (`NO_MOTION`, `OSVPN_MOTION=0`).
    #[must_use]
    pub const fn moving(self, moves: bool) -> Self {
        Self { moves, ..self }
    }

    fn coloured(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    pub fn status(self, status: &Status) -> (&'static str, Style) {
        match status {
            Status::Active => (self.glyphs.done, self.good().patch(self.title())),
            Status::Error => (self.glyphs.bad, self.bad()),
            Status::Down
            | Status::PendingCreate
            | Status::PendingUpdate
            | Status::Build
            | Status::PendingDelete
            | Status::Other(_) => (self.glyphs.ahead, self.text()),
        }
    }

    pub const fn text(self) -> Style {
        Style::new()
    }

    /// What a screen or a part of it is about.
    pub fn title(self) -> Style {
        self.text().add_modifier(Modifier::BOLD)
    }

    /// What matters less: labels, lines that cannot be taken, steps ahead.
    pub fn dim(self) -> Style {
        self.text().add_modifier(Modifier::DIM)
    }

    /// Where the user is: the current step, the focused field, keys to press.
    pub fn accent(self) -> Style {
        self.coloured(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub fn cursor(self) -> Style {
        self.text().add_modifier(Modifier::REVERSED)
    }

    pub fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    pub fn bad(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn warning(self) -> Style {
        self.coloured(Color::Magenta).add_modifier(Modifier::BOLD)
    }

    pub fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Refusal => self.bad(),
            Severity::Warning => self.warning(),
            Severity::Notice => self.accent(),
        }
    }

    pub const fn severity_glyph(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Refusal => self.glyphs.bad,
            Severity::Warning => self.glyphs.warning,
            Severity::Notice => self.glyphs.notice,
        }
    }
}
