//! The wizard while the engine is at work, and when it rests.

use itertools::Itertools;

use super::dialog::{Act, Dialog, DialogSubject};
use super::keymap::Action;
use super::message::{Order, Which};
use super::screen::Screen;
use super::secret_text::SecretText;
use super::shell::beside;
use super::work::{Button, End, Stage, Then, Turn, Work};
use super::{Effect, Model};
use crate::change::{Change, Proposal, Together};
use crate::cloud::RegionId;
use crate::engine::{ChangeError, Changed, Course, Direction, Watched};
use crate::plan::{Plan, Profile};

impl Model {
    pub(super) fn begin_work(&mut self, work: Work, effect: Effect) {
        self.work.begin(work);
        self.enter(Screen::Work);
        self.shell.out.push(effect);
    }

    /// Creates what does not exist yet of a plan.
    pub(super) fn create(&mut self, plan: Plan, course: Course, which: Which) {
        let (now, wait) = (self.shell.now, self.shell.wait);
        let key = self.new_vpn.answers.key.key_origin();
        // The page that waits for the peer says what that needs.
        let system = plan.peer().and_then(|peer| peer.system);
        if let Some(system) = system {
            self.sheet.take(system.as_str());
        }
        let work = Work { key, ..Work::create(Some(plan), course, Direction::Forward, now, wait) };
        self.begin_work(work, Effect::Work(which, Order::CarryOut));
    }

    pub(super) fn begin_change(&mut self, course: Course, notes: Vec<String>, which: Which, direction: Direction) {
        self.vpns.stop_looking();
        // What is done now was not left for good.
        let subject = &course.change.subject;
        self.work.left.retain(|(left, _)| left.subject != *subject);
        let mut work = Work::new(course, direction, self.shell.now);
        (work.notes, work.has_vpn) = (notes, self.vpns.open.is_some());
        self.begin_work(work, Effect::Work(which, direction.into()));
    }

    pub(super) fn carry_out(&mut self, proposals: Vec<Proposal>) {
        self.work.queue = proposals.into();
        (self.work.agreed, self.work.is_stopped) = (self.work.queue.len(), false);
        self.begin_next();
    }

    fn begin_next(&mut self) {
        let Some(Proposal { change, notes, .. }) = self.work.queue.pop_front() else { return };
        let key = self.vpns.take_key();
        let which = Which::New(Box::new(change.clone()), key);
        self.begin_change(Course::new(change), notes, which, Direction::Forward);
        let (number, of) = (self.work.agreed - self.work.queue.len(), self.work.agreed);
        if let Some(work) = self.work.current.as_mut().filter(|_| of > 1) {
            work.turn = Some(Turn { number, of });
        }
    }

    pub(super) fn work_action(&mut self, action: Action) {
        let Some(work) = &mut self.work.current else { return };
        match (action, work.focused()) {
            (Action::Right | Action::Left, _) => {
                work.focus = beside(work.focus, work.buttons().len(), action == Action::Right);
            }
            (Action::Accept, Some(button)) => self.press(button),
            (Action::Copy, _) if work.is_creation() => match work.ids_text() {
                text if text.is_empty() => self.shell.warn("Nothing exists yet."),
                text => self.shell.out.push(Effect::Copy(text.into())),
            },
            (Action::Copy, _) => {}
            (Action::SaveKey, _) => {
                if let Some((name, key)) = work.key_to_save() {
                    self.shell.out.push(Effect::SaveKey(name.to_owned(), key.clone()));
                }
            }
            (Action::PeerSheet, _) => self.open_sheet_of_work(),
            _ => self.shell.scroll_by(action),
        }
    }

    fn press(&mut self, button: Button) {
        let Some(work) = &mut self.work.current else { return };
        match button {
            Button::Finish | Button::Leave => self.leave(),
            Button::Retry | Button::LookAgain => {
                let direction = if work.is_creation() { Direction::Forward } else { work.way_on() };
                self.go_on(direction, Which::Present(None));
            }
            Button::UseModern => {
                work.modernize(&self.new_vpn.profiles);
                let plan = work.plan.clone();
                self.new_vpn.answers.profile = Some(Profile::Modern);
                if let Some(plan) = plan {
                    self.go_on(Direction::Forward, Which::Policy(Box::new(plan)));
                }
            }
            Button::KeepWaiting => {
                work.go_on(Stage::Watching, Direction::Forward, self.shell.now);
                self.work.watch(&mut self.shell);
            }
            Button::RollBack => self.work.ask_to_roll_back(&mut self.shell),
            Button::ChangeAnswers => {
                self.work.current = None;
                self.enter(Screen::Review);
                // What was read before is from before the run.
                self.read_chosen_again();
            }
            Button::EnterKey => self.enter(Screen::MissingKey),
            Button::Admit => self.admit(),
            Button::Another => self.begin_another(),
            Button::Sheet => self.open_sheet_of_work(),
            Button::ShowVpn if work.is_creation() => self.show_created(),
            Button::ShowVpn | Button::YourVpns => self.leave_change(button == Button::ShowVpn),
        }
    }

    fn go_on(&mut self, direction: Direction, which: Which) {
        self.work.missing_key = SecretText::default();
        self.shell.scroll = 0;
        self.enter(Screen::Work);
        let Some(work) = self.work.current.as_mut().filter(|work| work.is_creation() || !work.is_working()) else {
            return;
        };
        work.go_on(Stage::Working, direction, self.shell.now);
        self.shell.out.push(Effect::Work(which, direction.into()));
    }

    /// Adds the rules that the new VPN lacks. What they are is on the screen above the button; where it has no room for
    /// all of that, it is asked first.
    fn admit(&mut self) {
        let Some(work) = &self.work.current else { return };
        let Some(proposal) = work.admission() else { return };
        if self.shell.shows_question(&proposal) {
            return self.complete_creation(vec![proposal]);
        }
        let together = Together(std::slice::from_ref(&proposal));
        let text = format!("{together:.8}").lines().map(str::to_owned).collect();
        let (yes, no) = together.answers();
        let dialog = Dialog::new(together.question(), text, vec![(no, Act::Close), (yes, Act::Confirm)]).wide();
        self.shell.dialog = Some(dialog.about(DialogSubject::Proposals(vec![proposal])));
    }

    /// Does what was agreed to: of a new VPN that was just created, it belongs to the creation.
    pub(super) fn agreed(&mut self, proposals: Vec<Proposal>) {
        match self.screen {
            Screen::Work if self.work.current.as_ref().is_some_and(Work::is_creation) => {
                self.complete_creation(proposals);
            }
            Screen::Review => self.carry_out_first(proposals),
            _ => self.carry_out(proposals),
        }
    }

    fn complete_creation(&mut self, proposals: Vec<Proposal>) {
        let Some(work) = &self.work.current else { return };
        self.vpns.open_new(work.change());
        self.carry_out(proposals);
        if let Some(work) = &mut self.work.current {
            work.completes_creation = true;
        }
    }

    /// From the VPN that was created to its page. What is created next is another one.
    fn show_created(&mut self) {
        let Some(work) = &self.work.current else { return };
        self.vpns.open_new(work.change());
        self.leave_creation();
        self.enter(Screen::Vpn);
        self.vpns.read(&mut self.shell);
    }

    fn begin_another(&mut self) {
        self.leave_creation();
        let regions: Vec<RegionId> = self.new_vpn.regions.iter().map(|region| region.id.clone()).collect();
        self.enter(Screen::Mode);
        self.read_again(&regions);
    }

    /// What was created stays, for what is printed at the end; the answers begin anew.
    fn leave_creation(&mut self) {
        self.shell.out.push(Effect::LetGo);
        self.shell.out.push(Effect::Draw);
        self.new_vpn.begin_anew();
        self.work.put_aside();
    }

    pub(super) fn give_missing_key(&mut self) {
        let key = self.work.missing_key.psk();
        match self.work.change().filter(|work| matches!(work.end(), Some(End::KeyNeeded(_)))).map(Work::way_on) {
            Some(direction) => self.go_on(direction, Which::Present(key)),
            None => self.enter(Screen::Work),
        }
    }

    /// Asks the engine to stop; what follows is done once it rests.
    pub(super) fn stop(&mut self, then: Then) {
        if let Some(work) = self.work.working() {
            work.then = Some(then);
            return self.shell.out.push(Effect::Stop);
        }
        // It came to rest while the question was on the screen.
        match then {
            Then::RollBack => self.roll_back(),
            Then::Leave => self.leave(),
        }
    }

    pub(super) fn roll_back(&mut self) {
        self.go_on(Direction::Back, Which::Present(None));
    }

    fn leave_change(&mut self, to_vpn: bool) {
        self.new_vpn.is_next = false;
        self.shell.out.push(Effect::LetGo);
        let left: Vec<Change> = self.work.queue.drain(..).map(|proposal| proposal.change).collect();
        if to_vpn && self.vpns.open.is_some() {
            self.enter(Screen::Vpn);
        } else {
            self.enter(Screen::Vpns);
            self.vpns.open = None;
        }
        let is_done = self.work.current.as_ref().is_some_and(Work::is_done);
        if self.work.current.as_ref().is_some_and(|work| work.completes_creation) {
            self.shell.out.push(Effect::Draw);
            self.new_vpn.begin_anew();
        }
        // After a change that is done everything is being read already.
        if !is_done || self.vpns.seen().is_none() && !self.vpns.seen.is_loading() {
            self.vpns.read(&mut self.shell);
        }
        if !left.is_empty() {
            self.shell.warn(format!("Not begun: {}.", left.iter().join(", ")));
            let is_stopped = self.work.is_stopped;
            self.work.left.extend(left.into_iter().map(|left| (left, is_stopped)));
        }
    }

    /// The engine has carried a change out or rolled it back, as far as it could.
    pub(super) fn rested(&mut self, result: Result<Changed, ChangeError>, course: Course) {
        let (now, is_creation) = (self.shell.now, self.work.creation().is_some());
        let work = self.work.current.as_mut().filter(|work| work.is_creation() || work.is_working());
        let Some(work) = work.filter(|work| work.is_creation() == course.is_creation()) else { return };
        let is_made = is_creation && work.direction == Direction::Forward && result.is_ok();
        if is_creation && result.is_ok() {
            self.shell.no_longer_interrupted(&course.change.subject);
        }
        if is_made {
            work.begin_watch(course, now);
            if work.then.is_none() {
                self.work.watch(&mut self.shell);
            }
        } else {
            work.rest_at(result.into(), course, now);
        }
        if is_creation { self.creation_rests() } else { self.change_rests() }
    }

    pub(super) fn watched(&mut self, watched: Watched) {
        if self.work.watched(watched, &mut self.shell) {
            self.creation_rests();
        }
    }

    /// What was asked for while the engine was at work.
    fn creation_rests(&mut self) {
        self.shell.scroll = 0;
        self.work.refresh_question(&mut self.shell);
        let Some(work) = &mut self.work.current else { return };
        if work.end() == Some(&End::Active) {
            self.shell.hide_requests();
        }
        let Some(then) = work.then.take() else { return };
        // A question about work that rests is answered by it.
        self.shell.dialog = None;
        match then {
            // The work to roll back was not there yet when that was said.
            Then::RollBack if work.end() == Some(&End::Active) => self.work.ask_to_roll_back(&mut self.shell),
            Then::RollBack => self.roll_back(),
            Then::Leave => {
                if work.stage == Stage::Watching {
                    work.stage = Stage::Ended(End::Stopped);
                }
                self.leave();
            }
        }
    }

    fn change_rests(&mut self) {
        self.shell.scroll = 0;
        let Some(work) = &mut self.work.current else { return };
        let then = work.then.take();
        let (is_done, is_reversible) = (work.is_done(), work.is_reversible());
        if is_done {
            self.shell.hide_requests();
        }
        let is_forward = work.direction == Direction::Forward;
        self.work.is_stopped |= then.is_some();
        // A wish to stop includes the rest.
        if is_done && is_forward && then.is_none() && !self.work.queue.is_empty() {
            self.begin_next();
            return self.work.refresh_question(&mut self.shell);
        }
        self.work.refresh_question(&mut self.shell);
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
        let is_first = self.is_upgraded_for_creation();
        let Some(work) = &mut self.work.current else { return };
        if is_first && work.direction == Direction::Forward {
            let regions = work.change().steps().iter().flat_map(|step| step.regions().into_iter().cloned()).collect();
            return self.go_on_to_creation(regions);
        }
        self.vpns.changed(work, &mut self.shell);
        work.has_vpn = self.vpns.open.is_some();
        let is_complete = work.completes_creation && work.direction == Direction::Forward;
        let regions = work.change().steps().iter().flat_map(|step| step.regions().into_iter().cloned());
        let mut regions: Vec<RegionId> = regions.sorted().dedup().collect();
        // The lists of the other screens know of routers' VPN services, too.
        regions.retain(|id| self.new_vpn.region(id).is_some_and(|region| region.inventory.ready().is_some()));
        if is_complete {
            self.work.admitted();
        }
        self.read_again(&regions);
    }
}
