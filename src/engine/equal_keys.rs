//! The keys of connections that are made in place of others: both halves have the same in the end, if they had before, and
//! what somebody else sets meanwhile is not lost.

use secrecy::{ExposeSecret, SecretString};

use super::replaced::Pair;
use super::{Changing, Work};
use crate::cloud::changes::ConnectionTemplate;
use crate::cloud::{Error, Id, Region};
use crate::engine::ROUNDS;

impl Changing {
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

    /// Sees to it that both halves have the same key in the end, if they had.
    pub(super) async fn same_keys(&self, pairs: &[Pair], step: usize, work: &Work<'_>) -> Result<(), Error> {
        self.same_new_key(step, work).await?;
        if self.notes().were_equal { self.equal_keys(pairs, step, work).await } else { Ok(()) }
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
            halves.push((self.region(step, &one.region, work)?, new.is_some(), new.unwrap_or(one.id)));
        }
        // What was not replaced has what somebody else has set.
        halves.sort_by_key(|(_, is_new, _)| *is_new);
        let [(region, _, right), (other_region, _, other)] = halves.as_slice() else {
            return Ok(());
        };
        for _ in 0..ROUNDS {
            let Some(key) = self.key_of(region, right).await? else { return Ok(()) };
            let Some(others) = self.key_of(other_region, other).await? else { return Ok(()) };
            if key.expose_secret() == others.expose_secret() {
                return Ok(());
            }
            let other = self.present(other);
            set_key(other_region, &other, &key, step, work).await?;
        }
        Ok(())
    }

    async fn key_of(&self, region: &Region, id: &Id) -> Result<Option<SecretString>, Error> {
        match region.connection_psk(&self.present(id)).await {
            Err(error) if error.is_gone() => match self.successor(id, region).await? {
                Some(id) => region.connection_psk(&id).await.map(Some),
                None => Ok(None),
            },
            key => key.map(Some),
        }
    }
}

pub(super) async fn set_key(
    region: &Region,
    id: &Id,
    key: &SecretString,
    step: usize,
    work: &Work<'_>,
) -> Result<(), Error> {
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
