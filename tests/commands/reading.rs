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
        ["ports", "routers", "subnets", "networks"].into_iter().any(is_whole) && !by_need
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

#[tokio::test(flavor = "multi_thread")]
async fn sixty_vpns_take_few_more_requests_than_one() {
    let scene = Scene::with_vpn().await;
    for number in 1..60 {
        for (region, other) in [(A, B), (B, A)] {
            twin(&scene.cloud, region, other, number);
        }
    }
    for (args, most) in [(&["list"][..], 32), (&["doctor"], 46), (&["rotate-psk", "--all-public-keys", "--yes"], 36)] {
        scene.asked();
        let ran = scene.run(args).await;
        let asked = scene.asked();
        let reads = counted(&asked)[1];
        println!("{args:?} of 60 VPNs: {reads} requests, exit code {}", ran.code);
        assert!(reads <= most, "{args:?}: {reads}\n{}", ran.err);
        let lists = asked.iter().filter(|request| request.path.contains("/security-group"));
        assert!(lists.count() <= 4, "groups and rules are read once a region");
    }
    let (_, listed) = scene.json(&["list"]).await;
    let vpns = listed["vpns"].as_array().unwrap();
    assert!(vpns.len() == 60 && vpns.iter().all(|vpn| vpn["shape"] == "pair"), "{listed:#}");
}

/// One more VPN like the first: in this region its half, with a router, a subnet and addresses of its own.
fn twin(cloud: &Simulator, region: &str, other: &str, number: usize) {
    let first = |kind: &str| cloud.collection(region, kind).remove(0);
    let address = |region: &str| format!("198.51.{}.{}", if region == A { 100 } else { 101 }, number);
    let range = |region: &str| format!("10.{}.{number}.0/24", if region == A { 130 } else { 131 });
    let put = |kind: &str, changes: Value| {
        let mut object = first(kind);
        object.remove("id");
        object.extend(changes.as_object().unwrap().clone());
        cloud.plant(region, kind, Value::Object(object)).unwrap()
    };
    let router = put("routers", json!({"name": format!("router-{number}")}));
    let gateway = format!("10.{}.{number}.1", if region == A { 130 } else { 131 });
    let subnet =
        put("subnets", json!({"name": format!("subnet-{number}"), "cidr": range(region), "gateway_ip": gateway}));
    let fixed = json!([{"subnet_id": subnet, "ip_address": gateway}]);
    let owner = "network:router_interface";
    put("ports", json!({"device_id": router, "device_owner": owner, "fixed_ips": fixed, "name": ""}));
    let name = format!("vpn-{number}_vpn_site_connection");
    let service =
        put("vpnservices", json!({"router_id": router, "external_v4_ip": address(region), "description": ""}));
    let local = put("endpoint-groups", json!({"type": "subnet", "endpoints": [subnet], "description": ""}));
    let peer = put("endpoint-groups", json!({"type": "cidr", "endpoints": [range(other)], "description": ""}));
    put(
        "ipsec-site-connections",
        json!({
            "name": name, "description": "", "vpnservice_id": service, "local_ep_group_id": local,
            "peer_ep_group_id": peer, "peer_address": address(other), "peer_id": address(other),
        }),
    );
}
