//! The version that a cloud reports, for bug reports. Nothing depends on it.

use reqwest::{Method, Url};
use serde::Deserialize;

use super::error::{Error, ErrorKind};
use super::http::parse;
use super::keystone::Cloud;
use super::printable::Text;

impl Cloud {
    /// The version of the Identity API, as Keystone writes it: `v3.14 (stable)`.
    pub(crate) async fn identity_version(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Version {
            id: Text,
            #[serde(default)]
            status: Text,
        }
        let url = Url::parse(self.auth_url())
            .map_err(|_| Error::new(ErrorKind::Credentials, "The auth_url is not a URL."))?;
        let Version { id, status } = parse(&self.send(Method::GET, &url, None, None).await?, "version")?;
        Ok(format!("{} ({})", id.0, status.0))
    }
}
