//! Fields to fill in.

use super::*;

#[test]
fn the_peer_is_asked_for_with_help_and_then_with_what_is_wrong() {
    let mut journey = Journey::discovered_on(SMALL);
    journey.single().to(Screen::Peer);
    screen("peer", &mut journey);
    journey.types("198.51.100.300").press("Tab").press("Tab").types("10.0.0.0/16").press("Tab");
    screen("peer-wrong", &mut journey);
}

#[test]
fn the_key_is_hidden_until_it_is_asked_for() {
    let mut journey = at(Screen::Key);
    screen("key", &mut journey);
    journey.press("Ctrl-r");
    let text = drawn(&journey.model, &COLOR).text;
    assert!(text.contains(journey::KEY));
    journey.press("Ctrl-r Backspace").types("short");
    screen("key-short", &mut journey);
}

#[test]
fn the_name_shows_what_will_be_called_after_it() {
    let mut journey = at(Screen::Name);
    screen("name", &mut journey);
    journey.press("Ctrl-u Enter");
    screen("name-empty", &mut journey);
}

#[test]
fn a_custom_policy_is_a_list_of_fields() {
    let mut journey = at(Screen::Policy);
    journey.press("3");
    screen("custom", &mut journey);
    journey.press("Down Down Down Down Down Backspace Backspace Backspace Backspace");
    screen("custom-wrong", &mut journey);
    journey.press("End Up Up Up Up Up Up");
    screen("custom-end", &mut journey);
}
