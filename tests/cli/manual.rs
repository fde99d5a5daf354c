//! The help and the manual pages, which are one text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

async fn printed(args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = osvpn(home.path());
    command.args(args);
    let ran = run(command).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
    ran.out
}

async fn commands() -> Vec<String> {
    let help = printed(&["--help"]).await;
    let list = help.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // Further lines of a description stand below it.
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// By file. Each is where `man` looks for its section.
async fn pages() -> BTreeMap<String, String> {
    let home = tempfile::tempdir().unwrap();
    let mut command = osvpn(home.path());
    command.args(["man", "--output", "pages"]);
    assert_eq!(run(command).await.code, 0);
    let mut pages = BTreeMap::new();
    for section in ["1", "5", "7"] {
        for entry in std::fs::read_dir(home.path().join("pages").join(format!("man{section}"))).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(path.extension().unwrap(), section);
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            pages.insert(name, std::fs::read_to_string(path).unwrap());
        }
    }
    pages
}

/// Every word like `osvpn-apply(1)`.
fn references(text: &str) -> BTreeSet<String> {
    let text = text.replace('\\', "");
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-()".contains(c);
    let words = text
        .split(|c: char| !is_of_name(c))
        .filter(|word| word.starts_with("osvpn") && word.contains('(') && word.ends_with(')'));
    words.map(|word| word.replacen('(', ".", 1).replace(')', "")).collect()
}

#[tokio::test]
async fn each_command_has_a_page_with_every_section_and_none_refers_to_one_that_is_not_there() {
    let pages = pages().await;
    let commands = commands().await;
    assert!(commands.len() > 15 && commands.contains(&"status".to_owned()), "{commands:?}");
    let topics = ["json", "plan", "sign-in", "vpns", "wizard"];
    assert_eq!(pages.len(), 1 + commands.len() + topics.len(), "{:?}", pages.keys());
    let help = printed(&["--help"]).await;
    for topic in topics {
        let said = printed(&["help", topic]).await;
        let page = printed(&["man", topic]).await;
        assert!(pages.values().any(|one| *one == page) && !said.is_empty(), "{topic}");
        let of_help = help.lines().any(|line| line.starts_with(&format!("  {topic} ")));
        assert!(of_help, "{topic} is missing from {help}");
        // Examples stay as they are.
        let is_prose = |line: &str| topic == "wizard" || !line.starts_with(' ');
        let is_wide = |line: &&str| line.chars().count() > 80 && is_prose(line);
        assert_eq!(said.lines().find(is_wide), None, "{topic}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/manual").join(format!("{topic}.txt"));
        assert_eq!(words(&said), words(&std::fs::read_to_string(source).unwrap()), "{topic}");
    }
    for command in &commands {
        let page = &pages[&format!("osvpn-{command}.1")];
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXAMPLES",
            "EXIT STATUS",
            "FILES",
            "ENVIRONMENT",
            "SEE ALSO",
        ] {
            let is_there = [format!("\n.SH {section}\n"), format!("\n.SH \"{section}\"\n")]
                .iter()
                .any(|heading| page.contains(heading));
            assert!(is_there, "{command} lacks {section}");
        }
        assert_eq!(printed(&["man", command]).await, *page);
        assert_eq!(printed(&["help", command]).await, printed(&[command, "--help"]).await);
    }
    assert_eq!(printed(&["help"]).await, printed(&["--help"]).await);
    let readme = include_str!("../../README.md").to_owned();
    for text in pages.values().chain([&readme, &printed(&["help"]).await]) {
        for reference in references(text) {
            assert!(pages.contains_key(&reference), "{reference} is referred to and not there");
        }
    }
    assert!(references(&pages["osvpn.1"]).len() > commands.len(), "it lists the others");
    let home = tempfile::tempdir().unwrap();
    for (args, near) in [
        (["help", "nothing"], "osvpn help plan"),
        (["man", "nothing"], "osvpn help plan"),
        (["help", "statsu"], "there is: osvpn help status, and"),
        (["help", "sign"], "there is: osvpn help sign-in, and"),
    ] {
        let mut command = osvpn(home.path());
        command.args(args);
        let ran = run(command).await;
        let is_told = ran.err.contains(&format!("no command '{}'", args[1])) && ran.err.contains(near);
        assert!(ran.code == 2 && is_told, "{}", ran.err);
    }
    let upgrade = &pages["osvpn-upgrade.1"].replace('\\', "");
    assert!(upgrade.contains("[--profile PROFILE]") && upgrade.contains("[VPN]"), "{upgrade}");
    for local in ["help", "man", "completions"] {
        let help = printed(&[local, "--help"]).await;
        assert!(!help.contains("--cloud") && !help.contains("--demo"), "{help}");
    }
    let help = printed(&["help", "upgrade"]).await;
    assert!(help.contains("man osvpn-upgrade") && !help.contains("XDG_STATE_HOME"), "{help}");
}

#[tokio::test]
async fn the_readme_shows_the_sheet_that_is_printed() {
    let home = tempfile::tempdir().unwrap();
    let mut command = osvpn(home.path());
    command.args(["peer", "office", "--demo"]);
    let sheet = run(command).await.out;
    assert!(!sheet.is_empty() && include_str!("../../README.md").contains(&sheet), "{sheet}");
}

#[tokio::test]
async fn mandoc_finds_nothing_wrong_with_the_pages() {
    if !command::is_installed("mandoc") {
        return;
    }
    for (name, page) in pages().await {
        let mut mandoc = Command::new("mandoc")
            .args(["-T", "lint", "-W", "warning"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut mandoc.stdin.take().unwrap(), page.as_bytes()).unwrap();
        let output = mandoc.wait_with_output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Every word of the sources that is a variable of osvpn's own.
fn own_variables(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            own_variables(&path, found);
        } else {
            let text = std::fs::read_to_string(path).unwrap();
            let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            found.extend(words.filter(|word| word.starts_with("OSVPN_")).map(str::to_owned));
        }
    }
}

#[tokio::test]
async fn the_help_names_every_variable_that_is_read() {
    let help = printed(&["--help"]).await;
    let mut own = BTreeSet::new();
    own_variables(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut own);
    assert!(own.len() >= 5, "{own:?}");
    let others = ["OS_CLOUD", "NO_COLOR", "NO_MOTION", "ACCESSIBLE", "TERM", "XDG_STATE_HOME", "https_proxy"];
    for name in own.iter().map(String::as_str).chain(others) {
        assert!(help.contains(name), "{name} is missing from\n{help}");
    }
}
