//! `osvpn completions`

use std::io;

use clap::Args;
use clap_complete::Shell;

use super::print_whole;
use crate::report::ExitStatus;

const EXAMPLES: &str = "\
Examples:
  osvpn completions bash > ~/.local/share/bash-completion/completions/osvpn
  osvpn completions zsh > ~/.zfunc/_osvpn
  osvpn completions fish > ~/.config/fish/completions/osvpn.fish";

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn run(&self, mut command: clap::Command) -> io::Result<ExitStatus> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "osvpn", &mut text);
        print_whole(&text)
    }
}
