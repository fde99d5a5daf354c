//! A creation that was interrupted, found again by its journal or by the markers in the cloud, with its plan and its key.

mod key;
mod rebuild;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::discover::{Found, forget_gone};
use super::journal::{Claim, JournalError, Record, Stage};
use super::prepare::{PrepareError, RegionRead, check, read_vpns, resolve, with_shared_key};
use super::{Changing, Direction, Made, Progress};
use crate::change::{Change, Subject};
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Cloud, Limits, RegionId};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Labels, Plan, PlanDraft, Profile, Profiles, Psk, VpnId};

pub use key::{KeyError, key_of_variable, parse_key};

/// A creation that was interrupted.
#[derive(Debug)]
pub enum Resumable {
    /// Its journal is there, and locked.
    Journal(Box<Changing>, Box<Record>),
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
    /// Resumes its journal.
    ///
    /// # Errors
    /// If another process has it, or it is gone or unreadable.
    pub fn open(journal: &Path) -> Result<Self, JournalError> {
        Self::of(Claim::at(journal.to_owned())?)
    }

    /// The same of a VPN that is claimed.
    ///
    /// # Errors
    /// If its journal is gone or unreadable.
    pub fn of(claim: Claim) -> Result<Self, JournalError> {
        let (changing, record) = Changing::resume(claim)?;
        Ok(Self::Journal(Box::new(changing), Box::new(record)))
    }

    /// What makes its objects.
    #[must_use]
    pub fn change(&self) -> &Change {
        match self {
            Self::Journal(changing, _) => changing.change(),
            Self::Found(found, _) => &found.change,
        }
    }

    /// What exists, and what is in doubt since it was interrupted.
    #[must_use]
    pub fn progress(&self, limits: &Limits) -> Progress {
        match self {
            Self::Journal(changing, _) => changing.progress_resumed(limits),
            Self::Found(found, _) => found.in_doubt(),
        }
    }

    /// To be rolled back, and what carries the marker and is named otherwise than this program names it: that is not deleted
    /// on the word of its description alone.
    #[must_use]
    pub fn into_rollback(self) -> (Changing, Vec<Made>) {
        match self {
            Self::Journal(changing, _) => (*changing, Vec::new()),
            Self::Found(found, claim) => {
                let mut progress = found.in_doubt();
                found.renamed.iter().for_each(|made| progress.remove(&made.id));
                let renamed = found.renamed.clone();
                (Changing::of_markers(&Found { progress, ..*found }, claim.ok()), renamed)
            }
        }
    }

    /// To be finished with that plan, of which that much is done.
    ///
    /// # Errors
    /// If its journal cannot be written.
    pub fn into_creation(self, planned: Planned, cloud: &Cloud) -> Result<(Box<Plan>, Changing), JournalError> {
        let Planned { plan, progress } = planned;
        let key = self.key_origin();
        let changing = match self {
            Self::Journal(mut changing, _) => {
                changing.make((*plan).clone(), &progress);
                *changing
            }
            Self::Found(_, claim) => Changing::of_markers_kept((*plan).clone(), key, &progress, cloud, claim?)?,
        };
        Ok((plan, changing))
    }

    /// Whether everything exists, so that nothing is left to be created.
    #[must_use]
    pub fn is_made(&self) -> bool {
        match self {
            Self::Journal(_, record) => record.stage() != Stage::Interrupted,
            Self::Found(found, _) => found.progress.is_complete(),
        }
    }

    /// Where its key came from. Without a journal: of two halves both ends are the user's, and no one else waits for a
    /// certain key.
    #[must_use]
    pub fn key_origin(&self) -> KeyOrigin {
        match self {
            Self::Journal(_, record) => record.key_origin(),
            Self::Found(found, _) if found.change.halves().len() > 1 => KeyOrigin::Generated,
            Self::Found(..) => KeyOrigin::Given,
        }
    }

    /// What the run wanted, with another profile if one is named, and what of it exists.
    ///
    /// # Errors
    /// If the regions cannot be read, or do not have what the run wanted any more.
    pub async fn draft(&self, profile: Option<Profile>, cloud: &Cloud) -> Result<Drafted, PrepareError> {
        let (profiles, halves) = (Profiles::built_in()?, self.change().halves());
        let mut progress = self.progress(cloud.limits());
        let psk = Psk::generate();
        let existing = async {
            let existing = forget_gone(&mut progress, cloud).await;
            existing.map_err(|error| PrepareError::request("looking for what exists", error))
        };
        let read = async {
            match self {
                Self::Journal(_, record) => {
                    let file = record.plan().map_err(|error| PrepareError::File(vec![error]))?;
                    resolve(cloud, &file, &profiles, &psk).await
                }
                Self::Found(found, _) => {
                    let regions = read_vpns(cloud, halves.values()).await?;
                    Ok((rebuild::draft(found, cloud, &regions, &profiles, psk.clone()).await?, regions))
                }
            }
        };
        let ((), (mut draft, mut regions)) = tokio::try_join!(existing, read)?;
        let vpn = match &self.change().subject {
            Subject::Marked(vpn) => vpn.clone(),
            Subject::Unmarked(id) => VpnId::new(id.as_str()),
        };
        forget_own(&mut regions, &vpn, &progress);
        if let Some((profile, policy)) = profile.and_then(|profile| Some((profile, profiles.get(profile)?))) {
            (draft.profile, draft.policy) = (profile, policy.clone());
            progress.reconsider_policies();
        }
        Ok(Drafted { draft, regions, vpn, halves, progress, key_origin: self.key_origin() })
    }
}

/// What an interrupted run wanted, but for its key, and what of it exists.
#[derive(Debug)]
pub struct Drafted {
    draft: PlanDraft,
    regions: Vec<RegionRead>,
    vpn: VpnId,
    halves: BTreeMap<Half, RegionId>,
    progress: Progress,
    key_origin: KeyOrigin,
}

/// The plan of an interrupted creation, and what of it exists.
#[derive(Debug)]
pub struct Planned {
    pub plan: Box<Plan>,
    pub progress: Progress,
}

impl Drafted {
    /// The key of the VPN's connection, if it has one; else where another comes from.
    ///
    /// # Errors
    /// If it cannot be read, or is none that osvpn would create.
    pub async fn key(&self, cloud: &Cloud) -> Result<KeySource, PrepareError> {
        let connected = key::of_connection(&self.vpn, &self.halves, &self.progress, cloud).await;
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
    pub async fn plan(self, psk: Option<Psk>, cloud: &Cloud) -> Result<Planned, PrepareError> {
        let Self { mut draft, regions, vpn, progress, key_origin, .. } = self;
        let is_carried_out = psk.is_some();
        if let Some(psk) = psk {
            draft.psk = psk;
        }
        let mut plan = check(draft, &regions, &Labels::built_in()?, vpn)?;
        if is_carried_out {
            // A connection that has a key keeps it.
            let is_connected = progress.connections().next().is_some();
            let origin = if is_connected { KeyOrigin::Given } else { key_origin };
            plan = with_shared_key(plan, cloud, origin).await?;
        }
        Ok(Planned { plan, progress })
    }
}

/// A creation that was interrupted, ready to be finished or rolled back.
#[derive(Debug)]
pub struct Resumed {
    /// What it creates. None if it can only be rolled back as things are.
    pub plan: Option<Box<Plan>>,
    /// Where its key came from.
    pub key: KeyOrigin,
    pub changing: Changing,
}

/// Resumes the creation of a journal. To roll it back the journal is enough: the plan is a courtesy, so that its answers can be
/// changed afterwards, and not waited for long.
///
/// # Errors
/// If another process has it; to finish it, also if the regions do not answer, or the checks refuse what is left to do.
pub async fn resume(journal: &Path, direction: Direction, cloud: &Cloud) -> Result<Resumed, PrepareError> {
    let resumable = Resumable::open(journal)?;
    let key = resumable.key_origin();
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
    let planned = match direction {
        Direction::Forward => Some(planned.await?),
        Direction::Back => timeout(Duration::from_secs(10), planned).await.ok().and_then(Result::ok),
    };
    let (plan, changing) = match planned {
        Some(planned) => {
            let (plan, changing) = resumable.into_creation(planned, cloud)?;
            (Some(plan), changing)
        }
        None => (None, resumable.into_rollback().0),
    };
    Ok(Resumed { plan, key, changing })
}

/// Takes the run's own objects out of what was read, so that the checks see the regions as they were before it: it is
/// neither in its own way, nor does it count twice against a quota.
fn forget_own(regions: &mut [RegionRead], vpn: &VpnId, progress: &Progress) {
    let own = [Half::A, Half::B].map(|half| vpn.mark(half));
    let is_own = |description: &str| own.iter().any(|mark| is_marked(description, mark));
    for (region, inventory, detail) in regions {
        inventory.services.retain(|service| !is_own(&service.description));
        inventory.connections.retain(|connection| !is_own(&connection.description));
        detail.groups.retain(|group| !is_own(&group.description));
        for made in progress.removable().iter().filter(|made| made.region == *region) {
            if let Some(quota) = detail.quotas.get_mut(made.task.step.kind().singular()) {
                quota.used = quota.used.saturating_sub(1);
            }
        }
    }
}
