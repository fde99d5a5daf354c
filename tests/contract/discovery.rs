//! What a region has and is: versions, extensions, routers, subnets, ports, networks; raw, and as the client reads it.

use reqwest::Method;
use serde_json::Value;

use super::case::{Case, case};
use super::stage::{A, Answer, B, NOBODY, Stage};

pub fn cases() -> Vec<Case> {
    vec![
        case("discovery/versions", |s: Stage| async move {
            let answer = s.exchange(Method::GET, &format!("{}/", s.ground.neutron(A)), &[], None).await;
            s.note_answer(&answer);
        }),
        case("discovery/extensions", |s: Stage| async move {
            let answer = s.send_quietly(A, "extensions").await;
            let mut extensions = answer["extensions"].as_array().unwrap().clone();
            extensions.sort_by_key(|one| one["alias"].to_string());
            let aliases: Vec<_> = extensions.iter().map(|one| one["alias"].as_str().unwrap()).collect();
            s.note(aliases.join(" "));
            for alias in ["vpnaas", "vpn-endpoint-groups", "vpn-flavors", "vpn-aes-ctr", "no-such-thing"] {
                s.ask(Method::GET, A, &format!("extensions/{alias}"), None).await;
            }
        }),
        case("discovery/routers", |s: Stage| async move {
            let router = s.ground.id(A, "border-router").to_owned();
            s.ask(Method::GET, A, &format!("routers/{router}"), None).await;
            let isolated = s.ground.id(A, "isolated-router").to_owned();
            s.ask(Method::GET, A, &format!("routers/{isolated}"), None).await;
            s.ask(Method::GET, A, &format!("routers/{NOBODY}"), None).await;
            s.ask(
                Method::GET,
                A,
                "routers?name=border-router&fields=id&fields=name&fields=external_gateway_info",
                None,
            )
            .await;
            s.ask(Method::GET, A, "routers?name=nothing", None).await;
            for filter in ["status", "bogus"] {
                let path = format!("routers?{filter}=ACTIVE&fields=name&name=border-router");
                s.ask(Method::GET, A, &path, None).await;
            }
        }),
        case("discovery/subnets", |s: Stage| async move {
            for name in ["private-subnet", "v6-subnet"] {
                let id = s.ground.id(A, name).to_owned();
                s.ask(Method::GET, A, &format!("subnets/{id}"), None).await;
            }
            s.ask(Method::GET, A, &format!("subnets/{NOBODY}"), None).await;
            sorted(&s, A, "subnets?fields=name&fields=cidr").await;
            sorted(&s, A, "subnets?ip_version=6&fields=name&fields=cidr").await;
        }),
        case("discovery/networks", |s: Stage| async move {
            let id = s.ground.id(A, "private-net").to_owned();
            let mut answer = s.send_quietly(A, &format!("networks/{id}")).await;
            answer["network"]["subnets"].as_array_mut().unwrap().sort_by_key(Value::to_string);
            let count = answer["network"]["subnets"].as_array().unwrap().len();
            answer["network"]["subnets"] = Value::from(count);
            s.note_answer(&Answer { status: 200, headers: reqwest::header::HeaderMap::new(), body: answer });
            sorted(&s, A, "networks?fields=name&fields=router:external").await;
            s.ask(Method::GET, A, &format!("networks/{NOBODY}"), None).await;
        }),
        case("discovery/ports", |s: Stage| async move {
            let router = s.ground.id(A, "border-router").to_owned();
            let owners = "device_owner=network:router_interface&device_owner=network:router_interface_distributed";
            sorted(&s, A, &format!("ports?device_id={router}&{owners}&fields=device_id&fields=fixed_ips")).await;
            sorted(&s, A, &format!("ports?device_id={NOBODY}&fields=id")).await;
            s.ask(Method::GET, A, &format!("ports/{NOBODY}"), None).await;
        }),
        case("discovery/paths that are not there", |s: Stage| async move {
            for path in ["nothing", "vpn", "vpn/nothing", "vpn/endpoint_groups", "vpn/vpnservices/a/b", "routers/a/b/c"]
            {
                s.ask(Method::GET, A, path, None).await;
            }
            s.ask(Method::DELETE, A, "vpn/vpnservices", None).await;
            s.ask(Method::PATCH, A, &format!("vpn/vpnservices/{NOBODY}"), None).await;
            s.ask(Method::POST, A, "extensions", None).await;
        }),
        case("discovery/the client's inventory", |s: Stage| async move {
            let service = s.service(B).await;
            let sound = s.sound(B, &service, "192.0.2.99", &["10.77.0.0/24", "10.78.0.0/24"]).await;
            s.make(B, "ipsec-site-connections", sound).await;
            for region in [A, B] {
                let inventory = s.client(region).await.inventory().await.unwrap();
                let extensions = inventory.extensions;
                s.note(format!(
                    "{region}: vpnaas {}, sha1 {}, new {}, ovn {}",
                    extensions.has_vpnaas(),
                    extensions.stores_sha1(),
                    extensions.stores_new_algorithms(),
                    extensions.is_ovn()
                ));
                for mut router in inventory.routers {
                    router.interfaces.sort_by_key(|interface| interface.address);
                    s.note(format!("{router:?}"));
                }
                inventory.subnets.iter().for_each(|one| s.note(format!("{one:?}")));
                inventory.services.iter().for_each(|one| {
                    s.note(format!(
                        "{:?}",
                        (&one.name, &one.router, one.external_v4, one.external_v6, &one.legacy_subnet)
                    ))
                });
                inventory.connections.iter().for_each(|one| {
                    s.note(format!("{:?}", (&one.name, &one.service, &one.local_group, &one.peer_cidrs)))
                });
                let detail = s.client(region).await.detail().await.unwrap();
                detail.networks.iter().for_each(|one| s.note(format!("{one:?}")));
                let mut groups: Vec<_> =
                    detail.groups.iter().map(|one| format!("{:?} {:?}", one.kind, one.endpoints)).collect();
                groups.sort();
                groups.iter().for_each(|one| s.note(one));
                s.note(format!("{:?}", detail.quotas));
            }
        }),
    ]
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
