//! Networks, subnets and ports, put into a region without asking its API, which here only reads them.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde_json::{Value, json};

use super::object::{Collection, StoredObject};
use super::world::World;

/// Adds an object with the attributes every Neutron object has, and returns its id.
pub(super) fn object(world: &mut World, at: usize, kind: Collection, project: &str, attributes: &Value) -> String {
    let (id, time) = (world.uuid(), world.neutron_time());
    let common = json!({"id": id, "project_id": project, "tenant_id": project, "description": "", "tags": [],
        "created_at": time, "updated_at": time, "revision_number": 1});
    let mut object = StoredObject::new();
    for part in [&common, attributes] {
        object.extend(part.as_object().cloned().unwrap_or_default());
    }
    world.regions[at].insert(kind, object);
    id
}

pub(super) fn network(world: &mut World, at: usize, name: &str, project: &str, external: bool) -> String {
    object(
        world,
        at,
        Collection::Network,
        project,
        &json!({
            "name": name, "admin_state_up": true, "mtu": 1500, "status": "ACTIVE", "subnets": [], "shared": false,
            "router:external": external, "port_security_enabled": true, "availability_zones": [],
            "availability_zone_hints": [], "ipv4_address_scope": null, "ipv6_address_scope": null,
            "vlan_transparent": false, "qinq": false,
        }),
    )
}

pub(super) fn subnet(world: &mut World, at: usize, name: &str, project: &str, network: &str, cidr: IpNet) -> String {
    let external =
        world.regions[at].get(Collection::Network, network).and_then(|network| network.get("router:external")).cloned();
    let id = object(
        world,
        at,
        Collection::Subnet,
        project,
        &json!({
            "name": name, "network_id": network, "ip_version": if cidr.network().is_ipv4() { 4 } else { 6 },
            "cidr": cidr.trunc().to_string(), "gateway_ip": first_address(cidr).to_string(), "enable_dhcp": external != Some(json!(true)),
            "allocation_pools": pools(cidr), "host_routes": [], "dns_nameservers": [], "service_types": [], "subnetpool_id": null,
            "ipv6_ra_mode": null, "ipv6_address_mode": null, "router:external": external,
        }),
    );
    if let Some(list) =
        world.regions[at].get_mut(Collection::Network, network).and_then(|network| network["subnets"].as_array_mut())
    {
        list.push(Value::from(id.as_str()));
    }
    id
}

/// The addresses of a subnet that are given out: all but the gateway's, which is the first, and of IPv4 the last, which
/// is everybody's.
fn pools(cidr: IpNet) -> Value {
    let (first, last) = match cidr {
        IpNet::V4(net) => {
            let bits = |address: Ipv4Addr| u32::from(address);
            let (first, last) = (bits(net.network()).saturating_add(2), bits(net.broadcast()).saturating_sub(1));
            (Ipv4Addr::from(first).to_string(), Ipv4Addr::from(last).to_string())
        }
        IpNet::V6(net) => {
            let first = Ipv6Addr::from(u128::from(net.network()).saturating_add(1));
            (first.to_string(), net.broadcast().to_string())
        }
    };
    json!([{"start": first, "end": last}])
}

/// Adds a router's foot in a network.
pub(super) fn port(
    world: &mut World,
    at: usize,
    project: &str,
    network: &str,
    router: &str,
    ips: &[(String, IpAddr)],
) -> String {
    let own = json!({"device_id": router, "device_owner": "network:router_interface"});
    any_port(world, at, project, network, ips, &own)
}

/// Adds a port with no security groups, but for what its own attributes say.
pub(super) fn any_port(
    world: &mut World,
    at: usize,
    project: &str,
    network: &str,
    ips: &[(String, IpAddr)],
    own: &Value,
) -> String {
    let ips: Vec<_> =
        ips.iter().map(|(subnet, address)| json!({"subnet_id": subnet, "ip_address": address.to_string()})).collect();
    let mut mac = String::from("fa:16:3e");
    for byte in &world.random().to_be_bytes()[..3] {
        let _ = write!(mac, ":{byte:02x}");
    }
    let mut attributes = json!({
        "name": "", "network_id": network, "mac_address": mac, "admin_state_up": true, "status": "ACTIVE",
        "fixed_ips": ips, "security_groups": [], "allowed_address_pairs": [], "extra_dhcp_opts": [],
        "binding:vnic_type": "normal", "port_security_enabled": false,
    });
    if let (Some(attributes), Some(own)) = (attributes.as_object_mut(), own.as_object()) {
        attributes.extend(own.clone());
    }
    object(world, at, Collection::Port, project, &attributes)
}

/// The address a router takes on a subnet.
pub(super) fn first_address(cidr: IpNet) -> IpAddr {
    match cidr {
        IpNet::V4(net) => net.hosts().next().unwrap_or(net.network()).into(),
        // Neutron gives a router the first address of an IPv6 subnet, which is the range itself.
        IpNet::V6(net) => net.network().into(),
    }
}
