//! The wizard while the engine is at work and when it rests.

use super::dialog::{Act, Dialog};
use super::keymap::Action;
use super::progress::{Button, Phase, Progress, Then};
use super::screen::Screen;
use super::shell::beside;
use super::{Effect, Model};
use crate::engine::{CreateError, Ledger, Made, Undone, Watched};
use crate::plan::{Plan, Profile};

impl Model {
    pub(super) fn run_action(&mut self, action: Action) {
        let Some(run) = &mut self.run else { return };
        let count = run.buttons().len();
        match action {
            Action::Right => run.focus = beside(run.focus, count, true),
            Action::Left => run.focus = beside(run.focus, count, false),
            Action::Copy => {
                let text = run.ids_text();
                if text.is_empty() {
                    self.shell.warn("Nothing exists yet.");
                    return;
                }
                return self.shell.out.push(Effect::Copy(text));
            }
            Action::Accept => {
                if let Some(button) = run.buttons().get(run.focus).copied() {
                    return self.press(button);
                }
            }
            _ => self.shell.scroll_by(action),
        }
    }

    fn press(&mut self, button: Button) {
        let now = self.shell.now;
        let Some(run) = &mut self.run else { return };
        match button {
            Button::Finish | Button::Leave => {
                self.leave();
            }
            Button::Retry => {
                run.resume(Phase::Creating, now);
                self.create()
            }
            Button::Modern => {
                run.modernize(&self.new_vpn.profiles);
                run.resume(Phase::Creating, now);
                self.new_vpn.answers.profile = Some(Profile::Modern);
                self.create()
            }
            Button::WaitOn => {
                run.resume(Phase::Watching, now);
                self.watch();
            }
            Button::Undo => {
                self.ask_undo();
            }
            Button::Revise => {
                self.run = None;
                self.enter(Screen::Review);
                // What was read before is from before the run.
                self.read_chosen_again();
            }
        }
    }

    fn create(&mut self) {
        let key = self.new_vpn.answers.key.key_origin();
        self.planned(|run, plan| Effect::Create(Box::new(plan), run.ledger.clone(), key))
    }

    fn watch(&mut self) {
        self.planned(|run, plan| Effect::Watch(Box::new(plan), run.ledger.clone(), run.wait))
    }

    /// Only what has a plan is made, watched and checked.
    fn planned(&mut self, effect: impl FnOnce(&Progress, Plan) -> Effect) {
        let planned = self.run.as_ref().and_then(|run| Some((run, run.plan.clone()?)));
        if let Some((run, plan)) = planned {
            self.shell.out.push(effect(run, plan));
        }
    }

    fn ask_undo(&mut self) {
        let Some(run) = &self.run else { return };
        let mut text = undo_text(run);
        if run.phase == Phase::Active {
            text.insert(0, "The VPN is ACTIVE. Traffic that uses it stops.".to_owned());
        }
        self.shell.dialog = Some(Dialog::new("Undo?", text, vec![("Keep", Act::Close), ("Undo", Act::RollBack)]));
    }

    fn undo(&mut self) {
        let now = self.shell.now;
        self.shell.scroll = 0;
        let Some(run) = &mut self.run else { return };
        run.resume(Phase::Undoing, now);
        self.shell.out.push(Effect::Undo(run.marks.clone(), run.ledger.clone()));
    }

    /// Rolls back what rests: the creation, else the change.
    pub(super) fn roll_back(&mut self) {
        if self.run.is_some() { self.undo() } else { self.take_change_back() }
    }

    pub(super) fn quit_run(&mut self) {
        let Some(run) = &self.run else { return };
        if run.then.is_some() {
            self.shell.say("It is stopping already, once the request under way is answered.");
        } else if run.is_working() {
            let undoing = run.phase == Phase::Undoing;
            let mut buttons = vec![("Go on", Act::Close), ("Stop and keep", Act::StopAndKeep)];
            if !undoing {
                buttons.push(("Stop and undo", Act::StopAndRollBack));
            }
            self.shell.dialog = Some(Dialog::new("Stop?", stop_text(run), buttons));
        } else if matches!(run.phase, Phase::Failed(..) | Phase::Left(_)) && !run.ledger.is_clean() {
            let mut text = what_exists(run);
            text.push("Leaving keeps it; its ids are printed.".to_owned());
            self.shell.dialog = Some(Dialog::new(
                "Leave?",
                text,
                vec![("Stay", Act::Close), ("Leave", Act::Leave), ("Undo", Act::RollBack)],
            ));
        } else {
            self.leave();
        }
    }

    pub(super) fn stop(&mut self, then: Then) {
        if let Some(change) = self.vpns.change.as_mut().filter(|change| change.is_working()) {
            change.then = Some(then);
            return self.shell.out.push(Effect::Stop);
        }
        let Some(run) = &mut self.run else { return };
        if run.is_working() {
            run.then = Some(then);
            return self.shell.out.push(Effect::Stop);
        }
        // It came to rest while the question was on the screen.
        match then {
            Then::Leave => {
                self.leave();
            }
            Then::RollBack => self.undo(),
        }
    }

    /// Keeps an open question whether to stop true while the run goes on below it. Once it rests there is nothing to stop;
    /// a key on its way must not press a button that has appeared instead, so something stays to be closed.
    pub(super) fn refresh_question(&mut self) {
        let text = self.run.as_ref().filter(|run| run.is_working()).map(stop_text).or_else(|| self.stop_question());
        let Some(dialog) = &mut self.shell.dialog else { return };
        if !dialog.has(Act::StopAndKeep) {
            return;
        }
        if let Some(text) = text {
            dialog.text = text;
        } else {
            let text = vec!["It has come to rest meanwhile; nothing was stopped.".to_owned()];
            *dialog = Dialog::new("Nothing to stop", text, vec![("See what came of it", Act::Close)]);
        }
    }

    pub(super) fn created(&mut self, result: Result<(), CreateError>, ledger: Ledger) {
        let now = self.shell.now;
        let Some(run) = &mut self.run else { return };
        let watches = run.created(result, ledger, now);
        self.shell.scroll = 0;
        self.refresh_question();
        let Some(run) = &self.run else { return };
        if run.then.is_some() {
            return self.carry_on();
        }
        if watches {
            self.watch();
        }
    }

    pub(super) fn watched(&mut self, watched: Watched) {
        let now = self.shell.now;
        let Some(run) = &mut self.run else { return };
        run.watched(watched, now);
        self.shell.scroll = 0;
        self.refresh_question();
        let Some(run) = &mut self.run else { return };
        if run.then.is_some() {
            return self.carry_on();
        }
        // ACTIVE is no proof, and DOWN no answer.
        if matches!(run.phase, Phase::NotYet(_) | Phase::Active) {
            run.verifying = true;
            return self.shell.out.push(Effect::Verify(run.marks.vpn.clone()));
        }
    }

    pub(super) fn undone(&mut self, undone: Undone, ledger: Ledger) {
        let now = self.shell.now;
        let Some(run) = &mut self.run else { return };
        run.undone(undone, ledger, now);
        self.shell.scroll = 0;
        self.refresh_question();
        let Some(run) = &self.run else { return };
        if run.then.is_some() {
            self.carry_on();
        }
    }

    /// Does what the user asked for while the engine was still at work.
    fn carry_on(&mut self) {
        let Some(run) = &mut self.run else { return };
        // A question about a run that has come to rest is answered by it.
        self.shell.dialog = None;
        match run.then.take() {
            // What was to be undone was not up yet when that was said.
            Some(Then::RollBack) if run.phase == Phase::Active => {
                self.ask_undo();
            }
            Some(Then::RollBack) => self.undo(),
            Some(Then::Leave) => {
                if run.phase == Phase::Watching {
                    run.phase = Phase::Stopped;
                }
                self.leave();
            }
            None => {}
        }
    }
}

fn stop_text(run: &Progress) -> Vec<String> {
    let mut text = vec!["What is under way is settled first.".to_owned()];
    text.extend(what_exists(run));
    text
}

fn what_exists(run: &Progress) -> Vec<String> {
    let ours = run.ledger.removable();
    if ours.is_empty() {
        return vec!["Nothing of this VPN exists yet.".to_owned()];
    }
    let mut lines = vec!["By now there are:".to_owned()];
    lines.extend(ours.iter().map(object));
    lines
}

/// As every question names an object: by name and id.
fn object(made: &Made) -> String {
    format!("  {} {} {} ({})", made.region, made.task.step.label(), made.name, made.id)
}

fn undo_text(run: &Progress) -> Vec<String> {
    if run.ledger.removable().is_empty() {
        return vec!["This looks for what lost requests have made by now, and deletes it.".to_owned()];
    }
    let mut lines = vec!["This deletes what this run made, and nothing else:".to_owned()];
    lines.extend(run.ledger.removable().iter().map(object));
    lines
}
