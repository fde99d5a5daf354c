//! `osvpn list`

use clap::Args;

use super::look::look;
use super::options::CloudArgs;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::report::Listing;
use crate::system::signals::Signals;

/// List the VPNs of the project in all regions, including those not created by osvpn.
///
/// Connections are paired by their osvpn marker or, without one, by matching peer addresses. VPNs to external peers,
/// connections without a counterpart and unused objects are listed separately.
#[derive(Clone, Debug, Args)]
pub(crate) struct ListArgs {
    /// Print one JSON document on standard output instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

impl Answering for ListArgs {
    fn is_json(&self) -> bool {
        self.json
    }

    fn untouched(&self) -> &'static str {
        ""
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let seen = until_signal(signals, look(&self.cloud, sign_in)).await?;
        let needed = seen.needed();
        let needed = seen.inspection.unused.iter().filter(|stray| needed.needs(stray));
        let needed: Vec<_> = needed.map(|stray| stray.id.clone()).collect();
        let listing = Listing::new(&seen.inspection).with_interrupted(&seen.interruptions, |id| needed.contains(id));
        Ok(listing.into())
    }
}
