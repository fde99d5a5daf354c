//! Deleting an object, unless something else uses it.

use std::time::Duration;

use super::replaced::is_connection;
use super::{ChangeEvent, ChangeWork, Changing, End, Failure, Request};
use crate::change::{Deletable, Object};
use crate::cloud::retry::Pause;
use crate::cloud::{Error, Id, Kind, Region};

/// How often the deletion of what something still uses is tried, as in [`undo`](crate::engine::undo).
const TRIES_IN_USE: u32 = 5;

/// What became of an object that was to be deleted.
pub(super) enum Freed {
    /// It does not exist any more.
    Gone,
    /// A connection that is to stay uses it.
    InUse(Error),
}

impl Changing {
    pub(super) async fn delete(
        &mut self,
        step: usize,
        what: Deletable,
        object: &Object,
        work: &ChangeWork<'_>,
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

    /// Deletes an object. If something still uses it, and that can only be a connection that was deleted, the cloud is
    /// given time to tear that down.
    pub(super) async fn free_and_delete(
        &mut self,
        step: usize,
        what: Deletable,
        id: &Id,
        region: &Region,
        work: &ChangeWork<'_>,
    ) -> Result<Freed, Error> {
        let mut pause = region.cloud().limits().back_off;
        let mut attempt = 1;
        loop {
            let error = match delete(what, id, region).await {
                Err(error) if error.is_in_use() => error,
                deleted => {
                    deleted?;
                    if what == Deletable::Vpn(Kind::SiteConnection) {
                        self.torn_down.push(id.clone());
                    }
                    return Ok(Freed::Gone);
                }
            };
            if self.is_used_elsewhere(id, region).await {
                return Ok(Freed::InUse(error));
            }
            attempt += 1;
            if attempt > TRIES_IN_USE {
                return Err(error);
            }
            let told = Pause { error: error.clone(), wait: pause, attempt, of: TRIES_IN_USE };
            work.tell(ChangeEvent::Waiting(step, Box::new(told)));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = work.stop.cancelled() => return Err(error),
            }
            pause = pause.saturating_mul(2).min(Duration::from_secs(10));
        }
    }

    /// Whether a connection that was not deleted here uses the object, in which case waiting does not help. A list that
    /// cannot be read is no reason to give up.
    async fn is_used_elsewhere(&self, id: &Id, region: &Region) -> bool {
        let connections = region.connections().await.unwrap_or_default();
        connections.iter().any(|connection| !self.torn_down.contains(&connection.id) && connection.uses(id))
    }
}

pub(super) async fn delete(what: Deletable, id: &Id, region: &Region) -> Result<(), Error> {
    match what {
        Deletable::Vpn(kind) => region.delete(kind, id).await.map(drop),
        Deletable::Rule => region.delete_rule(id).await.map(drop),
    }
}
