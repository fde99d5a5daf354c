//! Connections as a test draws them, each with a service, endpoint groups and policies of its own, and what regions with
//! them would show.

use std::collections::BTreeMap;

use osvpn::cloud::{
    DeadPeerDetection, EndpointGroup, Extensions, Id, Interface, Interfaces, RegionId, Router, SiteConnection, Status,
    StoredPolicy, Subnet, Survey, VpnService,
};
use osvpn::plan::{Half, VpnId};

pub const HLZ: &str = "nz-hlz-1";
pub const POR: &str = "nz-por-1";
pub const WLG: &str = "nz-wlg-2";

/// One connection, or what would be of it without one.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub id: &'static str,
    pub name: &'static str,
    pub region: &'static str,
    pub router: &'static str,
    pub address: &'static str,
    pub peer: &'static str,
    pub local: &'static [&'static str],
    pub remote: &'static [&'static str],
    pub mark: Option<(&'static str, Half)>,
    pub status: Status,
    pub is_legacy: bool,
    pub is_connected: bool,
    pub has_service: bool,
    /// Whose endpoint groups it uses, if not its own.
    pub groups_of: Option<&'static str>,
}

/// A connection on a router of that outside address.
pub fn drawn(id: &'static str, region: &'static str, router: &'static str, address: &'static str) -> Drawn {
    Drawn {
        id,
        name: "hlz-por_vpn_site_connection",
        region,
        router,
        address,
        peer: "198.51.100.1",
        local: &["10.0.0.0/24"],
        remote: &["192.168.0.0/24"],
        mark: None,
        status: Status::Active,
        is_legacy: false,
        is_connected: true,
        has_service: true,
        groups_of: None,
    }
}

impl Drawn {
    pub fn to(self, peer: &'static str) -> Self {
        Self { peer, ..self }
    }

    pub fn tunnels(self, local: &'static [&'static str], remote: &'static [&'static str]) -> Self {
        Self { local, remote, ..self }
    }

    pub fn marked(self, id: &'static str, half: Half) -> Self {
        Self { mark: Some((id, half)), ..self }
    }

    pub fn down(self) -> Self {
        Self { status: Status::Down, ..self }
    }

    pub fn legacy(self) -> Self {
        Self { is_legacy: true, ..self }
    }

    /// Everything but the connection.
    pub fn unconnected(self) -> Self {
        Self { is_connected: false, ..self }
    }

    /// Nothing but the router.
    pub fn without_service(self) -> Self {
        Self { is_connected: false, has_service: false, ..self }
    }

    fn named(&self, part: &str) -> Id {
        Id::new(format!("{}-{part}", self.id))
    }
}

/// What the regions show.
pub fn surveys(all: &[Drawn]) -> BTreeMap<RegionId, Survey> {
    let mut surveys: BTreeMap<RegionId, Survey> = BTreeMap::new();
    for one in all {
        let survey = surveys.entry(RegionId::new(one.region)).or_default();
        survey.inventory.extensions = Extensions::new(["vpnaas", "vpn-endpoint-groups", "vpn-aes-ctr", "router"]);
        add(survey, one);
    }
    surveys
}

fn add(survey: &mut Survey, one: &Drawn) {
    let inventory = &mut survey.inventory;
    let mut subnets = Vec::new();
    for range in one.local {
        let id = Id::new(format!("{}-{range}", one.region));
        subnets.push(id.clone());
        if inventory.subnet(&id).is_none() {
            let cidr: ipnet::IpNet = range.parse().unwrap();
            let (name, network) = ((*range).to_owned(), Id::new(format!("net-{range}")));
            inventory.subnets.push(Subnet { id, name, network, cidr, gateway: cidr.hosts().next() });
        }
    }
    if inventory.router(&Id::new(one.router)).is_none() {
        inventory.routers.push(router(one));
    }
    for subnet in &subnets {
        let address = inventory.subnet(subnet).and_then(|subnet| subnet.gateway).unwrap();
        let router = inventory.routers.iter_mut().find(|router| router.id.as_str() == one.router).unwrap();
        if router.serves(subnet) != Some(true) {
            let others = router.interfaces.iter().flat_map(Interfaces::iter).cloned();
            let own = Interface { subnet: subnet.clone(), address };
            router.interfaces = Some(others.chain([own]).collect());
        }
    }
    let description = one.mark.map_or_else(String::new, |(id, half)| VpnId::new(id).mark(half));
    if !one.has_service {
        return;
    }
    inventory.services.push(VpnService {
        id: one.named("service"),
        name: "hlz-por_vpn_service".to_owned(),
        description: description.clone(),
        router: Id::new(one.router),
        legacy_subnet: subnets.first().filter(|_| one.is_legacy).cloned(),
        status: Status::Active,
        admin_state_up: true,
        external_v4: Some(one.address.parse().unwrap()),
        external_v6: None,
    });
    if !one.is_legacy && one.groups_of.is_none() {
        let mut group = |part: &str, kind: &str, endpoints: Vec<String>| {
            let name = format!("hlz-por_{part}_endpoint_group");
            let (id, kind, description) = (one.named(part), kind.into(), description.clone());
            survey.groups.push(EndpointGroup { id, name, description, kind, endpoints });
        };
        group("local", "subnet", subnets.iter().map(ToString::to_string).collect());
        group("peer", "cidr", one.remote.iter().map(|range| (*range).to_owned()).collect());
    }
    survey.ike_policies.push(policy(one, "ike", &description));
    survey.ipsec_policies.push(policy(one, "ipsec", &description));
    if one.is_connected {
        survey.inventory.connections.push(connection(one, description));
    }
}

fn router(one: &Drawn) -> Router {
    Router {
        id: Id::new(one.router),
        name: one.router.to_owned(),
        status: Status::Active,
        admin_state_up: true,
        external_network: Some(Id::new("public-net")),
        external_v4: vec![one.address.parse().unwrap()],
        external_v6: Vec::new(),
        interfaces: Some(Interfaces::default()),
    }
}

fn policy(one: &Drawn, part: &str, description: &str) -> StoredPolicy {
    let ike = [("ike_version", "v2"), ("phase1_negotiation_mode", "main")];
    let ipsec = [("transform_protocol", "esp"), ("encapsulation_mode", "tunnel")];
    let common =
        [("auth_algorithm", "sha256"), ("encryption_algorithm", "aes-256"), ("pfs", "group14"), ("lifetime", "3600")];
    let own = if part == "ike" { ike } else { ipsec };
    StoredPolicy {
        id: one.named(part),
        name: format!("hlz-por_{part}_policy"),
        description: description.to_owned(),
        attributes: own.into_iter().chain(common).map(|(name, word)| (name, word.to_owned())).collect(),
    }
}

fn connection(one: &Drawn, description: String) -> SiteConnection {
    let group = |part: &str| {
        let owner = one.groups_of.unwrap_or(one.id);
        (!one.is_legacy).then(|| Id::new(format!("{owner}-{part}")))
    };
    let ranges = one.remote.iter().map(|range| range.parse().unwrap());
    SiteConnection {
        id: Id::new(one.id),
        name: one.name.to_owned(),
        description,
        status: one.status.clone(),
        service: one.named("service"),
        ike_policy: one.named("ike"),
        ipsec_policy: one.named("ipsec"),
        peer_address: one.peer.to_owned(),
        peer_id: one.peer.to_owned(),
        local_group: group("local"),
        peer_group: group("peer"),
        peer_cidrs: if one.is_legacy { ranges.collect() } else { Vec::new() },
        admin_state_up: true,
        local_id: String::new(),
        initiator: "bi-directional".to_owned(),
        mtu: 1500,
        dpd: DeadPeerDetection { action: "restart".to_owned(), interval: 15, timeout: 150 },
    }
}
