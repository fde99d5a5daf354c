//! What the commands ask the cloud before they do anything: how many requests, and how many round trips one after the other.
//! Requests of one round trip are answered only when all of them have been sent, so that one more would wait for ever.

use super::*;

/// The VPN lists of all regions; the region without `VPNaaS` tells in the next round trip why it has none.
const LISTS: usize = 5 * REGIONS.len();
/// Of each half the extensions, and its router, the ports of that and its subnets by id.
const AROUND: usize = 2 * 4 + 1;
/// What instances admit, of each half: ports, groups and rules.
const EXPOSURES: usize = 2 * 3;
/// One of each half.
const KEYS: usize = 2;
/// At most so many are on their way at once to one host, and the simulated regions are one.
const AT_ONCE: usize = 16;

async fn asks(scene: &Scene, args: &[&str], code: i32, waves: &[usize]) {
    scene.asked();
    for count in waves {
        scene.cloud.inject(InjectedFault::together((*count).min(AT_ONCE)).method("GET").path("/v2.0/"));
    }
    let ran = scene.run(args).await;
    assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
    let asked = scene.asked();
    assert_eq!(counted(&asked), [1, waves.iter().sum(), 0], "{args:?}: {asked:#?}");
    let of_all = |request: &&LoggedRequest| {
        let is_whole = |list: &str| request.path.contains(&format!("/v2.0/{list}?"));
        let by_need = ["&id=", "device_id=", "fixed_ips="].iter().any(|filter| request.path.contains(filter));
        ["ports", "routers", "subnets"].into_iter().any(is_whole) && !by_need
    };
    assert_eq!(asked.iter().find(of_all).map(|request| &request.path), None, "{args:?} reads a whole list");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_reads_what_it_needs_in_two_round_trips() {
    let scene = Scene::with_vpn().await;
    for (args, code, waves) in [
        (&["list"][..], 0, vec![LISTS, AROUND]),
        (&["status", "test-vpn"], 0, vec![LISTS, AROUND + KEYS]),
        (&["status"], 0, vec![LISTS, AROUND + KEYS]),
        (&["doctor", "test-vpn"], 0, vec![LISTS, AROUND + KEYS + EXPOSURES]),
        (&["doctor"], 0, vec![LISTS, AROUND + KEYS + EXPOSURES]),
        // Without --yes they stop before they change anything.
        (&["delete", "test-vpn"], 2, vec![LISTS, AROUND + EXPOSURES]),
        (&["rotate-psk", "test-vpn"], 2, vec![LISTS, AROUND]),
        (&["rotate-psk", "--all-public-keys", "--yes"], 0, vec![LISTS, AROUND + KEYS]),
        // The router of one half has other subnets, which the new ranges must not overlap.
        (&["set-subnets", "test-vpn", "A=db-subnet"], 2, vec![LISTS, AROUND, 1]),
        (&["admit", "test-vpn"], 2, vec![LISTS, AROUND + EXPOSURES]),
    ] {
        asks(&scene, args, code, &waves).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_routers_are_listed_only_where_a_peer_outside_may_be_one_of_them() {
    let scene = Scene::with_vpn().await;
    let b = scene.cloud.collection(B, "ipsec-site-connections").remove(0);
    let peer = b["peer_address"].clone();
    for kind in ["ipsec-site-connections", "endpoint-groups", "ipsecpolicies", "ikepolicies", "vpnservices"] {
        for object in scene.cloud.collection(B, kind) {
            scene.cloud.uproot(B, kind, object["id"].as_str().unwrap());
        }
    }
    let a = scene.cloud.collection(A, "ipsec-site-connections").remove(0);
    let id = a["id"].as_str().unwrap();
    assert!(scene.cloud.alter(A, "ipsec-site-connections", id, json!({"description": ""})));
    let listed = scene.json(&["list"]).await.1;
    let missing = listed["vpns"][0]["missing"].to_string();
    assert!(missing.contains("is the router border-router of this project"), "{listed:#}");

    assert!(scene.cloud.alter(A, "ipsec-site-connections", id, json!({"peer_address": "198.18.0.50"})));
    let around = 4 + 1;
    asks(&scene, &["list"], 0, &[LISTS, around, REGIONS.len(), REGIONS.len()]).await;
    assert_eq!(scene.json(&["list"]).await.1["vpns"][0]["shape"], "outside", "{peer} is not at the other end any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_vpns_the_vpn_lists_are_all_that_is_read() {
    asks(&Scene::new().await, &["list"], 0, &[LISTS, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_that_does_not_answer_to_the_name_is_read_in_a_third_round_trip() {
    let scene = Scene::with_foreign_vpn().await;
    let b = scene.cloud.collection(B, "ipsec-site-connections").remove(0);
    let renamed = json!({"name": "por-to-hlz", "description": ""});
    assert!(scene.cloud.alter(B, "ipsec-site-connections", b["id"].as_str().unwrap(), renamed));
    let of_one = |both: usize| both / 2;
    asks(&scene, &["status", "hlz-por"], 0, &[LISTS, AROUND + of_one(KEYS), of_one(KEYS)]).await;
}
