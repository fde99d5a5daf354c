//! Tunnels by real negotiations, with pings through them.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use osvpn::sheet::{PeerFormat, Tier};

use super::as_in_the_guide::KEY;
use super::cloud::{A, B, RealCloud, in_each_with_tunnels, say};
use super::guide_commands::Profile;
use super::maker_rules::swanctl_of;
use super::pty::{Printed, Pty};
use super::wizard::{choose, plan_between, plan_to_peer, site_to_site};

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

/// The sheets of `osvpn peer` that strongSwan reads, each used as it is by a strongSwan outside the cloud, and those of three
/// systems that run strongSwan, as their makers' rules have it read. The table of what came up is printed.
#[test]
fn a_peer_comes_up_from_its_sheet_alone() {
    in_each_with_tunnels(|cloud| {
        let one: &[&str] = &["private-subnet"];
        let cases = profiles(cloud).iter().map(|profile| (*profile, one));
        for (profile, subnets) in cases.chain([(Profile::Modern, &["private-subnet", "db-subnet"][..])]) {
            let plan = cloud.plan("outside", &plan_to_peer("outside", profile, (A, "border-router", subnets)));
            let arguments = ["apply", &plan, "--wait", "0"];
            let (code, Printed { said, .. }) = cloud.osvpn(&arguments, &[("OSVPN_PSK", KEY)]).end();
            assert_eq!(code, 3, "the peer is not there yet: {said}");
            for format in ["swanctl", "ipsec-conf", "vyos", "opnsense", "pfsense"] {
                let files = sheet(cloud, format);
                let told = comes_up(cloud, &files, subnets, false);
                let (tier, profile, count) = (tier(format), profile.name(), subnets.len());
                say(&format!("{} {format:<10} {profile:<8} {count} subnets, tier {tier}: {told}", cloud.release));
            }
            cloud.reset();
        }
    });
}

/// The same where the peer has a private address: it begins, and what is between the two sees UDP 4500 alone. With `IKEv1` the
/// cloud says DOWN for minutes if it had begun, too, so that is not played here.
#[test]
fn a_peer_behind_address_translation_comes_up_from_its_sheet_alone() {
    in_each_with_tunnels(|cloud| {
        let subnets: &[&str] = &["private-subnet"];
        let plan = cloud.plan("outside", &plan_to_peer("outside", Profile::Modern, (A, "border-router", subnets)));
        let (code, Printed { said, .. }) = cloud.osvpn(&["apply", &plan, "--wait", "0"], &[("OSVPN_PSK", KEY)]).end();
        assert_eq!(code, 3, "the peer is not there yet: {said}");
        let told = comes_up(cloud, &sheet(cloud, "swanctl"), subnets, true);
        say(&format!("{} swanctl    modern   1 subnets, tier A, behind NAT: {told}", cloud.release));
    });
}

/// How far a format is proven when it comes up: by itself, or as its maker's rules have it read.
fn tier(format: &str) -> char {
    let format = PeerFormat::all().unwrap().iter().find(|one| one.word == format).unwrap();
    if format.proof().tier == Tier::Tunnel { 'A' } else { 'B' }
}

/// Where a sheet with the key is, in the one or two files that strongSwan reads.
fn sheet(cloud: &RealCloud, format: &str) -> Vec<PathBuf> {
    let path = cloud.home.path().join(format);
    let _ = std::fs::remove_file(&path);
    let made = cloud.headless(&["peer", "outside", "--for", format, "--with-key", "-o", path.to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(KEY));
    if !["swanctl", "ipsec-conf"].contains(&format) {
        std::fs::write(&path, swanctl_of(format, &text)).unwrap();
    }
    let Some((first, second)) = text.split_once("# ---- /etc/ipsec.secrets\n") else { return vec![path] };
    let parts = [("ipsec.conf", first), ("ipsec.secrets", second)];
    let part = |(name, text): (&str, &str)| {
        let path = cloud.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    parts.map(part).into()
}

/// Starts the peer with these files, and asks osvpn whether the VPN is ACTIVE while it holds its tunnels. What was pinged.
fn comes_up(cloud: &RealCloud, files: &[PathBuf], subnets: &[&str], is_translated: bool) -> String {
    let mut arguments = vec!["--hold"];
    arguments.extend(is_translated.then_some("--behind-nat"));
    arguments.extend((files.len() == 2).then_some("--legacy"));
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let mut peer = cloud.start("peer", &arguments);
    let mut told = String::new();
    let mut lines = BufReader::new(peer.stdout.take().unwrap());
    while !told.ends_with("holding\n") && lines.read_line(&mut told).unwrap() > 0 {}
    if told.is_empty() && is_translated && peer.wait().unwrap().code() == Some(77) {
        assert!(std::env::var_os("OSVPN_REQUIRE_REAL").is_none(), "there is no nft");
        return "skipped: there is no nft".to_owned();
    }
    assert!(told.ends_with("holding\n"), "{} {files:?}: {told}", cloud.release);
    let pinged = told.matches("ok   10.").count();
    assert!(pinged >= subnets.len(), "{told}");
    // A cloud that had begun by itself, through a translation that lets nothing in, may say DOWN until it gives that up: minutes.
    let resumed = cloud.headless(&["resume", "outside"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stdout));
    drop(peer.stdin.take());
    lines.read_to_string(&mut told).unwrap();
    assert!(peer.wait().unwrap().success(), "{told}");
    format!("ACTIVE, {pinged} pings answered")
}
