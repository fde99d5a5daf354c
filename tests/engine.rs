//! The engine against a simulated cloud: what it makes, in how many round trips, and what it leaves when things fail.

mod changes;
mod fault_matrix;
mod faults;
mod old_journals;
mod single_faults;
mod two_at_once;

use crate::support::{site, token};
use std::path::{Path, PathBuf};
use std::time::Duration;

use osvpn::cloud::retry::Pause;
use osvpn::cloud::{Error, Limits};
use osvpn::engine::handover::KeyOrigin;
use osvpn::engine::journal::{Stage, unfinished};
use osvpn::engine::{
    ChangeError, Changed, Changing, Doubt, Event, Made, Origin, Pace, Progress, Step, Task, Watched, Work,
};
use osvpn::inspect::{Check, Condition, checks, examine};
use osvpn::plan::{Half, Place, Plan, Profile};
use osvpn::simulator::{FaultEffect, Gate, InjectedFault, Release, Scripted, Seed, SimulatorSettings, depth};
use serde_json::{Value, json};
use site::{HAMILTON, KEY, PORIRUA, Site};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

const QUICK: Pace = Pace { every: Duration::from_millis(10), wait: Duration::from_secs(10) };
const BRIEF: Pace = Pace { every: Duration::from_millis(10), wait: Duration::from_millis(300) };

struct Run {
    events: UnboundedSender<Event>,
    received: UnboundedReceiver<Event>,
    stop: CancellationToken,
    /// Where its journal is kept.
    directory: Option<PathBuf>,
    changing: Option<Changing>,
    pauses: Vec<(Task, Pause)>,
}

impl Run {
    fn new() -> Self {
        let (events, received) = unbounded_channel();
        let stop = CancellationToken::new();
        Self { events, received, stop, directory: None, changing: None, pauses: Vec::new() }
    }

    fn kept_in(directory: &Path) -> Self {
        Self { directory: Some(directory.to_owned()), ..Self::new() }
    }

    /// Another process goes on from the journal.
    fn resumed(journal: &Path, plan: &Plan, limits: &Limits) -> Self {
        let mut changing = Changing::open(journal).unwrap();
        let progress = changing.progress_resumed(limits);
        changing.make(plan.clone(), &progress);
        Self { changing: Some(changing), ..Self::new() }
    }

    fn begin(&mut self, site: &Site, plan: &Plan) {
        self.changing.get_or_insert_with(|| match self.directory.clone() {
            Some(directory) => {
                Changing::begin_creation(plan.clone(), KeyOrigin::Generated, &site.cloud, Some(directory))
            }
            None => Changing::unkept_creation(plan),
        });
    }

    async fn create(&mut self, site: &Site, plan: &Plan) -> Result<(), ChangeError> {
        self.begin(site, plan);
        let Self { events, stop, changing, .. } = self;
        let work = Work::new(&site.cloud, events, stop);
        changing.as_mut().unwrap().carry_out(None, &work).await.map(drop)
    }

    async fn watch(&mut self, site: &Site, pace: Pace) -> Watched {
        let Self { events, stop, changing, .. } = self;
        changing.as_mut().unwrap().watch(pace, &Work::new(&site.cloud, events, stop)).await
    }

    fn progress(&self) -> Progress {
        self.changing.as_ref().map_or_else(Progress::default, |changing| changing.course().progress)
    }

    fn not_deleted(&self) -> Vec<(Made, Error)> {
        self.changing.as_ref().map_or_else(Vec::new, |changing| changing.course().not_deleted)
    }

    fn task(&self, step: usize) -> Task {
        self.changing.as_ref().unwrap().change().steps()[step].task().unwrap()
    }

    fn id(&self, task: Task) -> String {
        self.progress().get(task.half, task.step).unwrap().id.to_string()
    }

    async fn undo(&mut self, site: &Site, plan: &Plan) -> Result<Changed, ChangeError> {
        self.begin(site, plan);
        let Self { events, stop, changing, .. } = self;
        changing.as_mut().unwrap().roll_back(&Work::new(&site.cloud, events, stop)).await
    }

    /// Creating must fail: at what, and why.
    async fn fails(&mut self, site: &Site, plan: &Plan) -> (Task, Error) {
        match self.create(site, plan).await {
            Err(ChangeError::Failed(step, error)) => (self.task(step), *error),
            other => panic!("must fail, not end as {other:?}"),
        }
    }
}

async fn site() -> Site {
    Site::start(SimulatorSettings { seed: Seed::Minimal, ..SimulatorSettings::default() }).await
}

fn counts(site: &Site) -> (usize, usize) {
    (site.simulator.count("nz-hlz-1"), site.simulator.count("nz-por-1"))
}

/// The stages of the journals in a directory.
fn stages(directory: &Path) -> Vec<Stage> {
    let (_, records): (Vec<_>, Vec<_>) = unfinished(directory).unwrap().into_iter().unzip();
    records.into_iter().map(|record| record.unwrap().stage()).collect()
}

#[tokio::test]
async fn undoing_a_vpn_that_is_made_begins_a_journal_again_before_anything_is_deleted() {
    let (site, directory) = (site().await, tempfile::tempdir().unwrap());
    let plan = site.site_to_site(Profile::Catalyst).await;
    let mut run = Run::kept_in(directory.path());
    run.create(&site, &plan).await.unwrap();
    assert_eq!(stages(directory.path()), [], "it is made");
    let gate = Gate::closed();
    site.simulator.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("DELETE").path("ikepolicies"));
    let looked = async {
        gate.arrived().await;
        let stages = stages(directory.path());
        gate.open();
        stages
    };
    let (undone, stages_meanwhile) = tokio::join!(run.undo(&site, &plan), looked);
    assert_eq!((undone, stages_meanwhile), (Ok(Changed::Done), vec![Stage::Interrupted]));
    assert_eq!((stages(directory.path()), counts(&site)), (vec![], (0, 0)));
}

#[tokio::test]
async fn a_run_that_ended_before_it_looked_for_others_looks_when_it_is_resumed() {
    let (site, directory) = (site().await, tempfile::tempdir().unwrap());
    let plan = site.site_to_site(Profile::Catalyst).await;
    let mut run = Run::kept_in(directory.path());
    let gate = Gate::closed();
    let look = InjectedFault::new(FaultEffect::Held(gate.clone()))
        .method("GET")
        .path("ipsec-site-connections")
        .region("nz-hlz-1");
    site.simulator.inject(look.nth(2));
    tokio::select! {
        created = run.create(&site, &plan) => panic!("it never looked: {created:?}"),
        () = gate.arrived() => {}
    }
    gate.open();
    drop(run);
    assert_eq!(counts(&site), (6, 6), "everything exists");
    assert_eq!(stages(directory.path()), [Stage::Interrupted]);
    let (path, _) = unfinished(directory.path()).unwrap().pop().unwrap();
    let mut resumed = Run::resumed(&path, &plan, site.cloud.limits());
    site.simulator.clear_requests();
    resumed.create(&site, &plan).await.unwrap();
    let requests = site.simulator.requests();
    let looks = |region: &str| {
        let is_look = |path: &str| path.contains("ipsec-site-connections");
        requests.iter().filter(|request| is_look(&request.path) && request.region.as_deref() == Some(region)).count()
    };
    assert!(looks("nz-hlz-1") > 0 && looks("nz-por-1") > 0);
    assert!(requests.iter().all(|request| request.method != "POST") && stages(directory.path()).is_empty());
}

#[tokio::test]
async fn two_halves_come_up_in_twelve_posts_and_five_round_trips() {
    let site = Site::start(SimulatorSettings {
        seed: Seed::Minimal,
        latency: Duration::from_millis(30),
        ..SimulatorSettings::default()
    })
    .await;
    let plan = site.site_to_site(Profile::Catalyst).await;
    site.simulator.clear_requests();
    site.simulator.inject(InjectedFault::together(2).method("POST").path("ipsec-site-connections"));
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    let requests = site.simulator.requests();
    let posts = requests.iter().filter(|request| request.method == "POST").count();
    println!("creation: {posts} POSTs, {} requests, {} round trips deep", requests.len(), depth(&requests));
    assert_eq!(
        (posts, requests.len()),
        (12, 20),
        "twelve POSTs, and a look at each router's services and at its connections before and after"
    );
    assert!(depth(&requests) <= 5, "{}", depth(&requests));
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
    assert_eq!(counts(&site), (6, 6));
    let examined = examine(&site.cloud, plan.id(), &plan.to_change().halves()).await.unwrap();
    let wrong = examined.diagnosis.findings.iter().filter(|check| check.check != checks::SECURITY_GROUPS);
    assert_eq!((examined.diagnosis.condition, wrong.count()), (Condition::Proven, 0), "{examined:?}");
}

/// Of two clouds that are alike, each holds one half.
#[tokio::test]
async fn each_half_is_made_watched_and_rolled_back_with_its_own_sign_in() {
    let alike = || SimulatorSettings { seed: Seed::Minimal, id_seed: Some(1), ..SimulatorSettings::default() };
    let (one, two) = (Site::start(alike()).await, Site::start(alike()).await);
    let mut changing = Changing::unkept_creation(&one.site_to_site(Profile::Catalyst).await);
    let (events, _received) = unbounded_channel();
    let stop = CancellationToken::new();
    let work = Work::of_halves([&one.cloud, &two.cloud], &events, &stop);
    changing.carry_out(None, &work).await.unwrap();
    assert_eq!((counts(&one), counts(&two)), ((6, 0), (0, 6)));
    let watched = changing.watch(BRIEF, &work).await;
    assert!(matches!(watched, Watched::NotYet(standing) if standing.len() == 2), "neither cloud has both halves");
    assert_eq!(changing.roll_back(&work).await, Ok(Changed::Done));
    assert_eq!((counts(&one), counts(&two)), ((0, 0), (0, 0)));
}

#[tokio::test]
async fn discovery_is_one_sign_in_and_five_reads_a_region_at_once() {
    let site = Site::start(SimulatorSettings::default()).await;
    let regions = site.cloud.regions();
    site.simulator.inject(InjectedFault::together(regions.len() * 5));
    let all = futures::future::join_all(regions.iter().map(osvpn::cloud::Region::inventory)).await;
    assert_eq!((all.len(), site.simulator.requests().len()), (3, 1 + 3 * 5));
    let without = all.iter().flatten().filter(|inventory| !inventory.extensions.has_vpnaas()).count();
    assert_eq!(without, 1, "a region without VPNaaS is read like the others");
}

#[tokio::test]
async fn a_new_vpn_is_verified_in_two_round_trips_of_its_regions_alone() {
    let site = Site::start(SimulatorSettings::default()).await;
    let plan = site.site_to_site(Profile::Catalyst).await;
    Run::new().create(&site, &plan).await.unwrap();
    site.simulator.clear_requests();
    // The VPN lists of both; then extensions, router, its ports, subnet, ports of instances, groups, rules and the key of each.
    for count in [2 * 5, 2 * 8] {
        site.simulator.inject(InjectedFault::together(count).method("GET"));
    }
    examine(&site.cloud, plan.id(), &plan.to_change().halves()).await.unwrap();
    assert_eq!(site.simulator.requests().len(), 2 * 5 + 2 * 8);
}

/// The guide's CLI commands, field by field.
#[tokio::test]
async fn what_is_made_is_what_the_guide_makes() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Catalyst).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    for (half, region, other) in [(Half::A, "nz-hlz-1", Half::B), (Half::B, "nz-por-1", Half::A)] {
        let one = |collection: &str| {
            let all = site.simulator.collection(region, collection);
            assert_eq!(all.len(), 1, "{collection}");
            Value::Object(all[0].clone())
        };
        let has = |object: &Value, expected: Value| {
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(&object[name], value, "{name} of {object}");
            }
        };
        let id = |half: Half, step: Step| run.progress().get(half, step).unwrap().id.to_string();
        let address = run.progress().get(other, Step::Service).unwrap().external_v4.unwrap().to_string();
        let mark = plan.id().mark(half);
        let this = plan.half(half).unwrap();
        let router = this.router.id.as_str();
        has(
            &one("vpnservices"),
            json!({ "name": "hlz-por_vpn_service", "description": mark, "router_id": router, "subnet_id": null, "admin_state_up": true }),
        );
        let lifetime = json!({ "units": "seconds", "value": 14400 });
        has(
            &one("ikepolicies"),
            json!({
                "name": "hlz-por_ike_policy", "description": mark, "auth_algorithm": "sha1", "encryption_algorithm": "aes-256",
                "phase1_negotiation_mode": "main", "pfs": "group14", "ike_version": "v1", "lifetime": lifetime,
            }),
        );
        let lifetime = json!({ "units": "seconds", "value": 3600 });
        has(
            &one("ipsecpolicies"),
            json!({
                "name": "hlz-por_ipsec_policy", "description": mark, "transform_protocol": "esp", "auth_algorithm": "sha1",
                "encryption_algorithm": "aes-256", "encapsulation_mode": "tunnel", "pfs": "group14", "lifetime": lifetime,
            }),
        );
        let groups = site.simulator.collection(region, "endpoint_groups");
        let group = |name: &str| Value::Object(groups.iter().find(|group| group["name"] == name).unwrap().clone());
        let subnets: Vec<&str> = this.local.iter().map(|subnet| subnet.id.as_str()).collect();
        has(
            &group("hlz-por_local_endpoint_group"),
            json!({ "type": "subnet", "endpoints": subnets, "description": mark }),
        );
        has(
            &group("hlz-por_peer_endpoint_group"),
            json!({ "type": "cidr", "endpoints": [this.remote[0].to_string()], "description": mark }),
        );
        has(
            &one("ipsec_site_connections"),
            json!({
                "name": "hlz-por_vpn_site_connection", "description": mark, "initiator": "bi-directional",
                "dpd": { "action": "restart", "interval": 15, "timeout": 150 }, "peer_address": address, "peer_id": address,
                "psk": KEY, "peer_cidrs": [], "mtu": 1500, "admin_state_up": true, "local_id": "",
                "vpnservice_id": id(half, Step::Service), "ikepolicy_id": id(half, Step::IkePolicy),
                "ipsecpolicy_id": id(half, Step::IpsecPolicy), "local_ep_group_id": id(half, Step::LocalGroup),
                "peer_ep_group_id": id(half, Step::PeerGroup),
            }),
        );
    }
}

#[tokio::test]
async fn on_ovn_the_peer_address_is_the_service_s_own() {
    let site = Site::start(SimulatorSettings { seed: Seed::Minimal, ovn: true, ..SimulatorSettings::default() }).await;
    let plan = site.site_to_site(Profile::Modern).await;
    assert_eq!(plan.a().address, None, "nobody knows it before the service exists");
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
    let made = run.progress().get(Half::A, Step::Service).unwrap().external_v4.unwrap();
    assert_ne!(Some(&made), plan.a().router.external_v4.first());
}

#[tokio::test]
async fn several_subnets_a_side_come_up_with_ikev2() {
    let site = Site::start(SimulatorSettings::default()).await;
    let a = ("nz-hlz-1", "border-router", &["private-subnet", "db-subnet"][..]);
    let refused = site.check(a, PORIRUA, Profile::Catalyst).await.unwrap_err();
    assert!(matches!(refused[0].place, Place::Policy(Some(_))));
    let plan = site.check(a, PORIRUA, Profile::Modern).await.unwrap();
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn a_single_half_ends_honestly_down_and_its_service_is_reused_by_the_next() {
    let site = Site::start(SimulatorSettings::default()).await;
    let first = site.single(HAMILTON, "203.0.113.200", "192.168.7.0/24").await;
    let mut run = Run::new();
    run.create(&site, &first).await.unwrap();
    assert!(matches!(run.watch(&site, BRIEF).await, Watched::NotYet(standing) if standing.len() == 1));
    let examined = examine(&site.cloud, first.id(), &first.to_change().halves()).await.unwrap();
    assert_eq!(examined.diagnosis.condition, Condition::NotActive);
    let first_said = format!("{:?}", examined.diagnosis.findings[0]);
    assert!(first_said.contains("Compare") && first_said.contains("UDP 500"), "{first_said}");
    let second = site.single(HAMILTON, "203.0.113.201", "192.168.8.0/24").await;
    let mut again = Run::new();
    again.create(&site, &second).await.unwrap();
    assert_eq!(again.progress().get(Half::A, Step::Service).unwrap().origin, Origin::Reused);
    let before = site.simulator.count("nz-hlz-1");
    assert_eq!(again.undo(&site, &second).await, Ok(Changed::Done));
    assert_eq!(before - site.simulator.count("nz-hlz-1"), 5, "what was reused stays");
}

#[tokio::test]
async fn a_service_that_appeared_after_the_plan_is_reused_not_doubled() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Catalyst).await;
    let other = site.single(HAMILTON, "203.0.113.200", "192.168.7.0/24").await;
    Run::new().create(&site, &other).await.unwrap();
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(site.simulator.collection("nz-hlz-1", "vpnservices").len(), 1);
    assert_eq!(run.progress().get(Half::A, Step::Service).unwrap().origin, Origin::Reused);
}

#[tokio::test]
async fn the_first_error_stops_it_says_what_exists_and_a_retry_does_the_rest() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Catalyst).await;
    let refusal =
        InjectedFault::new(FaultEffect::status(403)).method("POST").path("ipsec-site-connections").region("nz-por-1");
    site.simulator.inject(refusal);
    let mut run = Run::new();
    let (task, error) = run.fails(&site, &plan).await;
    assert_eq!((task, error.status), (Task { half: Half::B, step: Step::Connection }, Some(403)));
    assert_eq!(run.progress().objects().count(), 11, "everything but the last is there and known");
    site.simulator.clear_requests();
    run.create(&site, &plan).await.unwrap();
    let again: Vec<_> = site.simulator.requests().into_iter().filter(|request| request.method == "POST").collect();
    assert_eq!(again.len(), 1, "only what was missing is made");
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn nothing_is_made_twice_and_nothing_is_left_whatever_is_lost_on_the_way() {
    let lost = [
        ("lost before", FaultEffect::CloseBefore),
        ("lost after", FaultEffect::CloseAfter),
        ("cut", FaultEffect::CutAnswer),
        ("500", FaultEffect::status(500)),
        ("500 although done", FaultEffect::ActThenAnswer(Scripted::status(500))),
        ("503", FaultEffect::status(503)),
        ("504 although done", FaultEffect::ActThenAnswer(Scripted::status(504))),
    ];
    let collections = ["vpnservices", "ikepolicies", "ipsecpolicies", "endpoint-groups", "ipsec-site-connections"];
    let (mut cases, mut adopted, mut retried) = (0, 0, 0);
    for collection in collections {
        for (name, effect) in &lost {
            let site = site().await;
            let plan = site.site_to_site(Profile::Modern).await;
            site.simulator.inject(InjectedFault::new(effect.clone()).method("POST").path(collection));
            let mut run = Run::new();
            let first = run.create(&site, &plan).await;
            if first.is_err() {
                retried += 1;
                assert!(
                    run.undo(&site, &plan).await == Ok(Changed::Done) && run.progress().is_clean(),
                    "{collection} {name}"
                );
                assert_eq!(counts(&site), (0, 0), "{collection} {name}: an undo leaves nothing");
                run.create(&site, &plan).await.unwrap();
            }
            adopted += run.progress().objects().filter(|made| made.origin == Origin::Adopted).count();
            assert_eq!(counts(&site), (6, 6), "{collection} {name}: every object once");
            assert_eq!(run.watch(&site, QUICK).await, Watched::Active, "{collection} {name}");
            cases += 1;
        }
    }
    println!("{cases} cases, {adopted} objects adopted, {retried} runs undone and made again, none lost, none doubled");
    assert_eq!((cases, adopted), (35, 5 * 4), "each answer lost after the cloud had acted is found again by its mark");
}

#[tokio::test]
async fn a_request_in_doubt_is_looked_up_before_it_is_repeated() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator
        .inject(InjectedFault::new(FaultEffect::CloseAfter).method("POST").path("ikepolicies").region("nz-hlz-1"));
    site.simulator.inject(
        InjectedFault::new(FaultEffect::status(503)).method("GET").path("ikepolicies").region("nz-hlz-1").always(),
    );
    let mut run = Run::new();
    let (task, _) = run.fails(&site, &plan).await;
    assert_eq!(task.step, Step::IkePolicy);
    assert!(
        !run.progress().is_clean() && run.progress().doubts() == [Doubt { task, until: None }],
        "nobody knows whether it exists"
    );
    site.simulator.clear_faults();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(run.progress().get(Half::A, Step::IkePolicy).unwrap().origin, Origin::Adopted);
    assert_eq!(counts(&site), (6, 6));
}

#[tokio::test]
async fn sha1_on_a_release_that_no_longer_stores_it_is_refused_before_anything_is_made() {
    let site = Site::start(SimulatorSettings {
        seed: Seed::Minimal,
        release: Release::V2026_2,
        ..SimulatorSettings::default()
    })
    .await;
    let refused = site.check(HAMILTON, PORIRUA, Profile::Catalyst).await.unwrap_err();
    assert!(refused[0].text.contains("no longer stores sha1"), "{refused:?}");
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn a_stop_settles_what_is_under_way_and_begins_nothing_new() {
    let site = Site::start(SimulatorSettings {
        seed: Seed::Minimal,
        latency: Duration::from_millis(20),
        ..SimulatorSettings::default()
    })
    .await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    let wish = run.stop.clone();
    let (change, mut received) = (plan.to_change(), std::mem::replace(&mut run.received, unbounded_channel().1));
    let watcher = tokio::spawn(async move {
        while let Some(event) = received.recv().await {
            if matches!(event, Event::Started(number) if change.steps()[number].task().unwrap().step == Step::IkePolicy)
            {
                wish.cancel();
                return;
            }
        }
    });
    assert_eq!(run.create(&site, &plan).await, Err(ChangeError::Stopped));
    watcher.await.unwrap();
    assert_eq!(
        run.progress().objects().count(),
        10,
        "the policies and groups that were in progress are settled and known"
    );
    assert_eq!(counts(&site), (5, 5));
    run.stop = CancellationToken::new();
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));
}

#[tokio::test]
async fn the_watch_outlives_passing_failures_and_says_when_a_connection_is_gone() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    site.simulator
        .inject(InjectedFault::new(FaultEffect::status(503)).method("GET").path("ipsec-site-connections").times(24));
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
    let mut told = Vec::new();
    while let Ok(event) = run.received.try_recv() {
        told.push(event);
    }
    assert!(told.iter().any(|event| matches!(event, Event::PollFailed(..))));
    let connection = run.progress().get(Half::B, Step::Connection).unwrap().id.to_string();
    site.simulator.uproot("nz-por-1", "ipsec_site_connections", &connection);
    assert!(matches!(run.watch(&site, QUICK).await, Watched::Lost(error) if error.status == Some(404)));
}

#[tokio::test]
async fn an_undo_tells_what_it_could_not_delete_and_can_be_repeated() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    site.simulator
        .inject(InjectedFault::new(FaultEffect::status(409)).method("DELETE").path("vpnservices").region("nz-por-1"));
    assert!(matches!(run.undo(&site, &plan).await, Err(ChangeError::Failed(..))));
    let left = run.not_deleted();
    assert_eq!((left.len(), left[0].0.task.step, counts(&site)), (1, Step::Service, (0, 1)));
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));
}

#[tokio::test]
async fn the_proof_finds_what_differs() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Catalyst).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    let id = |half: Half, step: Step| run.progress().get(half, step).unwrap().id.to_string();
    site.simulator.alter(
        "nz-por-1",
        "ikepolicies",
        &id(Half::B, Step::IkePolicy),
        json!({ "auth_algorithm": "sha256" }),
    );
    site.simulator.alter(
        "nz-hlz-1",
        "ipsec_site_connections",
        &id(Half::A, Step::Connection),
        json!({ "psk": "another" }),
    );
    site.simulator.alter("nz-por-1", "vpnservices", &id(Half::B, Step::Service), json!({ "admin_state_up": false }));
    let examined = examine(&site.cloud, plan.id(), &plan.to_change().halves()).await.unwrap();
    let found: Vec<(Check, &str)> = examined
        .diagnosis
        .findings
        .iter()
        .filter_map(|check| Some((check.check, check.fault()?.seen.as_str())))
        .collect();
    let says = |check: Check, text: &str| {
        assert!(found.iter().any(|(about, seen)| *about == check && seen.contains(text)), "{text}: {found:?}");
    };
    says(checks::IKE_POLICY, "auth_algorithm is sha1 in nz-hlz-1 and sha256 in nz-por-1");
    says(checks::KEY, "the two halves have different keys");
    says(checks::ADMIN_STATE, "switched off");
    assert_eq!(found[0].0, checks::ADMIN_STATE, "what nobody can get past comes first");
    assert!(!format!("{examined:?}").contains(KEY) && !format!("{examined:?}").contains("another\""));
}
