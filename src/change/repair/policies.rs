//! The policies of a half that is made for another.

use super::end::NewEnd;
use crate::change::DpdValues;
use crate::change::proposal::Refused;
use crate::cloud::Survey;
use crate::inspect::{Agreement, Inspection, Vpn};
use crate::plan::Profiles;
use crate::plan::fields::PolicyField;
use crate::plan::policy::Policy;

/// The policies of both halves.
pub(super) struct Policies {
    pub policy: Policy,
    /// Whether the half that exists has others, because its own cannot be stored where the missing one belongs.
    pub are_new: bool,
    pub sentences: Vec<String>,
    /// That of the profile modern.
    pub dpd: DpdValues,
}

impl Policies {
    pub fn of(seen: &Inspection, vpn: &Vpn, end: &NewEnd<'_>, profiles: &Profiles) -> Result<Self, Refused> {
        let dpd = DpdValues::from(&profiles.modern.dpd);
        let mut policy = profiles.modern.clone();
        for field in PolicyField::of_policies() {
            let stored = vpn.a.stored(field).unwrap_or_default();
            field.set(&mut policy, &stored).map_err(|problem| {
                let (kind, name) = field.label();
                Refused::because(format!("{kind} {name} of the half in {}: {problem}", vpn.a.region))
            })?;
        }
        let is_stored = |policy: &Policy, region: &Survey| {
            PolicyField::of_policies().all(|field| field.is_stored_by(&field.get(policy), &region.inventory.extensions))
        };
        if is_stored(&policy, end.survey) {
            return Ok(Self { policy, are_new: false, sentences: Vec::new(), dpd });
        }
        let agreement = Agreement::between(vpn, &seen.surveys).at_least(&profiles.modern);
        let policy = agreement.policy(&profiles.modern);
        let regions = [Some(end.survey), seen.surveys.get(&vpn.a.region)];
        if !regions.into_iter().flatten().all(|region| is_stored(&policy, region)) {
            return Err(Refused::because(format!("{} does not store the policies of {}", end.region, vpn.a.region)));
        }
        Ok(Self { sentences: agreement.sentences(vpn, &profiles.modern), policy, are_new: true, dpd })
    }
}
