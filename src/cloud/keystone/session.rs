//! What Keystone's answer says: the token, whose it is, and where the network services are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Url;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::cloud::credentials::{Credentials, Domain, Method, Named, NetworkEndpoint, address};
use crate::cloud::error::{Error, ErrorDetail, ErrorKind};
use crate::cloud::http::{Response, parse};
use crate::cloud::inventory::RegionId;
use crate::cloud::printable::{Text, printable};

/// A token, and which one it is in the row of renewals.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: Arc<SecretString>,
    pub expires_at: Option<Timestamp>,
    pub serial: u64,
}

#[derive(Debug)]
pub(crate) struct TokenScope {
    pub project_id: String,
    pub project_name: String,
    pub user_name: String,
    pub roles: Vec<String>,
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// In the place of an address that cannot be used.
const UNUSABLE: &str = "unusable:///v2.0";

#[derive(Debug)]
pub struct Endpoint {
    pub region: RegionId,
    /// Ends in `/v2.0`, or is [`UNUSABLE`].
    pub url: Url,
}

#[derive(Deserialize)]
struct TokenAnswer {
    expires_at: Option<String>,
    user: NameAndId,
    project: Option<InDomain>,
    #[serde(default, deserialize_with = "fitting")]
    catalog: Vec<CatalogService>,
    #[serde(default, deserialize_with = "fitting")]
    roles: Vec<RoleName>,
}

/// The entries of a list that can be read. The others are services that osvpn does not use.
fn fitting<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let all = Option::<Vec<Value>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(all.into_iter().filter_map(|one| T::deserialize(one).ok()).collect())
}

#[derive(Deserialize)]
struct RoleName {
    #[serde(default)]
    name: Text,
}

#[derive(Deserialize)]
struct NameAndId {
    id: Text,
    name: Text,
}

#[derive(Deserialize)]
struct InDomain {
    id: Text,
    name: Text,
    domain: Option<NameAndId>,
}

#[derive(Deserialize)]
struct CatalogService {
    r#type: String,
    #[serde(default, deserialize_with = "fitting")]
    endpoints: Vec<CatalogEndpoint>,
}

#[derive(Deserialize)]
struct CatalogEndpoint {
    interface: Option<String>,
    url: Option<String>,
    region_id: Option<String>,
    region: Option<String>,
}

/// The project of a token that somebody has, as the answer about it says: whether it is the one that is named.
pub(crate) fn is_for(answer: &Response, project: &Named) -> bool {
    let Ok(TokenAnswer { project: Some(own), .. }) = parse(answer, "token") else { return false };
    match project {
        Named::Id(id) => *id == own.id.0,
        Named::Name { name, domain } => {
            let is_there = own.domain.is_none_or(|own| match domain {
                Domain::Id(id) => own.id.0 == *id,
                Domain::Name(name) => own.name.0.eq_ignore_ascii_case(name),
            });
            *name == own.name.0 && is_there
        }
    }
}

pub fn read(answer: &Response, credentials: &Credentials) -> Result<(Token, TokenScope), Error> {
    let described: TokenAnswer = parse(answer, "token")?;
    let secret = match (answer.header("x-subject-token"), &credentials.method) {
        (Some(token), _) => SecretString::from(token),
        (None, Method::Token { token, .. }) => token.clone(),
        (None, _) => return Err(answer.unexpected("The answer has no X-Subject-Token header, and so no token.")),
    };
    let refused = |(detail, message): (ErrorDetail, String)| {
        Err(Error::new(ErrorKind::Credentials, message).signed(credentials.signed()).with_detail(detail))
    };
    let Some(project) = described.project else {
        return refused(match &credentials.project {
            None => (ErrorDetail::NoProject, "The sign-in succeeded, but the token has no project.".to_owned()),
            Some(project) => {
                let text = project.text();
                let message =
                    format!("The sign-in succeeded, but the token has no project, although {text} was named.");
                (ErrorDetail::ProjectNotGiven, message)
            }
        });
    };
    let listed = NetworkCatalog { services: &described.catalog, interface: &credentials.interface };
    let endpoints = listed.endpoints(credentials);
    if !endpoints.iter().any(|endpoint| is_usable(&endpoint.url)) {
        return refused(listed.why_none(&project.name.0, credentials));
    }
    let expires_at = described.expires_at.and_then(|text| text.parse().ok());
    let session = TokenScope {
        project_id: project.id.0,
        project_name: project.name.0,
        user_name: described.user.name.0,
        roles: described.roles.into_iter().map(|role| role.name.0).collect(),
        endpoints,
    };
    Ok((Token { secret: Arc::new(secret), expires_at, serial: 0 }, session))
}

pub(crate) fn is_usable(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

const UNNAMED: &str = "unnamed";

struct NetworkCatalog<'a> {
    services: &'a [CatalogService],
    interface: &'a str,
}

impl NetworkCatalog<'_> {
    fn listed(&self) -> impl Iterator<Item = &CatalogEndpoint> {
        let network = self.services.iter().filter(|service| service.r#type == "network");
        network.flat_map(|service| &service.endpoints)
    }

    fn of_interface(&self) -> impl Iterator<Item = &CatalogEndpoint> {
        let interface = |listed: &&CatalogEndpoint| {
            listed
                .interface
                .as_deref()
                .is_some_and(|name| name.trim_end_matches("URL").eq_ignore_ascii_case(self.interface))
        };
        self.listed().filter(interface)
    }

    /// The first network endpoint of every region, by region, or the one the user gives instead. A region without one
    /// (Catalyst has one for object storage alone) is not listed. An endpoint without a region is used if there is no
    /// other and no region was asked for.
    fn endpoints(&self, credentials: &Credentials) -> Vec<Arc<Endpoint>> {
        let mut found = BTreeMap::new();
        let mut unnamed = None;
        for listed in self.of_interface() {
            let Some(url) = listed.url.as_deref().and_then(address::network) else { continue };
            let Some(region) = listed.region() else {
                unnamed.get_or_insert(url);
                continue;
            };
            found.entry(RegionId::new(printable(region))).or_insert(url);
        }
        if let Some(url) = unnamed.filter(|_| found.is_empty() && credentials.region.is_none()) {
            found.insert(RegionId::new(UNNAMED), url);
        }
        for NetworkEndpoint { region, url } in &credentials.network_endpoints {
            // Without a region it is the only one there is, if there is only one.
            let only = || found.keys().next().filter(|_| found.len() == 1).cloned();
            let region = region.clone().or_else(only).unwrap_or_else(|| RegionId::new(UNNAMED));
            found.insert(region, url.clone());
        }
        // What is in a region whose address cannot be used is not known, and must not be taken for nothing.
        if let Ok(unusable) = Url::parse(UNUSABLE) {
            for region in self.listed().filter_map(CatalogEndpoint::region) {
                found.entry(RegionId::new(printable(region))).or_insert_with(|| unusable.clone());
            }
        }
        spelt_once(found, credentials).into_iter().map(|(region, url)| Arc::new(Endpoint { region, url })).collect()
    }

    fn why_none(&self, project: &str, credentials: &Credentials) -> (ErrorDetail, String) {
        let interface = printable(self.interface);
        if let Some(listed) =
            self.of_interface().find(|listed| listed.url.as_deref().and_then(address::network).is_none())
        {
            let region = listed.region().map_or_else(String::new, |region| format!(" of region {}", printable(region)));
            let message = format!("The catalogue's network endpoint{region} has no usable address.");
            return (ErrorDetail::NoNetworkService, message);
        }
        if self.of_interface().next().is_some() {
            let region = credentials.region.as_ref().map_or_else(String::new, ToString::to_string);
            let message =
                format!("The catalogue's only network endpoint has no region, but region {region} was requested.");
            return (ErrorDetail::NoRegionInCatalog, message);
        }
        let others: BTreeSet<String> =
            self.listed().filter_map(|listed| listed.interface.as_deref()).map(printable).collect();
        let others = Vec::from_iter(others).join(", ");
        if others.is_empty() {
            let message = format!("The catalogue has no network service for the project {project}.");
            (ErrorDetail::NoNetworkService, message)
        } else {
            let message = format!(
                "The catalogue has no network service with the interface `{interface}` for the project {project}, only with {others}."
            );
            (ErrorDetail::OtherInterfaces, message)
        }
    }
}

impl CatalogEndpoint {
    fn region(&self) -> Option<&str> {
        let named = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.trim().is_empty());
        let (id, name) = (&self.region_id, &self.region);
        if named(id) { id.as_deref() } else { name.as_deref().filter(|_| named(name)) }
    }
}

/// Without second spellings of a region: names that differ in case alone and lead to one address are one region, in which
/// every object would be seen twice. The spelling that was asked for stays, else the first.
fn spelt_once(found: BTreeMap<RegionId, Url>, credentials: &Credentials) -> BTreeMap<RegionId, Url> {
    let wanted = credentials.region.as_ref();
    let mut once: BTreeMap<RegionId, Url> = BTreeMap::new();
    for (region, url) in found {
        let is_same = |(other, at): &(&RegionId, &Url)| **at == url && other.is_spelt_like(&region);
        match once.iter().find(is_same).map(|(other, _)| other.clone()) {
            Some(other) if wanted == Some(&region) => {
                once.remove(&other);
                once.insert(region, url);
            }
            Some(_) => {}
            None => {
                once.insert(region, url);
            }
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(region: Option<&str>, network: Option<&str>) -> Credentials {
        let region = region.map(RegionId::new);
        let url = network.and_then(address::network);
        let network_endpoints = url.map(|url| NetworkEndpoint { region: region.clone(), url }).into_iter().collect();
        let method = Method::Token { token: "t".into(), user: None };
        Credentials { region, network_endpoints, ..Credentials::with(method) }
    }

    #[test]
    fn regions_are_those_with_a_network_service_whether_or_not_its_address_can_be_used() {
        let catalog = serde_json::from_str::<Vec<CatalogService>>(
            r#"[{"type": "object-store", "endpoints": [{"interface": "public", "region_id": "nz_wlg_2", "url": "https://o/"}]},
                {"type": "network", "name": "neutron", "endpoints": [
                  {"interface": "admin", "region_id": "nz-hlz-1", "url": "https://inside/"},
                  {"interface": "public", "region_id": "nz-por-1", "url": "https://por:9696/v2.0/"},
                  {"interface": "admin", "region_id": "no-public-one", "url": "https://inside/"},
                  {"interface": "public", "region_id": "no-address", "url": "http://"},
                  {"interface": "public", "region_id": "no-server", "url": "file:///etc/passwd"},
                  {"interface": "public", "region": "nz-hlz-1", "url": "https://hlz/networking"}]}]"#,
        )
        .unwrap();
        let found = NetworkCatalog { services: &catalog, interface: "public" }.endpoints(&credentials(None, None));
        let shown: Vec<_> = found.iter().map(|endpoint| (endpoint.region.as_str(), endpoint.url.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("no-address", UNUSABLE),
                ("no-public-one", UNUSABLE),
                ("no-server", UNUSABLE),
                ("nz-hlz-1", "https://hlz/networking/v2.0"),
                ("nz-por-1", "https://por:9696/v2.0")
            ]
        );
    }

    /// What the catalogue of one network endpoint leads to: the regions and their addresses, or why there are none.
    fn of(catalog: &str, region: Option<&str>, network: Option<&str>) -> Result<Vec<String>, String> {
        let token = format!(r#"{{"user": {{"id": "u", "name": "jo"}}, "catalog": {catalog}}}"#);
        let services = serde_json::from_str::<TokenAnswer>(&token).unwrap().catalog;
        let listed = NetworkCatalog { services: &services, interface: "public" };
        let credentials = credentials(region, network);
        let found = listed.endpoints(&credentials);
        let shown = found.iter().map(|endpoint| format!("{} {}", endpoint.region.as_str(), endpoint.url));
        let any = found.iter().any(|endpoint| is_usable(&endpoint.url));
        if any { Ok(shown.collect()) } else { Err(listed.why_none("demo", &credentials).1) }
    }

    #[test]
    fn only_the_network_service_is_judged_and_what_is_wrong_with_it_is_said() {
        let network = |endpoint: &str| format!(r#"[{{"type": "network", "endpoints": [{endpoint}]}}]"#);
        let sound = r#"{"interface": "public", "region_id": "r", "url": "https://n"}"#;
        for odd in [
            r#"{"type": "image", "endpoints": [{"interface": "public", "url": null, "region": null}]}"#,
            r#"{"type": null, "endpoints": null}"#,
            r#"{"endpoints": [7]}"#,
            r#"{"type": "network", "endpoints": [null, {"interface": 1}]}"#,
        ] {
            let catalog = format!(r#"[{odd}, {{"type": "network", "endpoints": [{sound}]}}]"#);
            assert_eq!(of(&catalog, None, None), Ok(vec!["r https://n/v2.0".to_owned()]), "{odd}");
        }
        let unnamed = network(r#"{"interface": "public", "region_id": null, "region": null, "url": "https://n"}"#);
        assert_eq!(of(&unnamed, None, None), Ok(vec!["unnamed https://n/v2.0".to_owned()]));
        let said = |catalog: &str| of(catalog, Some("r"), None).unwrap_err();
        assert!(said(&unnamed).contains("only network endpoint has no region, but region r was requested"));
        assert!(
            said(&network(r#"{"interface": "public", "region": "r", "url": null}"#))
                .contains("of region r has no usable address")
        );
        assert!(
            said(&network(r#"{"interface": "admin", "region": "r", "url": "https://n"}"#)).contains("only with admin")
        );
        assert!(said("null").contains("no network service for the project demo"));
    }

    #[test]
    fn an_address_the_user_gives_goes_before_the_catalogue_in_its_region() {
        let two = r#"[{"type": "network", "endpoints": [
            {"interface": "public", "region": "r", "url": "https://inside"}, {"interface": "public", "region": "s", "url": "https://s"}]}]"#;
        let outside = Some("https://outside/network/");
        let both = ["r https://outside/network/v2.0", "s https://s/v2.0"].map(str::to_owned).to_vec();
        assert_eq!(of(two, Some("r"), outside), Ok(both));
        let one =
            r#"[{"type": "network", "endpoints": [{"interface": "public", "region": "r", "url": "https://inside"}]}]"#;
        assert_eq!(of(one, None, outside), Ok(vec!["r https://outside/network/v2.0".to_owned()]));
        assert_eq!(of("[]", Some("r"), outside), Ok(vec!["r https://outside/network/v2.0".to_owned()]));
    }

    #[test]
    fn two_spellings_of_one_region_are_one() {
        let two = r#"[{"type": "network", "endpoints": [
            {"interface": "public", "region": "RegionOne", "url": "https://n"}, {"interface": "public", "region": "regionOne", "url": "https://n"},
            {"interface": "public", "region": "REGIONONE", "url": "https://other"}]}]"#;
        let other = "REGIONONE https://other/v2.0";
        for (wanted, kept) in [(None, "RegionOne"), (Some("regionOne"), "regionOne"), (Some("regionone"), "RegionOne")]
        {
            let kept = format!("{kept} https://n/v2.0");
            assert_eq!(of(two, wanted, None), Ok(vec![other.to_owned(), kept]), "{wanted:?}");
        }
    }
}
