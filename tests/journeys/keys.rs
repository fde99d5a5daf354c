//! Keys of VPNs that exist: one of the user's own, the one a cut-off change lacks, and the one everybody knows.

use osvpn::change::{Subject, Verb};
use osvpn::commands::wizard::changes_of;
use osvpn::inspect::Exposures;
use osvpn::inspect::{Keys, Weakness};
use osvpn::plan::VpnId;
use osvpn::report::{ChangeReport, ChangeReports, Conclude, ExitStatus};
use osvpn::wizard::fields::Field;

use secrecy::ExposeSecret;

use super::surveys::{HLZ_POR, equal_keys, healthy, two_pairs};
use super::vpns::{agreed_with_key, begun_with, ended, half_read, listed, open, opened, opened_outside, titles};
use super::*;

in_both! {
    a_peer_outside_gets_no_key_but_one_its_owner_has,
    a_pair_gets_a_key_that_is_made_or_one_of_the_users_own_and_esc_forgets_that,
    a_change_that_was_cut_off_asks_for_the_key_it_lacks,
    every_vpn_with_the_public_key_gets_one_of_its_own_after_one_question,
    with_the_public_keys_tunnels_can_be_renewed_too,
    after_one_that_is_not_done_no_other_is_begun,
    where_nobody_has_the_public_key_that_is_said,
    whoever_asks_to_stop_stops_the_rest_too_and_the_question_stays_true,
    keys_that_took_long_to_read_or_came_behind_a_dialog_are_told_of_all_the_same,
    taking_back_from_the_field_for_the_missing_key_shows_that_and_forgets_the_key,
    what_was_cut_off_keeps_no_other_vpn_from_its_new_key,
    each_of_several_is_proven_and_reported_even_one_that_could_not_begin,
    what_was_left_once_and_done_later_is_done,
}

on_a_screen! {
    whoever_goes_on_typing_has_not_agreed_to_what_was_typed_before: "what is typed is heard of with the end of its line",
}

const OWN_KEY: &str = "Agreed0upon1by2both3ends";

fn code(report: &ChangeReport) -> u8 {
    report.exit_status().code()
}

fn whoever_goes_on_typing_has_not_agreed_to_what_was_typed_before() {
    let mut journey = opened_outside();
    journey.types("n").at(Screen::NewKey).types(OWN_KEY).send(Message::Tick(Duration::from_secs(300)));
    journey.enter();
    assert!(journey.model.shell.dialog.is_none(), "it is read once more first");
    journey.key(KeyCode::Backspace);
    journey.inspected(healthy());
    journey.diagnosed(Exposures::default());
    assert!(journey.model.shell.dialog.is_none());
    journey.enter();
    assert_eq!(agreed_with_key(&mut journey).1.unwrap().secret().expose_secret(), &OWN_KEY[..OWN_KEY.len() - 1]);
}

fn a_peer_outside_gets_no_key_but_one_its_owner_has() {
    let mut journey = opened_outside();
    journey.types("n").at(Screen::NewKey).types("tooshort").enter().at(Screen::NewKey);
    assert!(
        journey.model.shell.dialog.is_none() && journey.model.problem(Field::NewKey).unwrap().contains("8 characters")
    );
    journey.control('u').types(OWN_KEY).enter();
    let (change, key) = agreed_with_key(&mut journey);
    assert_eq!(change.verb, Verb::RotatePsk);
    assert_eq!(key.unwrap().secret().expose_secret(), OWN_KEY);
    assert_eq!(open(&journey).key.chars(), 0, "nobody keeps it");
}

fn a_pair_gets_a_key_that_is_made_or_one_of_the_users_own_and_esc_forgets_that() {
    let mut journey = opened(healthy());
    journey.types("n");
    assert!(agreed_with_key(&mut journey).1.is_none());
    let own = |journey: &mut Journey| {
        journey.types("n").key(KeyCode::Left).enter().at(Screen::NewKey).types(OWN_KEY).enter();
    };
    let mut journey = opened(healthy());
    own(&mut journey);
    journey.key(KeyCode::Right).key(KeyCode::Right).enter();
    assert!(journey.model.shell.dialog.as_ref().unwrap().text.iter().any(|line| line.contains("switched off and on")));
    journey.key(KeyCode::Left).enter().at(Screen::Work);
    let Some(Effect::Work(Which::New(_, key), _)) = journey.effects.pop() else { panic!() };
    assert_eq!(key.unwrap().secret().expose_secret(), OWN_KEY);
    let person = &mut opened(healthy());
    person.chooses("New key");
    person.chooses("Own key").at(Screen::NewKey);
    person.answers("tooshort").at(Screen::NewKey);
    person.answers(OWN_KEY);
    person.chooses("Set a new key").at(Screen::Work);
    person.is_told_nothing_of(OWN_KEY);
    let Some(Effect::Work(Which::New(_, key), _)) = person.effects.last() else { panic!() };
    assert_eq!(key.as_ref().unwrap().secret().expose_secret(), OWN_KEY);
    let mut journey = opened(healthy());
    own(&mut journey);
    journey.esc().esc().at(Screen::Vpn).types("n");
    assert!(agreed_with_key(&mut journey).1.is_none());
}

/// A new key of the user's own for the VPN on the screen, cut off before it was sent.
fn cut_off_with_own_key() -> Interruption {
    let mut journey = opened_outside();
    journey.types("n").types(OWN_KEY).enter();
    let mut course = Course::new(agreed_with_key(&mut journey).0);
    begun(&mut course);
    course.journal = Some("0ff1ce00.change".into());
    cut_off_change("0ff1ce00.change", course)
}

fn a_change_that_was_cut_off_asks_for_the_key_it_lacks() {
    let interrupted = cut_off_with_own_key();
    let course = interrupted.course.clone();
    let mut journey = begun_with(vec![interrupted]);
    journey.enter().at(Screen::Work);
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Journal(_), Order::CarryOut))));
    journey.send(Message::Rested(Err(ChangeError::KeyNeeded(0)), Box::new(course.clone())));
    journey.enter().at(Screen::MissingKey).types("tooshort").enter().at(Screen::MissingKey);
    assert!(journey.model.problem(Field::MissingKey).unwrap().contains("8 characters"));
    journey.esc().at(Screen::Work).enter().at(Screen::MissingKey);
    assert_eq!(journey.model.work.missing_key.chars(), 0, "Esc forgets it");
    journey.types(OWN_KEY).enter().at(Screen::Work);
    let Some(Effect::Work(Which::Present(key), Order::CarryOut)) = journey.effects.pop() else { panic!() };
    assert_eq!(key.unwrap().secret().expose_secret(), OWN_KEY);
    assert_eq!(journey.model.work.missing_key.chars(), 0, "nobody keeps it");
    ended(&mut journey, &course.change, Ok(Changed::Done));
    assert!(journey.model.work.change().unwrap().is_done());

    let mut left = begun_with(vec![cut_off_with_own_key()]);
    left.enter().send(Message::Rested(Err(ChangeError::KeyNeeded(0)), Box::new(course)));
    left.enter().at(Screen::MissingKey).control('c');
    assert!(left.model.shell.dialog.as_ref().unwrap().title.contains("Leave"), "leaving what is not done is asked");
}

/// Chooses the line about public keys.
fn chosen(journey: &mut Journey) {
    let place = titles(journey).iter().position(|title| title == "public keys").unwrap() + 1;
    journey.types(&place.to_string());
}

/// The same, and answers that these VPNs have it.
fn compared(journey: &mut Journey, public: &[&str]) {
    let (request, vpns) = keys_asked(journey);
    let keys = vpns.iter().map(|vpn| {
        let is_public = public.contains(&vpn.name.as_str());
        let keys = if is_public {
            Keys::Read { equal: None, weakness: Some(Weakness::Public), rivals: Vec::new() }
        } else {
            equal_keys()
        };
        (vpn.handle(), keys)
    });
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(request, keys.collect())));
    if !public.is_empty() {
        chosen(journey);
    }
}

fn keys_asked(journey: &mut Journey) -> (RequestId, Vec<osvpn::inspect::Vpn>) {
    let place = journey.effects.iter().rposition(|effect| matches!(effect, Effect::CompareKeys(..))).unwrap();
    match journey.effects.remove(place) {
        Effect::CompareKeys(request, vpns) => (request, vpns),
        other => panic!("{other:?}"),
    }
}

fn every_vpn_with_the_public_key_gets_one_of_its_own_after_one_question() {
    let mut journey = listed(two_pairs());
    compared(&mut journey, &["hlz-por", "second", "office"]);
    let text = journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    for part in ["New key of hlz-por", "new key of second", "office has the public key too"] {
        assert!(text.to_lowercase().contains(&part.to_lowercase()), "{part}: {text}");
    }
    assert_eq!(text.matches("keeps the old key").count(), 1, "what is true of both is said once: {text}");
    let (first, key) = agreed_with_key(&mut journey);
    assert!(key.is_none() && first.verb == Verb::RotatePsk);
    ended(&mut journey, &first, Ok(Changed::Done));
    let Some(Effect::Work(Which::New(second, None), Order::CarryOut)) = journey.effects.pop() else { panic!() };
    assert_ne!(first.label, second.label);
    let turn = journey.model.work.change().unwrap().turn.unwrap();
    assert_eq!((turn.number, turn.of), (2, 2));
    ended(&mut journey, &second, Ok(Changed::Done));
    journey.inspected(two_pairs());
    journey.enter().at(Screen::Vpns).types("q");
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));
}

fn with_the_public_keys_tunnels_can_be_renewed_too() {
    let mut journey = listed(two_pairs());
    compared(&mut journey, &["hlz-por", "second"]);
    journey.key(KeyCode::Right).key(KeyCode::Right).enter();
    let text = journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    assert_eq!(text.matches("hlz-por_vpn_service off and on").count(), 4, "{text}");
    journey.key(KeyCode::Left).enter().at(Screen::Work);
}

fn after_one_that_is_not_done_no_other_is_begun() {
    let mut journey = listed(two_pairs());
    compared(&mut journey, &["hlz-por", "second"]);
    let (first, _) = agreed_with_key(&mut journey);
    let error = Error::new(ErrorKind::Server, "sick");
    journey.send(Message::Event(Event::Started(0)));
    ended(&mut journey, &first, Err(ChangeError::Failed(0, Box::new(error))));
    assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::New(..), _))));
    let mut retried = Course::new(first.clone());
    begun(&mut retried);
    journey.enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Present(None), Order::CarryOut))));
    journey.send(Message::Rested(Err(ChangeError::Stopped), Box::new(retried)));
    journey.key(KeyCode::Left).enter().at(Screen::Vpns);
    let notice = &journey.model.shell.notice.as_ref().unwrap().text;
    assert!(notice.contains("Not begun") && notice.contains("second"), "{notice}");
    assert!(journey.model.work.queue.is_empty());
}

fn where_nobody_has_the_public_key_that_is_said() {
    let mut journey = listed(healthy());
    let has_line = |journey: &Journey| titles(journey).contains(&"public keys".to_owned());
    assert!(!has_line(&journey), "not before the keys are read");
    compared(&mut journey, &[]);
    assert!(!has_line(&journey), "nor where nobody has it");
    let told = |journey: &Journey| journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    let mut journey = listed(healthy());
    compared(&mut journey, &["office"]);
    assert!(told(&journey).contains("once its peer knows"), "{}", told(&journey));
    let Content::List(picker) = journey.model.content() else { panic!() };
    let line = |title: &str| picker.lines().iter().find(|line| line.title == title).unwrap();
    assert!(line("public keys").aside.starts_with("1 VPN "), "{:?}", line("public keys"));
    let mark = journey.reason(line("office"));
    assert!(
        mark.starts_with("the pre-shared key is public") && mark.contains("and 1 more"),
        "what exposes it is first: {mark}"
    );
    let mut blind = listed(half_read(Some(Error::new(ErrorKind::Timeout, "slow"))));
    compared(&mut blind, &["office"]);
    assert!(told(&blind).contains("Porirua could not be read"), "{}", told(&blind));
}

fn whoever_asks_to_stop_stops_the_rest_too_and_the_question_stays_true() {
    let mut journey = listed(two_pairs());
    compared(&mut journey, &["hlz-por", "second"]);
    let (first, _) = agreed_with_key(&mut journey);
    journey.types("q");
    let asked = journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    assert!(asked.contains("The VPN after this one then stays as it is"), "{asked}");
    ended(&mut journey, &first, Ok(Changed::Done));
    let Some(Effect::Work(Which::New(second, _), _)) = journey.effects.pop() else { panic!() };
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert!(dialog.title.starts_with("Stop the new key of"), "the next one is in progress: {}", dialog.title);
    journey.key(KeyCode::Right).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Stop)));
    ended(&mut journey, &second, Ok(Changed::Done));
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));

    for presses in [1, 2] {
        let mut journey = listed(two_pairs());
        compared(&mut journey, &["hlz-por", "second"]);
        let (first, _) = agreed_with_key(&mut journey);
        journey.types("q");
        for _ in 0..presses {
            journey.key(KeyCode::Right);
        }
        journey.enter();
        ended(&mut journey, &first, Ok(Changed::Done));
        assert!(
            !journey.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::New(..), _))),
            "{:?}",
            journey.effects
        );
        let leaves = journey.model.shell.ending.is_some();
        assert_eq!(leaves, presses == 1, "to stop and take back leaves nothing, and shows what came of it");
        if !leaves {
            journey.chooses("Your VPNs").at(Screen::Vpns);
        }
        let reports = changes_of(&journey.model.work, false);
        assert_eq!((reports.len(), ChangeReports::exit_status_of(&reports)), (2, Some(ExitStatus::Stopped)));
        assert!(reports[1].to_string().contains("because you stopped before it"), "{}", reports[1]);
    }
}

fn keys_that_took_long_to_read_or_came_behind_a_dialog_are_told_of_all_the_same() {
    let unreadable = |journey: &mut Journey, wait: u64| {
        let (request, vpns) = keys_asked(journey);
        journey.types("?").send(Message::Tick(Duration::from_secs(wait)));
        let why = || Keys::Unreadable(Box::new(Error::new(ErrorKind::Timeout, "slow")));
        journey.send(Message::Vpns(VpnsMessage::KeysCompared(
            request,
            vpns.iter().map(|vpn| (vpn.handle(), why())).collect(),
        )));
    };
    let told = |journey: &Journey| journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    let mut journey = listed(two_pairs());
    unreadable(&mut journey, 20);
    chosen(journey.esc());
    assert!(told(&journey).contains("could not be read: slow"), "{}", told(&journey));

    // What has grown old is read once more, the keys too.
    let mut late = listed(two_pairs());
    compared(&mut late, &["hlz-por"]);
    late.esc().send(Message::Tick(Duration::from_secs(300)));
    chosen(&mut late);
    late.inspected(two_pairs());
    let (request, vpns) = keys_asked(&mut late);
    late.send(Message::Tick(Duration::from_secs(600)));
    late.types("?").esc();
    assert!(!late.effects.iter().any(|effect| matches!(effect, Effect::Inspect(_))), "the comparison goes on");
    let public = || Keys::Read { equal: Some(true), weakness: Some(Weakness::Public), rivals: Vec::new() };
    late.send(Message::Vpns(VpnsMessage::KeysCompared(
        request,
        vpns.iter().map(|vpn| (vpn.handle(), public())).collect(),
    )));
    assert!(told(&late).contains("new key of hlz-por"), "{}", told(&late));
}

fn taking_back_from_the_field_for_the_missing_key_shows_that_and_forgets_the_key() {
    let mut journey = opened(healthy());
    journey.types("n").key(KeyCode::Left).enter().at(Screen::NewKey).types(OWN_KEY).enter();
    let mut course = Course::new(agreed_with_key(&mut journey).0);
    begun(&mut course);
    course.journal = Some("7a1f214e.change".into());
    journey.send(Message::Rested(Err(ChangeError::KeyNeeded(0)), Box::new(course.clone())));
    journey.enter().at(Screen::MissingKey).on_a_screen(|journey| _ = journey.control('r'));
    journey.types(OWN_KEY).control('c');
    journey.key(KeyCode::Left).enter().at(Screen::Work);
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Present(None), Order::RollBack))));
    assert_eq!(journey.model.work.missing_key.chars(), 0);

    let mut hidden = opened_outside();
    hidden.types("n").types(OWN_KEY).enter();
    agreed_with_key(&mut hidden);
    hidden.send(Message::Rested(Err(ChangeError::KeyNeeded(0)), Box::new(course)));
    hidden.enter().on_a_screen(|hidden| _ = hidden.control('r')).esc().enter().at(Screen::MissingKey);
    assert!(!hidden.model.shell.is_revealed(), "Esc hides it again");
}

fn what_was_cut_off_keeps_no_other_vpn_from_its_new_key() {
    let mut seen = two_pairs();
    seen.unfinished.vpns.push(Subject::Marked(VpnId::new(HLZ_POR)));
    let mut journey = listed(seen);
    compared(&mut journey, &["hlz-por", "second"]);
    let text = journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    assert!(text.contains("osvpn resume hlz-por"), "{text}");
    let (change, _) = agreed_with_key(&mut journey);
    assert_eq!((change.label.as_str(), journey.model.work.queue.len()), ("second", 0));
}

fn each_of_several_is_proven_and_reported_even_one_that_could_not_begin() {
    let mut journey = listed(two_pairs());
    compared(&mut journey, &["hlz-por", "second"]);
    let (first, _) = agreed_with_key(&mut journey);
    ended(&mut journey, &first, Ok(Changed::Done));
    journey.send(Message::NotBegun(vec!["another osvpn is working on this VPN".to_owned()]));
    let reports = |journey: &Journey| {
        let reports = changes_of(&journey.model.work, false);
        (reports.iter().map(code).collect::<Vec<_>>(), ChangeReports::exit_status_of(&reports).unwrap().code())
    };
    assert_eq!(reports(&journey), (vec![0, 1], 1));
    journey.enter().at(Screen::Vpns);
    journey.inspected(two_pairs());
    let Some(Effect::CompareKeys(request, vpns)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert_eq!(vpns.len(), 1, "what was not changed needs no proof");
    let differ = Keys::Read { equal: Some(false), weakness: None, rivals: Vec::new() };
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(request, vec![(vpns[0].handle(), differ)])));
    assert_eq!(reports(&journey), (vec![5, 1], 1), "what is not done counts more than halves that do not match");
    // Whoever does it then has done it.
    compared(&mut journey, &["second"]);
    let (second, _) = agreed_with_key(&mut journey);
    ended(&mut journey, &second, Ok(Changed::Done));
    assert_eq!(reports(&journey), (vec![5, 0], 5));
}

fn what_was_left_once_and_done_later_is_done() {
    let mut journey = listed(two_pairs());
    compared(&mut journey, &["hlz-por", "second"]);
    agreed_with_key(&mut journey);
    journey.send(Message::NotBegun(vec!["another osvpn is working on this VPN".to_owned()]));
    journey.enter().at(Screen::Vpns);
    journey.inspected(two_pairs());
    let codes = |journey: &Journey| -> Vec<u8> { changes_of(&journey.model.work, false).iter().map(code).collect() };
    assert_eq!(codes(&journey), [1, 1]);
    compared(&mut journey, &["hlz-por", "second"]);
    let (first, _) = agreed_with_key(&mut journey);
    ended(&mut journey, &first, Ok(Changed::Done));
    let Some(Effect::Work(Which::New(second, _), _)) = journey.effects.pop() else { panic!() };
    ended(&mut journey, &second, Ok(Changed::Done));
    assert_eq!(codes(&journey), [0, 0]);
}
