//! Others who change the same VPN at the same time. Neutron has no lock and no revision of a VPN object, so what a step
//! expects is read right before it, and what it did is read right after.
//!
//! * A step that finds a value which is neither the one before the change nor the one it sets was overtaken: the change is
//!   rolled back, but for what somebody else has set since.
//! * Of two changes that find each other, known by the word in what they make, the one with the smaller id stays and the
//!   other rolls itself back. The one that stays waits for that; if it does not happen, the other looked too early to know of
//!   it, and the one that waits rolls itself back too.
//! * A connection that was recreated by somebody else is the same half of the VPN still, and is changed in its place.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Failure;
use super::update::{MadeGroups, as_values, changes};
use super::{ChangeError, Changed, Changing, Direction, End, Work};
use crate::change::{ChangeId, ConnectionEdits, Edits, Ref, ServiceEdits, Step, Update, is_in_place_of};
use crate::cloud::retry::pass;
use crate::cloud::{Error, ErrorKind, Id, Kind, Region, SiteConnection};
use crate::engine::Event;
use crate::engine::ROUNDS;

/// Where an object stands between its old and its new values.
pub(super) enum Divergence {
    /// Everything is as it was.
    Before,
    /// All or some of it has the new values.
    After,
    /// Somebody else has set something: what the API calls it, and who, if a change has left its word.
    Other(&'static str, Option<ChangeId>),
    Gone,
}

/// Why a change does not stay.
pub(super) struct Overtaken {
    pub step: usize,
    pub by: Option<ChangeId>,
    pub error: Error,
}

impl Changing {
    /// Where an object stands. If it was recreated by somebody else, where that stands.
    pub(super) async fn standing(&self, update: &Update, region: &Region) -> Result<Divergence, Error> {
        let (before, after) = self.both_values(update)?;
        let Some(shown) = self.shown(update, &after, region).await? else { return Ok(Divergence::Gone) };
        let is = |values: &Map<String, Value>| values.iter().all(|(name, value)| shown.get(name) == Some(value));
        let other = after.iter().find(|(name, value)| {
            let shown = shown.get(*name);
            shown != Some(value) && shown != before.get(*name)
        });
        Ok(match other {
            Some((name, _)) => {
                let by = self.who_set(shown.get(name), region).await;
                Divergence::Other(called(name), by)
            }
            None if is(&before) => Divergence::Before,
            None if is(&after) => Divergence::After,
            None => Divergence::Before,
        })
    }

    fn both_values(&self, update: &Update) -> Result<(Values, Values), Error> {
        let values = |direction| {
            let groups = self.groups(&update.edits, direction)?;
            as_values(&changes(&update.edits, &groups, direction))
        };
        Ok((values(Direction::Back)?, values(Direction::Forward)?))
    }

    /// What an object has of these attributes; none if it is gone, and nothing is in its place.
    async fn shown(
        &self,
        update: &Update,
        wanted: &Map<String, Value>,
        region: &Region,
    ) -> Result<Option<Value>, Error> {
        let kind = update.edits.kind();
        let fields: Vec<&str> = wanted.keys().map(String::as_str).collect();
        match region.show(kind, &self.present(&update.id), &fields).await {
            Err(error) if error.is_gone() => {}
            shown => return shown.map(Some),
        }
        if kind != Kind::SiteConnection || self.successor(&update.id, region).await?.is_none() {
            return Ok(None);
        }
        match region.show(kind, &self.present(&update.id), &fields).await {
            Err(error) if error.is_gone() => Ok(None),
            shown => shown.map(Some),
        }
    }

    /// The id of an object, or of the one in its place.
    pub(super) fn present(&self, id: &Id) -> Id {
        self.notes().successors.get(id).unwrap_or(id).clone()
    }

    /// The connection that somebody else's change has made in place of one.
    pub(super) async fn successor(&self, id: &Id, region: &Region) -> Result<Option<Id>, Error> {
        let is_it = |one: &SiteConnection| {
            is_in_place_of(&one.description, id)
                && ChangeId::of_description(&one.description).is_some_and(|by| by != *self.change.id())
        };
        let connections = region.connections().await?;
        let mut found = connections.iter().filter(|one| is_it(one));
        let (Some(one), None) = (found.next(), found.next()) else { return Ok(None) };
        self.notes().successors.insert(id.clone(), one.id.clone());
        Ok(Some(one.id.clone()))
    }

    /// The change that made the endpoint group which stands there.
    async fn who_set(&self, value: Option<&Value>, region: &Region) -> Option<ChangeId> {
        let id = value?.as_str()?;
        let groups = region.groups().await.ok()?;
        let group = groups.iter().find(|group| group.id.as_str() == id)?;
        ChangeId::of_description(&group.description).filter(|by| by != self.change.id())
    }

    /// Sees to it that what this change has set still stands.
    pub(super) async fn look_once_more(&self, work: &Work<'_>) -> Result<(), Overtaken> {
        let mut pause = work.limits().back_off;
        for round in 1..=ROUNDS {
            let Some(lost) = self.lost(work).await? else { return Ok(()) };
            let yields = lost.by.as_ref().is_some_and(|by| by > self.change.id());
            if !yields || round == ROUNDS {
                return Err(lost);
            }
            if !pass(pause, work.stop).await {
                return Ok(());
            }
            pause = pause.saturating_mul(2);
        }
        Ok(())
    }

    /// The first step whose values do not stand any more. What somebody has rolled back to what it was is set again.
    async fn lost(&self, work: &Work<'_>) -> Result<Option<Overtaken>, Overtaken> {
        for step in 0..self.change.steps().len() {
            let Step::Update(update) = self.change.steps()[step].clone() else { continue };
            if !matches!(update.edits, Edits::Connection(_)) || self.progress().end(step) != Some(&End::Changed) {
                continue;
            }
            // That it cannot be seen is no reason to roll anything back.
            let Ok(region) = self.region(step, &update.region, work) else { continue };
            match self.standing(&update, &region).await {
                Ok(Divergence::Other(what, by)) => return Ok(Some(overtaken(step, &update, what, by))),
                Ok(Divergence::Gone) if makes_groups(&update) => return Ok(Some(deleted(step, &update))),
                Ok(Divergence::Before) if !is_nothing(&update) => {
                    self.progress().reopen(step);
                    match self.update(step, &update, Direction::Forward, work).await {
                        Ok(end) => self.progress().finish(step, end),
                        Err(Failure::Overtaken(overtaken)) => return Err(*overtaken),
                        Err(Failure::Error(error)) => return Err(Overtaken { step, by: None, error: *error }),
                        Err(Failure::KeyNeeded) => {}
                    }
                    self.note();
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "it could not be checked whether the change is still in place"),
            }
        }
        Ok(None)
    }

    /// Puts back what this change has set of an object, and leaves what somebody else has set since.
    pub(super) async fn restore(&self, step: usize, update: &Update, work: &Work<'_>) -> Result<(), Error> {
        let region = self.region(step, &update.region, work)?;
        match self.ours(update, &region).await? {
            Some(ours) => self.send_update(step, &ours, Direction::Back, work).await.map(drop),
            None => Ok(()),
        }
    }

    /// What an update has to put back: only what stands there of it. Where another change has set half of something, its
    /// own group is put there.
    pub(super) async fn ours(&self, update: &Update, region: &Region) -> Result<Option<Update>, Error> {
        // What was made for it is deleted already, so no connection can have it.
        if self.groups(&update.edits, Direction::Forward).is_err() {
            return Ok(None);
        }
        let (before, after) = self.both_values(update)?;
        let Some(shown) = self.shown(update, &after, region).await? else { return Ok(None) };
        let is_ours =
            |name: &&String| shown.get(name.as_str()) == after.get(*name) && before.get(*name) != after.get(*name);
        let names: BTreeSet<&str> = after.keys().filter(is_ours).map(String::as_str).collect();
        if names.is_empty() {
            return Ok(None);
        }
        let mut edits = only(&update.edits, &names);
        let rival = self.notes().rival.clone();
        if let (Edits::Connection(edits), Some(rival)) = (&mut edits, rival)
            && makes_groups(update)
        {
            let groups = region.groups().await?;
            let theirs = |kind: &str| {
                let group = groups.iter().find(|group| {
                    group.kind == kind && ChangeId::of_description(&group.description).as_ref() == Some(&rival)
                })?;
                Some(Ref::Id(group.id.clone()))
            };
            for (edit, kind) in [(&mut edits.local_group, "subnet"), (&mut edits.peer_group, "cidr")] {
                if let (Some(edit), Some(theirs)) = (edit.as_mut(), theirs(kind)) {
                    edit.before = theirs;
                }
            }
        }
        Ok(Some(Update { edits, ..update.clone() }))
    }

    /// Rolls the change back because somebody else was there first, and says what was found.
    pub(super) async fn give_way(&self, overtaken: Overtaken, work: &Work<'_>) -> ChangeError {
        let Overtaken { step, by, mut error } = overtaken;
        self.notes().rival = by;
        work.tell(Event::Failed(step, error.clone(), std::time::Duration::ZERO));
        if (0..self.change.steps().len()).all(|step| self.progress().is_done(step)) {
            // There is nothing to go on with.
            self.settle(work).await;
            return ChangeError::Failed(step, Box::new(error));
        }
        if !self.is_reversible() {
            error
                .message
                .push_str(" This change cannot be rolled back any more; look at the VPN before anything else.");
            return self.give_up(ChangeError::Failed(step, Box::new(error)));
        }
        match self.backward(work).await {
            Ok(Changed::Done) => error.message.push_str(" What this change had done is rolled back."),
            Ok(Changed::Unsettled(..)) | Err(_) => {
                error.message.push_str(" What this change had done could not be rolled back as a whole.");
            }
        }
        ChangeError::Failed(step, Box::new(error))
    }

    pub(super) fn groups(&self, edits: &Edits, direction: Direction) -> Result<MadeGroups, Error> {
        let Edits::Connection(edits) = edits else { return Ok(MadeGroups::default()) };
        let id = |edit: &Option<crate::change::Edit<Ref>>| {
            edit.as_ref().map(|edit| self.id_of(super::update::chosen(edit, direction))).transpose()
        };
        Ok(MadeGroups { local: id(&edits.local_group)?, peer: id(&edits.peer_group)? })
    }

    /// Notes what is found of an update that was in doubt.
    pub(super) fn found(&self, step: usize, at: Timestamp, is_after: bool) {
        if self.progress().is_in_doubt(step) {
            self.progress().looked(step, at, usize::from(is_after));
        }
    }
}

impl Edits {
    const fn kind(&self) -> Kind {
        match self {
            Self::Service(_) => Kind::VpnService,
            Self::Connection(_) => Kind::SiteConnection,
        }
    }
}

/// Whether an update points a connection to endpoint groups of the change.
pub(super) fn makes_groups(update: &Update) -> bool {
    let Edits::Connection(edits) = &update.edits else { return false };
    [&edits.local_group, &edits.peer_group].into_iter().flatten().any(|edit| matches!(edit.after, Ref::Made(_)))
}

/// Whether it sends what is there already, so that the agents write their configuration once more.
fn is_nothing(update: &Update) -> bool {
    let Edits::Service(ServiceEdits { description, admin_state_up }) = &update.edits else { return false };
    admin_state_up.is_none() && description.as_ref().is_some_and(|edit| edit.before == edit.after)
}

pub(super) fn overtaken(step: usize, update: &Update, what: &str, by: Option<ChangeId>) -> Overtaken {
    let text = format!(
        "Somebody else has changed the IPsec site connection {} in {} at the same time: its {what} is neither what it was \
         nor what this change sets.",
        update.name, update.region
    );
    Overtaken { step, by, error: error(text, &update.region) }
}

pub(super) fn deleted(step: usize, update: &Update) -> Overtaken {
    let text = format!(
        "Somebody else has deleted the IPsec site connection {} in {} at the same time.",
        update.name, update.region
    );
    Overtaken { step, by: None, error: error(text, &update.region) }
}

pub(super) fn error(text: String, region: &crate::cloud::RegionId) -> Error {
    let mut error = Error::new(ErrorKind::Overtaken, text);
    error.region = Some(region.clone());
    error
}

/// Attributes as the API has them.
type Values = Map<String, Value>;

/// What people call an attribute.
fn called(name: &str) -> &'static str {
    match name {
        "local_ep_group_id" => "local endpoint group",
        "peer_ep_group_id" => "peer endpoint group",
        "peer_address" => "peer address",
        "peer_id" => "peer id",
        "dpd" => "dead peer detection",
        "initiator" => "initiator",
        "description" => "description",
        _ => "admin state",
    }
}

/// An update of these attributes alone.
fn only(edits: &Edits, names: &BTreeSet<&str>) -> Edits {
    fn kept<T: Clone>(edit: Option<&T>, name: &str, names: &BTreeSet<&str>) -> Option<T> {
        edit.filter(|_| names.contains(name)).cloned()
    }
    match edits {
        Edits::Service(edits) => Edits::Service(ServiceEdits {
            description: kept(edits.description.as_ref(), "description", names),
            admin_state_up: kept(edits.admin_state_up.as_ref(), "admin_state_up", names),
        }),
        Edits::Connection(edits) => Edits::Connection(Box::new(ConnectionEdits {
            peer_address: kept(edits.peer_address.as_ref(), "peer_address", names),
            peer_id: kept(edits.peer_id.as_ref(), "peer_id", names),
            local_group: kept(edits.local_group.as_ref(), "local_ep_group_id", names),
            peer_group: kept(edits.peer_group.as_ref(), "peer_ep_group_id", names),
            dpd: kept(edits.dpd.as_ref(), "dpd", names),
            initiator: kept(edits.initiator.as_ref(), "initiator", names),
            admin_state_up: kept(edits.admin_state_up.as_ref(), "admin_state_up", names),
        })),
    }
}
