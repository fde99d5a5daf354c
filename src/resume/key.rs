//! The key of a run that was cut off. No journal holds it; the cloud does once a connection exists.

use std::path::Path;

use secrecy::ExposeSecret;

use crate::apply::Refusal;
use crate::apply::input;
use crate::cloud::request::Kind;
use crate::cloud::{Cloud, Error};
use crate::engine::handover::KeyOrigin;
use crate::engine::{Ledger, Marks, Step};
use crate::plan::Psk;

/// What the key is for.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    /// For connections; the file may have it.
    Given(Option<&'a Path>),
    /// For nothing: what deletes needs none.
    Any,
}

/// The key of the VPN's connection, if it has one; else a new one if the first was made here too; else the one given now.
///
/// # Errors
/// If it cannot be read, or is nowhere to be had.
pub async fn find(
    marks: &Marks,
    ledger: &Ledger,
    origin: KeyOrigin,
    key: Key<'_>,
    cloud: &Cloud,
) -> Result<Psk, Refusal> {
    let file = match key {
        Key::Given(file) => file,
        Key::Any => return Ok(Psk::generate()),
    };
    let connected = of_connection(marks, ledger, cloud).await;
    if let Some(psk) = connected.map_err(|error| Refusal::failed("reading the key of the connection", &error))? {
        return Psk::parse(psk.expose_secret()).map_err(|problem| {
            Refusal::unusable(vec![format!("the VPN's connection has a key that osvpn would not take: {problem}")])
        });
    }
    if origin == KeyOrigin::Generated && file.is_none() {
        return Ok(Psk::generate());
    }
    input::given_key(file).await?.ok_or_else(|| {
        let problem = "the pre-shared key was typed in by you and is kept nowhere, and no connection has it yet; give it \
                       again: with --psk-file PATH (- for standard input), or in the variable OSVPN_PSK";
        Refusal::unusable(vec![problem.to_owned()])
    })
}

async fn of_connection(marks: &Marks, ledger: &Ledger, cloud: &Cloud) -> Result<Option<secrecy::SecretString>, Error> {
    // What a lost request has made besides them may have another key, and is deleted.
    let known = ledger.made().iter().find(|made| made.task.step == Step::Connection);
    if let Some((made, region)) = known.and_then(|made| Some((made, cloud.region(&made.region)?))) {
        return region.connection_psk(&made.id).await.map(Some);
    }
    for (half, region) in &marks.regions {
        let Some(region) = cloud.region(region) else { continue };
        let connections = region.marked(Kind::SiteConnection, &marks.vpn.mark(*half)).await?;
        if let Some(connection) = connections.first() {
            return region.connection_psk(&connection.id).await.map(Some);
        }
    }
    Ok(None)
}
