//! What a Tab is answered, in real shells and in the words they ask with.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::support::pty::Pty;

/// What a shell is told for the last of these words.
async fn offered(mut command: Command, words: &[&str]) -> Vec<String> {
    command.args(["--", "osvpn"]).args(words);
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("_CLAP_IFS", "\n");
    let ran = run(command).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{words:?}: {}", ran.out);
    ran.out.lines().map(str::to_owned).collect()
}

async fn with(scene: &Scene, words: &[&str]) -> Vec<String> {
    offered(scene.osvpn(&[]), words).await
}

#[tokio::test(flavor = "multi_thread")]
async fn names_come_from_the_last_run_in_that_project_and_nothing_is_sent() {
    let scene = Scene::with_vpn().await;
    assert_eq!(with(&scene, &["status", "te"]).await, ["test-vpn"], "apply has just made it");
    scene.apply_office("office").await;
    assert_eq!(scene.run(&["list"]).await.code, 0);
    let path = scene.state().join("names");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read_to_string(&path).unwrap();
    let password = scene.cloud.environment().into_iter().find(|(name, _)| *name == "OS_PASSWORD").unwrap().1;
    assert!(scene.keys().iter().all(|key| !kept.contains(key)) && !kept.contains(&format!("\"{password}\"")));
    scene.asked();
    for command in [
        "status",
        "doctor",
        "forecast",
        "repair",
        "delete",
        "rotate-psk",
        "set-subnets",
        "upgrade",
        "admit",
        "peer",
        "resume",
        "rollback",
    ] {
        let mut names = with(&scene, &[command, "o"]).await;
        names.retain(|name| !name.starts_with('-'));
        assert_eq!(names, ["office"], "{command}");
    }
    assert_eq!(with(&scene, &["set-subnets", "office", "nz-h"]).await, ["nz-hlz-1=", "nz-hlz-1+=", "nz-hlz-1-="]);
    assert_eq!(
        with(&scene, &["set-subnets", "office", "nz-hlz-1+=office-subnet,pri"]).await,
        ["office-subnet,private-subnet"],
        "Bash puts it in the place of what is behind the sign"
    );
    assert!(with(&scene, &["peer", "office", "--for", "swan"]).await.contains(&"swanctl".to_owned()));
    assert_eq!(with(&scene, &["sta"]).await, ["status"]);
    assert_eq!(with(&scene, &["help", "js"]).await, ["json"]);
    assert_eq!(with(&scene, &["apply", "pl"]).await, ["plan.toml"]);
    std::fs::write(scene.home.path().join("plain.txt"), "").unwrap();
    assert_eq!(with(&scene, &["--plan", "pl"]).await, ["plan.toml"], "and no other file");

    let nothing: [&str; 0] = [];
    for (name, value) in
        [("OS_PROJECT_NAME", "other"), ("OS_USERNAME", "somebody"), ("OS_AUTH_URL", "http://127.0.0.1:1/v3")]
    {
        let mut other = scene.osvpn(&[]);
        other.env(name, value);
        assert_eq!(offered(other, &["status", "te"]).await, nothing, "{name} is another");
    }
    assert_eq!(with(&scene, &["--demo", "status", "te"]).await, nothing);
    assert_eq!(with(&scene, &["status", "--cloud", "prod", "te"]).await, nothing);
    assert!(scene.asked().is_empty(), "a Tab asks no cloud");
    // What is not read now is known from before: a region that fails, and the subnets that no VPN has.
    let subnets = ["set-subnets", "office", "nz-hlz-1+=db-"];
    assert_eq!(scene.run(&["set-subnets", "office", "A=nosuch"]).await.code, 2);
    assert_eq!(scene.run(&["list"]).await.code, 0);
    assert_eq!(with(&scene, &subnets).await, ["db-subnet"]);
    for region in [A, B] {
        scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).region(region).method("GET").times(5));
    }
    scene.run(&["list"]).await;
    assert_eq!(with(&scene, &["status", "te"]).await, ["test-vpn"]);
    assert_eq!(with(&scene, &subnets).await, ["db-subnet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clouds_are_those_of_clouds_yaml_and_their_names_those_of_their_project() {
    let scene = Scene::with_vpn().await;
    let cloud = |name: &str, project: &str| {
        format!(
            "  {name}:\n    auth: {{auth_url: \"{}\", username: demo, password: demo, project_name: {project}, user_domain_name: Default, project_domain_name: Default}}\n",
            scene.cloud.auth_url()
        )
    };
    let home = scene.home.path();
    std::fs::write(
        home.join("clouds.yaml"),
        format!("clouds:\n{}{}", cloud("prod", "demo"), cloud("preview", "other")),
    )
    .unwrap();
    let by_file = || command::osvpn(home);
    assert_eq!(offered(by_file(), &["list", "--cloud", "pr"]).await, ["preview", "prod"]);
    let mut list = by_file();
    list.args(["list", "--cloud", "prod"]);
    let ran = run(list).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(offered(by_file(), &["--cloud", "prod", "status", "te"]).await, ["test-vpn"]);
    assert_eq!(offered(by_file(), &["status", "--cloud=prod", "te"]).await, ["test-vpn"]);
    assert_eq!(offered(by_file(), &["status", "--cloud", "=", "prod", "te"]).await, ["test-vpn"], "as Bash sends it");
    assert_eq!(offered(by_file(), &["--cloud", "preview", "status", "te"]).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_is_answered_with_nothing_and_never_with_a_word_that_a_shell_would_run() {
    let scene = Scene::with_vpn().await;
    for region in [A, B] {
        let id = scene.cloud.collection(region, "ipsec-site-connections")[0]["id"].as_str().unwrap().to_owned();
        scene.cloud.alter(
            region,
            "ipsec-site-connections",
            &id,
            json!({"name": "te$(touch owned)", "description": ""}),
        );
    }
    assert_eq!(scene.run(&["list"]).await.code, 0);
    let kept = std::fs::read_to_string(scene.state().join("names")).unwrap();
    assert!(kept.contains("touch owned"), "{kept}");
    let offered_now = with(&scene, &["status", ""]).await;
    assert!(offered_now.iter().all(|word| !word.contains('$')) && offered_now.len() > 1, "{offered_now:?}");
    std::fs::write(scene.home.path().join("x $(touch owned);'.toml"), "").unwrap();
    assert_eq!(with(&scene, &["apply", "x"]).await, [r"x\ \$\(touch\ owned\)\;\'.toml"]);
    for broken in ["{", "[]", "\u{0}"] {
        std::fs::write(scene.state().join("names"), broken).unwrap();
        assert_eq!(with(&scene, &["status", "te"]).await, [""; 0]);
    }
    // A clouds.yaml that nothing is written to, and a shell that is none.
    let home = scene.home.path();
    assert!(Command::new("mkfifo").arg(home.join("clouds.yaml")).status().unwrap().success());
    assert_eq!(offered(command::osvpn(home), &["--cloud", ""]).await, [""; 0]);
    let mut odd = command::osvpn(home);
    odd.env("COMPLETE", "tcsh");
    let ran = run(odd).await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clouds_yaml_that_can_be_read_once_holds_up_no_command() {
    let scene = Scene::with_vpn().await;
    let pipe = scene.home.path().join("once.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = format!(
        "clouds:\n  prod:\n    auth: {{auth_url: \"{}\", username: demo, password: demo, project_name: demo, \
         user_domain_name: Default, project_domain_name: Default}}\n",
        scene.cloud.auth_url()
    );
    let written = pipe.clone();
    std::thread::spawn(move || std::fs::write(written, text));
    let mut list = command::osvpn(scene.home.path());
    list.args(["list", "--cloud", "prod"]).env("OS_CLIENT_CONFIG_FILE", &pipe);
    let ran = tokio::time::timeout(Duration::from_secs(60), run(list)).await.unwrap();
    assert!(ran.code == 0 && ran.out.contains("test-vpn"), "{}", ran.err);
}

/// Types into a shell that has loaded what `osvpn completions` prints.
fn in_shell(scene: &Scene, shell: &str, begin: &str, load: &str) {
    if !command::is_installed(shell) {
        return;
    }
    let directory = Path::new(env!("CARGO_BIN_EXE_osvpn")).parent().unwrap().display().to_string();
    let mut vars = vec![("PATH", format!("{directory}:/usr/bin:/bin"))];
    let environment = scene.cloud.environment();
    vars.extend(environment.iter().map(|(name, value)| (*name, value.clone())));
    let mut pty = Pty::start_shell_with(scene.home.path(), begin, &vars);
    pty.send(&format!("{load}; echo load\"\"ed\r"));
    pty.wait_for("loaded");
    for (typed, becomes) in [
        ("osvpn sta\t", "osvpn status "),
        ("test\t", "osvpn status test-vpn"),
        ("\x15osvpn peer --for fort\t", "--for fortios"),
        ("\x15osvpn set-subnets test-vpn nz-hlz-1+=priv\t", "nz-hlz-1+=private-subnet"),
        ("\x15osvpn apply pla\t", "osvpn apply plan.toml"),
    ] {
        pty.send(typed);
        let screen = pty.wait_for(becomes);
        assert!(!screen.contains("rror"), "{shell}: {screen}");
    }
    std::fs::write(scene.home.path().join("sly $(touch owned);touch owned.toml"), "").unwrap();
    pty.send("\x15osvpn apply sly\t");
    pty.wait_for("owned.toml");
    pty.send("; echo tri\"\"ed\r");
    pty.wait_for("tried");
    for made in ["owned", "owned.toml"] {
        assert!(!scene.home.path().join(made).exists(), "{shell} has run the name of a file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_zsh_and_fish_complete_what_is_known() {
    let scene = Scene::with_vpn().await;
    assert_eq!(scene.run(&["list"]).await.code, 0);
    tokio::task::block_in_place(|| {
        in_shell(&scene, "bash", "exec bash --norc --noprofile -i", ". <(osvpn completions bash)");
        // As it is installed: a file of its own in fpath, loaded by the first Tab.
        let fpath = "mkdir -p fpath && osvpn completions zsh > fpath/_osvpn && fpath=($PWD/fpath $fpath)";
        in_shell(&scene, "zsh", "exec zsh -f -i", &format!("{fpath} && autoload -Uz compinit && compinit -u"));
        in_shell(&scene, "fish", "exec fish --no-config -i", "osvpn completions fish | source");
    });
}
