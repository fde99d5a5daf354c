//! Carrying a change out: its stages one after the other, the steps of a stage at once, and the looks whether somebody else
//! was there first.

use std::ops::Range;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::contention::Overtaken;
use super::marked::MarkedStep;
use super::rivals::Rival;
use super::{ChangeError, Changed, Changing, Direction, End, Failure, Work};
use crate::change::{Change, Create, Deletable, HalfObject, New, Step};
use crate::cloud::{Error, ErrorKind, Kind};
use crate::engine::Event;

impl Changing {
    pub(super) async fn forward(&self, work: &Work<'_>) -> Result<Changed, ChangeError> {
        self.set_out(Direction::Forward, work);
        self.progress().repeat_unnoticed();
        let progress = self.progress().clone();
        let renewed = self.kept().renew(&self.change, &progress);
        if let Err(error) = renewed {
            return Err(self.fail(0, Error::new(ErrorKind::Journal, error.to_string()).into(), work));
        }
        if let Err((step, error)) = self.may_send_keys(work).await {
            return Err(self.failed_early(step, error, work));
        }
        if let Err((step, error)) = self.make_room(work).await {
            return Err(self.failed_early(step, error, work));
        }
        let (stages, never) = (self.change.stages(), CancellationToken::new());
        let mut is_looked_at = false;
        for (number, stage) in stages.iter().enumerate() {
            let missing: Vec<usize> = stage.clone().filter(|&step| !self.progress().is_done(step)).collect();
            let follows_services = number.checked_sub(1).is_some_and(|before| self.has_services(&stages[before]));
            if missing.is_empty() && !follows_services {
                continue;
            }
            if work.stop.is_cancelled() && !missing.iter().any(|&step| self.must_go_on(step)) {
                return Err(self.give_up(ChangeError::Stopped));
            }
            let work = &if missing.iter().any(|&step| self.is_back_to_back(step)) { work.until(&never) } else { *work };
            // Right after what was changed, and before anything is deleted: a restart takes its time.
            let wants_a_look = missing.iter().any(|&step| self.wants_a_look_before(step)) && !is_looked_at;
            is_looked_at |= missing.iter().any(|&step| self.wants_a_look_before(step));
            if wants_a_look && let Err(overtaken) = self.look_once_more(work).await {
                return Err(self.give_way(overtaken, work).await);
            }
            self.until_reported(&missing, work).await;
            self.stage(&missing, follows_services, work).await?;
            // What was made for the change may be of no use by the end of a restart.
            let takes_time = |&step: &usize| matches!(self.change.steps()[step], Step::Restart(_) | Step::Update(_));
            is_looked_at &= !missing.iter().any(takes_time);
        }
        if !is_looked_at && let Err(overtaken) = self.look_once_more(work).await {
            return Err(self.give_way(overtaken, work).await);
        }
        if let Err(overtaken) = self.look_at_connections(work).await {
            return Err(self.give_way(overtaken, work).await);
        }
        match self.overtaken_after(work).await {
            Ok(None) => Ok(self.settle(work).await),
            Ok(Some(rival)) => Err(self.yield_to(&rival, work).await),
            Err(error) => Err(self.unseen(error, work)),
        }
    }

    /// Whether a stage holds the only services of their routers. Whether they are alone there, and whether somebody else has
    /// made this VPN, is looked at beside the stage that follows, so that it costs no round trip of its own.
    pub(super) fn has_services(&self, stage: &Range<usize>) -> bool {
        let is_service = |step: &Step| matches!(step, Step::Create(Create { object: New::SoleService { .. }, .. }));
        self.change.steps()[stage.clone()].iter().any(is_service)
    }

    /// With a key of their own, some of the connections between two ends would stay down; and with one half replaced and the
    /// other not, the VPN would.
    pub(super) fn must_go_on(&self, step: usize) -> bool {
        matches!(self.change.steps()[step], Step::CopyKey(_))
            || self.is_back_to_back(step) && !self.has_deleted_nothing()
    }

    /// Whether the step is one of those from the deletion of the first connection that was replaced to the restart of the new
    /// ones.
    fn is_back_to_back(&self, step: usize) -> bool {
        let is_of_them = match &self.change.steps()[step] {
            Step::Delete(Deletable::Vpn(kind), _) => matches!(kind, Kind::SiteConnection | Kind::VpnService),
            Step::Restart(_) => true,
            _ => false,
        };
        is_of_them && self.change.replaces_connections()
    }

    pub(super) fn wants_a_look_before(&self, step: usize) -> bool {
        match self.change.steps()[step] {
            Step::Restart(_) => !is_one_of_several(&self.change, step),
            Step::Delete(..) => true,
            Step::Create(_) | Step::Update(_) | Step::SetKey(_) | Step::CopyKey(_) => false,
        }
    }

    /// Does the steps of a stage, all at once. Those that are in progress when one fails are finished.
    pub(super) async fn stage(
        &self,
        steps: &[usize],
        follows_services: bool,
        work: &Work<'_>,
    ) -> Result<(), ChangeError> {
        let looked = async {
            if follows_services {
                tokio::join!(self.all_alone(work), self.overtaken_before(work))
            } else {
                (Ok(()), Ok(None))
            }
        };
        let done = join_all(steps.iter().map(|&step| async move { (step, self.one_step(step, work).await) }));
        let (done, (alone, overtaken)) = tokio::join!(done, looked);
        for (step, ended) in done {
            match ended {
                Ok(()) => {}
                Err(Failure::Overtaken(overtaken)) => return Err(self.give_way(*overtaken, work).await),
                Err(Failure::Error(error)) if error.kind == ErrorKind::Overtaken => {
                    return Err(self.give_way(Overtaken { step, by: None, error: *error }, work).await);
                }
                Err(failure) => return Err(self.fail(step, failure, work)),
            }
        }
        alone.map_err(|(step, error)| self.fail(step, error.into(), work))?;
        match overtaken {
            Ok(None) => Ok(()),
            Ok(Some(rival)) => Err(self.yield_to(&rival, work).await),
            Err(error) => Err(self.unseen(error, work)),
        }
    }

    pub(super) async fn one_step(&self, step: usize, work: &Work<'_>) -> Result<(), Failure> {
        work.tell(Event::Started(step));
        let begun = Instant::now();
        match self.do_step(step, work).await {
            Ok(end) => {
                let object = self.progress().object(step).cloned();
                if let Some(made) = object {
                    work.tell(Event::Made(made, begun.elapsed()));
                } else {
                    self.progress().finish(step, end.clone());
                    self.note();
                    work.tell(Event::Finished(step, end, begun.elapsed()));
                }
                Ok(())
            }
            Err(failure) => {
                work.tell_failure(step, &failure, begun);
                Err(failure)
            }
        }
    }

    pub(super) fn failed_early(&self, step: usize, error: Error, work: &Work<'_>) -> ChangeError {
        work.tell(Event::Failed(step, error.clone(), Duration::ZERO));
        self.fail(step, error.into(), work)
    }

    /// It was not seen whether somebody else has made this VPN.
    pub(super) fn unseen(&self, mut error: Error, work: &Work<'_>) -> ChangeError {
        let steps = self.marked_steps().filter(|marked| marked.task.step == HalfObject::Connection);
        let steps: Vec<MarkedStep<'_>> = steps.collect();
        let here = steps.iter().find(|marked| error.region.as_ref() == Some(&marked.create.region)).or(steps.first());
        let step = here.map_or(0, |marked| marked.step);
        error.message =
            format!("It could not be checked whether somebody else has created this VPN meanwhile: {}", error.message);
        self.fail(step, error.into(), work)
    }

    /// Takes back a creation that somebody else was faster with.
    pub(super) async fn yield_to(&self, rival: &Rival, work: &Work<'_>) -> ChangeError {
        let (step, error) = self.withdraw(rival, work).await;
        let is_stopped = work.stop.is_cancelled() && !self.progress().is_unbegun();
        if is_stopped { ChangeError::Stopped } else { ChangeError::Failed(step, Box::new(error)) }
    }

    /// A key that may not be sent is no reason to be left half-way: the first step that has one, and why not.
    pub(super) async fn may_send_keys(&self, work: &Work<'_>) -> Result<(), (usize, Error)> {
        for (number, step) in self.change.steps().iter().enumerate() {
            if self.progress().is_done(number) || !step.has_key() {
                continue;
            }
            let region = |id| self.session(number, id, work).region(id).ok();
            for region in step.regions().into_iter().filter_map(region) {
                region.may_take_keys().await.map_err(|error| (number, error))?;
            }
        }
        Ok(())
    }

    pub(super) async fn do_step(&self, step: usize, work: &Work<'_>) -> Result<End, Failure> {
        match self.change.steps()[step].clone() {
            Step::Create(create) => self.create(step, &create, work).await,
            Step::Update(update) => self.update(step, &update, Direction::Forward, work).await,
            Step::SetKey(set_key) => self.set_key(step, &set_key, work).await,
            Step::CopyKey(copy_key) => self.copy_key(step, &copy_key, work).await,
            Step::Restart(restarted) => match self.restarted(&restarted) {
                Some(service) => Ok(self.restart(step, &service, work).await?),
                None => Ok(End::Gone),
            },
            Step::Delete(what, object) => self.delete(step, what, &object, work).await,
        }
    }
}

/// Whether a restart follows another.
fn is_one_of_several(change: &Change, step: usize) -> bool {
    let before = step.checked_sub(1).and_then(|before| change.steps().get(before));
    matches!(before, Some(Step::Restart(_)))
}
