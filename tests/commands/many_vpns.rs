//! A project with two hundred VPNs: what is asked at once, with few sockets and behind a limit.

use osvpn::plan::psk::PUBLIC;
use osvpn::simulator::Seed;

use super::*;

const VPNS: usize = 200;

/// Sixteen in flight, and as many again that were begun for a request which then got the connection of another, open or just
/// closing.
const MOST_SOCKETS: usize = 48;

/// So many VPNs between as many routers of two regions, made by somebody else.
async fn scene(vpns: usize, psk: impl Fn(usize) -> String) -> Scene {
    let region = |id: &str, at: usize| {
        let subnet = |n: usize| json!({"name": format!("subnet-{n}"), "cidr": format!("10.{at}.{n}.0/24")});
        let router = |n: usize| {
            json!({"name": format!("router-{n}"), "subnets": [format!("subnet-{n}")],
                "gateway": [format!("203.0.{}.{}", 112 + at, n + 20)]})
        };
        let networks = (0..vpns).map(|n| json!({"name": format!("net-{n}"), "subnets": [subnet(n)]}));
        json!({"id": id, "description": id, "external": [format!("203.0.{}.0/24", 112 + at)],
            "networks": networks.collect::<Vec<_>>(), "routers": (0..vpns).map(router).collect::<Vec<_>>()})
    };
    let vpn = |n: usize| {
        let half =
            |region: &str| json!({"region": region, "router": format!("router-{n}"), "subnet": format!("subnet-{n}")});
        json!({"name": format!("vpn-{n:03}"), "psk": psk(n), "halves": [half(A), half(B)]})
    };
    let made: Vec<Value> = (0..vpns).map(vpn).collect();
    let layout = json!({"regions": [region(A, 1), region(B, 2)], "vpns": made});
    let settings = SimulatorSettings { seed: Seed::Json(layout.to_string()), ..SimulatorSettings::default() };
    Scene { home: tempfile::tempdir().unwrap(), cloud: Simulator::start(settings).await.unwrap() }
}

/// Runs a command with at most 256 open files, and says how many requests it sent, and how many were refused.
async fn with_few_files(scene: &Scene, args: &[&str]) -> (Ran, usize, usize) {
    scene.asked();
    let mut command = scene.osvpn(&[]);
    let program = command.get_program().to_owned();
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -n 256; exec \"$0\" \"$@\""]).arg(program).args(args).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(scene.home.path()).stdin(std::process::Stdio::null());
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command = limited;
    let ran = run(command).await;
    let asked = scene.asked();
    let refused = asked.iter().filter(|request| request.status == Some(429)).count();
    println!(
        "{args:?}: {} requests, {refused} of them refused, at most {} sockets",
        asked.len(),
        scene.cloud.most_connections()
    );
    (ran, asked.len(), refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_are_diagnosed_with_few_sockets() {
    let scene = scene(VPNS, |n| format!("{KEY}{n:03}")).await;
    let (ran, asked, _) = with_few_files(&scene, &["list"]).await;
    assert_eq!((ran.code, ran.out.matches("<->").count()), (0, VPNS), "{}", ran.err);
    assert!(asked <= 49, "{asked}: VPN lists, and what they name by dozens of ids");
    let (ran, asked, _) = with_few_files(&scene, &["doctor"]).await;
    assert_eq!((ran.code, ran.out.matches("vpn-").count() >= VPNS), (0, true), "{}", ran.err);
    assert!(asked <= 71, "{asked}: keys, security groups and their rules are read once a region");
    assert!(scene.cloud.most_connections() <= MOST_SOCKETS, "{}", scene.cloud.most_connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_key_of_two_hundred_is_replaced_with_few_sockets() {
    let scene = scene(VPNS, |_| PUBLIC.to_owned()).await;
    let (ran, ..) = with_few_files(&scene, &["rotate-psk", "--all-public-keys", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(scene.cloud.most_connections() <= MOST_SOCKETS, "{}", scene.cloud.most_connections());
    assert_each_has_its_own_key(&scene, VPNS);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_limit_of_twenty_requests_a_second_both_succeed() {
    let few = 20;
    let scene = scene(few, |_| PUBLIC.to_owned()).await;
    scene.cloud.inject(InjectedFault::at_most(20, Duration::from_secs(1)));
    for (args, code) in [(&["doctor"][..], 0), (&["rotate-psk", "--all-public-keys", "--yes"], 0), (&["doctor"], 0)] {
        let (ran, asked, refused) = with_few_files(&scene, args).await;
        assert_eq!(ran.code, code, "{}", ran.err);
        // Those that were on their way when the host refused first, and few after.
        assert!(refused <= 16 + asked / 10, "{refused} of {asked} refused");
    }
    assert_each_has_its_own_key(&scene, few);
}

fn assert_each_has_its_own_key(scene: &Scene, vpns: usize) {
    let connections = [A, B].map(|region| scene.cloud.collection(region, "ipsec-site-connections"));
    let keys: BTreeSet<&str> =
        connections.iter().flatten().map(|connection| connection["psk"].as_str().unwrap()).collect();
    assert_eq!((keys.len(), keys.contains(PUBLIC)), (vpns, false));
}
