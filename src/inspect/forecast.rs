//! What the upgrade of each region to OpenStack 2026.2 does to VPNs. Its migration rewrites policies in that region's database
//! alone, and tells nobody.

use std::collections::BTreeSet;

use itertools::Itertools;

use super::checks::policies::differing;
use super::{Inspection, OtherHalf, Side, Vpn};
use crate::cloud::{Kind, RegionId, StoredPolicy};
use crate::plan::Half;

/// What the migration makes of the words of `auth_algorithm` and `encryption_algorithm` (neutron-vpnaas 842256a43ce2).
/// Everything else stays.
pub(super) const REWRITTEN: [(&str, &str); 2] = [("sha1", "sha256"), ("3des", "aes-256")];

/// With more regions that are linked their orders are too many to be tried.
const MOST_REGIONS: usize = 6;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The regions of these VPNs that are still to be upgraded.
    pub ahead: Vec<RegionId>,
    /// Those that have been.
    pub upgraded: BTreeSet<RegionId>,
    pub vpns: Vec<VpnForecast>,
    /// What happens in each order, the one with the least down first; none if nothing depends on the order.
    pub orders: Vec<UpgradeOrder>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpnForecast {
    pub vpn: Vpn,
    pub prediction: Prediction,
    /// What upgrades that are still to come rewrite.
    pub rewritten: Vec<Rewriting>,
}

/// A word that the upgrade of a half's region changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    pub half: Half,
    pub region: RegionId,
    pub kind: Kind,
    pub attribute: &'static str,
    pub before: &'static str,
    pub after: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// Its policies have nothing that is rewritten.
    Untouched,
    /// Both halves are rewritten at once.
    Together,
    /// Its halves differ from the upgrade of one of its regions until that of the other.
    Parted,
    /// Its peer is external and keeps the old words.
    PeerLeft,
    /// Its region has been upgraded, and it is down: its external peer may have kept old words.
    PeerMayBeLeft,
    /// Its halves differ, until these regions are upgraded.
    Joined(BTreeSet<RegionId>),
    /// Its halves differ, and no upgrade changes that.
    Apart,
    /// It has one half.
    HalfMissing,
    /// Why its policies cannot be compared.
    Unknown(String),
}

/// An order of upgrades, and what each does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeOrder(pub Vec<UpgradeEffect>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeEffect {
    pub region: RegionId,
    /// Which VPNs, by their places, have halves that differ only from here on.
    pub goes_down: Vec<usize>,
    /// Those whose halves are equal again.
    pub comes_back: Vec<usize>,
}

impl Prediction {
    pub const fn goes_down(&self) -> bool {
        matches!(self, Self::Parted | Self::PeerLeft)
    }

    /// Whether an upgrade of the VPN is what helps.
    pub const fn is_cured_by_upgrade(&self) -> bool {
        matches!(self, Self::Parted | Self::Joined(_))
    }

    /// Whether the halves differ now.
    pub const fn is_apart(&self) -> bool {
        matches!(self, Self::Joined(_) | Self::Apart)
    }
}

impl Forecast {
    /// For the VPNs that are chosen, as far as their regions could be read.
    pub fn of<'a>(seen: &Inspection, vpns: impl IntoIterator<Item = &'a Vpn>) -> Self {
        let is_upgraded = |region: &RegionId| {
            seen.surveys.get(region).is_some_and(|survey| !survey.inventory.extensions.stores_sha1())
        };
        let vpns: Vec<&Vpn> = vpns.into_iter().collect();
        let regions: BTreeSet<RegionId> =
            vpns.iter().flat_map(|vpn| vpn.sides()).map(|(_, side)| side.region.clone()).collect();
        let (upgraded, ahead): (BTreeSet<RegionId>, BTreeSet<RegionId>) = regions.into_iter().partition(is_upgraded);
        let vpns: Vec<VpnForecast> = vpns.into_iter().map(|vpn| VpnForecast::of(seen, vpn, &ahead)).collect();
        let orders = orders(&vpns);
        Self { ahead: ahead.into_iter().collect(), upgraded, vpns, orders }
    }

    /// Those that go down when that region is the next to be upgraded.
    pub fn down_with<'a>(&'a self, region: &'a RegionId) -> impl Iterator<Item = &'a VpnForecast> {
        self.vpns
            .iter()
            .filter(|one| one.prediction.goes_down() && one.rewritten.iter().any(|word| word.region == *region))
    }
}

impl VpnForecast {
    fn of(seen: &Inspection, vpn: &Vpn, ahead: &BTreeSet<RegionId>) -> Self {
        let rewritten: Vec<Rewriting> = vpn
            .sides()
            .filter(|(_, side)| ahead.contains(&side.region))
            .flat_map(|(half, side)| rewritten(half, side))
            .collect();
        let prediction = predict(seen, vpn, &rewritten, !ahead.contains(&vpn.a.region));
        Self { vpn: vpn.clone(), prediction, rewritten }
    }

    fn regions(&self) -> BTreeSet<&RegionId> {
        self.rewritten.iter().map(|word| &word.region).collect()
    }
}

fn predict(seen: &Inspection, vpn: &Vpn, rewritten: &[Rewriting], is_upgraded: bool) -> Prediction {
    let sees_policies = |side: &Side| side.ike.is_some() && side.ipsec.is_some();
    if let Some((half, _)) = vpn.sides().find(|(_, side)| !sees_policies(side)) {
        return Prediction::Unknown(format!("the policies of {} cannot be seen", vpn.place(half)));
    }
    let b = match &vpn.other_half {
        OtherHalf::Found(b) => b,
        OtherHalf::Missing { .. } => return Prediction::HalfMissing,
        OtherHalf::Ambiguous(_) => {
            return Prediction::Unknown("which connection is its other half cannot be told".to_owned());
        }
        OtherHalf::Outside if seen.may_lack_a_half(vpn) => {
            let unknown = seen.unknown().iter().join(", ");
            return Prediction::Unknown(format!("its other half may be in {unknown}, of which nothing is known"));
        }
        OtherHalf::Outside if is_upgraded && !vpn.is_active() => return Prediction::PeerMayBeLeft,
        OtherHalf::Outside if rewritten.is_empty() => return Prediction::Untouched,
        OtherHalf::Outside => return Prediction::PeerLeft,
    };
    let regions: BTreeSet<RegionId> = rewritten.iter().map(|word| word.region.clone()).collect();
    let match_with = |done: &BTreeSet<RegionId>| are_equal(&vpn.a, b, done);
    match (match_with(&BTreeSet::new()), match_with(&regions)) {
        (true, _) if regions.is_empty() => Prediction::Untouched,
        (true, _) if vpn.a.region == b.region => Prediction::Together,
        (true, _) => Prediction::Parted,
        (false, true) => Prediction::Joined(regions),
        (false, false) => Prediction::Apart,
    }
}

/// Whether two halves agree on everything that is negotiated, once those regions are upgraded.
fn are_equal(a: &Side, b: &Side, done: &BTreeSet<RegionId>) -> bool {
    let after = |side: &Side, policy: &StoredPolicy| {
        if done.contains(&side.region) { upgraded(policy) } else { policy.clone() }
    };
    [(&a.ike, &b.ike), (&a.ipsec, &b.ipsec)].into_iter().all(|(ours, theirs)| {
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return false };
        // Of two lifetimes the shorter one counts.
        differing(&after(a, ours), &after(b, theirs)).iter().all(|(attribute, ..)| *attribute == "lifetime")
    })
}

/// A policy as the migration leaves it.
fn upgraded(policy: &StoredPolicy) -> StoredPolicy {
    let mut policy = policy.clone();
    for (attribute, word) in &mut policy.attributes {
        if let Some((_, after)) = rewriting(attribute, word) {
            after.clone_into(word);
        }
    }
    policy
}

fn rewriting(attribute: &str, word: &str) -> Option<(&'static str, &'static str)> {
    let is_algorithm = matches!(attribute, "auth_algorithm" | "encryption_algorithm");
    REWRITTEN.into_iter().find(|(before, _)| is_algorithm && *before == word)
}

fn rewritten(half: Half, side: &Side) -> Vec<Rewriting> {
    let policies = [(Kind::IkePolicy, &side.ike), (Kind::IpsecPolicy, &side.ipsec)];
    let words = policies.into_iter().flat_map(|(kind, policy)| {
        policy.iter().flat_map(move |policy| policy.attributes.iter().map(move |(name, word)| (kind, *name, word)))
    });
    let changed = words.filter_map(|(kind, attribute, word)| {
        let (before, after) = rewriting(attribute, word)?;
        Some(Rewriting { half, region: side.region.clone(), kind, attribute, before, after })
    });
    changed.collect()
}

/// What happens in each order of the regions between which it matters: the fewest upgrades with a VPN down first.
fn orders(vpns: &[VpnForecast]) -> Vec<UpgradeOrder> {
    let between = |one: &VpnForecast| one.prediction == Prediction::Parted || one.prediction.is_apart();
    let regions: BTreeSet<&RegionId> = vpns.iter().filter(|one| between(one)).flat_map(VpnForecast::regions).collect();
    if regions.len() < 2 || regions.len() > MOST_REGIONS {
        return Vec::new();
    }
    let count = regions.len();
    let orders = regions.into_iter().cloned().permutations(count).map(|order| UpgradeOrder::of(order, vpns));
    orders.sorted_by_key(UpgradeOrder::cost).collect()
}

impl UpgradeOrder {
    fn of(order: Vec<RegionId>, vpns: &[VpnForecast]) -> Self {
        let mut done = BTreeSet::new();
        let are_equal = |one: &VpnForecast, done: &BTreeSet<RegionId>| match (&one.prediction, one.vpn.b()) {
            (Prediction::PeerLeft, _) => one.rewritten.iter().all(|word| !done.contains(&word.region)),
            (_, Some(b)) => are_equal(&one.vpn.a, b, done),
            _ => true,
        };
        let effects = order.into_iter().map(|region| {
            let before = done.clone();
            done.insert(region.clone());
            let changing = |to: bool| {
                let is = |one: &VpnForecast| are_equal(one, &before) != to && are_equal(one, &done) == to;
                vpns.iter().positions(is).collect()
            };
            UpgradeEffect { region, goes_down: changing(false), comes_back: changing(true) }
        });
        Self(effects.collect())
    }

    /// How many VPNs are down after each upgrade but the last, added up.
    fn cost(&self) -> usize {
        let mut down = BTreeSet::new();
        let mut cost = 0;
        for effect in &self.0 {
            cost += down.len();
            down.extend(&effect.goes_down);
            down.retain(|place| !effect.comes_back.contains(place));
        }
        cost
    }
}
