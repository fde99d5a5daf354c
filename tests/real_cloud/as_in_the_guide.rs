//! What osvpn makes is what the guide's commands make, field by field, whichever way it is asked.

use serde_json::Value;

use super::cloud::{A, B, RealCloud, in_each, say};
use super::guide_commands::{Half, Profile};
use super::pty::Printed;
use super::wizard::{PEER, plan_between, plan_to_peer, single, site_to_site};

/// The VPN's name is the guide's only difference but for the mark.
const HAMILTON: Half<'_> = Half {
    prefix: "hlz-por_",
    description: "osvpn:ID:A",
    profile: Profile::Modern,
    external: ["203.0.113.20", "2001:db8:113::20"],
    subnet: "private-subnet",
    peer: "198.51.100.20",
    peer_cidr: "10.20.30.0/24",
};
const PORIRUA: Half<'_> = Half {
    description: "osvpn:ID:B",
    external: ["198.51.100.20", "2001:db8:100::20"],
    peer: "203.0.113.20",
    peer_cidr: "10.0.0.0/24",
    ..HAMILTON
};
pub const KEY: &str = "Kn0wnT0B0thEnds2Negotiate345";

/// Both halves of `hlz-por` are there as the guide makes them, with one key, and nothing else is there.
#[track_caller]
pub fn is_as_in_the_guide(cloud: &RealCloud, profile: Profile) {
    for (region, half) in [(A, HAMILTON), (B, PORIRUA)] {
        let made = cloud.told(region);
        assert_same(&made, &Half { profile, ..half }.objects(&made), cloud, region);
    }
    let [a, b] = [A, B].map(|region| cloud.list(region, "vpn/ipsec-site-connections").remove(0)["psk"].take());
    assert_eq!(a, b, "{}: both halves have the same key", cloud.release);
}

/// The same of the half of a VPN to the external peer.
#[track_caller]
fn is_half_as_in_the_guide(cloud: &RealCloud, prefix: &str, profile: Profile) {
    let half = Half { prefix, profile, peer: PEER.0, peer_cidr: PEER.1, ..HAMILTON };
    let made = cloud.told(A);
    assert_same(&made, &half.objects(&made), cloud, A);
    let there = cloud.told(B);
    assert!(there.as_object().unwrap().values().all(|list| *list == Value::Array(Vec::new())), "{there:#}");
}

#[track_caller]
fn assert_same(made: &Value, expected: &Value, cloud: &RealCloud, region: &str) {
    let [made, expected] = [made, expected].map(|objects| format!("{objects:#}"));
    let not_in = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|there| there == *line));
        lines.collect::<Vec<_>>().join("\n")
    };
    let (odd, missing) = (not_in(&made, &expected), not_in(&expected, &made));
    assert!(made == expected, "{} {region}: made\n{odd}\ninstead of\n{missing}\nin\n{made}", cloud.release);
}

/// The guide's commands for the half in Hamilton, word for word but for the addresses of the other side.
const COMMANDS: [&str; 6] = [
    "vpn service create --router border-router vpn_service",
    "vpn ike policy create --auth-algorithm sha1 --encryption-algorithm aes-256 --phase1-negotiation-mode main \
     --pfs group14 --ike-version v1 --lifetime units=seconds,value=14400 ike_policy",
    "vpn ipsec policy create --transform-protocol esp --auth-algorithm sha1 --encryption-algorithm aes-256 \
     --encapsulation-mode tunnel --pfs group14 --lifetime units=seconds,value=3600 ipsec_policy",
    "vpn endpoint group create --type subnet --value private-subnet local_endpoint_group",
    "vpn endpoint group create --type cidr --value 10.20.30.0/24 peer_endpoint_group",
    "vpn ipsec site connection create --initiator bi-directional --vpnservice vpn_service --ikepolicy ike_policy \
     --ipsecpolicy ipsec_policy --dpd action=restart,interval=15,timeout=150 --peer-address 198.51.100.20 \
     --peer-id 198.51.100.20 --local-endpoint-group local_endpoint_group --peer-endpoint-group peer_endpoint_group \
     --psk Kn0wnT0B0thEnds2Negotiate345 vpn_site_connection",
];

#[test]
fn the_guides_commands_make_what_is_expected_of_osvpn() {
    in_each(|cloud| {
        if Profile::of(cloud.release) != Profile::Catalyst {
            return say(&format!("{}: skipped: it does not store the guide's SHA-1", cloud.release));
        }
        for command in COMMANDS {
            let words: Vec<&str> = [A].into_iter().chain(command.split(' ')).collect();
            cloud.must("cli", &words);
        }
        let half = Half { prefix: "", description: "", profile: Profile::Catalyst, ..HAMILTON };
        let made = cloud.told(A);
        assert_same(&made, &half.objects(&made), cloud, A);
    });
}

#[test]
fn the_wizard_makes_both_halves_of_the_guide_and_enter_is_enough() {
    in_each(|cloud| {
        let mut pty = site_to_site(cloud, &[]);
        pty.confirm("\r");
        pty.finish();
        let (code, Printed { said, .. }) = pty.end();
        assert_eq!((code, cloud.objects().len()), (0, 12), "{said}");
        is_as_in_the_guide(cloud, Profile::of(cloud.release));
    });
}

#[test]
fn the_wizard_makes_the_half_of_the_guide_for_a_peer_outside() {
    in_each(|cloud| {
        let mut pty = single(cloud, "1");
        // What is proposed for a peer is modern.
        if Profile::of(cloud.release) != Profile::Modern {
            pty.send("p");
            pty.wait_for("The policy is now catalyst");
        }
        pty.confirm("\r");
        pty.wait_for("hlz-198.51.100.7 is created, but not ACTIVE");
        pty.confirm("\t\r");
        let (code, Printed { said, .. }) = pty.end();
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("For the owner of the peer:"), "{said}");
        is_half_as_in_the_guide(cloud, "hlz-198.51.100.7_", Profile::of(cloud.release));
    });
}

#[test]
fn apply_makes_both_halves_of_the_guide() {
    in_each(|cloud| {
        let sides = [A, B].map(|region| (region, "border-router", &["private-subnet"][..]));
        let plan = cloud.plan("both", &plan_between("hlz-por", Profile::Modern, sides));
        let (code, Printed { said, .. }) = cloud.osvpn(&["apply", &plan], &[]).end();
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("VPN hlz-por") && said.contains("is ACTIVE."), "{said}");
        is_as_in_the_guide(cloud, Profile::Modern);
    });
}

#[test]
fn apply_makes_the_half_of_the_guide_for_a_peer_outside() {
    in_each(|cloud| {
        let profile = Profile::of(cloud.release);
        let text = plan_to_peer("office", profile, (A, "border-router", &["private-subnet"]));
        let plan = cloud.plan("one", &text);
        let (code, Printed { everything, .. }) =
            cloud.osvpn(&["apply", &plan, "--wait", "1"], &[("OSVPN_PSK", KEY)]).end();
        assert_eq!(code, 3, "{everything}");
        assert!(everything.contains("For the owner of the peer:") && !everything.contains(KEY), "{everything}");
        is_half_as_in_the_guide(cloud, "office_", profile);
        assert_eq!(cloud.list(A, "vpn/ipsec-site-connections")[0]["psk"], KEY);
    });
}
