//! What `--json` prints, beside the manual page that documents it: the same fields, of the same types.

use std::collections::BTreeMap;

use super::*;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/manual/json.txt");

/// In characters. Of a longer text the page shows the beginning.
const LONGEST: usize = 60;

/// A document as the page shows it: of each list the first entry, and a VPN within another document not again.
fn shortened(document: &Value) -> Value {
    match document {
        Value::Array(entries) => Value::Array(entries.iter().take(1).map(shortened).collect()),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let is_vpn = value.get("condition").is_some();
                (name.clone(), if is_vpn { json!({"name": value["name"]}) } else { shortened(value) })
            };
            fields.iter().map(field).collect()
        }
        Value::String(text) if text.chars().count() > LONGEST => {
            Value::from(text.chars().take(LONGEST).chain("...".chars()).collect::<String>())
        }
        scalar => scalar.clone(),
    }
}

/// Every field by its path, with the types of its values.
fn shape(document: &Value, path: &str, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match document {
        Value::Array(_) => "list",
        Value::Object(_) => "object",
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "truth",
        // Of a type that is not seen here.
        Value::Null => "null",
    };
    found.entry(path.to_owned()).or_default().insert(kind);
    match document {
        Value::Array(entries) => entries.iter().for_each(|entry| shape(entry, &format!("{path}[]"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| shape(value, &format!("{path}.{name}"), found)),
        _ => {}
    }
}

fn shape_of(document: &Value) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut found = BTreeMap::new();
    shape(document, "", &mut found);
    found
}

/// The sections of the page: heading, text, and the lines that are indented.
fn sections(page: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let mut sections = vec![(String::new(), Vec::new(), Vec::new())];
    for line in page.lines() {
        match line.strip_suffix(':') {
            Some(heading) if !line.starts_with(' ') && heading.len() < 40 => {
                sections.push((heading.to_owned(), Vec::new(), Vec::new()));
            }
            _ => {
                let (_, text, indented) = sections.last_mut().unwrap();
                match line.strip_prefix("  ") {
                    Some(line) => indented.push(line.to_owned()),
                    None => text.push(line.to_owned()),
                }
            }
        }
    }
    sections
}

/// What was printed, by the heading it stands under.
async fn documents() -> Vec<(&'static str, Value)> {
    let scene = Scene::new().await;
    let plan = site_to_site(scene.home.path());
    let mut all = Vec::new();
    for (heading, args, code) in [
        ("osvpn apply --dry-run", &["apply", plan, "--dry-run"][..], 0),
        ("osvpn apply", &["apply", plan], 0),
        ("osvpn list", &["list"], 0),
        ("osvpn status", &["status", "test-vpn"], 0),
        ("osvpn doctor", &["doctor", "test-vpn"], 0),
        ("osvpn forecast", &["forecast"], 5),
        ("osvpn peer", &["peer", "test-vpn", "--for", "swanctl"], 0),
        ("osvpn rotate-psk", &["rotate-psk", "test-vpn", "--yes"], 0),
        ("Errors", &["status", "nope"], 2),
    ] {
        let (ended, document) = scene.json(args).await;
        assert_eq!(ended, code, "{args:?}: {document:#}");
        all.push((heading, document));
    }
    let watched = scene.run(&["status", "--watch", "--json", "--timeout", "1"]).await;
    let mut watched: Value = serde_json::from_str(watched.out.lines().next().unwrap()).unwrap();
    watched["sign_in_warnings"] = json!([]);
    assert!(watched.as_object_mut().unwrap().remove("at").is_some_and(|at| at.is_string()), "{watched}");
    all.push(("osvpn status", watched));
    let scene = Scene::new().await;
    let refused = FaultEffect::status(409);
    scene.cloud.inject(InjectedFault::new(refused).method("POST").path("ipsec-site-connections").region(B));
    let (code, _) = scene.json(&["apply", site_to_site(scene.home.path())]).await;
    assert_eq!(code, 1);
    all.push(("osvpn rollback", scene.json(&["rollback", "--yes"]).await.1));
    all
}

/// Documents that have what those of the page lack.
async fn others() -> Vec<Value> {
    let scene = Scene::with_foreign_vpn().await;
    let mut all = Vec::new();
    for args in [
        &["admit", "hlz-por", "--yes"][..],
        &["set-subnets", "hlz-por", "A+=db-subnet", "--yes"],
        &["rotate-psk", "--all-public-keys", "--yes"],
        &["upgrade", "--all", "--yes"],
        &["doctor", "--modernise", "--yes"],
        &["resume", "hlz-por"],
    ] {
        all.push(scene.json(args).await.1);
    }
    let b = scene.site().await.connection(B).await;
    scene.cloud.uproot(B, "ipsec-site-connections", b["id"].as_str().unwrap());
    for args in [
        &["list"][..],
        &["status"],
        &["doctor"],
        &["repair", "hlz-por", "--yes"],
        &["delete", "hlz-por", "--yes"],
        &["delete", "--strays", "--yes"],
    ] {
        all.push(scene.json(args).await.1);
    }
    let refused = FaultEffect::status(409);
    scene.cloud.inject(InjectedFault::new(refused).method("POST").path("ipsec-site-connections").region(B));
    for args in [&["apply", site_to_site(scene.home.path())][..], &["list"], &["status"]] {
        all.push(scene.json(args).await.1);
    }
    scene.cloud.inject(InjectedFault::new(FaultEffect::status(403)).region(B).method("GET").always());
    all.push(scene.json(&["list"]).await.1);
    all
}

fn names(document: &Value, found: &mut BTreeSet<String>) {
    match document {
        Value::Array(entries) => entries.iter().for_each(|entry| names(entry, found)),
        Value::Object(fields) => {
            found.extend(fields.keys().cloned());
            fields.values().for_each(|value| names(value, found));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manual_page_shows_the_fields_of_each_command_and_says_what_each_is() {
    let printed = documents().await;
    if std::env::var_os("UPDATE_ASSETS").is_some() {
        let by_heading: BTreeMap<_, _> = printed.iter().map(|(heading, document)| (*heading, document)).collect();
        let written = sections(&std::fs::read_to_string(PAGE).unwrap()).into_iter().map(|(heading, text, indented)| {
            let example = by_heading.get(heading.as_str()).map(|document| format!("{:#}", shortened(document)));
            let lines = example.map_or(indented, |example| example.lines().map(str::to_owned).collect());
            let title = if heading.is_empty() { String::new() } else { format!("{heading}:\n") };
            let text = text.join("\n").trim().to_owned();
            let lines: Vec<String> = lines.iter().map(|line| format!("  {line}")).collect();
            let parts = [text, lines.join("\n")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            format!("{title}{}\n", parts.join(if heading == "Fields" { "\n" } else { "\n\n" }))
        });
        std::fs::write(PAGE, written.collect::<Vec<_>>().join("\n")).unwrap();
    }
    let page = sections(&std::fs::read_to_string(PAGE).unwrap());
    for (heading, document) in &printed {
        let (.., example) = page.iter().find(|(other, ..)| other == heading).unwrap_or_else(|| panic!("{heading}"));
        let example: Value =
            serde_json::from_str(&example.join("\n")).unwrap_or_else(|error| panic!("{heading}: {error}"));
        assert_eq!(document["schema"], example["schema"], "{heading}");
        let (shown, real) = (shape_of(&example), shape_of(&shortened(document)));
        for (path, kinds) in &real {
            let shown = shown.get(path).unwrap_or_else(|| panic!("{heading}: {path} is printed and not on the page"));
            assert!(
                shown == kinds || shown.contains("null") || kinds.contains("null"),
                "{heading}: {path}: {shown:?}, {kinds:?}"
            );
        }
        for path in shown.keys() {
            assert!(real.contains_key(path), "{heading}: {path} is on the page and not printed");
        }
    }
    let (.., glossary) = page.iter().find(|(heading, ..)| heading == "Fields").unwrap();
    let explained: BTreeSet<String> =
        glossary.iter().flat_map(|line| line.split("  ").next().unwrap().split(", ").map(str::to_owned)).collect();
    let mut all = BTreeSet::from(["at".to_owned()]);
    let documents = printed.into_iter().map(|(_, document)| document).chain(others().await);
    for document in documents {
        names(&document, &mut all);
    }
    let unexplained: Vec<&String> = all.difference(&explained).collect();
    assert!(unexplained.is_empty(), "the page does not say what these are: {unexplained:?}");
    // What these scenes do not come to is at least in the sources.
    let sources = words_of(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let gone: Vec<&String> = explained.iter().filter(|name| !all.contains(*name) && !sources.contains(*name)).collect();
    assert!(gone.is_empty(), "the page explains what nothing prints: {gone:?}");
}

fn words_of(directory: &std::path::Path) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            words.extend(words_of(&path));
        } else {
            let text = std::fs::read_to_string(path).unwrap();
            words.extend(text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map(str::to_owned));
        }
    }
    words
}
