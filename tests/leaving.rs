//! What is printed when the wizard is left, in a terminal of 80 columns.

use crate::support::{inventories, journey, pair, runs, surveys};
use inventories::{hamilton, porirua};
use journey::Journey;
use osvpn::change::{Change, Subject};
use osvpn::cloud::{Error, ErrorKind, Status};
use osvpn::commands::wizard::farewell_of;
use osvpn::engine::Watched;
use osvpn::engine::{ChangeError, Changed, Course, End};
use osvpn::inspect::{Examined, Exposures};
use osvpn::plan::{Half, VpnId};
use osvpn::sign_in::Problem;
use osvpn::wizard::screen::Screen;
use osvpn::wizard::{Effect, Message, Model, Session, Which};
use runs::Run;
use surveys::{broken, healthy};

const COLUMNS: u16 = 80;
const MOST_LINES: usize = 20;

/// How many rows of the terminal a text takes.
fn rows(text: &str) -> usize {
    text.lines().map(|line| line.chars().count().div_ceil(COLUMNS.into()).max(1)).sum()
}

/// Compares it with what it was, and holds its length. The rest is there with --verbose.
#[track_caller]
fn kept(name: &str, model: &Model) -> String {
    let (status, brief) = farewell_of(model, false, COLUMNS);
    let (in_full, full) = farewell_of(model, true, COLUMNS);
    println!("{name}: {} rows in full, {} in brief", rows(&full), rows(&brief));
    assert_eq!(status, in_full, "{name}");
    assert!(rows(&brief) <= MOST_LINES, "{name} takes {} rows:\n{brief}", rows(&brief));
    let long = |line: &&str| line.chars().count() >= usize::from(COLUMNS);
    assert_eq!(brief.lines().find(long), None, "{name}");
    let shown = format!("{}\n{brief}", status.code());
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(format!("leaving-{name}"), shown);
    });
    brief
}

fn sick() -> Error {
    let mut error =
        Error::new(ErrorKind::Server, "Request Failed: internal server error while processing your request.");
    (error.region, error.status) = (Some(porirua()), Some(500));
    error.neutron_type = Some("HTTPInternalServerError".to_owned());
    error.request = Some("POST /v2.0/vpn/ikepolicies".to_owned());
    error.request_id = Some("req-4f6f3f36-1f0b-4e6a-9a57-9a3a5a3f8f11".to_owned());
    error
}

fn active() -> Run {
    let mut run = Run::created((80, 24));
    run.polled(Status::Active, Status::Active);
    run.journey.after(95.0).send(Message::Watched(Watched::Active));
    run
}

fn verified(run: &mut Run, examined: Examined) {
    run.journey.send(Message::Verified(Ok(Box::new(examined))));
}

/// A VPN to an external peer whose objects all exist.
fn single() -> Run {
    let mut journey = Journey::discovered_on((80, 24));
    journey.single().to(Screen::Peer);
    journey.types("198.51.100.7").press("Tab Tab").types("192.168.7.0/24, 192.168.8.0/24").press("Enter");
    Run::created_single(journey)
}

#[test]
fn a_vpn_that_is_active_is_told_in_a_few_lines() {
    let mut run = active();
    kept("active-unverified", &run.journey.model);
    verified(&mut run, pair::examined([Status::Active, Status::Active], |_, _| {}));
    let brief = kept("active", &run.journey.model);
    assert!(brief.starts_with("VPN hlz-por is ACTIVE") && brief.contains("osvpn status --json hlz-por"), "{brief}");
    let mut wrong = active();
    verified(&mut wrong, pair::examined([Status::Active, Status::Active], pair::other_pfs));
    kept("active-mismatched", &wrong.journey.model);
}

#[test]
fn a_vpn_that_is_not_active_yet_comes_with_the_likeliest_cause_and_what_to_do() {
    let mut run = Run::created((80, 24));
    run.polled(Status::Active, Status::Down);
    let standing = [(Half::A, Status::Active), (Half::B, Status::Down)].into();
    run.journey.after(320.0).send(Message::Watched(Watched::NotYet(standing)));
    verified(&mut run, pair::examined([Status::Active, Status::Down], pair::other_pfs));
    let brief = kept("not-active", &run.journey.model);
    for part in
        ["Likeliest cause: IPsec: pfs is", "osvpn doctor hlz-por", "osvpn resume hlz-por", "osvpn delete hlz-por"]
    {
        assert!(brief.contains(part), "{part}: {brief}");
    }
}

#[test]
fn the_values_for_the_owner_of_the_peer_are_printed_whole() {
    for is_active in [false, true] {
        let mut run = single();
        let status = if is_active { Status::Active } else { Status::Down };
        run.journey.send(Message::Event(osvpn::engine::Event::Polled([(Half::A, status.clone())].into()))).after(330.0);
        let watched = if is_active { Watched::Active } else { Watched::NotYet([(Half::A, status)].into()) };
        run.journey.send(Message::Watched(watched));
        let brief = kept(if is_active { "single-active" } else { "single" }, &run.journey.model);
        let whole = brief.split_whitespace().collect::<Vec<_>>().join(" ");
        for value in [
            "connect to 103.197.61.75 (identity 103.197.61.75, IPv4)",
            "your address 198.51.100.7 (identity 198.51.100.7, IPv4)",
            "your remote 10.0.0.0/24",
            "your local 192.168.7.0/24, 192.168.8.0/24",
            "IKEv2, aes-256, sha256, DH group14, lifetime 14400 s",
            "esp, tunnel mode, aes-256, sha256, PFS group14, lifetime 3600 s",
            "restart, every 15 s, timeout 150 s",
            "UDP 500, UDP 4500, ESP (IP protocol 50)",
            "connection show \\ a57f3c21-5a4e-4d0b-9b1e-2f6a8c3d4e5f -f value -c 'Pre-shared Key'",
        ] {
            assert!(whole.contains(value), "{value}: {brief}");
        }
    }
}

/// Not ACTIVE, with more networks behind the peer than a line holds.
fn wide() -> Run {
    let mut journey = Journey::discovered_on((80, 24));
    journey.single().to(Screen::Peer);
    let networks: Vec<String> = (101..108).map(|third| format!("192.168.{third}.0/24")).collect();
    journey.types("198.51.100.7").press("Tab Tab").types(&networks.join(", ")).press("Enter");
    let mut run = Run::created_single(journey);
    run.journey.after(330.0).send(Message::Watched(Watched::NotYet([(Half::A, Status::Down)].into())));
    run
}

/// After what another did, whose VPN is called that.
fn then(first: Model, mut later: Model, id: &str) -> Model {
    let mut work = first.work.current.unwrap();
    work.course.change.subject = Subject::Marked(VpnId::new(id));
    later.work.earlier.push(work);
    later
}

#[test]
fn whatever_a_session_did_is_told_in_twenty_lines_and_by_the_exit_code() {
    let alone = kept("single-wide", &wide().journey.model);
    assert!(alone.contains("192.168.107.0/24"), "there is room for all networks: {alone}");
    let two = then(wide().journey.model, wide().journey.model, "cafe0001");
    let brief = kept("two-singles", &two);
    assert_eq!(brief.matches("exists, but is not ACTIVE yet").count(), 2, "{brief}");
    let three = then(active().journey.model, two, "cafe0002");
    let brief = kept("three-creations", &three);
    assert!(brief.contains("more (osvpn status --json)") && brief.contains("One more result is not shown"), "{brief}");

    let failed = || {
        let mut journey = opened(broken());
        journey.press("f").passes(1000);
        let change = agreed(&mut journey);
        rested(&mut journey, change, Err(ChangeError::Failed(1, Box::new(sick()))));
        journey.model
    };
    let then_made = then(failed(), active().journey.model, "cafe0003");
    let brief = kept("failed-then-active", &then_made);
    assert!(brief.starts_with("Failed: ") && brief.contains("hlz-por is ACTIVE"), "{brief}");
    assert_eq!(farewell_of(&then_made, false, COLUMNS).0.code(), 1, "what failed is not forgotten");
    let brief = kept("failed-then-single", &then(failed(), wide().journey.model, "cafe0003"));
    assert!(brief.contains("Failed: "), "{brief}");
}

#[test]
fn what_is_stopped_undone_or_failed_says_what_exists_and_how_to_go_on() {
    let mut run = Run::begun((80, 24));
    run.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).started(Half::A, 1);
    kept("given-up", &run.journey.model);
    let stopped = run.rested(Err(ChangeError::Stopped));
    run.journey.send(stopped);
    let brief = kept("stopped", &run.journey.model);
    assert!(brief.contains("osvpn resume hlz-por") && brief.contains("osvpn rollback hlz-por"), "{brief}");

    let mut failed = Run::begun((80, 24));
    failed.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).made(Half::A, 1, 0.3).failed(Half::B, 1, sick());
    kept("failed", &failed.journey.model);
    failed.journey.press("Tab Tab Enter Tab Enter");
    failed.deleted(Half::A, 0).deleted(Half::B, 0).deleted(Half::A, 1);
    failed.end_undo(Ok(Changed::Done));
    kept("undone", &failed.journey.model);

    let mut watching = Run::created((80, 24));
    watching.polled(Status::Down, Status::Down).journey.press("q Tab Enter");
    watching.journey.send(Message::Watched(Watched::Stopped));
    kept("stopped-watching", &watching.journey.model);

    let mut unsure = Run::begun((80, 24));
    unsure.made(Half::A, 0, 0.4).lost(Half::B, 1).failed(
        Half::B,
        1,
        Error::new(ErrorKind::Timeout, "no answer within 60 s."),
    );
    unsure.journey.press("Tab Enter Tab Enter");
    unsure.deleted(Half::A, 0).lost(Half::B, 1);
    unsure.end_undo(Ok(Changed::Unsettled("2026-03-01T11:52:30Z".parse().unwrap(), None)));
    let brief = kept("undone-unsure", &unsure.journey.model);
    assert!(brief.contains("until 2026-03-01 11:52:30 UTC") && brief.contains("osvpn rollback hlz-por"), "{brief}");
}

fn opened(seen: Box<osvpn::wizard::Overview>) -> Journey {
    let mut journey = Journey::discovered_on((80, 24));
    journey.after(10.0).lists_vpns();
    journey.inspected(seen);
    journey.press("1");
    journey.diagnosed(Exposures::default());
    journey
}

fn agreed(journey: &mut Journey) -> Change {
    match journey.model.shell.dialog.as_ref().unwrap().typed.clone() {
        Some(typed) => journey.types(&typed.name).press("Enter"),
        None => journey.press("y"),
    };
    match journey.effects.pop() {
        Some(Effect::Work(Which::New(change, _), _)) => *change,
        other => panic!("{other:?}"),
    }
}

fn rested(journey: &mut Journey, change: Change, ended: Result<Changed, ChangeError>) {
    let mut course = Course::new(change);
    let done = if ended.is_ok() { course.change.steps().len() } else { 1 };
    (0..done).for_each(|step| course.progress.finish(step, End::Changed));
    course.journal = ended.is_err().then(|| "/home/ada/.local/state/osvpn/7a1f214e.change".into());
    journey.send(Message::Rested(ended, Box::new(course)));
}

#[test]
fn a_change_is_told_with_what_it_led_to() {
    let mut changed = opened(broken());
    changed.press("f").passes(1000);
    let change = agreed(&mut changed);
    rested(&mut changed, change.clone(), Ok(Changed::Done));
    kept("changed-unread", &changed.model);
    changed.inspected(broken());
    changed.diagnosed(Exposures::default());
    kept("changed", &changed.model);
    for (name, ended) in
        [("change-failed", ChangeError::Failed(1, Box::new(sick()))), ("change-stopped", ChangeError::Stopped)]
    {
        let mut journey = opened(broken());
        journey.press("f").passes(1000);
        let change = agreed(&mut journey);
        rested(&mut journey, change, Err(ended));
        kept(name, &journey.model);
    }
    let mut deleted = opened(healthy());
    deleted.press("d").passes(1000);
    let change = agreed(&mut deleted);
    rested(&mut deleted, change, Ok(Changed::Done));
    kept("deleted", &deleted.model);
}

#[test]
fn of_many_changes_those_that_are_not_done_come_first() {
    let mut journey = opened(broken());
    for round in 0..20 {
        journey.press("f").passes(1000);
        let change = agreed(&mut journey);
        let ended = if round == 10 { Err(ChangeError::Failed(0, Box::new(sick()))) } else { Ok(Changed::Done) };
        rested(&mut journey, change, ended);
        if round == 10 {
            journey.press("Left Enter");
        } else {
            journey.inspected(broken());
            journey.diagnosed(Exposures::default());
            journey.press("Enter");
            continue;
        }
        journey.inspected(broken());
        journey.diagnosed(Exposures::default());
    }
    let brief = kept("many-changes", &journey.model);
    assert!(brief.starts_with("Failed: ") && brief.contains("more changes are not shown"), "{brief}");
}

#[test]
fn without_work_there_is_little_to_say() {
    kept("nothing", &Journey::discovered_on((80, 24)).model);
    let mut demo = Journey::begun((80, 24));
    demo.answer_sign_in(Ok(Session { is_demo: true, ..journey::session() }));
    kept("nothing-in-demo", &demo.model);
    let mut none = Journey::begun((80, 24));
    let place = |number: usize| (format!("~/some/long/path/number/{number}/clouds.yaml"), number == 3);
    none.answer_sign_in(Err(Problem {
        title: "No OpenStack credentials found".to_owned(),
        text: [
            "No OpenStack credentials were found: there is no clouds.yaml, and no OS_* variable is set.",
            "1. Download an openrc file from the dashboard (API Access) and source it: . ./openrc.sh",
            "2. Or write a clouds.yaml into ~/.config/openstack.",
            "3. Or look around first in a simulated cloud: osvpn --demo",
        ]
        .map(str::to_owned)
        .to_vec(),
        looked_for: (0..22).map(place).collect(),
        error: None,
        clouds: Vec::new(),
    }));
    kept("no-credentials", &none.model);
    let mut refused = Journey::begun((80, 24));
    let mut error = Error::new(ErrorKind::Unauthorized, "The request you have made requires authentication.");
    (error.request, error.status) = (Some("POST /v3/auth/tokens".to_owned()), Some(401));
    error.request_id = Some("req-0a1b2c3d-0000-4444-8888-0123456789ab".to_owned());
    error.region = Some(hamilton());
    refused.answer_sign_in(Err(Problem {
        title: "Sign-in failed".to_owned(),
        text: vec!["Tried https://api.example.org:5000/v3 with the password of user demo, project nosuch.".to_owned()],
        looked_for: Vec::new(),
        error: Some(error),
        clouds: Vec::new(),
    }));
    kept("refused", &refused.model);
}
