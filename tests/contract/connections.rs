//! IPsec site connections: made, changed, deleted, refused.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, NOBODY, NOWHERE, Stage, path, with};

const PLACE: &str = "vpn/ipsec-site-connections";

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("connections/made as the client makes them", made_as_the_client_makes_them),
        case("connections/with the defaults", with_the_defaults),
        case("connections/of the old kind, with peer CIDRs", of_the_old_kind_with_peer_cidrs),
        case("connections/changed while it waits for the agent", changed_while_it_waits_for_the_agent),
        case("connections/changed", changed),
        case("connections/two alike", two_alike),
        case("connections/on a gateway without IPv6", on_a_gateway_without_ipv6),
        case("connections/over IPv6", over_ipv6),
        case("connections/of an IPsec policy with ah-esp", of_an_ipsec_policy_with_ah_esp),
        case("connections/longer than the table takes", longer_than_the_table_takes),
    ];
    for subject in ["missing", "ids", "values", "groups"] {
        cases.push(case(format!("connections/refused: {subject}"), move |s: Stage| async move {
            let sound = sound(&s).await;
            for change in refusals(&s, subject).await {
                post(&s, with(&sound, &change)).await;
            }
        }));
    }
    cases
}

async fn made_as_the_client_makes_them(s: Stage) {
    let sound = sound(&s).await;
    let body = with(
        &sound,
        &json!({"description": "d", "initiator": "bi-directional", "mtu": 1500,
        "dpd": {"action": "restart", "interval": 15, "timeout": 150}, "admin_state_up": true}),
    );
    let made = post(&s, body).await["ipsec_site_connection"].clone();
    let at = path("ipsec-site-connections", &made);
    s.until(A, &at, |status| status != "PENDING_CREATE").await;
    s.ask(Method::GET, A, &at, None).await;
    for _ in 0..2 {
        s.ask(Method::DELETE, A, &at, None).await;
    }
    s.ask(Method::GET, A, &at, None).await;
}

async fn with_the_defaults(s: Stage) {
    let sound = sound(&s).await;
    post(&s, sound).await;
}

async fn of_the_old_kind_with_peer_cidrs(s: Stage) {
    let sound = legacy(&s).await;
    post(&s, with(&sound, &json!({"peer_cidrs": ["10.77.0.0/24", "10.78.0.0/24"]}))).await;
    let groups = s.sound(A, &json!({"id": sound["vpnservice_id"]}), NOWHERE, &["10.77.0.0/24"]).await;
    for change in [
        json!({"peer_cidrs": "10.77.0.0/24"}),
        json!({}),
        json!({"peer_cidrs": []}),
        json!({"peer_cidrs": ["10.77.0.0/24", "10.77.0.0/24"]}),
        json!({"peer_cidrs": ["10.77.0.0/24", "fd00::/64"]}),
        json!({"peer_cidrs": ["fd00::/64"]}),
        json!({"peer_cidrs": ["nonsense"]}),
        json!({"peer_cidrs": ["10.77.0.0"]}),
        json!({"peer_cidrs": ["10.77.0.0/24"], "local_ep_group_id": groups["local_ep_group_id"]}),
        json!({"peer_cidrs": ["10.77.0.0/24"], "local_ep_group_id": groups["local_ep_group_id"],
            "peer_ep_group_id": groups["peer_ep_group_id"]}),
        json!({"local_ep_group_id": groups["local_ep_group_id"], "peer_ep_group_id": groups["peer_ep_group_id"]}),
    ] {
        post(&s, with(&sound, &change)).await;
    }
}

async fn changed_while_it_waits_for_the_agent(s: Stage) {
    // The agents' own doing cannot be stopped, so the change is one that is refused whatever the state.
    let made = s.make(A, "ipsec-site-connections", sound(&s).await).await;
    let change = Some(json!({"ipsec_site_connection": {"vpnservice_id": NOBODY}}));
    s.ask(Method::PUT, A, &path("ipsec-site-connections", &made), change).await;
}

async fn changed(s: Stage) {
    let made = s.make(A, "ipsec-site-connections", sound(&s).await).await;
    let at = path("ipsec-site-connections", &made);
    s.until(A, &at, |status| status != "PENDING_CREATE").await;
    for change in changes() {
        s.ask(Method::PUT, A, &at, Some(json!({"ipsec_site_connection": change}))).await;
    }
}

async fn two_alike(s: Stage) {
    let sound = sound(&s).await;
    for _ in 0..2 {
        s.note(post(&s, sound.clone()).await["ipsec_site_connection"]["id"].is_string().to_string());
    }
}

async fn on_a_gateway_without_ipv6(s: Stage) {
    let router = s.ground.id(A, "v4-router").to_owned();
    let service = s.make(A, "vpnservices", json!({"router_id": router})).await;
    let sound = s.sound(A, &service, "2001:db8::9", &["10.77.0.0/24"]).await;
    post(&s, sound).await;
}

async fn over_ipv6(s: Stage) {
    let service = s.service(A).await;
    let sound = s.sound(A, &service, "2001:db8::9", &["fd00:77::/64"]).await;
    let local = s.group(A, "subnet", &[s.ground.id(A, "v6-subnet")]).await;
    let six = with(&sound, &json!({"local_ep_group_id": local["id"]}));
    post(&s, with(&six, &json!({"mtu": 1279}))).await;
    post(&s, six).await;
}

async fn of_an_ipsec_policy_with_ah_esp(s: Stage) {
    let sound = sound(&s).await;
    let policy = json!({"auth_algorithm": "sha256", "transform_protocol": "ah-esp"});
    let policy = s.make(A, "ipsecpolicies", policy).await;
    post(&s, with(&sound, &json!({"ipsecpolicy_id": policy["id"]}))).await;
}

async fn longer_than_the_table_takes(s: Stage) {
    let sound = sound(&s).await;
    for (key, length) in [("psk", 255), ("psk", 256), ("peer_id", 256), ("local_id", 256)] {
        post(&s, with(&sound, &json!({key: "a".repeat(length)}))).await;
    }
    let made = s.make(A, "ipsec-site-connections", sound).await;
    let at = path("ipsec-site-connections", &made);
    s.until(A, &at, |status| status != "PENDING_CREATE").await;
    s.ask(Method::PUT, A, &at, Some(json!({"ipsec_site_connection": {"psk": "a".repeat(256)}}))).await;
}

async fn sound(s: &Stage) -> Value {
    let service = s.service(A).await;
    s.sound(A, &service, NOWHERE, &["10.77.0.0/24"]).await
}

/// What a connection of a service with a subnet needs, but for the peer's ranges.
async fn legacy(s: &Stage) -> Value {
    let (router, subnet) = (s.ground.id(A, "border-router"), s.ground.id(A, "private-subnet"));
    let service = s.make(A, "vpnservices", json!({"router_id": router, "subnet_id": subnet})).await;
    let ike = s.make(A, "ikepolicies", json!({"auth_algorithm": "sha256"})).await;
    let ipsec = s.make(A, "ipsecpolicies", json!({"auth_algorithm": "sha256"})).await;
    json!({"name": "vpn_site_connection", "vpnservice_id": service["id"], "ikepolicy_id": ike["id"],
        "ipsecpolicy_id": ipsec["id"], "psk": "pre_shared_key", "peer_address": NOWHERE, "peer_id": NOWHERE})
}

async fn post(s: &Stage, body: Value) -> Value {
    s.ask(Method::POST, A, PLACE, Some(json!({"ipsec_site_connection": body}))).await.body
}

async fn refusals(s: &Stage, subject: &str) -> Vec<Value> {
    match subject {
        "missing" => ["vpnservice_id", "ikepolicy_id", "ipsecpolicy_id", "peer_address", "peer_id", "psk"]
            .map(|key| json!({ key: "-" }))
            .to_vec(),
        "ids" => {
            let keys = ["vpnservice_id", "ikepolicy_id", "ipsecpolicy_id", "local_ep_group_id", "peer_ep_group_id"];
            keys.iter()
                .flat_map(|key| [json!({*key: NOBODY}), json!({*key: "nonsense"}), json!({*key: null})])
                .collect()
        }
        "values" => values(),
        _ => {
            let six = s.group(A, "cidr", &["fd00::/64"]).await["id"].clone();
            let mixed = s.group(A, "cidr", &["10.79.0.0/24", "fd00::/64"]).await["id"].clone();
            let subnets = [s.ground.id(A, "private-subnet"), s.ground.id(A, "v6-subnet")];
            let mixed_local = s.group(A, "subnet", &subnets).await["id"].clone();
            let lonely = s.group(A, "subnet", &[s.ground.id(A, "lonely-subnet")]).await["id"].clone();
            let local = s.group(A, "subnet", &[s.ground.id(A, "private-subnet")]).await["id"].clone();
            vec![
                json!({"peer_ep_group_id": six}),
                json!({"peer_ep_group_id": mixed}),
                json!({"local_ep_group_id": mixed_local}),
                json!({"local_ep_group_id": lonely}),
                json!({"local_ep_group_id": six}),
                json!({"peer_ep_group_id": local}),
                json!({"local_ep_group_id": "-", "peer_ep_group_id": "-"}),
                json!({"peer_cidrs": ["10.79.0.0/24"]}),
                json!({"peer_cidrs": ["10.79.0.0/24"], "local_ep_group_id": null, "peer_ep_group_id": null}),
            ]
        }
    }
}

fn values() -> Vec<Value> {
    vec![
        json!({"psk": null}),
        json!({"psk": ""}),
        json!({"psk": 5}),
        json!({"peer_id": null}),
        json!({"peer_address": ""}),
        json!({"peer_address": "not.a.host.invalid"}),
        json!({"peer_address": "10.0.0.300"}),
        json!({"peer_address": "010.0.0.1"}),
        json!({"peer_address": "192.0.2"}),
        json!({"peer_address": "1.2.3.4.5"}),
        json!({"peer_address": "089.0.0.1"}),
        json!({"peer_address": "2001:db8::9"}),
        json!({"dpd": {"interval": 150, "timeout": 150}}),
        json!({"dpd": {"timeout": 30}}),
        json!({"dpd": {"interval": 130}}),
        json!({"dpd": {"action": "sleep"}}),
        json!({"dpd": {"action": "disabled"}}),
        json!({"dpd": {"interval": -1}}),
        json!({"dpd": {"interval": "often"}}),
        json!({"dpd": {"interval": "20", "timeout": "100"}}),
        json!({"dpd": {"interval": "200", "timeout": "300"}}),
        json!({"dpd": {"interval": "20"}}),
        json!({"dpd": {"extra": 1}}),
        json!({"dpd": 5}),
        json!({"dpd": null}),
        json!({"mtu": 67}),
        json!({"mtu": 68}),
        json!({"mtu": 0}),
        json!({"mtu": -1}),
        json!({"mtu": "1400"}),
        json!({"mtu": "large"}),
        json!({"mtu": null}),
        json!({"initiator": "nobody"}),
        json!({"initiator": "response-only"}),
        json!({"auth_mode": "psk"}),
        json!({"route_mode": "static"}),
        json!({"status": "ACTIVE"}),
        json!({"bogus": 1}),
        json!({"admin_state_up": "perhaps"}),
        json!({"admin_state_up": "False"}),
        json!({"name": " blank"}),
        json!({"local_id": "vpn.example"}),
    ]
}

fn changes() -> Vec<Value> {
    vec![
        json!({"name": "renamed", "description": "other"}),
        json!({"psk": "another-key-entirely-0123456789"}),
        json!({"dpd": {"timeout": 200}}),
        json!({"dpd": {"timeout": 5}}),
        json!({"dpd": {"interval": "30", "timeout": "300"}}),
        json!({"dpd": {"timeout": "300"}}),
        json!({"mtu": 1400}),
        json!({"mtu": 60}),
        json!({"peer_address": "192.0.2.98"}),
        json!({"peer_address": "not.a.host.invalid"}),
        json!({"peer_cidrs": ["10.79.0.0/24"]}),
        json!({"peer_ep_group_id": NOBODY}),
        json!({"peer_ep_group_id": null}),
        json!({"vpnservice_id": NOBODY}),
        json!({"ikepolicy_id": NOBODY}),
        json!({"auth_mode": "psk"}),
        json!({"status": "ACTIVE"}),
        json!({"bogus": 1}),
        json!({"initiator": "response-only"}),
        json!({"admin_state_up": false}),
    ]
}
