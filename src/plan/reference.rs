//! What a word of the user names in a region: by id, name or (for subnets) range.

use itertools::Itertools;

use crate::cloud::{Id, Inventory, RegionId, Router, Subnet};

const NAMES_SHOWN: usize = 8;

/// Why a word does not name one object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOne {
    #[error("{wanted} does not exist; there are: {}", first(.there))]
    Missing { wanted: String, there: Vec<String> },
    #[error("{wanted} fits several; use one of their ids: {}", .ids.iter().join(", "))]
    Several { wanted: String, ids: Vec<Id> },
}

/// A plan file names a region that is not there.
pub(crate) fn no_region<'a>(region: &RegionId, there: impl IntoIterator<Item = &'a RegionId>) -> String {
    let there = there.into_iter().map(RegionId::as_str).join(", ");
    format!("{region} is not a region of this cloud with a network service; there are: {there}")
}

fn first(names: &[String]) -> String {
    let more = if names.len() > NAMES_SHOWN { ", …" } else { "" };
    format!("{}{more}", names.iter().take(NAMES_SHOWN).join(", "))
}

pub(crate) fn router(inventory: &Inventory, wanted: &str) -> Result<Id, NotOne> {
    let fits = inventory.routers.iter().filter(|router| router.id.as_str() == wanted || router.name == wanted);
    one(wanted, fits.map(|router| &router.id), || inventory.routers.iter().map(|router| &router.name).collect())
}

fn fitting<'a>(inventory: &'a Inventory, wanted: &str) -> impl Iterator<Item = &'a Subnet> {
    let range = wanted.parse().ok();
    let fits =
        move |subnet: &&Subnet| subnet.id.as_str() == wanted || subnet.name == wanted || Some(subnet.cidr) == range;
    inventory.subnets.iter().filter(fits)
}

pub(crate) fn is_on_router(inventory: &Inventory, router: Option<&Router>, wanted: &str) -> bool {
    let serves = |subnet: &Subnet| router.is_some_and(|router| router.serves(&subnet.id) == Some(true));
    fitting(inventory, wanted).any(serves)
}

/// Of several subnets that fit, those on the router are meant.
pub(crate) fn subnet(inventory: &Inventory, router: Option<&Router>, wanted: &str) -> Result<Id, NotOne> {
    let is_on_router = |subnet: &&Subnet| router.is_some_and(|router| router.serves(&subnet.id) == Some(true));
    let all: Vec<&Subnet> = fitting(inventory, wanted).collect();
    let on_router: Vec<&Subnet> = all.iter().copied().filter(is_on_router).collect();
    let meant = if on_router.is_empty() { all } else { on_router };
    one(wanted, meant.into_iter().map(|subnet| &subnet.id), || {
        let there = inventory.subnets.iter().filter(|subnet| router.is_none() || is_on_router(subnet));
        there.map(|subnet| &subnet.name).collect()
    })
}

fn one<'a>(
    wanted: &str,
    fits: impl Iterator<Item = &'a Id>,
    there: impl FnOnce() -> Vec<&'a String>,
) -> Result<Id, NotOne> {
    let wanted = wanted.to_owned();
    match fits.collect::<Vec<_>>().as_slice() {
        [id] => Ok((*id).clone()),
        [] => Err(NotOne::Missing { wanted, there: there().into_iter().sorted_unstable().dedup().cloned().collect() }),
        several => Err(NotOne::Several { wanted, ids: several.iter().map(|id| (*id).clone()).collect() }),
    }
}
