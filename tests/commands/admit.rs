//! `osvpn admit`.

use super::*;

async fn closed() -> Scene {
    let scene = Scene::with_vpn().await;
    let rules = broken_vpns::all().into_iter().find(|breakage| breakage.name == "missing security group rule").unwrap();
    scene.site().await.suffer(&rules).await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn admit_makes_the_missing_rules_and_delete_takes_them_away() {
    let scene = closed().await;
    let before = scene.ids("security-group-rules");
    let (code, told) = scene.json(&["doctor", "test-vpn"]).await;
    assert_eq!((code, &told["vpns"][0]["findings"][0]["subject"]), (0, &json!("security-groups")), "{told:#}");
    let command = told["vpns"][0]["findings"][0]["commands"][1].as_str().unwrap();
    assert!(
        command.contains("security group rule create --ingress") && command.contains("--remote-ip 10.20.30.0/24"),
        "{command}"
    );
    let ran = scene.run(&["admit", "test-vpn"]).await;
    assert_eq!((ran.code, scene.ids("security-group-rules") == before), (2, true), "{}{}", ran.out, ran.err);
    let ran = scene.run(&["admit", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for (region, remote, rules) in [(A, "10.20.30.0/24", 1), (B, "10.0.0.0/24", 1)] {
        let all = scene.cloud.collection(region, "security-group-rules");
        let made: Vec<_> = all.iter().filter(|rule| !before.contains(rule["id"].as_str().unwrap())).collect();
        assert_eq!(made.len(), rules, "one for each group that lacks it: {made:?}");
        for rule in made {
            assert_eq!((&rule["remote_ip_prefix"], &rule["direction"]), (&json!(remote), &json!("ingress")));
            assert!(rule["description"].as_str().unwrap().starts_with("osvpn:"), "{rule:?}");
        }
    }
    unchanged(&scene, &["admit", "test-vpn"], "allows traffic from").await;
    let ran = scene.run(&["delete", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(scene.ids("security-group-rules"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_somebody_makes_meanwhile_is_as_good() {
    let scene = closed().await;
    let exists =
        osvpn::simulator::Scripted::neutron(409, "SecurityGroupRuleExists", "Security group rule already exists.");
    scene.cloud.inject(InjectedFault::new(FaultEffect::Answer(exists)).method("POST").path("security-group-rules"));
    let ran = scene.run(&["admit", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("existed already"), "{}", ran.err);
}
