//! The program without a terminal: `osvpn apply` and its neighbours, by their output and exit codes.

use crate::support::{command, token};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::Duration;

use osvpn::simulator::{FaultEffect, InjectedFault, Simulator, SimulatorSettings};
use serde_json::Value;
use tempfile::TempDir;

mod expired_token;
mod manual;
mod process;
mod trust;
use command::{KEY, half, osvpn, osvpn_in, run, single, site_to_site, write};
use token::token;

struct Scene {
    home: TempDir,
    cloud: Simulator,
}

impl Scene {
    async fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            cloud: Simulator::start(SimulatorSettings::default()).await.unwrap(),
        }
    }

    fn apply(&self, plan: &str, args: &[&str]) -> Command {
        let mut command = osvpn_in(self.home.path(), &self.cloud);
        command.arg("apply").arg(plan).args(args);
        command
    }

    /// How many requests to a Neutron changed something.
    fn writes(&self) -> usize {
        self.cloud.requests().iter().filter(|request| request.region.is_some() && request.method != "GET").count()
    }
}

fn ids(report: &Value) -> Vec<String> {
    let halves = report["halves"].as_array().unwrap().iter();
    let objects = halves.flat_map(|half| half["objects"].as_array().unwrap());
    objects.map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_connects_two_regions_and_stays_until_the_tunnel_is_active() {
    let scene = Scene::new().await;
    let ran = run(scene.apply(site_to_site(scene.home.path()), &[])).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "VPN test-vpn",
        "is ACTIVE.",
        "half A: Hamilton (nz-hlz-1)",
        "half B: Porirua (nz-por-1)",
        "external address  203.0.113.20",
        "created  IPsec site connection",
        "ACTIVE, and both halves match.",
        "osvpn admit",
        "--remote-ip 10.20.30.0/24 ",
        "--remote-ip 10.0.0.0/24 ",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    assert_eq!(scene.writes(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_makes_one_half_for_a_peer_and_says_what_its_owner_has_to_know() {
    let scene = Scene::new().await;
    let mut command = scene.apply(single(scene.home.path()), &["--wait", "1"]);
    command.env("OSVPN_PSK", KEY);
    let ran = run(command).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    for part in [
        "is not ACTIVE yet",
        "For the owner of the peer:",
        "Connect to            203.0.113.20",
        "Its identity          203.0.113.20 (IPv4 address)",
        "Its networks          10.0.0.0/24",
        "Your address          198.18.0.7",
        "Your networks         192.168.7.0/24",
        "Phase 1 (IKE)         IKEv2",
        "DH group            14 (MODP-2048)",
        "allow UDP 500, UDP 4500 and IP protocol 50 (ESP)",
        "the one you gave",
        "osvpn peer ",
        "Cannot be checked from here:",
        "osvpn status ",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    assert!(!(ran.out + &ran.err).contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_be_made_and_makes_nothing() {
    let scene = Scene::new().await;
    let ran = run(scene.apply(site_to_site(scene.home.path()), &["--dry-run"])).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("test-vpn_ike_policy") && ran.out.contains("nothing was created"), "{}", ran.out);
    let ran = run(scene.apply("plan.toml", &["--dry-run", "--json"])).await;
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &document["outcome"]), (0, &Value::from("dry-run")));
    assert_eq!(document["objects"].as_array().unwrap().len(), 12);
    assert_eq!(scene.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_document_whatever_happens() {
    let scene = Scene::new().await;
    let home = scene.home.path();
    let document = async |command: Command| {
        let ran = run(command).await;
        let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}:\n{}", ran.out));
        assert_eq!(document["exit_code"], ran.code);
        (ran.code, document)
    };
    let (code, made) = document(scene.apply(site_to_site(home), &["--json"])).await;
    assert_eq!((code, &made["outcome"]), (0, &Value::from("active")));
    assert_eq!(ids(&made).len(), 12);
    let (code, again) = document(scene.apply("plan.toml", &["--json", "--cloud", "envvars"])).await;
    assert_eq!((code, &again["outcome"]), (0, &Value::from("unchanged")), "the VPN is there exactly so");
    let renamed = std::fs::read_to_string(home.join("plan.toml")).unwrap().replacen("test-vpn", "other-vpn", 1);
    std::fs::write(home.join("other.toml"), renamed).unwrap();
    let (code, refused) = document(scene.apply("other.toml", &["--json"])).await;
    assert_eq!((code, &refused["outcome"]), (4, &Value::from("refused")), "the same ranges are tunnelled already");
    let (code, _) = document(scene.apply("nothing.toml", &["--json"])).await;
    assert_eq!(code, 2);
    let mut without_credentials = osvpn(home);
    without_credentials.args(["apply", "plan.toml", "--json"]);
    let (code, unusable) = document(without_credentials).await;
    assert_eq!((code, &unusable["outcome"]), (2, &Value::from("unusable")));
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(401)).path("/auth/tokens"));
    let (code, failed) = document(scene.apply("plan.toml", &["--json"])).await;
    assert_eq!(code, 1);
    assert!(failed["failure"]["hint"].as_str().unwrap().contains("password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_router_name_is_refused_with_the_ids_to_choose_from() {
    let scene = Scene::new().await;
    let rest = half("nz-hlz-1", "border-router", "private-subnet") + &half("nz-por-1", "twin-router", "twin-subnet-a");
    let ran = run(scene.apply(write(scene.home.path(), "site-to-site", &rest), &[])).await;
    assert_eq!(ran.code, 4);
    let twins =
        scene.cloud.collection("nz-por-1", "routers").into_iter().filter(|router| router["name"] == "twin-router");
    let twins: Vec<String> = twins.map(|router| router["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(twins.len(), 2);
    assert!(twins.iter().all(|id| ran.err.contains(id)), "{}", ran.err);
    assert_eq!((scene.writes(), ran.out.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_the_checks_refuse_makes_nothing() {
    let scene = Scene::new().await;
    let rest =
        half("nz-hlz-1", "border-router", "private-subnet") + &half("nz-por-1", "overlap-router", "overlap-subnet");
    let ran = run(scene.apply(write(scene.home.path(), "site-to-site", &rest), &[])).await;
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("10.0.0.0/24") && ran.err.contains("Nothing was created."), "{}", ran.err);
    assert_eq!(scene.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_plan_names_the_line_and_nothing_is_sent() {
    let scene = Scene::new().await;
    let ran = run(scene.apply(write(scene.home.path(), "site-to-site", "rooter = 1\n"), &[])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("plan.toml: line 4"), "{}", ran.err);
    assert!(scene.cloud.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_the_peer_must_know_is_asked_for_and_a_bad_one_is_not_repeated() {
    let scene = Scene::new().await;
    let plan = single(scene.home.path());
    let ran = run(scene.apply(plan, &[])).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--psk-file") && ran.err.contains("OSVPN_PSK"), "{}", ran.err);
    scene.cloud.clear_requests();
    std::fs::write(scene.home.path().join("key"), "much-too-short\n").unwrap();
    let ran = run(scene.apply(plan, &["--psk-file", "key"])).await;
    assert_eq!(ran.code, 2);
    assert!(!ran.err.contains("much-too-short"), "{}", ran.err);
    assert!(scene.cloud.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_it_says_where_it_looked_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let mut command = osvpn(home.path());
    command.args(["apply", site_to_site(home.path())]);
    let ran = run(command).await;
    assert_eq!(ran.code, 2);
    let file = home.path().join(".config/openstack/clouds.yaml");
    for part in ["OS_AUTH_URL", file.to_str().unwrap(), "openrc", "osvpn --demo"] {
        assert!(ran.err.contains(part), "{part:?} is missing from\n{}", ran.err);
    }
}

#[tokio::test]
async fn the_wizard_without_a_terminal_names_the_way_without_one() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(osvpn(home.path())).await;
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("osvpn apply PLAN.toml") && ran.err.contains("not there: ") && ran.err.contains("OS_AUTH_URL"),
        "{}",
        ran.err
    );
    let mut demo = osvpn(home.path());
    demo.arg("--demo");
    let ran = run(demo).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("needs a terminal") && ran.err.contains("demo-cloud"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_half_way_lists_what_exists_and_how_to_remove_it() {
    let scene = Scene::new().await;
    let before = (scene.cloud.count("nz-hlz-1"), scene.cloud.count("nz-por-1"));
    scene.cloud.inject(
        InjectedFault::new(FaultEffect::status(409)).method("POST").path("ipsec-site-connections").region("nz-por-1"),
    );
    let ran = run(scene.apply(site_to_site(scene.home.path()), &["--json"])).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(report["failures"][0]["what"].as_str().unwrap().contains("IPsec site connection of half B"));
    assert!(report["failures"][0]["request_id"].as_str().unwrap().starts_with("req-"));
    let made = (scene.cloud.count("nz-hlz-1") - before.0, scene.cloud.count("nz-por-1") - before.1);
    assert_eq!(made, (6, 5));
    assert_eq!(ids(&report).len(), 11);
    let removal: Vec<&str> = report["removal"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(removal.len(), 11);
    assert!(removal[0].contains("vpn ipsec site connection delete"), "connections hold everything else");
    assert!(removal[9..].iter().all(|line| line.contains("vpn service delete")), "{removal:?}");
}

/// Interrupts a run once its standard error says that, and returns the rest of its output.
async fn interrupted(mut child: Child, said: &'static str) -> (Option<i32>, String) {
    let rest = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        lines.find(|line| line.as_ref().unwrap().contains(said)).unwrap().unwrap();
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        lines.for_each(|line| drop(line.unwrap()));
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        (child.wait().unwrap().code(), out)
    });
    rest.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_settles_the_request_under_way_and_lists_what_exists() {
    let scene = Scene::new().await;
    let before = scene.cloud.count("nz-hlz-1") + scene.cloud.count("nz-por-1");
    let slow = FaultEffect::Delay(Duration::from_millis(700));
    scene.cloud.inject(InjectedFault::new(slow).method("POST").path("policies").times(4));
    let child = scene.apply(site_to_site(scene.home.path()), &["--json"]).spawn().unwrap();
    let (code, out) = interrupted(child, "endpoint group").await;
    assert_eq!(code, Some(130));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["outcome"], "stopped");
    let exist = scene.cloud.count("nz-hlz-1") + scene.cloud.count("nz-por-1") - before;
    assert_eq!(ids(&report).len(), exist, "what is listed is what exists");
    assert_eq!(exist, 10, "nothing was begun after the interruption, and nothing given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_waiting_still_says_what_the_peer_has_to_know() {
    let scene = Scene::new().await;
    let mut command = scene.apply(single(scene.home.path()), &["--json"]);
    let (code, out) = interrupted(command.env("OSVPN_PSK", KEY).spawn().unwrap(), "connection is").await;
    assert_eq!(code, Some(130));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["outcome"], "stopped");
    is_told_like_one_that_is_not_active_yet(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_can_no_longer_be_watched_exist_all_the_same() {
    let scene = Scene::new().await;
    let reading = InjectedFault::new(FaultEffect::status(403)).method("GET").path("/ipsec-site-connections/");
    scene.cloud.inject(reading.nth(2).always());
    let mut command = scene.apply(single(scene.home.path()), &["--json"]);
    command.env("OSVPN_PSK", KEY);
    let ran = run(command).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["outcome"], "failed");
    is_told_like_one_that_is_not_active_yet(&report);
}

#[track_caller]
fn is_told_like_one_that_is_not_active_yet(report: &Value) {
    assert_eq!(report["handover"]["peer_address"], "198.18.0.7");
    for list in ["security_rules", "look_again"] {
        assert_eq!(report[list].as_array().unwrap().len(), 1, "{list}");
    }
    assert!(report["halves"][0]["connection_status"].is_string(), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_about_sign_in_and_plan_is_said_before_anything_is_made() {
    let scene = Scene::new().await;
    let home = scene.home.path();
    let plan = half("nz-hlz-1", "border-router", "private-subnet")
        + "[peer]\naddress = \"198.18.0.7\"\nid = \"gate.example\"\ncidrs = [\"192.168.7.0/24\"]\n";
    let mut command = scene.apply(write(home, "single", &plan), &["--json", "--wait", "0"]);
    command.env("OSVPN_PSK", KEY).env("OS_INSECURE", "true");
    let ran = run(command).await;
    let made = ran.err.find("created").unwrap();
    for odd in ["warning: Certificates are not checked", "warning: peer id: the peer must send"] {
        assert!(ran.err.find(odd).is_some_and(|place| place < made), "{odd:?} is missing, or late, in\n{}", ran.err);
    }
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(document["sign_in_warnings"][0].as_str().unwrap().starts_with("Certificates"), "{document:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_renewed_and_will_soon_expire_is_warned_of() {
    for (minutes, expected) in [(10, Some("expires in 9 min")), (60, None)] {
        let lifetime = Duration::from_secs(minutes * 60);
        let cloud = Simulator::start(SimulatorSettings { token_lifetime: lifetime, ..SimulatorSettings::default() })
            .await
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let token = token(&cloud);
        let mut command = osvpn_in(home.path(), &cloud);
        command.env("OS_AUTH_TYPE", "token").env("OS_TOKEN", token).env_remove("OS_USERNAME");
        command.args(["apply", site_to_site(home.path()), "--dry-run"]);
        let ran = run(command).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        match expected {
            Some(expected) => assert!(ran.err.contains(expected), "{}", ran.err),
            None => assert!(!ran.err.contains("expires"), "{}", ran.err),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_cloud_serves_what_its_printed_lines_sign_in_to() {
    let home = tempfile::tempdir().unwrap();
    let plan = site_to_site(home.path());
    let mut server = osvpn(home.path());
    let mut server = server.arg("demo-cloud").spawn().unwrap();
    let exports = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let exports: Vec<String> = exports.take_while(|line| !line.contains("OS_INTERFACE")).collect();
    let mut client = osvpn(home.path());
    for line in &exports {
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|line| line.split_once('=')) {
            client.env(name, value.trim_matches('\''));
        }
    }
    client.args(["apply", plan, "--dry-run"]);
    let ran = run(client).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let killed = Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn completions_and_the_manual_page_name_the_commands() {
    let home = tempfile::tempdir().unwrap();
    for (args, parts) in [
        // What these complete is what `commands::completions` types.
        (&["completions", "bash"][..], ["complete ", "osvpn"]),
        (&["completions", "zsh"], ["#compdef osvpn", "compdef "]),
        (&["man"], ["apply", "demo"]),
        (&["--help"], ["apply", "demo"]),
    ] {
        let mut command = osvpn(home.path());
        command.args(args);
        let ran = run(command).await;
        assert_eq!(ran.code, 0);
        assert!(parts.iter().all(|part| ran.out.contains(part)), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_is_named_before_or_after_the_command() {
    let scene = Scene::new().await;
    for (args, code, said) in [
        (&["--cloud", "envvars", "list"][..], 0, ""),
        (&["--cloud=envvars", "list"], 0, ""),
        (&["list", "--cloud", "envvars"], 0, ""),
        (&["--cloud", "prod", "list"], 2, "`prod`"),
        (&["--cloud=prod", "status", "X"], 2, "`prod`"),
        (&["list", "--cloud", "prod"], 2, "`prod`"),
        (&["--demo", "status", "nope"], 2, "nope"),
        (&["status", "nope", "--demo"], 2, "nope"),
        (&["--demo", "list", "--cloud", "prod"], 2, "'--demo'"),
        (&["--cloud", "prod", "--demo", "list"], 2, "'--demo'"),
        (&["--profile", "modern", "list"], 2, "go after it"),
        (&["--wait", "5", "resume"], 2, "go after it"),
    ] {
        let mut command = osvpn_in(scene.home.path(), &scene.cloud);
        command.args(args);
        let ran = run(command).await;
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
        assert!(!ran.err.contains("Nothing was changed") || args.contains(&"resume"), "it only reads: {}", ran.err);
    }
    for args in [&["--help"][..], &["list", "--help"], &["--cloud", "prod", "status", "--help"]] {
        let mut command = osvpn(scene.home.path());
        command.args(args);
        let ran = run(command).await;
        assert!(ran.code == 0 && ran.out.contains("--cloud <NAME>") && ran.out.contains("--demo"), "{args:?}");
    }
}

#[tokio::test]
async fn a_bug_report_needs_nothing_and_says_what_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let report = |args: &[&str]| {
        let mut command = osvpn(home.path());
        command.arg("bug-report").args(args);
        run(command)
    };
    let ran = report(&["-o", "-"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for part in
        ["osvpn bug report", "Read this before", "osvpn 0.", "No OpenStack credentials", "OSVPN_LOG=debug makes one"]
    {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    // A cloud that is not there, a clouds.yaml and a journal that are broken: each is told, none stands in the way.
    let state = home.path().join(".local/state/osvpn");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("a.json"), b"\xff\x1b[31m{").unwrap();
    std::fs::write(state.join("osvpn.log"), "line\n".repeat(300_000)).unwrap();
    std::fs::write(home.path().join("clouds.yaml"), "clouds:\n  prod:\n    auth:\n      password: [hunter2]\n")
        .unwrap();
    let ran = report(&["--output", "report.txt"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("report.txt, which only you can read") && ran.err.contains("Read it before"),
        "{}",
        ran.err
    );
    let text = std::fs::read_to_string(home.path().join("report.txt")).unwrap();
    for part in ["clouds.yaml cannot be used", "line 4", "a.json (broken", "bytes are left out)", "line\n"] {
        assert!(text.contains(part), "{part:?} is missing from\n{}", &text[..2000]);
    }
    assert!(!text.contains("hunter2") && !text.contains('\u{1b}') && text.len() < 1_100_000);
    // What is there is not overwritten.
    let ran = report(&["-o", "report.txt"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("report.txt cannot be written"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bug_report_names_settings_without_values_and_asks_the_cloud_what_it_is() {
    let scene = Scene::new().await;
    let clouds = format!(
        "clouds:\n  sim:\n    region_name: nz-hlz-1\n    auth:\n      auth_url: {}\n      username: demo\n      \
         password: demo\n      project_name: demo\n      user_domain_name: Default\n",
        scene.cloud.auth_url()
    );
    std::fs::write(scene.home.path().join("clouds.yaml"), clouds).unwrap();
    let mut command = osvpn(scene.home.path());
    command
        .args(["bug-report", "-o", "-"])
        .env("OS_REGION_NAME", "nz-hlz-1")
        .env("OS_NOBODY", "x")
        .env("https_proxy", "");
    let ran = run(command).await;
    for part in [
        "sim: auth.auth_url, auth.password, auth.project_name, auth.user_domain_name, auth.username, region_name",
        "OS_REGION_NAME is set: nz-hlz-1",
        "OS_NOBODY is set\n",
        "Keystone v3.",
        "nz-por-1: ",
        " vpnaas",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing from\n{}", ran.out);
    }
    let before = scene.cloud.requests().len();
    let mut command = osvpn(scene.home.path());
    command.args(["bug-report", "-o", "-", "--offline"]);
    assert!(run(command).await.out.contains("It was not asked."));
    assert_eq!(scene.cloud.requests().len(), before);
    // An address is no place for a password.
    let mut command = scene.apply(site_to_site(scene.home.path()), &[]);
    command.env("OS_AUTH_URL", "https://jo:hunter2@keystone.example/v3");
    let ran = run(command).await;
    assert!(
        ran.code == 2 && ran.err.contains("do not belong into the address") && !ran.err.contains("hunter2"),
        "{}",
        ran.err
    );
}
