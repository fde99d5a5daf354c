//! Control sequences that are keys: `ESC [`, parameters, and a final byte.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Input;

/// The key of a control sequence, by its parameters and its final byte. Reports of the cursor, of the mouse, of the focus
/// and of what a terminal can do are none.
pub(super) fn key(parameters: &[u8], last: u8) -> Option<KeyEvent> {
    let text = std::str::from_utf8(parameters).ok()?;
    if text.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) {
        return None;
    }
    let number = |at: usize, part: usize| -> Option<u32> {
        text.split(';').nth(at).and_then(|parameter| parameter.split(':').nth(part)).and_then(|text| text.parse().ok())
    };
    let code = match last {
        b'A'..=b'D' | b'F' | b'H' => cursor(last)?,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        b'Z' => return Some(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)),
        // xterm's other way to send a key with modifiers.
        b'~' if number(0, 0) == Some(27) => by_code_point(number(2, 0)?)?,
        b'~' => by_number(number(0, 0)?)?,
        b'u' => by_code_point(number(0, 0)?)?,
        _ => return None,
    };
    let modifiers = modifiers(number(1, 0).unwrap_or(1));
    let kind = match number(1, 1) {
        Some(2) => KeyEventKind::Repeat,
        Some(3) => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    };
    let code = match code {
        KeyCode::Char(letter) if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::Char(letter.to_ascii_uppercase()),
        KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        code => code,
    };
    Some(KeyEvent::new_with_kind(code, modifiers, kind))
}

/// The keys that the VT220 numbers.
const fn by_number(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11 => KeyCode::F(1),
        12 => KeyCode::F(2),
        13 => KeyCode::F(3),
        14 => KeyCode::F(4),
        _ => return None,
    })
}

/// The keys of kitty's protocol, in which a program that has crashed may have left the terminal.
fn by_code_point(code: u32) -> Option<KeyCode> {
    const KEYPAD: &[u8] = b"0123456789./*-+";
    Some(match code {
        9 => KeyCode::Tab,
        13 | 57414 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        57399..=57413 => KeyCode::Char(KEYPAD.get(usize::try_from(code - 57399).ok()?).copied()?.into()),
        57417 => KeyCode::Left,
        57418 => KeyCode::Right,
        57419 => KeyCode::Up,
        57420 => KeyCode::Down,
        57421 => KeyCode::PageUp,
        57422 => KeyCode::PageDown,
        57423 => KeyCode::Home,
        57424 => KeyCode::End,
        57426 => KeyCode::Delete,
        57344..=63743 => return None,
        code => KeyCode::Char(char::from_u32(code).filter(|character| !character.is_control())?),
    })
}

/// A report of the mouse in SGR form: `ESC [ < button ; column ; row M`. Only the left button and the wheel mean something,
/// and only when they are pressed.
pub(super) fn mouse(parameters: &[u8], last: u8) -> Option<Input> {
    let text = std::str::from_utf8(parameters).ok()?.strip_prefix('<').filter(|_| last == b'M')?;
    let mut numbers = text.split(';').map(str::parse::<u16>);
    let (button, column, row) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    match button {
        0 => Some(Input::Click { column: column.checked_sub(1)?, row: row.checked_sub(1)? }),
        64 | 65 => Some(Input::Wheel { is_up: button == 64 }),
        _ => None,
    }
}

fn modifiers(number: u32) -> KeyModifiers {
    let mask = number.saturating_sub(1);
    let known = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ];
    known.into_iter().filter(|(bit, _)| mask & bit != 0).map(|(_, modifier)| modifier).collect()
}

/// The arrows, Home and End end in the same byte after `ESC [` and after `ESC O`.
const fn cursor(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

/// The key that a keypad in application mode sends after `ESC O`, or an arrow or function key in that mode.
pub(super) const fn keypad(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'I' => KeyCode::Tab,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(1 + byte - b'P'),
        b'X' => KeyCode::Char('='),
        // The characters themselves, 64 higher.
        b'j'..=b'y' => KeyCode::Char((byte - 64) as char),
        _ => return cursor(byte),
    })
}
