//! Others who make the same VPN at the same time. What the checks of a plan refuse can come to be between the checks and the
//! connections, so each run looks once more before it makes its connections, and once after.
//!
//! The first look settles it for whoever comes later: the other has a connection already. In the second look two runs can
//! see each other. Then the one with the smaller VPN id stays, and the other withdraws: it deletes what it made and nothing
//! else. The one that stays waits for that; if it does not happen, the other looked too early to know of it, and the one that
//! waits withdraws too. A connection without a marker belongs to somebody who does not look at all.

use std::collections::BTreeSet;
use std::net::IpAddr;

use futures::future::try_join_all;
use secrecy::ExposeSecret;

use super::super::{ROUNDS, read_shared_keys, undo};
use super::{Marks, Run, Step, Task, Work};
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Detail, Error, ErrorKind, Id, SiteConnection};
use crate::engine::{Event, Ledger, Made, Origin, Undone};
use crate::plan::checks::existing;
use crate::plan::{Far, Half, HalfPlan, Known, PeerAddress, SharedKey, VpnId, is_between};

/// A connection that was made since the plan was checked, and with which the plan would have been refused.
pub(super) struct Rival {
    /// The run that made it, if one of this program did.
    vpn: Option<VpnId>,
    half: Half,
    /// What is said of it.
    text: String,
}

impl Run<'_> {
    /// Why the VPN must not be made any more, before its connections exist.
    ///
    /// # Errors
    /// If that cannot be seen.
    pub(super) async fn overtaken_before(&self) -> Result<Option<Rival>, Error> {
        // Whoever has a connection already is seen by the others, and looks for them in the end.
        if self.has_connection() {
            return Ok(None);
        }
        Ok(self.rivals().await?.into_iter().next())
    }

    /// Why the VPN must not stay, now that its connections exist.
    ///
    /// # Errors
    /// If that cannot be seen.
    pub(super) async fn overtaken_after(&self) -> Result<Option<Rival>, Error> {
        let mut pause = self.work.cloud.limits().back_off;
        for round in 1..=ROUNDS {
            let mut rivals = self.rivals().await?;
            let yields = |rival: &Rival| rival.vpn.as_ref().is_some_and(|vpn| vpn > self.plan.id());
            let stays = rivals.iter().position(|rival| !yields(rival));
            let Some(first) = stays.or((!rivals.is_empty()).then_some(0)) else {
                return Ok(self.sharer_with_another_key().await);
            };
            if stays.is_some() || round == ROUNDS {
                return Ok(Some(rivals.swap_remove(first)));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.work.stop.cancelled() => return Ok(None),
            }
            pause = pause.saturating_mul(2);
        }
        Ok(None)
    }

    fn has_connection(&self) -> bool {
        let ledger = self.ledger();
        self.plan.halves().any(|half| {
            let task = Task { half: half.half, step: Step::Connection };
            ledger.get(half.half, Step::Connection).is_some() || ledger.is_open(task)
        })
    }

    /// A connection whose key this VPN shares, and that has another by now.
    async fn sharer_with_another_key(&self) -> Option<Rival> {
        let keys = read_shared_keys(self.work.cloud, self.plan.key_sharers()).await;
        let own = self.plan.psk().secret().expose_secret();
        let differs = |shared: &&SharedKey| shared.key.as_ref().is_ok_and(|key| key.expose_secret() != own);
        let shared = keys.iter().find(differs)?;
        let half = self.plan.halves().find(|half| half.region == shared.of.region)?.half;
        let text = format!(
            "connection {} ({}) in {} has another key by now, and connects the same two addresses",
            shared.of.name, shared.of.id, shared.of.region
        );
        Some(Rival { vpn: None, half, text })
    }

    async fn rivals(&self) -> Result<Vec<Rival>, Error> {
        let halves: Vec<&HalfPlan> = self.plan.halves().collect();
        let each = try_join_all(halves.into_iter().map(|half| self.rivals_of(half))).await?;
        Ok(each.into_iter().flatten().collect())
    }

    /// The same on one half. One request, unless there is a connection that nobody knew of.
    async fn rivals_of(&self, half: &HalfPlan) -> Result<Vec<Rival>, Error> {
        let region = self.work.region(&half.region, Task { half: half.half, step: Step::Connection })?;
        let service = self.ledger().get(half.half, Step::Service).map(|made| made.id.clone());
        let is_new = |connection: &SiteConnection| {
            Some(&connection.service) == service.as_ref()
                && !half.present.contains(&connection.id)
                && !is_marked(&connection.description, &self.plan.id().mark(half.half))
        };
        let new: BTreeSet<Id> =
            region.connections().await?.into_iter().filter(is_new).map(|connection| connection.id).collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let (inventory, groups) = tokio::try_join!(region.inventory(), region.groups())?;
        let detail = Detail { groups, ..Detail::default() };
        let known = Known { region: &half.region, inventory: &inventory, detail: Some(&detail) };
        let mut rivals = Vec::new();
        for connection in inventory.connections.iter().filter(|connection| new.contains(&connection.id)) {
            let why = match existing::tunnels_the_same(&known, half, &connection.id) {
                None if self.is_between_the_same_ends(connection, half) => {
                    match region.connection_psk(&connection.id).await {
                        Err(error) if error.is_gone() => None,
                        key => (key?.expose_secret() != self.plan.psk().secret().expose_secret())
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
        Ok(rivals)
    }

    fn is_between_the_same_ends(&self, connection: &SiteConnection, half: &HalfPlan) -> bool {
        let address = |half: Half| -> Option<IpAddr> {
            let ledger = self.ledger();
            let made = ledger.get(half, Step::Service)?;
            match self.plan.outer() {
                crate::plan::Outer::V4 => made.external_v4.map(IpAddr::V4),
                crate::plan::Outer::V6 => made.external_v6.map(IpAddr::V6),
            }
        };
        let own = address(half.half).or(half.address);
        match self.plan.far() {
            Far::Peer(peer) => is_between(connection, own, &peer.address, &peer.id),
            Far::Half(_) => {
                let other = self.plan.half(half.half.other()).and_then(|other| other.address);
                address(half.half.other())
                    .or(other)
                    .is_some_and(|peer| is_between(connection, own, &PeerAddress::Ip(peer), &peer.to_string()))
            }
        }
    }
}

/// Deletes what the run made, because of what was found. Nobody else's objects are touched, and what others have come to use
/// is theirs from now on. The error says what was found, and what became of the run.
pub(super) async fn withdraw(marks: &Marks, rival: &Rival, ledger: &mut Ledger, work: &Work<'_>) -> (Task, Error) {
    let connections = ledger.removable().into_iter().filter(|made| made.task.step == Step::Connection);
    for made in connections {
        // They are what is in the others' way.
        if delete_now(&made, work).await {
            ledger.remove(&made.id);
            work.keeper.note(ledger);
        }
    }
    if rival.vpn.is_some() {
        until_taken_over(ledger, work).await;
    }
    let undone = undo(marks, ledger, work).await;
    if let Undone::Left(left) = &undone {
        for (made, error) in left.iter().filter(|(made, error)| made.task.step == Step::Service && error.is_in_use()) {
            tracing::info!(service = %made.id, %error, "another VPN has come to use it");
            let theirs = Made { origin: Origin::Reused, ..made.clone() };
            ledger.record(theirs.clone());
            work.tell(Event::Finished(theirs, std::time::Duration::ZERO));
        }
        if ledger.is_clean() {
            work.keeper.finish();
        }
    }
    let whose = match &rival.vpn {
        Some(vpn) => format!("Somebody else made a VPN (osvpn:{vpn}) between these routers at the same time"),
        None => "Somebody else changed the connections of this router at the same time".to_owned(),
    };
    let rest = if ledger.is_clean() {
        "What this run made is deleted again, and nothing else"
    } else {
        "Not everything this run made could be deleted"
    };
    let mut error = Error::new(ErrorKind::Overtaken, format!("{whose}: {}. {rest}.", rival.text));
    error.region = marks.regions.get(&rival.half).cloned();
    (Task { half: rival.half, step: Step::Connection }, error)
}

async fn delete_now(made: &Made, work: &Work<'_>) -> bool {
    let Ok(region) = work.region(&made.region, made.task) else { return false };
    work.tell(Event::Deleting(made.clone()));
    let is_deleted = super::super::delete_made(&region, made).await.is_ok();
    if is_deleted {
        work.tell(Event::Deleted(made.clone()));
    }
    is_deleted
}

/// Gives the other run the time to connect to services that this one made and that one reuses: deleted before that, they
/// would be missing.
async fn until_taken_over(ledger: &Ledger, work: &Work<'_>) {
    let mut pause = work.cloud.limits().back_off;
    for _ in 1..ROUNDS {
        let services =
            ledger.made().iter().filter(|made| made.task.step == Step::Service && made.origin != Origin::Reused);
        let looks = services.map(|made| async move {
            let connections = work.region(&made.region, made.task)?.connections().await?;
            Ok::<_, Error>(connections.iter().any(|connection| connection.service == made.id))
        });
        match try_join_all(looks).await {
            Ok(taken) if taken.iter().all(|taken| *taken) => return,
            Ok(_) => {}
            Err(_) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = work.stop.cancelled() => return,
        }
        pause = pause.saturating_mul(2);
    }
}
