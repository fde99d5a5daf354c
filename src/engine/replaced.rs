//! Connections that a change makes in place of others: what somebody else does to the old one meanwhile, and to the key of
//! the other half, must not be lost with it; and of two changes that replace the same one, one gives way.

use std::collections::BTreeSet;

use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};

use super::contention::{Overtaken, error};
use super::{Changing, Failure, Work};
use crate::change::{Change, ChangeId, Create, Deletable, New, Object, Replacement, Step, Subject, Verb};
use crate::cloud::changes::{ConnectionChanges, ConnectionTemplate};
use crate::cloud::retry::pass;
use crate::cloud::vpnaas::{Marked, is_marked};
use crate::cloud::{Error, ErrorKind, Id, Kind, Region, RegionId, SiteConnection};
use crate::engine::Event;
use crate::engine::ROUNDS;
use crate::plan::{Half, VpnId, VpnName};

/// An old connection compared with the new one.
enum Compared {
    Alike,
    /// It was changed after the new one was made like it.
    Changed(Box<ConnectionTemplate>),
    Gone,
}

/// An old connection and the one in its place.
struct Pair {
    step: usize,
    create: Create,
    /// What is different by intent.
    replacement: Replacement,
    new: Id,
}

/// A connection that a change has made, of which there is to be one.
struct OneOfItsKind {
    step: usize,
    create: Create,
    new: Id,
    /// The one in whose place it is; none if there was none.
    like: Option<Id>,
    /// What is different of it by intent, if it is in the place of another.
    intended: Intended,
}

/// In what two changes that make the same connection may differ.
#[derive(Clone, Copy)]
struct Intended {
    /// Each may have made a VPN service of its own on the router.
    service: bool,
    /// Where the other half is then known of each one's own service alone.
    peer: bool,
    groups: bool,
}

impl From<&Pair> for OneOfItsKind {
    fn from(Pair { step, create, replacement, new }: &Pair) -> Self {
        let Replacement { like, service, peer, groups, .. } = replacement;
        let intended = Intended { service: service.is_some(), peer: peer.is_some(), groups: groups.is_some() };
        Self { step: *step, create: create.clone(), new: new.clone(), like: Some(like.clone()), intended }
    }
}

impl Changing {
    /// The connections made in place of others, and those made as a half that was missing.
    fn ones_of_their_kind(&self, pairs: &[Pair]) -> Vec<OneOfItsKind> {
        let halves = self.change.steps().iter().enumerate().filter_map(|(step, candidate)| {
            let Step::Create(create) = candidate else { return None };
            let New::FreshConnection(fresh) = &create.object else { return None };
            let new = self.progress().made(step).filter(|_| fresh.key_of.is_some())?.clone();
            let intended = Intended { service: true, peer: false, groups: false };
            Some(OneOfItsKind { step, create: create.clone(), new, like: None, intended })
        });
        pairs.iter().map(OneOfItsKind::from).chain(halves).collect()
    }

    fn pairs(&self) -> Vec<Pair> {
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
    fn has_deleted_nothing(&self) -> bool {
        let mut steps = self.change.steps().iter().enumerate();
        steps.all(|(number, step)| !matches!(step, Step::Delete(..)) || self.progress().is_untouched(number))
    }

    /// Sees to it that a connection to delete is what it was when the change was built.
    pub(super) async fn before_deletion(&self, step: usize, object: &Object, work: &Work<'_>) -> Result<(), Failure> {
        let is_first = self.has_deleted_nothing();
        if self.change.verb == Verb::Delete && is_first {
            for object in self.connections_to_go() {
                let region = self.region(step, &object.region, work)?;
                self.holds_what_is_known(&object, &region).await?;
            }
            return Ok(());
        }
        for pair in self.pairs() {
            if !is_first && pair.replacement.like != object.id {
                continue;
            }
            let region = self.region(step, &pair.create.region, work)?;
            match (compare(&pair, &region).await?, is_first) {
                (Compared::Gone, true) => {
                    let by = self.twin_of(&(&pair).into(), &region).await?.map(|(_, by)| by);
                    // The one with the smaller id stays, and in the end the other sees what it has made.
                    if by.as_ref().is_none_or(|by| by < self.change.id()) {
                        let text = format!(
                            "Somebody else has replaced or deleted the IPsec site connection {} in {} at the same time.",
                            pair.create.name, pair.create.region
                        );
                        let error = error(text, &pair.create.region);
                        return Err(Failure::Overtaken(Box::new(Overtaken { step, by, error })));
                    }
                }
                (Compared::Changed(_), true) => {
                    let text = format!(
                        "Somebody else has changed the IPsec site connection {} in {} at the same time: the new one was \
                         created as it was before.",
                        pair.create.name, pair.create.region
                    );
                    return Err(error(text, &pair.create.region).into());
                }
                // It is too late to roll the change back, so what somebody else has set is set on the new ones.
                (Compared::Changed(old), false) => self.carry_over(step, &pair, &old, work).await?,
                (Compared::Alike, _) | (Compared::Gone, false) => {}
            }
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
    async fn is_gone_for_good(&self, work: &Work<'_>) -> Result<(), Overtaken> {
        for object in self.connections_to_go() {
            let Ok(region) = self.region(0, &object.region, work) else { continue };
            if let Ok(Some(new)) = self.successor(&object.id, &object.name, &region).await {
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
        if !connections.iter().any(|one| one.id == object.id)
            && matches!(self.change.subject, Subject::Marked(_))
            && self.successor(&object.id, &object.name, region).await?.is_some()
        {
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
    fn is_half_of_vpn(&self, pair: &Pair) -> bool {
        self.change.connections.is_empty() || self.change.connections.iter().any(|own| own.id == pair.replacement.like)
    }

    /// Notes whether both halves have the same key, before the first of them is replaced.
    pub(super) async fn note_keys(&self, like: &ConnectionTemplate, id: &Id, step: usize, work: &Work<'_>) {
        let halves = &self.change.connections;
        // Of a companion it says nothing.
        if !halves.iter().any(|one| one.id == *id) || self.pairs().iter().any(|pair| self.is_half_of_vpn(pair)) {
            return;
        }
        let Some(other) = halves.iter().find(|one| one.id != *id).cloned() else { return };
        let Ok(region) = self.region(step, &other.region, work) else { return };
        if let Ok(key) = region.connection_psk(&other.id).await {
            self.notes().were_equal = key.expose_secret() == like.psk().expose_secret();
        }
    }

    /// Sees to it that both halves have the same key in the end, if they had, and that no other change has replaced the same
    /// connections.
    pub(super) async fn look_at_connections(&self, work: &Work<'_>) -> Result<(), Overtaken> {
        if self.change.verb == Verb::Delete && matches!(self.change.subject, Subject::Marked(_)) {
            return self.is_gone_for_good(work).await;
        }
        let pairs = self.pairs();
        self.one_of_twins(&self.ones_of_their_kind(&pairs), work).await?;
        let Some(last) = pairs.last().map(|pair| pair.step) else { return Ok(()) };
        let equal = async {
            self.same_new_key(last, work).await?;
            if self.notes().were_equal { self.equal_keys(&pairs, last, work).await } else { Ok(()) }
        };
        equal.await.map_err(|error| Overtaken { step: last, by: None, error })
    }

    /// Of connections made with a new key one may have been found to exist after another had been given another.
    async fn same_new_key(&self, step: usize, work: &Work<'_>) -> Result<(), Error> {
        let mut right: Option<SecretString> = None;
        for (_, create, id) in self.with_new_key() {
            let region = self.region(step, &create.region, work)?;
            let key = match region.connection_psk(&id).await {
                Err(error) if error.is_gone() => continue,
                key => key?,
            };
            let right = right.get_or_insert_with(|| key.clone());
            if right.expose_secret() != key.expose_secret() {
                set_key(&region, &id, right, step, work).await?;
            }
        }
        Ok(())
    }

    async fn equal_keys(&self, pairs: &[Pair], step: usize, work: &Work<'_>) -> Result<(), Error> {
        let mut halves = Vec::new();
        for one in self.change.connections.clone() {
            let new = pairs.iter().find(|pair| pair.replacement.like == one.id).map(|pair| pair.new.clone());
            halves.push((self.region(step, &one.region, work)?, new.is_some(), new.unwrap_or(one.id), one.name));
        }
        // What was not replaced has what somebody else has set.
        halves.sort_by_key(|(_, is_new, ..)| *is_new);
        let [(region, _, right, right_name), (other_region, _, other, other_name)] = halves.as_slice() else {
            return Ok(());
        };
        for _ in 0..ROUNDS {
            let Some(key) = self.key_of(region, right, right_name).await? else { return Ok(()) };
            let Some(others) = self.key_of(other_region, other, other_name).await? else { return Ok(()) };
            if key.expose_secret() == others.expose_secret() {
                return Ok(());
            }
            let other = self.present(other);
            set_key(other_region, &other, &key, step, work).await?;
        }
        Ok(())
    }

    async fn key_of(&self, region: &Region, id: &Id, name: &str) -> Result<Option<SecretString>, Error> {
        match region.connection_psk(&self.present(id)).await {
            Err(error) if error.is_gone() => match self.successor(id, name, region).await? {
                Some(id) => region.connection_psk(&id).await.map(Some),
                None => Ok(None),
            },
            key => key.map(Some),
        }
    }

    /// Another change's connection in place of the same old one, or as the same half.
    async fn twin_of(&self, made: &OneOfItsKind, region: &Region) -> Result<Option<(Id, ChangeId)>, Error> {
        let connections = region.connections().await?;
        let Some(new) = connections.iter().find(|one| one.id == made.new) else { return Ok(None) };
        let services = if made.intended.service { region.services().await? } else { Vec::new() };
        let router = |id: &Id| services.iter().find(|service| service.id == *id).map(|service| &service.router);
        let is_beside = |one: &SiteConnection| {
            one.service == new.service || router(&one.service).is_some_and(|its| Some(its) == router(&new.service))
        };
        let twin = connections.iter().filter(|one| {
            one.id != new.id
                && one.name == new.name
                && is_beside(one)
                && (made.intended.peer || one.peer_address == new.peer_address)
        });
        let known = twin.filter_map(|one| Some((one, ChangeId::of_description(&one.description)?)));
        for (one, by) in known.filter(|(one, by)| by != self.change.id() && Some(&one.id) != made.like.as_ref()) {
            if self.is_the_same(one, new, made, region).await? {
                return Ok(Some((one.id.clone(), by)));
            }
        }
        Ok(None)
    }

    /// Whether two connections between the same two ends are one half, made twice: two VPNs there may have one name.
    async fn is_the_same(
        &self,
        one: &SiteConnection,
        new: &SiteConnection,
        made: &OneOfItsKind,
        region: &Region,
    ) -> Result<bool, Error> {
        let marks = (VpnId::of_description(&one.description), VpnId::of_description(&new.description));
        // A VPN that gets its first marker gets another one from each change.
        if made.like.is_some()
            && let (Some((is, _)), Some((own, _))) = &marks
            && self.change.new_id.as_ref() != Some(own)
        {
            return Ok(is == own);
        }
        Ok(made.intended.groups || carry_the_same(one, new, region).await?)
    }

    async fn one_of_twins(&self, made: &[OneOfItsKind], work: &Work<'_>) -> Result<(), Overtaken> {
        let mut pause = work.limits().back_off;
        for round in 1..=ROUNDS {
            let mut found = None;
            for one in made {
                let Ok(region) = self.region(one.step, &one.create.region, work) else { continue };
                if let Ok(Some((id, by))) = self.twin_of(one, &region).await {
                    found = Some((one, id, by));
                    break;
                }
            }
            let Some((one, id, by)) = found else { return Ok(()) };
            let Create { name, region, .. } = &one.create;
            let is_ours_to_go = by < *self.change.id();
            if is_ours_to_go {
                self.remove_own(work).await;
            }
            if is_ours_to_go || round == ROUNDS {
                let rest =
                    if is_ours_to_go { "stays, and this one's is deleted" } else { "is still there beside this one's" };
                let text = format!(
                    "Somebody else has {} the IPsec site connection {name} in {region} at the same time: their \
                     connection {id} {rest}.",
                    if one.like.is_some() { "replaced" } else { "made" }
                );
                return Err(Overtaken { step: one.step, by: Some(by), error: error(text, region) });
            }
            if !pass(pause, work.stop).await {
                return Ok(());
            }
            pause = pause.saturating_mul(2);
        }
        Ok(())
    }

    /// Deletes what this change has made in place of what another has replaced too.
    async fn remove_own(&self, work: &Work<'_>) {
        let made = |step: &Step| matches!(step, Step::Create(_));
        let mut own: Vec<usize> =
            (0..self.change.steps().len()).filter(|&step| made(&self.change.steps()[step])).collect();
        // Connections first: they hold the rest.
        own.sort_by_key(|step| !makes_connection(&self.change.steps()[*step]));
        for step in own {
            let Step::Create(create) = self.change.steps()[step].clone() else { continue };
            if let Err(error) = self.remove_made(step, &create, work).await {
                tracing::warn!(%error, "what is of no use could not be deleted");
            }
        }
    }
}

fn makes_connection(step: &Step) -> bool {
    matches!(step, Step::Create(create) if is_connection(create.object.kind()))
}

/// Whether two connections have endpoint groups with the same members.
async fn carry_the_same(one: &SiteConnection, other: &SiteConnection, region: &Region) -> Result<bool, Error> {
    for (one, other) in [(&one.local_group, &other.local_group), (&one.peer_group, &other.peer_group)] {
        let (Some(one), Some(other)) = (one, other) else { return Ok(false) };
        let members = async |id| region.show(Kind::EndpointGroup, id, &["endpoints"]).await;
        if one != other && members(one).await? != members(other).await? {
            return Ok(false);
        }
    }
    Ok(true)
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

async fn compare(pair: &Pair, region: &Region) -> Result<Compared, Error> {
    const SAME: [&str; 6] =
        ["local_ep_group_id", "peer_ep_group_id", "peer_address", "peer_id", "local_id", "initiator"];
    let Replacement { like, groups, peer, key, .. } = &pair.replacement;
    let (old, new) = tokio::join!(region.connection_template(like), region.connection_template(&pair.new));
    let old = match old {
        Err(error) if error.is_gone() => return Ok(Compared::Gone),
        old => old?,
    };
    let new = new?;
    let is_intended = |name: &str| match name {
        "local_ep_group_id" | "peer_ep_group_id" => groups.is_some(),
        "peer_address" | "peer_id" => peer.is_some(),
        _ => false,
    };
    let is_alike = SAME.iter().all(|name| is_intended(name) || old.text(name) == new.text(name))
        && (key.is_some() || old.psk().expose_secret() == new.psk().expose_secret());
    Ok(if is_alike { Compared::Alike } else { Compared::Changed(Box::new(old)) })
}

async fn set_key(region: &Region, id: &Id, key: &SecretString, step: usize, work: &Work<'_>) -> Result<(), Error> {
    let mut failures = 0;
    while let Err(error) = region.set_connection_psk(id, key).await {
        failures += 1;
        if !error.is_pending() || !work.wait_for_agent(&work.patience(step, work.stop.clone()), &error, failures).await
        {
            return Err(error);
        }
    }
    Ok(())
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
