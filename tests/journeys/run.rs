//! The engine at work, and what can be done about it.

use super::*;

#[test]
fn enter_alone_goes_from_the_first_screen_to_an_active_vpn() {
    let mut journey = running();
    let Some(Effect::Create(plan, ledger, _)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert!(ledger.made().is_empty());
    assert_eq!((plan.a().router.name.as_str(), plan.name().as_str()), ("border-router", "hlz-por"));
    assert_eq!(plan.half(Half::B).unwrap().local_ranges(), plan.a().remote);
    journey.enter().enter().at(Screen::Work);
    assert!(journey.effects.is_empty(), "Enter while the engine works does nothing");
    journey.send(Message::Created(Ok(()), everything()));
    assert!(matches!(journey.effects.pop(), Some(Effect::Watch(_, ledger, _)) if ledger.made().len() == 12));
    journey.send(Message::CreationEvent(Event::Polled(standing(Status::Down, Status::PendingCreate))));
    journey.send(Message::Watched(Watched::Active));
    assert_eq!(buttons(&journey), [Button::Finish, Button::RollBack]);
    journey.enter();
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));
}

#[test]
fn a_failed_step_is_retried_in_place_or_undone() {
    let mut journey = running();
    let task = Task { half: Half::B, step: Object::IkePolicy };
    let mut ledger = Ledger::default();
    ledger.record(made(Half::A, Object::Service));
    let error = Box::new(Error::new(ErrorKind::Server, "Request Failed"));
    journey.effects.clear();
    journey.send(Message::CreationEvent(Event::Failed(task, (*error).clone(), Duration::from_secs(1))));
    journey.send(Message::Created(Err(CreateError::Failed(task, error.clone())), ledger.clone()));
    assert_eq!(buttons(&journey), [Button::Retry, Button::RollBack, Button::Leave]);
    journey.enter();
    assert!(
        matches!(journey.effects.pop(), Some(Effect::Create(_, kept, _)) if kept == ledger),
        "a retry does only the rest"
    );
    journey.send(Message::Created(Err(CreateError::Failed(task, error)), ledger.clone()));
    journey.key(KeyCode::Right).enter();
    assert_eq!(journey.model.shell.dialog.as_ref().unwrap().focus, 0, "the safe button has the focus");
    journey.key(KeyCode::Right).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::RollBack(_, kept)) if kept == ledger));
    journey.send(Message::RolledBack(Undone::Clean, Ledger::default()));
    assert_eq!(journey.model.work.creation().unwrap().end(), Some(&End::Done));
    journey.enter().at(Screen::Review);
}

#[test]
fn when_a_run_rests_nothing_is_shown_as_under_way_and_only_what_the_ledger_knows_as_there() {
    let task = |step| Task { half: Half::A, step };
    let states = |journey: &Journey, steps: [Object; 3]| {
        steps.map(|step| journey.model.work.creation().unwrap().state(task(step)).unwrap().clone())
    };
    let steps = [Object::IkePolicy, Object::IpsecPolicy, Object::LocalGroup];
    let (there, gone) = (made(Half::A, Object::IkePolicy), made(Half::A, Object::LocalGroup));
    let mut journey = running();
    for step in steps {
        journey.send(Message::CreationEvent(Event::Started(task(step))));
    }
    let mut ledger = Ledger::default();
    ledger.record(there.clone());
    ledger.doubt(task(Object::IpsecPolicy));
    journey.send(Message::Created(Err(CreateError::Stopped), ledger.clone()));
    let there_still = RowState::Done(Outcome::There, None);
    assert_eq!(states(&journey, steps), [there_still.clone(), RowState::InDoubt, RowState::Waiting]);

    journey.key(KeyCode::Right).enter().key(KeyCode::Right).enter();
    for made in [there, gone] {
        journey.send(Message::CreationEvent(Event::Deleting(made)));
    }
    journey.send(Message::RolledBack(Undone::Stopped, ledger));
    assert_eq!(states(&journey, steps), [there_still, RowState::InDoubt, RowState::RolledBack]);
}

#[test]
fn a_region_without_sha1_leads_to_modern_with_everything_else_kept() {
    let mut journey = running();
    let Some(Effect::Create(plan, ..)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert_eq!(plan.profile(), Profile::Catalyst);
    let mut ledger = Ledger::default();
    for step in [Object::Service, Object::IkePolicy, Object::IpsecPolicy, Object::LocalGroup] {
        ledger.record(made(Half::A, step));
    }
    let task = Task { half: Half::B, step: Object::IkePolicy };
    let mut error = Error::new(ErrorKind::Server, "Request Failed");
    error.status = Some(500);
    let failed =
        |error: &Error| Message::Created(Err(CreateError::Failed(task, Box::new(error.clone()))), ledger.clone());
    error.status = Some(503);
    journey.send(failed(&error));
    assert_eq!(buttons(&journey), [Button::Retry, Button::RollBack, Button::Leave], "that may pass");
    error.status = Some(500);
    journey.enter().send(failed(&error));
    assert_eq!(buttons(&journey), [Button::UseModern, Button::Retry, Button::RollBack, Button::Leave]);
    journey.enter();
    let Some(Effect::Create(plan, ledger, _)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert_eq!(plan.profile(), Profile::Modern);
    assert_eq!(
        ledger.made().iter().map(|made| made.task.step).collect::<Vec<_>>(),
        [Object::Service, Object::LocalGroup]
    );
    assert_eq!(ledger.leftovers().len(), 2, "the policies are still known");
    journey.send(failed(&error));
    assert_eq!(buttons(&journey)[0], Button::Retry, "modern has no sha1 that could be at fault");
}

#[test]
fn leaving_while_the_engine_works_asks_in_three_ways() {
    let ask = || {
        let mut journey = running();
        journey.effects.clear();
        journey.control('c');
        let labels: Vec<&str> =
            journey.model.shell.dialog.as_ref().unwrap().buttons.iter().map(|(label, _)| *label).collect();
        assert_eq!(labels, ["Go on", "Stop and keep", "Stop and roll back"]);
        journey
    };
    let mut go_on = ask();
    go_on.enter();
    assert!(go_on.effects.is_empty() && go_on.model.shell.dialog.is_none());
    let mut keep = ask();
    keep.key(KeyCode::Right).enter();
    assert!(matches!(keep.effects.pop(), Some(Effect::Stop)));
    keep.send(Message::Created(Err(CreateError::Stopped), everything()));
    assert_eq!(keep.model.shell.ending, Some(Ending::AfterRun));
    let mut undo = ask();
    undo.key(KeyCode::Right).key(KeyCode::Right).enter();
    assert!(matches!(undo.effects.pop(), Some(Effect::Stop)));
    undo.send(Message::Created(Err(CreateError::Stopped), everything()));
    assert!(matches!(undo.effects.pop(), Some(Effect::RollBack(..))), "what was made is undone once the engine rests");
    undo.send(Message::RolledBack(Undone::Clean, Ledger::default()));
    assert_eq!(buttons(&undo), [Button::ChangeAnswers, Button::Leave]);
}

#[test]
fn a_question_about_a_run_is_dropped_when_the_run_answers_it() {
    let mut journey = running();
    journey.control('c').key(KeyCode::Right);
    journey.send(Message::Created(Ok(()), everything())).send(Message::Watched(Watched::Active));
    journey.enter();
    let run = journey.model.work.creation().unwrap();
    assert!(
        run.end() == Some(&End::Active) && journey.model.shell.ending.is_none(),
        "a key on its way presses no new button"
    );
    assert!(journey.model.shell.dialog.is_none());
}

#[test]
fn a_vpn_that_became_active_is_not_undone_without_asking_again() {
    let mut journey = running();
    journey.send(Message::Created(Ok(()), everything()));
    journey.control('c').key(KeyCode::Right).key(KeyCode::Right).enter();
    journey.effects.clear();
    journey.send(Message::Watched(Watched::Active));
    assert!(journey.effects.is_empty(), "{:?}", journey.effects);
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert!(dialog.text[0].contains("ACTIVE") && dialog.buttons[dialog.focus].0 == "Keep");
    journey.key(KeyCode::Right).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::RollBack(..))));
}

#[test]
fn the_question_whether_to_stop_keeps_up_with_the_run() {
    let mut journey = running();
    journey.control('c');
    let text = |journey: &Journey| journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    assert!(text(&journey).contains("Nothing of this VPN exists yet"));
    journey.send(Message::CreationEvent(Event::Finished(made(Half::A, Object::Service), Duration::ZERO)));
    assert!(text(&journey).contains("VPN service"), "{}", text(&journey));
}

#[test]
fn checks_that_come_after_the_wait_has_gone_on_are_not_shown() {
    let mut journey = running();
    journey.send(Message::Created(Ok(()), everything()));
    journey.send(Message::Watched(Watched::NotYet(standing(Status::Down, Status::Down)))).enter();
    let late = pair::examined([Status::Down, Status::Down], pair::other_pfs);
    journey.send(Message::Verified(Ok(Box::new(late))));
    assert!(journey.model.work.creation().and_then(Work::creation).unwrap().examined.is_none());
}

#[test]
fn past_the_wait_it_says_where_each_half_stands_and_checks_the_list() {
    let mut journey = running();
    journey.send(Message::Created(Ok(()), everything()));
    journey.effects.clear();
    journey.send(Message::Watched(Watched::NotYet(standing(Status::Down, Status::Down))));
    assert!(matches!(journey.effects.pop(), Some(Effect::Verify(..))));
    assert_eq!(buttons(&journey), [Button::KeepWaiting, Button::Leave, Button::RollBack]);
    journey.enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Watch(..))));
}
