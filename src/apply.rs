//! `osvpn apply`: a plan file, the same engine, no questions. Progress goes to standard error, the answer to standard
//! output.

mod answer;
mod input;
mod progress;
mod run;

use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::cli::ApplyArgs;
use crate::cloud::{Cloud, Detail, Error, Inventory, RegionId};
use crate::plan::file::{FileError, PlanFile};
use crate::plan::{Known, Labels, Plan, Profiles, Psk, VpnId};
use crate::provision::Ledger;
use crate::provision::handover::KeyOrigin;
use crate::provision::journal::{Keeper, Record};
use crate::sign_in::{SignedIn, sign_in};
use crate::signals::Signal;
use crate::state;

pub use answer::{Answer, Conclusion, Refusal};
use progress::Lines;
use run::Run;

/// Makes the VPN of a plan file, unless the checks refuse it.
pub async fn apply(args: &ApplyArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let mut sign_in_warnings = Vec::new();
    let prepared = tokio::select! {
        prepared = prepare(args, &mut sign_in_warnings) => prepared,
        // Nothing has been made, and nothing has to be settled.
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let conclusion = match prepared {
        Ok((plan, _, _)) if args.dry_run => Conclusion::DryRun(plan),
        Ok((plan, key, signed_in)) => {
            let cloud = &signed_in.cloud;
            let keeper = match &signed_in.simulator {
                Some(_) => Keeper::default(),
                None => Keeper::planned(state::directory(), Record::new(cloud, &plan, key)),
            };
            let run = Run { plan: &plan, cloud, keeper: &keeper, wait: args.wait.duration() };
            let report = run.make(Ledger::default(), signals).await;
            Conclusion::Report(Box::new(report.in_demo(signed_in.simulator.is_some())))
        }
        Err(refusal) => Conclusion::Refused(refusal),
    };
    Answer { conclusion, sign_in_warnings }
}

/// Reads and checks. What is odd about the credentials is told as soon as it is known, and kept even if the rest fails.
async fn prepare(args: &ApplyArgs, warnings: &mut Vec<String>) -> Result<(Box<Plan>, KeyOrigin, SignedIn), Refusal> {
    let file = input::plan_file(&args.plan)?;
    let (psk, key) = input::key(args.psk_file.as_deref(), file.may_generate_key())?;
    let profiles = Profiles::built_in().map_err(|error| Refusal::internal(&error))?;
    let mut labels = Labels::built_in().map_err(|error| Refusal::internal(&error))?;
    let signed_in = sign_in(&args.cloud.login()).await.map_err(Refusal::not_signed_in)?;
    warnings.clone_from(&signed_in.warnings);
    for warning in &*warnings {
        Lines::warning(warning);
    }
    let cloud = &signed_in.cloud;
    // Names are a courtesy, and not worth waiting for.
    let described = timeout(Duration::from_secs(2), cloud.region_descriptions());
    let (regions, described) = tokio::join!(read(cloud, &file), described);
    labels.describe(described.unwrap_or_default());
    let plan = check(&file, &regions?, &profiles, &labels, psk)?;
    Ok((plan, key, signed_in))
}

type Read = (RegionId, Inventory, Detail);

/// Everything about the regions the file names; one the cloud does not have is left to [`PlanFile::resolve`].
async fn read(cloud: &Cloud, file: &PlanFile) -> Result<Vec<Read>, Refusal> {
    let regions = file.regions().into_iter().filter_map(|id| cloud.region(id));
    let reads = regions.map(|region| async move {
        let (inventory, detail) = tokio::try_join!(region.inventory(), region.detail())?;
        Ok::<Read, Error>((region.id().clone(), inventory, detail))
    });
    let read: Result<Vec<Read>, Error> = join_all(reads).await.into_iter().collect();
    read.map_err(|error| {
        let region = error.region.as_ref().map_or_else(|| "a region".to_owned(), ToString::to_string);
        Refusal::failed(format!("reading {region}"), &error)
    })
}

fn check(
    file: &PlanFile,
    regions: &[Read],
    profiles: &Profiles,
    labels: &Labels,
    psk: Psk,
) -> Result<Box<Plan>, Refusal> {
    let known: Vec<Known<'_>> =
        regions.iter().map(|(region, inventory, detail)| Known { region, inventory, detail: Some(detail) }).collect();
    let draft = file.resolve(&known, profiles, psk).map_err(|errors| {
        let is_unreadable = errors.iter().any(FileError::is_unreadable);
        let problems = errors.iter().map(ToString::to_string).collect();
        if is_unreadable { Refusal::unusable(problems) } else { Refusal::refused(problems) }
    })?;
    Plan::check(draft, &known, labels, VpnId::random()).map(Box::new).map_err(|findings| {
        Refusal::refused(findings.iter().filter(|finding| finding.is_refusal()).map(ToString::to_string).collect())
    })
}
