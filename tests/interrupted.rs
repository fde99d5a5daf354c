//! The real process, killed: what `osvpn resume` and `osvpn rollback` make of what it leaves.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use osvpn::simulator::{Effect, Fault, Gate, Settings, Simulator};
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "support/command.rs"]
mod command;
use command::{KEY, osvpn_in, run, single, site_to_site};

const REGIONS: [&str; 2] = ["nz-hlz-1", "nz-por-1"];

struct Scene {
    home: TempDir,
    cloud: Simulator,
    before: BTreeSet<String>,
}

impl Scene {
    async fn new() -> Self {
        let cloud = Simulator::start(Settings::default()).await.unwrap();
        let before = ids(&cloud);
        Self { home: tempfile::tempdir().unwrap(), cloud, before }
    }

    fn osvpn(&self, args: &[&str]) -> Command {
        let mut command = osvpn_in(self.home.path(), &self.cloud);
        command.args(args);
        command
    }

    fn state(&self) -> PathBuf {
        self.home.path().join(".local/state/osvpn")
    }

    fn journals(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.state()).into_iter().flatten().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
    }

    fn journal(&self) -> Value {
        let [path] = self.journals().try_into().unwrap();
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// The objects that were not there before.
    fn made(&self) -> usize {
        ids(&self.cloud).difference(&self.before).count()
    }

    /// Runs `osvpn apply` until that request has arrived and all others are answered, and kills it.
    async fn kill_at(&self, plan: &str, method: &str, collection: &str, region: &str, nth: usize, done: bool) -> Gate {
        let gate = Gate::closed();
        let fault = Fault::new(Effect::Held(gate.clone())).method(method).path(collection).region(region).nth(nth);
        self.cloud.inject(fault);
        let mut command = self.osvpn(&["apply", plan]);
        if std::fs::read_to_string(self.home.path().join(plan)).unwrap().contains("single") {
            command.env("OSVPN_PSK", KEY);
        }
        let mut child = command.spawn().unwrap();
        gate.arrived().await;
        let intents = || self.journal()["ledger"]["intents"].as_array().unwrap().len();
        while method == "POST" && intents() > 1 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        kill(&mut child);
        self.cloud.clear_faults();
        if done {
            gate.open();
            gate.acted().await;
        }
        gate
    }
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn ids(cloud: &Simulator) -> BTreeSet<String> {
    let objects = REGIONS.map(|region| cloud.objects(region));
    let all = objects.iter().flat_map(|region| region.as_object().unwrap().values());
    all.flat_map(|kind| kind.as_array().unwrap()).map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

/// Every POST of a run: the collection, the region, and which of its requests there.
fn posts() -> Vec<(&'static str, &'static str, usize)> {
    let kinds = [
        ("vpnservices", 1),
        ("ikepolicies", 1),
        ("ipsecpolicies", 1),
        ("endpoint-groups", 1),
        ("endpoint-groups", 2),
        ("ipsec-site-connections", 1),
    ];
    kinds.into_iter().flat_map(|(kind, nth)| REGIONS.map(|region| (kind, region, nth))).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    ResumeDone,
    ResumeNotDone,
    RollBack,
}

async fn killed((kind, region, nth): (&str, &str, usize), then: Then) {
    let what = format!("killed at {kind} {nth} in {region}, {then:?}");
    let scene = Scene::new().await;
    let plan = site_to_site(scene.home.path());
    let _gate = scene.kill_at(plan, "POST", kind, region, nth, then != Then::ResumeNotDone).await;
    if then == Then::RollBack {
        let ran = run(scene.osvpn(&["rollback", "--yes"])).await;
        assert_eq!((ran.code, scene.made()), (0, 0), "{what}: {}{}", ran.out, ran.err);
        assert!(scene.journals().is_empty(), "{what}: there is nothing to go on from");
        return;
    }
    let ran = run(scene.osvpn(&["resume"])).await;
    assert_eq!((ran.code, scene.made()), (0, 12), "{what}: {}{}", ran.out, ran.err);
    assert!(ran.out.contains("is ACTIVE"), "{what}: {}", ran.out);
    if then == Then::ResumeDone {
        assert!(ran.out.contains("adopted"), "{what}: what the lost request made is used: {}", ran.out);
        assert!(scene.journals().is_empty(), "{what}");
    } else {
        assert!(ran.out.contains("may still appear"), "{what}: the lost request is not forgotten: {}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_request_that_makes_something_a_run_is_finished_or_undone() {
    let mut cases = Vec::new();
    for post in posts() {
        cases.extend([Then::ResumeDone, Then::ResumeNotDone, Then::RollBack].map(|then| (post, then)));
    }
    println!("{} processes killed", cases.len());
    // As many at once as two cores are glad of.
    for at_once in cases.chunks(6) {
        let set: tokio::task::JoinSet<()> = at_once.iter().map(|&(post, then)| killed(post, then)).collect();
        set.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_anything_is_announced_a_run_leaves_no_journal() {
    let scene = Scene::new().await;
    let plan = site_to_site(scene.home.path());
    scene.kill_at(plan, "GET", "routers", "nz-por-1", 1, false).await;
    assert!(scene.journals().is_empty());
    let ran = run(scene.osvpn(&["resume"])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no unfinished run is known"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_rollback_is_finished_by_another_or_what_it_deleted_is_made_again() {
    for way in [&["rollback", "--yes"], &["resume", "--wait=30"]] {
        let scene = Scene::new().await;
        let plan = site_to_site(scene.home.path());
        scene.kill_at(plan, "POST", "ipsec-site-connections", "nz-por-1", 1, true).await;
        let gate = Gate::closed();
        scene.cloud.inject(Fault::new(Effect::Held(gate.clone())).method("DELETE").path("ikepolicies"));
        let mut rollback = scene.osvpn(&["rollback", "--yes"]).spawn().unwrap();
        gate.arrived().await;
        kill(&mut rollback);
        gate.open();
        scene.cloud.clear_faults();
        let ran = run(scene.osvpn(way)).await;
        let expected = if way[0] == "rollback" { 0 } else { 12 };
        assert_eq!((ran.code, scene.made()), (0, expected), "{way:?}: {}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_never_work_on_one_vpn() {
    let scene = Scene::new().await;
    let gate = Gate::closed();
    scene.cloud.inject(Fault::new(Effect::Held(gate.clone())).method("POST").path("ikepolicies"));
    let mut first = scene.osvpn(&["apply", site_to_site(scene.home.path())]).spawn().unwrap();
    gate.arrived().await;
    let id = first.id();
    for command in [["resume", "--json"], ["rollback", "--yes"]] {
        let ran = run(scene.osvpn(&command)).await;
        assert_eq!(ran.code, 2);
        let told = ran.out + &ran.err;
        assert!(told.contains(&format!("another osvpn (process {id}) is working on this VPN")), "{told}");
        assert!(told.contains("Nothing was changed.") || command[1] == "--json", "{told}");
    }
    gate.open();
    let code = tokio::task::spawn_blocking(move || first.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
    assert!(scene.journals().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_journal_a_run_is_known_by_its_marks() {
    for (kind, region, nth) in [("ipsec-site-connections", "nz-hlz-1", 1), ("ipsec-site-connections", "nz-por-1", 1)] {
        let scene = Scene::new().await;
        scene.kill_at(site_to_site(scene.home.path()), "POST", kind, region, nth, true).await;
        std::fs::remove_dir_all(scene.state()).unwrap();
        let ran = run(scene.osvpn(&["resume"])).await;
        assert_eq!(ran.code, 2, "it has to be named");
        let ran = run(scene.osvpn(&["resume", "test-vpn"])).await;
        assert_eq!((ran.code, scene.made()), (0, 12), "{}{}", ran.out, ran.err);
        let ran = run(scene.osvpn(&["rollback", "test-vpn", "--yes"])).await;
        assert_eq!((ran.code, scene.made()), (0, 0), "{}{}", ran.out, ran.err);
    }
}

/// Both halves of a tunnel must have the key, also if the cloud acts on the request of a dead process just when the next
/// one has made another.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_appears_with_the_key_of_a_dead_process_is_made_again() {
    let scene = Scene::new().await;
    let (kind, region) = ("ipsec-site-connections", "nz-hlz-1");
    let dead = scene.kill_at(site_to_site(scene.home.path()), "POST", kind, region, 1, false).await;
    // The inventory, the look for a key, and only then the look for what the lost request has made.
    let look = Gate::closed();
    scene.cloud.inject(Fault::new(Effect::Held(look.clone())).method("GET").path(kind).region(region).nth(3));
    let resume = scene.osvpn(&["resume"]);
    let meanwhile = async {
        look.arrived().await;
        dead.open();
        dead.acted().await;
        look.open();
    };
    let (ran, ()) = tokio::join!(run(resume), meanwhile);
    assert_eq!((ran.code, scene.made()), (0, 12), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("deleted "), "the connection of the dead process: {}", ran.err);
    let keys = REGIONS.map(|region| {
        let connections = scene.cloud.collection(region, kind);
        let mark = format!("osvpn:{}", ran.id());
        let ours = connections.iter().find(|one| one["description"].as_str().unwrap().starts_with(&mark));
        ours.unwrap()["psk"].clone()
    });
    assert_eq!(keys[0], keys[1], "both halves have one key");
    assert!(scene.journals().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_never_work_on_one_vpn_without_a_journal_either() {
    let scene = Scene::new().await;
    scene.kill_at(site_to_site(scene.home.path()), "POST", "ipsec-site-connections", "nz-por-1", 1, true).await;
    std::fs::remove_dir_all(scene.state()).unwrap();
    let gate = Gate::closed();
    scene.cloud.inject(Fault::new(Effect::Held(gate.clone())).method("DELETE").path("ikepolicies"));
    let mut first = scene.osvpn(&["rollback", "test-vpn", "--yes"]).spawn().unwrap();
    gate.arrived().await;
    let id = first.id();
    for command in [&["resume", "test-vpn"][..], &["rollback", "test-vpn", "--yes"]] {
        let ran = run(scene.osvpn(command)).await;
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(&format!("another osvpn (process {id}) is working on this VPN")), "{}", ran.err);
    }
    gate.open();
    let code = tokio::task::spawn_blocking(move || first.wait().unwrap().code()).await.unwrap();
    assert_eq!((code, scene.made()), (Some(0), 0));
    assert_eq!(std::fs::read_dir(scene.state()).unwrap().count(), 0, "no lock is left");
}

/// Gives every object that was made another name.
fn rename(scene: &Scene) {
    for region in REGIONS {
        for (collection, objects) in scene.cloud.objects(region).as_object().unwrap() {
            let ours = objects.as_array().unwrap().iter();
            for object in ours.filter(|one| !scene.before.contains(one["id"].as_str().unwrap())) {
                let [id, description] = ["id", "description"].map(|key| object[key].as_str().unwrap());
                let changes = json!({ "name": "renamed", "description": format!("see {description}") });
                assert!(scene.cloud.alter(region, collection, id, changes));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_with_other_names_are_known_by_their_marks() {
    // Of the last request the answer is lost; a local group and a peer group differ in their types alone.
    for post in posts().into_iter().filter(|(kind, region, _)| *region == REGIONS[1] && !kind.ends_with("policies")) {
        let scene = Scene::new().await;
        let (kind, region, nth) = post;
        scene.kill_at(site_to_site(scene.home.path()), "POST", kind, region, nth, true).await;
        rename(&scene);
        let ran = run(scene.osvpn(&["resume"])).await;
        assert_eq!((ran.code, scene.made()), (0, 12), "{post:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("adopted"), "{post:?}: {}", ran.out);
        rename(&scene);
        // Nothing is called after the VPN any more, so its id is its name.
        let id = ran.id();
        let way = if nth == 2 { "resume" } else { "rollback" };
        let ran = run(scene.osvpn(&if way == "resume" { vec![way, &id] } else { vec![way, &id, "--yes"] })).await;
        let left = if way == "resume" { 12 } else { 0 };
        assert_eq!((ran.code, scene.made()), (0, left), "{post:?} {way}: {}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_marks_do_not_tell_is_said_and_can_be_deleted() {
    let scene = Scene::new().await;
    scene.kill_at(site_to_site(scene.home.path()), "POST", "vpnservices", "nz-por-1", 1, true).await;
    std::fs::remove_dir_all(scene.state()).unwrap();
    let ran = run(scene.osvpn(&["resume", "test-vpn"])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("does not tell") && ran.err.contains("osvpn rollback "), "{}", ran.err);
    let ran = run(scene.osvpn(&["rollback", "test-vpn"])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    let ran = run(scene.osvpn(&["rollback", "test-vpn", "--yes", "--json"])).await;
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((answer["outcome"].as_str(), answer["deleted"].as_u64(), scene.made()), (Some("undone"), Some(2), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_given_is_read_back_or_asked_for_again_and_never_written() {
    let scene = Scene::new().await;
    let plan = single(scene.home.path());
    scene.kill_at(plan, "POST", "ikepolicies", "nz-hlz-1", 1, true).await;
    assert!(!scene.journal().to_string().contains(KEY));
    let ran = run(scene.osvpn(&["resume", "--wait", "0"])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--psk-file") && ran.err.contains("Nothing was changed."), "{}", ran.err);
    let mut again = scene.osvpn(&["resume", "--wait", "0"]);
    again.env("OSVPN_PSK", KEY);
    let ran = run(again).await;
    assert_eq!((ran.code, scene.made()), (3, 6), "{}{}", ran.out, ran.err);
    // By now the connection has it.
    let ran = run(scene.osvpn(&["resume", "--wait", "0"])).await;
    assert_eq!((ran.code, scene.made()), (3, 6), "{}{}", ran.out, ran.err);
    let connection = &scene.cloud.collection("nz-hlz-1", "ipsec-site-connections");
    assert!(connection.iter().any(|connection| connection["psk"] == KEY));
    assert!(!scene.journal().to_string().contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_journal_nothing_is_sent() {
    let scene = Scene::new().await;
    std::fs::create_dir_all(scene.home.path().join(".local")).unwrap();
    std::fs::write(scene.home.path().join(".local/state"), "in the way").unwrap();
    let ran = run(scene.osvpn(&["apply", site_to_site(scene.home.path())])).await;
    assert_eq!((ran.code, scene.made()), (1, 0));
    assert!(ran.out.contains("journal") && ran.out.contains("XDG_STATE_HOME"), "{}", ran.out);
    let writes =
        scene.cloud.requests().into_iter().filter(|request| request.method == "POST" && request.region.is_some());
    assert_eq!(writes.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_used_says_why() {
    let scene = Scene::new().await;
    scene.kill_at(site_to_site(scene.home.path()), "POST", "vpnservices", "nz-hlz-1", 1, true).await;
    let [path] = scene.journals().try_into().unwrap();
    let good = std::fs::read_to_string(&path).unwrap();
    for (bad, expected) in [
        (good.replacen("\"version\": 1", "\"version\": 2", 1), "use the newer one"),
        (good[..good.len() / 2].to_owned(), "cannot be read"),
        (String::new(), "cannot be read"),
        (good.replace("\"project\": \"", "\"project\": \"0"), "was begun in another project"),
    ] {
        std::fs::write(&path, bad).unwrap();
        let ran = run(scene.osvpn(&["resume"])).await;
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(expected) && ran.err.contains("Nothing was changed."), "{expected}: {}", ran.err);
    }
    std::fs::write(&path, good.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
    for command in [&["resume", "test-vpn"][..], &["rollback", "test-vpn", "--yes"]] {
        let ran = run(scene.osvpn(command)).await;
        assert_eq!((ran.code, scene.made()), (2, 1), "{}{}", ran.out, ran.err);
        for part in ["use the newer one", "move that file away", path.to_str().unwrap()] {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
    }
    std::fs::write(&path, good).unwrap();
    let ran = run(scene.osvpn(&["rollback", "--yes"])).await;
    assert_eq!((ran.code, scene.made()), (0, 0), "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_tampered_with_is_refused_and_cannot_harm_the_terminal() {
    let scene = Scene::new().await;
    std::fs::create_dir_all(scene.state()).unwrap();
    let rest = r#""program": "osvpn", "name": "n", "began": "2026-11-24T02:00:00Z", "auth_url": "https://k/v3", "project": "p", "plan": "","#;
    let ledger = r#""ledger": {"made": [], "debris": [], "doubtful": [], "late": [], "intents": []}"#;
    for (vpn, key) in [("0badcafe", "gener\\nated\\u001b[31m"), ("../../0badcafe", "given"), ("a\\u001b[31m", "given")]
    {
        let text = format!(r#"{{"version": 1, "vpn": "{vpn}", {rest} "key": "{key}", {ledger}}}"#);
        std::fs::write(scene.state().join("0badcafe.json"), text).unwrap();
        let ran = run(scene.osvpn(&["resume"])).await;
        assert!(ran.code == 2 && ran.err.contains("cannot be read"), "{}", ran.err);
        assert!(!ran.err.contains(|c: char| c.is_control() && c != '\n'), "{:?}", ran.err);
        assert!(ran.err.lines().all(|line| !line.starts_with("ated")), "{}", ran.err);
    }
}
