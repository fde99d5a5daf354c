//! `osvpn admit`

use std::time::Duration;

use clap::Args;

use super::look::{ProjectVpns, look_to_change};
use super::options::{ChangeArgs, CloudArgs};
use super::run_change::Carrier;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::change::{Proposal, admit};
use crate::inspect::diagnosis::exposures;
use crate::system::signals::Signals;

/// Add the security-group rules that the instances of a VPN's subnets lack.
///
/// Where an instance port in the tunnelled subnets blocks traffic from the other side, its security group gets a rule that
/// allows all of it. osvpn delete removes the rules with the VPN.
#[derive(Clone, Debug, Args)]
pub(crate) struct AdmitArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections [default: the only one].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

impl AdmitArgs {
    async fn propose(&self, seen: &ProjectVpns) -> Result<Proposal, CommandError> {
        let vpn = match &self.vpn {
            Some(wanted) => seen.to_change(wanted)?,
            None => seen.only(None)?,
        };
        seen.free(vpn)?;
        let exposures = exposures(seen.cloud(), vpn).await;
        Ok(admit(vpn, &seen.diagnosis(vpn, &exposures).await))
    }
}

impl Answering for AdmitArgs {
    fn is_json(&self) -> bool {
        self.change.json
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let proposed = look_to_change(&self.cloud, sign_in, async |seen| self.propose(seen).await);
        let (seen, proposal) = until_signal(signals, proposed).await?;
        let carrier = Carrier { seen: &seen, key: None, wait: Duration::ZERO, is_agreed: self.change.yes };
        carrier.carry_out(proposal, signals).await
    }
}
