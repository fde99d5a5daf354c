//! A creation that was interrupted, found again by its journal or by the markers in the cloud, with its plan and its key.

mod key;
mod rebuild;

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::Direction;
use super::discover::{Found, forget_gone};
use super::journal::{Claim, Journal, JournalError, Keeper, Record, Stage};
use super::prepare::{PrepareError, RegionRead, check, known, read, with_shared_key};
use super::{Ledger, Made, Marks, Sent, Step, Task};
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Cloud, Limits};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Labels, Plan, PlanDraft, Profile, Profiles, Psk};

pub use key::{KeyError, key_of_variable, parse_key};

/// A creation that was interrupted.
#[derive(Debug)]
pub enum Resumable {
    /// Its journal is there, and locked.
    Journal(Box<Journal>),
    /// Its journal is not; this is what its markers tell. The claim keeps other processes off, if this machine has a place
    /// for it.
    Found(Box<Found>, Result<Claim, JournalError>),
}

/// Where the key for the missing connections comes from.
#[derive(Debug)]
pub enum KeySource {
    /// A connection has it.
    Connection(Psk),
    /// osvpn generated the first one, and no connection has it: any other will do.
    Generated,
    /// The user has to give it.
    User,
}

impl Resumable {
    /// How its objects are known.
    #[must_use]
    pub fn marks(&self) -> Marks {
        match self {
            Self::Journal(journal) => marks_of(journal.record()),
            Self::Found(found, _) => found.marks.clone(),
        }
    }

    /// What exists, and what is in doubt since the run ended.
    #[must_use]
    pub fn ledger(&self, limits: &Limits) -> Ledger {
        let mut ledger = match self {
            Self::Journal(journal) => journal.record().ledger.clone(),
            Self::Found(found, _) => in_doubt(found),
        };
        ledger.take_over(limits);
        ledger
    }

    /// Takes out of a ledger what carries the marker and is named otherwise than this program names it: it is not
    /// deleted on the word of its description alone.
    pub fn spare_renamed(&self, ledger: &mut Ledger) -> Vec<Made> {
        let Self::Found(found, _) = self else { return Vec::new() };
        found.renamed.iter().for_each(|made| ledger.remove(&made.id));
        found.renamed.clone()
    }

    /// Whether everything exists, so that nothing is left to be created.
    #[must_use]
    pub fn is_made(&self) -> bool {
        match self {
            Self::Journal(journal) => journal.record().stage() != Stage::Interrupted,
            Self::Found(found, _) => found.is_made(),
        }
    }

    /// Where its key came from. Without a journal: of two halves both ends are the user's, and no one else waits for a
    /// certain key.
    #[must_use]
    pub fn key_origin(&self) -> KeyOrigin {
        match self {
            Self::Journal(journal) => journal.record().key,
            Self::Found(found, _) if found.marks.regions.len() > 1 => KeyOrigin::Generated,
            Self::Found(..) => KeyOrigin::Given,
        }
    }

    /// What the run wanted, with another profile if one is named, and what of it exists.
    ///
    /// # Errors
    /// If the regions cannot be read, or do not have what the run wanted any more.
    pub async fn draft(&self, profile: Option<Profile>, cloud: &Cloud) -> Result<Drafted, PrepareError> {
        let (profiles, marks) = (Profiles::built_in()?, self.marks());
        let mut ledger = self.ledger(cloud.limits());
        let existing = forget_gone(&mut ledger, cloud).await;
        existing.map_err(|error| PrepareError::request("looking for what exists", error))?;
        let mut regions = read(cloud, marks.regions.values()).await?;
        let psk = Psk::generate();
        let mut draft = match self {
            Self::Journal(journal) => {
                forget_own(&mut regions, &marks, &ledger);
                let file = journal.record().plan().map_err(|error| PrepareError::File(vec![error]))?;
                file.resolve(&known(&regions), &profiles, psk).map_err(PrepareError::File)?
            }
            Self::Found(found, _) => {
                let draft = rebuild::draft(found, cloud, &regions, &profiles, psk).await?;
                forget_own(&mut regions, &marks, &ledger);
                draft
            }
        };
        if let Some((profile, policy)) = profile.and_then(|profile| Some((profile, profiles.get(profile)?))) {
            (draft.profile, draft.policy) = (profile, policy.clone());
            ledger.reconsider_policies();
        }
        Ok(Drafted { draft, regions, marks, ledger, key_origin: self.key_origin() })
    }
}

/// What an interrupted run wanted, but for its key, and what of it exists.
#[derive(Debug)]
pub struct Drafted {
    draft: PlanDraft,
    regions: Vec<RegionRead>,
    marks: Marks,
    ledger: Ledger,
    key_origin: KeyOrigin,
}

impl Drafted {
    /// The key of the VPN's connection, if it has one; else where another comes from.
    ///
    /// # Errors
    /// If it cannot be read, or is none that osvpn would create.
    pub async fn key(&self, cloud: &Cloud) -> Result<KeySource, PrepareError> {
        let connected = key::of_connection(&self.marks, &self.ledger, cloud).await;
        let connected = connected.map_err(|error| PrepareError::request("reading the key of the connection", error))?;
        Ok(match (connected, self.key_origin) {
            (Some(psk), _) => KeySource::Connection(key::accepted(&psk)?),
            (None, KeyOrigin::Generated) => KeySource::Generated,
            (None, KeyOrigin::Given) => KeySource::User,
        })
    }

    /// The plan with that key. Without one it is not to be carried out, and no key is read to share.
    ///
    /// # Errors
    /// If the checks refuse what is left to do, or a key to share cannot be read.
    pub async fn plan(self, psk: Option<Psk>, cloud: &Cloud) -> Result<(Box<Plan>, Ledger), PrepareError> {
        let Self { mut draft, regions, marks, ledger, key_origin } = self;
        let is_carried_out = psk.is_some();
        if let Some(psk) = psk {
            draft.psk = psk;
        }
        let plan = check(draft, &regions, &Labels::built_in()?, marks.vpn)?;
        if !is_carried_out {
            return Ok((plan, ledger));
        }
        // A connection that has a key keeps it.
        let is_connected = ledger.made().iter().any(|made| made.task.step == Step::Connection);
        let origin = if is_connected { KeyOrigin::Given } else { key_origin };
        Ok((with_shared_key(plan, cloud, origin).await?, ledger))
    }
}

/// A creation that was interrupted, ready to be finished or rolled back.
#[derive(Debug)]
pub struct Resumed {
    /// What it creates. None if it can only be rolled back as things are.
    pub plan: Option<Box<Plan>>,
    /// How its objects are known.
    pub marks: Marks,
    /// What exists of it, and what is in doubt.
    pub ledger: Ledger,
    /// Where its key came from.
    pub key: KeyOrigin,
    /// Its journal.
    pub keeper: Keeper,
}

/// Resumes the run of a journal. To roll it back the journal is enough: the plan is a courtesy, so that its answers can be
/// changed afterwards, and not waited for long.
///
/// # Errors
/// If another process has it; to finish it, also if the regions do not answer, or the checks refuse what is left to do.
pub async fn resume(journal: &Path, direction: Direction, cloud: &Cloud) -> Result<Resumed, PrepareError> {
    let journal = Journal::open(journal)?;
    let (marks, key) = (marks_of(journal.record()), journal.record().key);
    let resumable = Resumable::Journal(Box::new(journal));
    let planned = async {
        let drafted = resumable.draft(None, cloud).await?;
        let psk = match direction {
            Direction::Back => None,
            Direction::Forward => Some(match drafted.key(cloud).await? {
                KeySource::Connection(psk) => psk,
                KeySource::Generated => Psk::generate(),
                KeySource::User => key_of_variable()?.ok_or(KeyError::GiveAgain)?,
            }),
        };
        drafted.plan(psk, cloud).await
    };
    let (plan, ledger) = match direction {
        Direction::Forward => planned.await.map(|(plan, ledger)| (Some(plan), ledger))?,
        Direction::Back => {
            let planned = timeout(Duration::from_secs(10), planned).await;
            let (plan, ledger) = planned.ok().and_then(Result::ok).unzip();
            (plan, ledger.unwrap_or_else(|| resumable.ledger(cloud.limits())))
        }
    };
    let keeper = match resumable {
        Resumable::Journal(journal) => Keeper::of(*journal),
        Resumable::Found(..) => Keeper::default(),
    };
    Ok(Resumed { plan, marks, ledger, key, keeper })
}

/// How the objects of a journal's VPN are known.
#[must_use]
pub fn marks_of(record: &Record) -> Marks {
    let plan = record.plan().ok();
    let regions = plan.as_ref().map(|file| file.regions().into_iter().cloned().collect::<Vec<_>>());
    let planned = [Half::A, Half::B].into_iter().zip(regions.unwrap_or_default());
    let made = record.ledger.removable().into_iter().map(|made| (made.task.half, made.region));
    let sent = |half| Some((half, Sent::of_file(plan.as_ref()?, half)?));
    Marks {
        vpn: record.vpn.clone(),
        name: record.name.clone(),
        regions: made.chain(planned).collect(),
        sent: [Half::A, Half::B].into_iter().filter_map(sent).collect(),
    }
}

/// Without a journal it is not known what was asked for last: what is missing is looked for before it is made.
fn in_doubt(found: &Found) -> Ledger {
    let mut ledger = found.ledger.clone();
    for (&half, step) in found.marks.regions.keys().flat_map(|half| Step::ALL.map(|step| (half, step))) {
        if ledger.get(half, step).is_none() {
            ledger.doubt(Task { half, step });
        }
    }
    ledger
}

/// Takes the run's own objects out of what was read, so that the checks see the regions as they were before it: it is
/// neither in its own way, nor does it count twice against a quota.
fn forget_own(regions: &mut [RegionRead], marks: &Marks, ledger: &Ledger) {
    let own: Vec<String> = marks.regions.keys().map(|half| marks.vpn.mark(*half)).collect();
    let is_own = |description: &str| own.iter().any(|mark| is_marked(description, mark));
    for (region, inventory, detail) in regions {
        inventory.services.retain(|service| !is_own(&service.description));
        inventory.connections.retain(|connection| !is_own(&connection.description));
        detail.groups.retain(|group| !is_own(&group.description));
        for made in ledger.removable().iter().filter(|made| made.region == *region) {
            if let Some(quota) = detail.quotas.get_mut(made.task.step.kind().singular()) {
                quota.used = quota.used.saturating_sub(1);
            }
        }
    }
}
