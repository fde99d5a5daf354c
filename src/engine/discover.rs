//! What stands in the cloud of a VPN, told by its marks alone: for when the journal is lost.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use itertools::Itertools;

use super::adopted;
use super::creation::sweep;
use super::{Ledger, Made, Marks, Origin, Step, Task, Work};
use crate::cloud::request::Kind;
use crate::cloud::{Cloud, Error, ErrorKind, Region, RegionId};
use crate::plan::{VpnId, VpnName};

/// A VPN, or what there is of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How its objects are known.
    pub marks: Marks,
    /// The objects that carry its marker.
    pub ledger: Ledger,
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
    /// Whether everything exists: connections are created last.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.marks.regions.keys().all(|half| self.ledger.get(*half, Step::Connection).is_some())
    }

    fn of(vpn: VpnId, all: Vec<Made>) -> Self {
        let name = name_of(&all).unwrap_or_else(|| VpnName::from(&vpn));
        let regions = all.iter().map(|made| (made.task.half, made.region.clone())).collect();
        let marks = Marks { vpn, name, regions, sent: BTreeMap::new() };
        let (named, renamed): (Vec<Made>, Vec<Made>) =
            all.into_iter().partition(|made| marks.gave(made.task.step, &made.name));
        let mut ledger = Ledger::default();
        for made in named {
            if ledger.get(made.task.half, made.task.step).is_some() {
                ledger.leave(made);
            } else {
                ledger.record(made);
            }
        }
        // One that somebody has named otherwise may be of use, and is not this program's to delete; a second one of its
        // kind is not a leftover, but anybody's.
        for made in &renamed {
            if ledger.get(made.task.half, made.task.step).is_none() {
                ledger.record(Made { origin: Origin::Reused, ..made.clone() });
            }
        }
        Self { marks, ledger, renamed }
    }

    /// The connections of a half of which there is more than one: which of them is of the VPN its marker does not tell.
    #[must_use]
    pub fn doubled(&self) -> Vec<Made> {
        let made = self.ledger.removable().into_iter().chain(self.renamed.iter().cloned());
        let all: Vec<Made> =
            made.filter(|made| made.task.step == Step::Connection).unique_by(|made| made.id.clone()).collect();
        let count = |made: &Made| all.iter().filter(|other| other.task == made.task).count();
        all.iter().filter(|made| count(made) > 1).cloned().collect()
    }
}

/// Takes out of a ledger what does not exist any more: the run may have been interrupted while it was being undone.
///
/// # Errors
/// If a region cannot be read.
pub async fn forget_gone(ledger: &mut Ledger, cloud: &Cloud) -> Result<(), Error> {
    let lists: BTreeSet<(RegionId, Kind)> =
        ledger.removable().into_iter().map(|made| (made.region, made.task.step.kind())).collect();
    let reads = lists.into_iter().filter_map(|(id, kind)| Some((cloud.region(&id).ok()?, kind))).map(
        |(region, kind)| async move { Ok::<_, Error>((region.id().clone(), kind, region.described(kind).await?)) },
    );
    for read in join_all(reads).await {
        let (region, kind, there) = read?;
        for made in ledger.removable() {
            let is_listed = made.region == region && made.task.step.kind() == kind;
            if is_listed && !there.iter().any(|object| object.id == made.id) {
                ledger.remove(&made.id);
            }
        }
    }
    Ok(())
}

/// Looks once more for what requests of a VPN that is made have made besides it, deletes it, and removes the journal when
/// none can make anything any more. An object that a change has replaced is not this run's to double.
///
/// # Errors
/// If a region cannot be read.
pub async fn settle(marks: &Marks, ledger: &mut Ledger, work: &Work<'_>) -> Result<(), Error> {
    for task in ledger.open() {
        let region = marks.regions.get(&task.half).and_then(|region| work.cloud.region(region).ok());
        let (Some(own), Some(region)) = (ledger.get(task.half, task.step).cloned(), region) else { continue };
        let there = region.described(task.step.kind()).await?;
        if !there.iter().any(|object| object.id == own.id) {
            ledger.settle(task);
        }
    }
    sweep(marks, ledger, work).await;
    work.keeper.finish_made(ledger);
    Ok(())
}

async fn in_region(region: &Region, kind: Kind) -> Result<Vec<(VpnId, Made)>, Error> {
    let objects = match region.described(kind).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
        objects => objects?,
    };
    let marked = objects.into_iter().filter_map(|object| {
        let (vpn, half) = VpnId::of_description(&object.description)?;
        let step = Step::of(kind, object.endpoints.as_deref())?;
        Some((vpn, adopted(Task { half, step }, region.id(), object)))
    });
    Ok(marked.collect())
}
