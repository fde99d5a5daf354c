//! `osvpn forecast`

use clap::Args;

use super::look::look;
use super::options::AnswerArgs;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::inspect::{Forecast, Inquiry, Vpn};
use crate::report::ForecastReport;
use crate::system::signals::Signals;

const EXIT_CODES: &str = "\
Exit codes:
  0    no VPN is affected
  1    unknown: something could not be read
  2    wrong usage, or no such VPN
  5    some VPN goes down, or has halves that differ already";

const EXAMPLES: &str = "\
Examples:
  osvpn forecast                      every VPN, and the best order to upgrade the regions in
  osvpn forecast hlz-por              that one";

/// Say what an upgrade of each region to OpenStack 2026.2 does to the VPNs, and what to run before.
///
/// The upgrade rewrites sha1 to sha256 and 3des to aes-256 in the policies of that region alone. Until the other region of a
/// VPN is upgraded too, or the owner of an external peer follows, its two ends have different policies.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct ForecastArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections [default: every one].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl Answering for ForecastArgs {
    fn options(&self) -> &AnswerArgs {
        &self.answer
    }

    fn untouched(&self) -> &'static str {
        ""
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let (seen, _) = until_signal(signals, look(&self.answer.cloud, sign_in, Inquiry::default())).await?;
        let vpns: Vec<&Vpn> = match &self.vpn {
            Some(wanted) => vec![seen.select(wanted)?],
            None if seen.inspection.vpns.is_empty() => return Err(seen.nothing()),
            None => seen.inspection.vpns.iter().collect(),
        };
        let forecast = Forecast::of(&seen.inspection, vpns);
        Ok(ForecastReport::new(&seen.inspection, &forecast).into())
    }
}
