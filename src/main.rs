//! The program: parse, run, exit.

use std::process::ExitCode;

use osvpn::cli::Cli;
use osvpn::commands::complain;
use osvpn::system::{hardening, log};

fn main() -> ExitCode {
    hardening::harden();
    let cli = Cli::of_process();
    if let Err(error) = log::start() {
        complain(&format!("{error}; going on without a log"));
    }
    cli.run().into()
}
