//! What is known of the pre-shared keys of a VPN: never the keys.

use secrecy::{ExposeSecret, SecretString};

use super::Vpn;
use crate::cloud::{Cloud, Error, ErrorKind};
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
