//! Text that is secret: wiped when it goes, and shown only on request.

use std::fmt;

use itertools::Itertools;
use secrecy::ExposeSecret;
use secrecy::zeroize::{Zeroize, Zeroizing};

use crate::plan::psk::{self, KeyOrigin, Psk, PskProblem};

/// More than the longest key, so that a pasted text that is too long is seen to be so.
const SECRET_CAPACITY: usize = 128;
/// As much as a terminal is taken to paste at once.
const LONG_CAPACITY: usize = 64 << 10;

/// So many characters, in words.
pub fn characters(count: usize) -> String {
    format!("{count} character{}", if count == 1 { "" } else { "s" })
}

/// So many different characters are few: a generated key of 32 has about 25.
const FEW: usize = 7;

/// The key while it is typed. Its memory never moves, so no copy of a part is left behind, and is wiped on drop.
pub struct SecretText {
    text: Zeroizing<String>,
    generated: bool,
    /// In bytes.
    capacity: usize,
}

impl Default for SecretText {
    fn default() -> Self {
        Self::with_capacity(SECRET_CAPACITY)
    }
}

impl SecretText {
    fn with_capacity(capacity: usize) -> Self {
        Self { text: Zeroizing::new(String::with_capacity(capacity)), generated: false, capacity }
    }

    /// One of many lines.
    #[must_use]
    pub fn long() -> Self {
        Self::with_capacity(LONG_CAPACITY)
    }

    #[must_use]
    pub fn generated(psk: &Psk) -> Self {
        let mut secret = Self::default();
        secret.text.push_str(psk.secret().expose_secret());
        secret.generated = true;
        secret
    }

    /// Takes the key of a run that was interrupted.
    #[must_use]
    pub fn of(psk: &Psk, origin: KeyOrigin) -> Self {
        Self { generated: origin == KeyOrigin::Generated, ..Self::generated(psk) }
    }

    pub const fn is_generated(&self) -> bool {
        self.generated
    }

    /// Where it came from, for those who have to get it.
    pub const fn key_origin(&self) -> KeyOrigin {
        if self.is_generated() { KeyOrigin::Generated } else { KeyOrigin::Given }
    }

    /// Appends what was typed or pasted, without line ends and spaces around it. A generated key gives way to it.
    pub fn insert(&mut self, text: &str) {
        if self.generated {
            self.clear();
        }
        text.trim().chars().for_each(|character| self.push(character));
    }

    /// Appends what was typed, a space too: the rule of keys tells what is wrong with it.
    pub fn push(&mut self, character: char) {
        if self.generated {
            self.clear();
        }
        if !character.is_control() {
            self.append(character);
        }
    }

    fn append(&mut self, character: char) {
        if self.text.len() + character.len_utf8() <= self.capacity {
            self.text.push(character);
        }
    }

    /// Appends text of several lines.
    pub(super) fn append_lines(&mut self, text: &str) {
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\r' => self.append('\n'),
                character => self.append(character),
            }
        }
    }

    /// Whether no more fits into it.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() + 4 > self.capacity
    }

    /// Drops the last character; of a generated key, all of it.
    pub fn backspace(&mut self) {
        if self.generated {
            self.clear();
        } else {
            self.text.pop();
        }
    }

    pub fn clear(&mut self) {
        self.text.zeroize();
        if self.text.capacity() < self.capacity {
            self.text.reserve_exact(self.capacity);
        }
        self.generated = false;
    }

    pub fn chars(&self) -> usize {
        self.text.chars().count()
    }

    /// Whether a key that is long enough is made of so few different characters that it can be guessed.
    pub fn has_few_characters(&self) -> bool {
        self.check().is_ok() && self.text.chars().unique().nth(FEW).is_none()
    }

    /// The text itself; for the screen only while it is revealed.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What the rule says of it.
    /// Errors: the first thing that breaks the rule.
    pub fn check(&self) -> Result<(), PskProblem> {
        psk::check(&self.text)
    }

    /// The key, once it keeps the rule.
    pub fn psk(&self) -> Option<Psk> {
        Psk::parse(&self.text).ok()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText([hidden])")
    }
}
