//! Creations and changes that were interrupted: offered right after the sign-in, before anything is asked, and in the list
//! of VPNs.

use itertools::Itertools;

use super::dialog::{Act, Dialog, DialogSubject};
use super::message::{Overview, ResumedCreation, Which};
use super::remote::{Remote, RequestId};
use super::screen::Screen;
use super::shell::{Shell, Start};
use super::vpns::{Surroundings, YourVpns};
use super::work::Work;
use super::{Effect, Model};
use crate::change::Subject;
use crate::engine::Direction;
use crate::engine::interruption::{Interruption, State};
use crate::plan::shell::osvpn;

impl YourVpns {
    /// Offers what the session found: the latest creation, then each change.
    pub(super) fn offer_at_start(&mut self, shell: &mut Shell) {
        let Some(session) = shell.session() else { return };
        let (creations, changes): (Vec<_>, Vec<_>) =
            session.interruptions.iter().cloned().partition(Interruption::is_creation);
        self.offers = changes;
        let [latest, others @ ..] = creations.as_slice() else { return self.offer_next(shell) };
        let also = (!others.is_empty()).then(|| {
            let others = others.iter().map(|other| format!("{} ({})", other.name(), other.vpn())).join(", ");
            format!("Also interrupted: {others}. Your VPNs lists them; osvpn resume ID resumes one.")
        });
        shell.offer_creation(latest, also);
    }

    /// Offers the next change that was interrupted, once nothing else is asked.
    pub(super) fn offer_next(&mut self, shell: &mut Shell) {
        if shell.dialog.is_none() && !self.offers.is_empty() {
            let next = self.offers.remove(0);
            shell.ask_about(next);
        }
    }

    pub(super) fn offer_listed_creation(&self, id: &str, shell: &mut Shell) {
        let is_free = |one: &&Interruption| one.vpn().to_string() == id && one.state != State::Running;
        let listed = self.seen().into_iter().flat_map(Overview::creations);
        let at_start = shell.session().into_iter().flat_map(|session| &session.interruptions);
        let chosen = listed.chain(at_start).find(is_free).cloned();
        if let Some(chosen) = chosen {
            shell.offer_creation(&chosen, None);
        }
    }

    pub(super) fn forget(&mut self, creation: &Interruption, wizard: &mut Surroundings<'_>) {
        wizard.shell.no_longer_interrupted(creation.vpn());
        wizard.shell.say(format!("{} is forgotten here; what exists of it stays in the cloud.", creation.name()));
        self.offer_next(wizard.shell);
        wizard.shell.out.push(Effect::Forget(creation.journal.clone()));
        if wizard.screen == Screen::Vpns {
            // What exists of it is unused now.
            self.read(wizard.shell);
        }
    }
}

impl Shell {
    /// Offers to resume a change, or to roll it back.
    pub(super) fn ask_about(&mut self, interrupted: Interruption) {
        let (course, ends) = (&interrupted.course, interrupted.course.ends());
        let done = ends.iter().flatten().count();
        let mut text = vec![format!("Begun {}; {done} of {} steps are done.", interrupted.began(), ends.len())];
        let steps = course.change.steps().iter().zip(&ends);
        text.extend(steps.map(|(step, end)| format!("  {} {step:.0}", if end.is_some() { "done:" } else { "open:" })));
        let mut buttons = vec![("Resume", Act::Resume(Direction::Forward))];
        if course.is_reversible() {
            buttons.push(("Roll back", Act::Resume(Direction::Back)));
        }
        if interrupted.direction == Direction::Back && course.is_reversible() {
            text.push("It was being rolled back.".to_owned());
            buttons.reverse();
        }
        buttons.push(("Later", Act::Close));
        let dialog = Dialog::new(format!("Interrupted: {}", course.change), text, buttons).wide();
        self.dialog = Some(dialog.about(DialogSubject::Interrupted(Box::new(interrupted))));
    }

    fn offer_creation(&mut self, creation: &Interruption, also: Option<String>) {
        let ways = "Resume keeps what exists, creates the rest and waits for ACTIVE. Roll back deletes what was created, and \
                    nothing else. Forget leaves everything as it is and asks no more.";
        let text = [format!("Begun {}; {}.", creation.began(), creation.objects())];
        let text = text.into_iter().chain(also).chain([ways.to_owned()]).collect();
        let buttons = vec![
            ("Resume", Act::Resume(Direction::Forward)),
            ("Roll back", Act::Resume(Direction::Back)),
            ("Later", Act::Close),
            ("Forget", Act::Forget),
        ];
        let dialog = Dialog::new(format!("Creating {} was interrupted", creation.name()), text, buttons);
        self.dialog = Some(dialog.about(DialogSubject::Interrupted(Box::new(creation.clone()))));
    }

    /// It is made, rolled back or forgotten.
    pub(super) fn no_longer_interrupted(&mut self, vpn: &Subject) {
        if let Start::Ready(session) = &mut self.start {
            session.interruptions.retain(|one| one.vpn() != vpn);
        }
    }

    /// What is read for a creation that is not resumed after all is let go when it comes.
    pub(super) fn cancel_resuming(&mut self, direction: Direction) {
        let what = if direction == Direction::Back { "rolled back" } else { "resumed" };
        self.say(format!("Cancelled: nothing was {what}. Your VPNs lists what was interrupted."));
    }
}

impl Model {
    pub(super) fn resume(&mut self, interrupted: Box<Interruption>, direction: Direction) {
        self.vpns.offers.clear();
        if !interrupted.is_creation() {
            let Interruption { journal, course, .. } = *interrupted;
            return self.begin_change(course, Vec::new(), Which::Journal(journal), direction);
        }
        let request = self.shell.out.request();
        self.shell.out.push(Effect::Resume(request, interrupted.journal.clone(), direction));
        let key = self.shell.way("Esc", "b");
        let text = vec![format!("Reading what there is of {}. {key} cancels.", interrupted.name())];
        // It comes without being asked for, so no Enter closes it.
        let dialog = Dialog::new("One moment", text, Vec::<(String, Act)>::new());
        self.shell.dialog = Some(dialog.about(DialogSubject::Reading(request, direction, interrupted)));
    }

    pub(super) fn resumed(&mut self, request: RequestId, result: Result<Box<ResumedCreation>, Vec<String>>) {
        let is_awaited =
            |dialog: &mut Dialog| matches!(dialog.about, DialogSubject::Reading(awaited, ..) if awaited == request);
        let dialog = self.shell.dialog.take_if(is_awaited);
        let Some(DialogSubject::Reading(_, direction, creation)) = dialog.map(|dialog| dialog.about) else {
            return self.shell.out.push(Effect::Release(request));
        };
        match result {
            Ok(taken) => self.run_again(*taken, request, direction),
            Err(mut text) => {
                let id = creation.vpn();
                text.push(format!(
                    "Without the wizard: {} (--psk-file PATH gives it a key), or {}.",
                    osvpn("resume").operand(id),
                    osvpn("rollback").operand(id)
                ));
                let what = if direction == Direction::Back { "rolled back" } else { "resumed" };
                let title = format!("It cannot be {what}");
                self.shell.dialog = Some(Dialog::new(title, text, vec![("Close", Act::Close)]));
            }
        }
    }

    fn run_again(&mut self, taken: ResumedCreation, request: RequestId, direction: Direction) {
        // The list tells of it until it is read again.
        self.vpns.seen = Remote::NotAsked;
        let ResumedCreation { plan, course, key } = taken;
        if let Some(plan) = &plan {
            self.new_vpn.id = plan.id().clone();
            self.new_vpn.answers.answer_as(plan, key, direction);
        }
        self.shell.out.push(Effect::GoOn(request));
        let work = Work { key, ..Work::create(plan, course, direction, self.shell.now, self.shell.wait) };
        self.begin_work(work, Effect::Work(Which::Present(None), direction.into()));
    }
}
