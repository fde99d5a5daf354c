//! Neutron's objects and the collections they stand in.

use serde_json::{Map, Value};

use super::answer::{Answer, neutron};

pub(super) type StoredObject = Map<String, Value>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Collection {
    Network,
    Subnet,
    Port,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    VpnService,
    IkePolicy,
    IpsecPolicy,
    EndpointGroup,
    SiteConnection,
}

impl Collection {
    pub const CORE: [Self; 6] =
        [Self::Network, Self::Subnet, Self::Port, Self::Router, Self::SecurityGroup, Self::SecurityGroupRule];
    pub const VPN: [Self; 5] =
        [Self::IkePolicy, Self::IpsecPolicy, Self::EndpointGroup, Self::VpnService, Self::SiteConnection];

    /// The key of one object in JSON, and the name of its quota and policy rules.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::Port => "port",
            Self::Router => "router",
            Self::SecurityGroup => "security_group",
            Self::SecurityGroupRule => "security_group_rule",
            Self::VpnService => "vpnservice",
            Self::IkePolicy => "ikepolicy",
            Self::IpsecPolicy => "ipsecpolicy",
            Self::EndpointGroup => "endpoint_group",
            Self::SiteConnection => "ipsec_site_connection",
        }
    }

    /// The key of a list in JSON.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Network => "networks",
            Self::Subnet => "subnets",
            Self::Port => "ports",
            Self::Router => "routers",
            Self::SecurityGroup => "security_groups",
            Self::SecurityGroupRule => "security_group_rules",
            Self::VpnService => "vpnservices",
            Self::IkePolicy => "ikepolicies",
            Self::IpsecPolicy => "ipsecpolicies",
            Self::EndpointGroup => "endpoint_groups",
            Self::SiteConnection => "ipsec_site_connections",
        }
    }

    /// The kind a path segment means; URLs are written with dashes where JSON has underscores, and taken with either.
    pub fn from_segment(kinds: &[Self], segment: &str) -> Option<Self> {
        let key = segment.replace('-', "_");
        kinds.iter().copied().find(|kind| kind.plural() == key)
    }

    pub fn is_vpn(self) -> bool {
        self >= Self::VpnService
    }

    pub fn not_found(self, id: &str) -> Answer {
        let (class, message) = match self {
            Self::Network => ("NetworkNotFound", format!("Network {id} could not be found.")),
            Self::Subnet => ("SubnetNotFound", format!("Subnet {id} could not be found.")),
            Self::Port => ("PortNotFound", format!("Port {id} could not be found.")),
            Self::Router => ("RouterNotFound", format!("Router {id} could not be found")),
            Self::SecurityGroup => ("SecurityGroupNotFound", format!("Security group {id} does not exist")),
            Self::SecurityGroupRule => {
                ("SecurityGroupRuleNotFound", format!("Security group rule {id} does not exist"))
            }
            Self::VpnService => ("VPNServiceNotFound", format!("VPNService {id} could not be found")),
            Self::IkePolicy => ("IKEPolicyNotFound", format!("IKEPolicy {id} could not be found")),
            Self::IpsecPolicy => ("IPsecPolicyNotFound", format!("IPsecPolicy {id} could not be found")),
            Self::EndpointGroup => ("VPNEndpointGroupNotFound", format!("Endpoint group {id} could not be found")),
            Self::SiteConnection => ("IPsecSiteConnectionNotFound", format!("ipsec_site_connection {id} not found")),
        };
        neutron(404, class, &message)
    }
}

/// The text of a key; empty if it is missing, null or something else.
pub(super) fn text<'a>(object: &'a StoredObject, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn texts<'a>(object: &'a StoredObject, key: &str) -> Vec<&'a str> {
    let items = object.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).collect()
}
