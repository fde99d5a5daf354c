//! Where a case takes place: a cloud, somebody signed in to it, and a record of what was asked and answered.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use osvpn::cloud::credentials::Sources;
use osvpn::cloud::http::Limits;
use osvpn::cloud::keystone::SignIn;
use osvpn::cloud::{Cloud, Credentials, Error, Region, RegionId};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::mask::Mask;
use super::test_project::{Ground, Person};

pub const A: &str = "nz-hlz-1";
pub const B: &str = "nz-por-1";
pub const PSK: &str = "0123456789abcdefghijABCDEFGHIJ";
/// A well-formed id no object has.
pub const NOBODY: &str = "11111111-1111-4111-8111-111111111111";
/// Documentation's own address, where no peer is.
pub const NOWHERE: &str = "192.0.2.99";

#[derive(Clone)]
pub struct Stage {
    pub ground: Arc<Ground>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    mask: Mask,
    lines: Vec<String>,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Stage {
    pub fn new(ground: Arc<Ground>) -> Self {
        let seen = Seen { mask: ground.mask.clone(), lines: Vec::new() };
        Self { ground, seen: Arc::new(Mutex::new(seen)) }
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen().lines.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Records a line.
    pub fn note(&self, line: impl AsRef<str>) {
        let mut seen = self.seen();
        let line = seen.mask.text(line.as_ref());
        seen.lines.push(line);
    }

    /// Asks Neutron of a region as the member, and records the answer.
    pub async fn ask(&self, method: Method, region: &str, path: &str, body: Option<Value>) -> Answer {
        self.ask_as(&self.ground.member, method, region, path, body).await
    }

    pub async fn ask_as(
        &self,
        person: &Person,
        method: Method,
        region: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let answer = self.send(person, method.clone(), region, path, body.clone()).await;
        self.note_request(&format!("{method} {path}"), body.as_ref());
        self.note_answer(&answer);
        answer
    }

    /// Asks without recording; what it needs to go well must go well.
    pub async fn quietly(&self, method: Method, region: &str, path: &str, body: Option<Value>) -> Value {
        let asked = format!("{method} {path} {}", body.as_ref().map_or(String::new(), Value::to_string));
        let answer = self.send(&self.ground.member, method, region, path, body).await;
        assert!(answer.status < 300, "{asked}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Asks without recording, and wants a good answer.
    pub async fn send_quietly(&self, region: &str, path: &str) -> Value {
        self.quietly(Method::GET, region, path, None).await
    }

    /// Asks and records the request, but not the answer.
    pub async fn send_recorded(&self, region: &str, path: &str) -> Answer {
        self.note_request(&format!("GET {path}"), None);
        self.send(&self.ground.member, Method::GET, region, path, None).await
    }

    /// Tries to make an object, without recording.
    pub async fn try_make(&self, region: &str, collection: &str, object: Value) -> Answer {
        let body = Some(json!({ singular(collection): object }));
        self.send(&self.ground.member, Method::POST, region, &format!("vpn/{collection}"), body).await
    }

    /// The status of an object.
    pub async fn status(&self, region: &str, path: &str) -> String {
        let body = self.send_quietly(region, &format!("{path}?fields=status")).await;
        body.as_object().unwrap().values().next().unwrap()["status"].as_str().unwrap().to_owned()
    }

    /// Waits for a status, and notes it if it does not come.
    pub async fn until(&self, region: &str, path: &str, wanted: impl Fn(&str) -> bool) {
        let mut status = self.status(region, path).await;
        for _ in 0..4 * self.ground.patience() {
            if wanted(&status) {
                return;
            }
            self.ground.tick().await;
            status = self.status(region, path).await;
        }
        self.note(format!("{path} stays {status}"));
    }

    /// A body as it would be recorded.
    pub fn masked(&self, body: &Value) -> String {
        self.seen().mask.json(body)
    }

    async fn send(&self, person: &Person, method: Method, region: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}/v2.0/{path}", self.ground.neutron(region));
        let text = body.as_ref().map(Value::to_string);
        self.exchange(method, &url, &[("X-Auth-Token", &person.token)], text).await
    }

    /// Any request at all, not recorded. An object it made has a name from then on.
    pub async fn exchange(&self, method: Method, url: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let request = self.ground.http.request(method, url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match body {
            Some(body) => request.header("Content-Type", "application/json").body(body),
            None => request,
        };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::from(text)) };
        if let Some((kind, object)) = body.as_object().filter(|_| status == 201).and_then(|body| body.iter().next()) {
            self.seen().mask.number(object["id"].as_str().unwrap_or_default(), kind);
        }
        Answer { status, headers, body }
    }

    pub fn note_request(&self, request: &str, body: Option<&Value>) {
        let body = body.map_or(String::new(), |body| format!(" {body}"));
        self.note(format!("> {request}{body}"));
    }

    pub fn note_answer(&self, answer: &Answer) {
        let body = match &answer.body {
            Value::Null => String::new(),
            Value::String(text) => format!(" {}", text.split_whitespace().collect::<Vec<_>>().join(" ")),
            body => format!(" {}", self.seen().mask.json(body)),
        };
        self.note(format!("< {}{body}", answer.status));
    }

    /// Records what the project's own client makes of it.
    pub fn note_outcome<T: std::fmt::Debug>(&self, what: &str, outcome: &Result<T, Error>) {
        match outcome {
            Ok(value) => self.note(format!("{what}: {value:?}")),
            Err(error) => {
                let Error { kind, message, neutron_type, status, request, .. } = error;
                // Where Neutron begins is the cloud's affair.
                let base = reqwest::Url::parse(self.ground.neutron(A)).unwrap().path().trim_end_matches('/').to_owned();
                let request = request.as_deref().unwrap_or_default().replace(&base, "");
                self.note(format!("{what}: {kind:?}, {status:?} {neutron_type:?}, {request}"));
                self.note(format!("  says: {message}"));
                self.note(format!("  hint: {}", error.hint().unwrap_or("none")));
                self.note(format!("  transient: {}, doubtful: {}", error.is_transient(), error.is_doubtful()));
            }
        }
    }

    /// The project's own client, signed in with the `OS_*` variables given besides the usual ones.
    pub async fn sign_in(&self, variables: &[(&str, &str)]) -> Result<Cloud, Error> {
        match Cloud::begin(&self.credentials(variables), Limits::default()).await? {
            SignIn::Done(cloud) => Ok(cloud),
            SignIn::SecondFactor(receipt) => panic!("a second factor is asked for: {receipt:?}"),
        }
    }

    /// The same where a second factor that is asked for is the outcome.
    pub async fn try_sign_in(&self, variables: &[(&str, &str)]) -> Result<Cloud, Error> {
        Cloud::sign_in(&self.credentials(variables)).await
    }

    /// The same with somebody who can be asked.
    pub async fn sign_in_as(&self, variables: &[(&str, &str)], asked: osvpn::cloud::Person) -> Result<Cloud, Error> {
        Cloud::sign_in_with(&self.credentials(variables), Limits::default(), asked).await
    }

    fn credentials(&self, variables: &[(&str, &str)]) -> Credentials {
        let common = [("OS_AUTH_URL", self.ground.auth_url.as_str()), ("OS_REGION_NAME", A)];
        let variables = common.iter().chain(variables);
        let vars: BTreeMap<_, _> = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Credentials::find(&Sources::new(vars, PathBuf::from("/nowhere"), None), None).unwrap().credentials
    }

    /// The project's own client in a region, as the member.
    pub async fn client(&self, region: &str) -> Region {
        let Person { name, password, .. } = &self.ground.member;
        self.client_with(region, &[("OS_USERNAME", name), ("OS_PASSWORD", password)]).await
    }

    pub async fn client_with(&self, region: &str, who: &[(&str, &str)]) -> Region {
        let project = [("OS_PROJECT_ID", self.ground.project_id.as_str()), ("OS_USER_DOMAIN_ID", "default")];
        let cloud = self.sign_in(&[&project, who].concat()).await.unwrap();
        cloud.region(&RegionId::new(region)).unwrap()
    }

    /// Makes an object quietly and returns it.
    pub async fn make(&self, region: &str, collection: &str, object: Value) -> Value {
        let key = singular(collection);
        let path = format!("vpn/{collection}");
        self.quietly(Method::POST, region, &path, Some(json!({ key: object }))).await[key].clone()
    }

    /// A VPN service on the border router.
    pub async fn service(&self, region: &str) -> Value {
        let router = self.ground.id(region, "border-router");
        self.make(region, "vpnservices", json!({"name": "service", "router_id": router})).await
    }

    /// All a connection needs, ready to be sent.
    pub async fn sound(&self, region: &str, service: &Value, peer: &str, remote: &[&str]) -> Value {
        let subnet = self.ground.id(region, "private-subnet");
        let hash = json!({"auth_algorithm": "sha256", "encryption_algorithm": "aes-256", "pfs": "group14"});
        let mut ike = hash.clone();
        ike["ike_version"] = json!("v2");
        let ike = self.make(region, "ikepolicies", ike).await;
        let ipsec = self.make(region, "ipsecpolicies", hash).await;
        let local = self.group(region, "subnet", &[subnet]).await;
        let peers = self.group(region, "cidr", remote).await;
        json!({"name": "connection", "vpnservice_id": service["id"], "ikepolicy_id": ike["id"],
            "ipsecpolicy_id": ipsec["id"], "local_ep_group_id": local["id"], "peer_ep_group_id": peers["id"],
            "psk": PSK, "peer_address": peer, "peer_id": peer})
    }

    pub async fn group(&self, region: &str, kind: &str, endpoints: &[&str]) -> Value {
        self.make(region, "endpoint-groups", json!({"type": kind, "endpoints": endpoints})).await
    }
}

/// The key around one object of a collection.
pub fn singular(collection: &str) -> &'static str {
    match collection {
        "vpnservices" => "vpnservice",
        "ikepolicies" => "ikepolicy",
        "ipsecpolicies" => "ipsecpolicy",
        "endpoint-groups" => "endpoint_group",
        "ipsec-site-connections" => "ipsec_site_connection",
        other => panic!("no such collection: {other}"),
    }
}

/// A connection's or any other object's path.
pub fn path(collection: &str, object: &Value) -> String {
    format!("vpn/{collection}/{}", object["id"].as_str().unwrap())
}

/// A JSON object with some of its keys changed; null keys stay, and `"-"` takes a key away.
pub fn with(object: &Value, changes: &Value) -> Value {
    let mut object = object.as_object().unwrap().clone();
    for (key, value) in changes.as_object().unwrap() {
        if value == "-" {
            object.remove(key);
        } else {
            object.insert(key.clone(), value.clone());
        }
    }
    Value::Object(object)
}
