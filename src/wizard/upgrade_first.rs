//! A new VPN on a router whose VPN service is of the old kind: that VPN is upgraded first, and the new one is created next.

use itertools::Itertools;

use super::dialog::{Act, Dialog, DialogSubject};
use super::screen::Screen;
use super::vpns::{Intent, YourVpns};
use super::work::Work;
use super::{Content, Model, NewVpn};
use crate::change::{LeftVpn, Proposal, Together, Upgrades};
use crate::cloud::{Id, RegionId};
use crate::plan::Plan;

/// The legacy services that a plan counts on being upgraded.
fn legacy_services(plan: &Plan) -> Vec<(RegionId, Id)> {
    let of_half = plan.halves().filter_map(|half| Some((half.region.clone(), half.legacy_service()?.id.clone())));
    of_half.collect()
}

impl NewVpn {
    /// The VPNs that are upgraded before a plan is carried out, by name.
    pub fn upgraded_first(&self, plan: &Plan) -> Vec<&str> {
        let services = legacy_services(plan).into_iter();
        let name = |(region, service): (RegionId, Id)| self.region(&region)?.upgrades.get(&service);
        services.filter_map(name).map(String::as_str).unique().collect()
    }
}

impl Model {
    /// Asks whether to upgrade what a plan counts on, once all is read that this needs. False if it counts on nothing.
    pub(super) fn upgrade_first(&mut self, plan: &Plan) -> bool {
        let services = legacy_services(plan);
        let is_needed = !services.is_empty();
        if is_needed {
            self.vpns.upgraded_first = services;
            if let Content::Review(review) = &mut self.content {
                review.confirming = false;
            }
            self.of_vpns(|vpns, wizard| vpns.want(Intent::UpgradeFirst, wizard));
        }
        is_needed
    }

    /// The upgrades are agreed to, and that the VPN in review is created after them.
    pub(super) fn carry_out_first(&mut self, proposals: Vec<Proposal>) {
        self.new_vpn.is_next = true;
        self.vpns.open = None;
        self.carry_out(proposals);
    }

    /// What was upgraded for the VPN in review is done: it is created as soon as its regions are read again.
    pub(super) fn go_on_to_creation(&mut self, mut regions: Vec<RegionId>) {
        self.vpns = YourVpns::default();
        regions.extend(self.new_vpn.chosen_regions());
        let regions: Vec<RegionId> = regions.into_iter().sorted().dedup().collect();
        self.enter(Screen::Review);
        self.read_again(&regions);
        let what = self.work.current.as_ref().map(|work| work.change().label.clone()).unwrap_or_default();
        self.shell.say(format!("{what} is upgraded; {} is created next.", self.new_vpn.name_text()));
        self.create_next();
    }

    /// Creates what was agreed to together with an upgrade before it, once that is known to be possible.
    pub(super) fn create_next(&mut self) {
        let Content::Review(review) = &self.content else { return };
        if !self.new_vpn.is_next || self.new_vpn.is_reading_for_plan(&self.shell.labels) {
            return;
        }
        self.new_vpn.is_next = false;
        match &review.plan {
            Ok(plan) if legacy_services(plan).is_empty() => {
                let plan = plan.clone();
                self.shell.notice = None;
                self.begin(plan);
            }
            Ok(_) => self.shell.warn("Not created: a VPN service is still legacy. Create asks again."),
            Err(_) => self.shell.warn("Not created: what speaks against it now stands above."),
        }
    }

    pub(super) fn is_upgraded_for_creation(&self) -> bool {
        self.new_vpn.is_next && self.work.change().is_some_and(Work::is_done) && self.work.queue.is_empty()
    }
}

/// The question about upgrades that a new VPN needs.
pub(super) fn question(upgrades: &Upgrades) -> Dialog {
    let proposals = upgrades.proposals();
    let names = proposals.iter().map(|proposal| proposal.change.label.as_str()).join(" and ");
    let first = match proposals.as_slice() {
        [_] => format!("The router's VPN service is legacy. {names} is"),
        _ => format!("The VPN services of the routers are legacy. {names} are"),
    };
    let mut text = vec![format!("{first} upgraded first; the new VPN is created after that.")];
    if proposals.len() > 1 {
        text.extend(upgrades.to_string().lines().map(str::to_owned));
    } else {
        text.extend(upgrades.left.iter().map(|LeftVpn { name, why }| format!("{name} is not upgraded now: {why}")));
        text.extend(format!("{:.8}", Together(&proposals)).lines().map(str::to_owned));
    }
    let buttons = vec![("Keep it as it is", Act::Close), ("Upgrade, then create", Act::Confirm)];
    Dialog::new(format!("Upgrade {names} first?"), text, buttons).wide().about(DialogSubject::Proposals(proposals))
}
