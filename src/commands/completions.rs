//! `osvpn completions`, and what its scripts ask for at each Tab: an answer at once, from files alone, and never an error.

use std::env::{args_os, current_dir};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use clap::builder::StyledStr;
use clap::{Arg, Args, Command, ValueHint};
use clap_complete::engine::complete;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};
use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompleteEnv, CompletionCandidate, PathCompleter, Shell};

use super::names::{self, KnownNames, TAB, in_time};
use super::{man, print_whole};
use crate::cloud::credentials::{Sources, cloud_names};
use crate::report::ExitStatus;
use crate::sign_in::Login;

const EXAMPLES: &str = "\
Examples:
  osvpn completions bash > ~/.local/share/bash-completion/completions/osvpn
  osvpn completions zsh > ~/.zfunc/_osvpn
  osvpn completions fish > ~/.config/fish/completions/osvpn.fish

Names of VPNs, regions and subnets are those that osvpn read last in the cloud and project of the command line. Nothing is sent.";

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        let name = self.shell.to_string();
        let shell = SHELLS.completer(&name).ok_or_else(|| io::Error::other(format!("no script for {name}")))?;
        let mut text = Vec::new();
        shell.write_registration("COMPLETE", "osvpn", "osvpn", "osvpn", &mut text)?;
        if self.shell == Shell::Zsh {
            // Loaded by the first Tab, it has to answer that one too.
            text.extend_from_slice(b"[ \"$funcstack[1]\" = _osvpn ] && _clap_dynamic_completer_osvpn \"$@\"\n");
        }
        print_whole(&text)
    }
}

/// Answers a Tab, if this process was started for one. An error would be printed into a line that somebody types.
pub(crate) fn is_answered(command: impl Fn() -> Command) -> bool {
    let completing = || {
        let command = command();
        let topics = man::topics(&command);
        let completed = |argument| completed(argument, &topics);
        command.mut_args(completed).mut_subcommands(|command| command.mut_args(completed))
    };
    let answer = CompleteEnv::with_factory(completing).shells(SHELLS);
    answer.try_complete(args_os(), current_dir().ok().as_deref()).unwrap_or(true)
}

const SHELLS: Shells<'_> = Shells(&[&BashWords, &Elvish, &Fish, &Powershell, &Zsh]);

/// Bash, which takes `A=b` for three words, and puts what it is told in the place of the last.
struct BashWords;

impl EnvCompleter for BashWords {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    /// An equals sign that is the last word stays one: without it, it is not seen what it follows.
    fn write_registration(&self, var: &str, name: &str, bin: &str, own: &str, to: &mut dyn Write) -> io::Result<()> {
        let mut script = Vec::new();
        Bash.write_registration(var, name, bin, own, &mut script)?;
        let (word, kept) =
            (r#"words[COMP_CWORD]="$2""#, r#"[[ "${words[COMP_CWORD]}" == = ]] || words[COMP_CWORD]="$2""#);
        to.write_all(String::from_utf8_lossy(&script).replacen(word, kept, 1).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        to: &mut dyn Write,
    ) -> io::Result<()> {
        let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok()).unwrap_or_default();
        let separator = std::env::var("_CLAP_IFS").unwrap_or_else(|_| "\n".to_owned());
        let (words, index) = joined(words, index);
        let current = words.get(index).and_then(|word| word.to_str()).unwrap_or_default();
        let there = current.rfind('=').map_or(0, |at| at + 1);
        let found = complete(command, words.clone(), index, directory)?;
        let ends = found.iter().filter_map(|candidate| {
            let value = candidate.get_value().to_str().filter(|value| !value.contains(char::is_control))?;
            Some(quoted(value.get(there..).unwrap_or_default()))
        });
        write!(to, "{}", ends.collect::<Vec<_>>().join(&separator))
    }
}

/// A word as Bash reads it: what Bash is told goes into the line as it is, and a file may have any name.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,:/=+@%".contains(c);
    word.chars().flat_map(|c| (!is_plain(c)).then_some('\\').into_iter().chain([c])).collect()
}

/// The words as they were typed, and which of them that one belongs to.
fn joined(words: Vec<OsString>, index: usize) -> (Vec<OsString>, usize) {
    let (mut typed, mut place, mut is_open) = (Vec::<OsString>::new(), 0, false);
    for (at, word) in words.into_iter().enumerate() {
        let is_sign = word == "=";
        match typed.last_mut() {
            Some(last) if is_open || is_sign => last.push(&word),
            _ => typed.push(word),
        }
        is_open = is_sign;
        if at <= index {
            place = typed.len() - 1;
        }
    }
    (typed, place)
}

/// What an argument takes, by its name: one name means the same in every command.
fn completed(argument: Arg, topics: &[(String, String)]) -> Arg {
    match argument.get_id().as_str() {
        "vpn" => argument.add(ArgValueCandidates::new(vpns)),
        "cloud" => argument.add(ArgValueCandidates::new(clouds)),
        "subnets" => argument.add(ArgValueCompleter::new(subnets)),
        "topic" => {
            let topics = topics.to_vec();
            argument.add(ArgValueCandidates::new(move || {
                topics.iter().map(|(topic, about)| candidate(topic, about)).collect::<Vec<_>>()
            }))
        }
        "plan" | "policy" => argument.add(ArgValueCompleter::new(
            PathCompleter::any().filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "toml")),
        )),
        "psk_file" | "textfile" | "from" => argument.value_hint(ValueHint::FilePath),
        "output" => argument.value_hint(ValueHint::AnyPath),
        _ => argument,
    }
}

/// The login that the command line which is typed asks for.
fn login() -> Login {
    let (words, _) = joined(args_os().skip_while(|word| word != "--").skip(1).collect(), 0);
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let apart = words.windows(2).filter(|pair| pair[0] == "--cloud").map(|pair| pair[1]);
    let within = words.iter().filter_map(|word| word.strip_prefix("--cloud="));
    // More than one is refused.
    match within.chain(apart).last() {
        _ if words.contains(&"--demo") => Login::Demo,
        Some(name) => Login::Named(name.to_owned()),
        None => Login::Default,
    }
}

fn known() -> KnownNames {
    in_time(TAB, || names::known(&login())).unwrap_or_default()
}

/// A name that a shell reads as one plain word: somebody else in the project may have chosen it.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain)
}

fn candidate(value: &str, help: &str) -> CompletionCandidate {
    let help = (!help.is_empty()).then(|| StyledStr::from(help.to_owned()));
    CompletionCandidate::new(value).help(help)
}

/// By name; by id those whose name several have, or that no shell would read as it is.
fn vpns() -> Vec<CompletionCandidate> {
    let vpns = known().vpns;
    let is_alone = |name: &str| vpns.iter().filter(|vpn| vpn.name == name).count() == 1;
    let named = vpns.iter().map(|vpn| {
        let is_by_name = is_plain(&vpn.name) && is_alone(&vpn.name);
        if is_by_name { candidate(&vpn.name, &vpn.regions) } else { candidate(&vpn.id, &vpn.regions) }
    });
    named.collect()
}

fn clouds() -> Vec<CompletionCandidate> {
    let names = in_time(TAB, || cloud_names(&Sources::from_process())).unwrap_or_default();
    names.iter().filter(|name| is_plain(name)).map(CompletionCandidate::new).collect()
}

/// `REGION=`, `REGION+=` or `REGION-=`, then subnets of that region with commas between.
fn subnets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let known = known();
    let Some((target, list)) = current.split_once('=') else {
        let regions = known.subnets.keys().map(String::as_str).filter(|region| is_plain(region));
        let targets = regions
            .chain(["A", "B", "peer"])
            .flat_map(|target| ["=", "+=", "-="].map(|sign| format!("{target}{sign}")));
        return targets.filter(|target| target.starts_with(current)).map(CompletionCandidate::new).collect();
    };
    let (before, begun) =
        list.rsplit_once(',').map_or(("", list), |(_, begun)| (&list[..list.len() - begun.len()], begun));
    let region = target.trim_end_matches(['+', '-']);
    let of_region = known.subnets.get(region);
    let subnets: Vec<&String> =
        of_region.map_or_else(|| known.subnets.values().flatten().collect(), |list| list.iter().collect());
    let fitting = subnets.into_iter().filter(|name| is_plain(name) && name.starts_with(begun));
    fitting.map(|name| CompletionCandidate::new(format!("{target}={before}{name}"))).collect()
}
