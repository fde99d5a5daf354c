//! One VPN service for each router, including those not created by osvpn.

use std::time::Duration;

use futures::future::join_all;
use itertools::Itertools;
use jiff::Timestamp;
use tokio::time::Instant;

use super::marked::{Looked, MarkedStep, deletable};
use super::pace::JUST_READ;
use super::prepare::RegionRead;
use super::{Changing, Request, Work};
use crate::change::{Create, HalfObject, New, Task};
use crate::cloud::request::VpnServiceBody;
use crate::cloud::retry::{TRIES, pass};
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Error, ErrorKind, Id, Kind, Region, RegionId, Status, VpnService};
use crate::engine::Event;
use crate::engine::delete::delete;
use crate::engine::{Made, Origin};

/// What there is on the router, and of ours.
struct Services {
    /// With this VPN's marker, in order.
    ours: Vec<VpnService>,
    /// Whatever else is on the router.
    others: Vec<VpnService>,
}

/// The VPN services of each region, and since when they may have changed.
#[derive(Debug)]
pub(super) struct ListedServices {
    since: Instant,
    regions: Vec<(RegionId, Vec<VpnService>)>,
}

impl ListedServices {
    pub(super) fn of(since: Instant, regions: Vec<RegionRead>) -> Self {
        let regions = regions.into_iter().map(|(region, inventory, _)| (region, inventory.services));
        Self { since, regions: regions.collect() }
    }

    /// Those of a region, once, as long as they can be relied on.
    fn take(&mut self, region: &RegionId) -> Option<Vec<VpnService>> {
        let at = self.regions.iter().position(|(listed, _)| listed == region)?;
        let (_, services) = self.regions.swap_remove(at);
        (self.since.elapsed() < JUST_READ).then_some(services)
    }
}

/// The only service of a router, as a step wants it.
#[derive(Clone, Copy)]
pub(super) struct Sole<'a> {
    marked: MarkedStep<'a>,
    router: &'a Id,
    router_name: &'a str,
}

impl<'a> Sole<'a> {
    pub(super) fn of(marked: MarkedStep<'a>) -> Option<Self> {
        let New::SoleService { router, router_name } = &marked.create.object else { return None };
        Some(Self { marked, router, router_name })
    }
}

impl Changing {
    /// Makes a VPN service, or takes the router's. The region is asked again right before, because a second service on a
    /// router takes the first one down, and the plan may be as old as the user was slow. What was listed just now is not
    /// asked for again: [`Self::all_alone`] looks right after.
    pub(super) async fn sole_service(&self, sole: Sole<'_>, region: &Region, work: &Work<'_>) -> Result<Made, Error> {
        let Create { name, description, .. } = sole.marked.create;
        let body = VpnServiceBody { name, description, router: sole.router };
        let mut found = match self.just_listed(sole) {
            Some(listed) => listed,
            None => self.services(sole, region, work).await?,
        };
        // On OVN a request that fails can leave a service in ERROR behind, which holds the next one up.
        for dead in found.ours.iter().filter(|service| service.status == Status::Error) {
            region.delete(Kind::VpnService, &dead.id).await?;
            self.progress().remove(&dead.id);
            self.note();
        }
        found.ours.retain(|service| service.status != Status::Error);
        if let Some(made) = usable(sole, &found)? {
            return Ok(made);
        }
        // Whatever the status of the answer, it may have left something.
        let mut sender = self.sender(sole.marked.step, Request::Create, work, work.stop);
        sender.is_lost = |error| !was_not_let_in(error);
        let send = async || {
            let service = region.create_service(&body).await?;
            Ok(made_of(sole, &service, Origin::Created))
        };
        let look = async || {
            let found = self.services(sole, region, work).await?;
            match found.ours.iter().find(|service| service.status == Status::Error) {
                Some(dead) => Err(Error::new(ErrorKind::Server, format!("the VPN service {} is in ERROR", dead.id))),
                None => usable(sole, &found),
            }
        };
        sender.send_until_known(send, look).await
    }

    /// What was listed before the plan was checked. Nothing of that can be ours: nothing was sent before.
    fn just_listed(&self, sole: Sole<'_>) -> Option<Services> {
        let mut others = self.notes().listed.as_mut()?.take(&sole.marked.create.region)?;
        others.retain(|service| service.router == *sole.router);
        Some(Services { ours: Vec::new(), others })
    }

    /// Sees to it that the services are still there, and those this process has made alone on their routers, before anything
    /// hangs on them.
    pub(super) async fn all_alone(&self, work: &Work<'_>) -> Result<(), (usize, Error)> {
        let checked = self.marked_steps().filter_map(Sole::of).map(|sole| async move {
            self.alone(sole, work).await.map_err(|mut error| {
                if self.progress().object(sole.marked.step).is_some() {
                    error.message =
                        format!("It exists; whether it is alone on its router could not be checked: {}", error.message);
                } else {
                    work.tell(Event::Failed(sole.marked.step, error.clone(), Duration::ZERO));
                }
                (sole.marked.step, error)
            })
        });
        join_all(checked).await.into_iter().collect()
    }

    /// Two processes that look at the same moment both see an empty router. So each looks once more after it has made its
    /// service. Of two that see each other the one with the greater id withdraws; the other waits for that, and withdraws
    /// itself if it does not happen, because then the rival looked too early to know of it.
    async fn alone(&self, sole: Sole<'_>, work: &Work<'_>) -> Result<(), Error> {
        let connection = self.change.step_of(Task { step: HalfObject::Connection, ..sole.marked.task });
        let may_be_connected = connection.is_some_and(|step| self.may_be_made(step));
        let own = self.progress().object(sole.marked.step).cloned();
        let Some(own) = own.filter(|_| !may_be_connected) else { return Ok(()) };
        let region = self.region(sole.marked.step, &sole.marked.create.region, work)?;
        let mut pause = work.limits().back_off;
        for round in 1..=TRIES {
            let Services { ours, others } = self.services(sole, &region, work).await?;
            if !ours.iter().chain(&others).any(|service| service.id == own.id) {
                // Somebody has deleted it. A connection asked for now would fail with a 500 that does not say why.
                self.progress().remove(&own.id);
                self.note();
                return self.service_again(sole, &region, work).await;
            }
            if own.origin == Origin::Reused || others.is_empty() || work.stop.is_cancelled() {
                return Ok(());
            }
            if round == TRIES || others.iter().any(|other| other.id < own.id) {
                break;
            }
            if !pass(pause, work.stop).await {
                return Ok(());
            }
            pause = pause.saturating_mul(2);
        }
        work.tell(Event::Deleting(own.clone()));
        match delete(deletable(&own), &own.id, &region).await {
            // Another VPN hangs on it already, so it is the others that have to go.
            Err(error) if error.is_in_use() => {
                work.tell(Event::Made(own, Duration::ZERO));
                return Ok(());
            }
            deleted => drop(deleted?),
        }
        self.forget(&own, work);
        self.service_again(sole, &region, work).await
    }

    async fn service_again(&self, sole: Sole<'_>, region: &Region, work: &Work<'_>) -> Result<(), Error> {
        let begun = Instant::now();
        work.tell(Event::Started(sole.marked.step));
        let made = self.sole_service(sole, region, work).await?;
        self.progress().record(made.clone());
        self.note();
        work.tell(Event::Made(made, begun.elapsed()));
        Ok(())
    }

    async fn services(&self, sole: Sole<'_>, region: &Region, work: &Work<'_>) -> Result<Services, Error> {
        let marker = sole.marked.create.marker();
        let at = Timestamp::now();
        let all = region.services().await?;
        let known: Vec<Id> = self.progress().removable().into_iter().map(|made| made.id).collect();
        let is_sent = |service: &VpnService| service.router == *sole.router && service.name == sole.marked.create.name;
        let is_ours = |service: &VpnService| known.contains(&service.id) || is_sent(service);
        let (ours, mut others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|service| is_marked(&service.description, marker) && is_ours(service));
        let made = |service: &VpnService| made_of(sole, service, Origin::Adopted);
        let left_alone = others.iter().filter(|service| is_marked(&service.description, marker)).map(made);
        let looked = Looked { at, ours: ours.iter().map(made).collect(), others: left_alone.collect() };
        self.note_look(sole.marked.step, looked, work);
        others.retain(|service| service.router == *sole.router);
        Ok(Services { ours, others })
    }
}

/// The service to go on with: ours before another's. None if there is none on the router.
fn usable(sole: Sole<'_>, found: &Services) -> Result<Option<Made>, Error> {
    if let Some(service) = found.ours.first() {
        return Ok(Some(made_of(sole, service, Origin::Adopted)));
    }
    match found.others.as_slice() {
        [] => Ok(None),
        [service] if service.legacy_subnet.is_none() && service.status != Status::Error => {
            Ok(Some(made_of(sole, service, Origin::Reused)))
        }
        unusable => {
            let ids = unusable.iter().map(|service| service.id.as_str()).join(", ");
            let text = format!(
                "router {} now holds a VPN service that cannot be used ({ids}), and a second one would break it",
                sole.router_name
            );
            let mut error = Error::new(ErrorKind::Conflict, text);
            error.region = Some(sole.marked.create.region.clone());
            Err(error)
        }
    }
}

fn made_of(sole: Sole<'_>, service: &VpnService, origin: Origin) -> Made {
    Made {
        task: sole.marked.task,
        region: sole.marked.create.region.clone(),
        id: service.id.clone(),
        name: service.name.clone(),
        origin,
        external_v4: service.external_v4,
        external_v6: service.external_v6,
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
