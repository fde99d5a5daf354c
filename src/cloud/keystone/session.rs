//! What Keystone's answer says: the token, whose it is, and where the network services are.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

use crate::cloud::credentials::{Credentials, Method};
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::http::{Answer, parse};
use crate::cloud::inventory::RegionId;
use crate::cloud::printable::{Text, printable};

/// A token, and which one it is in the row of renewals.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: Arc<SecretString>,
    pub expires_at: Option<Timestamp>,
    pub serial: u64,
}

/// Who is signed in, and to what.
#[derive(Debug)]
pub struct Session {
    pub project_id: String,
    pub project_name: String,
    pub user_name: String,
    /// The names of its roles in the project.
    pub roles: Vec<String>,
    /// By region.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// The network service of a region.
#[derive(Debug)]
pub struct Endpoint {
    pub region: RegionId,
    /// Ends in `/v2.0`.
    pub url: Url,
}

#[derive(Deserialize)]
struct Described {
    expires_at: Option<String>,
    user: Named,
    project: Option<Named>,
    #[serde(default)]
    catalog: Vec<Service>,
    #[serde(default)]
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    #[serde(default)]
    name: Text,
}

#[derive(Deserialize)]
struct Named {
    id: Text,
    name: Text,
}

#[derive(Deserialize)]
struct Service {
    r#type: String,
    #[serde(default)]
    endpoints: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    interface: String,
    url: String,
    region_id: Option<String>,
    region: Option<String>,
}

/// Reads a successful answer of `/v3/auth/tokens`.
pub fn read(answer: &Answer, credentials: &Credentials) -> Result<(Token, Session), Error> {
    let described: Described = parse(answer, "token")?;
    let secret = match (&credentials.method, answer.header("x-subject-token")) {
        (Method::Token { token, .. }, _) => token.clone(),
        (_, Some(token)) => SecretString::from(token),
        (_, None) => return Err(answer.unexpected("The answer has no X-Subject-Token header, and so no token.")),
    };
    let Some(project) = described.project else {
        let message = "The sign-in succeeded, but it is for no project.";
        return Err(Error::new(ErrorKind::Credentials, message));
    };
    let endpoints = endpoints(&described.catalog, &credentials.interface);
    if endpoints.is_empty() {
        let message = format!(
            "The catalogue has no network service with the interface `{}` for the project {}.",
            printable(&credentials.interface),
            project.name.0
        );
        return Err(Error::new(ErrorKind::Credentials, message));
    }
    let expires_at = described.expires_at.and_then(|text| text.parse().ok());
    let session = Session {
        project_id: project.id.0,
        project_name: project.name.0,
        user_name: described.user.name.0,
        roles: described.roles.into_iter().map(|role| role.name.0).collect(),
        endpoints,
    };
    Ok((Token { secret: Arc::new(secret), expires_at, serial: 0 }, session))
}

/// The first network endpoint of every region, by region. A region without one (Catalyst has one for object storage
/// alone) is not listed.
fn endpoints(catalog: &[Service], interface: &str) -> Vec<Arc<Endpoint>> {
    let mut found = BTreeMap::new();
    let network = catalog.iter().filter(|service| service.r#type == "network");
    for listed in network.flat_map(|service| &service.endpoints).filter(|listed| listed.interface == interface) {
        let region = listed.region_id.as_ref().or(listed.region.as_ref());
        let (Some(region), Some(url)) = (region, base(&listed.url)) else { continue };
        let region = RegionId::new(printable(region));
        found.entry(region.clone()).or_insert_with(|| Arc::new(Endpoint { region, url }));
    }
    found.into_values().collect()
}

/// Neutron's address, with or without `/v2.0` in the catalogue.
fn base(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let path = url.path().trim_end_matches('/');
    let whole = if path.ends_with("/v2.0") { path.to_owned() } else { format!("{path}/v2.0") };
    url.set_path(&whole);
    url.has_host().then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_those_with_a_network_endpoint_of_the_wanted_interface_in_order() {
        let catalog = serde_json::from_str::<Vec<Service>>(
            r#"[{"type": "object-store", "endpoints": [{"interface": "public", "region_id": "nz_wlg_2", "url": "https://o/"}]},
                {"type": "network", "name": "neutron", "endpoints": [
                  {"interface": "admin", "region_id": "nz-hlz-1", "url": "https://inside/"},
                  {"interface": "public", "region_id": "nz-por-1", "url": "https://por:9696/v2.0/"},
                  {"interface": "public", "region": "nz-hlz-1", "url": "https://hlz/networking"}]}]"#,
        )
        .unwrap();
        let found = endpoints(&catalog, "public");
        let shown: Vec<_> = found.iter().map(|endpoint| (endpoint.region.as_str(), endpoint.url.as_str())).collect();
        assert_eq!(shown, [("nz-hlz-1", "https://hlz/networking/v2.0"), ("nz-por-1", "https://por:9696/v2.0")]);
    }
}
