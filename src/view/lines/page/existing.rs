//! Work, a sheet, and a VPN that exists.

use super::super::super::{Scene, sheet, vpn, work};
use super::super::commands;
use super::{Asks, Meant, Offer, SpokenPage, UNWRAPPED, texts};
use crate::wizard::Model;
use crate::wizard::gesture::Spot;
use crate::wizard::vpns::{Open, VpnButton};
use crate::wizard::work::{End, Work};

impl SpokenPage {
    pub(super) fn of_work(scene: Scene<'_>, work: &Work) -> Self {
        let mut body = texts(&work::text(scene, work, UNWRAPPED));
        if let Some(what) = being_checked(scene.model, work) {
            // What there is to do is said once it is known.
            body.truncate(1);
            return Self { body, reading: [(None, what.to_owned())].into(), ..Self::default() };
        }
        if work.buttons().is_empty() {
            let body = [body, vec![commands::WORKING.to_owned()]].concat();
            return Self { body, ..Self::default() };
        }
        Self { body, ..Self::default() }.choice(presses(work), work.focus)
    }

    pub(super) fn of_sheet(scene: Scene<'_>) -> Self {
        let page = &scene.model.sheet;
        let offer = |button| Offer::new(Meant::Take(Spot::Sheet(button)), page.label(button));
        let body = sheet::lines(scene, UNWRAPPED).iter().map(ToString::to_string).collect();
        Self { body, is_whole: true, ..Self::default() }
            .choice(page.buttons().into_iter().map(offer).collect(), page.focus)
    }

    pub(super) fn of_vpn(scene: Scene<'_>, open: &Open) -> Self {
        let Some(vpn) = scene.model.vpns.vpn() else {
            return Self { body: vec!["Reading all regions.".to_owned()], ..Self::default() };
        };
        let mut body = texts(&vpn::lines(scene, open, vpn, UNWRAPPED));
        if is_examined_first(open) {
            // With the findings come other choices.
            return Self { body, reading: [(None, "what is wrong with it".to_owned())].into(), ..Self::default() };
        }
        let mut further = Vec::new();
        if let Some(diagnosis) = &open.diagnosis {
            body.push(commands::CHECKS.to_owned());
            further = texts(&vpn::checks(scene, diagnosis, UNWRAPPED));
        }
        let findings = open.diagnosis.as_ref().map_or(0, |diagnosis| diagnosis.findings.len());
        let mut entries = Vec::new();
        let mut focus = 0;
        // Each finding by its number, also one that is fixed by hand: that says how.
        if findings > 1 {
            let fix = |number: u8| Offer::new(Meant::Fix(number), format!("Fix {number}"));
            entries.extend((1..=9).take(findings).map(fix));
            focus = open.finding().unwrap_or_default();
        }
        for button in open.buttons().into_iter().filter(|button| findings < 2 || *button != VpnButton::Fix) {
            if open.focused() == Some(button) {
                focus = entries.len();
            }
            entries.push(Offer::new(Meant::Take(Spot::Vpn(button)), button.label()));
        }
        let page = Self { body, further, ..Self::default() }.choice(entries, focus);
        if open.focused() != Some(VpnButton::Delete) {
            return page;
        }
        // Enter alone begins no deletion.
        Self { default: None, ..page }.asked(Asks::Choice)
    }
}

pub(super) fn presses(work: &Work) -> Vec<Offer> {
    work.buttons().into_iter().map(|button| Offer::new(Meant::Take(Spot::Work(button)), button.label())).collect()
}

/// What is being checked of work that is over: with it come other choices, or its result.
fn being_checked(model: &Model, work: &Work) -> Option<&'static str> {
    match work.end()? {
        End::Active if work.watch.examined.is_none() => Some("both halves"),
        End::Done if !work.is_creation() && work.after.is_none() && model.vpns.seen.is_loading() => {
            Some("what it has come to")
        }
        End::Done if work.completes_creation && work.after.is_none() && model.vpns.is_animating() => {
            Some("what it has come to")
        }
        _ => None,
    }
}

/// Whether it is not known yet what speaks for and against the VPN.
const fn is_examined_first(open: &Open) -> bool {
    open.diagnosis.is_none() && open.around.is_loading()
}
