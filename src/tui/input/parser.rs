//! From bytes to keys: a state machine over what arrived and when.
//!
//! A terminal also sends what was not typed: answers about its colours, its name, its cursor, asked for by a program that
//! has ended. Those are recognised by how they begin and swallowed to their end, also when a slow line tears them apart.
//! Whatever waits for an end waits for a bounded time, and Ctrl-C ends it at once.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::{Input, csi};

/// How long after Esc something may follow that belongs to it. No person is as fast.
const ESCAPE: Duration = Duration::from_millis(50);
/// How long the rest of a sequence is waited for.
const SEQUENCE: Duration = Duration::from_millis(500);
/// How long the rest of a reply is waited for.
const REPLY: Duration = Duration::from_secs(1);
/// How long the rest of a paste is waited for.
const PASTE: Duration = Duration::from_millis(1500);
/// For how long the rest of something whose wait is over is still known for that.
const LATE: Duration = Duration::from_secs(5);

/// More than any text that is pasted here; what is beyond it is dropped.
const LONGEST_PASTE: usize = 64 * 1024;
/// More than the parameters of any key.
const LONGEST_PARAMETERS: usize = 64;
const PASTE_END: &[u8] = b"\x1b[201~";
const CTRL_C: u8 = 0x03;
const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ParserState {
    #[default]
    Ground,
    /// In a character of several bytes, of which so many are missing; it may have come with Alt.
    Character {
        missing: u8,
        alt: bool,
    },
    Escape,
    /// `ESC O`.
    Keypad,
    /// `ESC [`.
    Sequence,
    /// `ESC [ [`: a function key of the Linux console.
    Console,
    /// In a report of the mouse in its oldest form, of which so many bytes are missing.
    Mouse {
        missing: u8,
    },
    /// A reply has begun with that byte after Esc, or it was that key with Alt.
    Opened(u8),
    /// In a reply; in 8 bits if it began so.
    Reply {
        is_8_bit: bool,
    },
    /// An Esc in a reply, which should be its end.
    Closing {
        is_8_bit: bool,
    },
    Paste,
}

impl ParserState {
    /// How long what is missing is waited for.
    const fn patience(self) -> Option<Duration> {
        Some(match self {
            Self::Ground => return None,
            Self::Escape | Self::Opened(_) => ESCAPE,
            Self::Character { .. } | Self::Keypad | Self::Sequence | Self::Console | Self::Mouse { .. } => SEQUENCE,
            Self::Reply { .. } | Self::Closing { .. } => REPLY,
            Self::Paste => PASTE,
        })
    }
}

/// What was not waited for any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// What follows an Esc.
    Escape,
    /// A reply that began with that byte after Esc.
    Opened(u8),
    Reply,
    /// The last byte of a reply.
    Closing,
}

/// See the module. Times are counted from any beginning, as long as it is the same one.
#[derive(Debug, Default)]
pub(super) struct Parser {
    state: ParserState,
    /// The bytes of what has begun, where they matter.
    held: Zeroizing<Vec<u8>>,
    /// When the last byte came.
    last: Option<Duration>,
    /// Whether the last byte was a carriage return.
    after_return: bool,
    deadline: Option<Duration>,
    late: Option<(Late, Duration)>,
    inputs: Vec<Input>,
}

impl Parser {
    /// When to call [`Self::expire`], unless something arrives before.
    pub(super) const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Takes what was read at once.
    pub(super) fn feed(&mut self, bytes: &[u8], now: Duration) -> Vec<Input> {
        let is_fast = bytes.len() > 1 || self.last.is_some_and(|last| now.saturating_sub(last) < ESCAPE);
        self.after_return &= is_fast;
        let late = self.late.take().filter(|(_, at)| now.saturating_sub(*at) < LATE);
        let bytes = late.map_or(bytes, |(late, _)| self.rest_of(late, bytes));
        for byte in bytes {
            let before = self.state;
            self.take(*byte);
            // What a person types one by one prolongs nothing.
            if self.state != before || is_fast {
                self.deadline = self.state.patience().map(|patience| now + patience);
            }
        }
        self.last = Some(now);
        self.mark_company();
        std::mem::take(&mut self.inputs)
    }

    /// What was missing has not come in time.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<Input> {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.give_up(now);
        }
        std::mem::take(&mut self.inputs)
    }

    fn give_up(&mut self, now: Duration) {
        self.deadline = None;
        let late = match std::mem::take(&mut self.state) {
            ParserState::Escape => {
                self.press(KeyCode::Esc, KeyModifiers::NONE);
                Some(Late::Escape)
            }
            ParserState::Opened(byte) => {
                self.character(char::from(byte), true);
                Some(Late::Opened(byte))
            }
            ParserState::Reply { .. } => Some(Late::Reply),
            ParserState::Closing { .. } => Some(Late::Closing),
            ParserState::Keypad => {
                self.character('O', true);
                None
            }
            ParserState::Paste => {
                self.end_paste();
                None
            }
            ParserState::Ground
            | ParserState::Character { .. }
            | ParserState::Sequence
            | ParserState::Console
            | ParserState::Mouse { .. } => None,
        };
        self.held.clear();
        self.late = late.map(|late| (late, now));
    }

    /// Goes on with what was not waited for any longer, if this is the rest of it. Keys come one by one.
    fn rest_of<'a>(&mut self, late: Late, bytes: &'a [u8]) -> &'a [u8] {
        let (first, rest) = bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest));
        let second = rest.first().copied().unwrap_or_default();
        match late {
            Late::Closing if first == b'\\' => rest,
            _ if rest.is_empty() => bytes,
            Late::Escape if begins_reply(first) && fits(first, second) => {
                self.state = ParserState::Opened(first);
                rest
            }
            Late::Escape if first == b'[' && matches!(second, b'0'..=b'?' | b'A'..=b'Z') => {
                self.state = ParserState::Sequence;
                rest
            }
            Late::Opened(kind) if fits(kind, first) => {
                self.state = ParserState::Reply { is_8_bit: false };
                bytes
            }
            Late::Reply if bytes.contains(&BEL) || bytes.windows(2).any(|pair| pair == b"\x1b\\") => {
                self.state = ParserState::Reply { is_8_bit: false };
                bytes
            }
            _ => bytes,
        }
    }

    fn take(&mut self, byte: u8) {
        if byte == CTRL_C && self.state != ParserState::Ground {
            self.abandon();
        }
        match self.state {
            ParserState::Ground => self.ground(byte, false),
            ParserState::Character { missing, alt } => self.continuation(byte, missing, alt),
            ParserState::Escape => self.escape(byte),
            ParserState::Keypad => {
                self.state = ParserState::Ground;
                match csi::keypad(byte) {
                    Some(code) => self.press(code, KeyModifiers::NONE),
                    None if byte < 0x20 => self.ground(byte, false),
                    None => {}
                }
            }
            ParserState::Sequence => self.sequence(byte),
            ParserState::Console => {
                self.state = ParserState::Ground;
                if let b'A'..=b'E' = byte {
                    self.press(KeyCode::F(1 + byte - b'A'), KeyModifiers::NONE);
                }
            }
            ParserState::Mouse { missing } => {
                self.state = missing
                    .checked_sub(1)
                    .filter(|left| *left > 0)
                    .map_or(ParserState::Ground, |missing| ParserState::Mouse { missing });
            }
            ParserState::Opened(_) => {
                self.state = ParserState::Reply { is_8_bit: false };
                self.take(byte);
            }
            ParserState::Reply { is_8_bit } => match byte {
                ESC => self.state = ParserState::Closing { is_8_bit },
                BEL | 0x18 | 0x1a => self.state = ParserState::Ground,
                0x9c if is_8_bit => self.state = ParserState::Ground,
                _ => {}
            },
            ParserState::Closing { is_8_bit } => match byte {
                b'\\' => self.state = ParserState::Ground,
                ESC => self.state = ParserState::Closing { is_8_bit },
                // The reply was cut short, and this is something else.
                _ => {
                    self.state = ParserState::Escape;
                    self.escape(byte);
                }
            },
            ParserState::Paste => {
                self.held.push(byte);
                if self.held.ends_with(PASTE_END) {
                    let end = self.held.len() - PASTE_END.len();
                    self.held.truncate(end);
                    self.end_paste();
                    self.state = ParserState::Ground;
                } else if self.held.len() > LONGEST_PASTE + PASTE_END.len() {
                    // Of what is too long only the last bytes matter, as they may be the end of it.
                    self.held.remove(LONGEST_PASTE);
                }
            }
        }
    }

    /// Ends what has begun; the text of a paste is kept.
    fn abandon(&mut self) {
        if std::mem::take(&mut self.state) == ParserState::Paste {
            self.end_paste();
        }
        self.held.clear();
    }

    fn ground(&mut self, byte: u8, alt: bool) {
        let after_return = std::mem::take(&mut self.after_return);
        let modifiers = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        match byte {
            ESC => self.state = ParserState::Escape,
            b'\n' if after_return => {}
            b'\r' | b'\n' => {
                self.after_return = byte == b'\r';
                self.press(KeyCode::Enter, modifiers);
            }
            b'\t' => self.press(KeyCode::Tab, modifiers),
            0x08 | 0x7f => self.press(KeyCode::Backspace, modifiers),
            0x00 => self.press(KeyCode::Char(' '), modifiers | KeyModifiers::CONTROL),
            0x01..=0x1a => self.press(KeyCode::Char(char::from(byte - 1 + b'a')), modifiers | KeyModifiers::CONTROL),
            0x1c..=0x1f => self.press(KeyCode::Char(char::from(byte - 0x1c + b'4')), modifiers | KeyModifiers::CONTROL),
            0x20..=0x7e => self.character(char::from(byte), alt),
            0x80..=0x9f => self.control(byte, true),
            0xc2..=0xf4 => {
                let missing = if byte < 0xe0 { 1 } else { 2 + u8::from(byte >= 0xf0) };
                self.held.clear();
                self.held.push(byte);
                self.state = ParserState::Character { missing, alt };
            }
            // No beginning of a character.
            0xa0..=0xc1 | 0xf5.. => {}
        }
    }

    fn continuation(&mut self, byte: u8, missing: u8, alt: bool) {
        self.state = ParserState::Ground;
        if !matches!(byte, 0x80..=0xbf) {
            self.held.clear();
            return self.ground(byte, false);
        }
        self.held.push(byte);
        if missing > 1 {
            self.state = ParserState::Character { missing: missing - 1, alt };
            return;
        }
        let character = std::str::from_utf8(&self.held).ok().and_then(|text| text.chars().next());
        self.held.clear();
        match character {
            Some(character) if character.is_control() => {
                self.control(u8::try_from(u32::from(character)).unwrap_or_default(), false);
            }
            Some(character) => self.character(character, alt),
            None => {}
        }
    }

    /// A control character of the second set, each of which stands for Esc and a letter.
    fn control(&mut self, byte: u8, is_8_bit: bool) {
        match byte.wrapping_sub(0x40) {
            b'[' => self.begin_sequence(),
            letter if begins_reply(letter) => self.state = ParserState::Reply { is_8_bit },
            _ => {}
        }
    }

    fn escape(&mut self, byte: u8) {
        self.state = ParserState::Ground;
        match byte {
            b'[' => self.begin_sequence(),
            b'O' => self.state = ParserState::Keypad,
            ESC => {
                self.press(KeyCode::Esc, KeyModifiers::NONE);
                self.state = ParserState::Escape;
            }
            byte if begins_reply(byte) => self.state = ParserState::Opened(byte),
            byte => self.ground(byte, true),
        }
    }

    fn begin_sequence(&mut self) {
        self.held.clear();
        self.state = ParserState::Sequence;
    }

    fn sequence(&mut self, byte: u8) {
        match byte {
            b'[' if self.held.is_empty() => self.state = ParserState::Console,
            0x20..=0x3f if self.held.len() < LONGEST_PARAMETERS => self.held.push(byte),
            0x20..=0x3f => {}
            0x40..=0x7e => {
                let parameters = std::mem::take(&mut self.held);
                self.state = match (parameters.as_slice(), byte) {
                    (b"200", b'~') => {
                        // It may be a key, of which growing would leave copies behind.
                        self.held.reserve_exact(LONGEST_PASTE + 2 * PASTE_END.len());
                        ParserState::Paste
                    }
                    (b"", b'M') => ParserState::Mouse { missing: 3 },
                    _ => ParserState::Ground,
                };
                if self.state == ParserState::Ground {
                    let input = csi::key(&parameters, byte).map(Input::Key).or_else(|| csi::mouse(&parameters, byte));
                    self.inputs.extend(input);
                }
            }
            // It was cut short, and this is something else.
            _ => {
                self.held.clear();
                self.state = ParserState::Ground;
                self.ground(byte, false);
            }
        }
    }

    fn end_paste(&mut self) {
        let text = std::mem::take(&mut self.held);
        self.inputs.push(Input::Paste(SecretString::from(String::from_utf8_lossy(&text).into_owned())));
    }

    fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.inputs.push(Input::Key(KeyEvent::new(code, modifiers)));
    }

    fn character(&mut self, character: char, alt: bool) {
        let shift = if character.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
        let alt = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        self.press(KeyCode::Char(character), shift | alt);
    }

    /// An Enter that comes with other text in one piece was pasted into a terminal that does not say so, or is held.
    fn mark_company(&mut self) {
        let is_text = |key: &KeyEvent| match key.code {
            KeyCode::Enter => true,
            KeyCode::Char(_) => !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT),
            _ => false,
        };
        let texts = self.inputs.iter().filter(|input| matches!(input, Input::Key(key) if is_text(key))).count();
        if texts < 2 {
            return;
        }
        for input in &mut self.inputs {
            if let Input::Key(key) = input
                && key.code == KeyCode::Enter
                && key.kind == KeyEventKind::Press
            {
                key.kind = KeyEventKind::Repeat;
            }
        }
    }
}

/// Whether Esc and that letter begin a reply: a device control, application, privacy or operating system string.
const fn begins_reply(letter: u8) -> bool {
    matches!(letter, b']' | b'P' | b'_' | b'^' | b'X')
}

/// Whether a reply that began with that letter can go on with that byte. Those of DCS and OSC begin with numbers.
const fn fits(letter: u8, next: u8) -> bool {
    match letter {
        b']' => next.is_ascii_digit() || matches!(next, b'l' | b'L' | b'I'),
        b'P' => next.is_ascii_digit() || matches!(next, b';' | b'>' | b'!' | b'$' | b'+' | b'=' | b'?'),
        _ => true,
    }
}
