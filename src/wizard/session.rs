//! Signing in and reading the regions.

use super::keymap::Action;
use super::picker::Choice;
use super::remote::{Remote, RequestId};
use super::step::Step;
use super::{Effect, Ending, Login, Message, Model, Problem, RegionState, Screen, Session, Start};
use crate::cloud::{Detail, Error, Inventory, RegionId};

impl Model {
    pub(super) fn sign_in(&mut self) -> Vec<Effect> {
        let request = self.request();
        self.start = Start::SigningIn { request, since: self.now };
        vec![Effect::SignIn(request, self.login.clone())]
    }

    pub(super) fn signed_in(&mut self, request: RequestId, result: Result<Session, Problem>) -> Vec<Effect> {
        if !matches!(self.start, Start::SigningIn { request: awaited, .. } if awaited == request) {
            return Vec::new();
        }
        match result {
            Ok(session) => {
                self.labels.describe(session.descriptions.iter().cloned());
                let regions = session.regions.clone();
                match session.warnings.as_slice() {
                    [] => {}
                    [one] => self.warn(one.clone()),
                    [first, rest @ ..] => self.warn(format!("{first} ({} more under ?)", rest.len())),
                }
                self.start = Start::Ready(session);
                self.regions = regions
                    .into_iter()
                    .map(|id| RegionState { id, inventory: Remote::NotAsked, detail: Remote::NotAsked })
                    .collect();
                let step = if self.step == Step::Cloud { Step::Mode } else { self.step };
                self.enter(step);
                let all: Vec<RegionId> = self.regions.iter().map(|region| region.id.clone()).collect();
                all.iter().filter_map(|region| self.discover(region)).collect()
            }
            Err(problem) if !problem.clouds.is_empty() => {
                self.clouds = problem.clouds;
                self.start = Start::Choosing;
                self.enter(Step::Cloud);
                Vec::new()
            }
            Err(problem) => {
                self.start = Start::Problem(problem);
                Vec::new()
            }
        }
    }

    pub(super) fn problem_action(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Retry | Action::Accept => self.sign_in(),
            Action::Up | Action::Down => {
                self.scroll(action);
                Vec::new()
            }
            Action::Demo => {
                self.login = Login::Demo;
                self.sign_in()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn choose_cloud(&mut self, name: String) -> Vec<Effect> {
        self.login = Login::Named(name);
        self.sign_in()
    }

    /// Asks a region anew, unless an answer is on its way.
    pub(super) fn discover(&mut self, id: &RegionId) -> Option<Effect> {
        let request = self.request();
        let now = self.now;
        let region = self.regions.iter_mut().find(|region| region.id == *id)?;
        if region.inventory.is_loading() {
            return None;
        }
        region.inventory = Remote::Loading { request, since: now };
        Some(Effect::Discover(request, id.clone()))
    }

    /// Asks for a chosen region's details, unless they are here or on their way.
    pub(super) fn ask_detail(&mut self, id: &RegionId) -> Option<Effect> {
        let request = self.request();
        let now = self.now;
        let region = self.regions.iter_mut().find(|region| region.id == *id)?;
        if region.detail.is_loading() || region.detail.ready().is_some() {
            return None;
        }
        region.detail = Remote::Loading { request, since: now };
        Some(Effect::Detail(request, id.clone()))
    }

    pub(super) fn discovered(&mut self, id: &RegionId, request: RequestId, result: Result<Inventory, Error>) {
        if let Some(region) = self.regions.iter_mut().find(|region| region.id == *id)
            && region.inventory.answer(request, result)
        {
            self.refresh();
        }
    }

    pub(super) fn detailed(&mut self, id: &RegionId, request: RequestId, result: Result<Detail, Error>) {
        if let Some(region) = self.regions.iter_mut().find(|region| region.id == *id)
            && region.detail.answer(request, result)
        {
            self.refresh();
        }
    }

    /// Which regions the screen is about, for reading again.
    fn regions_shown(&self) -> Vec<RegionId> {
        match (self.step, &self.screen) {
            (Step::Region(_), Screen::Picker(picker)) => match picker.current().map(|line| &line.choice) {
                Some(Choice::Region(region)) => vec![region.clone()],
                _ => Vec::new(),
            },
            (Step::Router(half) | Step::Subnets(half), _) => {
                self.answers.region.get(half).clone().into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether there is something to read again here.
    #[must_use]
    pub fn can_retry(&self) -> bool {
        !self.regions_shown().is_empty()
    }

    /// Reads again what the screen is about; what failed anywhere is read again with it.
    pub(super) fn retry(&mut self) -> Vec<Effect> {
        let mut wanted = self.regions_shown();
        let failed = self.regions.iter().filter(|region| region.inventory.error().is_some());
        wanted.extend(failed.map(|region| region.id.clone()));
        wanted.sort();
        wanted.dedup();
        let mut effects: Vec<Effect> = wanted.iter().filter_map(|region| self.discover(region)).collect();
        for region in self.regions.iter_mut().filter(|region| wanted.contains(&region.id)) {
            if !region.detail.is_loading() {
                region.detail = Remote::NotAsked;
            }
        }
        effects.extend(self.ask_chosen_details());
        self.refresh();
        effects
    }

    /// Asks for the details of every chosen region that has none yet.
    pub(super) fn ask_chosen_details(&mut self) -> Vec<Effect> {
        let chosen: Vec<RegionId> =
            self.halves().iter().filter_map(|half| self.answers.region.get(*half).clone()).collect();
        chosen.iter().filter_map(|region| self.ask_detail(region)).collect()
    }

    /// The program is told to end: nothing may wait for an answer. A run's engine is asked to stop first, so that the
    /// request under way is settled.
    pub(super) fn terminated(&mut self) -> Vec<Effect> {
        match &mut self.run {
            Some(run) if run.is_working() => {
                run.then = Some(super::progress::Then::Leave);
                vec![Effect::Stop]
            }
            Some(_) => {
                self.ending = Some(Ending::AfterRun);
                Vec::new()
            }
            None => {
                self.ending = Some(Ending::Left);
                Vec::new()
            }
        }
    }
}

impl Message {
    /// Whether it is only time passing.
    #[must_use]
    pub const fn is_tick(&self) -> bool {
        matches!(self, Self::Tick(_))
    }
}
