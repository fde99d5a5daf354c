//! What stands in the cloud of a VPN, told by its marks alone: for when the journal is lost.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::{Ledger, Made, Marks, Origin, Step, Task};
use crate::cloud::request::Kind;
use crate::cloud::{Cloud, Error, ErrorKind, Region, RegionId};
use crate::plan::{VpnId, VpnName};

/// A VPN, or what there is of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How its objects are known.
    pub marks: Marks,
    /// The objects: everything in them was made by this program, so nothing in them is anybody else's.
    pub ledger: Ledger,
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
    let mut vpns: BTreeMap<VpnId, Found> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for read in join_all(reads).await {
        for (vpn, name, made) in read? {
            let found = vpns.entry(vpn.clone()).or_insert_with(|| Found {
                marks: Marks { name: VpnName::from(&vpn), vpn: vpn.clone(), regions: BTreeMap::new() },
                ledger: Ledger::default(),
            });
            if let Some(name) = name
                && named.insert(vpn)
            {
                found.marks.name = name;
            }
            found.marks.regions.insert(made.task.half, made.region.clone());
            if found.ledger.get(made.task.half, made.task.step).is_some() {
                found.ledger.leave(made);
            } else {
                found.ledger.record(made);
            }
        }
    }
    Ok(vpns.into_values().collect())
}

/// Takes out of a ledger what does not exist any more: the run may have been cut off while it was being undone.
///
/// # Errors
/// If a region cannot be read.
pub async fn forget_gone(ledger: &mut Ledger, cloud: &Cloud) -> Result<(), Error> {
    let lists: BTreeSet<(RegionId, Kind)> =
        ledger.removable().into_iter().map(|made| (made.region, made.task.step.kind())).collect();
    let reads =
        lists.into_iter().filter_map(|(id, kind)| Some((cloud.region(&id)?, kind))).map(|(region, kind)| async move {
            Ok::<_, Error>((region.id().clone(), kind, region.described(kind).await?))
        });
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

/// An object, whose VPN it is, and what it says that is called, unless somebody has given it another name.
type Marked = (VpnId, Option<VpnName>, Made);

async fn in_region(region: &Region, kind: Kind) -> Result<Vec<Marked>, Error> {
    let objects = match region.described(kind).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
        objects => objects?,
    };
    let marked = objects.into_iter().filter_map(|object| {
        let (vpn, half) = object.description.split_whitespace().find_map(VpnId::of_mark)?;
        let step = Step::of(kind, object.endpoints.as_deref())?;
        let name = VpnName::from_object(&object.name, step.object());
        let task = Task { half, step };
        let made = Made {
            task,
            region: region.id().clone(),
            id: object.id,
            name: object.name,
            origin: Origin::Adopted,
            external_v4: None,
            external_v6: None,
        };
        Some((vpn, name, made))
    });
    Ok(marked.collect())
}
