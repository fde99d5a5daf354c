//! `osvpn set-subnets`.

use super::*;

fn tunnelled(listed: &Value) -> [Value; 4] {
    let sides = &listed["vpns"][0]["sides"];
    [0, 1].map(|n| [sides[n]["local_cidrs"].clone(), sides[n]["remote_cidrs"].clone()]).concat().try_into().unwrap()
}

const PRIVATE: &str = "10.0.0.0/24";
const DB: &str = "10.0.1.0/24";
const FAR: &str = "10.20.30.0/24";

#[tokio::test(flavor = "multi_thread")]
async fn subnets_are_set_added_and_taken_away_on_both_halves() {
    let scene = Scene::with_foreign_vpn().await;
    let groups = scene.ids("endpoint-groups").len();
    let db = {
        let all = scene.cloud.collection(A, "subnets");
        all.iter().find(|subnet| subnet["name"] == "db-subnet").unwrap()["id"].as_str().unwrap().to_owned()
    };
    for (words, local) in [
        ("nz-hlz-1+=db-subnet", json!([PRIVATE, DB])),
        ("A-=10.0.0.0/24", json!([DB])),
        ("nz-hlz-1=private-subnet", json!([PRIVATE])),
        (&format!("a=private-subnet,{db}"), json!([PRIVATE, DB])),
    ] {
        let ran = scene.run(&["set-subnets", "hlz-por", words, "--yes"]).await;
        assert_eq!(ran.code, 0, "{words}: {}{}", ran.out, ran.err);
        let (_, listed) = scene.json(&["list"]).await;
        assert_eq!(tunnelled(&listed), [local.clone(), json!([FAR]), json!([FAR]), local], "{words}");
        assert_eq!((scene.ids("endpoint-groups").len(), &listed["strays"]), (groups, &json!([])), "the old ones go");
        assert!(ran.out.contains("both halves match"), "{words}: {}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tunnelled_is_refused_with_every_reason_and_nothing_done() {
    let scene = Scene::with_foreign_vpn().await;
    let before = scene.objects();
    for (words, code, said) in [
        (&["db-subnet"][..], 2, vec!["write REGION=SUBNET"]),
        (&["nz-xyz-1=db-subnet"], 2, vec!["nz-xyz-1", "between nz-hlz-1 and nz-por-1"]),
        (&["peer=192.168.0.0/24"], 2, vec!["two halves"]),
        (
            &["A=nothing", "B=neither"],
            2,
            vec!["nz-hlz-1: nothing does not exist", "private-subnet", "nz-por-1: neither does not exist"],
        ),
        (&["A="], 4, vec!["nz-hlz-1: at least one subnet"]),
        (&["A-=private-subnet"], 4, vec!["at least one subnet"]),
        (&["A+=v6-subnet"], 4, vec!["of different IP versions"]),
        (&["A=office-subnet"], 4, vec!["nz-hlz-1: office-subnet", "is on office-router, and not on border-router"]),
    ] {
        let ran = scene.run(&[&["set-subnets", "hlz-por", "--yes"], words].concat()).await;
        assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
        assert!(said.iter().all(|part| ran.err.contains(part)), "{words:?}: {}", ran.err);
        assert_eq!(scene.objects(), before, "{words:?}");
    }
    assert!(scene.journals().is_empty());
    unchanged(&scene, &["set-subnets", "hlz-por", "A=private-subnet"], "tunnels already").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ikev1_takes_one_pair_only_until_it_is_modernised() {
    let scene = Scene::with_vpn().await;
    let before = scene.objects();
    let ran = scene.run(&["set-subnets", "test-vpn", "A+=db-subnet", "--yes"]).await;
    assert_eq!((ran.code, scene.objects() == before), (4, true), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("--upgrade"), "{}", ran.err);
    let ran = scene.run(&["doctor", "test-vpn", "--modernise", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = scene.run(&["set-subnets", "test-vpn", "A+=db-subnet", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ranges_of_a_peer_outside_are_set_as_ranges() {
    let scene = Scene::new().await;
    let mut command = scene.osvpn(&["apply", command::single(scene.home.path()), "--wait", "0"]);
    command.env("OSVPN_PSK", KEY);
    assert_eq!(run(command).await.code, 3);
    // As for somebody at another machine: the run that waits for the peer is kept at this one.
    std::fs::remove_dir_all(scene.state()).unwrap();
    let ran = scene.run(&["set-subnets", "test-vpn", "peer=192.168.8.0/24", "--yes", "--wait", "0"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for note in
        ["nz-hlz-1 with 10.0.0.0/24 and the external peer with 192.168.8.0/24", "The owner of the external peer"]
    {
        assert!(ran.says(note), "{note:?} is missing from\n{}", ran.err);
    }
    let (_, listed) = scene.json(&["list"]).await;
    assert_eq!(listed["vpns"][0]["sides"][0]["remote_cidrs"], json!(["192.168.8.0/24"]));
    for (words, said) in [("peer=nonsense", "peer: "), ("peer=", "peer"), ("peer=10.0.0.0/24", "on both sides")] {
        let ran = scene.run(&["set-subnets", "test-vpn", words, "--yes"]).await;
        assert!([2, 4].contains(&ran.code) && ran.err.contains(said), "{words}: {}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ikev1_cannot_carry_to_a_peer_outside_is_refused_with_what_can_be_done() {
    let scene = Scene::new().await;
    let plan = command::single(scene.home.path());
    let path = scene.home.path().join(plan);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("mode =", "profile = \"catalyst\"\nmode =")).unwrap();
    let mut command = scene.osvpn(&["apply", plan, "--wait", "0"]);
    command.env("OSVPN_PSK", KEY);
    let ran = run(command).await;
    let ran = scene.run(&["set-subnets", &ran.id(), "nz-hlz-1+=db-subnet", "--yes"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    for part in ["IKEv1", "owner of the peer", "osvpn upgrade", "--profile modern"] {
        assert!(ran.err.contains(part), "{part:?} is missing from\n{}", ran.err);
    }
    assert!(!ran.err.contains("--modernise"), "it is refused of such a VPN: {}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_connection_to_the_same_peer_carries_is_refused_as_it_is_when_made() {
    let scene = Scene::with_foreign_vpn().await;
    let plan = half(A, "border-router", "db-subnet") + &half(B, "border-router", "private-subnet");
    let text = format!("version = 1\nname = \"second\"\nmode = \"site-to-site\"\nprofile = \"modern\"\n{plan}");
    std::fs::write(scene.home.path().join("second.toml"), text).unwrap();
    scene.apply("second.toml").await;
    let before = scene.objects();
    for words in ["A+=db-subnet", "A=db-subnet"] {
        let ran = scene.run(&["set-subnets", "hlz-por", words, "--yes"]).await;
        assert_eq!((ran.code, scene.objects() == before), (4, true), "{words}: {}{}", ran.out, ran.err);
        let reason =
            "10.20.30.0/24 overlaps 10.20.30.0/24, which border-router tunnels already with connection second_";
        assert!(ran.err.contains(reason), "{words}: {}", ran.err);
    }
}
