//! The statuses of a VPN, by two small requests a half instead of reading everything again.

use std::collections::BTreeMap;

use futures::future::{join_all, try_join_all};
use serde_json::Value;

use super::{Inspection, OtherHalf, Side, Vpn};
use crate::cloud::{Cloud, Error, Id, Inventory, Kind, Region, RegionId, SiteConnection, Status, VpnService};
use crate::plan::Half;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfStatus {
    pub connection: Status,
    pub service: Option<Status>,
}

/// Reads the statuses of a VPN's connections and services; two requests a half.
/// Errors: the first request that failed. `NotFound` if one of them is gone.
pub async fn poll(cloud: &Cloud, vpn: &Vpn) -> Result<BTreeMap<Half, HalfStatus>, Error> {
    let asked = vpn.sides().map(|(half, side)| async move {
        let region = cloud.region(&side.region)?;
        let connection = status(&region, Kind::SiteConnection, &side.connection.id);
        let service = async {
            match &side.service {
                Some(service) => status(&region, Kind::VpnService, &service.id).await.map(Some),
                None => Ok(None),
            }
        };
        let (connection, service) = tokio::try_join!(connection, service)?;
        Ok::<_, Error>((half, HalfStatus { connection, service }))
    });
    Ok(try_join_all(asked).await?.into_iter().collect())
}

async fn status(region: &Region, kind: Kind, id: &Id) -> Result<Status, Error> {
    let shown = region.show(kind, id, &["status"]).await?;
    Ok(Status::parse(shown.get("status").and_then(Value::as_str).unwrap_or_default()))
}

impl Inspection {
    /// Reads connections and services again, in two requests a region, and takes their statuses. Regions that failed are
    /// returned, and whether anything but a status has changed: then everything has to be read again.
    pub async fn poll(&mut self, cloud: &Cloud) -> (BTreeMap<RegionId, Error>, bool) {
        let regions = self.surveys.keys().filter_map(|id| cloud.region(id).ok());
        let reads = regions.map(|region| async move { (region.id().clone(), region.vpn_states().await) });
        let (mut failed, mut is_changed) = (BTreeMap::new(), false);
        for (id, read) in join_all(reads).await {
            match (read, self.surveys.get_mut(&id)) {
                (Ok((connections, services)), Some(survey)) => {
                    is_changed |= take_all(&mut survey.inventory.connections, connections);
                    is_changed |= take_all(&mut survey.inventory.services, services);
                }
                (Err(error), _) => drop(failed.insert(id, error)),
                (Ok(_), None) => {}
            }
        }
        for vpn in &mut self.vpns {
            let seen = vpn.sides().filter_map(|(half, side)| {
                let Inventory { connections, services, .. } = &self.surveys.get(&side.region)?.inventory;
                let connection = connections.iter().find(|one| one.id == side.connection.id)?.status.clone();
                let service = side.service.as_ref().and_then(|own| services.iter().find(|one| one.id == own.id));
                Some((half, HalfStatus { connection, service: service.map(|service| service.status.clone()) }))
            });
            let seen = seen.collect();
            vpn.set_statuses(&seen);
        }
        (failed, is_changed)
    }
}

/// An object that a poll reads.
trait Polled {
    fn id(&self) -> &Id;
    /// Whether nothing of it has changed but its status.
    fn is_still(&self, seen: &Self) -> bool;
    fn status(&mut self) -> &mut Status;
}

impl Polled for SiteConnection {
    fn id(&self) -> &Id {
        &self.id
    }

    fn is_still(&self, seen: &Self) -> bool {
        *self == Self { status: self.status.clone(), ..seen.clone() }
    }

    fn status(&mut self) -> &mut Status {
        &mut self.status
    }
}

impl Polled for VpnService {
    fn id(&self) -> &Id {
        &self.id
    }

    /// An old cloud does not tell its addresses, which are its router's.
    fn is_still(&self, seen: &Self) -> bool {
        let (external_v4, external_v6) = (seen.external_v4.or(self.external_v4), seen.external_v6.or(self.external_v6));
        *self == Self { status: self.status.clone(), external_v4, external_v6, ..seen.clone() }
    }

    fn status(&mut self) -> &mut Status {
        &mut self.status
    }
}

/// Takes the statuses. Whether anything else has changed.
fn take_all<T: Polled>(known: &mut [T], mut seen: Vec<T>) -> bool {
    let mut is_changed = known.len() != seen.len();
    for object in known {
        match seen.iter_mut().find(|seen| seen.id() == object.id()) {
            Some(seen) => {
                is_changed |= !object.is_still(seen);
                *object.status() = seen.status().clone();
            }
            None => is_changed = true,
        }
    }
    is_changed
}

impl Vpn {
    pub fn set_statuses(&mut self, seen: &BTreeMap<Half, HalfStatus>) {
        let b = match &mut self.other_half {
            OtherHalf::Found(side) => Some((Half::B, &mut **side)),
            OtherHalf::Missing { .. } | OtherHalf::Ambiguous(_) | OtherHalf::Outside => None,
        };
        for (half, side) in std::iter::once((Half::A, &mut self.a)).chain(b) {
            if let Some(look) = seen.get(&half) {
                side.take(look);
            }
        }
    }
}

impl Side {
    fn take(&mut self, look: &HalfStatus) {
        self.connection.status = look.connection.clone();
        if let (Some(service), Some(status)) = (&mut self.service, &look.service) {
            service.status = status.clone();
        }
    }
}
