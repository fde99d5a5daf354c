//! A wizard that was killed, and the next one.

use crate::support::command::is_last_of_its_stage;
use osvpn::simulator::Gate;

use super::*;

const RIGHT: &str = "\x1b[C";

/// Kills a wizard in the middle of its work, at the request for the second connection, which is made all the same.
fn killed(scene: &Scene) {
    let gate = Gate::closed();
    let fault = InjectedFault::new(FaultEffect::Held(gate.clone()))
        .method("POST")
        .path("ipsec-site-connections")
        .region("nz-por-1");
    scene.cloud.inject(fault);
    let mut pty = scene.wizard(&[]);
    enter_until(&mut pty, "creates");
    pty.confirm("\r");
    scene.runtime.block_on(gate.arrived());
    let state = scene.home.path().join(".local/state/osvpn");
    while !is_last_of_its_stage(&scene.cloud, &state, "ipsec-site-connections", 2) {
        std::thread::sleep(Duration::from_millis(2));
    }
    pty.signal("KILL");
    drop(pty);
    scene.cloud.clear_faults();
    gate.open();
    scene.runtime.block_on(gate.acted());
}

fn journals(scene: &Scene) -> usize {
    let entries = std::fs::read_dir(scene.home.path().join(".local/state/osvpn")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "json")).count()
}

#[test]
fn the_next_wizard_offers_to_finish_it_and_enter_is_enough() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = scene.objects();
    killed(&scene);
    assert_eq!(journals(&scene), 1);
    let mut pty = scene.wizard(&["--verbose"]);
    pty.wait_for("Creating hlz-por was interrupted");
    pty.wait_for("11 objects exist");
    pty.confirm("\r");
    pty.wait_for("Both connections are ACTIVE");
    assert_eq!((scene.objects() - before, journals(&scene)), (12, 0));
    pty.finish();
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("adopted  IPsec site connection"), "{said}");
}

#[test]
fn the_next_wizard_undoes_it_and_its_answers_are_there_to_be_changed() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = scene.objects();
    killed(&scene);
    let mut pty = scene.wizard(&[]);
    pty.wait_for("Creating hlz-por was interrupted");
    pty.send(RIGHT);
    pty.confirm("\r");
    pty.wait_for("is rolled back");
    assert_eq!((scene.objects(), journals(&scene)), (before, 0));
    pty.wait_for("Change answers");
    pty.confirm("\r");
    pty.wait_for("creates 12 objects");
}

#[test]
fn what_could_not_be_made_any_more_is_undone_all_the_same() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = scene.objects();
    killed(&scene);
    let state = scene.home.path().join(".local/state/osvpn");
    let mut entries = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let journal = entries.find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let record = std::fs::read_to_string(&journal).unwrap();
    let router = scene.cloud.collection("nz-por-1", "vpnservices").pop().unwrap()["router_id"].clone();
    assert!(record.contains(router.as_str().unwrap()));
    // As if the router had been deleted by force.
    std::fs::write(&journal, record.replace(router.as_str().unwrap(), "00000000-0000-4000-8000-000000000000")).unwrap();
    let mut pty = scene.wizard(&[]);
    pty.wait_for("Creating hlz-por was interrupted");
    pty.confirm("\r");
    pty.wait_for("It cannot be resumed");
    pty.confirm("\r");
    pty.signal("TERM");
    pty.end();
    let mut pty = scene.wizard(&[]);
    pty.wait_for("Creating hlz-por was interrupted");
    pty.send(RIGHT);
    pty.confirm("\r");
    pty.wait_for("hlz-por is rolled back");
    assert_eq!((scene.objects(), journals(&scene)), (before, 0));
    pty.enter_at("Leave");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("is rolled back: 12 objects are deleted, and nothing of it is left"), "{said}");
}

#[test]
fn what_is_to_stay_as_it_is_is_not_asked_about_again() {
    let scene = Scene::new(SimulatorSettings::default());
    killed(&scene);
    let made = scene.objects();
    let mut pty = scene.wizard(&[]);
    pty.wait_for("Creating hlz-por was interrupted");
    pty.send(ESC);
    pty.wait("the question is gone", |screen| !screen.contains("Creating hlz-por was interrupted"));
    assert_eq!(journals(&scene), 1, "later is not never");
    pty.send("q");
    pty.end();
    let mut pty = scene.wizard(&[]);
    pty.wait_for("Creating hlz-por was interrupted");
    pty.send(&RIGHT.repeat(3));
    pty.confirm("\r");
    pty.wait_for("hlz-por is forgotten here");
    assert_eq!((scene.objects(), journals(&scene)), (made, 0));
}
