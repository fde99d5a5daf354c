//! `osvpn repair`

use clap::Args;

use super::look::ProjectVpns;
use super::options::{AnswerArgs, ChangeArgs, ClearTextArgs, WaitArgs};
use super::run_change::RunOptions;
use super::{Answering, CommandError, Conclusion, SignInContext};
use crate::change::{Proposal, repair};
use crate::inspect::Inquiry;
use crate::plan::Profiles;
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn repair hlz-por --dry-run      what would be created
  osvpn repair hlz-por                create it, after a question";

/// Create the half that a VPN lacks, from what its other half says.
///
/// It gets that half's ranges the other way round, its policies and its key, on the router that has the peer address, or that
/// alone stands on those subnets; what is left of it there is used again. If the other half expects it at another address, it
/// is pointed there.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RepairArgs {
    /// Its name, the id in its marker, or the name or id of its connection.
    #[arg(value_name = "VPN")]
    vpn: String,
    /// The router that the half is made on, by name or id, where several could have it.
    #[arg(long, value_name = "ROUTER")]
    router: Option<String>,
    /// Print what would be done, and do nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    clear_text: ClearTextArgs,
}

impl RepairArgs {
    async fn propose(&self, seen: &ProjectVpns) -> Result<Proposal, CommandError> {
        self.clear_text.apply(seen.cloud()).await;
        let vpn = seen.whole(&self.vpn)?;
        Ok(repair(&seen.inspection, vpn, &Profiles::built_in()?, self.router.as_deref())?)
    }
}

impl Answering for RepairArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let propose = async |seen: &ProjectVpns, _| self.propose(seen).await;
        let options = RunOptions { is_dry_run: self.dry_run, ..RunOptions::new(&self.change, self.wait.duration()) };
        options.propose_and_run(sign_in, signals, Inquiry::default(), propose).await
    }
}
