//! What a diagnosis needs beyond the lists: the keys, and what instances admit. Each is read once a region, however many VPNs
//! ask for it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use secrecy::SecretString;

use super::keys::{EqualKeys, Keys};
use super::{Side, Vpn};
use crate::cloud::exposure::Exposure;
use crate::cloud::{Cloud, Error, Id, Region, RegionId};

/// What the instances of the tunnelled subnets admit, by region, or why it could not be read.
pub type Exposures = BTreeMap<RegionId, Result<Exposure, Error>>;

/// Which part of it is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aspects {
    pub keys: bool,
    pub exposures: bool,
}

impl Aspects {
    pub const KEYS: Self = Self { keys: true, exposures: false };
    pub const EXPOSURES: Self = Self { keys: false, exposures: true };
    pub const ALL: Self = Self { keys: true, exposures: true };
}

/// It holds keys: it is dropped as soon as they are compared.
#[derive(Default)]
pub struct Background {
    keys: BTreeMap<(RegionId, Id), Result<SecretString, Error>>,
    exposures: Exposures,
}

/// What it is asked for in one region.
#[derive(Debug, Default)]
pub(super) struct BackgroundIds {
    pub connections: BTreeSet<Id>,
    pub subnets: BTreeSet<Id>,
}

impl Background {
    /// Reads what it lacks of those VPNs, in one round trip.
    pub async fn complete<'a>(&mut self, cloud: &Cloud, vpns: impl IntoIterator<Item = &'a Vpn>, aspects: Aspects) {
        let mut wanted: BTreeMap<RegionId, BackgroundIds> = BTreeMap::new();
        for side in vpns.into_iter().flat_map(|vpn| vpn.sides().map(|(_, side)| side)) {
            let of = wanted.entry(side.region.clone()).or_default();
            if aspects.keys {
                of.connections.extend(std::iter::once(&side.connection.id).chain(&side.rivals).cloned());
            }
            if aspects.exposures && !self.covers(side) {
                of.subnets.extend(side.subnets.iter().cloned());
            }
        }
        self.read(cloud, wanted).await;
    }

    /// The keys of connections that cannot be paired without them. One that cannot be read is equal to none.
    pub(super) async fn equal_keys(&mut self, cloud: &Cloud, connections: &[(RegionId, Id)]) -> EqualKeys {
        let mut wanted: BTreeMap<RegionId, BackgroundIds> = BTreeMap::new();
        for (region, id) in connections {
            wanted.entry(region.clone()).or_default().connections.insert(id.clone());
        }
        self.read(cloud, wanted).await;
        let keys =
            connections.iter().filter_map(|(region, id)| Some((id.clone(), self.key(region, id)?.ok()?.clone())));
        EqualKeys::compare(&keys.collect::<Vec<_>>())
    }

    pub fn keys_of(&self, vpn: &Vpn) -> Keys {
        let keys: Option<Result<Vec<_>, _>> =
            vpn.sides().map(|(_, side)| self.key(&side.region, &side.connection.id)).collect();
        let keys = match keys {
            Some(Ok(keys)) => keys,
            Some(Err(error)) => return Keys::Unreadable(Box::new(error.clone())),
            None => return Keys::Unread,
        };
        let others = vpn.sides().zip(&keys).flat_map(|((_, side), key)| {
            let other = move |id: &&Id| self.key(&side.region, id)?.ok();
            side.rivals.iter().filter(move |id| other(id).is_some_and(|other| !super::keys::are_equal(key, other)))
        });
        Keys::compare(keys.iter().copied()).beside(others.cloned().collect())
    }

    pub const fn exposures(&self) -> &Exposures {
        &self.exposures
    }

    pub(super) fn add(&mut self, other: Self) {
        self.keys.extend(other.keys);
        for (region, exposure) in other.exposures {
            match (self.exposures.remove(&region), exposure) {
                (Some(Ok(known)), Ok(more)) => self.exposures.insert(region, Ok(known.and(more))),
                (_, exposure) => self.exposures.insert(region, exposure),
            };
        }
    }

    fn key(&self, region: &RegionId, id: &Id) -> Option<Result<&SecretString, &Error>> {
        self.keys.get(&(region.clone(), id.clone())).map(Result::as_ref)
    }

    fn covers(&self, side: &Side) -> bool {
        match self.exposures.get(&side.region) {
            Some(Ok(seen)) => side.subnets.iter().all(|subnet| seen.subnets.contains(subnet)),
            Some(Err(_)) => true,
            None => false,
        }
    }

    async fn read(&mut self, cloud: &Cloud, mut wanted: BTreeMap<RegionId, BackgroundIds>) {
        for (region, of) in &mut wanted {
            of.connections.retain(|id| self.key(region, id).is_none());
        }
        let reads = wanted.into_iter().filter_map(|(region, of)| Some((cloud.region(&region).ok()?, of)));
        let reads = reads.map(|(region, of)| async move { Self::of(&region, of).await });
        join_all(reads).await.into_iter().for_each(|read| self.add(read));
    }

    /// Reads that much of a region.
    pub(super) async fn of(region: &Region, BackgroundIds { connections, subnets }: BackgroundIds) -> Self {
        let exposure = async { if subnets.is_empty() { None } else { Some(region.exposure(subnets).await) } };
        let (keys, exposure) = tokio::join!(region.connection_psks(&connections), exposure);
        let id = || region.id().clone();
        Self {
            keys: keys.into_iter().map(|(connection, key)| ((id(), connection), key)).collect(),
            exposures: exposure.into_iter().map(|exposure| (id(), exposure)).collect(),
        }
    }
}
