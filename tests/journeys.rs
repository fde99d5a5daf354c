//! Whole journeys through the wizard as a pure function: what the user does, what the wizard asks for, where they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by panicking")]

#[path = "support/inventories.rs"]
mod inventories;
#[path = "support/journey.rs"]
mod journey;

use std::collections::BTreeMap;
use std::time::Duration;

use crossterm::event::KeyCode;
use inventories::*;
use journey::{Journey, KEY};
use osvpn::cloud::{Error, ErrorKind, Id, Status};
use osvpn::plan::fields::PolicyField;
use osvpn::plan::file::PlanFile;
use osvpn::plan::{Half, PeerAddress, Profile};
use osvpn::provision::{CreateError, Event, Ledger, Made, Origin, Step as Object, Task, Undone, Watched};
use osvpn::wizard::fields::Field;
use osvpn::wizard::picker::Choice;
use osvpn::wizard::progress::{Button, Phase};
use osvpn::wizard::step::{Mode, Step};
use osvpn::wizard::{Effect, Ending, Message, Problem, Screen, Start};

fn made(half: Half, step: Object) -> Made {
    let region = if half == Half::A { hamilton() } else { porirua() };
    let id = Id::new(format!("{half}-{}", step.object()));
    let (name, task) = (format!("hlz-por_{}", step.object()), Task { half, step });
    Made { task, region, id, name, origin: Origin::Created, external_v4: None, external_v6: None }
}

fn everything() -> Ledger {
    let mut ledger = Ledger::default();
    for half in [Half::A, Half::B] {
        for step in Object::ALL {
            ledger.record(made(half, step));
        }
    }
    ledger
}

fn standing(a: Status, b: Status) -> BTreeMap<Half, Status> {
    [(Half::A, a), (Half::B, b)].into()
}

fn running() -> Journey {
    let mut journey = Journey::at_review();
    journey.enter().at(Step::Run);
    journey
}

fn buttons(journey: &Journey) -> Vec<Button> {
    journey.model.run.as_ref().unwrap().buttons()
}

#[test]
fn enter_alone_goes_from_the_first_screen_to_an_active_vpn() {
    let mut journey = running();
    let Some(Effect::Create(plan, ledger)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert!(ledger.made().is_empty());
    assert_eq!((plan.a().router.name.as_str(), plan.name().as_str()), ("border-router", "hlz-por"));
    assert_eq!(plan.half(Half::B).unwrap().local_ranges(), plan.a().remote);
    journey.enter().enter().at(Step::Run);
    assert!(journey.effects.is_empty(), "Enter while the engine works does nothing");
    journey.send(Message::Created(Ok(()), everything()));
    assert!(matches!(journey.effects.pop(), Some(Effect::Watch(ledger, _)) if ledger.made().len() == 12));
    journey.send(Message::Engine(Event::Polled(standing(Status::Down, Status::PendingCreate))));
    journey.send(Message::Watched(Watched::Active));
    assert_eq!(buttons(&journey), [Button::Finish, Button::Undo]);
    journey.enter();
    assert_eq!(journey.model.ending, Some(Ending::AfterRun));
}

#[test]
fn single_mode_asks_only_for_what_the_cloud_cannot_know() {
    let mut journey = Journey::ready();
    journey.key(KeyCode::Down).enter().enter().enter().enter().at(Step::Peer);
    journey.enter().at(Step::Peer);
    assert!(journey.model.problem(Field::PeerAddress).is_some(), "Enter on an empty form says what is missing");
    journey.types("198.51.100.7").enter().at(Step::Peer);
    assert_eq!(journey.model.problem(Field::PeerCidrs), None, "a field nobody has been at is not blamed");
    journey.types("192.168.7.0/24").enter().at(Step::Key).enter().enter().enter().at(Step::Review);
    journey.detailed(&hamilton(), Ok(hamilton_detail()));
    let plan = journey.model.plan().unwrap();
    let peer = plan.peer().unwrap();
    assert_eq!(peer.address, PeerAddress::Ip("198.51.100.7".parse().unwrap()));
    assert_eq!(peer.id, "198.51.100.7", "the id defaults to the address");
    assert_eq!(plan.halves().count(), 1);
}

#[test]
fn going_back_keeps_every_answer_and_going_on_restores_them() {
    let mut journey = Journey::ready();
    journey.enter().enter().enter().enter().at(Step::Subnets(Half::A));
    journey.types("k").key(KeyCode::Char(' '));
    let marked = |journey: &Journey| match &journey.model.screen {
        Screen::Picker(picker) => picker.marked().unwrap().len(),
        _ => 0,
    };
    assert_eq!(marked(&journey), 2);
    journey.esc().at(Step::Router(Half::A)).enter().at(Step::Subnets(Half::A));
    assert_eq!(marked(&journey), 2, "marks survive Esc");
    journey.enter().enter().enter().at(Step::Key);
    journey.types("mykey").esc().at(Step::Subnets(Half::B)).enter().at(Step::Key);
    assert_eq!(journey.model.answers.key.expose(), "mykey", "a half-typed key survives too");
    for _ in 0..7 {
        journey.esc();
    }
    journey.at(Step::Mode).esc();
    assert!(journey.model.dialog.is_some(), "Esc on the first step asks before leaving");
    journey.esc();
    assert_eq!(journey.model.answers.region.b, Some(porirua()));
    assert_eq!(journey.model.answers.subnets_of(Half::A).len(), 2);
}

#[test]
fn a_form_that_is_wrong_does_not_hold_the_user() {
    let mut journey = Journey::ready();
    journey.key(KeyCode::Down).enter().enter().enter().enter().at(Step::Peer);
    journey.types("not an ip").enter().at(Step::Peer).esc().at(Step::Subnets(Half::A)).enter().at(Step::Peer);
    assert_eq!(journey.model.answers.peer_address.value(), "not an ip");
}

#[test]
fn the_review_leads_to_any_answer_and_straight_back() {
    let mut journey = Journey::at_review();
    let steps: Vec<Step> = journey.model.answer_lines().iter().map(|line| line.step).collect();
    for (places, step) in steps.iter().rev().enumerate() {
        for _ in 0..=places {
            journey.key(KeyCode::Up);
        }
        journey.enter().at(*step).esc().at(Step::Review);
        for _ in 0..=places {
            journey.key(KeyCode::Up);
        }
        journey.enter().at(*step).enter();
        let still_fits = journey.model.step == Step::Review;
        assert!(still_fits, "{step:?} accepted as it was returns to the review, not to {:?}", journey.model.step);
        assert!(journey.model.plan().is_ok());
    }
}

#[test]
fn changing_an_answer_asks_only_what_it_makes_necessary() {
    let mut journey = Journey::at_review();
    journey.model.answers.region.b = None;
    let steps = journey.model.answer_lines().len();
    for _ in 0..steps {
        journey.key(KeyCode::Up);
    }
    journey.enter().at(Step::Mode).key(KeyCode::Down).enter();
    journey.at(Step::Peer).types("198.51.100.7").enter().types("192.168.7.0/24").enter().at(Step::Review);
    assert_eq!(journey.model.answers.mode, Mode::Single);
    assert!(journey.model.plan().is_ok(), "{:?}", journey.model.plan());
}

#[test]
fn what_no_longer_fits_is_unmarked_and_said() {
    let mut journey = Journey::ready();
    journey.enter().enter().enter().enter().at(Step::Subnets(Half::A));
    journey.enter().at(Step::Router(Half::B)).key(KeyCode::Down).enter().at(Step::Subnets(Half::B));
    let Screen::Picker(picker) = &journey.model.screen else { panic!() };
    let same = picker.lines().iter().find(|line| line.title == "same-subnet").unwrap();
    assert!(!same.is_open() && same.worst().unwrap().text.contains("overlaps 10.0.0.0/24"), "{same:?}");
    journey.enter().at(Step::Subnets(Half::B));
    assert!(journey.model.notice.as_ref().unwrap().is_problem, "a list of refusals says why nothing can be taken");
}

#[test]
fn what_cannot_be_chosen_stays_visible_with_its_reason() {
    let mut journey = Journey::ready();
    journey.enter().enter().enter().at(Step::Router(Half::A));
    let Screen::Picker(picker) = &journey.model.screen else { panic!() };
    let reason = |name: &str| {
        let line = picker.lines().iter().find(|line| line.title == name).unwrap();
        (line.is_open(), line.worst().map(|finding| finding.text.clone()).unwrap_or_default())
    };
    assert!(reason("border-router").0);
    assert!(matches!(reason("isolated-router"), (false, text) if text.contains("no external gateway")));
    assert!(matches!(reason("legacy-router"), (false, text) if text.contains("legacy")));
    assert!(matches!(reason("used-router"), (true, text) if text.contains("reused")));
    assert_eq!(picker.current().unwrap().title, "border-router", "the best line has the cursor");
    journey.types("/legacy").enter().at(Step::Router(Half::A));
    assert!(journey.model.notice.as_ref().unwrap().text.contains("legacy"));
}

#[test]
fn objects_of_one_name_are_told_apart() {
    let mut journey = Journey::ready();
    journey.enter().enter().enter().enter().enter().at(Step::Router(Half::B));
    let Screen::Picker(picker) = &journey.model.screen else { panic!() };
    let twins: Vec<&str> =
        picker.lines().iter().filter(|line| line.title == "twin-router").map(|line| line.aside.as_str()).collect();
    assert!(twins[0].contains("p-twin-1") && twins[1].contains("p-twin-2"), "{twins:?}");
}

#[test]
fn letters_are_text_while_a_filter_or_field_is_open_and_commands_otherwise() {
    let mut journey = Journey::ready();
    journey.enter().types("/jkq?");
    let Screen::Picker(picker) = &journey.model.screen else { panic!() };
    assert_eq!((picker.filter().unwrap().value(), picker.shown()), ("jkq?", 0));
    journey.esc().types("?");
    assert!(journey.model.dialog.as_ref().unwrap().is_help);
    journey.esc().types("q");
    assert!(journey.model.dialog.is_some() && journey.model.ending.is_none(), "quitting asks");
    journey.key(KeyCode::Tab).enter();
    assert_eq!(journey.model.ending, Some(Ending::Left));
}

#[test]
fn a_slow_region_holds_nobody_up_and_a_broken_one_says_why() {
    let wellington = osvpn::cloud::RegionId::new("nz-wlg-2");
    let mut journey = Journey::signed_in(&[hamilton(), porirua(), wellington.clone()]);
    journey.enter().at(Step::Region(Half::A)).enter().at(Step::Region(Half::A));
    assert!(journey.model.notice.as_ref().unwrap().text.contains("still being read"));
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).enter().at(Step::Region(Half::B));
    journey.discovered(&wellington, Err(Error::new(ErrorKind::Timeout, "no answer within 60 s")));
    journey.discovered(&porirua(), Ok(porirua_inventory()));
    let Screen::Picker(picker) = &journey.model.screen else { panic!() };
    assert_eq!(picker.current().unwrap().choice, Choice::Region(porirua()), "the cursor goes where it can be of use");
    let broken = picker.lines().last().unwrap();
    assert!(!broken.is_open() && broken.worst().unwrap().text.contains("no answer within 60 s"));
    journey.types("r");
    let asked = journey.effects.iter().filter(|effect| matches!(effect, Effect::Discover(..))).count();
    assert_eq!(asked, 2, "one key reads the region under the cursor and what failed");
}

#[test]
fn answers_that_come_too_late_are_dropped() {
    let mut journey = Journey::signed_in(&[hamilton()]);
    let Some(Effect::Discover(request, _)) = journey.effects.pop() else { panic!() };
    journey.send(Message::Discovered(hamilton(), request, Err(Error::new(ErrorKind::Timeout, "slow"))));
    journey.enter().types("r");
    journey.send(Message::Discovered(hamilton(), request, Ok(hamilton_inventory())));
    assert!(journey.model.regions[0].inventory.is_loading(), "the first question's answer is not the second's");
}

#[test]
fn the_profile_follows_what_the_regions_and_subnets_need_and_says_why() {
    let journey = Journey::at_review();
    assert_eq!(journey.model.profile(), Profile::Catalyst);
    let mut journey = Journey::signed_in(&[hamilton(), porirua()]);
    let mut upgraded = porirua_inventory();
    upgraded.extensions = new_release();
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(upgraded));
    for _ in 0..8 {
        journey.enter();
    }
    journey.at(Step::Policy);
    assert_eq!(journey.model.profile(), Profile::Modern);
    let Screen::Picker(picker) = &journey.model.screen else { panic!() };
    let line = picker.current().unwrap();
    assert!(line.findings.iter().any(|finding| finding.text.contains("nz-por-1 no longer stores SHA-1")), "{line:?}");
    assert!(!picker.lines()[0].is_open(), "catalyst cannot be taken there");
}

#[test]
fn a_custom_policy_is_checked_field_by_field_and_kept() {
    let mut journey = Journey::at_review();
    journey.key(KeyCode::Up).key(KeyCode::Up).enter().at(Step::Policy).types("3").at(Step::Custom);
    let place = PolicyField::ALL.iter().position(|field| *field == PolicyField::DpdTimeout).unwrap();
    for _ in 0..place {
        journey.key(KeyCode::Down);
    }
    journey.control('u').types("10").enter().at(Step::Custom);
    assert!(journey.model.problem(Field::Policy(PolicyField::DpdTimeout)).unwrap().contains("interval"));
    journey.types("x");
    assert!(journey.model.notice.is_some(), "letters are refused with a reason");
    journey.types("0").enter().at(Step::Review);
    let plan = journey.model.plan().unwrap();
    assert_eq!((plan.policy().dpd.timeout, plan.profile()), (100, Profile::Custom));
}

#[test]
fn the_key_is_generated_hidden_and_replaced_by_what_is_typed_or_pasted() {
    let mut journey = Journey::ready();
    for _ in 0..7 {
        journey.enter();
    }
    journey.at(Step::Key);
    assert!(journey.model.answers.key.is_generated() && !journey.model.answers.key_revealed);
    assert!(!format!("{:?}", journey.model).contains(KEY), "no Debug shows the key");
    journey.types("short").enter().at(Step::Key);
    assert!(journey.model.problem(Field::Key).unwrap().contains("5 characters"));
    let pasted = Message::Paste("  MyVeryOwnKey0123456789\n".into());
    assert!(!format!("{pasted:?}").contains("MyVeryOwnKey"), "nor what may become one");
    journey.send(pasted);
    assert_eq!(journey.model.answers.key.expose(), "MyVeryOwnKey0123456789");
    assert_eq!(journey.model.step, Step::Key, "a pasted line end submits nothing");
    journey.control('r');
    assert!(journey.model.answers.key_revealed);
    journey.control('g');
    assert!(matches!(journey.effects.last(), Some(Effect::Generate)));
}

#[test]
fn the_saved_plan_is_the_one_on_the_screen_and_holds_no_key() {
    let mut journey = Journey::at_review();
    journey.types("s");
    let Some(Effect::Save(name, text)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert_eq!(name, "hlz-por");
    assert!(!text.contains(KEY) && PlanFile::parse(&text).is_ok(), "{text}");
}

#[test]
fn nothing_is_made_while_something_stands_in_the_way() {
    let mut journey = Journey::at_review();
    journey.model.answers.subnets.insert(Id::new("p-border"), vec![]);
    journey.enter();
    assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::Create(..))));
    journey.at(Step::Subnets(Half::B));
    let mut journey = Journey::ready();
    for _ in 0..10 {
        journey.enter();
    }
    journey.at(Step::Review).enter().at(Step::Review);
    assert!(journey.model.notice.as_ref().unwrap().text.contains("still being read"));
    journey
        .detailed(&hamilton(), Err(Error::new(ErrorKind::Timeout, "slow")))
        .detailed(&porirua(), Ok(porirua_detail()));
    journey.enter().at(Step::Review).detailed(&hamilton(), Ok(hamilton_detail())).enter().at(Step::Run);
}

#[test]
fn a_failed_step_is_retried_in_place_or_undone() {
    let mut journey = running();
    let task = Task { half: Half::B, step: Object::IkePolicy };
    let mut ledger = Ledger::default();
    ledger.record(made(Half::A, Object::Service));
    let error = Box::new(Error::new(ErrorKind::Server, "Request Failed"));
    journey.effects.clear();
    journey.send(Message::Engine(Event::Failed(task, (*error).clone(), Duration::from_secs(1))));
    journey.send(Message::Created(Err(CreateError::Failed(task, error.clone())), ledger.clone()));
    assert_eq!(buttons(&journey), [Button::Retry, Button::Undo, Button::Leave]);
    journey.enter();
    assert!(
        matches!(journey.effects.pop(), Some(Effect::Create(_, kept)) if kept == ledger),
        "a retry does only the rest"
    );
    journey.send(Message::Created(Err(CreateError::Failed(task, error)), ledger.clone()));
    journey.key(KeyCode::Right).enter();
    assert_eq!(journey.model.dialog.as_ref().unwrap().focus, 0, "the safe button has the focus");
    journey.key(KeyCode::Right).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Undo(_, kept)) if kept == ledger));
    journey.send(Message::Undone(Undone::Clean, Ledger::default()));
    assert_eq!(journey.model.run.as_ref().unwrap().phase, Phase::Undone);
    journey.enter().at(Step::Review);
}

#[test]
fn leaving_while_the_engine_works_asks_in_three_ways() {
    let ask = || {
        let mut journey = running();
        journey.effects.clear();
        journey.control('c');
        let labels: Vec<&str> =
            journey.model.dialog.as_ref().unwrap().buttons.iter().map(|(label, _)| *label).collect();
        assert_eq!(labels, ["Go on", "Stop and keep", "Stop and undo"]);
        journey
    };
    let mut go_on = ask();
    go_on.enter();
    assert!(go_on.effects.is_empty() && go_on.model.dialog.is_none());
    let mut keep = ask();
    keep.key(KeyCode::Right).enter();
    assert!(matches!(keep.effects.pop(), Some(Effect::Stop)));
    keep.send(Message::Created(Err(CreateError::Stopped), everything()));
    assert_eq!(keep.model.ending, Some(Ending::AfterRun));
    let mut undo = ask();
    undo.key(KeyCode::Right).key(KeyCode::Right).enter();
    assert!(matches!(undo.effects.pop(), Some(Effect::Stop)));
    undo.send(Message::Created(Err(CreateError::Stopped), everything()));
    assert!(matches!(undo.effects.pop(), Some(Effect::Undo(..))), "what was made is undone once the engine rests");
    undo.send(Message::Undone(Undone::Clean, Ledger::default()));
    assert_eq!(buttons(&undo), [Button::Revise, Button::Leave]);
}

#[test]
fn a_question_about_a_run_is_dropped_when_the_run_answers_it() {
    let mut journey = running();
    journey.control('c').key(KeyCode::Right);
    journey.send(Message::Created(Ok(()), everything())).send(Message::Watched(Watched::Active));
    journey.enter();
    let run = journey.model.run.as_ref().unwrap();
    assert!(run.phase == Phase::Active && journey.model.ending.is_none(), "a key on its way presses no new button");
    assert!(journey.model.dialog.is_none());
}

#[test]
fn a_vpn_that_became_active_is_not_undone_without_asking_again() {
    let mut journey = running();
    journey.send(Message::Created(Ok(()), everything()));
    journey.control('c').key(KeyCode::Right).key(KeyCode::Right).enter();
    journey.effects.clear();
    journey.send(Message::Watched(Watched::Active));
    assert!(journey.effects.is_empty(), "{:?}", journey.effects);
    let dialog = journey.model.dialog.as_ref().unwrap();
    assert!(dialog.text[0].contains("ACTIVE") && dialog.buttons[dialog.focus].0 == "Keep");
    journey.key(KeyCode::Right).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Undo(..))));
}

#[test]
fn the_question_whether_to_stop_keeps_up_with_the_run() {
    let mut journey = running();
    journey.control('c');
    let text = |journey: &Journey| journey.model.dialog.as_ref().unwrap().text.join("\n");
    assert!(text(&journey).contains("Nothing of this VPN exists yet"));
    journey.send(Message::Engine(Event::Finished(made(Half::A, Object::Service), Duration::ZERO)));
    assert!(text(&journey).contains("VPN service"), "{}", text(&journey));
}

#[test]
fn what_is_known_is_read_once_more_before_anything_is_made_if_it_has_grown_old() {
    let stale = || {
        let mut journey = Journey::at_review();
        journey.send(Message::Tick(Duration::from_secs(300))).enter().at(Step::Review);
        assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::Create(..))));
        journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
        journey.discovered(&porirua(), Ok(porirua_inventory())).at(Step::Review);
        journey
    };
    let mut same = stale();
    same.discovered(&hamilton(), Ok(hamilton_inventory())).at(Step::Run);
    assert!(matches!(same.effects.pop(), Some(Effect::Create(..))), "one Enter is enough");

    let mut changed = stale();
    let mut taken = hamilton_inventory();
    taken.routers.iter_mut().for_each(|router| router.status = Status::Down);
    changed.discovered(&hamilton(), Ok(taken)).at(Step::Review);
    assert!(changed.model.notice.as_ref().unwrap().text.contains("something has changed"));
    assert!(!changed.effects.iter().any(|effect| matches!(effect, Effect::Create(..))));

    let mut called_off = stale();
    called_off.esc();
    called_off.discovered(&hamilton(), Ok(hamilton_inventory()));
    assert!(called_off.model.run.is_none(), "whoever has left the review has changed their mind");
}

#[test]
fn reading_again_loses_neither_marks_nor_filter_nor_place() {
    let mut journey = Journey::ready();
    journey.enter().enter().enter().enter().at(Step::Subnets(Half::A));
    journey.key(KeyCode::Down).key(KeyCode::Char(' '));
    let seen = |journey: &Journey| match &journey.model.screen {
        Screen::Picker(picker) => (picker.marked().unwrap().to_vec(), picker.current().cloned(), picker.shown()),
        _ => panic!("a list"),
    };
    let before = seen(&journey);
    journey.types("r");
    assert_eq!(seen(&journey), before, "what was known stays in view");
    journey.discovered(&hamilton(), Err(Error::new(ErrorKind::Timeout, "slow"))).types("r");
    journey.discovered(&hamilton(), Ok(hamilton_inventory()));
    assert_eq!(seen(&journey).0, before.0, "and a failure in between loses no mark");
}

#[test]
fn a_region_that_hangs_can_be_asked_anew_but_not_hammered() {
    let mut journey = Journey::signed_in(&[hamilton()]);
    let asked =
        |journey: &Journey| journey.effects.iter().filter(|effect| matches!(effect, Effect::Discover(..))).count();
    journey.enter().types("rrr");
    assert_eq!(asked(&journey), 1);
    journey.send(Message::Tick(Duration::from_secs(20))).types("rrr");
    assert_eq!(asked(&journey), 2);
}

#[test]
fn enter_takes_the_subnet_at_the_cursor_until_the_user_marks_some() {
    let taken = |keys: &[KeyCode]| {
        let mut journey = Journey::ready();
        journey.enter().enter().enter().enter().at(Step::Subnets(Half::A));
        for key in keys {
            journey.key(*key);
        }
        journey.enter();
        journey.model.answers.subnets_of(Half::A).len()
    };
    assert_eq!(taken(&[]), 1);
    assert_eq!(taken(&[KeyCode::Up]), 1, "a suggestion is not forced on anybody");
    assert_eq!(taken(&[KeyCode::Up, KeyCode::Char(' '), KeyCode::Down]), 2);
    let mut journey = Journey::ready();
    journey.enter().enter().enter().enter();
    let Screen::Picker(picker) = &journey.model.screen else { panic!() };
    let suggested = picker.marked().unwrap()[0].clone();
    journey.key(KeyCode::Up).enter();
    assert_ne!(
        journey.model.answers.subnets_of(Half::A)[0],
        match suggested {
            Choice::Object(id) => id,
            _ => panic!("a subnet"),
        }
    );
}

#[test]
fn a_name_that_was_only_looked_at_follows_the_answers() {
    let mut journey = Journey::at_review();
    journey.key(KeyCode::Up).enter().at(Step::Name).key(KeyCode::Left).enter().at(Step::Review);
    assert!(journey.model.answers.name.is_none());
}

#[test]
fn checks_that_come_after_the_wait_has_gone_on_are_not_shown() {
    let mut journey = running();
    journey.send(Message::Created(Ok(()), everything()));
    journey.send(Message::Watched(Watched::NotYet(standing(Status::Down, Status::Down)))).enter();
    let late = osvpn::provision::Check { subject: "late", verdict: osvpn::provision::Verdict::Good };
    journey.send(Message::Verified(vec![late]));
    assert!(journey.model.run.as_ref().unwrap().checks.is_empty());
}

#[test]
fn past_the_wait_it_says_where_each_half_stands_and_checks_the_list() {
    let mut journey = running();
    journey.send(Message::Created(Ok(()), everything()));
    journey.effects.clear();
    journey.send(Message::Watched(Watched::NotYet(standing(Status::Down, Status::Down))));
    assert!(matches!(journey.effects.pop(), Some(Effect::Verify(..))));
    assert_eq!(buttons(&journey), [Button::WaitOn, Button::Leave, Button::Undo]);
    journey.enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Watch(..))));
}

#[test]
fn a_signal_settles_what_is_under_way_before_the_end() {
    let mut journey = running();
    journey.effects.clear();
    journey.send(Message::Terminated);
    assert!(journey.model.ending.is_none() && matches!(journey.effects.pop(), Some(Effect::Stop)));
    journey.send(Message::Created(Err(CreateError::Stopped), everything()));
    assert_eq!(journey.model.ending, Some(Ending::AfterRun));
    let mut early = Journey::ready();
    early.send(Message::Terminated);
    assert_eq!(early.model.ending, Some(Ending::Left));
}

#[test]
fn without_credentials_there_are_three_ways_on() {
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let problem =
        Problem { title: "No credentials".into(), text: vec![], looked_for: vec![], error: None, clouds: vec![] };
    journey.send(Message::SignedIn(request, Err(problem.clone())));
    assert!(matches!(journey.model.start, Start::Problem(_)));
    journey.types("r");
    assert!(matches!(journey.effects.pop(), Some(Effect::SignIn(_, osvpn::wizard::Login::Default))));
    journey.send(Message::SignedIn(request, Err(problem.clone())));
    assert!(matches!(journey.model.start, Start::SigningIn { .. }), "an answer to the first question is too late");
    let mut demo = Journey::begin();
    let Some(Effect::SignIn(request, _)) = demo.effects.pop() else { panic!() };
    demo.send(Message::SignedIn(request, Err(problem))).types("d");
    assert!(matches!(demo.effects.pop(), Some(Effect::SignIn(_, osvpn::wizard::Login::Demo))));
}

#[test]
fn of_several_clouds_one_is_chosen_first() {
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let clouds = vec!["home".to_owned(), "work".to_owned()];
    let problem = Problem { title: "Several clouds".into(), text: vec![], looked_for: vec![], error: None, clouds };
    journey.send(Message::SignedIn(request, Err(problem))).at(Step::Cloud).key(KeyCode::Down).enter();
    assert!(
        matches!(journey.effects.pop(), Some(Effect::SignIn(_, osvpn::wizard::Login::Named(name))) if name == "work")
    );
    journey.esc().at(Step::Cloud);
    let at = |journey: &Journey| match &journey.model.screen {
        Screen::Picker(picker) => picker.current().unwrap().title.clone(),
        _ => panic!("a list of clouds"),
    };
    assert_eq!(at(&journey), "work", "whoever does not want to wait is back at the list, where they were");
    journey.enter();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let refused = Error::new(ErrorKind::Unauthorized, "The password is wrong");
    let problem =
        Problem { title: "No".into(), text: vec![], looked_for: vec![], error: Some(refused), clouds: vec![] };
    journey.send(Message::SignedIn(request, Err(problem)));
    assert!(matches!(journey.model.start, Start::Problem(_)));
    journey.esc().at(Step::Cloud);
    assert!(journey.model.ending.is_none() && at(&journey) == "work", "a refusal leads back to the list");
}

#[test]
fn what_has_the_name_of_the_other_side_is_chosen_first() {
    let mut journey = Journey::at_review();
    let plan = journey.model.plan().unwrap();
    assert_eq!(
        plan.a().local[0].name,
        "private-subnet",
        "db-subnet comes first by name, but Porirua has none of that name"
    );
    assert_eq!(plan.half(Half::B).unwrap().local[0].name, "private-subnet");
    journey.esc();
}

#[test]
fn the_region_offered_does_not_depend_on_which_answers_first() {
    let third = osvpn::cloud::RegionId::new("nz-wlg-2");
    let mut journey = Journey::signed_in(&[hamilton(), porirua(), third.clone()]);
    journey.discovered(&third, Ok(porirua_inventory())).enter().at(Step::Region(Half::A));
    let offered = |journey: &Journey| match &journey.model.screen {
        Screen::Picker(picker) => picker.current().unwrap().choice.clone(),
        _ => panic!("a list of regions"),
    };
    assert_eq!(offered(&journey), Choice::Region(hamilton()));
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).enter().at(Step::Region(Half::B));
    assert_eq!(offered(&journey), Choice::Region(porirua()), "still being read, and first all the same");
}
