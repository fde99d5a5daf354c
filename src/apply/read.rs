//! What is read of the regions, and the checks of a draft against it.

use futures::future::join_all;

use super::Refusal;
use crate::cloud::{Cloud, Detail, Error, Inventory, RegionId};
use crate::plan::{Draft, Known, Labels, Plan, VpnId};

pub type Read = (RegionId, Inventory, Detail);

/// Everything about those regions; one the cloud does not have is left to whoever looks for it.
///
/// # Errors
/// If one of them cannot be read.
pub async fn read<'a>(cloud: &Cloud, regions: impl IntoIterator<Item = &'a RegionId>) -> Result<Vec<Read>, Refusal> {
    let reads = regions.into_iter().filter_map(|id| cloud.region(id)).map(|region| async move {
        let (inventory, detail) = tokio::try_join!(region.inventory(), region.detail())?;
        Ok::<Read, Error>((region.id().clone(), inventory, detail))
    });
    let read: Result<Vec<Read>, Error> = join_all(reads).await.into_iter().collect();
    read.map_err(|error| {
        let region = error.region.as_ref().map_or_else(|| "a region".to_owned(), ToString::to_string);
        Refusal::failed(format!("reading {region}"), &error)
    })
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
    Plan::check(draft, &known(regions), labels, vpn).map(Box::new).map_err(|findings| {
        Refusal::refused(findings.iter().filter(|finding| finding.is_refusal()).map(ToString::to_string).collect())
    })
}
