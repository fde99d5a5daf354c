//! The objects as Neutron writes them, and their way into the types of the inventory.

pub mod vpn;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::cloud::inventory::{self, Id, Interface, Status};
use crate::cloud::printable::Text;

/// An object of one project.
pub trait Owned {
    /// Whether it is that project's, or nobody says whose it is.
    fn belongs_to(&self, project: &str) -> bool;
}

/// `tenant_id` is the older name of `project_id`; some objects have only one of them, and system-owned ones neither.
pub fn belongs(project_id: Option<&str>, tenant_id: Option<&str>, project: &str) -> bool {
    let owner = project_id.or(tenant_id).unwrap_or_default();
    owner.is_empty() || project.is_empty() || owner == project
}

macro_rules! owned {
    ($($type:ty),+) => {
        $(impl Owned for $type {
            fn belongs_to(&self, project: &str) -> bool {
                belongs(self.project_id.as_deref(), self.tenant_id.as_deref(), project)
            }
        })+
    };
}

owned!(Router, Subnet, vpn::Service, vpn::Connection, vpn::Group, vpn::Policy);

/// Missing and null are alike.
pub fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A number, which some clouds write as text. Missing and null are none.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u32),
        Text(String),
    }
    match Option::deserialize(deserializer)? {
        None => Ok(None),
        Some(Written::Number(number)) => Ok(Some(number)),
        Some(Written::Text(text)) => {
            text.trim().parse().map(Some).map_err(|_| serde::de::Error::custom("a text that is no number"))
        }
    }
}

/// A field that is there, whatever it holds; an older cloud may not have it at all.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// An `admin_state_up` that is not shown.
pub fn up() -> bool {
    true
}

#[derive(Deserialize)]
pub struct Extension {
    pub alias: Text,
}

#[derive(Deserialize)]
pub struct Router {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    status: Text,
    #[serde(default = "up")]
    admin_state_up: bool,
    external_gateway_info: Option<Gateway>,
    project_id: Option<String>,
    tenant_id: Option<String>,
}

#[derive(Deserialize)]
struct Gateway {
    network_id: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    external_fixed_ips: Vec<FixedIp>,
}

#[derive(Deserialize)]
struct FixedIp {
    subnet_id: Option<Text>,
    ip_address: Option<Text>,
}

impl FixedIp {
    fn address(&self) -> Option<IpAddr> {
        self.ip_address.as_ref()?.0.parse().ok()
    }
}

impl Router {
    pub const FIELDS: &'static [&'static str] =
        &["id", "name", "status", "admin_state_up", "external_gateway_info", "project_id", "tenant_id"];

    fn into_router(self, interfaces: Vec<Interface>) -> inventory::Router {
        let gateway = self.external_gateway_info;
        let addresses = gateway.iter().flat_map(|gateway| &gateway.external_fixed_ips).filter_map(FixedIp::address);
        let (mut external_v4, mut external_v6) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(v4) => external_v4.push(v4),
                IpAddr::V6(v6) => external_v6.push(v6),
            }
        }
        inventory::Router {
            id: Id::new(self.id.0),
            name: self.name.0,
            status: Status::parse(&self.status.0),
            admin_state_up: self.admin_state_up,
            external_network: gateway.and_then(|gateway| gateway.network_id).map(|id| Id::new(id.0)),
            external_v4,
            external_v6,
            interfaces,
        }
    }
}

#[derive(Deserialize)]
pub struct Port {
    device_id: Text,
    #[serde(default, deserialize_with = "or_default")]
    fixed_ips: Vec<FixedIp>,
}

impl Port {
    pub const FIELDS: &'static [&'static str] = &["device_id", "fixed_ips"];
}

/// The routers with their interfaces, by name, then id. OVN's transit addresses are left out with their subnets.
pub fn routers(routers: Vec<Router>, ports: Vec<Port>) -> Vec<inventory::Router> {
    let mut feet: BTreeMap<String, Vec<Interface>> = BTreeMap::new();
    for Port { device_id, fixed_ips } in ports {
        let interfaces = fixed_ips.iter().filter_map(|fixed| {
            let address = fixed.address().filter(|address| !is_link_local(*address))?;
            Some(Interface { subnet: Id::new(fixed.subnet_id.as_ref()?.0.clone()), address })
        });
        feet.entry(device_id.0).or_default().extend(interfaces);
    }
    let mut made: Vec<_> = routers
        .into_iter()
        .map(|router| {
            let mut interfaces = feet.remove(&router.id.0).unwrap_or_default();
            interfaces.sort_by_key(|interface| interface.address);
            router.into_router(interfaces)
        })
        .collect();
    made.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    made
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.is_link_local())
}

#[derive(Deserialize)]
pub struct Subnet {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    network_id: Text,
    cidr: IpNet,
    gateway_ip: Option<Text>,
    #[serde(rename = "router:external", default, deserialize_with = "or_default")]
    external: bool,
    project_id: Option<String>,
    tenant_id: Option<String>,
}

impl Subnet {
    pub const FIELDS: &'static [&'static str] =
        &["id", "name", "network_id", "cidr", "gateway_ip", "router:external", "project_id", "tenant_id"];

    pub fn id(&self) -> Id {
        Id::from(self.id.0.as_str())
    }

    pub fn network(&self) -> Id {
        Id::from(self.network_id.0.as_str())
    }

    pub fn is_external(&self) -> bool {
        self.external
    }

    /// OVN puts a subnet of its own between a router and its VPN gateway, in the user's project.
    pub fn is_transit(&self) -> bool {
        self.name.0.starts_with("vpn-transit-subnet-") || is_link_local(self.cidr.addr())
    }

    pub fn into_subnet(self) -> inventory::Subnet {
        inventory::Subnet {
            id: Id::new(self.id.0),
            name: self.name.0,
            network: Id::new(self.network_id.0),
            cidr: self.cidr.trunc(),
            gateway: self.gateway_ip.and_then(|text| text.0.parse().ok()),
        }
    }
}

#[derive(Deserialize)]
pub struct Network {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
}

impl Network {
    pub const FIELDS: &'static [&'static str] = &["id", "name"];

    pub fn into_network(self) -> inventory::Network {
        inventory::Network { id: Id::new(self.id.0), name: self.name.0 }
    }
}

#[derive(Deserialize)]
pub struct QuotaDetail {
    limit: i64,
    #[serde(default)]
    used: i64,
    #[serde(default)]
    reserved: i64,
}

impl QuotaDetail {
    /// -1 is how Neutron writes "unlimited".
    pub fn into_quota(self) -> Option<inventory::Quota> {
        let used = u64::try_from(self.used.checked_add(self.reserved)?).ok()?;
        Some(inventory::Quota { limit: u64::try_from(self.limit).ok(), used })
    }
}
