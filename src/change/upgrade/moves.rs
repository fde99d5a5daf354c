//! Everything that is replaced for an upgrade.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::differences::Differences;
use super::is_legacy;
use crate::change::proposal::{Refused, begin, former, object};
use crate::change::sharers::{can_share, connections, is_same, sharers};
use crate::change::{
    Change, Create, DpdValues, HalfObject, KnownBy, New, NewGroups, PeerEnd, Ref, Replacement, Restarted, Verb,
};
use crate::cloud::vpnaas::leading_word;
use crate::cloud::{Id, Kind, Router, VpnService};
use crate::inspect::{Inspection, Side, Vpn, outside};
use crate::plan::{Half, Outer, VpnId, VpnName};

/// A legacy service, for which another one is made.
pub(super) struct MovedService<'a> {
    pub side: &'a Side,
    pub service: &'a VpnService,
    router: &'a Router,
    /// Whether its address may be another one.
    pub may_change_address: bool,
}

/// A connection that is replaced.
pub(super) struct MovedConnection<'a> {
    pub vpn: &'a Vpn,
    pub half: Half,
    pub side: &'a Side,
    pub has_new_key: bool,
}

/// Everything that is replaced for an upgrade.
pub(super) struct Moves<'a> {
    pub seen: &'a Inspection,
    pub vpn: &'a Vpn,
    pub services: Vec<MovedService<'a>>,
    pub connections: Vec<MovedConnection<'a>>,
    id: VpnId,
    name: VpnName,
}

impl<'a> Moves<'a> {
    pub fn of(seen: &'a Inspection, vpn: &'a Vpn, wanted: &Differences) -> Result<Self, Refused> {
        let id = vpn.id.clone().unwrap_or_else(VpnId::random);
        let name = VpnName::parse(&vpn.name).unwrap_or_else(|_| VpnName::from(&id));
        let mut moves = Self { seen, vpn, services: Vec::new(), connections: Vec::new(), id, name };
        moves.find_services()?;
        let has_key = wanted.key.is_some();
        for (half, side) in vpn.sides() {
            // A marker on one half alone would make it a VPN of no id.
            if vpn.id.is_none() || has_key || wanted.recreates(half, side) {
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

    pub fn is_own(&self, moved: &MovedConnection<'_>) -> bool {
        is_same(self.vpn, moved.vpn)
    }

    pub fn change(&self, wanted: &Differences) -> Change {
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
            if let Some(policy) = wanted.settings(half).filter(|_| self.is_own(moved)) {
                replacement.dpd = Some(DpdValues::from(&policy.dpd));
                replacement.mtu = Some(policy.mtu);
                replacement.initiator = Some(policy.initiator.as_str().to_owned());
            }
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

    /// The connections in the order in which the old ones go. Those on a service that several VPNs share are the first, by
    /// their ids: an upgrade of another VPN on it takes the same order, so that the change that deletes the first one has them all.
    fn in_shared_order(&self) -> impl Iterator<Item = &MovedConnection<'a>> {
        let is_shared = |at: usize, vpn: &Vpn| {
            self.connections.iter().any(|other| self.service_of(other.side) == Some(at) && !is_same(vpn, other.vpn))
        };
        self.connections.iter().sorted_by_key(move |moved| {
            let at = self.service_of(moved.side).filter(|at| is_shared(*at, moved.vpn));
            let key = at.map(|at| (&self.services[at].service.id, &moved.side.connection.id));
            (key.is_none(), key)
        })
    }

    /// Deletes what was replaced, and has the new run.
    fn clear(&self, change: &mut Change, wanted: &Differences, services: &[Ref]) {
        for MovedConnection { side, .. } in self.in_shared_order() {
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

    pub fn is_on(&self, side: &Side, moved: &MovedService<'_>) -> bool {
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
