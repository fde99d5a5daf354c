//! The objects of a region, as far as a VPN needs to know them. Parsed at the edge, typed from here on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::printable::Text;
use super::request::Kind;

/// The id of a Neutron object: a UUID as the API writes it, compared as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Text")]
pub struct Id(String);

impl Id {
    /// Takes the text as the API gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight characters: enough to tell two objects of one name apart on a screen.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Text> for Id {
    fn from(text: Text) -> Self {
        Self(text.0)
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The code of a region, as the catalogue has it (`nz-hlz-1`); case matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Text")]
pub struct RegionId(String);

impl RegionId {
    /// Takes the text as the catalogue gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The code itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it differs from another in case alone, if at all.
    #[must_use]
    pub fn is_spelt_like(&self, other: &Self) -> bool {
        self.0.to_lowercase() == other.0.to_lowercase()
    }
}

impl fmt::Display for RegionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Text> for RegionId {
    fn from(text: Text) -> Self {
        Self(text.0)
    }
}

impl From<&str> for RegionId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The `status` of a router, a VPN service or an IPsec site connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Up. For a site connection: an IPsec SA is established.
    Active,
    /// Configured, but without an SA (site connection) or process (service).
    Down,
    /// Accepted and not yet reported on by an agent. A VPN service alone stays so until its first connection exists.
    PendingCreate,
    /// Being changed, or being built: Neutron's own agents write neither, other implementations do.
    Changing(Changing),
    /// Being deleted. Neutron's own agents never write it; elsewhere it may stay for ever.
    PendingDelete,
    /// The cloud gave up on it; on OVN the row stays and must be deleted.
    Error,
    /// Anything else, as the API wrote it; empty if it wrote nothing.
    Other(String),
}

/// How an object is being changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Changing {
    /// `PENDING_UPDATE`.
    Update,
    /// `BUILD`.
    Build,
}

impl Status {
    /// Reads the API's word.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "ACTIVE" => Self::Active,
            "DOWN" => Self::Down,
            "PENDING_CREATE" => Self::PendingCreate,
            "ERROR" => Self::Error,
            "PENDING_UPDATE" => Self::Changing(Changing::Update),
            "BUILD" => Self::Changing(Changing::Build),
            "PENDING_DELETE" => Self::PendingDelete,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether it says how the object stands: it is there, and a word that the API documents.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "ACTIVE",
            Self::Down => "DOWN",
            Self::PendingCreate => "PENDING_CREATE",
            Self::Changing(Changing::Update) => "PENDING_UPDATE",
            Self::Changing(Changing::Build) => "BUILD",
            Self::PendingDelete => "PENDING_DELETE",
            Self::Error => "ERROR",
            Self::Other(text) if text.trim().is_empty() => "unknown",
            Self::Other(text) => text,
        })
    }
}

/// One address a router has on one of its subnets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The subnet it stands on.
    pub subnet: Id,
    /// The router's own address there.
    pub address: IpAddr,
}

/// A router of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    /// Its id.
    pub id: Id,
    /// Its name; not unique.
    pub name: String,
    /// `ACTIVE` when the cloud has it running.
    pub status: Status,
    /// Whether its owner wants it running.
    pub admin_state_up: bool,
    /// The external network of its gateway; none without a gateway.
    pub external_network: Option<Id>,
    /// The gateway's IPv4 addresses, in the API's order.
    pub external_v4: Vec<Ipv4Addr>,
    /// The gateway's IPv6 addresses, in the API's order.
    pub external_v6: Vec<Ipv6Addr>,
    /// Its feet in the project's subnets.
    pub interfaces: Vec<Interface>,
}

impl Router {
    /// Whether it has a gateway to an external network.
    #[must_use]
    pub fn has_gateway(&self) -> bool {
        self.external_network.is_some()
    }

    /// Whether it stands on that subnet.
    #[must_use]
    pub fn serves(&self, subnet: &Id) -> bool {
        self.interfaces.iter().any(|interface| interface.subnet == *subnet)
    }
}

/// A subnet the project can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Its id.
    pub id: Id,
    /// Its name; not unique, may be empty.
    pub name: String,
    /// The network it belongs to.
    pub network: Id,
    /// Its range, normalised.
    pub cidr: IpNet,
    /// Where its instances send what is not local; none if it has no gateway.
    pub gateway: Option<IpAddr>,
}

/// A VPN service: the VPN endpoint on one router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpnService {
    /// Its id.
    pub id: Id,
    /// Its name; not unique.
    pub name: String,
    /// Its description; carries our mark when we made it.
    pub description: String,
    /// The router it sits on. A router can hold only one service that works.
    pub router: Id,
    /// Set only on a legacy service: it takes no endpoint groups, and cannot be changed into one that does.
    pub legacy_subnet: Option<Id>,
    /// Its status; `PENDING_CREATE` until its first connection exists.
    pub status: Status,
    /// Whether its owner wants it running.
    pub admin_state_up: bool,
    /// The address the other half must use as peer address; on OVN not the router's own.
    pub external_v4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub external_v6: Option<Ipv6Addr>,
}

/// An IPsec site connection, never with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteConnection {
    /// Its id.
    pub id: Id,
    /// Its name; not unique.
    pub name: String,
    /// Its description; carries our mark when we made it.
    pub description: String,
    /// Its status: `ACTIVE` when a tunnel is up.
    pub status: Status,
    /// The VPN service it hangs on.
    pub service: Id,
    /// The IKE policy it uses.
    pub ike_policy: Id,
    /// The IPsec policy it uses.
    pub ipsec_policy: Id,
    /// Where the peer is.
    pub peer_address: String,
    /// How the peer names itself.
    pub peer_id: String,
    /// The local endpoint group; none in legacy mode.
    pub local_group: Option<Id>,
    /// The peer endpoint group; none in legacy mode.
    pub peer_group: Option<Id>,
    /// The remote ranges of a legacy connection; empty with endpoint groups.
    pub peer_cidrs: Vec<IpNet>,
    /// Whether its owner wants it running.
    pub admin_state_up: bool,
    /// How it names itself; empty for its service's external address.
    pub local_id: String,
    /// `bi-directional` or `response-only`.
    pub initiator: String,
    /// In bytes.
    pub mtu: u32,
    /// What it does about a silent peer.
    pub dpd: DeadPeerDetection,
}

impl SiteConnection {
    /// The objects it holds: none of them can be deleted before it.
    pub fn holds(&self) -> impl Iterator<Item = &Id> {
        let groups = [&self.local_group, &self.peer_group].into_iter().flatten();
        [&self.service, &self.ike_policy, &self.ipsec_policy].into_iter().chain(groups)
    }

    /// Whether it holds that object.
    #[must_use]
    pub fn uses(&self, id: &Id) -> bool {
        self.holds().any(|held| held == id)
    }
}

/// The dead peer detection of a connection, as the API writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadPeerDetection {
    /// `hold`, `clear` or `restart`; with any other strongSwan leaves the connection out.
    pub action: String,
    /// Seconds between two probes.
    pub interval: u32,
    /// Seconds until a silent peer is dead; more than the interval.
    pub timeout: u32,
}

/// An IKE or IPsec policy, its attributes as words of the API: another program may have stored some that this one would
/// not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPolicy {
    /// Its id.
    pub id: Id,
    /// Its name; not unique.
    pub name: String,
    /// Its description; carries our mark when we made it.
    pub description: String,
    /// Attribute and word, in the order of the API's documentation; `lifetime` in seconds.
    pub attributes: Vec<(&'static str, String)>,
}

impl StoredPolicy {
    /// The word of an attribute; empty if the kind does not have it.
    #[must_use]
    pub fn word(&self, attribute: &str) -> &str {
        self.attributes.iter().find(|(name, _)| *name == attribute).map_or("", |(_, word)| word)
    }
}

/// An endpoint group: the local subnets or the remote ranges of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointGroup {
    /// Its id.
    pub id: Id,
    /// Its name; not unique.
    pub name: String,
    /// Its description; carries our mark when we made it.
    pub description: String,
    /// `subnet`, `cidr`, or a kind IPsec does not use.
    pub kind: String,
    /// Subnet ids or CIDRs, as text.
    pub endpoints: Vec<String>,
}

/// A network, for its name alone: subnets and routers of one name are told apart by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub id: Id,
    /// Its name; not unique.
    pub name: String,
}

/// The API extensions of a region: what it can do, and so which release it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions(BTreeSet<String>);

impl Extensions {
    /// From the aliases of `GET /v2.0/extensions`.
    pub fn new(aliases: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(aliases.into_iter().map(Into::into).collect())
    }

    /// The aliases, sorted.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether that alias is listed.
    #[must_use]
    pub fn has(&self, alias: &str) -> bool {
        self.0.contains(alias)
    }

    /// Whether the region has `VPNaaS` with endpoint groups (Mitaka and later).
    #[must_use]
    pub fn has_vpnaas(&self) -> bool {
        self.has("vpnaas") && self.has("vpn-endpoint-groups")
    }

    /// Whether the region still stores `sha1` and `3des`. From 2026.2 on the API takes them and the database answers
    /// 500; that release is known by `filter-validation` standing beside `vpnaas`.
    #[must_use]
    pub fn stores_sha1(&self) -> bool {
        !(self.has("vpn-no-sha1-3des") || (self.has("vpnaas") && self.has("filter-validation")))
    }

    /// Whether the database takes the ciphers, hashes and groups 15–31 that came with 2025.1.
    #[must_use]
    pub fn stores_new_algorithms(&self) -> bool {
        self.has("vpn-aes-ctr")
    }

    /// Whether VPN services are run by the OVN VPN agent, which gives each its own external address.
    #[must_use]
    pub fn is_ovn(&self) -> bool {
        self.has("vpn-agent-scheduler")
    }
}

/// An object of a list that is not as the API promises. It is left out, and everything else is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Whose list it stands in: the API's plural name.
    pub collection: &'static str,
    /// Its name, if that can be read.
    pub name: String,
    /// Its id, if that can be read.
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

/// Limit and use of one kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many may exist; none means unlimited.
    pub limit: Option<u64>,
    /// How many exist, those being made included.
    pub used: u64,
}

impl Quota {
    /// Whether that many more would still be allowed.
    #[must_use]
    pub fn allows(&self, more: u64) -> bool {
        self.limit.is_none_or(|limit| self.used.saturating_add(more) <= limit)
    }
}

/// What discovery reads of every region, in one round trip of six requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What the region can do.
    pub extensions: Extensions,
    /// The routers of the project, by name, then id.
    pub routers: Vec<Router>,
    /// The subnets that can be seen, external ones and `OVN`'s transit subnets left out, by name, then id.
    pub subnets: Vec<Subnet>,
    /// Existing VPN services.
    pub services: Vec<VpnService>,
    /// Existing IPsec site connections.
    pub connections: Vec<SiteConnection>,
    /// What could not be read of these lists, and in a [`Survey`] of the others too.
    pub unfit: Vec<Unfit>,
}

impl Inventory {
    /// The router of that id.
    #[must_use]
    pub fn router(&self, id: &Id) -> Option<&Router> {
        self.routers.iter().find(|router| router.id == *id)
    }

    /// The subnet of that id.
    #[must_use]
    pub fn subnet(&self, id: &Id) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.id == *id)
    }

    /// What of a list could not be read.
    pub fn unfit_of(&self, kind: Kind) -> impl Iterator<Item = &Unfit> {
        self.unfit.iter().filter(move |unfit| unfit.collection == kind.plural())
    }

    /// The VPN services of a router; more than one means all but one are dead.
    pub fn services_on<'a>(&'a self, router: &'a Id) -> impl Iterator<Item = &'a VpnService> {
        self.services.iter().filter(move |service| service.router == *router)
    }
}

/// Everything about the VPNs of a region, but for their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Routers, subnets, services and connections.
    pub inventory: Inventory,
    /// Endpoint groups.
    pub groups: Vec<EndpointGroup>,
    /// IKE policies.
    pub ike_policies: Vec<StoredPolicy>,
    /// IPsec policies.
    pub ipsec_policies: Vec<StoredPolicy>,
}

/// What is read of a region once it is chosen: names and numbers the later steps need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Names of networks, the external ones too.
    pub networks: Vec<Network>,
    /// Endpoint groups, to know what existing connections tunnel.
    pub groups: Vec<EndpointGroup>,
    /// By the API's singular names (`vpnservice`, `ikepolicy`, …); what is missing is not known.
    pub quotas: BTreeMap<String, Quota>,
}

impl Detail {
    /// The name of a network, if it has one.
    #[must_use]
    pub fn network_name(&self, id: &Id) -> Option<&str> {
        self.networks
            .iter()
            .find(|network| network.id == *id)
            .map(|network| network.name.as_str())
            .filter(|name| !name.is_empty())
    }
}
