//! What tests see of a simulated cloud and do to it without its API: requests, faults, time, objects.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Simulator;
use super::faults::InjectedFault;
use super::log::LoggedRequest;
use super::object::{Collection, text};
use super::settings::SimulatorSettings;
use super::world::RegionWorld;

impl Simulator {
    /// The base of a region's Neutron, as the catalogue has it; `/v2.0` follows.
    pub fn network_url(&self, region: &str) -> String {
        format!("http://{}/network/{region}", self.address)
    }

    pub fn project_id(&self) -> String {
        self.shared.world().identity.project_named("demo").unwrap_or_default().to_owned()
    }

    /// The id of the application credential [`CREDENTIAL_NAME`].
    pub fn credential_id(&self) -> String {
        self.shared.world().identity.credential.clone()
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log().clone()
    }

    /// The most connections that were open at once so far.
    #[must_use]
    pub fn most_connections(&self) -> usize {
        self.shared.most_connections()
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
        let mut world = self.shared.world();
        world.is_changed = true;
        change(&mut world.settings);
    }

    /// All VPN objects of a region, of every project, by the API's plural names; keys included. Null for a region that
    /// does not exist.
    pub fn objects(&self, region: &str) -> Value {
        let world = self.shared.world();
        let all = |region: &RegionWorld| {
            Collection::VPN.iter().map(|kind| (kind.plural().to_owned(), json!(region.all(*kind)))).collect()
        };
        world.region(region).map_or(Value::Null, |region| Value::Object(all(region)))
    }

    /// How many VPN objects a region holds, of every project and kind.
    pub fn count(&self, region: &str) -> usize {
        let world = self.shared.world();
        world.region(region).map_or(0, |region| Collection::VPN.iter().map(|kind| region.all(*kind).len()).sum())
    }

    /// Every object of a collection (`routers`, `vpnservices`, …) of a region; empty if either does not exist.
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
        let id = text(&object, "id").to_owned();
        world.is_changed = true;
        world.region_mut(region)?.insert(kind, object);
        Some(id)
    }

    /// Overwrites attributes of an object behind the API's back. A status of `ERROR` stays; any other is overwritten by
    /// the next report. False if there is no such object.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn alter(&self, region: &str, collection: &str, id: &str, changes: Value) -> bool {
        let mut world = self.shared.world();
        let kind = find_kind(collection);
        world.is_changed = true;
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
        world.is_changed = true;
        world.restart_tunnels(id, false);
        if let (Some(kind), Some(region)) = (find_kind(collection), world.region_mut(region)) {
            region.remove(kind, id);
        }
    }
}

/// The collection of that name: `routers`, `vpnservices`, `vpn/ipsec-site-connections`.
fn find_kind(collection: &str) -> Option<Collection> {
    let collection = collection.trim_start_matches("vpn/").replace('_', "-");
    Collection::from_segment(&Collection::CORE, &collection)
        .or_else(|| Collection::from_segment(&Collection::VPN, &collection))
}
