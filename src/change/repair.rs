//! Making the half that a VPN lacks, from what the other half says of it: addresses, ranges, policies and, read when it is
//! made, the key. What is left of it in its region is used again.

mod end;
mod policies;

use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::proposal::{Proposal, Refused, begin, interruption, object, restart};
use super::{
    Change, ConnectionEdits, Create, Edit, Edits, FreshConnection, HalfObject, KnownBy, New, Object, PeerEnd, Ref,
    Replacement, Update, Verb,
};
use crate::cloud::{Id, Kind, SiteConnection, Status, StoredPolicy, VpnService};
use crate::inspect::{Inspection, OtherHalf, Side, UnusedObject, Vpn};
use crate::plan::fields::PolicyField;
use crate::plan::policy::{DpdAction, Initiator, Policy};
use crate::plan::{Finding, Half, Profiles, Severity, VpnName};
use end::NewEnd;
use policies::Policies;

/// The change that makes the half that is missing, and points the other one to it where that expects it elsewhere. It goes
/// to that router, by name or id, or to the one that is meant. Nothing to do if both halves are there.
///
/// # Errors
/// Every reason against it: nothing tells where it belongs, or what is there cannot carry it.
pub fn repair(seen: &Inspection, vpn: &Vpn, profiles: &Profiles, router: Option<&str>) -> Result<Proposal, Refused> {
    match &vpn.other_half {
        OtherHalf::Found(_) => {
            return Ok(Proposal::nothing(begin(Verb::Repair, vpn), format!("Both halves of {} exist.", vpn.name)));
        }
        OtherHalf::Outside | OtherHalf::Ambiguous(_) => {
            let peer = &vpn.a.connection.peer_address;
            return Err(Refused::because(format!("the peer of {} ({peer}) is no router of this project", vpn.name)));
        }
        OtherHalf::Missing { .. } => {}
    }
    let end = NewEnd::of(seen, vpn, router)?;
    let policies = Policies::of(seen, vpn, &end, profiles)?;
    let (Some(own), Some(ranges)) = (vpn.a.address(), vpn.a.local.clone()) else {
        let place = vpn.place(Half::A);
        return Err(Refused::because(format!("the address or the subnets of the half in {place} cannot be seen")));
    };
    let findings = end.findings(own, &ranges);
    let (refusals, rest): (Vec<Finding>, Vec<Finding>) = findings.into_iter().unique().partition(Finding::is_refusal);
    if !refusals.is_empty() {
        return Err(Refused(refusals.iter().map(|finding| format!("{}: {}", end.region, finding.text)).collect()));
    }
    let warned = rest.into_iter().filter(|finding| finding.severity == Severity::Warning);
    let warnings: Vec<String> = warned.map(|finding| format!("{}: {}.", end.region, finding.text)).collect();
    let half = NewHalf { seen, vpn, side: &vpn.a, half: missing_half(vpn), own, ranges, end, policies };
    let mut proposal = half.proposal();
    proposal.notes.splice(0..0, warnings);
    Ok(proposal)
}

/// Which half is missing.
fn missing_half(vpn: &Vpn) -> Half {
    vpn.a.mark.as_ref().map_or(Half::B, |(_, half)| half.other())
}

struct NewHalf<'a> {
    seen: &'a Inspection,
    vpn: &'a Vpn,
    side: &'a Side,
    half: Half,
    /// Where the half that exists is reached.
    own: IpAddr,
    /// What that tunnels.
    ranges: Vec<IpNet>,
    end: NewEnd<'a>,
    policies: Policies,
}

/// What a connection is made of.
struct Parts {
    service: Ref,
    ike: Ref,
    ipsec: Ref,
    local: Ref,
    peer: Ref,
    /// The other half's policies, if it gets new ones.
    own_policies: Option<(Ref, Ref)>,
}

impl NewHalf<'_> {
    fn proposal(&self) -> Proposal {
        let mut change = begin(Verb::Repair, self.vpn);
        let parts = change.at_once(|change| self.parts(change));
        let edits = self.edits();
        let is_stuck = self.side.connection.status == Status::PendingCreate && edits.is_some();
        let is_replaced = self.policies.are_new || self.end.address.is_none() || is_stuck;
        change.at_once(|change| {
            change.create(self.connection(&parts));
            if is_replaced {
                change.create(self.replacement(&parts));
            }
        });
        if is_replaced {
            self.clear(&mut change);
        } else if let Some(edits) = edits.clone() {
            let SiteConnection { id, name, .. } = &self.side.connection;
            let (id, name) = (id.clone(), name.clone());
            let edits = Edits::Connection(Box::new(edits));
            change.update(Update { region: self.side.region.clone(), id, name, edits });
        }
        for useless in &self.end.useless {
            change.delete(Kind::VpnService, self.there(&useless.id, &useless.name));
        }
        let restarts = is_replaced || edits.is_some();
        let begin = change.steps().len();
        if restarts {
            restart(&mut change, self.side);
        }
        // A service that runs already does not negotiate for a connection that is added.
        if let Some(service) = self.end.service.filter(|service| self.is_used(service)) {
            change.restart(self.there(&service.id, &service.name));
        }
        let is_interrupted = change.steps().len() > begin;
        Proposal::new(change, self.notes(is_replaced, edits.is_some(), is_interrupted))
    }

    fn is_used(&self, service: &VpnService) -> bool {
        self.end.survey.inventory.connections.iter().any(|one| one.service == service.id)
    }

    /// Service, policies and groups of the half, and new policies of the other.
    fn parts(&self, change: &mut Change) -> Parts {
        let Policy { ike, ipsec, .. } = &self.policies.policy;
        let service = match self.end.service {
            Some(service) => Ref::from(&service.id),
            None => change.create(self.object(HalfObject::Service, New::Service(self.end.router.id.clone()))),
        };
        let subnets: Vec<String> = self.end.subnets.iter().map(ToString::to_string).collect();
        let ranges: Vec<String> = self.ranges.iter().map(ToString::to_string).collect();
        let mut part = |object, new: New, is_it: &dyn Fn(&Id) -> bool| {
            self.left(object, is_it).unwrap_or_else(|| change.create(self.object(object, new)))
        };
        let ike_policy =
            part(HalfObject::IkePolicy, New::IkePolicy(ike.clone()), &|id| self.is_policy(Kind::IkePolicy, id));
        let ipsec_policy =
            part(HalfObject::IpsecPolicy, New::IpsecPolicy(ipsec.clone()), &|id| self.is_policy(Kind::IpsecPolicy, id));
        let local = New::LocalGroup(self.end.subnets.clone());
        let local = part(HalfObject::LocalGroup, local, &|id| self.is_group(id, "subnet", &subnets));
        let peer = New::PeerGroup(self.ranges.clone());
        let peer = part(HalfObject::PeerGroup, peer, &|id| self.is_group(id, "cidr", &ranges));
        let own_policies = self.policies.are_new.then(|| {
            let ike = self.own(HalfObject::IkePolicy, New::IkePolicy(ike.clone()));
            let ipsec = self.own(HalfObject::IpsecPolicy, New::IpsecPolicy(ipsec.clone()));
            (change.create(ike), change.create(ipsec))
        });
        Parts { service, ike: ike_policy, ipsec: ipsec_policy, local, peer, own_policies }
    }

    /// What is left of the half and holds what it needs: by its marker, or by the name that it would get.
    fn left(&self, object: HalfObject, is_it: &dyn Fn(&Id) -> bool) -> Option<Ref> {
        let mark = self.vpn.id.clone().map(|id| (id, self.half));
        let is_ours = |one: &&UnusedObject| match (&one.mark, &mark) {
            (Some(is), Some(own)) => is == own,
            (Some(_), None) => false,
            (None, _) => one.name == self.name(object),
        };
        let unused = self.seen.unused.iter();
        let mut there = unused.filter(|one| one.region == *self.end.region && one.kind == object.kind());
        there.find(|one| is_ours(one) && is_it(&one.id)).map(|one| Ref::from(&one.id))
    }

    fn is_policy(&self, kind: Kind, id: &Id) -> bool {
        let survey = self.end.survey;
        let policies = if kind == Kind::IkePolicy { &survey.ike_policies } else { &survey.ipsec_policies };
        let fields = || PolicyField::of_policies().filter(|field| field.kind() == kind);
        let has = |policy: &StoredPolicy| {
            fields().all(|field| policy.word(field.attribute()) == field.get(&self.policies.policy))
        };
        policies.iter().any(|policy| policy.id == *id && has(policy))
    }

    fn is_group(&self, id: &Id, kind: &str, members: &[String]) -> bool {
        let group = self.end.survey.groups.iter().find(|group| group.id == *id && group.kind == kind);
        group.is_some_and(|group| group.endpoints.iter().sorted().eq(members.iter().sorted()))
    }

    /// The name of an object of the half: as this program gives it, or as the other half's is called.
    fn name(&self, object: HalfObject) -> String {
        let side = self.side;
        if let Some(name) = VpnName::from_object(&side.connection.name, HalfObject::Connection.object()) {
            return name.of(object.object());
        }
        let policy = |policy: &Option<StoredPolicy>| policy.as_ref().map(|policy| policy.name.clone());
        let like = match object {
            HalfObject::Service => side.service.as_ref().map(|service| service.name.clone()),
            HalfObject::IkePolicy => policy(&side.ike),
            HalfObject::IpsecPolicy => policy(&side.ipsec),
            HalfObject::Connection => Some(side.connection.name.clone()),
            HalfObject::LocalGroup | HalfObject::PeerGroup => None,
        };
        like.filter(|name| !name.is_empty()).unwrap_or_else(|| object.object().to_owned())
    }

    fn object(&self, object: HalfObject, new: New) -> Create {
        Create {
            region: self.end.region.clone(),
            name: self.name(object),
            description: self.vpn.id.as_ref().map_or_else(String::new, |id| id.mark(self.half)),
            object: new,
            known_by: KnownBy::Word,
        }
    }

    /// An object of the half that exists.
    fn own(&self, object: HalfObject, new: New) -> Create {
        let description = self.vpn.id.as_ref().map_or_else(String::new, |id| id.mark(self.half.other()));
        Create { region: self.side.region.clone(), description, ..self.object(object, new) }
    }

    fn connection(&self, parts: &Parts) -> Create {
        let SiteConnection { id, name, dpd, mtu, .. } = &self.side.connection;
        let fresh = FreshConnection {
            service: parts.service.clone(),
            ike_policy: parts.ike.clone(),
            ipsec_policy: parts.ipsec.clone(),
            local_group: parts.local.clone(),
            peer_group: parts.peer.clone(),
            peer: PeerEnd::Outside {
                address: self.own.to_string(),
                id: self.side.identity().unwrap_or_else(|| self.own.to_string()),
            },
            initiator: Initiator::BiDirectional.as_str().to_owned(),
            mtu: *mtu,
            // With another word strongSwan drops the whole connection.
            dpd: if dpd.action.parse::<DpdAction>().is_ok() { dpd.into() } else { self.policies.dpd.clone() },
            key_of: Some(object(self.side, id, name)),
        };
        self.object(HalfObject::Connection, New::FreshConnection(Box::new(fresh)))
    }

    /// What the half that exists has to be told: where the new one is.
    fn edits(&self) -> Option<ConnectionEdits> {
        let address = self.end.address?.to_string();
        let SiteConnection { peer_address, peer_id, .. } = &self.side.connection;
        let edit = |before: &String| (*before != address).then(|| Edit::new(before.clone(), address.clone()));
        let (peer_address, peer_id) = (edit(peer_address), edit(peer_id));
        let is_any = peer_address.is_some() || peer_id.is_some();
        is_any.then(|| ConnectionEdits { peer_address, peer_id, ..ConnectionEdits::default() })
    }

    /// The half that exists, with other policies or a peer that is known only when its service is made.
    fn replacement(&self, parts: &Parts) -> Create {
        let connection = &self.side.connection;
        let mut new = Replacement::of(connection);
        if let Some((ike, ipsec)) = &parts.own_policies {
            (new.ike_policy, new.ipsec_policy) = (ike.clone(), ipsec.clone());
        }
        new.is_peer_renamed = true;
        new.peer = match (&self.end.address, &parts.service) {
            (Some(address), _) => Some(PeerEnd::Outside { address: address.to_string(), id: address.to_string() }),
            (None, Ref::Made(step)) => Some(PeerEnd::Service(*step, self.end.outer)),
            (None, Ref::Id(_)) => None,
        };
        Create {
            region: self.side.region.clone(),
            name: connection.name.clone(),
            description: connection.description.clone(),
            object: New::Connection(Box::new(new)),
            known_by: KnownBy::Word,
        }
    }

    /// Deletes what the half that exists had before.
    fn clear(&self, change: &mut Change) {
        let side = self.side;
        change.delete(Kind::SiteConnection, object(side, &side.connection.id, &side.connection.name));
        let policies = [(Kind::IkePolicy, &side.ike), (Kind::IpsecPolicy, &side.ipsec)];
        for (kind, policy) in policies.into_iter().filter(|_| self.policies.are_new) {
            let is_free = |policy: &&StoredPolicy| self.seen.shared_with(self.vpn, &side.region, &policy.id).is_empty();
            if let Some(policy) = policy.as_ref().filter(is_free) {
                change.delete(kind, object(side, &policy.id, &policy.name));
            }
        }
    }

    fn there(&self, id: &Id, name: &str) -> Object {
        Object { region: self.end.region.clone(), id: id.clone(), name: name.to_owned() }
    }

    fn notes(&self, is_replaced: bool, is_pointed: bool, is_interrupted: bool) -> Vec<String> {
        let (side, end) = (self.side, &self.end);
        let mut notes = vec![format!(
            "The half is made in {} on router {}, with {}; its policies are those of {}, and it gets the key that half has, \
             which osvpn does not print.",
            end.region,
            end.router.name,
            side.remote.iter().join(", "),
            side.region
        )];
        notes.extend(self.policies.sentences.iter().cloned());
        if is_pointed && let Some(address) = end.address {
            notes.push(format!(
                "The half in {} expects its peer at {}; from then on at {address}.",
                side.region, side.connection.peer_address
            ));
        }
        if is_replaced {
            notes.push(format!("The connection in {} is recreated, with the same key and a new id.", side.region));
        }
        if is_interrupted {
            notes.push(interruption());
        }
        notes
    }
}
