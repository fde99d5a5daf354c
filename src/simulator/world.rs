//! The state behind the simulated services: one Keystone and its regions.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value};

use super::SimulatorSettings;
use super::answer::{Answer, neutron};
use super::keystone::Identity;

/// A JSON object as the API shows it.
pub(super) type StoredObject = Map<String, Value>;

/// How long before its start the simulated cloud already existed, so that what it is seeded with has come to rest.
const PAST: Duration = Duration::from_secs(3600);

/// The collections of Neutron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Collection {
    Network,
    Subnet,
    Port,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    VpnService,
    IkePolicy,
    IpsecPolicy,
    EndpointGroup,
    SiteConnection,
}

impl Collection {
    pub const CORE: [Self; 6] =
        [Self::Network, Self::Subnet, Self::Port, Self::Router, Self::SecurityGroup, Self::SecurityGroupRule];
    pub const VPN: [Self; 5] =
        [Self::IkePolicy, Self::IpsecPolicy, Self::EndpointGroup, Self::VpnService, Self::SiteConnection];

    /// The key of one object in JSON, and the name of its quota and policy rules.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::Port => "port",
            Self::Router => "router",
            Self::SecurityGroup => "security_group",
            Self::SecurityGroupRule => "security_group_rule",
            Self::VpnService => "vpnservice",
            Self::IkePolicy => "ikepolicy",
            Self::IpsecPolicy => "ipsecpolicy",
            Self::EndpointGroup => "endpoint_group",
            Self::SiteConnection => "ipsec_site_connection",
        }
    }

    /// The key of a list in JSON.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Network => "networks",
            Self::Subnet => "subnets",
            Self::Port => "ports",
            Self::Router => "routers",
            Self::SecurityGroup => "security_groups",
            Self::SecurityGroupRule => "security_group_rules",
            Self::VpnService => "vpnservices",
            Self::IkePolicy => "ikepolicies",
            Self::IpsecPolicy => "ipsecpolicies",
            Self::EndpointGroup => "endpoint_groups",
            Self::SiteConnection => "ipsec_site_connections",
        }
    }

    /// The kind a path segment means; URLs are written with dashes where JSON has underscores, and taken with either.
    pub fn from_segment(kinds: &[Self], segment: &str) -> Option<Self> {
        let key = segment.replace('-', "_");
        kinds.iter().copied().find(|kind| kind.plural() == key)
    }

    pub fn is_vpn(self) -> bool {
        self >= Self::VpnService
    }

    pub fn not_found(self, id: &str) -> Answer {
        let (class, message) = match self {
            Self::Network => ("NetworkNotFound", format!("Network {id} could not be found.")),
            Self::Subnet => ("SubnetNotFound", format!("Subnet {id} could not be found.")),
            Self::Port => ("PortNotFound", format!("Port {id} could not be found.")),
            Self::Router => ("RouterNotFound", format!("Router {id} could not be found")),
            Self::SecurityGroup => ("SecurityGroupNotFound", format!("Security group {id} does not exist")),
            Self::SecurityGroupRule => {
                ("SecurityGroupRuleNotFound", format!("Security group rule {id} does not exist"))
            }
            Self::VpnService => ("VPNServiceNotFound", format!("VPNService {id} could not be found")),
            Self::IkePolicy => ("IKEPolicyNotFound", format!("IKEPolicy {id} could not be found")),
            Self::IpsecPolicy => ("IPsecPolicyNotFound", format!("IPsecPolicy {id} could not be found")),
            Self::EndpointGroup => ("VPNEndpointGroupNotFound", format!("Endpoint group {id} could not be found")),
            Self::SiteConnection => ("IPsecSiteConnectionNotFound", format!("ipsec_site_connection {id} not found")),
        };
        neutron(404, class, &message)
    }
}

/// What the agents know of a site connection beyond what the API shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// When it last changed in a way that makes the tunnel start over.
    pub changed: Duration,
    /// Whether its service already ran another connection when it was made.
    pub joined_running_service: bool,
}

/// One region's Neutron.
pub(super) struct RegionState {
    pub id: String,
    pub description: String,
    pub vpnaas: bool,
    pub objects: BTreeMap<Collection, Vec<StoredObject>>,
    pub tracks: HashMap<String, Track>,
    /// Offset of its agents' reports, so that regions do not report together.
    pub phase: Duration,
    /// Up to when reports have been taken in.
    pub reported: Duration,
    /// The ranges of its external network.
    pub external: Vec<IpNet>,
    /// Addresses the OVN plugin gave out, by router.
    pub vpn_gateways: BTreeMap<String, Vec<IpAddr>>,
}

impl RegionState {
    pub fn all(&self, kind: Collection) -> &[StoredObject] {
        self.objects.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub fn get(&self, kind: Collection, id: &str) -> Option<&StoredObject> {
        self.all(kind).iter().find(|object| text(object, "id") == id)
    }

    pub fn get_mut(&mut self, kind: Collection, id: &str) -> Option<&mut StoredObject> {
        self.objects.get_mut(&kind)?.iter_mut().find(|object| text(object, "id") == id)
    }

    pub fn insert(&mut self, kind: Collection, object: StoredObject) {
        self.objects.entry(kind).or_default().push(object);
    }

    pub fn remove(&mut self, kind: Collection, id: &str) {
        if let Some(objects) = self.objects.get_mut(&kind) {
            objects.retain(|object| text(object, "id") != id);
        }
    }

    /// The connections of a service, or the objects that refer to an id in general.
    pub fn referring<'a>(
        &'a self,
        kind: Collection,
        key: &'a str,
        id: &'a str,
    ) -> impl Iterator<Item = &'a StoredObject> {
        self.all(kind).iter().filter(move |object| text(object, key) == id)
    }
}

/// The text of a key; empty if it is missing, null or something else.
pub(super) fn text<'a>(object: &'a StoredObject, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The texts of a list.
pub(super) fn texts<'a>(object: &'a StoredObject, key: &str) -> Vec<&'a str> {
    let items = object.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).collect()
}

/// Everything the simulated services know.
pub(super) struct World {
    pub settings: SimulatorSettings,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    pub identity: Identity,
    pub regions: Vec<RegionState>,
    /// When the tunnel between two connections is, or was, established.
    pub tunnels: BTreeMap<(String, String), Duration>,
    random: StdRng,
    origin: Instant,
    origin_wall: Timestamp,
    /// What was added to the clock by hand.
    pub advanced: Duration,
}

impl World {
    pub fn new(settings: SimulatorSettings, base: String) -> Self {
        let random = StdRng::seed_from_u64(settings.id_seed.unwrap_or_else(rand::random));
        let mut world = Self {
            settings,
            base,
            identity: Identity::default(),
            regions: Vec::new(),
            tunnels: BTreeMap::new(),
            random,
            origin: Instant::now(),
            origin_wall: Timestamp::now().checked_sub(PAST).unwrap_or(Timestamp::UNIX_EPOCH),
            advanced: Duration::ZERO,
        };
        world.identity = Identity::new(&mut world);
        world
    }

    /// Lets the time pass that lies between the seeding and the present.
    pub fn leave_the_past(&mut self) {
        self.advanced += PAST;
    }

    /// Time since the cloud came to be.
    pub fn now(&self) -> Duration {
        self.origin.elapsed() + self.advanced
    }

    /// A moment as Keystone writes it.
    pub fn keystone_time(&self, moment: Duration) -> String {
        self.wall(moment).strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
    }

    /// The present as Neutron writes it.
    pub fn neutron_time(&self) -> String {
        self.wall(self.now()).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn wall(&self, moment: Duration) -> Timestamp {
        self.origin_wall.checked_add(moment).unwrap_or(Timestamp::MAX)
    }

    pub fn random(&mut self) -> u128 {
        self.random.random()
    }

    /// A random (version 4) UUID.
    pub fn uuid(&mut self) -> String {
        let bits = self.random() & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    pub fn region(&self, id: &str) -> Option<&RegionState> {
        self.regions.iter().find(|region| region.id == id)
    }

    pub fn region_mut(&mut self, id: &str) -> Option<&mut RegionState> {
        self.regions.iter_mut().find(|region| region.id == id)
    }
}
