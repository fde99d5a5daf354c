//! The command line. Documentation comments here are what `--help` prints, so they are written for a terminal.
#![allow(clippy::doc_markdown, reason = "back-ticks would show in the help")]

mod args;

use std::net::SocketAddr;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

pub use args::{
    AdmitArgs, AfterArgs, ApplyArgs, BugReportArgs, ChangeArgs, CloudArgs, DeleteArgs, DoctorArgs, ListArgs,
    ProfileName, ResumeArgs, RollbackArgs, RotateArgs, SetSubnetsArgs, StatusArgs, WaitArgs, WizardArgs,
};

/// Connect two regions of an OpenStack project, or one region and an outside site, with an IPsec VPN.
///
/// Without a command it is a full-screen wizard: it finds your regions, routers and subnets by itself, asks what it cannot
/// know, shows what will be made before anything is made, and stays until the tunnel is ACTIVE. Enter is always the
/// sensible answer, and Esc goes back.
///
/// Credentials are those of the openstack client: source an openrc file, or have a clouds.yaml. To look around without an
/// account: osvpn --demo
#[derive(Debug, Parser)]
#[command(name = "osvpn", version, after_long_help = MORE)]
pub struct Cli {
    /// What to do; the wizard if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The wizard's own options.
    #[command(flatten)]
    pub wizard: WizardArgs,
}

impl Cli {
    /// What the command line of this process says. If it asks for help, or cannot be read, the process ends here.
    #[must_use]
    pub fn of_process() -> Self {
        let mut command = Self::command();
        let read = command.try_get_matches_from_mut(std::env::args_os()).and_then(|matches| {
            if let Some(wrong) = at_odds(&matches) {
                return Err(command.error(ErrorKind::ArgumentConflict, wrong));
            }
            Self::from_arg_matches(&matches)
        });
        read.unwrap_or_else(|error| error.exit())
    }
}

/// What cannot be meant together though clap takes it: it looks at the options before and after the command separately.
fn at_odds(matches: &ArgMatches) -> Option<String> {
    let (name, of_command) = matches.subcommand()?;
    let is_given = |matches: &ArgMatches, id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if let Some(own) = ["profile", "wait"].into_iter().find(|id| is_given(matches, id)) {
        return Some(format!("--{own} before the command is for the wizard; the options of '{name}' go after it"));
    }
    (is_given(of_command, "cloud") && is_given(of_command, "demo"))
        .then(|| "the argument '--cloud <NAME>' cannot be used with '--demo'".to_owned())
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
    /// Finish a VPN whose creation was interrupted; wait for one that is made.
    ///
    /// While it works, osvpn keeps a journal of what exists. After a lost connection, a crash or Ctrl-C this takes it up:
    /// what exists is kept, what is missing is made, and the wait for ACTIVE goes on. Without the journal, the VPN is
    /// looked for by the marks in the descriptions of its objects. Its key is read back from the cloud. If every object of the
    /// VPN that is named exists, nothing is changed: the wait for ACTIVE goes on, and the exit code is that of status.
    Resume(ResumeArgs),
    /// Delete what was created of a VPN whose creation was interrupted, and nothing else.
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
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = loopback)]
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

/// Everybody knows its passwords, and nothing limits what it keeps.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error: std::net::AddrParseError| error.to_string())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("it must be a loopback address, as 127.0.0.1:0".to_owned())
    }
}
