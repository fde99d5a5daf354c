//! Asks on the controlling terminal, for the commands that have no screen: as `ssh` and `sudo` do, also where standard input
//! and output are something else. Nothing that is typed there is shown.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Signal, getpgrp};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_blocking;

use super::aside::{self, Asking};
use crate::cloud::Person;
use crate::cloud::person::{Question, Reply, Said, Wanted};

/// As much as a terminal gives of one line.
const LONGEST_LINE: usize = 4096;

/// The person at the controlling terminal. When this is dropped no question is open any more, and the terminal shows again
/// what is typed.
#[derive(Debug)]
pub struct AtTerminal {
    person: Person,
    tty: Arc<ControllingTerminal>,
}

impl AtTerminal {
    /// None if there is no controlling terminal, or it belongs to another process now: a process that reads in the background is
    /// stopped.
    ///
    /// Must be called within a runtime.
    #[must_use]
    pub fn find() -> Option<Self> {
        let file = File::options().read(true).write(true).open("/dev/tty").ok()?;
        let tty = Arc::new(ControllingTerminal { file, before: Mutex::default() });
        if !tty.is_ours() {
            return None;
        }
        let (person, said) = Person::new();
        tokio::spawn(answer(Arc::clone(&tty), said));
        Some(Self { person, tty })
    }

    /// Asks for a secret that belongs to no sign-in. None if nothing is typed.
    pub async fn secret(&self, introduction: &str, label: &str) -> io::Result<Option<SecretString>> {
        let _asking = Asking::begin();
        self.tty.say(&format!("\n{introduction}\n"))?;
        let line = hidden_line(&self.tty, label).await;
        self.tty.show();
        Ok(line?.filter(|line| !line.expose_secret().is_empty()))
    }

    pub fn person(&self) -> Person {
        self.person.clone()
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        self.person.leave();
        self.tty.show();
        aside::nothing_is_asked();
    }
}

#[derive(Debug)]
struct ControllingTerminal {
    file: File,
    /// How its lines were before typing was hidden.
    before: Mutex<Option<Termios>>,
}

impl ControllingTerminal {
    fn is_ours(&self) -> bool {
        tcgetpgrp(&self.file).is_ok_and(|group| group == getpgrp())
    }

    fn say(&self, text: &str) -> io::Result<()> {
        (&self.file).write_all(text.as_bytes())
    }

    /// Shows nothing of what is typed from now on, and forgets what was typed before it was asked for.
    fn hide(&self) -> io::Result<()> {
        let before = tcgetattr(&self.file)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&self.file, OptionalActions::Flush, &hidden)?;
        self.before.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(before);
        Ok(())
    }

    fn show(&self) {
        if let Some(before) = self.before.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A terminal that is gone has nothing to be put right.
            let _ = tcsetattr(&self.file, OptionalActions::Now, &before);
        }
    }

    /// One line without its end; none at the end of the input.
    fn line(&self) -> io::Result<Option<SecretString>> {
        let mut line = Zeroizing::new([0; LONGEST_LINE]);
        let read = (&self.file).read(&mut *line)?;
        let text = str::from_utf8(&line[..read]).map_err(io::Error::other)?;
        Ok((read > 0).then(|| SecretString::from(text.trim_end_matches(['\r', '\n']))))
    }
}

/// Receives questions for as long as they may come.
async fn answer(tty: Arc<ControllingTerminal>, mut said: UnboundedReceiver<Said>) {
    while let Some(said) = said.recv().await {
        let Said::Asked(question, mut reply) = said else { continue };
        let answer = tokio::select! {
            answer = ask(&tty, &question) => answer.unwrap_or_default(),
            // The thread that reads ends with the program: the program ends then.
            () = reply.closed() => None,
        };
        tty.show();
        let _ = reply.send(answer);
    }
}

/// None if nothing is typed.
async fn ask(tty: &Arc<ControllingTerminal>, question: &Question) -> io::Result<Option<Reply>> {
    if !tty.is_ours() {
        return Ok(None);
    }
    let _asking = Asking::begin();
    tty.say(&introduction(question))?;
    let mut reply = Reply::default();
    for part in question.wanted.parts() {
        let Some(line) = hidden_line(tty, part.label()).await? else { break };
        reply = reply.with(*part, line);
    }
    Ok((!reply.is_empty()).then_some(reply))
}

/// One line, hidden. After Ctrl-Z and fg one finds the terminal as the shell has left it, and the
/// prompt far above.
async fn hidden_line(tty: &Arc<ControllingTerminal>, label: &str) -> io::Result<Option<SecretString>> {
    let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    let prompt = || tty.hide().and_then(|()| tty.say(&format!("{label}: ")));
    prompt()?;
    let reading = Arc::clone(tty);
    let mut line = spawn_blocking(move || reading.line());
    loop {
        tokio::select! {
            line = &mut line => return line.map_err(io::Error::other)?,
            // In the background the reader is stopped again, and hears of it once it is in the foreground.
            Some(()) = continued.recv() => if tty.is_ours() { prompt()? },
        }
    }
}

fn introduction(question: &Question) -> String {
    let mut text = format!("\n{}.\n", question.title());
    let refused = question.refused.iter().cloned();
    for line in refused.chain(question.text()) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(match question.wanted {
        Wanted::Consent => "",
        Wanted::Appended => "What you type is not shown. Two empty lines give up.\n",
        _ => "What you type is not shown. An empty line cancels.\n",
    });
    text
}
