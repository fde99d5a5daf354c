//! A simulated cloud and a signed-in client of it.

use std::time::Duration;

use osvpn::simulator::{Release, Simulator, SimulatorSettings};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

pub const HLZ: &str = "nz-hlz-1";
pub const POR: &str = "nz-por-1";
pub const PSK: &str = "0123456789abcdefghijABCDEFGHIJ";
/// Longer than any test takes: time passes only by `Cloud::tick`.
pub const REPORT: Duration = Duration::from_secs(600);

pub struct Cloud {
    pub simulator: Simulator,
    pub http: Client,
    pub token: String,
}

pub fn settings(release: Release) -> SimulatorSettings {
    SimulatorSettings {
        release,
        report_interval: REPORT,
        negotiation: Duration::from_secs(1),
        ..SimulatorSettings::default()
    }
}

pub fn password(user: &str, password: &str) -> Value {
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user":
        {"name": user, "domain": {"id": "default"}, "password": password}}},
        "scope": {"project": {"name": "demo", "domain": {"id": "default"}}}}})
}

pub fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

impl Cloud {
    pub async fn start(settings: SimulatorSettings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let simulator = Simulator::start(settings).await.unwrap();
        let mut cloud = Self { simulator, http: Client::new(), token: String::new() };
        cloud.token = cloud.sign_in("demo").await;
        cloud
    }

    pub async fn auth(&self, body: &Value, receipt: Option<&str>) -> Response {
        let request = self.http.post(format!("{}/auth/tokens", self.simulator.auth_url())).json(body);
        receipt
            .into_iter()
            .fold(request, |request, id| request.header("Openstack-Auth-Receipt", id))
            .send()
            .await
            .unwrap()
    }

    pub async fn sign_in(&self, user: &str) -> String {
        let response = self.auth(&password(user, "demo"), None).await;
        assert_eq!(response.status(), 201);
        header(&response, "X-Subject-Token")
    }

    pub async fn try_send(
        &self,
        method: Method,
        region: &str,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}/v2.0/{path}", self.simulator.network_url(region));
        let request = self.http.request(method, url).header("X-Auth-Token", &self.token);
        let response = body.into_iter().fold(request, reqwest::RequestBuilder::json).send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_str(&response.text().await?).unwrap_or_default()))
    }

    pub async fn send(&self, method: Method, region: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.try_send(method, region, path, body).await.unwrap()
    }

    pub async fn get(&self, region: &str, path: &str) -> Value {
        self.send(Method::GET, region, path, None).await.1
    }

    pub async fn post(&self, region: &str, path: &str, key: &str, object: Value) -> (u16, Value) {
        let (status, body) =
            self.send(Method::POST, region, &format!("vpn/{path}"), Some(&json!({ key: object }))).await;
        (status, if status == 201 { body[key].clone() } else { body })
    }

    pub async fn put(&self, region: &str, path: &str, key: &str, object: Value) -> (u16, Value) {
        self.send(Method::PUT, region, &format!("vpn/{path}"), Some(&json!({ key: object }))).await
    }

    pub async fn named(&self, region: &str, collection: &str, name: &str) -> String {
        self.get(region, &format!("{collection}?name={name}")).await[collection][0]["id"].as_str().unwrap().to_owned()
    }

    pub fn tick(&self) {
        self.simulator.advance(REPORT);
    }

    pub async fn status(&self, region: &str, path: &str) -> String {
        let body = self.get(region, &format!("vpn/{path}?fields=status")).await;
        body.as_object().unwrap().values().next().unwrap()["status"].as_str().unwrap().to_owned()
    }

    /// A VPN service on the border router of a region.
    pub async fn service(&self, region: &str) -> Value {
        let router = self.named(region, "routers", "border-router").await;
        let (status, service) = self.post(region, "vpnservices", "vpnservice", json!({"router_id": router})).await;
        assert_eq!(status, 201);
        service
    }

    /// Everything a connection from `region` needs, ready to be sent.
    pub async fn connection(&self, region: &str, service: &Value, peer: &Value, remote: &str, ike: &str) -> Value {
        let subnet = self.named(region, "subnets", "private-subnet").await;
        let hash = json!({"auth_algorithm": "sha256", "ike_version": ike});
        let (_, ike) = self.post(region, "ikepolicies", "ikepolicy", hash).await;
        let (_, ipsec) = self.post(region, "ipsecpolicies", "ipsecpolicy", json!({"auth_algorithm": "sha256"})).await;
        let mut groups = Vec::new();
        for (kind, endpoint) in [("subnet", subnet.as_str()), ("cidr", remote)] {
            let group = json!({"type": kind, "endpoints": [endpoint]});
            groups.push(self.post(region, "endpoint-groups", "endpoint_group", group).await.1["id"].clone());
        }
        json!({"vpnservice_id": service["id"], "ikepolicy_id": ike["id"], "ipsecpolicy_id": ipsec["id"],
            "local_ep_group_id": groups[0], "peer_ep_group_id": groups[1], "psk": PSK,
            "peer_address": peer["external_v4_ip"], "peer_id": peer["external_v4_ip"]})
    }

    pub async fn connect(&self, region: &str, body: Value) -> String {
        let (status, made) = self.post(region, "ipsec-site-connections", "ipsec_site_connection", body).await;
        assert_eq!((status, &made["status"]), (201, &json!("PENDING_CREATE")), "{made}");
        format!("ipsec-site-connections/{}", made["id"].as_str().unwrap())
    }

    /// Both halves between the border routers; the paths of the connections.
    pub async fn vpn(&self) -> (String, String) {
        let (here, there) = (self.service(HLZ).await, self.service(POR).await);
        let a = self.connection(HLZ, &here, &there, "10.20.30.0/24", "v2").await;
        let b = self.connection(POR, &there, &here, "10.0.0.0/24", "v2").await;
        (self.connect(HLZ, a).await, self.connect(POR, b).await)
    }
}
