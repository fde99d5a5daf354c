//! The wizard in lines, on a terminal without a screen: typed lines in, appended lines out, and no other byte.

use super::*;

fn dumb(scene: &Scene, changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut vars = scene.cloud.environment();
    vars.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    vars.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
    vars.push(("TERM", "dumb".to_owned()));
    vars
}

/// Waits until that was said and something is asked, then types a line.
#[track_caller]
fn answer(pty: &mut Pty, said: &str, line: &str) {
    pty.wait(said, |screen| screen.contains(said) && screen.trim_end().ends_with(':'));
    pty.confirm(&format!("{line}\r"));
}

/// Enter at every question, until that one is asked.
#[track_caller]
fn enter_to(pty: &mut Pty, last: &str) {
    for _ in 0..20 {
        let screen = pty.wait("a question", |screen| screen.trim_end().ends_with(':'));
        if screen.contains(last) {
            return;
        }
        pty.confirm("\r");
        Pty::pause();
    }
    panic!("Enter does not lead to {last}");
}

/// Nothing but text and the ends of lines, and no more than the width of the terminal.
#[track_caller]
fn is_plain(everything: &str) {
    let control = everything.chars().find(|c| c.is_control() && !matches!(c, '\r' | '\n'));
    assert_eq!(control, None, "{everything:?}");
    let drawn = everything.chars().find(|c| matches!(c, '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}'));
    assert_eq!(drawn, None, "{everything}");
}

/// Four lines: the first proposal, Create, Admit traffic and the end.
#[track_caller]
fn four_lines(mut pty: Pty, scene: &Scene, before: (usize, [usize; 2])) -> String {
    for said in ["Name: hlz-por", "Create: 12 objects", "[1] Admit traffic", "carries traffic"] {
        answer(&mut pty, said, "");
    }
    let (code, Printed { everything, .. }) = pty.end();
    assert_eq!(code, 0, "{everything}");
    let (objects, rules) = (before.0 + 12, before.1.map(|count| count + 1));
    assert_eq!((scene.objects(), rules_of(scene)), (objects, rules), "{everything}");
    let text = everything.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["12 of 12 made.", "[1] Create", "VPN hlz-por is ACTIVE"] {
        assert!(text.contains(part), "{part:?} is missing from\n{everything}");
    }
    is_plain(&everything);
    for connection in scene.cloud.collection("nz-hlz-1", "ipsec-site-connections") {
        assert!(!everything.contains(connection["psk"].as_str().unwrap()), "{everything}");
    }
    everything
}

fn rules_of(scene: &Scene) -> [usize; 2] {
    ["nz-hlz-1", "nz-por-1"].map(|region| scene.cloud.collection(region, "security-group-rules").len())
}

#[test]
fn four_lines_lead_to_a_vpn_that_carries_traffic_at_every_size_and_however_lines_are_asked_for() {
    let plain = |scene: &Scene| Pty::start_sized((60, 18), scene.home.path(), &["--plain"], &scene.cloud.environment());
    let dumb_terminal = |scene: &Scene| Pty::start_sized((80, 24), scene.home.path(), &[], &dumb(scene, &[]));
    let accessible = |scene: &Scene| {
        let vars = [scene.cloud.environment(), vec![("ACCESSIBLE", "1".to_owned())]].concat();
        Pty::start_sized((120, 40), scene.home.path(), &[], &vars)
    };
    let wide = |scene: &Scene| Pty::start_sized((200, 60), scene.home.path(), &["--plain"], &scene.cloud.environment());
    let ways: [&dyn Fn(&Scene) -> Pty; 4] = [&plain, &dumb_terminal, &accessible, &wide];
    for way in ways {
        let scene = Scene::new(SimulatorSettings::default());
        let before = (scene.objects(), rules_of(&scene));
        four_lines(way(&scene), &scene, before);
    }
}

#[test]
fn script_keeps_all_that_was_said_as_it_was() {
    let scene = Scene::new(SimulatorSettings::default());
    let before = (scene.objects(), rules_of(&scene));
    let vars = dumb(&scene, &[("OSVPN", env!("CARGO_BIN_EXE_osvpn"))]);
    let pty = Pty::start_shell_with(scene.home.path(), "exec script -qefc '\"$OSVPN\" --plain' kept", &vars);
    let everything = four_lines(pty, &scene, before);
    let kept = std::fs::read_to_string(scene.home.path().join("kept")).unwrap();
    assert!(kept.contains("VPN hlz-por is ACTIVE") && !kept.contains('\x1b'), "{kept}");
    assert!(everything.contains("VPN hlz-por is ACTIVE"), "{everything}");
}

#[test]
fn choices_are_taken_by_number_and_by_name_and_what_cannot_be_taken_says_why() {
    let scene = Scene::new(SimulatorSettings::default());
    let vars = [dumb(&scene, &[]), vec![("LANG", "C".to_owned())]].concat();
    let mut pty = Pty::start_sized((60, 40), scene.home.path(), &["--plain"], &vars);
    answer(&mut pty, "choose step by step", "Choose step by step");
    enter_to(&mut pty, "Which router of Hamilton?");
    answer(&mut pty, "Which router of Hamilton?", "ISOLATED-ROUTER");
    answer(&mut pty, "! isolated-router has no external gateway", "999");
    answer(&mut pty, "neither a number nor a name", "border-router");
    answer(&mut pty, "Which subnets of Hamilton?", "/db");
    answer(&mut pty, "With \"db\": 1 of", "1");
    answer(&mut pty, "Which router of Porirua?", "b");
    answer(&mut pty, "Numbers, as in 1,3 [db-subnet]:", "q");
    answer(&mut pty, "2  Leave", "stay");
    pty.wait("the list", |screen| screen.trim_end().ends_with("[db-subnet]:"));
    pty.send("\x04");
    answer(&mut pty, "Leave osvpn?", "2");
    let (code, Printed { everything, .. }) = pty.end();
    assert_eq!(code, 130, "{everything}");
    is_plain(&everything);
    assert!(everything.is_ascii(), "{everything}");
    let widest = everything.lines().filter(|line| !line.contains("---")).map(|line| line.trim_end().len()).max();
    assert!(widest.unwrap() <= 60 + "[db-subnet]: stay".len(), "{everything}");
}

#[test]
fn what_is_secret_is_neither_echoed_nor_said() {
    const OWN: &str = "Own0nly1nMemory2NeverWritten345a";
    let scene = Scene::new(SimulatorSettings::default());
    let vars = dumb(&scene, &[("OS_USERNAME", "demo-mfa"), ("OS_PASSWORD", "")]);
    let mut pty = Pty::start(scene.home.path(), &[], &vars);
    answer(&mut pty, "Password:", "wrong-password");
    pty.wait_for("refused the password");
    answer(&mut pty, "refused the password", "demo");
    answer(&mut pty, "Passcode:", "");
    answer(&mut pty, "authenticator of demo-mfa", "123456");
    enter_to(&mut pty, "Create: 12 objects");
    answer(&mut pty, "Create: 12 objects", "key");
    answer(&mut pty, "Key [32 characters]:", "short");
    answer(&mut pty, "20 to 40", OWN);
    answer(&mut pty, "your own, 32 characters", "q");
    answer(&mut pty, "2  Leave", "leave");
    let (code, Printed { everything, .. }) = pty.end();
    assert_eq!(code, 130, "{everything}");
    for secret in ["wrong-password", "123456", OWN] {
        assert!(!everything.contains(secret), "{secret} is in\n{everything}");
    }
    is_plain(&everything);
}

#[test]
fn ctrl_c_asks_and_what_exists_can_be_kept() {
    let scene = Scene::new(SimulatorSettings { report_interval: Duration::MAX, ..SimulatorSettings::default() });
    let before = scene.objects();
    let mut pty = Pty::start(scene.home.path(), &[], &dumb(&scene, &[]));
    enter_to(&mut pty, "Create: 12 objects");
    answer(&mut pty, "Create: 12 objects", "1");
    pty.wait_for("waiting for ACTIVE");
    pty.send(CTRL_C);
    answer(&mut pty, "Roll back instead", "go on waiting");
    // A Ctrl-C that comes before that was read would mean stop and keep.
    pty.wait("it goes on", |screen| !screen.trim_end().ends_with("go on waiting"));
    pty.send(CTRL_C);
    answer(&mut pty, "Roll back instead", "stop waiting");
    let (code, Printed { everything, .. }) = pty.end();
    assert_eq!((code, scene.objects()), (130, before + 12), "{everything}");
    is_plain(&everything.replace('\x03', "").replace("^C", ""));
}

#[test]
fn a_signal_at_a_hidden_question_gives_the_terminal_back() {
    let scene = Scene::new(SimulatorSettings::default());
    let vars = dumb(&scene, &[("OS_USERNAME", "demo-mfa"), ("OS_PASSWORD", "")]);
    for signal in ["TERM", "QUIT"] {
        let pty = Pty::start(scene.home.path(), &[], &vars);
        pty.wait_for("Password:");
        pty.signal(signal);
        let (code, Printed { said, everything, .. }) = pty.end();
        assert!(code == 130 && said.contains("Nothing was created."), "{said}");
        assert!(everything.lines().any(|line| line.starts_with("Nothing was created.")), "{everything}");
    }
}

#[test]
fn the_screen_is_on_the_terminal_where_standard_output_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start_shell(home.path(), "\"$OSVPN\" --demo > summary.txt");
    enter_until(&mut pty, "creates");
    pty.confirm("\r");
    pty.finish();
    let (code, Printed { said, .. }) = pty.end();
    let kept = std::fs::read_to_string(home.path().join("summary.txt")).unwrap();
    assert!(code == 0 && said.trim().is_empty(), "{said}");
    assert!(kept.starts_with("VPN hlz-por") && !kept.contains('\x1b'), "{kept}");
}

#[test]
fn what_was_done_is_one_json_document_in_the_words_of_the_commands() {
    let home = tempfile::tempdir().unwrap();
    let kept = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(home.path().join(name)).unwrap()).unwrap()
    };
    let mut pty = Pty::start_shell(home.path(), "\"$OSVPN\" --demo --json > made.json");
    enter_until(&mut pty, "creates");
    pty.confirm("\r");
    pty.finish();
    let (code, Printed { said, .. }) = pty.end();
    let made = kept("made.json");
    assert!(code == 0 && said.trim().is_empty() && made["exit_code"] == 0, "{said}{made}");
    assert_eq!(
        (&made["creations"][0]["outcome"], &made["changes"]),
        (&"active".into(), &serde_json::json!([])),
        "{made}"
    );
    assert_eq!(made["creations"][0]["halves"][1]["connection_status"], "ACTIVE", "{made}");

    let pty = Pty::start_shell(home.path(), "\"$OSVPN\" --demo --json --plan nowhere.toml > none.json");
    assert_eq!(pty.end().0, 2);
    let none = kept("none.json");
    assert!(none["outcome"] == "unusable" && none["problems"].to_string().contains("nowhere.toml"), "{none}");
}

#[test]
fn at_every_size_the_screen_leads_from_the_first_page_to_the_review() {
    let scene = Scene::new(SimulatorSettings::default());
    for size in [(60, 18), (80, 24), (120, 40), (200, 60)] {
        let mut screen = Pty::start_sized(size, scene.home.path(), &[], &scene.cloud.environment());
        screen.settled("10.20.30.0/24");
        screen.confirm("\r");
        screen.settled("creates 12 objects");
        screen.send("qy");
        assert_eq!(screen.end().0, 130);
    }
}

#[test]
fn a_click_chooses_and_the_wheel_moves() {
    let scene = Scene::new(SimulatorSettings::default());
    let mut pty = scene.wizard(&[]);
    let screen = pty.settled("one region and an outside peer");
    let row = 1 + screen.lines().position(|line| line.contains("one region and")).unwrap();
    let click = format!("\x1b[<0;40;{row}M\x1b[<0;40;{row}m");
    pty.send(&click);
    pty.wait_for("the half in this cloud");
    pty.send("\x1b[<64;40;10M");
    pty.wait("the line above", |screen| !screen.contains("the half in this cloud"));
    pty.send("\x1b[<65;40;10M");
    pty.wait_for("the half in this cloud");
    pty.confirm(&click);
    pty.wait_for("Which region?");
    pty.signal("TERM");
    pty.end();
}
