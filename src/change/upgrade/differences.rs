//! What an upgrade makes different, checked.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{Target, TargetPolicies, is_legacy};
use crate::change::proposal::Refused;
use crate::change::rotate_psk::{Sas, rotate_key};
use crate::change::subnets::{Carried, carried};
use crate::cloud::{Id, Kind};
use crate::inspect::{Agreement, Inspection, Side, Vpn, in_order};
use crate::plan::fields::PolicyField;
use crate::plan::policy::{IkeVersion, Policy};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Place, PolicyScope};

/// In what the upgraded VPN differs, checked.
pub(super) struct Differences {
    /// The policies, and the halves that have others.
    pub policies: Option<(Policy, BTreeSet<Half>)>,
    /// MTU, initiator and dead peer detection, and the halves that have others.
    settings: Option<(Policy, BTreeSet<Half>)>,
    pub key: Option<KeyOrigin>,
    pub carried: Option<Carried>,
    /// What changes in the policies, a sentence each.
    pub sentences: Vec<String>,
}

impl Differences {
    pub fn of(seen: &Inspection, vpn: &Vpn, target: &Target) -> Result<Self, Refused> {
        let (policy, without, mut sentences) = match &target.policies {
            TargetPolicies::AtLeast(_) if vpn.b().is_none() => (None, BTreeSet::new(), Vec::new()),
            TargetPolicies::AtLeast(least) => {
                let agreement = Agreement::between(vpn, &seen.surveys).at_least(least);
                let without: BTreeSet<Half> =
                    vpn.sides().map(|(half, _)| half).filter(|half| !agreement.is_had_by(*half)).collect();
                let sentences = if without.is_empty() { Vec::new() } else { agreement.sentences(vpn, least) };
                (Some(agreement.policy(least)), without, sentences)
            }
            TargetPolicies::Exactly(policy) | TargetPolicies::Whole(policy) => {
                let told = weaker(vpn, policy).into_iter().chain(told(vpn, policy, fields_of_policies));
                (Some(policy.clone()), halves_with_others(vpn, policy, fields_of_policies), told.collect())
            }
        };
        let settings = match &target.policies {
            TargetPolicies::Whole(policy) => {
                Some((policy.clone(), halves_with_others(vpn, policy, fields_of_connections)))
            }
            TargetPolicies::AtLeast(_) | TargetPolicies::Exactly(_) => None,
        };
        let settings = settings.filter(|(_, without)| !without.is_empty());
        sentences.extend(settings.iter().flat_map(|(policy, _)| told(vpn, policy, fields_of_connections)));
        if let Some(policy) = policy.as_ref().filter(|_| !without.is_empty() || settings.is_some()) {
            let fields = if settings.is_some() { every_field } else { fields_of_policies };
            fits(seen, vpn, policy, fields)?;
        }
        let ike = policy.as_ref().map(|policy| policy.ike.ike_version);
        let carried = target.subnets.as_ref().map(|wanted| carried(seen, vpn, wanted, ike)).transpose()?;
        if target.key == Some(KeyOrigin::Generated) && vpn.b().is_none() {
            rotate_key(seen, vpn, KeyOrigin::Generated, Sas::Renew)?;
        }
        let policies = policy.filter(|_| !without.is_empty()).map(|policy| (policy, without));
        Ok(Self { policies, settings, key: target.key, carried, sentences })
    }

    pub fn has_other_policies(&self, half: Half) -> bool {
        self.policies.as_ref().is_some_and(|(_, without)| without.contains(&half))
    }

    /// The MTU, initiator and dead peer detection that a half is to have instead of its own.
    pub fn settings(&self, half: Half) -> Option<&Policy> {
        self.settings.as_ref().filter(|(_, without)| without.contains(&half)).map(|(policy, _)| policy)
    }

    /// Whether a half's connection has to be recreated, whatever becomes of its key.
    pub fn recreates(&self, half: Half, side: &Side) -> bool {
        is_legacy(side)
            || self.has_other_policies(half)
            || self.settings(half).is_some()
            || self.ranges(half, side).is_some()
    }

    /// The subnets and ranges a half is to have instead of its own.
    pub fn ranges(&self, half: Half, side: &Side) -> Option<(Vec<Id>, Vec<IpNet>)> {
        let carried = self.carried.as_ref()?;
        let (subnets, remote) = (&carried.local.get(&half)?.0, carried.remote(half));
        let is_other = *subnets != side.subnets || in_order(remote.iter().copied()) != side.remote;
        is_other.then(|| (subnets.clone(), remote))
    }

    /// Whether nothing has to be recreated, unless it is for the key.
    pub fn is_key_alone(&self, vpn: &Vpn) -> bool {
        !vpn.sides().any(|(half, side)| self.recreates(half, side))
    }
}

const fn every_field(_: PolicyField) -> bool {
    true
}

fn fields_of_policies(field: PolicyField) -> bool {
    field.kind() != Kind::SiteConnection
}

fn fields_of_connections(field: PolicyField) -> bool {
    field.kind() == Kind::SiteConnection
}

/// Some of the fields.
type Fields = fn(PolicyField) -> bool;

/// The halves that have another value in one of these fields.
fn halves_with_others(vpn: &Vpn, policy: &Policy, fields: Fields) -> BTreeSet<Half> {
    let differs = |side: &Side| differences(side, policy, fields).next().is_some();
    vpn.sides().filter(|(_, side)| differs(side)).map(|(half, _)| half).collect()
}

/// The fields in which a half has another value than a policy.
fn differences<'a>(
    side: &'a Side,
    policy: &'a Policy,
    fields: Fields,
) -> impl Iterator<Item = (PolicyField, String)> + use<'a> {
    let is_idle = |field: PolicyField| field == PolicyField::Phase1Mode && policy.ike.ike_version == IkeVersion::V2;
    let fields = PolicyField::ALL.iter().copied().filter(move |field| fields(*field) && !is_idle(*field));
    fields
        .map(|field| (field, side.stored(field).unwrap_or_default()))
        .filter(|(field, word)| *word != field.get(policy))
}

/// What is weaker than a half has it now.
fn weaker(vpn: &Vpn, policy: &Policy) -> Option<String> {
    let is_weak = |field: PolicyField, word: &str| match field {
        PolicyField::IkeVersion => word == IkeVersion::V1.as_str(),
        _ => field.is_weak(word),
    };
    let weaker = PolicyField::of_policies().filter(|field| {
        let is_better = |(_, side): (_, &Side)| side.stored(*field).is_some_and(|word| !is_weak(*field, &word));
        is_weak(*field, &field.get(policy)) && vpn.sides().any(is_better)
    });
    let words: Vec<String> =
        weaker.map(|field| format!("{} {} {}", field.label().0, field.label().1, field.get(policy))).collect();
    (!words.is_empty()).then(|| format!("This makes the VPN weaker: {}.", words.join(", ")))
}

/// What changes in which half, a sentence each field.
fn told(vpn: &Vpn, policy: &Policy, fields: Fields) -> Vec<String> {
    let mut told: Vec<(PolicyField, Vec<String>)> = Vec::new();
    for (half, side) in vpn.sides() {
        for (field, word) in differences(side, policy, fields) {
            let had = format!("{} in {}", if word.is_empty() { "unknown" } else { &word }, vpn.place(half));
            match told.iter_mut().find(|(known, _)| *known == field) {
                Some((_, places)) => places.push(had),
                None => told.push((field, vec![had])),
            }
        }
    }
    let sentence = |(field, places): (PolicyField, Vec<String>)| {
        let (object, name) = field.label();
        format!("{object} {name} {} ({})", field.get(policy), places.join(", "))
    };
    told.into_iter().map(sentence).collect()
}

/// Whether a policy can be: what is kept of the connections is left aside.
fn fits(seen: &Inspection, vpn: &Vpn, policy: &Policy, fields: Fields) -> Result<(), Refused> {
    let extensions = |side: &'_ Side| seen.surveys.get(&side.region).map(|survey| &survey.inventory.extensions);
    let sides = || vpn.sides().map(|(_, side)| side);
    let scope = PolicyScope {
        regions: sides().filter_map(|side| Some((&side.region, extensions(side)?))).collect(),
        ranges: sides()
            .map(|side| (side.subnets.len(), side.remote.len()))
            .fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1))),
        has_external_peer: vpn.b().is_none(),
        ..PolicyScope::default()
    };
    let is_about_them = |place: &Place| matches!(place, Place::Policy(Some(field)) if fields(*field));
    let refusals = policy.findings(&scope).into_iter().filter(|one| one.is_refusal() && is_about_them(&one.place));
    let problems: Vec<String> = refusals.map(|finding| finding.to_string()).collect();
    if problems.is_empty() { Ok(()) } else { Err(Refused(problems)) }
}
