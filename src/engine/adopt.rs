//! What earlier requests of a creation have made: taken where it is what the step wants, deleted where it is in the way.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use super::marked::{MarkedStep, deletable};
use super::{Changing, Work};
use crate::change::{Create, HalfObject, New, Ref, Task};
use crate::cloud::{Error, Region};
use crate::engine::Event;
use crate::engine::Made;
use crate::engine::delete::Freed;
use crate::plan::fields::PolicyField;

impl Changing {
    /// Decides about objects that no step has a use for yet: those of another policy, after the plan was given a new one, and
    /// connections with another key. Connections go first, because they hold the policies.
    pub(super) async fn make_room(&self, work: &Work<'_>) -> Result<(), (usize, Error)> {
        let mut halves = BTreeSet::new();
        for MarkedStep { step, task, .. } in self.marked_steps() {
            let is_policy = matches!(task.step, HalfObject::IkePolicy | HalfObject::IpsecPolicy);
            if is_policy && !self.progress().candidates(step).is_empty() && halves.insert(task.half) {
                self.make_room_in(task, work).await.map_err(|error| (step, error))?;
            }
        }
        Ok(())
    }

    async fn make_room_in(&self, task: Task, work: &Work<'_>) -> Result<(), Error> {
        let mut misfits = Vec::new();
        for object in [HalfObject::IkePolicy, HalfObject::IpsecPolicy, HalfObject::Connection] {
            let step = self.change.step_of(Task { step: object, ..task });
            let Some(marked) = step.and_then(|step| self.marked_step(step)) else { continue };
            let MarkedStep { step, create, .. } = marked;
            let region = self.region(step, &create.region, work)?;
            if object == HalfObject::Connection && self.progress().is_unsettled(step) {
                self.look_by_marker(marked, &region, work).await?;
            }
            let unfit = self.take(marked, &region).await?;
            misfits.splice(0..0, unfit);
            if object == HalfObject::Connection {
                self.discard(step, &misfits, &region, work).await?;
            }
        }
        Ok(())
    }

    /// Makes what fits the object of its step, if the step has none. Returns what does not fit.
    pub(super) async fn take(&self, marked: MarkedStep<'_>, region: &Region) -> Result<Vec<Made>, Error> {
        let mut misfits = Vec::new();
        let candidates = self.progress().candidates(marked.step);
        for made in candidates {
            match self.fits(marked.create, &made, region).await {
                Ok(true) => {
                    self.progress().record(made);
                    self.note();
                    break;
                }
                Ok(false) => misfits.push(made),
                Err(error) if error.is_gone() => {
                    self.progress().remove(&made.id);
                    self.note();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(misfits)
    }

    /// Whether it is what the step would make: a policy with its values, or a connection with its key that hangs on the
    /// policies there are. A request of a process that died may have been for an earlier plan.
    async fn fits(&self, create: &Create, made: &Made, region: &Region) -> Result<bool, Error> {
        let kind = made.task.step.kind();
        let policy = async || region.show(kind, &made.id, &PolicyField::attributes(kind)).await;
        match &create.object {
            New::IkePolicy(ike) => Ok(is_like(&policy().await?, ike)),
            New::IpsecPolicy(ipsec) => Ok(is_like(&policy().await?, ipsec)),
            New::FreshConnection(fresh) => {
                let ties = ["ikepolicy_id", "ipsecpolicy_id"];
                let (shown, key) =
                    tokio::try_join!(region.show(kind, &made.id, &ties), region.connection_psk(&made.id))?;
                let hangs_on = |tie: &str, policy: &Ref| {
                    self.id_of(policy).is_ok_and(|policy| shown[tie].as_str() == Some(policy.as_str()))
                };
                Ok(self.key.as_ref().is_some_and(|own| key.expose_secret() == own.secret().expose_secret())
                    && hangs_on(ties[0], &fresh.ike_policy)
                    && hangs_on(ties[1], &fresh.ipsec_policy))
            }
            _ => Ok(true),
        }
    }

    /// Deletes what is in the way. Nothing is changed in place: the cloud refuses changes to a connection it is still
    /// building. What others have come to use stays, and is of no use here.
    pub(super) async fn discard(
        &self,
        step: usize,
        misfits: &[Made],
        region: &Region,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        for made in misfits {
            work.tell(Event::Deleting(made.clone()));
            self.verify(made, region).await?;
            match self.free_and_delete(step, deletable(made), &made.id, region, work).await {
                Ok(Freed::Gone(_)) => self.forget(made, work),
                Ok(Freed::InUse(error)) | Err(error)
                    if error.is_in_use() && made.task.step != HalfObject::Connection =>
                {
                    work.tell(Event::Kept(made.clone(), error));
                }
                Ok(Freed::InUse(error)) | Err(error) => return Err(error),
            }
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
