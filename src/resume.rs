//! `osvpn resume` and `osvpn rollback`: finish or undo a run that was cut off, by its journal, or by the marks in the
//! cloud alone if the journal is lost; and finish or take back a change of a VPN that was cut off.

mod change;
mod choose;
mod rollback;

use std::path::Path;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::apply::made::wait_for;
use crate::apply::run::Run;
use crate::apply::{Answer, Conclusion, Lines, Refusal, input, signed_in};
use crate::cli::{ResumeArgs, RollbackArgs};
use crate::cloud::Cloud;
use crate::engine::found::{Found, find, settle};
use crate::engine::interruption::{Interruption, interruptions};
use crate::engine::journal::{Keeper, Record};
use crate::engine::prepare::PrepareError;
use crate::engine::resume::{KeyError, KeySource, Resumable, marks_of};
use crate::engine::{Ledger, Work};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Plan, Profile, Psk};
use crate::sign_in::SignedIn;
use crate::sign_in::terminal::AtTerminal;
use crate::signals::Signal;
use crate::state;

/// Does what is missing of a run that was cut off.
pub async fn resume(args: &ResumeArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let mut sign_in_warnings = Vec::new();
    match change::meant(args.vpn.as_deref()) {
        Ok(Some(cut_off)) => return change::resume(&cut_off, args, signals).await,
        Ok(None) => {}
        Err(refusal) => return Answer { conclusion: refused(refusal), sign_in_warnings },
    }
    let terminal = AtTerminal::find();
    let prepared = tokio::select! {
        prepared = prepare(args, terminal.as_ref(), &mut sign_in_warnings) => prepared,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let conclusion = match prepared {
        Ok(Prepared { next: Next::Make(Ready { plan, ledger, keeper, key }), signed_in }) => {
            let run = Run { plan: &plan, cloud: &signed_in.cloud, keeper: &keeper, key, wait: args.wait.duration() };
            Conclusion::Report(Box::new(run.make(ledger, signals).await))
        }
        Ok(Prepared { next: Next::Wait(found, outstanding), signed_in }) => {
            match wait_for(&found, &signed_in.cloud, args.wait.duration(), signals).await {
                Ok(health) => Conclusion::Health(Box::new(health.with_interruption(outstanding.as_ref()))),
                Err(refusal) => Conclusion::Refused(Box::new(refusal.resuming_with("resume", args.vpn.as_deref()))),
            }
        }
        Err(refusal) => Conclusion::Refused(Box::new(refusal.resuming_with("resume", args.vpn.as_deref()))),
    };
    Answer { conclusion, sign_in_warnings }
}

/// Deletes what a run made that was cut off.
pub async fn rollback(args: &RollbackArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let mut sign_in_warnings = Vec::new();
    match change::meant(args.vpn.as_deref()) {
        Ok(Some(cut_off)) => return change::rollback(&cut_off, args, signals).await,
        Ok(None) => {}
        Err(refusal) => return Answer { conclusion: refused(refusal), sign_in_warnings },
    }
    let terminal = AtTerminal::find();
    let taken = tokio::select! {
        taken = async {
            let chosen = choose::local(args.vpn.as_deref())?;
            let signed_in = signed_in(&args.cloud.login(), terminal.as_ref(), &mut sign_in_warnings).await?;
            let interrupted = choose::take_up(chosen, &signed_in.cloud).await?;
            choose::refuse_made(&interrupted)?;
            Ok((interrupted, signed_in))
        } => taken,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let conclusion = match taken {
        Ok((interrupted, signed_in)) => rollback::rollback(args, interrupted, &signed_in.cloud, signals).await,
        Err(refusal) => Conclusion::Refused(Box::new(refusal.resuming_with("rollback", args.vpn.as_deref()))),
    };
    Answer { conclusion, sign_in_warnings }
}

fn refused(refusal: Refusal) -> Conclusion {
    Conclusion::Refused(Box::new(refusal.resuming()))
}

struct Prepared {
    next: Next,
    signed_in: SignedIn,
}

/// What there is to do.
enum Next {
    /// To make what is missing.
    Make(Ready),
    /// To wait for ACTIVE: everything exists. What a lost request may still make, if there is such a request.
    Wait(Box<Found>, Option<Interruption>),
}

/// A run that can go on.
struct Ready {
    /// What it makes.
    plan: Box<Plan>,
    /// What exists of it, and what is in doubt.
    ledger: Ledger,
    /// Where its key came from.
    key: KeyOrigin,
    /// Its journal, or a new one.
    keeper: Keeper,
}

async fn prepare(
    args: &ResumeArgs,
    terminal: Option<&AtTerminal>,
    warnings: &mut Vec<String>,
) -> Result<Prepared, Refusal> {
    let chosen = choose::local(args.vpn.as_deref())?;
    let signed_in = signed_in(&args.cloud.login(), terminal, warnings).await?;
    let cloud = &signed_in.cloud;
    args.clear_text.apply(cloud).await;
    let interrupted = choose::take_up(chosen, cloud).await?;
    if args.profile.is_none() && interrupted.is_made() {
        let (found, outstanding) = made(interrupted, cloud).await?;
        return Ok(Prepared { next: Next::Wait(Box::new(found), outstanding), signed_in });
    }
    let (plan, ledger) = remaining(&interrupted, args.psk_file.as_deref(), args.profile.map(Into::into), cloud).await?;
    let key = interrupted.key_origin();
    let keeper = match interrupted {
        Resumable::Journal(journal) => Keeper::of(*journal),
        Resumable::Found(_, claim) => {
            let begun = claim.and_then(|claim| {
                let keeper = Keeper::begun(claim, Record::new(cloud, &plan, key))?;
                keeper.keep(&ledger)?;
                Ok(keeper)
            });
            begun.map_err(|error| Refusal::unusable(vec![error.to_string()]))?
        }
    };
    Ok(Prepared { next: Next::Make(Ready { plan, ledger, key, keeper }), signed_in })
}

/// A VPN that is made, as it is by now, after a look for what lost requests have made besides it.
async fn made(interrupted: Resumable, cloud: &Cloud) -> Result<(Found, Option<Interruption>), Refusal> {
    let mut ledger = interrupted.ledger(cloud.limits());
    let journal = match interrupted {
        Resumable::Found(found, _) => return Ok((*found, None)),
        Resumable::Journal(journal) => journal,
    };
    let (marks, vpn) = (marks_of(journal.record()), journal.record().vpn.clone());
    let keeper = Keeper::of(*journal);
    let (events, mut received) = unbounded_channel();
    let work = Work { cloud, keeper: &keeper, events: &events, stop: &CancellationToken::new() };
    settle(&marks, &mut ledger, &work).await.map_err(|error| Refusal::failed("looking for what exists", &error))?;
    let mut lines = Lines::of_regions(&marks.regions);
    while let Ok(event) = received.try_recv() {
        lines.tell(event);
    }
    drop(keeper);
    let all = find(cloud).await.map_err(|error| Refusal::failed("looking for what exists", &error))?;
    let found = all
        .into_iter()
        .find(|found| found.marks.vpn == vpn)
        .ok_or_else(|| Refusal::unusable(vec![format!("{} was created, and does not exist any more", marks.name)]))?;
    let interruptions = state::directory().map(|directory| interruptions(&directory, cloud)).unwrap_or_default();
    Ok((found, interruptions.into_iter().find(|one| one.is_of(Some(&vpn), []))))
}

/// The plan of what is left to do, with the key of its connection or the one that is given now.
async fn remaining(
    interrupted: &Resumable,
    psk_file: Option<&Path>,
    profile: Option<Profile>,
    cloud: &Cloud,
) -> Result<(Box<Plan>, Ledger), Refusal> {
    let drafted = interrupted.draft(profile, cloud).await?;
    let psk = match drafted.key(cloud).await? {
        KeySource::Connection(psk) => psk,
        KeySource::Generated if psk_file.is_none() => Psk::generate(),
        KeySource::Generated | KeySource::User => {
            input::given_key(psk_file).await?.ok_or(PrepareError::Key(KeyError::GiveAgain))?
        }
    };
    Ok(drafted.plan(Some(psk), cloud).await?)
}
