//! The options of each command, and those that several share.
#![allow(clippy::doc_markdown, reason = "back-ticks would show in the help")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cloud::Cloud;
use crate::engine::DEFAULT_WAIT;
use crate::plan::Profile;
use crate::sign_in::Login;

const DEFAULT_WAIT_SECS: u64 = DEFAULT_WAIT.as_secs();

/// Which cloud.
#[derive(Clone, Debug, Default, Args)]
pub struct CloudArgs {
    /// The cloud of clouds.yaml to work in [default: $OS_CLOUD, else the OS_* variables, else the only one there is].
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "demo")]
    pub cloud: Option<String>,
    /// Work in a simulated cloud inside this program: nothing is sent anywhere, and no account is needed.
    #[arg(long, global = true)]
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

/// Whether keys may be sent in clear text.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ClearTextArgs {
    /// Send keys even to a region whose network service is not https although Keystone is; otherwise that is asked, or
    /// refused where nobody can be asked.
    #[arg(long)]
    pub allow_clear_text: bool,
}

impl ClearTextArgs {
    /// Tells the cloud.
    pub(crate) async fn apply(self, cloud: &Cloud) {
        if self.allow_clear_text {
            cloud.allow_clear_text().await;
        }
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug, Args)]
pub struct WaitArgs {
    /// How many seconds to wait for ACTIVE once everything is done.
    #[arg(long, value_name = "SECS", default_value_t = DEFAULT_WAIT_SECS)]
    pub wait: u64,
}

impl WaitArgs {
    /// The same as a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        at_most_a_year(self.wait)
    }
}

/// How long to wait after a change.
#[derive(Clone, Copy, Debug, Args)]
pub struct AfterArgs {
    /// Seconds to wait for ACTIVE after the change; 0 to skip the check.
    #[arg(long, value_name = "SECS", default_value_t = DEFAULT_WAIT_SECS)]
    pub wait: u64,
}

impl AfterArgs {
    /// The same as a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        at_most_a_year(self.wait)
    }
}

/// What every change of a VPN that exists can be told.
#[derive(Clone, Copy, Debug, Args)]
pub struct ChangeArgs {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Nobody waits for ever, and clocks overflow.
fn at_most_a_year(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(365 * 24 * 3600))
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
    /// Whether keys may be sent in clear text.
    #[command(flatten)]
    pub clear_text: ClearTextArgs,
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
    /// Whether keys may be sent in clear text.
    #[command(flatten)]
    pub clear_text: ClearTextArgs,
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
    /// Whether keys may be sent in clear text.
    #[command(flatten)]
    pub clear_text: ClearTextArgs,
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
    /// Its name, the id of its marks, or the name or id of one of its connections [default: every one; with --fix or
    /// --modernise the only one].
    #[arg(value_name = "VPN")]
    pub vpn: Option<String>,
    /// Fix the likeliest cause that osvpn can fix; asks before.
    #[arg(long, group = "mending")]
    pub fix: bool,
    /// Give both halves the policies of the profile modern (IKEv2, SHA-256), whatever is found; what is stronger already
    /// stays. Asks before.
    #[arg(long, group = "mending")]
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
    /// Whether keys may be sent in clear text.
    #[command(flatten)]
    pub clear_text: ClearTextArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Options of `osvpn delete`.
#[derive(Clone, Debug, Args)]
pub struct DeleteArgs {
    /// Its name, the id of its marks, or the name or id of one of its connections.
    #[arg(value_name = "VPN", required_unless_present = "strays")]
    pub vpn: Option<String>,
    /// Delete the VPN objects that no connection uses, in all regions. Those that somebody may be creating stay.
    #[arg(long, conflicts_with = "vpn")]
    pub strays: bool,
    /// Of these only those of this VPN, by the id in their description, or the object of this id; can be repeated.
    #[arg(long, value_name = "ID", requires = "strays", value_parser = id)]
    pub of: Vec<String>,
    /// Whether to ask, and how to tell what came of it.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// An id that names something: an empty one is a variable of a script that is not set, and would choose nothing.
fn id(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("an empty id names no object".to_owned()) } else { Ok(text.to_owned()) }
}

/// Options of `osvpn rotate-psk`.
#[derive(Clone, Debug, Args)]
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
    /// Whether to ask, and how to tell what came of it.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// How long to wait afterwards.
    #[command(flatten)]
    pub wait: AfterArgs,
    /// Whether keys may be sent in clear text.
    #[command(flatten)]
    pub clear_text: ClearTextArgs,
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
    /// Whether to ask, and how to tell what came of it.
    #[command(flatten)]
    pub change: ChangeArgs,
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
    /// Whether to ask, and how to tell what came of it.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
}
