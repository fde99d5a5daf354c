//! What earlier requests of a VPN have made: taken where it is what the plan wants, deleted where it is in the way.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use super::{CreateError, Event, Half, Made, Run, Step, Task, late};
use crate::cloud::{Error, Region};
use crate::engine::undo::{free_and_delete, verify};
use crate::plan::fields::PolicyField;

impl Run<'_> {
    async fn look(&self, region: &Region, task: Task) -> Result<(), Error> {
        let ledger = self.ledger().clone();
        let look = late::look(&self.marks, &ledger, region, task).await?;
        self.note(|ledger| look.note(ledger, task, self.work));
        Ok(())
    }

    /// Looks for what earlier requests of this VPN have made, told by mark, name and form, and takes one of them.
    pub(super) async fn find(&self, region: &Region, task: Task) -> Result<Option<Made>, Error> {
        self.look(region, task).await?;
        let misfits = self.take(region, task).await?;
        let taken = self.ledger().get(task.half, task.step).cloned();
        if taken.is_none() {
            self.discard(region, &misfits).await?;
        }
        Ok(taken)
    }

    /// Decides about objects that no task has a use for yet: those of another policy, after the plan was given a new
    /// one, and connections with another key. Connections go first, because they hold the policies.
    pub(super) async fn make_room(&self, halves: &[Half]) -> Result<(), CreateError> {
        for &half in halves {
            for step in [Step::IkePolicy, Step::IpsecPolicy] {
                let task = Task { half, step };
                if !self.ledger().candidates(task).is_empty() {
                    self.room_for(half).await.map_err(|error| {
                        self.work.tell(Event::Failed(task, error.clone(), std::time::Duration::ZERO));
                        CreateError::Failed(task, Box::new(error))
                    })?;
                    break;
                }
            }
        }
        Ok(())
    }

    async fn room_for(&self, half: Half) -> Result<(), Error> {
        let Some(plan) = self.plan.half(half) else { return Ok(()) };
        let task = |step| Task { half, step };
        let region = self.work.region(&plan.region, task(Step::Connection))?;
        let mut misfits = Vec::new();
        for step in [Step::IkePolicy, Step::IpsecPolicy] {
            misfits.extend(self.take(&region, task(step)).await?);
        }
        if self.ledger().is_open(task(Step::Connection)) {
            self.look(&region, task(Step::Connection)).await?;
        }
        let connections = self.take(&region, task(Step::Connection)).await?;
        misfits.splice(0..0, connections);
        self.discard(&region, &misfits).await
    }

    /// Makes what fits the object of its task, if the task has none. Returns what does not fit.
    async fn take(&self, region: &Region, task: Task) -> Result<Vec<Made>, Error> {
        let mut misfits = Vec::new();
        let candidates = self.ledger().candidates(task);
        for made in candidates {
            match self.fits(region, &made).await {
                Ok(true) => {
                    self.note(|ledger| ledger.record(made));
                    break;
                }
                Ok(false) => misfits.push(made),
                Err(error) if error.is_gone() => self.note(|ledger| ledger.remove(&made.id)),
                Err(error) => return Err(error),
            }
        }
        Ok(misfits)
    }

    /// Whether it is what the plan would make: a policy with its values, or a connection with its key that hangs on the
    /// policies there are. A request of a process that died may have been for an earlier plan.
    async fn fits(&self, region: &Region, made: &Made) -> Result<bool, Error> {
        let kind = made.task.step.kind();
        let policy = self.plan.policy();
        let shown = async |fields: Vec<&str>| region.show(kind, &made.id, &fields).await;
        match made.task.step {
            Step::Service | Step::LocalGroup | Step::PeerGroup => Ok(true),
            Step::IkePolicy => Ok(is_like(&shown(PolicyField::attributes(kind)).await?, &policy.ike)),
            Step::IpsecPolicy => Ok(is_like(&shown(PolicyField::attributes(kind)).await?, &policy.ipsec)),
            Step::Connection => {
                let ties = ["ikepolicy_id", "ipsecpolicy_id"];
                let (shown, key) =
                    tokio::try_join!(region.show(kind, &made.id, &ties), region.connection_psk(&made.id))?;
                let hangs_on = |tie: &str, step| {
                    let policy = self.ledger().get(made.task.half, step).map(|policy| policy.id.to_string());
                    policy.is_some() && shown[tie].as_str() == policy.as_deref()
                };
                Ok(key.expose_secret() == self.plan.psk().secret().expose_secret()
                    && hangs_on(ties[0], Step::IkePolicy)
                    && hangs_on(ties[1], Step::IpsecPolicy))
            }
        }
    }

    /// Deletes what is in the way. Nothing is changed in place: the cloud refuses changes to a connection it is still
    /// building. What others have come to use stays, and in the ledger what it is: of no use here.
    async fn discard(&self, region: &Region, misfits: &[Made]) -> Result<(), Error> {
        let mut torn_down = BTreeSet::new();
        for made in misfits {
            self.work.tell(Event::Deleting(made.clone()));
            let ledger = self.ledger().clone();
            verify(region, &self.marks, &ledger, made).await?;
            match free_and_delete(region, made, &torn_down, self.work).await {
                Ok(()) => {}
                Err(error) if error.is_in_use() && made.task.step != Step::Connection => {
                    self.work.tell(Event::Kept(made.clone(), error));
                    continue;
                }
                Err(error) => return Err(error),
            }
            torn_down.insert(made.id.clone());
            self.note(|ledger| ledger.remove(&made.id));
            self.work.tell(Event::Deleted(made.clone()));
        }
        Ok(())
    }
}

/// Whether an object has these values. The API has a unit beside each lifetime, and knows one unit.
fn is_like(shown: &Value, wanted: &impl Serialize) -> bool {
    let wanted = serde_json::to_value(wanted).unwrap_or_default();
    let has = |(name, value): (&String, &Value)| match name.as_str() {
        "lifetime" => shown["lifetime"]["value"] == *value,
        name => shown[name] == *value,
    };
    wanted.as_object().is_some_and(|wanted| wanted.iter().all(has))
}
