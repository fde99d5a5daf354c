//! `osvpn demo-cloud`

use std::io::{self, Write, stdout};
use std::net::{AddrParseError, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::{complain, with_runtime};
use crate::report::ExitStatus;
use crate::simulator::{Simulator, SimulatorSettings};
use crate::system::signals;

const EXAMPLES: &str = "\
Examples:
  osvpn demo-cloud --listen 127.0.0.1:5000     print the OS_* lines; in another shell, after these: osvpn
  osvpn demo-cloud --token-life 60             with tokens that expire after a minute";

/// Serve the simulated cloud on a loopback address until Ctrl-C, and print the OS_* lines to use it.
///
/// Besides demo there are these users, all with the password demo: demo-mfa is asked for the passcode 123456 too,
/// demo-appended appends it to the password, demo-reader may not change anything.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DemoCloudArgs {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = loopback)]
    listen: SocketAddr,
    /// Seconds until a token expires, to see what osvpn does then [default: 12 hours].
    #[arg(long, value_name = "SECS")]
    token_life: Option<u64>,
}

/// Everybody knows the passwords of the demo, and nothing limits what it keeps.
#[derive(Debug, thiserror::Error)]
enum AddressProblem {
    #[error(transparent)]
    Syntax(#[from] AddrParseError),
    #[error("it must be a loopback address, such as 127.0.0.1:0")]
    NotLoopback,
}

fn loopback(text: &str) -> Result<SocketAddr, AddressProblem> {
    let address: SocketAddr = text.parse()?;
    if address.ip().is_loopback() { Ok(address) } else { Err(AddressProblem::NotLoopback) }
}

impl DemoCloudArgs {
    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        with_runtime(self.serve())
    }

    async fn serve(&self) -> io::Result<ExitStatus> {
        let mut signals = signals::listen()?;
        let mut settings = SimulatorSettings { listen: self.listen, ..SimulatorSettings::demo() };
        if let Some(seconds) = self.token_life {
            settings.token_lifetime = Duration::from_secs(seconds);
        }
        let simulator = Simulator::start(settings).await?;
        let mut out = stdout();
        writeln!(out, "unset OS_CLOUD")?;
        for (name, value) in simulator.environment() {
            writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?;
        }
        out.flush()?;
        complain("the demo cloud is running; give these lines to another shell. Ctrl-C ends it.");
        signals.recv().await;
        Ok(ExitStatus::Done)
    }
}
