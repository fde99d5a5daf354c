//! The VPN of the script that came before, brought to today's standard while somebody pings through it.

use serde_json::{Value, json};

use super::cloud::{A, B, RealCloud, in_each_with_tunnels, say};
use super::upgrade::{HERE, THERE, answers, longest};

/// What the script is told: two regions, their routers and subnets, a key that it does not use, addresses and ranges.
const ANSWERS: &str = "2\n1\n2\nlegacy-router\nlegacy-subnet\nlegacy-router\nlegacy-subnet\nsupersecretkey\n\
                       203.0.113.22\n10.1.0.0/24\n198.51.100.22\n10.23.0.0/24\n";

/// Its commands in one region.
fn commands(peer: &str, range: &str) -> [String; 4] {
    [
        "vpn service create --subnet legacy-subnet --router legacy-router vpn_service".to_owned(),
        "vpn ike policy create --auth-algorithm sha1 --encryption-algorithm aes-256 --phase1-negotiation-mode main \
         --pfs group14 --ike-version v1 --lifetime units=seconds,value=14400 ike_policy"
            .to_owned(),
        "vpn ipsec policy create --transform-protocol esp --auth-algorithm sha1 --encryption-algorithm aes-256 \
         --encapsulation-mode tunnel --pfs group14 --lifetime units=seconds,value=3600 ipsec_policy"
            .to_owned(),
        format!(
            "vpn ipsec site connection create --initiator bi-directional --vpnservice vpn_service --ikepolicy ike_policy \
             --ipsecpolicy ipsec_policy --dpd action=restart,interval=15,timeout=150 --peer-address {peer} --peer-id {peer} \
             --peer-cidr {range} --psk pre_shared_key vpn_site_connection"
        ),
    ]
}

/// The unmodified script where its text is at hand, else its commands with the same client.
fn create(cloud: &RealCloud) -> &'static str {
    if let Ok(script) = std::env::var("OSVPN_CREATE_VPN") {
        let said = cloud.must_with("create-vpn", &[&script], ANSWERS);
        assert!(said.contains("Your VPN has been created"), "{said}");
        return "the unmodified script";
    }
    for (region, [peer, range]) in [(A, ["198.51.100.22", "10.23.0.0/24"]), (B, ["203.0.113.22", "10.1.0.0/24"])] {
        for command in commands(peer, range) {
            let words: Vec<&str> = std::iter::once(region).chain(command.split_whitespace()).collect();
            cloud.openstack(&words);
        }
    }
    "the script's commands"
}

#[test]
fn a_vpn_of_the_unmodified_script_is_upgraded_and_leaves_nothing_behind() {
    in_each_with_tunnels(|cloud| {
        if cloud.release != "2026.1" {
            return say(&format!("{}: skipped: it does not store the script's SHA-1", cloud.release));
        }
        assert_eq!(cloud.objects(), Vec::<Value>::new());
        let way = create(cloud);
        let before = cloud.objects();
        let keys: Vec<&Value> = before.iter().filter_map(|object| object.get("psk")).collect();
        assert_eq!((before.len(), keys), (8, vec![&json!("pre_shared_key"); 2]), "{before:#?}");
        answers(cloud, THERE);

        let pinging = cloud.start("ping", &["--watch", HERE, THERE]);
        let output = cloud.headless(&["upgrade", "vpn_site_connection", "--yes", "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &told["outcome"]), (Some(0), &json!("done")), "{told:#}");
        answers(cloud, THERE);
        let gap = longest(pinging);
        assert!(gap < 5.0 * f64::from(osvpn::change::INTERRUPTION), "{gap} s");
        say(&format!("{}: {way}: {gap:.1} s without an answer", cloud.release));

        // Twelve objects, every one of them new and marked, and both halves match.
        let after = cloud.objects();
        let is_new = |object: &Value| before.iter().all(|old| old["id"] != object["id"]);
        let is_marked = |object: &Value| object["description"].as_str().is_some_and(|text| text.starts_with("osvpn:"));
        assert!(after.len() == 12 && after.iter().all(|object| is_new(object) && is_marked(object)), "{after:#?}");
        let status = cloud.headless(&["status", "vpn_site_connection"]);
        assert_eq!(status.status.code(), Some(0), "{}", String::from_utf8_lossy(&status.stdout));
        let deleted = cloud.headless(&["delete", "vpn_site_connection", "--yes"]);
        assert_eq!(deleted.status.code(), Some(0), "{}", String::from_utf8_lossy(&deleted.stdout));
        assert_eq!(cloud.objects(), Vec::<Value>::new());
    });
}
