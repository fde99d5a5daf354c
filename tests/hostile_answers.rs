//! What the client makes of answers that no healthy cloud gives: of the wrong form, much too large, or without an end.

use crate::support::{pty, scripted_server};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use osvpn::cloud::keystone::SignIn;
use osvpn::cloud::request::VpnServiceBody;
use osvpn::cloud::{Cloud, Error, ErrorKind, Id, Kind, Limits, OtherSubnets, Region, Survey};
use pty::Pty;
use scripted_server::{Hostile, Reply};
use serde_json::{Value, json};

async fn region(cloud: &Hostile) -> Region {
    let limits = Limits { back_off: Duration::ZERO, ..Limits::default() };
    let SignIn::Done(signed_in) = Cloud::begin(&cloud.credentials(), limits).await.unwrap() else { unreachable!() };
    signed_in.regions().remove(0)
}

/// Everything the client asks a Neutron for, in one answer.
fn sound() -> Value {
    json!({
        "extensions": [{"alias": "vpnaas", "name": "n", "updated": "2026"}],
        "routers": [{"id": "r", "name": "edge", "status": "ACTIVE", "admin_state_up": true, "project_id": "mine",
            "external_gateway_info": {"network_id": "p", "external_fixed_ips": [{"subnet_id": "x", "ip_address": "203.0.113.7"}]}}],
        "routers_links": [{"rel": "previous", "href": "http://x/?marker=0"}],
        "ports": [{"id": "o", "device_id": "r", "security_groups": ["e"], "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.1"}]}],
        "subnets": [{"id": "s", "name": "web", "network_id": "n", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1",
            "router:external": false, "tenant_id": "mine"}],
        "networks": [{"id": "n", "name": "net"}],
        "vpnservices": [{"id": "v", "name": "vpn", "description": "osvpn:0badcafe:A", "router_id": "r", "subnet_id": null,
            "status": "ACTIVE", "admin_state_up": true, "external_v4_ip": "203.0.113.7", "external_v6_ip": null}],
        "ipsec_site_connections": [{"id": "c", "name": "site", "description": "", "status": "DOWN", "vpnservice_id": "v",
            "ikepolicy_id": "i", "ipsecpolicy_id": "p", "peer_address": "198.51.100.7", "peer_id": "198.51.100.7",
            "local_ep_group_id": "l", "peer_ep_group_id": "g", "peer_cidrs": ["10.9.0.0/16"], "admin_state_up": true}],
        "endpoint_groups": [{"id": "g", "name": "group", "description": "", "type": "cidr", "endpoints": ["10.9.0.0/16"]}],
        "quota": {"vpnservice": {"limit": 5, "used": 1, "reserved": 0}},
        "vpnservice": {"id": "v", "name": "vpn", "router_id": "r", "status": "ACTIVE"},
        "ipsec_site_connection": {"id": "c", "status": "DOWN", "psk": "abc"},
        "ikepolicies": [{"id": "i", "name": "p", "description": null}],
        "ipsecpolicies": [{"id": "p", "name": "p", "description": null, "lifetime": {"units": "seconds", "value": 3600}}],
        "security_groups": [{"id": "e", "name": "default"}],
        "security_group_rules": [{"id": "u", "security_group_id": "e", "direction": "ingress", "ethertype": "IPv4",
            "remote_ip_prefix": "10.9.0.0/16"}],
    })
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    let below: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.replace('/', "~1"), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        places(value, &format!("{here}/{key}"), found);
    }
}

fn without(whole: &Value, place: &str) -> Value {
    let mut whole = whole.clone();
    let (above, key) = place.rsplit_once('/').unwrap_or_default();
    match whole.pointer_mut(above) {
        Some(Value::Object(object)) => drop(object.remove(&key.replace("~1", "/"))),
        Some(Value::Array(list)) => drop(list.remove(key.parse().unwrap())),
        _ => whole = json!({}),
    }
    whole
}

async fn survey(region: &Region) -> Result<Survey, Error> {
    region.survey(region.vpn_lists().await?, OtherSubnets::OfRouters).await
}

/// All that is read, one after the other: what failed, each by the name of the question.
async fn everything(region: &Region) -> Vec<(&'static str, Option<Error>)> {
    let id = Id::from("v");
    let body = VpnServiceBody { name: "n", description: "d", router: &id };
    vec![
        ("inventory", region.inventory_with_interfaces().await.err()),
        ("detail", region.detail().await.err()),
        ("survey", survey(region).await.err()),
        ("exposure", region.exposure(BTreeSet::from([id.clone()])).await.err()),
        ("marked", region.marked(Kind::IkePolicy, "osvpn:0badcafe:A").await.err()),
        ("created", region.create_service(&body).await.err()),
        ("status", region.connection_status(&id).await.err()),
        ("key", region.connection_psk(&id).await.err()),
        ("shown", region.show(Kind::VpnService, &id, &["name"]).await.err()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_in_an_answer_is_an_error_that_names_it_or_does_no_harm() {
    let answer = Arc::new(Mutex::new(sound().to_string()));
    let shared = Arc::clone(&answer);
    let cloud = Hostile::start(move |_| Reply::ok(shared.lock().unwrap().clone()));
    let region = region(&cloud).await;
    let failures = everything(&region).await;
    assert!(failures.iter().all(|(_, error)| error.is_none()), "the sound answer is one: {failures:#?}");

    let (sound, mut all) = (sound(), Vec::new());
    places(&sound, "", &mut all);
    let wrong = [json!(null), json!(7), json!("\u{1b}[31m"), json!({}), json!([[{"id": {}}]])];
    let (mut refused, mut taken) = (0, 0);
    for place in &all {
        let changed = wrong.iter().map(|wrong| {
            let mut whole = sound.clone();
            *whole.pointer_mut(place).unwrap() = wrong.clone();
            whole
        });
        for whole in changed.chain([without(&sound, place)]) {
            *answer.lock().unwrap() = whole.to_string();
            for (question, error) in everything(&region).await {
                let Some(error) = error else {
                    taken += 1;
                    continue;
                };
                refused += 1;
                // A key that is not shown, as a role may have it.
                let hidden = question == "key" && error.kind == ErrorKind::Forbidden;
                assert!(error.kind == ErrorKind::Unexpected || hidden, "{place}: {question}: {error:?}");
                assert!(error.message.contains('`') || hidden, "{place}: no name in {error}");
                assert!(!error.message.contains(char::is_control) && error.message.len() < 400, "{place}: {error:?}");
                assert!(error.request.is_some() || hidden, "{place}: {error:?}");
            }
        }
    }
    println!("{} places, {refused} answers refused, {taken} taken", all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_value_that_is_null_missing_or_of_another_kind_is_named() {
    let answer = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&answer);
    let cloud = Hostile::start(move |_| Reply::ok(shared.lock().unwrap().clone()));
    let region = region(&cloud).await;
    for (list, field) in [
        ("extensions", "alias"),
        ("routers", "id"),
        ("ports", "device_id"),
        ("subnets", "cidr"),
        ("vpnservices", "router_id"),
        ("ipsec_site_connections", "vpnservice_id"),
    ] {
        for wrong in [None, Some(Value::Null), Some(json!(5)), Some(json!({}))] {
            let mut whole = sound();
            let object = whole[list][0].as_object_mut().unwrap();
            match wrong {
                Some(wrong) => drop(object.insert(field.to_owned(), wrong)),
                None => drop(object.remove(field)),
            }
            *answer.lock().unwrap() = whole.to_string();
            let read = region.inventory_with_interfaces().await;
            // One object costs itself; what the rest is told apart by costs the region.
            if matches!(list, "extensions" | "ports") {
                let error = read.unwrap_err();
                assert!(error.message.contains(&format!("`{list}[0].{field}`")), "{error}");
            } else {
                let unfit: Vec<String> = read.unwrap().unfit.iter().map(ToString::to_string).collect();
                let is_named = |told: &String| told.starts_with(list) && told.contains(&format!("`{field}`"));
                assert!(unfit.len() == 1 && unfit.iter().all(is_named), "{unfit:?}");
            }
        }
    }
}

fn zipped(chunk: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    (0..times).for_each(|_| encoder.write_all(chunk).unwrap());
    encoder.finish().unwrap()
}

/// Answers that would fill a memory, and the words they are given up with.
fn floods() -> Vec<(&'static str, Reply, &'static str)> {
    let spaces = vec![b' '; 1 << 20];
    let endless = |head: &str, body: &str, then: Vec<u8>| Reply { head: head.to_owned(), body: body.into(), then };
    let zip = "200 OK\r\ncontent-encoding: gzip";
    let deep = "[".repeat(5_000_000);
    let wide = format!("{{\"routers\": [{}0]}}", "0,".repeat(7_000_000));
    let many = format!("{{\"routers\": [{}{{\"id\":\"\"}}]}}", r#"{"id":""},"#.repeat(1_000_000));
    let fields = (0..800_000).map(|n| format!("\"{n:x}\":0,")).collect::<Vec<_>>().concat();
    vec![
        ("50 MB at once", Reply::ok(vec![b' '; 50_000_000]), "is longer than 16777216 bytes"),
        ("a body without an end", endless("200 OK", "{\"routers\": [", spaces), "is longer than 16777216 bytes"),
        (
            "a gzip bomb",
            Reply { head: zip.to_owned(), ..Reply::ok(zipped(&vec![b' '; 1 << 20], 1024)) },
            "is longer than 16777216 bytes",
        ),
        (
            "two million headers",
            Reply { head: format!("200 OK{}", "\r\nx: y".repeat(2_000_000)), ..Reply::ok("{}") },
            "broke before",
        ),
        ("deep nesting", Reply::ok(deep.clone()), "ends in the middle of its JSON"),
        ("deep nesting in a list", Reply::ok(format!("{{\"routers\": [{deep}")), "ends in the middle of its JSON"),
        (
            "deep nesting in a field",
            Reply::ok(format!("{{\"routers\": [{{\"id\": {}{}}}]}}", &deep[..900], "]".repeat(900))),
            "routers: an object without a name",
        ),
        (
            "an id that a shell would obey",
            Reply::ok(r#"{"routers": [{"id": "4f2;reboot", "name": "r"}]}"#),
            "`id` does not match the API",
        ),
        ("a long list of what is none", Reply::ok(wide), "`routers[0]` does not match the API"),
        ("a million routers", Reply::ok(many), "`routers` has more than 100000 objects"),
        (
            "a router of 800,000 fields",
            Reply::ok(format!("{{\"routers\": [{{{fields}\"id\": 1}}]}}")),
            "routers: an object without a name",
        ),
        (
            "a refusal of 15 MB",
            Reply { head: "409 Conflict".to_owned(), ..Reply::ok(format!("[{}0]", "0,".repeat(7_500_000))) },
            "HTTP 409 Conflict",
        ),
        ("no UTF-8", Reply::ok(b"{\"routers\": [{\"id\": \"\xff\xfe\"}]}".to_vec()), "is not JSON"),
        ("nothing", Reply::ok(""), "ends in the middle of its JSON"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_would_fill_the_memory_is_given_up_with_a_clear_error() {
    for (what, reply, words) in floods() {
        let reply = Arc::new(reply);
        let flood = Arc::clone(&reply);
        let cloud = Hostile::start(move |path| {
            if path.contains("/routers") {
                return Reply { head: flood.head.clone(), body: flood.body.clone(), then: flood.then.clone() };
            }
            Reply::ok(sound().to_string())
        });
        match region(&cloud).await.inventory().await {
            Ok(read) => assert!(read.unfit.iter().any(|unfit| unfit.to_string().contains(words)), "{what}: {read:?}"),
            Err(error) => {
                assert!(error.message.contains(words), "{what}: {error}");
                assert_eq!(error.request.as_deref(), Some("GET /v2.0/routers"), "{what}");
            }
        }
        // What the client took, and what the sockets between hold.
        let most = Limits::default().body + (12 << 20);
        assert!(cloud.sent.load(Ordering::SeqCst) < most, "{what}: {} bytes", cloud.sent.load(Ordering::SeqCst));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_is_given_up() {
    let page = |number: usize, size: usize, name: usize| {
        let routers: Vec<_> =
            (0..size).map(|at| json!({"id": format!("{number}-{at}"), "name": "n".repeat(name)})).collect();
        let next = format!("http://x/v2.0/routers?marker={number}");
        Reply::ok(json!({"routers": routers, "routers_links": [{"rel": "next", "href": next}]}).to_string())
    };
    for (size, name, words) in [(10_000, 1, "more than 100000 objects"), (10, 1_000_000, "does not end; 7")] {
        let number = std::sync::atomic::AtomicUsize::new(0);
        let cloud = Hostile::start(move |path| {
            if path.contains("/routers") {
                return page(number.fetch_add(1, Ordering::SeqCst), size, name);
            }
            Reply::ok(sound().to_string())
        });
        let error = region(&cloud).await.inventory().await.unwrap_err();
        assert!(error.kind == ErrorKind::Unexpected && error.message.contains(words), "{error}");
    }
    // The same two pages over and over, each time with another marker.
    let number = std::sync::atomic::AtomicUsize::new(0);
    let cloud = Hostile::start(move |path| {
        if !path.contains("/routers") {
            return Reply::ok(sound().to_string());
        }
        let number = number.fetch_add(1, Ordering::SeqCst);
        assert!(number < 4, "a page that brings nothing new is the last");
        let next = format!("http://x/v2.0/routers?marker={number}");
        let routers = json!([{"id": format!("r-{}", number % 2), "name": "again"}]);
        Reply::ok(json!({"routers": routers, "routers_links": [{"rel": "next", "href": next}]}).to_string())
    });
    let error = region(&cloud).await.inventory().await.unwrap_err();
    assert!(error.message.contains("does not end"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_read_whole() {
    let subnets: Vec<_> = (0..20_000)
        .map(|n| json!({"id": format!("s{n}"), "name": "é".repeat(255), "network_id": "n", "cidr": "10.0.0.0/24", "project_id": "mine"}))
        .collect();
    let body = json!({"subnets": subnets}).to_string();
    let cloud = Hostile::start(move |path| {
        Reply::ok(if path.contains("/subnets") { body.clone() } else { sound().to_string() })
    });
    let inventory = region(&cloud).await.inventory().await.unwrap();
    assert_eq!(inventory.subnets.len(), 20_000);
    assert!(inventory.subnets.iter().all(|subnet| subnet.name.chars().count() == 255));
}

/// The most memory a process has had so far, in MB.
fn peak(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() / 1000
}

#[test]
#[cfg(target_os = "linux")]
fn the_wizard_outlives_every_flood_in_bounded_memory() {
    for (what, reply, _) in floods() {
        let cloud = Hostile::start(move |path| match path {
            // Every list at once.
            path if path.contains("/v2.0/") && !path.contains("extensions") => {
                Reply { head: reply.head.clone(), body: reply.body.clone(), then: reply.then.clone() }
            }
            _ => Reply::ok(sound().to_string()),
        });
        let home = tempfile::tempdir().unwrap();
        let mut pty = Pty::start(home.path(), &[], &cloud.variables());
        pty.enter_at("What should be");
        pty.wait_for("did not answer");
        let peak = peak(pty.pid());
        println!("{what}: {peak} MB at the most");
        assert!(peak < 400, "{what}: {peak} MB");
    }
}
