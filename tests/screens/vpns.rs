//! VPNs that exist: the list, one of them, the questions, and changes.

use osvpn::cloud::exposure::{Exposure, InstancePort, SecurityGroup};
use osvpn::engine::{Course, End};
use osvpn::inspect::Exposures;
use osvpn::inspect::{Keys, Weakness};
use osvpn::wizard::{Overview, VpnsMessage, Which};

use super::surveys::{broken, empty, healthy, regions, seen, two_pairs};
use super::*;

pub(super) fn listed(seen: Box<Overview>) -> Journey {
    let mut journey = Journey::discovered_on(SMALL);
    journey.after(10.0).lists_vpns();
    journey.inspected(seen);
    journey
}

/// A port of Hamilton that admits nothing.
fn closed() -> Exposures {
    let port = InstancePort {
        id: osvpn::cloud::Id::new("port"),
        name: String::new(),
        addresses: vec![(osvpn::cloud::Id::new("h-private"), "10.0.0.10".parse().unwrap())],
        groups: vec![osvpn::cloud::Id::new("a1b2c3d4-default")],
        is_secured: true,
    };
    let group = SecurityGroup { id: osvpn::cloud::Id::new("a1b2c3d4-default"), name: "default".to_owned() };
    let of = |subnet: &str| Exposure { subnets: [osvpn::cloud::Id::new(subnet)].into(), ..Exposure::default() };
    let shut = Exposure { ports: vec![port], groups: vec![group], ..of("h-private") };
    [(hamilton(), Ok(shut)), (porirua(), Ok(of("p-private")))].into()
}

pub(super) fn opened(seen: Box<Overview>, exposures: Exposures) -> Journey {
    let mut journey = listed(seen);
    journey.press("1");
    journey.diagnosed(exposures);
    journey
}

/// The change of the question on the screen, once it is agreed to.
fn agreed(journey: &mut Journey) -> Course {
    match journey.model.shell.dialog.as_ref().unwrap().typed.clone() {
        Some(typed) => journey.types(&typed.name).press("Enter"),
        None => journey.press("Tab Enter"),
    };
    match journey.effects.pop() {
        Some(Effect::Work(Which::New(change, _), _)) => Course::new(*change),
        other => panic!("{other:?}"),
    }
}

fn event(journey: &mut Journey, event: Event) {
    journey.send(Message::Event(event));
}

const TOOK: std::time::Duration = std::time::Duration::from_millis(400);

#[test]
fn the_list_says_how_each_stands_and_between_what_and_what() {
    let mut journey = Journey::discovered_on(SMALL);
    journey.after(10.0).lists_vpns();
    screen("vpns-loading", journey.after(12.3));
    journey.inspected(healthy());
    screen("vpns-list", &mut journey);
    screen("vpns-empty", &mut listed(empty()));
}

#[test]
fn a_region_that_failed_and_a_half_without_its_partner_are_shown_as_such() {
    let mut regions = regions(Status::Active, Status::Down, "group14");
    regions.get_mut(&porirua()).unwrap().inventory.connections.clear();
    screen("vpns-half", &mut listed(seen(regions.clone(), Vec::new())));
    regions.remove(&porirua());
    screen("vpns-failed", &mut listed(seen(regions.clone(), vec![(porirua(), server_error())])));
    let mut part = seen(regions, Vec::new());
    part.inspection.awaited = vec![porirua()];
    let mut journey = listed(part);
    screen("vpns-part", journey.after(14.0));
}

#[test]
fn a_peer_outside_is_asked_about_what_only_its_owner_knows() {
    let mut journey = listed(healthy());
    journey.press("2");
    journey.diagnosed(Exposures::default());
    journey.press("n").types("Agreed0upon1by2both3ends");
    screen("vpn-own-key", &mut journey);
    assert!(!drawn(&journey.model, &COLOR).text.contains("Agreed0upon"));
    screen("vpn-own-key-question", journey.press("Enter"));
    journey.press("Esc Esc s Enter").types(", 10.8.0.0/16").press("Enter");
    screen("vpn-ranges", &mut journey);
}

#[test]
fn a_vpn_shows_its_halves_at_once_and_its_diagnosis_once_it_is_read() {
    let mut journey = listed(broken());
    journey.press("1");
    screen("vpn-loading", journey.after(11.5));
    journey.diagnosed(closed());
    screen("vpn-broken", &mut journey);
    journey.send(Message::Overflow(99));
    screen("vpn-broken-end", journey.press("End"));
    screen("vpn-healthy", &mut opened(healthy(), Exposures::new()));
    let mut outside = listed(healthy());
    outside.press("2");
    outside.diagnosed(Exposures::new());
    screen("vpn-outside", &mut outside);
}

#[test]
fn every_change_is_a_question_that_shows_its_steps() {
    screen("vpn-mend-question", opened(broken(), closed()).press("1 m"));
    screen("vpn-admit-question", opened(healthy(), closed()).press("a"));
    screen("vpn-key-question", opened(healthy(), closed()).press("n"));
    screen("vpn-delete-question", opened(healthy(), closed()).press("d"));
    screen("vpn-subnets", opened(healthy(), closed()).press("s"));
    screen("vpn-subnets-refused", opened(healthy(), closed()).press("s Enter Enter"));
    screen("vpns-strays-question", listed(healthy()).press("End Enter"));
}

#[test]
fn a_change_shows_each_step_and_what_came_of_it() {
    let mut journey = opened(broken(), closed());
    journey.press("m");
    let mut course = agreed(&mut journey);
    journey.after(20.0);
    event(&mut journey, Event::Started(0));
    event(&mut journey, Event::Finished(0, End::Made(osvpn::cloud::Id::new("0e1d2c3b-0000")), TOOK));
    event(&mut journey, Event::Started(1));
    screen("change-working", journey.after(21.4));
    screen("change-stop-question", journey.press("q"));
    journey.press("Esc");
    let mut busy = Error::new(ErrorKind::RateLimited, "Too many requests.");
    (busy.status, busy.retry_after) = (Some(429), Some(std::time::Duration::from_secs(7)));
    let pause = osvpn::cloud::retry::Pause { error: busy, wait: std::time::Duration::from_secs(7), attempt: 1, of: 5 };
    event(&mut journey, Event::Waiting(1, Box::new(pause)));
    screen("change-waiting", &mut journey);
    event(&mut journey, Event::Failed(1, server_error(), TOOK));
    course.progress.finish(0, End::Made(osvpn::cloud::Id::new("0e1d2c3b-0000")));
    let ended = Err(ChangeError::Failed(1, Box::new(server_error())));
    journey.after(25.0).send(Message::Rested(ended, Box::new(course.clone())));
    screen("change-failed", &mut journey);
    screen("change-take-back-question", journey.press("Tab Enter"));
    journey.press("Esc Left Enter");
    for step in 1..course.ends().len() {
        event(&mut journey, Event::Started(step));
        event(&mut journey, Event::Finished(step, End::Changed, TOOK));
        course.progress.finish(step, End::Changed);
    }
    event(&mut journey, Event::Settling("2026-11-24T02:20:00Z".parse().unwrap()));
    screen("change-settling", &mut journey);
    journey.after(30.0).send(Message::Rested(Ok(Changed::Done), Box::new(course)));
    screen("change-done", &mut journey);
    journey.inspected(broken());
    screen("vpn-waiting", journey.after(33.0).press("Enter"));
}

/// Answers that all VPNs with their second half here, and one without, have the key everybody knows.
fn all_public(journey: &mut Journey) {
    let (request, vpns) = match journey.effects.pop() {
        Some(Effect::CompareKeys(request, vpns)) => (request, vpns),
        other => panic!("{other:?}"),
    };
    let public = || Keys::Read { equal: None, weakness: Some(Weakness::Public), rivals: Vec::new() };
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(
        request,
        vpns.iter().map(|vpn| (vpn.handle(), public())).collect(),
    )));
}

#[test]
fn all_public_keys_are_replaced_one_vpn_after_the_other() {
    let mut journey = listed(two_pairs());
    all_public(&mut journey);
    screen("vpns-public-keys", journey.after(11.2));
    screen("public-keys-question", journey.press("4"));
    let mut first = agreed(&mut journey);
    event(&mut journey, Event::Finished(0, End::Changed, TOOK));
    first.progress.finish(0, End::Changed);
    journey.send(Message::Rested(Ok(Changed::Done), Box::new(first)));
    event(&mut journey, Event::Started(0));
    screen("public-keys-second", journey.after(12.6));

    let mut failed = listed(two_pairs());
    all_public(&mut failed);
    failed.press("4");
    let first = agreed(&mut failed);
    event(&mut failed, Event::Failed(0, server_error(), TOOK));
    failed.send(Message::Rested(Err(ChangeError::Failed(0, Box::new(server_error()))), Box::new(first)));
    screen("public-keys-failed", &mut failed);
}

#[test]
fn a_change_that_lacks_its_key_asks_for_it() {
    let mut journey = listed(healthy());
    journey.press("2");
    journey.diagnosed(Exposures::default());
    journey.press("n").types("Agreed0upon1by2both3ends").press("Enter");
    let mut course = agreed(&mut journey);
    begun(&mut course);
    course.journal = Some("0ff1ce00.change".into());
    journey.send(Message::Rested(Err(ChangeError::KeyNeeded(0)), Box::new(course)));
    screen("change-key-needed", &mut journey);
    journey.press("Enter").types("Agreed0upon1by2both3ends");
    screen("change-missing-key", &mut journey);
    assert!(!drawn(&journey.model, &COLOR).text.contains("Agreed0upon"));
}

#[test]
fn what_something_else_uses_is_kept_and_said() {
    let mut journey = opened(healthy(), closed());
    journey.press("d");
    let mut course = agreed(&mut journey);
    for step in 0..course.ends().len() {
        let end = if step == 2 { End::Kept("EndpointGroup x is in use.".to_owned()) } else { End::Gone };
        event(&mut journey, Event::Finished(step, end.clone(), TOOK));
        course.progress.finish(step, end);
    }
    journey.send(Message::Rested(Ok(Changed::Done), Box::new(course)));
    screen("change-kept", &mut journey);
}

#[test]
fn a_change_that_could_not_begin_says_why() {
    let mut journey = opened(broken(), closed());
    journey.press("m");
    agreed(&mut journey);
    let why = "another osvpn (process 4711) is working on this VPN right now; wait for it, or end it first".to_owned();
    journey.send(Message::NotBegun(vec![why]));
    screen("change-not-begun", &mut journey);
}

#[test]
fn a_change_that_was_cut_off_is_offered_before_anything_is_asked() {
    let mut made = opened(broken(), closed());
    made.press("m");
    let mut course = agreed(&mut made);
    course.progress.finish(0, End::Made(osvpn::cloud::Id::new("0e1d2c3b-0000")));
    let interruptions = vec![cut_off_change("/home/ada/.local/state/osvpn/7a1f214e.change", course)];
    let mut journey = Journey::begun(SMALL);
    journey.answer_sign_in(Ok(Session { interruptions, ..session() }));
    screen("interrupted", &mut journey);
}

#[test]
fn the_smallest_terminal_still_shows_what_can_be_done() {
    let mut journey = opened(broken(), closed());
    journey.send(Message::Resize(60, 18));
    kept("smallest-vpn", &journey);
    let mut journey = listed(healthy());
    journey.send(Message::Resize(60, 18));
    kept("smallest-vpns", &journey);
    let mut journey = opened(healthy(), closed());
    journey.press("d").send(Message::Resize(60, 18));
    kept("smallest-delete-question", &journey);
}
