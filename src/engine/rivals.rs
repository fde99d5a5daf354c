//! Others who make the same VPN at the same time. What the checks of a plan refuse can come to be between the checks and the
//! connections, so each run looks once more before it makes its connections, and once after.
//!
//! The first look settles it for the later run: the other has a connection already. In the second look two runs can
//! see each other. Then the one with the smaller VPN id stays, and the other withdraws: it deletes what it made and nothing
//! else. The one that stays waits for that; if it does not happen, the other looked too early to know of it, and the one that
//! waits withdraws too. A connection without a marker belongs to somebody who does not look at all.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use secrecy::ExposeSecret;

use super::marked::deletable;
use super::{Changing, Work};
use crate::change::{ChangeId, HalfObject, Task};
use crate::cloud::retry::pass;
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Detail, Error, ErrorKind, Id, OtherSubnets, SiteConnection, Survey};
use crate::engine::Event;
use crate::engine::delete::delete;
use crate::engine::{Made, Origin, ROUNDS, read_shared_keys};
use crate::plan::checks::existing;
use crate::plan::{Far, Half, HalfPlan, Known, PeerAddress, Plan, SharedKey, VpnId, is_between};

/// A connection that was made since the plan was checked, and with which the plan would have been refused.
pub(super) struct Rival {
    /// The run that made it, if one of this program did.
    vpn: Option<VpnId>,
    half: Half,
    /// What is said of it.
    text: String,
}

/// What a look at a half has shown.
struct Beside {
    rivals: Vec<Rival>,
    /// The same half of this VPN, made by somebody who saw that it was missing.
    same: Option<SiteConnection>,
}

impl Changing {
    /// Why the VPN must not be made any more, before its connections exist.
    ///
    /// # Errors
    /// If that cannot be seen.
    pub(super) async fn overtaken_before(&self, work: &Work<'_>) -> Result<Option<Rival>, Error> {
        // A run that has a connection already is seen by the others, and looks for them in the end.
        let Some(plan) = self.plan.as_ref().filter(|_| !self.has_connection()) else { return Ok(None) };
        Ok(self.rivals(plan, work).await?.into_iter().find_map(|(_, beside)| beside.rivals.into_iter().next()))
    }

    /// Why the VPN must not stay, now that its connections exist.
    ///
    /// # Errors
    /// If that cannot be seen.
    pub(super) async fn overtaken_after(&self, work: &Work<'_>) -> Result<Option<Rival>, Error> {
        let Some(plan) = &self.plan else { return Ok(None) };
        let mut pause = work.limits().back_off;
        for round in 1..=ROUNDS {
            let looked = self.rivals(plan, work).await?;
            let (rivals, same): (Vec<_>, Vec<_>) =
                looked.into_iter().map(|(half, beside)| (beside.rivals, beside.same.map(|same| (half, same)))).unzip();
            let mut rivals: Vec<Rival> = rivals.into_iter().flatten().collect();
            let same: Vec<(Half, SiteConnection)> = same.into_iter().flatten().collect();
            let yields = |rival: &Rival| rival.vpn.as_ref().is_some_and(|vpn| vpn > plan.id());
            let stays = rivals.iter().position(|rival| !yields(rival));
            let first = stays.or((!rivals.is_empty()).then_some(0));
            if first.is_none() && round == ROUNDS {
                for (half, connection) in &same {
                    self.take_over(*half, connection, work).await?;
                }
            }
            if first.is_none() && (same.is_empty() || round == ROUNDS) {
                return Ok(self.sharer_with_another_key(plan, work).await);
            }
            if let Some(first) = first.filter(|_| stays.is_some() || round == ROUNDS) {
                return Ok(Some(rivals.swap_remove(first)));
            }
            if !pass(pause, work.stop).await {
                return Ok(None);
            }
            pause = pause.saturating_mul(2);
        }
        Ok(None)
    }

    fn has_connection(&self) -> bool {
        let mut connections = self.marked_steps().filter(|marked| marked.task.step == HalfObject::Connection);
        connections.any(|marked| self.may_be_made(marked.step))
    }

    /// A connection whose key this VPN shares, and that has another.
    async fn sharer_with_another_key(&self, plan: &Plan, work: &Work<'_>) -> Option<Rival> {
        let reads = plan.key_sharers().iter().map(|of| {
            let cloud = work.session(None, &of.region);
            read_shared_keys(cloud, std::slice::from_ref(of))
        });
        let keys = join_all(reads).await.concat();
        let own = plan.psk().secret().expose_secret();
        let differs = |shared: &&SharedKey| shared.key.as_ref().is_ok_and(|key| key.expose_secret() != own);
        let shared = keys.iter().find(differs)?;
        let half = plan.halves().find(|half| half.region == shared.of.region)?.half;
        let text = format!(
            "connection {} ({}) in {} now has another key, and connects the same two addresses",
            shared.of.name, shared.of.id, shared.of.region
        );
        Some(Rival { vpn: None, half, text })
    }

    /// Takes what a repair has made in place of this creation's own. A repair looks once and gives way to what it sees; if it stays,
    /// it looked before that half was there.
    async fn take_over(&self, half: Half, connection: &SiteConnection, work: &Work<'_>) -> Result<(), Error> {
        let Some(own) = self.object_of(Task { half, step: HalfObject::Connection }) else { return Ok(()) };
        self.delete_now(&own, work).await;
        let (id, name) = (connection.id.clone(), connection.name.clone());
        let made = Made { id, name, origin: Origin::Adopted, ..own };
        self.progress().record(made.clone());
        self.note();
        work.tell(Event::Made(made, Duration::ZERO));
        Ok(())
    }

    async fn rivals(&self, plan: &Plan, work: &Work<'_>) -> Result<Vec<(Half, Beside)>, Error> {
        let looks = plan.halves().map(|half| async { Ok((half.half, self.rivals_of(plan, half, work).await?)) });
        try_join_all(looks).await
    }

    /// The same on one half. One request, unless there is an unknown connection.
    async fn rivals_of(&self, plan: &Plan, half: &HalfPlan, work: &Work<'_>) -> Result<Beside, Error> {
        let task = |step| Task { half: half.half, step };
        let step = self.change.step_of(task(HalfObject::Connection)).unwrap_or_default();
        let region = self.region(step, &half.region, work)?;
        let service = self.object_of(task(HalfObject::Service)).map(|made| made.id);
        let own = self.object_of(task(HalfObject::Connection)).map(|made| made.id);
        let is_new = |connection: &SiteConnection| {
            Some(&connection.service) == service.as_ref() && !half.present.contains(&connection.id)
        };
        let (same, new): (Vec<_>, Vec<_>) = (region.connections().await?.into_iter().filter(is_new))
            .partition(|connection| is_marked(&connection.description, &plan.id().mark(half.half)));
        let is_of_change = |one: &SiteConnection| ChangeId::of_description(&one.description).is_some();
        let same = same.into_iter().find(|one| own.as_ref().is_some_and(|own| *own != one.id) && is_of_change(one));
        let new: BTreeSet<Id> = new.into_iter().map(|connection| connection.id).collect();
        if new.is_empty() {
            return Ok(Beside { rivals: Vec::new(), same });
        }
        let Survey { inventory, groups, .. } = region.survey(region.vpn_lists().await?, OtherSubnets::Leave).await?;
        let detail = Detail { groups, ..Detail::default() };
        let known = Known { region: &half.region, inventory: &inventory, detail: Some(&detail), upgrades: None };
        let mut rivals = Vec::new();
        for connection in inventory.connections.iter().filter(|connection| new.contains(&connection.id)) {
            let why = match existing::tunnels_the_same(&known, half, &connection.id) {
                None if self.is_between_the_same_ends(plan, connection, half) => {
                    match region.connection_psk(&connection.id).await {
                        Err(error) if error.is_gone() => None,
                        key => (key?.expose_secret() != plan.psk().secret().expose_secret())
                            .then(|| "connects the same two addresses with another key".to_owned()),
                    }
                }
                why => why,
            };
            rivals.extend(why.map(|why| Rival {
                vpn: VpnId::of_description(&connection.description).map(|(id, _)| id),
                half: half.half,
                text: format!("connection {} ({}) in {} {why}", connection.name, connection.id, half.region),
            }));
        }
        Ok(Beside { rivals, same })
    }

    fn is_between_the_same_ends(&self, plan: &Plan, connection: &SiteConnection, half: &HalfPlan) -> bool {
        let address = |half: Half| -> Option<IpAddr> {
            self.object_of(Task { half, step: HalfObject::Service })?.external(plan.outer())
        };
        let own = address(half.half).or(half.address);
        match plan.far() {
            Far::Peer(peer) => is_between(connection, own, &peer.address, &peer.id),
            Far::Half(_) => {
                let other = plan.half(half.half.other()).and_then(|other| other.address);
                address(half.half.other())
                    .or(other)
                    .is_some_and(|peer| is_between(connection, own, &PeerAddress::Ip(peer), &peer.to_string()))
            }
        }
    }
}

impl Changing {
    /// Deletes what was made, because of what was found. No other objects are touched, and what others have come to use
    /// is theirs from now on. The error says what was found, and what became of this creation.
    pub(super) async fn withdraw(&self, rival: &Rival, work: &Work<'_>) -> (usize, Error) {
        let own = self.progress().removable();
        for made in own.into_iter().filter(|made| made.task.step == HalfObject::Connection) {
            // They are what is in the others' way.
            self.delete_now(&made, work).await;
        }
        if rival.vpn.is_some() {
            self.until_taken_over(work).await;
        }
        let _ = self.backward(work).await;
        let left = self.notes().not_deleted.clone();
        for (made, error) in left.into_iter().filter(|(made, error)| is_service(made) && error.is_in_use()) {
            tracing::info!(service = %made.id, %error, "another VPN has come to use it");
            let theirs = Made { origin: Origin::Reused, ..made };
            self.progress().record(theirs.clone());
            self.note();
            work.tell(Event::Made(theirs, Duration::ZERO));
        }
        let is_clean = self.progress().is_unbegun();
        if is_clean {
            self.kept().finish();
        }
        let whose = match &rival.vpn {
            Some(vpn) => format!("Somebody else created a VPN (osvpn:{vpn}) between these routers at the same time"),
            None => "Somebody else changed the connections of this router at the same time".to_owned(),
        };
        let rest = if is_clean {
            "What was created here is deleted again, and nothing else"
        } else {
            "Not everything that was created here could be deleted"
        };
        let mut error = Error::new(ErrorKind::Overtaken, format!("{whose}: {}. {rest}.", rival.text));
        let step = self.change.step_of(Task { half: rival.half, step: HalfObject::Connection }).unwrap_or_default();
        error.region = self.change.steps().get(step).and_then(|step| step.regions().first().copied().cloned());
        (step, error)
    }

    async fn delete_now(&self, made: &Made, work: &Work<'_>) {
        let Some(step) = self.change.step_of(made.task) else { return };
        let Ok(region) = self.region(step, &made.region, work) else { return };
        work.tell(Event::Deleting(made.clone()));
        if delete(deletable(made), &made.id, &region).await.is_ok() {
            self.forget(made, work);
        }
    }

    /// Gives the other process the time to connect to services that this one made and that one reuses: deleted before that,
    /// they would be missing.
    async fn until_taken_over(&self, work: &Work<'_>) {
        let mut pause = work.limits().back_off;
        for _ in 1..ROUNDS {
            let services: Vec<Made> = self.progress().removable().into_iter().filter(is_service).collect();
            let looks = services.iter().map(|made| async move {
                let step = self.change.step_of(made.task).unwrap_or_default();
                let connections = self.region(step, &made.region, work)?.connections().await?;
                Ok::<_, Error>(connections.iter().any(|connection| connection.service == made.id))
            });
            match try_join_all(looks).await {
                Ok(taken) if taken.iter().all(|taken| *taken) => return,
                Ok(_) => {}
                Err(_) => return,
            }
            if !pass(pause, work.stop).await {
                return;
            }
            pause = pause.saturating_mul(2);
        }
    }
}

fn is_service(made: &Made) -> bool {
    made.task.step == HalfObject::Service
}
