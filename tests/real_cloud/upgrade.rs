//! VPNs of the script that came before, upgraded while somebody pings through them.

use std::io::Read;
use std::process::Child;
use std::time::Duration;

use super::broken_vpns::{Behind, Site};
use super::cloud::{A, B, RealCloud, in_each_with_tunnels, say};

pub const HERE: &str = "nz-hlz-1:10.1.0.10";
pub const THERE: &str = "nz-por-1:10.23.0.10";
/// Behind the second connection of the legacy service.
const BESIDE: &str = "nz-por-1:10.20.30.10";

/// Twenty tell the median and the 95th percentile.
fn rounds() -> usize {
    std::env::var("OSVPN_UPGRADES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

#[track_caller]
pub fn answers(cloud: &RealCloud, to: &str) {
    let begun = std::time::Instant::now();
    while !cloud.run("ping", &[HERE, to]).status.success() {
        assert!(begun.elapsed() < Duration::from_secs(240), "{}: {to} does not answer", cloud.release);
    }
}

/// Waits until the agents have reported on every service: before that Neutron changes none.
#[track_caller]
fn reported(cloud: &RealCloud) {
    let begun = std::time::Instant::now();
    let is_up = |region| cloud.list(region, "vpn/vpnservices").iter().all(|service| service["status"] == "ACTIVE");
    while ![A, B].into_iter().all(is_up) {
        assert!(begun.elapsed() < Duration::from_secs(240), "{}: a service is not ACTIVE", cloud.release);
    }
}

/// The longest time without an answer, in seconds, once it is told to stop.
pub fn longest(mut pinging: Child) -> f64 {
    drop(pinging.stdin.take());
    let mut said = String::new();
    pinging.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    pinging.wait().unwrap();
    said.trim().parse().unwrap()
}

/// The longest gap while the VPN is upgraded, and while its services are only switched off and on.
fn upgrade(cloud: &RealCloud, has_drifted: bool) -> [f64; 2] {
    let in_site = |work: &dyn Fn(Site<'_>)| {
        work(cloud.runtime.block_on(Site::enter(&cloud.auth_url, Behind::Real(cloud.release))));
    };
    for region in [A, B] {
        cloud.must("seed-legacy", &[region]);
    }
    in_site(&|site| cloud.runtime.block_on(site.connect_second()));
    if has_drifted {
        cloud.must("drift", &[B]);
    }
    let others = cloud.objects();
    let is_second = |object: &&serde_json::Value| object["name"].as_str().unwrap().starts_with("hlz-por");
    answers(cloud, THERE);
    answers(cloud, BESIDE);

    let pinging = cloud.start("ping", &["--watch", HERE, THERE]);
    let output = cloud.headless(&["upgrade", "vpn_site_connection", "--yes"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{}: {said}", cloud.release);
    assert!(said.contains("both halves match"), "{said}");
    assert!(said.contains("second is on the same VPN service and moves with it"), "its owner is told: {said}");
    answers(cloud, THERE);
    let gap = longest(pinging);
    answers(cloud, BESIDE);

    // Of the old nothing is left, and what the second uses stays.
    for region in [A, B] {
        assert!(cloud.list(region, "vpn/vpnservices").iter().all(|service| service["subnet_id"].is_null()), "{region}");
        let connections = cloud.list(region, "vpn/ipsec-site-connections");
        assert_eq!(connections.len(), 2, "{connections:#?}");
        let upgraded = connections.iter().find(|one| one["name"] == "vpn_site_connection").unwrap();
        assert!(upgraded["description"].as_str().unwrap().starts_with("osvpn:"), "{upgraded:#}");
        assert_ne!(upgraded["psk"], "pre_shared_key");
        let policies = cloud.list(region, "vpn/ikepolicies");
        let policy = policies.iter().find(|policy| policy["id"] == upgraded["ikepolicy_id"]).unwrap();
        assert_eq!((&policy["ike_version"], &policy["auth_algorithm"]), (&"v2".into(), &"sha256".into()));
    }
    let now = cloud.objects();
    for policy in others.iter().filter(is_second).filter(|one| one["type"].is_null()) {
        assert!(now.iter().any(|object| object["id"] == policy["id"]), "{policy:#}");
    }
    // Beside the second VPN: 12 objects of this one, less what is shared; the moved connection has two groups of its own.
    let (code, listed) = (cloud.headless(&["list", "--json"]), "strays");
    let listed_json: serde_json::Value = serde_json::from_slice(&code.stdout).unwrap();
    assert_eq!(listed_json[listed], serde_json::json!([]), "{listed_json:#}");
    let again = cloud.headless(&["upgrade", "vpn_site_connection", "--yes"]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("Unchanged"), "{}", cloud.release);

    reported(cloud);
    let pinging = cloud.start("ping", &["--watch", HERE, THERE]);
    in_site(&|site| {
        cloud.runtime.block_on(async {
            tokio::join!(site.restart_all(A), site.restart_all(B));
        });
    });
    answers(cloud, THERE);
    [gap, longest(pinging)]
}

fn told(mut gaps: Vec<f64>) -> String {
    gaps.sort_by(f64::total_cmp);
    let last = gaps.len() - 1;
    let at = |share: usize| gaps[(last * share).div_ceil(100)];
    let all: Vec<String> = gaps.iter().map(|gap| format!("{gap:.1}")).collect();
    format!("median {:.1} s, 95th percentile {:.1} s ({})", at(50), at(95), all.join(" "))
}

#[test]
fn a_vpn_of_the_script_is_upgraded_within_seconds_with_what_is_beside_it() {
    in_each_with_tunnels(|cloud| {
        let (mut gaps, mut floors) = (Vec::new(), Vec::new());
        for round in 0..rounds() {
            cloud.reset();
            // An upgrade of OpenStack has rewritten the policies of one region.
            let [gap, floor] = upgrade(cloud, round % 2 == 1);
            // What is said before anybody agrees, with room for a busy machine.
            assert!(gap < 5.0 * f64::from(osvpn::change::INTERRUPTION), "{}: {gap} s", cloud.release);
            gaps.push(gap);
            floors.push(floor);
        }
        say(&format!("{}: upgraded: without an answer {}", cloud.release, told(gaps)));
        say(&format!("{}: only switched off and on: {}", cloud.release, told(floors)));
    });
}
