//! Lines on standard error beside the questions on the terminal: while a question is open they are held back, so that it
//! stays the last thing on the screen, and come once it is answered.

use std::io::{Write, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// There is one terminal for a process.
static LINES: Mutex<HeldLines> = Mutex::new(HeldLines { questions: 0, held: Vec::new() });

struct HeldLines {
    questions: usize,
    held: Vec<String>,
}

impl HeldLines {
    fn of_process() -> MutexGuard<'static, Self> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&mut self) {
        for line in self.held.drain(..) {
            print(&line);
        }
    }
}

/// Says a line, now or after the question that is open.
pub fn say(line: &str) {
    let mut lines = HeldLines::of_process();
    if lines.questions == 0 { print(line) } else { lines.held.push(line.to_owned()) }
}

/// Standard error may be closed.
fn print(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// A question is open until this is dropped.
#[derive(Debug)]
pub struct Asking(());

impl Asking {
    /// From before the question is written.
    #[must_use]
    pub fn begin() -> Self {
        HeldLines::of_process().questions += 1;
        Self(())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut lines = HeldLines::of_process();
        lines.questions = lines.questions.saturating_sub(1);
        if lines.questions == 0 {
            lines.release();
        }
    }
}

/// No question is open any more; a task that waited for an answer may never drop its [`Asking`].
pub(super) fn nothing_is_asked() {
    let mut lines = HeldLines::of_process();
    lines.questions = 0;
    lines.release();
}
