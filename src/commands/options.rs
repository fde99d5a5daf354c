//! Options that several commands have. Documentation comments in the files of commands are what `--help` prints.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{CommandError, input};
use crate::cloud::Cloud;
use crate::engine::DEFAULT_WAIT;
use crate::engine::resume::key_of_variable;
use crate::plan::{Profile, Psk};
use crate::sign_in::Login;

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
    /// Seconds to wait for ACTIVE. After a change of an existing VPN, 0 skips the checks too.
    #[arg(long, value_name = "SECS", default_value_t = DEFAULT_WAIT.as_secs())]
    wait: u64,
}

impl WaitArgs {
    /// A year at most: clocks overflow.
    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(self.wait.min(365 * 24 * 3600))
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct KeyArgs {
    /// Read the pre-shared key from this file; - reads standard input. It takes precedence over OSVPN_PSK.
    #[arg(long, value_name = "PATH")]
    psk_file: Option<PathBuf>,
}

impl KeyArgs {
    pub(super) const fn names_file(&self) -> bool {
        self.psk_file.is_some()
    }

    /// The key from the file that was named, else from the variable, else none.
    /// Errors: if what was given is no key. The text itself is in no message.
    pub(super) async fn given(&self) -> Result<Option<Psk>, CommandError> {
        match &self.psk_file {
            Some(path) => input::key_file(path).await.map(Some),
            None => Ok(key_of_variable()?),
        }
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct AnswerArgs {
    /// Print one JSON document on standard output instead of text, whatever happens.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Proceed without confirmation.
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CreationArgs {
    #[command(flatten)]
    pub(super) key: KeyArgs,
    #[command(flatten)]
    pub(super) wait: WaitArgs,
    #[command(flatten)]
    pub(super) clear_text: ClearTextArgs,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

pub(crate) fn profile() -> impl TypedValueParser<Value = Profile> {
    let named = Profile::NAMED.iter().map(|profile| PossibleValue::new(profile.as_str()).help(profile.help()));
    PossibleValuesParser::new(named).try_map(|word| word.parse::<Profile>())
}
