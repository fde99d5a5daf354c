//! An Enter counts only if it can have been meant, and nothing is answered that is not to be seen.

use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};

use super::surveys::broken;
use super::vpns::opened;
use super::*;

in_both! {
    a_held_enter_leads_to_the_review_and_no_further,
    create_takes_no_enter_before_the_review_can_have_been_read,
    an_enter_for_the_name_of_the_plan_file_creates_nothing,
    a_changed_answer_has_the_focus_when_the_review_is_back,
    a_question_that_changes_something_takes_no_enter_meant_for_what_was_before_it,
    no_enter_cancels_what_is_being_resumed_and_a_cancel_is_said,
    the_answer_that_changes_nothing_is_taken_however_soon_it_comes,
}

on_a_screen! {
    a_key_in_clear_is_hidden_when_its_step_is_left_after_a_stop_and_after_a_minute: "in lines no key is in clear",
    in_a_window_too_small_to_show_anything_keys_only_leave: "lines fit into every window",
    in_a_window_too_small_a_second_ctrl_c_stops_what_is_at_work_and_keeps_it: "lines fit into every window",
    what_is_pasted_without_brackets_confirms_nothing_however_late_it_comes: "the terminal hands over whole lines",
    what_is_copied_is_only_said_to_be_sent_and_where_else_it_is: "there is no clipboard in lines",
}

fn creates(journey: &Journey) -> bool {
    journey.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::Plan(..), _)))
}

fn carries(journey: &Journey) -> bool {
    journey.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::New(..), _)))
}

#[track_caller]
fn told(journey: &Journey, part: &str) {
    let notice = journey.model.shell.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
    let notice = notice.replace("Type it again", "Press it again");
    assert!(notice.contains(part), "{part:?} is not in {notice:?}");
}

/// At the review, which has been there for as long.
fn reviewing(milliseconds: u64) -> Journey {
    let mut journey = Journey::at_review();
    journey.passes(milliseconds);
    journey
}

fn a_held_enter_leads_to_the_review_and_no_further() {
    let mut journey = Journey::ready();
    for pressed in 0..300 {
        journey.passes(if pressed == 1 { 500 } else { 33 }).at_once(KeyCode::Enter);
        if journey.model.screen() == Screen::Review
            && !matches!(journey.model.content(), Content::Review(review) if review.plan.is_ok())
        {
            journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
        }
    }
    journey.at(Screen::Review);
    assert!(!creates(&journey));
    told(&journey, "it was held down or pasted. Press it again to create hlz-por.");
    journey.enter().at(Screen::Work);
    assert!(creates(&journey) && journey.model.shell.notice.is_none());
}

fn create_takes_no_enter_before_the_review_can_have_been_read() {
    // It has been open for long when the last region is read, and with that there is something to create.
    let mut journey = reviewing(300);
    journey.at_once(KeyCode::Enter).at(Screen::Review);
    told(&journey, "too soon after the question. Press it again to create hlz-por.");
    journey.passes(500).at_once(KeyCode::Enter).at(Screen::Work);

    let mut help = reviewing(2000);
    help.types("?").passes(2000).at_once(KeyCode::Esc).passes(300).at_once(KeyCode::Enter).at(Screen::Review);
    let mut large = reviewing(2000);
    large.send(Message::Resize(40, 10)).send(Message::Resize(80, 24)).at_once(KeyCode::Enter).at(Screen::Review);
    let mut back = reviewing(2000);
    back.send(Message::Continued).at_once(KeyCode::Enter).at(Screen::Review);
    for journey in [&help, &large, &back] {
        assert!(!creates(journey));
    }
}

fn an_enter_for_the_name_of_the_plan_file_creates_nothing() {
    let mut journey = reviewing(2000);
    journey.types("s").passes(100).send(Message::Saved(Ok("hlz-por.toml".into())));
    journey.types("mine").enter().at(Screen::Review);
    told(&journey, "the plan file needs no name. Press it again to create hlz-por.");
    assert!(!creates(&journey));
    journey.enter().at(Screen::Work);
}

fn a_changed_answer_has_the_focus_when_the_review_is_back() {
    let mut journey = reviewing(2000);
    for _ in 0..3 {
        journey.key(KeyCode::Up);
    }
    journey.enter().at(Screen::Key).enter().at(Screen::Review).enter().at(Screen::Key);
    journey.esc().at(Screen::Review).enter().at(Screen::Key).enter();
    journey.at(Screen::Review).key(KeyCode::End).enter().at(Screen::Work);
    // Another mode has other lines, and what is missing is asked first.
    let mut mode = reviewing(2000);
    mode.key(KeyCode::Home).enter().at(Screen::Mode).key(KeyCode::Down).enter().at(Screen::Peer);
    mode.types("198.51.100.7")
        .enter()
        .skips_to(Field::PeerCidrs)
        .types("192.168.7.0/24")
        .enter()
        .at(Screen::Review)
        .enter()
        .at(Screen::Mode);
    assert!(!creates(&mode));
}

fn what_is_pasted_without_brackets_confirms_nothing_however_late_it_comes() {
    let pasted = || Message::Key(KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Repeat));
    let mut together = reviewing(60_000);
    together.types("zoo").send(pasted()).at(Screen::Review);
    told(&together, "held down or pasted");
    let mut torn = reviewing(60_000);
    torn.types("zoo").passes(20).at_once(KeyCode::Enter).at(Screen::Review);
    let mut deletion = opened(broken());
    deletion.passes(2000).types("d").passes(2000).at_once(KeyCode::Right).send(pasted());
    assert!(deletion.model.shell.dialog.is_some() && !carries(&deletion));
    told(&deletion, "Press it again to choose \"");
    assert!(!creates(&together) && !creates(&torn));
    deletion.enter();
    assert!(carries(&deletion));
}

fn a_question_that_changes_something_takes_no_enter_meant_for_what_was_before_it() {
    let mut deletion = opened(broken());
    deletion.passes(2000).types("d").at_once(KeyCode::Right).passes(400).at_once(KeyCode::Enter);
    assert!(deletion.model.shell.dialog.is_some() && !carries(&deletion));
    deletion.enter();
    assert!(carries(&deletion));

    let (mut start, _) = start::interrupted(KeyOrigin::Generated);
    start.passes(500).at_once(KeyCode::Enter);
    assert!(
        start.model.shell.dialog.is_some() && start.effects.iter().all(|effect| !matches!(effect, Effect::Resume(..)))
    );
    told(&start, "Press it again to choose \"Resume");
    start.enter();
    assert!(start.effects.iter().any(|effect| matches!(effect, Effect::Resume(..))));

    // What comes by itself is not even closed; what the user asked for is closed at once.
    let mut left = reviewing(2000);
    left.types("q").at_once(KeyCode::Enter);
    assert!(left.model.shell.dialog.is_none() && left.model.shell.notice.is_none());
    let mut run = running();
    run.send(rested(Err(ChangeError::Stopped), everything())).passes(400).at_once(KeyCode::Enter);
    told(&run, "too soon after the question");
    assert!(run.model.shell.ending.is_none());
}

fn in_a_window_too_small_to_show_anything_keys_only_leave() {
    let mut journey = reviewing(2000);
    journey.send(Message::Resize(40, 10)).effects.clear();
    journey.enter().key(KeyCode::Up).enter().types("s?").key(KeyCode::F(1)).send(Message::Paste("x".into()));
    assert!(journey.effects.is_empty() && journey.model.shell.dialog.is_none());
    journey.at(Screen::Review).types("q").enter().key(KeyCode::Right).enter().esc();
    assert_eq!(
        journey.model.shell.dialog.as_ref().map(|dialog| (dialog.title.as_str(), dialog.focus)),
        Some(("Leave osvpn?", 0))
    );
    assert!(journey.model.shell.ending.is_none(), "the question is not answered by accident");
    assert_eq!(journey.model.way_out_unseen(), Some("q again leaves"));
    journey.key(KeyCode::Char('q'));
    assert_eq!(journey.model.shell.ending, Some(Ending::Left));
    for begins_with in ["s", "?"] {
        let mut other = reviewing(2000);
        other.types(begins_with).send(Message::Resize(40, 10)).key(KeyCode::Char('q')).control('c');
        assert_eq!(other.model.shell.ending, Some(Ending::Left), "{begins_with}");
    }
    let (mut offered, _) = start::interrupted(KeyOrigin::Generated);
    offered.send(Message::Resize(40, 10)).key(KeyCode::Char('q')).key(KeyCode::Char('q'));
    assert_eq!(offered.model.shell.ending, Some(Ending::Left), "what is offered is put off");
}

fn in_a_window_too_small_a_second_ctrl_c_stops_what_is_at_work_and_keeps_it() {
    let mut changing = opened(broken());
    changing.passes(2000).types("d").at_once(KeyCode::Right).enter();
    assert!(carries(&changing));
    for mut journey in [Box::new(running()), Box::new(changing)] {
        journey.send(Message::Resize(40, 10)).effects.clear();
        journey.key(KeyCode::Char('q')).key(KeyCode::Char('q')).enter().key(KeyCode::Right).enter();
        assert!(journey.effects.is_empty() && journey.model.shell.dialog.is_some());
        assert_eq!(journey.model.way_out_unseen(), Some("Ctrl-C again stops and keeps"));
        journey.control('c').control('c');
        assert!(matches!(journey.effects.as_slice(), [Effect::Stop]), "{:?}", journey.effects);
    }
    let mut run = running();
    run.send(Message::Resize(40, 10)).control('c').control('c').effects.clear();
    run.send(rested(Err(ChangeError::Stopped), everything()));
    assert_eq!(run.model.shell.ending, Some(Ending::AfterRun));
    assert!(run.effects.iter().all(|effect| !matches!(effect, Effect::Work(_, Order::RollBack))), "nothing is undone");
}

fn no_enter_cancels_what_is_being_resumed_and_a_cancel_is_said() {
    let (mut start, taken) = start::interrupted(KeyOrigin::Generated);
    for _ in 0..10 {
        start.passes(400).at_once(KeyCode::Enter);
    }
    let Some(Effect::Resume(request, ..)) = start.effects.pop() else { panic!("{:?}", start.effects) };
    start.at(Screen::Mode).send(Message::Resumed(request, Ok(taken))).at(Screen::Work);

    let (mut cancelled, _) = start::interrupted(KeyOrigin::Generated);
    cancelled.enter().esc();
    assert!(cancelled.model.shell.dialog.is_none());
    told(&cancelled, "Cancelled: nothing was resumed.");
}

fn the_answer_that_changes_nothing_is_taken_however_soon_it_comes() {
    let harmless = |journey: &mut Journey| {
        assert!(journey.model.shell.dialog.is_some());
        journey.at_once(KeyCode::Enter);
        assert!(
            journey.model.shell.dialog.is_none() && journey.model.shell.notice.is_none(),
            "{:?}",
            journey.model.shell.notice
        );
    };
    let mut untouched = Journey::ready();
    untouched.types("q");
    assert_eq!(untouched.model.shell.ending, Some(Ending::Left), "there is nothing to lose");
    let mut left = reviewing(2000);
    left.types("q").send(Message::Resize(40, 10)).send(Message::Resize(80, 24));
    harmless(&mut left);
    let (mut start, _) = start::interrupted(KeyOrigin::Generated);
    let Some(Effect::Resume(request, ..)) = start.enter().effects.pop() else { panic!() };
    start.send(Message::Resumed(request, Err(vec!["It is gone.".into()])));
    harmless(&mut start);
    let mut deletion = opened(broken());
    deletion.passes(2000).types("d").send(Message::Continued);
    harmless(&mut deletion);
}

fn a_key_in_clear_is_hidden_when_its_step_is_left_after_a_stop_and_after_a_minute() {
    let shown = || {
        let mut journey = Journey::ready();
        journey.to(Screen::Key).control('r');
        assert!(journey.model.shell.is_revealed() && journey.model.is_animating());
        journey
    };
    for how in ["back", "on", "stopped", "a minute"] {
        let mut journey = shown();
        match how {
            "back" => journey.esc().enter().at(Screen::Key),
            "on" => journey.enter().at(Screen::Review).enter().at(Screen::Key),
            "stopped" => journey.control('z').send(Message::Continued),
            _ => journey.passes(60_000),
        };
        assert!(!journey.model.shell.is_revealed(), "{how}");
    }
    let mut journey = shown();
    journey.passes(59_000);
    assert!(journey.model.shell.is_revealed());
}

fn what_is_copied_is_only_said_to_be_sent_and_where_else_it_is() {
    let mut journey = running();
    journey.send(rested(Ok(Changed::Done), everything())).types("y");
    assert!(matches!(journey.effects.pop(), Some(Effect::Copy(_))) && journey.model.shell.notice.is_none());
    journey.send(Message::Copied { is_sent: true });
    told(
        &journey,
        "Sent to the terminal, which may put it on the clipboard; osvpn --verbose prints it when you leave.",
    );
    journey.send(Message::Copied { is_sent: false });
    told(&journey, "This terminal has no clipboard; osvpn --verbose prints it when you leave.");
}
