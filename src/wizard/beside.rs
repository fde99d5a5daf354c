//! What stands beside the answers of a list: the subnets of other routers, which bring their router, and VPNs that exist.

use std::collections::HashSet;

use super::picker::{Choice, Line};
use super::screen::Screen;
use super::{Content, Model};
use crate::cloud::Id;
use crate::inspect::Vpn;
use crate::plan::Half;

impl Model {
    /// Lists the subnets of other routers, too.
    pub(super) fn show_others(&mut self) {
        if !matches!(self.screen, Screen::Subnets(_) | Screen::NewSubnets(_)) || self.shell.with_others {
            return;
        }
        self.shell.with_others = true;
        let lines = self.lines(self.screen);
        let Content::List(picker) = &mut self.content else { return };
        let before: HashSet<Choice> = picker.lines().iter().map(|line| line.choice.clone()).collect();
        let is_at_others = picker.current().is_some_and(|line| line.choice == Choice::Others);
        let first = lines.iter().find(|line| is_at_others && !before.contains(&line.choice));
        let first = first.map(|line| line.choice.clone());
        picker.reload(lines, None);
        if let Some(first) = first {
            picker.point_at(&first);
        }
    }

    /// Lists the subnets of all routers. Until one is chosen, the best router is taken.
    pub(super) fn choose_subnet_first(&mut self, half: Half) {
        let screen = Screen::Router(half);
        let Content::List(picker) = &self.content else { return };
        let is_router = |line: &&Line| line.is_open() && line.choice != Choice::Others;
        let best = self.chosen(screen).or_else(|| self.default_choice(screen, picker.lines()));
        let best = best.or_else(|| picker.lines().iter().find(is_router).map(|line| line.choice.clone()));
        let Some(best) = best else { return };
        self.new_vpn.answer(screen, &[best]);
        self.enter(Screen::Subnets(half));
        self.show_others();
    }

    /// Takes the router of a subnet that is on another one, and tells of it.
    pub(super) fn take_router_of(&mut self, half: Half, subnet: &Id) -> Option<String> {
        let list = self.new_vpn.subnet_list(half)?;
        let router = list.router_with(subnet)?;
        let (router, name) = (router.id.clone(), router.name.clone());
        let screen = Screen::Router(half);
        self.new_vpn.answer(screen, &[Choice::Object(router)]);
        self.new_vpn.answer(Screen::Subnets(half), &[Choice::Object(subnet.clone())]);
        Some(format!("{} is now {name}: the subnet is on it.", screen.name(self.new_vpn.answers.mode)))
    }

    /// The name of the router that comes with a subnet that is on another one.
    pub fn router_with(&self, line: &Line) -> Option<String> {
        let list = self.subnet_list(self.screen)?;
        list.router_with(line.choice.id()?).map(|router| router.name.clone())
    }

    /// The VPN that exists and that the answer on the screen would be beside.
    pub fn existing_vpn(&self) -> Option<&Vpn> {
        match (self.screen, &self.content) {
            (Screen::Router(half), Content::List(picker)) => {
                let router = picker.current()?.choice.id()?;
                self.new_vpn.router_list(half)?.vpn_on(router)
            }
            (Screen::Name, _) => {
                let name = self.new_vpn.name_text();
                self.new_vpn.proposals.vpns.iter().find(|vpn| vpn.name == name)
            }
            _ => None,
        }
    }

    pub(super) fn open_existing_vpn(&mut self) {
        if let Some(vpn) = self.existing_vpn().cloned() {
            self.new_vpn.returning = None;
            self.of_vpns(|vpns, wizard| vpns.open_once_read(&vpn, wizard));
        }
    }
}
