//! What goes into the wizard and what comes out: the way it begins, what can happen to it, what it wants done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::KeyEvent;
use secrecy::SecretString;

use super::remote::RequestId;
use crate::change;
use crate::change::Change;
use crate::cloud::person::{Question, Reply};
use crate::cloud::{Detail, Error, Inventory, RegionId};
use crate::engine::change::{ChangeError, ChangeEvent, Changed, Course, Direction};
use crate::engine::handover::KeyOrigin;
use crate::engine::{CreateError, Event, Ledger, Marks, Undone, Watched};
use crate::inspect::diagnosis::Exposures;
use crate::inspect::{Examined, HalfStatus, Inspection, Keys, Vpn};
use crate::plan::{Half, KeySharer, Labels, Plan, Profile, Profiles, Psk, SharedKey, VpnId};
use crate::sign_in::{Login, Problem};

/// Who is signed in, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The project's name.
    pub project: String,
    /// The user's name; empty if the token does not tell.
    pub user: String,
    /// Where the credentials came from.
    pub source: String,
    /// Whether the cloud is the simulated one.
    pub is_demo: bool,
    /// The region the credentials name.
    pub home: Option<RegionId>,
    /// Every region with a network service, sorted.
    pub regions: Vec<RegionId>,
    /// What Keystone says of its regions.
    pub descriptions: Vec<(RegionId, String)>,
    /// What is odd about the credentials.
    pub warnings: Vec<String>,
    /// Creations in this project that were interrupted, the latest first.
    pub creations: Vec<InterruptedCreation>,
    /// Changes in this project that were interrupted, the latest first.
    pub changes: Vec<InterruptedChange>,
}

/// A change that was interrupted, as its journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterruptedChange {
    /// Its journal.
    pub journal: PathBuf,
    /// How far it is.
    pub course: Course,
    /// Which way it went last.
    pub direction: Direction,
    /// When it began, for a screen.
    pub began: String,
}

/// Work that was interrupted, as its journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// A VPN lacks objects.
    Creation(InterruptedCreation),
    /// A change of one has open steps.
    Change(InterruptedChange),
}

/// What all regions were read for.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The VPNs, and what no VPN uses.
    pub inspection: Inspection,
    /// VPNs whose making is not done, by the journals here: what they made is not unused.
    pub unfinished: change::Unfinished,
    /// Creations that were interrupted, or that another process is at, the latest first.
    pub creations: Vec<InterruptedCreation>,
    /// Changes that were interrupted.
    pub changes: Vec<InterruptedChange>,
}

/// The change to carry out.
#[derive(Debug)]
pub enum Which {
    /// One that begins, with the key of the user's own, if it needs one.
    New(Box<Change>, Option<Psk>),
    /// One that was interrupted, by its journal.
    Journal(PathBuf),
    /// The one that came to rest last, with the key it lacks, if that is why.
    Present(Option<Psk>),
}

/// A creation that was interrupted, as its journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterruptedCreation {
    /// Its journal.
    pub journal: PathBuf,
    /// The name of its VPN.
    pub name: String,
    /// When it began, for a screen.
    pub began: String,
    /// How many objects it is known to have made.
    pub exists: usize,
    /// How many more it may have made.
    pub may_exist: usize,
    /// Whether another process is at it now.
    pub is_running: bool,
}

impl InterruptedCreation {
    /// How many of its objects exist: "7 objects exist, and 1 more may".
    #[must_use]
    pub fn objects(&self) -> String {
        let exist = match self.exists {
            1 => "1 object exists".to_owned(),
            count => format!("{count} objects exist"),
        };
        let more = if self.may_exist == 0 { String::new() } else { format!(", and {} more may", self.may_exist) };
        exist + &more
    }

    /// The id in its marks, which its journal is named after.
    #[must_use]
    pub fn id(&self) -> String {
        self.journal.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// A run that was interrupted, ready to go on.
#[derive(Clone, Debug)]
pub struct TakenUp {
    /// What it makes. None if it is only to be undone, and could not be made as things are.
    pub plan: Option<Plan>,
    /// How its objects are known.
    pub marks: Marks,
    /// What exists of it.
    pub ledger: Ledger,
    /// Where its key came from.
    pub key: KeyOrigin,
}

/// What the wizard is started with; everything random or from outside is drawn before.
#[derive(Debug)]
pub struct Beginning {
    /// Which cloud to sign in to.
    pub login: Login,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The ready-made policies.
    pub profiles: Profiles,
    /// What people call the regions.
    pub labels: Labels,
    /// The id of the VPN to be made.
    pub vpn: VpnId,
    /// The key that is offered.
    pub psk: Psk,
    /// The profile asked for on the command line.
    pub profile: Option<Profile>,
    /// How long to wait for ACTIVE.
    pub wait: Duration,
}

/// Everything that can happen to the wizard.
#[derive(Debug)]
pub enum Message {
    /// A key went down.
    Key(KeyEvent),
    /// Text was pasted. It may be a pre-shared key.
    Paste(SecretString),
    /// The terminal has another size.
    Resize(u16, u16),
    /// Time has passed: this much since the start.
    Tick(Duration),
    /// So many lines of what is on top do not fit on the screen.
    Overflow(u16),
    /// The sign-in is over.
    SignedIn(RequestId, Result<Session, Problem>),
    /// A region was discovered, or not.
    Discovered(RegionId, RequestId, Result<Inventory, Error>),
    /// The details of a region were read, or not.
    Detailed(RegionId, RequestId, Result<Detail, Error>),
    /// The keys that the VPN to be made has to share were read, as far as they could be.
    SharedKeysRead(RequestId, Vec<SharedKey>),
    /// A new key was made.
    Generated(Psk),
    /// A run that was interrupted is ready to go on, or why not.
    TakenUp(RequestId, Result<Box<TakenUp>, Vec<String>>),
    /// The engine tells what it does.
    Engine(Event),
    /// Creation is over.
    Created(Result<(), CreateError>, Ledger),
    /// The watch is over.
    Watched(Watched),
    /// The halves were compared, or why not.
    Verified(Result<Box<Examined>, Error>),
    /// The undo is over.
    Undone(Undone, Ledger),
    /// All regions were read, as far as they could be; or some of them, and others are awaited.
    Inspected(RequestId, Box<Overview>),
    /// A VPN's keys were compared, and it was read what its instances admit.
    Diagnosed(RequestId, Box<Keys>, Box<Exposures>),
    /// The keys of VPNs were compared, each named by its handle.
    KeysCompared(RequestId, Vec<(String, Keys)>),
    /// How the connections of a VPN stand now, or why that could not be read.
    Looked(RequestId, Result<BTreeMap<Half, HalfStatus>, Error>),
    /// A change tells what it does.
    Carrying(ChangeEvent),
    /// A change came to rest.
    Carried(Result<Changed, ChangeError>, Box<Course>),
    /// A change could not even begin, and why.
    NotBegun(Vec<String>),
    /// The plan file was written, or why not.
    Saved(Result<PathBuf, String>),
    /// The sign-in, the first or one that renews it, asks something.
    Asked(Question),
    /// It asks nothing more.
    AskedEnough,
    /// A text for the clipboard was sent to the terminal, or this is none that takes one.
    Copied {
        /// Whether it was sent.
        is_sent: bool,
    },
    /// The terminal was given to somebody else meanwhile, and is the wizard's again.
    Continued,
    /// The program is told to end (SIGTERM, SIGHUP).
    Terminated,
}

/// What the loop has to do.
#[derive(Debug)]
pub enum Effect {
    /// Sign in; answered by [`Message::SignedIn`].
    SignIn(RequestId, Login),
    /// Read a region; answered by [`Message::Discovered`].
    Discover(RequestId, RegionId),
    /// Read a chosen region's details; answered by [`Message::Detailed`].
    Detail(RequestId, RegionId),
    /// Read the keys of those connections; answered by [`Message::SharedKeysRead`].
    ReadSharedKeys(RequestId, Vec<KeySharer>),
    /// Make a new key; answered by [`Message::Generated`].
    Generate,
    /// Resume the run of that journal; answered by [`Message::TakenUp`].
    TakeUp(RequestId, PathBuf, Direction),
    /// Go on in the journal that was resumed with that request.
    GoOn(RequestId),
    /// What was resumed with that request is not continued.
    Release(RequestId),
    /// Remove that journal.
    Forget(PathBuf),
    /// Make what is missing; answered by [`Message::Created`].
    Create(Box<Plan>, Ledger, KeyOrigin),
    /// Wait for ACTIVE; answered by [`Message::Watched`]. What changes in the ledger meanwhile is told as events.
    Watch(Box<Plan>, Ledger, Duration),
    /// Hold the halves of that VPN against each other; answered by [`Message::Verified`].
    Verify(VpnId),
    /// Delete what was made; answered by [`Message::Undone`].
    Undo(Marks, Ledger),
    /// Read the VPNs of all regions; answered by [`Message::Inspected`].
    Inspect(RequestId),
    /// Read a VPN's keys and what its instances admit; answered by [`Message::Diagnosed`].
    Diagnose(RequestId, Box<Vpn>),
    /// Compare the keys of those VPNs; answered by [`Message::KeysCompared`].
    CompareKeys(RequestId, Vec<Vpn>),
    /// Ask after that time how the connections of a VPN stand; answered by [`Message::Looked`].
    Look(RequestId, Box<Vpn>, Duration),
    /// Carry a change out, or take it back; answered by [`Message::Carried`] or [`Message::NotBegun`].
    Carry(Which, Direction),
    /// The change that came to rest is not continued.
    LetGo,
    /// Ask the engine to stop after what is under way.
    Stop,
    /// Answer what the sign-in asked last, or decline.
    Reply(Option<Reply>),
    /// Write a plan file of that name; answered by [`Message::Saved`].
    Save(String, String),
    /// Send a text to the terminal for its clipboard; answered by [`Message::Copied`].
    Copy(String),
    /// Give the terminal back to the shell until `fg`.
    Suspend,
}
