//! `osvpn peer`.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_printed_or_written_for_its_owner_alone_and_has_the_key_only_when_asked() {
    let scene = Scene::with_vpn().await;
    let key = &scene.keys()[0];
    let ran = scene.run(&["peer", "test-vpn"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("Pre-shared key        REPLACE-WITH-THE-KEY") && !ran.out.contains(key), "{}", ran.out);
    assert!(ran.err.contains("The other: --half B"), "{}", ran.err);
    let file = scene.home.path().join("office.conf");
    let path = file.to_str().unwrap();
    let ran = scene.run(&["peer", "test-vpn", "--for", "swanctl", "--with-key", "-o", path]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("only you can read it. It holds the pre-shared key.") && !ran.out.contains(key),
        "{}",
        ran.out
    );
    assert!(std::fs::read_to_string(&file).unwrap().contains(&format!("secret = \"{key}\"")));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = scene.run(&["peer", "test-vpn", "--half", "b", "-o", path]).await;
    assert!(ran.code == 2 && ran.err.contains("exists"), "never overwritten: {} {}", ran.code, ran.err);
    let (code, told) = scene.json(&["peer", "test-vpn", "--half", "B", "--for", "vyos"]).await;
    assert_eq!((code, &told["half"], &told["region"], &told["format"]), (0, &json!("B"), &json!(B), &json!("vyos")));
    assert!(told["sheet"].as_str().unwrap().contains("set vpn ipsec interface") && !told.to_string().contains(key));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_with_the_command_that_helps() {
    let scene = Scene::with_vpn().await;
    let ran = scene.run(&["peer", "test-vpn", "--for", "google"]).await;
    assert_eq!(ran.code, 4, "{}", ran.out);
    assert!(ran.err.contains("IKEv1") && ran.err.contains("osvpn upgrade") && ran.out.is_empty(), "{}", ran.err);
    let ran = scene.run(&["peer", "test-vpn", "--for", "netscreen"]).await;
    assert!(ran.code == 2 && ran.err.contains("fortios"), "{}", ran.err);
}

const OFFICE: &str = r#"
version = 1
name = "office"
mode = "single"
[[half]]
region = "nz-hlz-1"
router = "office-router"
subnets = ["office-subnet"]
[peer]
address = "198.51.100.7"
cidrs = ["192.168.7.0/24"]
system = "fortios"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_system_of_a_plan_is_checked_kept_and_taken_by_the_sheet() {
    let scene = Scene::with_vpn().await;
    let plan = |name: &str, text: &str| std::fs::write(scene.home.path().join(name), text).unwrap();
    plan("office.toml", OFFICE);
    plan("google.toml", &OFFICE.replace("fortios", "google").replace("mode =", "profile = \"catalyst\"\nmode ="));
    plan("unknown.toml", &OFFICE.replace("fortios", "netscreen"));
    let key = scene.home.path().join("key");
    std::fs::write(&key, "Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1").unwrap();
    let apply = |name: &'static str| {
        let key = key.to_str().unwrap().to_owned();
        let scene = &scene;
        async move { scene.run(&["apply", name, "--psk-file", &key, "--wait", "0"]).await }
    };
    let ran = apply("google.toml").await;
    assert!(ran.code == 4 && ran.err.contains("IKEv1") && ran.err.contains("modern would do"), "{}", ran.err);
    let ran = apply("unknown.toml").await;
    assert!(ran.code == 2 && ran.err.contains("peer.system: netscreen") && ran.err.contains("fortios"), "{}", ran.err);
    let ran = apply("office.toml").await;
    assert!(ran.code == 3 && ran.out.contains("config vpn ipsec phase1-interface"), "{}\n{}", ran.out, ran.err);
    // Its colleague, on another machine, has no journal of it.
    let ran = scene.run(&["peer", "office"]).await;
    assert!(ran.code == 0 && ran.out.starts_with("# FortiGate (FortiOS)"), "{}\n{}", ran.out, ran.err);
    let ran = scene.run(&["peer", "office", "--for", "values"]).await;
    assert!(ran.out.contains("Connect to"), "{}", ran.out);
    assert!(scene.run(&["peer", "test-vpn"]).await.out.contains("Connect to"));
}
