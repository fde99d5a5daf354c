//! Going from step to step, and choosing from lists.

use tui_input::backend::crossterm::EventHandler;

use crossterm::event::{Event as TerminalEvent, KeyEvent};

use super::choices::{is_plain, only_open};
use super::fields::SecretText;
use super::keymap::Action;
use super::picker::{Choice, Line, Picker};
use super::review::Review;
use super::step::{Mode, Step};
use super::vpns::Wish;
use super::{Form, Model, Screen};
use crate::plan::{Half, Profile};
use crate::sign_in::Login;

impl Model {
    /// Opens a step with its best choice made.
    pub(super) fn enter(&mut self, step: Step) {
        self.hide_keys();
        self.step = step;
        self.scroll = 0;
        if step == Step::Review {
            self.forget_shared_keys();
        }
        self.screen = match step {
            Step::Peer
            | Step::Key
            | Step::Custom
            | Step::Name
            | Step::OtherRanges
            | Step::OtherKey
            | Step::MissingKey => Screen::Form(Form::of(step)),
            Step::Review => {
                let focus = self.returning.take().map_or(0, |step| self.review_focus(step));
                Screen::Review(Review { plan: self.plan(), focus, confirming: false })
            }
            Step::Run => Screen::Run,
            Step::Vpn => Screen::Vpn,
            Step::Change => Screen::Change,
            Step::OtherSubnets(half) => {
                let lines = self.lines(step);
                let marked: Vec<Choice> = self.other_subnets(half).into_iter().map(Choice::Object).collect();
                Screen::Picker(Picker::new(lines, marked.first().cloned().as_ref(), Some(marked)).decided(true))
            }
            _ => {
                let lines = self.lines(step);
                self.say_what_no_longer_fits(step, &lines);
                let marked = matches!(step, Step::Subnets(_)).then(|| self.marks(step, &lines));
                let first_mark = marked.as_ref().and_then(|marked| marked.first().cloned());
                let at = self.chosen(step).or(first_mark).or_else(|| self.default_choice(step, &lines));
                let at = at.filter(|at| lines.iter().any(|line| line.choice == *at));
                let is_decided = self.is_decided(step, marked.as_deref());
                Screen::Picker(Picker::new(lines, at.as_ref(), marked).decided(is_decided))
            }
        };
    }

    /// Shows what has become known since the step was opened.
    pub(super) fn refresh(&mut self) {
        match &self.screen {
            Screen::Picker(_) => {
                let lines = self.lines(self.step);
                let default = self.chosen(self.step).or_else(|| self.default_choice(self.step, &lines));
                let fresh = matches!(self.step, Step::Subnets(_)).then(|| self.marks(self.step, &lines));
                let is_decided = self.is_decided(self.step, fresh.as_deref());
                let Screen::Picker(picker) = &mut self.screen else { return };
                if picker.lines().is_empty() {
                    *picker = Picker::new(lines, default.as_ref(), fresh).decided(is_decided);
                } else {
                    picker.reload(lines, default.as_ref());
                }
            }
            Screen::Review(_) => self.refresh_review(),
            Screen::Form(_) | Screen::Run | Screen::Vpn | Screen::Change => {}
        }
    }

    /// What was chosen at a list's step.
    fn chosen(&self, step: Step) -> Option<Choice> {
        match step {
            Step::Mode => Some(Choice::Mode(self.answers.mode)),
            Step::Region(half) => self.answers.region.get(half).clone().map(Choice::Region),
            Step::Router(half) => self.answers.router_of(half).cloned().map(Choice::Object),
            Step::Subnets(half) => self.answers.subnets_of(half).first().cloned().map(Choice::Object),
            Step::Policy => self.answers.profile.map(Choice::Profile),
            Step::Vpns => self.vpns.open.as_ref().map(|open| Choice::Vpn(open.handle.clone())),
            Step::Cloud => match &self.login {
                Login::Named(name) => Some(Choice::Cloud(name.clone())),
                Login::Default | Login::Demo => None,
            },
            _ => None,
        }
    }

    /// The subnets to mark: those answered before that still can be taken, else the best one.
    fn marks(&self, step: Step, lines: &[Line]) -> Vec<Choice> {
        let Step::Subnets(half) = step else { return Vec::new() };
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
    fn is_decided(&self, step: Step, marked: Option<&[Choice]>) -> bool {
        let Step::Subnets(half) = step else { return false };
        let answered = self.answers.subnets_of(half);
        let is_answered = |choice: &Choice| matches!(choice, Choice::Object(id) if answered.contains(id));
        marked.is_some_and(|marked| marked.iter().any(is_answered))
    }

    /// Says which of the subnets marked before had to be dropped, because an answer before them has changed.
    fn say_what_no_longer_fits(&mut self, step: Step, lines: &[Line]) {
        let Step::Subnets(half) = step else { return };
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
            self.enter(self.first_missing().unwrap_or(Step::Review));
        } else if let Some(step) = self.route().next(self.step) {
            self.enter(step);
        }
    }

    /// The first step whose answer is not there, or no longer fits what is known.
    fn first_missing(&self) -> Option<Step> {
        let steps = self.route().steps().into_iter();
        let asked = steps.filter(|step| !matches!(step, Step::Cloud | Step::Review | Step::Run));
        let mut asked = asked.filter(|step| !self.is_answered(*step));
        asked.next()
    }

    /// Whether a step has an answer that can be used.
    #[must_use]
    pub fn is_answered(&self, step: Step) -> bool {
        match step {
            Step::Region(half) => {
                let same = half == Half::B && self.answers.region.a == self.answers.region.b;
                self.answers.region.get(half).is_some() && !same
            }
            Step::Router(half) => self.answers.router_of(half).is_some(),
            Step::Subnets(half) => !self.answers.subnets_of(half).is_empty(),
            Step::Peer | Step::Key | Step::Name => {
                Form::of(step).fields.iter().all(|field| self.check(*field).is_none())
            }
            Step::Custom => self.custom_problems().is_empty(),
            Step::Run => self.run.is_some(),
            Step::Cloud | Step::Mode | Step::Policy => true,
            Step::Review
            | Step::Vpns
            | Step::Vpn
            | Step::OtherSubnets(_)
            | Step::OtherRanges
            | Step::OtherKey
            | Step::Change
            | Step::MissingKey => false,
        }
    }

    /// A name that was not changed stays a suggestion, and follows the answers.
    fn forget_unchanged_name(&mut self) {
        if self.step == Step::Name
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
        if self.step == Step::OtherKey
            && let Some(open) = &mut self.vpns.open
        {
            open.key.clear();
        }
        self.vpns.missing_key = SecretText::default();
        self.enter(step);
        if step == Step::Vpns {
            self.vpns.open = None;
        }
    }

    /// Keeps what is marked in a list of several, so that leaving by Esc forgets nothing.
    pub(super) fn keep_marks(&mut self) {
        let Screen::Picker(picker) = &self.screen else { return };
        if !picker.is_decided() {
            return;
        }
        let (Step::Subnets(half), Some(marked)) = (self.step, picker.marked()) else { return };
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
        let Screen::Picker(picker) = &mut self.screen else { return };
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
        let Screen::Picker(picker) = &mut self.screen else { return };
        match picker.current().filter(|line| !line.is_open()).and_then(refusal_text) {
            Some(text) => self.warn(text),
            None => picker.toggle(),
        }
    }

    fn accept_line(&mut self) {
        let Screen::Picker(picker) = &self.screen else { return };
        let Some(line) = picker.current().cloned() else {
            let text = match self.step {
                Step::Router(half) | Step::Subnets(half)
                    if self.region_of(half).is_some_and(|region| region.inventory.is_loading()) =>
                {
                    format!("{} is still being read; a moment", self.place(half))
                }
                Step::Vpns if self.vpns.seen.is_loading() => "It is still being read; a moment.".to_owned(),
                _ => "There is nothing to choose here; Esc goes back.".to_owned(),
            };
            self.warn(text);
            return;
        };
        match self.step {
            Step::Subnets(half) => return self.accept_subnets(half, &line),
            Step::OtherSubnets(half) => return self.accept_other_subnets(half),
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
        match (self.step, choice) {
            (Step::Cloud, Choice::Cloud(name)) => return self.choose_cloud(name),
            (Step::Mode, Choice::Mode(mode)) => self.answers.mode = mode,
            (Step::Mode, Choice::Vpns) => return self.open_vpns(),
            (Step::Vpns, Choice::Vpn(handle)) => return self.open_vpn(&handle),
            (Step::Vpns, Choice::Creation(id)) => self.offer_creation(&id),
            (Step::Vpns, Choice::Strays) => return self.wish(Wish::Strays),
            (Step::Vpns, Choice::PublicKeys) => return self.want_no_public_keys(),
            (Step::Vpns, Choice::Make) => {
                self.answers.mode = Mode::SiteToSite;
                self.step = Step::Mode;
            }
            (Step::Region(half), Choice::Region(region)) => {
                *self.answers.region.get_mut(half) = Some(region);
                let is_pair = self.answers.mode == Mode::SiteToSite;
                if is_pair && half == Half::A && self.answers.region.a == self.answers.region.b {
                    self.answers.region.b = None;
                    self.say("The second region was the same; choose another.");
                }
            }
            (Step::Router(half), Choice::Object(router)) => {
                if let Some(region) = self.answers.region.get(half).clone() {
                    self.answers.router.insert(region, router);
                }
            }
            (Step::Policy, Choice::Profile(profile)) => {
                if profile == Profile::Custom && !self.answers.custom_edited {
                    let policy = self.policy().clone();
                    self.answers.start_custom_from(policy);
                }
                self.answers.profile = Some(profile);
                if profile == Profile::Custom {
                    self.enter(Step::Custom);
                    return;
                }
            }
            _ => {}
        }
        self.advance()
    }

    fn accept_subnets(&mut self, half: Half, line: &Line) {
        let Screen::Picker(picker) = &self.screen else { return };
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
        match (&self.screen, self.step) {
            (Screen::Picker(picker), Step::Region(_) | Step::Router(_) | Step::Subnets(_)) => only_open(picker.lines()),
            _ => None,
        }
    }

    /// What is typed where no key of the table matches: text, or the filter's text.
    pub(super) fn edit(&mut self, event: &KeyEvent) {
        if self.dialog.is_some() {
            return;
        }
        match &mut self.screen {
            Screen::Picker(picker) if picker.filter().is_some() => picker.edit_filter(|input| {
                input.handle_event(&TerminalEvent::Key(*event));
            }),
            Screen::Form(_) => self.edit_field(event),
            _ => {}
        }
    }
}

fn refusal_text(line: &Line) -> Option<String> {
    let refusal = line.worst().filter(|finding| finding.is_refusal())?;
    Some(format!("{} {}", line.title, refusal.text))
}
