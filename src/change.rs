//! A change of VPNs, as an ordered list of steps on their objects; pure. A new VPN is a change, too. The builder decides what
//! will be different; [`engine`](crate::engine) carries it out, finishes it or rolls it back.
//!
//! A change holds no secret: a key is made, read or asked for when it is carried out.

mod admit;
mod create;
mod delete;
mod fix;
mod impact;
mod proposal;
mod public_keys;
mod repair;
mod rotate_psk;
mod sharers;
mod subnets;
mod text;
mod together;
mod upgrade;
mod upgrades;

use std::collections::BTreeSet;
use std::ops::Range;

use ipnet::IpNet;
use itertools::Itertools;
use serde::{Deserialize, Serialize};

use crate::cloud::vpnaas::closing_word;
use crate::cloud::{DeadPeerDetection, Id, Kind, RegionId, SiteConnection, harmless};
use crate::plan::policy::{Dpd, IkePolicy, IpsecPolicy};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Outer, VpnId};

pub use admit::admit;
pub use create::{HalfObject, Task};
pub use delete::{Unfinished, delete, delete_strays};
pub use fix::fix;
pub use impact::{may_move, moved_with};
pub use proposal::*;
pub use public_keys::{Rescue, rotate_public_keys};
pub use repair::repair;
pub use rotate_psk::{Sas, rotate_key};
pub use subnets::{NewSubnets, can_set_subnets, set_subnets};
pub(crate) use text::short_name;
pub use together::Together;
pub use upgrade::{INTERRUPTION, Lag, Target, TargetPolicies, curable_lags, lags, upgrade};
pub use upgrades::{LeftVpn, UpgradeTurn, Upgrades};

/// What a change does, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Makes it, from a plan.
    Create,
    /// Deletes the VPN.
    Delete,
    /// Deletes objects that no VPN uses.
    DeleteStrays,
    /// Deletes VPN services beside its own that no connection uses.
    RemoveService,
    /// Gives it another key.
    RotatePsk,
    /// Tunnels other subnets.
    SetSubnets,
    /// Makes the policies of its halves the same.
    EqualisePolicies,
    /// Points a half to where its peer is.
    SetPeer,
    /// Corrects the dead peer detection.
    SetDpd,
    /// Has a half begin to negotiate.
    SetInitiator,
    /// Recreates a VPN service with its connection.
    RebuildService,
    /// Brings it to the current model, sound policies and a key of its own.
    Upgrade,
    /// Makes the half that is missing.
    Repair,
    /// Switches on what is switched off.
    SwitchOn,
    /// Makes the agents configure a router again.
    Nudge,
    /// Ends the running SAs, so that they are renegotiated.
    Restart,
    /// Allows traffic from the other side to the instances.
    AdmitTraffic,
}

/// The short random id of one change, the same in every word by which it knows what it has made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(String);

/// What the word of a change starts with.
const WORD: &str = "osvpn-change:";

/// What stands before the id of the connection that one was made in place of.
const PREDECESSOR: &str = "osvpn-was:";

impl ChangeId {
    /// A new one: eight hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:08x}", rand::random::<u32>()))
    }

    /// The word in the description of what that step makes: `osvpn-change:<change-id>:<step>`. No other object has it.
    pub fn word(&self, step: usize) -> String {
        format!("{WORD}{}:{step}", self.0)
    }

    /// The change whose word a description ends with.
    #[must_use]
    pub fn of_description(description: &str) -> Option<Self> {
        let (id, step) = closing_word(description).strip_prefix(WORD)?.split_once(':')?;
        let is_word = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric()) && step.parse::<usize>().is_ok();
        is_word.then(|| Self(id.to_owned()))
    }

    /// A description with that step's word behind what is said already, within Neutron's 255 characters and without the
    /// words of changes before.
    pub fn described(&self, step: usize, description: &str) -> String {
        with_words(description, &self.word(step))
    }

    /// The same of a connection made in place of that one.
    pub(crate) fn described_in_place_of(&self, old: &Id, step: usize, description: &str) -> String {
        with_words(description, &format!("{PREDECESSOR}{old} {}", self.word(step)))
    }
}

fn with_words(description: &str, words: &str) -> String {
    const LONGEST: usize = 255;
    let is_of_change = |word: &&str| word.starts_with(WORD) || word.starts_with(PREDECESSOR);
    let said = description.split(' ').filter(|word| !is_of_change(word)).join(" ");
    let said: String = said.trim().chars().take(LONGEST.saturating_sub(words.len() + 1)).collect();
    if said.is_empty() { words.to_owned() } else { format!("{said} {words}") }
}

/// Whether a description says that a connection was made in place of that one.
pub(crate) fn is_in_place_of(description: &str, old: &Id) -> bool {
    description.split(' ').filter_map(|word| word.strip_prefix(PREDECESSOR)).any(|id| id == old.as_str())
}

/// Which VPN a change is of: what its lock and its journal are called by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// One with our mark.
    Marked(VpnId),
    /// One without, by its first connection; or unused objects, by the first of them.
    Unmarked(Id),
}

/// An object by its id, or what an earlier step of the change makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ref {
    /// It exists.
    Id(Id),
    /// That step makes it, counted from 0. Only [`Change::create`] gives these out.
    Made(usize),
}

impl Subject {
    /// Whether a word means it: its id, or the whole marker.
    pub fn is_called(&self, wanted: &str) -> bool {
        match self {
            Self::Marked(id) => VpnId::of_word(wanted).as_ref() == Some(id),
            Self::Unmarked(connection) => !wanted.is_empty() && connection.as_str() == wanted,
        }
    }
}

impl From<&Id> for Ref {
    fn from(id: &Id) -> Self {
        Self::Id(id.clone())
    }
}

/// A value before and after the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit<T> {
    /// What taking the change back restores.
    pub before: T,
    pub after: T,
}

impl<T> Edit<T> {
    /// From one value to another.
    pub fn new(before: T, after: T) -> Self {
        Self { before, after }
    }
}

/// Dead peer detection as the API has it: what a connection has may be what no VPN should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DpdValues {
    /// The API's word.
    pub action: String,
    /// In seconds.
    pub interval: u32,
    /// In seconds.
    pub timeout: u32,
}

impl From<&Dpd> for DpdValues {
    fn from(Dpd { action, interval, timeout }: &Dpd) -> Self {
        Self { action: action.as_str().to_owned(), interval: *interval, timeout: *timeout }
    }
}

impl From<&DeadPeerDetection> for DpdValues {
    fn from(DeadPeerDetection { action, interval, timeout }: &DeadPeerDetection) -> Self {
        Self { action: action.clone(), interval: *interval, timeout: *timeout }
    }
}

/// What a step makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum New {
    /// A VPN service on that router.
    Service(Id),
    /// An endpoint group of type `subnet`, with these subnets.
    LocalGroup(Vec<Id>),
    /// An endpoint group of type `cidr`, with these ranges.
    PeerGroup(Vec<IpNet>),
    /// An IKE policy.
    IkePolicy(IkePolicy),
    /// An IPsec policy.
    IpsecPolicy(IpsecPolicy),
    /// A connection in place of another, which exists then.
    Connection(Box<Replacement>),
    /// The only VPN service of that router. An existing one is used, including those not created by osvpn: a second takes
    /// the first one down.
    SoleService {
        /// The router.
        router: Id,
        /// Its name, for messages.
        #[serde(deserialize_with = "harmless")]
        router_name: String,
    },
    /// A connection with values of its own. Its key is given when it is made.
    FreshConnection(Box<FreshConnection>),
    /// What a creation has made whose plan is not known any more: it can be looked for and deleted, and not made.
    Unplanned(HalfObject, Form),
    /// A rule that allows everything from a range.
    Rule {
        /// The security group it becomes part of.
        group: Id,
        /// Where the traffic comes from.
        remote: IpNet,
    },
}

/// What a connection has instead of what the one has that it is made like: of what is not said here it has the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The other one.
    pub like: Id,
    pub ike_policy: Ref,
    pub ipsec_policy: Ref,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Ref>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpd: Option<DpdValues>,
    /// Both groups, in place of others or of the ranges of a legacy connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<NewGroups>,
    /// Where its peer is then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerEnd>,
    /// Whether the peer names itself by that address, however it was named before; else only where it was by its address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_peer_renamed: bool,
    /// A new key, the same for all that get one in a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyOrigin>,
    /// Name and description of the step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_renamed: bool,
}

impl Replacement {
    /// One that is no different yet.
    pub(crate) fn of(connection: &SiteConnection) -> Self {
        Self {
            like: connection.id.clone(),
            ike_policy: Ref::from(&connection.ike_policy),
            ipsec_policy: Ref::from(&connection.ipsec_policy),
            service: None,
            dpd: None,
            groups: None,
            peer: None,
            is_peer_renamed: false,
            key: None,
            is_renamed: false,
        }
    }
}

/// The endpoint groups of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGroups {
    pub local: Ref,
    pub peer: Ref,
}

/// What a new connection is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshConnection {
    /// The half's.
    pub service: Ref,
    /// The half's.
    pub ike_policy: Ref,
    /// The half's.
    pub ipsec_policy: Ref,
    /// The half's.
    pub local_group: Ref,
    /// The half's.
    pub peer_group: Ref,
    /// The other end.
    pub peer: PeerEnd,
    /// Which side begins to negotiate, in the API's word.
    pub initiator: String,
    /// In bytes.
    pub mtu: u32,
    /// Dead peer detection.
    pub dpd: DpdValues,
    /// Whose key it gets, read when it is made; if none, the one that is given then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_of: Option<Object>,
}

/// Where a new connection goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerEnd {
    /// To an external peer.
    Outside {
        /// Its address or host name.
        address: String,
        /// How it names itself.
        id: String,
    },
    /// To the external address that the cloud gives the VPN service which that step makes or finds.
    Service(usize, Outer),
}

/// What an object must hold to be taken for what was sent: a description can be copied, and a name be changed. What is not
/// known tells nothing apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Of a VPN service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<Id>,
    /// Of an endpoint group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<BTreeSet<String>>,
    /// Of a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_address: Option<String>,
}

/// How an object that a step has made is known again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// By the word of the change and the step, which its description ends with. No other object has it.
    #[default]
    Word,
    /// By the marker of that half of the VPN, which is its description, its name and its form.
    Marker(Half),
}

/// An object to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// Where.
    pub region: RegionId,
    /// Its name; of a connection what it is called on the screen, for it gets the other one's; of a rule the name of its
    /// security group.
    #[serde(deserialize_with = "harmless")]
    pub name: String,
    /// Its description: the mark of the VPN, or what the object says that it takes the place of. The word of the change
    /// is added. A connection gets that of the other one.
    pub description: String,
    /// What it is.
    pub object: New,
    /// How it is looked for before it is made again.
    #[serde(default, skip_serializing_if = "is_word")]
    pub known_by: KnownBy,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so.
const fn is_word(known_by: &KnownBy) -> bool {
    matches!(known_by, KnownBy::Word)
}

/// New values of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edits {
    /// About a VPN service.
    Service(ServiceEdits),
    /// About an IPsec site connection.
    Connection(Box<ConnectionEdits>),
}

/// New values of a VPN service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEdits {
    /// A nudge sends the same again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Edit<String>>,
    /// Whether it is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_state_up: Option<Edit<bool>>,
}

/// New values of an IPsec site connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEdits {
    /// Where the peer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_address: Option<Edit<String>>,
    /// How the peer names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<Edit<String>>,
    /// The local endpoint group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_group: Option<Edit<Ref>>,
    /// The peer's endpoint group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_group: Option<Edit<Ref>>,
    /// Dead peer detection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpd: Option<Edit<DpdValues>>,
    /// Which side begins to negotiate, in the API's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Edit<String>>,
    /// Whether it is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_state_up: Option<Edit<bool>>,
}

/// An object to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Where.
    pub region: RegionId,
    /// Its id.
    pub id: Id,
    /// Its name, for messages.
    #[serde(deserialize_with = "harmless")]
    pub name: String,
    pub edits: Edits,
}

/// An object that is there already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Where.
    pub region: RegionId,
    /// Its id.
    pub id: Id,
    /// Its name, for messages.
    #[serde(deserialize_with = "harmless")]
    pub name: String,
}

/// A VPN service to be switched off and on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarted {
    /// Where.
    pub region: RegionId,
    /// Its name, for messages.
    #[serde(deserialize_with = "harmless")]
    pub name: String,
    /// It, or the step that makes it.
    #[serde(flatten)]
    pub service: Ref,
}

impl From<Object> for Restarted {
    fn from(Object { region, id, name }: Object) -> Self {
        Self { region, name, service: Ref::Id(id) }
    }
}

/// The key of a VPN to be changed, as one step: never on one half alone for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetKey {
    /// The connection that gets it first, or the only one.
    pub first: Object,
    /// The other half's connection.
    pub second: Option<Object>,
    /// Whether the key is the user's, so that no other will do should it have to be sent again.
    pub key: KeyOrigin,
}

/// The key of one connection for another between the same two ends, once the first has its new one: strongSwan finds a key by
/// the identities of both ends, so these can only have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyKey {
    /// Whose key.
    pub from: Object,
    /// Which gets it.
    pub to: Object,
}

/// What can be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deletable {
    /// A VPN object.
    Vpn(Kind),
    /// A rule of a security group.
    Rule,
}

/// One step of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Makes an object. Its answer lost, it is looked for by its word before it is made again.
    Create(Create),
    /// Changes an object. Repeating it does no harm.
    Update(Update),
    /// Changes the key of a VPN.
    SetKey(SetKey),
    /// Gives a connection the key of another. Repeating it does no harm.
    CopyKey(CopyKey),
    /// Switches a VPN service off and on again, so that its tunnels are renegotiated.
    Restart(Restarted),
    /// Deletes an object. What something else uses is kept.
    Delete(Deletable, Object),
}

/// What to do to one existing VPN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    id: ChangeId,
    /// What it does, as a whole.
    pub verb: Verb,
    /// Which VPN it is of.
    pub subject: Subject,
    /// What that is called on the screen.
    #[serde(deserialize_with = "harmless")]
    pub label: String,
    /// The connections of the VPN as they were when it was built; none in a journal of an earlier version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Object>,
    /// The id in its markers from this change on, if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_id: Option<VpnId>,
    steps: Vec<Step>,
    /// How many steps each stage has, whose steps go at once. None: every step is a stage of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stages: Vec<usize>,
    /// Of a deletion: the security-group rules that could not be read, and so stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_rules: Vec<UnreadRules>,
}

/// The security-group rules of a half that could not be read. Those added for the VPN allow these ranges, and have
/// that word in their description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadRules {
    /// Where.
    pub region: RegionId,
    /// What they allow.
    pub remote: Vec<IpNet>,
    /// By what they are known.
    #[serde(deserialize_with = "harmless")]
    pub word: String,
}

impl Change {
    /// One that does nothing yet.
    #[must_use]
    pub fn new(verb: Verb, subject: Subject, label: impl Into<String>) -> Self {
        Self {
            id: ChangeId::random(),
            verb,
            subject,
            label: label.into(),
            connections: Vec::new(),
            new_id: None,
            steps: Vec::new(),
            stages: Vec::new(),
            unread_rules: Vec::new(),
        }
    }

    /// Its id.
    pub const fn id(&self) -> &ChangeId {
        &self.id
    }

    /// Whether it makes a new VPN.
    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.verb == Verb::Create
    }

    /// Its steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Its steps in stages: those of one go at once, after all of the stage before.
    pub fn stages(&self) -> Vec<Range<usize>> {
        if self.stages.is_empty() {
            return (0..self.steps.len()).map(|step| step..step + 1).collect();
        }
        let mut begin = 0;
        let stage = |count: &usize| {
            let stage = begin..begin + count;
            begin = stage.end;
            stage
        };
        self.stages.iter().map(stage).collect()
    }

    /// Whether its stages hold each step once.
    #[must_use]
    pub(crate) fn is_staged(&self) -> bool {
        let count = self.stages.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count));
        self.stages.is_empty() || count == Some(self.steps.len())
    }

    /// Makes an object; later steps refer to it by what this returns.
    pub fn create(&mut self, create: Create) -> Ref {
        self.push(Step::Create(create));
        Ref::Made(self.steps.len() - 1)
    }

    /// Changes an object.
    pub fn update(&mut self, update: Update) -> &mut Self {
        self.push(Step::Update(update))
    }

    /// Changes the key.
    pub fn set_key(&mut self, set_key: SetKey) -> &mut Self {
        self.push(Step::SetKey(set_key))
    }

    /// Gives a connection the key of another.
    pub fn copy_key(&mut self, copy_key: CopyKey) -> &mut Self {
        self.push(Step::CopyKey(copy_key))
    }

    /// Switches a VPN service off and on again.
    pub fn restart(&mut self, service: impl Into<Restarted>) -> &mut Self {
        self.push(Step::Restart(service.into()))
    }

    /// Deletes a VPN object, unless something else uses it.
    pub fn delete(&mut self, kind: Kind, object: Object) -> &mut Self {
        self.push(Step::Delete(Deletable::Vpn(kind), object))
    }

    /// Deletes a rule of a security group.
    pub fn delete_rule(&mut self, rule: Object) -> &mut Self {
        self.push(Step::Delete(Deletable::Rule, rule))
    }

    fn push(&mut self, step: Step) -> &mut Self {
        self.steps.push(step);
        if !self.stages.is_empty() {
            self.stages.push(1);
        }
        self
    }

    /// What is added meanwhile is one stage.
    pub(crate) fn at_once<T>(&mut self, add: impl FnOnce(&mut Self) -> T) -> T {
        let begin = self.steps.len();
        if self.stages.is_empty() {
            self.stages = vec![1; begin];
        }
        let stages = self.stages.len();
        let added = add(self);
        self.stages.truncate(stages);
        if self.steps.len() > begin {
            self.stages.push(self.steps.len() - begin);
        }
        added
    }
}

impl Step {
    /// The object of a new VPN that it makes.
    #[must_use]
    pub fn task(&self) -> Option<Task> {
        if let Self::Create(create) = self { create.task() } else { None }
    }

    /// Whether a key is sent with it.
    pub const fn has_key(&self) -> bool {
        matches!(
            self,
            Self::SetKey(_)
                | Self::CopyKey(_)
                | Self::Create(Create { object: New::Connection(_) | New::FreshConnection(_), .. })
        )
    }

    /// Whether it gives a connection another key than there was.
    #[must_use]
    pub fn sets_key(&self) -> bool {
        match self {
            Self::SetKey(_) => true,
            Self::Create(Create { object: New::Connection(replacement), .. }) => replacement.key.is_some(),
            _ => false,
        }
    }

    /// The half it is about, if it names one.
    #[must_use]
    pub fn half(&self) -> Option<Half> {
        match self {
            Self::Create(Create { known_by: KnownBy::Marker(half), .. }) => Some(*half),
            Self::Create(create) => VpnId::of_description(&create.description).map(|(_, half)| half),
            _ => None,
        }
    }

    /// The regions it is done in: two for a key on two halves.
    pub fn regions(&self) -> Vec<&RegionId> {
        match self {
            Self::Create(create) => vec![&create.region],
            Self::Update(update) => vec![&update.region],
            Self::SetKey(key) => {
                [Some(&key.first), key.second.as_ref()].into_iter().flatten().map(|o| &o.region).collect()
            }
            Self::CopyKey(copy) => vec![&copy.to.region],
            Self::Restart(service) => vec![&service.region],
            Self::Delete(_, object) => vec![&object.region],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_what_it_said_gets_one_word_and_fits() {
        let id = ChangeId("1f2e3d4c".to_owned());
        assert_eq!(id.described(3, "osvpn:7a1f214e:A"), "osvpn:7a1f214e:A osvpn-change:1f2e3d4c:3");
        assert_eq!(id.described(0, ""), "osvpn-change:1f2e3d4c:0");
        assert_eq!(id.described(1, "mine osvpn-change:00000000:9"), "mine osvpn-change:1f2e3d4c:1");
        assert_eq!(id.described(1, &"ä".repeat(255)).chars().count(), 255);
        let (old, older) = (Id::new("b"), Id::new("a"));
        let first = id.described_in_place_of(&older, 2, "mine");
        assert_eq!(first, "mine osvpn-was:a osvpn-change:1f2e3d4c:2");
        let second = id.described_in_place_of(&old, 3, &first);
        assert_eq!(second, "mine osvpn-was:b osvpn-change:1f2e3d4c:3");
        assert!(is_in_place_of(&second, &old) && !is_in_place_of(&second, &older));
    }
}
