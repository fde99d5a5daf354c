//! Keys for the wizard, and plans that say the same.

use super::cloud::RealCloud;
use super::guide_commands::Profile;
use super::pty::{self, Pty, STEPWISE};

/// A peer of `tests/openstack/peer`: its address, and the network behind it.
pub const PEER: (&str, &str) = ("198.51.100.7", "192.168.7.0/24");

const SITE_TO_SITE: [&str; 8] = [
    "What should be connected?",
    "Which is the first region?",
    "Which region is Hamilton connected with?",
    "Which router of Hamilton?",
    "Which subnets of Hamilton?",
    "Which router of Porirua?",
    "Which subnets of Porirua?",
    "[ Create ]",
];

const SINGLE: [&str; 6] = [
    "What should be connected?",
    "Which region?",
    "Which router of Hamilton?",
    "Which subnets of Hamilton?",
    "Who is the external peer?",
    "creates 6 objects",
];

/// The wizard at the review of a VPN between two regions: at each of these steps those keys, then Enter everywhere.
#[track_caller]
pub fn site_to_site(cloud: &RealCloud, answers: &[(&str, &str)]) -> Pty {
    let mut pty = cloud.osvpn(&[], &[]);
    answer(&mut pty, &SITE_TO_SITE, &[&[("What should be connected?", STEPWISE)], answers].concat());
    pty
}

/// The same for a VPN to an external peer, which is waited for so many seconds.
#[track_caller]
pub fn single(cloud: &RealCloud, wait: &str) -> Pty {
    let mut pty = cloud.osvpn(&["--wait", wait], &[]);
    let peer = format!("{}\t\t{}", PEER.0, PEER.1);
    let answers = [("What should be connected?", pty::SINGLE), ("Who is the external peer?", &peer)];
    answer(&mut pty, &SINGLE, &answers);
    pty
}

/// Answers those of the steps that are asked: one with a single candidate is not. The last is only waited for.
#[track_caller]
pub fn answer(pty: &mut Pty, steps: &[&str], answers: &[(&str, &str)]) {
    let mut rest = steps;
    loop {
        let (step, _) = pty.settled_at(rest);
        rest = rest.split_at(rest.iter().position(|one| *one == step).unwrap() + 1).1;
        if rest.is_empty() {
            return;
        }
        for (_, keys) in answers.iter().filter(|(asked, _)| *asked == step) {
            pty.send(keys);
        }
        pty.send("\r");
    }
}

/// The key that changes from the policy of a review to a profile the release stores.
pub fn choose(cloud: &RealCloud, profile: Profile) -> &'static str {
    if profile == Profile::of(cloud.release) { "" } else { "p" }
}

/// One side of a plan: region, router, subnets.
pub type Side<'a> = (&'a str, &'a str, &'a [&'a str]);

pub fn plan_between(name: &str, profile: Profile, sides: [Side<'_>; 2]) -> String {
    let halves = sides.map(half).concat();
    let profile = profile.name();
    format!("version = 1\nname = \"{name}\"\nmode = \"site-to-site\"\nprofile = \"{profile}\"\n{halves}")
}

pub fn plan_to_peer(name: &str, profile: Profile, side: Side<'_>) -> String {
    let (half, profile) = (half(side), profile.name());
    let peer = format!("[peer]\naddress = \"{}\"\ncidrs = [\"{}\"]\n", PEER.0, PEER.1);
    format!("version = 1\nname = \"{name}\"\nmode = \"single\"\nprofile = \"{profile}\"\n{half}{peer}")
}

fn half((region, router, subnets): Side<'_>) -> String {
    format!("[[half]]\nregion = \"{region}\"\nrouter = \"{router}\"\nsubnets = {subnets:?}\n")
}
