//! The engine at work, and what can be done about it.

use super::*;

in_both! {
    enter_alone_goes_from_the_first_screen_to_an_active_vpn,
    a_failed_step_is_retried_in_place_or_undone,
    when_a_run_rests_nothing_is_shown_as_under_way_and_only_what_the_engine_knows_as_there,
    a_region_without_sha1_leads_to_modern_with_everything_else_kept,
    leaving_while_the_engine_works_asks_in_three_ways,
    a_question_about_a_run_is_dropped_when_the_run_answers_it,
    a_vpn_that_became_active_is_not_undone_without_asking_again,
    the_question_whether_to_stop_keeps_up_with_the_run,
    checks_that_come_after_the_wait_has_gone_on_are_not_shown,
    past_the_wait_it_says_where_each_half_stands_and_checks_the_list,
}

fn enter_alone_goes_from_the_first_screen_to_an_active_vpn() {
    let mut journey = running();
    let Some(Effect::Work(Which::Plan(plan, _), Order::CarryOut)) = journey.effects.pop() else {
        panic!("{:?}", journey.effects)
    };
    assert_eq!((plan.a().router.name.as_str(), plan.name().as_str()), ("border-router", "hlz-por"));
    assert_eq!(plan.half(Half::B).unwrap().local_ranges(), plan.a().remote);
    journey.effects.clear();
    journey.enter().enter().at(Screen::Work);
    assert!(journey.effects.is_empty(), "Enter while the engine works does nothing");
    journey.send(rested(Ok(Changed::Done), everything()));
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Present(None), Order::Watch(_)))));
    assert_eq!(journey.model.work.creation().unwrap().course.progress.objects().count(), 12);
    journey.send(Message::Event(Event::Polled(standing(Status::Down, Status::PendingCreate))));
    journey.send(Message::Watched(Watched::Active));
    assert_eq!(buttons(&journey), [Button::Finish, Button::ShowVpn, Button::Another, Button::RollBack]);
    journey.chooses("Finish");
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));
}

fn a_failed_step_is_retried_in_place_or_undone() {
    let mut journey = running();
    let step = step_of(Half::B, Object::IkePolicy);
    let mut course = nothing();
    course.progress.record(made(Half::A, Object::Service));
    let error = Box::new(Error::new(ErrorKind::Server, "Request Failed"));
    journey.effects.clear();
    journey.send(Message::Event(Event::Failed(step, (*error).clone(), Duration::from_secs(1))));
    journey.send(rested(Err(ChangeError::Failed(step, error.clone())), course.clone()));
    assert_eq!(buttons(&journey), [Button::Retry, Button::RollBack, Button::Leave]);
    journey.enter();
    assert!(
        matches!(journey.effects.pop(), Some(Effect::Work(Which::Present(None), Order::CarryOut))),
        "a retry does only the rest"
    );
    journey.send(rested(Err(ChangeError::Failed(step, error)), course.clone()));
    journey.key(KeyCode::Right).enter();
    assert_eq!(journey.model.shell.dialog.as_ref().unwrap().focus, 0, "the safe button has the focus");
    journey.key(KeyCode::Right).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Present(None), Order::RollBack))));
    assert_eq!(journey.model.work.creation().unwrap().course.progress, course.progress);
    journey.send(rested(Ok(Changed::Done), nothing()));
    assert_eq!(journey.model.work.creation().unwrap().end(), Some(&End::Done));
    journey.enter().at(Screen::Review);
    let person = &mut running();
    let mut course = nothing();
    course.progress.record(made(Half::A, Object::Service));
    let error = Box::new(Error::new(ErrorKind::Server, "Request Failed"));
    person.send(rested(Err(ChangeError::Failed(step, error.clone())), course.clone()));
    person.is_told("could not be created: ✗ Request Failed").chooses("Retry");
    person.send(rested(Err(ChangeError::Failed(step, error)), course));
    person.chooses("Roll back");
    person.chooses("Roll back hlz-por");
    person.send(rested(Ok(Changed::Done), nothing()));
    person.enter().at(Screen::Review);
}

fn when_a_run_rests_nothing_is_shown_as_under_way_and_only_what_the_engine_knows_as_there() {
    let task = |step| Task { half: Half::A, step };
    let states = |journey: &Journey, steps: [Object; 3]| {
        steps.map(|step| journey.model.work.creation().unwrap().state(task(step)).unwrap().clone())
    };
    let steps = [Object::IkePolicy, Object::IpsecPolicy, Object::LocalGroup];
    let (there, gone) = (made(Half::A, Object::IkePolicy), made(Half::A, Object::LocalGroup));
    let mut journey = running();
    for step in steps {
        journey.send(Message::Event(Event::Started(step_of(Half::A, step))));
    }
    let mut course = nothing();
    course.progress.record(there.clone());
    course.progress.doubt(task(Object::IpsecPolicy));
    journey.send(rested(Err(ChangeError::Stopped), course.clone()));
    let there_still = RowState::Done(Outcome::There, None);
    assert_eq!(states(&journey, steps), [there_still.clone(), RowState::InDoubt, RowState::Waiting]);

    journey.key(KeyCode::Right).enter().key(KeyCode::Right).enter();
    for made in [there, gone] {
        journey.send(Message::Event(Event::Deleting(made)));
    }
    journey.send(rested(Err(ChangeError::Stopped), course));
    assert_eq!(states(&journey, steps), [there_still, RowState::InDoubt, RowState::RolledBack]);
}

fn a_region_without_sha1_leads_to_modern_with_everything_else_kept() {
    let mut journey = running();
    let Some(Effect::Work(Which::Plan(plan, _), _)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert_eq!(plan.profile(), Profile::Catalyst);
    let mut course = nothing();
    for step in [Object::Service, Object::IkePolicy, Object::IpsecPolicy, Object::LocalGroup] {
        course.progress.record(made(Half::A, step));
    }
    let step = step_of(Half::B, Object::IkePolicy);
    let mut error = Error::new(ErrorKind::Server, "Request Failed");
    error.status = Some(500);
    let failed = |error: &Error| rested(Err(ChangeError::Failed(step, Box::new(error.clone()))), course.clone());
    error.status = Some(503);
    journey.send(failed(&error));
    assert_eq!(buttons(&journey), [Button::Retry, Button::RollBack, Button::Leave], "that may pass");
    error.status = Some(500);
    journey.enter().send(failed(&error));
    assert_eq!(buttons(&journey), [Button::UseModern, Button::Retry, Button::RollBack, Button::Leave]);
    journey.enter();
    let Some(Effect::Work(Which::Policy(plan), _)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert_eq!(plan.profile(), Profile::Modern);
    let progress = &journey.model.work.creation().unwrap().course.progress;
    assert_eq!(
        progress.objects().map(|made| made.task.step).collect::<Vec<_>>(),
        [Object::Service, Object::LocalGroup]
    );
    assert_eq!(progress.leftovers().len(), 2, "the policies are still known");
    journey.send(failed(&error));
    assert_eq!(buttons(&journey)[0], Button::Retry, "modern has no sha1 that could be at fault");
}

fn leaving_while_the_engine_works_asks_in_three_ways() {
    let ask = || {
        let mut journey = running();
        journey.effects.clear();
        journey.control('c');
        let labels: Vec<&str> =
            journey.model.shell.dialog.as_ref().unwrap().buttons.iter().map(|button| &*button.label).collect();
        assert_eq!(labels, ["Go on", "Stop and keep", "Stop and roll back"]);
        journey
    };
    let mut go_on = ask();
    go_on.enter();
    assert!(go_on.effects.is_empty() && go_on.model.shell.dialog.is_none());
    let mut keep = ask();
    keep.key(KeyCode::Right).enter();
    assert!(matches!(keep.effects.pop(), Some(Effect::Stop)));
    keep.send(rested(Err(ChangeError::Stopped), everything()));
    assert_eq!(keep.model.shell.ending, Some(Ending::AfterRun));
    let mut undo = ask();
    undo.key(KeyCode::Right).key(KeyCode::Right).enter();
    assert!(matches!(undo.effects.pop(), Some(Effect::Stop)));
    undo.send(rested(Err(ChangeError::Stopped), everything()));
    assert!(
        matches!(undo.effects.pop(), Some(Effect::Work(_, Order::RollBack))),
        "what was made is undone once the engine rests"
    );
    undo.send(rested(Ok(Changed::Done), nothing()));
    assert_eq!(buttons(&undo), [Button::ChangeAnswers, Button::Leave]);
}

fn a_question_about_a_run_is_dropped_when_the_run_answers_it() {
    let mut journey = running();
    journey.control('c').key(KeyCode::Right);
    journey.send(rested(Ok(Changed::Done), everything())).send(Message::Watched(Watched::Active));
    journey.enter();
    let run = journey.model.work.creation().unwrap();
    assert!(
        run.end() == Some(&End::Active) && journey.model.shell.ending.is_none(),
        "a key on its way presses no new button"
    );
    assert!(journey.model.shell.dialog.is_none());
}

fn a_vpn_that_became_active_is_not_undone_without_asking_again() {
    let mut journey = running();
    journey.send(rested(Ok(Changed::Done), everything()));
    journey.control('c').key(KeyCode::Right).key(KeyCode::Right).enter();
    journey.effects.clear();
    journey.send(Message::Watched(Watched::Active));
    assert!(journey.effects.is_empty(), "{:?}", journey.effects);
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert!(dialog.text[0].contains("ACTIVE") && dialog.buttons[dialog.focus].label == "Keep it");
    journey.key(KeyCode::Right).enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(_, Order::RollBack))));
}

fn the_question_whether_to_stop_keeps_up_with_the_run() {
    let mut journey = running();
    journey.control('c');
    let text = |journey: &Journey| journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
    assert!(text(&journey).contains("Nothing of this VPN exists yet"));
    journey.send(Message::Event(Event::Made(made(Half::A, Object::Service), Duration::ZERO)));
    assert!(text(&journey).contains("VPN service"), "{}", text(&journey));
}

fn checks_that_come_after_the_wait_has_gone_on_are_not_shown() {
    let mut journey = running();
    journey.send(rested(Ok(Changed::Done), everything()));
    journey.send(Message::Watched(Watched::NotYet(standing(Status::Down, Status::Down)))).enter();
    let late = pair::examined([Status::Down, Status::Down], pair::other_pfs);
    journey.send(Message::Verified(Ok(Box::new(late))));
    assert!(journey.model.work.creation().unwrap().watch.examined.is_none());
}

fn past_the_wait_it_says_where_each_half_stands_and_checks_the_list() {
    let mut journey = running();
    journey.send(rested(Ok(Changed::Done), everything()));
    journey.effects.clear();
    journey.send(Message::Watched(Watched::NotYet(standing(Status::Down, Status::Down))));
    assert!(matches!(journey.effects.pop(), Some(Effect::Verify(..))));
    assert_eq!(buttons(&journey), [Button::KeepWaiting, Button::Leave, Button::ShowVpn, Button::RollBack]);
    journey.enter();
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(_, Order::Watch(_)))));
}
