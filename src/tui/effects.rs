//! What the wizard wants done, each as a task of its own that answers with a message.

mod access;
mod reading;

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{saved_file, terminal::words};
use crate::cloud::person::{Reply, Said};
use crate::cloud::{Cloud, Person, RegionId};
use crate::engine::journal::{self, JournalError};
use crate::engine::prepare::PrepareError;
use crate::engine::resume::{Resumed, resume};
use crate::engine::{ChangeError, Changed, Changing, Direction, Event, Events, Pace, Watched, Work};
use crate::plan::{Psk, VpnId};
use crate::report::FailureReport;
use crate::sign_in::{Problem, SignedIn};
use crate::system::state;
use crate::wizard::remote::RequestId;
use crate::wizard::{Effect, Message, Order, ResumedCreation, Which};
use access::{Access, Reading};

/// A change, and the key of the user's own it needs.
#[derive(Debug)]
pub(super) struct HeldChange {
    changing: Changing,
    key: Option<Psk>,
}

impl From<Changing> for HeldChange {
    fn from(changing: Changing) -> Self {
        Self { changing, key: None }
    }
}

/// How a task ended.
#[derive(Debug)]
pub(super) enum Done {
    /// With an answer.
    Message(Box<Message>),
    /// With a sign-in.
    SignedIn(RequestId, Box<Result<Access, Problem>>),
    /// With an interrupted run.
    Resumed(RequestId, Box<Result<Resumed, PrepareError>>),
    /// With a change that has come to rest.
    Rested(Box<HeldChange>, Rested),
}

/// What the engine's work has come to.
#[derive(Debug)]
pub(super) enum Rested {
    Changed(Result<Changed, ChangeError>),
    Watched(Watched),
}

/// The tasks in progress and what they need.
#[derive(Debug)]
pub struct Effects {
    tasks: JoinSet<Done>,
    events: (Events, UnboundedReceiver<Event>),
    /// What is known of an answer before all of it is there.
    parts: (UnboundedSender<Message>, UnboundedReceiver<Message>),
    stop: CancellationToken,
    /// A change that has come to rest, for whatever is wanted next.
    present: Option<HeldChange>,
    /// A creation that is resumed, until the wizard says whether it continues.
    taken: Option<(RequestId, Changing)>,
    signed_in: Option<SignedIn>,
    early: BTreeMap<RegionId, Reading>,
    /// What gives up what is being read of a region.
    reads: BTreeMap<RegionId, CancellationToken>,
    /// Whom the last sign-in asks: the user, by way of the wizard.
    person: Person,
    said: UnboundedReceiver<Said>,
    /// Where the answer to the open question goes.
    question: Option<oneshot::Sender<Option<Reply>>>,
}

/// What a task has to say.
#[derive(Debug)]
pub enum News {
    Message(Box<Message>),
    /// A task has panicked, and with what words.
    Panicked(String),
}

impl Default for Effects {
    fn default() -> Self {
        let (person, said) = Person::new();
        Self {
            tasks: JoinSet::new(),
            events: unbounded_channel(),
            parts: unbounded_channel(),
            stop: CancellationToken::new(),
            present: None,
            taken: None,
            signed_in: None,
            early: BTreeMap::new(),
            reads: BTreeMap::new(),
            person,
            said,
            question: None,
        }
    }
}

impl Effects {
    /// The next message of a task or of the engine; waits for ever if nothing is in progress. Nothing is lost if the
    /// waiting is given up.
    pub async fn next(&mut self) -> News {
        let ended = tokio::select! {
            biased;
            Some(event) = self.events.1.recv() => return News::Message(Box::new(Message::Event(event))),
            Some(part) = self.parts.1.recv() => return News::Message(Box::new(part)),
            Some(said) = self.said.recv() => return News::Message(Box::new(self.hear(said))),
            Some(ended) = self.tasks.join_next() => ended,
            else => std::future::pending().await,
        };
        match ended {
            Ok(Done::Message(message)) => News::Message(message),
            Ok(Done::SignedIn(request, result)) => News::Message(Box::new(self.take(request, *result))),
            Ok(Done::Resumed(request, result)) => News::Message(Box::new(self.resumed(request, *result))),
            Ok(Done::Rested(held, rested)) => News::Message(Box::new(self.keep(*held, rested))),
            Err(error) => News::Panicked(words_of(error)),
        }
    }

    /// Events of the engine that have not been handled yet.
    pub fn heard(&mut self) -> Option<Message> {
        self.events.1.try_recv().ok().map(Message::Event)
    }

    fn hear(&mut self, said: Said) -> Message {
        match said {
            Said::Asked(question, answer) => {
                self.question = Some(answer);
                Message::Asked(question)
            }
            Said::Over => {
                self.question = None;
                Message::QuestionOver
            }
        }
    }

    /// Asks the user nothing any more, because the program ends.
    pub fn ask_no_more(&self) {
        self.person.leave();
    }

    /// Whether nothing is in progress.
    pub fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    fn resumed(&mut self, request: RequestId, result: Result<Resumed, PrepareError>) -> Message {
        let taken = result.map(|Resumed { plan, key, changing }| {
            let course = changing.course();
            self.taken = Some((request, changing));
            Box::new(ResumedCreation { plan: plan.map(|plan| *plan), course, key })
        });
        Message::Resumed(request, taken.map_err(|error| refused(error).lines().map(Into::into).collect()))
    }

    /// Begins what the wizard wants.
    pub fn begin(&mut self, effect: Effect) {
        if !matches!(effect, Effect::Reply(_) | Effect::Stop | Effect::Look(..))
            && let Some(signed_in) = &self.signed_in
        {
            // Who declined to sign in again, and then wants something of the cloud, may be asked again.
            signed_in.cloud.ask_again();
        }
        match effect {
            Effect::SignIn(request, login) => self.sign_in(request, login),
            Effect::Reply(reply) => {
                if let Some(question) = self.question.take() {
                    // The caller may have given up.
                    let _ = question.send(reply);
                }
            }
            Effect::Draw => self.answer(async { Message::Drawn(VpnId::random(), Psk::generate()) }),
            Effect::Generate => self.answer(async { Message::Generated(Psk::generate()) }),
            Effect::Resume(request, journal, direction) => {
                // The question was asked after a sign-in.
                let Some(cloud) = self.signed_in.as_ref().map(|signed_in| signed_in.cloud.clone()) else { return };
                self.tasks
                    .spawn(async move { Done::Resumed(request, Box::new(resume(&journal, direction, &cloud).await)) });
            }
            Effect::GoOn(request) => {
                if let Some((_, changing)) = self.taken.take_if(|(taken, _)| *taken == request) {
                    self.present = Some(changing.into());
                }
            }
            Effect::Release(request) => {
                self.taken.take_if(|(taken, _)| *taken == request);
            }
            Effect::Forget(path) => {
                if let Err(error) = journal::forget(&path) {
                    tracing::warn!(%error, "the journal was not removed");
                }
            }
            Effect::Work(which, order) => self.work(which, order),
            Effect::LetGo => self.present = None,
            Effect::DescribeRegions(_)
            | Effect::Discover(..)
            | Effect::ReadInterfaces(..)
            | Effect::Detail(..)
            | Effect::ReadSharedKeys(..) => self.read_regions(effect),
            Effect::StopReading(region) => self.reads.remove(&region).iter().for_each(CancellationToken::cancel),
            Effect::Verify(..)
            | Effect::Inspect(_)
            | Effect::Diagnose(..)
            | Effect::CompareKeys(..)
            | Effect::Look(..) => self.read_vpns(effect),
            Effect::Stop => self.stop.cancel(),
            Effect::Save(name, text) => {
                self.tasks.spawn_blocking(move || {
                    let saved = saved_file::save(&PathBuf::new(), (&name, "toml"), &text);
                    Done::Message(Box::new(Message::Saved(saved)))
                });
            }
            Effect::SaveKey(name, key) => {
                self.tasks.spawn_blocking(move || {
                    let text = Zeroizing::new(format!("{}\n", key.secret().expose_secret()));
                    let saved = saved_file::save(&PathBuf::new(), (&name, "psk"), &text);
                    Done::Message(Box::new(Message::KeySaved(saved)))
                });
            }
            Effect::WriteSheet(name, sheet) => {
                self.tasks.spawn_blocking(move || {
                    let written = saved_file::save(&PathBuf::new(), (&name, "txt"), sheet.text().expose_secret());
                    Done::Message(Box::new(Message::SheetWritten(written)))
                });
            }
            Effect::ReadKey(request, region, id) => {
                let region = self.region(&region);
                self.answer(async move {
                    let key = async { region?.connection_psk(&id).await };
                    Message::KeyRead(request, key.await)
                });
            }
            // These are the terminal's business, and the loop's.
            Effect::Copy(_) | Effect::Ring(_) | Effect::Suspend => {}
        }
    }

    /// The cloud, and whether what is done to it is kept in journals.
    fn cloud(&self) -> Option<(Cloud, bool)> {
        let signed_in = self.signed_in.as_ref()?;
        Some((signed_in.cloud.clone(), signed_in.simulator.is_none()))
    }

    /// Begins a piece of work of the engine, or goes on with the last. The wish to stop is its own: the next piece is not
    /// stopped by it.
    fn work(&mut self, which: Which, order: Order) {
        let Some((cloud, is_kept)) = self.cloud() else { return };
        let present = self.present.take();
        self.stop = CancellationToken::new();
        let (events, stop) = (self.events.0.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let mut held = match begin(which, present, &cloud, is_kept) {
                Ok(held) => held,
                Err(why) => return Done::Message(Box::new(Message::NotBegun(vec![why.to_string()]))),
            };
            let work = Work::new(&cloud, &events, &stop);
            let HeldChange { changing, key } = &mut held;
            let rested = match order {
                Order::Watch(wait) => Rested::Watched(changing.watch(Pace::lasting(wait), &work).await),
                // What may still come of a new VPN is looked for while it is watched, or by the user's wish.
                Order::CarryOut if changing.change().is_creation() => {
                    Rested::Changed(changing.carry_out(None, &work).await)
                }
                Order::RollBack if changing.change().is_creation() => Rested::Changed(changing.roll_back(&work).await),
                Order::CarryOut => Rested::Changed(changing.see_through(Direction::Forward, key.as_ref(), &work).await),
                Order::RollBack => Rested::Changed(changing.see_through(Direction::Back, key.as_ref(), &work).await),
            };
            Done::Rested(Box::new(held), rested)
        });
    }

    /// Keeps a change for whatever is wanted next: one that is not done stays locked until then.
    fn keep(&mut self, held: HeldChange, rested: Rested) -> Message {
        let course = Box::new(held.changing.course());
        let is_over = matches!(rested, Rested::Changed(Ok(Changed::Done))) && !course.is_creation();
        self.present = Some(held).filter(|_| !is_over);
        match rested {
            Rested::Changed(result) => Message::Rested(result, course),
            Rested::Watched(watched) => Message::Watched(watched),
        }
    }

    fn answer(&mut self, answer: impl Future<Output = Message> + Send + 'static) {
        self.tasks.spawn(async move { Done::Message(Box::new(answer.await)) });
    }

    /// Begins a task that a test wrote.
    #[cfg(test)]
    pub(super) fn begin_task(&mut self, task: impl Future<Output = Message> + Send + 'static) {
        self.answer(task);
    }
}

/// Why a run cannot go on, as the command line words it.
fn refused(error: PrepareError) -> String {
    let why = match error {
        PrepareError::Request { doing, error } => FailureReport::new(doing, &error).to_string(),
        error => format!("{error}\n"),
    };
    why + "Nothing was changed."
}

/// Why a piece of work did not begin.
#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error("there is no change to go on with")]
    NothingPresent,
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Begins a change, or resumes an interrupted one.
fn begin(which: Which, present: Option<HeldChange>, cloud: &Cloud, is_kept: bool) -> Result<HeldChange, BeginError> {
    let present = present.ok_or(BeginError::NothingPresent);
    Ok(match which {
        Which::Present(key) => {
            let held = present?;
            HeldChange { key: key.or(held.key), ..held }
        }
        Which::Policy(plan) => {
            let mut held = present?;
            held.changing.make_with_policy(*plan);
            held
        }
        Which::Journal(path) => Changing::open(&path)?.into(),
        Which::Plan(plan, _) if !is_kept => Changing::unkept_creation(&plan).into(),
        Which::Plan(plan, key) => Changing::begin_creation(*plan, key, cloud, state::directory()).into(),
        Which::New(change, key) if !is_kept => HeldChange { changing: Changing::unkept(*change), key },
        Which::New(change, key) => {
            let directory = state::directory().ok_or(JournalError::NoHome)?;
            HeldChange { changing: Changing::begin(*change, cloud, &directory)?, key }
        }
    })
}

fn words_of(error: JoinError) -> String {
    error.try_into_panic().map_or_else(|error| error.to_string(), |payload| words(&*payload).to_owned())
}
