//! The VPNs of a project: every IPsec site connection, matched into pairs of halves, and what is wrong with each pair. It
//! reads and never writes; only reading knows the cloud.
//!
//! * [`inspect`] reads the regions and matches (`pairs`); [`background`] is what a diagnosis needs besides;
//! * [`checks`] compares the two halves of a VPN and what is around them, one file a check;
//! * [`exposure`] tells whether instances allow traffic from the other side;
//! * [`forecast`] tells what the upgrade of a region does to policies;
//! * [`diagnosis`] orders the faults by how likely they keep the tunnel down, and lists what cannot be checked.

mod agreement;
pub mod background;
mod case;
pub mod checks;
pub mod diagnosis;
mod evidence;
mod examine;
mod existing;
pub mod exposure;
mod fix;
pub mod forecast;
mod inquiry;
pub mod keys;
mod nearby;
mod pairs;
mod poll;
mod select;
mod unused;
mod verdict;
mod vpn;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cloud::{Error, Hidden, Id, Kind, RegionId, SiteConnection, Survey};

pub use agreement::Agreement;
pub use background::{Aspects, Background, Exposures};
pub use checks::Check;
pub use diagnosis::Diagnosis;
pub use examine::{Examined, examine};
pub use existing::Difference;
pub use fix::{Advice, Fix, PeerValue};
pub use forecast::Forecast;
pub use inquiry::{Focus, Inquiry, inspect, inspect_in_parts};
pub use keys::{EqualKeys, Keys, Weakness};
pub use pairs::in_order;
pub use poll::{HalfStatus, poll};
pub use select::{Unchangeable, Unselected};
pub use unused::UnusedObject;
pub use verdict::{CheckResult, Fault, Verdict, Weight};
use vpn::of_another;
pub use vpn::{ConnectionName, OtherHalf, Side, Vpn, outside};

/// What the project has, as far as its regions could be read.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    pub vpns: Vec<Vpn>,
    pub unused: Vec<UnusedObject>,
    /// Regions that could not be read. A half whose partner is there shows without it.
    pub unread: Vec<(RegionId, Error)>,
    /// Regions still being read. Like `unread`: a half whose partner is there shows without it.
    pub awaited: Vec<RegionId>,
    pub surveys: BTreeMap<RegionId, Survey>,
    /// Which keys are equal, read only where connections cannot be paired otherwise.
    pub keys: EqualKeys,
    pub is_reader: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// ACTIVE, and the halves match as far as that can be seen.
    Proven,
    /// Something that matters could not be read, or has a status without meaning.
    Unclear,
    /// ACTIVE, but the halves do not match or something around them is wrong: some of the traffic fails, or will.
    Mismatched,
    /// Not ACTIVE on every side that can be seen.
    NotActive,
}

impl Inspection {
    /// Matches what was read.
    #[must_use]
    pub fn of(surveys: BTreeMap<RegionId, Survey>, unread: Vec<(RegionId, Error)>) -> Self {
        Self::knowing(EqualKeys::default(), surveys, unread)
    }

    /// Matches what was read, where it is known which keys are equal.
    #[must_use]
    pub fn knowing(keys: EqualKeys, surveys: BTreeMap<RegionId, Survey>, unread: Vec<(RegionId, Error)>) -> Self {
        let vpns = pairs::match_up(&surveys, &keys);
        let mut unused = unused::find(&surveys);
        // A connection that could not be read may use what no other does.
        let is_whole = |survey: &Survey| survey.inventory.unfit_of(Kind::SiteConnection).next().is_none();
        unused.retain(|object| surveys.get(&object.region).is_some_and(is_whole));
        Self { vpns, unused, unread, surveys, keys, ..Self::default() }
    }

    /// The same without these connections. What they use is used nevertheless.
    #[must_use]
    pub fn without(self, connections: &BTreeSet<Id>) -> Self {
        if connections.is_empty() {
            return self;
        }
        let mut surveys = self.surveys;
        for survey in surveys.values_mut() {
            survey.inventory.connections.retain(|connection| !connections.contains(&connection.id));
        }
        Self { vpns: pairs::match_up(&surveys, &self.keys), surveys, ..self }
    }

    /// The same, with what was read before of regions still awaited.
    #[must_use]
    pub fn beside(self, before: &Self) -> Self {
        let Self { mut surveys, unread, mut awaited, keys, is_reader, .. } = self;
        awaited.retain(|region| !restore(&mut surveys, before, region));
        Self { awaited, is_reader, ..Self::knowing(keys.or(&before.keys), surveys, unread) }
    }

    /// The same, with what was read before of regions that cannot be read now; and why these cannot.
    #[must_use]
    pub fn holding(self, before: &Self) -> (Self, BTreeMap<RegionId, Error>) {
        let Self { mut surveys, unread, awaited, keys, is_reader, .. } = self;
        let (held, unread): (Vec<_>, Vec<_>) =
            unread.into_iter().partition(|(region, _)| restore(&mut surveys, before, region));
        let held_on = Self { awaited, is_reader, ..Self::knowing(keys.or(&before.keys), surveys, unread) };
        (held_on, held.into_iter().collect())
    }

    /// Why there may be VPNs although none is shown.
    pub fn hidden(&self) -> Option<Hidden> {
        Hidden::from(self.is_reader, !self.vpns.is_empty() || !self.unused.is_empty())
    }

    /// Objects that could not be read, a sentence each.
    pub fn left_out(&self) -> impl Iterator<Item = String> {
        let of = |(region, survey)| unfit(region, survey);
        self.surveys.iter().flat_map(of)
    }

    /// The regions nothing is known of.
    pub fn unknown(&self) -> Vec<RegionId> {
        self.unread.iter().map(|(region, _)| region).chain(&self.awaited).cloned().collect()
    }

    /// The regions a VPN is in; none if its other half may be anywhere.
    pub(crate) fn regions_of(&self, vpn: &Vpn) -> Option<BTreeSet<RegionId>> {
        let is_whole = vpn.b().is_some() || (!vpn.is_missing_a_half() && self.unknown().is_empty());
        is_whole.then(|| vpn.sides().map(|(_, side)| side.region.clone()).collect())
    }

    /// Whether its other half may be in a region nothing is known of.
    pub fn may_lack_a_half(&self, vpn: &Vpn) -> bool {
        let is_settled = matches!(vpn.other_half, OtherHalf::Found(_) | OtherHalf::Missing { region: Some(_), .. });
        !is_settled && !self.unknown().is_empty()
    }

    /// Whether a VPN can be changed: both its halves must be known.
    /// Errors: why not.
    pub fn changeable(&self, vpn: &Vpn) -> Result<(), Unchangeable> {
        self.deletable(vpn)?;
        vpn.unambiguous()
    }

    /// Whether what is known of a VPN can be deleted: not the half that is seen as if its peer were outside, while that may
    /// be the other half.
    /// Errors: [`Unchangeable::HalfUnread`].
    pub fn deletable(&self, vpn: &Vpn) -> Result<(), Unchangeable> {
        if !self.may_lack_a_half(vpn) {
            return Ok(());
        }
        Err(Unchangeable::HalfUnread { name: vpn.name.clone(), regions: self.unknown() })
    }

    /// The connections of other VPNs that use an object of this one, which therefore stays when this one is deleted.
    pub(crate) fn shared_with(&self, vpn: &Vpn, region: &RegionId, id: &Id) -> Vec<&SiteConnection> {
        let own: Vec<&Id> = vpn.sides().map(|(_, side)| &side.connection.id).collect();
        let connections = self.surveys.get(region).map_or(&[][..], |survey| &survey.inventory.connections);
        connections.iter().filter(|other| !own.contains(&&other.id) && other.uses(id)).collect()
    }
}

/// Whether there was anything to restore.
fn restore(surveys: &mut BTreeMap<RegionId, Survey>, before: &Inspection, region: &RegionId) -> bool {
    let survey = before.surveys.get(region);
    surveys.extend(survey.map(|survey| (region.clone(), survey.clone())));
    survey.is_some()
}

fn unfit(region: &RegionId, survey: &Survey) -> impl Iterator<Item = String> {
    survey.inventory.unfit.iter().map(move |unfit| format!("{region}: left out, because it cannot be read: {unfit}"))
}
