//! What there is before two people begin, and what they are about to do.

use std::collections::BTreeSet;

use osvpn::change::{Change, NewSubnets, Sas, TargetPolicies, delete, rotate_key, upgrade};
use osvpn::cloud::{Cloud, OtherSubnets};
use osvpn::inspect::{Inquiry, Inspection, Vpn as Seen, inspect};
use osvpn::plan::Profiles;
use osvpn::plan::psk::KeyOrigin;
use serde_json::Map;

use super::super::changes::{OUTSIDE, Orders, Vpn};
use super::super::fault_matrix::{Stored, all, id_of, lose_half, repair_of};
use super::super::*;
use super::{Deed, OTHER_KEY, Order, Piece};
use osvpn::plan::Psk;

/// What is there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    Nothing,
    Vpn,
    Half,
    /// A VPN as the script makes it.
    Script,
    /// One half is on a legacy service, with the connection of another VPN to an external peer.
    Beside,
    /// `IKEv1`, and half B expects more than half A tunnels.
    Behind,
    /// The same without markers, beside another VPN between the same two ends with the same names, whose connections an earlier
    /// change has replaced.
    Namesake,
    ScriptOnOvn,
    BesideOnOvn,
    BehindOnOvn,
}

impl Before {
    const fn is_on_ovn(self) -> bool {
        matches!(self, Self::ScriptOnOvn | Self::BesideOnOvn | Self::BehindOnOvn)
    }

    pub const fn has_script(self) -> bool {
        matches!(self, Self::Script | Self::ScriptOnOvn)
    }

    pub const fn has_office(self) -> bool {
        matches!(self, Self::Beside | Self::BesideOnOvn)
    }

    const fn is_behind(self) -> bool {
        !matches!(self, Self::Nothing | Self::Vpn | Self::Half)
    }

    /// Connections of other VPNs.
    pub const fn others(self) -> usize {
        match self {
            Self::Beside | Self::BesideOnOvn => 1,
            Self::Namesake => 2,
            _ => 0,
        }
    }
}

pub struct Person {
    pub cloud: Cloud,
    pub token: String,
}

/// One signed-in site with two people, used for case after case.
pub struct Scene {
    pub site: Site,
    pub people: [Person; 2],
    pub before: Before,
    vpn: Option<(Plan, Progress)>,
    repairs: Vec<Change>,
    /// What changes of a VPN that is behind are built from.
    seen: Option<Inspection>,
    objects: Vec<Stored>,
    /// The ids of what has nothing to do with it.
    pub others: BTreeSet<String>,
}

fn limits() -> Limits {
    Limits { total: Duration::from_secs(5), back_off: Duration::from_millis(2), ..site::limits() }
}

impl Scene {
    pub async fn new(before: Before) -> Self {
        let settings = SimulatorSettings {
            seed: if before.is_behind() { Seed::Minimal } else { Seed::Demo },
            ovn: before.is_on_ovn(),
            report_interval: Duration::from_millis(4),
            negotiation: Duration::from_millis(2),
            ..SimulatorSettings::default()
        };
        let site = Site::limited(settings, limits()).await;
        let people = [site.colleague(limits()).await, site.colleague(limits()).await];
        let people = people.map(|(cloud, token)| Person { cloud, token });
        let others = all(&site).iter().map(|(.., object)| id_of(object)).collect();
        let (repairs, objects) = (Vec::new(), Vec::new());
        let mut scene = Self { site, people, before, vpn: None, repairs, seen: None, objects, others };
        if before != Before::Nothing {
            let plan = scene.site.site_to_site(Profile::Modern).await;
            let vpn = Vpn::of(scene.site, plan).await;
            match before {
                Before::Script | Before::ScriptOnOvn => vpn.age(true, false),
                Before::Beside | Before::BesideOnOvn => vpn.age(false, true),
                Before::Behind | Before::BehindOnOvn => vpn.age(false, false),
                Before::Namesake => {
                    vpn.age(false, false);
                    vpn.plant_namesake();
                }
                Before::Nothing | Before::Vpn | Before::Half => {}
            }
            let Vpn { site, plan, progress, .. } = vpn;
            (scene.site, scene.vpn) = (site, Some((plan, progress)));
        }
        if let Some((plan, _)) = scene.vpn.as_ref().filter(|_| before == Before::Half) {
            lose_half(&scene.site, plan);
            for person in &scene.people {
                scene.repairs.push(repair_of(&person.cloud).await);
            }
        }
        if before.is_behind() {
            let inquiry = Inquiry { subnets: OtherSubnets::OfRouters, ..Inquiry::default() };
            scene.seen = Some(inspect(&scene.site.cloud, inquiry).await.0);
        }
        scene.objects = all(&scene.site);
        scene
    }

    pub fn restore(&self) {
        self.site.simulator.clear_faults();
        for (region, kind, object) in all(&self.site).into_iter().rev() {
            self.site.simulator.uproot(&region, &kind, &id_of(&object));
        }
        for (region, kind, object) in &self.objects {
            self.site.simulator.plant(region, kind, Value::Object(object.clone())).unwrap();
        }
    }

    fn seen_vpn(&self, is_it: impl Fn(&Seen) -> bool) -> (&Inspection, &Seen) {
        let seen = self.seen.as_ref().unwrap();
        (seen, seen.vpns.iter().find(|vpn| is_it(vpn)).unwrap())
    }

    /// A change of the VPN that is there, as each of the two would order it.
    pub fn change(&self, deed: Deed, who: usize) -> Change {
        let vpn = self.vpn.as_ref().unwrap();
        let own = vpn.object(Half::A, Step::Connection).id;
        let seen = || self.seen_vpn(|vpn| vpn.sides().any(|(_, side)| side.connection.id == own));
        match deed {
            Deed::Upgrade => {
                let (seen, vpn) = seen();
                let target = osvpn::change::Target {
                    policies: TargetPolicies::AtLeast(Profiles::built_in().unwrap().modern),
                    key: self.before.has_script().then_some(KeyOrigin::Generated),
                    subnets: (self.before == Before::Namesake).then(NewSubnets::default),
                };
                upgrade(seen, vpn, &target).unwrap().change
            }
            Deed::UpgradeOffice => {
                let (seen, office) = self.seen_vpn(|vpn| vpn.a.connection.name == OUTSIDE);
                let policies = TargetPolicies::AtLeast(Profiles::built_in().unwrap().modern);
                let target = osvpn::change::Target { policies, key: None, subnets: None };
                upgrade(seen, office, &target).unwrap().change
            }
            Deed::RotateOffice => {
                let (seen, office) = self.seen_vpn(|vpn| vpn.a.connection.name == OUTSIDE);
                rotate_key(seen, office, KeyOrigin::Given, Sas::Keep).unwrap().change
            }
            Deed::Rotate if self.before.is_behind() => {
                let (seen, vpn) = seen();
                rotate_key(seen, vpn, KeyOrigin::Generated, Sas::Keep).unwrap().change
            }
            Deed::Delete if self.before.is_behind() => {
                let (seen, vpn) = seen();
                delete(seen, vpn, &std::collections::BTreeMap::new()).change
            }
            Deed::Rotate => vpn.new_key(),
            Deed::Delete => vpn.delete(),
            Deed::Recreate => vpn.recreate(),
            Deed::Repair => self.repairs[who].clone(),
            Deed::SetSubnets | Deed::Apply | Deed::Further => {
                vpn.set_subnets(&vpn.plan().a().local[0].id, ["10.0.0.0/16", "10.0.0.0/17"][who])
            }
        }
    }

    async fn piece(&self, deed: Deed, who: usize) -> Piece {
        let cloud = self.people[who].cloud.clone();
        match deed {
            Deed::Apply | Deed::Further => {
                let subnet: &[&str] = if deed == Deed::Apply { &["private-subnet"] } else { &["db-subnet"] };
                let key = if who == 0 { KEY } else { OTHER_KEY };
                let plan = self.site.keyed(("nz-hlz-1", "border-router", subnet), PORIRUA, key).await;
                Piece::Create(cloud, Box::new(plan))
            }
            Deed::Repair if self.before == Before::Nothing => Piece::Repair(cloud),
            deed => {
                let is_given = deed == Deed::RotateOffice || deed == Deed::Rotate && self.before.is_behind();
                let key = is_given.then(|| Psk::parse(OTHER_KEY).unwrap());
                Piece::Change(cloud, Box::new(self.change(deed, who)), key)
            }
        }
    }

    pub async fn case(&self, deeds: [Deed; 2], order: Order) -> Result<(), String> {
        let mut work = vec![self.piece(deeds[0], 0).await, self.piece(deeds[1], 1).await];
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
        let held = [(first, early.is_none()), (second, early_too.is_none())];
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
        // Of a request that nobody waits for any more, too: it must not act on the next case.
        for (who, _) in held.into_iter().filter(|(_, is_held)| *is_held) {
            let _ = tokio::time::timeout(Duration::from_secs(5), gates[who].acted()).await;
        }
        let mut told = [one.unwrap(), two.unwrap()];
        if first == 1 {
            told.reverse();
        }
        self.check(deeds, &told).map_err(|why| format!("{why}; {}; {}", told[0].text, told[1].text))
    }

    /// The objects of a kind that were not there at all before.
    pub fn of<'a>(objects: &'a [Stored], kind: &str) -> Vec<&'a Map<String, Value>> {
        objects.iter().filter(|(_, found, _)| found == kind).map(|(.., object)| object).collect()
    }
}
