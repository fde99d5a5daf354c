//! VPNs that exist, from the list to a change and the proof after it: with a cloud that behaves, and with one that does
//! not.

use osvpn::simulator::Gate;
use serde_json::json;

use super::*;

const RIGHT: &str = "\x1b[C";
const LEFT: &str = "\x1b[D";

/// The wizard at the list, with all of it read.
fn at_the_list(scene: &Scene) -> Pty {
    let mut pty = scene.wizard(&[]);
    pty.settled(STEPS[0]);
    pty.send(&format!("{YOUR_VPNS}\r"));
    pty.wait("the list", |screen| {
        let is_there = screen.contains("Your VPNs") && screen.contains(" VPNs.") || screen.contains("1 VPN.");
        is_there && !screen.contains(STEPS[0])
    });
    pty
}

/// The same, at the VPN of that number, diagnosed.
fn at_vpn(scene: &Scene, number: &str) -> Pty {
    let mut pty = at_the_list(scene);
    pty.send(number);
    pty.wait_for("halves match");
    pty
}

/// Agrees to the question on the screen, with the name where it wants that.
#[track_caller]
fn agree(pty: &mut Pty) {
    let is_at_no = |screen: &str| ["[ Keep ", "[ Not now ]"].iter().any(|no| screen.contains(no));
    let screen = pty.wait("the question", is_at_no);
    if !screen.contains("To do it, type office") {
        return pty.confirm("y");
    }
    pty.send("office");
    pty.wait("the focus on the other answer", |screen| !is_at_no(screen));
    pty.confirm("\r");
}

/// Goes back to the VPN and leaves; the report is printed.
#[track_caller]
fn back_and_leave(mut pty: Pty) -> (u32, String) {
    pty.wait_for("[ Show VPN ]");
    pty.confirm("\r");
    pty.wait("the fresh proof", |screen| screen.contains("halves match") && !screen.contains("Waiting for ACTIVE"));
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    (code, said)
}

fn keys(scene: &Scene) -> Vec<String> {
    let regions = ["nz-hlz-1", "nz-por-1"].into_iter();
    let connections = regions.flat_map(|region| scene.cloud.collection(region, "ipsec-site-connections"));
    let office = connections.filter(|connection| connection["name"].as_str().unwrap().starts_with("office"));
    office.map(|connection| connection["psk"].as_str().unwrap().to_owned()).collect()
}

fn journals(scene: &Scene) -> usize {
    let entries = std::fs::read_dir(scene.home.path().join(".local/state/osvpn"));
    let is_change = |entry: &std::io::Result<std::fs::DirEntry>| {
        entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "change")
    };
    entries.map_or(0, |entries| entries.filter(is_change).count())
}

fn put(path: &str, region: &str, effect: FaultEffect) -> InjectedFault {
    InjectedFault::new(effect).method("PUT").path(path).region(region)
}

#[test]
fn whoever_only_looks_changes_nothing_and_statuses_come_by_themselves() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = at_vpn(&scene, "1");
    pty.send(LEFT);
    pty.wait_for("[ Delete ]");
    let office = scene.cloud.collection("nz-por-1", "ipsec-site-connections");
    let office = office.iter().find(|one| one["name"].as_str().unwrap().starts_with("office")).unwrap();
    scene.cloud.alter("nz-por-1", "ipsec-site-connections", office["id"].as_str().unwrap(), json!({"status": "ODD"}));
    scene.cloud.reconfigure(|settings| settings.report_interval = Duration::MAX);
    scene.cloud.alter("nz-por-1", "ipsec-site-connections", office["id"].as_str().unwrap(), json!({"status": "ODD"}));
    let screen = pty.wait_for("Porirua (nz-por-1): ODD");
    assert!(screen.contains("[ Delete ]"), "the focus has not moved:\n{screen}");
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!((code, said.trim()), (0, "Nothing was changed."));
    let wrote = |request: &osvpn::simulator::LoggedRequest| request.method != "GET" && !request.path.contains("/auth/");
    assert!(!scene.cloud.requests().iter().any(wrote));
}

#[test]
fn the_key_everybody_knows_is_replaced_and_the_proof_says_so() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = at_the_list(&scene);
    pty.send("2");
    // A key that everybody knows stands first.
    pty.wait_for("[ Fix 1 ]");
    pty.send("m");
    agree(&mut pty);
    let (code, said) = back_and_leave(pty);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Done: the new key of"), "{said}");
    let connections = scene.cloud.collection("nz-hlz-1", "ipsec-site-connections");
    assert!(connections.iter().all(|connection| connection["psk"] != "pre_shared_key"));
}

/// A new key whose way to that region ends so.
fn new_key(region: &str, effect: FaultEffect) -> (Scene, Pty) {
    let scene = Scene::new(SimulatorSettings::default());
    let before = keys(&scene);
    let mut pty = at_vpn(&scene, "1");
    scene.cloud.inject(put("ipsec-site-connections", region, effect));
    pty.send("n");
    agree(&mut pty);
    pty.wait("its end", |screen| screen.contains("checking the lost") || screen.contains("[ Show VPN ]"));
    let after = keys(&scene);
    assert!(after[0] == after[1] && after != before);
    (scene, pty)
}

#[test]
fn a_new_key_reaches_both_halves_whatever_becomes_of_the_answers() {
    for region in ["nz-hlz-1", "nz-por-1"] {
        let (scene, pty) = new_key(region, FaultEffect::CloseAfter);
        assert_eq!((back_and_leave(pty).0, journals(&scene)), (0, 0));
    }
    // A gateway that gives up may have passed the request on, and then it is acted upon once more.
    let (scene, mut pty) = new_key("nz-por-1", FaultEffect::status(503));
    pty.wait_for("checking the lost request");
    pty.send("q");
    pty.wait_for("is still waited for");
    pty.send(RIGHT);
    pty.confirm("\r");
    let (code, Printed { said, .. }) = pty.end();
    assert!(code == 1 && said.contains("an answer was lost"), "{code} {said}");
    assert_eq!(journals(&scene), 1, "whoever resumes looks again");
    // Nor does a terminal that is taken away lose anything.
    let (scene, mut pty) = new_key("nz-por-1", FaultEffect::status(503));
    pty.wait_for("checking the lost request");
    pty.send("?");
    let code = pty.close(Closing::AtOnce).wait().unwrap().exit_code();
    assert_eq!((code, journals(&scene)), (130, 1));
}

const OWN_KEY: &str = "Agreed0upon1by2both3ends";

/// A VPN to an external peer that nobody waits for, and the wizard at the field for a key of one's own.
fn at_own_key(scene: &Scene) -> Pty {
    let plan = "version = 1\nname = \"test-vpn\"\nmode = \"single\"\n[[half]]\nregion = \"nz-hlz-1\"\n\
                router = \"border-router\"\nsubnets = [\"private-subnet\"]\n[peer]\naddress = \"198.18.0.7\"\n\
                cidrs = [\"192.168.7.0/24\"]\n";
    std::fs::write(scene.home.path().join("plan.toml"), plan).unwrap();
    std::fs::write(scene.home.path().join("key"), "The1first2key3of4this5vpn\n").unwrap();
    let pty = scene.wizard(&["apply", "plan.toml", "--psk-file", "key", "--wait", "0"]);
    assert_eq!(pty.end().0, 3);
    let mut pty = at_the_list(scene);
    pty.wait_for("2 test-vpn");
    pty.send("2");
    pty.wait_for("does not answer");
    pty.send("n");
    pty.enter_at("A key of your own");
    pty
}

/// How many connections of Hamilton have that key.
fn with_own_key(scene: &Scene) -> usize {
    let connections = scene.cloud.collection("nz-hlz-1", "ipsec-site-connections");
    connections.iter().filter(|connection| connection["psk"] == OWN_KEY).count()
}

/// An external peer cannot be told a key that is made here; and a key that was typed is not asked for again by Retry.
#[test]
fn a_key_that_a_peer_outside_has_reaches_the_cloud_and_nothing_else() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = at_own_key(&scene);
    pty.send(OWN_KEY);
    pty.wait_for("24 characters");
    scene.cloud.inject(put("ipsec-site-connections", "nz-hlz-1", FaultEffect::status(409)));
    pty.confirm("\r");
    agree(&mut pty);
    pty.enter_at("[ Retry ]");
    pty.wait_for("[ Show VPN ]");
    assert_eq!(with_own_key(&scene), 1);
    pty.send("q");
    let (_, Printed { everything, .. }) = pty.end();
    assert!(!everything.contains(&OWN_KEY[..12]));
    assert_eq!(journals(&scene), 0);
}

#[test]
fn a_key_of_ones_own_is_asked_for_again_by_the_wizard_that_finishes_what_was_cut_off() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = at_own_key(&scene);
    pty.send(OWN_KEY);
    pty.confirm("\r");
    let gate = Gate::closed();
    scene.cloud.inject(put("ipsec-site-connections", "nz-hlz-1", FaultEffect::Held(gate.clone())));
    agree(&mut pty);
    scene.runtime.block_on(gate.arrived());
    pty.signal("KILL");
    drop(pty);
    scene.cloud.clear_faults();
    assert_eq!(journals(&scene), 1);
    let mut pty = scene.wizard(&[]);
    pty.enter_at("Interrupted: the new key of test-vpn");
    pty.enter_at("[ Enter key ]");
    pty.wait_for("once more");
    pty.send(OWN_KEY);
    pty.wait_for("24 characters");
    pty.confirm("\r");
    pty.wait_for("New key of test-vpn: done");
    assert_eq!((with_own_key(&scene), journals(&scene)), (1, 0));
    pty.send("q");
    let (_, Printed { everything, said, .. }) = pty.end();
    assert!(said.contains("Done: the new key of test-vpn"), "{said}");
    assert!(!everything.contains(&OWN_KEY[..12]));
}

/// A cloud whose VPNs all have the key everybody knows.
fn all_public() -> Scene {
    let scene = Scene::new(SimulatorSettings::default());
    for region in ["nz-hlz-1", "nz-por-1"] {
        for connection in scene.cloud.collection(region, "ipsec-site-connections") {
            let id = connection["id"].as_str().unwrap();
            scene.cloud.alter(region, "ipsec-site-connections", id, json!({"psk": "pre_shared_key"}));
        }
    }
    scene
}

#[test]
fn a_stop_without_a_screen_settles_the_vpn_it_is_at_and_leaves_the_rest() {
    let scene = all_public();
    let gate = Gate::closed();
    scene.cloud.inject(put("ipsec-site-connections", "nz-hlz-1", FaultEffect::Held(gate.clone())));
    let pty = scene.wizard(&["rotate-psk", "--all-public-keys", "--yes"]);
    scene.runtime.block_on(gate.arrived());
    pty.signal("INT");
    pty.wait_for("stopping");
    gate.open();
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 130, "{said}");
    assert!(
        said.contains("Done: the new key of") && said.contains("Not begun, because you stopped before it: "),
        "{said}"
    );
    assert!(!said.contains("failed"), "what was not begun has not failed: {said}");
    let public = scene.cloud.collection("nz-hlz-1", "ipsec-site-connections");
    assert_eq!(public.iter().filter(|connection| connection["psk"] == "pre_shared_key").count(), 1);
    assert_eq!(journals(&scene), 0);
}

#[test]
fn all_vpns_with_the_key_everybody_knows_get_new_ones_after_one_question() {
    let scene = all_public();
    let mut pty = at_the_list(&scene);
    pty.wait_for("3 public keys");
    pty.send("3");
    agree(&mut pty);
    pty.enter_at("[ Your VPNs ]");
    pty.wait_for("2 VPNs.");
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    assert!(code == 0 && said.matches("Done: the new key of").count() == 2, "{said}");
    let public = |region| {
        let connections = scene.cloud.collection(region, "ipsec-site-connections");
        connections.iter().filter(|connection| connection["psk"] == "pre_shared_key").count()
    };
    assert_eq!((public("nz-hlz-1"), public("nz-por-1"), journals(&scene)), (0, 0, 0));
}

#[test]
fn a_region_that_hangs_does_not_hide_the_vpns_of_the_others() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = scene.wizard(&[]);
    pty.settled(STEPS[0]);
    let gate = Gate::closed();
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).path("ikepolicies").region("nz-wlg-2"));
    pty.send(&format!("{YOUR_VPNS}\r"));
    pty.wait("what is known", |screen| screen.contains("Wellington") && screen.contains(" reading"));
    pty.send("1");
    pty.wait_for("halves match");
    pty.send("n");
    pty.wait_for("It is still being read");
    assert_eq!(keys(&scene).len(), 2);
    gate.open();
    // What is wanted is asked as soon as everything is known.
    pty.wait_for("[ Keep the key ]");
    pty.confirm("\r");
    pty.wait("the question is gone", |screen| !screen.contains("Keep the key"));
    pty.send("q");
    assert_eq!(pty.end().0, 0);
}

#[test]
fn a_cloud_that_is_busy_is_asked_again_and_the_pause_is_on_the_screen() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = keys(&scene);
    let mut pty = at_vpn(&scene, "1");
    scene.cloud.inject(put("ipsec-site-connections", "nz-por-1", FaultEffect::too_many_requests(2)));
    pty.send("n");
    agree(&mut pty);
    // Where the line breaks depends on the ids in it.
    pty.wait_for("429");
    let (code, _) = back_and_leave(pty);
    let after = keys(&scene);
    assert!(code == 0 && after[0] == after[1] && after != before);
    assert_eq!(journals(&scene), 0);
}

#[test]
fn a_key_that_one_half_refuses_is_put_back_on_the_other_and_can_be_tried_again() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = keys(&scene);
    let mut pty = at_vpn(&scene, "1");
    scene.cloud.inject(put("ipsec-site-connections", "nz-por-1", FaultEffect::status(500)));
    pty.send("n");
    agree(&mut pty);
    let screen = pty.wait_for("stopped at a failure");
    assert!(screen.contains("[ Retry ]") && screen.contains("Number"), "{screen}");
    assert_eq!(keys(&scene), before, "nobody is left with another key");
    pty.confirm("\r");
    let (code, _) = back_and_leave(pty);
    let after = keys(&scene);
    assert!(code == 0 && after[0] == after[1] && after != before);
}

#[test]
fn a_token_that_expires_in_the_middle_of_a_change_is_renewed_without_a_word() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = keys(&scene);
    let gate = Gate::closed();
    let mut pty = at_vpn(&scene, "1");
    scene.cloud.inject(put("ipsec-site-connections", "nz-hlz-1", FaultEffect::Held(gate.clone())));
    pty.send("n");
    agree(&mut pty);
    scene.runtime.block_on(gate.arrived());
    scene.cloud.expire_tokens();
    gate.open();
    let (code, _) = back_and_leave(pty);
    let after = keys(&scene);
    assert!(code == 0 && after[0] == after[1] && after != before);
}

#[test]
fn missing_security_group_rules_are_made_and_go_with_the_vpn() {
    let scene = Scene::new(SimulatorSettings::default());
    let rules = || scene.cloud.collection("nz-hlz-1", "security_group_rules").len();
    let before = rules();
    let mut pty = at_vpn(&scene, "1");
    scene.cloud.inject(InjectedFault::new(FaultEffect::CloseAfter).method("POST").path("security-group-rules"));
    pty.send("a");
    agree(&mut pty);
    pty.wait_for("[ Show VPN ]");
    assert_eq!(rules(), before + 1, "one rule, though its answer was lost");
    pty.confirm("\r");
    pty.wait("the fresh diagnosis", |screen| screen.contains("halves match.") && !screen.contains("But instances"));
    pty.send("d");
    agree(&mut pty);
    pty.enter_at("[ Your VPNs ]");
    pty.wait_for("1 VPN.");
    assert_eq!(rules(), before);
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Added the security-group rules of office") && said.contains("Deleted office"), "{said}");
}

#[test]
fn a_deleted_vpn_is_gone_with_both_halves_whatever_becomes_of_the_answers() {
    for effect in [FaultEffect::CloseAfter, FaultEffect::status(503), FaultEffect::CloseBefore] {
        let scene = Scene::new(SimulatorSettings::default());
        let before = scene.objects();
        let mut pty = at_vpn(&scene, "1");
        scene.cloud.inject(
            InjectedFault::new(effect.clone()).method("DELETE").path("ipsec-site-connections").region("nz-por-1"),
        );
        scene.cloud.inject(InjectedFault::new(effect).method("DELETE").path("vpnservices").region("nz-hlz-1"));
        pty.send("d");
        agree(&mut pty);
        pty.enter_at("[ Your VPNs ]");
        pty.wait_for("1 VPN.");
        assert_eq!(before - scene.objects(), 12);
        pty.send("q");
        let (code, Printed { said, .. }) = pty.end();
        assert!(code == 0 && said.contains("Deleted office"), "{said}");
    }
}

#[test]
fn other_subnets_are_tunnelled_and_a_choice_that_cannot_work_comes_with_an_upgrade() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = scene.wizard(&[]);
    enter_until(&mut pty, "creates");
    pty.confirm("\r");
    pty.finish();
    pty.end();
    let mut pty = at_vpn(&scene, "1");
    pty.send("s");
    pty.wait_for("Which subnets of Hamilton from now on?");
    pty.send("1\r");
    pty.wait_for("Which subnets of Porirua from now on?");
    pty.confirm("\r");
    // The guide's policy is IKEv1, which carries only one pair.
    pty.wait_for("Upgrade hlz-por and change its subnets?");
    pty.send(ESC);
    pty.wait("the list", |screen| !screen.contains("Upgrade hlz-por and"));
    pty.send(ESC);
    pty.wait_for("Which subnets of Hamilton from now on?");
    // Marked are the first, by the last try, and the one that was tunnelled so far.
    pty.send("2\r");
    pty.wait_for("Which subnets of Porirua from now on?");
    scene
        .cloud
        .inject(InjectedFault::new(FaultEffect::CloseAfter).method("POST").path("endpoint-groups").region("nz-hlz-1"));
    scene.cloud.inject(put("ipsec-site-connections", "nz-por-1", FaultEffect::CloseAfter));
    pty.confirm("\r");
    agree(&mut pty);
    let (code, said) = back_and_leave(pty);
    assert!(code == 0 && said.contains("Done: the new subnets of hlz-por"), "{said}");
    let groups = scene.cloud.collection("nz-por-1", "endpoint_groups");
    assert!(groups.iter().any(|group| group["endpoints"] == json!(["10.0.1.0/24"])), "{groups:?}");
    assert_eq!(journals(&scene), 0);
}

#[test]
fn a_region_that_fails_is_named_and_the_rest_is_shown() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = scene.wizard(&[]);
    pty.settled(STEPS[0]);
    scene
        .cloud
        .inject(InjectedFault::new(FaultEffect::status(500)).path("vpn/ikepolicies").region("nz-por-1").always());
    pty.send(&format!("{YOUR_VPNS}\r"));
    let screen = pty.wait_for("could not be read");
    assert!(screen.contains("Porirua") && screen.contains("office"), "{screen}");
    scene.cloud.clear_faults();
    pty.send("r");
    pty.wait("both regions", |screen| screen.contains("2 VPNs.") && !screen.contains("could not be read"));
}

/// Kills a wizard in the middle of a change, at a request that is acted upon all the same.
fn killed(scene: &Scene, key: &str, fault: impl FnOnce(FaultEffect) -> InjectedFault) {
    let gate = Gate::closed();
    let mut pty = at_vpn(scene, "1");
    scene.cloud.inject(fault(FaultEffect::Held(gate.clone())));
    pty.send(key);
    agree(&mut pty);
    scene.runtime.block_on(gate.arrived());
    pty.signal("KILL");
    drop(pty);
    scene.cloud.clear_faults();
    gate.open();
    scene.runtime.block_on(gate.acted());
    assert_eq!(journals(scene), 1);
}

#[test]
fn a_change_that_was_cut_off_is_offered_by_the_next_wizard_and_enter_finishes_it() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = scene.objects();
    killed(&scene, "d", |held| {
        InjectedFault::new(held).method("DELETE").path("ipsec-site-connections").region("nz-por-1")
    });
    let mut pty = scene.wizard(&[]);
    let screen = pty.wait_for("Interrupted: the deletion of office");
    assert!(!screen.contains("Roll back"), "what is deleted cannot come back:\n{screen}");
    pty.confirm("\r");
    pty.enter_at("[ Your VPNs ]");
    pty.wait_for("1 VPN.");
    assert_eq!((before - scene.objects(), journals(&scene)), (12, 0));
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    assert!(code == 0 && said.contains("Deleted office"), "{said}");
}

#[test]
fn a_change_that_was_cut_off_comes_first_and_can_be_taken_back() {
    let scene = Scene::new(SimulatorSettings::default());
    let rules = || scene.cloud.collection("nz-hlz-1", "security_group_rules").len();
    let before = rules();
    killed(&scene, "a", |held| InjectedFault::new(held).method("POST").path("security-group-rules").region("nz-hlz-1"));
    assert_eq!(rules(), before + 1);
    let mut pty = scene.wizard(&[]);
    pty.wait_for("Interrupted: the security-group rules of office");
    pty.send(ESC);
    pty.wait("the question is gone", |screen| !screen.contains("Interrupted"));
    pty.send(&format!("{YOUR_VPNS}\r"));
    pty.wait_for("2 VPNs.");
    pty.send("1");
    pty.wait_for("Interrupted, and comes first");
    pty.send("d");
    pty.wait_for("[ Resume ]");
    pty.send(RIGHT);
    pty.wait_for("[ Roll back ]");
    pty.confirm("\r");
    pty.wait_for("rolled back");
    pty.enter_at("[ Show VPN ]");
    assert_eq!((rules(), journals(&scene)), (before, 0));
    pty.wait("the VPN", |screen| screen.contains("halves match") && !screen.contains("Interrupted"));
    pty.send("q");
    let (code, Printed { said, .. }) = pty.end();
    assert!(code == 0 && said.contains("Rolled back: "), "{said}");
}

#[test]
fn impatience_is_asked_and_what_is_kept_can_be_resumed() {
    let scene = Scene::new(SimulatorSettings::default());
    let gate = Gate::closed();
    let mut pty = at_vpn(&scene, "1");
    let fault = InjectedFault::new(FaultEffect::Held(gate.clone())).method("DELETE").path("ipsec-site-connections");
    scene.cloud.inject(fault.region("nz-por-1"));
    pty.send("d");
    agree(&mut pty);
    scene.runtime.block_on(gate.arrived());
    pty.send("q");
    let screen = pty.wait_for("[ Go on ]");
    assert!(!screen.contains("oll back"), "what is deleted cannot come back:\n{screen}");
    pty.send(RIGHT);
    pty.confirm("\r");
    pty.wait_for("Stopping");
    gate.open();
    let (code, Printed { said, .. }) = pty.end();
    assert!(code == 130 && said.contains("osvpn resume"), "{code} {said}");
    assert_eq!(journals(&scene), 1);
}

#[test]
fn on_the_command_line_too_an_active_vpn_is_deleted_by_its_name() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = scene.objects();
    for (answer, code, is_deleted) in [("y", 130, false), ("office", 0, true)] {
        let mut pty = scene.wizard(&["delete", "office"]);
        pty.wait_for("It is ACTIVE. To do it, type office:");
        pty.send(&format!("{answer}\r"));
        assert_eq!(pty.end().0, code, "{answer}");
        assert_eq!(scene.objects() < before, is_deleted, "{answer}");
    }
}
