//! Keys as configurations write them.

use secrecy::SecretString;

use super::notes::ReceivedNotes;
use crate::sheet::KEY_PLACE;

/// A key as text. What stands in its place, and what is written in another way, is none.
pub(super) fn key(line: usize, text: &str, notes: &mut ReceivedNotes) -> Option<SecretString> {
    let text = unquoted(text.trim());
    let coded = match text.get(..2) {
        Some("0x" | "0X") => "in hexadecimal",
        Some("0s" | "0S") => "in base64",
        _ => "",
    };
    if text.is_empty() || text == KEY_PLACE {
        notes.of_line(line, "the key is not in the text");
        None
    } else if !coded.is_empty() {
        notes.of_line(
            line,
            format!("the key is written {coded}, and this cloud takes letters and digits; agree on another"),
        );
        None
    } else {
        Some(SecretString::from(text))
    }
}

/// A text without the quotes around it.
pub(super) fn unquoted(text: &str) -> &str {
    let within = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

/// Seconds, as strongSwan writes them.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "" | "s" | "seconds" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

/// An identity without what says its kind.
pub(super) fn identity(text: &str) -> String {
    let text = unquoted(text.trim());
    let kinds = ["fqdn:", "userfqdn:", "email:", "rfc822:", "ipv4:", "ipv6:"];
    let text = kinds.iter().find_map(|kind| text.strip_prefix(kind)).unwrap_or(text);
    text.strip_prefix("@@").or_else(|| text.strip_prefix('@')).unwrap_or(text).to_owned()
}
