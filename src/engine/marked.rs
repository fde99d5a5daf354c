//! The objects of a creation, which are known by the marker of their half, their name and their form.

use jiff::Timestamp;

use super::{Changing, Work};
use crate::change::{Create, Deletable, Form, HalfObject, Step, Task};
use crate::cloud::vpnaas::{Formed, Marked, is_marked};
use crate::cloud::{Error, ErrorKind, Id, Region, RegionId, printable};
use crate::engine::Event;
use crate::engine::delete::{Freed, delete};
use crate::engine::{Made, Origin};

/// A step of a creation, with the object of a half that it makes.
#[derive(Clone, Copy)]
pub(super) struct MarkedStep<'a> {
    pub step: usize,
    pub task: Task,
    pub create: &'a Create,
}

/// What a look at a region has shown.
pub(super) struct Looked {
    pub at: Timestamp,
    /// What requests of the step have made.
    pub ours: Vec<Made>,
    /// What has the marker besides: somebody has copied a description, or changed what a request has made.
    pub others: Vec<Made>,
}

/// An object that was not known from an answer.
pub(super) fn adopted(task: Task, region: &RegionId, object: Marked) -> Made {
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
    /// The steps of a creation.
    pub(super) fn marked_steps(&self) -> impl Iterator<Item = MarkedStep<'_>> {
        (0..self.change.steps().len()).filter_map(|step| self.marked_step(step))
    }

    /// A step, if it makes an object of a new VPN.
    pub(super) fn marked_step(&self, step: usize) -> Option<MarkedStep<'_>> {
        let Step::Create(create) = self.change.steps().get(step)? else { return None };
        Some(MarkedStep { step, task: create.task()?, create })
    }

    /// What a creation has made or found of a half.
    pub(super) fn object_of(&self, task: Task) -> Option<Made> {
        self.progress().object(self.change.step_of(task)?).cloned()
    }

    /// Notes what a look has shown. What is not ours is told once.
    pub(super) fn note_look(&self, step: usize, looked: Looked, work: &Work<'_>) {
        self.progress().looked_for(step, looked.at, looked.ours);
        self.note();
        for made in looked.others {
            if self.progress().leave_alone(&made) {
                work.tell(Event::LeftAlone(made));
            }
        }
    }

    /// Looks for everything in the region with the step's marker; what is known is left as it is.
    pub(super) async fn look_by_marker(
        &self,
        marked: MarkedStep<'_>,
        region: &Region,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        let MarkedStep { step, task, create } = marked;
        let at = Timestamp::now();
        let found = region.formed(task.step.kind(), create.marker()).await?;
        let of_step =
            |one: &Formed| HalfObject::of(task.step.kind(), one.object.endpoints.as_deref()) == Some(task.step);
        let (ours, others): (Vec<Formed>, Vec<Formed>) =
            found.into_iter().filter(of_step).partition(|one| self.is_sent(task, create, one));
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
        marked: MarkedStep<'_>,
        region: &Region,
        work: &Work<'_>,
    ) -> Result<Option<Made>, Error> {
        self.look_by_marker(marked, region, work).await?;
        let misfits = self.take(marked, region).await?;
        let taken = self.progress().object(marked.step).cloned();
        if taken.is_none() {
            self.discard(marked.step, &misfits, region, work).await?;
        }
        Ok(taken)
    }

    /// Notes and tells that an object is gone.
    pub(super) fn forget(&self, made: &Made, work: &Work<'_>) {
        self.progress().remove(&made.id);
        self.note();
        work.tell(Event::Deleted(made.clone()));
    }

    /// Takes what the cloud says is not there any more out of the journal, so that a retry makes it again.
    pub(super) fn forget_what_is_gone(&self, task: Task, error: &Error) {
        let Some(id) = error.gone_id() else { return };
        let is_it = |made: &Made| made.task.half == task.half && made.id == id;
        let objects = self.marked_steps().filter_map(|marked| self.progress().object(marked.step).cloned());
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
    pub(super) async fn verify(&self, made: &Made, region: &Region) -> Result<(), Error> {
        if !self.notes().unverified.contains(&made.id) {
            return Ok(());
        }
        let step = self.change.step_of(made.task).and_then(|step| self.marked_step(step));
        let Some(MarkedStep { create, .. }) = step else { return Ok(()) };
        let shown = match region.show(made.task.step.kind(), &made.id, &["name", "description"]).await {
            Err(error) if error.is_gone() => return Ok(()),
            shown => shown?,
        };
        let text = |attribute: &str| shown[attribute].as_str().unwrap_or_default().to_owned();
        let marker = printable(create.marker());
        if is_marked(&text("description"), create.marker()) || text("name") == create.name {
            return Ok(());
        }
        let what = format!("it has neither the marker {marker} nor the name osvpn gave it, so it is not deleted");
        Err(Error::new(ErrorKind::Invalid, what))
    }

    /// Deletes what a step of a creation has made, and what its lost requests have left. What cannot be deleted is told of,
    /// and does not keep the rest from being deleted.
    pub(super) async fn remove_marked(&self, step: usize, work: &Work<'_>) -> Result<(), Error> {
        let mut failed = None;
        let own = self.progress().removable_of(step);
        for made in own {
            if work.stop.is_cancelled() {
                break;
            }
            work.tell(Event::Deleting(made.clone()));
            match self.remove_one(step, &made, work).await {
                Ok(()) => self.forget(&made, work),
                Err(error) => {
                    work.tell(Event::Kept(made.clone(), error.clone()));
                    self.notes().not_deleted.push((made, error.clone()));
                    failed = failed.or(Some(error));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn remove_one(&self, step: usize, made: &Made, work: &Work<'_>) -> Result<(), Error> {
        let region = self.region(step, &made.region, work)?;
        self.verify(made, &region).await?;
        match self.free_and_delete(step, deletable(made), &made.id, &region, work).await? {
            Freed::Gone(_) => Ok(()),
            Freed::InUse(error) => Err(error),
        }
    }

    /// Looks for what every step of a creation in doubt may have got. The first look that failed, if one did: such a
    /// step stays as much in doubt as it was.
    pub(super) async fn look_for_all(&self, work: &Work<'_>) -> Option<Error> {
        let mut failed = None;
        for marked in self.marked_steps() {
            let MarkedStep { step, create, .. } = marked;
            if !self.progress().is_unsettled(step) {
                continue;
            }
            let before = self.progress().leftovers();
            let looked = match self.region(step, &create.region, work) {
                Ok(region) => self.look_by_marker(marked, &region, work).await,
                Err(error) => Err(error),
            };
            if let Err(error) = looked {
                failed = failed.or(Some(error));
                continue;
            }
            let found = self.progress().leftovers();
            for made in found.into_iter().filter(|made| !before.contains(made)) {
                work.tell(Event::Found(made));
            }
            if !self.progress().is_unsettled(step) {
                work.tell(Event::Settled(step));
            }
        }
        failed
    }

    /// Deletes what lost requests have made after all. What cannot be deleted is still known. A stop ends it where it is.
    pub(super) async fn sweep(&self, work: &Work<'_>) {
        tokio::select! {
            biased;
            () = work.stop.cancelled() => {}
            () = self.sweep_all(work) => {}
        }
    }

    async fn sweep_all(&self, work: &Work<'_>) {
        self.look_for_all(work).await;
        self.note();
        let leftovers = self.progress().leftovers();
        for left in leftovers {
            let Some(step) = self.change.step_of(left.task) else { continue };
            let Ok(region) = self.region(step, &left.region, work) else { continue };
            if self.verify(&left, &region).await.is_ok() && delete(deletable(&left), &left.id, &region).await.is_ok() {
                self.forget(&left, work);
            }
        }
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
