//! Two changes that make the same connection at the same time, of which one is to stay.
//!
//! * Of two that replace a connection, the one stays that has deleted the old one: the cloud lets one of them do that. The
//!   other finds that it is gone, and deletes what it has made.
//! * Of two that make a half which is missing, the one with the smaller id stays, unless the other looked too early to know
//!   of it. The creation of the VPN, which goes on elsewhere, always stays.

use std::collections::BTreeSet;

use super::contention::{Overtaken, error};
use super::replaced::{Pair, is_connection};
use super::{Changing, Work};
use crate::change::{ChangeId, Create, FreshConnection, New, PeerEnd, Step, is_in_place_of};
use crate::cloud::retry::pass;
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Error, Id, Kind, Region, SiteConnection};
use crate::engine::ROUNDS;

/// A connection that a change has made, of which there is to be one.
struct OneOfItsKind {
    step: usize,
    create: Create,
    new: Id,
    /// The one in whose place it is; none if there was none.
    like: Option<Id>,
}

/// Another connection of the kind, and the change that made it; none if it was no change of a VPN that exists.
struct Twin {
    id: Id,
    by: Option<ChangeId>,
}

impl Changing {
    /// The connections made in place of others, and those made as a half that was missing.
    fn ones_of_their_kind(&self, pairs: &[Pair]) -> Vec<OneOfItsKind> {
        let pair = |Pair { step, create, replacement, new }: &Pair| OneOfItsKind {
            step: *step,
            create: create.clone(),
            new: new.clone(),
            like: Some(replacement.like.clone()),
        };
        let halves = self.change.steps().iter().enumerate().filter_map(|(step, candidate)| {
            let Step::Create(create) = candidate else { return None };
            half_that_was_missing(create)?;
            let new = self.progress().made(step)?.clone();
            Some(OneOfItsKind { step, create: create.clone(), new, like: None })
        });
        pairs.iter().map(pair).chain(halves).collect()
    }

    async fn twin_of(&self, made: &OneOfItsKind, region: &Region) -> Result<Option<Twin>, Error> {
        match &made.like {
            Some(old) => self.twin_in_place_of(old, region).await,
            None => self.half_beside(&made.create, Some(&made.new), region).await,
        }
    }

    /// What another change has made in place of a connection that this one replaces.
    pub(super) async fn replaced_by(&self, old: &Id, region: &Region) -> Result<Option<ChangeId>, Error> {
        Ok(self.twin_in_place_of(old, region).await?.and_then(|twin| twin.by))
    }

    async fn twin_in_place_of(&self, old: &Id, region: &Region) -> Result<Option<Twin>, Error> {
        let connections = region.connections().await?;
        let mut twins = connections.iter().filter(|one| is_in_place_of(&one.description, old));
        Ok(twins.find_map(|one| {
            let by = ChangeId::of_description(&one.description).filter(|by| by != self.change.id())?;
            Some(Twin { id: one.id.clone(), by: Some(by) })
        }))
    }

    /// The half that this change makes, made by somebody else: it has the marker of the half, or, of a VPN without one, its
    /// name and what it carries.
    async fn half_beside(&self, create: &Create, own: Option<&Id>, region: &Region) -> Result<Option<Twin>, Error> {
        let Some(fresh) = half_that_was_missing(create) else { return Ok(None) };
        let (connections, services) = tokio::try_join!(region.connections(), region.services())?;
        let service = self.id_of(&fresh.service)?;
        let router = |id: &Id| services.iter().find(|service| service.id == *id).map(|service| &service.router);
        let is_here = |one: &&SiteConnection| {
            one.service == service || router(&one.service).is_some_and(|its| Some(its) == router(&service))
        };
        for one in connections.iter().filter(is_here).filter(|one| Some(&one.id) != own) {
            let by = ChangeId::of_description(&one.description);
            let is_own = by.as_ref() == Some(self.change.id());
            if !is_own && self.is_that_half(one, by.as_ref(), create, fresh, region).await? {
                return Ok(Some(Twin { id: one.id.clone(), by }));
            }
        }
        Ok(None)
    }

    async fn is_that_half(
        &self,
        one: &SiteConnection,
        by: Option<&ChangeId>,
        create: &Create,
        fresh: &FreshConnection,
        region: &Region,
    ) -> Result<bool, Error> {
        if !create.description.is_empty() {
            return Ok(is_marked(&one.description, create.marker()));
        }
        let is_to_the_same = matches!(&fresh.peer, PeerEnd::Outside { address, .. } if *address == one.peer_address);
        if by.is_none() || one.name != create.name || !is_to_the_same {
            return Ok(false);
        }
        for (one, own) in [(&one.local_group, &fresh.local_group), (&one.peer_group, &fresh.peer_group)] {
            let (Some(one), own) = (one, self.id_of(own)?) else { return Ok(false) };
            let members = async |id| region.show(Kind::EndpointGroup, id, &["endpoints"]).await;
            if *one != own && members(one).await? != members(&own).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sees to it that a half which was missing still is, right before it is made.
    pub(super) async fn still_lacks(&self, step: usize, create: &Create, region: &Region) -> Result<(), Overtaken> {
        // That it cannot be seen is no reason not to make it: it is looked at again when it is made.
        let Ok(Some(Twin { id, by })) = self.half_beside(create, None, region).await else { return Ok(()) };
        let Create { name, region, .. } = create;
        let text = format!(
            "Somebody else has made the IPsec site connection {name} in {region} at the same time: {id} exists now."
        );
        Err(Overtaken { step, by, error: error(text, region) })
    }

    /// Sees to it that no other change has made the same connections; if one has, that one of both stays.
    pub(super) async fn one_of_twins(&self, pairs: &[Pair], work: &Work<'_>) -> Result<(), Overtaken> {
        let made = self.ones_of_their_kind(pairs);
        let lost = self.lost_connections();
        let has_replaced = pairs.iter().any(|pair| !lost.contains(&pair.replacement.like));
        let mut pause = work.limits().back_off;
        for round in 1..=ROUNDS {
            let mut found = None;
            for one in &made {
                let Ok(region) = self.region(one.step, &one.create.region, work) else { continue };
                if let Ok(Some(twin)) = self.twin_of(one, &region).await {
                    found = Some((one, twin));
                    break;
                }
            }
            let Some((one, Twin { id, by })) = found else { return Ok(()) };
            let is_ours_to_go = match &one.like {
                Some(old) => lost.contains(old),
                // One with a greater id that stays has looked before this one's was there.
                None => !has_replaced && (round == ROUNDS || by.as_ref().is_none_or(|by| by < self.change.id())),
            };
            if is_ours_to_go {
                self.remove_own(pairs, work).await;
            }
            if is_ours_to_go || round == ROUNDS {
                let Create { name, region, .. } = &one.create;
                let done = if one.like.is_some() { "replaced" } else { "made" };
                let rest =
                    if is_ours_to_go { "stays, and this one's is deleted" } else { "is still there beside this one's" };
                let text = format!(
                    "Somebody else has {done} the IPsec site connection {name} in {region} at the same time: their \
                     connection {id} {rest}."
                );
                return Err(Overtaken { step: one.step, by, error: error(text, region) });
            }
            if !pass(pause, work.stop).await {
                return Ok(());
            }
            pause = pause.saturating_mul(2);
        }
        Ok(())
    }

    /// Deletes what this change has made, but for connections in place of those that it has deleted itself, and what they
    /// use.
    async fn remove_own(&self, pairs: &[Pair], work: &Work<'_>) {
        let stays: BTreeSet<usize> = {
            let lost = self.lost_connections();
            pairs.iter().filter(|pair| !lost.contains(&pair.replacement.like)).map(|pair| pair.step).collect()
        };
        let made = |step: &Step| matches!(step, Step::Create(_));
        let steps = self.change.steps();
        let mut own: Vec<usize> =
            (0..steps.len()).filter(|step| made(&steps[*step]) && !stays.contains(step)).collect();
        // Connections first: they hold the rest.
        own.sort_by_key(|step| !makes_connection(&steps[*step]));
        for step in own {
            let Step::Create(create) = steps[step].clone() else { continue };
            if let Err(error) = self.remove_made(step, &create, work).await {
                tracing::warn!(%error, "what is of no use could not be deleted");
            }
        }
    }
}

/// A connection made as the half that a VPN lacks.
fn half_that_was_missing(create: &Create) -> Option<&FreshConnection> {
    let New::FreshConnection(fresh) = &create.object else { return None };
    fresh.key_of.as_ref().map(|_| &**fresh)
}

fn makes_connection(step: &Step) -> bool {
    matches!(step, Step::Create(create) if is_connection(create.object.kind()))
}
