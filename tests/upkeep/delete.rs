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
    let legacy = broken::all().into_iter().find(|breakage| breakage.name == "legacy service").unwrap();
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
    assert!(ran.err.contains("in nz-hlz-1 stays: second"), "{}", ran.err);
    assert_eq!(scene.cloud.collection(A, "vpnservices")[0]["id"], services[0]["id"]);
    let (_, listed) = scene.json(&["list"]).await;
    assert_eq!((&listed["vpns"][0]["name"], &listed["strays"]), (&json!("second"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_go_but_for_those_of_a_run_that_is_not_done() {
    let scene = Scene::with_vpn().await;
    scene.cloud.inject(Fault::new(Effect::status(409)).method("POST").path("ipsec-site-connections"));
    let plan = half(A, "office-router", "office-subnet") + &half(B, "office-router", "office-subnet");
    let ran = scene.run(&["apply", write(scene.home.path(), "site-to-site", &plan)]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let unfinished = scene.objects();
    let site = scene.site().await;
    let stray =
        site.send(reqwest::Method::POST, A, "vpn/ikepolicies", Some(json!({"ikepolicy": {"name": "stray"}}))).await;
    let ran = scene.run(&["delete", "--strays", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("belong to a run that is not done yet"), "{}", ran.err);
    assert_eq!(scene.objects(), unfinished, "{} is gone, and nothing else", stray["id"]);
    let ran = scene.run(&["delete", "--strays", "--yes"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("osvpn resume"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_unused_nothing_is_deleted() {
    let scene = Scene::with_vpn().await;
    unchanged(&scene, &["delete", "--strays"], "no unused objects").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_could_not_read_the_rules_says_which_may_stay_and_ends_with_1() {
    let scene = Scene::with_vpn().await;
    let unreadable = || Fault::new(Effect::status(403)).region(B).method("GET").path("security-group-rules").always();
    scene.cloud.inject(unreadable());
    let (code, told) = scene.json(&["delete", "test-vpn", "--yes"]).await;
    assert_eq!((code, &told["outcome"]), (1, &json!("done")), "{told:#}");
    let caveat = &told["caveats"][0];
    let text = caveat["text"].as_str().unwrap();
    assert!(text.contains("nz-por-1 could not be read") && text.contains("admitting 10.0.0.0/24"), "{text}");
    assert_eq!(caveat["command"], "openstack --os-region-name nz-por-1 security group rule list --ingress");
    assert_eq!(scene.cloud.count(A) + scene.cloud.count(B), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_asks_no_more_than_it_has_to() {
    let scene = Scene::with_vpn().await;
    scene.asked();
    scene.run(&["delete", "test-vpn", "--yes"]).await;
    let [sign_ins, reads, writes] = counted(&scene.asked());
    assert_eq!((sign_ins, reads, writes), (1, 9 * REGIONS.len() + 6, 12), "what instances admit is read for its rules");
}
