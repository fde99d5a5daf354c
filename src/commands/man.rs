//! `osvpn man`, `osvpn help`: the same texts as manual pages and on the terminal.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Command};

use super::manual::{page, page_of_text};
use super::print_whole;
use crate::report::ExitStatus;

const EXAMPLES: &str = "\
Examples:
  osvpn man | man -l -                       read the page of osvpn
  osvpn man apply | man -l -                 read that of osvpn apply
  osvpn man --output ~/.local/share/man/man1 install all of them";

/// Print a manual page, or write all of them.
///
/// Each command has one, with examples, exit codes, files and environment; osvpn help COMMAND prints the same on the terminal.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// A command, or json, plan, sign-in, vpns or wizard [default: the page of osvpn itself].
    #[arg(value_name = "COMMAND")]
    topic: Option<String>,
    /// Write every page into this directory, a file each.
    #[arg(long, short, value_name = "DIR", conflicts_with = "topic")]
    output: Option<PathBuf>,
}

const HELP_EXAMPLES: &str = "\
Examples:
  osvpn help apply             as osvpn apply --help
  osvpn help plan              the file that it takes
  osvpn help sign-in           credentials, and what becomes of secrets
  osvpn help vpns              how VPNs are found, compared, interrupted and finished
  osvpn help wizard            its keys, and the wizard in lines
  osvpn help json              what osvpn prints with --json";

/// Print the help of a command, or of a thing that many commands have in common.
#[derive(Debug, Args)]
#[command(after_long_help = HELP_EXAMPLES)]
pub(crate) struct HelpArgs {
    /// A command, or json, plan, sign-in, vpns or wizard [default: osvpn itself].
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
            fs::create_dir_all(directory)?;
            for (name, text) in pages(&root)? {
                fs::write(directory.join(name), text)?;
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
            return print_whole(topic.text.as_bytes());
        }
        match root.find_subcommand_mut(name) {
            Some(command) => command.print_long_help()?,
            None => return no_topic(&mut root, name),
        }
        Ok(ExitStatus::Done)
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
    root.error(ErrorKind::InvalidSubcommand, format!("there is no command '{topic}'")).print()?;
    Ok(ExitStatus::Usage)
}

/// The words that both take, and what each is about.
pub(super) fn topics(root: &Command) -> Vec<(String, String)> {
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set());
    let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    let all = commands.map(|command| (command.get_name().to_owned(), about(command)));
    all.chain(TOPICS.iter().map(|topic| (topic.name.to_owned(), topic.about.to_owned()))).collect()
}
