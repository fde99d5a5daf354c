//! A plan whose VPN is there already, exactly so: applying it again has nothing to do.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use crate::cloud::{Cloud, RegionId};
use crate::inspect::{Aspects, Focus, Inquiry, Vpn, inspect};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Far, PlanDraft};
use crate::report::{ExistingReport, Health};

/// The VPN of a draft that the checks refuse, if it is that which is in the way.
pub(super) async fn existing(draft: &PlanDraft, key: KeyOrigin, cloud: &Cloud) -> Option<ExistingReport> {
    let far = match &draft.far {
        Far::Half(side) => Some(&side.region),
        Far::Peer(_) => None,
    };
    let regions: BTreeSet<RegionId> = std::iter::once(&draft.a.region).chain(far).cloned().collect();
    let words = [draft.name.as_str()];
    let inquiry =
        Inquiry { regions: Some(&regions), focus: Focus::Words(&words), aspects: Aspects::KEYS, ..Inquiry::default() };
    let (inspection, mut background) = inspect(cloud, inquiry).await;
    let vpn = inspection.existing(draft)?;
    if key == KeyOrigin::Given && !has_key(vpn, draft, cloud).await {
        return None;
    }
    background.complete(cloud, [vpn], Aspects::KEYS).await;
    Some(ExistingReport::new(Health::new(vpn, &inspection.diagnosis(vpn, &background))))
}

async fn has_key(vpn: &Vpn, draft: &PlanDraft, cloud: &Cloud) -> bool {
    for (_, side) in vpn.sides() {
        let Ok(region) = cloud.region(&side.region) else { return false };
        let Ok(key) = region.connection_psk(&side.connection.id).await else { return false };
        if key.expose_secret() != draft.psk.secret().expose_secret() {
            return false;
        }
    }
    true
}
