//! Whatever ends the program, in whatever phase: what is in progress is settled, the journal is true, the terminal is as it
//! was, and the last line says how to go on.

use std::collections::BTreeSet;

use osvpn::simulator::Gate;

use super::*;
use crate::support::command::creations;

/// What ends it, and with which exit code.
const ENDS: [(&str, u32); 3] = [("TERM", 130), ("HUP", 130), ("INT", 130)];
/// Where it meets it.
const PHASES: [&str; 3] = ["creating", "watching", "undoing"];

fn ids(scene: &Scene) -> BTreeSet<String> {
    let objects = ["nz-hlz-1", "nz-por-1"].map(|region| scene.cloud.objects(region));
    let all = objects.iter().flat_map(|region| region.as_object().unwrap().values());
    all.flat_map(|kind| kind.as_array().unwrap()).map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

/// The journal holds exactly what was made, and no request is in progress. What is made in full has no journal.
#[track_caller]
fn is_true(scene: &Scene, before: &BTreeSet<String>, what: &str) {
    let state = scene.home.path().join(".local/state/osvpn");
    let mut entries = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let path = entries.find(|path| path.extension().is_some_and(|end| end == "json"));
    if ids(scene).difference(before).count() == 12 {
        assert_eq!(path, None, "{what}");
        return;
    }
    let [record] = creations(&scene.home.path().join(".local/state/osvpn")).try_into().unwrap();
    let made = record.progress.objects().map(|made| made.id.to_string());
    let there = ids(scene).difference(before).cloned().collect::<BTreeSet<_>>();
    assert_eq!(made.collect::<BTreeSet<_>>(), there, "{what}");
    assert_eq!((record.progress.under_way(), record.progress.doubts()), (0, Vec::new()), "{what}");
}

/// A wizard in that phase, with a request in progress that waits at a gate.
fn at(phase: &str) -> (Scene, Pty, Gate, BTreeSet<String>) {
    let scene = Scene::new(SimulatorSettings { report_interval: Duration::MAX, ..SimulatorSettings::default() });
    let before = ids(&scene);
    let gate = Gate::closed();
    let (method, path) = match phase {
        "creating" => ("POST", "ikepolicies"),
        "watching" => ("GET", "ipsec-site-connections/"),
        _ => ("DELETE", "ikepolicies"),
    };
    let mut pty = scene.wizard(&[]);
    enter_until(&mut pty, "creates");
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method(method).path(path));
    pty.confirm("\r");
    if phase == "undoing" {
        pty.wait_for("waiting for ACTIVE");
        pty.send(CTRL_C);
        pty.wait_for("Stop waiting");
        pty.confirm("\t\t\r");
    }
    scene.runtime.block_on(gate.arrived());
    (scene, pty, gate, before)
}

#[test]
fn a_signal_in_any_phase_of_the_wizard_leaves_everything_in_order() {
    for phase in PHASES {
        for (signal, expected) in ENDS {
            let what = format!("{signal} while {phase}");
            let (scene, pty, gate, before) = at(phase);
            pty.signal(signal);
            pty.wait("what is in progress is awaited", |screen| phase == "watching" || screen.contains("Stopping"));
            gate.open();
            let (code, printed) = pty.end();
            assert_eq!(code, expected, "{what}: {}", printed.said);
            assert!(printed.last_line().contains("osvpn resume "), "{what}: {}", printed.said);
            is_true(&scene, &before, &what);
        }
    }
}

#[test]
fn a_terminal_that_closes_in_any_phase_leaves_everything_in_order() {
    for phase in PHASES {
        let (scene, pty, gate, before) = at(phase);
        let mut left = pty.close(Closing::AtOnce);
        gate.open();
        assert_eq!(left.wait().unwrap().exit_code(), 130, "{phase}");
        is_true(&scene, &before, phase);
    }
}

/// The program is then about to look for the next key of a terminal that is not there any more.
#[test]
fn a_terminal_that_closes_upon_a_key_ends_the_wizard() {
    for _ in 0..8 {
        let (scene, mut pty, gate, before) = at("creating");
        pty.send("?");
        let mut left = pty.close(Closing::AtOnce);
        gate.open();
        assert_eq!(left.wait().unwrap().exit_code(), 130);
        is_true(&scene, &before, "creating");
    }
}

/// Nobody sends SIGHUP then, and with nothing to draw nothing fails.
#[test]
fn a_terminal_of_another_session_that_closes_ends_the_wizard() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = Pty::start_in(false, scene.home.path(), &[], &scene.cloud.environment());
    pty.wait_for(STEPS[0]);
    pty.send("?");
    pty.wait_for("[ Close ]");
    pty.send("?");
    assert_eq!(pty.close(Closing::AfterFrame).wait().unwrap().exit_code(), 130);
}

/// The system tells of both at once.
#[test]
fn a_key_pressed_while_the_window_changes_is_not_lost() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = scene.wizard(&[]);
    pty.wait_for(STEPS[0]);
    for round in 0..24 {
        pty.resize(80 + round % 2, 24);
        pty.send("?");
        pty.wait_for("[ Close ]");
        pty.resize(80, 24 + round % 2);
        pty.send("?");
        pty.wait("the help is gone", |screen| !screen.contains("[ Close ]"));
    }
}

/// Ctrl-C is a key; what it means is the terminal's business.
fn end(pty: &mut Pty, signal: &str) {
    if signal == "INT" {
        pty.send(CTRL_C);
    } else {
        pty.signal(signal);
    }
}

/// The same without a screen: where nothing has to be settled it ends at once.
#[test]
fn a_run_without_a_screen_is_stopped_in_order_too() {
    let half = |region| {
        format!("[[half]]\nregion = \"{region}\"\nrouter = \"border-router\"\nsubnets = [\"private-subnet\"]\n")
    };
    let plan =
        ["version = 1\nname = \"test-vpn\"\nmode = \"site-to-site\"\n".to_owned(), half("nz-hlz-1"), half("nz-por-1")];
    for (method, path, is_begun) in
        [("GET", "routers", false), ("POST", "ikepolicies", true), ("GET", "ipsec-site-connections/", true)]
    {
        for (signal, _) in ENDS {
            let what = format!("{signal} at {method} {path}");
            let scene =
                Scene::new(SimulatorSettings { report_interval: Duration::MAX, ..SimulatorSettings::default() });
            let before = ids(&scene);
            std::fs::write(scene.home.path().join("plan.toml"), plan.concat()).unwrap();
            let gate = Gate::closed();
            scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method(method).path(path));
            let mut pty = scene.wizard(&["apply", "plan.toml"]);
            scene.runtime.block_on(gate.arrived());
            end(&mut pty, signal);
            if method == "POST" {
                pty.wait_for("the request in progress is finished first");
            }
            if is_begun {
                gate.open();
            }
            let (code, printed) = pty.end();
            assert_eq!(code, 130, "{what}: {}", printed.said);
            if !is_begun {
                assert!(
                    printed.said.contains("Nothing was created.") && ids(&scene) == before,
                    "{what}: {}",
                    printed.said
                );
                continue;
            }
            assert!(printed.last_line().contains("osvpn resume "), "{what}: {}", printed.said);
            is_true(&scene, &before, &what);
            if method == "GET" {
                continue;
            }
            // The question of a rollback is left in the same way, and nothing is deleted.
            let made = ids(&scene);
            let mut pty = scene.wizard(&["rollback"]);
            pty.wait_for("Delete? [y/N]");
            end(&mut pty, signal);
            let (code, printed) = pty.end();
            assert_eq!((code, ids(&scene)), (130, made), "{what}: {}", printed.said);
            assert!(printed.last_line().contains("osvpn rollback"), "{what}: {}", printed.said);
        }
    }
}
