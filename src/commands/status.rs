//! `osvpn status`

use clap::Args;

use super::look::look;
use super::options::AnswerArgs;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::inspect::{Aspects, Focus, Inquiry};
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
        let words = Vec::from_iter(self.vpn.as_deref());
        let looked = async {
            // Security groups are not what a monitor asks about, and are not read for it.
            let focus = Focus::on(&words);
            let inquiry = Inquiry { focus, aspects: Aspects::KEYS, ..Inquiry::default() };
            let (seen, mut background) = look(&self.answer.cloud, sign_in, inquiry).await?;
            let vpn = match (seen.only(self.vpn.as_deref()), seen.unmade(self.vpn.as_deref()).as_slice()) {
                (Err(_), [interrupted]) if self.vpn.is_some() || seen.inspection.vpns.is_empty() => {
                    return Ok(ListedInterruption::new(interrupted).into());
                }
                (vpn, _) => vpn?,
            };
            background.complete(seen.cloud(), [vpn], Aspects::KEYS).await;
            let health = Health::new(vpn, &seen.inspection.diagnosis(vpn, &background));
            Ok(health.with_interruption(seen.interruption_of(vpn)).into())
        };
        until_signal(signals, looked).await
    }
}
