//! Signing in, and reading every region right behind it.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use super::{Done, Effects};
use crate::cloud::{Cloud, Error, Inventory, Person, Region, RegionId};
use crate::engine::interruption::{Interruption, State, interruptions};
use crate::sign_in::{Login, Problem, SignedIn, sign_in};
use crate::system::state;
use crate::wizard::remote::RequestId;
use crate::wizard::{Message, Session};

/// A sign-in with everything the wizard shows of it.
#[derive(Debug)]
pub(in crate::tui) struct Access {
    signed_in: SignedIn,
    session: Session,
    early: BTreeMap<RegionId, Reading>,
}

/// A region that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    /// All but its subnets, if these are long in coming.
    pub(super) part: oneshot::Receiver<Box<Inventory>>,
    pub(super) whole: AbortOnDropHandle<Result<Inventory, Error>>,
}

impl Reading {
    pub(super) fn begin(region: Region) -> Self {
        let (teller, part) = oneshot::channel();
        let tell = move |part: &Inventory| {
            let _ = teller.send(Box::new(part.clone()));
        };
        let whole = tokio::spawn(async move { region.inventory_in_parts(tell).await });
        Self { part, whole: AbortOnDropHandle::new(whole) }
    }
}

impl Effects {
    pub(super) fn sign_in(&mut self, request: RequestId, login: Login) {
        // An earlier sign-in that is still in progress can no longer ask.
        (self.person, self.said) = Person::new();
        self.question = None;
        let (person, told) = (self.person.clone(), self.parts.0.clone());
        let (pauses, exchanges) = (self.parts.0.clone(), self.parts.0.clone());
        let tell = move |warning: &str| {
            let _ = told.send(Message::Warned(request, warning.to_owned()));
        };
        self.tasks.spawn(async move {
            Done::SignedIn(request, Box::new(access(&login, person, tell, pauses, exchanges).await))
        });
    }

    pub(super) fn take(&mut self, request: RequestId, result: Result<Access, Problem>) -> Message {
        let session = result.map(|access| {
            self.signed_in = Some(access.signed_in);
            self.early = access.early;
            access.session
        });
        Message::SignedIn(request, session)
    }
}

/// Signs in and asks every region at once, before the wizard does.
async fn access(
    login: &Login,
    person: Person,
    tell: impl FnMut(&str) + Send,
    pauses: UnboundedSender<Message>,
    exchanges: UnboundedSender<Message>,
) -> Result<Access, Problem> {
    let signed_in = sign_in(login, Some(person), tell).await?;
    let cloud = &signed_in.cloud;
    cloud.tell_pauses(move |region, pause| {
        let _ = pauses.send(Message::Paused(region.clone(), pause.clone()));
    });
    cloud.tell_exchanges(move |exchange| {
        let _ = exchanges.send(Message::Exchanged(exchange));
    });
    let regions = cloud.regions();
    let early = regions.iter().map(|region| {
        let region = region.clone();
        (region.id().clone(), Reading::begin(region))
    });
    let early = early.collect();
    let session = Session {
        project: cloud.project_name().to_owned(),
        user: cloud.user_name().to_owned(),
        place: signed_in.place.clone(),
        is_reader: cloud.may_only_read(),
        is_demo: signed_in.simulator.is_some(),
        home: cloud.preferred_region().cloned(),
        regions: regions.iter().map(|region| region.id().clone()).collect(),
        warnings: signed_in.warnings.clone(),
        interruptions: interrupted(cloud, signed_in.simulator.is_none())
            .into_iter()
            .filter(|one| one.state == State::Interrupted)
            .collect(),
    };
    Ok(Access { signed_in, session, early })
}

/// What was interrupted in this project, as far as it is kept.
pub(super) fn interrupted(cloud: &Cloud, is_kept: bool) -> Vec<Interruption> {
    let directory = state::directory().filter(|_| is_kept);
    directory.map(|directory| interruptions(&directory, cloud)).unwrap_or_default()
}
