//! The wizard on a terminal: one loop that turns keys, answers, engine events, time and signals into messages, and
//! carries out the effects. It never waits for anything but the next message, and draws only when something has changed.
//!
//! The loop is generic over backend, input and terminal, so that tests drive the whole program without one.

mod effects;
pub mod input;
mod plan_file;
mod quiet;
pub mod terminal;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use crossterm::event::KeyEventKind;
use futures::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Rect;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::system::signals::{SETTLING, Signal};
use crate::view::{Theme, view};
use crate::wizard::{Beginning, Effect, Message, Model, update};
use effects::{Effects, News};
pub use input::Input;

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

/// Runs the wizard to its end.
pub async fn run<B, S, T>(
    terminal: &mut Terminal<B>,
    input: S,
    tty: &mut T,
    signals: UnboundedReceiver<Signal>,
    beginning: Beginning,
    theme: &Theme,
) -> Ended
where
    B: Backend,
    S: Stream<Item = io::Result<Input>> + Unpin,
    T: Tty,
{
    run_with(Effects::default(), terminal, input, tty, signals, beginning, theme).await
}

async fn run_with<B: Backend, S: Stream<Item = io::Result<Input>> + Unpin, T: Tty>(
    effects: Effects,
    terminal: &mut Terminal<B>,
    input: S,
    tty: &mut T,
    signals: UnboundedReceiver<Signal>,
    beginning: Beginning,
    theme: &Theme,
) -> Ended {
    let (model, first) = Model::new(beginning);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let inputs = Inputs { input: Some(input), signals, tick };
    let begun = Instant::now();
    let size = model.shell.size;
    let mut wizard = Loop { terminal, tty, theme, inputs, model, effects, begun, size, leaving: None, is_blind: false };
    wizard.draw();
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

struct Loop<'a, B: Backend, S, T> {
    terminal: &'a mut Terminal<B>,
    tty: &'a mut T,
    theme: &'a Theme,
    inputs: Inputs<S>,
    model: Model,
    effects: Effects,
    begun: Instant,
    /// The size that was drawn for last.
    size: (u16, u16),
    /// Whether there is nothing left to draw on.
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

impl<B: Backend, S: Stream<Item = io::Result<Input>> + Unpin, T: Tty> Loop<'_, B, S, T> {
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
                self.draw();
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
                Input::Key(key) if key.kind == KeyEventKind::Release => {}
                Input::Key(key) => self.tell(Message::Key(key)),
                Input::Paste(text) => self.tell(Message::Paste(text)),
                Input::Resized => self.resized(),
                Input::Stop => self.give(T::suspend),
                Input::Continued => self.give(T::take_again),
            },
            LoopTurn::Input(ended) => {
                let why = ended.and_then(Result::err).map_or_else(|| "it was closed".to_owned(), |why| why.to_string());
                self.leave(Why::Terminal(why));
            }
            LoopTurn::Signal(signal) => self.leave(Why::Signal(signal)),
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
                    let is_sent = self.tty.copy(&text).unwrap_or_default();
                    self.tell(Message::Copied { is_sent });
                }
                Effect::Suspend => self.give(T::suspend),
                effect => self.effects.begin(effect),
            }
        }
    }

    fn resized(&mut self) {
        let (columns, rows) = self.tty.size();
        self.tell(Message::Resize(columns, rows));
    }

    /// The shell has the terminal meanwhile: it may draw over what is there, and the window may have another size then.
    fn give(&mut self, and_take: fn(&mut T) -> io::Result<()>) {
        if let Err(error) = and_take(self.tty) {
            self.leave(Why::Terminal(error.to_string()));
            return;
        }
        self.tell(Message::Continued);
        self.resized();
    }

    /// Shows the model. A terminal that cannot be drawn on is gone; the engine still has to settle.
    fn draw(&mut self) {
        if self.is_blind {
            return;
        }
        if let Err(why) = self.try_draw() {
            self.is_blind = true;
            self.leave(Why::Terminal(why.to_string()));
        }
    }

    fn try_draw(&mut self) -> Result<(), B::Error> {
        let size = self.model.shell.size;
        if std::mem::take(&mut self.model.shell.repaint) || size != self.size {
            // Unlike `clear`, this asks the terminal nothing; its answer would come in between the keys.
            self.terminal.resize(Rect::new(0, 0, size.0, size.1))?;
            self.size = size;
        }
        let (model, theme) = (&self.model, self.theme);
        let mut limit = 0;
        self.terminal.draw(|frame| limit = view(model, theme, frame))?;
        self.tell(Message::Overflow(limit));
        Ok(())
    }
}
