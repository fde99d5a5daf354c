//! What is printed at the end: as text for people, as JSON for programs. It holds no key.

mod change;
mod dry_run;
mod end;
mod existing;
mod exit_status;
mod health;
mod interrupted;
mod listing;
mod rollback;
mod text;
mod wrap;

use std::fmt::Display;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use crate::cloud::retry::Pause;
use crate::cloud::{Error, ErrorKind, Id, RegionId};
use crate::engine::handover::{Handover, KeyOrigin, external_address};
use crate::engine::{self, Ledger, Made, Marks, Origin, Standing, Step, Task, commands, is_cured_by_modern};
use crate::inspect::Examined;
use crate::plan::shell::osvpn;
use crate::plan::{Finding, Half, HalfPlan, Plan, Severity, ShellCommand, VpnId, VpnName};

pub use change::{ChangeReport, ChangeReports};
pub(crate) use dry_run::DryRun;
pub(crate) use end::{CreationEnd, CreationOutcome};
pub(crate) use existing::ExistingReport;
pub use exit_status::ExitStatus;
pub(crate) use health::{Diagnoses, Health};
pub(crate) use interrupted::ListedInterruption;
pub(crate) use listing::Listing;
pub(crate) use rollback::RollbackReport;
pub(crate) use text::DEMO;

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
    /// The report of a run that made what the ledger holds, and ended like that.
    #[must_use]
    pub fn new(plan: &Plan, ledger: &Ledger, end: CreationEnd<'_>, key: KeyOrigin) -> Self {
        let none = Standing::new();
        let (outcome, standing, failures) = match end {
            CreationEnd::Active => (CreationOutcome::Active, &none, Vec::new()),
            CreationEnd::NotActive(standing) => (CreationOutcome::NotActive, standing, Vec::new()),
            CreationEnd::Failed(task, error) => {
                let is_over = error.kind == ErrorKind::Overtaken && ledger.is_clean();
                let outcome = if is_over { CreationOutcome::Overtaken } else { CreationOutcome::Failed };
                (outcome, &none, vec![FailureReport::new(name_of(plan, task), error)])
            }
            CreationEnd::Lost(standing, error) => (
                CreationOutcome::Failed,
                standing,
                vec![FailureReport::new("asking for the status of the connections", error)],
            ),
            CreationEnd::Stopped(standing) => (CreationOutcome::Stopped, standing, Vec::new()),
            CreationEnd::Undone => (CreationOutcome::Undone, &none, Vec::new()),
            CreationEnd::Unsettled(error) => {
                let failure = |error| FailureReport::new("looking for objects of lost requests", error);
                (CreationOutcome::Undone, &none, error.map(failure).into_iter().collect())
            }
            CreationEnd::Left(left) => {
                let failure = |(made, error): &(Made, Error)| {
                    FailureReport::new(format!("deleting the {}", name_of(plan, made.task)), error)
                };
                (CreationOutcome::Failed, &none, left.iter().map(failure).collect())
            }
        };
        let is_overtaken = matches!(end, CreationEnd::Failed(_, error) if error.kind == ErrorKind::Overtaken);
        let modern = matches!(end, CreationEnd::Failed(task, error) if is_cured_by_modern(plan, task, error));
        let is_made = ledger.is_made(plan.halves().map(|half| half.half));
        // What is made is no run any more that could be rolled back.
        let undo = match outcome {
            CreationOutcome::Active | CreationOutcome::Undone | CreationOutcome::Overtaken => None,
            _ if is_made => Some(osvpn("delete").operand(plan.id())),
            _ => (!ledger.is_clean()).then(|| osvpn("rollback").operand(plan.id())),
        };
        let go_on = match outcome {
            CreationOutcome::Active if ledger.is_outstanding() => Some("resume"),
            CreationOutcome::Active | CreationOutcome::Overtaken => None,
            // What others have made in its place it is not to be finished beside.
            CreationOutcome::Failed if is_overtaken => Some(if is_made { "delete" } else { "rollback" }),
            CreationOutcome::Undone if ledger.is_settled() => None,
            CreationOutcome::Undone => Some("rollback"),
            CreationOutcome::Failed | CreationOutcome::NotActive | CreationOutcome::Stopped => {
                (!ledger.is_clean()).then_some("resume")
            }
        };
        let go_on = go_on.map(|way| osvpn(way).operand(plan.id()).words(if modern { "--profile modern" } else { "" }));
        let half = |half: &HalfPlan| half_report(plan, ledger, half, outcome, standing);
        // After a rollback the values of a VPN that could not be deleted are of no use.
        let is_complete =
            !matches!(end, CreationEnd::Left(_)) && ledger.is_complete(plan.halves().map(|half| half.half));
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
            failures,
            doubtful: DoubtReport::all(&Marks::from(plan), ledger),
            pauses: Vec::new(),
            health: None,
            security_rules: if is_complete {
                plan.security_rules().into_iter().map(rule).collect()
            } else {
                Vec::new()
            },
            handover: if is_complete { Handover::of(plan, ledger, key) } else { None },
            look_again: if is_complete && outcome != CreationOutcome::Active {
                commands::look_again(ledger)
            } else {
                Vec::new()
            },
            removal: commands::removal(&ledger.removable()),
            leftovers: commands::removal(&ledger.leftovers()),
            undo,
            go_on,
            findings: plan.findings().iter().filter(|finding| matters(finding)).map(ToString::to_string).collect(),
            is_demo: false,
            is_made,
        }
    }

    #[must_use]
    pub fn with_pauses(mut self, plan: &Plan, pauses: &[(Task, Pause)]) -> Self {
        self.pauses = pauses.iter().map(|(task, pause)| format!("{}: {pause}", name_of(plan, *task))).collect();
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

fn name_of(plan: &Plan, task: Task) -> String {
    let region = plan.half(task.half).map(place).unwrap_or_default();
    format!("{} of half {}, {region}", task.step.label(), task.half)
}

fn place(half: &HalfPlan) -> String {
    if half.label == half.region.as_str() { half.label.clone() } else { format!("{} ({})", half.label, half.region) }
}

fn half_report(
    plan: &Plan,
    ledger: &Ledger,
    half: &HalfPlan,
    outcome: CreationOutcome,
    standing: &Standing,
) -> HalfReport {
    let made = |step: &Step| ledger.get(half.half, *step);
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
        external_address: external_address(plan, ledger, half),
        local_cidrs: half.local_ranges(),
        remote_cidrs: half.remote.clone(),
        objects: Step::ALL.iter().filter_map(made).map(object).collect(),
        connection_status: status,
    }
}

impl DoubtReport {
    fn all(marks: &Marks, ledger: &Ledger) -> Vec<Self> {
        let doubt = |engine::Doubt { task, until }| {
            let region = marks.regions.get(&task.half)?.clone();
            let name = marks.name.of(task.step.object());
            let look = commands::list(&region, task.step);
            let may_appear_until = until.map(|until| until.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            Some(Self { kind: task.step, region, name, may_appear_until, look })
        };
        ledger.doubts().into_iter().filter_map(doubt).collect()
    }
}
