//! Deleting a whole VPN that somebody else changes at the same time: what it has now is what is deleted, or nothing.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::contention::{Overtaken, error};
use super::replaced::is_connection;
use super::{Changing, Work};
use crate::change::{Object, Step, Subject};
use crate::cloud::vpnaas::{Marked, is_marked};
use crate::cloud::{Error, Id, Kind, Region, RegionId};
use crate::engine::Event;
use crate::plan::{Half, VpnName};

impl Changing {
    /// Sees to it that no connection is deleted that holds what is not known, or that somebody has replaced.
    pub(super) async fn before_whole_deletion(&self, step: usize, work: &Work<'_>) -> Result<(), Error> {
        for object in self.connections_to_go() {
            let region = self.region(step, &object.region, work)?;
            self.holds_what_is_known(&object, &region).await?;
        }
        Ok(())
    }

    fn connections_to_go(&self) -> Vec<Object> {
        let goes = |step: &Step| match step {
            Step::Delete(what, object) if is_connection(*what) => Some(object.clone()),
            _ => None,
        };
        self.change.steps().iter().filter_map(goes).collect()
    }

    /// Sees to it that a VPN that is deleted was not replaced by somebody else meanwhile.
    pub(super) async fn is_gone_for_good(&self, work: &Work<'_>) -> Result<(), Overtaken> {
        for object in self.connections_to_go() {
            let Ok(region) = self.region(0, &object.region, work) else { continue };
            if let Ok(Some(new)) = self.successor(&object.id, &region).await {
                let text = format!(
                    "Somebody else has replaced the IPsec site connection {} in {} at the same time: {new} has replaced \
                     it.",
                    object.name, object.region
                );
                return Err(Overtaken { step: 0, by: None, error: error(text, &object.region) });
            }
        }
        self.remove_what_it_left(work).await;
        Ok(())
    }

    /// What somebody else has given a VPN while it was being deleted is not among the steps, but carries its mark and a name
    /// as this program gives it, and nothing uses it any more. What lacks such a name was said to stay.
    async fn remove_what_it_left(&self, work: &Work<'_>) {
        const KINDS: [Kind; 3] = [Kind::EndpointGroup, Kind::IkePolicy, Kind::IpsecPolicy];
        let Subject::Marked(vpn) = self.change.subject.clone() else { return };
        let regions: BTreeSet<RegionId> = self.connections_to_go().into_iter().map(|object| object.region).collect();
        for region in regions {
            let Ok(region) = self.region(0, &region, work) else { continue };
            let lists = join_all(KINDS.map(|kind| region.described(kind))).await;
            let Ok(connections) = region.connections().await else { continue };
            for (kind, objects) in KINDS.into_iter().zip(lists) {
                let is_left = |object: &Marked| {
                    let is_its = [Half::A, Half::B].iter().any(|half| is_marked(&object.description, &vpn.mark(*half)));
                    is_its
                        && VpnName::is_given(kind, &object.name)
                        && !connections.iter().any(|one| one.uses(&object.id))
                };
                // One that an own step could not delete is told of already.
                let own = |id: &Id| {
                    self.change.steps().iter().any(|step| matches!(step, Step::Delete(_, one) if one.id == *id))
                };
                for object in objects.unwrap_or_default().into_iter().filter(is_left) {
                    if !own(&object.id) && region.delete(kind, &object.id).await.is_ok() {
                        work.tell(Event::Removed(0, object.id));
                    }
                }
            }
        }
    }

    /// A connection that somebody has given other objects since would leave them behind, and so would one that somebody has
    /// replaced.
    async fn holds_what_is_known(&self, object: &Object, region: &Region) -> Result<(), Error> {
        let connections = region.connections().await?;
        if !connections.iter().any(|one| one.id == object.id) && self.successor(&object.id, region).await?.is_some() {
            let text = format!(
                "Somebody else has replaced the IPsec site connection {} in {} since it was looked at.",
                object.name, object.region
            );
            return Err(error(text, &object.region));
        }
        let goes =
            |id: &Id| self.change.steps().iter().any(|step| matches!(step, Step::Delete(_, one) if one.id == *id));
        let Some(connection) = connections.iter().find(|one| one.id == object.id) else { return Ok(()) };
        let stays = connections.iter().filter(|one| !goes(&one.id));
        let unknown = connection.holds().find(|held| !goes(held) && !stays.clone().any(|one| one.uses(held)));
        match unknown {
            Some(held) if is_there(region, held).await => {
                let text = format!(
                    "Somebody else has changed the IPsec site connection {} in {} since it was looked at: it has other \
                     policies or endpoint groups now, which would be left behind.",
                    object.name, object.region
                );
                Err(error(text, &object.region))
            }
            _ => Ok(()),
        }
    }
}

/// Whether an object exists: what is gone is not left behind.
async fn is_there(region: &Region, id: &Id) -> bool {
    for kind in [Kind::EndpointGroup, Kind::IkePolicy, Kind::IpsecPolicy] {
        if region.show(kind, id, &["id"]).await.is_ok() {
            return true;
        }
    }
    false
}
