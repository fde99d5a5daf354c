//! Switching a VPN service off and on again. It is never left off: neither a stop nor a failure keeps it from being switched
//! on, and should the process die in between, the process that resumes the change switches it on.

use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Changing, End, Request, Work};
use crate::change::{Object, Ref, Restarted, Step};
use crate::cloud::changes::ServiceChanges;
use crate::cloud::{Cloud, Error, ErrorKind, Id, Kind, Region, Status};

/// How long a service is watched until its agent has switched it off. Agents that hear of it do so within seconds; switched
/// on before that, it would not be noticed to have been off.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(45);
/// How long it is left off at least, in back-offs: 4 s with the default limits.
const SHORTEST_STANDSTILL: u32 = 10;
/// Between two questions for its status.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a token that is not renewed by itself has to be good for before a service is switched off: the longest
/// standstill, and the retries of what switches it on.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(180);

impl Changing {
    /// Waits until agents have reported on the services that were just made and are to be restarted: until then Neutron
    /// changes nothing about them, and the halves of a VPN are to be off at the same time. That a service cannot be seen is
    /// told when it is restarted.
    pub(super) async fn until_reported(&self, steps: &[usize], work: &Work<'_>) {
        let made = steps.iter().filter_map(|&step| match &self.change.steps()[step] {
            Step::Restart(restarted @ Restarted { service: Ref::Made(_), .. }) => {
                Some((step, self.restarted(restarted)?))
            }
            _ => None,
        });
        join_all(made.map(|(step, service)| async move {
            let Ok(region) = self.region(step, &service.region, work) else { return };
            let mut looks = 0;
            while ShownService::of(&region, &service).await.is_ok_and(|shown| shown.is_pending) {
                looks += 1;
                let mut pending = Error::new(ErrorKind::Conflict, "No agent has reported on the new VPN service yet.");
                pending.neutron_type = Some("VPNStateInvalidToUpdate".to_owned());
                if !work.wait_for_agent(&work.patience(step, work.stop.clone()), &pending, looks).await {
                    return;
                }
            }
        }))
        .await;
    }

    pub(super) async fn restart(&self, step: usize, service: &Object, work: &Work<'_>) -> Result<End, Error> {
        let region = self.region(step, &service.region, work)?;
        // With an expired token this waits for a new sign-in, and nothing may wait for that once the service is off.
        let before = match ShownService::of(&region, service).await {
            Err(error) if error.is_gone() => return Ok(End::Gone),
            shown => shown?,
        };
        // Its agent cannot be made to hear of it.
        if before.is_pending {
            return Ok(End::Unnoticed(before.router));
        }
        if let Some(error) = expires_soon(self.session(step, &service.region, work)) {
            if self.progress().is_half_done(step) {
                self.switch_on(step, service, work).await?;
                self.outdate(step);
            }
            return Err(error);
        }
        self.announce(step, Request::SwitchOff)?;
        match switch(&region, service, false).await {
            Ok(()) => {}
            Err(error) if error.is_gone() => return Ok(End::Gone),
            Err(error) if !error.is_doubtful() => {
                self.refused(step);
                return Err(error);
            }
            Err(error) => {
                self.lose(step, &error, work);
                // Whether or not it is off: it is not left so.
                self.switch_on(step, service, work).await?;
                self.outdate(step);
                return Err(error);
            }
        }
        self.progress().answered(step, Request::SwitchOff);
        self.note();
        let is_noticed = until_off(&region, service, before.is_active, work.stop).await;
        self.switch_on(step, service, work).await?;
        Ok(if is_noticed { End::Changed } else { End::Unnoticed(before.router) })
    }

    fn outdate(&self, step: usize) {
        self.progress().outdate(step);
        self.note();
    }

    /// Switches the service on, even when asked to stop.
    pub(super) async fn switch_on(&self, step: usize, service: &Object, work: &Work<'_>) -> Result<(), Error> {
        let region = self.steadfast(step, &service.region, work)?;
        let never = CancellationToken::new();
        let send = async || match switch(&region, service, true).await {
            // Somebody has deleted it, so it is not left off.
            Err(error) if error.is_gone() => Ok(()),
            sent => sent,
        };
        let look = async || Ok(is_up(&region, service).await?.then_some(()));
        self.sender(step, Request::SwitchOn, work, &never).send_until_known(send, look).await
    }

    /// Sees to it that no request that was lost has switched the service off.
    pub(super) async fn see_that_it_is_on(&self, step: usize, service: &Object, region: &Region) -> Result<(), Error> {
        let at = Timestamp::now();
        let is_up = match is_up(region, service).await {
            // Somebody has deleted it.
            Err(error) if error.is_gone() => {
                self.progress().calm(step);
                return Ok(());
            }
            is_up => is_up?,
        };
        if !is_up {
            switch(region, service, true).await?;
        }
        self.progress().looked(step, at, usize::from(!is_up));
        Ok(())
    }
}

async fn switch(region: &Region, service: &Object, up: bool) -> Result<(), Error> {
    let changes = ServiceChanges { admin_state_up: Some(up), ..ServiceChanges::default() };
    region.update_service(&service.id, &changes).await
}

async fn is_up(region: &Region, service: &Object) -> Result<bool, Error> {
    ShownService::of(region, service).await.map(|shown| shown.is_on)
}

/// Why a service is not switched off with this token, if it is not.
fn expires_soon(cloud: &Cloud) -> Option<Error> {
    if cloud.renews_silently() {
        return None;
    }
    let left = cloud.expires_at()?.duration_since(Timestamp::now());
    let message = "The token expires in less than 3 min and cannot be renewed by itself. A VPN service that is switched off \
                   then might stay off, so it was not touched. Sign in again and continue, or try again once the token has \
                   expired: a new one is asked for then.";
    (left < SHORTEST_LIFE).then(|| Error::new(ErrorKind::Credentials, message))
}

/// What a service says of itself.
struct ShownService {
    is_active: bool,
    /// Whether no agent has reported on it yet.
    is_pending: bool,
    /// Whether it is to run.
    is_on: bool,
    router: Option<Id>,
}

impl ShownService {
    async fn of(region: &Region, service: &Object) -> Result<Self, Error> {
        let fields = ["status", "admin_state_up", "router_id"];
        let shown = region.show(Kind::VpnService, &service.id, &fields).await?;
        let text = |name: &str| shown.get(name).and_then(Value::as_str);
        let status = text("status").map(Status::parse);
        Ok(Self {
            is_active: status == Some(Status::Active),
            is_pending: status == Some(Status::PendingCreate),
            is_on: shown.get("admin_state_up") == Some(&Value::Bool(true)),
            router: text("router_id").map(Id::new),
        })
    }
}

/// Waits until the service is seen not to run, or it is of no use to wait longer. A status that cannot be read is no reason
/// to leave it off. Whether it was seen to stop; of one that did not run before, nothing can be seen, and its agent is
/// given some seconds.
async fn until_off(region: &Region, service: &Object, was_active: bool, stop: &CancellationToken) -> bool {
    let deadline = Instant::now() + LONGEST_STANDSTILL;
    let mut pause = region.cloud().limits().back_off.min(LONGEST_PAUSE);
    let unseen = Instant::now() + pause.saturating_mul(SHORTEST_STANDSTILL);
    let mut is_seen = !was_active;
    while Instant::now() < deadline && !stop.is_cancelled() {
        let Ok(shown) = ShownService::of(region, service).await else { break };
        is_seen |= !shown.is_active;
        // Somebody else, or a request that was lost, may have switched it on.
        if shown.is_on || (!shown.is_active && Instant::now() >= unseen) {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
    is_seen
}
