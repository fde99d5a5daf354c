//! What is foretold of an upgrade to OpenStack 2026.2, compared with what its migration made of the same policies in a real
//! database: `tests/forecast/migrated.json`, recorded by `tests/openstack/migrate`. And what of the same policies is no lag.

use std::collections::{BTreeMap, BTreeSet};

use osvpn::change::{Lag, lags};
use osvpn::cloud::{Id, Kind, RegionId, Status, StoredPolicy, Survey};
use osvpn::inspect::forecast::{Prediction, Rewriting, VpnForecast};
use osvpn::inspect::{Forecast, Inspection};
use osvpn::plan::Half;
use serde::Deserialize;

use crate::support::inventories::{hamilton, new_release, porirua};
use crate::support::surveys::{equal_keys, regions};

#[derive(Deserialize)]
struct Recording {
    inventories: Vec<Inventory>,
}

#[derive(Deserialize)]
struct Inventory {
    name: String,
    #[serde(default)]
    legacy: bool,
    halves: BTreeMap<Half, Stored>,
    /// What the migration made of them.
    after: BTreeMap<Half, Stored>,
    /// What the database said to the same policies after it.
    created_after: String,
}

#[derive(Clone, Deserialize, PartialEq)]
struct Stored {
    region: Option<String>,
    ike: String,
    ipsec: String,
}

fn recorded() -> Vec<Inventory> {
    let text = include_str!("forecast/migrated.json");
    serde_json::from_str::<Recording>(text).unwrap().inventories
}

const IKE: [&str; 6] =
    ["ike_version", "phase1_negotiation_mode", "auth_algorithm", "encryption_algorithm", "pfs", "lifetime"];
const IPSEC: [&str; 6] =
    ["transform_protocol", "encapsulation_mode", "auth_algorithm", "encryption_algorithm", "pfs", "lifetime"];

fn set(policy: &mut StoredPolicy, names: [&'static str; 6], words: &str) {
    policy.attributes = names.into_iter().zip(words.split(' ').map(str::to_owned)).collect();
}

fn words(policy: &StoredPolicy) -> String {
    policy.attributes.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// A policy of a half once its region is upgraded, as foretold.
fn rewritten(vpn: &VpnForecast, half: Half, kind: Kind, policy: &StoredPolicy) -> StoredPolicy {
    let mut policy = policy.clone();
    for (attribute, word) in &mut policy.attributes {
        let is_it = |one: &&Rewriting| {
            (one.half, one.kind, one.attribute, one.before) == (half, kind, *attribute, word.as_str())
        };
        if let Some(one) = vpn.rewritten.iter().find(is_it) {
            one.after.clone_into(word);
        }
    }
    policy
}

/// Whether two halves can negotiate what both want, by the recorded words alone.
fn agree(a: &Stored, b: &Stored) -> bool {
    let but_lifetime = |words: &str| words.rsplit_once(' ').unwrap().0.to_owned();
    but_lifetime(&a.ike) == but_lifetime(&b.ike) && but_lifetime(&a.ipsec) == but_lifetime(&b.ipsec)
}

impl Inventory {
    /// A VPN between the border routers with these policies; of the regions named, as the upgrade left them.
    fn seen(&self, upgraded: &BTreeSet<RegionId>) -> Inspection {
        let mut surveys = regions(Status::Active, Status::Active, "group14");
        for (half, home) in [(Half::A, hamilton()), (Half::B, porirua())] {
            let Some(stored) = self.halves.get(&half) else {
                // Its peer is nobody of this project.
                surveys.remove(&home);
                let hamilton = surveys.get_mut(&hamilton()).unwrap();
                let connection =
                    hamilton.inventory.connections.iter_mut().find(|one| one.id.as_str() == "connection-A");
                "203.0.113.9".clone_into(&mut connection.unwrap().peer_address);
                continue;
            };
            let stored = if upgraded.contains(&self.region(half)) { &self.after[&half] } else { stored };
            let survey = surveys.get_mut(&home).unwrap();
            set(&mut survey.ike_policies[0], IKE, &stored.ike);
            set(&mut survey.ipsec_policies[0], IPSEC, &stored.ipsec);
            if self.legacy {
                make_legacy(survey, half);
            }
            if self.region(half) != home {
                let moved = surveys.remove(&home).unwrap();
                move_into(surveys.get_mut(&self.region(half)).unwrap(), moved);
            }
        }
        for (_, survey) in surveys.iter_mut().filter(|(region, _)| upgraded.contains(*region)) {
            survey.inventory.extensions = new_release();
        }
        Inspection::of(surveys, Vec::new())
    }

    fn region(&self, half: Half) -> RegionId {
        RegionId::new(self.halves[&half].region.as_deref().unwrap())
    }

    fn forecast(&self, upgraded: &BTreeSet<RegionId>) -> Forecast {
        let seen = self.seen(upgraded);
        let vpn = seen.vpns.iter().find(|vpn| vpn.name == "hlz-por").unwrap();
        Forecast::of(&seen, [vpn])
    }

    /// Whether the halves agree once those regions have been migrated; an external peer keeps what it has.
    fn agrees_after(&self, upgraded: &BTreeSet<RegionId>) -> bool {
        let now = |half: Half| match self.halves.get(&half) {
            Some(_) if upgraded.contains(&self.region(half)) => &self.after[&half],
            Some(stored) => stored,
            None => &self.halves[&Half::A],
        };
        agree(now(Half::A), now(Half::B))
    }
}

/// As the script that came before osvpn makes it: ranges on service and connection, no endpoint groups.
fn make_legacy(survey: &mut Survey, half: Half) {
    let range = survey.groups.iter().find(|group| group.id == Id::new(format!("peer-{half}"))).unwrap();
    let cidrs = range.endpoints.iter().map(|range| range.parse().unwrap()).collect();
    let inventory = &mut survey.inventory;
    let connection =
        inventory.connections.iter_mut().find(|one| one.id == Id::new(format!("connection-{half}"))).unwrap();
    (connection.local_group, connection.peer_group, connection.peer_cidrs) = (None, None, cidrs);
    let service = inventory.services.iter_mut().find(|one| one.id == connection.service).unwrap();
    service.legacy_subnet = Some(Id::new(if half == Half::A { "h-private" } else { "p-private" }));
}

fn move_into(survey: &mut Survey, mut moved: Survey) {
    survey.inventory.routers.append(&mut moved.inventory.routers);
    survey.inventory.subnets.append(&mut moved.inventory.subnets);
    survey.inventory.services.append(&mut moved.inventory.services);
    survey.inventory.connections.append(&mut moved.inventory.connections);
    survey.groups.append(&mut moved.groups);
    survey.ike_policies.append(&mut moved.ike_policies);
    survey.ipsec_policies.append(&mut moved.ipsec_policies);
}

fn only(forecast: &Forecast) -> &VpnForecast {
    let [one] = forecast.vpns.as_slice() else { panic!("{forecast:?}") };
    one
}

#[test]
fn every_word_is_foretold_that_the_migration_has_rewritten() {
    let all = recorded();
    assert!(all.len() >= 12);
    for inventory in &all {
        let forecast = inventory.forecast(&BTreeSet::new());
        let one = only(&forecast);
        for (half, after) in &inventory.after {
            let side = one.vpn.side(*half).unwrap();
            let [ike, ipsec] = [(Kind::IkePolicy, &side.ike), (Kind::IpsecPolicy, &side.ipsec)]
                .map(|(kind, policy)| words(&rewritten(one, *half, kind, policy.as_ref().unwrap())));
            assert_eq!((ike, ipsec), (after.ike.clone(), after.ipsec.clone()), "{}", inventory.name);
        }
        // What is rewritten is what cannot be created any more, and nothing else.
        let is_rewritten = one.rewritten.iter().any(|word| word.half == Half::A);
        let refused = inventory.created_after.starts_with("1265 Data truncated");
        assert_eq!(is_rewritten, refused, "{}: {}", inventory.name, inventory.created_after);
        assert!(refused || inventory.created_after == "stored", "{}: {}", inventory.name, inventory.created_after);
    }
}

#[test]
fn which_vpn_goes_down_when_is_foretold_as_the_migrated_databases_have_it() {
    for inventory in recorded() {
        let name = &inventory.name;
        let none = BTreeSet::new();
        let regions: BTreeSet<RegionId> = inventory.halves.keys().map(|half| inventory.region(*half)).collect();
        let forecast = inventory.forecast(&none);
        let one = only(&forecast);
        let agree_now = inventory.agrees_after(&none);
        assert_eq!(one.prediction.is_apart(), !agree_now, "{name}: {:?}", one.prediction);
        for region in &regions {
            let goes_down = agree_now && !inventory.agrees_after(&[region.clone()].into());
            assert_eq!(forecast.down_with(region).count(), usize::from(goes_down), "{name}: {region}");
        }
        let ends_well = inventory.agrees_after(&regions);
        let is_told = !matches!(one.prediction, Prediction::Apart | Prediction::PeerLeft);
        assert_eq!(is_told, ends_well, "{name}: {:?}", one.prediction);
        for order in &forecast.orders {
            let mut done = BTreeSet::new();
            for effect in &order.0 {
                let before = inventory.agrees_after(&done);
                done.insert(effect.region.clone());
                let change = (before, inventory.agrees_after(&done));
                let told = (effect.goes_down.len(), effect.comes_back.len());
                assert_eq!(
                    told,
                    (usize::from(change == (true, false)), usize::from(change == (false, true))),
                    "{name}"
                );
            }
        }
        // With one region upgraded it is told what is apart now, and that nothing more is rewritten there.
        for region in &regions {
            let done: BTreeSet<RegionId> = [region.clone()].into();
            let forecast = inventory.forecast(&done);
            let one = only(&forecast);
            if inventory.halves.len() == 1 {
                assert_eq!(one.prediction, Prediction::Untouched, "{name}: it is up");
            } else {
                assert_eq!(one.prediction.is_apart(), !inventory.agrees_after(&done), "{name}: {:?}", one.prediction);
            }
            assert_eq!((forecast.ahead.contains(region), forecast.upgraded.contains(region)), (false, true), "{name}");
            assert!(one.rewritten.iter().all(|word| word.region != *region), "{name}");
        }
    }
}

#[test]
fn the_policy_of_the_guide_is_no_lag_of_a_vpn_that_was_made_with_it() {
    let lags_of = |is_own: bool| {
        let mut regions = regions(Status::Active, Status::Active, "group14");
        for survey in regions.values_mut() {
            for policy in survey.ike_policies.iter_mut().chain(&mut survey.ipsec_policies) {
                for (name, word) in &mut policy.attributes {
                    match *name {
                        "ike_version" => "v1".clone_into(word),
                        "auth_algorithm" => "sha1".clone_into(word),
                        _ => {}
                    }
                }
            }
            let all = survey.inventory.connections.iter_mut();
            all.filter(|_| !is_own).for_each(|connection| connection.description.clear());
        }
        let seen = Inspection::of(regions, Vec::new());
        let vpn = seen.vpns.iter().find(|vpn| vpn.b().is_some()).unwrap();
        assert_eq!(vpn.id.is_some(), is_own, "{vpn:?}");
        lags(vpn, &equal_keys()).iter().map(Lag::in_short).collect::<Vec<_>>()
    };
    assert_eq!(lags_of(true), Vec::<String>::new());
    assert_eq!(lags_of(false), ["IKEv1", "sha1"]);
}
