//! The objects of a region, as far as a VPN needs to know them. Parsed at the edge, typed from here on.

mod objects;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::objects::{
    DeadPeerDetection, EndpointGroup, Interface, Interfaces, Router, SiteConnection, Status, StoredPolicy, Subnet,
    VpnService,
};
use super::printable::Text;
use super::request::Kind;

/// Declares a text of the API that is compared to the letter.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        $(#[$doc])*
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

identifier! {
    /// The id of a Neutron object: a UUID as the API writes it.
    #[serde(try_from = "Text")]
    Id
}
identifier! {
    /// The code of a region, as the catalogue has it (`nz-hlz-1`); case matters.
    #[serde(from = "Text")]
    RegionId
}

#[derive(Debug, thiserror::Error)]
#[error("an id has letters, digits and hyphens only")]
pub struct OddId;

impl TryFrom<Text> for Id {
    type Error = OddId;

    fn try_from(Text(text): Text) -> Result<Self, OddId> {
        let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if is_plain { Ok(Self(text)) } else { Err(OddId) }
    }
}

impl From<Text> for RegionId {
    fn from(text: Text) -> Self {
        Self(text.0)
    }
}

impl Id {
    /// The first eight characters: enough to tell two objects of one name apart on a screen.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl RegionId {
    /// Whether it differs from another in case alone, if at all.
    pub(crate) fn is_spelt_like(&self, other: &Self) -> bool {
        self.0.to_lowercase() == other.0.to_lowercase()
    }
}

/// The API extensions of a region: what it can do, and so which release it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions(BTreeSet<String>);

impl Extensions {
    /// From the aliases of `GET /v2.0/extensions`.
    pub fn new(aliases: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(aliases.into_iter().map(Into::into).collect())
    }

    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn has(&self, alias: &str) -> bool {
        self.0.contains(alias)
    }

    /// Whether the region has `VPNaaS` with endpoint groups (Mitaka and later).
    pub fn has_vpnaas(&self) -> bool {
        self.has("vpnaas") && self.has("vpn-endpoint-groups")
    }

    /// Whether the region still stores `sha1` and `3des`. From 2026.2 on the API takes them and the database answers
    /// 500; that release is known by `filter-validation` standing beside `vpnaas`.
    pub fn stores_sha1(&self) -> bool {
        !(self.has("vpn-no-sha1-3des") || (self.has("vpnaas") && self.has("filter-validation")))
    }

    /// Whether the database takes the ciphers, hashes and groups 15–31 that came with 2025.1.
    pub fn stores_new_algorithms(&self) -> bool {
        self.has("vpn-aes-ctr")
    }

    /// Whether VPN services are run by the OVN VPN agent, which gives each its own external address.
    pub fn is_ovn(&self) -> bool {
        self.has("vpn-agent-scheduler")
    }
}

/// An object of a list that does not match the API. It alone is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Whose list it stands in: the API's plural name.
    pub collection: &'static str,
    pub name: String,
    pub id: Option<Id>,
    /// What is wrong: the field, never its value.
    pub why: String,
}

impl fmt::Display for Unfit {
    /// "vpnservices: office (4c1b5704), where `router_id` is missing"
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "an object without a name" } else { &self.name };
        write!(f, "{}: {name}", self.collection)?;
        if let Some(id) = &self.id {
            write!(f, " ({id})")?;
        }
        write!(f, ", where {}", self.why)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many may exist; none means unlimited.
    pub limit: Option<u64>,
    /// How many exist, those being made included.
    pub used: u64,
}

impl Quota {
    pub fn allows(&self, more: u64) -> bool {
        self.limit.is_none_or(|limit| self.used.saturating_add(more) <= limit)
    }
}

/// What discovery reads of every region, in one round trip of five requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    pub extensions: Extensions,
    pub routers: Vec<Router>,
    /// The subnets of the project and those its routers are known to stand on, external ones and `OVN`'s transit subnets
    /// left out, by name, then id.
    pub subnets: Vec<Subnet>,
    /// Other projects' subnets that can be seen: a router whose interfaces have not been read may stand on them.
    pub foreign: Vec<Subnet>,
    pub services: Vec<VpnService>,
    pub connections: Vec<SiteConnection>,
    /// What could not be read of these lists, and in a [`Survey`] of the others too.
    pub unfit: Vec<Unfit>,
}

impl Inventory {
    pub fn router(&self, id: &Id) -> Option<&Router> {
        self.routers.iter().find(|router| router.id == *id)
    }

    pub fn subnet(&self, id: &Id) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.id == *id)
    }

    /// Gives routers the interfaces that were read of them, and takes the subnets of other projects that they stand on for
    /// its own.
    pub fn add_interfaces(&mut self, mut read: BTreeMap<Id, Interfaces>) {
        let attached: BTreeSet<&Id> =
            read.values().flat_map(Interfaces::iter).map(|interface| &interface.subnet).collect();
        let (attached, foreign): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.foreign).into_iter().partition(|subnet| attached.contains(&subnet.id));
        self.foreign = foreign;
        if !attached.is_empty() {
            self.subnets.extend(attached);
            self.subnets.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        }
        for router in &mut self.routers {
            if let Some(interfaces) = read.remove(&router.id) {
                router.interfaces = Some(interfaces);
            }
        }
    }

    /// For looking many up: among thousands, [`Self::subnet`] for each takes seconds.
    pub(crate) fn subnets_by_id(&self) -> HashMap<&Id, &Subnet> {
        self.subnets.iter().map(|subnet| (&subnet.id, subnet)).collect()
    }

    pub(crate) fn unfit_of(&self, kind: Kind) -> impl Iterator<Item = &Unfit> {
        self.unfit.iter().filter(move |unfit| unfit.collection == kind.plural())
    }

    /// The VPN services of a router; more than one means all but one are dead.
    pub(crate) fn services_on<'a>(&'a self, router: &'a Id) -> impl Iterator<Item = &'a VpnService> {
        self.services.iter().filter(move |service| service.router == *router)
    }
}

/// Everything about the VPNs of a region, but for their keys. Of its inventory only what the VPN objects name is there;
/// where there are none, not even the extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub inventory: Inventory,
    pub groups: Vec<EndpointGroup>,
    pub ike_policies: Vec<StoredPolicy>,
    pub ipsec_policies: Vec<StoredPolicy>,
}

/// What is read of a region once it is chosen: names and numbers the later steps need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The names of the networks, which tell subnets and routers of one name apart.
    pub networks: HashMap<Id, String>,
    pub groups: Vec<EndpointGroup>,
    /// By the API's singular names (`vpnservice`, `ikepolicy`, …); what is missing is not known.
    pub quotas: BTreeMap<String, Quota>,
}

impl Detail {
    pub(crate) fn network_name(&self, id: &Id) -> Option<&str> {
        self.networks.get(id).map(String::as_str).filter(|name| !name.is_empty())
    }
}
