//! `cargo bench`: what commands cost, in figures that do not depend on the machine: requests, round trips, connections and
//! instructions on the simulator. With the variables of `tests/openstack/env` set, also osvpn beside the `openstack` command and
//! a bare client, in turn, as ratios.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a figure that cannot be had ends the run")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use osvpn::simulator::{Seed, Simulator, SimulatorSettings, depth};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::{Value, json};

const REGIONS: [&str; 2] = ["nz-hlz-1", "nz-por-1"];

#[tokio::main]
async fn main() {
    println!("{:<34}{:>10}{:>8}{:>13}{:>16}", "on the simulator", "requests", "depth", "connections", "instructions");
    for vpns in [5, 50, 200] {
        let cloud = start(Seed::Json(project(vpns))).await;
        for args in
            [&["list"][..], &["status", "vpn-000"], &["doctor"], &["rotate-psk", "vpn-000", "--yes", "--wait", "0"]]
        {
            figures(&format!("{} with {vpns} VPNs", args.join(" ")), args, &cloud).await;
        }
    }
    let cloud = start(Seed::Scale { routers: 500, subnets: 2000 }).await;
    let home = tempfile::tempdir().unwrap();
    let half =
        |region| format!("[[half]]\nregion = \"{region}\"\nrouter = \"router-00007\"\nsubnets = [\"subnet-00007\"]\n");
    let plan = home.path().join("plan.toml");
    let text =
        format!("version = 1\nname = \"bench\"\nmode = \"site-to-site\"\n{}{}", half(REGIONS[0]), half(REGIONS[1]));
    std::fs::write(&plan, text).unwrap();
    let plan = plan.to_str().unwrap();
    for args in [&["list"][..], &["apply", plan, "--dry-run"], &["apply", plan, "--wait", "0"]] {
        let name = args.iter().filter(|word| !word.contains('/')).copied().collect::<Vec<_>>().join(" ");
        figures(&format!("{name}, 500 routers"), args, &cloud).await;
    }
    let cloud = start(Seed::Json(one_large_region(2_500, 10_000))).await;
    println!("wizard, 10,000 subnets, resident: {}", resident(&cloud).await);
    if std::env::var_os("OSVPN_TEST_AUTH_URL").is_some() {
        beside_others().await;
    }
}

async fn start(seed: Seed) -> Simulator {
    let latency = Duration::from_millis(20);
    let settings = SimulatorSettings { seed, latency, page_limit: Some(100), ..SimulatorSettings::default() };
    Simulator::start(settings).await.unwrap()
}

/// So many VPNs between as many routers.
fn project(vpns: usize) -> String {
    let region = |(at, id): (usize, &str)| {
        let subnet = |n: usize| json!({"name": format!("subnet-{n}"), "cidr": format!("10.{at}.{n}.0/24")});
        let networks = (0..vpns).map(|n| json!({"name": format!("net-{n}"), "subnets": [subnet(n)]}));
        let router = |n: usize| {
            json!({"name": format!("router-{n}"), "subnets": [format!("subnet-{n}")],
                "gateway": [format!("203.0.{}.{}", 112 + at, n + 20)]})
        };
        json!({"id": id, "description": id, "external": [format!("203.0.{}.0/24", 112 + at)],
            "networks": networks.collect::<Vec<_>>(), "routers": (0..vpns).map(router).collect::<Vec<_>>()})
    };
    let half = |n: usize, region: &str| json!({"region": region, "router": format!("router-{n}"), "subnet": format!("subnet-{n}")});
    let vpn = |n: usize| {
        json!({"name": format!("vpn-{n:03}"), "psk": format!("Kept0nly1nMemory2NeverWritten{n:03}"),
            "halves": REGIONS.map(|region| half(n, region))})
    };
    let regions: Vec<Value> = REGIONS.into_iter().enumerate().map(region).collect();
    json!({"regions": regions, "vpns": (0..vpns).map(vpn).collect::<Vec<_>>()}).to_string()
}

/// A region with that many routers and subnets, and a small one to connect it to.
fn one_large_region(routers: usize, subnets: usize) -> String {
    let region = |at: usize, routers: usize, subnets: usize| {
        let subnet = |n: usize| {
            let cidr = format!("10.{}.{}.{}/28", 16 * at + n / 4096, n / 16 % 256, n % 16 * 16);
            json!({"name": format!("net-{n}"), "subnets": [{"name": format!("subnet-{n}"), "cidr": cidr}]})
        };
        let each = subnets / routers;
        let router = |n: usize| {
            json!({"name": format!("router-{n}"), "gateway": [format!("203.{at}.{}.{}", n / 200, n % 200 + 20)],
                "subnets": (n * each..(n + 1) * each).map(|n| format!("subnet-{n}")).collect::<Vec<_>>()})
        };
        json!({"id": REGIONS[at], "description": REGIONS[at], "external": [format!("203.{at}.0.0/16")],
            "networks": (0..subnets).map(subnet).collect::<Vec<_>>(), "routers": (0..routers).map(router).collect::<Vec<_>>()})
    };
    json!({"regions": [region(0, routers, subnets), region(1, 1, 1)], "vpns": []}).to_string()
}

/// The most memory that the wizard takes until everything is read, and until the subnets of a router are chosen from.
async fn resident(cloud: &Simulator) -> String {
    let home = tempfile::tempdir().unwrap();
    let pair = native_pty_system().openpty(PtySize { rows: 40, cols: 120, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osvpn"));
    command.env_clear();
    command.env("HOME", home.path());
    command.env("TERM", "xterm-256color");
    for (name, value) in cloud.environment() {
        command.env(name, value);
    }
    let mut child = pair.slave.spawn_command(command).unwrap();
    let (mut reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    let process = child.process_id().unwrap();
    let most = || {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default().trim().to_owned()
    };
    at_rest(cloud).await;
    let read = most();
    // Step by step, the first region, its first router.
    for keys in ["/step by step\r", "\r", "\r"] {
        writer.write_all(keys.as_bytes()).unwrap();
        at_rest(cloud).await;
    }
    let chosen = most();
    child.kill().unwrap();
    format!("{read} when all is read, {chosen} at the list of subnets")
}

/// Waits until nothing is asked any more.
async fn at_rest(cloud: &Simulator) {
    let (mut asked, mut still) = (0, 0);
    while still < 15 || asked < 10 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = cloud.requests().len();
        (asked, still) = (now, if now == asked { still + 1 } else { 0 });
    }
}

fn osvpn(home: &Path, args: &[&str]) -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_osvpn");
    // A home of its own: no journal and no clouds.yaml of the user's.
    let env = ["env".to_owned(), format!("HOME={}", home.display()), format!("XDG_STATE_HOME={}", home.display())];
    env.into_iter().chain([program.to_owned()]).chain(args.iter().map(|word| (*word).to_owned())).collect()
}

async fn run(words: Vec<String>, vars: Vec<(&'static str, String)>) -> Output {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    if !vars.is_empty() {
        command.env_remove("OS_CLOUD").env_remove("OS_CLIENT_CONFIG_FILE").envs(vars);
    }
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn figures(name: &str, args: &[&str], cloud: &Simulator) {
    let home = tempfile::tempdir().unwrap();
    let vars: Vec<(&'static str, String)> = cloud.environment().into_iter().collect();
    cloud.clear_requests();
    let ran = run(osvpn(home.path(), args), vars.clone()).await;
    assert!(matches!(ran.status.code(), Some(0 | 3)), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    let requests = cloud.requests();
    let instructions =
        if args.contains(&"--wait") { "-".to_owned() } else { instructions(home.path(), args, vars).await };
    let (count, deep) = (requests.len(), depth(&requests));
    println!("{name:<34}{count:>10}{deep:>8}{:>13}{instructions:>16}", cloud.most_connections());
}

/// As valgrind counts them, in millions; a dash without it.
async fn instructions(home: &Path, args: &[&str], vars: Vec<(&'static str, String)>) -> String {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return "-".to_owned();
    }
    let valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=yes"];
    let ran = run(valgrind.map(str::to_owned).into_iter().chain(osvpn(home, args)).collect(), vars).await;
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    let count = told.lines().rev().find_map(|line| line.split("Collected :").nth(1)?.trim().parse::<f64>().ok());
    count.map_or_else(|| "-".to_owned(), |count| format!("{:.1} M", count / 1e6))
}

/// Five rounds in turn, and the middle of what they took, as ratios to the bare client.
async fn beside_others() {
    let home = tempfile::tempdir().unwrap();
    let openstack = ["tests/openstack/cli", REGIONS[1], "router", "list"].map(str::to_owned).to_vec();
    let mut took: [Vec<Duration>; 3] = Default::default();
    for _ in 0..5 {
        let began = Instant::now();
        bare().await;
        took[0].push(began.elapsed());
        for (at, words) in [osvpn(home.path(), &["list"]), openstack.clone()].into_iter().enumerate() {
            let began = Instant::now();
            let ran = run(words.clone(), Vec::new()).await;
            assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
            took[at + 1].push(began.elapsed());
        }
    }
    let [bare, osvpn, openstack] = took.map(|mut all| {
        all.sort_unstable();
        all[all.len() / 2].as_secs_f64()
    });
    println!(
        "\nreal cloud, bare client = 1: osvpn list {:.1}, openstack router list {:.1}",
        osvpn / bare,
        openstack / bare
    );
}

/// A token, and the VPN services and connections of each region, one after the other.
async fn bare() {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let user = json!({"name": "demo", "password": var("OSVPN_TEST_PASSWORD"), "domain": {"id": "default"}});
    let project = json!({"id": var("OSVPN_TEST_PROJECT_ID")});
    let auth = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}});
    // A second installation fails because there is one already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/auth/tokens", var("OSVPN_TEST_AUTH_URL").trim_end_matches('/'));
    let answer = client.post(url).json(&auth).send().await.unwrap().error_for_status().unwrap();
    let token = answer.headers()["x-subject-token"].clone();
    let session: Value = answer.json().await.unwrap();
    let services = session["token"]["catalog"].as_array().unwrap().iter().filter(|entry| entry["type"] == "network");
    for endpoint in services.flat_map(|entry| entry["endpoints"].as_array().unwrap()) {
        if endpoint["interface"] != "public" {
            continue;
        }
        let base = endpoint["url"].as_str().unwrap().trim_end_matches('/').trim_end_matches("/v2.0");
        for list in ["vpnservices", "ipsec-site-connections"] {
            let url = format!("{base}/v2.0/vpn/{list}");
            client.get(url).header("x-auth-token", &token).send().await.unwrap().bytes().await.unwrap();
        }
    }
}
