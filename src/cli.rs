//! The command line. Documentation comments here are what `--help` prints, so they are written for a terminal.
#![allow(clippy::doc_markdown, reason = "back-ticks would show in the help")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::plan::Profile;
use crate::provision::DEFAULT_WAIT;
use crate::wizard::Login;

const DEFAULT_WAIT_SECS: u64 = DEFAULT_WAIT.as_secs();

/// Connect two regions of an OpenStack project, or one region and an outside site, with an IPsec VPN.
///
/// Without a command it is a full-screen wizard: it finds your regions, routers and subnets by itself, asks what it cannot
/// know, shows what will be made before anything is made, and stays until the tunnel is ACTIVE. Enter is always the
/// sensible answer, and Esc goes back.
///
/// Credentials are those of the openstack client: source an openrc file, or have a clouds.yaml. To look around without an
/// account: osvpn --demo
#[derive(Debug, Parser)]
#[command(name = "osvpn", version, args_conflicts_with_subcommands = true, after_long_help = MORE)]
pub struct Cli {
    /// What to do; the wizard if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The wizard's own options.
    #[command(flatten)]
    pub wizard: WizardArgs,
}

const MORE: &str = "\
Exit codes:
  0    done, and the tunnel is ACTIVE
  1    failed
  2    wrong usage, or a plan file that cannot be read
  3    created, but not ACTIVE within the wait (osvpn resume goes on)
  4    refused by the checks before anything was made
  130  stopped by the user

Environment:
  OS_CLOUD, OS_*   credentials, as the openstack client reads them
  OSVPN_PSK        the pre-shared key for `osvpn apply`
  OSVPN_LOG        writes a log to $XDG_STATE_HOME/osvpn/osvpn.log (debug shows every request, never a secret)
  NO_COLOR         no colours";

const PLAN: &str = "\
A plan file:
  version = 1
  name = \"hlz-por\"
  mode = \"site-to-site\"            # or \"single\"
  # profile = \"modern\"             # or \"catalyst\"; without it, the one that fits the regions

  [[half]]
  region = \"nz-hlz-1\"
  router = \"border-router\"         # a name, or an id where the name is not unique
  subnets = [\"private-subnet\"]     # names, ids or CIDRs

  [[half]]
  region = \"nz-por-1\"
  router = \"border-router\"
  subnets = [\"private-subnet\"]

  # In single mode, instead of a second half:
  # [peer]
  # address = \"198.51.100.7\"
  # cidrs = [\"192.168.7.0/24\"]";

/// Which cloud.
#[derive(Clone, Debug, Default, Args)]
pub struct CloudArgs {
    /// The cloud of clouds.yaml to work in [default: $OS_CLOUD, else the OS_* variables, else the only one there is].
    #[arg(long, value_name = "NAME", conflicts_with = "demo")]
    pub cloud: Option<String>,
    /// Work in a simulated cloud inside this program: nothing is sent anywhere, and no account is needed.
    #[arg(long)]
    pub demo: bool,
}

impl CloudArgs {
    /// What that means for the sign-in.
    #[must_use]
    pub fn login(&self) -> Login {
        match &self.cloud {
            _ if self.demo => Login::Demo,
            Some(name) => Login::Named(name.clone()),
            None => Login::Default,
        }
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug, Args)]
pub struct WaitArgs {
    /// How many seconds to wait for ACTIVE once everything is created.
    #[arg(long, value_name = "SECS", default_value_t = DEFAULT_WAIT_SECS)]
    pub wait: u64,
}

impl WaitArgs {
    /// The same as a duration. Longer than a year is a year: nobody waits for ever, and clocks overflow.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.wait.min(365 * 24 * 3600))
    }
}

/// Options of the wizard.
#[derive(Clone, Debug, Args)]
pub struct WizardArgs {
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// The policy profile to preselect [default: the one that fits the regions].
    #[arg(long, value_enum)]
    pub profile: Option<ProfileName>,
    /// How long to wait.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// The ready-made profiles by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// The values Catalyst Cloud documents: IKEv1, SHA-1, AES-256, group 14.
    Catalyst,
    /// IKEv2 and SHA-256, otherwise the same; the only one that OpenStack 2026.2 still stores.
    Modern,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Catalyst => Self::Catalyst,
            ProfileName::Modern => Self::Modern,
        }
    }
}

/// Everything but the wizard.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the VPN of a plan file, without asking anything.
    ///
    /// A plan file is what the wizard saves with `s` on its review. It holds no key: in site-to-site mode one is
    /// generated unless you give one; in single mode you give the one the peer has, with --psk-file or in OSVPN_PSK.
    ///
    /// The same checks as in the wizard come first, and nothing is made if one of them refuses. Progress goes to standard
    /// error, the summary to standard output. Ctrl-C stops after the request under way and says what exists by then.
    #[command(after_long_help = PLAN)]
    Apply(ApplyArgs),
    /// Finish a VPN whose making was cut off.
    ///
    /// While it works, osvpn keeps a journal of what exists. After a lost connection, a crash or Ctrl-C this takes it up:
    /// what exists is kept, what is missing is made, and the wait for ACTIVE goes on. Without the journal, the VPN is
    /// looked for by the marks in the descriptions of its objects. Its key is read back from the cloud.
    Resume(ResumeArgs),
    /// Delete what a run has made that was cut off, and nothing else.
    ///
    /// What the run had found and reused stays. Without its journal, the VPN is looked for by its marks.
    Rollback(RollbackArgs),
    /// Serve the simulated cloud on a loopback address until Ctrl-C, and print the OS_* lines to use it.
    DemoCloud {
        /// The address to listen on; port 0 takes a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page (read it with: osvpn man | man -l -).
    Man,
}

/// Options of `osvpn resume`.
#[derive(Clone, Debug, Args)]
pub struct ResumeArgs {
    /// The name of the VPN, or its id (the word after osvpn: in the descriptions) [default: the only unfinished one].
    #[arg(value_name = "VPN")]
    pub vpn: Option<String>,
    /// Print one JSON document on standard output, whatever happens, instead of text.
    #[arg(long)]
    pub json: bool,
    /// Go on with the policies of this profile: those made with others are deleted and made anew, with their connections.
    #[arg(long, value_enum)]
    pub profile: Option<ProfileName>,
    /// Read the pre-shared key from this file, if no connection has it yet; - reads standard input.
    #[arg(long, value_name = "PATH")]
    pub psk_file: Option<PathBuf>,
    /// How long to wait.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn rollback`.
#[derive(Clone, Debug, Args)]
pub struct RollbackArgs {
    /// The name of the VPN, or its id (the word after osvpn: in the descriptions) [default: the only unfinished one].
    #[arg(value_name = "VPN")]
    pub vpn: Option<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Print one JSON document on standard output, whatever happens, instead of text.
    #[arg(long)]
    pub json: bool,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// The plan file (TOML).
    #[arg(value_name = "PLAN.toml")]
    pub plan: PathBuf,
    /// Check everything against the cloud, print what would be made, and make nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document on standard output, whatever happens, instead of text.
    #[arg(long)]
    pub json: bool,
    /// Read the pre-shared key from this file; - reads standard input. It goes before OSVPN_PSK.
    #[arg(long, value_name = "PATH")]
    pub psk_file: Option<PathBuf>,
    /// How long to wait.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}
