//! `osvpn resume` and `osvpn rollback`: finish or undo a run that was cut off, by its journal, or by the marks in the
//! cloud alone if the journal is lost; and finish or take back a change of a VPN that was cut off.

mod change;
mod choose;
mod key;
mod recall;
mod rollback;

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::apply::made::wait_for;
use crate::apply::read::{Read, check, known, read, with_shared_key};
use crate::apply::run::Run;
use crate::apply::{Answer, Conclusion, Lines, Refusal, signed_in};
use crate::cli::{ResumeArgs, RollbackArgs};
use crate::cloud::Cloud;
use crate::cloud::request::Kind;
use crate::cloud::vpnaas::is_marked;
use crate::engine::change::Direction;
use crate::engine::found::{Found, find, forget_gone, settle};
use crate::engine::handover::KeyOrigin;
use crate::engine::interruption::{Interruption, interruptions};
use crate::engine::journal::{Journal, Keeper, Record};
use crate::engine::{Ledger, Marks, Step, Work};
use crate::plan::{Labels, Plan, Profile, Profiles};
use crate::sign_in::SignedIn;
use crate::sign_in::terminal::AtTerminal;
use crate::signals::Signal;
use crate::state;
use choose::Interrupted;
use key::Key;

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
            interrupted.refuse_made()?;
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
    let given = Key::Given(args.psk_file.as_deref());
    let (plan, ledger) = remaining(&interrupted, given, args.profile.map(Into::into), cloud).await?;
    let key = interrupted.key_origin();
    let keeper = match interrupted {
        Interrupted::Journal(journal) => Keeper::of(*journal),
        Interrupted::Found(_, claim) => {
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
async fn made(interrupted: Interrupted, cloud: &Cloud) -> Result<(Found, Option<Interruption>), Refusal> {
    let mut ledger = interrupted.ledger(cloud.limits());
    let journal = match interrupted {
        Interrupted::Found(found, _) => return Ok((*found, None)),
        Interrupted::Journal(journal) => journal,
    };
    let (marks, vpn) = (choose::marks_of(journal.record()), journal.record().vpn.clone());
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

/// A run that was taken up, to be finished or only undone.
#[derive(Debug)]
pub struct Taken {
    /// What it makes. None if it is to be undone, and could not be made as things are.
    pub plan: Option<Box<Plan>>,
    /// How its objects are known.
    pub marks: Marks,
    /// What exists of it, and what is in doubt.
    pub ledger: Ledger,
    /// Where its key came from.
    pub key: KeyOrigin,
    /// Its journal.
    pub keeper: Keeper,
}

/// Takes up the run of a journal, to finish it or only to undo it. For undoing the journal is enough: the plan is a
/// courtesy, so that its answers can be changed afterwards, and not waited for long.
///
/// # Errors
/// If another process has it; to finish it, also if the regions do not answer, or the checks refuse what is left to do.
pub async fn take_up(journal: &Path, direction: Direction, cloud: &Cloud) -> Result<Taken, Refusal> {
    let journal = Journal::open(journal).map_err(|error| Refusal::unusable(vec![error.to_string()]))?;
    let interrupted = Interrupted::Journal(Box::new(journal));
    let (marks, key) = (interrupted.marks(), interrupted.key_origin());
    let (plan, ledger) = match direction {
        Direction::Forward => {
            let (plan, ledger) = remaining(&interrupted, Key::Given(None), None, cloud).await?;
            (Some(plan), ledger)
        }
        Direction::Back => {
            let planned = timeout(Duration::from_secs(10), remaining(&interrupted, Key::Any, None, cloud)).await;
            let (plan, ledger) = planned.ok().and_then(Result::ok).unzip();
            (plan, ledger.unwrap_or_else(|| interrupted.ledger(cloud.limits())))
        }
    };
    let keeper = match interrupted {
        Interrupted::Journal(journal) => Keeper::of(*journal),
        Interrupted::Found(..) => Keeper::default(),
    };
    Ok(Taken { plan, marks, ledger, key, keeper })
}

/// What a run that was cut off wants, with another profile if one is named, and what of it exists.
async fn remaining(
    interrupted: &Interrupted,
    key: Key<'_>,
    profile: Option<Profile>,
    cloud: &Cloud,
) -> Result<(Box<Plan>, Ledger), Refusal> {
    let profiles = Profiles::built_in().map_err(|error| Refusal::internal(&error))?;
    let labels = Labels::built_in().map_err(|error| Refusal::internal(&error))?;
    let (marks, mut ledger) = (interrupted.marks(), interrupted.ledger(cloud.limits()));
    forget_gone(&mut ledger, cloud).await.map_err(|error| Refusal::failed("looking for what exists", &error))?;
    let psk = key::find(&marks, &ledger, interrupted.key_origin(), key, cloud);
    let mut regions = read(cloud, marks.regions.values()).await?;
    let mut draft = match interrupted {
        Interrupted::Journal(journal) => {
            let psk = psk.await?;
            forget_own(&mut regions, &marks, &ledger);
            let file = journal.record().plan().map_err(|error| Refusal::unusable(vec![error.to_string()]))?;
            file.resolve(&known(&regions), &profiles, psk).map_err(|errors| Refusal::unreferenced(&errors))?
        }
        Interrupted::Found(found, _) => {
            let draft = recall::draft(found, cloud, &regions, &profiles).await?;
            forget_own(&mut regions, &marks, &ledger);
            draft(psk.await?)
        }
    };
    if let Some((profile, policy)) = profile.and_then(|profile| Some((profile, profiles.get(profile)?))) {
        (draft.profile, draft.policy) = (profile, policy.clone());
        ledger.reconsider_policies();
    }
    let plan = check(draft, &regions, &labels, marks.vpn)?;
    // What is only undone needs no key, and a connection that has one keeps it.
    let is_connected = ledger.made().iter().any(|made| made.task.step == Step::Connection);
    let origin = if is_connected { KeyOrigin::Given } else { interrupted.key_origin() };
    let plan = if matches!(key, Key::Any) { plan } else { with_shared_key(plan, cloud, origin).await? };
    Ok((plan, ledger))
}

/// Takes the run's own objects out of what was read, so that the checks see the regions as they were before it: it is
/// neither in its own way, nor does it count twice against a quota.
fn forget_own(regions: &mut [Read], marks: &Marks, ledger: &Ledger) {
    let own: Vec<String> = marks.regions.keys().map(|half| marks.vpn.mark(*half)).collect();
    let is_own = |description: &str| own.iter().any(|mark| is_marked(description, mark));
    for (region, inventory, detail) in regions {
        inventory.services.retain(|service| !is_own(&service.description));
        inventory.connections.retain(|connection| !is_own(&connection.description));
        detail.groups.retain(|group| !is_own(&group.description));
        for made in ledger.removable().iter().filter(|made| made.region == *region) {
            let kind: Kind = made.task.step.kind();
            if let Some(quota) = detail.quotas.get_mut(kind.quota()) {
                quota.used = quota.used.saturating_sub(1);
            }
        }
    }
}
