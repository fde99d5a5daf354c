//! A change of VPNs, as an ordered list of steps on their objects; pure. A new VPN is a change, too. The builder decides what
//! will be different; [`engine`](crate::engine) carries it out, finishes it or rolls it back.
//!
//! A change holds no secret: a key is made, read or asked for when it is carried out.

mod admit;
mod connection;
mod create;
mod delete;
mod edits;
mod fix;
mod id;
mod impact;
mod new;
mod proposal;
mod public_keys;
mod repair;
mod rotate_psk;
mod sharers;
mod step;
mod subnets;
mod text;
mod together;
mod upgrade;
mod upgrades;
mod verb;

use std::ops::Range;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::cloud::{Id, Kind, RegionId, harmless};
use crate::plan::VpnId;

pub use admit::admit;
pub use connection::{DpdValues, FreshConnection, NewGroups, PeerEnd, Replacement};
pub use create::{HalfObject, Task};
pub use delete::{Unfinished, delete, delete_strays};
pub use edits::{ConnectionEdits, Edit, Edits, ServiceEdits, Update};
pub use fix::fix;
pub use id::ChangeId;
pub(crate) use id::is_in_place_of;
pub use impact::{may_move, moved_with};
pub use new::{Create, Form, KnownBy, New};
pub use proposal::*;
pub use public_keys::{Rescue, rotate_public_keys};
pub use repair::repair;
pub use rotate_psk::{Sas, rotate_key};
pub use step::{CopyKey, Deletable, Object, Ref, Restarted, SetKey, Step};
pub use subnets::{NewSubnets, can_set_subnets, set_subnets};
pub use together::Together;
pub use upgrade::{INTERRUPTION, Lag, Target, TargetPolicies, curable_lags, due_lags, lags, upgrade};
pub use upgrades::{LeftVpn, UpgradeTurn, Upgrades, urgency};
pub use verb::Verb;
pub(crate) use verb::short_name;

/// Which VPN a change is of: what its lock and its journal are called by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// One with our mark.
    Marked(VpnId),
    /// One without, by its first connection; or unused objects, by the first of them.
    Unmarked(Id),
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

    /// Whether it makes connections in place of others.
    #[must_use]
    pub fn replaces_connections(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Create(Create { object: New::Connection(_), .. })))
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
