//! `osvpn forecast`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_upgrade_takes_down_is_said_with_what_to_run_before() {
    let scene = Scene::with_vpn().await;
    let ran = scene.run(&["forecast"]).await;
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    for part in [
        "It goes down when nz-hlz-1 is upgraded to OpenStack 2026.2.",
        "test-vpn  is down between the upgrades of nz-hlz-1 and of nz-por-1: sha1",
        "osvpn upgrade ",
        "No order of upgrades is safe",
        "nz-por-1  up again: test-vpn",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() < 80), "{}", ran.out);
    let (_, told) = scene.json(&["forecast", "test-vpn"]).await;
    assert_eq!(told["regions"][0], json!({"region": A, "goes_down": ["test-vpn"]}));
    assert_eq!((&told["vpns"][0]["prediction"], &told["orders"][0][0]["region"]), (&json!("parted"), &json!(A)));
    assert_eq!(told["vpns"][0]["rewritten"].as_array().unwrap().len(), 4, "{told:#}");
    // With other policies nothing happens, in any order.
    assert_eq!(scene.run(&["doctor", "test-vpn", "--modernise", "--yes"]).await.code, 0);
    let ran = scene.run(&["forecast"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("No VPN goes down when nz-por-1") && ran.out.contains("Not affected: test-vpn"),
        "{}",
        ran.out
    );
    assert_eq!(scene.run(&["forecast", "tset-vpn"]).await.code, 2);
}
