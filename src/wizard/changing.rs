//! The wizard while a change is at work and when it rests.

use itertools::Itertools;

use super::carried::{Button, Carried, Stage, StepState};
use super::dialog::{Act, Dialog};
use super::keymap::Action;
use super::message::Which;
use super::progress::Then;
use super::screen::Screen;
use super::secret_text::SecretText;
use super::shell::beside;
use super::vpns::Open;
use super::{Effect, Model};
use crate::change::{Change, Verb};
use crate::cloud::RegionId;
use crate::engine::change::{ChangeError, ChangeEvent, Changed, Course, Direction};

impl Model {
    pub(super) fn begin_change(&mut self, course: Course, notes: Vec<String>, which: Which, direction: Direction) {
        let mut change = Carried::new(course, notes, direction, self.shell.now);
        change.has_vpn = self.vpns.open.is_some();
        if let Some(open) = &mut self.vpns.open {
            (open.looking, open.waiting) = (None, None);
        }
        self.vpns.intent = None;
        // What is done now was not left for good.
        self.vpns.left.retain(|(left, _)| left.subject != change.change().subject);
        self.vpns.earlier.extend(self.vpns.change.take());
        self.vpns.change = Some(change);
        self.enter(Screen::Change);
        self.shell.out.push(Effect::Carry(which, direction));
    }

    pub(super) fn change_action(&mut self, action: Action) {
        let Some(change) = &mut self.vpns.change else { return };
        let count = change.buttons().len();
        match action {
            Action::Right => change.focus = beside(change.focus, count, true),
            Action::Left => change.focus = beside(change.focus, count, false),
            Action::Accept => {
                if let Some(button) = change.buttons().get(change.focus).copied() {
                    return self.press_change(button);
                }
            }
            _ => self.shell.scroll_by(action),
        }
    }

    fn press_change(&mut self, button: Button) {
        let Some(change) = &mut self.vpns.change else { return };
        match button {
            Button::ToVpn | Button::ToList => self.leave_change(button == Button::ToVpn),
            Button::Retry | Button::LookAgain => {
                let direction = change.way_on();
                // What could not even begin has nothing to go on from.
                change.resume(direction);
                self.shell.scroll = 0;
                self.shell.out.push(Effect::Carry(Which::Present(None), direction));
            }
            Button::GiveKey => {
                self.enter(Screen::MissingKey);
            }
            Button::TakeBack => {
                let text = vec![
                    "What the steps so far have done is undone, the last first; the VPN is then as it was.".to_owned(),
                ];
                let buttons = vec![("Keep", Act::Close), ("Roll back", Act::RollBack)];
                self.shell.dialog = Some(Dialog::new("Roll back?", text, buttons));
            }
        }
    }

    /// Goes on with the key that was typed for it.
    pub(super) fn give_missing_key(&mut self) {
        let key = std::mem::take(&mut self.vpns.missing_key).psk();
        self.enter(Screen::Change);
        let Some(change) = self.vpns.change.as_mut().filter(|change| change.lacks_key()) else { return };
        let direction = change.way_on();
        change.resume(direction);
        self.shell.out.push(Effect::Carry(Which::Present(key), direction));
    }

    pub(super) fn take_change_back(&mut self) {
        self.vpns.missing_key = SecretText::default();
        self.enter(Screen::Change);
        let Some(change) = self.vpns.change.as_mut().filter(|change| !change.is_working()) else { return };
        change.resume(Direction::Back);
        self.shell.out.push(Effect::Carry(Which::Present(None), Direction::Back));
    }

    /// Back to where it was begun. What is not done keeps its journal.
    fn leave_change(&mut self, to_vpn: bool) {
        self.shell.out.push(Effect::LetGo);
        let left: Vec<Change> = self.vpns.queue.drain(..).map(|proposal| proposal.change).collect();
        if to_vpn && self.vpns.open.is_some() {
            self.enter(Screen::Vpn);
        } else {
            self.enter(Screen::Vpns);
            self.vpns.open = None;
        }
        let is_done = self.vpns.change.as_ref().is_some_and(Carried::is_done);
        // After a change that is done everything is being read already.
        if !is_done || self.vpns.seen().is_none() && !self.vpns.seen.is_loading() {
            self.read_vpns();
        }
        if !left.is_empty() {
            self.shell.warn(format!("Not begun: {}.", left.iter().join(", ")));
            let is_stopped = self.vpns.is_stopped;
            self.vpns.left.extend(left.into_iter().map(|left| (left, is_stopped)));
        }
    }

    pub(super) fn carrying(&mut self, event: ChangeEvent) {
        let now = self.shell.now;
        if let Some(change) = self.vpns.change.as_mut().filter(|change| change.is_working()) {
            change.apply(event, now);
        }
        self.refresh_question();
    }

    pub(super) fn not_begun(&mut self, why: Vec<String>) {
        let now = self.shell.now;
        let Some(change) = self.vpns.change.as_mut().filter(|change| change.is_working()) else { return };
        change.refuse(why, now);
        let then = change.then.take();
        self.vpns.is_stopped |= then.is_some();
        let is_leaving = then == Some(Then::Leave);
        self.refresh_question();
        if is_leaving {
            self.leave();
        }
    }

    pub(super) fn change_carried(&mut self, ended: Result<Changed, ChangeError>, course: Course) {
        let now = self.shell.now;
        self.shell.scroll = 0;
        let Some(change) = self.vpns.change.as_mut().filter(|change| change.is_working()) else { return };
        change.end(ended, course, now);
        let then = change.then.take();
        let (is_done, is_reversible) = (change.is_done(), change.is_reversible());
        let is_forward = change.direction == Direction::Forward;
        self.vpns.is_stopped |= then.is_some();
        // Whoever asks to stop means the rest, too.
        if is_done && is_forward && then.is_none() && !self.vpns.queue.is_empty() {
            self.begin_next();
            self.refresh_question();
            return;
        }
        self.refresh_question();
        match then {
            Some(Then::Leave) => {
                self.shell.dialog = None;
                self.leave();
                return;
            }
            Some(Then::RollBack) if !is_done && is_reversible => {
                self.shell.dialog = None;
                return self.take_change_back();
            }
            Some(Then::RollBack) | None => {}
        }
        if is_done {
            self.after_change();
        }
    }

    /// What was known is from before the change: everything is read again, and the VPN proven anew.
    fn after_change(&mut self) {
        let now = self.shell.now;
        let Some(change) = &mut self.vpns.change else { return };
        let verb = change.change().verb;
        let is_gone = verb == Verb::Delete && change.direction == Direction::Forward;
        if is_gone {
            self.vpns.open = None;
        }
        let mut regions: Vec<RegionId> =
            change.change().steps().iter().flat_map(|step| step.regions().into_iter().cloned()).collect();
        regions.sort();
        regions.dedup();
        // After several of them the list tells more than any one VPN.
        if self.vpns.open.is_none() && verb.is_about_a_vpn() && change.turn.is_none() {
            let change = change.change();
            self.vpns.open = Some(Open::of(change.subject.to_string(), change.label.clone()));
        }
        change.has_vpn = self.vpns.open.is_some();
        if let Some(open) = &mut self.vpns.open {
            open.around = super::remote::Remote::NotAsked;
            (open.diagnosis, open.chosen) = (None, None);
            open.forget();
            open.waiting = verb.is_about_a_vpn().then_some(now);
        }
        self.read_vpns();
        // The lists of the other steps know of routers' VPN services, too.
        regions.retain(|id| self.new_vpn.region(id).is_some_and(|region| region.inventory.ready().is_some()));
        self.read_again(&regions);
    }

    pub(super) fn quit_change(&mut self) {
        let Some(change) = &self.vpns.change else { return };
        if change.then.is_some() {
            self.shell.say("It is stopping already, once the request under way is answered.");
        } else if change.is_working() {
            let mut buttons = vec![("Go on", Act::Close), ("Stop and keep", Act::StopAndKeep)];
            if change.direction == Direction::Forward && change.is_reversible() {
                buttons.push(("Stop and roll back", Act::StopAndRollBack));
            }
            self.shell.dialog = Some(Dialog::new("Stop?", self.stop_question().unwrap_or_default(), buttons));
        } else if change.is_unfinished() {
            let mut text = vec![how_far(change)];
            text.extend(change.command().map(|go_on| format!("It can be continued later: here, or with {go_on}.")));
            let mut buttons = vec![("Stay", Act::Close), ("Leave", Act::Leave)];
            if change.buttons().contains(&Button::TakeBack) {
                buttons.push(("Roll back", Act::RollBack));
            }
            self.shell.dialog = Some(Dialog::new("Leave?", text, buttons));
        } else {
            self.leave();
        }
    }

    /// Keeps the question whether to stop true while the change goes on below it.
    pub(super) fn stop_question(&self) -> Option<Vec<String>> {
        let mut text = self.vpns.change.as_ref().filter(|change| change.is_working()).map(stop_text)?;
        text.extend(match self.vpns.queue.len() {
            0 => None,
            1 => Some("The VPN after this one is then left as it is.".to_owned()),
            count => Some(format!("The {count} VPNs after this one are then left as they are.")),
        });
        Some(text)
    }
}

fn stop_text(change: &Carried) -> Vec<String> {
    let mut text = vec![
        "What is under way is settled first: a service is not left off, nor one half with another key.".to_owned(),
    ];
    if change.settling.is_some() {
        text = vec!["It is only waited for what a request whose answer was lost may still do.".to_owned()];
    }
    text.push(how_far(change));
    text
}

fn how_far(change: &Carried) -> String {
    let done = change.steps.iter().filter(|state| matches!(state, StepState::Done(..))).count();
    match (&change.stage, change.direction) {
        (Stage::Ended(Ok(Changed::Unsettled(..))), _) => {
            "An answer was lost, and the cloud may still act on that request.".to_owned()
        }
        (_, Direction::Back) => format!("{done} of {} steps are not rolled back yet.", change.steps.len()),
        (_, Direction::Forward) => format!("{done} of {} steps are done.", change.steps.len()),
    }
}
