//! What stands in the cloud of a VPN, told by its marks alone: for when the journal is lost.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use itertools::Itertools;

use super::{Made, Origin, Progress, adopted};
use crate::change::{Change, HalfObject, Step, Task};
use crate::cloud::request::Kind;
use crate::cloud::{Cloud, Error, ErrorKind, Region, RegionId};
use crate::plan::{VpnId, VpnName};

/// A VPN, or what there is of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub vpn: VpnId,
    pub name: VpnName,
    /// What would make its objects.
    pub change: Change,
    /// The objects that carry its marker.
    pub progress: Progress,
    /// Those of them that are not named as this program names the objects of that VPN: somebody has renamed them, or has
    /// copied a description.
    pub renamed: Vec<Made>,
}

const KINDS: [Kind; 5] =
    [Kind::VpnService, Kind::IkePolicy, Kind::IpsecPolicy, Kind::EndpointGroup, Kind::SiteConnection];

/// Every VPN with marks in any region.
///
/// # Errors
/// If a region cannot be read: what is there would be missed. One without `VPNaaS` holds nothing.
pub async fn find(cloud: &Cloud) -> Result<Vec<Found>, Error> {
    let regions = cloud.regions();
    let reads = regions.iter().flat_map(|region| KINDS.map(|kind| in_region(region, kind)));
    let mut vpns: BTreeMap<VpnId, Vec<Made>> = BTreeMap::new();
    for read in join_all(reads).await {
        for (vpn, made) in read? {
            vpns.entry(vpn).or_default().push(made);
        }
    }
    Ok(vpns.into_iter().map(|(vpn, made)| Found::of(vpn, made)).collect())
}

/// What these objects say that their VPN is called: what most of them do. None if somebody has named them all otherwise.
fn name_of(all: &[Made]) -> Option<VpnName> {
    let given = |made: &Made| VpnName::from_object(&made.name, made.task.step.object());
    let counts = all.iter().filter_map(given).counts_by(|name| name.as_str().to_owned());
    let most = counts.values().max().copied()?;
    all.iter().filter_map(given).find(|name| counts.get(name.as_str()) == Some(&most))
}

impl Found {
    fn of(vpn: VpnId, all: Vec<Made>) -> Self {
        let name = name_of(&all).unwrap_or_else(|| VpnName::from(&vpn));
        let halves = all.iter().map(|made| (made.task.half, made.region.clone())).collect();
        let change = Change::of_halves(&vpn, &name, &halves, None);
        let (named, renamed): (Vec<Made>, Vec<Made>) =
            all.into_iter().partition(|made| name.of(made.task.step.object()) == made.name);
        let mut progress = Progress::new(&change);
        for made in named {
            if progress.get(made.task.half, made.task.step).is_some() {
                progress.leave(made);
            } else {
                progress.record(made);
            }
        }
        // One that somebody has named otherwise may be of use, and is not this program's to delete; a second one of its
        // kind is not a leftover, but anybody's.
        for made in &renamed {
            if progress.get(made.task.half, made.task.step).is_none() {
                progress.record(Made { origin: Origin::Reused, ..made.clone() });
            }
        }
        Self { vpn, name, change, progress, renamed }
    }

    /// The same, where it is not known what was asked for last: what is missing is looked for before it is made.
    pub(super) fn in_doubt(&self) -> Progress {
        let mut progress = self.progress.clone();
        for task in self.change.steps().iter().filter_map(Step::task) {
            if progress.get(task.half, task.step).is_none() {
                progress.doubt(task);
            }
        }
        progress
    }

    /// The connections of a half of which there is more than one: which of them is of the VPN its marker does not tell.
    #[must_use]
    pub fn doubled(&self) -> Vec<Made> {
        let made = self.progress.removable().into_iter().chain(self.renamed.iter().cloned());
        let all: Vec<Made> =
            made.filter(|made| made.task.step == HalfObject::Connection).unique_by(|made| made.id.clone()).collect();
        let count = |made: &Made| all.iter().filter(|other| other.task == made.task).count();
        all.iter().filter(|made| count(made) > 1).cloned().collect()
    }
}

/// Takes out what does not exist any more: the run may have been interrupted while it was being undone.
///
/// # Errors
/// If a region cannot be read.
pub async fn forget_gone(progress: &mut Progress, cloud: &Cloud) -> Result<(), Error> {
    let lists: BTreeSet<(RegionId, Kind)> =
        progress.removable().into_iter().map(|made| (made.region, made.task.step.kind())).collect();
    let reads = lists.into_iter().filter_map(|(id, kind)| Some((cloud.region(&id).ok()?, kind))).map(
        |(region, kind)| async move { Ok::<_, Error>((region.id().clone(), kind, region.described(kind).await?)) },
    );
    for read in join_all(reads).await {
        let (region, kind, there) = read?;
        for made in progress.removable() {
            let is_listed = made.region == region && made.task.step.kind() == kind;
            if is_listed && !there.iter().any(|object| object.id == made.id) {
                progress.remove(&made.id);
            }
        }
    }
    Ok(())
}

async fn in_region(region: &Region, kind: Kind) -> Result<Vec<(VpnId, Made)>, Error> {
    let objects = match region.described(kind).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
        objects => objects?,
    };
    let marked = objects.into_iter().filter_map(|object| {
        let (vpn, half) = VpnId::of_description(&object.description)?;
        let step = HalfObject::of(kind, object.endpoints.as_deref())?;
        Some((vpn, adopted(Task { half, step }, region.id(), object)))
    });
    Ok(marked.collect())
}
