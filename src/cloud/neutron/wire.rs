//! The objects as Neutron writes them, and their way into the types of the inventory.
//!
//! A field that is an `Option` may be missing or null; without any other field the object is unfit.

pub mod vpn;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::cloud::inventory::{Id, Interface, Interfaces, Quota, Router, Status, Subnet};
use crate::cloud::printable::Text;
use crate::cloud::request::Kind;

/// An object of a list, and the attributes that are asked for.
pub(crate) trait Wire: DeserializeOwned {
    /// By the API's names.
    const FIELDS: &'static [&'static str];

    /// Those of [`Self::FIELDS`] that a kind has.
    fn fields(kind: Kind) -> Vec<&'static str> {
        Self::FIELDS.iter().copied().filter(|field| kind.may_have(field)).collect()
    }
}

/// An object of one project, with a name.
pub(crate) trait Owned: Wire {
    /// Whether it is that project's. An object without an owner is everybody's.
    fn belongs_to(&self, project: &str) -> bool;

    /// What lists are sorted by.
    fn key(&self) -> (&str, &Id);
}

/// `tenant_id` is the older name of `project_id`; some objects have only one of them, and system-owned ones neither.
pub fn belongs(project_id: Option<&str>, tenant_id: Option<&str>, project: &str) -> bool {
    let owner = project_id.or(tenant_id).unwrap_or_default();
    owner.is_empty() || project.is_empty() || owner == project
}

/// Declares wire types: their fields are what is asked for. `as` gives the API's name where it is no identifier.
macro_rules! wire {
    ($($name:ident { $($(#[$attribute:meta])* $field:ident $(as $api:literal)?: $type:ty),+ $(,)? })+) => {$(
        #[derive(serde::Deserialize)]
        pub(in crate::cloud) struct $name {
            $($(#[$attribute])* $(#[serde(rename = $api)])? pub(in crate::cloud) $field: $type,)+
        }

        impl $crate::cloud::neutron::wire::Wire for $name {
            const FIELDS: &'static [&'static str] =
                &[$($crate::cloud::neutron::wire::wire!(@name $field $($api)?)),+];
        }
    )+};
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $api:literal) => { $api };
}

/// For wire types with the fields `id`, `name`, `project_id` and `tenant_id`.
macro_rules! owned {
    ($($name:ty),+) => {$(
        impl $crate::cloud::neutron::wire::Owned for $name {
            fn belongs_to(&self, project: &str) -> bool {
                $crate::cloud::neutron::wire::belongs(self.project_id.as_deref(), self.tenant_id.as_deref(), project)
            }

            fn key(&self) -> (&str, &$crate::cloud::inventory::Id) {
                (self.name.as_ref().map_or("", |name| &name.0), &self.id)
            }
        }
    )+};
}

pub(in crate::cloud) use {owned, wire};

/// A text that may be missing.
pub fn text(text: Option<Text>) -> String {
    text.unwrap_or_default().0
}

/// A number, which some clouds write as text.
#[derive(Default)]
pub struct Number(pub u32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u32),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => {
                text.trim().parse().map(Self).map_err(|_| serde::de::Error::custom("a text that is no number"))
            }
        }
    }
}

/// A field that is there, whatever it holds; an older cloud may not have it at all.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

wire! {
    WireExtension { alias: Text }
    WireRouter {
        id: Id, name: Option<Text>, status: Option<Text>, admin_state_up: Option<bool>,
        external_gateway_info: Option<Gateway>, project_id: Option<String>, tenant_id: Option<String>,
    }
    WirePort { device_id: Text, fixed_ips: Option<Vec<WireFixedIp>> }
    WireSubnet {
        id: Id, name: Option<Text>, network_id: Id, cidr: IpNet, gateway_ip: Option<Text>,
        external as "router:external": Option<bool>, project_id: Option<String>, tenant_id: Option<String>,
    }
    WireNetwork { id: Id, name: Option<Text> }
    WireExternalNetwork { subnets: Option<Vec<Id>> }
    WireFixedIp { subnet_id: Option<Id>, ip_address: Option<Text> }
    Gateway { network_id: Option<Id>, external_fixed_ips: Option<Vec<WireFixedIp>> }
}
owned!(WireRouter, WireSubnet);

impl WireFixedIp {
    pub fn address(&self) -> Option<IpAddr> {
        self.ip_address.as_ref()?.0.parse().ok()
    }
}

impl WireRouter {
    /// Without its interfaces, which stand in the list of ports.
    pub fn into_router(self) -> Router {
        let gateway = self.external_gateway_info;
        let fixed = gateway.iter().flat_map(|gateway| &gateway.external_fixed_ips).flatten();
        let (mut external_v4, mut external_v6) = (Vec::new(), Vec::new());
        for address in fixed.filter_map(WireFixedIp::address) {
            match address {
                IpAddr::V4(v4) => external_v4.push(v4),
                IpAddr::V6(v6) => external_v6.push(v6),
            }
        }
        Router {
            id: self.id,
            name: text(self.name),
            status: Status::parse(&text(self.status)),
            admin_state_up: self.admin_state_up.unwrap_or(true),
            external_network: gateway.and_then(|gateway| gateway.network_id),
            external_v4,
            external_v6,
            interfaces: None,
        }
    }
}

/// The interfaces of routers, by router. OVN's transit addresses are left out with their subnets.
pub fn interfaces(ports: Vec<WirePort>) -> BTreeMap<Id, Interfaces> {
    let mut feet: BTreeMap<Id, Vec<Interface>> = BTreeMap::new();
    for WirePort { device_id, fixed_ips } in ports {
        let interfaces = fixed_ips.unwrap_or_default().into_iter().filter_map(|fixed| {
            let address = fixed.address().filter(|address| !is_link_local(*address))?;
            Some(Interface { subnet: fixed.subnet_id?, address })
        });
        feet.entry(Id::new(device_id.0)).or_default().extend(interfaces);
    }
    feet.into_iter().map(|(router, interfaces)| (router, interfaces.into_iter().collect())).collect()
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.is_link_local())
}

impl WireSubnet {
    /// OVN puts a subnet of its own between a router and its VPN gateway, in the user's project.
    pub(crate) fn is_transit(&self) -> bool {
        self.key().0.starts_with("vpn-transit-subnet-") || is_link_local(self.cidr.addr())
    }

    pub(crate) fn into_subnet(self) -> Subnet {
        Subnet {
            id: self.id,
            name: text(self.name),
            network: self.network_id,
            cidr: self.cidr.trunc(),
            gateway: self.gateway_ip.and_then(|text| text.0.parse().ok()),
        }
    }
}

impl WireNetwork {
    pub(crate) fn into_name(self) -> (Id, String) {
        (self.id, text(self.name))
    }
}

#[derive(Deserialize)]
pub(crate) struct QuotaDetail {
    limit: i64,
    #[serde(default)]
    used: i64,
    #[serde(default)]
    reserved: i64,
}

impl QuotaDetail {
    /// -1 is how Neutron writes "unlimited".
    pub(crate) fn into_quota(self) -> Option<Quota> {
        let used = u64::try_from(self.used.checked_add(self.reserved)?).ok()?;
        Some(Quota { limit: u64::try_from(self.limit).ok(), used })
    }
}
