//! Making a VPN from a plan, as a change like any other: the services of both halves first, for their addresses are the peer
//! addresses of the other half's; then the policies and endpoint groups of both, all at once; then both connections at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Change, Create, Deletable, DpdValues, Form, FreshConnection, KnownBy, New, PeerEnd, Ref, Step, Subject, Verb,
};
use crate::cloud::request::Kind;
use crate::cloud::vpnaas::leading_word;
use crate::cloud::{Id, RegionId};
use crate::plan::file::PlanFile;
use crate::plan::{Far, Half, HalfPlan, Plan, ServicePlan, VpnId, VpnName};

/// One object to create: which, and for which half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Task {
    /// The half it belongs to.
    pub half: Half,
    /// Which of the half's objects.
    pub step: HalfObject,
}

/// The objects of one half, in the guide's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HalfObject {
    /// The VPN service on the router.
    Service,
    /// Phase 1.
    IkePolicy,
    /// Phase 2.
    IpsecPolicy,
    /// The subnets of this side.
    LocalGroup,
    /// The ranges of the other side.
    PeerGroup,
    /// What ties the other five together.
    Connection,
}

impl HalfObject {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Service, Self::IkePolicy, Self::IpsecPolicy, Self::LocalGroup, Self::PeerGroup, Self::Connection];

    /// The kind of object it makes.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Service => Kind::VpnService,
            Self::IkePolicy => Kind::IkePolicy,
            Self::IpsecPolicy => Kind::IpsecPolicy,
            Self::LocalGroup | Self::PeerGroup => Kind::EndpointGroup,
            Self::Connection => Kind::SiteConnection,
        }
    }

    /// What makes an object of that kind; of the endpoint groups it is the type that tells them apart, because names can
    /// be changed. None for a group of a type IPsec does not use.
    #[must_use]
    pub fn of(kind: Kind, endpoints: Option<&str>) -> Option<Self> {
        match (kind, endpoints) {
            (Kind::EndpointGroup, Some("subnet")) => Some(Self::LocalGroup),
            (Kind::EndpointGroup, Some("cidr")) => Some(Self::PeerGroup),
            (Kind::EndpointGroup, _) => None,
            _ => Self::ALL.into_iter().find(|step| step.kind() == kind),
        }
    }

    /// The guide's name of the object, behind the VPN's own.
    pub const fn object(self) -> &'static str {
        match self {
            Self::Service => "vpn_service",
            Self::IkePolicy => "ike_policy",
            Self::IpsecPolicy => "ipsec_policy",
            Self::LocalGroup => "local_endpoint_group",
            Self::PeerGroup => "peer_endpoint_group",
            Self::Connection => "vpn_site_connection",
        }
    }

    /// What a person calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::LocalGroup => "local endpoint group",
            Self::PeerGroup => "peer endpoint group",
            _ => self.kind().label(),
        }
    }
}

impl Plan {
    /// How many objects it makes: a VPN service that is there is used.
    #[must_use]
    pub fn new_objects(&self) -> usize {
        let of_half =
            |half: &HalfPlan| HalfObject::ALL.len() - usize::from(matches!(half.service, ServicePlan::Reuse(_)));
        self.halves().map(of_half).sum()
    }

    /// The change that makes everything of it. It holds no key, and can be resumed without the plan.
    pub fn to_change(&self) -> Change {
        let mut change = Change::new(Verb::Create, Subject::Marked(self.id().clone()), self.name().to_string());
        let halves: Vec<&HalfPlan> = self.halves().collect();
        let create = |half: &HalfPlan, object: HalfObject, new: New| Create {
            region: half.region.clone(),
            name: self.name().of(object.object()),
            description: self.id().mark(half.half),
            object: new,
            known_by: KnownBy::Marker(half.half),
        };
        let mut made: BTreeMap<Task, usize> = BTreeMap::new();
        let stage = |change: &mut Change, made: &mut BTreeMap<Task, usize>, all: Vec<(Task, Create)>| {
            change.stages.push(all.len());
            for (task, create) in all {
                made.insert(task, change.steps.len());
                change.steps.push(Step::Create(create));
            }
        };
        let task = |half: &HalfPlan, step| Task { half: half.half, step };
        let services = halves.iter().map(|half| {
            let (router, router_name) = (half.router.id.clone(), half.router.name.clone());
            let new = New::SoleService { router, router_name };
            (task(half, HalfObject::Service), create(half, HalfObject::Service, new))
        });
        stage(&mut change, &mut made, services.collect());
        let parts = halves.iter().flat_map(|half| {
            let part = |object, new| (task(half, object), create(half, object, new));
            let subnets = half.local.iter().map(|subnet| subnet.id.clone()).collect();
            [
                part(HalfObject::IkePolicy, New::IkePolicy(self.policy().ike.clone())),
                part(HalfObject::IpsecPolicy, New::IpsecPolicy(self.policy().ipsec.clone())),
                part(HalfObject::LocalGroup, New::LocalGroup(subnets)),
                part(HalfObject::PeerGroup, New::PeerGroup(half.remote.clone())),
            ]
        });
        stage(&mut change, &mut made, parts.collect());
        let connections = halves.iter().map(|half| {
            let new = New::FreshConnection(Box::new(self.connection(half, &made)));
            let plain = create(half, HalfObject::Connection, new);
            let system = self.peer().and_then(|peer| peer.system);
            let description =
                system.map_or_else(|| plain.description.clone(), |system| system.described(&plain.description));
            (task(half, HalfObject::Connection), Create { description, ..plain })
        });
        let connections = connections.collect();
        stage(&mut change, &mut made, connections);
        change
    }

    fn connection(&self, half: &HalfPlan, made: &BTreeMap<Task, usize>) -> FreshConnection {
        let step = |half, step| made.get(&Task { half, step }).copied().unwrap_or_default();
        let own = |object| Ref::Made(step(half.half, object));
        let policy = self.policy();
        FreshConnection {
            service: own(HalfObject::Service),
            ike_policy: own(HalfObject::IkePolicy),
            ipsec_policy: own(HalfObject::IpsecPolicy),
            local_group: own(HalfObject::LocalGroup),
            peer_group: own(HalfObject::PeerGroup),
            peer: match self.far() {
                Far::Peer(peer) => PeerEnd::Outside { address: peer.address.to_string(), id: peer.id.clone() },
                Far::Half(_) => PeerEnd::Service(step(half.half.other(), HalfObject::Service), self.outer()),
            },
            initiator: policy.initiator.as_str().to_owned(),
            mtu: policy.mtu,
            dpd: DpdValues::from(&policy.dpd),
            key_of: None,
        }
    }
}

impl New {
    /// The object of a half it makes; none for a rule.
    pub const fn half_object(&self) -> Option<HalfObject> {
        Some(match self {
            Self::Service(_) | Self::SoleService { .. } => HalfObject::Service,
            Self::LocalGroup(_) => HalfObject::LocalGroup,
            Self::PeerGroup(_) => HalfObject::PeerGroup,
            Self::IkePolicy(_) => HalfObject::IkePolicy,
            Self::IpsecPolicy(_) => HalfObject::IpsecPolicy,
            Self::Connection(_) | Self::FreshConnection(_) => HalfObject::Connection,
            Self::Unplanned(object, _) => *object,
            Self::Rule { .. } => return None,
        })
    }

    pub(crate) fn kind(&self) -> Deletable {
        self.half_object().map_or(Deletable::Rule, |object| Deletable::Vpn(object.kind()))
    }
}

impl Create {
    /// Which object of which half it is, if it is one of a creation.
    pub fn task(&self) -> Option<Task> {
        let KnownBy::Marker(half) = self.known_by else { return None };
        Some(Task { half, step: self.object.half_object()? })
    }

    /// What tells that an object is of this step: the mark of the VPN, without what the description says behind it.
    pub fn marker(&self) -> &str {
        leading_word(&self.description)
    }

    /// What an object must hold to be taken for what this step has sent, as far as that does not depend on other steps.
    pub fn form(&self) -> Form {
        let members = |all: &mut dyn Iterator<Item = String>| Form { members: Some(all.collect()), ..Form::default() };
        match &self.object {
            New::Service(router) | New::SoleService { router, .. } => {
                Form { router: Some(router.clone()), ..Form::default() }
            }
            New::LocalGroup(subnets) => members(&mut subnets.iter().map(ToString::to_string)),
            New::PeerGroup(ranges) => members(&mut ranges.iter().map(ToString::to_string)),
            New::FreshConnection(fresh) => match &fresh.peer {
                PeerEnd::Outside { address, .. } => Form { peer_address: Some(address.clone()), ..Form::default() },
                PeerEnd::Service(..) => Form::default(),
            },
            New::Unplanned(_, form) => form.clone(),
            New::IkePolicy(_) | New::IpsecPolicy(_) | New::Connection(_) | New::Rule { .. } => Form::default(),
        }
    }
}

impl Change {
    /// The objects of each of those halves, whatever their plan was: to look for them, and to delete them. Where the plan file
    /// is known, with what tells them apart from others.
    #[must_use]
    pub fn of_halves(vpn: &VpnId, name: &VpnName, halves: &BTreeMap<Half, RegionId>, file: Option<&PlanFile>) -> Self {
        let mut change = Self::new(Verb::Create, Subject::Marked(vpn.clone()), name.to_string());
        for (&half, region) in halves {
            for object in HalfObject::ALL {
                change.steps.push(Step::Create(Create {
                    region: region.clone(),
                    name: name.of(object.object()),
                    description: vpn.mark(half),
                    object: New::Unplanned(object, file.map_or_else(Form::default, |file| form(file, half, object))),
                    known_by: KnownBy::Marker(half),
                }));
            }
        }
        change
    }

    /// The step that makes an object of a new VPN.
    #[must_use]
    pub fn step_of(&self, task: Task) -> Option<usize> {
        self.steps.iter().position(|step| step.task() == Some(task))
    }

    /// Where each half of a new VPN is.
    #[must_use]
    pub fn halves(&self) -> BTreeMap<Half, RegionId> {
        let half = |step: &Step| Some((step.task()?.half, (*step.regions().first()?).clone()));
        self.steps.iter().filter_map(half).collect()
    }

    /// What makes an object of a new VPN.
    #[must_use]
    pub fn creation_of(&self, task: Task) -> Option<&Create> {
        match self.steps.get(self.step_of(task)?)? {
            Step::Create(create) => Some(create),
            _ => None,
        }
    }
}

/// What a plan file tells of an object. One in a journal names routers and subnets by their ids.
fn form(file: &PlanFile, half: Half, object: HalfObject) -> Form {
    let Some((router, subnets)) = file.objects(half) else { return Form::default() };
    let (none, peer) = (Form::default(), file.peer());
    match object {
        HalfObject::Service => Form { router: Some(Id::from(router)), ..none },
        HalfObject::LocalGroup => Form { members: Some(subnets.map(str::to_owned).collect()), ..none },
        HalfObject::PeerGroup => {
            Form { members: peer.map(|peer| peer.cidrs.iter().map(ToString::to_string).collect()), ..none }
        }
        HalfObject::Connection => Form { peer_address: peer.map(|peer| peer.address.to_string()), ..none },
        HalfObject::IkePolicy | HalfObject::IpsecPolicy => none,
    }
}
