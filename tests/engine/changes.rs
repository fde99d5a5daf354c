//! Changes of a VPN that exists: builders as plain as can be, and one fault at a time.

use std::path::Path;

use osvpn::change::{
    Change, ConnectionEdits, CopyKey, Create, Edit, Edits, KnownBy, New, Object, Ref, Replacement, ServiceEdits,
    SetKey, Subject, Update, Verb,
};
use osvpn::cloud::{Error, Id, Kind, RegionId};
use osvpn::engine::journal::JournalError;
use osvpn::engine::{Caveat, Direction, End};
use osvpn::plan::Psk;
use osvpn::plan::psk::KeyOrigin;
use osvpn::report::{ChangeReport, Conclude};
use tempfile::TempDir;

use super::*;

/// What the connections of another VPN between the same two ends are called.
const SHARER: &str = "second";

/// What the connection of another VPN on its service is called, which goes to an external peer, and its key.
pub const OUTSIDE: &str = "office";
pub const OUTSIDE_KEY: &str = "OnlyTheOfficeKnowsThis0123";

/// A VPN that exists, and what a change of it works with.
pub struct Vpn {
    pub site: Site,
    pub plan: Plan,
    pub progress: Progress,
    pub directory: TempDir,
    events: UnboundedSender<Event>,
    pub received: UnboundedReceiver<Event>,
    pub stop: CancellationToken,
}

impl Vpn {
    pub async fn of(site: Site, plan: Plan) -> Self {
        let mut run = Run::new();
        // Where time-outs are short and the machine is busy, one try may not do.
        let mut tries = 0;
        while let Err(error) = run.create(&site, &plan).await {
            tries += 1;
            assert!(tries < 5, "{error:?}");
        }
        let pace = if plan.peer().is_some() { BRIEF } else { QUICK };
        run.watch(&site, pace).await;
        Self::with(site, plan, run.progress())
    }

    /// Of what is there already.
    pub fn with(site: Site, plan: Plan, progress: Progress) -> Self {
        let (events, received) = unbounded_channel();
        // Thousands of journals that reach a disk take minutes; a file system in memory is as good to read them from.
        let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        Self { site, plan, progress, directory, events, received, stop: CancellationToken::new() }
    }

    async fn site_to_site() -> Self {
        let site = Site::start(SimulatorSettings::default()).await;
        let plan = site.site_to_site(Profile::Modern).await;
        Self::of(site, plan).await
    }

    async fn single() -> Self {
        let site = Site::start(SimulatorSettings::default()).await;
        let plan = site.single(HAMILTON, "203.0.113.200", "192.168.7.0/24").await;
        Self::of(site, plan).await
    }

    pub fn work(&self) -> Work<'_> {
        Work::new(&self.site.cloud, &self.events, &self.stop)
    }

    /// Plants another VPN between the same two ends.
    pub fn plant_sharer(&self) {
        for half in self.plan.halves() {
            let region = half.region.as_str();
            let [mut object] = self.site.simulator.collection(region, "ipsec_site_connections").try_into().unwrap();
            object.remove("id");
            object.insert("name".to_owned(), json!(SHARER));
            object.insert("description".to_owned(), json!(""));
            self.site.simulator.plant(region, "ipsec_site_connections", Value::Object(object)).unwrap();
        }
    }

    /// Makes it as old as VPNs are: `IKEv1`, and half A, or both, as the script makes them; or half B expecting more than half
    /// A tunnels.
    pub fn age(&self, is_of_the_script: bool, is_shared: bool) {
        for half in self.plan.halves() {
            let region = half.region.as_str();
            let (simulator, is_a) = (&self.site.simulator, half.half == Half::A);
            let id = |step| self.progress.get(half.half, step).unwrap().id.to_string();
            simulator.alter(region, "ikepolicies", &id(Step::IkePolicy), json!({ "ike_version": "v1" }));
            if !(is_of_the_script || is_shared && is_a) {
                if !is_shared && !is_a {
                    let endpoints = json!({ "endpoints": ["10.0.0.0/16"] });
                    simulator.alter(region, "endpoint_groups", &id(Step::PeerGroup), endpoints);
                }
                continue;
            }
            let subnet = half.local[0].id.to_string();
            simulator.alter(region, "vpnservices", &id(Step::Service), json!({ "subnet_id": subnet }));
            let old = json!({ "local_ep_group_id": null, "peer_ep_group_id": null, "peer_cidrs": half.remote });
            simulator.alter(region, "ipsec_site_connections", &id(Step::Connection), old);
            for step in [Step::LocalGroup, Step::PeerGroup] {
                simulator.uproot(region, "endpoint_groups", &id(step));
            }
            if is_of_the_script {
                let of_it = json!({ "name": "vpn_site_connection", "description": "", "psk": "pre_shared_key" });
                simulator.alter(region, "ipsec_site_connections", &id(Step::Connection), of_it);
            } else {
                self.plant_outside(region, &id(Step::Connection));
            }
        }
    }

    /// Plants a connection of the same service to an external peer.
    fn plant_outside(&self, region: &str, like: &str) {
        let all = self.site.simulator.collection(region, "ipsec_site_connections");
        let mut object = all.into_iter().find(|one| one["id"] == like).unwrap();
        object.remove("id");
        let other = json!({ "name": OUTSIDE, "description": "", "peer_address": "203.0.113.250", "psk": OUTSIDE_KEY,
            "peer_id": "203.0.113.250", "peer_cidrs": ["192.168.9.0/24"] });
        object.extend(other.as_object().unwrap().clone());
        self.site.simulator.plant(region, "ipsec_site_connections", Value::Object(object)).unwrap();
    }

    /// Takes the markers and the name from both halves, and plants another VPN between them with the names that it has then, for
    /// other ranges, whose connections an earlier change has replaced.
    pub fn plant_namesake(&self) {
        for half in self.plan.halves() {
            let region = half.region.as_str();
            let [connection] = self.site.simulator.collection(region, "ipsec_site_connections").try_into().unwrap();
            let (id, mut other) = (connection["id"].as_str().unwrap().to_owned(), connection);
            let anonymous = json!({ "name": "vpn_site_connection", "description": "" });
            self.site.simulator.alter(region, "ipsec_site_connections", &id, anonymous);
            let group = json!({ "type": "cidr", "endpoints": ["192.168.77.0/24"], "name": "other", "description": "" });
            let group = self.site.simulator.plant(region, "endpoint_groups", group).unwrap();
            other.remove("id");
            other.insert("name".to_owned(), json!("vpn_site_connection"));
            other.insert("description".to_owned(), json!("osvpn-change:00000000:4"));
            other.insert("peer_ep_group_id".to_owned(), json!(group));
            self.site.simulator.plant(region, "ipsec_site_connections", Value::Object(other)).unwrap();
        }
    }

    /// Another key, for that one too.
    pub fn rotate_shared(&self) -> Change {
        let mut change = self.new_key();
        for half in self.plan.halves() {
            let all = self.site.simulator.collection(half.region.as_str(), "ipsec_site_connections");
            let sharer = all.iter().find(|one| one["name"] == SHARER).unwrap();
            let to = Object {
                region: half.region.clone(),
                id: Id::new(sharer["id"].as_str().unwrap()),
                name: SHARER.to_owned(),
            };
            change.copy_key(CopyKey { from: self.object(Half::A, Step::Connection), to });
        }
        for half in self.halves() {
            change.restart(self.object(half, Step::Service));
        }
        change
    }

    pub fn begin(&self, change: Change) -> Changing {
        Changing::begin(change, &self.site.cloud, self.directory.path()).unwrap()
    }

    pub fn key(&self, half: Half) -> String {
        let region = self.plan.half(half).unwrap().region.as_str();
        let mark = self.plan.id().mark(half);
        let all = self.site.simulator.collection(region, "ipsec_site_connections");
        let of_ours = |one: &&serde_json::Map<String, Value>| {
            one["description"].as_str().unwrap().split(' ').any(|word| word == mark)
        };
        all.iter().find(of_ours).unwrap()["psk"].as_str().unwrap().to_owned()
    }

    pub fn keys(&self) -> Vec<String> {
        self.halves().into_iter().map(|half| self.key(half)).collect()
    }

    /// The only journal there is.
    pub fn journal(&self) -> Option<std::path::PathBuf> {
        let mut all = unfinished(self.directory.path()).unwrap();
        assert!(all.len() < 2);
        all.pop().map(|(path, _)| path)
    }
}

/// What can be done to a VPN, in its plainest form.
pub trait Orders {
    fn plan(&self) -> &Plan;

    fn progress(&self) -> &Progress;

    fn object(&self, half: Half, step: Step) -> Object {
        let made = self.progress().get(half, step).unwrap();
        Object { region: made.region.clone(), id: made.id.clone(), name: made.name.clone() }
    }

    fn halves(&self) -> Vec<Half> {
        self.plan().halves().map(|half| half.half).collect()
    }

    fn new_change(&self, verb: Verb) -> Change {
        let mut change = Change::new(verb, Subject::Marked(self.plan().id().clone()), self.plan().name().to_string());
        change.connections = self.halves().into_iter().map(|half| self.object(half, Step::Connection)).collect();
        change
    }

    /// Every object, what hangs on others first.
    fn delete(&self) -> Change {
        let mut change = self.new_change(Verb::Delete);
        for step in Step::ALL.into_iter().rev() {
            for half in self.halves() {
                change.delete(step.kind(), self.object(half, step));
            }
        }
        change
    }

    /// Another key, without a restart.
    fn new_key(&self) -> Change {
        let mut change = self.new_change(Verb::RotatePsk);
        let second = (self.plan().peer().is_none()).then(|| self.object(Half::B, Step::Connection));
        change.set_key(SetKey {
            first: self.object(Half::A, Step::Connection),
            second,
            key: if self.plan().peer().is_none() { KeyOrigin::Generated } else { KeyOrigin::Given },
        });
        change
    }

    fn rotate(&self) -> Change {
        let mut change = self.new_key();
        for half in self.halves() {
            change.restart(self.object(half, Step::Service));
        }
        change
    }

    fn group(&self, change: &mut Change, half: Half, step: Step, object: New) -> Ref {
        let old = self.object(half, step);
        let description = self.plan().id().mark(half);
        change.create(Create { region: old.region, name: old.name, description, object, known_by: KnownBy::Word })
    }

    /// Half A tunnels that subnet instead, and half B knows.
    fn set_subnets(&self, subnet: &Id, range: &str) -> Change {
        let mut change = self.new_change(Verb::SetSubnets);
        let local = self.group(&mut change, Half::A, Step::LocalGroup, New::LocalGroup(vec![subnet.clone()]));
        let peer = self.group(&mut change, Half::B, Step::PeerGroup, New::PeerGroup(vec![range.parse().unwrap()]));
        let (old_local, old_peer) = (self.object(Half::A, Step::LocalGroup), self.object(Half::B, Step::PeerGroup));
        let edits = [
            (
                Half::A,
                ConnectionEdits {
                    local_group: Some(Edit::new(Ref::from(&old_local.id), local)),
                    ..ConnectionEdits::default()
                },
            ),
            (
                Half::B,
                ConnectionEdits {
                    peer_group: Some(Edit::new(Ref::from(&old_peer.id), peer)),
                    ..ConnectionEdits::default()
                },
            ),
        ];
        for (half, edits) in edits {
            let Object { region, id, name } = self.object(half, Step::Connection);
            change.update(Update { region, id, name, edits: Edits::Connection(Box::new(edits)) });
        }
        for half in self.halves() {
            change.restart(self.object(half, Step::Service));
        }
        change.delete(Kind::EndpointGroup, old_local).delete(Kind::EndpointGroup, old_peer);
        change
    }

    /// Half B gets new policies, and with them a new connection.
    fn recreate(&self) -> Change {
        let mut change = self.new_change(Verb::EqualisePolicies);
        let half = Half::B;
        let mut policy = self.plan().policy().clone();
        (policy.ike.lifetime, policy.ipsec.lifetime) = (7200, 1800);
        let ike_policy = self.group(&mut change, half, Step::IkePolicy, New::IkePolicy(policy.ike));
        let ipsec_policy = self.group(&mut change, half, Step::IpsecPolicy, New::IpsecPolicy(policy.ipsec));
        let old = self.object(half, Step::Connection);
        let like = Replacement::like(old.id.clone(), ike_policy, ipsec_policy);
        self.group(&mut change, half, Step::Connection, New::Connection(Box::new(like)));
        change.delete(Kind::SiteConnection, old);
        for step in [Step::IkePolicy, Step::IpsecPolicy] {
            change.delete(step.kind(), self.object(half, step));
        }
        change.restart(self.object(half, Step::Service));
        change
    }
}

impl Orders for Vpn {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Orders for (Plan, Progress) {
    fn plan(&self) -> &Plan {
        &self.0
    }

    fn progress(&self) -> &Progress {
        &self.1
    }
}

fn put_fault(vpn: &Vpn, region: &str, effect: FaultEffect, nth: usize) {
    let fault = InjectedFault::new(effect).method("PUT").path("ipsec-site-connections").region(region).nth(nth);
    vpn.site.simulator.inject(fault);
}

fn refusal() -> FaultEffect {
    FaultEffect::Answer(Scripted::neutron(400, "HTTPBadRequest", "It is not taken."))
}

fn failed_step(result: Result<Changed, ChangeError>) -> (usize, Error) {
    match result {
        Err(ChangeError::Failed(step, error)) => (step, *error),
        other => panic!("must fail, not end as {other:?}"),
    }
}

#[tokio::test]
async fn a_new_key_is_on_both_halves_and_the_tunnel_comes_up_with_it() {
    let mut vpn = Vpn::site_to_site().await;
    let mut changing = vpn.begin(vpn.rotate());
    assert_eq!(changing.carry_out(None, &vpn.work()).await, Ok(Changed::Done));
    let keys = vpn.keys();
    assert!(keys[0] == keys[1] && keys[0] != KEY && Psk::parse(&keys[0]).is_ok());
    assert_eq!(vpn.journal(), None);
    for region in ["nz-hlz-1", "nz-por-1"] {
        let off = vpn.site.simulator.collection(region, "vpnservices");
        assert!(off.iter().all(|service| service["admin_state_up"] == true));
    }
    let mut ends = Vec::new();
    while let Ok(event) = vpn.received.try_recv() {
        if let Event::Finished(step, end, _) = event {
            ends.push((step, end));
        }
    }
    assert_eq!(ends, [(0, End::Changed), (1, End::Changed), (2, End::Changed)]);
    let (plan, mut run) = (vpn.plan.clone(), Run::new());
    run.begin(&vpn.site, &plan);
    run.changing.as_mut().unwrap().make(plan, &vpn.progress);
    assert_eq!(run.watch(&vpn.site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn a_key_the_second_half_refuses_is_put_back_on_the_first() {
    let vpn = Vpn::site_to_site().await;
    put_fault(&vpn, "nz-por-1", refusal(), 1);
    let mut changing = vpn.begin(vpn.rotate());
    let (step, error) = failed_step(changing.carry_out(None, &vpn.work()).await);
    assert_eq!((step, error.status), (0, Some(400)));
    assert_eq!(vpn.keys(), [KEY, KEY]);
    assert_eq!(vpn.journal(), None, "nothing is left to finish");
    assert!(changing.is_reversible());
    // The same once more, and this time even that fails.
    put_fault(&vpn, "nz-por-1", refusal(), 1);
    put_fault(&vpn, "nz-hlz-1", FaultEffect::status(403), 2);
    let (_, error) = failed_step(changing.carry_out(None, &vpn.work()).await);
    assert!(error.message.contains("still has the new key"), "{error}");
    assert_ne!(vpn.key(Half::A), KEY);
    let path = vpn.journal().unwrap();
    drop(changing);
    let mut changing = Changing::open(&path).unwrap();
    assert_eq!(changing.roll_back(&vpn.work()).await, Ok(Changed::Done));
    assert_eq!((vpn.keys(), vpn.journal()), (vec![KEY.to_owned(), KEY.to_owned()], None));
}

#[tokio::test]
async fn a_key_of_the_user_s_is_asked_for_again_after_a_crash_and_never_replaced() {
    let vpn = Vpn::single().await;
    let given = Psk::parse("Given0nceAndThenForgotten1234567").unwrap();
    let gate = Gate::closed();
    put_fault(&vpn, "nz-hlz-1", FaultEffect::Held(gate.clone()), 1);
    {
        let mut changing = vpn.begin(vpn.rotate());
        let work = vpn.work();
        let carried = changing.carry_out(Some(&given), &work);
        tokio::select! { _ = carried => panic!("it is held"), () = gate.arrived() => {} }
    }
    let mut changing = Changing::open(&vpn.journal().unwrap()).unwrap();
    assert_eq!(changing.roll_back(&vpn.work()).await, Err(ChangeError::TooLate), "nobody knows the old key");
    assert_eq!(changing.carry_out(None, &vpn.work()).await, Err(ChangeError::KeyNeeded(0)));
    assert!(matches!(changing.carry_out(Some(&given), &vpn.work()).await, Ok(Changed::Done | Changed::Unsettled(..))));
    assert_eq!(vpn.keys(), ["Given0nceAndThenForgotten1234567"]);
}

#[tokio::test]
async fn no_key_is_in_the_journal_at_any_moment_and_only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let vpn = Vpn::site_to_site().await;
    for nth in 1..=2 {
        let gate = Gate::closed();
        let region = if nth == 1 { "nz-hlz-1" } else { "nz-por-1" };
        put_fault(&vpn, region, FaultEffect::Held(gate.clone()), 1);
        let mut changing = vpn.begin(vpn.rotate());
        let given = Psk::generate();
        {
            let work = vpn.work();
            let carried = changing.carry_out(Some(&given), &work);
            tokio::select! { _ = carried => panic!("it is held"), () = gate.arrived() => {} }
        }
        let path = vpn.journal().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let new = secrecy::ExposeSecret::expose_secret(given.secret());
        assert!(!text.contains(KEY) && !text.contains(new), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        gate.open();
        gate.acted().await;
        drop(changing);
        let mut changing = Changing::open(&path).unwrap();
        while changing.carry_out(None, &vpn.work()).await != Ok(Changed::Done) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(vpn.key(Half::A), vpn.key(Half::B));
        assert_eq!(vpn.key(Half::A), new, "it was passed on, not generated again");
        vpn.site.simulator.clear_faults();
    }
}

#[tokio::test]
async fn what_another_vpn_uses_is_kept_and_said_so() {
    let site = Site::start(SimulatorSettings::default()).await;
    let other = site.single(HAMILTON, "203.0.113.200", "192.168.7.0/24").await;
    Run::new().create(&site, &other).await.unwrap();
    let plan = site.site_to_site(Profile::Modern).await;
    let vpn = Vpn::of(site, plan).await;
    let mut changing = vpn.begin(vpn.delete());
    assert_eq!(changing.carry_out(None, &vpn.work()).await, Ok(Changed::Done));
    let kept: Vec<usize> = changing
        .course()
        .ends()
        .iter()
        .enumerate()
        .filter_map(|(step, end)| matches!(end, Some(End::Kept(why)) if why.contains("in use")).then_some(step))
        .collect();
    assert_eq!(kept, [10], "the service of half A carries the other VPN");
    assert_eq!(vpn.site.simulator.collection("nz-hlz-1", "ipsec_site_connections").len(), 3);
}

#[tokio::test]
async fn a_vpn_is_changed_by_one_process_at_a_time_and_what_was_cut_off_comes_first() {
    let vpn = Vpn::site_to_site().await;
    let begin = |change| Changing::begin(change, &vpn.site.cloud, vpn.directory.path());
    let held = begin(vpn.rotate()).unwrap();
    assert!(matches!(begin(vpn.delete()), Err(JournalError::Busy(Some(_)))));
    drop(held);
    assert!(std::fs::read_dir(vpn.directory.path()).unwrap().next().is_none(), "nothing is left lying about");
    put_fault(&vpn, "nz-por-1", FaultEffect::status(403), 1);
    put_fault(&vpn, "nz-hlz-1", FaultEffect::status(403), 2);
    let mut changing = begin(vpn.rotate()).unwrap();
    failed_step(changing.carry_out(None, &vpn.work()).await);
    drop(changing);
    let Err(error @ JournalError::Unfinished(..)) = begin(vpn.delete()) else { panic!("it is in the way") };
    assert!(error.to_string().contains(&format!("osvpn resume {}", vpn.plan.id())), "{error}");
    std::fs::remove_file(vpn.journal().unwrap()).unwrap();
    std::fs::write(vpn.directory.path().join(format!("{}.json", vpn.plan.id())), "{}").unwrap();
    assert!(matches!(begin(vpn.delete()), Err(JournalError::Unreadable(..))), "so is a journal that tells nothing");
}

#[test]
fn an_id_from_the_cloud_does_not_choose_where_the_journal_is() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let vpn = Vpn::single().await;
        let hostile = Subject::Unmarked(Id::new("../../escape"));
        let mut change = Change::new(Verb::DeleteStrays, hostile, "strays");
        change.delete(Kind::EndpointGroup, vpn.object(Half::A, Step::LocalGroup));
        let mut changing = vpn.begin(change);
        vpn.site.simulator.inject(InjectedFault::new(FaultEffect::status(500)).method("DELETE"));
        failed_step(changing.carry_out(None, &vpn.work()).await);
        let journal = vpn.journal().unwrap();
        assert_eq!(journal.parent(), Some(Path::new(vpn.directory.path())));
    });
}

#[tokio::test]
async fn a_service_is_switched_on_again_by_whoever_stops_it() {
    let vpn = Vpn::site_to_site().await;
    // It is never seen to be off, so the user gets tired of it.
    vpn.site.simulator.reconfigure(|settings| settings.report_interval = Duration::MAX);
    let service = vpn.object(Half::A, Step::Service);
    let mut change = Change::new(Verb::Restart, Subject::Marked(vpn.plan.id().clone()), "hlz-por");
    change.restart(service.clone());
    let mut changing = vpn.begin(change);
    let is_up = || {
        let all = vpn.site.simulator.collection("nz-hlz-1", "vpnservices");
        all.iter().find(|one| one["id"] == service.id.as_str()).unwrap()["admin_state_up"] == true
    };
    let stopped = async {
        while is_up() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        vpn.stop.cancel();
    };
    let work = vpn.work();
    let (carried, ()) = tokio::join!(changing.carry_out(None, &work), stopped);
    assert_eq!(carried, Ok(Changed::Done));
    assert!(is_up());
    let Some(End::Unnoticed(Some(router))) = changing.course().ends()[0].clone() else {
        panic!("nobody has noticed it")
    };
    let report = ChangeReport::new(&changing.course(), &Ok(Changed::Done).into(), Direction::Forward);
    let command = format!("openstack --os-region-name nz-hlz-1 router set --enable {router}");
    assert!(report.to_string().contains(&command), "{report}");
    assert_eq!(report.exit_status().code(), 1, "it may carry nothing");
}

/// Where the requests that change a service or a connection went, in order.
fn puts(vpn: &Vpn) -> Vec<(&'static str, String)> {
    let puts = vpn.site.simulator.requests().into_iter().filter(|request| request.method == "PUT");
    let put = |request: osvpn::simulator::LoggedRequest| {
        let kind = if request.path.contains("vpnservices") { "service" } else { "connection" };
        (kind, request.region.unwrap())
    };
    puts.map(put).collect()
}

/// A change of subnets up to the deletions, which are refused.
async fn subnets_set(vpn: &Vpn) -> Changing {
    vpn.site.simulator.inject(InjectedFault::new(FaultEffect::status(403)).method("DELETE"));
    let mut changing = vpn.begin(vpn.set_subnets(&vpn.plan.a().local[0].id, "10.0.0.0/16"));
    failed_step(changing.carry_out(None, &vpn.work()).await);
    vpn.site.simulator.clear_requests();
    changing
}

#[tokio::test]
async fn services_are_restarted_once_more_after_what_they_take_up_is_taken_back() {
    let vpn = Vpn::site_to_site().await;
    let mut changing = subnets_set(&vpn).await;
    assert_eq!(changing.roll_back(&vpn.work()).await, Ok(Changed::Done));
    let [a, b] = ["nz-hlz-1", "nz-por-1"].map(str::to_owned);
    let (connection, service) = ("connection", "service");
    let back = [(connection, b.clone()), (connection, a.clone())];
    let restarts = [(service, b.clone()), (service, b), (service, a.clone()), (service, a)];
    assert_eq!(puts(&vpn), [&back[..], &restarts].concat());
}

#[tokio::test]
async fn whichever_way_it_turns_a_service_runs_what_its_connections_are_told() {
    let vpn = Vpn::site_to_site().await;
    let mut changing = subnets_set(&vpn).await;
    vpn.site.simulator.inject(InjectedFault::new(FaultEffect::status(403)).method("PUT").path("vpnservices"));
    failed_step(changing.roll_back(&vpn.work()).await);
    let course = changing.course();
    let report = ChangeReport::new(&course, &Err(ChangeError::Stopped).into(), Direction::Back).to_string();
    assert!(report.contains("To continue:   osvpn rollback ") && !report.contains("osvpn resume"), "{report}");
    vpn.site.simulator.clear_requests();
    assert_eq!(changing.carry_out(None, &vpn.work()).await, Ok(Changed::Done));
    let restarts = puts(&vpn).into_iter().filter(|(kind, _)| *kind == "service").count();
    assert_eq!(restarts, 4, "each service off and on");
}

#[tokio::test]
async fn a_service_is_on_after_a_lost_request_to_switch_it_off_acts_late() {
    let settling = Duration::from_secs(3);
    let limits = Limits { total: Duration::from_secs(1), settling, ..site::limits() };
    let site = Site::limited(SimulatorSettings::default(), limits).await;
    let plan = site.site_to_site(Profile::Modern).await;
    let vpn = Vpn::of(site, plan).await;
    let service = vpn.object(Half::A, Step::Service);
    let gate = Gate::closed();
    vpn.site.simulator.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("PUT").path("vpnservices"));
    vpn.site.simulator.clear_requests();
    let mut change = Change::new(Verb::Restart, Subject::Marked(vpn.plan.id().clone()), "hlz-por");
    change.restart(service.clone());
    let mut changing = vpn.begin(change);
    let late = async {
        while puts(&vpn).len() < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // Switched on again, and only now switched off.
        tokio::time::sleep(Duration::from_millis(50)).await;
        gate.open();
        gate.acted().await;
    };
    let work = vpn.work();
    let (ended, ()) = tokio::join!(changing.see_through(Direction::Forward, None, &work), late);
    failed_step(ended);
    let all = vpn.site.simulator.collection("nz-hlz-1", "vpnservices");
    let up = &all.iter().find(|one| one["id"] == service.id.as_str()).unwrap()["admin_state_up"];
    assert_eq!(up, true, "nobody is left to switch it on");
    assert_eq!(changing.course().caveats, []);
}

#[tokio::test]
async fn a_service_that_may_be_off_and_halves_whose_keys_may_differ_are_told() {
    let vpn = Vpn::site_to_site().await;
    vpn.site.simulator.inject(InjectedFault::new(FaultEffect::status(403)).method("PUT").path("vpnservices").nth(2));
    let mut changing = vpn.begin(vpn.rotate());
    let (step, error) = failed_step(changing.carry_out(None, &vpn.work()).await);
    let service = vpn.object(Half::A, Step::Service);
    assert_eq!(changing.course().caveats, [Caveat::MayBeOff(service.clone())]);
    let ended = Err(ChangeError::Failed(step, Box::new(error)));
    let report = ChangeReport::new(&changing.course(), &ended.into(), Direction::Forward).to_string();
    let by_hand = format!("openstack --os-region-name nz-hlz-1 vpn service set --enable {}", service.id);
    let by_us = format!("osvpn resume {}", vpn.plan.id());
    for part in ["may be switched off", &by_hand, &by_us, "rm "] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert_eq!(changing.carry_out(None, &vpn.work()).await, Ok(Changed::Done));
    assert_eq!(changing.course().caveats, []);
    drop(changing);
    put_fault(&vpn, "nz-por-1", FaultEffect::status(403), 1);
    put_fault(&vpn, "nz-hlz-1", FaultEffect::status(403), 2);
    let mut changing = vpn.begin(vpn.rotate());
    failed_step(changing.carry_out(None, &vpn.work()).await);
    assert_eq!(changing.course().caveats, [Caveat::KeysMayDiffer]);
    vpn.site.simulator.clear_faults();
    assert_eq!(changing.carry_out(None, &vpn.work()).await, Ok(Changed::Done));
    assert_eq!((vpn.key(Half::A), changing.course().caveats), (vpn.key(Half::B), Vec::new()));
}

#[tokio::test]
async fn what_somebody_has_deleted_meanwhile_is_in_no_change_s_way() {
    for takes_back in [false, true] {
        let vpn = Vpn::site_to_site().await;
        let mut changing = subnets_set(&vpn).await;
        vpn.site.simulator.inject(InjectedFault::new(FaultEffect::status(403)).method("PUT"));
        failed_step(changing.roll_back(&vpn.work()).await);
        let half = Half::B;
        let (connection, service) = (vpn.object(half, Step::Connection), vpn.object(half, Step::Service));
        vpn.site.simulator.uproot("nz-por-1", "ipsec_site_connections", connection.id.as_str());
        vpn.site.simulator.uproot("nz-por-1", "vpnservices", service.id.as_str());
        let work = vpn.work();
        let ended = if takes_back { changing.roll_back(&work).await } else { changing.carry_out(None, &work).await };
        // What was made for a connection that is gone is of no use.
        let is_overtaken =
            matches!(&ended, Err(ChangeError::Failed(_, error)) if error.kind == osvpn::cloud::ErrorKind::Overtaken);
        assert!(if takes_back { ended == Ok(Changed::Done) } else { is_overtaken }, "{takes_back}: {ended:?}");
        assert_eq!(vpn.journal(), None);
        let report = ChangeReport::new(&changing.course(), &ended.into(), Direction::Forward);
        assert_eq!(report.exit_status().code(), if takes_back { 0 } else { 4 }, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_not_switched_off_with_a_token_that_is_about_to_expire() {
    let settings = SimulatorSettings { token_lifetime: Duration::from_secs(100), ..SimulatorSettings::default() };
    let site = Site::start(settings).await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut vpn = Vpn::of(site, plan).await;
    vpn.site.cloud = vpn.site.signed_in_with(token::token(&vpn.site.simulator)).await;
    vpn.site.simulator.clear_requests();
    let mut change = Change::new(Verb::Restart, Subject::Marked(vpn.plan.id().clone()), "hlz-por");
    change.restart(vpn.object(Half::A, Step::Service));
    let mut changing = vpn.begin(change);
    let (_, error) = failed_step(changing.carry_out(None, &vpn.work()).await);
    assert!(error.message.contains("expires"), "{error}");
    assert_eq!((puts(&vpn), vpn.journal()), (Vec::new(), None));
}

#[tokio::test]
async fn a_nudge_and_what_is_still_being_made() {
    let vpn = Vpn::site_to_site().await;
    let service = vpn.object(Half::A, Step::Service);
    vpn.site.simulator.alter("nz-hlz-1", "vpnservices", service.id.as_str(), json!({ "status": "PENDING_CREATE" }));
    let mark = vpn.plan.id().mark(Half::A);
    let mut change = Change::new(Verb::Nudge, Subject::Marked(vpn.plan.id().clone()), "hlz-por");
    change.update(Update {
        region: RegionId::new("nz-hlz-1"),
        id: service.id,
        name: service.name,
        edits: Edits::Service(ServiceEdits {
            description: Some(Edit::new(mark.clone(), mark)),
            ..ServiceEdits::default()
        }),
    });
    let mut changing = vpn.begin(change);
    assert_eq!(changing.carry_out(None, &vpn.work()).await, Ok(Changed::Done), "the agent's report is waited for");
}
