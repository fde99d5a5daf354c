//! The terminal while the wizard has it, and its way back to what it was: exactly once, however the wizard ends.

use std::any::Any;
use std::io::{self, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::Tty;
use super::quiet::QuietBackend;

/// Whether the terminal is raw and on its alternate screen.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode on its alternate screen; given back when this is dropped.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal.
    /// Errors: if it refuses; it is given back first.
    pub fn take() -> io::Result<Self> {
        // From here on a failure half-way is undone by the drop.
        let guard = Self(());
        enter()?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    // A program that was killed has left the terminal on its alternate screen, with all that was there.
    execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All), EnableBracketedPaste)
}

/// Gives the terminal back, unless that has been done. What fails on the way fails because the terminal is gone.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), EndSynchronizedUpdate, DisableBracketedPaste, Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// What is drawn on: all of the terminal, as far as it tells how large it is.
pub fn canvas<W: Write>(to: W) -> io::Result<Terminal<QuietBackend<W>>> {
    let (columns, rows) = size();
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    Terminal::with_options(QuietBackend::new(to), TerminalOptions { viewport })
}

/// Columns and rows of the terminal. A serial line or a shell within an editor may not know them and say 0; then the
/// variables count that are there for it, or the size of most terminals.
pub fn size() -> (u16, u16) {
    let told = rustix::termios::tcgetwinsize(stdout()).ok();
    let variable = |name| std::env::var(name).ok().and_then(|value: String| value.trim().parse().ok());
    let first = |told: Option<u16>, name, usual| {
        told.filter(|size| *size > 0).or_else(|| variable(name).filter(|size| *size > 0)).unwrap_or(usual)
    };
    (first(told.map(|size| size.ws_col), "COLUMNS", 80), first(told.map(|size| size.ws_row), "LINES", 24))
}

/// Makes a panic of this thread give the terminal back and say one line. One of another thread must not touch the
/// screen, on which the wizard may still be drawing: it reaches the loop as a failed task, and ends it there.
pub fn on_panic() {
    let ours = thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
        let why = words(info.payload()).to_owned();
        tracing::error!("internal error: {why}{place}");
        if thread::current().id() != ours {
            return;
        }
        give_back();
        let _ = writeln!(
            io::stderr(),
            "osvpn: internal error: {why}{place}; please report it: osvpn bug-report collects what is needed"
        );
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            before(info);
        }
    }));
}

/// What a panic said; nearly all say it in one of these two ways.
pub(super) fn words(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic")
}

/// The terminal this process was started on.
#[derive(Debug)]
pub struct Console;

impl Tty for Console {
    fn size(&self) -> (u16, u16) {
        size()
    }

    fn copy(&mut self, text: &str) -> io::Result<bool> {
        // The console of Linux writes the sequence on the screen.
        if std::env::var("TERM").is_ok_and(|term| term == "linux") {
            return Ok(false);
        }
        execute!(stdout(), CopyToClipboard::to_clipboard_from(text))?;
        Ok(true)
    }

    #[cfg(unix)]
    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        enter()
    }

    fn take_again(&mut self) -> io::Result<()> {
        // Crossterm takes it for raw still, whatever the shell has made of it.
        disable_raw_mode()?;
        enter()
    }
}

/// Whether the terminal can show a full-screen program.
pub fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

/// Whether colours are wanted: unless `NO_COLOR` is set to anything (no-color.org).
pub fn wants_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether the locale's encoding is UTF-8, so that box-drawing characters arrive as such. The first variable that is set
/// decides, as in the C library; without any, the locale is C.
pub fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    locale.into_iter().find(|value| !value.is_empty()).is_some_and(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
