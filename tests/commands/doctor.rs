//! `osvpn doctor`: what it says, and what it does.

use super::*;

/// Breaks the VPN of somebody else in that way.
async fn broken_by(name: &str) -> Scene {
    let scene = Scene::with_foreign_vpn().await;
    assert_eq!(scene.run(&["admit", "hlz-por", "--yes"]).await.code, 0);
    let breakage = broken_vpns::all().into_iter().find(|breakage| breakage.name == name).unwrap();
    scene.site().await.suffer(&breakage).await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_it_saw_what_it_means_and_the_one_fix() {
    let scene = broken_by("wrong key").await;
    let ran = scene.run(&["doctor", "hlz-por"]).await;
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    for part in [
        "Not ACTIVE.",
        "1. the two halves have different keys",
        "means  each refuses the other",
        "fix    a new key on both halves",
        "osvpn rotate-psk ",
        "Cannot be checked from here:",
        "UDP 500, UDP 4500 and ESP",
        "ping -c 3 10.20.30.",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    assert!(scene.keys().iter().all(|key| !(ran.out.clone() + &ran.err).contains(key)), "no key is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_mends_the_first_thing_it_can_and_proves_it() {
    let scene = broken_by("wrong key").await;
    let before = scene.objects();
    let ran = scene.run(&["doctor", "hlz-por", "--fix"]).await;
    assert_eq!((ran.code, scene.objects() == before), (2, true), "nobody agreed: {}{}", ran.out, ran.err);
    let ran = scene.run(&["doctor", "hlz-por", "--fix", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ACTIVE, and both halves match."), "{}", ran.out);
    assert!(scene.journals().is_empty());
    let before = scene.objects();
    let (code, told) = scene.json(&["doctor", "hlz-por", "--fix", "--yes"]).await;
    assert_eq!((code, &told["vpns"][0]["findings"]), (0, &json!([])), "there is nothing left to mend: {told:#}");
    assert_eq!(scene.objects(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_user_can_do_is_not_done() {
    let scene = broken_by("doubled service").await;
    let before = scene.objects();
    let ran = scene.run(&["doctor", "hlz-por", "--fix", "--yes"]).await;
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("by hand:"), "{}", ran.out);
    assert!(!ran.out.contains("osvpn delete"), "no command that deletes another VPN, which may run: {}", ran.out);
    assert!(ran.out.contains("another VPN, ") && ran.out.contains("deletes both its halves"), "{}", ran.out);
    assert_eq!(scene.objects(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_of_all_tells_each_and_ends_with_the_worst() {
    let scene = broken_by("wrong key").await;
    scene.apply_office("office").await;
    let (code, told) = scene.json(&["doctor"]).await;
    assert_eq!(code, 3);
    let told: Vec<(&str, &str)> = told["vpns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vpn| (vpn["name"].as_str().unwrap(), vpn["condition"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("hlz-por", "not-active"), ("office", "proven")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn modernise_gives_both_halves_the_modern_profile() {
    let scene = broken_by("second subnet of an IKEv1 VPN").await;
    let ran = scene.run(&["doctor", "hlz-por", "--modernise", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for region in [A, B] {
        let policies = scene.cloud.collection(region, "ikepolicies");
        let connection = &scene.cloud.collection(region, "ipsec-site-connections")[0];
        let used = policies.iter().find(|policy| policy["id"] == connection["ikepolicy_id"]).unwrap();
        assert_eq!((&used["ike_version"], &used["auth_algorithm"]), (&json!("v2"), &json!("sha256")));
    }
}

/// The policies that the halves' connections use, as `[A, B]`.
fn used(scene: &Scene, kind: &str) -> [Value; 2] {
    let by = if kind == "ikepolicies" { "ikepolicy_id" } else { "ipsecpolicy_id" };
    [A, B].map(|region| {
        let connection = &scene.cloud.collection(region, "ipsec-site-connections")[0];
        let all = scene.cloud.collection(region, kind);
        Value::Object(all.into_iter().find(|policy| policy["id"] == connection[by]).unwrap())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn where_policies_differ_both_halves_get_the_stronger_one_whichever_half_has_it() {
    let lifetime = |seconds: u32| json!({"units": "seconds", "value": seconds});
    let played = [
        (A, "ipsecpolicies", "encryption_algorithm", json!("aes-128"), json!("aes-256")),
        (B, "ipsecpolicies", "encryption_algorithm", json!("aes-128"), json!("aes-256")),
        (A, "ipsecpolicies", "transform_protocol", json!("ah"), json!("esp")),
        (B, "ipsecpolicies", "encapsulation_mode", json!("transport"), json!("tunnel")),
        (A, "ikepolicies", "pfs", json!("group5"), json!("group14")),
        (A, "ikepolicies", "lifetime", lifetime(60), lifetime(14400)),
    ]
    .map(|(weaker, kind, field, weak, strong)| async move {
        let scene = Scene::with_foreign_vpn().await;
        assert_eq!(scene.run(&["admit", "hlz-por", "--yes"]).await.code, 0);
        for policy in scene.cloud.collection(weaker, kind) {
            scene.cloud.alter(weaker, kind, policy["id"].as_str().unwrap(), json!({ field: weak }));
        }
        let before = scene.ids(kind);
        let ran = scene.run(&["doctor", "hlz-por", "--fix", "--yes"]).await;
        assert_eq!(ran.code, 0, "{weaker} {field}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(" as in nz-"), "{}", ran.err);
        let used = used(&scene, kind);
        assert_eq!([&used[0][field], &used[1][field]], [&strong, &strong], "{weaker} {field}");
        let kept = &used[usize::from(weaker == A)];
        assert!(before.contains(kept["id"].as_str().unwrap()), "the half that had it stays as it is");
    });
    futures::future::join_all(played).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_vpn_comes_up_only_its_statuses_are_asked_for() {
    let scene = Scene::with_vpn().await;
    scene.cloud.reconfigure(|settings| settings.negotiation = Duration::from_secs(3600));
    scene.asked();
    let ran = scene.run(&["rotate-psk", "test-vpn", "--renew", "--yes", "--wait", "5"]).await;
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let asked = scene.asked();
    let changed = asked.iter().rposition(|request| request.method == "PUT").unwrap();
    let (looks, rest): (Vec<&LoggedRequest>, Vec<&LoggedRequest>) =
        asked[changed..].iter().filter(|one| one.method == "GET").partition(|one| one.path.ends_with("?fields=status"));
    let of = |requests: &[&LoggedRequest], region: &str| {
        requests.iter().filter(|request| request.region.as_deref() == Some(region)).count()
    };
    // Everything of the two regions with the keys, once before and once after; connection and service in between.
    assert_eq!(REGIONS.map(|region| of(&rest, region)), [2 * (9 + 1), 2 * (9 + 1), 0], "{rest:?}");
    assert!(of(&looks, A) >= 2 && of(&looks, B) >= 2 && of(&looks, REGIONS[2]) == 0, "{looks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_known_cause_keeps_down_is_not_waited_for() {
    let scene = broken_by("wrong key").await;
    let down = broken_vpns::all().into_iter().find(|breakage| breakage.name == "connection admin down").unwrap();
    scene.site().await.suffer(&down).await;
    let mut waited = 0;
    for code in [3, 0] {
        // Longer than anybody would wait for this test.
        let ran = scene.run(&["doctor", "hlz-por", "--fix", "--yes", "--wait", "86400"]).await;
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        waited += usize::from(ran.err.contains("not waiting for ACTIVE, because hlz-por stays down as it is"));
    }
    assert_eq!(waited, 1, "after the first of two fixes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_without_a_name_is_of_the_only_vpn_there_is() {
    let scene = broken_by("wrong key").await;
    let ran = scene.run(&["doctor", "--fix", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    scene.apply_office("office").await;
    let before = scene.objects();
    for option in ["--fix", "--modernise"] {
        let ran = scene.run(&["doctor", option, "--yes"]).await;
        assert_eq!((ran.code, scene.objects() == before), (2, true), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("there are several VPNs") && ran.err.contains("office"), "{}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_nobody_uses_go_from_both_routers_and_the_tunnel_stays_up() {
    let scene = Scene::with_foreign_vpn().await;
    for region in [A, B] {
        let services = scene.cloud.collection(region, "vpnservices");
        let mut second = services[0].clone();
        second.remove("id");
        second.insert("name".to_owned(), json!("second"));
        scene.cloud.plant(region, "vpnservices", Value::Object(second));
    }
    scene.asked();
    let ran = scene.run(&["doctor", "hlz-por", "--fix", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ACTIVE, and both halves match."), "it is verified: {}", ran.out);
    let writes: Vec<String> =
        scene.asked().into_iter().map(|one| one.method).filter(|method| method != "GET").collect();
    assert_eq!(writes, ["POST", "DELETE", "DELETE"], "a sign-in, and no service is switched off");
    assert_eq!(scene.cloud.collection(A, "vpnservices").len() + scene.cloud.collection(B, "vpnservices").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_somebody_may_be_creating_is_not_deleted_by_a_fix_either() {
    let scene = Scene::with_foreign_vpn().await;
    let mut second = scene.cloud.collection(A, "vpnservices")[0].clone();
    second.remove("id");
    second.insert("name".to_owned(), json!("second"));
    second.insert("status".to_owned(), json!("PENDING_CREATE"));
    scene.cloud.plant(A, "vpnservices", Value::Object(second));
    let before = scene.ids("vpnservices");
    let ran = scene.run(&["doctor", "hlz-por", "--fix", "--yes"]).await;
    assert!(ran.out.contains("somebody may be creating it, so it stays"), "{}{}", ran.out, ran.err);
    assert_eq!(scene.ids("vpnservices"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_to_be_fixed_that_is_said_and_the_exit_code_is_how_the_vpn_stands() {
    let scene = broken_by("wrong key").await;
    let fix = ["doctor", "hlz-por", "--fix", "--yes"];
    assert_eq!(scene.run(&fix).await.code, 0);
    let before = scene.objects();
    let ran = scene.run(&fix).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Nothing to fix."), "{}", ran.out);
    let (code, told) = scene.json(&fix).await;
    assert_eq!((code, &told["outcome"], &told["exit_code"]), (0, &json!("unchanged"), &json!(0)), "{told:#}");
    assert_eq!(scene.objects(), before);
    let (_, told) = scene.json(&["doctor", "hlz-por"]).await;
    assert_eq!(told.get("outcome"), None, "nothing was to be fixed: {told:#}");
}
