//! Deleting what a run made, asked once.

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::apply::run::Audience;
use crate::apply::{Conclusion, Lines, Refusal, ask};
use crate::cli::RollbackArgs;
use crate::cloud::Cloud;
use crate::engine::journal::Keeper;
use crate::engine::resume::Resumable;
use crate::engine::{Ledger, Made, Undone, Work, undo};
use crate::report::Rollback;
use crate::signals::Signal;

/// Asks, deletes, and waits until no lost request can take effect any more.
pub async fn rollback(
    args: &RollbackArgs,
    interrupted: Resumable,
    cloud: &Cloud,
    mut signals: UnboundedReceiver<Signal>,
) -> Conclusion {
    let marks = interrupted.marks();
    let mut ledger = interrupted.ledger(cloud.limits());
    let renamed = interrupted.spare_renamed(&mut ledger);
    let keeper = match interrupted {
        Resumable::Journal(journal) => Keeper::of(*journal),
        Resumable::Found(_, claim) => claim.map_or_else(|_| Keeper::default(), Keeper::claiming),
    };
    if !args.yes {
        let question = question(marks.name.as_str(), &ledger, &renamed);
        let mut unasked = vec!["not a terminal: pass --yes to do this without confirmation:".to_owned()];
        unasked.extend(question.iter().cloned());
        let agreed = ask::agreed(format!("{}\nDelete?", question.join("\n")), unasked, &mut signals).await;
        if let Err(refusal) = agreed.and_then(|agreed| agreed.then_some(()).ok_or_else(Refusal::stopped)) {
            return Conclusion::Refused(Box::new(refusal.resuming_with("rollback", args.vpn.as_deref())));
        }
    }
    let (events, received) = unbounded_channel();
    let lines = Lines::of_regions(&marks.regions);
    let mut audience = Audience { cloud, events: received, signals, stop: CancellationToken::new(), lines };
    let stop = audience.stop.clone();
    let work = Work { cloud, keeper: &keeper, events: &events, stop: &stop };
    let undone = loop {
        match audience.attend(undo(&marks, &mut ledger, &work)).await {
            Some(Undone::Unsettled(None)) if !stop.is_cancelled() => {
                let Some(until) = ledger.doubts().iter().filter_map(|doubt| doubt.until).max() else {
                    break Undone::Unsettled(None);
                };
                Lines::settling(until);
                let left = until.duration_since(Timestamp::now()).try_into().unwrap_or_default();
                if audience.attend(sleep_unless(left, &stop)).await.is_none() || stop.is_cancelled() {
                    break Undone::Stopped;
                }
            }
            undone => break undone.unwrap_or(Undone::Stopped),
        }
    };
    let deleted = audience.lines.deleted();
    Conclusion::Rollback(Box::new(Rollback::new(&marks, &ledger, deleted, &undone).sparing(&renamed)))
}

async fn sleep_unless(duration: std::time::Duration, stop: &CancellationToken) {
    tokio::select! {
        () = sleep(duration) => {}
        () = stop.cancelled() => {}
    }
}

/// What is to be deleted, by name and id, and what is not.
fn question(name: &str, ledger: &Ledger, renamed: &[Made]) -> Vec<String> {
    let mut lines = vec![format!("This deletes what the run of {name} made, and nothing else:")];
    let object = |made: &Made| {
        let Made { task, region, id, name, .. } = made;
        format!("  {region:<12} {:<22} {name} ({id})", task.step.label())
    };
    lines.extend(ledger.removable().iter().map(object));
    if !ledger.is_settled() {
        lines.push("  and what requests have made whose answers were lost, if there is any".to_owned());
    }
    if !renamed.is_empty() {
        lines.push("These carry its marker and have no name that osvpn gives. They stay:".to_owned());
        lines.extend(renamed.iter().map(object));
    }
    lines
}
