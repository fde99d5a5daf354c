//! What is wrong with a YAML file, without quoting it: the parser's own messages show the lines around the fault, and the
//! value that did not fit, and in a clouds.yaml those are passwords.

use serde_saphyr::Error as Yaml;

/// The line (from 1), the keys leading to it (`clouds.prod.auth.password`), and the reason.
pub(crate) fn explain(error: &Yaml, text: &str) -> (Option<u64>, Option<String>, String) {
    let mut error = error.without_snippet();
    // A fault within an alias is reported where the anchor is, not where it is used.
    while let Yaml::AliasError { error: original, .. } = error {
        error = original.without_snippet();
    }
    let line = error.location().map(|location| location.line()).filter(|&line| line > 0);
    let index = line.and_then(|line| usize::try_from(line).ok());
    if let Yaml::MultipleDocuments { .. } = error {
        // Its place is the first thing of the second document, which begins above.
        let before = text.lines().take(index.unwrap_or(usize::MAX)).enumerate();
        let begins = before.filter(|(_, line)| line.trim_end() == "---" || line.starts_with("--- ")).last();
        let line = begins.and_then(|(index, _)| u64::try_from(index + 1).ok()).or(line);
        let reason = "a second document begins here, and only one is read; delete one of them, and this line";
        return (line, None, reason.to_owned());
    }
    let at = index.and_then(|line| text.lines().nth(line.checked_sub(1)?)).unwrap_or_default();
    let is_tabbed = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    if is_tabbed(at) {
        return (line, None, "the line is indented with a tab; YAML needs spaces".to_owned());
    }
    let key = index.and_then(|line| key_path(text, line));
    let is_scalar = |expected: &str| expected.contains("scalar") || expected.contains("string");
    if matches!(error, Yaml::Unexpected { expected, .. } if is_scalar(expected)) && at.contains("region_name:") {
        let reason = "`region_name` is one region; several stand as a list below `regions:`";
        return (line, key, reason.to_owned());
    }
    (line, key, reason(error))
}

fn reason(error: &Yaml) -> String {
    match error {
        Yaml::SerdeInvalidType { expected, .. } | Yaml::SerdeInvalidValue { expected, .. } => {
            format!("expected {expected}")
        }
        Yaml::Unexpected { expected: "mapping start", .. } => "expected settings, each as `key: value`".to_owned(),
        Yaml::Unexpected { expected: "sequence start", .. } => "expected a list, each entry as `- value`".to_owned(),
        Yaml::Unexpected { expected, .. } => format!("expected {expected}"),
        Yaml::UnknownAnchor { .. } => "an alias (`*name`) refers to no anchor (`&name`) before it".to_owned(),
        Yaml::MergeValueNotMapOrSeqOfMaps { .. } => "`<<` must be followed by a mapping".to_owned(),
        Yaml::Eof { .. } => "the file ends in the middle of something".to_owned(),
        _ => "not valid YAML; look at indentation, quotes and colons".to_owned(),
    }
}

/// The keys above a line, by their indentation. Only keys are returned, and only of block style, which is how these files
/// are written; within a flow mapping (`{…}`) it is the key the mapping belongs to.
fn key_path(text: &str, line: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let (mut keys, mut limit) = (Vec::new(), usize::MAX);
    for line in lines.iter().rev() {
        let indent = line.len() - line.trim_start().len();
        let key = line.trim_start().split(':').next().unwrap_or_default();
        let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
        if plain && line.contains(':') && indent < limit {
            keys.push(key);
            limit = indent;
        }
    }
    keys.reverse();
    (!keys.is_empty()).then(|| keys.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_above_a_line_are_named_and_nothing_else() {
        let text = "clouds:\n  a:\n    auth: {x: 1}\n  b:\n    region_name: r\n    auth:\n      password: [hunter2]\n";
        assert_eq!(key_path(text, 7).as_deref(), Some("clouds.b.auth.password"));
        assert_eq!(key_path(text, 3).as_deref(), Some("clouds.a.auth"));
        assert_eq!(key_path("- hunter2: x", 1), None);
    }
}
