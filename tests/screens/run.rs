//! The engine at work, and what came of it.

use super::*;

#[test]
fn while_it_creates_the_run_shows_every_object_of_both_halves() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).made(Half::A, 1, 0.3).started(Half::B, 1).started(Half::A, 2);
    run.journey.after(22.4);
    screen("run-creating", &mut run.journey);
    screen("run-stop-question", run.journey.press("q"));
}

#[test]
fn while_it_waits_the_run_says_what_each_status_means() {
    let mut run = Run::created(SMALL);
    run.polled(Status::Down, Status::PendingCreate);
    run.journey.after(71.0);
    screen("run-watching", &mut run.journey);
}

#[test]
fn a_failure_keeps_the_screen_with_cause_hint_and_ways_on() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).made(Half::A, 1, 0.3).made(Half::A, 2, 0.3);
    run.failed(Half::B, 1, server_error());
    screen("run-failed", &mut run.journey);
    screen("run-undo-question", run.journey.press("Tab Tab Enter"));
}

#[test]
fn not_active_yet_is_no_failure_and_comes_with_what_the_halves_say_of_each_other() {
    let mut run = Run::created(SMALL);
    run.polled(Status::Active, Status::Down);
    let standing = [(Half::A, Status::Active), (Half::B, Status::Down)].into();
    run.journey.after(320.0).send(Message::Watched(Watched::NotYet(standing)));
    let examined = pair::examined([Status::Active, Status::Down], pair::other_pfs);
    run.journey.send(Message::Verified(Ok(Box::new(examined))));
    screen("run-not-yet", &mut run.journey);
}

#[test]
fn with_a_peer_outside_its_owner_s_values_stand_on_the_screen() {
    let mut journey = Journey::discovered_on(SMALL);
    journey.single().to(Screen::Peer);
    journey.types("198.51.100.7").press("Tab Tab").types("192.168.7.0/24").press("Enter");
    let mut run = Run::created_single(journey);
    run.journey.send(Message::Event(Event::Polled([(Half::A, Status::Down)].into()))).after(50.0);
    screen("run-watching-single", &mut run.journey);
    run.journey.after(330.0).send(Message::Watched(Watched::NotYet([(Half::A, Status::Down)].into())));
    screen("run-not-yet-single", &mut run.journey);
    run.journey.types("p");
    screen_at_every_size("sheet", &mut run.journey);
    run.journey.types("s");
    screen("sheet-systems", &mut run.journey);
}

#[test]
fn active_comes_with_what_is_left_to_do() {
    let mut run = Run::created(SMALL);
    run.polled(Status::Active, Status::Active);
    run.journey.after(95.0).send(Message::Watched(Watched::Active));
    let examined = pair::examined([Status::Active, Status::Active], |_, _| {});
    run.journey.send(Message::Verified(Ok(Box::new(examined))));
    screen("run-active", &mut run.journey);
    run.journey.send(Message::Resize(60, 18));
    kept("smallest-active", &run.journey);
    run.journey.send(Message::Resize(120, 40));
    run.journey.press("Enter");
    let Some(Effect::Work(Which::New(change, None), _)) = run.journey.effects.pop() else { panic!() };
    run.journey.send(Message::Event(Event::Started(0))).after(96.0);
    screen("run-admitting", &mut run.journey);
    let mut course = Course::new(*change);
    course.progress.finish(0, End::Made(Id::new("5e5ae9cb-rule")));
    run.journey.send(Message::Rested(Ok(Changed::Done), Box::new(course)));
    run.journey.inspected(surveys::healthy()).diagnosed(Exposures::default());
    screen("run-admitted", &mut run.journey);
}

#[test]
fn an_undo_shows_what_is_gone_and_what_could_not_be_deleted() {
    let mut run = Run::created(SMALL);
    run.polled(Status::Down, Status::Down);
    run.journey
        .after(320.0)
        .send(Message::Watched(Watched::NotYet([(Half::A, Status::Down), (Half::B, Status::Down)].into())));
    run.journey.press("Left Enter Tab Enter");
    run.deleted(Half::A, 5).deleted(Half::B, 5).deleting(Half::A, 4);
    run.journey.after(323.0);
    screen("run-undoing", &mut run.journey);
    let mut error = server_error();
    error.request = Some("DELETE /v2.0/vpn/ikepolicies/b17f3c21-5a4e-4d0b-9b1e-2f6a8c3d4e5f".to_owned());
    let left = run.kept(Half::B, 1, error.clone());
    run.course.not_deleted.push(left);
    run.end_undo(Err(ChangeError::Failed(3, Box::new(error))));
    screen("run-left", &mut run.journey);
}

#[test]
fn an_undone_run_leads_back_to_the_answers() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4);
    run.failed(Half::B, 0, server_error());
    run.journey.press("Tab Enter Tab Enter");
    run.deleted(Half::A, 0);
    run.end_undo(Ok(Changed::Done));
    screen("run-undone", &mut run.journey);
}

#[test]
fn a_stopped_run_says_what_exists() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4);
    let stopped = run.rested(Err(ChangeError::Stopped));
    run.journey.send(stopped);
    screen("run-stopped", &mut run.journey);
}

#[test]
fn a_connection_that_can_no_longer_be_watched_says_why() {
    let mut run = Run::created(SMALL);
    let mut error = Error::new(ErrorKind::NotFound, "ipsec_site_connection a-5 could not be found.");
    error.region = Some(hamilton());
    error.request = Some("GET /v2.0/vpn/ipsec-site-connections/a-5".to_owned());
    error.status = Some(404);
    run.journey.after(60.0).send(Message::Watched(Watched::Lost(Box::new(error))));
    screen("run-lost", &mut run.journey);
}

#[test]
fn an_undo_that_cannot_be_sure_says_what_may_still_appear_and_until_when() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).lost(Half::B, 1);
    let mut error = Error::new(ErrorKind::Timeout, "network.example did not answer within 60 s.");
    error.region = Some(porirua());
    error.request = Some("POST /v2.0/vpn/ikepolicies".to_owned());
    run.failed(Half::B, 1, error);
    screen("run-failed-lost", &mut run.journey);
    run.journey.press("Tab Enter Tab Enter");
    run.deleted(Half::A, 0).deleted(Half::B, 0).lost(Half::B, 1);
    run.end_undo(Ok(Changed::Unsettled("2026-03-01T11:52:30Z".parse().unwrap(), None)));
    screen("run-unsettled", &mut run.journey);
}

#[test]
fn a_pause_the_cloud_asks_for_is_on_the_screen_while_it_lasts() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).started(Half::A, 1);
    let mut error = Error::new(ErrorKind::RateLimited, "Too many requests.");
    (error.status, error.retry_after) = (Some(429), Some(std::time::Duration::from_secs(7)));
    run.waiting(Half::A, 1, error);
    run.journey.after(22.4);
    screen("run-waiting", &mut run.journey);
    run.made(Half::A, 1, 7.3);
    assert!(!drawn(&run.journey.model, &COLOR).text.contains("retrying"));
}

#[test]
fn what_lost_requests_left_stands_beside_an_active_vpn() {
    let mut run = Run::created(SMALL);
    run.twin(Half::A, 1);
    run.polled(Status::Active, Status::Active);
    run.journey.after(95.0).send(Message::Watched(Watched::Active));
    let text = drawn(&run.journey.model, &COLOR).text;
    assert!(text.contains("0e1d2c3b"), "{text}");
}
