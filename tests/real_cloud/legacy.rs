//! A VPN of the script that came before: seen, said, upgraded, and never given a second service beside its own.

use serde_json::Value;

use super::cloud::{A, B, RealCloud, in_each, in_each_with_tunnels};
use super::guide_commands::Profile;
use super::pty::Printed;
use super::wizard::{plan_between, site_to_site};

/// The services of a region's legacy router.
fn services(cloud: &RealCloud, region: &str) -> Vec<Value> {
    let routers = cloud.list(region, "routers");
    let router = routers.into_iter().find(|router| router["name"] == "legacy-router").unwrap();
    let all = cloud.list(region, "vpn/vpnservices").into_iter();
    all.filter(|service| service["router_id"] == router["id"]).map(|service| service["id"].clone()).collect()
}

#[test]
fn apply_refuses_a_router_with_a_legacy_service_and_the_one_beside_it_is_free() {
    in_each(|cloud| {
        cloud.must("seed-legacy", &[A]);
        cloud.must("seed-legacy", &[B]);
        let before = cloud.objects();
        let legacy = [A, B].map(|region| services(cloud, region));
        assert_eq!(legacy.each_ref().map(Vec::len), [1, 1]);

        let sides = [A, B].map(|region| (region, "legacy-router", &["legacy-subnet"][..]));
        let plan = cloud.plan("legacy", &plan_between("mine", Profile::of(cloud.release), sides));
        let (code, Printed { said, .. }) = cloud.osvpn(&["apply", &plan], &[]).end();
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("holds a legacy VPN service") && said.contains("Nothing was created."), "{said}");
        assert_eq!(before.len(), cloud.objects().len());
        assert_eq!([A, B].map(|region| services(cloud, region)), legacy);

        let mut pty = site_to_site(cloud, &[]);
        pty.confirm("\r");
        pty.finish();
        assert_eq!(pty.end().0, 0);
        assert_eq!([A, B].map(|region| services(cloud, region)), legacy);
    });
}

#[test]
fn the_wizard_upgrades_a_legacy_service_before_it_creates_a_vpn_on_its_router() {
    in_each_with_tunnels(|cloud| {
        for region in [A, B] {
            cloud.must("seed-legacy", &[region]);
        }
        let answers = [("Which router of Hamilton?", "/legacy"), ("Which router of Porirua?", "/border")];
        let mut pty = site_to_site(cloud, &answers);
        pty.wait_for("upgrades vpn_site_connection first");
        pty.confirm("\r");
        pty.wait_for("Upgrade vpn_site_connection first?");
        pty.confirm("u");
        pty.finish();
        let (code, Printed { said, .. }) = pty.end();
        assert_eq!(code, 0, "{said}");
        // One service a router, and both VPNs carry traffic.
        assert_eq!(cloud.list(A, "vpn/vpnservices").len(), 1, "{said}");
        assert_eq!(cloud.list(B, "vpn/vpnservices").len(), 2, "{said}");
        cloud.must("ping", &["nz-hlz-1:10.1.0.10", "nz-por-1:10.23.0.10"]);
        cloud.must("ping", &["nz-hlz-1:10.1.0.10", "nz-por-1:10.20.30.10"]);
    });
}

#[test]
fn a_legacy_service_that_appears_while_the_user_reads_the_review_is_seen() {
    in_each(|cloud| {
        let routers = ["Hamilton", "Porirua"].map(|place| format!("Which router of {place}?"));
        let answers = routers.each_ref().map(|step| (step.as_str(), "/legacy"));
        let mut pty = site_to_site(cloud, &answers);
        cloud.must("seed-legacy", &[A]);
        let (before, legacy) = (cloud.objects(), services(cloud, A));
        pty.confirm("\r");
        pty.wait_for("now holds a VPN service");
        pty.wait_for("second one would break it");
        // Retry, Undo, Leave.
        pty.confirm("\t\t\r");
        let (_, Printed { said, .. }) = pty.end();
        // The other half's service is made at the same time, and said.
        let made = cloud.objects().len() - before.len();
        assert!(said.contains(&format!("failed: {made} object")), "{said}");
        assert!(said.contains("legacy-router now holds"), "{said}");
        assert_eq!((legacy.len(), services(cloud, A)), (1, legacy), "{}", cloud.release);
    });
}

#[test]
fn the_half_that_a_script_left_out_or_somebody_deleted_is_made_beside_what_is_left() {
    in_each_with_tunnels(|cloud| {
        let connection =
            || cloud.list(B, "vpn/ipsec-site-connections").first().map(|one| one["id"].as_str().unwrap().to_owned());
        for region in [A, B] {
            cloud.must("seed-legacy", &[region]);
        }
        for gone in ["connection", "connection and service"] {
            cloud.openstack(&[B, "vpn", "ipsec", "site", "connection", "delete", &connection().unwrap()]);
            if gone != "connection" {
                let [service] = services(cloud, B).try_into().unwrap();
                cloud.openstack(&[B, "vpn", "service", "delete", service.as_str().unwrap()]);
            }
            let out = cloud.headless(&["repair", "vpn_site_connection", "--yes", "--json"]);
            let told: Value = serde_json::from_slice(&out.stdout).unwrap();
            assert_eq!((out.status.code(), &told["outcome"]), (Some(0), &"done".into()), "{gone}: {told:#}");
            cloud.must("ping", &["nz-hlz-1:10.1.0.10", "nz-por-1:10.23.0.10"]);
            assert_eq!(services(cloud, B).len(), 1, "{gone}: what could not be used is gone");
            let left = cloud.headless(&["list", "--json"]);
            let left: Value = serde_json::from_slice(&left.stdout).unwrap();
            assert_eq!(left["strays"].as_array().map(Vec::len), Some(0), "{gone}: {left:#}");
        }
    });
}
