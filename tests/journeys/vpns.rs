//! VPNs that exist: read, opened, and what is wanted of them up to the change itself.

use std::collections::BTreeMap;

use osvpn::change::{Change, Subject, Verb};
use osvpn::cloud::RegionId;
use osvpn::engine::{Direction, End};
use osvpn::inspect::Exposures;
use osvpn::inspect::{HalfStatus, Inspection, Keys, Weakness};
use osvpn::plan::Psk;
use osvpn::wizard::fields::Field;
use osvpn::wizard::vpns::{Open, VpnButton};
use osvpn::wizard::{Overview, work};

use super::journey::drawn_text;
use super::surveys::{HLZ_POR, broken, empty, healthy, regions, seen};
use super::*;

in_both! {
    a_region_that_hangs_hides_nothing_that_is_known,
    half_of_a_vpn_is_not_changed_as_if_its_peer_were_outside,
    what_comes_late_completes_the_vpn_on_the_screen,
    the_list_has_pairs_halves_and_peers_outside_and_names_the_region_that_failed,
    where_there_is_none_enter_goes_on_to_make_one,
    answers_for_a_vpn_that_is_no_longer_on_the_screen_are_dropped,
    statuses_change_below_the_user_s_hands_without_moving_them,
    a_vpn_that_somebody_else_deletes_meanwhile_is_said_to_be_gone,
    each_wish_is_a_question_with_the_safe_answer_first,
    a_new_key_is_proposed_with_and_without_an_interruption,
    what_has_grown_old_is_read_once_more_before_anything_is_proposed,
    other_subnets_are_chosen_half_by_half_and_refused_with_the_reason,
    what_is_behind_a_peer_outside_is_asked_for_and_checked,
    what_no_connection_uses_can_be_deleted_but_not_what_a_run_still_needs,
    an_interrupted_creation_has_a_line_and_is_resumed_rolled_back_or_forgotten_from_there,
    after_a_change_the_vpn_is_read_proven_and_waited_for,
    a_failed_change_can_be_retried_taken_back_or_left_for_later,
    a_change_is_stopped_only_after_a_question_and_what_is_under_way_is_settled,
    a_change_that_another_process_works_on_changes_nothing_and_says_so,
    changes_that_were_cut_off_are_offered_at_the_start_one_after_the_other,
    a_vpn_whose_change_was_cut_off_is_finished_first,
    digits_choose_what_is_mended_and_a_fix_by_hand_is_told,
}

/// What the statuses are asked for with, as last asked.
#[track_caller]
fn looking(journey: &Journey) -> (RequestId, Duration) {
    let look =
        |effect: &Effect| if let Effect::Look(request, _, pause) = effect { Some((*request, *pause)) } else { None };
    journey.effects.iter().rev().find_map(look).unwrap()
}

fn statuses(a: Status, b: Status) -> BTreeMap<Half, HalfStatus> {
    let look = |status| HalfStatus { connection: status, service: Some(Status::Active) };
    [(Half::A, look(a)), (Half::B, look(b))].into()
}

/// At the list, with what was read.
pub(super) fn listed(seen: Box<Overview>) -> Journey {
    let mut journey = Journey::ready();
    journey.lists_vpns().at(Screen::Vpns);
    journey.inspected(seen);
    journey
}

/// At the VPN between the border routers, diagnosed.
pub(super) fn opened(seen: Box<Overview>) -> Journey {
    let mut journey = listed(seen);
    journey.types("1").at(Screen::Vpn);
    journey.diagnosed(Exposures::default());
    journey
}

pub(super) fn open(journey: &Journey) -> &Open {
    journey.model.vpns.open.as_ref().unwrap()
}

/// Agrees to what is proposed, and gives back the change.
#[track_caller]
pub(super) fn agreed(journey: &mut Journey) -> Change {
    agreed_with_key(journey).0
}

pub(super) fn ended(journey: &mut Journey, change: &Change, ended: Result<Changed, ChangeError>) {
    let mut course = Course::new(change.clone());
    if ended.is_ok() {
        (0..change.steps().len()).for_each(|step| course.progress.finish(step, End::Changed));
    }
    journey.send(Message::Rested(ended, Box::new(course)));
}

pub(super) fn titles(journey: &Journey) -> Vec<String> {
    let Content::List(picker) = journey.model.content() else { panic!("a list") };
    picker.lines().iter().map(|line| line.title.clone()).collect()
}

fn a_region_that_hangs_hides_nothing_that_is_known() {
    let part = || {
        let mut regions = regions(Status::Active, Status::Active, "group14");
        regions.remove(&porirua());
        let mut part = seen(regions, Vec::new());
        part.inspection.awaited = vec![porirua()];
        part
    };
    let mut journey = Journey::ready();
    journey.lists_vpns().at(Screen::Vpns);
    let Some(Effect::Inspect(request)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    journey.send(Message::Vpns(VpnsMessage::Inspected(request, part())));
    assert_eq!(journey.model.vpns.seen().unwrap().inspection.awaited, [porirua()]);
    journey.send(Message::Vpns(VpnsMessage::Inspected(request, healthy())));
    assert!(journey.model.vpns.seen().unwrap().inspection.vpns[0].b().is_some());
    // Read again, the whole of before stays in view until the whole is there again.
    journey.types("r");
    let Some(Effect::Inspect(request)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    journey.send(Message::Vpns(VpnsMessage::Inspected(request, part())));
    assert!(journey.model.vpns.seen().unwrap().inspection.vpns[0].b().is_some());
}

/// What is read of Hamilton alone, and Porirua awaited or, with an error, failed.
pub(super) fn half_read(error: Option<Error>) -> Box<Overview> {
    let mut regions = regions(Status::Active, Status::Active, "group14");
    regions.remove(&porirua());
    let awaited = if error.is_none() { vec![porirua()] } else { Vec::new() };
    let mut part = seen(regions, error.into_iter().map(|error| (porirua(), error)).collect());
    part.inspection.awaited = awaited;
    part
}

fn half_of_a_vpn_is_not_changed_as_if_its_peer_were_outside() {
    let mut journey = listed(half_read(Some(Error::new(ErrorKind::Timeout, "slow"))));
    journey.types("1").at(Screen::Vpn);
    journey.diagnosed(Exposures::default());
    for key in ["n", "s", "d"] {
        journey.types(key).at(Screen::Vpn);
        let dialog = journey.model.shell.dialog.as_ref().unwrap();
        assert!(dialog.text[0].contains("may be in nz-por-1") && dialog.buttons.len() == 1, "{key}: {dialog:?}");
        journey.enter();
    }
}

fn what_comes_late_completes_the_vpn_on_the_screen() {
    let mut journey = Journey::ready();
    journey.lists_vpns().at(Screen::Vpns);
    let Some(Effect::Inspect(request)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    journey.send(Message::Vpns(VpnsMessage::Inspected(request, half_read(None)))).types("1").at(Screen::Vpn);
    journey.diagnosed(Exposures::default());
    assert!(open(&journey).diagnosis.as_ref().unwrap().findings.is_empty());
    for key in ["n", "s", "d"] {
        journey.types(key).at(Screen::Vpn);
        assert!(journey.model.shell.dialog.is_none() && journey.model.shell.notice.is_some(), "{key}: a moment");
    }
    // A part of which less is known takes nothing away, and nothing of the half is said of the whole.
    let mut less = half_read(None);
    less.inspection = Inspection { awaited: vec![hamilton(), porirua()], ..Inspection::default() };
    journey.send(Message::Vpns(VpnsMessage::Inspected(request, less)));
    assert_eq!(journey.model.vpns.vpn().unwrap().a.region, hamilton());
    let mut most = healthy();
    most.inspection.awaited = vec![RegionId::new("nz-wlg-2")];
    journey.send(Message::Vpns(VpnsMessage::Inspected(request, most)));
    assert!(journey.model.vpns.vpn().unwrap().b().is_some());
    assert!(open(&journey).diagnosis.is_none());
    let (_, vpn) = journey.asked();
    assert!(vpn.b().is_some());
    journey.send(Message::Vpns(VpnsMessage::Inspected(request, healthy())));
    journey.diagnosed(Exposures::default());
    assert!(open(&journey).diagnosis.is_some());
}

fn the_list_has_pairs_halves_and_peers_outside_and_names_the_region_that_failed() {
    let mut regions = regions(Status::Active, Status::Active, "group14");
    let journey = listed(seen(regions.clone(), Vec::new()));
    assert_eq!(titles(&journey), ["hlz-por", "office", "1 unused object"]);
    regions.remove(&porirua());
    let mut journey = listed(seen(regions, vec![(porirua(), Error::new(ErrorKind::Timeout, "slow"))]));
    assert_eq!(titles(&journey), ["hlz-por", "office", "Porirua", "1 unused object"]);
    journey.types("3").at(Screen::Vpns);
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("could not be read: slow"));
    journey.types("r");
    assert!(matches!(journey.effects.pop(), Some(Effect::Inspect(_))));
}

fn where_there_is_none_enter_goes_on_to_make_one() {
    let mut journey = listed(empty());
    assert_eq!(titles(&journey), ["create one"]);
    journey.enter().at(Screen::Region(Half::A));
    let mut early = Journey::ready();
    early.lists_vpns().enter().at(Screen::Vpns);
    assert!(
        early.model.shell.notice.is_some() && early.model.shell.dialog.is_none(),
        "nothing is read yet, so nothing is chosen"
    );
}

fn answers_for_a_vpn_that_is_no_longer_on_the_screen_are_dropped() {
    let mut journey = listed(broken());
    journey.types("1").at(Screen::Vpn);
    let (first, _) = journey.asked();
    let (looked, _) = looking(&journey);
    journey.esc().at(Screen::Vpns).types("2").at(Screen::Vpn);
    assert_eq!(open(&journey).name, "office");
    let unequal = Keys::Read { equal: Some(false), weakness: Some(Weakness::Public), rivals: Vec::new() };
    journey.send(Message::Vpns(VpnsMessage::Diagnosed(first, Box::new(unequal), Box::default())));
    assert!(open(&journey).diagnosis.is_none(), "what was said of the other VPN is not said of this one");
    let asked_before = journey.effects.len();
    journey.send(Message::Vpns(VpnsMessage::Looked(looked, Ok(statuses(Status::Error, Status::Error)))));
    assert_eq!(journey.effects.len(), asked_before, "nor is the other one watched any more");
    journey.diagnosed(Exposures::default());
    assert!(open(&journey).diagnosis.is_some());
}

fn statuses_change_below_the_user_s_hands_without_moving_them() {
    let mut journey = opened(broken());
    journey.types("2").key(KeyCode::Left).key(KeyCode::Left);
    let (focus, chosen) = (open(&journey).focused(), open(&journey).finding());
    let (request, pause) = looking(&journey);
    assert!(pause >= Duration::from_secs(3));
    journey.send(Message::Vpns(VpnsMessage::Looked(request, Ok(statuses(Status::Active, Status::Down)))));
    assert_eq!(journey.model.vpns.vpn().unwrap().a.connection.status, Status::Active);
    assert_eq!((open(&journey).focused(), open(&journey).finding()), (focus, chosen));
    let (next, _) = looking(&journey);
    assert!(next > request, "and it is looked at again");
    journey.send(Message::Vpns(VpnsMessage::Looked(next, Err(Error::new(ErrorKind::Server, "sick")))));
    assert!(open(&journey).look_problem.is_some() && looking(&journey).0 > next, "a failure ends nothing");
}

fn a_vpn_that_somebody_else_deletes_meanwhile_is_said_to_be_gone() {
    let mut journey = opened(healthy());
    let (request, _) = looking(&journey);
    let mut gone = Error::new(ErrorKind::NotFound, "gone");
    gone.neutron_type = Some("IPsecSiteConnectionNotFound".to_owned());
    journey.send(Message::Vpns(VpnsMessage::Looked(request, Err(gone))));
    journey.inspected(empty()).at(Screen::Vpns);
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("hlz-por no longer exists"));
}

fn each_wish_is_a_question_with_the_safe_answer_first() {
    let wishes = [("m", Verb::EqualisePolicies), ("n", Verb::RotatePsk), ("d", Verb::Delete)];
    for (key, verb) in wishes {
        let mut journey = opened(broken());
        journey.types(key).at(Screen::Vpn).enter();
        assert!(
            journey.model.shell.dialog.is_none() && journey.model.work.change().is_none(),
            "{key}: Enter alone does nothing"
        );
        journey.types(key);
        assert_eq!(agreed(&mut journey).verb, verb);
    }
}

fn a_new_key_is_proposed_with_and_without_an_interruption() {
    let mut journey = opened(healthy());
    journey.types("n").key(KeyCode::Right).key(KeyCode::Right).enter();
    assert!(journey.model.shell.dialog.as_ref().unwrap().text.iter().any(|line| line.contains("off and on")));
    journey.enter();
    assert!(!journey.model.shell.dialog.as_ref().unwrap().text.iter().any(|line| line.contains("off and on")));
    journey.enter().key(KeyCode::Left).enter().at(Screen::Work);
    let Some(Effect::Work(Which::New(change, _), _)) = journey.effects.pop() else { panic!() };
    assert_eq!(change.steps().len(), 3, "the key, and both services");
}

fn what_has_grown_old_is_read_once_more_before_anything_is_proposed() {
    let mut journey = opened(healthy());
    journey.send(Message::Tick(Duration::from_secs(300))).types("d");
    assert!(journey.model.shell.dialog.is_none());
    journey.inspected(healthy());
    assert!(journey.model.shell.dialog.is_none(), "its security groups may have rules of this VPN");
    journey.diagnosed(Exposures::default());
    assert_eq!(agreed(&mut journey).verb, Verb::Delete, "one key is enough");

    let mut called_off = opened(healthy());
    called_off.send(Message::Tick(Duration::from_secs(300))).types("d").types("r");
    called_off.inspected(healthy());
    called_off.diagnosed(Exposures::default());
    assert!(called_off.model.shell.dialog.is_none(), "whoever has pressed another key has changed their mind");
}

fn other_subnets_are_chosen_half_by_half_and_refused_with_the_reason() {
    let mut journey = opened(healthy());
    journey.types("s").at(Screen::NewSubnets(Half::A));
    let Content::List(picker) = journey.model.content() else { panic!() };
    assert_eq!(picker.marked().unwrap(), [Choice::Object(Id::new("h-private"))], "what is tunnelled now is marked");
    journey.enter().at(Screen::NewSubnets(Half::B)).enter().at(Screen::NewSubnets(Half::B));
    assert!(journey.model.shell.dialog.is_none(), "that nothing is changed is said on the form");
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("These are tunnelled already"));
    journey.esc().at(Screen::NewSubnets(Half::A));
    let places = titles(&journey).iter().position(|title| title == "db-subnet").unwrap();
    journey.key(KeyCode::Home);
    for _ in 0..places {
        journey.key(KeyCode::Down);
    }
    journey.types(" ").enter().at(Screen::NewSubnets(Half::B)).enter();
    let change = agreed(&mut journey);
    assert_eq!((change.verb, change.label.as_str()), (Verb::SetSubnets, "hlz-por"));
    assert!(change.steps().iter().any(|step| format!("{step:?}").contains("h-db")), "{change:?}");
    let person = &mut opened(healthy());
    person.chooses("Subnets").at(Screen::NewSubnets(Half::A));
    person.enter().at(Screen::NewSubnets(Half::B));
    person.enter().at(Screen::NewSubnets(Half::B));
    person.is_told("These are tunnelled already").esc().at(Screen::NewSubnets(Half::A));
    person.marks(&["private-subnet", "db-subnet"]).at(Screen::NewSubnets(Half::B));
    person.enter();
    person.chooses("Change the subnets").at(Screen::Work);
}

/// At the VPN to an external peer, diagnosed.
pub(super) fn opened_outside() -> Journey {
    let mut journey = listed(healthy());
    journey.types("2").at(Screen::Vpn);
    journey.diagnosed(Exposures::default());
    assert_eq!(open(&journey).name, "office");
    journey
}

/// Agrees to what is proposed, and gives back the change and the key that goes with it.
#[track_caller]
pub(super) fn agreed_with_key(journey: &mut Journey) -> (Change, Option<Psk>) {
    assert!(journey.model.shell.dialog.is_some(), "{:?}", journey.model.shell.notice);
    match journey.model.shell.dialog.as_ref().unwrap().typed.clone() {
        Some(typed) => journey.types(&typed.name),
        None => journey.key(KeyCode::Right),
    };
    journey.enter().at(Screen::Work);
    match journey.effects.pop() {
        Some(Effect::Work(Which::New(change, key), Order::CarryOut)) => (*change, key),
        other => panic!("{other:?}"),
    }
}

fn what_is_behind_a_peer_outside_is_asked_for_and_checked() {
    let mut journey = opened_outside();
    journey.types("s").at(Screen::NewSubnets(Half::A)).enter().at(Screen::NewRanges);
    let present = open(&journey).ranges.value().to_owned();
    assert!(present.parse::<ipnet::IpNet>().is_ok(), "what is there now stands in the field: {present:?}");
    journey.types(", 10.8.0.0/16").enter().at(Screen::NewRanges);
    assert!(journey.model.problem(Field::NewRanges).unwrap().contains("10.8.0.0/16"));
    journey.control('u').types(&format!("{present}, 192.168.77.0/24")).on_a_screen(|journey| {
        journey.esc().at(Screen::NewSubnets(Half::A)).enter().at(Screen::NewRanges);
        assert!(open(journey).ranges.value().ends_with("192.168.77.0/24"), "going back forgets nothing");
    });
    journey.enter();
    let change = agreed(&mut journey);
    assert_eq!(change.verb, Verb::SetSubnets);
    assert!(change.steps().iter().any(|step| format!("{step:?}").contains("192.168.77.0/24")), "{change:?}");
}

fn what_no_connection_uses_can_be_deleted_but_not_what_a_run_still_needs() {
    let mut journey = listed(healthy());
    journey.types("3");
    let change = agreed(&mut journey);
    assert_eq!((change.verb, change.steps().len()), (Verb::DeleteStrays, 1));
    let mut needed = seen(
        {
            let mut regions = regions(Status::Active, Status::Active, "group14");
            let services = &mut regions.get_mut(&hamilton()).unwrap().inventory.services;
            services.iter_mut().find(|service| service.id == Id::new("s-legacy")).unwrap().description =
                osvpn::plan::VpnId::new("0badcafe").mark(Half::A);
            regions
        },
        Vec::new(),
    );
    needed.unfinished.vpns.push(Subject::Marked(osvpn::plan::VpnId::new("0badcafe")));
    let mut journey = listed(needed);
    journey.types("3");
    assert!(journey.model.shell.dialog.is_none(), "{:?}", journey.model.shell.dialog);
}

fn an_interrupted_creation_has_a_line_and_is_resumed_rolled_back_or_forgotten_from_there() {
    let with = |state| {
        let interruptions = vec![cut_off_creation("hlz-por", "0badcafe", (7, 1), state)];
        Box::new(Overview { interruptions, ..*healthy() })
    };
    let line = |journey: &Journey| {
        let Content::List(picker) = journey.model.content() else { panic!() };
        let place = picker.lines().iter().position(|line| line.choice == Choice::Creation("0badcafe".into())).unwrap();
        (picker.lines()[place].clone(), (place + 1).to_string())
    };
    let mut journey = listed(with(State::Interrupted));
    let (shown, digit) = line(&journey);
    let told = journey.reason(&shown);
    assert!(told.contains("creating it was interrupted (7 objects exist, and 1 more may)"), "{told}");
    for (presses, purpose) in [(0, Direction::Forward), (1, Direction::Back)] {
        journey.types(&digit);
        assert_eq!(journey.model.shell.dialog.as_ref().unwrap().title, "Creating hlz-por was interrupted");
        for _ in 0..presses {
            journey.key(KeyCode::Right);
        }
        journey.enter();
        let Some(Effect::Resume(_, journal, taken)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
        assert_eq!((journal.to_str(), taken), (Some("/state/0badcafe.json"), purpose));
        journey.esc();
    }
    journey.types(&digit).key(KeyCode::Left).enter();
    let [.., Effect::Forget(journal), Effect::Inspect(_)] = journey.effects.as_slice() else { panic!() };
    assert_eq!(journal.to_str(), Some("/state/0badcafe.json"));

    let mut journey = listed(with(State::Running));
    let (shown, digit) = line(&journey);
    assert!(!shown.is_open(), "another process is at it");
    journey.types(&digit);
    assert!(journey.model.shell.dialog.is_none());
}

fn after_a_change_the_vpn_is_read_proven_and_waited_for() {
    let mut journey = opened(broken());
    journey.types("m");
    let change = agreed(&mut journey);
    journey.send(Message::Event(Event::Started(0)));
    journey.enter().at(Screen::Work);
    ended(&mut journey, &change, Ok(Changed::Done));
    // The connection was made anew.
    let mut regions = regions(Status::Down, Status::Down, "group14");
    let connections = &mut regions.get_mut(&porirua()).unwrap().inventory.connections;
    connections[0].id = Id::new("another");
    journey.inspected(seen(regions, Vec::new()));
    journey.diagnosed(Exposures::default());
    journey.enter().at(Screen::Vpn);
    assert!(open(&journey).waiting.is_some());
    let (request, pause) = looking(&journey);
    assert!(pause < Duration::from_secs(5), "more closely than usual");
    journey.send(Message::Vpns(VpnsMessage::Looked(request, Ok(statuses(Status::Active, Status::Active)))));
    assert!(open(&journey).waiting.is_none());
    journey.diagnosed(Exposures::default());
    let (_, after) = &**journey.model.work.change().unwrap().after.as_ref().unwrap();
    assert_eq!(after.condition, osvpn::inspect::Condition::Proven);
    journey.types("q");
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));
}

fn a_failed_change_can_be_retried_taken_back_or_left_for_later() {
    let failed = |journey: &mut Journey| {
        journey.types("m");
        let change = agreed(journey);
        journey.send(Message::Event(Event::Started(0)));
        let error = Error::new(ErrorKind::Server, "sick");
        journey.send(Message::Event(Event::Failed(0, error.clone(), Duration::from_secs(1))));
        let mut course = Course::new(change);
        begun(&mut course);
        course.journal = Some("x.change".into());
        journey.send(Message::Rested(Err(ChangeError::Failed(0, Box::new(error))), Box::new(course)));
    };
    let mut retried = opened(broken());
    failed(&mut retried);
    retried.enter();
    assert!(matches!(retried.effects.pop(), Some(Effect::Work(Which::Present(None), Order::CarryOut))));
    let mut back = opened(broken());
    failed(&mut back);
    back.key(KeyCode::Right).enter().enter();
    assert!(back.model.shell.dialog.is_none() && !back.model.work.change().unwrap().is_working(), "it is asked");
    back.enter().key(KeyCode::Right).enter();
    assert!(matches!(back.effects.pop(), Some(Effect::Work(Which::Present(None), Order::RollBack))));
    let mut left = opened(broken());
    failed(&mut left);
    left.types("q");
    assert!(left.model.shell.ending.is_none(), "leaving what is not done is asked");
    left.esc().key(KeyCode::Left).enter().at(Screen::Vpn);
    assert!(left.effects.iter().any(|effect| matches!(effect, Effect::LetGo)), "others may go on with it");
}

fn a_change_is_stopped_only_after_a_question_and_what_is_under_way_is_settled() {
    let mut journey = opened(broken());
    journey.types("m");
    let change = agreed(&mut journey);
    journey.send(Message::Event(Event::Started(0))).esc();
    assert_eq!(journey.model.shell.dialog.as_ref().unwrap().buttons.len(), 3, "it can still be taken back");
    journey.key(KeyCode::Left).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Stop)));
    assert!(journey.model.shell.ending.is_none());
    journey.send(Message::Event(Event::Finished(0, End::Made(Id::new("new")), Duration::ZERO)));
    let mut course = Course::new(change.clone());
    course.progress.finish(0, End::Made(Id::new("new")));
    journey.send(Message::Rested(Err(ChangeError::Stopped), Box::new(course)));
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Present(None), Order::RollBack))));
    ended(&mut journey, &change, Ok(Changed::Done));
    assert!(journey.model.work.change().unwrap().is_done());
}

fn a_change_that_another_process_works_on_changes_nothing_and_says_so() {
    let mut journey = opened(broken());
    journey.types("m");
    agreed(&mut journey);
    journey.send(Message::NotBegun(vec!["another osvpn is working on this VPN".to_owned()]));
    let change = journey.model.work.change().unwrap();
    assert!(matches!(change.end(), Some(work::End::NotBegun(_))) && change.buttons() == [Button::ShowVpn]);
    journey.types("q");
    assert!(journey.model.shell.ending.is_some());
}

fn cut_off(is_reversible: bool) -> Interruption {
    let mut journey = opened(broken());
    journey.types("m");
    let mut course = Course::new(agreed(&mut journey));
    course.progress.finish(0, End::Made(Id::new("new")));
    if !is_reversible {
        past_rolling_back(&mut course);
    }
    cut_off_change("7a1f214e.change", course)
}

pub(super) fn begun_with(interruptions: Vec<Interruption>) -> Journey {
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let regions: Vec<RegionId> = vec![hamilton(), porirua()];
    journey.send(Message::SignedIn(request, Ok(Session { interruptions, regions, ..Session::default() })));
    journey
}

fn changes_that_were_cut_off_are_offered_at_the_start_one_after_the_other() {
    let mut journey = begun_with(vec![cut_off(true), cut_off(false)]);
    let labels = |journey: &Journey| {
        let dialog = journey.model.shell.dialog.as_ref().unwrap();
        dialog.buttons.iter().map(|button| button.label.clone()).collect::<Vec<_>>()
    };
    assert_eq!(labels(&journey), ["Resume", "Roll back", "Later"]);
    journey.esc();
    assert_eq!(labels(&journey), ["Resume", "Later"], "the next one is past rolling back");
    journey.enter().at(Screen::Work);
    let Some(Effect::Work(Which::Journal(path), Order::CarryOut)) = journey.effects.pop() else { panic!() };
    assert_eq!(path.to_str(), Some("7a1f214e.change"));
    let change = cut_off(true).course.change;
    ended(&mut journey, &change, Ok(Changed::Done));
    journey.inspected(healthy());
    journey.diagnosed(Exposures::default());
    journey.enter().at(Screen::Vpn);
    assert_eq!(open(&journey).handle, HLZ_POR, "and its VPN is opened");

    let run = cut_off_creation("hlz-por", "0badcafe", (1, 0), State::Interrupted);
    let mut both = begun_with(vec![run, cut_off(true)]);
    assert!(both.model.shell.dialog.as_ref().unwrap().title.contains("Creating"), "creations come first");
    both.esc();
    assert_eq!(labels(&both)[1], "Roll back");
    both.esc();
    assert!(both.model.shell.dialog.is_none());
}

fn a_vpn_whose_change_was_cut_off_is_finished_first() {
    let mut seen = broken();
    seen.interruptions.push(cut_off(true));
    let mut journey = opened(seen);
    journey.types("d");
    assert!(journey.model.shell.dialog.as_ref().unwrap().title.contains("Interrupted"));
    journey.key(KeyCode::Right).enter().at(Screen::Work);
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Journal(_), Order::RollBack))));
}

fn drawn_at(journey: &mut Journey, (columns, rows): (u16, u16)) -> String {
    journey.send(Message::Resize(columns, rows));
    drawn_text(journey)
}

fn digits_choose_what_is_mended_and_a_fix_by_hand_is_told() {
    let mut regions = regions(Status::Down, Status::Down, "group5");
    let routers = &mut regions.get_mut(&hamilton()).unwrap().inventory.routers;
    routers.iter_mut().find(|router| router.name == "border-router").unwrap().admin_state_up = false;
    let mut journey = opened(seen(regions, Vec::new()));
    let findings = open(&journey).diagnosis.as_ref().unwrap().findings.clone();
    assert!(findings.len() > 1, "{findings:?}");
    for (at, finding) in findings.iter().enumerate() {
        journey.types(&(at + 1).to_string());
        let is_ours = finding.fault().unwrap().fix.is_ours();
        journey.on_a_screen(|journey| {
            let text = drawn_at(journey, (60, 18));
            assert!(text.contains(&format!("› {} ", at + 1)), "finding {} is in sight:\n{text}", at + 1);
            assert_eq!(open(journey).finding(), Some(at));
            assert_eq!(open(journey).focused() == Some(VpnButton::Fix), is_ours, "a button only for what can be fixed");
        });
        journey.types("m");
        let dialog = journey.model.shell.dialog.as_ref().unwrap();
        assert_eq!(dialog.buttons.len() > 1, is_ours, "{finding:?}: {dialog:?}");
        journey.esc();
    }
    journey.on_a_screen(|journey| {
        journey.types("9");
        assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("no finding 9"));
    });
}
