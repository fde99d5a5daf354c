//! `osvpn admit`

use std::time::Duration;

use clap::Args;

use super::look::ProjectVpns;
use super::options::{AnswerArgs, ChangeArgs};
use super::run_change::RunOptions;
use super::{Answering, CommandError, Conclusion, SignInContext};
use crate::change::{Proposal, admit};
use crate::inspect::{Aspects, Background, Focus, Inquiry};
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn admit hlz-por                 add the rules that are missing, after a question
  osvpn admit hlz-por --yes --json    without one";

/// Add the security-group rules that the instances of a VPN's subnets lack.
///
/// Where an instance port in the tunnelled subnets blocks traffic from the other side, its security group gets a rule that
/// allows all of it. osvpn delete removes the rules with the VPN.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct AdmitArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections [default: the only one].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

impl AdmitArgs {
    async fn propose(&self, seen: &ProjectVpns, mut background: Background) -> Result<Proposal, CommandError> {
        let vpn = match &self.vpn {
            Some(wanted) => seen.to_change(wanted)?,
            None => seen.only(None)?,
        };
        seen.free(vpn)?;
        background.complete(seen.cloud(), [vpn], Aspects::EXPOSURES).await;
        Ok(admit(vpn, &seen.inspection.diagnosis(vpn, &background)))
    }
}

impl Answering for AdmitArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let words = Vec::from_iter(self.vpn.as_deref());
        let inquiry = Inquiry { focus: Focus::on(&words), aspects: Aspects::EXPOSURES, ..Inquiry::default() };
        let propose = async |seen: &ProjectVpns, background| self.propose(seen, background).await;
        RunOptions::new(&self.change, Duration::ZERO).propose_and_run(sign_in, signals, inquiry, propose).await
    }
}
