//! A sign-in that asks: in the wizard, and on the terminal of the commands without a screen.

use super::*;

fn vars(scene: &Scene, changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut vars = scene.cloud.environment();
    vars.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    vars.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
    vars
}

const MFA: &[(&str, &str)] = &[("OS_USERNAME", "demo-mfa"), ("OS_PASSWORD", "")];

#[test]
fn the_wizard_asks_for_what_is_missing_and_again_when_it_has_expired_with_nothing_lost() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = scene.objects();
    let mut pty = Pty::start(scene.home.path(), &[], &vars(&scene, MFA));
    pty.wait_for("The password of demo-mfa");
    pty.send("wrong\r");
    pty.wait_for("refused the password");
    pty.send("demo\r\r");
    pty.wait_for("authenticator of demo-mfa");
    pty.send("000000\r");
    pty.wait_for("was not accepted");
    pty.send("123456\r");
    enter_until(&mut pty, "creates");
    scene.cloud.expire_tokens();
    pty.confirm("\r");
    pty.wait_for("Your sign-in has expired");
    pty.send("\x1b");
    pty.wait_for("was not renewed");
    pty.confirm("\r");
    pty.wait_for("Your sign-in has expired");
    pty.send("123456\r");
    pty.finish();
    let (code, Printed { everything, .. }) = pty.end();
    assert_eq!((code, scene.objects()), (0, before + 12));
    assert!(!everything.contains("123456") && !everything.contains("000000"));
}

#[test]
fn a_signal_ends_the_wizard_while_it_asks() {
    let scene = Scene::new(SimulatorSettings::default());
    let pty = Pty::start(scene.home.path(), &[], &vars(&scene, MFA));
    pty.wait_for("The password of demo-mfa");
    pty.signal("TERM");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!((code, said.trim()), (130, "Nothing was created."));
}

fn plan(scene: &Scene) {
    let half = |region: &str| {
        format!("[[half]]\nregion = \"{region}\"\nrouter = \"border-router\"\nsubnets = [\"private-subnet\"]\n")
    };
    let text =
        format!("version = 1\nname = \"test-vpn\"\nmode = \"site-to-site\"\n{}{}", half("nz-hlz-1"), half("nz-por-1"));
    std::fs::write(scene.home.path().join("plan.toml"), text).unwrap();
}

#[test]
fn apply_asks_on_the_terminal_at_the_start_and_in_mid_run_and_shows_nothing_of_it() {
    let scene = Scene::new(SimulatorSettings::default());
    plan(&scene);
    let before = scene.objects();
    let gate = osvpn::simulator::Gate::closed();
    scene.cloud.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("ikepolicies"));
    let mut pty = Pty::start(scene.home.path(), &["apply", "plan.toml"], &vars(&scene, MFA));
    pty.wait_for("Password:");
    pty.send("demo\r");
    pty.wait_for("Passcode:");
    pty.send("123456\r");
    scene.runtime.block_on(gate.arrived());
    scene.cloud.expire_tokens();
    gate.open();
    pty.wait("the second question", |screen| {
        screen.contains("has expired") && screen.trim_end().ends_with("Passcode:")
    });
    pty.send("000000\r");
    pty.wait("the third question", |screen| {
        screen.contains("not accepted") && screen.trim_end().ends_with("Passcode:")
    });
    pty.send("123456\r");
    let (code, Printed { everything, .. }) = pty.end();
    assert_eq!((code, scene.objects()), (0, before + 12), "{everything}");
    assert!(!everything.contains("123456") && !everything.contains("000000"), "{everything}");
}

#[test]
fn ctrl_c_at_the_question_of_apply_stops_it_and_leaves_the_terminal_as_it_was() {
    let scene = Scene::new(SimulatorSettings::default());
    plan(&scene);
    let mut pty = Pty::start(scene.home.path(), &["apply", "plan.toml"], &vars(&scene, MFA));
    pty.wait_for("Password:");
    pty.send(CTRL_C);
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("Nothing was created."), "{said}");
}

/// What a shell does with a job that was stopped and goes on: it has put its own line settings in place meanwhile.
#[test]
fn what_is_typed_stays_hidden_after_the_program_was_stopped_and_goes_on() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = Pty::start(scene.home.path(), &["list"], &vars(&scene, &MFA[1..]));
    pty.wait_for("Password:");
    pty.signal("STOP");
    pty.wait_stopped();
    pty.show_typing();
    pty.signal("CONT");
    pty.wait("the question again", |screen| screen.matches("Password:").count() == 2);
    pty.send("V1sibleSecret\r");
    pty.wait_for("refused the password");
    pty.wait("the password again", |screen| screen.trim_end().ends_with("Password:"));
    pty.send("demo\r");
    pty.wait_for("Passcode:");
    pty.send("\r");
    let (code, Printed { everything, .. }) = pty.end();
    assert_eq!(code, 0, "{everything}");
    assert!(!everything.contains("V1sibleSecret"), "{everything}");
}

#[test]
fn a_key_that_is_typed_for_a_file_is_hidden_and_can_be_left_with_ctrl_c() {
    let scene = Scene::new(SimulatorSettings::default());
    plan(&scene);
    let args = ["apply", "plan.toml", "--psk-file", "-", "--dry-run"];
    for (keys, expected) in [("Typed0nThisTerminal2345\r", 0), ("short\r", 2), ("\r", 2), ("Typed0nThis\x03", 130)] {
        let mut pty = scene.wizard(&args);
        pty.wait_for("Pre-shared key:");
        pty.send(keys);
        let (code, Printed { everything, .. }) = pty.end();
        assert_eq!(code, expected, "{everything}");
        assert!(!everything.contains(keys.trim_end_matches(['\r', '\x03'])) || keys == "\r", "{everything}");
    }
}

#[test]
fn a_clouds_yaml_of_the_current_directory_is_asked_about_before_a_secret_of_another_place_is_sent() {
    let scene = Scene::new(SimulatorSettings::default());
    let home = scene.home.path();
    std::fs::create_dir_all(home.join(".config/openstack")).unwrap();
    let secure = "clouds:\n  prod:\n    auth:\n      password: demo\n";
    std::fs::write(home.join(".config/openstack/secure.yaml"), secure).unwrap();
    let auth = "username: demo, user_domain_name: Default, project_name: demo, project_domain_name: Default";
    let clouds = format!("clouds:\n  prod:\n    auth: {{auth_url: \"{}\", {auth}}}\n", scene.cloud.auth_url());
    std::fs::write(home.join("clouds.yaml"), clouds).unwrap();
    for (typed, expected) in [("\r", 2), ("no\r", 2), ("yes\r", 0)] {
        assert!(scene.cloud.requests().is_empty(), "nothing was sent");
        let mut pty = Pty::start(home, &["list"], &[]);
        pty.wait_for("is in the current directory");
        pty.wait_for("yes to confirm:");
        pty.send(typed);
        let (code, Printed { said, .. }) = pty.end();
        assert_eq!(code, expected, "{said}");
    }
    // The wizard asks the same.
    let mut pty = Pty::start(home, &[], &[]);
    pty.wait_for("is in the current directory");
    pty.send("yes\r");
    pty.wait_for(STEPS[0]);
}

#[test]
fn who_gives_up_in_mid_run_is_told_how_to_go_on_and_resume_asks_again() {
    let scene = Scene::new(SimulatorSettings::default());
    plan(&scene);
    let before = scene.objects();
    let gate = osvpn::simulator::Gate::closed();
    scene
        .cloud
        .inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("ipsec-site-connections"));
    let mut pty = Pty::start(scene.home.path(), &["apply", "plan.toml"], &vars(&scene, &MFA[..1]));
    pty.wait_for("Passcode:");
    pty.send("123456\r");
    scene.runtime.block_on(gate.arrived());
    scene.cloud.expire_tokens();
    gate.open();
    pty.wait("the second question", |screen| {
        screen.contains("has expired") && screen.trim_end().ends_with("Passcode:")
    });
    pty.confirm("\r");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!((code, scene.objects()), (1, before + 10), "{said}");
    assert!(said.contains("was not renewed") && said.contains("osvpn resume "), "{said}");
    let mut pty = Pty::start(scene.home.path(), &["resume"], &vars(&scene, &MFA[..1]));
    pty.wait_for("Passcode:");
    pty.send("123456\r");
    let (code, Printed { said, .. }) = pty.end();
    assert_eq!((code, scene.objects()), (0, before + 12), "{said}");
}
