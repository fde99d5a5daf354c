//! The VPN agents: they start daemons, and report what they see only every so often.
//!
//! Nothing runs in the background. Before each request is answered the world catches up with the time that has passed,
//! which is enough because no request comes in between.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Brings tunnels and reported statuses up to the present.
    pub fn catch_up(&mut self) {
        let now = self.now();
        self.settle_tunnels(now);
        for region in 0..self.regions.len() {
            let from = self.ticks(region, self.regions[region].reported);
            let to = self.ticks(region, now);
            if to > from {
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
        for region in 0..self.regions.len() {
            self.report(region, now, 2);
            self.regions[region].reported = now;
        }
    }

    /// Forgets the tunnels of a connection that was deleted, switched or given new values. Values that do not touch
    /// what is established: strongSwan keeps that until the next re-authentication.
    pub fn restart_tunnels(&mut self, connection: &str, only_told: bool) {
        let now = self.now();
        self.tunnels
            .retain(|(a, b), established| (a != connection && b != connection) || (only_told && *established <= now));
    }

    /// How many reports a region made up to then.
    fn ticks(&self, region: usize, moment: Duration) -> u128 {
        let interval = self.settings.report_interval.as_nanos().max(1);
        moment.checked_sub(self.regions[region].phase).map_or(0, |since| since.as_nanos() / interval + 1)
    }

    fn settle_tunnels(&mut self, now: Duration) {
        let candidates: Vec<Candidate> = self.regions.iter().flat_map(candidates).collect();
        let mut by_address: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
        for (index, candidate) in candidates.iter().enumerate() {
            for address in &candidate.half.addresses {
                by_address.entry(*address).or_default().push(index);
            }
        }
        // What is established outlives whatever its connections are told, and a connection its daemon forgets.
        let lives = |id: &String| {
            let mut found = candidates.iter().filter(|candidate| candidate.id == *id);
            found.any(|candidate| candidate.half.running && !candidate.half.addresses.is_empty())
        };
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
        let here = &self.regions[region];
        for service in here.all(Collection::VpnService) {
            let own: Vec<_> =
                here.referring(Collection::SiteConnection, "vpnservice_id", text(service, "id")).collect();
            if own.is_empty() || text(service, "status") == "ERROR" {
                continue;
            }
            let running = runs(here, service);
            let known =
                |connection: &&&StoredObject| is_loaded(connection) || up.contains(&text(connection, "id").to_owned());
            let loaded = own.iter().filter(known).count();
            if !displaced(here, service) || text(service, "status") == "PENDING_CREATE" {
                services.insert(text(service, "id").to_owned(), if running && loaded > 0 { "ACTIVE" } else { "DOWN" });
            }
            for connection in own {
                let id = text(connection, "id");
                let late = here.tracks.get(id).is_some_and(|track| track.joined_running_service);
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
        for (kind, statuses) in [(Collection::VpnService, services), (Collection::SiteConnection, connections)] {
            for object in self.regions[region].objects.entry(kind).or_default() {
                if let Some(status) = statuses.get(text(object, "id")) {
                    object.insert("status".to_owned(), Value::from(*status));
                }
            }
        }
    }
}

/// A service runs when it and at least one of its connections are wanted, and its router is there to run it. The driver does
/// not look at the `admin_state_up` of one connection among several.
fn runs(region: &RegionWorld, service: &StoredObject) -> bool {
    let router = region.get(Collection::Router, text(service, "router_id"));
    is_wanted(region, service) && router.is_some_and(|router| is_up(router) && text(router, "status") == "ACTIVE")
}

/// Whether the service and one of its connections at least are switched on.
fn is_wanted(region: &RegionWorld, service: &StoredObject) -> bool {
    let mut connections = region.referring(Collection::SiteConnection, "vpnservice_id", text(service, "id"));
    is_up(service) && connections.any(is_up)
}

fn is_up(object: &StoredObject) -> bool {
    object.get("admin_state_up").and_then(Value::as_bool).unwrap_or(true)
}

/// The agent keeps one process per router, and each service with connections overwrites the one before: its connections
/// are forgotten, though what is established of them stays for as long as it lives.
fn displaced(region: &RegionWorld, service: &StoredObject) -> bool {
    let winner = region
        .referring(Collection::VpnService, "router_id", text(service, "router_id"))
        .filter(|other| {
            region.referring(Collection::SiteConnection, "vpnservice_id", text(other, "id")).next().is_some()
        })
        .last();
    winner.is_some_and(|winner| text(winner, "id") != text(service, "id"))
}

/// strongSwan drops a connection whose DPD action it does not know; its status is then never reported.
fn is_loaded(connection: &StoredObject) -> bool {
    let action = connection.get("dpd").and_then(|dpd| dpd.get("action")).and_then(Value::as_str);
    !matches!(action, Some("disabled" | "restart-by-peer"))
}

/// The addresses of a service that its router still has: the service is not told when the gateway moves. With OVN they are
/// the service's own.
fn addresses(region: &RegionWorld, service: &StoredObject) -> Vec<IpAddr> {
    let router = text(service, "router_id");
    let info = region.get(Collection::Router, router).and_then(|router| router.get("external_gateway_info"));
    let fixed = info.and_then(|info| info["external_fixed_ips"].as_array()).map_or(&[][..], Vec::as_slice);
    let own = ["external_v4_ip", "external_v6_ip"].map(|key| text(service, key));
    let there = |address: &&str| {
        region.vpn_gateways.contains_key(router) || fixed.iter().any(|ip| ip["ip_address"] == **address)
    };
    own.iter().filter(|address| there(address)).filter_map(|address| address.parse().ok()).collect()
}

fn candidates(region: &RegionWorld) -> Vec<Candidate> {
    let half = |connection: &StoredObject| {
        let service = region.get(Collection::VpnService, text(connection, "vpnservice_id"))?;
        let ike = region.get(Collection::IkePolicy, text(connection, "ikepolicy_id"))?;
        let ipsec = region.get(Collection::IpsecPolicy, text(connection, "ipsecpolicy_id"))?;
        let group = |key| region.get(Collection::EndpointGroup, text(connection, key));
        let local = group("local_ep_group_id")
            .map_or_else(|| texts_of(service, "subnet_id"), |group| texts(group, "endpoints"))
            .into_iter()
            .filter_map(|subnet| text(region.get(Collection::Subnet, subnet)?, "cidr").parse().ok())
            .collect();
        let remote = group("peer_ep_group_id")
            .map_or_else(|| texts(connection, "peer_cidrs"), |group| texts(group, "endpoints"));
        Some(TunnelHalf {
            addresses: addresses(region, service),
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
            running: runs(region, service),
        })
    };
    let candidate = |connection: &StoredObject| {
        let id = text(connection, "id").to_owned();
        let service = region.get(Collection::VpnService, text(connection, "vpnservice_id"))?;
        let loaded = is_loaded(connection) && !displaced(region, service);
        let track = region.tracks.get(&id).cloned().unwrap_or_default();
        Some(Candidate { half: half(connection)?, loaded, id, track })
    };
    region.all(Collection::SiteConnection).iter().filter_map(candidate).collect()
}

fn texts_of<'a>(object: &'a StoredObject, key: &str) -> Vec<&'a str> {
    Some(text(object, key)).filter(|text| !text.is_empty()).into_iter().collect()
}
