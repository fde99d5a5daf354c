//! What stands below the options of a command, in its help and on its manual page, from one text: examples, exit codes, files,
//! environment. A command's own part stands with the command; what many share is here.

use std::io;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::man;
use crate::plan::shell::osvpn;
use crate::plan::wrap::{LongWords, wrap};
use crate::report::{ExitStatus, hanging};

/// Whom it concerns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Concern {
    All,
    /// Commands that sign in.
    SignIn,
    /// Commands that take a key.
    Key,
    /// The wizard, which is osvpn without a command.
    Wizard,
}

type ManualEntry = (Concern, &'static str, &'static str);

const FILES: [ManualEntry; 5] = [
    (
        Concern::SignIn,
        "clouds.yaml, secure.yaml",
        "clouds and their credentials: in the current directory, ~/.config/openstack or /etc/openstack",
    ),
    (
        Concern::SignIn,
        "~/.local/state/osvpn/*.json, *.change",
        "the journals of what was interrupted; they hold no key, and are deleted when all is done",
    ),
    (
        Concern::SignIn,
        "~/.local/state/osvpn/names",
        "the names of VPNs, regions and subnets that were read last, which the shell completes, by Keystone, project and user; no secret",
    ),
    (Concern::All, "~/.local/state/osvpn/osvpn.log", "the log, if OSVPN_LOG asks for it"),
    (
        Concern::Wizard,
        "NAME.toml, NAME.psk",
        "the plan and the key that the wizard saves when asked, for you alone to read",
    ),
];

const ENVIRONMENT: [ManualEntry; 14] = [
    (Concern::SignIn, "OS_CLOUD, OS_*", "credentials, as the openstack client reads them"),
    (Concern::SignIn, "OS_CLIENT_CONFIG_FILE", "the clouds.yaml to read, in place of those below Files"),
    (Concern::SignIn, "https_proxy, http_proxy, all_proxy, no_proxy", "the proxy to connect through, also socks5h://"),
    (Concern::Key, "OSVPN_PSK", "the pre-shared key; --psk-file takes precedence"),
    (Concern::All, "OSVPN_LOG", "debug: a log of every request, without secrets; or levels by module"),
    (
        Concern::All,
        "OSVPN_ALLOW_CORE=1",
        "let other processes of yours read the memory of osvpn, to find a fault in it",
    ),
    (Concern::SignIn, "XDG_CONFIG_HOME, XDG_CONFIG_DIRS", "in place of ~/.config and /etc/xdg"),
    (Concern::All, "XDG_STATE_HOME", "in place of ~/.local/state"),
    (Concern::Wizard, "NO_COLOR", "no colours"),
    (Concern::Wizard, "NO_MOTION=1, OSVPN_MOTION=0", "nothing spins"),
    (Concern::Wizard, "OSVPN_BELL=0", "no bell and no notification at the end of a long wait"),
    (Concern::Wizard, "ACCESSIBLE=1", "ask in lines, as with --plain"),
    (Concern::Wizard, "TERM", "dumb: ask in lines"),
    (Concern::All, "COMPLETE", "the shell to complete a command line for; osvpn completions sets it"),
];

/// What the foot of each page has: without a date mandoc complains, and one of the build would make no two builds alike.
const SOURCE: &str = concat!("osvpn ", env!("CARGO_PKG_VERSION"));
const DATE: &str = "2026-11-29";

/// Of commands that ask no cloud.
const LOCAL_CODES: &str = "Exit codes:\n  0    done\n  1    failed\n  2    wrong usage";

/// How much of what many commands share stands with each of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As on a manual page.
    Whole,
    /// As on a terminal, where it would push a command's own options away.
    Brief,
}

/// The command line with the sections below each command's options.
pub(crate) fn documented(command: Command, extent: Extent) -> Command {
    let own = sections(&command, true, Extent::Whole);
    command.after_long_help(own).mut_subcommands(|command| {
        let own = sections(&command, false, extent);
        command.after_long_help(own)
    })
}

/// The same, where a command that signs in to no cloud does not offer the options for one.
pub(crate) fn honest(command: Command) -> Command {
    command.mut_subcommands(|command| {
        if command.get_arguments().any(|argument| argument.get_id() == "cloud") {
            return command;
        }
        let cloud = Arg::new("cloud").long("cloud").value_name("NAME").global(true).hide(true);
        let demo = Arg::new("demo").long("demo").action(ArgAction::SetTrue).global(true).hide(true);
        command.args([cloud, demo])
    })
}

fn sections(command: &Command, is_root: bool, extent: Extent) -> String {
    let own = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let has = |id: &str| command.get_arguments().any(|argument| argument.get_id() == id);
    let signs_in = has("cloud");
    let concerns = |concern: Concern| match concern {
        Concern::All => true,
        Concern::SignIn => signs_in,
        Concern::Key => has("psk_file") || is_root,
        Concern::Wizard => is_root,
    };
    let list = |heading: &str, entries: &[ManualEntry]| {
        let entries = entries.iter().filter(|(concern, ..)| concerns(*concern));
        let lines = entries.map(|(_, name, text)| format!("  {name}\n{}", hanging("      ", text)));
        format!("{heading}:\n{}", lines.collect::<String>().trim_end())
    };
    let codes = match own.contains("Exit codes:") {
        true => String::new(),
        false if signs_in => ExitStatus::help(),
        false => LOCAL_CODES.to_owned(),
    };
    let shared = match extent {
        Extent::Whole => vec![list("Files", &FILES), list("Environment", &ENVIRONMENT)],
        Extent::Brief => vec![format!("Files and environment: man osvpn-{}, or osvpn help", command.get_name())],
    };
    let topics = if is_root { man::other_topics() } else { String::new() };
    let all = [own, topics, codes].into_iter().chain(shared);
    all.filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The manual page of a command of a command line that is built, and its file's name.
pub(super) fn page(command: &Command, see_also: &[String]) -> io::Result<(String, Vec<u8>)> {
    let is_root = command.get_subcommands().next().is_some();
    let man = Man::new(command.clone()).source(SOURCE).manual("osvpn").date(DATE);
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold(command.get_bin_name().unwrap_or(command.get_name())), roman(synopsis(command, is_root))]);
    roff.to_writer(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if is_root {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    below(&mut roff, &command.get_after_long_help().map(ToString::to_string).unwrap_or_default());
    refer(&mut roff, see_also);
    roff.to_writer(&mut text)?;
    // clap's paragraph before possible values is no roff that mandoc likes.
    let text = String::from_utf8_lossy(&text).replace("\n.br\n\n.br\n", "\n.sp\n");
    Ok((man.get_filename(), text.into_bytes()))
}

/// Every option and argument, with the names of their values.
fn synopsis(command: &Command, is_root: bool) -> String {
    let word = |argument: &Arg| {
        let values = argument.get_value_names().unwrap_or_default().iter().map(|name| format!(" {name}"));
        let values = if argument.get_action().takes_values() { values.collect() } else { String::new() };
        let word = argument.get_long().map_or_else(|| values.trim().to_owned(), |long| format!("--{long}{values}"));
        let more =
            if argument.is_positional() && matches!(argument.get_action(), ArgAction::Append) { "..." } else { "" };
        if argument.is_required_set() { format!(" {word}{more}") } else { format!(" [{word}]{more}") }
    };
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let (places, options): (Vec<&Arg>, Vec<&Arg>) = shown.partition(|argument| argument.is_positional());
    let words = options.into_iter().chain(places).map(word).collect::<String>();
    format!("{words}{}", if is_root { " [COMMAND]" } else { "" })
}

/// The page of what is no command, and its file's name.
pub(super) fn page_of_text(
    topic: &str,
    section: char,
    about: &str,
    body: &str,
    see_also: &str,
) -> io::Result<(String, Vec<u8>)> {
    let (name, section) = (format!("osvpn-{topic}"), section.to_string());
    let mut roff = Roff::new();
    roff.control("TH", [name.as_str(), section.as_str(), DATE, SOURCE, "osvpn"]);
    roff.control("SH", ["NAME"]).text([roman(format!("{name} - {about}"))]);
    roff.control("SH", ["DESCRIPTION"]);
    below(&mut roff, body);
    refer(&mut roff, &[see_also.to_owned()]);
    let mut text = Vec::new();
    roff.to_writer(&mut text)?;
    Ok((format!("{name}.{section}"), text))
}

fn refer(roff: &mut Roff, see_also: &[String]) {
    roff.control("SH", ["SEE ALSO"]).text([roman(see_also.join(", "))]);
}

/// In bytes. A longer line that ends with a colon leads to an example.
const LONGEST_HEADING: usize = 40;

/// What a line of such a text is.
enum TextLine<'a> {
    Heading(&'a str),
    /// Its indentation, and the rest.
    Indented(usize, &'a str),
    Plain(&'a str),
    Empty,
}

impl<'a> TextLine<'a> {
    fn of(line: &'a str) -> Self {
        let text = line.trim_start();
        match line.len() - text.len() {
            _ if text.is_empty() => Self::Empty,
            0 if text.ends_with(':') && text.len() <= LONGEST_HEADING => Self::Heading(text.trim_end_matches(':')),
            0 => Self::Plain(text),
            indent => Self::Indented(indent, text),
        }
    }
}

const LISTS: [&str; 7] =
    ["Topics of osvpn help", "Exit codes", "Files", "Environment", "Fields", "Keys", "Typed in lines"];

/// Such a text in that many columns. Examples stay as they are.
pub(super) fn reflowed(text: &str, columns: usize) -> String {
    let (mut out, mut is_list, mut paragraph) = (String::new(), false, (0, String::new()));
    let end = |out: &mut String, (indent, text): &mut (usize, String)| {
        if !text.is_empty() {
            let lines = wrap(text, columns.saturating_sub(*indent), LongWords::Whole);
            out.extend(lines.iter().map(|line| format!("{}{line}\n", " ".repeat(*indent))));
            text.clear();
        }
    };
    for line in text.lines() {
        let of = TextLine::of(line);
        let (indent, words) = match of {
            TextLine::Plain(words) => (0, words),
            TextLine::Indented(indent, words) if is_list && indent > 2 => (indent, words),
            TextLine::Heading(_) | TextLine::Indented(..) | TextLine::Empty => {
                end(&mut out, &mut paragraph);
                out.push_str(line);
                out.push('\n');
                if let TextLine::Heading(heading) = of {
                    is_list = LISTS.contains(&heading);
                }
                continue;
            }
        };
        if paragraph.0 != indent {
            end(&mut out, &mut paragraph);
        }
        paragraph = (indent, format!("{} {words}", paragraph.1).trim_start().to_owned());
    }
    end(&mut out, &mut paragraph);
    out
}

/// A heading, a list of names with what each is, an example to copy, or a paragraph.
fn below(roff: &mut Roff, text: &str) {
    let (mut is_list, mut is_example, mut is_apart, mut is_begun) = (false, false, false, false);
    for line in text.lines().map(TextLine::of) {
        if is_example && matches!(line, TextLine::Heading(_) | TextLine::Plain(_)) {
            roff.control("EE", []);
            is_example = false;
        }
        if is_apart && matches!(line, TextLine::Plain(_) | TextLine::Indented(..)) {
            roff.control(if is_example { "sp" } else { "PP" }, []);
        }
        is_apart = matches!(line, TextLine::Empty) && !is_list && is_begun;
        is_begun = !matches!(line, TextLine::Heading(_)) && (is_begun || !matches!(line, TextLine::Empty));
        match line {
            TextLine::Heading(heading) => {
                is_list = LISTS.contains(&heading);
                let heading = if heading == "Exit codes" { "Exit status" } else { heading };
                let is_command = heading.starts_with("osvpn");
                roff.control("SH", [if is_command { heading.to_owned() } else { heading.to_uppercase() }.as_str()]);
            }
            TextLine::Indented(2, text) if is_list => {
                let (name, rest) = text.split_once("  ").unwrap_or((text, ""));
                roff.control("TP", []).text([bold(name)]);
                if !rest.is_empty() {
                    roff.text([roman(rest.trim_start())]);
                }
            }
            TextLine::Indented(indent, text) if !is_list => {
                if !is_example {
                    roff.control("EX", []);
                    is_example = true;
                }
                roff.text([roman(format!("{}{text}", " ".repeat(indent - 2)))]);
            }
            TextLine::Indented(_, text) | TextLine::Plain(text) => drop(roff.text([roman(text)])),
            TextLine::Empty => {}
        }
    }
    if is_example {
        roff.control("EE", []);
    }
}

/// The tip for a command line that begins with the name of a VPN.
pub(crate) fn with_tip(mut error: clap::Error) -> clap::Error {
    let name = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) => name.clone(),
        _ => return error,
    };
    if error.get(ContextKind::SuggestedSubcommand).is_none() {
        let tip = format!("if that is a VPN, look at it with: {}", osvpn("status").operand(name));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}
