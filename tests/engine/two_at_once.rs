//! Two people at once: each of two pieces of work is held at one of its requests while the other goes on. Whatever the order,
//! the halves of a VPN belong together in the end, or whoever lost says so; and the loser leaves nothing behind.

mod half_way;
mod outcome;
mod scene;

use std::sync::{Arc, Mutex};

use osvpn::change::{Change, Proposal, repair};
use osvpn::cloud::{Cloud, ErrorKind};
use osvpn::engine::End;
use osvpn::inspect::{Inquiry, inspect};
use osvpn::plan::{Profiles, Psk};

use super::*;
use scene::{Before, Scene};

const OTHER_KEY: &str = "The0other1ones2key3nobody4knows5";
/// Beyond the last request of anything.
const NEVER: usize = 1000;
/// At how many of its requests that change nothing a piece of work is held, at most.
const HOLDS: usize = 24;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// Makes the VPN that is there in the other scenes.
    Apply,
    /// Makes a second one between the same routers, for other subnets, with the key of the first.
    Further,
    Rotate,
    /// Gives a key to the VPN with an external peer on the same service.
    RotateOffice,
    SetSubnets,
    Recreate,
    Delete,
    /// Makes the half that is missing.
    Repair,
    Upgrade,
    /// Upgrades the VPN with an external peer, with which the other one moves.
    UpgradeOffice,
}

/// The pairs, and what there is before.
const PAIRS: [(Before, [Deed; 2]); 32] = [
    (Before::Nothing, [Deed::Apply, Deed::Apply]),
    (Before::Nothing, [Deed::Apply, Deed::Further]),
    (Before::Nothing, [Deed::Apply, Deed::Repair]),
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
    (Before::Script, [Deed::Upgrade, Deed::Upgrade]),
    (Before::Script, [Deed::Upgrade, Deed::Rotate]),
    (Before::Script, [Deed::Upgrade, Deed::Delete]),
    (Before::Beside, [Deed::Upgrade, Deed::Upgrade]),
    (Before::Beside, [Deed::Upgrade, Deed::Rotate]),
    (Before::Beside, [Deed::Upgrade, Deed::RotateOffice]),
    (Before::Beside, [Deed::Upgrade, Deed::Delete]),
    (Before::Beside, [Deed::Upgrade, Deed::UpgradeOffice]),
    (Before::Beside, [Deed::UpgradeOffice, Deed::UpgradeOffice]),
    (Before::Behind, [Deed::Upgrade, Deed::SetSubnets]),
    (Before::Namesake, [Deed::Upgrade, Deed::Upgrade]),
    (Before::ScriptOnOvn, [Deed::Upgrade, Deed::Upgrade]),
    (Before::ScriptOnOvn, [Deed::Upgrade, Deed::Rotate]),
    (Before::ScriptOnOvn, [Deed::Upgrade, Deed::Delete]),
    (Before::BesideOnOvn, [Deed::Upgrade, Deed::Upgrade]),
    (Before::BesideOnOvn, [Deed::Upgrade, Deed::RotateOffice]),
    (Before::BesideOnOvn, [Deed::Upgrade, Deed::UpgradeOffice]),
    (Before::BehindOnOvn, [Deed::Upgrade, Deed::SetSubnets]),
];

/// How a piece of work ended: whether it says that all is well, and what else it says.
#[derive(Clone, Debug)]
struct Told {
    is_well: bool,
    /// Objects it says are still there.
    keeps: bool,
    /// It has failed, not because of the other, and leaves a journal.
    is_unfinished: bool,
    text: String,
}

/// Which of the two begins, at which of its requests it is held, and at which the other then is.
#[derive(Clone, Copy, Debug)]
struct Order {
    first: usize,
    held: [usize; 2],
}

/// A piece of work, ready to begin.
enum Piece {
    Create(Cloud, Box<Plan>),
    Change(Cloud, Box<Change>, Option<Psk>),
    /// Of what is seen to lack a half when it begins.
    Repair(Cloud),
}

impl Piece {
    async fn done(self) -> Told {
        match self {
            Self::Create(cloud, plan) => {
                let (stop, (events, _received)) = (CancellationToken::new(), unbounded_channel());
                let mut changing = Changing::unkept_creation(&plan);
                let ended = changing.carry_out(None, &Work::new(&cloud, &events, &stop)).await;
                let progress = changing.course().progress;
                let is_overtaken =
                    matches!(&ended, Err(ChangeError::Failed(_, error)) if error.kind == ErrorKind::Overtaken);
                // Whoever fails without having been overtaken has a journal, and what it made is known.
                let keeps = ended.is_err() && !progress.is_clean();
                let text = format!("{ended:?}, overtaken {is_overtaken}, {} left", progress.removable().len());
                Told { is_well: ended.is_ok(), keeps, is_unfinished: false, text }
            }
            Self::Change(cloud, change, key) => changed(&cloud, *change, key).await,
            Self::Repair(cloud) => {
                let (seen, _) = inspect(&cloud, Inquiry::default()).await;
                let half = seen.vpns.iter().find(|vpn| vpn.is_missing_a_half());
                let proposed = half.map(|half| repair(&seen, half, &Profiles::built_in().unwrap(), None));
                match proposed {
                    Some(Ok(Proposal { change, .. })) => changed(&cloud, change, None).await,
                    other => Told {
                        is_well: true,
                        keeps: false,
                        is_unfinished: false,
                        text: format!("nothing to repair: {other:?}"),
                    },
                }
            }
        }
    }
}

async fn changed(cloud: &Cloud, change: Change, key: Option<Psk>) -> Told {
    let (stop, (events, _received)) = (CancellationToken::new(), unbounded_channel());
    let mut changing = Changing::unkept(change);
    let ended = changing.carry_out(key.as_ref(), &Work::new(cloud, &events, &stop)).await;
    let course = changing.course();
    let is_well = ended == Ok(Changed::Done) && course.caveats.is_empty();
    let is_overtaken = matches!(&ended, Err(ChangeError::Failed(_, error)) if error.kind == ErrorKind::Overtaken);
    let keeps = course.ends().iter().any(|end| matches!(end, Some(End::Kept(_))));
    let is_unfinished = ended.is_err() && !is_overtaken && course.is_begun();
    Told {
        is_well,
        keeps,
        is_unfinished,
        text: format!("{:?} {ended:?} {:?} {:?}", changing.change().id(), course.ends(), course.caveats),
    }
}

/// Each piece of work held at each of its requests that write, and at some that read, while the other is done, and some orders in which both are held.
fn orders(requests: [Vec<bool>; 2], seed: u64) -> Vec<Order> {
    let mut orders = Vec::new();
    for first in [0, 1] {
        let step = requests[first].len().div_ceil(HOLDS).max(1);
        let is_held = |(number, writes): &(usize, &bool)| **writes || number % step == 0;
        orders.extend(requests[first].iter().enumerate().filter(is_held).map(|(number, _)| {
            let mut held = [NEVER; 2];
            held[first] = number + 1;
            Order { first, held }
        }));
    }
    let requests = requests.map(|all| all.len());
    let mut random = seed | 1;
    let mut below = |most: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % most + 1
    };
    for number in 0..16 {
        orders.push(Order { first: number % 2, held: [below(requests[0]), below(requests[1])] });
    }
    orders
}

async fn work_off(before: Before, deeds: [Deed; 2], orders: Arc<Mutex<Vec<Order>>>, wrong: Arc<Mutex<Vec<String>>>) {
    let scene = Box::pin(Scene::new(before)).await;
    loop {
        let Some(order) = orders.lock().unwrap().pop() else { return };
        // A service that shares its router with that of somebody who is held is never seen to be off, for 45 s.
        let ended = tokio::time::timeout(Duration::from_secs(70), Box::pin(scene.case(deeds, order))).await;
        if let Err(why) = ended.unwrap_or_else(|_| Err("it does not end".to_owned())) {
            wrong.lock().unwrap().push(format!("{before:?} {deeds:?} {order:?}: {why}"));
        }
        scene.restore();
    }
}

/// The requests of each piece of work with nobody else about: whether each of them writes.
async fn requests(before: Before, deeds: [Deed; 2]) -> [Vec<bool>; 2] {
    let scene = Box::pin(Scene::new(before)).await;
    let mut writes = [const { Vec::new() }; 2];
    for first in [0, 1] {
        let order = Order { first, held: [NEVER; 2] };
        let work = Box::pin(scene.case(deeds, order)).await;
        assert!(
            work.is_ok() || first == 1 || deeds[0] == deeds[1],
            "{before:?} {deeds:?} one after the other: {work:?}"
        );
        // Those of the other come after them, or between.
        writes[first] = scene.site.simulator.requests().iter().map(|request| request.method != "GET").collect();
        scene.restore();
    }
    writes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_people_at_once_one_gives_way_and_says_so() {
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let mut lanes = tokio::task::JoinSet::new();
    let mut cases = 0;
    // OSVPN_PAIRS=Upgrade plays those with Upgrade in their names alone.
    let only = std::env::var("OSVPN_PAIRS").unwrap_or_default();
    let named = |pair: &(usize, (Before, [Deed; 2]))| format!("{:?}", pair.1).contains(&only);
    for (number, (before, deeds)) in PAIRS.into_iter().enumerate().filter(named) {
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
