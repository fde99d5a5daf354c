//! The real process, killed: what `osvpn resume` and `osvpn rollback` make of what it leaves.

use crate::support::command;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use osvpn::simulator::{FaultEffect, Gate, InjectedFault, Simulator, SimulatorSettings};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use command::{KEY, creations, is_last_of_its_stage, osvpn_in, run, single, site_to_site, under_way};

mod complete_vpn;

const REGIONS: [&str; 2] = ["nz-hlz-1", "nz-por-1"];

struct Scene {
    home: TempDir,
    cloud: Simulator,
    before: BTreeSet<String>,
}

impl Scene {
    async fn new() -> Self {
        let cloud = Simulator::start(SimulatorSettings::default()).await.unwrap();
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

    /// The objects of a collection that were not there before.
    fn of(&self, region: &str, collection: &str) -> Vec<Map<String, Value>> {
        let mut all = self.cloud.collection(region, collection);
        all.retain(|one| !self.before.contains(one["id"].as_str().unwrap()));
        all
    }

    #[track_caller]
    fn is_all_sha256(&self) {
        for (region, kind) in
            REGIONS.into_iter().flat_map(|region| ["ikepolicies", "ipsecpolicies"].map(|kind| (region, kind)))
        {
            let policies = self.of(region, kind);
            assert!(matches!(&policies[..], [one] if one["auth_algorithm"] == "sha256"), "{region} {policies:?}");
        }
    }

    /// Takes a connection away, so that without a journal the VPN is known to be incomplete.
    fn lose_a_connection(&self) {
        let lost = self.of("nz-por-1", "ipsec-site-connections").pop().unwrap();
        self.cloud.uproot("nz-por-1", "ipsec-site-connections", lost["id"].as_str().unwrap());
    }

    /// The objects that were not there before.
    fn made(&self) -> usize {
        ids(&self.cloud).difference(&self.before).count()
    }

    /// Runs `osvpn apply` until that request has arrived and all others are answered, and kills it.
    async fn kill_at(&self, plan: &str, method: &str, collection: &str, region: &str, nth: usize, done: bool) -> Gate {
        let gate = Gate::closed();
        let fault =
            InjectedFault::new(FaultEffect::Held(gate.clone())).method(method).path(collection).region(region).nth(nth);
        self.cloud.inject(fault);
        let mut command = self.osvpn(&["apply", plan]);
        let is_single = std::fs::read_to_string(self.home.path().join(plan)).unwrap().contains("single");
        if is_single {
            command.env("OSVPN_PSK", KEY);
        }
        let halves = if is_single { 1 } else { 2 };
        let mut child = command.spawn().unwrap();
        gate.arrived().await;
        while method == "POST" && !is_last_of_its_stage(&self.cloud, &self.state(), collection, halves) {
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
    /// The request is in the journal, and the cloud never acts on it: killed between that writing and the sending, a
    /// process leaves the same behind.
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

/// A request of a run: method, path up to the collection, region, and which of its kind.
type Target = (String, String, Option<String>, usize);

fn targets(cloud: &Simulator) -> Vec<Target> {
    let mut seen = BTreeMap::new();
    let requests = cloud.requests().into_iter().map(|request| {
        let whole = request.path.split('?').next().unwrap();
        let path = whole.split("/v2.0/").nth(1).map_or(whole.to_owned(), |path| {
            let parts: Vec<&str> = path.split('/').collect();
            parts[..parts.len().min(if parts[0] == "vpn" { 2 } else { 1 })].join("/")
        });
        let key = (request.method, path, request.region);
        let nth = seen.entry(key.clone()).or_insert(0);
        *nth += 1;
        (key.0, key.1, key.2, *nth)
    });
    requests.collect()
}

/// Kills a process at that request, which the cloud acts on or not.
async fn killed_at(scene: &Scene, args: &[&str], (method, path, region, nth): &Target, done: bool) {
    let gate = Gate::closed();
    let mut fault = InjectedFault::new(FaultEffect::Held(gate.clone())).method(method).path(path).nth(*nth);
    if let Some(region) = region {
        fault = fault.region(region);
    }
    scene.cloud.inject(fault);
    let mut child = scene.osvpn(args).spawn().unwrap();
    let arrived = tokio::time::timeout(Duration::from_secs(30), gate.arrived()).await;
    assert!(arrived.is_ok(), "{args:?} never comes to {method} {path} {region:?} {nth}");
    // What else is in progress is answered first, so that only this request is in doubt.
    while under_way(&scene.state()) > usize::from(method == "POST") {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    kill(&mut child);
    scene.cloud.clear_faults();
    if done {
        gate.open();
        gate.acted().await;
    }
}

/// Kills `apply` at a request that only reads, and finishes or undoes what it leaves.
async fn read_killed(target: Target, undo: bool) {
    let scene = Scene::new().await;
    killed_at(&scene, &["apply", site_to_site(scene.home.path())], &target, false).await;
    let begun = !scene.journals().is_empty();
    let made = scene.made();
    // Past ACTIVE the run is over, and only its proof is read.
    assert!(begun || matches!(made, 0 | 12), "{target:?}: nothing is half-made without a journal");
    let way = if undo { &["rollback", "--yes"][..] } else { &["resume"] };
    let ran = run(scene.osvpn(way)).await;
    let expected = if !begun || made == 12 {
        // What is made is no run any more that could be finished or undone.
        (2, made)
    } else if undo {
        (0, 0)
    } else {
        (0, 12)
    };
    assert_eq!((ran.code, scene.made()), expected, "{target:?} {way:?}: {}{}", ran.out, ran.err);
    assert!(scene.journals().is_empty(), "{target:?} {way:?}");
}

/// Kills `rollback` at a request, and undoes the rest or makes again what it has deleted.
async fn undo_killed(target: Target, done: bool, resume: bool) {
    let scene = Scene::new().await;
    let full = run(scene.osvpn(&["apply", site_to_site(scene.home.path()), "--wait", "0"])).await;
    assert!(matches!(full.code, 0 | 3), "{}{}", full.out, full.err);
    let id = full.id();
    scene.lose_a_connection();
    killed_at(&scene, &["rollback", &id, "--yes"], &target, done).await;
    let way = if resume { vec!["resume", &id] } else { vec!["rollback", &id, "--yes"] };
    let ran = run(scene.osvpn(&way)).await;
    let left = scene.made();
    let nothing = ran.code == 2 && left == 0 && ran.err.contains("is known");
    // Without a journal what is deleted already may be what tells how it was.
    let untold = resume && ran.code == 2 && ran.err.contains("does not tell");
    let expected = if resume { 12 } else { 0 };
    assert!(
        nothing || untold || (ran.code, left) == (0, expected),
        "{target:?} {way:?} {left}: {}{}",
        ran.out,
        ran.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_other_request_a_run_is_finished_or_undone() {
    let scene = Scene::new().await;
    let ran = run(scene.osvpn(&["apply", site_to_site(scene.home.path())])).await;
    let made = targets(&scene.cloud);
    scene.lose_a_connection();
    scene.cloud.clear_requests();
    run(scene.osvpn(&["rollback", &ran.id(), "--yes"])).await;
    let undone = targets(&scene.cloud);
    let mut cases: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
    let is_first_look = |(_, path, _, nth): &Target| !path.contains("ipsec-site-connections") || *nth <= 2;
    for (at, target) in made.into_iter().filter(|target| target.0 == "GET" && is_first_look(target)).enumerate() {
        cases.push(Box::pin(read_killed(target, at % 2 == 1)));
    }
    for (at, target) in undone.into_iter().filter(|target| target.0 == "DELETE").enumerate() {
        cases.push(Box::pin(undo_killed(target.clone(), true, at % 2 == 0)));
        cases.push(Box::pin(undo_killed(target, false, at % 2 == 1)));
    }
    println!("{} processes killed at reads and deletions", cases.len());
    while !cases.is_empty() {
        let at_once: tokio::task::JoinSet<()> = cases.drain(..cases.len().min(6)).collect();
        at_once.join_all().await;
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
    assert!(ran.err.contains("Nothing was interrupted"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_rollback_is_finished_by_another_or_what_it_deleted_is_made_again() {
    for way in [&["rollback", "--yes"], &["resume", "--wait=30"]] {
        let scene = Scene::new().await;
        let plan = site_to_site(scene.home.path());
        scene.kill_at(plan, "POST", "ipsec-site-connections", "nz-por-1", 1, true).await;
        let gate = Gate::closed();
        scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("DELETE").path("ikepolicies"));
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
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("ikepolicies"));
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
        // Whole by now, nothing tells that it was cut off.
        let refused = run(scene.osvpn(&["rollback", "test-vpn", "--yes"])).await;
        assert_eq!((refused.code, scene.made()), (4, 12), "{}{}", refused.out, refused.err);
        assert!(refused.err.contains(&format!("osvpn delete {}", ran.id())), "{}", refused.err);
        scene.lose_a_connection();
        let ran = run(scene.osvpn(&["rollback", "test-vpn", "--yes"])).await;
        assert_eq!((ran.code, scene.made()), (0, 0), "{}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_vpns_of_one_name_are_told_apart_by_regions_and_what_is_missing() {
    let scene = Scene::new().await;
    let mut outside = scene.osvpn(&["apply", single(scene.home.path()), "--wait", "0"]);
    outside.env("OSVPN_PSK", KEY);
    let ran = run(outside).await;
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    scene.kill_at(site_to_site(scene.home.path()), "POST", "vpnservices", REGIONS[1], 1, true).await;
    std::fs::remove_dir_all(scene.state()).unwrap();
    for way in [&["resume", "test-vpn"][..], &["rollback", "test-vpn", "--yes"]] {
        let ran = run(scene.osvpn(way)).await;
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        for told in ["several VPNs are called test-vpn", "nz-hlz-1, 6 objects, complete", "not complete"] {
            assert!(ran.err.contains(told), "{told}: {}", ran.err);
        }
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
    scene
        .cloud
        .inject(InjectedFault::new(FaultEffect::Held(look.clone())).method("GET").path(kind).region(region).nth(3));
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
    scene.lose_a_connection();
    let gate = Gate::closed();
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("DELETE").path("ikepolicies"));
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
                let changes = json!({ "name": "renamed", "description": format!("{description} of Jo") });
                assert!(scene.cloud.alter(region, collection, id, changes));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_request_made_and_a_person_renamed_is_left_and_named() {
    // Of the last request the answer is lost; a local group and a peer group differ in their types alone.
    for post in posts().into_iter().filter(|(kind, region, _)| *region == REGIONS[1] && kind.ends_with("groups")) {
        let scene = Scene::new().await;
        let (kind, region, nth) = post;
        scene.kill_at(site_to_site(scene.home.path()), "POST", kind, region, nth, true).await;
        let [journal] = creations(&scene.state()).try_into().unwrap();
        let known: Vec<&str> = journal.progress.objects().map(|made| made.id.as_str()).collect();
        rename(&scene);
        let groups = scene.of(region, kind);
        let of_lost = |group: &&Map<String, Value>| !known.contains(&group["id"].as_str().unwrap());
        let lost: Vec<&str> = groups.iter().filter(of_lost).map(|group| group["id"].as_str().unwrap()).collect();
        let [lost] = lost[..] else { panic!("{post:?}: {lost:?}") };
        let ran = run(scene.osvpn(&["resume"])).await;
        // What the journal knows by its id is used, whatever it is called.
        assert_eq!((ran.code, scene.made()), (0, 13), "{post:?}: {}{}", ran.out, ran.err);
        assert!(scene.of(region, kind).iter().any(|group| group["id"] == lost), "{post:?}");
        assert!(ran.err.contains(&format!("stays    renamed ({lost})")), "{post:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_with_other_names_are_used_again_and_not_deleted() {
    for way in ["resume", "rollback"] {
        let scene = Scene::new().await;
        let ran = run(scene.osvpn(&["apply", site_to_site(scene.home.path())])).await;
        assert_eq!((ran.code, scene.made()), (0, 12), "{}{}", ran.out, ran.err);
        rename(&scene);
        // Nothing is called after the VPN any more, so its id is its name.
        let id = ran.id();
        if way == "rollback" {
            scene.lose_a_connection();
        }
        let made = scene.made();
        let ran = run(scene.osvpn(&if way == "resume" { vec![way, &id] } else { vec![way, &id, "--yes"] })).await;
        let code = i32::from(way != "resume");
        assert_eq!((ran.code, scene.made()), (code, made), "{way}: {}{}", ran.out, ran.err);
        assert_eq!(ran.out.contains("not as osvpn sends them"), way == "rollback", "{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_goes_before_a_name_and_an_empty_word_means_nothing() {
    let scene = Scene::new().await;
    let plan = site_to_site(scene.home.path());
    scene.kill_at(plan, "POST", "ikepolicies", REGIONS[1], 1, true).await;
    let [first] = <[PathBuf; 1]>::try_from(scene.journals()).unwrap();
    let id = first.file_stem().unwrap().to_str().unwrap().to_owned();
    // Another run whose VPN has that id for a name.
    let other = std::fs::read_to_string(&first).unwrap().replace(&id, "0ther").replace("test-vpn", &id);
    std::fs::write(first.with_file_name("0ther.json"), other).unwrap();
    for word in ["", " "] {
        let ran = run(scene.osvpn(&["rollback", word, "--yes"])).await;
        assert!(ran.code == 2 && ran.err.contains("an empty name names no VPN"), "{}{}", ran.out, ran.err);
    }
    let ran = run(scene.osvpn(&["rollback", &id, "--yes"])).await;
    assert!(
        ran.code == 0 && ran.out.contains(&format!("VPN test-vpn (osvpn:{id}) is rolled back")),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(first.with_file_name("0ther.json").exists());
}

/// A run whose second region fails as one without sha1 does, and the ids of what of it is to stay.
async fn without_sha1(scene: &Scene) -> BTreeSet<String> {
    let plan = with_profile(scene, "catalyst");
    let refused = FaultEffect::status(500);
    scene.cloud.inject(InjectedFault::new(refused).method("POST").path("policies").region("nz-por-1").always());
    let ran = run(scene.osvpn(&["apply", plan])).await;
    scene.cloud.clear_faults();
    assert_eq!((ran.code, scene.made()), (1, 8), "{}{}", ran.out, ran.err);
    let last = ran.out.lines().last().unwrap();
    assert!(last.ends_with(&format!("osvpn resume {} --profile modern", ran.id())), "{last}");
    let policies = ["ikepolicies", "ipsecpolicies"].map(|kind| scene.of("nz-hlz-1", kind));
    let policies: BTreeSet<String> =
        policies.iter().flatten().map(|one| one["id"].to_string().replace('"', "")).collect();
    ids(&scene.cloud).difference(&scene.before).filter(|id| !policies.contains(*id)).cloned().collect()
}

fn with_profile(scene: &Scene, profile: &str) -> &'static str {
    let plan = site_to_site(scene.home.path());
    let path = scene.home.path().join(plan);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("profile = \"{profile}\"\n{text}")).unwrap();
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_without_sha1_is_met_with_modern_and_everything_else_is_kept() {
    let scene = Scene::new().await;
    let kept = without_sha1(&scene).await;
    let ran = run(scene.osvpn(&["resume", "--profile", "modern"])).await;
    assert_eq!((ran.code, scene.made()), (0, 12), "{}{}", ran.out, ran.err);
    assert!(kept.is_subset(&ids(&scene.cloud)), "services and groups are those from before");
    scene.is_all_sha256();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_to_modern_that_is_killed_goes_on_as_a_switch() {
    for (method, kind) in
        [("DELETE", "ikepolicies/"), ("DELETE", "ipsecpolicies/"), ("POST", "ikepolicies"), ("POST", "ipsec-site")]
    {
        for done in [true, false] {
            let scene = Scene::new().await;
            let kept = without_sha1(&scene).await;
            let target = (method.to_owned(), kind.to_owned(), Some("nz-hlz-1".to_owned()), 1);
            killed_at(&scene, &["resume", "--profile", "modern"], &target, done).await;
            let ran = run(scene.osvpn(&["resume"])).await;
            assert_eq!((ran.code, scene.made()), (0, 12), "{method} {kind} {done}: {}{}", ran.out, ran.err);
            assert!(kept.is_subset(&ids(&scene.cloud)), "{method} {kind} {done}");
            scene.is_all_sha256();
            let may_come = method == "POST" && !done;
            assert_eq!(scene.journals().len(), usize::from(may_come), "{method} {kind} {done}");
        }
    }
}

/// Policies are held by connections: the VPN's own are made anew, and for somebody else's the old policy stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_vpn_that_is_complete_can_be_switched_to_modern_too() {
    for is_used in [false, true] {
        let scene = Scene::new().await;
        scene.cloud.reconfigure(|settings| settings.report_interval = Duration::MAX);
        let plan = with_profile(&scene, "catalyst");
        let ran = run(scene.osvpn(&["apply", plan, "--wait", "0"])).await;
        assert_eq!((ran.code, scene.made()), (3, 12), "{}{}", ran.out, ran.err);
        let mut others = 0;
        if is_used {
            let own = scene.of("nz-hlz-1", "ipsec-site-connections").pop().unwrap();
            let other = json!({
                "name": "by hand", "description": "", "ikepolicy_id": own["ikepolicy_id"], "psk": KEY, "status": "DOWN",
                "ipsecpolicy_id": scene.cloud.collection("nz-hlz-1", "ipsecpolicies")[0]["id"],
                "vpnservice_id": own["vpnservice_id"],
            });
            scene.cloud.plant("nz-hlz-1", "ipsec-site-connections", other).unwrap();
            // The other's connection, and the policy it uses.
            others = 2;
        }
        scene.cloud.reconfigure(|settings| settings.report_interval = Duration::from_millis(20));
        let ran = run(scene.osvpn(&["resume", "test-vpn", "--profile", "modern"])).await;
        assert_eq!((ran.code, scene.made()), (0, 12 + others), "{is_used}: {}{}", ran.out, ran.err);
        assert_eq!(ran.out.contains("Left over"), is_used, "what stays is told: {}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_marks_do_not_tell_is_said_and_can_be_deleted() {
    let scene = Scene::new().await;
    scene.kill_at(site_to_site(scene.home.path()), "POST", "vpnservices", "nz-por-1", 1, true).await;
    std::fs::remove_dir_all(scene.state()).unwrap();
    let made = scene.made() as u64;
    assert!(made > 0);
    let ran = run(scene.osvpn(&["resume", "test-vpn"])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("does not tell") && ran.err.contains("osvpn rollback "), "{}", ran.err);
    let ran = run(scene.osvpn(&["rollback", "test-vpn"])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    let ran = run(scene.osvpn(&["rollback", "test-vpn", "--yes", "--json"])).await;
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((answer["outcome"].as_str(), answer["deleted"].as_u64(), scene.made()), (Some("undone"), Some(made), 0));
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
    // By now the connection has it, and everything is made.
    let ran = run(scene.osvpn(&["resume", "test-vpn", "--wait", "0"])).await;
    assert_eq!((ran.code, scene.made()), (3, 6), "{}{}", ran.out, ran.err);
    let connection = &scene.cloud.collection("nz-hlz-1", "ipsec-site-connections");
    assert!(connection.iter().any(|connection| connection["psk"] == KEY));
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
    // What a process leaves that is killed while it writes.
    let name = format!(".{}.AbCdEf", path.file_name().unwrap().display());
    std::fs::write(path.with_file_name(name), "{").unwrap();
    let good = std::fs::read_to_string(&path).unwrap();
    for (bad, expected) in [
        (good.replacen("\"version\": 2", "\"version\": 3", 1), "use the newer one"),
        (good[..good.len() / 2].to_owned(), "cannot be read"),
        (String::new(), "cannot be read"),
        (good.replace("\"project\": \"", "\"project\": \"0"), "was begun in another project"),
    ] {
        std::fs::write(&path, bad).unwrap();
        let ran = run(scene.osvpn(&["resume"])).await;
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(expected) && ran.err.contains("Nothing was changed."), "{expected}: {}", ran.err);
    }
    std::fs::write(&path, good.replacen("\"version\": 2", "\"version\": 3", 1)).unwrap();
    let made = scene.made();
    for command in [&["resume", "test-vpn"][..], &["rollback", "test-vpn", "--yes"]] {
        let ran = run(scene.osvpn(command)).await;
        assert_eq!((ran.code, scene.made()), (2, made), "{}{}", ran.out, ran.err);
        for part in ["use the newer one", "move that file away", path.to_str().unwrap()] {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
    }
    std::fs::write(&path, good).unwrap();
    let ran = run(scene.osvpn(&["rollback", "--yes"])).await;
    assert_eq!((ran.code, scene.made()), (0, 0), "{}{}", ran.out, ran.err);
    assert_eq!(std::fs::read_dir(scene.state()).unwrap().count(), 0, "nothing is left behind");
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

#[tokio::test(flavor = "multi_thread")]
async fn resuming_reads_what_the_vpn_names_with_and_without_its_journal() {
    for has_journal in [true, false] {
        let scene = Scene::new().await;
        let plan = site_to_site(scene.home.path());
        let _lost = scene.kill_at(plan, "POST", "ipsec-site-connections", REGIONS[1], 1, false).await;
        if !has_journal {
            std::fs::remove_file(&scene.journals()[0]).unwrap();
        }
        scene.cloud.clear_requests();
        let ran = run(scene.osvpn(&["resume", "test-vpn", "--wait", "0"])).await;
        assert!(matches!(ran.code, 0 | 3), "{}{}", ran.out, ran.err);
        let asked = scene.cloud.requests();
        let is_whole = |path: &str| {
            ["/routers?", "/subnets?", "/ports?", "/networks?"].iter().any(|list| path.contains(list))
                && ["&id=", "device_id=", "fixed_ips="].iter().all(|filter| !path.contains(filter))
        };
        let whole: Vec<&str> = asked.iter().map(|one| one.path.as_str()).filter(|path| is_whole(path)).collect();
        assert_eq!(whole, [""; 0], "with a journal: {has_journal}");
        assert_eq!(scene.made(), 12);
    }
}
