//! A creation, or what is missing of one: the engine at work, its events as lines, and how that ended.

use std::time::Duration;

use super::attend::audience;
use super::lines;
use crate::cloud::Cloud;
use crate::engine::{ChangeError, Changing, Direction, Pace, Watched, WorkEnd};
use crate::inspect::examine;
use crate::plan::psk::KeyOrigin;
use crate::plan::{Plan, Severity};
use crate::report::CreationReport;
use crate::system::signals::Signals;

pub(super) struct Creation<'a> {
    pub(super) plan: &'a Plan,
    pub(super) cloud: &'a Cloud,
    pub(super) changing: Changing,
    /// Where the key came from, for the owner of a peer.
    pub(super) key: KeyOrigin,
    pub(super) wait: Duration,
}

impl Creation<'_> {
    /// Makes what does not exist yet and watches it, and says how that ended.
    pub(super) async fn make(self, signals: &mut Signals) -> CreationReport {
        let Self { plan, cloud, mut changing, key, wait } = self;
        let halves = changing.change().halves();
        let (mut audience, bench) = audience(changing.change(), cloud, signals);
        // The report comes when it is too late to think about them.
        for finding in plan.findings().iter().filter(|finding| finding.severity == Severity::Warning) {
            lines::warn(&finding.to_string());
        }
        let created = audience.attend(Box::pin(changing.carry_out(None, &bench.work()))).await;
        let created = created.unwrap_or(Err(ChangeError::Stopped));
        let (mut ended, mut examined) = (WorkEnd::Stopped, None);
        if let Err(error) = created {
            ended = Err(error).into();
        } else if !bench.stop.is_cancelled() {
            lines::waiting(wait);
            let watched = audience.attend(Box::pin(changing.watch(Pace::lasting(wait), &bench.work()))).await;
            // ACTIVE does not prove that traffic flows, and DOWN does not say why.
            if matches!(watched, Some(Watched::Active | Watched::NotYet(_))) {
                examined = audience.attend(examine(cloud, plan.id(), &halves)).await.and_then(Result::ok);
            }
            ended = watched.unwrap_or(Watched::Stopped).into();
        }
        let (course, lines) = (changing.course(), &audience.lines);
        CreationReport::new(plan, &course, Direction::Forward, &ended, lines.standing(), key)
            .with_pauses(plan, &course, lines.pauses())
            .with_health(examined.as_ref())
    }
}
