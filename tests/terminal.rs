//! The wizard in a terminal, as a person meets it: keys in, screen out, and the terminal as it was afterwards.

use crate::support::pty;
use std::net::TcpListener;
use std::time::Duration;

use osvpn::simulator::{FaultEffect, Gate, InjectedFault, LoggedRequest, Simulator, SimulatorSettings};
use tempfile::TempDir;
use tokio::runtime::Runtime;

mod input;
mod interrupted;
mod lines;
mod received;
mod signing_in;
mod stopping;
mod vpns;
use pty::{Closing, Printed, Pty, SINGLE, STEPWISE, YOUR_VPNS};

const ESC: &str = "\x1b";
const DOWN: &str = "\x1b[B";
const CTRL_C: &str = "\x03";

/// The headings of site-to-site mode up to the review, and what the answer given with Enter is called in the demo.
const STEPS: [&str; 6] = [
    "What should be connected?",
    "Which is the first region?",
    "Which router of Hamilton?",
    "Which subnets of Hamilton?",
    "Which router of Porirua?",
    // The review: only what is read completely can be created.
    "creates 12 objects",
];

/// A simulated cloud beside the program, so that the test can look into it.
struct Scene {
    home: TempDir,
    cloud: Simulator,
    runtime: Runtime,
}

impl Scene {
    fn new(settings: SimulatorSettings) -> Self {
        let runtime = Runtime::new().unwrap();
        let cloud = runtime.block_on(Simulator::start(settings)).unwrap();
        Self { home: tempfile::tempdir().unwrap(), cloud, runtime }
    }

    fn wizard(&self, args: &[&str]) -> Pty {
        Pty::start(self.home.path(), args, &self.cloud.environment())
    }

    fn objects(&self) -> usize {
        self.cloud.count("nz-hlz-1") + self.cloud.count("nz-por-1")
    }
}

/// Takes what every step up to that one offers.
#[track_caller]
fn enter_until(pty: &mut Pty, last: &str) {
    for step in STEPS {
        pty.settled(step);
        if step.starts_with(last) {
            return;
        }
        if step == STEPS[0] {
            pty.send(STEPWISE);
        }
        pty.send("\r");
    }
    panic!("there is no step {last}");
}

#[test]
fn enter_alone_leads_from_the_first_screen_to_an_active_vpn() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    enter_until(&mut pty, "creates");
    pty.wait_alternate(true);
    pty.confirm("\r");
    pty.finish();
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 0);
    for part in
        ["VPN hlz-por is ACTIVE", "A Hamilton (nz-hlz-1): ACTIVE", "B Porirua", "2 security-group rules are missing"]
    {
        assert!(said.contains(part), "{part:?} is missing from\n{said}");
    }
    assert!(said.contains("This was the demo cloud"), "{said}");
}

#[test]
fn four_keys_lead_to_a_vpn_that_carries_traffic() {
    let scene = Scene::new(SimulatorSettings::default());
    let rules = || ["nz-hlz-1", "nz-por-1"].map(|region| scene.cloud.collection(region, "security-group-rules").len());
    let before = rules();
    let mut pty = scene.wizard(&[]);
    for shown in ["border-router 10.20.30.0/24", "creates 12 objects", "[ Admit traffic ]", "carries traffic"] {
        pty.settled(shown);
        pty.confirm("\r");
    }
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 0, "{said}");
    assert_eq!(rules(), before.map(|count| count + 1), "instances of both sides accept traffic from the other");
    assert!(said.contains("VPN hlz-por") && said.contains("the security-group rules of hlz-por"), "{said}");
    assert!(!said.contains("osvpn admit"), "nothing is left to do:\n{said}");
}

#[test]
fn single_mode_asks_only_for_the_peer_and_ends_honestly() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo", "--wait", "3"], &[]);
    pty.wait_for("What should be connected?");
    pty.send(SINGLE);
    pty.confirm("\r");
    for step in ["Which region?", "Which router of Hamilton?", "Which subnets of Hamilton?"] {
        pty.settled(step);
        pty.confirm("\r");
    }
    pty.wait_for("Who is the external peer?");
    pty.send("198.18.0.7\t\t192.168.7.0/24\r");
    pty.settled("creates 6 objects");
    pty.confirm("\r");
    pty.wait_for("is created, but not ACTIVE yet");
    pty.confirm("\t\r");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 3, "{said}");
    for part in [
        "exists, but is not ACTIVE yet",
        "For the owner of the peer:",
        "your address     198.18.0.7",
        "-c 'Pre-shared Key'",
    ] {
        assert!(said.contains(part), "{part:?} is missing from\n{said}");
    }
}

#[test]
fn going_back_keeps_every_answer() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    enter_until(&mut pty, "Which is the first region?");
    pty.send(DOWN);
    pty.confirm("\r");
    pty.settled("Which router of Porirua?");
    for step in ["Which is the first region?", "What should be connected?"] {
        pty.send(ESC);
        pty.wait_for(step);
    }
    pty.enter_at("choose step by step");
    pty.enter_at("Which is the first region?");
    pty.wait_for("Which router of Porirua?");
    pty.send(CTRL_C);
    pty.wait_for("Leave osvpn?");
    pty.send(CTRL_C);
    assert_eq!(pty.end().0, 130);
}

#[test]
fn a_window_made_too_small_and_large_again_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    enter_until(&mut pty, "Which router of Hamilton?");
    pty.resize(40, 10);
    pty.wait_for("this is 40x10");
    pty.resize(100, 30);
    let screen = pty.wait_for("Which router of Hamilton?");
    assert!(screen.contains("border-router"), "{screen}");
    pty.send(CTRL_C);
    pty.wait_for("Leave osvpn?");
    pty.send(CTRL_C);
    pty.end();
}

#[test]
fn ctrl_c_before_creation_asks_once_and_then_leaves() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    enter_until(&mut pty, "creates");
    pty.send(CTRL_C);
    pty.wait_for("Nothing has been created in the cloud");
    pty.send(ESC);
    pty.wait("the dialog to go", |screen| !screen.contains("Nothing has been created"));
    pty.send(CTRL_C);
    pty.wait_for("Nothing has been created in the cloud");
    pty.send(CTRL_C);
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!((code, said.trim()), (130, "Nothing was created."));
}

/// A cloud whose agents never report, so that a run stays where it waits for ACTIVE.
fn waiting() -> (Scene, Pty, usize) {
    waiting_with(&[])
}

fn waiting_with(args: &[&str]) -> (Scene, Pty, usize) {
    let scene = Scene::new(SimulatorSettings { report_interval: Duration::MAX, ..SimulatorSettings::default() });
    let before = scene.objects();
    let mut pty = scene.wizard(args);
    enter_until(&mut pty, "creates");
    pty.confirm("\r");
    pty.wait_for("waiting for ACTIVE");
    // What is told at the end is what was read last.
    pty.wait_for("PENDING_CREATE");
    pty.send(CTRL_C);
    pty.wait_for("Stop waiting");
    (scene, pty, before)
}

#[test]
fn ctrl_c_during_a_run_can_be_taken_back() {
    let scene =
        Scene::new(SimulatorSettings { report_interval: Duration::from_secs(3600), ..SimulatorSettings::default() });
    let mut pty = scene.wizard(&[]);
    enter_until(&mut pty, "creates");
    pty.confirm("\r");
    pty.wait_for("waiting for ACTIVE");
    pty.send(CTRL_C);
    pty.wait_for("Stop waiting");
    pty.confirm("\r");
    pty.wait("the dialog to go", |screen| !screen.contains("Stop waiting"));
    scene.cloud.reconfigure(|settings| settings.report_interval = Duration::from_millis(40));
    pty.finish();
    assert_eq!(pty.end().0, 0);
}

#[test]
fn ctrl_c_during_a_run_can_stop_and_keep() {
    let (scene, mut pty, before) = waiting_with(&["--verbose"]);
    pty.confirm("\t\r");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 130);
    assert_eq!(scene.objects(), before + 12);
    assert_eq!(said.matches("  created  ").count(), 12, "{said}");
    let by_hand = said.lines().filter(|line| line.contains("openstack ") && line.contains(" delete "));
    assert_eq!(by_hand.count(), 0, "{said}");
    assert!(said.contains("osvpn delete"), "{said}");
    for (part, count) in [("SECURITY_GROUP", 2), ("connection is PENDING_CREATE", 2), ("To check again:", 1)] {
        assert_eq!(said.matches(part).count(), count, "{part:?} in\n{said}");
    }
}

/// Everything exists, so it may become ACTIVE with nobody watching.
#[track_caller]
fn is_told_like_one_that_is_not_active_yet(said: &str) {
    assert!(said.starts_with("VPN hlz-por exists.") && said.matches(": PENDING_CREATE").count() == 2, "{said}");
    assert!(said.trim_end().ends_with("osvpn resume hlz-por"), "{said}");
}

#[test]
fn ctrl_c_during_a_run_can_stop_and_undo() {
    let (scene, mut pty, before) = waiting();
    pty.confirm("\t\t\r");
    pty.wait_for("hlz-por is rolled back");
    assert_eq!(scene.objects(), before);
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 130);
    assert!(said.contains("everything it created is deleted"), "{said}");
}

#[test]
fn ctrl_c_during_creation_settles_the_requests_under_way() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = scene.objects();
    let gate = Gate::closed();
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("vpnservices"));
    let mut pty = scene.wizard(&[]);
    enter_until(&mut pty, "creates");
    pty.confirm("\r");
    scene.runtime.block_on(gate.arrived());
    pty.send(CTRL_C);
    pty.wait_for("Stop and keep");
    pty.confirm("\t\r");
    pty.wait_for("Stopping");
    gate.open();
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 130);
    assert!(said.contains(&format!(": {} objects exist.", scene.objects() - before)), "{said}");
    assert!(scene.objects() < before + 12, "the rest was not begun");
}

#[test]
fn a_signal_gives_the_terminal_back_and_names_what_exists() {
    let home = tempfile::tempdir().unwrap();
    for (signal, expected) in [("TERM", 130), ("HUP", 130), ("INT", 130)] {
        let mut pty = Pty::start(home.path(), &["--demo"], &[]);
        enter_until(&mut pty, "Which is the first region?");
        pty.signal(signal);
        let (code, Printed { said, .. }) = pty.end();
        assert_eq!((code, said.trim()), (expected, "Nothing was created."));
    }
    let (scene, pty, before) = waiting();
    pty.signal("TERM");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!((code, scene.objects()), (130, before + 12));
    is_told_like_one_that_is_not_active_yet(&said);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_until_it_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    enter_until(&mut pty, "Which is the first region?");
    pty.send("\x1a");
    pty.wait_stopped();
    pty.wait_alternate(false);
    pty.signal("CONT");
    pty.wait_alternate(true);
    pty.settled("Which is the first region?");
    pty.confirm("\r");
    pty.settled("Which router of Hamilton?");
    pty.signal("TERM");
    pty.end();
}

#[test]
fn the_first_frame_and_the_keys_do_not_wait_for_the_network() {
    let home = tempfile::tempdir().unwrap();
    // It accepts connections and never answers.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let vars = [
        ("OS_AUTH_URL", format!("http://{}/v3", mute.local_addr().unwrap())),
        ("OS_USERNAME", "demo".to_owned()),
        ("OS_PASSWORD", "demo".to_owned()),
        ("OS_PROJECT_NAME", "demo".to_owned()),
        ("OS_USER_DOMAIN_NAME", "Default".to_owned()),
        ("OS_PROJECT_DOMAIN_NAME", "Default".to_owned()),
    ];
    let mut pty = Pty::start(home.path(), &[], &vars);
    pty.wait_for("Waiting for Keystone");
    println!("first frame {:?} after the start", pty.started.elapsed());
    pty.wait_for("What should be connected?");
    pty.send("3");
    pty.wait_for("Which region?");
    pty.send("q");
    assert_eq!(pty.end().0, 130);
}

#[test]
fn every_region_is_read_within_two_round_trips() {
    let scene = Scene::new(SimulatorSettings::default());
    scene.cloud.inject(InjectedFault::together(3 * 5).method("GET").path("/v2.0/"));
    let mut pty = scene.wizard(&[]);
    enter_until(&mut pty, STEPS[0]);
    pty.wait_for("border-router 10.20.30.0/24");
    let requests = scene.cloud.requests();
    // What can be connected depends on where the likeliest routers stand: one request more, where there is VPNaaS. That the
    // page tells of public keys is no part of what is waited for.
    for (region, ports) in [("nz-hlz-1", 1), ("nz-por-1", 1), ("nz-wlg-2", 0)] {
        let is_counted = |request: &&LoggedRequest| {
            request.region.as_deref() == Some(region) && !request.path.ends_with("?fields=psk")
        };
        let of_region = || requests.iter().filter(is_counted);
        let asked = of_region().filter(|request| request.path.contains("/v2.0/ports?")).count();
        assert_eq!((of_region().count(), asked), (5 + ports, ports), "{region}: {requests:#?}");
    }
    pty.signal("TERM");
    pty.end();
}

#[test]
fn a_region_that_asks_to_wait_is_read_when_it_allows_and_the_wait_is_on_the_screen() {
    let scene = Scene::new(SimulatorSettings::default());
    let busy = InjectedFault::new(FaultEffect::too_many_requests(2)).method("GET").region("nz-hlz-1").path("/routers");
    scene.cloud.inject(busy);
    let mut pty = scene.wizard(&[]);
    pty.wait_for("nz-hlz-1: 429 from the cloud; retrying in 2.");
    enter_until(&mut pty, "Which is the first region?");
    pty.signal("TERM");
    pty.end();
}

#[test]
fn without_credentials_the_demo_is_one_key_away() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &[], &[]);
    pty.wait_for("No OpenStack credentials");
    pty.send("d");
    pty.settled("What should be connected?");
    pty.send(CTRL_C);
    assert_eq!(pty.end().0, 130, "there is nothing to lose yet");
}

#[test]
fn without_credentials_leaving_is_wrong_usage_and_says_where_they_were_looked_for() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &[], &[]);
    pty.wait_for("No OpenStack credentials");
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("not there: ") && said.contains("OS_AUTH_URL") && said.contains("Nothing was created."),
        "{said}"
    );
}

#[test]
fn leaving_after_a_refused_sign_in_is_a_failure() {
    let scene = Scene::new(SimulatorSettings::default());
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(401)).path("/auth/tokens").always());
    let mut pty = scene.wizard(&[]);
    pty.wait_for("refused the password");
    pty.send(ESC);
    pty.wait_for("Not signed in");
    pty.send("q");
    assert_eq!(pty.end().0, 1);
}

#[test]
fn without_colours_and_utf_8_nothing_but_plain_characters_is_written() {
    let home = tempfile::tempdir().unwrap();
    let vars = [("NO_COLOR", "1".to_owned()), ("LANG", "C".to_owned())];
    let mut pty = Pty::start(home.path(), &["--demo"], &vars);
    enter_until(&mut pty, "Which router of Hamilton?");
    pty.signal("TERM");
    let (_, Printed { everything, .. }) = pty.end();
    assert!(everything.is_ascii());
    let colours = everything.split("\x1b[").filter_map(|rest| rest.split_once('m')).map(|(parameters, _)| parameters);
    let is_colour = |parameters: &str| parameters.starts_with("38;") || parameters.starts_with("48;");
    assert_eq!(colours.filter(|parameters| is_colour(parameters)).count(), 0);
}
