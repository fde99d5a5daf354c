//! What is said of a run that was given up while requests were in progress.

use crate::support::runs;
use osvpn::cloud::{Error, ErrorKind, Status};
use osvpn::commands::wizard::report_of;
use osvpn::engine::Direction;
use osvpn::engine::handover::KeyOrigin;
use osvpn::engine::{Changed, Event, Step, Task, Watched};
use osvpn::plan::Half;
use osvpn::report::CreationReport;
use osvpn::wizard::Message;
use osvpn::wizard::work::{RowState, Work};
use runs::Run;

fn report(run: &Run) -> CreationReport {
    report_of(&Work { key: KeyOrigin::Given, ..run.journey.model.work.creation().unwrap().clone() }).unwrap()
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
    run.journey.send(osvpn::wizard::Message::Watched(osvpn::engine::Watched::Stopped));
    assert_eq!(run.journey.model.work.creation().unwrap().direction, Direction::Back);
    run.deleted(Half::A, 5).deleting(Half::B, 5);
    let report = report(&run);
    let count = |half: usize| report.halves[half].objects.len();
    assert_eq!((count(0), count(1), report.removal.len()), (5, 6, 11));
    assert_eq!(report.doubtful.len(), 1, "nobody knows whether the deletion was carried out");
    assert!(report.security_rules.is_empty() && report.look_again.is_empty(), "no half of a VPN needs rules");
}

#[test]
fn an_undo_that_cannot_be_sure_says_so_and_where_to_look() {
    let mut run = Run::begun((80, 24));
    run.made(Half::A, 0, 0.4).lost(Half::B, 1);
    run.failed(Half::B, 1, Error::new(ErrorKind::Timeout, "no answer"));
    run.journey.press("Tab Enter Tab Enter");
    run.deleted(Half::A, 0).lost(Half::B, 1);
    run.end_undo(Ok(Changed::Unsettled("2026-03-01T11:52:30Z".parse().unwrap(), None)));
    let report = report(&run);
    assert!(report.failures.is_empty() && !report.is_empty());
    assert_eq!(report.doubtful[0].may_appear_until.as_deref(), Some("2026-03-01 11:52:30 UTC"));
    let text = report.to_string();
    for part in [
        "everything found is deleted",
        "may still appear in nz-por-1",
        "until 2026-03-01 11:52:30 UTC",
        "ike policy list",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("everything this run created is deleted"), "{text}");
}

#[test]
fn what_lost_requests_left_is_listed_though_the_vpn_is_active() {
    let mut run = Run::created((80, 24));
    let twin = run.twin(Half::A, 1);
    run.journey.send(Message::Watched(Watched::Active));
    let left = report(&run);
    let command = format!("openstack --os-region-name nz-hlz-1 vpn ike policy delete {}", twin.id);
    assert_eq!(left.leftovers.iter().map(ToString::to_string).collect::<Vec<_>>(), std::slice::from_ref(&command));
    let text = left.to_string();
    assert!(text.contains(&command) && !text.contains("To delete what this run created"), "{text}");
    run.tell(Event::Deleted(twin));
    let swept = report(&run);
    assert!(swept.leftovers.is_empty() && swept.halves[0].objects.len() == 6, "the object itself is still there");
}

#[test]
fn the_deletion_of_a_twin_says_nothing_of_the_object_itself() {
    let mut run = Run::created((80, 24));
    let twin = run.twin(Half::A, 1);
    run.journey.press("q Tab Tab Enter");
    run.journey.send(Message::Watched(Watched::Stopped));
    run.tell(Event::Deleting(twin.clone())).tell(Event::Deleted(twin));
    let task = Task { half: Half::A, step: Step::IkePolicy };
    let progress = run.journey.model.work.creation().unwrap();
    assert!(matches!(progress.state(task), Some(RowState::Done(..))));
    assert_eq!(report(&run).halves[0].objects.len(), 6);
}

#[test]
fn every_pause_the_cloud_asked_for_is_in_the_report() {
    let mut run = Run::begun((80, 24));
    let mut error = Error::new(ErrorKind::RateLimited, "slow down");
    (error.status, error.retry_after) = (Some(429), Some(std::time::Duration::from_secs(7)));
    run.started(Half::A, 1).waiting(Half::A, 1, error).made(Half::A, 1, 7.4);
    let expected = "IKE policy of half A, Hamilton (nz-hlz-1): 429 from the cloud; retrying in 7.0 s (2 of 5)";
    assert_eq!(report(&run).pauses, [expected]);
}
