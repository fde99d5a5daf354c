//! The key of a VPN whose creation was interrupted. No journal holds it; the cloud does once a connection exists.

use std::collections::BTreeMap;
use std::env::{self, VarError};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::cloud::request::Kind;
use crate::cloud::{Cloud, Error, RegionId};
use crate::engine::Progress;
use crate::plan::psk::PskProblem;
use crate::plan::{Half, Psk, VpnId};

/// The variable a key can be given in.
pub const KEY_VARIABLE: &str = "OSVPN_PSK";

/// Why there is no key to use. The key itself is in no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// What was given is no key; where it was given.
    #[error("pre-shared key of {0}: {1}{advice}", advice = .1.advice().map(|advice| format!("; {advice}")).unwrap_or_default())]
    Wrong(String, PskProblem),
    /// What was given is not UTF-8; where it was given.
    #[error("pre-shared key of {0}: it is not text")]
    NotText(String),
    /// The VPN's connection has one that osvpn would not create.
    #[error("the VPN's connection has a key that osvpn does not accept: {0}")]
    OfConnection(PskProblem),
    /// The user gave one when the VPN was begun, and has to give it again.
    #[error(
        "you typed the pre-shared key, osvpn stores it nowhere, and no connection has it yet; give it again: with \
         --psk-file PATH (- for standard input), or in the variable {KEY_VARIABLE}"
    )]
    GiveAgain,
}

/// The key in the variable, if it is set.
///
/// # Errors
/// If what it holds is no key.
pub fn key_of_variable() -> Result<Option<Psk>, KeyError> {
    match env::var(KEY_VARIABLE) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            if text.trim().is_empty() { Ok(None) } else { parse_key(KEY_VARIABLE, &text).map(Some) }
        }
        Err(VarError::NotUnicode(_)) => Err(KeyError::NotText(KEY_VARIABLE.to_owned())),
        Err(VarError::NotPresent) => Ok(None),
    }
}

/// A key as it was given in a file or a variable, without the white space around it.
///
/// # Errors
/// If it breaks the rule for keys.
pub fn parse_key(place: &str, text: &str) -> Result<Psk, KeyError> {
    // Editors of Windows put a byte-order mark before it.
    let is_around = |c: char| c.is_whitespace() || c == '\u{feff}';
    Psk::parse(text.trim_matches(is_around)).map_err(|problem| KeyError::Wrong(place.to_owned(), problem))
}

pub(super) async fn of_connection(
    vpn: &VpnId,
    halves: &BTreeMap<Half, RegionId>,
    progress: &Progress,
    cloud: &Cloud,
) -> Result<Option<SecretString>, Error> {
    // A second connection, made by a lost request, may have another key, and is deleted.
    let known = progress.connections().next();
    if let Some((made, region)) = known.and_then(|made| Some((made, cloud.region(&made.region).ok()?))) {
        return region.connection_psk(&made.id).await.map(Some);
    }
    for (half, region) in halves {
        let Ok(region) = cloud.region(region) else { continue };
        let connections = region.marked(Kind::SiteConnection, &vpn.mark(*half)).await?;
        if let Some(connection) = connections.first() {
            return region.connection_psk(&connection.id).await.map(Some);
        }
    }
    Ok(None)
}

/// A key that osvpn stored in the cloud itself, or somebody else did.
pub(super) fn accepted(key: &SecretString) -> Result<Psk, KeyError> {
    Psk::parse(key.expose_secret()).map_err(KeyError::OfConnection)
}
