//! The wizard on a terminal: one loop that turns keys, answers, engine events, time and signals into messages, and
//! carries out the effects. It never waits for anything but the next message, and shows only what has changed.
//!
//! The loop is generic over its front end, input and terminal, so that tests drive the whole program without one.

mod effects;
pub mod input;
mod lines;
mod quiet;
mod saved_file;
mod screen;
pub mod terminal;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use futures::{Stream, StreamExt};
use secrecy::ExposeSecret;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::system::signals::{SETTLING, Signal};
use crate::wizard::{Beginning, Effect, Message, Model, update};
use effects::{Effects, News};
pub use input::Input;
pub use lines::Lines;
pub use screen::FullScreen;

/// How fast things move on the screen.
const TICK: Duration = Duration::from_millis(120);
/// How many messages may pass before the screen shows them, so that a flood of them cannot hide it.
const BATCH: usize = 256;

/// What the loop asks of the terminal besides drawing.
pub trait Tty {
    /// Its columns and rows; never none.
    fn size(&self) -> (u16, u16);

    /// Sends a text for the clipboard; false if the terminal is known to have none.
    fn copy(&mut self, text: &str) -> io::Result<bool>;

    /// Calls whoever has turned away, where that is wanted.
    fn ring(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    /// Gives the terminal back to the shell, stops the process, and takes the terminal again when it goes on.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal again after another program may have used it.
    fn take_again(&mut self) -> io::Result<()>;
}

/// What came of the wizard.
#[derive(Debug)]
pub struct Ended {
    /// Its last state.
    pub model: Model,
    /// Why it ended.
    pub why: Why,
}

/// Why the loop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The wizard is over.
    Finished,
    /// A signal asked for it.
    Signal(Signal),
    /// The terminal is gone or cannot be written to.
    Terminal(String),
    /// A task panicked, with those words.
    Panic(String),
}

/// How the wizard meets its user. Both ways have the same loop, the same model and the same effects.
pub trait FrontEnd {
    type Console: Tty;

    fn console(&mut self) -> &mut Self::Console;

    /// What an input asks of the model that was shown last.
    fn hear(&mut self, input: Input, model: &Model) -> Vec<Message>;

    /// What Ctrl-C asks where the terminal makes a signal of it; none if the signal is meant to end the program.
    fn interrupted(&mut self) -> Option<Message> {
        None
    }

    /// Shows the model, and gives back how many lines of what is on top do not fit. What the terminal shows may be unknown.
    fn show(&mut self, model: &Model, is_unknown: bool) -> io::Result<u16>;
}

/// Runs the wizard to its end.
pub async fn run<F, S>(front: F, input: S, signals: UnboundedReceiver<Signal>, beginning: Beginning) -> Ended
where
    F: FrontEnd,
    S: Stream<Item = io::Result<Input>> + Unpin,
{
    run_with(Effects::default(), front, input, signals, beginning).await
}

async fn run_with<F: FrontEnd, S: Stream<Item = io::Result<Input>> + Unpin>(
    effects: Effects,
    front: F,
    input: S,
    signals: UnboundedReceiver<Signal>,
    beginning: Beginning,
) -> Ended {
    let (model, first) = Model::new(beginning);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let inputs = Inputs { input: Some(input), signals, tick };
    let begun = Instant::now();
    let mut wizard = Loop { front, inputs, model, effects, begun, leaving: None, is_blind: false };
    wizard.show();
    wizard.perform(first);
    let why = wizard.run().await;
    Ended { model: wizard.model, why }
}

struct Inputs<S> {
    /// Until it ends. A terminal that is gone always has something to read, namely its end, and a reader that goes on
    /// it is busy with that.
    input: Option<S>,
    signals: UnboundedReceiver<Signal>,
    tick: Interval,
}

impl<S: Stream + Unpin> Inputs<S> {
    async fn event(input: &mut Option<S>) -> Option<S::Item> {
        match input {
            Some(input) => input.next().await,
            None => std::future::pending().await,
        }
    }
}

struct Loop<F, S> {
    front: F,
    inputs: Inputs<S>,
    model: Model,
    effects: Effects,
    begun: Instant,
    /// Whether there is nothing left to show it on.
    is_blind: bool,
    /// Why the program was told to end, and when it ends at the latest.
    leaving: Option<(Why, Instant)>,
}

enum LoopTurn {
    Input(Option<io::Result<Input>>),
    Signal(Signal),
    News(News),
    Tick,
    TooLate,
}

impl<F: FrontEnd, S: Stream<Item = io::Result<Input>> + Unpin> Loop<F, S> {
    async fn run(&mut self) -> Why {
        while !self.is_over() {
            let mut next = Some(self.next().await);
            let mut handled = 0;
            while let Some(turn) = next.take() {
                self.handle(turn);
                handled += 1;
                if handled < BATCH && !self.is_over() {
                    next = self.ready().await;
                }
            }
            if !self.is_over() {
                self.show();
            }
        }
        self.leaving.take().map_or(Why::Finished, |(why, _)| why)
    }

    /// Told to end with nothing in progress that could still be settled, no message will say that it is over.
    fn is_over(&self) -> bool {
        let settled = |(_, deadline): &(Why, Instant)| self.effects.is_idle() || *deadline <= Instant::now();
        self.model.shell.ending.is_some() || self.leaving.as_ref().is_some_and(settled)
    }

    /// The keyboard comes first, so that no flood of answers can hold it up. All of these can be given up half-way
    /// without losing anything.
    async fn next(&mut self) -> LoopTurn {
        let deadline = self.leaving.as_ref().map(|(_, deadline)| *deadline);
        let Inputs { input, signals, tick } = &mut self.inputs;
        tokio::select! {
            biased;
            event = Inputs::event(input) => LoopTurn::Input(event),
            Some(signal) = signals.recv() => LoopTurn::Signal(signal),
            news = self.effects.next() => LoopTurn::News(news),
            () = sleep_until(deadline.unwrap_or(self.begun)), if deadline.is_some() => LoopTurn::TooLate,
            _ = tick.tick(), if self.model.is_animating() => LoopTurn::Tick,
        }
    }

    /// The next turn if it is already there.
    async fn ready(&mut self) -> Option<LoopTurn> {
        tokio::select! {
            biased;
            turn = self.next() => Some(turn),
            () = std::future::ready(()) => None,
        }
    }

    fn handle(&mut self, turn: LoopTurn) {
        match turn {
            LoopTurn::Input(Some(Ok(input))) => match input {
                Input::Resized => self.resized(),
                Input::Stop => self.give(F::Console::suspend),
                Input::Continued => self.give(F::Console::take_again),
                input => {
                    for message in self.front.hear(input, &self.model) {
                        self.tell(message);
                    }
                }
            },
            LoopTurn::Input(ended) => {
                let why = ended.and_then(Result::err).map_or_else(|| "it was closed".to_owned(), |why| why.to_string());
                self.leave(Why::Terminal(why));
            }
            LoopTurn::Signal(signal) => match self.front.interrupted().filter(|_| signal == Signal::Interrupt) {
                Some(message) => self.tell(message),
                None => self.leave(Why::Signal(signal)),
            },
            LoopTurn::News(News::Message(message)) => {
                // Events sent before an answer may have arrived since their queue was last looked at. An event itself is the
                // first of its queue.
                if !message.is_event() {
                    while let Some(event) = self.effects.heard() {
                        self.tell(event);
                    }
                }
                self.tell(*message);
            }
            LoopTurn::News(News::Panicked(words)) => self.leave(Why::Panic(words)),
            LoopTurn::Tick => self.tell(Message::Tick(self.model.shell.now)),
            LoopTurn::TooLate => {}
        }
    }

    /// Ends as soon as the engine has settled what is in progress. The first reason counts.
    fn leave(&mut self, why: Why) {
        if matches!(why, Why::Terminal(_) | Why::Signal(Signal::HangUp)) {
            self.inputs.input = None;
        }
        if self.leaving.is_none() {
            self.leaving = Some((why, Instant::now() + SETTLING));
        }
        self.effects.ask_no_more();
        self.tell(Message::Terminated);
    }

    fn tell(&mut self, message: Message) {
        update(&mut self.model, Message::Tick(self.begun.elapsed()));
        if message.is_tick() {
            return;
        }
        let effects = update(&mut self.model, message);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Copy(text) => {
                    let is_sent = self.front.console().copy(text.expose_secret()).unwrap_or_default();
                    self.tell(Message::Copied { is_sent });
                }
                // A terminal that is gone is noticed when it is written to next.
                Effect::Ring(text) => drop(self.front.console().ring(&text)),
                Effect::Suspend => self.give(F::Console::suspend),
                effect => self.effects.begin(effect),
            }
        }
    }

    fn resized(&mut self) {
        let (columns, rows) = self.front.console().size();
        self.tell(Message::Resize(columns, rows));
    }

    /// The shell has the terminal meanwhile: it may draw over what is there, and the window may have another size then.
    fn give(&mut self, and_take: fn(&mut F::Console) -> io::Result<()>) {
        if let Err(error) = and_take(self.front.console()) {
            self.leave(Why::Terminal(error.to_string()));
            return;
        }
        self.tell(Message::Continued);
        self.resized();
    }

    /// Shows the model. A terminal that cannot be written to is gone; the engine still has to settle.
    fn show(&mut self) {
        if self.is_blind {
            return;
        }
        // The footer tells whether there is more, which is known once it was drawn.
        for _ in 0..2 {
            let is_unknown = std::mem::take(&mut self.model.shell.repaint);
            match self.front.show(&self.model, is_unknown) {
                Ok(limit) => {
                    let is_as_told = (limit > 0) == (self.model.shell.overflow > 0);
                    self.tell(Message::Overflow(limit));
                    if is_as_told {
                        return;
                    }
                }
                Err(why) => {
                    self.is_blind = true;
                    return self.leave(Why::Terminal(why.to_string()));
                }
            }
        }
    }
}
