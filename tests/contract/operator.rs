//! What only a cloud's operator can do, in a real cloud: a project for the cases, its people, networks and limits.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::passcode::SECRET as TOTP_SECRET;
use super::test_project::{Person, client, must};

/// A password nobody needs to know.
const PASSWORD: &str = "Contract-1";
const CREDENTIAL: &str = "contract-credential";
const SECRET: &str = "contract-secret";
/// How long after its beginning a run is surely over.
const OVER: u64 = 3600;

/// How many projects this process has made, which makes each name one of its own.
static PROJECTS: AtomicUsize = AtomicUsize::new(0);

/// Nova is not there; Neutron takes any id.
const INSTANCE: &str = "22222222-2222-4222-8222-222222222222";

pub struct Operator {
    http: Client,
    keystone: String,
    token: String,
    catalog: Value,
    /// Addresses in Keystone of what was made there, the last first to be removed.
    made: Mutex<Vec<String>>,
    project: Mutex<String>,
    /// The ids of the security group rules every case finds.
    rules: Mutex<BTreeSet<String>>,
}

impl Operator {
    /// Signs in as `admin`.
    pub async fn enter(auth_url: &str, password: &str) -> Self {
        let http = client();
        let domain = json!({"id": "default"});
        let body = json!({"auth": {
            "identity": {"methods": ["password"],
                "password": {"user": {"name": "admin", "domain": domain, "password": password}}},
            "scope": {"project": {"name": "admin", "domain": domain}}}});
        let response = http.post(format!("{auth_url}/auth/tokens")).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 201, "admin signs in at {auth_url}");
        let token = response.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
        let catalog = response.json::<Value>().await.unwrap()["token"]["catalog"].take();
        let (made, project, rules) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { http, keystone: auth_url.to_owned(), token, catalog, made, project, rules }
    }

    async fn keystone(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        must(&self.http, &self.token, method, &format!("{}/{path}", self.keystone), body).await
    }

    async fn make(&self, collection: &str, key: &str, object: Value) -> String {
        let id = self.keystone(Method::POST, collection, Some(json!({ key: object }))).await[key]["id"].clone();
        let id = id.as_str().unwrap().to_owned();
        self.made.lock().unwrap().push(format!("{collection}/{id}"));
        id
    }

    fn neutron(&self, region: &str) -> String {
        let network = self.catalog.as_array().unwrap().iter().find(|service| service["type"] == "network").unwrap();
        let endpoints = network["endpoints"].as_array().unwrap();
        let found = endpoints.iter().find(|one| one["region_id"] == region && one["interface"] == "public");
        found.unwrap()["url"].as_str().unwrap().trim_end_matches('/').to_owned()
    }

    /// Makes a project, a member with an application credential, a reader, a member with a passcode, and what the layout
    /// says.
    pub async fn settle(&self, layout: &Value) -> ((String, String), [Person; 3], [String; 3]) {
        self.sweep(layout).await;
        let now = seconds();
        let name = format!("contract-{now}-{}-{}", PROJECTS.fetch_add(1, Ordering::Relaxed), std::process::id());
        let project = json!({"name": name, "domain_id": "default", "description": now.to_string()});
        let project = self.make("projects", "project", project).await;
        self.project.lock().unwrap().clone_from(&project);
        let mut people = Vec::new();
        let factors = json!({"multi_factor_auth_enabled": true, "multi_factor_auth_rules": [["password", "totp"]]});
        for (who, role, options) in
            [("member", "member", json!({})), ("reader", "reader", json!({})), ("guarded", "member", factors)]
        {
            let person = format!("{name}-{who}");
            let user = json!({"name": person, "domain_id": "default", "password": PASSWORD, "options": options});
            let id = self.make("users", "user", user).await;
            let roles = self.keystone(Method::GET, &format!("roles?name={role}"), None).await;
            let role = roles["roles"][0]["id"].as_str().unwrap().to_owned();
            self.keystone(Method::PUT, &format!("projects/{project}/users/{id}/roles/{role}"), None).await;
            people.push(Person { id, name: person, password: PASSWORD.to_owned(), token: String::new() });
        }
        let [member, reader, guarded]: [Person; 3] = people.try_into().unwrap();
        let totp = json!({"user_id": guarded.id, "type": "totp", "blob": TOTP_SECRET});
        self.make("credentials", "credential", totp).await;
        let credential = self.credential(&member, &project).await;
        for region in layout["regions"].as_array().unwrap() {
            self.build(region, &project).await;
        }
        ((project, name), [member, reader, guarded], credential)
    }

    /// An application credential can only be made by whom it is for.
    async fn credential(&self, member: &Person, project: &str) -> [String; 3] {
        let body = super::test_project::password(member, project);
        let response = self.http.post(format!("{}/auth/tokens", self.keystone)).json(&body).send().await.unwrap();
        let token = response.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
        let url = format!("{}/users/{}/application_credentials", self.keystone, member.id);
        let body = json!({"application_credential":
            {"name": CREDENTIAL, "secret": SECRET, "roles": [{"name": "member"}]}});
        let made = must(&self.http, &token, Method::POST, &url, Some(body)).await;
        let id = made["application_credential"]["id"].as_str().unwrap().to_owned();
        self.remember_credential(member, &id);
        [id, CREDENTIAL.to_owned(), SECRET.to_owned()]
    }

    /// A Keystone on `SQLite` does not forget the roles of a credential that went with its user, and then cannot make the
    /// next one: so each is removed by itself, before its user.
    fn remember_credential(&self, member: &Person, id: &str) {
        self.made.lock().unwrap().push(format!("users/{}/application_credentials/{id}", member.id));
    }

    /// A token that expires within seconds.
    pub async fn short_lived(&self, member: &Person, project: &str) -> String {
        let body = super::test_project::password(member, project);
        let response = self.http.post(format!("{}/auth/tokens", self.keystone)).json(&body).send().await.unwrap();
        let token = response.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
        let url = format!("{}/users/{}/application_credentials", self.keystone, member.id);
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4);
        let name = format!("short-{soon}");
        let expires = soon.strftime("%Y-%m-%dT%H:%M:%S.000000").to_string();
        let body = json!({"application_credential": {"name": name, "secret": SECRET, "expires_at": expires}});
        let made = must(&self.http, &token, Method::POST, &url, Some(body)).await;
        let id = made["application_credential"]["id"].as_str().unwrap();
        self.remember_credential(member, id);
        let credential = json!({"id": id, "secret": SECRET});
        let body = json!({"auth": {"identity": {"methods": ["application_credential"],
            "application_credential": credential}}});
        let response = self.http.post(format!("{}/auth/tokens", self.keystone)).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 201);
        response.headers()["X-Subject-Token"].to_str().unwrap().to_owned()
    }

    async fn build(&self, region: &Value, project: &str) {
        let base = self.neutron(region["id"].as_str().unwrap());
        let make = async |key: &str, object: Value| {
            let mut object = object;
            object["project_id"] = json!(project);
            let body = Some(json!({ key: object }));
            let made = must(&self.http, &self.token, Method::POST, &format!("{base}/v2.0/{key}s"), body).await;
            made[key]["id"].as_str().unwrap().to_owned()
        };
        let get =
            async |path: &str| must(&self.http, &self.token, Method::GET, &format!("{base}/v2.0/{path}"), None).await;
        let external = get("networks?router:external=true").await["networks"][0]["id"].as_str().unwrap().to_owned();
        let outside = get(&format!("subnets?network_id={external}")).await;
        let outside_v4 = outside["subnets"].as_array().unwrap().iter().find(|one| one["ip_version"] == 4).unwrap();
        let mut subnets = Vec::new();
        for network in region["networks"].as_array().unwrap() {
            let id = make("network", json!({"name": network["name"]})).await;
            for subnet in network["subnets"].as_array().unwrap() {
                let version = if subnet["cidr"].as_str().unwrap().contains(':') { 6 } else { 4 };
                let body =
                    json!({"name": subnet["name"], "cidr": subnet["cidr"], "network_id": id, "ip_version": version});
                subnets.push((subnet["name"].clone(), make("subnet", body).await));
            }
        }
        for router in region["routers"].as_array().unwrap() {
            let gateway = match router["gateway"].as_array().map(Vec::len) {
                Some(2) => json!({"network_id": external}),
                Some(_) => json!({"network_id": external, "external_fixed_ips": [{"subnet_id": outside_v4["id"]}]}),
                None => Value::Null,
            };
            let id = make("router", json!({"name": router["name"], "external_gateway_info": gateway})).await;
            for name in router["subnets"].as_array().into_iter().flatten() {
                let (_, subnet) = subnets.iter().find(|(found, _)| found == name).unwrap();
                let url = format!("{base}/v2.0/routers/{id}/add_router_interface");
                must(&self.http, &self.token, Method::PUT, &url, Some(json!({"subnet_id": subnet}))).await;
            }
        }
        self.populate(&base, region, project).await;
    }

    /// Makes the security groups of a region, and a port for each instance, as Nova would.
    async fn populate(&self, base: &str, region: &Value, project: &str) {
        let make = async |collection: &str, key: &str, mut object: Value| {
            object["project_id"] = json!(project);
            let url = format!("{base}/v2.0/{collection}");
            must(&self.http, &self.token, Method::POST, &url, Some(json!({ key: object }))).await[key].take()
        };
        for group in region["security_groups"].as_array().into_iter().flatten() {
            let body = json!({"name": group["name"], "description": group["description"]});
            let id = make("security-groups", "security_group", body).await["id"].take();
            for rule in group["rules"].as_array().unwrap() {
                let mut rule = rule.clone();
                rule["security_group_id"] = id.clone();
                make("security-group-rules", "security_group_rule", rule).await;
            }
        }
        // A project has the group default from its first network on.
        let groups = self.of(base, project, "security-groups").await;
        let subnets = self.of(base, project, "subnets").await;
        for instance in region["instances"].as_array().into_iter().flatten() {
            let subnet = subnets.iter().find(|subnet| subnet["name"] == instance["subnet"]).unwrap();
            let names = instance["groups"].as_array().into_iter().flatten();
            let ids = names.map(|name| &groups.iter().find(|group| group["name"] == *name).unwrap()["id"]);
            let body = json!({"name": instance["name"], "network_id": subnet["network_id"],
                "device_id": INSTANCE, "device_owner": "compute:nova",
                "fixed_ips": [{"subnet_id": subnet["id"], "ip_address": instance["address"]}],
                "port_security_enabled": instance["port_security"] != false,
                "security_groups": ids.collect::<Vec<_>>()});
            make("ports", "port", body).await;
        }
        let rules = self.of(base, project, "security-group-rules").await;
        self.rules.lock().unwrap().extend(rules.iter().map(|rule| rule["id"].as_str().unwrap().to_owned()));
    }

    pub async fn limit(&self, neutron: &str, project: &str, quota: &str, limit: i64) {
        let url = format!("{neutron}/v2.0/quotas/{project}");
        must(&self.http, &self.token, Method::PUT, &url, Some(json!({"quota": {quota: limit}}))).await;
    }

    async fn of(&self, neutron: &str, project: &str, path: &str) -> Vec<Value> {
        let all = must(&self.http, &self.token, Method::GET, &format!("{neutron}/v2.0/{path}"), None).await;
        let all = all.as_object().unwrap().values().next().unwrap().as_array().unwrap().clone();
        all.into_iter().filter(|object| object["project_id"] == project).collect()
    }

    async fn delete_all(&self, neutron: &str, project: &str, path: &str) {
        for object in self.of(neutron, project, path).await {
            let url = format!("{neutron}/v2.0/{path}/{}", object["id"].as_str().unwrap());
            must(&self.http, &self.token, Method::DELETE, &url, None).await;
        }
    }

    /// Removes the VPN objects, the added security group rules and the limits of a project.
    pub async fn clear(&self, neutron: &str, project: &str) {
        let order = ["ipsec-site-connections", "vpnservices", "endpoint-groups", "ikepolicies", "ipsecpolicies"];
        for collection in order {
            self.delete_all(neutron, project, &format!("vpn/{collection}")).await;
        }
        for rule in self.of(neutron, project, "security-group-rules").await {
            let id = rule["id"].as_str().unwrap();
            if !self.rules.lock().unwrap().contains(id) {
                let url = format!("{neutron}/v2.0/security-group-rules/{id}");
                must(&self.http, &self.token, Method::DELETE, &url, None).await;
            }
        }
        // It answers 404 if no limit was set.
        let url = format!("{neutron}/v2.0/quotas/{project}");
        let _ = self.http.delete(url).header("X-Auth-Token", &self.token).send().await.unwrap();
    }

    /// Removes what a project has in a region.
    async fn raze(&self, neutron: &str, project: &str) {
        self.clear(neutron, project).await;
        for router in self.of(neutron, project, "routers").await {
            let id = router["id"].as_str().unwrap();
            for port in self.of(neutron, project, "ports").await.iter().filter(|port| port["device_id"] == id) {
                let url = format!("{neutron}/v2.0/routers/{id}/remove_router_interface");
                must(&self.http, &self.token, Method::PUT, &url, Some(json!({"port_id": port["id"]}))).await;
            }
        }
        for collection in ["routers", "ports", "subnets", "networks"] {
            self.delete_all(neutron, project, collection).await;
        }
        let groups = self.of(neutron, project, "security-groups").await;
        for group in groups {
            let url = format!("{neutron}/v2.0/security-groups/{}", group["id"].as_str().unwrap());
            must(&self.http, &self.token, Method::DELETE, &url, None).await;
        }
    }

    pub async fn leave(&self, neutrons: [&str; 2]) {
        let project = self.project.lock().unwrap().clone();
        for neutron in neutrons {
            self.raze(neutron, &project).await;
        }
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        for path in made.iter().rev() {
            self.keystone(Method::DELETE, path, None).await;
        }
    }

    /// Removes what runs that were killed have left behind.
    async fn sweep(&self, layout: &Value) {
        let projects = self.keystone(Method::GET, "projects", None).await;
        let started = |project: &Value| project["description"].as_str()?.parse::<u64>().ok();
        for project in projects["projects"].as_array().unwrap() {
            let name = project["name"].as_str().unwrap();
            let is_over = started(project).is_some_and(|then| then + OVER < seconds() || has_died(name));
            if !(name.starts_with("contract-") && is_over) {
                continue;
            }
            for region in layout["regions"].as_array().unwrap() {
                let neutron = self.neutron(region["id"].as_str().unwrap());
                self.raze(&neutron, project["id"].as_str().unwrap()).await;
            }
            let users = self.keystone(Method::GET, "users", None).await;
            for user in users["users"].as_array().unwrap() {
                if user["name"].as_str().unwrap().starts_with(&format!("{name}-")) {
                    let user = format!("users/{}", user["id"].as_str().unwrap());
                    let path = format!("{user}/application_credentials");
                    let credentials = self.keystone(Method::GET, &path, None).await;
                    for one in credentials["application_credentials"].as_array().unwrap() {
                        let path = format!("{path}/{}", one["id"].as_str().unwrap());
                        self.keystone(Method::DELETE, &path, None).await;
                    }
                    self.keystone(Method::DELETE, &user, None).await;
                }
            }
            self.keystone(Method::DELETE, &format!("projects/{}", project["id"].as_str().unwrap()), None).await;
        }
    }
}

/// Whether the process that made a project, whose number stands last in its name, is gone; false where that cannot be
/// told.
fn has_died(project: &str) -> bool {
    let process = project.rsplit('-').next().unwrap_or_default();
    Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists()
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
