//! `osvpn status`

use clap::Args;

use super::look::look;
use super::options::AnswerArgs;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::inspect::diagnosis::Exposures;
use crate::report::{ExitStatus, Health, ListedInterruption};
use crate::system::signals::Signals;

/// Show whether a VPN is up and its two halves match, with an exit code for monitoring.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = ExitStatus::help_for_monitors())]
pub(crate) struct StatusArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections [default: the only one].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl Answering for StatusArgs {
    fn options(&self) -> &AnswerArgs {
        &self.answer
    }

    fn untouched(&self) -> &'static str {
        ""
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let looked = async {
            let seen = look(&self.answer.cloud, sign_in).await?;
            let vpn = match (seen.only(self.vpn.as_deref()), seen.unmade(self.vpn.as_deref()).as_slice()) {
                (Err(_), [interrupted]) if self.vpn.is_some() || seen.inspection.vpns.is_empty() => {
                    return Ok(ListedInterruption::new(interrupted).into());
                }
                (vpn, _) => vpn?,
            };
            // Security groups are not what a monitor asks about, and are not read for it.
            let diagnosis = seen.diagnosis(vpn, &Exposures::new()).await;
            let health = Health::new(vpn, &diagnosis);
            Ok(health.with_interruption(seen.interruption_of(vpn)).into())
        };
        until_signal(signals, looked).await
    }
}
