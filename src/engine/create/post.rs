//! What is sent to make each kind of object.

use std::net::IpAddr;

use super::{Run, Step, Task};
use crate::cloud::request::{DpdBody, EndpointGroupBody, SiteConnectionBody};
use crate::cloud::{Error, ErrorKind, Id, Region};
use crate::engine::bodies;
use crate::plan::{Far, HalfPlan, Outer};

/// Everything a request needs that is not in the plan. Having one means that nothing is missing.
pub(super) struct Draft<'a> {
    half: &'a HalfPlan,
    name: String,
    mark: String,
    object: Object,
}

enum Object {
    IkePolicy,
    IpsecPolicy,
    LocalGroup,
    PeerGroup,
    Connection(Box<Ends>),
}

/// What a connection ties together.
struct Ends {
    service: Id,
    ike_policy: Id,
    ipsec_policy: Id,
    local_group: Id,
    peer_group: Id,
    peer_address: String,
    peer_id: String,
}

impl Run<'_> {
    /// Prepares a request. What fails here has sent nothing that makes anything.
    pub(super) async fn draft<'a>(&self, half: &'a HalfPlan, task: Task) -> Result<Draft<'a>, Error> {
        let object = match task.step {
            Step::IkePolicy => Object::IkePolicy,
            Step::IpsecPolicy => Object::IpsecPolicy,
            Step::LocalGroup => Object::LocalGroup,
            Step::PeerGroup => Object::PeerGroup,
            Step::Service | Step::Connection => Object::Connection(Box::new(self.ends(half).await?)),
        };
        Ok(Draft { half, name: self.plan.name().of(task.step.object()), mark: self.plan.id().mark(half.half), object })
    }

    pub(super) async fn post(&self, region: &Region, draft: &Draft<'_>) -> Result<Id, Error> {
        let Draft { half, name, mark: description, object } = draft;
        let policy = self.plan.policy();
        match object {
            Object::IkePolicy => {
                let ike = &policy.ike;
                let body = bodies::ike(name, description, ike);
                region.create_ike_policy(&body).await
            }
            Object::IpsecPolicy => {
                let ipsec = &policy.ipsec;
                let body = bodies::ipsec(name, description, ipsec);
                region.create_ipsec_policy(&body).await
            }
            Object::LocalGroup => {
                let endpoints: Vec<String> = half.local.iter().map(|subnet| subnet.id.to_string()).collect();
                let body = EndpointGroupBody { name, description, kind: "subnet", endpoints: &endpoints };
                region.create_endpoint_group(&body).await
            }
            Object::PeerGroup => {
                let endpoints: Vec<String> = half.remote.iter().map(ToString::to_string).collect();
                let body = EndpointGroupBody { name, description, kind: "cidr", endpoints: &endpoints };
                region.create_endpoint_group(&body).await
            }
            Object::Connection(ends) => {
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
                    psk: self.plan.psk().secret(),
                    initiator: policy.initiator.as_str(),
                    mtu: policy.mtu,
                    dpd: DpdBody {
                        action: policy.dpd.action.as_str(),
                        interval: policy.dpd.interval,
                        timeout: policy.dpd.timeout,
                    },
                };
                region.create_connection(&body).await
            }
        }
    }

    async fn ends(&self, half: &HalfPlan) -> Result<Ends, Error> {
        let (peer_address, peer_id) = match self.plan.far() {
            Far::Peer(peer) => (peer.address.to_string(), peer.id.clone()),
            Far::Half(_) => {
                let address = self.address_across(half).await?.to_string();
                (address.clone(), address)
            }
        };
        let id = |step: Step| {
            let missing = || Error::new(ErrorKind::Unexpected, format!("the {} is not there yet", step.label()));
            self.ledger().get(half.half, step).map(|made| made.id.clone()).ok_or_else(missing)
        };
        Ok(Ends {
            service: id(Step::Service)?,
            ike_policy: id(Step::IkePolicy)?,
            ipsec_policy: id(Step::IpsecPolicy)?,
            local_group: id(Step::LocalGroup)?,
            peer_group: id(Step::PeerGroup)?,
            peer_address,
            peer_id,
        })
    }

    /// Address and identity of what a half connects with: the other service's own external address, never the router's,
    /// which on OVN is another one.
    async fn address_across(&self, half: &HalfPlan) -> Result<IpAddr, Error> {
        let task = Task { half: half.half.other(), step: Step::Service };
        let known = || {
            let ledger = self.ledger();
            let made = ledger.get(task.half, task.step)?;
            match self.plan.outer() {
                Outer::V4 => made.external_v4.map(IpAddr::V4),
                Outer::V6 => made.external_v6.map(IpAddr::V6),
            }
        };
        if known().is_none() {
            self.read_addresses(task).await?;
        }
        known().ok_or_else(|| {
            let family = if self.plan.outer() == Outer::V4 { "IPv4" } else { "IPv6" };
            let text =
                format!("the cloud gave the VPN service of half {} no {family} address to connect to", task.half);
            Error::new(ErrorKind::Unexpected, text)
        })
    }

    /// Reads a service's addresses again: one that was found before its gateway was built has none yet.
    async fn read_addresses(&self, task: Task) -> Result<(), Error> {
        let Some(half) = self.plan.half(task.half) else { return Ok(()) };
        let services = self.work.region(&half.region, task)?.services().await?;
        self.note(|ledger| {
            let Some(mut made) = ledger.get(task.half, task.step).cloned() else { return };
            if let Some(service) = services.iter().find(|service| service.id == made.id) {
                (made.external_v4, made.external_v6) = (service.external_v4, service.external_v6);
                ledger.record(made);
            }
        });
        Ok(())
    }
}
