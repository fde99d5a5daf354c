//! What is said of a run that was given up while requests were under way.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by panicking")]

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/driven.rs"]
mod driven;
#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/inventories.rs"]
mod inventories;
#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/runs.rs"]
mod runs;

use osvpn::cloud::Status;
use osvpn::plan::Half;
use osvpn::provision::handover::KeyOrigin;
use osvpn::report::Report;
use osvpn::wizard::progress::Phase;
use runs::Run;

fn report(run: &Run) -> Report {
    Report::of_run(run.journey.model.run.as_ref().unwrap(), KeyOrigin::Given)
}

#[test]
fn what_was_being_made_when_the_run_was_given_up_is_in_doubt() {
    let mut run = Run::begun((80, 24));
    run.started(Half::A, 0).made(Half::B, 0, 0.4);
    let report = report(&run);
    assert_eq!(report.halves[1].objects.len(), 1);
    let text = report.to_string();
    assert!(text.contains("not known whether the VPN service hlz-por_vpn_service exists in nz-hlz-1"), "{text}");
    assert_eq!(text.matches("It is not known").count(), 1, "{text}");
}

#[test]
fn of_an_undo_that_was_given_up_only_what_is_left_is_listed() {
    let mut run = Run::created((80, 24));
    run.polled(Status::Down, Status::Down);
    run.journey.press("q Tab Tab Enter");
    run.journey.send(osvpn::wizard::Message::Watched(osvpn::provision::Watched::Stopped));
    assert_eq!(run.journey.model.run.as_ref().unwrap().phase, Phase::Undoing);
    run.deleted(Half::A, 5).deleting(Half::B, 5);
    let report = report(&run);
    let count = |half: usize| report.halves[half].objects.len();
    assert_eq!((count(0), count(1), report.removal.len()), (5, 6, 11));
    assert_eq!(report.doubtful.len(), 1, "nobody knows whether the deletion was carried out");
    assert!(report.security_rules.is_empty() && report.look_again.is_empty(), "no half of a VPN needs rules");
}
