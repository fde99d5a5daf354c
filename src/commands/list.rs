//! `osvpn list`

use clap::Args;

use super::look::look;
use super::options::AnswerArgs;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::inspect::Inquiry;
use crate::report::Listing;
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn list
  osvpn list --cloud prod --json | jq -r '.vpns[] | select(.status != \"ACTIVE\").name'";

/// List the VPNs of the project in all regions, including those not created by osvpn.
///
/// Halves are paired by their attributes: each end points at the other's address, and the ranges mirror each other. A marker
/// of osvpn decides only between equal candidates. Unused objects stand below.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

impl Answering for ListArgs {
    fn options(&self) -> &AnswerArgs {
        &self.answer
    }

    fn untouched(&self) -> &'static str {
        ""
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let (seen, _) = until_signal(signals, look(&self.answer.cloud, sign_in, Inquiry::default())).await?;
        let needed = seen.needed();
        let needed = seen.inspection.unused.iter().filter(|object| needed.needs(object));
        let needed: Vec<_> = needed.map(|object| object.id.clone()).collect();
        let listing = Listing::new(&seen.inspection).with_interrupted(&seen.interruptions, |id| needed.contains(id));
        Ok(listing.into())
    }
}
