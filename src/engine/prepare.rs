//! From answers to a plan that can be carried out: what is read of the regions, and the checks against it.

use futures::future::join_all;
use itertools::Itertools;

use super::journal::JournalError;
use super::read_shared_keys;
use super::resume::KeyError;
use crate::cloud::{Cloud, Detail, Error, Hidden, Inventory, Region, RegionId};
use crate::plan::file::FileError;
use crate::plan::psk::KeyOrigin;
use crate::plan::shell::osvpn;
use crate::plan::{Finding, Known, Labels, Plan, PlanDraft, VpnId, VpnName};

/// Why there is no plan to carry out.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The plan names a region that the cloud spells otherwise.
    #[error("{wanted} is not a region of this cloud; did you mean {meant}?")]
    NoSuchRegion {
        /// As the plan has it.
        wanted: RegionId,
        /// As the cloud has it.
        meant: RegionId,
    },
    /// A request failed.
    #[error("{doing}: {error}")]
    Request {
        /// "reading nz-por-1"
        doing: String,
        /// The cause.
        #[source]
        error: Box<Error>,
    },
    /// VPN objects are not shown to this sign-in.
    #[error(transparent)]
    Hidden(#[from] Hidden),
    /// The plan file is wrong, or names what does not exist.
    #[error("{}", .0.iter().join("\n"))]
    File(Vec<FileError>),
    /// The checks refuse it; among them may be findings that refuse nothing.
    #[error("{}", refusals(.0).join("\n"))]
    Refused(Vec<Finding>),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is no key to go on with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Without a journal, what exists of the VPN does not tell all of its plan.
    #[error(
        "the journal of {name} is not on this machine, and what exists of the VPN does not tell {what}; delete it with \
         {delete}, and begin again",
        delete = osvpn("rollback").operand(vpn)
    )]
    Untold {
        /// The VPN's name.
        name: VpnName,
        /// Its id.
        vpn: VpnId,
        /// "the router and subnets of half A"
        what: &'static str,
    },
    /// The program's own tables are broken.
    #[error(transparent)]
    BuiltIn(#[from] toml::de::Error),
}

impl PrepareError {
    pub(crate) fn request(doing: impl Into<String>, error: Error) -> Self {
        Self::Request { doing: doing.into(), error: Box::new(error) }
    }
}

/// What refuses a plan, a sentence each.
pub(crate) fn refusals(findings: &[Finding]) -> Vec<String> {
    findings.iter().filter(|finding| finding.is_refusal()).map(ToString::to_string).collect()
}

pub type RegionRead = (RegionId, Inventory, Detail);

/// Everything about those regions; one that the cloud does not have is left out.
///
/// # Errors
/// If one of them cannot be read, or its VPN objects cannot be seen, or it is one of the cloud's regions but for upper and lower case.
pub async fn read<'a>(
    cloud: &Cloud,
    regions: impl IntoIterator<Item = &'a RegionId>,
) -> Result<Vec<RegionRead>, PrepareError> {
    let regions: Vec<&RegionId> = regions.into_iter().collect();
    let there = cloud.regions();
    for wanted in regions.iter().filter(|id| cloud.region(id).is_err()) {
        if let Some(meant) = there.iter().map(Region::id).find(|id| id.is_spelt_like(wanted)) {
            return Err(PrepareError::NoSuchRegion { wanted: (*wanted).clone(), meant: meant.clone() });
        }
    }
    let reads = regions.into_iter().filter_map(|id| cloud.region(id).ok()).map(|region| async move {
        let (inventory, detail) = tokio::try_join!(region.inventory_with_interfaces(), region.detail())?;
        Ok::<RegionRead, Error>((region.id().clone(), inventory, detail))
    });
    let read: Result<Vec<RegionRead>, Error> = join_all(reads).await.into_iter().collect();
    let read = read.map_err(|error| {
        let region = error.region.as_ref().map_or_else(|| "a region".to_owned(), ToString::to_string);
        PrepareError::request(format!("reading {region}"), error)
    })?;
    let shows_any = |(_, inventory, detail): &RegionRead| {
        !(inventory.services.is_empty() && inventory.connections.is_empty() && detail.groups.is_empty())
    };
    match Hidden::from(cloud.is_reader(), read.iter().any(shows_any)) {
        Some(hidden) => Err(hidden.into()),
        None => Ok(read),
    }
}

/// The same as the plan's checks take it.
pub fn known(regions: &[RegionRead]) -> Vec<Known<'_>> {
    let known = |(region, inventory, detail)| Known { region, inventory, detail: Some(detail) };
    regions.iter().map(|(region, inventory, detail)| known((region, inventory, detail))).collect()
}

/// The plan of a draft, unless the checks refuse it.
///
/// # Errors
/// With every reason.
pub fn check(draft: PlanDraft, regions: &[RegionRead], labels: &Labels, vpn: VpnId) -> Result<Box<Plan>, PrepareError> {
    Plan::check(draft, &known(regions), labels, vpn).map(Box::new).map_err(PrepareError::Refused)
}

/// The plan with the key of the connections between the same two ends, where there are any: they can only have one.
///
/// # Errors
/// If it cannot be read, or is no key for another connection, or the user gave another.
pub async fn with_shared_key(plan: Box<Plan>, cloud: &Cloud, origin: KeyOrigin) -> Result<Box<Plan>, PrepareError> {
    let keys = read_shared_keys(cloud, plan.key_sharers()).await;
    let unread = keys.iter().find_map(|shared| Some((&shared.of, shared.key.as_ref().err()?)));
    if let Some((of, error)) = unread {
        let doing = format!("reading the key of connection {}, which has the same two addresses", of.name);
        return Err(PrepareError::request(doing, error.clone()));
    }
    plan.sharing(&keys, origin).map(Box::new).map_err(PrepareError::Refused)
}
