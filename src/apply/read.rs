//! What is read of the regions, and the checks of a draft against it.

use futures::future::join_all;

use super::Refusal;
use crate::cloud::{Cloud, Detail, Error, Hidden, Inventory, Region, RegionId};
use crate::engine::read_shared_keys;
use crate::plan::psk::KeyOrigin;
use crate::plan::{Draft, Finding, Known, Labels, Plan, VpnId};

pub type Read = (RegionId, Inventory, Detail);

/// Everything about those regions; one the cloud does not have is left to whoever looks for it.
///
/// # Errors
/// If one of them cannot be read, or its VPN objects cannot be seen, or it is one of the cloud's regions but for upper and lower case.
pub async fn read<'a>(cloud: &Cloud, regions: impl IntoIterator<Item = &'a RegionId>) -> Result<Vec<Read>, Refusal> {
    let regions: Vec<&RegionId> = regions.into_iter().collect();
    let there = cloud.regions();
    for wanted in regions.iter().filter(|id| cloud.region(id).is_none()) {
        if let Some(meant) = there.iter().map(Region::id).find(|id| id.is_spelt_like(wanted)) {
            let problem = format!("{wanted} is not a region of this cloud; did you mean {meant}?");
            return Err(Refusal::unusable(vec![problem]));
        }
    }
    let reads = regions.into_iter().filter_map(|id| cloud.region(id)).map(|region| async move {
        let (inventory, detail) = tokio::try_join!(region.inventory(), region.detail())?;
        Ok::<Read, Error>((region.id().clone(), inventory, detail))
    });
    let read: Result<Vec<Read>, Error> = join_all(reads).await.into_iter().collect();
    let read = read.map_err(|error| {
        let region = error.region.as_ref().map_or_else(|| "a region".to_owned(), ToString::to_string);
        Refusal::failed(format!("reading {region}"), &error)
    })?;
    let shows_any = |(_, inventory, detail): &Read| {
        !(inventory.services.is_empty() && inventory.connections.is_empty() && detail.groups.is_empty())
    };
    match Hidden::from(cloud.is_reader(), read.iter().any(shows_any)) {
        Some(hidden) => Err(Refusal::refused(vec![hidden.to_string()])),
        None => Ok(read),
    }
}

/// The same as the plan's checks take it.
pub fn known(regions: &[Read]) -> Vec<Known<'_>> {
    let known = |(region, inventory, detail)| Known { region, inventory, detail: Some(detail) };
    regions.iter().map(|(region, inventory, detail)| known((region, inventory, detail))).collect()
}

/// The plan of a draft, unless the checks refuse it.
///
/// # Errors
/// With every reason.
pub fn check(draft: Draft, regions: &[Read], labels: &Labels, vpn: VpnId) -> Result<Box<Plan>, Refusal> {
    Plan::check(draft, &known(regions), labels, vpn).map(Box::new).map_err(|findings| refusal(&findings))
}

/// The plan with the key of the connections between the same two ends, where there are any: they can only have one.
///
/// # Errors
/// If it cannot be read, or is no key for another connection, or the user gave another.
pub async fn with_shared_key(plan: Box<Plan>, cloud: &Cloud, origin: KeyOrigin) -> Result<Box<Plan>, Refusal> {
    let keys = read_shared_keys(cloud, plan.key_sharers()).await;
    let unread = keys.iter().find_map(|shared| Some((&shared.of, shared.key.as_ref().err()?)));
    if let Some((of, error)) = unread {
        let what = format!("reading the key of connection {}, which goes between the same two addresses", of.name);
        return Err(Refusal::failed(what, error));
    }
    plan.sharing(&keys, origin).map(Box::new).map_err(|findings| refusal(&findings))
}

fn refusal(findings: &[Finding]) -> Refusal {
    Refusal::refused(findings.iter().filter(|finding| finding.is_refusal()).map(ToString::to_string).collect())
}
