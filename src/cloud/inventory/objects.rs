//! Routers, subnets and VPN objects, typed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::Id;

/// The `status` of a router, a VPN service or an IPsec site connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Up. For a site connection: an IPsec SA is established.
    Active,
    /// Configured, but without an SA (site connection) or process (service).
    Down,
    /// Accepted and not yet reported on by an agent. A VPN service alone stays so until its first connection exists.
    PendingCreate,
    /// Being changed. Neutron's own agents never write it, nor the next one; other implementations do.
    PendingUpdate,
    Build,
    /// Being deleted. Neutron's own agents never write it; elsewhere it may stay for ever.
    PendingDelete,
    /// The cloud gave up on it; on OVN the row stays and must be deleted.
    Error,
    /// Anything else, as the API wrote it; empty if it wrote nothing.
    Other(String),
}

impl Status {
    pub fn parse(text: &str) -> Self {
        match text {
            "ACTIVE" => Self::Active,
            "DOWN" => Self::Down,
            "PENDING_CREATE" => Self::PendingCreate,
            "ERROR" => Self::Error,
            "PENDING_UPDATE" => Self::PendingUpdate,
            "BUILD" => Self::Build,
            "PENDING_DELETE" => Self::PendingDelete,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether it says how the object stands: it is there, and a word that the API documents.
    pub(crate) const fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "ACTIVE",
            Self::Down => "DOWN",
            Self::PendingCreate => "PENDING_CREATE",
            Self::PendingUpdate => "PENDING_UPDATE",
            Self::Build => "BUILD",
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
    pub subnet: Id,
    pub address: IpAddr,
}

/// All addresses a router has on its subnets, by subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces(Vec<Interface>);

impl Interfaces {
    pub fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those in one subnet, in the order of their addresses. It takes no longer where there are thousands of others.
    pub fn in_subnet(&self, subnet: &Id) -> &[Interface] {
        let first = self.0.partition_point(|interface| interface.subnet < *subnet);
        let rest = &self.0[first..];
        &rest[..rest.partition_point(|interface| interface.subnet == *subnet)]
    }
}

impl FromIterator<Interface> for Interfaces {
    fn from_iter<T: IntoIterator<Item = Interface>>(interfaces: T) -> Self {
        let mut interfaces = Vec::from_iter(interfaces);
        interfaces.sort_by(|a, b| (&a.subnet, a.address).cmp(&(&b.subnet, b.address)));
        Self(interfaces)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    pub id: Id,
    pub name: String,
    /// `ACTIVE` when the cloud has it running.
    pub status: Status,
    pub admin_state_up: bool,
    /// The external network of its gateway; none without a gateway.
    pub external_network: Option<Id>,
    /// The gateway's IPv4 addresses, in the API's order.
    pub external_v4: Vec<Ipv4Addr>,
    /// The gateway's IPv6 addresses, in the API's order.
    pub external_v6: Vec<Ipv6Addr>,
    /// None until they are read: Neutron is slow at listing ports, so only those of routers that matter are.
    pub interfaces: Option<Interfaces>,
}

impl Router {
    pub fn has_gateway(&self) -> bool {
        self.external_network.is_some()
    }

    /// Whether it stands on a subnet; none if its interfaces have not been read.
    pub fn serves(&self, subnet: &Id) -> Option<bool> {
        self.interfaces.as_ref().map(|interfaces| !interfaces.in_subnet(subnet).is_empty())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    pub id: Id,
    pub name: String,
    pub network: Id,
    /// Its range, normalised.
    pub cidr: IpNet,
    /// Where its instances send what is not local; none if it has no gateway.
    pub gateway: Option<IpAddr>,
}

/// A VPN service: the VPN endpoint on one router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpnService {
    pub id: Id,
    pub name: String,
    pub description: String,
    /// The router it sits on. A router can hold only one service that works.
    pub router: Id,
    /// Set only on a legacy service: it takes no endpoint groups, and cannot be changed into one that does.
    pub legacy_subnet: Option<Id>,
    /// Its status; `PENDING_CREATE` until its first connection exists.
    pub status: Status,
    pub admin_state_up: bool,
    /// The address the other half must use as peer address; on OVN not the router's own.
    pub external_v4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub external_v6: Option<Ipv6Addr>,
}

impl VpnService {
    /// Where its peers reach it.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        [self.external_v4.map(IpAddr::V4), self.external_v6.map(IpAddr::V6)].into_iter().flatten()
    }
}

/// An IPsec site connection, never with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteConnection {
    pub id: Id,
    pub name: String,
    pub description: String,
    /// Its status: `ACTIVE` when a tunnel is up.
    pub status: Status,
    pub service: Id,
    pub ike_policy: Id,
    pub ipsec_policy: Id,
    pub peer_address: String,
    pub peer_id: String,
    /// The local endpoint group; none in legacy mode.
    pub local_group: Option<Id>,
    /// The peer endpoint group; none in legacy mode.
    pub peer_group: Option<Id>,
    /// The remote ranges of a legacy connection; empty with endpoint groups.
    pub peer_cidrs: Vec<IpNet>,
    pub admin_state_up: bool,
    /// How it names itself; empty for its service's external address.
    pub local_id: String,
    /// `bi-directional` or `response-only`.
    pub initiator: String,
    /// In bytes.
    pub mtu: u32,
    pub dpd: DeadPeerDetection,
}

impl SiteConnection {
    /// The objects it holds: none of them can be deleted before it.
    pub fn holds(&self) -> impl Iterator<Item = &Id> {
        let groups = [&self.local_group, &self.peer_group].into_iter().flatten();
        [&self.service, &self.ike_policy, &self.ipsec_policy].into_iter().chain(groups)
    }

    pub fn uses(&self, id: &Id) -> bool {
        self.holds().any(|held| held == id)
    }
}

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
    pub id: Id,
    pub name: String,
    pub description: String,
    /// Attribute and word, in the order of the API's documentation; `lifetime` in seconds.
    pub attributes: Vec<(&'static str, String)>,
}

impl StoredPolicy {
    /// The word of an attribute; empty if the kind does not have it.
    pub fn word(&self, attribute: &str) -> &str {
        self.attributes.iter().find(|(name, _)| *name == attribute).map_or("", |(_, word)| word)
    }
}

/// An endpoint group: the local subnets or the remote ranges of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointGroup {
    pub id: Id,
    pub name: String,
    pub description: String,
    /// `subnet`, `cidr`, or a kind IPsec does not use.
    pub kind: String,
    pub endpoints: Vec<String>,
}
