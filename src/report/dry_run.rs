//! What would be created.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::{ExitStatus, HalfReport, Reported};
use crate::engine::{Ledger, Standing};
use crate::plan::{Plan, PlannedObject, VpnId, VpnName};

/// A plan that was checked and not carried out.
#[derive(Clone, Debug, Serialize)]
pub struct DryRun {
    /// Always `dry-run`.
    pub outcome: &'static str,
    /// The name of the VPN.
    pub name: VpnName,
    /// The id its marks would carry; another one next time.
    pub id: VpnId,
    /// `site-to-site` or `single`.
    pub mode: &'static str,
    /// One half or two; nothing of them exists.
    pub halves: Vec<HalfReport>,
    /// What would be made or reused, in order.
    pub objects: Vec<Planned>,
    /// Warnings and notices.
    pub findings: Vec<String>,
    /// The plan as a person reads it.
    #[serde(skip)]
    text: String,
}

/// An object as it is planned.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// In which region.
    pub region: String,
    /// What it is.
    pub kind: &'static str,
    /// What it will be called.
    pub name: String,
    /// What is worth knowing about it.
    pub about: String,
}

impl DryRun {
    /// Of a checked plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let nothing = (Ledger::default(), Standing::new());
        let half = |half| super::half_report(plan, &nothing.0, half, super::Outcome::Stopped, &nothing.1);
        let planned = plan.halves().flat_map(|half| {
            let objects = plan.objects(half).into_iter();
            objects.map(|PlannedObject { kind, name, about, .. }| Planned {
                region: half.region.to_string(),
                kind: kind.label(),
                name,
                about,
            })
        });
        Self {
            outcome: "dry-run",
            name: plan.name().clone(),
            id: plan.id().clone(),
            mode: super::mode(plan),
            halves: plan.halves().map(half).collect(),
            objects: planned.collect(),
            findings: plan.findings().iter().map(ToString::to_string).collect(),
            text: plan.to_string(),
        }
    }
}

impl Reported for DryRun {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::Done
    }
}

impl Display for DryRun {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nThis was a dry run: nothing was made.", self.text)
    }
}
