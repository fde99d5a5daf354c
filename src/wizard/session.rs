//! Signing in and reading the regions.

use std::time::Duration;

use super::keymap::Action;
use super::picker::Choice;
use super::remote::{Remote, RequestId};
use super::screen::Screen;
use super::vpns::Vpns;
use super::{Content, Effect, Ending, Message, Model, RegionState, Session, Start};
use crate::cloud::{Detail, Error, Inventory, RegionId};
use crate::engine::pace::PATIENCE;
use crate::sign_in::{Login, Problem};

impl Model {
    pub(super) fn sign_in(&mut self) {
        let request = self.out.request();
        self.taking_up = None;
        self.question = None;
        self.start = Start::SigningIn { request, since: self.now };
        self.out.push(Effect::SignIn(request, self.login.clone()));
    }

    pub(super) fn signed_in(&mut self, request: RequestId, result: Result<Session, Problem>) {
        if !matches!(self.start, Start::SigningIn { request: awaited, .. } if awaited == request) {
            return;
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
                    .map(|id| RegionState {
                        id,
                        inventory: Remote::NotAsked,
                        detail: Remote::NotAsked,
                        as_of: Duration::ZERO,
                    })
                    .collect();
                let step = if self.screen == Screen::Cloud { Screen::Mode } else { self.screen };
                // What was known of the VPNs may be of another cloud.
                self.vpns = Vpns {
                    change: self.vpns.change.take(),
                    earlier: std::mem::take(&mut self.vpns.earlier),
                    ..Vpns::default()
                };
                self.vpns.offers = self.session().map(|session| session.interrupted.clone()).unwrap_or_default();
                self.enter(step);
                self.offer_unfinished();
                self.offer_next_change();
                let all: Vec<RegionId> = self.regions.iter().map(|region| region.id.clone()).collect();
                all.iter().for_each(|region| self.discover(region));
            }
            Err(problem) if !problem.clouds.is_empty() => {
                self.clouds = problem.clouds;
                self.start = Start::Choosing;
                self.enter(Screen::Cloud);
            }
            Err(problem) => {
                self.start = Start::Problem(problem);
            }
        }
    }

    pub(super) fn problem_action(&mut self, action: Action) {
        match action {
            Action::Retry | Action::Accept => self.sign_in(),
            Action::Back => self.other_cloud(),
            Action::Demo => {
                self.login = Login::Demo;
                self.sign_in()
            }
            _ => {
                self.scroll(action);
            }
        }
    }

    /// While there is no sign-in: back to the list of clouds, if there is one.
    pub(super) fn other_cloud(&mut self) {
        if !self.clouds.is_empty() {
            self.start = Start::Choosing;
            self.enter(Screen::Cloud);
        }
    }

    /// Signs in to a cloud of the list. What was answered about another cloud is of no use in this one.
    pub(super) fn choose_cloud(&mut self, name: String) {
        let login = Login::Named(name);
        if self.login == login && self.session().is_some() {
            return self.advance();
        }
        if self.login != login {
            self.answers.leave_cloud();
        }
        self.login = login;
        self.sign_in()
    }

    /// Asks a region, or asks it anew.
    pub(super) fn discover(&mut self, id: &RegionId) {
        let request = self.out.request();
        let now = self.now;
        let Some(region) = self.regions.iter_mut().find(|region| region.id == *id) else { return };
        region.inventory.ask(request, now);
        region.as_of = now;
        self.out.push(Effect::Discover(request, id.clone()));
    }

    /// Reads regions again, with everything known of them. What was known stays in view until the answer.
    pub(super) fn read_again(&mut self, ids: &[RegionId]) {
        self.forget_shared_keys();
        for id in ids {
            self.discover(id);
            let request = self.out.request();
            let now = self.now;
            if let Some(region) = self.regions.iter_mut().find(|region| region.id == *id)
                && !matches!(region.detail, Remote::NotAsked)
            {
                region.detail.ask(request, now);
                self.out.push(Effect::Detail(request, id.clone()));
            }
        }
        self.ask_chosen_details();
        self.refresh();
    }

    /// The regions of the VPN to be made.
    pub(super) fn chosen_regions(&self) -> Vec<RegionId> {
        self.halves().iter().filter_map(|half| self.answers.region.get(*half).clone()).collect()
    }

    /// Asks for a chosen region's details, unless they are here or on their way.
    fn ask_detail(&mut self, id: &RegionId) {
        let request = self.out.request();
        let now = self.now;
        let Some(region) = self.regions.iter_mut().find(|region| region.id == *id) else { return };
        if region.detail.is_loading() || region.detail.ready().is_some() {
            return;
        }
        region.detail.ask(request, now);
        self.out.push(Effect::Detail(request, id.clone()));
    }

    pub(super) fn discovered(&mut self, id: &RegionId, request: RequestId, result: Result<Inventory, Error>) {
        let region = self.regions.iter_mut().find(|region| region.id == *id);
        let is_taken = region.is_some_and(|region| region.inventory.answer(request, result));
        if is_taken {
            self.learned();
        }
    }

    pub(super) fn detailed(&mut self, id: &RegionId, request: RequestId, result: Result<Detail, Error>) {
        let region = self.regions.iter_mut().find(|region| region.id == *id);
        let is_taken = region.is_some_and(|region| region.detail.answer(request, result));
        if is_taken {
            self.learned();
        }
    }

    pub(super) fn learned(&mut self) {
        self.refresh();
        self.confirmed()
    }

    /// Which regions the screen is about, for reading again.
    fn regions_shown(&self) -> Vec<RegionId> {
        match (self.screen, &self.content) {
            (Screen::Region(_), Content::List(picker)) => match picker.current().map(|line| &line.choice) {
                Some(Choice::Region(region)) => vec![region.clone()],
                _ => Vec::new(),
            },
            (Screen::Router(half) | Screen::Subnets(half), _) => {
                self.answers.region.get(half).clone().into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether there is something to read again here.
    #[must_use]
    pub fn can_retry(&self) -> bool {
        self.screen == Screen::Vpns || !self.regions_shown().is_empty()
    }

    /// Reads again what the screen is about; what failed anywhere is read again with it. What has just been asked for is
    /// not asked for twice, but a region that hangs is asked anew.
    pub(super) fn retry(&mut self) {
        if self.screen == Screen::Vpns {
            return self.read_vpns_again();
        }
        self.keep_marks();
        let mut wanted = self.regions_shown();
        let failed = self.regions.iter().filter(|region| region.inventory.error().is_some());
        wanted.extend(failed.map(|region| region.id.clone()));
        wanted.sort();
        wanted.dedup();
        let now = self.now;
        wanted.retain(|id| {
            let since = self.region(id).and_then(|region| region.inventory.since());
            since.is_none_or(|since| now.saturating_sub(since) >= PATIENCE)
        });
        if wanted.is_empty() {
            self.say("It is being read already.");
        }
        self.read_again(&wanted)
    }

    /// Asks for the details of every chosen region that has none yet.
    pub(super) fn ask_chosen_details(&mut self) {
        self.chosen_regions().iter().for_each(|region| self.ask_detail(region));
    }

    /// The program is told to end: nothing may wait for an answer. A run's engine is asked to stop first, so that the
    /// request under way is settled.
    pub(super) fn terminated(&mut self) {
        self.question = None;
        if let Some(change) = self.vpns.change.as_mut().filter(|change| change.is_working()) {
            change.then = Some(super::progress::Then::Leave);
            return self.out.push(Effect::Stop);
        }
        let has_changed = self.vpns.change.is_some();
        match &mut self.run {
            Some(run) if run.is_working() => {
                run.then = Some(super::progress::Then::Leave);
                self.out.push(Effect::Stop);
            }
            Some(_) => {
                self.ending = Some(Ending::AfterRun);
            }
            None if has_changed => {
                self.ending = Some(Ending::AfterRun);
            }
            None => {
                self.ending = Some(Ending::Left);
            }
        }
    }
}

impl Message {
    /// Whether it tells what the engine does, and not what came of it.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        matches!(self, Self::Engine(_) | Self::Carrying(_))
    }

    /// Whether it is only time passing.
    #[must_use]
    pub const fn is_tick(&self) -> bool {
        matches!(self, Self::Tick(_))
    }
}
