//! What a planted fault does to a request, and what it leaves behind.

use std::time::Duration;

use osvpn::simulator::{FaultEffect, InjectedFault, Release, SimulatorSettings};
use reqwest::Method;
use serde_json::{Value, json};

use super::cloud::{Cloud, HLZ, header, settings};
use super::refusal;

#[tokio::test]
async fn faults_strike_the_chosen_request_and_no_other() {
    let cloud = Cloud::start(settings(Release::V2026_1)).await;
    let policy = json!({"ikepolicy": {"name": "n"}});
    let post = || cloud.try_send(Method::POST, HLZ, "vpn/ikepolicies", Some(&policy));
    let count = || cloud.simulator.objects(HLZ)["ikepolicies"].as_array().unwrap().len();
    let before = count();
    let plant =
        |effect| cloud.simulator.inject(InjectedFault::new(effect).method("POST").path("ikepolicies").region(HLZ));

    plant(FaultEffect::too_many_requests(3));
    let url = format!("{}/v2.0/vpn/ikepolicies", cloud.simulator.network_url(HLZ));
    let limited = cloud.http.post(url).header("X-Auth-Token", &cloud.token).json(&policy).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), header(&limited, "Retry-After").as_str()), (429, "3"));
    plant(FaultEffect::CloseBefore);
    assert!(post().await.is_err());
    assert_eq!(count(), before, "neither took effect");
    plant(FaultEffect::CloseAfter);
    assert!(post().await.is_err());
    plant(FaultEffect::CutAnswer);
    assert!(post().await.is_err());
    assert_eq!(count(), before + 2, "both took effect, though nobody was told");
    plant(FaultEffect::Hang);
    assert!(tokio::time::timeout(Duration::from_millis(50), post()).await.is_err());

    cloud.simulator.inject(InjectedFault::new(FaultEffect::status(503)).path("routers").nth(2));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(cloud.send(Method::GET, HLZ, "routers", None).await.0);
    }
    assert_eq!(statuses, [200, 503, 200]);
}

#[tokio::test]
async fn a_delayed_request_takes_effect_although_its_sender_went_away() {
    let cloud = Cloud::start(settings(Release::V2026_1)).await;
    let policy = json!({"ikepolicy": {"name": "late"}});
    let count = || cloud.simulator.collection(HLZ, "ikepolicies").len();
    let before = count();
    cloud.simulator.inject(InjectedFault::new(FaultEffect::Delay(Duration::from_millis(400))).method("POST"));
    let post = cloud.try_send(Method::POST, HLZ, "vpn/ikepolicies", Some(&policy));
    assert!(tokio::time::timeout(Duration::from_millis(100), post).await.is_err());
    assert_eq!(count(), before);
    let taken = async {
        while count() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), taken).await.unwrap();
}

#[tokio::test]
async fn a_service_whose_gateway_fails_is_refused_and_stays_in_error_until_it_is_deleted() {
    let cloud = Cloud::start(SimulatorSettings { ovn: true, ..settings(Release::V2026_1) }).await;
    let router = cloud.named(HLZ, "routers", "border-router").await;
    let objects = || (cloud.simulator.count(HLZ), cloud.simulator.collection(HLZ, "networks").len());
    let before = objects();
    let post = async |body: Value| cloud.post(HLZ, "vpnservices", "vpnservice", body).await;
    let gateway = "VPN gateway is in ERROR state. Please remove all errored VPN services and try again.";
    for (effect, status, class, message) in [
        (FaultEffect::gateway_in_error(), 409, "VPNGatewayInError", gateway),
        (FaultEffect::no_vpn_agent(), 503, "NoVPNAgentAvailable", "No VPN agent available"),
    ] {
        cloud.simulator.inject(InjectedFault::new(effect).method("POST").path("vpnservices"));
        let answer = post(json!({"router_id": router, "name": "n", "description": "d"})).await;
        assert_eq!(answer, (status, refusal(class, message)));
        cloud.tick();
        let left = cloud.simulator.collection(HLZ, "vpnservices").pop().unwrap();
        assert_eq!(["name", "description", "status"].map(|key| left[key].as_str().unwrap()), ["n", "d", "ERROR"]);
        assert!(left["external_v4_ip"].is_null() && left["external_v6_ip"].is_null());
        let path = format!("vpn/vpnservices/{}", left["id"].as_str().unwrap());
        assert_eq!(cloud.send(Method::DELETE, HLZ, &path, None).await.0, 204);
        assert_eq!(objects(), before);
    }
    cloud.simulator.inject(InjectedFault::new(FaultEffect::gateway_in_error()).method("POST"));
    assert_eq!(post(json!({})).await.0, 400, "what is refused anyway leaves nothing");
    assert_eq!(objects(), before);
    assert!(cloud.service(HLZ).await["external_v4_ip"].is_string());
}
