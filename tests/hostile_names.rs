//! Names that would like to be more than names: escapes, marks, wide and invisible characters, in everything that is shown.

use crate::support::{command, pty};
use osvpn::simulator::{FaultEffect, InjectedFault, Scripted, Simulator, SimulatorSettings};
use serde_json::json;
use tokio::runtime::Runtime;
use unicode_width::UnicodeWidthStr;

use command::{osvpn_in, run, site_to_site};
use pty::Pty;

/// What a terminal obeys, in all its spellings, and what only looks odd.
const HOSTILE: &str = "\u{1b}[31mred\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}]0;title\u{1b}\\\u{9b}6n\u{90}q\u{9c}\u{1b}c\r\n\u{8}\
                       $(reboot)`id`\u{202e}ltr\u{2066}\u{200b}\u{feff}\u{ad}e\u{301}漢字👩\u{200d}🚀";

fn hostile(name: &str) -> String {
    let text = format!("{name} {HOSTILE}");
    let room = 255 - text.chars().count();
    text + &"w".repeat(room)
}

/// A simulated cloud in which everything that has a name has a hostile one.
fn spoil(cloud: &Simulator) {
    for region in ["nz-hlz-1", "nz-por-1"] {
        for collection in ["routers", "subnets", "networks", "vpnservices", "endpoint-groups", "ikepolicies"] {
            for object in cloud.collection(region, collection) {
                let (id, name) = (object["id"].as_str().unwrap(), object["name"].as_str().unwrap());
                cloud.alter(region, collection, id, json!({"name": hostile(name), "description": HOSTILE}));
            }
        }
    }
}

/// No byte of a name may reach a terminal as a command: the only escapes are those of the program's own.
#[track_caller]
fn obeys_nobody(what: &str, bytes: &str) {
    for command in
        ["\u{1b}]", "\u{1b}P", "\u{1b}c", "\u{1b}[6n", "\u{7}", "\u{8}", "\u{9b}", "\u{90}", "\u{9c}", "\u{202e}"]
    {
        assert!(!bytes.contains(command), "{what}: {command:?}");
    }
    let allowed = |c: char| !c.is_control() || "\n\r\u{1b}".contains(c);
    assert!(bytes.chars().all(allowed), "{what}: a control character");
}

#[test]
fn the_whole_wizard_shows_hostile_names_and_obeys_none_of_them() {
    let runtime = Runtime::new().unwrap();
    let cloud = runtime.block_on(Simulator::start(SimulatorSettings::default())).unwrap();
    spoil(&cloud);
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &[], &cloud.environment());
    let straight = |screen: String| {
        for line in screen.lines().filter(|line| line.contains('│')) {
            let rail = line.split('│').next().unwrap();
            assert_eq!(rail.width(), 27, "the rail stands where it stood:\n{screen}");
            assert!(line.width() <= 80, "{screen}");
        }
    };
    straight(pty.settled("What should be"));
    pty.send("/choose\r");
    for step in ["first region", "router of Hamilton", "subnets of Hamilton", "router of Porirua"] {
        straight(pty.settled(step));
        pty.send("\r");
    }
    let review = pty.wait_for("creates 12 objects");
    assert!(review.contains("border-router"), "{review}");
    straight(review);
    pty.send("s");
    straight(pty.wait_for("Saved"));
    pty.resize(120, 40);
    pty.resize(80, 24);
    pty.wait_for("creates 12 objects");
    pty.confirm("\r");
    straight(pty.wait_for("needs no name"));
    pty.confirm("\r");
    straight(pty.wait_for("[ Admit traffic ]"));
    pty.confirm("\r");
    straight(pty.wait_for("carries traffic"));
    pty.confirm("\r");
    let (code, printed) = pty.end();
    assert_eq!(code, 0);
    obeys_nobody("the terminal", &printed.everything);
    let plan = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
    let [plan] =
        plan.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).collect::<Vec<_>>().try_into().unwrap();
    obeys_nobody("the plan", &std::fs::read_to_string(plan).unwrap());
}

#[test]
fn nor_does_the_wizard_in_lines() {
    let runtime = Runtime::new().unwrap();
    let cloud = runtime.block_on(Simulator::start(SimulatorSettings::default())).unwrap();
    spoil(&cloud);
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--plain"], &cloud.environment());
    for said in ["Name: hlz-por", "Create: 12 objects", "[1] Admit traffic", "carries traffic"] {
        pty.wait(said, |screen| screen.contains(said) && screen.trim_end().ends_with(':'));
        pty.confirm("\r");
    }
    let (code, printed) = pty.end();
    assert_eq!(code, 0);
    obeys_nobody("the terminal", &printed.everything);
    assert!(!printed.everything.contains('\u{1b}') && printed.everything.contains("$(reboot)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_printed_obeys_a_name_either() {
    let cloud = Simulator::start(SimulatorSettings::default()).await.unwrap();
    spoil(&cloud);
    let home = tempfile::tempdir().unwrap();
    // Names that fit nothing: the error lists those that are there.
    let plan = site_to_site(home.path());
    let osvpn = |args: &[&str]| {
        let mut command = osvpn_in(home.path(), &cloud);
        command.args(args).env("OSVPN_LOG", "trace");
        run(command)
    };
    let ran = osvpn(&["apply", plan]).await;
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("border-router"), "{}", ran.err);
    obeys_nobody("a refusal", &(ran.out + &ran.err));
    // By ids it works, and every name is in the report.
    let id = |region: &str, collection: &str, name: &str| {
        let all = cloud.collection(region, collection).into_iter();
        let mut fits = all.filter(|object| object["name"].as_str().unwrap().starts_with(name));
        fits.next().unwrap()["id"].as_str().unwrap().to_owned()
    };
    let mut text = std::fs::read_to_string(home.path().join(plan)).unwrap();
    for region in ["nz-hlz-1", "nz-por-1"] {
        text = text.replacen("\"border-router\"", &format!("\"{}\"", id(region, "routers", "border-router")), 1);
    }
    text = text.replacen("\"private-subnet\"", "\"10.0.0.0/24\"", 1).replacen(
        "\"private-subnet\"",
        "\"10.20.30.0/24\"",
        1,
    );
    std::fs::write(home.path().join(plan), &text).unwrap();
    for args in [&["apply", plan, "--dry-run"][..], &["apply", plan, "--dry-run", "--json"], &["apply", plan]] {
        let ran = osvpn(args).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        obeys_nobody(&args.join(" "), &(ran.out + &ran.err));
    }
    // What the cloud says in its errors, in every place it can say something.
    let scripted = Scripted {
        status: 409,
        headers: vec![("X-Openstack-Request-Id".to_owned(), "req-1\u{9b}6n".replace('\u{9b}', "?"))],
        body: json!({"NeutronError": {"type": HOSTILE, "message": HOSTILE, "detail": HOSTILE}}).to_string(),
    };
    cloud.inject(InjectedFault::new(FaultEffect::Answer(scripted)).method("POST").path("vpnservices").always());
    cloud.inject(
        InjectedFault::new(FaultEffect::Answer(Scripted {
            status: 302,
            headers: vec![("Location".to_owned(), "x?y".to_owned())],
            body: HOSTILE.to_owned(),
        }))
        .method("DELETE"),
    );
    for args in [
        &["rollback", "nothing\u{1b}]0;x\u{7}", "--yes"][..],
        &["apply", "missing\u{1b}]0;x\u{7}.toml"],
        &["bug-report", "-o", "-"],
    ] {
        let ran = osvpn(args).await;
        obeys_nobody(&args.join(" ").escape_debug().to_string(), &(ran.out + &ran.err));
    }
}
