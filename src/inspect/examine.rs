//! Everything about one VPN, in two round trips.

use super::diagnosis::{Diagnosis, Exposures, exposures};
use super::{Inspection, Keys, Vpn, inspect};
use crate::cloud::{Cloud, Error, ErrorKind};
use crate::plan::VpnId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    pub vpn: Vpn,
    pub diagnosis: Diagnosis,
}

/// Reads all regions and diagnoses that VPN.
/// Errors: if none of its connections is found: a region could not be read, or they are gone.
pub async fn examine(cloud: &Cloud, wanted: &VpnId) -> Result<Examined, Error> {
    let seen = inspect(cloud).await;
    let of_id = seen.vpns.iter().find(|vpn| vpn.id.as_ref() == Some(wanted));
    // Where the marker was copied, its carrier is reported as unclear, not as gone.
    let Some(vpn) = of_id.or_else(|| seen.vpns.iter().find(|vpn| vpn.carries(wanted))) else {
        let gone = || Error::new(ErrorKind::NotFound, format!("VPN {wanted} has no connection any more"));
        return Err(seen.unread.first().map_or_else(gone, |(_, error)| error.clone()));
    };
    let exposures = exposures(cloud, vpn).await;
    Ok(Examined { vpn: vpn.clone(), diagnosis: seen.diagnosis(cloud, vpn, &exposures).await })
}

impl Inspection {
    /// Compares the keys of a VPN that was read, and diagnoses it.
    pub async fn diagnosis(&self, cloud: &Cloud, vpn: &Vpn, exposures: &Exposures) -> Diagnosis {
        let keys = Keys::read(cloud, vpn).await;
        self.diagnose(vpn, &keys, exposures)
    }
}
