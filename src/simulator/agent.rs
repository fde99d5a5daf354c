//! The VPN agents: they start daemons, and report what they see only every so often.
//!
//! Nothing runs in the background. Before each request is answered the world catches up with the time that has passed,
//! which is enough because no request comes in between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use serde_json::Value;

use super::object::{Collection, StoredObject, text, texts};
use super::tunnel::{Negotiation, TunnelHalf, negotiate};
use super::world::{RegionWorld, Track, World};

/// A site connection somewhere in the cloud.
struct Candidate {
    id: String,
    half: TunnelHalf,
    /// Whether its daemon has it in its configuration.
    loaded: bool,
    track: Track,
}

impl World {
    /// Brings tunnels and reported statuses up to the present. Where nothing was changed tunnels stay what they are, and
    /// where a report brought nothing new the next one does not either.
    pub fn catch_up(&mut self) {
        let now = self.now();
        if std::mem::take(&mut self.is_changed) {
            self.settle_tunnels(now);
            self.regions.iter_mut().for_each(|region| region.is_at_rest = false);
        }
        for region in 0..self.regions.len() {
            let from = self.ticks(region, self.regions[region].reported);
            let to = self.ticks(region, now);
            if to > from && !self.regions[region].is_at_rest {
                let since_last = now.saturating_sub(self.regions[region].phase).as_nanos()
                    % self.settings.report_interval.as_nanos().max(1);
                let last = now.saturating_sub(Duration::from_nanos(u64::try_from(since_last).unwrap_or(0)));
                self.report(region, last, to - from);
            }
            self.regions[region].reported = now;
        }
    }

    /// Takes in a report of every region, as if its agents had long been running.
    pub fn report_now(&mut self) {
        let now = self.now();
        self.settle_tunnels(now);
        self.is_changed = true;
        for region in 0..self.regions.len() {
            self.report(region, now, 2);
            self.regions[region].reported = now;
        }
    }

    /// Forgets the tunnels of a connection that was deleted, switched or given new values. Values that do not touch
    /// what is established: strongSwan keeps that until the next re-authentication.
    pub fn restart_tunnels(&mut self, connection: &str, only_told: bool) {
        let now = self.now();
        self.is_changed = true;
        self.tunnels
            .retain(|(a, b), established| (a != connection && b != connection) || (only_told && *established <= now));
    }

    /// How many reports a region made up to then.
    fn ticks(&self, region: usize, moment: Duration) -> u128 {
        let interval = self.settings.report_interval.as_nanos().max(1);
        moment.checked_sub(self.regions[region].phase).map_or(0, |since| since.as_nanos() / interval + 1)
    }

    fn settle_tunnels(&mut self, now: Duration) {
        let candidates: Vec<Candidate> =
            self.regions.iter().flat_map(|region| candidates(&AgentView::of(region))).collect();
        let mut by_address: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
        for (index, candidate) in candidates.iter().enumerate() {
            for address in &candidate.half.addresses {
                by_address.entry(*address).or_default().push(index);
            }
        }
        // What is established outlives whatever its connections are told, and a connection its daemon forgets.
        let living: BTreeSet<&String> = candidates
            .iter()
            .filter(|candidate| candidate.half.running && !candidate.half.addresses.is_empty())
            .map(|candidate| &candidate.id)
            .collect();
        let lives = |id: &String| living.contains(id);
        let established = self.tunnels.iter().filter(|((a, b), since)| **since <= now && lives(a) && lives(b));
        let mut standing: BTreeSet<_> = established.map(|(pair, _)| pair.clone()).collect();
        for (index, a) in candidates.iter().enumerate() {
            let peers = a.half.peer_address.and_then(|address| by_address.get(&address)).map_or(&[][..], Vec::as_slice);
            for b in peers.iter().filter(|&&peer| peer > index).map(|&peer| &candidates[peer]) {
                let pair = if a.id < b.id { (a.id.clone(), b.id.clone()) } else { (b.id.clone(), a.id.clone()) };
                let idle = !self.settings.traffic && a.track.joined_running_service && b.track.joined_running_service;
                let loaded = a.loaded && b.loaded;
                if loaded && !idle && matches!(negotiate(&a.half, &b.half), Negotiation::Up(_)) {
                    let ready = a.track.changed.max(b.track.changed).saturating_add(self.settings.negotiation);
                    self.tunnels.entry(pair.clone()).or_insert(ready);
                    standing.insert(pair);
                }
            }
        }
        self.tunnels.retain(|pair, _| standing.contains(pair));
    }

    /// What a region's agents report at that moment, having reported so many times since last asked.
    fn report(&mut self, region: usize, moment: Duration, times: u128) {
        let up: BTreeSet<&String> =
            self.tunnels.iter().filter(|(_, since)| **since <= moment).flat_map(|((a, b), _)| [a, b]).collect();
        let ignores_later = self.settings.release.ignores_later_connections();
        let mut connections = BTreeMap::new();
        let mut services = BTreeMap::new();
        let here = &AgentView::of(&self.regions[region]);
        for service in here.region.all(Collection::VpnService) {
            let own = here.connections(service);
            if own.is_empty() || text(service, "status") == "ERROR" {
                continue;
            }
            let running = runs(here, service);
            let is_known =
                |connection: &&&StoredObject| is_loaded(connection) || up.contains(&text(connection, "id").to_owned());
            let loaded = own.iter().filter(is_known).count();
            if !displaced(here, service) || text(service, "status") == "PENDING_CREATE" {
                services.insert(text(service, "id").to_owned(), if running && loaded > 0 { "ACTIVE" } else { "DOWN" });
            }
            for connection in own {
                let id = text(connection, "id");
                let late = here.region.tracks.get(id).is_some_and(|track| track.joined_running_service);
                if !is_loaded(connection) || (late && ignores_later) || text(connection, "status") == "ERROR" {
                    continue;
                }
                // No daemon was ever started for it, so there is nothing to report.
                if text(connection, "status") == "PENDING_CREATE" && !is_wanted(here, service) {
                    continue;
                }
                // The first report of a new connection comes right after it is loaded, before anything is negotiated.
                let negotiated = times > 1 || text(connection, "status") != "PENDING_CREATE";
                let active = running && negotiated && up.contains(&id.to_owned());
                connections.insert(id.to_owned(), if active { "ACTIVE" } else { "DOWN" });
            }
        }
        let mut is_new = self.tunnels.values().any(|since| *since > moment);
        for (kind, statuses) in [(Collection::VpnService, services), (Collection::SiteConnection, connections)] {
            for object in self.regions[region].objects.entry(kind).or_default() {
                if let Some(status) =
                    statuses.get(text(object, "id")).filter(|status| text(object, "status") != **status)
                {
                    is_new = true;
                    object.insert("status".to_owned(), Value::from(*status));
                }
            }
        }
        self.regions[region].is_at_rest = !is_new;
    }
}

struct AgentView<'a> {
    region: &'a RegionWorld,
    by_id: HashMap<(Collection, &'a str), &'a StoredObject>,
    connections: HashMap<&'a str, Vec<&'a StoredObject>>,
    /// The last service of each router that has connections.
    last: HashMap<&'a str, &'a str>,
}

impl<'a> AgentView<'a> {
    fn of(region: &'a RegionWorld) -> Self {
        let all = |kind| region.all(kind).iter();
        let kinds = Collection::VPN.into_iter().chain([Collection::Router, Collection::Subnet]);
        let by_id = kinds.flat_map(|kind| all(kind).map(move |object| ((kind, text(object, "id")), object))).collect();
        let mut connections = HashMap::<_, Vec<_>>::new();
        for connection in all(Collection::SiteConnection) {
            connections.entry(text(connection, "vpnservice_id")).or_default().push(connection);
        }
        let services = all(Collection::VpnService).map(|service| (text(service, "router_id"), text(service, "id")));
        let last = services.filter(|(_, service)| connections.contains_key(service)).collect();
        Self { region, by_id, connections, last }
    }

    fn get(&self, kind: Collection, id: &str) -> Option<&'a StoredObject> {
        self.by_id.get(&(kind, id)).copied()
    }

    fn connections(&self, service: &StoredObject) -> &[&'a StoredObject] {
        self.connections.get(text(service, "id")).map_or(&[], Vec::as_slice)
    }
}

/// A service runs when it and at least one of its connections are wanted, and its router is there to run it. The driver does
/// not look at the `admin_state_up` of one connection among several.
fn runs(known: &AgentView<'_>, service: &StoredObject) -> bool {
    let router = known.get(Collection::Router, text(service, "router_id"));
    is_wanted(known, service) && router.is_some_and(|router| is_up(router) && text(router, "status") == "ACTIVE")
}

/// Whether the service and one of its connections at least are switched on.
fn is_wanted(known: &AgentView<'_>, service: &StoredObject) -> bool {
    is_up(service) && known.connections(service).iter().any(|connection| is_up(connection))
}

fn is_up(object: &StoredObject) -> bool {
    object.get("admin_state_up").and_then(Value::as_bool).unwrap_or(true)
}

/// The agent keeps one process per router, and each service with connections overwrites the one before: its connections
/// are forgotten, though what is established of them stays for as long as it lives.
fn displaced(known: &AgentView<'_>, service: &StoredObject) -> bool {
    known.last.get(text(service, "router_id")).is_some_and(|winner| text(service, "id") != *winner)
}

/// strongSwan drops a connection whose DPD action it does not know; its status is then never reported.
fn is_loaded(connection: &StoredObject) -> bool {
    let action = connection.get("dpd").and_then(|dpd| dpd.get("action")).and_then(Value::as_str);
    !matches!(action, Some("disabled" | "restart-by-peer"))
}

/// The addresses of a service that its router still has: the service is not told when the gateway moves. With OVN they are
/// the service's own.
fn addresses(known: &AgentView<'_>, service: &StoredObject) -> Vec<IpAddr> {
    let router = text(service, "router_id");
    let info = known.get(Collection::Router, router).and_then(|router| router.get("external_gateway_info"));
    let fixed = info.and_then(|info| info["external_fixed_ips"].as_array()).map_or(&[][..], Vec::as_slice);
    let own = ["external_v4_ip", "external_v6_ip"].map(|key| text(service, key));
    let there = |address: &&str| {
        known.region.vpn_gateways.contains_key(router) || fixed.iter().any(|ip| ip["ip_address"] == **address)
    };
    own.iter().filter(|address| there(address)).filter_map(|address| address.parse().ok()).collect()
}

fn candidates(known: &AgentView<'_>) -> Vec<Candidate> {
    let half = |connection: &StoredObject| {
        let service = known.get(Collection::VpnService, text(connection, "vpnservice_id"))?;
        let ike = known.get(Collection::IkePolicy, text(connection, "ikepolicy_id"))?;
        let ipsec = known.get(Collection::IpsecPolicy, text(connection, "ipsecpolicy_id"))?;
        let group = |key| known.get(Collection::EndpointGroup, text(connection, key));
        let local = group("local_ep_group_id")
            .map_or_else(|| texts_of(service, "subnet_id"), |group| texts(group, "endpoints"))
            .into_iter()
            .filter_map(|subnet| text(known.get(Collection::Subnet, subnet)?, "cidr").parse().ok())
            .collect();
        let remote = group("peer_ep_group_id")
            .map_or_else(|| texts(connection, "peer_cidrs"), |group| texts(group, "endpoints"));
        Some(TunnelHalf {
            addresses: addresses(known, service),
            peer_address: text(connection, "peer_address").parse().ok(),
            peer_id: text(connection, "peer_id").to_owned(),
            local_id: text(connection, "local_id").to_owned(),
            psk: SecretString::from(text(connection, "psk")),
            ike_v2: text(ike, "ike_version") == "v2",
            aggressive: text(ike, "phase1_negotiation_mode") == "aggressive",
            ike_cipher: text(ike, "encryption_algorithm").to_owned(),
            esp_tunnel: (text(ipsec, "transform_protocol"), text(ipsec, "encapsulation_mode")) == ("esp", "tunnel"),
            local,
            remote: remote.iter().filter_map(|cidr| cidr.parse::<IpNet>().ok()).collect(),
            running: runs(known, service),
        })
    };
    let candidate = |connection: &StoredObject| {
        let id = text(connection, "id").to_owned();
        let service = known.get(Collection::VpnService, text(connection, "vpnservice_id"))?;
        let loaded = is_loaded(connection) && !displaced(known, service);
        let track = known.region.tracks.get(&id).cloned().unwrap_or_default();
        Some(Candidate { half: half(connection)?, loaded, id, track })
    };
    known.region.all(Collection::SiteConnection).iter().filter_map(candidate).collect()
}

fn texts_of<'a>(object: &'a StoredObject, key: &str) -> Vec<&'a str> {
    Some(text(object, key)).filter(|text| !text.is_empty()).into_iter().collect()
}
