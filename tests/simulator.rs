//! The simulator answers as a real Keystone, Neutron and neutron-vpnaas were seen to answer.

mod cloud;
mod faults;
mod tunnel;

use std::time::Duration;

use osvpn::simulator::{Release, Seed, SimulatorSettings, depth};
use reqwest::Method;
use serde_json::{Value, json};

use cloud::{Cloud, HLZ, POR, header, password, settings};

fn refusal(class: &str, message: &str) -> Value {
    json!({"NeutronError": {"type": class, "message": message, "detail": ""}})
}

#[tokio::test]
async fn a_vpn_becomes_active_by_way_of_down_one_report_at_a_time() {
    let cloud = Cloud::start(settings(Release::V2026_1)).await;
    let (here, there) = (cloud.service(HLZ).await, cloud.service(POR).await);
    let service = format!("vpnservices/{}", here["id"].as_str().unwrap());
    cloud.tick();
    assert_eq!(cloud.status(HLZ, &service).await, "PENDING_CREATE", "a service waits for its first connection");
    let (_, refused) = cloud.put(HLZ, &service, "vpnservice", json!({"name": "n"})).await;
    assert_eq!(refused["NeutronError"]["type"], "VPNStateInvalidToUpdate");

    let body = cloud.connection(HLZ, &here, &there, "10.20.30.0/24", "v2").await;
    let a = cloud.connect(HLZ, body).await;
    assert_eq!(cloud.status(HLZ, &a).await, "PENDING_CREATE");
    cloud.tick();
    assert_eq!(cloud.status(HLZ, &a).await, "DOWN");
    assert_eq!(cloud.status(HLZ, &service).await, "ACTIVE", "an active service says nothing about the tunnel");

    let body = cloud.connection(POR, &there, &here, "10.0.0.0/24", "v2").await;
    let b = cloud.connect(POR, body).await;
    cloud.tick();
    assert_eq!(cloud.status(POR, &b).await, "DOWN", "the first report is made before anything is negotiated");
    cloud.tick();
    assert_eq!((cloud.status(HLZ, &a).await, cloud.status(POR, &b).await), ("ACTIVE".into(), "ACTIVE".into()));

    assert_eq!(cloud.send(Method::DELETE, HLZ, &format!("vpn/{a}"), None).await.0, 204);
    cloud.tick();
    assert_eq!(cloud.status(POR, &b).await, "DOWN");
    assert_eq!(cloud.status(HLZ, &service).await, "ACTIVE", "nobody reports on a service without connections");
}

#[tokio::test]
async fn a_router_that_is_down_carries_no_tunnel() {
    let gateway = r#""gateway": ["203.0.113.20", "2001:db8:113::20"],"#;
    let layout = include_str!("../assets/demo-cloud.json").replace(gateway, &format!(r#"{gateway} "status": "DOWN","#));
    let cloud = Cloud::start(SimulatorSettings { seed: Seed::Json(layout), ..settings(Release::V2026_1) }).await;
    let (a, b) = cloud.vpn().await;
    for _ in 0..3 {
        cloud.tick();
    }
    assert_eq!((cloud.status(HLZ, &a).await, cloud.status(POR, &b).await), ("DOWN".into(), "DOWN".into()));
}

#[tokio::test]
async fn a_half_rotated_key_stays_active_until_the_service_is_restarted() {
    let cloud = Cloud::start(settings(Release::V2026_1)).await;
    let (a, b) = cloud.vpn().await;
    cloud.tick();
    cloud.tick();
    let key = |psk: &str| json!({"psk": psk});
    assert_eq!(cloud.put(HLZ, &a, "ipsec_site_connection", key("another")).await.0, 200);
    cloud.tick();
    assert_eq!(cloud.status(HLZ, &a).await, "ACTIVE");
    let service = cloud.get(HLZ, &format!("vpn/{a}")).await["ipsec_site_connection"]["vpnservice_id"].clone();
    let service = format!("vpnservices/{}", service.as_str().unwrap());
    for (wanted, status) in [(false, "DOWN"), (true, "ACTIVE")] {
        cloud.put(HLZ, &service, "vpnservice", json!({"admin_state_up": wanted})).await;
        cloud.tick();
        assert_eq!(cloud.status(HLZ, &service).await, status);
        assert_eq!(cloud.status(POR, &b).await, "DOWN", "the keys differ");
    }
    cloud.put(POR, &b, "ipsec_site_connection", key("another")).await;
    cloud.tick();
    assert_eq!(cloud.status(HLZ, &a).await, "ACTIVE");
}

#[tokio::test]
async fn a_second_service_on_a_router_takes_it_over_once_it_has_a_connection() {
    let cloud = Cloud::start(settings(Release::V2026_1)).await;
    let (a, b) = cloud.vpn().await;
    let intruder = cloud.service(HLZ).await;
    cloud.tick();
    cloud.tick();
    assert_eq!(cloud.status(HLZ, &a).await, "ACTIVE");
    let body = cloud.connection(HLZ, &intruder, &json!({"external_v4_ip": "192.0.2.99"}), "10.77.0.0/24", "v2").await;
    cloud.connect(HLZ, body).await;
    cloud.tick();
    assert_eq!(cloud.status(HLZ, &a).await, "ACTIVE", "what is established is left alone");
    let service = cloud.get(POR, &format!("vpn/{b}")).await["ipsec_site_connection"]["vpnservice_id"].clone();
    let service = format!("vpnservices/{}", service.as_str().unwrap());
    for wanted in [false, true] {
        cloud.put(POR, &service, "vpnservice", json!({"admin_state_up": wanted})).await;
        cloud.tick();
    }
    assert_eq!((cloud.status(HLZ, &a).await, cloud.status(POR, &b).await), ("DOWN".into(), "DOWN".into()));
}

#[tokio::test]
async fn a_release_decides_which_algorithms_are_stored_and_how_it_is_known() {
    let cases = [
        (Release::V2024_1, [201, 500], ["vpnaas", "-vpn-aes-ctr", "-filter-validation"]),
        (Release::V2026_1, [201, 201], ["vpnaas", "vpn-aes-ctr", "-filter-validation"]),
        (Release::V2026_2, [500, 201], ["vpnaas", "vpn-aes-ctr", "filter-validation"]),
    ];
    for (release, statuses, aliases) in cases {
        let cloud = Cloud::start(settings(release)).await;
        let policies = [json!({"auth_algorithm": "sha1"}), json!({"auth_algorithm": "sha256", "pfs": "group31"})];
        for (policy, status) in policies.into_iter().zip(statuses) {
            assert_eq!(cloud.post(HLZ, "ikepolicies", "ikepolicy", policy).await.0, status, "{release:?}");
        }
        let extensions = cloud.get(HLZ, "extensions").await.to_string();
        for alias in aliases {
            let (alias, listed) = alias.strip_prefix('-').map_or((alias, true), |alias| (alias, false));
            assert_eq!(extensions.contains(&format!("\"{alias}\"")), listed, "{release:?} {alias}");
        }
        let filtered = cloud.send(Method::GET, HLZ, "vpn/vpnservices?bogus=1", None).await;
        if release == Release::V2026_2 {
            assert_eq!(filtered, (400, refusal("HTTPBadRequest", "['bogus'] is invalid attribute for filtering")));
        } else {
            assert_eq!(filtered.0, 200);
        }
        let absent = cloud.send(Method::GET, "nz-wlg-2", "vpn/vpnservices", None).await;
        assert_eq!(absent, (404, refusal("HTTPNotFound", "The resource could not be found.")));
    }
}

#[tokio::test]
async fn following_the_page_links_sees_every_object_once() {
    let scale = Seed::Scale { routers: 3, subnets: 25 };
    let cloud =
        Cloud::start(SimulatorSettings { page_limit: Some(7), seed: scale, ..settings(Release::V2026_1) }).await;
    let (mut path, mut seen) = ("subnets?fields=id&fields=name".to_owned(), Vec::new());
    loop {
        let page = cloud.get(HLZ, &path).await;
        seen.extend(page["subnets"].as_array().unwrap().iter().map(|subnet| subnet["id"].as_str().unwrap().to_owned()));
        let next = page["subnets_links"].as_array().and_then(|links| links.iter().find(|link| link["rel"] == "next"));
        let Some(next) = next else { break };
        path = next["href"].as_str().unwrap().split_once("/v2.0/").unwrap().1.to_owned();
    }
    seen.sort();
    seen.dedup();
    // The external network's two subnets are seen as well.
    assert_eq!(seen.len(), 27);
    let routers =
        "ports?device_owner=network:router_interface&device_owner=network:router_interface_distributed&limit=100";
    assert_eq!(cloud.get(HLZ, routers).await["ports"].as_array().unwrap().len(), 7, "the server's limit wins");
}

#[tokio::test]
async fn the_log_tells_requests_side_by_side_from_requests_in_a_row() {
    let cloud =
        Cloud::start(SimulatorSettings { latency: Duration::from_millis(60), ..settings(Release::V2026_1) }).await;
    cloud.simulator.clear_requests();
    let reads = ["routers", "ports", "subnets", "vpn/vpnservices"];
    futures::future::join_all(reads.map(|path| cloud.get(HLZ, path))).await;
    cloud.get(POR, "networks").await;
    let log = cloud.simulator.requests();
    assert_eq!((log.len(), depth(&log)), (5, 2));
    assert!(log.iter().all(|request| request.authenticated && request.status == Some(200)));
    assert_eq!(log[4].region.as_deref(), Some(POR));
}

#[tokio::test]
async fn sign_in_needs_every_factor_and_a_dead_token_is_refused() {
    let mut cloud = Cloud::start(settings(Release::V2026_1)).await;
    assert_eq!(cloud.auth(&password("demo", "wrong"), None).await.status(), 401);
    let first = cloud.auth(&password("demo-mfa", "demo"), None).await;
    assert_eq!(first.status(), 401);
    let receipt = header(&first, "Openstack-Auth-Receipt");
    assert_eq!(first.json::<Value>().await.unwrap()["required_auth_methods"], json!([["totp", "password"]]));
    let passcode = |code: &str| {
        let mut body = password("demo-mfa", "");
        let user = json!({"name": "demo-mfa", "domain": {"id": "default"}, "passcode": code});
        body["auth"]["identity"] = json!({"methods": ["totp"], "totp": {"user": user}});
        body
    };
    assert_eq!(cloud.auth(&passcode("000000"), Some(&receipt)).await.status(), 401);
    assert_eq!(cloud.auth(&passcode("123456"), Some(&receipt)).await.status(), 201, "a wrong passcode can be retried");

    let credential = json!({"id": cloud.simulator.credential_id(), "secret": "demo-secret"});
    let mut body = password("demo", "");
    body["auth"]["identity"] = json!({"methods": ["application_credential"], "application_credential": credential});
    assert_eq!(cloud.auth(&body, None).await.status(), 401, "it must not ask for a scope");
    body["auth"].as_object_mut().unwrap().remove("scope");
    assert_eq!(cloud.auth(&body, None).await.status(), 201);

    cloud.simulator.expire_tokens();
    let (status, body) = cloud.send(Method::GET, HLZ, "routers", None).await;
    assert_eq!(
        (status, &body["error"]["message"]),
        (401, &json!("The request you have made requires authentication."))
    );
    cloud.token = cloud.sign_in("demo-reader").await;
    assert_eq!(cloud.get(HLZ, "vpn/vpnservices").await, json!({"vpnservices": []}), "a reader sees none of them");
    let refused = cloud.post(HLZ, "ikepolicies", "ikepolicy", json!({})).await;
    assert_eq!(refused, (403, refusal("PolicyNotAuthorized", "rule:create_ikepolicy is disallowed by policy")));
}

#[tokio::test]
async fn an_ovn_service_has_an_address_of_its_own_and_leaves_a_transit_subnet_while_it_lives() {
    let cloud = Cloud::start(SimulatorSettings { ovn: true, ..settings(Release::V2026_1) }).await;
    let router = cloud.get(HLZ, "routers?name=border-router").await["routers"][0].clone();
    let service = cloud.service(HLZ).await;
    let gateway = router["external_gateway_info"]["external_fixed_ips"].to_string();
    assert!(!gateway.contains(service["external_v4_ip"].as_str().unwrap()));
    let transit = format!("subnets?name=vpn-transit-subnet-{}", router["id"].as_str().unwrap());
    assert_eq!(cloud.get(HLZ, &transit).await["subnets"][0]["cidr"], "169.254.0.0/28");
    let path = format!("vpn/vpnservices/{}", service["id"].as_str().unwrap());
    assert_eq!(cloud.send(Method::DELETE, HLZ, &path, None).await.0, 204);
    assert_eq!(cloud.get(HLZ, &transit).await["subnets"], json!([]));
}

#[tokio::test]
async fn a_plan_made_in_one_demo_cloud_names_the_objects_of_the_next_and_what_is_made_has_ids_of_its_own() {
    let clouds = [SimulatorSettings::demo(), SimulatorSettings::demo()].map(Cloud::start);
    let [first, next] = clouds;
    let (first, next) = (first.await, next.await);
    for collection in ["routers", "subnets"] {
        let ids = async |cloud: &Cloud| {
            let all = cloud.get(HLZ, collection).await;
            let ids = all[collection].as_array().unwrap().iter().map(|one| one["id"].to_string());
            ids.collect::<Vec<_>>()
        };
        let there = ids(&first).await;
        assert!(there.len() > 1 && there == ids(&next).await, "{collection}");
    }
    assert_ne!(first.token, next.token, "a token is nobody else's");
    let made = async |cloud: &Cloud| {
        cloud
            .post(
                HLZ,
                "endpoint-groups",
                "endpoint_group",
                json!({"name": "g", "type": "cidr", "endpoints": ["10.9.0.0/24"]}),
            )
            .await
            .1["id"]
            .to_string()
    };
    assert_ne!(made(&first).await, made(&next).await);
}

#[tokio::test]
async fn the_demo_holds_a_good_pair_a_scripted_one_and_nothing_of_other_projects() {
    let cloud = Cloud::start(settings(Release::V2026_1)).await;
    let connections = cloud.get(HLZ, "vpn/ipsec-site-connections").await;
    let connections = connections["ipsec_site_connections"].as_array().unwrap();
    assert_eq!(connections.len(), 2);
    assert!(connections.iter().all(|connection| connection["status"] == "ACTIVE"), "{connections:?}");
    assert!(connections.iter().any(|connection| connection["psk"] == "pre_shared_key"));
    assert_eq!(cloud.get(HLZ, "routers?name=other-router").await["routers"], json!([]));
    assert_eq!(cloud.get(POR, "routers?name=twin-router").await["routers"].as_array().unwrap().len(), 2);

    cloud.simulator.reconfigure(|settings| _ = settings.quotas.insert("vpnservice".into(), 2));
    let router = cloud.named(HLZ, "routers", "border-router").await;
    let over = cloud.post(HLZ, "vpnservices", "vpnservice", json!({"router_id": router})).await;
    assert_eq!(over, (409, refusal("OverQuota", "Quota exceeded for resources: ['vpnservice'].")));
}
