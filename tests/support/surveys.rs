//! What all regions are read as: a VPN between the border routers, one to an external peer, and what nobody uses.

use std::collections::BTreeMap;

use osvpn::cloud::{
    DeadPeerDetection, EndpointGroup, Error, Id, Inventory, RegionId, SiteConnection, Status, StoredPolicy, Survey,
    VpnService,
};
use osvpn::inspect::{Inspection, Keys};
use osvpn::plan::{Half, VpnId};
use osvpn::wizard::Overview;

use super::inventories::{hamilton, hamilton_detail, hamilton_inventory, porirua, porirua_inventory};

/// The VPN of [`regions`], by the id in its marks.
pub const HLZ_POR: &str = "7a1f214e";

fn mark(half: Half) -> String {
    VpnId::new(HLZ_POR).mark(half)
}

fn service(half: Half, router: &str, address: &str) -> VpnService {
    VpnService {
        id: Id::new(format!("service-{half}")),
        name: "hlz-por_vpn_service".to_owned(),
        description: mark(half),
        router: Id::new(router),
        legacy_subnet: None,
        status: Status::Active,
        admin_state_up: true,
        external_v4: Some(address.parse().unwrap()),
        external_v6: None,
    }
}

fn connection(half: Half, peer: &str, status: Status) -> SiteConnection {
    SiteConnection {
        id: Id::new(format!("connection-{half}")),
        name: "hlz-por_vpn_site_connection".to_owned(),
        description: mark(half),
        status,
        service: Id::new(format!("service-{half}")),
        ike_policy: Id::new(format!("ike-{half}")),
        ipsec_policy: Id::new(format!("ipsec-{half}")),
        peer_address: peer.to_owned(),
        peer_id: peer.to_owned(),
        local_group: Some(Id::new(format!("local-{half}"))),
        peer_group: Some(Id::new(format!("peer-{half}"))),
        peer_cidrs: Vec::new(),
        admin_state_up: true,
        local_id: String::new(),
        initiator: "bi-directional".to_owned(),
        mtu: 1500,
        dpd: DeadPeerDetection { action: "restart".to_owned(), interval: 15, timeout: 150 },
    }
}

fn group(half: Half, side: &str, kind: &str, endpoint: &str) -> EndpointGroup {
    EndpointGroup {
        id: Id::new(format!("{side}-{half}")),
        name: format!("hlz-por_{side}_endpoint_group"),
        description: mark(half),
        kind: kind.to_owned(),
        endpoints: vec![endpoint.to_owned()],
    }
}

fn policy(id: String, description: String, attributes: &[(&'static str, &str)]) -> StoredPolicy {
    let attributes = attributes.iter().map(|(name, word)| (*name, (*word).to_owned())).collect();
    StoredPolicy { name: format!("hlz-por_{id}"), id: Id::new(id), description, attributes }
}

fn survey(half: Half, mut inventory: Inventory, pfs: &str, local: &str, remote: &str) -> Survey {
    inventory.services.sort_by(|a, b| a.name.cmp(&b.name));
    let ike = [
        ("ike_version", "v2"),
        ("phase1_negotiation_mode", "main"),
        ("auth_algorithm", "sha256"),
        ("encryption_algorithm", "aes-256"),
        ("pfs", "group14"),
        ("lifetime", "14400"),
    ];
    let ipsec = [
        ("transform_protocol", "esp"),
        ("encapsulation_mode", "tunnel"),
        ("auth_algorithm", "sha256"),
        ("encryption_algorithm", "aes-256"),
        ("pfs", pfs),
        ("lifetime", "3600"),
    ];
    Survey {
        inventory,
        groups: vec![group(half, "local", "subnet", local), group(half, "peer", "cidr", remote)],
        ike_policies: vec![policy(format!("ike-{half}"), mark(half), &ike)],
        ipsec_policies: vec![policy(format!("ipsec-{half}"), mark(half), &ipsec)],
    }
}

/// Both regions, with those statuses of the connections and that PFS group in Porirua; Hamilton's is group14.
pub fn regions(a: Status, b: Status, pfs: &str) -> BTreeMap<RegionId, Survey> {
    let (mut first, mut second) = (hamilton_inventory(), porirua_inventory());
    first.services.push(service(Half::A, "h-border", "103.197.61.75"));
    first.connections.push(connection(Half::A, "150.242.40.137", a));
    second.services.push(service(Half::B, "p-border", "150.242.40.137"));
    second.connections.push(connection(Half::B, "103.197.61.75", b));
    let mut first = survey(Half::A, first, "group14", "h-private", "10.20.30.0/24");
    first.groups.extend(hamilton_detail().groups);
    let second = survey(Half::B, second, pfs, "p-private", "10.0.0.0/24");
    [(hamilton(), first), (porirua(), second)].into()
}

pub fn seen(regions: BTreeMap<RegionId, Survey>, unread: Vec<(RegionId, Error)>) -> Box<Overview> {
    Box::new(Overview { inspection: Inspection::of(regions, unread), ..Overview::default() })
}

/// Both halves ACTIVE and equal.
pub fn healthy() -> Box<Overview> {
    seen(regions(Status::Active, Status::Active, "group14"), Vec::new())
}

/// The VPNs of [`healthy`] and one more between the same routers, with identities, and so a key, of its own.
pub fn two_pairs() -> Box<Overview> {
    let mut regions = regions(Status::Active, Status::Active, "group14");
    for (half, region) in [(Half::A, hamilton()), (Half::B, porirua())] {
        let connections = &mut regions.get_mut(&region).unwrap().inventory.connections;
        let mut second = connections.iter().find(|connection| connection.description == mark(half)).unwrap().clone();
        second.id = Id::new(format!("second-{half}"));
        second.name = "second_vpn_site_connection".into();
        second.description = VpnId::new("5ec0ff1d").mark(half);
        let name = |half: Half| format!("{half}.second.example");
        (second.local_id, second.peer_id) = (name(half), name(half.other()));
        connections.push(second);
    }
    seen(regions, Vec::new())
}

/// Both halves DOWN, with policies that differ.
pub fn broken() -> Box<Overview> {
    seen(regions(Status::Down, Status::Down, "group5"), Vec::new())
}

/// The VPN between the border routers as the script makes it.
pub fn legacy() -> Box<Overview> {
    let mut regions = regions(Status::Active, Status::Active, "group14");
    for (region, subnet, remote) in
        [(hamilton(), "h-private", "10.20.30.0/24"), (porirua(), "p-private", "10.0.0.0/24")]
    {
        let survey = regions.get_mut(&region).unwrap();
        let is_ours = |description: &str| description.starts_with("osvpn:");
        for service in survey.inventory.services.iter_mut().filter(|one| is_ours(&one.description)) {
            (service.legacy_subnet, service.description) = (Some(Id::new(subnet)), String::new());
        }
        for one in survey.inventory.connections.iter_mut().filter(|one| is_ours(&one.description)) {
            (one.local_group, one.peer_group, one.description) = (None, None, String::new());
            one.peer_cidrs = vec![remote.parse().unwrap()];
        }
        survey.groups.retain(|group| !is_ours(&group.description));
        for policy in &mut survey.ike_policies {
            policy.attributes.iter_mut().filter(|(name, _)| *name == "ike_version").for_each(|one| one.1 = "v1".into());
        }
    }
    seen(regions, Vec::new())
}

/// Nothing but routers and subnets.
pub fn empty() -> Box<Overview> {
    let bare = |inventory: Inventory| {
        let inventory = Inventory { services: Vec::new(), connections: Vec::new(), ..inventory };
        Survey { inventory, ..Survey::default() }
    };
    let regions = [(hamilton(), bare(hamilton_inventory())), (porirua(), bare(porirua_inventory()))];
    seen(regions.into(), Vec::new())
}

pub fn equal_keys() -> Keys {
    Keys::Read { equal: Some(true), weakness: None, rivals: Vec::new() }
}
