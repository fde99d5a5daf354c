//! `osvpn apply`: a plan file, the same engine, no questions. Progress goes to standard error, the answer to standard
//! output.

mod answer;
pub(crate) mod ask;
pub(crate) mod attend;
mod existing;
pub(crate) mod input;
pub(crate) mod made;
mod progress;
pub(crate) mod run;

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::cli::ApplyArgs;
use crate::engine::Ledger;
use crate::engine::handover::KeyOrigin;
use crate::engine::interruption::begun;
use crate::engine::journal::{Keeper, Record};
use crate::engine::prepare::{check, known, read, with_shared_key};
use crate::plan::{Labels, Plan, Profiles, Psk, VpnId};
use crate::report::Existing;
use crate::sign_in::terminal::AtTerminal;
use crate::sign_in::{Login, SignedIn, sign_in};
use crate::signals::Signal;
use crate::state;

pub use answer::{Answer, Conclusion, Refusal};
use existing::existing;
pub(crate) use progress::Lines;
use run::Run;

/// Makes the VPN of a plan file, unless the checks refuse it.
pub async fn apply(args: &ApplyArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let mut sign_in_warnings = Vec::new();
    let terminal = AtTerminal::find();
    let prepared = tokio::select! {
        prepared = prepare(args, terminal.as_ref(), &mut sign_in_warnings) => prepared,
        // Nothing has been made, and nothing has to be settled.
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let conclusion = match prepared {
        Ok(Prepared::Existing(existing)) => Conclusion::Existing(existing),
        Ok(Prepared::Plan(plan, ..)) if args.dry_run => Conclusion::DryRun(plan),
        Ok(Prepared::Plan(plan, key, signed_in)) => {
            let cloud = &signed_in.cloud;
            let keeper = match &signed_in.simulator {
                Some(_) => Keeper::default(),
                None => Keeper::planned(state::directory(), Record::new(cloud, &plan, key)),
            };
            let run = Run { plan: &plan, cloud, keeper: &keeper, key, wait: args.wait.duration() };
            let report = run.make(Ledger::default(), signals).await;
            Conclusion::Report(Box::new(report.in_demo(signed_in.simulator.is_some())))
        }
        Err(refusal) => Conclusion::Refused(Box::new(refusal)),
    };
    Answer { conclusion, sign_in_warnings }
}

/// What there is to do.
enum Prepared {
    Plan(Box<Plan>, KeyOrigin, Box<SignedIn>),
    /// Nothing: the VPN is there exactly so.
    Existing(Box<Existing>),
}

/// Signs in, and tells and keeps what the user should know about the credentials, even if the rest fails.
pub(crate) async fn signed_in(
    login: &Login,
    terminal: Option<&AtTerminal>,
    warnings: &mut Vec<String>,
) -> Result<SignedIn, Refusal> {
    let tell = |warning: &str| {
        Lines::warning(warning);
        warnings.push(warning.to_owned());
    };
    let signed_in = sign_in(login, terminal.map(AtTerminal::person), tell).await.map_err(Refusal::not_signed_in)?;
    Lines::listen_to(&signed_in.cloud);
    Ok(signed_in)
}

/// Reads and checks. What is odd about the credentials is told as soon as it is known, and kept even if the rest fails.
async fn prepare(
    args: &ApplyArgs,
    terminal: Option<&AtTerminal>,
    warnings: &mut Vec<String>,
) -> Result<Prepared, Refusal> {
    let file = input::plan_file(&args.plan).await?;
    let given = input::given_key(args.psk_file.as_deref()).await?;
    let key = if given.is_some() { KeyOrigin::Given } else { KeyOrigin::Generated };
    // A further connection to the same peer has the key of the first, which is read once the regions are.
    let needs_sharer = given.is_none() && !file.may_generate_key();
    let psk = given.unwrap_or_else(Psk::generate);
    let profiles = Profiles::built_in().map_err(|error| Refusal::internal(&error))?;
    let mut labels = Labels::built_in().map_err(|error| Refusal::internal(&error))?;
    let signed_in = signed_in(&args.cloud.login(), terminal, warnings).await?;
    let cloud = &signed_in.cloud;
    let directory = state::directory().filter(|_| signed_in.simulator.is_none());
    if let Some(begun) = directory.and_then(|directory| begun(&directory, cloud, &file)) {
        return Err(Refusal::interrupted(&begun));
    }
    args.clear_text.apply(cloud).await;
    // Names are a courtesy, and not worth waiting for.
    let described = timeout(Duration::from_secs(2), cloud.region_descriptions());
    let (regions, described) = tokio::join!(read(cloud, file.regions()), described);
    labels.describe(described.unwrap_or_default());
    let regions = regions?;
    let draft = file.resolve(&known(&regions), &profiles, psk).map_err(|errors| Refusal::unreferenced(&errors))?;
    let plan = match check(draft.clone(), &regions, &labels, VpnId::random()) {
        Ok(plan) if needs_sharer && plan.key_sharers().is_empty() => return Err(input::no_key()),
        Ok(plan) => with_shared_key(plan, cloud, key).await?,
        Err(refusal) => {
            let existing = existing(&draft, key, cloud).await.map(Box::new);
            return existing.map(Prepared::Existing).ok_or_else(|| refusal.into());
        }
    };
    Ok(Prepared::Plan(plan, key, Box::new(signed_in)))
}
