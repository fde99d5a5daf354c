//! Changes that are stopped or killed in their middle.

use std::path::Path;

use osvpn::provision::change::{ChangeWork, Changed, Changing};
use osvpn::simulator::Gate;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_a_journal_and_says_how_to_go_on() {
    let scene = Scene::with_vpn().await;
    let gate = Gate::closed();
    scene.cloud.inject(Fault::new(Effect::Held(gate.clone())).method("DELETE").path("ikepolicies"));
    let child = scene.osvpn(&["delete", "test-vpn", "--yes"]).spawn().unwrap();
    gate.arrived().await;
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    gate.open();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{out}{err}");
    for part in ["Stopped: the deletion of test-vpn.", "steps are done", "To go on:      osvpn resume"] {
        assert!(out.contains(part), "{part:?} is missing from\n{out}");
    }
    assert!(!out.contains("To take back"), "something is deleted: {out}");
    assert_eq!(scene.journals().len(), 1);
}

/// Kills a command at a request, and returns the journal it leaves.
async fn killed(scene: &Scene, args: &[&str], method: &str, path: &str, acts: bool) -> PathBuf {
    let gate = Gate::closed();
    scene.cloud.inject(Fault::new(Effect::Held(gate.clone())).method(method).path(path));
    let mut child = scene.osvpn(args).spawn().unwrap();
    gate.arrived().await;
    child.kill().unwrap();
    child.wait().unwrap();
    scene.cloud.clear_faults();
    if acts {
        gate.open();
        gate.acted().await;
    }
    let [journal] = scene.journals().try_into().unwrap();
    journal
}

async fn finish(scene: &Scene, journal: &Path) {
    let vars = scene.cloud.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let sources = osvpn::cloud::credentials::Sources::new(vars, PathBuf::from("/nowhere"), None);
    let found = osvpn::cloud::Credentials::find(&sources, None).unwrap();
    let limits = osvpn::cloud::http::Limits {
        total: Duration::from_secs(2),
        settling: Duration::ZERO,
        back_off: Duration::from_millis(5),
        ..Default::default()
    };
    let osvpn::cloud::keystone::SignIn::Done(cloud) =
        osvpn::cloud::Cloud::begin(&found.credentials, limits).await.unwrap()
    else {
        panic!("no second factor")
    };
    let (events, _told) = tokio::sync::mpsc::unbounded_channel();
    let stop = tokio_util::sync::CancellationToken::new();
    let work = ChangeWork { cloud: &cloud, events: &events, stop: &stop };
    let mut changing = Changing::open(journal).unwrap();
    // The request that was under way may be acted upon as long as it could take.
    loop {
        match changing.carry_out(None, &work).await.unwrap() {
            Changed::Done => return,
            Changed::Unsettled(until, error) => {
                assert_eq!(error, None);
                let left = until.duration_since(jiff::Timestamp::now()).try_into().unwrap_or_default();
                tokio::time::sleep(left).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_command_is_finished_from_its_journal() {
    for acts in [false, true] {
        for (args, method, path) in [
            (&["delete", "test-vpn", "--yes"][..], "DELETE", "ipsec-site-connections"),
            (&["delete", "test-vpn", "--yes"], "DELETE", "vpnservices"),
            (&["rotate-psk", "test-vpn", "--yes"], "PUT", "ipsec-site-connections"),
            (&["doctor", "test-vpn", "--modernise", "--yes"], "POST", "ipsecpolicies"),
            (&["doctor", "test-vpn", "--modernise", "--yes"], "POST", "ipsec-site-connections"),
        ] {
            let what = format!("{args:?} killed at {method} {path}, {acts}");
            let scene = Scene::with_vpn().await;
            let before = scene.keys();
            let journal = killed(&scene, args, method, path, acts).await;
            let text = std::fs::read_to_string(&journal).unwrap();
            assert!(before.iter().chain(&scene.keys()).all(|key| !text.contains(key)), "{what}: a key in the journal");
            finish(&scene, &journal).await;
            assert!(scene.journals().is_empty(), "{what}");
            let (_, listed) = scene.json(&["list"]).await;
            let vpns = listed["vpns"].as_array().unwrap().len();
            assert_eq!((vpns, &listed["strays"]), (usize::from(args[0] != "delete"), &json!([])), "{what}: {listed:#}");
            if args[0] != "delete" {
                let keys = scene.keys();
                assert_eq!(keys[0], keys[1], "{what}");
                assert_eq!(scene.cloud.count(A) + scene.cloud.count(B), 12, "{what}");
            }
        }
    }
}
