//! `osvpn apply` of a plan whose VPN is there.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_vpn_is_there_exactly_so_has_nothing_to_do() {
    let scene = Scene::with_vpn().await;
    let before = scene.objects();
    for args in [&["apply", "plan.toml"][..], &["apply", "plan.toml", "--dry-run"]] {
        let ran = scene.run(args).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("Unchanged: test-vpn exists exactly as planned"), "{}", ran.out);
        let (_, told) = scene.json(args).await;
        assert_eq!((&told["outcome"], &told["name"]), (&json!("unchanged"), &json!("test-vpn")), "{told:#}");
        assert_eq!(told["health"]["condition"], "proven");
    }
    let mut command = scene.osvpn(&["apply", "plan.toml"]);
    command.env("OSVPN_PSK", &scene.keys()[0]);
    assert_eq!(run(command).await.code, 0, "the key is the same");
    // What is not exactly so is refused as ever.
    let mut command = scene.osvpn(&["apply", "plan.toml"]);
    command.env("OSVPN_PSK", KEY);
    assert_eq!(run(command).await.code, 4, "another key");
    let plan = std::fs::read_to_string(scene.home.path().join("plan.toml")).unwrap();
    for (was, is) in [("test-vpn", "other-vpn"), ("mode = ", "profile = \"modern\"\nmode = ")] {
        std::fs::write(scene.home.path().join("other.toml"), plan.replacen(was, is, 1)).unwrap();
        let ran = scene.run(&["apply", "other.toml"]).await;
        assert_eq!(ran.code, 4, "{is}: {}{}", ran.out, ran.err);
        let is_own = ran.err.contains("VPN test-vpn exists and differs from the plan");
        assert_eq!(
            is_own && ran.err.contains("osvpn upgrade test-vpn --profile modern"),
            was == "mode = ",
            "{}",
            ran.err
        );
    }
    std::fs::write(scene.home.path().join("other.toml"), plan.replace("nz-por-1", "nz-xyz-9")).unwrap();
    let ran = scene.run(&["apply", "other.toml"]).await;
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("half B, region: nz-xyz-9 is not a region") && said.contains("nz-hlz-1, nz-por-1"), "{said}");
    assert_eq!(scene.objects(), before);
    // The exit code tells how it stands.
    let down = broken_vpns::all().into_iter().find(|breakage| breakage.name == "connection admin down").unwrap();
    scene.site().await.suffer(&down).await;
    let (code, told) = scene.json(&["apply", "plan.toml"]).await;
    assert_eq!((code, &told["outcome"]), (3, &json!("unchanged")), "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_has_a_plan_with_a_peer_outside() {
    let scene = Scene::new().await;
    let apply = || {
        let mut command = scene.osvpn(&["apply", command::single(scene.home.path()), "--wait", "0", "--json"]);
        command.env("OSVPN_PSK", KEY);
        command
    };
    assert_eq!(run(apply()).await.code, 3);
    let before = scene.objects();
    let ran = run(apply()).await;
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &told["outcome"]), (3, &json!("unchanged")), "not ACTIVE still: {told:#}");
    assert_eq!(scene.objects(), before);
    // Changed since, it is not to be deleted, but to be changed back.
    let more = "osvpn set-subnets test-vpn peer+=192.168.8.0/24";
    scene.run(&[&more.split(' ').skip(1).collect::<Vec<_>>()[..], &["--yes", "--wait", "0"]].concat()).await;
    let ran = run(apply()).await;
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let problems = told["problems"].to_string();
    assert_eq!(ran.code, 4, "{told:#}");
    assert!(problems.contains("ranges of the peer: 192.168.7.0/24, 192.168.8.0/24; the plan has 192.168.7.0/24"));
    assert!(!problems.contains("delete"), "{problems}");
    let back = "osvpn set-subnets test-vpn peer=192.168.7.0/24";
    assert!(problems.contains(back), "{problems}");
    scene.run(&[&back.split(' ').skip(1).collect::<Vec<_>>()[..], &["--yes", "--wait", "0"]].concat()).await;
    let ran = run(apply()).await;
    assert!(ran.out.contains("unchanged"), "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_vpn_to_a_peer_outside_has_the_key_of_the_first_unless_another_is_given() {
    let scene = Scene::new().await;
    let first = command::single(scene.home.path());
    for args in [&["apply", first, "--dry-run"][..], &["apply", first, "--wait", "0"]] {
        let mut command = scene.osvpn(args);
        command.env("OSVPN_PSK", KEY);
        let ran = run(command).await;
        let (code, out) = (ran.code, ran.out);
        let is_dry = args.contains(&"--dry-run");
        assert_eq!((code, out.contains("osvpn:")), if is_dry { (0, false) } else { (3, true) }, "{out}");
        if !is_dry {
            assert!(out.contains("osvpn peer ") && out.contains("osvpn delete "), "{out}");
            assert!(out.lines().all(|line| !(line.contains("openstack") && line.contains(" delete "))), "{out}");
            assert!(!out.contains("it must have:"), "said once: {out}");
        }
    }
    let plan = std::fs::read_to_string(scene.home.path().join(first)).unwrap();
    let plan = plan.replace("test-vpn", "second").replace("private-subnet", "db-subnet");
    std::fs::write(scene.home.path().join("second.toml"), plan.replace("192.168.7.0", "192.168.8.0")).unwrap();
    let mut command = scene.osvpn(&["apply", "second.toml", "--wait", "0"]);
    command.env("OSVPN_PSK", KEY.replace("Kept", "Next"));
    let ran = run(command).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("Leave your key out"), "{}", ran.err);
    // The advice is followed.
    let ran = scene.run(&["apply", "second.toml", "--wait", "0"]).await;
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("that of connection test-vpn"), "{}", ran.out);
    assert_eq!(scene.keys(), [KEY, KEY]);
    assert!(!(ran.out + &ran.err).contains(KEY));
}
