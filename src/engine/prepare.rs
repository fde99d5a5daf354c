//! From answers to a plan that can be carried out: what is read of the regions, and the checks against it.

use std::collections::BTreeSet;

use futures::future::join_all;
use itertools::Itertools;

use super::journal::JournalError;
use super::read_shared_keys;
use super::resume::KeyError;
use crate::cloud::{By, Cloud, Detail, Error, Hidden, Id, Inventory, OtherSubnets, Region, RegionId, VpnService};
use crate::plan::file::{FileError, PlanFile};
use crate::plan::psk::KeyOrigin;
use crate::plan::shell::osvpn;
use crate::plan::{Far, Finding, Half, HalfDraft, Known, Labels, Plan, PlanDraft, Profiles, Psk, VpnId, VpnName};

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

/// The VPNs of those regions, and the routers and subnets around them; a region that the cloud does not have is left out.
///
/// # Errors
/// If one of them cannot be read, or its VPN objects cannot be seen, or it is one of the cloud's regions but for upper and lower case.
pub async fn read_vpns<'a>(
    cloud: &Cloud,
    regions: impl IntoIterator<Item = &'a RegionId>,
) -> Result<Vec<RegionRead>, PrepareError> {
    read_each(cloud, regions, |region| async move {
        let survey = async { region.survey(region.vpn_lists().await?, OtherSubnets::OfRouters).await };
        let (survey, detail) = tokio::try_join!(survey, region.room())?;
        Ok((region.id().clone(), survey.inventory, detail))
    })
    .await
}

/// What a plan file names, and what is read of its regions: only what it names. If that does not do, everything is read
/// before anything is said of it.
///
/// # Errors
/// As [`read_vpns`]; and if the file names what does not exist or is not clear.
pub async fn resolve(
    cloud: &Cloud,
    file: &PlanFile,
    profiles: &Profiles,
    psk: &Psk,
) -> Result<(PlanDraft, Vec<RegionRead>), PrepareError> {
    let named = read_each(cloud, file.regions(), |region| read_named(region, file)).await?;
    if let Ok(draft) = file.resolve(&known(&named), profiles, psk.clone())
        && is_attached(&draft.a, &named)
        && match &draft.far {
            Far::Half(b) => is_attached(b, &named),
            Far::Peer(_) => true,
        }
    {
        return Ok((draft, named));
    }
    let regions = read_each(cloud, file.regions(), |region| async move {
        let (inventory, detail) = tokio::try_join!(region.inventory_with_interfaces(), region.detail())?;
        Ok((region.id().clone(), inventory, detail))
    });
    let regions = regions.await?;
    let draft = file.resolve(&known(&regions), profiles, psk.clone()).map_err(|errors| {
        let there: Vec<RegionId> = cloud.regions().iter().map(|region| region.id().clone()).collect();
        PrepareError::File(errors.into_iter().map(|error| error.among(&there)).collect())
    })?;
    Ok((draft, regions))
}

/// Whether every subnet of a half hangs on its router, within the project's own networks.
fn is_attached(half: &HalfDraft, regions: &[RegionRead]) -> bool {
    let Some((_, inventory, _)) = regions.iter().find(|(region, ..)| *region == half.region) else { return false };
    let Some(router) = inventory.router(&half.router) else { return false };
    half.subnets.iter().all(|id| {
        let network = inventory.subnet(id).map(|subnet| &subnet.network);
        router.serves(id) == Some(true) && network != router.external_network.as_ref()
    })
}

async fn read_named(region: Region, file: &PlanFile) -> Result<RegionRead, Error> {
    let halves: Vec<_> = [Half::A, Half::B]
        .into_iter()
        .zip(file.regions())
        .filter(|(_, id)| *id == region.id())
        .filter_map(|(half, _)| file.objects(half))
        .collect();
    let routers: Vec<&str> = halves.iter().map(|(router, _)| *router).collect();
    let subnets: Vec<&str> = halves.into_iter().flat_map(|(_, subnets)| subnets).collect();
    let (mut inventory, detail) = tokio::try_join!(region.inventory_of(&routers, &subnets), region.room())?;
    // What the connections of these routers carry already, if it stands elsewhere.
    let carried = carried_by(&inventory, &detail);
    inventory.subnets.extend(region.subnets(By::Id, &carried.iter().collect::<Vec<_>>()).await?);
    Ok((region.id().clone(), inventory, detail))
}

/// The subnets in the local groups and services of a few routers that have not been read.
fn carried_by(inventory: &Inventory, detail: &Detail) -> BTreeSet<Id> {
    let services: Vec<&VpnService> =
        inventory.routers.iter().flat_map(|router| inventory.services_on(&router.id)).collect();
    let connections =
        inventory.connections.iter().filter(|one| services.iter().any(|service| service.id == one.service));
    let groups = connections.filter_map(|one| {
        detail.groups.iter().find(|group| Some(&group.id) == one.local_group.as_ref() && group.kind == "subnet")
    });
    let carried = groups.flat_map(|group| group.endpoints.iter().map(|id| Id::new(id.as_str())));
    let legacy = services.iter().filter_map(|service| service.legacy_subnet.clone());
    carried.chain(legacy).filter(|id| inventory.subnet(id).is_none()).collect()
}

async fn read_each<'a, F: Future<Output = Result<RegionRead, Error>>>(
    cloud: &Cloud,
    regions: impl IntoIterator<Item = &'a RegionId>,
    read: impl Fn(Region) -> F,
) -> Result<Vec<RegionRead>, PrepareError> {
    let regions: Vec<&RegionId> = regions.into_iter().unique().collect();
    let there = cloud.regions();
    for wanted in regions.iter().filter(|id| cloud.region(id).is_err()) {
        if let Some(meant) = there.iter().map(Region::id).find(|id| id.is_spelt_like(wanted)) {
            return Err(PrepareError::NoSuchRegion { wanted: (*wanted).clone(), meant: meant.clone() });
        }
    }
    let reads = regions.into_iter().filter_map(|id| cloud.region(id).ok()).map(read);
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
    let known = |(region, inventory, detail)| Known { region, inventory, detail: Some(detail), upgrades: None };
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
