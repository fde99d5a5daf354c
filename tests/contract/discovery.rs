//! What a region has and is: versions, extensions, routers, subnets, ports, networks; raw, and as the client reads it.

use itertools::Itertools;
use osvpn::cloud::{Detail, Inventory, SiteConnection, VpnService};
use reqwest::Method;
use serde_json::Value;

use super::case::{Case, case};
use super::recorder::{A, Answer, B, NOBODY, Stage};

pub fn cases() -> Vec<Case> {
    vec![
        case("discovery/versions", versions),
        case("discovery/extensions", extensions),
        case("discovery/routers", routers),
        case("discovery/subnets", subnets),
        case("discovery/networks", networks),
        case("discovery/ports", ports),
        case("discovery/paths that are not there", paths_that_are_not_there),
        case("discovery/the client's inventory", the_clients_inventory),
    ]
}

async fn versions(s: Stage) {
    let answer = s.exchange(Method::GET, &format!("{}/", s.ground.neutron(A)), &[], None).await;
    s.note_answer(&answer);
}

async fn extensions(s: Stage) {
    let answer = s.send_quietly(A, "extensions").await;
    let mut extensions = answer["extensions"].as_array().unwrap().clone();
    extensions.sort_by_key(|one| one["alias"].to_string());
    let aliases: Vec<_> = extensions.iter().map(|one| one["alias"].as_str().unwrap()).collect();
    s.note(aliases.join(" "));
    for alias in ["vpnaas", "vpn-endpoint-groups", "vpn-flavors", "vpn-aes-ctr", "no-such-thing"] {
        s.ask(Method::GET, A, &format!("extensions/{alias}"), None).await;
    }
}

async fn routers(s: Stage) {
    let router = s.ground.id(A, "border-router").to_owned();
    s.ask(Method::GET, A, &format!("routers/{router}"), None).await;
    let isolated = s.ground.id(A, "isolated-router").to_owned();
    s.ask(Method::GET, A, &format!("routers/{isolated}"), None).await;
    s.ask(Method::GET, A, &format!("routers/{NOBODY}"), None).await;
    s.ask(Method::GET, A, "routers?name=border-router&fields=id&fields=name&fields=external_gateway_info", None).await;
    s.ask(Method::GET, A, "routers?name=nothing", None).await;
    for filter in ["status", "bogus"] {
        let path = format!("routers?{filter}=ACTIVE&fields=name&name=border-router");
        s.ask(Method::GET, A, &path, None).await;
    }
}

async fn subnets(s: Stage) {
    for name in ["private-subnet", "v6-subnet"] {
        let id = s.ground.id(A, name).to_owned();
        s.ask(Method::GET, A, &format!("subnets/{id}"), None).await;
    }
    s.ask(Method::GET, A, &format!("subnets/{NOBODY}"), None).await;
    sorted(&s, A, "subnets?fields=name&fields=cidr").await;
    sorted(&s, A, "subnets?ip_version=6&fields=name&fields=cidr").await;
}

async fn networks(s: Stage) {
    let id = s.ground.id(A, "private-net").to_owned();
    let mut answer = s.send_quietly(A, &format!("networks/{id}")).await;
    answer["network"]["subnets"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    let count = answer["network"]["subnets"].as_array().unwrap().len();
    answer["network"]["subnets"] = Value::from(count);
    s.note_answer(&Answer { status: 200, headers: reqwest::header::HeaderMap::new(), body: answer });
    sorted(&s, A, "networks?fields=name&fields=router:external").await;
    s.ask(Method::GET, A, &format!("networks/{NOBODY}"), None).await;
}

async fn ports(s: Stage) {
    let router = s.ground.id(A, "border-router").to_owned();
    let owners = "device_owner=network:router_interface&device_owner=network:router_interface_distributed";
    sorted(&s, A, &format!("ports?device_id={router}&{owners}&fields=device_id&fields=fixed_ips")).await;
    sorted(&s, A, &format!("ports?device_id={NOBODY}&fields=id")).await;
    s.ask(Method::GET, A, &format!("ports/{NOBODY}"), None).await;
}

async fn paths_that_are_not_there(s: Stage) {
    for path in ["nothing", "vpn", "vpn/nothing", "vpn/endpoint_groups", "vpn/vpnservices/a/b", "routers/a/b/c"] {
        s.ask(Method::GET, A, path, None).await;
    }
    s.ask(Method::DELETE, A, "vpn/vpnservices", None).await;
    s.ask(Method::PATCH, A, &format!("vpn/vpnservices/{NOBODY}"), None).await;
    s.ask(Method::POST, A, "extensions", None).await;
}

async fn the_clients_inventory(s: Stage) {
    let service = s.service(B).await;
    let sound = s.sound(B, &service, "192.0.2.99", &["10.77.0.0/24", "10.78.0.0/24"]).await;
    s.make(B, "ipsec-site-connections", sound).await;
    for region in [A, B] {
        let client = s.client(region).await;
        let Inventory { extensions, routers, subnets, foreign, services, connections, unfit } =
            client.inventory().await.unwrap();
        assert_eq!((unfit, foreign), (Vec::new(), Vec::new()));
        let Detail { networks, groups, quotas } = client.detail().await.unwrap();
        s.note(format!(
            "{region}: vpnaas {}, sha1 {}, new {}, ovn {}",
            extensions.has_vpnaas(),
            extensions.stores_sha1(),
            extensions.stores_new_algorithms(),
            extensions.is_ovn()
        ));
        let ids: Vec<_> = routers.iter().map(|router| router.id.clone()).collect();
        let interfaces = client.interfaces(&ids).await.unwrap();
        for router in routers {
            let interfaces = interfaces[&router.id].iter().sorted_by_key(|interface| interface.address);
            s.note(format!("{router:?} {:?}", interfaces.collect::<Vec<_>>()));
        }
        for subnet in subnets {
            s.note(format!("{subnet:?}"));
        }
        // How far the agents are is theirs to say.
        for VpnService { name, router, external_v4, external_v6, legacy_subnet, .. } in services {
            s.note(format!("service {name} {router} {external_v4:?} {external_v6:?} {legacy_subnet:?}"));
        }
        for SiteConnection { name, service, local_group, peer_cidrs, .. } in connections {
            s.note(format!("connection {name} {service} {local_group:?} {peer_cidrs:?}"));
        }
        for (id, name) in networks.iter().sorted_by_key(|(id, name)| (name.as_str(), *id)) {
            s.note(format!("Network {{ id: {id:?}, name: {name:?} }}"));
        }
        let mut groups: Vec<_> = groups.iter().map(|one| format!("{} {:?}", one.kind, one.endpoints)).collect();
        groups.sort();
        s.note(groups.join(" "));
        s.note(format!("{quotas:?}"));
    }
}

/// A list as a set: whatever its order.
async fn sorted(s: &Stage, region: &str, path: &str) {
    let mut body = s.send_quietly(region, path).await;
    for (_, list) in body.as_object_mut().unwrap() {
        list.as_array_mut().unwrap().sort_by_key(|one| s.masked(one));
        for object in list.as_array_mut().unwrap() {
            if let Some(ips) = object.get_mut("fixed_ips").and_then(Value::as_array_mut) {
                ips.sort_by_key(|one| s.masked(one));
            }
        }
    }
    s.note_request(&format!("GET {path} (sorted)"), None);
    s.note_answer(&Answer { status: 200, headers: reqwest::header::HeaderMap::new(), body });
}
