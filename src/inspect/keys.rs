//! What is known of the pre-shared keys of a VPN: never the keys.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::Vpn;
use crate::cloud::{Cloud, Error, ErrorKind, Id, RegionId};
use crate::plan::psk::{self, PskProblem};

/// What came of comparing keys in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// Nobody has looked.
    #[default]
    Unread,
    /// A key could not be read.
    Unreadable(Box<Error>),
    /// They were compared.
    Read {
        /// Whether both halves have the same; none where there is one half.
        equal: Option<bool>,
        /// Whether one of them is [`psk::PUBLIC`].
        is_public: bool,
        /// What the guide's rule has against the first that breaks it.
        problem: Option<PskProblem>,
    },
}

impl Keys {
    /// Compares the keys of one half or two.
    #[must_use]
    pub fn compare(keys: &[SecretString]) -> Self {
        let first = keys.first().map(ExposeSecret::expose_secret);
        let differs = keys.iter().any(|key| Some(key.expose_secret()) != first);
        Self::Read {
            equal: (keys.len() > 1).then_some(!differs),
            is_public: keys.iter().any(|key| key.expose_secret() == psk::PUBLIC),
            problem: keys.iter().find_map(|key| psk::check(key.expose_secret()).err()),
        }
    }

    /// Reads the keys of a VPN and compares them; one request a half. They are gone from memory when it returns.
    pub async fn read(cloud: &Cloud, vpn: &Vpn) -> Self {
        let reads = vpn.sides().map(|(_, side)| async move {
            let region = cloud.region(&side.region).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("{} is not in the catalogue of this sign-in", side.region))
            })?;
            region.connection_psk(&side.connection.id).await
        });
        match futures::future::try_join_all(reads).await {
            Ok(keys) => Self::compare(&keys),
            Err(error) => Self::Unreadable(Box::new(error)),
        }
    }
}

/// Which connections have the same key, as far as their keys were read: a number each, equal for equal keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EqualKeys(BTreeMap<Id, usize>);

impl EqualKeys {
    /// Compares those keys.
    #[must_use]
    pub fn compare(keys: &[(Id, SecretString)]) -> Self {
        let first_like =
            |key: &SecretString| keys.iter().position(|(_, one)| one.expose_secret() == key.expose_secret());
        Self(keys.iter().filter_map(|(id, key)| Some((id.clone(), first_like(key)?))).collect())
    }

    /// Reads the keys of connections and compares them; one request each. A key that cannot be read is equal to none.
    pub(super) async fn read(cloud: &Cloud, connections: &[(RegionId, Id)]) -> Self {
        let reads = connections.iter().map(|(region, id)| async move {
            let key = cloud.region(region)?.connection_psk(id).await.ok()?;
            Some((id.clone(), key))
        });
        let keys: Vec<_> = futures::future::join_all(reads).await.into_iter().flatten().collect();
        Self::compare(&keys)
    }

    /// Whether two connections have the same key; none if that is not known.
    pub(super) fn are_equal(&self, one: &Id, other: &Id) -> Option<bool> {
        Some(self.0.get(one)? == self.0.get(other)?)
    }

    /// What is known of either. Numbers of two readings cannot be compared: the later one is taken where it says anything.
    pub(super) fn or(self, before: &Self) -> Self {
        if self.0.is_empty() { before.clone() } else { self }
    }
}
