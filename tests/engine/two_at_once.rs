//! Two people at once: each of two pieces of work is held at one of its requests while the other goes on. Whatever the order,
//! the halves of a VPN belong together in the end, or whoever lost says so; and the loser leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use osvpn::change::Change;
use osvpn::cloud::{Cloud, ErrorKind};
use osvpn::engine::End;
use serde_json::Map;

use super::changes::{Orders, Vpn};
use super::fault_matrix::{Stored, all, id_of, lose_half, repair_of};
use super::*;

const OTHER_KEY: &str = "The0other1ones2key3nobody4knows5";
/// Beyond the last request of anything.
const NEVER: usize = 1000;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// Makes the VPN that is there in the other scenes.
    Apply,
    /// Makes a second one between the same routers, for other subnets, with the key of the first.
    Further,
    Rotate,
    SetSubnets,
    Recreate,
    Delete,
    /// Makes the half that is missing.
    Repair,
}

/// What is there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    Vpn,
    Half,
}

/// The pairs, and what there is before.
const PAIRS: [(Before, [Deed; 2]); 13] = [
    (Before::Nothing, [Deed::Apply, Deed::Apply]),
    (Before::Nothing, [Deed::Apply, Deed::Further]),
    (Before::Vpn, [Deed::Rotate, Deed::Rotate]),
    (Before::Vpn, [Deed::SetSubnets, Deed::SetSubnets]),
    (Before::Vpn, [Deed::Rotate, Deed::SetSubnets]),
    (Before::Vpn, [Deed::Rotate, Deed::Recreate]),
    (Before::Vpn, [Deed::SetSubnets, Deed::Recreate]),
    (Before::Vpn, [Deed::Recreate, Deed::Recreate]),
    (Before::Vpn, [Deed::Rotate, Deed::Delete]),
    (Before::Vpn, [Deed::SetSubnets, Deed::Delete]),
    (Before::Vpn, [Deed::Recreate, Deed::Delete]),
    (Before::Vpn, [Deed::Delete, Deed::Delete]),
    (Before::Half, [Deed::Repair, Deed::Repair]),
];

/// How a piece of work ended: whether it says that all is well, and what else it says.
#[derive(Clone, Debug)]
struct Told {
    is_well: bool,
    /// Objects it says are still there.
    keeps: bool,
    text: String,
}

struct Person {
    cloud: Cloud,
    token: String,
}

/// One signed-in site with two people, used for case after case.
struct Scene {
    site: Site,
    people: [Person; 2],
    vpn: Option<(Plan, Progress)>,
    repairs: Vec<Change>,
    objects: Vec<Stored>,
    /// The ids of what has nothing to do with it.
    others: BTreeSet<String>,
}

/// Which of the two begins, at which of its requests it is held, and at which the other then is.
#[derive(Clone, Copy, Debug)]
struct Order {
    first: usize,
    held: [usize; 2],
}

fn limits() -> Limits {
    Limits { total: Duration::from_secs(5), back_off: Duration::from_millis(2), ..site::limits() }
}

impl Scene {
    async fn new(before: Before) -> Self {
        let settings = SimulatorSettings {
            seed: Seed::Demo,
            report_interval: Duration::from_millis(4),
            negotiation: Duration::from_millis(2),
            ..SimulatorSettings::default()
        };
        let site = Site::limited(settings, limits()).await;
        let people = [site.colleague(limits()).await, site.colleague(limits()).await];
        let people = people.map(|(cloud, token)| Person { cloud, token });
        let others = all(&site).iter().map(|(.., object)| id_of(object)).collect();
        let mut scene = Self { site, people, vpn: None, repairs: Vec::new(), objects: Vec::new(), others };
        if before != Before::Nothing {
            let plan = scene.site.site_to_site(Profile::Modern).await;
            let Vpn { site, plan, progress, .. } = Vpn::of(scene.site, plan).await;
            (scene.site, scene.vpn) = (site, Some((plan, progress)));
        }
        if let Some((plan, _)) = scene.vpn.as_ref().filter(|_| before == Before::Half) {
            lose_half(&scene.site, plan);
            for person in &scene.people {
                scene.repairs.push(repair_of(&person.cloud).await);
            }
        }
        scene.objects = all(&scene.site);
        scene
    }

    fn restore(&self) {
        self.site.simulator.clear_faults();
        for (region, kind, object) in all(&self.site).into_iter().rev() {
            self.site.simulator.uproot(&region, &kind, &id_of(&object));
        }
        for (region, kind, object) in &self.objects {
            self.site.simulator.plant(region, kind, Value::Object(object.clone())).unwrap();
        }
    }

    /// A change of the VPN that is there, as each of the two would order it.
    fn change(&self, deed: Deed, who: usize) -> Change {
        let vpn = self.vpn.as_ref().unwrap();
        match deed {
            Deed::Rotate => vpn.new_key(),
            Deed::Delete => vpn.delete(),
            Deed::Recreate => vpn.recreate(),
            Deed::Repair => self.repairs[who].clone(),
            _ => vpn.set_subnets(&vpn.plan().a().local[0].id, ["10.0.0.0/16", "10.0.0.0/17"][who]),
        }
    }

    async fn case(&self, deeds: [Deed; 2], order: Order) -> Result<(), String> {
        let mut work = Vec::new();
        for who in [0, 1] {
            let cloud = self.people[who].cloud.clone();
            work.push(match deeds[who] {
                Deed::Apply | Deed::Further => {
                    let subnet: &[&str] = if deeds[who] == Deed::Apply { &["private-subnet"] } else { &["db-subnet"] };
                    let key = if who == 0 { KEY } else { OTHER_KEY };
                    let plan = self.site.keyed(("nz-hlz-1", "border-router", subnet), PORIRUA, key).await;
                    Piece::Create(cloud, Box::new(plan))
                }
                deed => Piece::Change(cloud, Box::new(self.change(deed, who))),
            });
        }
        self.site.simulator.clear_requests();
        let gates = [Gate::closed(), Gate::closed()];
        for who in [0, 1] {
            let fault = InjectedFault::new(FaultEffect::Held(gates[who].clone())).token(&self.people[who].token);
            self.site.simulator.inject(fault.nth(order.held[who]).always());
        }
        let (first, second) = (order.first, 1 - order.first);
        let second_work = work.remove(second);
        let mut one = tokio::spawn(work.remove(0).done());
        let early = tokio::select! { told = &mut one => Some(told), () = gates[first].arrived() => None };
        let mut two = tokio::spawn(second_work.done());
        let early_too = tokio::select! { told = &mut two => Some(told), () = gates[second].arrived() => None };
        gates[first].open();
        let one = match early {
            Some(told) => told,
            None => one.await,
        };
        gates[second].open();
        let two = match early_too {
            Some(told) => told,
            None => two.await,
        };
        let told = [one.unwrap(), two.unwrap()];
        self.check(deeds, &told).map_err(|why| format!("{why}; {}; {}", told[0].text, told[1].text))
    }

    fn check(&self, deeds: [Deed; 2], told: &[Told; 2]) -> Result<(), String> {
        let mut objects = all(&self.site);
        objects.retain(|(.., object)| !self.others.contains(&id_of(object)));
        let of = |kind: &str| -> Vec<&Map<String, Value>> {
            objects.iter().filter(|(_, found, _)| found == kind).map(|(.., object)| object).collect()
        };
        let connections = of("ipsec_site_connections");
        let text = |object: &Map<String, Value>, key: &str| object[key].as_str().unwrap_or_default().to_owned();
        // Nothing is left that nobody uses, unless somebody says that it is still there.
        if !told.iter().any(|told| told.keeps) {
            for kind in ["vpnservices", "ikepolicies", "ipsecpolicies", "endpoint_groups"] {
                for object in of(kind) {
                    let id = id_of(object);
                    let is_used = connections.iter().any(|one| one.values().any(|value| *value == *id));
                    if !is_used {
                        return Err(format!(
                            "nobody uses the {kind} {} ({})",
                            text(object, "name"),
                            object["description"]
                        ));
                    }
                }
            }
        }
        // Each connection has its other half, once, with the same key and the ranges crossed.
        let mut ends: BTreeMap<(String, String), Vec<&Map<String, Value>>> = BTreeMap::new();
        let services: BTreeMap<String, String> =
            of("vpnservices").iter().map(|one| (id_of(one), text(one, "external_v4_ip"))).collect();
        let own = |one: &Map<String, Value>| services.get(&text(one, "vpnservice_id")).cloned().unwrap_or_default();
        for one in &connections {
            ends.entry((own(one), text(one, "peer_address"))).or_default().push(one);
        }
        let all_well = told.iter().all(|told| told.is_well);
        for ((here, there), ones) in &ends {
            let keys: Vec<String> = ones.iter().map(|one| text(one, "psk")).collect();
            let across = ends.get(&(there.clone(), here.clone())).cloned().unwrap_or_default();
            let differs = ones.iter().chain(&across).any(|one| text(one, "psk") != keys[0]);
            if differs && all_well {
                return Err("keys differ between the same two ends".to_owned());
            }
            if all_well && across.len() != ones.len() {
                return Err(format!("{} connections one way and {} the other", ones.len(), across.len()));
            }
        }
        let made = deeds.iter().filter(|deed| matches!(deed, Deed::Apply | Deed::Further)).count();
        let (most, is_deleted) = if made > 0 {
            let well = told.iter().filter(|told| told.is_well).count();
            (2 * well, false)
        } else {
            let is_deleted = deeds.iter().zip(told).any(|(deed, told)| *deed == Deed::Delete && told.is_well);
            (2, is_deleted)
        };
        if all_well && !is_deleted && connections.len() != most {
            return Err(format!("{} connections", connections.len()));
        }
        if all_well && connections.len() > most.max(2) {
            return Err(format!("{} connections: one VPN twice", connections.len()));
        }
        // Somebody's subnets are what both halves say.
        let sets = deeds.iter().zip(told).filter(|(deed, told)| **deed == Deed::SetSubnets && told.is_well).count();
        if sets == 2 && deeds == [Deed::SetSubnets; 2] {
            return Err("both say that their subnets are set".to_owned());
        }
        Ok(())
    }
}

/// A piece of work, ready to begin.
enum Piece {
    Create(Cloud, Box<Plan>),
    Change(Cloud, Box<Change>),
}

impl Piece {
    async fn done(self) -> Told {
        let stop = CancellationToken::new();
        match self {
            Self::Create(cloud, plan) => {
                let (events, _received) = unbounded_channel();
                let mut changing = Changing::unkept_creation(&plan);
                let ended = changing.carry_out(None, &Work::new(&cloud, &events, &stop)).await;
                let progress = changing.course().progress;
                let is_overtaken =
                    matches!(&ended, Err(ChangeError::Failed(_, error)) if error.kind == ErrorKind::Overtaken);
                // Whoever fails without having been overtaken has a journal, and what it made is known.
                let keeps = ended.is_err() && !progress.is_clean();
                let text = format!("{ended:?}, overtaken {is_overtaken}, {} left", progress.removable().len());
                Told { is_well: ended.is_ok(), keeps, text }
            }
            Self::Change(cloud, change) => {
                let (events, _received) = unbounded_channel();
                let mut changing = Changing::unkept(*change);
                let ended = changing.carry_out(None, &Work::new(&cloud, &events, &stop)).await;
                let course = changing.course();
                let is_well = ended == Ok(Changed::Done) && course.caveats.is_empty();
                let keeps = course.ends().iter().any(|end| matches!(end, Some(End::Kept(_))))
                    || (ended.is_err() && course.is_begun());
                Told { is_well, keeps, text: format!("{ended:?} {:?} {:?}", course.ends(), course.caveats) }
            }
        }
    }
}

/// Each piece of work held at each of its requests while the other is done, and some orders in which both are held.
fn orders(requests: [usize; 2], seed: u64) -> Vec<Order> {
    let mut orders = Vec::new();
    for first in [0, 1] {
        orders.extend((1..=requests[first]).map(|at| {
            let mut held = [NEVER; 2];
            held[first] = at;
            Order { first, held }
        }));
    }
    let mut random = seed | 1;
    let mut below = |most: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % most + 1
    };
    for number in 0..24 {
        orders.push(Order { first: number % 2, held: [below(requests[0]), below(requests[1])] });
    }
    orders
}

async fn work_off(before: Before, deeds: [Deed; 2], orders: Arc<Mutex<Vec<Order>>>, wrong: Arc<Mutex<Vec<String>>>) {
    let scene = Box::pin(Scene::new(before)).await;
    loop {
        let Some(order) = orders.lock().unwrap().pop() else { return };
        let ended = tokio::time::timeout(Duration::from_secs(30), Box::pin(scene.case(deeds, order))).await;
        if let Err(why) = ended.unwrap_or_else(|_| Err("it does not end".to_owned())) {
            wrong.lock().unwrap().push(format!("{deeds:?} {order:?}: {why}"));
        }
        scene.restore();
    }
}

/// How many requests each piece of work takes with nobody else about.
async fn requests(before: Before, deeds: [Deed; 2]) -> [usize; 2] {
    let scene = Box::pin(Scene::new(before)).await;
    let mut counts = [0; 2];
    for first in [0, 1] {
        let order = Order { first, held: [NEVER; 2] };
        let work = Box::pin(scene.case(deeds, order)).await;
        assert!(work.is_ok() || first == 1 || deeds[0] == deeds[1], "{deeds:?} one after the other: {work:?}");
        counts[first] = scene.site.simulator.requests().len().min(40);
        scene.restore();
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_people_at_once_one_gives_way_and_says_so() {
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let mut lanes = tokio::task::JoinSet::new();
    let mut cases = 0;
    for (number, (before, deeds)) in PAIRS.into_iter().enumerate() {
        let orders = orders(Box::pin(requests(before, deeds)).await, number as u64 * 7919 + 1);
        cases += orders.len();
        let orders = Arc::new(Mutex::new(orders));
        lanes.spawn(work_off(before, deeds, Arc::clone(&orders), Arc::clone(&wrong)));
    }
    lanes.join_all().await;
    let wrong = wrong.lock().unwrap();
    println!("{cases} orders of two people's requests, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
