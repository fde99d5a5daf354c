//! What osvpn doctor says of each broken VPN, and whether its advice fixes it: with real tunnels, from the first finding to
//! a verified VPN and pings both ways.

use std::process::Output;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;

use super::broken_vpns::{self, Behind, Breakage, Site};
use super::cloud::{A, B, RealCloud, in_each_with_tunnels, say};
use super::expected_fixes::{Cure, Remedy, remedy};
use super::guide_commands::Profile;
use super::wizard::plan_between;

const HAMILTON: &str = "nz-hlz-1:10.0.0.10";
const PORIRUA: &str = "nz-por-1:10.20.30.10";

/// What osvpn says without a terminal.
struct Said {
    code: i32,
    document: Value,
    all: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let document = serde_json::from_str(&out).unwrap_or_default();
        Self { code: output.status.code().unwrap(), document, all: out + &err }
    }
}

fn osvpn(cloud: &RealCloud, args: &[&str]) -> Said {
    Said::from(cloud.headless(args))
}

/// Makes a whole VPN with osvpn.
fn apply(cloud: &RealCloud) {
    let sides = [A, B].map(|region| (region, "border-router", &["private-subnet"][..]));
    let plan = cloud.plan("whole", &plan_between("hlz-por", Profile::Modern, sides));
    let said = osvpn(cloud, &["apply", &plan, "--json"]);
    assert_eq!(said.code, 0, "{}: {}", cloud.release, said.all);
    // Of the instances that are there some admit nobody from across.
    let said = osvpn(cloud, &["admit", "--yes", "--json"]);
    assert!([0, 2, 4].contains(&said.code), "{}: {}", cloud.release, said.all);
}

/// The word that names the pair, or the half that is left of it.
fn handle(cloud: &RealCloud) -> String {
    let said = osvpn(cloud, &["list", "--json"]);
    let vpns = said.document["vpns"].as_array().unwrap_or_else(|| panic!("{}", said.all)).clone();
    let pair = vpns.iter().find(|vpn| vpn["shape"] == "pair").or(vpns.first());
    pair.unwrap_or_else(|| panic!("{}", said.all))["id"].as_str().unwrap().to_owned()
}

/// Does what a finding says: lets osvpn do it, or gives the commands it names.
fn follow(cloud: &RealCloud, vpn: &str, finding: &Value, wait: &str) -> String {
    let commands: Vec<&str> =
        finding["commands"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    if finding["fix"] != "by hand:" {
        let said = osvpn(cloud, &["doctor", vpn, "--fix", "--yes", "--json", "--wait", wait]);
        assert!([0, 3, 5].contains(&said.code), "{}", said.all);
        return said.document["verb"].as_str().unwrap_or("nothing").to_owned();
    }
    let mut done = Vec::new();
    for command in commands {
        // What is said of a command stands behind it.
        let words: Vec<&str> = command.split("   ").next().unwrap().split_whitespace().collect();
        match words.as_slice() {
            ["osvpn"] => apply(cloud),
            // It is looked at, and what to do is the reader's choice.
            ["osvpn", "doctor", ..] => {}
            ["osvpn", rest @ ..] => {
                let said = osvpn(cloud, &[rest, &["--yes", "--json"]].concat());
                assert_eq!(said.code, 0, "{command}: {}", said.all);
            }
            ["openstack", "--os-region-name", rest @ ..] => cloud.openstack(rest),
            // Advice in words.
            _ => continue,
        }
        done.push(words[..words.len().min(2)].join(" "));
    }
    done.join(", ")
}

/// Switches the router of A off and on, as the diagnosis says may be needed.
fn switch_router(cloud: &RealCloud) {
    cloud.openstack(&[A, "router", "set", "--disable", "border-router"]);
    let is_gone =
        || String::from_utf8_lossy(&cloud.run("ping", &[HAMILTON, PORIRUA]).stderr).contains("no such instance");
    while !is_gone() {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    cloud.openstack(&[A, "router", "set", "--enable", "border-router"]);
}

/// Breaks a VPN, has it mended, and says how that went; the second is whether it went as it should.
fn play(cloud: &RealCloud, breakage: &Breakage) -> (String, bool) {
    apply(cloud);
    let statuses = cloud
        .runtime
        .block_on(async { Site::enter(&cloud.auth_url, Behind::Real(cloud.release)).await.suffer(breakage).await });
    let vpn = handle(cloud);
    let said = osvpn(cloud, &["doctor", &vpn, "--json"]);
    let (first, remedy) = (&said.document["vpns"][0]["findings"][0], remedy(breakage.name));
    let Remedy { subject, weight, cure, loses_hold } = &remedy;
    let is_found = first["subject"] == *subject && first["weight"] == *weight;
    let mut line = format!(
        "{:30} | {:21} | {} | {} {}: {}",
        breakage.name,
        statuses.join(" / "),
        said.code,
        first["weight"].as_str().unwrap_or("-"),
        first["subject"].as_str().unwrap_or("-"),
        first["seen"].as_str().unwrap_or("-"),
    );
    if first.is_null() {
        return (format!("{line} | NOTHING FOUND: {}", said.all), false);
    }
    let done = follow(cloud, &vpn, first, if *loses_hold { "0" } else { "120" });
    if *loses_hold {
        line += " | router off and on";
        switch_router(cloud);
    }
    if breakage.name == "doubled service" {
        // Of the two VPNs on the router, the reader knows that this one is not needed.
        let said = osvpn(cloud, &["delete", "second", "--yes", "--json"]);
        assert_eq!(said.code, 0, "{}", said.all);
    }
    let vpn = handle(cloud);
    let (mut after, mut pings, mut is_mended, mut looks) = (Value::Null, [false; 2], false, 0);
    // A status is as old as the last report of an agent, and a tunnel that both ends began at once may have to be given up
    // by dead peer detection first.
    let begun = std::time::Instant::now();
    while !is_mended && begun.elapsed() < std::time::Duration::from_secs(240) {
        if looks > 0 {
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        looks += 1;
        let said = osvpn(cloud, &["status", &vpn, "--json"]);
        after = said.document;
        pings = [[HAMILTON, PORIRUA], [PORIRUA, HAMILTON]].map(|ends| cloud.run("ping", &ends).status.success());
        is_mended = said.code == 0 && pings == [true, true];
    }
    let left: Vec<&str> =
        after["findings"].as_array().into_iter().flatten().map(|row| row["subject"].as_str().unwrap()).collect();
    let (status, condition) = (&after["status"], &after["condition"]);
    line = format!("{line} | {done} | {status} {condition} ping {pings:?} at look {looks}, left {left:?}");
    let is_mended_as_said = match cure {
        Cure::Fix(verb) => done == *verb,
        Cure::ByHand(commands) => done == *commands,
    };
    (line, is_found && is_mended && is_mended_as_said && !left.contains(subject))
}

/// What no cloud has begun to play, the last first. Both releases have the same agents and are at work at once: each
/// broken VPN is played in the first that has time for it.
static LEFT: LazyLock<Mutex<Vec<Breakage>>> = LazyLock::new(|| Mutex::new(broken_vpns::all()));

/// The next to be played in a cloud: one that only this one can be made to have, if there is any.
fn next(cloud: &RealCloud) -> Option<Breakage> {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let stores_sha1 = Behind::Real(cloud.release).stores_sha1();
    let only_here = left.iter().rposition(|breakage| breakage.needs_sha1).filter(|_| stores_sha1);
    let place = only_here.or_else(|| left.iter().rposition(|breakage| !breakage.needs_sha1))?;
    Some(left.remove(place))
}

#[test]
fn what_the_doctor_says_first_mends_each_broken_vpn() {
    in_each_with_tunnels(|cloud| {
        let mut wrong = Vec::new();
        let mut play = |breakage: Breakage| {
            let (mut line, mut is_right) = play(cloud, &breakage);
            say(&format!("{} | {line}", cloud.release));
            // What else runs on the machine can hold up a daemon for longer than a scenario waits: a failure counts if it is
            // there twice.
            if !is_right {
                cloud.reset();
                (line, is_right) = play(cloud, &breakage);
                say(&format!("{} | again: {line}", cloud.release));
            }
            if !is_right {
                wrong.push(line);
            }
            cloud.reset();
        };
        if let Ok(named) = std::env::var("OSVPN_BROKEN") {
            let can_be_had = |breakage: &Breakage| !breakage.needs_sha1 || Behind::Real(cloud.release).stores_sha1();
            let all = broken_vpns::all().into_iter();
            all.filter(|breakage| breakage.name.contains(&named) && can_be_had(breakage)).for_each(play);
        } else {
            while let Some(breakage) = next(cloud) {
                play(breakage);
            }
        }
        assert!(wrong.is_empty(), "{}:\n{}", cloud.release, wrong.join("\n"));
    });
}
