//! Journals of the first format: a change as it is now, and a creation with its plan and a list of what it had made.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::journal::{Planned, Record, VERSION};
use super::progress::LostRequests;
use super::{Made, Progress, Task};
use crate::change::Change;
use crate::cloud::harmless;
use crate::plan::file::PlanFile;
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, VpnId, VpnName};

#[derive(Deserialize)]
struct Creation {
    #[serde(deserialize_with = "harmless")]
    program: String,
    vpn: VpnId,
    name: VpnName,
    began: Timestamp,
    #[serde(deserialize_with = "harmless")]
    auth_url: String,
    #[serde(deserialize_with = "harmless")]
    project: String,
    key: KeyOrigin,
    plan: String,
    ledger: Ledger,
    /// The first programs did not note it.
    #[serde(default = "noted_by_none")]
    is_checked: bool,
}

/// What exists, and what is in doubt. Maps are lists of pairs.
#[derive(Deserialize)]
struct Ledger {
    made: Vec<Made>,
    debris: Vec<Made>,
    doubtful: BTreeSet<Task>,
    late: Vec<(Task, LostRequests)>,
    intents: Vec<(Task, Timestamp)>,
}

const fn noted_by_none() -> bool {
    true
}

pub(super) fn read(text: &[u8]) -> serde_json::Result<Record> {
    #[derive(Deserialize)]
    struct Shape {
        ledger: Option<IgnoredAny>,
    }
    if serde_json::from_slice::<Shape>(text)?.ledger.is_none() {
        return serde_json::from_slice(text);
    }
    let Creation { program, vpn, name, began, auth_url, project, key, plan, ledger, is_checked } =
        serde_json::from_slice(text)?;
    let file = PlanFile::parse(&plan).ok();
    let planned = file.as_ref().map(|file| [Half::A, Half::B].into_iter().zip(file.regions().into_iter().cloned()));
    let made = ledger.made.iter().chain(&ledger.debris).map(|made| (made.task.half, made.region.clone()));
    let halves: BTreeMap<_, _> = made.chain(planned.into_iter().flatten()).collect();
    let change = Change::of_halves(&vpn, &name, &halves, file.as_ref());
    let progress = ledger.progress(&change);
    let planned = Some(Planned { key, file: plan, is_checked });
    Ok(Record { version: VERSION, program, began, auth_url, project, change, progress, planned })
}

impl Ledger {
    fn progress(self, change: &Change) -> Progress {
        let mut progress = Progress::new(change);
        for task in self.doubtful {
            progress.doubt(task);
        }
        for (task, at) in self.intents {
            progress.announced(task, at);
        }
        for (task, late) in self.late {
            progress.may_come(task, late);
        }
        self.made.into_iter().for_each(|made| progress.record(made));
        self.debris.into_iter().for_each(|made| progress.leave(made));
        progress
    }
}
