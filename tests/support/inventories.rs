//! Two regions as discovery would read them, with awkward things in each.

use std::collections::HashMap;

use osvpn::cloud::{
    DeadPeerDetection, Detail, EndpointGroup, Extensions, Id, Interface, Inventory, Quota, RegionId, Router,
    SiteConnection, Status, Subnet, VpnService,
};

pub fn hamilton() -> RegionId {
    RegionId::new("nz-hlz-1")
}

pub fn porirua() -> RegionId {
    RegionId::new("nz-por-1")
}

/// Extensions of a release that stores SHA-1 (2026.1).
pub fn old_release() -> Extensions {
    Extensions::new(["vpnaas", "vpn-endpoint-groups", "vpn-aes-ctr", "router", "quotas"])
}

/// Extensions of a release that does not (2026.2).
pub fn new_release() -> Extensions {
    Extensions::new(["vpnaas", "vpn-endpoint-groups", "vpn-aes-ctr", "router", "quotas", "filter-validation"])
}

/// A router with a gateway, standing on those subnets at their first address.
pub fn router(id: &str, name: &str, v4: &[&str], subnets: &[&Subnet]) -> Router {
    Router {
        id: Id::new(id),
        name: name.into(),
        status: Status::Active,
        admin_state_up: true,
        external_network: Some(Id::new("public-net")),
        external_v4: v4.iter().map(|address| address.parse().unwrap()).collect(),
        external_v6: vec![],
        interfaces: Some(
            subnets
                .iter()
                .map(|subnet| Interface { subnet: subnet.id.clone(), address: subnet.gateway.unwrap() })
                .collect(),
        ),
    }
}

/// A third region, which has everything.
pub fn auckland(extensions: Extensions) -> (RegionId, Inventory) {
    let private = subnet("a-private", "private-subnet", "10.50.0.0/24");
    let routers = vec![router("a-border", "border-router", &["150.242.41.7"], &[&private])];
    let inventory = Inventory { extensions, routers, subnets: vec![private], ..Inventory::default() };
    (RegionId::new("nz-akl-1"), inventory)
}

pub fn subnet(id: &str, name: &str, cidr: &str) -> Subnet {
    let cidr: ipnet::IpNet = cidr.parse().unwrap();
    Subnet {
        id: Id::new(id),
        name: name.into(),
        network: Id::new(format!("net-{id}")),
        cidr,
        gateway: cidr.hosts().next(),
    }
}

pub fn service(id: &str, router: &str, legacy: Option<&str>) -> VpnService {
    VpnService {
        id: Id::new(id),
        name: "vpn_service".into(),
        description: String::new(),
        router: Id::new(router),
        legacy_subnet: legacy.map(Id::new),
        status: Status::Active,
        admin_state_up: true,
        external_v4: Some("103.197.61.99".parse().unwrap()),
        external_v6: None,
    }
}

/// Hamilton: `border-router` with two subnets, one without a gateway, one with a legacy service, one with a service to
/// reuse whose connection tunnels 10.8.0.0/24 to 192.168.50.0/24, and a subnet on no router.
pub fn hamilton_inventory() -> Inventory {
    let private = subnet("h-private", "private-subnet", "10.0.0.0/24");
    let db = subnet("h-db", "db-subnet", "10.0.1.0/24");
    let old = subnet("h-old", "old-subnet", "10.9.0.0/24");
    let shared = subnet("h-shared", "shared-subnet", "10.8.0.0/24");
    let lonely = subnet("h-lonely", "lonely-subnet", "172.20.0.0/24");
    let six = subnet("h-six", "v6-subnet", "fd00:10::/64");
    let mut isolated = router("h-isolated", "isolated-router", &[], &[]);
    isolated.external_network = None;
    let mut routers = vec![
        router("h-border", "border-router", &["103.197.61.75"], &[&private, &db, &six]),
        isolated,
        router("h-legacy", "legacy-router", &["103.197.61.76"], &[&old]),
        router("h-used", "used-router", &["103.197.61.77"], &[&shared]),
    ];
    routers.sort_by(|a, b| a.name.cmp(&b.name));
    let mut subnets = vec![private, db, old, shared, lonely, six];
    subnets.sort_by(|a, b| a.name.cmp(&b.name));
    Inventory {
        extensions: old_release(),
        routers,
        subnets,
        foreign: vec![],
        unfit: vec![],
        services: vec![service("s-legacy", "h-legacy", Some("h-old")), service("s-used", "h-used", None)],
        connections: vec![SiteConnection {
            id: Id::new("c-used"),
            name: "office_vpn_site_connection".into(),
            description: String::new(),
            status: Status::Active,
            service: Id::new("s-used"),
            ike_policy: Id::new("k"),
            ipsec_policy: Id::new("p"),
            peer_address: "203.0.113.50".into(),
            peer_id: "203.0.113.50".into(),
            local_group: Some(Id::new("g-local")),
            peer_group: Some(Id::new("g-peer")),
            peer_cidrs: vec![],
            admin_state_up: true,
            local_id: String::new(),
            initiator: "bi-directional".into(),
            mtu: 1500,
            dpd: DeadPeerDetection { action: "restart".into(), interval: 15, timeout: 150 },
        }],
    }
}

fn public_net() -> HashMap<Id, String> {
    [(Id::new("public-net"), "public-net".to_owned())].into()
}

pub fn hamilton_detail() -> Detail {
    Detail {
        networks: public_net(),
        groups: [("g-local", "subnet", "h-shared"), ("g-peer", "cidr", "192.168.50.0/24")]
            .map(|(id, kind, endpoint)| EndpointGroup {
                id: Id::new(id),
                name: format!("office_{id}"),
                description: String::new(),
                kind: kind.into(),
                endpoints: vec![endpoint.into()],
            })
            .into(),
        quotas: [("vpnservice".to_owned(), Quota { limit: Some(10), used: 2 })].into(),
    }
}

/// Porirua: `border-router`, and two routers of one name, one of them with Hamilton's range.
pub fn porirua_inventory() -> Inventory {
    let private = subnet("p-private", "private-subnet", "10.20.30.0/24");
    let same = subnet("p-same", "same-subnet", "10.0.0.0/24");
    let apps = subnet("p-apps", "apps-subnet", "10.20.31.0/24");
    let mut subnets = vec![private.clone(), same.clone(), apps.clone()];
    subnets.sort_by(|a, b| a.name.cmp(&b.name));
    Inventory {
        extensions: old_release(),
        routers: vec![
            router("p-border", "border-router", &["150.242.40.137"], &[&private]),
            router("p-twin-1", "twin-router", &["150.242.40.138"], &[&same]),
            router("p-twin-2", "twin-router", &["150.242.40.139", "150.242.40.140"], &[&apps]),
        ],
        subnets,
        foreign: vec![],
        services: vec![],
        connections: vec![],
        unfit: vec![],
    }
}

pub fn porirua_detail() -> Detail {
    Detail { networks: public_net(), ..Detail::default() }
}
