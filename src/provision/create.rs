//! Making what is missing.

use std::net::IpAddr;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ledger::{Ledger, Made, Origin};
use super::undo::twins;
use super::{Event, Events, Step, Task, no_region, tell};
use crate::cloud::request::{
    Dpd, EndpointGroupBody, IkePolicyBody, IpsecPolicyBody, Seconds, SiteConnectionBody, VpnServiceBody,
};
use crate::cloud::{Cloud, Error, ErrorKind, Id, Region, Status, VpnService};
use crate::plan::{Far, Half, HalfPlan, Outer, Plan};

/// Why not everything was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateError {
    /// A request failed. What the ledger holds exists; calling again does the rest.
    Failed(Task, Box<Error>),
    /// The user asked to stop; what was under way is settled.
    Stopped,
}

/// Makes whatever of the plan the ledger does not hold yet.
///
/// A request whose answer was lost is never repeated blindly: the region is first asked for an object with this VPN's
/// mark. The ledger is true after every return, also after an error.
///
/// # Errors
/// The first failed request, or the wish to stop.
pub async fn create(
    plan: &Plan,
    ledger: &mut Ledger,
    cloud: &Cloud,
    events: &Events,
    stop: &CancellationToken,
) -> Result<(), CreateError> {
    let run = Run { plan, cloud, events };
    let halves: Vec<Half> = plan.halves().map(|half| half.half).collect();
    let parts = [Step::IkePolicy, Step::IpsecPolicy, Step::LocalGroup, Step::PeerGroup];
    let at_once: [Vec<Task>; 2] = [
        halves.iter().map(|&half| Task { half, step: Step::Service }).collect(),
        halves.iter().flat_map(|&half| parts.map(|step| Task { half, step })).collect(),
    ];
    let one_by_one = halves.iter().map(|&half| vec![Task { half, step: Step::Connection }]);
    for wave in at_once.into_iter().chain(one_by_one) {
        if stop.is_cancelled() {
            return Err(CreateError::Stopped);
        }
        run.wave(&wave, ledger).await?;
    }
    sweep(plan, ledger, cloud).await;
    Ok(())
}

/// Deletes the twins that requests given up have made after all. What cannot be deleted now stays in the ledger, for an
/// undo to try again.
async fn sweep(plan: &Plan, ledger: &mut Ledger, cloud: &Cloud) {
    let suspects = ledger.suspect();
    if suspects.is_empty() {
        return;
    }
    twins(plan, ledger, cloud).await;
    let ours: Vec<Id> = ledger.made().iter().map(|made| made.id.clone()).collect();
    for twin in ledger.removable().into_iter().filter(|made| !ours.contains(&made.id)) {
        let Some(region) = cloud.region(&twin.region) else { continue };
        if region.delete(twin.task.step.kind(), &twin.id).await.is_ok() {
            ledger.remove(&twin.id);
        }
    }
    for task in suspects {
        ledger.clear(task);
    }
}

/// Whether a request without a final answer may still take effect: behind a proxy, the service goes on working on what
/// the proxy has given up.
fn may_land_late(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Timeout | ErrorKind::Interrupted) || matches!(error.status, Some(502 | 504))
}

struct Run<'a> {
    plan: &'a Plan,
    cloud: &'a Cloud,
    events: &'a Events,
}

/// How a task ended, beside the object it made.
struct Ended {
    task: Task,
    took: Duration,
    result: Result<Made, Failure>,
}

struct Failure {
    error: Error,
    /// An object the failed request left behind all the same.
    left: Option<Made>,
    /// Whether nobody could tell if it left one.
    in_doubt: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, left: None, in_doubt: false }
    }
}

impl Run<'_> {
    async fn wave(&self, tasks: &[Task], ledger: &mut Ledger) -> Result<(), CreateError> {
        let before = &*ledger;
        let missing = tasks.iter().copied().filter(|task| before.get(task.half, task.step).is_none());
        let ended = join_all(missing.map(|task| self.task(task, before))).await;
        let mut first = None;
        for Ended { task, took, result } in ended {
            match result {
                Ok(made) => ledger.record(made),
                Err(Failure { error, left, in_doubt }) => {
                    match (left, in_doubt) {
                        (Some(left), _) => ledger.leave(left),
                        (None, true) => ledger.doubt(task),
                        (None, false) => ledger.settle(task),
                    }
                    tell(self.events, Event::Failed(task, error.clone(), took));
                    first = first.or(Some(CreateError::Failed(task, Box::new(error))));
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    async fn task(&self, task: Task, ledger: &Ledger) -> Ended {
        tell(self.events, Event::Started(task));
        let begun = Instant::now();
        let result = self.make(task, ledger).await;
        let took = begun.elapsed();
        if let Ok(made) = &result {
            tell(self.events, Event::Finished(made.clone(), took));
        }
        Ended { task, took, result }
    }

    async fn make(&self, task: Task, ledger: &Ledger) -> Result<Made, Failure> {
        let half =
            self.plan.half(task.half).ok_or_else(|| Error::new(ErrorKind::Unexpected, "this plan has one half"))?;
        let region = self.cloud.region(&half.region).ok_or_else(|| no_region(&half.region))?;
        if task.step == Step::Service {
            // It asks the region before it makes anything, doubt or not.
            return self.service(&region, half, ledger.is_doubtful(task)).await;
        }
        if ledger.is_doubtful(task) {
            match self.left_behind(&region, half, task).await {
                Ok(Some(made)) => return Ok(made),
                Ok(None) => {}
                Err(error) => return Err(Failure { error, left: None, in_doubt: true }),
            }
        }
        match self.post(&region, half, task, ledger).await {
            Ok(id) => Ok(self.made(half, task, id, Origin::Created)),
            Err(error) if error.is_doubtful() => match self.left_behind(&region, half, task).await {
                Ok(Some(made)) => Ok(made),
                Ok(None) => Err(Failure { in_doubt: may_land_late(&error), error, left: None }),
                Err(_) => Err(Failure { error, left: None, in_doubt: true }),
            },
            Err(error) => Err(Failure::from(error)),
        }
    }

    fn made(&self, half: &HalfPlan, task: Task, id: Id, origin: Origin) -> Made {
        let name = self.plan.name().of(task.step.object());
        Made { task, region: half.region.clone(), id, name, origin, external_v4: None, external_v6: None }
    }

    /// The object an earlier request of this VPN made, told by mark and name.
    async fn left_behind(&self, region: &Region, half: &HalfPlan, task: Task) -> Result<Option<Made>, Error> {
        let mark = self.plan.id().mark(half.half);
        let name = self.plan.name().of(task.step.object());
        let found = region.marked(task.step.kind(), &mark).await?.into_iter().find(|object| object.name == name);
        Ok(found.map(|object| self.made(half, task, object.id, Origin::Adopted)))
    }

    /// Makes the half's VPN service, or reuses the router's. The region is asked again right before, because a second
    /// service on a router takes the first one down, and the plan may be as old as the user was slow.
    async fn service(&self, region: &Region, half: &HalfPlan, in_doubt: bool) -> Result<Made, Failure> {
        let task = Task { half: half.half, step: Step::Service };
        let mark = self.plan.id().mark(half.half);
        let mut on_router = match region.services().await {
            Ok(services) => services,
            Err(error) => return Err(Failure { error, left: None, in_doubt }),
        };
        on_router.retain(|service| service.router == half.router.id);
        // On OVN a request that fails can leave a service in ERROR behind, which holds the next one up.
        let (dead, on_router): (Vec<_>, Vec<_>) =
            on_router.into_iter().partition(|service| service.description == mark && service.status == Status::Error);
        for service in dead {
            if let Err(error) = region.delete(Step::Service.kind(), &service.id).await {
                let left = Some(of_service(task, half, &service, Origin::Adopted));
                return Err(Failure { error, left, in_doubt: false });
            }
        }
        match on_router.as_slice() {
            [] => self.new_service(region, half, task, &mark).await,
            [service] if service.description == mark => Ok(of_service(task, half, service, Origin::Adopted)),
            [service] if service.legacy_subnet.is_none() && service.status != Status::Error => {
                Ok(of_service(task, half, service, Origin::Reused))
            }
            unusable => {
                let ids = unusable.iter().map(|service| service.id.as_str()).collect::<Vec<_>>().join(", ");
                let text = format!(
                    "router {} by now holds a VPN service that cannot be used ({ids}), and a second would take it down",
                    half.router.name
                );
                let mut error = Error::new(ErrorKind::Conflict, text);
                error.region = Some(half.region.clone());
                Err(Failure::from(error))
            }
        }
    }

    async fn new_service(&self, region: &Region, half: &HalfPlan, task: Task, mark: &str) -> Result<Made, Failure> {
        let name = self.plan.name().of(Step::Service.object());
        let body = VpnServiceBody { name: &name, description: mark, router: &half.router.id };
        let error = match region.create_service(&body).await {
            Ok(service) => return Ok(of_service(task, half, &service, Origin::Created)),
            Err(error) => error,
        };
        // Whatever the status of the answer, it may have left something.
        let left = match region.services().await {
            Ok(services) => services.into_iter().find(|service| service.description == mark),
            Err(_) => return Err(Failure { in_doubt: error.is_doubtful(), error, left: None }),
        };
        match left {
            Some(service) if service.status == Status::Error => {
                let left = Some(of_service(task, half, &service, Origin::Adopted));
                Err(Failure { error, left, in_doubt: false })
            }
            Some(service) => Ok(of_service(task, half, &service, Origin::Adopted)),
            None => Err(Failure { in_doubt: may_land_late(&error), error, left: None }),
        }
    }

    async fn post(&self, region: &Region, half: &HalfPlan, task: Task, ledger: &Ledger) -> Result<Id, Error> {
        let name = self.plan.name().of(task.step.object());
        let mark = self.plan.id().mark(half.half);
        let (name, description) = (name.as_str(), mark.as_str());
        let policy = self.plan.policy();
        match task.step {
            Step::IkePolicy => {
                let ike = &policy.ike;
                let body = IkePolicyBody {
                    name,
                    description,
                    auth_algorithm: ike.auth_algorithm.as_str(),
                    encryption_algorithm: ike.encryption_algorithm.as_str(),
                    phase1_negotiation_mode: ike.phase1_negotiation_mode.as_str(),
                    ike_version: ike.ike_version.as_str(),
                    pfs: ike.pfs.as_str(),
                    lifetime: Seconds { value: ike.lifetime },
                };
                region.create_ike_policy(&body).await
            }
            Step::IpsecPolicy => {
                let ipsec = &policy.ipsec;
                let body = IpsecPolicyBody {
                    name,
                    description,
                    transform_protocol: ipsec.transform_protocol.as_str(),
                    auth_algorithm: ipsec.auth_algorithm.as_str(),
                    encryption_algorithm: ipsec.encryption_algorithm.as_str(),
                    encapsulation_mode: ipsec.encapsulation_mode.as_str(),
                    pfs: ipsec.pfs.as_str(),
                    lifetime: Seconds { value: ipsec.lifetime },
                };
                region.create_ipsec_policy(&body).await
            }
            Step::LocalGroup => {
                let endpoints: Vec<String> = half.local.iter().map(|subnet| subnet.id.to_string()).collect();
                let body = EndpointGroupBody { name, description, kind: "subnet", endpoints: &endpoints };
                region.create_endpoint_group(&body).await
            }
            Step::PeerGroup => {
                let endpoints: Vec<String> = half.remote.iter().map(ToString::to_string).collect();
                let body = EndpointGroupBody { name, description, kind: "cidr", endpoints: &endpoints };
                region.create_endpoint_group(&body).await
            }
            Step::Service | Step::Connection => {
                let id = |step: Step| {
                    let missing =
                        || Error::new(ErrorKind::Unexpected, format!("the {} is not there yet", step.label()));
                    ledger.get(half.half, step).map(|made| &made.id).ok_or_else(missing)
                };
                let (peer_address, peer_id) = self.peer(half, ledger)?;
                let body = SiteConnectionBody {
                    name,
                    description,
                    service: id(Step::Service)?,
                    ike_policy: id(Step::IkePolicy)?,
                    ipsec_policy: id(Step::IpsecPolicy)?,
                    local_group: id(Step::LocalGroup)?,
                    peer_group: id(Step::PeerGroup)?,
                    peer_address: &peer_address,
                    peer_id: &peer_id,
                    psk: self.plan.psk().secret(),
                    initiator: policy.initiator.as_str(),
                    mtu: policy.mtu,
                    dpd: Dpd {
                        action: policy.dpd.action.as_str(),
                        interval: policy.dpd.interval,
                        timeout: policy.dpd.timeout,
                    },
                };
                region.create_connection(&body).await
            }
        }
    }

    /// Address and identity of what a half connects with: the other service's own external address, never the router's,
    /// which on OVN is another one.
    fn peer(&self, half: &HalfPlan, ledger: &Ledger) -> Result<(String, String), Error> {
        if let Far::Peer(peer) = self.plan.far() {
            return Ok((peer.address.to_string(), peer.id.clone()));
        }
        let other = half.half.other();
        let service = ledger.get(other, Step::Service);
        let address = service.and_then(|made| match self.plan.outer() {
            Outer::V4 => made.external_v4.map(IpAddr::V4),
            Outer::V6 => made.external_v6.map(IpAddr::V6),
        });
        let address = address.ok_or_else(|| {
            let family = if self.plan.outer() == Outer::V4 { "IPv4" } else { "IPv6" };
            let text = format!("the cloud gave the VPN service of half {other} no {family} address to connect to");
            Error::new(ErrorKind::Unexpected, text)
        })?;
        Ok((address.to_string(), address.to_string()))
    }
}

fn of_service(task: Task, half: &HalfPlan, service: &VpnService, origin: Origin) -> Made {
    Made {
        task,
        region: half.region.clone(),
        id: service.id.clone(),
        name: service.name.clone(),
        origin,
        external_v4: service.external_v4,
        external_v6: service.external_v6,
    }
}
