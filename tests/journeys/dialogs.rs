//! The keys of questions: letters, yes and no, a name that is typed, Ctrl-C once more.

use super::surveys::{broken, healthy};
use super::vpns::{agreed, opened};
use super::*;

in_both! {
    deleting_a_vpn_that_is_active_takes_its_name,
    a_button_is_pressed_by_its_letter_and_yes_and_no_answer_a_question,
    ctrl_c_in_the_question_about_stopping_stops_and_keeps,
}

fn dialog(journey: &Journey) -> Option<&osvpn::wizard::dialog::Dialog> {
    journey.model.shell.dialog.as_ref()
}

fn deleting_a_vpn_that_is_active_takes_its_name() {
    let mut journey = opened(healthy());
    journey.types("d");
    let question = dialog(&journey).unwrap();
    assert_eq!(question.title, "Delete hlz-por?");
    assert_eq!(question.buttons.iter().map(|button| &*button.label).collect::<Vec<_>>(), ["Keep it", "Delete hlz-por"]);
    journey.key(KeyCode::Right).enter();
    assert!(dialog(&journey).is_some() && journey.model.work.change().is_none(), "not without the name");
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("Type hlz-por first"));
    // No letter is an answer while it is typed, also not y or the d of Delete.
    journey.types("yd").types("hlz-po").enter();
    if journey.is_in_lines() {
        journey.is_told("That is another name; nothing was done.");
    } else {
        let notice = journey.model.shell.notice.as_ref().unwrap();
        assert!(notice.text.contains("Nothing was done: the name is hlz-por."), "{notice:?}");
        // Whoever types on presses no button of the page behind it.
        journey.types("n").enter();
        assert!(dialog(&journey).is_some_and(|dialog| dialog.typed.is_some()));
    }
    journey.esc();
    assert!(dialog(&journey).is_none() && journey.model.work.change().is_none(), "Esc is the safe answer");
    journey.key(KeyCode::Char('d')).types("hlz-porr").key(KeyCode::Backspace);
    journey.on_a_screen(|journey| assert_eq!(dialog(journey).unwrap().focus, 1));
    journey.enter().at(Screen::Work);
    assert!(journey.model.work.change().is_some());

    let person = &mut opened(healthy());
    person.chooses("Delete");
    person.chooses("Delete hlz-por");
    assert!(dialog(person).is_some() && person.model.work.change().is_none(), "not without the name");
    person.is_told("Type hlz-por first");
    person.names("hlz-por").at(Screen::Work);

    // One that is down is deleted after a question as every other.
    let mut down = opened(broken());
    down.types("d");
    assert!(dialog(&down).unwrap().typed.is_none());
    assert_eq!(agreed(&mut down).verb, osvpn::change::Verb::Delete);
}

fn a_button_is_pressed_by_its_letter_and_yes_and_no_answer_a_question() {
    for (key, is_done) in [('d', true), ('k', false), ('y', true), ('Y', true), ('n', false)] {
        let mut journey = opened(broken());
        journey.types("d").key(KeyCode::Char(key));
        assert!(dialog(&journey).is_none(), "{key}");
        assert_eq!(journey.model.work.change().is_some(), is_done, "{key}");
    }
    // The key that brought the question, pressed twice or held down, does not answer it.
    let mut twice = opened(broken());
    twice.types("dd");
    assert!(dialog(&twice).is_some());
    for _ in 0..60 {
        twice.passes(30).at_once(KeyCode::Char('d'));
    }
    assert!(dialog(&twice).is_some() && twice.model.work.change().is_none(), "held down for two seconds");
    twice.key(KeyCode::Char('d'));
    assert!(twice.model.work.change().is_some());

    let mut key = opened(healthy());
    key.types("n").key(KeyCode::Char('o')).at(Screen::NewKey);
}

fn ctrl_c_in_the_question_about_stopping_stops_and_keeps() {
    let person = &mut running();
    person.effects.clear();
    person.interrupts();
    assert_eq!(dialog(person).unwrap().title, "Stop creating hlz-por?");
    person.interrupts();
    assert!(dialog(person).is_none() && matches!(person.effects.pop(), Some(Effect::Stop)));
    person.send(rested(Err(ChangeError::Stopped), everything()));
    assert_eq!(person.model.shell.ending, Some(Ending::AfterRun));

    let mut back = running();
    back.effects.clear();
    back.types("q").key(KeyCode::Char('r'));
    assert!(matches!(back.effects.pop(), Some(Effect::Stop)));
    back.send(rested(Err(ChangeError::Stopped), everything()));
    assert!(matches!(back.effects.pop(), Some(Effect::Work(Which::Present(None), Order::RollBack))));
}
