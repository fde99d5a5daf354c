//! A real cloud as a scenario has it: alone, without VPNs, and left so.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::pty::Pty;

pub const A: &str = "nz-hlz-1";
pub const B: &str = "nz-por-1";
/// The collections of the VPN API, and what each calls its list.
pub const COLLECTIONS: [(&str, &str); 5] = [
    ("vpnservices", "vpnservices"),
    ("ikepolicies", "ikepolicies"),
    ("ipsecpolicies", "ipsecpolicies"),
    ("endpoint-groups", "endpoint_groups"),
    ("ipsec-site-connections", "ipsec_site_connections"),
];

/// The clouds there may be, and whose turn it is: the release, the variable with the address of its Keystone.
static CLOUDS: [(&str, &str, Mutex<()>); 2] =
    [("2026.2", "OSVPN_CONTRACT_2026_2", Mutex::new(())), ("2026.1", "OSVPN_CONTRACT_2026_1", Mutex::new(()))];

/// Plays a scenario in every cloud there is, side by side; scenarios take turns in a cloud.
pub fn in_each(scenario: fn(&RealCloud)) {
    let there = CLOUDS.iter().filter_map(|(release, variable, turn)| Some((*release, set(variable)?, turn)));
    let there: Vec<_> = there.collect();
    if there.is_empty() {
        return skip("no real cloud: tests/openstack/check starts one and says where it is");
    }
    std::thread::scope(|threads| {
        let play = |(release, url, turn)| threads.spawn(move || scenario(&RealCloud::enter(release, url, turn)));
        let playing: Vec<_> = there.into_iter().map(play).collect();
        let failed = playing.into_iter().filter_map(|thread| thread.join().err()).count();
        assert_eq!(failed, 0, "clouds where it failed");
    });
}

/// The same where agents negotiate real tunnels.
pub fn in_each_with_tunnels(scenario: fn(&RealCloud)) {
    if set("OSVPN_CONTRACT_NEGOTIATES").is_some() {
        in_each(scenario);
    } else {
        skip("no real tunnels: OSVPN_TEST_AGENT=strongswan tests/openstack/check has them");
    }
}

fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// Says past the test harness, which keeps what a passing test prints, why nothing was tested.
fn skip(reason: &str) {
    assert!(set("OSVPN_REQUIRE_REAL").is_none(), "not to be skipped: {reason}");
    say(&format!("skipped: {reason}"));
}

/// Prints a line, past the test harness.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{line}").unwrap();
}

pub struct RealCloud {
    pub release: &'static str,
    pub home: TempDir,
    pub auth_url: String,
    pub runtime: Runtime,
    http: Client,
    token: String,
    project: String,
    neutron: BTreeMap<String, String>,
    _turn: MutexGuard<'static, ()>,
}

impl RealCloud {
    fn enter(release: &'static str, auth_url: String, turn: &'static Mutex<()>) -> Self {
        let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut cloud = Self {
            release,
            home: tempfile::tempdir().unwrap(),
            auth_url,
            runtime: Runtime::new().unwrap(),
            // A server may hang up a connection that was kept just when it is used again.
            http: Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap(),
            token: String::new(),
            project: String::new(),
            neutron: BTreeMap::new(),
            _turn: turn,
        };
        cloud.reset();
        cloud.sign_in();
        cloud
    }

    fn sign_in(&mut self) {
        let domain = json!({"id": "default"});
        let body = json!({"auth": {
            "identity": {"methods": ["password"],
                "password": {"user": {"name": "demo", "domain": domain, "password": "demo"}}},
            "scope": {"project": {"name": "demo", "domain": domain}}}});
        let request = self.http.post(format!("{}/auth/tokens", self.auth_url)).json(&body);
        let (token, said) = self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let token = answer.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
            (token, answer.json::<Value>().await.unwrap()["token"].take())
        });
        let catalog = said["catalog"].as_array().unwrap().iter();
        let network = catalog.filter(|service| service["type"] == "network");
        for endpoint in network.flat_map(|service| service["endpoints"].as_array().unwrap()) {
            let url = endpoint["url"].as_str().unwrap().trim_end_matches('/').to_owned();
            self.neutron.insert(endpoint["region_id"].as_str().unwrap().to_owned(), url);
        }
        said["project"]["id"].as_str().unwrap().clone_into(&mut self.project);
        self.token = token;
    }

    /// The address of its Keystone.
    pub fn auth_url(&self) -> &str {
        &self.auth_url
    }

    /// All objects of a collection (`routers`, `vpn/ikepolicies`) of a region, as the API shows them.
    pub fn list(&self, region: &str, collection: &str) -> Vec<Value> {
        let url = format!("{}/v2.0/{collection}", self.neutron[region]);
        let request = self.http.get(url).header("X-Auth-Token", &self.token);
        let mut answer: Value = self.runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() });
        let key = collection.rsplit('/').next().unwrap().replace('-', "_");
        let Some(list) = answer[key].as_array_mut() else { panic!("{collection} of {region}: {answer}") };
        std::mem::take(list)
    }

    /// Every VPN object of both regions, as the API shows it but for the order.
    pub fn objects(&self) -> Vec<Value> {
        let each = [A, B].into_iter().flat_map(|region| COLLECTIONS.map(|(collection, _)| (region, collection)));
        let listed = each.flat_map(|(region, collection)| self.list(region, &format!("vpn/{collection}")));
        let mut objects: Vec<Value> = listed.collect();
        objects.sort_by_key(|object| object["id"].to_string());
        objects
    }

    /// The VPN objects of a region by collection and name, with what differs from run to run taken out: an id is the
    /// name of what has it, the id in a mark is `ID`, and a key as osvpn makes them is `KEY`.
    pub fn told(&self, region: &str) -> Value {
        let mut names = vec![(self.project.clone(), "demo".to_owned())];
        let mut remember = |object: &Value| {
            names.push((object["id"].as_str().unwrap().to_owned(), object["name"].as_str().unwrap().to_owned()));
        };
        for collection in ["routers", "subnets"] {
            self.list(region, collection).iter().for_each(&mut remember);
        }
        let collections = COLLECTIONS.map(|(collection, key)| (key, self.list(region, &format!("vpn/{collection}"))));
        collections.iter().flat_map(|(_, objects)| objects).for_each(&mut remember);
        let told = collections.into_iter().map(|(key, mut objects)| {
            objects.sort_by_key(|object| object["name"].to_string());
            for object in &mut objects {
                if object["psk"].as_str().is_some_and(is_a_key) {
                    object["psk"] = json!("KEY");
                }
                if let Some((id, half)) = object["description"].as_str().and_then(mark) {
                    object["description"] = json!(format!("osvpn:{}:{half}", if id.len() == 8 { "ID" } else { id }));
                }
            }
            (key.to_owned(), Value::from(objects))
        });
        let text = Value::Object(told.collect()).to_string();
        let text =
            names.iter().fold(text, |text, (id, name)| text.replace(&format!("\"{id}\""), &format!("\"{name}\"")));
        serde_json::from_str(&text).unwrap()
    }

    /// What osvpn needs to sign in as the user demo.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let named = [
            ("OS_AUTH_URL", self.auth_url.as_str()),
            ("OS_USERNAME", "demo"),
            ("OS_PASSWORD", "demo"),
            ("OS_PROJECT_NAME", "demo"),
            ("OS_USER_DOMAIN_NAME", "Default"),
            ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ];
        named.map(|(name, value)| (name, value.to_owned())).into()
    }

    /// osvpn in a terminal.
    pub fn osvpn(&self, args: &[&str], more: &[(&'static str, &str)]) -> Pty {
        let mut variables = self.environment();
        variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Pty::start(self.home.path(), args, &variables)
    }

    /// osvpn without a terminal, to its end.
    pub fn headless(&self, args: &[&str]) -> Output {
        self.headless_at(self.home.path(), args)
    }

    /// The same for somebody with another home directory.
    pub fn headless_at(&self, home: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osvpn"));
        command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").current_dir(self.home.path());
        // Not in the foreground of the terminal the tests may be run from.
        command.process_group(0);
        command.envs(self.environment()).args(args).stdin(Stdio::null()).output().unwrap()
    }

    /// The openstack command as the user demo; a region comes first.
    #[track_caller]
    pub fn openstack(&self, args: &[&str]) {
        self.must("cli", args);
    }

    /// A plan file for `apply`.
    pub fn plan(&self, name: &str, text: &str) -> String {
        let file = format!("{name}.toml");
        std::fs::write(self.home.path().join(&file), text).unwrap();
        file
    }

    /// A script of `tests/openstack`, for this cloud.
    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/openstack").join(name));
        command.env("OSVPN_TEST_RELEASE", self.release).stdin(Stdio::null());
        command
    }

    /// Runs a script; what it says, whether or not it succeeds.
    pub fn run(&self, name: &str, args: &[&str]) -> Output {
        self.script(name).args(args).output().unwrap()
    }

    /// Runs a script that must succeed, and returns what it prints.
    #[track_caller]
    pub fn must(&self, name: &str, args: &[&str]) -> String {
        let output = self.run(name, args);
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "{} {name} {args:?}: {out}{err}", self.release);
        out
    }

    /// The same of one that asks questions.
    #[track_caller]
    pub fn must_with(&self, name: &str, args: &[&str], answers: &str) -> String {
        let mut child = self.script(name).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{} {name} {args:?}: {out}", self.release);
        out
    }

    /// Starts a script that goes on until its standard input ends.
    pub fn start(&self, name: &str, args: &[&str]) -> Child {
        self.script(name).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    }

    pub fn reset(&self) {
        self.must("reset", &[]);
    }
}

impl Drop for RealCloud {
    fn drop(&mut self) {
        let output = self.run("reset", &[]);
        if !output.status.success() {
            say(&format!("{}: not reset: {}", self.release, String::from_utf8_lossy(&output.stderr)));
        }
    }
}

fn is_a_key(text: &str) -> bool {
    (20..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn mark(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("osvpn:")?.split_once(':')
}
