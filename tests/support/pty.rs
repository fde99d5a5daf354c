//! The built program in a terminal of its own: a pseudo-terminal with a screen behind it. Nothing here sleeps; everything
//! waits for something to appear, with a deadline; only a person who reads takes their time.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Long enough for a loaded machine; only a failing test waits so long.
const DEADLINE: Duration = Duration::from_secs(60);

/// The lines of the first page below what is proposed, by their filter; Enter takes them.
pub const STEPWISE: &str = "/step by step";
pub const SINGLE: &str = "/outside peer";
pub const YOUR_VPNS: &str = "/your vpns";

/// Longer than the program waits before it takes an Enter for what it has just shown.
const READING: Duration = Duration::from_millis(900);

/// What the reader has seen so far.
struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    is_closed: bool,
    /// When the terminal is to be closed.
    closing: Option<Closing>,
}

/// When a terminal that is to be closed is: upon anything that is written, or only when a frame is complete.
#[derive(Clone, Copy, PartialEq)]
pub enum Closing {
    AtOnce,
    AfterFrame,
}

impl Seen {
    /// Whether a frame has begun and not ended: what the screen shows is then partly the one before.
    fn is_drawing(&self) -> bool {
        let last = |mark: &[u8]| self.bytes.windows(mark.len()).rposition(|window| window == mark);
        last(b"\x1b[?2026h") > last(b"\x1b[?2026l")
    }
}

pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    writer: Option<Box<dyn Write + Send>>,
    child: Option<Box<dyn Child + Send + Sync>>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    pub started: Instant,
    /// How long anything is waited for.
    pub patience: Duration,
    settings: String,
}

fn osvpn(args: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osvpn"));
    command.args(args);
    command
}

fn cells(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).unwrap()
}

impl Pty {
    /// Starts osvpn on 80 columns and 24 rows with nothing in its environment but these variables, a home of its own,
    /// and what a terminal sets.
    pub fn start(home: &Path, args: &[&str], vars: &[(&str, String)]) -> Self {
        Self::start_in(true, home, args, vars)
    }

    /// As [`Self::start`]; unless the terminal is that of the program's session, no signal comes from it.
    pub fn start_in(session: bool, home: &Path, args: &[&str], vars: &[(&str, String)]) -> Self {
        Self::start_on((80, 24), session, home, osvpn(args), vars)
    }

    /// As [`Self::start`], on a terminal that says it has so many columns and rows. What has none shows 120 by 40.
    pub fn start_sized(size: (u16, u16), home: &Path, args: &[&str], vars: &[(&str, String)]) -> Self {
        Self::start_on(size, true, home, osvpn(args), vars)
    }

    /// Has a shell run a line, in which `$OSVPN` is the program.
    pub fn start_shell(home: &Path, line: &str) -> Self {
        Self::start_shell_with(home, line, &[("OSVPN", env!("CARGO_BIN_EXE_osvpn").to_owned())])
    }

    /// The same with those variables besides.
    pub fn start_shell_with(home: &Path, line: &str, vars: &[(&str, String)]) -> Self {
        let mut shell = CommandBuilder::new("/bin/sh");
        shell.args(["-c", line]);
        Self::start_on((80, 24), true, home, shell, vars)
    }

    fn start_on(
        (cols, rows): (u16, u16),
        session: bool,
        home: &Path,
        mut command: CommandBuilder,
        vars: &[(&str, String)],
    ) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let shown = |size, otherwise| cells(if size == 0 { otherwise } else { size });
        let pair = native_pty_system().openpty(size).unwrap();
        command.set_controlling_tty(session);
        command.env_clear();
        command.cwd(home);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")] {
            command.env(name, value);
        }
        command.env("HOME", home);
        for (name, value) in vars {
            command.env(name, value);
        }
        let settings = settings(&*pair.master);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(shown(rows, 40), shown(cols, 120), 1000);
        let seen =
            Arc::new((Mutex::new(Seen { parser, bytes: Vec::new(), is_closed: false, closing: None }), Condvar::new()));
        let reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || read(reader, &shared));
        let writer = Some(pair.master.take_writer().unwrap());
        Self { master: pair.master, writer, child: Some(child), seen, started, patience: DEADLINE, settings }
    }

    /// Waits until the screen shows that text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits for a step and for what it shows of the cloud: the first is asked before there is a sign-in.
    #[track_caller]
    pub fn settled(&self, step: &str) -> String {
        self.settled_at(&[step]).1
    }

    /// The same for the first of these steps that is asked: one with a single candidate is not.
    #[track_caller]
    pub fn settled_at<'a>(&self, steps: &[&'a str]) -> (&'a str, String) {
        let is_reading = |screen: &str| {
            screen.lines().any(|line| line.trim_end().ends_with(" read"))
                || ["not signed in", "Reading ", " reading"].iter().any(|words| screen.contains(words))
        };
        let asked = |screen: &str| steps.iter().copied().find(|step| screen.contains(step));
        let screen = self.wait(&steps.join(" or "), |screen| asked(screen).is_some() && !is_reading(screen));
        (asked(&screen).unwrap(), screen)
    }

    /// Waits until the screen is as wanted, and returns it.
    #[track_caller]
    pub fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.wait_seen(what, |screen| wanted(&screen.contents()))
    }

    #[track_caller]
    fn wait_seen(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> String {
        let (seen, changed) = &*self.seen;
        let deadline = Instant::now() + self.patience;
        let mut seen = seen.lock().unwrap();
        loop {
            let screen = seen.parser.screen();
            if !seen.is_drawing() && wanted(screen) {
                return screen.contents();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let contents = screen.contents();
            assert!(!left.is_zero() && !seen.is_closed, "waited for {what}; the screen shows\n{contents}\n");
            seen = changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Waits until the program is on the alternate screen, or off it.
    #[track_caller]
    pub fn wait_alternate(&self, wanted: bool) {
        self.wait_seen("the other screen", |screen| screen.alternate_screen() == wanted);
    }

    pub fn send(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Waits for a text, then presses Enter as [`Self::confirm`] does.
    #[track_caller]
    pub fn enter_at(&mut self, text: &str) {
        self.wait_for(text);
        self.confirm("\r");
    }

    /// Lets a moment pass in which nothing is typed.
    pub fn pause() {
        std::thread::sleep(READING / 4);
    }

    /// Makes the terminal edit and echo lines, as a shell does when it gets it.
    pub fn cook(&self) {
        let tty = self.master.tty_name().unwrap();
        let cooked = ["-F", tty.to_str().unwrap(), "icrnl", "ixon", "opost", "echo", "icanon", "isig", "iexten"];
        let stty = std::process::Command::new("stty").args(cooked).status();
        assert!(stty.unwrap().success());
    }

    /// Waits until the program gets every key as it is pressed.
    #[track_caller]
    pub fn wait_raw(&self) {
        let deadline = Instant::now() + DEADLINE;
        while settings(&*self.master) == self.settings || settings(&*self.master).contains("ICANON") {
            assert!(Instant::now() < deadline, "the terminal is not taken again: {}", settings(&*self.master));
            std::thread::yield_now();
        }
    }

    /// Presses keys that confirm what is on the screen once it is read: before that it takes no Enter.
    pub fn confirm(&mut self, keys: &str) {
        std::thread::sleep(READING);
        self.send(keys);
    }

    /// Leaves a VPN that is ACTIVE without the rules it lacks.
    #[track_caller]
    pub fn finish(&mut self) {
        self.wait_for("[ Admit traffic ]");
        self.send("\t");
        self.enter_at("[ Finish ]");
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.seen.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().process_id().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let killed = std::process::Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(killed.unwrap().success());
    }

    /// Waits until the program has been stopped by job control.
    #[track_caller]
    pub fn wait_stopped(&self) {
        let deadline = Instant::now() + DEADLINE;
        let stat = format!("/proc/{}/stat", self.pid());
        let is_stopped = || std::fs::read_to_string(&stat).unwrap().rsplit(')').next().unwrap().starts_with(" T");
        while !is_stopped() {
            assert!(Instant::now() < deadline, "the program does not stop");
            std::thread::yield_now();
        }
    }

    /// Has the terminal show again what is typed.
    pub fn show_typing(&self) {
        let name = self.master.tty_name().unwrap();
        let done = std::process::Command::new("stty").arg("-F").arg(name).args(["echo", "icanon"]).status();
        assert!(done.unwrap().success());
    }

    /// Closes the terminal under the program, as a lost connection does, once it has written something more.
    pub fn close(mut self, when: Closing) -> Box<dyn Child + Send + Sync> {
        let (seen, changed) = &*self.seen;
        let mut seen = seen.lock().unwrap();
        seen.closing = Some(when);
        // The terminal is closed only when its reader has let go of it, too.
        let (seen, waited) = changed.wait_timeout_while(seen, DEADLINE, |seen| !seen.is_closed).unwrap();
        assert!(!waited.timed_out(), "the program writes nothing more");
        drop(seen);
        self.child.take().unwrap()
    }

    /// Waits for the end of the program, and returns its exit code and what it printed.
    #[track_caller]
    pub fn end(mut self) -> (u32, Printed) {
        let (seen, changed) = &*self.seen;
        let (seen, waited) =
            changed.wait_timeout_while(seen.lock().unwrap(), DEADLINE, |seen| !seen.is_closed).unwrap();
        let screen = seen.parser.screen();
        if waited.timed_out() {
            let screen = screen.contents();
            self.child.as_mut().unwrap().kill().unwrap();
            panic!("the program does not end; the screen shows\n{screen}\n");
        }
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "pasting is as it was");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is as it was");
        let printed = Printed::from(&seen.bytes[..]);
        drop(seen);
        assert_eq!(settings(&*self.master), self.settings, "the line settings are as they were");
        (self.child.as_mut().unwrap().wait().unwrap().exit_code(), printed)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
        }
    }
}

/// The terminal's line settings as text: whether it echoes, edits lines, makes signals of keys.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

/// What a program that has ended has written to its terminal.
pub struct Printed {
    /// Every byte of it.
    pub everything: String,
    /// What came once the alternate screen was gone: what the user is left with.
    pub said: String,
}

impl Printed {
    /// What the user's eye rests on when the program is gone.
    pub fn last_line(&self) -> &str {
        self.said.trim_end().lines().last().unwrap_or_default()
    }
}

impl From<&[u8]> for Printed {
    fn from(bytes: &[u8]) -> Self {
        let everything = String::from_utf8_lossy(bytes).into_owned();
        let (_, after) = everything.rsplit_once("\x1b[?1049l").unwrap_or(("", &everything));
        Self { said: after.replace("\r\n", "\n"), everything }
    }
}

fn read(reader: Box<dyn Read + Send>, shared: &(Mutex<Seen>, Condvar)) {
    let mut reader = Some(reader);
    let mut buffer = [0; 4096];
    while let Some(open) = &mut reader {
        let read = open.read(&mut buffer).unwrap_or(0);
        let mut seen = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.bytes.extend_from_slice(&buffer[..read]);
        seen.parser.process(&buffer[..read]);
        let is_time = match seen.closing {
            None => false,
            Some(Closing::AtOnce) => true,
            Some(Closing::AfterFrame) => !seen.is_drawing(),
        };
        if read == 0 || is_time {
            // Before anybody hears of it.
            reader = None;
        }
        seen.is_closed = reader.is_none();
        shared.1.notify_all();
    }
}
