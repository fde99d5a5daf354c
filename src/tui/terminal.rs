//! The terminal while the wizard has it, and its way back to what it was: exactly once, however the wizard ends.

use std::any::Any;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::style::Print;
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::process::getpgrp;
use rustix::termios::{InputModes, LocalModes, OptionalActions, OutputModes, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use super::Tty;
use super::lines::LineTty;
use super::quiet::QuietBackend;
use crate::wizard::SMALLEST;

/// Reports of buttons and the wheel, in SGR form; not of every movement, as crossterm would have it.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

const BELL: &str = "\x07";

/// Whether the terminal is raw and on its alternate screen.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// How the terminal was before lines were read from it.
static BEFORE_LINES: Mutex<Option<Termios>> = Mutex::new(None);
static DEVICE: OnceLock<Device> = OnceLock::new();

/// What the wizard is shown on, and typed at.
#[derive(Debug)]
pub struct Device {
    input: File,
    output: File,
}

impl Device {
    /// The terminal that is standard input and output; where one of them is none, the controlling terminal, so that what is
    /// printed at the end can be kept. None if there is none, or it belongs to another process now.
    pub fn find() -> Option<&'static Self> {
        let found = if stdin().is_terminal() && stdout().is_terminal() {
            let (input, output) = (stdin().as_fd().try_clone_to_owned(), stdout().as_fd().try_clone_to_owned());
            Self { input: input.ok()?.into(), output: output.ok()?.into() }
        } else {
            let tty = File::options().read(true).write(true).open("/dev/tty").ok()?;
            if tcgetpgrp(&tty).ok()? != getpgrp() {
                return None;
            }
            Self { input: tty.try_clone().ok()?, output: tty }
        };
        Some(DEVICE.get_or_init(|| found))
    }

    pub fn input(&self) -> io::Result<File> {
        self.input.try_clone()
    }

    pub fn output(&self) -> BufWriter<&File> {
        BufWriter::new(&self.output)
    }
}

fn output() -> io::Result<&'static File> {
    DEVICE.get().map(|device| &device.output).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The terminal in raw mode on its alternate screen, or ready for lines; given back when this is dropped.
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

    /// Takes the terminal as one that edits lines.
    pub fn take_lines() -> io::Result<Self> {
        let guard = Self(());
        edit_lines(true)?;
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
    let mut out = output()?;
    // A program that was killed has left the terminal on its alternate screen, with all that was there.
    execute!(out, EnterAlternateScreen, Clear(ClearType::All), EnableBracketedPaste, Print(MOUSE_ON))
}

/// Has the terminal edit lines, whatever the program before has left it in, and show what is typed or not.
fn edit_lines(is_shown: bool) -> io::Result<()> {
    let terminal = output()?;
    let before = tcgetattr(terminal)?;
    let mut lines = before.clone();
    BEFORE_LINES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(before);
    lines.input_modes.insert(InputModes::ICRNL);
    lines.output_modes.insert(OutputModes::OPOST | OutputModes::ONLCR);
    lines.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
    lines.local_modes.set(LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK, is_shown);
    lines.local_modes.set(LocalModes::ECHONL, !is_shown);
    tcsetattr(terminal, if is_shown { OptionalActions::Now } else { OptionalActions::Flush }, &lines)?;
    Ok(())
}

/// Gives the terminal back, unless that has been done. What fails on the way fails because the terminal is gone.
pub fn give_back() {
    let Ok(mut out) = output() else { return };
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ =
            execute!(out, EndSynchronizedUpdate, Print(MOUSE_OFF), DisableBracketedPaste, Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
    if let Some(before) = BEFORE_LINES.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(out, OptionalActions::Now, &before);
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
    let told = output().ok().and_then(|terminal| rustix::termios::tcgetwinsize(terminal).ok());
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
        if is_bare() {
            return Ok(false);
        }
        let mut out = output()?;
        execute!(out, CopyToClipboard::to_clipboard_from(text))?;
        Ok(true)
    }

    fn ring(&mut self, text: &str) -> io::Result<()> {
        if std::env::var_os("OSVPN_BELL").is_some_and(|value| value == "0") {
            return Ok(());
        }
        let mut out = output()?;
        // OSC 9, which ends with the bell: a terminal that knows it shows the text, another one rings.
        let text: String = text.chars().filter(|character| !character.is_control()).collect();
        let sign = if is_bare() { BELL.to_owned() } else { format!("\x1b]9;{text}{BELL}{BELL}") };
        execute!(out, Print(sign))
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

/// The terminal this process was started on, where it edits lines.
#[derive(Debug)]
pub struct LineConsole;

impl Tty for LineConsole {
    /// Nothing is cut or hidden for want of room.
    fn size(&self) -> (u16, u16) {
        (self.columns().max(SMALLEST.0), SMALLEST.1)
    }

    fn copy(&mut self, _: &str) -> io::Result<bool> {
        Ok(false)
    }

    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        edit_lines(true)
    }

    fn take_again(&mut self) -> io::Result<()> {
        edit_lines(true)
    }
}

impl LineTty for LineConsole {
    fn columns(&self) -> u16 {
        size().0
    }

    fn show_typing(&mut self, is_shown: bool) -> io::Result<()> {
        edit_lines(is_shown)
    }
}

/// Whether the terminal can show a full-screen program.
pub fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

/// Whether the terminal is a console or an old one: without a clipboard, and with few signs.
fn is_bare() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "linux" || is_old(&term))
}

/// Those before colours; `vt100` may be followed by a variant.
fn is_old(term: &str) -> bool {
    ["vt100", "vt102", "vt220", "vt320", "vt52"].iter().any(|old| term == *old || term.starts_with(&format!("{old}-")))
}

/// Whether colours are wanted, where there are any: unless `NO_COLOR` is set to anything (no-color.org).
pub fn wants_color() -> bool {
    let is_colourless = std::env::var("TERM").is_ok_and(|term| is_old(&term));
    !is_colourless && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether signs may move: unless `NO_MOTION` is set to anything, or `OSVPN_MOTION` to 0.
pub fn wants_motion() -> bool {
    std::env::var_os("NO_MOTION").is_none_or(|value| value.is_empty())
        && std::env::var_os("OSVPN_MOTION").is_none_or(|value| value != "0")
}

/// Whether the terminal has the signs beyond ASCII, and the locale's encoding brings them there.
pub fn has_signs() -> bool {
    is_utf8() && !is_bare()
}

/// Whether the locale's encoding is UTF-8, so that box-drawing characters arrive as such. The first variable that is set
/// decides, as in the C library; without any, the locale is C.
fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    locale.into_iter().find(|value| !value.is_empty()).is_some_and(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
