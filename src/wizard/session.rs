//! Signing in and reading the regions.

use std::collections::BTreeMap;

use itertools::Itertools;

use super::keymap::Action;
use super::picker::Choice;
use super::remote::RequestId;
use super::screen::Screen;
use super::vpns::YourVpns;
use super::work::Then;
use super::{Content, Effect, Message, Model, NewVpn, RegionState, Session, Start};
use crate::cloud::{Inventory, RegionId};
use crate::engine::pace::PATIENCE;
use crate::sign_in::{Login, Problem};

impl Model {
    pub(super) fn signed_in(&mut self, request: RequestId, result: Result<Session, Problem>) {
        if !self.shell.awaits_sign_in(request) {
            return;
        }
        match result {
            Ok(session) => {
                let regions = session.regions.clone();
                match session.warnings.as_slice() {
                    [] => {}
                    [one] => self.shell.warn(one.clone()),
                    [first, rest @ ..] => self.shell.warn(format!("{first} ({} more under ?)", rest.len())),
                }
                self.shell.start = Start::Ready(session);
                self.new_vpn.regions = regions.iter().cloned().map(RegionState::new).collect();
                // The first question may have been answered meanwhile: the screen goes on from where it is.
                match self.screen {
                    Screen::Vpns => self.of_vpns(YourVpns::open_list),
                    _ => self.refresh(),
                }
                self.vpns.offer_at_start(&mut self.shell);
                self.shell.describe_regions();
                for region in &regions {
                    self.new_vpn.discover(&mut self.shell, region);
                }
                if self.new_vpn.prefill.is_some() && matches!(self.screen, Screen::Mode | Screen::Review) {
                    self.new_vpn.take_regions_of_file();
                    self.new_vpn.ask_details(&mut self.shell);
                    self.enter(Screen::Review);
                }
                if self.new_vpn.received.is_some() && self.screen == Screen::Mode {
                    self.enter(Screen::Received);
                }
            }
            Err(problem) if !problem.clouds.is_empty() => {
                self.shell.clouds = problem.clouds;
                self.shell.start = Start::Choosing;
                self.enter(Screen::Cloud);
            }
            Err(problem) => self.shell.start = Start::Problem(problem),
        }
    }

    pub(super) fn problem_action(&mut self, action: Action) {
        match action {
            Action::Retry | Action::Accept => self.sign_in(),
            Action::Back => self.other_cloud(),
            Action::Demo => {
                self.shell.login = Login::Demo;
                self.sign_in();
            }
            _ => self.shell.scroll_by(action),
        }
    }

    /// While there is no sign-in: back to the list of clouds, if there is one.
    pub(super) fn other_cloud(&mut self) {
        if !self.shell.clouds.is_empty() {
            self.shell.start = Start::Choosing;
            self.enter(Screen::Cloud);
        }
    }

    /// Signs in to a cloud of the list. What was answered about another cloud is of no use in this one.
    pub(super) fn choose_cloud(&mut self, name: String) {
        let login = Login::Named(name);
        if self.shell.login == login && self.shell.session().is_some() {
            return self.advance();
        }
        if self.shell.login != login {
            self.new_vpn.answers.leave_cloud();
        }
        self.shell.login = login;
        self.sign_in();
        self.advance();
    }

    /// Signs in, while the first question is asked. What was known may be of another cloud.
    pub(super) fn sign_in(&mut self) {
        self.new_vpn.regions.clear();
        self.vpns = YourVpns::default();
        self.work.queue.clear();
        self.shell.sign_in();
    }

    /// Tells what is known before the credentials are sent, once more than what is known after.
    pub(super) fn warned(&mut self, request: RequestId, warning: String) {
        if self.shell.awaits_sign_in(request) {
            self.shell.warn(warning);
        }
    }

    pub(super) fn regions_described(&mut self, request: RequestId, descriptions: BTreeMap<RegionId, String>) {
        if self.shell.described(request, descriptions) {
            self.refresh();
        }
    }

    /// Has an answer about regions taken; what is on the screen changes with one that is waited for.
    pub(super) fn take_answer(&mut self, take: impl FnOnce(&mut NewVpn) -> bool) {
        if take(&mut self.new_vpn) {
            if self.screen != Screen::Mode {
                self.new_vpn.note_vpns();
            }
            self.new_vpn.take_objects_of_file();
            self.new_vpn.take_subnets_of_received();
            self.learned();
        }
    }

    /// A long list of subnets does not keep the routers from being shown. What is read again stays as it was until then.
    pub(super) fn discovered_in_part(&mut self, id: &RegionId, request: RequestId, part: Inventory) {
        let region = self.new_vpn.region_mut(id).filter(|region| region.inventory.ready().is_none());
        if region.is_some_and(|region| region.inventory.part(request, part)) {
            self.refresh();
        }
    }

    /// Which regions the screen is about, for reading again.
    fn regions_shown(&self) -> Vec<RegionId> {
        let all = || self.new_vpn.regions.iter().map(|region| region.id.clone()).collect();
        match (self.screen, &self.content) {
            // Where there is no cursor, nothing is at it.
            (Screen::Region(_) | Screen::Mode, Content::List(_)) if self.shell.in_lines => all(),
            (Screen::Region(_), Content::List(picker)) => match picker.current().map(|line| &line.choice) {
                Some(Choice::Region(region)) => vec![region.clone()],
                _ => Vec::new(),
            },
            (Screen::Mode, Content::List(picker)) => match picker.current().map(|line| &line.choice) {
                Some(choice @ (Choice::Proposal(..) | Choice::Vpn(_) | Choice::Creation(_) | Choice::Region(_))) => {
                    self.new_vpn.proposals.regions_of(choice)
                }
                _ => all(),
            },
            (Screen::Router(half) | Screen::Subnets(half), _) => {
                self.new_vpn.answers.region.get(half).clone().into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The regions that the screen waits for.
    pub fn regions_awaited(&self) -> Vec<RegionId> {
        let current = match &self.content {
            Content::List(picker) if !self.shell.in_lines => picker.current().map(|line| &line.choice),
            _ => None,
        };
        let mut shown = match (self.screen, current) {
            (Screen::Mode, Some(Choice::Mode(_) | Choice::Vpns)) => Vec::new(),
            (Screen::Review, _) => self.new_vpn.chosen_regions(),
            _ => self.regions_shown(),
        };
        shown.retain(|id| self.new_vpn.region(id).is_some_and(RegionState::is_awaited));
        shown
    }

    /// Waits no longer for the regions that the screen waits for; the others go on.
    pub(super) fn stop_reading(&mut self) {
        let ids = self.regions_awaited();
        let names = ids.iter().map(|id| self.shell.labels.name(id)).join(" and ");
        let first = ids.first().cloned().map(Choice::Region);
        for id in ids {
            if let Some(region) = self.new_vpn.region_mut(&id) {
                region.give_up();
            }
            self.shell.out.push(Effect::StopReading(id));
        }
        self.refresh();
        // What was stopped is what r reads.
        if let (Content::List(picker), Some(first), Screen::Region(_)) = (&mut self.content, first, self.screen) {
            picker.point(&first);
        }
        if !names.is_empty() {
            self.shell.say(format!("Reading {names} was stopped; r reads again."));
        }
    }

    /// Whether there is something to read again here.
    pub fn can_retry(&self) -> bool {
        self.shell.session().is_some() && (self.screen == Screen::Vpns || !self.regions_shown().is_empty())
    }

    /// Reads again what the screen is about; what failed anywhere is read again with it. What has just been asked for is
    /// not asked for twice, but a region that hangs is asked again.
    pub(super) fn retry(&mut self) {
        if self.screen == Screen::Vpns {
            return self.vpns.read_again(&mut self.shell);
        }
        self.keep_marks();
        let mut wanted = self.regions_shown();
        let failed = self.new_vpn.regions.iter().filter(|region| region.inventory.error().is_some());
        wanted.extend(failed.map(|region| region.id.clone()));
        wanted.sort();
        wanted.dedup();
        let now = self.shell.now;
        wanted.retain(|id| {
            let since = self.new_vpn.region(id).and_then(|region| region.inventory.since());
            since.is_none_or(|since| now.saturating_sub(since) >= PATIENCE)
        });
        if wanted.is_empty() {
            self.shell.say("It is being read already.");
        }
        self.read_again(&wanted);
    }

    /// The program is told to end: nothing may wait for an answer. A run's engine is asked to stop first, so that the
    /// request in progress is settled.
    pub(super) fn terminated(&mut self) {
        self.shell.question = None;
        self.stop(Then::Leave);
    }
}

impl Message {
    /// Whether it tells what the engine does, and not what came of it.
    pub const fn is_event(&self) -> bool {
        matches!(self, Self::Event(_))
    }

    /// Whether it is only time passing.
    pub const fn is_tick(&self) -> bool {
        matches!(self, Self::Tick(_))
    }
}
