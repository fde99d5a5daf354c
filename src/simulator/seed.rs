//! What the simulated cloud holds when it starts.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;
use serde_json::{Value, json};

use super::identity::Caller;
use super::object::{Collection, text};
use super::security_groups;
use super::settings::Seed;
use super::topology::{any_port, first_address, network, object, port, subnet};
use super::vpnaas;
use super::world::{RegionWorld, World};

const DEMO: &str = include_str!("../../assets/demo-cloud.json");

#[derive(Deserialize)]
struct Layout {
    regions: Vec<RegionLayout>,
    #[serde(default)]
    vpns: Vec<VpnLayout>,
}

#[derive(Deserialize)]
struct RegionLayout {
    id: String,
    description: String,
    #[serde(default = "yes")]
    vpnaas: bool,
    external: Vec<IpNet>,
    #[serde(default)]
    networks: Vec<NetworkLayout>,
    #[serde(default)]
    routers: Vec<RouterLayout>,
    /// Groups of project `demo` besides its `default`.
    #[serde(default)]
    security_groups: Vec<GroupLayout>,
    #[serde(default)]
    instances: Vec<InstanceLayout>,
}

#[derive(Deserialize)]
struct GroupLayout {
    name: String,
    description: String,
    /// As the API takes them, but for the group.
    rules: Vec<Value>,
}

/// An instance of project `demo`, of which only its port is there.
#[derive(Deserialize)]
struct InstanceLayout {
    name: String,
    subnet: String,
    address: IpAddr,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default = "yes")]
    port_security: bool,
}

#[derive(Deserialize)]
struct NetworkLayout {
    name: String,
    #[serde(default = "demo")]
    project: String,
    subnets: Vec<SubnetLayout>,
}

#[derive(Deserialize)]
struct SubnetLayout {
    name: String,
    cidr: IpNet,
}

#[derive(Deserialize)]
struct RouterLayout {
    name: String,
    #[serde(default = "demo")]
    project: String,
    /// The gateway's addresses; no gateway without any.
    #[serde(default)]
    gateway: Vec<IpAddr>,
    /// The names of the subnets it stands on.
    #[serde(default)]
    subnets: Vec<String>,
    #[serde(default = "active")]
    status: String,
}

#[derive(Deserialize)]
struct VpnLayout {
    name: String,
    /// Whether it is made the way `create-vpn.sh` makes it.
    #[serde(default)]
    legacy: bool,
    psk: String,
    halves: [HalfLayout; 2],
}

#[derive(Deserialize)]
struct HalfLayout {
    region: String,
    router: String,
    subnet: String,
}

fn yes() -> bool {
    true
}

fn demo() -> String {
    "demo".to_owned()
}

fn active() -> String {
    "ACTIVE".to_owned()
}

/// Fills a new world. A layout that cannot be read is an error of its author, told as text.
pub(super) fn sow(world: &mut World) -> Result<(), String> {
    let json = match &world.settings.seed {
        Seed::Json(json) => json.clone(),
        _ => DEMO.to_owned(),
    };
    let mut layout: Layout = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    match world.settings.seed {
        Seed::Demo | Seed::Json(_) => {}
        Seed::Minimal => keep(&mut layout, |name| matches!(name, "border-router" | "private-net" | "private-subnet")),
        Seed::Empty => keep(&mut layout, |_| false),
        Seed::Scale { routers, subnets } => {
            keep(&mut layout, |_| false);
            let regions = layout.regions.iter_mut().filter(|region| region.vpnaas);
            for (index, region) in regions.enumerate() {
                scale(region, index, routers, subnets);
            }
        }
    }
    let count = u32::try_from(layout.regions.len()).unwrap_or(1).max(1);
    for (index, region) in (0u32..).zip(layout.regions) {
        let phase = (world.settings.report_interval / count).saturating_mul(index);
        sow_region(world, region, phase)?;
    }
    for vpn in &layout.vpns {
        sow_vpn(world, vpn)?;
    }
    Ok(())
}

fn keep(layout: &mut Layout, wanted: impl Fn(&str) -> bool) {
    layout.vpns.clear();
    for region in &mut layout.regions {
        region.networks.retain(|network| wanted(&network.name));
        region.networks.iter_mut().for_each(|network| network.subnets.retain(|subnet| wanted(&subnet.name)));
        region.routers.retain(|router| wanted(&router.name));
        region.routers.iter_mut().for_each(|router| router.subnets.retain(|subnet| wanted(subnet)));
        region.instances.retain(|instance| wanted(&instance.subnet));
    }
}

fn scale(region: &mut RegionLayout, index: usize, routers: usize, subnets: usize) {
    // Each region has a hundred /16s of 10.0.0.0/8 to itself.
    let octet = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
    let cidr = |n: usize| Ipv4Net::new_assert(Ipv4Addr::new(10, octet(index * 100 + n / 256), octet(n % 256), 0), 24);
    let name = |n: usize| format!("subnet-{n:05}");
    let subnet = |n: usize| SubnetLayout { name: name(n), cidr: IpNet::V4(cidr(n)) };
    let network = |n: usize| NetworkLayout { name: format!("net-{n:05}"), project: demo(), subnets: vec![subnet(n)] };
    region.networks = (0..subnets).map(network).collect();
    let hosts: Vec<IpAddr> =
        region.external.first().map(|range| range.hosts().skip(19).take(200).collect()).unwrap_or_default();
    let router = |n: usize| RouterLayout {
        name: format!("router-{n:05}"),
        project: demo(),
        gateway: hosts.get(n % hosts.len().max(1)).copied().into_iter().collect(),
        subnets: (n..subnets).step_by(routers.max(1)).map(name).collect(),
        status: active(),
    };
    region.routers = (0..routers).map(router).collect();
}

fn sow_region(world: &mut World, layout: RegionLayout, phase: std::time::Duration) -> Result<(), String> {
    let at = world.regions.len();
    world.regions.push(RegionWorld {
        id: layout.id,
        description: layout.description,
        vpnaas: layout.vpnaas,
        objects: std::collections::BTreeMap::default(),
        tracks: std::collections::HashMap::default(),
        is_at_rest: false,
        phase,
        reported: std::time::Duration::ZERO,
        external: layout.external.clone(),
        vpn_gateways: std::collections::BTreeMap::default(),
    });
    let project = |world: &World, name: &str| {
        world.identity.project_named(name).map(str::to_owned).ok_or_else(|| format!("there is no project {name}"))
    };
    let service = project(world, "service")?;
    let external = network(world, at, "public-net", &service, true);
    let mut ranges = Vec::new();
    for range in layout.external {
        let name = if range.network().is_ipv4() { "public-subnet" } else { "public-subnet-v6" };
        ranges.push((range, subnet(world, at, name, &service, &external, range)));
    }
    let mut subnets = std::collections::HashMap::new();
    for found in layout.networks {
        let owner = project(world, &found.project)?;
        let net = network(world, at, &found.name, &owner, false);
        security_groups::ensure_default(world, at, &owner);
        for SubnetLayout { name, cidr } in found.subnets {
            let id = subnet(world, at, &name, &owner, &net, cidr);
            subnets.insert(name, (id, net.clone(), cidr));
        }
    }
    for router in layout.routers {
        let owner = project(world, &router.project)?;
        let fixed = |address: &IpAddr| {
            let range = ranges.iter().find(|(range, _)| range.contains(address));
            json!({"subnet_id": range.map(|(_, id)| id), "ip_address": address.to_string()})
        };
        // Neutron lists the IPv6 address first.
        let (six, four): (Vec<_>, Vec<_>) = router.gateway.iter().partition(|address| address.is_ipv6());
        let fixed: Vec<_> = six.into_iter().chain(four).map(fixed).collect();
        let gateway = json!({"network_id": external, "external_fixed_ips": fixed, "enable_snat": true});
        let id = object(
            world,
            at,
            Collection::Router,
            &owner,
            &json!({
                "name": router.name, "admin_state_up": true, "status": router.status,
                "external_gateway_info": if router.gateway.is_empty() { Value::Null } else { gateway },
                "routes": [], "flavor_id": null, "availability_zones": [], "availability_zone_hints": [],
            }),
        );
        for name in &router.subnets {
            let (subnet, net, cidr) = subnets.get(name).ok_or_else(|| format!("there is no subnet {name}"))?;
            let address = first_address(*cidr);
            port(world, at, &owner, net, &id, &[(subnet.clone(), address)]);
        }
    }
    let owner = project(world, "demo")?;
    for group in layout.security_groups {
        security_groups::group(world, at, &owner, &group.name, &group.description);
        for mut rule in group.rules {
            rule["security_group_id"] = find(world, at, Collection::SecurityGroup, &owner, &group.name)?;
            make(world, at, &Caller { project: owner.clone(), reader: false }, Collection::SecurityGroupRule, &rule)?;
        }
    }
    for InstanceLayout { name, subnet, address, groups, port_security } in layout.instances {
        let (subnet, net, _) = subnets.get(&subnet).ok_or_else(|| format!("there is no subnet {subnet}"))?;
        let group = |name: &String| find(world, at, Collection::SecurityGroup, &owner, name);
        let groups = groups.iter().map(group).collect::<Result<Vec<_>, _>>()?;
        let own = json!({"name": name, "device_id": world.uuid(), "device_owner": "compute:nova",
            "security_groups": groups, "port_security_enabled": port_security});
        any_port(world, at, &owner, net, &[(subnet.clone(), address)], &own);
    }
    Ok(())
}

/// The id of a project's object of that name.
fn find(world: &World, at: usize, kind: Collection, project: &str, name: &str) -> Result<Value, String> {
    let mut named = world.regions[at].referring(kind, "name", name);
    let found = named.find(|object| text(object, "project_id") == project);
    found.map(|object| object["id"].clone()).ok_or_else(|| format!("there is no {name}"))
}

/// Makes both halves through the API's own code, as `create-vpn.sh` or as endpoint groups.
fn sow_vpn(world: &mut World, layout: &VpnLayout) -> Result<(), String> {
    let mut made = Vec::new();
    for half in &layout.halves {
        let at = world.regions.iter().position(|region| region.id == half.region).ok_or("no such region")?;
        let find = |kind, name: &str| {
            let mut found = world.regions[at].referring(kind, "name", name);
            found.next().cloned().ok_or_else(|| format!("there is no {name}"))
        };
        let (router, subnet) = (find(Collection::Router, &half.router)?, find(Collection::Subnet, &half.subnet)?);
        let caller = Caller { project: text(&router, "project_id").to_owned(), reader: false };
        let name = |legacy: &str, modern: &str| {
            if layout.legacy { legacy.to_owned() } else { format!("{}_{modern}", layout.name) }
        };
        let subnet_id = if layout.legacy { subnet["id"].clone() } else { Value::Null };
        let service =
            json!({"name": name("vpn_service", "vpn_service"), "router_id": router["id"], "subnet_id": subnet_id});
        let service = make(world, at, &caller, Collection::VpnService, &service)?;
        // A cloud upgraded to a release without sha1 had its rows rewritten.
        let weak = layout.legacy && world.settings.release.stores_weak_algorithms();
        let policy = |name: String, seconds: u32| {
            json!({"name": name, "auth_algorithm": if weak { "sha1" } else { "sha256" },
                "encryption_algorithm": "aes-256", "pfs": "group14", "lifetime": {"units": "seconds", "value": seconds}})
        };
        let mut ike = policy(name("ike_policy", "ike_policy"), 14_400);
        ike["ike_version"] = json!(if layout.legacy { "v1" } else { "v2" });
        let ike = make(world, at, &caller, Collection::IkePolicy, &ike)?;
        let ipsec = policy(name("ipsec_policy", "ipsec_policy"), 3600);
        let ipsec = make(world, at, &caller, Collection::IpsecPolicy, &ipsec)?;
        made.push((at, caller, name("vpn_site_connection", "vpn_site_connection"), service, ike, ipsec, subnet));
    }
    for (index, (at, caller, name, service, ike, ipsec, subnet)) in made.iter().enumerate() {
        let (.., far, _, _, far_subnet) = &made[1 - index];
        let mut connection = json!({"name": name, "psk": layout.psk, "vpnservice_id": service["id"],
            "ikepolicy_id": ike["id"], "ipsecpolicy_id": ipsec["id"], "peer_address": far["external_v4_ip"],
            "peer_id": far["external_v4_ip"], "dpd": {"action": "restart", "interval": 15, "timeout": 150}});
        if layout.legacy {
            connection["peer_cidrs"] = json!([far_subnet["cidr"]]);
        } else {
            for (key, kind, side, endpoint) in [
                ("local_ep_group_id", "subnet", "local", &subnet["id"]),
                ("peer_ep_group_id", "cidr", "peer", &far_subnet["cidr"]),
            ] {
                let name = format!("{}_{side}_endpoint_group", layout.name);
                let group = json!({"name": name, "type": kind, "endpoints": [endpoint]});
                connection[key] = make(world, *at, caller, Collection::EndpointGroup, &group)?["id"].clone();
            }
        }
        make(world, *at, caller, Collection::SiteConnection, &connection)?;
    }
    Ok(())
}

fn make(world: &mut World, at: usize, caller: &Caller, kind: Collection, object: &Value) -> Result<Value, String> {
    let body = json!({ kind.singular(): object }).to_string();
    let answer = match kind {
        Collection::SecurityGroupRule => security_groups::create_rule(world, at, caller, body.as_bytes()),
        _ => vpnaas::create(world, at, caller, kind, body.as_bytes()),
    };
    let answer = answer.map_err(|refusal| refusal.body)?;
    let made: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
    Ok(made[kind.singular()].clone())
}
