use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use proptest::prelude::*;
use proptest::sample::select;
use secrecy::ExposeSecret;

use super::Input;
use super::parser::Parser;

/// Longer than anything is waited for.
const SILENCE: Duration = Duration::from_secs(20);

/// What came of pieces, each read so long after the one before it; each in a word or two.
fn read(pieces: &[(&[u8], u64)]) -> Vec<String> {
    let mut parser = Parser::default();
    let mut now = Duration::ZERO;
    let mut inputs = Vec::new();
    for (piece, pause) in pieces {
        let next = now + Duration::from_millis(*pause);
        while let Some(deadline) = parser.deadline().filter(|deadline| *deadline < next) {
            inputs.extend(parser.expire(deadline));
        }
        now = next;
        inputs.extend(parser.feed(piece, now));
    }
    inputs.extend(parser.expire(now + SILENCE));
    assert!(parser.deadline().is_none(), "nothing is waited for any more");
    inputs.iter().map(named).collect()
}

fn at_once(bytes: &[u8]) -> Vec<String> {
    read(&[(bytes, 1000)])
}

fn named(input: &Input) -> String {
    let KeyEvent { code, modifiers, kind, .. } = match input {
        Input::Key(key) => key,
        Input::Paste(text) => return format!("paste {:?}", text.expose_secret()),
        Input::Click { column, row } => return format!("click {column} {row}"),
        Input::Wheel { is_up } => return if *is_up { "wheel up".to_owned() } else { "wheel down".to_owned() },
        other => panic!("{other:?}"),
    };
    let mut text = String::new();
    for (modifier, name) in [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-")] {
        if modifiers.contains(modifier) {
            text += name;
        }
    }
    match code {
        KeyCode::Char(character) => text.push(*character),
        code => text = format!("{text}{code:?}"),
    }
    if *kind == KeyEventKind::Press { text } else { format!("{kind:?} {text}") }
}

#[test]
fn of_the_mouse_only_the_left_button_and_the_wheel_mean_something() {
    // Pressed and released, also far to the right of where the old form ends; the wheel; right, middle, and a drag.
    let sent =
        b"\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<0;300;47M\x1b[<64;5;5M\x1b[<65;5;5M\x1b[<2;5;5M\x1b[<1;5;5M\x1b[<32;6;5M";
    assert_eq!(at_once(sent), ["click 0 0", "click 299 46", "wheel up", "wheel down"]);
    // Nothing that is no place, and what is torn apart is put together.
    assert!(at_once(b"\x1b[<0;0;1M\x1b[<0;;M\x1b[<0;99999999;1M\x1b[<M").is_empty());
    assert_eq!(read(&[(b"\x1b[<0;1", 1000), (b"2;3Mx", 100)]), ["click 11 2", "x"]);
}

#[test]
fn keys_are_what_a_terminal_sends_for_them() {
    let keys: [(&[u8], &[&str]); 30] = [
        (b"a", &["a"]),
        ("ü€😀".as_bytes(), &["ü", "€", "😀"]),
        (b"\r", &["Enter"]),
        (b"\n", &["Enter"]),
        (b"\r\n", &["Enter"]),
        (b"\x1bOM", &["Enter"]),
        (b"\x1b[13u", &["Enter"]),
        (b"\x1b[57414u", &["Enter"]),
        (b"\x1b[13;1:2u", &["Repeat Enter"]),
        (b"\x1b[13;1:3u", &["Release Enter"]),
        (b"\t", &["Tab"]),
        (b"\x1b[Z", &["BackTab"]),
        (b"\x7f", &["Backspace"]),
        (b"\x08", &["Backspace"]),
        (b"\x03", &["Ctrl-c"]),
        (b"\x1b[99;5u", &["Ctrl-c"]),
        (b"\x00", &["Ctrl- "]),
        (b"\x1b", &["Esc"]),
        (b"\x1b\x1b", &["Esc", "Esc"]),
        (b"\x1bd", &["Alt-d"]),
        (b"\x1bP", &["Alt-P"]),
        (b"\x1b]", &["Alt-]"]),
        (b"\x1bO", &["Alt-O"]),
        (b"\x1b[A\x1bOB\x1b[1;5C", &["Up", "Down", "Ctrl-Right"]),
        (b"\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[3~", &["PageUp", "PageDown", "Home", "End", "Delete"]),
        (b"\x1bOP\x1b[11~\x1b[[A\x1b[P", &["F(1)", "F(1)", "F(1)", "F(1)"]),
        (b"\x1bOp\x1bOy", &["0", "9"]),
        (b"\x1b[200~two\r\nlines\x1b[201~", &["paste \"two\\r\\nlines\""]),
        (b"two\rlines\r", &["t", "w", "o", "Repeat Enter", "l", "i", "n", "e", "s", "Repeat Enter"]),
        (b"\xff\xc3a", &["a"]),
    ];
    for (bytes, expected) in keys {
        assert_eq!(at_once(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_person_who_types_after_esc_or_alt_is_heard() {
    for (pieces, expected) in [
        (&[(b"\x1b" as &[u8], 0), (b"P", 90), (b"d", 90)][..], &["Esc", "P", "d"][..]),
        (&[(b"\x1bP", 0), (b"d", 90), (b"\x1b[B", 90)], &["Alt-P", "d", "Down"]),
        (&[(b"\x1b", 0), (b"]", 90), (b"\r", 90)], &["Esc", "]", "Enter"]),
        (&[(b"\r", 0), (b"\n", 90)], &["Enter", "Enter"]),
        (&[(b"\r", 0), (b"\n", 20)], &["Enter"]),
        (&[(b"\x1b", 0), (b"\x1b", 90)], &["Esc", "Esc"]),
    ] {
        assert_eq!(read(pieces), expected);
    }
}

/// Answers of terminals, which are not typed.
const REPLIES: [&[u8]; 17] = [
    b"\x1b]11;rgb:dddd/dddd/dddd\x1b\\",
    b"\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
    b"\x1b]52;c;ZG5zbQ==\x1b\\",
    b"\x1b]lmy title\x1b\\",
    b"\x1bP>|tmux 3.5a\x1b\\",
    b"\x1bP1$r0;1m\x1b\\",
    b"\x1bP!|00000000\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b^a private message\x1b\\",
    b"\x1bXdnsma\r\x1b\\",
    b"\x1b[?64;1;2;6;9;15;18;21;22c",
    b"\x1b[>0;276;0c",
    b"\x1b[?2026;2$y",
    b"\x1b[12;40R",
    b"\x1b[I\x1b[O",
    b"\x1b[<2;10;5M\x1b[<0;10;5m",
    b"\x1b[M !!",
];

#[test]
fn what_is_not_ended_is_waited_for_a_while_and_ctrl_c_ends_it() {
    for begun in [b"\x1b]11;rgb:" as &[u8], b"\x1bP>|", b"\x1b[12;4", b"\x1b[200~"] {
        let mut expected = if begun.ends_with(b"~") { vec!["paste \"\""] } else { vec![] };
        expected.extend(["d", "Enter"]);
        assert_eq!(read(&[(begun, 0), (b"d", 3000), (b"\r", 200)]), expected, "{}", begun.escape_ascii());
        let hurried = read(&[(begun, 0), (b"\x03", 80)]);
        assert_eq!(hurried.last().map(String::as_str), Some("Ctrl-c"), "{}", begun.escape_ascii());
        // Keys that keep coming do not delay it.
        let impatient: Vec<(&[u8], u64)> =
            std::iter::once((begun, 0)).chain(std::iter::repeat_n((b"x" as &[u8], 100), 40)).collect();
        assert!(read(&impatient).iter().filter(|key| *key == "x").count() > 20, "{}", begun.escape_ascii());
    }
    let unended = read(&[(b"\x1b[200~198.51.100.7", 0), (b"\r", 2000), (b"\x1b", 2000)]);
    assert_eq!(unended, ["paste \"198.51.100.7\"", "Enter", "Esc"]);
}

#[test]
fn the_rest_of_a_reply_is_known_when_it_comes_too_late() {
    for pieces in [
        [b"\x1b" as &[u8], b"]11;rgb:dddd/dddd/dddd\x1b\\"],
        [b"\x1b]", b"11;rgb:dddd/dddd/dddd\x1b\\"],
        [b"\x1b]11;rgb:dd", b"dd/dddd/dddd\x1b\\"],
        [b"\x1b]11;rgb:dddd/dddd/dddd\x1b", b"\\"],
        [b"\x1bP", b">|tmux 3.5a\x1b\\"],
        [b"\x1bP>|tm", b"ux 3.5a\x07"],
        [b"\x1b", b"[?64;1;2c"],
    ] {
        let keys = read(&[(pieces[0], 0), (pieces[1], 2500)]);
        assert!(keys.iter().all(|key| key == "Esc" || key.starts_with("Alt-")), "{keys:?} of {pieces:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]
    #[test]
    fn no_reply_is_a_key_however_it_is_torn_apart(
        replies in proptest::collection::vec((select(&REPLIES[..]), proptest::collection::vec((1_usize..9, 0_u64..45), 0..9)), 1..4),
    ) {
        let mut pieces: Vec<(&[u8], u64)> = Vec::new();
        for (reply, cuts) in replies {
            let mut rest = reply;
            for (length, pause) in cuts {
                let (piece, after) = rest.split_at(length.min(rest.len()));
                pieces.push((piece, pause));
                rest = after;
            }
            pieces.push((rest, 10));
        }
        pieces.push((b"z", 60));
        pieces.retain(|(piece, _)| !piece.is_empty());
        prop_assert_eq!(read(&pieces), ["z"]);
    }

    #[test]
    fn whatever_arrives_ctrl_c_is_heard_and_nothing_waits_for_ever(
        pieces in proptest::collection::vec((proptest::collection::vec(prop_oneof![
            any::<u8>(), select(b"\x1b[]OP_^X\\\x07\x9b\x9d\x9c200~1;mM".to_vec()),
        ], 1..12), 0_u64..4000), 0..12),
    ) {
        let mut all: Vec<(&[u8], u64)> = pieces.iter().map(|(piece, pause)| (piece.as_slice(), *pause)).collect();
        all.push((b"\x03", 0));
        let inputs = read(&all);
        prop_assert_eq!(inputs.last().map(String::as_str), Some("Ctrl-c"));
    }
}
