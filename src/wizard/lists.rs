//! The screens that are lists: what they offer, where the cursor is, and what is marked.

mod taking;

use std::borrow::Cow;
use std::collections::HashSet;

use super::choices::{about, cloud_line};
use super::objects::SubnetList;
use super::picker::{Choice, Line, Picker, worst};
use super::remote::Remote;
use super::screen::Screen;
use super::{Content, Model};
use crate::cloud::Id;
use crate::plan::{Finding, Half};
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
        let default = default.or_else(|| fresh.as_ref()?.first().cloned());
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
}
