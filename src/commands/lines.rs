//! Progress on standard error, a line for each thing that happens.

use std::time::Duration;

use jiff::Timestamp;

use crate::change::Change;
use crate::cloud::retry::Pause;
use crate::cloud::{Cloud, RegionId};
use crate::engine::{End, Event, Made, Origin, Standing, Task};
use crate::plan::Half;
use crate::sign_in::aside::say;

/// Prints the events of a change, and remembers some of them.
#[derive(Debug)]
pub(super) struct ProgressLines {
    change: Change,
    standing: Standing,
    pauses: Vec<(usize, Pause)>,
    deleted: usize,
}

impl ProgressLines {
    pub(super) fn new(change: &Change) -> Self {
        Self { change: change.clone(), standing: Standing::new(), pauses: Vec::new(), deleted: 0 }
    }

    pub(super) fn tell(&mut self, event: Event) {
        let line = match event {
            Event::Started(_) | Event::RollingBack(_) | Event::Settled(_) | Event::Deleting(_) | Event::Kept(..) => {
                return;
            }
            Event::Finished(step, end, took) => {
                let word = match end {
                    End::Made(id) => format!("created {id}"),
                    End::Existed => "existed already".to_owned(),
                    End::Changed => "done".to_owned(),
                    End::Unnoticed(_) => "done, but NOT NOTICED by the agent".to_owned(),
                    End::Gone => "gone".to_owned(),
                    End::Kept(why) => format!("KEPT, because it is in use: {why}"),
                };
                format!("{}{word} ({})", self.step(step), seconds(took))
            }
            Event::Made(made, took) => {
                let verb = match made.origin {
                    Origin::Created => "created",
                    Origin::Adopted => "adopted",
                    Origin::Reused => "reused ",
                };
                format!("{}{verb}  {} ({}, {})", self.object(made.task), made.id, made.name, seconds(took))
            }
            Event::Failed(step, error, took) => {
                let word = if self.task(step).is_some() { "FAILED  " } else { "FAILED:" };
                format!("{}{word} {error} ({})", self.step(step), seconds(took))
            }
            Event::Waiting(step, pause) => {
                let line = format!("{}{pause}", self.step(step));
                self.pauses.push((step, *pause));
                line
            }
            Event::RolledBack(step, took) => format!("{}rolled back ({})", self.step(step), seconds(took)),
            Event::Removed(_, id) => format!("{id}, which nothing needs any more: deleted"),
            Event::Found(Made { task, id, .. }) => {
                format!("{}found    {id}, created by a request whose answer was lost", self.object(task))
            }
            Event::LeftAlone(Made { task, id, name, .. }) => format!(
                "{}stays    {name} ({id}): it carries the marker of this VPN, and is not what osvpn sent",
                self.object(task)
            ),
            Event::Deleted(Made { task, id, .. }) => {
                self.deleted += 1;
                format!("{}deleted  {id}", self.object(task))
            }
            Event::Settling(until) => self.settling(until),
            Event::Polled(standing) => return self.polled(standing),
            Event::PollFailed(half, error) => {
                let when = error.retry_after.map(|wait| format!(" in {} s", wait.as_secs())).unwrap_or_default();
                format!("{half} {:<12} status could not be read, asking again{when}: {error}", self.region(half))
            }
        };
        say(&line);
    }

    fn polled(&mut self, standing: Standing) {
        for (half, status) in &standing {
            if self.standing.get(half) != Some(status) {
                say(&format!("{half} {:<12} connection is {status}", self.region(*half)));
            }
        }
        self.standing = standing;
    }

    fn settling(&self, until: Timestamp) -> String {
        let until = until.strftime("%H:%M:%S UTC");
        if self.task(0).is_some() {
            format!("what exists is deleted; waiting until {until}, because the answer to a request was lost")
        } else {
            format!("waiting until {until}, because an answer was lost and the cloud may still act on that request")
        }
    }

    pub(super) const fn deleted(&self) -> usize {
        self.deleted
    }

    pub(super) const fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(super) fn pauses(&self) -> &[(usize, Pause)] {
        &self.pauses
    }

    /// The object of a new VPN that a step makes.
    fn task(&self, step: usize) -> Option<Task> {
        self.change.steps().get(step)?.task()
    }

    fn region(&self, half: Half) -> String {
        self.change.halves().get(&half).map_or("", RegionId::as_str).to_owned()
    }

    fn step(&self, step: usize) -> String {
        match (self.task(step), self.change.steps().get(step)) {
            (Some(task), _) => self.object(task),
            (None, Some(step)) => format!("{step}: "),
            (None, None) => String::new(),
        }
    }

    fn object(&self, task: Task) -> String {
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

pub(super) fn stopping(replaces_connections: bool) {
    say("stopping; the request in progress is finished first");
    if replaces_connections {
        say("once an old connection is deleted, the rest of them is, too, and the new ones are started first");
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
