//! The bodies of the requests that make VPN objects, one type for each. Names and descriptions have at most 255
//! characters; names are not unique.
//!
//! Every algorithm is sent: the API's default for `auth_algorithm` is `sha1`, which 2026.2 takes and then fails to store
//! with a 500. `admin_state_up` is always sent as true, because an object left down never comes up by itself.
//! `auth_mode` and `route_mode` are never sent: the API refuses them although it returns them.

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};

use super::inventory::Id;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    VpnService,
    /// How the two ends agree on keys (phase 1).
    IkePolicy,
    IpsecPolicy,
    EndpointGroup,
    SiteConnection,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::VpnService, Self::IkePolicy, Self::IpsecPolicy, Self::EndpointGroup, Self::SiteConnection];

    /// What it is called: in a path, around one object, around a list, by people, and by python-openstackclient.
    const fn names(self) -> [&'static str; 5] {
        match self {
            Self::VpnService => ["vpnservices", "vpnservice", "vpnservices", "VPN service", "vpn service"],
            Self::IkePolicy => ["ikepolicies", "ikepolicy", "ikepolicies", "IKE policy", "vpn ike policy"],
            Self::IpsecPolicy => ["ipsecpolicies", "ipsecpolicy", "ipsecpolicies", "IPsec policy", "vpn ipsec policy"],
            Self::EndpointGroup => {
                ["endpoint-groups", "endpoint_group", "endpoint_groups", "endpoint group", "vpn endpoint group"]
            }
            Self::SiteConnection => [
                "ipsec-site-connections",
                "ipsec_site_connection",
                "ipsec_site_connections",
                "IPsec site connection",
                "vpn ipsec site connection",
            ],
        }
    }

    /// The last part of the collection's path, below `/v2.0/vpn/`.
    pub const fn collection(self) -> &'static str {
        self.names()[0]
    }

    /// The JSON key around one object; also the name of its quota.
    pub const fn singular(self) -> &'static str {
        self.names()[1]
    }

    pub(crate) const fn plural(self) -> &'static str {
        self.names()[2]
    }

    /// The name as a person reads it in the middle of a sentence.
    pub const fn label(self) -> &'static str {
        self.names()[3]
    }

    /// The name on the command line of python-openstackclient.
    pub const fn client_name(self) -> &'static str {
        self.names()[4]
    }

    /// Whether its objects have that attribute, of those that are ever asked for.
    pub(super) fn may_have(self, attribute: &str) -> bool {
        match attribute {
            "router_id" => self == Self::VpnService,
            "ike_version" | "phase1_negotiation_mode" => self == Self::IkePolicy,
            "transform_protocol" | "encapsulation_mode" => self == Self::IpsecPolicy,
            "type" | "endpoints" => self == Self::EndpointGroup,
            "vpnservice_id" | "peer_address" => self == Self::SiteConnection,
            _ => true,
        }
    }
}

/// A VPN service in endpoint-group mode: `subnet_id` is left out, because it would make a legacy service for good.
#[derive(Clone, Debug, Serialize)]
pub struct VpnServiceBody<'a> {
    pub name: &'a str,
    pub description: &'a str,
    #[serde(rename = "router_id")]
    pub router: &'a Id,
}

/// A lifetime; the API knows no other unit than seconds, and nothing below 60.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "units", rename = "seconds")]
pub struct Seconds {
    pub value: u32,
}

/// An IKE policy. The algorithms are the API's own words (`sha256`, `aes-256`, `group14`).
#[derive(Clone, Debug, Serialize)]
pub struct IkePolicyBody<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub auth_algorithm: &'a str,
    pub encryption_algorithm: &'a str,
    /// `main` or `aggressive`; read by `IKEv1` only.
    pub phase1_negotiation_mode: &'a str,
    /// `v1` or `v2`.
    pub ike_version: &'a str,
    pub pfs: &'a str,
    pub lifetime: Seconds,
}

/// An IPsec policy. The algorithms are the API's own words.
#[derive(Clone, Debug, Serialize)]
pub struct IpsecPolicyBody<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// `esp`, `ah` or `ah-esp`.
    pub transform_protocol: &'a str,
    pub auth_algorithm: &'a str,
    pub encryption_algorithm: &'a str,
    /// `tunnel` or `transport`.
    pub encapsulation_mode: &'a str,
    pub pfs: &'a str,
    pub lifetime: Seconds,
}

/// An endpoint group: `subnet` with subnet ids for the local end, `cidr` with ranges for the peer's.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointGroupBody<'a> {
    /// At most 255 characters; not unique.
    pub name: &'a str,
    /// At most 255 characters.
    pub description: &'a str,
    /// `subnet` or `cidr`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// At least one, all different: before 2026.1 a repeated one hangs the request for minutes.
    pub endpoints: &'a [String],
}

/// Dead peer detection. `timeout` must be greater than `interval`, both in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DpdBody<'a> {
    /// `hold`, `clear` or `restart`; strongSwan drops a connection with any other.
    pub action: &'a str,
    /// Between two probes of an idle peer.
    pub interval: u32,
    /// Until a silent peer counts as dead; read by `IKEv1` only.
    pub timeout: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct SiteConnectionBody<'a> {
    /// At most 255 characters; not unique.
    pub name: &'a str,
    /// At most 255 characters.
    pub description: &'a str,
    /// The VPN service it hangs on; cannot be changed later.
    #[serde(rename = "vpnservice_id")]
    pub service: &'a Id,
    /// Cannot be changed later.
    #[serde(rename = "ikepolicy_id")]
    pub ike_policy: &'a Id,
    /// Cannot be changed later.
    #[serde(rename = "ipsecpolicy_id")]
    pub ipsec_policy: &'a Id,
    /// A group of type `subnet`.
    #[serde(rename = "local_ep_group_id")]
    pub local_group: &'a Id,
    /// A group of type `cidr`.
    #[serde(rename = "peer_ep_group_id")]
    pub peer_group: &'a Id,
    /// Where the peer is: the external address of the other half's VPN service.
    pub peer_address: &'a str,
    pub peer_id: &'a str,
    /// The pre-shared key; leaves its wrapper only here, on its way into the request.
    #[serde(serialize_with = "exposed")]
    pub psk: &'a SecretString,
    /// `bi-directional` or `response-only`.
    pub initiator: &'a str,
    /// In bytes; at least 68 for IPv4 and 1280 for IPv6 subnets.
    pub mtu: u32,
    pub dpd: DpdBody<'a>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes the field, which is a reference, by reference.
pub(super) fn exposed<S: Serializer>(secret: &&SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// A body with `admin_state_up`, where the kind has it.
#[derive(Serialize)]
pub(super) struct WithState<'a, T> {
    #[serde(flatten)]
    body: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_state_up: Option<bool>,
}

impl<'a, T> WithState<'a, T> {
    pub(super) fn of(kind: Kind, body: &'a T) -> Self {
        let has_state = matches!(kind, Kind::VpnService | Kind::SiteConnection);
        Self { body, admin_state_up: has_state.then_some(true) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_site_connection_is_sent_whole_and_its_key_shows_only_in_the_request() {
        let (a, b) = (Id::from("a"), Id::from("b"));
        let psk = SecretString::from("correcthorsebattery");
        let body = SiteConnectionBody {
            name: "n",
            description: "d",
            service: &a,
            ike_policy: &a,
            ipsec_policy: &a,
            local_group: &a,
            peer_group: &b,
            peer_address: "203.0.113.9",
            peer_id: "203.0.113.9",
            psk: &psk,
            initiator: "bi-directional",
            mtu: 1500,
            dpd: DpdBody { action: "restart", interval: 15, timeout: 150 },
        };
        assert_eq!(
            serde_json::to_value(WithState::of(Kind::SiteConnection, &body)).unwrap(),
            json!({
                "name": "n", "description": "d", "vpnservice_id": "a", "ikepolicy_id": "a", "ipsecpolicy_id": "a",
                "local_ep_group_id": "a", "peer_ep_group_id": "b", "peer_address": "203.0.113.9",
                "peer_id": "203.0.113.9", "psk": "correcthorsebattery", "initiator": "bi-directional", "mtu": 1500,
                "dpd": {"action": "restart", "interval": 15, "timeout": 150}, "admin_state_up": true,
            })
        );
        assert!(!format!("{body:?}").contains("battery"));
    }

    #[test]
    fn a_policy_is_sent_with_its_lifetime_in_seconds_and_without_an_admin_state() {
        let body = IkePolicyBody {
            name: "n",
            description: "d",
            auth_algorithm: "sha256",
            encryption_algorithm: "aes-256",
            phase1_negotiation_mode: "main",
            ike_version: "v2",
            pfs: "group14",
            lifetime: Seconds { value: 14400 },
        };
        assert_eq!(
            serde_json::to_value(WithState::of(Kind::IkePolicy, &body)).unwrap(),
            json!({
                "name": "n", "description": "d", "auth_algorithm": "sha256", "encryption_algorithm": "aes-256",
                "phase1_negotiation_mode": "main", "ike_version": "v2", "pfs": "group14",
                "lifetime": {"units": "seconds", "value": 14400},
            })
        );
    }
}
