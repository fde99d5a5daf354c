//! What the OVN VPN plugin builds for a router's first VPN service: a gateway with its own external addresses, and an
//! internal network that shows up among the user's own.

use std::net::IpAddr;

use serde_json::Value;

use super::identity::Caller;
use super::object::{Collection, text};
use super::topology::{network, port, subnet};
use super::world::{RegionWorld, World};

const TRANSIT: &str = "169.254.0.0/28";

/// The external addresses of a router's VPN gateway, which is made if there is none.
pub(super) fn allocate(world: &mut World, at: usize, router: &str, caller: &Caller) -> Vec<IpAddr> {
    if let Some(addresses) = world.regions[at].vpn_gateways.get(router) {
        return addresses.clone();
    }
    let region = &world.regions[at];
    let routers = region.all(Collection::Router).iter().filter_map(|router| router.get("external_gateway_info"));
    let fixed = routers.filter_map(|info| info["external_fixed_ips"].as_array()).flatten();
    let mut taken: Vec<IpAddr> = fixed.filter_map(|ip| ip["ip_address"].as_str()?.parse().ok()).collect();
    taken.extend(region.vpn_gateways.values().flatten());
    let free = |range: &ipnet::IpNet| range.hosts().skip(99).find(|address| !taken.contains(address));
    let addresses: Vec<_> = region.external.iter().filter_map(free).collect();
    world.regions[at].vpn_gateways.insert(router.to_owned(), addresses.clone());

    let network_id = network(world, at, &format!("vpn-transit-network-{router}"), &caller.project, false);
    if let Ok(range) = TRANSIT.parse() {
        let name = format!("vpn-transit-subnet-{router}");
        let subnet_id = subnet(world, at, &name, &caller.project, &network_id, range);
        port(world, at, &caller.project, &network_id, router, &[(subnet_id, IpAddr::from([169, 254, 0, 1]))]);
    }
    addresses
}

/// Takes the gateway down with the router's last VPN service.
pub(super) fn release(region: &mut RegionWorld, router: &str) {
    if region.vpn_gateways.remove(router).is_none() {
        return;
    }
    let network_name = format!("vpn-transit-network-{router}");
    let networks = region.referring(Collection::Network, "name", &network_name);
    let networks: Vec<String> = networks.map(|network| text(network, "id").to_owned()).collect();
    for kind in [Collection::Port, Collection::Subnet] {
        if let Some(objects) = region.objects.get_mut(&kind) {
            objects.retain(|object| {
                !networks.iter().any(|id| object.get("network_id") == Some(&Value::from(id.as_str())))
            });
        }
    }
    for id in networks {
        region.remove(Collection::Network, &id);
    }
}
