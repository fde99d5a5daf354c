//! What is wanted of the VPNs becomes a proposal once enough is known, and a proposal a question.

use super::super::dialog::{Act, Dialog, DialogButton, DialogSubject};
use super::super::remote::Remote;
use super::super::screen::Screen;
use super::upgrades::subnets;
use super::{Intent, Surroundings, YourVpns};
use crate::change::{
    Proposal, Refused, Sas, Target, Together, Verb, admit, delete, delete_strays, fix, may_move, rotate_key, upgrade,
};
use crate::inspect::Vpn;
use crate::inspect::diagnosis::rules;
use crate::plan::Profiles;
use crate::plan::psk::KeyOrigin;

/// What a new key's question offers about the tunnels that are up.
const RENEW: &str = "Renew tunnels too";
const KEEP: &str = "Leave tunnels alone";

impl YourVpns {
    /// Proposes that, once what is known is fresh and complete.
    pub(in crate::wizard) fn want(&mut self, intent: Intent, wizard: &mut Surroundings<'_>) {
        self.intent = Some(intent);
        let is_due = self.seen().is_none() || self.is_stale(wizard.shell);
        if is_due && !self.seen.is_loading() {
            wizard.shell.say("Reading everything once more first; a moment.");
            return self.read(wizard.shell);
        }
        self.propose_once_known(wizard);
        if self.intent.is_some() && !self.keys.is_loading() {
            wizard.shell.say("It is still being read; a moment.");
        }
    }

    /// Puts the question about what is wanted on the screen, if enough is known.
    pub(super) fn propose_once_known(&mut self, wizard: &mut Surroundings<'_>) {
        let is_first = self.intent == Some(Intent::UpgradeFirst) && wizard.screen == Screen::Review;
        let is_here = is_first || wizard.screen == Screen::Vpns || wizard.screen.is_of_one_vpn();
        if wizard.shell.dialog.is_some() || !is_here || self.seen.is_loading() {
            return;
        }
        let Some(intent) = self.intent else { return };
        if matches!(intent, Intent::PublicKeys(_) | Intent::UpgradeAll | Intent::UpgradeFirst) {
            match &self.keys {
                Remote::Ready(_) => {}
                Remote::Loading { .. } => return,
                Remote::NotAsked | Remote::Failed(_) => return self.compare_keys(wizard.shell),
            }
        }
        let open = self.open.as_ref();
        if intent.is_of_a_vpn() && open.is_none_or(|open| open.around.is_loading() || open.diagnosis.is_none()) {
            return;
        }
        self.intent = None;
        wizard.shell.notice = None;
        self.propose(intent, wizard);
    }

    /// Asks whether to do what is wanted, or says why it is not done.
    fn propose(&self, intent: Intent, wizard: &mut Surroundings<'_>) {
        if let Intent::PublicKeys(sas) = intent {
            return self.propose_new_keys(sas, wizard);
        }
        match intent {
            Intent::UpgradeAll => return self.propose_upgrades(wizard),
            Intent::UpgradeFirst => return self.propose_upgrades_first(wizard),
            _ => {}
        }
        match self.proposed(intent, wizard.profiles) {
            Some(Ok(proposal)) if proposal.is_empty() => wizard.nothing_to_do(proposal.notes),
            Some(Ok(proposal)) => self.ask_whether(vec![proposal], Vec::new(), intent, wizard),
            Some(Err(refused)) => wizard.refuse(refused),
            None => {}
        }
    }

    /// The change that is wanted; none if what it is of has gone meanwhile.
    fn proposed(&self, intent: Intent, profiles: &Profiles) -> Option<Result<Proposal, Refused>> {
        let seen = self.seen()?;
        if intent == Intent::DeleteUnused {
            return Some(delete_strays(&seen.inspection, &seen.unfinished, &[]));
        }
        let (vpn, open) = (self.vpn()?, self.open.as_ref()?);
        let (diagnosis, found) = (open.diagnosis.as_ref()?, open.around.ready()?);
        let may = match intent {
            Intent::Admit => Ok(()),
            Intent::Fix(_) => vpn.unambiguous(),
            Intent::Delete => seen.inspection.deletable(vpn),
            _ => seen.inspection.changeable(vpn),
        };
        if let Err(why) = may {
            return Some(Err(Refused(vec![why.to_string()])));
        }
        Some(match intent {
            Intent::Fix(check) => {
                let finding = diagnosis.findings.iter().find(|finding| finding.check == check)?;
                fix(&seen.inspection, vpn, diagnosis, &finding.fault()?.fix, profiles)
            }
            Intent::NewKey(_, KeyOrigin::Given) if open.key.psk().is_none() => return None,
            Intent::NewKey(sas, origin) => rotate_key(&seen.inspection, vpn, origin, sas),
            Intent::Subnets => subnets(&seen.inspection, vpn, &open.subnets, &found.keys, profiles),
            Intent::Upgrade => {
                upgrade(&seen.inspection, vpn, &Target::modern(profiles, vpn, &found.keys)).and_then(|proposal| {
                    let is_interrupted = |other: &Vpn| seen.unfinished.is_of(other);
                    may_move(&seen.inspection, vpn, &proposal.change, is_interrupted).map(|()| proposal)
                })
            }
            Intent::Admit => Ok(admit(vpn, diagnosis)),
            Intent::Delete => Ok(delete(&seen.inspection, vpn, &rules(vpn, &found.exposures))),
            Intent::DeleteUnused | Intent::PublicKeys(_) | Intent::UpgradeAll | Intent::UpgradeFirst => return None,
        })
    }

    pub(super) fn ask_whether(
        &self,
        proposals: Vec<Proposal>,
        warnings: Vec<String>,
        intent: Intent,
        wizard: &mut Surroundings<'_>,
    ) {
        let mut text: Vec<String> = format!("{:.8}", Together(&proposals)).lines().map(str::to_owned).collect();
        text.extend(warnings.into_iter().map(|warning| format!("note: {warning}")));
        let deletes = proposals.iter().any(|proposal| proposal.change.verb == Verb::Delete);
        let active = self.vpn().filter(|vpn| deletes && vpn.is_active());
        if active.is_some() {
            text.insert(0, "The VPN is ACTIVE. Traffic that uses it stops.".to_owned());
        }
        let (mut yes, no) = Together(&proposals).answers();
        let mut question = Together(&proposals).question();
        if let ([Proposal { change, .. }], Intent::Subnets) = (proposals.as_slice(), intent)
            && change.verb == Verb::Upgrade
        {
            question = format!("Upgrade {} and change its subnets?", change.label);
            "Upgrade and change".clone_into(&mut yes);
        }
        let mut buttons = vec![(no, Act::Close), (yes, Act::Confirm)];
        let instead = |label: &str, intent| (label.to_owned(), Act::Instead(intent));
        match intent {
            Intent::NewKey(Sas::Keep, origin) => {
                buttons.push(instead(RENEW, Intent::NewKey(Sas::Renew, origin)));
            }
            Intent::NewKey(Sas::Renew, origin) => buttons.push(instead(KEEP, Intent::NewKey(Sas::Keep, origin))),
            Intent::PublicKeys(Sas::Keep) => buttons.push(instead(RENEW, Intent::PublicKeys(Sas::Renew))),
            Intent::PublicKeys(Sas::Renew) => buttons.push(instead(KEEP, Intent::PublicKeys(Sas::Keep))),
            _ => {}
        }
        if matches!(intent, Intent::NewKey(_, KeyOrigin::Generated)) {
            buttons.push(("Own key".to_owned(), Act::OwnKey));
        }
        let mut dialog = Dialog::new(question, text, buttons).wide();
        if let Some(vpn) = active {
            dialog = dialog.asking_for(&vpn.name);
        }
        wizard.shell.dialog = Some(dialog.about(DialogSubject::Proposals(proposals)));
    }

    /// The same question, with the running SAs treated the other way. The focus stays where it was.
    pub(in crate::wizard) fn propose_instead(&self, intent: Intent, wizard: &mut Surroundings<'_>) {
        self.propose(intent, wizard);
        if let Some(dialog) = &mut wizard.shell.dialog {
            let turned = |button: &DialogButton| matches!(button.act, Act::Instead(_));
            dialog.focus = dialog.buttons.iter().position(turned).unwrap_or_default();
        }
    }

    /// What was wanted before may have become known behind a dialog.
    pub(in crate::wizard) fn take_up_intent(&mut self, wizard: &mut Surroundings<'_>) {
        match self.intent {
            Some(_) if !matches!(self.keys, Remote::NotAsked) => self.propose_once_known(wizard),
            Some(intent) if wizard.shell.dialog.is_none() => self.want(intent, wizard),
            _ => {}
        }
    }
}

impl Surroundings<'_> {
    pub(super) fn refuse(&mut self, Refused(why): Refused) {
        self.explain("Cannot be done here", why);
    }

    pub(super) fn nothing_to_do(&mut self, why: Vec<String>) {
        self.explain("Nothing to do", why);
    }

    fn explain(&mut self, title: &str, why: Vec<String>) {
        self.shell.dialog = Some(Dialog::new(title, why, vec![("Close", Act::Close)]).wide());
    }
}
