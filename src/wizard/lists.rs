//! The screens that are lists: what they offer, what is marked, and what taking a line does.

use std::borrow::Cow;
use std::collections::HashSet;

use crossterm::event::{Event as TerminalEvent, KeyEvent};
use tui_input::backend::crossterm::EventHandler;

use super::choices::{about, cloud_line};
use super::keymap::Action;
use super::objects::SubnetList;
use super::picker::{Choice, Line, Picker, worst};
use super::remote::Remote;
use super::screen::{Mode, Screen};
use super::vpns::{Intent, YourVpns};
use super::{Content, Model};
use crate::cloud::Id;
use crate::plan::{Finding, Half, Profile};
use crate::sign_in::Login;

impl Model {
    /// What a screen lists; what can be taken stands before what cannot.
    pub fn lines(&self, screen: Screen) -> Vec<Line> {
        let mut lines = self.unsorted_lines(screen);
        if matches!(screen, Screen::Region(_) | Screen::Policy) {
            lines.sort_by_key(|line| !line.is_open());
        }
        lines
    }

    fn unsorted_lines(&self, screen: Screen) -> Vec<Line> {
        match screen {
            Screen::Cloud => self.shell.clouds.iter().map(cloud_line).collect(),
            Screen::Mode => self.new_vpn.first_page(&self.vpns, &self.shell),
            Screen::Region(half) => self.new_vpn.region_lines(half, &self.shell.labels),
            Screen::Router(half) => {
                self.new_vpn.router_list(half).map(|list| list.lines_and_more()).unwrap_or_default()
            }
            Screen::Subnets(_) | Screen::NewSubnets(_) => {
                self.subnet_list(screen).map(|list| list.lines(self.shell.with_others)).unwrap_or_default()
            }
            Screen::Policy => self.new_vpn.policy_lines(),
            Screen::Values => self.new_vpn.value_lines(),
            Screen::Vpns => self.vpns.lines(&self.shell.labels),
            Screen::SheetFormat => self.sheet.lines(),
            Screen::System => super::NewVpn::system_lines(),
            Screen::Received => self.new_vpn.received_lines(&self.shell.labels),
            _ => Vec::new(),
        }
    }

    /// What speaks for or against a line of the list on the screen.
    pub fn findings<'l>(&self, line: &'l Line) -> Cow<'l, [Finding]> {
        match (&line.about, &line.choice, self.screen) {
            (Some(about), ..) => Cow::Borrowed(&about.findings),
            (None, Choice::Object(id), Screen::Router(half)) => {
                let router = self.new_vpn.router_list(half).and_then(|list| list.findings_of(id));
                Cow::Owned(router.unwrap_or_default())
            }
            (None, Choice::Object(id), _) => {
                Cow::Owned(self.subnet_list(self.screen).and_then(|list| list.findings_of(id)).unwrap_or_default())
            }
            _ => Cow::default(),
        }
    }

    /// More about a line of the list on the screen, for while it is under the cursor.
    pub fn detail<'l>(&self, line: &'l Line) -> Cow<'l, [(String, String)]> {
        let detail = match (&line.about, &line.choice, self.screen) {
            (Some(about), ..) => return Cow::Borrowed(&about.detail),
            (None, Choice::Object(id), Screen::Router(half)) => {
                self.new_vpn.router_list(half).and_then(|list| list.detail_of(id))
            }
            (None, Choice::Object(id), _) => self.subnet_list(self.screen).and_then(|list| list.detail_of(id)),
            _ => None,
        };
        let default = self.why_default(line).map(|why| about("Default", why));
        Cow::Owned(default.into_iter().chain(detail.into_iter().flatten()).collect())
    }

    /// Why a line of the list on the screen is the one that is taken where the user chooses none, if it is.
    fn why_default(&self, line: &Line) -> Option<String> {
        let Content::List(picker) = &self.content else { return None };
        let (default, why) = self.new_vpn.preferred(self.screen, picker.lines())?;
        (default.choice == line.choice).then_some(why)
    }

    /// How far the reading of a router's subnets is, while they are not known.
    #[must_use]
    pub fn unread_subnets(&self, line: &Line) -> Option<&Remote<()>> {
        let (Screen::Router(half), Choice::Object(id)) = (self.screen, &line.choice) else { return None };
        Some(self.new_vpn.region_of(half)?.standing(id)).filter(|state| state.ready().is_none())
    }

    /// The subnets a screen lists: for a new VPN, or for the one that is open.
    pub(super) fn subnet_list(&self, screen: Screen) -> Option<SubnetList<'_>> {
        match screen {
            Screen::Subnets(half) => self.new_vpn.subnet_list(half),
            Screen::NewSubnets(half) => self.vpns.subnet_list(half),
            _ => None,
        }
    }

    /// What a screen would choose by itself, if nothing is chosen yet.
    pub fn default_choice(&self, screen: Screen, lines: &[Line]) -> Option<Choice> {
        match screen {
            Screen::Region(half) => {
                let home = self.shell.session().and_then(|session| session.home.clone()).map(Choice::Region);
                let home = home.filter(|_| half == Half::A);
                let home = home.and_then(|home| lines.iter().find(|line| line.choice == home && line.is_open()));
                home.map(|line| line.choice.clone())
            }
            Screen::Router(half) => self.new_vpn.namesake(screen, half, lines).map(|line| line.choice.clone()),
            Screen::Policy => Some(Choice::Profile(self.new_vpn.recommended().0)),
            Screen::Vpns | Screen::Received => lines.first().map(|line| line.choice.clone()),
            Screen::Mode => self.best_of_first_page(lines),
            _ => None,
        }
    }

    /// The line the user has moved to, or the first that was proposed, as long as it is there; else what can be connected
    /// best.
    fn best_of_first_page(&self, lines: &[Line]) -> Option<Choice> {
        let current = match &self.content {
            Content::List(picker) if self.screen == Screen::Mode => {
                let is_proposed = |line: &&Line| matches!(line.choice, Choice::Proposal(..)) && !line.pending;
                picker.current().filter(|line| picker.is_touched() || is_proposed(line))
            }
            _ => None,
        };
        let stays = current.filter(|current| lines.iter().any(|line| line.choice == current.choice));
        stays.or(lines.first()).map(|line| line.choice.clone())
    }

    /// Finds out again what can be connected. The cursor, and an Enter that is kept, follow what they were on: a pair that
    /// turns out to be connected, the first pair of a region that was being read.
    fn propose(&mut self) -> Option<Choice> {
        let was = match &self.content {
            Content::List(picker) => picker.current().map(|line| line.choice.clone()),
            _ => None,
        };
        let regions = was.as_ref().map(|was| self.new_vpn.proposals.regions_of(was));
        self.new_vpn.propose(&self.shell);
        let now = self.new_vpn.proposals.line_of(&regions?)?;
        if let (Some(kept), Some(was)) = (&mut self.kept_enter, was) {
            kept.follow(&was, &now);
        }
        Some(now)
    }

    pub(super) fn new_list(&mut self, screen: Screen) -> Picker {
        if screen == Screen::Mode {
            self.new_vpn.propose(&self.shell);
        } else if screen == Screen::Router(Half::B) {
            self.new_vpn.note_vpns();
        }
        let lines = self.lines(screen);
        if let Screen::NewSubnets(half) = screen {
            let marked: Vec<Choice> = self.vpns.chosen_subnets(half).into_iter().map(Choice::Object).collect();
            return Picker::new(lines, marked.first().cloned().as_ref(), Some(marked)).decided(true);
        }
        self.say_what_no_longer_fits(screen, &lines);
        let marked = matches!(screen, Screen::Subnets(_)).then(|| self.new_vpn.marks(screen, &lines));
        let first_mark = marked.as_ref().and_then(|marked| marked.first().cloned());
        let at = self.chosen(screen).or(first_mark).or_else(|| self.default_choice(screen, &lines));
        let at = at.filter(|at| lines.iter().any(|line| line.choice == *at));
        let is_decided = self.new_vpn.is_decided(screen, marked.as_deref());
        let picker = Picker::new(lines, at.as_ref(), marked).decided(is_decided);
        // What answers later may be proposed before it.
        let is_open = matches!(screen, Screen::Mode | Screen::Received);
        if is_open && self.chosen(screen).is_none() { picker.untouched() } else { picker }
    }

    pub(super) fn refresh_list(&mut self) {
        let is_followed = matches!(&self.content, Content::List(picker) if picker.is_touched());
        let followed = if self.screen == Screen::Mode { self.propose().filter(|_| is_followed) } else { None };
        let lines = self.lines(self.screen);
        let default =
            followed.or_else(|| self.chosen(self.screen)).or_else(|| self.default_choice(self.screen, &lines));
        let fresh = matches!(self.screen, Screen::Subnets(_)).then(|| self.new_vpn.marks(self.screen, &lines));
        let is_decided = self.new_vpn.is_decided(self.screen, fresh.as_deref());
        let Content::List(picker) = &mut self.content else { return };
        if !picker.lines().is_empty() {
            if self.screen == Screen::Mode && picker.moves_lines(&lines) {
                self.new_vpn.proposals.moved = Some(self.shell.now);
            }
            return picker.reload(lines, default.as_ref());
        }
        let filter = picker.filter().cloned();
        if filter.is_none()
            && self.new_vpn.returning != Some(self.screen)
            && let Some(text) = self.answer_with_only_candidate(self.screen)
        {
            return self.advance_telling(vec![text]);
        }
        self.say_what_no_longer_fits(self.screen, &lines);
        let picker = Picker::new(lines, default.as_ref(), fresh).decided(is_decided).filtered(filter);
        self.content = Content::List(picker);
    }

    pub(super) fn chosen(&self, screen: Screen) -> Option<Choice> {
        match screen {
            Screen::Mode => self.new_vpn.begun_with.clone(),
            Screen::Region(half) => self.new_vpn.answers.region.get(half).clone().map(Choice::Region),
            Screen::Router(half) => self.new_vpn.answers.router_of(half).cloned().map(Choice::Object),
            Screen::Subnets(half) => self.new_vpn.answers.subnets_of(half).first().cloned().map(Choice::Object),
            Screen::Policy => self.new_vpn.answers.profile.map(Choice::Profile),
            Screen::Values => self.new_vpn.value(),
            Screen::SheetFormat => self.sheet.chosen(),
            Screen::System => self.new_vpn.chosen_system(),
            Screen::Vpns => self.vpns.open.as_ref().map(|open| Choice::Vpn(open.handle.clone())),
            Screen::Cloud => match &self.shell.login {
                Login::Named(name) => Some(Choice::Cloud(name.clone())),
                Login::Default | Login::Demo => None,
            },
            _ => None,
        }
    }

    /// Says which of the subnets marked before had to be dropped, because an answer before them has changed.
    fn say_what_no_longer_fits(&mut self, screen: Screen, lines: &[Line]) {
        let Screen::Subnets(half) = screen else { return };
        let answered: HashSet<&Id> = self.new_vpn.answers.subnets_of(half).iter().collect();
        let is_answered = |line: &Line| matches!(&line.choice, Choice::Object(id) if answered.contains(id));
        let dropped = lines.iter().find(|line| !line.is_open() && is_answered(line));
        if let Some(text) = dropped.and_then(|line| self.refusal_text(line)) {
            self.shell.warn(format!("No longer marked: {text}."));
        }
    }

    /// Keeps what is marked in a list of several, so that leaving by Esc forgets nothing.
    pub(super) fn keep_marks(&mut self) {
        let Content::List(picker) = &self.content else { return };
        if !picker.is_decided() {
            return;
        }
        let (Screen::Subnets(half), Some(marked)) = (self.screen, picker.marked()) else { return };
        let ids: Vec<Id> = marked.iter().cloned().filter_map(Choice::object).collect();
        if let Some(router) = self.new_vpn.answers.router_of(half).cloned()
            && !ids.is_empty()
        {
            self.new_vpn.answers.subnets.insert(router, ids);
        }
    }

    pub(super) fn picker_action(&mut self, action: Action) {
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

    pub(super) fn accept_line(&mut self) {
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
            (Screen::System, Choice::Word(word)) => self.new_vpn.take_system(word),
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

    /// The only line of this list that can be taken, for the screen to say so.
    pub fn only_choice(&self) -> Option<&Line> {
        match (&self.content, self.screen) {
            (Content::List(picker), Screen::Region(_) | Screen::Router(_) | Screen::Subnets(_)) => picker.only_open(),
            _ => None,
        }
    }

    /// Why a line cannot be taken.
    pub(super) fn refusal_text(&self, line: &Line) -> Option<String> {
        if line.is_open() {
            return None;
        }
        Some(format!("{} {}", line.title, worst(&self.findings(line))?.text))
    }

    /// What is typed where no key of the table matches: text, or the filter's text.
    pub(super) fn edit(&mut self, event: &KeyEvent) {
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
