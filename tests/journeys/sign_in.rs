//! What the sign-in asks, over whatever is on the screen.

use osvpn::cloud::person::{Question, Wanted};
use osvpn::view::Theme;

use crate::support::drawn::drawn;

use super::*;

in_both! {
    a_question_stands_over_the_screen_and_a_dialog_and_leaves_both_as_they_were,
    enter_with_nothing_typed_says_so_and_esc_declines,
    of_two_fields_either_is_enough_and_enter_passes_by_both,
    an_answer_that_is_on_its_way_does_not_hold_the_screen,
    a_signal_takes_the_question_away_and_a_sign_in_nobody_waits_for_gets_no_answer,
    a_reader_is_told_so_at_sign_in_on_every_screen_and_on_the_review,
}

on_a_screen! {
    a_pasted_token_loses_its_line_end_and_a_password_keeps_its_spaces: "nothing is in the field before the line is sent",
}

fn question(wanted: Wanted) -> Message {
    Message::Asked(Question {
        wanted,
        is_renewal: true,
        user: Some("demo".into()),
        project: Some("vpn-demo".into()),
        auth_url: "https://keystone.example:5000/v3".into(),
        refused: None,
    })
}

/// Whether the wizard has answered, and with something.
fn replied(journey: &mut Journey) -> Option<bool> {
    let place = journey.effects.iter().position(|effect| matches!(effect, Effect::Reply(_)))?;
    Some(matches!(journey.effects.remove(place), Effect::Reply(Some(_))))
}

fn a_question_stands_over_the_screen_and_a_dialog_and_leaves_both_as_they_were() {
    let mut journey = running();
    journey.effects.clear();
    journey.control('c');
    let buttons = journey.model.shell.dialog.clone();
    journey.send(question(Wanted::Passcode));
    // What was meant for the screen below neither answers nor declines.
    journey.enter().types("q?123");
    assert!(journey.effects.is_empty() && journey.model.shell.dialog == buttons);
    journey.enter();
    assert!(replied(&mut journey) == Some(true));
    assert!(journey.model.shell.question.as_ref().unwrap().is_sent);
    journey.send(Message::QuestionOver);
    assert!(journey.model.shell.question.is_none() && journey.model.shell.dialog == buttons, "the run goes on below");
    assert!(journey.effects.is_empty());
}

fn enter_with_nothing_typed_says_so_and_esc_declines() {
    for key in [KeyCode::Esc, KeyCode::Char('c')] {
        let mut journey = Journey::ready();
        journey.effects.clear();
        journey.send(question(Wanted::Password)).enter();
        assert!(journey.model.shell.question.as_ref().unwrap().is_empty_blamed && replied(&mut journey).is_none());
        if key == KeyCode::Esc {
            journey.esc()
        } else {
            journey.control('c')
        };
        assert!(replied(&mut journey) == Some(false));
        assert!(
            journey.model.shell.question.is_none() && journey.model.shell.ending.is_none(),
            "only the question is left"
        );
    }
}

fn a_pasted_token_loses_its_line_end_and_a_password_keeps_its_spaces() {
    let mut journey = Journey::ready();
    journey.send(question(Wanted::Token)).send(Message::Paste(format!(" {}\n", "gAAAA".repeat(200)).into()));
    assert_eq!(journey.model.shell.question.as_ref().unwrap().fields[0].chars(), 1000);
    journey.send(question(Wanted::Password)).types(" a b ").send(Message::Resize(80, 24));
    assert_eq!(journey.model.shell.question.as_ref().unwrap().fields[0].chars(), 5);
    assert!(!format!("{:?}", journey.model.shell.question).contains("a b"));
}

fn of_two_fields_either_is_enough_and_enter_passes_by_both() {
    let mut journey = Journey::ready();
    journey.effects.clear();
    journey.send(question(Wanted::Appended)).types("hunter2").enter();
    assert!(replied(&mut journey).is_none());
    assert_eq!(journey.model.shell.question.as_ref().unwrap().focus, 1);
    journey.enter();
    assert!(replied(&mut journey) == Some(true));
    journey.send(question(Wanted::Appended)).key(KeyCode::Tab).types("123456").enter();
    assert!(replied(&mut journey) == Some(true));
    let person = &mut Journey::ready();
    person.send(question(Wanted::Appended));
    person.answers("hunter2").answers("123456");
    assert!(replied(person) == Some(true));
    person.is_told_nothing_of("hunter2").is_told_nothing_of("123456");
}

fn an_answer_that_is_on_its_way_does_not_hold_the_screen() {
    let mut journey = running();
    journey.effects.clear();
    journey.send(question(Wanted::Passcode)).types("123456").enter().esc();
    assert!(replied(&mut journey) == Some(true) && replied(&mut journey).is_none());
    journey.control('c');
    assert!(journey.model.shell.dialog.is_some(), "the run can be stopped meanwhile");
    journey.send(question(Wanted::Passcode));
    assert!(journey.model.shell.question.is_some(), "and whatever is still wrong is asked again");
}

fn a_signal_takes_the_question_away_and_a_sign_in_nobody_waits_for_gets_no_answer() {
    let mut journey = running();
    journey.send(question(Wanted::Passcode)).send(Message::Terminated);
    assert!(journey.model.shell.question.is_none() && matches!(journey.effects.pop(), Some(Effect::Stop)));
    let mut journey = Journey::begin();
    let Some(Effect::SignIn(request, _)) = journey.effects.pop() else { panic!() };
    let clouds = journey::clouds(&["home", "work"]);
    let problem = Problem { title: "Several clouds".into(), text: vec![], looked_for: vec![], error: None, clouds };
    journey.send(Message::SignedIn(request, Err(problem))).send(question(Wanted::Password));
    assert!(journey.model.shell.question.is_none() && replied(&mut journey) == Some(false));
}

fn a_reader_is_told_so_at_sign_in_on_every_screen_and_on_the_review() {
    let shown = |journey: &Journey| drawn(&journey.model, &Theme::new(true, true)).text;
    let warning = "Your role in this project is reader".to_owned();
    let session = || Session { is_reader: true, warnings: vec![warning.clone()], ..journey::session() };
    let mut reader = Journey::begin();
    reader.answer_sign_in(Ok(session()));
    assert!(
        reader.model.shell.notice.as_ref().unwrap().text.contains("reader"),
        "before the first question is answered"
    );
    assert!(shown(&reader).contains("user demo (role reader)"), "{}", shown(&reader));
    for (region, inventory) in [(hamilton(), hamilton_inventory()), (porirua(), porirua_inventory())] {
        let unseen = osvpn::cloud::Inventory { services: Vec::new(), connections: Vec::new(), ..inventory };
        reader.discovered(&region, Ok(unseen));
    }
    assert!(shown(&reader).contains("cannot be seen with the role reader"), "{}", shown(&reader));
    let mut member = Journey::at_review();
    assert!(!shown(&member).contains("reader"));
    if let Start::Ready(session) = &mut member.model.shell.start {
        session.is_reader = true;
    }
    assert!(shown(&member).contains("warning: Your role in this project is reader"), "{}", shown(&member));
    // Trying again gives nobody another role.
    member.enter().at(Screen::Work);
    let refused = Error::new(ErrorKind::Forbidden, "403");
    member.send(rested(Err(ChangeError::Failed(0, Box::new(refused))), nothing()));
    assert_eq!(
        member.model.work.current.as_ref().and_then(|work| work.buttons().first().copied()),
        Some(Button::Leave)
    );
}
