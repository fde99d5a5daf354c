//! New values of an object that exists.

use serde::{Deserialize, Serialize};

use super::connection::DpdValues;
use super::step::Ref;
use crate::cloud::{Id, RegionId, harmless};

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
