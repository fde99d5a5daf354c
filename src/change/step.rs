//! One step of a change.

use serde::{Deserialize, Serialize};

use super::create::Task;
use super::edits::Update;
use super::new::{Create, KnownBy, New};
use crate::cloud::{Id, Kind, RegionId, harmless};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, VpnId};

/// An object by its id, or what an earlier step of the change makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ref {
    /// It exists.
    Id(Id),
    /// That step makes it, counted from 0. Only [`super::Change::create`] gives these out.
    Made(usize),
}

impl From<&Id> for Ref {
    fn from(id: &Id) -> Self {
        Self::Id(id.clone())
    }
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
