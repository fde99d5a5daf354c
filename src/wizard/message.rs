//! What goes into the wizard and what comes out: the way it begins, what can happen to it, what it wants done.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::KeyEvent;
use secrecy::SecretString;

use super::gesture::Gesture;
use super::remote::RequestId;
use crate::change;
use crate::change::Change;
use crate::cloud::person::{Question, Reply};
use crate::cloud::retry::Pause;
use crate::cloud::{Detail, Error, Exchange, Id, Interfaces, Inventory, RegionId};
use crate::engine::interruption::Interruption;
use crate::engine::{ChangeError, Changed, Course, Direction, Event, Watched};
use crate::inspect::Exposures;
use crate::inspect::{Examined, HalfStatus, Inspection, Keys, Vpn};
use crate::plan::file::PlanFile;
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, KeySharer, Labels, Plan, Profile, Profiles, Psk, SharedKey, VpnId};
use crate::sheet::Sheet;
use crate::sheet::received::Received;
use crate::sign_in::{Login, Problem};

/// Who is signed in, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub project: String,
    /// The user's name; empty if the token does not tell.
    pub user: String,
    /// Which cloud it is: its name, and the host of its Keystone.
    pub place: String,
    pub is_demo: bool,
    /// Whether the cloud refuses to create or change anything.
    pub is_reader: bool,
    pub home: Option<RegionId>,
    pub regions: Vec<RegionId>,
    pub warnings: Vec<String>,
    /// What was interrupted in this project, and no process goes on with: creations, then changes, the latest first.
    pub interruptions: Vec<Interruption>,
}

/// What all regions were read for.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The VPNs, and what no VPN uses.
    pub inspection: Inspection,
    /// VPNs whose making is not done, by the journals here: what they made is not unused.
    pub unfinished: change::Unfinished,
    /// What was interrupted, and creations that another process is at: creations, then changes, the latest first.
    pub interruptions: Vec<Interruption>,
}

impl Overview {
    pub fn creations(&self) -> impl Iterator<Item = &Interruption> {
        self.interruptions.iter().filter(|one| one.is_creation())
    }

    pub fn changes(&self) -> impl Iterator<Item = &Interruption> {
        self.interruptions.iter().filter(|one| !one.is_creation())
    }
}

/// The change that the engine works on.
#[derive(Debug)]
pub enum Which {
    /// One that begins, with the key of the user's own, if it needs one.
    New(Box<Change>, Option<Psk>),
    /// The creation of this plan, which begins, and where its key came from.
    Plan(Box<Plan>, KeyOrigin),
    Journal(PathBuf),
    /// The one that came to rest last, with the key it lacks, if that is why.
    Present(Option<Psk>),
    /// The creation that came to rest last, with another policy.
    Policy(Box<Plan>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    CarryOut,
    RollBack,
    /// Wait that long for a new VPN to become ACTIVE.
    Watch(Duration),
}

impl From<Direction> for Order {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self::CarryOut,
            Direction::Back => Self::RollBack,
        }
    }
}

/// A run that was interrupted, ready to go on.
#[derive(Clone, Debug)]
pub struct ResumedCreation {
    /// What it makes. None if it is only to be undone, and could not be made as things are.
    pub plan: Option<Plan>,
    pub course: Course,
    pub key: KeyOrigin,
}

/// What the wizard is started with; everything random or from outside is drawn before.
#[derive(Debug)]
pub struct Beginning {
    pub login: Login,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether everything is said in lines, so that nothing is cut for want of room.
    pub in_lines: bool,
    pub profiles: Profiles,
    pub labels: Labels,
    pub vpn: VpnId,
    pub psk: Psk,
    pub profile: Option<Profile>,
    /// The answers it begins with.
    pub plan: Option<Box<PlanFile>>,
    /// What the other side has sent.
    pub received: Option<Box<Received>>,
    pub wait: Duration,
}

/// Everything that can happen to the wizard.
#[derive(Debug)]
pub enum Message {
    Key(KeyEvent),
    Paste(SecretString),
    Gesture(Gesture),
    Resize(u16, u16),
    /// Time has passed: this much since the start.
    Tick(Duration),
    /// So many lines of what is on top do not fit on the screen.
    Overflow(u16),
    SignedIn(RequestId, Result<Session, Problem>),
    /// What there is to know before the credentials are sent.
    Warned(RequestId, String),
    /// What Keystone says of its regions.
    RegionsDescribed(RequestId, BTreeMap<RegionId, String>),
    /// A region was discovered, or not.
    Discovered(RegionId, RequestId, Result<Inventory, Error>),
    /// All but the subnets of a region is known.
    DiscoveredInPart(RegionId, RequestId, Box<Inventory>),
    /// The interfaces of some routers of a region were read, or not.
    InterfacesRead(RegionId, RequestId, Result<BTreeMap<Id, Interfaces>, Error>),
    /// The details of a region were read, or not.
    Detailed(RegionId, RequestId, Result<Detail, Error>),
    /// The keys that the new VPN has to share were read, as far as they could be.
    SharedKeysRead(RequestId, Vec<SharedKey>),
    Generated(Psk),
    /// The id and the key of the next new VPN.
    Drawn(VpnId, Psk),
    /// A run that was interrupted is ready to go on, or why not.
    Resumed(RequestId, Result<Box<ResumedCreation>, Vec<String>>),
    Event(Event),
    /// A change is carried out or rolled back, or not; how far it is.
    Rested(Result<Changed, ChangeError>, Box<Course>),
    Watched(Watched),
    /// The halves were compared, or why not.
    Verified(Result<Box<Examined>, Error>),
    /// Something was read of the VPNs that exist.
    Vpns(VpnsMessage),
    /// A change could not even begin, and why.
    NotBegun(Vec<String>),
    /// The plan file was written, or why not.
    Saved(io::Result<PathBuf>),
    /// The key was written into a file, or why not.
    KeySaved(io::Result<PathBuf>),
    /// The key of a connection was read, or why not.
    KeyRead(RequestId, Result<SecretString, Error>),
    /// A sheet was written, or why not.
    SheetWritten(io::Result<PathBuf>),
    /// The sign-in, the first or one that renews it, asks something.
    Asked(Question),
    QuestionOver,
    /// A request was answered, or was not.
    Exchanged(Exchange),
    /// A read of a region pauses before it is tried again.
    Paused(RegionId, Pause),
    /// A text for the clipboard was sent to the terminal, or this is none that takes one.
    Copied {
        is_sent: bool,
    },
    /// The terminal was given to somebody else meanwhile, and is the wizard's again.
    Continued,
    Terminated,
}

/// What can be read of the VPNs that exist.
#[derive(Debug)]
pub enum VpnsMessage {
    /// All regions were read, as far as they could be; or some of them, and others are awaited.
    Inspected(RequestId, Box<Overview>),
    /// A VPN's keys were compared, and it was read what its instances allow.
    Diagnosed(RequestId, Box<Keys>, Box<Exposures>),
    /// The keys of VPNs were compared, each named by its handle.
    KeysCompared(RequestId, Vec<(String, Keys)>),
    /// How the connections of a VPN stand now, or why that could not be read.
    Looked(RequestId, Result<BTreeMap<Half, HalfStatus>, Error>),
}

#[derive(Debug)]
pub enum Effect {
    /// Sign in; answered by [`Message::SignedIn`], and by [`Message::Warned`] before that.
    SignIn(RequestId, Login),
    /// Read the names of the regions; answered by [`Message::RegionsDescribed`].
    DescribeRegions(RequestId),
    /// Read a region; answered by [`Message::Discovered`], and by [`Message::DiscoveredInPart`] before that.
    Discover(RequestId, RegionId),
    /// Read the interfaces of some routers of a region; answered by [`Message::InterfacesRead`].
    ReadInterfaces(RequestId, RegionId, Vec<Id>),
    /// Read a chosen region's details; answered by [`Message::Detailed`].
    Detail(RequestId, RegionId),
    /// Give up what is being read of a region; an answer that comes is late.
    StopReading(RegionId),
    /// Read the keys of those connections; answered by [`Message::SharedKeysRead`].
    ReadSharedKeys(RequestId, Vec<KeySharer>),
    /// Make a new key; answered by [`Message::Generated`].
    Generate,
    /// Draw what another new VPN needs; answered by [`Message::Drawn`].
    Draw,
    /// Resume the run of that journal; answered by [`Message::Resumed`].
    Resume(RequestId, PathBuf, Direction),
    /// Go on in the journal that was resumed with that request.
    GoOn(RequestId),
    /// What was resumed with that request is not continued.
    Release(RequestId),
    Forget(PathBuf),
    /// Carry a change out, roll it back or watch what came of it; answered by [`Message::Rested`], [`Message::Watched`] or
    /// [`Message::NotBegun`].
    Work(Which, Order),
    /// Compare the halves of that VPN, which are in those regions; answered by [`Message::Verified`].
    Verify(VpnId, BTreeMap<Half, RegionId>),
    /// Read the VPNs of all regions; answered by [`VpnsMessage::Inspected`].
    Inspect(RequestId),
    /// Read a VPN's keys and what its instances allow; answered by [`VpnsMessage::Diagnosed`].
    Diagnose(RequestId, Box<Vpn>),
    /// Compare the keys of those VPNs; answered by [`VpnsMessage::KeysCompared`].
    CompareKeys(RequestId, Vec<Vpn>),
    /// Ask after that time how the connections of a VPN stand; answered by [`VpnsMessage::Looked`].
    Look(RequestId, Box<Vpn>, Duration),
    /// The change that came to rest is not continued.
    LetGo,
    /// Ask the engine to stop after what is in progress.
    Stop,
    /// Answer what the sign-in asked last, or decline.
    Reply(Option<Reply>),
    /// Write a plan file of that name; answered by [`Message::Saved`].
    Save(String, String),
    /// Write the key of that VPN into a file of its own; answered by [`Message::KeySaved`].
    SaveKey(String, Psk),
    /// Send a text to the terminal for its clipboard; answered by [`Message::Copied`].
    Copy(SecretString),
    /// Read the key of a connection, for a sheet; answered by [`Message::KeyRead`].
    ReadKey(RequestId, RegionId, Id),
    /// Write a sheet to a file of that name; answered by [`Message::SheetWritten`].
    WriteSheet(String, Sheet),
    /// Call whoever has turned away, with a text for a terminal that can show one.
    Ring(String),
    /// Give the terminal back to the shell until `fg`.
    Suspend,
}
