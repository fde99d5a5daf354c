//! The wizard while the engine is at work, and when it rests.

use itertools::Itertools;

use super::keymap::Action;
use super::message::Which;
use super::screen::Screen;
use super::secret_text::SecretText;
use super::shell::beside;
use super::vpns::Open;
use super::work::{Button, CreationJob, End, Job, Stage, Then, Turn, Work};
use super::{Effect, Model};
use crate::change::{Change, Proposal, Verb};
use crate::cloud::RegionId;
use crate::engine::{ChangeError, ChangeEvent, Changed, Course, Direction};
use crate::engine::{CreateError, Event, Ledger, Undone, Watched};
use crate::plan::{Plan, Profile};

impl Model {
    pub(super) fn begin_work(&mut self, work: Work, effect: Effect) {
        self.work.begin(work);
        self.enter(Screen::Work);
        self.shell.out.push(effect);
    }

    pub(super) fn create(&mut self, plan: Plan, ledger: Ledger) {
        let work = Work::create(plan.clone(), ledger.clone(), self.shell.now, self.shell.wait);
        let key = self.new_vpn.answers.key.key_origin();
        self.begin_work(work, Effect::Create(Box::new(plan), ledger, key));
    }

    pub(super) fn begin_change(&mut self, course: Course, notes: Vec<String>, which: Which, direction: Direction) {
        let mut work = Work::change_vpn(course, notes, direction, self.shell.now);
        if let Some(open) = &mut self.vpns.open {
            (open.looking, open.waiting) = (None, None);
        }
        if let Some(job) = work.change_mut() {
            job.has_vpn = self.vpns.open.is_some();
            // What is done now was not left for good.
            let subject = &job.change().subject;
            self.work.left.retain(|(left, _)| left.subject != *subject);
        }
        self.begin_work(work, Effect::Change(which, direction));
    }

    pub(super) fn carry_out(&mut self, proposals: Vec<Proposal>) {
        self.work.queue = proposals.into();
        (self.work.agreed, self.work.is_stopped) = (self.work.queue.len(), false);
        self.begin_next();
    }

    fn begin_next(&mut self) {
        let Some(Proposal { change, notes }) = self.work.queue.pop_front() else { return };
        let key = self.vpns.open.as_mut().and_then(|open| std::mem::take(&mut open.key).psk());
        let which = Which::New(Box::new(change.clone()), key);
        self.begin_change(Course::new(change), notes, which, Direction::Forward);
        let (number, of) = (self.work.agreed - self.work.queue.len(), self.work.agreed);
        if let Some(job) = self.work.current.as_mut().and_then(Work::change_mut).filter(|_| of > 1) {
            job.turn = Some(Turn { number, of });
        }
    }

    pub(super) fn work_action(&mut self, action: Action) {
        let Some(work) = &mut self.work.current else { return };
        match (action, work.focused()) {
            (Action::Right | Action::Left, _) => {
                work.focus = beside(work.focus, work.buttons().len(), action == Action::Right);
            }
            (Action::Accept, Some(button)) => self.press(button),
            (Action::Copy, _) => match work.creation().map(CreationJob::ids_text) {
                Some(text) if text.is_empty() => self.shell.warn("Nothing exists yet."),
                Some(text) => self.shell.out.push(Effect::Copy(text)),
                None => {}
            },
            _ => self.shell.scroll_by(action),
        }
    }

    fn press(&mut self, button: Button) {
        let Some(work) = &mut self.work.current else { return };
        match (button, &work.job) {
            (Button::Finish | Button::Leave, _) => self.leave(),
            (Button::Retry | Button::LookAgain, Job::Change(_)) => {
                let direction = work.way_on();
                self.go_on_with_change(direction, None);
            }
            (Button::Retry | Button::LookAgain, Job::Creation(_)) => self.create_again(),
            (Button::UseModern, _) => {
                work.modernize(&self.new_vpn.profiles);
                self.new_vpn.answers.profile = Some(Profile::Modern);
                self.create_again();
            }
            (Button::KeepWaiting, _) => {
                work.go_on(Stage::Watching, Direction::Forward, self.shell.now);
                self.watch();
            }
            (Button::RollBack, _) => self.ask_to_roll_back(),
            (Button::ChangeAnswers, _) => {
                self.work.current = None;
                self.enter(Screen::Review);
                // What was read before is from before the run.
                self.read_chosen_again();
            }
            (Button::EnterKey, _) => self.enter(Screen::MissingKey),
            (Button::ShowVpn | Button::YourVpns, _) => self.leave_change(button == Button::ShowVpn),
        }
    }

    fn create_again(&mut self) {
        let key = self.new_vpn.answers.key.key_origin();
        self.shell.scroll = 0;
        let Some(work) = &mut self.work.current else { return };
        work.go_on(Stage::Working, Direction::Forward, self.shell.now);
        if let Some((job, plan)) = planned(work) {
            self.shell.out.push(Effect::Create(Box::new(plan), job.ledger.clone(), key));
        }
    }

    fn watch(&mut self) {
        if let Some((job, plan)) = self.work.current.as_ref().and_then(planned) {
            self.shell.out.push(Effect::Watch(Box::new(plan), job.ledger.clone(), job.wait));
        }
    }

    fn go_on_with_change(&mut self, direction: Direction, key: Option<crate::plan::Psk>) {
        self.work.missing_key = SecretText::default();
        self.enter(Screen::Work);
        let Some(work) = self.work.current.as_mut().filter(|work| !work.is_working()) else { return };
        work.go_on(Stage::Working, direction, self.shell.now);
        self.shell.out.push(Effect::Change(Which::Present(key), direction));
    }

    pub(super) fn give_missing_key(&mut self) {
        let key = self.work.missing_key.psk();
        match self.work.change().filter(|work| matches!(work.end(), Some(End::KeyNeeded(_)))).map(Work::way_on) {
            Some(direction) => self.go_on_with_change(direction, key),
            None => self.enter(Screen::Work),
        }
    }

    pub(super) fn roll_back(&mut self) {
        let Some(work) = &mut self.work.current else { return };
        match &work.job {
            Job::Change(_) => self.go_on_with_change(Direction::Back, None),
            Job::Creation(job) => {
                self.shell.out.push(Effect::RollBack(job.marks.clone(), job.ledger.clone()));
                work.go_on(Stage::Working, Direction::Back, self.shell.now);
                self.shell.scroll = 0;
            }
        }
    }

    fn leave_change(&mut self, to_vpn: bool) {
        self.shell.out.push(Effect::LetChangeGo);
        let left: Vec<Change> = self.work.queue.drain(..).map(|proposal| proposal.change).collect();
        if to_vpn && self.vpns.open.is_some() {
            self.enter(Screen::Vpn);
        } else {
            self.enter(Screen::Vpns);
            self.vpns.open = None;
        }
        let is_done = self.work.current.as_ref().is_some_and(Work::is_done);
        // After a change that is done everything is being read already.
        if !is_done || self.vpns.seen().is_none() && !self.vpns.seen.is_loading() {
            self.read_vpns();
        }
        if !left.is_empty() {
            self.shell.warn(format!("Not begun: {}.", left.iter().join(", ")));
            let is_stopped = self.work.is_stopped;
            self.work.left.extend(left.into_iter().map(|left| (left, is_stopped)));
        }
    }

    pub(super) fn engine_event(&mut self, event: Event) {
        if let Some(work) = self.work.current.as_mut().filter(|work| work.creation().is_some()) {
            work.engine_event(event, self.shell.now);
        }
        self.refresh_question();
    }

    pub(super) fn change_event(&mut self, event: ChangeEvent) {
        if let Some(work) = self.work.working().filter(|work| work.change().is_some()) {
            work.change_event(event, self.shell.now);
        }
        self.refresh_question();
    }

    pub(super) fn created(&mut self, result: Result<(), CreateError>, ledger: Ledger) {
        let Some(work) = self.work.current.as_mut().filter(|work| work.creation().is_some()) else { return };
        if work.created(result, ledger, self.shell.now) && work.then.is_none() {
            self.watch();
        }
        self.creation_rests();
    }

    pub(super) fn watched(&mut self, watched: Watched) {
        let Some(work) = self.work.current.as_mut().filter(|work| work.creation().is_some()) else { return };
        work.watched(watched, self.shell.now);
        // A status proves nothing: the halves are compared.
        let is_to_verify = work.then.is_none() && matches!(work.end(), Some(End::NotYet(_) | End::Active));
        if let Some(job) = work.creation_mut().filter(|_| is_to_verify) {
            job.verifying = true;
            self.shell.out.push(Effect::Verify(job.marks.vpn.clone(), job.marks.regions.clone()));
        }
        self.creation_rests();
    }

    pub(super) fn rolled_back(&mut self, undone: Undone, ledger: Ledger) {
        let Some(work) = self.work.current.as_mut().filter(|work| work.creation().is_some()) else { return };
        work.rolled_back(undone, ledger, self.shell.now);
        self.creation_rests();
    }

    /// What was asked for while the engine was at work.
    fn creation_rests(&mut self) {
        self.shell.scroll = 0;
        self.refresh_question();
        let Some(work) = &mut self.work.current else { return };
        let Some(then) = work.then.take() else { return };
        // A question about work that rests is answered by it.
        self.shell.dialog = None;
        match then {
            // The work to roll back was not there yet when that was said.
            Then::RollBack if work.end() == Some(&End::Active) => self.ask_to_roll_back(),
            Then::RollBack => self.roll_back(),
            Then::Leave => {
                if work.stage == Stage::Watching {
                    work.stage = Stage::Ended(End::Stopped);
                }
                self.leave();
            }
        }
    }

    pub(super) fn not_begun(&mut self, why: Vec<String>) {
        let now = self.shell.now;
        let Some(work) = self.work.working().filter(|work| work.change().is_some()) else { return };
        work.refuse(why, now);
        let then = work.then.take();
        self.work.is_stopped |= then.is_some();
        self.refresh_question();
        if then == Some(Then::Leave) {
            self.leave();
        }
    }

    pub(super) fn changed(&mut self, ended: Result<Changed, ChangeError>, course: Course) {
        let now = self.shell.now;
        self.shell.scroll = 0;
        let Some(work) = self.work.working().filter(|work| work.change().is_some()) else { return };
        work.changed(ended, course, now);
        let then = work.then.take();
        let (is_done, is_reversible) = (work.is_done(), work.is_reversible());
        let is_forward = work.direction == Direction::Forward;
        self.work.is_stopped |= then.is_some();
        // A intent to stop includes the rest.
        if is_done && is_forward && then.is_none() && !self.work.queue.is_empty() {
            self.begin_next();
            return self.refresh_question();
        }
        self.refresh_question();
        match then {
            Some(Then::Leave) => self.leave(),
            Some(Then::RollBack) if !is_done && is_reversible => {
                self.shell.dialog = None;
                self.roll_back();
            }
            _ if is_done => self.after_change(),
            _ => {}
        }
    }

    /// Reads what has become of the VPN, and waits for ACTIVE.
    fn after_change(&mut self) {
        let now = self.shell.now;
        let Some(work) = &mut self.work.current else { return };
        let is_forward = work.direction == Direction::Forward;
        let Some(job) = work.change_mut() else { return };
        let Change { verb, subject, label, .. } = job.change();
        if *verb == Verb::Delete && is_forward {
            self.vpns.open = None;
        }
        let regions = job.change().steps().iter().flat_map(|step| step.regions().into_iter().cloned());
        let mut regions: Vec<RegionId> = regions.sorted().dedup().collect();
        // After several of them the list tells more than any one VPN.
        if self.vpns.open.is_none() && verb.is_about_a_vpn() && job.turn.is_none() {
            self.vpns.open = Some(Open::of(subject.to_string(), label.clone()));
        }
        let is_awaited = verb.is_about_a_vpn();
        job.has_vpn = self.vpns.open.is_some();
        if let Some(open) = &mut self.vpns.open {
            open.around = super::remote::Remote::NotAsked;
            (open.diagnosis, open.chosen) = (None, None);
            open.forget();
            open.waiting = is_awaited.then_some(now);
        }
        self.read_vpns();
        // The lists of the other screens know of routers' VPN services, too.
        regions.retain(|id| self.new_vpn.region(id).is_some_and(|region| region.inventory.ready().is_some()));
        self.read_again(&regions);
    }
}

fn planned(work: &Work) -> Option<(&CreationJob, Plan)> {
    let job = work.creation()?;
    Some((job, job.plan.clone()?))
}
