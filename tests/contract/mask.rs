//! What differs from run to run and from cloud to cloud, taken out of what a cloud said.

use serde_json::Value;

/// Values of these keys are hidden wherever they stand: moments, chances and counts of a database.
const BY_KEY: [(&str, &str); 8] = [
    ("created_at", "<time>"),
    ("updated_at", "<time>"),
    ("expires_at", "<time>"),
    ("issued_at", "<time>"),
    ("audit_ids", "<audit>"),
    ("mac_address", "<mac>"),
    ("revision_number", "<revision>"),
    ("standard_attr_id", "<number>"),
];

/// Names for what is known; everything else that looks like an id, a token or a moment is hidden.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    /// What stands in an answer, and what is written in its place.
    names: Vec<(String, String)>,
}

impl Mask {
    /// Gives a value a name. The first name a value gets is kept.
    pub fn name(&mut self, value: &str, name: &str) {
        if !value.is_empty() && !self.names.iter().any(|(known, _)| known == value) {
            self.names.push((value.to_owned(), format!("<{name}>")));
            // What contains another known value goes first.
            self.names.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        }
    }

    /// A name for a new object: its kind and how many of them there are now.
    pub fn number(&mut self, value: &str, kind: &str) {
        let before = self.names.iter().filter(|(_, name)| name.starts_with(&format!("<{kind} "))).count();
        self.name(value, &format!("{kind} {}", before + 1));
    }

    /// The text of a body, its keys in alphabetical order.
    pub fn json(&self, body: &Value) -> String {
        let mut body = body.clone();
        hide(&mut body);
        self.text(&body.to_string())
    }

    pub fn text(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (value, name) in &self.names {
            if masked.contains(value.as_str()) {
                masked = replace_whole(&masked, value, name);
            }
        }
        hide_words(&masked)
    }
}

fn hide(body: &mut Value) {
    match body {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match BY_KEY.iter().find(|(hidden, _)| hidden == key) {
                    Some((_, shown)) if !value.is_null() => *value = Value::from(*shown),
                    _ if key == "external_fixed_ips" => by_family(value),
                    _ => hide(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

/// Neutron gives the addresses of a gateway in no certain order; IPv4 goes first here.
fn by_family(addresses: &mut Value) {
    if let Some(addresses) = addresses.as_array_mut() {
        addresses.sort_by_key(|address| address["ip_address"].as_str().is_some_and(|text| text.contains(':')));
    }
}

/// Replaces a value where it does not go on as a longer word: 10.0.0.2 is not part of 10.0.0.20.
fn replace_whole(text: &str, value: &str, name: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(position) = rest.find(value) {
        let (before, found) = rest.split_at(position);
        let after = &found[value.len()..];
        let is_part = before.ends_with(is_of_word) || after.starts_with(is_of_word);
        replaced += before;
        replaced += if is_part { value } else { name };
        rest = after;
    }
    replaced + rest
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Hides ids, tokens and moments nobody has a name for.
fn hide_words(text: &str) -> String {
    let mut hidden = String::new();
    for piece in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "-_:.+".contains(c))) {
        let end =
            piece.char_indices().next_back().filter(|(_, c)| !(c.is_ascii_alphanumeric() || "-_:.+".contains(*c)));
        let (word, _) = piece.split_at(end.map_or(piece.len(), |(index, _)| index));
        let word = word.trim_end_matches('.');
        let tail = &piece[word.len()..];
        hidden += kind_of(word).unwrap_or(word);
        hidden += tail;
    }
    hidden
}

fn kind_of(word: &str) -> Option<&'static str> {
    let word = word.strip_prefix("req-").unwrap_or(word);
    let hex = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit());
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    let date = |text: &str| text.len() >= 19 && text.as_bytes()[10] == b'T' && text[..4].parse::<u16>().is_ok();
    match () {
        () if parts == [8, 4, 4, 4, 12] && word.split('-').all(hex) => Some("<id>"),
        () if word.len() == 32 && hex(word) => Some("<id>"),
        () if word.starts_with("gAAAAA") => Some("<token>"),
        () if word.is_ascii() && date(word) => Some("<time>"),
        () => None,
    }
}
