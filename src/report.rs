//! What is printed at the end: as text for people, as JSON for programs. It holds no key.

mod change;
mod creation;
mod creation_outcome;
mod dry_run;
mod existing;
mod exit_status;
mod forecast;
mod health;
mod interrupted;
mod leaving;
mod listing;
mod monitored;
mod nagios;
mod prometheus;
mod rollback;
mod sheet;
mod wrap;

use std::fmt::Display;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use crate::cloud::retry::Pause;
use crate::cloud::{Error, ErrorKind, Id, RegionId};
use crate::engine::handover::{Handover, KeyOrigin, external_address};
use crate::engine::{
    Course, Direction, Doubt, Made, Origin, Progress, Standing, Step, Task, WorkEnd, commands, is_cured_by_modern,
};
use crate::inspect::Examined;
use crate::plan::shell::osvpn;
use crate::plan::{Finding, Half, HalfPlan, Place, Plan, Severity, ShellCommand, VpnId, VpnName};
use crate::sheet::{FarSide, PeerFormat, Sheet, SheetRefused};

pub use change::{ChangeReport, ChangeReports};
pub(crate) use creation::DEMO;
pub(crate) use creation_outcome::CreationOutcome;
pub(crate) use dry_run::DryRun;
pub(crate) use existing::ExistingReport;
pub use exit_status::ExitStatus;
pub(crate) use forecast::ForecastReport;
pub(crate) use health::{Diagnoses, Health};
pub(crate) use interrupted::ListedInterruption;
pub(crate) use leaving::CreationEnd;
pub use leaving::Leaving;
pub(crate) use listing::Listing;
pub(crate) use monitored::Monitored;
pub(crate) use nagios::NagiosLine;
pub use nagios::NagiosState;
pub(crate) use prometheus::Metrics;
pub(crate) use rollback::RollbackReport;
pub(crate) use sheet::SheetReport;
pub(crate) use wrap::hanging;

/// What a command ends with: a text for people, a JSON object for programs, an exit code for both.
pub trait Conclude: Display + Serialize {
    /// How the process ends.
    fn exit_status(&self) -> ExitStatus;
}

#[derive(Clone, Debug, Serialize)]
pub struct CreationReport {
    pub outcome: CreationOutcome,
    pub name: VpnName,
    /// The id in the markers of its objects.
    pub id: VpnId,
    /// `site-to-site` or `single`.
    pub mode: &'static str,
    pub halves: Vec<HalfReport>,
    /// What failed; more than one entry only after an undo.
    pub failures: Vec<FailureReport>,
    /// Objects that may exist, because the answer to their request was lost.
    pub doubtful: Vec<DoubtReport>,
    /// Every pause before a request was tried again.
    pub pauses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// What only the user can do: allow the traffic in the security groups of the instances.
    pub security_rules: Vec<RuleReport>,
    /// What the owner of an external peer has to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// The same in the words of no system, without the key.
    #[serde(skip)]
    sheet: Option<Result<Sheet, SheetRefused>>,
    pub look_again: Vec<ShellCommand>,
    /// Commands that remove what this run made, in the order that works.
    pub removal: Vec<ShellCommand>,
    /// Those of them that remove what failed requests left and the VPN does not use.
    pub leftovers: Vec<ShellCommand>,
    /// The command that removes the VPN, or what was made of it; none when it is ACTIVE, or nothing of it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<ShellCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go_on: Option<ShellCommand>,
    pub findings: Vec<String>,
    pub is_demo: bool,
    #[serde(skip)]
    is_made: bool,
    /// Whether no other VPN had its name when it was planned.
    #[serde(skip)]
    is_named_alone: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct HalfReport {
    pub half: Half,
    pub region: RegionId,
    /// Its readable name; the code if it has none.
    pub label: String,
    pub router: String,
    pub router_id: Id,
    /// The address the other end connects to, once it is known.
    pub external_address: Option<IpAddr>,
    pub local_cidrs: Vec<IpNet>,
    pub remote_cidrs: Vec<IpNet>,
    pub objects: Vec<ObjectReport>,
    pub connection_status: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ObjectReport {
    #[serde(serialize_with = "label")]
    pub kind: Step,
    pub name: String,
    pub id: Id,
    pub origin: Origin,
}

#[derive(Clone, Debug, Serialize)]
pub struct FailureReport {
    pub what: String,
    pub message: String,
    pub hint: Option<&'static str>,
    pub request: Option<String>,
    pub status: Option<u16>,
    pub request_id: Option<String>,
    /// How long the cloud asks to wait before the next try, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// An object that may or may not exist, because the answer to the request for it was lost.
#[derive(Clone, Debug, Serialize)]
pub struct DoubtReport {
    #[serde(serialize_with = "label")]
    pub kind: Step,
    pub region: RegionId,
    pub name: String,
    /// If it was looked for and not found: until when it may still appear, in UTC.
    pub may_appear_until: Option<String>,
    pub look: ShellCommand,
}

/// A security-group rule the instances of a region still need.
#[derive(Clone, Debug, Serialize)]
pub struct RuleReport {
    pub region: RegionId,
    pub remote_cidr: IpNet,
    /// The command, but for the security group, which only the user knows.
    pub command: ShellCommand,
}

impl FailureReport {
    pub fn new(what: impl Into<String>, error: &Error) -> Self {
        Self {
            what: what.into(),
            message: error.message.clone(),
            hint: error.hint(),
            request: error.request.clone(),
            status: error.status,
            request_id: error.request_id.clone(),
            retry_after: error.retry_after.map(|wait| wait.as_secs()),
        }
    }
}

impl FailureReport {
    pub fn plain(what: impl Into<String>, message: &str) -> Self {
        let message = message.to_owned();
        let what = what.into();
        Self { what, message, hint: None, request: None, status: None, request_id: None, retry_after: None }
    }
}

impl CreationReport {
    /// The report of a creation, or of its rollback, that came that far; where each connection stood last.
    #[must_use]
    pub fn new(
        plan: &Plan,
        course: &Course,
        direction: Direction,
        ended: &WorkEnd,
        standing: &Standing,
        key: KeyOrigin,
    ) -> Self {
        let progress = &course.progress;
        let is_overtaken = matches!(ended, WorkEnd::Failed(_, error) if error.kind == ErrorKind::Overtaken);
        let outcome = CreationOutcome::of(course, direction, ended);
        let standing = if let WorkEnd::NotYet(standing) = ended { standing } else { standing };
        let task = |step: &usize| course.change.steps().get(*step).and_then(crate::change::Step::task);
        let modern = matches!(ended, WorkEnd::Failed(step, error)
            if task(step).is_some_and(|task| is_cured_by_modern(plan, task, error)));
        let is_made = progress.is_made();
        // What is made is no run any more that could be rolled back.
        let undo = match outcome {
            CreationOutcome::Active | CreationOutcome::Undone | CreationOutcome::Overtaken => None,
            _ if is_made => Some(osvpn("delete").operand(plan.id())),
            _ => (!progress.is_clean()).then(|| osvpn("rollback").operand(plan.id())),
        };
        let go_on = match outcome {
            CreationOutcome::Active if progress.is_outstanding() => Some("resume"),
            CreationOutcome::Active | CreationOutcome::Overtaken => None,
            // What others have made in its place it is not to be finished beside.
            CreationOutcome::Failed if is_overtaken => Some(if is_made { "delete" } else { "rollback" }),
            CreationOutcome::Undone if progress.is_settled() => None,
            CreationOutcome::Undone => Some("rollback"),
            CreationOutcome::Failed | CreationOutcome::NotActive | CreationOutcome::Stopped => {
                (!progress.is_clean()).then_some("resume")
            }
        };
        let go_on = go_on.map(|way| osvpn(way).operand(plan.id()).words(if modern { "--profile modern" } else { "" }));
        let half = |half: &HalfPlan| half_report(plan, progress, half, outcome, standing);
        // After a rollback the values of a VPN that could not be deleted are of no use.
        let is_left = direction == Direction::Back && !course.not_deleted.is_empty();
        let is_complete = !is_left && progress.is_complete();
        let rule = |rule: crate::plan::SecurityRule| RuleReport {
            command: rule.command(),
            region: rule.region,
            remote_cidr: rule.remote,
        };
        Self {
            outcome,
            name: plan.name().clone(),
            id: plan.id().clone(),
            mode: mode(plan),
            halves: plan.halves().map(half).collect(),
            failures: failures(plan, course, direction, ended),
            doubtful: DoubtReport::all(course),
            pauses: Vec::new(),
            health: None,
            security_rules: if is_complete {
                plan.security_rules().into_iter().map(rule).collect()
            } else {
                Vec::new()
            },
            handover: if is_complete { Handover::of(plan, progress, key) } else { None },
            sheet: FarSide::planned(plan, external_address(plan, progress, plan.a()))
                .and_then(|side| Some(Sheet::new(PeerFormat::of(plan.peer()?.system)?, &side, None))),
            look_again: if is_complete && outcome != CreationOutcome::Active {
                commands::look_again(progress)
            } else {
                Vec::new()
            },
            removal: commands::removal(&progress.removable()),
            leftovers: commands::removal(&progress.leftovers()),
            undo,
            go_on,
            findings: plan.findings().iter().filter(|finding| matters(finding)).map(ToString::to_string).collect(),
            is_demo: false,
            is_made,
            is_named_alone: plan.findings().iter().all(|finding| finding.place != Place::Name),
        }
    }

    #[must_use]
    pub fn with_pauses(mut self, plan: &Plan, course: &Course, pauses: &[(usize, Pause)]) -> Self {
        let told = |(step, pause): &(usize, Pause)| format!("{}: {pause}", name_of_step(plan, course, *step));
        self.pauses = pauses.iter().map(told).collect();
        self
    }

    #[must_use]
    pub fn with_health(mut self, examined: Option<&Examined>) -> Self {
        self.health = examined.map(|examined| Health::new(&examined.vpn, &examined.diagnosis));
        self
    }

    #[must_use]
    pub fn in_demo(mut self, is_demo: bool) -> Self {
        self.is_demo = is_demo;
        self
    }

    /// Its security-group rules have been created since.
    #[must_use]
    pub fn admitted(mut self) -> Self {
        self.security_rules.clear();
        self.health = self.health.map(Health::of_the_halves);
        self
    }

    /// Whether nothing this run made exists.
    pub fn is_empty(&self) -> bool {
        self.removal.is_empty() && self.doubtful.is_empty()
    }
}

/// That of the outcome, but for a VPN that is ACTIVE and whose halves do not match.
impl Conclude for CreationReport {
    fn exit_status(&self) -> ExitStatus {
        let is_mismatched = self.health.as_ref().is_some_and(Health::is_mismatched);
        if self.outcome == CreationOutcome::Active && is_mismatched {
            ExitStatus::Mismatched
        } else {
            self.outcome.exit_status()
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn label<S: Serializer>(kind: &Step, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(kind.label())
}

const fn mode(plan: &Plan) -> &'static str {
    if plan.peer().is_some() { "single" } else { "site-to-site" }
}

/// Notices say before a run what will be done; after it the report itself says it.
fn matters(finding: &Finding) -> bool {
    finding.severity == Severity::Warning
}

/// What failed; more than one thing only after a rollback.
fn failures(plan: &Plan, course: &Course, direction: Direction, ended: &WorkEnd) -> Vec<FailureReport> {
    let lost_requests = "looking for objects of lost requests";
    match ended {
        WorkEnd::Failed(_, error) if direction == Direction::Back && course.not_deleted.is_empty() => {
            vec![FailureReport::new(lost_requests, error)]
        }
        WorkEnd::Failed(..) if direction == Direction::Back => {
            let failure = |(made, error): &(Made, Error)| {
                FailureReport::new(format!("deleting the {}", name_of(plan, made.task)), error)
            };
            course.not_deleted.iter().map(failure).collect()
        }
        WorkEnd::Failed(step, error) => vec![FailureReport::new(name_of_step(plan, course, *step), error)],
        WorkEnd::Lost(error) => vec![FailureReport::new("asking for the status of the connections", error)],
        WorkEnd::Unsettled(_, Some(error)) if direction == Direction::Back => {
            vec![FailureReport::new(lost_requests, error)]
        }
        _ => Vec::new(),
    }
}

fn name_of_step(plan: &Plan, course: &Course, step: usize) -> String {
    let task = course.change.steps().get(step).and_then(crate::change::Step::task);
    task.map(|task| name_of(plan, task)).unwrap_or_default()
}

fn name_of(plan: &Plan, task: Task) -> String {
    let region = plan.half(task.half).map(place).unwrap_or_default();
    format!("{} of half {}, {region}", task.step.label(), task.half)
}

fn place(half: &HalfPlan) -> String {
    if half.label == half.region.as_str() { half.label.clone() } else { format!("{} ({})", half.label, half.region) }
}

fn half_report(
    plan: &Plan,
    progress: &Progress,
    half: &HalfPlan,
    outcome: CreationOutcome,
    standing: &Standing,
) -> HalfReport {
    let made = |step: &Step| progress.get(half.half, *step);
    let object = |made: &Made| ObjectReport {
        kind: made.task.step,
        name: made.name.clone(),
        id: made.id.clone(),
        origin: made.origin,
    };
    let status = match outcome {
        CreationOutcome::Active => Some("ACTIVE".to_owned()),
        _ => standing.get(&half.half).map(ToString::to_string),
    };
    HalfReport {
        half: half.half,
        region: half.region.clone(),
        label: half.label.clone(),
        router: half.router.name.clone(),
        router_id: half.router.id.clone(),
        external_address: external_address(plan, progress, half),
        local_cidrs: half.local_ranges(),
        remote_cidrs: half.remote.clone(),
        objects: Step::ALL.iter().filter_map(made).map(object).collect(),
        connection_status: status,
    }
}

impl DoubtReport {
    fn all(course: &Course) -> Vec<Self> {
        let doubt = |Doubt { task, until }| {
            let create = course.change.creation_of(task)?;
            let look = commands::list(&create.region, task.step);
            let may_appear_until = until.map(|until| until.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            Some(Self {
                kind: task.step,
                region: create.region.clone(),
                name: create.name.clone(),
                may_appear_until,
                look,
            })
        };
        course.progress.doubts().into_iter().filter_map(doubt).collect()
    }
}
