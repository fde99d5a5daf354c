//! Before the first question, and the end that comes from outside.

use super::*;

#[test]
fn a_signal_settles_what_is_under_way_before_the_end() {
    let mut journey = running();
    journey.effects.clear();
    journey.send(Message::Terminated);
    assert!(journey.model.shell.ending.is_none() && matches!(journey.effects.pop(), Some(Effect::Stop)));
    journey.send(Message::Created(Err(CreateError::Stopped), everything()));
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));
    let mut early = Journey::ready();
    early.send(Message::Terminated);
    assert_eq!(early.model.shell.ending, Some(Ending::Left));
}

#[test]
fn without_credentials_there_are_three_ways_on() {
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let problem =
        Problem { title: "No credentials".into(), text: vec![], looked_for: vec![], error: None, clouds: vec![] };
    journey.send(Message::SignedIn(request, Err(problem.clone())));
    assert!(matches!(journey.model.shell.start, Start::Problem(_)));
    journey.types("r");
    assert!(matches!(journey.effects.pop(), Some(Effect::SignIn(_, osvpn::sign_in::Login::Default))));
    journey.send(Message::SignedIn(request, Err(problem.clone())));
    assert!(
        matches!(journey.model.shell.start, Start::SigningIn { .. }),
        "an answer to the first question is too late"
    );
    let mut demo = Journey::begin();
    let Some(Effect::SignIn(request, _)) = demo.effects.pop() else { panic!() };
    demo.send(Message::SignedIn(request, Err(problem))).types("d");
    assert!(matches!(demo.effects.pop(), Some(Effect::SignIn(_, osvpn::sign_in::Login::Demo))));
}

#[test]
fn of_several_clouds_one_is_chosen_first() {
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let clouds = vec!["home".to_owned(), "work".to_owned()];
    let problem = Problem { title: "Several clouds".into(), text: vec![], looked_for: vec![], error: None, clouds };
    journey.send(Message::SignedIn(request, Err(problem))).at(Screen::Cloud).key(KeyCode::Down).enter();
    assert!(
        matches!(journey.effects.pop(), Some(Effect::SignIn(_, osvpn::sign_in::Login::Named(name))) if name == "work")
    );
    journey.esc().at(Screen::Cloud);
    let at = |journey: &Journey| match &journey.model.content {
        Content::List(picker) => picker.current().unwrap().title.clone(),
        _ => panic!("a list of clouds"),
    };
    assert_eq!(at(&journey), "work", "whoever does not want to wait is back at the list, where they were");
    journey.enter();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let refused = Error::new(ErrorKind::Unauthorized, "The password is wrong");
    let problem =
        Problem { title: "No".into(), text: vec![], looked_for: vec![], error: Some(refused), clouds: vec![] };
    journey.send(Message::SignedIn(request, Err(problem)));
    assert!(matches!(journey.model.shell.start, Start::Problem(_)));
    journey.esc().at(Screen::Cloud);
    assert!(journey.model.shell.ending.is_none() && at(&journey) == "work", "a refusal leads back to the list");
}

/// A session that begins with the question about a run that was cut off, and a plan for it.
pub(super) fn interrupted(key: KeyOrigin) -> (Journey, Box<ResumedCreation>) {
    let Some(Job::Creation(job)) = running().model.work.current.map(|work| work.job) else { panic!() };
    let CreationJob { plan, marks, .. } = *job;
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let unfinished = vec![InterruptedCreation {
        journal: "0badcafe.json".into(),
        name: "hlz-por".into(),
        began: "2026-11-24 02:13 UTC".into(),
        exists: 12,
        may_exist: 0,
        is_running: false,
    }];
    journey.send(Message::SignedIn(request, Ok(Session { creations: unfinished, ..Session::default() })));
    (journey, Box::new(ResumedCreation { plan, marks, ledger: everything(), key }))
}

fn asked(journey: &mut Journey) -> RequestId {
    match journey.effects.pop() {
        Some(Effect::Resume(request, ..)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_cut_off_goes_on_from_what_exists() {
    let (mut journey, taken) = interrupted(KeyOrigin::Generated);
    let request = asked(journey.enter());
    journey.send(Message::Resumed(request, Ok(taken))).at(Screen::Work);
    assert!(matches!(journey.effects.pop(), Some(Effect::Create(_, ledger, _)) if ledger == everything()));
    assert!(matches!(journey.effects.pop(), Some(Effect::GoOn(kept)) if kept == request), "in its own journal");
}

#[test]
fn a_take_up_that_was_cancelled_never_goes_on_whatever_else_is_asked_meanwhile() {
    for other in ["?", "q", ""] {
        let (mut journey, taken) = interrupted(KeyOrigin::Generated);
        let request = asked(journey.key(KeyCode::Right).enter());
        journey.esc().types(other).send(Message::Resumed(request, Ok(taken)));
        assert!(journey.model.work.creation().is_none(), "{other}");
        assert!(matches!(journey.effects.as_slice(), [.., Effect::Release(kept)] if *kept == request));
        assert!(
            !journey.effects.iter().any(|effect| matches!(effect, Effect::RollBack(..))),
            "{other}: nothing is deleted"
        );
    }
}

#[test]
fn after_an_undo_a_key_that_was_given_has_to_be_given_again() {
    for (key, is_kept) in [(KeyOrigin::Given, false), (KeyOrigin::Generated, true)] {
        let (mut journey, taken) = interrupted(key);
        let request = asked(journey.key(KeyCode::Right).enter());
        journey.send(Message::Resumed(request, Ok(taken)));
        assert!(matches!(journey.effects.pop(), Some(Effect::RollBack(..))));
        assert_eq!(journey.model.new_vpn.answers.key.chars() > 0, is_kept, "{key:?}");
    }
}
