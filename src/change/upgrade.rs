//! Bringing VPNs to today's standard, including those not created by osvpn: services without a subnet, endpoint groups, sound
//! policies, a key that is a secret.
//!
//! What can be made beside the old is made first: policies and groups, then services, then connections, each of them for
//! both halves at once. Only then the old connections and services go, so that at every moment a connection has the key,
//! and the change can be rolled back until then. The tunnels run on meanwhile: strongSwan keeps its SAs when it reads its
//! configuration again. They are interrupted once, when the services are switched off and on at the same time.

mod differences;
mod lags;
mod moves;
mod notes;

use super::Verb;
use super::impact::Impact;
use super::proposal::{Proposal, Refused, begin, one_half};
use super::rotate_psk::{Sas, new_key};
use super::subnets::NewSubnets;
use crate::inspect::{Inspection, Keys, Side, Vpn};
use crate::plan::Profiles;
use crate::plan::policy::Policy;
use crate::plan::psk::KeyOrigin;
use differences::Differences;
pub use lags::{Lag, curable_lags, due_lags, lags};
use moves::Moves;

/// How long a tunnel that strongSwan runs carries nothing while its VPN is upgraded, in seconds: the 95th percentile of twenty
/// upgrades on 2026.1 was 6.6 s, their median 5.5 s, measured as `real_cloud::upgrade` does. To switch the services of both ends
/// off and on, and nothing else, takes as long.
pub const INTERRUPTION: u32 = 7;

const NEW_KEY: &str = "The VPN gets a new key, which osvpn does not print.";

/// What a VPN is to be brought to, besides the current model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub policies: TargetPolicies,
    /// A new key, and whose; none keeps the one there is.
    pub key: Option<KeyOrigin>,
    /// Other subnets at the same time.
    pub subnets: Option<NewSubnets>,
}

/// Which policies it is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPolicies {
    /// In no field weaker than these, nor than either half. Those of a VPN with an external peer stay as they are.
    AtLeast(Policy),
    /// These. The owner of an external peer has to set the same.
    Exactly(Policy),
    /// These, with their MTU, initiator and dead peer detection.
    Whole(Policy),
}

impl Target {
    /// The profile modern, and a new key where both halves are here and the one there is no secret, or breaks the rule.
    #[must_use]
    pub fn modern(profiles: &Profiles, vpn: &Vpn, keys: &Keys) -> Self {
        let key = (vpn.b().is_some() && keys.call_for_another()).then_some(KeyOrigin::Generated);
        Self { policies: TargetPolicies::AtLeast(profiles.modern.clone()), key, subnets: None }
    }
}

/// The change that brings a VPN to its target; nothing to do if it is there. What else is on a legacy service moves with it,
/// with its policies and its key.
///
/// # Errors
/// Every reason against it: a half that is missing or switched off, what cannot be seen, a policy that a region does not
/// store, subnets as [`set_subnets`](super::set_subnets) refuses them, a key as [`rotate_key`](super::rotate_key) refuses it.
pub fn upgrade(seen: &Inspection, vpn: &Vpn, target: &Target) -> Result<Proposal, Refused> {
    if vpn.is_missing_a_half() {
        return Err(Refused::because(one_half(vpn)));
    }
    let wanted = Differences::of(seen, vpn, target)?;
    if wanted.is_key_alone(vpn) {
        return match target.key {
            Some(key) => {
                let proposal = new_key(seen, vpn, key, Sas::Renew)?;
                let impact = Impact::of(seen, vpn, &proposal.change, vec![NEW_KEY.to_owned()]);
                Ok(Proposal { impact: Some(impact), ..proposal })
            }
            None => Ok(Proposal::nothing(begin(Verb::Upgrade, vpn), up_to_date(vpn))),
        };
    }
    let plan = Moves::of(seen, vpn, &wanted)?;
    let change = plan.change(&wanted);
    let impact = Impact::of(seen, vpn, &change, plan.differences(&wanted));
    Ok(Proposal { impact: Some(impact), ..Proposal::new(change, plan.notes(&wanted)) })
}

fn is_legacy(side: &Side) -> bool {
    side.is_legacy() || side.service.as_ref().is_some_and(|service| service.legacy_subnet.is_some())
}

fn up_to_date(vpn: &Vpn) -> String {
    match vpn.b() {
        Some(_) => format!("{} is up to date.", vpn.name),
        None => format!(
            "{} uses endpoint groups already; policies and key stay, unless --profile or --psk-file say otherwise, because \
             its external peer ({}) has to have the same.",
            vpn.name, vpn.a.connection.peer_address
        ),
    }
}
