//! `osvpn delete`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn delete_leaves_nothing_of_a_vpn_whoever_made_it() {
    for (scene, name) in [(Scene::with_vpn().await, "test-vpn"), (Scene::with_foreign_vpn().await, "hlz-por")] {
        let rules = scene.ids("security-group-rules");
        let ran = scene.run(&["delete", name, "--yes"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(scene.cloud.count(A) + scene.cloud.count(B), 0);
        assert_eq!(scene.ids("security-group-rules"), rules, "those of others stay");
        assert!(scene.journals().is_empty());
        let ran = scene.run(&["delete", name, "--yes"]).await;
        assert_eq!(ran.code, 2, "it is gone: {}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_of_a_legacy_vpn_leaves_nothing_either() {
    let scene = Scene::with_foreign_vpn().await;
    let legacy = broken_vpns::all().into_iter().find(|breakage| breakage.name == "legacy service").unwrap();
    let site = scene.site().await;
    site.suffer(&legacy).await;
    let (_, listed) = scene.json(&["list"]).await;
    let id = listed["vpns"][0]["id"].as_str().unwrap();
    let ran = scene.run(&["delete", id, "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let (_, listed) = scene.json(&["list"]).await;
    assert_eq!(listed["vpns"], json!([]));
    let ran = scene.run(&["delete", "--strays", "--yes"]).await;
    assert_eq!(ran.code, 0, "the policies of before: {}{}", ran.out, ran.err);
    assert_eq!(scene.cloud.count(A) + scene.cloud.count(B), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_vpn_uses_stays_and_is_named() {
    let scene = Scene::with_vpn().await;
    // A second VPN on the same service of Hamilton.
    let plan = half(A, "border-router", "private-subnet") + &half(B, "office-router", "office-subnet");
    let text = format!("version = 1\nname = \"second\"\nmode = \"site-to-site\"\n{plan}");
    std::fs::write(scene.home.path().join("second.toml"), text).unwrap();
    scene.apply("second.toml").await;
    let services = scene.cloud.collection(A, "vpnservices");
    assert_eq!(services.len(), 1);
    let ran = scene.run(&["delete", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.says("in nz-hlz-1 stays: second"), "{}", ran.err);
    assert_eq!(scene.cloud.collection(A, "vpnservices")[0]["id"], services[0]["id"]);
    let (_, listed) = scene.json(&["list"]).await;
    assert_eq!((&listed["vpns"][0]["name"], &listed["strays"]), (&json!("second"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_go_but_for_those_of_a_run_that_is_not_done() {
    let scene = Scene::with_vpn().await;
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(409)).method("POST").path("ipsec-site-connections"));
    let plan = half(A, "office-router", "office-subnet") + &half(B, "office-router", "office-subnet");
    let ran = scene.run(&["apply", write(scene.home.path(), "site-to-site", &plan)]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let unfinished = scene.objects();
    let site = scene.site().await;
    let stray =
        site.send(reqwest::Method::POST, A, "vpn/ikepolicies", Some(json!({"ikepolicy": {"name": "stray"}}))).await;
    let ran = scene.run(&["delete", "--strays", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("of an interrupted creation or change"), "{}", ran.err);
    assert_eq!(scene.objects(), unfinished, "{} is gone, and nothing else", stray["id"]);
    let ran = scene.run(&["delete", "--strays", "--yes"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("osvpn resume"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_an_interrupted_creation_goes_before_the_name_of_a_connection() {
    let scene = Scene::with_vpn().await;
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(409)).method("POST").path("ipsec-site-connections"));
    let plan = half(A, "office-router", "office-subnet") + &half(B, "office-router", "office-subnet");
    scene.run(&["apply", write(scene.home.path(), "site-to-site", &plan)]).await;
    let id = scene.journals()[0].file_stem().unwrap().to_str().unwrap().to_owned();
    let connection = scene.cloud.collection(A, "ipsec-site-connections")[0]["id"].as_str().unwrap().to_owned();
    assert!(scene.cloud.alter(A, "ipsec-site-connections", &connection, json!({ "name": id })));
    let before = scene.objects();
    let ran = scene.run(&["delete", &id, "--yes"]).await;
    assert!(ran.code == 4 && ran.err.contains("osvpn resume"), "{}{}{}", ran.code, ran.out, ran.err);
    assert_eq!(scene.objects(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_unused_nothing_is_deleted() {
    let scene = Scene::with_vpn().await;
    unchanged(&scene, &["delete", "--strays"], "no unused objects").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_could_not_read_the_rules_says_which_may_stay_and_ends_with_1() {
    let scene = Scene::with_vpn().await;
    let unreadable =
        || InjectedFault::new(FaultEffect::status(403)).region(B).method("GET").path("security-group-rules").always();
    scene.cloud.inject(unreadable());
    let (code, told) = scene.json(&["delete", "test-vpn", "--yes"]).await;
    assert_eq!((code, &told["outcome"]), (1, &json!("done")), "{told:#}");
    let caveat = &told["caveats"][0];
    let text = caveat["text"].as_str().unwrap();
    assert!(text.contains("nz-por-1 could not be read") && text.contains("allow 10.0.0.0/24"), "{text}");
    assert_eq!(caveat["command"], "openstack --os-region-name nz-por-1 security group rule list --ingress");
    assert_eq!(scene.cloud.count(A) + scene.cloud.count(B), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_asks_no_more_than_it_has_to() {
    let scene = Scene::with_vpn().await;
    scene.asked();
    scene.run(&["delete", "test-vpn", "--yes"]).await;
    let [sign_ins, reads, writes] = counted(&scene.asked());
    let both = "what instances allow is read for its rules, and of each half what it holds before and after";
    assert_eq!((sign_ins, reads, writes), (1, 5 * REGIONS.len() + 9 + 6 + 2 * 6, 12), "{both}");
}

/// Makes an IKE policy in Hamilton; its id.
async fn policy(scene: &Scene, name: &str, description: &str) -> String {
    let body = json!({"ikepolicy": {"name": name, "description": description}});
    let made = scene.site().await.send(reqwest::Method::POST, A, "vpn/ikepolicies", Some(body)).await;
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_be_creating_is_deleted_only_when_it_is_named() {
    let scene = Scene::new().await;
    let free = policy(&scene, "free", "").await;
    let colleagues = policy(&scene, "theirs_ike_policy", "osvpn:cafebabe:A").await;
    let changed = policy(&scene, "old_ike_policy", "mine osvpn-change:0badcafe:2").await;
    let copied = policy(&scene, "company", "osvpn:cafebabe:A").await;
    let mention = policy(&scene, "mention", "copied from osvpn:cafebabe:A").await;
    let listed = scene.run(&["list"]).await;
    assert!(listed.out.contains("osvpn delete --strays --of cafebabe"), "{}", listed.out);
    let ran = scene.run(&["delete", "--strays", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for part in ["--of cafebabe", "--of 0badcafe", "this machine does not know"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let left = scene.ids("ikepolicies");
    for (id, is_left) in [(&free, false), (&mention, false), (&colleagues, true), (&changed, true), (&copied, true)] {
        assert_eq!(left.contains(id), is_left, "{id}: {}", ran.err);
    }
    let ran = scene.run(&["delete", "--strays", "--of", "cafebabe", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(&format!("company ({copied})")), "named apart: {}", ran.err);
    let left = scene.ids("ikepolicies");
    assert!(!left.contains(&colleagues) && left.contains(&changed) && left.contains(&copied), "{}", ran.err);
    let ran = scene.run(&["delete", "--strays", "--of", &copied, "--of", "0badcafe", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(scene.cloud.collection(A, "ikepolicies").len(), 0);
    let ran = scene.run(&["delete", "--strays", "--of", "cafebabe", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("Unchanged"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_marker_never_makes_a_colleagues_connection_the_vpns_own() {
    let scene = Scene::with_vpn().await;
    let (_, listed) = scene.json(&["list"]).await;
    let id = listed["vpns"][0]["id"].as_str().unwrap();
    let real = scene.cloud.collection(A, "ipsec-site-connections")[0].clone();
    let site = scene.site().await;
    let mut body = json!({
        "name": "colleagues-production", "description": format!("osvpn:{id}:A"), "peer_address": "198.51.100.99",
        "peer_id": "198.51.100.99", "psk": "ColleagueKey0123456789", "initiator": "bi-directional", "mtu": 1500,
    });
    for key in ["vpnservice_id", "ikepolicy_id", "ipsecpolicy_id", "local_ep_group_id", "peer_ep_group_id"] {
        body[key] = real[key].clone();
    }
    let body = json!({ "ipsec_site_connection": body });
    let copy = site.send(reqwest::Method::POST, A, "vpn/ipsec-site-connections", Some(body)).await;
    let copy = copy["id"].as_str().unwrap();
    let untouched = || (scene.keys(), scene.ids("ipsec-site-connections"), scene.ids("security-group-rules"));
    let before = untouched();
    let subnets = format!("{A}=office-subnet");
    for refused in [
        &["rotate-psk", id, "--yes"][..],
        &["delete", id, "--yes"],
        &["delete", "test-vpn", "--yes"],
        &["set-subnets", id, &subnets, "--yes"],
        &["doctor", id, "--fix", "--yes"],
        &["doctor", id, "--modernise", "--yes"],
        &["admit", id, "--yes"],
    ] {
        let ran = scene.run(refused).await;
        assert!(matches!(ran.code, 4 | 5 | 1), "{refused:?}: {}{}", ran.out, ran.err);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains(copy) && said.contains(real["id"].as_str().unwrap()), "{refused:?}: {said}");
        assert_eq!(untouched(), before, "{refused:?}");
    }
    let status = scene.run(&["status", id]).await;
    assert_eq!(status.code, 1, "{}{}", status.out, status.err);
    assert!(status.out.contains("colleagues-production"), "{}", status.out);
    // By its own id each is what it says it is.
    let ran = scene.run(&["rotate-psk", real["id"].as_str().unwrap(), "--yes", "--wait", "0"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains(copy) && ran.err.contains("test-vpn_vpn_site_connection"), "{}", ran.err);
    let ran = scene.run(&["delete", copy, "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = scene.run(&["status", id]).await;
    assert_eq!(ran.code, 0, "the VPN is what it was: {}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_rules_that_osvpn_makes_go_with_a_vpn() {
    let scene = Scene::with_vpn().await;
    let (_, listed) = scene.json(&["list"]).await;
    let id = listed["vpns"][0]["id"].as_str().unwrap();
    let group = &scene.cloud.collection(A, "security-groups")[0]["id"];
    let rule = json!({"security_group_rule": {
        "security_group_id": group, "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 22,
        "port_range_max": 22, "remote_ip_prefix": "192.0.2.0/24", "description": format!("osvpn:{id}:A"),
    }});
    let made = scene.site().await.send(reqwest::Method::POST, A, "security-group-rules", Some(rule)).await;
    let rule = made["id"].as_str().unwrap();
    scene.run(&["admit", "test-vpn", "--yes"]).await;
    let ran = scene.run(&["delete", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(scene.ids("security-group-rules").contains(rule), "{}", ran.err);
    let in_group = format!("in the security group default ({})", group.as_str().unwrap());
    for part in
        ["ingress tcp, port 22, from 192.0.2.0/24", "ingress any protocol, any port, from 10.20.30.0/24", &in_group]
    {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_stay_stays() {
    let scene = Scene::with_vpn().await;
    let (_, listed) = scene.json(&["list"]).await;
    let id = listed["vpns"][0]["id"].as_str().unwrap();
    let spare = policy(&scene, "spare", &format!("osvpn:{id}:A and more")).await;
    let body = json!({"endpoint_group": {
        "name": "my-own", "description": format!("osvpn:{id}:B"), "type": "cidr", "endpoints": ["10.77.0.0/24"],
    }});
    let group = scene.site().await.send(reqwest::Method::POST, A, "vpn/endpoint-groups", Some(body)).await;
    let ran = scene.run(&["delete", id, "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("It stays") && !ran.err.contains("nothing needs any more"), "{}", ran.err);
    assert_eq!(scene.ids("ikepolicies"), BTreeSet::from([spare]));
    assert_eq!(scene.ids("endpoint-groups"), BTreeSet::from([group["id"].as_str().unwrap().to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_id_chooses_nothing() {
    let scene = Scene::with_vpn().await;
    for nothing in ["", " "] {
        let ran = scene.run(&["delete", "--strays", "--of", nothing, "--yes"]).await;
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_on_one_half_of_another_vpn_never_deletes_that() {
    let scene = Scene::with_vpn().await;
    let (_, listed) = scene.json(&["list"]).await;
    let id = listed["vpns"][0]["id"].as_str().unwrap();
    scene.run(&["delete", id, "--yes"]).await;
    scene.site().await.connect().await;
    let half = scene.cloud.collection(A, "ipsec-site-connections")[0]["id"].as_str().unwrap().to_owned();
    let body = json!({"ipsec_site_connection": {"description": format!("osvpn:{id}:A")}});
    let path = format!("vpn/ipsec-site-connections/{half}");
    scene.site().await.send(reqwest::Method::PUT, A, &path, Some(body)).await;
    let before = scene.objects();
    let ran = scene.run(&["delete", id, "--yes"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("not on its other half") && ran.err.contains(&half), "{}", ran.err);
    assert_eq!(scene.objects(), before);
    let ran = scene.run(&["delete", &half, "--yes"]).await;
    assert_eq!(ran.code, 0, "by its own id it is what it says it is: {}{}", ran.out, ran.err);
}
