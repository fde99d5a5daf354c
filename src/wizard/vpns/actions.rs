//! What keys do to the VPN on the screen, and which subnets it tunnels from now on.

use itertools::Itertools;
use tui_input::Input;

use super::super::Effect;
use super::super::keymap::Action;
use super::super::objects::SubnetList;
use super::super::screen::Screen;
use super::super::shell::beside;
use super::upgrades::subnets;
use super::{Intent, Lead, Surroundings, VpnButton, YourVpns};
use crate::change::{NewSubnets, Refused, Sas, can_set_subnets};
use crate::cloud::Id;
use crate::inspect::{OtherHalf, Vpn};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Known, Profiles, cidr};

const UNCHANGED: &str = "These are tunnelled already. Choose others, or go back.";

impl YourVpns {
    pub(in crate::wizard) fn act(&mut self, action: Action, wizard: &mut Surroundings<'_>) {
        let Some(open) = &mut self.open else { return wizard.lead = Lead::Back };
        match action {
            Action::Left | Action::Right => {
                let buttons = open.buttons();
                let at = open.focused().and_then(|focused| buttons.iter().position(|button| *button == focused));
                let next = beside(at.unwrap_or_default(), buttons.len(), action == Action::Right);
                open.focus = buttons.get(next).copied().unwrap_or(open.focus);
            }
            Action::Pick(number) => {
                let findings = open.diagnosis.as_ref().map_or(&[][..], |diagnosis| &diagnosis.findings);
                match findings.get(usize::from(number) - 1).map(|finding| finding.check) {
                    Some(check) => {
                        (open.chosen, open.focus, open.begins_there) = (Some(check), VpnButton::Fix, true);
                        wizard.shell.scroll = 0;
                    }
                    None if findings.is_empty() => wizard.shell.say("There is no finding to fix."),
                    None => wizard.shell.say(format!("There is no finding {number}.")),
                }
            }
            Action::Accept => {
                if let Some(button) = open.focused() {
                    self.press(button, wizard);
                }
            }
            Action::Do(button) => {
                open.focus = button;
                self.press(button, wizard);
            }
            Action::Retry => self.read_again(wizard.shell),
            Action::Copy => {
                let text = self.vpn().map(ids).unwrap_or_default();
                wizard.shell.out.push(Effect::Copy(text.into()));
            }
            Action::Back => wizard.lead = Lead::Back,
            _ => {
                let is_upward = matches!(action, Action::Up | Action::PageUp) && wizard.shell.scroll == 0;
                open.begins_there &= !is_upward && !matches!(action, Action::First | Action::Last);
                wizard.shell.scroll_by(action);
            }
        }
    }

    fn press(&mut self, button: VpnButton, wizard: &mut Surroundings<'_>) {
        if let Some(interrupted) = self.interrupted().cloned() {
            return wizard.shell.ask_about(interrupted);
        }
        if matches!(button, VpnButton::NewKey | VpnButton::Subnets | VpnButton::Upgrade | VpnButton::Delete)
            && let Some(seen) = self.seen()
            && let Some(Err(why)) = self.vpn().map(|vpn| seen.inspection.changeable(vpn))
        {
            if self.seen.is_loading() {
                wizard.shell.say("It is still being read; a moment.");
            } else {
                wizard.refuse(Refused(vec![why.to_string()]));
            }
            return;
        }
        let Some(open) = &mut self.open else { return };
        let intent = match button {
            VpnButton::Fix => {
                let found = open.finding().and_then(|at| open.diagnosis.as_ref()?.findings.get(at));
                let Some(finding) = found else {
                    let text = if open.diagnosis.is_some() {
                        "There is no finding to fix."
                    } else {
                        "It is still being diagnosed; a moment."
                    };
                    wizard.shell.say(text);
                    return;
                };
                Intent::Fix(finding.check)
            }
            VpnButton::NewKey => {
                open.forget();
                // No key can be made for somebody who would have to be told it.
                if self.vpn().is_some_and(|vpn| matches!(vpn.other_half, OtherHalf::Outside)) {
                    wizard.lead(Screen::NewKey);
                    return;
                }
                Intent::NewKey(Sas::Keep, KeyOrigin::Generated)
            }
            VpnButton::Subnets => {
                open.forget();
                let is_behind = open.is_behind;
                match self.vpn().map(can_set_subnets) {
                    Some(Err(_)) if is_behind => wizard.lead(Screen::NewSubnets(Half::A)),
                    Some(Ok(())) => wizard.lead(Screen::NewSubnets(Half::A)),
                    Some(Err(refused)) => wizard.refuse(refused),
                    None => {}
                }
                return;
            }
            VpnButton::Admit => Intent::Admit,
            VpnButton::Upgrade => Intent::Upgrade,
            VpnButton::Delete => Intent::Delete,
            // It is no change.
            VpnButton::Sheet => return,
        };
        self.want(intent, wizard);
    }

    /// The subnets a half of the VPN on the screen can tunnel.
    pub(in crate::wizard) fn subnet_list(&self, half: Half) -> Option<SubnetList<'_>> {
        let vpn = self.vpn()?;
        let side = vpn.side(half)?;
        let survey = self.seen()?.inspection.surveys.get(&side.region)?;
        let router = side.router.as_ref()?;
        let across = if half == Half::B { self.chosen_ranges(vpn, Half::A) } else { Vec::new() };
        let known = Known { region: &side.region, inventory: &survey.inventory, detail: None, upgrades: None };
        Some(SubnetList { known, router, half, across, tunnelled: Vec::new(), region: None })
    }

    /// The subnets marked for a half: as chosen just now, else those it tunnels.
    pub(in crate::wizard) fn chosen_subnets(&self, half: Half) -> Vec<Id> {
        let chosen = self.open.as_ref().and_then(|open| open.subnets.local.get(&half));
        let present = || self.vpn().and_then(|vpn| vpn.side(half)).map(|side| side.subnets.clone());
        chosen.cloned().or_else(present).unwrap_or_default()
    }

    fn chosen_ranges(&self, vpn: &Vpn, half: Half) -> Vec<ipnet::IpNet> {
        let inventory = vpn
            .side(half)
            .and_then(|side| self.seen()?.inspection.surveys.get(&side.region).map(|survey| &survey.inventory));
        let chosen = self.chosen_subnets(half);
        chosen.iter().filter_map(|id| Some(inventory?.subnet(id)?.cidr)).collect()
    }

    /// Takes what is marked, and goes on to the other half or to the question.
    pub(in crate::wizard) fn take_subnets(&mut self, half: Half, ids: Vec<Id>, wizard: &mut Surroundings<'_>) {
        let present = self.vpn().map(|vpn| (vpn.b().is_some(), vpn.a.remote.iter().join(", ")));
        let (Some(open), Some((has_other, remote))) = (&mut self.open, present) else { return };
        open.subnets.local.insert(half, ids);
        if half == Half::B {
            if [Half::A, Half::B]
                .iter()
                .all(|half| self.are_present(*half, &self.chosen_subnets(*half).iter().collect::<Vec<_>>()))
            {
                return wizard.shell.warn(UNCHANGED);
            }
            return self.want(Intent::Subnets, wizard);
        }
        if !has_other && open.ranges.value().is_empty() {
            open.ranges = Input::new(remote);
        }
        wizard.lead(if has_other { Screen::NewSubnets(Half::B) } else { Screen::NewRanges });
    }

    /// Why a text is no list of ranges that the VPN on the screen can carry together with the subnets marked: by every rule
    /// that its question keeps.
    pub(in crate::wizard) fn ranges_problem(&self, profiles: &Profiles) -> Option<String> {
        let (vpn, open, seen) = (self.vpn()?, self.open.as_ref()?, self.seen()?);
        let keys = &open.around.ready()?.keys;
        let ranges = match cidr::parse_list(open.ranges.value()) {
            Ok(ranges) => ranges,
            Err(problem) => return Some(problem.to_string()),
        };
        let wanted = NewSubnets { local: open.subnets.local.clone(), outside: Some(ranges) };
        match subnets(&seen.inspection, vpn, &wanted, keys, profiles) {
            Ok(proposal) => proposal.is_empty().then(|| UNCHANGED.to_owned()),
            Err(refused) => refused.0.into_iter().next(),
        }
    }

    /// Whether those marks of a half change nothing there.
    pub fn are_present(&self, half: Half, marked: &[&Id]) -> bool {
        let present = self.vpn().and_then(|vpn| vpn.side(half)).map(|side| &side.subnets);
        present.is_some_and(|present| present.iter().sorted().eq(marked.iter().copied().sorted()))
    }

    /// Takes what is behind the external peer from now on, and goes on to the question.
    pub(in crate::wizard) fn accept_ranges(&mut self, wizard: &mut Surroundings<'_>) {
        if let Some(open) = &mut self.open {
            open.subnets.outside = cidr::parse_list(open.ranges.value()).ok();
        }
        self.want(Intent::Subnets, wizard);
    }
}

fn ids(vpn: &Vpn) -> String {
    let mut lines = vpn.sides().flat_map(|(_, side)| {
        let connection = format!("{} IPsec site connection {}", side.region, side.connection.id);
        let service = side.service.as_ref().map(|service| format!("{} VPN service {}", side.region, service.id));
        std::iter::once(connection).chain(service)
    });
    lines.join("\n")
}
