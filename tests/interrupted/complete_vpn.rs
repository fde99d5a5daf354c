//! A VPN whose objects all exist is made: nothing locks it. One that lacks some is known to every command.

use osvpn::engine::Step;
use osvpn::plan::Half;

use super::*;

/// A plan file from Hamilton to a peer that is not set up yet.
fn silent(home: &std::path::Path) -> &'static str {
    let half = command::half("nz-hlz-1", "border-router", "private-subnet");
    command::write(home, "single", &(half + "[peer]\naddress = \"192.0.2.99\"\ncidrs = [\"192.168.7.0/24\"]\n"))
}

impl Scene {
    /// A single-mode VPN that is made and stays DOWN.
    async fn with_down_vpn() -> (Self, String) {
        let scene = Self::new().await;
        let mut apply = scene.osvpn(&["apply", silent(scene.home.path()), "--wait", "0"]);
        apply.env("OSVPN_PSK", KEY);
        let ran = run(apply).await;
        assert_eq!((ran.code, scene.made()), (3, 6), "{}{}", ran.out, ran.err);
        let id = ran.id();
        for command in ["resume", "delete", "status"] {
            assert!(ran.out.contains(&format!("osvpn {command} {id}")), "{command}: {}", ran.out);
        }
        assert!(!ran.out.contains("rollback"), "{}", ran.out);
        assert!(scene.journals().is_empty(), "nothing was interrupted");
        (scene, id)
    }

    async fn told(&self, args: &[&str], code: i32, parts: &[&str]) -> String {
        let mut command = self.osvpn(args);
        command.env("OSVPN_PSK", KEY.replace("Kept", "Next"));
        let ran = run(command).await;
        let told = ran.out + &ran.err;
        assert_eq!(ran.code, code, "{args:?}: {told}");
        for part in parts {
            assert!(told.contains(part), "{args:?}: {part:?} is missing from\n{told}");
        }
        told
    }

    async fn json(&self, args: &[&str], code: i32) -> Value {
        let ran = run(self.osvpn(&[args, &["--json"]].concat())).await;
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// Changes what the only journal says.
    fn edit_journal(&self, edit: impl FnOnce(&mut Value)) -> PathBuf {
        let mut journal = self.journal();
        edit(&mut journal);
        let [path] = self.journals().try_into().unwrap();
        std::fs::write(&path, journal.to_string()).unwrap();
        path
    }
}

/// Every command but the deletion, on a VPN that is DOWN.
async fn every_command_works(scene: &Scene, id: &str) {
    scene.told(&["admit", id, "--yes"], 0, &["Added the security-group rules"]).await;
    scene.told(&["set-subnets", id, "A=db-subnet", "--yes", "--wait", "0"], 0, &["Done"]).await;
    scene.told(&["rotate-psk", "test-vpn", "--yes", "--wait", "0"], 0, &["Done"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpn_that_is_made_and_down_is_locked_by_nothing() {
    let (scene, id) = Scene::with_down_vpn().await;
    every_command_works(&scene, &id).await;
    let not_interrupted = "Creating test-vpn was not interrupted";
    let ways = [not_interrupted, "Not ACTIVE", "osvpn status test-vpn", "osvpn resume test-vpn"];
    scene.told(&["resume", "test-vpn", "--wait", "0"], 3, &ways).await;
    let answer = scene.json(&["resume", &id, "--wait", "0"], 3).await;
    assert_eq!((&answer["outcome"], &answer["condition"]), (&json!("unchanged"), &json!("not-active")));
    scene.told(&["resume"], 2, &["Nothing was interrupted", "name it"]).await;
    scene.told(&["rollback", &id, "--yes"], 4, &["was not interrupted", &format!("osvpn delete {id}")]).await;
    assert_eq!(scene.json(&["list"], 0).await["interrupted"], json!([]));
    scene.told(&["delete", &id, "--yes"], 0, &["Deleted test-vpn"]).await;
    assert_eq!(scene.made(), 0);
    let left = std::fs::read_dir(scene.state()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["names"], "no journal and no lock is left, but what the shell completes");
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_goes_on_waiting_for_a_vpn_that_is_made() {
    let scene = Scene::new().await;
    scene.cloud.reconfigure(|settings| settings.report_interval = Duration::MAX);
    let ran = run(scene.osvpn(&["apply", site_to_site(scene.home.path()), "--wait", "0"])).await;
    assert_eq!((ran.code, scene.journals().len()), (3, 0), "{}{}", ran.out, ran.err);
    let wait = scene.osvpn(&["resume", &ran.id()]);
    let (ran, ()) = tokio::join!(run(wait), async {
        scene.cloud.reconfigure(|settings| settings.report_interval = Duration::from_millis(20));
    });
    assert!(ran.code == 0 && ran.out.contains("ACTIVE, and both halves match."), "{}{}", ran.out, ran.err);
}

/// An earlier osvpn kept the journal until the VPN was ACTIVE.
#[tokio::test(flavor = "multi_thread")]
async fn the_journal_that_an_earlier_osvpn_left_of_a_vpn_that_is_made_locks_nothing() {
    let scene = Scene::new().await;
    scene.kill_at(silent(scene.home.path()), "POST", "ipsec-site-connections", "nz-hlz-1", 1, true).await;
    let connection = scene.of("nz-hlz-1", "ipsec-site-connections").pop().unwrap();
    let [record] = creations(&scene.state()).try_into().unwrap();
    let mut made = record.progress.objects().map(|made| json!(made)).collect::<Vec<_>>();
    made.push(json!({
        "task": { "half": "A", "step": "connection" }, "region": "nz-hlz-1", "id": connection["id"],
        "name": connection["name"], "origin": "created",
    }));
    let path = scene.edit_journal(|journal| {
        *journal = json!({
            "version": 1, "program": "osvpn 0.1.0", "vpn": record.change.subject.to_string(), "name": "test-vpn",
            "began": record.began, "auth_url": record.auth_url, "project": record.project, "key": "given",
            "plan": journal["planned"]["file"],
            "ledger": { "made": made, "debris": [], "doubtful": [], "late": [], "intents": [] },
        });
    });
    let journal = std::fs::read(&path).unwrap();
    let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
    every_command_works(&scene, &id).await;
    assert!(scene.journals().is_empty(), "it is of no use");
    for args in [&["resume", "test-vpn", "--wait", "0"][..], &["list"], &["delete", &id, "--yes"]] {
        std::fs::write(&path, &journal).unwrap();
        let ran = run(scene.osvpn(args)).await;
        assert_eq!(ran.code, if args[0] == "resume" { 3 } else { 0 }, "{args:?}: {}{}", ran.out, ran.err);
        assert!(!ran.out.contains("was interrupted") && scene.journals().is_empty(), "{args:?}: {}", ran.out);
    }
    assert_eq!(scene.made(), 0);
}

/// The one reason to keep the journal of a VPN that is made: a request whose answer was lost may still act.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_outstanding_is_told_and_locks_nothing() {
    let scene = Scene::new().await;
    let plan = site_to_site(scene.home.path());
    let lost = scene.kill_at(plan, "POST", "ikepolicies", "nz-por-1", 1, false).await;
    let ran = run(scene.osvpn(&["resume"])).await;
    let (id, resume) = (ran.id(), format!("osvpn resume {}", ran.id()));
    assert_eq!((ran.code, scene.journals().len()), (0, 1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(&format!("To look for it and delete it: {resume}")), "{}", ran.out);
    scene.told(&["list"], 0, &["an answer was lost", &resume]).await;
    assert_eq!(scene.json(&["status", &id], 0).await["interrupted"]["state"], "outstanding");
    scene.told(&["rotate-psk", &id, "--yes"], 0, &["Done"]).await;
    scene.told(&["rollback", &id, "--yes"], 4, &[&format!("osvpn delete {id}")]).await;
    scene.told(&["resume", &id], 0, &["an answer was lost"]).await;
    assert_eq!((scene.journals().len(), scene.made()), (1, 12), "until then it may act");
    lost.open();
    lost.acted().await;
    assert_eq!(scene.made(), 13);
    scene.told(&["resume", &id], 0, &["deleted", "was not interrupted"]).await;
    assert_eq!((scene.journals().len(), scene.made()), (0, 12));
}

/// What a change has put in the place of an object is no second one of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_has_made_since_is_not_taken_for_the_work_of_a_lost_request() {
    let scene = Scene::new().await;
    let plan = site_to_site(scene.home.path());
    let _lost = scene.kill_at(plan, "POST", "endpoint-groups", "nz-hlz-1", 1, false).await;
    let ran = run(scene.osvpn(&["resume"])).await;
    assert_eq!((ran.code, scene.journals().len()), (0, 1), "{}{}", ran.out, ran.err);
    scene.told(&["set-subnets", "test-vpn", "A=db-subnet", "--yes", "--wait", "0"], 0, &["Done"]).await;
    scene.told(&["resume", "test-vpn"], 0, &["was not interrupted"]).await;
    assert_eq!(scene.made(), 12);
    scene.told(&["status", "test-vpn"], 0, &["ACTIVE, and both halves match."]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_interrupted_is_known_to_every_command_and_its_objects_are_not_unused() {
    // Before there is a connection, and with one half made.
    for (kind, region, sees) in [("ikepolicies", "nz-hlz-1", false), ("ipsec-site-connections", "nz-por-1", true)] {
        let scene = Scene::new().await;
        let _gate = scene.kill_at(site_to_site(scene.home.path()), "POST", kind, region, 1, true).await;
        let [path] = scene.journals().try_into().unwrap();
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let made = scene.made();
        let (resume, rollback) = (format!("osvpn resume {id}"), format!("osvpn rollback {id}"));
        let told = ["Creating test-vpn was interrupted", &resume, &rollback];
        scene.told(&["list"], 0, &told).await;
        for args in [["status", "test-vpn"], ["status", &id], ["doctor", "test-vpn"], ["doctor", &id]] {
            scene.told(&args, 3, &told).await;
        }
        scene.told(&["doctor"], 3, &told).await;
        let listed = scene.json(&["list"], 0).await;
        let [interrupted] = listed["interrupted"].as_array().unwrap().as_slice() else { panic!("{listed:#}") };
        assert_eq!((&interrupted["state"], &interrupted["exists"]), (&json!("interrupted"), &json!(made - 1)));
        assert_eq!(interrupted["may_exist"], json!(1), "the answer to the last request is lost");
        assert_eq!((&interrupted["resume"], &interrupted["rollback"]), (&json!(resume), &json!(rollback)));
        assert_eq!(listed["strays"], json!([]), "they are in use by what goes on");
        let status = scene.json(&["status", "test-vpn"], 3).await;
        let state = if sees { &status["interrupted"]["state"] } else { &status["state"] };
        assert_eq!(state, "interrupted", "{status:#}");
        let doctor = scene.json(&["doctor", "test-vpn"], 3).await;
        let state = if sees { &doctor["vpns"][0]["interrupted"]["state"] } else { &doctor["interrupted"][0]["state"] };
        assert_eq!(state, "interrupted", "{doctor:#}");
        for args in [
            &["delete", "test-vpn", "--yes"][..],
            &["admit", "test-vpn", "--yes"],
            &["rotate-psk", &id, "--yes"],
            &["set-subnets", &id, "A=db-subnet", "--yes"],
            &["doctor", &id, "--fix", "--yes"],
        ] {
            scene.told(args, 4, &told).await;
        }
        run(scene.osvpn(&["delete", "--strays", "--yes"])).await;
        assert_eq!(scene.made(), made, "nothing of it is deleted");
        scene.told(&["rollback", "test-vpn", "--yes"], 0, &[]).await;
        assert_eq!(scene.made(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_at_work_is_no_interruption() {
    let scene = Scene::new().await;
    let gate = Gate::closed();
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("ikepolicies"));
    let mut apply = scene.osvpn(&["apply", site_to_site(scene.home.path())]).spawn().unwrap();
    gate.arrived().await;
    assert_eq!(scene.json(&["list"], 0).await["interrupted"][0]["state"], "running");
    let told = scene.told(&["list"], 0, &["Creating test-vpn is in progress in another osvpn"]).await;
    assert!(!told.contains("rollback") && !told.contains("--strays"), "{told}");
    gate.open();
    let code = tokio::task::spawn_blocking(move || apply.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_a_journal_that_is_not_this_vpns_object_is_not_deleted() {
    let scene = Scene::new().await;
    scene.kill_at(site_to_site(scene.home.path()), "POST", "ipsec-site-connections", "nz-hlz-1", 1, true).await;
    let mut foreign = scene.of("nz-hlz-1", "ikepolicies").pop().unwrap();
    foreign.remove("id");
    foreign.insert("name".to_owned(), json!("theirs"));
    foreign.insert("description".to_owned(), json!("osvpn:0badcafe:A"));
    let foreign = scene.cloud.plant("nz-hlz-1", "ikepolicies", Value::Object(foreign)).unwrap();
    let [record] = creations(&scene.state()).try_into().unwrap();
    let policy = record.progress.get(Half::A, Step::IkePolicy).unwrap().id.to_string();
    scene.edit_journal(|journal| {
        *journal = serde_json::from_str(&journal.to_string().replace(&policy, &foreign)).unwrap();
    });
    scene.told(&["rollback", "--yes"], 1, &["neither the marker", &foreign]).await;
    assert!(ids(&scene.cloud).contains(&foreign), "it is somebody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_journal_is_refused() {
    let scene = Scene::new().await;
    scene.kill_at(site_to_site(scene.home.path()), "POST", "ikepolicies", "nz-hlz-1", 1, true).await;
    let [path] = scene.journals().try_into().unwrap();
    let copy = path.with_file_name("0badcafe.json");
    std::fs::copy(&path, &copy).unwrap();
    let ran = run(scene.osvpn(&["rollback", "--yes"])).await;
    assert_eq!((ran.code, scene.made()), (0, 0), "{}{}", ran.out, ran.err);
    scene.told(&["resume"], 2, &["it is a copy", copy.to_str().unwrap()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_creation_was_interrupted_is_not_created_a_second_time() {
    // With services alone, and with one connection.
    for (kind, region) in [("ikepolicies", "nz-hlz-1"), ("ipsec-site-connections", "nz-por-1")] {
        for mode in [site_to_site, silent] {
            let scene = Scene::new().await;
            let plan = mode(scene.home.path());
            let region = if plan_is_single(&scene) { "nz-hlz-1" } else { region };
            let _gate = scene.kill_at(plan, "POST", kind, region, 1, true).await;
            let id = creations(&scene.state())[0].change.subject.to_string();
            let (made, resume, rollback) = (scene.made(), format!("osvpn resume {id}"), format!("osvpn rollback {id}"));
            let told = ["Creating test-vpn was interrupted", &resume, &rollback, "Nothing was created."];
            scene.told(&["apply", plan], 4, &told).await;
            scene.told(&["apply", plan, "--dry-run"], 4, &told).await;
            assert_eq!((scene.made(), scene.journals().len()), (made, 1));
            // A VPN of another name is none of its business.
            let text = std::fs::read_to_string(scene.home.path().join(plan)).unwrap();
            std::fs::write(scene.home.path().join(plan), text.replace("test-vpn", "other-vpn")).unwrap();
            let mut other = scene.osvpn(&["apply", plan, "--dry-run"]);
            other.env("OSVPN_PSK", KEY);
            let other = run(other).await;
            assert!(!other.err.contains("was interrupted"), "{}", other.err);
            scene.told(&["rollback", &id, "--yes"], 0, &[]).await;
            assert_eq!(scene.made(), 0);
        }
    }
}

fn plan_is_single(scene: &Scene) -> bool {
    std::fs::read_to_string(scene.home.path().join("plan.toml")).unwrap().contains("single")
}
