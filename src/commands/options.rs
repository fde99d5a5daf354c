//! Options that several commands have. Documentation comments in the files of commands are what `--help` prints.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::cloud::Cloud;
use crate::engine::DEFAULT_WAIT;
use crate::plan::Profile;
use crate::sign_in::Login;

const DEFAULT_WAIT_SECS: u64 = DEFAULT_WAIT.as_secs();

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CloudArgs {
    /// The cloud of clouds.yaml to work in [default: $OS_CLOUD, else the OS_* variables, else the only one there is].
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "demo")]
    pub(crate) cloud: Option<String>,
    /// Work in a simulated cloud inside this program: nothing is sent anywhere, and no account is needed.
    #[arg(long, global = true)]
    pub(crate) demo: bool,
}

impl CloudArgs {
    pub(crate) fn login(&self) -> Login {
        match &self.cloud {
            _ if self.demo => Login::Demo,
            Some(name) => Login::Named(name.clone()),
            None => Login::Default,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct ClearTextArgs {
    /// Send keys even to a region whose network service is not https although Keystone is; otherwise osvpn asks, or refuses
    /// without a terminal.
    #[arg(long)]
    pub(crate) allow_clear_text: bool,
}

impl ClearTextArgs {
    pub(crate) async fn apply(self, cloud: &Cloud) {
        if self.allow_clear_text {
            cloud.allow_clear_text().await;
        }
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WaitArgs {
    /// Seconds to wait for ACTIVE once everything exists.
    #[arg(long, value_name = "SECS", default_value_t = DEFAULT_WAIT_SECS)]
    pub(crate) wait: u64,
}

impl WaitArgs {
    pub(crate) fn duration(self) -> Duration {
        at_most_a_year(self.wait)
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct AfterArgs {
    /// Seconds to wait for ACTIVE after the change; 0 to skip the check.
    #[arg(long, value_name = "SECS", default_value_t = DEFAULT_WAIT_SECS)]
    pub(crate) wait: u64,
}

impl AfterArgs {
    pub(crate) fn duration(self) -> Duration {
        at_most_a_year(self.wait)
    }
}

/// Of every command that ends with an answer.
#[derive(Clone, Debug, Args)]
pub(crate) struct AnswerArgs {
    /// Print one JSON document on standard output instead of text, whatever happens.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
}

/// Of every command that changes a VPN.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Proceed without confirmation.
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Clocks overflow.
fn at_most_a_year(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(365 * 24 * 3600))
}

pub(crate) fn profile() -> impl TypedValueParser<Value = Profile> {
    let named = Profile::NAMED.iter().map(|profile| PossibleValue::new(profile.as_str()).help(profile.help()));
    PossibleValuesParser::new(named).try_map(|word| word.parse::<Profile>())
}
