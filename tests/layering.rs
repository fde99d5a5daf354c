//! The arrows between the modules, and what each of them may not touch, read off the sources.

use std::path::{Path, PathBuf};

/// Which modules of the crate each module may use. What is not here may use everything.
const ARROWS: [(&str, &[&str]); 15] = [
    ("cloud", &["cloud"]),
    ("plan", &["plan", "cloud"]),
    ("inspect", &["inspect", "plan", "cloud"]),
    ("change", &["change", "inspect", "plan", "cloud"]),
    ("engine", &["engine", "change", "inspect", "plan", "cloud", "system"]),
    ("report", &["report", "sheet", "engine", "change", "inspect", "plan", "cloud"]),
    ("sheet", &["sheet", "inspect", "plan", "cloud"]),
    ("wizard", &["wizard", "sheet", "sign_in", "inspect", "engine", "change", "plan", "cloud"]),
    ("view", &["view", "wizard", "sheet", "sign_in", "inspect", "engine", "change", "plan", "cloud"]),
    ("simulator", &["simulator"]),
    ("system", &["system"]),
    ("sign_in", &["sign_in", "simulator", "cloud"]),
    (
        "tui",
        &[
            "tui", "view", "wizard", "report", "sheet", "sign_in", "system", "inspect", "engine", "change", "plan",
            "cloud",
        ],
    ),
    (
        "commands",
        &[
            "commands",
            "tui",
            "view",
            "wizard",
            "report",
            "sheet",
            "sign_in",
            "simulator",
            "system",
            "inspect",
            "engine",
            "change",
            "plan",
            "cloud",
        ],
    ),
    ("cli", &["cli", "commands", "report"]),
];

struct Source {
    path: PathBuf,
    /// Without comments, and without the tests at its end.
    lines: Vec<String>,
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut dirs = vec![src.clone()];
    while let Some(dir) = dirs.pop() {
        for path in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.lines().take_while(|line| *line != "mod tests {");
                let lines = code.map(|line| without_comment(line).to_owned()).collect();
                found.push(Source { path: path.strip_prefix(&src).unwrap().to_owned(), lines });
            }
        }
    }
    found.retain(|source| !source.path.ends_with("tests.rs"));
    assert!(found.len() > 50, "the sources are found");
    found
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line }
}

impl Source {
    /// The module of the crate it belongs to: `wizard/step.rs` is part of `wizard`.
    fn module(&self) -> String {
        let first = self.path.components().next().unwrap().as_os_str().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    /// Every line that holds one of these words, as `path: line`.
    fn mentions(&self, words: &[&str]) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| words.iter().any(|word| line.contains(word)));
        lines.map(|line| format!("{}: {}", self.path.display(), line.trim())).collect()
    }
}

fn mentions_in(modules: &[&str], words: &[&str]) -> Vec<String> {
    let of_those = |source: &Source| modules.contains(&source.module().as_str());
    sources().iter().filter(|source| of_those(source)).flat_map(|source| source.mentions(words)).collect()
}

/// The modules of the crate that a source at that depth names, each with the line of its `crate::`, counted from 1.
fn used(code: &str, depth: usize) -> Vec<(String, usize)> {
    let code = code.replace(&"super::".repeat(depth), "crate::");
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (place, path) in code.match_indices("crate::") {
        let rest = &code[place + path.len()..];
        let names = if let Some(list) = rest.strip_prefix('{') { entries(list) } else { vec![rest] };
        let line = code[..place].lines().count().max(1);
        found.extend(names.into_iter().map(word).filter(|name| !name.is_empty()).map(|name| (name, line)));
    }
    found
}

/// The entries of a list of paths that has just been opened. A list within one of them is part of that entry.
fn entries(list: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    let mut begun = 0;
    for (place, character) in list.char_indices() {
        match (character, depth) {
            ('{', _) => depth += 1,
            ('}' | ',', 0) => {
                found.push(list[begun..place].trim());
                begun = place + 1;
                if character == '}' {
                    break;
                }
            }
            ('}', _) => depth -= 1,
            _ => {}
        }
    }
    found
}

/// The files of the simulator that use one another in a circle. Whatever uses none of the others is taken away, until there
/// is nothing to take.
fn circle_in_the_simulator() -> Vec<String> {
    let of_it = |source: &Source| source.path.parent() == Some(Path::new("simulator"));
    let name = |source: &Source| source.path.file_stem().unwrap().to_str().unwrap().to_owned();
    let uses =
        |source: &Source| used(&source.lines.join("\n"), 1).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let mut left: Vec<_> = sources().iter().filter(|source| of_it(source)).map(|s| (name(s), uses(s))).collect();
    assert!(left.len() > 15, "the simulator is found");
    loop {
        let names: Vec<String> = left.iter().map(|(name, _)| name.clone()).collect();
        left.retain(|(name, uses)| uses.iter().any(|used| used != name && names.contains(used)));
        if left.len() == names.len() {
            return names;
        }
    }
}

#[test]
fn the_files_of_the_simulator_use_only_those_below_them() {
    assert_eq!(circle_in_the_simulator(), [] as [String; 0]);
}

#[test]
fn a_list_is_read_to_its_end_however_it_is_wrapped() {
    let names = |text: &str| used(text, 2).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("use crate::{\n    plan::{Half, Plan},\n    view,\n};\nuse std::{io, fmt};"), ["plan", "view"]);
    assert_eq!(names("use super::super::{\n    report::Report,\n};\nuse super::{Made};"), ["report"]);
    assert_eq!(names("let x = crate::tui::run(crate::cloud::Id);"), ["tui", "cloud"]);
}

#[test]
fn modules_use_only_those_below_them() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else { continue };
        let depth = source.path.components().count();
        let outside = used(&source.lines.join("\n"), depth);
        let outside = outside.into_iter().filter(|(name, _)| !allowed.contains(&name.as_str()));
        wrong.extend(outside.map(|(name, line)| format!("{}:{line} uses {name}", source.path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_map_names_every_module() {
    let map = include_str!("../CONTRIBUTING.md");
    let modules = include_str!("../src/lib.rs").lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'));
    let missing: Vec<&str> = modules.filter(|module| !map.contains(&format!("`{module}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn only_the_view_and_the_terminal_know_of_drawing() {
    let drawing = mentions_in(&["cloud", "plan", "engine", "wizard", "simulator", "commands", "report"], &["ratatui"]);
    assert!(drawing.is_empty(), "{drawing:#?}");
}

#[test]
fn wizard_and_view_read_no_clock() {
    let clocks = mentions_in(&["wizard", "view"], &["Instant::now", "SystemTime", "Timestamp::now"]);
    assert!(clocks.is_empty(), "{clocks:#?}");
}

#[test]
fn the_view_has_only_colours_the_user_has_chosen() {
    let fixed = mentions_in(&["view"], &["Color::Rgb", "Color::Indexed"]);
    assert!(fixed.is_empty(), "{fixed:#?}");
}

/// How many names may stand for more than one type of the crate. It only goes down.
const TWINS: usize = 9;

/// The name that a line gives to a type, if it does.
fn defined(line: &str) -> Option<&str> {
    let rest = line.trim_start();
    let rest = if let Some(public) = rest.strip_prefix("pub") {
        public.split_once(") ").filter(|_| public.starts_with('(')).map_or(public, |(_, rest)| rest)
    } else {
        rest
    };
    let (keyword, rest) = rest.trim_start().split_once(' ')?;
    let is_associated = keyword == "type" && line.starts_with(' ');
    let is_type = matches!(keyword, "struct" | "enum" | "trait" | "type" | "union") && !is_associated;
    rest.split(|c: char| !c.is_alphanumeric()).next().filter(|name| is_type && !name.is_empty())
}

#[test]
fn one_name_is_one_type() {
    assert_eq!(["pub(crate) struct A(u8);", "    enum A {"].map(defined), [Some("A"); 2]);
    assert_eq!(["    type Value = A;", "let a = 1;", "pub fn a() {"].map(defined), [None; 3]);
    let mut places = std::collections::BTreeMap::<String, Vec<String>>::new();
    for source in sources() {
        for (index, line) in source.lines.iter().enumerate() {
            if let Some(name) = defined(line) {
                let place = format!("{}:{}", source.path.display(), index + 1);
                places.entry(name.to_owned()).or_default().push(place);
            }
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.len() <= TWINS, "{} names stand for more than one type: {places:#?}", places.len());
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let unwrapped: Vec<String> =
        sources().iter().flat_map(|source| source.mentions(&[".unwrap()", ".expect("])).collect();
    assert!(unwrapped.is_empty(), "{unwrapped:#?}");
}

/// Where a command to copy takes something that is not written in the source by itself.
fn unquoted(code: &str) -> Vec<&str> {
    let cli = <osvpn::cli::Cli as clap::CommandFactory>::command();
    let is_command = |word: &str| cli.get_subcommands().any(|command| command.get_name() == word);
    let is_filled = |(at, program): &(usize, &str)| {
        let mut words = code[at + program.len()..].lines().next().unwrap_or_default().split(' ');
        let first = words.next().unwrap_or_default();
        let is_literal = |word: &&str| word.starts_with("--") || (*program == "openstack " && !word.starts_with('{'));
        (is_command(first) || first.starts_with("--"))
            && words.find(|word| !is_literal(word)).is_some_and(|word| word.starts_with('{'))
    };
    let all = code.match_indices("osvpn ").chain(code.match_indices("openstack "));
    all.filter(is_filled).map(|(at, _)| code[at..].lines().next().unwrap_or_default()).collect()
}

#[test]
fn a_command_to_copy_is_built_by_the_type_that_quotes() {
    let told =
        "osvpn rotate-psk {handle} --renew, osvpn doctor --fix {}, openstack --os-region-name {}, or osvpn {version}";
    assert_eq!(unquoted(told).len(), 3, "{:?}", unquoted(told));
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.path != Path::new("plan/shell.rs")) {
        let lines = source.lines.iter().map(|line| line.trim_start());
        let code: String =
            lines.flat_map(|line| line.strip_suffix('\\').map_or([line, "\n"], |line| [line, ""])).collect();
        wrong.extend(unquoted(&code).iter().map(|line| format!("{}: {line}", source.path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
