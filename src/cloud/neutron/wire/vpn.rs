//! The VPN objects.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{Number, owned, present, text, wire};
use crate::cloud::inventory::{
    DeadPeerDetection, EndpointGroup, Id, Router, SiteConnection, Status, StoredPolicy, VpnService,
};
use crate::cloud::printable::Text;
use crate::cloud::vpnaas::{Formed, Marked};

wire! {
    WireService {
        id: Id, name: Option<Text>, description: Option<Text>, router_id: Id, subnet_id: Option<Id>,
        status: Option<Text>, admin_state_up: Option<bool>,
        #[serde(default, deserialize_with = "present")] external_v4_ip: Option<Option<Text>>,
        #[serde(default, deserialize_with = "present")] external_v6_ip: Option<Option<Text>>,
        project_id: Option<String>, tenant_id: Option<String>,
    }
    WireConnection {
        id: Id, name: Option<Text>, description: Option<Text>, status: Option<Text>, vpnservice_id: Id,
        ikepolicy_id: Id, ipsecpolicy_id: Id, peer_address: Option<Text>, peer_id: Option<Text>,
        local_ep_group_id: Option<Id>, peer_ep_group_id: Option<Id>, peer_cidrs: Option<Vec<Text>>,
        admin_state_up: Option<bool>, local_id: Option<Text>, initiator: Option<Text>, mtu: Option<Number>,
        dpd: Option<WireDpd>, project_id: Option<String>, tenant_id: Option<String>,
    }
    WireDpd { action: Option<Text>, interval: Option<Number>, timeout: Option<Number> }
    WireGroup {
        id: Id, name: Option<Text>, description: Option<Text>, kind as "type": Option<Text>,
        endpoints: Option<Vec<Text>>, project_id: Option<String>, tenant_id: Option<String>,
    }
    WirePolicy {
        id: Id, name: Option<Text>, description: Option<Text>, ike_version: Option<Text>,
        phase1_negotiation_mode: Option<Text>, transform_protocol: Option<Text>, encapsulation_mode: Option<Text>,
        auth_algorithm: Option<Text>, encryption_algorithm: Option<Text>, pfs: Option<Text>,
        lifetime: Option<WireLifetime>, project_id: Option<String>, tenant_id: Option<String>,
    }
    WireLifetime { value: Option<Number> }
    WireMarked {
        id: Id, name: Option<Text>, description: Option<Text>, project_id: Option<String>, tenant_id: Option<String>,
        kind as "type": Option<Text>,
    }
    WireFormed {
        id: Id, name: Option<Text>, description: Option<Text>, project_id: Option<String>, tenant_id: Option<String>,
        kind as "type": Option<Text>, router_id: Option<Id>, vpnservice_id: Option<Id>, peer_address: Option<Text>,
        endpoints: Option<Vec<Text>>,
    }
}
owned!(WireService, WireConnection, WireGroup, WirePolicy, WireMarked, WireFormed);

impl WireService {
    /// Whether the cloud is new enough to tell a service's address, if it has one.
    pub(crate) fn tells_address(&self) -> bool {
        self.external_v4_ip.is_some() || self.external_v6_ip.is_some()
    }

    /// A cloud too old to tell a service's address has it on the service's router.
    pub(crate) fn into_service_on(self, routers: &[Router]) -> VpnService {
        let is_told = self.tells_address();
        let service = self.into_service();
        match routers.iter().find(|router| router.id == service.router).filter(|_| !is_told) {
            Some(router) => VpnService {
                external_v4: router.external_v4.first().copied(),
                external_v6: router.external_v6.first().copied(),
                ..service
            },
            None => service,
        }
    }

    pub(crate) fn into_service(self) -> VpnService {
        VpnService {
            id: self.id,
            name: text(self.name),
            description: text(self.description),
            router: self.router_id,
            legacy_subnet: self.subnet_id,
            status: Status::parse(&text(self.status)),
            admin_state_up: self.admin_state_up.unwrap_or(true),
            external_v4: self.external_v4_ip.flatten().and_then(|text| text.0.parse().ok()),
            external_v6: self.external_v6_ip.flatten().and_then(|text| text.0.parse().ok()),
        }
    }
}

impl WireConnection {
    pub(crate) fn into_connection(self) -> SiteConnection {
        let number = |number: Option<Number>| number.unwrap_or_default().0;
        let cidrs = self.peer_cidrs.unwrap_or_default();
        let dpd = self.dpd.map(|dpd| DeadPeerDetection {
            action: text(dpd.action),
            interval: number(dpd.interval),
            timeout: number(dpd.timeout),
        });
        SiteConnection {
            id: self.id,
            name: text(self.name),
            description: text(self.description),
            status: Status::parse(&text(self.status)),
            service: self.vpnservice_id,
            ike_policy: self.ikepolicy_id,
            ipsec_policy: self.ipsecpolicy_id,
            peer_address: text(self.peer_address),
            peer_id: text(self.peer_id),
            local_group: self.local_ep_group_id,
            peer_group: self.peer_ep_group_id,
            peer_cidrs: cidrs.iter().filter_map(|text| text.0.parse::<IpNet>().ok()).map(|net| net.trunc()).collect(),
            admin_state_up: self.admin_state_up.unwrap_or(true),
            local_id: text(self.local_id),
            initiator: text(self.initiator),
            mtu: number(self.mtu),
            dpd: dpd.unwrap_or_default(),
        }
    }
}

impl WireGroup {
    pub(crate) fn into_group(self) -> EndpointGroup {
        EndpointGroup {
            id: self.id,
            name: text(self.name),
            description: text(self.description),
            kind: text(self.kind),
            endpoints: self.endpoints.unwrap_or_default().into_iter().map(String::from).collect(),
        }
    }
}

impl WirePolicy {
    pub(crate) fn into_policy(self) -> StoredPolicy {
        let lifetime = self.lifetime.and_then(|lifetime| lifetime.value);
        let words = [
            ("ike_version", self.ike_version),
            ("phase1_negotiation_mode", self.phase1_negotiation_mode),
            ("transform_protocol", self.transform_protocol),
            ("encapsulation_mode", self.encapsulation_mode),
            ("auth_algorithm", self.auth_algorithm),
            ("encryption_algorithm", self.encryption_algorithm),
            ("pfs", self.pfs),
            ("lifetime", lifetime.map(|seconds| Text(seconds.0.to_string()))),
        ];
        StoredPolicy {
            id: self.id,
            name: text(self.name),
            description: text(self.description),
            attributes: words.into_iter().filter_map(|(name, word)| Some((name, word?.0))).collect(),
        }
    }
}

impl WireMarked {
    pub(crate) fn into_marked(self) -> Marked {
        Marked {
            id: self.id,
            name: text(self.name),
            description: text(self.description),
            endpoints: self.kind.map(String::from),
        }
    }
}

impl WireFormed {
    pub(crate) fn into_formed(self) -> Formed {
        let members: BTreeSet<String> = self.endpoints.unwrap_or_default().into_iter().map(String::from).collect();
        let object = Marked {
            id: self.id,
            name: text(self.name),
            description: text(self.description),
            endpoints: self.kind.map(String::from),
        };
        let (router, service, peer_address) = (self.router_id, self.vpnservice_id, self.peer_address.map(String::from));
        Formed { object, router, service, peer_address, members }
    }
}
