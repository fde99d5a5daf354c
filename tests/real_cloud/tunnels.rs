//! Tunnels by real negotiations, with pings through them.

use std::io::{BufRead, BufReader, Read};

use super::as_in_the_guide::KEY;
use super::cloud::{A, B, RealCloud, in_each_with_tunnels};
use super::guide_commands::Profile;
use super::pty::{Printed, Pty};
use super::wizard::{PEER, choose, plan_between, plan_to_peer, site_to_site};

const HAMILTON: &str = "nz-hlz-1:10.0.0.10";
const PORIRUA: &str = "nz-por-1:10.20.30.10";
const OFFICE: &str = "nz-por-1:10.24.0.10";

/// The profiles a release stores.
fn profiles(cloud: &RealCloud) -> &'static [Profile] {
    match Profile::of(cloud.release) {
        Profile::Catalyst => &[Profile::Catalyst, Profile::Modern],
        Profile::Modern => &[Profile::Modern],
    }
}

/// Presses Create, and leaves when the VPN is ACTIVE.
#[track_caller]
fn create(mut pty: Pty) {
    pty.confirm("\r");
    pty.finish();
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_ping_crosses_what_the_wizard_made_and_a_second_vpn_on_the_same_router() {
    in_each_with_tunnels(|cloud| {
        for &profile in profiles(cloud) {
            let mut pty = site_to_site(cloud, &[]);
            pty.send(choose(cloud, profile));
            create(pty);
            cloud.must("ping", &[HAMILTON, PORIRUA]);
            let sides = [(A, "border-router", &["private-subnet"][..]), (B, "office-router", &["office-subnet"])];
            let plan = cloud.plan("second", &plan_between("second", profile, sides));
            let (code, Printed { said, .. }) = cloud.osvpn(&["apply", &plan], &[]).end();
            assert_eq!(code, 0, "{said}");
            assert!(said.contains("reused   VPN service"), "{said}");
            assert_eq!(cloud.list(A, "vpn/vpnservices").len(), 1, "{} {profile:?}", cloud.release);
            cloud.must("ping", &[HAMILTON, OFFICE]);
            cloud.must("ping", &[HAMILTON, PORIRUA]);
            cloud.reset();
        }
    });
}

/// Enter at the proposal, at Create, at Admit traffic and at Finish: on a screen, and in lines.
#[test]
fn four_times_enter_make_a_vpn_that_is_pinged() {
    in_each_with_tunnels(|cloud| {
        for (terminal, review) in [("xterm-256color", "creates 12 objects"), ("dumb", "Create: 12 objects")] {
            let is_lines = terminal == "dumb";
            let before = [A, B].map(|region| cloud.list(region, "security-group-rules").len());
            let mut pty = cloud.osvpn(&[], &[("TERM", terminal)]);
            for said in ["hlz-por", review, "Admit traffic", "hlz-por carries traffic"] {
                pty.wait(said, |screen| screen.contains(said) && (!is_lines || screen.trim_end().ends_with(':')));
                pty.confirm("\r");
            }
            let (code, Printed { everything, .. }) = pty.end();
            assert_eq!(code, 0, "{terminal}: {everything}");
            let after = [A, B].map(|region| cloud.list(region, "security-group-rules").len());
            assert_eq!(after, before.map(|count| count + 1), "{terminal}: each default group admits the other side");
            cloud.must("ping", &[HAMILTON, PORIRUA]);
            cloud.reset();
        }
    });
}

#[test]
fn every_subnet_of_several_is_reached() {
    in_each_with_tunnels(|cloud| {
        // private-subnet is marked; the first is db-subnet.
        create(site_to_site(cloud, &[("Which subnets of Hamilton?", "1")]));
        assert_eq!(cloud.list(A, "vpn/ikepolicies")[0]["ike_version"], "v2", "IKEv1 would carry the first pair only");
        let pings = cloud.must("ping", &["--all", A, B]);
        for from in ["10.0.0.10", "10.0.1.10"] {
            assert!(pings.contains(&format!("ok   {from} -> 10.20.30.10")), "{pings}");
        }
    });
}

#[test]
fn several_subnets_over_ikev1_are_refused() {
    in_each_with_tunnels(|cloud| {
        let sides =
            [(A, "border-router", &["private-subnet", "db-subnet"][..]), (B, "border-router", &["private-subnet"])];
        let plan = cloud.plan("several", &plan_between("several", Profile::Catalyst, sides));
        let (code, Printed { said, .. }) = cloud.osvpn(&["apply", &plan], &[]).end();
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("IKEv1") && said.contains("Nothing was created."), "{said}");
        assert!(cloud.objects().is_empty());
    });
}

#[test]
fn a_peer_configured_from_the_hand_over_values_comes_up() {
    in_each_with_tunnels(|cloud| {
        for &profile in profiles(cloud) {
            let text = plan_to_peer("outside", profile, (A, "border-router", &["private-subnet"]));
            let plan = cloud.plan("outside", &text);
            let arguments = ["apply", &plan, "--wait", "0"];
            let (code, Printed { said, .. }) = cloud.osvpn(&arguments, &[("OSVPN_PSK", KEY)]).end();
            assert_eq!(code, 3, "the peer is not there yet: {said}");
            let file = cloud.home.path().join("swanctl.conf");
            std::fs::write(&file, swanctl(&said)).unwrap();
            let mut peer = cloud.start("peer", &["--hold", file.to_str().unwrap()]);
            let mut told = String::new();
            let mut lines = BufReader::new(peer.stdout.take().unwrap());
            while !told.ends_with("holding\n") && lines.read_line(&mut told).unwrap() > 0 {}
            assert!(told.ends_with("holding\n"), "{} {profile:?}: {told}\n{said}", cloud.release);
            assert!(told.contains("ok   10.0.0.10:"), "{told}");
            let (code, Printed { said, .. }) = cloud.osvpn(&["resume", "outside"], &[]).end();
            assert_eq!(code, 0, "{said}");
            assert!(said.contains("ACTIVE in nz-hlz-1"), "{said}");
            drop(peer.stdin.take());
            lines.read_to_string(&mut told).unwrap();
            assert!(peer.wait().unwrap().success(), "{told}");
            cloud.reset();
        }
    });
}

/// A strongSwan configuration for the peer, from nothing but what its owner is told.
fn swanctl(said: &str) -> String {
    let (_, rows) = said.split_once("For the owner of the peer:\n").unwrap();
    let row = |label: &str| {
        let found = rows.lines().find_map(|line| line.trim_start().strip_prefix(label));
        found.unwrap_or_else(|| panic!("no {label} in\n{rows}")).trim().to_owned()
    };
    let identity = |label: &str| row(label).split(' ').next().unwrap().to_owned();
    let (ike, ipsec) = (row("IKE (phase 1)"), row("IPsec (phase 2)"));
    let version = if ike.starts_with("IKEv1") { 1 } else { 2 };
    let proposal = |words: &str| {
        let has = |word: &str| words.split(", ").any(|part| part.trim_end() == word);
        assert!(has("aes-256") && words.contains("group14"), "{words}");
        format!("aes256-{}-modp2048", if has("sha1") { "sha1" } else { "sha256" })
    };
    let (ike, ipsec) = (proposal(&ike), proposal(&ipsec));
    assert_eq!(row("your local"), PEER.1);
    format!(
        "connections {{ cloud {{
  version = {version}
  proposals = {ike}
  local_addrs = {}
  remote_addrs = {}
  local {{ auth = psk
    id = {} }}
  remote {{ auth = psk
    id = {} }}
  children {{ networks {{
    esp_proposals = {ipsec}
    local_ts = {}
    remote_ts = {} }} }}
}} }}
secrets {{ ike-cloud {{
  secret = \"{KEY}\" }} }}
",
        row("your address"),
        row("connect to"),
        identity("your identity"),
        identity("our identity"),
        row("your local"),
        row("your remote"),
    )
}
