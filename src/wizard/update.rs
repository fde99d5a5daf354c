//! One message at a time: what a key does now, and where every other message goes.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::dialog::{Act, Dialog};
use super::fields;
use super::keymap::{self, Action};
use super::remote::Remote;
use super::screen::{self, Screen};
use super::{Content, Effect, Ending, Message, Model, REVEALED, Start, progress};
use crate::engine::change::Direction;
use crate::plan::shell::osvpn;
use crate::sign_in::Login;

/// Changes the model by one message and says what has to be done about it.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let is_key = matches!(message, Message::Key(_));
    updated(model, message);
    model.ask_shared_keys();
    if model.revealed.is_some_and(|since| model.now.saturating_sub(since) >= REVEALED) {
        model.hide_keys();
    }
    model.attend(is_key);
    model.out.take()
}

fn updated(model: &mut Model, message: Message) {
    match message {
        Message::Key(event) if event.kind == KeyEventKind::Release => {}
        Message::Key(event) => key(model, &event),
        Message::Paste(_) if model.is_too_small() => {}
        Message::Paste(text) => {
            model.paste(&text);
        }
        Message::Resize(columns, rows) => {
            model.size = (columns, rows);
        }
        Message::Tick(now) => {
            model.now = model.now.max(now);
        }
        Message::SignedIn(request, result) => model.signed_in(request, result),
        Message::Discovered(region, request, result) => model.discovered(&region, request, result),
        Message::Detailed(region, request, result) => model.detailed(&region, request, result),
        Message::SharedKeysRead(request, keys) => model.shared_keys_read(request, keys),
        Message::Generated(psk) => {
            let is_revealed = model.answers.key.is_revealed;
            model.answers.key = fields::SecretText::generated(&psk);
            model.answers.key.is_revealed = is_revealed;
            model.say("A new key was made.");
        }
        Message::Engine(event) => {
            let now = model.now;
            if let Some(run) = &mut model.run {
                run.apply(event, now);
            }
            model.refresh_question();
        }
        Message::TakenUp(request, result) => model.taken_up(request, result),
        Message::Created(result, ledger) => model.created(result, ledger),
        Message::Watched(watched) => model.watched(watched),
        Message::Verified(examined) => {
            if let Some(run) = model.run.as_mut().filter(|run| run.verifying) {
                run.examined = Some(examined);
                run.verifying = false;
            }
        }
        Message::Undone(undone, ledger) => model.undone(undone, ledger),
        Message::Inspected(request, seen) => model.inspected(request, *seen),
        Message::Diagnosed(request, keys, exposures) => model.diagnosed(request, *keys, *exposures),
        Message::KeysCompared(request, keys) => model.keys_compared(request, keys),
        Message::Looked(request, result) => model.looked(request, result),
        Message::Carrying(event) => {
            model.carrying(event);
        }
        Message::Carried(ended, course) => model.change_carried(ended, *course),
        Message::NotBegun(why) => model.not_begun(why),
        Message::Saved(Ok(path)) => {
            let path = path.display();
            let apply = osvpn("apply").operand(&path);
            let way = if model.login == Login::Demo {
                format!("It names objects of the demo cloud; osvpn demo-cloud and {apply} use it.")
            } else {
                format!("Use it with: {apply}")
            };
            model.say(format!("Saved {path}, without the key. {way}"));
        }
        Message::Saved(Err(why)) => {
            model.warn(format!("The plan could not be saved: {why}"));
        }
        Message::Asked(question) => model.asked(question),
        Message::AskedEnough => {
            model.question = None;
        }
        Message::Copied { is_sent } => {
            model.copied(is_sent);
        }
        Message::Continued => {
            model.repaint = true;
            model.hide_keys();
            model.attention.begins_anew(model.now);
        }
        Message::Terminated => model.terminated(),
    }
}

fn key(model: &mut Model, event: &KeyEvent) {
    let is_alone = model.attention.hears(event, model.now);
    let action = keymap::action(model, event);
    model.notice = None;
    if model.is_too_small() {
        return unseen(model, event, action, is_alone);
    }
    if action == Some(Action::Accept)
        && let Some(why) = model.unmeant(is_alone)
    {
        model.warn(why);
    } else if let Some(action) = action {
        act(model, action)
    } else if model.question.is_some() {
        model.edit_question(event);
    } else {
        model.edit(event);
    }
}

/// Where nothing can be shown nothing is answered: it can only be asked to leave, and once more to do so.
fn unseen(model: &mut Model, event: &KeyEvent, action: Option<Action>, is_alone: bool) {
    let is_q = event.code == KeyCode::Char('q') && event.modifiers.is_empty() && is_alone;
    match action {
        Some(action @ (Action::Suspend | Action::Repaint)) => act(model, action),
        Some(Action::Quit) if model.question.is_some() => act(model, Action::Quit),
        _ if model.question.is_some() => {}
        _ if action == Some(Action::Quit) => model.quit_unseen(true),
        _ if is_q => model.quit_unseen(false),
        _ => {}
    }
}

fn act(model: &mut Model, action: Action) {
    match action {
        Action::Suspend => return model.out.push(Effect::Suspend),
        Action::Repaint => {
            model.repaint = true;
            return;
        }
        _ => {}
    }
    if model.question.is_some() {
        return model.question_action(action);
    }
    if model.dialog.is_some() {
        return model.dialog_action(action);
    }
    match action {
        Action::Quit => return model.quit(),
        Action::Help => {
            let warnings = model.session().map(|session| session.warnings.clone()).unwrap_or_default();
            let help =
                if model.session().is_some() { model.screen.help(model.answers.mode) } else { screen::SIGN_IN_HELP };
            let text = help.iter().map(|&line| line.to_owned()).chain(warnings).collect();
            let help = Dialog { is_help: true, ..Dialog::new("Help", text, vec![("Close", Act::Close)]) };
            model.dialog = Some(help);
            return;
        }
        _ => {}
    }
    match (&model.start, &model.content) {
        (Start::Problem(_), _) => model.problem_action(action),
        (Start::SigningIn { .. }, _) => match action {
            Action::Back => model.other_cloud(),
            _ => {}
        },
        (_, Content::List(_)) => model.picker_action(action),
        (_, Content::Form(_)) => model.form_action(action),
        (_, Content::Review(_)) => model.review_action(action),
        (_, Content::Run) => model.run_action(action),
        (_, Content::Vpn) => model.vpn_action(action),
        (_, Content::Change) => model.change_action(action),
    }
}

pub(super) fn scrolled(scroll: &mut u16, action: Action, page: isize, limit: u16) {
    let page = u16::try_from(page).unwrap_or(1);
    *scroll = match action {
        Action::Up => scroll.saturating_sub(1),
        Action::PageUp => scroll.saturating_sub(page),
        Action::Down => scroll.saturating_add(1),
        Action::PageDown => scroll.saturating_add(page),
        Action::First => 0,
        Action::Last => limit,
        _ => *scroll,
    }
    .min(limit);
}

impl Model {
    fn dialog_action(&mut self, action: Action) {
        let page = self.page();
        let Some(dialog) = &mut self.dialog else { return };
        match action {
            Action::Right => dialog.turn(true),
            Action::Left => dialog.turn(false),
            Action::Down | Action::PageDown | Action::Up | Action::PageUp | Action::First | Action::Last => {
                scrolled(&mut dialog.scroll, action, page, self.scroll_limit);
            }
            Action::Back | Action::Help => return self.close_dialog(),
            Action::Accept => {
                let act = dialog.act();
                self.dialog = None;
                return self.dialog_act(act);
            }
            // Asking to leave once more, with the question already on the screen, means it.
            Action::Quit if dialog.has(Act::Leave) => {
                return self.dialog_act(Act::Leave);
            }
            Action::Quit if dialog.buttons.len() <= 1 => return self.close_dialog(),
            _ => {}
        }
    }

    fn close_dialog(&mut self) {
        self.dialog = None;
        self.cancel_taking_up();
        self.offer_next_change();
        // What was wanted before may have become known behind it.
        match self.vpns.wish {
            Some(_) if !matches!(self.vpns.keys, Remote::NotAsked) => self.grant(),
            Some(wish) if self.dialog.is_none() => self.wish(wish),
            _ => {}
        }
    }

    fn dialog_act(&mut self, act: Act) {
        match act {
            Act::Close => self.close_dialog(),
            Act::Leave => {
                self.dialog = None;
                let is_after = self.run.is_some() || self.vpns.change.is_some();
                self.ending = Some(if is_after { Ending::AfterRun } else { Ending::Left });
            }
            Act::StopAndKeep => self.stop(progress::Then::Leave),
            Act::StopAndUndo => self.stop(progress::Then::Undo),
            Act::Undo => self.undo(),
            Act::FinishRun => self.take_up(Direction::Forward),
            Act::UndoRun => self.take_up(Direction::Back),
            Act::ForgetRun => self.forget_run(),
            Act::Carry => self.carry(),
            Act::Rather(wish) => self.rather(wish),
            Act::OwnKey => {
                self.enter(Screen::NewKey);
            }
            Act::TakeBack => self.take_change_back(),
            Act::GoOnWithChange(direction) => self.go_on_with_change(direction),
        }
    }

    /// Says what became of the text for the clipboard. No terminal tells whether it took it.
    fn copied(&mut self, is_sent: bool) {
        let what = if is_sent {
            "Sent to the terminal, which may put it on the clipboard"
        } else {
            "This terminal has no clipboard"
        };
        let otherwise = match &self.vpns.open {
            Some(open) if self.screen == Screen::Vpn => {
                format!("{} prints it too", osvpn("status --json").operand(&open.handle))
            }
            _ => "it is also printed when you leave".to_owned(),
        };
        self.say(format!("{what}; {otherwise}."));
    }

    /// What leads out where nothing can be shown, for the one line that can.
    #[must_use]
    pub fn way_out_unseen(&self) -> Option<&'static str> {
        let dialog = self.dialog.as_ref();
        if self.question.is_some() {
            Some("Ctrl-C puts it off")
        } else if dialog?.has(Act::StopAndKeep) {
            Some("Ctrl-C again stops and keeps")
        } else if dialog?.has(Act::Leave) {
            Some("q again leaves")
        } else {
            Some("q puts it off and leads out")
        }
    }

    /// Asks to leave where nothing can be shown. With that question on the screen it means it: what is at work is stopped
    /// and kept, by Ctrl-C alone. Whatever else is asked is put off.
    fn quit_unseen(&mut self, is_control: bool) {
        match &self.dialog {
            Some(dialog) if dialog.has(Act::StopAndKeep) => {
                if !is_control {
                    return;
                }
                self.dialog = None;
                self.dialog_act(Act::StopAndKeep)
            }
            Some(dialog) if dialog.has(Act::Leave) => self.dialog_act(Act::Leave),
            _ => {
                self.dialog = None;
                self.cancel_taking_up();
                self.quit()
            }
        }
    }

    pub(super) fn quit(&mut self) {
        if self.run.is_some() {
            return self.quit_run();
        }
        if matches!(self.start, Start::Problem(_) | Start::SigningIn { .. } | Start::Choosing) {
            self.ending = Some(Ending::Left);
            return;
        }
        if matches!(self.screen, Screen::Change | Screen::MissingKey) {
            return self.quit_change();
        }
        if self.screen.is_upkeep() {
            let is_after = self.vpns.change.is_some();
            self.ending = Some(if is_after { Ending::AfterRun } else { Ending::Left });
            return;
        }
        let made =
            if self.vpns.change.is_some() { "What was changed stays." } else { "Nothing has been made in the cloud." };
        let text = vec![format!("{made} Your answers are lost.")];
        self.dialog = Some(Dialog::new("Leave?", text, vec![("Stay", Act::Close), ("Leave", Act::Leave)]));
    }
}
