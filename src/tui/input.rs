//! What comes from the terminal: its bytes as keys and pastes, and the signals that are about it.
//!
//! The bytes are read here and not by crossterm. Its parser waits for ever for the end of a paste, types the rest of a
//! reply it does not know as if a person had, and does not know the Enter of a keypad.

mod csi;
mod lines;
mod parser;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::thread;
use std::time::Instant;

use crossterm::event::KeyEvent;
use futures::{Stream, stream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Sender, channel};

use parser::Parser;

/// How many inputs may wait before reading stops.
const WAITING: usize = 256;
/// Bytes of one read. More than a screenful of keys, and the rest is read next.
const CHUNK: usize = 1024;

/// Something that came from the terminal.
#[derive(Debug)]
pub enum Input {
    /// A key went down. An Enter that was held, or came together with other text, is a repeat.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(SecretString),
    /// The mouse was pressed there, counted from 0.
    Click {
        column: u16,
        row: u16,
    },
    Wheel {
        is_up: bool,
    },
    /// A line was typed.
    Line(SecretString),
    /// The end of the input where a line would begin: Ctrl-D.
    End,
    /// The window may have another size.
    Resized,
    /// The process is to stop (SIGTSTP).
    Stop,
    /// The process goes on after it was stopped (SIGCONT).
    Continued,
}

/// Reads the keys of a terminal in raw mode from now on.
pub fn listen(terminal: File) -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
    listen_with(terminal, read)
}

/// Reads the lines of a terminal that edits them.
pub fn listen_to_lines(terminal: File) -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
    listen_with(terminal, lines::read)
}

fn listen_with(
    terminal: File,
    read: fn(&File, &Sender<io::Result<Input>>) -> io::Error,
) -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
    let (sender, mut receiver) = channel(WAITING);
    let (stop, go_on) = (rustix::process::Signal::TSTP.as_raw(), rustix::process::Signal::CONT.as_raw());
    forward(SignalKind::window_change(), || Input::Resized, &sender)?;
    forward(SignalKind::from_raw(stop), || Input::Stop, &sender)?;
    forward(SignalKind::from_raw(go_on), || Input::Continued, &sender)?;
    thread::spawn(move || {
        let why = read(&terminal, &sender);
        // The receiver is gone once the wizard is over.
        let _ = sender.blocking_send(Err(why));
    });
    Ok(stream::poll_fn(move |context| receiver.poll_recv(context)))
}

fn forward(kind: SignalKind, input: fn() -> Input, sender: &Sender<io::Result<Input>>) -> io::Result<()> {
    let mut signals = signal(kind)?;
    let sender = sender.clone();
    tokio::spawn(async move { while signals.recv().await.is_some() && sender.send(Ok(input())).await.is_ok() {} });
    Ok(())
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it was closed")
}

/// Reads until that fails, and says why. What has arrived is read before any time is up, so that a busy machine tears no
/// reply apart.
fn read(terminal: &File, sender: &Sender<io::Result<Input>>) -> io::Error {
    let begun = Instant::now();
    let mut parser = Parser::default();
    let mut chunk = Zeroizing::new([0; CHUNK]);
    loop {
        let left = parser.deadline().map(|deadline| deadline.saturating_sub(begun.elapsed()));
        let left = left.map(|left| Timespec::try_from(left).unwrap_or_default());
        let mut watched = [PollFd::new(terminal, PollFlags::IN)];
        let inputs = match poll(&mut watched, left.as_ref()) {
            Ok(0) => parser.expire(begun.elapsed()),
            Ok(_) => match rustix::io::read(terminal, &mut chunk[..]) {
                Ok(0) => return ended(),
                Ok(count) => parser.feed(chunk.get(..count).unwrap_or_default(), begun.elapsed()),
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(error) => return error.into(),
            },
            Err(Errno::INTR) => continue,
            Err(error) => return error.into(),
        };
        for input in inputs {
            if sender.blocking_send(Ok(input)).is_err() {
                return io::ErrorKind::BrokenPipe.into();
            }
        }
    }
}
