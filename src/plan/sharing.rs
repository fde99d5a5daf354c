//! The key of a further connection between the same two ends. strongSwan looks a key up by the identities of both ends: of
//! two connections between the same two, with different keys, one gets the other's key and never comes up.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};

use super::checks::existing::goes_to;
use super::findings::{Finding, Place};
use super::psk::{self, KeyOrigin};
use super::shell::{ShellCommand, osvpn};
use super::{HalfPlan, Known, PeerAddress, Plan, Psk, ServicePlan};
use crate::cloud::{Error, Id, RegionId, SiteConnection};

/// A connection of a half's router to the half's peer, whose key a further one has to have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeySharer {
    pub region: RegionId,
    pub id: Id,
    pub name: String,
}

/// The key of one of them, or why it could not be read. It is only compared, and handed on in memory.
#[derive(Clone, Debug)]
pub struct SharedKey {
    pub of: KeySharer,
    pub key: Result<SecretString, Error>,
}

/// The connections of a half's router between the same two ends: with other identities they have a key of their own.
pub(super) fn of(known: &Known<'_>, half: &HalfPlan, peer: &PeerAddress, peer_id: &str) -> Vec<KeySharer> {
    let ServicePlan::Reuse(_) = &half.service else { return Vec::new() };
    let tunnelled = known.tunnelled(&half.router.id);
    let same = tunnelled.iter().filter(|existing| is_between(existing.connection, half.address, peer, peer_id));
    same.map(|existing| KeySharer {
        region: half.region.clone(),
        id: existing.connection.id.clone(),
        name: existing.connection.name.clone(),
    })
    .collect()
}

/// Whether strongSwan finds the key of a connection by the same two identities as that of one between those ends.
pub(crate) fn is_between(connection: &SiteConnection, own: Option<IpAddr>, peer: &PeerAddress, peer_id: &str) -> bool {
    let is_own = match connection.local_id.as_str() {
        "" => true,
        id => own.is_some_and(|own| is_same_identity(id, &own.to_string())),
    };
    is_own && goes_to(connection, peer) && is_same_identity(&connection.peer_id, peer_id)
}

fn rotate(connection: &Id) -> ShellCommand {
    osvpn("rotate-psk").operand(connection)
}

/// Whether two identities are one as IKE compares them: names without case, addresses however they are written.
pub(crate) fn is_same_identity(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

impl Plan {
    /// The connections between the same two ends. Their key has to be read before the VPN is made.
    pub fn key_sharers(&self) -> &[KeySharer] {
        &self.sharers
    }

    /// The same plan with the key that those connections have. A key the user gave is kept if it is the same.
    /// Errors: if the keys cannot be read, are no key for a new connection, or differ.
    pub fn sharing(mut self, keys: &[SharedKey], origin: KeyOrigin) -> Result<Self, Vec<Finding>> {
        let mut refusals = Vec::new();
        for SharedKey { of, key } in keys {
            match key {
                Err(error) => refusals.push(format!(
                    "connection {} ({}) connects the same two addresses, so this VPN must use its key, which could not be \
                     read: {error}",
                    of.name, of.region
                )),
                Ok(key) => refusals.extend(self.refusal(of, key, origin)),
            }
        }
        let texts = keys.iter().filter_map(|shared| Some((&shared.of, shared.key.as_ref().ok()?)));
        let mut texts = texts.map(|(of, key)| (of, key.expose_secret()));
        if let Some((first, key)) = texts.next()
            && let Some((other, _)) = texts.find(|(_, other)| *other != key)
        {
            refusals = vec![format!(
                "connections {} ({}) and {} ({}) connect the same two addresses with different keys, so one of them \
                 cannot come up, and a third would not either; give both the same key first: {}; {}",
                first.name,
                first.region,
                other.name,
                other.region,
                rotate(&first.id).words("--psk-file PATH"),
                rotate(&other.id).words("--psk-file PATH")
            )];
        }
        if !refusals.is_empty() {
            return Err(refusals.into_iter().map(|text| Finding::refusal(Place::Key, text)).collect());
        }
        if let Some((of, psk)) = keys.iter().find_map(|shared| {
            let key = shared.key.as_ref().ok()?;
            Some((&shared.of, Psk::parse(key.expose_secret()).ok()?))
        }) {
            self.psk = psk;
            let text = format!(
                "uses the key of connection {} ({}), which connects the same two addresses: both can only have one",
                of.name, of.region
            );
            self.findings.push(Finding::notice(Place::Key, text));
        }
        Ok(self)
    }

    fn refusal(&self, of: &KeySharer, key: &SecretString, origin: KeyOrigin) -> Option<String> {
        let KeySharer { region, id, name } = of;
        let same_ends = format!("connection {name} ({region}) connects the same two addresses");
        if let Err(problem) = psk::check(key.expose_secret()) {
            return Some(format!(
                "{same_ends}, so this VPN must use its key, which is not valid for a new VPN ({problem}); set another \
                 key there first: {}",
                rotate(id)
            ));
        }
        let differs = key.expose_secret() != self.psk.secret().expose_secret();
        (origin == KeyOrigin::Given && differs).then(|| {
            format!(
                "{same_ends} and has another key; with two keys one of the two stays DOWN. Leave your key out to use that of \
                 {name}, or give {name} yours first: {}",
                rotate(id).words("--psk-file PATH")
            )
        })
    }
}
