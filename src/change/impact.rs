//! What a change does to other VPNs than its own.

use std::collections::BTreeSet;

use super::proposal::Refused;
use super::sharers::is_same;
use super::upgrade::INTERRUPTION;
use super::{Change, Create, New, Ref, Step};
use crate::cloud::{Id, RegionId};
use crate::inspect::{Inspection, Side, Vpn};

/// What an upgrade means for the users of its VPN, and for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// The other VPNs that are interrupted with it, by name: they share its routers.
    pub interrupts: Vec<String>,
    /// Whether the routers of all VPNs in its regions are seen: without them `interrupts` may lack some.
    pub sees_routers: bool,
    /// What is different afterwards, a sentence each.
    pub differences: Vec<String>,
}

impl Impact {
    pub(super) fn of(seen: &Inspection, vpn: &Vpn, change: &Change, differences: Vec<String>) -> Self {
        let interrupts = interrupted(seen, vpn, change).map(|other| other.name.clone()).collect();
        let sides = || seen.vpns.iter().flat_map(|vpn| vpn.sides().map(|(_, side)| side));
        let regions: BTreeSet<&RegionId> =
            sides().filter(|side| is_interrupted(side, change)).map(|side| &side.region).collect();
        let sees_routers = sides().all(|side| side.router.is_some() || !regions.contains(&side.region));
        Self { interrupts, sees_routers, differences }
    }

    /// How long that VPN is down, what else is interrupted, and what becomes different, a sentence each.
    pub(super) fn sentences(&self, name: &str) -> impl Iterator<Item = String> {
        let others = match self.interrupts.as_slice() {
            [] if self.sees_routers => "No other VPN of this project is interrupted.".to_owned(),
            [] => "Whether another VPN is interrupted with it cannot be checked from here: not all their routers are seen."
                .to_owned(),
            others => format!("Interrupted with it, because they share its routers: {}.", others.join(", ")),
        };
        [format!("{name} is down for {}", down()), others].into_iter().chain(self.differences.iter().cloned())
    }
}

/// How long an upgrade interrupts.
pub(super) fn down() -> String {
    format!(
        "about {INTERRUPTION} s, as measured with strongSwan. LibreSwan interrupts its tunnels at each change of a router."
    )
}

/// The other VPNs of which a change replaces a connection.
pub fn moved_with<'a>(seen: &'a Inspection, vpn: &'a Vpn, change: &'a Change) -> impl Iterator<Item = &'a Vpn> {
    let is_replaced = move |side: &Side| {
        change.steps().iter().any(|step| matches!(step, Step::Delete(_, one) if one.id == side.connection.id))
    };
    seen.vpns.iter().filter(move |other| !is_same(vpn, other) && other.sides().any(|(_, side)| is_replaced(side)))
}

/// Refuses a change that replaces connections of a VPN of which another change was interrupted: its journal holds their ids.
pub fn may_move(
    seen: &Inspection,
    vpn: &Vpn,
    change: &Change,
    is_interrupted: impl Fn(&Vpn) -> bool,
) -> Result<(), Refused> {
    let Some(busy) = moved_with(seen, vpn, change).find(|other| is_interrupted(other)) else { return Ok(()) };
    let resume = busy.command("resume");
    Err(Refused::because(format!("{} would move with it, and a change of that was interrupted: {resume}", busy.name)))
}

/// Whether a change restarts the service of a half, or replaces its connection.
fn is_interrupted(side: &Side, change: &Change) -> bool {
    change.steps().iter().any(|step| match step {
        Step::Restart(one) => one.region == side.region && one.service == Ref::Id(side.connection.service.clone()),
        Step::Delete(_, one) => one.id == side.connection.id,
        _ => false,
    })
}

/// The other VPNs whose tunnels a change interrupts: their routers are those of what is restarted.
fn interrupted<'a>(seen: &'a Inspection, vpn: &'a Vpn, change: &Change) -> impl Iterator<Item = &'a Vpn> {
    let all = || seen.vpns.iter().flat_map(|vpn| vpn.sides().map(|(_, side)| side));
    let mut routers: BTreeSet<(RegionId, Id)> =
        all().filter(|side| is_interrupted(side, change)).filter_map(place_of_router).collect();
    routers.extend(change.steps().iter().filter_map(|step| match step {
        Step::Create(Create { region, object: New::Service(router), .. }) => Some((region.clone(), router.clone())),
        _ => None,
    }));
    let is_on = move |side: &Side| place_of_router(side).is_some_and(|place| routers.contains(&place));
    seen.vpns.iter().filter(move |other| !is_same(vpn, other) && other.sides().any(|(_, side)| is_on(side)))
}

fn place_of_router(side: &Side) -> Option<(RegionId, Id)> {
    Some((side.region.clone(), side.router.as_ref()?.id.clone()))
}
