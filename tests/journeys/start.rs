//! Before the first question, and the end that comes from outside.

use osvpn::cloud::person::{Question, Wanted};

use super::journey::{current_line, session};
use super::*;

in_both! {
    a_signal_settles_what_is_under_way_before_the_end,
    without_credentials_there_are_three_ways_on,
    the_first_question_is_answered_before_the_sign_in_is,
    an_answer_given_early_outlasts_a_sign_in_that_asks_or_fails,
    the_list_of_vpns_is_read_as_soon_as_there_is_a_sign_in,
    what_is_known_before_the_credentials_are_sent_is_told_at_once,
    the_names_of_regions_hold_nothing_up_and_are_shown_once_they_are_known,
    another_cloud_begins_without_what_was_known_of_the_first,
    of_several_clouds_one_is_chosen_first,
    a_cloud_is_chosen_and_the_demo_is_the_way_on_where_there_is_no_sign_in,
    what_was_cut_off_goes_on_from_what_exists,
    a_take_up_that_was_cancelled_never_goes_on_whatever_else_is_asked_meanwhile,
    after_an_undo_a_key_that_was_given_has_to_be_given_again,
}

fn a_signal_settles_what_is_under_way_before_the_end() {
    let mut journey = running();
    journey.effects.clear();
    journey.send(Message::Terminated);
    assert!(journey.model.shell.ending.is_none() && matches!(journey.effects.pop(), Some(Effect::Stop)));
    journey.send(rested(Err(ChangeError::Stopped), everything()));
    assert_eq!(journey.model.shell.ending, Some(Ending::AfterRun));
    let mut early = Journey::ready();
    early.send(Message::Terminated);
    assert_eq!(early.model.shell.ending, Some(Ending::Left));
}

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

/// Answers the sign-in with a session, and nothing else.
fn signs_in(journey: &mut Journey) {
    let request = sign_in_request(journey);
    journey.send(Message::SignedIn(request, Ok(session())));
}

fn sign_in_request(journey: &mut Journey) -> RequestId {
    journey.taken("the sign-in", |effect| match effect {
        Effect::SignIn(request, _) => Some(*request),
        _ => None,
    })
}

fn current(journey: &Journey) -> Choice {
    current_line(journey).choice
}

fn the_first_question_is_answered_before_the_sign_in_is() {
    let mut journey = Journey::begin();
    journey.at(Screen::Mode).key(KeyCode::Down).key(KeyCode::Down);
    signs_in(&mut journey);
    assert_eq!(current(&journey), Choice::Mode(Mode::Single), "the answer of the cloud does not move the cursor");
    let mut journey = Journey::begin();
    journey.stepwise().at(Screen::Region(Half::A)).enter().at(Screen::Region(Half::A));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("being signed in"));
    signs_in(&mut journey);
    journey.at(Screen::Region(Half::A)).discovered(&hamilton(), Ok(hamilton_inventory()));
    journey.at(Screen::Region(Half::B)).esc().at(Screen::Region(Half::A));
    assert_eq!(current(&journey), Choice::Region(hamilton()), "the Enter was kept, and has taken this");
    journey.esc().at(Screen::Mode);
    let mut early = Journey::begin();
    early.types("2").at(Screen::Region(Half::A)).esc().at(Screen::Mode).types("3").at(Screen::Region(Half::A));
    signs_in(&mut early);
    assert_eq!(early.model.new_vpn.answers.mode, Mode::Single);
}

fn an_answer_given_early_outlasts_a_sign_in_that_asks_or_fails() {
    let mut journey = Journey::begin();
    journey.single().at(Screen::Region(Half::A)).send(Message::Asked(Question {
        wanted: Wanted::Passcode,
        is_renewal: false,
        user: None,
        project: None,
        auth_url: "https://keystone.example:5000/v3".into(),
        refused: None,
    }));
    journey.types("123456").enter();
    assert!(journey.effects.iter().any(|effect| matches!(effect, Effect::Reply(Some(_)))));
    journey.send(Message::QuestionOver).at(Screen::Region(Half::A));
    let request = sign_in_request(&mut journey);
    let error = Error::new(ErrorKind::Timeout, "no answer within 60 s");
    let title = "Sign-in failed".to_owned();
    let problem = Problem { title, text: vec![], looked_for: vec![], error: Some(error), clouds: vec![] };
    journey.send(Message::SignedIn(request, Err(problem)));
    assert!(matches!(journey.model.shell.start, Start::Problem(_)), "it stands in the place of everything else");
    journey.types("r").at(Screen::Region(Half::A));
    signs_in(&mut journey);
    assert_eq!(journey.model.new_vpn.answers.mode, Mode::Single);
    journey.at(Screen::Region(Half::A)).discovered(&hamilton(), Ok(hamilton_inventory()));
    journey.enter().at(Screen::Router(Half::A));
}

fn the_list_of_vpns_is_read_as_soon_as_there_is_a_sign_in() {
    let mut journey = Journey::begin();
    journey.lists_vpns().at(Screen::Vpns).types("r");
    assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::Inspect(_))), "nobody could answer");
    signs_in(&mut journey);
    journey.at(Screen::Vpns).inspected(super::surveys::healthy());
    assert_eq!(super::vpns::titles(&journey)[0], "hlz-por");
}

fn what_is_known_before_the_credentials_are_sent_is_told_at_once() {
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.first() else { panic!() };
    let request = *request;
    journey.send(Message::Warned(request, "The password is sent in clear text".into()));
    assert!(journey.model.shell.notice.as_ref().unwrap().is_problem);
    signs_in(&mut journey);
    journey.types("?").esc().send(Message::Warned(request, "late".into()));
    assert!(journey.model.shell.notice.is_none(), "what a sign-in said that is over is too late");
}

fn the_names_of_regions_hold_nothing_up_and_are_shown_once_they_are_known() {
    let unknown = osvpn::cloud::RegionId::new("nz-akl-1");
    let mut journey = Journey::begin();
    let request = sign_in_request(&mut journey);
    journey.send(Message::SignedIn(request, Ok(Session { regions: vec![unknown.clone()], ..session() })));
    journey.stepwise().at(Screen::Region(Half::A));
    assert_eq!(super::vpns::titles(&journey), ["nz-akl-1"]);
    journey.send(Message::RegionsDescribed(RequestId(0), [(unknown.clone(), "Nowhere".to_owned())].into()));
    assert_eq!(super::vpns::titles(&journey), ["nz-akl-1"], "names of another sign-in are dropped");
    journey.regions_described(&[(unknown, "Auckland")]);
    assert_eq!(super::vpns::titles(&journey), ["Auckland"]);
}

fn another_cloud_begins_without_what_was_known_of_the_first() {
    let mut journey = Journey::ready();
    journey.model.shell.clouds = journey::clouds(&["home", "work"]);
    journey.enter().at(Screen::Region(Half::A)).esc().esc().at(Screen::Cloud).types("2").at(Screen::Mode);
    journey.enter().at(Screen::Region(Half::A));
    assert!(journey.model.new_vpn.regions.is_empty(), "they are those of the other cloud");
    signs_in(&mut journey);
    assert_eq!(super::vpns::titles(&journey).len(), 3);
}

fn of_several_clouds_one_is_chosen_first() {
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let clouds = journey::clouds(&["home", "work"]);
    let problem = Problem { title: "Several clouds".into(), text: vec![], looked_for: vec![], error: None, clouds };
    journey.send(Message::SignedIn(request, Err(problem))).at(Screen::Cloud).key(KeyCode::Down).enter();
    assert!(
        matches!(journey.effects.pop(), Some(Effect::SignIn(_, osvpn::sign_in::Login::Named(name))) if name == "work")
    );
    journey.esc().at(Screen::Cloud);
    let at = |journey: &Journey| match journey.model.content() {
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

fn a_cloud_is_chosen_and_the_demo_is_the_way_on_where_there_is_no_sign_in() {
    let problem = |clouds: &[&str]| Problem {
        title: "No sign-in".into(),
        text: vec![],
        looked_for: vec![],
        error: None,
        clouds: journey::clouds(clouds),
    };
    let person = &mut Journey::begin();
    person.answer_sign_in(Err(problem(&["home", "work"]))).at(Screen::Cloud);
    person.chooses("work");
    let first = person.model.shell.login.clone();
    person.answer_sign_in(Err(problem(&[])));
    person.types("d");
    let logins = (first, person.model.shell.login.clone());
    assert_eq!(logins, (osvpn::sign_in::Login::Named("work".into()), osvpn::sign_in::Login::Demo));
}

/// A session that begins with the question about a run that was cut off, and a plan for it.
pub(super) fn interrupted(key: KeyOrigin) -> (Journey, Box<ResumedCreation>) {
    let plan = running().model.work.current.unwrap().plan;
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let interruptions = vec![cut_off_creation("hlz-por", "0badcafe", (12, 0), State::Interrupted)];
    journey.send(Message::SignedIn(request, Ok(Session { interruptions, ..Session::default() })));
    (journey, Box::new(ResumedCreation { plan, course: everything(), key }))
}

fn asked(journey: &mut Journey) -> RequestId {
    match journey.effects.pop() {
        Some(Effect::Resume(request, ..)) => request,
        other => panic!("{other:?}"),
    }
}

fn what_was_cut_off_goes_on_from_what_exists() {
    let (mut journey, taken) = interrupted(KeyOrigin::Generated);
    let request = asked(journey.enter());
    journey.send(Message::Resumed(request, Ok(taken))).at(Screen::Work);
    assert!(matches!(journey.effects.pop(), Some(Effect::Work(Which::Present(None), Order::CarryOut))));
    assert_eq!(journey.model.work.creation().unwrap().course.progress, everything().progress);
    assert!(matches!(journey.effects.pop(), Some(Effect::GoOn(kept)) if kept == request), "in its own journal");
}

fn a_take_up_that_was_cancelled_never_goes_on_whatever_else_is_asked_meanwhile() {
    for other in ["?", "q", ""] {
        let (mut journey, taken) = interrupted(KeyOrigin::Generated);
        let request = asked(journey.key(KeyCode::Right).enter());
        journey.esc().types(other).send(Message::Resumed(request, Ok(taken)));
        assert!(journey.model.work.creation().is_none(), "{other}");
        assert!(matches!(journey.effects.as_slice(), [.., Effect::Release(kept)] if *kept == request));
        assert!(
            !journey.effects.iter().any(|effect| matches!(effect, Effect::Work(_, Order::RollBack))),
            "{other}: nothing is deleted"
        );
    }
}

fn after_an_undo_a_key_that_was_given_has_to_be_given_again() {
    for (key, is_kept) in [(KeyOrigin::Given, false), (KeyOrigin::Generated, true)] {
        let (mut journey, taken) = interrupted(key);
        let request = asked(journey.key(KeyCode::Right).enter());
        journey.send(Message::Resumed(request, Ok(taken)));
        assert!(matches!(journey.effects.pop(), Some(Effect::Work(_, Order::RollBack))));
        assert_eq!(journey.model.new_vpn.answers.key.chars() > 0, is_kept, "{key:?}");
    }
}
