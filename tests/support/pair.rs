//! A VPN of two halves as it would be read, for screens and reports.

use std::collections::BTreeMap;

use osvpn::cloud::exposure::{Exposure, InstancePort, RuleDirection, SecurityGroup, SecurityGroupRule};
use osvpn::cloud::{EndpointGroup, Id, RegionId, SiteConnection, Status, StoredPolicy, Survey};
use osvpn::inspect::Exposures;
use osvpn::inspect::{Examined, Inspection, Keys};

use super::inventories::{hamilton, hamilton_inventory, porirua, porirua_inventory, service};

fn policy(id: &str, words: &[(&'static str, &str)]) -> StoredPolicy {
    let attributes = words.iter().map(|(name, word)| (*name, (*word).to_owned())).collect();
    StoredPolicy { id: Id::new(id), name: id.into(), description: String::new(), attributes }
}

fn group(id: &str, kind: &str, endpoint: &str) -> EndpointGroup {
    let (id, name) = (Id::new(id), id.to_owned());
    EndpointGroup { id, name, description: String::new(), kind: kind.into(), endpoints: vec![endpoint.into()] }
}

/// One half: its region's survey with the objects of the half in it.
fn half(letter: &str, router: &str, address: &str, peer: &str, local: &str, remote: &str, status: Status) -> Survey {
    let mut inventory = if letter == "A" { hamilton_inventory() } else { porirua_inventory() };
    let mut own = service(&format!("s-{letter}"), router, None);
    own.external_v4 = Some(address.parse().unwrap());
    inventory.services.push(own);
    let mut router = inventory.routers.iter_mut().find(|found| found.id.as_str() == router).unwrap().clone();
    router.external_v4 = vec![address.parse().unwrap()];
    inventory.routers.retain(|other| other.id != router.id);
    inventory.routers.push(router);
    inventory.connections = vec![SiteConnection {
        id: Id::new(format!("c-{letter}")),
        name: "hlz-por_vpn_site_connection".into(),
        description: format!("osvpn:7a1f214e:{letter}"),
        status,
        service: Id::new(format!("s-{letter}")),
        ike_policy: Id::new("ike"),
        ipsec_policy: Id::new("ipsec"),
        peer_address: peer.into(),
        peer_id: peer.into(),
        local_group: Some(Id::new("local")),
        peer_group: Some(Id::new("peer")),
        ..hamilton_inventory().connections.remove(0)
    }];
    Survey {
        inventory,
        groups: vec![group("local", "subnet", local), group("peer", "cidr", remote)],
        ike_policies: vec![policy(
            "ike",
            &[
                ("ike_version", "v2"),
                ("phase1_negotiation_mode", "main"),
                ("auth_algorithm", "sha256"),
                ("encryption_algorithm", "aes-256"),
                ("pfs", "group14"),
                ("lifetime", "14400"),
            ],
        )],
        ipsec_policies: vec![policy(
            "ipsec",
            &[
                ("transform_protocol", "esp"),
                ("encapsulation_mode", "tunnel"),
                ("auth_algorithm", "sha256"),
                ("encryption_algorithm", "aes-256"),
                ("pfs", "group14"),
                ("lifetime", "3600"),
            ],
        )],
    }
}

/// Both regions, with one VPN between them that is whole but for what `change` does to it.
pub fn surveys(statuses: [Status; 2], change: impl FnOnce(&mut Survey, &mut Survey)) -> BTreeMap<RegionId, Survey> {
    let [status_a, status_b] = statuses;
    let (ends, ranges) = (("103.197.61.75", "150.242.40.137"), ("10.0.0.0/24", "10.20.30.0/24"));
    let mut a = half("A", "h-border", ends.0, ends.1, "h-private", ranges.1, status_a);
    let mut b = half("B", "p-border", ends.1, ends.0, "p-private", ranges.0, status_b);
    change(&mut a, &mut b);
    [(hamilton(), a), (porirua(), b)].into()
}

/// That VPN examined, its keys being equal.
pub fn examined(statuses: [Status; 2], change: impl FnOnce(&mut Survey, &mut Survey)) -> Examined {
    let seen = Inspection::of(surveys(statuses, change), Vec::new());
    let vpn = seen.vpns[0].clone();
    let keys = Keys::Read { equal: Some(true), weakness: None, rivals: Vec::new() };
    let diagnosis = seen.diagnose(&vpn, &keys, &exposures());
    Examined { vpn, diagnosis }
}

/// One instance on each side. In Hamilton its security group admits only its own members, in Porirua everything.
fn exposures() -> Exposures {
    let rule = |direction, is_of_members| SecurityGroupRule {
        id: Id::new("rule"),
        group: Id::new("2d7e4c10-default"),
        group_name: None,
        description: String::new(),
        direction,
        is_v4: true,
        protocol: None,
        ports: None,
        remote: None,
        is_of_members,
    };
    let seen = |subnet: &str, address: &str, is_of_members| {
        let port = InstancePort {
            id: Id::new("port"),
            name: "web-1".into(),
            addresses: vec![(Id::new(subnet), address.parse().unwrap())],
            groups: vec![Id::new("2d7e4c10-default")],
            is_secured: true,
        };
        let group = SecurityGroup { id: Id::new("2d7e4c10-default"), name: "default".into() };
        let rules = vec![rule(RuleDirection::Ingress, is_of_members), rule(RuleDirection::Egress, false)];
        Exposure { subnets: [Id::new(subnet)].into(), ports: vec![port], groups: vec![group], rules }
    };
    [(hamilton(), Ok(seen("h-private", "10.0.0.23", true))), (porirua(), Ok(seen("p-private", "10.20.30.11", false)))]
        .into()
}

/// With another PFS group in half B's IPsec policy.
pub fn other_pfs(_: &mut Survey, b: &mut Survey) {
    for (name, word) in &mut b.ipsec_policies[0].attributes {
        if *name == "pfs" {
            "group5".clone_into(word);
        }
    }
}
