//! `osvpn list` and `osvpn status`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn list_tells_pairs_halves_peers_outside_and_strays() {
    let scene = Scene::with_vpn().await;
    let ran = scene.run(&["list"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let line = ran.out.lines().nth(1).unwrap();
    for part in ["test-vpn", "ACTIVE", "nz-hlz-1 10.0.0.0/24  <->  nz-por-1 10.20.30.0/24"] {
        assert!(line.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    assert!(!ran.out.contains("No connection uses"), "{}", ran.out);
    let site = scene.site().await;
    let b = site.connection(B).await;
    site.send(reqwest::Method::DELETE, B, &format!("vpn/ipsec-site-connections/{}", b["id"].as_str().unwrap()), None)
        .await;
    let (code, listed) = scene.json(&["list"]).await;
    assert_eq!((code, &listed["vpns"][0]["shape"]), (0, &json!("half")));
    assert_eq!(listed["strays"].as_array().unwrap().len(), 5, "what the missing connection used");
    assert!(!listed.to_string().contains(&scene.keys()[0]));
    let ran = scene.run(&["list"]).await;
    assert!(ran.out.contains("its other half is missing") && ran.out.contains("osvpn delete --strays"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn list_of_a_project_without_vpns_says_so() {
    let ran = Scene::new().await.run(&["list"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "There is no VPN in this project.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_cannot_be_read_is_named_and_nothing_is_done_to_half_a_vpn() {
    let scene = Scene::with_vpn().await;
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).region(B).method("GET").always());
    let ran = scene.run(&["list"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("nz-por-1 could not be read") && ran.out.contains("test-vpn"), "{}{}", ran.out, ran.err);
    let before = scene.objects();
    for args in [
        &["delete", "test-vpn", "--yes"][..],
        &["rotate-psk", "test-vpn", "--yes"],
        &["set-subnets", "test-vpn", "A+=db-subnet", "--yes"],
    ] {
        let ran = scene.run(args).await;
        assert_eq!(ran.code, 4, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("may be in nz-por-1"), "{args:?}: {}", ran.err);
        assert_eq!(scene.objects(), before, "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_a_proof_with_an_exit_code_for_monitoring() {
    let scene = Scene::with_foreign_vpn().await;
    let ran = scene.run(&["status"]).await;
    assert!(ran.out.contains("Security groups are not looked at here"), "{}", ran.out);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for part in [
        "ACTIVE in nz-hlz-1, ACTIVE in nz-por-1",
        "ok       pre-shared keys are equal",
        "ACTIVE, and both halves match.",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    let site = scene.site().await;
    let narrowed = broken_vpns::all().into_iter().find(|breakage| breakage.name == "narrowed CIDR").unwrap();
    site.suffer(&narrowed).await;
    let (code, told) = scene.json(&["status", "hlz-por"]).await;
    assert_eq!((code, &told["condition"], &told["status"]), (5, &json!("mismatched"), &json!("ACTIVE")), "{told:#}");
    assert_eq!(told["findings"][0]["subject"], "ranges");
    // What instances admit is not what a monitor asks about.
    assert!(!told.to_string().contains("security-groups"));
    let down = broken_vpns::all().into_iter().find(|breakage| breakage.name == "connection admin down").unwrap();
    site.suffer(&down).await;
    let (code, told) = scene.json(&["status", "hlz-por"]).await;
    assert_eq!((code, &told["condition"]), (3, &json!("not-active")));
    for key in ["name", "id", "ours", "shape", "sides", "checks", "findings", "unseen", "try_it", "sign_in_warnings"] {
        assert!(told.get(key).is_some(), "{key} is missing from {told:#}");
    }
    assert!(scene.keys().iter().all(|key| !told.to_string().contains(key)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_is_neither_well_nor_broken() {
    let scene = Scene::with_vpn().await;
    scene
        .cloud
        .inject(InjectedFault::new(FaultEffect::status(403)).method("GET").path("/ipsec-site-connections/").always());
    let (code, told) = scene.json(&["status", "test-vpn"]).await;
    assert_eq!((code, &told["condition"]), (1, &json!("unclear")), "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_cloud_is_asked_five_times_and_every_pause_is_told() {
    let scene = Scene::with_vpn().await;
    let busy = |times| {
        InjectedFault::new(FaultEffect::too_many_requests(0)).region(B).method("GET").path("/vpnservices").times(times)
    };
    scene.cloud.inject(busy(4));
    let ran = scene.run(&["list"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for attempt in 2..=5 {
        assert!(ran.err.contains(&format!("({attempt} of 5)")), "{}", ran.err);
    }
    assert!(ran.err.contains("nz-por-1: 429 from the cloud; retrying in 0."), "{}", ran.err);
    scene.cloud.inject(busy(5));
    let ran = scene.run(&["list"]).await;
    assert!(ran.code == 1 && ran.err.contains("nz-por-1 could not be read"), "{}", ran.err);
}
