//! `osvpn rotate-psk`.

use super::*;

/// Everything the program has written into its home.
fn written(scene: &Scene) -> String {
    let mut text = String::new();
    for path in std::fs::read_dir(scene.state()).into_iter().flatten().map(|entry| entry.unwrap().path()) {
        text += &String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default());
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_on_both_halves_and_nowhere_else() {
    let scene = Scene::with_vpn().await;
    let before = scene.keys();
    scene.asked();
    let ran = scene.run(&["rotate-psk", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let keys = scene.keys();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], before[0]);
    let writes = scene.asked().iter().filter(|request| request.method == "PUT").count();
    assert_eq!(writes, 2);
    assert!(ran.err.contains("keeps the old key until it is renegotiated"), "{}", ran.err);
    let told = ran.out + &ran.err + &written(&scene);
    assert!(keys.iter().chain(&before).all(|key| !told.contains(key)), "a key is told");
    assert!(scene.journals().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn renew_ends_what_runs_with_the_old_key() {
    let scene = Scene::with_vpn().await;
    scene.asked();
    let ran = scene.run(&["rotate-psk", "test-vpn", "--yes", "--renew"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let switched = scene.asked();
    let switched = switched.iter().filter(|request| request.method == "PUT" && request.path.contains("/vpnservices/"));
    assert_eq!(switched.count(), 4, "each service off and on");
    assert!(ran.out.contains("ACTIVE, and both halves match."), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_key_is_taken_and_a_bad_one_refused_before_anything_is_done() {
    let scene = Scene::with_vpn().await;
    let file = scene.home.path().join("key");
    let path = file.to_str().unwrap();
    let before = scene.keys();
    std::fs::write(&file, "short\n").unwrap();
    let ran = scene.run(&["rotate-psk", "test-vpn", "--yes", "--psk-file", path]).await;
    assert_eq!((ran.code, scene.keys()), (2, before.clone()), "{}{}", ran.out, ran.err);
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let ran = scene.run(&["rotate-psk", "test-vpn", "--yes", "--psk-file", path]).await;
    assert_eq!((ran.code, scene.keys()), (0, vec![KEY.to_owned(), KEY.to_owned()]), "{}{}", ran.out, ran.err);
    assert!(!(ran.out + &ran.err + &written(&scene)).contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_is_put_back_when_the_second_half_refuses() {
    let scene = Scene::with_vpn().await;
    let before = scene.keys();
    let refusal = InjectedFault::new(FaultEffect::status(409)).method("PUT").path("/ipsec-site-connections/");
    scene.cloud.inject(refusal.nth(2));
    let ran = scene.run(&["rotate-psk", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(scene.keys(), before);
    assert!(scene.journals().is_empty(), "nothing is left to finish");
    assert_eq!(scene.run(&["status", "test-vpn"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vpn_with_the_public_key_gets_one_of_its_own() {
    let scene = Scene::new().await;
    scene.apply_office("office").await;
    let office = scene.keys();
    let site = scene.site().await;
    site.connect().await;
    let public = broken_vpns::all().into_iter().find(|breakage| breakage.name == "public key on both").unwrap();
    site.suffer(&public).await;
    let (code, told) = scene.json(&["rotate-psk", "--all-public-keys", "--yes"]).await;
    assert_eq!((code, told["changes"].as_array().map(Vec::len)), (0, Some(1)), "{told:#}");
    let keys = scene.keys();
    assert!(!keys.iter().any(|key| key == broken_vpns::PUBLIC_KEY));
    assert_eq!(keys.iter().filter(|key| office.contains(key)).count(), 2, "a key of one's own stays");
    let told =
        unchanged(&scene, &["rotate-psk", "--all-public-keys"], "No VPN of this project has the well-known key").await;
    assert_eq!(told["changes"], json!([]), "{told:#}");
}

/// Two VPNs between the same two routers, for different subnets: `test-vpn`, and `second`.
async fn two_between_the_same_ends() -> Scene {
    let scene = Scene::with_vpn().await;
    let halves = half(A, "border-router", "db-subnet") + &half(B, "border-router", "private-subnet");
    let text = format!("version = 1\nname = \"second\"\nmode = \"site-to-site\"\n{halves}");
    std::fs::write(scene.home.path().join("second.toml"), text).unwrap();
    scene.apply("second.toml").await;
    assert_eq!(key_of_all(&scene).len(), 1, "both have one key");
    scene
}

/// Every key there is.
fn key_of_all(scene: &Scene) -> BTreeSet<String> {
    let keys = scene.keys();
    assert_eq!(keys.len(), 4);
    keys.into_iter().collect()
}

/// The connections of a VPN: region and id.
fn connections_of(scene: &Scene, name: &str) -> Vec<(&'static str, String)> {
    let of = |region| {
        let all = scene.cloud.collection(region, "ipsec-site-connections");
        let found = all.into_iter().find(|one| one["name"] == format!("{name}_vpn_site_connection")).unwrap();
        (region, found["id"].as_str().unwrap().to_owned())
    };
    vec![of(A), of(B)]
}

fn give(scene: &Scene, name: &str, key: &str) {
    for (region, id) in connections_of(scene, name) {
        assert!(scene.cloud.alter(region, "ipsec-site-connections", &id, json!({"psk": key})));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vpns_between_the_same_two_ends_get_one_new_key_together() {
    let scene = two_between_the_same_ends().await;
    let before = key_of_all(&scene);
    let second = connections_of(&scene, "second");
    let asked = scene.run(&["rotate-psk", "test-vpn"]).await;
    assert_eq!((asked.code, key_of_all(&scene)), (2, before.clone()), "{}{}", asked.out, asked.err);
    let (code, told) = scene.json(&["rotate-psk", "test-vpn", "--yes"]).await;
    assert_eq!(code, 0, "{told:#}");
    for (region, id) in second {
        let name = format!("second_vpn_site_connection ({id}) in {region}");
        assert!(asked.says(&name) && told["notes"].to_string().contains(&name), "{}{told:#}", asked.err);
    }
    let after = key_of_all(&scene);
    assert!(after.len() == 1 && after != before, "one new key for all");
    assert!(scene.journals().is_empty());
    // Another key between the same two ends would keep one of them down for ever: the next new key ends that.
    give(&scene, "second", "Another0Key4711Another0Key4711");
    let ran = scene.run(&["rotate-psk", "second", "--yes", "--renew"]).await;
    assert_eq!((ran.code, key_of_all(&scene).len()), (0, 1), "{}{}", ran.out, ran.err);
    for name in ["test-vpn", "second"] {
        assert_eq!(scene.run(&["status", name]).await.code, 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_of_two_vpns_between_the_same_two_ends_is_replaced_once() {
    let scene = two_between_the_same_ends().await;
    for name in ["test-vpn", "second"] {
        give(&scene, name, broken_vpns::PUBLIC_KEY);
    }
    let (code, told) = scene.json(&["rotate-psk", "--all-public-keys", "--yes"]).await;
    assert_eq!((code, told["changes"].as_array().map(Vec::len)), (0, Some(1)), "{told:#}");
    let keys = key_of_all(&scene);
    assert!(keys.len() == 1 && !keys.contains(broken_vpns::PUBLIC_KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_new_key_separates_a_vpn_from_one_whose_other_half_is_missing() {
    let scene = two_between_the_same_ends().await;
    let [(a, id), (b, other)] = connections_of(&scene, "second").try_into().unwrap();
    scene.cloud.uproot(b, "ipsec-site-connections", &other);
    let (before, name) =
        (scene.objects(), format!("second_vpn_site_connection ({id}) in {a} of second goes between the same"));
    for args in [&["rotate-psk", "test-vpn", "--yes"][..], &["rotate-psk", "test-vpn", "--yes", "--renew"]] {
        let ran = scene.run(args).await;
        assert_eq!((ran.code, scene.objects()), (4, before.clone()), "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(&name), "{args:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_with_the_old_key_is_told_and_gets_the_new_one_later() {
    let scene = two_between_the_same_ends().await;
    let refusal = InjectedFault::new(FaultEffect::status(409)).method("PUT").path("/ipsec-site-connections/");
    scene.cloud.inject(refusal.nth(4));
    let ran = scene.run(&["rotate-psk", "test-vpn", "--yes"]).await;
    assert_eq!((ran.code, key_of_all(&scene).len()), (1, 2), "{}{}", ran.out, ran.err);
    let told = ran.out + &ran.err;
    assert!(told.contains("may still have the old key"), "{told}");
    let [journal] = scene.journals().try_into().unwrap();
    assert!(journal.extension().is_some_and(|end| end == "change"));
    let (_, listed) = scene.json(&["list"]).await;
    let vpn = listed["vpns"].as_array().unwrap().iter().find(|vpn| vpn["name"] == "test-vpn").unwrap();
    let ran = scene.run(&["resume", vpn["id"].as_str().unwrap()]).await;
    assert_eq!((ran.code, key_of_all(&scene).len()), (0, 1), "{}{}", ran.out, ran.err);
    assert!(scene.journals().is_empty());
}
