//! What two halves come to when real daemons negotiate: `ACTIVE` on both sides, or `DOWN`.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, B, Stage, path, with};

/// What is changed of a matched pair: of a policy (`ike`, `ipsec`), of the subnets and ranges, or of the connection.
#[derive(Clone, Default)]
pub struct Change {
    ike: [Value; 2],
    ipsec: [Value; 2],
    connection: [Value; 2],
    service_of_a: Value,
    local_of_a: Option<&'static [&'static str]>,
    peer_of_a: Option<&'static [&'static str]>,
    peer_of_b: Option<&'static [&'static str]>,
    /// What the connections are told once it is seen what they come to.
    then: [Value; 2],
}

pub fn cases() -> Vec<Case> {
    let both = |value: Value| [value.clone(), value];
    let of_a = |value: Value| [value, Value::Null];
    let v1 = || both(json!({"ike_version": "v1"}));
    let plain = Change::default;
    let two: Option<&'static [&'static str]> = Some(&["private-subnet", "db-subnet"]);
    // How long a tunnel is waited for depends on whether one is to be expected; what is recorded does not.
    let rows = vec![
        ("IKEv2, matched", true, plain()),
        ("IKEv1, matched", true, Change { ike: v1(), ..plain() }),
        (
            "wrong key, IKEv2",
            false,
            Change { connection: of_a(json!({"psk": "another-key-0123456789-another"})), ..plain() },
        ),
        (
            "wrong key, IKEv1",
            false,
            Change { ike: v1(), connection: of_a(json!({"psk": "another-key-0123456789-another"})), ..plain() },
        ),
        ("IKEv1 against IKEv2", false, Change { ike: of_a(json!({"ike_version": "v1"})), ..plain() }),
        ("wrong peer id", false, Change { connection: of_a(json!({"peer_id": "192.0.2.1"})), ..plain() }),
        ("a name on one side only", false, Change { connection: of_a(json!({"local_id": "a.example"})), ..plain() }),
        (
            "names on both sides",
            true,
            Change {
                connection: [
                    json!({"local_id": "a.example", "peer_id": "b.example"}),
                    json!({"local_id": "b.example", "peer_id": "a.example"}),
                ],
                ..plain()
            },
        ),
        (
            "aes-128 against aes-256 for IKE",
            true,
            Change { ike: of_a(json!({"encryption_algorithm": "aes-128"})), ..plain() },
        ),
        (
            "aes-128 against aes-256 for IPsec",
            true,
            Change { ipsec: of_a(json!({"encryption_algorithm": "aes-128"})), ..plain() },
        ),
        (
            "group19 against group14",
            true,
            Change { ike: of_a(json!({"pfs": "group19"})), ipsec: of_a(json!({"pfs": "group19"})), ..plain() },
        ),
        (
            "aes-256-gcm-16 and group31",
            true,
            Change {
                ike: both(json!({"encryption_algorithm": "aes-256-gcm-16", "pfs": "group31"})),
                ipsec: both(json!({"encryption_algorithm": "aes-256-gcm-16", "pfs": "group31"})),
                ..plain()
            },
        ),
        ("a wider peer range, IKEv2", true, Change { peer_of_a: Some(&["10.20.0.0/16"]), ..plain() }),
        ("a wider peer range, IKEv1", true, Change { ike: v1(), peer_of_a: Some(&["10.20.0.0/16"]), ..plain() }),
        ("nothing in common", false, Change { peer_of_a: Some(&["10.99.0.0/24"]), ..plain() }),
        ("two expected, one offered", true, Change { peer_of_b: Some(&["10.0.0.0/24", "10.0.1.0/24"]), ..plain() }),
        (
            "two subnets, IKEv2",
            true,
            Change { local_of_a: two, peer_of_b: Some(&["10.0.0.0/24", "10.0.1.0/24"]), ..plain() },
        ),
        (
            "two subnets, IKEv1",
            true,
            Change { ike: v1(), local_of_a: two, peer_of_b: Some(&["10.0.0.0/24", "10.0.1.0/24"]), ..plain() },
        ),
        (
            "both wait for the other",
            true,
            Change { connection: both(json!({"initiator": "response-only"})), ..plain() },
        ),
        (
            "IKEv1, aggressive",
            false,
            Change { ike: both(json!({"ike_version": "v1", "phase1_negotiation_mode": "aggressive"})), ..plain() },
        ),
        ("a service switched off", false, Change { service_of_a: json!({"admin_state_up": false}), ..plain() }),
        ("switched off on one side", false, Change { connection: of_a(json!({"admin_state_up": false})), ..plain() }),
    ];
    let make = |(name, hopeful, change): (&str, bool, Change)| {
        case(format!("tunnel/{name}"), move |s: Stage| {
            let change = change.clone();
            async move { negotiate(&s, hopeful, change).await }
        })
        .negotiating()
    };
    rows.into_iter().chain(as_the_daemon_has_them()).chain(other_keys()).map(make).collect()
}

/// Protocols, modes, ranges and names that only the daemons decide about.
fn as_the_daemon_has_them() -> Vec<(&'static str, bool, Change)> {
    let both = |value: Value| [value.clone(), value];
    let of_a = |value: Value| [value, Value::Null];
    let v1 = || both(json!({"ike_version": "v1"}));
    let plain = Change::default;
    vec![
        (
            "AH against ESP",
            false,
            Change { ipsec: of_a(json!({"transform_protocol": "ah", "encryption_algorithm": "aes-256"})), ..plain() },
        ),
        ("AH on both sides", false, Change { ipsec: both(json!({"transform_protocol": "ah"})), ..plain() }),
        (
            "transport mode against tunnel mode",
            false,
            Change { ipsec: of_a(json!({"encapsulation_mode": "transport"})), ..plain() },
        ),
        (
            "transport mode on both sides",
            false,
            Change { ipsec: both(json!({"encapsulation_mode": "transport"})), ..plain() },
        ),
        (
            "transport mode, IKEv1",
            false,
            Change { ike: v1(), ipsec: of_a(json!({"encapsulation_mode": "transport"})), ..plain() },
        ),
        (
            "a range in two halves, IKEv2",
            true,
            Change { peer_of_a: Some(&["10.20.30.0/25", "10.20.30.128/25"]), ..plain() },
        ),
        (
            "a range in two halves, IKEv1",
            true,
            Change { ike: v1(), peer_of_a: Some(&["10.20.30.0/25", "10.20.30.128/25"]), ..plain() },
        ),
        (
            "names that differ in case",
            true,
            Change {
                connection: [
                    json!({"local_id": "A.Example", "peer_id": "b.example"}),
                    json!({"local_id": "B.example", "peer_id": "a.example"}),
                ],
                ..plain()
            },
        ),
    ]
}

/// Keys that change after it is seen what they lead to.
fn other_keys() -> Vec<(&'static str, bool, Change)> {
    let other = || json!({"psk": "another-key-0123456789-another"});
    let plain = Change::default;
    vec![
        (
            "wrong key, put right",
            true,
            Change {
                connection: [other(), Value::Null],
                then: [json!({"psk": super::recorder::PSK}), Value::Null],
                ..plain()
            },
        ),
        ("another key for one side while it is up", true, Change { then: [other(), Value::Null], ..plain() }),
        ("another key for both while it is up", true, Change { then: [other(), other()], ..plain() }),
    ]
}

async fn negotiate(s: &Stage, hopeful: bool, change: Change) {
    let own = json!({"name": "service", "router_id": s.ground.id(A, "border-router")});
    let own = changed(&own, &change.service_of_a);
    let (here, there) = (s.make(A, "vpnservices", own).await, s.service(B).await);
    let address = |service: &Value| service["external_v4_ip"].as_str().unwrap().to_owned();
    let a = half(
        s,
        A,
        &here,
        &address(&there),
        (change.local_of_a, change.peer_of_a.unwrap_or(&["10.20.30.0/24"])),
        &change,
        0,
    )
    .await;
    let b = half(s, B, &there, &address(&here), (None, change.peer_of_b.unwrap_or(&["10.0.0.0/24"])), &change, 1).await;
    let a = path("ipsec-site-connections", &s.make(A, "ipsec-site-connections", a).await);
    let b = path("ipsec-site-connections", &s.make(B, "ipsec-site-connections", b).await);
    let is_put_right = !change.connection[0].is_null() && !change.then[0].is_null();
    come_to(s, (&a, &b), hopeful && !is_put_right).await;
    if change.then.iter().all(Value::is_null) {
        return;
    }
    for (region, connection, told) in [(A, &a, &change.then[0]), (B, &b, &change.then[1])] {
        if !told.is_null() {
            s.quietly(Method::PUT, region, connection, Some(json!({"ipsec_site_connection": told}))).await;
        }
    }
    if !is_put_right {
        // What is up may take a while to notice.
        for _ in 0..s.ground.patience() {
            s.ground.tick().await;
        }
    }
    come_to(s, (&a, &b), hopeful).await;
}

/// Notes what two connections come to: at once if both are ACTIVE, otherwise when nothing more is to be expected.
pub async fn come_to(s: &Stage, (a, b): (&str, &str), hopeful: bool) {
    let mut statuses = (String::new(), String::new());
    for _ in 0..s.ground.patience() * if hopeful { 4 } else { 1 } {
        s.ground.tick().await;
        statuses = (s.status(A, a).await, s.status(B, b).await);
        if statuses == ("ACTIVE".to_owned(), "ACTIVE".to_owned()) {
            break;
        }
    }
    s.note(format!("{} / {}", statuses.0, statuses.1));
}

fn changed(object: &Value, change: &Value) -> Value {
    if change.is_null() { object.clone() } else { with(object, change) }
}

pub async fn half(
    s: &Stage,
    region: &str,
    service: &Value,
    peer: &str,
    (local, remote): (Option<&[&str]>, &[&str]),
    change: &Change,
    side: usize,
) -> Value {
    let sound = json!({"auth_algorithm": "sha256", "encryption_algorithm": "aes-256", "pfs": "group14"});
    let v2 = with(&sound, &json!({"ike_version": "v2"}));
    let ike = s.make(region, "ikepolicies", changed(&v2, &change.ike[side])).await;
    let ipsec = s.make(region, "ipsecpolicies", changed(&sound, &change.ipsec[side])).await;
    let subnets: Vec<&str> =
        local.unwrap_or(&["private-subnet"]).iter().map(|name| s.ground.id(region, name)).collect();
    let (local, peers) = (s.group(region, "subnet", &subnets).await, s.group(region, "cidr", remote).await);
    let connection = json!({"name": "connection", "vpnservice_id": service["id"], "ikepolicy_id": ike["id"],
        "ipsecpolicy_id": ipsec["id"], "local_ep_group_id": local["id"], "peer_ep_group_id": peers["id"],
        "psk": super::recorder::PSK, "peer_address": peer, "peer_id": peer});
    changed(&connection, &change.connection[side])
}
