//! `osvpn repair`.

use super::*;

/// A half's objects but for their ids.
fn shapes(scene: &Scene, region: &str) -> BTreeSet<String> {
    let kinds = ["ipsec-site-connections", "endpoint-groups", "ipsecpolicies", "ikepolicies", "vpnservices"];
    let shape = |kind: &str, mut object: serde_json::Map<String, Value>| {
        for id in
            ["id", "status", "vpnservice_id", "ikepolicy_id", "ipsecpolicy_id", "local_ep_group_id", "peer_ep_group_id"]
        {
            object.remove(id);
        }
        // A step is known again by the word that ends its description.
        let description = object["description"].as_str().unwrap().split(" osvpn-change:").next().unwrap().to_owned();
        let description = if description.starts_with("osvpn-change:") { String::new() } else { description };
        object.insert("description".into(), description.into());
        format!("{kind} {}", Value::Object(object))
    };
    kinds
        .into_iter()
        .flat_map(|kind| scene.cloud.collection(region, kind).into_iter().map(move |one| shape(kind, one)))
        .collect()
}

fn uproot(scene: &Scene, region: &str, kind: &str) {
    for object in scene.cloud.collection(region, kind) {
        scene.cloud.uproot(region, kind, object["id"].as_str().unwrap());
    }
}

async fn repaired(scene: &Scene, vpn: &str) -> Ran {
    let ran = scene.run(&["repair", vpn, "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(scene.journals().is_empty());
    let (_, listed) = scene.json(&["list"]).await;
    assert_eq!((&listed["vpns"][0]["shape"], &listed["strays"]), (&json!("pair"), &json!([])), "{listed:#}");
    let keys = scene.keys();
    assert!(keys[0] == keys[1] && !ran.out.contains(&keys[0]) && !ran.err.contains(&keys[0]), "{}", ran.err);
    assert_eq!(scene.run(&["status", vpn]).await.code, 0);
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_that_is_gone_is_made_as_it_was_from_whatever_is_left_of_it() {
    let all = ["ipsec-site-connections", "vpnservices", "ikepolicies", "ipsecpolicies", "endpoint-groups"];
    for foreign in [false, true] {
        for (gone, region) in [(1, B), (2, A), (4, B), (5, B)] {
            let scene = if foreign { Scene::with_foreign_vpn().await } else { Scene::with_vpn().await };
            let vpn = if foreign { "hlz-por" } else { "test-vpn" };
            let before = shapes(&scene, region);
            let ids: BTreeSet<String> = all[gone..].iter().flat_map(|kind| scene.ids(kind)).collect();
            all[..gone].iter().for_each(|kind| uproot(&scene, region, kind));
            let left = if region == A { B } else { A };
            // Its agent has to notice first.
            while scene.cloud.collection(left, "ipsec-site-connections").iter().any(|one| one["status"] == "ACTIVE") {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            let ran = scene.run(&["doctor", vpn]).await;
            assert!(ran.code == 3 && ran.out.contains("osvpn repair "), "{}{}", ran.out, ran.err);
            let there = scene.objects();
            let (code, told) = scene.json(&["repair", vpn, "--dry-run"]).await;
            assert_eq!((code, scene.objects()), (0, there), "{told:#}");
            assert!(told["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{told:#}");
            repaired(&scene, vpn).await;
            assert_eq!(shapes(&scene, region), before, "{vpn}, {gone} kinds in {region}");
            let now: BTreeSet<String> = all[gone..].iter().flat_map(|kind| scene.ids(kind)).collect();
            assert_eq!(now, ids, "what was left is used again: {vpn}, {gone} kinds in {region}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_half_that_is_left_is_pointed_to_where_the_router_is_now() {
    let scene = Scene::with_vpn().await;
    for kind in ["ipsec-site-connections", "vpnservices"] {
        uproot(&scene, B, kind);
    }
    let router = scene.cloud.collection(B, "routers").into_iter().find(|one| one["name"] == "border-router").unwrap();
    let mut gateway = router["external_gateway_info"].clone();
    gateway["external_fixed_ips"][0]["ip_address"] = json!("150.242.40.99");
    scene.cloud.alter(B, "routers", router["id"].as_str().unwrap(), json!({"external_gateway_info": gateway}));
    let ran = repaired(&scene, "test-vpn").await;
    assert!(ran.says("from then on at 150.242.40.99"), "{}", ran.err);
    let a = &scene.cloud.collection(A, "ipsec-site-connections")[0];
    assert_eq!((&a["peer_address"], &a["peer_id"]), (&json!("150.242.40.99"), &json!("150.242.40.99")));
    unchanged(&scene, &["repair", "test-vpn", "--yes"], "Both halves of test-vpn exist").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused_with_what_is_missing() {
    let scene = Scene::with_vpn().await;
    uproot(&scene, B, "ipsec-site-connections");
    let router = scene.cloud.collection(B, "routers").into_iter().find(|one| one["name"] == "border-router").unwrap();
    let ports = scene.cloud.collection(B, "ports").into_iter();
    for port in
        ports.filter(|port| port["device_id"] == router["id"] && port["device_owner"] == "network:router_interface")
    {
        scene.cloud.uproot(B, "ports", port["id"].as_str().unwrap());
    }
    let before = scene.objects();
    let ran = scene.run(&["repair", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("border-router in nz-por-1 stands on no subnet with that"), "{}", ran.err);
    assert_eq!(scene.objects(), before);
    let scene = Scene::new().await;
    let mut command = scene.osvpn(&["apply", command::single(scene.home.path()), "--wait", "0"]);
    command.env("OSVPN_PSK", KEY);
    assert_eq!(run(command).await.code, 3);
    let ran = scene.run(&["repair", "test-vpn", "--yes"]).await;
    assert!(ran.code == 4 && ran.err.contains("is no router of this project"), "{}{}", ran.out, ran.err);
}
