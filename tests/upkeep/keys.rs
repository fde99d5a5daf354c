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
    assert!(ran.err.contains("keeps the old key until it is negotiated anew"), "{}", ran.err);
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
    let refusal = Fault::new(Effect::status(409)).method("PUT").path("/ipsec-site-connections/");
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
    let public = broken::all().into_iter().find(|breakage| breakage.name == "public key on both").unwrap();
    site.suffer(&public).await;
    let (code, told) = scene.json(&["rotate-psk", "--all-public-keys", "--yes"]).await;
    assert_eq!((code, told["changes"].as_array().map(Vec::len)), (0, Some(1)), "{told:#}");
    let keys = scene.keys();
    assert!(!keys.iter().any(|key| key == broken::PUBLIC_KEY));
    assert_eq!(keys.iter().filter(|key| office.contains(key)).count(), 2, "a key of one's own stays");
    let told = unchanged(&scene, &["rotate-psk", "--all-public-keys"], "No VPN of this project has the key").await;
    assert_eq!(told["changes"], json!([]), "{told:#}");
}
