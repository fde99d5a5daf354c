//! A simulated OpenStack on a loopback address: Keystone v3, and Neutron with `VPNaaS` in each of three regions.
//!
//! It speaks HTTP and knows nothing else of this crate, so that what talks to it could as well talk to a real cloud. Its
//! bodies, statuses, headers and error texts are those a real Keystone, Neutron and neutron-vpnaas gave on the wire; its
//! agents bring tunnels up, or fail to, the way strongSwan was seen to under Neutron's driver ([`tunnel`]).
//!
//! It is what `--demo` and `demo-cloud` show, and what tests run against. For tests it can be any [`Release`], with or
//! without OVN; it can be told to fail ([`InjectedFault`]); it keeps a log of what was asked ([`LoggedRequest`]).

mod agent;
mod answer;
mod attributes;
mod faults;
mod keystone;
mod list;
mod log;
mod neutron;
mod ovn;
mod release;
mod security_groups;
mod seed;
mod server;
mod sign_in;
mod topology;
pub mod tunnel;
mod validation;
mod values;
mod vpnaas;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use faults::{FaultEffect, Gate, InjectedFault, Scripted};
pub use log::{LoggedRequest, depth};
pub use release::Release;
pub use seed::Seed;
use server::Shared;
use world::{Collection, World};

/// The password of the users `demo` (a member), `demo-reader` (a reader) and `demo-mfa` (who needs a passcode besides).
/// `demo-appended` is from a cloud that wants the passcode appended to the password: his is this followed by
/// [`PASSCODE`].
pub const PASSWORD: &str = "demo";
/// The one-time passcode; it does not change.
pub const PASSCODE: &str = "123456";
/// The name of the application credential of user `demo` for project `demo`.
pub const CREDENTIAL_NAME: &str = "demo-credential";
/// Its secret.
pub const CREDENTIAL_SECRET: &str = "demo-secret";

/// How the simulated cloud is and behaves.
#[derive(Clone, Debug)]
pub struct SimulatorSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which OpenStack it is.
    pub release: Release,
    /// Whether the OVN VPN plugin runs it, which gives every VPN service an address of its own.
    pub ovn: bool,
    /// How long each request takes.
    pub latency: Duration,
    /// How often the agents of a region report; each region has its own phase. `Duration::MAX` for never.
    pub report_interval: Duration,
    /// How long a tunnel takes to come up once both halves are there.
    pub negotiation: Duration,
    /// Whether instances send traffic through tunnels. Without traffic, a connection added on both sides to services that already run
    /// stays `DOWN`: only the start of a service, or traffic, makes strongSwan negotiate.
    pub traffic: bool,
    /// The largest page a list is answered in; none for any size.
    pub page_limit: Option<usize>,
    /// Scheme, host and port in page links, if not the true ones, as behind a proxy that was not told.
    pub links_base: Option<String>,
    /// How long tokens are good for.
    pub token_lifetime: Duration,
    /// Limits other than the default ones, by the API's singular name; -1 for none.
    pub quotas: BTreeMap<String, i64>,
    /// What is there at the start.
    pub seed: Seed,
    /// Makes the ids the same from run to run.
    pub id_seed: Option<u64>,
}

impl Default for SimulatorSettings {
    /// As fast as tests like it: reports every 40 ms, tunnels up in 20.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            release: Release::V2026_1,
            ovn: false,
            latency: Duration::ZERO,
            report_interval: Duration::from_millis(40),
            negotiation: Duration::from_millis(20),
            traffic: true,
            page_limit: None,
            links_base: None,
            token_lifetime: Duration::from_secs(12 * 3600),
            quotas: BTreeMap::new(),
            seed: Seed::Demo,
            id_seed: None,
        }
    }
}

impl SimulatorSettings {
    /// At a pace people can follow: from the first request to `ACTIVE` in a few seconds, every state on the way seen.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            latency: Duration::from_millis(120),
            report_interval: Duration::from_secs(2),
            negotiation: Duration::from_millis(1500),
            ..Self::default()
        }
    }
}

/// A running simulated cloud; it stops when this is dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl fmt::Debug for Simulator {
    /// Its address only: what it holds are keys, passwords and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Simulator {
    /// Starts serving on the current Tokio runtime. Fails if the address cannot be listened on, or with
    /// [`io::ErrorKind::InvalidInput`] if a [`Seed::Json`] makes no sense.
    pub async fn start(settings: SimulatorSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let mut world = World::new(settings, format!("http://{address}"));
        seed::sow(&mut world).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        world.leave_the_past();
        world.report_now();
        let shared = Arc::new(Shared::new(world));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, task })
    }

    /// Where Keystone is: `http://127.0.0.1:PORT/v3`.
    #[must_use]
    pub fn auth_url(&self) -> String {
        format!("http://{}/v3", self.address)
    }

    /// The base of a region's Neutron, as the catalogue has it; `/v2.0` follows.
    #[must_use]
    pub fn network_url(&self, region: &str) -> String {
        format!("http://{}/network/{region}", self.address)
    }

    /// The `OS_*` variables that sign user `demo` in to project `demo`.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let plain = [
            ("OS_AUTH_TYPE", "password"),
            ("OS_IDENTITY_API_VERSION", "3"),
            ("OS_USERNAME", "demo"),
            ("OS_PASSWORD", PASSWORD),
            ("OS_USER_DOMAIN_NAME", "Default"),
            ("OS_PROJECT_NAME", "demo"),
            ("OS_PROJECT_DOMAIN_NAME", "Default"),
            ("OS_REGION_NAME", "nz-hlz-1"),
            ("OS_INTERFACE", "public"),
        ];
        let url = ("OS_AUTH_URL", self.auth_url());
        std::iter::once(url).chain(plain.map(|(name, value)| (name, value.to_owned()))).collect()
    }

    /// The id of project `demo`.
    #[must_use]
    pub fn project_id(&self) -> String {
        self.shared.world().identity.project_named("demo").unwrap_or_default().to_owned()
    }

    /// The id of the application credential [`CREDENTIAL_NAME`].
    #[must_use]
    pub fn credential_id(&self) -> String {
        self.shared.world().identity.credential.clone()
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log().clone()
    }

    /// Forgets the requests so far. Not to be called while one is being answered.
    pub fn clear_requests(&self) {
        self.shared.log().clear();
    }

    /// Plants a fault. Of several that match a request, the first planted strikes; once spent it is gone.
    pub fn inject(&self, fault: InjectedFault) {
        self.shared.faults().push(fault);
    }

    /// Removes every fault that is not spent.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Ends [`FaultEffect::GoDown`].
    pub fn come_back(&self) {
        self.shared.set_down(false);
    }

    /// Every token given out so far.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.shared.world().identity.tokens.keys().cloned().collect()
    }

    /// Makes every token given out so far worthless.
    pub fn expire_tokens(&self) {
        let mut world = self.shared.world();
        let now = world.now();
        world.identity.tokens.values_mut().for_each(|token| token.expires = token.expires.min(now));
    }

    /// Lets that much time pass at once: reports, negotiations and the lives of tokens.
    pub fn advance(&self, time: Duration) {
        self.shared.world().advanced += time;
    }

    /// Changes the settings that can change while it runs; `listen`, `seed` and `id_seed` have had their effect.
    pub fn reconfigure(&self, change: impl FnOnce(&mut SimulatorSettings)) {
        change(&mut self.shared.world().settings);
    }

    /// All VPN objects of a region, of every project, by the API's plural names; keys included. Null for a region that
    /// does not exist.
    #[must_use]
    pub fn objects(&self, region: &str) -> Value {
        let world = self.shared.world();
        let all = |region: &world::RegionState| {
            Collection::VPN.iter().map(|kind| (kind.plural().to_owned(), json!(region.all(*kind)))).collect()
        };
        world.region(region).map_or(Value::Null, |region| Value::Object(all(region)))
    }

    /// How many VPN objects a region holds, of every project and kind.
    #[must_use]
    pub fn count(&self, region: &str) -> usize {
        let world = self.shared.world();
        world.region(region).map_or(0, |region| Collection::VPN.iter().map(|kind| region.all(*kind).len()).sum())
    }

    /// Every object of a collection (`routers`, `vpnservices`, …) of a region; empty if either does not exist.
    #[must_use]
    pub fn collection(&self, region: &str, collection: &str) -> Vec<Map<String, Value>> {
        let world = self.shared.world();
        let found = world.region(region).zip(find_kind(collection));
        found.map_or_else(Vec::new, |(region, kind)| region.all(kind).to_vec())
    }

    /// Puts an object into a collection as it stands, unchecked, and returns its id. `id`, `project_id` and `tenant_id`
    /// are filled in where missing. None if region or collection do not exist, or it is no JSON object.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn plant(&self, region: &str, collection: &str, object: Value) -> Option<String> {
        let mut world = self.shared.world();
        let (kind, Value::Object(mut object)) = (find_kind(collection)?, object) else {
            return None;
        };
        let id = world.uuid();
        let project = world.identity.project_named("demo").unwrap_or_default().to_owned();
        for (key, value) in [("id", &id), ("project_id", &project), ("tenant_id", &project)] {
            object.entry(key).or_insert_with(|| Value::from(value.as_str()));
        }
        let id = world::text(&object, "id").to_owned();
        world.region_mut(region)?.insert(kind, object);
        Some(id)
    }

    /// Overwrites attributes of an object behind the API's back. A status of `ERROR` stays; any other is overwritten by
    /// the next report. False if there is no such object.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn alter(&self, region: &str, collection: &str, id: &str, changes: Value) -> bool {
        let mut world = self.shared.world();
        let kind = find_kind(collection);
        let object = world.region_mut(region).and_then(|region| region.get_mut(kind?, id));
        match (object, changes) {
            (Some(object), Value::Object(changes)) => {
                object.extend(changes);
                true
            }
            _ => false,
        }
    }

    /// Takes an object away behind the API's back.
    pub fn uproot(&self, region: &str, collection: &str, id: &str) {
        let mut world = self.shared.world();
        world.restart_tunnels(id, false);
        if let (Some(kind), Some(region)) = (find_kind(collection), world.region_mut(region)) {
            region.remove(kind, id);
        }
    }
}

fn find_kind(collection: &str) -> Option<Collection> {
    let collection = collection.trim_start_matches("vpn/").replace('_', "-");
    Collection::from_segment(&Collection::CORE, &collection)
        .or_else(|| Collection::from_segment(&Collection::VPN, &collection))
}
