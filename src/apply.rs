//! `osvpn apply`: a plan file, the same engine, no questions. Progress goes to standard error, the answer to standard
//! output.

mod answer;
mod input;
mod progress;

use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::cli::ApplyArgs;
use crate::cloud::{Cloud, Detail, Error, Inventory, RegionId};
use crate::plan::file::{FileError, PlanFile};
use crate::plan::{Known, Labels, Plan, Profiles, Psk, Severity, VpnId};
use crate::provision::handover::KeyOrigin;
use crate::provision::{CreateError, Event, Ledger, Pace, Standing, Watched, create, verify, watch};
use crate::report::{End, Report};
use crate::sign_in::{SignedIn, sign_in};
use crate::signals::{SETTLING, Signal};

pub use answer::{Answer, Conclusion, Refusal};
use progress::Lines;

/// Makes the VPN of a plan file, unless the checks refuse it.
pub async fn apply(args: &ApplyArgs, mut signals: UnboundedReceiver<Signal>) -> Answer {
    let mut sign_in_warnings = Vec::new();
    let prepared = tokio::select! {
        prepared = prepare(args, &mut sign_in_warnings) => prepared,
        // Nothing has been made, and nothing has to be settled.
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    };
    let conclusion = match prepared {
        Ok((plan, _)) if args.dry_run => Conclusion::DryRun(plan),
        Ok((plan, signed_in)) => {
            let report = make(&plan, &signed_in.cloud, args.wait.duration(), signals).await;
            Conclusion::Report(Box::new(report.in_demo(signed_in.simulator.is_some())))
        }
        Err(refusal) => Conclusion::Refused(refusal),
    };
    Answer { conclusion, sign_in_warnings }
}

/// Reads and checks. What is odd about the credentials is told as soon as it is known, and kept even if the rest fails.
async fn prepare(args: &ApplyArgs, warnings: &mut Vec<String>) -> Result<(Box<Plan>, SignedIn), Refusal> {
    let file = input::plan_file(&args.plan)?;
    let psk = input::key(args, file.may_generate_key())?;
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
    Ok((plan, signed_in))
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

/// Makes it and watches it, and says how that ended.
async fn make(plan: &Plan, cloud: &Cloud, wait: Duration, signals: UnboundedReceiver<Signal>) -> Report {
    // Where a key is generated, both halves are the user's, and nobody has to be told it.
    let report = |ledger: &Ledger, end: End<'_>| Report::new(plan, ledger, end, KeyOrigin::Given);
    let (sender, events) = unbounded_channel();
    let mut audience = Audience { events, signals, stop: CancellationToken::new(), lines: Lines::new(plan) };
    let stop = audience.stop.clone();
    // The report comes when it is too late to think about them.
    for finding in plan.findings().iter().filter(|finding| finding.severity == Severity::Warning) {
        Lines::warning(&finding.to_string());
    }
    let mut ledger = Ledger::default();
    let report = |ledger: &Ledger, end: End<'_>, lines: &Lines| report(ledger, end).with_pauses(plan, lines.pauses());
    let created = audience.attend(create(plan, &mut ledger, cloud, &sender, &stop)).await;
    audience.lines.complete(&mut ledger);
    match created {
        Some(Ok(())) if !stop.is_cancelled() => {}
        Some(Ok(()) | Err(CreateError::Stopped)) | None => {
            return report(&ledger, End::Stopped(&Standing::new()), &audience.lines);
        }
        Some(Err(CreateError::Failed(task, error))) => {
            return report(&ledger, End::Failed(task, &error), &audience.lines);
        }
    }
    Lines::waiting(wait);
    let watched = audience.attend(watch(plan, &mut ledger, cloud, Pace::lasting(wait), &sender, &stop)).await;
    match watched {
        Some(Watched::Active) => report(&ledger, End::Active, &audience.lines),
        Some(Watched::NotYet(standing)) => {
            let report = report(&ledger, End::NotActive(&standing), &audience.lines);
            let checks = audience.attend(verify(plan, &ledger, cloud)).await;
            report.with_checks(checks.unwrap_or_default())
        }
        Some(Watched::Lost(error)) => report(&ledger, End::Lost(audience.lines.standing(), &error), &audience.lines),
        Some(Watched::Stopped) | None => report(&ledger, End::Stopped(audience.lines.standing()), &audience.lines),
    }
}

/// Who listens while the engine works.
struct Audience {
    events: UnboundedReceiver<Event>,
    signals: UnboundedReceiver<Signal>,
    stop: CancellationToken,
    lines: Lines,
}

impl Audience {
    /// Tells what happens while a piece of work is done, and passes a signal on as the wish to stop. None if the work did
    /// not come to rest in time after that.
    async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut deadline = None;
        let now = tokio::time::Instant::now();
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => self.lines.tell(event),
                result = &mut work => {
                    while let Ok(event) = self.events.try_recv() {
                        self.lines.tell(event);
                    }
                    return Some(result);
                }
                Some(_) = self.signals.recv() => {
                    self.stop.cancel();
                    Lines::stopping();
                    deadline.get_or_insert_with(|| tokio::time::Instant::now() + SETTLING);
                }
                () = sleep_until(deadline.unwrap_or(now)), if deadline.is_some() => return None,
            }
        }
    }
}
