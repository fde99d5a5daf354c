//! Reads single VPN objects back, to hold what the cloud has against what it should have.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::error::{Error, ErrorKind};
use super::inventory::Id;
use super::keystone::Region;
use super::request::Kind;

impl Region {
    /// Those attributes of an object, as the API writes them. `NotFound` if it is gone. The key of a connection is not
    /// among what may be asked for; [`Self::connection_psk`] reads it.
    pub async fn show(&self, kind: Kind, id: &Id, fields: &[&str]) -> Result<Value, Error> {
        let fields: Vec<&str> = fields.iter().copied().filter(|field| *field != "psk").collect();
        self.get(&["vpn", kind.collection(), id.as_str()], &fields, kind.singular()).await
    }

    /// The key of one connection, for comparing it in memory.
    pub async fn connection_psk(&self, id: &Id) -> Result<SecretString, Error> {
        #[derive(Deserialize)]
        struct Keyed {
            psk: Option<String>,
        }
        let kind = Kind::SiteConnection;
        let keyed: Keyed = self.get(&["vpn", kind.collection(), id.as_str()], &["psk"], kind.singular()).await?;
        let missing = || Error::new(ErrorKind::Forbidden, "The cloud does not show the key of this connection.");
        keyed.psk.map(SecretString::from).ok_or_else(missing)
    }
}
