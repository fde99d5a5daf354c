//! Every byte the program writes, held against the secrets it was given.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::path::Path;

use osvpn::simulator::{CREDENTIAL_SECRET, Settings, Simulator};
use tokio::runtime::Runtime;

#[path = "support/command.rs"]
mod command;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/token.rs"]
mod token;
use command::{KEY, osvpn_in, run, single};
use pty::Pty;
use token::token;

/// Everything below a directory, by path, as text.
fn files(dir: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.display().to_string();
        if path.is_dir() { files(&path) } else { vec![(name, std::fs::read_to_string(&path).unwrap())] }
    };
    entries.flat_map(read).collect()
}

#[track_caller]
fn holds_none(what: &str, text: &str, secrets: &[&str]) {
    assert!(!text.is_empty(), "{what} is empty: nothing was tested");
    // The secrets are not repeated here either: a failing test is read by many.
    for (number, secret) in secrets.iter().enumerate() {
        assert!(!text.contains(secret), "{what} holds secret number {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_writes_no_secret_anywhere() {
    let cloud = Simulator::start(Settings::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let plan = single(home.path());
    for json in [None, Some("--json")] {
        let mut command = osvpn_in(home.path(), &cloud);
        for name in ["OS_USERNAME", "OS_PASSWORD", "OS_AUTH_TYPE", "OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_NAME"] {
            command.env_remove(name);
        }
        command.env("OS_AUTH_TYPE", "v3applicationcredential");
        command.env("OS_APPLICATION_CREDENTIAL_ID", cloud.credential_id());
        command.env("OS_APPLICATION_CREDENTIAL_SECRET", CREDENTIAL_SECRET);
        command.env("OSVPN_PSK", KEY).env("OSVPN_LOG", "trace").args(["apply", plan, "--wait", "0"]).args(json);
        let ran = run(command).await;
        assert!(matches!(ran.code, 3 | 4), "{}", ran.err);
        let secrets = [KEY, CREDENTIAL_SECRET];
        holds_none("stdout and stderr", &(ran.out + &ran.err), &secrets);
        for (name, text) in files(home.path()) {
            holds_none(&name, &text, &secrets);
        }
    }
    let log = std::fs::read_to_string(home.path().join(".local/state/osvpn/osvpn.log")).unwrap();
    assert!(log.contains("POST") && log.contains("ipsec-site-connections"), "the log is one: {log}");
}

#[test]
fn the_wizard_writes_no_secret_anywhere() {
    let runtime = Runtime::new().unwrap();
    let cloud = runtime.block_on(Simulator::start(Settings::default())).unwrap();
    let home = tempfile::tempdir().unwrap();
    let token = token(&cloud);
    let secrets = [KEY, token.as_str()];
    let vars = [
        ("OS_AUTH_URL", cloud.auth_url()),
        ("OS_AUTH_TYPE", "token".to_owned()),
        ("OS_TOKEN", token.clone()),
        ("OS_PROJECT_ID", cloud.project_id()),
        ("OSVPN_LOG", "trace".to_owned()),
    ];
    let mut pty = Pty::start(home.path(), &[], &vars);
    for step in ["What is to be", "first region", "connected with", "router of Hamilton", "subnets of Hamilton"] {
        pty.wait(step, |screen| screen.contains(step) && !screen.contains("of 3 read"));
        pty.send("\r");
    }
    pty.enter_at("Which router of Porirua?");
    pty.enter_at("Which subnets of Porirua?");
    pty.wait_for("The pre-shared key");
    pty.send(&format!("\x1b[200~{KEY}\x1b[201~\r"));
    for step in ["Which policy?", "The name of the VPN"] {
        pty.enter_at(step);
    }
    pty.wait_for("makes 12 objects");
    pty.send("s");
    pty.wait_for("Saved");
    pty.send("\r");
    pty.wait_for("hlz-por is ACTIVE");
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", pty.pid())).unwrap();
    holds_none("the command line", &arguments, &secrets);
    pty.send("\r");
    let (code, seen) = pty.end();
    assert_eq!(code, 0);
    holds_none("the terminal", &seen.everything, &secrets);
    let written = files(home.path());
    assert_eq!(written.len(), 2, "the plan and the log");
    for (name, text) in &written {
        holds_none(name, text, &secrets);
    }
    let keys = cloud.collection("nz-hlz-1", "ipsec-site-connections").into_iter().map(|object| object["psk"].clone());
    assert!(keys.into_iter().any(|key| key == KEY), "the cloud has the key that was pasted");
}
