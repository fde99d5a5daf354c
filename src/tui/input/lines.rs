//! Lines, as the terminal gives them when they are complete.

use std::fs::File;
use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::sync::mpsc::Sender;

use super::{Input, ended};

/// As much as a terminal gives of one line.
const LONGEST_LINE: usize = 4096;

/// Reads until that fails, and says why.
pub(super) fn read(terminal: &File, sender: &Sender<io::Result<Input>>) -> io::Error {
    let mut chunk = Zeroizing::new([0; LONGEST_LINE]);
    let mut held = Zeroizing::new(Vec::with_capacity(2 * LONGEST_LINE));
    loop {
        let mut watched = [PollFd::new(terminal, PollFlags::IN)];
        let read = match poll(&mut watched, None).and_then(|_| rustix::io::read(terminal, &mut chunk[..])) {
            Ok(read) => read,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => return error.into(),
        };
        if read == 0 && watched[0].revents().contains(PollFlags::HUP) {
            return ended();
        }
        let bytes = chunk.get(..read).unwrap_or_default();
        held.extend_from_slice(bytes);
        // An end of the file where a line has begun only hands over what there is.
        let input = match held.last() {
            None => Input::End,
            Some(b'\n') => Input::Line(line(&mut held)),
            Some(_) if read == 0 || held.len() >= LONGEST_LINE => Input::Line(line(&mut held)),
            Some(_) => continue,
        };
        if sender.blocking_send(Ok(input)).is_err() {
            return io::ErrorKind::BrokenPipe.into();
        }
    }
}

fn line(held: &mut Zeroizing<Vec<u8>>) -> SecretString {
    let line = SecretString::from(String::from_utf8_lossy(held).trim_end_matches(['\r', '\n']));
    held.clear();
    line
}
