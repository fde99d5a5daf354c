//! What would be created.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::{Conclude, ExitStatus, HalfReport};
use crate::engine::{Progress, Standing};
use crate::plan::{Plan, PlannedObject, VpnId, VpnName};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct DryRun {
    outcome: &'static str,
    name: VpnName,
    /// Another one next time.
    id: VpnId,
    /// `site-to-site` or `single`.
    mode: &'static str,
    /// One half or two; nothing of them exists.
    halves: Vec<HalfReport>,
    /// What would be made or reused, in order.
    objects: Vec<Planned>,
    findings: Vec<String>,
    #[serde(skip)]
    text: String,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Planned {
    region: String,
    kind: &'static str,
    name: String,
    about: String,
}

impl DryRun {
    pub(crate) fn new(plan: &Plan) -> Self {
        let nothing = (Progress::default(), Standing::new());
        let half = |half| super::half_report(plan, &nothing.0, half, super::CreationOutcome::Stopped, &nothing.1);
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

impl Conclude for DryRun {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::Done
    }
}

impl Display for DryRun {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nThis was a dry run: nothing was created.", self.text)
    }
}
