//! The state behind the simulated services: one Keystone and its regions.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::identity::{Caller, Identity, IssuedToken};
use super::object::{Collection, StoredObject, text};
use super::settings::SimulatorSettings;

/// How long before its start the simulated cloud already existed, so that what it is seeded with has come to rest.
const PAST: Duration = Duration::from_secs(3600);

/// What the ids of its seeded objects come from: a plan made in one demo cloud names the objects of every other.
const STABLE_IDS: u64 = 1;

/// What the agents know of a site connection beyond what the API shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// When it last changed in a way that makes the tunnel start over.
    pub changed: Duration,
    /// Whether its service already ran another connection when it was made.
    pub joined_running_service: bool,
}

pub(super) struct RegionWorld {
    pub id: String,
    pub description: String,
    pub vpnaas: bool,
    pub objects: BTreeMap<Collection, Vec<StoredObject>>,
    pub tracks: HashMap<String, Track>,
    /// Offset of its agents' reports, so that regions do not report together.
    pub phase: Duration,
    /// Up to when reports have been taken in.
    pub reported: Duration,
    /// Whether another report would say what the last one said.
    pub is_at_rest: bool,
    /// The ranges of its external network.
    pub external: Vec<IpNet>,
    /// Addresses the OVN plugin gave out, by router.
    pub vpn_gateways: BTreeMap<String, Vec<IpAddr>>,
}

impl RegionWorld {
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

/// Everything the simulated services know.
pub(super) struct World {
    pub settings: SimulatorSettings,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    pub identity: Identity,
    pub regions: Vec<RegionWorld>,
    /// Whether something was changed since tunnels were last settled.
    pub is_changed: bool,
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
        let random = StdRng::seed_from_u64(settings.id_seed.unwrap_or(STABLE_IDS));
        let mut world = Self {
            settings,
            base,
            identity: Identity::default(),
            regions: Vec::new(),
            is_changed: true,
            tunnels: BTreeMap::new(),
            random,
            origin: Instant::now(),
            origin_wall: Timestamp::now().checked_sub(PAST).unwrap_or(Timestamp::UNIX_EPOCH),
            advanced: Duration::ZERO,
        };
        world.identity = Identity::new(|| world.hex());
        world
    }

    /// Lets the time pass that lies between the seeding and the present. What is made from now on has ids of its own.
    pub fn leave_the_past(&mut self) {
        if self.settings.id_seed.is_none() {
            self.random = StdRng::seed_from_u64(rand::random());
        }
        self.advanced += PAST;
    }

    /// Time since the cloud came to be.
    pub fn now(&self) -> Duration {
        self.origin.elapsed() + self.advanced
    }

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

    /// An id in Keystone's form: a UUID without its dashes.
    pub fn hex(&mut self) -> String {
        self.uuid().replace('-', "")
    }

    /// A token that is still good.
    pub fn token(&self, id: Option<&str>) -> Option<&IssuedToken> {
        self.identity.tokens.get(id?).filter(|token| token.expires > self.now())
    }

    /// Who holds a token; none if it is unknown, expired or revoked.
    pub fn caller(&self, token: Option<&str>) -> Option<Caller> {
        let token = self.token(token)?;
        let user = self.identity.user(&token.user)?;
        Some(Caller { project: token.project.clone().unwrap_or_default(), reader: user.role == "reader" })
    }

    pub fn region(&self, id: &str) -> Option<&RegionWorld> {
        self.regions.iter().find(|region| region.id == id)
    }

    pub fn region_mut(&mut self, id: &str) -> Option<&mut RegionWorld> {
        self.regions.iter_mut().find(|region| region.id == id)
    }
}
