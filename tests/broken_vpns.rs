//! Each broken VPN is broken as it is said to be: in the simulator, and in the clouds of `tests/openstack`.

use crate::support::broken_vpns;
use osvpn::simulator::{Release, Simulator, SimulatorSettings};

use broken_vpns::{Behind, Breakage, Site};

#[tokio::test]
async fn the_simulator_makes_of_each_what_strongswan_makes() {
    for release in [Release::V2026_2, Release::V2026_1] {
        let play = async |breakage: Breakage| {
            let simulator =
                Simulator::start(SimulatorSettings { release, ..SimulatorSettings::default() }).await.unwrap();
            let behind = Behind::Simulated(&simulator, release);
            if breakage.needs_sha1 && !behind.stores_sha1() {
                return None;
            }
            let site = Site::enter(&simulator.auth_url(), behind).await;
            site.connect().await;
            let statuses = site.suffer(&breakage).await;
            (statuses != breakage.statuses).then(|| format!("{}: {statuses:?}", breakage.name))
        };
        let wrong = futures::future::join_all(broken_vpns::all().into_iter().map(play)).await;
        let wrong: Vec<String> = wrong.into_iter().flatten().collect();
        assert!(wrong.is_empty(), "{release:?}: {wrong:?}");
    }
}
