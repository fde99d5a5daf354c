//! One VPN service for each router, whoever made it.

use std::time::Duration;

use futures::future::join_all;
use itertools::Itertools;
use jiff::Timestamp;
use tokio::time::Instant;

use super::super::late::Look;
use super::super::retry::{pass, send_until_known};
use super::super::{TRIES, delete_made};
use super::{CreateError, Event, Made, Origin, Run, Step, Task, TaskSender};
use crate::cloud::request::VpnServiceBody;
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Error, ErrorKind, Id, Region, Status, VpnService};
use crate::plan::{Half, HalfPlan};

/// What there is on the router, and of ours.
struct Found {
    /// With this VPN's mark, in order.
    ours: Vec<VpnService>,
    /// Whatever else is on the router.
    others: Vec<VpnService>,
}

impl Run<'_> {
    /// Makes the half's VPN service, or reuses the router's. The region is asked again right before, because a second
    /// service on a router takes the first one down, and the plan may be as old as the user was slow.
    pub(super) async fn service(&self, region: &Region, half: &HalfPlan, task: Task) -> Result<Made, Error> {
        let name = self.plan.name().of(Step::Service.object());
        let mark = self.plan.id().mark(half.half);
        let body = VpnServiceBody { name: &name, description: &mark, router: &half.router.id };
        let mut found = self.services(region, half, task).await?;
        // On OVN a request that fails can leave a service in ERROR behind, which holds the next one up.
        for dead in found.ours.iter().filter(|service| service.status == Status::Error) {
            region.delete(Step::Service.kind(), &dead.id).await?;
            self.note(|ledger| ledger.remove(&dead.id));
        }
        found.ours.retain(|service| service.status != Status::Error);
        if let Some(made) = usable(half, task, &found)? {
            return Ok(made);
        }
        // Whatever the status of the answer, it may have left something.
        let sender = TaskSender { run: self, half, task, is_lost: |error| !was_not_let_in(error) };
        let send = async || {
            let service = region.create_service(&body).await?;
            Ok(made_of(task, half, &service, Origin::Created))
        };
        let look = async || {
            let found = self.services(region, half, task).await?;
            match found.ours.iter().find(|service| service.status == Status::Error) {
                Some(dead) => Err(Error::new(ErrorKind::Server, format!("the VPN service {} is in ERROR", dead.id))),
                None => usable(half, task, &found),
            }
        };
        send_until_known(&sender, send, look).await
    }

    /// Sees to it that the services are still there, and those this run has made alone on their routers, before anything
    /// hangs on them.
    pub(super) async fn all_alone(&self, halves: &[Half]) -> Result<(), CreateError> {
        let checked = halves.iter().map(|&half| async move {
            let task = Task { half, step: Step::Service };
            self.alone(task).await.map_err(|mut error| {
                if self.ledger().get(half, Step::Service).is_some() {
                    error.message =
                        format!("It is there; whether it is alone on its router could not be seen: {}", error.message);
                } else {
                    self.work.tell(Event::Failed(task, error.clone(), Duration::ZERO));
                }
                CreateError::Failed(task, Box::new(error))
            })
        });
        join_all(checked).await.into_iter().collect()
    }

    /// Two runs that look at the same moment both see an empty router. So each looks once more after it has made its
    /// service. Of two that see each other the one with the greater id withdraws; the other waits for that, and withdraws
    /// itself if it does not happen, because then the rival looked too early to know of it.
    async fn alone(&self, task: Task) -> Result<(), Error> {
        let Some(half) = self.plan.half(task.half) else { return Ok(()) };
        let connection = Task { half: task.half, step: Step::Connection };
        let (own, may_be_connected) = {
            let ledger = self.ledger();
            let there = ledger.get(task.half, Step::Connection).is_some();
            (ledger.get(task.half, Step::Service).cloned(), there || ledger.is_open(connection))
        };
        let Some(own) = own.filter(|_| !may_be_connected) else { return Ok(()) };
        let region = self.work.region(&half.region, task)?;
        let mut pause = self.work.cloud.limits().back_off;
        for round in 1..=TRIES {
            let Found { ours, others } = self.services(&region, half, task).await?;
            if !ours.iter().chain(&others).any(|service| service.id == own.id) {
                // Somebody has deleted it. A connection asked for now would fail with a 500 that does not say why.
                self.note(|ledger| ledger.remove(&own.id));
                return self.service_again(&region, half, task).await;
            }
            if own.origin == Origin::Reused || others.is_empty() || self.work.stop.is_cancelled() {
                return Ok(());
            }
            if round == TRIES || others.iter().any(|other| other.id < own.id) {
                break;
            }
            if !pass(pause, self.work.stop).await {
                return Ok(());
            }
            pause = pause.saturating_mul(2);
        }
        self.work.tell(Event::Deleting(own.clone()));
        match delete_made(&region, &own).await {
            // Another VPN hangs on it already, so it is the others that have to go.
            Err(error) if error.is_in_use() => {
                self.work.tell(Event::Finished(own, Duration::ZERO));
                return Ok(());
            }
            deleted => deleted?,
        }
        self.note(|ledger| ledger.remove(&own.id));
        self.work.tell(Event::Deleted(own));
        self.service_again(&region, half, task).await
    }

    async fn service_again(&self, region: &Region, half: &HalfPlan, task: Task) -> Result<(), Error> {
        let begun = Instant::now();
        self.work.tell(Event::Started(task));
        let made = self.service(region, half, task).await;
        self.note(|ledger| ledger.answered(task));
        let made = made?;
        self.note(|ledger| ledger.record(made.clone()));
        self.work.tell(Event::Finished(made, begun.elapsed()));
        Ok(())
    }

    async fn services(&self, region: &Region, half: &HalfPlan, task: Task) -> Result<Found, Error> {
        let mark = self.plan.id().mark(half.half);
        let at = Timestamp::now();
        let all = region.services().await?;
        let known: Vec<Id> = self.ledger().removable().into_iter().map(|made| made.id).collect();
        let is_ours = |service: &VpnService| known.contains(&service.id) || self.marks.sent_service(task.half, service);
        let (ours, mut others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|service| is_marked(&service.description, &mark) && is_ours(service));
        let made = |service: &VpnService| made_of(task, half, service, Origin::Adopted);
        let left_alone = others.iter().filter(|service| is_marked(&service.description, &mark)).map(made);
        let look = Look { at, ours: ours.iter().map(made).collect(), others: left_alone.collect() };
        self.note(|ledger| look.note(ledger, task, self.work));
        others.retain(|service| service.router == half.router.id);
        Ok(Found { ours, others })
    }
}

/// The service to go on with: ours before another's. None if there is none on the router.
fn usable(half: &HalfPlan, task: Task, found: &Found) -> Result<Option<Made>, Error> {
    if let Some(service) = found.ours.first() {
        return Ok(Some(made_of(task, half, service, Origin::Adopted)));
    }
    match found.others.as_slice() {
        [] => Ok(None),
        [service] if service.legacy_subnet.is_none() && service.status != Status::Error => {
            Ok(Some(made_of(task, half, service, Origin::Reused)))
        }
        unusable => {
            let ids = unusable.iter().map(|service| service.id.as_str()).join(", ");
            let text = format!(
                "router {} by now holds a VPN service that cannot be used ({ids}), and a second would take it down",
                half.router.name
            );
            let mut error = Error::new(ErrorKind::Conflict, text);
            error.region = Some(half.region.clone());
            Err(error)
        }
    }
}

/// Whether the request certainly got nowhere near the service.
fn was_not_let_in(error: &Error) -> bool {
    use ErrorKind::{
        Certificate, Credentials, Forbidden, RateLimited, SecondFactor, Unanswered, Unauthorized, Unreachable,
    };
    let at_the_door = matches!(
        error.kind,
        Certificate | Credentials | Forbidden | RateLimited | SecondFactor | Unanswered | Unauthorized | Unreachable
    );
    at_the_door || error.request.as_deref().is_some_and(|request| request.ends_with("/auth/tokens"))
}

pub(super) fn made_of(task: Task, half: &HalfPlan, service: &VpnService, origin: Origin) -> Made {
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
