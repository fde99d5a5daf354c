//! One message at a time: what a key does now, and where every other message goes.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::dialog::{Act, Dialog, DialogSubject};
use super::keymap::{self, Action};
use super::screen::Screen;
use super::secret_text::SecretText;
use super::vpns::{Lead, Surroundings, YourVpns};
use super::work::Then;
use super::{Content, Effect, Message, Model, Start};
use crate::plan::shell::osvpn;
use crate::sign_in::Login;

/// Changes the model by one message and says what has to be done about it.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let is_key = matches!(message, Message::Key(_) | Message::Gesture(_));
    updated(model, message);
    model.leave_region_without_vpn();
    if !is_key {
        model.act_on_kept_enter();
    }
    model.new_vpn.ask_interfaces(&mut model.shell, model.screen, &model.content);
    if model.screen == Screen::Mode && model.new_vpn.is_all_read() {
        model.vpns.compare_keys_once(&model.new_vpn.proposals.vpns, &mut model.shell);
    }
    model.new_vpn.ask_shared_keys(&mut model.shell, &model.content);
    model.shell.hide_old_keys();
    if !model.shell.is_revealed() {
        model.sheet.hide_key();
    }
    model.write_sheet_of_work();
    model.attend(is_key);
    model.ring_when_over();
    model.shell.out.take()
}

fn updated(model: &mut Model, message: Message) {
    match message {
        Message::Key(event) if event.kind == KeyEventKind::Release => {}
        Message::Key(event) => key(model, &event),
        Message::Gesture(gesture) => model.gesture(gesture),
        Message::Paste(_) if model.shell.is_too_small() => {}
        Message::Paste(text) => model.paste(&text),
        Message::Resize(columns, rows) => model.shell.size = (columns, rows),
        Message::Overflow(lines) => model.shell.overflow = lines,
        Message::Tick(now) => model.shell.now = model.shell.now.max(now),
        Message::SignedIn(request, result) => model.signed_in(request, result),
        Message::Warned(request, warning) => model.warned(request, warning),
        Message::RegionsDescribed(request, descriptions) => model.regions_described(request, descriptions),
        Message::Discovered(region, request, result) => {
            model.take_answer(|vpn| vpn.discovered(&region, request, result));
        }
        Message::DiscoveredInPart(region, request, part) => model.discovered_in_part(&region, request, *part),
        Message::InterfacesRead(region, request, result) => {
            model.take_answer(|vpn| vpn.interfaces_read(&region, request, result));
        }
        Message::Detailed(region, request, result) => model.take_answer(|vpn| vpn.detailed(&region, request, result)),
        Message::SharedKeysRead(request, keys) => model.take_answer(|vpn| vpn.shared_keys_read(request, keys)),
        Message::Generated(psk) => {
            model.new_vpn.answers.key = SecretText::generated(&psk);
            model.new_vpn.offered = psk;
            model.shell.say("A new key was generated.");
        }
        Message::Drawn(id, psk) => model.new_vpn.drawn(id, psk),
        Message::Event(event) => model.work.event(event, &mut model.shell),
        Message::Resumed(request, result) => model.resumed(request, result),
        Message::Rested(result, course) => model.rested(result, *course),
        Message::Watched(watched) => model.watched(watched),
        Message::Verified(examined) => model.work.verified(examined),
        Message::Vpns(message) => model.of_vpns(|vpns, wizard| vpns.update(message, wizard)),
        Message::NotBegun(why) => model.work.not_begun(why, &mut model.shell),
        Message::Saved(Ok(path)) => {
            let path = path.display();
            let apply = osvpn("apply").operand(&path);
            let way = if model.shell.login == Login::Demo {
                format!("It names objects of the demo cloud; osvpn demo-cloud and {apply} use it.")
            } else {
                format!("Use it with: {apply}")
            };
            model.shell.say(format!("Saved {path}, without the key. {way}"));
        }
        Message::Saved(Err(why)) => model.shell.warn(format!("The plan could not be saved: {why}")),
        Message::KeySaved(Ok(path)) => {
            let path = path.display();
            model
                .shell
                .say(format!("The key is in {path}, which only you can read. Delete it once the peer has the key."));
        }
        Message::KeySaved(Err(why)) => model.shell.warn(format!("The key could not be saved: {why}")),
        Message::Exchanged(exchange) => model.shell.exchanged(exchange),
        Message::KeyRead(request, key) => model.key_read(request, key),
        Message::SheetWritten(written) => model.sheet_written(written),
        Message::Asked(question) => model.shell.asked(question),
        Message::QuestionOver => model.shell.question = None,
        Message::Paused(region, pause) => model.shell.say(format!("{region}: {pause}")),
        Message::Copied { is_sent } => model.copied(is_sent),
        Message::Continued => {
            model.shell.repaint = true;
            model.shell.hide_keys();
            model.shell.clicked = None;
            model.shell.attention.begins_anew(model.shell.now);
        }
        Message::Terminated => model.terminated(),
    }
}

fn key(model: &mut Model, event: &KeyEvent) {
    let is_alone = model.shell.attention.hears(event, model.shell.now);
    let action = keymap::action(model, event);
    model.shell.clicked = None;
    model.shell.notice = None;
    model.kept_enter = None;
    if model.shell.is_too_small() {
        return unseen(model, event, action, is_alone);
    }
    if let Some(action @ (Action::Accept | Action::Press(_))) = action {
        accept(model, action, is_alone);
    } else if let Some(action) = action {
        act(model, action);
    } else if model.shell.question.is_some() {
        model.shell.edit_question(event);
    } else {
        model.edit(event);
    }
}

pub(super) fn accept(model: &mut Model, action: Action, is_alone: bool) {
    match model.unmeant(action, is_alone) {
        // A terminal that does not mark what it pastes sends its lines as they are typed.
        _ if !is_alone && model.takes_lines() => model.new_vpn.pasted.append_lines("\n"),
        Some(why) => model.shell.warn(why),
        None => act(model, action),
    }
}

/// Where nothing can be seen, nothing is answered: Ctrl-C and a q pressed by itself lead out, and keep everything.
fn unseen(model: &mut Model, event: &KeyEvent, action: Option<Action>, is_alone: bool) {
    let is_q = event.code == KeyCode::Char('q') && event.modifiers.is_empty() && is_alone;
    match action {
        Some(action @ (Action::Suspend | Action::Repaint)) => act(model, action),
        Some(Action::Quit) if model.shell.question.is_some() => act(model, Action::Quit),
        _ if model.shell.question.is_some() => {}
        _ if action == Some(Action::Quit) => model.quit_unseen(true),
        _ if is_q => model.quit_unseen(false),
        _ => {}
    }
}

pub(super) fn act(model: &mut Model, action: Action) {
    match action {
        Action::Suspend => return model.shell.out.push(Effect::Suspend),
        Action::Repaint => return model.shell.repaint = true,
        _ => {}
    }
    if model.shell.question.is_some() {
        return model.shell.question_action(action);
    }
    if model.shell.dialog.is_some() {
        return model.dialog_action(action);
    }
    match action {
        // With nothing answered and nothing done there is nothing to lose.
        Action::Quit if model.is_untouched() => return model.leave(),
        Action::Quit => return model.quit(),
        Action::Help => return model.show_help(),
        Action::ShowRequests => return model.shell.show_requests(),
        // Reading on does not cancel what is awaited.
        Action::Up | Action::Down | Action::PageUp | Action::PageDown if model.screen == Screen::Vpn => {}
        _ => model.vpns.drop_intent(),
    }
    match (&model.shell.start, &model.content) {
        (Start::Problem(_), _) => model.problem_action(action),
        (_, Content::List(_)) => model.picker_action(action),
        (_, Content::Form(_)) => model.form_action(action),
        (_, Content::Review(_)) => model.review_action(action),
        (_, Content::None) => match model.screen {
            Screen::Work => model.work_action(action),
            Screen::Sheet => model.sheet_action(action),
            Screen::Vpn if model.wants_sheet(action) => model.open_sheet_of_vpn(),
            _ => model.of_vpns(|vpns, wizard| vpns.act(action, wizard)),
        },
    }
}

impl Model {
    /// Has the VPNs handle something, and goes where that leads.
    pub(super) fn of_vpns(&mut self, handle: impl FnOnce(&mut YourVpns, &mut Surroundings<'_>)) {
        let mut wizard = Surroundings {
            shell: &mut self.shell,
            work: &mut self.work,
            profiles: &self.new_vpn.profiles,
            screen: self.screen,
            lead: Lead::Stay,
        };
        handle(&mut self.vpns, &mut wizard);
        match wizard.lead {
            Lead::Stay => {}
            Lead::Refresh => self.refresh(),
            Lead::To(screen) => self.enter(screen),
            Lead::Back => self.back(),
        }
    }

    fn show_help(&mut self) {
        let warnings = self.shell.session().map(|session| session.warnings.clone()).unwrap_or_default();
        let text = self.help().iter().map(|&line| line.to_owned()).chain(warnings).collect();
        let help = Dialog { is_help: true, ..Dialog::new("Help", text, vec![("Close", Act::Close)]) };
        self.shell.dialog = Some(help);
    }

    fn dialog_action(&mut self, action: Action) {
        let Some(dialog) = &mut self.shell.dialog else { return };
        match action {
            Action::Right => dialog.turn(true),
            Action::Left => dialog.turn(false),
            // What is being read is cancelled by Esc alone.
            Action::Accept if dialog.buttons.is_empty() => {}
            Action::Accept | Action::Press(_) => {
                if let Action::Press(at) = action {
                    dialog.focus = at;
                }
                if let Some(lacks) = dialog.lacks() {
                    return self.shell.warn(lacks);
                }
                let act = dialog.act();
                if act == Act::Copy {
                    return self.shell.out.push(Effect::Copy(dialog.text.join("\n").into()));
                }
                let about = std::mem::replace(&mut dialog.about, DialogSubject::Screen);
                self.shell.dialog = None;
                self.dialog_act(act, about);
            }
            // Asking once more, with the question already on the screen, means it.
            Action::Quit if dialog.has(Act::Leave) => self.leave(),
            Action::Quit if dialog.has(Act::StopAndKeep) => {
                self.shell.dialog = None;
                self.stop(Then::Leave);
            }
            Action::Back | Action::Help => self.close_dialog(),
            Action::Quit => {
                let is_question = dialog.buttons.iter().any(|button| !button.act.is_harmless());
                self.close_dialog();
                if is_question && self.shell.dialog.is_none() && self.shell.notice.is_none() {
                    self.shell.say("The question is closed; nothing was changed.");
                }
            }
            _ => self.shell.scroll_by(action),
        }
    }

    fn close_dialog(&mut self) {
        self.put_off();
        self.vpns.offer_next(&mut self.shell);
        self.of_vpns(YourVpns::take_up_intent);
    }

    fn put_off(&mut self) {
        if let Some(DialogSubject::Reading(_, direction, _)) = self.shell.dialog.take().map(|dialog| dialog.about) {
            self.shell.cancel_resuming(direction);
        }
    }

    fn dialog_act(&mut self, act: Act, about: DialogSubject) {
        match (act, about) {
            (Act::Leave, _) => self.leave(),
            (Act::StopAndKeep, _) => self.stop(Then::Leave),
            (Act::StopAndRollBack, _) => self.stop(Then::RollBack),
            (Act::RollBack, _) => self.roll_back(),
            (Act::Resume(direction), DialogSubject::Interrupted(interrupted)) => self.resume(interrupted, direction),
            (Act::Forget, DialogSubject::Interrupted(creation)) => {
                self.of_vpns(|vpns, wizard| vpns.forget(&creation, wizard));
                if self.screen == Screen::Mode {
                    self.refresh_list();
                }
            }
            (Act::Confirm, DialogSubject::Proposals(proposals)) => self.agreed(proposals),
            (Act::Instead(intent), _) => self.of_vpns(|vpns, wizard| vpns.propose_instead(intent, wizard)),
            (Act::OwnKey, _) => self.enter(Screen::NewKey),
            (Act::Close | Act::Copy | Act::Resume(_) | Act::Forget | Act::Confirm, _) => self.close_dialog(),
        }
    }

    /// Says what has become of the ids, and where else they can be had.
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
            _ if self.screen == Screen::Sheet => {
                self.sheet.command().map(|command| format!("{command} prints it too")).unwrap_or_default()
            }
            _ if self.screen == Screen::Review => "s saves the plan as a file".to_owned(),
            _ => "osvpn --verbose prints it when you leave".to_owned(),
        };
        self.shell.say(format!("{what}; {otherwise}."));
    }

    /// What q and Ctrl-C do while the terminal is too small to show anything.
    pub fn way_out_unseen(&self) -> Option<&'static str> {
        let dialog = self.shell.dialog.as_ref();
        if self.shell.question.is_some() {
            Some("Ctrl-C puts it off")
        } else if dialog?.has(Act::StopAndKeep) {
            Some("Ctrl-C again stops and keeps")
        } else if dialog?.has(Act::Leave) {
            Some("q again leaves")
        } else {
            Some("q puts it off and leads out")
        }
    }

    /// Only Ctrl-C stops what is in progress: a q may be text that was meant for a field.
    fn quit_unseen(&mut self, is_control: bool) {
        match &self.shell.dialog {
            Some(dialog) if dialog.has(Act::StopAndKeep) => {
                if is_control {
                    self.shell.dialog = None;
                    self.stop(Then::Leave);
                }
            }
            Some(dialog) if dialog.has(Act::Leave) => self.leave(),
            _ => {
                self.put_off();
                self.quit();
            }
        }
    }

    pub(super) fn leave(&mut self) {
        self.work.leave(&mut self.shell);
    }

    fn is_untouched(&self) -> bool {
        let has_done = self.work.earlier_creations().next().is_some() || self.work.changes().next().is_some();
        self.screen == Screen::Mode && self.new_vpn.begun_with.is_none() && !has_done
    }

    /// Leaves, or asks first where something would be lost.
    pub(super) fn quit(&mut self) {
        let is_of_work =
            matches!(self.screen, Screen::Sheet | Screen::SheetFormat) && self.sheet.from() == Some(Screen::Work);
        if is_of_work || matches!(self.screen, Screen::Work | Screen::MissingKey) {
            return self.work.quit(&mut self.shell);
        }
        if self.shell.session().is_none() || self.screen.is_of_existing() {
            return self.leave();
        }
        let kept = if self.work.earlier_creations().next().is_some() {
            "What was created stays."
        } else if self.work.changes().next().is_some() {
            "What was changed stays."
        } else {
            "Nothing has been created in the cloud."
        };
        let has_answers = self.screen != Screen::Mode || self.new_vpn.begun_with.is_some();
        let lost = if has_answers { " Your answers are lost." } else { "" };
        let text = vec![format!("{kept}{lost}")];
        self.shell.dialog = Some(Dialog::new("Leave osvpn?", text, vec![("Stay", Act::Close), ("Leave", Act::Leave)]));
    }
}
