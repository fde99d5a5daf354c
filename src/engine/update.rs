//! Changing an object, there and back.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::contention::{Divergence, deleted, makes_groups, overtaken};
use super::{Changing, Direction, End, Failure, Request, Work};
use crate::change::{Edit, Edits, Update};
use crate::cloud::changes::{ConnectionChanges, ServiceChanges};
use crate::cloud::request::DpdBody;
use crate::cloud::{Error, ErrorKind, Id, Kind, Region};

impl Changing {
    /// Gives an object the values after the change, if it has those before it. An object that somebody has deleted has
    /// nothing to be changed about it.
    ///
    /// # Errors
    /// [`ErrorKind::Overtaken`] if it has neither.
    pub(super) async fn update(
        &self,
        step: usize,
        update: &Update,
        direction: Direction,
        work: &Work<'_>,
    ) -> Result<End, Failure> {
        let region = self.region(step, &update.region, work)?;
        let at = Timestamp::now();
        match self.standing(update, &region).await? {
            Divergence::Before => {}
            Divergence::After => {
                self.found(step, at, true);
                return Ok(End::Changed);
            }
            Divergence::Other(what, by) => return Err(Failure::Overtaken(Box::new(overtaken(step, update, what, by)))),
            // What was made for it is of no use any more.
            Divergence::Gone if makes_groups(update) => {
                return Err(Failure::Overtaken(Box::new(deleted(step, update))));
            }
            Divergence::Gone => return Ok(End::Gone),
        }
        Ok(self.send_update(step, update, direction, work).await?)
    }

    /// Gives an object the values after the change, or before it. What is lost is read back, and sent again.
    pub(super) async fn send_update(
        &self,
        step: usize,
        update: &Update,
        direction: Direction,
        work: &Work<'_>,
    ) -> Result<End, Error> {
        let region = self.region(step, &update.region, work)?;
        let groups = self.groups(&update.edits, direction)?;
        let changes = changes(&update.edits, &groups, direction);
        let id = self.present(&update.id);
        let send = async || match send(&changes, &id, &region).await {
            Err(error) if error.is_gone() && is_gone(&changes, &id, &region).await => Ok(End::Gone),
            sent => sent.map(|()| End::Changed),
        };
        let look = async || Ok(self.look(step, &changes, &id, &region).await?.then_some(End::Changed));
        self.sender(step, Request::Update, work, work.stop).send_until_known(send, look).await
    }

    /// Whether the object has those values. If it has not, and nothing can change that any more, the step stands
    /// where it stood before.
    async fn look(&self, step: usize, changes: &Changes<'_>, id: &Id, region: &Region) -> Result<bool, Error> {
        let at = Timestamp::now();
        let is_so = holds(changes, id, region).await?;
        self.progress().looked(step, at, usize::from(is_so));
        if !is_so && self.progress().late(step).is_none() {
            self.progress().refused(step);
        }
        self.note();
        Ok(is_so)
    }

    /// Sees to it once more that what was put back stays so, for a request that was lost may have changed that.
    pub(super) async fn see_to(&self, step: usize, update: &Update, region: &Region) -> Result<(), Error> {
        let at = Timestamp::now();
        let Some(ours) = self.ours(update, region).await? else {
            self.progress().looked(step, at, 0);
            return Ok(());
        };
        let groups = self.groups(&ours.edits, Direction::Back)?;
        send(&changes(&ours.edits, &groups, Direction::Back), &self.present(&update.id), region).await?;
        self.progress().looked(step, at, 1);
        Ok(())
    }
}

/// The endpoint groups a connection is to have.
#[derive(Default)]
pub(super) struct MadeGroups {
    pub local: Option<Id>,
    pub peer: Option<Id>,
}

/// What is sent.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Changes<'a> {
    Service(ServiceChanges<'a>),
    Connection(ConnectionChanges<'a>),
}

impl Changes<'_> {
    const fn kind(&self) -> Kind {
        match self {
            Changes::Service(_) => Kind::VpnService,
            Changes::Connection(_) => Kind::SiteConnection,
        }
    }
}

pub(super) const fn chosen<T>(edit: &Edit<T>, direction: Direction) -> &T {
    match direction {
        Direction::Forward => &edit.after,
        Direction::Back => &edit.before,
    }
}

pub(super) fn changes<'a>(edits: &'a Edits, groups: &'a MadeGroups, direction: Direction) -> Changes<'a> {
    fn text(edit: Option<&Edit<String>>, direction: Direction) -> Option<&str> {
        edit.map(|edit| chosen(edit, direction).as_str())
    }
    let up = |edit: &Option<Edit<bool>>| edit.as_ref().map(|edit| *chosen(edit, direction));
    match edits {
        Edits::Service(edits) => Changes::Service(ServiceChanges {
            description: text(edits.description.as_ref(), direction),
            admin_state_up: up(&edits.admin_state_up),
        }),
        Edits::Connection(edits) => Changes::Connection(ConnectionChanges {
            peer_address: text(edits.peer_address.as_ref(), direction),
            peer_id: text(edits.peer_id.as_ref(), direction),
            local_group: groups.local.as_ref(),
            peer_group: groups.peer.as_ref(),
            dpd: edits.dpd.as_ref().map(|edit| {
                let values = chosen(edit, direction);
                DpdBody { action: &values.action, interval: values.interval, timeout: values.timeout }
            }),
            initiator: text(edits.initiator.as_ref(), direction),
            admin_state_up: up(&edits.admin_state_up),
        }),
    }
}

async fn send(changes: &Changes<'_>, id: &Id, region: &Region) -> Result<(), Error> {
    match changes {
        Changes::Service(changes) => region.update_service(id, changes).await,
        Changes::Connection(changes) => region.update_connection(id, changes).await,
    }
}

/// Whether it is the object itself that is not there, and not one it was to refer to.
async fn is_gone(changes: &Changes<'_>, id: &Id, region: &Region) -> bool {
    matches!(region.show(changes.kind(), id, &["id"]).await, Err(error) if error.is_gone())
}

/// What is sent, by the API's names.
pub(super) fn as_values(changes: &Changes<'_>) -> Result<Map<String, Value>, Error> {
    let unwritable = |_| Error::new(ErrorKind::Invalid, "The change cannot be written as JSON.");
    match serde_json::to_value(changes).map_err(unwritable)? {
        Value::Object(values) => Ok(values),
        _ => Ok(Map::new()),
    }
}

/// Whether everything that is sent stands in the object already.
async fn holds(changes: &Changes<'_>, id: &Id, region: &Region) -> Result<bool, Error> {
    let wanted = as_values(changes)?;
    let fields: Vec<&str> = wanted.keys().map(String::as_str).collect();
    let shown = region.show(changes.kind(), id, &fields).await?;
    Ok(wanted.iter().all(|(name, value)| shown.get(name) == Some(value)))
}
