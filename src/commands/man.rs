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
    /// A command, or json [default: the page of osvpn itself].
    #[arg(value_name = "COMMAND")]
    topic: Option<String>,
    /// Write every page into this directory, a file each.
    #[arg(long, short, value_name = "DIR", conflicts_with = "topic")]
    output: Option<PathBuf>,
}

const HELP_EXAMPLES: &str = "\
Examples:
  osvpn help apply             as osvpn apply --help
  osvpn help json              what osvpn prints with --json";

/// Print the help of a command, or what osvpn prints with --json.
#[derive(Debug, Args)]
#[command(after_long_help = HELP_EXAMPLES)]
pub(crate) struct HelpArgs {
    /// A command, or json [default: osvpn itself].
    #[arg(value_name = "COMMAND")]
    topic: Option<String>,
}

const JSON_TOPIC: &str = "json";
/// What osvpn-json(7) says, and `osvpn help json`.
pub(crate) const JSON: &str = include_str!("../../assets/json.txt");

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
        let wanted = match self.topic.as_deref() {
            None => "osvpn.1".to_owned(),
            Some(JSON_TOPIC) => "osvpn-json.7".to_owned(),
            Some(topic) => format!("osvpn-{topic}.1"),
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
        match self.topic.as_deref() {
            None => root.print_long_help()?,
            Some(JSON_TOPIC) => return print_whole(JSON.as_bytes()),
            Some(topic) => match root.find_subcommand_mut(topic) {
                Some(command) => command.print_long_help()?,
                None => return no_topic(&mut root, topic),
            },
        }
        Ok(ExitStatus::Done)
    }
}

/// Every page that there is; each names the others.
fn pages(root: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set());
    let (own, json) = ("osvpn(1)".to_owned(), "osvpn-json(7)".to_owned());
    let all = std::iter::once(page(root, std::slice::from_ref(&json)));
    let all = all.chain(commands.map(|command| page(command, &[own.clone(), json.clone()])));
    let json = page_of_text("osvpn-json", "what osvpn prints with --json", JSON, std::slice::from_ref(&own));
    all.chain([json]).collect()
}

fn no_topic(root: &mut Command, topic: &str) -> io::Result<ExitStatus> {
    root.error(ErrorKind::InvalidSubcommand, format!("there is no command '{topic}'")).print()?;
    Ok(ExitStatus::Usage)
}
