//! What a step makes.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::connection::{FreshConnection, Replacement};
use super::create::HalfObject;
use crate::cloud::{Id, RegionId, harmless};
use crate::plan::Half;
use crate::plan::policy::{IkePolicy, IpsecPolicy};

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
