//! The objects of a creation, which are known by the marker of their half: what earlier requests have made of them is taken
//! where it is what the step wants, and deleted where it is in the way or of no use.

use std::collections::BTreeSet;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use super::{Changing, Job};
use crate::change::{Create, Deletable, Form, HalfObject, New, PeerEnd, Ref, Step, Task};
use crate::cloud::vpnaas::{Formed, Marked, is_marked};
use crate::cloud::{Error, ErrorKind, Id, Region, RegionId};
use crate::engine::delete::{Freed, delete};
use crate::engine::event::StepEvent;
use crate::engine::{Made, Origin};
use crate::plan::Outer;
use crate::plan::fields::PolicyField;

/// What a look at a region has shown.
pub(super) struct Looked {
    pub at: Timestamp,
    /// What requests of the step have made.
    pub ours: Vec<Made>,
    /// What has the marker besides: somebody has copied a description, or changed what a request has made.
    pub others: Vec<Made>,
}

/// An object that was not known from an answer.
pub(in crate::engine) fn adopted(task: Task, region: &RegionId, object: Marked) -> Made {
    Made {
        task,
        region: region.clone(),
        id: object.id,
        name: object.name,
        origin: Origin::Adopted,
        external_v4: None,
        external_v6: None,
    }
}

impl Changing {
    /// The steps of a creation, each with what it makes.
    pub(super) fn marked_steps(&self) -> Vec<(usize, Task, &Create)> {
        let mut all = Vec::new();
        for (step, candidate) in self.change.steps().iter().enumerate() {
            if let Step::Create(create) = candidate
                && let Some(task) = create.task()
            {
                all.push((step, task, create));
            }
        }
        all
    }

    /// What a creation has made or found of a half.
    pub(super) fn object_of(&self, task: Task) -> Option<Made> {
        self.progress().object(self.change.step_of(task)?).cloned()
    }

    /// Notes what a look has shown. What is not ours is told once.
    pub(super) fn note_look(&self, step: usize, looked: Looked, work: &Job<'_>) {
        self.progress().looked_for(step, looked.at, looked.ours);
        self.note();
        for made in looked.others {
            let is_known =
                self.progress().holds(&made.id) || self.notes().left_alone.iter().any(|one| one.id == made.id);
            if !is_known {
                self.notes().left_alone.push(made.clone());
                work.tell(StepEvent::LeftAlone(made));
            }
        }
    }

    /// Looks for everything in the region with the step's marker; what is known is left as it is.
    async fn look_by_marker(
        &self,
        step: usize,
        task: Task,
        create: &Create,
        region: &Region,
        work: &Job<'_>,
    ) -> Result<(), Error> {
        let at = Timestamp::now();
        let marked = region.formed(task.step.kind(), &create.description).await?;
        let of_step =
            |one: &Formed| HalfObject::of(task.step.kind(), one.object.endpoints.as_deref()) == Some(task.step);
        let (ours, others): (Vec<Formed>, Vec<Formed>) =
            marked.into_iter().filter(of_step).partition(|one| self.is_sent(task, create, one));
        let made = |all: Vec<Formed>| all.into_iter().map(|one| adopted(task, region.id(), one.object)).collect();
        self.note_look(step, Looked { at, ours: made(ours), others: made(others) }, work);
        Ok(())
    }

    /// Whether an object with the marker is what was sent: it has the name given to it, and the form.
    fn is_sent(&self, task: Task, create: &Create, formed: &Formed) -> bool {
        let Form { router, members, peer_address } = create.form();
        let is_or_unknown = |known: Option<&Id>, there: Option<&Id>| known.is_none_or(|known| there == Some(known));
        let has_form = match task.step {
            HalfObject::Service => is_or_unknown(router.as_ref(), formed.router.as_ref()),
            HalfObject::IkePolicy | HalfObject::IpsecPolicy => true,
            HalfObject::LocalGroup | HalfObject::PeerGroup => members.is_none_or(|members| members == formed.members),
            HalfObject::Connection => {
                let service = self.object_of(Task { step: HalfObject::Service, ..task }).map(|made| made.id);
                let peers = match peer_address {
                    Some(address) => vec![address],
                    None => self.addresses_across(task),
                };
                let peer = formed.peer_address.as_deref().unwrap_or_default();
                is_or_unknown(service.as_ref(), formed.service.as_ref())
                    && (peers.is_empty() || peers.iter().any(|known| is_same_address(known, peer)))
            }
        };
        has_form && create.name == formed.object.name
    }

    /// The addresses that a connection of that half may have been made to; none if they are not known.
    fn addresses_across(&self, task: Task) -> Vec<String> {
        let across = self.object_of(Task { half: task.half.other(), step: HalfObject::Service });
        let of = |made: Made| {
            [made.external_v4.map(|address| address.to_string()), made.external_v6.map(|address| address.to_string())]
        };
        across.into_iter().flat_map(of).flatten().collect()
    }

    /// Looks for what earlier requests have made, and takes one of them.
    pub(super) async fn find_marked(
        &self,
        step: usize,
        task: Task,
        create: &Create,
        region: &Region,
        work: &Job<'_>,
    ) -> Result<Option<Made>, Error> {
        self.look_by_marker(step, task, create, region, work).await?;
        let misfits = self.take(step, task, create, region, work).await?;
        let taken = self.progress().object(step).cloned();
        if taken.is_none() {
            self.discard(step, &misfits, region, work).await?;
        }
        Ok(taken)
    }

    /// Decides about objects that no step has a use for yet: those of another policy, after the plan was given a new one, and
    /// connections with another key. Connections go first, because they hold the policies.
    pub(super) async fn make_room(&self, work: &Job<'_>) -> Result<(), (usize, Error)> {
        let mut halves = BTreeSet::new();
        for (step, task, _) in self.marked_steps() {
            let is_policy = matches!(task.step, HalfObject::IkePolicy | HalfObject::IpsecPolicy);
            if is_policy && !self.progress().candidates(step).is_empty() && halves.insert(task.half) {
                self.make_room_in(task, work).await.map_err(|error| (step, error))?;
            }
        }
        Ok(())
    }

    async fn make_room_in(&self, task: Task, work: &Job<'_>) -> Result<(), Error> {
        let mut misfits = Vec::new();
        for object in [HalfObject::IkePolicy, HalfObject::IpsecPolicy, HalfObject::Connection] {
            let task = Task { step: object, ..task };
            let Some(step) = self.change.step_of(task) else { continue };
            let Some(Step::Create(create)) = self.change.steps().get(step) else { continue };
            let region = work.region(&create.region, step)?;
            if object == HalfObject::Connection && self.progress().is_unsettled(step) {
                self.look_by_marker(step, task, create, &region, work).await?;
            }
            let unfit = self.take(step, task, create, &region, work).await?;
            misfits.splice(0..0, unfit);
            if object == HalfObject::Connection {
                self.discard(step, &misfits, &region, work).await?;
            }
        }
        Ok(())
    }

    /// Makes what fits the object of its step, if the step has none. Returns what does not fit.
    async fn take(
        &self,
        step: usize,
        task: Task,
        create: &Create,
        region: &Region,
        work: &Job<'_>,
    ) -> Result<Vec<Made>, Error> {
        let mut misfits = Vec::new();
        let candidates = self.progress().candidates(step);
        for made in candidates {
            match self.fits(task, create, &made, region, work).await {
                Ok(true) => {
                    self.progress().record(step, made);
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
    async fn fits(
        &self,
        task: Task,
        create: &Create,
        made: &Made,
        region: &Region,
        work: &Job<'_>,
    ) -> Result<bool, Error> {
        let kind = task.step.kind();
        match &create.object {
            New::IkePolicy(ike) => {
                Ok(is_like(&region.show(kind, &made.id, &PolicyField::attributes(kind)).await?, ike))
            }
            New::IpsecPolicy(ipsec) => {
                Ok(is_like(&region.show(kind, &made.id, &PolicyField::attributes(kind)).await?, ipsec))
            }
            New::FreshConnection(fresh) => {
                let ties = ["ikepolicy_id", "ipsecpolicy_id"];
                let (shown, key) =
                    tokio::try_join!(region.show(kind, &made.id, &ties), region.connection_psk(&made.id))?;
                let hangs_on = |tie: &str, policy: &Ref| {
                    self.id_of(policy).is_ok_and(|policy| shown[tie].as_str() == Some(policy.as_str()))
                };
                Ok(work.key.is_some_and(|own| key.expose_secret() == own.secret().expose_secret())
                    && hangs_on(ties[0], &fresh.ike_policy)
                    && hangs_on(ties[1], &fresh.ipsec_policy))
            }
            _ => Ok(true),
        }
    }

    /// Deletes what is in the way. Nothing is changed in place: the cloud refuses changes to a connection it is still
    /// building. What others have come to use stays, and is of no use here.
    async fn discard(&self, step: usize, misfits: &[Made], region: &Region, work: &Job<'_>) -> Result<(), Error> {
        for made in misfits {
            work.tell(StepEvent::Deleting(made.clone()));
            self.verify(made, region).await?;
            match self.free_and_delete(step, deletable(made), &made.id, region, work).await {
                Ok(Freed::Gone) => self.forget(made, work),
                Ok(Freed::InUse(error)) | Err(error)
                    if error.is_in_use() && made.task.step != HalfObject::Connection =>
                {
                    work.tell(StepEvent::Kept(made.clone(), error));
                }
                Ok(Freed::InUse(error)) | Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Notes and tells that an object is gone.
    pub(super) fn forget(&self, made: &Made, work: &Job<'_>) {
        self.progress().remove(&made.id);
        self.note();
        work.tell(StepEvent::Deleted(made.clone()));
    }

    /// Takes what the cloud says is not there any more out of the journal, so that a retry makes it again.
    pub(super) fn forget_what_is_gone(&self, task: Task, error: &Error) {
        if !error.is_gone() {
            return;
        }
        let is_it = |made: &Made| made.task.half == task.half && error.message.contains(made.id.as_str());
        let objects = self.marked_steps().into_iter().filter_map(|(step, ..)| self.progress().object(step).cloned());
        let gone = objects.into_iter().find(is_it);
        if let Some(gone) = gone {
            self.progress().remove(&gone.id);
            self.note();
        }
    }

    /// Looks at an object before it is deleted that only a journal says is this VPN's: it has the marker, or the name it was
    /// given.
    ///
    /// # Errors
    /// If it has neither, or cannot be read. What is gone has nothing to be looked at.
    async fn verify(&self, made: &Made, region: &Region) -> Result<(), Error> {
        if !self.notes().unverified.contains(&made.id) {
            return Ok(());
        }
        let Some(step) = self.change.step_of(made.task) else { return Ok(()) };
        let Some(Step::Create(create)) = self.change.steps().get(step) else { return Ok(()) };
        let shown = match region.show(made.task.step.kind(), &made.id, &["name", "description"]).await {
            Err(error) if error.is_gone() => return Ok(()),
            shown => shown?,
        };
        let text = |attribute: &str| shown[attribute].as_str().unwrap_or_default().to_owned();
        let marker = &create.description;
        if is_marked(&text("description"), marker) || text("name") == create.name {
            return Ok(());
        }
        let what = format!("it has neither the marker {marker} nor the name osvpn gave it, so it is not deleted");
        Err(Error::new(ErrorKind::Invalid, what))
    }

    /// Deletes what a step of a creation has made, and what its lost requests have left. What cannot be deleted is told of,
    /// and does not keep the rest from being deleted.
    pub(super) async fn remove_marked(&self, step: usize, work: &Job<'_>) -> Result<(), Error> {
        let mut failed = None;
        let own: Vec<Made> = self.progress().state(step).own().cloned().collect();
        for made in own {
            if work.stop.is_cancelled() {
                break;
            }
            work.tell(StepEvent::Deleting(made.clone()));
            match self.remove_one(step, &made, work).await {
                Ok(()) => self.forget(&made, work),
                Err(error) => {
                    work.tell(StepEvent::Kept(made.clone(), error.clone()));
                    self.notes().not_deleted.push((made, error.clone()));
                    failed = failed.or(Some(error));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn remove_one(&self, step: usize, made: &Made, work: &Job<'_>) -> Result<(), Error> {
        let region = work.region(&made.region, step)?;
        self.verify(made, &region).await?;
        match self.free_and_delete(step, deletable(made), &made.id, &region, work).await? {
            Freed::Gone => Ok(()),
            Freed::InUse(error) => Err(error),
        }
    }

    /// Looks for what every step of a creation in doubt may have got. The first look that failed, if one did: such a
    /// step stays as much in doubt as it was.
    pub(super) async fn look_for_all(&self, work: &Job<'_>) -> Option<Error> {
        let mut failed = None;
        for (step, task, create) in self.marked_steps() {
            if !self.progress().is_unsettled(step) {
                continue;
            }
            let before = self.progress().leftovers();
            let looked = match work.region(&create.region, step) {
                Ok(region) => self.look_by_marker(step, task, create, &region, work).await,
                Err(error) => Err(error),
            };
            if let Err(error) = looked {
                failed = failed.or(Some(error));
                continue;
            }
            let found = self.progress().leftovers();
            for made in found.into_iter().filter(|made| !before.contains(made)) {
                work.tell(StepEvent::Found(made));
            }
            if !self.progress().is_unsettled(step) {
                work.tell(StepEvent::Settled(step));
            }
        }
        failed
    }

    /// Deletes what lost requests have made after all. What cannot be deleted is still known. A stop ends it where it is.
    pub(in crate::engine) async fn sweep(&self, work: &Job<'_>) {
        tokio::select! {
            biased;
            () = work.stop.cancelled() => {}
            () = self.sweep_all(work) => {}
        }
    }

    async fn sweep_all(&self, work: &Job<'_>) {
        self.look_for_all(work).await;
        self.note();
        let leftovers = self.progress().leftovers();
        for left in leftovers {
            let Some(step) = self.change.step_of(left.task) else { continue };
            let Ok(region) = work.region(&left.region, step) else { continue };
            if self.verify(&left, &region).await.is_ok() && delete(deletable(&left), &left.id, &region).await.is_ok() {
                self.forget(&left, work);
            }
        }
    }

    /// Address and identity of what a connection goes to: the other service's own external address, never the router's, which
    /// on OVN is another one.
    pub(super) async fn peer_of(&self, peer: &PeerEnd, work: &Job<'_>) -> Result<(String, String), Error> {
        let (step, outer) = match peer {
            PeerEnd::Outside { address, id } => return Ok((address.clone(), id.clone())),
            PeerEnd::Service(step, outer) => (*step, *outer),
        };
        let known = || self.progress().object(step).and_then(|made| made.external(outer)).map(|one| one.to_string());
        if known().is_none() {
            self.read_addresses(step, work).await?;
        }
        let address = known().ok_or_else(|| {
            let half = self.progress().object(step).map_or_else(String::new, |made| made.task.half.to_string());
            let text =
                format!("the cloud gave the VPN service of half {half} no {} address to connect to", family(outer));
            Error::new(ErrorKind::Unexpected, text)
        })?;
        Ok((address.clone(), address))
    }

    /// Reads a service's addresses again: one that was found before its gateway was built has none yet.
    async fn read_addresses(&self, step: usize, work: &Job<'_>) -> Result<(), Error> {
        let Some(mut made) = self.progress().object(step).cloned() else { return Ok(()) };
        let services = work.region(&made.region, step)?.services().await?;
        if let Some(service) = services.iter().find(|service| service.id == made.id) {
            (made.external_v4, made.external_v6) = (service.external_v4, service.external_v6);
            self.progress().record(step, made);
            self.note();
        }
        Ok(())
    }
}

const fn family(outer: Outer) -> &'static str {
    match outer {
        Outer::V4 => "IPv4",
        Outer::V6 => "IPv6",
    }
}

pub(super) const fn deletable(made: &Made) -> Deletable {
    Deletable::Vpn(made.task.step.kind())
}

/// One IPv6 address can be written in several ways.
fn is_same_address(one: &str, other: &str) -> bool {
    use std::net::IpAddr;
    one == other || matches!((one.parse::<IpAddr>(), other.parse::<IpAddr>()), (Ok(a), Ok(b)) if a == b)
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
