//! What keys do to a list, and what taking a line of it does.

use crossterm::event::{Event as TerminalEvent, KeyEvent};
use tui_input::backend::crossterm::EventHandler;

use super::super::keymap::Action;
use super::super::picker::{Choice, Line};
use super::super::screen::{Mode, Screen};
use super::super::vpns::{Intent, YourVpns};
use super::super::{Content, Model};
use crate::plan::{Half, Profile};

impl Model {
    pub(in crate::wizard) fn picker_action(&mut self, action: Action) {
        let page = self.shell.page();
        match action {
            Action::DetailDown if self.shell.scroll >= self.shell.overflow => self.shell.scroll = 0,
            Action::DetailDown => return self.shell.scroll_by(Action::Down),
            Action::DetailUp => return self.shell.scroll_by(Action::Up),
            _ => self.shell.scroll = 0,
        }
        let is_first_page = self.screen == Screen::Mode;
        let Content::List(picker) = &mut self.content else { return };
        match action {
            Action::Up => picker.step(-1),
            Action::Down => picker.step(1),
            Action::PageUp => picker.step(-page),
            Action::PageDown => picker.step(page),
            Action::First => picker.step(isize::MIN / 2),
            Action::Last => picker.step(isize::MAX / 2),
            Action::Toggle => self.toggle(),
            Action::Filter => {
                picker.start_filter();
                self.show_others();
            }
            Action::Back if picker.filter().is_some() => picker.end_filter(),
            Action::Back => self.back(),
            Action::Retry => self.retry(),
            Action::StopReading => self.stop_reading(),
            Action::OpenVpn => self.open_existing_vpn(),
            // Whoever presses a digit means the line that had it when they looked.
            Action::Pick(number) if is_first_page && self.new_vpn.proposals.have_just_moved(self.shell.now) => {
                self.shell.warn(format!("The lines have just got other numbers; press {number} again."));
            }
            Action::Pick(number) if picker.go(usize::from(number) - 1) => {
                if picker.marked().is_some() {
                    self.toggle();
                } else {
                    self.accept_line();
                }
            }
            Action::Accept => self.accept_line(),
            _ => {}
        }
    }

    /// Marks the line under the cursor, or says why it cannot be.
    fn toggle(&mut self) {
        let Content::List(picker) = &self.content else { return };
        let filter = picker.filter().cloned();
        let current = picker.current().filter(|line| line.is_open()).cloned();
        match (current, self.screen) {
            (Some(line), _) if line.pending => {
                return self.shell.warn(format!("The router of {} is still being read.", line.title));
            }
            (Some(Line { choice: Choice::Others, .. }), _) => return self.show_others(),
            (Some(Line { choice: Choice::Object(subnet), .. }), Screen::Subnets(half)) => {
                if let Some(text) = self.take_router_of(half, &subnet) {
                    self.content = Content::List(self.new_list(self.screen).filtered(filter));
                    return self.shell.say(text);
                }
            }
            _ => {}
        }
        let Content::List(picker) = &self.content else { return };
        if let Some(text) = picker.current().and_then(|line| self.refusal_text(line)) {
            return self.shell.warn(text);
        }
        if let Content::List(picker) = &mut self.content {
            picker.toggle();
        }
    }

    pub(in crate::wizard) fn accept_line(&mut self) {
        let Content::List(picker) = &self.content else { return };
        let Some(line) = picker.current().cloned() else {
            if let Some(what) = self.awaited_list() {
                return self.keep_enter(&what);
            }
            let text = match self.screen {
                Screen::Vpns if self.shell.session().is_none() => "You are still being signed in; a moment.",
                Screen::Vpns if self.vpns.seen.is_loading() => "It is still being read; a moment.",
                _ if picker.filter().is_some() => {
                    self.shell.way("Nothing matches; Esc ends the filter.", "Nothing matches; / shows all.")
                }
                _ => self.shell.way(
                    "There is nothing to choose here; Esc goes back.",
                    "There is nothing to choose here; b goes back.",
                ),
            };
            return self.shell.warn(text);
        };
        match self.screen {
            Screen::Router(half) if line.choice == Choice::Others => return self.choose_subnet_first(half),
            _ if line.choice == Choice::Others => return self.show_others(),
            Screen::Subnets(half) => return self.accept_subnets(half, &line),
            Screen::NewSubnets(half) => {
                let ids = picker.taken().into_iter().filter_map(Choice::object).collect();
                return self.of_vpns(|vpns, wizard| vpns.take_subnets(half, ids, wizard));
            }
            _ => {}
        }
        // While the second region is being read, the first one's router and subnets can be chosen.
        let is_second = self.screen == Screen::Region(Half::B) && self.new_vpn.inventory_of(Half::A).is_some();
        if line.pending && !is_second {
            let what = match &line.choice {
                Choice::Best => "The regions are still being read".to_owned(),
                _ => format!("{} is still being read", line.title),
            };
            return self.keep_enter(&what);
        }
        match self.refusal_text(&line) {
            Some(text) => self.shell.warn(text),
            None => self.take(line.choice),
        }
    }

    fn take(&mut self, choice: Choice) {
        match (self.screen, choice) {
            (Screen::Cloud, Choice::Cloud(name)) => return self.choose_cloud(name),
            (Screen::Mode, choice) => return self.take_from_first_page(choice),
            (Screen::Vpns, Choice::Vpn(handle)) => return self.of_vpns(|vpns, wizard| vpns.open(&handle, wizard)),
            (Screen::Vpns, Choice::Creation(id)) => return self.vpns.offer_listed_creation(&id, &mut self.shell),
            (Screen::Vpns, Choice::Unused) => {
                return self.of_vpns(|vpns, wizard| vpns.want(Intent::DeleteUnused, wizard));
            }
            (Screen::Vpns, Choice::Upgrades) => {
                return self.of_vpns(|vpns, wizard| vpns.want(Intent::UpgradeAll, wizard));
            }
            (Screen::Vpns, Choice::PublicKeys) => return self.of_vpns(YourVpns::want_new_keys),
            (Screen::Vpns, Choice::Make) => {
                self.new_vpn.answers.mode = Mode::SiteToSite;
                self.new_vpn.begun_with = Some(Choice::Mode(Mode::SiteToSite));
                return self.enter(Screen::Region(Half::A));
            }
            (screen @ Screen::Region(half), region) => {
                self.new_vpn.answer(screen, &[region]);
                let is_pair = self.new_vpn.answers.mode == Mode::SiteToSite;
                if is_pair && half == Half::A && self.new_vpn.answers.region.a == self.new_vpn.answers.region.b {
                    self.new_vpn.answers.region.b = None;
                    self.shell.say("The second region was the same; choose another.");
                }
            }
            (screen @ Screen::Router(_), router) => self.new_vpn.answer(screen, &[router]),
            (Screen::Values, Choice::Word(word)) => {
                if let Some(field) = self.new_vpn.field {
                    // A word of the field's own list is always taken.
                    let _ = field.set(&mut self.new_vpn.answers.custom, word);
                    self.new_vpn.answers.custom_edited = true;
                }
                return self.enter(Screen::Custom);
            }
            (Screen::System, Choice::Word(word)) => {
                self.new_vpn.take_system(word);
                // It is asked for where the peer is, or from the review.
                if self.new_vpn.returning != Some(Screen::System) {
                    return self.enter(Screen::Peer);
                }
            }
            (Screen::Received, Choice::Peer(side)) => return self.take_received(side),
            (Screen::SheetFormat, Choice::Word(word)) => {
                self.sheet.take(word);
                return self.enter(Screen::Sheet);
            }
            (Screen::Policy, Choice::Profile(profile)) => {
                if profile == Profile::Custom && !self.new_vpn.answers.custom_edited {
                    let policy = self.new_vpn.policy().clone();
                    self.new_vpn.answers.start_custom_from(policy);
                }
                self.new_vpn.answers.profile = Some(profile);
                if profile == Profile::Custom {
                    return self.enter(Screen::Custom);
                }
            }
            _ => {}
        }
        self.advance();
    }

    fn take_from_first_page(&mut self, choice: Choice) {
        match &choice {
            Choice::Proposal(a, b) => {
                let Some(plan) = self.new_vpn.proposals.plan(a, b) else { return };
                self.new_vpn.answers.take_ends(plan);
                self.new_vpn.only_candidate.clear();
                self.new_vpn.begun_with = Some(choice);
                self.new_vpn.ask_details(&mut self.shell);
                self.enter(Screen::Review);
            }
            Choice::Mode(mode) => {
                self.new_vpn.answers.mode = *mode;
                self.new_vpn.begun_with = Some(choice);
                self.advance();
            }
            Choice::Vpn(handle) => {
                let known = self.new_vpn.proposals.vpns.iter().find(|vpn| vpn.handle() == *handle);
                if let Some(vpn) = known.cloned() {
                    self.of_vpns(|vpns, wizard| vpns.open_once_read(&vpn, wizard));
                }
            }
            Choice::Creation(id) => self.vpns.offer_listed_creation(id, &mut self.shell),
            Choice::Vpns => self.of_vpns(YourVpns::open_list),
            _ => {}
        }
    }

    fn accept_subnets(&mut self, half: Half, line: &Line) {
        let Content::List(picker) = &self.content else { return };
        let taken = picker.taken();
        if taken.contains(&line.choice)
            && let Some(text) = self.refusal_text(line)
        {
            return self.shell.warn(text);
        }
        if line.pending && taken.contains(&line.choice) {
            return self.keep_enter(&format!("The router of {} is still being read", line.title));
        }
        if let [Choice::Object(subnet)] = taken.as_slice()
            && let Some(text) = self.take_router_of(half, subnet)
        {
            return self.advance_telling(vec![text]);
        }
        let inventory = self.new_vpn.inventory_of(half);
        let subnets: Vec<_> = taken.iter().filter_map(|choice| inventory?.subnet(choice.id()?)).collect();
        if let Some(finding) = crate::plan::checks::together(&subnets, half).into_iter().next() {
            return self.shell.warn(finding.text);
        }
        self.new_vpn.answer(self.screen, &taken);
        self.advance();
    }

    /// What is typed where no key of the table matches: text, or the filter's text.
    pub(in crate::wizard) fn edit(&mut self, event: &KeyEvent) {
        if let Some(dialog) = &mut self.shell.dialog {
            return dialog.edit(event);
        }
        match &mut self.content {
            Content::List(picker) if picker.filter().is_some() => {
                self.shell.scroll = 0;
                picker.edit_filter(|input| {
                    input.handle_event(&TerminalEvent::Key(*event));
                });
            }
            Content::Form(_) => {
                self.vpns.drop_intent();
                self.edit_field(event);
            }
            _ => {}
        }
    }
}
