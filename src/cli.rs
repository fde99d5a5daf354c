//! The command line: the list of commands; their arguments and help are with each of them.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::admit::AdmitArgs;
use crate::commands::apply::ApplyArgs;
use crate::commands::bug_report::BugReportArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::delete::DeleteArgs;
use crate::commands::demo_cloud::DemoCloudArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::forecast::ForecastArgs;
use crate::commands::list::ListArgs;
use crate::commands::man::{HelpArgs, ManArgs};
use crate::commands::manual::Extent;
use crate::commands::peer::PeerArgs;
use crate::commands::repair::RepairArgs;
use crate::commands::resume::ResumeArgs;
use crate::commands::rollback::RollbackArgs;
use crate::commands::rotate_psk::RotateArgs;
use crate::commands::set_subnets::SetSubnetsArgs;
use crate::commands::status::StatusArgs;
use crate::commands::upgrade::UpgradeArgs;
use crate::commands::wizard::WizardArgs;
use crate::commands::{answer, complain, completions, manual, status};
use crate::report::ExitStatus;

const EXAMPLES: &str = "\
Examples:
  osvpn                        the wizard, with the OS_* variables or the only cloud of clouds.yaml
  osvpn --cloud prod           the same, in that cloud
  osvpn --demo                 look around in a simulated cloud, without an account
  osvpn apply hlz-por.toml     create the VPN of a plan file, without questions
  osvpn status --watch         tell when a VPN goes down or comes up
  osvpn help apply             what a command does, as its manual page says it";

/// Connect two regions of an OpenStack project, or one region and an external peer, with an IPsec VPN.
///
/// Without a command it is a full-screen wizard: it finds your regions, routers and subnets by itself, asks what it cannot
/// know, shows what will be created before anything is, and stays until the tunnel is ACTIVE. Enter is always the sensible
/// answer, and Esc goes back.
///
/// Credentials are those of the openstack client: source an openrc file, or have a clouds.yaml. To look around without an
/// account: osvpn --demo
#[derive(Debug, Parser)]
#[command(name = "osvpn", version, disable_help_subcommand = true, after_long_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    wizard: WizardArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Apply(ApplyArgs),
    Resume(ResumeArgs),
    Rollback(RollbackArgs),
    List(ListArgs),
    Status(StatusArgs),
    Doctor(DoctorArgs),
    Forecast(ForecastArgs),
    Repair(RepairArgs),
    Delete(DeleteArgs),
    RotatePsk(RotateArgs),
    SetSubnets(SetSubnetsArgs),
    Upgrade(UpgradeArgs),
    Admit(AdmitArgs),
    Peer(PeerArgs),
    BugReport(BugReportArgs),
    DemoCloud(DemoCloudArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Help(HelpArgs),
}

impl Cli {
    /// The command line, with all its help.
    fn documented(extent: Extent) -> clap::Command {
        manual::documented(manual::honest(Self::command()), extent)
    }

    /// The command line of this process. If it asks for help or for what could be typed next, or cannot be read, the process
    /// ends here.
    #[must_use]
    pub fn of_process() -> Self {
        if completions::is_answered(|| manual::honest(Self::command())) {
            std::process::exit(0);
        }
        let mut command = Self::documented(Extent::Brief);
        let read = command.try_get_matches_from_mut(std::env::args_os()).and_then(|matches| {
            if let Some(wrong) = at_odds(&matches) {
                return Err(command.error(ErrorKind::ArgumentConflict, wrong));
            }
            Self::from_arg_matches(&matches)
        });
        read.map_err(manual::with_tip).unwrap_or_else(|error| match status::wrong_usage(&error, std::env::args_os()) {
            Some(status) => std::process::exit(status.code().into()),
            None => error.exit(),
        })
    }

    #[must_use]
    pub fn run(self) -> ExitStatus {
        let ended = match self.command {
            None => self.wizard.run(),
            Some(Command::Apply(args)) => answer(&args),
            Some(Command::Resume(args)) => answer(&args),
            Some(Command::Rollback(args)) => answer(&args),
            Some(Command::List(args)) => answer(&args),
            Some(Command::Status(args)) => args.run_or_print(),
            Some(Command::Doctor(args)) => answer(&args),
            Some(Command::Forecast(args)) => answer(&args),
            Some(Command::Repair(args)) => answer(&args),
            Some(Command::Delete(args)) => answer(&args),
            Some(Command::RotatePsk(args)) => answer(&args),
            Some(Command::SetSubnets(args)) => answer(&args),
            Some(Command::Upgrade(args)) => answer(&args),
            Some(Command::Admit(args)) => answer(&args),
            Some(Command::Peer(args)) => answer(&args),
            Some(Command::BugReport(args)) => args.run(),
            Some(Command::DemoCloud(args)) => args.run(),
            Some(Command::Completions(args)) => args.run(),
            Some(Command::Man(args)) => args.run(Self::documented(Extent::Whole)),
            Some(Command::Help(args)) => args.run(Self::documented(Extent::Brief)),
        };
        ended.unwrap_or_else(|error| {
            complain(&error.to_string());
            ExitStatus::Failed
        })
    }
}

/// What cannot be meant together though clap takes it: it looks at the options before and after the command separately.
fn at_odds(matches: &ArgMatches) -> Option<String> {
    let (name, of_command) = matches.subcommand()?;
    let is_given = |matches: &ArgMatches, id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if let Some(own) =
        ["profile", "plan", "from", "wait", "verbose", "json"].into_iter().find(|id| is_given(matches, id))
    {
        return Some(format!("--{own} before the command is for the wizard; the options of '{name}' go after it"));
    }
    (is_given(of_command, "cloud") && is_given(of_command, "demo"))
        .then(|| "the argument '--cloud <NAME>' cannot be used with '--demo'".to_owned())
}
