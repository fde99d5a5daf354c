//! Deleting an object, unless something else uses it.

use std::time::Duration;

use super::replaced::is_connection;
use super::retry::pass;
use super::{Changing, End, Failure, Job, Request};
use crate::change::{Deletable, Object};
use crate::cloud::retry::{Patience, Pause};
use crate::cloud::{Error, Id, Region};

/// How often the deletion of what something still uses is tried. Some back ends tear a connection down after they have
/// answered; with the default pauses this waits for 6 s.
const TRIES_IN_USE: u32 = 5;

/// The result of a deletion.
pub(super) enum Freed {
    /// It does not exist any more.
    Gone,
    /// A connection that stays uses it.
    InUse(Error),
}

/// Deletes an object. If something still uses it, and that can only be a connection that was deleted, the cloud is given time
/// to tear that down.
pub(super) async fn free_and_delete(
    region: &Region,
    what: Deletable,
    id: &Id,
    is_torn_down: impl Fn(&Id) -> bool,
    patience: &Patience,
) -> Result<Freed, Error> {
    let mut pause = region.cloud().limits().back_off;
    let mut attempt = 1;
    loop {
        let error = match delete(what, id, region).await {
            Err(error) if error.is_in_use() => error,
            deleted => return deleted.map(|()| Freed::Gone),
        };
        // Waiting does not help then. A list that cannot be read is no reason to give up.
        let connections = region.connections().await.unwrap_or_default();
        if connections.iter().any(|connection| !is_torn_down(&connection.id) && connection.uses(id)) {
            return Ok(Freed::InUse(error));
        }
        attempt += 1;
        if attempt > TRIES_IN_USE {
            return Err(error);
        }
        (patience.told)(Pause { error: error.clone(), wait: pause, attempt, of: TRIES_IN_USE });
        if !pass(pause, &patience.stop).await {
            return Err(error);
        }
        pause = pause.saturating_mul(2).min(Duration::from_secs(10));
    }
}

pub(super) async fn delete(what: Deletable, id: &Id, region: &Region) -> Result<(), Error> {
    match what {
        Deletable::Vpn(kind) => region.delete(kind, id).await.map(drop),
        Deletable::Rule => region.delete_rule(id).await.map(drop),
    }
}

impl Changing {
    pub(super) async fn delete(
        &self,
        step: usize,
        what: Deletable,
        object: &Object,
        work: &Job<'_>,
    ) -> Result<End, Failure> {
        let region = work.region(&object.region, step)?;
        if is_connection(what) {
            self.before_deletion(step, object, work).await?;
        }
        self.announce(step, Request::Delete)?;
        match self.free_and_delete(step, what, &object.id, &region, work).await {
            Ok(Freed::Gone) => Ok(End::Gone),
            Ok(Freed::InUse(error)) => Ok(End::Kept(error.message)),
            Err(error) => {
                if error.is_doubtful() {
                    self.lose(step, &error, work);
                } else {
                    self.refused(step);
                }
                Err(error.into())
            }
        }
    }

    pub(super) async fn free_and_delete(
        &self,
        step: usize,
        what: Deletable,
        id: &Id,
        region: &Region,
        work: &Job<'_>,
    ) -> Result<Freed, Error> {
        let is_torn_down = |id: &Id| self.notes().torn_down.contains(id);
        let patience = work.patience(step, work.stop.clone());
        let freed = free_and_delete(region, what, id, is_torn_down, &patience).await?;
        if matches!(freed, Freed::Gone) && is_connection(what) {
            self.notes().torn_down.push(id.clone());
        }
        Ok(freed)
    }
}
