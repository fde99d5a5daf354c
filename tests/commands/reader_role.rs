//! What a user is told whom Neutron shows no VPN objects: since 2025.2 that is whoever has the role reader alone.

use super::*;

const HIDDEN: &str = "VPN objects cannot be seen with the role reader alone";

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_told_that_vpns_are_hidden_and_never_that_there_is_none() {
    let scene = Scene::with_vpn().await;
    let before = scene.objects();
    for (code, args) in [
        (1, &["list"][..]),
        (1, &["status"]),
        (1, &["status", "test-vpn"]),
        (1, &["doctor"]),
        (1, &["doctor", "test-vpn"]),
        (4, &["delete", "test-vpn", "--yes"]),
        (4, &["delete", "--strays", "--yes"]),
        (4, &["rotate-psk", "test-vpn", "--yes"]),
        (4, &["rotate-psk", "--all-public-keys", "--yes"]),
        (4, &["set-subnets", "test-vpn", "A+=db-subnet", "--yes"]),
        (4, &["admit", "--yes"]),
        (4, &["apply", "plan.toml", "--dry-run"]),
        (4, &["resume", "test-vpn"]),
        (4, &["rollback", "test-vpn"]),
    ] {
        let mut command = scene.osvpn(args);
        command.env("OS_USERNAME", "demo-reader");
        let ran = run(command).await;
        let told = format!("{args:?}: {}{}", ran.out, ran.err);
        assert_eq!(ran.code, code, "{told}");
        assert!(told.contains(HIDDEN), "{told}");
        for wrong in ["no VPN", "none at all", "nothing that", "will be created"] {
            assert!(!told.contains(wrong), "{wrong:?}: {told}");
        }
    }
    assert_eq!(scene.objects(), before);
}
