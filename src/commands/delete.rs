//! `osvpn delete`

use std::time::Duration;

use clap::Args;

use super::look::ProjectVpns;
use super::options::{AnswerArgs, ChangeArgs};
use super::run_change::RunOptions;
use super::{Answering, CommandError, Conclusion, SignInContext};
use crate::change::{Proposal, delete, delete_strays};
use crate::inspect::diagnosis::rules;
use crate::inspect::{Aspects, Background, Focus, Inquiry};
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn delete hlz-por                both halves, after a question
  osvpn delete --strays               objects that no connection uses
  osvpn delete --strays --of 5c1e90a4-2f7b-4d0e-9a55-0d8f6f1f2b31";

/// Delete a VPN, both halves in the right order; or unused VPN objects.
///
/// Shows what will be deleted and what stays because other connections use it, and asks once. Works for any VPN, including
/// those not created by osvpn. If it is interrupted, osvpn resume continues.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DeleteArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections.
    #[arg(value_name = "VPN", required_unless_present = "strays")]
    vpn: Option<String>,
    /// Delete the VPN objects that no connection uses, in all regions. Those that somebody may be creating stay.
    #[arg(long, conflicts_with = "vpn")]
    strays: bool,
    /// Only those with this VPN id in their description, or the object with this id; can be repeated.
    #[arg(long, value_name = "ID", requires = "strays", value_parser = id)]
    of: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// A variable of a script that is not set would choose nothing.
#[derive(Debug, thiserror::Error)]
#[error("an empty id names no object")]
struct EmptyId;

fn id(text: &str) -> Result<String, EmptyId> {
    if text.trim().is_empty() { Err(EmptyId) } else { Ok(text.to_owned()) }
}

impl DeleteArgs {
    async fn propose(&self, seen: &ProjectVpns, mut background: Background) -> Result<Proposal, CommandError> {
        let Some(wanted) = &self.vpn else {
            return Ok(delete_strays(&seen.inspection, &seen.needed(), &self.of)?);
        };
        let vpn = seen.to_change(wanted)?;
        seen.inspection.deletable(vpn).map_err(CommandError::refused)?;
        background.complete(seen.cloud(), [vpn], Aspects::EXPOSURES).await;
        Ok(delete(&seen.inspection, vpn, &rules(vpn, background.exposures())))
    }
}

impl Answering for DeleteArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let words = Vec::from_iter(self.vpn.as_deref());
        let inquiry = Inquiry { focus: Focus::Words(&words), aspects: Aspects::EXPOSURES, ..Inquiry::default() };
        let propose = async |seen: &ProjectVpns, background| self.propose(seen, background).await;
        RunOptions::new(&self.change, Duration::ZERO).propose_and_run(sign_in, signals, inquiry, propose).await
    }
}
