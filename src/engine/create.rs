//! Making an object, once.

use ipnet::IpNet;
use jiff::Timestamp;
use secrecy::SecretString;

use super::marked::MarkedStep;
use super::replaced::vanished;
use super::service::Sole;
use super::{Changing, End, Failure, Request, Work};
use crate::change::{Create, Deletable, FreshConnection, KnownBy, New, Object, Ref, Replacement, Step};
use crate::cloud::changes::{ConnectionTemplate, RuleMade, TemplateOverrides};
use crate::cloud::exposure::SecurityGroupRuleBody;
use crate::cloud::request::{
    DpdBody, EndpointGroupBody, IkePolicyBody, IpsecPolicyBody, Seconds, SiteConnectionBody, VpnServiceBody,
};
use crate::cloud::{Error, ErrorKind, Id, Region};
use crate::engine::Event;
use crate::engine::delete::{Freed, delete};
use crate::engine::{Made, Origin, ROUNDS};
use crate::plan::Psk;
use crate::plan::policy::{IkePolicy, IpsecPolicy};
use crate::plan::psk::KeyOrigin;

/// Everything a request needs. Having one means that nothing is missing.
enum Draft<'a> {
    Group(&'a str, Vec<String>),
    IkePolicy(&'a IkePolicy),
    IpsecPolicy(&'a IpsecPolicy),
    Service(&'a Id),
    Like(Box<Other<'a>>),
    Fresh(Box<Ends<'a>>),
    Rule(&'a Id, &'a IpNet),
}

/// In what a connection differs from another.
struct Other<'a> {
    like: ConnectionTemplate,
    replacement: &'a Replacement,
    service: Option<Id>,
    ike_policy: Id,
    ipsec_policy: Id,
    groups: Option<(Id, Id)>,
    peer: Option<(String, String)>,
    key: Option<SecretString>,
}

/// What a new connection ties together.
struct Ends<'a> {
    fresh: &'a FreshConnection,
    service: Id,
    ike_policy: Id,
    ipsec_policy: Id,
    local_group: Id,
    peer_group: Id,
    peer_address: String,
    peer_id: String,
    key: SecretString,
}

impl Changing {
    /// Makes an object unless an earlier request has made it. A request that was lost is never repeated blindly: the
    /// region is first asked for an object with the step's word.
    pub(super) async fn create(&self, step: usize, create: &Create, work: &Work<'_>) -> Result<End, Failure> {
        let region = self.region(step, &create.region, work)?;
        if let Some(marked) = self.marked_step(step) {
            let made = self.create_marked(marked, &region, work).await?;
            self.progress().record(made.clone());
            self.note();
            return Ok(End::Made(made.id));
        }
        if self.progress().is_in_doubt(step)
            && let Some(id) = self.find(step, create, &region, work).await?
        {
            return Ok(End::Made(id));
        }
        if self.lacks_key(create) {
            return Err(Failure::KeyNeeded);
        }
        self.still_lacks(step, create, &region).await.map_err(|overtaken| Failure::Overtaken(Box::new(overtaken)))?;
        let sender = self.sender(step, Request::Create, work, work.stop);
        let look = async || Ok(self.find(step, create, &region, work).await?.map(End::Made));
        let mut tries = 1;
        loop {
            let draft = self.draft(step, create, &region, work).await;
            let draft = draft.map_err(|error| vanished(error, &self.change, create))?;
            let made = sender.send_until_known(|| self.post(step, create, &draft, &region), look).await;
            let Err(error) = made else { return Ok(made?) };
            // What it is made like may be gone with its service, or have been given other groups in place of those it had.
            let is_outdated = error.is_gone() || error.status == Some(500);
            if !is_outdated || tries == ROUNDS || !matches!(draft, Draft::Like(_)) {
                return Err(error.into());
            }
            if let Err(why) = self.draft(step, create, &region, work).await
                && why.is_gone()
            {
                return Err(vanished(why, &self.change, create).into());
            }
            if !error.is_gone() {
                return Err(error.into());
            }
            tries += 1;
        }
    }

    /// The same of an object of a new VPN.
    async fn create_marked(&self, marked: MarkedStep<'_>, region: &Region, work: &Work<'_>) -> Result<Made, Error> {
        if let Some(sole) = Sole::of(marked) {
            return self.sole_service(sole, region, work).await;
        }
        let MarkedStep { step, task, create } = marked;
        let may_be_there = self.is_unsettled(step) || !self.progress().candidates(step).is_empty();
        if may_be_there && let Some(made) = self.find_marked(marked, region, work).await? {
            return Ok(made);
        }
        let draft = self.draft(step, create, region, work).await?;
        let send = async || {
            let End::Made(id) = self.post(step, create, &draft, region).await? else {
                return Err(Error::new(ErrorKind::Unexpected, "an object of a VPN existed already"));
            };
            let (region, name) = (create.region.clone(), create.name.clone());
            let origin = Origin::Created;
            Ok(Made { task, region, id, name, origin, external_v4: None, external_v6: None })
        };
        let look = || self.find_marked(marked, region, work);
        self.sender(step, Request::Create, work, work.stop).send_until_known(send, look).await
    }

    /// Looks for what lost requests have made. Of several objects the first is kept. If there is none, and none can come any
    /// more, the step is open again.
    pub(super) async fn find(
        &self,
        step: usize,
        create: &Create,
        region: &Region,
        work: &Work<'_>,
    ) -> Result<Option<Id>, Error> {
        let at = Timestamp::now();
        let found = self.marked(step, create, region).await?;
        let known = self.progress().made(step).cloned();
        let surprises = found.iter().filter(|id| Some(*id) != known.as_ref()).count();
        self.progress().looked(step, at, surprises);
        let kept = known.or_else(|| found.first().cloned());
        if kept.is_none() && self.progress().late(step).is_none() {
            self.progress().refused(step);
        }
        self.note();
        for surplus in found.into_iter().filter(|id| Some(id) != kept.as_ref()) {
            delete(create.object.kind(), &surplus, region).await?;
            work.tell(Event::Removed(step, surplus));
        }
        Ok(kept)
    }

    /// Deletes what the step has made, and what its lost requests have made.
    pub(super) async fn remove_made(&self, step: usize, create: &Create, work: &Work<'_>) -> Result<(), Error> {
        let region = self.region(step, &create.region, work)?;
        let mut all: Vec<Id> = self.progress().made(step).cloned().into_iter().collect();
        if self.progress().is_in_doubt(step) {
            let at = Timestamp::now();
            let found = self.marked(step, create, &region).await?;
            let surprises: Vec<Id> = found.into_iter().filter(|id| !all.contains(id)).collect();
            self.progress().looked(step, at, surprises.len());
            all.extend(surprises);
        }
        for id in all {
            match self.free_and_delete(step, create.object.kind(), &id, &region, work).await? {
                Freed::Gone(_) => {}
                Freed::InUse(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn marked(&self, step: usize, create: &Create, region: &Region) -> Result<Vec<Id>, Error> {
        let word = self.change.id().word(step);
        match (&create.object, create.object.kind()) {
            (New::Rule { group, .. }, _) => region.rules_made_by(group, &word).await,
            (_, Deletable::Vpn(kind)) => {
                Ok(region.made_by(kind, &word).await?.into_iter().map(|object| object.id).collect())
            }
            (_, Deletable::Rule) => Ok(Vec::new()),
        }
    }

    /// Prepares a request. What fails here has sent nothing that makes anything.
    async fn draft<'a>(
        &self,
        step: usize,
        create: &'a Create,
        region: &Region,
        work: &Work<'_>,
    ) -> Result<Draft<'a>, Error> {
        Ok(match &create.object {
            New::LocalGroup(subnets) => Draft::Group("subnet", subnets.iter().map(ToString::to_string).collect()),
            New::PeerGroup(ranges) => Draft::Group("cidr", ranges.iter().map(ToString::to_string).collect()),
            New::IkePolicy(policy) => Draft::IkePolicy(policy),
            New::IpsecPolicy(policy) => Draft::IpsecPolicy(policy),
            New::Service(router) | New::SoleService { router, .. } => Draft::Service(router),
            New::FreshConnection(fresh) => {
                let (peer_address, peer_id) = self.peer_of(&fresh.peer, work).await?;
                Draft::Fresh(Box::new(Ends {
                    fresh,
                    service: self.id_of(&fresh.service)?,
                    ike_policy: self.id_of(&fresh.ike_policy)?,
                    ipsec_policy: self.id_of(&fresh.ipsec_policy)?,
                    local_group: self.id_of(&fresh.local_group)?,
                    peer_group: self.id_of(&fresh.peer_group)?,
                    peer_address,
                    peer_id,
                    key: self.key_for(step, fresh, work).await?,
                }))
            }
            New::Unplanned(object, _) => {
                let text = format!("the {} of a VPN without a plan cannot be created", object.label());
                return Err(Error::new(ErrorKind::Invalid, text));
            }
            New::Connection(replacement) => Draft::Like(Box::new(self.other(step, replacement, region, work).await?)),
            New::Rule { group, remote } => Draft::Rule(group, remote),
        })
    }

    async fn key_for(&self, step: usize, fresh: &FreshConnection, work: &Work<'_>) -> Result<SecretString, Error> {
        if let Some(Object { region, id, .. }) = &fresh.key_of {
            return self.region(step, region, work)?.connection_psk(id).await;
        }
        let none = || Error::new(ErrorKind::Unexpected, "a connection needs a key");
        Ok(self.key.as_ref().ok_or_else(none)?.secret().clone())
    }

    async fn other<'a>(
        &self,
        step: usize,
        replacement: &'a Replacement,
        region: &Region,
        work: &Work<'_>,
    ) -> Result<Other<'a>, Error> {
        let Replacement { like: old, service, ike_policy, ipsec_policy, groups, peer, key, .. } = replacement;
        let like = region.connection_template(old).await?;
        self.note_keys(&like, old, step, work).await;
        let groups =
            groups.as_ref().map(|groups| Ok::<_, Error>((self.id_of(&groups.local)?, self.id_of(&groups.peer)?)));
        Ok(Other {
            service: service.as_ref().map(|service| self.id_of(service)).transpose()?,
            ike_policy: self.id_of(ike_policy)?,
            ipsec_policy: self.id_of(ipsec_policy)?,
            groups: groups.transpose()?,
            peer: match peer {
                Some(peer) => Some(self.peer_of(peer, work).await?),
                None => None,
            },
            key: if key.is_some() { Some(self.new_key(step, work).await?) } else { None },
            replacement,
            like,
        })
    }

    /// The key for every connection that gets a new one: what the first of them has, so that a process that goes on with the
    /// change goes on with it; or the user's; or one that is generated now.
    async fn new_key(&self, step: usize, work: &Work<'_>) -> Result<SecretString, Error> {
        if let Some((_, create, made)) = self.with_new_key().into_iter().find(|(other, ..)| *other != step) {
            return self.region(step, &create.region, work)?.connection_psk(&made).await;
        }
        let given = self.key.clone();
        let key = given.unwrap_or_else(|| self.notes().new_key.get_or_insert_with(Psk::generate).clone());
        Ok(key.secret().clone())
    }

    /// The connections made with a new key.
    pub(super) fn with_new_key(&self) -> Vec<(usize, Create, Id)> {
        let steps = self.change.steps().iter().enumerate().filter(|(_, step)| step.sets_key());
        let made = |(number, step): (usize, &Step)| {
            let Step::Create(create) = step else { return None };
            Some((number, create.clone(), self.progress().made(number)?.clone()))
        };
        steps.filter_map(made).collect()
    }

    /// Whether a connection is to get a key of the user's that is not known any more.
    fn lacks_key(&self, create: &Create) -> bool {
        let New::Connection(replacement) = &create.object else { return false };
        replacement.key == Some(KeyOrigin::Given) && self.key.is_none() && self.with_new_key().is_empty()
    }

    async fn post(&self, step: usize, create: &Create, draft: &Draft<'_>, region: &Region) -> Result<End, Error> {
        let id = self.change.id();
        let description = match create.known_by {
            KnownBy::Marker(_) => create.description.clone(),
            KnownBy::Word => id.described(step, &create.description),
        };
        let (name, description) = (create.name.as_str(), description.as_str());
        let made = match draft {
            Draft::Group(kind, endpoints) => {
                region.create_endpoint_group(&EndpointGroupBody { name, description, kind, endpoints }).await?
            }
            Draft::Service(router) => region.create_service(&VpnServiceBody { name, description, router }).await?.id,
            Draft::Like(other) => {
                let Other { like, replacement, .. } = &**other;
                let is_renamed = replacement.is_renamed;
                let said = if is_renamed { &create.description } else { like.description() };
                let description = id.described_in_place_of(&replacement.like, step, said);
                let dpd = replacement.dpd.as_ref();
                let overrides = TemplateOverrides {
                    name: is_renamed.then_some(name),
                    service: other.service.as_ref(),
                    ike_policy: &other.ike_policy,
                    ipsec_policy: &other.ipsec_policy,
                    dpd: dpd.map(|dpd| DpdBody { action: &dpd.action, interval: dpd.interval, timeout: dpd.timeout }),
                    mtu: replacement.mtu,
                    initiator: replacement.initiator.as_deref(),
                    groups: other.groups.as_ref(),
                    peer: other.peer.as_ref().map(|(address, id)| (address.as_str(), id.as_str())),
                    is_peer_renamed: replacement.is_peer_renamed,
                    psk: other.key.as_ref(),
                };
                region.create_connection_from(like, &overrides, &description).await?
            }
            Draft::Fresh(ends) => {
                let dpd = &ends.fresh.dpd;
                let body = SiteConnectionBody {
                    name,
                    description,
                    service: &ends.service,
                    ike_policy: &ends.ike_policy,
                    ipsec_policy: &ends.ipsec_policy,
                    local_group: &ends.local_group,
                    peer_group: &ends.peer_group,
                    peer_address: &ends.peer_address,
                    peer_id: &ends.peer_id,
                    psk: &ends.key,
                    initiator: &ends.fresh.initiator,
                    mtu: ends.fresh.mtu,
                    dpd: DpdBody { action: &dpd.action, interval: dpd.interval, timeout: dpd.timeout },
                };
                region.create_connection(&body).await?
            }
            Draft::Rule(group, remote) => {
                let body = SecurityGroupRuleBody::new(group, remote, description);
                match region.create_rule(&body).await? {
                    RuleMade::Now(id) => id,
                    RuleMade::Existed => return Ok(End::Existed),
                }
            }
            Draft::IkePolicy(ike) => region.create_ike_policy(&ike_body(name, description, ike)).await?,
            Draft::IpsecPolicy(ipsec) => region.create_ipsec_policy(&ipsec_body(name, description, ipsec)).await?,
        };
        Ok(End::Made(made))
    }

    /// The id behind a reference.
    pub(super) fn id_of(&self, reference: &Ref) -> Result<Id, Error> {
        match reference {
            Ref::Id(id) => Ok(id.clone()),
            Ref::Made(step) => self.progress().made(*step).cloned().ok_or_else(|| {
                Error::new(ErrorKind::Unexpected, format!("what step {} creates does not exist yet", step + 1))
            }),
        }
    }
}

fn ike_body<'a>(name: &'a str, description: &'a str, ike: &IkePolicy) -> IkePolicyBody<'a> {
    IkePolicyBody {
        name,
        description,
        auth_algorithm: ike.auth_algorithm.as_str(),
        encryption_algorithm: ike.encryption_algorithm.as_str(),
        phase1_negotiation_mode: ike.phase1_negotiation_mode.as_str(),
        ike_version: ike.ike_version.as_str(),
        pfs: ike.pfs.as_str(),
        lifetime: Seconds { value: ike.lifetime },
    }
}

fn ipsec_body<'a>(name: &'a str, description: &'a str, ipsec: &IpsecPolicy) -> IpsecPolicyBody<'a> {
    IpsecPolicyBody {
        name,
        description,
        transform_protocol: ipsec.transform_protocol.as_str(),
        auth_algorithm: ipsec.auth_algorithm.as_str(),
        encryption_algorithm: ipsec.encryption_algorithm.as_str(),
        encapsulation_mode: ipsec.encapsulation_mode.as_str(),
        pfs: ipsec.pfs.as_str(),
        lifetime: Seconds { value: ipsec.lifetime },
    }
}
