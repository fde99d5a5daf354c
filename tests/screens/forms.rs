//! Fields to fill in.

use super::*;

#[test]
fn the_peer_is_asked_for_with_help_and_then_with_what_is_wrong() {
    let mut journey = Journey::discovered_on(SMALL);
    journey.single().to(Screen::Peer);
    screen_at_every_size("peer", &mut journey);
    journey.types("198.51.100.300").press("Tab").press("Tab").types("10.0.0.0/16").press("Tab");
    screen_at_every_size("peer-wrong", &mut journey);
}

#[test]
fn what_the_other_side_has_sent_is_asked_for_refused_and_read() {
    let mut journey = Journey::discovered_on(SMALL);
    journey.single().to(Screen::Peer).press("Ctrl-t");
    screen_at_every_size("paste", &mut journey);
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
    journey.send(Message::Paste(key.into()));
    screen_at_every_size("paste-wrong", &mut journey);
    let text = include_str!("../peer_sheets/samples/fortios.txt").replace("203.0.113.9", "103.197.61.75");
    journey.send(Message::Paste(text.into()));
    screen_at_every_size("received", &mut journey);
}

#[test]
fn the_key_is_hidden_until_it_is_asked_for() {
    let mut journey = at(Screen::Key);
    screen_at_every_size("key", &mut journey);
    journey.press("Ctrl-r");
    let text = drawn(&journey.model, &COLOR).text;
    assert!(text.contains(journey::KEY));
    journey.press("Ctrl-r Backspace").types("short");
    screen_at_every_size("key-short", &mut journey);
}

#[test]
fn the_name_shows_what_will_be_called_after_it() {
    let mut journey = at(Screen::Name);
    screen_at_every_size("name", &mut journey);
    journey.press("Ctrl-u Enter");
    screen_at_every_size("name-empty", &mut journey);
}

#[test]
fn a_custom_policy_is_a_list_of_fields() {
    let mut journey = at(Screen::Policy);
    journey.press("3");
    screen_at_every_size("custom", &mut journey);
    journey.press("Down Down Down Down Down Backspace Backspace Backspace Backspace");
    screen_at_every_size("custom-wrong", &mut journey);
    journey.press("End Up Up Up Up Up Up");
    screen_at_every_size("custom-end", &mut journey);
}

#[test]
fn a_key_of_few_different_characters_is_said_to_be_easy_to_guess() {
    let mut journey = at(Screen::Key);
    journey.types(&"ab1".repeat(8));
    let text = drawn(&journey.model, &COLOR).text;
    assert!(text.contains("Few different characters: easy to guess."), "{text}");
    journey.types("Xq7Lm2Zr");
    let text = drawn(&journey.model, &COLOR).text;
    assert!(text.contains("Keep it like a password."), "{text}");
}
