//! Switching a VPN service off and on again. It is never left off: neither a stop nor a failure keeps it from being switched
//! on, and should the process die in between, whoever goes on with the change switches it on.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::progress::Stand;
use super::{ChangeWork, Changing, End, Request};
use crate::change::Object;
use crate::cloud::changes::ServiceChanges;
use crate::cloud::{Error, Kind, Region, Status};

/// How long a service is watched until its agent has switched it off. Agents that hear of it do so within seconds; switched
/// on before that, it would not be noticed to have been off.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(45);
/// How long it is left off at least, in back-offs: 4 s with the default limits.
const SHORTEST_STANDSTILL: u32 = 10;
/// Between two questions for its status.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Changing {
    pub(super) async fn restart(&mut self, step: usize, service: &Object, work: &ChangeWork<'_>) -> Result<End, Error> {
        // Had it been seen off before, it only has to be switched on.
        if !matches!(self.progress.stand(step), Stand::Sent(Request::SwitchOn, _) | Stand::Lost(Request::SwitchOn)) {
            let region = work.region(&service.region, step)?;
            self.announce(step, Request::SwitchOff)?;
            match switch(&region, service, false).await {
                Ok(()) => {}
                Err(error) if !error.is_doubtful() => {
                    self.refused(step);
                    return Err(error);
                }
                Err(error) => {
                    self.lose(step, &error, work);
                    // Whether or not it is off: it is not left so.
                    self.switch_on(step, service, work).await?;
                    self.progress.reopen(step);
                    self.kept.note(&self.change, &self.progress);
                    return Err(error);
                }
            }
            self.progress.answered(step, Request::SwitchOff);
            self.kept.note(&self.change, &self.progress);
            until_off(&region, service, work.stop).await;
        }
        self.switch_on(step, service, work).await?;
        Ok(End::Changed)
    }

    /// Switches the service on, whoever wants to stop.
    pub(super) async fn switch_on(
        &mut self,
        step: usize,
        service: &Object,
        work: &ChangeWork<'_>,
    ) -> Result<(), Error> {
        let region = work.steadfast(&service.region, step)?;
        let never = CancellationToken::new();
        let mut failures = 0;
        self.announce(step, Request::SwitchOn)?;
        loop {
            let error = match switch(&region, service, true).await {
                Ok(()) => return Ok(()),
                // Somebody has deleted it, so it is not left off.
                Err(error) if error.is_gone() => return Ok(()),
                Err(error) => error,
            };
            failures += 1;
            if !error.is_doubtful() {
                // The step does not stand where it stood before: the service is still to be switched on.
                return Err(error);
            }
            self.lose(step, &error, work);
            let again = work.may_try_again(step, &error, failures, &never).await;
            match is_up(&region, service).await {
                Ok(true) => return Ok(()),
                Ok(false) if again => {}
                Ok(false) | Err(_) => return Err(error),
            }
        }
    }

    /// Sees to it that no request that was lost has switched the service off.
    pub(super) async fn see_that_it_is_on(
        &mut self,
        step: usize,
        service: &Object,
        region: &Region,
    ) -> Result<(), Error> {
        let at = Timestamp::now();
        let is_up = is_up(region, service).await?;
        if !is_up {
            switch(region, service, true).await?;
        }
        self.progress.looked(step, at, usize::from(!is_up));
        Ok(())
    }
}

async fn switch(region: &Region, service: &Object, up: bool) -> Result<(), Error> {
    let changes = ServiceChanges { admin_state_up: Some(up), ..ServiceChanges::default() };
    region.update_service(&service.id, &changes).await
}

async fn is_up(region: &Region, service: &Object) -> Result<bool, Error> {
    let shown = region.show(Kind::VpnService, &service.id, &["admin_state_up"]).await?;
    Ok(shown.get("admin_state_up") == Some(&serde_json::Value::Bool(true)))
}

/// Waits until the service is seen not to run, or it is of no use to wait longer. A status that cannot be read is no reason
/// to leave it off. Of one that did not run before, nothing is seen: its agent is given some seconds.
async fn until_off(region: &Region, service: &Object, stop: &CancellationToken) {
    let deadline = Instant::now() + LONGEST_STANDSTILL;
    let mut pause = region.cloud().limits().back_off.min(LONGEST_PAUSE);
    let unseen = Instant::now() + pause.saturating_mul(SHORTEST_STANDSTILL);
    while Instant::now() < deadline && !stop.is_cancelled() {
        let shown = region.show(Kind::VpnService, &service.id, &["status", "admin_state_up"]).await;
        let Ok(shown) = shown else { return };
        let is_active =
            shown.get("status").and_then(serde_json::Value::as_str).map(Status::parse) == Some(Status::Active);
        // Somebody else, or a request that was lost, may have switched it on by now.
        let is_up = shown.get("admin_state_up") == Some(&serde_json::Value::Bool(true));
        if is_up || (!is_active && Instant::now() >= unseen) {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}
