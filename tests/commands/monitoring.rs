//! `osvpn status` for monitors: the line of a Nagios plugin, the metrics of Prometheus, the watch.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{ChildStdout, Stdio};

use super::*;

/// A plugin's output as the guidelines write its grammar: `NAME STATE - text[ | 'label'=value[unit];[warn];[crit];[min];[max] ...]`,
/// on one line.
fn parsed(output: &str) -> (String, String, Vec<(String, Vec<String>)>) {
    assert!(output.ends_with('\n') && output.lines().count() == 1, "{output:?}");
    let (head, performance) = output.trim_end().split_once('|').map_or((output.trim_end(), ""), |parts| parts);
    assert!(!performance.contains('|'), "{output}");
    let (service, text) = head.split_once(" - ").unwrap();
    let state = service.strip_prefix("OSVPN ").unwrap();
    let is_number = |text: &str| !text.is_empty() && text.parse::<f64>().is_ok();
    let is_range = |text: &str| {
        let bounds = text.strip_prefix('@').unwrap_or(text).split(':').collect::<Vec<_>>();
        bounds.len() <= 2 && bounds.iter().all(|bound| bound.is_empty() || *bound == "~" || is_number(bound))
    };
    let data = performance.split_whitespace().map(|datum| {
        let (label, values) = datum.split_once('=').unwrap();
        assert!(!label.contains('\'') && !label.is_empty(), "{datum}");
        let values: Vec<String> = values.split(';').map(str::to_owned).collect();
        assert!(values.len() <= 5 && is_number(&values[0]), "{datum}");
        assert!(values.iter().skip(1).take(2).all(|range| is_range(range)), "{datum}");
        assert!(values.iter().skip(3).all(|bound| bound.is_empty() || is_number(bound)), "{datum}");
        (label.to_owned(), values)
    });
    (state.to_owned(), text.trim().to_owned(), data.collect())
}

async fn nagios(scene: &Scene, args: &[&str]) -> (i32, String, String) {
    let ran = scene.run(&[&["status", "--format", "nagios"], args].concat()).await;
    let (state, text, data) = parsed(&ran.out);
    let code = ["OK", "WARNING", "CRITICAL", "UNKNOWN"].iter().position(|word| *word == state);
    assert_eq!(code, usize::try_from(ran.code).ok(), "{}", ran.out);
    assert!(!data.is_empty() || state == "UNKNOWN", "{}", ran.out);
    (ran.code, state, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn nagios_reads_one_line_and_its_own_exit_codes() {
    let scene = Scene::with_foreign_vpn().await;
    assert_eq!(nagios(&scene, &["hlz-por"]).await.0, 0);
    for (name, code, said) in [
        ("public key on both", 1, "key is public"),
        ("drifted policy", 1, "sha1 in nz-por-1"),
        ("connection admin down", 2, "DOWN in nz-hlz-1"),
    ] {
        let scene = Scene::with_foreign_vpn().await;
        let breakage = broken_vpns::all().into_iter().find(|breakage| breakage.name == name).unwrap();
        scene.site().await.suffer(&breakage).await;
        let (ended, _, text) = nagios(&scene, &[]).await;
        assert!(ended == code && text.contains("hlz-por: ") && text.contains(said), "{name}: {ended} {text}");
    }
    assert!(nagios(&scene, &["nope"]).await.2.contains("no VPN nope"));
    assert_eq!(nagios(&scene, &["--no-such-option"]).await.0, 3, "2 would be CRITICAL");
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).region(B).method("GET").times(5));
    assert_eq!(nagios(&scene, &[]).await.0, 3);
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(401)).path("/auth/tokens"));
    let (code, _, text) = nagios(&scene, &[]).await;
    assert!(code == 3 && text.starts_with("signing in failed: ") && !text.contains("what to do"), "{text}");
    let scene = Scene::with_foreign_vpn().await;
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).region(B).method("GET").times(5));
    let ran = scene.run(&["status", "--format", "prometheus"]).await;
    let has = |line: &str| ran.out.lines().any(|other| other == line);
    assert!(ran.code == 1 && has("osvpn_up 0") && has("osvpn_region_up{region=\"nz-por-1\"} 0"), "{}", ran.out);
    assert!(!ran.out.contains("hlz-por"), "of half a VPN nothing is told: {}", ran.out);
    assert_eq!(nagios(&Scene::new().await, &[]).await.2, "there is no VPN in this project");
}

/// What `promtool check metrics` says, where Prometheus' tools are installed.
fn lint(metrics: &str) {
    if !command::is_installed("promtool") {
        return;
    }
    let mut promtool = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut promtool.stdin.take().unwrap(), metrics.as_bytes()).unwrap();
    assert!(promtool.wait().unwrap().success(), "{metrics}");
}

#[test]
fn the_alerts_are_those_of_their_test() {
    if !command::is_installed("promtool") {
        return;
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["test", "rules", "osvpn.rules.test.yml"]);
    promtool.current_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/monitoring"));
    let output = promtool.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_is_told_of_every_vpn_and_of_no_key_id_or_range() {
    let scene = Scene::with_vpn().await;
    scene.cloud.reconfigure(|settings| settings.traffic = false);
    let plan = half(A, "border-router", "db-subnet") + &half(B, "border-router", "private-subnet");
    let text = format!("version = 1\nname = \"idle\"\nmode = \"site-to-site\"\n{plan}");
    std::fs::write(scene.home.path().join("idle.toml"), text).unwrap();
    let ran = scene.run(&["apply", "idle.toml", "--wait", "1"]).await;
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let (code, _, text) = nagios(&scene, &[]).await;
    assert!(code == 1 && text.starts_with("idle: DOWN"), "an idle tunnel is not down: {code} {text}");
    let ran = scene.run(&["status", "--format", "prometheus"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for line in [
        "osvpn_up 1",
        "osvpn_region_up{region=\"nz-por-1\"} 1",
        "osvpn_vpn_active{vpn=\"test-vpn\"} 1",
        "osvpn_vpn_active{vpn=\"idle\"} 0",
        "osvpn_vpn_matches{vpn=\"test-vpn\"} 1",
        "osvpn_key_public{vpn=\"test-vpn\"} 0",
        "osvpn_half_status{vpn=\"idle\",half=\"A\",region=\"nz-hlz-1\"} 1",
        "osvpn_half_status{vpn=\"test-vpn\",half=\"B\",region=\"nz-por-1\"} 0",
        "osvpn_half_idle{vpn=\"idle\",half=\"B\",region=\"nz-por-1\"} 1",
        "osvpn_half_idle{vpn=\"test-vpn\",half=\"A\",region=\"nz-hlz-1\"} 0",
    ] {
        assert!(ran.out.lines().any(|other| other == line), "{line} is missing from\n{}", ran.out);
    }
    let ids = scene.ids("ipsec-site-connections");
    assert!(ids.iter().chain(&scene.keys()).all(|secret| !ran.out.contains(secret)), "{}", ran.out);
    assert!(!ran.out.contains("10.0.0.0") && !ran.out.contains("203.0.113"), "{}", ran.out);
    lint(&ran.out);
    let ran = scene.run(&["status", "--format", "prometheus", "--detail"]).await;
    assert!(ids.iter().all(|id| ran.out.contains(id)) && ran.out.contains("10.0.0.0/24"), "{}", ran.out);
    assert!(scene.keys().iter().all(|key| !ran.out.contains(key)));
    lint(&ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_escaped_and_two_vpns_of_one_name_are_two_series() {
    let scene = Scene::with_vpn().await;
    scene.apply_office("test-vpn").await;
    let ran = scene.run(&["status", "--format", "prometheus"]).await;
    assert_eq!(ran.out.matches("osvpn_vpn_active{vpn=\"test-vpn (").count(), 2, "{}", ran.out);
    lint(&ran.out);
    let odd = "a \"quoted\" \\ name";
    for region in [A, B] {
        let id = scene.cloud.collection(region, "ipsec-site-connections")[0]["id"].as_str().unwrap().to_owned();
        scene.cloud.alter(region, "ipsec-site-connections", &id, json!({"name": odd}));
    }
    let ran = scene.run(&["status", "--format", "prometheus"]).await;
    assert!(ran.out.contains(r#"vpn="a \"quoted\" \\ name""#), "{}", ran.out);
    lint(&ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_textfile_is_replaced_and_says_when_nothing_could_be_read() {
    let scene = Scene::with_vpn().await;
    let path = scene.home.path().join("osvpn.prom");
    let write = async || {
        let mut command = Command::new("/bin/sh");
        let template = scene.osvpn(&["status", "--textfile", "osvpn.prom"]);
        command.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(template.get_program()).args(template.get_args());
        command.env_clear().envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(scene.home.path());
        let ran = run(command).await;
        assert_eq!(ran.out, "");
        (ran.code, std::fs::read_to_string(&path).unwrap())
    };
    let (code, text) = write().await;
    assert!(code == 0 && text.contains("osvpn_vpn_active{vpn=\"test-vpn\"} 1"), "{code} {text}");
    let inode = |path: &std::path::Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
    let before = inode(&path);
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(401)).path("/auth/tokens"));
    let (code, text) = write().await;
    assert_eq!(code, 1);
    assert!(text.ends_with("osvpn_up 0\n") && !text.contains("active"), "{text}");
    assert_ne!(inode(&path), before, "a reader never finds half of it");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644, "whatever the umask");
    assert_eq!(
        std::fs::read_dir(scene.home.path())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().contains("osvpn.prom") })
            .count(),
        1,
        "nothing is left beside it"
    );
}

struct Watch {
    child: std::process::Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn begin(scene: &Scene, args: &[&str]) -> Self {
        let mut child = scene.osvpn(&[&["status", "--watch", "--interval", "1"], args].concat()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        tokio::task::block_in_place(|| self.lines.next().unwrap().unwrap())
    }

    fn end(mut self) -> Option<i32> {
        tokio::task::block_in_place(|| self.child.wait().unwrap().code())
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain for {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_asks_two_requests_a_region_and_tells_each_change_once() {
    let scene = Scene::with_vpn().await;
    let mut watch = Watch::begin(&scene, &["--json", "--until", "down"]);
    let first: Value = serde_json::from_str(&watch.next()).unwrap();
    assert_eq!(
        (&first["name"], &first["status"], &first["exit_code"]),
        (&json!("test-vpn"), &json!("ACTIVE"), &json!(0))
    );
    assert!(first["at"].as_str().unwrap().ends_with('Z'), "{first}");
    scene.cloud.clear_requests();
    until("three polls", || scene.cloud.requests().len() >= 3 * 2 * REGIONS.len()).await;
    let polled = scene.asked();
    for region in REGIONS {
        let lists = |list: &str| {
            let of =
                |request: &&LoggedRequest| request.region.as_deref() == Some(region) && request.path.contains(list);
            polled.iter().filter(of).count()
        };
        let (connections, services) = (lists("/ipsec-site-connections?"), lists("/vpnservices?"));
        let all = lists("/");
        assert!(connections.abs_diff(services) <= 1 && connections + services == all, "{region}: {polled:#?}");
    }
    assert!(polled.iter().all(|request| !request.path.contains("psk")), "{polled:#?}");
    let id = scene.cloud.collection(B, "ipsec-site-connections")[0]["id"].as_str().unwrap().to_owned();
    scene.cloud.alter(B, "ipsec-site-connections", &id, json!({"status": "ERROR"}));
    let second: Value = serde_json::from_str(&watch.next()).unwrap();
    assert_eq!((&second["status"], &second["exit_code"]), (&json!("ERROR"), &json!(3)), "nothing was told between");
    assert!(watch.lines.next().is_none());
    assert_eq!(watch.end(), Some(3), "as status ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_notices_what_is_no_status_and_a_vpn_that_goes() {
    let scene = Scene::with_vpn().await;
    let mut watch = Watch::begin(&scene, &[]);
    assert!(watch.next().contains("  test-vpn: ACTIVE in nz-hlz-1, ACTIVE in nz-por-1"));
    let id = scene.cloud.collection(A, "ipsec-site-connections")[0]["id"].as_str().unwrap().to_owned();
    scene.cloud.alter(A, "ipsec-site-connections", &id, json!({"mtu": 1400}));
    assert!(watch.next().contains("MTU"), "the halves differ");
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).region(B).method("GET").path("vpnservices"));
    assert!(watch.next().contains("nz-por-1: could not be read"));
    assert!(watch.next().contains("nz-por-1: can be read again"));
    let ran = scene.run(&["delete", "test-vpn", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut line = watch.next();
    while !line.contains("test-vpn: is gone") {
        assert!(line.contains("test-vpn"), "{line}");
        line = watch.next();
    }
    let killed = Command::new("kill").args(["-INT", &watch.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(watch.end(), Some(130));
    // Its code is that of status, whatever ended it.
    let ran = scene.run(&["status", "--watch", "--timeout", "1"]).await;
    assert!(ran.code == 2 && ran.err.contains("there is no VPN"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_when_all_are_active_or_the_time_is_up() {
    let scene = Scene::with_vpn().await;
    assert_eq!(scene.run(&["status", "--watch", "--until", "active"]).await.code, 0);
    let ran = scene.run(&["status", "--watch", "--until", "down", "--timeout", "1", "--interval", "1"]).await;
    assert!(ran.code == 0 && ran.out.lines().count() == 1, "{} {}", ran.code, ran.out);
    let textfile = ["--format", "nagios", "--textfile", "n.prom"];
    for args in [&["--format", "nagios"][..], &textfile, &["--format", "prometheus"], &["--until", "up"]] {
        let code = if args.contains(&"nagios") { 3 } else { 2 };
        assert_eq!(scene.run(&[&["status", "--watch"], args].concat()).await.code, code, "{args:?}");
    }
    let ran = scene.run(&["status", "--watch", "--textfile", "w.prom", "--timeout", "1", "--interval", "1"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    let written = || std::fs::read_to_string(scene.home.path().join("w.prom")).unwrap();
    assert!(written().contains("osvpn_vpn_active"));
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(401)).path("/auth/tokens"));
    assert_eq!(scene.run(&["status", "--watch", "--textfile", "w.prom"]).await.code, 1);
    assert!(written().ends_with("osvpn_up 0\n"), "{}", written());
}

/// Everything is read again because B has changed, and A cannot be read for it; its VPNs stay what they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_fails_when_all_is_read_again_takes_no_vpn_away() {
    let scene = Scene::with_vpn().await;
    let plan =
        half(A, "office-router", "office-subnet") + "[peer]\naddress = \"198.18.0.7\"\ncidrs = [\"192.168.7.0/24\"]\n";
    let text = format!("version = 1\nname = \"outside\"\nmode = \"single\"\n{plan}");
    std::fs::write(scene.home.path().join("outside.toml"), text).unwrap();
    std::fs::write(scene.home.path().join("key"), "Xk9mQ2vR7pL4tZ8wB3nY6cF1").unwrap();
    let ran = scene.run(&["apply", "outside.toml", "--psk-file", "key", "--wait", "1"]).await;
    assert!([0, 3].contains(&ran.code), "{}{}", ran.out, ran.err);
    let mut watch = Watch::begin(&scene, &[]);
    let mut named = Watch::begin(&scene, &["outside"]);
    let begun = watch.next() + &watch.next() + &named.next();
    assert!(begun.contains("test-vpn: ") && begun.matches("outside: ").count() == 2, "{begun}");
    let fault = || InjectedFault::new(FaultEffect::status(403)).region(A).method("GET").path("/ikepolicies");
    scene.cloud.inject(fault().times(2));
    let id = scene.cloud.collection(B, "ipsec-site-connections")[0]["id"].as_str().unwrap().to_owned();
    scene.cloud.alter(B, "ipsec-site-connections", &id, json!({"mtu": 1400}));
    assert!(named.next().contains("nz-hlz-1: could not be read"));
    assert!(named.next().contains("nz-hlz-1: can be read again"));
    let told = [watch.next(), watch.next(), watch.next()];
    assert!(told[0].contains("nz-hlz-1: could not be read"), "{told:?}");
    assert!(told[1].contains("nz-hlz-1: can be read again"), "{told:?}");
    assert!(told[2].contains("test-vpn: ") && told[2].contains("MTU"), "{told:?}");
    for mut watch in [watch, named] {
        watch.child.kill().unwrap();
        watch.end();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_units_take_the_credential_from_systemd_and_run_what_is_asked_for() {
    let scene = Scene::new().await;
    let ran = scene.run(&["status", "--print-systemd", "--cloud", "two words", "--textfile", "/srv/$50%/a.prom"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "LoadCredential=clouds.yaml:",
        "OS_CLIENT_CONFIG_FILE=%d/clouds.yaml",
        "status --format prometheus --textfile /srv/$$50%%/a.prom --cloud \"two words\"\n",
        "ReadWritePaths=/srv/$50%%\n",
        "[Timer]",
    ] {
        assert!(ran.out.contains(part), "{part} is missing from\n{}", ran.out);
    }
    // A program at home, where install.sh puts it, is hidden from the service.
    let mut at_home = scene.osvpn(&["status", "--print-systemd", "--cloud", ""]);
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_osvpn"));
    at_home.env("HOME", own.parent().unwrap());
    let ran = run(at_home).await;
    assert!(ran.code == 0 && ran.out.contains("ExecStart=/usr/local/bin/osvpn status "), "{}", ran.out);
    assert!(ran.out.contains(" --cloud \"\"\n") && ran.err.contains("copy it to /usr/local/bin/osvpn"), "{}", ran.err);
    let ran = scene.run(&["status", "--print-systemd", "--cloud", "a\nExecStartPre=/bin/false"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "it begins a line");
    assert!(scene.asked().is_empty());
}
