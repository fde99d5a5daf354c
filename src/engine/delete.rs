//! Deleting an object, unless something else uses it.

use std::time::Duration;

use super::replaced::is_connection;
use super::{Changing, End, Event, Failure, Request, Work};
use crate::change::{Deletable, Object};
use crate::cloud::retry::{Pause, pass};
use crate::cloud::vpnaas::Deleted;
use crate::cloud::{Error, Id, Region, SiteConnection};

/// How often the deletion of what something still uses is tried. Some back ends tear a connection down after they have
/// answered; with the default pauses this waits for 6 s.
const TRIES_IN_USE: u32 = 5;

/// The result of a deletion.
pub(super) enum Freed {
    /// It does not exist any more, since now or since before.
    Gone(Deleted),
    /// A connection that stays uses it.
    InUse(Error),
}

pub(super) async fn delete(what: Deletable, id: &Id, region: &Region) -> Result<Deleted, Error> {
    match what {
        Deletable::Vpn(kind) => region.delete(kind, id).await,
        Deletable::Rule => region.delete_rule(id).await,
    }
}

impl Changing {
    pub(super) async fn delete(
        &self,
        step: usize,
        what: Deletable,
        object: &Object,
        work: &Work<'_>,
    ) -> Result<End, Failure> {
        let region = self.region(step, &object.region, work)?;
        let (is_first, is_in_doubt) = (self.has_deleted_nothing(), self.progress().is_in_doubt(step));
        if is_connection(what) {
            self.before_deletion(step, object, work).await?;
        }
        self.announce(step, Request::Delete)?;
        match self.free_and_delete(step, what, &object.id, &region, work).await {
            Ok(Freed::Gone(Deleted::WasGone)) if !is_in_doubt && self.is_replaced(&object.id) => {
                if is_first {
                    // Nothing of the change is deleted, so that it can be rolled back.
                    self.refused(step);
                    return Err(self.was_replaced(step, object, &region).await?);
                }
                self.progress().was_gone(step);
                Ok(End::Gone)
            }
            Ok(Freed::Gone(_)) => Ok(End::Gone),
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

    /// Deletes an object. If something still uses it, and that can only be a connection that was deleted, the cloud is given
    /// time to tear that down.
    pub(super) async fn free_and_delete(
        &self,
        step: usize,
        what: Deletable,
        id: &Id,
        region: &Region,
        work: &Work<'_>,
    ) -> Result<Freed, Error> {
        let mut attempt = 1;
        loop {
            let error = match delete(what, id, region).await {
                Err(error) if error.is_in_use() => error,
                Err(error) => return Err(error),
                Ok(deleted) => {
                    self.notes().torn_down.extend(is_connection(what).then(|| id.clone()));
                    return Ok(Freed::Gone(deleted));
                }
            };
            // Waiting does not help then. A list that cannot be read is no reason to give up.
            let connections = region.connections().await.unwrap_or_default();
            let stays = |connection: &&SiteConnection| !self.notes().torn_down.contains(&connection.id);
            if connections.iter().filter(stays).any(|connection| connection.uses(id)) {
                return Ok(Freed::InUse(error));
            }
            attempt += 1;
            if attempt > TRIES_IN_USE {
                return Err(error);
            }
            let wait = work.limits().back_off_after(attempt - 1).min(Duration::from_secs(10));
            let pause = Pause { error: error.clone(), wait, attempt, of: TRIES_IN_USE };
            work.tell(Event::Waiting(step, Box::new(pause)));
            if !pass(wait, work.stop).await {
                return Err(error);
            }
        }
    }
}
