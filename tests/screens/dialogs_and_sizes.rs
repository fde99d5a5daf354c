//! What stands over everything else, and the smallest terminals.

use super::*;

#[test]
fn help_has_the_steps_text_and_all_its_keys() {
    screen("help", at(Screen::Subnets(Half::A)).press("?"));
}

#[test]
fn leaving_is_asked_with_the_safe_answer_first() {
    screen("leave", at(Screen::Key).press("Esc q"));
}

#[test]
fn a_terminal_that_is_too_small_says_so_in_one_line() {
    let mut journey = at(Screen::Review);
    journey.send(Message::Resize(59, 17));
    insta::assert_snapshot!(drawn(&journey.model, &COLOR).text.trim(), @"osvpn needs 60x18; this is 59x17");
}

#[test]
fn the_smallest_terminal_still_shows_the_button_that_creates() {
    for journey in [&mut at(Screen::Review), &mut Journey::discovered_on(SMALL), &mut at(Screen::Router(Half::A))] {
        journey.send(Message::Resize(60, 18));
        let name = format!(
            "smallest-{}",
            journey.model.screen().name(journey.model.new_vpn.answers.mode).to_lowercase().replace(' ', "-")
        );
        kept(&name, journey);
    }
    let mut run = Run::begun((60, 18));
    run.made(Half::A, 0, 0.4);
    run.failed(Half::B, 0, server_error());
    kept("smallest-run", &run.journey);
}
