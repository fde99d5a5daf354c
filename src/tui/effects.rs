//! What the wizard wants done, each as a task of its own that answers with a message.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{plan_file, terminal::words};
use crate::cloud::person::{Reply, Said};
use crate::cloud::{Cloud, Error, ErrorKind, Inventory, OtherSubnets, Person, Region, RegionId};
use crate::engine::handover::KeyOrigin;
use crate::engine::interruption::{self, interruptions};
use crate::engine::journal::{self, Journal, JournalError, Keeper, Record, Stage};
use crate::engine::pace::TOGETHER;
use crate::engine::prepare::PrepareError;
use crate::engine::resume::{Resumed, resume};
use crate::engine::{ChangeError, ChangeEvent, ChangeWork, Changed, Changing, Direction};
use crate::engine::{Event, Ledger, Marks, Pace, Work, create, read_shared_keys, undo, watch};
use crate::inspect::{Aspects, Background, Inquiry, Inspection, examine, inspect_in_parts, poll};
use crate::plan::{Plan, Psk};
use crate::report::FailureReport;
use crate::sign_in::{Login, Problem, SignedIn, sign_in};
use crate::system::state;
use crate::wizard::remote::RequestId;
use crate::wizard::{
    Effect, InterruptedChange, InterruptedCreation, Message, Overview, ResumedCreation, Session, Which,
};

/// A change, and the key of the user's own it needs.
#[derive(Debug)]
pub(super) struct HeldChange {
    changing: Changing,
    key: Option<Psk>,
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
    Changed(Box<HeldChange>, Result<Changed, ChangeError>),
}

/// A sign-in with everything the wizard shows of it.
#[derive(Debug)]
pub(super) struct Access {
    signed_in: SignedIn,
    session: Session,
    early: BTreeMap<RegionId, Reading>,
}

type Reading = JoinHandle<Result<Inventory, Error>>;

/// The tasks in progress and what they need.
#[derive(Debug)]
pub struct Effects {
    tasks: JoinSet<Done>,
    engine: UnboundedSender<Event>,
    events: UnboundedReceiver<Event>,
    changes: (UnboundedSender<ChangeEvent>, UnboundedReceiver<ChangeEvent>),
    /// What is known of an answer before all of it is there.
    parts: (UnboundedSender<Message>, UnboundedReceiver<Message>),
    stop: CancellationToken,
    keeper: Keeper,
    /// A change that has come to rest and is not done.
    changing: Option<HeldChange>,
    /// The journal of a resumed run, until the wizard says whether it continues.
    taken: Option<(RequestId, Keeper)>,
    signed_in: Option<SignedIn>,
    early: BTreeMap<RegionId, Reading>,
    /// Whom the last sign-in asks: the user, by way of the wizard.
    person: Person,
    said: UnboundedReceiver<Said>,
    /// Where the answer to the open question goes.
    question: Option<oneshot::Sender<Option<Reply>>>,
}

/// What a piece of the engine's work owns.
struct EngineTask {
    cloud: Cloud,
    keeper: Keeper,
    events: UnboundedSender<Event>,
    stop: CancellationToken,
}

impl EngineTask {
    const fn work(&self) -> Work<'_> {
        Work { cloud: &self.cloud, keeper: &self.keeper, events: &self.events, stop: &self.stop }
    }
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
        let (engine, events) = unbounded_channel();
        let (person, said) = Person::new();
        Self {
            tasks: JoinSet::new(),
            engine,
            events,
            changes: unbounded_channel(),
            parts: unbounded_channel(),
            stop: CancellationToken::new(),
            keeper: Keeper::default(),
            changing: None,
            taken: None,
            signed_in: None,
            early: BTreeMap::new(),
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
            Some(event) = self.events.recv() => return News::Message(Box::new(Message::CreationEvent(event))),
            Some(event) = self.changes.1.recv() => return News::Message(Box::new(Message::ChangeEvent(event))),
            Some(part) = self.parts.1.recv() => return News::Message(Box::new(part)),
            Some(said) = self.said.recv() => return News::Message(Box::new(self.hear(said))),
            Some(ended) = self.tasks.join_next() => ended,
            else => std::future::pending().await,
        };
        match ended {
            Ok(Done::Message(message)) => News::Message(message),
            Ok(Done::SignedIn(request, result)) => News::Message(Box::new(self.take(request, *result))),
            Ok(Done::Resumed(request, result)) => News::Message(Box::new(self.resumed(request, *result))),
            Ok(Done::Changed(kept, ended)) => News::Message(Box::new(self.keep_change(*kept, ended))),
            Err(error) => News::Panicked(words_of(error)),
        }
    }

    /// Events of the engine that have not been handled yet.
    pub fn heard(&mut self) -> Option<Message> {
        let event = self.events.try_recv().ok().map(Message::CreationEvent);
        event.or_else(|| self.changes.1.try_recv().ok().map(Message::ChangeEvent))
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

    fn take(&mut self, request: RequestId, result: Result<Access, Problem>) -> Message {
        let session = result.map(|access| {
            self.signed_in = Some(access.signed_in);
            self.early = access.early;
            access.session
        });
        Message::SignedIn(request, session)
    }

    fn resumed(&mut self, request: RequestId, result: Result<Resumed, PrepareError>) -> Message {
        let taken = result.map(|Resumed { plan, marks, ledger, key, keeper }| {
            self.taken = Some((request, keeper));
            Box::new(ResumedCreation { plan: plan.map(|plan| *plan), marks, ledger, key })
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
            Effect::SignIn(request, login) => {
                // An earlier sign-in that is still in progress can no longer ask.
                (self.person, self.said) = Person::new();
                self.question = None;
                let person = self.person.clone();
                let told = self.parts.0.clone();
                let tell = move |warning: &str| {
                    let _ = told.send(Message::Warned(request, warning.to_owned()));
                };
                self.tasks.spawn(async move { Done::SignedIn(request, Box::new(access(&login, person, tell).await)) });
            }
            Effect::DescribeRegions(request) => {
                let Some((cloud, _)) = self.cloud() else { return };
                self.answer(async move { Message::RegionsDescribed(request, cloud.region_descriptions().await) });
            }
            Effect::Reply(reply) => {
                if let Some(question) = self.question.take() {
                    // The caller may have given up.
                    let _ = question.send(reply);
                }
            }
            Effect::Discover(request, id) => {
                let reading = self.early.remove(&id);
                let region = self.region(&id);
                self.answer(async move {
                    let result = match (reading, region) {
                        (Some(reading), _) => reading.await.unwrap_or_else(|error| Err(lost(&error))),
                        (None, Ok(region)) => region.inventory().await,
                        (None, Err(error)) => Err(error),
                    };
                    Message::Discovered(id, request, result)
                });
            }
            Effect::ReadInterfaces(request, id, routers) => {
                let region = self.region(&id);
                self.answer(async move {
                    let result = match region {
                        Ok(region) => region.interfaces(&routers).await,
                        Err(error) => Err(error),
                    };
                    Message::InterfacesRead(id, request, result)
                });
            }
            Effect::Detail(request, id) => {
                let region = self.region(&id);
                self.answer(async move {
                    let result = match region {
                        Ok(region) => region.detail().await,
                        Err(error) => Err(error),
                    };
                    Message::Detailed(id, request, result)
                });
            }
            Effect::ReadSharedKeys(request, sharers) => {
                let Some((cloud, _)) = self.cloud() else { return };
                self.answer(async move { Message::SharedKeysRead(request, read_shared_keys(&cloud, &sharers).await) });
            }
            Effect::Generate => self.answer(async { Message::Generated(Psk::generate()) }),
            Effect::Resume(request, journal, direction) => {
                // The question was asked after a sign-in.
                let Some(cloud) = self.signed_in.as_ref().map(|signed_in| signed_in.cloud.clone()) else { return };
                self.tasks
                    .spawn(async move { Done::Resumed(request, Box::new(resume(&journal, direction, &cloud).await)) });
            }
            Effect::GoOn(request) => {
                if let Some((_, keeper)) = self.taken.take_if(|(taken, _)| *taken == request) {
                    self.keeper = keeper;
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
            Effect::Create(plan, mut ledger, key) => {
                self.keep(&plan, &ledger, key);
                self.work(async move |task| {
                    let result = create(&plan, &mut ledger, &task.work()).await;
                    Message::Created(result, ledger)
                });
            }
            Effect::Watch(plan, mut ledger, wait) => self.work(async move |task| {
                let marks = Marks::from(&*plan);
                Message::Watched(watch(&marks, &mut ledger, Pace::lasting(wait), &task.work()).await)
            }),
            Effect::Verify(vpn, regions) => {
                self.work(async move |task| {
                    Message::Verified(examine(&task.cloud, &vpn, &regions).await.map(Box::new))
                });
            }
            Effect::RollBack(marks, mut ledger) => self.work(async move |task| {
                let undone = undo(&marks, &mut ledger, &task.work()).await;
                Message::RolledBack(undone, ledger)
            }),
            Effect::Change(which, direction) => self.change(which, direction),
            Effect::LetChangeGo => self.changing = None,
            Effect::Inspect(_) | Effect::Diagnose(..) | Effect::CompareKeys(..) | Effect::Look(..) => {
                self.read_vpns(effect);
            }
            Effect::Stop => self.stop.cancel(),
            Effect::Save(name, text) => {
                self.tasks.spawn_blocking(move || {
                    let saved = plan_file::save(&PathBuf::new(), &name, &text);
                    Done::Message(Box::new(Message::Saved(saved.map_err(|error: io::Error| error.to_string()))))
                });
            }
            // These are the terminal's business, and the loop's.
            Effect::Copy(_) | Effect::Suspend => {}
        }
    }

    /// The cloud, and whether what is done to it is kept in journals.
    fn cloud(&self) -> Option<(Cloud, bool)> {
        let signed_in = self.signed_in.as_ref()?;
        Some((signed_in.cloud.clone(), signed_in.simulator.is_none()))
    }

    /// Reads what there is to know of VPNs that exist.
    fn read_vpns(&mut self, effect: Effect) {
        let Some((cloud, is_kept)) = self.cloud() else { return };
        match effect {
            Effect::Inspect(request) => {
                let parts = self.parts.0.clone();
                self.answer(async move {
                    // One may be given other subnets.
                    let inquiry = Inquiry { subnets: OtherSubnets::OfRouters, ..Inquiry::default() };
                    let inspection = inspect_in_parts(&cloud, inquiry, TOGETHER, |part| {
                        let _ = parts.send(Message::Inspected(request, Box::new(beside(part, &cloud, is_kept))));
                    });
                    Message::Inspected(request, Box::new(beside(inspection.await.0, &cloud, is_kept)))
                });
            }
            Effect::Diagnose(request, vpn) => {
                self.answer(async move {
                    let mut background = Background::default();
                    background.complete(&cloud, [&*vpn], Aspects::ALL).await;
                    let keys = background.keys_of(&vpn);
                    Message::Diagnosed(request, Box::new(keys), Box::new(background.exposures().clone()))
                });
            }
            Effect::CompareKeys(request, vpns) => {
                self.answer(async move {
                    let mut background = Background::default();
                    background.complete(&cloud, &vpns, Aspects::KEYS).await;
                    let compared = vpns.iter().map(|vpn| (vpn.handle(), background.keys_of(vpn))).collect();
                    Message::KeysCompared(request, compared)
                });
            }
            Effect::Look(request, vpn, pause) => {
                self.answer(async move {
                    tokio::time::sleep(pause).await;
                    Message::Looked(request, poll(&cloud, &vpn).await)
                });
            }
            _ => {}
        }
    }

    /// Begins a change, goes on with one, or takes one back.
    fn change(&mut self, which: Which, direction: Direction) {
        let Some((cloud, is_kept)) = self.cloud() else { return };
        let present = self.changing.take();
        self.stop = CancellationToken::new();
        let (events, stop) = (self.changes.0.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let mut kept = match begin_change(which, present, &cloud, is_kept) {
                Ok(kept) => kept,
                Err(why) => return Done::Message(Box::new(Message::NotBegun(vec![why]))),
            };
            let work = ChangeWork { cloud: &cloud, events: &events, stop: &stop };
            let ended = kept.changing.see_through(direction, kept.key.as_ref(), &work).await;
            Done::Changed(Box::new(kept), ended)
        });
    }

    /// Keeps a change that is not done for whatever is wanted next: it stays locked until then.
    fn keep_change(&mut self, kept: HeldChange, ended: Result<Changed, ChangeError>) -> Message {
        let course = Box::new(kept.changing.course());
        self.changing = Some(kept).filter(|_| !matches!(ended, Ok(Changed::Done)));
        Message::ChangeEnded(ended, course)
    }

    fn region(&self, id: &RegionId) -> Result<Region, Error> {
        let unsigned = || Error::new(ErrorKind::Unauthorized, "No user is signed in.");
        self.signed_in.as_ref().ok_or_else(unsigned)?.cloud.region(id)
    }

    fn answer(&mut self, answer: impl Future<Output = Message> + Send + 'static) {
        self.tasks.spawn(async move { Done::Message(Box::new(answer.await)) });
    }

    /// Begins a piece of work of the engine. Its intent to stop is its own: the next piece is not stopped by it.
    fn work<F>(&mut self, work: impl FnOnce(EngineTask) -> F)
    where
        F: Future<Output = Message> + Send + 'static,
    {
        // There is no plan without a sign-in, so there is no work without one either.
        let Some(signed_in) = &self.signed_in else { return };
        self.stop = CancellationToken::new();
        let task = EngineTask {
            cloud: signed_in.cloud.clone(),
            keeper: self.keeper.clone(),
            events: self.engine.clone(),
            stop: self.stop.clone(),
        };
        let work = work(task);
        self.answer(work);
    }

    /// Decides where a run is kept. A retry goes on where the first try began.
    fn keep(&mut self, plan: &Plan, ledger: &Ledger, key: KeyOrigin) {
        let Some(signed_in) = &self.signed_in else { return };
        if signed_in.simulator.is_some() {
            self.keeper = Keeper::default();
        } else if *ledger == Ledger::default() {
            self.keeper = Keeper::planned(state::directory(), Record::new(&signed_in.cloud, plan, key));
        }
    }

    /// Begins a task that a test wrote.
    #[cfg(test)]
    pub(super) fn begin_task(&mut self, task: impl Future<Output = Message> + Send + 'static) {
        self.answer(task);
    }
}

/// Signs in and asks every region at once, before the wizard does.
async fn access(login: &Login, person: Person, tell: impl FnMut(&str) + Send) -> Result<Access, Problem> {
    let signed_in = sign_in(login, Some(person), tell).await?;
    let cloud = &signed_in.cloud;
    let regions = cloud.regions();
    let early = regions.iter().map(|region| {
        let region = region.clone();
        (region.id().clone(), tokio::spawn(async move { region.inventory().await }))
    });
    let early = early.collect();
    let session = Session {
        project: cloud.project_name().to_owned(),
        user: cloud.user_name().to_owned(),
        source: signed_in.source.clone(),
        is_demo: signed_in.simulator.is_some(),
        home: cloud.preferred_region().cloned(),
        regions: regions.iter().map(|region| region.id().clone()).collect(),
        warnings: signed_in.warnings.clone(),
        creations: if signed_in.simulator.is_some() { Vec::new() } else { interrupted_creations(cloud) },
        changes: if signed_in.simulator.is_some() { Vec::new() } else { interrupted(cloud) },
    };
    Ok(Access { signed_in, session, early })
}

/// The VPNs of this project whose creation was interrupted and is not being worked on.
fn interrupted_creations(cloud: &Cloud) -> Vec<InterruptedCreation> {
    unfinished(cloud).into_iter().filter(|creation| !creation.is_running).collect()
}

/// The VPNs of this project that lack objects.
fn unfinished(cloud: &Cloud) -> Vec<InterruptedCreation> {
    let journals = state::directory().and_then(|directory| journal::unfinished(&directory).ok()).unwrap_or_default();
    let records = journals.into_iter().filter_map(|(path, record)| Some((path, record.ok()?)));
    let is_interrupted = |record: &Record| record.stage() == Stage::Interrupted && record.is_of(cloud);
    let ours = records.filter(|(_, record)| is_interrupted(record));
    let described = ours.filter_map(|(journal, mut record)| {
        let is_running = match Journal::open(&journal) {
            Ok(_) => false,
            Err(JournalError::Busy(_)) => true,
            Err(_) => return None,
        };
        record.ledger.take_over(cloud.limits());
        Some(InterruptedCreation {
            journal,
            name: record.name.to_string(),
            began: record.began.strftime("%F %H:%M UTC").to_string(),
            exists: record.ledger.removable().len(),
            may_exist: record.ledger.doubts().len(),
            is_running,
        })
    });
    described.collect()
}

/// The interrupted changes of this project that are not being worked on.
fn interrupted(cloud: &Cloud) -> Vec<InterruptedChange> {
    let journals =
        state::directory().and_then(|directory| crate::engine::kept::unfinished(&directory).ok()).unwrap_or_default();
    let records = journals.into_iter().filter_map(|(path, record)| Some((path, record.ok()?)));
    let ours = records.filter(|(path, record)| record.is_of(cloud) && Changing::open(path).is_ok());
    let described = ours.map(|(journal, record)| InterruptedChange {
        course: record.course(&journal),
        journal,
        direction: record.direction(),
        began: record.began.strftime("%F %H:%M UTC").to_string(),
    });
    described.collect()
}

/// What was read, and what the journals here tell that is not done yet.
fn beside(inspection: Inspection, cloud: &Cloud, is_kept: bool) -> Overview {
    let directory = state::directory().filter(|_| is_kept);
    let (vpns, changes, objects) =
        interruption::needed(&directory.map(|directory| interruptions(&directory, cloud)).unwrap_or_default());
    Overview {
        inspection,
        unfinished: crate::change::Unfinished { vpns, changes, objects },
        creations: if is_kept { unfinished(cloud) } else { Vec::new() },
        changes: if is_kept { interrupted(cloud) } else { Vec::new() },
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

/// Begins a change, or resumes an interrupted one.
fn begin_change(which: Which, present: Option<HeldChange>, cloud: &Cloud, is_kept: bool) -> Result<HeldChange, String> {
    let words = |error: JournalError| error.to_string();
    match which {
        Which::Present(key) => {
            let kept = present.ok_or_else(|| "there is no change to go on with".to_owned())?;
            Ok(HeldChange { key: key.or(kept.key), ..kept })
        }
        Which::Journal(path) => Ok(HeldChange { changing: Changing::open(&path).map_err(words)?, key: None }),
        Which::New(change, key) if !is_kept => Ok(HeldChange { changing: Changing::unkept(*change), key }),
        Which::New(change, key) => {
            let directory = state::directory().ok_or(JournalError::NoHome).map_err(words)?;
            Ok(HeldChange { changing: Changing::begin(*change, cloud, &directory).map_err(words)?, key })
        }
    }
}

fn lost(error: &JoinError) -> Error {
    Error::new(ErrorKind::Unexpected, format!("reading the region ended early: {error}"))
}

fn words_of(error: JoinError) -> String {
    error.try_into_panic().map_or_else(|error| error.to_string(), |payload| words(&*payload).to_owned())
}
