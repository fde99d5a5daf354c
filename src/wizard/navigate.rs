//! Going from step to step, and choosing from lists.

use tui_input::backend::crossterm::EventHandler;

use crossterm::event::{Event as TerminalEvent, KeyEvent};

use super::choices::{is_plain, only_open};
use super::fields::SecretText;
use super::keymap::Action;
use super::picker::{Choice, Line, Picker};
use super::review::Review;
use super::screen::{Mode, Screen};
use super::vpns::Intent;
use super::{Content, Form, Model};
use crate::plan::{Half, Profile};
use crate::sign_in::Login;

impl Model {
    /// Opens a step with its best choice made.
    pub(super) fn enter(&mut self, step: Screen) {
        self.hide_keys();
        self.screen = step;
        self.scroll = 0;
        if step == Screen::Review {
            self.forget_shared_keys();
        }
        self.content = match step {
            Screen::Peer
            | Screen::Key
            | Screen::Custom
            | Screen::Name
            | Screen::NewRanges
            | Screen::NewKey
            | Screen::MissingKey => Content::Form(Form::of(step)),
            Screen::Review => {
                let focus = self.returning.take().map_or(0, |step| self.review_focus(step));
                Content::Review(Review { plan: self.plan(), focus, confirming: false })
            }
            Screen::Run => Content::Run,
            Screen::Vpn => Content::Vpn,
            Screen::Change => Content::Change,
            Screen::NewSubnets(half) => {
                let lines = self.lines(step);
                let marked: Vec<Choice> = self.other_subnets(half).into_iter().map(Choice::Object).collect();
                Content::List(Picker::new(lines, marked.first().cloned().as_ref(), Some(marked)).decided(true))
            }
            _ => {
                let lines = self.lines(step);
                self.say_what_no_longer_fits(step, &lines);
                let marked = matches!(step, Screen::Subnets(_)).then(|| self.marks(step, &lines));
                let first_mark = marked.as_ref().and_then(|marked| marked.first().cloned());
                let at = self.chosen(step).or(first_mark).or_else(|| self.default_choice(step, &lines));
                let at = at.filter(|at| lines.iter().any(|line| line.choice == *at));
                let is_decided = self.is_decided(step, marked.as_deref());
                Content::List(Picker::new(lines, at.as_ref(), marked).decided(is_decided))
            }
        };
    }

    /// Shows what has become known since the step was opened.
    pub(super) fn refresh(&mut self) {
        match &self.content {
            Content::List(_) => {
                let lines = self.lines(self.screen);
                let default = self.chosen(self.screen).or_else(|| self.default_choice(self.screen, &lines));
                let fresh = matches!(self.screen, Screen::Subnets(_)).then(|| self.marks(self.screen, &lines));
                let is_decided = self.is_decided(self.screen, fresh.as_deref());
                let Content::List(picker) = &mut self.content else { return };
                if picker.lines().is_empty() {
                    *picker = Picker::new(lines, default.as_ref(), fresh).decided(is_decided);
                } else {
                    picker.reload(lines, default.as_ref());
                }
            }
            Content::Review(_) => self.refresh_review(),
            Content::Form(_) | Content::Run | Content::Vpn | Content::Change => {}
        }
    }

    /// What was chosen at a list's step.
    fn chosen(&self, step: Screen) -> Option<Choice> {
        match step {
            Screen::Mode => Some(Choice::Mode(self.answers.mode)),
            Screen::Region(half) => self.answers.region.get(half).clone().map(Choice::Region),
            Screen::Router(half) => self.answers.router_of(half).cloned().map(Choice::Object),
            Screen::Subnets(half) => self.answers.subnets_of(half).first().cloned().map(Choice::Object),
            Screen::Policy => self.answers.profile.map(Choice::Profile),
            Screen::Vpns => self.vpns.open.as_ref().map(|open| Choice::Vpn(open.handle.clone())),
            Screen::Cloud => match &self.login {
                Login::Named(name) => Some(Choice::Cloud(name.clone())),
                Login::Default | Login::Demo => None,
            },
            _ => None,
        }
    }

    /// The subnets to mark: those answered before that still can be taken, else the best one.
    fn marks(&self, step: Screen, lines: &[Line]) -> Vec<Choice> {
        let Screen::Subnets(half) = step else { return Vec::new() };
        let is_open = |choice: &Choice| lines.iter().any(|line| line.choice == *choice && line.is_open());
        let answered = self.answers.subnets_of(half).iter().cloned().map(Choice::Object);
        let answered: Vec<Choice> = answered.filter(is_open).collect();
        if !answered.is_empty() {
            return answered;
        }
        let best = self.namesake(step, lines).or_else(|| lines.iter().find(|line| is_plain(line)));
        let best = best.or_else(|| lines.iter().find(|line| line.is_open()));
        best.map(|line| line.choice.clone()).into_iter().collect()
    }

    /// Whether marks are what the user has answered before, and not a suggestion.
    fn is_decided(&self, step: Screen, marked: Option<&[Choice]>) -> bool {
        let Screen::Subnets(half) = step else { return false };
        let answered = self.answers.subnets_of(half);
        let is_answered = |choice: &Choice| matches!(choice, Choice::Object(id) if answered.contains(id));
        marked.is_some_and(|marked| marked.iter().any(is_answered))
    }

    /// Says which of the subnets marked before had to be dropped, because an answer before them has changed.
    fn say_what_no_longer_fits(&mut self, step: Screen, lines: &[Line]) {
        let Screen::Subnets(half) = step else { return };
        let dropped = lines.iter().find(|line| {
            let answered = self.answers.subnets_of(half).iter().any(|id| line.choice == Choice::Object(id.clone()));
            answered && !line.is_open()
        });
        if let Some(text) = dropped.and_then(refusal_text) {
            self.warn(format!("No longer marked: {text}."));
        }
    }

    /// Goes on to the next step; back to the review, if that is where the user came from and nothing is missing.
    pub(super) fn advance(&mut self) {
        self.forget_unchanged_name();
        self.ask_chosen_details();
        if self.returning.is_some() {
            // A changed answer can make others necessary: another region has other routers, another mode other steps.
            self.enter(self.first_missing().unwrap_or(Screen::Review));
        } else if let Some(step) = self.route().next(self.screen) {
            self.enter(step);
        }
    }

    /// The first step whose answer is not there, or no longer fits what is known.
    fn first_missing(&self) -> Option<Screen> {
        let steps = self.route().steps().into_iter();
        let asked = steps.filter(|step| !matches!(step, Screen::Cloud | Screen::Review | Screen::Run));
        let mut asked = asked.filter(|step| !self.is_answered(*step));
        asked.next()
    }

    /// Whether a step has an answer that can be used.
    #[must_use]
    pub fn is_answered(&self, step: Screen) -> bool {
        match step {
            Screen::Region(half) => {
                let same = half == Half::B && self.answers.region.a == self.answers.region.b;
                self.answers.region.get(half).is_some() && !same
            }
            Screen::Router(half) => self.answers.router_of(half).is_some(),
            Screen::Subnets(half) => !self.answers.subnets_of(half).is_empty(),
            Screen::Peer | Screen::Key | Screen::Name => {
                Form::of(step).fields.iter().all(|field| self.check(*field).is_none())
            }
            Screen::Custom => self.custom_problems().is_empty(),
            Screen::Run => self.run.is_some(),
            Screen::Cloud | Screen::Mode | Screen::Policy => true,
            Screen::Review
            | Screen::Vpns
            | Screen::Vpn
            | Screen::NewSubnets(_)
            | Screen::NewRanges
            | Screen::NewKey
            | Screen::Change
            | Screen::MissingKey => false,
        }
    }

    /// A name that was not changed stays a suggestion, and follows the answers.
    fn forget_unchanged_name(&mut self) {
        if self.screen == Screen::Name
            && let Some(name) = self.answers.name.take()
            && name.value() != self.suggested_name()
        {
            self.answers.name = Some(name);
        }
    }

    /// Goes back one step; to the review, if that is where the user came from. Answers stay.
    pub(super) fn back(&mut self) {
        self.keep_marks();
        self.forget_unchanged_name();
        let Some(step) = self.previous_step() else { return self.quit() };
        self.vpns.wish = None;
        if self.screen == Screen::NewKey
            && let Some(open) = &mut self.vpns.open
        {
            open.key.clear();
        }
        self.vpns.missing_key = SecretText::default();
        self.enter(step);
        if step == Screen::Vpns {
            self.vpns.open = None;
        }
    }

    /// Keeps what is marked in a list of several, so that leaving by Esc forgets nothing.
    pub(super) fn keep_marks(&mut self) {
        let Content::List(picker) = &self.content else { return };
        if !picker.is_decided() {
            return;
        }
        let (Screen::Subnets(half), Some(marked)) = (self.screen, picker.marked()) else { return };
        let ids = marked.iter().filter_map(|choice| match choice {
            Choice::Object(id) => Some(id.clone()),
            _ => None,
        });
        let ids: Vec<_> = ids.collect();
        if let Some(router) = self.answers.router_of(half).cloned()
            && !ids.is_empty()
        {
            self.answers.subnets.insert(router, ids);
        }
    }

    pub(super) fn picker_action(&mut self, action: Action) {
        let page = self.page();
        // Whoever goes on doing something does not want to be asked about something else any more.
        self.vpns.wish = None;
        let Content::List(picker) = &mut self.content else { return };
        match action {
            Action::Up => picker.step(-1),
            Action::Down => picker.step(1),
            Action::PageUp => picker.step(-page),
            Action::PageDown => picker.step(page),
            Action::First => picker.step(isize::MIN / 2),
            Action::Last => picker.step(isize::MAX / 2),
            Action::Toggle => self.toggle(),
            Action::Filter => picker.start_filter(),
            Action::Back if picker.filter().is_some() => picker.end_filter(),
            Action::Back => return self.back(),
            Action::Retry => return self.retry(),
            Action::Pick(number) if picker.go(usize::from(number) - 1) => {
                if picker.marked().is_some() {
                    self.toggle();
                } else {
                    return self.accept_line();
                }
            }
            Action::Accept => return self.accept_line(),
            _ => {}
        }
    }

    /// Marks the line under the cursor, or says why it cannot be.
    fn toggle(&mut self) {
        let Content::List(picker) = &mut self.content else { return };
        match picker.current().filter(|line| !line.is_open()).and_then(refusal_text) {
            Some(text) => self.warn(text),
            None => picker.toggle(),
        }
    }

    fn accept_line(&mut self) {
        let Content::List(picker) = &self.content else { return };
        let Some(line) = picker.current().cloned() else {
            let text = match self.screen {
                Screen::Router(half) | Screen::Subnets(half)
                    if self.region_of(half).is_some_and(|region| region.inventory.is_loading()) =>
                {
                    format!("{} is still being read; a moment", self.place(half))
                }
                Screen::Vpns if self.vpns.seen.is_loading() => "It is still being read; a moment.".to_owned(),
                _ => "There is nothing to choose here; Esc goes back.".to_owned(),
            };
            self.warn(text);
            return;
        };
        match self.screen {
            Screen::Subnets(half) => return self.accept_subnets(half, &line),
            Screen::NewSubnets(half) => return self.accept_other_subnets(half),
            _ => {}
        }
        if line.pending {
            self.warn(format!("{} is still being read; Enter again in a moment.", line.title));
            return;
        }
        if let Some(text) = refusal_text(&line) {
            self.warn(text);
            return;
        }
        self.take(line.choice)
    }

    fn take(&mut self, choice: Choice) {
        match (self.screen, choice) {
            (Screen::Cloud, Choice::Cloud(name)) => return self.choose_cloud(name),
            (Screen::Mode, Choice::Mode(mode)) => self.answers.mode = mode,
            (Screen::Mode, Choice::Vpns) => return self.open_vpns(),
            (Screen::Vpns, Choice::Vpn(handle)) => return self.open_vpn(&handle),
            (Screen::Vpns, Choice::Creation(id)) => self.offer_creation(&id),
            (Screen::Vpns, Choice::Unused) => return self.wish(Intent::DeleteUnused),
            (Screen::Vpns, Choice::PublicKeys) => return self.want_no_public_keys(),
            (Screen::Vpns, Choice::Make) => {
                self.answers.mode = Mode::SiteToSite;
                self.screen = Screen::Mode;
            }
            (Screen::Region(half), Choice::Region(region)) => {
                *self.answers.region.get_mut(half) = Some(region);
                let is_pair = self.answers.mode == Mode::SiteToSite;
                if is_pair && half == Half::A && self.answers.region.a == self.answers.region.b {
                    self.answers.region.b = None;
                    self.say("The second region was the same; choose another.");
                }
            }
            (Screen::Router(half), Choice::Object(router)) => {
                if let Some(region) = self.answers.region.get(half).clone() {
                    self.answers.router.insert(region, router);
                }
            }
            (Screen::Policy, Choice::Profile(profile)) => {
                if profile == Profile::Custom && !self.answers.custom_edited {
                    let policy = self.policy().clone();
                    self.answers.start_custom_from(policy);
                }
                self.answers.profile = Some(profile);
                if profile == Profile::Custom {
                    self.enter(Screen::Custom);
                    return;
                }
            }
            _ => {}
        }
        self.advance()
    }

    fn accept_subnets(&mut self, half: Half, line: &Line) {
        let Content::List(picker) = &self.content else { return };
        let taken = picker.taken();
        if taken.contains(&line.choice)
            && let Some(text) = refusal_text(line)
        {
            self.warn(text);
            return;
        }
        let ids = taken.into_iter().filter_map(|choice| match choice {
            Choice::Object(id) => Some(id),
            _ => None,
        });
        let ids: Vec<_> = ids.collect();
        let inventory = self.region_of(half).and_then(|region| region.inventory.ready());
        let subnets: Vec<_> = ids.iter().filter_map(|id| inventory?.subnet(id)).collect();
        if let Some(finding) = crate::plan::checks::together(&subnets, half).into_iter().next() {
            self.warn(finding.text);
            return;
        }
        if let Some(router) = self.answers.router_of(half).cloned() {
            self.answers.subnets.insert(router, ids);
        }
        self.advance()
    }

    /// The only line of this list that can be taken, for the screen to say so.
    #[must_use]
    pub fn only_choice(&self) -> Option<&Line> {
        match (&self.content, self.screen) {
            (Content::List(picker), Screen::Region(_) | Screen::Router(_) | Screen::Subnets(_)) => {
                only_open(picker.lines())
            }
            _ => None,
        }
    }

    /// What is typed where no key of the table matches: text, or the filter's text.
    pub(super) fn edit(&mut self, event: &KeyEvent) {
        if self.dialog.is_some() {
            return;
        }
        match &mut self.content {
            Content::List(picker) if picker.filter().is_some() => picker.edit_filter(|input| {
                input.handle_event(&TerminalEvent::Key(*event));
            }),
            Content::Form(_) => self.edit_field(event),
            _ => {}
        }
    }
}

fn refusal_text(line: &Line) -> Option<String> {
    let refusal = line.worst().filter(|finding| finding.is_refusal())?;
    Some(format!("{} {}", line.title, refusal.text))
}
