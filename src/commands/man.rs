//! `osvpn man`, `osvpn help`: the same texts as manual pages and on the terminal.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Command};
use crossterm::terminal::size;

use super::manual::{page, page_of_text, reflowed};
use super::print_whole;
use crate::plan::shell::osvpn;
use crate::report::ExitStatus;

const EXAMPLES: &str = "\
Examples:
  osvpn man | man -l -                       read the page of osvpn
  osvpn man apply | man -l -                 read that of osvpn apply
  osvpn man --output ~/.local/share/man      install all of them";

/// Print a manual page, or write all of them.
///
/// Each command has one, with examples, exit codes, files and environment; osvpn help COMMAND prints the same on the terminal.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// A command, or one of the topics that osvpn --help lists [default: the page of osvpn itself].
    #[arg(value_name = "COMMAND")]
    topic: Option<String>,
    /// Write every page into man1, man5 or man7 below this directory, a file each.
    #[arg(long, short, value_name = "DIR", conflicts_with = "topic")]
    output: Option<PathBuf>,
}

const HELP_EXAMPLES: &str = "\
Examples:
  osvpn help apply             as osvpn apply --help
  osvpn help plan              the file that it takes";

/// Print the help of a command, or of a thing that many commands have in common.
#[derive(Debug, Args)]
#[command(after_long_help = HELP_EXAMPLES)]
pub(crate) struct HelpArgs {
    /// A command, or one of the topics that osvpn --help lists [default: osvpn itself].
    #[arg(value_name = "COMMAND")]
    topic: Option<String>,
}

/// What is no command, and has a page nevertheless.
struct Topic {
    name: &'static str,
    /// Of the manual: 5 for the format of a file, 7 for the rest.
    section: char,
    about: &'static str,
    /// Written like the sections below a command.
    text: &'static str,
}

macro_rules! topic {
    ($name:literal, $section:literal, $about:literal) => {
        Topic {
            name: $name,
            section: $section,
            about: $about,
            text: include_str!(concat!("../../assets/manual/", $name, ".txt")),
        }
    };
}

const TOPICS: [Topic; 5] = [
    topic!("json", '7', "what osvpn prints with --json"),
    topic!("plan", '5', "the file of which osvpn apply makes a VPN"),
    topic!("sign-in", '7', "credentials, and what becomes of secrets"),
    topic!("vpns", '7', "how VPNs are found, compared, interrupted and finished"),
    topic!("wizard", '7', "its keys, and the wizard in lines"),
];

impl Topic {
    fn named(name: &str) -> Option<&'static Self> {
        TOPICS.iter().find(|topic| topic.name == name)
    }
}

impl ManArgs {
    pub(crate) fn run(&self, mut root: Command) -> io::Result<ExitStatus> {
        root.build();
        if let Some(directory) = &self.output {
            for (name, text) in pages(&root)? {
                let section = directory.join(format!("man{}", name.rsplit('.').next().unwrap_or("1")));
                fs::create_dir_all(&section)?;
                fs::write(section.join(name), text)?;
            }
            return Ok(ExitStatus::Done);
        }
        let wanted = match (self.topic.as_deref(), self.topic.as_deref().and_then(Topic::named)) {
            (None, _) => "osvpn.1".to_owned(),
            (_, Some(topic)) => format!("osvpn-{}.{}", topic.name, topic.section),
            (Some(command), None) => format!("osvpn-{command}.1"),
        };
        match pages(&root)?.into_iter().find(|(name, _)| *name == wanted) {
            Some((_, text)) => print_whole(&text),
            None => no_topic(&mut root, self.topic.as_deref().unwrap_or_default()),
        }
    }
}

impl HelpArgs {
    pub(crate) fn run(&self, mut root: Command) -> io::Result<ExitStatus> {
        root.build();
        let Some(name) = self.topic.as_deref() else {
            root.print_long_help()?;
            return Ok(ExitStatus::Done);
        };
        if let Some(topic) = Topic::named(name) {
            return print_whole(reflowed(topic.text, columns()).as_bytes());
        }
        match root.find_subcommand_mut(name) {
            Some(command) => command.print_long_help()?,
            None => return no_topic(&mut root, name),
        }
        Ok(ExitStatus::Done)
    }
}

/// Those of the terminal, as long as a line is easily read; 80 for a file or a pipe.
fn columns() -> usize {
    match size() {
        Ok((columns, _)) if io::stdout().is_terminal() => usize::from(columns).clamp(40, 100),
        _ => 80,
    }
}

/// Every page that there is, by file; each names others.
fn pages(root: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set());
    let own = "osvpn(1)".to_owned();
    let topics: Vec<String> = TOPICS.iter().map(|topic| format!("osvpn-{}({})", topic.name, topic.section)).collect();
    let others: Vec<String> = [own.clone()].into_iter().chain(topics.iter().cloned()).collect();
    let of_topics = TOPICS.iter().map(|topic| page_of_text(topic.name, topic.section, topic.about, topic.text, &own));
    std::iter::once(page(root, &topics))
        .chain(commands.map(|command| page(command, &others)))
        .chain(of_topics)
        .collect()
}

fn no_topic(root: &mut Command, topic: &str) -> io::Result<ExitStatus> {
    let begins = |other: &str, count: usize| other.chars().take(count).eq(topic.chars().take(count));
    let mut near = topics(root);
    // As many first letters as possible.
    let most = (2..=topic.chars().count()).rev().find(|count| near.iter().any(|(name, _)| begins(name, *count)));
    near.retain(|(name, _)| most.map_or_else(|| Topic::named(name).is_some(), |count| begins(name, count)));
    let near = near.iter().map(|(name, _)| osvpn("help").operand(name).to_string()).collect::<Vec<_>>().join(", ");
    let problem = format!("there is no command '{topic}'; there is: {near}, and osvpn help for all");
    root.error(ErrorKind::InvalidSubcommand, problem).print()?;
    Ok(ExitStatus::Usage)
}

/// What is no command, for the help of all.
pub(super) fn other_topics() -> String {
    let line = |topic: &Topic| format!("\n  {:<9}  {}", topic.name, topic.about);
    format!("Topics of osvpn help:{}", TOPICS.iter().map(line).collect::<String>())
}

/// The words that both take, and what each is about.
pub(super) fn topics(root: &Command) -> Vec<(String, String)> {
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set());
    let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    let all = commands.map(|command| (command.get_name().to_owned(), about(command)));
    all.chain(TOPICS.iter().map(|topic| (topic.name.to_owned(), topic.about.to_owned()))).collect()
}
