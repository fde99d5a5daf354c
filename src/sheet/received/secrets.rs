//! Keys as configurations write them.

use secrecy::SecretString;

use super::Received;
use super::notes::ReceivedNotes;
use crate::sheet::KEY_PLACE;

/// A key, and the ends it is for: all, if none is named.
#[derive(Default)]
pub(super) struct SecretFor {
    pub(super) ids: Vec<String>,
    pub(super) key: Option<SecretString>,
}

/// The key that is for both ends of a VPN.
pub(super) fn key_for(vpn: &Received, secrets: &[SecretFor], notes: &mut ReceivedNotes) -> Option<SecretString> {
    let ends = [&vpn.own, &vpn.far].map(|end| {
        let address = end.address.as_ref().filter(|address| !address.starts_with('%'));
        [end.id.as_ref(), address]
    });
    let open = ends.iter().filter(|end| end.iter().all(Option::is_none)).count();
    let is_known = |id: &&String| ends.iter().flatten().any(|known| *known == Some(*id));
    // An end that the text does not name may be any.
    let fits = |secret: &&SecretFor| secret.ids.iter().filter(|id| !is_known(id)).count() <= open;
    let rank = |secret: &&SecretFor| secret.ids.iter().filter(is_known).count();
    let fitting: Vec<&SecretFor> = secrets.iter().filter(fits).collect();
    let best = fitting.iter().map(rank).max();
    let keys: Vec<&SecretFor> = fitting.into_iter().filter(|secret| Some(rank(secret)) == best).collect();
    match keys.as_slice() {
        [only] => only.key.clone(),
        [] if secrets.is_empty() => None,
        [] => {
            notes.of_all("the keys in the text are for other ends than those of this VPN");
            None
        }
        _ => {
            notes.of_all("which of the keys is the one of this VPN is not said");
            None
        }
    }
}

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
