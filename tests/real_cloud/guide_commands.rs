//! What Catalyst Cloud's VPN guide makes with the openstack command, field by field as the API then shows it.

use serde_json::{Value, json};

/// The values of the guide, or the same with what 2026.2 still stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Catalyst,
    Modern,
}

impl Profile {
    /// What osvpn takes without being asked: the guide's values where the release stores them.
    pub fn of(release: &str) -> Self {
        if release == "2026.1" { Self::Catalyst } else { Self::Modern }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Catalyst => "catalyst",
            Self::Modern => "modern",
        }
    }

    const fn hash(self) -> &'static str {
        match self {
            Self::Catalyst => "sha1",
            Self::Modern => "sha256",
        }
    }

    const fn ike(self) -> &'static str {
        match self {
            Self::Catalyst => "v1",
            Self::Modern => "v2",
        }
    }
}

/// One region's side.
#[derive(Clone, Copy)]
pub struct Half<'a> {
    /// What stands before the guide's names: osvpn's `hlz-por_`.
    pub prefix: &'a str,
    /// The guide's objects have none, osvpn's have their mark.
    pub description: &'a str,
    pub profile: Profile,
    /// The router's addresses, IPv4 and IPv6.
    pub external: [&'a str; 2],
    pub subnet: &'a str,
    pub peer: &'a str,
    pub peer_cidr: &'a str,
}

impl Half<'_> {
    /// All the region's VPN objects; the states are those of the real ones, which agents decide.
    pub fn objects(&self, real: &Value) -> Value {
        let name = |object: &str| format!("{}{object}", self.prefix);
        let [v4, v6] = self.external;
        let (hash, ike) = (self.profile.hash(), self.profile.ike());
        let mut objects = json!({
            // openstack vpn service create --router border-router vpn_service
            "vpnservices": [{
                "name": name("vpn_service"), "router_id": "border-router", "subnet_id": null, "flavor_id": null,
                "admin_state_up": true, "external_v4_ip": v4, "external_v6_ip": v6,
                "status": real["vpnservices"][0]["status"],
            }],
            // openstack vpn ike policy create --auth-algorithm sha1 --encryption-algorithm aes-256
            //   --phase1-negotiation-mode main --pfs group14 --ike-version v1 --lifetime units=seconds,value=14400
            "ikepolicies": [{
                "name": name("ike_policy"), "auth_algorithm": hash, "encryption_algorithm": "aes-256",
                "phase1_negotiation_mode": "main", "pfs": "group14", "ike_version": ike,
                "lifetime": {"units": "seconds", "value": 14400},
            }],
            // openstack vpn ipsec policy create --transform-protocol esp --auth-algorithm sha1
            //   --encryption-algorithm aes-256 --encapsulation-mode tunnel --pfs group14
            //   --lifetime units=seconds,value=3600
            "ipsecpolicies": [{
                "name": name("ipsec_policy"), "transform_protocol": "esp", "auth_algorithm": hash,
                "encryption_algorithm": "aes-256", "encapsulation_mode": "tunnel", "pfs": "group14",
                "lifetime": {"units": "seconds", "value": 3600},
            }],
            // openstack vpn endpoint group create --type subnet --value private-subnet
            // openstack vpn endpoint group create --type cidr --value 10.20.30.0/24
            "endpoint_groups": [
                {"name": name("local_endpoint_group"), "type": "subnet", "endpoints": [self.subnet]},
                {"name": name("peer_endpoint_group"), "type": "cidr", "endpoints": [self.peer_cidr]},
            ],
            // openstack vpn ipsec site connection create --initiator bi-directional --vpnservice vpn_service
            //   --ikepolicy ike_policy --ipsecpolicy ipsec_policy --dpd action=restart,interval=15,timeout=150
            //   --peer-address 150.242.40.137 --peer-id 150.242.40.137 --local-endpoint-group local_endpoint_group
            //   --peer-endpoint-group peer_endpoint_group --psk supersecretpsk vpn_site_connection
            "ipsec_site_connections": [{
                "name": name("vpn_site_connection"), "vpnservice_id": name("vpn_service"),
                "ikepolicy_id": name("ike_policy"), "ipsecpolicy_id": name("ipsec_policy"),
                "local_ep_group_id": name("local_endpoint_group"), "peer_ep_group_id": name("peer_endpoint_group"),
                "initiator": "bi-directional", "dpd": {"action": "restart", "interval": 15, "timeout": 150},
                "peer_address": self.peer, "peer_id": self.peer, "local_id": "", "peer_cidrs": [], "psk": "KEY",
                "auth_mode": "psk", "route_mode": "static", "mtu": 1500, "admin_state_up": true,
                "status": real["ipsec_site_connections"][0]["status"],
            }],
        });
        for object in objects.as_object_mut().unwrap().values_mut().flat_map(|list| list.as_array_mut().unwrap()) {
            object["id"] = object["name"].clone();
            object["description"] = json!(self.description);
            for project in ["project_id", "tenant_id"] {
                object[project] = json!("demo");
            }
        }
        objects
    }
}
