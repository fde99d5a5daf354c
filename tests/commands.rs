//! The commands for VPNs that exist, as a user runs them: the built program without a terminal, against the simulated cloud.

use crate::support::{broken_vpns, command};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use osvpn::simulator::{FaultEffect, InjectedFault, LoggedRequest, Release, Simulator, SimulatorSettings};
use serde_json::{Value, json};
use tempfile::TempDir;

mod admit;
mod apply_again;
mod apply_in_a_big_region;
mod completions;
mod delete;
mod doctor;
mod forecast;
mod interrupted_changes;
mod json;
mod list_and_status;
mod many_vpns;
mod monitoring;
mod peer;
mod reader_role;
mod reading;
mod repair;
mod rotate_psk;
mod set_subnets;
mod upgrade;

use broken_vpns::{A, B, Behind, Site};
use command::{KEY, Ran, half, osvpn_in, run, site_to_site, write};

const REGIONS: [&str; 3] = [A, B, "nz-wlg-2"];

struct Scene {
    home: TempDir,
    cloud: Simulator,
}

impl Scene {
    /// A cloud without VPNs.
    async fn new() -> Self {
        Self::of(SimulatorSettings::default()).await
    }

    async fn of(settings: SimulatorSettings) -> Self {
        let cloud = Simulator::start(settings).await.unwrap();
        let scene = Self { home: tempfile::tempdir().unwrap(), cloud };
        for region in REGIONS {
            for kind in ["ipsec-site-connections", "endpoint-groups", "ipsecpolicies", "ikepolicies", "vpnservices"] {
                for object in scene.cloud.collection(region, kind) {
                    scene.cloud.uproot(region, kind, object["id"].as_str().unwrap());
                }
            }
        }
        scene
    }

    /// The same with a VPN that osvpn made: `test-vpn`.
    async fn with_vpn() -> Self {
        let scene = Self::new().await;
        scene.apply(site_to_site(scene.home.path())).await;
        scene
    }

    /// The same with a VPN that somebody else made: `hlz-por`.
    async fn with_foreign_vpn() -> Self {
        let scene = Self::new().await;
        scene.site().await.connect().await;
        scene
    }

    async fn apply(&self, plan: &str) {
        let ran = self.run(&["apply", plan]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }

    /// Makes another VPN, between the office routers.
    async fn apply_office(&self, name: &str) {
        let plan = half(A, "office-router", "office-subnet") + &half(B, "office-router", "office-subnet");
        let text = format!("version = 1\nname = \"{name}\"\nmode = \"site-to-site\"\n{plan}");
        std::fs::write(self.home.path().join("office.toml"), text).unwrap();
        self.apply("office.toml").await;
    }

    async fn site(&self) -> Site<'_> {
        Site::enter(&self.cloud.auth_url(), Behind::Simulated(&self.cloud, Release::V2026_1)).await
    }

    fn osvpn(&self, args: &[&str]) -> Command {
        let mut command = osvpn_in(self.home.path(), &self.cloud);
        command.args(args);
        command
    }

    async fn run(&self, args: &[&str]) -> Ran {
        run(self.osvpn(args)).await
    }

    /// Runs it with `--json`, which must print one document that tells the exit code.
    async fn json(&self, args: &[&str]) -> (i32, Value) {
        let ran = self.run(&[args, &["--json"]].concat()).await;
        let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| {
            panic!("{args:?}: {error}:\n{}\n{}", ran.out, ran.err);
        });
        assert_eq!(document["exit_code"], ran.code);
        (ran.code, document)
    }

    /// Every VPN object and security-group rule, as the cloud has it but for statuses.
    fn objects(&self) -> BTreeSet<String> {
        let kinds = [
            "ipsec-site-connections",
            "endpoint-groups",
            "ipsecpolicies",
            "ikepolicies",
            "vpnservices",
            "security-group-rules",
        ];
        let all = REGIONS.into_iter().flat_map(|region| kinds.map(|kind| self.cloud.collection(region, kind)));
        let all = all.flatten().map(|mut object| {
            object.remove("status");
            Value::Object(object).to_string()
        });
        all.collect()
    }

    fn ids(&self, kind: &str) -> BTreeSet<String> {
        let all = REGIONS.into_iter().flat_map(|region| self.cloud.collection(region, kind));
        all.map(|object| object["id"].as_str().unwrap().to_owned()).collect()
    }

    fn keys(&self) -> Vec<String> {
        let all = [A, B].into_iter().flat_map(|region| self.cloud.collection(region, "ipsec-site-connections"));
        all.map(|connection| connection["psk"].as_str().unwrap().to_owned()).collect()
    }

    fn state(&self) -> PathBuf {
        self.home.path().join(".local/state/osvpn")
    }

    /// What is left to finish.
    fn journals(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.state()).into_iter().flatten().map(|entry| entry.unwrap().path());
        let is_journal = |path: &PathBuf| path.extension().is_some_and(|end| end == "json" || end == "change");
        entries.filter(is_journal).collect()
    }

    /// The requests since the last call, but for the sign-in.
    fn asked(&self) -> Vec<LoggedRequest> {
        let requests = self.cloud.requests();
        self.cloud.clear_requests();
        requests
    }
}

/// Runs what has nothing to do, which asks nobody and sends nothing, and returns its document.
async fn unchanged(scene: &Scene, args: &[&str], why: &str) -> Value {
    let before = scene.objects();
    let ran = scene.run(args).await;
    assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
    assert!(ran.out.contains("Unchanged") && ran.out.contains(why), "{args:?}: {}{}", ran.out, ran.err);
    let (code, told) = scene.json(args).await;
    assert_eq!((code, &told["outcome"]), (0, &json!("unchanged")), "{args:?}: {told:#}");
    assert!(told["notes"].to_string().contains(why), "{args:?}: {told:#}");
    assert_eq!(scene.objects(), before, "{args:?}");
    told
}

/// Requests as `sign-ins, reads, writes`.
fn counted(requests: &[LoggedRequest]) -> [usize; 3] {
    let of_neutron = |read: bool| {
        requests.iter().filter(|request| request.region.is_some() && (request.method == "GET") == read).count()
    };
    let sign_ins = requests.iter().filter(|request| request.region.is_none() && request.method == "POST").count();
    [sign_ins, of_neutron(true), of_neutron(false)]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_where_nobody_agrees_to_it() {
    let scene = Scene::with_vpn().await;
    let before = scene.objects();
    for args in [
        &["delete", "test-vpn"][..],
        &["rotate-psk", "test-vpn"],
        &["set-subnets", "test-vpn", "nz-hlz-1=db-subnet"],
        &["doctor", "test-vpn", "--modernise"],
        &["upgrade", "test-vpn"],
    ] {
        let ran = scene.run(args).await;
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("--yes"), "{args:?}: {}", ran.err);
        assert_eq!(scene.objects(), before, "{args:?}");
    }
    assert!(scene.journals().is_empty(), "{:?}", scene.journals());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_names_no_vpn_or_several_is_refused_with_what_there_is() {
    let scene = Scene::with_vpn().await;
    scene.apply_office("test-vpn").await;
    let before = scene.objects();
    let (_, listed) = scene.json(&["list"]).await;
    let ids: Vec<&str> = listed["vpns"].as_array().unwrap().iter().map(|vpn| vpn["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{listed:#}");
    for command in [&["status"][..], &["doctor"], &["delete"], &["rotate-psk"], &["admit"]] {
        for (word, expected) in [("tset-vpn", vec!["test-vpn"]), ("test-vpn", ids.clone())] {
            let ran = scene.run(&[command, &[word]].concat()).await;
            assert_eq!(ran.code, 2, "{command:?} {word}: {}{}", ran.out, ran.err);
            assert!(expected.iter().all(|part| ran.err.contains(part)), "{command:?} {word}: {}", ran.err);
        }
    }
    let ran = scene.run(&["status"]).await;
    assert_eq!(ran.code, 2);
    assert!(ids.iter().all(|id| ran.err.contains(id)), "{}", ran.err);
    assert_eq!(scene.objects(), before);
    for id in ids {
        assert_eq!(scene.run(&["status", id]).await.code, 0);
    }
}
