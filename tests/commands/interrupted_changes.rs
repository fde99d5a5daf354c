//! Changes that are stopped or killed in their middle.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use osvpn::engine::{Changed, Changing, Work};
use osvpn::simulator::Gate;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_a_journal_and_says_how_to_go_on() {
    let scene = Scene::with_vpn().await;
    let gate = Gate::closed();
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("DELETE").path("ikepolicies"));
    let mut child = scene.osvpn(&["delete", "test-vpn", "--yes"]).spawn().unwrap();
    gate.arrived().await;
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    // It has heard of the wish before the request in progress is answered.
    let err = BufReader::new(child.stderr.take().unwrap());
    let heard = tokio::task::spawn_blocking(move || {
        let mut lines = err.lines().map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with("stopping")), "the wish to stop is not heard");
        lines
    });
    let rest = heard.await.unwrap();
    gate.open();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), rest.collect::<Vec<_>>().join("\n"));
    assert_eq!(output.status.code(), Some(130), "{out}{err}");
    for part in ["Stopped: the deletion of test-vpn.", "steps are done", "To continue:   osvpn resume"] {
        assert!(out.contains(part), "{part:?} is missing from\n{out}");
    }
    assert!(!out.contains("To roll back"), "something is deleted: {out}");
    assert_eq!(scene.journals().len(), 1);
}

/// Kills a command at a request, and returns the journal it leaves.
async fn killed(scene: &Scene, args: &[&str], method: &str, path: &str, acts: bool) -> PathBuf {
    let gate = Gate::closed();
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method(method).path(path));
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
    let work = Work::new(&cloud, &events, &stop);
    let mut changing = Changing::open(journal).unwrap();
    // The request that was in progress may be acted upon as long as it could take.
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

/// The id of the only VPN.
async fn id(scene: &Scene) -> String {
    let (_, listed) = scene.json(&["list"]).await;
    listed["vpns"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_refused_names_no_command_that_deletes_the_vpn() {
    let scene = Scene::with_vpn().await;
    let (id, before) = (id(&scene).await, scene.objects());
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).method("PUT").path("/ipsec-site-connections/"));
    let ran = scene.run(&["rotate-psk", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("osvpn rollback") && !ran.out.contains("osvpn resume"), "{}", ran.out);
    // Whoever has the command from before, or another machine, deletes nothing with it.
    for vpn in ["test-vpn", &id] {
        let ran = scene.run(&["rollback", vpn, "--yes"]).await;
        assert_eq!((ran.code, scene.objects() == before), (4, true), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(&format!("osvpn delete {id}")), "{}", ran.err);
    }
    let journal = scene.state().join(format!("{id}.change"));
    std::fs::write(&journal, "{").unwrap();
    for args in
        [&["rollback", "--yes"][..], &["rollback", &id, "--yes"], &["rollback", "test-vpn", "--yes"], &["resume"]]
    {
        let ran = scene.run(args).await;
        assert_eq!((ran.code, scene.objects() == before), (2, true), "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(journal.to_str().unwrap()), "{args:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_is_cut_off_is_gone_on_with_as_a_rollback() {
    let scene = Scene::with_vpn().await;
    let (id, before) = (id(&scene).await, scene.objects());
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).method("DELETE").path("/endpoint-groups/"));
    let ran = scene.run(&["set-subnets", "test-vpn", "A=db-subnet", "--yes"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(&format!("To roll back:  osvpn rollback {id}")), "{}", ran.out);
    scene
        .cloud
        .inject(InjectedFault::new(FaultEffect::status(403)).method("PUT").path("/ipsec-site-connections/").nth(2));
    let ran = scene.run(&["rollback", "--yes"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Not rolled back"), "{}", ran.out);
    assert!(ran.out.contains(&format!("To continue:   osvpn rollback {id}")), "{}", ran.out);
    let ran = scene.run(&["resume"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("being rolled back") && ran.err.contains(&format!("osvpn rollback {id}")), "{}", ran.err);
    scene.asked();
    let ran = scene.run(&["rollback", "--yes"]).await;
    assert_eq!((ran.code, scene.objects() == before), (0, true), "{}{}", ran.out, ran.err);
    let restarts = scene.asked().into_iter().filter(|put| put.method == "PUT" && put.path.contains("/vpnservices/"));
    assert_eq!(restarts.count(), 4, "each service runs what it ran before");
    assert!(scene.journals().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_change_is_proven_and_wants_no_key_that_it_does_not_need() {
    let scene = Scene::with_vpn().await;
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).method("PUT").path("/vpnservices/").nth(2));
    let ran = scene.run(&["rotate-psk", "test-vpn", "--renew", "--yes"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for part in ["may be switched off", "vpn service set --enable", "osvpn resume"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let mut command = scene.osvpn(&["resume"]);
    command.env("OSVPN_PSK", "short");
    let ran = run(command).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ACTIVE, and both halves match."), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fix_of_a_vpn_whose_change_was_interrupted_is_to_finish_that_first() {
    let scene = Scene::with_vpn().await;
    let id = id(&scene).await;
    // Both halves have the new key, and the first service is switched off.
    killed(&scene, &["rotate-psk", "test-vpn", "--renew", "--yes"], "PUT", "/vpnservices/", true).await;
    let resume = format!("osvpn resume {id}");
    for args in [["doctor", "test-vpn"], ["status", "test-vpn"]] {
        let ran = scene.run(&args).await;
        assert!(ran.out.contains(&resume), "{args:?}: {}", ran.out);
        assert!(!ran.out.contains("--fix") && !ran.out.contains("rotate-psk"), "{args:?}: {}", ran.out);
    }
    let (_, told) = scene.json(&["doctor", "test-vpn"]).await;
    let findings = told["vpns"][0]["findings"].as_array().unwrap();
    assert!(!findings.is_empty(), "{told:#}");
    for finding in findings {
        assert!(finding["fix"].as_str().unwrap().ends_with(&resume), "{finding:#}");
        assert_eq!(finding.get("commands"), None, "{finding:#}");
    }
}
