//! The ground every case stands on, the same in the simulator and in a real cloud: one project with a member, a reader
//! and a member who signs in with a passcode too, and the routers and subnets of `cloud.json`.

use std::sync::LazyLock;
use std::time::Duration;

use osvpn::simulator::{
    CREDENTIAL_NAME, CREDENTIAL_SECRET, PASSCODE, PASSWORD, Release, Seed, Simulator, SimulatorSettings,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::mask::Mask;
use super::operator::Operator;
use super::passcode;
use super::recorder::{A, Answer, B, Stage};

/// Longer than any case takes: in the simulator time passes only by [`Ground::tick`].
const REPORT: Duration = Duration::from_secs(600);
const LAYOUT: &str = include_str!("cloud.json");

/// Somebody who is signed in.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub password: String,
    pub token: String,
}

pub struct Ground {
    pub auth_url: String,
    pub http: Client,
    pub project_id: String,
    pub project_name: String,
    pub member: Person,
    pub reader: Person,
    /// Whose sign-in takes a passcode besides the password.
    pub guarded: Person,
    /// Id, name and secret of the member's application credential.
    pub credential: [String; 3],
    /// Address of Neutron, by region.
    neutron: Vec<(String, String)>,
    /// What stands there from the start: region, name, id.
    pub places: Vec<(String, String, String)>,
    /// What the API is known to show and must not be recorded.
    pub mask: Mask,
    pub side: Side,
}

/// What can be done to a cloud besides using it.
pub enum Side {
    Simulated(Simulator),
    Real(Operator),
}

impl Ground {
    /// A simulated cloud of that release.
    pub async fn simulated(release: Release) -> Self {
        let settings = SimulatorSettings {
            release,
            report_interval: REPORT,
            negotiation: Duration::from_secs(1),
            seed: Seed::Json(LAYOUT.to_owned()),
            ..SimulatorSettings::default()
        };
        let simulator = Simulator::start(settings).await.unwrap();
        let person = |name: &str| Person { name: name.to_owned(), password: PASSWORD.to_owned(), ..Person::default() };
        let (auth_url, project_id) = (simulator.auth_url(), simulator.project_id());
        let credential = [&simulator.credential_id(), CREDENTIAL_NAME, CREDENTIAL_SECRET].map(ToOwned::to_owned);
        let people = [person("demo"), person("demo-reader"), person("demo-mfa")];
        Self::enter(auth_url, (project_id, "demo".to_owned()), people, credential, Side::Simulated(simulator)).await
    }

    /// A project of its own in a real cloud, which [`Ground::leave`] removes again.
    pub async fn real(auth_url: &str, admin_password: &str) -> Self {
        let operator = Operator::enter(auth_url, admin_password).await;
        let layout: Value = serde_json::from_str(LAYOUT).unwrap();
        let (project, people, credential) = operator.settle(&layout).await;
        Self::enter(auth_url.to_owned(), project, people, credential, Side::Real(operator)).await
    }

    async fn enter(
        auth_url: String,
        (project_id, project_name): (String, String),
        people: [Person; 3],
        credential: [String; 3],
        side: Side,
    ) -> Self {
        let [member, reader, guarded] = people;
        let http = client();
        let mut ground = Self {
            auth_url,
            http,
            project_id,
            project_name,
            member,
            reader,
            guarded,
            credential,
            neutron: Vec::new(),
            places: Vec::new(),
            mask: Mask::default(),
            side,
        };
        ground.guarded.id = ground.id_by_receipt(&ground.guarded).await;
        let (token, described) = ground.sign_in(&ground.member.clone()).await;
        ground.member.token = token;
        ground.member.id = described["user"]["id"].as_str().unwrap().to_owned();
        let (token, reader) = ground.sign_in(&ground.reader.clone()).await;
        ground.reader.token = token;
        ground.reader.id = reader["user"]["id"].as_str().unwrap().to_owned();
        let catalog = described["catalog"].as_array().unwrap();
        for endpoint in
            catalog.iter().filter(|one| one["type"] == "network").flat_map(|one| one["endpoints"].as_array().unwrap())
        {
            if endpoint["interface"] == "public" {
                let url = endpoint["url"].as_str().unwrap().trim_end_matches('/').to_owned();
                ground.neutron.push((endpoint["region_id"].as_str().unwrap().to_owned(), url));
            }
        }
        ground.look_around().await;
        ground
    }

    /// A token for somebody, and what it says.
    pub async fn sign_in(&self, person: &Person) -> (String, Value) {
        let body = password(person, &self.project_id);
        let response = self.http.post(format!("{}/auth/tokens", self.auth_url)).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 201, "{} signs in", person.name);
        let token = response.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
        (token, response.json::<Value>().await.unwrap()["token"].take())
    }

    /// The id of somebody whose password is not enough.
    async fn id_by_receipt(&self, person: &Person) -> String {
        let body = password(person, &self.project_id);
        let response = self.http.post(format!("{}/auth/tokens", self.auth_url)).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 401, "{} needs a passcode", person.name);
        response.json::<Value>().await.unwrap()["receipt"]["user"]["id"].as_str().unwrap().to_owned()
    }

    /// The passcode of so many half minutes from now. The simulator's is the same at all times, and good for the times a
    /// Keystone takes: now and one before.
    pub async fn passcode(&self, steps: i64) -> String {
        match self.side {
            Side::Simulated(_) if matches!(steps, -1 | 0) => PASSCODE.to_owned(),
            Side::Simulated(_) => "000000".to_owned(),
            Side::Real(_) => {
                // It must be as old when it arrives as when it was computed.
                while passcode::left() < 8 {
                    self.tick().await;
                }
                passcode::passcode(steps)
            }
        }
    }

    /// The name of a project the guarded person has no role in.
    pub fn foreign_project(&self) -> &'static str {
        if matches!(self.side, Side::Simulated(_)) { "other" } else { "admin" }
    }

    /// Learns the ids of what stands there, and names them for the record.
    async fn look_around(&mut self) {
        let mut mask = Mask::default();
        mask.name(self.auth_url.trim_end_matches("/v3"), "keystone");
        mask.name(self.auth_url.trim_end_matches("/v3").trim_start_matches("http://"), "keystone host");
        for (region, url) in &self.neutron {
            mask.name(url, &format!("neutron {region}"));
        }
        for (region, url) in &self.neutron {
            mask.name(url.trim_start_matches("http://"), &format!("neutron host {region}"));
        }
        for (value, name) in [
            (&self.project_id, "project"),
            (&self.member.id, "member id"),
            (&self.reader.id, "reader id"),
            (&self.guarded.id, "guarded id"),
            (&self.credential[0], "credential"),
            (&self.credential[1], "credential name"),
            // The simulator's member and project have the same name.
            (&self.project_name, "name"),
            (&self.member.name, "name"),
            (&self.reader.name, "reader"),
            (&self.guarded.name, "guarded"),
        ] {
            mask.name(value, name);
        }
        for region in [A, B] {
            let side = if region == A { "A" } else { "B" };
            let routers = self.all(region, "routers").await;
            for router in &routers {
                let name = router["name"].as_str().unwrap();
                let addresses = router["external_gateway_info"]["external_fixed_ips"].as_array();
                for address in addresses.into_iter().flatten() {
                    let address = address["ip_address"].as_str().unwrap();
                    let family = if address.contains(':') { "v6" } else { "v4" };
                    mask.name(address, &format!("{side} {name} {family}"));
                }
            }
            for collection in ["routers", "networks", "subnets", "security-groups", "ports"] {
                for object in self.all(region, collection).await {
                    let (name, id) = (object["name"].as_str().unwrap(), object["id"].as_str().unwrap());
                    // A router's port has no name.
                    if name.is_empty() {
                        continue;
                    }
                    mask.name(id, &format!("{side} {name}"));
                    if object["router:external"] == true && collection == "subnets" {
                        mask.name(object["cidr"].as_str().unwrap(), &format!("range of {side} {name}"));
                    }
                    self.places.push((region.to_owned(), name.to_owned(), id.to_owned()));
                }
            }
        }
        self.mask = mask;
    }

    async fn all(&self, region: &str, collection: &str) -> Vec<Value> {
        let url = format!("{}/v2.0/{collection}", self.neutron(region));
        let response = self.http.get(url).header("X-Auth-Token", &self.member.token).send().await.unwrap();
        response.json::<Value>().await.unwrap()[collection.replace('-', "_")].as_array().unwrap().clone()
    }

    /// The address of a region's Neutron.
    pub fn neutron(&self, region: &str) -> &str {
        self.neutron.iter().find(|(found, _)| found == region).map(|(_, url)| url.as_str()).unwrap()
    }

    /// The id of a router, network, subnet, security group or instance's port of `cloud.json`.
    pub fn id(&self, region: &str, name: &str) -> &str {
        let found = self.places.iter().find(|(r, n, _)| r == region && n == name);
        found.map_or_else(|| panic!("there is no {name} in {region}"), |(_, _, id)| id.as_str())
    }

    /// Whether what is waited for has had its time: lets a round of the agents' reports pass where that can be done, and
    /// waits a little elsewhere.
    pub async fn tick(&self) {
        match &self.side {
            Side::Simulated(simulator) => simulator.advance(REPORT),
            Side::Real(_) => tokio::time::sleep(Duration::from_millis(250)).await,
        }
    }

    /// How many ticks it takes to be sure that nothing more will come.
    pub fn patience(&self) -> usize {
        match self.side {
            Side::Simulated(_) => 4,
            Side::Real(_) => 100,
        }
    }

    /// What Neutron says to a token whose time is over. In a real cloud that takes an application credential which is about
    /// to expire, because its tokens expire with it.
    pub async fn expired_token(&self, stage: &Stage) -> (String, Answer) {
        let (mut token, _) = self.sign_in(&self.member.clone()).await;
        match &self.side {
            Side::Simulated(simulator) => simulator.expire_tokens(),
            Side::Real(operator) => token = operator.short_lived(&self.member.clone(), &self.project_id).await,
        }
        let url = format!("{}/v2.0/routers", self.neutron(A));
        let mut answer = stage.exchange(Method::GET, &url, &[("X-Auth-Token", &token)], None).await;
        for _ in 0..60 {
            if answer.status == 401 {
                break;
            }
            self.tick().await;
            answer = stage.exchange(Method::GET, &url, &[("X-Auth-Token", &token)], None).await;
        }
        (token, answer)
    }

    /// Lets time pass until a receipt should be over; whether it is, its Keystone says.
    pub async fn outlive_receipts(&self) {
        match &self.side {
            Side::Simulated(simulator) => simulator.advance(Duration::from_secs(301)),
            Side::Real(_) => self.tick().await,
        }
    }

    /// Limits how many objects of a kind the project may have.
    pub async fn limit(&self, region: &str, quota: &str, limit: i64) {
        match &self.side {
            Side::Simulated(simulator) => {
                simulator.reconfigure(|settings| _ = settings.quotas.insert(quota.to_owned(), limit));
            }
            Side::Real(operator) => operator.limit(self.neutron(region), &self.project_id, quota, limit).await,
        }
    }

    /// Removes every VPN object of the project, and every limit: what a case made, whether or not it got to its end.
    pub async fn clear(&self) {
        if let Side::Real(operator) = &self.side {
            for region in [A, B] {
                operator.clear(self.neutron(region), &self.project_id).await;
            }
        }
    }

    /// Removes the project.
    pub async fn leave(&self) {
        if let Side::Real(operator) = &self.side {
            self.clear().await;
            operator.leave([A, B].map(|region| self.neutron(region))).await;
        }
    }
}

/// A client that does not keep connections: a server may hang up just when the next request is sent. There is one for
/// all, because it takes long to make one.
pub fn client() -> Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::builder().pool_max_idle_per_host(0).build().unwrap());
    CLIENT.clone()
}

/// The body of a sign-in with a password, scoped to a project.
pub fn password(person: &Person, project: &str) -> Value {
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user":
            {"name": person.name, "domain": {"id": "default"}, "password": person.password}}},
        "scope": {"project": {"id": project}}}})
}

/// The same with a passcode instead of the password.
pub fn totp(person: &Person, passcode: &str, project: &str) -> Value {
    let mut body = password(person, project);
    body["auth"]["identity"] = json!({"methods": ["totp"], "totp": {"user":
        {"name": person.name, "domain": {"id": "default"}, "passcode": passcode}}});
    body
}

/// Sends a request that must be answered well, and returns the answer's body. A cloud on `SQLite` now and then finds its
/// database locked, and is asked again.
pub async fn must(http: &Client, token: &str, method: Method, url: &str, body: Option<Value>) -> Value {
    let mut said = String::new();
    for _ in 0..3 {
        let request = http.request(method.clone(), url).header("X-Auth-Token", token);
        let response = body.iter().fold(request, reqwest::RequestBuilder::json).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        if status.is_success() {
            return serde_json::from_str(&text).unwrap_or_default();
        }
        said = format!("{status} {text}");
        if !status.is_server_error() {
            break;
        }
    }
    panic!("{method} {url}: {said}")
}
