//! `osvpn rollback`

use super::attend::audience;
use super::confirm::{Assent, confirm};
use super::options::{AnswerArgs, ChangeArgs, ClearTextArgs};
use super::resume::{Chosen, again, choose, refuse_made, take_up};
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::cloud::Cloud;
use crate::engine::resume::Resumable;
use crate::engine::{ChangeError, Direction, Made, Progress, WorkEnd};
use crate::report::RollbackReport;
use crate::system::signals::Signals;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  osvpn rollback                      the only VPN that was interrupted
  osvpn rollback hlz-por --yes        that one, without a question";

/// Delete everything an interrupted run created.
///
/// Objects that existed before and were reused stay. An interrupted change is reversed. Without the journal, osvpn finds
/// the VPN by the marker in the descriptions of its objects.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RollbackArgs {
    /// The name of the VPN, or its id (the word after osvpn: in the descriptions) [default: the only unfinished one].
    #[arg(value_name = "VPN")]
    pub(super) vpn: Option<String>,
    #[command(flatten)]
    pub(super) clear_text: ClearTextArgs,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

impl Answering for RollbackArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let chosen = match choose(self.vpn.as_deref())? {
            Chosen::Change(change) => return change.roll_back(self, sign_in, signals).await,
            Chosen::Creation(chosen) => chosen,
        };
        let again = |error: CommandError| error.go_on_with(again("rollback", self.vpn.as_deref()));
        let taken = async {
            let signed_in = sign_in.cloud(&self.change.answer.cloud).await?;
            let interrupted = take_up(chosen, &signed_in.cloud).await?;
            refuse_made(&interrupted)?;
            Ok((interrupted, signed_in))
        };
        let (interrupted, signed_in) = until_signal(signals, taken).await.map_err(again)?;
        Ok(roll_back(self, interrupted, &signed_in.cloud, signals).await.map_err(again)?.into())
    }
}

/// Asks, deletes, and waits until no lost request can take effect any more.
async fn roll_back(
    args: &RollbackArgs,
    interrupted: Resumable,
    cloud: &Cloud,
    signals: &mut Signals,
) -> Result<RollbackReport, CommandError> {
    let progress = interrupted.progress(cloud.limits());
    let (mut changing, renamed) = interrupted.into_rollback();
    let name = changing.change().label.clone();
    if !args.change.yes && !confirm(&question(&name, &progress, &renamed), "Delete?", Assent::Yes, signals).await? {
        return Err(CommandError::stopped());
    }
    let (mut audience, bench) = audience(changing.change(), cloud, signals);
    let ended = audience.attend(Box::pin(changing.see_through(Direction::Back, None, &bench.work()))).await;
    let mut ended = ended.unwrap_or(Err(ChangeError::Stopped)).into();
    if matches!(ended, WorkEnd::Unsettled(_, None)) && bench.stop.is_cancelled() {
        ended = WorkEnd::Stopped;
    }
    Ok(RollbackReport::new(&changing.course(), audience.lines.deleted(), &ended).sparing(&renamed))
}

/// The objects to delete, by name and id, and those that stay.
fn question(name: &str, progress: &Progress, renamed: &[Made]) -> String {
    let mut lines = vec![format!("This deletes what was created of {name}, and nothing else:")];
    let object = |made: &Made| {
        let Made { task, region, id, name, .. } = made;
        format!("  {region:<12} {:<22} {name} ({id})", task.step.label())
    };
    let own = |made: &&Made| renamed.iter().all(|other| other.id != made.id);
    lines.extend(progress.removable().iter().filter(own).map(object));
    if !progress.is_settled() {
        lines.push("  and what requests without an answer have created, if anything".to_owned());
    }
    if !renamed.is_empty() {
        lines.push("These carry its marker, but osvpn does not name objects like that. They stay:".to_owned());
        lines.extend(renamed.iter().map(object));
    }
    lines.push(String::new());
    lines.join("\n")
}
