//! Bringing VPNs to today's standard, including those not created by osvpn: services without a subnet, endpoint groups, sound
//! policies, a key that is a secret.
//!
//! What can be made beside the old is made first: policies and groups, then services, then connections, each of them for
//! both halves at once. Only then the old connections and services go, so that at every moment a connection has the key,
//! and the change can be rolled back until then. The tunnels run on meanwhile: strongSwan keeps its SAs when it reads its
//! configuration again. They are interrupted once, when the services are switched off and on at the same time.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::impact::Impact;
use super::proposal::{Proposal, Refused, begin, former, object, one_half};
use super::rotate_psk::{Sas, rotate_key};
use super::sharers::{can_share, connections, is_same, sharers};
use super::subnets::{Carried, NewSubnets, carried};
use super::{Change, Create, HalfObject, KnownBy, New, NewGroups, PeerEnd, Ref, Replacement, Restarted, Verb};
use crate::cloud::vpnaas::leading_word;
use crate::cloud::{Id, Kind, Router, VpnService};
use crate::inspect::{Agreement, Inspection, Keys, Side, Vpn, Weakness, in_order, outside};
use crate::plan::fields::PolicyField;
use crate::plan::policy::{IkeVersion, Policy};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Outer, Place, PolicyScope, Profiles, VpnId, VpnName};

/// How long a tunnel that strongSwan runs carries nothing while its VPN is upgraded, in seconds: the 95th percentile of twenty
/// upgrades on 2026.1 was 6.6 s, their median 5.5 s, measured as `real_cloud::upgrade` does. To switch the services of both ends
/// off and on, and nothing else, takes as long.
pub const INTERRUPTION: u32 = 7;

const NEW_KEY: &str = "The VPN gets a new key, which is shown nowhere.";

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
}

impl Target {
    /// The profile modern, and a new key where both halves are here and the one there is no secret, or breaks the rule.
    #[must_use]
    pub fn modern(profiles: &Profiles, vpn: &Vpn, keys: &Keys) -> Self {
        let key = (vpn.b().is_some() && keys.call_for_another()).then_some(KeyOrigin::Generated);
        Self { policies: TargetPolicies::AtLeast(profiles.modern.clone()), key, subnets: None }
    }
}

/// In what a VPN is behind today's standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lag {
    /// A half is tied to one subnet, without endpoint groups.
    Legacy,
    /// `IKEv1`, which carries one pair of subnets only.
    IkeV1,
    /// Words of its policies that nobody should choose any more.
    Weak(Vec<String>),
    /// Its key.
    Key(Weakness),
}

impl Lag {
    /// In a word or two, for a list.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Legacy => "legacy".to_owned(),
            Self::Key(Weakness::Public) => "public key".to_owned(),
            Self::Key(_) => "weak key".to_owned(),
            lag => lag.to_string(),
        }
    }
}

impl std::fmt::Display for Lag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Legacy => f.write_str("of the old kind, tied to one subnet"),
            Self::IkeV1 => f.write_str("IKEv1"),
            Self::Weak(words) => f.write_str(&words.join(", ")),
            Self::Key(weakness) => weakness.fmt(f),
        }
    }
}

/// In what it is behind, as far as that can be seen; nothing if it is up to date. `IKEv1` with SHA-1 alone is no lag where this
/// program made the VPN: the user chose the guide's policy on the review, and `forecast` tells what OpenStack 2026.2 does to it.
#[must_use]
pub fn lags(vpn: &Vpn, keys: &Keys) -> Vec<Lag> {
    let lags = differences_from_today(vpn, keys);
    let is_of_guide = |lag: &Lag| match lag {
        Lag::IkeV1 => true,
        Lag::Weak(words) => words.iter().all(|word| word == "sha1"),
        Lag::Legacy | Lag::Key(_) => false,
    };
    if vpn.id.is_some() && lags.iter().all(is_of_guide) { Vec::new() } else { lags }
}

fn differences_from_today(vpn: &Vpn, keys: &Keys) -> Vec<Lag> {
    let mut lags = Vec::new();
    if vpn.sides().any(|(_, side)| is_legacy(side)) {
        lags.push(Lag::Legacy);
    }
    if vpn.sides().any(|(_, side)| side.ike_version() == Some(IkeVersion::V1)) {
        lags.push(Lag::IkeV1);
    }
    let stored = vpn.sides().flat_map(|(_, side)| {
        PolicyField::of_policies().filter_map(|field| side.stored(field).filter(|word| field.is_weak(word)))
    });
    let weak: Vec<String> = stored.unique().collect();
    if !weak.is_empty() {
        lags.push(Lag::Weak(weak));
    }
    if let Keys::Read { weakness: Some(weakness), .. } = keys {
        lags.push(Lag::Key(*weakness));
    }
    lags
}

/// In what a VPN is behind, as far as an upgrade helps without anybody else. Policies and key of one with an external peer
/// are its owner's too.
#[must_use]
pub fn curable_lags(vpn: &Vpn, keys: &Keys) -> Vec<Lag> {
    let mut lags = if vpn.is_missing_a_half() { Vec::new() } else { lags(vpn, keys) };
    lags.retain(|lag| vpn.b().is_some() || *lag == Lag::Legacy);
    lags
}

fn is_legacy(side: &Side) -> bool {
    side.is_legacy() || side.service.as_ref().is_some_and(|service| service.legacy_subnet.is_some())
}

/// The change that brings a VPN to its target; nothing to do if it is there. What else is on a legacy service moves with it,
/// with its policies and its key.
///
/// # Errors
/// Every reason against it: a half that is missing or switched off, what cannot be seen, a policy that a region does not
/// store, subnets as [`set_subnets`](super::set_subnets) refuses them, a key as [`rotate_key`] refuses it.
pub fn upgrade(seen: &Inspection, vpn: &Vpn, target: &Target) -> Result<Proposal, Refused> {
    if vpn.is_missing_a_half() {
        return Err(Refused::because(one_half(vpn)));
    }
    let wanted = Differences::of(seen, vpn, target)?;
    if wanted.is_key_alone(vpn) {
        return match target.key {
            Some(key) => {
                let proposal = rotate_key(seen, vpn, key, Sas::Renew)?;
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

/// What is to be different, checked.
struct Differences {
    /// The policies, and the halves that have others.
    policies: Option<(Policy, BTreeSet<Half>)>,
    key: Option<KeyOrigin>,
    carried: Option<Carried>,
    /// What changes in the policies, a sentence each.
    sentences: Vec<String>,
}

impl Differences {
    fn of(seen: &Inspection, vpn: &Vpn, target: &Target) -> Result<Self, Refused> {
        let (policy, without, sentences) = match &target.policies {
            TargetPolicies::AtLeast(_) if vpn.b().is_none() => (None, BTreeSet::new(), Vec::new()),
            TargetPolicies::AtLeast(least) => {
                let agreement = Agreement::between(vpn, &seen.surveys).at_least(least);
                let without: BTreeSet<Half> =
                    vpn.sides().map(|(half, _)| half).filter(|half| !agreement.is_had_by(*half)).collect();
                let sentences = if without.is_empty() { Vec::new() } else { agreement.sentences(vpn, least) };
                (Some(agreement.policy(least)), without, sentences)
            }
            TargetPolicies::Exactly(policy) => {
                let differing = |side: &Side| differences(side, policy).next().is_some();
                let without = vpn.sides().filter(|(_, side)| differing(side)).map(|(half, _)| half).collect();
                (Some(policy.clone()), without, told(vpn, policy))
            }
        };
        if let Some(policy) = policy.as_ref().filter(|_| !without.is_empty()) {
            fits(seen, vpn, policy)?;
        }
        let ike = policy.as_ref().map(|policy| policy.ike.ike_version);
        let carried = target.subnets.as_ref().map(|wanted| carried(seen, vpn, wanted, ike)).transpose()?;
        if target.key == Some(KeyOrigin::Generated) && vpn.b().is_none() {
            rotate_key(seen, vpn, KeyOrigin::Generated, Sas::Renew)?;
        }
        let policies = policy.filter(|_| !without.is_empty()).map(|policy| (policy, without));
        Ok(Self { policies, key: target.key, carried, sentences })
    }

    fn has_other_policies(&self, half: Half) -> bool {
        self.policies.as_ref().is_some_and(|(_, without)| without.contains(&half))
    }

    /// The subnets and ranges a half is to have instead of its own.
    fn ranges(&self, half: Half, side: &Side) -> Option<(Vec<Id>, Vec<IpNet>)> {
        let carried = self.carried.as_ref()?;
        let (subnets, remote) = (&carried.local.get(&half)?.0, carried.remote(half));
        let is_other = *subnets != side.subnets || in_order(remote.iter().copied()) != side.remote;
        is_other.then(|| (subnets.clone(), remote))
    }

    /// Whether nothing has to be recreated, unless it is for the key.
    fn is_key_alone(&self, vpn: &Vpn) -> bool {
        let must = |(half, side): (Half, &Side)| {
            is_legacy(side) || self.has_other_policies(half) || self.ranges(half, side).is_some()
        };
        !vpn.sides().any(must)
    }
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

/// The fields in which a half has another value than a policy.
fn differences<'a>(side: &'a Side, policy: &'a Policy) -> impl Iterator<Item = (PolicyField, String)> + use<'a> {
    let is_idle = |field: PolicyField| field == PolicyField::Phase1Mode && policy.ike.ike_version == IkeVersion::V2;
    let fields = PolicyField::of_policies().filter(move |field| !is_idle(*field));
    fields
        .map(|field| (field, side.stored(field).unwrap_or_default()))
        .filter(|(field, word)| *word != field.get(policy))
}

/// What changes in which half, a sentence each field.
fn told(vpn: &Vpn, policy: &Policy) -> Vec<String> {
    let mut told: Vec<(PolicyField, Vec<String>)> = Vec::new();
    for (half, side) in vpn.sides() {
        for (field, word) in differences(side, policy) {
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
fn fits(seen: &Inspection, vpn: &Vpn, policy: &Policy) -> Result<(), Refused> {
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
    let is_about_policies = |place: &Place| matches!(place, Place::Policy(Some(field)) if PolicyField::of_policies().any(|known| known == *field));
    let refusals = policy.findings(&scope).into_iter().filter(|one| one.is_refusal() && is_about_policies(&one.place));
    let problems: Vec<String> = refusals.map(|finding| finding.to_string()).collect();
    if problems.is_empty() { Ok(()) } else { Err(Refused(problems)) }
}

/// A legacy service, for which another one is made.
struct MovedService<'a> {
    side: &'a Side,
    service: &'a VpnService,
    router: &'a Router,
    /// Whether its address may be another one.
    may_change_address: bool,
}

/// A connection that is replaced.
struct MovedConnection<'a> {
    vpn: &'a Vpn,
    half: Half,
    side: &'a Side,
    has_new_key: bool,
}

/// Everything that is replaced for an upgrade.
struct Moves<'a> {
    seen: &'a Inspection,
    vpn: &'a Vpn,
    services: Vec<MovedService<'a>>,
    connections: Vec<MovedConnection<'a>>,
    id: VpnId,
    name: VpnName,
}

impl<'a> Moves<'a> {
    fn of(seen: &'a Inspection, vpn: &'a Vpn, wanted: &Differences) -> Result<Self, Refused> {
        let id = vpn.id.clone().unwrap_or_else(VpnId::random);
        let name = VpnName::parse(&vpn.name).unwrap_or_else(|_| VpnName::from(&id));
        let mut moves = Self { seen, vpn, services: Vec::new(), connections: Vec::new(), id, name };
        moves.find_services()?;
        let has_key = wanted.key.is_some();
        for (half, side) in vpn.sides() {
            // A marker on one half alone would make it a VPN of no id.
            let must = vpn.id.is_none() || has_key || wanted.has_other_policies(half);
            if must || is_legacy(side) || wanted.ranges(half, side).is_some() {
                moves.connections.push(MovedConnection { vpn, half, side, has_new_key: has_key });
            }
        }
        if has_key {
            let all = sharers(seen, vpn);
            can_share(seen, vpn, &all)?;
            for other in all.into_iter().filter(|other| !is_same(vpn, other)) {
                other.sides().for_each(|(half, side)| moves.add(other, half, side, true));
            }
        }
        moves.find_companions();
        moves.are_companions_changeable()?;
        Ok(moves)
    }

    /// What is done to a companion is done to both its halves, so both have to be known.
    fn are_companions_changeable(&self) -> Result<(), Refused> {
        let others = self.connections.iter().filter(|moved| !self.is_own(moved)).map(|moved| moved.vpn);
        let reasons: Vec<String> = others
            .unique_by(|other| &other.a.connection.id)
            .filter_map(|other| {
                let why = self.seen.changeable(other).err()?;
                Some(format!("{} ({}) would move with {}. {why}", other.name, connections(other), self.vpn.name))
            })
            .collect();
        if reasons.is_empty() { Ok(()) } else { Err(Refused(reasons)) }
    }

    fn find_services(&mut self) -> Result<(), Refused> {
        for (half, side) in self.vpn.sides().filter(|(_, side)| is_legacy(side)) {
            let place = self.vpn.place(half);
            let (Some(service), Some(router), Some(survey)) =
                (&side.service, &side.router, self.seen.surveys.get(&side.region))
            else {
                return Err(Refused::because(format!("service or router in {place} cannot be seen")));
            };
            if !service.admin_state_up {
                let text = format!("the VPN service {} in {place} is switched off; switch it on first", service.name);
                return Err(Refused::because(text));
            }
            let beside: Vec<&VpnService> =
                survey.inventory.services_on(&router.id).filter(|other| other.id != service.id).collect();
            if let Some(other) = beside.first() {
                let text = format!(
                    "router {} in {place} holds another VPN service, {} ({}); fix that first: {}",
                    router.name,
                    other.name,
                    other.id,
                    self.vpn.command("doctor")
                );
                return Err(Refused::because(text));
            }
            let is_kept = outside(router).any(|address| Some(address) == side.address());
            let may_change_address = survey.inventory.extensions.is_ovn() || !is_kept;
            self.services.push(MovedService { side, service, router, may_change_address });
        }
        Ok(())
    }

    /// What else is on the services that are replaced, and what goes to an address that may be another one.
    fn find_companions(&mut self) {
        let all = || self.seen.vpns.iter().flat_map(|vpn| vpn.sides().map(move |(half, side)| (vpn, half, side)));
        let on_them: Vec<_> = all().filter(|(.., side)| self.service_of(side).is_some()).collect();
        for (vpn, half, side) in on_them {
            self.add(vpn, half, side, false);
            let follows = self.service_of(side).is_some_and(|at| self.services[at].may_change_address);
            if let Some(other) = vpn.side(half.other()).filter(|_| follows) {
                self.add(vpn, half.other(), other, false);
            }
        }
    }

    fn add(&mut self, vpn: &'a Vpn, half: Half, side: &'a Side, has_new_key: bool) {
        if !self.connections.iter().any(|known| known.side.connection.id == side.connection.id) {
            self.connections.push(MovedConnection { vpn, half, side, has_new_key });
        }
    }

    /// Which of the services a half's connection is on.
    fn service_of(&self, side: &Side) -> Option<usize> {
        self.services
            .iter()
            .position(|moved| moved.side.region == side.region && moved.service.id == side.connection.service)
    }

    fn is_own(&self, moved: &MovedConnection<'_>) -> bool {
        is_same(self.vpn, moved.vpn)
    }

    fn change(&self, wanted: &Differences) -> Change {
        let mut change = begin(Verb::Upgrade, self.vpn);
        change.new_id = self.vpn.id.is_none().then(|| self.id.clone());
        let replacements = change.at_once(|change| self.parts(change, wanted));
        let services: Vec<Ref> = change.at_once(|change| {
            let made = self.services.iter().map(|moved| {
                let half = self.vpn.sides().find(|(_, side)| side.connection.id == moved.side.connection.id);
                let half = half.map_or(Half::A, |(half, _)| half);
                let new = New::Service(moved.router.id.clone());
                change.create(self.own(half, moved.side, HalfObject::Service, new))
            });
            made.collect()
        });
        change.at_once(|change| {
            for (moved, mut replacement) in self.connections.iter().zip(replacements) {
                replacement.service = self.service_of(moved.side).map(|at| services[at].clone());
                replacement.peer = self.peer_of(moved, &services);
                replacement.key = wanted.key.filter(|_| moved.has_new_key);
                change.create(self.connection(moved, replacement));
            }
        });
        self.clear(&mut change, wanted, &services);
        change
    }

    /// Policies and endpoint groups, and what each connection has of them.
    fn parts(&self, change: &mut Change, wanted: &Differences) -> Vec<Replacement> {
        let parts = self.connections.iter().map(|moved| {
            let (half, side) = (moved.half, moved.side);
            let mut replacement = Replacement::of(&side.connection);
            replacement.is_renamed = self.is_own(moved);
            if let Some((policy, _)) =
                wanted.policies.as_ref().filter(|(_, without)| self.is_own(moved) && without.contains(&half))
            {
                let (ike, ipsec) = (New::IkePolicy(policy.ike.clone()), New::IpsecPolicy(policy.ipsec.clone()));
                replacement.ike_policy = change.create(self.own(half, side, HalfObject::IkePolicy, ike));
                replacement.ipsec_policy = change.create(self.own(half, side, HalfObject::IpsecPolicy, ipsec));
            }
            if let Some((subnets, remote)) = self.ranges(moved, wanted) {
                let mut group = |object, new| {
                    let create =
                        if self.is_own(moved) { self.own(half, side, object, new) } else { other(moved, object, new) };
                    change.create(create)
                };
                let local = group(HalfObject::LocalGroup, New::LocalGroup(subnets));
                let peer = group(HalfObject::PeerGroup, New::PeerGroup(remote));
                replacement.groups = Some(NewGroups { local, peer });
            }
            replacement
        });
        parts.collect()
    }

    /// What the endpoint groups of a connection are to hold, if it gets new ones.
    fn ranges(&self, moved: &MovedConnection<'_>, wanted: &Differences) -> Option<(Vec<Id>, Vec<IpNet>)> {
        let other = if self.is_own(moved) { wanted.ranges(moved.half, moved.side) } else { None };
        let same = || (moved.side.subnets.clone(), moved.side.remote.clone());
        other.or_else(|| self.service_of(moved.side).map(|_| same()))
    }

    /// Where a connection goes to from now on, if that may be another address.
    fn peer_of(&self, moved: &MovedConnection<'_>, services: &[Ref]) -> Option<PeerEnd> {
        let across = moved.vpn.side(moved.half.other())?;
        let at = self.service_of(across).filter(|at| self.services[*at].may_change_address)?;
        let Ref::Made(step) = services[at] else { return None };
        let is_v6 = moved.side.connection.peer_address.parse().is_ok_and(|peer: IpAddr| peer.is_ipv6());
        Some(PeerEnd::Service(step, if is_v6 { Outer::V6 } else { Outer::V4 }))
    }

    /// An object of the VPN, as this program names and marks it.
    fn own(&self, half: Half, side: &Side, object: HalfObject, new: New) -> Create {
        Create {
            region: side.region.clone(),
            name: self.name.of(object.object()),
            description: self.id.mark(half),
            object: new,
            known_by: KnownBy::Word,
        }
    }

    fn connection(&self, moved: &MovedConnection<'_>, replacement: Replacement) -> Create {
        let new = New::Connection(Box::new(replacement));
        let said = &moved.side.connection.description;
        if !self.is_own(moved) {
            let (region, name, description) =
                (moved.side.region.clone(), moved.side.connection.name.clone(), said.clone());
            return Create { region, name, description, object: new, known_by: KnownBy::Word };
        }
        let create = self.own(moved.half, moved.side, HalfObject::Connection, new);
        let rest = if VpnId::of_description(said).is_some() { &said[leading_word(said).len()..] } else { said };
        // By that word the security-group rules made for it before are found.
        let former = (self.vpn.id.is_none() && moved.half == Half::A).then(|| former(self.vpn));
        let words = former.iter().map(String::as_str).chain([rest.trim()]).filter(|word| !word.is_empty());
        let description = std::iter::once(create.description.as_str()).chain(words).join(" ");
        Create { description, ..create }
    }

    /// Deletes what was replaced, and has the new run.
    fn clear(&self, change: &mut Change, wanted: &Differences, services: &[Ref]) {
        for MovedConnection { side, .. } in &self.connections {
            change.delete(Kind::SiteConnection, object(side, &side.connection.id, &side.connection.name));
        }
        for MovedService { side, service, .. } in &self.services {
            change.delete(Kind::VpnService, object(side, &service.id, &service.name));
        }
        change.at_once(|change| {
            for moved in self.connections.iter().unique_by(|moved| (&moved.side.region, &moved.side.connection.service))
            {
                let Some(service) = moved.side.service.as_ref().filter(|service| service.admin_state_up) else {
                    continue;
                };
                let (region, name) = (moved.side.region.clone(), service.name.clone());
                change.restart(match self.service_of(moved.side) {
                    Some(at) => Restarted {
                        region,
                        name: self.name.of(HalfObject::Service.object()),
                        service: services[at].clone(),
                    },
                    None => Restarted { region, name, service: Ref::from(&service.id) },
                });
            }
        });
        let mut gone = BTreeSet::new();
        for moved in self.connections.iter().filter(|moved| self.is_own(moved)) {
            for (kind, id, name) in self.left(moved, wanted) {
                let is_free = self.seen.shared_with(self.vpn, &moved.side.region, &id).is_empty();
                if is_free && gone.insert((moved.side.region.clone(), id.clone())) {
                    change.delete(kind, object(moved.side, &id, &name));
                }
            }
        }
    }

    /// What a connection of the VPN leaves behind.
    fn left(&self, moved: &MovedConnection<'_>, wanted: &Differences) -> Vec<(Kind, Id, String)> {
        let side = moved.side;
        let mut left = Vec::new();
        if wanted.has_other_policies(moved.half) {
            let policies = [(Kind::IkePolicy, &side.ike), (Kind::IpsecPolicy, &side.ipsec)];
            let seen = policies.into_iter().filter_map(|(kind, policy)| Some((kind, policy.as_ref()?)));
            left.extend(seen.map(|(kind, policy)| (kind, policy.id.clone(), policy.name.clone())));
        }
        if self.ranges(moved, wanted).is_some() {
            let groups = self.seen.surveys.get(&side.region).map_or(&[][..], |survey| &survey.groups);
            let had = [&side.connection.local_group, &side.connection.peer_group];
            let had = groups.iter().filter(|group| had.iter().any(|id| id.as_ref() == Some(&group.id)));
            left.extend(had.map(|group| (Kind::EndpointGroup, group.id.clone(), group.name.clone())));
        }
        left
    }

    /// What is another one afterwards, a sentence each.
    fn differences(&self, wanted: &Differences) -> Vec<String> {
        let mut told = wanted.sentences.clone();
        if !self.services.is_empty() {
            let places = self.services.iter().map(|moved| moved.side.region.as_str()).join(" and ");
            told.push(format!("In {places} endpoint groups take the place of the one subnet, with a new VPN service."));
        }
        told.extend(wanted.carried.iter().map(|carried| carried.reach(self.vpn)));
        told.extend(wanted.key.is_some().then(|| NEW_KEY.to_owned()));
        told
    }

    fn notes(&self, wanted: &Differences) -> Vec<String> {
        let mut notes: Vec<String> =
            wanted.carried.iter().flat_map(|carried| carried.warnings.iter().cloned()).collect();
        notes.extend(self.about_companions(wanted));
        notes.extend(self.about_peer(wanted));
        notes.extend(self.about_addresses());
        notes.push("Connections are recreated with new ids.".to_owned());
        notes.push(
            "It can be rolled back until the first old connection is deleted; from then on it can only be finished."
                .to_owned(),
        );
        notes
    }

    fn about_companions(&self, wanted: &Differences) -> Vec<String> {
        let others =
            self.connections.iter().filter(|moved| !self.is_own(moved)).unique_by(|moved| &moved.vpn.a.connection.id);
        let told = others.map(|MovedConnection { vpn, has_new_key, .. }| {
            let name = format!("{} ({})", vpn.name, connections(vpn));
            match (vpn.b(), *has_new_key && wanted.key.is_some()) {
                (None, _) => format!(
                    "{name} is on the same VPN service and moves with it. Its policies and its key stay: the owner of its peer \
                     ({}) has nothing to change, and should know of the interruption.",
                    vpn.a.connection.peer_address
                ),
                (Some(_), true) => format!("{name} goes between the same two ends, so it gets the new key too."),
                (Some(_), false) => format!("{name} is on the same VPN service and moves with it. Its policies and its key stay."),
            }
        });
        told.collect()
    }

    /// What the owner of the VPN's own external peer has to know.
    fn about_peer(&self, wanted: &Differences) -> Option<String> {
        if self.vpn.b().is_some() {
            return None;
        }
        let peer = &self.vpn.a.connection.peer_address;
        let mut changes: Vec<&str> = Vec::new();
        changes.extend(wanted.policies.is_some().then_some("these policies"));
        changes.extend(wanted.key.is_some().then_some("the new key"));
        changes.extend(wanted.carried.is_some().then_some("these subnets, the other way round"));
        Some(if changes.is_empty() {
            format!("Policies and key stay: the owner of the external peer ({peer}) has nothing to change.")
        } else {
            format!("The owner of the external peer ({peer}) has to set at the same time: {}.", changes.join(", "))
        })
    }

    fn about_addresses(&self) -> Vec<String> {
        let moved = self.services.iter().filter(|moved| moved.may_change_address);
        let told = moved.map(|moved| {
            let now = moved.side.address().map_or_else(String::new, |address| format!(" ({address})"));
            let outside = self.connections.iter().filter(|one| one.vpn.b().is_none() && self.is_on(one.side, moved));
            let peers = outside.map(|one| one.side.connection.peer_address.as_str()).join(", ");
            let told = format!(
                "The cloud may give the new VPN service in {} another address than the present one{now}; the other half gets it.",
                moved.side.region
            );
            if peers.is_empty() { told } else { format!("{told} External peers have to be told: {peers}.") }
        });
        told.collect()
    }

    fn is_on(&self, side: &Side, moved: &MovedService<'_>) -> bool {
        self.service_of(side).is_some_and(|at| self.services[at].service.id == moved.service.id)
    }
}

/// An object of another VPN.
fn other(moved: &MovedConnection<'_>, object: HalfObject, new: New) -> Create {
    let MovedConnection { vpn, side, .. } = moved;
    let name = VpnName::parse(&vpn.name).map_or_else(|_| object.object().to_owned(), |name| name.of(object.object()));
    let description = side.mark.as_ref().map_or_else(String::new, |(id, half)| id.mark(*half));
    Create { region: side.region.clone(), name, description, object: new, known_by: KnownBy::Word }
}
