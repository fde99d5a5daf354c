//! Deleting an object, unless something else uses it.

use super::replaced::is_connection;
use super::{Changing, End, Failure, Job, Request};
use crate::change::{Deletable, Object};
use crate::cloud::{Error, Id, Region};
use crate::engine::delete::{self, Freed};

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
        let freed = delete::free_and_delete(region, what, id, is_torn_down, &patience).await?;
        if matches!(freed, Freed::Gone) && is_connection(what) {
            self.notes().torn_down.push(id.clone());
        }
        Ok(freed)
    }
}
