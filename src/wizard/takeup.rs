//! Creations that were interrupted: offered right after the sign-in, before anything is asked, and in the list of VPNs.

use itertools::Itertools;
use tui_input::Input;

use super::dialog::{Act, Dialog};
use super::message::{TakenUp, Unfinished};
use super::progress::Progress;
use super::remote::{Remote, RequestId};
use super::screen::{Mode, Screen};
use super::secret_text::SecretText;
use super::{Effect, Model};
use crate::engine::change::Direction;
use crate::engine::handover::KeyOrigin;
use crate::plan::shell::osvpn;
use crate::plan::{Far, Plan, Profile};

impl Model {
    /// Asks what to do with the latest creation that was interrupted, if there is one.
    pub(super) fn offer_unfinished(&mut self) {
        let unfinished = self.shell.session().map_or(&[][..], |session| &session.unfinished);
        let [latest, others @ ..] = unfinished else { return };
        let latest = latest.clone();
        let also = (!others.is_empty()).then(|| {
            let others = others.iter().map(|other| format!("{} ({})", other.name, other.id())).join(", ");
            format!("Also interrupted: {others}. Your VPNs lists them; osvpn resume ID resumes one.")
        });
        self.ask_about(latest, also);
    }

    /// Asks what to do with an interrupted creation of the list.
    pub(super) fn offer_creation(&mut self, id: &str) {
        let creations = self.vpns.seen().map_or(&[][..], |seen| &seen.creations);
        let chosen = creations.iter().find(|creation| creation.id() == id && !creation.is_running).cloned();
        if let Some(chosen) = chosen {
            self.ask_about(chosen, None);
        }
    }

    fn ask_about(&mut self, creation: Unfinished, also: Option<String>) {
        let ways = "Resume keeps what exists, creates the rest and waits for ACTIVE. Roll back deletes what was created, and \
                    nothing else. Forget leaves everything as it is and asks no more.";
        let text = [format!("Begun {}; {}.", creation.began, creation.objects())];
        let text = text.into_iter().chain(also).chain([ways.to_owned()]).collect();
        let buttons = vec![
            ("Resume", Act::FinishRun),
            ("Roll back", Act::UndoRun),
            ("Later", Act::Close),
            ("Forget", Act::ForgetRun),
        ];
        self.shell.dialog = Some(Dialog::new(format!("Creating {} was interrupted", creation.name), text, buttons));
        self.vpns.offered_creation = Some(creation);
    }

    pub(super) fn take_up(&mut self, direction: Direction) {
        self.vpns.offers.clear();
        let Some(creation) = self.vpns.offered_creation.clone() else { return };
        let request = self.shell.out.request();
        self.shell.taking_up = Some((request, direction));
        let text = vec![format!("Reading what there is of {}. Esc cancels.", creation.name)];
        // It comes without being asked for, so no Enter closes it.
        self.shell.dialog = Some(Dialog::new("One moment", text, Vec::new()));
        self.shell.out.push(Effect::TakeUp(request, creation.journal, direction));
    }

    /// Gives up what is being taken up, if anything is. What is read for it by then is let go when it comes.
    pub(super) fn cancel_taking_up(&mut self) {
        let Some((_, direction)) = self.shell.taking_up.take() else { return };
        let what = match direction {
            Direction::Forward => "resumed",
            Direction::Back => "rolled back",
        };
        self.shell.say(format!("Cancelled: nothing was {what}. Your VPNs lists what was interrupted."));
    }

    pub(super) fn forget_run(&mut self) {
        let Some(creation) = self.vpns.offered_creation.take() else { return };
        self.shell.dialog = None;
        self.shell.say(format!("{} is forgotten here; what exists of it stays in the cloud.", creation.name));
        self.offer_next_change();
        self.shell.out.push(Effect::Forget(creation.journal));
        if self.screen == Screen::Vpns {
            // What exists of it is unused now.
            self.read_vpns();
        }
    }

    pub(super) fn taken_up(&mut self, request: RequestId, result: Result<Box<TakenUp>, Vec<String>>) {
        let Some((_, direction)) = self.shell.taking_up.take_if(|(awaited, _)| *awaited == request) else {
            return self.shell.out.push(Effect::Release(request));
        };
        self.shell.dialog = None;
        let taken = match result {
            Ok(taken) => *taken,
            Err(mut text) => {
                let id = self.vpns.offered_creation.as_ref().map(Unfinished::id).unwrap_or_default();
                text.push(format!(
                    "Without the wizard: {} (--psk-file PATH gives it a key), or {}.",
                    osvpn("resume").operand(&id),
                    osvpn("rollback").operand(&id)
                ));
                let title = match direction {
                    Direction::Forward => "It cannot be resumed",
                    Direction::Back => "It cannot be rolled back",
                };
                self.shell.dialog = Some(Dialog::new(title, text, vec![("Close", Act::Close)]));
                return;
            }
        };
        // The list tells of it until it is read again.
        self.vpns.seen = Remote::NotAsked;
        if let Some(plan) = &taken.plan {
            self.answer_as(plan, taken.key, direction);
        }
        let TakenUp { plan, marks, ledger, key } = taken;
        let (run, work) = match (direction, plan) {
            (Direction::Forward, Some(plan)) => {
                let run = Progress::taken_up(plan.clone(), ledger.clone(), self.shell.now, self.shell.wait);
                (run, Effect::Create(Box::new(plan), ledger, key))
            }
            (_, plan) => {
                let run = Progress::undoing(marks.clone(), plan, ledger.clone(), self.shell.now, self.shell.wait);
                (run, Effect::Undo(marks, ledger))
            }
        };
        self.run = Some(run);
        self.enter(Screen::Run);
        self.shell.out.push(Effect::GoOn(request));
        self.shell.out.push(work);
    }

    /// Makes the answers those that lead to this plan.
    fn answer_as(&mut self, plan: &Plan, key: KeyOrigin, direction: Direction) {
        self.new_vpn.id = plan.id().clone();
        let answers = &mut self.new_vpn.answers;
        for half in plan.halves() {
            *answers.region.get_mut(half.half) = Some(half.region.clone());
            answers.router.insert(half.region.clone(), half.router.id.clone());
            answers.subnets.insert(half.router.id.clone(), half.local.iter().map(|subnet| subnet.id.clone()).collect());
        }
        answers.mode = match plan.far() {
            Far::Half(_) => Mode::SiteToSite,
            Far::Peer(peer) => {
                let ranges = peer.cidrs.iter().join(", ");
                answers.peer_address = Input::new(peer.address.to_string());
                answers.peer_id = Input::new(peer.id.clone());
                answers.peer_cidrs = Input::new(ranges);
                Mode::Single
            }
        };
        answers.key = match (direction, key) {
            // What is undone needs no key, so the plan has any; the user's own has to be given again.
            (Direction::Back, KeyOrigin::Given) => SecretText::default(),
            _ => SecretText::of(plan.psk(), key),
        };
        answers.profile = Some(plan.profile());
        if plan.profile() == Profile::Custom {
            answers.start_custom_from(plan.policy().clone());
            answers.custom_edited = true;
        }
        answers.name = Some(Input::new(plan.name().to_string()));
    }
}
