//! `osvpn rollback`

use clap::Args;
use jiff::Timestamp;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::confirm::confirm;
use super::creation::Audience;
use super::lines::{self, ProgressLines};
use super::options::{AnswerArgs, ChangeArgs, ClearTextArgs};
use super::resume::{again, local, meant, refuse_made, take_up};
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::cloud::Cloud;
use crate::engine::journal::Keeper;
use crate::engine::resume::Resumable;
use crate::engine::{Ledger, Made, Undone, Work, undo};
use crate::report::RollbackReport;
use crate::system::signals::Signals;

/// Delete everything an interrupted run created.
///
/// Objects that existed before and were reused stay. An interrupted change is reversed. Without the journal, osvpn finds
/// the VPN by the marker in the descriptions of its objects.
#[derive(Clone, Debug, Args)]
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
        if let Some(change) = meant(self.vpn.as_deref())? {
            return change.roll_back(self, sign_in, signals).await;
        }
        let again = |error: CommandError| error.go_on_with(again("rollback", self.vpn.as_deref()));
        let taken = async {
            let chosen = local(self.vpn.as_deref())?;
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
    let marks = interrupted.marks();
    let mut ledger = interrupted.ledger(cloud.limits());
    let renamed = interrupted.spare_renamed(&mut ledger);
    let keeper = match interrupted {
        Resumable::Journal(journal) => Keeper::of(*journal),
        Resumable::Found(_, claim) => claim.map_or_else(|_| Keeper::default(), Keeper::claiming),
    };
    if !args.change.yes && !confirm(&question(marks.name.as_str(), &ledger, &renamed), "Delete?", signals).await? {
        return Err(CommandError::stopped());
    }
    let (events, received) = unbounded_channel();
    let lines = ProgressLines::of_regions(&marks.regions);
    let mut audience = Audience { cloud, events: received, signals, stop: CancellationToken::new(), lines };
    let stop = audience.stop.clone();
    let work = Work { cloud, keeper: &keeper, events: &events, stop: &stop };
    let undone = loop {
        match audience.attend(Box::pin(undo(&marks, &mut ledger, &work))).await {
            Some(Undone::Unsettled(None)) if !stop.is_cancelled() => {
                let Some(until) = ledger.doubts().iter().filter_map(|doubt| doubt.until).max() else {
                    break Undone::Unsettled(None);
                };
                lines::settling(until);
                let left = until.duration_since(Timestamp::now()).try_into().unwrap_or_default();
                if audience.attend(sleep_unless(left, &stop)).await.is_none() || stop.is_cancelled() {
                    break Undone::Stopped;
                }
            }
            undone => break undone.unwrap_or(Undone::Stopped),
        }
    };
    let deleted = audience.lines.deleted();
    Ok(RollbackReport::new(&marks, &ledger, deleted, &undone).sparing(&renamed))
}

async fn sleep_unless(duration: std::time::Duration, stop: &CancellationToken) {
    tokio::select! {
        () = sleep(duration) => {}
        () = stop.cancelled() => {}
    }
}

/// The objects to delete, by name and id, and those that stay.
fn question(name: &str, ledger: &Ledger, renamed: &[Made]) -> String {
    let mut lines = vec![format!("This deletes what was created of {name}, and nothing else:")];
    let object = |made: &Made| {
        let Made { task, region, id, name, .. } = made;
        format!("  {region:<12} {:<22} {name} ({id})", task.step.label())
    };
    lines.extend(ledger.removable().iter().map(object));
    if !ledger.is_settled() {
        lines.push("  and what requests without an answer have created, if anything".to_owned());
    }
    if !renamed.is_empty() {
        lines.push("These carry its marker, but osvpn does not name objects like that. They stay:".to_owned());
        lines.extend(renamed.iter().map(object));
    }
    lines.push(String::new());
    lines.join("\n")
}
