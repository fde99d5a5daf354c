//! An upgrade that ends between the deletions of the two old connections.

use osvpn::change::{Deletable, Step};
use osvpn::cloud::{Id, Kind};
use tempfile::TempDir;

use super::super::fault_matrix::id_of;
use super::*;

const CONNECTIONS: &str = "ipsec-site-connections";

fn held(scene: &Scene, path: &str, nth: usize) -> Gate {
    let gate = Gate::closed();
    let fault = InjectedFault::new(FaultEffect::Held(gate.clone())).method("DELETE").path(path);
    scene.site.simulator.inject(fault.nth(nth));
    gate
}

#[tokio::test]
async fn a_stop_between_two_old_connections_waits_until_the_new_ones_run() {
    let scene = Box::pin(Scene::new(Before::Script)).await;
    let (stop, (events, _received)) = (CancellationToken::new(), unbounded_channel());
    let gate = held(&scene, CONNECTIONS, 1);
    let mut changing = Changing::unkept(scene.change(Deed::Upgrade, 0));
    let work = Work::new(&scene.people[0].cloud, &events, &stop);
    let stopped = async {
        gate.arrived().await;
        stop.cancel();
        gate.open();
    };
    let (ended, ()) = tokio::join!(changing.carry_out(None, &work), stopped);
    assert_eq!(ended, Err(ChangeError::Stopped));
    let course = changing.course();
    assert!(course.caveats.is_empty() && course.why_final().is_some(), "{:?}", course.caveats);
    for (step, end) in course.change.steps().iter().zip(course.ends()) {
        let is_needed = !matches!(step, Step::Delete(Deletable::Vpn(kind), _)
            if !matches!(kind, Kind::SiteConnection | Kind::VpnService));
        assert!(end.is_some() || !is_needed, "{step} is left out");
    }
    let never = CancellationToken::new();
    let ended = changing.carry_out(None, &Work::new(&scene.people[0].cloud, &events, &never)).await;
    assert_eq!(ended, Ok(Changed::Done));
}

#[tokio::test]
async fn whoever_lost_a_connection_and_was_killed_gives_way_when_it_is_resumed() {
    let scene = Box::pin(Scene::new(Before::Script)).await;
    let (cloud, directory) = (&scene.people[0].cloud, TempDir::new().unwrap());
    let (stop, (events, _received)) = (CancellationToken::new(), unbounded_channel());
    let (second, killed) = (held(&scene, CONNECTIONS, 2), held(&scene, "vpnservices", 1));
    let change = scene.change(Deed::Upgrade, 0);
    let old = change.steps().iter().rev().find_map(|step| match step {
        Step::Delete(Deletable::Vpn(Kind::SiteConnection), object) => Some(object.clone()),
        _ => None,
    });
    let (old, simulator) = (old.unwrap(), &scene.site.simulator);
    let others = async {
        second.arrived().await;
        let all = simulator.collection(old.region.as_str(), "ipsec_site_connections");
        let mut object = all.into_iter().find(|one| one["id"] == old.id.as_str()).unwrap();
        object.remove("id");
        object.insert("description".to_owned(), json!(format!("osvpn-was:{} osvpn-change:00000000:3", old.id)));
        simulator.uproot(old.region.as_str(), "ipsec_site_connections", old.id.as_str());
        simulator.plant(old.region.as_str(), "ipsec_site_connections", Value::Object(object)).unwrap();
        second.open();
        killed.arrived().await;
    };
    let journal = {
        let mut changing = Changing::begin(change, cloud, directory.path()).unwrap();
        let work = Work::new(cloud, &events, &stop);
        tokio::select! {
            ended = changing.carry_out(None, &work) => panic!("{ended:?}"),
            () = others => {}
        }
        changing.course().journal.unwrap()
    };
    killed.open();
    let mut resumed = Changing::open(&journal).unwrap();
    let ended = resumed.carry_out(None, &Work::new(cloud, &events, &stop)).await;
    let Err(ChangeError::Failed(_, error)) = ended else { panic!("{ended:?}") };
    assert!(error.kind == ErrorKind::Overtaken && error.message.contains("this one's is deleted"), "{error}");
    let left = simulator.collection(old.region.as_str(), "ipsec_site_connections");
    let left: Vec<Id> = left.iter().map(|one| Id::new(&*id_of(one))).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
