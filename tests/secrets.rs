//! Every byte the program writes, held against the secrets it was given.

use crate::support::{command, pty, sign_in_proxy, token};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command};

use osvpn::cloud::Credentials;
use osvpn::cloud::credentials::Sources;
use osvpn::cloud::keystone::SignIn;
use osvpn::simulator::{CREDENTIAL_SECRET, FaultEffect, Gate, InjectedFault, Scripted, Simulator, SimulatorSettings};
use serde_json::json;
use tokio::runtime::Runtime;

use command::{KEY, Ran, osvpn_in, run, single, site_to_site};
use pty::Pty;
use sign_in_proxy::{KNOWN_PASSCODE, KNOWN_PASSWORD, doorman};
use token::token;

/// How every token and receipt of the simulated cloud begins, as those of a real one do: one that no test knows is found,
/// too.
const TOKEN: &str = "gAAAAAB";

/// What was looked through, and for what.
struct Search {
    secrets: Vec<(&'static str, String)>,
    places: Vec<(String, usize)>,
}

impl Search {
    fn new(secrets: &[(&'static str, &str)]) -> Self {
        let mut all: Vec<_> = secrets.iter().map(|(name, secret)| (*name, (*secret).to_owned())).collect();
        all.push(("any token or receipt", TOKEN.to_owned()));
        Self { secrets: all, places: Vec::new() }
    }

    /// The name of a secret in it.
    fn found(&self, bytes: &[u8]) -> Option<&'static str> {
        let holds =
            |secret: &str| bytes.windows(secret.len()).any(|window| window.eq_ignore_ascii_case(secret.as_bytes()));
        self.secrets.iter().find(|(_, secret)| holds(secret)).map(|(name, _)| *name)
    }

    #[track_caller]
    fn text(&mut self, what: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        // The secret is not repeated here either: a failing test is read by many.
        assert_eq!(self.found(bytes), None, "{what} holds it");
        self.places.push((what.to_owned(), bytes.len()));
    }

    /// Every file below a directory, links not followed.
    #[track_caller]
    fn files(&mut self, dir: &Path) {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let is_ours = path.components().any(|part| part.as_os_str() == "osvpn");
            let mode = metadata.permissions().mode() & 0o777;
            if metadata.is_dir() {
                assert!(!is_ours || mode == 0o700, "{} has mode {mode:o}", path.display());
                self.files(&path);
            } else if metadata.is_file() {
                assert!(!is_ours || mode == 0o600, "{} has mode {mode:o}", path.display());
                self.text(&path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }

    /// A process that runs: its arguments, and the children it has not.
    #[track_caller]
    fn process(&mut self, pid: u32) {
        let proc = format!("/proc/{pid}");
        self.text("/proc/PID/cmdline", fs::read(format!("{proc}/cmdline")).unwrap());
        for task in fs::read_dir(format!("{proc}/task")).unwrap() {
            let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
            assert_eq!(children, "", "no other process inherits its environment");
        }
    }

    fn print(&self, test: &str) {
        let names: Vec<_> = self.secrets.iter().map(|(name, _)| *name).collect();
        println!("{test}: looked for {}", names.join(", "));
        for (place, bytes) in &self.places {
            println!("  {bytes:>8} bytes  {place}");
        }
    }
}

/// A way to sign in to the simulated cloud, and the secret in it.
fn ways(cloud: &Simulator) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let door = doorman(cloud);
    let named = |user: &str| {
        vec![
            ("OS_AUTH_URL", door.clone()),
            ("OS_USERNAME", user.to_owned()),
            ("OS_PASSWORD", KNOWN_PASSWORD.to_owned()),
            ("OS_PROJECT_NAME", "demo".to_owned()),
            ("OS_USER_DOMAIN_NAME", "Default".to_owned()),
            ("OS_PROJECT_DOMAIN_NAME", "Default".to_owned()),
        ]
    };
    let factors = [
        ("OS_AUTH_TYPE", "v3multifactor".to_owned()),
        ("OS_AUTH_METHODS", "v3password,v3totp".to_owned()),
        ("OS_PASSCODE", KNOWN_PASSCODE.to_owned()),
    ];
    vec![
        ("password", named("demo")),
        ("token", vec![("OS_TOKEN", token(cloud)), ("OS_PROJECT_ID", cloud.project_id())]),
        (
            "application credential",
            vec![
                ("OS_AUTH_TYPE", "v3applicationcredential".to_owned()),
                ("OS_APPLICATION_CREDENTIAL_ID", cloud.credential_id()),
                ("OS_APPLICATION_CREDENTIAL_SECRET", CREDENTIAL_SECRET.to_owned()),
            ],
        ),
        ("password and passcode", named("demo-mfa").into_iter().chain(factors).collect()),
    ]
}

/// osvpn at its most verbose, signed in in one of those ways, with everything it could write to below its home.
fn osvpn(home: &Path, cloud: &Simulator, way: &[(&'static str, String)]) -> Command {
    let mut command = osvpn_in(home, cloud);
    for name in cloud.environment().into_iter().map(|(name, _)| name).filter(|name| *name != "OS_AUTH_URL") {
        command.env_remove(name);
    }
    fs::create_dir_all(home.join("tmp")).unwrap();
    command.envs(way.iter().map(|(name, value)| (*name, value.as_str())));
    command
        .env("TMPDIR", home.join("tmp"))
        .env("OSVPN_LOG", "trace")
        .env("OSVPN_PSK", KEY)
        .env("RUST_BACKTRACE", "full");
    command
}

fn known(way: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let proofs = ["OS_PASSWORD", "OS_TOKEN", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_PASSCODE"];
    let given = way.iter().filter(|(name, _)| proofs.contains(name)).cloned();
    given.chain([("the pre-shared key", KEY.to_owned())]).collect()
}

fn killed(mut child: Child) -> Ran {
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: -9, out: text(output.stdout), err: text(output.stderr) }
}

impl Search {
    fn ran(&mut self, what: &str, ran: &Ran) {
        self.text(&format!("standard output of {what} (exit code {})", ran.code), &ran.out);
        self.text(&format!("standard error of {what}"), &ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_run_writes_a_secret_anywhere_however_it_signs_in_and_ends() {
    for number in 0..4 {
        let cloud = Simulator::start(SimulatorSettings::default()).await.unwrap();
        let (name, way) = ways(&cloud).remove(number);
        let home = tempfile::tempdir().unwrap();
        let secrets = known(&way);
        let secrets: Vec<_> = secrets.iter().map(|(name, secret)| (*name, secret.as_str())).collect();
        let mut search = Search::new(&secrets);
        let plan = site_to_site(home.path());
        // Killed while a connection, which carries the key, is being made.
        let gate = Gate::closed();
        let at = InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("ipsec-site-connections");
        cloud.inject(at);
        let child = osvpn(home.path(), &cloud, &way).args(["apply", plan, "--json"]).spawn().unwrap();
        gate.arrived().await;
        search.process(child.id());
        search.ran("apply --json, killed", &killed(child));
        cloud.clear_faults();
        gate.open();
        gate.acted().await;
        search.files(home.path());
        for args in [
            &["resume"][..],
            &["delete", "test-vpn", "--yes"],
            &["apply", plan],
            &["resume", "--json"],
            &["rollback", "--yes", "--json"],
            &["bug-report", "-o", "-"],
        ] {
            if args[0] == "apply" {
                // The cloud refuses the connections, and repeats what it was sent.
                let refusal = Scripted::neutron(400, "HTTPBadRequest", &format!("psk {KEY} is refused"));
                let fault =
                    InjectedFault::new(FaultEffect::Answer(refusal)).method("POST").path("ipsec-site-connections");
                cloud.inject(fault.always());
            }
            let mut command = osvpn(home.path(), &cloud, &way);
            command.args(args);
            search.ran(&args.join(" "), &run(command).await);
        }
        // Keystone refuses the sign-in, and repeats what it was sent.
        let sent = secrets.iter().filter(|(name, _)| name.starts_with("OS_")).map(|(_, secret)| *secret);
        let words = json!({"error": {"message": sent.collect::<Vec<_>>().join(" and ")}}).to_string();
        let refusal = FaultEffect::Answer(Scripted { status: 401, headers: Vec::new(), body: words });
        cloud.inject(InjectedFault::new(refusal).path("/auth/tokens"));
        let mut command = osvpn(home.path(), &cloud, &way);
        command.args(["apply", plan]);
        let ran = run(command).await;
        assert!(ran.code == 1 && ran.err.contains('…'), "{}", ran.err);
        search.ran("a sign-in that is refused", &ran);
        let log = fs::read_to_string(home.path().join(".local/state/osvpn/osvpn.log")).unwrap();
        assert!(log.contains("psk … is refused"), "the log tells what the cloud said: {log}");
        fs::write(home.path().join(".local/state/osvpn/broken.json"), "{").unwrap();
        fs::set_permissions(home.path().join(".local/state/osvpn/broken.json"), Permissions::from_mode(0o600)).unwrap();
        let mut command = osvpn(home.path(), &cloud, &way);
        command.args(["bug-report"]);
        let ran = run(command).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        search.ran("bug-report", &ran);
        search.files(home.path());
        let report = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
        let [report] = report
            .filter(|path| path.extension().is_some_and(|kind| kind == "txt"))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        assert_eq!(fs::metadata(&report).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&report).unwrap();
        assert!(text.contains("broken.json (broken:") && text.contains("/v2.0/vpn/vpnservices"), "{text}");
        search.text("the bug report", &text);
        search.print(name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_finds_what_is_there() {
    let cloud = Simulator::start(SimulatorSettings::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let plan = single(home.path());
    let (_, way) = ways(&cloud).remove(0);
    let mut command = osvpn(home.path(), &cloud, &way);
    command.args(["apply", plan, "--wait", "0"]);
    let ran = run(command).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    let search = Search::new(&[("the pre-shared key", KEY), ("the password", KNOWN_PASSWORD)]);
    assert_eq!(search.found(cloud.objects("nz-hlz-1").to_string().as_bytes()), Some("the pre-shared key"));
    assert_eq!(search.found(token(&cloud).as_bytes()), Some("any token or receipt"));
    assert_eq!(search.found(format!("password: {KNOWN_PASSWORD}!").as_bytes()), Some("the password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_that_is_asked_for_leaves_neither_password_nor_receipt() {
    let cloud = Simulator::start(SimulatorSettings::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let plan = single(home.path());
    let (_, mut way) = ways(&cloud).remove(0);
    way.retain(|(name, _)| *name != "OS_USERNAME");
    way.push(("OS_USERNAME", "demo-mfa".to_owned()));
    let mut search = Search::new(&[("the pre-shared key", KEY), ("the password", KNOWN_PASSWORD)]);
    for args in [&["apply", plan][..], &["apply", plan, "--json"], &["bug-report", "-o", "-"]] {
        let mut command = osvpn(home.path(), &cloud, &way);
        command.args(args);
        search.ran(&args.join(" "), &run(command).await);
    }
    search.files(home.path());
    let vars = cloud.environment().into_iter().map(|(name, value)| (name.to_owned(), value));
    let known = [("OS_USERNAME", "demo-mfa"), ("OS_PASSWORD", KNOWN_PASSWORD), ("OS_AUTH_URL", &doorman(&cloud))];
    let vars = vars.chain(known.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
    let sources = Sources { vars, ..Sources::default() };
    let found = Credentials::find(&sources, None).unwrap();
    let SignIn::SecondFactor(receipt) =
        osvpn::cloud::Cloud::begin(&found.credentials, osvpn::cloud::Limits::default()).await.unwrap()
    else {
        panic!("a second factor is asked for")
    };
    let error = osvpn::cloud::Cloud::sign_in(&found.credentials).await.unwrap_err();
    for (what, shown) in [
        ("a receipt", format!("{receipt:?}")),
        ("credentials", format!("{found:?}")),
        ("their sources", format!("{sources:?}")),
        ("an error", format!("{error:?} {error} {:?}", error.hint())),
    ] {
        search.text(&format!("Debug and Display of {what}"), shown);
    }
    search.print("a second factor");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_and_journal_are_private_whatever_was_there_before() {
    let cloud = Simulator::start(SimulatorSettings::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".local/state/osvpn");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("osvpn.log"), "old\n").unwrap();
    fs::set_permissions(&state, Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(state.join("osvpn.log"), Permissions::from_mode(0o666)).unwrap();
    let (_, way) = ways(&cloud).remove(0);
    let plan = single(home.path());
    let apply = || {
        let mut command = osvpn(home.path(), &cloud, &way);
        command.args(["apply", plan, "--wait", "0"]);
        command
    };
    // What is made in full has no journal.
    cloud.inject(InjectedFault::new(FaultEffect::status(403)).method("POST").path("ipsec-site-connections"));
    assert_eq!(run(apply()).await.code, 1);
    let journal = fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|kind| kind == "json"))
        .unwrap();
    Search::new(&[("the key", KEY)]).files(home.path());
    assert!(fs::read_to_string(state.join("osvpn.log")).unwrap().starts_with("old\n"), "nothing is lost");

    fs::set_permissions(&journal, Permissions::from_mode(0o644)).unwrap();
    // A link to where others read is not followed, and does not stand in the way of the work.
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    fs::remove_file(state.join("osvpn.log")).unwrap();
    symlink(&elsewhere, state.join("osvpn.log")).unwrap();
    let mut command = osvpn(home.path(), &cloud, &way);
    command.args(["rollback", "--yes"]);
    let ran = run(command).await;
    assert!(ran.code == 0 && ran.err.contains("going on without a log"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    assert!(!journal.exists());
}

#[test]
fn it_starts_no_other_program() {
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            assert!(!code.contains("process::Command"), "{} hands its environment on", path.display());
        }
    }
}

/// From the first screen to the review, and from there to the key.
fn to_the_key(pty: &mut Pty) {
    pty.settled("What should be connected?");
    pty.confirm("\r");
    pty.settled("creates 12 objects");
    pty.send("\x1b[A\x1b[A\x1b[A");
    pty.wait_for("Enter changes Key");
    pty.confirm("\r");
    pty.wait_for("The pre-shared key");
}

#[test]
fn the_wizard_writes_no_secret_anywhere() {
    let runtime = Runtime::new().unwrap();
    let cloud = runtime.block_on(Simulator::start(SimulatorSettings::default())).unwrap();
    let home = tempfile::tempdir().unwrap();
    let token = token(&cloud);
    let mut search = Search::new(&[("the pre-shared key", KEY), ("the token", &token)]);
    let vars = [
        ("OS_AUTH_URL", cloud.auth_url()),
        ("OS_AUTH_TYPE", "token".to_owned()),
        ("OS_TOKEN", token.clone()),
        ("OS_PROJECT_ID", cloud.project_id()),
        ("OSVPN_LOG", "trace".to_owned()),
    ];
    let mut pty = Pty::start(home.path(), &[], &vars);
    to_the_key(&mut pty);
    pty.send(&format!("\x1b[200~{KEY}\x1b[201~\r"));
    pty.wait_for("Enter changes Key: your own");
    pty.send("\x1b[F");
    pty.wait_for("creates 12 objects");
    pty.send("s");
    pty.enter_at("Saved");
    pty.enter_at("needs no name");
    pty.wait_for("[ Admit traffic ]");
    search.process(pty.pid());
    pty.send("\t");
    pty.enter_at("[ Finish ]");
    let (code, seen) = pty.end();
    assert_eq!(code, 0);
    search.text("the terminal", &seen.everything);
    let before = search.places.len();
    search.files(home.path());
    assert_eq!(search.places.len() - before, 3, "the plan, the log, and the names to complete");
    search.print("the wizard");
    let keys = cloud.collection("nz-hlz-1", "ipsec-site-connections").into_iter().map(|object| object["psk"].clone());
    assert!(keys.into_iter().any(|key| key == KEY), "the cloud has the key that was pasted");
}

#[test]
fn a_key_that_was_shown_and_a_wizard_that_was_killed_leave_nothing_behind() {
    let runtime = Runtime::new().unwrap();
    let cloud = runtime.block_on(Simulator::start(SimulatorSettings::default())).unwrap();
    let home = tempfile::tempdir().unwrap();
    let known = [
        ("OS_PASSWORD", KNOWN_PASSWORD.to_owned()),
        ("OS_AUTH_URL", doorman(&cloud)),
        ("OSVPN_LOG", "trace".to_owned()),
    ];
    let vars: Vec<_> = cloud.environment().into_iter().chain(known).collect();
    let mut search = Search::new(&[("the pre-shared key", KEY), ("the password", KNOWN_PASSWORD)]);
    let with_key = || {
        let mut pty = Pty::start(home.path(), &[], &vars);
        to_the_key(&mut pty);
        pty.send(&format!("\x1b[200~{KEY}\x1b[201~"));
        pty
    };
    // Shown on demand, and gone with the screen.
    let mut pty = with_key();
    pty.send("\x12");
    pty.wait_for(KEY);
    pty.send("\x03");
    pty.wait_for("Leave osvpn?");
    pty.send("\x1b[C\r");
    let (_, printed) = pty.end();
    assert!(search.found(printed.everything.as_bytes()).is_some(), "it was shown, and the search finds it");
    search.text("what the shell's screen is left with", &printed.said);

    let gate = Gate::closed();
    cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("ipsec-site-connections"));
    let mut pty = with_key();
    pty.confirm("\r");
    pty.wait_for("Enter changes Key: your own");
    pty.send("\x1b[F");
    pty.enter_at("creates 12 objects");
    runtime.block_on(gate.arrived());
    search.process(pty.pid());
    pty.signal("KILL");
    search.files(home.path());
    assert!(
        search.places.iter().any(|(place, _)| std::path::Path::new(place).extension().is_some_and(|it| it == "json")),
        "a journal is left"
    );
    search.print("the wizard, killed");
}
