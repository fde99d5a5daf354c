//! Progress on standard error, a line for each thing that happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::change::Change;
use crate::cloud::retry::Pause;
use crate::cloud::{Cloud, RegionId};
use crate::engine::{ChangeEvent, End};
use crate::engine::{Event, Ledger, Made, Marks, Origin, Standing, Task};
use crate::plan::{Half, Plan};
use crate::sign_in::aside::say;

/// Prints events, and remembers what they say exists.
#[derive(Debug, Default)]
pub(super) struct ProgressLines {
    regions: BTreeMap<Half, RegionId>,
    seen: Ledger,
    /// What was begun and has not ended yet.
    open: BTreeSet<Task>,
    standing: Standing,
    pauses: Vec<(Task, Pause)>,
    deleted: usize,
}

impl ProgressLines {
    pub(super) fn new(plan: &Plan) -> Self {
        Self::of_regions(&Marks::from(plan).regions)
    }

    pub(super) fn of_regions(regions: &BTreeMap<Half, RegionId>) -> Self {
        Self { regions: regions.clone(), ..Self::default() }
    }

    pub(super) fn tell(&mut self, event: Event) {
        match event {
            Event::Started(task) => {
                self.open.insert(task);
            }
            Event::Finished(made, took) => {
                let verb = match made.origin {
                    Origin::Created => "created",
                    Origin::Adopted => "adopted",
                    Origin::Reused => "reused ",
                };
                say(&format!("{}{verb}  {} ({}, {})", self.place(made.task), made.id, made.name, seconds(took)));
                self.open.remove(&made.task);
                self.seen.record(made);
            }
            Event::Failed(task, error, took) => {
                say(&format!("{}FAILED   {error} ({})", self.place(task), seconds(took)));
                self.open.remove(&task);
            }
            Event::Polled(standing) => {
                for (half, status) in &standing {
                    if self.standing.get(half) != Some(status) {
                        say(&format!("{half} {:<12} connection is {status}", self.region(*half)));
                    }
                }
                self.standing = standing;
            }
            Event::PollFailed(half, error) => {
                let when = error.retry_after.map(|wait| format!(" in {} s", wait.as_secs())).unwrap_or_default();
                say(&format!("{half} {:<12} status could not be read, asking again{when}: {error}", self.region(half)));
            }
            Event::Waiting(task, pause) => {
                say(&format!("{}{pause}", self.place(task)));
                self.pauses.push((task, *pause));
            }
            Event::Found(made) => {
                let what = format!("found    {}, created by a request whose answer was lost", made.id);
                say(&format!("{}{what}", self.place(made.task)));
                self.seen.leave(made);
            }
            Event::LeftAlone(Made { task, id, name, .. }) => {
                let what =
                    format!("stays    {name} ({id}): it carries the marker of this VPN, and is not what osvpn sent");
                say(&format!("{}{what}", self.place(task)));
            }
            Event::Deleted(Made { task, id, .. }) => {
                self.deleted += 1;
                say(&format!("{}deleted  {id}", self.place(task)));
                self.seen.remove(&id);
            }
            Event::Settled(_) | Event::Deleting(_) | Event::Kept(..) => {}
        }
    }

    pub(super) const fn deleted(&self) -> usize {
        self.deleted
    }

    pub(super) const fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(super) fn pauses(&self) -> &[(Task, Pause)] {
        &self.pauses
    }

    /// Adds to a ledger what is known to exist and is not in it, after work that could not be waited for. What that work
    /// had begun is in doubt.
    pub(super) fn complete(&self, ledger: &mut Ledger) {
        for made in self.seen.made() {
            if ledger.get(made.task.half, made.task.step).is_none() {
                ledger.record(made.clone());
            }
        }
        self.seen.leftovers().into_iter().for_each(|left| ledger.leave(left));
        self.open.iter().for_each(|task| ledger.doubt(*task));
    }

    fn region(&self, half: Half) -> &str {
        self.regions.get(&half).map_or("", RegionId::as_str)
    }

    fn place(&self, task: Task) -> String {
        format!("{} {:<12} {:<21} ", task.half, self.region(task.half), task.step.label())
    }
}

/// What the user should know before anything is changed.
pub(super) fn warn(what: &str) {
    say(&format!("warning: {what}"));
}

/// Prints every pause before a read is retried, from now on.
pub(super) fn listen_to(cloud: &Cloud) {
    cloud.tell_pauses(|region, pause| say(&format!("{region}: {pause}")));
}

pub(super) fn waiting(wait: Duration) {
    say(&format!("waiting up to {} s for ACTIVE", wait.as_secs()));
}

pub(super) fn settling(until: Timestamp) {
    let until = until.strftime("%H:%M:%S UTC");
    say(&format!("what exists is deleted; waiting until {until}, because the answer to a request was lost"));
}

pub(super) fn stopping() {
    say("stopping; the request in progress is finished first");
}

/// Tells an event of a change on standard error.
pub(super) fn tell_change(change: &Change, event: &ChangeEvent) {
    let step = |number: &usize| change.steps().get(*number).map(ToString::to_string).unwrap_or_default();
    let line = match event {
        ChangeEvent::Started(_) | ChangeEvent::RollingBack(_) => return,
        ChangeEvent::Finished(number, end, took) => {
            let word = match end {
                End::Made(id) => format!("created {id}"),
                End::Existed => "existed already".to_owned(),
                End::Changed => "done".to_owned(),
                End::Unnoticed(_) => "done, but NOT NOTICED by the agent".to_owned(),
                End::Gone => "gone".to_owned(),
                End::Kept(why) => format!("KEPT, because it is in use: {why}"),
            };
            format!("{}: {word} ({})", step(number), seconds(*took))
        }
        ChangeEvent::Failed(number, error, took) => {
            format!("{}: FAILED: {error} ({})", step(number), seconds(*took))
        }
        ChangeEvent::Waiting(number, pause) => format!("{}: {pause}", step(number)),
        ChangeEvent::RolledBack(number, took) => {
            format!("{}: rolled back ({})", step(number), seconds(*took))
        }
        ChangeEvent::Settling(until) => {
            format!(
                "waiting until {}, because an answer was lost and the cloud may still act on that request",
                until.strftime("%H:%M:%S UTC")
            )
        }
        ChangeEvent::Removed(_, id) => format!("{id}, which nothing needs any more: deleted"),
    };
    say(&line);
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{Error, ErrorKind, Id, RegionId};
    use crate::engine::{Made, Step};
    use crate::plan::Half;

    #[test]
    fn what_was_begun_and_never_ended_is_in_doubt() {
        let mut lines = ProgressLines::default();
        let task = |step| Task { half: Half::A, step };
        for step in [Step::Service, Step::IkePolicy, Step::IpsecPolicy] {
            lines.tell(Event::Started(task(step)));
        }
        let service = Made {
            task: task(Step::Service),
            region: RegionId::new("nz-hlz-1"),
            id: Id::new("s-1"),
            name: "vpn_vpn_service".to_owned(),
            origin: Origin::Created,
            external_v4: None,
            external_v6: None,
        };
        lines.tell(Event::Finished(service.clone(), Duration::ZERO));
        lines.tell(Event::Failed(task(Step::IkePolicy), Error::new(ErrorKind::Conflict, "no"), Duration::ZERO));
        let mut ledger = Ledger::default();
        lines.complete(&mut ledger);
        assert_eq!(ledger.made(), [service]);
        assert_eq!(ledger.doubts(), [crate::engine::Doubt { task: task(Step::IpsecPolicy), until: None }]);
    }
}
