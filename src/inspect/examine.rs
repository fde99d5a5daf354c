//! Everything about one VPN, in two round trips where its halves are told by its marker.

use std::collections::{BTreeMap, BTreeSet};

use super::{Aspects, Background, Diagnosis, Focus, Inquiry, Inspection, Vpn, inspect};
use crate::cloud::{Cloud, Error, ErrorKind, RegionId};
use crate::plan::{Half, VpnId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    pub vpn: Vpn,
    pub diagnosis: Diagnosis,
}

/// Reads the regions of its halves and diagnoses that VPN. The peer of a half that has no other may be anywhere.
/// Errors: If none of its connections is found: a region could not be read, or they are gone.
pub async fn examine(cloud: &Cloud, wanted: &VpnId, halves: &BTreeMap<Half, RegionId>) -> Result<Examined, Error> {
    let regions: BTreeSet<RegionId> = halves.values().cloned().collect();
    let regions = Some(&regions).filter(|_| halves.len() > 1);
    let word = wanted.to_string();
    let focus = Focus::Words(&[&word]);
    let inquiry = Inquiry { regions, focus, aspects: Aspects::ALL, ..Inquiry::default() };
    let (seen, mut background) = inspect(cloud, inquiry).await;
    let of_id = seen.vpns.iter().find(|vpn| vpn.id.as_ref() == Some(wanted));
    // Where the marker was copied, its carrier is reported as unclear, not as gone.
    let Some(vpn) = of_id.or_else(|| seen.vpns.iter().find(|vpn| vpn.carries(wanted))) else {
        let gone = || Error::new(ErrorKind::NotFound, format!("VPN {wanted} has no connection any more"));
        return Err(seen.unread.first().map_or_else(gone, |(_, error)| error.clone()));
    };
    background.complete(cloud, [vpn], Aspects::ALL).await;
    Ok(Examined { vpn: vpn.clone(), diagnosis: seen.diagnosis(vpn, &background) })
}

impl Inspection {
    /// Runs every check on a VPN, with what was read beyond the lists.
    pub fn diagnosis(&self, vpn: &Vpn, background: &Background) -> Diagnosis {
        self.diagnose(vpn, &background.keys_of(vpn), background.exposures())
    }
}
