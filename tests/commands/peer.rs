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
