//! The statuses of a VPN, by two small requests a half instead of reading everything again.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde_json::Value;

use super::{OtherHalf, Side, Vpn};
use crate::cloud::{Cloud, Error, Id, Kind, Region, Status};
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
