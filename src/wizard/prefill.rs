//! Answers that a plan file gives. What the cloud has of them is answered as soon as it is read; of what it does not have, the
//! review says so at its place, and it stays to be chosen.

use itertools::Itertools;
use tui_input::Input;

use super::NewVpn;
use super::screen::{Mode, Screen};
use crate::cloud::{Id, RegionId};
use crate::plan::file::PlanFile;
use crate::plan::{Finding, Half, Place, Profile, reference};

/// What is taken from a plan file.
#[derive(Debug)]
pub(super) struct Prefill {
    file: PlanFile,
    /// What the cloud does not have, until it is chosen otherwise.
    wrong: Vec<Finding>,
}

impl NewVpn {
    /// Takes from a plan file what needs no cloud.
    pub(super) fn take_file(&mut self, file: PlanFile) {
        let answers = &mut self.answers;
        answers.mode = if file.peer().is_some() { Mode::Single } else { Mode::SiteToSite };
        answers.name = Some(Input::new(file.name().to_string()));
        answers.profile = answers.profile.or(file.profile());
        if let Some(policy) = file.policy().filter(|_| self.preset.is_none()) {
            answers.profile = Some(Profile::Custom);
            answers.start_custom_from(policy.clone());
            answers.custom_edited = true;
        }
        if let Some(peer) = file.peer() {
            answers.take_peer(peer);
        }
        self.prefill = Some(Prefill { file, wrong: Vec::new() });
    }

    /// Answers the regions, now that it is known which ones there are.
    pub(super) fn take_regions_of_file(&mut self) {
        let Some(Prefill { file, wrong }) = &mut self.prefill else { return };
        wrong.clear();
        for (half, region) in [Half::A, Half::B].into_iter().zip(file.regions()) {
            let there = self.regions.iter().map(|one| &one.id);
            *self.answers.region.get_mut(half) = there.clone().find(|id| *id == region).cloned();
            if self.answers.region.get(half).is_none() {
                wrong.push(Finding::refusal(Place::Region(half), reference::no_region(region, there)));
            }
        }
    }

    /// Answers routers and subnets, as far as their regions have been read.
    pub(super) fn take_objects_of_file(&mut self) {
        for half in [Half::A, Half::B] {
            self.take_router_of_file(half);
            self.take_subnets_of_file(half);
        }
    }

    /// The words of the file for a half that still is in the region of the file.
    fn words(&self, half: Half) -> Option<(RegionId, String, Vec<String>)> {
        let Prefill { file, .. } = self.prefill.as_ref()?;
        let (router, subnets) = file.objects(half)?;
        let region = *file.regions().get(usize::from(half == Half::B))?;
        let is_chosen = self.answers.region.get(half).as_ref() == Some(region);
        is_chosen.then(|| (region.clone(), router.to_owned(), subnets.map(str::to_owned).collect()))
    }

    fn take_router_of_file(&mut self, half: Half) {
        if self.answers.router_of(half).is_some() || self.is_wrong(Place::Router(half)) {
            return;
        }
        let Some((region, word, _)) = self.words(half) else { return };
        let Some(known) = self.region_of(half).filter(|region| !region.inventory.is_loading()) else { return };
        let Some(inventory) = known.inventory.ready() else { return };
        match reference::router(inventory, &word) {
            Ok(router) => drop(self.answers.router.insert(region, router)),
            Err(problem) => self.note_wrong(Place::Router(half), problem.to_string()),
        }
    }

    fn take_subnets_of_file(&mut self, half: Half) {
        let is_answered = !self.answers.subnets_of(half).is_empty() || self.is_wrong(Place::Subnets(half));
        let (Some((.., words)), Some(router)) = (self.words(half), self.answers.router_of(half)) else { return };
        let Some(region) = self.region_of(half).filter(|region| !region.inventory.is_loading()) else { return };
        let standing = region.standing(router);
        let (Some(inventory), false) = (region.inventory.ready(), is_answered) else { return };
        if standing.ready().is_none() && standing.error().is_none() {
            return;
        }
        let router = router.clone();
        let found = words.iter().map(|word| reference::subnet(inventory, inventory.router(&router), word));
        let (ids, wrong): (Vec<Id>, Vec<_>) = found.partition_result();
        self.answers.subnets.insert(router, ids);
        if !wrong.is_empty() {
            self.note_wrong(Place::Subnets(half), wrong.iter().join("; "));
        }
    }

    fn is_wrong(&self, place: Place) -> bool {
        self.wrong_in_file().iter().any(|finding| finding.place == place)
    }

    fn note_wrong(&mut self, place: Place, text: String) {
        if let Some(Prefill { wrong, .. }) = &mut self.prefill {
            wrong.push(Finding::refusal(place, text));
        }
    }

    pub(super) fn wrong_in_file(&self) -> &[Finding] {
        self.prefill.as_ref().map_or(&[], |prefill| &prefill.wrong)
    }

    /// What was wrong in the file is answered otherwise.
    pub(super) fn put_right(&mut self, screen: Screen) {
        let Some(Prefill { wrong, .. }) = &mut self.prefill else { return };
        wrong.retain(|finding| match (screen, finding.place) {
            (Screen::Region(half), Place::Region(of) | Place::Router(of) | Place::Subnets(of))
            | (Screen::Router(half), Place::Router(of) | Place::Subnets(of))
            | (Screen::Subnets(half), Place::Subnets(of)) => half != of,
            _ => true,
        });
    }
}
