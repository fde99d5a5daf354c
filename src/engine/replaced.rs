//! Connections that a change makes in place of others: what somebody else does to the old one meanwhile must not be lost with
//! it.

use futures::future::join_all;
use secrecy::ExposeSecret;

use super::contention::{Overtaken, error};
use super::equal_keys::set_key;
use super::{Changing, Failure, Work};
use crate::change::{Change, Create, Deletable, New, Object, Replacement, Step, Verb};
use crate::cloud::changes::{ConnectionChanges, ConnectionTemplate};
use crate::cloud::{Error, ErrorKind, Id, Kind, Region};

/// An old connection compared with the new one.
enum Compared {
    Alike,
    /// It was changed after the new one was made like it.
    Changed(Box<ConnectionTemplate>),
    Gone,
}

/// An old connection and the one in its place.
pub(super) struct Pair {
    pub step: usize,
    pub create: Create,
    /// What is different by intent.
    pub replacement: Replacement,
    pub new: Id,
}

impl Changing {
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let steps = self.change.steps().iter().enumerate();
        let pair = |(step, candidate): (usize, &Step)| {
            let Step::Create(create @ Create { object: New::Connection(replacement), .. }) = candidate else {
                return None;
            };
            let new = self.progress().made(step)?.clone();
            Some(Pair { step, create: create.clone(), replacement: (**replacement).clone(), new })
        };
        steps.filter_map(pair).collect()
    }

    /// Whether nothing of the change is deleted yet, nor may be.
    pub(super) fn has_deleted_nothing(&self) -> bool {
        let mut steps = self.change.steps().iter().enumerate();
        steps.all(|(number, step)| !matches!(step, Step::Delete(..)) || self.progress().is_untouched(number))
    }

    /// Sees to it that a connection to delete is what it was when the change was built.
    pub(super) async fn before_deletion(&self, step: usize, object: &Object, work: &Work<'_>) -> Result<(), Failure> {
        let is_first = self.has_deleted_nothing();
        if self.change.verb == Verb::Delete && is_first {
            return Ok(self.before_whole_deletion(step, work).await?);
        }
        let mut pairs = self.pairs();
        pairs.retain(|pair| is_first || pair.replacement.like == object.id);
        let compared = join_all(pairs.into_iter().map(|pair| async {
            let region = self.region(step, &pair.create.region, work)?;
            let compared = compare(&pair, &region).await?;
            Ok::<_, Error>((pair, region, compared))
        }));
        for compared in compared.await {
            let (pair, region, compared) = compared?;
            let Create { name, region: place, .. } = &pair.create;
            match (compared, is_first) {
                (Compared::Gone, true) => {
                    let (id, name) = (pair.replacement.like.clone(), name.clone());
                    let old = Object { region: place.clone(), id, name };
                    return Err(self.was_replaced(step, &old, &region).await?);
                }
                (Compared::Changed(_), true) => {
                    let text = format!(
                        "Somebody else has changed the IPsec site connection {name} in {place} at the same time: the new \
                         one was created as it was before."
                    );
                    return Err(error(text, place).into());
                }
                // It is too late to roll the change back, so what somebody else has set is set on the new ones.
                (Compared::Changed(old), false) => self.carry_over(step, &pair, &old, work).await?,
                (Compared::Alike, _) | (Compared::Gone, false) => {}
            }
        }
        Ok(())
    }

    /// Why a change gives way that finds a connection gone which it is about to delete first. The change that deleted it stays.
    pub(super) async fn was_replaced(&self, step: usize, old: &Object, region: &Region) -> Result<Failure, Error> {
        let by = self.replaced_by(&old.id, region).await?;
        let text = format!(
            "Somebody else has replaced or deleted the IPsec site connection {} in {} at the same time.",
            old.name, old.region
        );
        Ok(Failure::Overtaken(Box::new(Overtaken { step, by, error: error(text, &old.region) })))
    }

    /// Whether the change makes a connection in place of that one.
    pub(super) fn is_replaced(&self, old: &Id) -> bool {
        self.pairs().iter().any(|pair| pair.replacement.like == *old)
    }

    async fn carry_over(
        &self,
        step: usize,
        pair: &Pair,
        old: &ConnectionTemplate,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        let region = self.region(step, &pair.create.region, work)?;
        let group = |name: &str| old.text(name).map(Id::new);
        let Replacement { groups, peer: peer_end, key, .. } = &pair.replacement;
        let groups_before = groups.is_none().then(|| (group("local_ep_group_id"), group("peer_ep_group_id")));
        let (local, peer) = groups_before.unwrap_or_default();
        let peer_before = |name| if peer_end.is_none() { old.text(name) } else { None };
        let changes = ConnectionChanges {
            peer_address: peer_before("peer_address"),
            peer_id: peer_before("peer_id"),
            local_group: local.as_ref(),
            peer_group: peer.as_ref(),
            ..ConnectionChanges::default()
        };
        let mut failures = 0;
        while let Err(error) = region.update_connection(&pair.new, &changes).await {
            failures += 1;
            if !error.is_pending()
                || !work.wait_for_agent(&work.patience(step, work.stop.clone()), &error, failures).await
            {
                return Err(error);
            }
        }
        if key.is_some() {
            return Ok(());
        }
        // A new key is for both halves, so both new connections get it; that of a companion is nobody else's.
        if !self.is_half_of_vpn(pair) {
            return set_key(&region, &pair.new, old.psk(), step, work).await;
        }
        let own = |other: &Pair| self.is_half_of_vpn(other) && other.replacement.key.is_none();
        for pair in self.pairs().into_iter().filter(own) {
            let region = self.region(step, &pair.create.region, work)?;
            set_key(&region, &pair.new, old.psk(), step, work).await?;
        }
        Ok(())
    }

    /// Whether it is no companion: other VPNs on a service that is replaced keep their keys.
    pub(super) fn is_half_of_vpn(&self, pair: &Pair) -> bool {
        self.change.connections.is_empty() || self.change.connections.iter().any(|own| own.id == pair.replacement.like)
    }

    /// Sees to it that both halves have the same key in the end, if they had, and that no other change has replaced the same
    /// connections.
    pub(super) async fn look_at_connections(&self, work: &Work<'_>) -> Result<(), Overtaken> {
        if self.change.verb == Verb::Delete {
            return self.is_gone_for_good(work).await;
        }
        let pairs = self.pairs();
        self.one_of_twins(&pairs, work).await?;
        let Some(last) = pairs.last().map(|pair| pair.step) else { return Ok(()) };
        self.same_keys(&pairs, last, work).await.map_err(|error| Overtaken { step: last, by: None, error })
    }
}

async fn compare(pair: &Pair, region: &Region) -> Result<Compared, Error> {
    const SAME: [&str; 6] =
        ["local_ep_group_id", "peer_ep_group_id", "peer_address", "peer_id", "local_id", "initiator"];
    let Replacement { like, groups, peer, key, initiator, .. } = &pair.replacement;
    // The old one last: who sets another key sets it there first, and then on what has been made in its place by then.
    let new = region.connection_template(&pair.new).await?;
    let old = match region.connection_template(like).await {
        Err(error) if error.is_gone() => return Ok(Compared::Gone),
        old => old?,
    };
    let is_intended = |name: &str| match name {
        "local_ep_group_id" | "peer_ep_group_id" => groups.is_some(),
        "peer_address" | "peer_id" => peer.is_some(),
        "initiator" => initiator.is_some(),
        _ => false,
    };
    let is_alike = SAME.iter().all(|name| is_intended(name) || old.text(name) == new.text(name))
        && (key.is_some() || old.psk().expose_secret() == new.psk().expose_secret());
    Ok(if is_alike { Compared::Alike } else { Compared::Changed(Box::new(old)) })
}

/// Whether a deletion is that of a connection, whose state matters to others.
pub(super) fn is_connection(what: Deletable) -> bool {
    what == Deletable::Vpn(Kind::SiteConnection)
}

/// The error of a connection that is gone before another is made like it.
pub(super) fn vanished(mut why: Error, change: &Change, create: &Create) -> Error {
    if why.is_gone() && matches!(create.object, New::Connection(_)) {
        why.kind = ErrorKind::Overtaken;
        why.message = format!(
            "Somebody else has replaced or deleted the IPsec site connection {} in {} at the same time as {change}.",
            create.name, create.region
        );
    }
    why
}
