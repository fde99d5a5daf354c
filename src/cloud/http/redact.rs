//! Takes secrets out of what a cloud says, should it repeat what it was sent: as it was, with characters in it that do not
//! show, in capitals, encoded, or only its beginning.

use secrecy::{ExposeSecret, SecretString};

use crate::cloud::printable;

/// As much of a secret's beginning tells too much, in characters. What is shorter as a whole is taken out as a whole.
const TELLING: usize = 8;
const HIDDEN: char = '…';

/// A text as [`printable::one_line`] makes it, without these secrets.
pub(crate) fn one_line(text: &str, secrets: &[&SecretString], limit: usize) -> String {
    // What does not show goes first: it could stand within a secret.
    let mut text = printable::one_line(text, text.len());
    for secret in secrets.iter().map(|secret| secret.expose_secret()).filter(|secret| !secret.is_empty()) {
        text = without(&text, &printable::one_line(secret, secret.len()));
        for encoded in encodings(secret.as_bytes()) {
            text = without(&text, &encoded);
        }
    }
    printable::one_line(&text, limit)
}

/// The text without a word, and without its beginning where that tells too much. Capitals make no difference.
fn without(text: &str, word: &str) -> String {
    let word: Vec<char> = word.chars().collect();
    let enough = word.len().min(TELLING);
    if enough == 0 {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let alike = rest.chars().zip(&word).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count();
        let taken = if alike >= enough { alike } else { 1 };
        kept.push(if alike >= enough { HIDDEN } else { character });
        rest = rest.char_indices().nth(taken).map_or("", |(at, _)| &rest[at..]);
    }
    kept
}

/// In base64, wherever in a longer text it stands: what of it does not depend on its neighbours.
fn encodings(secret: &[u8]) -> Vec<String> {
    const LETTERS: [&[u8; 64]; 2] = [
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    ];
    // Short ones would be found everywhere.
    if secret.len() < TELLING {
        return Vec::new();
    }
    let encode = |letters: &[u8; 64], skipped: usize| -> String {
        let whole = secret.get(skipped..).unwrap_or_default().chunks_exact(3);
        let bits = whole.map(|three| three.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)));
        let six = |bits: u32, place: u32| char::from(letters[((bits >> (18 - 6 * place)) & 63) as usize]);
        bits.flat_map(|bits| [0, 1, 2, 3].map(|place| six(bits, place))).collect()
    };
    LETTERS.iter().flat_map(|letters| [0, 1, 2].map(|skipped| encode(letters, skipped))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_however_it_is_repeated() {
        let secret = SecretString::from("Zq7PSKinMemory0123456789ab");
        let told = |text: &str| one_line(text, &[&secret], 400);
        for text in [
            "Zq7PSKinMemory0123456789ab",
            "Zq7PSK\u{200b}inMemory0123456789ab",
            "zq7pskinmemory0123456789AB",
            "Zq7PSKinMemory0123",
        ] {
            assert_eq!(told(&format!("key '{text}' is bad")), "key '…' is bad");
        }
        // In base64 alone, behind one character, and behind two.
        for text in [
            "WnE3UFNLaW5NZW1vcnkwMTIzNDU2Nzg5YWI=",
            "YVpxN1BTS2luTWVtb3J5MDEyMzQ1Njc4OWFi",
            "YWJacTdQU0tpbk1lbW9yeTAxMjM0NTY3ODlhYg==",
        ] {
            let text = told(text);
            assert!(text.contains('…') && text.chars().count() < 12, "{text}");
        }
        assert_eq!(told("Zq7 is not it"), "Zq7 is not it");
        assert_eq!(one_line("a DEMO of demos", &[&SecretString::from("demo")], 400), "a … of …s");
    }
}
