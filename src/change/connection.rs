//! What a new connection has: of its own, or instead of what another one has.

use serde::{Deserialize, Serialize};

use super::step::{Object, Ref};
use crate::cloud::{DeadPeerDetection, Id, SiteConnection};
use crate::plan::Outer;
use crate::plan::policy::Dpd;
use crate::plan::psk::KeyOrigin;

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
    /// In bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Which side begins to negotiate, in the API's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<String>,
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
        let [ike_policy, ipsec_policy] = [&connection.ike_policy, &connection.ipsec_policy].map(Ref::from);
        Self::like(connection.id.clone(), ike_policy, ipsec_policy)
    }

    /// One that differs from the connection with that id in its policies, if at all.
    pub fn like(like: Id, ike_policy: Ref, ipsec_policy: Ref) -> Self {
        Self {
            like,
            ike_policy,
            ipsec_policy,
            service: None,
            dpd: None,
            mtu: None,
            initiator: None,
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
