//! Runs that were cut off: offered once, right after the sign-in, before anything is asked.

use itertools::Itertools;
use tui_input::Input;

use super::dialog::{Act, Dialog};
use super::fields::SecretText;
use super::message::{Purpose, TakenUp, Unfinished};
use super::progress::Progress;
use super::remote::RequestId;
use super::step::{Mode, Step};
use super::{Effect, Model};
use crate::plan::shell::osvpn;
use crate::plan::{Far, Plan, Profile};
use crate::provision::handover::KeyOrigin;

impl Model {
    /// Asks what to do with the latest run that was cut off, if there is one.
    pub(super) fn offer_unfinished(&mut self) {
        let unfinished = self.session().map_or(&[][..], |session| &session.unfinished);
        let [latest, others @ ..] = unfinished else { return };
        let mut text = vec![described(latest)];
        if !others.is_empty() {
            let others = others.iter().map(|other| format!("{} ({})", other.name, other.id())).collect::<Vec<_>>();
            text.push(format!("Also unfinished: {}; osvpn resume ID takes one up.", others.join(", ")));
        }
        let ways = "Finish keeps what exists, makes the rest and waits for ACTIVE. Undo deletes what that run made, and \
                    nothing else. Forget leaves everything as it is and asks no more.";
        text.push(ways.to_owned());
        let buttons = vec![
            ("Finish it", Act::FinishRun),
            ("Undo it", Act::UndoRun),
            ("Not now", Act::Close),
            ("Forget it", Act::ForgetRun),
        ];
        self.dialog = Some(Dialog::new(format!("{} is unfinished", latest.name), text, buttons));
    }

    pub(super) fn take_up(&mut self, purpose: Purpose) -> Vec<Effect> {
        self.vpns.offers.clear();
        let Some(latest) = self.latest_unfinished() else { return Vec::new() };
        let request = self.request();
        self.taking_up = Some((request, purpose));
        let text = vec![format!("Reading what there is of {}.", latest.name)];
        self.dialog = Some(Dialog::new("One moment", text, vec![("Cancel", Act::Close)]));
        vec![Effect::TakeUp(request, latest.journal, purpose)]
    }

    pub(super) fn forget_run(&mut self) -> Vec<Effect> {
        let Some(latest) = self.latest_unfinished() else { return Vec::new() };
        self.say(format!("{} is forgotten here; what exists of it stays in the cloud.", latest.name));
        self.offer_next_change();
        vec![Effect::Forget(latest.journal)]
    }

    fn latest_unfinished(&self) -> Option<Unfinished> {
        self.session().and_then(|session| session.unfinished.first().cloned())
    }

    pub(super) fn taken_up(&mut self, request: RequestId, result: Result<Box<TakenUp>, Vec<String>>) -> Vec<Effect> {
        let Some((_, purpose)) = self.taking_up.take_if(|(awaited, _)| *awaited == request) else {
            return vec![Effect::Release(request)];
        };
        self.dialog = None;
        let taken = match result {
            Ok(taken) => *taken,
            Err(mut text) => {
                let id = self.latest_unfinished().map(|latest| latest.id()).unwrap_or_default();
                text.push(format!(
                    "Without the wizard: {} (--psk-file PATH gives it a key), or {}.",
                    osvpn("resume").operand(&id),
                    osvpn("rollback").operand(&id)
                ));
                self.dialog = Some(Dialog::new("It cannot be taken up", text, vec![("Close", Act::Close)]));
                return Vec::new();
            }
        };
        if let Some(plan) = &taken.plan {
            self.answer_as(plan, taken.key, purpose);
        }
        let TakenUp { plan, marks, ledger, key } = taken;
        let (run, work) = match (purpose, plan) {
            (Purpose::Finish, Some(plan)) => {
                let run = Progress::taken_up(plan.clone(), ledger.clone(), self.now, self.wait);
                (run, Effect::Create(Box::new(plan), ledger, key))
            }
            (_, plan) => {
                let run = Progress::undoing(marks.clone(), plan, ledger.clone(), self.now, self.wait);
                (run, Effect::Undo(marks, ledger))
            }
        };
        self.run = Some(run);
        self.enter(Step::Run);
        vec![Effect::GoOn(request), work]
    }

    /// Makes the answers those that lead to this plan.
    fn answer_as(&mut self, plan: &Plan, key: KeyOrigin, purpose: Purpose) {
        self.vpn = plan.id().clone();
        let answers = &mut self.answers;
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
        answers.key = match (purpose, key) {
            // What is undone needs no key, so the plan has any; the user's own has to be given again.
            (Purpose::Undo, KeyOrigin::Given) => SecretText::default(),
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

fn described(unfinished: &Unfinished) -> String {
    let Unfinished { name, began, exists, may_exist, .. } = unfinished;
    let objects =
        if *exists == 1 { "1 object of it exists".to_owned() } else { format!("{exists} objects of it exist") };
    let doubt = if *may_exist == 0 { String::new() } else { format!(", and {may_exist} more may") };
    format!("A run began {name} on {began} and is not done with it. {objects}{doubt}.")
}
