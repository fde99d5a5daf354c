//! The screen of one VPN: what is wanted of it becomes a proposal, and a proposal a question.

use itertools::Itertools;
use tui_input::Input;

use super::dialog::{About, Act, Dialog};
use super::keymap::Action;
use super::objects::SubnetList;
use super::picker::Choice;
use super::remote::Remote;
use super::screen::Screen;
use super::shell::beside;
use super::vpns::{Intent, VpnButton};
use super::{Content, Effect, Model};
use crate::change::Verb;
use crate::change::{
    NewSubnets, Proposal, Refused, Sas, Together, admit, can_set_subnets, delete, delete_strays, fix, rotate_key,
    set_subnets,
};
use crate::cloud::Id;
use crate::inspect::diagnosis::rules;
use crate::inspect::{OtherHalf, Vpn};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Known, cidr};

/// What a new key's question offers about the tunnels that are up.
const RENEW: &str = "Renew tunnels too";
const KEEP: &str = "Leave tunnels alone";

impl Model {
    pub(super) fn vpn_action(&mut self, action: Action) {
        let Some(open) = &mut self.vpns.open else { return self.back() };
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
                    Some(check) => (open.chosen, open.focus) = (Some(check), VpnButton::Fix),
                    None if findings.is_empty() => self.shell.say("There is no finding to fix."),
                    None => self.shell.say(format!("There is no finding {number}.")),
                }
            }
            Action::Accept => {
                if let Some(button) = open.focused() {
                    self.press_vpn(button);
                }
            }
            Action::Do(button) => {
                open.focus = button;
                self.press_vpn(button);
            }
            Action::Retry => self.read_vpns_again(),
            Action::Copy => {
                let text = self.vpns.vpn().map(ids).unwrap_or_default();
                self.shell.out.push(Effect::Copy(text));
            }
            Action::Back => self.back(),
            _ => self.shell.scroll_by(action),
        }
    }

    fn press_vpn(&mut self, button: VpnButton) {
        if let Some(interrupted) = self.vpns.interrupted().cloned() {
            self.offer_change(interrupted);
            return;
        }
        if matches!(button, VpnButton::NewKey | VpnButton::Subnets | VpnButton::Delete)
            && let Some(seen) = self.vpns.seen()
            && let Some(Err(why)) = self.vpns.vpn().map(|vpn| seen.inspection.changeable(vpn))
        {
            if self.vpns.seen.is_loading() {
                self.shell.say("It is still being read; a moment.");
            } else {
                self.refuse(&Refused(vec![why.to_string()]));
            }
            return;
        }
        let Some(open) = &mut self.vpns.open else { return };
        let intent = match button {
            VpnButton::Fix => {
                let found = open.finding().and_then(|at| open.diagnosis.as_ref()?.findings.get(at));
                let Some(finding) = found else {
                    let text = if open.diagnosis.is_some() {
                        "There is no finding to fix."
                    } else {
                        "It is still being diagnosed; a moment."
                    };
                    self.shell.say(text);
                    return;
                };
                Intent::Fix(finding.check)
            }
            VpnButton::NewKey => {
                open.forget();
                // No key can be made for somebody who would have to be told it.
                if self.vpns.vpn().is_some_and(|vpn| matches!(vpn.other_half, OtherHalf::Outside)) {
                    self.enter(Screen::NewKey);
                    return;
                }
                Intent::NewKey(Sas::Keep, KeyOrigin::Generated)
            }
            VpnButton::Subnets => {
                open.forget();
                match self.vpns.vpn().map(can_set_subnets) {
                    Some(Ok(())) => self.enter(Screen::NewSubnets(Half::A)),
                    Some(Err(refused)) => self.refuse(&refused),
                    None => {}
                }
                return;
            }
            VpnButton::Admit => Intent::Admit,
            VpnButton::Delete => Intent::Delete,
        };
        self.want(intent);
    }

    /// Proposes that, once what is known is fresh and complete.
    pub(super) fn want(&mut self, intent: Intent) {
        self.vpns.intent = Some(intent);
        if self.is_stale() && !self.vpns.seen.is_loading() {
            self.shell.say("Reading everything once more first; a moment.");
            return self.read_vpns();
        }
        self.propose_once_known();
        if self.vpns.intent.is_some() && !self.vpns.keys.is_loading() {
            self.shell.say("It is still being read; a moment.");
        }
    }

    /// Puts the question about what is wanted on the screen, if enough is known.
    pub(super) fn propose_once_known(&mut self) {
        let is_here = self.screen == Screen::Vpns || self.screen.is_of_one_vpn();
        if self.shell.dialog.is_some() || !is_here || self.vpns.seen.is_loading() {
            return;
        }
        let Some(intent) = self.vpns.intent else { return };
        if matches!(intent, Intent::PublicKeys(_)) {
            match &self.vpns.keys {
                Remote::Ready(_) => {}
                Remote::Loading { .. } => return,
                Remote::NotAsked | Remote::Failed(_) => return self.compare_keys(),
            }
        }
        let open = self.vpns.open.as_ref();
        if intent.is_of_a_vpn() && open.is_none_or(|open| open.around.is_loading() || open.diagnosis.is_none()) {
            return;
        }
        self.vpns.intent = None;
        self.shell.notice = None;
        self.propose(intent);
    }

    /// Asks whether to do what is wanted, or says why it is not done.
    fn propose(&mut self, intent: Intent) {
        if let Intent::PublicKeys(sas) = intent {
            return self.propose_new_keys(sas);
        }
        match self.proposed(intent) {
            Some(Ok(proposal)) if proposal.is_empty() => self.nothing_to_do(proposal.notes),
            Some(Ok(proposal)) => self.ask_whether(vec![proposal], Vec::new(), intent),
            Some(Err(refused)) => self.refuse(&refused),
            None => {}
        }
    }

    /// The change that is wanted; none if what it is of has gone meanwhile.
    fn proposed(&self, intent: Intent) -> Option<Result<Proposal, Refused>> {
        let seen = self.vpns.seen()?;
        if intent == Intent::DeleteUnused {
            return Some(delete_strays(&seen.inspection, &seen.unfinished, &[]));
        }
        let (vpn, open) = (self.vpns.vpn()?, self.vpns.open.as_ref()?);
        let (diagnosis, around) = (open.diagnosis.as_ref()?, open.around.ready()?);
        let may = match intent {
            Intent::Admit => Ok(()),
            Intent::Fix(_) => vpn.unambiguous(),
            Intent::Delete => seen.inspection.deletable(vpn),
            _ => seen.inspection.changeable(vpn),
        };
        if let Err(why) = may {
            return Some(Err(Refused(vec![why.to_string()])));
        }
        Some(match intent {
            Intent::Fix(check) => {
                let finding = diagnosis.findings.iter().find(|finding| finding.check == check)?;
                fix(&seen.inspection, vpn, diagnosis, &finding.fault()?.fix, &self.new_vpn.profiles)
            }
            Intent::NewKey(_, KeyOrigin::Given) if open.key.psk().is_none() => return None,
            Intent::NewKey(sas, origin) => rotate_key(&seen.inspection, vpn, origin, sas),
            Intent::Subnets => set_subnets(&seen.inspection, vpn, &open.subnets),
            Intent::Admit => Ok(admit(vpn, diagnosis)),
            Intent::Delete => Ok(delete(&seen.inspection, vpn, &rules(vpn, &around.exposures))),
            Intent::DeleteUnused | Intent::PublicKeys(_) => return None,
        })
    }

    pub(super) fn ask_whether(&mut self, proposals: Vec<Proposal>, warnings: Vec<String>, intent: Intent) {
        let mut text: Vec<String> = Together(&proposals).to_string().lines().map(str::to_owned).collect();
        text.extend(warnings.into_iter().map(|warning| format!("note: {warning}")));
        let deletes = proposals.iter().any(|proposal| proposal.change.verb == Verb::Delete);
        if deletes && self.vpns.vpn().is_some_and(Vpn::is_active) {
            text.insert(0, "The VPN is ACTIVE. Traffic that uses it stops.".to_owned());
        }
        let (yes, no) = Together(&proposals).answers();
        let mut buttons = vec![(no, Act::Close), (yes, Act::Confirm)];
        match intent {
            Intent::NewKey(Sas::Keep, origin) => {
                buttons.push((RENEW, Act::Instead(Intent::NewKey(Sas::Renew, origin))));
            }
            Intent::NewKey(Sas::Renew, origin) => buttons.push((KEEP, Act::Instead(Intent::NewKey(Sas::Keep, origin)))),
            Intent::PublicKeys(Sas::Keep) => buttons.push((RENEW, Act::Instead(Intent::PublicKeys(Sas::Renew)))),
            Intent::PublicKeys(Sas::Renew) => buttons.push((KEEP, Act::Instead(Intent::PublicKeys(Sas::Keep)))),
            _ => {}
        }
        if matches!(intent, Intent::NewKey(_, KeyOrigin::Generated)) {
            buttons.push(("Own key", Act::OwnKey));
        }
        let dialog = Dialog::new(Together(&proposals).question(), text, buttons).wide();
        self.shell.dialog = Some(dialog.about(About::Proposals(proposals)));
    }

    /// The same question, with the running SAs treated the other way. The focus stays where it was.
    pub(super) fn propose_instead(&mut self, intent: Intent) {
        self.propose(intent);
        if let Some(dialog) = &mut self.shell.dialog {
            let turned = |(_, act): &(&str, Act)| matches!(act, Act::Instead(_));
            dialog.focus = dialog.buttons.iter().position(turned).unwrap_or_default();
        }
    }

    pub(super) fn refuse(&mut self, Refused(why): &Refused) {
        self.explain("Not from here", why.clone());
    }

    pub(super) fn nothing_to_do(&mut self, why: Vec<String>) {
        self.explain("Nothing to do", why);
    }

    fn explain(&mut self, title: &str, why: Vec<String>) {
        self.shell.dialog = Some(Dialog::new(title, why, vec![("Close", Act::Close)]).wide());
    }

    /// The subnets a half of the VPN on the screen can tunnel.
    pub(super) fn new_subnet_list(&self, half: Half) -> Option<SubnetList<'_>> {
        let vpn = self.vpns.vpn()?;
        let side = vpn.side(half)?;
        let survey = self.vpns.seen()?.inspection.surveys.get(&side.region)?;
        let router = side.router.as_ref()?;
        let across = if half == Half::B { self.new_ranges(vpn, Half::A) } else { Vec::new() };
        let known = Known { region: &side.region, inventory: &survey.inventory, detail: None };
        Some(SubnetList { known, router, half, across, tunnelled: Vec::new() })
    }

    /// The subnets marked for a half: as chosen just now, else those it tunnels.
    pub(super) fn new_subnets(&self, half: Half) -> Vec<Id> {
        let chosen = self.vpns.open.as_ref().and_then(|open| open.subnets.local.get(&half));
        let present = || self.vpns.vpn().and_then(|vpn| vpn.side(half)).map(|side| side.subnets.clone());
        chosen.cloned().or_else(present).unwrap_or_default()
    }

    pub(super) fn new_ranges(&self, vpn: &Vpn, half: Half) -> Vec<ipnet::IpNet> {
        let inventory = vpn
            .side(half)
            .and_then(|side| self.vpns.seen()?.inspection.surveys.get(&side.region).map(|survey| &survey.inventory));
        let chosen = self.new_subnets(half);
        chosen.iter().filter_map(|id| Some(inventory?.subnet(id)?.cidr)).collect()
    }

    /// Takes what is marked, and goes on to the other half or to the question.
    pub(super) fn accept_new_subnets(&mut self, half: Half) {
        let Content::List(picker) = &self.content else { return };
        let ids = picker.taken().into_iter().filter_map(|choice| match choice {
            Choice::Object(id) => Some(id),
            _ => None,
        });
        let ids: Vec<Id> = ids.collect();
        let present = self.vpns.vpn().map(|vpn| (vpn.b().is_some(), vpn.a.remote.iter().join(", ")));
        let (Some(open), Some((has_other, remote))) = (&mut self.vpns.open, present) else { return };
        open.subnets.local.insert(half, ids);
        if half == Half::B {
            return self.want(Intent::Subnets);
        }
        if !has_other && open.ranges.value().is_empty() {
            open.ranges = Input::new(remote);
        }
        self.enter(if has_other { Screen::NewSubnets(Half::B) } else { Screen::NewRanges });
    }

    /// Why a text is no list of ranges that the VPN on the screen can carry together with the subnets marked: by every rule
    /// that its question keeps.
    pub(super) fn new_ranges_problem(&self) -> Option<String> {
        let (vpn, open, seen) = (self.vpns.vpn()?, self.vpns.open.as_ref()?, self.vpns.seen()?);
        let ranges = match cidr::parse_list(open.ranges.value()) {
            Ok(ranges) => ranges,
            Err(problem) => return Some(problem.to_string()),
        };
        let wanted = NewSubnets { local: open.subnets.local.clone(), outside: Some(ranges) };
        set_subnets(&seen.inspection, vpn, &wanted).err()?.0.into_iter().next()
    }

    /// Takes what is behind the external peer from now on, and goes on to the question.
    pub(super) fn accept_new_ranges(&mut self) {
        if let Some(open) = &mut self.vpns.open {
            open.subnets.outside = cidr::parse_list(open.ranges.value()).ok();
        }
        self.want(Intent::Subnets);
    }
}

pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn ids(vpn: &Vpn) -> String {
    let mut lines = vpn.sides().flat_map(|(_, side)| {
        let connection = format!("{} IPsec site connection {}", side.region, side.connection.id);
        let service = side.service.as_ref().map(|service| format!("{} VPN service {}", side.region, service.id));
        std::iter::once(connection).chain(service)
    });
    lines.join("\n")
}
