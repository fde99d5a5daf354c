//! The signals that ask the program to end. They are taken as messages, so that a request in progress can be settled and
//! the terminal given back first.

use std::fs::File;
use std::io;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long the engine may take to settle what is in progress once it is asked to stop. At worst an object has just begun:
/// looking at the router, making the service and, when the answer is lost, looking for it each take up to the 60 s a
/// request may. The rest is for the pauses between.
pub const SETTLING: Duration = Duration::from_secs(3 * 60 + 30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C where the terminal is not raw.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGQUIT, or one that osvpn has no use for and whose default is to end the program.
    Other,
}

pub type Signals = UnboundedReceiver<Signal>;

/// As [`listen`], and takes every other signal that ends a program, too, so that the terminal is given back before. Also
/// hears of it when the terminal hangs up without a SIGHUP: the kernel sends it only to
/// the session whose terminal it is.
pub fn listen_at_terminal(input: File) -> io::Result<Signals> {
    let (sender, receiver) = channel()?;
    for kind in [SignalKind::quit(), SignalKind::user_defined1(), SignalKind::user_defined2(), SignalKind::alarm()] {
        take(&sender, kind, Signal::Other)?;
    }
    thread::spawn(move || {
        let mut watched = [PollFd::new(&input, PollFlags::empty())];
        while let Err(Errno::INTR) = poll(&mut watched, None) {}
        if watched[0].revents().contains(PollFlags::HUP) {
            let _ = sender.send(Signal::HangUp);
        }
    });
    Ok(receiver)
}

pub fn listen() -> io::Result<Signals> {
    channel().map(|(_, receiver)| receiver)
}

fn channel() -> io::Result<(UnboundedSender<Signal>, Signals)> {
    let kinds = [
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::terminate(), Signal::Terminate),
        (SignalKind::hangup(), Signal::HangUp),
    ];
    let (sender, receiver) = unbounded_channel();
    for (kind, name) in kinds {
        take(&sender, kind, name)?;
    }
    Ok((sender, receiver))
}

fn take(sender: &UnboundedSender<Signal>, kind: SignalKind, name: Signal) -> io::Result<()> {
    let mut stream = signal(kind)?;
    let sender = sender.clone();
    tokio::spawn(async move { while stream.recv().await.is_some() && sender.send(name).is_ok() {} });
    Ok(())
}
