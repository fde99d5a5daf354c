//! `apply` reads what its plan names, however much else there is.

use osvpn::simulator::Seed;

use super::*;

async fn big() -> Scene {
    let seed = Seed::Scale { routers: 300, subnets: 1200 };
    Scene::of(SimulatorSettings { seed, page_limit: Some(100), ..SimulatorSettings::default() }).await
}

/// A plan between the routers of that number, by what names and subnets are called there.
fn plan(scene: &Scene, sides: [(&str, &str); 2]) -> &'static str {
    let halves = [A, B].into_iter().zip(sides).map(|(region, (router, subnet))| half(region, router, subnet));
    write(scene.home.path(), "site-to-site", &halves.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_with_names_and_one_with_ids_read_a_few_objects() {
    let scene = big().await;
    let one = |region: &str, kind: &str, name: &str| {
        let all = scene.cloud.collection(region, kind);
        all.into_iter().find(|object| object["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let names = [("router-00007", "subnet-00007"), ("router-00008", "subnet-00008")];
    let ids = [(A, names[0]), (B, names[1])]
        .map(|(region, (router, subnet))| (one(region, "routers", router), one(region, "subnets", subnet)));
    let ids = [0, 1].map(|half| (ids[half].0.as_str(), ids[half].1.as_str()));
    // What the subnets and routers are called tells their interfaces, and these tell the other subnets of the router.
    for (sides, waves) in [(names, &[14, 2, 2][..]), (ids, &[16, 2])] {
        scene.asked();
        for count in waves {
            scene.cloud.inject(InjectedFault::together(*count).method("GET").path("/v2.0/"));
        }
        let ran = scene.run(&["apply", plan(&scene, sides), "--dry-run"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let asked = scene.asked();
        let reads: Vec<_> = asked.iter().filter(|request| request.region.is_some()).collect();
        for request in &reads {
            let whole = ["/routers?", "/subnets?", "/ports?"].iter().any(|list| request.path.contains(list))
                && ["&name=", "&id=", "&device_id="].iter().all(|filter| !request.path.contains(filter));
            assert!(!whole && !request.path.contains("marker="), "{}", request.path);
        }
        assert_eq!(reads.len(), waves.iter().sum::<usize>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_or_is_not_clear_is_told_with_what_there_is() {
    let scene = big().await;
    let there = ("router-00008", "subnet-00008");
    let ran = scene.run(&["apply", plan(&scene, [("router-7", "subnet-00007"), there])]).await;
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("router-7 does not exist; there are: router-00000, router-00001,"), "{}", ran.err);
    let ran = scene.run(&["apply", plan(&scene, [("router-00007", "subnet-7"), there])]).await;
    assert!(ran.code == 4 && ran.err.contains("subnet-7 does not exist; there are: subnet-00007,"), "{}", ran.err);
    let ran = scene.run(&["apply", plan(&scene, [("router-00007", "subnet-00009"), there])]).await;
    assert!(ran.code == 4 && ran.err.contains("is on router-00009, and not on router-00007"), "{}", ran.err);
    let id = scene.cloud.collection(A, "routers").iter().find(|router| router["name"] == "router-00007").unwrap()["id"]
        .clone();
    let twin = scene.cloud.plant(A, "routers", json!({"name": "router-00007"})).unwrap();
    let ran = scene.run(&["apply", plan(&scene, [("router-00007", "subnet-00007"), there])]).await;
    assert!(ran.code == 4 && ran.err.contains("router-00007 fits several; use one of their ids:"), "{}", ran.err);
    assert!(ran.err.contains(&twin) && ran.err.contains(id.as_str().unwrap()), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_names_a_subnet_too() {
    let scene = big().await;
    let range = |region: &str, name: &str| {
        let all = scene.cloud.collection(region, "subnets");
        all.into_iter().find(|subnet| subnet["name"] == name).unwrap()["cidr"].as_str().unwrap().to_owned()
    };
    let (a, b) = (range(A, "subnet-00007"), range(B, "subnet-00008"));
    let sides = [("router-00007", a.as_str()), ("router-00008", b.as_str())];
    let ran = scene.run(&["apply", plan(&scene, sides), "--dry-run"]).await;
    assert!(ran.code == 0 && ran.out.contains(&a) && ran.out.contains(&b), "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_read_is_not_read_again_before_the_first_request() {
    let scene = big().await;
    scene.cloud.inject(InjectedFault::together(2).method("POST").path("vpnservices"));
    scene.cloud.inject(InjectedFault::together(2).method("POST").path("ipsec-site-connections"));
    let plan = plan(&scene, [("router-00007", "subnet-00007"), ("router-00008", "subnet-00008")]);
    scene.asked();
    let ran = scene.run(&["apply", plan, "--wait", "0"]).await;
    // The agents may have reported by then.
    assert!([0, 3].contains(&ran.code), "{}{}", ran.out, ran.err);
    let asked = scene.asked();
    let is_service = |request: &&LoggedRequest| request.path.contains("/vpnservices");
    let methods: Vec<&str> = asked.iter().filter(is_service).map(|request| request.method.as_str()).collect();
    // Each router is looked at once more behind its new service.
    assert_eq!(methods[..6], ["GET", "GET", "POST", "POST", "GET", "GET"]);
}
