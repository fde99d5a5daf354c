//! What becomes of a tunnel that is up, or nearly, when one of its halves is changed, removed or joined by another.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, B, NOWHERE, PSK, Stage, path};
use super::tunnel::{Change, come_to, half};

const CONNECTIONS: &str = "ipsec-site-connections";

pub fn cases() -> Vec<Case> {
    let cases = vec![
        case("day two/other ranges for one half", other_ranges_for_one_half),
        case("day two/one more subnet for both halves", one_more_subnet_for_both_halves),
        case("day two/a half deleted and made anew", a_half_deleted_and_made_anew),
        case("day two/other keys, and a service off and on", other_keys_and_a_service_off_and_on),
        case("day two/a connection off and on", a_connection_off_and_on),
        case("day two/a second service on the router", a_second_service_on_the_router),
        case("day two/a DPD action no daemon knows", a_dpd_action_no_daemon_knows),
        case("day two/two of the old kind", two_of_the_old_kind),
    ];
    cases.into_iter().map(Case::negotiating).collect()
}

/// Two services and the bodies of two connections that fit.
struct Pair {
    services: [Value; 2],
    bodies: [Value; 2],
}

impl Pair {
    async fn new(s: &Stage) -> Self {
        let services = [s.service(A).await, s.service(B).await];
        let address = |side: usize| services[side]["external_v4_ip"].as_str().unwrap().to_owned();
        let plain = Change::default();
        let a = half(s, A, &services[0], &address(1), (None, &["10.20.30.0/24"]), &plain, 0).await;
        let b = half(s, B, &services[1], &address(0), (None, &["10.0.0.0/24"]), &plain, 1).await;
        Self { services, bodies: [a, b] }
    }

    /// Makes both connections; their paths.
    async fn connect(&self, s: &Stage) -> [String; 2] {
        let [a, b] = &self.bodies;
        [connect(s, A, a).await, connect(s, B, b).await]
    }
}

async fn connect(s: &Stage, region: &str, body: &Value) -> String {
    path(CONNECTIONS, &s.make(region, CONNECTIONS, body.clone()).await)
}

async fn change(s: &Stage, region: &str, connection: &str, change: Value) {
    s.quietly(Method::PUT, region, connection, Some(json!({"ipsec_site_connection": change}))).await;
}

/// What both come to, whatever it is. What is up may take a while to notice.
async fn rest(s: &Stage, [a, b]: &[String; 2]) {
    for _ in 0..s.ground.patience() {
        s.ground.tick().await;
    }
    s.note(format!("{} / {}", s.status(A, a).await, s.status(B, b).await));
}

async fn other_ranges_for_one_half(s: Stage) {
    let pair = Pair::new(&s).await;
    let made = pair.connect(&s).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    let other = s.group(A, "cidr", &["10.99.0.0/24"]).await;
    let put = async |group: &Value| {
        let body = json!({"ipsec_site_connection": {"peer_ep_group_id": group}});
        s.quietly(Method::PUT, A, &made[0], Some(body)).await;
    };
    put(&other["id"]).await;
    rest(&s, &made).await;
    let old = format!("vpn/endpoint-groups/{}", pair.bodies[0]["peer_ep_group_id"].as_str().unwrap());
    s.ask(Method::DELETE, A, &path("endpoint-groups", &other), None).await;
    put(&pair.bodies[0]["peer_ep_group_id"]).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    s.ask(Method::DELETE, A, &old, None).await;
    s.ask(Method::DELETE, A, &path("endpoint-groups", &other), None).await;
}

async fn one_more_subnet_for_both_halves(s: Stage) {
    let pair = Pair::new(&s).await;
    let made = pair.connect(&s).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    let subnets = ["private-subnet", "db-subnet"].map(|name| s.ground.id(A, name));
    let local = s.group(A, "subnet", &subnets).await;
    change(&s, A, &made[0], json!({"local_ep_group_id": local["id"]})).await;
    let peer = s.group(B, "cidr", &["10.0.0.0/24", "10.0.1.0/24"]).await;
    change(&s, B, &made[1], json!({"peer_ep_group_id": peer["id"]})).await;
    for (region, body, key) in [(A, &pair.bodies[0], "local_ep_group_id"), (B, &pair.bodies[1], "peer_ep_group_id")] {
        let old = format!("vpn/endpoint-groups/{}", body[key].as_str().unwrap());
        s.ask(Method::DELETE, region, &old, None).await;
    }
    for _ in 0..s.ground.patience() {
        s.ground.tick().await;
    }
    come_to(&s, (&made[0], &made[1]), true).await;
}

async fn a_half_deleted_and_made_anew(s: Stage) {
    let pair = Pair::new(&s).await;
    let made = pair.connect(&s).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    s.quietly(Method::DELETE, A, &made[0], None).await;
    s.until(B, &made[1], |status| status == "DOWN").await;
    s.note(format!("one half: {}, its service {}", s.status(B, &made[1]).await, service_status(&s, B, &pair, 1).await));
    s.note(format!("the service without a half: {}", service_status(&s, A, &pair, 0).await));
    let anew = connect(&s, A, &pair.bodies[0]).await;
    come_to(&s, (&anew, &made[1]), true).await;
}

async fn service_status(s: &Stage, region: &str, pair: &Pair, side: usize) -> String {
    s.status(region, &path("vpnservices", &pair.services[side])).await
}

async fn other_keys_and_a_service_off_and_on(s: Stage) {
    let pair = Pair::new(&s).await;
    let made = pair.connect(&s).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    let other = json!({"psk": "another-key-0123456789-another"});
    change(&s, A, &made[0], other.clone()).await;
    off_and_on(&s, (A, &pair.services[0])).await;
    rest(&s, &made).await;
    change(&s, B, &made[1], other).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    off_and_on(&s, (A, &pair.services[0])).await;
    come_to(&s, (&made[0], &made[1]), true).await;
}

async fn off_and_on(s: &Stage, (region, service): (&str, &Value)) {
    let service = path("vpnservices", service);
    s.quietly(Method::PUT, region, &service, Some(json!({"vpnservice": {"admin_state_up": false}}))).await;
    s.until(region, &service, |status| status == "DOWN").await;
    s.quietly(Method::PUT, region, &service, Some(json!({"vpnservice": {"admin_state_up": true}}))).await;
}

async fn a_connection_off_and_on(s: Stage) {
    let pair = Pair::new(&s).await;
    let made = pair.connect(&s).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    change(&s, A, &made[0], json!({"admin_state_up": false})).await;
    rest(&s, &made).await;
    s.note(service_status(&s, A, &pair, 0).await);
    change(&s, A, &made[0], json!({"admin_state_up": true})).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    s.note(service_status(&s, A, &pair, 0).await);
}

async fn a_second_service_on_the_router(s: Stage) {
    let pair = Pair::new(&s).await;
    let made = pair.connect(&s).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    let second = s.service(A).await;
    rest(&s, &made).await;
    let mut body = half(&s, A, &second, NOWHERE, (None, &["10.77.0.0/24"]), &Change::default(), 0).await;
    body["psk"] = json!(PSK);
    let intruder = connect(&s, A, &body).await;
    rest(&s, &made).await;
    let services = [service_status(&s, A, &pair, 0).await, s.status(A, &path("vpnservices", &second)).await];
    s.note(format!("services {services:?}, the second's connection {}", s.status(A, &intruder).await));
    s.quietly(Method::DELETE, A, &intruder, None).await;
    s.quietly(Method::DELETE, A, &path("vpnservices", &second), None).await;
    come_to(&s, (&made[0], &made[1]), true).await;
}

async fn a_dpd_action_no_daemon_knows(s: Stage) {
    let pair = Pair::new(&s).await;
    let made = pair.connect(&s).await;
    come_to(&s, (&made[0], &made[1]), true).await;
    change(&s, A, &made[0], json!({"dpd": {"action": "disabled"}})).await;
    rest(&s, &made).await;
    s.note(service_status(&s, A, &pair, 0).await);
    s.quietly(Method::DELETE, A, &made[0], None).await;
    s.until(B, &made[1], |status| status == "DOWN").await;
    let mut body = pair.bodies[0].clone();
    body["dpd"] = json!({"action": "restart-by-peer"});
    let anew = [connect(&s, A, &body).await, made[1].clone()];
    rest(&s, &anew).await;
    s.note(service_status(&s, A, &pair, 0).await);
    let right = json!({"ipsec_site_connection": {"dpd": {"action": "restart"}}});
    s.ask(Method::PUT, A, &anew[0], Some(right)).await;
}

async fn two_of_the_old_kind(s: Stage) {
    let mut services = Vec::new();
    for region in [A, B] {
        let (router, subnet) = (s.ground.id(region, "border-router"), s.ground.id(region, "private-subnet"));
        services.push(s.make(region, "vpnservices", json!({"router_id": router, "subnet_id": subnet})).await);
    }
    let mut made = Vec::new();
    for (region, own, peer, range) in [(A, 0_usize, 1_usize, "10.20.30.0/24"), (B, 1, 0, "10.0.0.0/24")] {
        let ike = s.make(region, "ikepolicies", json!({"auth_algorithm": "sha256"})).await;
        let ipsec = s.make(region, "ipsecpolicies", json!({"auth_algorithm": "sha256"})).await;
        let address = &services[peer]["external_v4_ip"];
        let body = json!({"vpnservice_id": services[own]["id"], "ikepolicy_id": ike["id"],
            "ipsecpolicy_id": ipsec["id"], "psk": "pre_shared_key", "peer_address": address, "peer_id": address,
            "peer_cidrs": [range]});
        made.push(connect(&s, region, &body).await);
    }
    come_to(&s, (&made[0], &made[1]), true).await;
    let ask = async |change: Value| {
        let body = json!({"ipsec_site_connection": change});
        s.ask(Method::PUT, A, &made[0], Some(body)).await;
    };
    let group = s.group(A, "cidr", &["10.20.30.0/24"]).await;
    ask(json!({"peer_ep_group_id": group["id"]})).await;
    ask(json!({"peer_cidrs": []})).await;
    ask(json!({"peer_cidrs": ["10.78.0.0/24"], "description": "another"})).await;
}
