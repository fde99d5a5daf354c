//! From the first screen to a VPN that carries traffic, and on from there.

use osvpn::change::Verb;
use osvpn::inspect::Exposures;
use osvpn::plan::{Psk, VpnId};

use super::journey::{drawn_text, pointed, shows};
use super::surveys::healthy;
use super::*;

in_both! {
    four_enters_lead_to_a_vpn_that_carries_traffic_and_out,
    rules_are_added_by_no_enter_that_was_meant_for_what_was_there_before,
    where_no_rule_is_missing_or_nothing_is_known_of_them_finish_comes_first,
    after_a_vpn_is_made_another_begins_with_nothing_answered,
    after_a_vpn_is_made_its_page_is_one_button_away,
}

on_a_screen! {
    rules_that_do_not_fit_on_the_screen_are_shown_before_they_are_added: "in lines all of them were said",
}

/// The VPN of the first proposal is ACTIVE, and checked: some instances block the other side.
fn active() -> Journey {
    let mut journey = Journey::proposing();
    journey.enter().at(Screen::Review);
    journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
    journey.enter().at(Screen::Work);
    journey.send(rested(Ok(Changed::Done), everything()));
    journey.send(Message::Event(Event::Polled(standing(Status::Active, Status::Active))));
    journey.send(Message::Watched(Watched::Active));
    journey
}

fn checked(mut journey: Journey) -> Journey {
    let examined = pair::examined([Status::Active, Status::Active], |_, _| {});
    journey.send(Message::Verified(Ok(Box::new(examined))));
    journey
}

fn admitting(journey: &mut Journey) -> Option<Course> {
    let asked = journey.effects.pop();
    match asked {
        Some(Effect::Work(Which::New(change, None), Order::CarryOut)) if change.verb == Verb::AdmitTraffic => {
            Some(Course::new(*change))
        }
        _ => None,
    }
}

fn focused(journey: &Journey) -> Option<Button> {
    let label = pointed(journey)?;
    buttons(journey).into_iter().find(|button| button.label() == label)
}

fn four_enters_lead_to_a_vpn_that_carries_traffic_and_out() {
    // Two of them are behind: the proposal, and Create.
    let mut journey = checked(active());
    journey.send(Message::Resize(160, 40));
    let text = drawn_text(&journey);
    for part in ["Admit traffic for hlz-por?", "allow 10.20.30.0/24", "with every protocol"] {
        assert!(text.contains(part), "{part:?} is missing from\n{text}");
    }
    assert!(shows(&journey, "[ Admit traffic ]", "[1] Admit traffic"), "{text}");
    journey.effects.clear();
    journey.enter().at(Screen::Work);
    let course = admitting(&mut journey).expect("the missing rules are added");
    journey.send(rested(Ok(Changed::Done), course));
    assert!(shows(&journey, "Checking the VPN", "Being read: what it has come to"), "{}", drawn_text(&journey));
    journey.inspected(healthy()).diagnosed(Exposures::default());
    let text = drawn_text(&journey);
    assert!(
        text.contains("hlz-por carries traffic, as far as can be checked from here.")
            && shows(&journey, "[ Finish ]", "[1] Finish"),
        "{text}"
    );
    journey.enter();
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));
    assert_eq!(journey.model.work.earlier_creations().count(), 1, "what was created is told of, too");
}

fn rules_that_do_not_fit_on_the_screen_are_shown_before_they_are_added() {
    let mut journey = checked(active());
    journey.send(Message::Resize(60, 18));
    journey.effects.clear();
    journey.enter().at(Screen::Work);
    assert!(admitting(&mut journey).is_none(), "the question is below the edge");
    let dialog = journey.model.shell.dialog.clone().expect("so it is asked first");
    assert_eq!((dialog.title.as_str(), dialog.focus), ("Admit traffic for hlz-por?", 0));
    journey.key(KeyCode::Tab).enter().at(Screen::Work);
    let course = admitting(&mut journey).expect("the missing rules are added");
    journey.send(rested(Ok(Changed::Done), course));
    assert!(drawn_text(&journey).contains("Checking the VPN"), "it completes the creation");
}

fn rules_are_added_by_no_enter_that_was_meant_for_what_was_there_before() {
    let mut late = active();
    assert_eq!(buttons(&late), [Button::Finish, Button::ShowVpn, Button::Another, Button::RollBack]);
    late.passes(5000);
    late = checked(late);
    late.effects.clear();
    late.passes(200).at_once(KeyCode::Enter);
    assert!(late.effects.is_empty() && late.model.shell.ending.is_none(), "{:?}", late.effects);
    assert!(late.model.shell.notice.as_ref().unwrap().text.contains(" it again to choose \"Admit traffic\""));
    // Whoever has gone to another button stays there, and goes from button to button without waiting.
    let mut elsewhere = active();
    elsewhere.key(KeyCode::Right);
    elsewhere = checked(elsewhere);
    assert_eq!(focused(&elsewhere), Some(Button::ShowVpn));
    elsewhere.key(KeyCode::Left).at_once(KeyCode::Enter);
    assert_eq!(elsewhere.model.shell.ending, Some(Ending::AfterRun));
}

fn where_no_rule_is_missing_or_nothing_is_known_of_them_finish_comes_first() {
    let mut open = active();
    let mut examined = pair::examined([Status::Active, Status::Active], |_, _| {});
    examined.diagnosis.gates.values_mut().for_each(|gate| gate.missing.clear());
    open.send(Message::Verified(Ok(Box::new(examined))));
    let mut unread = active();
    unread.send(Message::Verified(Err(Error::new(ErrorKind::Timeout, "slow"))));
    for journey in [&open, &unread] {
        assert_eq!(focused(journey), Some(Button::Finish));
    }
}

fn after_a_vpn_is_made_another_begins_with_nothing_answered() {
    let mut journey = checked(active());
    for _ in 0..3 {
        journey.key(KeyCode::Right);
    }
    assert_eq!(focused(&journey), Some(Button::Another));
    journey.effects.clear();
    journey.enter().at(Screen::Mode);
    let read = journey.effects.iter().filter(|effect| matches!(effect, Effect::Discover(..))).count();
    assert_eq!(read, 2, "what was created is in what there is now");
    assert!(journey.effects.iter().any(|effect| matches!(effect, Effect::Draw)));
    journey.send(Message::Drawn(VpnId::new("cafe0bad"), Psk::parse("012345abcdefghijklmnopqrstuvwxyz").unwrap()));
    let vpn = &journey.model.new_vpn;
    assert_eq!((vpn.id.clone(), vpn.answers.region.a.clone()), (VpnId::new("cafe0bad"), None));
    assert_eq!(vpn.answers.key.expose(), "012345abcdefghijklmnopqrstuvwxyz");
    journey.types("q");
    assert_eq!(journey.model.shell.dialog.as_ref().unwrap().text, ["What was created stays."]);
}

fn after_a_vpn_is_made_its_page_is_one_button_away() {
    let mut journey = checked(active());
    journey.key(KeyCode::Right).key(KeyCode::Right).enter().at(Screen::Vpn);
    journey.inspected(healthy()).diagnosed(Exposures::default());
    assert!(drawn_text(&journey).contains("hlz-por"));
    journey.esc().at(Screen::Vpns).esc().at(Screen::Mode);
    assert_eq!(journey.model.new_vpn.answers.region.a, None, "what is created next is another VPN");
}
