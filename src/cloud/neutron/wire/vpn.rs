//! The VPN objects.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Deserialize;

use super::{number, or_default, present, up};
use crate::cloud::inventory::{self, Id, Status};
use crate::cloud::printable::Text;

#[derive(Deserialize)]
#[expect(clippy::option_option, reason = "whether the API has the field, and whether it names an address")]
pub struct Service {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    description: Text,
    router_id: Text,
    subnet_id: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    status: Text,
    #[serde(default = "up")]
    admin_state_up: bool,
    #[serde(default, deserialize_with = "present")]
    external_v4_ip: Option<Option<Text>>,
    #[serde(default, deserialize_with = "present")]
    external_v6_ip: Option<Option<Text>>,
    pub(super) project_id: Option<String>,
    pub(super) tenant_id: Option<String>,
}

impl Service {
    pub const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "router_id",
        "subnet_id",
        "status",
        "admin_state_up",
        "external_v4_ip",
        "external_v6_ip",
        "project_id",
        "tenant_id",
    ];

    /// The same of a cloud too old to tell a service's address, which is its router's there.
    pub fn into_service_on(self, routers: &[inventory::Router]) -> inventory::VpnService {
        let is_told = self.external_v4_ip.is_some() || self.external_v6_ip.is_some();
        let service = self.into_service();
        match routers.iter().find(|router| router.id == service.router).filter(|_| !is_told) {
            Some(router) => inventory::VpnService {
                external_v4: router.external_v4.first().copied(),
                external_v6: router.external_v6.first().copied(),
                ..service
            },
            None => service,
        }
    }

    pub fn into_service(self) -> inventory::VpnService {
        inventory::VpnService {
            id: Id::new(self.id.0),
            name: self.name.0,
            description: self.description.0,
            router: Id::new(self.router_id.0),
            legacy_subnet: self.subnet_id.map(|id| Id::new(id.0)),
            status: Status::parse(&self.status.0),
            admin_state_up: self.admin_state_up,
            external_v4: self.external_v4_ip.flatten().and_then(|text| text.0.parse::<Ipv4Addr>().ok()),
            external_v6: self.external_v6_ip.flatten().and_then(|text| text.0.parse::<Ipv6Addr>().ok()),
        }
    }
}

#[derive(Deserialize)]
pub struct Connection {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    description: Text,
    #[serde(default, deserialize_with = "or_default")]
    status: Text,
    vpnservice_id: Text,
    ikepolicy_id: Text,
    ipsecpolicy_id: Text,
    #[serde(default, deserialize_with = "or_default")]
    peer_address: Text,
    #[serde(default, deserialize_with = "or_default")]
    peer_id: Text,
    local_ep_group_id: Option<Text>,
    peer_ep_group_id: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    peer_cidrs: Vec<Text>,
    #[serde(default = "up")]
    admin_state_up: bool,
    #[serde(default, deserialize_with = "or_default")]
    local_id: Text,
    #[serde(default, deserialize_with = "or_default")]
    initiator: Text,
    #[serde(default, deserialize_with = "number")]
    mtu: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    dpd: Dpd,
    pub(super) project_id: Option<String>,
    pub(super) tenant_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Dpd {
    #[serde(default, deserialize_with = "or_default")]
    action: Text,
    #[serde(default, deserialize_with = "number")]
    interval: Option<u32>,
    #[serde(default, deserialize_with = "number")]
    timeout: Option<u32>,
}

impl Connection {
    /// All but the key.
    pub const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "status",
        "vpnservice_id",
        "ikepolicy_id",
        "ipsecpolicy_id",
        "peer_address",
        "peer_id",
        "local_ep_group_id",
        "peer_ep_group_id",
        "peer_cidrs",
        "admin_state_up",
        "local_id",
        "initiator",
        "mtu",
        "dpd",
        "project_id",
        "tenant_id",
    ];

    pub fn into_connection(self) -> inventory::SiteConnection {
        inventory::SiteConnection {
            id: Id::new(self.id.0),
            name: self.name.0,
            description: self.description.0,
            status: Status::parse(&self.status.0),
            service: Id::new(self.vpnservice_id.0),
            ike_policy: Id::new(self.ikepolicy_id.0),
            ipsec_policy: Id::new(self.ipsecpolicy_id.0),
            peer_address: self.peer_address.0,
            peer_id: self.peer_id.0,
            local_group: self.local_ep_group_id.map(|id| Id::new(id.0)),
            peer_group: self.peer_ep_group_id.map(|id| Id::new(id.0)),
            peer_cidrs: self
                .peer_cidrs
                .iter()
                .filter_map(|text| text.0.parse::<IpNet>().ok())
                .map(|net| net.trunc())
                .collect(),
            admin_state_up: self.admin_state_up,
            local_id: self.local_id.0,
            initiator: self.initiator.0,
            mtu: self.mtu.unwrap_or_default(),
            dpd: inventory::DeadPeerDetection {
                action: self.dpd.action.0,
                interval: self.dpd.interval.unwrap_or_default(),
                timeout: self.dpd.timeout.unwrap_or_default(),
            },
        }
    }
}

#[derive(Deserialize)]
pub struct Group {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    description: Text,
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: Text,
    #[serde(default, deserialize_with = "or_default")]
    endpoints: Vec<Text>,
    pub(super) project_id: Option<String>,
    pub(super) tenant_id: Option<String>,
}

impl Group {
    pub const FIELDS: &'static [&'static str] =
        &["id", "name", "description", "type", "endpoints", "project_id", "tenant_id"];

    pub fn into_group(self) -> inventory::EndpointGroup {
        inventory::EndpointGroup {
            id: Id::new(self.id.0),
            name: self.name.0,
            description: self.description.0,
            kind: self.kind.0,
            endpoints: self.endpoints.into_iter().map(|text| text.0).collect(),
        }
    }
}

#[derive(Default, Deserialize)]
struct Lifetime {
    #[serde(default, deserialize_with = "number")]
    value: Option<u32>,
}

/// An IKE or IPsec policy; each kind has some of the attributes.
#[derive(Deserialize)]
pub struct Policy {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    description: Text,
    ike_version: Option<Text>,
    phase1_negotiation_mode: Option<Text>,
    transform_protocol: Option<Text>,
    encapsulation_mode: Option<Text>,
    auth_algorithm: Option<Text>,
    encryption_algorithm: Option<Text>,
    pfs: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    lifetime: Lifetime,
    pub(super) project_id: Option<String>,
    pub(super) tenant_id: Option<String>,
}

impl Policy {
    pub const IKE: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "ike_version",
        "phase1_negotiation_mode",
        "auth_algorithm",
        "encryption_algorithm",
        "pfs",
        "lifetime",
        "project_id",
        "tenant_id",
    ];
    pub const IPSEC: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "transform_protocol",
        "encapsulation_mode",
        "auth_algorithm",
        "encryption_algorithm",
        "pfs",
        "lifetime",
        "project_id",
        "tenant_id",
    ];

    pub fn into_policy(self) -> inventory::StoredPolicy {
        let words = [
            ("ike_version", self.ike_version),
            ("phase1_negotiation_mode", self.phase1_negotiation_mode),
            ("transform_protocol", self.transform_protocol),
            ("encapsulation_mode", self.encapsulation_mode),
            ("auth_algorithm", self.auth_algorithm),
            ("encryption_algorithm", self.encryption_algorithm),
            ("pfs", self.pfs),
            ("lifetime", self.lifetime.value.map(|seconds| Text(seconds.to_string()))),
        ];
        inventory::StoredPolicy {
            id: Id::new(self.id.0),
            name: self.name.0,
            description: self.description.0,
            attributes: words.into_iter().filter_map(|(name, word)| Some((name, word?.0))).collect(),
        }
    }
}
