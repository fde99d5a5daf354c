//! What is done to VPNs once their objects exist, by one person or by two.

use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::as_in_the_guide::KEY;
use super::broken_vpns::{self, Behind, Site};
use super::cloud::{A, B, RealCloud, in_each, in_each_with_tunnels};
use super::guide_commands::Profile;
use super::wizard::{plan_between, plan_to_peer};

/// What osvpn says without a terminal, and its exit code.
fn osvpn(cloud: &RealCloud, args: &[&str]) -> (i32, String) {
    said(&cloud.headless(args))
}

fn said(output: &Output) -> (i32, String) {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code().unwrap(), out + &err)
}

/// Half a VPN to the external peer, which has not been set up, so it stays DOWN.
#[track_caller]
fn apply_outside(cloud: &RealCloud, name: &str, subnet: &str) {
    let plan = cloud.plan(name, &plan_to_peer(name, Profile::Modern, (A, "border-router", &[subnet])));
    std::fs::write(cloud.home.path().join("key"), KEY).unwrap();
    must(cloud, 3, &["apply", &plan, "--psk-file", "key", "--wait", "1"]);
}

#[track_caller]
fn must(cloud: &RealCloud, expected: i32, args: &[&str]) -> String {
    let (code, said) = osvpn(cloud, args);
    assert_eq!(code, expected, "{} osvpn {args:?}: {said}", cloud.release);
    said
}

/// Both halves between the border routers, with that subnet of Hamilton.
fn between_borders(cloud: &RealCloud, name: &str, subnet: &str) -> String {
    let sides = [(A, "border-router", &[subnet][..]), (B, "border-router", &["private-subnet"][..])];
    cloud.plan(name, &plan_between(name, Profile::Modern, sides))
}

fn connections(cloud: &RealCloud, region: &str) -> Vec<Value> {
    cloud.list(region, "vpn/ipsec-site-connections")
}

/// Pings Porirua until it answers. A tunnel that both ends began at once may have to be given up by dead peer detection
/// first, which takes nearly three minutes.
#[track_caller]
fn answers(cloud: &RealCloud, from: &str) {
    let is_there = || cloud.run("ping", &[from, "nz-por-1:10.20.30.10"]).status.success();
    let begun = std::time::Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(240), "{} {from}", cloud.release);
    }
}

/// Switches the service of a region off and on. strongSwan negotiates what is added to a running service only when something
/// is sent through it; its user-space IPsec, which these clouds have, does not even then.
fn restart(cloud: &RealCloud, region: &str) {
    let service = cloud.list(region, "vpn/vpnservices").remove(0)["id"].as_str().unwrap().to_owned();
    for (switch, status) in [("--disable", "DOWN"), ("--enable", "ACTIVE")] {
        cloud.openstack(&[region, "vpn", "service", "set", switch, &service]);
        let is_told = || cloud.list(region, "vpn/vpnservices")[0]["status"] == status;
        assert!(
            (0..600).any(|_| is_told() || {
                std::thread::sleep(std::time::Duration::from_millis(200));
                false
            }),
            "{}: the service does not become {status}",
            cloud.release
        );
    }
}

#[test]
fn a_vpn_whose_peer_does_not_answer_takes_every_change_and_is_asked_about_by_nobody() {
    in_each(|cloud| {
        apply_outside(cloud, "office", "private-subnet");
        let listed = must(cloud, 0, &["list"]);
        assert!(!listed.contains("interrupted") && !listed.contains("resume"), "{listed}");
        must(cloud, 0, &["delete", "--strays", "--yes"]);
        must(cloud, 3, &["set-subnets", "office", "nz-hlz-1+=db-subnet", "--yes", "--wait", "1"]);
        let groups = cloud.list(A, "vpn/endpoint-groups");
        let local = groups.iter().find(|group| group["type"] == "subnet").unwrap();
        assert_eq!((groups.len(), local["endpoints"].as_array().unwrap().len()), (2, 2), "{groups:#?}");
        let key = connections(cloud, A)[0]["psk"].clone();
        std::fs::write(cloud.home.path().join("other"), KEY.to_uppercase()).unwrap();
        must(cloud, 3, &["rotate-psk", "office", "--psk-file", "other", "--yes", "--wait", "1"]);
        assert_ne!(connections(cloud, A)[0]["psk"], key);
        let (code, admitted) = osvpn(cloud, &["admit", "office", "--yes"]);
        assert!([0, 3].contains(&code), "{}: {code} {admitted}", cloud.release);
        must(cloud, 0, &["delete", "office", "--yes"]);
        assert!(cloud.objects().is_empty());
    });
}

#[test]
fn a_second_vpn_between_the_same_routers_has_the_key_of_the_first_and_comes_up() {
    in_each_with_tunnels(|cloud| {
        must(cloud, 0, &["apply", &between_borders(cloud, "first", "private-subnet")]);
        let (code, said) = osvpn(cloud, &["apply", &between_borders(cloud, "second", "db-subnet"), "--wait", "5"]);
        assert!([0, 3].contains(&code), "{}: {said}", cloud.release);
        let keys = [A, B].map(|region| connections(cloud, region)).concat();
        assert_eq!(keys.len(), 4);
        assert!(keys.iter().all(|connection| connection["psk"] == keys[0]["psk"]), "keys differ");
        restart(cloud, A);
        for from in ["nz-hlz-1:10.0.0.10", "nz-hlz-1:10.0.1.10"] {
            answers(cloud, from);
        }
        // It waits until the agents have reported.
        must(cloud, 0, &["resume", "first"]);
        must(cloud, 0, &["resume", "second"]);
        must(cloud, 0, &["delete", "first", "--yes"]);
        answers(cloud, "nz-hlz-1:10.0.1.10");
    });
}

#[test]
fn a_connection_that_carries_the_marker_of_another_vpn_is_neither_changed_nor_deleted() {
    in_each(|cloud| {
        must(cloud, 0, &["apply", &between_borders(cloud, "mine", "private-subnet")]);
        let real = connections(cloud, A).remove(0);
        let mark = real["description"].as_str().unwrap();
        let id = mark.split(':').nth(1).unwrap();
        // Ids are random; only one that is smaller than the real one was ever taken for it.
        apply_outside(cloud, "colleague", "db-subnet");
        let theirs = connections(cloud, A).into_iter().find(|connection| connection["id"] != real["id"]).unwrap();
        let name = theirs["id"].as_str().unwrap();
        cloud.openstack(&[A, "vpn", "ipsec", "site", "connection", "set", "--description", mark, name]);
        let key = |id: &Value| {
            let all = [A, B].map(|region| connections(cloud, region)).concat();
            all.into_iter().find(|connection| connection["id"] == *id).map(|connection| connection["psk"].clone())
        };
        let before = key(&theirs["id"]);
        for change in [&["rotate-psk", id, "--yes"][..], &["delete", id, "--yes"]] {
            let (code, said) = osvpn(cloud, change);
            assert!(code != 0 || key(&theirs["id"]) == before, "{} {change:?}: {said}", cloud.release);
            assert_eq!(key(&theirs["id"]), before, "{} {change:?}: {said}", cloud.release);
        }
        let own = real["id"].as_str().unwrap();
        if key(&real["id"]).is_some() {
            must(cloud, 0, &["delete", own, "--yes"]);
        }
        assert_eq!((key(&real["id"]), key(&theirs["id"])), (None, before));
    });
}

#[test]
fn of_two_people_who_make_the_same_vpn_one_has_it_and_the_other_is_told() {
    in_each_with_tunnels(|cloud| {
        for _ in 0..3 {
            let plan = between_borders(cloud, "both", "private-subnet");
            let homes = [(); 2].map(|()| TempDir::new().unwrap());
            let [one, other] = std::thread::scope(|threads| {
                let made = homes.each_ref().map(|home| {
                    let plan = &plan;
                    threads.spawn(move || said(&cloud.headless_at(home.path(), &["apply", plan, "--wait", "60"])))
                });
                made.map(|thread| thread.join().unwrap())
            });
            let all = [A, B].map(|region| connections(cloud, region));
            let told = format!("{}: {} {}\n---\n{} {}", cloud.release, one.0, one.1, other.0, other.1);
            // What stays may have been added to a service that ran for the other, or looked at before the other was gone.
            assert!(matches!((one.0, other.0), (0 | 3 | 5, 4) | (4, 0 | 3 | 5)), "{told}");
            assert_eq!(all.each_ref().map(Vec::len), [1, 1], "{told}");
            assert_eq!(all[0][0]["psk"], all[1][0]["psk"], "{told}");
            assert_eq!(cloud.objects().len(), 12, "{told}");
            restart(cloud, A);
            restart(cloud, B);
            answers(cloud, "nz-hlz-1:10.0.0.10");
            // The services may be the other's, and carry the other's marker.
            let id = all[0][0]["description"].as_str().unwrap().split(':').nth(1).unwrap();
            must(cloud, 0, &["resume", id]);
            cloud.reset();
        }
    });
}

#[test]
fn where_policies_differ_the_fix_gives_both_halves_the_stronger() {
    in_each_with_tunnels(|cloud| {
        must(cloud, 0, &["apply", &between_borders(cloud, "uneven", "private-subnet")]);
        let weaker = broken_vpns::all().into_iter().find(|breakage| breakage.name == "other encryption").unwrap();
        let site = async { Site::enter(&cloud.auth_url, Behind::Real(cloud.release)).await.suffer(&weaker).await };
        cloud.runtime.block_on(site);
        must(cloud, 5, &["status", "uneven"]);
        must(cloud, 0, &["doctor", "uneven", "--fix", "--yes"]);
        for region in [A, B] {
            for connection in connections(cloud, region) {
                for (collection, key) in [("vpn/ikepolicies", "ikepolicy_id"), ("vpn/ipsecpolicies", "ipsecpolicy_id")]
                {
                    let policies = cloud.list(region, collection);
                    let policy = policies.iter().find(|policy| policy["id"] == connection[key]).unwrap();
                    assert_eq!(policy["encryption_algorithm"], "aes-256", "{} {region} {policy:#}", cloud.release);
                }
            }
        }
        must(cloud, 0, &["status", "uneven"]);
        cloud.must("ping", &["nz-hlz-1:10.0.0.10", "nz-por-1:10.20.30.10"]);
    });
}
