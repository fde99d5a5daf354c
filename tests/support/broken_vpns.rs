//! Broken VPNs: each brought about in a cloud, simulated or real, where a whole one stands.
//!
//! Nearly all is done by the HTTP API as user demo. What users cannot do ([`Behind`]) is done to the simulator by its
//! handle, and to a real cloud by the scripts of `tests/openstack`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use futures::future::{FutureExt as _, LocalBoxFuture};
use osvpn::simulator::{Release, Simulator};
use reqwest::{Client, Method};
use serde_json::{Value, json};

pub const A: &str = "nz-hlz-1";
pub const B: &str = "nz-por-1";
pub const PUBLIC_KEY: &str = "pre_shared_key";
const KEY: &str = "0123456789abcdefghijABCDEFGHIJ";
/// Where no peer is.
const NOWHERE: &str = "192.0.2.99";

/// What only an operator can do.
pub enum Behind<'a> {
    Simulated(&'a Simulator, Release),
    /// A cloud of `tests/openstack`, by its release.
    Real(&'a str),
}

impl Behind<'_> {
    /// Whether policies can be kept with sha1.
    pub fn stores_sha1(&self) -> bool {
        match self {
            Self::Simulated(_, release) => *release < Release::V2026_2,
            Self::Real(release) => *release == "2026.1",
        }
    }

    fn script(&self, arguments: &[&str]) {
        let Self::Real(release) = self else { return };
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/openstack").join(arguments[0]);
        let output = Command::new(path).args(&arguments[1..]).env("OSVPN_TEST_RELEASE", release).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn service_fails(&self, region: &str, id: &str) {
        if let Self::Simulated(simulator, _) = self {
            assert!(simulator.alter(region, "vpnservices", id, json!({"status": "ERROR"})));
        }
        self.script(&["status", region, "vpnservices", id, "ERROR"]);
    }

    fn gateway_moves(&self, region: &str, router: &str, address: &str) {
        if let Self::Simulated(simulator, _) = self {
            let routers = simulator.collection(region, "routers");
            let found = routers.iter().find(|found| found["name"] == router).unwrap();
            let mut info = found["external_gateway_info"].clone();
            for ip in info["external_fixed_ips"].as_array_mut().unwrap() {
                if !ip["ip_address"].as_str().unwrap().contains(':') {
                    ip["ip_address"] = json!(address);
                }
            }
            simulator.alter(region, "routers", found["id"].as_str().unwrap(), json!({"external_gateway_info": info}));
        }
        self.script(&["gateway", region, router, address]);
    }

    /// The region is upgraded to 2026.2.
    fn policies_drift(&self, region: &str) {
        if let Self::Simulated(simulator, _) = self {
            for collection in ["ikepolicies", "ipsecpolicies"] {
                for policy in simulator.collection(region, collection) {
                    if policy["auth_algorithm"] == "sha1" {
                        let id = policy["id"].as_str().unwrap();
                        simulator.alter(region, collection, id, json!({"auth_algorithm": "sha256"}));
                    }
                }
            }
        }
        self.script(&["drift", region]);
    }
}

/// A cloud with a VPN between the border routers of A and B.
pub struct Site<'a> {
    pub behind: Behind<'a>,
    http: Client,
    token: String,
    neutron: BTreeMap<String, String>,
}

impl<'a> Site<'a> {
    /// Signs in as user demo of project demo.
    pub async fn enter(auth_url: &str, behind: Behind<'a>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let domain = json!({"id": "default"});
        let body = json!({"auth": {
            "identity": {"methods": ["password"],
                "password": {"user": {"name": "demo", "domain": domain, "password": "demo"}}},
            "scope": {"project": {"name": "demo", "domain": domain}}}});
        let answer = http.post(format!("{auth_url}/auth/tokens")).json(&body).send().await.unwrap();
        let token = answer.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
        let said: Value = answer.json().await.unwrap();
        let catalog = said["token"]["catalog"].as_array().unwrap().iter();
        let endpoints =
            catalog.filter(|one| one["type"] == "network").flat_map(|one| one["endpoints"].as_array().unwrap());
        let neutron = endpoints.filter(|one| one["interface"] == "public").map(|one| {
            let url = one["url"].as_str().unwrap().trim_end_matches('/').to_owned();
            (one["region_id"].as_str().unwrap().to_owned(), url)
        });
        Self { behind, http, token, neutron: neutron.collect() }
    }

    /// Sends a request that must be answered well.
    pub async fn send(&self, method: Method, region: &str, path: &str, body: Option<Value>) -> Value {
        let request = self.http.request(method.clone(), format!("{}/v2.0/{path}", self.neutron[region]));
        let request = body.iter().fold(request.header("X-Auth-Token", &self.token), reqwest::RequestBuilder::json);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {region} {path} {body:?}: {status} {text}");
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        body.as_object().and_then(|body| body.values().next()).cloned().unwrap_or_default()
    }

    pub async fn list(&self, region: &str, path: &str) -> Vec<Value> {
        self.send(Method::GET, region, path, None).await.as_array().unwrap().clone()
    }

    /// The object of a name, which there must be.
    pub async fn named(&self, region: &str, collection: &str, name: &str) -> Value {
        let all = self.list(region, collection).await;
        all.into_iter().find(|object| object["name"] == name).unwrap_or_else(|| panic!("no {name} in {region}"))
    }

    async fn make(&self, region: &str, collection: &str, object: Value) -> Value {
        let body = json!({ key(collection): object });
        self.send(Method::POST, region, &format!("vpn/{collection}"), Some(body)).await
    }

    async fn put(&self, region: &str, collection: &str, object: &Value, change: Value) {
        let path = format!("vpn/{collection}/{}", object["id"].as_str().unwrap());
        self.send(Method::PUT, region, &path, Some(json!({ key(collection): change }))).await;
    }

    /// The service of the border router that was made first.
    pub async fn service(&self, region: &str) -> Value {
        let router = self.named(region, "routers", "border-router").await;
        let all = self.list(region, "vpn/vpnservices").await;
        all.into_iter().find(|service| service["router_id"] == router["id"]).unwrap()
    }

    /// The connection of that service; null if there is none.
    pub async fn connection(&self, region: &str) -> Value {
        let service = self.service(region).await;
        let all = self.list(region, "vpn/ipsec-site-connections").await;
        all.into_iter().find(|connection| connection["vpnservice_id"] == service["id"]).unwrap_or_default()
    }

    /// What the connections say; `none` for one that is not there.
    pub async fn statuses(&self) -> [String; 2] {
        let status = |connection: Value| connection["status"].as_str().unwrap_or("none").to_owned();
        [status(self.connection(A).await), status(self.connection(B).await)]
    }

    /// How long a state may take to come. Agents report every few seconds at most. But two strongSwans that begin at once
    /// make two SAs, and one of them may forget its half of the second without a word: the other holds it for ACTIVE until
    /// dead peer detection has given up, which takes nearly three minutes.
    fn patience(&self) -> Duration {
        Duration::from_secs(if matches!(self.behind, Behind::Real(_)) { 240 } else { 90 })
    }

    /// Waits until it is so.
    pub async fn until(&self, what: &str, mut so: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !so().await {
            assert!(begun.elapsed() < self.patience(), "{what} does not come: {:?}", self.statuses().await);
            self.wait().await;
        }
    }

    /// Brings a breakage about, and returns what the connections come to: what they say once it is what is expected and
    /// still is after a few reports, or whatever they say when it does not come to that.
    pub async fn suffer(&self, breakage: &Breakage) -> [String; 2] {
        (breakage.happen)(self).await;
        let (begun, mut since) = (Instant::now(), None);
        let lasting = if matches!(self.behind, Behind::Real(_)) { 6000 } else { 200 };
        loop {
            let statuses = self.statuses().await;
            if statuses == breakage.statuses {
                since.get_or_insert_with(Instant::now);
            } else {
                since = None;
            }
            let lasts = since.is_some_and(|since| since.elapsed() > Duration::from_millis(lasting));
            if lasts || begun.elapsed() > self.patience() {
                return statuses;
            }
            self.wait().await;
        }
    }

    /// As long as it is worth waiting before one looks again.
    pub async fn wait(&self) {
        let pause = if matches!(self.behind, Behind::Real(_)) { 250 } else { 10 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    /// Makes a whole VPN with what is right for this cloud, and waits until both halves are ACTIVE.
    pub async fn connect(&self) {
        let services = [self.new_service(A, json!({})).await, self.new_service(B, json!({})).await];
        for (region, peer) in [(A, &services[1]), (B, &services[0])] {
            let policies = self.policies(region, json!({}), json!({})).await;
            let groups = self.groups(region, &[local(region).0], &[local(far(region)).1]).await;
            let address = &peer["external_v4_ip"];
            let mut body = json!({"name": "hlz-por_vpn_site_connection", "psk": KEY, "peer_address": address,
                "peer_id": address, "dpd": {"action": "restart", "interval": 15, "timeout": 150},
                "vpnservice_id": services[usize::from(region == B)]["id"]});
            extend(&mut body, &policies);
            extend(&mut body, &groups);
            self.make(region, "ipsec-site-connections", body).await;
        }
        self.until("a whole VPN", async || self.statuses().await == ["ACTIVE", "ACTIVE"]).await;
    }

    /// A second VPN of the legacy service of A, named `second`, to the border router of B; ACTIVE at the end.
    pub async fn connect_second(&self) {
        let router = self.named(A, "routers", "legacy-router").await;
        let services = self.list(A, "vpn/vpnservices").await;
        let legacy = services.into_iter().find(|service| service["router_id"] == router["id"]).unwrap();
        let border = self.new_service(B, json!({"name": "second_vpn_service"})).await;
        let rest = |service: &Value, peer: &Value| {
            json!({"name": "second_vpn_site_connection", "psk": KEY, "vpnservice_id": service["id"],
                "peer_address": peer["external_v4_ip"], "peer_id": peer["external_v4_ip"],
                "dpd": {"action": "restart", "interval": 15, "timeout": 150}})
        };
        let mut here = rest(&legacy, &border);
        extend(&mut here, &json!({"peer_cidrs": [local(B).1]}));
        extend(&mut here, &self.policies(A, json!({}), json!({})).await);
        self.make(A, "ipsec-site-connections", here).await;
        let mut there = rest(&border, &legacy);
        extend(&mut there, &self.policies(B, json!({}), json!({})).await);
        extend(&mut there, &self.groups(B, &[local(B).0], &["10.1.0.0/24"]).await);
        self.make(B, "ipsec-site-connections", there).await;
        // Two daemons that begin at once may keep halves of different SAs: to begin again is quicker than to wait for them.
        for _ in 0..6 {
            self.restart_all(A).await;
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(40) {
                let there = self.named(B, "vpn/ipsec-site-connections", "second_vpn_site_connection").await;
                if there["status"] == "ACTIVE" {
                    return;
                }
                self.wait().await;
            }
        }
        panic!("the second VPN does not come up");
    }

    /// Switches every service of a region off, and on as soon as the agents have noticed.
    pub async fn restart_all(&self, region: &str) {
        let services = self.list(region, "vpn/vpnservices").await;
        for (up, status) in [(false, "DOWN"), (true, "ACTIVE")] {
            for service in &services {
                self.put(region, "vpnservices", service, json!({ "admin_state_up": up })).await;
            }
            self.until(status, async || {
                self.list(region, "vpn/vpnservices").await.iter().all(|service| service["status"] == status)
            })
            .await;
        }
    }

    async fn new_service(&self, region: &str, more: Value) -> Value {
        let router = self.named(region, "routers", "border-router").await;
        let mut body = json!({"name": "hlz-por_vpn_service", "router_id": router["id"]});
        extend(&mut body, &more);
        self.make(region, "vpnservices", body).await
    }

    /// Policies as they should be but for a change, as a connection names them.
    async fn policies(&self, region: &str, ike: Value, ipsec: Value) -> Value {
        let sound = json!({"auth_algorithm": "sha256", "encryption_algorithm": "aes-256", "pfs": "group14"});
        let [mut first, mut second] = [sound.clone(), sound];
        extend(
            &mut first,
            &json!({"name": "hlz-por_ike_policy", "ike_version": "v2",
            "lifetime": {"units": "seconds", "value": 14400}}),
        );
        extend(&mut first, &ike);
        extend(&mut second, &json!({"name": "hlz-por_ipsec_policy"}));
        extend(&mut second, &ipsec);
        let ike = self.make(region, "ikepolicies", first).await;
        let ipsec = self.make(region, "ipsecpolicies", second).await;
        json!({"ikepolicy_id": ike["id"], "ipsecpolicy_id": ipsec["id"]})
    }

    /// Endpoint groups, as a connection names them.
    async fn groups(&self, region: &str, subnets: &[&str], cidrs: &[&str]) -> Value {
        let mut ids = Vec::new();
        for name in subnets {
            ids.push(self.named(region, "subnets", name).await["id"].clone());
        }
        let group = |side: &str, kind: &str, endpoints: Value| {
            let name = format!("hlz-por_{side}_endpoint_group");
            self.make(region, "endpoint-groups", json!({"name": name, "type": kind, "endpoints": endpoints}))
        };
        let (local, peer) = (group("local", "subnet", json!(ids)).await, group("peer", "cidr", json!(cidrs)).await);
        json!({"local_ep_group_id": local["id"], "peer_ep_group_id": peer["id"]})
    }

    async fn change(&self, region: &str, change: Value) {
        let connection = self.connection(region).await;
        self.put(region, "ipsec-site-connections", &connection, change).await;
    }

    /// Switches a service off, waits until that is seen, and on again: what was established is negotiated again.
    async fn restart(&self, region: &str) {
        let service = self.service(region).await;
        self.put(region, "vpnservices", &service, json!({"admin_state_up": false})).await;
        self.until("DOWN", async || self.service(region).await["status"] == "DOWN").await;
        self.put(region, "vpnservices", &service, json!({"admin_state_up": true})).await;
    }

    /// Changes a connection so that it counts at once.
    async fn change_and_restart(&self, region: &str, change: Value) {
        self.change(region, change).await;
        self.restart(region).await;
    }

    async fn remove(&self, region: &str) -> Value {
        let connection = self.connection(region).await;
        let path = format!("vpn/ipsec-site-connections/{}", connection["id"].as_str().unwrap());
        self.send(Method::DELETE, region, &path, None).await;
        connection
    }

    /// Recreates connections with something changed: the only way to change what cannot be changed. All are gone, and
    /// are seen to be, before the first is made: an agent that sees one go and another come keeps some of the old one.
    async fn remake(&self, changes: &[(&str, Value)]) {
        let mut bodies = Vec::new();
        for (region, change) in changes {
            let mut body = self.remove(region).await;
            for key in ["id", "project_id", "tenant_id", "status", "auth_mode", "route_mode"] {
                body.as_object_mut().unwrap().remove(key);
            }
            extend(&mut body, change);
            bodies.push((*region, body));
        }
        for region in [A, B] {
            if !changes.iter().any(|(changed, _)| *changed == region) {
                self.until("DOWN", async || self.connection(region).await["status"] == "DOWN").await;
            }
        }
        for (region, body) in bodies {
            self.make(region, "ipsec-site-connections", body).await;
        }
    }
}

/// The name and the range of a region's subnet of the VPN.
fn local(region: &str) -> (&'static str, &'static str) {
    ("private-subnet", if region == A { "10.0.0.0/24" } else { "10.20.30.0/24" })
}

fn far(region: &str) -> &'static str {
    if region == A { B } else { A }
}

fn key(collection: &str) -> String {
    match collection.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => collection.trim_end_matches('s').replace('-', "_"),
    }
}

fn extend(object: &mut Value, more: &Value) {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
}

/// A way in which a VPN is broken.
pub struct Breakage {
    pub name: &'static str,
    /// Breaks the VPN of [`Site::connect`].
    pub happen: for<'a> fn(&'a Site<'a>) -> LocalBoxFuture<'a, ()>,
    /// What the connections of A and B come to.
    pub statuses: [&'static str; 2],
    /// Whether it takes a cloud that stores sha1.
    pub needs_sha1: bool,
}

const ACTIVE: [&str; 2] = ["ACTIVE", "ACTIVE"];
const DOWN: [&str; 2] = ["DOWN", "DOWN"];

macro_rules! breakage {
    ($name:literal, $statuses:expr, |$site:ident| $happen:block) => {
        Breakage {
            name: $name,
            happen: |$site| async move { $happen }.boxed_local(),
            statuses: $statuses,
            needs_sha1: false,
        }
    };
}

/// Every way there is, in the order a doctor would ask.
pub fn all() -> Vec<Breakage> {
    let mut all = halves();
    all.extend(policies());
    all.extend(ranges());
    all.extend(states());
    all
}

/// What the two halves say of each other.
fn halves() -> Vec<Breakage> {
    vec![
        breakage!("wrong key", DOWN, |site| {
            site.change_and_restart(A, json!({"psk": "another-key-0123456789-another"})).await;
        }),
        breakage!("public key on both", ACTIVE, |site| {
            for region in [A, B] {
                site.change(region, json!({"psk": PUBLIC_KEY})).await;
            }
        }),
        breakage!("swapped peer address", DOWN, |site| {
            let own = site.service(A).await["external_v4_ip"].clone();
            site.change_and_restart(A, json!({"peer_address": own, "peer_id": own})).await;
        }),
        breakage!("wrong peer id", DOWN, |site| {
            site.change_and_restart(A, json!({"peer_id": "vpn.example"})).await;
        }),
        breakage!("missing half", ["DOWN", "none"], |site| {
            site.remove(B).await;
        }),
        breakage!("both response-only", ACTIVE, |site| {
            for region in [A, B] {
                site.change(region, json!({"initiator": "response-only"})).await;
            }
        }),
        breakage!("DPD action disabled", ["ACTIVE", "ACTIVE"], |site| {
            site.change(A, json!({"dpd": {"action": "disabled"}})).await;
        }),
        breakage!("stuck in PENDING_CREATE", ["PENDING_CREATE", "DOWN"], |site| {
            site.remake(&[(A, json!({"dpd": {"action": "restart-by-peer", "interval": 15, "timeout": 150}}))]).await;
        }),
    ]
}

fn policies() -> Vec<Breakage> {
    let drifted = breakage!("drifted policy", ACTIVE, |site| {
        let mut changes = Vec::new();
        for region in [A, B] {
            let sha1 = || json!({"auth_algorithm": "sha1"});
            changes.push((region, site.policies(region, sha1(), sha1()).await));
        }
        site.remake(&changes).await;
        site.until("a tunnel", async || site.statuses().await == ACTIVE).await;
        site.behind.policies_drift(A);
        site.restart(A).await;
    });
    vec![
        breakage!("other IKE version", DOWN, |site| {
            let policies = site.policies(A, json!({"ike_version": "v1"}), json!({})).await;
            site.remake(&[(A, policies)]).await;
        }),
        breakage!("other encryption", ACTIVE, |site| {
            let weaker = || json!({"encryption_algorithm": "aes-128"});
            let policies = site.policies(A, weaker(), weaker()).await;
            site.remake(&[(A, policies)]).await;
        }),
        breakage!("other PFS group", ACTIVE, |site| {
            let policies = site.policies(A, json!({}), json!({"pfs": "group19"})).await;
            site.remake(&[(A, policies)]).await;
        }),
        Breakage { needs_sha1: true, ..drifted },
    ]
}

fn ranges() -> Vec<Breakage> {
    vec![
        breakage!("narrowed CIDR", ACTIVE, |site| {
            let groups = site.groups(B, &["private-subnet"], &["10.0.0.0/25"]).await;
            site.change_and_restart(B, groups).await;
        }),
        breakage!("CIDR with nothing in common", DOWN, |site| {
            let groups = site.groups(A, &["private-subnet"], &["10.99.0.0/24"]).await;
            site.change_and_restart(A, groups).await;
        }),
        breakage!("second subnet of an IKEv1 VPN", ACTIVE, |site| {
            let mut changes = Vec::new();
            for region in [A, B] {
                let mut change = site.policies(region, json!({"ike_version": "v1"}), json!({})).await;
                let groups = if region == A {
                    site.groups(A, &["private-subnet", "db-subnet"], &["10.20.30.0/24"]).await
                } else {
                    site.groups(B, &["private-subnet"], &["10.0.0.0/24", "10.0.1.0/24"]).await
                };
                extend(&mut change, &groups);
                changes.push((region, change));
            }
            site.remake(&changes).await;
        }),
        breakage!("missing security group rule", ACTIVE, |site| {
            let remote = local(B).1;
            for rule in site.list(A, &format!("security-group-rules?remote_ip_prefix={remote}")).await {
                let path = format!("security-group-rules/{}", rule["id"].as_str().unwrap());
                site.send(Method::DELETE, A, &path, None).await;
            }
        }),
    ]
}

/// What is switched off, doubled, or no longer what it was.
fn states() -> Vec<Breakage> {
    vec![
        breakage!("connection admin down", DOWN, |site| {
            site.change(A, json!({"admin_state_up": false})).await;
        }),
        breakage!("service admin down", DOWN, |site| {
            let service = site.service(A).await;
            site.put(A, "vpnservices", &service, json!({"admin_state_up": false})).await;
        }),
        // What is established lives on; it does not come back once it has ended.
        breakage!("doubled service", ACTIVE, |site| {
            let second = site.new_service(A, json!({"name": "second_vpn_service"})).await;
            let mut body = site.policies(A, json!({}), json!({})).await;
            extend(&mut body, &site.groups(A, &["private-subnet"], &["10.77.0.0/24"]).await);
            let own = json!({"name": "second", "vpnservice_id": second["id"], "psk": KEY, "peer_address": NOWHERE,
                "peer_id": NOWHERE});
            extend(&mut body, &own);
            site.make(A, "ipsec-site-connections", body).await;
        }),
        breakage!("stale gateway address", DOWN, |site| {
            site.behind.gateway_moves(A, "border-router", "203.0.113.90");
            // What is established stays ACTIVE until dead peer detection gives up, which takes minutes.
            for region in [A, B] {
                site.restart(region).await;
            }
        }),
        breakage!("service in ERROR", ACTIVE, |site| {
            let service = site.service(A).await;
            site.behind.service_fails(A, service["id"].as_str().unwrap());
        }),
        breakage!("legacy service", ACTIVE, |site| { legacy(site).await }),
    ]
}

/// The VPN as `create-vpn.sh` makes it, in place of the whole one.
async fn legacy(site: &Site<'_>) {
    for region in [A, B] {
        let connection = site.remove(region).await;
        let service = site.service(region).await;
        site.send(Method::DELETE, region, &format!("vpn/vpnservices/{}", service["id"].as_str().unwrap()), None).await;
        for side in ["local", "peer"] {
            let group = connection[format!("{side}_ep_group_id")].as_str().unwrap();
            site.send(Method::DELETE, region, &format!("vpn/endpoint-groups/{group}"), None).await;
        }
    }
    let hash = if site.behind.stores_sha1() { "sha1" } else { "sha256" };
    let policy = |name: &str| json!({"name": name, "auth_algorithm": hash});
    let mut services = Vec::new();
    for region in [A, B] {
        let subnet = site.named(region, "subnets", local(region).0).await;
        services.push(site.new_service(region, json!({"name": "vpn_service", "subnet_id": subnet["id"]})).await);
    }
    for (region, own, peer) in [(A, 0, 1), (B, 1, 0)] {
        let mut ike = policy("ike_policy");
        ike["ike_version"] = json!("v1");
        let mut body = site.policies(region, ike, policy("ipsec_policy")).await;
        let address = &services[peer]["external_v4_ip"];
        let rest = json!({"name": "vpn_site_connection", "vpnservice_id": services[own]["id"], "psk": PUBLIC_KEY,
            "peer_address": address, "peer_id": address, "peer_cidrs": [local(far(region)).1],
            "dpd": {"action": "restart", "interval": 15, "timeout": 150}});
        extend(&mut body, &rest);
        site.make(region, "ipsec-site-connections", body).await;
    }
}
