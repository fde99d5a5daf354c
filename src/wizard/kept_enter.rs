//! An Enter that comes before what it is about was read: it is kept, and acts when that arrives.

use super::picker::Choice;
use super::screen::Screen;
use super::{Content, Model};
use crate::plan::Half;

#[derive(Clone, Debug)]
pub(super) struct KeptEnter {
    screen: Screen,
    /// The line it was for. None before there were lines: then it is for the best one.
    choice: Option<Choice>,
}

impl KeptEnter {
    /// What it was for is another line now.
    pub(super) fn follow(&mut self, was: &Choice, now: &Choice) {
        if self.choice.as_ref() == Some(was) {
            self.choice = Some(now.clone());
        }
    }
}

impl Model {
    /// Whether an Enter was kept, for when what is awaited arrives.
    pub const fn keeps_enter(&self) -> bool {
        self.kept_enter.is_some()
    }

    /// Keeps an Enter on the list on the screen, and says what it waits for.
    pub(super) fn keep_enter(&mut self, what: &str) {
        let Content::List(picker) = &mut self.content else { return };
        // Another line that turns out better does not take the cursor away.
        picker.step(0);
        let choice = picker.current().map(|line| line.choice.clone());
        let then = match (&choice, self.screen) {
            (Some(Choice::Best), _) => "the best pair of them opens as soon as they are read",
            (_, Screen::Mode) => "the best pair with it opens as soon as it is read",
            _ => "the wizard will go on as soon as it is read",
        };
        self.kept_enter = Some(KeptEnter { screen: self.screen, choice });
        self.shell.say(format!("{what}; {then}."));
    }

    /// Does what a kept Enter was for, once that is known.
    pub(super) fn act_on_kept_enter(&mut self) {
        let (Some(kept), Content::List(picker)) = (&mut self.kept_enter, &self.content) else { return };
        let line = picker.current();
        if self.shell.dialog.is_some() || self.shell.question.is_some() || line.is_some_and(|line| line.pending) {
            return;
        }
        let is_same = match line {
            Some(line) if kept.choice == Some(Choice::Best) => {
                matches!(line.choice, Choice::Proposal(..) | Choice::Vpn(_) | Choice::Creation(_))
            }
            Some(line) => kept.screen == self.screen && *kept.choice.get_or_insert(line.choice.clone()) == line.choice,
            None if self.awaited_list().is_some() => return,
            None => false,
        };
        self.kept_enter = None;
        self.shell.notice = None;
        if is_same {
            self.accept_line();
        }
    }

    /// What the list on the screen waits for, as long as it has no lines.
    pub(super) fn awaited_list(&self) -> Option<String> {
        match self.screen {
            Screen::Region(_) | Screen::Router(_) | Screen::Subnets(_) if self.shell.session().is_none() => {
                Some("You are still being signed in".to_owned())
            }
            Screen::Router(half) | Screen::Subnets(half) if self.new_vpn.is_reading_half(half) => {
                Some(format!("{} is still being read", self.place(half)))
            }
            _ => None,
        }
    }

    /// Goes back to the second region where it was taken before it was read and turns out to be of no use.
    pub(super) fn leave_region_without_vpn(&mut self) {
        let is_at_it = matches!(self.screen, Screen::Router(Half::B) | Screen::Subnets(Half::B));
        let extensions = self.new_vpn.inventory_of(Half::B).map(|inventory| &inventory.extensions);
        if is_at_it && extensions.is_some_and(|extensions| !extensions.has_vpnaas()) {
            let place = self.place(Half::B);
            self.new_vpn.answers.region.b = None;
            self.enter(Screen::Region(Half::B));
            self.shell.warn(format!("{place} has no VPN service (VPNaaS); choose another region."));
        }
    }
}
