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
  5    ACTIVE, but the halves do not match
  130  stopped by the user

Environment:
  OS_CLOUD, OS_*   credentials, as the openstack client reads them
  OSVPN_PSK        the pre-shared key for `osvpn apply`
  OSVPN_LOG        writes a log to $XDG_STATE_HOME/osvpn/osvpn.log (debug shows every request, never a secret;
                   osvpn bug-report takes it along)
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

const STATUS_CODES: &str = "\
Exit codes:
  0  ACTIVE, and both halves match
  1  it cannot be told: something could not be read
  2  wrong usage, or no such VPN
  3  not ACTIVE
  5  ACTIVE, but the halves do not match: some traffic fails, or will";

const SUBNETS: &str = "\
Examples:
  osvpn set-subnets hlz-por nz-hlz-1=private-subnet,db-subnet     exactly these
  osvpn set-subnets hlz-por nz-por-1+=apps-subnet                 this one too
  osvpn set-subnets hlz-por A-=10.0.1.0/24                        without this one
  osvpn set-subnets office peer+=192.168.8.0/24                   behind the outside peer

Subnets are names, ids or CIDRs. Both halves are changed: new endpoint groups are made, the connections switched to
them, the old groups deleted.";

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
    /// List the VPNs of the project, in all regions, whoever made them.
    ///
    /// Connections are matched into pairs of halves by their marks, else by what they say of each other. VPNs to outside
    /// peers, halves whose partner is missing, and objects that no connection uses are shown as what they are.
    List(ListArgs),
    /// Say whether a VPN is up and its two halves match, with an exit code for monitoring.
    #[command(after_long_help = STATUS_CODES)]
    Status(StatusArgs),
    /// Say why a VPN is down or carries less than it says, and offer to mend it.
    ///
    /// It reads both halves, their policies, keys, services and routers, and the security groups of the instances, and
    /// holds them against each other. What was found is ordered by how likely it is the cause, each with what it means and
    /// the one thing that mends it. What cannot be seen from here is said, too, with a ping that tries the tunnel.
    #[command(after_long_help = STATUS_CODES)]
    Doctor(DoctorArgs),
    /// Delete a VPN, both halves in the right order; or what no VPN uses.
    ///
    /// It shows what goes and what stays because other connections use it, and asks once. It works for any VPN, whoever
    /// made it. If it is cut off, osvpn resume goes on.
    Delete(DeleteArgs),
    /// Give a VPN a new pre-shared key, on both halves as one step.
    ///
    /// If the second half refuses it, the first gets its old key back. The key is generated unless you give one, and is shown
    /// nowhere. A tunnel that is up keeps the old key until it is negotiated anew; --renew does that now.
    RotatePsk(RotateArgs),
    /// Tunnel other subnets, without making the VPN anew.
    #[command(after_long_help = SUBNETS)]
    SetSubnets(SetSubnetsArgs),
    /// Add the security-group rules that the instances of a VPN's subnets lack.
    ///
    /// For every instance port in the tunnelled subnets that admits nothing from the other side, its security group gets a
    /// rule that admits everything from there. osvpn delete takes the rules away again with the VPN.
    Admit(AdmitArgs),
    /// Collect what a ticket about osvpn needs into one text file that you can read first.
    ///
    /// In it are the versions of osvpn and the system, the names of the OS_* variables that are set and of the settings in
    /// clouds.yaml (no values of secret ones), the API extensions of your regions if a sign-in works, the journals of
    /// unfinished runs, and the log. No key, no password and no token is in it.
    ///
    /// It needs neither credentials nor a network. A log is there if osvpn was run with OSVPN_LOG=debug.
    BugReport(BugReportArgs),
    /// Serve the simulated cloud on a loopback address until Ctrl-C, and print the OS_* lines to use it.
    ///
    /// Other users than demo, all with the password demo: demo-mfa is asked for the passcode 123456 too, demo-appended has it
    /// appended to the password, demo-reader may not change anything.
    DemoCloud {
        /// The address to listen on; port 0 takes a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// How many seconds a token is good for, to see what osvpn does when it expires [default: 12 hours].
        #[arg(long, value_name = "SECS")]
        token_life: Option<u64>,
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

/// Options of `osvpn bug-report`.
#[derive(Clone, Debug, Args)]
pub struct BugReportArgs {
    /// The file to write, which must not exist; - prints the report [default: osvpn-bug-report-TIME.txt here].
    #[arg(long, short, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Send nothing: leave out what only the cloud can tell.
    #[arg(long)]
    pub offline: bool,
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

/// Options of `osvpn list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Its name, the id of its marks, or the name or id of one of its connections [default: the only one].
    #[arg(value_name = "VPN")]
    pub vpn: Option<String>,
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn doctor`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch on the command line")]
pub struct DoctorArgs {
    /// Its name, the id of its marks, or the name or id of one of its connections [default: every one].
    #[arg(value_name = "VPN")]
    pub vpn: Option<String>,
    /// Mend the likeliest cause that can be mended from here; asks before.
    #[arg(long, requires = "vpn", group = "mending")]
    pub fix: bool,
    /// Give both halves the policies of the profile modern (IKEv2, SHA-256), whatever is found; asks before.
    #[arg(long, requires = "vpn", group = "mending")]
    pub modernise: bool,
    /// Do not ask.
    #[arg(long, short, requires = "mending")]
    pub yes: bool,
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// How long to wait after a fix.
    #[command(flatten)]
    pub wait: AfterArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// How long to wait after a change.
#[derive(Clone, Copy, Debug, Args)]
pub struct AfterArgs {
    /// How many seconds to wait for ACTIVE after a change; 0 does not look.
    #[arg(long, value_name = "SECS", default_value_t = 180)]
    pub wait: u64,
}

impl AfterArgs {
    /// The same as a duration. Longer than a year is a year: nobody waits for ever, and clocks overflow.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.wait.min(365 * 24 * 3600))
    }
}

/// Options of `osvpn delete`.
#[derive(Clone, Debug, Args)]
pub struct DeleteArgs {
    /// Its name, the id of its marks, or the name or id of one of its connections.
    #[arg(value_name = "VPN", required_unless_present = "strays")]
    pub vpn: Option<String>,
    /// Delete the VPN objects that no connection uses, in all regions.
    #[arg(long, conflicts_with = "vpn")]
    pub strays: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn rotate-psk`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch on the command line")]
pub struct RotateArgs {
    /// Its name, the id of its marks, or the name or id of one of its connections.
    #[arg(value_name = "VPN", required_unless_present = "all_public_keys")]
    pub vpn: Option<String>,
    /// Give a new key to every VPN of the project whose key is the word that create-vpn.sh gave to all.
    #[arg(long, conflicts_with_all = ["vpn", "psk_file"])]
    pub all_public_keys: bool,
    /// Have running tunnels take the new key up now. Every tunnel of both routers is down for some seconds.
    #[arg(long)]
    pub renew: bool,
    /// Read the new key from this file; - reads standard input. It goes before OSVPN_PSK [default: a new one is made].
    #[arg(long, value_name = "PATH")]
    pub psk_file: Option<PathBuf>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// How long to wait afterwards.
    #[command(flatten)]
    pub wait: AfterArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn set-subnets`.
#[derive(Clone, Debug, Args)]
pub struct SetSubnetsArgs {
    /// Its name, the id of its marks, or the name or id of one of its connections.
    #[arg(value_name = "VPN")]
    pub vpn: String,
    /// REGION=SUBNET,SUBNET (also A, B or peer for the region; += adds, -= takes away).
    #[arg(value_name = "REGION=SUBNETS", required = true)]
    pub subnets: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// How long to wait afterwards.
    #[command(flatten)]
    pub wait: AfterArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn admit`.
#[derive(Clone, Debug, Args)]
pub struct AdmitArgs {
    /// Its name, the id of its marks, or the name or id of one of its connections [default: the only one].
    #[arg(value_name = "VPN")]
    pub vpn: Option<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}
