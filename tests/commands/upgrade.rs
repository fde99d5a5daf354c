//! `osvpn upgrade`.

use super::*;

/// A VPN as `create-vpn.sh` makes it between the border routers, whose key everybody knows.
async fn of_the_script() -> Scene {
    of_the_script_in(SimulatorSettings::default()).await
}

async fn of_the_script_in(settings: SimulatorSettings) -> Scene {
    let scene = Scene::of(settings).await;
    scene.site().await.connect().await;
    let legacy = broken_vpns::all().into_iter().find(|breakage| breakage.name == "legacy service").unwrap();
    scene.site().await.suffer(&legacy).await;
    // What the one before has left.
    assert_eq!(scene.run(&["delete", "--strays", "--yes"]).await.code, 0);
    scene
}

fn all(scene: &Scene, kind: &str) -> Vec<serde_json::Map<String, Value>> {
    REGIONS.into_iter().flat_map(|region| scene.cloud.collection(region, kind)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpn_of_the_script_has_everything_of_today_s_and_nothing_of_its_own_is_left() {
    let scene = of_the_script().await;
    assert_eq!(scene.run(&["admit", "vpn_site_connection", "--yes"]).await.code, 0);
    let before = scene.objects();
    let ran = scene.run(&["upgrade", "vpn_site_connection", "--dry-run"]).await;
    assert_eq!((ran.code, scene.objects() == before), (0, true), "{}{}", ran.out, ran.err);
    for part in ["create the VPN service", "switch the VPN service", "is down for about", "can be rolled back until"] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    let (_, planned) = scene.json(&["upgrade", "vpn_site_connection", "--dry-run"]).await;
    assert_eq!(planned["outcome"], "dry-run");

    let ran = scene.run(&["upgrade", "vpn_site_connection", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("both halves match"), "{}", ran.out);
    assert!(scene.journals().is_empty());
    let keys = scene.keys();
    assert!(keys[0] == keys[1] && keys[0] != broken_vpns::PUBLIC_KEY && !ran.out.contains(&keys[0]));
    for (kind, count, name) in [
        ("vpnservices", 2, "vpn_service"),
        ("ikepolicies", 2, "ike_policy"),
        ("ipsecpolicies", 2, "ipsec_policy"),
        ("endpoint-groups", 4, "_endpoint_group"),
        ("ipsec-site-connections", 2, "vpn_site_connection"),
    ] {
        let there = all(&scene, kind);
        let is_ours = |object: &serde_json::Map<String, Value>| {
            let is = object["name"].as_str().unwrap();
            (is == name || is.strip_suffix(name).is_some_and(|which| ["local", "peer"].contains(&which)))
                && object["description"].as_str().unwrap().starts_with("osvpn:")
        };
        assert!(there.len() == count && there.iter().all(is_ours), "{there:#?}");
    }
    assert!(all(&scene, "vpnservices").iter().all(|service| service["subnet_id"].is_null()));
    assert!(
        all(&scene, "ikepolicies").iter().all(|one| one["ike_version"] == "v2" && one["auth_algorithm"] == "sha256")
    );
    unchanged(&scene, &["upgrade", "vpn_site_connection"], "is up to date").await;

    // It is a VPN as any other, and the rules that were made for the old one go with it.
    assert_eq!(scene.run(&["set-subnets", "vpn_site_connection", "A+=db-subnet", "--yes"]).await.code, 0);
    assert_eq!(scene.run(&["delete", "vpn_site_connection", "--yes"]).await.code, 0);
    assert_eq!(scene.cloud.count(A) + scene.cloud.count(B), 0);
    let rules = all(&scene, "security-group-rules");
    assert!(
        !rules.iter().any(|rule| rule["description"].as_str().is_some_and(|said| said.contains("osvpn"))),
        "{rules:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn subnets_that_an_old_vpn_cannot_have_come_with_its_upgrade() {
    let scene = of_the_script().await;
    let ran = scene.run(&["set-subnets", "vpn_site_connection", "A+=db-subnet", "--yes"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("--upgrade") && ran.err.contains("osvpn upgrade"), "{}", ran.err);
    // No upgrade helps where the subnet is on another router.
    for upgrade in [&[][..], &["--upgrade"][..]] {
        let arguments = [&["set-subnets", "vpn_site_connection", "A+=office-subnet", "--yes"], upgrade].concat();
        let ran = scene.run(&arguments).await;
        assert!(ran.code == 4 && ran.says("is on office-router, and not on border-router"), "{}{}", ran.out, ran.err);
    }
    let ran = scene.run(&["set-subnets", "vpn_site_connection", "A+=db-subnet", "--upgrade", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let (_, listed) = scene.json(&["list"]).await;
    assert_eq!(listed["vpns"][0]["sides"][0]["local_cidrs"], json!(["10.0.0.0/24", "10.0.1.0/24"]), "{listed:#}");
    assert_eq!(listed["vpns"][0]["sides"][1]["remote_cidrs"], json!(["10.0.0.0/24", "10.0.1.0/24"]));
    assert_eq!(listed["strays"], json!([]));
}

/// Gives the legacy service of A a connection to an external peer, whose key and policies are its owner's too.
fn plant_office(scene: &Scene) -> String {
    let mut office = scene.cloud.collection(A, "ipsec-site-connections").remove(0);
    office.remove("id");
    let values = json!({ "name": "office", "psk": "OnlyTheOfficeKnowsThis0123", "peer_address": "203.0.113.250",
        "peer_id": "203.0.113.250", "peer_cidrs": ["192.168.9.0/24"] });
    office.extend(values.as_object().unwrap().clone());
    scene.cloud.plant(A, "ipsec-site-connections", Value::Object(office)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_is_on_a_legacy_service_moves_with_it_as_it_is_and_its_owner_is_told_before() {
    let scene = of_the_script().await;
    plant_office(&scene);
    let (_, planned) = scene.json(&["upgrade", "vpn_site_connection", "--dry-run"]).await;
    assert_eq!(planned["interrupts"], json!(["office"]), "{planned:#}");
    let ran = scene.run(&["upgrade", "vpn_site_connection", "--dry-run"]).await;
    let place = |part: &str| ran.out.find(part).unwrap_or_else(|| panic!("{part:?} is missing from\n{}", ran.out));
    let order =
        ["is down for about", "they share its routers: office", "IKE version v2", "new key", "Steps:", "create the"];
    assert!(order.map(place).is_sorted(), "what matters comes first: {}", ran.out);
    let ran = scene.run(&["upgrade", "vpn_site_connection"]).await;
    assert_eq!(ran.code, 2, "nobody has agreed: {}", ran.err);
    for part in ["office is on the same VPN service", "the owner of its peer (203.0.113.250) has nothing to change"] {
        assert!(ran.says(part), "{part:?} is missing from\n{}", ran.err);
    }
    let ran = scene.run(&["upgrade", "vpn_site_connection", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let connections = scene.cloud.collection(A, "ipsec-site-connections");
    let office = connections.iter().find(|one| one["name"] == "office").unwrap();
    assert_eq!(office["psk"], "OnlyTheOfficeKnowsThis0123");
    let policies = scene.cloud.collection(A, "ikepolicies");
    let policy = policies.iter().find(|policy| policy["id"] == office["ikepolicy_id"]).unwrap();
    assert_eq!(
        (&policy["ike_version"], &policy["name"]),
        (&json!("v1"), &json!("ike_policy")),
        "it is the office's still"
    );
    let groups = scene.cloud.collection(A, "endpoint-groups");
    let group = groups.iter().find(|group| group["id"] == office["peer_ep_group_id"]).unwrap();
    assert_eq!(group["endpoints"], json!(["192.168.9.0/24"]));

    // By itself it has nothing more that only this side can change.
    unchanged(&scene, &["upgrade", "office"], "203.0.113.250").await;
    let ran = scene.run(&["upgrade", "office", "--profile", "modern", "--yes", "--wait", "0"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.says("has to set at the same time: these policies"), "{}", ran.err);
    // What makes it weaker says so.
    let ran = scene.run(&["upgrade", "office", "--profile", "catalyst", "--dry-run"]).await;
    assert!(
        ran.out.contains("This makes the VPN weaker: IKE version v1, IKE authentication sha1"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_service_may_get_another_address_the_other_half_follows_it() {
    for ovn in [true, false] {
        let scene = of_the_script_in(SimulatorSettings { ovn, ..SimulatorSettings::default() }).await;
        if !ovn {
            let moved =
                broken_vpns::all().into_iter().find(|breakage| breakage.name == "stale gateway address").unwrap();
            scene.site().await.suffer(&moved).await;
        }
        let ran = scene.run(&["upgrade", "vpn_site_connection", "--yes"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.says("another address than the present one"), "{}", ran.err);
        let services = all(&scene, "vpnservices");
        let now: Vec<&Value> = services.iter().map(|service| &service["external_v4_ip"]).collect();
        assert!(ovn || now[0] == "203.0.113.90", "{now:?}");
        let connections = all(&scene, "ipsec-site-connections");
        let peers: Vec<&Value> = connections.iter().map(|one| &one["peer_address"]).collect();
        assert_eq!(peers, [now[1], now[0]], "{ovn}");
        assert!(connections.iter().all(|one| one["peer_id"] == one["peer_address"]), "{connections:#?}");
    }
}

/// Moves the office to a legacy service of its own, on a router of its own.
async fn plant_branch(scene: &Scene, office: &str) -> String {
    let router = scene.site().await.named(A, "routers", "office-router").await;
    let subnet = scene.site().await.named(A, "subnets", "office-subnet").await;
    let copy = |kind: &str, values: Value, of: &dyn Fn(&serde_json::Map<String, Value>) -> bool| {
        let mut object = scene.cloud.collection(A, kind).into_iter().find(of).unwrap();
        object.remove("id");
        object.extend(values.as_object().unwrap().clone());
        scene.cloud.plant(A, kind, Value::Object(object)).unwrap()
    };
    let address = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].clone();
    let service = json!({ "router_id": router["id"], "subnet_id": subnet["id"], "external_v4_ip": address });
    let service = copy("vpnservices", service, &|_| true);
    let branch = json!({ "name": "branch", "vpnservice_id": service, "peer_address": "203.0.113.251",
        "peer_id": "203.0.113.251", "peer_cidrs": ["192.168.10.0/24"] });
    copy("ipsec-site-connections", branch, &|one| one["id"] == office)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_are_behind_are_upgraded_in_turn_and_what_was_down_holds_up_nothing() {
    let scene = of_the_script().await;
    let office = plant_office(&scene);
    let ran = scene.run(&["upgrade", "--all"]).await;
    assert!(ran.code == 2 && ran.err.contains("--yes"), "nobody has agreed: {}", ran.err);
    // What is with an external peer on the same service moves with the other one: its own turn would interrupt both twice.
    let (code, planned) = scene.json(&["upgrade", "--all", "--dry-run"]).await;
    let names = planned["changes"].as_array().unwrap().iter().map(|change| change["name"].clone()).collect::<Vec<_>>();
    assert_eq!((code, names.as_slice()), (0, &[json!("vpn_site_connection")][..]), "{planned:#}");
    let ran = scene.run(&["upgrade", "--all", "--dry-run"]).await;
    let parts = ["2 VPNs are behind:", "  vpn_site_connection: legacy, IKEv1", "  office: legacy; moves with vpn_site"];
    for part in parts {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("; interrupts office") && !text.contains("create the"), "{}", ran.out);
    assert_eq!(ran.out.matches("can be rolled back until").count(), 1, "what holds for all is said once: {}", ran.out);
    assert!(ran.out.lines().all(|line| line.chars().count() < 80), "{}", ran.out);
    let ran = scene.run(&["upgrade", "--all", "--dry-run", "--verbose"]).await;
    assert!(ran.out.contains("2 VPNs are behind:") && ran.out.contains("create the VPN service"), "{}", ran.out);
    // Nobody answers at the branch, before and after.
    plant_branch(&scene, &office).await;
    let ran = scene.run(&["upgrade", "--all", "--yes"]).await;
    for part in ["Done: the upgrade of vpn_site_connection.", "Done: the upgrade of branch."] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}{}", ran.out, ran.err);
    }
    assert!(ran.says("not waiting for ACTIVE, because branch was not ACTIVE before"), "{}{}", ran.out, ran.err);
    unchanged(&scene, &["upgrade", "vpn_site_connection"], "is up to date").await;
    let ran = scene.run(&["upgrade", "--all"]).await;
    assert!(ran.code == 0 && ran.out.contains("No VPN of this project is behind"), "{}{}", ran.out, ran.err);

    // One that is behind, and cannot be upgraded, is named with the reason.
    let scene = of_the_script().await;
    let half = scene.cloud.collection(B, "ipsec-site-connections").remove(0);
    scene.cloud.uproot(B, "ipsec-site-connections", half["id"].as_str().unwrap());
    let ran = scene.run(&["upgrade", "--all"]).await;
    for part in ["Left as they are:", "vpn_site_connection: it lacks a half", "osvpn repair"] {
        assert!(ran.code == 0 && ran.out.contains(part), "{part:?} is missing from\n{}{}", ran.out, ran.err);
    }
    let (_, planned) = scene.json(&["upgrade", "--all", "--dry-run"]).await;
    assert_eq!((&planned["changes"], &planned["left"][0]["name"]), (&json!([]), &json!("vpn_site_connection")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_a_file_is_set_exactly_and_one_that_cannot_be_is_refused() {
    let scene = Scene::with_foreign_vpn().await;
    let before = scene.objects();
    let ran = scene.run(&["upgrade", "hlz-por", "--policy", "nothing.toml"]).await;
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    let file = scene.home.path().join("custom.toml");
    let custom = |version: &str, cipher: &str| {
        format!(
            "[policy]\ninitiator = \"bi-directional\"\nmtu = 1400\n\
             [policy.ike]\nike_version = \"{version}\"\nphase1_negotiation_mode = \"main\"\nauth_algorithm = \"sha512\"\n\
             encryption_algorithm = \"{cipher}\"\npfs = \"group14\"\nlifetime = 7200\n\
             [policy.ipsec]\ntransform_protocol = \"esp\"\nencapsulation_mode = \"tunnel\"\nauth_algorithm = \"sha256\"\n\
             encryption_algorithm = \"aes-256\"\npfs = \"group14\"\nlifetime = 3600\n\
             [policy.dpd]\naction = \"restart\"\ninterval = 20\ntimeout = 150\n"
        )
    };
    std::fs::write(&file, custom("v1", "aes-256-gcm-16")).unwrap();
    let ran = scene.run(&["upgrade", "hlz-por", "--policy", "custom.toml", "--yes"]).await;
    assert_eq!((ran.code, scene.objects() == before), (4, true), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("needs IKE version v2"), "{}", ran.err);
    std::fs::write(&file, custom("v2", "aes-256")).unwrap();
    let ran = scene.run(&["upgrade", "hlz-por", "--policy", "custom.toml", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let policies = all(&scene, "ikepolicies");
    assert!(policies.len() == 2 && policies.iter().all(|policy| policy["auth_algorithm"] == "sha512"), "{policies:#?}");
    assert_eq!(all(&scene, "vpnservices").len(), 2, "they are of the new kind already");
    let settings = || -> Vec<Value> {
        let connections = all(&scene, "ipsec-site-connections");
        connections.iter().map(|one| json!([one["mtu"], one["dpd"]["interval"]])).collect()
    };
    assert_eq!(settings(), [json!([1400, 20]), json!([1400, 20])], "the whole table is set");
    let ran = scene.run(&["upgrade", "hlz-por", "--profile", "modern", "--yes"]).await;
    assert_eq!((ran.code, settings()), (0, vec![json!([1400, 20]); 2]), "of a profile the policies alone: {}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upgrade_of_a_vpn_without_a_marker_is_found_by_what_it_has_become() {
    let scene = of_the_script().await;
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).method("DELETE").path("vpnservices"));
    let ran = scene.run(&["upgrade", "vpn_site_connection", "--yes"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("To continue:") && !ran.out.contains("To roll back"), "something is deleted: {}", ran.out);
    let ran = scene.run(&["rotate-psk", "vpn_site_connection", "--yes"]).await;
    assert!(ran.code != 0 && ran.err.contains("interrupted"), "{}{}", ran.out, ran.err);
    scene.cloud.clear_faults();
    let ran = scene.run(&["resume"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("both halves match"), "{}", ran.out);
    unchanged(&scene, &["upgrade", "vpn_site_connection"], "is up to date").await;
}

/// Old and new connections stand side by side in the middle of an upgrade. They are one VPN nevertheless, of which nothing is
/// missing, and nothing can be done with it but to finish the upgrade.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_an_upgrade_there_is_one_vpn_and_it_can_only_be_finished() {
    for is_reversible in [true, false] {
        let scene = of_the_script().await;
        let fault = InjectedFault::new(FaultEffect::status(403)).method("DELETE").path("ipsec-site-connections");
        scene.cloud.inject(if is_reversible { fault } else { fault.region(B) });
        let ran = scene.run(&["upgrade", "vpn_site_connection", "--yes"]).await;
        assert_eq!((ran.code, ran.out.contains("To roll back")), (1, is_reversible), "{}{}", ran.out, ran.err);
        let connections = all(&scene, "ipsec-site-connections");
        assert_eq!(connections.len(), if is_reversible { 4 } else { 3 });
        scene.cloud.clear_faults();
        let before = scene.objects();

        let (_, listed) = scene.json(&["list"]).await;
        assert_eq!(listed["vpns"].as_array().unwrap().len(), 1, "{listed:#}");
        assert_eq!((&listed["strays"], listed["vpns"][0]["sides"].as_array().unwrap().len()), (&json!([]), 2));
        let listed = scene.run(&["list"]).await;
        assert!(listed.out.contains("osvpn resume") && !listed.out.contains("osvpn repair"), "{}", listed.out);
        assert_ne!(scene.run(&["status", "vpn_site_connection"]).await.code, 2);
        for id in connections.iter().map(|connection| connection["id"].as_str().unwrap()) {
            for command in ["repair", "delete", "upgrade", "rotate-psk"] {
                let ran = scene.run(&[command, id, "--yes"]).await;
                assert!(ran.code == 4 && ran.err.contains("osvpn resume"), "{command}: {}{}", ran.out, ran.err);
            }
        }
        for args in [["upgrade", "--all", "--yes"], ["delete", "--strays", "--yes"]] {
            let ran = scene.run(&args).await;
            assert!(!ran.out.contains("repair") && !ran.err.contains("repair"), "{args:?}: {}{}", ran.out, ran.err);
        }
        assert_eq!(scene.objects(), before);

        let ran = scene.run(if is_reversible { &["rollback", "--yes"] } else { &["resume"] }).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(all(&scene, "ipsec-site-connections").len(), 2);
    }
}

/// Plants a VPN of the old kind that is called like the one there is, from another router of A to the same router of B, and
/// returns one of its connections.
async fn plant_namesake(scene: &Scene) -> String {
    let site = scene.site().await;
    let router = site.named(A, "routers", "office-router").await;
    let subnet = site.named(A, "subnets", "office-subnet").await;
    let address = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].clone();
    let copy = |region: &str, kind: &str, values: Value| {
        let mut object = scene.cloud.collection(region, kind).remove(0);
        object.remove("id");
        object.extend(values.as_object().unwrap().clone());
        scene.cloud.plant(region, kind, Value::Object(object)).unwrap()
    };
    let service = json!({ "description": "", "router_id": router["id"], "subnet_id": subnet["id"],
        "external_v4_ip": address });
    let service = copy(A, "vpnservices", service);
    let groups = scene.cloud.collection(B, "endpoint-groups");
    let local = groups.iter().find(|group| group["type"] == "subnet").unwrap()["id"].clone();
    let range = json!({ "id": null, "type": "cidr", "endpoints": [subnet["cidr"]], "description": "" });
    let mut group = groups[0].clone();
    group.extend(range.as_object().unwrap().clone());
    group.remove("id");
    let peer = scene.cloud.plant(B, "endpoint-groups", Value::Object(group)).unwrap();
    let local_range = site.named(B, "subnets", "private-subnet").await["cidr"].clone();
    copy(
        B,
        "ipsec-site-connections",
        json!({ "description": "", "peer_address": address, "peer_id": address,
        "local_ep_group_id": local, "peer_ep_group_id": peer, "psk": broken_vpns::PUBLIC_KEY }),
    );
    copy(
        A,
        "ipsec-site-connections",
        json!({ "description": "", "vpnservice_id": service, "local_ep_group_id": null,
        "peer_ep_group_id": null, "peer_cidrs": [local_range], "psk": broken_vpns::PUBLIC_KEY }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namesake_from_another_router_to_the_same_peer_is_no_twin() {
    let scene = of_the_script().await;
    assert_eq!(scene.run(&["upgrade", "vpn_site_connection", "--yes"]).await.code, 0);
    let first = scene.ids("ipsec-site-connections");
    let second = plant_namesake(&scene).await;
    let ran = scene.run(&["upgrade", &second, "--yes", "--wait", "0"]).await;
    assert!(ran.out.contains("Done: the upgrade of vpn_site_connection."), "{}{}", ran.out, ran.err);
    let now = all(&scene, "ipsec-site-connections");
    assert!(now.len() == 4 && first.is_subset(&scene.ids("ipsec-site-connections")), "{now:#?}");
    assert!(now.iter().all(|one| one["name"] == "vpn_site_connection" && one["psk"] != broken_vpns::PUBLIC_KEY));
    assert!(all(&scene, "vpnservices").iter().all(|service| service["subnet_id"].is_null()));
}
